//! Plays operations on the queue as it ships, and prints what can be seen of it after each. The twin is
//! `model/proof/play.ml`, which plays them on the proven queue.
//!
//! It is also compiled alone, beside an edited queue. So it names nothing of this crate.

use queue::{Batch, Queue};
use std::fmt::Write;
use std::num::NonZeroU64;

extern crate alloc;

#[allow(dead_code, reason = "only the cell uses the rest")]
#[path = "../../../src/kernel/queue.rs"]
mod queue;

/// The places whose number and tag are printed; a digest stands for those before them.
const SHOWN: usize = 4;

/// The answer to each operation, the callbacks that wait, and the capacity: a line for each line.
///
/// # Panics
///
/// If a line is no operation, or the queue panics.
pub fn play(operations: &str) -> String {
    let mut queue = Queue::EMPTY;
    let mut printed = String::new();
    for line in operations.lines() {
        printed += &answer(&mut queue, line);
        let capacity = if let Queue::Many { places, .. } = &queue { places.capacity() } else { 0 };
        let waiting = queue.waiting();
        let (first, last) = waiting.split_at(waiting.len().saturating_sub(SHOWN));
        let digest = first.iter().fold(0, |digest, (n, tag)| (digest * 31 + n % 999_983 + tag) % 999_983);
        let last: String = last.iter().map(|(n, tag)| format!(" {n}:{tag}")).collect();
        writeln!(printed, " | {} of {capacity} | {digest}{last}", queue.len()).expect("a string can be written");
    }
    printed
}

fn answer(queue: &mut Queue<u64>, line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let number = |at: usize| words[at].parse::<u64>().expect("a number");
    let at_least_one = |at| NonZeroU64::new(number(at)).expect("numbers and tags of callbacks are not zero");
    match words[0] {
        "new" => *queue = Queue::EMPTY,
        "push" => queue.push(at_least_one(1), at_least_one(2), number(3)),
        "replace" => {
            return match queue.replace(at_least_one(1), number(2)) {
                Ok(old) => old.to_string(),
                Err(refused) => format!("refused {refused}"),
            };
        }
        "remove" => return queue.remove(at_least_one(1)).map_or("-".to_owned(), |callback| callback.to_string()),
        "remove_all" => {
            return queue.remove_all(at_least_one(1)).iter().map(u64::to_string).collect::<Vec<_>>().join(" ");
        }
        "take" => return hand_over(queue.take()),
        _ => panic!("{line} is no operation"),
    }
    String::new()
}

/// The callbacks of a batch, with a mark where it says that it is not empty.
fn hand_over(mut batch: Batch<u64>) -> String {
    let mut printed = String::new();
    loop {
        printed += if batch.is_empty() { "" } else { "+" };
        match batch.next() {
            None => return printed + ".",
            Some(callback) => printed += &format!("{callback} "),
        }
    }
}
