//! Plays a program on a plain model of the event loop: one queue, a line for each task, turn after turn.

use super::{Act, Beat, LONGEST, Move, Played, Program, Step};
use std::collections::VecDeque;
use std::mem;

/// Returns the events that a play must show.
pub fn play(program: &Program) -> Played {
    let mut model = Model { shared: &program.shared, ..Model::default() };
    for step in &program.moves {
        let moved = match step {
            Move::Run(beats) => model.run(beats),
            Move::Do(act) => model.act(act),
        };
        model.contain(moved);
    }
    model.played.ended = !program.close;
    model.close();
    model.played.ended = true;
    for task in 0..model.tasks.len() {
        let _ = model.forget(task);
    }
    for task in 0..model.tasks.len() {
        let _ = model.abandon(task);
    }
    model.played
}

#[derive(Default)]
struct Model<'a> {
    shared: &'a [Vec<Act>],
    played: Played,
    fresh: u32,
    queue: VecDeque<Entry<'a>>,
    napping: Vec<usize>,
    tasks: Vec<Task<'a>>,
    registrations: Vec<Registration<'a>>,
    closed: bool,
}

/// One place in the loop's queue.
enum Entry<'a> {
    /// A registration whose task is done.
    Call(usize),
    Soon(u32, &'a [Act]),
    Step(usize),
    MainsStep,
    MainsEnd,
}

struct Registration<'a> {
    to: usize,
    shared: Option<usize>,
    acts: &'a [Act],
}

#[derive(Default)]
struct Task<'a> {
    line: Vec<InLine>,
    outcome: Option<String>,
    /// The panic that ended it, until it is retrieved.
    unretrieved: Option<u32>,
    /// The program's own handle, the body's, and one for each queued callback and each await.
    handles: usize,
    forgotten: bool,
    completer: bool,
    body: Option<Body<'a>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum InLine {
    Callback(usize),
    /// The task that awaits.
    Wake(usize),
}

struct Body<'a> {
    steps: &'a [Step],
    at: At,
    queued: bool,
    cancel_requested: bool,
}

/// The position of a body.
#[derive(Clone, Copy)]
enum At {
    Start,
    Work,
    Yield,
    Nap,
    Await(usize),
}

/// The main of a run: the remaining beats, and the beat in which it rests.
struct Main<'a> {
    beats: &'a [Beat],
    rest: Option<Rest>,
}

#[derive(Clone, Copy)]
enum Rest {
    Turn,
    /// The number of this turn, and the count of events when the last pair of turns began.
    Idle {
        turns: usize,
        shown: usize,
    },
}

/// The end of a list of acts: a panic ends it early, with the panic's number.
type Acted = Result<(), u32>;

impl<'a> Model<'a> {
    fn act(&mut self, act: &'a Act) -> Acted {
        if self.shown() >= LONGEST {
            return Ok(());
        }
        if let Act::Panic = act {
            return Err(self.next());
        }
        if self.carry_out(act).is_none() {
            self.note("nobody");
        }
        Ok(())
    }

