//! A scenario's failure as a person reads it: the smallest scenario that fails in the same way, as far as it was shrunk in
//! a few seconds, and of its failing executions the one with the fewest switches, drawn as a diagram.

pub mod diagram;
pub mod page;
pub mod shrink;
mod sources;
pub mod steps;
pub mod token;

use crate::check::check_against;
use crate::check::fault::Fault;
use crate::counterexample::diagram::Diagram;
use crate::counterexample::shrink::shrink;
use crate::counterexample::steps::{Drawn, chrome, heads, steps};
use crate::counterexample::token::{Execution, Token};
use crate::engines::catalog::{Engine, on_shuttle};
use crate::engines::record::recorder::watch;
use crate::engines::sections::explore::plainly;
use crate::engines::shuttle::explore::Schedules;
use crate::engines::{self, Extent, until};
use crate::observation::Observation;
use crate::observation::event::Trace;
use crate::scenario::Scenario;
use crate::spec::allowed::{allowed, is_listed, known};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// One execution of a scenario, with the text around it: a failure, or a witness of an allowed outcome.
pub struct Counterexample {
    headline: String,
    scenario: Scenario,
    /// The line above the diagram.
    above: Option<String>,
    /// The execution, with its replay token if it has one.
    execution: Option<(Trace, Option<Token>)>,
    /// The lines below the diagram.
    below: Vec<String>,
}

/// The number of executions among which the one with the fewest switches is chosen, where no reduction bounds them.
const COMPARED: u64 = 2000;

/// The number of executions without a reduction after which one is looked for with the reduction.
const TRIED: u64 = 200_000;

/// The time after which a scenario is shrunk no further.
const PATIENCE: Duration = Duration::from_secs(10);

/// The length of a list of outcomes that a person still reads.
const MOST_LISTED: usize = 6;

impl Counterexample {
    /// A failure of this scenario on this engine, played by `play`, shown by a smaller scenario that fails in the same
    /// way.
    pub fn of_failure(engine: Engine, play: engines::Play, scenario: &Scenario, fault: &Fault) -> Self {
        let (smallest, allowed) = smallest(engine, play, scenario, fault);
        let search = |engine| {
            let (wanted, watched, known) = (fault.clone(), smallest.clone(), allowed.clone());
            let is_found = Rc::new(Cell::new(false));
            let found = is_found.clone();
            let is_wanted = move |trace: &Trace| {
                let faults = Fault::all(&watched, &known, &trace.broken, &trace.observation);
                faults.contains(&wanted).then(|| found.set(true))
            };
            let start = Instant::now();
            let is_enough = move |executions, _: &_| match engine {
                Engine::SectionsPlain if is_found.get() => executions >= COMPARED,
                Engine::SectionsPlain => executions >= TRIED || start.elapsed() > PATIENCE,
                Engine::Sections => is_found.get(),
                _ => false,
            };
            let play = || if engine == Engine::SectionsPlain { plainly(|| play(&smallest)) } else { play(&smallest) };
            let (observed, mut traces) = watch(|| until(is_enough, play), is_wanted);
            (engine, observed, traces.remove(&()))
        };
        // Of executions with the same effect a reduction keeps one, and seldom the one with the fewest switches.
        let plain = (engine == Engine::Sections).then(|| search(Engine::SectionsPlain));
        let found = plain.filter(|(_, observed, trace)| trace.is_some() || observed.extent == Extent::Complete);
        let (engine, observed, trace) = found.unwrap_or_else(|| search(engine));
        // This exploration may have been cut. The one of the token's replay is not, and numbers its executions alike.
        let is_ours = matches!(engine, Engine::Sections | Engine::SectionsPlain);
        let replayed = if is_ours { Extent::Complete } else { observed.extent };
        let below = match &trace {
            Some(trace) => compare(trace, &allowed),
            None => {
                let (seen, unseen): (Vec<_>, Vec<_>) =
                    allowed.iter().partition(|allowed| observed.observations.contains_key(allowed));
                let all =
                    format!("no single execution shows this: {} executions, {}", observed.executions, observed.extent);
                let broken = observed.broken.keys().map(|rule| format!("broken   {rule}"));
                [all].into_iter().chain(broken).chain(list("missing", unseen)).chain(list("seen", seen)).collect()
            }
        };
        let execution = trace.map(|trace| with_token(trace, &smallest, engine, replayed));
        let above = (smallest != *scenario).then(|| format!("shrunk from {scenario}"));
        Counterexample { headline: format!("FAIL {fault}"), scenario: smallest, above, execution, below }
    }

    /// The execution that a token names.
    ///
    /// # Errors
    ///
    /// If the token names no execution.
    pub fn of_token(token: &Token) -> Result<Self, String> {
        let Token { scenario, engine, extent, execution } = token.clone();
        let (observed, mut traces) = match execution {
            Execution::Nth(number) => {
                watch(|| engine.observe(&scenario), move |trace| (trace.number == number).then_some(()))
            }
            Execution::Scheduled(steps) => watch(|| on_shuttle(Schedules::Given(steps), &scenario), |_| Some(())),
        };
        let exists = |trace: &Trace| !trace.steps.is_empty() || observed.extent == extent;
        let trace = traces.remove(&()).filter(exists).ok_or_else(|| {
            let (all, extent) = (observed.executions, observed.extent);
            format!(
                "this token names no execution: the scenario has {all}, {extent}; run `cargo verify scenario '{scenario}'`"
            )
        })?;
        let allowed = allowed(&scenario);
        let faults: Vec<String> =
            Fault::all(&scenario, &allowed, &trace.broken, &trace.observation).iter().map(Fault::to_string).collect();
        let headline = if faults.is_empty() { "ok".to_owned() } else { format!("FAIL {}", faults.join(", ")) };
        let below = compare(&trace, &allowed);
        let execution = Some(with_token(trace, &scenario, engine, extent));
        Ok(Counterexample { headline, scenario, above: None, execution, below })
    }

