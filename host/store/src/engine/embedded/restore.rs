//! Building the state index from a checkpoint, when the one there is has not come as far as that.

use super::disk::Disk;
use super::home::Home;
use super::state::Index;
use super::{checkpoint, state_open};
use crate::error::StoreError;
use crate::index::is_head;
use crate::store::Options;
use crate::types::Revision;

/// Gives back the index and how far it is: as it was, or loaded from the newest checkpoint that is whole. `last` is the end
/// of the log.
///
/// # Errors
/// [`StoreError::Corrupt`] if a checkpoint shows that the log was longer once; what the operating system reports.
pub(super) fn restore(
    home: &Home,
    checkpoints: &dyn Disk,
    index: Index,
    applied: Revision,
    last: Revision,
    options: &Options,
) -> Result<(Index, Revision), StoreError> {
    let mut index = Some(index);
    let mut touched = false;
    for revision in checkpoint::list(checkpoints)? {
        if revision > last {
            return Err(too_short(last, revision));
        }
        if revision <= applied {
            break;
        }
        match checkpoint::read(checkpoints, revision, &mut |_, _| Ok(())) {
            Ok(summary) if summary.until > last => return Err(too_short(last, summary.until)),
            Ok(_) => {}
            Err(StoreError::Corrupt { place, what }) => {
                tracing::warn!(place, what, "a checkpoint is damaged and is not used; move it away");
                continue;
            }
            Err(error) => return Err(error),
        }
        // The lock of the index must be free before its folder is removed.
        drop(index.take());
        touched = true;
        let empty = state_open::empty(home, options.cache_bytes)?;
        match load(checkpoints, revision, &empty, options.block_bytes) {
            Ok(()) => {
                state_open::loaded(home, &empty)?;
                tracing::info!(revision, "the state index was loaded from a checkpoint");
                return Ok((empty, revision));
            }
            // It was whole a moment ago.
            Err(StoreError::Corrupt { place, what }) => tracing::warn!(place, what, "a checkpoint cannot be loaded"),
            Err(error) => return Err(error),
        }
    }
    match index {
        Some(index) if !touched => Ok((index, applied)),
        _ => {
            let empty = state_open::empty(home, options.cache_bytes)?;
            state_open::loaded(home, &empty)?;
            Ok((empty, 0))
        }
    }
}

fn too_short(last: Revision, known: Revision) -> StoreError {
    let what = format!(
        "it ends at revision {last}, and there is a checkpoint that has seen revision {known}: acknowledged entries are missing"
    );
    StoreError::corrupt("the log", what)
}

/// Records as they come, which is in order of keys, into the base; the heads and the revision at the end, when all was right.
fn load(checkpoints: &dyn Disk, revision: Revision, index: &Index, block_bytes: usize) -> Result<(), StoreError> {
    let mut heads: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    index.write_base(block_bytes, |put| {
        let read = checkpoint::read(checkpoints, revision, &mut |key, value| {
            if is_head(key) {
                heads.push((key.to_vec(), value.to_vec()));
                return Ok(());
            }
            put(key, value)
        });
        read.map(|_| ())
    })?;
    index.advance(heads.iter().map(|(key, value)| (key.as_slice(), value.as_slice())), revision)
}
