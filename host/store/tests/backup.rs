//! Backups against a model: any commits, backups at any time, restores to every backup and to any revision and time; faults at
//! every write of the vault; damage to every object.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use backroom_domain::{Id, Instant};
use backroom_store::backup::{self, BackupError, Folder, Made, Making, Moment, Restored, Vault};
use backroom_store::records::Release;
use backroom_store::{Hash, Head, Meta, Store, StoreError, TenantNo};
use common::server::Server;
use common::vault::{SimVault, TROUBLES};
use common::*;
use proptest::prelude::*;

const TENANTS: [TenantNo; 3] = [ACME, COPY, TenantNo::PROVIDER];

type State = BTreeMap<(String, u32), String>;

/// What the store was after each revision: every tenant's notes, its head, and the digests of all releases.
#[derive(Clone, Default)]
struct Then {
    notes: BTreeMap<TenantNo, State>,
    heads: BTreeMap<TenantNo, Head>,
    releases: Vec<String>,
    at: u64,
}

struct World {
    store: Store,
    history: Vec<Then>,
}

impl World {
    fn new(store: Store) -> Self {
        Self { store, history: Vec::new() }
    }

    fn commit(&mut self, tenant: TenantNo, changes: &[(u32, Option<String>)], at: u64) {
        let mut tx = self.store.write(tenant).unwrap();
        let mut then = self.history.last().cloned().unwrap_or_default();
        let state = then.notes.entry(tenant).or_default();
        for (page, text) in changes {
            match text {
                Some(text) => {
                    tx.put(&note("b", *page, text)).unwrap();
                    state.insert(("b".into(), *page), text.clone());
                }
                None => {
                    tx.delete::<Note>(&("b".into(), *page));
                    state.remove(&("b".into(), *page));
                }
            }
        }
        self.close(tx, then, at);
    }

    fn release(&mut self, bytes: &[u8], at: u64) {
        let mut tx = self.store.write(TenantNo::PROVIDER).unwrap();
        let mut then = self.history.last().cloned().unwrap_or_default();
        let digest = Hash::of(bytes).to_string();
        tx.put(&release(&digest, bytes.len())).unwrap();
        then.releases.push(digest);
        self.close(tx, then, at);
    }

    fn close(&mut self, tx: backroom_store::Tx, mut then: Then, at: u64) {
        let tenant = tx.tenant();
        let committed = tx.commit(Meta { at, ..meta("work") }).unwrap();
        committed.ticket.wait().unwrap();
        then.heads.insert(tenant, Head { number: committed.number, hash: committed.hash });
        then.at = at;
        self.history.push(then);
        assert_eq!(committed.revision, self.history.len() as u64);
    }

    fn backup(&self, vault: &dyn Vault) -> Result<Made, BackupError> {
        backup_of(&self.store, vault)
    }

    /// Restores and compares everything.
    fn check_restore(&self, vault: &dyn Vault, moment: Moment, revision: u64) {
        let dir = tempfile::tempdir().unwrap();
        let restored = backup::restore(vault, dir.path(), &options(), moment, &mut |_, _| {}).unwrap();
        let store = Store::open(dir.path(), options()).unwrap();
        self.check(&store, &restored, moment, revision);
        assert_eq!(kept_releases(dir.path()), sorted(&self.history[revision as usize - 1].releases));
    }

    /// What was restored is what was there.
    fn check(&self, store: &Store, restored: &Restored, moment: Moment, revision: u64) {
        let then = &self.history[revision as usize - 1];
        assert_eq!((restored.revision, restored.at), (revision, Instant(then.at)), "{moment:?}");
        assert_eq!(restored.releases as usize, then.releases.len());
        assert_eq!(store.status().durable, revision);
        for tenant in TENANTS {
            let found: State = notes(&store.read(tenant).unwrap())
                .into_iter()
                .map(|note| ((note.book, note.page), note.text))
                .collect();
            assert_eq!(found, then.notes.get(&tenant).cloned().unwrap_or_default(), "{moment:?} tenant {tenant}");
            assert_eq!(store.head(tenant).unwrap(), then.heads.get(&tenant).copied().unwrap_or_default());
        }
        assert_sound(store);
    }
}

