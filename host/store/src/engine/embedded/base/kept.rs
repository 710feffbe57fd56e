//! Blocks that were read of late. One that is here is found without asking sled: that copies a node of its tree for each
//! question about a range, and decompressing a block takes as long again.

use std::collections::BTreeMap;
use std::mem;
use std::ops::Bound;
use std::sync::Arc;

use parking_lot::RwLock;
use sled::IVec;

use super::block::Block;

/// What a block costs beside its key and itself.
const OVERHEAD: usize = 128;

/// Bounded in bytes. Blocks never change.
pub(super) struct Kept {
    blocks: RwLock<Blocks>,
    room: usize,
}

/// By their last keys. When those of late have half of the room, they become the old ones, and what nobody has read since the last
/// time goes.
#[derive(Default)]
struct Blocks {
    late: BTreeMap<IVec, Arc<Block>>,
    bytes: usize,
    old: BTreeMap<IVec, Arc<Block>>,
}

impl Kept {
    /// For at most `bytes`.
    pub(super) fn new(bytes: usize) -> Self {
        Self { blocks: RwLock::default(), room: bytes }
    }

    /// The block that has the keys behind a place, and its last key.
    pub(super) fn find(&self, from: Bound<&[u8]>) -> Option<(IVec, Arc<Block>)> {
        let blocks = self.blocks.read();
        if let Some(found) = at(&blocks.late, from) {
            return Some(found);
        }
        let (last, block) = at(&blocks.old, from)?;
        drop(blocks);
        self.keep(last.clone(), &block);
        Some((last, block))
    }

    /// Keeps a block.
    pub(super) fn keep(&self, last: IVec, block: &Arc<Block>) {
        let (cost, room) = (OVERHEAD + last.len() + block.size(), self.room / 2);
        // Freed when others may go on.
        let _gone;
        let mut blocks = self.blocks.write();
        if blocks.bytes + cost > room {
            blocks.bytes = 0;
            let late = mem::take(&mut blocks.late);
            _gone = mem::replace(&mut blocks.old, late);
        }
        if blocks.late.insert(last, Arc::clone(block)).is_none() {
            blocks.bytes += cost;
        }
    }
}

/// The first block that ends behind a place, unless there are others before it.
fn at(blocks: &BTreeMap<IVec, Arc<Block>>, from: Bound<&[u8]>) -> Option<(IVec, Arc<Block>)> {
    let (last, block) = blocks.range::<[u8], _>((from, Bound::Unbounded)).next()?;
    block.follows(from).then(|| (last.clone(), Arc::clone(block)))
}

#[cfg(test)]
mod tests {
    use super::super::super::pairs;
    use super::super::block;
    use super::*;

    /// The block of the one key `number`, behind that of the number before.
    fn block_of(number: u32) -> (IVec, Arc<Block>) {
        let under = number.to_be_bytes();
        let before = number.checked_sub(1).map_or(Vec::new(), |before| before.to_be_bytes().to_vec());
        let mut plain = Vec::new();
        pairs::put(&mut plain, &under, &[7; 100]);
        let packed = block::pack(&mut block::compressor().unwrap(), &under, &before, &plain).unwrap();
        let block = Block::unpack(&mut zstd::bulk::Decompressor::new().unwrap(), &under, &packed).unwrap();
        (IVec::from(&under), Arc::new(block))
    }

    #[test]
    fn a_block_is_found_by_the_places_in_it_and_by_no_others() {
        let kept = Kept::new(1 << 20);
        for number in [0, 4] {
            let (last, block) = block_of(number);
            kept.keep(last, &block);
        }
        let found = |place: Bound<&[u8]>| kept.find(place).map(|(last, _)| last.to_vec());
        let keys = [0_u32, 3, 4, 5].map(u32::to_be_bytes);
        let [zero, three, four, five] = keys.each_ref().map(<[u8; 4]>::as_slice);
        assert_eq!(found(Bound::Unbounded), Some(zero.to_vec()));
        assert_eq!(found(Bound::Included(zero)), Some(zero.to_vec()));
        assert_eq!(found(Bound::Excluded(zero)), None, "the blocks of 1 to 3 are not here");
        assert_eq!(found(Bound::Included(three)), None);
        assert_eq!(found(Bound::Excluded(three)), Some(four.to_vec()));
        assert_eq!(found(Bound::Included(four)), Some(four.to_vec()));
        assert_eq!(found(Bound::Included(five)), None);
    }

    #[test]
    fn it_is_bounded_and_what_is_read_stays() {
        let (room, read) = (100_000, block_of(0));
        let kept = Kept::new(room);
        kept.keep(read.0.clone(), &read.1);
        for number in 1..10_000 {
            let (last, block) = block_of(number);
            kept.keep(last, &block);
            assert!(kept.find(Bound::Included(&read.0)).is_some(), "{number}");
        }
        let blocks = kept.blocks.read();
        let size = |part: &BTreeMap<IVec, Arc<Block>>| -> usize {
            part.iter().map(|(last, block)| OVERHEAD + last.len() + block.size()).sum()
        };
        assert_eq!(size(&blocks.late), blocks.bytes);
        assert!(size(&blocks.late) <= room / 2 && size(&blocks.old) <= room / 2);
        assert!(size(&blocks.old) > room / 4, "it keeps what it may");
    }
}
