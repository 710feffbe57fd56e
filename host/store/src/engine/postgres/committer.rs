//! The committer: writes what has its place, one group after the other, and tells each entry's ticket what became of it.

use std::collections::{BTreeMap, HashSet};
use std::future::{Future as _, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::Error;

use super::block::Sent;
use super::core::{Core, ended, number_of, revision_of};
use super::failure::{Failure, unavailable, words};
use super::pool::{Connection, Connector, Rights};
use super::queue::{Next, Pending};
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
    /// Of this thread alone: whoever waits for a commit waits for no other thread of this host than this one.
    runtime: Runtime,
    connection: Option<Arc<Connection>>,
}

/// A group that was sent.
struct Flight {
    /// Nothing is left but its commit.
    written: Arc<AtomicBool>,
    outcome: Sent<'static, Landed>,
}

/// A group and what became of it.
type Landed = (Vec<Pending>, Result<Revision, Failure>);

impl Flight {
    /// Waits until the group is written, or has its outcome.
    fn until_written(&mut self, runtime: &Runtime) -> Option<Landed> {
        let Self { outcome, written } = self;
        runtime.block_on(poll_fn(|context| match Pin::new(&mut *outcome).poll(context) {
            Poll::Ready(landed) => Poll::Ready(Some(landed)),
            Poll::Pending if written.load(Ordering::Relaxed) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }))
    }

    fn land(self, runtime: &Runtime) -> Landed {
        runtime.block_on(self.outcome)
    }
}

/// What is left of a group after an attempt that did not succeed.
enum Left {
    Again(Vec<Pending>),
    Over(Ended),
}

/// How it is over for a group.
#[derive(PartialEq, Eq)]
enum Ended {
    Known,
    /// Attempts that were given up may still come through.
    InDoubt,
}

impl Ended {
    fn of(in_doubt: bool) -> Self {
        if in_doubt { Self::InDoubt } else { Self::Known }
    }
}

