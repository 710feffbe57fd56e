//! Sealing and erasure of personal data, on a real data directory: nothing readable in any file, and nothing that comes back.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test helpers: a panic is a failed test"
)]

mod books;
#[path = "../../store/tests/common/server.rs"]
mod server;

use std::fs;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use backroom_domain::hr::{NewEmployment, NewErasure};
use backroom_domain::rights::{Grant, HrField, HrRights, Rights};
use backroom_domain::{BusinessDate, Class, Effect, Id, Instant, Money};
use backroom_office::effects;
use backroom_office::hr::{
    EmploymentFilter, add_employment, add_worker, bank_account, compensation, erase_person, get_worker,
    list_employments, list_workers, record_benefit, worker_name,
};
use backroom_office::{Caller, Failure, Office, PageRequest, Work, imports};
use backroom_store::backup::{self, BroughtKeys, Folder, Making, Moment};
use backroom_store::engine::Embedded;
use backroom_store::engine::embedded::KeyDisk;
use backroom_store::{MasterKey, Meta, Options, PostgresOptions, Store, StoreError, TenantNo};
use books::{benefit, code, day, employment, id, told, worker};
use memchr::memmem;

const ACME: TenantNo = TenantNo(1);
/// 2026-07-01.
const NOW: Instant = Instant(1_782_900_000_000_000);

fn caller(rights: Rights) -> Caller {
    Caller { actor: "ada".to_owned(), layers: vec![Arc::new(rights)], installation: None, run: None }
}

fn open(dir: &Path) -> Store {
    Store::open(dir, Options::default()).unwrap()
}

fn reading(store: &Store) -> Work {
    Office::new(store.clone()).read(ACME, caller(Rights::all()), NOW).unwrap()
}

fn writing(store: &Store) -> Work {
    Office::new(store.clone()).write(ACME, caller(Rights::all()), NOW).unwrap()
}

fn commit(work: Work) {
    work.seal().unwrap().commit(Meta::default()).unwrap().ticket.wait().unwrap();
}

/// W-1 left in June, W-2 is there.
fn hire(store: &Store) {
    let mut work = writing(store);
    stage(&mut work);
    commit(work);
}

fn stage(work: &mut Work) {
    for number in ["W-1", "W-2"] {
        add_worker(work, worker(number)).unwrap();
    }
    add_employment(work, employment("W-1", "2025-01-01", Some("2025-12-31"))).unwrap();
    add_employment(work, employment("W-1", "2026-01-01", Some("2026-06-30"))).unwrap();
    add_employment(work, employment("W-2", "2026-01-01", None)).unwrap();
    record_benefit(work, benefit("b-1", "W-1", "2026-06-01", "2026-06-30")).unwrap();
}

fn because(reason: &str) -> NewErasure {
    NewErasure { reason: reason.to_owned(), not_before: None }
}

fn erase(store: &Store, number: &str) -> Result<bool, Failure> {
    let office = Office::new(store.clone());
    office.erase_person(ACME, caller(Rights::all()), NOW, &id(number), because("asked for")).map(|done| done.replayed)
}

/// What the log has recorded of hiring, as it reads now: the oldest entry of the tenant.
fn recorded(store: &Store) -> Vec<Effect> {
    let entry = store.entry(ACME, 1).unwrap().unwrap();
    effects::decode_all(&entry.effects, &store.seals(ACME)).unwrap()
}

/// The names in the log's first entry.
fn recorded_names(store: &Store) -> Vec<String> {
    let name = |effect| match effect {
        Effect::WorkerAdded(worker) => Some(worker.new.name),
        _ => None,
    };
    recorded(store).into_iter().filter_map(name).collect()
}

fn assert_sound(store: &Store) {
    let report = store.verify(&mut |_| {}).unwrap();
    assert!(report.is_sound(), "{:#?}", report.problems);
    assert!(report.state_compared);
}

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// How many files below `dir` hold `bytes`.
fn holding(dir: &Path, bytes: &[u8]) -> usize {
    let mut all = Vec::new();
    files(dir, &mut all);
    assert!(!all.is_empty());
    all.iter().filter(|path| memmem::find(&fs::read(path).unwrap(), bytes).is_some()).count()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            assert!(fs::copy(entry.path(), target).is_ok());
        }
    }
}

