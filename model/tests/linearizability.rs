//! Histories by hand: linearizable ones, and others that differ in a ticket or an answer and are not.

mod shorthand;

use shorthand::Calls;
use whendone_model::observation::history::History;
use whendone_model::scenario::Scenario;

/// The history with these tickets.
fn history(scenario: &str, tickets: &str) -> History {
    let scenario: Scenario = scenario.parse().expect("well formed");
    let mut calls = Calls::new(scenario.resolved().threads.clone());
    let events = tickets.split(' ').map(|ticket| calls.event(ticket)).collect();
    History { scenario, events }
}

#[track_caller]
fn explained(scenario: &str, tickets: &str) {
    let explained = history(scenario, tickets).check();
    assert_eq!(explained.map_err(|error| error.to_string()), Ok(()));
}

/// Asserts that the history breaks this property at this ticket; `timed`: only because of its times.
#[track_caller]
fn refused(scenario: &str, tickets: &str, property: &str, at: usize, timed: bool) {
    let error = history(scenario, tickets).check().expect_err("it is not linearizable");
    let timeless = if timed { "without its times, one does" } else { "without its times, none does either" };
    assert!(error.rule.starts_with(&format!("{property}:")), "{error}");
    assert!(error.rule.ends_with(timeless), "{error}");
    assert_eq!(error.at, at, "{error}");
}

/// P7
#[test]
fn adds_that_do_not_overlap_are_handed_over_in_their_order() {
    let program = "; A | A | C";
    explained(program, "0[ 0] 1[ 1] 2[ 2*a=v0 2/a 2*b=v0 2/b 2]true");
    refused(program, "0[ 0] 1[ 1] 2[ 2*b=v0 2/b 2*a=v0 2/a 2]true", "P7", 3, true);
    explained(program, "0[ 1[ 0] 1] 2[ 2*b=v0 2/b 2*a=v0 2/a 2]true");
    refused("; A A | C", "0[ 0] 0[ 0] 1[ 1*b=v0 1/b 1*a=v0 1/a 1]true", "P7", 3, false);
}

/// P1, P9
#[test]
fn nothing_is_removed_once_a_completion_has_ended() {
    let program = "a ; C | R0";
    explained(program, "1[ 1]true 0[ 0]true");
    explained(program, "0[ 1[ 1]true 0]true");
    refused(program, "0[ 0]true 1[ 1]true", "P5", 1, true);
    explained(program, "0[ 1[ 1]false 0*a=v0 0/a 0]true");
    refused(program, "1[ 1]false 0[ 0*a=v0 0/a 0]true", "P9", 1, true);
    refused(program, "0[ 1[ 1]true 0*a=v0 0/a 0]true", "P9", 3, false);
    refused("; C | C", "0[ 0]false 1[ 1]true", "P1", 1, true);
    refused("; C | C", "0[ 1[ 0]true 1]true", "P1", 3, false);
}

/// P2, P3
#[test]
fn a_value_is_read_after_its_completion_has_begun() {
    explained("; C | G", "0[ 1[ 1]v0 0]true");
    refused("; C | G", "1[ 1]v0 0[ 0]true", "P2", 1, true);
    refused("; C | G", "0[ 0]true 1[ 1]v1", "P2", 3, false);
    explained("; C | G | A G", "0[ 1[ 1]v0 2[ 2*a=v0 2/a 2] 2[ 2]v0 0]true");
}

/// P3: only happens-before bounds a read that finds nothing: earlier reads and hand-overs of its thread, and signals.
#[test]
fn a_read_may_say_pending_until_the_completion_happens_before_it() {
    explained("; C | G", "0[ 0]true 1[ 1]pending");
    explained("; C | A G", "1[ 1] 0[ 0*a=v0 0/a 0]true 1[ 1]pending");
    refused("; C | A G", "0[ 0]true 1[ 1*a=v0 1/a 1] 1[ 1]pending", "P3", 7, false);
    refused("; C | G G", "0[ 0]true 1[ 1]v0 1[ 1]pending", "P3", 5, false);
    explained("; C | Rf G", "0[ 0]true 1[ 1]false 1[ 1]pending");
    explained("; C | S1 G", "0[ 0]true 1[ 1] 1[ 1]pending");
    explained("; C | S1 | W1 G", "0[ 0]true 1[ 1] 2[ 2] 2[ 2]pending");
    refused("; C S1 | W1 G", "0[ 0]true 0[ 1[ 0] 1] 1[ 1]pending", "P3", 7, false);
    refused("C ; G", "0[ 0]pending", "P3", 1, false);
}

/// P5, P6, P8, P11
#[test]
fn a_call_hands_over_the_callbacks_that_it_owes_before_it_returns() {
    explained("aa ; C", "0[ 0*a=v0 0/a 0*b=v0 0/b 0]true");
    refused("aa ; C", "0[ 0*a=v0 0/a 0]true", "P5", 3, false);
    refused("aa ; C", "0[ 0*a=v0 0/a 0/b 0/b 0]true", "P8", 3, false);
    refused("aa ; C | A", "0[ 0*a=v0 0/a 1[ 1*b=v0 1/b 1] 0]true", "P7", 4, false);
    refused("a ; C | C", "0[ 1[ 0*a=v0 1*a=v0 0/a 1/a 0]true 1]false", "P4", 3, false);
    refused("aa ; C | C", "0[ 1[ 0*a=v0 0*b=v0 0/a 0/b 0]true 1]false", "P7", 3, false);
    refused("a ; A | C", "0[ 0*a=v0 0/a 0] 1[ 1*b=v0 1/b 1]true", "P6", 1, false);
    explained("C ; A | A", "1[ 1*b=v0 0[ 0] 1/b 1*a=v0 1/a 1]");
    refused("C ; A | A", "0[ 0] 1[ 1*b=v0 1/b 1*a=v0 1/a 1]", "P7", 1, true);
    refused("C ; A | A", "1[ 1*b=v0 1/b 1] 0[ 0]", "P5", 5, false);
}

