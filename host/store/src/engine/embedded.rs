//! The embedded engine: one commit log for all tenants, and sled as the index of the state.
//!
//! ```text
//! append -> [sequence: place, pending, overlay] -> log thread: write, fdatasync -> durable, tickets
//!                                                        applier: the newest of each key into sled -> overlay shrinks
//! snapshot -> overlay (versions) above sled
//! ```
//!
//! Data directory: `LOCK`, `log/<first revision>.log`, `state/`.

mod applier;
mod core;
mod disk;
mod frame;
mod lock;
mod log_thread;
mod overlay;
mod recent;
mod recover;
mod replay;
mod segment;
mod sequence;
mod snapshots;
mod state;
mod view;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use parking_lot::Mutex;

pub use self::disk::{Disk, LogFile};

use self::core::Core;
use self::log_thread::Writer;
use self::sequence::Phase;
use self::view::View;
use super::{Appended, At, Engine, LogItem, Snapshot, Status};
use crate::entry::Sealed;
use crate::error::StoreError;
use crate::index::{Tip, head_key};
use crate::store::Options;
use crate::types::{Head, Revision, TenantNo};

const LOG: &str = "log";

/// The embedded engine. Dropping it brings everything that has its place to the disk.
pub struct Embedded {
    core: Arc<Core>,
    threads: Mutex<Threads>,
}

#[derive(Default)]
struct Threads {
    log: Option<JoinHandle<()>>,
    applier: Option<JoinHandle<()>>,
}

impl Embedded {
    /// Opens or creates the store in the data directory `dir`.
    ///
    /// # Errors
    /// As [`Store::open`](crate::Store::open).
    pub fn open(dir: &Path, options: &Options) -> Result<Self, StoreError> {
        let data = data_dir(dir)?;
        let lock = lock::take(&data)?;
        let log = data.open_dir(LOG).map_err(StoreError::io("open the log folder"))?;
        Self::start(dir, &data, Arc::new(disk::Folder(log)), lock, options)
    }

    /// As [`Embedded::open`], with the log on another disk: for tests that make it fail.
    ///
    /// # Errors
    /// As [`Embedded::open`].
    pub fn open_on(dir: &Path, disk: Arc<dyn Disk>, options: &Options) -> Result<Self, StoreError> {
        let data = data_dir(dir)?;
        let lock = lock::take(&data)?;
        Self::start(dir, &data, disk, lock, options)
    }

    fn start(
        path: &Path,
        data: &Dir,
        disk: Arc<dyn Disk>,
        lock: cap_std::fs::File,
        options: &Options,
    ) -> Result<Self, StoreError> {
        let recovered = recover::recover(&*disk)?;
        let (state, applied) = state::open(data, path, options.cache_bytes)?;
        replay::replay(&*disk, &state, &recovered, applied)?;
        disk::sync_dir(data).map_err(StoreError::io("sync the data directory"))?;
        let core =
            Arc::new(Core::new(options.clone(), disk, state, recovered.segments, recovered.last, Box::new(lock)));
        let writer = Writer::new(Arc::clone(&core), recovered.tail, recovered.tail_size);
        let engine = Self { core, threads: Mutex::default() };
        let log = spawn("store-log", move || writer.run())?;
        engine.threads.lock().log = Some(log);
        let core = Arc::clone(&engine.core);
        let applier = spawn("store-applier", move || applier::run(&core))?;
        engine.threads.lock().applier = Some(applier);
        Ok(engine)
    }

    /// Ends both threads, the log first: what it makes durable is applied before the other one ends.
    fn stop(&self) {
        let mut threads = self.threads.lock();
        self.core.enter(Phase::Closing);
        join(threads.log.take());
        self.core.enter(Phase::Draining);
        join(threads.applier.take());
    }
}

/// The log folder of the data directory `dir`, which is made if it is not there: for [`Embedded::open_on`] with something
/// around the real disk.
///
/// # Errors
/// What the operating system reports.
pub fn log_folder(dir: &Path) -> Result<Arc<dyn Disk>, StoreError> {
    let log = data_dir(dir)?.open_dir(LOG).map_err(StoreError::io("open the log folder"))?;
    Ok(Arc::new(disk::Folder(log)))
}

fn data_dir(dir: &Path) -> Result<Dir, StoreError> {
    let failed = || StoreError::io(format!("open the data directory {}", dir.display()));
    Dir::create_ambient_dir_all(dir, ambient_authority()).map_err(failed())?;
    let data = Dir::open_ambient_dir(dir, ambient_authority()).map_err(failed())?;
    data.create_dir_all(LOG).map_err(failed())?;
    disk::sync_dir(&data).map_err(failed())?;
    Ok(data)
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
        let segments = self.core.segments.read().clone();
        let begin = segments.partition_point(|first| *first <= from).saturating_sub(1);
        for first in segments.into_iter().skip(begin).take_while(|first| *first <= durable) {
            let bytes = segment::read(&*self.core.disk, first)?;
            let flow = segment::walk(&bytes, first, from, &mut |item| match item {
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

    fn status(&self) -> Status {
        self.core.status()
    }

    fn close(&self) -> Result<(), StoreError> {
        let failed = self.core.status().failed.filter(|_| self.threads.lock().log.is_some());
        self.stop();
        if let Some(why) = failed {
            return Err(StoreError::Unavailable(why));
        }
        let status = self.core.status();
        if status.durable != status.sequenced {
            return Err(StoreError::Unavailable("not everything could be brought to disk".into()));
        }
        self.core.state.flush()
    }
}
