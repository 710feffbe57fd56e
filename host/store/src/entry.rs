//! Entries of the commit log: what they hold, and how they are sealed.
//!
//! The BLAKE3 hash of the payload is the entry's hash, and the payload holds the hash of the tenant's entry before it:
//! that makes the chain.

mod codec;

use std::sync::Arc;

use minicbor::Decoder;

pub(crate) use self::codec::place_of;
use self::codec::{decode_place, decode_rest, encode};
use crate::error::{CodecError, StoreError};
use crate::key::split_key;
use crate::types::{Hash, Head, Revision, TenantNo};

/// The longest payload of one entry: far above any sensible run, below what would hold up all other tenants.
pub const MAX_PAYLOAD: usize = 64 * 1024 * 1024;
/// The most record changes of one entry.
pub const MAX_CHANGES: usize = 65_536;

/// What a commit says about itself beside the record changes. All of it is hashed and kept for ever.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    /// When, in microseconds since the Unix epoch. The caller's clock: this crate has none.
    pub at: u64,
    /// Who.
    pub actor: String,
    /// What kind of thing was done: `run`, `import`, ...
    pub kind: String,
    /// The run, where there was one.
    pub run: Option<String>,
    /// The installation that ran.
    pub installation: Option<String>,
    /// The digest of the release that ran.
    pub release: Option<[u8; 32]>,
    /// The hash of its input.
    pub input_hash: Option<[u8; 32]>,
    /// Opaque, e.g. input, output and fuel of a run; may be some MiB.
    pub detail: Option<Vec<u8>>,
    /// Opaque encoded domain effects, in the order in which they were staged.
    pub effects: Vec<Vec<u8>>,
}

/// One entry of the commit log, as read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the physical log of all tenants. Not part of the hash.
    pub revision: Revision,
    /// Whose chain it belongs to.
    pub tenant: TenantNo,
    /// Its place in the tenant's chain.
    pub number: u64,
    /// The hash of the tenant's entry before it; [`Hash::ZERO`] for the first.
    pub prev: Hash,
    /// The hash of this entry.
    pub hash: Hash,
    /// See [`Meta::at`].
    pub at: u64,
    /// See [`Meta::actor`].
    pub actor: String,
    /// See [`Meta::kind`].
    pub kind: String,
    /// See [`Meta::run`].
    pub run: Option<String>,
    /// See [`Meta::installation`].
    pub installation: Option<String>,
    /// See [`Meta::release`].
    pub release: Option<[u8; 32]>,
    /// See [`Meta::input_hash`].
    pub input_hash: Option<[u8; 32]>,
    /// See [`Meta::detail`].
    pub detail: Option<Vec<u8>>,
    /// See [`Meta::effects`].
    pub effects: Vec<Vec<u8>>,
    /// Full keys (see [`split_key`](crate::split_key)) in ascending order with their new values; `None` was deleted.
    pub changes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl From<Entry> for Meta {
    /// What the entry says about itself beside its place and its changes.
    fn from(entry: Entry) -> Self {
        let Entry { at, actor, kind, run, installation, release, input_hash, detail, effects, .. } = entry;
        Self { at, actor, kind, run, installation, release, input_hash, detail, effects }
    }
}

/// A change of one record: full key and new value. Shared between overlay, queue and unit of work without copying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The full key.
    pub key: Arc<[u8]>,
    /// The new value; `None` deletes.
    pub value: Option<Arc<[u8]>>,
}

/// An entry ready for the log: encoded and hashed, without its place in the physical log.
#[derive(Debug, Clone)]
pub struct Sealed {
    /// Whose.
    pub tenant: TenantNo,
    /// The head this entry follows.
    pub follows: Head,
    /// The head it makes.
    pub head: Head,
    /// The canonical encoding.
    pub payload: Vec<u8>,
    /// The same changes as in the payload, sorted by key, each key once.
    pub changes: Vec<Change>,
    /// The lease of the tenant's queue under which it is committed: it must be the newest. Not part of the log.
    pub fence: Option<u64>,
}

impl Sealed {
    /// Encodes and hashes. `changes` must be sorted by key, each key once and of this tenant.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] over [`MAX_CHANGES`] or [`MAX_PAYLOAD`].
    pub fn new(tenant: TenantNo, follows: Head, meta: &Meta, changes: Vec<Change>) -> Result<Self, StoreError> {
        if changes.len() > MAX_CHANGES {
            return Err(StoreError::TooLarge {
                what: "the number of changes",
                size: changes.len(),
                limit: MAX_CHANGES,
            });
        }
        let number = follows.number.saturating_add(1);
        let payload = encode(tenant, number, follows.hash, meta, &changes).map_err(|source| StoreError::Codec {
            tenant,
            space: 0,
            source: CodecError::malformed(source),
        })?;
        if payload.len() > MAX_PAYLOAD {
            return Err(StoreError::TooLarge { what: "the log entry", size: payload.len(), limit: MAX_PAYLOAD });
        }
        let head = Head { number, hash: Hash::of(&payload) };
        Ok(Self { tenant, follows, head, payload, changes, fence: None })
    }

