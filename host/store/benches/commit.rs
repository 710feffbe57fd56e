//! Commits per second, with the disk's own speed before and after beside it.
//!
//! ```text
//! cargo bench -p backroom-store --bench commit -- [seconds] [threads] [tenants]
//! ```
//!
//! One commit is a double-entry posting: nine new records (header, lines, index entries) and three balances that are
//! overwritten. The directory is made below the current one, so that it is on a real disk and not in memory.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement prints, and stops at the first error"
)]

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use backroom_store::{Meta, Options, Record, Store, TenantNo, Ticket};

#[derive(minicbor::Encode, minicbor::Decode)]
struct Line {
    #[n(0)]
    posting: u64,
    #[n(1)]
    line: u8,
    #[cbor(n(2), with = "minicbor::bytes")]
    body: Vec<u8>,
}

impl Record for Line {
    const SPACE: u8 = 1;
    type Key = (u64, u8);
    fn key(&self) -> Self::Key {
        (self.posting, self.line)
    }
}

#[derive(minicbor::Encode, minicbor::Decode)]
struct Balance {
    #[n(0)]
    account: u32,
    #[n(1)]
    amount: u64,
}

impl Record for Balance {
    const SPACE: u8 = 2;
    type Key = u32;
    fn key(&self) -> u32 {
        self.account
    }
}

static POSTINGS: AtomicU64 = AtomicU64::new(1);

fn commit(store: &Store, tenant: TenantNo) -> Ticket {
    let posting = POSTINGS.fetch_add(1, Ordering::Relaxed);
    let mut tx = store.write(tenant).unwrap();
    for line in 0..9 {
        let body = posting.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes().repeat(10);
        tx.put(&Line { posting, line, body }).unwrap();
    }
    for account in [1, 2, 100 + (posting % 500) as u32] {
        let amount = tx.get::<Balance>(&account).unwrap().map_or(0, |balance| balance.amount);
        tx.put(&Balance { account, amount: amount + 1 }).unwrap();
    }
    let effects = vec![vec![7; 120], vec![8; 120]];
    let meta = Meta { at: posting, actor: "bench".into(), kind: "run".into(), effects, ..Meta::default() };
    tx.commit(meta).unwrap().ticket
}

fn fdatasync_rate(dir: &Path) -> f64 {
    let mut file = File::create(dir.join("probe")).unwrap();
    let (begin, mut count) = (Instant::now(), 0);
    while begin.elapsed() < Duration::from_secs(1) {
        file.write_all(&[1; 4096]).unwrap();
        file.sync_data().unwrap();
        count += 1;
    }
    f64::from(count) / begin.elapsed().as_secs_f64()
}

fn rss() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default().to_owned()
}

fn percentile(sorted: &[Duration], part: f64) -> Duration {
    sorted[((sorted.len() - 1) as f64 * part) as usize]
}

fn main() {
    let arguments: Vec<u64> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let argument = |at: usize, default| arguments.get(at).copied().unwrap_or(default);
    let (seconds, threads, tenants) = (argument(0, 10), argument(1, 64), argument(2, 16));
    let dir = tempfile::tempdir_in(".").unwrap();
    println!("fdatasync of 4 KiB before: {:.0}/s", fdatasync_rate(dir.path()));
    let store = Store::open(&dir.path().join("data"), Options::default()).unwrap();
    println!("empty and open: {}", rss());
    run(&store, seconds, threads, tenants);
    reads(&store);
    println!("fdatasync of 4 KiB after: {:.0}/s", fdatasync_rate(dir.path()));
    let begin = Instant::now();
    store.close().unwrap();
    println!("close: {:.2?}", begin.elapsed());
    let begin = Instant::now();
    let store = Store::open(&dir.path().join("data"), Options::default()).unwrap();
    println!("open again: {:.2?}, {}", begin.elapsed(), rss());
    let begin = Instant::now();
    let report = store.verify(&mut |_| {}).unwrap();
    println!(
        "verify: {:.2?}, {} entries, {} MiB, problems: {:?}",
        begin.elapsed(),
        report.entries,
        report.bytes >> 20,
        report.problems
    );
}

fn run(store: &Store, seconds: u64, threads: u64, tenants: u64) {
    let stop = AtomicBool::new(false);
    let start = Barrier::new(threads as usize + 1);
    let (mut latencies, took) = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|at| {
                let (stop, start) = (&stop, &start);
                scope.spawn(move || {
                    let mut latencies = Vec::new();
                    start.wait();
                    while !stop.load(Ordering::Relaxed) {
                        let begin = Instant::now();
                        commit(store, TenantNo((at % tenants) as u32 + 1)).wait().unwrap();
                        latencies.push(begin.elapsed());
                    }
                    latencies
                })
            })
            .collect();
        start.wait();
        let begin = Instant::now();
        for second in 1..=seconds {
            thread::sleep(Duration::from_secs(1));
            let status = store.status();
            println!(
                "  {second:>3} s: durable {}, applied {} behind, overlay {} MiB, {}",
                status.durable,
                status.durable - status.applied,
                status.overlay_bytes >> 20,
                rss()
            );
        }
        stop.store(true, Ordering::Relaxed);
        let latencies: Vec<Duration> = workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
        (latencies, begin.elapsed())
    });
    latencies.sort_unstable();
    let (count, syncs) = (latencies.len() as f64, store.status().syncs as f64);
    println!(
        "{threads} threads, {tenants} tenants: {:.0} commits/s, p50 {:.2?}, p99 {:.2?}, max {:.2?}, {:.1} commits a sync",
        count / took.as_secs_f64(),
        percentile(&latencies, 0.5),
        percentile(&latencies, 0.99),
        percentile(&latencies, 1.0),
        count / syncs,
    );
}

fn reads(store: &Store) {
    let count = 1_000_000_u32;
    let begin = Instant::now();
    for _ in 0..count {
        drop(store.read(TenantNo(1)).unwrap());
    }
    println!("snapshot: {:.0} ns", begin.elapsed().as_nanos() as f64 / f64::from(count));
    thread::sleep(Duration::from_secs(1));
    let tx = store.read(TenantNo(1)).unwrap();
    let begin = Instant::now();
    for at in 0..count {
        tx.get::<Balance>(&(100 + at % 500)).unwrap();
    }
    println!("get of a balance: {:.0} ns", begin.elapsed().as_nanos() as f64 / f64::from(count));
    let begin = Instant::now();
    let head = store.head(TenantNo(1)).unwrap().number;
    for at in 0..100 {
        store.entry(TenantNo(1), head - at * head / 100).unwrap().unwrap();
    }
    println!("entry: {:.2?}", begin.elapsed() / 100);
}
