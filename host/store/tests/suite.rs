//! The contract, run over every engine: whatever holds here may be relied on whatever is below.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod common;

use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

use backroom_store::engine::{Faulty, Memory};
use backroom_store::{
    Entry, Hash, Head, MAX_CHANGES, MAX_KEY, MAX_VALUE, Meta, Store, StoreError, TenantNo, Tx, split_key,
};
use common::*;

#[test]
fn a_unit_of_work_may_move_between_threads() {
    fn check<T: Send + 'static>() {}
    check::<Tx>();
    check::<Store>();
    fn shared<T: Sync>() {}
    shared::<Store>();
}

#[test]
fn an_empty_store_has_nothing() {
    on_every_engine(|name, store| {
        let tx = store.read(ACME).unwrap();
        assert_eq!((tx.revision(), tx.tenant(), tx.is_write(), tx.changes()), (0, ACME, false, 0), "{name}");
        assert_eq!(tx.get::<Note>(&("a".into(), 1)).unwrap(), None, "{name}");
        assert_eq!(notes(&tx), [], "{name}");
        assert_eq!(store.head(ACME).unwrap(), Head::default(), "{name}");
        assert_eq!(store.entry(ACME, 1).unwrap(), None, "{name}");
        assert_eq!(store.entry(ACME, 0).unwrap(), None, "{name}");
        assert_sound(&store);
    });
}

#[test]
fn a_unit_of_work_reads_its_own_writes() {
    on_every_engine(|name, store| {
        put(&store, ACME, &[note("a", 1, "old"), note("a", 2, "kept"), note("a", 4, "gone")]);
        let mut tx = store.write(ACME).unwrap();
        tx.put(&note("a", 1, "new")).unwrap();
        tx.put(&note("a", 3, "added")).unwrap();
        tx.delete::<Note>(&("a".into(), 4));
        tx.delete::<Note>(&("a".into(), 9));
        assert_eq!(tx.changes(), 4, "{name}");
        assert_eq!(tx.get(&("a".into(), 1)).unwrap(), Some(note("a", 1, "new")), "{name}");
        assert_eq!(tx.get::<Note>(&("a".into(), 4)).unwrap(), None, "{name}");
        let all = [note("a", 1, "new"), note("a", 2, "kept"), note("a", 3, "added")];
        assert_eq!(notes(&tx), all, "{name}");
        assert_eq!(tx.last::<Note>(&"a").unwrap(), Some(note("a", 3, "added")), "{name}");
        assert_eq!(store.read(ACME).unwrap().get(&("a".into(), 1)).unwrap(), Some(note("a", 1, "old")), "{name}");
        tx.commit(meta("x")).unwrap().ticket.wait().unwrap();
        assert_eq!(notes(&store.read(ACME).unwrap()), all, "{name}");
        assert_sound(&store);
    });
}

#[test]
fn dropping_rolls_back_and_gives_the_turn_away() {
    on_every_engine(|name, store| {
        let mut tx = store.write(ACME).unwrap();
        tx.put(&note("a", 1, "never")).unwrap();
        drop(tx);
        let tx = store.write(ACME).unwrap();
        assert_eq!(notes(&tx), [], "{name}");
        drop(tx);
        assert_eq!(store.head(ACME).unwrap().number, 0, "{name}");
    });
}

#[test]
fn a_reader_can_stage_but_not_commit() {
    on_every_engine(|name, store| {
        let mut tx = store.read(ACME).unwrap();
        tx.put(&note("a", 1, "dry")).unwrap();
        assert_eq!(notes(&tx), [note("a", 1, "dry")], "{name}");
        assert!(matches!(tx.commit(meta("dry")), Err(StoreError::ReadOnly)), "{name}");
        assert_eq!(notes(&store.read(ACME).unwrap()), [], "{name}");
    });
}

#[test]
fn a_snapshot_does_not_change() {
    on_every_engine(|name, store| {
        put(&store, ACME, &[note("a", 1, "one"), note("a", 2, "two")]);
        let before = store.read(ACME).unwrap();
        for round in 0..20 {
            let mut tx = store.write(ACME).unwrap();
            tx.put(&note("a", 1, &format!("{round}"))).unwrap();
            tx.put(&note("b", round, "more")).unwrap();
            tx.delete::<Note>(&("a".into(), 2));
            tx.commit(meta("x")).unwrap().ticket.wait().unwrap();
        }
        assert_eq!(notes(&before), [note("a", 1, "one"), note("a", 2, "two")], "{name}");
        assert_eq!(before.last::<Note>(&()).unwrap(), Some(note("a", 2, "two")), "{name}");
        assert_eq!(before.revision(), 1, "{name}");
        assert_eq!(notes(&store.read(ACME).unwrap()).len(), 21, "{name}");
    });
}

