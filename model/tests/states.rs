//! The states of the specification beside an execution, step by step: written by hand, they need no engine. Those of real
//! executions are in `explained.rs`.

mod shorthand;

use shorthand::{Calls, nonce};
use std::panic::Location;
use whendone_model::observation::HandOver;
use whendone_model::observation::event::Event;
use whendone_model::scenario::Scenario;
use whendone_model::scenario::names::{Part, SCHEDULER};
use whendone_model::spec::explained::Explained;

/// An execution, up to some event.
struct Execution {
    explained: Explained,
    calls: Calls,
    events: usize,
}

impl Execution {
    /// The setup belongs to thread 0, before its own calls.
    fn new(program: &str) -> Self {
        let scenario: Scenario = program.parse().unwrap_or_else(|malformed| panic!("{malformed}"));
        let mut threads = scenario.resolved().threads.clone();
        threads[0].splice(0..0, scenario.resolved().setup.iter().copied());
        let explained = Explained::new(&scenario).expect("it has no loop");
        Execution { explained, calls: Calls::new(threads), events: 0 }
    }

    /// An event of a history, or one of these. `0u1` unlocks the first lock, with new contents, and `0u1=` with those
    /// of another such unlock; `0u` unlocks one whose contents cannot be printed. `0p` publishes, `0r` reads. `0~a` begins the
    /// program of the drop of `a`, `0$` that of the scheduler. `0.` completes the observation.
    fn event(&mut self, text: &str) -> (usize, Event) {
        self.events += 1;
        let (thread, does) = text.split_at(1);
        let (kind, rest) = does.split_at(1);
        let event = match kind {
            "u" => {
                let contents = if rest.ends_with('=') { "before".to_owned() } else { self.events.to_string() };
                let lock = rest.trim_end_matches('=').parse();
                lock.map_or(Event::Unlocks(1, None), |lock| Event::Unlocks(lock, Some(contents)))
            }
            "p" => Event::Publishes,
            "r" => Event::Reads(true, Location::caller()),
            "~" => Event::Enters(HandOver { part: Part::Drop, ..HandOver::new(nonce(rest), None) }),
            "$" => Event::Enters(HandOver::new(SCHEDULER, None)),
            "." => Event::AllTold,
            _ => return self.calls.event(text),
        };
        (thread.parse().expect("a thread"), event)
    }

    /// The states after these events, or the refusal of one of them, which must be the last.
    fn after(&mut self, events: &str) -> String {
        let mut refused = None;
        for text in events.split_whitespace() {
            assert_eq!(refused, None, "before {text}");
            let (thread, event) = self.event(text);
            refused = self.explained.follow(thread, &event);
        }
        let states = || self.explained.states().into_iter().collect::<Vec<_>>().join(" / ");
        refused.unwrap_or_else(states)
    }
}

/// Follows the events of each row, and compares the states after it.
#[track_caller]
fn explains(program: &str, rows: &[(&str, &str)]) {
    let mut execution = Execution::new(program);
    for (events, states) in rows {
        assert_eq!(execution.after(events), *states, "{program}: {events}");
    }
}

#[test]
fn a_call_takes_effect_at_its_first_lock_section_or_where_it_publishes() {
    explains(
        "a ; C | A R0",
        &[
            ("0[", "pending"),
            ("0u1", "pending, waiting a"),
            ("0] 0[ 1[", "pending, waiting a"),
            ("0p", "done v0, to hand over a"),
            ("0u1", "done v0, to hand over a"),
            ("0*a=v0", "done v0"),
            ("1u1", "done v0, to hand over b"),
            ("1*b=v0 0u1", "done v0"),
            ("1] 0]true 1[ 1u1 1]false 0.", "done v0"),
        ],
    );
    // The completer that is dropped publishes, too.
    explains("@inline a ; D", &[("0[ 0u1 0] 0[ 0p", "done abandoned, to hand over a")]);
}

#[test]
fn the_innermost_call_of_the_thread_takes_effect() {
    explains(
        "@inline y.a a ; y.C C | A",
        &[
            ("0[ 0u2 0] 0[ 0u1 0]", "x: pending, waiting b; y: pending, waiting a"),
            ("1[ 0[ 0[ 0p", "x: done v1, to hand over b; y: pending, waiting a"),
            ("0]true 0p", "x: done v1, to hand over b; y: done v0, to hand over a"),
            ("1u1", "x: done v1, to hand over b c; y: done v0, to hand over a"),
        ],
    );
}

