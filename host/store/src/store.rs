//! The store: hands out units of work and reads the log. It holds no state of its own but the turns.

use std::fmt;
use std::ops::{Bound, ControlFlow};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use backroom_domain::Id;
use backroom_domain::hr::Erasure;
use backroom_domain::ledger::AccountTotal;

use crate::cache::Cache;
use crate::engine::{At, Blobs, Embedded, Engine, LogItem, Memory, Postgres, PostgresOptions, Status, Upkeep};
use crate::entry::{Entry, place_of};
use crate::error::StoreError;
use crate::index::{STRIDE, Tip, decode_revision, head_key, index_key};
use crate::leases::{self, Lease, Leases, Local, waiting};
use crate::record::Record;
use crate::records::Secret;
use crate::seal::{MasterKey, Seals};
use crate::ticket::Ticket;
use crate::turns::{Turn, Turns};
use crate::tx::{Held, Tx, decode, record_key};
use crate::types::{Head, Revision, TenantNo};
use crate::verify::{self, VerifyProgress, VerifyReport};

/// Bounds of a store. The defaults suit one server with some hundred tenants.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long a writer waits for its tenant's turn, and then again for room in the queues.
    pub turn_timeout: Duration,
    /// A log segment that has reached this many bytes is followed by a new one.
    pub segment_bytes: u64,
    /// Bytes that may wait for the log thread. One second of a slow disk.
    pub pending_bytes: usize,
    /// Bytes of changes that may wait for the state index, snapshots that hold them up included.
    pub overlay_bytes: usize,
    /// Cache of the state index, and again for what of it is compressed. The process takes about three times as much.
    pub cache_bytes: u64,
    /// A snapshot older than this is taken away if it stands in the way of writers (overlay more than half full). Longer
    /// than any run may take.
    pub snapshot_age: Duration,
    /// How long changes are gathered before they go to the state index in one batch.
    pub apply_every: Duration,
    /// How often it is looked whether upkeep is due; `None` leaves it to [`Store::upkeep`](crate::Store::upkeep).
    pub upkeep_every: Option<Duration>,
    /// Whether log segments that are full are compressed.
    pub compress: bool,
    /// A checkpoint of the state is written when so many bytes of log, and as many as the state has, came since the last.
    pub checkpoint_bytes: u64,
    /// The state index is written anew when it takes more than this and half as much again as is in it, and has grown by this and
    /// half of what it was since the last time. While it grows it takes three times what comes in, beside as much of log and
    /// checkpoints.
    pub compact_bytes: u64,
    /// In a state that was written anew, about so many bytes of neighbouring records are compressed together: more would save
    /// little room, and make each first look into a block take longer.
    pub block_bytes: usize,
    /// With less room than this on the file system the state index is left alone, and with less than half of it commits are
    /// refused: sled does not survive a write without room.
    pub min_free_bytes: u64,
    /// Room set aside for opening the store on a full disk.
    pub spare_bytes: u64,
    /// What the keys of persons are wrapped with where they are kept. Without one, whoever can read the folder of the keys can
    /// open what is sealed with them.
    pub master_key: Option<MasterKey>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            turn_timeout: Duration::from_secs(10),
            segment_bytes: 16 << 20,
            pending_bytes: 16 << 20,
            overlay_bytes: 256 << 20,
            cache_bytes: 64 << 20,
            snapshot_age: Duration::from_secs(60),
            apply_every: Duration::from_millis(100),
            upkeep_every: Some(Duration::from_secs(1)),
            compress: true,
            checkpoint_bytes: 64 << 20,
            compact_bytes: 256 << 20,
            block_bytes: 6 << 10,
            min_free_bytes: 64 << 20,
            spare_bytes: 16 << 20,
            master_key: None,
        }
    }
}

/// An open store. Clones are the same store; it is let go when the last clone and the last unit of work are dropped.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    engine: Arc<dyn Engine>,
    turns: Turns,
    turn_timeout: Duration,
    /// For an engine that has no leases of its own.
    leases: Local,
    totals: Cache<AccountTotal, AccountTotal>,
}

/// Totals of accounts that are kept decoded: some 3 MiB.
const TOTALS: usize = 4_096;

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.status()).finish()
    }
}

impl Store {
    /// Opens the store in the data directory `dir`, and creates it if it is not there. After a stop without
    /// [`Store::close`] it recovers everything that was acknowledged.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if another process has it open; [`StoreError::Corrupt`] with file and offset if the log is
    /// damaged anywhere but in an unfinished write at its very end; [`StoreError::Io`].
    pub fn open(dir: &Path, options: Options) -> Result<Self, StoreError> {
        let engine = Embedded::open(dir, &options)?;
        Ok(Self::with_engine_options(Arc::new(engine), &options))
    }

