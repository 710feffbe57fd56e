//! What the threads of the engine share, and the one short critical section in which an entry gets its place.
//!
//! Locks are taken in this order and never the other way round: `upkeep`, `packing`, `applying`, overlay shard, `sequence`. Neither of the last two
//! is held while anybody writes, syncs or applies.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use backroom_domain::Instant;
use parking_lot::{Condvar, Mutex, RwLock};

use super::compact::Offer;
use super::disk::Disk;
use super::home::Home;
use super::overlay::Overlay;
use super::replay::Played;
use super::sequence::{Phase, Queued, Sequence, Work};
use super::snapshots::Snapshots;
use super::state::{Index, State};
use super::state_open;
use super::upkeep::{Memory, Packing};
use crate::engine::{Appended, Status};
use crate::entry::Sealed;
use crate::error::StoreError;
use crate::index::Tip;
use crate::key::split_key;
use crate::store::Options;
use crate::types::{Revision, TenantNo};

/// Between two attempts to write a log that could not be written: soon enough for whoever made room, no load for a machine
/// in trouble.
const TRY_AGAIN: Duration = Duration::from_millis(200);

/// What a store that has stopped answers.
pub(super) fn stopped(why: &str) -> StoreError {
    StoreError::Unavailable(format!(
        "it has stopped: {why}. Restart the service; it recovers everything that was acknowledged"
    ))
}

/// What is answered while the index cannot be read.
fn opened_again() -> StoreError {
    StoreError::Unavailable("the state index is being opened again; try again in a moment".into())
}

/// Shared by the engine and its threads.
pub(super) struct Core {
    pub(super) options: Options,
    pub(super) home: Home,
    pub(super) disk: Arc<dyn Disk>,
    pub(super) checkpoints: Arc<dyn Disk>,
    pub(super) state: State,
    pub(super) overlay: Overlay,
    pub(super) snapshots: Snapshots,
    /// The first revisions of all segments.
    pub(super) segments: RwLock<Vec<Revision>>,
    pub(super) sequence: Mutex<Sequence>,
    /// A smaller index that waits to take the place of the one in use.
    pub(super) offer: Mutex<Option<Offer>>,
    /// Wakes the log thread.
    pub(super) work: Condvar,
    /// Wakes the applier.
    pub(super) apply: Condvar,
    /// Wakes writers that wait for room.
    room: Condvar,
    sequenced: AtomicU64,
    durable: AtomicU64,
    applied: AtomicU64,
    syncs: AtomicU64,
    /// Bytes that came to the log since the last checkpoint.
    pub(super) log_grown: AtomicU64,
    /// The disk is so full that the index is left alone.
    low: AtomicBool,
    condemned: AtomicBool,
    /// A write to the index has failed: it has to be opened again.
    lost: AtomicBool,
    /// There was no room and is again: whether sled could write what it had to meanwhile is to be looked at.
    doubtful: AtomicBool,
    /// Held while entries go from the queue to the index, and while that is opened again.
    pub(super) applying: Mutex<()>,
    pub(super) upkeep: Mutex<Memory>,
    pub(super) packing: Mutex<Packing>,
    /// Wakes upkeep.
    upkeep_wake: Condvar,
    pub(super) figures: Mutex<Figures>,
    /// What is not as it should be, by what it is about.
    warnings: Mutex<Warnings>,
    /// Held as long as any thread of the engine runs. Last, so that it goes last.
    _lock: Box<dyn Send + Sync>,
}

/// What a core is made of.
pub(super) struct Parts {
    pub(super) options: Options,
    pub(super) home: Home,
    pub(super) disk: Arc<dyn Disk>,
    pub(super) checkpoints: Arc<dyn Disk>,
    pub(super) index: Index,
    pub(super) segments: Vec<Revision>,
    /// The end of the log.
    pub(super) last: Revision,
    /// How far the index is.
    pub(super) applied: Revision,
    pub(super) lock: Box<dyn Send + Sync>,
}

