//! A litmus test as data: a small concurrent program over one task or a few, written as one line of text.
//!
//! ```text
//! scenario  = [scheduler] [setup] ";" thread { "|" thread }
//! scheduler = ("@inline" | "@queue" | "@refuse" | "@panic") [program]
//!                                      the task layer on this scheduler; without one, the kernel alone.
//!                                      The scheduler runs its program on its first call
//!           | "@loop{" polls "}" [program] ["~" program]
//!                                      an event loop, owned by the first thread; x is its task, whose future runs the
//!                                      first program in its first poll and the second when it is dropped
//! setup     = { [task] ("a" | "b") [programs] } ["C"]
//!                                      callbacks added beforehand, `b` with the shared tag; `C`: x is already done
//! thread    = { operation }            separated by spaces, carried out from left to right
//! operation = [task] letter [programs]
//! task      = "x." | "y." | "z."       the task operated on; without one, x
//! programs  = ["^" program] [program] ["~" program]
//! program   = "{" { operation } "}"    steps of a callback when it runs, or of a waker when it is woken;
//!                                      after `~`: of its closure or waker when that is dropped;
//!                                      after `^`: of a waker when it is cloned
//!                                      (`F`: of a spawned future in its poll, and when it is dropped)
//!
//! A  B      add a callback; with the shared tag
//! R0 R1 ..  remove a callback by its number: callbacks are numbered from 0 along the line of text.
//!           It must belong to the setup, or be added earlier in this thread or program
//! Rm        remove the latest callback that this thread or program added
//! Rf        remove by an id of another task
//! T         remove every callback with the shared tag
//! C         complete with a value of its own
//! X         cancel
//! G         read the outcome
//! V         print the cell or task, with its value, whose `Debug` calls back
//!
//! in a thread only:
//! S1 W1     signal; wait for that signal (1 to 9)
//!
//! in a thread only, and on the task layer only:
//! P         poll this thread's await, each time with another waker (the first poll makes the await)
//! J0 J1 ..  poll it again with the used waker of an earlier P, by its number; Jm: with that of the latest P.
//!           Such a waker has no program for its clone or drop
//! Q         drop that await
//! H         drop this thread's handles; only operations that need no handle may follow: C D Q S W, on a loop L M Z
//!
//! on the task layer only:
//! D         drop the completer
//! !         panic: at the end of a program; or in a thread, which then carries out the operations that follow while it
//!           unwinds, in a destructor. The panic is caught at the end of the thread
//!
//! on an event loop: a A R G H S W, on x only, where X is a request to cancel, and
//! K         wake the task by the waker that its first pending poll left; no effect before that poll
//! N         call soon: queue a function that reads the outcome
//! F         spawn another task; its future reads the outcome and is ready
//! a, A, N and F can have programs for the call and for the drop, without H
//! and in a thread other than the first one:
//! I0 I1 ..  poll this thread's nap of that length, each time with another waker; the first poll begins it. The waker can
//!           have programs
//! O0 O1 ..  drop that nap
//! U0 U1 ..  wait until the last poll's waker is woken, unless that poll found the nap over; the loop has L or Z.
//!           Beside a nap time passes only while the loop has nothing else to do and all other threads wait like this
//! and in the first thread only, which neither signals nor waits:
//! L         run the loop until the other threads have finished; M: for a future that is ready at once
//! Z         close the loop; without Z it is closed at the very end
//!
//! polls     = { "p" | "k" | "z" } ["v" | "!"]
//!           each poll of the task's future in turn: p is pending; k is pending and wakes itself; z is pending until
//!           a nap is over; v is ready with a value; ! panics. Every poll after the last letter is pending
//! ```
//!
//! `aa ; C | A R0`: two callbacks wait; one thread completes while another adds a third and removes
//! the first. `@inline a{y.C} y.a{G} ; C | A~{G}`: the callback of x completes y, whose callback reads x, and the
//! callback of the second thread reads x when it is dropped. A scenario says only what happens; what may be observed
//! is the specification's part.
//!
//! With `@inline`, and on the kernel alone, the draining thread runs the programs. On `@queue` the last thread runs them
//! after its own operations, until the queue is empty; later ones run when all threads have finished. `@refuse` gives
//! every callback back and `@panic` panics when it is called; neither runs a callback.

pub mod names;
pub mod parse;
pub mod poll_script;
mod print;
pub mod resolve;
mod validate;

use names::{Nonce, Part, Task};
use poll_script::Script;
use resolve::Resolution;

pub use parse::Malformed;

/// A scenario. One that was parsed is valid: every operation makes sense in its place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scenario {
    pub scheduler: Option<Scheduler>,
    /// The scheduler's own program, run on its first call; on a loop, the program of its task's first poll.
    pub scheduling: Vec<Op>,
    /// The program for the drop of a loop's task's future. `scheduling` is the one for its first poll.
    pub dropping: Vec<Op>,
    /// Callbacks added beforehand.
    pub setup: Vec<Op>,
    /// Whether x is completed beforehand.
    pub done: bool,
    pub threads: Vec<Vec<Op>>,
    pub(crate) resolution: Resolution,
}

