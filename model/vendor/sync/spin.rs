//! The facade of whendone's kernel on the crate `spin`, for crates without std: `kernel` takes its lock and its
//! write-once cell from here.
//!
//! The obligations F1 to F12 are listed in docs/VENDORING.md of whendone. `cargo verify facade` checks this file.
//! Do not use it where an interrupt handler takes the same lock as the code that it interrupts: it would spin for
//! ever.

/// F1 to F6: a spin lock, which knows no poisoning (F4).
pub(crate) use spin::Mutex;

/// F7, F8, F9: the write-once cell.
pub(crate) struct OnceLock<T>(spin::Once<T>);

impl<T> OnceLock<T> {
    pub(crate) const fn new() -> Self {
        OnceLock(spin::Once::new())
    }

    /// F8: an acquire load, and no lock.
    pub(crate) fn get(&self) -> Option<&T> {
        self.0.get()
    }

    /// F7: the first call stores its value; the others wait for that and get theirs back.
    pub(crate) fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        self.0.call_once(|| value.take().expect("called once"));
        value.map_or(Ok(()), Err)
    }

    pub(crate) fn into_inner(self) -> Option<T> {
        self.0.try_into_inner()
    }
}
