//! Estimates of the number of executions are near the true numbers.

use whendone_model::engines::catalog::Engine;
use whendone_model::engines::sections::estimate::{Estimate, estimate};
use whendone_model::universe::Tier;

/// The number of programs.
const KNOWN: usize = 50;

/// The executions that the command may spend if a program has few.
const LEAST: u64 = 2000;

/// From here on a hundredth of the executions is enough.
const LARGE: u64 = 100 * LEAST;

/// Compares the estimates of programs of four threads, by their numbers at equal distances, with the executions that there are
/// without a reduction: of those programs that by the estimate are large, or of the others. Returns their number.
fn compare(is_large: bool) -> usize {
    let apart = Tier::Fours.formula() / KNOWN;
    let programs = (0..KNOWN).map(|at| Tier::Fours.program(at * apart + apart / 2).expect("it has a number"));
    let mut ratios = Vec::new();
    for (seed, program) in programs.enumerate() {
        let play = || Engine::Sections.observe(&program);
        let Estimate { executions, spent, .. } = estimate(seed as u64, LEAST, play).expect("it is played");
        assert!(spent as f64 <= (executions / 100.0).max(LEAST as f64), "{program}: {spent} of {executions}");
        if (executions >= LARGE as f64) == is_large {
            let known = Engine::SectionsPlain.observe(&program).executions;
            println!("{program:<30} {known:>7} executions, estimate {executions:>9.0} from {spent:>5}");
            ratios.push(executions / known as f64);
        }
    }
    ratios.sort_by(f64::total_cmp);
    println!("ratios to the true numbers: {ratios:.2?}");
    assert!(ratios.iter().all(|ratio| (0.75..=1.25).contains(ratio)), "{ratios:.2?}");
    ratios.len()
}

#[test]
fn estimates_of_small_programs_are_within_a_quarter() {
    assert_eq!(compare(false), KNOWN - 1);
}

#[test]
#[ignore = "takes minutes"]
fn the_estimate_of_a_large_program_is_within_a_quarter() {
    assert_eq!(compare(true), 1);
}

#[test]
fn an_engine_that_cannot_be_sampled_has_no_estimate() {
    let program = "; C | A".parse().expect("well formed");
    let failure = estimate(1, LEAST, || Engine::Alone.observe(&program)).expect_err("it was not sampled");
    assert_eq!(failure, "nothing was played");
}

#[test]
fn estimates_of_programs_on_a_loop_are_within_a_quarter() {
    for text in ["@loop{!} a ; L | G", "@loop{p!} a ; L | R0", "@loop{p} a ; H L | R0 H", "@loop{v} a~{G} ; M Z | A"] {
        let program = text.parse().expect("well formed");
        let estimated = estimate(1, LEAST, || Engine::Sections.observe(&program)).expect("it is played");
        let known = Engine::SectionsPlain.observe(&program).executions;
        println!("{text:<30} {known:>7} executions, {estimated:?}");
        assert!((0.75..=1.25).contains(&(estimated.executions / known as f64)), "{text}: {known}, {estimated:?}");
    }
}
