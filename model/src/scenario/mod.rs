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

pub mod names;
pub mod parse;
pub mod poll_script;
mod print;
pub mod resolve;
mod validate;

use names::{Nonce, Part, Task};
use poll_script::Script;

pub use parse::Malformed;

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

/// Threads at the most. An engine may take fewer.
pub const MOST_THREADS: usize = 8;

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
}
