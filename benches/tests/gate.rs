//! The gate goes red when it should, and only then.

use whendone_bench::costs::agrees;
use whendone_bench::gate::{Budget, Toolchain, Verdict, growth, render};
use whendone_bench::registry::find;
use whendone_bench::scenarios::{Row, Scenario};
use whendone_bench::table::Line;

fn toolchain() -> Toolchain {
    Toolchain { rustc: "rustc 1".to_owned(), libc: "glibc 2".to_owned(), allocator: "the system's".to_owned() }
}

fn line(peer: &str, instructions: f64, allocations: f64) -> Line {
    let peer = find(peer).expect("a peer");
    let line = Line::new(Row { scenario: Scenario::S1, n: 64 }, peer);
    Line { instructions: Some(instructions), allocations: Some(allocations), ..line }
}

/// The budget is of 100 instructions and one allocation, for each.
fn verdict(today: Line) -> Verdict {
    let kept = [line("whendone-core", 100.0, 1.0), line("whendone-task", 100.0, 1.0)];
    let budget = Budget::parse(&render(&toolchain(), &kept)).expect("it reads what it wrote");
    budget.check(&toolchain(), &[today], false)
}

#[test]
fn counts_that_have_not_grown_pass() {
    assert_eq!(verdict(line("whendone-core", 100.0, 1.0)), Verdict::Holds);
    assert_eq!(verdict(line("whendone-core", 102.9, 1.0)), Verdict::Holds);
    assert_eq!(verdict(line("whendone-core", 50.0, 1.0)), Verdict::Holds);
    assert_eq!(verdict(line("whendone-task", 109.0, 1.0)), Verdict::Holds);
}

#[test]
fn a_grown_count_fails() {
    for (peer, instructions) in [("whendone-core", 104.0), ("whendone-task", 111.0)] {
        let Verdict::Exceeded(found) = verdict(line(peer, instructions, 1.0)) else { panic!("{peer} passes") };
        assert!(
            found[0].starts_with(&format!("{peer} S1 n=64: {instructions:.1} instructions, not 100.0")),
            "{found:?}"
        );
    }
}

#[test]
fn another_atomic_fails_and_an_uncounted_one_does_not() {
    let atomics = |atomics| Line { atomics, ..line("whendone-task", 100.0, 1.0) };
    let budget = Budget::parse(&render(&toolchain(), &[atomics(Some(7.0))])).expect("a budget");
    let verdict = |today| budget.check(&toolchain(), &[atomics(today)], false);
    assert_eq!(verdict(Some(7.2)), Verdict::Holds);
    assert_eq!(verdict(None), Verdict::Holds);
    let Verdict::Exceeded(found) = verdict(Some(8.0)) else { panic!("it passes") };
    assert_eq!(found, ["whendone-task S1 n=64: 8.0 atomics, not 7.0: 14.3 % more"]);
}

#[test]
fn another_allocation_fails_and_so_does_one_less() {
    for allocations in [0.0, 1.0001, 2.0] {
        let verdict = verdict(line("whendone-task", 100.0, allocations));
        assert!(matches!(verdict, Verdict::Exceeded(_)), "{allocations}: {verdict:?}");
    }
}

#[test]
fn a_row_that_was_never_accepted_fails() {
    assert!(matches!(verdict(line("whendone-loop", 1.0, 1.0)), Verdict::Exceeded(_)));
}

#[test]
fn peers_are_not_gated() {
    assert_eq!(verdict(line("plain-vec", 1e9, 9.0)), Verdict::Holds);
}

#[test]
fn removal_may_not_become_dearer_as_the_line_grows() {
    let grown = |first, compact| growth(&removals(first, compact), true);
    assert!(grown(103.0, 187.0).is_empty());
    assert!(matches!(&grown(104.0, 187.0)[..], [found] if found.starts_with("S4First: removal becomes dearer")));
    assert!(matches!(&grown(103.0, 188.0)[..], [found] if found.starts_with("S4Compact: removal becomes dearer")));
}

/// Lines of the core: 100 instructions at n=64, and this number at n=8192.
fn removals(first: f64, compact: f64) -> [Line; 4] {
    let at = |scenario, n, instructions| Line { row: Row { scenario, n }, ..line("whendone-core", instructions, 0.0) };
    let (few, many) = (64, 8192);
    [
        at(Scenario::S4First, few, 100.0),
        at(Scenario::S4First, many, first),
        at(Scenario::S4Compact, few, 100.0),
        at(Scenario::S4Compact, many, compact),
    ]
}

#[test]
fn unmeasured_growth_fails_unless_rows_were_left_out_on_purpose() {
    let lines = removals(100.0, 100.0);
    for missing in 0..lines.len() {
        let rest: Vec<_> =
            lines.iter().enumerate().filter(|(at, _)| *at != missing).map(|(_, line)| line.clone()).collect();
        assert!(matches!(&growth(&rest, true)[..], [found] if found.contains("not measured")));
        assert_eq!(growth(&rest, false), [""; 0]);
    }
}

#[test]
fn growth_is_gated_with_the_budget_and_only_reported_on_other_toolchains() {
    let (kept, today) = (removals(100.0, 100.0), removals(110.0, 100.0));
    let budget = Budget::parse(&render(&toolchain(), &today)).expect("a budget");
    let other = Toolchain { libc: "glibc 3".to_owned(), ..toolchain() };
    assert_eq!(budget.check(&toolchain(), &kept, true), Verdict::Holds);
    assert!(matches!(budget.check(&toolchain(), &today, true), Verdict::Exceeded(found) if found.len() == 1));
    assert!(matches!(budget.check(&other, &today, true), Verdict::Incomparable(found) if found.len() == 1));
}

#[test]
fn a_cost_page_may_differ_by_a_tenth_and_no_more() {
    assert!(agrees("| add | 100 | met |", "| add | 109 | met |"));
    for other in ["| add | 112 | met |", "| add | 100 | not met |", "| add | 100 |", "| remove | 100 | met |"] {
        assert!(!agrees("| add | 100 | met |", other), "{other}");
    }
}

#[test]
fn another_toolchain_only_gets_a_report() {
    let budget = Budget::parse(&render(&toolchain(), &[line("whendone-core", 100.0, 1.0)])).expect("a budget");
    let other = Toolchain { rustc: "rustc 2".to_owned(), ..toolchain() };
    let Verdict::Incomparable(found) = budget.check(&other, &[line("whendone-core", 200.0, 1.0)], false) else {
        panic!("it was compared");
    };
    assert_eq!(found.len(), 1);
}