#[test]
fn nothing_personal_of_the_example_stands_readable_in_any_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/remote-allowance");
    let sent = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let sent = sent.filter(|path| path.extension().is_some_and(|extension| extension == "csv"));
    let sent: Vec<_> =
        sent.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap())).collect();
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut work = writing(&store);
    imports::apply(&mut work, &imports::read(&sent)).unwrap();
    commit(work);
    store.close().unwrap();

    let mut all = Vec::new();
    files(dir.path(), &mut all);
    let contents: Vec<_> = all.iter().map(|path| fs::read(path).unwrap()).collect();
    let stands = |bytes: &[u8]| contents.iter().any(|content| memmem::find(content, bytes).is_some());
    let table = |name: &str| {
        let bytes = &sent.iter().find(|(file, _)| file == name).unwrap().1;
        let mut reader = csv::Reader::from_reader(&bytes[..]);
        let heads = reader.headers().unwrap().clone();
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        (heads.iter().map(str::to_owned).collect::<Vec<_>>(), rows)
    };
    let mut looked_for = 0;
    let (heads, rows) = table("workers.csv");
    for row in &rows {
        for (head, cell) in heads.iter().zip(row) {
            if cell.is_empty() {
                continue;
            }
            // The test could not fail if nothing were found.
            let found = stands(cell.as_bytes());
            assert_eq!(found, head == "id", "{head} {cell}");
            looked_for += u32::from(!found);
        }
    }
    let (heads, rows) = table("employments.csv");
    let [salary, currency] = ["salary", "currency"].map(|name| heads.iter().position(|head| head == name).unwrap());
    let ledger = fs::read_to_string(folder.join("opening-balances.csv")).unwrap();
    for row in rows.iter().filter(|row| !row[salary].is_empty()) {
        let money: Money = format!("{} {}", &row[salary], &row[currency]).parse().unwrap();
        if ledger.split([',', '\n']).any(|cell| cell == &row[salary]) {
            // An amount that stands elsewhere proves nothing.
            continue;
        }
        assert!(!stands(&minicbor::to_vec(money).unwrap()) && !stands(row[salary].as_bytes()), "{money}");
        looked_for += 1;
    }
    let opening = minicbor::to_vec(books::money(0, "USD")).unwrap();
    let currency = &opening[opening.len() - 4..];
    assert!(stands(currency), "money of the ledger is found in this form");
    assert!(looked_for >= 260, "{looked_for}");
}

