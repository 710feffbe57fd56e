//! A disk in memory whose syncs take as long as the test wants, or fail.

use std::ops::ControlFlow;
use std::sync::Arc;

use backroom_store::engine::{Appended, At, Engine, Group, Keyring, LogItem, Memory, Sealed, Snapshot, Status};
use backroom_store::{Head, Revision, StoreError, TenantNo};
use parking_lot::Mutex;

/// What becomes of the next commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum DiskMode {
    /// They are durable at once.
    #[default]
    Fast,
    /// They wait until [`Disk::sync`].
    Held,
    /// Their sync fails, and with it the engine.
    Broken,
    /// So many are durable at once, then as [`DiskMode::Broken`].
    BreaksAfter(u32),
}

/// The disk: it outlives the engines that are opened on it.
#[derive(Default)]
pub(crate) struct Disk {
    memory: Arc<Memory>,
    mode: Arc<Mutex<DiskMode>>,
    held: Arc<Mutex<Vec<Arc<Group>>>>,
}

/// An engine on a [`Disk`].
pub(crate) struct Opened {
    memory: Arc<Memory>,
    mode: Arc<Mutex<DiskMode>>,
    held: Arc<Mutex<Vec<Arc<Group>>>>,
    failed: Mutex<Option<String>>,
}

impl Disk {
    pub(crate) fn set(&self, mode: DiskMode) {
        *self.mode.lock() = mode;
    }

    /// Lets everything that is held become durable.
    pub(crate) fn sync(&self) {
        for group in self.held.lock().drain(..) {
            group.finish(Ok(()));
        }
    }

    pub(crate) fn open(&self) -> Opened {
        let (memory, mode, held) = (Arc::clone(&self.memory), Arc::clone(&self.mode), Arc::clone(&self.held));
        Opened { memory, mode, held, failed: Mutex::new(None) }
    }
}

impl Opened {
    /// What becomes of this commit.
    fn next_mode(&self) -> DiskMode {
        let mut mode = self.mode.lock();
        match &mut *mode {
            DiskMode::BreaksAfter(0) => DiskMode::Broken,
            DiskMode::BreaksAfter(left) => {
                *left -= 1;
                DiskMode::Fast
            }
            mode => *mode,
        }
    }

    fn check(&self) -> Result<(), StoreError> {
        self.failed.lock().clone().map_or(Ok(()), |why| Err(StoreError::Unavailable(why)))
    }
}

impl Engine for Opened {
    fn snapshot(&self, at: At) -> Result<Box<dyn Snapshot>, StoreError> {
        self.memory.snapshot(at)
    }

    fn head(&self, tenant: TenantNo) -> Result<Head, StoreError> {
        self.memory.head(tenant)
    }

    fn append(&self, sealed: Sealed) -> Result<Appended, StoreError> {
        self.check()?;
        let mode = self.next_mode();
        if mode == DiskMode::Fast {
            return self.memory.append(sealed);
        }
        let group = Group::open();
        let ticket = group.ticket();
        if mode == DiskMode::Broken {
            // What fails before the disk has it is not there afterwards.
            *self.failed.lock() = Some("the sync failed on purpose".to_owned());
            let why = "the sync failed on purpose".to_owned();
            std::thread::spawn(move || group.finish(Err(StoreError::Unavailable(why))));
            return Ok(Appended { revision: 0, ticket });
        }
        let revision = self.memory.append(sealed)?.revision;
        self.held.lock().push(group);
        Ok(Appended { revision, ticket })
    }

    fn read_log(
        &self,
        from: Revision,
        visit: &mut dyn FnMut(LogItem<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.memory.read_log(from, visit)
    }

    fn keyring(&self) -> Arc<dyn Keyring> {
        self.memory.keyring()
    }

    fn status(&self) -> Status {
        let status = self.memory.status();
        let durable = status.sequenced - self.held.lock().len() as u64;
        Status { failed: self.failed.lock().clone(), durable, ..status }
    }

    fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
