//! One host of several over one database, as its engine looks from above.
//!
//! What is appended waits in the host's own queue, is seen by the host's next writers, and is written to the database later, as a
//! group. Each entry then finds the tenant's head where it expects it, or its ticket says [`StoreError::Conflict`], as do those of all
//! that were built on it. When that happens, and how much of the queue a crash still lets through, the scheduler decides.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{ControlFlow, RangeBounds as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use backroom_store::engine::{
    Appended, At, Engine, Group, KeyRange, LogItem, Pairs, Sealed, Snapshot, Tip, Value, head_key,
};
use backroom_store::{Hash, Head, Keyring, Revision, Status, StoreError, TenantNo};

type Overlay = BTreeMap<Arc<[u8]>, Option<Arc<[u8]>>>;

/// The engine of one host.
pub(crate) struct Host {
    shared: Arc<dyn Engine>,
    local: Mutex<Local>,
}

#[derive(Default)]
struct Local {
    queue: Vec<(Sealed, Arc<Group>)>,
    /// The changes of the queue, in order.
    overlay: Overlay,
    tips: BTreeMap<TenantNo, Tip>,
    snapshots: Vec<Weak<AtomicBool>>,
    /// Heads that can come to nothing any more, and that the scheduler does not know of.
    doomed: Vec<(TenantNo, Hash)>,
    crashed: bool,
}

impl Host {
    pub(crate) fn new(shared: Arc<dyn Engine>) -> Self {
        Self { shared, local: Mutex::default() }
    }

    /// Entries that wait to be written.
    pub(crate) fn queued(&self) -> usize {
        self.local().queue.len()
    }

    /// Writes the first `count` entries of the queue to the database, and answers whoever waits if they are `told`. Returns what
    /// became of each.
    pub(crate) fn write_group(&self, count: usize, told: bool) -> Vec<((TenantNo, Hash), Result<(), StoreError>)> {
        let mut local = self.local();
        let count = count.min(local.queue.len());
        let rest = local.queue.split_off(count);
        let group = std::mem::replace(&mut local.queue, rest);
        let mut lost = BTreeSet::new();
        let mut outcomes = Vec::new();
        for (sealed, waiting) in group {
            let (tenant, head) = (sealed.tenant, sealed.head.hash);
            let outcome = match self.shared.append(sealed) {
                Ok(appended) => appended.ticket.wait(),
                Err(error) => Err(error),
            };
            if outcome.is_err() {
                lost.insert(tenant);
            }
            if told {
                waiting.finish(outcome.clone());
            } else {
                waiting.finish(Err(gone()));
            }
            outcomes.push(((tenant, head), outcome));
        }
        // What was built on a lost entry is lost as well, also behind this group.
        let (built_on_it, kept) =
            std::mem::take(&mut local.queue).into_iter().partition(|(sealed, _)| lost.contains(&sealed.tenant));
        local.queue = kept;
        for (sealed, waiting) in built_on_it {
            waiting.finish(Err(StoreError::Conflict));
            outcomes.push(((sealed.tenant, sealed.head.hash), Err(StoreError::Conflict)));
        }
        local.rebuild(&*self.shared);
        outcomes.extend(std::mem::take(&mut local.doomed).into_iter().map(|at| (at, Err(StoreError::Conflict))));
        outcomes
    }

    /// The host is gone, with everything that it had not written: the heads that are lost.
    pub(crate) fn crash(&self) -> Vec<(TenantNo, Hash)> {
        let mut local = self.local();
        local.crashed = true;
        let queue = std::mem::take(&mut local.queue);
        for (_, waiting) in &queue {
            waiting.finish(Err(gone()));
        }
        let doomed = std::mem::take(&mut local.doomed);
        queue.into_iter().map(|(sealed, _)| (sealed.tenant, sealed.head.hash)).chain(doomed).collect()
    }

    /// Takes away every snapshot that is held.
    pub(crate) fn expire_snapshots(&self) {
        for snapshot in std::mem::take(&mut self.local().snapshots) {
            if let Some(expired) = snapshot.upgrade() {
                expired.store(true, Ordering::Relaxed);
            }
        }
    }

    /// As [`Engine::head`], for the eyes of the test: no call that can fail.
    pub(crate) fn look(&self, tenant: TenantNo) -> Head {
        let mut local = self.local();
        local.give_up_if_overtaken(tenant, &*self.shared);
        let tip = local.tips.get(&tenant).map(|tip| tip.head);
        tip.unwrap_or_else(|| self.shared.head(tenant).unwrap())
    }

    fn local(&self) -> MutexGuard<'_, Local> {
        self.local.lock().unwrap()
    }

    fn alive(&self) -> Result<MutexGuard<'_, Local>, StoreError> {
        let local = self.local();
        if local.crashed { Err(gone()) } else { Ok(local) }
    }
}

impl Local {
    /// Adds an entry to what this host's writers see.
    fn show(&mut self, sealed: &Sealed, shared: &dyn Engine) {
        let tip = self.tips.get(&sealed.tenant).copied().unwrap_or_else(|| tip(shared, sealed.tenant));
        // The revision comes with the group; until then any that is not yet taken will do.
        let (tip, own) = tip.advance(sealed.tenant, sealed.head, shared.status().sequenced + 1);
        self.tips.insert(sealed.tenant, tip);
        let changes = sealed.changes.iter().cloned().chain(own);
        self.overlay.extend(changes.map(|change| (change.key, change.value)));
    }

