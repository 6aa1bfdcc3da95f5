//! The check of an engine's observations against the allowed ones: what is counted, what is listed, and what is a fault.

use std::collections::{BTreeMap, BTreeSet};
use whendone_model::check::fault::Fault;
use whendone_model::check::{Verdict, check, check_against};
use whendone_model::engines::{Extent, Observed};
use whendone_model::observation::{Answer, Observation};
use whendone_model::scenario::Scenario;
use whendone_model::spec::allowed::allowed;

const PROGRAM: &str = "; C | X";

fn scenario() -> Scenario {
    PROGRAM.parse().expect("well formed")
}

/// The evidence of an engine that has shown exactly the two allowed observations.
fn right() -> Observed {
    let observations: BTreeMap<Observation, u64> = allowed(&scenario()).into_iter().zip([3, 4]).collect();
    assert_eq!(observations.len(), 2);
    Observed { executions: 7, replayed: 7, extent: Extent::Complete, observations, broken: BTreeMap::new() }
}

/// The verdict on that evidence after a change; `complete` if all allowed observations must be there.
fn verdict(complete: bool, change: impl FnOnce(&mut Observed)) -> Verdict {
    let mut observed = right();
    change(&mut observed);
    check(&scenario(), complete, &observed)
}

/// The observation of an execution in which both calls complete the task.
fn impossible() -> Observation {
    Observation { answers: vec![vec![Answer::Did(true)]; 2], ..Observation::default() }
}

fn faults(verdict: &Verdict) -> Vec<String> {
    verdict.faults.iter().map(Fault::to_string).collect()
}

#[test]
fn all_allowed_observations_and_no_others_are_good() {
    for complete in [true, false] {
        let good = verdict(complete, |_| ());
        assert!(good.is_good());
        assert_eq!((good.executions, good.replayed, good.allowed, good.observed), (7, 7, 2, 2));
        assert_eq!((good.extent, good.to_string(), faults(&good)), (Extent::Complete, String::new(), vec![]));
        assert_eq!((good.extra.len(), good.missing.len(), good.broken.len()), (0, 0, 0));
        assert_eq!((good.seconds, good.counterexample), (0.0, None));
    }
}

#[test]
fn a_missing_observation_is_a_fault_of_a_complete_engine_alone() {
    let fewer = |observed: &mut Observed| _ = observed.observations.pop_first();
    let complete = verdict(true, fewer);
    assert!(!complete.is_good());
    assert_eq!((complete.allowed, complete.observed), (2, 1));
    assert_eq!(complete.missing, ["false | true ->"]);
    assert_eq!(faults(&complete), ["an allowed outcome is missing"]);
    assert_eq!(complete.to_string(), "missing  false | true ->");

    let sampled = verdict(false, fewer);
    assert!(sampled.is_good());
    assert_eq!((faults(&sampled), sampled.to_string()), (vec![], String::new()));
}

/// Allowed observations of a larger program that were not seen are not known, so none is missing.
#[test]
fn of_a_program_that_is_too_large_to_list_nothing_is_missing() {
    let large: Scenario = "; G | A | A | A | C".parse().expect("well formed");
    let whole = allowed(&large);
    let mut observed = Observed { observations: whole.iter().cloned().zip([1]).collect(), ..right() };
    let sampled = check(&large, false, &observed);
    assert_eq!((sampled.allowed, sampled.observed, sampled.missing.len(), sampled.is_good()), (1, 1, 0, true));
    let known = check_against(&whole, &large, false, &observed);
    assert_eq!((known.observed, known.missing.len(), known.is_good()), (1, whole.len() - 1, true));
    assert_eq!((faults(&known), known.to_string()), (vec![], String::new()));
    observed.observations.insert(impossible(), 1);
    let extra = check(&large, false, &observed);
    assert_eq!((extra.allowed, extra.extra, extra.missing.len()), (1, vec!["true | true ->".to_owned()], 0));
}

#[test]
fn an_extra_observation_is_a_fault_of_every_engine() {
    for complete in [true, false] {
        let more = verdict(complete, |observed| _ = observed.observations.insert(impossible(), 1));
        assert!(!more.is_good());
        assert_eq!((more.allowed, more.observed), (2, 2));
        assert_eq!((more.extra.clone(), more.missing.len()), (vec!["true | true ->".to_owned()], 0));
        assert_eq!(faults(&more), ["P1 one completion"]);
        assert_eq!(more.to_string(), "extra    true | true ->");
    }
}

