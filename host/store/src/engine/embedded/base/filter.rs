//! Filters: which keys a stretch of the base has not. Whoever makes a record looks first whether there is one; without a
//! filter each such question would cost a block.
//!
//! ```text
//! crc u32 | last length u32 | last key of the stretch | lines of 64 bytes        (little endian)
//! ```
//!
//! Bloom filters, the bits of a key all in one line. The checksum is that of the key under which the filter stands and of all
//! behind the checksum.

use super::block::checksum;

/// Keys of a stretch: its filter is then no larger than a record may be. Tests have several of them.
pub(super) const STRETCH: usize = if cfg!(test) { 100 } else { 50_000 };
/// A line of the processor's cache.
const LINE: usize = 64;
/// With [`PROBES`] this lets one or two of a hundred absent keys through.
const BITS_A_KEY: usize = 10;
/// Bits of a key, nine bits of its hash for each.
const PROBES: u32 = 6;

/// What a filter knows of a key.
pub(super) fn hash(key: &[u8]) -> u32 {
    crc32fast::hash(key)
}

/// The filter of one stretch.
pub(super) struct Filter {
    /// The stretch ends with this key.
    pub(super) last: Vec<u8>,
    lines: Vec<u8>,
}

impl Filter {
    /// For the stretch that ends with `last` and has keys with these hashes.
    pub(super) fn new(last: Vec<u8>, hashes: &[u32]) -> Self {
        let mut filter = Self { last, lines: vec![0; (hashes.len() * BITS_A_KEY).div_ceil(LINE * 8) * LINE] };
        for hash in hashes {
            let (line, bits) = filter.places(*hash);
            for bit in bits {
                if let Some(byte) = filter.lines.get_mut(line + bit / 8) {
                    *byte |= 1 << (bit % 8);
                }
            }
        }
        filter
    }

    /// Whether there may be a record with a key that has this hash. If not, there is none.
    pub(super) fn may_have(&self, hash: u32) -> bool {
        let (line, mut bits) = self.places(hash);
        bits.all(|bit| self.lines.get(line + bit / 8).is_some_and(|byte| byte & (1 << (bit % 8)) != 0))
    }

    /// Where its line begins, and which bits of it are set.
    fn places(&self, hash: u32) -> (usize, impl Iterator<Item = usize> + use<>) {
        let places = mixed(u64::from(hash));
        let line = (u128::from(mixed(places)) * (self.lines.len() / LINE) as u128) >> 64;
        (line as usize * LINE, (0..PROBES).map(move |probe| (places >> (probe * 9)) as usize % (LINE * 8)))
    }

    /// As it stands under the key `under`.
    pub(super) fn pack(&self, under: &[u8]) -> Vec<u8> {
        let length = u32::try_from(self.last.len()).unwrap_or(u32::MAX).to_le_bytes();
        let rest = [self.last.as_slice(), &self.lines].concat();
        [checksum(under, &length, &rest).as_slice(), &length, &rest].concat()
    }

    /// Reads the filter that stands under the key `under`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn unpack(under: &[u8], bytes: &[u8]) -> Result<Self, &'static str> {
        let (crc, rest) = bytes.split_first_chunk::<4>().ok_or("a filter ends inside its header")?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or("a filter ends inside its header")?;
        if *crc != checksum(under, length, rest) {
            return Err("the checksum of a filter is wrong");
        }
        let parts = rest.split_at_checked(u32::from_le_bytes(*length) as usize);
        let (last, lines) = parts.filter(|(_, lines)| lines.len() % LINE == 0).ok_or("a filter has a wrong length")?;
        Ok(Self { last: last.to_vec(), lines: lines.to_vec() })
    }
}

/// Every bit of the result depends on every bit of `number` (the finish of SplitMix64, by Vigna, in the public domain).
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> Vec<u8> {
        [&[0, 0, 0, 7, 1][..], &number.to_be_bytes(), &[0; 8], &1_u32.to_be_bytes()].concat()
    }

    #[test]
    fn all_keys_are_known_and_of_others_few() {
        for count in [1, 2, 60, 5_000, 50_000] {
            let hashes: Vec<u32> = (0..count).map(|number| hash(&key(number * 3))).collect();
            let filter = Filter::new(key(count * 3), &hashes);
            assert!(hashes.iter().all(|hash| filter.may_have(*hash)), "{count} keys");
            let absent = (0..10_000).map(|number| key(number * 3 + 1 + number % 2));
            let known = absent.filter(|key| filter.may_have(hash(key))).count();
            assert!(known < 400, "{known} of 10,000 absent keys go through a filter of {count}");
            assert!(filter.pack(b"a").len() < 64 << 10);
        }
        assert!(!Filter::new(vec![], &[]).may_have(7));
    }

    #[test]
    fn every_flipped_bit_every_cut_and_another_key_are_seen() {
        let filter = Filter::new(key(9), &[1, 2, 3]);
        let packed = filter.pack(b"under");
        let read = Filter::unpack(b"under", &packed).unwrap();
        assert_eq!((read.last, read.lines), (filter.last, filter.lines));
        for bit in 0..packed.len() * 8 {
            let mut damaged = packed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Filter::unpack(b"under", &damaged).is_err(), "bit {bit}");
        }
        for len in 0..packed.len() {
            assert!(Filter::unpack(b"under", &packed[..len]).is_err(), "cut at {len}");
        }
        assert!(Filter::unpack(b"other", &packed).is_err());
    }
}
