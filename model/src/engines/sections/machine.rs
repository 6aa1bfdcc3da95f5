//! The primitives of this engine, with the interface of std's. Each use of one is a point of `world.rs`. They are
//! sequentially consistent: memory orders are ignored.

pub mod sync {
    use super::super::world::{self, Object};
    use std::convert::Infallible;
    use std::ops::{Deref, DerefMut};
    use std::sync::PoisonError;

    pub struct Mutex<T> {
        object: Object,
        value: std::sync::Mutex<T>,
    }

    /// Its fields are dropped in this order: the value is free before another thread can ask for it.
    pub struct MutexGuard<'a, T> {
        value: std::sync::MutexGuard<'a, T>,
        _release: Release,
        mutex: &'a Mutex<T>,
    }

    struct Release(Object);

    impl<T> Mutex<T> {
        pub fn new(value: T) -> Self {
            Mutex { object: world::new_object(), value: std::sync::Mutex::new(value) }
        }

        /// # Errors
        ///
        /// None: nothing is poisoned.
        pub fn lock(&self) -> Result<MutexGuard<'_, T>, Infallible> {
            world::lock(self.object);
            let value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(MutexGuard { value, _release: Release(self.object), mutex: self })
        }
    }

    impl<T: Default> Default for Mutex<T> {
        fn default() -> Self {
            Mutex::new(T::default())
        }
    }

    impl Drop for Release {
        fn drop(&mut self) {
            world::unlock(self.0);
        }
    }

    impl<T> Deref for MutexGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.value
        }
    }

    impl<T> DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            &mut self.value
        }
    }

    /// A condition variable without spurious wake-ups. The thread that waits longest is notified first.
    pub struct Condvar(Object);

    impl Condvar {
        pub fn new() -> Self {
            Condvar(world::new_object())
        }

        /// # Errors
        ///
        /// None: nothing is poisoned.
        pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> Result<MutexGuard<'a, T>, Infallible> {
            let mutex = guard.mutex;
            world::wait(self.0, guard);
            mutex.lock()
        }

        pub fn notify_one(&self) {
            world::notify(self.0, 1);
        }

        pub fn notify_all(&self) {
            world::notify(self.0, usize::MAX);
        }
    }

    /// A counted handle. Each clone and each drop is an operation on the count.
    pub struct Arc<T> {
        count: Object,
        /// None once it is unwrapped.
        value: Option<std::sync::Arc<T>>,
    }

    impl<T> Arc<T> {
        pub fn new(value: T) -> Self {
            Arc { count: world::new_object(), value: Some(std::sync::Arc::new(value)) }
        }

        /// The value, if this is the last handle.
        ///
        /// # Errors
        ///
        /// Another handle is there: this one is given back.
        pub fn try_unwrap(mut this: Self) -> Result<T, Self> {
            world::access(this.count, true);
            let value = this.value.take().expect("it is not unwrapped");
            std::sync::Arc::try_unwrap(value).map_err(|value| Arc { count: this.count, value: Some(value) })
        }

        /// The number of handles. Only seeded bugs need it; the core does not.
        pub fn strong_count(this: &Self) -> usize {
            world::access(this.count, false);
            this.value.as_ref().map_or(0, std::sync::Arc::strong_count)
        }
    }

    impl<T> Clone for Arc<T> {
        fn clone(&self) -> Self {
            world::access(self.count, true);
            Arc { count: self.count, value: self.value.clone() }
        }
    }

    impl<T> Drop for Arc<T> {
        fn drop(&mut self) {
            if self.value.is_some() {
                world::access(self.count, true);
            }
        }
    }

    impl<T> Deref for Arc<T> {
        type Target = T;

        fn deref(&self) -> &T {
            self.value.as_ref().expect("it is not unwrapped")
        }
    }

    pub mod atomic {
        use super::super::super::world::{self, Object};
        pub use std::sync::atomic::Ordering;
        use std::sync::atomic::Ordering::Relaxed;

        /// A flag. What leaves it unchanged is a read.
        pub struct AtomicBool {
            object: Object,
            value: std::sync::atomic::AtomicBool,
        }

        impl AtomicBool {
            pub fn new(value: bool) -> Self {
                AtomicBool { object: world::new_object(), value: std::sync::atomic::AtomicBool::new(value) }
            }

            pub fn fetch_or(&self, other: bool, _: Ordering) -> bool {
                world::access(self.object, other);
                self.value.fetch_or(other, Relaxed)
            }

            pub fn swap(&self, value: bool, _: Ordering) -> bool {
                world::access(self.object, true);
                self.value.swap(value, Relaxed)
            }
        }

        pub struct AtomicUsize {
            object: Object,
            value: std::sync::atomic::AtomicUsize,
        }

        impl AtomicUsize {
            pub fn new(value: usize) -> Self {
                AtomicUsize { object: world::new_object(), value: std::sync::atomic::AtomicUsize::new(value) }
            }

            pub fn fetch_add(&self, other: usize, _: Ordering) -> usize {
                world::access(self.object, true);
                self.value.fetch_add(other, Relaxed)
            }

            pub fn load(&self, _: Ordering) -> usize {
                world::access(self.object, false);
                self.value.load(Relaxed)
            }
        }
    }
}

