//! Import: a tenant's file, checked to its end first, is played again under a number of this store.
//!
//! The number stands in every payload and key, so the hashes change; numbers, times, actors, effects and records do not. One
//! more entry ends the chain and holds the head hash of the chain that the file came from: whoever has the file can prove
//! that this chain is it.

use std::collections::BTreeSet;
use std::io::Read;

use backroom_domain::hr::Erasure;
use backroom_domain::{Id, Instant};
use serde::{Deserialize, Serialize};

use super::Progress;
use super::error::BackupError;
use super::export::digests_of;
use super::tenant_file::{FileHead, Reader, Section, damaged};
use crate::entry::{Change, Entry, Meta, Sealed};
use crate::error::{CodecError, StoreError};
use crate::key::split_key;
use crate::record::Record as _;
use crate::records::{QueueLength, QueuePlace, QueuedRun, StoredWorker};
use crate::store::Store;
use crate::ticket::Ticket;
use crate::types::{Hash, Head, TenantNo};

/// The kind of the entry that ends an imported chain.
pub const IMPORTED: &str = "tenant-import";
/// Entries between two waits for the disk.
const GROUP: u64 = 1_024;
/// Tries of an entry that finds the queues full, each of which waits for room. A half import cannot be gone on with.
const BUSY: u32 = 60;

/// A file that was read to its end and is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedFile {
    /// What it says about itself.
    pub head: FileHead,
    /// The digests of the components in it: every release that the chain ran or installed.
    pub releases: BTreeSet<String>,
}

/// What the entry says that ends an imported chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Origin {
    /// The tenant's name where it came from.
    pub tenant: String,
    /// Its number there.
    pub number: TenantNo,
    /// The head of its chain there.
    pub head: Head,
    /// When the file was made.
    pub exported_at: Instant,
}

/// Reads a file of a tenant to its end: its hash, every entry's place in the chain, the components. `component` is given
/// each of them.
///
/// # Errors
/// [`BackupError::Damaged`], [`BackupError::Newer`]; what reading and `component` report.
pub fn check_file(
    input: impl Read,
    component: &mut dyn FnMut(&[u8]) -> Result<(), String>,
) -> Result<CheckedFile, BackupError> {
    let mut file = Reader::open(input)?;
    let (mut head, mut used, mut releases) = (Head::default(), BTreeSet::new(), BTreeSet::new());
    while let Some(section) = file.next()? {
        match section {
            Section::Key(..) => {}
            Section::Entry(payload) => {
                let entry = next_entry(&file.head, head, &payload)?;
                head = Head { number: entry.number, hash: entry.hash };
                used.extend(digests_of(&entry).map_err(damaged)?);
            }
            Section::Component(bytes) => {
                let digest = Hash::of(&bytes).to_string();
                component(&bytes).map_err(|what| BackupError::Component { digest: digest.clone(), what })?;
                releases.insert(digest);
            }
        }
    }
    if head != file.head.head {
        return Err(damaged(format!("its chain ends with entry {}, not as its head says", head.number)));
    }
    if used != releases {
        return Err(damaged("its components are not those that its chain used"));
    }
    Ok(CheckedFile { head: file.head, releases })
}

/// The entry that comes next in the file's chain.
fn next_entry(file: &FileHead, follows: Head, payload: &[u8]) -> Result<Entry, BackupError> {
    let entry = Entry::decode(0, payload).map_err(damaged)?;
    if entry.tenant.0 != file.tenant.number || entry.tenant == TenantNo::PROVIDER {
        return Err(damaged(format!("entry {} is of another tenant", entry.number)));
    }
    entry.check_place(follows).map_err(damaged)?;
    Ok(entry)
}

