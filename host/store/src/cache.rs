//! Records that every unit of work reads and hardly any changes, decoded once.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use parking_lot::RwLock;

use crate::record::Record;

/// What was made of records of one kind, kept beside the bytes it was made of. It can never be out of date: it is only used
/// if a snapshot shows the same bytes ([`Tx::get_kept`](crate::Tx::get_kept)).
pub struct Cache<R, T> {
    kept: RwLock<HashMap<Vec<u8>, Kept<T>, RandomState>>,
    limit: usize,
    make: fn(R) -> T,
}

struct Kept<T> {
    bytes: Vec<u8>,
    made: Arc<T>,
}

impl<R: Record, T> Cache<R, T> {
    /// An empty cache of at most `limit` records; `make` says what is made of one.
    pub fn new(limit: usize, make: fn(R) -> T) -> Self {
        Self { kept: RwLock::default(), limit, make }
    }

    /// What was made of exactly these bytes.
    pub(crate) fn find(&self, key: &[u8], bytes: &[u8]) -> Option<Arc<T>> {
        let kept = self.kept.read();
        kept.get(key).filter(|kept| kept.bytes == bytes).map(|kept| Arc::clone(&kept.made))
    }

    /// Makes it and keeps it. A full cache begins anew: what is in use comes back at once.
    pub(crate) fn keep(&self, key: Vec<u8>, bytes: &[u8], record: R) -> Arc<T> {
        let made = Arc::new((self.make)(record));
        let mut kept = self.kept.write();
        if kept.len() >= self.limit && !kept.contains_key(&key) {
            kept.clear();
        }
        kept.insert(key, Kept { bytes: bytes.to_vec(), made: Arc::clone(&made) });
        made
    }
}
