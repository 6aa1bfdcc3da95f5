//! Plays a program on whendone and records the events.

use super::{Act, Beat, LONGEST, Move, Played, Program, Step};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, Weak};
use std::task::Poll;
use std::time::Duration;
use whendone::{CallbackId, Completer, EventLoop, Failure, Handle, Outcome, Report, SharedCallback, Task};

/// The result of a task: a value, or the error that was passed to `complete`.
type Value = Result<u32, u32>;

pub fn play(program: &Program) -> Played {
    let trace = Trace::default();
    let hook = trace.clone();
    let mut event_loop = EventLoop::with_exception_hook(move |report| hook.report(report));
    let player = Player::new(program, event_loop.handle(), trace);
    for step in &program.moves {
        let moved = catch_unwind(AssertUnwindSafe(|| match step {
            Move::Run(beats) => event_loop.run_until_complete(player.clone().main(beats.clone())),
            Move::Do(act) => player.act(act),
        }));
        if let Err(panic) = moved {
            player.trace.note(format!("raised {}", panic.downcast_ref::<String>().expect("a panic of the program")));
        }
    }
    if !program.close {
        player.trace.end();
    }
    let unrun = event_loop.close();
    player.trace.note(format!("closed {unrun}"));
    player.trace.end();
    // Tasks hold callbacks, which hold the player, which holds tasks.
    let world = std::mem::take(&mut *player.world.lock().unwrap());
    drop(world);
    assert_eq!(Arc::strong_count(&player), 1, "nothing is left behind (P15)");
    player.trace.0.lock().unwrap().clone()
}

#[derive(Clone, Default)]
struct Trace(Arc<Mutex<Played>>);

impl Trace {
    fn note(&self, event: impl Into<String>) {
        self.0.lock().unwrap().note(event);
    }

    fn end(&self) {
        self.0.lock().unwrap().ended = true;
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap().trace.len()
    }

    fn report(&self, report: &Report) {
        let task = report.task.as_deref().and_then(|task| task.split('\'').nth(1));
        let panic = report.panic.as_ref().map(|panic| panic.message());
        self.note(match (report.failure, task, panic) {
            (Failure::CallbackPanicked, _, Some(panic)) => format!("raised {panic}"),
            (Failure::PanicNeverRetrieved, Some(task), Some(panic)) => format!("unretrieved {task} {panic}"),
            (Failure::TaskAbandoned, Some(task), _) => format!("abandoned {task}"),
            (Failure::CallbackLost, Some(task), _) => format!("lost {task}"),
            (Failure::CallbackLost, None, _) => "lost".to_owned(),
            (Failure::LoopClosed(unrun), ..) => format!("unrun {unrun}"),
            _ => report.to_string(),
        });
    }
}

struct Player {
    handle: Handle,
    shared: Vec<SharedCallback<Value>>,
    trace: Trace,
    world: Mutex<World>,
}

#[derive(Default)]
struct World {
    fresh: u32,
    tasks: Vec<Option<Task<Value>>>,
    completers: Vec<Option<Completer<Value>>>,
    registrations: Vec<Option<(usize, CallbackId)>>,
}

impl Player {
    fn new(program: &Program, handle: Handle, trace: Trace) -> Arc<Self> {
        Arc::new_cyclic(|player| {
            let shared = program.shared.iter().enumerate();
            let shared = shared.map(|(which, acts)| shared_callback(player.clone(), which, acts.clone())).collect();
            Player { handle, shared, trace, world: Mutex::default() }
        })
    }

