//! The engine over PostgreSQL, for where one machine is not enough: log and state are tables, written in one transaction.
//!
//! ```text
//! append -> [lane: place in the tenant's chain, queue] -> committer: one transaction for many entries -> tickets
//! writer's snapshot -> lane (changes on their way, records kept) above the database, checked by the chain's head
//! reader's snapshot -> one REPEATABLE READ transaction
//! ```
//!
//! Any number of hosts may serve any tenant. Each has turns of its own, so two of them may work for one tenant at the same
//! time: the one whose entry comes second finds that the chain has moved, keeps nothing, and its ticket answers
//! [`StoreError::Conflict`]. The revision that [`Appended`] has is final only when no other
//! host commits in between; number and hash are final always.
//!
//! Revisions have no gaps and are in the order of commits: the last step of a group takes the one row that counts
//! them, and holds it until the group is committed. So groups of several hosts go one after the other, each with hundreds
//! of entries.
//!
//! Connections to another machine are encrypted, see [`Database`].

mod blobs;
mod block;
mod committer;
mod core;
mod durable;
mod failure;
mod keys;
mod lanes;
mod layout;
mod leases;
mod listen;
mod options;
mod pool;
mod queue;
mod reads;
mod schema;
mod sequenced;
mod tls;
mod write;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::runtime::Runtime;

pub use self::options::PostgresOptions;
pub use self::tls::{Database, TlsStream};

use self::block::block_on;
use self::committer::Committer;
use self::core::{Core, number_of, revision_of};
use self::durable::Durable;
use self::failure::Failure;
use self::keys::TableKeyring;
use self::layout::Layout;
use self::pool::{Connection, Connector, Pool, Rights};
use self::queue::{Pending, Row};
use self::reads::{Reads, Wanted};
use self::sequenced::Sequenced;
use super::{Appended, At, Blobs, Engine, Keyring, LogItem, Place, Snapshot, Status, Value};
use crate::entry::{Change, Sealed};
use crate::error::StoreError;
use crate::keyring;
use crate::leases::Leases;
use crate::store::Options;
use crate::ticket::{Group, Ticket};
use crate::types::{Hash, Head, Revision, TenantNo};

/// Threads that drive the connections; the work is done by the callers. With a second one on two cores, each wakes the other for
/// nothing, and 16 callers committed a tenth less.
const THREADS: usize = 2;

/// How long is waited for a server that was lost at the last step of a restore, and how often it is looked for.
const RETURN: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(250);

/// The last revision, whether a restore has begun and not finished, and which schema this is: a restore makes a new one.
const LAST: &str = "SELECT revision, to_regclass('backroom.restoring') IS NOT NULL, 'backroom'::regnamespace::oid FROM backroom.log_end";

/// Entries of the log that are read at once, and about how many bytes of them.
const PAGE: i64 = 256;
const PAGE_BYTES: i64 = 4 << 20;

/// The engine over PostgreSQL. Dropping it commits everything that has its place.
pub struct Postgres {
    core: Arc<Core>,
    /// Holds what says that nobody else restores into the database.
    restoring: Option<Connection>,
    keys: Arc<TableKeyring>,
    committer: Mutex<Option<JoinHandle<()>>>,
    runtime: Option<Runtime>,
}

impl Postgres {
    /// Connects, and brings the schema up to date. `url` is a connection string: `postgresql://user:password@host/database`
    /// or `host=/run/postgresql user=backroom dbname=backroom`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] with what to do: no connection, rights that are missing, a schema from a newer release.
    pub fn open(url: &str, options: &Options, postgres: &PostgresOptions) -> Result<Self, StoreError> {
        let engine = Self::connect(url, options, postgres, |owner| {
            schema::migrate(&owner)?;
            let last = block_on(owner.query_one(LAST, &[])).map_err(|error| Failure::read(&error))?;
            if last.get(1) {
                return Err(failure::unavailable(
                    "a restore into it is under way, or was not finished: then run the same restore again, it begins anew",
                ));
            }
            Ok((revision_of(last.get(0)), None))
        })?;
        keyring::finish_destroying(&engine)?;
        Ok(engine)
    }

    /// As [`Postgres::open`], for restoring into a database without a schema `backroom`, or with what a restore left there that was
    /// not finished, which is removed. Nobody else opens it until [`Postgres::finish_restore`]. None if it has such a schema.
    ///
    /// # Errors
    /// As [`Postgres::open`]; [`StoreError::Busy`] if another restore into it is under way.
    pub fn open_for_restore(
        url: &str,
        options: &Options,
        postgres: &PostgresOptions,
    ) -> Result<Option<Self>, StoreError> {
        let engine = Self::connect(url, options, postgres, |owner| {
            let begun = schema::begin_restore(&owner)?;
            if begun {
                schema::migrate(&owner)?;
            }
            Ok((0, begun.then_some(owner)))
        })?;
        Ok(engine.restoring.is_some().then_some(engine))
    }

