//! Leases: which host works through which tenant's queue of runs.
//!
//! A lease is for a tenant's queue, not for a single run: writers of one tenant take turns in any case, so two hosts in one
//! queue would only run what the other has to throw away, and the runs of a tenant keep their order. Leases are no part of
//! the log. They are not what makes a run happen once either: the run's own commit takes it out of the queue, and of two
//! such commits the second finds that the chain has moved. The fence is a second wall: it grows with each lease, a commit
//! that carries one is refused once it is not the newest, and so a host that was frozen cannot commit behind its
//! successor.

use std::collections::HashMap;
use std::ops::Bound;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::engine::{At, Engine, Snapshot};
use crate::error::StoreError;
use crate::key::{full_key, prefix_end};
use crate::record::Record as _;
use crate::records::QueuePlace;
use crate::types::TenantNo;

/// The right to work through a tenant's queue, until it ends or is taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lease {
    /// Whose queue.
    pub tenant: TenantNo,
    /// Which lease of it: each one has a higher number than the one before.
    pub fence: u64,
}

/// Who has a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The lease.
    pub lease: Lease,
    /// The host that has it.
    pub owner: String,
}

/// The leases of a store.
pub trait Leases: Send + Sync {
    /// Takes up to `limit` queues in which something waits and that nobody else has; those first that were leased least
    /// recently.
    ///
    /// # Errors
    /// What reading or writing reports. What was leased all the same ends by itself after `ttl`.
    fn lease(&self, owner: &str, limit: usize, ttl: Duration) -> Result<Vec<Lease>, StoreError>;

    /// Makes leases last for another `ttl` from now; gives those that are still the owner's.
    ///
    /// # Errors
    /// What reading or writing reports.
    fn renew(&self, owner: &str, leases: &[Lease], ttl: Duration) -> Result<Vec<Lease>, StoreError>;

    /// Gives a lease back. Nobody gets the queue before `pause` is over.
    ///
    /// # Errors
    /// What writing reports. The lease ends by itself then.
    fn release(&self, lease: Lease, pause: Duration) -> Result<(), StoreError>;

    /// Who works through which queue now.
    ///
    /// # Errors
    /// What reading reports.
    fn held(&self) -> Result<Vec<Held>, StoreError>;
}

/// Leases in the process, where one host has the store.
#[derive(Default)]
pub(crate) struct Local(Mutex<HashMap<TenantNo, Place>>);

struct Place {
    owner: Option<String>,
    fence: u64,
    until: Instant,
    leased: Instant,
}

impl Local {
    /// As [`Leases::lease`].
    pub(crate) fn lease(
        &self,
        engine: &dyn Engine,
        owner: &str,
        limit: usize,
        ttl: Duration,
    ) -> Result<Vec<Lease>, StoreError> {
        let waiting = waiting(&*engine.snapshot(At::Durable)?)?;
        let now = Instant::now();
        let mut places = self.0.lock();
        let free = |tenant: &TenantNo| places.get(tenant).is_none_or(|place| place.until <= now);
        let mut free: Vec<TenantNo> = waiting.into_iter().filter(free).collect();
        free.sort_by_key(|tenant| places.get(tenant).map(|place| place.leased));
        free.truncate(limit);
        let lease = |tenant: TenantNo| {
            let fence = places.get(&tenant).map_or(0, |place| place.fence) + 1;
            places.insert(tenant, Place { owner: Some(owner.to_owned()), fence, until: now + ttl, leased: now });
            Lease { tenant, fence }
        };
        Ok(free.into_iter().map(lease).collect())
    }

    /// As [`Leases::renew`].
    pub(crate) fn renew(&self, owner: &str, leases: &[Lease], ttl: Duration) -> Vec<Lease> {
        let until = Instant::now() + ttl;
        let mut places = self.0.lock();
        let renew = |lease: &&Lease| {
            let place = places.get_mut(&lease.tenant);
            let own = place.filter(|place| place.fence == lease.fence && place.owner.as_deref() == Some(owner));
            own.map(|place| place.until = until).is_some()
        };
        leases.iter().filter(renew).copied().collect()
    }

    /// As [`Leases::release`].
    pub(crate) fn release(&self, lease: Lease, pause: Duration) {
        if let Some(place) = self.0.lock().get_mut(&lease.tenant).filter(|place| place.fence == lease.fence) {
            place.owner = None;
            place.until = Instant::now() + pause;
        }
    }

    /// As [`Leases::held`].
    pub(crate) fn held(&self) -> Vec<Held> {
        let now = Instant::now();
        let places = self.0.lock();
        let held = places.iter().filter(|(_, place)| place.until > now).filter_map(|(tenant, place)| {
            let lease = Lease { tenant: *tenant, fence: place.fence };
            Some(Held { lease, owner: place.owner.clone()? })
        });
        held.collect()
    }

    /// Whether a commit under this fence may be kept.
    pub(crate) fn holds(&self, lease: Lease) -> bool {
        self.0.lock().get(&lease.tenant).is_some_and(|place| place.fence == lease.fence)
    }
}

/// The tenants in whose queue something waits.
pub(crate) fn waiting(snapshot: &dyn Snapshot) -> Result<Vec<TenantNo>, StoreError> {
    let mut tenants = Vec::new();
    let mut from = Some(TenantNo(0));
    while let Some(tenant) = from.map(|from| snapshot.next_tenant(from)).transpose()?.flatten() {
        let start = full_key(tenant, QueuePlace::SPACE, &());
        let end = prefix_end(&start).map_or(Bound::Unbounded, Bound::Excluded);
        if snapshot.scan((Bound::Included(start), end), false, 1).next().transpose()?.is_some() {
            tenants.push(tenant);
        }
        from = tenant.0.checked_add(1).map(TenantNo);
    }
    Ok(tenants)
}