#[test]
fn a_broken_rule_is_a_fault_of_every_engine() {
    for complete in [true, false] {
        let broken = verdict(complete, |observed| _ = observed.broken.insert("P13: a called".to_owned(), 1));
        assert!(!broken.is_good());
        assert_eq!(broken.broken, ["P13: a called"]);
        assert_eq!(faults(&broken), ["P13 no user code under lock"]);
        assert_eq!(broken.to_string(), "broken   P13: a called");
    }
}

#[test]
fn rules_extra_and_missing_observations_are_listed_in_this_order() {
    let all = verdict(true, |observed| {
        observed.observations.pop_last();
        observed.observations.insert(impossible(), 1);
        observed.broken.insert("P8: b".to_owned(), 1);
        observed.broken.insert("P15: c".to_owned(), 1);
    });
    assert_eq!(all.to_string(), "broken   P15: c\nbroken   P8: b\nextra    true | true ->\nmissing  true | false ->");
    let expected = [Fault::Breaks(1), Fault::Breaks(8), Fault::Breaks(15), Fault::Missing];
    assert_eq!(all.faults, BTreeSet::from(expected));
}

#[test]
fn an_engine_that_played_nothing_is_not_good() {
    let nothing = "harness: nothing was executed";
    for complete in [true, false] {
        let idle = verdict(complete, |observed| (observed.executions, observed.replayed) = (0, 0));
        assert!(!idle.is_good());
        assert_eq!((idle.extent, idle.broken.clone()), (Extent::Cut, vec![nothing.to_owned()]));
        assert_eq!(faults(&idle), [nothing]);
    }
    // What broke says why.
    let lost = verdict(false, |observed| {
        observed.executions = 0;
        observed.broken.insert("of another world".to_owned(), 1);
    });
    assert_eq!((lost.extent, lost.broken), (Extent::Cut, vec!["of another world".to_owned()]));
    let once = verdict(false, |observed| (observed.executions, observed.replayed) = (1, 1));
    assert!(once.is_good() && once.extent == Extent::Complete);
}

#[test]
fn a_complete_engine_replays_every_execution() {
    let part = |observed: &mut Observed| observed.replayed = 6;
    assert!(verdict(false, part).is_good());
    let complete = verdict(true, part);
    assert!(!complete.is_good());
    assert_eq!(complete.broken, ["harness: not every execution was replayed against the protocol"]);
    assert_eq!((complete.executions, complete.replayed), (7, 6));
    let broken_too = verdict(true, |observed| {
        part(observed);
        observed.broken.insert("P8: b".to_owned(), 1);
    });
    assert_eq!(broken_too.broken, ["P8: b"]);
}

#[test]
fn the_extent_of_an_exploration_is_told_in_words() {
    let spurious = "spurious wake-ups in no sleep, or in the first one on each word";
    let words = [
        (Extent::Cut, "not to the end".to_owned()),
        (Extent::Sampled, "a sample".to_owned()),
        (Extent::Bounded(3), "at most 3 preemptions".to_owned()),
        (Extent::FirstSleepSpurious(None), format!("any preemptions, {spurious}")),
        (Extent::FirstSleepSpurious(Some(3)), format!("at most 3 preemptions, {spurious}")),
        (Extent::Complete, "no bound".to_owned()),
    ];
    for (extent, words) in words {
        assert_eq!(extent.to_string(), words);
    }
}

#[test]
fn an_exploration_that_was_cut_is_not_good() {
    for (extent, good) in [(Extent::Cut, false), (Extent::Sampled, true), (Extent::Bounded(3), true)] {
        let verdict = verdict(true, |observed| observed.extent = extent);
        assert_eq!((verdict.extent, verdict.is_good()), (extent, good));
    }
}

#[test]
fn the_verdict_on_a_lost_engine_is_its_last_words() {
    let lost = Verdict::lost("panicked: deadlock; threads = []".to_owned());
    assert!(!lost.is_good());
    assert_eq!((lost.extent, lost.executions), (Extent::Cut, 0));
    assert_eq!(lost.broken, ["panicked: deadlock; threads = []"]);
    assert_eq!(faults(&lost), ["P18 progress"]);
    assert_eq!(lost.to_string(), "broken   panicked: deadlock; threads = []");
}

#[test]
fn parts_of_an_exploration_add_up() {
    let mut sum = right();
    let next = Observed { broken: BTreeMap::from([("P8: b".to_owned(), 2)]), extent: Extent::Bounded(1), ..right() };
    sum.append(next.clone());
    sum.append(Observed { extent: Extent::Sampled, replayed: 1, ..next });
    assert_eq!((sum.executions, sum.replayed, sum.extent), (21, 15, Extent::Sampled));
    assert_eq!(sum.observations.into_values().collect::<Vec<_>>(), [9, 12]);
    assert_eq!(sum.broken, BTreeMap::from([("P8: b".to_owned(), 4)]));
}
