//! A file's content in its pieces.

use std::ops::Bound;

use backroom_domain::Id;
use backroom_domain::files::{File, FilePath};
use backroom_store::StoreError;
use backroom_store::records::FilePiece;

use crate::error::Result;
use crate::work::Work;

/// The file that was added to last, so that adding to it again does not read it from its beginning for its digest.
pub(crate) struct Growing {
    pub(super) folder: Id,
    pub(super) path: FilePath,
    pub(super) size: u64,
    pub(super) hasher: blake3::Hasher,
}

impl Growing {
    /// Whether it is this file, as it is now.
    pub(super) fn is(&self, file: &File) -> bool {
        (&self.folder, &self.path, self.size) == (&file.folder, &file.path, file.size)
    }
}

/// The digest as it is shown.
pub(super) fn digest(hasher: &blake3::Hasher) -> String {
    hasher.finalize().to_hex().to_string()
}

/// How many pieces a file of this size has.
pub(super) fn pieces(size: u64) -> u32 {
    u32::try_from(size.div_ceil(piece_size())).unwrap_or(u32::MAX)
}

pub(super) fn piece_size() -> u64 {
    u64::try_from(FilePiece::SIZE).unwrap_or(u64::MAX)
}

/// The bytes of `file` from `from` up to (and without) `to`, both within it.
pub(super) fn bytes(work: &Work, file: &File, from: u64, to: u64) -> Result<Vec<u8>> {
    if from >= to {
        return Ok(Vec::new());
    }
    let (first, last) = (from / piece_size(), (to - 1) / piece_size());
    let number = |at: u64| u32::try_from(at).unwrap_or(u32::MAX);
    let key = |at| (file.folder.clone(), file.path.clone(), number(at));
    let count = usize::try_from(last - first + 1).unwrap_or(usize::MAX);
    let rows = work.tx().scan_range::<FilePiece>(Bound::Included(key(first)), Bound::Included(key(last)), count)?;
    let mut found = Vec::with_capacity(rows.len() * FilePiece::SIZE);
    for (at, (_, piece)) in (first..).zip(rows) {
        let whole = file.size.saturating_sub(at * piece_size()).min(piece_size());
        if piece.number != number(at) || u64::try_from(piece.bytes.len()) != Ok(whole) {
            return Err(damaged(file, at).into());
        }
        found.extend_from_slice(&piece.bytes);
    }
    // What stands in the first piece before, and in the last one behind.
    let offset = usize::try_from(from - first * piece_size()).unwrap_or(usize::MAX);
    let length = usize::try_from(to - from).unwrap_or(usize::MAX);
    found.drain(..offset.min(found.len()));
    if found.len() < length {
        return Err(damaged(file, last).into());
    }
    found.truncate(length);
    Ok(found)
}

fn damaged(file: &File, at: u64) -> StoreError {
    let place = format!("file {} in folder {}", file.path, file.folder);
    StoreError::Corrupt { place, what: format!("piece {at} is missing or has another length") }
}