    /// Opens the store in a PostgreSQL database that any number of hosts may share, and makes its tables if they are not
    /// there.
    ///
    /// # Errors
    /// As [`Postgres::open`].
    pub fn open_postgres(url: &str, options: &Options, postgres: &PostgresOptions) -> Result<Self, StoreError> {
        let engine = Postgres::open(url, options, postgres)?;
        Ok(Self::with_engine_options(Arc::new(engine), options))
    }

    /// A store that lives in memory and ends with it: the strict twin for tests.
    #[must_use]
    pub fn memory() -> Self {
        Self::with_engine(Arc::new(Memory::new()))
    }

    /// A store over any engine, with the default options.
    #[must_use]
    pub fn with_engine(engine: Arc<dyn Engine>) -> Self {
        Self::with_engine_options(engine, &Options::default())
    }

    /// A store over any engine. Of the options, the turn's timeout counts here.
    #[must_use]
    pub fn with_engine_options(engine: Arc<dyn Engine>, options: &Options) -> Self {
        Self(Arc::new(Inner {
            engine,
            turns: Turns::default(),
            turn_timeout: options.turn_timeout,
            leases: Local::default(),
            totals: Cache::new(TOTALS, |total| total),
        }))
    }

    /// Totals of accounts, decoded.
    pub(crate) fn totals(&self) -> &Cache<AccountTotal, AccountTotal> {
        &self.0.totals
    }

    /// A unit of work for reading: sees the state at the durable revision, for as long as it lives. It never waits for
    /// writers and they never wait for it. Changes can be staged (a dry run) but not committed.
    ///
    /// # Errors
    /// What the engine reports; a store that has stopped can still be read.
    pub fn read(&self, tenant: TenantNo) -> Result<Tx, StoreError> {
        Ok(Tx::new(self.clone(), tenant, self.0.engine.snapshot(At::Durable)?, None))
    }

    /// The durable record with this key, by itself: what one reads of which nothing else has to be of the same moment.
    ///
    /// # Errors
    /// [`StoreError::Codec`] if it cannot be decoded; what reading the state reports.
    pub fn get<R: Record>(&self, tenant: TenantNo, key: &R::Key) -> Result<Option<R>, StoreError> {
        let value = self.0.engine.get(&record_key::<R>(tenant, key))?;
        value.map(|value| decode(tenant, &value)).transpose()
    }

    /// A unit of work for writing: waits for the tenant's turn and holds it until it is committed or dropped. It sees
    /// everything that has its place in the log.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if the turn does not come in time; [`StoreError::Unavailable`] if the store has stopped.
    pub fn write(&self, tenant: TenantNo) -> Result<Tx, StoreError> {
        let turn = self.turn(tenant)?;
        // After the turn has come, so that the snapshot shows what the one before has done.
        let (snapshot, follows) = self.0.engine.begin(tenant)?;
        Ok(Tx::new(self.clone(), tenant, snapshot, Some(Held { turn, follows })))
    }

    /// The tenant's turn by itself, for those who append entries that are sealed already.
    pub(crate) fn turn(&self, tenant: TenantNo) -> Result<Turn, StoreError> {
        self.0.turns.take(tenant, self.0.turn_timeout).ok_or_else(|| {
            StoreError::Busy(format!("tenant {tenant} had no turn within {} ms", self.0.turn_timeout.as_millis()))
        })
    }

    /// The durable entry `number` of the tenant's own chain, `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the log does not have what the state says it has.
    pub fn entry(&self, tenant: TenantNo, number: u64) -> Result<Option<Entry>, StoreError> {
        let snapshot = self.0.engine.snapshot(At::Durable)?;
        let last = tip(&*snapshot, tenant)?.head.number;
        if number == 0 || number > last {
            return Ok(None);
        }
        let damaged = |what| StoreError::corrupt(format!("the index of tenant {tenant}"), what);
        let range = (Bound::Included(index_key(tenant, 1)), Bound::Included(index_key(tenant, number)));
        let (_, indexed) =
            snapshot.scan(range, true, 1).next().transpose()?.ok_or_else(|| damaged("it has no beginning"))?;
        let from = decode_revision(&indexed).ok_or_else(|| damaged("it holds no revision"))?;
        let mut found = None;
        self.0.engine.read_log(from, &mut |item| match decode_if(item, |place| place == (tenant, number)) {
            Ok(None) => ControlFlow::Continue(()),
            Ok(Some(entry)) => stop_with(&mut found, Ok(entry)),
            Err(error) => stop_with(&mut found, Err(error)),
        })?;
        match found.transpose()? {
            Some(entry) if entry.revision - from < STRIDE => Ok(Some(entry)),
            _ => Err(damaged("it points to the wrong place in the log")),
        }
    }