fn sorted(digests: &[String]) -> Vec<String> {
    let mut digests = digests.to_vec();
    digests.sort();
    digests
}

fn kept_releases(dir: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dir.join("releases")) else { return Vec::new() };
    let digest = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        let digest = path.file_stem().unwrap().to_str().unwrap().to_owned();
        assert_eq!(Hash::of(&std::fs::read(&path).unwrap()).to_string(), digest);
        digest
    };
    sorted(&entries.map(digest).collect::<Vec<_>>())
}

fn release(digest: &str, size: usize) -> Release {
    Release {
        digest: digest.to_owned(),
        plugin: Id::parse("p", "plugin").unwrap(),
        version: "1".into(),
        description: String::new(),
        wants: Default::default(),
        imports: Vec::new(),
        size: size as u64,
        created_at: Instant(1),
        functions: Vec::new(),
    }
}

/// The components of the tests: their digests say which bytes they are.
fn component(digest: &str) -> Result<Vec<u8>, String> {
    let known = (0..=255_u8).map(|n| vec![n; 40]).find(|bytes| Hash::of(bytes).to_string() == digest);
    known.ok_or_else(|| "nobody has it".to_owned())
}

const NOW: Instant = Instant(2_000_000_000_000_000);

fn backup_of(store: &Store, vault: &dyn Vault) -> Result<Made, BackupError> {
    store.backup(Making { vault, now: NOW, components: &mut component, progress: &mut |_, _| {} })
}

#[derive(Debug, Clone)]
enum Step {
    Commit { tenant: usize, changes: Vec<(u32, Option<String>)>, later: u64 },
    Release(u8),
    Backup,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let change = (0..5_u32, proptest::option::weighted(0.8, "[a-c]{0,3}"));
    prop_oneof![
        10 => (0..3_usize, proptest::collection::vec(change, 0..4), 0..3_u64)
            .prop_map(|(tenant, changes, later)| Step::Commit { tenant, changes, later }),
        1 => any::<u8>().prop_map(Step::Release),
        3 => Just(Step::Backup),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, max_shrink_iters: 500, ..ProptestConfig::default() })]

    #[test]
    fn what_is_restored_is_what_was(steps in proptest::collection::vec(step(), 1..40), picks: [u64; 3]) {
        let (data, kept) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let vault = Folder::create(kept.path()).unwrap();
        let mut world = World::new(Store::open(data.path(), options()).unwrap());
        let (mut now, mut backups) = (1_000, Vec::new());
        for step in steps {
            match step {
                Step::Commit { tenant, changes, later } => {
                    now += later;
                    world.commit(TENANTS[tenant], &changes, now);
                }
                Step::Release(n) => {
                    let known = world.history.last().is_some_and(|then| then.releases.contains(&Hash::of(&[n; 40]).to_string()));
                    if !known {
                        world.release(&[n; 40], now);
                    }
                }
                Step::Backup if world.history.is_empty() => prop_assert!(world.backup(&vault).is_err()),
                Step::Backup => {
                    let made = world.backup(&vault).unwrap();
                    let before = backups.last().copied().unwrap_or(0);
                    prop_assert_eq!((made.revision, made.entries), (world.history.len() as u64, world.history.len() as u64 - before));
                    if made.entries > 0 {
                        backups.push(made.revision);
                    }
                }
                Step::Reopen => {
                    let World { store, history } = world;
                    store.close().unwrap();
                    world = World { store: Store::open(data.path(), options()).unwrap(), history };
                }
            }
        }
        let listed: Vec<_> = backup::list(&vault).unwrap_or_default().iter().map(|one| one.revision).collect();
        prop_assert_eq!(&listed, &backups);
        let Some(&last) = backups.last() else { return Ok(()) };
        let verified = backup::verify(&vault, &mut |_, _| {}).unwrap();
        prop_assert!(verified.sound && verified.entries == last, "{:?}", verified);
        world.check_restore(&vault, Moment::Last, last);
        for revision in backups.iter().copied().chain(picks.map(|pick| pick % last + 1)) {
            world.check_restore(&vault, Moment::Revision(revision), revision);
            // The time of an entry restores all entries of that time; one before, none of them.
            let at = world.history[revision as usize - 1].at;
            let upto = world.history[..last as usize].iter().take_while(|then| then.at <= at).count() as u64;
            world.check_restore(&vault, Moment::Instant(Instant(at)), upto);
        }
        let beyond = backup::restore(&vault, &data.path().join("new"), &options(), Moment::Revision(last + 1), &mut |_, _| {});
        prop_assert!(matches!(beyond, Err(BackupError::Moment(_))), "{:?}", beyond);
    }
}

