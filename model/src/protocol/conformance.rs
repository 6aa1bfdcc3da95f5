//! Conformance of one execution of the real core: trace validation, action by action, against the protocol.
//!
//! From the core it takes only the contents that the lock's facade sees when a lock is released; from the harness, the
//! operation that each thread is in, each call of a scheduler, and the beginning of each callback. Every lock section
//! of every cell must be an action of the protocol, and leave the phase and the queue that the protocol leaves.
//!
//! An operation performs the drain it owes before it returns, unless it runs inside a hand-over, where the drain is
//! deferred. A lock section belongs to a drain if both have the same nesting depth; a deeper one belongs to a callback
//! that the drain hands over. The end of a hand-over, by a panic too, is taken together with the next action of its
//! drain, because no observation tells it from an earlier end.

use crate::observation::event::Event;
use crate::observation::{Answer, HandOver};
use crate::protocol::model::{Action, Callback, Doing, Hands, State, Thread};
use crate::protocol::phase::Phase;
use crate::scenario::names::{Nonce, Part, TASKS, Task, letter};
use crate::scenario::resolve::{Step, TaskStep};
use std::collections::VecDeque;

const PANICKED: Option<Answer> = Some(Answer::Panicked);

#[derive(Default)]
pub struct Conformance {
    cells: Vec<Cell>,
    /// The operations that each thread is in, the innermost last.
    inside: Vec<Vec<TaskStep>>,
    /// The callbacks and wakers that were added: only a hand-over may call them.
    registered: Vec<Nonce>,
    /// Why this is no execution of the protocol. The rest is not followed.
    refused: Option<String>,
}

/// A cell of the core, by the address of its lock, and its state in the protocol.
struct Cell {
    address: usize,
    /// The task that the cell belongs to, if that is known.
    task: Option<Task>,
    state: State,
    callbacks: Vec<Registered>,
    /// The callback that stands for each thread's await.
    awaits: Vec<Option<Callback>>,
    /// The nesting depth at which each thread drains.
    depths: Vec<usize>,
    /// Callbacks that a scheduler has received and not yet run.
    scheduled: VecDeque<Callback>,
}

struct Registered {
    /// The callback's number in the core; none for a late one, which never waits.
    number: Option<u64>,
    /// The name under which it is called; none if the harness or a loop added it.
    name: Option<Nonce>,
    tagged: bool,
}

/// A thread's position: its nesting depth in operations, and whether it is in a drain that is not deferred.
#[derive(Clone, Copy)]
struct Position {
    thread: Thread,
    depth: usize,
    is_draining: bool,
}

/// The kernel's tag of a callback that has none.
const UNTAGGED: u64 = u64::MAX;

/// The contents that a cell's lock guards, as they print themselves.
pub struct Guarded {
    pub phase: Phase,
    /// The numbers of the callbacks that wait.
    pub queue: Vec<u64>,
    /// Whether each of them has a tag.
    tagged: Vec<bool>,
}

impl Guarded {
    /// Parses `Snapshot { phase: Pending, waiting: [(1, 0), (2, 0)] }`; none for the contents of another kind of lock.
    pub fn read(printed: &str) -> Option<Self> {
        let (phase, rest) = printed.strip_prefix("Snapshot { phase: ")?.split_once(',')?;
        let phase = match phase {
            "Pending" => Phase::Pending,
            "Draining" => Phase::Draining,
            _ => Phase::Settled,
        };
        let waits = |entry: &str| {
            let (number, tag) = entry.split_once(')')?.0.split_once(", ")?;
            Some((number.parse().ok()?, tag.parse::<u64>().ok()? != UNTAGGED))
        };
        let waiting = rest.strip_prefix(" waiting: [")?.split('(').skip(1).map(waits);
        let (queue, tagged) = waiting.collect::<Option<Vec<(u64, bool)>>>()?.into_iter().unzip();
        Some(Guarded { phase, queue, tagged })
    }
}

impl Conformance {
    /// True once the rest of the execution is not followed.
    pub fn is_over(&self) -> bool {
        self.refused.is_some()
    }

    /// Follows one event, and returns the reason if the protocol refuses it. `thread` is called only if the event needs
    /// its thread.
    pub fn follow(&mut self, thread: impl FnOnce() -> Thread, event: &Event) -> Option<String> {
        if self.is_over() {
            return None;
        }
        let followed = match event {
            Event::Has(threads) => {
                self.inside = vec![Vec::new(); *threads];
                Ok(())
            }
            _ if self.inside.is_empty() => return None,
            Event::Begins(step) => self.begins(thread(), *step),
            Event::Ends(_, answer) => self.ends(thread(), *answer),
            Event::Unlocks(address, Some(printed)) => self.section(thread(), *address, &Guarded::read(printed)?),
            Event::Frees(address) => self.frees(*address),
            Event::Schedules(task) => self.schedules(thread(), *task),
            Event::Enters(HandOver { nonce, part: Part::Call, .. }) => self.enters(thread(), *nonce),
            _ => return None,
        };
        self.refused = followed.err();
        self.refused.clone()
    }

