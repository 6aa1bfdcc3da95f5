//! Plays a program on a plain model of the event loop: one queue, a line for each task, turn after turn.

use super::{Act, Beat, LONGEST, Move, Played, Program, Step};
use std::collections::VecDeque;
use std::mem;

/// What must happen, in order, until the end.
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
        model.forget(task);
    }
    for task in 0..model.tasks.len() {
        model.abandon(task);
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
    /// The panic that ended it, until somebody looks.
    unseen: Option<u32>,
    /// The program's own, one for each queued callback and each await, and the body's.
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

/// Where a body is.
#[derive(Clone, Copy)]
enum At {
    Start,
    Work,
    Yield,
    Nap,
    Await(usize),
}

/// The main of a run: the beats that are left, and the one that it rests in.
struct Main<'a> {
    beats: &'a [Beat],
    rest: Option<Rest>,
}

#[derive(Clone, Copy)]
enum Rest {
    Turn,
    /// The turns with this one, and how much was shown two turns ago or less.
    Idle {
        turns: usize,
        shown: usize,
    },
}

/// A panic ends the acts with its number.
type Acted = Result<(), u32>;

impl<'a> Model<'a> {
    fn act(&mut self, act: &'a Act) -> Acted {
        if self.shown() >= LONGEST {
            return Ok(());
        }
        match *act {
            Act::Future => self.tasks.push(Task { handles: 1, completer: true, ..Task::default() }),
            Act::Spawn(ref steps) => {
                let body = Some(Body { steps, at: At::Start, queued: true, cancel_requested: false });
                self.queue.push_back(Entry::Step(self.tasks.len()));
                self.tasks.push(Task { handles: 2, body, ..Task::default() });
            }
            Act::Add(to, ref acts) => self.register(Registration { to, shared: None, acts }),
            Act::Share(to, which) => {
                let shared = self.shared;
                if self.is_there(which < shared.len()) {
                    self.register(Registration { to, shared: Some(which), acts: &shared[which] });
                }
            }
            Act::Remove(number) => {
                let to = self.registrations.get(number).map(|registration| registration.to);
                if self.is_there(to.is_some())
                    && let Some(to) = to
                    && self.has_task(to)
                {
                    let removed = self.leave_line(to, InLine::Callback(number));
                    if removed {
                        self.captures_go(number);
                    }
                    self.note(format!("removed {}", usize::from(removed)));
                }
            }
            Act::Unshare(of, which) => {
                if self.is_there(which < self.shared.len()) && self.has_task(of) {
                    let line = self.tasks[of].line.clone();
                    let is_one = |in_line: &&InLine| matches!(in_line, InLine::Callback(number) if self.registrations[*number].shared == Some(which));
                    let those: Vec<InLine> = line.iter().filter(is_one).copied().collect();
                    self.tasks[of].line.retain(|in_line| !those.contains(in_line));
                    self.note(format!("removed {}", those.len()));
                }
            }
            Act::Complete(at) => self.complete(at, "finished"),
            Act::Fail(at) => self.complete(at, "failed"),
            Act::Drop(at) => {
                if self.is_there(self.tasks.get(at).is_some_and(|task| task.completer)) {
                    self.abandon(at);
                }
            }
            Act::Forget(at) => {
                if self.has_task(at) {
                    self.forget(at);
                }
            }
            Act::Cancel(at) => {
                if self.has_task(at) {
                    let cancelled = self.cancel(at);
                    self.note(format!("cancel {cancelled}"));
                }
            }
            Act::Read(at) => {
                if self.has_task(at) {
                    let outcome = self.look(at);
                    self.note(format!("read {outcome}"));
                }
            }
            Act::Soon(ref acts) => {
                let name = self.next();
                self.queue.push_back(Entry::Soon(name, acts));
            }
            Act::Panic => return Err(self.next()),
        }
        Ok(())
    }

    fn acts(&mut self, acts: &'a [Act]) -> Acted {
        acts.iter().try_for_each(|act| self.act(act))
    }

    fn contain(&mut self, acted: Acted) {
        if let Err(panic) = acted {
            self.note(format!("raised {panic}"));
        }
    }

