//! The rules for a valid scenario: each operation makes sense in its place, and every wait can end.

use super::{Op, Programs, Scenario, Scheduler, Whom};
use crate::scenario::names::{Nonce, Part, TASKS, Task};

impl Scenario {
    /// The first operation that makes the scenario invalid, counted along the line of text, and the reason.
    pub(crate) fn objection(&self) -> Option<(usize, String)> {
        let numbers = |op: &Op| op.all().iter().filter(|op| op.takes_number()).count();
        let mut setup = Vec::new();
        let mut adds = self.scheduling.iter().chain(&self.dropping).map(numbers).sum();
        for op in &self.setup {
            setup.push(adds);
            adds += numbers(op);
        }
        let mut check = Check { scenario: self, setup, at: 0, adds: 0, completed: [self.done, false, false] };
        let threads = self.threads.iter().enumerate();
        let threads = threads.map(|(number, thread)| (thread, Within::Thread { is_first: number == 0 }));
        let dropped = Within::Program { part: Part::Drop, is_last: false, drops: false };
        let before = [(&self.scheduling, Within::Scheduler), (&self.dropping, dropped), (&self.setup, Within::Setup)];
        let checked = before.into_iter().chain(threads).try_for_each(|(ops, within)| {
            let mut own = Own::default();
            let mut placed = ops.iter().enumerate();
            placed.try_for_each(|(at, op)| check.op(op, &mut own, within.at(at + 1 == ops.len())))
        });
        checked.err().or_else(|| self.waits_in_vain())
    }

    /// The first wait that can never end, found by advancing all threads as far as possible.
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
            true => format!("waits for S{flag}, which is never reached: it follows a wait that cannot end"),
            false => format!("waits for S{flag}, and no thread signals it"),
        };
        let before = self.threads[..stuck].iter().flatten().chain(&self.threads[stuck][..at[stuck]]);
        let before = self.scheduling.iter().chain(&self.dropping).chain(&self.setup).chain(before);
        Some((before.map(|op| op.all().len()).sum(), reason))
    }
}

/// Progress of the validation along the line of text.
struct Check<'a> {
    scenario: &'a Scenario,
    /// The callbacks of the setup.
    setup: Vec<Nonce>,
    /// Number of operations before this one.
    at: usize,
    /// Number of registrations before this one.
    adds: usize,
    /// Whether the completer of each task has been used.
    completed: [bool; TASKS.len()],
}

/// The possessions of one thread or program.
#[derive(Default)]
struct Own {
    added: Vec<Nonce>,
    polled: Option<Task>,
    has_await: bool,
    /// The wakers with which its await was polled, and whether each may be polled with again.
    wakers: Vec<(Nonce, bool)>,
    is_without_handle: bool,
    unwinds: bool,
    is_closed: bool,
    /// The length of each nap.
    naps: Vec<u8>,
}

/// The place of an operation.
#[derive(Clone, Copy, PartialEq)]
enum Within {
    Setup,
    /// The scheduler's program, or that of the first poll of a loop's task.
    Scheduler,
    Thread {
        is_first: bool,
    },
    /// A program; whether this is its last operation, and whether the same callback has a program for its drop.
    Program {
        part: Part,
        is_last: bool,
        drops: bool,
    },
}

impl Within {
    /// This place, for the last operation of a program or another one.
    fn at(self, is_last: bool) -> Self {
        match self {
            Within::Program { part, drops, .. } => Within::Program { part, is_last, drops },
            place => place,
        }
    }
}