#[test]
fn tenants_do_not_see_each_other() {
    on_every_engine(|name, store| {
        for tenant in [ACME, BOLT, COPY, TenantNo::PROVIDER, TenantNo(u32::MAX)] {
            put(&store, tenant, &[note("a", 1, &tenant.to_string())]);
        }
        for tenant in [ACME, BOLT, COPY, TenantNo::PROVIDER, TenantNo(u32::MAX)] {
            let tx = store.read(tenant).unwrap();
            assert_eq!(notes(&tx), [note("a", 1, &tenant.to_string())], "{name} {tenant}");
            assert_eq!(tx.last::<Note>(&()).unwrap().map(|note| note.text), Some(tenant.to_string()), "{name}");
            assert_eq!(store.head(tenant).unwrap().number, 1, "{name} {tenant}");
        }
        assert_eq!(notes(&store.read(TenantNo(7)).unwrap()), [], "{name}");
        assert_sound(&store);
    });
}

#[test]
fn scans_page_through_exactly_their_prefix() {
    on_every_engine(|name, store| {
        let all: Vec<_> = (0..300).map(|page| note(["a", "aa", "b"][page as usize % 3], page, "x")).collect();
        put(&store, ACME, &all);
        let mut tx = store.write(ACME).unwrap();
        tx.put(&count("a", 1)).unwrap();
        tx.put(&note("aa", 1000, "staged")).unwrap();
        for (book, expected) in [("a", 100), ("aa", 101), ("b", 100), ("c", 0)] {
            for limit in [1, 7, 100, 1000] {
                let (mut pages, mut after) = (Vec::new(), None);
                loop {
                    let page = tx.scan::<Note>(&book, after.as_deref(), limit).unwrap();
                    assert!(page.len() <= limit, "{name}");
                    let Some((cursor, _)) = page.last() else { break };
                    after = Some(cursor.clone());
                    pages.extend(page.into_iter().map(|(_, note)| note));
                }
                assert_eq!(pages.len(), expected, "{name} {book} {limit}");
                assert!(pages.iter().all(|note| note.book == book), "{name}");
                assert!(pages.is_sorted_by_key(|note| note.page), "{name}");
            }
        }
        assert_eq!(tx.scan::<Note>(&"b", Some(b""), 1).unwrap()[0].1.page, 2, "{name}: a cursor before the prefix");
        assert_eq!(tx.scan::<Note>(&"a", Some(b"zzz"), 9).unwrap(), [], "{name}: a cursor behind the prefix");
        assert_eq!(tx.scan::<Note>(&(), None, 0).unwrap(), [], "{name}");
        assert_eq!(tx.last::<Note>(&"aa").unwrap(), Some(note("aa", 1000, "staged")), "{name}");
    });
}

#[test]
fn ranges_have_the_ends_that_were_asked_for() {
    on_every_engine(|name, store| {
        put(&store, ACME, &(1..=5).map(|page| note("a", page, "x")).collect::<Vec<_>>());
        let tx = store.read(ACME).unwrap();
        let key = |page| ("a".to_owned(), page);
        let rows = [
            (Bound::Included(key(2)), Bound::Included(key(4)), vec![2, 3, 4]),
            (Bound::Excluded(key(2)), Bound::Excluded(key(4)), vec![3]),
            (Bound::Unbounded, Bound::Excluded(key(3)), vec![1, 2]),
            (Bound::Excluded(key(3)), Bound::Unbounded, vec![4, 5]),
            (Bound::Included(key(4)), Bound::Included(key(2)), vec![]),
            (Bound::Excluded(key(2)), Bound::Excluded(key(2)), vec![]),
        ];
        for (from, to, expected) in rows {
            let found = tx.scan_range::<Note>(from.clone(), to.clone(), 10).unwrap();
            let found: Vec<_> = found.into_iter().map(|(_, note)| note.page).collect();
            assert_eq!(found, expected, "{name} {from:?} {to:?}");
        }
        assert_eq!(tx.scan_range::<Note>(Bound::Unbounded, Bound::Unbounded, 2).unwrap().len(), 2, "{name}");
    });
}

