//! Damage to stored bytes: verification finds it and says where, opening never cuts away what was acknowledged, and the
//! state index can be lost altogether.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod common;

use std::fs;
use std::path::Path;

use backroom_store::{Stage, Store, StoreError, VerifyReport};
use common::*;

const FRAME_HEADER: usize = 24;
const SEGMENT_HEADER: usize = 32;

/// Some segments of entries of two tenants, every one of them acknowledged.
fn fill(store: &Store) {
    for page in 0..40 {
        put(store, [ACME, BOLT][page as usize % 2], &[note("a", page, &"text ".repeat(60)), note("a", 999, "again")]);
    }
}

fn filled() -> (Sim, Store) {
    let sim = Sim::new();
    let store = sim.open().unwrap();
    fill(&store);
    assert!(sim.disk.names().len() >= 3, "several segments");
    (sim, store)
}

fn verify(store: &Store) -> VerifyReport {
    store.verify(&mut |_| {}).unwrap()
}

/// The offsets of the frames in a segment.
fn frames(bytes: &[u8]) -> Vec<usize> {
    let (mut at, mut offsets) = (SEGMENT_HEADER, Vec::new());
    while at < bytes.len() {
        offsets.push(at);
        at += FRAME_HEADER + u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    }
    offsets
}

/// As the store computes it: payload first, then length and both revisions.
fn make_checksum_right(frame: &mut [u8]) {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&frame[FRAME_HEADER..]);
    crc.update(&frame[..4]);
    crc.update(&frame[8..FRAME_HEADER]);
    frame[4..8].copy_from_slice(&crc.finalize().to_le_bytes());
}

#[test]
fn a_sound_store_is_found_sound_and_progress_arrives() {
    let (sim, store) = filled();
    let mut stages = Vec::new();
    let report = store.verify(&mut |progress| stages.push(progress)).unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
    assert_eq!((report.entries, report.revision, report.heads.len()), (40, 40, 2));
    assert_eq!(report.segments as usize, sim.disk.names().len());
    assert_eq!(report.heads[&ACME], store.head(ACME).unwrap());
    let last = stages.last().unwrap();
    assert_eq!((last.stage, last.done, last.of), (Stage::State, 40, 40));
    assert!(stages.iter().any(|progress| progress.stage == Stage::Log && progress.done == 40));
}

#[test]
fn one_flipped_bit_anywhere_in_the_log_is_found_and_named() {
    let (sim, store) = filled();
    flip_each(&sim, &store);
    store.upkeep().unwrap();
    let names = sim.disk.names();
    let (last, full) = names.split_last().unwrap();
    assert!(last.ends_with(".log") && full.iter().all(|name| name.ends_with(".log.zst")), "{names:?}");
    flip_each(&sim, &store);
}

fn flip_each(sim: &Sim, store: &Store) {
    for name in sim.disk.names() {
        let size = sim.disk.size(&name);
        // Every byte of the headers of the first frame, and then bytes all over.
        for at in (0..SEGMENT_HEADER + FRAME_HEADER).chain((SEGMENT_HEADER..size).step_by(13)) {
            let flip = |bytes: &mut Vec<u8>| bytes[at] ^= 1 << (at % 8);
            sim.disk.damage(&name, flip);
            let report = verify(store);
            assert!(!report.is_sound() && !report.state_compared, "{name} byte {at}");
            let named = |problem: &backroom_store::Problem| {
                problem.segment.as_ref() == Some(&name) && problem.offset.is_some_and(|offset| offset <= at as u64)
            };
            assert!(report.problems.iter().any(named), "{name} byte {at}: {:#?}", report.problems);
            let read = store.entries(1, &mut |_| std::ops::ControlFlow::Continue(()));
            assert!(matches!(read, Err(StoreError::Corrupt { .. })), "{name} byte {at}");
            sim.disk.damage(&name, flip);
        }
    }
    assert!(verify(store).is_sound());
}