    /// Keeps the connection in use that keeps others from restoring.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it was lost: then nothing more may be written.
    pub fn go_on_restoring(&self) -> Result<(), StoreError> {
        self.as_restorer("SELECT 1")
    }

    /// Everything is in: the database may be opened from now on.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the connection was lost that kept others from restoring, and nobody can say that everything
    /// was in by then. The text says whether it is to be restored again, or first to be opened, which tells.
    pub fn finish_restore(&self) -> Result<(), StoreError> {
        let Some(owner) = &self.restoring else { return Ok(()) };
        let schema: u32 = block_on(owner.query_one(LAST, &[])).map_err(|error| unfinished(&error))?.get(2);
        self.as_restorer("DROP SEQUENCE backroom.restoring").or_else(|error| {
            // The answer may be all that was lost, and the server be back in a moment.
            let deadline = Instant::now() + RETURN;
            loop {
                match self.core.reading(Rights::Owner, |connection| block_on(connection.query_one(LAST, &[]))) {
                    // Or another restore has begun since, and may even be finished.
                    Ok(row) if row.get(1) || row.get::<_, u32>(2) != schema => return Err(error),
                    Ok(_) => return Ok(()),
                    Err(_) if Instant::now() < deadline => std::thread::sleep(LOOK),
                    Err(_) => {
                        return Err(failure::unavailable(
                            "whether the restore was finished is not known: the connection was lost at its last step. Open the \
                             database when it is back; if that says that a restore was not finished, run it again",
                        ));
                    }
                }
            }
        })
    }

    fn as_restorer(&self, sql: &str) -> Result<(), StoreError> {
        let Some(owner) = &self.restoring else { return Ok(()) };
        block_on(owner.batch_execute(sql)).map_err(|error| unfinished(&error))
    }

    /// `begin` is given the first connection; it says the last revision, and what is to be held.
    fn connect(
        url: &str,
        options: &Options,
        postgres: &PostgresOptions,
        begin: impl FnOnce(Connection) -> Result<(Revision, Option<Connection>), StoreError>,
    ) -> Result<Self, StoreError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS.min(std::thread::available_parallelism().map_or(1, usize::from).div_ceil(2)))
            .thread_name("store-postgres")
            .enable_all()
            .build()
            .map_err(StoreError::io("start the threads of the database connections"))?;
        let connector = Connector::new(url, postgres, runtime.handle().clone())?;
        let (durable, restoring) = begin(connector.connect(Rights::Owner)?)?;
        let pool = Pool::new(connector.clone(), postgres.connections, options.turn_timeout);
        let layout = Layout::new(postgres.tables);
        let [reads, lookups] = [(); 2].map(|()| Reads::new(connector.clone()));
        let core = Arc::new(Core::new(options.clone(), layout, pool, (reads, lookups), postgres.cache_bytes, durable));
        let database = connector.database().clone();
        runtime.spawn(listen::listen(Arc::downgrade(&core), database, postgres.poll_every));
        let committer = Committer::new(Arc::clone(&core), connector)?;
        let thread = std::thread::Builder::new()
            .name("store-committer".into())
            .spawn(move || committer.run())
            .map_err(StoreError::io("start a thread"))?;
        let keys = Arc::new(TableKeyring::new(Arc::clone(&core), options.master_key.clone()));
        Ok(Self { core, restoring, keys, committer: Mutex::new(Some(thread)), runtime: Some(runtime) })
    }

    fn stop(&self) {
        self.core.queue.close("it was closed");
        let committer = self.committer.lock().take();
        // The last user of a store may be a callback on that thread itself, which cannot wait for its own end.
        if let Some(thread) = committer.filter(|thread| thread.thread().id() != std::thread::current().id()) {
            // A thread that panicked has closed the queue, and said so.
            let _ended = thread.join();
        }
    }

    /// The changes with their tables, and what is promoted of them. A record that is not what its space says is refused.
    fn rows(&self, tenant: TenantNo, changes: Vec<Change>) -> Result<Vec<Row>, StoreError> {
        let damaged = || StoreError::corrupt(format!("a change of tenant {tenant}"), "its key is no key");
        let row = |change: Change| {
            let (_, segment, _) = self.core.layout.locate(&change.key).ok_or_else(damaged)?;
            let table = self.core.layout.segment(segment).and_then(|segment| segment.typed);
            let columns = match (table, &change.value) {
                (Some(table), Some(value)) => {
                    (table.extract)(value).map_err(|source| StoreError::Codec { tenant, space: table.space, source })?
                }
                _ => Vec::new(),
            };
            Ok(Row { change, segment, columns })
        };
        changes.into_iter().map(row).collect()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
        if let Some(runtime) = self.runtime.take() {
            // Not waited for: this may be one of its own threads, or one of somebody else's runtime.
            runtime.shutdown_background();
        }
    }
}

