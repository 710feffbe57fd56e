//! Frames: how an entry lies in a segment file.
//!
//! ```text
//! length u32 | crc u32 | revision u64 | synced u64 | payload        (little endian; the crc covers all but itself)
//! ```
//!
//! `synced` is the last revision that was durable before this frame was written. It tells an unfinished write at the end of
//! the log, which is cut off, from damage to what had been acknowledged, which is an error: if any frame further on says
//! that a frame had been synced, that frame was whole once.

use crc32fast::Hasher;

use crate::entry::{MAX_PAYLOAD, place_of};
use crate::types::{Revision, TenantNo};

/// Bytes before the payload.
pub(super) const HEADER: usize = 24;

/// A whole frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) revision: Revision,
    pub(super) synced: Revision,
    pub(super) payload: &'a [u8],
}

impl Frame<'_> {
    /// Its length in the file.
    pub(super) fn size(&self) -> usize {
        HEADER + self.payload.len()
    }
}

/// The header for a payload whose checksum was taken before, outside of any lock.
pub(super) fn header(payload_len: u32, payload_crc: u32, revision: Revision, synced: Revision) -> [u8; HEADER] {
    let crc = finish(Hasher::new_with_initial_len(payload_crc, payload_len.into()), payload_len, revision, synced);
    let mut out = [0; HEADER];
    let fields = [&payload_len.to_le_bytes()[..], &crc.to_le_bytes(), &revision.to_le_bytes(), &synced.to_le_bytes()];
    for (to, from) in out.iter_mut().zip(fields.into_iter().flatten()) {
        *to = *from;
    }
    out
}

fn finish(mut crc: Hasher, len: u32, revision: Revision, synced: Revision) -> u32 {
    crc.update(&len.to_le_bytes());
    crc.update(&revision.to_le_bytes());
    crc.update(&synced.to_le_bytes());
    crc.finalize()
}

/// The frame at the beginning of `bytes`, or why there is none. With `check` off the checksum is taken for granted: for
/// frames that are only stepped over.
pub(super) fn parse(bytes: &[u8], check: bool) -> Result<Frame<'_>, &'static str> {
    let cut = "the file ends inside the frame";
    let (len, rest) = bytes.split_first_chunk::<4>().ok_or(cut)?;
    let (crc, rest) = rest.split_first_chunk::<4>().ok_or(cut)?;
    let (revision, rest) = rest.split_first_chunk::<8>().ok_or(cut)?;
    let (synced, rest) = rest.split_first_chunk::<8>().ok_or(cut)?;
    let (len, revision, synced) =
        (u32::from_le_bytes(*len), u64::from_le_bytes(*revision), u64::from_le_bytes(*synced));
    let length = len as usize;
    if length == 0 || length > MAX_PAYLOAD {
        return Err("the frame has an impossible length");
    }
    let payload = rest.get(..length).ok_or(cut)?;
    if revision == 0 || synced >= revision {
        return Err("the frame has an impossible revision");
    }
    if check {
        let mut hasher = Hasher::new();
        hasher.update(payload);
        if finish(hasher, len, revision, synced) != u32::from_le_bytes(*crc) {
            return Err("the checksum of the frame is wrong");
        }
    }
    Ok(Frame { revision, synced, payload })
}

/// How far behind a revision the next whole frame may be looked for. Segments hold some ten thousand.
const NEAR: u64 = 1 << 24;

/// The offset of the next whole frame in `bytes` at or after `from` with a revision not far above `after`, that `wanted`
/// accepts. Tries every byte: only used after damage. The revision refuses nearly every wrong place, so that checksums of
/// long stretches are not taken again and again.
pub(super) fn find(bytes: &[u8], from: usize, after: Revision, wanted: impl Fn(&Frame<'_>) -> bool) -> Option<usize> {
    let near = |frame: Frame<'_>| frame.revision > after && frame.revision - after < NEAR && wanted(&frame);
    (from..bytes.len()).find(|at| {
        let rest = bytes.get(*at..).unwrap_or_default();
        parse(rest, false).is_ok_and(near) && parse(rest, true).is_ok()
    })
}

/// Tenant and number that a damaged frame still names, for the report.
pub(super) fn whose(bytes: &[u8]) -> Option<(TenantNo, u64)> {
    place_of(bytes.get(HEADER..)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(payload: &[u8]) -> Vec<u8> {
        let mut bytes = header(payload.len() as u32, crc32fast::hash(payload), 7, 5).to_vec();
        bytes.extend_from_slice(payload);
        bytes
    }

    #[test]
    fn a_frame_comes_back() {
        let bytes = framed(b"hello");
        let frame = parse(&bytes, true).unwrap();
        assert_eq!((frame.revision, frame.synced, frame.payload), (7, 5, b"hello".as_slice()));
        assert_eq!(frame.size(), bytes.len());
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_seen() {
        let bytes = framed(b"hello");
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(parse(&damaged, true).is_err(), "bit {bit}");
        }
        for len in 0..bytes.len() {
            assert!(parse(&bytes[..len], true).is_err(), "cut at {len}");
        }
    }

    #[test]
    fn the_next_whole_frame_is_found() {
        let mut bytes = vec![0xff; 50];
        bytes.extend_from_slice(&framed(b"hello"));
        assert_eq!(find(&bytes, 0, 3, |_| true), Some(50));
        assert_eq!(find(&bytes, 0, 7, |_| true), None, "not a later one");
        assert_eq!(find(&bytes, 0, 3, |frame| frame.synced >= 6), None);
        assert_eq!(find(&bytes, 51, 3, |_| true), None);
    }
}
