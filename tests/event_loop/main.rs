//! The event loop, rule by rule. The order of events is read from a log, never from a clock.
#![cfg(feature = "event-loop")]

mod awaiting;
mod cancelling;
mod closing;
mod handles;
mod nested;
mod panics;
mod places;
mod queue;
mod runs;
mod support;
mod thread_exit;
mod threads;
mod unwinding;
mod waking;
