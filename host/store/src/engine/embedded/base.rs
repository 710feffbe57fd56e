//! The base: the records of a state index as they were when it was written anew, neighbours together in compressed blocks.
//!
//! sled takes two to three times the room of what it is given, however it is given, and more the smaller the records are.
//! So what hardly anybody will change stands in a tree of its own: under the last key of each block, so that the block of a
//! key is the first one from that key on. It is written once and never changed; the ordinary tree stands above it. Nothing has to
//! be written to both at once.
//!
//! That a block is gone must not read as that there were no such records. So each begins with the last key of the one before
//! it, and the last one stands under [`END`]: whoever looks for a key finds a block, and sees whether it is the one. Behind all
//! blocks stand filters, numbered, which are held in memory: who looks for a key that is in no block seldom has to read one.

mod block;
mod filter;
mod kept;

use std::io;
use std::ops::{Bound, Range};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use sled::{Db, IVec, Tree};
use zstd::bulk::{Compressor, Decompressor};

use self::block::Block;
use self::filter::Filter;
use self::kept::Kept;
use super::pairs;
use super::state::{damage, failed};
use crate::engine::{KeyRange, Value};
use crate::error::StoreError;
use crate::key::MAX_KEY;

/// The name of the tree.
const TREE: &str = "base";
/// Under this the last block stands: behind every key there can be.
const END: &[u8] = &[0xff; MAX_KEY + 1];
/// Bytes of blocks that are written together.
const WINDOW: usize = 8 << 20;

/// A base to be read.
pub(super) struct Base {
    tree: Tree,
    /// In the order of their stretches, which are all there is.
    filters: Vec<Filter>,
    kept: Kept,
    /// Making one takes longer than its work here.
    decompressors: Mutex<Vec<Decompressor<'static>>>,
}

impl Base {
    fn new(tree: Tree, filters: Vec<Filter>, cache: usize) -> Self {
        Self { tree, filters, kept: Kept::new(cache), decompressors: Mutex::default() }
    }

    /// The base of a database, if it has one; with room in memory for so many bytes of blocks.
    pub(super) fn open(db: &Db, cache: usize) -> sled::Result<Option<Self>> {
        if !db.tree_names().iter().any(|name| **name == *TREE.as_bytes()) {
            return Ok(None);
        }
        let tree = db.open_tree(TREE)?;
        let filters = filters(&tree)?;
        Ok(Some(Self::new(tree, filters, cache)))
    }

    /// The value of a key.
    ///
    /// # Errors
    /// Damage.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<IVec>, StoreError> {
        let stretch = self.filters.partition_point(|filter| filter.last.as_slice() < key);
        if self.filters.get(stretch).is_some_and(|filter| !filter.may_have(filter::hash(key))) {
            return Ok(None);
        }
        let (_, block) = self.find(Bound::Included(key))?;
        Ok(block.get(key).map(IVec::from))
    }

    /// The pairs of a range that is not empty, in order, or in reverse order.
    pub(super) fn range<'a>(&'a self, range: &'a KeyRange, reverse: bool) -> Pairs<'a> {
        let at = match &range.1 {
            Bound::Included(end) | Bound::Excluded(end) if reverse => Bound::Included(end.clone()),
            _ if reverse => Bound::Included(END.to_vec()),
            _ => range.0.clone(),
        };
        Pairs { base: self, range, reverse, next: Some(at), open: None }
    }

    /// The block that has the keys behind a place, and where it ends.
    fn find(&self, from: Bound<&[u8]>) -> Result<(IVec, Arc<Block>), StoreError> {
        if let Some(found) = self.kept.find(from) {
            return Ok(found);
        }
        let found = self.tree.range::<&[u8], _>((from, Bound::Included(END))).next().transpose().map_err(failed)?;
        let (last, packed) = found.ok_or_else(|| damage("its last block is missing"))?;
        let block = self.unpack(&last, &packed)?;
        if !block.follows(from) {
            return Err(damage("one of its blocks is missing"));
        }
        self.kept.keep(last.clone(), &block);
        Ok((last, block))
    }

    fn unpack(&self, last: &IVec, packed: &[u8]) -> Result<Arc<Block>, StoreError> {
        let idle = self.decompressors.lock().pop();
        let mut decompressor = match idle {
            Some(decompressor) => decompressor,
            None => Decompressor::new().map_err(StoreError::io("prepare to read the state index"))?,
        };
        let block = Block::unpack(&mut decompressor, last, packed);
        self.decompressors.lock().push(decompressor);
        block.map(Arc::new).map_err(damage)
    }
}

