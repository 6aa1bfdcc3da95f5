//! Plays a planted bug, check after check and the small programs first, until one notices it.

use fastrand::Rng;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;
use std::{fmt, fs};
use whendone_model::check::{self, Verdict};
use whendone_model::counterexample::Counterexample;
use whendone_model::counterexample::page::page;
use whendone_model::engines::catalog::Engine;
use whendone_model::engines::sections::clients::Key;
use whendone_model::engines::{Play, sections::engine, until};
use whendone_model::fuzzing::bytes::decode;
use whendone_model::observation::Observation;
use whendone_model::project::copy::project;
use whendone_model::runner::own_table::tier_name;
use whendone_model::scenario::Scenario;
use whendone_model::spec::allowed::known;
use whendone_model::universe::Tier;
use whendone_mutants::{PLANTED, smallest_client, told};

/// A set of programs: a column of the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Check {
    /// The seeds of the fuzzer.
    Seeds,
    /// Random programs of one thread, like those of the proptest suite.
    Random,
    /// A tier of the closed world.
    World(Tier),
    /// One of the races that have names, by its place.
    Race(usize),
}

impl Check {
    /// Those of programs on a loop, or all others.
    pub fn all(on_a_loop: bool) -> Vec<Check> {
        let all = [Check::Seeds, Check::Random].into_iter().chain(Tier::ALL.map(Check::World));
        all.filter(|check| matches!(check, Check::World(tier) if tier.is_of_the_loop()) == on_a_loop).collect()
    }

    /// The named races, likewise.
    pub fn races(on_a_loop: bool) -> Vec<Check> {
        let races = races().into_iter().enumerate();
        races.filter(|(_, race)| race.script().is_some() == on_a_loop).map(|(at, _)| Check::Race(at)).collect()
    }

    fn programs(self) -> Vec<Scenario> {
        match self {
            Check::Seeds => seeds(),
            Check::Random => (0..RANDOM).map(random).collect(),
            Check::World(tier) => tier.programs(),
            Check::Race(at) => races().drain(at..=at).collect(),
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Check::Seeds => f.write_str("seeds"),
            Check::Random => f.write_str("random"),
            Check::World(tier) => f.write_str(&tier_name(*tier)),
            Check::Race(_) => f.write_str(RACE),
        }
    }
}

/// The name of the checks that are named races.
pub const RACE: &str = "race";

/// The texts in the file that names them.
fn races() -> Vec<Scenario> {
    let file = fs::read_to_string(project().join("tests/races.rs")).expect("the races are there");
    let (_, races) = file.split_once("\nraces! {").expect("they are listed");
    races.split('"').skip(1).step_by(2).map(|text| text.parse().expect("well formed")).collect()
}

/// The number of random programs.
const RANDOM: u64 = 500;

fn random(seed: u64) -> Scenario {
    let mut random = Rng::with_seed(seed);
    let length = random.u8(4..64);
    decode(&(0..length).map(|_| random.u8(..)).collect::<Vec<_>>())
}

fn seeds() -> Vec<Scenario> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/scenario");
    let files = fs::read_dir(folder).expect("the seeds are there");
    files.map(|file| decode(&fs::read(file.expect("readable").path()).expect("readable"))).collect()
}

/// A question to a worker: whether this bug shows in these checks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Search {
    pub id: String,
    pub shown_by: String,
    pub checks: Vec<Check>,
    /// On this program alone, as the table names it: even if the process ends there it is known where it did.
    pub only: Option<String>,
    /// Whether a failing execution is to be drawn.
    pub draw: bool,
}

/// Who noticed a bug, and how.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kill {
    pub by: String,
    pub program: String,
    pub evidence: String,
    pub seconds: f64,
    /// A failing execution, shrunk and drawn: as text, and as a page, which is no part of the figures.
    pub counterexample: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
}

/// The result of a search.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Searching {
    pub kill: Option<Kill>,
    /// If it is a bug of the kernel: the smallest client that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// If nothing noticed the bug: a program with another number of executions than without the bug.
    pub recount: Option<String>,
}

/// The evidence for a bug, if there is any. A bug can also make a model deadlock or panic; that counts only where the
/// table expects it, or expects nothing in particular.
fn evidence(verdict: &Verdict, shown_by: &str) -> Option<String> {
    let Verdict { extra, missing, broken, .. } = verdict;
    let (kind, found) = match shown_by {
        "" if !extra.is_empty() => ("extra", extra.first()),
        "" if !broken.is_empty() => ("broken", broken.first()),
        "" if !verdict.is_good() => ("missing", missing.first()),
        "" => return None,
        "outcome" => ("extra", extra.first()),
        "missing" => ("missing", missing.first()),
        // A step that the protocol does not know says nothing about the engine.
        "engine" => ("broken", broken.iter().find(|broken| !broken.starts_with("protocol"))),
        rule => ("broken", broken.iter().find(|broken| extra.is_empty() && broken.starts_with(rule))),
    };
    found.map(|found| format!("{kind:<7}  {found}"))
}

