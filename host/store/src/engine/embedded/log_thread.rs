//! The log thread: writes what has its place, syncs once for all of it, and only then tells anybody.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::core::Core;
use super::disk::LogFile;
use super::sequence::{Pending, Work};
use super::{frame, recover, segment};
use crate::error::StoreError;
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
    /// Up to where the file is long already.
    reserved: u64,
    synced: Revision,
    buffer: Vec<u8>,
}

impl Writer {
    pub(super) fn new(core: Arc<Core>, tail: Box<dyn LogFile>, size: u64) -> Self {
        let synced = core.durable();
        Self { core, tail, size, reserved: size, synced, buffer: Vec::new() }
    }

    /// Runs until the store is closed or a write fails. A panic counts as a failure: nobody may wait for ever.
    pub(super) fn run(mut self) {
        let fail_on_panic = FailOnPanic(Arc::clone(&self.core));
        let mut gather = None;
        while let Some(Work { entries, group }) = self.core.next_work(gather) {
            let Some(last) = entries.last().map(|entry| entry.revision) else { continue };
            let began = Instant::now();
            match self.write(&entries) {
                Ok(()) => {
                    gather = (entries.len() > 1).then(|| (began.elapsed() * 2).min(GATHER));
                    self.synced = last;
                    self.core.now_durable(last);
                    group.finish(Ok(()));
                }
                Err(error) => {
                    // Nothing is guessed and nothing tried again: after a failed sync a second one may succeed without
                    // the data. Those who wait learn that their commit is in doubt.
                    let why = error.to_string();
                    self.core.fail(&why);
                    group.finish(Err(StoreError::Unavailable(why)));
                    return;
                }
            }
        }
        // Everything is on disk; what was set aside behind it does no harm if it stays.
        if let Err(error) = self.tail.seal() {
            tracing::warn!(%error, "the end of the log could not be trimmed");
        }
        drop(fail_on_panic);
    }

    fn write(&mut self, entries: &[Pending]) -> Result<(), StoreError> {
        if self.size >= self.core.options.segment_bytes {
            let first = self.synced + 1;
            self.tail.seal().map_err(StoreError::io("end a log segment"))?;
            self.tail = recover::create(&*self.core.disk, first)?;
            self.size = segment::HEADER as u64;
            self.reserved = self.size;
            self.core.segments.write().push(first);
        }
        for entry in entries {
            let len = u32::try_from(entry.payload.len()).unwrap_or(u32::MAX);
            self.buffer.extend_from_slice(&frame::header(len, entry.crc, entry.revision, self.synced));
            self.buffer.extend_from_slice(&entry.payload);
            if self.buffer.len() >= WRITE {
                self.write_buffer().map_err(StoreError::io("write the log"))?;
            }
        }
        self.write_buffer().map_err(StoreError::io("write the log"))?;
        self.tail.sync().map_err(StoreError::io("sync the log"))
    }

    fn write_buffer(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.tail.append(&self.buffer)?;
        self.size += self.buffer.len() as u64;
        if self.size > self.reserved {
            self.tail.reserve(STEP)?;
            self.reserved = self.size + STEP as u64;
        }
        self.buffer.clear();
        // One large entry must not keep its memory for ever.
        self.buffer.shrink_to(2 * WRITE);
        Ok(())
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