    /// One witness for each allowed observation: an execution that shows it.
    pub fn witnesses(scenario: &Scenario) -> Vec<Self> {
        let engine = Engine::LoomMutex;
        let (observed, mut traces) = watch(|| engine.observe(scenario), |trace| trace.observation.clone());
        let allowed = allowed(scenario);
        let mut witness = |(at, observation): (usize, &Observation)| {
            let execution = traces.remove(observation);
            let execution = execution.map(|trace| with_token(trace, scenario, engine, observed.extent));
            let below = if execution.is_none() { vec!["never observed".to_owned()] } else { Vec::new() };
            let headline = format!("{} of {}", at + 1, allowed.len());
            Counterexample {
                headline,
                scenario: scenario.clone(),
                above: Some(observation.to_string()),
                execution,
                below,
            }
        };
        allowed.iter().enumerate().map(&mut witness).collect()
    }

    /// This counterexample without its token, because `cargo verify replay` plays other sources.
    pub fn without_token(self) -> Self {
        Counterexample { execution: self.execution.map(|(trace, _)| (trace, None)), ..self }
    }

    /// This counterexample as data. `process` is its number in Chrome's trace format.
    pub fn drawn(&self, process: usize) -> Drawn {
        let Counterexample { headline, scenario, above, execution, below } = self;
        let trace = execution.as_ref().map(|(trace, _)| trace);
        let steps = trace.map(|trace| steps(scenario, trace)).unwrap_or_default();
        let refused = steps.iter().position(|step| !step.refused_by().is_empty());
        Drawn {
            headline: headline.clone(),
            scenario: scenario.to_string(),
            above: above.clone(),
            below: below.clone(),
            is_failure: headline.starts_with("FAIL") || trace.is_none(),
            switches: trace.map(Trace::switches),
            token: execution.as_ref().and_then(|(_, token)| token.as_ref()).map(Token::to_string),
            threads: heads(scenario),
            refused,
            refused_by: refused.map(|at| steps[at].refused_by()).unwrap_or_default(),
            steps,
            chrome: trace.map(|trace| chrome(scenario, trace, process)).unwrap_or_default(),
        }
    }

    /// False if no execution was found to be shown.
    pub fn has_execution(&self) -> bool {
        self.execution.is_some()
    }
}

/// The smallest scenario that fails with this fault, and the outcomes allowed for it, which are computed once for each
/// scenario that is tried.
fn smallest(
    engine: Engine,
    play: engines::Play,
    scenario: &Scenario,
    fault: &Fault,
) -> (Scenario, BTreeSet<Observation>) {
    let (of_smallest, start) = (RefCell::new(None), Instant::now());
    let smallest = shrink(scenario, |smaller| {
        if start.elapsed() > PATIENCE {
            return false;
        }
        let observed = until(move |_, _| start.elapsed() > PATIENCE, || play(smaller));
        let allowed = known(smaller, observed.observations.keys());
        // What a search that was cut has not seen is not missing.
        let is_complete = engine.is_complete() && observed.extent != Extent::Cut;
        let fails = check_against(&allowed, smaller, is_complete, &observed).faults.contains(fault);
        if fails {
            of_smallest.replace(is_listed(smaller).then_some(allowed));
        }
        fails
    });
    let allowed = of_smallest.take().unwrap_or_else(|| allowed(&smallest));
    (smallest, allowed)
}

fn with_token(trace: Trace, scenario: &Scenario, engine: Engine, extent: Extent) -> (Trace, Option<Token>) {
    let execution = match trace.steps.as_str() {
        "" => Execution::Nth(trace.number),
        steps => Execution::Scheduled(steps.to_owned()),
    };
    let token = Token { scenario: scenario.clone(), engine, extent, execution };
    (trace, Some(token))
}

/// The observation of an execution beside the allowed ones: first those that differ from it only in the hand-overs.
fn compare(trace: &Trace, allowed: &BTreeSet<Observation>) -> Vec<String> {
    let broken: BTreeSet<&String> = trace.broken.iter().collect();
    let broken = broken.into_iter().map(|rule| format!("broken   {rule}"));
    let Some(seen) = &trace.observation else {
        return broken.chain(["the execution did not end".to_owned()]).collect();
    };
    let mut nearest: Vec<_> = allowed.iter().collect();
    nearest.sort_by_key(|allowed| (*allowed != seen, allowed.answers != seen.answers));
    broken.chain(list("seen", vec![seen])).chain(list("allowed", nearest)).collect()
}

fn list(name: &str, observations: Vec<&Observation>) -> Vec<String> {
    let rest = observations.len().saturating_sub(MOST_LISTED);
    let listed = observations.iter().take(MOST_LISTED).map(|observation| format!("{name:<7}  {observation}"));
    listed.chain((rest > 0).then(|| format!("{name:<7}  .. and {rest} more"))).collect()
}

/// The headline, with the scenario and the replay token; then the diagram.
impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counterexample { headline, scenario, above, execution, below } = self;
        write!(f, "{headline}   {scenario}")?;
        if let Some((trace, token)) = execution {
            let switches = trace.switches();
            let plural = if switches == 1 { "" } else { "es" };
            write!(f, "   {switches} switch{plural}")?;
            token.iter().try_for_each(|token| write!(f, "   replay: {token}"))?;
        }
        if let Some(above) = above {
            write!(f, "\n{above}")?;
        }
        if let Some((trace, _)) = execution {
            write!(f, "\n{}", Diagram { scenario, trace })?;
        } else {
            writeln!(f)?;
        }
        f.write_str(&below.join("\n"))
    }
}
