//! A disk whose syncs take their time.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use backroom_store::engine::embedded::{Disk, LogFile};

/// One tick of the kernel's clock at 250 Hz: what a sync was seen to take on ordinary network disks.
const SYNC: Duration = Duration::from_micros(3_990);

/// A real folder, with slow syncs.
pub(super) struct SlowDisk(pub(super) Arc<dyn Disk>);

struct SlowFile(Box<dyn LogFile>);

impl Disk for SlowDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        self.0.list()
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn LogFile>> {
        Ok(Box::new(SlowFile(self.0.create(name)?)))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn LogFile>> {
        Ok(Box::new(SlowFile(self.0.open(name)?)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.remove(name)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync()
    }
}

impl LogFile for SlowFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        std::thread::sleep(SYNC);
        self.0.sync()
    }

    fn reserve(&mut self, bytes: usize) -> io::Result<()> {
        self.0.reserve(bytes)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.0.truncate(len)
    }

    fn size(&self) -> io::Result<u64> {
        self.0.size()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.read_at(buffer, offset)
    }
}
