//! The protocol of a loop's task: who pushes its step, and why no wake-up is lost.
//!
//! Any thread may wake a task and request its cancellation; the loop polls it, and the end of its body
//! finishes it. Each verb below is one lock section, and returns the duty of its caller. The effect of
//! every verb in every state is written down once, as data: [`TRANSITIONS`].
//!
//! There is no lost wake-up (P17): a wake of a task that is not done leaves `queued` set, so a step
//! stands in the ready queue or is being pushed by the thread that set it; only
//! [`State::begin_step`] clears it, before the poll. So every wake is followed by the begin of a poll,
//! also a wake that comes during a poll.

use Event::*;
use Owes::*;

/// The state of a task of the loop. Its methods are the lock sections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// A step stands in the ready queue.
    queued: bool,
    cancel_requested: bool,
    done: bool,
}

/// The duty of a verb's caller, once it has left the lock section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "a neglected duty is a lost wake-up, or a task that never ends"]
pub(crate) enum Owes {
    /// No duty: the task is done, or a queued step covers the wake.
    Nothing,
    /// To push a step of the task to the ready queue.
    Step,
    /// To poll the task.
    Poll,
    /// To wake the task: the request was granted, and the loop must see it.
    Wake,
    /// To complete the task with the outcome of its body.
    Completion,
    /// To complete the task as cancelled, unless its body panicked (R55).
    Cancellation,
}

impl State {
    /// Wakes the task: a step in the ready queue is enough for any number of wakes.
    pub(crate) fn wake(&mut self) -> Owes {
        if self.done || self.queued {
            return Nothing;
        }
        self.queued = true;
        Step
    }

    /// Takes the step out of the ready queue.
    pub(crate) fn begin_step(&mut self) -> Owes {
        if self.done {
            return Nothing;
        }
        // ORDER: cleared before the poll, so a wake during the poll pushes another step (P17).
        self.queued = false;
        Poll
    }

    /// Requests the cancellation of the task, which is granted until it is done (D10).
    pub(crate) fn request_cancel(&mut self) -> Owes {
        if self.done {
            return Nothing;
        }
        self.cancel_requested = true;
        Wake
    }

    /// Ends requests, once. The caller performs its duty within this section, see `Stepper::end`.
    pub(crate) fn finish(&mut self) -> Owes {
        if self.done {
            return Nothing;
        }
        self.done = true;
        if self.cancel_requested { Cancellation } else { Completion }
    }

    pub(crate) fn is_cancel_requested(&self) -> bool {
        self.cancel_requested
    }

    pub(crate) fn is_done(&self) -> bool {
        self.done
    }
}

/// The events of a task of the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Event {
    /// [`State::wake`]
    WakeUp,
    /// [`State::begin_step`]
    BeginStep,
    /// [`State::request_cancel`]
    RequestCancel,
    /// [`State::finish`]
    Finish,
}

/// One row: in this state, this event gives its caller this duty, and leads to this next state.
pub(crate) type Transition = (State, Event, Owes, State);

/// Every state and event, refusals included. States are written as queued, cancel requested, done.
/// The loop takes a step out of its queue before it begins it, so [`BeginStep`] meets queued states only.
#[rustfmt::skip]
#[allow(dead_code, reason = "a test walks it")]
pub(crate) const TRANSITIONS: [Transition; 32] = [
    (on(0, 0, 0), WakeUp,        Step,         on(1, 0, 0)),
    (on(0, 0, 0), BeginStep,     Poll,         on(0, 0, 0)),
    (on(0, 0, 0), RequestCancel, Wake,         on(0, 1, 0)),
    (on(0, 0, 0), Finish,        Completion,   on(0, 0, 1)),

    (on(1, 0, 0), WakeUp,        Nothing,      on(1, 0, 0)),
    (on(1, 0, 0), BeginStep,     Poll,         on(0, 0, 0)),
    (on(1, 0, 0), RequestCancel, Wake,         on(1, 1, 0)),
    (on(1, 0, 0), Finish,        Completion,   on(1, 0, 1)),

    (on(0, 1, 0), WakeUp,        Step,         on(1, 1, 0)),
    (on(0, 1, 0), BeginStep,     Poll,         on(0, 1, 0)),
    (on(0, 1, 0), RequestCancel, Wake,         on(0, 1, 0)),
    (on(0, 1, 0), Finish,        Cancellation, on(0, 1, 1)),

    (on(1, 1, 0), WakeUp,        Nothing,      on(1, 1, 0)),
    (on(1, 1, 0), BeginStep,     Poll,         on(0, 1, 0)),
    (on(1, 1, 0), RequestCancel, Wake,         on(1, 1, 0)),
    (on(1, 1, 0), Finish,        Cancellation, on(1, 1, 1)),

    (on(0, 0, 1), WakeUp,        Nothing,      on(0, 0, 1)),
    (on(0, 0, 1), BeginStep,     Nothing,      on(0, 0, 1)),
    (on(0, 0, 1), RequestCancel, Nothing,      on(0, 0, 1)),
    (on(0, 0, 1), Finish,        Nothing,      on(0, 0, 1)),

    (on(1, 0, 1), WakeUp,        Nothing,      on(1, 0, 1)),
    (on(1, 0, 1), BeginStep,     Nothing,      on(1, 0, 1)),
    (on(1, 0, 1), RequestCancel, Nothing,      on(1, 0, 1)),
    (on(1, 0, 1), Finish,        Nothing,      on(1, 0, 1)),

    (on(0, 1, 1), WakeUp,        Nothing,      on(0, 1, 1)),
    (on(0, 1, 1), BeginStep,     Nothing,      on(0, 1, 1)),
    (on(0, 1, 1), RequestCancel, Nothing,      on(0, 1, 1)),
    (on(0, 1, 1), Finish,        Nothing,      on(0, 1, 1)),

    (on(1, 1, 1), WakeUp,        Nothing,      on(1, 1, 1)),
    (on(1, 1, 1), BeginStep,     Nothing,      on(1, 1, 1)),
    (on(1, 1, 1), RequestCancel, Nothing,      on(1, 1, 1)),
    (on(1, 1, 1), Finish,        Nothing,      on(1, 1, 1)),
];

const fn on(queued: u8, cancel_requested: u8, done: u8) -> State {
    State { queued: queued == 1, cancel_requested: cancel_requested == 1, done: done == 1 }
}
