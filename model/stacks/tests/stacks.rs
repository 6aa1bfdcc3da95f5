//! A stack is reused; all other mappings are the system's.

#![cfg(target_os = "linux")]

use libc::{
    MAP_ANONYMOUS, MAP_FAILED, MAP_PRIVATE, MAP_STACK, MS_ASYNC, PROT_READ, PROT_WRITE, c_int, c_void, mmap, msync,
    munmap,
};
use std::ptr::null_mut;
use whendone_stacks as _;

const BYTES: usize = 36 << 10;

fn map(bytes: usize, kind: c_int) -> *mut c_void {
    // SAFETY: new memory, anywhere.
    let at = unsafe { mmap(null_mut(), bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | kind, -1, 0) };
    assert_ne!(at, MAP_FAILED);
    at
}

fn unmap(at: *mut c_void, bytes: usize) {
    // SAFETY: a mapping that `map` returned, and that is no longer used.
    assert_eq!(unsafe { munmap(at, bytes) }, 0);
}

fn is_mapped(at: *mut c_void) -> bool {
    // SAFETY: only queries the mapping.
    unsafe { msync(at, 1, MS_ASYNC) == 0 }
}

#[test]
fn only_stacks_are_reused() {
    let first = map(BYTES, MAP_STACK);
    let second = map(BYTES, MAP_STACK);
    assert_ne!(first, second, "one in use is nobody else's");
    unmap(first, BYTES);
    let larger = map(2 * BYTES, MAP_STACK);
    assert_ne!(larger, first, "one of another size is another one");
    assert_eq!(map(BYTES, MAP_STACK), first);
    unmap(second, BYTES);
    assert!(is_mapped(second));

    let other = map(BYTES, 0);
    assert_ne!(other, second, "another mapping takes no stack");
    unmap(other, BYTES);
    assert!(!is_mapped(other));
}