/// The scheduler under the task layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheduler {
    Inline,
    Queue,
    Refuse,
    Panic,
    Loop(Script),
}

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
    Print,
    Signal(u8),
    Wait(u8),
    Poll,
    /// A poll with a waker of an earlier poll.
    PollAgain(Whom),
    DropAwait,
    DropCompleter,
    DropHandle,
    Panic,
    Wake,
    Soon,
    Spawn,
    /// Poll the nap of this length.
    Nap(u8),
    DropNap(u8),
    AwaitNap(u8),
    Run,
    RunBriefly,
    Close,
    /// An operation on another task than x.
    On(Task, Box<Op>),
    /// An add or a poll whose callback or waker has programs.
    With(Box<Op>, Box<Programs>),
}

/// The programs of a callback or a waker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Programs {
    pub clone: Vec<Op>,
    pub call: Vec<Op>,
    pub drop: Vec<Op>,
}

/// The callback that a removal names, or the waker that a poll names: by its number, the latest of this thread or
/// program, or one of another task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Whom {
    Nth(Nonce),
    Mine,
    Foreign,
}

/// Largest number of threads in a scenario. An engine may support fewer.
pub const MOST_THREADS: usize = 8;

impl Op {
    /// The task, the bare operation, and the programs, if it has any.
    pub fn parts(&self) -> (Task, &Op, Option<&Programs>) {
        match self {
            Op::On(task, op) => (*task, op.parts().1, op.parts().2),
            Op::With(op, programs) => (0, op, Some(programs)),
            op => (0, op, None),
        }
    }

    /// An operation on this task, with these programs.
    pub fn new(task: Task, op: Op, programs: Programs) -> Self {
        let op = if programs == Programs::default() { op } else { Op::With(Box::new(op), Box::new(programs)) };
        if task == 0 { op } else { Op::On(task, Box::new(op)) }
    }

    /// This operation and then those in its programs, along the line of text.
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

    /// Whether it is an operation on a nap of its thread.
    pub(crate) fn is_of_a_nap(&self) -> bool {
        matches!(self, Op::Nap(_) | Op::DropNap(_) | Op::AwaitNap(_))
    }

    /// Whether it makes a registration, which takes the next number along the line of text.
    pub(crate) fn takes_number(&self) -> bool {
        matches!(self.parts().1, Op::Add { .. } | Op::Poll | Op::Soon | Op::Spawn | Op::Nap(_))
    }
}

impl Programs {
    /// Whether a clone or a drop can be told from another. A waker whose clones are all the same has no such program.
    pub(crate) fn tell_clones_apart(&self) -> bool {
        !self.clone.is_empty() || !self.drop.is_empty()
    }

    /// The programs in the order of the text.
    pub fn parts(&self) -> [(Part, &Vec<Op>); 3] {
        [(Part::Clone, &self.clone), (Part::Call, &self.call), (Part::Drop, &self.drop)]
    }
}

impl Scenario {
    /// Every operation, those in programs included, along the line of text.
    pub fn all(&self) -> impl Iterator<Item = &Op> {
        [&self.scheduling, &self.dropping, &self.setup].into_iter().chain(&self.threads).flatten().flat_map(Op::all)
    }

    /// Changes each bare operation, along the line of text.
    pub(crate) fn visit(&mut self, visit: &mut impl FnMut(&mut Op)) {
        self.resolution = Resolution::default();
        let Scenario { scheduling, dropping, setup, threads, .. } = self;
        [scheduling, dropping, setup].into_iter().chain(threads).flatten().for_each(|op| op.visit(visit));
    }

    /// Number of operations, without the plain callbacks of the setup.
    pub fn operations(&self) -> usize {
        self.all().count() - self.setup.len()
    }

    /// Whether a thread panics, and uses tasks while it unwinds.
    pub fn unwinds(&self) -> bool {
        self.threads.iter().flatten().any(|op| *op == Op::Panic)
    }

    pub fn has_programs(&self) -> bool {
        !self.scheduling.is_empty() || !self.dropping.is_empty() || self.all().any(|op| op.parts().2.is_some())
    }

    /// Whether a thread drops its handles. Then no handle is kept to the end: programs, which keep some, are excluded.
    pub fn drops_handles(&self) -> bool {
        !self.has_programs() && self.all().any(|op| *op.parts().1 == Op::DropHandle)
    }

    /// Whether threads nap.
    pub fn has_naps(&self) -> bool {
        self.threads.iter().flatten().any(|op| op.parts().1.is_of_a_nap())
    }

    /// The polls of the loop's task, if there is a loop.
    pub fn script(&self) -> Option<Script> {
        self.scheduler.and_then(|scheduler| if let Scheduler::Loop(script) = scheduler { Some(script) } else { None })
    }
}
