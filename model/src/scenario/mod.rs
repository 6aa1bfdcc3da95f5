//! The scenario language: a small concurrent program over one task or a few, as data; as a line of text in `text.rs`.
//!
//! ```text
//! scenario  = [scheduler] [setup] ";" thread { "|" thread }
//! scheduler = ("@inline" | "@queue" | "@refuse" | "@panic") [program]
//!                                      the task layer on this scheduler; without one, the kernel alone.
//!                                      The program: what it does itself when it is called for the first time
//!           | "@loop{" polls "}"       x is a task of an event loop, which is the first thread's
//! setup     = { [task] ("a" | "b") [programs] } ["C"]
//!                                      callbacks added beforehand, `b` with the shared tag; `C`: x is done already
//! thread    = { operation }            separated by spaces, run from left to right
//! operation = [task] letter [programs]
//! task      = "x." | "y." | "z."       which task; without one, x
//! programs  = ["^" program] [program] ["~" program]
//! program   = "{" { operation } "}"    what a callback does when it runs, or an await when it is woken;
//!                                      after `~` what its closure or waker does when it is dropped;
//!                                      after `^` what a waker does when it is cloned
//!
//! A  B      add a callback; with the shared tag
//! R0 R1 ..  remove the callback that was added first, second .. counting along the line of text:
//!           one of the setup, or an earlier one of this thread or program
//! Rm        remove the callback that this thread or program added last
//! Rf        remove by the id of another task
//! T         remove all of the shared tag
//! C         complete with a value of its own
//! X         cancel
//! G         read the outcome
//!
//! in a thread only:
//! S1 W1     signal; wait for it (1 to 9)
//!
//! in a thread only, and on the task layer only:
//! P         poll an await of this thread, each time with another waker (the first poll makes it)
//! Q         drop that await
//! H         drop this thread's handles; only what needs none comes after it: C D Q S W, and on a loop L M Z
//!
//! on the task layer only:
//! D         drop the completer
//! !         panic, at the end of a program
//!
//! on an event loop: a A R G H S W, on no task but x, where X is a request to cancel, and
//! K         wake the task, by the waker that its first pending poll left; before that, nothing
//! N         call soon; the function reads the outcome
//! F         spawn another task; its future reads the outcome and is ready
//! a, A and N can have programs for the call and for the drop, without H
//! and in the first thread only, which neither signals nor waits:
//! L         run the loop until the other threads are through; M: for a future that is ready at once
//! Z         close it; else it is closed at the end, when nothing else goes on
//!
//! polls     = { "p" | "k" | "z" } ["v" | "!"]
//!           what each poll of the task's future does: it is pending; it is, and wakes itself; it is until a nap
//!           is over; it is ready with a value; it panics. Behind the last it is pending
//! ```
//!
//! `aa ; C | A R0`: two callbacks wait; one thread completes while another adds a third and removes
//! the first. `@inline a{y.C} y.a{R2} ; C | A~{G}`: the callback of x completes y, and what the second thread
//! adds reads x when it is dropped. A scenario says what happens, never what should: that is the
//! specification's part.
//!
//! `@inline` calls at once; on it, and on the kernel alone, whoever drains runs the programs. On `@queue` the last
//! thread does, once it is through with its own operations, until the queue is empty; what comes later runs when all are
//! through. `@refuse` gives every callback back, `@panic` panics when it is called; both run nothing.

pub mod parse;
pub mod poll_script;

use crate::observation::SCHEDULER;
use crate::scenario::poll_script::Script;
use crate::spec::cell::{Nonce, Value};

pub use crate::scenario::parse::Malformed;

/// A scenario, checked: every operation makes sense where it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scenario {
    pub scheduler: Option<Scheduler>,
    /// What that one does itself when it is called for the first time.
    pub scheduling: Vec<Op>,
    /// What is added beforehand.
    pub setup: Vec<Op>,
    /// Completed beforehand.
    pub done: bool,
    pub threads: Vec<Vec<Op>>,
}

/// What the task layer is run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheduler {
    Inline,
    Queue,
    Refuse,
    Panic,
    Loop(Script),
}

/// Counts the tasks of a scenario: x is 0.
pub type Task = usize;

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Op {
    Add {
        tagged: bool,
    },
    Remove(Whom),
    RemoveAll,
    Complete,
    Cancel,
    Read,
    Signal(u8),
    Wait(u8),
    Poll,
    DropAwait,
    DropCompleter,
    DropHandle,
    Panic,
    Wake,
    Soon,
    Spawn,
    Run,
    RunBriefly,
    Close,
    /// On another task than x.
    On(Task, Box<Op>),
    /// What is added or polled does something itself.
    With(Box<Op>, Box<Programs>),
}

/// What a callback or a waker does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Programs {
    pub clone: Vec<Op>,
    pub call: Vec<Op>,
    pub drop: Vec<Op>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Whom {
    Nth(Nonce),
    Mine,
    Foreign,
}

