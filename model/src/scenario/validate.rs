//! Which scenarios make sense: each operation where it stands, and no wait that never ends.

use crate::scenario::names::Nonce;
use crate::scenario::names::Part;
use crate::scenario::names::TASKS;
use crate::scenario::names::Task;

use super::{Op, Programs, Scenario, Scheduler, Whom};

impl Scenario {
    /// Why this is no program that could be run, and which operation is to blame, counted along the text.
    pub(crate) fn objection(&self) -> Option<(usize, String)> {
        let numbers = |op: &Op| op.all().iter().filter(|op| op.takes_number()).count();
        let mut setup = Vec::new();
        let mut adds = self.scheduling.iter().map(numbers).sum();
        for op in &self.setup {
            setup.push(adds);
            adds += numbers(op);
        }
        let mut check = Check { scenario: self, setup, at: 0, adds: 0, completed: [self.done, false, false] };
        let threads = self.threads.iter().enumerate();
        let threads = threads.map(|(number, thread)| (thread, Within::Thread { is_first: number == 0 }));
        let mut parts =
            [(&self.scheduling, Within::Scheduler), (&self.setup, Within::Setup)].into_iter().chain(threads);
        let checked = parts.try_for_each(|(ops, within)| {
            let mut own = Own::default();
            ops.iter().try_for_each(|op| check.op(op, &mut own, within))
        });
        checked.err().or_else(|| self.waits_in_vain())
    }

    /// The first wait that can never end, found by running threads as far as they go.
    fn waits_in_vain(&self) -> Option<(usize, String)> {
        let mut at = vec![0; self.threads.len()];
        let mut raised = Vec::new();
        loop {
            let before = at.clone();
            for (at, thread) in at.iter_mut().zip(&self.threads) {
                while let Some(op) = thread.get(*at) {
                    match op {
                        Op::Wait(flag) if !raised.contains(flag) => break,
                        Op::Signal(flag) => raised.push(*flag),
                        _ => {}
                    }
                    *at += 1;
                }
            }
            if at == before {
                break;
            }
        }
        let stuck = at.iter().zip(&self.threads).position(|(&at, thread)| at < thread.len())?;
        let Op::Wait(flag) = self.threads[stuck][at[stuck]] else { return None };
        let reason = match self.threads.iter().flatten().any(|op| *op == Op::Signal(flag)) {
            true => format!("waits for S{flag}, which never comes: it stands behind a wait that does not end"),
            false => format!("waits for S{flag}, which no thread gives"),
        };
        let before = self.threads[..stuck].iter().flatten().chain(&self.threads[stuck][..at[stuck]]);
        Some((self.scheduling.iter().chain(&self.setup).chain(before).map(|op| op.all().len()).sum(), reason))
    }
}

/// Goes along the line of text, and objects to what makes no sense where it stands.
struct Check<'a> {
    scenario: &'a Scenario,
    /// The callbacks that are added beforehand.
    setup: Vec<Nonce>,
    /// How many operations, and how many of them that take a number, stand before.
    at: usize,
    adds: usize,
    /// Which tasks had their completer used.
    completed: [bool; TASKS.len()],
}

/// On a loop nothing is cloned.
fn can_call_on_a_loop(op: &Op, programs: &Programs) -> bool {
    matches!(op, Op::Add { .. } | Op::Soon) && programs.clone.is_empty()
}

/// What a thread or program has.
#[derive(Default)]
struct Own {
    added: Vec<Nonce>,
    polled: Option<Task>,
    has_await: bool,
    is_without_handle: bool,
    /// It has closed the loop.
    is_closed: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Within {
    Setup,
    /// The scheduler's program.
    Scheduler,
    Thread {
        is_first: bool,
    },
    /// A program, whether it ends here, and whether a drop follows that does something.
    Program {
        part: Part,
        is_last: bool,
        drops: bool,
    },
}

impl Check<'_> {
    fn op(&mut self, whole: &Op, own: &mut Own, within: Within) -> Result<(), (usize, String)> {
        let (task, op, programs) = whole.parts();
        match self.objection(task, op, programs, own, within) {
            Some(reason) => return Err((self.at, reason)),
            None => self.at += 1,
        }
        if whole.takes_number() {
            if let Op::Add { .. } = op {
                own.added.push(self.adds);
            }
            self.adds += 1;
        }
        match op {
            Op::Poll => (own.polled, own.has_await) = (Some(task), true),
            Op::DropAwait => (own.polled, own.has_await) = (None, false),
            Op::DropHandle => own.is_without_handle = true,
            Op::Close => own.is_closed = true,
            Op::Complete | Op::DropCompleter => self.completed[task] = true,
            _ => {}
        }
        let Some(programs) = programs else { return Ok(()) };
        for (part, program) in programs.parts() {
            let (mut own, drops) = (Own::default(), !programs.drop.is_empty());
            for (at, op) in program.iter().enumerate() {
                let within = Within::Program { part, is_last: at + 1 == program.len(), drops };
                self.op(op, &mut own, within)?;
            }
        }
        Ok(())
    }

