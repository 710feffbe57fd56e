//! An index with a base against a map: single records, and pieces of all kinds of ranges in both directions, while records
//! change. Another seed: `BACKROOM_SEED=7 cargo test -p backroom-store --lib an_index_with_a_base`.

use std::ops::Bound;

use super::super::{home::Home, state_open};
use super::*;

/// Some hundred records in a few dozen blocks, some of them large.
const RECORDS: u64 = 600;
const BLOCK: usize = 2_000;

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    /// Any key there may be: of three tenants, and some are the beginning of others.
    fn key(&mut self) -> Vec<u8> {
        key(self.below(RECORDS * 2 + 20))
    }

    fn value(&mut self) -> Vec<u8> {
        let length = if self.below(40) == 0 { 20_000 } else { 20 + self.below(300) };
        (0..length).map(|_| self.below(256) as u8 | 1).collect()
    }

    fn bound(&mut self) -> Bound<Vec<u8>> {
        let key = self.key();
        match self.below(5) {
            0 => Bound::Unbounded,
            1 | 2 => Bound::Included(key),
            _ => Bound::Excluded(key),
        }
    }

    /// From anywhere to anywhere, or all that begins in the same way.
    fn range(&mut self) -> KeyRange {
        if self.below(3) == 0 {
            let mut prefix = self.key();
            prefix.truncate(4 + self.below(4) as usize);
            let mut end = prefix.clone();
            *end.last_mut().unwrap() += 1;
            return (Bound::Included(prefix), Bound::Excluded(end));
        }
        match (self.bound(), self.bound()) {
            // The index has a key of its own that is before all others.
            (Bound::Unbounded, to) => (Bound::Included(vec![0; 4]), to),
            range => range,
        }
    }
}

/// Every second number is a record of the base.
fn key(number: u64) -> Vec<u8> {
    [[0, 0, 0, number as u8 % 3, 7].as_slice(), (number / 3).to_string().as_bytes()].concat()
}

fn check(index: &Index, model: &Model, random: &mut Random) {
    for _ in 0..200 {
        let key = random.key();
        assert_eq!(index.get(&key).unwrap().as_deref(), model.get(&key).map(Vec::as_slice), "{key:?}");
    }
    for _ in 0..300 {
        let range = random.range();
        if crate::engine::range_is_empty(&range) {
            continue;
        }
        let (reverse, limit) = (random.below(2) == 1, random.below(80) as usize + 1);
        let all = model.range(range.clone()).map(|(key, value)| (key.clone(), value.clone()));
        let wanted: Vec<_> = if reverse { all.rev().take(limit).collect() } else { all.take(limit).collect() };
        let found = index.chunk(range.clone(), reverse, limit).unwrap();
        let found: Vec<_> = found.iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect();
        assert!(found == wanted, "{range:?}, reverse {reverse}, limit {limit}");
    }
}

/// An empty index beside nothing else.
fn empty() -> (tempfile::TempDir, Home, Index) {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::open(dir.path(), &[]).unwrap();
    let index = state_open::empty(&home, 1 << 20).unwrap();
    (dir, home, index)
}

#[test]
fn an_index_with_a_base_is_what_a_map_says() {
    let given = std::env::var("BACKROOM_SEED").ok().map(|seed| seed.parse().expect("a number"));
    for seed in given.map_or(1..=4, |seed: u64| seed..=seed) {
        println!("seed {seed}");
        let random = &mut Random(seed);
        let (_dir, home, index) = empty();
        let mut model: Model = (0..RECORDS).map(|number| (key(number * 2), random.value())).collect();
        index.write_base(BLOCK, |put| model.iter().try_for_each(|(key, value)| put(key, value))).unwrap();
        let counted: usize = model.iter().map(|(key, value)| key.len() + value.len()).sum();
        assert_eq!(index.bytes(), counted as u64);
        assert!(index.base.get().unwrap().blocks() > 30);
        check(&index, &model, random);
        for revision in 1..=20 {
            let changes: Vec<Change> = (0..40)
                .map(|_| {
                    let key = random.key();
                    let value = (random.below(2) == 0).then(|| random.value());
                    match &value {
                        Some(value) => drop(model.insert(key.clone(), value.clone())),
                        None => drop(model.remove(&key)),
                    }
                    Change { key: key.into(), value: value.map(Into::into) }
                })
                .collect();
            index.apply(changes.iter(), revision).unwrap();
            check(&index, &model, random);
        }
        // All of it goes, and what was counted with it.
        let all: Vec<Change> = (0..RECORDS * 2 + 20).map(|n| Change { key: key(n).into(), value: None }).collect();
        index.apply(all.iter(), 21).unwrap();
        model.clear();
        check(&index, &model, random);
        assert_eq!(index.bytes(), 0);
        state_open::loaded(&home, &index).unwrap();
        drop(index);
        let (index, applied) = state_open::open(&home, 1 << 20).unwrap();
        assert_eq!(applied, 21);
        check(&index, &model, random);
    }
}

