//! Faults of the disk: each operation of a whole life fails once, and whatever was acknowledged is there afterwards.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use backroom_store::{Committed, Store, StoreError, TenantNo};
use common::disk::Leaves;
use common::*;

/// What the outside world knows: per tenant, how many entries were acknowledged and how many were asked for.
#[derive(Debug, Default, Clone)]
struct Known {
    acknowledged: BTreeMap<TenantNo, u64>,
    asked: BTreeMap<TenantNo, u64>,
}

const TENANTS: [TenantNo; 2] = [ACME, COPY];

/// A commit that changes a pair of records together, adds one and takes one away.
fn one(store: &Store, tenant: TenantNo, known: &mut Known) -> Result<Committed, StoreError> {
    let mut tx = store.write(tenant)?;
    let next = tx.get::<Count>(&"left".into())?.map_or(1, |count| count.value + 1);
    tx.put(&count("left", next))?;
    tx.put(&count("right", next))?;
    tx.put(&note("n", next as u32, &"text ".repeat(40)))?;
    tx.delete::<Note>(&("n".into(), next as u32 - 1));
    known.asked.insert(tenant, next);
    let committed = tx.commit(meta("work"))?;
    assert_eq!(committed.number, next);
    Ok(committed)
}

/// One commit alone, then one that is held in its sync while two others come together behind it: so the groups are the
/// same in each life. Stops at the first error, as a client would.
fn work(sim: &Sim, store: &Store, known: &mut Known, rounds: u64) -> Result<(), StoreError> {
    for _ in 0..rounds {
        one(store, ACME, known)?.ticket.wait()?;
        sim.disk.hold_syncs();
        let first = one(store, COPY, known);
        sim.disk.wait_for_held_sync();
        let behind = [one(store, ACME, known), one(store, COPY, known)];
        sim.disk.release_syncs();
        for (tenant, committed) in [(COPY, first)].into_iter().chain(TENANTS.into_iter().zip(behind)) {
            let committed = committed?;
            committed.ticket.wait()?;
            known.acknowledged.insert(tenant, committed.number);
        }
    }
    Ok(())
}

/// Opening, working, closing, twice: also the second opening must survive faults.
fn life(sim: &Sim, known: &mut Known) -> Result<(), StoreError> {
    for opening in 0..2 {
        let store = sim.open()?;
        let done = work(sim, &store, known, 8).and_then(|()| {
            store.upkeep()?;
            store.checkpoint()?;
            // What sled itself writes for that, and loses, is in the test `power`.
            if opening == 0 {
                store.compact()?;
            }
            store.status().warnings.into_iter().next().map_or(Ok(()), |what| Err(StoreError::Unavailable(what)))
        });
        let closed = store.close();
        done?;
        closed?;
        known.acknowledged = known.asked.clone();
    }
    Ok(())
}

fn check(sim: &Sim, known: &Known, context: &str) {
    let store = sim.open().unwrap_or_else(|error| panic!("{context}: {error}"));
    for tenant in TENANTS {
        let number = store.head(tenant).unwrap().number;
        let (acknowledged, asked) = (known.acknowledged.get(&tenant), known.asked.get(&tenant));
        let (acknowledged, asked) = (acknowledged.copied().unwrap_or(0), asked.copied().unwrap_or(0));
        assert!((acknowledged..=asked).contains(&number), "{context}: {number} of {acknowledged} to {asked}");
        let tx = store.read(tenant).unwrap();
        // All of each commit or nothing of it.
        let values = ["left", "right"].map(|name| tx.get::<Count>(&name.to_owned()).unwrap().map_or(0, |c| c.value));
        assert_eq!(values, [number; 2], "{context}");
        let pages: Vec<u32> = notes(&tx).iter().map(|note| note.page).collect();
        let expected: Vec<u32> = (number > 0).then_some(number as u32).into_iter().collect();
        assert_eq!(pages, expected, "{context}");
    }
    assert_sound(&store);
    // And it goes on.
    let mut known = known.clone();
    work(sim, &store, &mut known, 2).unwrap();
}

