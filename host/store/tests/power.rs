//! The power goes at every write and sync while the state index is written anew, sled's own among them, and all that was not
//! synced goes with it.
//!
//! The test binary does the work as a child process, over a library that stands between it and the disk (`shim/power.c`): it
//! remembers what was synced and ends the process in the middle of a write. From what it remembers the disk is made as it may
//! be found afterwards, in several ways, and opened.
//!
//! ```text
//! BACKROOM_POWER_STEP=1 cargo test --release -p backroom-store --test power      at each one; at every third by default
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "helpers of tests fail as tests do"
)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::SystemTime;

use backroom_store::{Options, Store, TenantNo};
use common::*;

const TENANTS: [TenantNo; 2] = [ACME, COPY];
/// The name of the test that is the child, and the variable that says to it where.
const CHILD: (&str, &str) = ("a_life_of_compactions_is_whole", "POWER_DIR");
const PAGE: usize = 4096;

fn small_segments() -> Options {
    Options { segment_bytes: 16 << 10, ..options() }
}

/// One commit: two counters together, a page more and one less.
fn one(store: &Store, tenant: TenantNo) -> u64 {
    let mut tx = store.write(tenant).unwrap();
    let next = tx.get::<Count>(&"left".into()).unwrap().map_or(1, |count| count.value + 1);
    tx.put(&count("left", next)).unwrap();
    tx.put(&note("n", next as u32, &"text ".repeat(60))).unwrap();
    tx.delete::<Note>(&("n".into(), (next as u32).saturating_sub(10)));
    tx.put(&count("right", next)).unwrap();
    let committed = tx.commit(meta("work")).unwrap();
    committed.ticket.wait().unwrap();
    committed.number
}

/// From one folder to the other and back, with commits and a checkpoint between.
fn compactions(dir: &Path, tell: impl Fn(TenantNo, u64)) {
    let work = |store: &Store| {
        for tenant in TENANTS.into_iter().cycle().take(6) {
            tell(tenant, one(store, tenant));
        }
    };
    let store = Store::open(dir, small_segments()).unwrap();
    work(&store);
    store.compact().unwrap();
    work(&store);
    store.checkpoint().unwrap();
    store.compact().unwrap();
    work(&store);
    store.upkeep().unwrap();
    store.close().unwrap();
}

/// By itself the same without a cut; as the child of the test below, one that does not live to its end.
#[test]
fn a_life_of_compactions_is_whole() {
    if let Some(dir) = std::env::var_os(CHILD.1) {
        compactions(Path::new(&dir), |tenant, number| {
            // One write for a line: what arrives was whole.
            std::io::stdout().write_all(format!("\ntold {tenant} {number}\n").as_bytes()).unwrap();
        });
        return;
    }
    let base = base();
    compactions(base.path(), |_, _| {});
    check(base.path(), &TENANTS.map(|tenant| (tenant, 29)).into(), "without a cut");
}

/// A closed store with a checkpoint, full segments and a state.
fn base() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), small_segments()).unwrap();
    for round in 0..40 {
        one(&store, TENANTS[round % 2]);
        if round == 20 {
            store.checkpoint().unwrap();
        }
    }
    store.close().unwrap();
    dir
}

/// Everything that was told is there, all of each commit or nothing, and it goes on.
fn check(dir: &Path, told: &BTreeMap<TenantNo, u64>, context: &str) {
    let store = Store::open(dir, small_segments()).unwrap_or_else(|error| panic!("{context}: {error}"));
    for tenant in TENANTS {
        let number = store.head(tenant).unwrap().number;
        let told = told.get(&tenant).copied().unwrap_or(20);
        assert!((told..=told + 1).contains(&number), "{context}: {number} entries, told of {told}");
        let tx = store.read(tenant).unwrap();
        let values = ["left", "right"].map(|name| tx.get::<Count>(&name.to_owned()).unwrap().map_or(0, |c| c.value));
        assert_eq!(values, [number; 2], "{context}");
        let pages: Vec<u64> = notes(&tx).iter().map(|note| note.page.into()).collect();
        assert_eq!(pages, (number - 9..=number).collect::<Vec<_>>(), "{context}");
    }
    assert_sound(&store);
    one(&store, ACME);
    store.close().unwrap();
}

fn library(folder: &Path) -> PathBuf {
    let library = folder.join("power.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shim/power.c");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
        .args([&library, &source])
        .arg("-ldl")
        .output()
        .expect("a C compiler");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    library
}

/// What the library calls a file or a folder.
fn id(path: &Path) -> String {
    let found = fs::symlink_metadata(path).unwrap();
    let born = found.created().unwrap().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let kind = if found.is_dir() { 'd' } else { 'f' };
    format!("{kind}{}-{}{:09}", found.ino(), born.as_secs(), born.subsec_nanos())
}

/// Remembers a folder as if all of it had been synced.
fn remember(dir: &Path, shadow: &Path) {
    let mut names = String::new();
    for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        names += &format!("{} {}\n", id(&path), path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            remember(&path, shadow);
        } else {
            fs::copy(&path, shadow.join(id(&path))).unwrap();
        }
    }
    fs::write(shadow.join(id(dir)), names).unwrap();
}

