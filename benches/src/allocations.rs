//! An allocator that counts, for `probe-counting`; the timed probe has the system's as it is.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

static MADE: AtomicU64 = AtomicU64::new(0);
static LIVE: AtomicI64 = AtomicI64::new(0);

/// How many allocations there have been, growths included.
pub fn made() -> u64 {
    MADE.load(Relaxed)
}

/// How many bytes are asked for and not freed.
pub fn live() -> i64 {
    LIVE.load(Relaxed)
}

pub struct Counting;

fn count(grown: i64) {
    MADE.fetch_add(1, Relaxed);
    LIVE.fetch_add(grown, Relaxed);
}

// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size() as i64, Relaxed);
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as i64 - layout.size() as i64);
        unsafe { System.realloc(at, layout, size) }
    }
}