fn operations() -> u64 {
    let sim = Sim::new();
    life(&sim, &mut Known::default()).unwrap();
    sim.disk.operations()
}

/// Fails each operation of a life in turn, and checks what is found after the restart.
fn each_fault(dies: bool, after: impl Fn(&Sim, u64)) {
    let all = operations();
    let mut met = BTreeMap::<&str, u32>::new();
    for at in 1..=all {
        let sim = Sim::new();
        sim.disk.fail_at(at, dies);
        let mut known = Known::default();
        let outcome = life(&sim, &mut known);
        let what = sim.disk.failed().unwrap_or_else(|| panic!("operation {at} of {all} did not happen"));
        // Room set aside that cannot be had, or cannot be given back at the end, is nobody's loss.
        if !["reserve", "truncate"].contains(&what) {
            assert!(outcome.is_err(), "a failed {what} must not be swallowed");
        }
        *met.entry(what).or_default() += 1;
        sim.disk.heal();
        after(&sim, at);
        let context = format!("operation {at}, a failed {what}");
        check(&sim, &known, &context);
        // Also from nothing but log and checkpoints; not each time, which would take twice as long.
        if at.is_multiple_of(3) {
            remove_state(sim.dir.path());
            assert_sound(&sim.open().unwrap_or_else(|error| panic!("{context}: {error}")));
        }
    }
    for what in [
        "list",
        "create",
        "open",
        "size",
        "read",
        "append",
        "sync",
        "sync of the folder",
        "rename",
        "reserve",
        "truncate",
    ] {
        assert!(met.contains_key(what), "no {what} failed: {met:?}");
    }
}

#[test]
fn every_disk_operation_may_fail_once() {
    each_fault(false, |_, _| {});
}

#[test]
fn the_power_may_go_at_every_disk_operation_with_all_unsynced_bytes() {
    each_fault(true, |sim, _| sim.disk.power_cut(Leaves::Nothing));
}

