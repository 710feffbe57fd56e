//! The past: a tenant's state as it was, from the log alone.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::engine::{KeyRange, LogItem, Pairs, Snapshot, Value, range_is_empty};
use crate::entry::{Entry, place_of};
use crate::error::StoreError;
use crate::key::split_key;
use crate::store::Store;
use crate::tx::Tx;
use crate::types::{Revision, TenantNo};

impl Store {
    /// A unit of work for reading the tenant's state as it was just before its entry `number`. Reads the log from the
    /// beginning up to there and holds the tenant's records in memory: for replaying and for support, not for requests.
    /// `progress` is told each revision that was read.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the log is damaged on the way, or has no such entry.
    pub fn before(&self, tenant: TenantNo, number: u64, progress: &mut dyn FnMut(Revision)) -> Result<Tx, StoreError> {
        let mut past = Past::default();
        let mut failed = None;
        let mut reached = false;
        self.engine().read_log(1, &mut |item| {
            let step = past.take(item, tenant, number);
            progress(past.revision);
            match step {
                Ok(false) => ControlFlow::Continue(()),
                Ok(true) => {
                    reached = true;
                    ControlFlow::Break(())
                }
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        match failed {
            Some(error) => Err(error),
            None if !reached => Err(StoreError::corrupt(
                format!("the log of tenant {tenant}"),
                format!("it has no durable entry {number}"),
            )),
            None => Ok(Tx::new(self.clone(), tenant, Box::new(past), None)),
        }
    }
}

/// One tenant's records at one time.
#[derive(Default)]
struct Past {
    records: BTreeMap<Vec<u8>, Value>,
    revision: Revision,
}

impl Past {
    /// Plays one item of the log; `true` if it is the entry to stop before.
    fn take(&mut self, item: LogItem<'_>, tenant: TenantNo, number: u64) -> Result<bool, StoreError> {
        let (place, revision, payload) = match item {
            LogItem::Damage { place, what, .. } => return Err(StoreError::corrupt(place.to_string(), what)),
            LogItem::Entry { place, revision, payload } => (place, revision, payload),
        };
        let damaged = |why| StoreError::corrupt(place.to_string(), why);
        let whose = place_of(payload).map_err(damaged)?;
        if whose == (tenant, number) {
            return Ok(true);
        }
        self.revision = revision;
        if whose.0 == tenant {
            for (key, value) in Entry::decode(revision, payload).map_err(damaged)?.changes {
                match value {
                    Some(value) => self.records.insert(key, Value::from(std::sync::Arc::<[u8]>::from(value))),
                    None => self.records.remove(&key),
                };
            }
        }
        Ok(false)
    }
}

impl Snapshot for Past {
    fn revision(&self) -> Revision {
        self.revision
    }

    fn get(&self, key: &[u8]) -> Result<Option<Value>, StoreError> {
        Ok(self.records.get(key).cloned())
    }

    fn scan(&self, range: KeyRange, reverse: bool, _wanted: usize) -> Pairs<'_> {
        if range_is_empty(&range) {
            return Box::new(std::iter::empty());
        }
        let bounds = (range.0.as_ref().map(Vec::as_slice), range.1.as_ref().map(Vec::as_slice));
        let pairs = self.records.range::<[u8], _>(bounds);
        let pairs =
            pairs.map(|(key, value)| Ok((Value::from(std::sync::Arc::<[u8]>::from(key.as_slice())), value.clone())));
        if reverse { Box::new(pairs.rev()) } else { Box::new(pairs) }
    }

    fn next_tenant(&self, from: TenantNo) -> Result<Option<TenantNo>, StoreError> {
        let first = self.records.keys().next().and_then(|key| split_key(key)).map(|(tenant, ..)| tenant);
        Ok(first.filter(|tenant| *tenant >= from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Meta;
    use crate::records::Counter;

    fn write(store: &Store, tenant: TenantNo, change: impl FnOnce(&mut Tx)) -> u64 {
        let mut tx = store.write(tenant).unwrap();
        let expected = tx.commit_number().unwrap();
        change(&mut tx);
        let committed = tx.commit(Meta::default()).unwrap();
        committed.ticket.wait().unwrap();
        assert_eq!(committed.number, expected);
        committed.number
    }

    fn counter(series: &str, last: u64) -> Counter {
        Counter { series: series.to_owned(), last, failed: None }
    }

    #[test]
    fn the_past_is_what_the_log_says_and_nothing_of_others() {
        let store = Store::memory();
        let (one, other) = (TenantNo(1), TenantNo(2));
        write(&store, one, |tx| {
            tx.put(&counter("a", 1)).unwrap();
            tx.put(&counter("b", 1)).unwrap();
        });
        write(&store, other, |tx| tx.put(&counter("a", 9)).unwrap());
        write(&store, one, |tx| tx.delete::<Counter>(&"b".to_owned()));
        let last = write(&store, one, |tx| tx.put(&counter("a", 2)).unwrap());
        assert_eq!(last, 3);
        let at = |number| {
            let past = store.before(one, number, &mut |_| {}).unwrap();
            let rows = past.scan::<Counter>(&(), None, 10).unwrap();
            rows.into_iter().map(|(_, row)| (row.series, row.last)).collect::<Vec<_>>()
        };
        assert_eq!(at(1), []);
        assert_eq!(at(2), [("a".to_owned(), 1), ("b".to_owned(), 1)]);
        assert_eq!(at(3), [("a".to_owned(), 1)]);
        let past = store.before(one, 3, &mut |_| {}).unwrap();
        assert_eq!(past.get::<Counter>(&"b".to_owned()).unwrap(), None);
        assert_eq!(past.last::<Counter>(&()).unwrap(), Some(counter("a", 1)));
        assert!(past.commit(Meta::default()).is_err());
        assert!(matches!(store.before(one, 4, &mut |_| {}), Err(StoreError::Corrupt { .. })));
    }
}