/// A scenario with its names resolved: what specification and engines carry out.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// How many tasks there are.
    pub tasks: usize,
    /// What one agent carries out beforehand.
    pub setup: Vec<Move>,
    pub threads: Vec<Vec<Move>>,
    /// Everything that is added or polled, by its nonce.
    pub bodies: Vec<Body>,
    /// What the scheduler does.
    pub scheduling: Vec<Move>,
}

/// A step, and the task that it is taken on.
pub type Move = (Task, Step);

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
    clone: Vec<Move>,
    call: Vec<Move>,
    drop: Vec<Move>,
}

/// Which of its programs a callback or waker runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    Clone,
    Call,
    Drop,
}

/// Threads at the most. An engine may take fewer.
pub const MOST_THREADS: usize = 8;

/// The names of tasks.
pub const TASKS: [&str; 3] = ["x", "y", "z"];

impl Body {
    pub fn program(&self, part: Part) -> &[Move] {
        match part {
            Part::Clone => &self.clone,
            Part::Call => &self.call,
            Part::Drop => &self.drop,
        }
    }
}

impl Op {
    /// The task that it names, what it is by itself, and what it brings along.
    pub fn parts(&self) -> (Task, &Op, Option<&Programs>) {
        match self {
            Op::On(task, op) => (*task, op.parts().1, op.parts().2),
            Op::With(op, programs) => (0, op, Some(programs)),
            op => (0, op, None),
        }
    }

    /// It on this task, with what it brings along.
    pub fn new(task: Task, op: Op, programs: Programs) -> Self {
        let op = if programs == Programs::default() { op } else { Op::With(Box::new(op), Box::new(programs)) };
        if task == 0 { op } else { Op::On(task, Box::new(op)) }
    }

    /// It, and then all that stand in its programs, along the line of text.
    pub(crate) fn all(&self) -> Vec<&Op> {
        let inner = self.parts().2.into_iter().flat_map(|programs| programs.parts()).flat_map(|(_, program)| program);
        [self].into_iter().chain(inner.flat_map(Op::all)).collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.all().len()
    }

    fn visit(&mut self, visit: &mut impl FnMut(&mut Op)) {
        match self {
            Op::On(_, op) => op.visit(visit),
            Op::With(op, programs) => {
                visit(op);
                let Programs { clone, call, drop } = &mut **programs;
                [clone, call, drop].into_iter().flatten().for_each(|op| op.visit(visit));
            }
            op => visit(op),
        }
    }

    pub(crate) fn takes_number(&self) -> bool {
        matches!(self.parts().1, Op::Add { .. } | Op::Poll | Op::Soon | Op::Spawn)
    }
}

impl Programs {
    /// In the order of the text.
    pub fn parts(&self) -> [(Part, &Vec<Op>); 3] {
        [(Part::Clone, &self.clone), (Part::Call, &self.call), (Part::Drop, &self.drop)]
    }
}

impl Scenario {
    pub fn plan(&self) -> Plan {
        let mut plan = Plan::default();
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

    /// Along the line of text.
    pub fn all(&self) -> impl Iterator<Item = &Op> {
        [&self.scheduling, &self.setup].into_iter().chain(&self.threads).flatten().flat_map(Op::all)
    }

    /// Changes them along the line of text, each without its task and its programs.
    pub(crate) fn visit(&mut self, visit: &mut impl FnMut(&mut Op)) {
        let Scenario { scheduling, setup, threads, .. } = self;
        [scheduling, setup].into_iter().chain(threads).flatten().for_each(|op| op.visit(visit));
    }

    /// All but the plain callbacks of the setup.
    pub fn operations(&self) -> usize {
        self.all().count() - self.setup.len()
    }

    pub fn has_programs(&self) -> bool {
        !self.scheduling.is_empty() || self.all().any(|op| op.parts().2.is_some())
    }

    /// Whether a thread drops its handles, and no program keeps others: then nobody does for the end.
    pub fn drops_handles(&self) -> bool {
        !self.has_programs() && self.all().any(|op| *op.parts().1 == Op::DropHandle)
    }

    /// What the loop's task does, if there is a loop.
    pub fn script(&self) -> Option<Script> {
        self.scheduler.and_then(|scheduler| if let Scheduler::Loop(script) = scheduler { Some(script) } else { None })
    }

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

impl Plan {
    /// What a callback or waker does, or the scheduler; what the scenario does not name does nothing.
    pub fn program(&self, nonce: Nonce, part: Part) -> &[Move] {
        match self.bodies.get(nonce) {
            _ if nonce == SCHEDULER => &self.scheduling,
            body => body.map_or(&[], |body| body.program(part)),
        }
    }

    /// Gives out the names along the line of text.
    fn resolve(&mut self, ops: &[Op], values: &mut usize) -> Vec<Move> {
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
