//! A full disk, on a real and small file system: nothing that was acknowledged is lost, reading goes on, the service resumes
//! by itself once there is room, and a store can be opened without any.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "helpers of tests fail as tests do"
)]

mod common;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use backroom_store::{Options, Store, StoreError};
use common::*;

/// A file system of its own, in memory; gone with this.
struct Small {
    dir: tempfile::TempDir,
    /// Where below it.
    at: PathBuf,
}

impl Small {
    /// `None` where nothing can be mounted: that skips the test, or fails it where nothing may be skipped.
    fn mount(mebibytes: u32) -> Option<Self> {
        let (dir, at) = (tempfile::tempdir().unwrap(), PathBuf::new());
        Self { dir, at }.mounted(mebibytes)
    }

    /// Only for the log of a data directory; the rest of it is where there is plenty.
    fn mount_log(mebibytes: u32) -> Option<Self> {
        let (dir, at) = (tempfile::tempdir().unwrap(), PathBuf::from("data/log"));
        fs::create_dir_all(dir.path().join(&at)).unwrap();
        Self { dir, at }.mounted(mebibytes)
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join(&self.at)
    }

    fn mounted(self, mebibytes: u32) -> Option<Self> {
        let size = format!("size={mebibytes}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(self.path()).output();
        if mounted.as_ref().is_ok_and(|output| output.status.success()) {
            return Some(self);
        }
        assert!(std::env::var_os("BACKROOM_REQUIRE_ALL").is_none(), "a file system cannot be mounted: {mounted:?}");
        eprintln!("SKIPPED: a small file system cannot be mounted here (it takes root): {mounted:?}");
        None
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Takes room with a file that is not the store's.
    fn fill(&self, name: &str, bytes: usize) {
        fs::write(self.dir.path().join(name), vec![7; bytes]).unwrap();
    }

    /// Takes all the room there is.
    fn fill_up(&self) {
        use std::io::Write as _;
        let mut file = fs::File::create(self.dir.path().join("rest")).unwrap();
        while file.write_all(&[7; 4096]).is_ok() {}
        while file.write_all(&[7; 1]).is_ok() {}
    }

    /// Takes what there is in one step, but for a little.
    fn fill_at_once(&self) {
        let file = fs::File::create(self.dir.path().join("at once")).unwrap();
        let free = || rustix::fs::fstatvfs(&file).map(|found| found.f_bavail * found.f_frsize).unwrap();
        // The store takes some meanwhile.
        while rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, free()).is_err() {}
    }

    fn free(&self, name: &str) {
        fs::remove_file(self.dir.path().join(name)).unwrap();
    }

    fn remount(&self, how: &str) {
        let options = format!("remount,{how}");
        let done = Command::new("mount").args(["-o", &options]).arg(self.path()).status().unwrap();
        assert!(done.success(), "remount {how}");
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // Also with files still open; the directory is removed after it.
        drop(Command::new("umount").arg("--lazy").arg(self.path()).status());
    }
}

fn small() -> Options {
    Options {
        turn_timeout: Duration::from_secs(2),
        segment_bytes: 1 << 20,
        upkeep_every: Some(Duration::from_millis(20)),
        checkpoint_bytes: 4 << 20,
        // As in service but for half of what is kept free: sled takes room in pieces of 8 MiB.
        min_free_bytes: 32 << 20,
        spare_bytes: 16 << 20,
        ..options()
    }
}

/// One commit; what was acknowledged is counted in `number`.
fn commit_some(store: &Store, number: &mut u64) -> Result<(), StoreError> {
    // Noise, so that nothing gets small.
    let mut noise = blake3::Hasher::new();
    noise.update(&number.to_le_bytes());
    let text: String = (0..60)
        .map(|_| {
            noise.update(b".");
            noise.finalize().to_hex().to_string()
        })
        .collect();
    let mut tx = store.write(ACME)?;
    tx.put(&note("a", *number as u32, &text))?;
    tx.put(&count("pages", *number + 1))?;
    tx.commit(meta("work"))?.ticket.wait()?;
    *number += 1;
    Ok(())
}

/// Commits until one is refused: the refusal.
fn commit_until_refused(store: &Store, number: &mut u64) -> StoreError {
    loop {
        if let Err(refused) = commit_some(store, number) {
            return refused;
        }
    }
}

/// What was acknowledged is there, and at most one that was in doubt.
fn check(store: &Store, acknowledged: u64) -> u64 {
    let tx = store.read(ACME).unwrap();
    let pages = tx.get::<Count>(&"pages".into()).unwrap().unwrap().value;
    assert!((acknowledged..=acknowledged + 1).contains(&pages), "{pages} pages, {acknowledged} were acknowledged");
    assert_eq!(notes(&tx).len() as u64, pages);
    pages
}

fn wait_until(what: &str, done: impl Fn() -> bool) {
    let begin = Instant::now();
    while !done() {
        // No bound on how quick it is; only on how long a broken one is waited for.
        assert!(begin.elapsed() < Duration::from_secs(120), "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_full_disk_loses_nothing_and_the_service_resumes_when_there_is_room() {
    let Some(disk) = Small::mount(160) else { return };
    disk.fill("ballast", 32 << 20);
    let store = Store::open(&disk.data(), small()).unwrap();
    let mut acknowledged = 0;
    for round in 0..3 {
        let refused = commit_until_refused(&store, &mut acknowledged);
        assert!(matches!(refused, StoreError::Unavailable(_)), "round {round}: {refused}");
        assert!(refused.to_string().contains("Make room"), "{refused}");
        let status = store.status();
        assert!(status.failed.is_none(), "round {round}: it has not stopped: {status:?}");
        wait_until("a warning", || !store.status().warnings.is_empty());
        check(&store, acknowledged);
        // Again and again: nothing gets worse by trying.
        for _ in 0..20 {
            assert!(matches!(commit_until_refused(&store, &mut acknowledged), StoreError::Unavailable(_)));
        }
        disk.free("ballast");
        // It may be too little by itself: the state may have grown to what others left.
        disk.remount(&format!("size={}m", 160 + 32 * (round + 1)));
        wait_until("writing", || store.status().held.is_none() && store.write(ACME).is_ok());
        acknowledged = check(&store, acknowledged);
        let before = acknowledged;
        // What upkeep does with the room may take it once more for a moment: a segment that is being compressed is there twice.
        let one_more = || {
            let mut tx = store.write(BOLT)?;
            tx.put(&note("b", round, "there is room"))?;
            tx.commit(meta("notes"))?.ticket.wait()
        };
        wait_until("room for one more", || one_more().is_ok());
        assert_eq!(check(&store, acknowledged), before);
        // Others take some of what is left, but for the room that sled needs for what it has been given.
        disk.fill("ballast", (store.status().free_bytes.saturating_sub(24 << 20) as usize).min(16 << 20));
    }
    disk.free("ballast");
    disk.remount("size=512m");
    wait_until("the state index", || store.status().applied == store.status().durable);
    wait_until("the end of all warnings", || store.status().warnings.is_empty());
    assert_sound(&store);
    store.close().unwrap();
    let store = Store::open(&disk.data(), small()).unwrap();
    check(&store, acknowledged);
    assert_sound(&store);
}

#[test]
fn a_store_is_opened_and_read_without_any_room() {
    for clean in [true, false] {
        let Some(disk) = Small::mount(160) else { return };
        let mut acknowledged = 0;
        disk.fill("ballast", 16 << 20);
        let store = Store::open(&disk.data(), small()).unwrap();
        wait_until("the spare room", || disk.data().join("spare").exists());
        let refused = commit_until_refused(&store, &mut acknowledged);
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
        disk.fill_up();
        if clean {
            // What could not be written is given up, and said so.
            drop(store.close());
        } else {
            drop(store);
        }
        disk.fill_up();
        let store = Store::open(&disk.data(), small()).unwrap_or_else(|error| panic!("without room: {error}"));
        acknowledged = check(&store, acknowledged);
        wait_until("a warning", || !store.status().warnings.is_empty());
        let refused = commit_until_refused(&store, &mut acknowledged);
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
        acknowledged = check(&store, acknowledged);
        disk.free("rest");
        disk.free("ballast");
        wait_until("writing", || store.status().held.is_none() && store.write(ACME).is_ok());
        put(&store, BOLT, &[note("b", 1, "there is room")]);
        check(&store, acknowledged);
        assert_sound(&store);
        store.close().unwrap();
    }
}

/// sled is about to write what it has been given, and there is no room at all any more: it has to be opened again.
#[test]
fn a_disk_that_is_full_from_one_moment_to_the_next_loses_nothing_and_the_service_resumes() {
    let Some(disk) = Small::mount(256) else { return };
    let store = Store::open(&disk.data(), small()).unwrap();
    let (mut acknowledged, lost) = (0, std::cell::Cell::new(0));
    let look = || {
        let status = store.status();
        lost.set(lost.get() + u32::from(status.warnings.iter().any(|warning| warning.contains("opened again"))));
        status
    };
    let mut round = 0;
    // Whether sled has something to write in just that moment is chance.
    while round < 8 || (lost.get() == 0 && round < 40) {
        round += 1;
        // A little more than what has to be left for the index to be written at all; it goes in one step.
        disk.fill("ballast", (store.status().free_bytes as usize).saturating_sub(48 << 20));
        for _ in 0..100 * round.min(8) {
            commit_some(&store, &mut acknowledged).unwrap();
        }
        disk.fill_at_once();
        disk.fill_up();
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(1_200) {
            look();
            match store.read(ACME).and_then(|tx| tx.get::<Count>(&"pages".into())) {
                Ok(pages) => assert_eq!(pages.unwrap().value, acknowledged),
                Err(error) => assert!(
                    matches!(&error, StoreError::Io { .. } | StoreError::Unavailable(_) | StoreError::Expired),
                    "round {round}: {error}"
                ),
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        wait_until("reading", || store.read(ACME).and_then(|tx| tx.get::<Count>(&"pages".into())).is_ok());
        let refused = commit_until_refused(&store, &mut acknowledged);
        assert!(matches!(refused, StoreError::Unavailable(_)), "round {round}: {refused}");
        let status = store.status();
        assert!(status.failed.is_none(), "round {round}: {status:?}");
        disk.free("rest");
        disk.free("at once");
        disk.free("ballast");
        wait_until("writing", || store.status().held.is_none() && store.write(ACME).is_ok());
        // If nobody has noticed before what was not written, it is noticed when this is to go to the index.
        while let Err(refused) = commit_some(&store, &mut acknowledged) {
            assert!(matches!(refused, StoreError::Unavailable(_)), "round {round}: {refused}");
            look();
        }
        wait_until("the state index", || {
            let status = look();
            status.applied == status.durable && status.warnings.is_empty()
        });
        acknowledged = check(&store, acknowledged);
    }
    eprintln!("seen without its index {} times", lost.get());
    assert!(lost.get() > 0, "it never came to what this is about");
    assert_sound(&store);
    store.close().unwrap();
    let store = Store::open(&disk.data(), small()).unwrap();
    check(&store, acknowledged);
    assert_sound(&store);
}

/// It takes the room of a second state while it goes on. Where that is not there, nothing has happened.
#[test]
fn a_state_that_has_no_room_to_be_written_anew_stays_as_it_is() {
    let Some(disk) = Small::mount(256) else { return };
    let options = || Options { upkeep_every: None, ..small() };
    let store = Store::open(&disk.data(), options()).unwrap();
    let mut acknowledged = 0;
    for _ in 0..6_000 {
        commit_some(&store, &mut acknowledged).unwrap();
    }
    wait_until("the state index", || store.status().applied == store.status().durable);
    // From enough to nothing at all: it ends in the middle, once it would take what the state in use is left, or before it begins.
    let mut failed = 0;
    for left in [60, 48, 38, 36, 34, 30, 16, 0].map(|left| left << 20) {
        // sled writes within half a second what it has been given. That the last byte goes in that time is what the test above is about.
        std::thread::sleep(Duration::from_secs(1));
        let free = store.status().free_bytes;
        disk.fill("ballast", (free as usize).saturating_sub(left));
        let compacted = store.compact();
        eprintln!("{left} bytes left: {compacted:?}");
        failed += u32::from(compacted.is_err());
        let status = store.status();
        assert!(status.failed.is_none(), "{left} bytes left: {status:?}");
        check(&store, acknowledged);
        disk.free("ballast");
        wait_until("writing", || store.status().held.is_none() && store.write(ACME).is_ok());
        commit_some(&store, &mut acknowledged).unwrap();
        check(&store, acknowledged);
    }
    assert!((4..8).contains(&failed), "{failed} of 8 found no room");
    // What any of them had broken would be in every later one as well: each copies the records of the one before.
    assert_sound(&store);
    store.close().unwrap();
    let store = Store::open(&disk.data(), options()).unwrap();
    store.compact().unwrap();
    check(&store, acknowledged);
    assert_sound(&store);
}

#[test]
fn a_read_only_file_system_is_named_and_no_store_is_harmed() {
    let Some(disk) = Small::mount(160) else { return };
    let store = Store::open(&disk.data(), small()).unwrap();
    put(&store, ACME, &[note("a", 1, "kept")]);
    drop(store);
    disk.remount("ro");
    let refused = Store::open(&disk.data(), small()).unwrap_err();
    assert!(matches!(refused, StoreError::Io { .. }) && refused.to_string().contains("Read-only"), "{refused}");
    disk.remount("rw");
    let store = Store::open(&disk.data(), small()).unwrap();
    assert_eq!(notes(&store.read(ACME).unwrap()).len(), 1);
    assert_sound(&store);
}

/// The room set aside in steps must not be what fills a disk: the last bytes go to entries.
#[test]
fn room_that_is_too_small_for_a_step_is_used_to_the_end() {
    let Some(disk) = Small::mount_log(1) else { return };
    let options = Options { upkeep_every: None, segment_bytes: 64 << 20, ..options() };
    let store = Store::open(&disk.data(), options.clone()).unwrap();
    let mut acknowledged = 0;
    let refused = loop {
        let committed = commit(store.write(ACME).unwrap(), &[note("a", acknowledged, &"x".repeat(2_000))]);
        match committed.ticket.wait() {
            Ok(()) => acknowledged += 1,
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    let used = fs::metadata(&segments(&disk.data())[0]).unwrap().len();
    assert!(used > (1 << 20) - (8 << 10), "{used} bytes are used");
    assert!(acknowledged > 450, "{acknowledged} entries had room");
    assert_eq!(notes(&store.read(ACME).unwrap()).len() as u32, acknowledged);
    drop(store);
    let store = Store::open(&disk.data(), options).unwrap();
    assert_eq!(notes(&store.read(ACME).unwrap()).len() as u32, acknowledged);
    disk.remount("size=8m");
    put(&store, BOLT, &[note("b", 1, "there is room")]);
    assert_sound(&store);
}
