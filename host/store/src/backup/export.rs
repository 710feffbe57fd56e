//! Export: one tenant's whole chain, as it stands in the log, into one file.

use std::collections::BTreeSet;
use std::io::Write;
use std::ops::{Bound, ControlFlow};

use backroom_domain::Instant;
use serde::Serialize;

use super::error::BackupError;
use super::tenant_file::{FileHead, Writer};
use super::{Progress, ReadComponent};
use crate::engine::{At, LogItem};
use crate::entry::{Entry, place_of};
use crate::error::{CodecError, StoreError};
use crate::index::{decode_revision, index_key};
use crate::key::split_key;
use crate::keyring::KeyState;
use crate::record::Record as _;
use crate::records::{Installation, StoredWorker, Tenant};
use crate::store::Store;
use crate::types::{Hash, Head, Revision, TenantNo};

/// Persons that are read at once.
const PERSONS: usize = 500;

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Exported {
    /// Entries of the chain.
    pub entries: u64,
    /// The hash of the last one.
    pub head: Hash,
    /// Releases that ran or were installed.
    pub releases: u64,
}

impl Store {
    /// Writes the durable chain of `tenant` to `out`, the keys of its persons, and the components of every release that it
    /// ran or installed. Its record goes along; API keys do not. The tenant goes on meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the chain is not whole; what store, components and `out` report. What was written then is
    /// no file of a tenant: it has no end.
    pub fn export_tenant<W: Write>(
        &self,
        tenant: &Tenant,
        now: Instant,
        out: W,
        components: ReadComponent<'_>,
        progress: Progress<'_>,
    ) -> Result<(Exported, W), BackupError> {
        let number = TenantNo(tenant.number);
        let head = self.head(number)?;
        let backroom = env!("CARGO_PKG_VERSION").to_owned();
        let file_head = FileHead { backroom, made_at: now, tenant: tenant.clone(), head };
        let mut writer = Writer::begin(out, &file_head)?;
        self.export_keys(number, &mut writer)?;
        let mut chain = Chain { tenant: number, end: head, head: Head::default(), digests: BTreeSet::new() };
        if head.number > 0 {
            let (from, mut failed) = (self.first_revision(number)?, None);
            self.engine().read_log(from, &mut |item| match chain.take(&item, &mut writer) {
                Ok(true) => {
                    progress(chain.head.number, head.number);
                    if chain.head.number < head.number { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                }
                Ok(false) => ControlFlow::Continue(()),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            })?;
            failed.map_or(Ok(()), Err)?;
        }
        chain.check_whole()?;
        for digest in &chain.digests {
            let failed = |what| BackupError::Component { digest: digest.clone(), what };
            writer.component(&components(digest).map_err(failed)?)?;
        }
        let releases = chain.digests.len() as u64;
        Ok((Exported { entries: head.number, head: head.hash, releases }, writer.end()?))
    }

    /// Writes the keys of all persons on record whose data were not erased.
    fn export_keys<W: Write>(&self, tenant: TenantNo, writer: &mut Writer<W>) -> Result<(), BackupError> {
        let (tx, keyring) = (self.read(tenant)?, self.engine().keyring());
        let mut after = None;
        loop {
            let page = tx.scan::<StoredWorker>(&(), after.as_deref(), PERSONS)?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(last.clone());
            for (_, worker) in page {
                if let KeyState::Key(key) = keyring.get(tenant, &worker.id)? {
                    writer.key(&worker.id, &key)?;
                }
            }
        }
    }

    /// The revision of the first entry of a chain that has one.
    fn first_revision(&self, tenant: TenantNo) -> Result<Revision, StoreError> {
        let snapshot = self.engine().snapshot(At::Durable)?;
        let range = (Bound::Included(index_key(tenant, 1)), Bound::Included(index_key(tenant, 1)));
        let first = snapshot.scan(range, false, 1).next().transpose()?;
        let revision = first.and_then(|(_, indexed)| decode_revision(&indexed));
        revision.ok_or_else(|| StoreError::corrupt(format!("the index of tenant {tenant}"), "it has no beginning"))
    }
}

/// A chain that is being read.
struct Chain {
    tenant: TenantNo,
    /// Where it ended when the export began.
    end: Head,
    head: Head,
    digests: BTreeSet<String>,
}

impl Chain {
    /// Writes the item if it is an entry of the tenant.
    fn take<W: Write>(&mut self, item: &LogItem<'_>, writer: &mut Writer<W>) -> Result<bool, BackupError> {
        let (place, payload) = match item {
            LogItem::Damage { place, what, .. } => return Err(StoreError::corrupt(place.to_string(), what).into()),
            LogItem::Entry { place, payload, .. } => (place, *payload),
        };
        let damaged = |why: CodecError| StoreError::corrupt(place.to_string(), why);
        if place_of(payload).map_err(damaged)?.0 != self.tenant {
            return Ok(false);
        }
        let entry = Entry::decode(0, payload).map_err(damaged)?;
        entry.check_place(self.head).map_err(damaged)?;
        self.digests.extend(digests_of(&entry).map_err(damaged)?);
        self.head = Head { number: entry.number, hash: entry.hash };
        writer.entry(payload)?;
        Ok(true)
    }

    fn check_whole(&self) -> Result<(), StoreError> {
        match self.head == self.end {
            true => Ok(()),
            false => Err(StoreError::corrupt(
                format!("the log of tenant {}", self.tenant),
                format!("its chain ends with entry {}, its head is entry {}", self.head.number, self.end.number),
            )),
        }
    }
}

/// The digests of the releases that an entry of a tenant ran or installed.
pub(super) fn digests_of(entry: &Entry) -> Result<Vec<String>, CodecError> {
    let mut digests: Vec<String> = entry.release.iter().map(|digest| Hash(*digest).to_string()).collect();
    for (key, value) in &entry.changes {
        if let (Some((_, Installation::SPACE, _)), Some(value)) = (split_key(key), value) {
            digests.push(Installation::decode(value)?.release);
        }
    }
    Ok(digests)
}
