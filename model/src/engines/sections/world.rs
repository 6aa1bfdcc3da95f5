//! The threads of one execution as coroutines, and the points at which they switch.
//!
//! All of them run on one thread of the system. A step of a thread ends before its next operation on something shared: its
//! *point*. Between two points a thread takes at most one lock and makes one access of another kind, which is the last
//! one or follows the lock at once; nothing else can happen in between that another order would not show, too.

use super::super::message;
use super::super::record::monitor::take_ordered;
use generator::{Generator, Gn};
use std::cell::{Cell, RefCell};
use std::mem::{self, ManuallyDrop};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An object that threads share: a lock, an atomic, a condition variable. The number begins anew in each execution.
pub type Object = usize;

/// The order of hand-overs and of serial numbers, which observations show.
pub const ORDER: Object = 0;

/// The next operation of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Nothing that another thread can notice.
    Local,
    /// Takes a lock, once that is free.
    Lock(Object),
    /// Accesses an atomic.
    Access(Object),
    /// Waits until it is notified.
    Wait(Object),
    /// Waits for the end of a thread.
    Join(usize),
    /// It has ended.
    End,
}

/// The objects that a step accessed, as sets. Objects that are the same modulo 64 count as one, which can only make more
/// steps dependent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    reads: u64,
    writes: u64,
}

impl Footprint {
    #[cfg(test)]
    pub fn writing(object: Object) -> Self {
        Footprint { reads: 0, writes: bit(object) }
    }

    /// True if the two steps have the same effect in both orders.
    pub fn is_independent_of(self, other: Footprint) -> bool {
        self.writes & (other.reads | other.writes) == 0 && other.writes & self.reads == 0
    }
}

#[derive(Default)]
struct World {
    /// The number of the execution, so that nothing of another one is mistaken for this one's.
    execution: u64,
    /// The next operation of each thread.
    threads: Vec<Operation>,
    current: usize,
    /// For each object, the thread that holds it, if it is a lock.
    holders: Vec<Option<usize>>,
    step: Footprint,
    /// True if an access would be the first one after a lock was taken, in the same step.
    follows_lock: bool,
    /// True if others than its threads can begin threads, so that one thread alone must stop at its points, too.
    is_open: bool,
    /// True if the rest of the execution is of no interest: threads switch only if they must.
    is_spare: bool,
    /// The number of points that were reached.
    points: usize,
    /// The first panic that reached the end of a thread, or too many points.
    failure: Option<String>,
}

type Job = Box<dyn FnOnce()>;

/// Never dropped, because that would unwind it.
type Coroutine = ManuallyDrop<Generator<'static, (), ()>>;

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
    /// The body that a coroutine runs when it is resumed next.
    static JOB: RefCell<Option<Job>> = const { RefCell::new(None) };
    /// The bodies of threads that have not run yet.
    static BEGUN: RefCell<Vec<(usize, Job)>> = const { RefCell::new(Vec::new()) };
    /// A coroutine for each thread, while it is not running.
    static COROUTINES: RefCell<Vec<Option<Coroutine>>> = const { RefCell::new(Vec::new()) };
    /// True while an execution goes on.
    static IS_ON: Cell<bool> = const { Cell::new(false) };
}

/// The most points of an execution. One that has more is a failure.
const MOST_POINTS: usize = 4_000;

/// The words of a coroutine's stack.
const STACK: usize = 1 << 16;

fn with<R>(look: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with_borrow_mut(look)
}

/// The running thread, and the execution that it belongs to.
pub fn current() -> (u64, usize) {
    with(|world| (world.execution, world.current))
}

/// A new object.
pub fn new_object() -> Object {
    with(|world| {
        world.holders.push(None);
        world.holders.len() - 1
    })
}

/// Takes the lock, when it is this thread's turn.
pub fn lock(object: Object) {
    if !IS_ON.get() {
        return;
    }
    reach(Operation::Lock(object));
    with(|world| {
        world.holders[object] = Some(world.current);
        world.step.writes |= bit(object);
        world.follows_lock = true;
    });
}

