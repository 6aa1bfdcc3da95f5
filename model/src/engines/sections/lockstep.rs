//! The kernel and the specification in lock step, on one path of choices. Compiled once for each copy of the kernel.

use super::kernel::{Added, Batch, CallbackId, Cell as Core, Phase, Snapshot, UNTAGGED};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::hash::Hash;
use std::mem::{Discriminant, discriminant, replace, take};
use std::num::NonZeroU64;
use std::rc::Rc;
use whendone_model::engines::record::recorder;
use whendone_model::engines::sections::clients::{Around, Call, Choice, Key, Parts, Reached};
use whendone_model::engines::sections::ledger::{Ledger, Payload};
use whendone_model::engines::sections::places::Places;
use whendone_model::engines::sections::world;
use whendone_model::scenario::names::{Nonce, Value, letter};
use whendone_model::spec::cell::Spec;

/// Takes each choice at the end of the path: see [`LockStep`](whendone_model::engines::sections::clients::LockStep).
///
/// # Errors
///
/// The first difference, and the choices that lead to it from there.
pub fn play(start: &[Call], path: &[Choice], begins: bool, key: Key) -> Result<Around, (Vec<Choice>, String)> {
    // The check of an earlier execution is over: what happens here is compared in another way.
    recorder::replayed();
    let again = || Execution::at(start, path).map_err(|what| (Vec::new(), what));
    let first = again()?;
    let here = first.key(key);
    let choices = first.choices(begins);
    // An execution that is in the state `here`, after choices that led back to it.
    let (mut waits, mut stayed) = (Some(first), Vec::new());
    let mut others = Vec::new();
    for &choice in &choices {
        let mut execution = waits.take().map_or_else(again, Ok)?;
        let taken = execution.take(choice);
        stayed.push(choice);
        taken.map_err(|what| fewest(start, path, &stayed, what))?;
        let reached = execution.key(key);
        if begins && key == Key::Places && reached == here {
            waits = Some(execution);
            continue;
        }
        let is_under_way = execution.is_under_way();
        execution.end().map_err(|what| fewest(start, path, &stayed, what))?;
        others.push(Reached { choice, key: reached, is_under_way });
        stayed.clear();
    }
    waits.map_or(Ok(()), Execution::end).map_err(|what| fewest(start, path, &stayed, what))?;
    Ok(Around { key: here, choices: choices.len() as u64, others })
}

/// A difference after these choices, or after a single one of them if that suffices.
fn fewest(start: &[Call], path: &[Choice], choices: &[Choice], what: String) -> (Vec<Choice>, String) {
    let alone = |choice: &Choice| {
        let ended = Execution::at(start, path).and_then(|mut execution| {
            execution.take(*choice)?;
            execution.end()
        });
        ended.err().map(|what| (vec![*choice], what))
    };
    choices.iter().find_map(alone).unwrap_or_else(|| (choices.to_vec(), what))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Nothing,
    Did(bool),
    Count(usize),
    /// The number of the payload.
    Outcome(Option<usize>),
    Phase(Phase),
}

/// The tag of the shared callbacks.
const SHARED: NonZeroU64 = NonZeroU64::MIN;

/// The part of an execution that its threads share.
#[derive(Clone)]
struct Shared {
    core: Rc<Core<Payload, Payload>>,
    ledger: Rc<Ledger>,
    ids: Rc<RefCell<BTreeMap<Nonce, CallbackId>>>,
    foreign: CallbackId,
    /// An object that each hand-over accesses when it begins and before it ends.
    probe: world::Object,
}

struct Execution {
    shared: Shared,
    calls: Vec<Begun>,
    places: Places,
    /// The places of the queue when it was last taken as a whole, until that batch is handed over.
    batch: Places,
    /// Phase and length of the queue after the last step.
    rest: (Phase, usize),
}

/// A call that has begun.
struct Begun {
    call: Call,
    thread: usize,
    expected: Answer,
    answer: Rc<Cell<Option<Answer>>>,
    /// True if it owes a drain.
    drains: bool,
    is_over: bool,
    /// Phase and length of the queue before and after each of its steps.
    history: Vec<[(Phase, usize); 2]>,
}

