//! The naps of a thread: sleeps of the loop that another thread begins, polls again and drops, with recorded wakers.

use super::event_loop::{Handle, Sleep};
use super::player::bench::{Bench, Tracked};
use super::sync::channel::{self, UNIT};
use super::sync::locks_held;
use cooked_waker::{IntoWaker, Wake, WakeRef};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use whendone_model::observation::event::Thing;
use whendone_model::scenario::names::{Nonce, Part};

/// The naps of one thread, by their length.
#[derive(Default)]
pub struct Naps(BTreeMap<u8, Nap>);

struct Nap {
    sleep: Sleep,
    /// Woken when the waker of the last poll is woken; none if that poll found the nap over.
    woken: Option<Arc<channel::Nap>>,
}

impl Naps {
    /// Polls the nap with a new waker; the first poll begins it. True if it is over.
    pub fn poll(&mut self, handle: &Handle, bench: &Arc<Bench>, length: u8, nonce: Nonce) -> bool {
        let mut capture = bench.make(Thing::Callback(nonce));
        capture.is_original = true;
        let woken = Arc::new(channel::Nap::new());
        let waker = Box::new(NapWaker { capture, woken: woken.clone() }).into_waker();
        let begin = || Nap { sleep: handle.sleep(UNIT * u32::from(length)), woken: None };
        let nap = self.0.entry(length).or_insert_with(begin);
        let is_over = Pin::new(&mut nap.sleep).poll(&mut Context::from_waker(&waker)).is_ready();
        nap.woken = (!is_over).then_some(woken);
        is_over
    }

    pub fn drop(&mut self, length: u8) {
        self.0.remove(&length);
    }

    /// Waits until the waker of the last poll is woken, unless that poll found the nap over.
    pub fn wait(&self, length: u8) {
        self.0[&length].woken.iter().for_each(|woken| woken.wait());
    }
}

/// A waker whose clones, wakes and drops are recorded.
struct NapWaker {
    capture: Tracked,
    woken: Arc<channel::Nap>,
}

impl Clone for NapWaker {
    fn clone(&self) -> Self {
        let (nonce, bench) = (self.capture.nonce(), &self.capture.bench);
        bench.monitor.cloned(nonce, locks_held());
        bench.run_if_any(nonce, Part::Clone);
        NapWaker { capture: bench.make(self.capture.thing), woken: self.woken.clone() }
    }
}

impl WakeRef for NapWaker {
    fn wake_by_ref(&self) {
        self.clone().wake();
    }
}

impl Wake for NapWaker {
    fn wake(self) {
        // First, because the program may panic.
        self.woken.wake();
        self.capture.bench.run(self.capture.nonce(), Part::Call, None, || None);
    }
}