/// Bytes on the disk, as upkeep found them last.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Figures {
    pub(super) log: u64,
    pub(super) state: u64,
    pub(super) checkpoints: u64,
    /// When the index was written anew last.
    pub(super) compacted_at: Option<Instant>,
}

impl Core {
    pub(super) fn new(parts: Parts) -> Self {
        let Parts { options, home, disk, checkpoints, index, segments, last, applied, lock } = parts;
        Self {
            options,
            home,
            disk,
            checkpoints,
            state: State::new(index),
            overlay: Overlay::new(),
            snapshots: Snapshots::default(),
            segments: RwLock::new(segments),
            sequence: Mutex::new(Sequence::after(last)),
            offer: Mutex::default(),
            work: Condvar::new(),
            apply: Condvar::new(),
            room: Condvar::new(),
            sequenced: AtomicU64::new(last),
            durable: AtomicU64::new(last),
            applied: AtomicU64::new(applied),
            syncs: AtomicU64::new(0),
            log_grown: AtomicU64::new(0),
            low: AtomicBool::new(false),
            condemned: AtomicBool::new(false),
            lost: AtomicBool::new(false),
            doubtful: AtomicBool::new(false),
            applying: Mutex::default(),
            upkeep: Mutex::default(),
            packing: Mutex::default(),
            upkeep_wake: Condvar::new(),
            figures: Mutex::default(),
            warnings: Mutex::default(),
            _lock: lock,
        }
    }

    /// Entries of the log that the index does not have yet: shown by the overlay, and left to the applier. Before any thread
    /// runs.
    pub(super) fn preload(&self, entries: VecDeque<Queued>) {
        self.show(&entries);
        self.give_back(entries);
    }