/// A history with releases; `rounds` backups of it, each with something new, into `vault`.
fn grow(world: &mut World, from: u32, rounds: u32, mut backup: impl FnMut(&World)) {
    for round in from..from + rounds {
        for page in 0..3 {
            world.commit(
                TENANTS[page as usize % 3],
                &[(page, Some(format!("round {round}")))],
                1_000 + u64::from(round),
            );
        }
        world.release(&[round as u8; 40], 1_000 + u64::from(round));
        backup(world);
    }
}

fn memory() -> World {
    World::new(Store::memory())
}

/// Every object that any readable manifest names is there, whole.
fn assert_names_what_is_there(vault: &SimVault) {
    match backup::verify(vault, &mut |_, _| {}) {
        Err(BackupError::Nothing(_)) => {}
        verified => {
            let verified = verified.unwrap();
            let others: Vec<_> =
                verified.problems.iter().filter(|fault| !fault.object.starts_with("manifests/")).collect();
            assert!(others.is_empty(), "{others:?}");
        }
    }
}

#[test]
fn after_a_fault_at_any_write_the_next_backup_heals() {
    let writes = {
        let (mut world, vault) = (memory(), SimVault::default());
        grow(&mut world, 0, 3, |world| drop(world.backup(&vault).unwrap()));
        *vault.puts.lock().unwrap()
    };
    assert_eq!(writes, 9, "a chunk, a release and a manifest each time");
    for trouble in TROUBLES {
        for at in 1..=writes {
            let (mut world, vault) = (memory(), SimVault::default());
            *vault.trouble.lock().unwrap() = Some((at, trouble));
            let mut failed = 0;
            grow(&mut world, 0, 3, |world| {
                failed += u32::from(world.backup(&vault).is_err());
                assert_names_what_is_there(&vault);
            });
            assert_eq!(failed, 1, "{trouble:?} at {at}");
            // At the same revision, and with more behind it.
            let made = world.backup(&vault).unwrap();
            assert_eq!(made.revision, 12);
            let verified = backup::verify(&vault, &mut |_, _| {}).unwrap();
            assert!(verified.sound, "{trouble:?} at {at}: {verified:?}");
            world.check_restore(&vault, Moment::Last, 12);
            grow(&mut world, 3, 1, |world| assert_eq!(world.backup(&vault).unwrap().entries, 4));
            assert!(backup::verify(&vault, &mut |_, _| {}).unwrap().sound);
            world.check_restore(&vault, Moment::Last, 16);
        }
    }
}

#[test]
fn a_damaged_manifest_is_replaced_by_the_next_backup_whatever_was_committed_since() {
    for more in [0, 1] {
        let (mut world, vault) = (memory(), SimVault::default());
        grow(&mut world, 0, 2, |world| drop(world.backup(&vault).unwrap()));
        let name = vault.names().into_iter().rfind(|name| name.starts_with("manifests/")).unwrap();
        vault.change(&name, |bytes| bytes.truncate(100));
        grow(&mut world, 2, more, |_| {});
        assert_eq!(world.backup(&vault).unwrap().replaced, [name]);
        assert!(backup::verify(&vault, &mut |_, _| {}).unwrap().sound);
        world.check_restore(&vault, Moment::Last, world.history.len() as u64);
    }
}