impl Shared {
    fn hand_over(&self, callback: Payload) {
        world::access(self.probe, true);
        self.ledger.entries().enter(callback.number);
        world::access(self.probe, true);
        self.ledger.entries().inside = None;
        drop(callback);
    }

    fn hand_over_all(&self, batch: &mut Batch<Payload>) {
        batch.for_each(|callback| self.hand_over(callback));
    }

    /// Makes the call, with its callback or outcome if it has one.
    fn make(&self, call: Call, payload: Option<Payload>) -> Answer {
        let Shared { core, ids, .. } = self;
        let number = payload.as_ref().map_or(0, |payload| payload.number);
        let register = |id: CallbackId| {
            ids.borrow_mut().insert(number, id);
        };
        let id = |nonce: u8| ids.borrow()[&nonce.into()];
        match (call, payload) {
            (Call::Add { tagged }, Some(callback)) => {
                match core.add(if tagged { SHARED } else { UNTAGGED }, callback) {
                    Added::Waits(id) => register(id),
                    Added::YouDrain(id, owed) => {
                        register(id);
                        core.drain(owed, |batch| self.hand_over_all(batch));
                    }
                }
                Answer::Nothing
            }
            (Call::AddLate, Some(callback)) => {
                let added = core.add_late(|| self.hand_over(callback), |batch| self.hand_over_all(batch));
                Answer::Did(added.map(register).is_some())
            }
            (Call::AddWaiting, Some(callback)) => {
                Answer::Did(core.add_waiting(UNTAGGED, callback).map(register).is_ok())
            }
            (Call::Replace(nonce), Some(callback)) => Answer::Did(core.replace(id(nonce), callback).is_ok()),
            (Call::Complete, Some(outcome)) => {
                let completed = core.complete(outcome);
                Answer::Did(completed.map(|owed| core.drain(owed, |batch| self.hand_over_all(batch))).is_ok())
            }
            (Call::Remove(nonce), _) => Answer::Did(core.remove(nonce.map_or(self.foreign, id)).is_some()),
            (Call::RemoveAll, _) => Answer::Count(core.remove_all(SHARED).len()),
            (Call::Read, _) => Answer::Outcome(core.outcome().map(|outcome| outcome.number)),
            (Call::Phase, _) => Answer::Phase(core.phase().0),
            (_, None) => unreachable!("{call} has a callback or an outcome"),
        }
    }
}

impl Execution {
    /// A pending cell.
    fn new() -> Self {
        world::begin(|| (), true);
        world::ready();
        let shared = || {
            let (core, other) = (Core::new(1), Core::new(2));
            let ledger = Rc::new(Ledger::default());
            let foreign = match other.add(UNTAGGED, ledger.payload()) {
                Added::Waits(id) | Added::YouDrain(id, _) => id,
            };
            drop::<Core<Payload, Payload>>(other);
            Shared { core: Rc::new(core), ledger, ids: Rc::default(), foreign, probe: world::new_object() }
        };
        let shared = world::aside(shared).expect("no call has begun");
        let (calls, places, batch) = Default::default();
        Execution { shared, calls, places, batch, rest: (Phase::Pending, 0) }
    }

    /// The execution at the end of this path.
    fn at(start: &[Call], path: &[Choice]) -> Result<Self, String> {
        let mut execution = Execution::new();
        start.iter().try_for_each(|call| execution.begin(*call, true))?;
        path.iter().try_for_each(|choice| execution.choose(*choice))?;
        execution.compare()?;
        Ok(execution)
    }

    /// Takes this choice, and compares.
    fn take(&mut self, choice: Choice) -> Result<(), String> {
        self.choose(choice)?;
        self.compare()
    }

    fn choose(&mut self, choice: Choice) -> Result<(), String> {
        match choice {
            Choice::Begin(call) => self.begin(call, false),
            Choice::Step(at) => self.step(at.into()),
        }
    }

