//! The committer: writes what has its place, one group after the other, and tells each entry's ticket what became of it.

use std::collections::{BTreeMap, HashSet};
use std::future::{Future as _, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::time::{Sleep, sleep_until};
use tokio_postgres::Error;

use super::core::{Core, ended, number_of, revision_of};
use super::failure::{Failure, unavailable, words};
use super::flights::{CONNECTIONS, Flights, Landed, Room};
use super::pool::{Connection, Connector, Rights};
use super::queue::{ENTRIES, Pending};
use super::write;
use crate::error::StoreError;
use crate::types::{Revision, TenantNo};

/// The first pause before something is tried again; each one is twice as long as the one before.
const PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
/// How often is looked whether the database is back.
const LOOK: Duration = Duration::from_millis(250);

pub(super) struct Committer {
    core: Arc<Core>,
    connector: Connector,
    /// Drives the connection on the committer's own thread: to write and to read, nobody else has to be woken.
    runtime: Runtime,
    /// Used in turn: the first one is that of the next group.
    connections: [Option<Arc<Connection>>; CONNECTIONS],
    flights: Flights,
    /// So many entries go alone: one of them was refused, and must not take the others with it.
    alone: usize,
}

/// What the committer is to do next.
enum Next {
    Send(Vec<Pending>),
    Land(Landed),
    /// Nothing has come for a while.
    Idle,
    /// Nothing will ever come again.
    End,
}

/// What is left of a group after an attempt that did not succeed.
enum Left {
    Again(Vec<Pending>),
    Over,
}

impl Committer {
    pub(super) fn new(core: Arc<Core>, connector: Connector) -> Result<Self, StoreError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(StoreError::io("start the committer"))?;
        Ok(Self { core, connector, runtime, connections: Default::default(), flights: Flights::default(), alone: 0 })
    }

    /// Runs until the engine is closed and everything has its outcome. A panic is one, too: nobody may wait for ever.
    pub(super) fn run(mut self) {
        let on_panic = OnPanic(Arc::clone(&self.core));
        loop {
            match self.next() {
                Next::Send(group) => self.send(group),
                Next::Land(landed) => self.land(landed),
                Next::Idle if self.core.queue.is_down() => {
                    if self.connected().is_ok() {
                        tracing::info!("the database is back");
                        self.core.queue.set_down(None);
                    }
                }
                Next::Idle => {}
                Next::End => break,
            }
            if self.flights.is_empty() {
                self.core.queue.done(self.core.durable());
            }
        }
        drop(on_panic);
    }

    fn next(&mut self) -> Next {
        let Self { core, runtime, flights, alone, .. } = self;
        let most = if *alone > 0 { 1 } else { ENTRIES };
        let mut gathering: Option<Pin<Box<Sleep>>> = None;
        let next = poll_fn(|context| {
            if let Poll::Ready(landed) = flights.poll_land(context) {
                return Poll::Ready(Next::Land(landed));
            }
            let Some(Room { entries, until }) = flights.room().filter(|_| flights.is_empty() || *alone == 0) else {
                return Poll::Pending;
            };
            let sleep = gathering.get_or_insert_with(|| Box::pin(sleep_until(until.into())));
            let least = if entries <= 1 || sleep.as_mut().poll(context).is_ready() { 1 } else { entries };
            match core.queue.poll_take(least, most, context) {
                Poll::Ready(Some(group)) => Poll::Ready(Next::Send(group)),
                Poll::Ready(None) if flights.is_empty() => Poll::Ready(Next::End),
                Poll::Ready(None) | Poll::Pending => Poll::Pending,
            }
        });
        runtime.block_on(async { tokio::time::timeout(LOOK, next).await }).unwrap_or(Next::Idle)
    }

    fn send(&mut self, group: Vec<Pending>) {
        self.alone = self.alone.saturating_sub(1);
        match self.connected() {
            Ok(connection) => self.flights.send(Arc::clone(&self.core), connection, group),
            Err(failure) => self.settle(group, failure),
        }
    }

    fn land(&mut self, landed: Landed) {
        let failure = match landed.outcome {
            Ok(first) => return self.committed(&landed.group, first),
            Err(failure) => failure,
        };
        // What was sent behind it has its outcome as well, before anything is sent again. If it failed it is as if it had
        // never been taken.
        while !self.flights.is_empty() {
            let land = poll_fn(|context| self.flights.poll_land(context));
            let Landed { group, outcome } = self.runtime.block_on(land);
            match outcome {
                Ok(first) => self.committed(&group, first),
                Err(_) => self.core.queue.put_back(group),
            }
        }
        self.settle(landed.group, failure);
    }

    /// Brings a group that failed to its outcome, trying again where that helps.
    fn settle(&mut self, mut group: Vec<Pending>, mut failure: Failure) {
        let deadline = Instant::now() + self.core.options.turn_timeout;
        let mut pause = PAUSE;
        loop {
            group = match self.failed(failure, group, Instant::now() >= deadline) {
                Left::Over => return,
                Left::Again(group) => group,
            };
            std::thread::sleep(jitter(pause));
            pause = (pause * 2).min(LONGEST_PAUSE);
            failure = match self.attempt(&mut group) {
                Ok(first) => return self.committed(&group, first),
                Err(failure) => failure,
            };
        }
    }

    fn attempt(&mut self, group: &mut [Pending]) -> Result<Revision, Failure> {
        let connection = self.connected()?;
        self.runtime.block_on(write::commit(&connection, &self.core, group, &OnceLock::new()))
    }

    fn failed(&mut self, failure: Failure, group: Vec<Pending>, late: bool) -> Left {
        match failure {
            Failure::Moved(tenants) => match self.sort_out(group, &tenants) {
                Ok(group) if group.is_empty() => Left::Over,
                Ok(group) => Left::Again(group),
                Err((group, why)) if late => self.give_up(group, &why),
                Err((group, _)) => Left::Again(group),
            },
            Failure::Again(_) if !late => Left::Again(group),
            // As the connection may have broken at any moment, the last attempt may still come through. The next one
            // finds out: it waits for the same rows, and then finds either the old head or its own entry.
            Failure::Lost(why) => {
                tracing::warn!(why, "the connection to the database was lost");
                self.connections = Default::default();
                self.core.pool.forget_idle();
                if late { self.give_up(group, &why) } else { Left::Again(group) }
            }
            Failure::Refused(_) if group.len() > 1 => {
                self.alone += group.len();
                self.core.queue.put_back(group);
                Left::Over
            }
            Failure::Again(why) | Failure::Refused(why) => {
                tracing::error!(why, "the database refused a commit");
                self.fail(group, |entry| not_kept(entry, &why));
                Left::Over
            }
        }
    }

    /// The database could not be reached for too long.
    fn give_up(&mut self, group: Vec<Pending>, why: &str) -> Left {
        self.core.queue.set_down(Some(why.to_owned()));
        self.fail(group, |entry| not_kept(entry, why));
        for entry in self.core.queue.purge(|_| true) {
            self.core.lanes.with(&self.core.lanes.of(entry.tenant), |lane| lane.reset());
            entry.outcome.finish(Err(not_kept(&entry, why)));
        }
        Left::Over
    }

    /// Ends entries and everything that follows them with an error.
    fn fail(&self, group: Vec<Pending>, error: impl Fn(&Pending) -> StoreError) {
        let tenants: HashSet<TenantNo> = group.iter().map(|entry| entry.tenant).collect();
        // The lanes first: nobody may add an entry behind one that was taken out.
        for tenant in &tenants {
            self.core.lanes.with(&self.core.lanes.of(*tenant), |lane| lane.reset());
        }
        let behind = self.core.queue.purge(|tenant| tenants.contains(&tenant));
        for entry in group {
            entry.outcome.finish(Err(error(&entry)));
        }
        for entry in behind {
            entry.outcome.finish(Err(match error(&entry) {
                StoreError::Unavailable(why) => StoreError::Unavailable(format!("a commit before it failed: {why}")),
                other => other,
            }));
        }
    }

    /// Some chains do not end where their entries follow: another host came first, or an attempt whose answer was lost
    /// succeeded. What is in the log is committed, what cannot be any more is a conflict, the rest is left.
    fn sort_out(&mut self, group: Vec<Pending>, moved: &[u32]) -> Result<Vec<Pending>, (Vec<Pending>, String)> {
        let found = match self.connected() {
            Ok(connection) => self.runtime.block_on(find(&connection, &group)).map_err(|error| words(&error)),
            Err(_) => Err("no connection".to_owned()),
        };
        let found = match found {
            Ok(found) => found,
            Err(why) => return Err((group, why)),
        };
        let (mut done, mut lost, mut left) = (Vec::new(), Vec::new(), Vec::new());
        for entry in group {
            match found.get(&(entry.tenant, entry.head.number)) {
                Some((revision, hash)) if hash[..] == entry.head.hash.0 => done.push((entry, *revision)),
                _ if moved.contains(&entry.tenant.0) => lost.push(entry),
                _ => left.push(entry),
            }
        }
        for (entry, revision) in done {
            self.committed(&[entry], revision);
        }
        if !lost.is_empty() {
            self.fail(lost, |_| StoreError::Conflict);
        }
        Ok(left)
    }

    /// The group is in the database from revision `first` on.
    fn committed(&self, group: &[Pending], first: Revision) {
        self.core.count_commit();
        for entry in group {
            let lane = self.core.lanes.of(entry.tenant);
            self.core.lanes.with(&lane, |lane| lane.now_durable(entry.head.number));
        }
        self.core.now_durable(first + (group.len() as u64).saturating_sub(1));
        for entry in group {
            entry.outcome.finish(Ok(()));
        }
    }

    /// The connection for what is sent next, and for nothing behind it.
    fn connected(&mut self) -> Result<Arc<Connection>, Failure> {
        self.connections.rotate_left(1);
        let [next, ..] = &mut self.connections;
        if let Some(connection) = next.as_ref().filter(|connection| !connection.is_closed()) {
            return Ok(Arc::clone(connection));
        }
        let lost = |error: StoreError| Failure::Lost(error.to_string());
        let connection = self.runtime.block_on(self.connector.open(Rights::Owner)).map_err(lost)?;
        let set = self.runtime.block_on(connection.batch_execute(write::SETTINGS));
        set.map_err(|error| Failure::of(&error))?;
        Ok(Arc::clone(next.insert(Arc::new(connection))))
    }
}