    /// Returns `None` if a number names nothing.
    fn carry_out(&mut self, act: &'a Act) -> Option<()> {
        match *act {
            Act::Future => self.tasks.push(Task { handles: 1, completer: true, ..Task::default() }),
            Act::Spawn(ref steps) => {
                let body = Some(Body { steps, at: At::Start, queued: true, cancel_requested: false });
                self.queue.push_back(Entry::Step(self.tasks.len()));
                self.tasks.push(Task { handles: 2, body, ..Task::default() });
            }
            Act::Add(to, ref acts) => self.register(Registration { to, shared: None, acts })?,
            Act::Share(to, which) => {
                let acts = self.shared.get(which)?;
                self.register(Registration { to, shared: Some(which), acts })?;
            }
            Act::Remove(number) => {
                let to = self.registrations.get(number)?.to;
                self.task(to)?;
                let removed = self.leave_line(to, InLine::Callback(number));
                if removed {
                    self.captures_go(number);
                }
                self.note(format!("removed {}", usize::from(removed)));
            }
            Act::Unshare(of, which) => {
                self.shared.get(which)?;
                let before = self.task(of)?.line.len();
                let is_one = |number: usize| self.registrations[number].shared == Some(which);
                self.tasks[of].line.retain(|in_line| !matches!(in_line, InLine::Callback(number) if is_one(*number)));
                self.note(format!("removed {}", before - self.tasks[of].line.len()));
            }
            Act::Complete(at) => self.complete(at, "finished")?,
            Act::Fail(at) => self.complete(at, "failed")?,
            Act::Drop(at) => self.abandon(at)?,
            Act::Forget(at) => self.forget(at)?,
            Act::Cancel(at) => {
                self.task(at)?;
                let cancelled = self.cancel(at);
                self.note(format!("cancel {cancelled}"));
            }
            Act::Read(at) => {
                self.task(at)?;
                let outcome = self.retrieve(at);
                self.note(format!("read {outcome}"));
            }
            Act::Soon(ref acts) => {
                let name = self.next();
                self.queue.push_back(Entry::Soon(name, acts));
            }
            Act::Panic => unreachable!("it ends the acts"),
        }
        Some(())
    }

    fn acts(&mut self, acts: &'a [Act]) -> Acted {
        acts.iter().try_for_each(|act| self.act(act))
    }

    fn contain(&mut self, acted: Acted) {
        if let Err(panic) = acted {
            self.note(format!("raised {panic}"));
        }
    }

    fn register(&mut self, registration: Registration<'a>) -> Option<()> {
        let (to, number) = (registration.to, self.registrations.len());
        let is_done = self.task(to)?.outcome.is_some();
        self.registrations.push(registration);
        match is_done {
            false => self.tasks[to].line.push(InLine::Callback(number)),
            true => self.hand_over(number),
        }
        Some(())
    }

    fn complete(&mut self, at: usize, word: &str) -> Option<()> {
        self.take_completer(at)?;
        let value = self.next();
        let answer = if self.finish(at, format!("{word} {value}")) { "completed" } else { "refused" };
        self.note(format!("{answer} {value}"));
        Some(())
    }

    /// Returns true if the task was not done. A refused cancel retrieves the outcome (R75).
    fn cancel(&mut self, at: usize) -> bool {
        if self.tasks[at].outcome.is_some() {
            self.retrieve(at);
            return false;
        }
        match &mut self.tasks[at].body {
            None => self.finish(at, "cancelled".to_owned()),
            Some(body) => {
                body.cancel_requested = true;
                self.wake(at);
                true
            }
        }
    }

    /// Runs turn after turn. A turn consists of the entries queued at its beginning; main's callback runs in the last.
    fn run(&mut self, beats: &'a [Beat]) -> Acted {
        let mut main = Main { beats, rest: None };
        self.queue.push_back(Entry::MainsStep);
        let mut ended = None;
        let mut over = false;
        while !over {
            for task in mem::take(&mut self.napping) {
                self.wake(task);
            }
            for _ in 0..self.queue.len() {
                match self.queue.pop_front().expect("it was there when the turn began") {
                    Entry::Call(number) => self.call(number),
                    Entry::Soon(name, acts) => {
                        self.note(format!("soon {name}"));
                        let acted = self.acts(acts);
                        self.played.gone(format_args!("soon {name}"));
                        self.contain(acted);
                    }
                    Entry::Step(task) => self.step(task),
                    Entry::MainsStep => {
                        ended = self.step_main(&mut main);
                        self.queue.push_back(if ended.is_some() { Entry::MainsEnd } else { Entry::MainsStep });
                    }
                    Entry::MainsEnd => over = true,
                }
            }
        }
        ended.expect("main ended")
    }

    fn call(&mut self, number: usize) {
        let Registration { to, shared, acts } = self.registrations[number];
        let name = shared.map_or(format!("called {number}"), |which| format!("shared {which}"));
        let outcome = self.retrieve(to);
        self.note(format!("{name} {to} {outcome}"));
        let acted = self.acts(acts);
        self.captures_go(number);
        self.contain(acted);
        self.release(to);
    }

