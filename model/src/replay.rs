//! One execution of the real core, replayed step by step through the protocol.
//!
//! Of the core it knows what the lock's facade sees when a lock is released, and of the harness which operation a
//! thread is in and when a hand-over begins and ends. Every lock section must be the protocol's step, and leave
//! the phase and the queue that the protocol leaves.

use crate::engines::alone::kernel::Phase;
use crate::protocol::{Callback, Doing, State, Step, Thread};
use crate::scenario::{self, Scheduler};
use crate::spec::Nonce;
use crate::trace::Act;
use std::fmt::Write;

#[derive(Default)]
pub struct Replay {
    cells: Vec<Cell>,
    /// The operations that each thread is in, the innermost last.
    inside: Vec<Vec<scenario::Step>>,
    /// Callbacks run later or not at all: when each is handed over is not seen then.
    is_unseen: bool,
    /// Why this is no execution of the protocol. Nothing is replayed any more then.
    refused: Option<String>,
    is_lost: bool,
}

/// A cell of the core, by the address of its lock, and the protocol's state of it.
struct Cell {
    address: usize,
    state: State,
    callbacks: Vec<Registered>,
    /// The place in line of each thread's await.
    awaits: Vec<Option<Callback>>,
}

struct Registered {
    /// Its number in the core; none of a late one, which never waits.
    number: Option<u64>,
    /// What is seen when it is handed over; none if the harness added it, and nothing is seen.
    name: Option<Nonce>,
    tagged: bool,
}

/// What a cell's lock guards, as it prints itself.
pub struct Guarded {
    phase: Phase,
    queue: Vec<u64>,
}

impl Guarded {
    /// Reads `Snapshot { phase: Pending, waiting: [(1, 0), (2, 0)] }`; what guards something else prints something else.
    pub fn read(printed: &str) -> Option<Self> {
        let (phase, waiting) = printed.strip_prefix("Snapshot { phase: ")?.split_once(", waiting: [")?;
        let phase = match phase {
            "Pending" => Phase::Pending,
            "Draining" => Phase::Draining,
            _ => Phase::Settled,
        };
        let numbers = waiting.split('(').skip(1).map(|entry| entry.split(',').next()?.parse().ok());
        Some(Guarded { phase, queue: numbers.collect::<Option<_>>()? })
    }
}

impl Replay {
    /// True if nothing is followed any more.
    pub fn is_over(&self) -> bool {
        self.is_lost || self.refused.is_some()
    }

    /// Follows the act. If the protocol refuses it, says why.
    pub fn follow(&mut self, t: Thread, act: &Act) -> Option<String> {
        if self.is_over() {
            return None;
        }
        let followed = match act {
            Act::On(scheduler, threads) => {
                self.is_unseen = !matches!(scheduler, None | Some(Scheduler::Inline));
                self.inside = vec![Vec::new(); *threads];
                Ok(())
            }
            _ if self.inside.is_empty() => Ok(()),
            Act::Begins((_, step)) => {
                self.inside[t].push(*step);
                Ok(())
            }
            Act::Ends(..) => {
                self.inside[t].pop();
                Ok(())
            }
            Act::Unlocks(address, Some(printed)) => match Guarded::read(printed) {
                Some(guarded) => self.section(t, *address, &guarded),
                None => Ok(()),
            },
            Act::Enters(hand_over) if !self.is_unseen => self.enters(t, hand_over.nonce),
            Act::Leaves(nonce, _) if !self.is_unseen => self.leaves(t, *nonce),
            _ => Ok(()),
        };
        self.refused = followed.err();
        self.refused.clone()
    }

    /// Something was not seen, as while a panic unwinds: the rest cannot be followed.
    pub fn lose(&mut self) {
        self.is_lost = true;
    }

