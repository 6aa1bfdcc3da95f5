//! A program on a plain model of the event loop: one queue, a line for each task, turn after turn.

use super::{Op, Then};
use std::collections::VecDeque;
use std::mem;

/// What must happen, in order, until the end.
pub fn play(program: &[Op]) -> Vec<String> {
    let mut model = Model { program: program.iter().copied().collect(), ..Model::default() };
    model.carry_out(Op::Make);
    model.carry_out(Op::Make);
    while let Some(op) = model.program.pop_front() {
        match op {
            Op::Run => model.run(),
            op => model.carry_out(op),
        }
    }
    model.close();
    for number in 0..model.tasks.len() {
        model.abandon_plain(number);
        if model.tasks[number].outcome == Some("panicked") && !model.tasks[number].looked_at {
            model.note("PanicNeverRetrieved");
        }
    }
    model.log
}

#[derive(Default)]
struct Model {
    program: VecDeque<Op>,
    log: Vec<String>,
    queue: VecDeque<Entry>,
    tasks: Vec<Task>,
    /// The task and the callback of each add.
    added: Vec<(usize, Turn)>,
    names: usize,
    closed: bool,
}

/// One place in the loop's queue.
enum Entry {
    Turn(Turn),
    Step(usize),
    MainsStep,
    MainsEnd,
}

