//! `cargo verify mutants`: the seeded bugs are a package of their own, built when they are wanted.

use crate::project::copy::project;
use clap::Args;
use std::path::Path;
use std::process::{Command, ExitStatus};

/// Which of them, and how much of each.
#[derive(Args)]
pub struct Wanted {
    /// Every check for every bug, not only the first that notices it
    #[arg(long)]
    pub all: bool,
    /// Only bugs that scenarios can see, not those that take a copy of the project each
    #[arg(long)]
    pub played: bool,
    /// A failing interleaving of each that scenarios can see, shrunk, act by act
    #[arg(long)]
    pub show: bool,
    /// Only bugs whose id contains one of these
    pub only: Vec<String>,
}

impl Wanted {
    fn arguments(&self) -> impl Iterator<Item = &str> {
        let flags = [("--all", self.all), ("--played", self.played), ("--show", self.show)];
        let given = flags.into_iter().filter_map(|(flag, given)| given.then_some(flag));
        given.chain(self.only.iter().map(String::as_str))
    }
}

/// Runs them, or those of an auditor's own table.
///
/// # Errors
///
/// If cargo cannot be started, or the file is not there.
pub fn seeded(file: Option<&Path>, wanted: &Wanted) -> Result<ExitStatus, String> {
    let mut run = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    run.args(["run", "--quiet", "--package", "whendone-mutants"]).current_dir(project());
    if file.is_some() || wanted.all {
        // Checks may have to be played to their end, which takes minutes or hours: what is compiled better is worth it.
        run.args(["--config", "profile.dev.package.whendone-mutants.opt-level=1"]);
    }
    run.arg("--").args(wanted.arguments());
    if let Some(file) = file {
        let file = file.canonicalize().map_err(|error| format!("{}: {error}", file.display()))?;
        run.env("WHENDONE_MUTANTS", file);
    }
    run.status().map_err(|error| format!("cargo: {error}"))
}
