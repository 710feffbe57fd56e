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

impl Rate {
    /// Of several rounds of the same length: the mean rate, and the times of the round in the middle.
    pub(super) fn middle(mut rounds: Vec<Self>) -> Self {
        rounds.sort_by(|one, other| one.per_second.total_cmp(&other.per_second));
        let mean = |of: fn(&Self) -> f64| rounds.iter().map(of).sum::<f64>() / rounds.len().max(1) as f64;
        let (per_second, commits_a_sync) = (mean(|rate| rate.per_second), mean(|rate| rate.commits_a_sync));
        let each = rounds.get(rounds.len() / 2).map_or_else(|| Spread::of(&mut []), |rate| rate.each);
        Self { per_second, each, commits_a_sync }
    }
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

/// The keys of a posting that are new.
const NEW: [Part; 4] = [Part::Header, Part::Debit, Part::Credit, Part::Index];

/// The accounts of posting `number`, which may be the same.
fn accounts_of(number: u64, accounts: Accounts) -> [u64; 2] {
    let first = if accounts == Accounts::Hot { 0 } else { mix(number) % ACCOUNTS };
    [first, mix(!number) % ACCOUNTS]
}

/// What a posting writes, for whoever writes it without a store.
pub(super) struct Raw {
    /// Keys that are new, and those of the balances; with the byte of their space, without the tenant.
    pub(super) keys: [Vec<Vec<u8>>; 2],
    /// The value of each key, but for the eight bytes of a balance's total.
    pub(super) body: Vec<u8>,
    /// As long as an entry of the log with all of this.
    pub(super) payload: Vec<u8>,
}

impl Raw {
    pub(super) fn of(number: u64, accounts: Accounts) -> Self {
        let full = |key: [u8; KEY]| [&[Cell::SPACE][..], &key[..]].concat();
        let new = NEW.map(|part| full(key(part, number)));
        let balances = accounts_of(number, accounts).map(|account| full(key(Part::Balance, account)));
        let bytes = |count: usize| noise(number).into_iter().cycle().take(count).collect();
        // A value is a cell's body and its key; an entry has them with the tenant in front of each key.
        Self {
            keys: [new.into(), balances.into()],
            body: bytes(BODY + KEY + 5),
            payload: bytes(6 * (BODY + 2 * KEY + 10)),
        }
    }
}

/// Commits posting `number` and does not wait for the disk.
pub(super) fn post(store: &Store, tenant: TenantNo, number: u64, accounts: Accounts) -> anyhow::Result<Ticket> {
    let mut tx = store.write(tenant)?;
    for part in NEW {
        tx.put(&Cell { key: key(part, number), body: noise(number ^ (part as u64) << 56) })?;
    }
    let balances = accounts_of(number, accounts).map(|account| (account, key(Part::Balance, account)));
    if let Some(mut wanted) = tx.wanted() {
        balances.iter().for_each(|(_, key)| wanted.add::<Cell>(key));
        wanted.read()?;
    }
    for (account, key) in balances {
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

/// Commits from so many callers for as long as `time`, each waiting for the disk. The postings get the next `numbers`.
pub(super) fn measure(
    store: &Store,
    numbers: &AtomicU64,
    callers: usize,
    tenants: u32,
    accounts: Accounts,
    time: Duration,
) -> anyhow::Result<Rate> {
    let stop = AtomicBool::new(false);
    let syncs = store.status().syncs;
    let began = Instant::now();
    let mut times = call(callers, |caller, times| {
        while !stop.load(Ordering::Relaxed) {
            let number = numbers.fetch_add(1, Ordering::Relaxed);
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