#[derive(Default)]
struct Task {
    line: Vec<InLine>,
    outcome: Option<&'static str>,
    completer: bool,
    looked_at: bool,
    awaiter: Option<Awaiter>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum InLine {
    Callback(Turn),
    /// The task that awaits.
    Wake(usize),
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Turn {
    name: usize,
    then: Then,
}

/// What a task that awaits another is besides.
#[derive(Clone, Copy)]
struct Awaiter {
    of: usize,
    turn: Turn,
    queued: bool,
    cancel_requested: bool,
}

impl Model {
    fn carry_out(&mut self, op: Op) {
        match op {
            Op::Make => self.tasks.push(Task { completer: true, ..Task::default() }),
            Op::Await(of, then) if of < self.tasks.len() => {
                let turn = self.turn(then);
                let awaiter = Some(Awaiter { of, turn, queued: true, cancel_requested: false });
                self.queue.push_back(Entry::Step(self.tasks.len()));
                self.tasks.push(Task { awaiter, ..Task::default() });
            }
            Op::Soon(then) => {
                let turn = self.turn(then);
                self.queue.push_back(Entry::Turn(turn));
            }
            Op::Add(task, then) if task < self.tasks.len() => {
                let turn = self.turn(then);
                self.added.push((task, turn));
                match self.tasks[task].outcome {
                    None => self.tasks[task].line.push(InLine::Callback(turn)),
                    Some(_) => self.hand_over(turn),
                }
            }
            Op::Remove(number) if number < self.added.len() => {
                let (task, turn) = self.added[number];
                let removed = self.leave(task, InLine::Callback(turn));
                if removed {
                    self.gone(turn);
                }
                self.note(format!("removed {removed}"));
            }
            Op::Complete(task) if self.take_completer(task) => {
                let completed = self.finish(task, "finished");
                self.note(format!("completed {completed}"));
            }
            Op::Drop(task) => self.abandon_plain(task),
            Op::Cancel(task) if task < self.tasks.len() => {
                let cancelled = match &mut self.tasks[task] {
                    Task { outcome: None, awaiter: Some(awaiter), .. } => {
                        awaiter.cancel_requested = true;
                        self.wake(task);
                        true
                    }
                    // Whoever is refused has looked (R50, R75).
                    Task { outcome, looked_at, .. } => {
                        *looked_at |= outcome.is_some();
                        self.finish(task, "cancelled")
                    }
                };
                self.note(format!("cancelled {cancelled}"));
            }
            _ => {}
        }
    }

    /// Main's first step is queued; the run ends with the turn in which the callback of its end runs.
    fn run(&mut self) {
        self.queue.push_back(Entry::MainsStep);
        let mut ended = false;
        while !ended {
            for _ in 0..self.queue.len() {
                match self.queue.pop_front().expect("they were there when the turn began") {
                    Entry::Turn(turn) => {
                        self.note(format!("{} ran", turn.name));
                        if self.end(turn) {
                            self.note("CallbackPanicked");
                        }
                    }
                    Entry::Step(task) => self.step(task),
                    Entry::MainsStep => self.queue.push_back(Entry::MainsEnd),
                    Entry::MainsEnd => ended = true,
                }
            }
        }
    }

    fn step(&mut self, task: usize) {
        let Task { outcome: None, awaiter: Some(awaiter), .. } = &mut self.tasks[task] else { return };
        awaiter.queued = false;
        let Awaiter { of, turn, cancel_requested, .. } = *awaiter;
        if cancel_requested {
            self.gone(turn);
            self.leave(of, InLine::Wake(task));
            self.finish(task, "cancelled");
        } else if let Some(word) = self.tasks[of].outcome {
            self.tasks[of].looked_at = true;
            self.note(format!("{} awaited {word}", turn.name));
            let panicked = self.end(turn);
            let cancelled = self.tasks[task].awaiter.is_some_and(|awaiter| awaiter.cancel_requested);
            let outcome = [["finished", "cancelled"][usize::from(cancelled)], "panicked"][usize::from(panicked)];
            self.finish(task, outcome);
        } else if !self.tasks[of].line.contains(&InLine::Wake(task)) {
            self.tasks[of].line.push(InLine::Wake(task));
        }
    }

    /// True if it panics.
    fn end(&mut self, turn: Turn) -> bool {
        if turn.then == Then::NextOperation {
            self.program.pop_front().into_iter().for_each(|op| self.carry_out(op));
        }
        self.gone(turn);
        turn.then == Then::Panic
    }

    /// True for the first one only.
    fn finish(&mut self, task: usize, word: &'static str) -> bool {
        if self.tasks[task].outcome.is_some() {
            return false;
        }
        self.tasks[task].outcome = Some(word);
        for in_line in mem::take(&mut self.tasks[task].line) {
            match in_line {
                InLine::Callback(turn) => self.hand_over(turn),
                InLine::Wake(task) => self.wake(task),
            }
        }
        true
    }

    fn wake(&mut self, task: usize) {
        let Task { outcome: None, awaiter: Some(awaiter), .. } = &mut self.tasks[task] else { return };
        if !mem::replace(&mut awaiter.queued, true) {
            self.queue.push_back(Entry::Step(task));
        }
    }

    fn hand_over(&mut self, turn: Turn) {
        match self.closed {
            true => self.lose(turn),
            false => self.queue.push_back(Entry::Turn(turn)),
        }
    }

    /// The tasks of the loop are abandoned, oldest first, and what stands in the queue is lost.
    fn close(&mut self) {
        for task in 0..self.tasks.len() {
            let Task { outcome: None, awaiter: Some(awaiter), .. } = &self.tasks[task] else { continue };
            let Awaiter { of, turn, cancel_requested, .. } = *awaiter;
            self.gone(turn);
            self.leave(of, InLine::Wake(task));
            self.finish(task, if cancel_requested { "cancelled" } else { "abandoned" });
            if !cancel_requested {
                self.note("TaskAbandoned");
            }
        }
        self.closed = true;
        let mut unrun = 0;
        for entry in mem::take(&mut self.queue) {
            let Entry::Turn(turn) = entry else { continue };
            unrun += 1;
            self.lose(turn);
        }
        if unrun > 0 {
            self.note(format!("LoopClosed({unrun})"));
        }
        self.note(format!("closed {unrun}"));
    }

    fn lose(&mut self, turn: Turn) {
        self.note("CallbackLost");
        self.gone(turn);
    }

    fn abandon_plain(&mut self, task: usize) {
        if self.take_completer(task) {
            self.finish(task, "abandoned");
        }
    }

    fn take_completer(&mut self, task: usize) -> bool {
        self.tasks.get_mut(task).is_some_and(|task| mem::take(&mut task.completer))
    }

    /// True if it stood in the task's line.
    fn leave(&mut self, task: usize, which: InLine) -> bool {
        let line = &mut self.tasks[task].line;
        let before = line.len();
        line.retain(|in_line| *in_line != which);
        line.len() < before
    }

    fn turn(&mut self, then: Then) -> Turn {
        self.names += 1;
        Turn { name: self.names, then }
    }

    fn gone(&mut self, turn: Turn) {
        self.note(format!("{} gone", turn.name));
    }

    fn note(&mut self, what: impl Into<String>) {
        self.log.push(what.into());
    }
}