#[test]
fn what_is_erased_reads_as_erased_and_all_else_stays() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    hire(&store);
    let before = store.head(ACME).unwrap();
    assert_eq!(recorded_names(&store), ["Worker W-1", "Worker W-2"]);
    assert!(!erase(&store, "W-1").unwrap());
    assert!(erase(&store, "W-1").unwrap(), "a repeat is a replay");
    assert_eq!(store.head(ACME).unwrap().number, before.number + 1);

    let check = |store: &Store| {
        let work = reading(store);
        let view = get_worker(&work, &id("W-1")).unwrap();
        assert_eq!(
            (view.name.as_deref(), view.email, view.bank_account, view.erased),
            (Some("(erased)"), None, None, true)
        );
        assert_eq!(worker_name(&work, &id("W-1")).unwrap(), "(erased)");
        assert_eq!(bank_account(&work, &id("W-1")).unwrap(), None);
        assert_eq!(compensation(&work, &id("W-1"), day("2026-06-01")).unwrap(), None);
        // They were so at the time of this work: nothing is missing that was there.
        assert_eq!(work.erased_since(), []);
        let list = list_employments(&work, &EmploymentFilter::default(), &PageRequest::first(10)).unwrap().items;
        let rows: Vec<_> = list
            .iter()
            .map(|e| (e.new.worker.as_str(), e.new.from, e.new.position.as_str(), e.new.salary.is_some(), e.erased))
            .collect();
        let days = [day("2025-01-01"), day("2026-01-01")];
        let left = days.map(|from| ("W-1", from, "CPA", false, true));
        assert_eq!(rows, [left[0], left[1], ("W-2", days[1], "CPA", true, false)]);
        let other = get_worker(&work, &id("W-2")).unwrap();
        assert_eq!((other.name.as_deref(), other.erased), (Some("Worker W-2"), false));
        let benefits = backroom_office::hr::list_benefits(
            &work,
            &id("housing"),
            day("2026-01-01"),
            day("2026-12-31"),
            &PageRequest::first(10),
        );
        assert_eq!(benefits.unwrap().items.len(), 1);
        // In the log, too.
        assert_eq!(recorded_names(store), ["(erased)", "Worker W-2"]);
        let salaries = recorded(store).into_iter().filter_map(|effect| match effect {
            Effect::EmploymentAdded(employment) => Some((employment.erased, employment.new.salary.is_some())),
            _ => None,
        });
        assert_eq!(salaries.collect::<Vec<_>>(), [(true, false), (true, false), (false, true)]);
        // And in the past.
        let past =
            Work::new(store.before(ACME, 2, &mut |_| {}).unwrap(), caller(Rights::all()), NOW, day("2026-06-30"));
        assert_eq!(worker_name(&past, &id("W-1")).unwrap(), "(erased)");
        assert_eq!(compensation(&past, &id("W-1"), day("2026-06-01")).unwrap(), None);
        assert_eq!(past.erased_since(), [(id("W-1"), HrField::Name), (id("W-1"), HrField::Compensation)]);
        assert_eq!(worker_name(&past, &id("W-2")).unwrap(), "Worker W-2");
        assert_sound(store);
    };
    check(&store);
    let entry = store.entry(ACME, 2).unwrap().unwrap();
    assert_eq!((entry.kind.as_str(), entry.actor.as_str()), ("erase-person", "ada"));
    let effect = effects::decode_all(&entry.effects, &store.seals(ACME)).unwrap();
    assert!(matches!(&effect[..], [Effect::PersonErased(e)] if e.worker == id("W-1") && e.reason == "asked for"));

    store.close().unwrap();
    check(&open(dir.path()));
    // State from the log alone.
    fs::remove_dir_all(dir.path().join("state")).unwrap();
    check(&open(dir.path()));
}

/// What was recorded is made again from the past: byte for byte while the key is there, and the same but for what is erased after.
#[test]
fn what_was_recorded_can_be_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    hire(&store);
    let again = |store: &Store| {
        let tx = store.before(ACME, 1, &mut |_| {}).unwrap();
        let mut work = Work::new(tx, caller(Rights::all()), NOW, day("2026-07-01"));
        stage(&mut work);
        work.seal().unwrap().encoded_effects().unwrap()
    };
    let then = store.entry(ACME, 1).unwrap().unwrap().effects;
    assert_eq!(again(&store), then);
    erase(&store, "W-1").unwrap();
    let now = again(&store);
    assert_ne!(now, then, "without the key nothing can be sealed as it was");
    let opened = |effects: &[Vec<u8>]| effects::decode_all(effects, &store.seals(ACME)).unwrap();
    assert_eq!(opened(&now), opened(&then));
    let erased: Vec<_> =
        opened(&then).iter().filter_map(effects::erased_fields).map(|(_, fields)| fields.len()).collect();
    assert_eq!(erased, [3, 1, 1]);
}

