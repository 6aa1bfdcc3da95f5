//! One execution of the real core, replayed step by step through the protocol.
//!
//! Of the core it knows what the lock's facade sees when a lock is released, and of the harness which operation a
//! thread is in, when a scheduler is called, and when a callback begins. Every lock section of every cell must be
//! the protocol's step, and leave the phase and the queue that the protocol leaves.
//!
//! What an operation owes it drains before it ends, or inside of a hand-over puts off. So the steps of a drain are those
//! as deep in operations as the drain is; deeper ones are of what it hands over. The end of a hand-over, by a panic
//! too, is taken with the next step of its drain: nobody could tell it from an earlier one.

use crate::observation::HandOver;
use crate::observation::event::Event;
use crate::protocol::model::{Callback, Doing, State, Step, Thread};
use crate::protocol::phase::Phase;
use crate::scenario::names::{Nonce, Part, Task};
use crate::scenario::resolve::{self, TaskStep};
use std::collections::VecDeque;

#[derive(Default)]
pub struct Conformance {
    cells: Vec<Cell>,
    /// The operations that each thread is in, the innermost last.
    inside: Vec<Vec<TaskStep>>,
    /// What was added or polled: only a hand-over calls it.
    lined_up: Vec<Nonce>,
    /// Why this is no execution of the protocol. Nothing is replayed any more then.
    refused: Option<String>,
}

/// A cell of the core, by the address of its lock, and the protocol's state of it.
struct Cell {
    address: usize,
    /// Whose it is, if that is known.
    task: Option<Task>,
    state: State,
    callbacks: Vec<Registered>,
    /// The place in line of each thread's await.
    awaits: Vec<Option<Callback>>,
    /// How deep in operations each thread drains.
    depths: Vec<usize>,
    /// Handed over to a scheduler, which did not run them so far.
    scheduled: VecDeque<Callback>,
}

struct Registered {
    /// Its number in the core; none of a late one, which never waits.
    number: Option<u64>,
    /// By which it is known when it is called; none if the harness or a loop added it.
    name: Option<Nonce>,
    tagged: bool,
}

/// A thread, how deep it is in operations, and whether it is in a drain that is not put off.
#[derive(Clone, Copy)]
struct Stand {
    thread: Thread,
    depth: usize,
    is_draining: bool,
}

/// What a cell's lock guards, as it prints itself.
pub struct Guarded {
    pub phase: Phase,
    pub queue: Vec<u64>,
}

impl Guarded {
    /// Reads `Snapshot { phase: Pending, waiting: [(1, 0), (2, 0)] }`; what guards something else prints something else.
    pub fn read(printed: &str) -> Option<Self> {
        let (phase, rest) = printed.strip_prefix("Snapshot { phase: ")?.split_once(',')?;
        let phase = match phase {
            "Pending" => Phase::Pending,
            "Draining" => Phase::Draining,
            _ => Phase::Settled,
        };
        let numbers =
            rest.strip_prefix(" waiting: [")?.split('(').skip(1).map(|entry| entry.split(',').next()?.parse().ok());
        Some(Guarded { phase, queue: numbers.collect::<Option<_>>()? })
    }
}

impl Conformance {
    /// True if nothing is followed any more.
    pub fn is_over(&self) -> bool {
        self.refused.is_some()
    }

    /// Follows the act of this thread, who is asked for only if it matters. If the protocol refuses it, says why.
    pub fn follow(&mut self, thread: impl FnOnce() -> Thread, act: &Event) -> Option<String> {
        if self.is_over() {
            return None;
        }
        let followed = match act {
            Event::Has(threads) => {
                self.inside = vec![Vec::new(); *threads];
                Ok(())
            }
            _ if self.inside.is_empty() => return None,
            Event::Begins(step) => self.begins(thread(), *step),
            Event::Ends(..) => self.ends(thread()),
            Event::Unlocks(address, Some(printed)) => self.section(thread(), *address, &Guarded::read(printed)?),
            Event::Frees(address) => self.frees(*address),
            Event::Schedules(task) => self.schedules(thread(), *task),
            Event::Enters(HandOver { nonce, part: Part::Call, .. }) => self.enters(thread(), *nonce),
            _ => return None,
        };
        self.refused = followed.err();
        self.refused.clone()
    }

    /// Something was not seen: the rest cannot be followed.
    pub fn lose(&mut self) {
        let lost = || "protocol: not followed to the end; a panic unwound that is not the scenario's own".to_owned();
        self.refused.get_or_insert_with(lost);
    }

    /// The execution is over: why it is none of the protocol's, unless it is one.
    pub fn end(self) -> Result<(), String> {
        match self.refused {
            Some(refused) => Err(refused),
            None if self.cells.iter().any(Cell::is_drained) => {
                Err("protocol: a drain does not come to its end".to_owned())
            }
            None => Ok(()),
        }
    }

