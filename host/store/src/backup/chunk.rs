//! Chunks: pieces of the log, compressed, in order and without gaps.
//!
//! A chunk is a row of frames (revision and length, little endian, then the payload) under zstd. Its hash is in the manifest
//! and the beginning of it in its name, so that two different pieces never have the same name.

use std::io::Read as _;

use serde::{Deserialize, Serialize};

use super::error::BackupError;
use super::vault::{self, Vault};
use crate::entry::MAX_PAYLOAD;
use crate::types::{Hash, Revision};

/// A chunk ends with the entry that brings it to this size. Small enough to be sent again when it fails, large enough that
/// the number of objects does not matter.
const FULL: usize = 8 << 20;
/// Revision (8) and length (4).
const FRAME: usize = 12;
/// No chunk is larger before compression.
const MAX_RAW: u64 = (FULL + FRAME + MAX_PAYLOAD) as u64;
/// Compression: the fastest levels lose little here, and the level is paid on the service's own machine.
const LEVEL: i32 = 3;

/// A chunk as the manifest names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Chunk {
    /// Its first revision.
    pub(super) from: Revision,
    /// Its last revision.
    pub(super) to: Revision,
    /// Bytes before compression.
    pub(super) raw: u64,
    /// Bytes of the object.
    pub(super) bytes: u64,
    /// The hash of the object.
    pub(super) hash: Hash,
}

impl Chunk {
    /// The object's name.
    pub(super) fn name(&self) -> String {
        let hash = self.hash.to_string();
        format!("chunks/{:020}-{:020}-{}.zst", self.from, self.to, hash.get(..16).unwrap_or_default())
    }

    /// The frames, checked against size and hash.
    pub(super) fn read(&self, vault: &dyn Vault) -> Result<Vec<u8>, BackupError> {
        let name = self.name();
        let object = vault::get(vault, &name, self.bytes)?;
        if object.len() as u64 != self.bytes || Hash::of(&object) != self.hash {
            return Err(BackupError::damaged(name, "its hash is not the one that the manifest names"));
        }
        if self.raw > MAX_RAW {
            return Err(BackupError::damaged(name, "it says that it is larger than any chunk"));
        }
        let mut raw = Vec::new();
        let unpacked = zstd::Decoder::new(object.as_slice())
            .and_then(|decoder| decoder.take(self.raw.saturating_add(1)).read_to_end(&mut raw));
        match unpacked {
            Ok(_) if raw.len() as u64 == self.raw => Ok(raw),
            Ok(_) => Err(BackupError::damaged(name, "it does not have the size that the manifest names")),
            Err(why) => Err(BackupError::damaged(name, why)),
        }
    }
}

/// A chunk that is being filled.
#[derive(Default)]
pub(super) struct Filling {
    raw: Vec<u8>,
    from: Revision,
    to: Revision,
}

impl Filling {
    /// Whether it takes no more.
    pub(super) fn is_full(&self) -> bool {
        self.raw.len() >= FULL
    }

    /// The last revision in it; 0 if there is none.
    pub(super) fn to(&self) -> Revision {
        self.to
    }

    /// Adds the entry that comes next.
    pub(super) fn push(&mut self, revision: Revision, payload: &[u8]) -> Result<(), BackupError> {
        let len = u32::try_from(payload.len())
            .map_err(|_| BackupError::damaged(format!("revision {revision}"), "it is larger than any entry"))?;
        if self.raw.is_empty() {
            self.from = revision;
        }
        self.to = revision;
        self.raw.extend_from_slice(&revision.to_le_bytes());
        self.raw.extend_from_slice(&len.to_le_bytes());
        self.raw.extend_from_slice(payload);
        Ok(())
    }

    /// The object and its description.
    pub(super) fn finish(self) -> Result<(Chunk, Vec<u8>), BackupError> {
        let object = zstd::encode_all(self.raw.as_slice(), LEVEL).map_err(BackupError::io("compress a chunk"))?;
        let (raw, bytes, hash) = (self.raw.len() as u64, object.len() as u64, Hash::of(&object));
        Ok((Chunk { from: self.from, to: self.to, raw, bytes, hash }, object))
    }
}

/// The entries of a chunk's frames: revision and payload. Ends with an error at what is no frame.
pub(super) fn frames(mut raw: &[u8]) -> impl Iterator<Item = Result<(Revision, &[u8]), &'static str>> {
    std::iter::from_fn(move || {
        if raw.is_empty() {
            return None;
        }
        let frame = split_frame(raw);
        raw = frame.map_or(&[], |(_, _, rest)| rest);
        Some(frame.map(|(revision, payload, _)| (revision, payload)).ok_or("it ends inside a frame"))
    })
}

fn split_frame(raw: &[u8]) -> Option<(Revision, &[u8], &[u8])> {
    let (revision, rest) = raw.split_first_chunk::<8>()?;
    let (len, rest) = rest.split_first_chunk::<4>()?;
    let (payload, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*len)).ok()?)?;
    Some((Revision::from_le_bytes(*revision), payload, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_in_order_and_cut_ones_do_not() {
        let mut filling = Filling::default();
        for revision in 5..9 {
            filling.push(revision, &vec![7; revision as usize]).unwrap();
        }
        let raw = filling.raw.clone();
        let found: Vec<_> = frames(&raw).map(|frame| frame.unwrap()).collect();
        assert_eq!(
            found.iter().map(|(revision, payload)| (*revision, payload.len())).collect::<Vec<_>>(),
            [(5, 5), (6, 6), (7, 7), (8, 8)]
        );
        for len in 1..FRAME + 5 {
            assert!(frames(&raw[..len]).any(|frame| frame.is_err()), "cut at {len}");
        }
        let (chunk, object) = filling.finish().unwrap();
        assert_eq!((chunk.from, chunk.to, chunk.bytes), (5, 8, object.len() as u64));
        assert!(chunk.name().starts_with("chunks/00000000000000000005-00000000000000000008-"));
    }
}
