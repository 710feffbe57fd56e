//! Many at once: isolation, turns, locks, and snapshots that are held too long.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod common;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use backroom_store::{Options, Store, StoreError, TenantNo};
use common::*;

const ACCOUNTS: u64 = 8;

/// Moves one from account to account: the sum never changes, in no snapshot.
fn transfer(store: &Store, tenant: TenantNo, from: u64, to: u64) {
    let mut tx = store.write(tenant).unwrap();
    let balance = |tx: &backroom_store::Tx, account: u64| tx.get::<Count>(&account.to_string()).unwrap().unwrap().value;
    let taken = balance(&tx, from) - 1;
    tx.put(&count(&from.to_string(), taken)).unwrap();
    let given = balance(&tx, to) + 1;
    tx.put(&count(&to.to_string(), given)).unwrap();
    tx.commit(meta("transfer")).unwrap().ticket.wait().unwrap();
}

#[test]
fn snapshots_stay_whole_under_concurrent_writers() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), options()).unwrap();
    let tenants = [ACME, BOLT, COPY];
    for tenant in tenants {
        let mut tx = store.write(tenant).unwrap();
        for account in 0..ACCOUNTS {
            tx.put(&count(&account.to_string(), 1_000_000)).unwrap();
        }
        tx.commit(meta("begin")).unwrap().ticket.wait().unwrap();
    }
    let writing = AtomicBool::new(true);
    let checked = AtomicU32::new(0);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..6_u64)
            .map(|writer| {
                let store = &store;
                scope.spawn(move || {
                    for round in 0..150 {
                        let from = (writer + round) % ACCOUNTS;
                        transfer(store, tenants[writer as usize % 3], from, (from + 1 + round % 6) % ACCOUNTS);
                    }
                })
            })
            .collect();
        for tenant in [ACME, BOLT] {
            let (store, writing, checked) = (&store, &writing, &checked);
            scope.spawn(move || {
                let mut revision = 0;
                while writing.load(Ordering::SeqCst) {
                    let tx = store.read(tenant).unwrap();
                    assert!(tx.revision() >= revision, "time does not run backwards");
                    revision = tx.revision();
                    let all = tx.scan::<Count>(&(), None, 100).unwrap();
                    assert_eq!(all.len() as u64, ACCOUNTS);
                    assert_eq!(all.iter().map(|(_, count)| count.value).sum::<u64>(), ACCOUNTS * 1_000_000);
                    // Once more, one by one, after others have committed.
                    for (_, count) in all {
                        assert_eq!(tx.get::<Count>(&count.name).unwrap(), Some(count));
                    }
                    checked.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for writer in writers {
            writer.join().unwrap();
        }
        writing.store(false, Ordering::SeqCst);
    });
    assert!(checked.load(Ordering::SeqCst) > 0);
    for tenant in tenants {
        assert_eq!(store.head(tenant).unwrap().number, 301, "every commit has its own number");
    }
    assert_sound(&store);
}

#[test]
fn a_turn_that_does_not_come_is_busy_and_other_tenants_do_not_wait() {
    let store = Store::with_engine_options(
        Arc::new(backroom_store::engine::Memory::new()),
        &Options { turn_timeout: Duration::from_millis(20), ..options() },
    );
    let held = store.write(ACME).unwrap();
    let refused = store.write(ACME).unwrap_err();
    assert!(matches!(refused, StoreError::Busy(_)) && refused.retriable());
    put(&store, BOLT, &[]);
    assert_eq!(notes(&store.read(ACME).unwrap()), []);
    // A unit of work may end on another thread than the one it began on.
    thread::spawn(move || drop(held)).join().unwrap();
    put(&store, ACME, &[]);
}

#[test]
fn a_data_directory_has_one_owner_who_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), options()).unwrap();
    let Err(StoreError::Locked { holder }) = Store::open(dir.path(), options()) else { panic!("opened twice") };
    assert!(holder.contains(&format!("process {}", std::process::id())), "{holder}");
    let tx = store.read(ACME).unwrap();
    drop(store);
    assert!(
        matches!(Store::open(dir.path(), options()), Err(StoreError::Locked { .. })),
        "a unit of work keeps it open"
    );
    drop(tx);
    Store::open(dir.path(), options()).unwrap();
}

#[test]
fn everything_acknowledged_or_not_is_there_after_dropping() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), options()).unwrap();
    for page in 0..100 {
        commit(store.write(ACME).unwrap(), &[note("a", page, "x")]);
    }
    drop(store);
    let store = Store::open(dir.path(), options()).unwrap();
    assert_eq!(notes(&store.read(ACME).unwrap()).len(), 100);
    let status = store.status();
    assert_eq!((status.durable, status.sequenced, status.applied), (100, 100, 100));
    assert_eq!(replayed(&store).len(), 100);
    assert_sound(&store);
}

