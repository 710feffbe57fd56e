//! One process at a time: a lock on a file, waited for, given back when it is dropped.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::{KitError, Progress};

/// Holds the lock for as long as it lives. The system takes it back if the process dies.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock on `dir/name`, waiting for whoever has it; makes folder and file.
    pub(crate) fn take(dir: &Path, name: &str, waiting: &str, progress: &mut dyn Progress) -> Result<Self, KitError> {
        std::fs::create_dir_all(dir).map_err(KitError::file("make", dir))?;
        let path = dir.join(name);
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(KitError::file("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                progress.step(waiting);
                file.lock().map_err(KitError::file("lock", &path))?;
            }
            Err(TryLockError::Error(source)) => return Err(KitError::file("lock", &path)(source)),
        }
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Quiet;

    #[derive(Default)]
    struct Steps(Vec<String>);
    impl Progress for Steps {
        fn step(&mut self, text: &str) {
            self.0.push(text.to_owned());
        }
    }

    #[test]
    fn the_second_waits_and_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let first = Lock::take(dir.path(), "l", "waiting", &mut Quiet).unwrap();
        let path = dir.path().to_path_buf();
        let second = std::thread::spawn(move || {
            let mut steps = Steps::default();
            let lock = Lock::take(&path, "l", "waiting", &mut steps).unwrap();
            drop(lock);
            steps.0
        });
        std::thread::sleep(std::time::Duration::from_millis(200));
        assert!(!second.is_finished());
        drop(first);
        assert_eq!(second.join().unwrap(), ["waiting"]);
    }
}
