//! Making a backup: the durable part of the log behind the last backup goes into chunks, the components of new releases
//! beside them, and a manifest over all of it last.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use backroom_domain::Instant;
use serde::Serialize;

use super::chunk::Filling;
use super::error::BackupError;
use super::manifest::{self, Component, Manifest};
use super::vault::{Vault, put_proven};
use super::{Progress, ReadComponent};
use crate::engine::{At, Engine, LogItem};
use crate::entry::Entry;
use crate::error::{CodecError, StoreError};
use crate::key::split_key;
use crate::record::Record as _;
use crate::records::Release;
use crate::store::Store;
use crate::types::{Hash, Head, Revision, TenantNo};

/// What a backup did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Made {
    /// The place.
    pub vault: String,
    /// The manifest that ends the series now.
    pub manifest: String,
    /// The last revision that is backed up.
    pub revision: Revision,
    /// Entries that were new; 0 if there was nothing to do.
    pub entries: u64,
    /// Chunks with them.
    pub chunks: u64,
    /// Their bytes before compression.
    pub raw_bytes: u64,
    /// Their bytes as they are kept.
    pub kept_bytes: u64,
    /// Releases that were new.
    pub releases: u64,
    /// Manifests that were found damaged. This backup holds what they did, and took their place.
    pub replaced: Vec<String>,
}

/// What a backup is made of, besides the store.
pub struct Making<'a> {
    /// Where it goes.
    pub vault: &'a dyn Vault,
    /// The time to write down.
    pub now: Instant,
    /// Where the components of releases come from.
    pub components: ReadComponent<'a>,
    /// Told the revisions done.
    pub progress: Progress<'a>,
}

impl Store {
    /// Backs up everything that is durable now and is not in the vault yet. The store goes on meanwhile. After an error
    /// nothing is lost: the next backup does it again, and uses what is there.
    ///
    /// # Errors
    /// [`BackupError::Foreign`] if the log does not continue the vault's last backup; [`BackupError::Damaged`] if the vault
    /// does not keep what it is given; what store and vault report.
    pub fn backup(&self, making: Making<'_>) -> Result<Made, BackupError> {
        let Making { vault, now, components, progress } = making;
        let (base, damaged) = newest(vault)?;
        // As the engine finds it now: another host may have committed, and backed up, what this one has not heard of.
        let durable = self.engine().snapshot(At::Durable)?.revision();
        if let Some(to) = damaged.iter().max().filter(|to| **to > durable) {
            let why = format!("{} is damaged, and is of a later time than the store", manifest::name_of(*to));
            return Err(BackupError::Foreign { vault: vault.shown(), why });
        }
        check_continues(self.engine(), base.as_ref(), durable, vault)?;
        let mut making = Series { vault, manifest: Manifest::after(base.as_ref(), now), digests: BTreeSet::new() };
        if making.manifest.to == durable {
            return match base {
                Some(base) => Ok(making.made(&base, 0, Vec::new())),
                None => Err(BackupError::Nothing("the store: it holds no entry yet".to_owned())),
            };
        }
        let from = making.manifest.to;
        while making.manifest.to < durable {
            // Whoever closes the store waits for nobody's backup.
            if let Some(why) = self.engine().status().failed {
                return Err(StoreError::Unavailable(why).into());
            }
            making.chunk(self.engine(), durable)?;
            progress(making.manifest.to - from, durable - from);
        }
        making.components(components)?;
        making.finish(from, damaged)
    }
}

/// The newest manifest that can be read, and the last revisions of the newer ones that cannot.
fn newest(vault: &dyn Vault) -> Result<(Option<Manifest>, Vec<Revision>), BackupError> {
    let mut damaged = Vec::new();
    for to in manifest::all(vault)?.into_iter().rev() {
        match Manifest::read(vault, to) {
            Ok(manifest) => return Ok((Some(manifest), damaged)),
            Err(BackupError::Damaged { object, what }) => {
                tracing::warn!(object, what, "a damaged manifest: this backup replaces it");
                damaged.push(to);
            }
            Err(error) => return Err(error),
        }
    }
    Ok((None, damaged))
}

/// Whether the log holds the entry with which the last backup ended.
fn check_continues(
    engine: &dyn Engine,
    base: Option<&Manifest>,
    durable: Revision,
    vault: &dyn Vault,
) -> Result<(), BackupError> {
    let Some(base) = base else { return Ok(()) };
    let foreign = |why: String| BackupError::Foreign { vault: vault.shown(), why };
    if durable < base.to {
        return Err(foreign(format!("it ends at revision {durable}, the last backup at {}", base.to)));
    }
    let mut found = None;
    engine.read_log(base.to, &mut |item| {
        found = Some(match item {
            LogItem::Entry { revision, payload, .. } if revision == base.to => Ok(Hash::of(payload)),
            LogItem::Entry { place, .. } => {
                Err(StoreError::corrupt(place.to_string(), "another revision stands there"))
            }
            LogItem::Damage { place, what, .. } => Err(StoreError::corrupt(place.to_string(), what)),
        });
        ControlFlow::Break(())
    })?;
    match found.transpose()? {
        Some(hash) if hash == base.last => Ok(()),
        _ => Err(foreign(format!("its entry at revision {} is not the one that was backed up", base.to))),
    }
}

