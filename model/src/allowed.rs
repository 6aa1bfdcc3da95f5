//! What the specification allows: every order of a scenario's steps, carried out one by one.

use crate::loop_spec;
use crate::observation::{Answer, HandOver, Observation};
use crate::scenario::{Scenario, Step};
use crate::spec::{Nonce, Spec, Value};
use std::collections::{BTreeSet, HashSet};

/// The exact set of observations that the specification allows.
pub fn allowed(scenario: &Scenario) -> BTreeSet<Observation> {
    if let Some(script) = scenario.script() {
        return loop_spec::allowed(scenario, script);
    }
    let steps = scenario.steps();
    let mut start = Machine::new(scenario.threads.len());
    for step in scenario.setup_steps() {
        start.setup(step);
    }
    let mut observations = BTreeSet::new();
    let mut seen = HashSet::new();
    let mut open = vec![start];
    while let Some(machine) = open.pop() {
        for (thread, steps) in steps.iter().enumerate() {
            let step = steps.get(machine.at[thread]);
            let next = step.and_then(|&step| machine.after(thread, step));
            open.extend(next.filter(|next| seen.insert(next.clone())));
        }
        let ended = steps.iter().zip(&machine.at).all(|(steps, &at)| at == steps.len());
        if ended {
            observations.insert(machine.observation(scenario));
        }
    }
    observations
}

/// The specification and where each thread stands.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Machine {
    spec: Spec,
    at: Vec<usize>,
    answers: Vec<Vec<Answer>>,
    awaits: Vec<Option<Nonce>>,
    raised: Vec<u8>,
}

impl Machine {
    fn new(threads: usize) -> Self {
        Machine {
            spec: Spec::new(),
            at: vec![0; threads],
            answers: vec![Vec::new(); threads],
            awaits: vec![None; threads],
            raised: Vec::new(),
        }
    }

    fn setup(&mut self, step: Step) {
        match step {
            Step::Add { nonce, tagged } => self.spec.add(nonce, tagged),
            Step::Complete(value) => drop(self.spec.complete(value)),
            _ => {}
        }
    }

    /// The machine after this step of this thread; none while it has to wait.
    fn after(&self, thread: usize, step: Step) -> Option<Machine> {
        if matches!(step, Step::Wait(flag) if !self.raised.contains(&flag)) {
            return None;
        }
        let mut next = self.clone();
        next.at[thread] += 1;
        let answer = next.carry_out(thread, step);
        next.answers[thread].extend(answer);
        Some(next)
    }

    /// One atomic step.
    fn carry_out(&mut self, thread: usize, step: Step) -> Option<Answer> {
        let spec = &mut self.spec;
        match step {
            Step::Add { nonce, tagged } => {
                spec.add(nonce, tagged);
                None
            }
            Step::Remove(Some(nonce)) => Some(Answer::Did(spec.remove(nonce))),
            Step::Remove(None) => Some(Answer::Did(false)),
            Step::RemoveAll => Some(Answer::Count(spec.remove_all())),
            Step::Complete(value) => Some(Answer::Did(spec.complete(value))),
            Step::Read => Some(Answer::Outcome(spec.outcome())),
            Step::Signal(flag) => {
                self.raised.push(flag);
                None
            }
            Step::Poll(nonce) => {
                // The first poll takes a place, a later one swaps the waker in it.
                match self.awaits[thread] {
                    None if spec.add_waiting(nonce) => self.awaits[thread] = Some(nonce),
                    None => {}
                    Some(place) => drop(spec.replace(place, nonce)),
                }
                Some(Answer::Outcome(spec.outcome()))
            }
            Step::DropAwait => {
                self.awaits[thread].take().map(|place| spec.remove(place));
                None
            }
            Step::DropCompleter => {
                spec.complete(Value::Abandoned);
                None
            }
            Step::Wait(_) | Step::DropHandle => None,
            Step::Wake | Step::Soon(_) | Step::Spawn(_) | Step::Run | Step::RunBriefly | Step::Close => {
                unreachable!("the scenario was checked: {step:?} needs a loop")
            }
        }
    }

    fn observation(self, scenario: &Scenario) -> Observation {
        let wakes = scenario.steps().into_iter().flatten();
        let wakes: HashSet<Nonce> =
            wakes.filter_map(|step| if let Step::Poll(n) = step { Some(n) } else { None }).collect();
        let saw = |nonce| if wakes.contains(&nonce) { None } else { self.spec.outcome() };
        let scheduled = self.spec.scheduled().iter();
        let handed = scheduled.map(|&nonce| HandOver { nonce, saw: saw(nonce) }).collect();
        Observation { answers: self.answers, handed }
    }
}