/// P5, P7, P17: on the queue the last thread runs callbacks, and later ones run at the end.
#[test]
fn queued_callbacks_run_in_their_order_when_the_queue_is_served() {
    let program = "@queue a ; C | P";
    explained(program, "1[ 1]pending 0[ 0]true 2*a=v0 2/a 2*b 2/b");
    explained(program, "1[ 1]pending 0[ 1*a=v0 1/a 0]true 1*b 1/b");
    refused(program, "1[ 1]pending 0[ 0]true 2*b 2/b 2*a=v0 2/a", "P7", 1, false);
    refused(program, "1[ 1]pending 0[ 0]true 2*a=v0 2/a", "P5", 6, false);
    refused(program, "0[ 0]true 1[ 1]pending 2*a=v0 2/a 2*b 2/b", "P7", 3, true);
    refused(program, "1[ 1]pending 1*a=v0 1/a 0[ 0]true 2*b 2/b", "P6", 2, true);
}

/// Calls that overlap, a hand-over inside one of them, and a call that has not ended.
#[test]
fn a_history_is_printed_as_a_table() {
    let printed = history("; A C | A G R1", "0[ 1[ 0] 0[ 1] 0*a=v0 1[ 0/a 0*b 1]v0 0/b 0]true 1[").to_string();
    let expected = "\
thread  operation  begin    end  answer
    T0  A = a          0      2  
    T1  A = b          1      4  
    T0  C              3     11  true
    T0  * a            5      7  saw v0
    T1  G              6      9  v0
    T0  * b            8     10  
    T1  R1            12      -  ";
    assert_eq!(printed, expected);
}

/// P5: the times alone refuse it, because without them the completion may end later.
#[test]
fn a_completion_ends_after_the_hand_over_that_it_owes() {
    refused("a ; C", "0[ 0]true 0*a=v0 0/a", "P5", 1, true);
}

/// P1, P10, P17
#[test]
fn a_wrong_answer_is_told_by_the_property_of_its_operation() {
    refused("; Rf", "0[ 0]true", "P10", 1, false);
    refused("; C", "0[ 0]false", "P1", 1, false);
    refused("@inline ; P", "0[ 0]v0", "P17", 1, false);
}

/// Adds that overlap can wait in any order, and no number of removed callbacks rules one out before the end.
#[test]
fn a_search_that_takes_too_long_ends_undecided() {
    // Two adds on each thread, of which the first has ended.
    let removes = |threads: usize| {
        let first: String = (0..threads).map(|thread| format!("{thread}[ ")).collect();
        let second: String = (0..threads).map(|thread| format!("{thread}] {thread}[ ")).collect();
        let program = format!(";{} T", " B B |".repeat(threads));
        history(&program, &format!("{first}{second}{threads}[ {threads}]99")).check()
    };
    let refused = removes(3).expect_err("only six can be removed");
    assert!(refused.rule.starts_with("P9: "), "{refused}");
    let undecided = removes(5).expect_err("there are too many orders");
    assert_eq!((undecided.at, undecided.rule.as_str()), (0, "harness: undecided after 100000 steps of the search"));
}

/// In each round two reads can come in either order, and both lead to the same machine.
#[test]
fn a_search_does_not_visit_a_machine_twice() {
    let rounds = 17;
    let program = format!("C ;{} |{} | G", " G".repeat(rounds), " G".repeat(rounds));
    let tickets = "0[ 1[ 0]v0 1]v0 ".repeat(rounds);
    refused(&program, &(tickets + "2[ 2]v1"), "P2", 4 * rounds + 1, false);
}

#[test]
fn a_refusal_names_what_is_not_explained() {
    let unexplained = |scenario: &str, tickets: &str| {
        let refused = history(scenario, tickets).check().expect_err("it is not linearizable");
        let text = refused.to_string();
        let (rule, rest) = text.split_once('\n').expect("several lines");
        let (line, table) = rest.split_once('\n').expect("several lines");
        assert_eq!((rule, table), (refused.rule.as_str(), history(scenario, tickets).to_string().as_str()));
        line.to_owned()
    };
    let line = |at: usize, what: &str| format!("explained up to ticket {at}; unexplained: {what}");
    assert_eq!(unexplained("; C | C", "0[ 0]false 1[ 1]true"), line(1, "the answer false to T0"));
    assert_eq!(unexplained("C ; A | A", "0[ 0*a=v0 0/a 0] 1[ 1]"), line(5, "the end of a call of T1"));
    assert_eq!(unexplained("aa ; C", "0[ 0*b=v0 0/b 0*a=v0 0/a 0]true"), line(1, "the hand-over of b by T0"));
    assert_eq!(unexplained("a ; C", "0[ 0/a 0/a 0]true"), line(1, "the next event of T0"));
    assert_eq!(unexplained("@queue a ; C", "0[ 0]true"), line(2, "the end: some work is left undone"));
}
