//! Leases: a queue is worked through by one host, and a host that has lost it cannot commit any more.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod common;

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use backroom_domain::{Id, Instant};
use backroom_store::records::QueuePlace;
use backroom_store::{Lease, Leases as _, PostgresOptions, Store, StoreError, TenantNo};
use common::server::Server;
use common::{meta, options};

const ACME: TenantNo = TenantNo(1);
const BOLT: TenantNo = TenantNo(2);
const LONG: Duration = Duration::from_secs(600);

/// Two hosts: over one database, and twice the same store in one process.
fn on_two_hosts(test: impl Fn(&Store, &Store)) {
    let memory = Store::memory();
    test(&memory, &memory.clone());
    let dir = tempfile::tempdir().unwrap();
    let embedded = Store::open(dir.path(), options()).unwrap();
    test(&embedded, &embedded.clone());
    if let Some(server) = Server::shared() {
        let url = server.url(&server.database());
        let open = || Store::open_postgres(&url, &options(), &PostgresOptions::default()).unwrap();
        test(&open(), &open());
    }
}

fn place(number: u64) -> QueuePlace {
    QueuePlace { number, id: Id::parse(&format!("run-{number}"), "id").unwrap(), queued_at: Instant(number) }
}

fn enqueue(store: &Store, tenant: TenantNo, number: u64) {
    let mut tx = store.write(tenant).unwrap();
    tx.put(&place(number)).unwrap();
    tx.commit(meta("run-queued")).unwrap().ticket.wait().unwrap();
}

/// Takes a place out of the queue under a lease.
fn finish(store: &Store, lease: Lease, number: u64) -> Result<(), StoreError> {
    let mut tx = store.write(lease.tenant).unwrap();
    tx.set_fence(lease.fence);
    tx.delete::<QueuePlace>(&number);
    tx.commit(meta("run"))?.ticket.wait()
}

#[test]
fn a_host_hears_of_runs_that_another_one_has_queued() {
    let Some(server) = Server::shared() else { return };
    let url = server.url(&server.database());
    // Too seldom to help.
    let deaf = PostgresOptions { poll_every: Duration::from_secs(3600), ..PostgresOptions::default() };
    let [here, there] = [0, 1].map(|_| Store::open_postgres(&url, &options(), &deaf).unwrap());
    let (tell, told) = mpsc::channel();
    let wake = |name: &'static str| {
        let tell = tell.clone();
        Arc::new(move || tell.send(name).unwrap())
    };
    here.on_queued(wake("here"));
    there.on_queued(wake("there"));
    let mut number = 0;
    // It may not be listening yet.
    while let Err(RecvTimeoutError::Timeout) = told.recv_timeout(Duration::from_millis(100)) {
        number += 1;
        assert!(number < 300, "it hears nothing");
        enqueue(&here, ACME, number);
    }
    while told.recv_timeout(Duration::from_millis(100)).is_ok() {}
    let mut tx = here.write(ACME).unwrap();
    tx.delete::<QueuePlace>(&number);
    tx.commit(meta("run")).unwrap().ticket.wait().unwrap();
    enqueue(&there, BOLT, 1);
    assert_eq!(
        told.recv_timeout(Duration::from_secs(30)),
        Ok("here"),
        "and nobody hears of himself, or of what is done"
    );
    assert!(told.try_recv().is_err());
}

#[test]
fn a_queue_is_leased_by_one_host_at_a_time() {
    on_two_hosts(|a, b| {
        assert_eq!(a.lease("a", 9, LONG).unwrap(), [], "nothing waits");
        enqueue(a, ACME, 1);
        enqueue(a, BOLT, 1);
        let first = a.lease("a", 1, LONG).unwrap();
        assert_eq!(first.len(), 1);
        let second = b.lease("b", 9, LONG).unwrap();
        assert_eq!(second.len(), 1);
        assert_ne!(first[0].tenant, second[0].tenant);
        assert!(a.lease("a", 9, LONG).unwrap().is_empty() && b.lease("b", 9, LONG).unwrap().is_empty());
        let held = b.held().unwrap();
        let owners: Vec<_> = held.iter().map(|held| (held.lease, held.owner.as_str())).collect();
        assert!(
            owners.len() == 2 && owners.contains(&(first[0], "a")) && owners.contains(&(second[0], "b")),
            "{held:?}"
        );
        // Only one's own, and only the newest.
        assert_eq!(b.renew("b", &[first[0], second[0]], LONG).unwrap(), second);
        b.release(second[0], Duration::ZERO).unwrap();
        assert_eq!(b.renew("b", &second, LONG).unwrap(), []);
        let third = a.lease("a", 9, LONG).unwrap();
        assert_eq!((third[0].tenant, third[0].fence), (second[0].tenant, second[0].fence + 1));
        // A queue whose work could not be done rests.
        a.release(third[0], LONG).unwrap();
        assert_eq!(b.lease("b", 9, LONG).unwrap(), []);
    });
}

#[test]
fn who_has_lost_its_lease_keeps_nothing() {
    on_two_hosts(|a, b| {
        enqueue(a, ACME, 1);
        enqueue(a, ACME, 2);
        // It ends at once: the host is frozen, and another one takes over.
        let frozen = a.lease("a", 1, Duration::ZERO).unwrap()[0];
        std::thread::sleep(Duration::from_millis(5));
        let taken = b.lease("b", 1, LONG).unwrap()[0];
        assert_eq!((taken.tenant, taken.fence), (ACME, frozen.fence + 1));
        assert_eq!(a.renew("a", &[frozen], LONG).unwrap(), []);
        let head = a.head(ACME).unwrap();
        assert!(matches!(finish(a, frozen, 1), Err(StoreError::Conflict)));
        assert_eq!(a.head(ACME).unwrap(), head, "nothing was kept");
        // What carries no fence is not stopped by that: the chain's head is the first wall.
        enqueue(a, ACME, 3);
        finish(b, taken, 1).unwrap();
        assert_eq!(b.head(ACME).unwrap().number, head.number + 2);
        assert!(matches!(finish(a, frozen, 2), Err(StoreError::Conflict)));
        let left: Vec<u64> = b
            .read(ACME)
            .unwrap()
            .scan::<QueuePlace>(&(), None, 9)
            .unwrap()
            .into_iter()
            .map(|(_, p)| p.number)
            .collect();
        assert_eq!(left, [2, 3], "in order");
        assert!(b.verify(&mut |_| {}).unwrap().is_sound());
    });
}

#[test]
fn one_queue_after_the_other_has_its_turn() {
    on_two_hosts(|a, b| {
        for tenant in [ACME, BOLT, TenantNo(3)] {
            enqueue(a, tenant, 1);
        }
        let mut turns = Vec::new();
        for turn in 0..6 {
            let host = if turn % 2 == 0 { a } else { b };
            let lease = host.lease("x", 1, LONG).unwrap()[0];
            turns.push(lease.tenant.0);
            host.release(lease, Duration::ZERO).unwrap();
            std::thread::sleep(Duration::from_millis(2));
        }
        assert_eq!(turns[..3], turns[3..]);
        turns.sort_unstable();
        assert_eq!(turns, [1, 1, 2, 2, 3, 3]);
    });
}
