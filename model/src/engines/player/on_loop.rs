//! The player for scenarios on the event loop. Compiled once for each engine that has a loop.
//!
//! The first thread has the loop, and runs it as its operations say. The other threads have handles only.

use super::event_loop::{EventLoop, Handle, Sleep};
use super::kernel::CallbackId;
use super::naps::Naps;
use super::player::bench::{Bench, Interpreter, Tracked, locked, value_of};
use super::player::{Subject, at_rest, perform_on, play_by};
use super::stage::Probe;
use super::sync::channel::{self, UNIT};
use super::sync::locks_held;
use super::task::Task;
use std::collections::HashMap;
use std::future::{Future, ready};
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Waker};
use whendone_model::engines::Observed;
use whendone_model::observation::event::Thing;
use whendone_model::observation::{Answer, HandOver, Observation};
use whendone_model::scenario::Scenario;
use whendone_model::scenario::names::{Nonce, POLL, Part, Value};
use whendone_model::scenario::poll_script::{Polled, Script};
use whendone_model::scenario::resolve::{Step, TaskStep};

/// Plays the scenario in every execution that the engine explores, on the loop if it names one.
pub fn play(scenario: &Scenario) -> Observed {
    match scenario.script() {
        Some(_) => play_by(scenario, perform),
        None => super::player::play(scenario),
    }
}

/// One execution. The last row of answers is the outcome of the task.
fn perform(scenario: &Scenario) -> (Observation, Vec<String>) {
    let bench = Arc::new(Bench::new(scenario));
    let outcome = Arc::new(Mutex::new(None));
    let (mut observation, broken) = perform_on(OnLoop::new(&bench, scenario, &outcome), &bench);
    let outcome = locked(&outcome).map(|value| Answer::Outcome(Some(value)));
    observation.answers.push(outcome.into_iter().collect());
    // A panic that was never retrieved is reported when the last handle is dropped.
    observation.told = bench.monitor.observed().1;
    (observation, broken)
}

/// The loop and its task as the subject.
struct OnLoop {
    event_loop: Arc<Mutex<Option<EventLoop>>>,
    layer: Arc<LoopLayer>,
    /// This thread's handle.
    task: Option<Task<Tracked>>,
    /// True for the first thread.
    has_loop: bool,
    others: Arc<OtherThreads>,
    /// This thread's naps.
    naps: Naps,
    /// The outcome of the task.
    outcome: Arc<Mutex<Option<Value>>>,
}

/// The part that threads and callbacks' programs share.
struct LoopLayer {
    handle: Handle,
    /// The handle for programs, if there are any.
    task: Option<Task<Tracked>>,
    ids: Mutex<HashMap<Nonce, CallbackId>>,
    waker: Arc<SharedWaker>,
    bench: Arc<Bench>,
}

impl OnLoop {
    fn new(bench: &Arc<Bench>, scenario: &Scenario, outcome: &Arc<Mutex<Option<Value>>>) -> Self {
        let others = scenario.threads.len() - 1;
        channel::begin(scenario.has_naps().then_some(others));
        let hook = bench.clone();
        let event_loop = EventLoop::with_exception_hook(move |report| hook.report(0, report));
        let handle = event_loop.handle();
        let waker = Arc::new(SharedWaker::new());
        let others = Arc::new(OtherThreads::new(others));
        let script = scenario.script().expect("`play` has checked it");
        let task = handle.spawn(Scripted {
            script,
            polls: 0,
            nap: None,
            capture: bench.make(Thing::Future),
            handle: handle.clone(),
            bench: bench.clone(),
            waker: waker.clone(),
        });
        let for_programs = scenario.has_programs().then(|| task.clone());
        let layer = LoopLayer { handle, task: for_programs, ids: Mutex::default(), waker, bench: bench.clone() };
        OnLoop {
            event_loop: Arc::new(Mutex::new(Some(event_loop))),
            layer: Arc::new(layer),
            task: Some(task),
            has_loop: true,
            others,
            naps: Naps::default(),
            outcome: outcome.clone(),
        }
    }

    fn run(&self, main: impl Future<Output = ()> + Send + 'static) {
        let mut event_loop = locked(&self.event_loop).take().expect("the scenario was validated: it is not closed");
        event_loop.run_until_complete(main);
        *locked(&self.event_loop) = Some(event_loop);
    }
}

