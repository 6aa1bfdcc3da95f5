//! A scenario with its names resolved: the steps that specification and engines carry out.

use super::{Op, Programs, Scenario, Whom};
use crate::scenario::names::{Nonce, POLL, Part, SCHEDULER, Task, Value};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

/// A scenario whose callbacks, values and tasks have their numbers.
#[derive(Clone, Debug, Default)]
pub struct Resolved {
    /// Number of tasks.
    pub tasks: usize,
    /// Steps carried out before the threads begin.
    pub setup: Vec<TaskStep>,
    pub threads: Vec<Vec<TaskStep>>,
    /// Every callback and waker that is added or polled, by its nonce.
    pub registrations: Vec<Registration>,
    /// The scheduler's program, or that of the first poll of a loop's task.
    pub scheduling: Vec<TaskStep>,
    /// The program of the drop of that task's future.
    pub dropping: Vec<TaskStep>,
    /// Number of completions with a value of their own.
    pub values: usize,
}

/// A scenario's `Resolved`, computed on first use. All resolutions compare equal, since the scenario decides alone; a
/// clone begins without one, since clones are there to be changed.
#[derive(Default)]
pub(crate) struct Resolution(OnceLock<Arc<Resolved>>);

/// A step, and the task on which it is taken.
pub type TaskStep = (Task, Step);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    Add { nonce: Nonce, tagged: bool },
    Remove(Option<Nonce>),
    RemoveAll,
    Complete(Value),
    Read,
    Print,
    Signal(u8),
    Wait(u8),
    Poll(Nonce),
    PollAgain(Nonce),
    DropAwait,
    DropCompleter,
    DropHandle,
    Panic,
    Wake,
    Soon(Nonce),
    Spawn(Nonce),
    Nap { nonce: Nonce, length: u8 },
    DropNap(u8),
    AwaitNap(u8),
    Run,
    RunBriefly,
    Close,
}

impl Step {
    /// Whether the loop carries it out with tasks of its own, which the scenario does not name.
    pub fn is_of_a_loop(self) -> bool {
        matches!(self, Step::Spawn(_) | Step::Run | Step::RunBriefly | Step::Close)
    }
}

/// A callback or a waker, with its programs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Registration {
    pub task: Task,
    pub is_waker: bool,
    /// Whether it is the future of a spawned task.
    pub is_future: bool,
    /// True if a later poll has the same waker.
    pub is_polled_again: bool,
    clone: Vec<TaskStep>,
    call: Vec<TaskStep>,
    drop: Vec<TaskStep>,
}

impl Registration {
    pub fn program(&self, part: Part) -> &[TaskStep] {
        match part {
            Part::Clone => &self.clone,
            Part::Call => &self.call,
            Part::Drop => &self.drop,
        }
    }
}

impl Scenario {
    /// The scenario with its names resolved. The result is kept: operations must not be changed afterwards, except in a clone.
    pub fn resolved(&self) -> &Arc<Resolved> {
        self.resolution.0.get_or_init(|| Arc::new(Resolved::new(self)))
    }

    /// Steps of the setup, without their task: for scenarios of one task.
    pub fn setup_steps(&self) -> Vec<Step> {
        self.resolved().setup.iter().map(|(_, step)| *step).collect()
    }

    /// Steps of each thread, without their task: for scenarios of one task.
    pub fn steps(&self) -> Vec<Vec<Step>> {
        let threads = self.resolved().threads.iter();
        threads.map(|thread| thread.iter().map(|(_, step)| *step).collect()).collect()
    }
}

impl Resolved {
    /// The program of a callback, a waker, the loop's task or the scheduler on this occasion; empty for a name that the scenario lacks.
    pub fn program(&self, nonce: Nonce, part: Part) -> &[TaskStep] {
        match self.registrations.get(nonce) {
            _ if nonce == SCHEDULER => &self.scheduling,
            _ if nonce == POLL => match part {
                Part::Clone => &[],
                Part::Call => &self.scheduling,
                Part::Drop => &self.dropping,
            },
            registration => registration.map_or(&[], |registration| registration.program(part)),
        }
    }

    fn new(scenario: &Scenario) -> Self {
        let (mut resolved, mut values) = (Resolved::default(), 0);
        resolved.scheduling = resolved.resolve(&scenario.scheduling, &mut values);
        resolved.dropping = resolved.resolve(&scenario.dropping, &mut values);
        resolved.setup = resolved.resolve(&scenario.setup, &mut values);
        if scenario.done {
            resolved.setup.push((0, Step::Complete(Value::Finished(values))));
            values += 1;
        }
        resolved.threads = scenario.threads.iter().map(|thread| resolved.resolve(thread, &mut values)).collect();
        resolved.values = values;
        resolved.tasks = 1 + scenario.all().map(|op| op.parts().0).max().unwrap_or(0);
        resolved
    }