#[test]
fn compressed_segments_hold_the_same_log_in_less_room() {
    let (sim, store) = filled();
    let all = |store: &Store| {
        let mut hashes = Vec::new();
        store.entries(1, &mut |entry| {
            hashes.push(entry.hash);
            std::ops::ControlFlow::Continue(())
        })?;
        Ok::<_, StoreError>(hashes)
    };
    let size = |sim: &Sim| sim.disk.names().iter().map(|name| sim.disk.size(name)).sum::<usize>();
    let (plain, before) = (all(&store).unwrap(), size(&sim));
    store.upkeep().unwrap();
    assert!(size(&sim) * 2 < before, "{} of {before} bytes", size(&sim));
    assert_eq!(all(&store).unwrap(), plain);
    assert_eq!(store.entry(ACME, 3).unwrap().unwrap().hash, plain[4]);
    assert_sound(&store);
    store.close().unwrap();
    for state in [true, false] {
        if !state {
            remove_state(sim.dir.path());
        }
        let store = sim.open().unwrap();
        assert_eq!(all(&store).unwrap(), plain);
        assert_sound(&store);
    }
    // Without its last plain segment the log ends before what the state has; without that, it is a log that goes on.
    let last = sim.disk.names().pop().unwrap();
    sim.disk.remove_file(&last);
    assert!(matches!(sim.open(), Err(StoreError::Corrupt { .. })));
    remove_state(sim.dir.path());
    let store = sim.open().unwrap();
    let durable = store.status().durable;
    assert!(durable > 0 && durable < 40, "{durable}");
    assert_eq!(put(&store, ACME, &[]).revision, durable + 1);
    assert_sound(&store);
}

#[test]
fn a_damaged_segment_is_not_compressed_and_said_so() {
    let (sim, store) = filled();
    let name = sim.disk.names()[1].clone();
    sim.disk.damage(&name, |bytes| bytes[500] ^= 1);
    store.upkeep().unwrap();
    store.upkeep().unwrap();
    assert!(sim.disk.names().contains(&name), "{:?}", sim.disk.names());
    let warnings = store.status().warnings;
    assert!(warnings.len() == 1 && warnings[0].contains(&name) && warnings[0].contains("log verify"), "{warnings:?}");
    assert!(sim.disk.names().iter().filter(|name| name.ends_with(".zst")).count() >= 2, "the others are");
}

#[test]
fn verification_goes_on_behind_each_damage_and_names_tenant_and_number() {
    let (sim, store) = filled();
    let names = sim.disk.names();
    for name in &names[..2] {
        sim.disk.damage(name, |bytes| {
            let frame = frames(bytes)[2];
            bytes[frame + FRAME_HEADER + 200] ^= 1;
        });
    }
    let report = verify(&store);
    assert_eq!(report.entries, 38, "all the others were read");
    for name in &names[..2] {
        let damaged = report.problems.iter().find(|problem| problem.segment.as_ref() == Some(name)).unwrap();
        assert!(damaged.what.contains("checksum"), "{damaged}");
        let (tenant, number) = (damaged.tenant.unwrap(), damaged.number.unwrap());
        let follows = |problem: &&backroom_store::Problem| {
            problem.tenant == Some(tenant) && problem.number == Some(number + 1) && problem.what.contains("missing")
        };
        assert!(report.problems.iter().any(|problem| follows(&problem)), "{:#?}", report.problems);
    }
}

#[test]
fn a_forged_entry_with_a_right_checksum_breaks_its_chain() {
    let (sim, store) = filled();
    // (segment, frame): one in the middle, and the last of all, which only the state knows better.
    let last_segment = sim.disk.names().len() - 1;
    for (segment, last) in [(0, false), (last_segment, true)] {
        let name = sim.disk.names()[segment].clone();
        let mut before = Vec::new();
        sim.disk.damage(&name, |bytes| {
            before = bytes.clone();
            let offsets = frames(bytes);
            let at = if last { *offsets.last().unwrap() } else { offsets[2] };
            let end = offsets.iter().copied().find(|offset| *offset > at).unwrap_or(bytes.len());
            let actor = bytes[at..end].windows(4).position(|window| window == b"test").unwrap();
            bytes[at + actor] = b'T';
            make_checksum_right(&mut bytes[at..end]);
        });
        let report = verify(&store);
        assert!(report.state_compared, "every entry can be read");
        let about = if last { "the log ends its chain" } else { "names" };
        assert!(report.problems.iter().any(|problem| problem.what.contains(about)), "{:#?}", report.problems);
        sim.disk.damage(&name, |bytes| *bytes = before);
    }
    assert!(verify(&store).is_sound());
}

