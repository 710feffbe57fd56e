//! State as a plugin sees it: one row per code, and lists beside a plain map.

use std::collections::BTreeMap;
use std::sync::Arc;

use backroom_domain::rights::{Grant, Rights};
use backroom_domain::{BusinessDate, Id, Instant};
use backroom_store::{Meta, Store, TenantNo};
use proptest::prelude::*;

use super::*;
use crate::{Caller, Failure};

const TENANT: TenantNo = TenantNo(1);

fn work(store: &Store, installation: Option<&str>, rights: Rights) -> Work {
    let installation = installation.map(|name| Id::parse(name, "installation").unwrap());
    let caller = Caller { actor: "test".into(), layers: vec![Arc::new(rights)], installation, run: None };
    let today = BusinessDate::parse("2026-06-30", "d").unwrap();
    Work::new(store.write(TENANT).unwrap(), caller, Instant(1), today)
}

fn open(store: &Store) -> Work {
    work(store, Some("a"), Rights::all())
}

fn codes<T: std::fmt::Debug>(result: Result<T>) -> Vec<String> {
    match result.unwrap_err() {
        Failure::Business(error) => error.problems.into_iter().map(|p| p.code.into_owned()).collect(),
        Failure::Store(error) => panic!("{error}"),
    }
}

fn commit(work: Work) {
    work.seal().unwrap().commit(Meta::default()).unwrap().ticket.wait().unwrap();
}

#[test]
fn without_the_right_or_an_installation_everything_is_denied() {
    let store = Store::memory();
    let cases = [(Some("a"), Grant { state: false, ..Grant::all() }.into()), (None, Rights::all())];
    for (installation, rights) in cases {
        let mut work = work(&store, installation, rights);
        // A malformed key as well: the denial must not depend on it.
        assert_eq!(codes(get(&work, "")), ["state-denied"]);
        assert_eq!(codes(set(&mut work, "", vec![])), ["state-denied"]);
        assert_eq!(codes(delete(&mut work, "")), ["state-denied"]);
        assert_eq!(codes(list(&work, "", &PageRequest::first(0))), ["state-denied"]);
        assert!(work.effects().is_empty());
    }
}

#[test]
fn malformed_requests_are_refused_with_every_problem() {
    let mut work = open(&Store::memory());
    let long = "k".repeat(MAX_KEY + 1);
    for key in ["", &long] {
        assert_eq!(codes(get(&work, key)), ["key-invalid"], "{key}");
        assert_eq!(codes(delete(&mut work, key)), ["key-invalid"], "{key}");
    }
    assert_eq!(codes(set(&mut work, "", vec![0; MAX_VALUE + 1])), ["key-invalid", "value-too-large"]);
    let page = |cursor: Option<&str>, limit| PageRequest { cursor: cursor.map(str::to_owned), limit };
    assert_eq!(codes(list(&work, &long, &page(Some("zz"), 0))), ["key-invalid", "limit-invalid", "cursor-invalid"]);
    assert_eq!(codes(list(&work, "", &page(None, 501))), ["limit-invalid"]);
    // Valid hexadecimal digits, but not behind the prefix.
    assert_eq!(codes(list(&work, "b", &page(Some("61"), 1))), ["cursor-invalid"]);
    assert!(work.effects().is_empty());
}

#[test]
fn the_longest_key_and_value_fit() {
    let mut work = open(&Store::memory());
    let (key, value) = ("k".repeat(MAX_KEY), vec![0xFF; MAX_VALUE]);
    set(&mut work, &key, value.clone()).unwrap();
    assert_eq!(get(&work, &key).unwrap(), Some(value));
}

#[test]
fn only_changes_are_effects() {
    let store = Store::memory();
    let mut work = open(&store);
    set(&mut work, "k", vec![1]).unwrap();
    set(&mut work, "k", vec![1]).unwrap();
    delete(&mut work, "k").unwrap();
    delete(&mut work, "k").unwrap();
    let hash = Hash::of(&[1]).to_string();
    let installation = Id::parse("a", "id").unwrap();
    let change =
        |value_hash| Effect::StateSet(StateChange { installation: installation.clone(), key: "k".into(), value_hash });
    assert_eq!(work.effects(), [change(Some(hash)), change(None)]);
}

#[test]
fn an_installation_sees_its_own_state_only() {
    let store = Store::memory();
    for name in ["a", "ab", "b"] {
        let mut work = work(&store, Some(name), Rights::all());
        set(&mut work, "k", name.as_bytes().to_vec()).unwrap();
        commit(work);
    }
    let work = open(&store);
    assert_eq!(get(&work, "k").unwrap().as_deref(), Some(b"a".as_slice()));
    assert_eq!(list(&work, "", &PageRequest::first(10)).unwrap().items, ["k"]);
}

proptest! {
    /// Every page of every prefix is what a sorted map says, whatever was staged or committed before.
    #[test]
    fn lists_are_those_of_a_map(
        before in prop::collection::btree_map("[ab\u{1}é]{1,4}", 0u8..9, 0..12),
        deleted in prop::collection::vec(0usize..12, 0..4),
        staged in prop::collection::btree_map("[ab\u{1}é]{1,4}", 0u8..9, 0..12),
        prefix in "[ab\u{1}é]{0,2}",
        limit in 1u32..5,
    ) {
        let store = Store::memory();
        let mut model = BTreeMap::new();
        let mut first = open(&store);
        for (key, value) in &before {
            set(&mut first, key, vec![*value]).unwrap();
            model.insert(key.clone(), *value);
        }
        commit(first);
        let mut work = open(&store);
        for at in deleted {
            if let Some(key) = before.keys().nth(at) {
                delete(&mut work, key).unwrap();
                model.remove(key);
            }
        }
        for (key, value) in staged {
            set(&mut work, &key, vec![value]).unwrap();
            model.insert(key, value);
        }
        let mut seen = Vec::new();
        let mut page = PageRequest::first(limit);
        loop {
            let found = list(&work, &prefix, &page).unwrap();
            prop_assert!(found.items.len() <= limit as usize);
            seen.extend(found.items);
            page.cursor = found.next;
            if page.cursor.is_none() { break }
        }
        let want: Vec<_> = model.keys().filter(|key| key.starts_with(&prefix)).cloned().collect();
        prop_assert_eq!(seen, want);
        for (key, value) in model {
            prop_assert_eq!(get(&work, &key).unwrap(), Some(vec![value]));
        }
    }
}