/// The key of a filter: behind all blocks.
fn filter_key(number: u32) -> Vec<u8> {
    [END, &number.to_be_bytes()].concat()
}

/// The filters of a base. One that is missing or damaged is damage of it all: who trusts the others would miss records.
fn filters(tree: &Tree) -> sled::Result<Vec<Filter>> {
    let bug = |what: &str| sled::Error::ReportableBug(what.into());
    let mut filters = Vec::new();
    for (pair, number) in tree.range(filter_key(0)..).zip(0..) {
        let (key, packed) = pair?;
        if *key != *filter_key(number) {
            return Err(bug("one of its filters is missing"));
        }
        filters.push(Filter::unpack(&key, &packed).map_err(bug)?);
    }
    let whole = filters.last().is_some_and(|filter: &Filter| filter.last == END);
    if whole { Ok(filters) } else { Err(bug("its last filter is missing")) }
}

#[cfg(test)]
impl Base {
    pub(super) fn blocks(&self) -> usize {
        self.tree.range(..=END).count()
    }

    /// As if the filter with this number had never been written.
    pub(super) fn lose_filter(&self, number: u32) {
        assert!(self.tree.remove(filter_key(number)).unwrap().is_some());
    }

    /// As if the block with this number had never been written.
    pub(super) fn lose(&self, number: usize) {
        let key = self.tree.iter().keys().nth(number).unwrap().unwrap();
        self.tree.remove(key).unwrap();
    }
}

/// Pairs of a range, block by block.
pub(super) struct Pairs<'a> {
    base: &'a Base,
    range: &'a KeyRange,
    reverse: bool,
    /// Where the next block is; none behind the last one of the range.
    next: Option<Bound<Vec<u8>>>,
    /// The block being read, and which of its pairs are left.
    open: Option<(Arc<Block>, Range<usize>)>,
}

impl Pairs<'_> {
    /// Opens the next block; whether there is one.
    fn advance(&mut self) -> Result<bool, StoreError> {
        let Some(at) = self.next.take() else { return Ok(false) };
        let (last, block) = self.base.find(at.as_ref().map(Vec::as_slice))?;
        let from = match &self.range.0 {
            Bound::Included(from) => block.count(|key| key < from.as_slice()),
            Bound::Excluded(from) => block.count(|key| key <= from.as_slice()),
            Bound::Unbounded => 0,
        };
        let to = match &self.range.1 {
            Bound::Included(to) => block.count(|key| key <= to.as_slice()),
            Bound::Excluded(to) => block.count(|key| key < to.as_slice()),
            Bound::Unbounded => block.len(),
        };
        self.next = if self.reverse {
            // Nothing is before the first key of the range, which is in this block.
            (from == 0 && !block.before().is_empty()).then(|| Bound::Included(block.before().to_vec()))
        } else {
            (to == block.len() && *last != *END).then(|| Bound::Excluded(last.to_vec()))
        };
        self.open = Some((block, from..to));
        Ok(true)
    }
}

impl Iterator for Pairs<'_> {
    type Item = Result<(Value, Value), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((block, left)) = &mut self.open {
                let number = if self.reverse { left.next_back() } else { left.next() };
                if let Some((key, value)) = number.and_then(|number| block.pair(number)) {
                    return Some(Ok((IVec::from(key).into(), IVec::from(value).into())));
                }
            }
            match self.advance() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    self.open = None;
                    return Some(Err(error));
                }
            }
        }
    }
}

