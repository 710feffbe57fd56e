//! Blocks that were read of late: decompressing one takes some microseconds, as long as looking it up.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use parking_lot::Mutex;
use sled::IVec;

use super::block::Block;

const PARTS: usize = 16;
/// What a block costs beside its key and itself.
const OVERHEAD: usize = 128;

/// Bounded in bytes; a part that is full begins anew, and what is in use comes back at once. Blocks never change.
pub(super) struct Kept {
    parts: Vec<Mutex<Part>>,
    /// Bytes of one part.
    room: usize,
}

#[derive(Default)]
struct Part {
    blocks: HashMap<IVec, Arc<Block>, RandomState>,
    bytes: usize,
}

impl Kept {
    /// For at most `bytes`.
    pub(super) fn new(bytes: usize) -> Self {
        Self { parts: (0..PARTS).map(|_| Mutex::default()).collect(), room: bytes / PARTS }
    }

    /// The block under this key.
    pub(super) fn get(&self, key: &[u8]) -> Option<Arc<Block>> {
        self.part(key).lock().blocks.get(key).map(Arc::clone)
    }

    /// Keeps a block.
    pub(super) fn keep(&self, key: IVec, block: &Arc<Block>) {
        let cost = OVERHEAD + key.len() + block.size();
        let mut part = self.part(&key).lock();
        if cost > self.room {
            return;
        }
        if part.bytes + cost > self.room {
            part.blocks.clear();
            part.bytes = 0;
        }
        if part.blocks.insert(key, Arc::clone(block)).is_none() {
            part.bytes += cost;
        }
    }

    #[expect(clippy::indexing_slicing, reason = "a remainder is below what it was divided by")]
    fn part(&self, key: &[u8]) -> &Mutex<Part> {
        &self.parts[crc32fast::hash(key) as usize % PARTS]
    }
}
