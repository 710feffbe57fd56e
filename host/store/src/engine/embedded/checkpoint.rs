//! Checkpoints: `checkpoint/<revision>.ckpt`, from which the state index can be built again without playing the whole log.
//!
//! ```text
//! magic (8) | format u32 | zero u32 | revision u64 | crc u32 | zero u32
//! chunks: plain length u32 | packed length u32 | crc u32 | zstd of pairs (see `pairs`)
//! end:    zero u32         | 56 u32            | crc u32 | until u64 | pairs u64 | bytes u64 | BLAKE3 of all before (32)
//! ```
//!
//! It is written while the service goes on, and holds nobody up: the heads are those at `revision`, and every other record
//! is as new as that or newer, up to `until`. Playing the log from `revision` on sets the newer ones again and so gives the
//! exact state at any revision from `until` on. The log is never shorter than `until`: that much was durable.
//!
//! A checkpoint counts once it has its name; whoever loads it reads it to its end first.

use std::io::{self, Read as _, Write as _};

use super::copy::Visit;
use super::disk::Disk;
use super::pairs;
use super::stream::{Appender, Pieces};
use crate::error::StoreError;
use crate::types::Revision;

const HEADER: usize = 32;
const MAGIC: &[u8; 8] = b"BACKCKPT";
const FORMAT: u32 = 1;
const UNFINISHED: &str = ".tmp";
const END: usize = 56;
/// Plain bytes of a chunk: enough to compress well.
const CHUNK: usize = 1 << 20;
/// What a chunk may have: one more record than [`CHUNK`], and no memory for lengths that are damaged.
const MAX_CHUNK: usize = 2 << 20;
const LEVEL: i32 = 1;

/// The file name of the checkpoint at `revision`.
pub(super) fn name(revision: Revision) -> String {
    format!("{revision:020}.ckpt")
}

/// The revisions of all checkpoints, newest first. What was left unfinished is removed.
pub(super) fn list(disk: &dyn Disk) -> Result<Vec<Revision>, StoreError> {
    let mut revisions = Vec::new();
    for file in disk.list().map_err(StoreError::io("list the folder of checkpoints"))? {
        if file.ends_with(UNFINISHED) {
            disk.remove(&file).map_err(StoreError::io("remove an unfinished checkpoint"))?;
        } else if let Some(revision) = file.split_once('.').and_then(|(number, _)| number.parse().ok())
            && file == name(revision)
        {
            revisions.push(revision);
        }
    }
    revisions.sort_unstable_by(|a, b| b.cmp(a));
    Ok(revisions)
}

/// What a whole checkpoint says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Summary {
    /// The last revision that a record in it may be from.
    pub(super) until: Revision,
    /// Records.
    pub(super) pairs: u64,
    /// Bytes of their keys and values.
    pub(super) bytes: u64,
}

fn header(revision: Revision) -> Vec<u8> {
    let mut out = [MAGIC.as_slice(), &FORMAT.to_le_bytes(), &[0; 4], &revision.to_le_bytes()].concat();
    out.extend_from_slice(&crc32fast::hash(&out).to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out
}

/// A checkpoint being written.
pub(super) struct Writer {
    revision: Revision,
    out: Appender,
    hasher: blake3::Hasher,
    chunk: Vec<u8>,
    pairs: u64,
    bytes: u64,
}

impl Writer {
    pub(super) fn create(disk: &dyn Disk, revision: Revision) -> io::Result<Self> {
        let mut writer = Self {
            revision,
            out: Appender::new(disk.create(&format!("{revision:020}{UNFINISHED}"))?),
            hasher: blake3::Hasher::new(),
            chunk: Vec::new(),
            pairs: 0,
            bytes: 0,
        };
        writer.put(&header(revision))?;
        Ok(writer)
    }

    pub(super) fn pair(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        pairs::put(&mut self.chunk, key, value);
        self.pairs += 1;
        self.bytes += (key.len() + value.len()) as u64;
        if self.chunk.len() >= CHUNK { self.put_chunk() } else { Ok(()) }
    }

    /// Writes the end, syncs, and gives the file its name.
    pub(super) fn finish(mut self, disk: &dyn Disk, until: Revision) -> io::Result<Summary> {
        self.put_chunk()?;
        let mut end: Vec<u8> = [until, self.pairs, self.bytes].iter().flat_map(|number| number.to_le_bytes()).collect();
        self.hasher.update(&end);
        end.extend_from_slice(self.hasher.finalize().as_bytes());
        self.put_framed(0, &end)?;
        let mut file = self.out.finish()?;
        file.sync()?;
        disk.rename(&format!("{:020}{UNFINISHED}", self.revision), &name(self.revision))?;
        disk.sync()?;
        Ok(Summary { until, pairs: self.pairs, bytes: self.bytes })
    }

    fn put_chunk(&mut self) -> io::Result<()> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        let packed = zstd::bulk::compress(&self.chunk, LEVEL)?;
        let length = self.chunk.len();
        self.chunk.clear();
        self.put_framed(length, &packed)
    }

    fn put_framed(&mut self, plain: usize, packed: &[u8]) -> io::Result<()> {
        let frame = frame(plain, packed);
        self.put(&frame)?;
        self.put(packed)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.out.write_all(bytes)
    }
}