    /// Why this makes no sense on a loop, or none without one.
    fn objection_on_a_loop(
        &self,
        task: Task,
        op: &Op,
        programs: Option<&Programs>,
        own: &Own,
        within: Within,
    ) -> Option<&'static str> {
        let of_its_thread = matches!(op, Op::Run | Op::RunBriefly | Op::Close);
        let of_a_loop = of_its_thread || matches!(op, Op::Wake | Op::Soon | Op::Spawn);
        let of_others = matches!(op, Op::Signal(_) | Op::Wait(_));
        let of_any = matches!(op, Op::Add { tagged: false } | Op::Remove(Whom::Nth(_) | Whom::Mine))
            || matches!(op, Op::Cancel | Op::Read | Op::DropHandle);
        let is_first = within == Within::Thread { is_first: true };
        match within {
            _ if self.scenario.script().is_none() => of_a_loop.then_some("needs an event loop: put @loop{..} in front"),
            _ if task > 0 => Some("is on another task than x, which a loop has alone"),
            _ if programs.is_some_and(|programs| !can_call_on_a_loop(op, programs)) => {
                Some("has a program that no loop runs: a, A and N have them, for the call and for the drop")
            }
            _ if *op == Op::DropHandle && self.scenario.has_programs() => {
                Some("stands beside a program, which has a handle")
            }
            Within::Program { .. } if *op == Op::Panic => None,
            Within::Setup => (!of_any).then_some("is no setup of a task of a loop; there is a"),
            _ if of_its_thread && !is_first => Some("is for the loop's own thread, the first one"),
            _ if of_others && is_first => Some("is not for the loop's own thread, the first one"),
            _ if of_its_thread && own.is_closed => Some("comes after Z, when the loop is closed"),
            _ => (!of_a_loop && !of_others && !of_any).then_some("is no operation on a task of a loop"),
        }
    }

    fn objection(&self, task: Task, op: &Op, programs: Option<&Programs>, own: &Own, within: Within) -> Option<String> {
        if let Some(reason) = self.objection_on_a_loop(task, op, programs, own, within) {
            return Some(reason.to_owned());
        }
        let scheduler = self.scenario.scheduler;
        let of_layer = matches!(op, Op::Poll | Op::DropAwait | Op::DropCompleter | Op::DropHandle | Op::Panic);
        let in_thread = matches!(op, Op::Poll | Op::DropAwait | Op::DropHandle | Op::Signal(_) | Op::Wait(_));
        let on_task =
            matches!(op, Op::Add { .. } | Op::Complete | Op::Cancel | Op::Read | Op::Poll | Op::DropCompleter);
        let needs_handle =
            !matches!(op, Op::Signal(_) | Op::Wait(_) | Op::Complete | Op::DropCompleter | Op::DropAwait)
                && !matches!(op, Op::Run | Op::RunBriefly | Op::Close);
        let shared = matches!(op, Op::Add { tagged: true } | Op::RemoveAll);
        let reason = match (op, within) {
            _ if (of_layer || task > 0) && scheduler.is_none() => {
                "needs the task layer: put @inline, @queue, @refuse or @panic in front"
            }
            _ if task > 0 && !on_task => "is on no task that could be named",
            _ if own.is_without_handle && needs_handle => "comes after H, when this thread has no handle any more",
            _ if shared && scheduler.is_some() => {
                "needs the kernel alone: registrations of one shared callback look alike"
            }
            (_, Within::Program { .. } | Within::Scheduler) if in_thread => "cannot stand in a program",
            (Op::Panic, Within::Scheduler) => "would be the scheduler's: @panic is one that panics",
            (Op::Panic, Within::Program { part: Part::Clone, .. }) => "would go to whoever polls",
            (Op::Panic, Within::Program { is_last: false, .. }) => "does not end its program",
            (Op::Panic, Within::Program { part: Part::Call, drops: true, .. }) => {
                "would have the drop run while it unwinds, which loom cannot follow"
            }
            (Op::Panic, Within::Setup | Within::Thread { .. }) => {
                "stands outside of a program, where nobody catches it"
            }
            (Op::Remove(Whom::Nth(n)), _) if !self.setup.contains(n) && !own.added.contains(n) => {
                "names a callback that is neither of the setup nor an earlier one of this thread or program"
            }
            (Op::Remove(Whom::Mine), Within::Program { .. } | Within::Scheduler) if own.added.is_empty() => {
                "has no earlier add in this program"
            }
            (Op::Remove(Whom::Mine), _) if own.added.is_empty() => "has no earlier add in this thread",
            (Op::Complete | Op::DropCompleter, _) if scheduler.is_some() && self.completed[task] => {
                "needs the completer, which there is but one of, and it is used up"
            }
            (Op::Poll, _) if own.polled.is_some_and(|polled| polled != task) => {
                "is of another task than the await that this thread has"
            }
            (Op::DropAwait, _) if !own.has_await => "has no await of this thread to drop",
            _ => match programs {
                Some(_) if !matches!(op, Op::Add { .. } | Op::Poll | Op::Soon) => {
                    "adds nothing that could have a program"
                }
                Some(programs) if !programs.clone.is_empty() && *op != Op::Poll => {
                    "is never cloned: only the waker of an await is"
                }
                Some(programs) if !programs.drop.is_empty() && scheduler == Some(Scheduler::Panic) => {
                    "would be dropped while the scheduler's panic unwinds, which loom cannot follow"
                }
                _ => return None,
            },
        };
        Some(reason.to_owned())
    }
}