/// Little room: a few hundred changes fill it.
fn little_room(snapshot_age: Duration, turn_timeout: Duration) -> Options {
    Options { overlay_bytes: 64 << 10, snapshot_age, turn_timeout, ..options() }
}

#[test]
fn a_forgotten_snapshot_expires_instead_of_stopping_writers() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), little_room(Duration::ZERO, Duration::from_secs(60))).unwrap();
    put(&store, ACME, &[note("a", 1, "old")]);
    let forgotten = store.read(ACME).unwrap();
    for round in 0..100 {
        put(&store, BOLT, &(0..10).map(|page| note("b", round * 10 + page, &"x".repeat(100))).collect::<Vec<_>>());
    }
    for outcome in [forgotten.get::<Note>(&("a".into(), 1)).map(drop), forgotten.scan::<Note>(&(), None, 9).map(drop)] {
        let error = outcome.unwrap_err();
        assert!(matches!(error, StoreError::Expired) && error.retriable());
    }
    assert_eq!(notes(&store.read(ACME).unwrap()), [note("a", 1, "old")]);
    assert_sound(&store);
}

#[test]
fn a_young_snapshot_is_kept_and_writers_are_told_to_wait() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), little_room(Duration::from_secs(3600), Duration::from_millis(100))).unwrap();
    put(&store, ACME, &[note("a", 1, "old")]);
    let young = store.read(ACME).unwrap();
    let one_more = |round: u32| {
        let mut tx = store.write(BOLT).unwrap();
        for page in 0..10 {
            tx.put(&note("b", round * 10 + page, &"x".repeat(100))).unwrap();
        }
        tx.commit(meta("x"))
    };
    let refused = (0..100).map(one_more).find_map(Result::err).unwrap();
    assert!(matches!(refused, StoreError::Busy(_)), "{refused}");
    assert_eq!(notes(&young), [note("a", 1, "old")]);
    drop(young);
    // The applier goes on by itself; each attempt waits a little for it.
    let again = (0..100).map(one_more).find_map(Result::ok).unwrap();
    again.ticket.wait().unwrap();
    assert_sound(&store);
}

#[test]
fn the_last_user_may_be_a_callback() {
    let sim = Sim::new();
    let store = sim.open().unwrap();
    let (done, wait) = mpsc::channel();
    sim.disk.hold_syncs();
    let committed = commit(store.write(ACME).unwrap(), &[note("a", 1, "x")]);
    let ready = Arc::new(Barrier::new(2));
    let in_callback = Arc::clone(&ready);
    committed.ticket.on_durable(Box::new(move |outcome| {
        in_callback.wait();
        drop(store);
        done.send(outcome).unwrap();
    }));
    sim.disk.release_syncs();
    ready.wait();
    wait.recv().unwrap().unwrap();
    // Its threads let go of the directory on their own time: opening waits for them here.
    let store = loop {
        match sim.open() {
            Err(StoreError::Locked { .. }) => thread::yield_now(),
            opened => break opened.unwrap(),
        }
    };
    assert_eq!(notes(&store.read(ACME).unwrap()).len(), 1);
}

/// Two hosts over one database: each has turns of its own, so only the heads can tell that the other one was quicker.
#[test]
fn what_another_host_committed_in_between_is_a_conflict_and_never_written_over() {
    let shared: Arc<dyn backroom_store::Engine> = Arc::new(backroom_store::engine::Memory::new());
    let (here, there) = (Store::with_engine(Arc::clone(&shared)), Store::with_engine(shared));
    put(&here, ACME, &[note("a", 1, "first")]);
    let add = |store: &Store| {
        let mut tx = store.write(ACME).unwrap();
        let value = tx.get::<Count>(&"sum".into()).unwrap().map_or(1, |count| count.value + 1);
        tx.put(&count("sum", value)).unwrap();
        tx
    };
    let (slow, quick) = (add(&here), add(&there));
    assert_eq!((slow.commit_number().unwrap(), quick.commit_number().unwrap()), (2, 2));
    quick.commit(meta("quick")).unwrap().ticket.wait().unwrap();
    let error = slow.commit(meta("slow")).unwrap_err();
    assert!(matches!(error, StoreError::Conflict) && error.retriable(), "{error}");
    add(&here).commit(meta("again")).unwrap().ticket.wait().unwrap();
    let read = there.read(ACME).unwrap();
    assert_eq!(read.get::<Count>(&"sum".into()).unwrap(), Some(count("sum", 2)));
    // Another tenant's commit is none of their business.
    let mine = add(&here);
    put(&there, BOLT, &[note("a", 1, "theirs")]);
    mine.commit(meta("mine")).unwrap().ticket.wait().unwrap();
    assert_sound(&here);
}
