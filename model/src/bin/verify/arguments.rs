//! The command line of `cargo verify`: its options, and which of them apply to which command.

use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;
use whendone_model::engines::catalog::Engine;
use whendone_model::runner::clients::{EVERYDAY, MOST};
use whendone_model::runner::mutants::Wanted;
use whendone_model::runner::own_table::tier_name;
use whendone_model::runner::plan::SAMPLED;
use whendone_model::runner::shard::Shard;
use whendone_model::universe::Tier;
use whendone_model::vendoring::template::Template;

/// Explores every small concurrent program over the core, on coroutines and under loom, and checks that the observed
/// outcomes equal those that the specification allows.
#[derive(Parser)]
#[command(name = "cargo verify", bin_name = "cargo verify", version, after_help = include_str!("after_help.txt"))]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Worker processes; threads of `clients`, and of a large `scenario` on sections [default: one for each core]
    #[arg(long, global = true, value_parser = at_least_one)]
    pub workers: Option<NonZeroU16>,
    /// Seconds after which a program counts as hanging, and after which `scenario` gives up
    #[arg(long, global = true, default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: u64,
    /// Verifies the copy of the core in this folder, which must have the files of src/kernel
    #[arg(long, value_name = "PATH", global = true)]
    pub core: Option<PathBuf>,
    /// Records the counts and blind spots of this run as the new baseline, if there is no failure
    #[arg(long, conflicts_with = "deep")]
    pub accept: bool,
    /// Explores under loom instead what the everyday run does not: larger programs, the others with the other stand-in of
    /// the write-once cell, and the kernel's programs of two threads on std's own locks
    #[arg(long)]
    pub deep: bool,
    /// Explores only one shard of the deep run, such as 2/4. `cargo verify merge` adds the reports. `auto` takes the shard
    /// from the environment of Bazel, Kubernetes, Slurm or GitLab: see docs/SCALE.md
    #[arg(long, value_name = "I/N", requires = "deep")]
    pub shard: Option<Shard>,
    /// Explores only this tier of the deep run, such as fours. Its shards are merged with the same option
    #[arg(long, value_name = "TIER", requires = "deep", value_parser = tier)]
    pub tier: Option<Tier>,
    /// Explores the tier on this engine instead of those of the deep run. Its shards are merged with the same option
    #[arg(long, requires = "tier", hide_possible_values = true)]
    pub engine: Option<Engine>,
    /// Starts over instead of resuming an interrupted run
    #[arg(long)]
    pub fresh: bool,
    /// Says about how long each tier takes, from a hundredth of its programs, at least five, and verifies nothing
    #[arg(long, conflicts_with_all = ["accept", "fresh"])]
    pub estimate: bool,
}

