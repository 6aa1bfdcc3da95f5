//! What a task promises without an event loop, rule by rule.

mod adding;
mod awaiting;
mod completion;
mod lifetime;
mod order;
mod panics;
mod printing;
mod reentrancy;
mod removing;
mod support;
mod thread_exit;
mod threads;
