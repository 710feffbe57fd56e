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

fn grants(json: &str) -> Rights {
    serde_json::from_str(json).unwrap()
}

#[test]
fn grants_are_checked_and_owned_by_whoever_gives_them() {
    let office = office();
    let install = |actor: &str, json: &str| {
        let new = NewInstallation { grants: grants(json), ..installation(Limits::default()) };
        office.install(actor, NOW, TenantNo(1), new)
    };
    let bad = r#"[{"state":true},{"ledger":{"max-entry":"1.00 USD"}}]"#;
    assert_eq!(told(install("ann", bad)), (Class::Invalid, one("grant-invalid", "grants[2].ledger")));
    let good = r#"[{"state":true},{"ledger":{"read":["*"]},"owner":"Bea","expires":"2026-12-31"}]"#;
    let owners = |installation: backroom_store::records::Installation| {
        installation.grants.grants().iter().map(|grant| grant.owner.clone().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(owners(install("ann", good).unwrap().value), ["ann", "Bea"]);
    // The same from somebody else is the same: who gave it first still answers for it.
    let again = install("carl", good).unwrap();
    assert!(again.replayed);
    assert_eq!(owners(again.value), ["ann", "Bea"]);
    assert_eq!(owners(install("carl", r#"[{"state":true,"why":"notes"}]"#).unwrap().value), ["carl"]);
}

#[test]
fn a_release_that_wants_more_takes_the_place_of_another_only_if_that_is_accepted() {
    let office = office();
    let wants = [
        ("d2", r#"[{"why":"x","ledger":{"read":["1*"],"post":["61*"],"max-entry":"500.00 USD"}}]"#),
        ("d3", r#"[{"why":"x","ledger":{"read":["1*"],"post":["6100"],"max-entry":"500.00 USD"}}]"#),
        (
            "d4",
            r#"[{"why":"x","ledger":{"read":["1*"],"post":["61*"],"max-entry":"900.00 USD"},"hr":{"read":["bank"]}}]"#,
        ),
    ];
    for (digest, wants) in wants {
        let release = Release { digest: digest.to_owned(), wants: grants(wants), ..office.release("d1").unwrap() };
        office.create_release("test", NOW, release).unwrap();
    }
    let install = |release: &str, accept_rights: bool| {
        let release = release.to_owned();
        let new = NewInstallation { release, accept_rights, ..installation(Limits::default()) };
        office.install("ann", NOW, TenantNo(1), new)
    };
    assert!(install("d2", false).is_ok(), "the first one is what it is");
    assert!(install("d3", false).is_ok(), "fewer rights");
    let more = |fields: &[&str]| fields.iter().map(|field| ("rights-grow".to_owned(), (*field).to_owned())).collect();
    assert_eq!(told(install("d2", false)), (Class::Refused, more(&["ledger.credit", "ledger.debit"])));
    assert_eq!(office.installation(TenantNo(1), &id("monthly")).unwrap().release, "d3", "nothing was changed");
    assert!(install("d2", true).is_ok());
    assert_eq!(told(install("d4", false)), (Class::Refused, more(&["hr.read", "ledger.max-entry"])));
    assert!(install("d4", true).is_ok());
    assert!(install("d4", false).unwrap().replayed, "the same release needs no second yes");
}
