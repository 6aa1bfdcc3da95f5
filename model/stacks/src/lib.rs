//! Reuses the stacks of a model checker's threads for the threads of its next executions.
//!
//! loom maps a stack for each thread of each execution, and unmaps it when the thread ends. With the page
//! faults this took nearly half of the time of `cargo verify`. A binary that links this crate
//! (`use whendone_stacks as _;`) answers both calls itself, because the linker prefers these functions to libc's.
//! All other mappings go to the system as before. This affects speed only: without that line every figure but the time
//! stays the same.
//!
//! A reused stack holds the data that its last thread wrote, and keeps its guard page.

#![cfg(target_os = "linux")]

use libc::{MAP_STACK, SYS_mmap, SYS_munmap, c_int, c_void, off_t, syscall};
use std::ptr::with_exposed_provenance_mut;
use std::sync::{Mutex, MutexGuard, PoisonError};

struct Stack {
    at: usize,
    bytes: usize,
    idle: bool,
}

/// All stacks ever mapped: as many as were in use at one time.
static STACKS: Mutex<Vec<Stack>> = Mutex::new(Vec::new());

fn stacks() -> MutexGuard<'static, Vec<Stack>> {
    STACKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// # Safety
///
/// The same as for libc's function.
#[unsafe(no_mangle)]
unsafe extern "C" fn mmap(
    at: *mut c_void,
    bytes: usize,
    protection: c_int,
    flags: c_int,
    file: c_int,
    offset: off_t,
) -> *mut c_void {
    let is_stack = at.is_null() && flags & MAP_STACK != 0;
    if is_stack && let Some(stack) = stacks().iter_mut().find(|stack| stack.idle && stack.bytes == bytes) {
        stack.idle = false;
        return with_exposed_provenance_mut(stack.at);
    }
    // SAFETY: the caller's own arguments, and the caller's obligations.
    let mapped = unsafe { syscall(SYS_mmap, at, bytes, protection, flags, file, offset) };
    if is_stack && mapped != -1 {
        stacks().push(Stack { at: mapped as usize, bytes, idle: false });
    }
    with_exposed_provenance_mut(mapped as usize)
}

/// # Safety
///
/// The same as for libc's function.
#[unsafe(no_mangle)]
unsafe extern "C" fn munmap(at: *mut c_void, bytes: usize) -> c_int {
    if let Some(stack) = stacks().iter_mut().find(|stack| stack.at == at.addr() && stack.bytes == bytes) {
        stack.idle = true;
        return 0;
    }
    // SAFETY: the caller's own arguments, and the caller's obligations.
    unsafe { syscall(SYS_munmap, at, bytes) as c_int }
}
