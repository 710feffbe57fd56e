//! A tenant that arrives: all of it or nothing, once, and never in place of another.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a panic is a failed test")]

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;

use backroom_domain::rights::Rights;
use backroom_domain::{Id, Instant};
use backroom_office::{Arrived, NewInstallation, Office, TransferFailure, Written};
use backroom_store::backup::BackupError;
use backroom_store::engine::{Faulty, Memory};
use backroom_store::records::{Counter, Limits, Release, Tenant};
use backroom_store::{Hash, Meta, Store, TenantNo};

const NOW: Instant = Instant(1_780_000_000_000_000);
const COMPONENT: &[u8] = b"a component";

fn id(text: &str) -> Id {
    Id::parse(text, "id").unwrap()
}

fn release() -> Release {
    Release {
        digest: Hash::of(COMPONENT).to_string(),
        plugin: id("plugin"),
        version: "1.0.0".to_owned(),
        description: String::new(),
        wants: Rights::default(),
        imports: Vec::new(),
        size: COMPONENT.len() as u64,
        created_at: NOW,
        functions: Vec::new(),
    }
}

/// The file of a tenant `acme` with an installation and twenty more entries.
fn file() -> Vec<u8> {
    let office = Office::new(Store::memory());
    office.create_tenant("test", NOW, id("first"), "First").unwrap();
    let acme = office.create_tenant("test", NOW, id("acme"), "Acme").unwrap().value;
    office.create_release("test", NOW, release()).unwrap();
    let installation = NewInstallation {
        name: id("monthly"),
        release: release().digest,
        grants: Rights::default(),
        config: BTreeMap::new(),
        limits: Limits::default(),
        accept_rights: false,
    };
    office.install("test", NOW, TenantNo(acme.number), installation).unwrap();
    for last in 1..=20 {
        let mut tx = office.store().write(TenantNo(acme.number)).unwrap();
        tx.put(&Counter { series: "entry".to_owned(), last, failed: None }).unwrap();
        tx.commit(Meta { at: NOW.0 + last, actor: "ann".to_owned(), ..Meta::default() }).unwrap();
    }
    let mut components = |_: &str| Ok(COMPONENT.to_vec());
    office.store().export_tenant(&acme, NOW, Vec::new(), &mut components, &mut |_, _| {}).unwrap().1
}

fn import(office: &Office, file: &[u8], name: Option<&str>) -> Result<Written<Arrived>, TransferFailure> {
    let mut upload = |bytes: &[u8]| {
        assert_eq!(bytes, COMPONENT);
        office.create_release("test", NOW, release()).map(drop).map_err(|why| why.to_string())
    };
    office.import_tenant("ann", NOW, &mut Cursor::new(file), name.map(id), &mut upload, &mut |_, _| {})
}

fn code(failure: TransferFailure) -> String {
    match failure {
        TransferFailure::Failure(backroom_office::Failure::Business(error)) => error.code().to_owned(),
        other => panic!("{other}"),
    }
}

#[test]
fn a_tenant_arrives_once_under_a_name_that_is_free() {
    let (file, office) = (file(), Office::new(Store::memory()));
    let arrived = import(&office, &file, None).unwrap();
    assert!(!arrived.replayed && arrived.ticket.is_some());
    let Arrived { tenant, came_from, entries, releases, .. } = arrived.value.clone();
    assert_eq!((tenant.id.as_str(), tenant.name.as_str(), tenant.number, tenant.created_at), ("acme", "Acme", 1, NOW));
    assert_eq!((came_from.as_str(), entries, releases), ("acme", 21, 1));
    assert_eq!(office.tenant(&id("acme")).unwrap(), tenant);
    assert_eq!(office.installation(TenantNo(1), &id("monthly")).unwrap().release, release().digest);
    let last = office.store().read(TenantNo(1)).unwrap().get::<Counter>(&"entry".to_owned()).unwrap().unwrap().last;
    assert_eq!(last, 20);
    // Again, also after it has gone on.
    office.store().write(TenantNo(1)).unwrap().commit(Meta::default()).unwrap();
    let durable = office.store().status().durable;
    let again = import(&office, &file, None).unwrap();
    assert!(again.replayed && again.value == arrived.value && office.store().status().durable == durable);
    // A second one; and one more tenant, whose number is its own.
    assert_eq!(import(&office, &file, Some("other")).unwrap().value.tenant.number, 2);
    assert_eq!(office.create_tenant("test", NOW, id("third"), "Third").unwrap().value.number, 3);
    assert_eq!(code(import(&office, &file, Some("third")).err().unwrap()), "tenant-exists");
    assert!(office.store().verify(&mut |_| {}).unwrap().is_sound());
}

#[test]
fn a_component_that_is_refused_refuses_the_tenant() {
    let (file, office) = (file(), Office::new(Store::memory()));
    let mut refuse = |_: &[u8]| Err("it wants too much".to_owned());
    let refused = office.import_tenant("ann", NOW, &mut Cursor::new(&file), None, &mut refuse, &mut |_, _| {});
    let refused = refused.err().unwrap();
    assert!(
        matches!(&refused, TransferFailure::File(BackupError::Component { what, .. }) if what == "it wants too much")
    );
    assert_eq!(office.store().status().sequenced, 0);
}

#[test]
fn whatever_fails_leaves_no_tenant() {
    let file = file();
    for fail_from in 1.. {
        let memory = Arc::new(Memory::new());
        let faulty = Office::new(Store::with_engine(Arc::new(Faulty::new(Arc::clone(&memory) as _, fail_from))));
        let done = import(&faulty, &file, None);
        let sound = Office::new(Store::with_engine(memory));
        let tenants = sound.store().read(TenantNo::PROVIDER).unwrap().scan::<Tenant>(&(), None, 9).unwrap();
        assert_eq!(tenants.len(), usize::from(done.is_ok()), "at call {fail_from}");
        // The same again, on what is left of it.
        let after = import(&sound, &file, None).unwrap();
        assert_eq!(after.replayed, done.is_ok());
        assert!(sound.store().verify(&mut |_| {}).unwrap().is_sound(), "at call {fail_from}");
        if done.is_ok() {
            assert!(fail_from > 25, "{fail_from}");
            break;
        }
    }
}