#[test]
fn damage_to_what_was_synced_is_never_cut_off_by_opening() {
    let (sim, store) = filled();
    store.close().unwrap();
    let name = sim.disk.names().last().unwrap().clone();
    let mut before = Vec::new();
    sim.disk.damage(&name, |bytes| before = bytes.clone());
    let offsets = frames(&before);
    assert!(offsets.len() >= 3);
    for state in [true, false] {
        if !state {
            remove_state(sim.dir.path());
        }
        for offset in &offsets[..offsets.len() - 1] {
            sim.disk.damage(&name, |bytes| bytes[offset + FRAME_HEADER + 5] ^= 8);
            let Err(StoreError::Corrupt { place, what }) = sim.open() else { panic!("opened with damage at {offset}") };
            assert_eq!(place, format!("log/{name} at byte {offset}"));
            assert!(what.contains("had been synced"), "{what}");
            sim.disk.damage(&name, |bytes| assert_eq!(bytes.len(), before.len(), "nothing was cut"));
            sim.disk.damage(&name, |bytes| *bytes = before.clone());
        }
    }
    assert_sound(&sim.open().unwrap());
}

#[test]
fn a_torn_tail_is_cut_unless_the_state_knows_it_was_whole() {
    let (sim, store) = filled();
    store.close().unwrap();
    let name = sim.disk.names().last().unwrap().clone();
    let mut before = Vec::new();
    sim.disk.damage(&name, |bytes| before = bytes.clone());
    let last = *frames(&before).last().unwrap();
    for len in (last..before.len()).step_by(37).chain([last + 1, before.len() - 1]) {
        sim.disk.damage(&name, |bytes| *bytes = before[..len].to_vec());
        // The state index has the entry: it was acknowledged, and its loss is an error.
        let Err(StoreError::Corrupt { what, .. }) = sim.open() else { panic!("opened without the last entry") };
        assert!(what.contains("acknowledged entries are missing"), "{what}");
    }
    let kept = sim.dir.path().join("kept");
    fs::rename(sim.dir.path().join("state"), &kept).unwrap();
    for len in (last..before.len()).step_by(97).chain([last + 1, before.len() - 1]) {
        sim.disk.damage(&name, |bytes| *bytes = before[..len].to_vec());
        let store = sim.open().unwrap();
        assert_eq!(store.status().durable, 39, "{len}");
        assert_sound(&store);
        drop(store);
        remove_state(sim.dir.path());
    }
}

#[test]
fn a_missing_segment_is_found_by_verification_and_by_rebuilding() {
    let (sim, store) = filled();
    let name = sim.disk.names()[1].clone();
    sim.disk.remove_file(&name);
    // The store has the name of the segment in memory; one that is opened afterwards does not.
    assert!(matches!(store.verify(&mut |_| {}), Err(StoreError::Io { .. })));
    store.close().unwrap();
    let store = sim.open().unwrap();
    let report = verify(&store);
    assert!(report.problems.iter().any(|problem| problem.what.contains("should")), "{:#?}", report.problems);
    assert!(report.problems.iter().any(|problem| problem.what.contains("missing")), "{:#?}", report.problems);
    assert!(matches!(store.entries(1, &mut |_| std::ops::ControlFlow::Continue(())), Err(StoreError::Corrupt { .. })));
    drop(store);
    remove_state(sim.dir.path());
    assert!(matches!(sim.open(), Err(StoreError::Corrupt { .. })));
}

#[test]
fn a_segment_whose_creation_was_not_finished_is_no_damage() {
    for len in [0, 1, 31, 32] {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), options()).unwrap();
        fill(&store);
        store.close().unwrap();
        fs::write(dir.path().join("log/00000000000000000041.log"), vec![0; len]).unwrap();
        fs::write(dir.path().join("log/tail.tmp"), b"half a copy").unwrap();
        let store = Store::open(dir.path(), options()).unwrap();
        assert_eq!(put(&store, ACME, &[]).revision, 41);
        assert_sound(&store);
    }
}

/// Opens the state index behind the store's back.
fn tamper(dir: &Path, change: impl FnOnce(&sled::Db)) {
    let db = sled::Config::default().path(dir.join("state")).segment_size(8 << 20).open().unwrap();
    change(&db);
    db.flush().unwrap();
}

fn closed() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), options()).unwrap();
    fill(&store);
    store.close().unwrap();
    dir
}

