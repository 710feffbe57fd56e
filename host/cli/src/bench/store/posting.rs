//! The commit that is measured: a double-entry posting of six records.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use backroom_store::{Meta, Record, Store, TenantNo, Ticket};
use serde::Serialize;

use super::super::stats::Spread;
use super::tenant_of;

/// Accounts of one tenant that postings go to.
const ACCOUNTS: u64 = 1_000;
/// With tenant (4) and space (1) a key has 27 bytes.
const KEY: usize = 22;
/// With what surrounds it a value has 100 bytes.
const BODY: usize = 73;
/// Callers need no deep stack, and there are many.
const STACK: usize = 256 << 10;

/// Which accounts the postings go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Accounts {
    /// Any two of a thousand.
    Uniform,
    /// One of the two is always the same.
    Hot,
}

impl fmt::Display for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Uniform => "uniform",
            Self::Hot => "one hot",
        })
    }
}

/// A record of the posting.
#[derive(minicbor::Encode, minicbor::Decode)]
struct Cell {
    #[cbor(n(0), with = "minicbor::bytes")]
    key: [u8; KEY],
    #[cbor(n(1), with = "minicbor::bytes")]
    body: Vec<u8>,
}

impl Record for Cell {
    const SPACE: u8 = 250;
    type Key = [u8; KEY];
    fn key(&self) -> Self::Key {
        self.key
    }
}

/// What was measured.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Rate {
    pub(super) per_second: f64,
    #[serde(flatten)]
    pub(super) each: Spread,
    /// Commits that shared a sync of the log.
    pub(super) commits_a_sync: f64,
}

/// The parts of a posting, and the balances: each in a piece of the keys of its own.
#[derive(Clone, Copy)]
enum Part {
    Header,
    Debit,
    Credit,
    Index,
    Balance,
}

fn key(part: Part, number: u64) -> [u8; KEY] {
    let mut key = [0; KEY];
    for (to, from) in key.iter_mut().zip([part as u8].iter().chain(&number.to_be_bytes())) {
        *to = *from;
    }
    key
}

/// Bytes that do not compress: a counter through a mixing function (SplitMix64).
fn noise(seed: u64) -> Vec<u8> {
    let words = (0_u64..).map(|n| mix(seed.wrapping_add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15))));
    words.flat_map(u64::to_le_bytes).take(BODY).collect()
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Commits posting `number` and does not wait for the disk.
pub(super) fn post(store: &Store, tenant: TenantNo, number: u64, accounts: Accounts) -> anyhow::Result<Ticket> {
    let mut tx = store.write(tenant)?;
    for part in [Part::Header, Part::Debit, Part::Credit, Part::Index] {
        tx.put(&Cell { key: key(part, number), body: noise(number ^ (part as u64) << 56) })?;
    }
    let (first, second) = (mix(number) % ACCOUNTS, mix(!number) % ACCOUNTS);
    for account in [if accounts == Accounts::Hot { 0 } else { first }, second] {
        let key = key(Part::Balance, account);
        let before = tx.get::<Cell>(&key)?.and_then(|cell| cell.body.first_chunk().copied());
        let mut body = noise(number ^ account);
        let total = before.map_or(0, u64::from_le_bytes).wrapping_add(1);
        for (to, from) in body.iter_mut().zip(total.to_le_bytes()) {
            *to = from;
        }
        tx.put(&Cell { key, body })?;
    }
    let meta = Meta { at: number, actor: "bench".to_owned(), kind: "posting".to_owned(), ..Meta::default() };
    Ok(tx.commit(meta)?.ticket)
}

/// Commits from so many callers for as long as `time`, each waiting for the disk.
pub(super) fn measure(
    store: &Store,
    callers: usize,
    tenants: u32,
    accounts: Accounts,
    time: Duration,
) -> anyhow::Result<Rate> {
    let (stop, number) = (AtomicBool::new(false), AtomicU64::new(1));
    let syncs = store.status().syncs;
    let began = Instant::now();
    let mut times = call(callers, |caller, times| {
        while !stop.load(Ordering::Relaxed) {
            let number = number.fetch_add(1, Ordering::Relaxed);
            let one = Instant::now();
            post(store, tenant_of(caller, tenants), number, accounts)?.wait()?;
            times.push(one.elapsed());
            if began.elapsed() > time {
                stop.store(true, Ordering::Relaxed);
            }
        }
        Ok(())
    })?;
    let took = began.elapsed().as_secs_f64();
    let syncs = store.status().syncs.saturating_sub(syncs).max(1);
    let commits = times.len() as f64;
    Ok(Rate { per_second: commits / took, each: Spread::of(&mut times), commits_a_sync: commits / syncs as f64 })
}

/// Runs `work` on so many threads and puts their times together.
pub(super) fn call(
    callers: usize,
    work: impl Fn(usize, &mut Vec<Duration>) -> anyhow::Result<()> + Sync,
) -> anyhow::Result<Vec<Duration>> {
    let work = &work;
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for caller in 0..callers {
            let body = move || {
                let mut times = Vec::new();
                work(caller, &mut times).map(|()| times)
            };
            threads.push(std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, body)?);
        }
        let mut all = Vec::new();
        for thread in threads {
            all.extend(thread.join().map_err(|_| anyhow!("a caller panicked"))??);
        }
        Ok(all)
    })
}
