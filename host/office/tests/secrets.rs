//! Keys of secrets on a real data directory: a crash leaves none behind, a restore to an earlier moment stops nobody, and a tenant
//! that moves comes without them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is a failed test")]

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use backroom_domain::rights::Rights;
use backroom_domain::{Id, Instant};
use backroom_office::{Caller, Failure, Office, Work, secrets};
use backroom_store::records::Secret;
use backroom_store::{Options, Store, TenantNo};

const ACME: TenantNo = TenantNo(1);
const NOW: Instant = Instant(1_782_900_000_000_000);

fn id(text: &str) -> Id {
    Id::parse(text, "id").unwrap()
}

fn caller() -> Caller {
    Caller { actor: "ada".to_owned(), layers: vec![Arc::new(Rights::all())], installation: None, run: None }
}

fn open(dir: &Path) -> Office {
    Office::new(Store::open(dir, Options::default()).unwrap())
}

fn close(office: Office) {
    let store = office.store().clone();
    drop(office);
    store.close().unwrap();
}

fn reading(office: &Office) -> Work {
    office.read(ACME, caller(), NOW).unwrap()
}

fn set(office: &Office, name: &str, text: &str) -> Result<(), Failure> {
    office.set_secret(ACME, caller(), NOW, id(name), text).map(drop)
}

fn told(office: &Office, name: &str) -> Result<String, String> {
    match secrets::reveal(&reading(office), &id(name)) {
        Ok(text) => Ok(String::from_utf8(text.to_vec()).unwrap()),
        Err(Failure::Business(error)) => Err(error.code().to_owned()),
        Err(error) => panic!("{error}"),
    }
}

fn record(office: &Office, name: &str) -> Secret {
    reading(office).tx().get::<Secret>(&id(name)).unwrap().unwrap()
}

/// What can still be read of a record that was there once.
fn opened(office: &Office, secret: &Secret) -> Option<Vec<u8>> {
    let (work, key) = (reading(office), Secret::key_name(secret.number).unwrap());
    let opened = work.tx().seals().open::<Secret>(&key, &secret.name, &secret.sealed).unwrap();
    opened.map(|text| text.to_vec())
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (entry, to) = (entry.as_ref().unwrap(), to.join(entry.as_ref().unwrap().file_name()));
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// The log of now with the keys of then: as after a crash between a commit and the destruction of the key before it.
#[test]
fn opening_finishes_what_a_crash_left_of_replaced_and_deleted_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let [now, then] = ["now", "then"].map(|name| dir.path().join(name));
    let office = open(&now);
    for name in ["bank", "tax", "kept"] {
        set(&office, name, &format!("{name}-of-before")).unwrap();
    }
    let before = ["bank", "tax"].map(|name| record(&office, name));
    close(office);
    copy(&now, &then);

    let office = open(&now);
    set(&office, "bank", "bank-of-now").unwrap();
    let after = record(&office, "bank");
    assert!(office.delete_secret(ACME, caller(), NOW, &id("tax")).unwrap());
    close(office);
    let keys = fs::read(now.join("keys/1.keys")).unwrap();
    fs::remove_dir_all(now.join("keys")).unwrap();
    copy(&then.join("keys"), &now.join("keys"));

    let office = open(&now);
    for secret in &before {
        assert_eq!(opened(&office, secret), None, "the key of {} outlived it", secret.name);
    }
    assert_eq!(told(&office, "kept").as_deref(), Ok("kept-of-before"));
    close(office);

    // With all of its keys, nothing that is in use is taken away.
    fs::write(now.join("keys/1.keys"), keys).unwrap();
    let office = open(&now);
    assert_eq!(told(&office, "bank").as_deref(), Ok("bank-of-now"));
    assert_eq!(opened(&office, &after).as_deref(), Some(b"bank-of-now".as_slice()));
    assert_eq!(told(&office, "kept").as_deref(), Ok("kept-of-before"));
}

/// The state of then with the keys of now, some of which are destroyed: numbers that were given later are not given again.
#[test]
fn secrets_can_be_set_after_a_restore_to_an_earlier_moment() {
    let dir = tempfile::tempdir().unwrap();
    let [now, then] = ["now", "then"].map(|name| dir.path().join(name));
    let office = open(&now);
    set(&office, "bank", "first-token").unwrap();
    close(office);
    copy(&now, &then);
    let office = open(&now);
    for text in ["second-token", "third-token", "fourth-token"] {
        set(&office, "bank", text).unwrap();
    }
    close(office);
    fs::remove_dir_all(then.join("keys")).unwrap();
    copy(&now.join("keys"), &then.join("keys"));

    let office = open(&then);
    assert_eq!(told(&office, "bank"), Err("secret-unknown".to_owned()), "its key was destroyed since");
    set(&office, "bank", "fifth-token").unwrap();
    assert_eq!(told(&office, "bank").as_deref(), Ok("fifth-token"));
    assert_eq!(record(&office, "bank").number, 5);
    set(&office, "tax", "another-token").unwrap();
    assert_eq!(told(&office, "tax").as_deref(), Ok("another-token"));
    assert!(office.store().verify(&mut |_| {}).unwrap().is_sound());
}

/// Whoever takes a tenant in gets the names of its secrets and none of the secrets, and sets them anew.
#[test]
fn a_tenant_that_arrives_has_its_secrets_set_anew() {
    let office = Office::new(Store::memory());
    let acme = office.create_tenant("test", NOW, id("acme"), "Acme").unwrap().value;
    set(&office, "bank", "first-token").unwrap();
    set(&office, "bank", "second-token").unwrap();
    let mut components = |_: &str| Ok(Vec::new());
    let file = office.store().export_tenant(&acme, NOW, Vec::new(), &mut components, &mut |_, _| {}).unwrap().1;
    assert!(!String::from_utf8_lossy(&file).contains("-token"));

    let there = Office::new(Store::memory());
    let mut upload = |_: &[u8]| Ok(());
    drop(there.import_tenant("ann", NOW, &mut Cursor::new(&file), None, &mut upload, &mut |_, _| {}).unwrap());
    assert_eq!(told(&there, "bank"), Err("secret-unknown".to_owned()));
    let names = secrets::names(&reading(&there)).unwrap();
    assert_eq!(names, [id("bank")]);
    set(&there, "bank", "third-token").unwrap();
    assert_eq!(told(&there, "bank").as_deref(), Ok("third-token"));
    assert!(there.delete_secret(ACME, caller(), NOW, &id("bank")).unwrap());
    assert_eq!(told(&office, "bank").as_deref(), Ok("second-token"), "it is still there where it came from");
}
