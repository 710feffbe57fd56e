//! The embedded engine: one commit log for all tenants, and sled as the index of the state.
//!
//! ```text
//! append -> [sequence: place, pending, overlay] -> log thread: write, fdatasync -> durable, tickets
//!                                                        applier: the newest of each key into sled -> overlay shrinks
//! snapshot -> overlay (versions) above sled
//! ```
//!
//! Data directory:
//! * `log/<first revision>.log` or `.log.zst`: the truth, what has to be backed up;
//! * `state/`, `checkpoint/<revision>.ckpt`: made from the log; can be deleted while no process has the store open;
//! * `keys/`: the keys of persons, see `keys`; backed up apart from the log, or erasing them would not reach the backups;
//! * `LOCK`, `FORMAT`, `spare` and `state.*`: see `lock`, `home` and `state_open`.

mod applier;
mod base;
mod checkpoint;
mod compact;
mod copy;
mod core;
mod disk;
mod frame;
mod home;
mod keys;
mod lock;
mod log_thread;
mod overlay;
mod packed;
mod pairs;
mod recent;
mod recover;
mod reopen;
mod replay;
mod restore;
mod segment;
mod sequence;
mod snapshots;
mod state;
mod state_open;
mod stream;
mod upkeep;
mod view;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::Mutex;

pub use self::disk::{Disk, LogFile};
pub(crate) use self::keys::KeyCopy;
pub use self::keys::{BroughtKeys, KeyDisk};

use self::core::{Core, Parts};
use self::home::Home;
use self::keys::{FileKeyring, KeyFolder};
use self::log_thread::Writer;
use self::recover::Recovered;
use self::replay::Played;
use self::sequence::Phase;
use self::state::Index;
use self::view::View;
use super::{Appended, At, Engine, Keyring, LogItem, Snapshot, Status, Upkeep};
use crate::entry::Sealed;
use crate::error::StoreError;
use crate::index::{Tip, head_key};
use crate::keyring;
use crate::store::Options;
use crate::types::{Head, Revision, TenantNo};

const LOG: &str = "log";
const CHECKPOINTS: &str = "checkpoint";

/// The embedded engine. Dropping it brings everything that has its place to the disk.
pub struct Embedded {
    core: Arc<Core>,
    keys: Arc<FileKeyring>,
    threads: Mutex<Threads>,
}

#[derive(Default)]
struct Threads {
    log: Option<JoinHandle<()>>,
    applier: Option<JoinHandle<()>>,
    upkeep: Option<JoinHandle<()>>,
    packer: Option<JoinHandle<()>>,
}

impl Embedded {
    /// Opens or creates the store in the data directory `dir`.
    ///
    /// # Errors
    /// As [`Store::open`](crate::Store::open).
    pub fn open(dir: &Path, options: &Options) -> Result<Self, StoreError> {
        let (home, lock) = enter(dir)?;
        let log = folder(&home, LOG)?;
        let checkpoints = folder(&home, CHECKPOINTS)?;
        let keys = key_folder(&home)?;
        Self::start(home, Disks { log, checkpoints, keys }, lock, options)
    }

    /// As [`Embedded::open`], with the log on another disk: for tests that make it fail.
    ///
    /// # Errors
    /// As [`Embedded::open`].
    pub fn open_on(dir: &Path, log: Arc<dyn Disk>, options: &Options) -> Result<Self, StoreError> {
        let (home, lock) = enter(dir)?;
        let (checkpoints, keys) = (folder(&home, CHECKPOINTS)?, key_folder(&home)?);
        Self::start(home, Disks { log, checkpoints, keys }, lock, options)
    }

    /// As [`Embedded::open_on`], with the checkpoints on another disk as well.
    ///
    /// # Errors
    /// As [`Embedded::open`].
    pub fn open_on_both(
        dir: &Path,
        log: Arc<dyn Disk>,
        checkpoints: Arc<dyn Disk>,
        options: &Options,
    ) -> Result<Self, StoreError> {
        let (home, lock) = enter(dir)?;
        let keys = key_folder(&home)?;
        Self::start(home, Disks { log, checkpoints, keys }, lock, options)
    }