    /// The execution is over: whether it was followed to its end, and why it is none of the protocol's.
    pub fn end(self) -> (bool, Option<String>) {
        let busy = |cell: &Cell| cell.state.hands.iter().any(|hands| hands.doing != Doing::Free);
        let unfinished = (!self.is_lost && self.cells.iter().any(busy))
            .then(|| "protocol: a drain does not come to its end".to_owned());
        let refused = self.refused.or(unfinished);
        (!self.is_lost && refused.is_none(), refused)
    }

    /// Thread t releases the lock of a cell.
    fn section(&mut self, t: Thread, address: usize, guarded: &Guarded) -> Result<(), String> {
        let at = self.cells.iter().position(|cell| cell.address == address).unwrap_or_else(|| {
            self.cells.push(Cell::new(address, self.inside.len()));
            self.cells.len() - 1
        });
        let (cell, is_unseen) = (&mut self.cells[at], self.is_unseen);
        let operation = self.inside[t].last().copied();
        cell.hand_over_unseen(t, is_unseen);
        let before = cell.state.clone();
        for way in cell.ways(t, operation) {
            let taken = way.iter().all(|step| cell.state.take(*step).is_some());
            if taken && cell.leaves(&before, guarded) {
                cell.register(t, operation, guarded);
                return Ok(());
            }
            cell.state.clone_from(&before);
        }
        let mut rule = "protocol: no step of it is this lock section; ".to_owned();
        let queue: Vec<_> = before.queue.iter().map(|&c| cell.callbacks[c].number.unwrap_or(0)).collect();
        write!(rule, "thread {t}: {:?} {queue:?} -> {:?} {:?}", before.phase, guarded.phase, guarded.queue)
            .expect("strings can be written");
        Err(rule)
    }

    fn enters(&mut self, t: Thread, nonce: Nonce) -> Result<(), String> {
        let next = |cell: &&mut Cell| cell.next(t).is_some_and(|c| cell.callbacks[c].name == Some(nonce));
        let cell = self.cells.iter_mut().find(next);
        let taken = cell.and_then(|cell| cell.resume(t).and_then(|()| cell.state.take(Step::HandOver(t))));
        let turn = "protocol: a hand-over out of turn; thread ";
        taken.map(drop).ok_or_else(|| format!("{turn}{t} hands over #{nonce}"))
    }

    fn leaves(&mut self, t: Thread, nonce: Nonce) -> Result<(), String> {
        let last = |cell: &&mut Cell| {
            let inside = cell.state.hands[t].doing == Doing::HandsOver;
            inside && cell.state.handed.last().is_some_and(|&c| cell.callbacks[c].name == Some(nonce))
        };
        let taken = self.cells.iter_mut().find(last).and_then(|cell| cell.state.take(Step::Return(t)));
        taken.map(drop).ok_or_else(|| format!("protocol: a hand-over ends that did not begin; thread {t}, #{nonce}"))
    }
}

impl Cell {
    fn new(address: usize, threads: usize) -> Self {
        Cell { address, state: State::new(threads), callbacks: Vec::new(), awaits: vec![None; threads] }
    }

    /// What t hands over next.
    fn next(&self, t: Thread) -> Option<Callback> {
        let hands = &self.state.hands[t];
        let may = !matches!(hands.doing, Doing::Free | Doing::HandsOver);
        hands.batch.first().copied().filter(|_| may)
    }

    fn resume(&mut self, t: Thread) -> Option<()> {
        match self.state.hands[t].doing {
            Doing::PutOff => self.state.take(Step::ResumeDrain(t)).map(drop),
            _ => Some(()),
        }
    }

    /// Before a look: what nobody sees was handed over.
    fn hand_over_unseen(&mut self, t: Thread, is_unseen: bool) {
        while self.next(t).is_some_and(|c| is_unseen || self.callbacks[c].name.is_none()) {
            self.resume(t);
            self.state.take(Step::HandOver(t));
            self.state.take(Step::Return(t));
        }
    }