impl Committer {
    pub(super) fn new(core: Arc<Core>, connector: Connector) -> Result<Self, StoreError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(StoreError::io("make ready for the connection that commits"))?;
        Ok(Self { core, connector, runtime, connection: None })
    }

    /// Runs until the engine is closed and everything has its outcome. A panic is one, too: nobody may wait for ever.
    pub(super) fn run(mut self) {
        let on_panic = OnPanic(Arc::clone(&self.core));
        loop {
            match self.core.queue.take(LOOK) {
                Next::Commit(group) => {
                    self.fly(group);
                    self.core.queue.done(self.core.durable());
                }
                Next::Idle if self.core.queue.is_down() => {
                    if self.connected().is_ok() {
                        tracing::info!("the database is back");
                        self.core.queue.set_down(None);
                    }
                }
                Next::Idle => {}
                Next::End => break,
            }
        }
        // So that the server is told that it is over.
        self.connection = None;
        self.runtime.block_on(look());
        // Nobody waits for a question to a name server that was given up.
        self.runtime.shutdown_background();
        drop(on_panic);
    }

    /// Brings a group to its outcome, and then all that came meanwhile. While the server puts one on its disk, the next one is
    /// already on its way to it: nobody waits for the other.
    fn fly(&mut self, group: Vec<Pending>) {
        let mut flying = Some(self.send(group));
        while let Some(mut flight) = flying.take() {
            let (group, outcome) = flight.until_written(&self.runtime).unwrap_or_else(|| {
                if let Next::Commit(group) = self.core.queue.take(Duration::ZERO) {
                    flying = Some(self.send(group));
                }
                flight.land(&self.runtime)
            });
            match outcome {
                Ok(first) => self.committed(&group, first),
                Err(failure) => self.recover(group, failure, flying.take()),
            }
        }
    }

    /// Sends what writes and commits a group.
    fn send(&mut self, group: Vec<Pending>) -> Flight {
        let (core, written) = (Arc::clone(&self.core), Arc::<AtomicBool>::default());
        let (connection, flag) = (self.connected().cloned(), Arc::clone(&written));
        let outcome = Sent::new(async move {
            let outcome = match connection {
                Ok(connection) => write::commit(&connection, &core.layout, &core.host, &group, &flag)
                    .await
                    .map_err(|error| Failure::of(&error)),
                Err(failure) => Err(failure),
            };
            (group, outcome)
        });
        Flight { written, outcome }
    }

    /// Settles a group that did not come through, and then the one behind it.
    fn recover(&mut self, group: Vec<Pending>, failure: Failure, behind: Option<Flight>) {
        let behind = match behind.map(|flight| flight.land(&self.runtime)) {
            None => None,
            Some((group, Ok(first))) => {
                self.committed(&group, first);
                None
            }
            Some((group, Err(failure))) => Some((group, failure)),
        };
        let ended = self.settle(group, Some(failure), false);
        match behind {
            None => {}
            // It may follow entries of the first, which were not there then.
            Some((group, Failure::Moved(_))) => drop(self.settle(group, None, false)),
            // Where the first may still come through, so may this, whatever the log says by now.
            Some((group, Failure::Lost(why))) if ended == Ended::InDoubt => self.fail(group, &doubt(&why)),
            // The connection of by now is another one.
            Some((group, Failure::Lost(_))) => drop(self.settle(group, None, true)),
            Some((group, failure)) => drop(self.settle(group, Some(failure), false)),
        }
    }

    /// Brings a group to its outcome, trying again where that helps: after a first attempt that failed so, or that may still come
    /// through.
    fn settle(&mut self, mut group: Vec<Pending>, mut failed: Option<Failure>, mut in_doubt: bool) -> Ended {
        let patience = if self.core.queue.is_down() { Duration::ZERO } else { self.core.options.turn_timeout };
        let deadline = Instant::now() + patience;
        let mut pause = PAUSE;
        loop {
            let failure = match failed.take().map_or_else(|| self.attempt(&group), Err) {
                Ok(first) => {
                    self.committed(&group, first);
                    return Ended::Known;
                }
                Err(failure) => failure,
            };
            group = match self.failed(failure, group, &mut in_doubt, Instant::now() >= deadline) {
                Left::Over(ended) => return ended,
                Left::Again(group) => group,
            };
            std::thread::sleep(jitter(pause));
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn attempt(&mut self, group: &[Pending]) -> Result<Revision, Failure> {
        let (core, written) = (Arc::clone(&self.core), AtomicBool::new(false));
        let connection = Arc::clone(self.connected()?);
        let committing = write::commit(&connection, &core.layout, &core.host, group, &written);
        self.runtime.block_on(committing).map_err(|error| Failure::of(&error))
    }

    fn failed(&mut self, failure: Failure, group: Vec<Pending>, in_doubt: &mut bool, late: bool) -> Left {
        match failure {
            Failure::Moved(tenants) => match self.sort_out(group, &tenants) {
                Ok(group) if group.is_empty() => Left::Over(Ended::Known),
                Ok(group) => Left::Again(group),
                Err((group, why)) if late => self.give_up(group, &why, *in_doubt),
                Err((group, _)) => Left::Again(group),
            },
            Failure::Again(_) if !late => Left::Again(group),
            // As the connection may have broken at any moment, the last attempt may still come through. The next one
            // finds out: it waits for the same rows, and then finds either the old head or its own entry.
            Failure::Lost(why) => {
                tracing::warn!(why, "the connection to the database was lost");
                *in_doubt = true;
                self.connection = None;
                self.core.pool.forget_idle();
                if late { self.give_up(group, &why, true) } else { Left::Again(group) }
            }
            Failure::Again(why) | Failure::Refused(why) => {
                tracing::error!(why, "the database refused a commit");
                let doubtful = *in_doubt;
                let nothing = || unavailable(&format!("{why}. Nothing was kept"));
                self.fail(group, &if doubtful { doubt(&why) } else { nothing() });
                Left::Over(Ended::of(doubtful))
            }
        }
    }

    /// The database could not be reached for too long.
    fn give_up(&mut self, group: Vec<Pending>, why: &str, in_doubt: bool) -> Left {
        self.core.queue.set_down(Some(why.to_owned()));
        self.fail(group, &if in_doubt { doubt(why) } else { unavailable(why) });
        let nothing = unavailable(&format!("{why}. Nothing was kept"));
        for entry in self.core.queue.purge(|_| true) {
            self.core.lanes.with(&self.core.lanes.of(entry.tenant), |lane| lane.reset());
            entry.outcome.finish(Err(nothing.clone()));
        }
        Left::Over(Ended::of(in_doubt))
    }

    /// Ends entries and everything that follows them with an error.
    fn fail(&self, group: Vec<Pending>, error: &StoreError) {
        let tenants: HashSet<TenantNo> = group.iter().map(|entry| entry.tenant).collect();
        // The lanes first: nobody may add an entry behind one that was taken out.
        for tenant in &tenants {
            self.core.lanes.with(&self.core.lanes.of(*tenant), |lane| lane.reset());
        }
        let behind = self.core.queue.purge(|tenant| tenants.contains(&tenant));
        for entry in group {
            entry.outcome.finish(Err(error.clone()));
        }
        // What still waits behind a commit in doubt was never sent itself.
        let behind_error = match error {
            StoreError::Unavailable(why) => StoreError::Unavailable(format!("a commit before it failed: {why}")),
            other => other.clone(),
        };
        for entry in behind {
            // It may have been added to the lane that was begun anew, before it was taken out here.
            self.core.lanes.with(&self.core.lanes.of(entry.tenant), |lane| lane.reset());
            entry.outcome.finish(Err(behind_error.clone()));
        }
    }

    /// Some chains do not end where their entries follow: another host came first, or an attempt whose answer was lost
    /// succeeded. What is in the log is committed, what cannot be any more is a conflict, the rest is left.
    fn sort_out(&mut self, group: Vec<Pending>, moved: &[u32]) -> Result<Vec<Pending>, (Vec<Pending>, String)> {
        let found = match self.connected().cloned() {
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
            self.fail(lost, &StoreError::Conflict);
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

    fn connected(&mut self) -> Result<&Arc<Connection>, Failure> {
        let idle = self.connection.take().filter(|connection| {
            self.runtime.block_on(look());
            !connection.is_closed()
        });
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let connecting = self.connector.clone().connecting(Rights::Owner);
                let lost = |error: StoreError| Failure::Lost(error.to_string());
                let connection = self.runtime.block_on(connecting).map_err(lost)?;
                let settings = connection.batch_execute(write::SETTINGS);
                self.runtime.block_on(settings).map_err(|error| Failure::of(&error))?;
                Arc::new(connection)
            }
        };
        Ok(self.connection.insert(connection))
    }
}

/// Lets the driver of the connection see what has come while nobody waited, such as its end: it looks at the second turn, and
/// takes it in before the third.
async fn look() {
    for _ in 0..3 {
        tokio::task::yield_now().await;
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

fn doubt(why: &str) -> StoreError {
    unavailable(&format!(
        "{why}. Whether it was committed will show when the database is back: ask for the same id again"
    ))
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