    /// As [`Embedded::open`], with the keys of persons on another disk: for tests that make it fail.
    ///
    /// # Errors
    /// As [`Embedded::open`].
    pub fn open_with_keys_on(dir: &Path, keys: Arc<dyn KeyDisk>, options: &Options) -> Result<Self, StoreError> {
        let (home, lock) = enter(dir)?;
        let (log, checkpoints) = (folder(&home, LOG)?, folder(&home, CHECKPOINTS)?);
        Self::start(home, Disks { log, checkpoints, keys }, lock, options)
    }

    fn start(home: Home, disks: Disks, lock: lock::Lock, options: &Options) -> Result<Self, StoreError> {
        let Disks { log: disk, checkpoints, keys } = disks;
        let keys = Arc::new(FileKeyring::open(keys, options.master_key.clone())?);
        home.check_format(segment::list(&*disk)?.is_empty())?;
        let Recovered { segments, tail, tail_size, last, last_entry } = recover::recover(&*disk)?;
        let last_entry = last_entry.as_ref();
        let log = replay::Log { disk: &*disk, segments: &segments, last, last_entry, until: last };
        let Played { index, rest, applied } = bring_up(&home, &*checkpoints, &log, options)?;
        disk::sync_dir(&home.dir).map_err(StoreError::io("sync the data directory"))?;
        let (options, lock) = (options.clone(), Box::new(lock));
        let parts = Parts { options, home, disk, checkpoints, index, segments, last, applied, lock };
        let core = Arc::new(Core::new(parts));
        core.preload(rest);
        upkeep::begin(&core)?;
        let writer = Writer::new(Arc::clone(&core), tail, tail_size);
        let engine = Self { core, keys, threads: Mutex::default() };
        let log = spawn("store-log", move || writer.run())?;
        engine.threads.lock().log = Some(log);
        let core = Arc::clone(&engine.core);
        let applier = spawn("store-applier", move || applier::run(&core))?;
        engine.threads.lock().applier = Some(applier);
        let core = Arc::clone(&engine.core);
        engine.threads.lock().upkeep = Some(spawn("store-upkeep", move || upkeep::run(&core))?);
        let core = Arc::clone(&engine.core);
        engine.threads.lock().packer = Some(spawn("store-packer", move || upkeep::run_packing(&core))?);
        keyring::finish_destroying(&engine)?;
        Ok(engine)
    }

    /// Ends all threads, upkeep first; then the log: what it makes durable is applied before the applier ends.
    fn stop(&self) {
        let mut threads = self.threads.lock();
        self.core.enter(Phase::Closing);
        join(threads.upkeep.take());
        join(threads.packer.take());
        join(threads.log.take());
        self.core.enter(Phase::Draining);
        join(threads.applier.take());
    }
}

/// The state index, and the entries of the log that it does not have yet. They are at most what may wait for the applier in
/// service, so that opening after a kill is reading them and no more; without room the index is left alone anyway.
fn bring_up(
    home: &Home,
    checkpoints: &dyn Disk,
    log: &replay::Log<'_>,
    options: &Options,
) -> Result<Played, StoreError> {
    let attempt = || {
        let (index, applied) = state_open::open(home, options.cache_bytes)?;
        let (index, applied) = restore::restore(home, checkpoints, index, applied, log.last, options)?;
        replay::replay(log, index, applied, options.overlay_bytes)
    };
    match attempt() {
        // It opens, and cannot be read.
        Err(StoreError::Corrupt { place, what }) if place == state::PLACE => {
            state_open::condemn(home, &what)?;
            attempt()
        }
        done => done,
    }
}

/// What lies in folders of the data directory.
struct Disks {
    log: Arc<dyn Disk>,
    checkpoints: Arc<dyn Disk>,
    keys: Arc<dyn KeyDisk>,
}

/// The data directory, and its lock.
fn enter(dir: &Path) -> Result<(Home, lock::Lock), StoreError> {
    let home = Home::open(dir, &[LOG, CHECKPOINTS])?;
    let lock = lock::take(&home.dir)?;
    Ok((home, lock))
}

fn folder(home: &Home, name: &str) -> Result<Arc<dyn Disk>, StoreError> {
    let folder = home.dir.open_dir(name).map_err(StoreError::io(format!("open the folder {name}")))?;
    Ok(Arc::new(disk::Folder(folder)))
}

/// The log folder of the data directory `dir`, which is made if it is not there: for [`Embedded::open_on`] with something
/// around the real disk.
///
/// # Errors
/// What the operating system reports.
pub fn log_folder(dir: &Path) -> Result<Arc<dyn Disk>, StoreError> {
    folder(&Home::open(dir, &[LOG, CHECKPOINTS])?, LOG)
}

