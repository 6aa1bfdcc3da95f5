//! The diagram names what a section looks at whose lock guards no cell, and the lock under which a caller's code ran.

use std::panic::Location;
use whendone_model::counterexample::Counterexample;
use whendone_model::counterexample::diagram::Diagram;
use whendone_model::observation::event::{Event, Trace};
use whendone_model::scenario::Scenario;
use whendone_model::scenario::resolve::Step;

/// A loop's locks do not show what they guard.
#[test]
fn on_a_loop_each_look_names_what_it_looks_at() {
    let scenario: Scenario = "@loop{v} ; L | X".parse().expect("well formed");
    let witnesses: String = Counterexample::witnesses(&scenario).iter().map(ToString::to_string).collect();
    assert!(witnesses.contains("[looks at State]"), "{witnesses}");
    assert!(witnesses.contains("[looks at Tasks]"), "{witnesses}");
    let unnamed = witnesses.matches("[looks]").count();
    let cells = witnesses
        .lines()
        .filter(|line| line.contains("[looks]"))
        .all(|line| ["Pending", "Draining", "Settled"].iter().any(|phase| line.contains(phase)));
    assert!(unnamed == 0 || cells, "{witnesses}");
}

#[test]
fn code_of_a_caller_that_runs_under_a_lock_is_drawn_with_the_lock() {
    let rule = || Event::Breaks("P13: a cloned under the lock".to_owned());
    let timers = "core::option::Option<whendone::event_loop::timers::Timers<u64>>";
    let (begins, ends) = (Event::Begins((0, Step::Read)), Event::Ends((0, Step::Read), None));
    let within = [begins, Event::Locks(timers, Location::caller()), rule(), Event::Unlocks(1, None), rule(), ends];
    // Outside of operations the sections are not drawn.
    let outside = [Event::AllBegin, Event::Locks("a::Tasks", Location::caller()), rule(), Event::Unlocks(2, None)];
    let events = within.into_iter().chain(outside);
    let events = events.map(|event| (0, event)).collect();
    let trace = Trace { number: 1, steps: String::new(), events, observation: None, broken: Vec::new() };
    let scenario = "; C".parse().expect("well formed");
    let drawn = Diagram { scenario: &scenario, trace: &trace }.to_string();
    let remarks: Vec<&str> = drawn.lines().filter_map(|line| line.split_once("P13: ")).map(|(_, rule)| rule).collect();
    let named =
        "a cloned under the lock of Timers; P13: a cloned under the lock; P13: a cloned under the lock of Tasks";
    assert_eq!(remarks, [named], "{drawn}");
}