/// Whichever it is, and from wherever it is looked for: what is read is right, or says that something is missing.
#[test]
fn a_block_that_is_gone_is_missed_by_whoever_would_have_read_it() {
    let random = &mut Random(7);
    let model: Model = (0..100).map(|number| (key(number * 2), random.value())).collect();
    let blocks = {
        let (_dir, _home, index) = empty();
        index.write_base(BLOCK, |put| model.iter().try_for_each(|(key, value)| put(key, value))).unwrap();
        index.base.get().unwrap().blocks()
    };
    for gone in 0..blocks {
        let (_dir, _home, index) = empty();
        index.write_base(BLOCK, |put| model.iter().try_for_each(|(key, value)| put(key, value))).unwrap();
        index.base.get().unwrap().lose(gone);
        let missed = |read: Result<bool, StoreError>| match read {
            Ok(right) => {
                assert!(right, "block {gone}");
                0
            }
            Err(error) => {
                assert!(error.to_string().contains("missing"), "block {gone}: {error}");
                1
            }
        };
        let get = |number| {
            let key = key(number);
            index.get(&key).map(|found| found.as_deref() == model.get(&key).map(Vec::as_slice))
        };
        let single: usize = (0..200).map(|number| missed(get(number))).sum();
        assert!((1..200).contains(&single), "block {gone}: {single} of 200");
        let mut ranges = 0;
        for _ in 0..500 {
            let (range, reverse) = (random.range(), random.below(2) == 1);
            if !crate::engine::range_is_empty(&range) {
                let wanted = model.range(range.clone()).count();
                ranges += missed(index.chunk(range, reverse, 1_000).map(|found| found.len() == wanted));
            }
        }
        assert!(ranges > 0);
        for reverse in [false, true] {
            let all = (Bound::Included(vec![0; 4]), Bound::Unbounded);
            assert!(index.chunk(all, reverse, 1_000).is_err(), "block {gone}, reverse {reverse}");
        }
    }
}

#[test]
fn an_index_without_one_of_its_filters_is_built_again() {
    let model: Model = (0..RECORDS).map(|number| (key(number * 2), b"\x01a".to_vec())).collect();
    for gone in [0, 3, 5] {
        let (_dir, home, index) = empty();
        index.write_base(BLOCK, |put| model.iter().try_for_each(|(key, value)| put(key, value))).unwrap();
        index.advance(std::iter::empty(), 3).unwrap();
        index.base.get().unwrap().lose_filter(gone);
        state_open::loaded(&home, &index).unwrap();
        drop(index);
        let (index, applied) = state_open::open(&home, 1 << 20).unwrap();
        assert!(applied == 0 && index.base.get().is_none(), "filter {gone}");
    }
}

#[test]
fn a_base_without_records_is_a_base() {
    let (_dir, home, index) = empty();
    index.write_base(BLOCK, |_| Ok(())).unwrap();
    index.advance(std::iter::empty(), 3).unwrap();
    state_open::loaded(&home, &index).unwrap();
    drop(index);
    let (index, applied) = state_open::open(&home, 1 << 20).unwrap();
    assert_eq!((applied, index.base.get().unwrap().blocks()), (3, 1));
    check(&index, &Model::new(), &mut Random(1));
}

#[test]
fn records_out_of_order_are_refused() {
    let (_dir, _home, index) = empty();
    let written = index.write_base(BLOCK, |put| put(&key(2), b"\x01a").and_then(|()| put(&key(2), b"\x01b")));
    assert!(matches!(written, Err(StoreError::Corrupt { .. })));
}

/// Wherever setting them is cut off, heads and revision are those of one moment.
#[test]
fn what_was_reached_is_finished_by_opening() {
    let [first, second] = [1, 2].map(|tenant| crate::index::head_key(TenantNo(tenant)));
    for set in 0..=2 {
        let (_dir, home, index) = empty();
        let heads = |value: &'static [u8]| [(&*first, value), (&*second, value)];
        index.reach(&heads(b"before"), 3).unwrap();
        index.intend(&heads(b"after"), 4).unwrap();
        for (key, value) in heads(b"after").into_iter().take(set) {
            index.db.insert(key, value).unwrap();
        }
        state_open::loaded(&home, &index).unwrap();
        drop(index);
        let (index, applied) = state_open::open(&home, 1 << 20).unwrap();
        assert_eq!(applied, 4, "{set} heads set");
        for (key, value) in heads(b"after") {
            assert_eq!(index.get(key).unwrap().as_deref(), Some(value), "{set} heads set");
        }
        // What was intended once does not come back over what is newer.
        index.advance(heads(b"newer").into_iter(), 5).unwrap();
        state_open::loaded(&home, &index).unwrap();
        drop(index);
        let (index, applied) = state_open::open(&home, 1 << 20).unwrap();
        assert_eq!((applied, index.get(&first).unwrap().as_deref()), (5, Some(b"newer".as_slice())));
    }
}

#[test]
fn how_far_an_index_is_was_written_in_three_ways() {
    let (revision, bytes) = (7_u64.to_be_bytes(), 9_u64.to_be_bytes());
    assert_eq!(decode_applied(&revision), Some((7, 0, false)));
    assert_eq!(decode_applied(&[revision, bytes].concat()), Some((7, 9, false)));
    assert_eq!(decode_applied(&[&revision, &bytes, [HAS_BASE].as_slice()].concat()), Some((7, 9, true)));
    for wrong in [&[][..], &[1; 7], &[1; 12], &[1; 18], &[2; 17]] {
        assert_eq!(decode_applied(wrong), None, "{wrong:?}");
    }
}
