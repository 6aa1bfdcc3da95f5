//! The protocol of one cell, at the grain of lock sections and hand-overs, for a model checker.
//!
//! Read it beside `src/kernel`: the verbs are the same. An action is one lock section, or the beginning or the
//! end of a hand-over, which takes no lock; threads take actions in any order. `add_late` and `add_waiting` are an add or
//! no action; `replace` and `snapshot` are none. `properties.rs` states the properties and checks them in a small scope;
//! `model/proof` proves them, under the same names, for every number of threads and callbacks.

use Action::*;
use Doing::*;
use whendone_model::observation::Answer;
use whendone_model::protocol::phase::Phase;
use whendone_model::scenario::names::Value;

/// Threads are numbered; callbacks too, in the order of their adds.
pub type Thread = usize;
pub type Callback = usize;

#[derive(Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// Guarded by the lock, as is the queue.
    pub phase: Phase,
    pub queue: Vec<Callback>,
    /// The write-once cell.
    pub outcome: Option<Value>,
    pub hands: Vec<Hands>,
    /// True until the completer is dropped.
    pub completer: bool,
    /// The past: the number of adds, and the callbacks removed and handed over, in order.
    pub added: usize,
    pub removed: Vec<Callback>,
    pub handed: Vec<Callback>,
    /// The values of the completions that were answered `true`.
    pub won: Vec<Value>,
}

/// A thread's progress in its drain, and the batch that it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Hands {
    pub doing: Doing,
    pub batch: Vec<Callback>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Doing {
    /// Has no drain token.
    #[default]
    Free,
    /// Is about to hand over the next callback of its batch, or to look at the queue.
    Drains,
    /// Is in a hand-over, that is, in a caller's code, which may call every operation.
    HandsOver,
    /// Is in a hand-over of another task: the trampoline keeps the token until that drain has ended.
    PutOff,
    /// Has just received the token.
    Owes,
}

/// An action and the thread that takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    Add(Thread),
    Remove(Thread, Callback),
    /// Removes every callback with the shared tag.
    RemoveAll(Thread),
    Complete(Thread),
    DropCompleter(Thread),
    PutOffDrain(Thread),
    ResumeDrain(Thread),
    HandOver(Thread),
    Return(Thread),
    /// The hand-over unwinds. A second unwind would abort the process.
    Panic(Thread),
    /// The scheduler refuses the callback, and the refusal is reported.
    Refuse(Thread),
    /// A look at the queue finds callbacks.
    Take(Thread),
    /// A look at the queue finds none.
    Settle(Thread),
}

impl Action {
    /// All actions of this many threads on this many callbacks, whether or not they can be taken.
    pub fn all(threads: usize, callbacks: usize) -> Vec<Action> {
        let actions = [Add, RemoveAll, Complete, DropCompleter, PutOffDrain, ResumeDrain];
        let drains = [HandOver, Return, Panic, Refuse, Take, Settle];
        let actions: Vec<fn(Thread) -> Action> = [&actions[..], &drains].concat();
        let of = |t| actions.iter().map(move |action| action(t)).chain((0..callbacks).map(move |c| Remove(t, c)));
        (0..threads).flat_map(of).collect()
    }

    /// True of an action that brings the holder of the drain token nearer to the end of its drain.
    pub fn is_of_a_drain(self) -> bool {
        !matches!(self, Add(_) | Remove(..) | RemoveAll(_) | Complete(_) | DropCompleter(_))
    }

    pub fn thread(self) -> Thread {
        match self {
            Add(t) | Remove(t, _) | RemoveAll(t) | Complete(t) | DropCompleter(t) | PutOffDrain(t) => t,
            ResumeDrain(t) | HandOver(t) | Return(t) | Panic(t) | Refuse(t) | Take(t) | Settle(t) => t,
        }
    }
}

/// True of every second callback: it has the shared tag.
pub fn is_tagged(c: Callback) -> bool {
    c % 2 == 1
}

