//! A sequence diagram of one execution: a column for each thread, time downward.
//!
//! Brackets enclose a lock section; beside it stand the queue and the phase that it leaves. A star marks a caller's code.
//! Two dots continue a line that events of other threads have interrupted.

use super::sources::Sources;
use super::steps::{Step as Data, pieces};
use crate::observation::Answer;
use crate::observation::event::{Event, Place, Thing, Trace};
use crate::protocol::conformance::{Conformance, Guarded};
use crate::protocol::phase::Phase;
use crate::scenario::Scenario;
use crate::scenario::names::{Nonce, Part, TASKS, Value, letter, mark};
use crate::scenario::resolve::{Step, TaskStep};
use crate::spec::explained::Explained;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The sequence diagram of one execution of a scenario.
pub struct Diagram<'a> {
    pub scenario: &'a Scenario,
    pub trace: &'a Trace,
}

/// `     T0: C              | T1: A | queue  phase`
impl fmt::Display for Diagram<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = Lines::new(self.trace, None);
        let mut heads: Vec<String> = self.scenario.threads.iter().enumerate().map(head).collect();
        if lines.lines.iter().any(|line| line.part == Stretch::Setup) {
            heads[0].insert_str(0, "setup, ");
        }
        let texts = |column| lines.lines.iter().filter(move |line| line.thread == column).map(|line| &line.text);
        let widths = heads.iter().enumerate().map(|(column, head)| widest(texts(column).chain([head])));
        let widths: Vec<usize> = widths.collect();
        let queue = widest(lines.lines.iter().map(|line| &line.queue).chain([&"queue".to_owned()]));
        let mut row = |number: &str, columns: &[&str], [waiting, phase, remark]: [&str; 3]| {
            let columns = columns.iter().zip(&widths).map(|(text, &width)| format!("  {text:<width$}  |"));
            let row = format!("{number:>3}{} {waiting:<queue$}  {phase:<8}  {remark}", columns.collect::<String>());
            writeln!(f, "{}", row.trim_end())
        };
        row("", &heads.iter().map(String::as_str).collect::<Vec<_>>(), ["queue", "phase", ""])?;
        let mut part = Stretch::Setup;
        for (at, line) in lines.lines.iter().enumerate() {
            let mut columns = vec![""; widths.len()];
            if line.part != part && at > 0 {
                row("", &columns, ["", "", ""])?;
            }
            part = line.part;
            columns[line.thread] = &line.text;
            row(&(at + 1).to_string(), &columns, [&line.queue, &line.phase, &line.remark])?;
        }
        Ok(())
    }
}

/// The head of a column: the thread, and its part of the scenario.
pub(super) fn head((thread, operations): (usize, &Vec<crate::scenario::Op>)) -> String {
    let operations: Vec<String> = operations.iter().map(ToString::to_string).collect();
    format!("T{thread}: {}", operations.join(" "))
}

fn widest<'a>(texts: impl Iterator<Item = &'a String>) -> usize {
    texts.map(|text| text.chars().count()).max().unwrap_or(0)
}

/// The steps of an execution: the lines as data.
pub(super) fn lines(scenario: &Scenario, trace: &Trace) -> Vec<Data> {
    let mut sources = Sources::default();
    let lines = Lines::new(trace, Explained::new(scenario)).lines.into_iter();
    let mut data = |line: Line| {
        let text = line.text.trim_start();
        Data {
            thread: line.thread,
            part: line.part.name(),
            pieces: pieces(text),
            is_callers_code: line.runs.is_some(),
            depth: (line.text.len() - text.len()) / 2,
            queue: line.queue,
            phase: line.phase,
            protocol: line.protocol,
            specification: line.specification.into_iter().collect(),
            sources: sources.lines(line.places),
            remark: line.remark,
            unexplained: line.unexplained,
        }
    };
    lines.map(&mut data).collect()
}

