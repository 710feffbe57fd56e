//! A disk in memory that forgets what was not synced, fails when it is told to, and holds syncs up.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use backroom_store::engine::embedded::{Disk, LogFile};
use parking_lot::{Condvar, Mutex};

type Content = Arc<Mutex<File>>;

/// What is read, and what the disk has for certain.
#[derive(Default, Clone)]
struct File {
    bytes: Vec<u8>,
    synced: Vec<u8>,
}

/// The bytes that are set aside at once: fewer than a real file system is asked for, so that they are used up in a test.
const RESERVED: usize = 512;

#[derive(Default)]
struct Inner {
    names: BTreeMap<String, Content>,
    synced_names: BTreeMap<String, Content>,
    operations: u64,
    fail_at: Option<u64>,
    /// After the fault everything fails, as when the power is gone.
    dead: bool,
    dies: bool,
    /// Writes are refused with this.
    refused: Option<io::ErrorKind>,
    hold_syncs: bool,
    syncs_held: u32,
    failed: Option<&'static str>,
}

#[derive(Default)]
pub struct SimDisk {
    inner: Mutex<Inner>,
    changed: Condvar,
}

/// What a power cut leaves of what was written and not synced.
#[derive(Debug, Clone, Copy)]
pub enum Leaves {
    Nothing,
    /// Each 64 bytes for themselves, by the bits of this number: some arrived, others read as zeros.
    Some(u64),
    All,
}

impl SimDisk {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    pub fn operations(&self) -> u64 {
        self.inner.lock().operations
    }

    /// Fails operation number `at` (the first is 1), and with `dies` all that follow.
    pub fn fail_at(&self, at: u64, dies: bool) {
        let mut inner = self.inner.lock();
        (inner.operations, inner.fail_at, inner.dies) = (0, Some(at), dies);
    }

