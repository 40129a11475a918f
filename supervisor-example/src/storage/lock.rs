//! The lock of a data directory: one process at a time.
//!
//! The trap: the lock is the kernel's and ends with the process, however that ends; the file and
//! what is written in it stay. So a file proves nothing, and is never removed: a process that had
//! opened it before could lock a file that has no name any more.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Why a data directory can not be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process uses it.
    #[error(
        "the data directory {} is in use by {holder}; stop that process, or give this one another \
         directory with --data-dir",
        .directory.display()
    )]
    Held {
        /// The directory.
        directory: PathBuf,
        /// The process, as it described itself.
        holder: String,
    },
    /// It can not be made, or its lock file not written.
    #[error("the data directory {} can not be used: {source}", .directory.display())]
    Io {
        /// The directory.
        directory: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// The lock of a directory, held until it is dropped.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Makes the directory and locks it. Blocks on the disk, never on another process.
    ///
    /// # Errors
    /// [`LockError`], which names the directory, and the process that holds it.
    pub fn acquire(directory: &Path) -> Result<Self, LockError> {
        let failed = |source| LockError::Io { directory: directory.to_owned(), source };
        fs::create_dir_all(directory).map_err(failed)?;
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(directory.join("lock"))
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).map_err(failed)?;
                let holder = match holder.trim() {
                    "" => "a process that has only just begun".to_owned(),
                    text => text.to_owned(),
                };
                return Err(LockError::Held { directory: directory.to_owned(), holder });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        // The program and its verb; flags may carry a secret.
        let command: Vec<String> =
            std::env::args_os().take(2).map(|word| word.to_string_lossy().into_owned()).collect();
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "process {} ({})", std::process::id(), command.join(" "))
        };
        write(&mut file).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_lock_names_the_directory_and_the_holder() {
        let directory = tempfile::tempdir().expect("a directory");
        let data = directory.path().join("deep/data");
        let first = DirectoryLock::acquire(&data).expect("the first one");
        let refused = DirectoryLock::acquire(&data).expect_err("the second one").to_string();
        assert!(refused.contains(&data.display().to_string()), "{refused}");
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        drop(first);
        DirectoryLock::acquire(&data).expect("once it is free");
    }
}