    /// Begins a call and takes its first step; or makes the whole call at once, as part of a start.
    fn begin(&mut self, call: Call, at_once: bool) -> Result<(), String> {
        let payload = call.has_payload().then(|| self.shared.ledger.payload());
        let (expected, drains) = self.specified(call, payload.as_ref().map_or(0, |payload| payload.number));
        let (shared, answer) = (self.shared.clone(), Rc::new(Cell::new(None)));
        let given = answer.clone();
        let body = move || given.set(Some(shared.make(call, payload)));
        let at = self.calls.len();
        let mut begun = Begun { call, thread: 0, expected, answer, drains, is_over: false, history: Vec::new() };
        if at_once {
            world::aside(body).expect("no call has begun");
        } else {
            begun.thread = world::spawn(body);
        }
        let thread = begun.thread;
        self.calls.push(begun);
        // A call that needs no step has returned already.
        match world::ready().contains(&thread) {
            true => self.step(at),
            false => self.after(at),
        }
    }

    fn step(&mut self, at: usize) -> Result<(), String> {
        world::step(self.calls[at].thread);
        self.after(at)
    }

    /// Takes note of a step of this call, and of its answer.
    fn after(&mut self, at: usize) -> Result<(), String> {
        let ready = world::ready();
        if world::has_failed() {
            return world::end();
        }
        let phase = world::aside(|| self.shared.core.phase()).ok_or("P13: a step ends under the lock")?;
        let before = replace(&mut self.rest, phase);
        let begun = &mut self.calls[at];
        begun.history.push([before, phase]);
        begun.is_over = begun.answer.get().is_some();
        // A drainer's look; the first step of a completion is in `specified`.
        if begun.drains && begun.history.len() > 1 && before.1 > 0 && phase.1 == 0 {
            self.batch = take(&mut self.places);
        }
        if !self.is_draining() {
            self.batch = Places::default();
        }
        let blocked = self.calls.iter().find(|call| !call.is_over && !ready.contains(&call.thread));
        blocked.map_or(Ok(()), |blocked| Err(format!("P18: {} cannot go on", blocked.call)))
    }

    fn is_draining(&self) -> bool {
        self.calls.iter().any(|call| call.drains && !call.is_over)
    }

    /// The phase that the specification demands.
    fn phase(&self) -> Phase {
        match (self.shared.ledger.entries().is_pending(), self.is_draining()) {
            (true, _) => Phase::Pending,
            (false, true) => Phase::Draining,
            (false, false) => Phase::Settled,
        }
    }

    /// Carries the call out in the specification. Returns its answer, and whether the call owes a drain.
    fn specified(&mut self, call: Call, nonce: Nonce) -> (Answer, bool) {
        let phase = self.phase();
        let Execution { shared, places, batch, .. } = self;
        let mut entries = shared.ledger.entries();
        let spec = &mut entries.spec;
        match call {
            Call::Add { tagged } => {
                spec.add(nonce, tagged);
                if phase != Phase::Settled {
                    places.push(nonce, tagged);
                }
                (Answer::Nothing, phase == Phase::Settled)
            }
            Call::AddLate if phase == Phase::Settled => {
                spec.add(nonce, false);
                (Answer::Did(true), true)
            }
            Call::Complete => {
                let completes = spec.complete(Value::Finished(nonce));
                if completes {
                    *batch = take(places);
                }
                (Answer::Did(completes), completes)
            }
            Call::Phase => (Answer::Phase(phase), false),
            call => (answered(spec, places, call, nonce), false),
        }
    }

    /// Compares answers, hand-overs and the state of the cell with the specification.
    fn compare(&self) -> Result<(), String> {
        for Begun { call, expected, answer, .. } in &self.calls {
            if answer.get().is_some_and(|answer| answer != *expected) {
                return Err(format!("{call} answers {:?}, and must answer {expected:?}", answer.get()));
            }
        }
        let snapshot = world::aside(|| self.shared.core.snapshot()).ok_or("P13: a step ends under the lock")?;
        let mut entries = self.shared.ledger.entries();
        if let Some(broken) = entries.broken.take() {
            return Err(broken);
        }
        let Snapshot { phase, waiting } = snapshot;
        let owed = if entries.is_pending() {
            entries.spec.waiting().count()
        } else {
            entries.spec.scheduled().len() - entries.handed
        };
        drop(entries);
        if phase != self.phase() {
            return Err(format!("P19: the cell is {phase:?}, and must be {:?}", self.phase()));
        }
        if waiting.len() > owed || (phase != Phase::Draining && waiting.len() < owed) {
            return Err(format!("P5: {} callbacks wait, and {owed} must", waiting.len()));
        }
        if phase == Phase::Settled && owed > 0 {
            return Err(format!("P5: the cell is settled, and {owed} callbacks are owed"));
        }
        let tags = waiting.iter().map(|(_, tag)| *tag == SHARED.get());
        let right = tags.eq(self.places.waiting().map(|waiting| waiting.tagged));
        if right { Ok(()) } else { Err(format!("P7: these callbacks wait: {waiting:?}")) }
    }

