//! The states of the specification beside an execution: they explain every execution of the shipped core, and they refuse
//! those of defective copies at the step that shows the defect.

use std::cell::Cell;
use std::rc::Rc;
use whendone_model::check::check;
use whendone_model::counterexample::Counterexample;
use whendone_model::engines::catalog::Engine;
use whendone_model::engines::defects::{DEFECTS, Defect};
use whendone_model::engines::record::recorder::watch;
use whendone_model::engines::{Observed, Play};
use whendone_model::observation::event::Trace;
use whendone_model::scenario::Scenario;
use whendone_model::spec::explained::Explained;
use whendone_model::universe::Tier;

/// The reason for which the specification refuses the execution.
fn refusal(scenario: &Scenario, trace: &Trace) -> Option<String> {
    let mut explained = Explained::new(scenario)?;
    trace.events.iter().find_map(|(thread, event)| explained.follow(*thread, event))
}

/// The number of executions that are explained.
fn explains_all(engine: Engine, scenario: &Scenario) -> usize {
    let explained = Rc::new(Cell::new(0));
    let (count, program) = (explained.clone(), scenario.clone());
    let is_refused = move |trace: &Trace| {
        count.set(count.get() + 1);
        refusal(&program, trace)
    };
    let (_, refused) = watch(|| engine.observe(scenario), is_refused);
    assert!(refused.is_empty(), "{scenario} on {}: {refused:?}", engine.name());
    explained.get()
}

/// Some programs of each tier without a loop, spread over it; on loom, whose reads may be stale, of two tiers.
#[test]
fn every_execution_of_the_shipped_core_is_explained() {
    let without_loop: Vec<Tier> = Tier::ALL.into_iter().filter(|tier| !tier.is_of_the_loop()).collect();
    for (engine, tiers) in [(Engine::Sections, without_loop), (Engine::LoomAtomic, vec![Tier::Pairs, Tier::Tasks])] {
        let some = |tier: Tier| {
            let programs = tier.programs();
            let apart = programs.len() / 40 + 1;
            programs.into_iter().step_by(apart).filter(|scenario| engine.objection(scenario).is_none())
        };
        let explained: usize = tiers.into_iter().flat_map(some).map(|scenario| explains_all(engine, &scenario)).sum();
        println!("{explained} executions on {}", engine.name());
        assert!(explained > 1000, "{explained} executions on {}", engine.name());
    }
}

/// Defects that no answer and no hand-over shows.
const ELSEWHERE: [&str; 5] = ["P13", "P14", "P18", "P19", "protocol"];

#[test]
fn executions_of_a_defective_core_are_refused_if_an_answer_or_a_hand_over_shows_the_defect() {
    let refuses = |defect: &Defect| {
        let scenario: Scenario = defect.program.parse().expect("well formed");
        let program = scenario.clone();
        let (_, refused) = watch(|| defect.play(Engine::LoomMutex, &scenario), move |trace| refusal(&program, trace));
        !refused.is_empty()
    };
    // A removal that loses a callback is one that answers wrongly.
    let shows = |defect: &Defect| !ELSEWHERE.contains(&defect.shown_by) || defect.id == "dropped_under_the_lock";
    let wrong: Vec<&str> =
        DEFECTS.iter().filter(|defect| refuses(defect) != shows(defect)).map(|defect| defect.id).collect();
    assert_eq!(wrong, [""; 0]);
}

/// The text of the first refused step, and who refuses it.
fn first_refused(scenario: &str, id: &'static str, play: Play) -> (String, Vec<&'static str>) {
    let scenario: Scenario = scenario.parse().expect("well formed");
    let verdict = check(&scenario, true, &play(&scenario));
    let fault = verdict.faults.first().unwrap_or_else(|| panic!("{id} shows nothing"));
    let drawn = Counterexample::of_failure(Engine::LoomMutex, play, &scenario, fault).drawn(1);
    let step = &drawn.steps[drawn.refused.unwrap_or_else(|| panic!("{id}: no step is refused"))];
    (step.pieces.iter().map(|piece| piece.text.clone()).collect(), drawn.refused_by)
}

fn play(id: &str, scenario: &Scenario) -> Observed {
    DEFECTS.iter().find(|defect| defect.id == id).expect("it is planted").play(Engine::LoomMutex, scenario)
}

#[test]
fn the_first_refused_step_is_named_with_those_who_refuse_it() {
    let newest_first: Play = |scenario| play("the_newest_first", scenario);
    let (step, who) = first_refused("aa ; C | G", "the_newest_first", newest_first);
    assert!(step.contains("b runs") && who.contains(&"the specification"), "{step}: {who:?}");
    let tags_are_lost: Play = |scenario| play("tags_are_lost", scenario);
    let (step, who) = first_refused("ba ; C | G", "tags_are_lost", tags_are_lost);
    assert!(step.contains("add a") && who == ["the protocol"], "{step}: {who:?}");
}