#[test]
fn limits_are_refused_by_name_and_nothing_is_staged() {
    on_every_engine(|name, store| {
        let mut tx = store.write(ACME).unwrap();
        let large = tx.put(&note("a", 1, &"x".repeat(MAX_VALUE)));
        assert!(matches!(large, Err(StoreError::TooLarge { what: "the record", limit: MAX_VALUE, .. })), "{name}");
        let long = tx.put(&note(&"x".repeat(MAX_KEY), 1, ""));
        assert!(matches!(long, Err(StoreError::TooLarge { what: "the key", limit: MAX_KEY, .. })), "{name}");
        assert_eq!(tx.changes(), 0, "{name}");
        tx.put(&note("a", 1, &"x".repeat(MAX_VALUE - 100))).unwrap();
        tx.put(&note(&"x".repeat(MAX_KEY - 100), 1, "")).unwrap();
        let committed = tx.commit(Meta { detail: Some(vec![5; 3 << 20]), ..meta("large") }).unwrap();
        committed.ticket.wait().unwrap();
        let entry = store.entry(ACME, 1).unwrap().unwrap();
        assert_eq!(entry.detail.map(|detail| detail.len()), Some(3 << 20), "{name}");
        assert_eq!(notes(&store.read(ACME).unwrap()).len(), 2, "{name}");
    });
}

#[test]
fn too_many_changes_or_too_large_an_entry_are_refused() {
    let store = Store::memory();
    let mut tx = store.write(ACME).unwrap();
    for page in 0..MAX_CHANGES as u32 {
        tx.put(&note("a", page, "")).unwrap();
    }
    assert!(matches!(tx.put(&note("b", 1, "")), Err(StoreError::TooLarge { what: "the number of changes", .. })));
    drop(tx);
    let huge = Meta { detail: Some(vec![0; backroom_store::MAX_PAYLOAD]), ..meta("huge") };
    let refused = store.write(ACME).unwrap().commit(huge);
    assert!(matches!(refused, Err(StoreError::TooLarge { what: "the log entry", .. })));
    assert_eq!(store.head(ACME).unwrap().number, 0);
}

#[test]
fn entries_hold_everything_and_chain_per_tenant() {
    on_every_engine(|name, store| {
        let full = Meta {
            at: 42,
            actor: "ann".into(),
            kind: "run".into(),
            run: Some("r".into()),
            installation: Some("i".into()),
            release: Some([1; 32]),
            input_hash: Some([2; 32]),
            detail: Some(vec![3]),
            effects: vec![vec![4], vec![]],
        };
        let mut tx = store.write(ACME).unwrap();
        tx.put(&note("b", 1, "x")).unwrap();
        tx.put(&note("a", 1, "x")).unwrap();
        tx.delete::<Count>(&"c".into());
        let first = tx.commit(full.clone()).unwrap();
        put(&store, BOLT, &[note("z", 1, "z")]);
        let second = put(&store, ACME, &[]);
        assert_eq!((first.revision, second.revision, first.number, second.number), (1, 3, 1, 2), "{name}");

        let entry = store.entry(ACME, 1).unwrap().unwrap();
        assert_eq!((entry.revision, entry.tenant, entry.number, entry.prev), (1, ACME, 1, Hash::ZERO), "{name}");
        assert_eq!((entry.at, &*entry.actor, &*entry.kind), (42, "ann", "run"), "{name}");
        assert_eq!((entry.run.as_deref(), entry.installation.as_deref()), (Some("r"), Some("i")), "{name}");
        assert_eq!((entry.release, entry.input_hash), (full.release, full.input_hash), "{name}");
        assert_eq!((entry.detail, entry.effects), (full.detail, full.effects), "{name}");
        let spaces: Vec<_> = entry.changes.iter().map(|(key, _)| split_key(key).unwrap()).collect();
        assert_eq!(
            spaces.iter().map(|(tenant, space, _)| (*tenant, *space)).collect::<Vec<_>>(),
            [(ACME, 1), (ACME, 1), (ACME, 2)]
        );
        assert!(entry.changes.is_sorted(), "{name}");
        assert_eq!(entry.changes[2].1, None, "{name}");

        let last = store.entry(ACME, 2).unwrap().unwrap();
        assert_eq!((last.prev, last.hash, last.changes.len()), (first.hash, second.hash, 0), "{name}");
        assert_eq!(store.head(ACME).unwrap(), Head { number: 2, hash: second.hash }, "{name}");
        assert_eq!(store.entry(ACME, 3).unwrap(), None, "{name}");
        assert_eq!(store.entry(BOLT, 2).unwrap(), None, "{name}");
    });
}