/// A backup under way.
struct Series<'a> {
    vault: &'a dyn Vault,
    manifest: Manifest,
    /// Releases that were recorded in the revisions read.
    digests: BTreeSet<String>,
}

impl Series<'_> {
    /// Reads on until a chunk is full, or the end, and puts it away. The log is let go before the vault is asked: it may
    /// be slow.
    fn chunk(&mut self, engine: &dyn Engine, durable: Revision) -> Result<(), BackupError> {
        let (mut filling, mut failed) = (Filling::default(), None);
        engine.read_log(self.manifest.to + 1, &mut |item| match self.take(item, &mut filling) {
            Ok(()) if filling.is_full() || filling.to() == durable => ControlFlow::Break(()),
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        if filling.to() == 0 {
            let what = format!("it ends before revision {durable}, which is durable");
            return Err(StoreError::corrupt("the log", what).into());
        }
        let (chunk, object) = filling.finish()?;
        put_proven(self.vault, &chunk.name(), &object)?;
        self.manifest.chunks.push(chunk);
        Ok(())
    }

    /// Checks an entry as far as a chain can be checked, and adds it: damage must not be found at the restore.
    fn take(&mut self, item: LogItem<'_>, filling: &mut Filling) -> Result<(), BackupError> {
        let (place, revision, payload) = match item {
            LogItem::Damage { place, what, .. } => return Err(StoreError::corrupt(place.to_string(), what).into()),
            LogItem::Entry { place, revision, payload } => (place, revision, payload),
        };
        let damaged = |what: &dyn std::fmt::Display| StoreError::corrupt(place.to_string(), what);
        if revision != self.manifest.to + 1 {
            return Err(
                damaged(&format_args!("revision {revision} stands where {} should", self.manifest.to + 1)).into()
            );
        }
        let entry = Entry::decode(revision, payload).map_err(|why| damaged(&why))?;
        let head = self.manifest.heads.entry(entry.tenant).or_default();
        entry.check_place(*head).map_err(|why| damaged(&why))?;
        *head = Head { number: entry.number, hash: entry.hash };
        self.digests.extend(releases_of(&entry).map_err(|why| damaged(&why))?);
        if revision == 1 {
            self.manifest.store = entry.hash;
        }
        (self.manifest.to, self.manifest.last) = (revision, entry.hash);
        filling.push(revision, payload)
    }

    /// Puts the components of the releases away that were met.
    fn components(&mut self, read: ReadComponent<'_>) -> Result<(), BackupError> {
        for digest in std::mem::take(&mut self.digests) {
            let failed = |what: String| BackupError::Component { digest: digest.clone(), what };
            let bytes = read(&digest).map_err(failed)?;
            let component = Component { digest: Hash::of(&bytes), bytes: bytes.len() as u64 };
            if component.digest.to_string() != digest {
                return Err(failed("its bytes are not what its name says".to_owned()));
            }
            put_proven(self.vault, &component.name(), &bytes)?;
            self.manifest.releases.push(component);
        }
        Ok(())
    }

    /// From here on it is a backup.
    fn finish(mut self, from: Revision, damaged: Vec<Revision>) -> Result<Made, BackupError> {
        // Another host of the same store came to the same end meanwhile: others may go on from its manifest already.
        if let Ok(same) = Manifest::read(self.vault, self.manifest.to)
            && same.last == self.manifest.last
        {
            return Ok(self.made(&same, self.manifest.to - from, Vec::new()));
        }
        self.manifest = self.manifest.seal()?;
        put_proven(self.vault, &self.manifest.name(), &self.manifest.write()?)?;
        let mut replaced = Vec::new();
        for to in damaged {
            let name = manifest::name_of(to);
            if to != self.manifest.to {
                self.vault
                    .remove(&name)
                    .map_err(BackupError::io(format!("remove {name} in {}", self.vault.shown())))?;
            }
            replaced.push(name);
        }
        Ok(self.made(&self.manifest, self.manifest.to - from, replaced))
    }

    fn made(&self, last: &Manifest, entries: u64, replaced: Vec<String>) -> Made {
        let chunks = &self.manifest.chunks;
        Made {
            vault: self.vault.shown(),
            manifest: last.name(),
            revision: last.to,
            entries,
            chunks: chunks.len() as u64,
            raw_bytes: chunks.iter().map(|chunk| chunk.raw).sum(),
            kept_bytes: chunks.iter().map(|chunk| chunk.bytes).sum(),
            releases: self.manifest.releases.len() as u64,
            replaced,
        }
    }
}

/// The digests of the releases that an entry of the provider records.
pub(super) fn releases_of(entry: &Entry) -> Result<Vec<String>, CodecError> {
    let mut digests = Vec::new();
    for (key, value) in entry.changes.iter().filter(|_| entry.tenant == TenantNo::PROVIDER) {
        if let (Some((_, Release::SPACE, _)), Some(value)) = (split_key(key), value) {
            digests.push(Release::decode(value)?.digest);
        }
    }
    Ok(digests)
}