    /// Puts entries into the overlay.
    fn show<'a>(&self, entries: impl IntoIterator<Item = &'a Queued>) {
        for queued in entries {
            let tenant = queued.changes.first().and_then(|change| split_key(&change.key)).map(|(tenant, ..)| tenant);
            if let Some(tenant) = tenant {
                self.overlay.publishing(tenant).publish(queued.revision, &queued.changes);
            }
        }
    }

    /// Puts an index that was opened again in its place, with what had been applied and it does not have. Nothing is being applied
    /// meanwhile.
    pub(super) fn bring_back(&self, Played { index, rest, applied: now }: Played) {
        self.show(&rest);
        // Whoever looked into the overlay before that, and into the index after it, has to notice.
        self.snapshots.expire(Revision::MAX, Duration::ZERO);
        self.applied.store(now, Ordering::Release);
        // Before that: what goes wrong with it from here on counts.
        {
            let mut warnings = self.warnings.lock();
            self.lost.store(false, Ordering::Release);
            set(&mut warnings, "index", None);
        }
        self.state.exchange(index);
        self.give_back(rest);
        // What it has by now, perhaps from a newer checkpoint, is not applied again. Snapshots that would see too much are gone.
        let done: Vec<Queued> = {
            let mut sequence = self.sequence.lock();
            std::iter::from_fn(|| sequence.queue.pop_front_if(|queued| queued.revision <= now)).collect()
        };
        for queued in &done {
            self.overlay.forget(&queued.changes, now);
        }
        self.now_applied(now);
    }

    /// Reads the index. Damage in it stops the store: the next opening builds it anew.
    pub(super) fn read_state<T>(&self, read: impl FnOnce(&Index) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let Some(index) = self.state.index() else {
            return Err(opened_again());
        };
        read(&index).map_err(|error| self.state_failed(error, &index))
    }

    /// What a failure of the index is to the caller.
    fn state_failed(&self, error: StoreError, index: &Index) -> StoreError {
        // Damage that shows only since a write has failed may be none on the disk; opening finds out.
        let broken = matches!(error, StoreError::Io { .. } | StoreError::Corrupt { .. });
        if broken && matches!(index.probe(), Err(StoreError::Io { .. })) {
            self.lose(&error);
            return opened_again();
        }
        let StoreError::Corrupt { what, .. } = &error else { return error };
        let why =
            format!("the state index is damaged ({what}); opening the store again builds it from checkpoint and log");
        if !self.condemned.swap(true, Ordering::AcqRel)
            && let Err(error) = state_open::condemn(&self.home, &why)
        {
            tracing::error!(%error, "the damaged state index could not be marked; move its folder away");
        }
        self.fail(&why);
        stopped(&why)
    }

    /// Has the index opened again in the next round of upkeep.
    pub(super) fn lose(&self, why: &StoreError) {
        {
            let mut warnings = self.warnings.lock();
            if self.lost.swap(true, Ordering::AcqRel) {
                return;
            }
            set(&mut warnings, "index", Some(format!("{why}: it is being opened again")));
        }
        if self.options.upkeep_every.is_none() {
            self.fail(&why.to_string());
        }
        // Those who wait for the index to keep up would wait for nothing.
        let _sequence = self.sequence.lock();
        self.room.notify_all();
    }

    /// Looks whether the index can still be written to, where there is doubt.
    pub(super) fn look_after_index(&self) {
        if self.doubtful.swap(false, Ordering::AcqRel) {
            // What is wrong is noted.
            let _noted = self.read_state(Index::probe);
        }
    }

    /// Whether the index has to be opened again.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// Puts entries that were taken to be applied back in front of the others.
    pub(super) fn give_back(&self, entries: impl IntoIterator<Item = Queued, IntoIter: DoubleEndedIterator>) {
        let mut sequence = self.sequence.lock();
        for queued in entries.into_iter().rev() {
            sequence.queue.push_front(queued);
        }
        // It may sleep because there was nothing to apply; whoever appends wakes it for the first entry only.
        self.apply.notify_all();
    }

    pub(super) fn durable(&self) -> Revision {
        self.durable.load(Ordering::Acquire)
    }

    pub(super) fn sequenced(&self) -> Revision {
        self.sequenced.load(Ordering::Acquire)
    }

    pub(super) fn applied(&self) -> Revision {
        self.applied.load(Ordering::Acquire)
    }

    /// The tip of a tenant that has been loaded.
    pub(super) fn known_tip(&self, tenant: TenantNo) -> Option<Tip> {
        self.sequence.lock().tips.get(&tenant).copied()
    }

    /// Keeps the tip that was read from the state. The caller holds the tenant's turn.
    pub(super) fn learn_tip(&self, tenant: TenantNo, tip: Tip) -> Tip {
        *self.sequence.lock().tips.entry(tenant).or_insert(tip)
    }

    pub(super) fn check_open(&self) -> Result<(), StoreError> {
        self.sequence.lock().check_open()
    }

    /// Gives an entry its place. The tenant's tip has been loaded.
    pub(super) fn append(&self, sealed: Sealed) -> Result<Appended, StoreError> {
        // Outside of all locks: this reads every byte.
        let crc = crc32fast::hash(&sealed.payload);
        self.wait_for_room(sealed.payload.len())?;
        let publishing = self.overlay.publishing(sealed.tenant);
        let (placed, ticket) = {
            let mut sequence = self.sequence.lock();
            sequence.check_open()?;
            let applier_idle = sequence.queue.is_empty();
            let (placed, ticket) = sequence.place(sealed, crc)?;
            self.sequenced.store(placed.revision, Ordering::Release);
            self.work.notify_one();
            if applier_idle {
                self.apply.notify_one();
            }
            (placed, ticket)
        };
        publishing.publish(placed.revision, &placed.changes);
        Ok(Appended { revision: placed.revision, ticket })
    }

    /// Back pressure. The bounds may be passed by the entries of those who find room at the same moment.
    fn wait_for_room(&self, bytes: usize) -> Result<(), StoreError> {
        let mut deadline = None;
        let mut sequence = self.sequence.lock();
        loop {
            sequence.check_open()?;
            // An entry that is larger than the bound goes alone.
            let log_full = sequence.pending_bytes > 0 && sequence.pending_bytes + bytes > self.options.pending_bytes;
            let overlay_full = self.overlay.bytes() > self.options.overlay_bytes;
            if overlay_full && self.low.load(Ordering::Acquire) {
                return Err(StoreError::Unavailable(self.room_is_low_because()));
            }
            if overlay_full && self.is_lost() {
                return Err(StoreError::Unavailable("the state index cannot be used at the moment".into()));
            }
            if !log_full && !overlay_full {
                return Ok(());
            }
            let deadline = *deadline.get_or_insert_with(|| std::time::Instant::now() + self.options.turn_timeout);
            if self.room.wait_until(&mut sequence, deadline).timed_out() {
                let what = if log_full { "the log thread" } else { "the state index" };
                return Err(StoreError::Busy(format!("{what} does not keep up")));
            }
        }
    }

    /// Waits for something to write, and then for as long as `gather` says for more of it. `None` ends the log thread.
    pub(super) fn next_work(&self, gather: Option<Duration>) -> Option<Work> {
        if let Some(gather) = gather {
            std::thread::sleep(gather);
        }
        let mut sequence = self.sequence.lock();
        loop {
            if !sequence.is_idle() {
                let work = sequence.take_pending();
                self.room.notify_all();
                return Some(work);
            }
            if sequence.phase != Phase::Open || sequence.stopped.is_some() {
                return None;
            }
            self.work.wait(&mut sequence);
        }
    }

    /// Everything up to `revision` is on disk.
    pub(super) fn now_durable(&self, revision: Revision) {
        self.syncs.fetch_add(1, Ordering::Relaxed);
        self.durable.store(revision, Ordering::Release);
    }

    /// The state index has everything up to `revision`.
    pub(super) fn now_applied(&self, revision: Revision) {
        self.applied.store(revision, Ordering::Release);
        // Under the lock, so that a writer about to wait does not miss it.
        let _sequence = self.sequence.lock();
        self.room.notify_all();
    }

    /// Refuses commits until [`Core::let_go`], and gives back everything that has its place behind what could not be written.
    pub(super) fn hold(&self, why: &str) -> Work {
        let mut sequence = self.sequence.lock();
        if sequence.held.as_deref() != Some(why) {
            tracing::error!(why, "commits are refused for now");
            sequence.held = Some(why.to_owned());
        }
        self.room.notify_all();
        sequence.take_pending()
    }

    /// A pause between two attempts; whether the store is being closed.
    pub(super) fn wait_held(&self) -> bool {
        let mut sequence = self.sequence.lock();
        if sequence.phase == Phase::Open {
            self.work.wait_for(&mut sequence, TRY_AGAIN);
        }
        sequence.phase != Phase::Open
    }

    /// The log can be written again.
    pub(super) fn let_go(&self) {
        tracing::info!("commits are taken again");
        self.sequence.lock().held = None;
    }

    /// A new segment has been created.
    pub(super) fn begin_segment(&self, first: Revision) {
        self.segments.write().push(first);
    }

    /// Stops the store: nobody's commit is acknowledged from here on. The first reason stands.
    pub(super) fn fail(&self, why: &str) {
        let work = {
            let mut sequence = self.sequence.lock();
            if sequence.stopped.is_none() {
                tracing::error!(why, "the store has stopped taking commits");
                sequence.stopped = Some(why.to_owned());
            }
            self.room.notify_all();
            self.work.notify_all();
            self.apply.notify_all();
            sequence.take_pending()
        };
        work.group.finish(Err(stopped(why)));
    }

    /// Whether so little room is left that the index must be left alone: sled does not survive a write without room. The log
    /// has what is not applied, and the overlay shows it.
    pub(super) fn room_is_low(&self) -> bool {
        let (low, changed) = {
            // Whoever looks later says what holds: what is found and what is said are one.
            let mut warnings = self.warnings.lock();
            let low = self.home.free_bytes() < self.options.min_free_bytes;
            let changed = self.low.swap(low, Ordering::AcqRel) != low;
            if changed {
                set(&mut warnings, "room", low.then(|| self.room_is_low_because()));
            }
            (low, changed)
        };
        if changed {
            if low && let Err(error) = self.read_state(Index::flush) {
                tracing::warn!(%error, "the state index could not be written out");
            }
            self.doubtful.fetch_or(!low, Ordering::AcqRel);
        }
        low
    }

    fn room_is_low_because(&self) -> String {
        let (free, least) = (self.home.free_bytes() >> 10, self.options.min_free_bytes >> 10);
        format!(
            "only {free} KiB of room are left for the data directory, {least} KiB are needed for the state index. Make room"
        )
    }

    /// Waits a moment before it is looked again whether there is room.
    pub(super) fn wait_for_space(&self) {
        let mut sequence = self.sequence.lock();
        let closing = sequence.phase != Phase::Open;
        self.apply.wait_for(&mut sequence, if closing { Duration::from_millis(1) } else { TRY_AGAIN });
    }

    /// Lets the applier look for an offer.
    pub(super) fn wake_applier(&self) {
        let _sequence = self.sequence.lock();
        self.apply.notify_all();
    }

    /// Whether a copy of the state may go on.
    pub(super) fn check_copying(&self) -> Result<(), StoreError> {
        if self.is_lost() {
            return Err(StoreError::Unavailable("the state index has to be opened again first".into()));
        }
        self.sequence.lock().stopped.as_ref().map_or(Ok(()), |why| Err(stopped(why)))
    }

    /// Waits for the next round of upkeep; `false` if there is none.
    pub(super) fn wait_upkeep(&self, every: Duration) -> bool {
        let mut sequence = self.sequence.lock();
        if sequence.phase == Phase::Open {
            self.upkeep_wake.wait_for(&mut sequence, every);
        }
        sequence.phase == Phase::Open
    }

    /// Whether upkeep should end what it does.
    pub(super) fn is_closing(&self) -> bool {
        self.sequence.lock().phase != Phase::Open
    }

    /// Sets or takes away what operators should know about `subject`.
    pub(super) fn warn(&self, subject: &'static str, what: Option<String>) {
        set(&mut self.warnings.lock(), subject, what);
    }

    /// Takes no more commits; each phase wakes the thread that it is for.
    pub(super) fn enter(&self, phase: Phase) {
        let mut sequence = self.sequence.lock();
        sequence.phase = phase;
        sequence.stopped.get_or_insert_with(|| "it was closed".to_owned());
        self.upkeep_wake.notify_all();
        self.room.notify_all();
        self.work.notify_all();
        self.apply.notify_all();
    }

    pub(super) fn status(&self) -> Status {
        let (failed, held, pending_bytes) = {
            let sequence = self.sequence.lock();
            (sequence.stopped.clone(), sequence.held.clone(), sequence.pending_bytes)
        };
        let figures = *self.figures.lock();
        // Oldest first, so that no figure is ahead of the one it follows.
        let (applied, durable, sequenced) = (self.applied(), self.durable(), self.sequenced());
        Status {
            durable,
            sequenced,
            applied,
            failed,
            held,
            syncs: self.syncs.load(Ordering::Relaxed),
            overlay_bytes: self.overlay.bytes(),
            pending_bytes,
            snapshots: self.snapshots.count(),
            log_bytes: figures.log,
            state_bytes: figures.state,
            checkpoint_bytes: figures.checkpoints,
            logical_bytes: self.state.bytes(),
            compacted_at: figures.compacted_at,
            free_bytes: self.home.free_bytes(),
            warnings: self.warnings.lock().values().cloned().collect(),
        }
    }
}

/// What operators should know, by subject.
type Warnings = BTreeMap<&'static str, String>;

fn set(warnings: &mut Warnings, subject: &'static str, what: Option<String>) {
    match what {
        Some(what) if warnings.get(subject) != Some(&what) => {
            tracing::warn!(subject, what, "the store needs attention");
            warnings.insert(subject, what);
        }
        Some(_) => {}
        None => drop(warnings.remove(subject)),
    }
}