    /// Shows the durable entries from revision `from` on, in order, until `visit` breaks or they end.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] at the first damage; what came before has been shown.
    pub fn entries(&self, from: Revision, visit: &mut dyn FnMut(&Entry) -> ControlFlow<()>) -> Result<(), StoreError> {
        let (mut expected, mut failed) = (from.max(1), None);
        // Taken before, so that the log is at least as long.
        let durable = self.0.engine.status().durable;
        let gap = |expected| StoreError::corrupt("the log", format!("revision {expected} is missing"));
        let mut stopped = false;
        self.0.engine.read_log(from, &mut |item| match decode_if(item, |_| true) {
            Ok(None) => ControlFlow::Continue(()),
            Ok(Some(entry)) if entry.revision != expected => stop_with(&mut failed, gap(expected)),
            Ok(Some(entry)) => {
                expected += 1;
                let flow = visit(&entry);
                stopped = flow.is_break();
                flow
            }
            Err(error) => stop_with(&mut failed, error),
        })?;
        match failed {
            Some(error) => Err(error),
            None if !stopped && expected <= durable => Err(gap(expected)),
            None => Ok(()),
        }
    }

    /// The tenant's last durable entry.
    ///
    /// # Errors
    /// What reading the state reports.
    pub fn head(&self, tenant: TenantNo) -> Result<Head, StoreError> {
        let snapshot = self.0.engine.snapshot(At::Durable)?;
        Ok(tip(&*snapshot, tenant)?.head)
    }

    /// How often entries of the tenant that had their place were lost here, or may have been; for [`Store::sequenced`].
    #[must_use]
    pub fn losses(&self, tenant: TenantNo) -> u64 {
        self.0.engine.losses(tenant)
    }

    /// For who found in units of work for writing, since the losses were `losses`, that there is nothing to do or that it
    /// cannot be done, and is to say so: tells when what was found is durable. `None` where it is once [`Status::durable`] has
    /// come to [`Status::sequenced`] as it is now.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if there were more losses meanwhile.
    pub fn sequenced(&self, tenant: TenantNo, losses: u64) -> Result<Option<Ticket>, StoreError> {
        self.0.engine.sequenced(tenant, losses)
    }

    /// Opens what is sealed in the tenant's log entries.
    #[must_use]
    pub fn seals(&self, tenant: TenantNo) -> Seals {
        Seals::new(self.0.engine.keyring(), tenant, false)
    }

    /// Destroys the key of a person whose erasure is on record and on disk: from here on nothing that was sealed with it can be
    /// opened, wherever it stands. `false` if there is no such erasure; nothing is done then. Once done, doing it again changes
    /// nothing. Blocks for a sync.
    ///
    /// # Errors
    /// What reading the state or destroying the key reports. The next opening of the store does it again.
    pub fn destroy_key_of_erased(&self, tenant: TenantNo, person: &Id) -> Result<bool, StoreError> {
        if self.get::<Erasure>(tenant, person)?.is_none() {
            return Ok(false);
        }
        self.0.engine.keyring().destroy(tenant, person)?;
        Ok(true)
    }

