//! An allocator of a few instructions, for `probe-freelist`: the rest of a row is our own share.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr::{copy_nonoverlapping, null_mut};

/// Lists of free blocks, one for each size up to `LARGEST` in steps of `STEP`, and for each thread. Their blocks are never
/// given back to the system. Larger blocks, which few operations need, are the system's: it can often grow them in place.
pub struct FreeList;

const STEP: usize = 16;
const LARGEST: usize = 1024;

thread_local! {
    static FREE: [Cell<*mut u8>; LARGEST / STEP + 1] = const { [const { Cell::new(null_mut()) }; LARGEST / STEP + 1] };
}

/// True for a layout that the lists serve. Never of size 0, which no caller asks for.
fn is_small(layout: Layout) -> bool {
    layout.size() <= LARGEST && layout.align() <= STEP
}

fn class(size: usize) -> usize {
    size.div_ceil(STEP)
}

// SAFETY: the layout alone decides whether a block is of a list or of the system, so it goes back to where it came from. On a
// list it belongs to nobody, and its first bytes link to the next one. A block is as large as all layouts of its class,
// and aligned to STEP. A thread's lists have no destructor, so they are there to the end.
unsafe impl GlobalAlloc for FreeList {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !is_small(layout) {
            return unsafe { System.alloc(layout) };
        }
        FREE.with(|free| {
            let (list, size) = (&free[class(layout.size())], class(layout.size()) * STEP);
            let block = list.get();
            if block.is_null() {
                return unsafe { System.alloc(Layout::from_size_align_unchecked(size, STEP)) };
            }
            list.set(unsafe { block.cast::<*mut u8>().read() });
            block
        })
    }

    #[inline]
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        if !is_small(layout) {
            return unsafe { System.dealloc(at, layout) };
        }
        FREE.with(|free| {
            let list = &free[class(layout.size())];
            unsafe { at.cast::<*mut u8>().write(list.get()) };
            list.set(at);
        });
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let grown = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        match (is_small(layout), is_small(grown)) {
            (false, false) => unsafe { System.realloc(at, layout, size) },
            (true, true) if class(layout.size()) == class(size) => at,
            _ => {
                let new = unsafe { self.alloc(grown) };
                if !new.is_null() {
                    unsafe { copy_nonoverlapping(at, new, size.min(layout.size())) };
                    unsafe { self.dealloc(at, layout) };
                }
                new
            }
        }
    }
}