fn frame(plain: usize, packed: &[u8]) -> Vec<u8> {
    let word = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    let lengths = [word(plain), word(packed.len())].concat();
    let mut crc = crc32fast::Hasher::new();
    crc.update(&lengths);
    crc.update(packed);
    [lengths.as_slice(), &crc.finalize().to_le_bytes()].concat()
}

/// Reads a checkpoint to its end and shows its records. Only after it is back it is certain that all of them were right.
///
/// # Errors
/// [`StoreError::Corrupt`] if it is damaged; what `visit` reports.
pub(super) fn read(disk: &dyn Disk, revision: Revision, visit: &mut Visit<'_>) -> Result<Summary, StoreError> {
    let file = name(revision);
    let failed = || StoreError::io(format!("read checkpoint/{file}"));
    let damaged = |what: &str| StoreError::corrupt(format!("checkpoint/{file}"), what);
    let mut from = Reading {
        file: Pieces::new(disk.open(&file).map_err(failed())?).map_err(failed())?,
        hasher: blake3::Hasher::new(),
    };
    let mut found = [0; HEADER];
    from.fill(&mut found).map_err(failed())?;
    if found != *header(revision) {
        return Err(damaged("its header is not that of a checkpoint with this name, or of a newer release"));
    }
    let (mut pairs, mut bytes) = (0, 0);
    loop {
        let before = from.hasher.clone();
        let mut lengths = [0; 12];
        from.fill(&mut lengths).map_err(failed())?;
        let word = |at: usize| {
            let raw = lengths.get(at..at + 4).and_then(|raw| raw.try_into().ok());
            raw.map_or(0, u32::from_le_bytes) as usize
        };
        let (plain, packed) = (word(0), word(4));
        if plain > MAX_CHUNK || packed > MAX_CHUNK || (plain == 0 && packed != END) {
            return Err(damaged("a chunk has an impossible length"));
        }
        let mut content = vec![0; packed];
        from.fill(&mut content).map_err(failed())?;
        if frame(plain, &content) != lengths {
            return Err(damaged("the checksum of a chunk is wrong"));
        }
        if plain == 0 {
            return end(&mut from, &content, &before, (pairs, bytes)).ok_or_else(|| damaged("its checksum is wrong"));
        }
        let content = zstd::bulk::decompress(&content, plain).map_err(|_| damaged("a chunk cannot be decompressed"))?;
        let mut rest = content.as_slice();
        while !rest.is_empty() {
            let (key, value, behind) = pairs::split(rest).ok_or_else(|| damaged("a chunk ends inside a record"))?;
            visit(key, value)?;
            pairs += 1;
            bytes += (key.len() + value.len()) as u64;
            rest = behind;
        }
    }
}

/// What the end says, if it is the end of what was read.
fn end(from: &mut Reading, end: &[u8], before: &blake3::Hasher, read: (u64, u64)) -> Option<Summary> {
    // The frame of the end itself is not part of what the hash is of.
    let (numbers, hash) = end.split_at_checked(24)?;
    let number = |at: usize| numbers.get(at..at + 8).and_then(|raw| raw.try_into().ok()).map(u64::from_le_bytes);
    let summary = Summary { until: number(0)?, pairs: number(8)?, bytes: number(16)? };
    let mut hasher = before.clone();
    hasher.update(numbers);
    let whole = *hasher.finalize().as_bytes() == *hash && (summary.pairs, summary.bytes) == read;
    let nothing_behind = matches!(from.file.read(&mut [0]), Ok(0));
    (whole && nothing_behind).then_some(summary)
}

struct Reading {
    file: Pieces,
    hasher: blake3::Hasher,
}

impl Reading {
    /// What is missing at the end reads as zeros, which no checksum takes for right.
    fn fill(&mut self, to: &mut [u8]) -> io::Result<()> {
        let mut at = 0;
        while let Some(rest) = to.get_mut(at..).filter(|rest| !rest.is_empty()) {
            match self.file.read(rest)? {
                0 => break,
                count => at += count,
            }
        }
        self.hasher.update(to);
        Ok(())
    }
}

/// Removes all but the newest `keep`.
pub(super) fn prune(disk: &dyn Disk, keep: usize) -> Result<(), StoreError> {
    for revision in list(disk)?.into_iter().skip(keep) {
        disk.remove(&name(revision)).map_err(StoreError::io("remove an old checkpoint"))?;
    }
    Ok(())
}
