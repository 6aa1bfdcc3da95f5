//! The gate goes red when it should, and only then.

use whendone_bench::costs::agrees;
use whendone_bench::gate::{Budget, Toolchain, Verdict, growth, render};
use whendone_bench::peers;
use whendone_bench::scenarios::{Row, Scenario};
use whendone_bench::table::Line;

fn toolchain() -> Toolchain {
    Toolchain { rustc: "rustc 1".to_owned(), libc: "glibc 2".to_owned(), allocator: "the system's".to_owned() }
}

fn line(peer: &str, instructions: f64, allocations: f64) -> Line {
    let peer = peers::find(peer).expect("a peer");
    let line = Line::new(Row { scenario: Scenario::S1, n: 64 }, peer);
    Line { instructions: Some(instructions), allocations: Some(allocations), ..line }
}

/// The budget is of 100 instructions and one allocation, for each.
fn verdict(today: Line) -> Verdict {
    let kept = [line("whendone-core", 100.0, 1.0), line("whendone-task", 100.0, 1.0)];
    let budget = Budget::parse(&render(&toolchain(), &kept)).expect("it reads what it wrote");
    budget.check(&toolchain(), &[today])
}

#[test]
fn what_has_not_grown_passes() {
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
    let at = |scenario, n, instructions| Line { row: Row { scenario, n }, ..line("whendone-core", instructions, 0.0) };
    let first = |many| growth(&[at(Scenario::S4First, 64, 100.0), at(Scenario::S4First, 8192, many)]);
    assert!(first(103.0).is_empty() && !first(104.0).is_empty());
    let compact = |many| growth(&[at(Scenario::S4Compact, 64, 100.0), at(Scenario::S4Compact, 8192, many)]);
    assert!(compact(187.0).is_empty() && !compact(188.0).is_empty());
}

#[test]
fn a_cost_page_may_differ_by_a_tenth_and_no_more() {
    assert!(agrees("| add | 100 | met |", "| add | 109 | met |"));
    for other in ["| add | 112 | met |", "| add | 100 | not met |", "| add | 100 |", "| remove | 100 | met |"] {
        assert!(!agrees("| add | 100 | met |", other), "{other}");
    }
}

#[test]
fn another_toolchain_only_reports() {
    let budget = Budget::parse(&render(&toolchain(), &[line("whendone-core", 100.0, 1.0)])).expect("a budget");
    let other = Toolchain { rustc: "rustc 2".to_owned(), ..toolchain() };
    let Verdict::Incomparable(found) = budget.check(&other, &[line("whendone-core", 200.0, 1.0)]) else {
        panic!("it was compared");
    };
    assert_eq!(found.len(), 1);
}
