//! Commits per second over PostgreSQL, with a single server-side function that does the same beside it.
//!
//! ```text
//! cargo bench -p backroom-store --bench postgres                                          every row
//! cargo bench -p backroom-store --bench postgres -- SECONDS CALLERS TENANTS [hot]         one row
//! ```
//!
//! One commit is a posting of 6 keys: a header, two lines, an index record, and two of a thousand balances, which are read
//! first; with `hot` one of the two is always the same. The function gets the same as parameters of one call, through
//! `pgbench` with prepared statements: it writes the same rows and an entry of the log, without a hash chain, and lets the
//! server order the revisions by a sequence.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement prints, and stops at the first error"
)]

#[path = "../tests/common/server.rs"]
mod server;

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use backroom_store::{Meta, Options, PostgresOptions, Record, Store, TenantNo};
use server::Server;

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
    const SPACE: u8 = 101;
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
    const SPACE: u8 = 102;
    type Key = u32;
    fn key(&self) -> u32 {
        self.account
    }
}

const ACCOUNTS: u64 = 1_000;

static POSTINGS: AtomicU64 = AtomicU64::new(1);

fn commit(store: &Store, tenant: TenantNo, hot: bool) {
    let posting = POSTINGS.fetch_add(1, Ordering::Relaxed);
    let mixed = posting.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut tx = store.write(tenant).unwrap();
    for line in 0..4 {
        let body = mixed.to_le_bytes().repeat(10);
        tx.put(&Line { posting, line, body }).unwrap();
    }
    for account in [if hot { 0 } else { (mixed >> 40) % ACCOUNTS }, (mixed >> 20) % ACCOUNTS] {
        let account = account as u32;
        let amount = tx.get::<Balance>(&account).unwrap().map_or(0, |balance| balance.amount);
        tx.put(&Balance { account, amount: amount + 1 }).unwrap();
    }
    let meta = Meta { at: posting, actor: "bench".into(), kind: "run".into(), ..Meta::default() };
    tx.commit(meta).unwrap().ticket.wait().unwrap();
}

const FUNCTION: &str = "
CREATE SEQUENCE posting_revision;
CREATE TABLE posting_log (revision bigint PRIMARY KEY, tenant bigint NOT NULL, payload bytea NOT NULL);
CREATE FUNCTION posting(t bigint, a bigint, b bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    r bigint := nextval('posting_revision');
    filler bytea := decode(repeat(md5(r::text), 5), 'hex');
BEGIN
    INSERT INTO backroom.record (tenant, key, body)
        SELECT t, '\\x65'::bytea || int8send(r) || int2send(n::int2), filler FROM generate_series(0, 3) AS n;
    PERFORM 1 FROM backroom.record WHERE tenant = t AND key IN ('\\x66'::bytea || int8send(a), '\\x66'::bytea || int8send(b))
        ORDER BY key FOR UPDATE;
    INSERT INTO backroom.record (tenant, key, body)
        SELECT DISTINCT t, '\\x66'::bytea || int8send(x), int8send(1) FROM unnest(ARRAY[a, b]) AS x ORDER BY 2
        ON CONFLICT (tenant, key) DO UPDATE SET body = int8send(('x' || encode(record.body, 'hex'))::bit(64)::bigint + 1);
    INSERT INTO posting_log VALUES (r, t, repeat(encode(filler, 'hex'), 4)::bytea);
END
$$";

/// One way of asking.
#[derive(Clone, Copy)]
struct Way {
    callers: u64,
    tenants: u64,
    hot: bool,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<u64> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let hot = arguments.iter().any(|argument| argument == "hot");
    let (seconds, ways) = match numbers[..] {
        [seconds, callers, tenants] => (seconds, vec![Way { callers, tenants, hot }]),
        _ => (numbers.first().copied().unwrap_or(5), all()),
    };
    let Some(server) = Server::own() else { return };
    let postgres = PostgresOptions { tables: &[], ..PostgresOptions::default() };
    let open = |database: &str| Store::open_postgres(&server.url(database), &Options::default(), &postgres).unwrap();
    let (database, other) = (server.database(), server.database());
    let store = open(&database);
    open(&other).close().unwrap();
    server.sql(&other, FUNCTION);
    println!("callers tenants accounts  commits/s        p50        p99 in a group  function/s  ratio");
    for way in ways {
        let Way { callers, tenants, hot } = way;
        let (rate, said) = run(&store, seconds, way);
        let function = function(&server, &other, seconds, way);
        let accounts = if hot { "one hot" } else { "uniform" };
        println!("{callers:>7} {tenants:>7} {accounts} {said} {function:>11.0} {:>6.2}", rate / function);
    }
    store.close().unwrap();
}

fn all() -> Vec<Way> {
    let ways = [1, 16, 32, 128].into_iter().flat_map(|callers| {
        let tenants = [1, 16].into_iter();
        tenants.flat_map(move |tenants| [false, true].map(|hot| Way { callers, tenants, hot }))
    });
    ways.collect()
}

/// How often a second the function is done.
fn function(server: &Server, database: &str, seconds: u64, way: Way) -> f64 {
    let Way { callers, tenants, hot } = way;
    let first = if hot { 1 } else { ACCOUNTS };
    let script = format!(
        "\\set t random(1, {tenants})\n\\set a random(1, {first})\n\\set b random(1, {ACCOUNTS})\nSELECT posting(:t, :a, :b);\n"
    );
    let said = server.pgbench(database, &script, seconds, callers);
    let rate = said.split("tps = ").nth(1).and_then(|rest| rest.split(' ').next());
    rate.and_then(|rate| rate.parse().ok()).unwrap()
}

/// Commits a second, and what else there is to say.
fn run(store: &Store, seconds: u64, way: Way) -> (f64, String) {
    let Way { callers, tenants, hot } = way;
    let groups = store.status().syncs;
    let stop = AtomicBool::new(false);
    let start = Barrier::new(callers as usize + 1);
    let (mut latencies, took) = thread::scope(|scope| {
        let workers: Vec<_> = (0..callers)
            .map(|at| {
                let (stop, start) = (&stop, &start);
                scope.spawn(move || {
                    let mut latencies = Vec::new();
                    start.wait();
                    while !stop.load(Ordering::Relaxed) {
                        let begin = Instant::now();
                        commit(store, TenantNo((at % tenants) as u32 + 1), hot);
                        latencies.push(begin.elapsed());
                    }
                    latencies
                })
            })
            .collect();
        start.wait();
        let begin = Instant::now();
        thread::sleep(Duration::from_secs(seconds));
        stop.store(true, Ordering::Relaxed);
        let latencies: Vec<Duration> = workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
        (latencies, begin.elapsed())
    });
    latencies.sort_unstable();
    let (count, groups) = (latencies.len() as f64, (store.status().syncs - groups) as f64);
    let rate = count / took.as_secs_f64();
    let part = |percent: usize| format!("{:.2?}", latencies[latencies.len() * percent / 100]);
    (rate, format!("{rate:>11.0} {:>10} {:>10} {:>10.1}", part(50), part(99), count / groups))
}
