//! A tenant that leaves: its file, made from one store and played into another.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod common;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use backroom_domain::{Id, Instant};
use backroom_store::backup::{self, BackupError, CheckedFile, Exported, IMPORTED};
use backroom_store::engine::{Faulty, Memory};
use backroom_store::records::{Installation, Limits, Tenant};
use backroom_store::{Entry, Hash, Head, Meta, Store, StoreError, TenantNo};
use common::*;

const NOW: Instant = Instant(2_000_000_000_000_000);
/// The number in the second store.
const THERE: TenantNo = TenantNo(70_000);

fn tenant(number: TenantNo) -> Tenant {
    let id = Id::parse("acme", "id").unwrap();
    Tenant { id, name: "Acme, Inc.".into(), number: number.0, created_at: Instant(1) }
}

fn component(digest: &str) -> Result<Vec<u8>, String> {
    let known = [vec![1_u8; 40], vec![2; 40]].into_iter().find(|bytes| Hash::of(bytes).to_string() == digest);
    known.ok_or_else(|| "nobody has it".to_owned())
}

fn installation(release: &[u8]) -> Installation {
    Installation {
        name: Id::parse("monthly", "name").unwrap(),
        release: Hash::of(release).to_string(),
        grants: Default::default(),
        config: BTreeMap::new(),
        limits: Limits::default(),
        updated_at: Instant(1),
    }
}

/// Two tenants and the provider, entry by entry among each other; `ACME` used two releases.
fn fill(store: &Store) {
    put(store, TenantNo::PROVIDER, &[note("p", 0, "provider")]);
    for page in 0..30 {
        put(store, ACME, &[note("a", page, &"acme ".repeat(20)), note("a\0\u{1}", page % 7, "again")]);
        put(store, BOLT, &[note("secret", page, "of bolt")]);
        let mut tx = store.write(ACME).unwrap();
        tx.delete::<Note>(&("a".into(), page / 2));
        let n = (page % 2) as u8 + 1;
        tx.put(&installation(&[n; 40])).unwrap();
        let meta = Meta {
            run: Some(format!("r{page}")),
            release: Some(Hash::of(&[n; 40]).0),
            detail: Some(vec![7; 10]),
            effects: vec![vec![1, 2]],
            input_hash: Some([3; 32]),
            installation: Some("monthly".into()),
            ..meta("run")
        };
        tx.commit(meta).unwrap().ticket.wait().unwrap();
    }
}

fn export(store: &Store, number: TenantNo) -> Result<(Exported, Vec<u8>), BackupError> {
    store.export_tenant(&tenant(number), NOW, Vec::new(), &mut component, &mut |_, _| {})
}

fn check(file: &[u8]) -> Result<CheckedFile, BackupError> {
    backup::check_file(file, &mut |_| Ok(()))
}

fn import(store: &Store, file: &[u8], number: TenantNo) -> Result<Head, BackupError> {
    store.import_tenant(file, &check(file)?, number, meta("import"), &mut |_, _| {})
}

