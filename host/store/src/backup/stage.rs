//! The folder in which everything stands until a restore is whole, and how it gets out of there.
//!
//! What was restored is first synced; then a note says so, and what it was; then all of it is moved into place, the log last: a
//! folder without one is no data directory. A crash before the note leaves nothing but the stage, and the restore begins anew.
//! A crash after it is finished by the same restore, asked for again.

use std::io;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, OpenOptions};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::error::BackupError;
use super::folder::sync;
use super::restore::Restored;

/// Within the folder that is restored to.
pub(crate) const STAGE: &str = ".restoring";
/// Whoever tries to open the folder meanwhile is refused, and may leave an empty cache of compiled code there.
const CACHE: &str = "compiled";
/// Moved last.
const LOG: &str = "log";
/// Says that everything is there.
const NOTE: &str = "restored.json";
/// The lock file is whose process has the directory open: nobody.
const LEFT: [&str; 2] = ["LOCK", NOTE];

/// Whether a restore into the folder `dir` is under way, or was not finished.
pub fn is_restoring(dir: &Path) -> bool {
    !dir.join(LOG).is_dir() && dir.join(STAGE).is_dir()
}

/// What was asked for, and what came of it.
#[derive(Serialize, Deserialize)]
struct Note {
    asked: String,
    restored: Restored,
}

/// A folder that is restored to.
pub(super) struct Target {
    dir: Dir,
    shown: String,
    /// In words; two restores are the same if these are.
    asked: String,
    /// Held while it is restored to: it ends with this value, or with the process.
    _lock: File,
}

/// What an earlier attempt has left to do.
pub(super) enum Left {
    Everything,
    Nothing(Restored),
}

impl Target {
    /// Opens the folder, finishes what an earlier attempt at the same left unfinished, and else makes sure that there is
    /// nothing in it.
    ///
    /// # Errors
    /// [`BackupError::UnderWay`]; [`BackupError::NotEmpty`]; [`BackupError::Io`].
    pub(super) fn open(dir: &Path, asked: String) -> Result<(Self, Left), BackupError> {
        let failed = || BackupError::io(format!("prepare the folder {}", dir.display()));
        Dir::create_ambient_dir_all(dir, ambient_authority()).map_err(failed())?;
        let opened = Dir::open_ambient_dir(dir, ambient_authority()).map_err(failed())?;
        // On the folder itself, so that nothing is left in it. A handle that only names a folder cannot be locked.
        let lock = opened.open(".").map_err(failed())?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(BackupError::UnderWay(dir.display().to_string())),
            Err(errno) => return Err(failed()(errno.into())),
        }
        let target = Self { dir: opened, shown: dir.display().to_string(), asked, _lock: lock };
        if let Some(Note { asked, restored }) = target.note() {
            if asked != target.asked {
                let found = format!("{asked}, moved into place in part: ask for the same again, and it is finished");
                return Err(target.not_empty(found));
            }
            target.unveil()?;
            return Ok((target, Left::Nothing(restored)));
        }
        let begun = target.dir.is_dir(STAGE);
        for entry in target.dir.entries().map_err(failed())? {
            let found = entry.map_err(failed())?.file_name().display().to_string();
            if found != STAGE && !(begun && found == CACHE) {
                return Err(target.not_empty(found));
            }
        }
        if begun {
            target.dir.remove_dir_all(STAGE).map_err(failed())?;
        }
        Ok((target, Left::Everything))
    }

    /// Everything is in the stage, and on the disk: it is moved into place.
    ///
    /// # Errors
    /// What the operating system reports. The same restore again goes on from there.
    pub(super) fn finish(&self, restored: &Restored) -> Result<(), BackupError> {
        let note = Note { asked: self.asked.clone(), restored: restored.clone() };
        self.keep(&note).map_err(BackupError::io(format!("end the restore into {}", self.shown)))?;
        self.unveil()
    }

    /// Nothing was restored, and nothing would be if the same was asked for again.
    ///
    /// # Errors
    /// What the operating system reports.
    pub(super) fn give_up(&self) -> Result<(), BackupError> {
        self.dir.remove_dir_all(STAGE).map_err(BackupError::io(format!("clear the folder {}", self.shown)))
    }

    fn not_empty(&self, found: String) -> BackupError {
        BackupError::NotEmpty { dir: self.shown.clone(), found }
    }

    fn note(&self) -> Option<Note> {
        serde_json::from_slice(&self.dir.read(format!("{STAGE}/{NOTE}")).ok()?).ok()
    }

    fn keep(&self, note: &Note) -> io::Result<()> {
        let stage = self.dir.open_dir(STAGE)?;
        // Whatever has a name in the stage has it for certain before the note has.
        sync(&stage)?;
        let unfinished = format!("{NOTE}.tmp");
        let mut file = stage.open_with(&unfinished, OpenOptions::new().write(true).create(true).truncate(true))?;
        serde_json::to_writer(&mut file, note)?;
        file.sync_all()?;
        stage.rename(unfinished, &stage, NOTE)?;
        sync(&stage)
    }

    /// Also after a crash in the middle of it: what has been moved already is not in the stage any more.
    fn unveil(&self) -> Result<(), BackupError> {
        let unveil = || {
            let stage = self.dir.open_dir(STAGE)?;
            for entry in stage.entries()? {
                let name = entry?.file_name();
                if name != LOG && LEFT.iter().all(|left| name != *left) {
                    stage.rename(&name, &self.dir, &name)?;
                }
            }
            sync(&self.dir)?;
            if stage.is_dir(LOG) {
                stage.rename(LOG, &self.dir, LOG)?;
                sync(&self.dir)?;
            }
            self.dir.remove_dir_all(STAGE)?;
            sync(&self.dir)
        };
        unveil().map_err(BackupError::io(format!("move what was restored into {}", self.shown)))
    }
}