    fn begins(&mut self, t: Thread, step: TaskStep) -> Result<(), String> {
        self.inside[t].push(step);
        if let resolve::Step::Add { nonce, .. } | resolve::Step::Poll(nonce) = step.1 {
            self.lined_up.push(nonce);
        }
        Ok(())
    }

    /// The innermost operation of thread t ends: what it owed is drained by now, or put off inside of a hand-over.
    fn ends(&mut self, t: Thread) -> Result<(), String> {
        let depth = self.inside[t].len();
        let hands_over = |cell: &Cell| cell.state.hands[t].doing == Doing::HandsOver && cell.depths[t] < depth;
        let is_inside = self.cells.iter().any(hands_over);
        for cell in self.cells.iter_mut().filter(|cell| cell.depths[t] >= depth) {
            let is_right = match cell.state.hands[t].doing {
                Doing::Free => true,
                Doing::Owes => is_inside && cell.state.take(Step::PutOffDrain(t)).is_some(),
                Doing::PutOff => is_inside,
                Doing::Drains | Doing::HandsOver => false,
            };
            if !is_right {
                return Err(format!("protocol: an operation ends before its drain; thread {t}"));
            }
        }
        self.inside[t].pop();
        Ok(())
    }

    fn stand(&self, thread: Thread) -> Stand {
        let drains = |cell: &Cell| !matches!(cell.state.hands[thread].doing, Doing::Free | Doing::PutOff);
        Stand { thread, depth: self.inside[thread].len(), is_draining: self.cells.iter().any(drains) }
    }

    /// Thread t releases the lock of a cell.
    fn section(&mut self, t: Thread, address: usize, guarded: &Guarded) -> Result<(), String> {
        let (task, step) = self.inside[t].last().copied().unzip();
        let at = self.cells.iter().position(|cell| cell.address == address).unwrap_or_else(|| {
            self.cells.push(Cell::new(address, task, self.inside.len()));
            self.cells.len() - 1
        });
        let stand = self.stand(t);
        let cell = &mut self.cells[at];
        let (phase, queue, doing) = (cell.state.phase, cell.state.queue.clone(), cell.state.hands[t].doing);
        let way = match cell.drains(stand) {
            true => vec![cell.look(stand)],
            false => cell.called(t, step, guarded),
        };
        if !way.into_iter().all(|step| cell.state.take(step).is_some()) || !cell.leaves(guarded) {
            let queue: Vec<_> = queue.into_iter().map(|c| cell.callbacks[c].number.unwrap_or(0)).collect();
            let (left, waiting) = (guarded.phase, &guarded.queue);
            let rule = "protocol: no step of it is this lock section";
            return Err(format!("{rule}; thread {t}: {phase:?} {queue:?} -> {left:?} {waiting:?}"));
        }
        if doing == Doing::Free {
            cell.depths[t] = stand.depth;
        }
        cell.register(t, step, guarded);
        Ok(())
    }

    /// The lock of a cell is no more. The wakes that a scheduler still has of it need none.
    fn frees(&mut self, address: usize) -> Result<(), String> {
        let Some(at) = self.cells.iter().position(|cell| cell.address == address) else { return Ok(()) };
        let gone = self.cells.swap_remove(at);
        self.lined_up.retain(|nonce| !gone.scheduled.iter().any(|c| gone.is_named(Some(*c), *nonce)));
        match gone.is_drained() {
            true => Err("protocol: a cell is dropped amid its drain".to_owned()),
            false => Ok(()),
        }
    }

    /// Thread t hands over to a scheduler, which runs it later, now or never. A loop's queue takes other things too.
    fn schedules(&mut self, t: Thread, task: Option<Task>) -> Result<(), String> {
        let stand = self.stand(t);
        let mut cells = self.cells.iter_mut().filter(|cell| task.is_none() || cell.task == task);
        match cells.find_map(|cell| cell.next(stand).map(|c| (cell, c))) {
            Some((cell, c)) => {
                cell.hand_over(stand);
                cell.scheduled.push_back(c);
                Ok(())
            }
            None if task.is_none() => Ok(()),
            None => Err(format!("protocol: a hand-over out of turn; thread {t} calls the scheduler")),
        }
    }