impl Check<'_> {
    fn op(&mut self, whole: &Op, own: &mut Own, within: Within) -> Result<(), (usize, String)> {
        let (task, op, programs) = whole.parts();
        match self.objection(task, op, programs, own, within) {
            Some(reason) => return Err((self.at, reason)),
            None => self.at += 1,
        }
        if whole.takes_number() {
            match op {
                Op::Add { .. } => own.added.push(self.adds),
                Op::Poll => own.wakers.push((self.adds, programs.is_none_or(|programs| !programs.tell_clones_apart()))),
                _ => {}
            }
            self.adds += 1;
        }
        match op {
            Op::Poll => (own.polled, own.has_await) = (Some(task), true),
            Op::DropAwait => (own.polled, own.has_await, own.wakers) = (None, false, Vec::new()),
            Op::DropHandle => own.is_without_handle = true,
            Op::Panic => own.unwinds = true,
            Op::Close => own.is_closed = true,
            Op::Complete | Op::DropCompleter => self.completed[task] = true,
            Op::Nap(length) => own.naps.push(*length),
            Op::DropNap(length) => own.naps.retain(|other| other != length),
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

    /// The reason why an operation makes no sense in its place.
    fn objection(&self, task: Task, op: &Op, programs: Option<&Programs>, own: &Own, within: Within) -> Option<String> {
        let reason = match self.scenario.script() {
            None if is_for_a_loop(op) => Some("needs an event loop: put @loop{..} in front"),
            None => None,
            Some(_) => self.objection_on_a_loop(task, op, programs, own, within),
        };
        reason
            .or_else(|| self.objection_to_layer(task, op, own))
            .or_else(|| objection_to_place(op, within))
            .or_else(|| self.objection_to_name(task, op, own, within))
            .or_else(|| self.objection_to_programs(op, programs?))
            .map(str::to_owned)
    }

    /// The part of the rules that concerns event loops.
    fn objection_on_a_loop(
        &self,
        task: Task,
        op: &Op,
        programs: Option<&Programs>,
        own: &Own,
        within: Within,
    ) -> Option<&'static str> {
        let is_of_others = matches!(op, Op::Signal(_) | Op::Wait(_)) || op.is_of_a_nap();
        let is_of_any = matches!(op, Op::Add { tagged: false } | Op::Remove(Whom::Nth(_) | Whom::Mine))
            || matches!(op, Op::Cancel | Op::Read | Op::DropHandle);
        let is_first = within == Within::Thread { is_first: true };
        match within {
            _ if task > 0 => Some("is on another task than x: a loop has only x"),
            _ if programs.is_some_and(|programs| !can_call_on_a_loop(op, programs)) => Some(
                "has a program that a loop cannot run: only a, A, N and F have them, for the call and for the drop, and I",
            ),
            _ if *op == Op::DropHandle && self.scenario.has_programs() => {
                Some("is not allowed beside programs, which keep a handle")
            }
            Within::Scheduler if *op == Op::Panic => Some("is written among the polls if a poll panics: `@loop{!}`"),
            Within::Program { .. } if *op == Op::Panic => None,
            Within::Setup => (!is_of_any).then_some("is not allowed before `;` on a loop; only a is"),
            _ if is_for_its_thread(op) && !is_first => Some("is only allowed in the loop's own thread, the first one"),
            _ if matches!(op, Op::Wait(_)) && self.scenario.has_naps() => {
                Some("is not allowed beside naps: time does not pass while a thread waits for a signal")
            }
            _ if is_of_others && is_first => Some("is not allowed in the loop's own thread, the first one"),
            _ if is_for_its_thread(op) && own.is_closed => Some("comes after Z, when the loop is closed"),
            _ => (!is_for_a_loop(op) && !is_of_others && !is_of_any).then_some("is not supported on an event loop"),
        }
    }

    /// The part that concerns kernel, task layer and handles.
    fn objection_to_layer(&self, task: Task, op: &Op, own: &Own) -> Option<&'static str> {
        let scheduler = self.scenario.scheduler;
        let is_of_layer =
            matches!(op, Op::Poll | Op::PollAgain(_) | Op::DropAwait | Op::DropCompleter | Op::DropHandle | Op::Panic);
        let can_name_a_task =
            matches!(op, Op::Add { .. } | Op::Complete | Op::Cancel | Op::Read | Op::Poll | Op::DropCompleter)
                || matches!(op, Op::PollAgain(_) | Op::Print);
        let needs_handle =
            !matches!(op, Op::Signal(_) | Op::Wait(_) | Op::Complete | Op::DropCompleter | Op::DropAwait | Op::Panic)
                && !is_for_its_thread(op)
                && !matches!(op, Op::DropNap(_) | Op::AwaitNap(_));
        let is_shared = matches!(op, Op::Add { tagged: true } | Op::RemoveAll);
        if (is_of_layer || task > 0) && scheduler.is_none() {
            Some("needs the task layer: put @inline, @queue, @refuse or @panic in front")
        } else if task > 0 && !can_name_a_task {
            Some("names a task, which this operation cannot")
        } else if own.is_without_handle && needs_handle {
            Some("comes after H: this thread has no handle left")
        } else if is_shared && scheduler.is_some() {
            Some("needs the kernel alone: elsewhere registrations of a shared callback cannot be told apart")
        } else {
            None
        }
    }

    /// The part that concerns callbacks, completers and awaits which the operation refers to.
    fn objection_to_name(&self, task: Task, op: &Op, own: &Own, within: Within) -> Option<&'static str> {
        match op {
            Op::Remove(Whom::Nth(n)) if !self.setup.contains(n) && !own.added.contains(n) => {
                Some("names a callback that is neither of the setup nor added earlier in this thread or program")
            }
            Op::Remove(Whom::Mine) if own.added.is_empty() => Some(match within {
                Within::Program { .. } | Within::Scheduler => "has no earlier add in this program",
                Within::Setup | Within::Thread { .. } => "has no earlier add in this thread",
            }),
            Op::Complete | Op::DropCompleter if self.scenario.scheduler.is_some() && self.completed[task] => {
                Some("needs the completer: there is only one, and it is already used")
            }
            Op::PollAgain(_) if !own.has_await => Some("has no await of this thread to poll again"),
            Op::Poll | Op::PollAgain(_) if own.polled.is_some_and(|polled| polled != task) => {
                Some("polls another task than this thread's await")
            }
            Op::PollAgain(whom) => objection_to_waker(*whom, own),
            Op::Panic if own.unwinds => Some("comes while this thread unwinds already"),
            Op::DropAwait if !own.has_await => Some("has no await of this thread to drop"),
            op if op.is_of_a_nap() => self.objection_to_nap(op, own),
            _ => None,
        }
    }

    /// The part that concerns naps: a thread drops and awaits its own, and every wait for one can end.
    fn objection_to_nap(&self, op: &Op, own: &Own) -> Option<&'static str> {
        let (Op::DropNap(length) | Op::AwaitNap(length)) = op else { return None };
        let is_served = self.scenario.threads[0].iter().any(|op| matches!(op, Op::Run | Op::Close));
        match op {
            _ if !own.naps.contains(length) => Some("names a nap that this thread has not begun, or has dropped"),
            Op::AwaitNap(_) if !is_served => Some("waits in vain: the loop's thread has neither L nor Z"),
            _ => None,
        }
    }

    /// The part that concerns the programs of its callback or waker.
    fn objection_to_programs(&self, op: &Op, programs: &Programs) -> Option<&'static str> {
        if !matches!(op, Op::Add { .. } | Op::Poll | Op::Soon | Op::Spawn | Op::Nap(_)) {
            Some("cannot have a program: it adds no callback")
        } else if !programs.clone.is_empty() && !matches!(op, Op::Poll | Op::Nap(_)) {
            Some("is never cloned: only the waker of an await or a nap is")
        } else if matches!(op, Op::Nap(_)) && programs.drop.last() == Some(&Op::Panic) {
            Some("has a waker whose drop would panic in the poll, which is not supported")
        } else if !programs.drop.is_empty() && self.scenario.scheduler == Some(Scheduler::Panic) {
            Some("would run its drop's program while the scheduler's panic unwinds, which loom does not support")
        } else {
            None
        }
    }
}

