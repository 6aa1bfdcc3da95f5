//! The command line of `cargo verify`.

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use whendone_model::engines::catalog::Engine;
use whendone_model::project::mutants::Wanted;
use whendone_model::runner::plan::{CROWDS, Shard};

/// Explores every small concurrent program over the core under loom, and checks that what clients
/// can see equals what the specification allows.
#[derive(Parser)]
#[command(name = "cargo verify", bin_name = "cargo verify")]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Worker processes [default: one for each core]
    #[arg(long)]
    pub workers: Option<usize>,
    /// Seconds until a program counts as hanging
    #[arg(long, default_value_t = 120)]
    pub limit: u64,
    /// Verifies another copy of the core: a folder with the files of src/kernel
    #[arg(long, value_name = "PATH", global = true)]
    pub core: Option<PathBuf>,
    /// Pins the counts and the blind spots as they are now, if nothing else is wrong
    #[arg(long)]
    pub accept: bool,
    /// Explores larger programs instead: 3 threads with up to 4 operations in all, and 4 threads with a bound
    #[arg(long)]
    pub deep: bool,
    /// Only this share of the deep run: 2/4 is the second of four. `cargo verify merge` merges their reports
    #[arg(long, value_name = "I/N", requires = "deep")]
    pub shard: Option<Shard>,
    /// Does again what an interrupted deep run has done already
    #[arg(long, requires = "deep")]
    pub fresh: bool,
    /// Shows for each outcome that a scenario may have how it comes about, as `scenario --explain` does
    #[arg(long, value_name = "SCENARIO")]
    pub explain: Option<String>,
}

#[derive(Subcommand)]
pub enum Command {
    /// Runs one scenario and prints its outcomes, like a litmus test: `cargo verify scenario 'a ; C | A R0'`
    Scenario {
        text: String,
        /// Shows for each allowed outcome how it comes about
        #[arg(long)]
        explain: bool,
        /// Plays it on this engine instead of loom with both stand-ins: loom-mutex, loom-atomic, loom-bounded,
        /// shuttle-every, shuttle-random, shuttle-pct, threads, tickets, alone
        #[arg(long, conflicts_with = "explain")]
        engine: Option<Engine>,
    },
    /// Runs the one execution again that a replay token names, and shows it
    Replay { token: String },
    /// Plays larger programs, of 5 to 8 threads, on shuttle and on real threads: a sample, never exhaustive
    Stress {
        /// Seconds until no more programs are begun
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Number of the first program; every plain run plays those below
        #[arg(long, default_value_t = CROWDS)]
        from: usize,
    },
    /// Merges the reports of all shards of a deep run: `cargo verify merge target/verify/deep-*-of-4.json`
    Merge {
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Shows what no tool here sees, that it is still unseen, and what covers it instead
    BlindSpots,
    /// Proves the protocol for any number of threads and callbacks, with two solvers
    Proof,
    /// Serves the protocol's states for a browser, to be clicked through
    Explore {
        #[arg(long, default_value_t = 3000)]
        port: u16,
    },
    /// Plants the seeded bugs and says which check notices each
    Mutants {
        /// Another table of bugs: an auditor's own
        #[arg(long)]
        file: Option<PathBuf>,
        #[command(flatten)]
        wanted: Wanted,
    },
    #[command(hide = true)]
    Worker,
}
