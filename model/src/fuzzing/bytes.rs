//! Bytes to a scenario, for fuzzers and proptest: every input is a program of one thread.
//!
//! A text of the scenario language is parsed, so that seeds are readable. Any other input is read byte by byte: the first
//! byte chooses scheduler and setup, each other one an operation; an operation that makes no sense in its place is left
//! out. A quarter of the first bytes choose programs in which callbacks call back: there a second byte for each operation
//! chooses its task and its programs.

use crate::scenario::{Op, Programs, Scenario, Scheduler, Whom};

/// Limit of operations, those in programs included: the cost of the specification grows with their square.
const LONGEST: usize = 300;

/// The byte of a panic of the thread, in programs in which callbacks call back.
const UNWINDS: u8 = 253;

/// The scenario for these bytes.
pub fn decode(bytes: &[u8]) -> Scenario {
    let text = str::from_utf8(bytes).ok().and_then(|text| text.trim().parse().ok());
    text.filter(|scenario: &Scenario| scenario.threads.len() == 1).unwrap_or_else(|| read(bytes))
}

/// Whether this first byte chooses a program in which callbacks call back.
pub fn calls_back(head: u8) -> bool {
    head & 3 == 1
}

fn read(bytes: &[u8]) -> Scenario {
    let (&head, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let scheduler = match head >> 4 & 7 {
        _ if !calls_back(head) => [None, None, Some(Scheduler::Inline), Some(Scheduler::Queue)][usize::from(head & 3)],
        0 | 1 => None,
        2 | 3 => Some(Scheduler::Inline),
        4 | 5 => Some(Scheduler::Queue),
        6 => Some(Scheduler::Refuse),
        _ => Some(Scheduler::Panic),
    };
    let waiting = usize::from(head >> 2 & 3);
    let setup = (0..waiting).map(|at| Op::Add { tagged: scheduler.is_none() && head >> (4 + at) & 1 == 1 }).collect();
    let scenario =
        Scenario { scheduler, setup, done: head >> 7 == 1, threads: vec![Vec::new()], ..Scenario::default() };
    let mut decoder = Decoder { bytes: rest.iter().copied(), waiting, adds: waiting, operations: 0, scenario };
    while decoder.operations < LONGEST
        && let Some(byte) = decoder.bytes.next()
    {
        let op = match operation(byte, decoder.adds) {
            _ if calls_back(head) && byte == UNWINDS => Op::Panic,
            op if calls_back(head) => decoder.with_more(op),
            op => op,
        };
        decoder.push(op);
    }
    decoder.scenario
}

struct Decoder<I> {
    bytes: I,
    /// Number of callbacks of the setup.
    waiting: usize,
    /// Number of registrations.
    adds: usize,
    operations: usize,
    scenario: Scenario,
}

impl<I: Iterator<Item = u8>> Decoder<I> {
    /// Appends the operation; without its programs if it is invalid with them, and not at all if it is invalid without.
    fn push(&mut self, op: Op) {
        let (task, bare, _) = op.parts();
        for op in [op.clone(), Op::new(task, bare.clone(), Programs::default())] {
            self.scenario.threads[0].push(op.clone());
            if self.scenario.objection().is_none() {
                self.operations += op.count();
                self.adds += op.all().iter().filter(|op| op.takes_number()).count();
                return;
            }
            self.scenario.threads[0].pop();
        }
    }

    /// The operation with its task and programs.
    fn with_more(&mut self, op: Op) -> Op {
        let more = self.bytes.next().unwrap_or(0);
        let mut programs = Programs::default();
        if op.takes_number() {
            match more >> 2 & 3 {
                0 => {}
                1 => programs.call = self.program(more),
                2 => programs.drop = self.program(more),
                _ if op == Op::Poll => programs.clone = self.program(more),
                _ => (programs.call, programs.drop) = (self.program(more), self.program(more)),
            }
        }
        Op::new(self.task(&op, more), op, programs)
    }

    /// The task: often x, and another one only where a task can be named.
    fn task(&self, op: &Op, more: u8) -> usize {
        let on_task =
            matches!(op, Op::Add { .. } | Op::Complete | Op::Cancel | Op::Read | Op::Poll | Op::DropCompleter)
                || matches!(op, Op::PollAgain(_));
        let named = on_task && self.scenario.scheduler.is_some();
        if named { usize::from(more & 3).saturating_sub(1) } else { 0 }
    }

    fn program(&mut self, more: u8) -> Vec<Op> {
        let length = 1 + usize::from(more >> 4 & 1);
        let mut program: Vec<Op> = (0..length).map_while(|_| self.inner()).collect();
        if self.scenario.scheduler.is_some() && more >> 5 & 3 == 3 {
            program.push(Op::Panic);
        }
        program
    }

    /// An operation of a program; a removal is of a callback of the setup, if there is one.
    fn inner(&mut self) -> Option<Op> {
        let byte = self.bytes.next()?;
        let op = match byte {
            0..100 => Op::Add { tagged: self.scenario.scheduler.is_none() && byte & 1 == 1 },
            100..150 => {
                Op::Remove(if self.waiting > 0 { Whom::Nth(usize::from(byte) % self.waiting) } else { Whom::Foreign })
            }
            150..200 => Op::Read,
            200..225 => Op::Cancel,
            225..245 => Op::Complete,
            _ => Op::DropCompleter,
        };
        let task = self.task(&op, byte);
        let programs = match (&op, byte % 5) {
            (Op::Add { .. }, 0) => Programs { call: vec![Op::Read], ..Programs::default() },
            (Op::Add { .. }, 1) => Programs { drop: vec![Op::Add { tagged: false }], ..Programs::default() },
            _ => Programs::default(),
        };
        Some(Op::new(task, op, programs))
    }
}

/// The operation for a byte: adds and removals are common, completions are rare.
pub(crate) fn operation(byte: u8, adds: usize) -> Op {
    match byte {
        0..60 => Op::Add { tagged: false },
        60..90 => Op::Add { tagged: true },
        90..110 => Op::Poll,
        110..120 => Op::DropAwait,
        120..200 => Op::Remove(Whom::Nth(usize::from(byte) * 7 % adds.max(1))),
        200..215 => Op::Remove(Whom::Mine),
        215..220 => Op::Remove(Whom::Foreign),
        220..230 => Op::Read,
        230..238 => Op::RemoveAll,
        238..244 => Op::Complete,
        244..248 => Op::Cancel,
        248..251 => Op::DropCompleter,
        251..253 => Op::Read,
        253 => Op::Print,
        254 => Op::Read,
        255 => Op::PollAgain(Whom::Mine),
    }
}
