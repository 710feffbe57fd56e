//! What the threads of the engine and its snapshots share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row, Statement};

use super::block::{Pipeline, block_on};
use super::failure::{Failure, unavailable};
use super::lanes::Lanes;
use super::layout::Layout;
use super::pool::{Connection, Leased, Pool, Rights};
use super::queue::Queue;
use super::reads::Reads;
use crate::engine::Status;
use crate::error::StoreError;
use crate::store::Options;
use crate::types::{Hash, Head, Revision, TenantNo};

/// Every statement of a reader is told whose rows it may see, by the one before it.
pub(super) const SET_TENANT: &str = "SELECT set_config('backroom.tenant', $1, false)";

/// How often a read is tried on another connection when one turns out to be gone.
pub(super) const ATTEMPTS: u32 = 3;

/// See the module.
pub(super) struct Core {
    pub(super) options: Options,
    pub(super) layout: Layout,
    pub(super) pool: Arc<Pool>,
    pub(super) queue: Queue,
    pub(super) lanes: Lanes,
    /// For units of work.
    pub(super) reads: Reads,
    /// For who is no unit of work: most of all, who somebody is that asks. They are not to wait for more than that.
    pub(super) lookups: Reads,
    /// Names this host to the others.
    pub(super) host: String,
    pub(super) snapshots: AtomicUsize,
    durable: AtomicU64,
    commits: AtomicU64,
}

impl Core {
    pub(super) fn new(
        options: Options,
        layout: Layout,
        pool: Arc<Pool>,
        (reads, lookups): (Reads, Reads),
        cache_bytes: usize,
        durable: Revision,
    ) -> Self {
        Self {
            options,
            layout,
            pool,
            queue: Queue::default(),
            lanes: Lanes::new(cache_bytes),
            reads,
            lookups,
            host: host_name(),
            snapshots: AtomicUsize::new(0),
            durable: AtomicU64::new(durable),
            commits: AtomicU64::new(0),
        }
    }

    /// The last revision that is known to be durable, whoever committed it.
    pub(super) fn durable(&self) -> Revision {
        self.durable.load(Ordering::Acquire)
    }

    /// Everything up to `revision` is in the database.
    pub(super) fn now_durable(&self, revision: Revision) {
        self.durable.fetch_max(revision, Ordering::AcqRel);
    }

    pub(super) fn count_commit(&self) {
        self.commits.fetch_add(1, Ordering::Relaxed);
    }

    /// Reads on a connection with these rights; once more on another one if that was lost.
    pub(super) fn reading<T>(
        &self,
        rights: Rights,
        read: impl Fn(&Connection) -> Result<T, Error>,
    ) -> Result<T, StoreError> {
        let mut attempt = 1;
        loop {
            let leased = self.pool.get(rights)?;
            match read(leased.get()?) {
                Ok(result) => return Ok(result),
                Err(error) if attempt < ATTEMPTS && matches!(Failure::of(&error), Failure::Lost(_)) => {
                    attempt += 1;
                    drop(leased);
                    self.pool.forget_idle();
                }
                Err(error) => return Err(Failure::read(&error)),
            }
        }
    }

    /// Begins a transaction that sees one moment; gives its revision.
    pub(super) fn begin_reading(&self) -> Result<(Leased, Revision), StoreError> {
        let mut attempt = 1;
        loop {
            let leased = self.pool.get(Rights::Reader)?;
            let began = begin(leased.get()?);
            match began {
                Ok(revision) => return Ok((leased, revision)),
                Err(error) if attempt < ATTEMPTS && matches!(Failure::of(&error), Failure::Lost(_)) => {
                    attempt += 1;
                    drop(leased);
                    self.pool.forget_idle();
                }
                Err(error) => return Err(Failure::read(&error)),
            }
        }
    }

    pub(super) fn status(&self) -> Status {
        let (failed, pending_bytes) = self.queue.status();
        let durable = self.durable();
        Status {
            durable,
            sequenced: self.queue.sequenced(durable),
            applied: durable,
            failed,
            syncs: self.commits.load(Ordering::Relaxed),
            overlay_bytes: self.lanes.bytes(),
            pending_bytes,
            snapshots: self.snapshots.load(Ordering::Relaxed),
            ..Status::default()
        }
    }
}

fn begin(connection: &Connection) -> Result<Revision, Error> {
    let last = connection.prepared("SELECT revision FROM backroom.log_end")?;
    let mut pipeline = Pipeline::new();
    pipeline.push(async {
        connection.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map(|()| Vec::new())
    });
    pipeline.push(connection.query(&last, &[]));
    let mut rows = block_on(pipeline).into_iter();
    if let Some(began) = rows.next() {
        began?;
    }
    let revision: Option<i64> = rows.next().transpose()?.and_then(|rows| rows.first().map(|row| row.get(0)));
    Ok(revision_of(revision.unwrap_or(0)))
}

/// Sets the tenant and reads, in one trip.
pub(super) fn query_as(
    connection: &Connection,
    tenant: TenantNo,
    statement: &Statement,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, Error> {
    let set = connection.prepared(SET_TENANT)?;
    let tenant = tenant.to_string();
    let set_to: [&(dyn ToSql + Sync); 1] = [&tenant];
    let mut pipeline = Pipeline::new();
    pipeline.push(connection.query(&set, &set_to));
    pipeline.push(connection.query(statement, parameters));
    let mut answers = block_on(pipeline).into_iter();
    // Rows that were read while the tenant could not be set are not looked at.
    if let Some(set) = answers.next() {
        set?;
    }
    answers.next().unwrap_or_else(|| Ok(Vec::new()))
}

/// The head in a row: number and hash from column `at` on; both are null before the first entry.
pub(super) fn head_of(row: &Row, at: usize) -> Result<Head, StoreError> {
    let (number, hash): (Option<i64>, Option<&[u8]>) = (row.get(at), row.get(at + 1));
    let (Some(number), Some(hash)) = (number, hash) else { return Ok(Head::default()) };
    let hash = hash.try_into().map_err(|_| StoreError::corrupt("backroom.chain_head", "a hash has 32 bytes"))?;
    Ok(Head { number: revision_of(number), hash: Hash(hash) })
}

/// Numbers in the database are never negative.
pub(super) fn revision_of(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// As the database wants it.
pub(super) fn number_of(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Differs between processes and within one.
fn host_name() -> String {
    use std::hash::{BuildHasher as _, RandomState};
    format!("{:x}-{:016x}", std::process::id(), RandomState::new().hash_one(std::process::id()))
}

/// A thread ended that should not have.
pub(super) fn ended() -> StoreError {
    unavailable("a thread of the engine panicked")
}
