//! What must hold between two ways to the same books, on a finished history.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

use backroom_store::engine::{At, Change, Embedded, Engine, Memory, Sealed, Tip};
use backroom_store::records::{StoredEmployment, StoredWorker};
use backroom_store::{Meta, Options, Record as _, Store, TenantNo, split_key};

use crate::audit::{chains, compare, models};
use crate::plan;
use crate::world::World;

/// Each is told to a finished history. Export into files and import from them belongs here too: a function that does both and
/// compares [`records`] and heads.
const CHECKS: [fn(&World); 2] = [the_log_played_into_an_empty_engine, a_moment_of_the_past];

pub(crate) fn check(world: &World) {
    for check in CHECKS {
        check(world);
    }
}

/// Everything in an engine: each full key with its value, the store's own records included.
fn records(engine: &dyn Engine) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let snapshot = engine.snapshot(At::Durable).unwrap();
    let mut records = BTreeMap::new();
    let mut next = snapshot.next_tenant(TenantNo(0)).unwrap();
    while let Some(tenant) = next {
        let range = [tenant.0, tenant.0 + 1].map(|number| number.to_be_bytes().to_vec());
        let [from, to] = range;
        for pair in snapshot.scan((Bound::Included(from), Bound::Excluded(to)), false) {
            let (key, value) = pair.unwrap();
            records.insert(key.to_vec(), value.to_vec());
        }
        next = snapshot.next_tenant(TenantNo(tenant.0 + 1)).unwrap();
    }
    records
}

/// The same with what is sealed opened, and of each head the number alone: keys of persons are drawn, so the same history
/// gives other sealed bytes, and other hashes, on every engine.
fn opened(engine: &Arc<dyn Engine>) -> BTreeMap<Vec<u8>, String> {
    let store = Store::with_engine(Arc::clone(engine));
    let show = |(key, value): (Vec<u8>, Vec<u8>)| {
        let (tenant, space, within) = split_key(&key).unwrap();
        let seals = store.seals(tenant);
        let shown = match space {
            0 if within == [b'h'] => format!("{:?}", Tip::decode(&value).unwrap().head.number),
            StoredWorker::SPACE => format!("{:?}", StoredWorker::decode(&value).unwrap().open(&seals).unwrap()),
            StoredEmployment::SPACE => format!("{:?}", StoredEmployment::decode(&value).unwrap().open(&seals).unwrap()),
            _ => format!("{value:?}"),
        };
        (key, shown)
    };
    records(&**engine).into_iter().map(show).collect()
}

/// The log says everything: played into an empty engine, it gives the same chains and the same records, byte for byte.
fn the_log_played_into_an_empty_engine(world: &World) {
    let store = Store::with_engine(Arc::clone(&world.shared));
    let empty = Memory::new();
    store
        .entries(1, &mut |entry| {
            let meta = Meta {
                at: entry.at,
                actor: entry.actor.clone(),
                kind: entry.kind.clone(),
                run: entry.run.clone(),
                installation: entry.installation.clone(),
                release: entry.release,
                input_hash: entry.input_hash,
                detail: entry.detail.clone(),
                effects: entry.effects.clone(),
            };
            let change = |(key, value): &(Vec<u8>, Option<Vec<u8>>)| Change {
                key: key.as_slice().into(),
                value: value.as_deref().map(Arc::from),
            };
            let changes = entry.changes.iter().map(change).collect();
            let sealed = Sealed::new(entry.tenant, empty.head(entry.tenant).unwrap(), &meta, changes).unwrap();
            assert_eq!(sealed.head.hash, entry.hash);
            assert_eq!(empty.append(sealed).unwrap().revision, entry.revision);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(records(&*world.shared) == records(&empty), "records differ after the log was played again");
}

/// The books as they were at some entry, made from the log, are what they were when that entry was written.
fn a_moment_of_the_past(world: &World) {
    let store = Store::with_engine(Arc::clone(&world.shared));
    for (tenant, chain) in chains(&store).into_iter().filter(|(tenant, _)| *tenant != TenantNo::PROVIDER) {
        let models = models(world, tenant, &chain);
        for number in [2, chain.len() / 3, chain.len() / 2, chain.len() - 1] {
            let number = number.clamp(2, chain.len());
            compare(store.before(tenant, number as u64, &mut |_| {}).unwrap(), &models[number - 2]);
        }
    }
}

/// Memory and disk: the same history gives the same records; and once more after closing and opening.
#[test]
fn a_history_on_disk_is_the_same_as_in_memory() {
    for seed in 0..crate::number("BACKROOM_SIM_DISK", 6) {
        let commands = plan::commands(seed, 300);
        let options = Options { segment_bytes: 64 << 10, cache_bytes: 8 << 20, ..Options::default() };
        let dir = tempfile::tempdir().unwrap();
        let in_memory = crate::in_memory(seed, &commands);
        let expected = opened(&in_memory.shared);
        assert!(expected.values().any(|record| record.contains("NewWorker")), "no worker: nothing sealed was compared");
        let open = || -> Arc<dyn Engine> { Arc::new(Embedded::open(dir.path(), &options).unwrap()) };
        let on_disk = crate::live(seed, &commands, open());
        check(&on_disk);
        assert!(opened(&on_disk.shared) == expected, "seed {seed}: memory and disk differ");
        let bytes = records(&*on_disk.shared);
        on_disk.shared.close().unwrap();
        drop(on_disk);
        let again = open();
        assert!(records(&*again) == bytes, "seed {seed}: it is another one after opening");
        assert_eq!(again.status().durable, in_memory.shared.status().durable);
    }
}