#[test]
fn an_add_takes_effect_where_the_guarded_state_changes() {
    explains("; A | C", &[("0[ 0u1=", "pending, waiting a")]);
    explains("; G | A | C", &[("0[ 0u1= 0r 0]pending 1[ 1u1=", "pending"), ("1u1", "pending, waiting a")]);
    // Each lock guards a state of its own, and one that cannot be printed shows nothing.
    explains("; G | A | C", &[("0[ 0u1= 0r 0]pending 1[ 1u", "pending"), ("1u2=", "pending, waiting a")]);
    // A removal takes effect in any case.
    explains(
        "b ; G | T | C",
        &[("0[ 0u1= 0]", "pending, waiting a"), ("1[ 1u1=", "pending"), ("1]1 0[ 0r", "pending")],
    );
    explains("b ; T | C", &[("0[ 0u1 0] 0[ 0u", "pending, waiting a"), ("0u1=", "pending")]);
}

#[test]
fn a_read_takes_effect_where_it_reads() {
    explains("; G | C", &[("0[ 0u1 1[ 1p 0r 0]v0 0.", "done v0")]);
    explains("; V | C", &[("0[ 0u1 1[ 1p 0r 0]v0 0.", "done v0")]);
    // It reads before the completion, and yet answers its outcome: another order explains that.
    for read in ["G", "V"] {
        let program = format!("; {read} | C | A");
        explains(&program, &[("0[ 1[ 2[ 0r 1p", "done v0"), ("0]v0", "done v0 / done v0, to hand over a")]);
    }
    explains("@inline ; P | C", &[("0[ 1[ 1p 1]true 0u1 0]v0 0.", "done v0")]);
    // Other calls take effect neither at a read nor at a publication.
    explains("a ; R0 | C", &[("0[ 0u1 0] 0[ 0r 0p", "pending, waiting a"), ("0u1", "pending"), ("0]true", "pending")]);
    explains("; C | A", &[("0[ 0r", "pending"), ("0p", "done v0")]);
    // A completion that comes too late publishes nothing.
    explains("; C | X", &[("0[ 0p 1[ 1u1", "done v0"), ("1]false 0]true", "done v0")]);
}

#[test]
fn a_call_without_a_lock_section_takes_effect_where_it_ends() {
    explains("; X | G", &[("0[ 0p 0]true 1[ 1]v0", "no order of the calls explains the answer v0")]);
    explains("a ; C | G", &[("0[ 0u1 0] 0[ 0p 0*a=v0 0]true 1[ 1]v0 0.", "done v0")]);
    explains("a ; R0", &[("0[ 0] 0[ 0]true", "pending")]);
    explains("a ; R0", &[("0[ 0] 0[ 0]false", "no order of the calls explains the answer false")]);
    explains("a ; T", &[("0[ 0] 0[ 0]0", "pending, waiting a")]);
    // The other open calls have not taken effect then.
    explains("a ; R0 | A", &[("0[ 0u1 0] 0[ 1[ 0]true", "pending"), ("1u1", "pending, waiting b")]);
    // Operations that concern no cell are left out.
    explains("; S1 C | W1 G", &[("0[ 0] 1[ 0[ 0p 0]true 1] 1[ 1r 1]v0 0.", "done v0")]);
}

#[test]
fn other_orders_are_tried_once_the_moments_contradict_an_answer() {
    // The completion publishes after the removal's section, and yet the removal finds nothing.
    explains(
        "a ; C | R0",
        &[
            ("0[ 0u1 0] 0[ 1[ 1u1", "pending"),
            ("1]false", "done v0, to hand over a"),
            ("0p 0*a=v0", "done v0"),
            ("0]true 0.", "done v0"),
        ],
    );
    // All that the open calls can lead to is possible then.
    explains(
        "aa ; C | R0 | R1",
        &[
            ("0[ 0u1 0] 0[ 0u1 0] 0[ 1[ 2[ 1u1 1]false", "done v0, to hand over a / done v0, to hand over a b"),
            ("0*a=v0 0*b=v0", "done v0"),
            ("2]true", "no order of the calls explains the answer true"),
        ],
    );
    explains(
        "a ; C | R0 | A",
        &[
            ("0[ 0u1 0] 0[ 1[ 2[ 1u1 0p", "done v0"),
            ("1]false", "done v0, to hand over a / done v0, to hand over a b"),
            ("0*a=v0", "done v0 / done v0, to hand over b"),
            ("2]", "done v0, to hand over b"),
            ("0*b=v0 0]true 0.", "done v0"),
        ],
    );
    // A refused execution stays without states.
    explains("; C | X", &[("0[ 0p 0]true 1[ 1]true", "no order of the calls explains the answer true")]);
    let mut refused = Execution::new("; C | X");
    refused.after("0[ 0p 0]true 1[ 1]true");
    assert_eq!(refused.after("1. 0."), "");
}

