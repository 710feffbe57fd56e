//! What sealing costs: a worker sealed, opened and read, people hired one by one and in one go.
//!
//! ```text
//! cargo bench -p backroom-store --bench seal
//! ```
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement prints, and stops at the first error")]

use std::time::Instant;

use backroom_domain::Id;
use backroom_domain::hr::{NewWorker, Worker};
use backroom_store::records::StoredWorker;
use backroom_store::{Meta, Options, Record as _, Store, TenantNo};

const TENANT: TenantNo = TenantNo(1);
const PEOPLE: u32 = 1_000;

fn worker(number: u32) -> Worker {
    let new = NewWorker {
        id: Id::parse(&format!("W-{number}"), "id").unwrap(),
        name: format!("Benedikt Farrow the {number}th"),
        email: Some(format!("benedikt.farrow.{number}@harborledger.example")),
        bank_account: Some(format!("TEST-000000000-{number:09}")),
    };
    Worker { new, recorded_at: backroom_domain::Instant(0), erased: false }
}

fn each(what: &str, count: u32, mut act: impl FnMut(u32)) {
    let begin = Instant::now();
    (0..count).for_each(&mut act);
    println!("{what:<55} {:>12.2?} each, {count} of them", begin.elapsed() / count);
}

fn hire(store: &Store, people: impl Iterator<Item = u32>) {
    let mut tx = store.write(TENANT).unwrap();
    for number in people {
        let stored = StoredWorker::seal(&worker(number), tx.seals()).unwrap();
        tx.put(&stored).unwrap();
    }
    tx.commit(Meta::default()).unwrap().ticket.wait().unwrap();
}

fn main() {
    let dir = tempfile::tempdir_in(".").unwrap();
    let store = Store::open(dir.path(), Options::default()).unwrap();
    each("hire 1,000 in one go (one commit)", 1, |_| hire(&store, 0..PEOPLE));
    each("hire one by one (a sync of the key, a sync of the log)", 300, |n| hire(&store, std::iter::once(PEOPLE + n)));
    each("commit of a known person (a sync of the log)", 300, |n| hire(&store, std::iter::once(n)));

    let tx = store.read(TENANT).unwrap();
    let stored: Vec<_> =
        tx.scan::<StoredWorker>(&(), None, PEOPLE as usize).unwrap().into_iter().map(|row| row.1).collect();
    let bytes = stored.iter().map(|stored| stored.encode().len()).max().unwrap();
    println!("{:<55} {bytes:>12} bytes at most", "a stored worker");
    let people: Vec<_> = (0..PEOPLE).map(worker).collect();
    let mut next = people.iter().cycle();
    each("seal a worker", 100_000, |_| drop(StoredWorker::seal(next.next().unwrap(), tx.seals()).unwrap()));
    let mut next = stored.iter().cycle();
    each("open a worker", 100_000, |_| drop(next.next().unwrap().clone().open(tx.seals()).unwrap()));
    let ids: Vec<_> = people.iter().map(|worker| worker.new.id.clone()).collect();
    let mut next = ids.iter().cycle();
    each("read a stored worker", 100_000, |_| drop(tx.get::<StoredWorker>(next.next().unwrap()).unwrap().unwrap()));
    let mut next = ids.iter().cycle();
    each("read and open a worker", 100_000, |_| {
        drop(tx.get::<StoredWorker>(next.next().unwrap()).unwrap().unwrap().open(tx.seals()).unwrap());
    });
    drop(tx);
    store.close().unwrap();
    let begin = Instant::now();
    let store = Store::open(dir.path(), Options::default()).unwrap();
    println!("{:<55} {:>12.2?}", "open the store again", begin.elapsed());
    let begin = Instant::now();
    let tx = store.read(TENANT).unwrap();
    drop(tx.get::<StoredWorker>(&people.last().unwrap().new.id).unwrap().unwrap().open(tx.seals()).unwrap());
    println!("{:<55} {:>12.2?}", "first person of a tenant with 1,300 keys", begin.elapsed());
}
