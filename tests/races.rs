//! The loom suite by name: each race is a line of scenario text, explored under loom to its end and
//! compared with the specification. `cargo test complete_vs_remove` runs one of them.
//!
//! The closed world of `cargo verify` contains nearly all of these races; here each has a name, its threads,
//! its allowed results and its forbidden ones.

use whendone_model::check::assert_race;

macro_rules! races {
    ($($(#[$doc:meta])* $name:ident: $($text:literal)+;)+) => {
        $($(#[$doc])* #[test] fn $name() { $(assert_race($text);)+ })+
    };
}

races! {
    /// Threads: one completes, one adds. May: the callback waits, or is late. Must not: the callback is lost, runs
    /// twice (P4, P5) or reads that the task is pending (D15), or a call does not return (P18).
    complete_vs_add: "; C | A" "a ; C | A" "@inline a ; C | A" "@queue a ; C | A";

    /// Threads: one completes, one removes. May: the removal answers true, or the callback runs. Must
    /// not: both, or neither (P9).
    complete_vs_remove: "a ; C | R0" "aa ; C | R0 R1" "@inline a ; C | R0" "@queue a ; C | R0";

    /// Threads: one completes, one cancels. May: either wins. Must not: both win, or the loser's value
    /// is seen (P1).
    complete_vs_cancel: "a ; C | X" "@inline a ; C | X" "a ; C | X | G";

    /// Threads: three complete. Must not: none or more than one succeeds (P1).
    complete_vs_complete: "; C | C | C" "a ; X | X | C";

    /// Threads: one completes, one removes all of a tag. May: all of them are removed, or none. Must not:
    /// some are (R19).
    complete_vs_remove_all: "bb ; C | T" "bab ; C | T B";

    /// Threads: one completes and so drains, one adds late. Must not: the late callback overtakes (P7, P8).
    late_add_vs_drain: "aa ; C A | A" "aa ; C | A A" "@inline a ; C | A A";

    /// Threads: two add to a done task. May: either goes first. Must not: both drain at once (P8).
    late_add_vs_late_add: "C ; A | A" "C ; A A | A A" "C ; A | A | A" "@inline C ; A A | A";

    /// Threads: one adds late, one removes the late callback. Must not: the removal answers true (R26).
    late_add_vs_remove: "aC ; A Rm | R0" "C ; A Rm | A Rm";

    /// Threads: two remove the same callback. Must not: both answer true (P9).
    remove_vs_remove: "a ; R0 | R0" "b ; R0 | T" "aa ; R0 R1 | R1 R0";

    /// Threads: one removes, one adds. Must not: the new callback is removed for the old one (P10).
    remove_vs_add: "a ; R0 A | R0 A" "a ; R0 | A Rm";

    /// Threads: one adds and removes its own, one completes. May: the removal comes too late. Must
    /// not: it answers true for a callback that runs (P9).
    add_remove_vs_complete: "; A Rm | C" "a ; A R0 | C" "@inline ; A Rm | C";

    /// Threads: one completes, one reads. Must not: pending is read after done (P3).
    complete_vs_read: "; C | G G" "a ; X | G R0" "; C | G | G";

    /// Threads: one completes and signals, one waits for that and reads. Must not: it reads pending (P2, P3, D15).
    complete_then_signal_vs_read: "; C S1 | W1 G" "a ; C S1 | W1 R0 A" "a ; A S1 C | W1 A";

    /// Threads: one completes, one awaits. May: the await finds the task done, or is woken. Must not: it waits
    /// for ever (P17).
    await_vs_complete: "@inline ; C | P" "@inline a ; C | P A" "@queue a ; C | P A";

    /// Threads: one completes, one polls again with another waker. Must not: the place is lost, or
    /// the old waker is woken instead (D9).
    await_polled_again_vs_complete: "@inline ; C | P P" "@inline a ; X | A P P";

    /// Threads: one completes, one drops its await. May: it is woken for nothing. Must not: a waker
    /// leaks or is dropped twice (P15).
    await_dropped_vs_complete: "@inline ; C | P Q" "@inline ; X | P Q P";

    /// Threads: one completes, one awaits; the waker cancels another task, whose drain is deferred. Must not: that
    /// task's callback runs without its scheduler (P11), or before the waker has returned (P8).
    drain_put_off_vs_await: "@queue y.a ; P{y.X} | C" "@inline y.a ; C | P{y.X}" "@queue y.a ; P{y.X} | C y.A";

    /// Threads: one completes, and the scheduler that it calls adds, cancels or reads, one adds. Must not: a
    /// callback added there overtakes (P7), or another task's hand-over comes before the scheduler has returned (P8).
    scheduler_calls_back_vs_add: "@inline{A} aa ; C | A" "@queue{A} a ; C | A" "@refuse{A} aa ; C | A"
        "@panic{X} aa ; C | A" "@queue{y.X} a y.a ; C | y.A";

    /// Threads: the loop's own runs a task with two callbacks, one queues a function, adds or cancels. May: the function goes
    /// first, or last. Must not: it runs between the two callbacks (D31), or one is lost with the other's panic (P14).
    loop_runs_two_callbacks_vs_call_soon: "@loop{v} aa ; L | N" "@loop{v} a{!}a ; L | A" "@loop{pv} aa ; M Z | X";

    /// Threads: the loop's own closes it, one adds or removes; dropped callbacks call the loop. Must not: such a call
    /// is accepted and then lost uncounted (P16), or a callback is lost unreported (D4).
    loop_closes_vs_drops_that_call_it: "@loop{v} a~{N}a ; Z | A" "@loop{v} a~{A}a ; M Z | R0" "@loop{v} ; Z | N~{N}";

    /// Threads: one drops the completer, one adds. Must not: the callback is lost (P16).
    completer_dropped_vs_add: "@inline ; D | A" "@inline a ; D | A A" "@queue a ; D | A";

    /// Threads: one drops the completer, one cancels. May: either wins. Must not: both win (P1).
    completer_dropped_vs_cancel: "@inline a ; D | X" "@inline ; D | X P";

    /// Threads: one drops the completer, one awaits. Must not: it waits for ever (P16, P17).
    completer_dropped_vs_await: "@inline ; D | P" "@queue ; D | P P";

    /// Threads: one drops its handle, one completes. Must not: the callbacks are lost with the handle (D7).
    handle_dropped_vs_complete: "@inline a ; H | C" "@inline ; A H | C" "@inline ; A H | H C" "@inline ; P H Q | H D";
}