fn key_folder(home: &Home) -> Result<Arc<dyn KeyDisk>, StoreError> {
    let folder = KeyFolder::open(&home.dir, keys::FOLDER).map_err(StoreError::io("open the folder of the keys"))?;
    disk::sync_dir(&home.dir).map_err(StoreError::io("sync the data directory"))?;
    Ok(Arc::new(folder))
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    std::thread::Builder::new().name(name.into()).spawn(run).map_err(StoreError::io("start a thread"))
}

fn join(thread: Option<JoinHandle<()>>) {
    // The last user of a store may be a callback on the log thread itself, which cannot wait for its own end.
    if let Some(thread) = thread.filter(|thread| thread.thread().id() != std::thread::current().id()) {
        // A thread that panicked has stopped the store, and said so.
        let _ended = thread.join();
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Engine for Embedded {
    fn snapshot(&self, at: At) -> Result<Box<dyn Snapshot>, StoreError> {
        let registered = match at {
            At::Durable => self.core.snapshots.register(|| self.core.durable()),
            At::Sequenced(_) => {
                self.core.check_open()?;
                self.core.snapshots.register(|| self.core.sequenced())
            }
        };
        Ok(Box::new(View::new(Arc::clone(&self.core), registered)))
    }

    fn head(&self, tenant: TenantNo) -> Result<Head, StoreError> {
        if let Some(tip) = self.core.known_tip(tenant) {
            return Ok(tip.head);
        }
        let tip = match self.snapshot(At::Sequenced(tenant))?.get(&head_key(tenant))? {
            None => Tip::default(),
            Some(bytes) => {
                let damaged = || StoreError::corrupt(format!("the head of tenant {tenant}"), "it is no head");
                Tip::decode(&bytes).ok_or_else(damaged)?
            }
        };
        Ok(self.core.learn_tip(tenant, tip).head)
    }

    fn append(&self, sealed: Sealed) -> Result<Appended, StoreError> {
        self.head(sealed.tenant)?;
        self.core.append(sealed)
    }

    fn read_log(
        &self,
        from: Revision,
        visit: &mut dyn FnMut(LogItem<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let durable = self.core.durable();
        // Behind the last durable entry there is what is being written, and zeros that are set aside: no damage.
        if from > durable {
            return Ok(());
        }
        let segments = self.core.segments.read().clone();
        let begin = segments.partition_point(|first| *first <= from).saturating_sub(1);
        for first in segments.into_iter().skip(begin).take_while(|first| *first <= durable) {
            let segment = segment::read(&*self.core.disk, first)?;
            let flow = segment::walk(&segment, from, &mut |item| match item {
                // Behind the last durable entry the log thread may be writing.
                LogItem::Entry { revision, .. } if revision > durable => ControlFlow::Break(()),
                LogItem::Entry { revision, .. } => {
                    visit(item)?;
                    if revision == durable { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                }
                LogItem::Damage { .. } => visit(item),
            });
            if flow.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn keyring(&self) -> Arc<dyn Keyring> {
        Arc::<FileKeyring>::clone(&self.keys)
    }

    fn status(&self) -> Status {
        self.core.status()
    }

    fn upkeep(&self, what: Upkeep) -> Result<(), StoreError> {
        upkeep::now(&self.core, what)
    }

    fn close(&self) -> Result<(), StoreError> {
        let failed = self.core.status().failed.filter(|_| self.threads.lock().log.is_some());
        if failed.is_none() && self.core.options.upkeep_every.is_some() {
            // Not waited for: what is being done there may itself wait for something that closing ends.
            if let Some(mut upkeep) = self.core.upkeep.try_lock() {
                upkeep::checkpoint_if_due(&self.core, &mut upkeep);
            }
        }
        self.stop();
        if let Some(why) = failed {
            return Err(core::stopped(&why));
        }
        let status = self.core.status();
        if status.durable != status.sequenced {
            return Err(StoreError::Unavailable("not everything could be brought to disk".into()));
        }
        if self.core.room_is_low() || self.core.is_lost() {
            // Left alone until there is room; the log has everything.
            return Ok(());
        }
        match self.core.read_state(Index::flush) {
            Err(_) if self.core.is_lost() => Ok(()),
            flushed => flushed,
        }
    }
}