#[test]
fn nothing_is_taken_in_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    hire(&store);
    erase(&store, "W-1").unwrap();
    let mut work = writing(&store);
    let refused = (Class::Refused, "person-erased".to_owned(), String::new());
    assert_eq!(told(add_worker(&mut work, worker("W-1"))), refused);
    assert_eq!(told(add_employment(&mut work, employment("W-1", "2026-08-01", None))), refused);
    assert_eq!(told(add_employment(&mut work, employment("W-1", "2026-01-01", Some("2026-06-30")))), refused);
    // A correction of a time when the worker was there has nothing personal in it.
    record_benefit(&mut work, benefit("b-0", "W-1", "2026-05-01", "2026-05-31")).unwrap();
    let files = [(
        "workers.csv".to_owned(),
        b"id,name,email,bank-account\nW-2,Worker W-2,W-2@example.com,IBAN W-2\nW-1,Worker W-1,,\n".to_vec(),
    )];
    let Err(imports::ImportFailure::Rows(rows)) = imports::apply(&mut work, &imports::read(&files)) else { panic!() };
    let rows: Vec<_> = rows.iter().map(|row| (row.file.as_str(), row.line, row.code.as_str())).collect();
    assert_eq!(rows, [("workers.csv", Some(3), "person-erased")]);
}

#[test]
fn erasing_is_refused_in_this_order_and_leaves_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    hire(&store);
    let reads = Rights::from(Grant {
        hr: HrRights { read: [HrField::Name].into(), ..HrRights::default() },
        ..Grant::default()
    });
    let try_it = |rights: Rights, number: &str, new: NewErasure| {
        let mut work = Office::new(store.clone()).write(ACME, caller(rights), NOW).unwrap();
        let outcome = erase_person(&mut work, &id(number), new);
        assert!(outcome.is_ok() || (work.tx().changes(), work.effects().len()) == (0, 0));
        outcome
    };
    let later = |day: &str| NewErasure { not_before: Some(books::day(day)), ..because("x") };
    let plugin = Rights::from(Grant { administer: false, ..Grant::all() });
    for rights in [reads, plugin, Rights::read_only()] {
        assert_eq!(code(try_it(rights, "W-9", because(""))), "administer-denied");
    }
    assert_eq!(code(try_it(Rights::all(), "W-9", because(""))), "text-invalid");
    assert_eq!(code(try_it(Rights::all(), "W-9", because(&"x".repeat(201)))), "text-invalid");
    assert_eq!(told(try_it(Rights::all(), "W-9", because("x"))).0, Class::NotFound);
    assert_eq!(code(try_it(Rights::all(), "W-2", because("x"))), "retention-duty");
    assert_eq!(code(try_it(Rights::all(), "W-1", later("2026-07-02"))), "retention-duty");
    assert!(try_it(Rights::all(), "W-1", later("2026-07-01")).is_ok());

    // Employed until the last day, and yet to be employed.
    let mut work = writing(&store);
    for (number, from, to) in [("W-3", "2026-06-01", "2026-07-01"), ("W-4", "2026-09-01", "2026-12-31")] {
        add_worker(&mut work, worker(number)).unwrap();
        add_employment(&mut work, employment(number, from, Some(to))).unwrap();
    }
    add_worker(&mut work, worker("W-5")).unwrap();
    commit(work);
    for number in ["W-3", "W-4"] {
        assert_eq!(code(try_it(Rights::all(), number, because("x"))), "retention-duty", "{number}");
    }
    assert!(try_it(Rights::all(), "W-5", because("x")).is_ok(), "never employed");
    assert_sound(&store);
}

