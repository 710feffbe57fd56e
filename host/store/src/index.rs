//! The store's own records, kept in record space 0 beside everybody else's.
//!
//! They follow from the log alone (same log, same records), so they are not in the log: engines derive them when an entry
//! gets its place, and again on replay. Per tenant:
//!
//! * `h` -> the [`Tip`]: head of the chain, and the last revision that the index names;
//! * `i | number` -> the revision of that entry. Sparse: an entry is at most [`STRIDE`] revisions behind an indexed one, so
//!   finding any entry reads a bounded piece of the log, and most commits cost no index record.

use std::sync::Arc;

use crate::entry::Change;
use crate::key::{full_key, split_key};
use crate::types::{Hash, Head, Revision, TenantNo};

/// The record space that belongs to the store itself.
pub(crate) const SYSTEM_SPACE: u8 = 0;
/// About half a MiB of log at the usual entry size: a millisecond to read.
pub(crate) const STRIDE: u64 = 256;

const HEAD: u8 = b'h';
const INDEX: u8 = b'i';

/// The end of one tenant's chain, with what is needed to go on indexing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tip {
    /// The last entry.
    pub head: Head,
    /// The revision of the last entry that has an index record; 0 for none.
    pub(crate) indexed: Revision,
}

impl Tip {
    const LEN: usize = 8 + 32 + 8;

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::LEN);
        out.extend_from_slice(&self.head.number.to_be_bytes());
        out.extend_from_slice(&self.head.hash.0);
        out.extend_from_slice(&self.indexed.to_be_bytes());
        out
    }

    /// `None` if the bytes are not a tip.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (number, rest) = bytes.split_first_chunk::<8>()?;
        let (hash, rest) = rest.split_first_chunk::<32>()?;
        let indexed = <[u8; 8]>::try_from(rest).ok()?;
        let head = Head { number: u64::from_be_bytes(*number), hash: Hash(*hash) };
        Some(Self { head, indexed: u64::from_be_bytes(indexed) })
    }

    /// The tip after the entry `head` got its place at `revision`, and the store's own records of that entry.
    #[must_use]
    pub fn advance(self, tenant: TenantNo, head: Head, revision: Revision) -> (Self, Vec<Change>) {
        let indexing = self.indexed == 0 || revision.saturating_sub(self.indexed) >= STRIDE;
        let tip = Self { head, indexed: if indexing { revision } else { self.indexed } };
        let mut changes = Vec::with_capacity(2);
        changes.push(Change { key: head_key(tenant).into(), value: Some(tip.encode().into()) });
        if indexing {
            let value: Arc<[u8]> = revision.to_be_bytes().as_slice().into();
            changes.push(Change { key: index_key(tenant, head.number).into(), value: Some(value) });
        }
        (tip, changes)
    }
}

/// The key of a tenant's [`Tip`].
pub fn head_key(tenant: TenantNo) -> Vec<u8> {
    full_key(tenant, SYSTEM_SPACE, &HEAD)
}

/// Whether a full key is that of a [`Tip`].
pub(crate) fn is_head(key: &[u8]) -> bool {
    matches!(split_key(key), Some((_, SYSTEM_SPACE, [HEAD])))
}

/// The key of the index record for the tenant's entry `number`.
pub(crate) fn index_key(tenant: TenantNo, number: u64) -> Vec<u8> {
    full_key(tenant, SYSTEM_SPACE, &(INDEX, number))
}

/// The revision in an index record.
pub(crate) fn decode_revision(bytes: &[u8]) -> Option<Revision> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_near_an_indexed_one() {
        let tenant = TenantNo(3);
        let mut tip = Tip::default();
        let mut indexed = Vec::new();
        for (at, revision) in [5, 6, 200, 260, 261, 300, 10_000, 10_001].into_iter().enumerate() {
            let head = Head { number: at as u64 + 1, hash: Hash([at as u8; 32]) };
            let (next, changes) = tip.advance(tenant, head, revision);
            assert_eq!(changes[0].value.as_deref().and_then(Tip::decode), Some(next));
            if changes.len() == 2 {
                indexed.push(revision);
            }
            assert!(revision - next.indexed < STRIDE, "{revision}");
            tip = next;
        }
        assert_eq!(indexed, [5, 261, 10_000]);
    }
}