    /// The steps that this lock section may be, by what the thread is about to do and by the operation that it is in.
    fn ways(&self, t: Thread, operation: Option<scenario::Step>) -> Vec<Vec<Step>> {
        let look = if self.state.queue.is_empty() { Step::Settle(t) } else { Step::Take(t) };
        let called = || self.called(t, operation);
        let after = |first: Step| called().into_iter().map(move |way| [vec![first], way].concat());
        match self.state.hands[t].doing {
            Doing::Free | Doing::HandsOver => called(),
            Doing::Drains => vec![vec![look]],
            Doing::Owes => [vec![look]].into_iter().chain(after(Step::PutOffDrain(t))).collect(),
            Doing::PutOff => [vec![Step::ResumeDrain(t), look]].into_iter().chain(called()).collect(),
        }
    }

    /// Of a caller. No step at all: refused, replaced, or looked at by the harness.
    fn called(&self, t: Thread, operation: Option<scenario::Step>) -> Vec<Vec<Step>> {
        let pending = self.state.phase == Phase::Pending;
        let named = |nonce| self.callbacks.iter().position(|callback| callback.name == Some(nonce));
        let remove = |c: Option<Callback>| c.map(|c| Step::Remove(t, c)).into_iter().collect::<Vec<_>>();
        match operation {
            Some(scenario::Step::Add { .. }) => vec![vec![Step::Add(t)]],
            Some(scenario::Step::Remove(Some(nonce))) => vec![remove(named(nonce))],
            // The shared tag of the scenario is not the model's: one by one, in this one section.
            Some(scenario::Step::RemoveAll) => {
                let tagged = self.state.queue.iter().filter(|c| self.callbacks[**c].tagged);
                vec![tagged.map(|&c| Step::Remove(t, c)).collect()]
            }
            Some(scenario::Step::Complete(_) | scenario::Step::DropCompleter) => vec![vec![Step::Complete(t)]],
            Some(scenario::Step::Poll(_)) if pending && self.awaits[t].is_none() => vec![vec![Step::Add(t)]],
            Some(scenario::Step::DropAwait) => vec![remove(self.awaits[t])],
            Some(_) => vec![vec![]],
            None => {
                let removals = self.state.queue.iter().map(|&c| vec![Step::Remove(t, c)]);
                [vec![], vec![Step::Add(t)], vec![Step::Complete(t)]].into_iter().chain(removals).collect()
            }
        }
    }

    /// True if the protocol leaves what the lock guarded. A new callback has the highest number.
    fn leaves(&self, before: &State, guarded: &Guarded) -> bool {
        let known = |c: Callback| self.callbacks.get(c).and_then(|callback| callback.number);
        let highest = before.queue.iter().filter_map(|&c| known(c)).max();
        let queue = &self.state.queue;
        let is_it = |(&c, &number): (&Callback, &u64)| match c < before.added {
            true => known(c) == Some(number),
            false => highest.is_none_or(|highest| number > highest),
        };
        let same = queue.len() == guarded.queue.len() && queue.iter().zip(&guarded.queue).all(is_it);
        self.state.phase == guarded.phase && same
    }

    /// Names what was added, or what an await left in its place.
    fn register(&mut self, t: Thread, operation: Option<scenario::Step>, guarded: &Guarded) {
        let (name, tagged) = match operation {
            Some(scenario::Step::Add { nonce, tagged }) => (Some(nonce), tagged),
            Some(scenario::Step::Poll(nonce)) => (Some(nonce), false),
            _ => (None, false),
        };
        let is_poll = matches!(operation, Some(scenario::Step::Poll(_)));
        if self.state.added > self.callbacks.len() {
            let waits = self.state.queue.last() == Some(&self.callbacks.len());
            let number = guarded.queue.last().copied().filter(|_| waits);
            self.awaits[t] = if is_poll { Some(self.callbacks.len()) } else { self.awaits[t] };
            self.callbacks.push(Registered { number, name, tagged });
        } else if let (true, Some(c)) = (is_poll, self.awaits[t].filter(|c| self.state.queue.contains(c))) {
            self.callbacks[c].name = name;
        } else if matches!(operation, Some(scenario::Step::DropAwait)) {
            self.awaits[t] = None;
        }
    }
}