    /// Takes an entry of another log as it is, so that its hash stays the same: for a chain that is restored. `entry` was
    /// decoded from `payload`, and `follows` is the head of its tenant.
    ///
    /// # Errors
    /// As [`Entry::check_place`].
    pub(crate) fn from_entry(entry: Entry, payload: Vec<u8>, follows: Head) -> Result<Self, CodecError> {
        entry.check_place(follows)?;
        let change = |(key, value): (Vec<u8>, Option<Vec<u8>>)| Change { key: key.into(), value: value.map(Arc::from) };
        let head = Head { number: entry.number, hash: entry.hash };
        let changes = entry.changes.into_iter().map(change).collect();
        Ok(Self { tenant: entry.tenant, follows, head, payload, changes, fence: None })
    }
}

impl Entry {
    /// Reads a payload back. `revision` comes from the frame around it.
    ///
    /// # Errors
    /// A version newer than this release, or bytes that are not an entry.
    pub fn decode(revision: Revision, payload: &[u8]) -> Result<Self, CodecError> {
        let mut d = Decoder::new(payload);
        let (tenant, number) = decode_place(&mut d)?;
        let entry = decode_rest(&mut d, revision, tenant, number, payload).map_err(CodecError::malformed)?;
        if d.position() != payload.len() {
            return Err(CodecError::malformed("bytes after the entry"));
        }
        Ok(entry)
    }

    /// Whether it may stand behind `follows` in its chain: number, hash, and changes that are sorted and its tenant's own.
    pub(crate) fn check_place(&self, follows: Head) -> Result<(), CodecError> {
        let name = format!("entry {} of tenant {}", self.number, self.tenant);
        if Some(self.number) != follows.number.checked_add(1) {
            return Err(CodecError::malformed(format!("{name} stands where entry {} ends the chain", follows.number)));
        }
        if self.prev != follows.hash {
            return Err(CodecError::malformed(format!(
                "{name} names {} as the entry before it, whose hash is {}",
                self.prev, follows.hash
            )));
        }
        let own = |key: &[u8]| split_key(key).is_some_and(|(tenant, space, _)| tenant == self.tenant && space != 0);
        if !self.changes.iter().all(|(key, _)| own(key)) {
            return Err(CodecError::malformed(format!("{name} changes a record that is not its tenant's")));
        }
        if !self.changes.is_sorted_by(|a, b| a.0 < b.0) {
            return Err(CodecError::malformed(format!("the changes of {name} are not in order")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> (Meta, Sealed) {
        let meta = Meta {
            at: 1,
            actor: "ann".into(),
            kind: "run".into(),
            run: Some("r1".into()),
            installation: None,
            release: Some([7; 32]),
            input_hash: None,
            detail: Some(vec![1, 2, 3]),
            effects: vec![vec![], vec![9]],
        };
        let changes = vec![
            Change { key: Arc::from([0, 0, 0, 5, 1, 1].as_slice()), value: Some(Arc::from([1].as_slice())) },
            Change { key: Arc::from([0, 0, 0, 5, 1, 2].as_slice()), value: None },
        ];
        let sealed = Sealed::new(TenantNo(5), Head { number: 3, hash: Hash([4; 32]) }, &meta, changes).unwrap();
        (meta, sealed)
    }

    #[test]
    fn an_entry_comes_back_as_it_was_sealed() {
        let (meta, sealed) = sealed();
        let entry = Entry::decode(11, &sealed.payload).unwrap();
        assert_eq!((entry.revision, entry.tenant, entry.number), (11, TenantNo(5), 4));
        assert_eq!((entry.prev, entry.hash), (Hash([4; 32]), sealed.head.hash));
        assert_eq!(entry.changes.len(), 2);
        assert_eq!(entry.changes[1], (vec![0, 0, 0, 5, 1, 2], None));
        assert_eq!(Meta::from(entry), meta);
        assert_eq!(place_of(&sealed.payload).unwrap(), (TenantNo(5), 4));
    }

    #[test]
    fn a_payload_cut_short_or_too_long_is_refused() {
        let (_, sealed) = sealed();
        for len in 0..sealed.payload.len() {
            assert!(Entry::decode(1, &sealed.payload[..len]).is_err(), "cut at {len}");
        }
        let mut longer = sealed.payload;
        longer.push(0);
        assert!(Entry::decode(1, &longer).is_err());
    }

    #[test]
    fn a_newer_version_is_named() {
        let (_, mut sealed) = sealed();
        sealed.payload[1] = 2;
        assert_eq!(Entry::decode(1, &sealed.payload), Err(CodecError::Version { found: 2, known: 1 }));
    }
}