    fn act(self: &Arc<Self>, act: &Act) {
        if self.trace.len() >= LONGEST {
            return;
        }
        match act {
            Act::Future => {
                let (completer, task) = whendone::task_named(self.newcomer(), self.handle.clone());
                self.enter(task, Some(completer));
            }
            Act::Spawn(steps) => {
                let name = self.newcomer();
                let body = self.body(name.parse().unwrap(), steps.clone());
                self.enter(self.handle.spawn_named(name, body), None);
            }
            Act::Add(to, acts) => {
                let Some(task) = self.task(*to) else { return };
                let name = self.world.lock().unwrap().registrations.len();
                let (captured, acts) = (self.captured(format!("called {name}")), acts.clone());
                let call = move |task: &Task<Value>| captured.player().called(&captured.name, task, &acts);
                self.register(*to, task.add_done_callback(call));
            }
            Act::Share(to, which) => {
                let Some(shared) = self.shared(*which) else { return };
                let Some(task) = self.task(*to) else { return };
                self.register(*to, task.add_shared(shared));
            }
            Act::Remove(registration) => {
                let Some((to, id)) = self.at(*registration, |world| &mut world.registrations, |&mut at| at) else {
                    return;
                };
                let Some(task) = self.task(to) else { return };
                self.trace.note(format!("removed {}", usize::from(task.remove_done_callback(id))));
            }
            Act::Unshare(of, which) => {
                let Some(shared) = self.shared(*which) else { return };
                let Some(task) = self.task(*of) else { return };
                self.trace.note(format!("removed {}", task.remove_shared(shared)));
            }
            Act::Complete(at) => self.complete(*at, Ok),
            Act::Fail(at) => self.complete(*at, Err),
            Act::Drop(at) => drop(self.completer(*at)),
            Act::Forget(at) => drop(self.at(*at, |world| &mut world.tasks, Option::take)),
            Act::Cancel(at) => {
                let Some(task) = self.task(*at) else { return };
                self.trace.note(format!("cancel {}", task.cancel()));
            }
            Act::Read(at) => {
                let Some(task) = self.task(*at) else { return };
                self.trace.note(format!("read {}", shown(&task)));
            }
            Act::Soon(acts) => {
                let (captured, acts) = (self.captured(format!("soon {}", self.fresh())), acts.clone());
                let call = move || {
                    captured.player().trace.note(&captured.name);
                    captured.player().acts(&acts);
                };
                self.handle.call_soon(call).expect("the loop is open");
            }
            // Without the panic hook, which would print it.
            Act::Panic => resume_unwind(Box::new(self.fresh().to_string())),
        }
    }

    fn acts(self: &Arc<Self>, acts: &[Act]) {
        acts.iter().for_each(|act| self.act(act));
    }

    fn called(self: &Arc<Self>, what: &str, task: &Task<Value>, acts: &[Act]) {
        self.trace.note(format!("{what} {} {}", task.name().unwrap(), shown(task)));
        self.acts(acts);
    }

    fn captured(self: &Arc<Self>, name: String) -> Captured {
        Captured { player: self.clone(), name }
    }

    fn shared(&self, which: usize) -> Option<&SharedCallback<Value>> {
        let found = self.shared.get(which);
        if found.is_none() {
            self.trace.note("nobody");
        }
        found
    }

    fn newcomer(&self) -> String {
        self.world.lock().unwrap().tasks.len().to_string()
    }

    fn enter(&self, task: Task<Value>, completer: Option<Completer<Value>>) {
        let mut world = self.world.lock().unwrap();
        world.tasks.push(Some(task));
        world.completers.push(completer);
    }

    fn register(&self, to: usize, id: CallbackId) {
        self.world.lock().unwrap().registrations.push(Some((to, id)));
    }

    fn complete(&self, at: usize, with: fn(u32) -> Value) {
        let Some(completer) = self.completer(at) else { return };
        let value = self.fresh();
        let answer = if completer.complete(with(value)).is_ok() { "completed" } else { "refused" };
        self.trace.note(format!("{answer} {value}"));
    }

    /// Takes or copies a thing by its number, and notes a missing one. A taken thing is dropped outside the lock.
    fn at<T, R>(
        &self,
        place: usize,
        of: impl FnOnce(&mut World) -> &mut Vec<Option<T>>,
        how: impl FnOnce(&mut Option<T>) -> Option<R>,
    ) -> Option<R> {
        let found = of(&mut self.world.lock().unwrap()).get_mut(place).and_then(how);
        if found.is_none() {
            self.trace.note("nobody");
        }
        found
    }

