//! Programs of one thread over several tasks and their event loop, played on the loop and on a plain model of it.
//!
//! ```text
//! N      make a plain task; there are two at the start
//! W2     spawn a task that awaits task 2
//! S      call soon
//! A2     add a callback to task 2
//! R3     remove the fourth callback that was added
//! C2 D2  complete task 2; drop its completer
//! X2     cancel task 2
//! E      run the loop for a main that ends at once
//! ```
//!
//! With a `+` behind it, what `W`, `S` and `A` make carries out the program's next operation when its turn comes; with a
//! `!` it panics. What is not there is passed over. At the end the loop is closed, and everything dropped.

mod plain;
mod played;

use std::fmt;
use std::str::FromStr;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Make,
    Await(usize, Then),
    Soon(Then),
    Add(usize, Then),
    Remove(usize),
    Complete(usize),
    Drop(usize),
    Cancel(usize),
    Run,
}

/// What is done last when its turn has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    Nothing,
    NextOperation,
    Panic,
}

const LETTERS: &str = "NWSARCDXE";

/// Plays what the bytes stand for on the loop and on the model.
///
/// # Panics
///
/// If they differ.
pub fn check(bytes: &[u8]) {
    let program = decode(bytes);
    let (played, plain) = (played::play(&program), plain::play(&program));
    let text: Vec<String> = program.iter().map(Op::to_string).collect();
    assert_eq!(played, plain, "'{}': the loop is on the left, the model on the right", text.join(" "));
}

/// A text of the language stands for itself; of all other inputs two bytes are an operation.
pub fn decode(bytes: &[u8]) -> Vec<Op> {
    let text =
        str::from_utf8(bytes).ok().and_then(|text| text.split_whitespace().map(|word| word.parse().ok()).collect());
    text.unwrap_or_else(|| bytes.chunks_exact(2).map(|pair| operation(pair[0], pair[1])).collect())
}

/// Adds and runs are common.
fn operation(kind: u8, of: u8) -> Op {
    let number = usize::from(of & 15);
    let then = [Then::Nothing, Then::Nothing, Then::NextOperation, Then::Panic][usize::from(of >> 6)];
    match kind {
        0..16 => Op::Make,
        16..56 => Op::Await(number, then),
        56..80 => Op::Soon(then),
        80..140 => Op::Add(number, then),
        140..164 => Op::Remove(number),
        164..188 => Op::Complete(number),
        188..194 => Op::Drop(number),
        194..212 => Op::Cancel(number),
        212.. => Op::Run,
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Op::Make => f.write_str("N"),
            Op::Await(task, then) => write!(f, "W{task}{then}"),
            Op::Soon(then) => write!(f, "S{then}"),
            Op::Add(task, then) => write!(f, "A{task}{then}"),
            Op::Remove(callback) => write!(f, "R{callback}"),
            Op::Complete(task) => write!(f, "C{task}"),
            Op::Drop(task) => write!(f, "D{task}"),
            Op::Cancel(task) => write!(f, "X{task}"),
            Op::Run => f.write_str("E"),
        }
    }
}

impl fmt::Display for Then {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Then::Nothing => "",
            Then::NextOperation => "+",
            Then::Panic => "!",
        })
    }
}

impl FromStr for Op {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let then = match word.chars().last() {
            Some('+') => Then::NextOperation,
            Some('!') => Then::Panic,
            _ => Then::Nothing,
        };
        let number = word.trim_start_matches(|letter| LETTERS.contains(letter)).trim_end_matches(['+', '!']);
        let number = number.parse().unwrap_or(0);
        let op = match word.chars().next() {
            Some('N') => Op::Make,
            Some('W') => Op::Await(number, then),
            Some('S') => Op::Soon(then),
            Some('A') => Op::Add(number, then),
            Some('R') => Op::Remove(number),
            Some('C') => Op::Complete(number),
            Some('D') => Op::Drop(number),
            Some('X') => Op::Cancel(number),
            _ => Op::Run,
        };
        match op.to_string() == word {
            true => Ok(op),
            false => {
                Err(format!("`{word}` is no operation; there are N W0 S A0 R0 C0 D0 X0 E, W, S and A also with + or !"))
            }
        }
    }
}