/// The lines, and the state of the threads and of the core after the events so far.
#[derive(Default)]
struct Lines {
    lines: Vec<Line>,
    part: Stretch,
    threads: BTreeMap<usize, Progress>,
    /// The last contents that each lock guarded, by its address.
    cells: BTreeMap<usize, Guarded>,
    /// The callback or waker with each number in the queue of each cell.
    names: BTreeMap<(usize, u64), Nonce>,
    /// The callbacks that have not run yet.
    added: BTreeSet<Nonce>,
    /// The protocol, which follows the events.
    protocol: Conformance,
    /// The specification, which follows them too, if it has states for this scenario.
    specification: Option<Explained>,
}

#[derive(Default)]
struct Line {
    thread: usize,
    part: Stretch,
    text: String,
    queue: String,
    phase: String,
    remark: String,
    has_section: bool,
    /// The state of each cell in the protocol after the line.
    protocol: Vec<String>,
    /// The possible states of the specification after the line, and why no state is possible any more.
    specification: BTreeSet<String>,
    unexplained: String,
    /// The places of its lock sections and of its reads of an outcome.
    places: Vec<Place>,
    /// The caller's code that begins here; it has a line of its own.
    runs: Option<(Nonce, Part)>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Stretch {
    #[default]
    Setup,
    Threads,
    /// The end, where the first thread is alone again.
    Rest,
}

impl Stretch {
    fn name(self) -> &'static str {
        match self {
            Stretch::Setup => "setup",
            Stretch::Threads => "threads",
            Stretch::Rest => "end",
        }
    }
}

/// A thread's position in its program.
#[derive(Default)]
struct Progress {
    /// The operations that the thread is in, the innermost last, and whether each has been named.
    steps: Vec<(TaskStep, bool)>,
    /// The number of things done in the current lock section, if the thread is in one.
    section: Option<usize>,
    /// A word for what each lock guards that the thread holds, also outside of its operations.
    held: Vec<&'static str>,
    /// The places whose line is not drawn yet.
    places: Vec<Place>,
}

impl Lines {
    fn new(trace: &Trace, specification: Option<Explained>) -> Self {
        let mut lines = Lines { specification, ..Lines::default() };
        for (at, (thread, event)) in trace.events.iter().enumerate() {
            let next = trace.events[at + 1..].iter().find(|(other, _)| other == thread);
            lines.event(*thread, event, next.map(|(_, event)| event));
        }
        if trace.observation.is_none() {
            let stuck = lines.threads.iter().filter(|(_, thread)| !thread.steps.is_empty());
            let stuck: Vec<usize> = stuck.map(|(thread, _)| *thread).collect();
            stuck.into_iter().for_each(|thread| lines.say(thread, " ", "does not return"));
        }
        lines
    }

    /// Draws one event; `next` is the next event of the same thread.
    fn event(&mut self, thread: usize, event: &Event, next: Option<&Event>) {
        if let Event::Locks(guards, _) = event {
            self.thread(thread).held.push(type_word(guards));
        }
        let drawn = self.drawn();
        self.draw(thread, event, next);
        self.place(thread, event, drawn);
        // A refusal is in the trace already.
        let _ = self.protocol.follow(|| thread, event);
        let states = self.protocol.states();
        // Events after the last step are not the protocol's: it gives no states then, and that step keeps its own.
        if let Some(line) = self.lines.last_mut().filter(|_| !states.is_empty()) {
            line.protocol = states;
        }
        self.specify(thread, event);
        if let Event::Unlocks(..) = event {
            self.thread(thread).held.pop();
        }
    }

    /// The number of lines and the length of the last one.
    fn drawn(&self) -> (usize, usize) {
        (self.lines.len(), self.lines.last().map_or(0, |line| line.text.len()))
    }