#[derive(Subcommand)]
pub enum Command {
    /// Runs one scenario as a litmus test and prints its outcomes: `cargo verify scenario 'a ; C | A R0'`
    #[command(after_help = include_str!("letters.txt"))]
    Scenario {
        text: String,
        /// Draws for each allowed outcome an execution that shows it
        #[arg(long)]
        explain: bool,
        /// Uses this engine instead of sections, loom-mutex and loom-atomic
        #[arg(long, conflicts_with = "explain")]
        engine: Option<Engine>,
        /// Says about how many executions sections-plain has to explore, and explores none. Takes a hundredth of them,
        /// but up to two thousand if there are fewer, and more if two estimates of it differ
        #[arg(long, conflicts_with_all = ["explain", "engine", "html", "trace"])]
        estimate: bool,
        #[command(flatten)]
        pages: Pages,
    },
    /// Explores every client of the kernel that makes up to this number of calls, on any number of threads
    Clients {
        /// The most calls of a client
        #[arg(long, default_value_t = EVERYDAY[1].0, value_parser = clap::value_parser!(u8).range(1..=i64::from(MOST)))]
        calls: u8,
        /// Explores without the reduction: two states differ if what led to them differs, in the queue since it was last
        /// taken as a whole and in each call under way. Far more states
        #[arg(long)]
        plain: bool,
        /// Adds calls as long as the time reaches, as in 30m, and goes on from there the next time
        #[arg(long, conflicts_with = "calls", value_parser = humantime::parse_duration)]
        budget: Option<Duration>,
        /// Starts over instead of going on
        #[arg(long, requires = "budget")]
        fresh: bool,
    },
    /// Runs the execution that a replay token names, and draws it
    #[command(after_help = include_str!("letters.txt"))]
    Replay {
        token: String,
        #[command(flatten)]
        pages: Pages,
    },
    /// Samples executions of larger programs, with 5 to 8 threads, on shuttle and on real threads
    Stress {
        /// Seconds after which no more programs are started
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
        seconds: u64,
        /// Number of the first program; `cargo verify` plays those below the default
        #[arg(long, default_value_t = SAMPLED)]
        from: usize,
    },
    /// Adds the reports of all shards of a deep run: `cargo verify merge target/verify/deep-*-of-4.json`
    Merge {
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Adds the reports of this tier of a deep run
        #[arg(id = "tier_to_merge", long = "tier", value_name = "TIER", value_parser = tier)]
        tier: Option<Tier>,
        /// Adds the reports of the tier on this engine
        #[arg(id = "engine_to_merge", long = "engine", requires = "tier_to_merge", hide_possible_values = true)]
        engine: Option<Engine>,
    },
    /// Checks the journal of somebody else's deep run: compares it with the report beside it, and plays programs drawn at
    /// random again
    Audit {
        /// The journal, as in target/verify/deep-1-of-4.checkpoint
        journal: PathBuf,
        /// The number of programs to play
        #[arg(long, default_value_t = 100)]
        sample: usize,
        /// The seed of the choice [default: another one each time]
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Lists what no tool here can see, shows that it is still unseen, and says what covers it instead
    BlindSpots,
    /// Proves the protocol for any number of threads and callbacks, and the queue for any length, with the solvers z3
    /// and cvc5 and with why3; compares the proven queue with the one that ships
    Proof {
        /// Compares some million operations instead of some ten thousand
        #[arg(long)]
        long: bool,
    },
    /// Compares the tables of SOUNDNESS.md with the tree, and the commands that it names with the ones that there are
    Soundness {
        /// Writes the tables into the page instead
        #[arg(long)]
        write: bool,
    },
    /// Serves the states of the protocol to a browser, on a page that explains them, for exploration by hand
    Explore {
        /// The port of this machine at which the page is; 0 takes a free one
        #[arg(long, default_value_t = 3000)]
        port: u16,
        /// Opens at the shortest path to a state that violates this property, named by the first words of its sentence, such
        /// as P8. Fails if there is none
        #[arg(long, value_name = "PROPERTY")]
        broken: Option<String>,
        /// Plants this bug of the protocol in a copy of the verifier, and opens at the shortest path to a state that violates
        /// the property which the bug breaks. model/mutants/bugs/protocol.toml lists the bugs
        #[arg(long, value_name = "NAME", conflicts_with = "broken")]
        bug: Option<String>,
        /// The bug that is planted in this program, whose input ends with the process that planted it
        #[arg(long, hide = true, requires = "broken")]
        planted: Option<String>,
    },
    /// Lays the core down in a folder of your crate, byte for byte, with a facade, a record and checksums
    Vendor {
        /// The folder, such as src/whendone
        dest: PathBuf,
        /// The locks of the template for sync.rs, which is written if there is none
        #[arg(long, value_enum, default_value = "std")]
        facade: Template,
        /// Replaces an older copy that was not edited, and says what has changed since
        #[arg(long)]
        upgrade: bool,
        /// Lays down the conformance kit of a facade, too, for your own tests
        #[arg(long)]
        kit: bool,
    },
    /// Checks the obligations of a facade: of your sync.rs, with the Cargo.toml beside or above it
    Facade {
        path: PathBuf,
        /// Writes the result to this file as well, as an in-toto statement
        #[arg(long, value_name = "FILE")]
        statement: Option<PathBuf>,
    },
    /// Plants the seeded bugs, and fails if the check that a bug names does not notice it
    Mutants {
        /// Uses your own table of bugs
        #[arg(long)]
        file: Option<PathBuf>,
        #[command(flatten)]
        wanted: Wanted,
    },
    /// Runs another command and records its result as a part of the evidence:
    /// `cargo verify record asyncio -- cargo test --test asyncio`
    Record {
        /// The part's name
        #[arg(value_parser = PossibleValuesParser::new(whendone_model::runner::evidence::expected::RECORDED))]
        name: String,
        #[arg(last = true, required = true)]
        words: Vec<OsString>,
    },
    /// Gathers the results of all commands into a page, target/verify/report/index.html, and fails if one is missing,
    /// stale or red
    Report {
        /// Reads the parts in this folder [default: target/verify/parts]
        #[arg(long)]
        parts: Option<PathBuf>,
        /// Writes the report into this folder [default: target/verify/report]
        #[arg(long)]
        into: Option<PathBuf>,
    },
    #[command(hide = true)]
    Worker,
}

impl Command {
    /// False for a scenario that has one thread in any case.
    fn has_workers(&self) -> bool {
        match self {
            Command::Scenario { explain, estimate, engine, .. } => {
                !explain && !estimate && engine.is_none_or(Engine::can_spread)
            }
            _ => true,
        }
    }
}

/// The pages that a drawing is written to.
#[derive(clap::Args)]
pub struct Pages {
    /// Writes the drawn executions to a page below target/verify/traces, as HTML and as JSON, and prints the paths
    #[arg(long)]
    pub html: bool,
    /// Writes the drawn executions to this file in Chrome's trace format, for Perfetto or chrome://tracing
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
}

impl Pages {
    pub fn are_wanted(&self) -> bool {
        self.html || self.trace.is_some()
    }
}

fn at_least_one(number: &str) -> Result<NonZeroU16, String> {
    number.parse().map_err(|_| format!("a number from 1 to {} is needed", u16::MAX))
}

fn tier(name: &str) -> Result<Tier, String> {
    let named = Tier::ALL.into_iter().find(|tier| tier_name(*tier) == name);
    named.ok_or_else(|| format!("the tiers are {}", Tier::ALL.map(tier_name).join(", ")))
}

/// The whole deep run, of all tiers or of one.
pub fn whole(tier: Option<Tier>, engine: Option<Engine>) -> Shard {
    Shard { tier, engine, ..Shard::WHOLE }
}

/// The options of the whole command line, and the commands that they apply to; the empty name is the plain run.
const APPLY: [(&str, &[&str]); 10] = [
    ("workers", &["", "audit", "clients", "scenario", "stress", "mutants"]),
    ("limit", &["", "audit", "stress", "scenario"]),
    ("core", &["", "scenario", "clients", "replay", "stress", "proof"]),
    ("accept", &[""]),
    ("deep", &[""]),
    ("shard", &[""]),
    ("tier", &[""]),
    ("engine", &[""]),
    ("fresh", &[""]),
    ("estimate", &[""]),
];

impl Arguments {
    /// Parses a command line, which begins with the name of the program.
    ///
    /// # Errors
    ///
    /// If it is malformed, or an option does not apply to the command.
    pub fn of(line: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut command = Arguments::command();
        let matches = command.try_get_matches_from_mut(line)?;
        let name = matches.subcommand_name().unwrap_or_default();
        let is_given = |option: &str| matches.value_source(option) == Some(ValueSource::CommandLine);
        let refused = APPLY.iter().find(|(option, to)| is_given(option) && !to.contains(&name));
        if let Some((option, to)) = refused {
            let named = |name: &&str| if name.is_empty() { "`cargo verify`".to_owned() } else { format!("`{name}`") };
            let to = to.iter().map(named).collect::<Vec<_>>().join(", ");
            let why = format!("--{option} does not apply to `{name}`, but to {to}");
            return Err(command.error(ErrorKind::ArgumentConflict, why));
        }
        let arguments = Arguments::from_arg_matches(&matches)?;
        if is_given("workers") && !arguments.command.as_ref().is_none_or(Command::has_workers) {
            let why = "--workers applies to `scenario` only if it plays on sections or sections-plain";
            return Err(command.error(ErrorKind::ArgumentConflict, why));
        }
        Ok(arguments)
    }

