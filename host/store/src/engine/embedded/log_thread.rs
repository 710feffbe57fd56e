//! The log thread: writes what has its place, syncs once for all of it, and only then tells anybody.
//!
//! Two kinds of failure. A write that is refused before the sync (no room, a read-only file system) is *held*: whoever waits
//! hears that the commit is in doubt, new ones are refused, and the very same bytes are written again from where the last
//! sync ended until that works. After a failed sync nothing is guessed and nothing tried again: a second one may succeed
//! without the data. The store stops; opening it again goes by what is on the disk.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::core::{Core, stopped};
use super::disk::LogFile;
use super::sequence::{Pending, Work};
use super::{frame, recover, segment};
use crate::error::StoreError;
use crate::sched::Pace;
use crate::ticket::Group;
use crate::types::Revision;

/// One call to the operating system writes about this much; a larger entry goes in one call of its own.
const WRITE: usize = 1 << 20;

/// The log is made longer in steps of this many bytes. A sync within a step writes data alone; one that makes the file
/// longer waits for the file system's journal as well, and so for everybody else's syncs (measured: 15 % more durable runs
/// a second). Short enough that its own writing holds nobody up.
const STEP: usize = 1 << 20;

/// The longest time that is waited for company before a sync. Where several commit at once, waiting twice as long as a
/// sync takes (but for no more than this: a slow disk gathers enough by itself) lets several times as many share it, and
/// leaves the processors to them.
const GATHER: Duration = Duration::from_millis(1);

/// The end of the log.
pub(super) struct Writer {
    core: Arc<Core>,
    tail: Box<dyn LogFile>,
    size: u64,
    /// Its length when it was synced last.
    synced_size: u64,
    /// Up to where the file is long already.
    reserved: u64,
    synced: Revision,
    buffer: Vec<u8>,
}

impl Writer {
    pub(super) fn new(core: Arc<Core>, tail: Box<dyn LogFile>, size: u64) -> Self {
        let synced = core.durable();
        Self { core, tail, size, synced_size: size, reserved: size, synced, buffer: Vec::new() }
    }

    /// Runs until the store is closed or a sync fails. A panic counts as a failure: nobody may wait for ever.
    pub(super) fn run(mut self) {
        let fail_on_panic = FailOnPanic(Arc::clone(&self.core));
        // Everybody waits for it.
        Pace::Prompt.take();
        let mut gather = None;
        while let Some(Work { entries, group }) = self.core.next_work(gather) {
            let told = ToldOnPanic(Arc::clone(&group));
            let began = Instant::now();
            let written = match self.write(&entries) {
                Err(Failure::Refused(error)) => self.hold(entries, &group, error),
                Ok(last) => {
                    gather = (entries.len() > 1).then(|| (began.elapsed() * 2).min(GATHER));
                    self.core.now_durable(last);
                    group.finish(Ok(()));
                    Ok(())
                }
                Err(Failure::Doubt(error)) => Err(error),
            };
            if let Err(error) = written {
                self.core.fail(&error.to_string());
                group.finish(Err(stopped(&error.to_string())));
                return;
            }
            drop(told);
        }
        // Everything is on disk; what was set aside behind it does no harm if it stays.
        if let Err(error) = self.trim() {
            tracing::warn!(%error, "the end of the log could not be trimmed");
        }
        drop(fail_on_panic);
    }

    /// Keeps the entries that could not be written, and everything that has its place behind them, and tries again until
    /// they are on disk. The error ends the store: a sync failed, or it is being closed.
    fn hold(&mut self, mut entries: Vec<Pending>, group: &Group, error: StoreError) -> Result<(), StoreError> {
        let why = why_held(&error);
        let behind = self.core.hold(&why);
        for group in [group, &behind.group] {
            group.finish(Err(StoreError::Unavailable(why.clone())));
        }
        entries.extend(behind.entries);
        loop {
            let closing = self.core.wait_held();
            let again = self.rewind().map_err(Failure::Refused).and_then(|()| self.write(&entries));
            match again {
                Ok(last) => {
                    self.core.now_durable(last);
                    self.core.let_go();
                    return Ok(());
                }
                Err(Failure::Refused(error)) if closing => return Err(error),
                // The cause may be another one by now.
                Err(Failure::Refused(error)) => drop(self.core.hold(&why_held(&error))),
                Err(Failure::Doubt(error)) => return Err(error),
            }
        }
    }

    /// Back to where the last sync ended.
    fn rewind(&mut self) -> Result<(), StoreError> {
        self.buffer.clear();
        self.tail.truncate(self.synced_size).map_err(StoreError::io("cut off what was not synced in the log"))?;
        (self.size, self.reserved) = (self.synced_size, self.synced_size);
        Ok(())
    }