    fn task(&self, at: usize) -> Option<Task<Value>> {
        self.at(at, |world| &mut world.tasks, |task| task.clone())
    }

    fn completer(&self, at: usize) -> Option<Completer<Value>> {
        self.at(at, |world| &mut world.completers, Option::take)
    }

    fn fresh(&self) -> u32 {
        let mut world = self.world.lock().unwrap();
        world.fresh += 1;
        world.fresh
    }

    async fn main(self: Arc<Self>, beats: Vec<Beat>) {
        for beat in &beats {
            match beat {
                Beat::Turn => {
                    turn().await;
                    self.trace.note("turn");
                }
                Beat::Idle => self.idle().await,
                Beat::Do(act) => self.act(act),
            }
        }
    }

    async fn idle(&self) {
        for _ in 0..10 {
            let before = self.trace.len();
            turn().await;
            turn().await;
            if self.trace.len() == before {
                break;
            }
        }
        self.trace.note("idle");
    }

    /// Boxed, because bodies spawn bodies.
    fn body(self: &Arc<Self>, own: usize, steps: Vec<Step>) -> Pin<Box<dyn Future<Output = Value> + Send>> {
        let captured = self.captured(format!("body {own}"));
        Box::pin(async move {
            let player = captured.player();
            player.trace.note(format!("started {own}"));
            let _left = Left(&player.trace, own);
            for step in &steps {
                player.step(own, step).await;
            }
            Ok(player.fresh())
        })
    }

    async fn step(self: &Arc<Self>, own: usize, step: &Step) {
        match step {
            Step::Yield => {
                turn().await;
                self.trace.note(format!("resumed {own}"));
            }
            Step::Nap => {
                whendone::sleep(Duration::from_nanos(1)).await;
                self.trace.note(format!("slept {own}"));
            }
            Step::Await(at) if *at < own => {
                let Some(task) = self.task(*at) else { return };
                (&task).await;
                self.trace.note(format!("awaited {own} {}", shown(&task)));
            }
            Step::Await(_) => {}
            Step::Do(act) => self.act(act),
        }
    }
}

/// The capture of a callback or a body. Notes its own drop.
struct Captured {
    player: Arc<Player>,
    name: String,
}

impl Captured {
    fn player(&self) -> &Arc<Player> {
        &self.player
    }
}

impl Drop for Captured {
    fn drop(&mut self) {
        self.player.trace.0.lock().unwrap().gone(&self.name);
    }
}

/// Notes the moment when the body of a task is left, on every path.
struct Left<'a>(&'a Trace, usize);

impl Drop for Left<'_> {
    fn drop(&mut self) {
        self.0.note(format!("left {}", self.1));
    }
}

fn shared_callback(player: Weak<Player>, which: usize, acts: Vec<Act>) -> SharedCallback<Value> {
    SharedCallback::new(move |task: &Task<Value>| {
        let player = player.upgrade().expect("the player plays");
        player.called(&format!("shared {which}"), task, &acts);
    })
}

/// Reads the outcome, which counts as retrieving a panic.
fn shown(task: &Task<Value>) -> String {
    match task.outcome() {
        None => "pending".to_owned(),
        Some(Outcome::Finished(Ok(value))) => format!("finished {value}"),
        Some(Outcome::Finished(Err(error))) => format!("failed {error}"),
        Some(Outcome::Cancelled) => "cancelled".to_owned(),
        Some(Outcome::Panicked(panic)) => format!("panicked {panic}"),
        Some(Outcome::Abandoned) => "abandoned".to_owned(),
        Some(other) => format!("{other:?}"),
    }
}

/// Lets one turn pass.
async fn turn() {
    let mut passed = false;
    poll_fn(|context| {
        if passed {
            return Poll::Ready(());
        }
        passed = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}
