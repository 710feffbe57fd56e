//! The bytes of a key file: a header and one slot a person, each in a sector of its own, so that destroying one key never
//! touches another.
//!
//! ```text
//! header: magic (16) | tenant (4) | checksum (4) | zeros
//! slot:   checksum of the identity (4) | version (1) | length (1) | person (64) | zeros to 96
//!         checksum of the key (4) | kind (1) | key, or nonce, key and tag (72) | zeros to 256
//! ```
//!
//! Who it is and the key have checksums of their own: whose key was destroyed is known for ever.

use backroom_domain::Id;
use zeroize::Zeroizing;

use crate::seal::WRAPPED;
use crate::types::TenantNo;

/// Half a sector.
pub(super) const SLOT: usize = 256;
/// Where the key begins in a slot.
pub(super) const KEY: usize = 96;
const MAGIC: &[u8; 16] = b"backroom keys 1\n";
const VERSION: u8 = 1;
const PERSON: usize = 6;

const PLAIN: u8 = 1;
const WRAPPED_KEY: u8 = 2;
const DESTROYED: u8 = 3;

/// What is kept in place of a key or as one.
pub(super) enum Content {
    Plain(Zeroizing<[u8; 32]>),
    Wrapped([u8; WRAPPED]),
    Destroyed,
    /// Not what was written.
    Damaged,
}

/// Where a slot stands, whose it is, and what is in it.
pub(super) type Slots = Vec<(u64, Id, Content)>;

pub(super) fn header(tenant: TenantNo) -> [u8; SLOT] {
    let mut out = [0; SLOT];
    put(&mut out, 0, MAGIC);
    put(&mut out, 16, &tenant.0.to_be_bytes());
    let checksum = checksum(&out, 0..20);
    put(&mut out, 20, &checksum);
    out
}

/// A whole slot.
pub(super) fn slot(person: &Id, content: &Content) -> Zeroizing<[u8; SLOT]> {
    let mut out = Zeroizing::new([0; SLOT]);
    let name = person.as_str().as_bytes();
    // An id has at most 64 bytes.
    put(&mut out[..], 4, &[VERSION, u8::try_from(name.len()).unwrap_or_default()]);
    put(&mut out[..], PERSON, name);
    let sum = checksum(&out[..], 4..KEY);
    put(&mut out[..], 0, &sum);
    put(&mut out[..], KEY, &*key_part(content));
    out
}

/// The part of a slot from [`KEY`] on.
pub(super) fn key_part(content: &Content) -> Zeroizing<[u8; SLOT - KEY]> {
    let mut out = Zeroizing::new([0; SLOT - KEY]);
    match content {
        Content::Plain(key) => {
            put(&mut out[..], 4, &[PLAIN]);
            put(&mut out[..], 5, &key[..]);
        }
        Content::Wrapped(wrapped) => {
            put(&mut out[..], 4, &[WRAPPED_KEY]);
            put(&mut out[..], 5, wrapped);
        }
        Content::Destroyed | Content::Damaged => put(&mut out[..], 4, &[DESTROYED]),
    }
    let sum = checksum(&out[..], 4..SLOT - KEY);
    put(&mut out[..], 0, &sum);
    out
}

/// Whether the header is as it should be, and the slots of a file with their offsets. Slots that were never written, or not to their ends, are left out: nothing relied
/// on them.
///
/// # Errors
/// What is wrong with the file as a whole.
pub(super) fn parse(bytes: &[u8], tenant: TenantNo) -> Result<(bool, Slots), &'static str> {
    let slots = bytes.chunks_exact(SLOT).enumerate().skip(1);
    let slots = slots.filter_map(|(at, slot)| {
        let (person, content) = parse_slot(slot)?;
        Some(((at * SLOT) as u64, person, content))
    });
    let slots: Vec<_> = slots.collect();
    match bytes.get(..SLOT) {
        Some(first) if first == header(tenant) => Ok((true, slots)),
        // The header and the first slots are synced together: it may be what did not get to the disk.
        Some(first) if first.iter().all(|byte| *byte == 0) => Ok((false, slots)),
        _ if slots.is_empty() => Ok((false, slots)),
        _ => Err("it is not the key file of this tenant"),
    }
}

fn parse_slot(slot: &[u8]) -> Option<(Id, Content)> {
    let length = usize::from(*slot.get(5)?);
    let person = slot.get(PERSON..KEY)?.get(..length)?;
    if slot.get(..4)? != checksum(slot, 4..KEY) || slot.get(4) != Some(&VERSION) {
        return None;
    }
    let person = Id::parse(std::str::from_utf8(person).ok()?, "person").ok()?;
    let part = slot.get(KEY..)?;
    // A key that has moved to another slot.
    let moved = part.iter().all(|byte| *byte == 0);
    (!moved).then(|| (person, content(part)))
}

fn content(part: &[u8]) -> Content {
    let whole = part.get(..4).is_some_and(|sum| sum == checksum(part, 4..part.len()));
    match (whole, part.get(4)) {
        (true, Some(&PLAIN)) => part
            .get(5..)
            .and_then(|rest| rest.first_chunk())
            .map_or(Content::Damaged, |key| Content::Plain(Zeroizing::new(*key))),
        (true, Some(&WRAPPED_KEY)) => {
            part.get(5..).and_then(|rest| rest.first_chunk()).map_or(Content::Damaged, |key| Content::Wrapped(*key))
        }
        (true, Some(&DESTROYED)) => Content::Destroyed,
        _ => Content::Damaged,
    }
}

fn checksum(bytes: &[u8], range: std::ops::Range<usize>) -> [u8; 4] {
    crc32fast::hash(bytes.get(range).unwrap_or_default()).to_le_bytes()
}

fn put(out: &mut [u8], at: usize, bytes: &[u8]) {
    out.iter_mut().skip(at).zip(bytes).for_each(|(to, from)| *to = *from);
}
