//! Files of a [`Disk`](super::disk::Disk) as streams.

use std::io::{self, Read, Write};

use super::disk::LogFile;

/// One call to the operating system writes or reads about this much.
const PIECE: usize = 1 << 20;

/// Appends what is written, in large pieces.
pub(super) struct Appender {
    file: Box<dyn LogFile>,
    buffer: Vec<u8>,
}

impl Appender {
    pub(super) fn new(file: Box<dyn LogFile>) -> Self {
        Self { file, buffer: Vec::new() }
    }

    /// The file with everything in it; not synced.
    pub(super) fn finish(mut self) -> io::Result<Box<dyn LogFile>> {
        self.flush()?;
        Ok(self.file)
    }
}

impl Write for Appender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.buffer.is_empty() {
            self.file.append(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }
}

/// Reads a file from the beginning, in large pieces.
pub(super) struct Pieces {
    file: Box<dyn LogFile>,
    at: u64,
    size: u64,
    buffer: Vec<u8>,
    used: usize,
}

impl Pieces {
    pub(super) fn new(file: Box<dyn LogFile>) -> io::Result<Self> {
        let size = file.size()?;
        Ok(Self { file, at: 0, size, buffer: Vec::new(), used: 0 })
    }
}

impl Read for Pieces {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.used == self.buffer.len() {
            let left = usize::try_from(self.size - self.at).unwrap_or(usize::MAX);
            self.buffer.resize(left.min(PIECE), 0);
            self.used = 0;
            self.file.read_at(&mut self.buffer, self.at)?;
            self.at += self.buffer.len() as u64;
        }
        let mut from = self.buffer.get(self.used..).unwrap_or_default();
        let count = from.read(to)?;
        self.used += count;
        Ok(count)
    }
}
