//! Files that commands leave: written as a whole or not at all, and by one run at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Writes a file so that a reader sees the old contents or the new ones, never a part.
///
/// # Errors
///
/// If the folder cannot be written to; the message names the file.
pub fn write_atomically(path: &Path, contents: impl AsRef<[u8]>) -> io::Result<()> {
    let written = || -> io::Result<()> {
        let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        let mut file = NamedTempFile::new_in(folder)?;
        file.write_all(contents.as_ref())?;
        file.as_file().sync_all()?;
        make_readable(file.as_file())?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    written().map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

/// Gives a temporary file, which only its owner may read, the permissions of others.
#[cfg(unix)]
fn make_readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_: &File) -> io::Result<()> {
    Ok(())
}

/// A name that one process uses at a time. The end of the process ends the lock, too.
pub struct Lock {
    #[allow(dead_code, reason = "it is there to be dropped")]
    file: File,
}

impl Lock {
    /// Locks `folder/name.lock`.
    ///
    /// # Errors
    ///
    /// If the folder cannot be written to, or another process has the lock.
    pub fn take(folder: &Path, name: &str) -> Result<Self, String> {
        let path: PathBuf = folder.join(format!("{name}.lock"));
        let failed = |error: io::Error| format!("{}: {error}", path.display());
        let mut file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0).map_err(failed)?;
                file.write_all(std::process::id().to_string().as_bytes()).map_err(failed)?;
                Ok(Lock { file })
            }
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                // The lock is what counts; the number is for the reader.
                let _ = file.read_to_string(&mut owner);
                Err(format!(
                    "process {owner} writes {name} in {}; wait until it has ended, or set CARGO_TARGET_DIR to another \
                     folder",
                    folder.display()
                ))
            }
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}
