//! Disk space, and how long opening takes: after a clean stop, after a kill, without the state index, and after compaction.
//! And how long reading a record takes, and how many commits there are before, while and after the state is written anew.
//!
//! ```text
//! cargo bench -p backroom-store --bench reopen -- [entries] [directory]
//! ```
//!
//! One entry has six records of a 27-byte key and a value of 100 bytes that do not compress: four new ones and two that are
//! overwritten. Raw data is what the entries carry. Opening is measured in a process of its own, twice.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement prints, and stops at the first error"
)]

use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use backroom_store::{Meta, Options, Record, Store, StoreError, TenantNo, Ticket};

#[derive(minicbor::Encode, minicbor::Decode)]
struct Line {
    #[n(0)]
    posting: u64,
    #[n(1)]
    line: u64,
    #[n(2)]
    space: u32,
    #[cbor(n(3), with = "minicbor::bytes")]
    body: Vec<u8>,
}

impl Record for Line {
    const SPACE: u8 = 1;
    type Key = (u64, u64, u32);
    fn key(&self) -> Self::Key {
        (self.posting, self.line, self.space)
    }
}

const RAW: u64 = 6 * (27 + 100);
const TENANTS: u64 = 16;

fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    let mut out = vec![0; len];
    hasher.finalize_xof().fill(&mut out);
    out
}

fn commit(store: &Store, posting: u64) -> Result<Ticket, StoreError> {
    let mut tx = store.write(TenantNo((posting % TENANTS) as u32 + 1)).unwrap();
    for line in 0..4 {
        tx.put(&Line { posting, line, space: 1, body: noise(posting * 6 + line, 85) }).unwrap();
    }
    for line in 4..6 {
        let account = noise(posting * 6 + line, 2);
        let account = u64::from(account[0]) << 8 | u64::from(account[1]);
        tx.put(&Line { posting: account, line: 0, space: 2, body: noise(posting * 6 + line, 85) }).unwrap();
    }
    let meta = Meta { at: posting, actor: "bench".into(), kind: "run".into(), ..Meta::default() };
    tx.commit(meta).map(|committed| committed.ticket)
}

fn fill(store: &Store, from: u64, to: u64) {
    let mut last = None;
    for posting in from..to {
        // The index falls behind when nobody waits for it: a caller is asked to come again.
        last = Some(loop {
            match commit(store, posting) {
                Ok(ticket) => break ticket,
                Err(error) => assert!(error.retriable(), "{error}"),
            }
        });
    }
    last.unwrap().wait().unwrap();
}

fn child(role: &str, dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap()).arg(role).arg(dir).spawn().unwrap()
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.first().map(String::as_str) {
        Some("open") => open(Path::new(&arguments[1])),
        Some("write") => {
            let store = Store::open(Path::new(&arguments[1]), Options::default()).unwrap();
            fill(&store, store.status().durable, u64::MAX);
        }
        Some("compact") => {
            let store = Store::open(Path::new(&arguments[1]), Options::default()).unwrap();
            compact(&store, arguments[2].parse().unwrap());
            store.close().unwrap();
        }
        Some("fill") => filled(arguments[2].parse().unwrap(), Path::new(&arguments[1])),
        entries => {
            let entries = entries.and_then(|entries| entries.parse().ok()).unwrap_or(1_000_000);
            let parent = arguments.get(1).map_or(".", String::as_str);
            measure(entries, &tempfile::tempdir_in(parent).unwrap().path().join("data"));
        }
    }
}

fn report(store: &Store, what: &str, entries: u64) {
    let raw = entries * RAW;
    store.upkeep().unwrap();
    let status = store.status();
    let all = status.log_bytes + status.state_bytes + status.checkpoint_bytes;
    println!(
        "{what}: log {}, state {}, checkpoints {} MiB: {:.2} times the raw {} MiB; {:.2} times the live records, {} MiB",
        status.log_bytes >> 20,
        status.state_bytes >> 20,
        status.checkpoint_bytes >> 20,
        all as f64 / raw as f64,
        raw >> 20,
        all as f64 / status.logical_bytes as f64,
        status.logical_bytes >> 20,
    );
}