#[test]
fn a_state_that_is_not_the_logs_is_found_record_by_record_and_built_again() {
    let dir = closed();
    let keys: Vec<_> = {
        let mut keys = Vec::new();
        tamper(dir.path(), |db| keys = db.scan_prefix([0, 0, 0, 1, 1]).keys().map(Result::unwrap).collect());
        keys
    };
    tamper(dir.path(), |db| {
        db.insert(&keys[0], b"\x01other".as_slice()).unwrap();
        db.remove(&keys[1]).unwrap();
        db.insert([0, 0, 0, 9, 1, 7], b"\x01extra".as_slice()).unwrap();
    });
    let store = Store::open(dir.path(), options()).unwrap();
    let report = verify(&store);
    for what in ["is not the one in the log", "it is not in the state", "the log does not say so"] {
        assert_eq!(report.problems.iter().filter(|problem| problem.what.contains(what)).count(), 1, "{what}");
    }
    assert_eq!(report.problems.len(), 3, "{:#?}", report.problems);
    drop(store);
    remove_state(dir.path());
    assert_sound(&Store::open(dir.path(), options()).unwrap());
}

/// Not by the disk, which sled would see, but by whatever else: each block has a checksum of its own, and knows the one before.
#[test]
fn a_block_of_the_state_that_is_not_what_was_written_is_found_and_the_state_is_built_again() {
    type Change<'a> = (&'a str, &'a dyn Fn(&sled::Tree, &sled::IVec, Vec<u8>));
    let cases: [Change<'_>; 5] = [
        ("a byte of it", &|base, key, mut block| {
            let middle = block.len() / 2;
            block[middle] ^= 16;
            base.insert(key, block).unwrap();
        }),
        ("cut short", &|base, key, mut block| {
            block.pop();
            base.insert(key, block).unwrap();
        }),
        ("begun and not written", &|base, key, _| drop(base.insert(key, &[]).unwrap())),
        ("under another key", &|base, key, block| {
            base.remove(key).unwrap();
            base.insert([key.as_ref(), &[1]].concat(), block).unwrap();
        }),
        ("gone", &|base, key, _| drop(base.remove(key).unwrap())),
    ];
    for (name, change) in cases {
        for place in [Place::First, Place::Middle, Place::Last, Place::Filter] {
            let (dir, expected) = written_anew();
            tamper(dir.path(), |db| {
                let base = db.open_tree("base").unwrap();
                let keys: Vec<_> = base.iter().keys().map(Result::unwrap).collect();
                assert!(keys.len() > 10, "{} blocks", keys.len());
                let key = match place {
                    Place::First => keys.first(),
                    Place::Middle => keys.get(keys.len() / 2),
                    // Behind all blocks stands the one filter of so few records.
                    Place::Last => keys.get(keys.len() - 2),
                    Place::Filter => keys.last(),
                };
                let block = base.get(key.unwrap()).unwrap().unwrap().to_vec();
                change(&base, key.unwrap(), block);
            });
            // Opening reads a little of the blocks already.
            let read = Store::open(dir.path(), options()).and_then(|store| store.verify(&mut |_| {}));
            match read {
                Err(StoreError::Unavailable(why)) => {
                    assert!(
                        why.contains("block") && why.contains("opening the store again"),
                        "{name}, {place:?}: {why}"
                    );
                }
                // It reads all filters, and whatever else is behind the blocks.
                Ok(_) => assert!(matches!(place, Place::Last | Place::Filter), "{name}, {place:?}: nothing was found"),
                Err(error) => panic!("{name}, {place:?}: {error}"),
            }
            is_built_again(&dir, &expected, name);
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Place {
    First,
    Middle,
    Last,
    Filter,
}

#[test]
fn a_state_whose_base_is_gone_is_built_again() {
    let (dir, expected) = written_anew();
    tamper(dir.path(), |db| assert!(db.drop_tree("base").unwrap()));
    is_built_again(&dir, &expected, "the whole base");
}

/// Asked for by an older release, which does not know of bases: what it looks at does not read as a state without one.
#[test]
fn a_state_with_a_base_says_so_where_others_say_how_far_they_are() {
    let length = |dir: &Path| {
        let mut length = 0;
        tamper(dir, |db| length = db.get([0]).unwrap().unwrap().len());
        length
    };
    let without = closed();
    assert_eq!(length(without.path()), 16);
    let (with, _) = written_anew();
    assert_eq!(length(with.path()), 17);
    // As the first releases left it.
    tamper(without.path(), |db| {
        let found = db.get([0]).unwrap().unwrap();
        db.insert([0], &found[..8]).unwrap();
    });
    let store = Store::open(without.path(), options()).unwrap();
    assert_sound(&store);
    store.compact().unwrap();
    assert_sound(&store);
    store.close().unwrap();
    assert!(!without.path().join("state.damaged-1").exists());
    assert_sound(&Store::open(without.path(), options()).unwrap());
}

/// A closed store whose state was written anew, and what tenants have in it.
fn written_anew() -> (tempfile::TempDir, [Vec<Note>; 2]) {
    let dir = closed();
    let store = Store::open(dir.path(), options()).unwrap();
    store.compact().unwrap();
    let expected = [ACME, BOLT].map(|tenant| notes(&store.read(tenant).unwrap()));
    store.close().unwrap();
    // Gives the folder its usual name.
    Store::open(dir.path(), options()).unwrap().close().unwrap();
    (dir, expected)
}

fn is_built_again(dir: &tempfile::TempDir, expected: &[Vec<Note>; 2], context: &str) {
    let store = Store::open(dir.path(), options()).unwrap();
    assert!(dir.path().join("state.damaged-1").exists(), "{context}");
    assert_eq!([ACME, BOLT].map(|tenant| notes(&store.read(tenant).unwrap())), *expected, "{context}");
    assert_sound(&store);
}

#[test]
fn the_state_of_another_store_is_refused() {
    let (mine, other) = (closed(), closed());
    tamper(other.path(), |db| {
        let head = db.get([0, 0, 0, 2, 0, b'h']).unwrap().unwrap();
        let mut head = head.to_vec();
        head[20] ^= 1;
        db.insert([0, 0, 0, 2, 0, b'h'], head).unwrap();
    });
    remove_state(mine.path());
    fs::rename(other.path().join("state"), mine.path().join("state")).unwrap();
    let Err(StoreError::Corrupt { what, .. }) = Store::open(mine.path(), options()) else { panic!("opened") };
    assert!(what.contains("not of the same store"), "{what}");
}

#[test]
fn sled_files_in_any_condition_cost_nothing_but_time() {
    let state_files = |dir: &Path| -> Vec<_> {
        fs::read_dir(dir.join("state"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file())
            .collect()
    };
    type Damage<'a> = (&'a str, &'a dyn Fn(&Path));
    let cases: [Damage<'_>; 5] = [
        ("an unfinished snapshot", &|dir| fs::write(dir.join("state/snap.FFFF.generating"), b"half").unwrap()),
        ("damaged snapshots", &|dir| {
            for path in state_files(dir).iter().filter(|path| path.to_string_lossy().contains("snap.")) {
                fs::write(path, b"nonsense").unwrap();
            }
            fs::write(dir.join("state/snap.00000000FFFFFFFF"), b"nonsense").unwrap();
        }),
        ("a database cut short", &|dir| {
            let db = fs::OpenOptions::new().write(true).open(dir.join("state/db")).unwrap();
            db.set_len(db.metadata().unwrap().len() / 2).unwrap();
        }),
        ("nonsense everywhere", &|dir| {
            for path in state_files(dir) {
                let len = fs::metadata(&path).unwrap().len() as usize;
                fs::write(path, vec![0xa5; len]).unwrap();
            }
        }),
        ("no database", &|dir| fs::remove_file(dir.join("state/db")).unwrap()),
    ];
    for (name, damage) in cases {
        let dir = closed();
        damage(dir.path());
        let store = Store::open(dir.path(), options()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(notes(&store.read(ACME).unwrap()).len(), 21, "{name}");
        assert_eq!(put(&store, ACME, &[]).revision, 41, "{name}");
        assert_sound(&store);
        if name == "nonsense everywhere" {
            assert!(dir.path().join("state.damaged-1").exists(), "moved away for whoever wants to look at it");
        }
    }
}

#[test]
fn of_the_damaged_indexes_that_were_moved_away_the_newest_is_kept() {
    let dir = closed();
    let kept = || -> Vec<String> {
        let names = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("state.damaged-")).collect()
    };
    for time in 1..=3_u8 {
        for path in fs::read_dir(dir.path().join("state")).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_file() {
                let len = fs::metadata(&path).unwrap().len() as usize;
                fs::write(path, vec![time; len]).unwrap();
            }
        }
        let store = Store::open(dir.path(), options()).unwrap();
        assert_eq!(notes(&store.read(ACME).unwrap()).len(), 21);
        store.close().unwrap();
        assert_eq!(kept(), [format!("state.damaged-{time}")]);
        let db = fs::read(dir.path().join(&kept()[0]).join("db")).unwrap();
        assert!(db.starts_with(&[time; 64]), "the newest, not an older one under its name");
    }
}