/// A copy of the keys from before the erasure under today's log; today's keys under a copy of the log from before it; no keys.
#[test]
fn old_copies_bring_nothing_back() {
    let dir = tempfile::tempdir().unwrap();
    let [now, then, mixed] = ["now", "then", "mixed"].map(|name| dir.path().join(name));
    let store = open(&now);
    hire(&store);
    store.clone().close().unwrap();
    drop(store);
    copy(&now, &then);
    let store = open(&now);
    // The first slot's key.
    let key = fs::read(then.join("keys/1.keys")).unwrap()[256 + 96 + 5..][..32].to_vec();
    erase(&store, "W-1").unwrap();
    store.close().unwrap();
    assert_eq!(holding(&now, &key), 0);
    assert_eq!(holding(&then, &key), 1, "the test is one");

    copy(&now, &mixed);
    fs::remove_dir_all(mixed.join("keys")).unwrap();
    copy(&then.join("keys"), &mixed.join("keys"));
    let store = open(&mixed);
    assert_eq!(recorded_names(&store), ["(erased)", "Worker W-2"]);
    assert_eq!(holding(&mixed, &key), 0, "destroyed again");
    assert_sound(&store);
    store.close().unwrap();

    fs::remove_dir_all(mixed.join("keys")).unwrap();
    let store = open(&mixed);
    assert_eq!(name_before_erasure(&store, "W-1").as_deref(), Ok("(erased)"), "no keys at all: erased stays erased");
    assert!(name_before_erasure(&store, "W-2").is_err(), "and a lost key is not taken for an erasure");
    assert_sound(&store);
    store.close().unwrap();

    let old_log = dir.path().join("old-log");
    copy(&then, &old_log);
    fs::remove_dir_all(old_log.join("keys")).unwrap();
    copy(&now.join("keys"), &old_log.join("keys"));
    let store = open(&old_log);
    let view = get_worker(&reading(&store), &id("W-1")).unwrap();
    assert_eq!((view.name.as_deref(), view.erased), (Some("(erased)"), true));
    assert_eq!(recorded_names(&store), ["(erased)", "Worker W-2"]);
    let mut work = writing(&store);
    assert_eq!(
        code(add_employment(&mut work, NewEmployment { ..employment("W-1", "2027-01-01", None) })),
        "person-erased"
    );
    drop(work);
    // It can be erased there as well.
    assert!(!erase(&store, "W-1").unwrap());
    assert_eq!(list_workers(&reading(&store), &PageRequest::first(10)).unwrap().items.len(), 2);
    assert_sound(&store);
}

#[test]
fn a_database_that_is_restored_into_gets_the_keys() {
    let Some(server) = server::Server::shared() else { return };
    let (dir, copies, place) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let master = |number: u8| Options { master_key: MasterKey::parse(&format!("{number:064x}")), ..Options::default() };
    let store = Store::open(dir.path(), master(1)).unwrap();
    hire(&store);
    let [before, after, nothing] = ["before", "after", "nothing"].map(|name| copies.path().join(name));
    copy(&dir.path().join("keys"), &before);
    let vault = Folder::create(place.path()).unwrap();
    let back_up = || {
        let mut none = |digest: &str| Err(format!("there is no release {digest}"));
        store.backup(Making { vault: &vault, now: NOW, components: &mut none, progress: &mut |_, _| {} }).unwrap();
    };
    back_up();
    let hired = store.status().durable;
    erase(&store, "W-1").unwrap();
    back_up();
    copy(&dir.path().join("keys"), &after);
    fs::create_dir(&nothing).unwrap();
    let postgres = PostgresOptions::default();
    let restore = |url: &str, options: &Options, moment, keys: &Path| {
        backup::restore_into_database(&vault, (url, &postgres), options, moment, Some(keys), &mut |_, _| {})
    };
    // What is wrong with the keys is told before anything is restored.
    let database = server.database();
    for (options, keys, why) in [
        (Options::default(), &after, "BACKROOM_MASTER_KEY_FILE"),
        (master(2), &after, "another master key"),
        (master(1), &nothing, "it has no keys"),
    ] {
        let refused = restore(&server.url(&database), &options, Moment::Last, keys).unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
        assert_eq!(server.sql(&database, "SELECT to_regnamespace('backroom') IS NULL"), "t");
    }
    // Erased in the copy already, though not yet at that moment; and in the backup, though not yet in the copy.
    for (moment, keys) in [(Moment::Revision(hired), &after), (Moment::Last, &before)] {
        let url = server.url(&server.database());
        let restored = restore(&url, &master(1), moment, keys).unwrap();
        assert_eq!(restored.keys, Some(BroughtKeys { brought: 1, destroyed: 1, damaged: 0 }));
        let there = Store::open_postgres(&url, &master(1), &postgres).unwrap();
        assert_eq!(recorded_names(&there), ["(erased)", "Worker W-2"]);
        let names = list_workers(&reading(&there), &PageRequest::first(10)).unwrap().items;
        let names: Vec<_> = names.iter().map(|worker| worker.name.as_deref()).collect();
        assert_eq!(names, [Some("(erased)"), Some("Worker W-2")]);
        assert_sound(&there);
    }
    for name in ["1.keys", "master"] {
        let [copied, kept] = [&after, &dir.path().join("keys")].map(|folder| fs::read(folder.join(name)).unwrap());
        assert_eq!(copied, kept, "the copy stays as it is");
    }
}