    fn register(&mut self, registration: Registration<'a>) {
        let (to, number) = (registration.to, self.registrations.len());
        if self.has_task(to) {
            self.registrations.push(registration);
            match self.tasks[to].outcome {
                None => self.tasks[to].line.push(InLine::Callback(number)),
                Some(_) => self.hand_over(number),
            }
        }
    }

    fn complete(&mut self, at: usize, word: &str) {
        if self.is_there(self.tasks.get(at).is_some_and(|task| task.completer)) {
            self.tasks[at].completer = false;
            let value = self.next();
            let answer = if self.finish(at, format!("{word} {value}")) { "completed" } else { "refused" };
            self.note(format!("{answer} {value}"));
        }
    }

    /// True if it was not done. A refused cancel is a look (R75).
    fn cancel(&mut self, at: usize) -> bool {
        if self.tasks[at].outcome.is_some() {
            self.look(at);
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

    /// A turn is what is queued when it begins. The run ends with the turn in which the callback of its main runs.
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
        let outcome = self.look(to);
        self.note(format!("{name} {to} {outcome}"));
        let acted = self.acts(acts);
        self.captures_go(number);
        self.contain(acted);
        self.release(to);
    }

    /// Until it rests, then `None`, or is over.
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

    /// Until the body is suspended, or ends.
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
                Step::Await(of) if of < own && self.has_task(of) => {
                    if self.tasks[of].outcome.is_some() {
                        self.awaited(own, of);
                        continue;
                    }
                    self.tasks[of].line.push(InLine::Wake(own));
                    self.tasks[of].handles += 1;
                    At::Await(of)
                }
                Step::Await(_) => continue,
                Step::Do(ref act) => match self.act(act) {
                    Ok(()) => continue,
                    Err(panic) => {
                        self.tasks[own].unseen = Some(panic);
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
        let outcome = self.look(of);
        self.note(format!("awaited {own} {outcome}"));
    }

    /// The body is dropped, and then its task is done. A request to cancel beats all but a panic (R55).
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
        let is_cancelled = body.cancel_requested && self.tasks[own].unseen.is_none();
        let is_abandoned = outcome == "abandoned" && !is_cancelled;
        self.finish(own, if is_cancelled { "cancelled".to_owned() } else { outcome });
        if is_abandoned {
            self.note(format!("abandoned {own}"));
        }
        self.release(own);
    }

    /// True for the first time only.
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

    /// The tasks of the loop are abandoned, oldest first, and the callbacks in the queue are lost.
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

    fn abandon(&mut self, task: usize) {
        if mem::take(&mut self.tasks[task].completer) {
            self.finish(task, "abandoned".to_owned());
        }
    }

    fn forget(&mut self, task: usize) {
        if !mem::replace(&mut self.tasks[task].forgotten, true) {
            self.release(task);
        }
    }

    /// A panic that nobody looked at is reported with the last handle (R72).
    fn release(&mut self, task: usize) {
        let Task { handles, unseen, .. } = &mut self.tasks[task];
        *handles -= 1;
        if *handles == 0
            && let Some(panic) = unseen.take()
        {
            self.note(format!("unretrieved {task} {panic}"));
        }
    }

    fn look(&mut self, task: usize) -> String {
        let Task { outcome, unseen, .. } = &mut self.tasks[task];
        *unseen = None;
        outcome.clone().unwrap_or_else(|| "pending".to_owned())
    }

    /// True if it stood there.
    fn leave_line(&mut self, task: usize, which: InLine) -> bool {
        let line = &mut self.tasks[task].line;
        let before = line.len();
        line.retain(|in_line| *in_line != which);
        line.len() < before
    }

    /// Those of a shared callback stay with the program.
    fn captures_go(&mut self, number: usize) {
        if self.registrations[number].shared.is_none() {
            self.played.gone(format_args!("called {number}"));
        }
    }

    fn has_task(&mut self, at: usize) -> bool {
        self.is_there(self.tasks.get(at).is_some_and(|task| !task.forgotten))
    }

    fn is_there(&mut self, found: bool) -> bool {
        if !found {
            self.note("nobody");
        }
        found
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
