//! Compressed segments: `<first>.log.zst` in place of `<first>.log`, for segments that are full and never change again.
//!
//! ```text
//! magic (8) | format u32 | zero u32 | first revision u64 | entries u64 | length u64 | BLAKE3 (32) | crc of zstd u32 | crc u32 | zstd
//! ```
//!
//! Length and hash are those of the plain segment, which comes back byte by byte: entries, offsets and damage in it are
//! found as in any other. The plain file goes only after the compressed one was synced, read back and found to be the same,
//! and has its name for certain. A power cut in between leaves both; the plain one counts, and it is done again.

use std::io::Read as _;

use super::disk::Disk;
use super::segment::{self, Segment};
use crate::engine::LogItem;
use crate::error::StoreError;
use crate::types::Revision;

const HEADER: usize = 80;
const MAGIC: &[u8; 8] = b"BACKRZST";
const FORMAT: u32 = 1;
/// Under way; never part of the log.
const UNFINISHED: &str = "packed.tmp";
/// Postings shrink to less than half; higher levels were measured to win 5 % for three times the time.
const LEVEL: i32 = 3;
/// Segments have 16 MiB and one group of commits more; memory is not given to a header that says otherwise.
const MAX_LENGTH: u64 = 1 << 30;

/// The file name of the compressed segment that begins with revision `first`.
pub(super) fn name(first: Revision) -> String {
    format!("{first:020}.log.zst")
}

struct Header {
    first: Revision,
    entries: u64,
    length: u64,
    hash: [u8; 32],
    /// Of the compressed bytes: some bits of theirs say nothing about the content, and are to be right all the same.
    crc: u32,
}

impl Header {
    fn encode(&self) -> Vec<u8> {
        let mut out = [MAGIC.as_slice(), &FORMAT.to_le_bytes(), &[0; 4]].concat();
        for number in [self.first, self.entries, self.length] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&self.hash);
        out.extend_from_slice(&self.crc.to_le_bytes());
        out.extend_from_slice(&crc32fast::hash(&out).to_le_bytes());
        out
    }

    fn decode(bytes: &[u8], first: Revision) -> Result<Self, String> {
        let number = |at: usize| bytes.get(at..at + 8).and_then(|raw| raw.try_into().ok()).map(u64::from_le_bytes);
        let hash = bytes.get(40..72).and_then(|raw| raw.try_into().ok());
        let word = |at: usize| bytes.get(at..at + 4).and_then(|raw| raw.try_into().ok()).map(u32::from_le_bytes);
        let (Some(format), Some(found), Some(entries), Some(length), Some(hash), Some(crc)) =
            (word(8), number(16), number(24), number(32), hash, word(72))
        else {
            return Err("the file ends inside its header".into());
        };
        let header = Self { first: found, entries, length, hash, crc };
        match format {
            format if bytes.starts_with(MAGIC) && format > FORMAT => Err(format!(
                "the format {format} is newer than {FORMAT}, the newest this release knows; start a newer release"
            )),
            _ if !bytes.starts_with(&header.encode()) || found != first || length > MAX_LENGTH => {
                Err("the header is not that of a compressed log segment with this name".into())
            }
            _ => Ok(header),
        }
    }
}

/// Puts a compressed segment in the place of a plain one. The segment is complete and synced.
///
/// # Errors
/// [`StoreError::Corrupt`] if the segment is damaged: it stays as it is, for whoever repairs it.
pub(super) fn pack(disk: &dyn Disk, first: Revision) -> Result<(), StoreError> {
    let failed = || StoreError::io(format!("compress log/{}", segment::name(first)));
    let plain = segment::read(disk, first)?;
    let packed = zstd::bulk::compress(&plain.bytes, LEVEL).map_err(failed())?;
    let header = describe(&plain, first, crc32fast::hash(&packed))?;
    if disk.list().map_err(failed())?.iter().any(|name| name == UNFINISHED) {
        disk.remove(UNFINISHED).map_err(failed())?;
    }
    let write = || {
        let mut file = disk.create(UNFINISHED)?;
        file.append(&header.encode())?;
        file.append(&packed)?;
        file.sync()
    };
    write().map_err(failed())?;
    let written = unpack(disk, UNFINISHED, first)?;
    if written.damage.is_some() || written.bytes != plain.bytes {
        let what = "it does not come back as it was written; the plain segment is kept";
        return Err(StoreError::corrupt(format!("log/{UNFINISHED}"), what));
    }
    disk.rename(UNFINISHED, &name(first)).map_err(failed())?;
    disk.sync().map_err(failed())?;
    disk.remove(&segment::name(first)).map_err(failed())?;
    disk.sync().map_err(failed())
}

fn describe(plain: &Segment, first: Revision, crc: u32) -> Result<Header, StoreError> {
    let (mut entries, mut damage) = (0, None);
    let _whole = segment::walk(plain, first, &mut |item| {
        match item {
            LogItem::Entry { .. } => entries += 1,
            LogItem::Damage { place, what, .. } => damage = Some(StoreError::corrupt(place.to_string(), what)),
        }
        std::ops::ControlFlow::Continue(())
    });
    let (length, hash) = (plain.bytes.len() as u64, *blake3::hash(&plain.bytes).as_bytes());
    damage.map_or(Ok(Header { first, entries, length, hash, crc }), Err)
}

/// The plain content of a compressed segment, or as much of it as can be had.
pub(super) fn unpack(disk: &dyn Disk, name: &str, first: Revision) -> Result<Segment, StoreError> {
    let packed = segment::read_file(disk, name)?;
    let mut bytes = Vec::new();
    let damage = match Header::decode(&packed, first) {
        Err(what) => Some(what),
        Ok(header) => inflate(&packed, &header, &mut bytes).err(),
    };
    Ok(Segment { name: name.to_owned(), first, bytes, damage })
}

fn inflate(packed: &[u8], header: &Header, bytes: &mut Vec<u8>) -> Result<(), String> {
    bytes.reserve_exact(usize::try_from(header.length).unwrap_or(0));
    let content = packed.get(HEADER..).unwrap_or_default();
    let whole = crc32fast::hash(content) == header.crc;
    // One byte more than there may be: too long is as wrong as too short.
    zstd::stream::read::Decoder::with_buffer(content)
        .and_then(|decoder| decoder.take(header.length + 1).read_to_end(bytes))
        .map_err(|error| format!("it cannot be decompressed: {error}"))?;
    if !whole || bytes.len() as u64 != header.length || *blake3::hash(bytes).as_bytes() != header.hash {
        return Err("the checksum of its content is wrong".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_of_the_header_is_seen() {
        let bytes = Header { first: 42, entries: 7, length: 99, hash: [3; 32], crc: 5 }.encode();
        assert_eq!(bytes.len(), HEADER);
        assert!(Header::decode(&bytes, 42).is_ok());
        assert!(Header::decode(&bytes, 43).is_err());
        for bit in 0..HEADER * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Header::decode(&damaged, 42).is_err(), "bit {bit}");
        }
    }
}