    /// Writes and syncs; the last revision.
    fn write(&mut self, entries: &[Pending]) -> Result<Revision, Failure> {
        self.leave_room()?;
        if self.size >= self.core.options.segment_bytes {
            self.next_segment()?;
        }
        for entry in entries {
            let len = u32::try_from(entry.payload.len()).unwrap_or(u32::MAX);
            self.buffer.extend_from_slice(&frame::header(len, entry.crc, entry.revision, self.synced));
            self.buffer.extend_from_slice(&entry.payload);
            if self.buffer.len() >= WRITE {
                self.write_buffer()?;
            }
        }
        self.write_buffer()?;
        self.set_aside();
        self.tail.sync().map_err(StoreError::io("sync the log")).map_err(Failure::Doubt)?;
        self.core.log_grown.fetch_add(self.size - self.synced_size, Ordering::Relaxed);
        self.synced = entries.last().map_or(self.synced, |entry| entry.revision);
        self.synced_size = self.size;
        Ok(self.synced)
    }

    /// The log does not take the last room: sled must be able to write what it has been given.
    fn leave_room(&self) -> Result<(), Failure> {
        let (free, least) = (self.core.home.free_bytes(), self.core.options.min_free_bytes / 2);
        if free >= least {
            return Ok(());
        }
        let why = format!("{} KiB are left for the data directory, and {} KiB are kept free", free >> 10, least >> 10);
        let full = io::Error::new(io::ErrorKind::StorageFull, why);
        Err(Failure::Refused(StoreError::io("write the log")(full)))
    }

    /// Ends the segment and begins the next. Where it ends must be on the disk before there is a next one: zeros behind the
    /// last frame of a segment that is not the last are damage. So a failed sync counts here as anywhere.
    fn next_segment(&mut self) -> Result<(), Failure> {
        let first = self.synced + 1;
        self.trim().map_err(StoreError::io("end a log segment")).map_err(Failure::Refused)?;
        // Also if there was nothing to cut off now: it may have been cut off without a sync before (see `rewind`).
        self.tail.sync().map_err(StoreError::io("sync the end of a log segment")).map_err(Failure::Doubt)?;
        self.tail = recover::create(&*self.core.disk, first).map_err(Failure::Refused)?;
        self.size = segment::HEADER as u64;
        (self.synced_size, self.reserved) = (self.size, self.size);
        self.core.begin_segment(first);
        Ok(())
    }

    /// Gives back what is set aside behind the end. Not synced.
    fn trim(&mut self) -> io::Result<()> {
        if self.reserved > self.size { self.tail.truncate(self.size) } else { Ok(()) }
    }

    fn write_buffer(&mut self) -> Result<(), Failure> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.tail.append(&self.buffer).map_err(StoreError::io("write the log")).map_err(Failure::Refused)?;
        self.size += self.buffer.len() as u64;
        self.buffer.clear();
        // One large entry must not keep its memory for ever.
        self.buffer.shrink_to(2 * WRITE);
        Ok(())
    }

    /// Makes the file longer, if it is time to. A disk that has no room for that may still have room for what is written:
    /// then what could be had of it is given back, and the next step is tried one step later.
    fn set_aside(&mut self) {
        if self.size <= self.reserved {
            return;
        }
        self.reserved = self.size + STEP as u64;
        if self.tail.reserve(STEP).is_err()
            && let Err(error) = self.tail.truncate(self.size)
        {
            tracing::debug!(%error, "zeros behind the end of the log could not be given back");
        }
    }
}

/// Why a group could not be written.
enum Failure {
    /// Before its sync: it may be tried again.
    Refused(StoreError),
    /// In its sync: nobody knows what is on the disk.
    Doubt(StoreError),
}

/// The cause, and what to do about it.
fn why_held(error: &StoreError) -> String {
    let kind = if let StoreError::Io { source, .. } = error { source.kind() } else { io::ErrorKind::Other };
    let cure = match kind {
        io::ErrorKind::StorageFull => "Make room on the file system of the data directory",
        io::ErrorKind::QuotaExceeded => "Raise the disk quota of the service's user, or make room",
        io::ErrorKind::ReadOnlyFilesystem => {
            "Look for the cause in the kernel's log, then mount the file system writable"
        }
        io::ErrorKind::PermissionDenied => "Give the service's user the right to write to the data directory",
        _ => "Look for the cause in the kernel's log",
    };
    format!("{error}. {cure}; commits are taken again by themselves as soon as the log can be written. Reading goes on")
}

/// Tells those whose entries are being written if the thread panics: nobody else knows of them.
struct ToldOnPanic(Arc<Group>);

impl Drop for ToldOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.finish(Err(stopped("a thread of the store panicked")));
        }
    }
}

/// Stops the store if the thread that holds it panics.
pub(super) struct FailOnPanic(pub(super) Arc<Core>);

impl Drop for FailOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail("a thread of the store panicked");
        }
    }
}