    /// Adds the place of the event to the line where it is drawn: now, or with the thread's next event.
    fn place(&mut self, thread: usize, event: &Event, before: (usize, usize)) {
        let is_drawn = self.drawn() != before;
        let progress = self.thread(thread);
        if let (Event::Locks(_, place) | Event::Reads(_, place), false) = (event, progress.steps.is_empty()) {
            progress.places.push(place);
        }
        if is_drawn {
            let places = std::mem::take(&mut progress.places);
            if let Some(line) = self.lines.last_mut() {
                line.places.extend(places);
            }
        }
    }

    /// Adds the states of the specification to the line.
    fn specify(&mut self, thread: usize, event: &Event) {
        let Some(specification) = &mut self.specification else { return };
        let unexplained = specification.follow(thread, event);
        if let Some(line) = self.lines.last_mut() {
            line.specification = specification.states();
            line.unexplained.extend(unexplained);
        }
    }

    fn draw(&mut self, thread: usize, event: &Event, next: Option<&Event>) {
        match event {
            Event::Has(_) | Event::AllTold => {}
            Event::Frees(lock) => drop(self.cells.remove(lock)),
            Event::AllBegin => self.part = Stretch::Threads,
            Event::AllEnded => self.part = Stretch::Rest,
            Event::Begins(step) => {
                self.added.extend(if let (_, Step::Add { nonce, .. }) = step { Some(*nonce) } else { None });
                self.thread(thread).steps.push((*step, false));
            }
            Event::Ends(_, answer) => self.ends(thread, answer.as_ref()),
            Event::Enters(hand_over) => {
                let saw = hand_over.saw.map_or_else(String::new, |value| format!(", sees {value}"));
                self.added.remove(&hand_over.nonce);
                self.star(thread, (hand_over.nonce, hand_over.part), &format!("runs{saw}"));
            }
            Event::Leaves(nonce, part) => self.leaves(thread, (*nonce, *part)),
            Event::Schedules(_) if matches!(next, Some(Event::Enters(_))) => {}
            Event::Schedules(_) => self.does(thread, "schedules"),
            Event::Panics => self.does(thread, "panics"),
            Event::Caught => self.does(thread, "the caller catches the panic"),
            Event::Tells(told) => self.does(thread, &format!("tells the hook: {told}")),
            Event::Breaks(rule) => self.remark(thread, rule),
            // Outside of its operations it is the harness that prepares, inspects or drops things.
            _ if self.thread(thread).steps.is_empty() => {}
            Event::Locks(..) => {
                self.say(thread, " ", "[");
                self.thread(thread).section = Some(0);
            }
            Event::Unlocks(lock, printed) => self.unlocks(thread, *lock, printed.as_deref().and_then(Guarded::read)),
            Event::Publishes => self.does(thread, "publishes"),
            Event::Reads(found, _) => self.reads(thread, *found, next),
            // The drop of a callback that ran says nothing new.
            Event::Drops(Thing::Callback(nonce)) if self.added.contains(nonce) => {
                self.does(thread, &format!("drops {}", letter(*nonce)));
            }
            Event::Drops(_) => {}
        }
    }

    /// The end of the innermost operation.
    fn ends(&mut self, thread: usize, answer: Option<&Answer>) {
        let named = self.thread(thread).steps.last().is_some_and(|(_, named)| *named);
        match answer {
            Some(answer) => self.say(thread, " ", &format!("-> {answer}")),
            None if !named => self.say(thread, "", ""),
            None => {}
        }
        self.thread(thread).steps.pop();
    }

    /// The end of a caller's code, which is drawn unless its beginning is on the last line.
    fn leaves(&mut self, thread: usize, entered: (Nonce, Part)) {
        let is_last = self.lines.last().is_some_and(|line| line.thread == thread && line.runs == Some(entered));
        if !is_last {
            self.star(thread, entered, "ends");
        }
    }