#[test]
fn every_damaged_byte_is_found_and_named() {
    let (mut world, vault) = (memory(), SimVault::default());
    grow(&mut world, 0, 2, |world| drop(world.backup(&vault).unwrap()));
    let dir = tempfile::tempdir().unwrap();
    for name in vault.names() {
        let size = vault.objects.lock().unwrap()[&name].len();
        let damages = (0..size).map(Some).chain([None]);
        for (n, damage) in damages.enumerate() {
            let broken = vault.copy();
            match damage {
                Some(at) => broken.change(&name, |bytes| bytes[at] ^= 1 << (n % 8)),
                None => drop(broken.objects.lock().unwrap().remove(&name)),
            }
            let newest = name == vault.names().into_iter().rfind(|name| name.starts_with("manifests/")).unwrap();
            // A newest manifest that is gone is one that was never made.
            if damage.is_none() && newest {
                continue;
            }
            let verified = backup::verify(&broken, &mut |_, _| {}).unwrap();
            assert!(!verified.sound && verified.problems.iter().any(|fault| fault.object == name), "{name} {damage:?}");
            let into =
                |vault| backup::restore_into(&Store::memory(), vault, Moment::Last, &mut |_, _| Ok(()), &mut |_, _| {});
            let refused = into(&broken).unwrap_err();
            let named = name.split('/').nth(1).unwrap().trim_end_matches(".wasm");
            assert!(refused.to_string().contains(named), "{name}: {refused}");
        }
        // The folder is no data directory then.
        let (broken, target) = (vault.copy(), dir.path().join("new"));
        broken.change(&name, |bytes| bytes.truncate(size - 1));
        assert!(backup::restore(&broken, &target, &options(), Moment::Last, &mut |_, _| {}).is_err());
        assert!(!target.join("log").exists() && !target.join("releases").exists());
    }
    // The same folder, once the backup is whole.
    backup::restore(&vault, &dir.path().join("new"), &options(), Moment::Last, &mut |_, _| {}).unwrap();
}

#[test]
fn a_store_that_does_not_continue_the_backup_is_refused() {
    let (mut world, vault) = (memory(), SimVault::default());
    grow(&mut world, 0, 2, |world| drop(world.backup(&vault).unwrap()));
    let before = vault.names();
    let mut other = memory();
    grow(&mut other, 5, 4, |_| {});
    assert!(matches!(other.backup(&vault), Err(BackupError::Foreign { .. })));
    // Restored to an earlier moment, and gone on from there: shorter, as long, longer.
    let dir = tempfile::tempdir().unwrap();
    backup::restore(&vault, dir.path(), &options(), Moment::Revision(6), &mut |_, _| {}).unwrap();
    let store = Store::open(dir.path(), options()).unwrap();
    for page in 0..4 {
        let refused = backup_of(&store, &vault).unwrap_err();
        assert!(matches!(refused, BackupError::Foreign { .. }), "{refused}");
        put(&store, ACME, &[note("b", page, "another history")]);
    }
    assert_eq!(vault.names(), before, "nothing was written");
    // Restored whole, it goes on.
    let dir = tempfile::tempdir().unwrap();
    backup::restore(&vault, dir.path(), &options(), Moment::Last, &mut |_, _| {}).unwrap();
    let store = Store::open(dir.path(), options()).unwrap();
    assert_eq!(backup_of(&store, &vault).unwrap().entries, 0);
    put(&store, ACME, &[note("b", 1, "the same history")]);
    assert_eq!(backup_of(&store, &vault).unwrap().entries, 1);
}

#[test]
fn a_folder_that_holds_anything_is_not_restored_to() {
    let (mut world, vault) = (memory(), SimVault::default());
    grow(&mut world, 0, 1, |world| drop(world.backup(&vault).unwrap()));
    let restore = |dir: &Path| backup::restore(&vault, dir, &options(), Moment::Last, &mut |_, _| {});
    let dir = tempfile::tempdir().unwrap();
    // A restore that was killed left this.
    std::fs::create_dir_all(dir.path().join(".restoring/log")).unwrap();
    std::fs::write(dir.path().join(".restoring/log/00000000000000000001.log"), "half").unwrap();
    // And who tried to serve it, that.
    std::fs::create_dir(dir.path().join("compiled")).unwrap();
    restore(dir.path()).unwrap();
    let files = |dir: &Path| {
        sorted(
            &std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>(),
        )
    };
    assert_eq!(files(dir.path()), ["FORMAT", "checkpoint", "compiled", "keys", "log", "releases", "state"]);
    assert!(matches!(restore(dir.path()), Err(BackupError::NotEmpty { .. })));
    // A moment that there is not leaves nothing to be finished.
    let dir = tempfile::tempdir().unwrap();
    for moment in [Moment::Revision(0), Moment::Instant(Instant(0))] {
        let refused = backup::restore(&vault, dir.path(), &options(), moment, &mut |_, _| {});
        assert!(matches!(refused, Err(BackupError::Moment(_))), "{refused:?}");
        assert!(files(dir.path()).is_empty(), "{:?}", files(dir.path()));
    }
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("notes.txt"), "mine").unwrap();
    assert!(restore(dir.path()).unwrap_err().to_string().contains("notes.txt"));
    assert_eq!(files(dir.path()), ["notes.txt"]);
}

