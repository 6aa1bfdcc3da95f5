//! A scenario with its names resolved: the steps that specification and engines carry out.

use super::{Op, Programs, Scenario, Whom};
use crate::scenario::names::Part;
use crate::scenario::names::Task;
use crate::scenario::names::{Nonce, SCHEDULER, Value};

/// A scenario with its names resolved: what specification and engines carry out.
#[derive(Clone, Debug, Default)]
pub struct Resolved {
    /// How many tasks there are.
    pub tasks: usize,
    /// What one agent carries out beforehand.
    pub setup: Vec<TaskStep>,
    pub threads: Vec<Vec<TaskStep>>,
    /// Everything that is added or polled, by its nonce.
    pub bodies: Vec<Body>,
    /// What the scheduler does.
    pub scheduling: Vec<TaskStep>,
}

/// A step, and the task that it is taken on.
pub type TaskStep = (Task, Step);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    Add { nonce: Nonce, tagged: bool },
    Remove(Option<Nonce>),
    RemoveAll,
    Complete(Value),
    Read,
    Signal(u8),
    Wait(u8),
    Poll(Nonce),
    DropAwait,
    DropCompleter,
    DropHandle,
    Panic,
    Wake,
    Soon(Nonce),
    Spawn(Nonce),
    Run,
    RunBriefly,
    Close,
}

impl Step {
    /// Made by the loop itself, whose tasks are more than the scenario's.
    pub fn is_of_a_loop(self) -> bool {
        matches!(self, Step::Spawn(_) | Step::Run | Step::RunBriefly | Step::Close)
    }
}

/// A callback, or a waker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Body {
    pub task: Task,
    pub is_waker: bool,
    clone: Vec<TaskStep>,
    call: Vec<TaskStep>,
    drop: Vec<TaskStep>,
}

impl Body {
    pub fn program(&self, part: Part) -> &[TaskStep] {
        match part {
            Part::Clone => &self.clone,
            Part::Call => &self.call,
            Part::Drop => &self.drop,
        }
    }
}

impl Resolved {
    /// What a callback or waker does, or the scheduler; what the scenario does not name does nothing.
    pub fn program(&self, nonce: Nonce, part: Part) -> &[TaskStep] {
        match self.bodies.get(nonce) {
            _ if nonce == SCHEDULER => &self.scheduling,
            body => body.map_or(&[], |body| body.program(part)),
        }
    }

    /// Gives out the names along the line of text.
    fn resolve(&mut self, ops: &[Op], values: &mut usize) -> Vec<TaskStep> {
        let mut last = None;
        let mut moves = Vec::new();
        for op in ops {
            let (task, op, programs) = op.parts();
            let step = match *op {
                Op::Add { tagged } => {
                    let nonce = self.name(task, false, programs, values);
                    last = Some(nonce);
                    Step::Add { nonce, tagged }
                }
                Op::Poll => Step::Poll(self.name(task, true, programs, values)),
                Op::Remove(Whom::Nth(nonce)) => Step::Remove(Some(nonce)),
                Op::Remove(Whom::Mine) => Step::Remove(last),
                Op::Remove(Whom::Foreign) => Step::Remove(None),
                Op::RemoveAll => Step::RemoveAll,
                Op::Complete => {
                    *values += 1;
                    Step::Complete(Value::Finished(*values - 1))
                }
                Op::Cancel => Step::Complete(Value::Cancelled),
                Op::Read => Step::Read,
                Op::Signal(flag) => Step::Signal(flag),
                Op::Wait(flag) => Step::Wait(flag),
                Op::DropAwait => Step::DropAwait,
                Op::DropCompleter => Step::DropCompleter,
                Op::DropHandle => Step::DropHandle,
                Op::Panic => Step::Panic,
                Op::Wake => Step::Wake,
                Op::Soon => Step::Soon(self.name(task, false, programs, values)),
                Op::Spawn => Step::Spawn(self.name(task, false, None, values)),
                Op::Run => Step::Run,
                Op::RunBriefly => Step::RunBriefly,
                Op::Close => Step::Close,
                Op::On(..) | Op::With(..) => unreachable!("it was taken apart"),
            };
            moves.push((task, step));
        }
        moves
    }

    fn name(&mut self, task: Task, is_waker: bool, programs: Option<&Programs>, values: &mut usize) -> Nonce {
        let nonce = self.bodies.len();
        self.bodies.push(Body { task, is_waker, ..Body::default() });
        if let Some(programs) = programs {
            let [clone, call, drop] = programs.parts().map(|(_, program)| self.resolve(program, values));
            self.bodies[nonce] = Body { task, is_waker, clone, call, drop };
        }
        nonce
    }
}

impl Scenario {
    pub fn plan(&self) -> Resolved {
        let mut plan = Resolved::default();
        let mut values = 0;
        plan.scheduling = plan.resolve(&self.scheduling, &mut values);
        plan.setup = plan.resolve(&self.setup, &mut values);
        if self.done {
            plan.setup.push((0, Step::Complete(Value::Finished(values))));
            values += 1;
        }
        plan.threads = self.threads.iter().map(|thread| plan.resolve(thread, &mut values)).collect();
        plan.tasks = 1 + self.all().map(|op| op.parts().0).max().unwrap_or(0);
        plan
    }

    /// Steps of the setup, if there is but one task.
    pub fn setup_steps(&self) -> Vec<Step> {
        self.plan().setup.into_iter().map(|(_, step)| step).collect()
    }

    /// Steps of each thread, if there is but one task.
    pub fn steps(&self) -> Vec<Vec<Step>> {
        let threads = self.plan().threads.into_iter();
        threads.map(|thread| thread.into_iter().map(|(_, step)| step).collect()).collect()
    }
}
