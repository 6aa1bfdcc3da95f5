//! The evidence can fail: each seeded bug of `mutants.toml` makes the closed world go red.

use whendone_model::engines::loom_mutex;
use whendone_model::judge::{Verdict, judge};
use whendone_model::scenario::Scenario;
use whendone_model::universe::Tier;
use whendone_mutants::{MUTANTS, Mutant, STALE};

/// The programs of the closed world, the small ones first.
fn closed_world() -> Vec<Scenario> {
    let mut programs: Vec<_> = Tier::ALL.into_iter().flat_map(Tier::programs).collect();
    programs.sort_by_key(|program| (program.operations(), program.threads.len(), program.setup.len()));
    programs
}

/// Bugs can also make a model deadlock or panic; that is no way to be noticed.
fn shows(verdict: &Verdict, shown_by: &str) -> bool {
    match shown_by {
        "outcome" => !verdict.extra.is_empty(),
        rule => verdict.extra.is_empty() && verdict.broken.iter().any(|broken| broken.starts_with(rule)),
    }
}

#[test]
fn every_seeded_bug_turns_the_closed_world_red() {
    let programs = closed_world();
    let mut survivors = Vec::new();
    for mutant in MUTANTS {
        let verdicts = programs.iter().map(|program| (program, judge(program, true, &(mutant.play)(program))));
        let killed = verdicts.enumerate().find(|(_, (_, verdict))| shows(verdict, mutant.shown_by));
        let Mutant { id, breaks, shown_by, why, .. } = mutant;
        println!("\n{id}: {why}");
        match killed {
            Some((at, (program, verdict))) => {
                println!(
                    "  red at program {} of {}, breaks {breaks}, shown by {shown_by}: {program}",
                    at + 1,
                    programs.len()
                );
                println!("{verdict}");
            }
            None => survivors.push(id),
        }
    }
    assert!(survivors.is_empty(), "not noticed: {survivors:?}");
    assert!(MUTANTS.len() >= 9, "the table is not empty");
}

/// An edit that does not match plants nothing, and then nothing is known of that bug.
#[test]
fn every_seeded_bug_is_planted() {
    assert!(STALE.is_empty(), "the source has changed: adapt model/mutants/mutants.toml\n{}", STALE.join("\n"));
}

/// The same programs on the core as it is: what turns red above is the bug.
#[test]
fn the_core_itself_stays_green_where_the_bugs_turn_red() {
    let texts = ["a ; X | B", "a ; R0 A | R0", "; C | A | A", "a ; R0"];
    for program in texts.map(|text| text.parse().expect("well formed")) {
        let verdict = judge(&program, true, &loom_mutex::play::play(&program));
        assert!(verdict.is_good(), "{program}\n{verdict}");
    }
}
