//! std's own `Mutex` and `Once`, as they are on a futex, under loom: in the place of the locks of the engine `loom`.
//!
//! [`system`] is what the system promises of a futex, [`mutex`] and [`once`] are std's algorithms on it, in words of our own,
//! [`choice`] holds what loom does not choose by itself, and [`fault`] the ways in which the locks can be broken.
//! `model/tests/std_locks.rs` explores them alone, and `cargo verify scenario .. --engine loom-futex` beneath the kernel.

pub mod choice;
pub mod engine;
pub mod explore;
pub mod fault;
pub mod mutex;
pub mod once;
pub mod plain;
pub mod sync;
pub mod system;
#[path = "../loom/explore.rs"]
pub mod under_loom;

/// loom, with std's mutex in the place of its own.
pub mod machine {
    pub use ::loom::{thread, thread_local};

    pub mod sync {
        pub use super::super::mutex::{Mutex, MutexGuard};
        pub use ::loom::sync::atomic;
    }
}

/// The release of Rust whose std was read.
pub const READ_RELEASE: &str = "1.95.0";

/// The files of its std that say how the locks work, below `library/std/src`, with the SHA-256 of each.
pub const READ_FROM: [(&str, &str); 4] = [
    ("sys/sync/mutex/futex.rs", "bb566c9097ec2c4478427de576e5335b7dfb60a2ff41f24beae2eea99d3209bf"),
    ("sys/sync/once/futex.rs", "8d69ffa8d055bcc2f9dcde784b4f163fb1e0087837ac48cc65e49b597803f729"),
    ("sys/pal/unix/futex.rs", "7a3649b2fea96ff61773a91aee306e08ed35c552fe7a2f4d6deac47361a27785"),
    ("sync/once_lock.rs", "7d8fdb47c28498eb28407402488b630c86734ca1f682892f9d05edd12a746d43"),
];
