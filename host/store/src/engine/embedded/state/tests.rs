//! An index with a base against a map: gets, and pieces of all kinds of ranges in both directions, while records change.

use std::ops::Bound;

use super::super::{home::Home, state_open};
use super::*;

/// Some hundred records in a few dozen blocks, a few of them large.
const RECORDS: u64 = 600;

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Every second number is a record of the base.
fn key(number: u64) -> Vec<u8> {
    [[0, 0, 0, 1, 7].as_slice(), &number.to_be_bytes()].concat()
}

fn value(random: &mut Random) -> Vec<u8> {
    let length = if random.below(40) == 0 { 20_000 } else { 20 + random.below(300) };
    (0..length).map(|_| random.below(256) as u8 | 1).collect()
}

fn bound(random: &mut Random) -> Bound<Vec<u8>> {
    let key = key(random.below(RECORDS * 2 + 20));
    match random.below(5) {
        0 => Bound::Unbounded,
        1 | 2 => Bound::Included(key),
        _ => Bound::Excluded(key),
    }
}

fn check(index: &Index, model: &BTreeMap<Vec<u8>, Vec<u8>>, random: &mut Random) {
    for _ in 0..200 {
        let key = key(random.below(RECORDS * 2 + 20));
        assert_eq!(index.get(&key).unwrap().as_deref(), model.get(&key).map(Vec::as_slice), "{key:?}");
    }
    for _ in 0..300 {
        // The first bound is a key of its own, as the index has one that is before all others.
        let range = match (bound(random), bound(random)) {
            (Bound::Unbounded, to) => (Bound::Included(vec![0; 4]), to),
            range => range,
        };
        if crate::engine::range_is_empty(&range) {
            continue;
        }
        let (reverse, limit) = (random.below(2) == 1, random.below(80) as usize + 1);
        let all = model.range(range.clone());
        let wanted: Vec<_> =
            if reverse { all.rev().take(limit).collect::<Vec<_>>() } else { all.take(limit).collect::<Vec<_>>() };
        let found = index.chunk(range.clone(), reverse, limit).unwrap();
        let found: Vec<_> = found.iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect();
        let wanted: Vec<_> = wanted.into_iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        assert!(found == wanted, "{range:?}, reverse {reverse}, limit {limit}");
    }
}

#[test]
fn an_index_with_a_base_is_what_a_map_says() {
    for seed in 1..=4 {
        let random = &mut Random(seed);
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(dir.path(), &[]).unwrap();
        let index = state_open::empty(&home, 1 << 20).unwrap();
        let mut model: BTreeMap<_, _> = (0..RECORDS).map(|number| (key(number * 2), value(random))).collect();
        index.write_base(|put| model.iter().try_for_each(|(key, value)| put(key, value))).unwrap();
        let counted: usize = model.iter().map(|(key, value)| key.len() + value.len()).sum();
        assert_eq!(index.bytes(), counted as u64);
        check(&index, &model, random);
        for revision in 1..=20 {
            let changes: Vec<Change> = (0..40)
                .map(|_| {
                    let key = key(random.below(RECORDS * 2 + 20));
                    let value = (random.below(2) == 0).then(|| value(random));
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
        assert_eq!(index.bytes(), 0, "seed {seed}");
        state_open::loaded(&home, &index).unwrap();
        drop(index);
        let (index, applied) = state_open::open(&home, 1 << 20).unwrap();
        assert_eq!(applied, 21);
        check(&index, &model, random);
    }
}

#[test]
fn records_out_of_order_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::open(dir.path(), &[]).unwrap();
    let index = state_open::empty(&home, 1 << 20).unwrap();
    let written = index.write_base(|put| put(&key(2), b"\x01a").and_then(|()| put(&key(2), b"\x01b")));
    assert!(matches!(written, Err(StoreError::Corrupt { .. })));
}