/// What a power cut leaves of what was not synced.
#[derive(Debug, Clone, Copy)]
enum Leaves {
    /// Names and bytes go.
    Nothing,
    /// New names stay, their bytes go.
    Names,
    /// New names stay, and of each file some pages, by the bits of this number; others are as they were synced, or zeros.
    Pages(u64),
}

/// The disk as it is found.
fn image(data: &Path, shadow: &Path, leaves: Leaves, to: &Path) {
    fs::create_dir(to).unwrap();
    match leaves {
        Leaves::Nothing => synced(&id(data), shadow, to),
        Leaves::Names | Leaves::Pages(_) => named(data, shadow, leaves, to),
    }
}

fn synced(folder: &str, shadow: &Path, to: &Path) {
    for line in fs::read_to_string(shadow.join(folder)).unwrap_or_default().lines() {
        let (id, name) = line.split_once(' ').unwrap();
        if id.starts_with('d') {
            fs::create_dir(to.join(name)).unwrap();
            synced(id, shadow, &to.join(name));
        } else {
            fs::write(to.join(name), fs::read(shadow.join(id)).unwrap_or_default()).unwrap();
        }
    }
}

fn named(dir: &Path, shadow: &Path, leaves: Leaves, to: &Path) {
    for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            fs::create_dir(&to).unwrap();
            named(&path, shadow, leaves, &to);
            continue;
        }
        let mut bytes = fs::read(shadow.join(id(&path))).unwrap_or_default();
        if let Leaves::Pages(bits) = leaves {
            let arrived = fs::read(&path).unwrap();
            bytes.resize(arrived.len(), 0);
            for (number, (page, arrived)) in bytes.chunks_mut(PAGE).zip(arrived.chunks(PAGE)).enumerate() {
                if bits >> (number % 64) & 1 == 1 {
                    page.copy_from_slice(arrived);
                }
            }
        }
        fs::write(to, bytes).unwrap();
    }
}

/// A child that loses its power at the write or sync `at`.
fn child(library: &Path, data: &Path, shadow: &Path, at: Option<u64>) -> Output {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", CHILD.0, "--nocapture", "--test-threads=1"]);
    child.env("LD_PRELOAD", library).env(CHILD.1, data).env("POWER_SHADOW", shadow);
    if let Some(at) = at {
        child.env("POWER_AT", at.to_string());
    }
    child.output().unwrap()
}

fn told(output: &Output) -> BTreeMap<TenantNo, u64> {
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().filter_map(|line| line.strip_prefix("told "));
    let pair =
        |line: &str| line.split_once(' ').map(|(tenant, number)| (tenant.parse().unwrap(), number.parse().unwrap()));
    lines.filter_map(pair).map(|(tenant, number)| (TenantNo(tenant), number)).collect()
}

#[test]
fn the_power_may_go_at_every_write_and_sync_while_the_state_is_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (library, base) = (library(folder.path()), base());
    let (data, shadow) = (folder.path().join("data"), folder.path().join("shadow"));
    let begin = || {
        for path in [&data, &shadow] {
            if path.exists() {
                fs::remove_dir_all(path).unwrap();
            }
        }
        copy_dir(base.path(), &data);
        fs::create_dir(&shadow).unwrap();
        remember(&data, &shadow);
    };
    begin();
    let whole = child(&library, &data, &shadow, None);
    assert!(whole.status.success(), "{}", String::from_utf8_lossy(&whole.stderr));
    let all: u64 = fs::read_to_string(shadow.join("count")).unwrap().parse().unwrap();
    assert!(all > 50, "only {all} writes and syncs were seen");
    let step: usize = std::env::var("BACKROOM_POWER_STEP").map_or(3, |step| step.parse().unwrap());
    let (mut cuts, mut rebuilt) = (0, 0);
    for at in (1..=all).step_by(step) {
        begin();
        let output = child(&library, &data, &shadow, Some(at));
        // sled writes when it likes, so there may be a few less in another life.
        if output.status.success() {
            continue;
        }
        assert_eq!(output.status.code(), Some(77), "{}", String::from_utf8_lossy(&output.stderr));
        cuts += 1;
        let some = at.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for leaves in
            [Leaves::Nothing, Leaves::Names, Leaves::Pages(some), Leaves::Pages(!some), Leaves::Pages(u64::MAX)]
        {
            let found = folder.path().join("found");
            image(&data, &shadow, leaves, &found);
            check(&found, &told(&output), &format!("write or sync {at} of {all}, {leaves:?} left"));
            rebuilt += u64::from(
                fs::read_dir(&found)
                    .unwrap()
                    .any(|entry| entry.unwrap().file_name().to_string_lossy().starts_with("state.damaged")),
            );
            fs::remove_dir_all(&found).unwrap();
        }
    }
    eprintln!("{cuts} cuts at {all} writes and syncs; the state was found damaged {rebuilt} times and built again");
    assert!(cuts > all / step as u64 * 8 / 10, "only {cuts} of {all} cuts were made");
}
