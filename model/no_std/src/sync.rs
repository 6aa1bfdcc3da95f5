//! The facade on spin locks. A vendor whose target has interrupts to mask, or a scheduler, writes another one.

pub(crate) struct Mutex<T>(spin::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Mutex(spin::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> spin::MutexGuard<'_, T> {
        self.0.lock()
    }
}

pub(crate) struct OnceLock<T>(spin::Once<T>);

impl<T> OnceLock<T> {
    pub(crate) const fn new() -> Self {
        OnceLock(spin::Once::new())
    }

    pub(crate) fn get(&self) -> Option<&T> {
        self.0.get()
    }

    pub(crate) fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        self.0.call_once(|| value.take().expect("called once"));
        value.map_or(Ok(()), Err)
    }

    pub(crate) fn into_inner(self) -> Option<T> {
        self.0.try_into_inner()
    }
}
