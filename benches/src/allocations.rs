//! An allocator that counts, for `probe-counting` and for `tests/memory.rs`; the timed probe uses the system's.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

static MADE: AtomicU64 = AtomicU64::new(0);
static LIVE: AtomicI64 = AtomicI64::new(0);

thread_local! {
    static LIVE_HERE: Cell<i64> = const { Cell::new(0) };
    static MADE_HERE: Cell<i64> = const { Cell::new(0) };
}

/// The number of allocations so far, growths included.
pub fn made() -> u64 {
    MADE.load(Relaxed)
}

/// The number of bytes that are allocated and not freed.
pub fn live() -> i64 {
    LIVE.load(Relaxed)
}

/// The number of bytes that this thread has allocated and not freed.
pub fn live_here() -> i64 {
    LIVE_HERE.get()
}

/// The number of bytes that this thread has allocated so far, freed ones included.
pub fn made_here() -> i64 {
    MADE_HERE.get()
}

pub struct Counting;

fn count(grown: i64) {
    LIVE.fetch_add(grown, Relaxed);
    LIVE_HERE.set(LIVE_HERE.get() + grown);
    MADE_HERE.set(MADE_HERE.get() + grown.max(0));
}

// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        MADE.fetch_add(1, Relaxed);
        count(layout.size() as i64);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        MADE.fetch_add(1, Relaxed);
        count(size as i64 - layout.size() as i64);
        unsafe { System.realloc(at, layout, size) }
    }
}
