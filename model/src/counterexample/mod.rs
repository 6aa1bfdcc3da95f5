//! What is shown to a person: one execution of a scenario, the one with the fewest switches of its kind.

pub mod diagram;
pub mod shrink;
pub mod token;

use crate::check::fault::Fault;
use crate::check::judge;
use crate::counterexample::diagram::Table;
use crate::counterexample::shrink::shrink;
use crate::counterexample::token::{Execution, Token};
use crate::engines::catalog::{Engine, on_shuttle};
use crate::engines::record::recorder::watch;
use crate::engines::shuttle::explore::Schedules;
use crate::engines::{self, Extent};
use crate::observation::Observation;
use crate::observation::event::Trace;
use crate::scenario::Scenario;
use crate::spec::allowed::allowed;
use std::collections::BTreeSet;
use std::fmt;

pub struct Counterexample {
    headline: String,
    scenario: Scenario,
    /// What is to be read above.
    above: Option<String>,
    /// With the token that brings it back, unless nothing does.
    execution: Option<(Trace, Option<Token>)>,
    /// What is to be read below.
    below: Vec<String>,
}

/// No more are listed than can be read.
const MOST_LISTED: usize = 6;

impl Counterexample {
    /// How a scenario fails on this engine, played by `play`: shown by the smallest one that fails in the
    /// same way.
    pub fn of_failure(engine: Engine, play: engines::Play, scenario: &Scenario, fault: &Fault) -> Self {
        let faults = |scenario: &Scenario| judge(scenario, engine.is_complete(), &play(scenario)).faults;
        let smallest = shrink(scenario, |smaller| faults(smaller).contains(fault));
        let allowed = allowed(&smallest);
        let (wanted, watched, known) = (fault.clone(), smallest.clone(), allowed.clone());
        let is_wanted =
            move |trace: &Trace| Fault::all(&watched, &known, &trace.broken, &trace.observation).contains(&wanted);
        let (observed, mut traces) = watch(|| play(&smallest), move |trace| is_wanted(trace).then_some(()));
        let trace = traces.remove(&());
        let below = match &trace {
            Some(trace) => compare(trace, &allowed),
            None => {
                let (seen, unseen): (Vec<_>, Vec<_>) =
                    allowed.iter().partition(|allowed| observed.observations.contains_key(allowed));
                let all = format!("no execution shows this: there were {}, {}", observed.executions, observed.extent);
                let broken = observed.broken.keys().map(|rule| format!("broken   {rule}"));
                [all].into_iter().chain(broken).chain(list("missing", unseen)).chain(list("seen", seen)).collect()
            }
        };
        let execution = trace.map(|trace| with_token(trace, &smallest, engine, observed.extent));
        let above = (smallest != *scenario).then(|| format!("shrunk from {scenario}"));
        Counterexample { headline: format!("FAIL {fault}"), scenario: smallest, above, execution, below }
    }

    /// The execution that a token names.
    ///
    /// # Errors
    ///
    /// If there is no such execution any more.
    pub fn of_token(token: &Token) -> Result<Self, String> {
        let Token { scenario, engine, extent, execution } = token.clone();
        let (observed, mut traces) = match execution {
            Execution::Nth(number) => {
                watch(|| engine.observe(&scenario), move |trace| (trace.number == number).then_some(()))
            }
            Execution::Scheduled(steps) => watch(|| on_shuttle(Schedules::Given(steps), &scenario), |_| Some(())),
        };
        let is_there = |trace: &Trace| !trace.steps.is_empty() || observed.extent == extent;
        let trace = traces.remove(&()).filter(is_there).ok_or_else(|| {
            let (all, extent) = (observed.executions, observed.extent);
            format!(
                "this token names no execution: there are {all}, {extent}; run `cargo verify scenario '{scenario}'`"
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

    /// For each allowed observation an execution that shows it.
    pub fn of_allowed(scenario: &Scenario) -> Vec<Self> {
        let engine = Engine::LoomMutex;
        let (observed, mut traces) = watch(|| engine.observe(scenario), |trace| trace.observation.clone());
        let allowed = allowed(scenario);
        let mut exhibit = |(at, allowed_one): (usize, &Observation)| {
            let execution = traces.remove(allowed_one);
            let execution = execution.map(|trace| with_token(trace, scenario, engine, observed.extent));
            let below = if execution.is_none() { vec!["never seen".to_owned()] } else { Vec::new() };
            let headline = format!("{} of {}", at + 1, allowed.len());
            Counterexample {
                headline,
                scenario: scenario.clone(),
                above: Some(allowed_one.to_string()),
                execution,
                below,
            }
        };
        allowed.iter().enumerate().map(&mut exhibit).collect()
    }

    /// What was played is not what `cargo verify replay` plays.
    pub fn without_token(self) -> Self {
        Counterexample { execution: self.execution.map(|(trace, _)| (trace, None)), ..self }
    }

    /// False if there was nothing to show.
    pub fn has_execution(&self) -> bool {
        self.execution.is_some()
    }
}

fn with_token(trace: Trace, scenario: &Scenario, engine: Engine, extent: Extent) -> (Trace, Option<Token>) {
    let execution = match trace.steps.as_str() {
        "" => Execution::Nth(trace.number),
        steps => Execution::Scheduled(steps.to_owned()),
    };
    let token = Token { scenario: scenario.clone(), engine, extent, execution };
    (trace, Some(token))
}

/// What an execution showed, beside what it may show: first what differs in the hand-overs alone.
fn compare(trace: &Trace, allowed: &BTreeSet<Observation>) -> Vec<String> {
    let broken: BTreeSet<&String> = trace.broken.iter().collect();
    let broken = broken.into_iter().map(|rule| format!("broken   {rule}"));
    let Some(seen) = &trace.observation else {
        return broken.chain(["it did not come to its end".to_owned()]).collect();
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

/// The headline, with the scenario and how to bring it back; then the table.
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
            write!(f, "\n{}", Table { scenario, trace })?;
        } else {
            writeln!(f)?;
        }
        f.write_str(&below.join("\n"))
    }
}
