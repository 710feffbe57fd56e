//! Blocks: neighbouring records as one compressed value.
//!
//! ```text
//! crc u32 | plain length u32 | zstd of pairs in order of their keys        (little endian)
//! ```
//!
//! The first pair is no record: its key is the last one of the block before, its value is nothing. The checksum is that of the
//! key under which the block stands and of all behind the checksum.

use std::io;
use std::ops::Bound;

use zstd::bulk::{Compressor, Decompressor};

use super::super::pairs;

/// What a block may have: one record of the largest key and value, and no memory for lengths that are damaged.
const MAX_PLAIN: usize = 80 << 10;
const HEADER: usize = 8;
/// Higher levels were measured to win nothing at this size.
const LEVEL: i32 = 1;

/// For [`pack`].
pub(super) fn compressor() -> io::Result<Compressor<'static>> {
    Compressor::new(LEVEL)
}

/// The block of these pairs that stands under the key `under`; `before` is the last key of the block before it.
pub(super) fn pack(compressor: &mut Compressor<'_>, under: &[u8], before: &[u8], pairs: &[u8]) -> io::Result<Vec<u8>> {
    let mut plain = Vec::with_capacity(pairs::size(before, &[]) + pairs.len());
    pairs::put(&mut plain, before, &[]);
    plain.extend_from_slice(pairs);
    let packed = compressor.compress(&plain)?;
    let length = u32::try_from(plain.len()).unwrap_or(u32::MAX).to_le_bytes();
    Ok([&checksum(under, &length, &packed), length.as_slice(), &packed].concat())
}

/// Of the key `under` which something stands, and of what stands there.
pub(super) fn checksum(under: &[u8], length: &[u8], packed: &[u8]) -> [u8; 4] {
    let mut crc = crc32fast::Hasher::new();
    for part in [under, length, packed] {
        crc.update(part);
    }
    crc.finalize().to_le_bytes()
}

/// A block that has been read: its pairs can be found by number and by key.
pub(super) struct Block {
    plain: Vec<u8>,
    /// Where each pair begins.
    starts: Vec<u32>,
}

impl Block {
    /// Reads the block that stands under the key `under`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn unpack(
        decompressor: &mut Decompressor<'_>,
        under: &[u8],
        bytes: &[u8],
    ) -> Result<Self, &'static str> {
        let (header, packed) = bytes.split_at_checked(HEADER).ok_or("a block ends inside its header")?;
        let (crc, length) = header.split_at_checked(4).ok_or("a block ends inside its header")?;
        if crc != checksum(under, length, packed) {
            return Err("the checksum of a block is wrong");
        }
        let length = length.try_into().map_or(usize::MAX, |length| u32::from_le_bytes(length) as usize);
        if length > MAX_PLAIN {
            return Err("a block has an impossible length");
        }
        let plain = decompressor.decompress(packed, length).map_err(|_| "a block cannot be decompressed")?;
        let (_, _, mut rest) = pairs::split(&plain).ok_or("a block does not say what is before it")?;
        let mut starts = Vec::new();
        while !rest.is_empty() {
            starts.push(u32::try_from(plain.len() - rest.len()).unwrap_or(u32::MAX));
            (_, _, rest) = pairs::split(rest).ok_or("a block ends inside a record")?;
        }
        Ok(Self { plain, starts })
    }

    /// The last key of the block before; empty in the first one.
    pub(super) fn before(&self) -> &[u8] {
        pairs::split(&self.plain).map_or(&[], |(before, ..)| before)
    }

    /// Whether the keys behind a place that is not behind its end begin in it: that no block in between is missing.
    pub(super) fn follows(&self, place: Bound<&[u8]>) -> bool {
        match place {
            Bound::Included(key) => self.before() < key,
            Bound::Excluded(key) => self.before() <= key,
            Bound::Unbounded => self.before().is_empty(),
        }
    }

    /// How many pairs it has.
    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// What it takes in memory.
    pub(super) fn size(&self) -> usize {
        self.plain.len() + self.starts.len() * size_of::<u32>()
    }

    /// The pair with this number.
    pub(super) fn pair(&self, number: usize) -> Option<(&[u8], &[u8])> {
        let start = *self.starts.get(number)? as usize;
        pairs::split(self.plain.get(start..)?).map(|(key, value, _)| (key, value))
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &[u8]) -> Option<&[u8]> {
        let found = self.pair(self.count(|other| other < key))?;
        (found.0 == key).then_some(found.1)
    }

    /// How many pairs from the beginning have keys that are before some place in the order.
    pub(super) fn count(&self, before: impl Fn(&[u8]) -> bool) -> usize {
        self.starts.partition_point(|start| {
            let pair = self.plain.get(*start as usize..).and_then(pairs::split);
            pair.is_some_and(|(key, ..)| before(key))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block() -> (Vec<u8>, Vec<u8>) {
        let mut plain = Vec::new();
        for number in 0..20_u8 {
            pairs::put(&mut plain, &[1, number * 2], &[number; 30]);
        }
        let under = vec![1, 38];
        let packed = pack(&mut compressor().unwrap(), &under, &[0, 7], &plain).unwrap();
        (under, packed)
    }

    #[test]
    fn records_are_found_by_key_and_by_number() {
        let (under, packed) = block();
        let block = Block::unpack(&mut Decompressor::new().unwrap(), &under, &packed).unwrap();
        assert_eq!((block.len(), block.before()), (20, [0, 7].as_slice()));
        assert!(packed.len() < block.size() / 2);
        for number in 0..20_u8 {
            assert_eq!(block.get(&[1, number * 2]), Some([number; 30].as_slice()));
            assert_eq!(block.get(&[1, number * 2 + 1]), None);
            assert_eq!(block.pair(number.into()), Some(([1, number * 2].as_slice(), [number; 30].as_slice())));
        }
        assert_eq!(block.pair(20), None);
        assert_eq!(block.count(|key| key < [1, 7].as_slice()), 4);
    }

    #[test]
    fn every_flipped_bit_every_cut_and_another_key_are_seen() {
        let (under, packed) = block();
        let mut decompressor = Decompressor::new().unwrap();
        for bit in 0..packed.len() * 8 {
            let mut damaged = packed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Block::unpack(&mut decompressor, &under, &damaged).is_err(), "bit {bit}");
        }
        for len in 0..packed.len() {
            assert!(Block::unpack(&mut decompressor, &under, &packed[..len]).is_err(), "cut at {len}");
        }
        assert!(Block::unpack(&mut decompressor, &[1, 39], &packed).is_err());
    }
}
