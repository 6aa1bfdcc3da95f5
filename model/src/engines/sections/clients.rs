//! Every client of up to a stated number of calls, all at once.
//!
//! The most general client calls everything, at any time, from as many threads as it likes, with every id that it was
//! given. Each thread is one call: calls in one thread, and signals between threads, only leave out some interleavings.
//! A call begins with its first lock section or read, because nobody notices it before. There it takes effect in the
//! specification, too. Each answer is compared when the call returns, each hand-over when it begins, the cell's state
//! after each step (`lockstep.rs`). So there is one graph of states for all clients, and it is explored breadth first: the
//! first difference has the fewest calls.
//!
//! A state is known by a key: everything that can influence what still happens, and nothing that was compared already.
//! Callbacks have no names in it: the kernel never looks into one.

use crate::scenario::names::letter;
use crate::universe::multisets;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fmt;
use std::hash::{DefaultHasher, Hasher};
use std::mem::take;
use std::sync::LazyLock;

/// A call of the client. A callback is named by the number of its add: in a byte, since millions of paths are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Call {
    Add {
        tagged: bool,
    },
    AddLate,
    AddWaiting,
    Replace(u8),
    /// None is a callback of another cell.
    Remove(Option<u8>),
    RemoveAll,
    Complete,
    Read,
    Phase,
}

impl Call {
    /// True if it brings a callback or an outcome. Those of all calls are numbered from 1 on.
    pub fn has_payload(self) -> bool {
        self.registers() || matches!(self, Call::Replace(_) | Call::Complete)
    }

    /// True if it adds a callback.
    fn registers(self) -> bool {
        matches!(self, Call::Add { .. } | Call::AddLate | Call::AddWaiting)
    }
}

/// A choice: a call begins, or the call at this place takes its next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Choice {
    Begin(Call),
    Step(u8),
}

/// The part of a state's key that stands for what nothing prints: the queue's representation, and the calls under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Key {
    /// All operations on the queue since it was last taken as a whole, and all steps of each call under way. Sound for
    /// every queue that then begins anew.
    Operations,
    /// The places that these operations leave in the queue of this project, and the last step of each call under way: a
    /// drain knows nothing but its batch.
    Places,
}

/// The parts of a key, which is a hash of them in 128 bits.
pub struct Parts(Vec<u8>);

impl Default for Parts {
    fn default() -> Self {
        // There are so many that growing the buffer step by step would cost time.
        Parts(Vec::with_capacity(512))
    }
}

impl Hasher for Parts {
    fn write(&mut self, part: &[u8]) {
        self.0.extend(part);
    }

    fn finish(&self) -> u64 {
        self.key()[0]
    }
}

impl Parts {
    pub fn key(&self) -> [u64; 2] {
        [0_u8, 1].map(|seed| {
            let mut hasher = DefaultHasher::new();
            hasher.write_u8(seed);
            hasher.write(&self.0);
            hasher.finish()
        })
    }
}

/// The states around a state.
pub struct Around {
    /// The key of the state itself.
    pub key: [u64; 2],
    /// The number of choices that were taken there.
    pub choices: u64,
    /// The other states to which they lead.
    pub others: Vec<Reached>,
}

/// A state that a choice leads to.
pub struct Reached {
    pub choice: Choice,
    pub key: [u64; 2],
    /// True if a call is under way.
    pub is_under_way: bool,
}

/// Carries out the start at once and then the choices of the path, in lock step with the specification. At its end takes each
/// choice by itself: the next steps, or the calls if they are to begin; and compares. The error says after which further
/// choices, and what differs.
///
/// With the reduced key, a call that ends with its first step and leaves the key as it was needs no execution of its own: the
/// next choice is taken behind it.
pub type LockStep = fn(&[Call], &[Choice], bool, Key) -> Result<Around, (Vec<Choice>, String)>;

/// The size of an exploration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explored {
    pub states: usize,
    /// The choices that were taken and compared.
    pub choices: u64,
}

/// A difference between the core and the specification, on a path with the fewest calls.
#[derive(Clone, Debug)]
pub struct Difference {
    pub start: Vec<Call>,
    pub path: Vec<Choice>,
    pub what: String,
}

/// Explores every client of up to this number of calls, from every start: no, one or two waiting callbacks, each with or
/// without the shared tag, the cell pending or done.
///
/// # Errors
///
/// The first difference.
pub fn explore(calls: usize, key: Key, lock_step: LockStep) -> Result<Explored, Difference> {
    let mut search = Search::new(key);
    while search.finished.len() <= calls {
        search.advance(lock_step, || true)?;
    }
    Ok(search.explored)
}

/// An exploration that can stop at any state and go on later, in another process too.
#[derive(Serialize, Deserialize)]
pub struct Search {
    key: Key,
    seen: HashSet<[u64; 2]>,
    pub explored: Explored,
    /// The exploration of every client of up to as many calls as the place says.
    pub finished: Vec<Explored>,
    /// The states that the present number of calls leads to.
    states: Vec<State>,
    /// True if all steps of these states were taken, and further calls begin now.
    begins: bool,
    /// How many of them were followed.
    followed: usize,
    /// The states in which a further call has begun.
    begun: Vec<State>,
}