impl Engine for Postgres {
    fn snapshot(&self, at: At) -> Result<Box<dyn Snapshot>, StoreError> {
        match at {
            At::Durable => Ok(Box::new(Durable::begin(Arc::clone(&self.core))?)),
            At::Sequenced(tenant) => {
                self.core.queue.check()?;
                Ok(Box::new(Sequenced::begin(Arc::clone(&self.core), tenant)))
            }
        }
    }

    /// One trip, together with what others look up at the same time.
    fn get(&self, key: &[u8]) -> Result<Option<Value>, StoreError> {
        let Some((tenant, segment, within)) = self.core.layout.locate(key) else { return Ok(None) };
        let wanted = Wanted::Record(segment, within.to_vec());
        let found = self.core.lookups.ask(&self.core.layout, tenant, vec![wanted])?.pop();
        Ok(found.and_then(|found| found.body).map(Value::from))
    }

    /// Each read of the turn is checked against the lane's head, and the first one may be what finds that head.
    fn begin(&self, tenant: TenantNo) -> Result<(Box<dyn Snapshot>, Option<Head>), StoreError> {
        Ok((self.snapshot(At::Sequenced(tenant))?, None))
    }

    fn head(&self, tenant: TenantNo) -> Result<Head, StoreError> {
        sequenced::head(&self.core, tenant)
    }

    fn append(&self, sealed: Sealed) -> Result<Appended, StoreError> {
        // Free where the unit of work has asked already.
        self.head(sealed.tenant)?;
        let Sealed { tenant, follows, head, payload, changes, fence } = sealed;
        self.core.queue.check()?;
        let rows = self.rows(tenant, changes.clone())?;
        let options = &self.core.options;
        self.core.queue.wait_for_room(payload.len(), options.pending_bytes, options.turn_timeout)?;
        let lane = self.core.lanes.of(tenant);
        self.core.lanes.with(&lane, |lane| {
            lane.check(follows)?;
            let entry = Pending { tenant, follows, head, fence, payload, rows, outcome: Group::open() };
            let appended = self.core.queue.push(entry, self.core.durable())?;
            lane.publish(head, &changes, appended.ticket.clone());
            Ok(appended)
        })
    }

    fn losses(&self, tenant: TenantNo) -> u64 {
        self.core.lanes.of(tenant).lock().generation()
    }

    fn sequenced(&self, tenant: TenantNo, losses: u64) -> Result<Option<Ticket>, StoreError> {
        self.core.lanes.of(tenant).lock().sequenced(losses).map(Some)
    }

    fn keyring(&self) -> Arc<dyn Keyring> {
        Arc::clone(&self.keys) as Arc<dyn Keyring>
    }

    fn read_log(
        &self,
        from: Revision,
        visit: &mut dyn FnMut(LogItem<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let sql = "SELECT revision, tenant, number, hash, payload FROM (
            SELECT *, sum(octet_length(payload)) OVER (ORDER BY revision) - octet_length(payload) AS before
            FROM backroom.commit_log WHERE revision >= $1 ORDER BY revision LIMIT $2) AS page
            WHERE before < $3 ORDER BY revision";
        let mut from = number_of(from);
        loop {
            let page = self.core.reading(Rights::Owner, |connection| {
                block_on(connection.query(&connection.prepared(sql)?, &[&from, &PAGE, &PAGE_BYTES]))
            })?;
            let Some(last) = page.last() else { return Ok(()) };
            from = last.get::<_, i64>(0) + 1;
            for row in &page {
                if show(row, visit).is_break() {
                    return Ok(());
                }
            }
        }
    }

    fn status(&self) -> Status {
        self.core.status()
    }

    fn leases(&self) -> Option<&dyn Leases> {
        Some(self)
    }

    fn blobs(&self) -> Option<&dyn Blobs> {
        Some(self)
    }

    fn close(&self) -> Result<(), StoreError> {
        let running = self.committer.lock().is_some();
        let down = self.core.queue.status().0.filter(|_| running && self.core.queue.is_down());
        self.stop();
        match down {
            Some(why) => Err(failure::unavailable(&why)),
            None => Ok(()),
        }
    }
}

fn unfinished(error: &tokio_postgres::Error) -> StoreError {
    let why = failure::words(error);
    failure::unavailable(&format!("the restore could not be finished: {why}. Run it again: it begins anew"))
}

/// One row of the log.
fn show(row: &tokio_postgres::Row, visit: &mut dyn FnMut(LogItem<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
    let revision = revision_of(row.get(0));
    let (hash, payload): (&[u8], &[u8]) = (row.get(3), row.get(4));
    let place = Place { segment: "commit_log".into(), offset: revision };
    if hash != Hash::of(payload).0 {
        let tenant = u32::try_from(row.get::<_, i64>(1)).map(TenantNo);
        let whose = tenant.ok().map(|tenant| (tenant, revision_of(row.get(2))));
        let what = "its bytes are not those whose hash stands beside them".into();
        return visit(LogItem::Damage { place: &place, what, whose });
    }
    visit(LogItem::Entry { place: &place, revision, payload })
}