    /// A read of a write-once cell, which is drawn unless the next event, a hand-over or an answer, shows what it read.
    fn reads(&mut self, thread: usize, found: bool, next: Option<&Event>) {
        if !matches!(next, Some(Event::Enters(_) | Event::Ends(..) | Event::Reads(true, _))) {
            self.does(thread, if found { "reads an outcome" } else { "reads nothing" });
        }
    }

    fn thread(&mut self, thread: usize) -> &mut Progress {
        self.threads.entry(thread).or_default()
    }

    /// Draws one thing that a thread does, inside the brackets or outside.
    fn does(&mut self, thread: usize, what: &str) {
        let done = self.thread(thread).section.as_mut().map(|done| std::mem::replace(done, *done + 1));
        let glue = match done {
            Some(0) => "",
            Some(_) | None => ", ",
        };
        self.say(thread, glue, what);
    }

    /// The end of a lock section, with the changes that it made and the contents that it leaves.
    fn unlocks(&mut self, thread: usize, lock: usize, contents: Option<Guarded>) {
        if let Some(after) = &contents {
            let (phase, queue) = self.cells.remove(&lock).map(|before| (before.phase, before.queue)).unzip();
            let queue = queue.unwrap_or_default();
            let came: Vec<u64> = after.queue.iter().copied().filter(|number| !queue.contains(number)).collect();
            let went: Vec<u64> = queue.iter().copied().filter(|number| !after.queue.contains(number)).collect();
            if let Some(((_, Step::Add { nonce, .. } | Step::Poll(nonce)), _)) =
                self.thread(thread).steps.last().copied()
            {
                self.names.extend(came.iter().map(|number| ((lock, *number), nonce)));
            }
            if !went.is_empty() {
                self.does(thread, &format!("takes {}", self.letters(lock, &went)));
            }
            if !came.is_empty() {
                self.does(thread, &format!("{} waits", self.letters(lock, &came)));
            }
            if went.is_empty() && came.is_empty() {
                match (phase, after.phase) {
                    (Some(Phase::Draining), Phase::Settled) => self.does(thread, "none left"),
                    (Some(Phase::Settled), Phase::Draining) => self.does(thread, "owes the drain"),
                    _ => {}
                }
            }
        }
        if self.thread(thread).section == Some(0) {
            // The queue and the phase are drawn beside the section; what other locks guard is not.
            let held = self.thread(thread).held.last().copied().unwrap_or_default();
            let at = if contents.is_some() { String::new() } else { format!(" at {held}") };
            self.does(thread, &format!("looks{at}"));
        }
        self.say(thread, "", "]");
        self.thread(thread).section = None;
        if let (Some(after), Some(at)) = (contents, self.lines.len().checked_sub(1)) {
            let queue = self.letters(lock, &after.queue);
            self.lines[at].queue = if queue.is_empty() { "-".to_owned() } else { queue };
            self.lines[at].phase = format!("{:?}", after.phase);
            self.lines[at].has_section = true;
            self.cells.insert(lock, after);
        }
    }

    fn letters(&self, lock: usize, numbers: &[u64]) -> String {
        let name = |number: &u64| self.names.get(&(lock, *number)).map_or(format!("#{number}"), |nonce| letter(*nonce));
        numbers.iter().map(name).collect::<Vec<_>>().join(" ")
    }

    /// Writes on the last line, if that belongs to this thread and has room, or else on a new one.
    fn say(&mut self, thread: usize, glue: &str, text: &str) {
        let Progress { steps, section, .. } = self.thread(thread);
        let depth = steps.len();
        let (is_open, step) = (section.is_some(), steps.last_mut().filter(|(_, named)| !named));
        let step = step.map(|(step, named)| {
            *named = true;
            step_name(*step)
        });
        if let (Some(line), None) = (self.lines.last_mut(), &step) {
            let is_full = line.runs.is_some() || (line.has_section && text == "[");
            if line.thread == thread && line.part == self.part && !is_full {
                line.text += glue;
                line.text += text;
                return;
            }
        }
        let text = match step {
            Some(step) => {
                let colon = match text {
                    "" => "",
                    "[" => " ",
                    text if text.starts_with("->") => " ",
                    _ => ": ",
                };
                format!("{}{step}{colon}{text}", "  ".repeat(depth - 1))
            }
            None => format!("{}{}{text}", "  ".repeat(depth), if is_open { ".. " } else { "" }),
        };
        self.lines.push(Line { thread, part: self.part, text, ..Line::default() });
    }

