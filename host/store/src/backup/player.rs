//! Plays the entries of a backup in order and checks each against the one before it, in the log and in its chain.

use std::collections::BTreeMap;

use super::chunk::{Chunk, frames};
use super::error::BackupError;
use crate::entry::Entry;
use crate::types::{Head, Revision, TenantNo};

/// Where the play is.
#[derive(Default)]
pub(super) struct Player {
    /// The last revision played.
    pub(super) to: Revision,
    /// Every chain's head there.
    pub(super) heads: BTreeMap<TenantNo, Head>,
}

/// An entry that may be played: it follows the one before it.
pub(super) struct Played<'a> {
    pub(super) entry: Entry,
    pub(super) payload: &'a [u8],
    pub(super) follows: Head,
}

impl Player {
    /// Plays the frames of a chunk until `each` says that it is enough.
    pub(super) fn chunk(
        &mut self,
        chunk: &Chunk,
        raw: &[u8],
        each: &mut dyn FnMut(Played<'_>) -> Result<bool, BackupError>,
    ) -> Result<bool, BackupError> {
        let damaged = |what: &dyn std::fmt::Display| BackupError::damaged(chunk.name(), what);
        if self.to + 1 != chunk.from {
            return Err(damaged(&format_args!("it stands where revision {} should", self.to + 1)));
        }
        for frame in frames(raw) {
            let (revision, payload) = frame.map_err(|why| damaged(&why))?;
            if revision != self.to + 1 {
                return Err(damaged(&format_args!("revision {revision} stands where {} should", self.to + 1)));
            }
            let entry = Entry::decode(revision, payload).map_err(|why| damaged(&why))?;
            let (tenant, head) = (entry.tenant, Head { number: entry.number, hash: entry.hash });
            let follows = self.heads.get(&tenant).copied().unwrap_or_default();
            entry.check_place(follows).map_err(|why| damaged(&why))?;
            if !each(Played { entry, payload, follows })? {
                return Ok(false);
            }
            self.to = revision;
            self.heads.insert(tenant, head);
        }
        match self.to == chunk.to {
            true => Ok(true),
            false => Err(damaged(&format_args!("it ends with revision {} instead of {}", self.to, chunk.to))),
        }
    }
}
