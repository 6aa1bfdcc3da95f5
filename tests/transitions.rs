//! The kernel's transition table, walked on a real cell, and the facts of its public interface.

use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use whendone::CallbackId;
use whendone::kernel::{Added, Answer, Cell, Drain, Event, Phase, Snapshot, TRANSITIONS, UNTAGGED};

type Owed = Drain<&'static str>;

const PHASES: [Phase; 3] = [Phase::Pending, Phase::Draining, Phase::Settled];
const EVENTS: [Event; 9] = [
    Event::Add,
    Event::AddLate,
    Event::AddWaiting,
    Event::Replace,
    Event::Remove,
    Event::RemoveAll,
    Event::Complete,
    Event::FindSome,
    Event::FindNone,
];
const TAG: NonZeroU64 = NonZeroU64::MIN;
const OTHER: NonZeroU64 = TAG.saturating_add(6);

/// P1, P7, P9, P19
#[test]
fn every_row_of_the_table_holds_on_a_real_cell() {
    for (phase, event, answer, next) in TRANSITIONS {
        let mut stage = Stage::reach(phase);
        let before = stage.cell.snapshot();
        assert_eq!(before.phase, phase);
        assert_eq!(stage.cell.phase(), (phase, before.waiting.len()));
        assert_eq!(stage.fire(event), (answer, next), "{phase:?} {event:?}");
        if answer == Answer::Refused {
            assert_eq!(stage.cell.snapshot(), before, "{phase:?} {event:?} was refused and changes nothing");
        }
        stage.spend();
        let settled = Snapshot { phase: Phase::Settled, waiting: Vec::new() };
        assert!(next == Phase::Pending || stage.cell.snapshot() == settled, "{phase:?} {event:?}");
    }
}

/// P19
#[test]
fn every_phase_and_event_that_can_meet_has_one_row() {
    for phase in PHASES {
        for event in EVENTS {
            let looks = matches!(event, Event::FindSome | Event::FindNone);
            let can_meet = !looks || phase == Phase::Draining;
            let rows = TRANSITIONS.iter().filter(|row| (row.0, row.1) == (phase, event)).count();
            assert_eq!(rows, usize::from(can_meet), "{phase:?} {event:?}");
        }
    }
    assert_eq!(TRANSITIONS.len(), 3 * 7 + 2);
}

/// D3, P10: also across completion.
#[test]
fn ids_of_a_cell_never_repeat() {
    let cell = Arc::new(Cell::new(1));
    let early = [(), ()].map(|()| id(&cell, cell.add(TAG, "early")));
    cell.drain(cell.complete(1).unwrap(), |batch| batch.for_each(drop));
    let late = [(), ()].map(|()| id(&cell, cell.add(TAG, "late")));
    let called = cell.add_late(|| (), |_| unreachable!("nothing waits")).unwrap();
    assert!([early, late].concat().is_sorted_by(|one, next| one < next) && late[1] < called);
}

/// P9
/// P10
#[test]
fn a_cell_gives_the_serial_that_it_was_made_with() {
    assert_eq!([0, 3, u64::MAX].map(|serial| Cell::<u32, ()>::new(serial).serial()), [0, 3, u64::MAX]);
}

#[test]
fn callbacks_and_awaits_are_removed_by_their_tag_alike() {
    let cell = cell();
    add(&cell, TAG, "added");
    cell.add_waiting(TAG, "waits").unwrap();
    cell.add_waiting(UNTAGGED, "of another tag").unwrap();
    assert_eq!((cell.remove_all(TAG), cell.snapshot().waiting.len()), (vec!["added", "waits"], 1));
    assert_eq!(cell.phase(), (Phase::Pending, 1));
}

/// R107, P11: the line is empty at once, before any callback is handed over. Only late callbacks wait in it afterwards.
#[test]
fn completion_empties_the_line() {
    let cell = cell();
    for callback in ["a", "b", "c"] {
        add(&cell, TAG, callback);
    }
    let owed = cell.complete(1).unwrap();
    let done = cell.snapshot();
    let _ = cell.add(TAG, "late");
    let waits = cell.snapshot().waiting.len();
    assert_eq!(handed_over(&cell, owed), ["a", "b", "c", "late"]);
    assert_eq!((done, waits), (Snapshot { phase: Phase::Draining, waiting: Vec::new() }, 1));
}