impl Search {
    /// Returns where it looks: on a program as the table names it, in a check, or in all.
    pub fn ground(&self) -> String {
        match (&self.only, &self.checks[..]) {
            (Some(only), _) => only.clone(),
            (None, [check]) => check.to_string(),
            (None, _) => "all".to_owned(),
        }
    }

    /// Plays the programs, the small ones first, until one shows the bug; and looks for the smallest client that does.
    pub fn play(&self) -> Searching {
        let searching = self.on_programs();
        // One search of a bug is enough for the client, and the first one is where the bug is expected to show.
        let is_first = self.only.is_some() && !self.draw;
        let client = is_first.then(|| smallest_client(&self.id, Key::Places)).flatten();
        Searching { client: client.map(|client| told(client.as_ref())), ..searching }
    }

    fn on_programs(&self) -> Searching {
        let (_, play) = PLANTED.iter().find(|(id, _)| *id == self.id).expect("it is planted");
        let start = Instant::now();
        let programs = |&check: &Check| check.programs().into_iter().map(move |program| (check, program));
        let mut programs: Vec<_> = self.checks.iter().flat_map(programs).collect();
        if let Some(only) = &self.only {
            let (named, text) = only.split_once(": ").unwrap_or_default();
            let expected = text.parse::<Scenario>();
            programs.retain(|(check, program)| check.to_string() == named && expected.as_ref() == Ok(program));
        }
        programs.sort_by_cached_key(|(check, program)| {
            // The tiers of the closed world together.
            let check = *check.min(&Check::World(Tier::Pairs));
            (check, program.operations(), program.threads.len(), program.setup.len())
        });
        let mut counts = Vec::new();
        for (check, program) in programs {
            // The last words of a process that ends here.
            eprintln!("playing {program}");
            let verdict = check::check(&program, true, &until(self.enough(&program), || play(&program)));
            if let Some(evidence) = evidence(&verdict, &self.shown_by) {
                let seconds = start.elapsed().as_secs_f64();
                let fault = verdict.faults.first().filter(|_| self.draw);
                let drawn = fault.map(|fault| Counterexample::of_failure(Engine::Sections, *play, &program, fault));
                let drawn = drawn.map(Counterexample::without_token);
                let counterexample = drawn.as_ref().map(ToString::to_string);
                let page = drawn.and_then(|drawn| page(&self.id, &[drawn.drawn(1)]).ok());
                let (by, program) = (check.to_string(), program.to_string());
                let kill = Some(Kill { by, program, evidence, seconds, counterexample, page });
                return Searching { kill, ..Searching::default() };
            }
            if program.threads.len() > 1 && counts.len() < COMPARED {
                counts.push((program, verdict.executions));
            }
        }
        Searching { recount: counts.into_iter().find_map(recount), ..Searching::default() }
    }
}

/// The number of programs, the smallest ones, whose executions are counted without the bug too.
const COMPARED: usize = 1000;

/// Compares the number of a program's executions with those of the unchanged core.
fn recount((program, with_bug): (Scenario, u64)) -> Option<String> {
    let without = (UNCHANGED)(&program).executions;
    (without != with_bug).then(|| {
        format!("nothing but the number of executions changes: `{program}` has {with_bug}, without it {without}")
    })
}

/// Plays on the core without a bug.
const UNCHANGED: Play = engine::on_loop::player_on_loop::play;

/// The number of executions that are played in any case; that is quicker than computing the allowed outcomes.
const SOME: u64 = 500;

impl Search {
    /// Ends early once an outcome is not allowed, if outcomes show the bug: a bug can make a program explode.
    fn enough(&self, program: &Scenario) -> impl FnMut(u64, &Observation) -> bool + use<> {
        let shows = ["outcome", ""].contains(&self.shown_by.as_str());
        let (program, mut allowed) = (program.clone(), BTreeSet::new());
        move |executions, observation| {
            shows && executions > SOME && !allowed.contains(observation) && {
                allowed.extend(known(&program, std::iter::once(observation)));
                !allowed.contains(observation)
            }
        }
    }
}

/// Plays the unchanged core on a program that showed a bug, and returns its failure: then the bug was not shown.
pub fn control(program: &str) -> Option<String> {
    let program: Scenario = program.parse().expect("it was printed");
    let verdict = check::check(&program, true, &UNCHANGED(&program));
    (!verdict.is_good()).then(|| format!("{program} is red without the bug too: {verdict}"))
}
