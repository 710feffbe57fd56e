//! What must hold between two ways to the same books, on a finished history.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::Cursor;
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

use backroom_domain::Instant;
use backroom_office::Office;
use backroom_store::backup::IMPORTED;
use backroom_store::engine::{At, Change, Embedded, Engine, Memory, Sealed, Tip};
use backroom_store::records::{StoredEmployment, StoredWorker, Tenant};
use backroom_store::{Meta, Options, Record as _, Store, TenantNo, split_key};

use crate::audit::{chains, compare, models};
use crate::execution::{COMPONENT, RELEASE};
use crate::plan::{self, TENANTS};
use crate::world::World;

/// Each is told to a finished history.
const CHECKS: [fn(&World); 3] =
    [the_log_played_into_an_empty_engine, a_moment_of_the_past, every_tenant_moved_to_another_service];

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
        for pair in snapshot.scan((Bound::Included(from), Bound::Excluded(to)), false, usize::MAX) {
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
            let meta = Meta::from(entry.clone());
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

/// Exported into a file and taken in by another service under another number, a tenant has the same books, the same records
/// byte for byte, and the same entries but for the number in them.
fn every_tenant_moved_to_another_service(world: &World) {
    let here = Store::with_engine(Arc::clone(&world.shared));
    let there: Arc<dyn Engine> = Arc::new(Memory::new());
    let office = Office::new(Store::with_engine(Arc::clone(&there)));
    let mut tenants = here.read(TenantNo::PROVIDER).unwrap().scan::<Tenant>(&(), None, usize::MAX).unwrap();
    // The last one comes first, so that hardly any keeps its number.
    tenants.sort_by_key(|(_, tenant)| Reverse(tenant.number));
    // Others were founded, and have no books.
    tenants.retain(|(_, tenant)| tenant.number <= u32::from(TENANTS));
    for (_, tenant) in tenants {
        let name = &tenant.id;
        let mut component = |digest: &str| match digest == *RELEASE {
            true => Ok(COMPONENT.to_vec()),
            false => Err(format!("{digest} is no release")),
        };
        let now = Instant(world.now);
        let exported = here.export_tenant(&tenant, now, Vec::new(), &mut component, &mut |_, _| {});
        let mut file = Cursor::new(exported.unwrap().1);
        let mut upload = |bytes: &[u8]| if bytes == COMPONENT { Ok(()) } else { Err("another component".to_owned()) };
        let arrived = office.import_tenant("ann", now, &mut file, None, &mut upload, &mut |_, _| {}).unwrap().value;
        let (from, to) = (TenantNo(tenant.number), TenantNo(arrived.tenant.number));
        let head = here.head(from).unwrap();
        assert_eq!((&arrived.tenant.id, arrived.entries, arrived.source_head), (name, head.number, head.hash));
        assert_eq!(office.store().origin(to, head.number).unwrap().unwrap().head, head);
        compare(office.store().read(to).unwrap(), &world.books.model(from, head.hash));
        let same = |engine: &dyn Engine, tenant: TenantNo| -> BTreeMap<Vec<u8>, Vec<u8>> {
            let own = |key: &[u8]| split_key(key).is_some_and(|(of, space, _)| of == tenant && space != 0);
            records(engine)
                .into_iter()
                .filter(|(key, _)| own(key))
                .map(|(key, value)| (key[4..].to_vec(), value))
                .collect()
        };
        assert!(same(&*world.shared, from) == same(&*there, to), "the records of {name} are others after the move");
        let mut metas = [(&here, from), (office.store(), to)].map(|(store, tenant)| {
            let mut metas = Vec::new();
            store
                .entries(1, &mut |entry| {
                    metas.extend((entry.tenant == tenant).then(|| Meta::from(entry.clone())));
                    ControlFlow::Continue(())
                })
                .unwrap();
            metas
        });
        assert_eq!(metas[1].pop().map(|last| last.kind).as_deref(), Some(IMPORTED));
        assert!(metas[0] == metas[1], "the entries of {name} are others after the move");
    }
    let report = office.store().verify(&mut |_| {}).unwrap();
    assert!(report.is_sound(), "{:#?}", report.problems);
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