    /// The state of each task's cell in words; nothing once an event was refused. The harness has a cell of no task, to which
    /// nothing happens.
    pub fn states(&self) -> Vec<String> {
        let cells = self.cells.iter().filter(|cell| cell.task.is_some() && self.refused.is_none());
        cells.map(Cell::describe).collect()
    }

    /// Gives up, because an event was not seen: the rest cannot be followed.
    pub fn lose(&mut self) {
        let lost = || "protocol: not followed to the end; a panic unwound that is not part of the scenario".to_owned();
        self.refused.get_or_insert_with(lost);
    }

    /// Ends the execution.
    ///
    /// # Errors
    ///
    /// The reason why it is no execution of the protocol.
    pub fn end(self) -> Result<(), String> {
        match self.refused {
            Some(refused) => Err(refused),
            None if self.cells.iter().any(Cell::is_drained) => Err("protocol: a drain does not end".to_owned()),
            None => Ok(()),
        }
    }

    fn begins(&mut self, t: Thread, step: TaskStep) -> Result<(), String> {
        self.inside[t].push(step);
        if let Step::Add { nonce, .. } | Step::Poll(nonce) = step.1 {
            self.registered.push(nonce);
        }
        Ok(())
    }

    /// Ends the innermost operation of thread t: the drain it owed has ended, or is deferred inside a hand-over.
    fn ends(&mut self, t: Thread, answer: Option<Answer>) -> Result<(), String> {
        let depth = self.inside[t].len();
        let hands_over = |cell: &Cell| cell.state.hands[t].doing == Doing::HandsOver && cell.depths[t] < depth;
        let is_inside = self.cells.iter().any(hands_over);
        for cell in self.cells.iter_mut().filter(|cell| cell.depths[t] >= depth) {
            let is_right = match cell.state.hands[t].doing {
                Doing::Free => true,
                Doing::Owes => is_inside && cell.state.take(Action::PutOffDrain(t)).is_some(),
                Doing::PutOff => is_inside,
                Doing::Drains | Doing::HandsOver => false,
            };
            if !is_right {
                return Err(format!("protocol: an operation ends before its drain; thread {t}"));
            }
        }
        match self.inside[t].pop() {
            Some((_, Step::Add { nonce, .. })) if !self.cells.iter().any(|cell| cell.has(nonce)) => {
                Err(format!("protocol: an add ends, and no lock section has added #{nonce}; thread {t}"))
            }
            Some((_, Step::Poll(nonce))) if answer == PANICKED && self.cells.iter().any(|cell| cell.has(nonce)) => {
                Err(format!("P14: a poll panicked, and yet took a place in line as #{nonce}; thread {t}"))
            }
            _ => Ok(()),
        }
    }

    fn position(&self, thread: Thread) -> Position {
        let drains = |cell: &Cell| !matches!(cell.state.hands[thread].doing, Doing::Free | Doing::PutOff);
        Position { thread, depth: self.inside[thread].len(), is_draining: self.cells.iter().any(drains) }
    }

    /// Follows a lock section: thread t releases the lock of a cell.
    fn section(&mut self, t: Thread, address: usize, guarded: &Guarded) -> Result<(), String> {
        let (task, step) = self.inside[t].last().copied().unzip();
        let at = self.cells.iter().position(|cell| cell.address == address).unwrap_or_else(|| {
            self.cells.push(Cell::new(address, task, self.inside.len()));
            self.cells.len() - 1
        });
        let position = self.position(t);
        let cell = &mut self.cells[at];
        let (phase, queue, doing) = (cell.state.phase, cell.state.queue.clone(), cell.state.hands[t].doing);
        let actions = match cell.drains(position) {
            true => vec![cell.look(position)],
            false => cell.called(t, step, guarded),
        };
        if !actions.into_iter().all(|action| cell.state.take(action).is_some()) || !cell.leaves(guarded) {
            let queue: Vec<_> = queue.into_iter().map(|c| cell.callbacks[c].number.unwrap_or(0)).collect();
            let (left, waiting) = (guarded.phase, &guarded.queue);
            let rule = "protocol: this lock section is no action of it";
            return Err(format!("{rule}; thread {t}: {phase:?} {queue:?} -> {left:?} {waiting:?}"));
        }
        if doing == Doing::Free {
            cell.depths[t] = position.depth;
        }
        cell.register(t, step, guarded);
        Ok(())
    }