/// While one is under way, its stage is nothing that was left behind.
#[test]
fn two_restores_into_the_same_folder_do_not_meet() {
    let (mut world, vault) = (memory(), SimVault::default());
    grow(&mut world, 0, 3, |world| drop(world.backup(&vault).unwrap()));
    let dir = tempfile::tempdir().unwrap();
    let mut second = None;
    let first = backup::restore(&vault, dir.path(), &options(), Moment::Last, &mut |_, _| {
        second = Some(backup::restore(&vault, dir.path(), &options(), Moment::Last, &mut |_, _| {}));
    });
    assert!(matches!(second, Some(Err(BackupError::UnderWay(_)))), "{second:?}");
    let restored = first.unwrap();
    let store = Store::open(dir.path(), options()).unwrap();
    assert_eq!(store.status().durable, restored.revision);
    assert_sound(&store);
}

#[test]
fn until_a_database_is_restored_nobody_opens_it() {
    let Some(server) = Server::shared() else { return };
    let (mut world, vault) = (memory(), SimVault::default());
    grow(&mut world, 0, 3, |world| drop(world.backup(&vault).unwrap()));
    let last = world.history.len() as u64;
    let untyped = untyped();
    let restore = |vault: &dyn Vault, url: &str, moment, progress: &mut dyn FnMut(u64, u64)| {
        backup::restore_into_database(vault, (url, &untyped), &options(), moment, None, progress)
            .map(|whole| whole.restored)
    };
    let open = |url: &str| Store::open_postgres(url, &options(), &untyped);
    let url = server.url(&server.database());
    let broken = vault.copy();
    let chunk = broken.names().into_iter().rfind(|name| name.starts_with("chunks/")).unwrap();
    broken.change(&chunk, |bytes| bytes.truncate(bytes.len() / 2));
    let (mut second, mut opened) = (None, None);
    let damaged = restore(&broken, &url, Moment::Last, &mut |_, _| {
        second = Some(restore(&vault, &url, Moment::Last, &mut |_, _| {}));
        opened = open(&url).err();
    });
    assert!(matches!(damaged, Err(BackupError::Damaged { .. })), "{damaged:?}");
    assert!(matches!(second, Some(Err(BackupError::Store(StoreError::Busy(_))))), "{second:?}");
    for refused in [opened, open(&url).err()] {
        assert!(refused.unwrap().to_string().contains("a restore into it is under way, or was not finished"));
    }
    // The same again.
    let restored = restore(&vault, &url, Moment::Last, &mut |_, _| {}).unwrap();
    let store = open(&url).unwrap();
    world.check(&store, &restored, Moment::Last, last);
    for digest in &world.history.last().unwrap().releases {
        let bytes = store.blobs().unwrap().read_bytes(digest).unwrap().unwrap();
        assert_eq!(Hash::of(&bytes).to_string(), *digest);
    }
    let again = restore(&vault, &url, Moment::Last, &mut |_, _| {});
    assert!(matches!(again, Err(BackupError::NotEmpty { .. })), "{again:?}");
    world.check(&store, &restored, Moment::Last, last);
    // A moment that is in no backup is found out before the database is touched.
    let database = server.database();
    let url = server.url(&database);
    let later = restore(&vault, &url, Moment::Instant(Instant(u64::MAX)), &mut |_, _| {});
    assert!(matches!(later, Err(BackupError::Moment(_))), "{later:?}");
    assert_eq!(server.sql(&database, "SELECT to_regnamespace('backroom') IS NULL"), "t");
    // A service that has nothing yet may be running: it keeps its database.
    let empty = open(&url).unwrap();
    let refused = restore(&vault, &url, Moment::Last, &mut |_, _| {});
    assert!(matches!(refused, Err(BackupError::NotEmpty { .. })), "{refused:?}");
    put(&empty, ACME, &[note("b", 77, "mine")]);
    assert_sound(&empty);
    // Without the connection that keeps others away it is not finished.
    let database = server.database();
    let url = server.url(&database);
    let lost = restore(&vault, &url, Moment::Last, &mut |_, _| {
        server.sql_as_superuser(
            "postgres",
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory'",
        );
    });
    let lost = lost.unwrap_err().to_string();
    assert!(lost.contains("Run it again"), "{lost}");
    assert!(open(&url).is_err());
    let restored = restore(&vault, &url, Moment::Last, &mut |_, _| {}).unwrap();
    world.check(&open(&url).unwrap(), &restored, Moment::Last, last);
    // To a moment; and what it becomes goes on.
    let url = server.url(&server.database());
    let restored = restore(&vault, &url, Moment::Revision(5), &mut |_, _| {}).unwrap();
    let store = open(&url).unwrap();
    world.check(&store, &restored, Moment::Revision(5), 5);
    put(&store, ACME, &[note("b", 77, "later")]);
    assert_sound(&store);
}