/// P19: a cell is settled after its last callback has returned, and not before.
#[test]
fn the_loser_of_a_completion_can_ask_whether_the_hand_over_is_over() {
    let cell = cell();
    let _ids = ["a", "b"].map(|callback| add(&cell, TAG, callback));
    assert_eq!(cell.phase(), (Phase::Pending, 2));
    let owed = cell.complete(1).unwrap();
    assert_eq!(cell.complete(2).err(), Some(2));
    assert_eq!(cell.phase(), (Phase::Draining, 0));
    let _ = cell.add(TAG, "late");
    assert_eq!(cell.phase(), (Phase::Draining, 1));
    cell.drain(owed, |batch| batch.for_each(|_| assert_eq!(cell.phase().0, Phase::Draining)));
    assert_eq!(cell.phase(), (Phase::Settled, 0));
}

/// P15
#[test]
fn a_consumed_cell_gives_its_outcome_by_value_and_drops_its_callbacks() {
    let cell = Cell::new(1);
    let waits = Arc::new(());
    cell.add_waiting(TAG, waits.clone()).unwrap();
    assert_eq!((cell.into_outcome(), Arc::strong_count(&waits)), (None::<Box<u32>>, 1));

    let cell = Cell::<Box<u32>, ()>::new(2);
    cell.drain(cell.complete(Box::new(3)).unwrap(), |batch| batch.for_each(drop));
    assert_eq!(cell.into_outcome(), Some(Box::new(3)));
}

fn id(cell: &Arc<Cell<u32, &'static str>>, added: Added<&'static str>) -> CallbackId {
    match added {
        Added::Waits(id) => id,
        Added::YouDrain(id, owed) => {
            cell.drain(owed, |batch| batch.for_each(drop));
            id
        }
    }
}

/// A cell in a phase, with one callback that waits unless the cell is settled.
struct Stage {
    cell: Arc<Cell<u32, &'static str>>,
    stored: CallbackId,
    owed: Option<Owed>,
}

impl Stage {
    fn reach(phase: Phase) -> Self {
        let cell = cell();
        let owed = (phase != Phase::Pending).then(|| cell.complete(1).unwrap());
        let stored = add(&cell, TAG, "stored");
        let mut stage = Stage { cell, stored, owed };
        if phase == Phase::Settled {
            stage.spend();
        }
        stage
    }

    /// Calls a late callback at once, which sees the phase that this leads to.
    fn add_late(&mut self) -> (Answer, Phase) {
        let mut seen = None;
        let added = self.cell.add_late(|| seen = Some(self.cell.phase().0), |batch| batch.for_each(drop));
        assert_eq!(added.is_some(), seen.is_some());
        seen.map_or_else(|| (Answer::Refused, self.cell.phase().0), |phase| (Answer::YouDrain, phase))
    }

    /// Returns the answer to the event, and the phase that it leads to.
    fn fire(&mut self, event: Event) -> (Answer, Phase) {
        let answer = match event {
            Event::Add => match self.cell.add(TAG, "added") {
                Added::Waits(_) => Answer::Waits,
                Added::YouDrain(_, owed) => self.owe(owed),
            },
            Event::AddLate => return self.add_late(),
            Event::AddWaiting => match self.cell.add_waiting(TAG, "waits") {
                Ok(_) => Answer::Waits,
                Err(given_back) => refused(given_back, "waits"),
            },
            Event::Replace => match self.cell.replace(self.stored, "new") {
                Ok(old) => taken_out(old),
                Err(given_back) => refused(given_back, "new"),
            },
            Event::Remove => self.cell.remove(self.stored).map_or(Answer::Refused, taken_out),
            Event::RemoveAll => match self.cell.remove_all(TAG)[..] {
                [] => Answer::Refused,
                [one] => taken_out(one),
                _ => panic!("only one was stored"),
            },
            Event::Complete => match self.cell.complete(2) {
                Ok(owed) => self.owe(owed),
                Err(given_back) => refused(given_back, 2),
            },
            // The current batch is empty, so this callback comes from the queue.
            Event::FindSome => {
                let mut found = Vec::new();
                let (cell, owed) = (&self.cell, self.owed.take().unwrap());
                cell.drain(owed, |batch| found.extend(batch.map(|callback| (callback, cell.snapshot().phase))));
                let [("stored", phase)] = found[..] else { panic!("found {found:?}") };
                return (Answer::GoesOn, phase);
            }
            Event::FindNone => {
                self.spend();
                Answer::Ends
            }
        };
        (answer, self.cell.snapshot().phase)
    }