    /// Destroys the key of a secret that was replaced or deleted, and that is on disk: what the log has of it can be opened no
    /// more. Nothing is done while the secret is in use. Blocks for a sync.
    ///
    /// # Errors
    /// What reading the state or destroying the key reports. The next opening of the store does it again.
    pub fn destroy_key_of_secret(&self, tenant: TenantNo, secret: &Secret) -> Result<(), StoreError> {
        let now = self.get::<Secret>(tenant, &secret.name)?;
        let in_use = now.is_some_and(|now| now.number == secret.number);
        match Secret::key_name(secret.number) {
            Ok(key) if !in_use => self.0.engine.keyring().destroy(tenant, &key),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Checks the durable part of the store: frames and checksums, the sequence without gaps, every tenant's chain, the
    /// heads in the state, and that the state is what the log gives when it is played from the beginning. Reads the whole
    /// log at least twice; memory stays bounded.
    ///
    /// # Errors
    /// Only what prevents checking. What is wrong with the data is in the report, and does not stop it.
    pub fn verify(&self, progress: &mut dyn FnMut(VerifyProgress)) -> Result<VerifyReport, StoreError> {
        verify::verify(&*self.0.engine, progress)
    }

    /// Where bytes are kept for all hosts, if the engine is shared.
    #[must_use]
    pub fn blobs(&self) -> Option<&dyn Blobs> {
        self.0.engine.blobs()
    }

    /// Figures for health checks and operators. Cheap.
    #[must_use]
    pub fn status(&self) -> Status {
        self.0.engine.status()
    }

    /// Compresses full log segments and does whatever else is due, now, instead of in the background.
    ///
    /// # Errors
    /// What prevents it. Nothing is lost by that.
    pub fn upkeep(&self) -> Result<(), StoreError> {
        self.0.engine.upkeep(Upkeep::Due)
    }

    /// Writes a checkpoint of the state now: the state index can be built from it without playing the whole log.
    ///
    /// # Errors
    /// What prevents it. Nothing is lost by that.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        self.0.engine.upkeep(Upkeep::Checkpoint)
    }

    /// Writes the state index anew, which makes its files small, and keeps only the newest checkpoint. The service goes on
    /// meanwhile; it takes room for a second index.
    ///
    /// # Errors
    /// What prevents it. Nothing is lost by that.
    pub fn compact(&self) -> Result<(), StoreError> {
        self.0.engine.upkeep(Upkeep::Compact)
    }

    /// Stops taking commits, brings everything to disk and into the state index. Other clones answer
    /// [`StoreError::Unavailable`] to commits from then on. Dropping the store instead loses nothing either: the next
    /// opening takes longer.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the store had failed.
    pub fn close(self) -> Result<(), StoreError> {
        self.0.engine.close()
    }

    /// The tenants in whose queue something waits.
    ///
    /// # Errors
    /// What reading the state reports.
    pub fn waiting(&self) -> Result<Vec<TenantNo>, StoreError> {
        waiting(&*self.0.engine.snapshot(At::Durable)?)
    }

    /// What the engine does not check by itself. One that does is told the fence with the entry.
    pub(crate) fn check_fence(&self, lease: Lease) -> Result<(), StoreError> {
        if self.0.engine.leases().is_some() || self.0.leases.holds(lease) { Ok(()) } else { Err(StoreError::Conflict) }
    }

    pub(crate) fn engine(&self) -> &dyn Engine {
        &*self.0.engine
    }
}

impl Leases for Store {
    fn lease(&self, owner: &str, limit: usize, ttl: Duration) -> Result<Vec<Lease>, StoreError> {
        match self.0.engine.leases() {
            Some(leases) => leases.lease(owner, limit, ttl),
            None => self.0.leases.lease(&*self.0.engine, owner, limit, ttl),
        }
    }

    fn renew(&self, owner: &str, leases: &[Lease], ttl: Duration) -> Result<Vec<Lease>, StoreError> {
        match self.0.engine.leases() {
            Some(shared) => shared.renew(owner, leases, ttl),
            None => Ok(self.0.leases.renew(owner, leases, ttl)),
        }
    }

    fn release(&self, lease: Lease, pause: Duration) -> Result<(), StoreError> {
        match self.0.engine.leases() {
            Some(leases) => leases.release(lease, pause),
            None => {
                self.0.leases.release(lease, pause);
                Ok(())
            }
        }
    }

    fn held(&self) -> Result<Vec<leases::Held>, StoreError> {
        match self.0.engine.leases() {
            Some(leases) => leases.held(),
            None => Ok(self.0.leases.held()),
        }
    }
}

fn tip(snapshot: &dyn crate::engine::Snapshot, tenant: TenantNo) -> Result<Tip, StoreError> {
    let Some(bytes) = snapshot.get(&head_key(tenant))? else { return Ok(Tip::default()) };
    Tip::decode(&bytes).ok_or_else(|| StoreError::corrupt(format!("the head of tenant {tenant}"), "it is no head"))
}

/// The entry of an item if it is wanted; damage is an error.
fn decode_if(item: LogItem<'_>, wanted: impl FnOnce((TenantNo, u64)) -> bool) -> Result<Option<Entry>, StoreError> {
    match item {
        LogItem::Damage { place, what, .. } => Err(StoreError::corrupt(place.to_string(), what)),
        LogItem::Entry { place, revision, payload } => {
            let damaged = |why| StoreError::corrupt(place.to_string(), why);
            if !wanted(place_of(payload).map_err(damaged)?) {
                return Ok(None);
            }
            Entry::decode(revision, payload).map(Some).map_err(damaged)
        }
    }
}

fn stop_with<T>(slot: &mut Option<T>, value: T) -> ControlFlow<()> {
    *slot = Some(value);
    ControlFlow::Break(())
}