#[test]
fn a_restore_that_was_interrupted_while_things_were_moved_into_place_is_finished_by_the_same_restore() {
    let (mut world, vault) = (memory(), SimVault::default());
    grow(&mut world, 0, 1, |world| drop(world.backup(&vault).unwrap()));
    let whole = tempfile::tempdir().unwrap();
    let expected = backup::restore(&vault, whole.path(), &options(), Moment::Last, &mut |_, _| {}).unwrap();
    let check = |dir: &Path| {
        let store = Store::open(dir, options()).unwrap();
        assert_eq!(store.status().durable, expected.revision);
        assert_eq!(replayed(&store), replayed(&Store::open(whole.path(), options()).unwrap()));
        assert_sound(&store);
        assert!(!dir.join(".restoring").exists());
    };
    for name in ["FORMAT", "checkpoint", "keys", "releases", "state", "log"] {
        let dir = tempfile::tempdir().unwrap();
        let obstacle = dir.path().join(name);
        // Something that cannot be replaced stops the moving at this name.
        let moved = backup::restore(&vault, dir.path(), &options(), Moment::Last, &mut |_, _| {
            std::fs::create_dir_all(obstacle.join("in the way")).unwrap();
        });
        assert!(matches!(moved, Err(BackupError::Io { .. })), "{name}: {moved:?}");
        std::fs::remove_dir_all(&obstacle).unwrap();
        // It is no data directory, and does not become an empty one.
        assert!(Store::open(dir.path(), options()).unwrap_err().to_string().contains("restore"), "{name}");
        // Another restore does not take it for its own.
        let other = backup::restore(&vault, dir.path(), &options(), Moment::Revision(1), &mut |_, _| {});
        assert!(matches!(other, Err(BackupError::NotEmpty { .. })), "{name}: {other:?}");
        if name == "log" {
            // As if it had come to the removal of the stage.
            std::fs::rename(dir.path().join(".restoring/log"), dir.path().join("log")).unwrap();
        }
        let again = backup::restore(&vault, dir.path(), &options(), Moment::Last, &mut |_, _| {}).unwrap();
        assert_eq!(again, expected, "{name}");
        check(dir.path());
        let twice = backup::restore(&vault, dir.path(), &options(), Moment::Last, &mut |_, _| {});
        assert!(matches!(twice, Err(BackupError::NotEmpty { .. })), "{name}");
    }
    // Served before anybody asked again: what was left goes, and the books stay as they are.
    let dir = tempfile::tempdir().unwrap();
    copy_dir(whole.path(), dir.path());
    std::fs::create_dir(dir.path().join(".restoring")).unwrap();
    check(dir.path());
}