/// A state, by one way that leads to it.
#[derive(Serialize, Deserialize)]
struct State {
    start: u8,
    is_under_way: bool,
    path: Box<[Choice]>,
}

/// The states that are followed at once, on all processors.
const TOGETHER: usize = 256;

impl Search {
    /// A search that has not begun.
    pub fn new(key: Key) -> Self {
        let begun =
            (0..STARTS.len()).map(|start| State { start: start as u8, is_under_way: false, path: Box::default() });
        Search {
            key,
            seen: HashSet::new(),
            explored: Explored::default(),
            finished: Vec::new(),
            states: Vec::new(),
            begins: true,
            followed: 0,
            begun: begun.collect(),
        }
    }

    /// Explores the clients of one call more. Returns false if `goes_on` ended it before.
    ///
    /// # Errors
    ///
    /// The first difference.
    pub fn advance(&mut self, lock_step: LockStep, goes_on: impl Fn() -> bool) -> Result<bool, Difference> {
        // First all states that this number of calls leads to, then those of one call more.
        loop {
            while self.followed < self.states.len() {
                if !goes_on() {
                    return Ok(false);
                }
                self.follow(lock_step)?;
            }
            self.followed = 0;
            self.begins = !self.begins;
            if self.begins {
                self.finished.push(self.explored);
                return Ok(true);
            }
            self.states = take(&mut self.begun);
        }
    }

    /// Follows the next states: takes the steps that lead away from each, or begins the calls.
    fn follow(&mut self, lock_step: LockStep) -> Result<(), Difference> {
        let (begins, key) = (self.begins, self.key);
        let next = self.followed..self.states.len().min(self.followed + TOGETHER);
        self.followed = next.end;
        // A state without a call under way has no steps; at its start, its own key is asked for.
        let is_followed = |state: &State| begins || state.is_under_way || state.path.is_empty();
        let followed: Vec<_> = self.states[next.clone()]
            .par_iter()
            .map(|state| {
                is_followed(state).then(|| lock_step(&STARTS[usize::from(state.start)], &state.path, begins, key))
            })
            .collect();
        let mut new = Vec::new();
        for (state, around) in self.states[next].iter().zip(followed) {
            let Some(around) = around else { continue };
            let longer = |further: &[Choice]| [&state.path, further].concat();
            let differs = |(further, what): (Vec<Choice>, String)| Difference {
                start: STARTS[usize::from(state.start)].clone(),
                path: longer(&further),
                what,
            };
            let Around { key, choices, others } = around.map_err(differs)?;
            self.explored.states += usize::from(self.seen.insert(key));
            self.explored.choices += choices;
            for Reached { choice, key, is_under_way } in others {
                if self.seen.insert(key) {
                    self.explored.states += 1;
                    new.push(State { start: state.start, is_under_way, path: longer(&[choice]).into() });
                }
            }
        }
        if begins { &mut self.begun } else { &mut self.states }.extend(new);
        Ok(())
    }
}

/// The calls that are made at once before a client begins.
static STARTS: LazyLock<Vec<Vec<Call>>> = LazyLock::new(|| {
    let add = |tagged| Call::Add { tagged };
    let mut pending = vec![Vec::new()];
    pending.extend([false, true].map(|one| vec![add(one)]));
    pending.extend([false, true].into_iter().flat_map(|one| [false, true].map(|two| vec![add(one), add(two)])));
    let done: Vec<Vec<Call>> = pending.iter().map(|setup| [&setup[..], &[Call::Complete]].concat()).collect();
    [pending, done].concat()
});

/// The number of clients of this number of calls in the letters of the scenario language: each call a thread, and every
/// split of the calls into threads. `k` callbacks wait, `m` operations can be a thread by themselves (`Tier::formula`).
pub fn number(calls: usize) -> (u64, u64) {
    let starts = |programs: &dyn Fn(usize) -> usize| (0..=2).map(|k| 2 * (1 << k) * programs(7 + k) as u64).sum();
    (starts(&|m| multisets(m, calls)), starts(&|m| splits(m, calls)))
}

/// Multisets of threads with this number of operations in all.
fn splits(m: usize, operations: usize) -> usize {
    // Threads without an add, and with one, after which the thread can remove its own callback; A and B are adds.
    let (mut without, mut with) = (m - 2, 2);
    let mut by_operations = vec![1];
    by_operations.resize(operations + 1, 0);
    for length in 1..=operations {
        let before = by_operations.clone();
        for (total, number) in by_operations.iter_mut().enumerate() {
            let threads = 1..=total / length;
            *number +=
                threads.map(|count| multisets(without + with, count) * before[total - count * length]).sum::<usize>();
        }
        (without, with) = (without * (m - 2), without * 2 + with * (m + 1));
    }
    by_operations[operations]
}

