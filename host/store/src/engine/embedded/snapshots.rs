//! Which revisions are being read. The state index may only move up to the oldest of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::types::Revision;

/// Live snapshots by revision.
#[derive(Default)]
pub(super) struct Snapshots(Mutex<BTreeMap<Revision, Live>>);

struct Live {
    count: usize,
    /// When the newest of them began: none is younger, so none is taken away too early.
    since: Instant,
    expired: Arc<AtomicBool>,
}

/// One registered snapshot.
pub(super) struct Registered {
    pub(super) revision: Revision,
    expired: Arc<AtomicBool>,
}

impl Registered {
    /// Whether the state index has moved past this snapshot. To be asked after each read: a read that finds `false` was
    /// right, because the mark is set before the index moves.
    pub(super) fn is_expired(&self) -> bool {
        self.expired.load(Ordering::Acquire)
    }
}

impl Snapshots {
    /// Registers a snapshot at what `revision` says. It is asked under the lock: between answer and registration the
    /// state index must not move.
    pub(super) fn register(&self, revision: impl FnOnce() -> Revision) -> Registered {
        let since = Instant::now();
        let mut live = self.0.lock();
        let revision = revision();
        let entry = live.entry(revision).or_insert_with(|| Live { count: 0, since, expired: Arc::default() });
        entry.count += 1;
        entry.since = since;
        Registered { revision, expired: Arc::clone(&entry.expired) }
    }

    /// The reverse of [`Snapshots::register`].
    pub(super) fn release(&self, registered: &Registered) {
        let mut live = self.0.lock();
        let Some(entry) = live.get_mut(&registered.revision) else { return };
        // An expired one is no longer counted; a newer one may stand at the same revision.
        if !Arc::ptr_eq(&entry.expired, &registered.expired) {
            return;
        }
        entry.count -= 1;
        if entry.count == 0 {
            live.remove(&registered.revision);
        }
    }

    /// How far the state index may move: `durable`, or the oldest snapshot if that is before it. `durable` is asked under
    /// the lock, as in [`Snapshots::register`].
    pub(super) fn horizon(&self, durable: impl FnOnce() -> Revision) -> Revision {
        let live = self.0.lock();
        let durable = durable();
        live.first_key_value().map_or(durable, |(oldest, _)| durable.min(*oldest))
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.lock().values().map(|live| live.count).sum()
    }

    /// Takes away all snapshots before `durable` that are older than `age`. Their next read fails.
    pub(super) fn expire(&self, durable: Revision, age: Duration) -> usize {
        let mut expired = 0;
        self.0.lock().retain(|revision, live| {
            let keep = *revision >= durable || live.since.elapsed() < age;
            if !keep {
                live.expired.store(true, Ordering::Release);
                expired += live.count;
            }
            keep
        });
        expired
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_snapshot_holds_the_horizon() {
        let snapshots = Snapshots::default();
        assert_eq!(snapshots.horizon(|| 9), 9);
        let five = snapshots.register(|| 5);
        let again = snapshots.register(|| 5);
        let seven = snapshots.register(|| 7);
        assert_eq!((snapshots.horizon(|| 9), snapshots.count()), (5, 3));
        snapshots.release(&five);
        assert_eq!(snapshots.horizon(|| 9), 5);
        snapshots.release(&again);
        assert_eq!(snapshots.horizon(|| 9), 7);
        snapshots.release(&seven);
        assert_eq!(snapshots.horizon(|| 9), 9);
    }

    #[test]
    fn an_expired_snapshot_knows_it_and_holds_nothing() {
        let snapshots = Snapshots::default();
        let old = snapshots.register(|| 5);
        assert_eq!(snapshots.expire(9, Duration::from_secs(3600)), 0);
        assert!(!old.is_expired());
        assert_eq!(snapshots.expire(9, Duration::ZERO), 1);
        assert!(old.is_expired());
        assert_eq!(snapshots.horizon(|| 9), 9);
        let new = snapshots.register(|| 5);
        snapshots.release(&old);
        assert_eq!(snapshots.horizon(|| 9), 5, "releasing an expired one does not touch a newer one");
        assert!(!new.is_expired());
    }
}