impl State {
    /// A pending cell without callbacks.
    pub fn new(threads: usize) -> Self {
        State {
            phase: Phase::Pending,
            queue: Vec::new(),
            outcome: None,
            hands: vec![Hands::default(); threads],
            completer: true,
            added: 0,
            removed: Vec::new(),
            handed: Vec::new(),
            won: Vec::new(),
        }
    }

    /// The state after this action, and its answer; none if it cannot be taken now.
    pub fn after(&self, action: Action) -> Option<(State, Option<Answer>)> {
        let mut next = self.clone();
        let answer = next.take(action)?;
        Some((next, answer))
    }

    /// Takes the action; returns none, with nothing changed, if it cannot be taken now.
    pub fn take(&mut self, action: Action) -> Option<Option<Answer>> {
        let Hands { doing, ref batch } = self.hands[action.thread()];
        let calls = matches!(doing, Free | HandsOver | PutOff);
        let drains = matches!(doing, Owes | Drains);
        let (has_batch, finds_some) = (!batch.is_empty(), !self.queue.is_empty());
        match action {
            Add(t) if calls => self.add(t),
            Remove(_, c) if calls && c < self.added => return Some(Some(Answer::Did(self.remove(c)))),
            RemoveAll(_) if calls => return Some(Some(Answer::Count(self.remove_all()))),
            Complete(t) if calls => return Some(Some(Answer::Did(self.complete(t, Value::Finished(t))))),
            DropCompleter(t) if calls && self.completer => self.drop_completer(t),
            PutOffDrain(t) if doing == Owes => self.hands[t].doing = PutOff,
            ResumeDrain(t) if doing == PutOff => self.hands[t].doing = Drains,
            HandOver(t) if drains && has_batch => self.hand_over(t),
            Return(t) | Panic(t) | Refuse(t) if doing == HandsOver => self.hands[t].doing = Drains,
            Take(t) if drains && !has_batch && finds_some => self.look(t),
            Settle(t) if drains && !has_batch && !finds_some => self.look(t),
            _ => return None,
        }
        Some(None)
    }

    /// Adds a callback. If the cell is settled, this thread owes the drain.
    fn add(&mut self, t: Thread) {
        let c = self.added;
        self.added += 1;
        match self.phase {
            Phase::Pending | Phase::Draining => self.queue.push(c),
            Phase::Settled => {
                self.phase = Phase::Draining;
                self.hands[t] = Hands { doing: Owes, batch: vec![c] };
            }
        }
    }

    fn remove(&mut self, c: Callback) -> bool {
        self.remove_where(|other| other == c) > 0
    }

    fn remove_all(&mut self) -> usize {
        self.remove_where(is_tagged)
    }

    fn remove_where(&mut self, condemned: impl Fn(Callback) -> bool) -> usize {
        if self.phase != Phase::Pending {
            return 0;
        }
        let gone: Vec<_> = self.queue.extract_if(.., |c| condemned(*c)).collect();
        self.removed.extend(&gone);
        gone.len()
    }

    /// Publishes, leaves `Pending` and takes the whole queue.
    fn complete(&mut self, t: Thread, value: Value) -> bool {
        if self.phase != Phase::Pending {
            return false;
        }
        self.outcome = Some(value);
        self.phase = Phase::Draining;
        self.hands[t] = Hands { doing: Owes, batch: self.queue.split_off(0) };
        self.won.push(value);
        true
    }

    fn drop_completer(&mut self, t: Thread) {
        self.completer = false;
        self.complete(t, Value::Abandoned);
    }

    /// Hands over the first callback of the batch (P7).
    fn hand_over(&mut self, t: Thread) {
        let c = self.hands[t].batch.remove(0);
        self.hands[t].doing = HandsOver;
        self.handed.push(c);
    }

    /// Takes the whole queue; if it is empty, settles in the same lock section.
    fn look(&mut self, t: Thread) {
        if self.queue.is_empty() {
            self.phase = Phase::Settled;
            self.hands[t].doing = Free;
        } else {
            self.hands[t] = Hands { doing: Drains, batch: self.queue.split_off(0) };
        }
    }
}