#[test]
fn a_read_that_finds_nothing_is_refused_on_a_thread_that_has_seen_the_task_done() {
    let refused = "no order of the calls explains the answer pending";
    explains("; C | G", &[("0[ 0p 0]true 1[ 1r 1]pending", "done v0")]);
    explains("; C | V", &[("0[ 0p 0]true 1[ 1r 1]pending", "done v0")]);
    explains("; C G", &[("0[ 0p 0]true 0[ 0r 0]pending", refused)]);
    explains("; C V", &[("0[ 0p 0]true 0[ 0r 0]pending", refused)]);
    explains("; C | X G", &[("0[ 0p 0]true 1[ 1u1 1]false 1[ 1r 1]pending", refused)]);
    explains("; C | G G G", &[("0[ 0p 0]true 1[ 1r 1]pending 1[ 1r 1]v0", "done v0"), ("1[ 1r 1]pending", refused)]);
    // What is known is known to one thread, of one task.
    explains("; C | G | G", &[("0[ 0p 0]true 1[ 1r 1]v0 2[ 2r 2]pending", "done v0")]);
    let both = "x: done v1; y: done v0";
    explains("@inline ; y.C G | C", &[("1[ 1p 1]true 0[ 0p 0]true 0[ 0r 0]pending", both)]);
    // Another poll with the same waker takes no lock; the first one does.
    let polled = "0[ 0u1 0]pending 1[ 1p 1]true";
    explains(
        "@inline ; P Jm | C",
        &[(polled, "done v0, to hand over a"), ("0[ 0r 0]pending", "done v0, to hand over a")],
    );
    explains("@inline ; P | C", &[("1[ 1p 1]true 0[ 0u1 0]pending", refused)]);
    // Another answer than pending must be the right one.
    explains("; C | G", &[("0[ 0p 0]true 1[ 1r 1]true", "no order of the calls explains the answer true")]);
    explains("; X | G", &[("0[ 0p 0]true 1[ 1r 1]v0", "no order of the calls explains the answer v0")]);
}

#[test]
fn a_poll_whose_waker_panics_has_no_effect() {
    explains("@inline ; P^{!} P | C", &[("0[ 0]panicked", "pending"), ("0[ 0u1 0]pending", "pending, waiting b")]);
    explains("@inline ; P^{!} P | C", &[("0[ 0u1 0]panicked", "pending")]);
    explains("@inline ; P^{!} | C", &[("1[ 1p 1]true 0[ 0]panicked", "done v0")]);
}

#[test]
fn callbacks_are_handed_over_in_their_order_and_with_the_outcome() {
    let not_now = |letter| format!("in no order of the calls is {letter} handed over now, with this outcome");
    let done = "0[ 0u1 0] 0[ 0u1 0] 0[ 0p";
    explains("aa ; C", &[(done, "done v0, to hand over a b"), ("0*a=v0 0*b=v0", "done v0"), ("0]true 0.", "done v0")]);
    for (events, wrong) in [("0*b=v0", "b"), ("0*a=v0 0*a=v0", "a"), ("0*a", "a"), ("0*a=v0 0*b", "b")] {
        let events = format!("{done} {events}");
        assert_eq!(Execution::new("aa ; C").after(&events), not_now(wrong), "{events}");
    }
    assert_eq!(Execution::new("aa ; C").after("0[ 0u1 0] 0[ 0u1 0] 0[ 0*a=v0"), "done v0, to hand over b");
    assert_eq!(Execution::new("aa ; C").after("0[ 0u1 0] 0*a=v0"), not_now("a"));
    // Wakers see nothing.
    explains("@inline ; P | C", &[("0[ 0u1 0]pending 1[ 1p 1*a", "done v0")]);
    assert_eq!(Execution::new("@inline ; P | C").after("0[ 0u1 0]pending 1[ 1p 1*a=v0"), not_now("a"));
    // Each task has an order of its own.
    let both_done = "0[ 0u2 0] 0[ 0u1 0] 0[ 0p 0]true 0[ 0p";
    let in_turn = ("0*a=v0", "x: done v1, to hand over b; y: done v0");
    explains(
        "@inline y.a a ; y.C C",
        &[(both_done, "x: done v1, to hand over b; y: done v0, to hand over a"), in_turn],
    );
    let polled = ("0[ 0u2 0]pending 1[ 1p", "x: pending; y: done v0, to hand over a");
    explains("@inline ; y.P | y.C", &[polled, ("1*a", "x: pending; y: done v0")]);
    // Drops, clones and the scheduler's program are judged elsewhere.
    explains("@queue{A} aa ; C", &[(done, "done v0, to hand over b c"), ("0~b 0$", "done v0, to hand over b c")]);
}