fn filled(entries: u64, dir: &Path) {
    let store = Store::open(dir, Options::default()).unwrap();
    let begin = Instant::now();
    fill(&store, 0, entries);
    println!("{entries} entries in {:.1?}", begin.elapsed());
    report(&store, "written", entries);
    let begin = Instant::now();
    store.close().unwrap();
    println!("closed in {:.2?}", begin.elapsed());
}

fn compact(store: &Store, entries: u64) {
    read(store, entries, "before");
    let begin = Instant::now();
    store.compact().unwrap();
    println!("compacted in {:.1?}", begin.elapsed());
    report(store, "compacted", entries);
    read(store, entries, "compacted");
}

/// Single records: any of all, the last of those that were written, and such that are not there.
fn read(store: &Store, entries: u64, what: &str) {
    for (which, first, line) in [("any", 0, 0), ("new", entries - entries.min(2_000), 1), ("no", 0, 9)] {
        let mut times: Vec<Duration> = (0..50_000_u64)
            .map(|number| {
                let bytes = noise(number, 8);
                let posting = first + u64::from_be_bytes(bytes.try_into().unwrap()) % (entries - first);
                let tx = store.read(TenantNo((posting % TENANTS) as u32 + 1)).unwrap();
                let begin = Instant::now();
                let found = tx.get::<Line>(&(posting, line, 1)).unwrap();
                let took = begin.elapsed();
                assert_eq!(found.is_some(), line < 4);
                took
            })
            .collect();
        times.sort_unstable();
        let mean = times.iter().sum::<Duration>() / times.len() as u32;
        let (p50, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
        println!("  {what}: {which} record in p50 {p50:.1?}, p99 {p99:.1?}, mean {mean:.1?}");
    }
}

/// One caller who does not wait for the disk, before, while and after the state is written anew.
fn commits(store: &Store, from: u64) {
    let stop = std::sync::atomic::AtomicU32::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_secs(4));
            stop.store(1, std::sync::atomic::Ordering::Relaxed);
            store.compact().unwrap();
            stop.store(2, std::sync::atomic::Ordering::Relaxed);
            std::thread::sleep(Duration::from_secs(4));
            stop.store(3, std::sync::atomic::Ordering::Relaxed);
        });
        let mut posting = from;
        for (phase, what) in ["before", "while", "after"].into_iter().enumerate() {
            let (begin, first) = (Instant::now(), posting);
            while stop.load(std::sync::atomic::Ordering::Relaxed) == phase as u32 {
                fill(store, posting, posting + 100);
                posting += 100;
            }
            let took = begin.elapsed().as_secs_f64();
            println!("commits {what} writing anew: {:.0} a second for {took:.1} s", (posting - first) as f64 / took);
        }
    });
}

fn measure(entries: u64, dir: &Path) {
    filled(entries, dir);
    opened("after a clean stop", dir);
    let mut writer = child("write", dir);
    std::thread::sleep(Duration::from_secs(8));
    writer.kill().unwrap();
    writer.wait().unwrap();
    opened("after a kill", dir);
    std::fs::remove_dir_all(dir.join("state")).unwrap();
    opened("without the state index, from checkpoint and log", dir);
    let store = Store::open(dir, Options::default()).unwrap();
    compact(&store, entries);
    store.close().unwrap();
    opened("compacted, after a clean stop", dir);
    let mut writer = child("write", dir);
    std::thread::sleep(Duration::from_secs(8));
    writer.kill().unwrap();
    writer.wait().unwrap();
    opened("compacted, after a kill", dir);
    let store = Store::open(dir, Options::default()).unwrap();
    commits(&store, store.status().durable);
    store.close().unwrap();
}

/// The second time shows what is left when there is nothing to recover.
fn opened(what: &str, dir: &Path) {
    println!("open {what}:");
    for _ in 0..2 {
        assert!(child("open", dir).wait().unwrap().success());
    }
}

fn open(dir: &Path) {
    let begin = Instant::now();
    let store = Store::open(dir, Options::default()).unwrap();
    let opened = begin.elapsed();
    let head = store.head(TenantNo(1)).unwrap().number;
    let status = store.status();
    println!(
        "  {opened:.2?}, first read {:.2?}; tenant 1 has {head} entries, the index is {} behind",
        begin.elapsed(),
        status.durable - status.applied
    );
    store.close().unwrap();
}