impl Subject for OnLoop {
    fn fork(&mut self) -> Self {
        let has_loop = std::mem::take(&mut self.has_loop);
        OnLoop {
            event_loop: self.event_loop.clone(),
            layer: self.layer.clone(),
            task: self.task.clone(),
            has_loop,
            others: self.others.clone(),
            naps: Naps::default(),
            outcome: self.outcome.clone(),
        }
    }

    fn interpreter(&self) -> Option<Weak<dyn Interpreter>> {
        let layer: Arc<dyn Interpreter> = self.layer.clone();
        Some(Arc::downgrade(&layer))
    }

    fn carry_out(&mut self, (_, step): TaskStep) -> Option<Answer> {
        match step {
            Step::DropHandle => {
                self.drop_handles();
                None
            }
            Step::Run => {
                self.run(Main(self.others.clone()));
                None
            }
            Step::RunBriefly => {
                self.run(ready(()));
                None
            }
            Step::Close => {
                let event_loop = locked(&self.event_loop).take().expect("the scenario was validated: it is not closed");
                Some(Answer::Count(event_loop.close()))
            }
            Step::Nap { nonce, length } => {
                let LoopLayer { handle, bench, .. } = &*self.layer;
                Some(Answer::Did(self.naps.poll(handle, bench, length, nonce)))
            }
            Step::DropNap(length) => {
                self.naps.drop(length);
                None
            }
            Step::AwaitNap(length) => {
                self.naps.wait(length);
                None
            }
            step => self.layer.carry_out_on(self.task.as_ref().expect(HAS_HANDLE), step),
        }
    }

    fn drop_handles(&mut self) {
        self.task = None;
    }

    fn end(&mut self, _is_last: bool) {
        if !self.has_loop {
            self.others.one_ends();
        }
    }

    fn serve_rest(&mut self) {
        let event_loop = locked(&self.event_loop).take();
        drop(event_loop);
        // Read from the cell, because a read of the task would count as retrieving the outcome (D8).
        let outcome = self.task.as_ref().and_then(|task| task.cell().outcome());
        *locked(&self.outcome) = outcome.map(value_of);
    }

    fn broken_at_rest(&self) -> Option<String> {
        self.task.as_ref().and_then(|task| at_rest(task.cell()))
    }
}

/// The reason why there is a handle: the scenario was validated.
const HAS_HANDLE: &str = "no operation follows H, and no program stands beside it";

impl LoopLayer {
    fn carry_out_on(&self, task: &Task<Tracked>, step: Step) -> Option<Answer> {
        match step {
            Step::Add { nonce, .. } => {
                let capture = self.bench.make(Thing::Callback(nonce));
                let call = move |task: &Task<Tracked>| hand_over(&capture.bench, nonce, task);
                let id = task.add_done_callback(call);
                locked(&self.ids).insert(nonce, id);
                None
            }
            Step::Remove(nonce) => {
                let nonce = nonce.expect("the scenario was validated: no foreign id on a loop");
                let id = locked(&self.ids)[&nonce];
                Some(Answer::Did(task.remove_done_callback(id)))
            }
            Step::Complete(_) => Some(Answer::Did(task.cancel())),
            Step::Read => Some(Answer::Outcome(task.outcome().map(value_of))),
            Step::Wake => {
                self.waker.wake();
                None
            }
            Step::Soon(nonce) => {
                let (task, capture) = (task.clone(), self.bench.make(Thing::Callback(nonce)));
                let call = move || hand_over(&capture.bench, nonce, &task);
                Some(Answer::Did(self.handle.call_soon(call).is_ok()))
            }
            Step::Spawn(nonce) => {
                let (task, capture) = (task.clone(), self.bench.make(Thing::Callback(nonce)));
                self.handle.spawn(Brief { nonce, capture, task });
                None
            }
            _ => unreachable!("the scenario was validated: {step:?} is not for a loop"),
        }
    }
}

impl Interpreter for LoopLayer {
    fn carry_out(&self, (_, step): TaskStep) -> Option<Answer> {
        self.carry_out_on(self.task.as_ref().expect(HAS_HANDLE), step)
    }
}

/// Runs a callback or a function of the loop, which runs one at a time.
fn hand_over(bench: &Bench, nonce: Nonce, task: &Task<Tracked>) {
    bench.run(nonce, Part::Call, Some(0), || task.outcome().map(value_of));
}

