//! Every byte of a small data directory is flipped, one at a time: each flip is found, with a clear error, or does no harm.
//! None gives wrong figures, and none ends the process.
//!
//! ```sh
//! BACKROOM_FLIP_STEP=1 cargo test --release -p backroom-store --test flips      # each one; of a state with a base every seventh by default
//! ```
//!
//! Where the traps of sled 0.34.7 and of our own log have their tests (those of the log in `faults`, of the rest here,
//! in `damage` and in `checkpoints`):
//!
//! | trap | test |
//! | --- | --- |
//! | `flush` is no sync; unsynced data goes with the power | `faults`: the power may go at every disk operation (three tests) |
//! | `apply_batch` holds up all readers, and is atomic within one tree only | no batches; `state`: what was reached is finished by opening; `checkpoints`: copies of the state are exact while everybody works |
//! | one thread writes, readers see what is published | `faults`: a reply waits for the sync; `together` |
//! | `flush_async`, `transaction`, `len` hang or lock | sled is only called in ways that are known to be safe |
//! | the lock of a database being dropped lingers | `suite`: a store that is dropped at once has lost nothing |
//! | two processes on one directory | `together`: a data directory has one owner who is named |
//! | unfinished and damaged snapshot files | `damage`: sled files in any condition cost nothing but time |
//! | panics and errors at open, and while running | the same, and `flips`: every byte of the state index |
//! | large values go to unsynced blob files | no record is so large that sled keeps it in a file that nobody syncs |
//! | stored bytes change | `flips`, `damage`: one flipped bit anywhere in the log is found and named |
//! | files grow to several times what is in them | `checkpoints`: a state that was written anew ..., bench `reopen` |
//! | a write without room | `full` (four tests) |

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "helpers of tests fail as tests do"
)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use backroom_store::{Head, Options, Store, StoreError, TenantNo};
use common::*;

type Figures = BTreeMap<TenantNo, (Head, Vec<Note>)>;

/// Two entries a segment.
fn tiny() -> Options {
    Options { segment_bytes: 300, ..options() }
}

/// A place for thousands of copies: in memory where there is one.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// A closed store with full, compressed and begun segments, two checkpoints and a state index: as it grew, or written anew
/// on the way, with records in its base that stay, that changed and that are gone.
fn small_store(dir: &Path, anew: bool) -> Figures {
    let mut store = Store::open(dir, tiny()).unwrap();
    for page in 0..7 {
        put(&store, [ACME, BOLT][page as usize % 2], &[note("a", page, "text"), note("a", 99, &page.to_string())]);
        match page {
            2 if anew => {
                store.compact().unwrap();
                let mut tx = store.write(ACME).unwrap();
                tx.delete::<Note>(&("a".into(), 0));
                commit(tx, &[]).ticket.wait().unwrap();
                // Gives the folder of the state its usual name.
                store.close().unwrap();
                store = Store::open(dir, tiny()).unwrap();
            }
            4 => store.upkeep().unwrap(),
            3 | 5 => store.checkpoint().unwrap(),
            _ => {}
        }
    }
    let figures = figures(&store).unwrap();
    store.close().unwrap();
    let files = files(dir);
    assert_eq!(blocks(dir) > 3, anew);
    for part in ["log.zst", ".log", ".ckpt", "state/db", "state/conf", "FORMAT", "LOCK"] {
        assert!(files.iter().any(|file| file.to_string_lossy().ends_with(part)), "no {part} in {files:?}");
    }
    figures
}

/// How many the base of the state has. Asked of a copy, so that the state stays as the store left it.
fn blocks(dir: &Path) -> usize {
    let copy = scratch();
    copy_dir(&dir.join("state"), copy.path());
    let db = sled::Config::default().path(copy.path()).segment_size(8 << 20).open().unwrap();
    db.open_tree("base").unwrap().iter().count()
}

fn figures(store: &Store) -> Result<Figures, StoreError> {
    let of = |tenant| {
        let tx = store.read(tenant)?;
        let notes = tx.scan::<Note>(&(), None, usize::MAX)?.into_iter().map(|(_, note)| note).collect();
        Ok((tenant, (store.head(tenant)?, notes)))
    };
    [ACME, BOLT].into_iter().map(of).collect()
}