    /// The part of the deep run that is wanted.
    pub fn share(&self) -> Shard {
        Shard { tier: self.tier, engine: self.engine, ..self.shard.unwrap_or(Shard::WHOLE) }
    }

    /// The reason why this command does not work in a package, in words. None for commands that work anywhere.
    pub fn needs_clone(&self) -> Option<&'static str> {
        match &self.command {
            None if self.accept => Some("`--accept`, which writes the baseline of the project,"),
            Some(Command::Explore { bug: Some(_), .. }) => Some("`explore --bug`, which plants a bug in the project,"),
            Some(Command::Mutants { .. }) => Some("`mutants`, which plants bugs in the whole project,"),
            Some(Command::Record { .. }) => Some("`record`, which runs commands of the project,"),
            Some(Command::Report { .. }) => Some("`report`, which gathers the evidence for the whole project,"),
            Some(Command::Soundness { .. }) => Some("`soundness`, which reads a page of the project,"),
            _ => None,
        }
    }

    /// The name of the part that this command leaves, and whether several processes may write it; none for commands that
    /// check nothing.
    pub fn part(&self) -> Option<(String, bool)> {
        let (name, is_shared) = match &self.command {
            None if self.estimate => return None,
            None if self.deep => {
                return Some((self.share().name(), false));
            }
            None => ("verify", false),
            Some(Command::Scenario { estimate: true, .. }) => return None,
            Some(Command::Scenario { .. }) => ("scenario", true),
            Some(Command::Replay { .. }) => ("replay", true),
            Some(Command::Clients { .. }) => ("clients", false),
            Some(Command::Stress { .. }) => ("stress", false),
            Some(Command::Merge { tier, engine, .. }) => return Some((whole(*tier, *engine).run_name(), false)),
            Some(Command::BlindSpots) => ("blind-spots", false),
            Some(Command::Proof { .. }) => ("proof", false),
            // Your own bugs are no part of this project's evidence, and several tables may be played at once.
            Some(Command::Mutants { file: Some(_), .. }) => return None,
            Some(Command::Mutants { .. }) => ("mutants", false),
            Some(Command::Record { name, .. }) => (name.as_str(), false),
            Some(
                Command::Audit { .. }
                | Command::Explore { .. }
                | Command::Facade { .. }
                | Command::Report { .. }
                | Command::Soundness { .. }
                | Command::Vendor { .. }
                | Command::Worker,
            ) => return None,
        };
        Some((name.to_owned(), is_shared))
    }
}
