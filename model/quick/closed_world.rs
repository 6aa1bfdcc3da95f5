//! The allowed observations of the closed world, against recorded digests.
//!
//! `cargo verify` compares these sets with the observations of the code, and reports any difference. Here a digest
//! stands for the code, so that no engine is needed: a mutant of the specification that alters a set is noticed.

use sha2::{Digest, Sha256};
use whendone_model::spec::allowed::allowed;
use whendone_model::universe::Tier;

/// The number of allowed observations of each `step`th program, and the beginning of a digest of them.
fn counted(tier: Tier, step: usize) -> (usize, String) {
    let (mut count, mut digest) = (0, Sha256::new());
    for program in tier.programs().iter().step_by(step) {
        digest.update(format!("{program}\n"));
        for observation in allowed(program) {
            count += 1;
            digest.update(format!("{observation}\n"));
        }
    }
    (count, digest.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect())
}

/// A changed specification changes a digest. Its commit explains the change, and `cargo verify` confirms it.
#[track_caller]
fn recorded(tiers: &[(Tier, usize, usize, &str)]) {
    for &(tier, step, count, digest) in tiers {
        assert_eq!(counted(tier, step), (count, digest.to_owned()), "{tier:?}, each program of {step}");
    }
}

#[test]
fn kernel_programs_have_the_recorded_outcomes() {
    recorded(&[
        (Tier::Triples, 1, 3211, "3e7c8744"),
        (Tier::Printing, 1, 648, "338b3078"),
        (Tier::Pairs, 25, 3044, "621da700"),
        (Tier::Signals, 13, 2998, "17735a20"),
    ]);
}

#[test]
fn programs_of_tasks_have_the_recorded_outcomes() {
    recorded(&[
        (Tier::Handles, 1, 664, "087ef01d"),
        (Tier::Unwinding, 1, 900, "69cbeaf1"),
        (Tier::Tasks, 5, 2260, "c7f7406b"),
    ]);
}

#[test]
fn programs_that_call_back_have_the_recorded_outcomes() {
    recorded(&[(Tier::Wakers, 2, 875, "b32356dc"), (Tier::Programs, 5, 1072, "48779229")]);
}

#[test]
fn runs_of_a_loop_have_the_recorded_outcomes() {
    recorded(&[
        (Tier::LoopNaps, 1, 215, "09c26034"),
        (Tier::LoopRuns, 1, 394, "84ddd65d"),
        (Tier::LoopFutures, 1, 740, "1fe1777f"),
    ]);
}

#[test]
fn ends_of_a_loop_have_the_recorded_outcomes() {
    recorded(&[(Tier::LoopPrograms, 1, 1576, "73a9d43e"), (Tier::LoopEnds, 1, 4034, "7131f829")]);
}
