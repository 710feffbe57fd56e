//! A wrapper that fails on purpose: the nth call fails, and every call after it, as with a disk that has gone away.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Appended, At, Blobs, Engine, Keyring, LogItem, Sealed, Snapshot, Status, Upkeep};
use crate::error::StoreError;
use crate::leases::Leases;
use crate::ticket::Ticket;
use crate::types::{Head, Revision, TenantNo};

/// Fails from the nth call on. Counted are snapshots, heads, appends and readings of the log.
pub struct Faulty {
    inner: Arc<dyn Engine>,
    calls: AtomicU64,
    fail_from: u64,
}

impl Faulty {
    /// Fails call number `fail_from` (the first is 1) and all after it. `u64::MAX` never fails.
    #[must_use]
    pub fn new(inner: Arc<dyn Engine>, fail_from: u64) -> Self {
        Self { inner, calls: AtomicU64::new(0), fail_from }
    }

    /// How many calls there were.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    fn failing(&self) -> Option<String> {
        let calls = self.calls();
        (calls >= self.fail_from).then(|| format!("fault on purpose at call {}", self.fail_from))
    }

    fn count(&self) -> Result<(), StoreError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.failing().map_or(Ok(()), |why| Err(StoreError::Unavailable(why)))
    }
}

impl Engine for Faulty {
    fn snapshot(&self, at: At) -> Result<Box<dyn Snapshot>, StoreError> {
        self.count()?;
        self.inner.snapshot(at)
    }

    fn head(&self, tenant: TenantNo) -> Result<Head, StoreError> {
        self.count()?;
        self.inner.head(tenant)
    }

    fn append(&self, sealed: Sealed) -> Result<Appended, StoreError> {
        self.count()?;
        self.inner.append(sealed)
    }

    fn losses(&self, tenant: TenantNo) -> u64 {
        self.inner.losses(tenant)
    }

    fn sequenced(&self, tenant: TenantNo, losses: u64) -> Result<Option<Ticket>, StoreError> {
        self.inner.sequenced(tenant, losses)
    }

    fn read_log(
        &self,
        from: Revision,
        visit: &mut dyn FnMut(LogItem<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.count()?;
        self.inner.read_log(from, visit)
    }

    fn keyring(&self) -> Arc<dyn Keyring> {
        self.inner.keyring()
    }

    fn status(&self) -> Status {
        let status = self.inner.status();
        Status { failed: self.failing().or(status.failed), ..status }
    }

    fn upkeep(&self, what: Upkeep) -> Result<(), StoreError> {
        self.count()?;
        self.inner.upkeep(what)
    }

    fn leases(&self) -> Option<&dyn Leases> {
        self.inner.leases()
    }

    fn blobs(&self) -> Option<&dyn Blobs> {
        self.inner.blobs()
    }

    fn close(&self) -> Result<(), StoreError> {
        self.inner.close()
    }
}
