//! A program on the event loop.

use super::{Op, Then};
use std::collections::VecDeque;
use std::mem;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};
use whendone::{CallbackId, Completer, EventLoop, Handle, Outcome, Task};

/// What happened, in order, until the end.
pub fn play(program: &[Op]) -> Vec<String> {
    let log = Log::default();
    let hook = log.clone();
    let mut event_loop = EventLoop::with_exception_hook(move |report| hook.note(format!("{:?}", report.failure)));
    let stage = Arc::new(Stage { handle: event_loop.handle(), log: log.clone(), state: Mutex::default() });
    stage.state.lock().unwrap().program = program.iter().copied().collect();
    stage.carry_out(Op::Make);
    stage.carry_out(Op::Make);
    while let Some(op) = stage.next() {
        match op {
            Op::Run => event_loop.run_until_complete(async {}),
            op => stage.carry_out(op),
        }
    }
    log.note(format!("closed {}", event_loop.close()));
    let made = mem::take(&mut stage.state.lock().unwrap().made);
    drop(made);
    assert_eq!(Arc::strong_count(&stage), 1, "nothing is left behind (P15)");
    drop(stage);
    log.take()
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn note(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }

    fn take(&self) -> Vec<String> {
        mem::take(&mut self.0.lock().unwrap())
    }
}

struct Stage {
    handle: Handle,
    log: Log,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    program: VecDeque<Op>,
    made: Vec<Made>,
    /// The task and the id of each add.
    added: Vec<(usize, CallbackId)>,
    names: usize,
}

/// A task, and its completer if it is a plain one. They are dropped in this order.
struct Made {
    completer: Option<Completer<()>>,
    task: Task<()>,
}

impl Stage {
    fn next(&self) -> Option<Op> {
        self.state.lock().unwrap().program.pop_front()
    }

    fn carry_out(self: &Arc<Self>, op: Op) {
        match op {
            Op::Make => {
                let (completer, task) = whendone::task(self.handle.clone());
                self.state.lock().unwrap().made.push(Made { completer: Some(completer), task });
            }
            Op::Await(number, then) => {
                let Some(awaited) = self.task(number) else { return };
                let turn = self.turn(then);
                let task = self.handle.spawn(async move {
                    let word = word((&awaited).await);
                    turn.stage.log.note(format!("{} awaited {word}", turn.name));
                    turn.end();
                });
                self.state.lock().unwrap().made.push(Made { completer: None, task });
            }
            Op::Soon(then) => {
                let turn = self.turn(then);
                self.handle.call_soon(move || turn.run()).expect("it is open");
            }
            Op::Add(number, then) => {
                let Some(task) = self.task(number) else { return };
                let turn = self.turn(then);
                let id = task.add_done_callback(move |_| turn.run());
                self.state.lock().unwrap().added.push((number, id));
            }
            Op::Remove(number) => {
                let added = self.state.lock().unwrap().added.get(number).copied();
                let Some((task, id)) = added.and_then(|(task, id)| Some((self.task(task)?, id))) else { return };
                let removed = task.remove_done_callback(id);
                self.log.note(format!("removed {removed}"));
            }
            Op::Complete(number) => {
                let Some(completer) = self.completer(number) else { return };
                let completed = completer.complete(()).is_ok();
                self.log.note(format!("completed {completed}"));
            }
            Op::Drop(number) => drop(self.completer(number)),
            Op::Cancel(number) => {
                let Some(task) = self.task(number) else { return };
                let cancelled = task.cancel();
                self.log.note(format!("cancelled {cancelled}"));
            }
            Op::Run => {}
        }
    }

    fn task(&self, number: usize) -> Option<Task<()>> {
        self.state.lock().unwrap().made.get(number).map(|made| made.task.clone())
    }

    fn completer(&self, number: usize) -> Option<Completer<()>> {
        self.state.lock().unwrap().made.get_mut(number)?.completer.take()
    }

    fn turn(self: &Arc<Self>, then: Then) -> Turn {
        let mut state = self.state.lock().unwrap();
        state.names += 1;
        Turn { stage: self.clone(), name: state.names, then }
    }
}

/// What is run when its turn comes, and says when it is gone.
struct Turn {
    stage: Arc<Stage>,
    name: usize,
    then: Then,
}

impl Turn {
    fn run(self) {
        self.stage.log.note(format!("{} ran", self.name));
        self.end();
    }

    fn end(self) {
        match self.then {
            Then::Nothing => {}
            Then::NextOperation => self.stage.next().into_iter().for_each(|op| self.stage.carry_out(op)),
            // Without the words on standard error.
            Then::Panic => resume_unwind(Box::new(())),
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.stage.log.note(format!("{} gone", self.name));
    }
}

fn word(outcome: &Outcome<()>) -> &'static str {
    match outcome {
        Outcome::Finished(()) => "finished",
        Outcome::Cancelled => "cancelled",
        Outcome::Panicked(_) => "panicked",
        _ => "abandoned",
    }
}