/// The part that concerns the waker of another poll with it.
fn objection_to_waker(whom: Whom, own: &Own) -> Option<&'static str> {
    let named = match whom {
        Whom::Nth(n) => own.wakers.iter().find(|(nonce, _)| *nonce == n),
        _ => own.wakers.last(),
    };
    match named {
        None => Some("names no waker with which this await was polled"),
        Some((_, false)) => Some("names a waker that has a program for its clone or drop: its clones are not the same"),
        Some((_, true)) => None,
    }
}

/// The part of the rules that concerns threads and programs.
fn objection_to_place(op: &Op, within: Within) -> Option<&'static str> {
    let is_of_a_thread = matches!(op, Op::Poll | Op::PollAgain(_) | Op::DropAwait | Op::DropHandle)
        || matches!(op, Op::Signal(_) | Op::Wait(_))
        || op.is_of_a_nap();
    match (op, within) {
        (_, Within::Program { .. } | Within::Scheduler) if is_of_a_thread => Some("is not allowed in a program"),
        (Op::Panic, Within::Scheduler) => Some("is not allowed in a scheduler's program: @panic is one that panics"),
        (Op::Panic, Within::Program { is_last: false, .. }) => Some("must be the last operation of its program"),
        (Op::Panic, Within::Program { part: Part::Call, drops: true, .. }) => {
            Some("would run the drop's program while it unwinds, which loom does not support")
        }
        _ => None,
    }
}

/// Whether it needs an event loop.
fn is_for_a_loop(op: &Op) -> bool {
    is_for_its_thread(op) || op.is_of_a_nap() || matches!(op, Op::Wake | Op::Soon | Op::Spawn)
}

/// Whether it belongs to the thread that owns the loop.
fn is_for_its_thread(op: &Op) -> bool {
    matches!(op, Op::Run | Op::RunBriefly | Op::Close)
}

/// Whether a loop can run these programs. Of its own wakers it clones only those of naps.
fn can_call_on_a_loop(op: &Op, programs: &Programs) -> bool {
    match op {
        Op::Add { .. } | Op::Soon | Op::Spawn => programs.clone.is_empty(),
        op => matches!(op, Op::Nap(_)),
    }
}