pub fn unlock(object: Object) {
    if !IS_ON.get() {
        return;
    }
    with(|world| {
        world.holders[object] = None;
        world.step.writes |= bit(object);
        world.follows_lock = false;
    });
}

/// Accesses an atomic, when it is this thread's turn.
pub fn access(object: Object, writes: bool) {
    if !IS_ON.get() {
        return;
    }
    if !with(|world| mem::take(&mut world.follows_lock)) {
        reach(Operation::Access(object));
    }
    with(|world| {
        let set = if writes { &mut world.step.writes } else { &mut world.step.reads };
        *set |= bit(object);
    });
}

/// Releases the lock, by dropping its guard, and waits until the condition variable is notified.
pub fn wait(condition: Object, guard: impl Sized) {
    with(|world| world.step.writes |= bit(condition));
    drop(guard);
    reach(Operation::Wait(condition));
}

/// Notifies the threads that wait, at most this many.
pub fn notify(condition: Object, most: usize) {
    access(condition, true);
    with(|world| {
        let waiting = world.threads.iter_mut().filter(|next| **next == Operation::Wait(condition));
        waiting.take(most).for_each(|next| *next = Operation::Local);
    });
}

/// Begins a thread.
pub fn spawn(body: impl FnOnce() + 'static) -> usize {
    let thread = with(|world| {
        world.threads.push(Operation::Local);
        world.threads.len() - 1
    });
    BEGUN.with_borrow_mut(|begun| begun.push((thread, Box::new(body))));
    thread
}

/// Returns when this thread has ended.
pub fn join(thread: usize) {
    reach(Operation::Join(thread));
}

fn bit(object: Object) -> u64 {
    1 << (object % 64)
}

/// Ends this thread's step before its next operation, and returns when that is to be carried out.
fn reach(next: Operation) {
    let goes_on = with(|world| {
        let current = world.current;
        world.threads[current] = next;
        world.points += 1;
        if world.points > MOST_POINTS {
            let endless = format!("an execution has more than {MOST_POINTS} points: its threads go round in circles");
            world.failure.get_or_insert(endless);
            return false;
        }
        let is_alone = || world.threads.iter().filter(|next| **next != Operation::End).count() == 1;
        (world.is_spare || !world.is_open && is_alone()) && world.can_run(current)
    });
    if !goes_on {
        switch();
    }
    with(|world| {
        let current = world.current;
        world.threads[current] = Operation::Local;
    });
}

/// Switches to the explorer, which resumes a coroutine when its thread's next operation is to be carried out.
#[allow(deprecated, reason = "the other form needs the coroutine's handle, which the audited files do not have")]
fn switch() {
    generator::yield_with(());
}

impl World {
    fn can_run(&self, thread: usize) -> bool {
        match self.threads[thread] {
            Operation::Local | Operation::Access(_) => true,
            Operation::Lock(object) => self.holders[object].is_none(),
            Operation::Join(other) => self.threads[other] == Operation::End,
            Operation::Wait(_) | Operation::End => false,
        }
    }
}

/// Begins an execution whose first thread has this body. Unless `is_open`, only its threads begin others.
pub fn begin(body: impl FnOnce() + 'static, is_open: bool) {
    let is_abandoned = with(|world| world.threads.iter().any(|next| *next != Operation::End));
    if is_abandoned {
        forget();
    }
    with(|world| {
        let execution = world.execution + 1;
        *world = World { execution, holders: vec![None; ORDER + 1], is_open, ..World::default() };
    });
    IS_ON.set(true);
    spawn(body);
}

/// The next operation of each thread.
pub fn next() -> Vec<Operation> {
    with(|world| world.threads.clone())
}