    /// Forgets a cell whose lock is dropped. Its wakes that a scheduler still has need no cell.
    fn frees(&mut self, address: usize) -> Result<(), String> {
        let Some(at) = self.cells.iter().position(|cell| cell.address == address) else { return Ok(()) };
        let gone = self.cells.swap_remove(at);
        self.registered.retain(|nonce| !gone.scheduled.iter().any(|c| gone.is_named(Some(*c), *nonce)));
        match gone.is_drained() {
            true => Err("protocol: a cell is dropped during its drain".to_owned()),
            false => Ok(()),
        }
    }

    /// Follows a hand-over by thread t to a scheduler, which runs the callback now, later or never. A loop's queue
    /// receives the rest of the drainer's batch as one entry, and other entries too.
    fn schedules(&mut self, t: Thread, task: Option<Task>) -> Result<(), String> {
        let position = self.position(t);
        let mut cells = self.cells.iter_mut().filter(|cell| task.is_none() || cell.task == task);
        match cells.find_map(|cell| cell.next(position).map(|c| (cell, c))) {
            Some((cell, first)) => {
                let mut next = Some(first);
                while let Some(c) = next {
                    cell.hand_over(position);
                    cell.scheduled.push_back(c);
                    next = cell.next(position).filter(|_| task.is_none());
                }
                Ok(())
            }
            None if task.is_none() => Ok(()),
            None => Err(format!("protocol: a hand-over out of turn; thread {t} calls the scheduler")),
        }
    }

    /// Follows the beginning of a callback: the first one that its scheduler has, or the next one that thread t hands over.
    fn enters(&mut self, t: Thread, nonce: Nonce) -> Result<(), String> {
        let position = self.position(t);
        for cell in &mut self.cells {
            if cell.is_named(cell.scheduled.front().copied(), nonce) {
                cell.scheduled.pop_front();
                return Ok(());
            }
            if cell.is_named(cell.next(position), nonce) {
                cell.hand_over(position);
                return Ok(());
            }
        }
        match self.registered.contains(&nonce) {
            true => Err(format!("protocol: a hand-over out of turn; thread {t} hands over #{nonce}")),
            false => Ok(()),
        }
    }
}

impl Cell {
    fn new(address: usize, task: Option<Task>, threads: usize) -> Self {
        Cell {
            address,
            task,
            state: State::new(threads),
            callbacks: Vec::new(),
            awaits: vec![None; threads],
            depths: vec![0; threads],
            scheduled: VecDeque::new(),
        }
    }

    /// `x Draining, outcome v0, queue -, thread 0 hands over a b`
    fn describe(&self) -> String {
        let State { phase, queue, hands, .. } = &self.state;
        let name = |c: &Callback| self.callbacks.get(*c).and_then(|callback| callback.name);
        let letters = |callbacks: &[Callback]| {
            let letters = callbacks.iter().map(|c| name(c).map_or_else(|| "?".to_owned(), letter));
            if callbacks.is_empty() { "-".to_owned() } else { letters.collect::<Vec<_>>().join(" ") }
        };
        let task = self.task.map_or_else(String::new, |task| format!("{} ", TASKS[task]));
        let mut text = format!("{task}{phase:?}, queue {}", letters(queue));
        for (thread, Hands { doing, batch }) in hands.iter().enumerate() {
            let does = match doing {
                Doing::Free => continue,
                Doing::Owes => "owes a drain",
                Doing::Drains => "drains",
                Doing::HandsOver => "is in a hand-over",
                Doing::PutOff => "has put a drain off",
            };
            text += &format!(", thread {thread} {does}, batch {}", letters(batch));
        }
        text
    }

    fn is_drained(&self) -> bool {
        self.state.hands.iter().any(|hands| hands.doing != Doing::Free)
    }

    /// True if a callback with this name was added.
    fn has(&self, nonce: Nonce) -> bool {
        self.callbacks.iter().any(|callback| callback.name == Some(nonce))
    }

    fn is_named(&self, c: Option<Callback>, nonce: Nonce) -> bool {
        c.is_some_and(|c| self.callbacks[c].name == Some(nonce))
    }

    /// True if the thread drains this cell: at the depth at which it owes the drain, or, if the drain is deferred, after
    /// the drain that it was deferred for.
    fn drains(&self, Position { thread, depth, is_draining }: Position) -> bool {
        match self.state.hands[thread].doing {
            Doing::Free => false,
            Doing::PutOff => !is_draining,
            Doing::Owes | Doing::Drains | Doing::HandsOver => self.depths[thread] == depth,
        }
    }

    /// The callback that the thread hands over next, if it drains this cell.
    fn next(&self, position: Position) -> Option<Callback> {
        self.state.hands[position.thread].batch.first().copied().filter(|_| self.drains(position))
    }

