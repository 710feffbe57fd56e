//! What the tests share: two record types, stores over every engine, and a disk that does what it is told.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

pub mod disk;
pub mod model;
pub mod server;
pub mod vault;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use backroom_store::engine::{Embedded, Faulty, Memory};
use backroom_store::{Committed, Meta, Options, PostgresOptions, Record, Store, TenantNo, Tx};
use disk::{Shared, SimDisk};
use minicbor::{Decode, Encode};
use tempfile::TempDir;

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Note {
    #[n(0)]
    pub book: String,
    #[n(1)]
    pub page: u32,
    #[n(2)]
    pub text: String,
}

impl Record for Note {
    const SPACE: u8 = 1;
    type Key = (String, u32);
    fn key(&self) -> Self::Key {
        (self.book.clone(), self.page)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Count {
    #[n(0)]
    pub name: String,
    #[n(1)]
    pub value: u64,
}

impl Record for Count {
    const SPACE: u8 = 2;
    type Key = String;
    fn key(&self) -> String {
        self.name.clone()
    }
}

pub const ACME: TenantNo = TenantNo(1);
pub const BOLT: TenantNo = TenantNo(2);
/// In the same overlay shard as [`ACME`].
pub const COPY: TenantNo = TenantNo(65);

pub fn note(book: &str, page: u32, text: &str) -> Note {
    Note { book: book.into(), page, text: text.into() }
}

pub fn count(name: &str, value: u64) -> Count {
    Count { name: name.into(), value }
}

pub fn meta(kind: &str) -> Meta {
    Meta { at: 1_700_000_000_000_000, actor: "test".into(), kind: kind.into(), ..Meta::default() }
}

/// Small segments and no patience: what happens once a day in service happens in each test.
pub fn options() -> Options {
    Options {
        turn_timeout: Duration::from_secs(20),
        segment_bytes: 4 << 10,
        cache_bytes: 8 << 20,
        apply_every: Duration::from_millis(1),
        // A record or two, so that there are several blocks wherever the state is written anew.
        block_bytes: 64,
        // Tests ask for it, so that each of its steps has its place in the count of operations.
        upkeep_every: None,
        spare_bytes: 0,
        ..Options::default()
    }
}

pub fn commit(mut tx: Tx, notes: &[Note]) -> Committed {
    for note in notes {
        tx.put(note).unwrap();
    }
    tx.commit(meta("notes")).unwrap()
}

/// Commits and waits for the disk.
pub fn put(store: &Store, tenant: TenantNo, notes: &[Note]) -> Committed {
    let committed = commit(store.write(tenant).unwrap(), notes);
    committed.ticket.wait().unwrap();
    committed
}

pub fn notes(tx: &Tx) -> Vec<Note> {
    tx.scan::<Note>(&(), None, usize::MAX).unwrap().into_iter().map(|(_, note)| note).collect()
}

/// Every record of a tenant as the log says: each durable entry's changes, played in order.
pub fn replayed(store: &Store) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut state = BTreeMap::new();
    store
        .entries(1, &mut |entry| {
            for (key, value) in entry.changes.clone() {
                match value {
                    Some(value) => state.insert(key, value),
                    None => state.remove(&key),
                };
            }
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    state
}

pub fn assert_sound(store: &Store) {
    let report = store.verify(&mut |_| {}).unwrap();
    assert!(report.is_sound(), "{:#?}", report.problems);
    assert_eq!(report.revision, report.entries);
}

/// Runs a test over every engine.
pub fn on_every_engine(test: impl Fn(&str, Store)) {
    test("memory", Store::with_engine_options(Arc::new(Memory::new()), &options()));
    let faulty = Faulty::new(Arc::new(Memory::new()), u64::MAX);
    test("faulty that never fails", Store::with_engine_options(Arc::new(faulty), &options()));
    if let Some(server) = server::Server::shared() {
        test("PostgreSQL", postgres(&server.url(&server.database())));
    }
    let dir = tempfile::tempdir().unwrap();
    test("embedded", Store::open(dir.path(), options()).unwrap());
    let sim = Sim::new();
    test("embedded on a simulated disk", sim.open().unwrap());
}

/// A host over a database. The tests' own records stand in the table for spaces that have none of their own.
pub fn postgres(url: &str) -> Store {
    Store::open_postgres(url, &options(), &untyped()).unwrap()
}

/// Without the tables of record spaces, which tests have for other records.
pub fn untyped() -> PostgresOptions {
    PostgresOptions { connections: 24, tables: &[], ..PostgresOptions::default() }
}

/// A data directory whose log is on a simulated disk.
pub struct Sim {
    pub dir: TempDir,
    pub disk: Arc<SimDisk>,
}

impl Sim {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), disk: SimDisk::new() }
    }

    pub fn open(&self) -> Result<Store, backroom_store::StoreError> {
        self.open_with(&options())
    }

    pub fn open_with(&self, options: &Options) -> Result<Store, backroom_store::StoreError> {
        let (log, checkpoints) = (Shared::log(&self.disk), Shared::checkpoints(&self.disk));
        let engine = Embedded::open_on_both(self.dir.path(), log, checkpoints, options)?;
        Ok(Store::with_engine_options(Arc::new(engine), options))
    }
}

/// Throws the state index away, as an operator may.
pub fn remove_state(dir: &Path) {
    // Until it is opened again, one that was written anew has another name.
    let folders = ["state", "state.new"].map(|name| dir.join(name));
    let removed =
        folders.iter().filter(|folder| folder.exists()).map(|folder| std::fs::remove_dir_all(folder).unwrap());
    assert!(removed.count() > 0, "there was no state");
}

/// The segment files, in order.
pub fn segments(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(dir.join("log")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Copies a folder with everything in it.
pub fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_dir(&path, &to);
        } else {
            std::fs::copy(&path, &to).unwrap();
        }
    }
}