/// Every file, relative to the directory.
fn files(dir: &Path) -> Vec<PathBuf> {
    fn walk(dir: &Path, below: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir.join(below)).unwrap() {
            let entry = entry.unwrap();
            let path = below.join(entry.file_name());
            if entry.path().is_dir() { walk(dir, &path, files) } else { files.push(path) }
        }
    }
    let mut files_found = Vec::new();
    walk(dir, Path::new(""), &mut files_found);
    files_found.sort();
    files_found
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// It does not open, or verification says what is wrong, or reading reports an error.
    Found,
    Harmless,
}

/// Opens a damaged directory. Wrong figures end the test.
fn outcome(dir: &Path, expected: &Figures, context: &str) -> Outcome {
    let store = match Store::open(dir, tiny()) {
        Ok(store) => store,
        Err(error) => {
            assert!(error.to_string().len() > 20, "{context}: {error}");
            return Outcome::Found;
        }
    };
    match figures(&store) {
        Ok(found) => assert_eq!(&found, expected, "{context}: wrong figures"),
        Err(_) => return Outcome::Found,
    }
    match store.verify(&mut |_| {}) {
        Ok(report) if report.is_sound() => Outcome::Harmless,
        _ => Outcome::Found,
    }
}

/// Flips the bytes at `offsets` of a file, each in a copy of its own, and hands what comes of it to `check`.
fn flip_each(
    dir: &Path,
    file: &Path,
    offsets: &[usize],
    check: &(dyn Fn(&Path, Outcome, &str) + Sync),
    expected: &Figures,
    prepare: &(dyn Fn(&Path) + Sync),
) {
    let bytes = fs::read(dir.join(file)).unwrap();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                let scratch = scratch();
                let copy = scratch.path().join("data");
                while let Some(at) = offsets.get(next.fetch_add(1, Ordering::Relaxed)).copied() {
                    copy_dir(dir, &copy);
                    let mut damaged = bytes.clone();
                    // Any bit; not always the same one.
                    damaged[at] ^= 1 << (at * 5 % 8);
                    fs::write(copy.join(file), damaged).unwrap();
                    prepare(&copy);
                    let context = format!("{} byte {at}", file.display());
                    check(&copy, outcome(&copy, expected, &context), &context);
                    fs::remove_dir_all(&copy).unwrap();
                }
            });
        }
    });
    eprintln!("{}: {} bytes flipped", file.display(), offsets.len());
}

#[test]
fn every_byte_of_the_log_and_the_format_is_found() {
    let dir = scratch();
    let expected = small_store(dir.path(), false);
    for file in files(dir.path()).iter().filter(|file| file.starts_with("log") || file.starts_with("FORMAT")) {
        let offsets: Vec<usize> = (0..fs::metadata(dir.path().join(file)).unwrap().len() as usize).collect();
        let found = |_: &Path, outcome: Outcome, context: &str| assert_eq!(outcome, Outcome::Found, "{context}");
        flip_each(dir.path(), file, &offsets, &found, &expected, &|_| {});
    }
}

#[test]
fn every_byte_of_a_checkpoint_or_the_lock_is_harmless_with_and_without_the_state_index() {
    let dir = scratch();
    let expected = small_store(dir.path(), false);
    for file in files(dir.path()).iter().filter(|file| file.starts_with("checkpoint") || file.starts_with("LOCK")) {
        let offsets: Vec<usize> = (0..fs::metadata(dir.path().join(file)).unwrap().len() as usize).collect();
        let harmless = |_: &Path, outcome: Outcome, context: &str| assert_eq!(outcome, Outcome::Harmless, "{context}");
        // With the state index nobody looks at a checkpoint: some bytes show that.
        let some: Vec<usize> = offsets.iter().copied().step_by(50).collect();
        flip_each(dir.path(), file, &some, &harmless, &expected, &|_| {});
        flip_each(dir.path(), file, &offsets, &harmless, &expected, &|copy| remove_state(copy));
    }
}

#[test]
fn every_byte_of_the_state_index_is_healed_or_harmless() {
    flip_the_state(false);
}

