//! The scenario language: it prints what it parses, and refuses an invalid scenario at the right column.

use whendone_model::scenario::{Malformed, Scenario};

fn refused(text: &str) -> (usize, String) {
    let Malformed { column, reason, .. } = text.parse::<Scenario>().expect_err(text);
    (column, reason)
}

#[test]
fn a_scenario_prints_the_text_it_was_read_from() {
    let plain =
        ["; A", "aa ; C | A R0", "ab C ; A Rm | T Rf | B | G V", "@inline a ; P Q P D | X H", "C ; A S9 | W9 A"];
    let on_a_loop = [
        "@loop{pkz!} a ; N M L Z | K F A Rm",
        "@loop{p} ; L | X S1 | W1 G H",
        "@loop{v} a{A{G} R1 X K N{!} F} ; L | N{A Rm !}",
        "@loop{v} a{G}~{A~{!} X} ; Z | N~{N}",
        "@loop{v} ; M A H L Z | H S1 W1",
        "@loop{zv}{G X}~{N !} a ; F{G}~{N} L | I1^{G}{A !} U1 O1 I0~{X} | I9 F~{!}",
    ];
    let with_programs = [
        "a{A} a a~{R0 G} b{T}~{A} C ; C | B{R2 A{A Rm}}~{G}",
        "@inline a{y.C} y.a z.a{y.X !} ; C | y.A{G} y.P | z.D",
        "@queue ; P^{G}{A Rm}~{Rf} | z.A~{!} H",
        "@refuse a~{X A} ; D",
        "@panic aa y.a{G} ; X | y.C",
        "@queue{A{G} Rm R2 y.X} a a{A} ; C | R2",
        "@inline a ; P^{A !} y.A | y.P{G} y.P y.J4 y.Jm Q ! D",
    ];
    for text in plain.into_iter().chain(with_programs).chain(on_a_loop) {
        assert_eq!(text.parse::<Scenario>().expect("well formed").to_string(), text);
    }
    let canonical = "  abC;A\tRm|T Rf ".parse::<Scenario>().expect("well formed").to_string();
    assert_eq!(canonical, "ab C ; A Rm | T Rf");
}

