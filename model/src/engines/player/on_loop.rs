//! Plays a scenario on the event loop that lies beside this file. Included once for each engine that has one.
//!
//! The first thread is the loop's, and runs it when it is told to. The others do what their operations say.

use super::event_loop::{EventLoop, Handle, Sleep};
use super::kernel::CallbackId;
use super::outcome::Outcome;
use super::player::bench::{Bench, Carrier, Tracked, locked};
use super::player::{Subject, at_rest, perform_on, play_by};
use super::report::{Failure, Report};
use super::stage::Probe;
use super::sync::locks_held;
use super::task::Task;
use std::collections::HashMap;
use std::future::{Future, ready};
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use whendone_model::engines::Observed;
use whendone_model::observation::event::Thing;
use whendone_model::observation::{Answer, HandOver, Observation, Told};
use whendone_model::scenario::Scenario;
use whendone_model::scenario::names::{Nonce, POLL, Part, Value};
use whendone_model::scenario::poll_script::{Polled, Script};
use whendone_model::scenario::resolve::{Step, TaskStep};

/// Plays it in every way that the engine knows, on a loop or on what else it is for.
pub fn play(scenario: &Scenario) -> Observed {
    match scenario.script() {
        Some(_) => play_by(scenario, perform),
        None => super::player::play(scenario),
    }
}

/// One execution. The last row of answers is how the task ended.
fn perform(scenario: &Scenario) -> (Observation, Vec<String>) {
    let bench = Arc::new(Bench::new(scenario));
    let end = Arc::new(Mutex::new(None));
    let (mut observation, broken) = perform_on(OnLoop::new(&bench, scenario, &end), &bench);
    let end = locked(&end).map(|value| Answer::Outcome(Some(value)));
    observation.answers.push(end.into_iter().collect());
    // That nobody looked at a panic is told of when the last handle goes.
    observation.told = bench.ledger.observed().1;
    (observation, broken)
}

/// A thread's part: the first one's, which has the loop, or another one's.
struct OnLoop {
    event_loop: Arc<Mutex<Option<EventLoop>>>,
    desk: Arc<Desk>,
    /// This thread's handle.
    task: Option<Task<Tracked>>,
    is_loops: bool,
    others: Arc<Others>,
    end: Arc<Mutex<Option<Value>>>,
}

/// What threads and programs share.
struct Desk {
    handle: Handle,
    /// For programs, if there are any.
    task: Option<Task<Tracked>>,
    ids: Mutex<HashMap<Nonce, CallbackId>>,
    waker: Arc<Left>,
    bench: Arc<Bench>,
}

impl OnLoop {
    fn new(bench: &Arc<Bench>, scenario: &Scenario, end: &Arc<Mutex<Option<Value>>>) -> Self {
        let hook = bench.clone();
        let event_loop = EventLoop::with_exception_hook(move |report| tell(&hook, report));
        let handle = event_loop.handle();
        let (waker, others) = (Arc::new(Left::new()), Arc::new(Others::new(scenario.threads.len() - 1)));
        let script = scenario.script().expect("asked before");
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
        let desk = Desk { handle, task: for_programs, ids: Mutex::default(), waker, bench: bench.clone() };
        OnLoop {
            event_loop: Arc::new(Mutex::new(Some(event_loop))),
            desk: Arc::new(desk),
            task: Some(task),
            is_loops: true,
            others,
            end: end.clone(),
        }
    }

    fn run(&self, main: impl Future<Output = ()> + Send + 'static) {
        let mut event_loop = locked(&self.event_loop).take().expect("the scenario was checked: it is not closed");
        event_loop.run_until_complete(main);
        *locked(&self.event_loop) = Some(event_loop);
    }
}

impl Subject for OnLoop {
    fn fork(&mut self) -> Self {
        let is_loops = std::mem::take(&mut self.is_loops);
        OnLoop {
            event_loop: self.event_loop.clone(),
            desk: self.desk.clone(),
            task: self.task.clone(),
            is_loops,
            others: self.others.clone(),
            end: self.end.clone(),
        }
    }

    fn carrier(&self) -> Option<Weak<dyn Carrier>> {
        let desk: Arc<dyn Carrier> = self.desk.clone();
        Some(Arc::downgrade(&desk))
    }

    fn carry_out(&mut self, (_, step): TaskStep) -> Option<Answer> {
        match step {
            Step::DropHandle => {
                self.let_go();
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
                let event_loop = locked(&self.event_loop).take().expect("the scenario was checked: it is not closed");
                Some(Answer::Count(event_loop.close()))
            }
            step => self.desk.carry_out_on(self.task.as_ref().expect(HAS_HANDLE), step),
        }
    }

    fn let_go(&mut self) {
        self.task = None;
    }

    fn through(&mut self, _is_last: bool) {
        if !self.is_loops {
            self.others.through();
        }
    }