/// The threads whose next operations can be carried out. Those whose next operation nobody can notice run up to a point
/// first.
pub fn ready() -> Vec<usize> {
    loop {
        let (at_once, ready) = with(|world| {
            let can_run: Vec<usize> = (0..world.threads.len()).filter(|thread| world.can_run(*thread)).collect();
            let is_local = |thread: &&usize| matches!(world.threads[**thread], Operation::Local | Operation::Join(_));
            (can_run.iter().find(is_local).copied(), can_run)
        });
        match at_once {
            Some(thread) => drop(step(thread)),
            None => return ready,
        }
    }
}

/// Lets the thread carry out its next operation, up to its next point. Returns what that accessed.
pub fn step(thread: usize) -> Footprint {
    with(|world| {
        world.current = thread;
        world.step = Footprint::default();
        world.follows_lock = false;
    });
    let begun = BEGUN.with_borrow_mut(|begun| {
        let at = begun.iter().position(|(begun, _)| *begun == thread)?;
        Some(begun.swap_remove(at).1)
    });
    JOB.set(begun);
    let mut coroutine = COROUTINES.with_borrow_mut(|coroutines| {
        coroutines.resize_with(coroutines.len().max(thread + 1), || None);
        coroutines[thread].take().unwrap_or_else(|| ManuallyDrop::new(coroutine()))
    });
    take_ordered();
    coroutine.resume();
    COROUTINES.with_borrow_mut(|coroutines| coroutines[thread] = Some(coroutine));
    let is_ordered = take_ordered();
    with(|world| Footprint { writes: world.step.writes | if is_ordered { bit(ORDER) } else { 0 }, ..world.step })
}

/// Runs one job each time that it is resumed without one going on. Ends if there is none.
fn coroutine() -> Generator<'static, (), ()> {
    Gn::<()>::new_opt(STACK, || {
        while let Some(job) = JOB.take() {
            let ended = catch_unwind(AssertUnwindSafe(job));
            with(|world| {
                let current = world.current;
                world.threads[current] = Operation::End;
                world.failure = world.failure.take().or(ended.err().map(message));
            });
            switch();
        }
    })
}

/// The end of an execution in which no thread is [`ready`].
///
/// # Errors
///
/// The message of the first panic that reached the end of a thread, or a description of the deadlock.
pub fn end() -> Result<(), String> {
    IS_ON.set(false);
    let ended = with(|world| match world.failure.take() {
        Some(failure) => Err(failure),
        None if world.threads.iter().all(|next| *next == Operation::End) => Ok(()),
        None => Err(format!("deadlock; the threads wait: {:?}", world.threads)),
    });
    if ended.is_err() {
        forget();
    }
    ended
}

/// Frees the coroutines of this thread of the system, which begins no other execution. They must be at rest: after a failure
/// they stay.
pub fn leave() {
    let is_over = with(|world| world.threads.iter().all(|next| *next == Operation::End));
    let coroutines = COROUTINES.take().into_iter().filter(|_| is_over);
    for mut coroutine in coroutines.flatten().map(ManuallyDrop::into_inner) {
        coroutine.resume();
    }
}

/// Leaves threads that did not end as they are: unwinding them would run the code of callers.
fn forget() {
    COROUTINES.take();
    BEGUN.take();
}

/// From now on threads switch only if they must, because the rest of the execution is of no interest.
pub fn go_on_to_the_end() {
    with(|world| world.is_spare = true);
    while let Some(thread) = ready().first().filter(|_| !has_failed()) {
        step(*thread);
    }
}

/// Looks at the state between two steps, outside of all threads. Nothing if a thread holds a lock.
pub fn aside<R>(look: impl FnOnce() -> R) -> Option<R> {
    if with(|world| world.holders.iter().any(Option::is_some)) {
        return None;
    }
    IS_ON.set(false);
    let seen = look();
    IS_ON.set(true);
    Some(seen)
}

/// True if a panic reached the end of a thread, or the execution does not end.
pub fn has_failed() -> bool {
    with(|world| world.failure.is_some())
}