    fn key(&self, key: Key) -> [u64; 2] {
        let entries = self.shared.ledger.entries();
        let owed = entries.spec.scheduled().len() - entries.handed;
        // Whether there is an id of a callback that does not wait.
        let waits = |nonce: &Nonce| self.places.waiting().any(|waiting| waiting.nonce == *nonce);
        let is_stale = self.shared.ids.borrow().keys().any(|nonce| !waits(nonce));
        let steps = |call: &Begun| match key {
            Key::Operations => call.history.clone(),
            Key::Places => call.history.last().copied().into_iter().collect(),
        };
        let open = self.calls.iter().filter(|call| !call.is_over);
        let open: Vec<(Discriminant<Call>, Vec<_>)> =
            open.map(|call| (discriminant(&call.call), steps(call))).collect();
        let mut parts = Parts::default();
        (entries.is_pending(), owed, entries.inside.is_some(), self.rest).hash(&mut parts);
        self.places.hash_by(key, &mut parts);
        self.batch.hash_by(key, &mut parts);
        is_stale.hash(&mut parts);
        open.hash(&mut parts);
        parts.key()
    }

    fn is_under_way(&self) -> bool {
        self.calls.iter().any(|call| !call.is_over)
    }

    /// The calls that can begin, or the steps that can be taken.
    fn choices(&self, begins: bool) -> Vec<Choice> {
        if !begins {
            let open = self.calls.iter().enumerate().filter(|(_, call)| !call.is_over);
            return open.map(|(at, _)| Choice::Step(at as u8)).collect();
        }
        let add = |tagged| Call::Add { tagged };
        let without_ids = [
            add(false),
            add(true),
            Call::AddLate,
            Call::AddWaiting,
            Call::Remove(None),
            Call::RemoveAll,
            Call::Complete,
            Call::Read,
            Call::Phase,
        ];
        let ids = self.shared.ids.borrow();
        let named = ids.keys().map(|nonce| u8::try_from(*nonce).expect("few callbacks"));
        let with_ids = named.flat_map(|nonce| [Call::Remove(Some(nonce)), Call::Replace(nonce)]);
        without_ids.into_iter().chain(with_ids).map(Choice::Begin).collect()
    }

    /// Ends all calls, drops the cell, and counts the drops.
    fn end(self) -> Result<(), String> {
        world::go_on_to_the_end();
        world::end()?;
        let Execution { shared: Shared { core, ledger, .. }, calls, .. } = self;
        drop(calls);
        drop(core);
        let entries = ledger.entries();
        let wrong = entries.drops.iter().position(|drops| *drops != 1);
        let wrong = wrong.map(|at| format!("P15: {} is dropped {} times", letter(at), entries.drops[at]));
        entries.broken.clone().or(wrong).map_or(Ok(()), Err)
    }
}

/// The answer of a call that never owes a drain.
fn answered(spec: &mut Spec, places: &mut Places, call: Call, nonce: Nonce) -> Answer {
    match call {
        Call::AddWaiting => {
            let added = spec.add_waiting(nonce);
            if added {
                places.push(nonce, false);
            }
            Answer::Did(added)
        }
        Call::Replace(id) => {
            let replaced = spec.replace(id.into(), nonce);
            if replaced {
                places.replace(id.into());
            }
            Answer::Did(replaced)
        }
        Call::Remove(id) => {
            let removed = id.map(Nonce::from).filter(|id| spec.remove(*id));
            removed.inspect(|id| places.remove(*id));
            Answer::Did(removed.is_some())
        }
        Call::RemoveAll => {
            let removed = spec.remove_all().len();
            if removed > 0 {
                places.remove_all();
            }
            Answer::Count(removed)
        }
        Call::Read => Answer::Outcome(spec.outcome().and_then(|value| match value {
            Value::Finished(number) => Some(number),
            _ => None,
        })),
        // A late callback is refused unless the cell is settled.
        _ => Answer::Did(false),
    }
}