    /// Carries out beats. Returns `None` if main rests in one, else the end of main.
    fn step_main(&mut self, main: &mut Main<'a>) -> Option<Acted> {
        match main.rest.take() {
            None => {}
            Some(Rest::Turn) => self.note("turn"),
            Some(Rest::Idle { turns, shown }) => {
                let is_second = turns % 2 == 0;
                if !is_second || turns < 20 && shown != self.shown() {
                    let shown = if is_second { self.shown() } else { shown };
                    main.rest = Some(Rest::Idle { turns: turns + 1, shown });
                    return None;
                }
                self.note("idle");
            }
        }
        while let Some((beat, beats)) = main.beats.split_first() {
            main.beats = beats;
            match beat {
                Beat::Turn => main.rest = Some(Rest::Turn),
                Beat::Idle => main.rest = Some(Rest::Idle { turns: 1, shown: self.shown() }),
                Beat::Do(act) => match self.act(act) {
                    Ok(()) => continue,
                    panicked => return Some(panicked),
                },
            }
            return None;
        }
        Some(Ok(()))
    }

    /// Carries out steps until the body is suspended or ends.
    fn step(&mut self, own: usize) {
        let Some(body) = &mut self.tasks[own].body else { return };
        body.queued = false;
        if body.cancel_requested {
            return self.end_body(own, "cancelled".to_owned());
        }
        match mem::replace(&mut body.at, At::Work) {
            At::Start => self.note(format!("started {own}")),
            At::Yield => self.note(format!("resumed {own}")),
            At::Nap => self.note(format!("slept {own}")),
            At::Await(of) => {
                self.awaited(own, of);
                self.release(of);
            }
            At::Work => unreachable!("a body is not polled in its own step"),
        }
        while let Some(step) = self.next_step(own) {
            let suspended = match *step {
                Step::Yield => {
                    self.wake(own);
                    At::Yield
                }
                Step::Nap => {
                    self.napping.push(own);
                    At::Nap
                }
                Step::Await(of) if of >= own => continue,
                Step::Await(of) => match self.task(of) {
                    None => {
                        self.note("nobody");
                        continue;
                    }
                    Some(Task { outcome: Some(_), .. }) => {
                        self.awaited(own, of);
                        continue;
                    }
                    Some(task) => {
                        task.line.push(InLine::Wake(own));
                        task.handles += 1;
                        At::Await(of)
                    }
                },
                Step::Do(ref act) => match self.act(act) {
                    Ok(()) => continue,
                    Err(panic) => {
                        self.tasks[own].unretrieved = Some(panic);
                        return self.end_body(own, format!("panicked {panic}"));
                    }
                },
            };
            self.tasks[own].body.as_mut().expect("it is not over").at = suspended;
            return;
        }
        let value = self.next();
        self.end_body(own, format!("finished {value}"));
    }