#[test]
fn large_logs_have_many_chunks_and_each_is_bounded() {
    let (mut world, vault) = (memory(), SimVault::default());
    // 60 KiB that do not compress, 70 of them an entry: 4 MiB.
    let mut noise = 1_u64;
    let mut text = || {
        let mut next = || {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            char::from(b' ' + (noise % 90) as u8)
        };
        (0..60_000).map(|_| next()).collect::<String>()
    };
    for at in 0..7 {
        let changes: Vec<_> = (0..70).map(|page| (page, Some(text()))).collect();
        world.commit(ACME, &changes, at);
    }
    let made = world.backup(&vault).unwrap();
    assert_eq!((made.chunks, made.entries), (4, 7));
    assert!(vault.objects.lock().unwrap().values().all(|object| object.len() < 13 << 20));
    // Stopped behind the second chunk, it goes on from there.
    let manifest = made.manifest.clone();
    vault.remove(&manifest).unwrap();
    let third = vault.names()[2].clone();
    vault.remove(&third).unwrap();
    *vault.puts.lock().unwrap() = 0;
    assert_eq!(world.backup(&vault).unwrap(), made);
    assert_eq!(*vault.puts.lock().unwrap(), 2, "the missing chunk and the manifest");
    world.check_restore(&vault, Moment::Last, 7);
    world.check_restore(&vault, Moment::Revision(5), 5);
}

#[test]
fn a_component_that_is_missing_or_another_fails_the_backup() {
    let vault = SimVault::default();
    let mut world = memory();
    world.release(&[1; 40], 1);
    type Read = fn(&str) -> Result<Vec<u8>, String>;
    let reads: [Read; 2] = [|_| Err("it is gone".into()), |_| Ok(vec![9])];
    for mut read in reads {
        let made =
            world.store.backup(Making { vault: &vault, now: NOW, components: &mut read, progress: &mut |_, _| {} });
        assert!(matches!(made, Err(BackupError::Component { .. })), "{made:?}");
        assert!(backup::list(&vault).is_err());
    }
    assert_eq!(world.backup(&vault).unwrap().releases, 1);
}

#[test]
fn two_backups_at_once_end_with_one_manifest() {
    let (mut world, vault) = (memory(), SimVault::default());
    grow(&mut world, 0, 1, |world| drop(world.backup(&vault).unwrap()));
    world.release(&[9; 40], 2_000);
    let mut other = None;
    let mut meanwhile = |digest: &str| {
        other = Some(Making {
            vault: &vault,
            now: Instant(NOW.0 + 1),
            components: &mut component,
            progress: &mut |_, _| {},
        })
        .map(|making| world.store.backup(making).unwrap());
        component(digest)
    };
    let making = Making { vault: &vault, now: NOW, components: &mut meanwhile, progress: &mut |_, _| {} };
    let made = world.store.backup(making).unwrap();
    assert_eq!(Some(&made), other.as_ref());
    let listed = backup::list(&vault).unwrap();
    assert_eq!((listed.len(), listed[1].made_at), (2, Some(Instant(NOW.0 + 1))), "the first to end stands");
    assert!(backup::verify(&vault, &mut |_, _| {}).unwrap().sound);
    world.check_restore(&vault, Moment::Last, 5);
}

#[test]
fn a_time_after_the_last_backup_is_refused() {
    let (mut world, vault) = (memory(), SimVault::default());
    grow(&mut world, 0, 1, |world| drop(world.backup(&vault).unwrap()));
    let dir = tempfile::tempdir().unwrap();
    for at in [NOW.0 + 1, 1] {
        let refused = backup::restore(&vault, dir.path(), &options(), Moment::Instant(Instant(at)), &mut |_, _| {});
        assert!(matches!(refused, Err(BackupError::Moment(_))), "{refused:?}");
    }
    world.check_restore(&vault, Moment::Instant(NOW), 4);
}

#[test]
fn damage_in_the_log_stops_the_backup_and_is_named() {
    let (data, vault) = (tempfile::tempdir().unwrap(), SimVault::default());
    let store = Store::open(data.path(), options()).unwrap();
    for page in 0..40 {
        put(&store, ACME, &[note("a", page, &"text ".repeat(60))]);
    }
    let segment = segments(data.path())[0].clone();
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[200] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let refused = backup_of(&store, &vault).unwrap_err().to_string();
    assert!(refused.contains("log/00000000000000000001.log"), "{refused}");
    assert_eq!(vault.names(), Vec::<String>::new());
}
