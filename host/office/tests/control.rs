//! The service's own records: tenants, keys, releases, installations.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a panic is a failed test")]

use backroom_domain::rights::Rights;
use backroom_domain::{Class, Id, Instant};
use backroom_office::{Failure, MAX_LIMITS, NewInstallation, Office};
use backroom_store::records::{Limits, Release, Role};
use backroom_store::{Store, TenantNo};

const NOW: Instant = Instant(1_780_000_000_000_000);

fn id(text: &str) -> Id {
    Id::parse(text, "id").unwrap()
}

fn office() -> Office {
    let office = Office::new(Store::memory());
    office.create_tenant("test", NOW, id("acme"), "Acme").unwrap();
    let release = Release {
        digest: "d1".to_owned(),
        plugin: id("plugin"),
        version: "1.0.0".to_owned(),
        description: String::new(),
        wants: Rights::default(),
        imports: Vec::new(),
        size: 1,
        created_at: NOW,
        functions: Vec::new(),
    };
    office.create_release("test", NOW, release).unwrap();
    office
}

fn installation(limits: Limits) -> NewInstallation {
    NewInstallation {
        name: id("monthly"),
        release: "d1".to_owned(),
        grants: Rights::default(),
        config: [("key".to_owned(), "value".to_owned())].into(),
        limits,
        accept_rights: false,
    }
}

/// Codes and fields.
type Problems = Vec<(String, String)>;

/// Class, and the codes and fields of all problems.
fn told<T>(result: Result<T, Failure>) -> (Class, Problems) {
    match result.err().expect("a refusal") {
        Failure::Business(error) => {
            let problems = error.problems.into_iter();
            (error.class, problems.map(|p| (p.code.into_owned(), p.field.unwrap_or_default())).collect())
        }
        Failure::Store(error) => panic!("{error}"),
    }
}

fn one(code: &str, field: &str) -> Problems {
    vec![(code.to_owned(), field.to_owned())]
}

#[test]
fn a_tenant_is_made_once_and_keeps_its_number() {
    let office = office();
    let first = office.tenant(&id("acme")).unwrap();
    let again = office.create_tenant("test", NOW, id("acme"), "Acme").unwrap();
    assert!(again.replayed && again.ticket.is_none() && again.value == first);
    let other = office.create_tenant("test", NOW, id("beta"), "Beta").unwrap();
    assert_eq!((first.number, other.value.number), (1, 2));
    let different = office.create_tenant("test", NOW, id("acme"), "Other");
    assert_eq!(told(different), (Class::Conflict, one("exists-with-different", "name")));
    for name in ["", "  ", "a\u{1b}b", &"x".repeat(201)] {
        let refused = office.create_tenant("test", NOW, id("gamma"), name);
        assert_eq!(told(refused), (Class::Invalid, one("text-invalid", "name")), "{name:?}");
    }
    assert_eq!(told(office.tenant(&id("gamma"))).0, Class::NotFound);
}

#[test]
fn a_key_is_found_by_its_secret_alone() {
    let office = office();
    assert!(!office.has_keys().unwrap());
    office.create_key("test", NOW, id("ci"), Role::Operator, Some(id("acme")), "secret").unwrap();
    assert!(office.has_keys().unwrap());
    let found = office.key("secret").unwrap().expect("the key");
    assert_eq!((found.name, found.role, found.tenant), (id("ci"), Role::Operator, Some(id("acme"))));
    assert!(office.key("secre").unwrap().is_none());
    let rows = [(Role::Admin, Some("acme")), (Role::Operator, None), (Role::Reader, None)];
    for (role, tenant) in rows {
        let refused = office.create_key("test", NOW, id("k"), role, tenant.map(id), "x");
        assert_eq!(told(refused), (Class::Invalid, one("role-invalid", "tenant")), "{role:?}");
    }
    let unknown = office.create_key("test", NOW, id("k"), Role::Reader, Some(id("nobody")), "x");
    assert_eq!(told(unknown).0, Class::NotFound);
}

#[test]
fn an_installation_is_bounded_and_changes_only_when_it_says_something_else() {
    let office = office();
    let tenant = TenantNo(1);
    let install = |new| office.install("test", NOW, tenant, new);
    assert!(!install(installation(MAX_LIMITS)).unwrap().replayed);
    assert!(install(installation(MAX_LIMITS)).unwrap().replayed);
    assert!(!install(installation(Limits::default())).unwrap().replayed);
    assert_eq!(office.installation(tenant, &id("monthly")).unwrap().limits, Limits::default());

    type Change = fn(&mut Limits);
    let rows: [(&str, Change); 6] = [
        ("limits.memory", |l| l.memory += 1),
        ("limits.wall-ms", |l| l.wall_ms += 1),
        ("limits.fuel", |l| l.fuel += 1),
        ("limits.host-calls", |l| l.host_calls += 1),
        ("limits.effects", |l| l.effects += 1),
        ("limits.log", |l| l.log += 1),
    ];
    for (field, change) in rows {
        let mut limits = MAX_LIMITS;
        change(&mut limits);
        assert_eq!(told(install(installation(limits))), (Class::Invalid, one("limit-invalid", field)));
    }
    let mut large = installation(Limits::default());
    large.config = (0..3).map(|n| (n.to_string(), "x".repeat(11 << 10))).collect();
    assert_eq!(told(install(large)), (Class::Invalid, one("config-too-large", "config")));
    let mut unknown = installation(Limits::default());
    unknown.release = "d2".to_owned();
    assert_eq!(told(install(unknown)).0, Class::NotFound);
    // Another tenant's installation is not there.
    assert_eq!(told(office.installation(TenantNo(2), &id("monthly"))).0, Class::NotFound);
}