    fn next_step(&mut self, own: usize) -> Option<&'a Step> {
        let body = self.tasks[own].body.as_mut()?;
        let (step, steps) = body.steps.split_first()?;
        body.steps = steps;
        Some(step)
    }

    fn awaited(&mut self, own: usize, of: usize) {
        let outcome = self.retrieve(of);
        self.note(format!("awaited {own} {outcome}"));
    }

    /// Drops the body and then finishes its task. A cancel request overrides every end but a panic (R55).
    fn end_body(&mut self, own: usize, outcome: String) {
        let body = self.tasks[own].body.take().expect("it ends once");
        if let At::Await(of) = body.at {
            self.leave_line(of, InLine::Wake(own));
            self.release(of);
        }
        if !matches!(body.at, At::Start) {
            self.note(format!("left {own}"));
        }
        self.played.gone(format_args!("body {own}"));
        let is_cancelled = body.cancel_requested && self.tasks[own].unretrieved.is_none();
        let is_abandoned = outcome == "abandoned" && !is_cancelled;
        self.finish(own, if is_cancelled { "cancelled".to_owned() } else { outcome });
        if is_abandoned {
            self.note(format!("abandoned {own}"));
        }
        self.release(own);
    }

    /// Ends a task. Returns true the first time only.
    fn finish(&mut self, task: usize, outcome: String) -> bool {
        if self.tasks[task].outcome.is_some() {
            return false;
        }
        self.tasks[task].outcome = Some(outcome);
        for in_line in mem::take(&mut self.tasks[task].line) {
            match in_line {
                InLine::Callback(number) => self.hand_over(number),
                InLine::Wake(awaiter) => self.wake(awaiter),
            }
        }
        true
    }

    fn wake(&mut self, task: usize) {
        let Some(body) = &mut self.tasks[task].body else { return };
        if !mem::replace(&mut body.queued, true) {
            self.queue.push_back(Entry::Step(task));
        }
    }

    fn hand_over(&mut self, number: usize) {
        self.tasks[self.registrations[number].to].handles += 1;
        match self.closed {
            true => self.lose(number),
            false => self.queue.push_back(Entry::Call(number)),
        }
    }

    /// Abandons the tasks of the loop, oldest first; the callbacks in the queue are lost.
    fn close(&mut self) {
        for task in 0..self.tasks.len() {
            if self.tasks[task].body.is_some() {
                self.end_body(task, "abandoned".to_owned());
            }
        }
        self.closed = true;
        let mut unrun = 0;
        for entry in mem::take(&mut self.queue) {
            match entry {
                Entry::Call(number) => self.lose(number),
                Entry::Soon(name, _) => {
                    self.note("lost");
                    self.played.gone(format_args!("soon {name}"));
                }
                _ => continue,
            }
            unrun += 1;
        }
        if unrun > 0 {
            self.note(format!("unrun {unrun}"));
        }
        self.note(format!("closed {unrun}"));
    }

    fn lose(&mut self, number: usize) {
        let to = self.registrations[number].to;
        self.note(format!("lost {to}"));
        self.captures_go(number);
        self.release(to);
    }

    fn abandon(&mut self, task: usize) -> Option<()> {
        self.take_completer(task)?;
        self.finish(task, "abandoned".to_owned());
        Some(())
    }

    fn take_completer(&mut self, task: usize) -> Option<()> {
        mem::take(&mut self.tasks.get_mut(task)?.completer).then_some(())
    }

    fn forget(&mut self, task: usize) -> Option<()> {
        self.task(task)?.forgotten = true;
        self.release(task);
        Some(())
    }

    /// Drops a handle. A panic that was never retrieved is reported when the last one goes (R72).
    fn release(&mut self, task: usize) {
        let Task { handles, unretrieved, .. } = &mut self.tasks[task];
        *handles -= 1;
        if *handles == 0
            && let Some(panic) = unretrieved.take()
        {
            self.note(format!("unretrieved {task} {panic}"));
        }
    }

    fn retrieve(&mut self, task: usize) -> String {
        let Task { outcome, unretrieved, .. } = &mut self.tasks[task];
        *unretrieved = None;
        outcome.clone().unwrap_or_else(|| "pending".to_owned())
    }

    /// Returns true if the callback or await was in line.
    fn leave_line(&mut self, task: usize, which: InLine) -> bool {
        let line = &mut self.tasks[task].line;
        let before = line.len();
        line.retain(|in_line| *in_line != which);
        line.len() < before
    }

    /// Drops what a callback captured. A shared callback's captures stay with the program.
    fn captures_go(&mut self, number: usize) {
        if self.registrations[number].shared.is_none() {
            self.played.gone(format_args!("called {number}"));
        }
    }

    /// Returns a task, unless the program has forgotten it.
    fn task(&mut self, at: usize) -> Option<&mut Task<'a>> {
        self.tasks.get_mut(at).filter(|task| !task.forgotten)
    }

    fn shown(&self) -> usize {
        self.played.trace.len()
    }

    fn next(&mut self) -> u32 {
        self.fresh += 1;
        self.fresh
    }

    fn note(&mut self, event: impl Into<String>) {
        self.played.note(event);
    }
}
