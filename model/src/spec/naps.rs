//! The moves of the event loop's specification that concern sleeps: the naps of other threads, and how long the loop sleeps.

use super::loop_state::{LoopState, Move, Queued, ThreadState};
use super::timers::{Key, Set, Time};
use crate::observation::Answer;
use crate::scenario::names::{Nonce, POLL, Part};

impl LoopState {
    /// Carries out a move of this kind: its answer, and the moves that the same thread makes next.
    pub(super) fn carry_out_on_sleeps(&mut self, thread: usize, next: Move) -> (Option<Answer>, Vec<Move>) {
        let entailed = match next {
            Move::PollNap(length, nonce) => return self.poll_nap(thread, length, nonce),
            Move::SetNap(length, key, nonce) => return self.set_nap(thread, length, key, nonce),
            Move::Sleep => vec![Move::Until(self.timers.fall_asleep())],
            Move::Until(deadline) => self.wake_up(deadline),
            Move::Due => self.timers.due().into_iter().map(fire).collect(),
            Move::Fire(nonce) => {
                self.timers.wake(nonce);
                vec![Move::Enter(nonce, Part::Call)]
            }
            Move::EndSleeps => self.timers.close().into_iter().map(fire).chain([Move::Gather]).collect(),
            _ => vec![],
        };
        (None, entailed)
    }

    /// Whether a loop that has nothing else to do waits no longer than until this deadline: it is reached, or time passes.
    pub(super) fn is_over(&self, deadline: Time) -> bool {
        let waits = |thread: &ThreadState| match thread.moves.last() {
            Some(Move::Awaits(nonce)) => !self.timers.is_woken(*nonce),
            next => next.is_none(),
        };
        !self.has_naps || self.timers.is_reached(deadline) || (self.others > 0 && self.threads[1..].iter().all(waits))
    }

    /// Ends the wait with the queue's first entry, or at the deadline.
    fn wake_up(&mut self, deadline: Option<Time>) -> Vec<Move> {
        let woken = self.queue.pop_front();
        if let (None, Some(deadline)) = (&woken, deadline) {
            self.timers.jump(deadline);
        }
        vec![Move::Due, Move::Count(woken)]
    }

    /// Begins a poll of a nap: its waker is cloned.
    pub(super) fn nap(&self, nonce: Nonce, length: u8) -> Vec<Move> {
        let cloned = self.does(nonce, Part::Clone).then_some(Move::Enter(nonce, Part::Clone));
        cloned.into_iter().chain([Move::PollNap(length, nonce)]).collect()
    }

    /// Begins a nap, or stores another waker; if the nap is over, drops the waker.
    fn poll_nap(&mut self, thread: usize, length: u8, nonce: Nonce) -> (Option<Answer>, Vec<Move>) {
        let Some((key, waker)) = self.threads[thread].naps.get_mut(&length) else {
            let key = self.timers.begin(length.into());
            return (None, vec![Move::SetNap(length, key, nonce)]);
        };
        let old = self.timers.replace(*key, nonce);
        *waker = old.map(|_| nonce);
        let dropped = self.dropped(old.unwrap_or(nonce));
        (Some(Answer::Did(old.is_none())), dropped.into_iter().collect())
    }

    fn set_nap(&mut self, thread: usize, length: u8, key: Key, nonce: Nonce) -> (Option<Answer>, Vec<Move>) {
        let set = self.timers.set(key, nonce, false);
        let is_over = set == Set::Refused;
        self.threads[thread].naps.insert(length, (key, (!is_over).then_some(nonce)));
        let owed = match set {
            Set::Waits => None,
            Set::Nudges => Some(Move::Push(Queued::Nudge)),
            Set::Refused => self.dropped(nonce),
        };
        (Some(Answer::Did(is_over)), owed.into_iter().collect())
    }

    pub(super) fn drop_nap(&mut self, thread: usize, length: u8) -> Vec<Move> {
        let nap = self.threads[thread].naps.remove(&length);
        let waker = nap.and_then(|(key, _)| self.timers.remove(key));
        waker.and_then(|waker| self.dropped(waker)).into_iter().collect()
    }

    pub(super) fn await_nap(&self, thread: usize, length: u8) -> Vec<Move> {
        let waker = self.threads[thread].naps[&length].1.filter(|waker| !self.timers.is_woken(*waker));
        waker.map(Move::Awaits).into_iter().collect()
    }
}

/// The wake of a sleep's waker. That of the loop's own task polls it again.
fn fire(waker: Nonce) -> Move {
    if waker == POLL { Move::Wake } else { Move::Fire(waker) }
}
