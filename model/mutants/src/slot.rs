//! A folder that one process uses at a time. It is used again later, so what was built in it is not lost.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// A folder, as long as this value lives.
pub struct Slot {
    /// From 0; the first that was free.
    pub number: usize,
    pub folder: PathBuf,
    #[allow(dead_code, reason = "it is there to be dropped, and a process that is killed drops it, too")]
    lock: File,
}

impl Slot {
    /// Takes the first of the folders `name`, `name1`, `name2` and so on that nobody uses.
    ///
    /// # Errors
    ///
    /// If a folder cannot be made, or not be locked.
    pub fn take(within: &Path, name: &str) -> io::Result<Self> {
        let mut number = 0;
        loop {
            let folder = within.join(if number == 0 { name.to_owned() } else { format!("{name}{number}") });
            fs::create_dir_all(&folder)?;
            let lock = File::create(folder.join("lock"))?;
            match lock.try_lock() {
                Ok(()) => return Ok(Slot { number, folder, lock }),
                Err(TryLockError::WouldBlock) => number += 1,
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }
}