#[test]
fn a_hand_over_that_is_missing_at_the_end_is_told() {
    let missing = "in every order of the calls a hand-over is missing";
    let done = "0[ 0u1 0] 0[ 0p 0]true";
    explains("a ; C", &[(done, "done v0, to hand over a"), ("0.", missing)]);
    explains("@refuse a ; C", &[(done, "done v0"), ("0.", "done v0")]);
    explains("@panic a ; C", &[(done, "done v0"), ("0.", "done v0")]);
    explains(
        "@inline y.a a ; C",
        &[
            ("0[ 0u2 0] 0[ 0u1 0] 0[ 0p 0]true", "x: done v0, to hand over b; y: pending, waiting a"),
            ("0*b=v0 0.", "x: done v0; y: pending, waiting a"),
        ],
    );
    explains("@inline y.a a ; y.C", &[("0[ 0u2 0] 0[ 0u1 0] 0[ 0p 0]true 0.", missing)]);
    // What follows the observation is not judged.
    explains("a ; C", &[(done, "done v0, to hand over a"), ("0*a=v0 0. 0*a=v0", "done v0")]);
}

/// Wakers without a program take places in the queue like callbacks; the others are woken at once.
#[test]
fn on_a_queue_wakers_with_a_program_overtake() {
    let added = "0[ 0u1 0] 1[ 1u1 1]pending 2[ 2p 2]true";
    explains(
        "@queue a ; G | P{A} | C",
        &[(added, "done v0, to hand over a b"), ("2*b", "done v0, to hand over a"), ("2*a=v0", "done v0")],
    );
    explains(
        "@queue a ; G | P{A} | C",
        &[(added, "done v0, to hand over a b"), ("2*a=v0", "done v0, to hand over b"), ("2*b", "done v0")],
    );
    let in_line = "in no order of the calls is b handed over now, with this outcome";
    explains("@queue a ; G | P | C", &[(added, "done v0, to hand over a b"), ("2*b", in_line)]);
    explains("@inline a ; G | P{A} | C", &[(added, "done v0, to hand over a b"), ("2*b", in_line)]);
}

#[test]
fn nothing_is_refused_once_more_orders_are_possible_than_the_limit() {
    let adds = |number: usize| format!("; C{}", " | A".repeat(number));
    let begun = |number: usize| "0123456789"[..=number].chars().map(|thread| format!("{thread}[ ")).collect::<String>();
    // A false completion contradicts the moments, so that all orders of the open calls are tried: of six adds and the
    // completion, which lead to 3914 states.
    assert_eq!(
        Execution::new(&adds(6)).after(&(begun(6) + "0p 0]false")),
        "no order of the calls explains the answer false"
    );
    // Signals are no calls of a cell, and do not add to the orders.
    let signals = adds(6).replacen("C", "S1 S2 C", 1);
    let events = "0[ 0] 0[ 0] ".to_owned() + &begun(6) + "0p 0]false";
    assert_eq!(Execution::new(&signals).after(&events), "no order of the calls explains the answer false");
    let mut many = Execution::new(&adds(7));
    assert_eq!(many.after(&(begun(7) + "0p 0]false")), "");
    assert_eq!(many.after("1]true 0*a=v0 0*a=v0 0."), "");
}

#[test]
fn a_program_on_a_loop_has_no_states() {
    assert!(Explained::new(&"@loop{v} ; L".parse().expect("well formed")).is_none());
}