/// A base being written.
///
/// Of each window of blocks first the keys with nothing under them, and then the blocks: the keys make the leaves of the tree,
/// which are written again and again while they grow, and each block is written once, behind its leaf. Measured: 1.1 to 1.2
/// times what the blocks have, instead of 2.1.
pub(super) struct Packer<'a> {
    tree: Tree,
    compressor: Compressor<'static>,
    /// Plain bytes of a block, but for one that has a single larger record.
    block_bytes: usize,
    /// The last key of the block before.
    before: Vec<u8>,
    /// The pairs of the next block, and the last of their keys.
    plain: Vec<u8>,
    last: Vec<u8>,
    window: Vec<(Vec<u8>, Vec<u8>)>,
    window_bytes: usize,
    /// Hashes of the keys of the next filter, and the filters before it.
    hashes: Vec<u32>,
    filters: Vec<Filter>,
    /// Counts keys and values.
    bytes: &'a AtomicU64,
}

impl<'a> Packer<'a> {
    /// Begins the base of a database that has none. Counts its keys and values in `bytes`.
    ///
    /// # Errors
    /// What sled and the operating system report.
    pub(super) fn begin(db: &Db, block_bytes: usize, bytes: &'a AtomicU64) -> Result<Self, StoreError> {
        let tree = db.open_tree(TREE).map_err(failed)?;
        let compressor = block::compressor().map_err(unpacked())?;
        Ok(Self {
            tree,
            compressor,
            block_bytes,
            before: Vec::new(),
            plain: Vec::new(),
            last: Vec::new(),
            window: Vec::new(),
            window_bytes: 0,
            hashes: Vec::new(),
            filters: Vec::new(),
            bytes,
        })
    }

    /// Adds the next record. Keys come in order.
    ///
    /// # Errors
    /// What sled and the operating system report; [`StoreError::Corrupt`] if the key is not behind the one before.
    pub(super) fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        if key <= self.last.as_slice() {
            return Err(damage("the records to write are not in order"));
        }
        if self.hashes.len() == filter::STRETCH {
            self.filters.push(Filter::new(self.last.clone(), &self.hashes));
            self.hashes.clear();
        }
        self.hashes.push(filter::hash(key));
        if !self.plain.is_empty() && self.plain.len() + pairs::size(key, value) > self.block_bytes {
            let last = self.last.clone();
            self.end_block(last.clone())?;
            self.before = last;
        }
        pairs::put(&mut self.plain, key, value);
        self.last.clear();
        self.last.extend_from_slice(key);
        self.bytes.fetch_add((key.len() + value.len()) as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Everything is in. The base has room in memory for so many bytes of blocks.
    ///
    /// # Errors
    /// As [`Packer::put`].
    pub(super) fn finish(mut self, cache: usize) -> Result<Base, StoreError> {
        self.end_block(END.to_vec())?;
        self.write()?;
        self.filters.push(Filter::new(END.to_vec(), &self.hashes));
        for (filter, number) in self.filters.iter().zip(0..) {
            let under = filter_key(number);
            self.tree.insert(&under, filter.pack(&under)).map_err(failed)?;
        }
        Ok(Base::new(self.tree, self.filters, cache))
    }

    fn end_block(&mut self, under: Vec<u8>) -> Result<(), StoreError> {
        let block = block::pack(&mut self.compressor, &under, &self.before, &self.plain).map_err(unpacked())?;
        self.plain.clear();
        self.window_bytes += block.len();
        self.window.push((under, block));
        if self.window_bytes >= WINDOW { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), StoreError> {
        for (key, _) in &self.window {
            self.tree.insert(key, &[]).map_err(failed)?;
        }
        for (key, block) in self.window.drain(..) {
            self.tree.insert(key, block).map_err(failed)?;
        }
        self.window_bytes = 0;
        Ok(())
    }
}

fn unpacked() -> impl FnOnce(io::Error) -> StoreError {
    StoreError::io("compress records of the state index")
}