    /// Numbers callbacks and values along the line of text.
    fn resolve(&mut self, ops: &[Op], values: &mut usize) -> Vec<TaskStep> {
        let (mut last, mut waker) = (None, None);
        let mut steps = Vec::new();
        for op in ops {
            let (task, op, programs) = op.parts();
            let nonce = op.takes_number().then(|| self.register(task, op, programs, values));
            match op {
                Op::Add { .. } => last = nonce,
                Op::Poll => waker = nonce,
                _ => {}
            }
            let step = match (op, nonce) {
                (Op::Remove(Whom::Mine), _) => Step::Remove(last),
                (Op::PollAgain(whom), _) => self.poll_again(*whom, waker),
                (Op::Complete, _) => {
                    *values += 1;
                    Step::Complete(Value::Finished(*values - 1))
                }
                (op, Some(nonce)) => Step::of_registration(op, nonce),
                (op, None) => Step::of_operation(op),
            };
            steps.push((task, step));
        }
        steps
    }

    fn poll_again(&mut self, whom: Whom, latest: Option<Nonce>) -> Step {
        let named = if let Whom::Nth(nonce) = whom { Some(nonce) } else { latest };
        let nonce = named.filter(|nonce| *nonce < self.registrations.len()).expect("the scenario is valid");
        self.registrations[nonce].is_polled_again = true;
        Step::PollAgain(nonce)
    }

    fn register(&mut self, task: Task, op: &Op, programs: Option<&Programs>, values: &mut usize) -> Nonce {
        let nonce = self.registrations.len();
        let (is_waker, is_future) = (matches!(op, Op::Poll | Op::Nap(_)), *op == Op::Spawn);
        self.registrations.push(Registration { task, is_waker, is_future, ..Registration::default() });
        if let Some(programs) = programs {
            let [clone, call, drop] = programs.parts().map(|(_, program)| self.resolve(program, values));
            self.registrations[nonce] = Registration { clone, call, drop, ..self.registrations[nonce].clone() };
        }
        nonce
    }
}

impl Step {
    fn of_registration(op: &Op, nonce: Nonce) -> Self {
        match *op {
            Op::Add { tagged } => Step::Add { nonce, tagged },
            Op::Poll => Step::Poll(nonce),
            Op::Soon => Step::Soon(nonce),
            Op::Spawn => Step::Spawn(nonce),
            Op::Nap(length) => Step::Nap { nonce, length },
            ref op => unreachable!("{op} registers nothing"),
        }
    }

    fn of_operation(op: &Op) -> Self {
        match *op {
            Op::Remove(Whom::Nth(nonce)) => Step::Remove(Some(nonce)),
            Op::Remove(Whom::Foreign) => Step::Remove(None),
            Op::RemoveAll => Step::RemoveAll,
            Op::Cancel => Step::Complete(Value::Cancelled),
            Op::Read => Step::Read,
            Op::Print => Step::Print,
            Op::Signal(flag) => Step::Signal(flag),
            Op::Wait(flag) => Step::Wait(flag),
            Op::DropAwait => Step::DropAwait,
            Op::DropCompleter => Step::DropCompleter,
            Op::DropHandle => Step::DropHandle,
            Op::Panic => Step::Panic,
            Op::Wake => Step::Wake,
            Op::DropNap(length) => Step::DropNap(length),
            Op::AwaitNap(length) => Step::AwaitNap(length),
            Op::Run => Step::Run,
            Op::RunBriefly => Step::RunBriefly,
            Op::Close => Step::Close,
            ref op => unreachable!("{op} is resolved elsewhere"),
        }
    }
}

impl Clone for Resolution {
    fn clone(&self) -> Self {
        Resolution::default()
    }
}

impl PartialEq for Resolution {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for Resolution {}

impl Hash for Resolution {
    fn hash<H: Hasher>(&self, _state: &mut H) {}
}

impl fmt::Debug for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_resolved_once_and_a_changed_clone_anew() {
        let scenario: Scenario = "a ; C | R0".parse().expect("well formed");
        assert!(Arc::ptr_eq(scenario.resolved(), scenario.resolved()));
        let mut changed = scenario.clone();
        changed.threads[0].push(Op::Read);
        assert_eq!(changed.steps()[0], [Step::Complete(Value::Finished(0)), Step::Read]);
        let done = Scenario { done: true, ..scenario.clone() };
        assert_eq!((done.setup_steps().len(), scenario.setup_steps().len()), (2, 1));
        assert_eq!(scenario, scenario.clone());
    }
}
