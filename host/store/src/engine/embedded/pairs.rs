//! Keys and values one behind the other, as checkpoints and blocks hold them.
//!
//! ```text
//! key length u32 | value length u32 | key | value        (little endian)
//! ```

/// What the lengths take.
const LENGTHS: usize = 8;

/// Appends one pair.
pub(super) fn put(out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    for length in [key.len(), value.len()] {
        out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    }
    out.extend_from_slice(key);
    out.extend_from_slice(value);
}

/// The bytes of one pair.
pub(super) fn size(key: &[u8], value: &[u8]) -> usize {
    LENGTHS + key.len() + value.len()
}

/// The first pair, and what is behind it; `None` if the bytes end inside it.
pub(super) fn split(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (key, rest) = bytes.split_first_chunk::<4>()?;
    let (value, rest) = rest.split_first_chunk::<4>()?;
    let (key, rest) = rest.split_at_checked(u32::from_le_bytes(*key) as usize)?;
    let (value, rest) = rest.split_at_checked(u32::from_le_bytes(*value) as usize)?;
    Some((key, value, rest))
}