#[test]
fn a_meaningless_scenario_is_refused_at_its_column() {
    let refusals = [
        ("", 1, "a `;` is missing"),
        ("aa", 3, "a `;` is missing"),
        ("aa | C", 4, "a `;` is missing before"),
        ("a ; C ; A", 7, "a second `;`"),
        ("ax ; C", 2, "`x` is not allowed before `;`"),
        ("aCa ; A", 3, "after `C`"),
        ("; A Y", 5, "`Y` is not an operation"),
        ("; Ä", 3, "`Ä` is not an operation"),
        ("ä ; A", 1, "`ä` is not allowed before `;`"),
        ("; R", 3, "needs a number, m or f"),
        ("; R01", 3, "needs a number, m or f"),
        ("; R99999999999999999999", 3, "needs a number, m or f"),
        ("a ; R1", 5, "neither of the setup nor added earlier"),
        ("; A | R0", 7, "neither of the setup nor added earlier"),
        ("; Rm A", 3, "no earlier add"),
        ("; S0", 3, "a number from 1 to 9"),
        ("; S01 | W1", 3, "a number from 1 to 9"),
        ("; S+1 | W1", 3, "a number from 1 to 9"),
        ("; W1", 3, "no thread signals it"),
        ("; W1 S1", 3, "which is never reached"),
        ("; W1 S2 | W2 S1", 3, "which is never reached"),
        ("; A | A | A | A | A | A | A | A | A", 33, "more than 8 threads"),
        ("; P", 3, "needs the task layer"),
        ("@inline ; Q", 11, "no await of this thread"),
        ("@inline ; P Q Q", 15, "no await of this thread"),
        ("@inline ; C | D", 15, "the completer"),
        ("@inline C ; C", 13, "the completer"),
        ("@inline ; H A", 13, "comes after H"),
        ("@inline ; T", 11, "needs the kernel alone"),
        ("@panics ; A", 1, "is not a scheduler"),
        ("a @inline ; A", 3, "only allowed at the beginning"),
        ("w.a ; A", 1, "`w.` is not a task"),
        ("x. ; A", 3, "not allowed before `;`"),
        ("y.a ; A", 1, "`y.a` needs the task layer"),
        ("; A{y.C}", 5, "needs the task layer"),
        ("@inline ; y.H", 11, "`y.H` names a task, which this operation cannot"),
        ("@inline ; P y.P", 13, "polls another task than this thread's await"),
        ("@inline a{C} ; C", 16, "the completer"),
        ("@inline a{y.C} ; y.D", 18, "the completer"),
        ("a{G ; C", 5, "a `}` is missing"),
        ("a{G", 4, "a `}` is missing"),
        ("; A} C", 4, "closes nothing"),
        ("; {G}", 3, "does not follow an operation"),
        ("; A~G", 5, "a program in braces is missing"),
        ("; A~{G}{A}", 8, "must come in this order"),
        ("; A{A{A{A{G}}}}", 10, "nested more than 3 deep"),
        ("; A{Y}", 5, "`Y` is not an operation"),
        ("; A{R0}", 5, "neither of the setup nor added earlier"),
        ("; A{Rm}", 5, "no earlier add in this program"),
        ("; A{S1} | W1", 5, "not allowed in a program"),
        ("@inline ; A{P}", 13, "not allowed in a program"),
        ("@inline ; ! A !", 15, "while this thread unwinds already"),
        ("; !", 3, "needs the task layer"),
        ("@inline ; Jx", 11, "needs a number or m after J"),
        ("@inline ; J01", 11, "needs a number or m after J"),
        ("; J0", 3, "needs the task layer"),
        ("; V{G}", 3, "cannot have a program"),
        ("@inline ; H V", 13, "comes after H"),
        ("@loop{v} ; L | V", 16, "not supported on an event loop"),
        ("@inline ; Jm", 11, "no await of this thread to poll again"),
        ("@inline ; P Q Jm", 15, "no await of this thread to poll again"),
        ("@inline ; P Q P J0", 17, "names no waker with which this await was polled"),
        ("@inline a ; P J0", 15, "names no waker with which this await was polled"),
        ("@inline ; P | P J0", 17, "names no waker with which this await was polled"),
        ("@inline ; P~{G} Jm", 17, "has a program for its clone or drop"),
        ("@inline ; P^{G} J0", 17, "has a program for its clone or drop"),
        ("@inline ; P y.Jm", 13, "polls another task than this thread's await"),
        ("@inline ; P Jm{G}", 13, "cannot have a program"),
        ("@inline ; A{Jm}", 13, "not allowed in a program"),
        ("@inline ; P H J0", 15, "comes after H"),
        ("a{!} ; C", 3, "needs the task layer"),
        ("@inline a{! G} ; C", 11, "the last operation of its program"),
        ("@inline a{!}~{G} ; C", 11, "while it unwinds"),
        ("@panic a~{G} ; C", 8, "unwinds"),
        ("@queue{P} ; C", 8, "not allowed in a program"),
        ("@queue{!} ; C", 8, "@panic is one that panics"),
        ("@queue{Rm} ; C", 8, "no earlier add in this program"),
        ("@queue{R1} a ; C", 8, "neither of the setup nor added earlier"),
        ("@queue{A} a ; C | R0", 19, "neither of the setup nor added earlier"),
        ("@queue{C} ; C", 13, "the completer"),
        ("@queue{G a ; C", 10, "`a` is not an operation"),
        ("{G} ; C", 1, "`{` is not allowed before `;`"),
        ("@inline ; P^{! G}", 14, "the last operation of its program"),
        ("; A^{G}", 3, "is never cloned"),
        ("; C{G}", 3, "cannot have a program"),
        ("@loop ; L", 6, "the task's polls are missing"),
        ("@loop{} ; L", 7, "the task's polls are missing"),
        ("@loop{p ; L", 8, "a `}` is missing"),
        ("@loops{p} ; L", 1, "`@loops` is not a scheduler"),
        ("@loop{px} ; L", 8, "`x` is not a poll"),
        ("@loop{pä} ; L", 8, "`ä` is not a poll"),
        ("@loop{vp} ; L", 8, "`p` comes after the last poll"),
        ("@loop{ppppp} ; L", 11, "more than 4 polls"),
        ("@loop{v} b ; L", 10, "not allowed before `;` on a loop"),
        ("@loop{v} C ; L", 10, "not allowed before `;` on a loop"),
        ("@loop{v} y.a ; L", 10, "`y.a` is on another task than x"),
        ("@loop{v} a^{G} ; L", 10, "has a program that a loop cannot run"),
        ("@loop{v} ; L | F^{G}", 16, "has a program that a loop cannot run"),
        ("@loop{v} ; L | K{G}", 16, "has a program that a loop cannot run"),
        ("@loop{v} a{H} ; L", 12, "not allowed beside programs"),
        ("@loop{v} a{G} ; L | H", 21, "not allowed beside programs"),
        ("@loop{v} a{L} ; L", 12, "only allowed in the loop's own thread"),
        ("@loop{v} a{S1} ; L", 12, "not allowed in a program"),
        ("@loop{v} a{C} ; L", 12, "not supported on an event loop"),
        ("@loop{v} a{! G} ; L", 12, "the last operation of its program"),
        ("; K", 3, "needs an event loop"),
        ("; A{K}", 5, "needs an event loop"),
        ("@queue ; L", 10, "needs an event loop"),
        ("@loop{v} ; L | C", 16, "not supported on an event loop"),
        ("@loop{v} ; L | !", 16, "not supported on an event loop"),
        ("@loop{v} ; L | z.X", 16, "`z.X` is on another task than x"),
        ("@loop{v} a~{H} ; L", 13, "not allowed beside programs"),
        ("@loop{v} a{!}~{G} ; L", 12, "while it unwinds"),
        ("@loop{v}{!} ; L", 10, "written among the polls"),
        ("@loop{v}~{! G} ; L", 11, "the last operation of its program"),
        ("@loop{v}{R1} a ; L", 10, "neither of the setup nor added earlier"),
        ("@loop{v}~{L} ; L", 11, "only allowed in the loop's own thread"),
        ("@loop{v}~{G}{G} ; L", 13, "`{` is not allowed before `;`"),
        ("@loop{v}{G} ; L | H", 19, "not allowed beside programs"),
        ("@loop{v}~{G} ; L | H", 20, "not allowed beside programs"),
        ("@queue~{G} ; C", 7, "`~` is not allowed before `;`"),
        ("@loop{v} ; L | I", 16, "a number from 0 to 9"),
        ("@loop{v} ; L | I10", 16, "a number from 0 to 9"),
        ("; I0", 3, "needs an event loop"),
        ("@queue ; I0", 10, "needs an event loop"),
        ("@loop{v} ; I0 L", 12, "not allowed in the loop's own thread"),
        ("@loop{v} a{I0} ; L", 12, "not allowed in a program"),
        ("@loop{v} ; L | O1", 16, "has not begun"),
        ("@loop{v} ; L | I1 U2", 19, "has not begun"),
        ("@loop{v} ; L | I1 O1 U1", 22, "has not begun"),
        ("@loop{v} ; M | I1 U1", 19, "neither L nor Z"),
        ("@loop{v} ; L | I1 W1 | S1", 19, "not allowed beside naps"),
        ("@loop{v} ; L | I1~{!}", 16, "would panic in the poll"),
        ("@loop{v} ; L | H I1", 18, "comes after H"),
        ("@loop{v} ; L | Z", 16, "only allowed in the loop's own thread"),
        ("@loop{v} ; S1 | W1", 12, "not allowed in the loop's own thread"),
        ("@loop{v} ; Z L", 14, "comes after Z"),
        ("@loop{v} ; L | H K", 18, "comes after H"),
        ("@loop{v} ; H L A", 16, "comes after H"),
    ];
    for (text, column, reason) in refusals {
        let (at, said) = refused(text);
        assert!(at == column && said.contains(reason), "'{text}': column {at}, {said}");
    }
}

/// The grammar page gives its examples in backticks.
#[test]
fn every_example_of_the_grammar_page_parses() {
    let page = include_str!("../src/scenario/mod.rs").lines().map_while(|line| line.strip_prefix("//!"));
    let page: String = page.collect();
    let prose = page.rsplit("```").next().expect("prose follows the grammar");
    let examples: Vec<&str> = prose.split('`').skip(1).step_by(2).filter(|code| code.contains(" ; ")).collect();
    assert!(examples.len() >= 2, "{examples:?}");
    for example in examples {
        let parsed = example.parse::<Scenario>().map(|scenario| scenario.to_string());
        assert_eq!(parsed.as_deref(), Ok(example));
    }
}

#[test]
fn an_error_points_at_the_place() {
    let malformed = "aa ; C | Y".parse::<Scenario>().expect_err("Y is not an operation");
    let [reason, line, caret] =
        malformed.to_string().lines().map(str::to_owned).collect::<Vec<_>>().try_into().unwrap();
    assert!(reason.starts_with("`Y` is not an operation"), "{reason}");
    assert_eq!((line.as_str(), caret.as_str()), ("  aa ; C | Y", "           ^"));
}