    /// Gives up what is queued of a tenant if another host was quicker: a writer that saw it above what that host wrote would see
    /// books that never were.
    fn give_up_if_overtaken(&mut self, tenant: TenantNo, shared: &dyn Engine) {
        let first = self.queue.iter().find(|(sealed, _)| sealed.tenant == tenant);
        if first.is_some_and(|(sealed, _)| sealed.follows != shared.head(tenant).unwrap()) {
            let all = std::mem::take(&mut self.queue).into_iter();
            let (overtaken, kept) = all.partition(|(sealed, _)| sealed.tenant == tenant);
            self.queue = kept;
            for (sealed, waiting) in overtaken {
                waiting.finish(Err(StoreError::Conflict));
                self.doomed.push((tenant, sealed.head.hash));
            }
            self.rebuild(shared);
        }
    }

    fn rebuild(&mut self, shared: &dyn Engine) {
        self.overlay.clear();
        self.tips.clear();
        let queue = std::mem::take(&mut self.queue);
        for (sealed, _) in &queue {
            self.show(sealed, shared);
        }
        self.queue = queue;
    }
}

fn tip(shared: &dyn Engine, tenant: TenantNo) -> Tip {
    let bytes = shared.snapshot(At::Sequenced(tenant)).unwrap().get(&head_key(tenant)).unwrap();
    bytes.map_or_else(Tip::default, |bytes| Tip::decode(&bytes).unwrap())
}

fn gone() -> StoreError {
    StoreError::Unavailable("the host is gone, on purpose".into())
}

impl Engine for Host {
    fn snapshot(&self, at: At) -> Result<Box<dyn Snapshot>, StoreError> {
        let mut local = self.alive()?;
        let overlay = if matches!(at, At::Sequenced(_)) { local.overlay.clone() } else { Overlay::new() };
        let expired = Arc::new(AtomicBool::new(false));
        local.snapshots.retain(|held| held.strong_count() > 0);
        local.snapshots.push(Arc::downgrade(&expired));
        Ok(Box::new(View { below: self.shared.snapshot(at)?, overlay, expired }))
    }

    fn head(&self, tenant: TenantNo) -> Result<Head, StoreError> {
        let mut local = self.alive()?;
        local.give_up_if_overtaken(tenant, &*self.shared);
        let tip = local.tips.get(&tenant).map(|tip| tip.head);
        tip.map_or_else(|| self.shared.head(tenant), Ok)
    }

    fn append(&self, sealed: Sealed) -> Result<Appended, StoreError> {
        let mut local = self.alive()?;
        let head = match local.tips.get(&sealed.tenant) {
            Some(tip) => tip.head,
            None => self.shared.head(sealed.tenant)?,
        };
        if head != sealed.follows {
            return Err(StoreError::Conflict);
        }
        local.show(&sealed, &*self.shared);
        let group = Group::open();
        let ticket = group.ticket();
        local.queue.push((sealed, group));
        Ok(Appended { revision: self.shared.status().sequenced + local.queue.len() as u64, ticket })
    }

    fn keyring(&self) -> Arc<dyn Keyring> {
        self.shared.keyring()
    }

    fn read_log(
        &self,
        from: Revision,
        visit: &mut dyn FnMut(LogItem<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        drop(self.alive()?);
        self.shared.read_log(from, visit)
    }

    fn status(&self) -> Status {
        let failed = self.local().crashed.then(|| gone().to_string());
        Status { failed, ..self.shared.status() }
    }

    fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// What a host sees: its own queue over the database.
struct View {
    below: Box<dyn Snapshot>,
    overlay: Overlay,
    expired: Arc<AtomicBool>,
}

impl View {
    fn check(&self) -> Result<(), StoreError> {
        if self.expired.load(Ordering::Relaxed) { Err(StoreError::Expired) } else { Ok(()) }
    }
}

impl Snapshot for View {
    fn revision(&self) -> Revision {
        self.below.revision()
    }

    fn get(&self, key: &[u8]) -> Result<Option<Value>, StoreError> {
        self.check()?;
        match self.overlay.get(key) {
            Some(value) => Ok(value.clone().map(Value::from)),
            None => self.below.get(key),
        }
    }

    fn scan(&self, range: KeyRange, reverse: bool, wanted: usize) -> Pairs<'_> {
        if let Err(error) = self.check() {
            return Box::new(std::iter::once(Err(error)));
        }
        let mine = self.overlay.iter().filter(|(key, _)| range.contains(&key.to_vec()));
        let mine: Vec<_> = mine.map(|(key, value)| (Value::from(Arc::clone(key)), value.clone())).collect();
        let below = self.below.scan(range, reverse, wanted);
        if mine.is_empty() {
            return below;
        }
        let mut all = BTreeMap::new();
        for pair in below {
            match pair {
                Ok((key, value)) => all.insert(key.to_vec(), (key, Some(value))),
                Err(error) => return Box::new(std::iter::once(Err(error))),
            };
        }
        all.extend(mine.into_iter().map(|(key, value)| (key.to_vec(), (key, value.map(Value::from)))));
        let pairs = all.into_values().filter_map(|(key, value)| value.map(|value| Ok((key, value))));
        if reverse { Box::new(pairs.rev().collect::<Vec<_>>().into_iter()) } else { Box::new(pairs) }
    }

    fn next_tenant(&self, from: TenantNo) -> Result<Option<TenantNo>, StoreError> {
        self.below.next_tenant(from)
    }
}