/// The name of a worker as the log's first entry left it.
fn name_before_erasure(store: &Store, number: &str) -> Result<String, String> {
    let tx = store.before(ACME, 2, &mut |_| {}).unwrap();
    let past = Work::new(tx, caller(Rights::all()), NOW, BusinessDate::parse("2026-06-30", "d").unwrap());
    worker_name(&past, &Id::parse(number, "w").unwrap()).map_err(|failure| failure.to_string())
}

/// The folder of the keys, which fails from a step on.
struct Failing {
    folder: PathBuf,
    steps: AtomicU64,
    fail_from: AtomicU64,
}

impl Failing {
    fn step(&self) -> io::Result<()> {
        let step = self.steps.fetch_add(1, Ordering::SeqCst) + 1;
        let fails = step >= self.fail_from.load(Ordering::SeqCst);
        if fails { Err(io::Error::other("failed on purpose")) } else { Ok(()) }
    }
}

impl KeyDisk for Failing {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.folder.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }
    fn write(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.step()?;
        fs::File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.folder.join(name))?
            .write_all_at(bytes, offset)
    }
    fn sync(&self, _name: &str) -> io::Result<()> {
        self.step()
    }
    fn sync_names(&self) -> io::Result<()> {
        self.step()
    }
}

/// The disk of the keys fails at every step of hiring and of erasing: nothing is acknowledged that is not whole, what is not
/// acknowledged can be done again, and opening ends what was begun.
#[test]
fn a_failure_at_any_step_is_healed() {
    let mut failures = [0, 0];
    for fail_from in 1..12 {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("keys")).unwrap();
        let disk = Arc::new(Failing {
            folder: dir.path().join("keys"),
            steps: AtomicU64::new(0),
            fail_from: AtomicU64::new(fail_from),
        });
        let engine =
            Embedded::open_with_keys_on(dir.path(), Arc::<Failing>::clone(&disk), &Options::default()).unwrap();
        let store = Store::with_engine(Arc::new(engine));
        let mut work = writing(&store);
        add_worker(&mut work, worker("W-1")).unwrap();
        let hired = work.seal().unwrap().commit(Meta::default());
        if let Err(failure) = hired {
            failures[0] += 1;
            assert!(matches!(failure, Failure::Store(StoreError::Io { .. })), "{failure}");
            assert_eq!(store.head(ACME).unwrap().number, 0, "no entry without its key");
            // There is room again.
            disk.fail_from.store(u64::MAX, Ordering::SeqCst);
            let mut work = writing(&store);
            add_worker(&mut work, worker("W-1")).unwrap();
            commit(work);
            assert_eq!(worker_name(&reading(&store), &id("W-1")).unwrap(), "Worker W-1");
        } else {
            hired.unwrap().ticket.wait().unwrap();
            if let Err(failure) = erase(&store, "W-1") {
                failures[1] += 1;
                assert!(matches!(failure, Failure::Store(StoreError::Io { .. })), "{failure}");
                // It is on record and reads so; what is missing is the end of the key.
                assert!(get_worker(&reading(&store), &id("W-1")).unwrap().erased);
                if fail_from % 2 == 0 {
                    disk.fail_from.store(u64::MAX, Ordering::SeqCst);
                    assert!(erase(&store, "W-1").unwrap(), "doing it again ends it");
                    assert_eq!(recorded_names(&store), ["(erased)"]);
                }
            }
            store.close().unwrap();
            let store = open(dir.path());
            assert_eq!(recorded_names(&store), ["(erased)"], "opening ends it");
            assert_sound(&store);
        }
    }
    assert!(failures[0] >= 3 && failures[1] >= 2, "{failures:?}");
}
