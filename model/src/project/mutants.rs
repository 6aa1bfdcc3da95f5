//! Starts `cargo verify mutants`. The seeded bugs are a package of their own, built on demand.

use crate::project::copy::project;
use clap::Args;
use std::path::Path;
use std::process::{Command, ExitStatus};

/// The seeded bugs to plant, and the amount of detail.
#[derive(Args)]
pub struct Wanted {
    /// Tries every check on every bug, instead of stopping at the first that notices it
    #[arg(long)]
    pub all: bool,
    /// Plants only bugs that scenarios can show, not those that need a copy of the project each
    #[arg(long)]
    pub played: bool,
    /// Draws a shrunk failing interleaving of each bug that scenarios can show
    #[arg(long)]
    pub show: bool,
    /// Texts of which a bug's id must contain one [default: all bugs]
    pub only: Vec<String>,
}

impl Wanted {
    fn arguments(&self) -> impl Iterator<Item = &str> {
        let flags = [("--all", self.all), ("--played", self.played), ("--show", self.show)];
        let given = flags.into_iter().filter_map(|(flag, given)| given.then_some(flag));
        given.chain(self.only.iter().map(String::as_str))
    }
}

/// Plants the seeded bugs of the project, or those of the table in `file`.
///
/// # Errors
///
/// If cargo cannot be started, or the file cannot be found.
pub fn seeded(file: Option<&Path>, wanted: &Wanted) -> Result<ExitStatus, String> {
    let mut run = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    run.args(["run", "--quiet", "--package", "whendone-mutants"]).current_dir(project());
    if file.is_some() || wanted.all {
        // Some checks run for minutes or hours, so optimised code is worth its compile time.
        run.args(["--config", "profile.dev.package.whendone-mutants.opt-level=1"]);
    }
    run.arg("--").args(wanted.arguments());
    if let Some(file) = file {
        let file = file.canonicalize().map_err(|error| format!("{}: {error}", file.display()))?;
        run.env("WHENDONE_MUTANTS", file);
    }
    run.status().map_err(|error| format!("cargo: {error}"))
}