type Found = BTreeMap<(TenantNo, u64), (Revision, Vec<u8>)>;

/// Which places of a group's entries are taken in the log, and by what.
async fn find(connection: &Connection, group: &[Pending]) -> Result<Found, Error> {
    let tenants: Vec<i64> = group.iter().map(|entry| i64::from(entry.tenant.0)).collect();
    let numbers: Vec<i64> = group.iter().map(|entry| number_of(entry.head.number)).collect();
    let sql = "SELECT l.tenant, l.number, l.revision, l.hash FROM unnest($1::bigint[], $2::bigint[]) AS e(tenant, number) \
               JOIN backroom.commit_log l ON l.tenant = e.tenant AND l.number = e.number";
    let rows = connection.query(&connection.statement(sql).await?, &[&tenants, &numbers]).await?;
    let found = rows.iter().map(|row| {
        let tenant = TenantNo(u32::try_from(row.get::<_, i64>(0)).unwrap_or(u32::MAX));
        ((tenant, revision_of(row.get(1))), (revision_of(row.get(2)), row.get(3)))
    });
    Ok(found.collect())
}

/// What an entry is told that is not known to be committed.
fn not_kept(entry: &Pending, why: &str) -> StoreError {
    unavailable(&if entry.in_doubt {
        format!("{why}. Whether it was committed will show when the database is back: ask for the same id again")
    } else {
        format!("{why}. Nothing was kept")
    })
}

/// Between half and the whole of it, so that hosts do not try again all at once.
fn jitter(pause: Duration) -> Duration {
    use std::hash::{BuildHasher as _, RandomState};
    let random = RandomState::new().hash_one(pause) % 64;
    pause / 2 + pause * u32::try_from(random).unwrap_or(0) / 128
}

/// Closes the engine if the thread that holds it panics.
struct OnPanic(Arc<Core>);

impl Drop for OnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let error = ended();
            self.0.queue.close(&error.to_string());
            for entry in self.0.queue.purge(|_| true) {
                entry.outcome.finish(Err(error.clone()));
            }
        }
    }
}