    /// Ends a hand-over, or resumes a deferred drain, before the drain's next action.
    fn go_on(&mut self, Position { thread, depth, .. }: Position) {
        match self.state.hands[thread].doing {
            Doing::HandsOver => self.state.take(Action::Return(thread)),
            Doing::PutOff => self.state.take(Action::ResumeDrain(thread)),
            _ => None,
        };
        self.depths[thread] = depth;
    }

    fn hand_over(&mut self, position: Position) {
        self.go_on(position);
        self.state.take(Action::HandOver(position.thread));
    }

    fn look(&mut self, position: Position) -> Action {
        self.go_on(position);
        let action = if self.state.queue.is_empty() { Action::Settle } else { Action::Take };
        action(position.thread)
    }

    /// The actions of a caller's lock section. A section in which a callback is refused or replaced, or the harness
    /// looks, has none. If the operation is unknown, or a loop's, the contents that it left decide.
    fn called(&self, t: Thread, operation: Option<Step>, guarded: &Guarded) -> Vec<Action> {
        use Step::{Add, Complete, DropAwait, DropCompleter, Poll, Remove, RemoveAll};
        let State { phase, queue, .. } = &self.state;
        let remove = |c: &Callback| Action::Remove(t, *c);
        let gone = |c: &&Callback| self.callbacks[**c].number.is_none_or(|number| !guarded.queue.contains(&number));
        match operation {
            // A refused `add_late`, because somebody drains: an `add` follows.
            Some(Add { .. }) if (*phase, queue.len()) == (guarded.phase, guarded.queue.len()) => Vec::new(),
            Some(Add { .. }) => vec![Action::Add(t)],
            Some(Remove(Some(nonce))) => {
                (0..self.callbacks.len()).filter(|c| self.is_named(Some(*c), nonce)).map(|c| remove(&c)).collect()
            }
            // The shared tag of the scenario is not the model's: one by one, in this one section.
            Some(RemoveAll) => queue.iter().filter(|c| self.callbacks[**c].tagged).map(remove).collect(),
            Some(Complete(_) | DropCompleter) => vec![Action::Complete(t)],
            Some(Poll(_)) if *phase == Phase::Pending && self.awaits[t].is_none() => vec![Action::Add(t)],
            Some(DropAwait) => self.awaits[t].iter().map(remove).collect(),
            Some(operation) if !operation.is_of_a_loop() => Vec::new(),
            _ if guarded.queue.len() > queue.len() || (*phase, guarded.phase) == (Phase::Settled, Phase::Draining) => {
                vec![Action::Add(t)]
            }
            _ if guarded.phase != *phase => vec![Action::Complete(t)],
            _ => queue.iter().filter(gone).map(remove).collect(),
        }
    }

    /// True if the protocol leaves the contents that the lock guarded. A new callback has the highest number.
    fn leaves(&self, guarded: &Guarded) -> bool {
        let State { phase, queue, .. } = &self.state;
        let highest = self.callbacks.iter().filter_map(|callback| callback.number).max();
        let is_same = |(&c, (&number, &tagged)): (&Callback, (&u64, &bool))| match self.callbacks.get(c) {
            Some(callback) => callback.number == Some(number) && callback.tagged == tagged,
            None => Some(number) > highest,
        };
        let waiting = guarded.queue.iter().zip(&guarded.tagged);
        *phase == guarded.phase && queue.len() == guarded.queue.len() && queue.iter().zip(waiting).all(is_same)
    }

    /// Names the callback that was added, or the waker that now stands in an await's place.
    fn register(&mut self, t: Thread, operation: Option<Step>, guarded: &Guarded) {
        let (name, tagged) = match operation {
            Some(Step::Add { nonce, tagged }) => (Some(nonce), tagged),
            Some(Step::Poll(nonce) | Step::PollAgain(nonce)) => (Some(nonce), false),
            _ => (None, false),
        };
        let is_poll = matches!(operation, Some(Step::Poll(_) | Step::PollAgain(_)));
        if self.state.added > self.callbacks.len() {
            let waits = self.state.queue.last() == Some(&self.callbacks.len());
            let number = guarded.queue.last().copied().filter(|_| waits);
            self.awaits[t] = if is_poll { Some(self.callbacks.len()) } else { self.awaits[t] };
            self.callbacks.push(Registered { number, name, tagged });
        } else if let (true, Some(c)) = (is_poll, self.awaits[t].filter(|c| self.state.queue.contains(c))) {
            self.callbacks[c].name = name;
        } else if matches!(operation, Some(Step::DropAwait)) {
            self.awaits[t] = None;
        }
    }
}