#[test]
fn the_power_may_go_at_every_disk_operation_with_some_of_the_unsynced_bytes() {
    each_fault(true, |sim, at| {
        // Any bits will do, and the same ones each time.
        sim.disk.power_cut(Leaves::Some(at.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    });
}

#[test]
fn the_power_may_go_and_everything_written_may_arrive_all_the_same() {
    each_fault(true, |sim, _| sim.disk.power_cut(Leaves::All));
}

#[test]
fn a_reply_waits_for_the_sync() {
    let sim = Sim::new();
    let store = sim.open().unwrap();
    let called = Arc::new(AtomicU32::new(0));
    sim.disk.hold_syncs();
    let committed = commit(store.write(ACME).unwrap(), &[note("a", 1, "x")]);
    let in_callback = Arc::clone(&called);
    committed.ticket.clone().on_durable(Box::new(move |outcome| {
        outcome.unwrap();
        in_callback.fetch_add(1, Ordering::SeqCst);
    }));
    sim.disk.wait_for_held_sync();
    // Written and not synced: a writer sees it, a reader does not, nobody has been told.
    assert_eq!(called.load(Ordering::SeqCst), 0);
    assert_eq!(notes(&store.read(ACME).unwrap()), []);
    assert_eq!(store.head(ACME).unwrap().number, 0);
    assert_eq!(store.entry(ACME, 1).unwrap(), None);
    let next = store.write(ACME).unwrap();
    assert_eq!(notes(&next).len(), 1);
    let second = commit(next, &[note("a", 2, "y")]);
    assert_eq!((store.status().sequenced, store.status().durable), (2, 0));
    sim.disk.release_syncs();
    committed.ticket.wait().unwrap();
    second.ticket.wait().unwrap();
    assert_eq!(called.load(Ordering::SeqCst), 1);
    assert_eq!(notes(&store.read(ACME).unwrap()).len(), 2);
}

#[test]
fn a_failed_sync_stops_the_store_and_opening_again_recovers_it() {
    let sim = Sim::new();
    let store = sim.open().unwrap();
    put(&store, ACME, &[note("a", 1, "kept")]);
    sim.disk.hold_syncs();
    let doubtful = commit(store.write(ACME).unwrap(), &[note("a", 2, "doubtful")]);
    sim.disk.wait_for_held_sync();
    let behind = commit(store.write(BOLT).unwrap(), &[note("a", 3, "never written")]);
    let waiting = store.write(COPY).unwrap();
    sim.disk.fail_at(1, false);
    sim.disk.release_syncs();
    for ticket in [doubtful.ticket, behind.ticket] {
        assert!(matches!(ticket.wait(), Err(StoreError::Unavailable(_))));
    }
    assert!(matches!(store.write(ACME), Err(StoreError::Unavailable(_))));
    assert!(matches!(waiting.commit(meta("late")), Err(StoreError::Unavailable(_))));
    assert!(store.status().failed.unwrap().contains("fault on purpose"));
    // The durable state can still be read, and shows nothing else.
    assert_eq!(notes(&store.read(ACME).unwrap()), [note("a", 1, "kept")]);
    assert_eq!(store.entry(ACME, 1).unwrap().unwrap().number, 1);
    assert!(matches!(store.clone().close(), Err(StoreError::Unavailable(_))));
    drop(store);
    sim.disk.heal();
    sim.disk.power_cut(Leaves::Nothing);
    let store = sim.open().unwrap();
    assert_eq!(notes(&store.read(ACME).unwrap()), [note("a", 1, "kept")]);
    assert_eq!(store.head(BOLT).unwrap().number, 0);
    put(&store, ACME, &[note("a", 2, "again")]);
    assert_sound(&store);
}

#[test]
fn a_failed_sync_of_the_end_of_a_segment_stops_the_store_and_is_not_tried_again() {
    let sim = Sim::new();
    let store = sim.open().unwrap();
    // One entry that fills the segment; zeros that were set aside stand behind it.
    put(&store, ACME, &[note("a", 1, &"x".repeat(options().segment_bytes as usize))]);
    // The next one cuts them off first, and syncs that.
    sim.disk.fail_at(2, false);
    let doubtful = commit(store.write(ACME).unwrap(), &[note("a", 2, "in doubt")]);
    assert!(matches!(doubtful.ticket.wait(), Err(StoreError::Unavailable(_))));
    assert_eq!(sim.disk.failed(), Some("sync"));
    // The disk would take it now, without having what the failed sync was for.
    sim.disk.heal();
    let status = store.status();
    assert!(status.held.is_none() && status.failed.unwrap().contains("sync the end of a log segment"));
    assert!(matches!(store.write(ACME), Err(StoreError::Unavailable(_))));
    drop(store);
    sim.disk.power_cut(Leaves::Nothing);
    let store = sim.open().unwrap();
    assert_eq!(notes(&store.read(ACME).unwrap()).len(), 1);
    assert_eq!(put(&store, ACME, &[note("a", 2, "again")]).number, 2);
    assert_sound(&store);
}

#[test]
fn a_queue_that_stays_full_answers_busy_and_keeps_nothing() {
    let sim = Sim::new();
    let short = backroom_store::Options {
        turn_timeout: std::time::Duration::from_millis(50),
        pending_bytes: 1_000,
        ..options()
    };
    let store = sim.open_with(&short).unwrap();
    sim.disk.hold_syncs();
    let first = commit(store.write(ACME).unwrap(), &[note("a", 1, "being synced")]);
    sim.disk.wait_for_held_sync();
    let second = commit(store.write(ACME).unwrap(), &[note("a", 2, &"x".repeat(900))]);
    let mut third = store.write(ACME).unwrap();
    third.put(&note("a", 3, &"x".repeat(900))).unwrap();
    let refused = third.commit(meta("third")).unwrap_err();
    assert!(matches!(refused, StoreError::Busy(_)) && refused.retriable(), "{refused}");
    sim.disk.release_syncs();
    first.ticket.wait().unwrap();
    second.ticket.wait().unwrap();
    assert_eq!(put(&store, ACME, &[note("a", 4, "goes on")]).number, 3);
    let pages: Vec<_> = notes(&store.read(ACME).unwrap()).iter().map(|note| note.page).collect();
    assert_eq!(pages, [1, 2, 4]);
}

#[test]
fn a_refused_write_is_tried_again_until_it_can_be_done_and_reading_goes_on() {
    use std::io::ErrorKind;
    for (kind, cure) in [
        (ErrorKind::StorageFull, "Make room"),
        (ErrorKind::QuotaExceeded, "quota"),
        (ErrorKind::ReadOnlyFilesystem, "mount the file system writable"),
        (ErrorKind::PermissionDenied, "the right to write"),
        (ErrorKind::Other, "kernel's log"),
    ] {
        let sim = Sim::new();
        let store = sim.open().unwrap();
        put(&store, ACME, &[note("a", 1, "kept")]);
        sim.disk.refuse_writes(Some(kind));
        let doubtful = commit(store.write(ACME).unwrap(), &[note("a", 2, "in doubt")]);
        let Err(StoreError::Unavailable(why)) = doubtful.ticket.wait() else { panic!("acknowledged, {kind}") };
        assert!(why.contains(cure), "{why}");
        let Err(StoreError::Unavailable(why)) = store.write(BOLT) else { panic!("a write began, {kind}") };
        assert!(why.contains(cure), "{why}");
        let status = store.status();
        assert!(status.failed.is_none() && status.held.is_some(), "{status:?}");
        assert_eq!(
            notes(&store.read(ACME).unwrap()),
            [note("a", 1, "kept")],
            "reading goes on, without what is in doubt"
        );
        sim.disk.refuse_writes(None);
        while store.status().held.is_some() {
            std::thread::yield_now();
        }
        assert_eq!(put(&store, ACME, &[note("a", 3, "goes on")]).number, 3, "what was in doubt has kept its place");
        store.close().unwrap();
        sim.disk.power_cut(Leaves::Nothing);
        let store = sim.open().unwrap();
        assert_eq!(notes(&store.read(ACME).unwrap()).len(), 3);
        assert_sound(&store);
    }
}

#[test]
fn on_a_full_disk_the_end_of_the_log_is_made_certain_where_it_is() {
    let sim = Sim::new();
    let store = sim.open().unwrap();
    for page in 0..5 {
        put(&store, ACME, &[note("a", page, "kept")]);
    }
    drop(store);
    sim.disk.refuse_writes(Some(std::io::ErrorKind::StorageFull));
    for _ in 0..2 {
        let store = sim.open().unwrap();
        assert_eq!(notes(&store.read(ACME).unwrap()).len(), 5);
        drop(store);
        sim.disk.power_cut(Leaves::Nothing);
    }
    sim.disk.refuse_writes(None);
    let store = sim.open().unwrap();
    assert_eq!(put(&store, ACME, &[]).number, 6);
    assert_sound(&store);
}

#[test]
fn a_store_that_is_closed_without_room_says_so_and_keeps_what_was_acknowledged() {
    let sim = Sim::new();
    let store = sim.open().unwrap();
    put(&store, ACME, &[note("a", 1, "kept")]);
    sim.disk.refuse_writes(Some(std::io::ErrorKind::StorageFull));
    assert!(commit(store.write(ACME).unwrap(), &[note("a", 2, "in doubt")]).ticket.wait().is_err());
    assert!(matches!(store.close(), Err(StoreError::Unavailable(_))));
    sim.disk.refuse_writes(None);
    for leaves in [Leaves::All, Leaves::Nothing] {
        sim.disk.power_cut(leaves);
        let store = sim.open().unwrap();
        assert_eq!(notes(&store.read(ACME).unwrap()), [note("a", 1, "kept")]);
        assert_sound(&store);
    }
}
