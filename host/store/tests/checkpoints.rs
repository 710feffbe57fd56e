//! Checkpoints, and the state index written anew: from each of them the store comes back as it was, also while it works.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use backroom_store::{Options, Store, StoreError, TenantNo};
use common::*;

/// Commits that set, set again and delete, of two tenants.
fn work(store: &Store, from: u32) {
    for page in from..from + 30 {
        let mut tx = store.write([ACME, BOLT][page as usize % 2]).unwrap();
        tx.put(&note("a", page, &"text ".repeat(60))).unwrap();
        tx.put(&note("a", 9_999, &page.to_string())).unwrap();
        tx.delete::<Note>(&("a".into(), page.saturating_sub(6)));
        tx.commit(meta("work")).unwrap().ticket.wait().unwrap();
    }
}

/// What each tenant's records are.
fn figures(store: &Store) -> BTreeMap<TenantNo, Vec<Note>> {
    [ACME, BOLT].into_iter().map(|tenant| (tenant, notes(&store.read(tenant).unwrap()))).collect()
}

/// A closed store with two checkpoints and entries before, between and behind them.
fn filled() -> (Sim, BTreeMap<TenantNo, Vec<Note>>) {
    let sim = Sim::new();
    let store = sim.open().unwrap();
    for from in [0, 30, 60] {
        work(&store, from);
        if from < 60 {
            store.checkpoint().unwrap();
        }
    }
    let figures = figures(&store);
    store.close().unwrap();
    (sim, figures)
}

fn flip(sim: &Sim, name: &str, at: usize) {
    sim.disk.damage(name, |bytes| bytes[at] ^= 4);
}

#[test]
fn a_lost_state_is_loaded_from_the_newest_checkpoint_and_the_log_behind_it() {
    let (sim, expected) = filled();
    // The log before the checkpoint cannot be played, so that it can only be the checkpoint.
    let first = sim.disk.names()[0].clone();
    flip(&sim, &first, 300);
    remove_state(sim.dir.path());
    let store = sim.open().unwrap();
    assert_eq!(figures(&store), expected);
    assert!(!store.verify(&mut |_| {}).unwrap().is_sound(), "the log is damaged all the same");
    drop(store);
    flip(&sim, &first, 300);
    assert_sound(&sim.open().unwrap());
}

#[test]
fn a_damaged_checkpoint_is_passed_over() {
    let (sim, expected) = filled();
    let [older, newest] = sim.disk.checkpoints().try_into().unwrap();
    let first = sim.disk.names()[0].clone();
    for at in (0..sim.disk.size(&newest)).step_by(7) {
        flip(&sim, &newest, at);
        flip(&sim, &first, 300);
        remove_state(sim.dir.path());
        let store = sim.open().unwrap_or_else(|error| panic!("byte {at}: {error}"));
        assert_eq!(figures(&store), expected, "byte {at}, from the older checkpoint");
        drop(store);
        // Neither can be used: the log has everything.
        flip(&sim, &first, 300);
        if at.is_multiple_of(5) {
            flip(&sim, &older, at % 300);
            remove_state(sim.dir.path());
            let store = sim.open().unwrap_or_else(|error| panic!("byte {at}: {error}"));
            assert_eq!(figures(&store), expected, "byte {at}, from the log");
            assert_sound(&store);
            flip(&sim, &older, at % 300);
        }
        flip(&sim, &newest, at);
    }
}

#[test]
fn a_state_that_is_behind_is_brought_up_by_checkpoint_or_log() {
    let dir = tempfile::tempdir().unwrap();
    let kept = dir.path().join("kept");
    let data = dir.path().join("data");
    let store = Store::open(&data, options()).unwrap();
    work(&store, 0);
    store.close().unwrap();
    fs::rename(data.join("state"), &kept).unwrap();
    let store = Store::open(&data, options()).unwrap();
    work(&store, 30);
    store.checkpoint().unwrap();
    work(&store, 60);
    let expected = figures(&store);
    store.close().unwrap();
    for checkpoint in [true, false] {
        if !checkpoint {
            fs::remove_dir_all(data.join("checkpoint")).unwrap();
        }
        remove_state(&data);
        copy_dir(&kept, &data.join("state"));
        let store = Store::open(&data, options()).unwrap();
        assert_eq!(figures(&store), expected);
        assert_sound(&store);
    }
}

#[test]
fn a_log_that_is_shorter_than_a_checkpoint_has_lost_entries() {
    let (sim, _) = filled();
    let names = sim.disk.names();
    for name in &names[names.len() / 2..] {
        sim.disk.remove_file(name);
    }
    remove_state(sim.dir.path());
    let Err(StoreError::Corrupt { what, .. }) = sim.open() else { panic!("opened with half of the log") };
    assert!(what.contains("acknowledged entries are missing"), "{what}");
}