    fn settle(&mut self) {
        let left = locked(&self.event_loop).take();
        drop(left);
        // Not by a read that would count as a look (D8).
        let outcome = self.task.as_ref().and_then(|task| task.cell().outcome());
        *locked(&self.end) = outcome.map(value_of);
    }

    fn broken_at_rest(&self) -> Option<String> {
        self.task.as_ref().and_then(|task| at_rest(task.cell()))
    }
}

/// The scenario was checked.
const HAS_HANDLE: &str = "nothing comes after H, and H not beside programs";

impl Desk {
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
                let nonce = nonce.expect("the scenario was checked: no foreign id on a loop");
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
                self.handle.spawn(async move { hand_over(&capture.bench, nonce, &task) });
                None
            }
            _ => unreachable!("the scenario was checked: {step:?} is not for a loop"),
        }
    }
}

impl Carrier for Desk {
    fn carry_out(&self, (_, step): TaskStep) -> Option<Answer> {
        self.carry_out_on(self.task.as_ref().expect(HAS_HANDLE), step)
    }
}

/// The loop runs one after the other.
fn hand_over(bench: &Bench, nonce: Nonce, task: &Task<Tracked>) {
    bench.run(nonce, Part::Call, Some(0), || task.outcome().map(value_of));
}

fn value_of(outcome: &Outcome<Tracked>) -> Value {
    match outcome {
        Outcome::Finished(token) => token.value(),
        Outcome::Cancelled => Value::Cancelled,
        Outcome::Abandoned => Value::Abandoned,
        Outcome::Panicked(_) => Value::Panicked,
    }
}

/// The loop's hook.
fn tell(bench: &Bench, report: &Report) {
    let said = report.panic.as_ref().and_then(|panic| panic.message().parse().ok());
    let told = match (report.failure, said) {
        (Failure::CallbackLost, None) => Told::Lost(0),
        (Failure::TaskAbandoned, None) => Told::Abandoned,
        (Failure::PanicNeverRetrieved, None) => Told::NeverRetrieved,
        (Failure::LoopClosed(unrun), None) => Told::Closed(unrun),
        (Failure::CallbackPanicked, Some(nonce)) => Told::CallbackPanicked(nonce),
        (Failure::DropPanicked, Some(nonce)) => Told::DropPanicked(nonce),
        _ => return bench.ledger.broken(format!("P14: {report}")),
    };
    bench.ledger.told(told, locks_held());
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
    waker: Arc<Left>,
}

/// How long does not matter: the clock knows nothing else to wait for.
const NAP: Duration = Duration::from_secs(1);

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
                    let mut nap = self.handle.sleep(NAP);
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
        self.bench.ledger.handing(0);
        self.bench.ledger.entered(HandOver::new(POLL, None), locks_held());
        let polled = self.next(context);
        self.bench.touch();
        self.bench.ledger.left(POLL, Part::Call, locks_held());
        self.bench.ledger.handed_over(0);
        match polled {
            Polled::Ready => Poll::Ready(self.bench.make(Thing::Value(Value::Finished(0)))),
            // Not by `panic!`, which would print.
            Polled::Panics => resume_unwind(Box::new("of the script")),
            _ => Poll::Pending,
        }
    }
}

/// The waker that the first pending poll leaves for others. Each look is a dependent operation, so that
/// threads can switch there.
struct Left {
    waker: Mutex<Option<Waker>>,
    probe: Probe,
}

impl Left {
    fn new() -> Self {
        Left { waker: Mutex::default(), probe: Probe::new() }
    }

    fn leave(&self, waker: &Waker) {
        if locked(&self.waker).is_none() {
            self.probe.touch();
            *locked(&self.waker) = Some(waker.clone());
        }
    }

    fn wake(&self) {
        self.probe.touch();
        let left = locked(&self.waker).clone();
        left.inspect(Waker::wake_by_ref);
    }
}

/// The threads other than the loop's, and the waker of a main that waits for them.
struct Others {
    left: Mutex<(usize, Option<Waker>)>,
    probe: Probe,
}

impl Others {
    fn new(count: usize) -> Self {
        Others { left: Mutex::new((count, None)), probe: Probe::new() }
    }

    /// One of them is.
    fn through(&self) {
        self.probe.touch();
        let mut left = locked(&self.left);
        left.0 -= 1;
        let waker = if left.0 == 0 { left.1.take() } else { None };
        drop(left);
        waker.into_iter().for_each(Waker::wake);
    }
}

/// What the loop runs for.
struct Main(Arc<Others>);

impl Future for Main {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.probe.touch();
        let mut left = locked(&self.0.left);
        if left.0 == 0 {
            return Poll::Ready(());
        }
        left.1 = Some(context.waker().clone());
        Poll::Pending
    }
}