/// The future of a spawned task: it is ready at its first poll. What it captures is dropped with it, and not by the poll.
struct Brief {
    nonce: Nonce,
    capture: Tracked,
    task: Task<Tracked>,
}

impl Future for Brief {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        hand_over(&self.capture.bench, self.nonce, &self.task);
        Poll::Ready(())
    }
}

/// The future of the loop's task.
struct Scripted {
    script: Script,
    polls: usize,
    nap: Option<Sleep>,
    #[allow(dead_code, reason = "it is there to be dropped")]
    capture: Tracked,
    handle: Handle,
    bench: Arc<Bench>,
    waker: Arc<SharedWaker>,
}

impl Scripted {
    fn next(&mut self, context: &mut Context<'_>) -> Polled {
        if self.nap.as_mut().is_some_and(|nap| Pin::new(nap).poll(context).is_pending()) {
            return Polled::Naps;
        }
        self.nap = None;
        let polled = self.script.poll(self.polls);
        self.polls += 1;
        if !polled.is_last() {
            self.waker.leave(context.waker());
        }
        match polled {
            Polled::WakesItself => context.waker().wake_by_ref(),
            Polled::Naps => {
                let [one, other] = [(); 2].map(|()| {
                    let mut nap = self.handle.sleep(UNIT);
                    let _ = Pin::new(&mut nap).poll(context);
                    nap
                });
                drop(one);
                self.nap = Some(other);
            }
            Polled::Waits | Polled::Ready | Polled::Panics => {}
        }
        polled
    }
}

impl Future for Scripted {
    type Output = Tracked;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Tracked> {
        self.bench.touch();
        self.bench.monitor.handing(0);
        let entry = self.bench.monitor.entered(HandOver::new(POLL, None), locks_held());
        if self.polls == 0 {
            self.bench.carry_out(entry, self.bench.program(POLL, Part::Call));
        }
        let polled = self.next(context);
        self.bench.touch();
        self.bench.monitor.left(POLL, Part::Call, locks_held());
        self.bench.monitor.handed_over(0);
        match polled {
            Polled::Ready => Poll::Ready(self.bench.make(Thing::Value(Value::Finished(0)))),
            // `resume_unwind` prints nothing, unlike `panic!`.
            Polled::Panics => resume_unwind(Box::new("of the script")),
            _ => Poll::Pending,
        }
    }
}

/// The waker that the first pending poll leaves for other threads. Each access is a dependent operation, at which threads
/// can switch.
struct SharedWaker {
    waker: Mutex<Option<Waker>>,
    probe: Probe,
}

impl SharedWaker {
    fn new() -> Self {
        SharedWaker { waker: Mutex::default(), probe: Probe::new() }
    }

    fn leave(&self, waker: &Waker) {
        if locked(&self.waker).is_none() {
            self.probe.touch();
            *locked(&self.waker) = Some(waker.clone());
        }
    }

    fn wake(&self) {
        self.probe.touch();
        let waker = locked(&self.waker).clone();
        waker.inspect(Waker::wake_by_ref);
    }
}

/// The threads without the loop, and the waker of the main future that waits for them.
struct OtherThreads {
    running: Mutex<(usize, Option<Waker>)>,
    probe: Probe,
}

impl OtherThreads {
    fn new(count: usize) -> Self {
        OtherThreads { running: Mutex::new((count, None)), probe: Probe::new() }
    }

    /// Counts one thread as ended. The last one wakes the main future.
    fn one_ends(&self) {
        self.probe.touch();
        let mut running = locked(&self.running);
        running.0 -= 1;
        let waker = if running.0 == 0 { running.1.take() } else { None };
        let is_last = running.0 == 0;
        drop(running);
        // Once the last one has ended, the loop does not wait for time to pass.
        if !is_last {
            channel::one_ends();
        }
        waker.into_iter().for_each(Waker::wake);
    }
}

/// The future that the loop runs: it is ready once all other threads have ended.
struct Main(Arc<OtherThreads>);

impl Future for Main {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.probe.touch();
        let mut running = locked(&self.0.running);
        if running.0 == 0 {
            return Poll::Ready(());
        }
        running.1 = Some(context.waker().clone());
        Poll::Pending
    }
}