    fn owe(&mut self, owed: Owed) -> Answer {
        self.owed = Some(owed);
        Answer::YouDrain
    }

    fn spend(&mut self) {
        if let Some(owed) = self.owed.take() {
            self.cell.drain(owed, |batch| batch.for_each(drop));
        }
    }
}

fn taken_out(callback: &str) -> Answer {
    assert_eq!(callback, "stored");
    Answer::TakenOut
}

fn refused<V: PartialEq + std::fmt::Debug>(given_back: V, given: V) -> Answer {
    assert_eq!(given_back, given);
    Answer::Refused
}

/// P1, P2
#[test]
fn a_second_completion_is_refused_and_hands_the_value_back() {
    let cell = cell();
    let owed = cell.complete(1).unwrap();
    assert_eq!(cell.complete(2).err(), Some(2));
    cell.drain(owed, |batch| batch.for_each(drop));
    assert_eq!(cell.complete(3).err(), Some(3));
    assert_eq!(cell.outcome(), Some(&1));
}

/// P9, R19
#[test]
fn a_removal_returns_the_stored_callback() {
    let cell = cell();
    let [_, b, _] = ["a", "b", "c"].map(|callback| add(&cell, UNTAGGED, callback));
    assert_eq!(cell.remove(b), Some("b"));
    add(&cell, TAG, "d");
    add(&cell, OTHER, "e");
    add(&cell, TAG, "f");
    assert_eq!(cell.remove_all(TAG), ["d", "f"]);
    assert_eq!(complete(&cell), ["a", "c", "e"]);
}

/// P7, D9
#[test]
fn a_replaced_callback_keeps_its_place() {
    let cell = cell();
    add(&cell, UNTAGGED, "a");
    let b = cell.add_waiting(UNTAGGED, "b").unwrap();
    add(&cell, UNTAGGED, "c");
    assert_eq!(cell.replace(b, "B"), Ok("b"));
    assert_eq!(complete(&cell), ["a", "B", "c"]);
}

/// P10
#[test]
fn an_id_of_another_cell_touches_nothing() {
    let (one, other) = (cell(), cell());
    let foreign = add(&one, UNTAGGED, "one");
    add(&other, UNTAGGED, "other");
    assert_eq!(other.remove(foreign), None);
    assert_eq!(other.replace(foreign, "new"), Err("new"));
    assert_eq!(complete(&other), ["other"]);
    assert_eq!(complete(&one), ["one"]);
}

/// P10
#[test]
fn an_id_that_was_removed_touches_nothing_and_never_comes_back() {
    for others in [0, 1, 40] {
        let cell = cell();
        for _ in 0..others {
            add(&cell, UNTAGGED, "other");
        }
        let stale = add(&cell, UNTAGGED, "removed");
        assert_eq!(cell.remove(stale), Some("removed"));
        assert_ne!(add(&cell, UNTAGGED, "kept"), stale);
        assert_eq!(cell.remove(stale), None);
        assert_eq!(cell.replace(stale, "new"), Err("new"));
        assert_eq!(complete(&cell).pop(), Some("kept"));
    }
}

/// P7, P11
#[test]
fn callbacks_added_during_a_hand_over_belong_to_the_same_drain() {
    let cell = cell();
    add(&cell, UNTAGGED, "a");
    add(&cell, UNTAGGED, "b");
    let mut handed = Vec::new();
    cell.drain(cell.complete(1).unwrap(), |batch| {
        for callback in batch {
            handed.push(callback);
            if callback == "a" {
                add(&cell, UNTAGGED, "c");
            }
        }
    });
    assert_eq!(handed, ["a", "b", "c"]);
}

/// P14
#[test]
fn a_hand_over_that_panics_loses_no_other_callback() {
    let cell = cell();
    for callback in ["a", "b", "c"] {
        add(&cell, UNTAGGED, callback);
    }
    let owed = cell.complete(1).unwrap();
    let mut handed = Vec::new();
    let drained = catch_unwind(AssertUnwindSafe(|| {
        cell.drain(owed, |batch| {
            for callback in batch {
                handed.push(callback);
                if callback == "a" {
                    add(&cell, UNTAGGED, "late");
                    panic!("in the hand-over of a");
                }
            }
        })
    }));
    assert_eq!(drained.unwrap_err().downcast_ref(), Some(&"in the hand-over of a"));
    assert_eq!(handed, ["a", "b", "c", "late"]);
    assert_eq!(cell.snapshot().phase, Phase::Settled);
    assert_eq!(late(&cell, "later"), ["later"]);
}

