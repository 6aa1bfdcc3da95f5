//! Estimates of the number of executions are near the true numbers.

use whendone_model::engines::catalog::Engine;
use whendone_model::engines::sections::estimate::{Estimate, estimate};
use whendone_model::scenario::Scenario;
use whendone_model::universe::Tier;

/// The number of programs.
const KNOWN: usize = 50;

/// The executions that the command may spend if a program has few.
const LEAST: u64 = 2000;

/// From here on a hundredth of the executions is enough.
const LARGE: u64 = 100 * LEAST;

fn estimated(program: &Scenario) -> Estimate {
    estimate(1, LEAST, || Engine::Sections.observe(program)).expect("it is played")
}

/// Compares the estimates with the executions that there are without a reduction. Returns the number of programs.
fn compare(programs: impl Iterator<Item = (Scenario, Estimate)>) -> usize {
    let mut ratios = Vec::new();
    for (program, Estimate { executions, spent, .. }) in programs {
        let known = Engine::SectionsPlain.observe(&program).executions;
        let share = 100.0 * spent as f64 / known as f64;
        println!("{program:<30} {known:>7} executions, estimate {executions:>9.0} from {spent:>5}, {share:.2} %");
        ratios.push(executions / known as f64);
    }
    ratios.sort_by(f64::total_cmp);
    println!("ratios to the true numbers: {ratios:.2?}");
    assert!(ratios.iter().all(|ratio| (0.75..=1.25).contains(ratio)), "{ratios:.2?}");
    ratios.len()
}

/// Programs of four threads at equal distances, with their estimates.
fn fours() -> impl Iterator<Item = (Scenario, Estimate)> {
    let apart = Tier::Fours.formula() / KNOWN;
    let programs = (0..KNOWN).map(move |at| Tier::Fours.program(at * apart + apart / 2).expect("it has a number"));
    programs.map(|program| (program.clone(), estimated(&program)))
}

#[test]
fn estimates_of_small_programs_are_within_a_quarter() {
    let small = fours().filter(|(_, estimate)| estimate.executions < LARGE as f64);
    let small = small.inspect(|(program, estimate)| assert!(estimate.spent <= LEAST, "{program}: {estimate:?}"));
    assert_eq!(compare(small), KNOWN - 1);
}

#[test]
#[ignore = "takes a minute"]
fn the_estimate_of_the_large_one_of_them_is_within_a_quarter() {
    let large = fours().filter(|(_, estimate)| estimate.executions >= LARGE as f64);
    let large = large.inspect(|(program, Estimate { executions, spent, .. })| {
        assert!(*spent as f64 <= executions / 100.0, "{program}: {spent} of {executions}");
    });
    assert_eq!(compare(large), 1);
}

/// Programs of four threads, to which two operations are added, with their estimates: those that are large, and that can be
/// explored within half a minute. Their numbers are spread over the tier.
fn large(most: u64) -> impl Iterator<Item = (Scenario, Estimate)> {
    let programs = (0..Tier::Fours.formula()).map(|at| {
        let program = Tier::Fours.program(at * 2131 % Tier::Fours.formula()).expect("it has a number").to_string();
        let (others, last) = program.rsplit_once(" | ").expect("several threads");
        format!("{others} A | {last} G").parse().expect("well formed")
    });
    let estimated = programs.map(|program: Scenario| (program.clone(), estimated(&program)));
    estimated.filter(move |(_, estimate)| (LARGE as f64..most as f64).contains(&estimate.executions))
}

#[test]
#[ignore = "takes a quarter of an hour"]
fn estimates_of_large_programs_are_within_a_quarter() {
    assert_eq!(compare(large(2 * LARGE).take(KNOWN)), KNOWN);
}

#[test]
#[ignore = "takes a quarter of an hour"]
fn estimates_that_settle_within_a_hundredth_are_within_a_quarter() {
    let is_cheap = |(_, estimate): &(Scenario, Estimate)| estimate.spent as f64 <= estimate.executions / 100.0;
    assert_eq!(compare(large(5 * LARGE).filter(is_cheap).take(KNOWN)), KNOWN);
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
        let program: Scenario = text.parse().expect("well formed");
        let estimated = estimated(&program);
        let known = Engine::SectionsPlain.observe(&program).executions;
        println!("{text:<30} {known:>7} executions, {estimated:?}");
        assert!((0.75..=1.25).contains(&(estimated.executions / known as f64)), "{text}: {known}, {estimated:?}");
    }
}
