//! The `LOCK` file: one process at a time, and its name for the others.

use std::io::{Read as _, Seek as _, Write as _};

use cap_std::fs::{Dir, File, OpenOptions};
use rustix::fs::{FlockOperation, flock, fstatfs};

use crate::error::StoreError;

const NAME: &str = "LOCK";
/// Holders write less; a file that is something else is not read to its end.
const MAX_HOLDER: u64 = 200;

/// File systems on which neither locks nor syncs can be relied on, by the magic numbers of statfs(2).
const NETWORK: [(u64, &str); 4] = [(0x6969, "NFS"), (0x517b, "SMB"), (0xff53_4d42, "CIFS"), (0xfe53_4d42, "SMB2")];

/// The lock of a data directory, held until this is dropped or the process ends in any way.
pub(super) struct Lock(File);

impl Drop for Lock {
    /// Not left to the closing of the file: a process that another thread is about to start has it open as well, for a moment.
    fn drop(&mut self) {
        if let Err(error) = flock(&self.0, FlockOperation::Unlock) {
            tracing::warn!(%error, "the lock of the data directory could not be given back");
        }
    }
}

/// Takes the lock of a data directory.
///
/// # Errors
/// [`StoreError::Locked`] with the holder's name; [`StoreError::Io`], also for network file systems.
pub(super) fn take(dir: &Dir) -> Result<Lock, StoreError> {
    let failed = || StoreError::io(format!("open the file {NAME} in the data directory"));
    let mut file = dir.open_with(NAME, OpenOptions::new().read(true).write(true).create(true)).map_err(failed())?;
    refuse_network(&file)?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        let mut holder = String::new();
        // Whatever cannot be read: the lock is held all the same.
        let _read = (&file).take(MAX_HOLDER).read_to_string(&mut holder);
        let holder = match holder.trim() {
            "" => "another process".to_owned(),
            holder => holder.to_owned(),
        };
        return Err(StoreError::Locked { holder });
    }
    let holder = format!("process {}, backroom {}\n", std::process::id(), env!("CARGO_PKG_VERSION"));
    // Only for those who find it locked; a full disk may refuse it.
    if let Err(error) = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(holder.as_bytes())) {
        tracing::warn!(%error, "the holder's name could not be written to {NAME}");
    }
    Ok(Lock(file))
}

fn refuse_network(file: &File) -> Result<(), StoreError> {
    let statfs = fstatfs(file).map_err(|errno| StoreError::io("ask for the kind of file system")(errno.into()))?;
    // The kernel's field is signed and as wide as the machine's words; the magic numbers have 32 bits.
    let magic = u64::try_from(i128::from(statfs.f_type) & 0xffff_ffff).unwrap_or_default();
    match NETWORK.iter().find(|(number, _)| *number == magic) {
        None => Ok(()),
        Some((_, name)) => {
            let why = std::io::Error::other(format!("the data directory is on {name}; it must be on a local disk"));
            Err(StoreError::io("open the data directory")(why))
        }
    }
}
