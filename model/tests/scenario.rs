//! The scenario language refuses what makes no sense, and says where.

use whendone_model::scenario::{Malformed, Scenario};

fn refused(text: &str) -> (usize, String) {
    let Malformed { column, reason, .. } = text.parse::<Scenario>().expect_err(text);
    (column, reason)
}

#[test]
fn a_scenario_prints_what_it_was_read_from() {
    for text in [
        "; A",
        "aa ; C | A R0",
        "ab C ; A Rm | T Rf | B | G",
        "@inline a ; P Q P D | X H",
        "C ; A S9 | W9 A",
        "@loop{pkz!} a ; N M L Z | K F A Rm",
    ] {
        assert_eq!(text.parse::<Scenario>().expect("well formed").to_string(), text);
    }
    let canonical = "  abC;A\tRm|T Rf ".parse::<Scenario>().expect("well formed").to_string();
    assert_eq!(canonical, "ab C ; A Rm | T Rf");
}

#[test]
fn what_makes_no_sense_is_refused_at_its_column() {
    let refusals = [
        ("", 1, "a `;` is missing"),
        ("aa", 3, "a `;` is missing"),
        ("aa | C", 4, "a `;` is missing before"),
        ("a ; C ; A", 7, "a second `;`"),
        ("ax ; C", 2, "`x` is no setup"),
        ("aCa ; A", 3, "after `C`"),
        ("; A Y", 5, "`Y` is no operation"),
        ("; Ä", 3, "`Ä` is no operation"),
        ("ä ; A", 1, "`ä` is no setup"),
        ("; R", 3, "wants a number, m or f"),
        ("; R01", 3, "wants a number, m or f"),
        ("; R99999999999999999999", 3, "wants a number, m or f"),
        ("a ; R1", 5, "neither of the setup nor an earlier one"),
        ("; A | R0", 7, "neither of the setup nor an earlier one"),
        ("; Rm A", 3, "no earlier add"),
        ("; S0", 3, "a number from 1 to 9"),
        ("; S01 | W1", 3, "a number from 1 to 9"),
        ("; S+1 | W1", 3, "a number from 1 to 9"),
        ("; W1", 3, "which no thread gives"),
        ("; W1 S1", 3, "which never comes"),
        ("; W1 S2 | W2 S1", 3, "which never comes"),
        ("; A | A | A | A | A", 17, "more than 4 threads"),
        ("; P", 3, "needs the task layer"),
        ("@inline ; Q", 11, "no await of this thread"),
        ("@inline ; P Q Q", 15, "no await of this thread"),
        ("@inline ; C | D", 15, "the completer"),
        ("@inline C ; C", 13, "the completer"),
        ("@inline ; H A", 13, "comes after H"),
        ("@inline ; T", 11, "needs the kernel alone"),
        ("@panic ; A", 1, "only @inline or @queue"),
        ("a @inline ; A", 3, "only in front"),
        ("@loop ; L", 1, "the task's polls are missing"),
        ("@loop{} ; L", 1, "the task's polls are missing"),
        ("@loop{px} ; L", 1, "`x` is no poll"),
        ("@loop{vp} ; L", 1, "`p` comes after the last poll"),
        ("@loop{ppppp} ; L", 1, "more than 4 polls"),
        ("@loop{v} b ; L", 10, "no setup of a task of a loop"),
        ("@loop{v} C ; L", 10, "no setup of a task of a loop"),
        ("; K", 3, "needs an event loop"),
        ("@queue ; L", 10, "needs an event loop"),
        ("@loop{v} ; L | C", 16, "no operation on a task of a loop"),
        ("@loop{v} ; L | Z", 16, "for the loop's own thread"),
        ("@loop{v} ; S1 | W1", 12, "not for the loop's own thread"),
        ("@loop{v} ; Z L", 14, "comes after Z"),
        ("@loop{v} ; L | H K", 18, "comes after H"),
        ("a{G} ; C", 2, "callback programs"),
        ("; A{G}", 3, "callback programs"),
    ];
    for (text, column, reason) in refusals {
        let (at, said) = refused(text);
        assert!(at == column && said.contains(reason), "'{text}': column {at}, {said}");
    }
}

#[test]
fn an_error_points_at_the_place() {
    let malformed = "aa ; C | Y".parse::<Scenario>().expect_err("Y is no operation");
    let [reason, line, caret] =
        malformed.to_string().lines().map(str::to_owned).collect::<Vec<_>>().try_into().unwrap();
    assert!(reason.starts_with("`Y` is no operation"), "{reason}");
    assert_eq!((line.as_str(), caret.as_str()), ("  aa ; C | Y", "           ^"));
}