    /// Writes a line for a caller's code.
    fn star(&mut self, thread: usize, (nonce, part): (Nonce, Part), does: &str) {
        if self.thread(thread).steps.last().is_some_and(|(_, named)| !named) {
            self.say(thread, "", "");
        }
        let depth = "  ".repeat(self.thread(thread).steps.len());
        let text = format!("{depth}* {}{} {does}", mark(part), letter(nonce));
        self.lines.push(Line { thread, part: self.part, text, runs: Some((nonce, part)), ..Line::default() });
    }

    fn remark(&mut self, thread: usize, rule: &str) {
        let held = self.thread(thread).held.join(" and ");
        let lock = if rule.starts_with("P13") && !held.is_empty() { format!(" of {held}") } else { String::new() };
        if self.lines.last().is_none_or(|line| line.thread != thread) {
            self.lines.push(Line { thread, part: self.part, ..Line::default() });
        }
        if let Some(line) = self.lines.last_mut() {
            line.remark += if line.remark.is_empty() { "" } else { "; " };
            line.remark += rule;
            line.remark += &lock;
        }
    }
}

/// The word for a type that is drawn: its own name, or that of the type in an `Option`.
fn type_word(path: &'static str) -> &'static str {
    let within = path.strip_prefix("core::option::Option<").unwrap_or(path);
    let plain = within.split(['<', '>']).next().unwrap_or(within);
    plain.rsplit("::").next().unwrap_or(plain)
}

/// The step in words.
pub(super) fn step_name((task, step): TaskStep) -> String {
    let on = if task == 0 { String::new() } else { format!(" {}", TASKS[task]) };
    match step {
        Step::Add { nonce, .. } => format!("add {}{}", letter(nonce), if task == 0 { on } else { format!(" to{on}") }),
        Step::Remove(Some(nonce)) => format!("remove {}", letter(nonce)),
        Step::Remove(None) => "remove a foreign one".to_owned(),
        Step::RemoveAll => "remove all".to_owned(),
        Step::Complete(Value::Cancelled) => format!("cancel{on}"),
        Step::Complete(value) => format!("complete{on} {value}"),
        Step::Read => format!("read{on}"),
        Step::Print => format!("print{on}"),
        Step::Signal(flag) => format!("signal {flag}"),
        Step::Wait(flag) => format!("wait for {flag}"),
        Step::Poll(nonce) => format!("poll{on} {}", letter(nonce)),
        Step::PollAgain(nonce) => format!("poll{on} {} again", letter(nonce)),
        Step::DropAwait => "drop the await".to_owned(),
        Step::DropCompleter => format!("drop the completer{}", if task == 0 { on } else { format!(" of{on}") }),
        Step::DropHandle => "drop the handles".to_owned(),
        Step::Panic => "panic".to_owned(),
        Step::Wake => "wake".to_owned(),
        Step::Soon(nonce) => format!("call {} soon", letter(nonce)),
        Step::Spawn(nonce) => format!("spawn {}", letter(nonce)),
        Step::Nap { nonce, length } => format!("poll nap {length} with {}", letter(nonce)),
        Step::DropNap(length) => format!("drop nap {length}"),
        Step::AwaitNap(length) => format!("wait for nap {length}"),
        Step::Run => "run".to_owned(),
        Step::RunBriefly => "run briefly".to_owned(),
        Step::Close => "close".to_owned(),
    }
}