fn entries(store: &Store, tenant: TenantNo) -> Vec<Entry> {
    let mut found = Vec::new();
    store
        .entries(1, &mut |entry| {
            if entry.tenant == tenant {
                found.push(entry.clone());
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    found
}

/// An entry without what the number stands in.
fn bare(entry: &Entry) -> Entry {
    let changes = entry.changes.iter().map(|(key, value)| (key[4..].to_vec(), value.clone())).collect();
    let (tenant, hash, prev) = (TenantNo(0), Hash::ZERO, Hash::ZERO);
    Entry { revision: 0, tenant, hash, prev, changes, ..entry.clone() }
}

#[test]
fn a_tenant_is_the_same_in_another_store_of_any_kind() {
    on_every_engine(|name, source| {
        fill(&source);
        let (exported, file) = export(&source, ACME).unwrap();
        assert_eq!((exported.entries, exported.releases), (60, 2), "{name}");
        assert_eq!(exported.head, source.head(ACME).unwrap().hash);
        on_every_engine(|other, target| {
            let name = format!("{name} to {other}");
            put(&target, ACME, &[note("a", 1, "somebody else's")]);
            let mut components = Vec::new();
            let checked = backup::check_file(file.as_slice(), &mut |bytes| {
                components.push(bytes.to_vec());
                Ok(())
            });
            let checked = checked.unwrap();
            assert_eq!((checked.releases.len(), components.len()), (2, 2));
            assert_eq!(checked.head.tenant, tenant(ACME));
            let head = target.import_tenant(&*file, &checked, THERE, meta("x"), &mut |_, _| {}).unwrap();
            assert_eq!((head, head.number), (target.head(THERE).unwrap(), 61), "{name}");
            let (before, after) = (entries(&source, ACME), entries(&target, THERE));
            for (then, now) in before.iter().zip(&after) {
                assert_eq!(bare(then), bare(now), "{name}");
            }
            assert_eq!((after[60].kind.as_str(), after[60].input_hash), (IMPORTED, Some(exported.head.0)));
            let origin = target.origin(THERE, 60).unwrap().unwrap();
            assert_eq!(
                (origin.tenant.as_str(), origin.head, origin.number),
                ("acme", source.head(ACME).unwrap(), ACME)
            );
            assert_eq!(target.origin(THERE, 59).unwrap(), None);
            assert_eq!(target.origin(THERE, 61).unwrap(), None);
            assert_eq!(notes(&target.read(THERE).unwrap()), notes(&source.read(ACME).unwrap()));
            assert_eq!(notes(&target.read(ACME).unwrap()).len(), 1, "{name}");
            assert_sound(&target);
            // It goes on there, and can leave again.
            put(&target, THERE, &[note("a", 99, "at home")]);
            assert_eq!(export(&target, THERE).unwrap().0.entries, 62);
        });
    });
}

#[test]
fn a_tenant_without_entries_can_leave_as_well() {
    let (source, target) = (Store::memory(), Store::memory());
    fill(&source);
    let (exported, file) = export(&source, COPY).unwrap();
    assert_eq!((exported.entries, exported.releases), (0, 0));
    assert_eq!(import(&target, &file, THERE).unwrap().number, 1);
    assert_eq!(target.origin(THERE, 0).unwrap().unwrap().head, Head::default());
}

#[test]
fn nothing_of_others_is_in_the_file() {
    let source = Store::memory();
    fill(&source);
    let (_, file) = export(&source, ACME).unwrap();
    let all = zstd::decode_all(&file[18..]).unwrap();
    let has = |text: &str| all.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(has("acme ") && !has("secret") && !has("of bolt") && !has("provider"));
}

#[test]
fn every_damaged_byte_of_a_file_refuses_it_or_means_nothing() {
    let source = Store::memory();
    fill(&source);
    let (_, file) = export(&source, ACME).unwrap();
    let (target, unpacked) = (Store::memory(), zstd::decode_all(&file[18..]).unwrap());
    let mut idle = 0;
    for at in 0..file.len() {
        let mut broken = file.clone();
        broken[at] ^= 1 << (at % 8);
        // Some bits of a compressed block are read by nobody: what is unpacked is the same.
        let means_nothing = zstd::decode_all(&broken[18..]).is_ok_and(|all| all == unpacked);
        assert_eq!(check(&broken).is_ok(), at >= 18 && means_nothing, "byte {at}");
        idle += u32::from(means_nothing && at >= 18);
        assert!(means_nothing || import(&target, &broken, THERE).is_err(), "byte {at}");
        assert!(import(&target, &file[..at], THERE).is_err(), "cut at {at}");
    }
    assert!(idle < 5, "{idle} bytes mean nothing");
    let longer = [file.as_slice(), b"x"].concat();
    assert!(import(&target, &longer, THERE).is_err(), "longer");
    assert_eq!(target.status().sequenced, 0);
    let other = [b"backroom tenant 7\n", &file[18..]].concat();
    assert!(matches!(check(&other), Err(BackupError::Newer { found: 7, .. })));
    assert!(check(b"PK\x03\x04 some other file, longer").unwrap_err().to_string().contains("backroom tenant export"));
    import(&target, &file, THERE).unwrap();
}

#[test]
fn a_chain_is_not_played_over_another_and_a_changed_file_is_noticed() {
    let source = Store::memory();
    fill(&source);
    let (_, file) = export(&source, ACME).unwrap();
    let refused = import(&source, &file, BOLT).unwrap_err();
    assert!(matches!(refused, BackupError::Store(StoreError::Conflict)), "{refused}");
    put(&source, ACME, &[note("a", 1, "later")]);
    let (_, later) = export(&source, ACME).unwrap();
    let target = Store::memory();
    let refused = target.import_tenant(&*later, &check(&file).unwrap(), THERE, meta("x"), &mut |_, _| {});
    assert!(refused.unwrap_err().to_string().contains("changed while"));
    assert_eq!(target.origin(THERE, 60).unwrap(), None, "the last entry is not there");
}

#[test]
fn a_component_that_is_missing_fails_the_export() {
    let source = Store::memory();
    fill(&source);
    let made = source.export_tenant(&tenant(ACME), NOW, Vec::new(), &mut |_| Err("gone".into()), &mut |_, _| {});
    assert!(matches!(made, Err(BackupError::Component { .. })));
}

#[test]
fn a_store_that_fails_at_any_call_leaves_no_end_of_the_chain() {
    let source = Store::memory();
    fill(&source);
    let (_, file) = export(&source, ACME).unwrap();
    let checked = check(&file).unwrap();
    let mut fail_from = 1;
    loop {
        let memory = Arc::new(Memory::new());
        let faulty = Store::with_engine(Arc::new(Faulty::new(Arc::clone(&memory) as _, fail_from)));
        let done = faulty.import_tenant(&*file, &checked, THERE, meta("x"), &mut |_, _| {});
        let origin = Store::with_engine(memory).origin(THERE, 60).unwrap();
        assert_eq!(done.is_ok(), origin.is_some(), "at call {fail_from}");
        if done.is_ok() {
            break;
        }
        fail_from += 1;
    }
    assert_eq!(fail_from, 63, "a head, and 61 entries");
}
