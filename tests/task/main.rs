//! The promises of a task without an event loop, rule by rule.

mod adding;
mod awaiting;
mod completion;
mod identity;
mod lifetime;
mod order;
mod outcomes;
mod panics;
mod places;
mod printing;
mod reentrancy;
mod removing;
mod serial;
mod support;
mod thread_exit;
mod threads;
mod unwinding;
mod values;
