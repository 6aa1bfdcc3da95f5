//! The gate goes red when it should, and only then.

use whendone_bench::costs::agrees;
use whendone_bench::gate::{Budget, Landed, Toolchain, Verdict, growth, landed, render};
use whendone_bench::registry::find;
use whendone_bench::rows::{Row, Scenario};
use whendone_bench::table::Line;

fn toolchain() -> Toolchain {
    Toolchain { rustc: "rustc 1".to_owned(), libc: "glibc 2".to_owned(), allocator: "the system's".to_owned() }
}

fn line(peer: &str, instructions: f64, allocations: f64) -> Line {
    let peer = find(peer).expect("a peer");
    let line = Line::new(Row { scenario: Scenario::S1, n: 64 }, peer);
    Line { instructions: Some(instructions), allocations: Some(allocations), ..line }
}

fn budget(lines: &[Line]) -> Budget {
    Budget::parse(&render(&toolchain(), lines, &Landed::new())).expect("a budget that was written can be read")
}

/// The budget is of 100 instructions and one allocation, for each.
fn verdict(today: Line) -> Verdict {
    let kept = [line("whendone-core", 100.0, 1.0), line("whendone-task", 100.0, 1.0)];
    let budget = budget(&kept);
    budget.check(&toolchain(), &[today], false)
}

#[test]
fn counts_that_have_not_grown_pass() {
    assert_eq!(verdict(line("whendone-core", 100.0, 1.0)), Verdict::Holds);
    assert_eq!(verdict(line("whendone-core", 102.9, 1.0)), Verdict::Holds);
    assert_eq!(verdict(line("whendone-core", 50.0, 1.0)), Verdict::Holds);
    assert_eq!(verdict(line("whendone-task", 102.9, 1.0)), Verdict::Holds);
}

#[test]
fn a_grown_count_fails() {
    for (peer, instructions) in [("whendone-core", 104.0), ("whendone-task", 103.1)] {
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
    let budget = budget(&[atomics(Some(2.0156))]);
    let verdict = |today| budget.check(&toolchain(), &[atomics(today)], false);
    assert_eq!(verdict(Some(2.015_62)), Verdict::Holds);
    assert_eq!(verdict(Some(1.0)), Verdict::Holds);
    assert_eq!(verdict(None), Verdict::Holds);
    // One atomic more for each 64 callbacks.
    let Verdict::Exceeded(found) = verdict(Some(2.0313)) else { panic!("it passes") };
    assert_eq!(found, ["whendone-task S1 n=64: 2.03 atomics, not 2.02"]);
}

#[test]
fn the_core_may_not_fall_behind_the_landed_one_whatever_was_accepted() {
    let (before, now) = ([line("whendone-core", 100.0, 1.0)], [line("whendone-core", 102.1, 1.0)]);
    let accepted = render(&toolchain(), &now, &landed(&before));
    let budget = Budget::parse(&accepted).expect("a budget");
    assert_eq!(budget.check(&toolchain(), &before, false), Verdict::Holds);
    let Verdict::Exceeded(found) = budget.check(&toolchain(), &now, false) else { panic!("it passes") };
    assert_eq!(found, ["whendone-core S1 n=64: 102.1 instructions, landed with 100.0: 2.1 % more"]);
    let worst = budget.worst_of_core(&now).map(|(line, ratio)| (line.row.to_string(), ratio));
    assert_eq!(worst, Some(("S1 n=64".to_owned(), 1.021)));
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
    let budget = budget(&today);
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
    let budget = budget(&[line("whendone-core", 100.0, 1.0)]);
    let other = Toolchain { rustc: "rustc 2".to_owned(), ..toolchain() };
    let Verdict::Incomparable(found) = budget.check(&other, &[line("whendone-core", 200.0, 1.0)], false) else {
        panic!("it was compared");
    };
    assert_eq!(found.len(), 1);
}
