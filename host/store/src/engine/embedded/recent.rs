//! Records of the state index that were read of late, in front of it, and keys that have none: looking one up in sled takes some
//! microseconds, and every run asks for some that are hardly ever there.
//!
//! Never wrong, by this order: whoever changes the index first writes there and then calls [`Recent::changed`]; whoever reads
//! asks for [`Recent::mark`], reads the index, and then offers what was found. An offer is taken only if nothing of its part
//! changed since the mark. Between the writing and the call, readers may be given the value before; versions above it are in
//! the overlay until later.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use parking_lot::Mutex;
use sled::IVec;

const PARTS: usize = 64;
/// What a record costs beside key and value.
const OVERHEAD: usize = 96;

/// Bounded in bytes; a part that is full begins anew, and what is in use comes back at once.
pub(super) struct Recent {
    parts: Vec<Mutex<Part>>,
    /// Bytes of one part.
    room: usize,
}

#[derive(Default)]
struct Part {
    /// None: there is no record.
    records: HashMap<IVec, Option<IVec>, RandomState>,
    bytes: usize,
    changes: u64,
}

/// When a reading began.
#[derive(Clone, Copy)]
pub(super) struct Mark(u64);

impl Recent {
    /// For at most `bytes`.
    pub(super) fn new(bytes: usize) -> Self {
        Self { parts: (0..PARTS).map(|_| Mutex::default()).collect(), room: bytes / PARTS }
    }

    /// The record, if there is one; or where reading it begins.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<IVec>, Mark> {
        let part = self.part(key).lock();
        part.records.get(key).cloned().ok_or(Mark(part.changes))
    }

    /// Keeps what a reading that began at `mark` found in the index.
    pub(super) fn offer(&self, key: &[u8], value: Option<&IVec>, mark: Mark) {
        let cost = cost(key, value);
        let mut part = self.part(key).lock();
        if part.changes != mark.0 || cost > self.room {
            return;
        }
        if part.bytes + cost > self.room {
            part.records.clear();
            part.bytes = 0;
        }
        if part.records.insert(key.into(), value.cloned()).is_none() {
            part.bytes += cost;
        }
    }

    /// After the index was changed at `key`.
    pub(super) fn changed(&self, key: &[u8]) {
        let mut part = self.part(key).lock();
        part.changes += 1;
        if let Some(value) = part.records.remove(key) {
            part.bytes = part.bytes.saturating_sub(cost(key, value.as_ref()));
        }
    }

    #[expect(clippy::indexing_slicing, reason = "a remainder is below what it was divided by")]
    fn part(&self, key: &[u8]) -> &Mutex<Part> {
        &self.parts[crc32fast::hash(key) as usize % PARTS]
    }
}

fn cost(key: &[u8], value: Option<&IVec>) -> usize {
    OVERHEAD + key.len() + value.map_or(0, |value| value.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> IVec {
        text.as_bytes().into()
    }

    #[test]
    fn what_was_offered_is_given_until_it_changes() {
        let recent = Recent::new(1 << 20);
        let Err(mark) = recent.get(b"a") else { panic!("nothing was offered") };
        recent.offer(b"a", Some(&value("one")), mark);
        assert_eq!(recent.get(b"a").ok(), Some(Some(value("one"))));
        recent.changed(b"a");
        assert!(recent.get(b"a").is_err());
    }

    #[test]
    fn that_there_is_none_is_known_until_there_is_one() {
        let recent = Recent::new(1 << 20);
        let Err(mark) = recent.get(b"a") else { panic!("nothing was offered") };
        recent.offer(b"a", None, mark);
        assert_eq!(recent.get(b"a").ok(), Some(None));
        recent.changed(b"a");
        assert!(recent.get(b"a").is_err());
    }

    #[test]
    fn a_reading_that_a_change_overtook_is_not_kept() {
        let recent = Recent::new(1 << 20);
        let Err(mark) = recent.get(b"a") else { panic!("nothing was offered") };
        recent.changed(b"a");
        recent.offer(b"a", Some(&value("old")), mark);
        assert!(recent.get(b"a").is_err());
    }

    #[test]
    fn it_is_bounded() {
        let recent = Recent::new(PARTS * 1_000);
        for number in 0..10_000_u32 {
            let key = number.to_be_bytes();
            let Err(mark) = recent.get(&key) else { panic!("it is new") };
            recent.offer(&key, Some(&value("0123456789")), mark);
        }
        let bytes: usize = recent.parts.iter().map(|part| part.lock().bytes).sum();
        assert!(bytes > 0 && bytes <= PARTS * 1_000, "{bytes}");
        let Err(mark) = recent.get(b"large") else { panic!("it is new") };
        recent.offer(b"large", Some(&IVec::from(vec![0; 2_000])), mark);
        assert!(recent.get(b"large").is_err(), "it would not fit");
    }
}