pub mod thread {
    use super::super::world;
    use std::cell::{Cell, RefCell};
    use std::convert::Infallible;
    use std::rc::Rc;

    pub struct JoinHandle<R> {
        thread: usize,
        returned: Rc<Cell<Option<R>>>,
    }

    pub fn spawn<R: 'static>(body: impl FnOnce() -> R + 'static) -> JoinHandle<R> {
        let returned = Rc::default();
        let slot: Rc<Cell<Option<R>>> = Rc::clone(&returned);
        JoinHandle { thread: world::spawn(move || slot.set(Some(body()))), returned }
    }

    impl<R> JoinHandle<R> {
        /// # Errors
        ///
        /// None: a panic of the thread ends the execution.
        pub fn join(self) -> Result<R, Infallible> {
            world::join(self.thread);
            Ok(self.returned.take().expect("the thread has ended"))
        }
    }

    /// A thread-local: a value for each coroutine, in each execution.
    pub struct LocalKey<T: 'static> {
        pub values: &'static std::thread::LocalKey<Values<T>>,
        pub init: fn() -> T,
    }

    /// The value of each coroutine, with the execution that it belongs to.
    pub type Values<T> = RefCell<Vec<Option<(u64, Rc<T>)>>>;

    impl<T> LocalKey<T> {
        pub fn with<R>(&'static self, look: impl FnOnce(&T) -> R) -> R {
            let (execution, thread) = world::current();
            let value = self.values.with_borrow_mut(|values| {
                values.resize_with(values.len().max(thread + 1), || None);
                let slot = values[thread].take().filter(|(made, _)| *made == execution);
                Rc::clone(&values[thread].insert(slot.unwrap_or_else(|| (execution, Rc::new((self.init)())))).1)
            });
            look(&value)
        }

        /// # Errors
        ///
        /// None: these live as long as the thread.
        pub fn try_with<R>(&'static self, look: impl FnOnce(&T) -> R) -> Result<R, Infallible> {
            Ok(self.with(look))
        }
    }
}

/// Thread-locals of coroutines. Exported for the copies of the audited files in `model/mutants`.
#[macro_export]
macro_rules! keyed_by_coroutine {
    ($($(#[$attribute:meta])* $vis:vis static $name:ident: $type:ty = $value:expr;)*) => {$(
        $(#[$attribute])*
        $vis static $name: $crate::engines::sections::machine::thread::LocalKey<$type> = {
            ::std::thread_local! {
                static VALUES: $crate::engines::sections::machine::thread::Values<$type> =
                    const { ::std::cell::RefCell::new(::std::vec::Vec::new()) };
            }
            $crate::engines::sections::machine::thread::LocalKey { values: &VALUES, init: || $value }
        };
    )*};
}
pub use keyed_by_coroutine as thread_local;
