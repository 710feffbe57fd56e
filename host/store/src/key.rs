//! Keys: bytes that sort as the values they stand for.
//!
//! On disk a key is `tenant (u32, big endian) | space (u8) | key bytes`. Every encoding here is prefix-free within its
//! type, so the encoding of a tuple is the encodings of its parts, one after the other, and the encoding of its first
//! parts is a prefix that can be scanned.

use crate::types::TenantNo;

/// The longest key, tenant and space included. FoundationDB and PostgreSQL indexes are not far above.
pub const MAX_KEY: usize = 4096;

/// Tenant (4) and space (1) stand before the key bytes of a record.
const PREFIX: usize = 5;

/// A value that can be (part of) a key. The encoding must keep the order of the values, and no encoding of one value may
/// be a prefix of the encoding of another of the same type.
pub trait RecordKey {
    /// Appends the encoding to `out`.
    fn write(&self, out: &mut Vec<u8>);
}

impl<T: RecordKey + ?Sized> RecordKey for &T {
    fn write(&self, out: &mut Vec<u8>) {
        (**self).write(out);
    }
}

impl RecordKey for () {
    fn write(&self, _out: &mut Vec<u8>) {}
}

impl RecordKey for str {
    fn write(&self, out: &mut Vec<u8>) {
        write_escaped(self.as_bytes(), out);
    }
}

impl RecordKey for String {
    fn write(&self, out: &mut Vec<u8>) {
        self.as_str().write(out);
    }
}

impl RecordKey for [u8] {
    fn write(&self, out: &mut Vec<u8>) {
        write_escaped(self, out);
    }
}

impl RecordKey for Vec<u8> {
    fn write(&self, out: &mut Vec<u8>) {
        self.as_slice().write(out);
    }
}

/// Fixed length: prefix-free as it is.
impl<const N: usize> RecordKey for [u8; N] {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

impl RecordKey for bool {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
}

macro_rules! integers {
    ($($int:ty),*) => {$(
        /// Big endian.
        impl RecordKey for $int {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }
        }
    )*};
}
integers!(u8, u16, u32, u64, u128);

impl<A: RecordKey, B: RecordKey> RecordKey for (A, B) {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
        self.1.write(out);
    }
}

impl<A: RecordKey, B: RecordKey, C: RecordKey> RecordKey for (A, B, C) {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
        self.1.write(out);
        self.2.write(out);
    }
}

impl<A: RecordKey, B: RecordKey, C: RecordKey, D: RecordKey> RecordKey for (A, B, C, D) {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
        self.1.write(out);
        self.2.write(out);
        self.3.write(out);
    }
}

/// Text of any length: a single 0 ends it, so 0 and 1 inside become `1 1` and `1 2`. A shorter text sorts before each
/// longer one that begins with it, whatever part of a tuple follows.
fn write_escaped(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len() + 1);
    for byte in bytes {
        match byte {
            0 => out.extend_from_slice(&[1, 1]),
            1 => out.extend_from_slice(&[1, 2]),
            other => out.push(*other),
        }
    }
    out.push(0);
}

/// The key of a whole record space, or the beginning of a record's key.
pub(crate) fn full_key(tenant: TenantNo, space: u8, key: &(impl RecordKey + ?Sized)) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    out.extend_from_slice(&tenant.0.to_be_bytes());
    out.push(space);
    key.write(&mut out);
    out
}

/// The key bytes within the space, which is what a cursor is made of.
pub(crate) fn within_space(full: &[u8]) -> &[u8] {
    full.get(PREFIX..).unwrap_or_default()
}

/// Takes a key as it stands in [`Entry::changes`](crate::Entry::changes) apart: whose record, of which space, and the key
/// bytes within it. `None` if it is too short to be one.
#[must_use]
pub fn split_key(full: &[u8]) -> Option<(TenantNo, u8, &[u8])> {
    let (tenant, rest) = full.split_first_chunk::<4>()?;
    let (space, key) = rest.split_first()?;
    Some((TenantNo(u32::from_be_bytes(*tenant)), *space, key))
}

/// The first key after all keys that begin with `prefix`; `None` if there is none (all bytes 255).
pub(crate) fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix.get(..=last)?.to_vec();
    if let Some(byte) = end.last_mut() {
        *byte += 1;
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(key: &impl RecordKey) -> Vec<u8> {
        let mut out = Vec::new();
        key.write(&mut out);
        out
    }

    #[test]
    fn prefix_end_is_the_next_key_that_does_not_begin_so() {
        let rows: [(&[u8], Option<&[u8]>); 4] =
            [(&[1, 2], Some(&[1, 3])), (&[1, 255], Some(&[2])), (&[255, 255], None), (&[], None)];
        for (prefix, end) in rows {
            assert_eq!(prefix_end(prefix).as_deref(), end, "{prefix:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn keys_sort_as_their_values(a: (Vec<u8>, u16, String), b: (Vec<u8>, u16, String)) {
            proptest::prop_assert_eq!(bytes(&a).cmp(&bytes(&b)), a.cmp(&b));
        }

        /// Small alphabet, so that one text is often the beginning of the other.
        #[test]
        fn texts_are_prefix_free(a in "[\u{0}\u{1}\u{2}a]{0,4}", b in "[\u{0}\u{1}\u{2}a]{0,4}", n: (u8, u8)) {
            let (left, right) = ((a.clone(), n.0), (b.clone(), n.1));
            proptest::prop_assert_eq!(bytes(&left).cmp(&bytes(&right)), left.cmp(&right));
            proptest::prop_assert_eq!(bytes(&a).starts_with(&bytes(&b)), a == b);
        }
    }
}