#[test]
fn the_newest_two_checkpoints_are_kept_and_none_is_written_twice() {
    let sim = Sim::new();
    let store = sim.open().unwrap();
    store.checkpoint().unwrap();
    assert!(sim.disk.checkpoints().is_empty(), "there is nothing to keep");
    for round in 0..4 {
        work(&store, round * 30);
        store.checkpoint().unwrap();
        let names = sim.disk.checkpoints();
        store.checkpoint().unwrap();
        assert_eq!(sim.disk.checkpoints(), names);
    }
    let name = |revision: u64| format!("checkpoint/{revision:020}.ckpt");
    assert_eq!(sim.disk.checkpoints(), [name(90), name(120)]);
}

#[test]
fn upkeep_writes_a_checkpoint_when_enough_was_committed() {
    let dir = tempfile::tempdir().unwrap();
    let often = Options { checkpoint_bytes: 4 << 10, upkeep_every: Some(Duration::from_millis(1)), ..options() };
    let store = Store::open(dir.path(), often).unwrap();
    let written = || fs::read_dir(dir.path().join("checkpoint")).unwrap().count() > 0;
    let mut from = 0;
    while !written() {
        work(&store, from);
        from += 30;
    }
    store.close().unwrap();
}

/// By itself, in the background, when the state takes too much room; and not again just because the store was opened again.
#[test]
fn upkeep_writes_the_state_anew_when_it_takes_too_much_room() {
    let dir = tempfile::tempdir().unwrap();
    let often = Options { compact_bytes: 256 << 10, upkeep_every: Some(Duration::from_millis(1)), ..options() };
    let store = Store::open(dir.path(), often.clone()).unwrap();
    assert_eq!(store.status().compacted_at, None);
    let mut from = 0;
    while store.status().compacted_at.is_none() {
        work(&store, from);
        from += 30;
        // The figures that it goes by are taken every ten seconds, or now.
        store.upkeep().unwrap();
    }
    let status = store.status();
    assert!(status.warnings.is_empty(), "{:?}", status.warnings);
    assert!(status.logical_bytes > 0);
    let (at, expected) = (status.compacted_at, figures(&store));
    store.close().unwrap();
    // Without rounds of its own: an index as small as this one grows by half when it is closed.
    let store = Store::open(dir.path(), Options { upkeep_every: None, ..often }).unwrap();
    store.checkpoint().unwrap();
    assert_eq!(store.status().compacted_at, at, "it is remembered");
    assert_eq!(figures(&store), expected);
    assert_sound(&store);
    store.close().unwrap();
}

/// What could not be noted was done all the same, and is told so.
#[test]
fn a_state_written_anew_without_a_note_of_it_is_no_failure() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), options()).unwrap();
    work(&store, 0);
    let expected = figures(&store);
    // The note cannot take the place of a folder that has something in it.
    std::fs::create_dir_all(dir.path().join("compacted/in the way")).unwrap();
    store.compact().unwrap();
    assert!(store.status().compacted_at.is_some());
    assert_eq!(figures(&store), expected);
    assert_sound(&store);
    store.close().unwrap();
    let store = Store::open(dir.path(), options()).unwrap();
    assert_eq!(store.status().compacted_at, None, "it is not remembered, and may be done once more");
    assert_sound(&store);
}

/// Records that do not compress, and are small beside what sled adds to each.
#[test]
fn a_state_that_was_written_anew_takes_little_more_room_than_its_records() {
    let dir = tempfile::tempdir().unwrap();
    let block_bytes = Options::default().block_bytes;
    let store = Store::open(dir.path(), Options { segment_bytes: 1 << 20, block_bytes, ..options() }).unwrap();
    let mut seed = 1_u64;
    for round in 0..200 {
        let mut tx = store.write(ACME).unwrap();
        for page in 0..100 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let text = blake3::hash(&seed.to_le_bytes()).to_string();
            tx.put(&note("a", round * 100 + page, &text)).unwrap();
        }
        // A checkpoint waits until the state has what is durable.
        tx.commit(meta("work")).unwrap().ticket.wait().unwrap();
    }
    store.checkpoint().unwrap();
    let before = store.status();
    assert!(before.state_bytes > before.logical_bytes * 3 / 2, "{before:?}: sled has become better than it was");
    store.compact().unwrap();
    let after = store.status();
    // Checkpoints count heads, too.
    assert!(after.logical_bytes.abs_diff(before.logical_bytes) < 100, "{before:?} {after:?}");
    assert!(after.state_bytes < after.logical_bytes, "{after:?}: half of each record are hexadecimal digits");
    let expected = notes(&store.read(ACME).unwrap());
    store.close().unwrap();
    let store = Store::open(dir.path(), options()).unwrap();
    assert_eq!(notes(&store.read(ACME).unwrap()), expected);
    assert_sound(&store);
}

