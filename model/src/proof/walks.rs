//! The operations on which the proven queue and the one that ships are compared.
//!
//! All short sequences; staircases, which reach every threshold of the capacity at every length; and random walks.

use std::fmt::Write;

/// The share that is compared.
#[derive(Clone, Copy)]
pub struct Share {
    /// The length of the short sequences.
    pub short: usize,
    /// The heights of the staircases are all up to this one, and those of `HIGH`.
    pub stairs: usize,
    pub walks: usize,
    /// The steps of a walk.
    pub steps: usize,
}

/// Staircases whose buffers shrink more than once. The second one comes to an odd capacity beyond the slack, the only
/// kind at which a bound that is larger by one shows.
const HIGH: [usize; 2] = [65, 129];

impl Share {
    /// Some seconds.
    pub const EVERYDAY: Share = Share { short: 4, stairs: 40, walks: 8, steps: 500 };
    /// Some minutes.
    pub const LONG: Share = Share { short: 6, stairs: 160, walks: 40, steps: 1500 };

    /// The operations, one a line.
    pub fn operations(self) -> String {
        let mut script = Script::default();
        (0..MOVES.len().pow(u32::try_from(self.short).expect("short"))).for_each(|code| script.short(code, self.short));
        (1..=self.stairs)
            .chain(HIGH)
            .for_each(|height| Order::ALL.into_iter().for_each(|order| script.stairs(height, order)));
        (0..self.walks).for_each(|seed| script.walk(seed, self.steps));
        script.text
    }
}

/// An operation of a short sequence. Numbers count the pushes, from 1.
#[derive(Clone, Copy)]
enum Move {
    Push(u64),
    /// Removes the callback of the first push, of the second, of the last (the first if there is none), or of the next one
    /// after that.
    Remove(Which),
    RemoveAll,
    Replace,
    Take,
}

#[derive(Clone, Copy)]
enum Which {
    First,
    Second,
    Last,
    Next,
}

const MOVES: [Move; 9] = [
    Move::Push(1),
    Move::Push(2),
    Move::Remove(Which::First),
    Move::Remove(Which::Second),
    Move::Remove(Which::Last),
    Move::Remove(Which::Next),
    Move::RemoveAll,
    Move::Replace,
    Move::Take,
];

/// The order in which a staircase is removed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    FromTheFront,
    FromTheBack,
    EverySecond,
    ByTag,
}

impl Order {
    const ALL: [Order; 4] = [Order::FromTheFront, Order::FromTheBack, Order::EverySecond, Order::ByTag];
}

#[derive(Default)]
struct Script {
    text: String,
    /// The numbers that were pushed since the queue is empty and new.
    pushed: Vec<u64>,
}

impl Script {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.text, "{line}").expect("a string can be written");
    }

    /// Starts with an empty queue.
    fn anew(&mut self) {
        self.pushed.clear();
        self.line(format_args!("new"));
    }

    /// Pushes a callback whose number is larger than the last one by this much.
    fn push(&mut self, step: u64, tag: u64) {
        let number = self.pushed.last().unwrap_or(&0) + step;
        self.pushed.push(number);
        self.line(format_args!("push {number} {tag} {}", self.pushed.len()));
    }

    fn remove(&mut self, number: u64) {
        self.line(format_args!("remove {number}"));
    }

    /// The sequence with this number, of all sequences of this length.
    fn short(&mut self, mut code: usize, length: usize) {
        self.anew();
        for _ in 0..length {
            let last = self.pushed.last().copied().unwrap_or(1);
            match MOVES[code % MOVES.len()] {
                Move::Push(tag) => self.push(1, tag),
                Move::Remove(Which::First) => self.remove(1),
                Move::Remove(Which::Second) => self.remove(2),
                Move::Remove(Which::Last) => self.remove(last),
                Move::Remove(Which::Next) => self.remove(last + 1),
                Move::RemoveAll => self.line(format_args!("remove_all 1")),
                Move::Replace => self.line(format_args!("replace 1 100")),
                Move::Take => self.line(format_args!("take")),
            }
            code /= MOVES.len();
        }
    }

    /// Up to a height, down to nothing, and some steps up again: each removal is tried twice.
    fn stairs(&mut self, height: usize, order: Order) {
        self.anew();
        // Every third callback stays when those with a tag go.
        (0..height).for_each(|n| self.push(1, if n % 3 == 0 { 1 } else { 2 }));
        let mut numbers = self.pushed.clone();
        match order {
            Order::FromTheFront => {}
            Order::FromTheBack => numbers.reverse(),
            Order::EverySecond => numbers.sort_by_key(|number| (number % 2, *number)),
            Order::ByTag => self.line(format_args!("remove_all 2")),
        }
        for number in numbers {
            self.remove(number);
            self.remove(number);
        }
        (0..=height / 2).for_each(|_| self.push(1, 1));
        self.line(format_args!("take"));
    }

    /// Random operations. The walk goes up and down, and leaves gaps between numbers now and then.
    fn walk(&mut self, seed: usize, steps: usize) {
        let mut random = fastrand::Rng::with_seed(seed as u64);
        self.anew();
        // Half of the walks begin where numbers end.
        let far = if seed.is_multiple_of(2) { 0 } else { u64::MAX - (1 << 40) };
        self.push(far + 1, 1);
        for step in 0..steps {
            let goes_up = (step / 60).is_multiple_of(2);
            let from = self.pushed.len().saturating_sub(80);
            let number = self.pushed[random.usize(from..self.pushed.len())];
            match random.u8(..100) {
                0..2 => self.line(format_args!("remove_all {}", random.u64(1..6))),
                2 => self.line(format_args!("take")),
                3..8 => self.line(format_args!("replace {number} {step}")),
                8..12 => self.remove(number.saturating_add(random.u64(1 << 33..1 << 34))),
                kind if (kind < 40) == goes_up => self.remove(number),
                _ => self.push(if random.u8(..8) == 0 { random.u64(2..1 << 28) } else { 1 }, random.u64(1..6)),
            }
        }
    }
}