    /// A callback begins: the first one that its scheduler has, or the one that thread t is to hand over.
    fn enters(&mut self, t: Thread, nonce: Nonce) -> Result<(), String> {
        let stand = self.stand(t);
        for cell in &mut self.cells {
            if cell.is_named(cell.scheduled.front().copied(), nonce) {
                cell.scheduled.pop_front();
                return Ok(());
            }
            if cell.is_named(cell.next(stand), nonce) {
                cell.hand_over(stand);
                return Ok(());
            }
        }
        match self.lined_up.contains(&nonce) {
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

    fn is_drained(&self) -> bool {
        self.state.hands.iter().any(|hands| hands.doing != Doing::Free)
    }

    fn is_named(&self, c: Option<Callback>, nonce: Nonce) -> bool {
        c.is_some_and(|c| self.callbacks[c].name == Some(nonce))
    }

    /// True if the thread drains here: as deep as it was told to, or when it is through with what that was put off for.
    fn drains(&self, Stand { thread, depth, is_draining }: Stand) -> bool {
        match self.state.hands[thread].doing {
            Doing::Free => false,
            Doing::PutOff => !is_draining,
            Doing::Owes | Doing::Drains | Doing::HandsOver => self.depths[thread] == depth,
        }
    }

    /// What the thread hands over next, if it drains here.
    fn next(&self, stand: Stand) -> Option<Callback> {
        self.state.hands[stand.thread].batch.first().copied().filter(|_| self.drains(stand))
    }

    /// To the next step of the drain.
    fn go_on(&mut self, Stand { thread, depth, .. }: Stand) {
        match self.state.hands[thread].doing {
            Doing::HandsOver => self.state.take(Step::Return(thread)),
            Doing::PutOff => self.state.take(Step::ResumeDrain(thread)),
            _ => None,
        };
        self.depths[thread] = depth;
    }

    fn hand_over(&mut self, stand: Stand) {
        self.go_on(stand);
        self.state.take(Step::HandOver(stand.thread));
    }

    fn look(&mut self, stand: Stand) -> Step {
        self.go_on(stand);
        let step = if self.state.queue.is_empty() { Step::Settle } else { Step::Take };
        step(stand.thread)
    }

    /// The steps of a caller's lock section. None at all: refused, replaced, or looked at by the harness. Where the
    /// operation is not known, or is a loop's, what it left says what they would have to be.
    fn called(&self, t: Thread, operation: Option<resolve::Step>, guarded: &Guarded) -> Vec<Step> {
        use resolve::Step::{Add, Complete, DropAwait, DropCompleter, Poll, Remove, RemoveAll};
        let State { phase, queue, .. } = &self.state;
        let remove = |c: &Callback| Step::Remove(t, *c);
        let gone = |c: &&Callback| self.callbacks[**c].number.is_none_or(|number| !guarded.queue.contains(&number));
        match operation {
            Some(Add { .. }) => vec![Step::Add(t)],
            Some(Remove(Some(nonce))) => {
                (0..self.callbacks.len()).filter(|c| self.is_named(Some(*c), nonce)).map(|c| remove(&c)).collect()
            }
            // The shared tag of the scenario is not the model's: one by one, in this one section.
            Some(RemoveAll) => queue.iter().filter(|c| self.callbacks[**c].tagged).map(remove).collect(),
            Some(Complete(_) | DropCompleter) => vec![Step::Complete(t)],
            Some(Poll(_)) if *phase == Phase::Pending && self.awaits[t].is_none() => vec![Step::Add(t)],
            Some(DropAwait) => self.awaits[t].iter().map(remove).collect(),
            Some(operation) if !operation.is_of_a_loop() => Vec::new(),
            _ if guarded.queue.len() > queue.len() || (*phase, guarded.phase) == (Phase::Settled, Phase::Draining) => {
                vec![Step::Add(t)]
            }
            _ if guarded.phase != *phase => vec![Step::Complete(t)],
            _ => queue.iter().filter(gone).map(remove).collect(),
        }
    }

    /// True if the protocol leaves what the lock guarded. A new callback has the highest number.
    fn leaves(&self, guarded: &Guarded) -> bool {
        let State { phase, queue, .. } = &self.state;
        let highest = self.callbacks.iter().filter_map(|callback| callback.number).max();
        let is_it = |(&c, &number): (&Callback, &u64)| match self.callbacks.get(c) {
            Some(callback) => callback.number == Some(number),
            None => Some(number) > highest,
        };
        *phase == guarded.phase && queue.len() == guarded.queue.len() && queue.iter().zip(&guarded.queue).all(is_it)
    }

    /// Names what was added, or what an await left in its place.
    fn register(&mut self, t: Thread, operation: Option<resolve::Step>, guarded: &Guarded) {
        let (name, tagged) = match operation {
            Some(resolve::Step::Add { nonce, tagged }) => (Some(nonce), tagged),
            Some(resolve::Step::Poll(nonce)) => (Some(nonce), false),
            _ => (None, false),
        };
        let is_poll = matches!(operation, Some(resolve::Step::Poll(_)));
        if self.state.added > self.callbacks.len() {
            let waits = self.state.queue.last() == Some(&self.callbacks.len());
            let number = guarded.queue.last().copied().filter(|_| waits);
            self.awaits[t] = if is_poll { Some(self.callbacks.len()) } else { self.awaits[t] };
            self.callbacks.push(Registered { number, name, tagged });
        } else if let (true, Some(c)) = (is_poll, self.awaits[t].filter(|c| self.state.queue.contains(c))) {
            self.callbacks[c].name = name;
        } else if matches!(operation, Some(resolve::Step::DropAwait)) {
            self.awaits[t] = None;
        }
    }
}