/// Writers and readers go on while the state is copied again and again.
#[test]
fn copies_of_the_state_are_exact_while_everybody_works() {
    let dir = tempfile::tempdir().unwrap();
    let small = Options { overlay_bytes: 1 << 20, segment_bytes: 64 << 10, ..options() };
    let store = Store::open(dir.path(), small).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for (writer, tenant) in [ACME, BOLT, COPY].into_iter().enumerate() {
            let (store, stop) = (&store, &stop);
            scope.spawn(move || {
                for round in 0_u32.. {
                    let mut tx = store.write(tenant).unwrap();
                    for page in 0..20 {
                        let page = (round * 7 + page * 13 + writer as u32) % 400;
                        if (round + page).is_multiple_of(3) {
                            tx.delete::<Note>(&("a".into(), page));
                        } else {
                            tx.put(&note("a", page, &format!("{round}"))).unwrap();
                        }
                    }
                    tx.put(&count("rounds", u64::from(round) + 1)).unwrap();
                    let committed = tx.commit(meta("work")).unwrap();
                    if round.is_multiple_of(50) {
                        committed.ticket.wait().unwrap();
                        // A reader sees one revision, whichever index it is in.
                        let tx = store.read(tenant).unwrap();
                        let rounds = tx.get::<Count>(&"rounds".into()).unwrap().unwrap().value;
                        assert!(notes(&tx).iter().all(|note| note.text.parse::<u64>().unwrap() < rounds));
                    }
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                }
            });
        }
        for _ in 0..6 {
            store.checkpoint().unwrap();
            store.compact().unwrap();
            store.upkeep().unwrap();
        }
        stop.store(true, Ordering::Relaxed);
    });
    store.checkpoint().unwrap();
    let status = store.status();
    assert!(status.warnings.is_empty(), "{:?}", status.warnings);
    assert!(status.log_bytes > 0 && status.state_bytes > 0 && status.checkpoint_bytes > 0 && status.logical_bytes > 0);
    assert_sound(&store);
    store.close().unwrap();
    // As the last exchange left it; then from the checkpoint.
    let store = Store::open(dir.path(), options()).unwrap();
    assert!(dir.path().join("state").is_dir() && !dir.path().join("state.new").exists());
    assert_sound(&store);
    drop(store);
    remove_state(dir.path());
    assert_sound(&Store::open(dir.path(), options()).unwrap());
}

#[test]
fn whatever_a_crash_leaves_of_an_index_written_anew_is_no_loss() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let store = Store::open(&data, options()).unwrap();
    work(&store, 0);
    let expected = figures(&store);
    store.close().unwrap();
    type Leave<'a> = (&'a str, &'a dyn Fn(&Path));
    let cases: [Leave<'_>; 5] = [
        ("being copied", &|data| copy_dir(&data.join("state"), &data.join("state.new"))),
        ("in use, the old one still there", &|data| {
            copy_dir(&data.join("state"), &data.join("state.new"));
            fs::write(data.join("state/db"), b"nonsense").unwrap();
            fs::write(data.join("state.moved"), b"").unwrap();
        }),
        ("in use, the old one gone", &|data| {
            fs::rename(data.join("state"), data.join("state.new")).unwrap();
            fs::write(data.join("state.moved"), b"").unwrap();
        }),
        ("renamed, the note still there", &|data| fs::write(data.join("state.moved"), b"").unwrap()),
        ("half loaded from a checkpoint", &|data| {
            let db = sled::Config::default().path(data.join("state")).segment_size(8 << 20).open().unwrap();
            db.insert([0, 0, 0, 1, 1, 7], b"\x01not a record of this store".as_slice()).unwrap();
            db.flush().unwrap();
            fs::write(data.join("state.rebuild"), b"loading").unwrap();
        }),
    ];
    for (name, leave) in cases {
        let crashed = dir.path().join("crashed");
        copy_dir(&data, &crashed);
        leave(&crashed);
        let store = Store::open(&crashed, options()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(figures(&store), expected, "{name}");
        assert_sound(&store);
        drop(store);
        let left: Vec<_> = fs::read_dir(&crashed).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("state.")), "{name}: {left:?}");
        fs::remove_dir_all(&crashed).unwrap();
    }
}