impl Store {
    /// Plays a checked file under `number`, whose chain must be empty and whom no tenant record may name yet: that record,
    /// written by the caller when this has ended, is what brings the tenant into being. After an error, entries may be left
    /// that nobody can reach; the number is used up.
    ///
    /// # Errors
    /// As [`check_file`]; [`StoreError::Conflict`] if the chain is not empty; what the store reports.
    pub fn import_tenant(
        &self,
        input: impl Read,
        checked: &CheckedFile,
        number: TenantNo,
        meta: Meta,
        progress: Progress<'_>,
    ) -> Result<Head, BackupError> {
        // Nobody else writes under this number; the turn says so.
        let _turn = self.turn(number)?;
        if self.engine().head(number)?.number != 0 {
            return Err(StoreError::Conflict.into());
        }
        let mut file = Reader::open(input)?;
        let (mut source, mut head) = (Head::default(), Head::default());
        let (mut keys, mut erased) = (Vec::new(), Vec::new());
        let (mut kept, mut sealed) = (BTreeSet::new(), BTreeSet::new());
        while let Some(section) = file.next()? {
            let payload = match section {
                Section::Key(person, key) => {
                    kept.insert(person.clone());
                    keys.push((person, key));
                    continue;
                }
                Section::Component(_) => continue,
                Section::Entry(payload) => payload,
            };
            if !keys.is_empty() {
                // They stand before the entries, and are on disk before what they are needed for.
                self.engine().keyring().keep(number, &std::mem::take(&mut keys))?;
            }
            let entry = next_entry(&file.head, source, &payload)?;
            source = Head { number: entry.number, hash: entry.hash };
            erased.extend(erased_in(&entry).map_err(damaged)?);
            sealed.extend(sealed_in(&entry).map_err(damaged)?);
            let appended;
            (head, appended) = self.append_as(number, head, &rebound(entry, number))?;
            if head.number % GROUP == 0 {
                appended.wait()?;
            }
            progress(head.number, checked.head.head.number);
        }
        if file.head != checked.head || source != checked.head.head {
            return Err(damaged("it was changed while it was imported"));
        }
        // They came without keys, and are never to get new ones. Whoever was erased while the file was made is not in its log.
        erased.extend(sealed.difference(&kept).cloned());
        erased.iter().try_for_each(|person| self.engine().keyring().destroy(number, person))?;
        let FileHead { tenant, made_at, .. } = file.head;
        let origin = Origin {
            tenant: tenant.id.to_string(),
            number: TenantNo(tenant.number),
            head: source,
            exported_at: made_at,
        };
        let detail = serde_json::to_vec(&origin).map_err(|why| BackupError::io("write the origin")(why.into()))?;
        let last = Meta { kind: IMPORTED.to_owned(), input_hash: Some(source.hash.0), detail: Some(detail), ..meta };
        let (head, ticket) = self.append_as(number, head, &(last, Vec::new()))?;
        // The last on disk: all on disk.
        ticket.wait()?;
        Ok(head)
    }

    fn append_as(
        &self,
        tenant: TenantNo,
        follows: Head,
        (meta, changes): &(Meta, Vec<Change>),
    ) -> Result<(Head, Ticket), BackupError> {
        let mut tries = 0;
        loop {
            let sealed = Sealed::new(tenant, follows, meta, changes.clone())?;
            let head = sealed.head;
            match self.engine().append(sealed) {
                // The state index is behind; it waited already.
                Err(StoreError::Busy(_)) if tries < BUSY => tries += 1,
                appended => return Ok((head, appended?.ticket)),
            }
        }
    }

    /// Where a tenant's chain came from, if `head_number` entries of it were imported.
    ///
    /// # Errors
    /// As [`Store::entry`]; [`StoreError::Corrupt`] if the entry cannot be read.
    pub fn origin(&self, tenant: TenantNo, head_number: u64) -> Result<Option<Origin>, StoreError> {
        let Some(entry) = self.entry(tenant, head_number.saturating_add(1))?.filter(|entry| entry.kind == IMPORTED)
        else {
            return Ok(None);
        };
        let place = || format!("entry {} of tenant {tenant}", entry.number);
        let detail = entry.detail.as_deref().unwrap_or_default();
        serde_json::from_slice(detail).map(Some).map_err(|why| StoreError::corrupt(place(), CodecError::malformed(why)))
    }
}

/// The persons whose data an entry erased.
fn erased_in(entry: &Entry) -> Result<Vec<Id>, CodecError> {
    let erasures = entry.changes.iter().filter_map(|(key, value)| match (split_key(key), value) {
        (Some((_, Erasure::SPACE, _)), Some(value)) => Some(Erasure::decode(value)),
        _ => None,
    });
    erasures.map(|erasure| erasure.map(|erasure| erasure.worker)).collect()
}

/// The persons of whom an entry recorded sealed data.
fn sealed_in(entry: &Entry) -> Result<Vec<Id>, CodecError> {
    let mut persons = Vec::new();
    for (key, value) in &entry.changes {
        if let (Some((_, StoredWorker::SPACE, _)), Some(value)) = (split_key(key), value) {
            let worker = StoredWorker::decode(value)?;
            persons.extend(worker.sealed.is_some().then_some(worker.id));
        }
    }
    Ok(persons)
}

/// What an entry says, with keys of another tenant. The order stays: the number stands first in every key.
fn rebound(mut entry: Entry, tenant: TenantNo) -> (Meta, Vec<Change>) {
    let rekey = |key: &[u8]| -> std::sync::Arc<[u8]> {
        let rest = split_key(key).map_or(&[][..], |_| key.get(4..).unwrap_or_default());
        [tenant.0.to_be_bytes().as_slice(), rest].concat().into()
    };
    let change = |(key, value): (Vec<u8>, Option<Vec<u8>>)| Change { key: rekey(&key), value: value.map(Into::into) };
    // What waits in a queue waits where it was queued: it must not be done twice.
    let waits = |key: &[u8]| {
        let queue = [QueuedRun::SPACE, QueuePlace::SPACE, QueueLength::SPACE];
        split_key(key).is_some_and(|(_, space, _)| queue.contains(&space))
    };
    let changes = std::mem::take(&mut entry.changes).into_iter();
    (entry.into(), changes.filter(|(key, _)| !waits(key)).map(change).collect())
}