#[test]
fn any_byte_of_a_state_index_with_a_base_is_healed_or_harmless() {
    flip_the_state(true);
}

/// sled sets room aside for each of its segments. What it never wrote to is zeros; of those a sample is enough.
///
/// A state with a base has some thousand bytes more, and takes minutes.
fn flip_the_state(anew: bool) {
    let step = std::env::var("BACKROOM_FLIP_STEP").map_or(if anew { 7 } else { 1 }, |step| step.parse().unwrap());
    let dir = scratch();
    let expected = small_store(dir.path(), anew);
    for file in files(dir.path()).iter().filter(|file| file.starts_with("state")) {
        let bytes = fs::read(dir.path().join(file)).unwrap();
        let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        // The used part has long pieces without any meaning to sled, too.
        let offsets: Vec<usize> = (0..used).step_by(step).chain((used..bytes.len()).step_by(16_411)).collect();
        let healed = |copy: &Path, outcome: Outcome, context: &str| {
            if outcome == Outcome::Found {
                // Met while it was running: the next opening builds the index anew.
                let store = Store::open(copy, tiny()).unwrap_or_else(|error| panic!("{context}: {error}"));
                assert_eq!(figures(&store).unwrap(), expected, "{context}");
                assert_sound(&store);
            }
        };
        flip_each(dir.path(), file, &offsets, &healed, &expected, &|_| {});
    }
}

#[test]
fn sled_is_only_called_in_ways_that_are_known_to_be_safe() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine/embedded");
    let mut seen = 0;
    for file in files(&sources) {
        let code = fs::read_to_string(sources.join(&file)).unwrap();
        seen += code.matches("sled::").count();
        for call in [
            ".flush_async(",
            ".transaction(",
            ".apply_batch(",
            "db.len(",
            "tree.len(",
            ".open_tree(",
            "flush_every_ms(None",
        ] {
            // The base is written once and never together with anything else.
            let allowed = call == ".open_tree(" && file == Path::new("base.rs");
            assert!(allowed || !code.contains(call), "{} calls {call}", file.display());
        }
    }
    assert!(seen > 3, "sled is not where this looks");
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml")).unwrap();
    assert!(manifest.contains("sled = \"=0.34.7\""), "later versions lost acknowledged writes");
}

/// sled writes what is large to files that it never syncs. When they are lost it shows older records, and says nothing.
#[test]
fn no_record_is_so_large_that_sled_keeps_it_in_a_file_that_nobody_syncs() {
    let dir = scratch();
    let store = Store::open(dir.path(), options()).unwrap();
    for round in 0..3 {
        for page in (0..60).rev().step_by(round + 1) {
            let text = "x".repeat(backroom_store::MAX_VALUE - 40);
            commit(store.write(ACME).unwrap(), &[note("a", page, &text)]);
        }
    }
    put(&store, ACME, &[]);
    store.close().unwrap();
    let blobs: Vec<_> = files(dir.path()).into_iter().filter(|file| file.starts_with("state/blobs")).collect();
    assert!(blobs.is_empty(), "{blobs:?}");
    let store = Store::open(dir.path(), options()).unwrap();
    assert_eq!(notes(&store.read(ACME).unwrap()).len(), 60);
    assert_sound(&store);
}

#[test]
fn a_newer_or_unknown_format_is_refused_and_a_missing_one_is_written() {
    let dir = scratch();
    let expected = small_store(dir.path(), false);
    let format = dir.path().join("FORMAT");
    assert_eq!(fs::read_to_string(&format).unwrap(), "1\n");
    for (text, why) in [("2\n", "start a newer release"), ("0\n", "one line"), ("", "one line"), ("1", "one line")] {
        fs::write(&format, text).unwrap();
        let refused = Store::open(dir.path(), tiny()).unwrap_err().to_string();
        assert!(refused.contains(why), "{text:?}: {refused}");
    }
    fs::remove_file(&format).unwrap();
    let store = Store::open(dir.path(), tiny()).unwrap();
    assert_eq!(figures(&store).unwrap(), expected);
    assert_eq!(fs::read_to_string(&format).unwrap(), "1\n");
}
