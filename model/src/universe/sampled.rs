//! Programs of 5 to 8 threads, pseudo-random by number, for engines that sample executions.

use crate::scenario::{Op, Scenario, Scheduler, Whom};
use sha2::{Digest, Sha256};

/// The program of this number, the same each time. One thread begins with a completion.
pub fn program(number: usize) -> Scenario {
    let digest = Sha256::digest(number.to_string());
    let mut bytes = digest.iter().copied();
    let mut next = || bytes.next().expect("a digest is longer than a program");
    let (head, tags, completion) = (next(), next(), next());
    let scheduler = [None, None, Some(Scheduler::Inline), Some(Scheduler::Queue)][usize::from(head & 3)];
    let tagged = |at: u8| scheduler.is_none() && tags >> at & 1 == 1;
    let setup = (0..head >> 2 & 3).map(|at| Op::Add { tagged: tagged(at) }).collect();
    let ends = [Op::Complete, Op::Cancel, if scheduler.is_some() { Op::DropCompleter } else { Op::Complete }];
    let first = vec![ends[usize::from(completion) % ends.len()].clone()];
    let mut scenario = Scenario { scheduler, setup, threads: vec![first], ..Scenario::default() };
    for _ in 0..4 + usize::from(head >> 4) % 4 {
        scenario.threads.push(Vec::new());
        for chance in [u8::MAX, 80] {
            let (is_wanted, byte) = (next() <= chance, next());
            if is_wanted {
                extend(&mut scenario, usize::from(byte));
            }
        }
    }
    scenario
}

const ALPHABET: [Op; 16] = [
    Op::Add { tagged: false },
    Op::Remove(Whom::Nth(0)),
    Op::Poll,
    Op::Remove(Whom::Mine),
    Op::Add { tagged: true },
    Op::Read,
    Op::DropAwait,
    Op::Remove(Whom::Nth(1)),
    Op::Add { tagged: false },
    Op::RemoveAll,
    Op::Complete,
    Op::Remove(Whom::Foreign),
    Op::DropCompleter,
    Op::Add { tagged: true },
    Op::Cancel,
    Op::Remove(Whom::Nth(2)),
];

/// Appends this operation, or the next valid one, to the last thread.
fn extend(scenario: &mut Scenario, at: usize) {
    let last = scenario.threads.len() - 1;
    for op in ALPHABET.into_iter().cycle().skip(at % ALPHABET.len()) {
        scenario.threads[last].push(op);
        if scenario.objection().is_none() {
            return;
        }
        scenario.threads[last].pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_sampled_program_is_well_formed_and_has_5_to_8_threads() {
        let (mut sizes, mut words) = (BTreeSet::new(), BTreeSet::new());
        for number in 0..500 {
            let (program, text) = (program(number), program(number).to_string());
            assert_eq!(text.parse::<Scenario>().as_ref(), Ok(&program), "{text}");
            sizes.insert(program.threads.len());
            words.extend(text.split(' ').map(str::to_owned));
        }
        assert_eq!(sizes.into_iter().collect::<Vec<_>>(), [5, 6, 7, 8]);
        let expected = ["@inline", "@queue", "A", "B", "R0", "R1", "R2", "Rm", "Rf", "T", "C", "X", "G", "P", "Q", "D"];
        assert!(expected.iter().all(|word| words.contains(*word)), "{words:?}");
    }
}