    /// Which operation failed on purpose.
    pub fn failed(&self) -> Option<&'static str> {
        self.inner.lock().failed
    }

    pub fn heal(&self) {
        let mut inner = self.inner.lock();
        (inner.fail_at, inner.dead, inner.failed) = (None, false, None);
    }

    /// From now on writing is refused; of what is appended half is written. A full disk still takes what needs no room.
    pub fn refuse_writes(&self, kind: Option<io::ErrorKind>) {
        self.inner.lock().refused = kind;
    }

    /// From now on syncs wait.
    pub fn hold_syncs(&self) {
        self.inner.lock().hold_syncs = true;
    }

    /// Waits until a sync is being held, or there was a fault and none may ever come.
    pub fn wait_for_held_sync(&self) {
        let mut inner = self.inner.lock();
        while inner.syncs_held == 0 && inner.failed.is_none() {
            self.changed.wait(&mut inner);
        }
    }

    pub fn release_syncs(&self) {
        self.inner.lock().hold_syncs = false;
        self.changed.notify_all();
    }

    /// The power goes: what was not synced is (partly) lost.
    pub fn power_cut(&self, leaves: Leaves) {
        let mut inner = self.inner.lock();
        inner.names = inner.synced_names.clone();
        for content in inner.names.values() {
            let mut file = content.lock();
            let File { bytes, synced } = &mut *file;
            match leaves {
                Leaves::All => {}
                Leaves::Nothing => bytes.clone_from(synced),
                Leaves::Some(bits) => {
                    for (at, block) in bytes.chunks_mut(64).enumerate() {
                        let before = synced.get(at * 64..).unwrap_or_default();
                        let before = &before[..before.len().min(block.len())];
                        if *before != *block && bits >> (at % 64) & 1 == 0 {
                            block.fill(0);
                            block[..before.len()].copy_from_slice(before);
                        }
                    }
                }
            }
            synced.clone_from(bytes);
        }
    }

    /// Changes bytes as a bad disk would.
    pub fn damage(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        change(&mut self.inner.lock().names[name].lock().bytes);
    }

    /// The files of the log.
    pub fn names(&self) -> Vec<String> {
        self.inner.lock().names.keys().filter(|name| !name.contains('/')).cloned().collect()
    }

    /// The files of checkpoints, by the names that the other methods here take.
    pub fn checkpoints(&self) -> Vec<String> {
        self.inner.lock().names.keys().filter(|name| name.contains('/')).cloned().collect()
    }

    pub fn remove_file(&self, name: &str) {
        self.inner.lock().names.remove(name).unwrap();
    }

    pub fn size(&self, name: &str) -> usize {
        self.inner.lock().names[name].lock().bytes.len()
    }

    fn operation(&self, what: &'static str) -> io::Result<()> {
        let mut inner = self.inner.lock();
        inner.operations += 1;
        if inner.fail_at == Some(inner.operations) {
            inner.failed = Some(what);
            inner.dead = inner.dies;
            self.changed.notify_all();
            return Err(io::Error::other("fault on purpose"));
        }
        let (more, all) = (["append", "reserve"], ["truncate", "create", "remove", "rename", "rewrite"]);
        if let Some(kind) = inner.refused
            && (more.contains(&what) || (kind != io::ErrorKind::StorageFull && all.contains(&what)))
        {
            return Err(kind.into());
        }
        if inner.dead { Err(io::Error::other("the disk is gone")) } else { Ok(()) }
    }

    fn content(&self, name: &str) -> io::Result<Content> {
        self.inner.lock().names.get(name).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// A handle; the disk is kept alive by it.
struct Handle {
    disk: Arc<SimDisk>,
    content: Content,
    /// Where what is appended goes.
    end: usize,
}

/// One folder of the disk: the log, or what `in_folder` names. The engine holds it as `Arc<dyn Disk>`.
pub struct Shared {
    disk: Arc<SimDisk>,
    folder: &'static str,
}

impl Shared {
    pub fn log(disk: &Arc<SimDisk>) -> Arc<Self> {
        Arc::new(Self { disk: Arc::clone(disk), folder: "" })
    }

    pub fn checkpoints(disk: &Arc<SimDisk>) -> Arc<Self> {
        Arc::new(Self { disk: Arc::clone(disk), folder: "checkpoint/" })
    }

    fn path(&self, name: &str) -> String {
        format!("{}{name}", self.folder)
    }

    fn holds(&self, path: &str) -> bool {
        path.strip_prefix(self.folder).is_some_and(|name| !name.contains('/'))
    }

    fn handle(&self, content: Content) -> Box<dyn LogFile> {
        let end = content.lock().bytes.len();
        Box::new(Handle { disk: Arc::clone(&self.disk), content, end })
    }
}

impl Disk for Shared {
    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.operation("list")?;
        let inner = self.disk.inner.lock();
        let mine = inner.names.keys().filter(|path| self.holds(path));
        Ok(mine.map(|path| path[self.folder.len()..].to_owned()).collect())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn LogFile>> {
        self.disk.operation("create")?;
        let content = Content::default();
        let before = self.disk.inner.lock().names.insert(self.path(name), Arc::clone(&content));
        assert!(before.is_none(), "{name} was there already");
        Ok(self.handle(content))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn LogFile>> {
        self.disk.operation("open")?;
        Ok(self.handle(self.disk.content(&self.path(name))?))
    }

    fn reopen(&self, name: &str) -> io::Result<Box<dyn LogFile>> {
        self.open(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.operation("rename")?;
        let mut inner = self.disk.inner.lock();
        let content = inner.names.remove(&self.path(from)).ok_or(io::ErrorKind::NotFound)?;
        inner.names.insert(self.path(to), content);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.operation("remove")?;
        let removed = self.disk.inner.lock().names.remove(&self.path(name));
        removed.map(|_| ()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.operation("sync of the folder")?;
        let mut inner = self.disk.inner.lock();
        let mut synced = std::mem::take(&mut inner.synced_names);
        synced.retain(|path, _| !self.holds(path));
        synced.extend(inner.names.iter().filter(|(path, _)| self.holds(path)).map(|(p, c)| (p.clone(), c.clone())));
        inner.synced_names = synced;
        Ok(())
    }
}

impl LogFile for Handle {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let outcome = self.disk.operation("append");
        // A write that fails has written some part.
        let written = if outcome.is_ok() { bytes.len() } else { bytes.len() / 2 };
        let mut file = self.content.lock();
        let needed = file.bytes.len().max(self.end + written);
        file.bytes.resize(needed, 0);
        file.bytes[self.end..self.end + written].copy_from_slice(&bytes[..written]);
        self.end += if outcome.is_ok() { written } else { 0 };
        outcome
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut inner = self.disk.inner.lock();
        inner.syncs_held += 1;
        self.disk.changed.notify_all();
        while inner.hold_syncs {
            self.disk.changed.wait(&mut inner);
        }
        inner.syncs_held -= 1;
        drop(inner);
        self.disk.operation("sync")?;
        let mut file = self.content.lock();
        file.synced = file.bytes.clone();
        Ok(())
    }

    fn reserve(&mut self, bytes: usize) -> io::Result<()> {
        let outcome = self.disk.operation("reserve");
        let longer = if outcome.is_ok() { RESERVED.min(bytes) } else { RESERVED / 2 };
        let mut file = self.content.lock();
        let needed = file.bytes.len().max(self.end + longer);
        file.bytes.resize(needed, 0);
        outcome
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.disk.operation("truncate")?;
        self.content.lock().bytes.truncate(len as usize);
        self.end = len as usize;
        Ok(())
    }

    fn rewrite(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.disk.operation("rewrite")?;
        let mut file = self.content.lock();
        file.bytes[offset as usize..offset as usize + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        self.disk.operation("size")?;
        Ok(self.content.lock().bytes.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.disk.operation("read")?;
        let file = self.content.lock();
        let from = file.bytes.get(offset as usize..).and_then(|rest| rest.get(..buffer.len()));
        buffer.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}