/// P14
#[test]
fn a_late_callback_that_panics_leaves_the_cell_settled() {
    let cell = cell();
    assert!(complete(&cell).is_empty());
    let mut handed = Vec::new();
    let added = catch_unwind(AssertUnwindSafe(|| {
        let late = || {
            add(&cell, UNTAGGED, "added by it");
            panic!("in the late callback");
        };
        cell.add_late(late, |batch| handed.extend(batch))
    }));
    assert_eq!(added.unwrap_err().downcast_ref(), Some(&"in the late callback"));
    assert_eq!(handed, ["added by it"]);
    assert_eq!(late(&cell, "later"), ["later"]);
}

/// P5, P7
#[test]
fn a_hand_over_that_leaves_callbacks_in_the_batch_is_called_again() {
    let cell = cell();
    let [_, b, ..] = ["a", "b", "c", "d"].map(|callback| add(&cell, UNTAGGED, callback));
    assert_eq!(cell.remove(b), Some("b"));
    let mut handed = Vec::new();
    cell.drain(cell.complete(1).unwrap(), |batch| handed.extend(batch.next()));
    assert_eq!(handed, ["a", "c", "d"]);
}

/// P5, P10
#[test]
fn a_token_of_another_cell_panics_and_drains_nothing() {
    let (cell, other) = (cell(), cell());
    add(&cell, UNTAGGED, "a");
    let owed = cell.complete(1).unwrap();
    let mut handed = Vec::new();
    let drained = catch_unwind(AssertUnwindSafe(|| other.drain(owed, |batch| handed.extend(batch))));
    assert_eq!(drained.unwrap_err().downcast_ref(), Some(&"a drain token was given to another cell"));
    assert_eq!((handed.len(), cell.snapshot().phase, other.snapshot().phase), (0, Phase::Draining, Phase::Pending));
}

/// P5
#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "a drain token was dropped unspent")]
fn a_token_that_is_dropped_unspent_panics() {
    drop(cell().complete(1));
}

/// P13
#[test]
fn a_cell_prints_its_phase_its_line_and_its_outcome() {
    let cell = Arc::new(Cell::<u32, &str>::new(0));
    let _ = [add(&cell, TAG, "a"), add(&cell, OTHER, "b")];
    assert_eq!(
        format!("{cell:?}"),
        "Cell { serial: 0, outcome: None, state: Snapshot { phase: Pending, waiting: [(1, 1), (2, 7)] } }"
    );
    let owed = cell.complete(1).unwrap();
    assert_eq!(format!("{owed:?}"), "Drain");
    cell.drain(owed, |batch| batch.for_each(drop));
    assert_eq!(
        format!("{cell:?}"),
        "Cell { serial: 0, outcome: Some(1), state: Snapshot { phase: Settled, waiting: [] } }"
    );
}

/// A pending cell, with a serial of its own.
fn cell() -> Arc<Cell<u32, &'static str>> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Arc::new(Cell::new(NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// Adds a callback that has to wait.
fn add(cell: &Arc<Cell<u32, &'static str>>, tag: NonZeroU64, callback: &'static str) -> CallbackId {
    match cell.add(tag, callback) {
        Added::Waits(id) => id,
        Added::YouDrain(..) => panic!("{cell:?} does not let {callback} wait"),
    }
}

/// Adds a callback to a settled cell, and returns the callbacks that this hands over.
fn late(cell: &Arc<Cell<u32, &'static str>>, callback: &'static str) -> Vec<&'static str> {
    match cell.add(UNTAGGED, callback) {
        Added::Waits(_) => panic!("{cell:?} lets {callback} wait"),
        Added::YouDrain(_, owed) => handed_over(cell, owed),
    }
}

/// Completes a cell, and returns the callbacks that this hands over.
fn complete(cell: &Arc<Cell<u32, &'static str>>) -> Vec<&'static str> {
    handed_over(cell, cell.complete(1).unwrap())
}

fn handed_over(cell: &Arc<Cell<u32, &'static str>>, owed: Owed) -> Vec<&'static str> {
    let mut handed = Vec::new();
    cell.drain(owed, |batch| handed.extend(batch));
    handed
}