#[test]
fn entries_come_in_order_from_where_they_are_asked() {
    on_every_engine(|name, store| {
        for page in 0..600 {
            commit(store.write(TenantNo(page % 5)).unwrap(), &[note("a", page, "some text to fill the segments")]);
        }
        put(&store, ACME, &[]);
        for from in [0, 1, 2, 300, 601, 602] {
            let mut seen = Vec::new();
            store
                .entries(from, &mut |entry| {
                    seen.push(entry.revision);
                    ControlFlow::Continue(())
                })
                .unwrap();
            assert_eq!(seen, (from.max(1)..=601).collect::<Vec<_>>(), "{name} from {from}");
        }
        let mut count = 0;
        let mut stop_at_ten = |_: &Entry| {
            count += 1;
            if count == 10 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        store.entries(1, &mut stop_at_ten).unwrap();
        assert_eq!(count, 10, "{name}");
        for tenant in (0..5).map(TenantNo) {
            let last = store.head(tenant).unwrap().number;
            for number in [1, 2, 50, 51, 52, 53, last - 1, last] {
                let entry = store.entry(tenant, number).unwrap().unwrap();
                assert_eq!((entry.tenant, entry.number), (tenant, number), "{name}");
            }
        }
        assert_sound(&store);
    });
}

#[test]
fn the_next_writer_sees_what_is_not_yet_durable() {
    on_every_engine(|name, store| {
        let first = commit(store.write(ACME).unwrap(), &[note("a", 1, "x")]);
        let tx = store.write(ACME).unwrap();
        assert_eq!((notes(&tx).len(), tx.revision()), (1, first.revision), "{name}");
        let second = commit(tx, &[]);
        assert_eq!((first.number, second.number), (1, 2), "{name}");
    });
}

#[test]
fn a_closed_store_says_so_and_can_still_be_read() {
    on_every_engine(|name, store| {
        put(&store, ACME, &[note("a", 1, "x")]);
        let other = store.clone();
        let late = other.write(ACME).unwrap();
        store.close().unwrap();
        assert!(matches!(late.commit(meta("late")), Err(StoreError::Unavailable(_))), "{name}");
        assert!(other.status().failed.is_some(), "{name}");
        assert_eq!(notes(&other.read(ACME).unwrap()).len(), 1, "{name}");
        other.close().unwrap();
    });
}

#[test]
fn a_faulty_engine_fails_at_each_call_and_keeps_nothing_of_it() {
    // write, write: snapshot, head, append each; then head.
    for fail_at in 1..=7 {
        let memory: Arc<Memory> = Arc::new(Memory::new());
        let store = Store::with_engine(Arc::new(Faulty::new(memory.clone(), fail_at)));
        let step = |page| -> Result<(), StoreError> {
            let mut tx = store.write(ACME)?;
            tx.put(&note("a", page, "x"))?;
            tx.commit(meta("x"))?.ticket.wait()
        };
        let outcomes = [step(1), step(2), store.head(ACME).map(|_| ())];
        let done = outcomes.iter().take_while(|outcome| outcome.is_ok()).count();
        assert_eq!(done as u64, (fail_at - 1) / 3);
        assert!(outcomes[done..].iter().all(|outcome| matches!(outcome, Err(StoreError::Unavailable(_)))));
        let beneath = Store::with_engine(memory);
        assert_eq!(beneath.head(ACME).unwrap().number, done as u64);
        assert_eq!(notes(&beneath.read(ACME).unwrap()).len(), done);
    }
}

#[test]
fn a_store_that_is_dropped_at_once_has_lost_nothing_nor_does_its_state_matter() {
    // The log grows in steps: behind its end there are zeros for as long as a store is open.
    for round in 0..60 {
        let dir = tempfile::tempdir().unwrap();
        for reopened in 0..3 {
            let store = Store::open(dir.path(), options()).unwrap();
            assert_eq!(store.status().durable, reopened, "round {round}");
            drop(commit(store.write(ACME).unwrap(), &[]));
            drop(store);
            remove_state(dir.path());
            let sizes: Vec<u64> = segments(dir.path()).iter().map(|path| path.metadata().unwrap().len()).collect();
            assert!(sizes.iter().all(|size| *size < 4096), "what was set aside is given back: {sizes:?}");
        }
    }
}