impl Difference {
    /// The number of calls that the client makes.
    pub fn calls(&self) -> usize {
        self.begun().count()
    }

    fn begun(&self) -> impl Iterator<Item = Call> {
        self.path.iter().filter_map(|choice| if let Choice::Begin(call) = choice { Some(*call) } else { None })
    }

    /// The client in the letters of the scenario language: each call is a thread, in the order in which they begin. A call
    /// for which there is no letter has its name, and any call may name any callback by its number.
    pub fn client(&self) -> String {
        // The first payload is the callback of another cell.
        let (mut registered, mut numbers) = (0, vec![None]);
        for call in self.start.iter().copied().chain(self.begun()).filter(|call| call.has_payload()) {
            numbers.push(call.registers().then_some(registered));
            registered += usize::from(call.registers());
        }
        let number =
            |nonce: u8| numbers[usize::from(nonce)].map_or_else(String::new, |number: usize| number.to_string());
        let text = |call: Call| match call {
            Call::Add { tagged: false } => "A".to_owned(),
            Call::Add { tagged: true } => "B".to_owned(),
            Call::AddLate => "add_late".to_owned(),
            Call::AddWaiting => "add_waiting".to_owned(),
            Call::Replace(nonce) => format!("replace {}", number(nonce)),
            Call::Remove(Some(nonce)) => format!("R{}", number(nonce)),
            Call::Remove(None) => "Rf".to_owned(),
            Call::RemoveAll => "T".to_owned(),
            Call::Complete => "C".to_owned(),
            Call::Read => "G".to_owned(),
            Call::Phase => "phase".to_owned(),
        };
        let setup = self.start.iter().map(|call| match call {
            Call::Complete => "C".to_owned(),
            call => text(*call).to_lowercase(),
        });
        let (setup, threads) = (setup.collect::<String>(), self.begun().map(text).collect::<Vec<_>>());
        format!("{setup} ; {}", threads.join(" | ")).trim().to_owned()
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Call::Add { tagged: false } => f.write_str("add"),
            Call::Add { tagged: true } => f.write_str("add with the shared tag"),
            Call::AddLate => f.write_str("add_late"),
            Call::AddWaiting => f.write_str("add_waiting"),
            Call::Replace(nonce) => write!(f, "replace {}", letter((*nonce).into())),
            Call::Remove(Some(nonce)) => write!(f, "remove {}", letter((*nonce).into())),
            Call::Remove(None) => f.write_str("remove a callback of another cell"),
            Call::RemoveAll => f.write_str("remove_all"),
            Call::Complete => f.write_str("complete"),
            Call::Read => f.write_str("outcome"),
            Call::Phase => f.write_str("phase"),
        }
    }
}

/// The start, a line for each choice, and the difference.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut calls = self.start.clone();
        self.start.iter().enumerate().try_for_each(|(at, call)| writeln!(f, "  call {}: {call}, at once", at + 1))?;
        for choice in &self.path {
            match choice {
                Choice::Begin(call) => {
                    calls.push(*call);
                    writeln!(f, "  call {}: {call}", calls.len())?;
                }
                Choice::Step(at) => writeln!(f, "  call {}: the next step of {}", at + 1, calls[usize::from(*at)])?,
            }
        }
        write!(f, "{}", self.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::universe::Tier;

    #[test]
    fn a_client_is_told_in_the_letters_of_scenarios() {
        let add = Call::Add { tagged: true };
        let begun = [Call::Complete, Call::Add { tagged: false }, Call::Remove(Some(3)), Call::Replace(1), Call::Phase];
        let mut path: Vec<Choice> = begun.into_iter().map(Choice::Begin).collect();
        path.insert(1, Choice::Step(1));
        let difference = |start, path| Difference { start, path, what: String::new() };
        let [some, done] = [difference(vec![add], path), difference(vec![add, Call::Complete], Vec::new())];
        assert_eq!((some.client().as_str(), some.calls()), ("b ; C | A | R1 | replace 0 | phase", 5));
        assert_eq!((done.client().as_str(), done.calls()), ("bC ;", 0));
        assert_eq!(difference(Vec::new(), vec![Choice::Begin(Call::Read)]).client(), "; G");
    }

    #[test]
    fn the_number_of_clients_is_that_of_the_tiers_of_this_size() {
        assert_eq!(number(3).0, Tier::Triples.formula() as u64);
        assert_eq!(number(4).0, Tier::Fours.formula() as u64);
        // The largest number that the command takes still fits.
        assert!(number(15).1 > number(14).1);
        // 1 + 1 operations, and 2 in one thread.
        let two = |m: usize| m * (m + 1) / 2 + m * m + 2;
        assert_eq!(number(2).1, (0..=2).map(|k| 2 * (1 << k) * two(7 + k) as u64).sum::<u64>());
    }
}
