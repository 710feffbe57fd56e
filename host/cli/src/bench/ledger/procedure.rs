//! What stands beside: a plain double-entry ledger as tables and stored procedures, and the same entries.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use serde::Serialize;
use tokio_postgres::{Client, NoTls, Statement};

use super::Load;
use super::book::{ACCOUNTS, FIRST_ACCOUNT, PER_DAY, Posting, code, date, mix, posting};
use super::callers::CALLERS;
use super::runs::{A_BATCH, A_RUN, CALLERS as RUN_CALLERS, Rates};
use crate::bench::postgres::Server;
use crate::bench::stats::Spread;
use crate::exit::Result;
use crate::progress::Progress;

/// Entries one by one are so slow that more of them would only take time.
const ONE_BY_ONE: u64 = 200_000;
/// Balances that are asked for.
const QUESTIONS: u64 = 2_000;

/// Tables and procedures; see the file.
const SCHEMA: &str = include_str!("procedure.sql");

/// What was measured.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Beside {
    pub(super) version: u32,
    pub(super) one_by_one: Batches,
    pub(super) by_sets: Batches,
    /// Single entries a second.
    pub(super) uniform: f64,
    pub(super) hot: f64,
    /// Balances as of a day.
    pub(super) past: Spread,
    pub(super) load: Load,
}

/// Entries a second.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Batches {
    pub(super) entries: u64,
    pub(super) first: f64,
    pub(super) sustained: f64,
}

/// Measures with the same entries as through plugins, and as long as over HTTP.
pub(super) fn measure(server: &Server, entries: u64, time: Duration, progress: &Progress) -> Result<Beside> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start a thread")?;
    progress.at("PostgreSQL, one by one");
    let one_by_one = batches(server, &runtime, "post_each", entries.min(ONE_BY_ONE))?;
    progress.at("PostgreSQL, by sets");
    let by_sets = batches(server, &runtime, "post_set", entries)?;
    progress.at("PostgreSQL, balances of the past");
    let past = past(server, &runtime, entries)?;
    progress.at(&format!("PostgreSQL, single entries of {CALLERS} callers"));
    let half = time / 2;
    let uniform = server.pgbench(&script(false), CALLERS, half)?;
    let hot = server.pgbench(&script(true), CALLERS, half)?;
    Ok(Beside { version: server.version, one_by_one, by_sets, uniform, hot, past, load: Load::now() })
}

async fn connect(server: &Server) -> anyhow::Result<Client> {
    let (client, connection) =
        tokio_postgres::connect(&server.url(), NoTls).await.context("cannot reach PostgreSQL")?;
    // It ends when the client is dropped; what goes wrong with it is what the client reports.
    tokio::spawn(connection);
    Ok(client)
}

/// Posts so many entries into new tables: a transaction for each run, a call for each batch.
fn batches(
    server: &Server,
    runtime: &tokio::runtime::Runtime,
    procedure: &str,
    entries: u64,
) -> anyhow::Result<Batches> {
    let runs = entries.div_ceil(A_RUN);
    let next = AtomicU64::new(0);
    let mut ends = runtime.block_on(async {
        let setup = connect(server).await?;
        setup.batch_execute(SCHEMA).await.context("cannot make the tables")?;
        let accounts = format!(
            "INSERT INTO account SELECT generate_series({FIRST_ACCOUNT}, {})::text",
            FIRST_ACCOUNT + ACCOUNTS - 1
        );
        setup.batch_execute(&accounts).await.context("cannot make the accounts")?;
        let began = Instant::now();
        let mut callers = Vec::new();
        for _ in 0..RUN_CALLERS {
            callers.push(post_runs(server, procedure, &next, runs, began));
        }
        let [first, second] = <[_; RUN_CALLERS]>::try_from(callers).map_err(|_| anyhow!("two callers"))?;
        let (first, second) = tokio::join!(first, second);
        Ok::<_, anyhow::Error>([first?, second?].concat())
    })?;
    ends.sort_unstable();
    let Rates { first, sustained, .. } = Rates::of(&ends, A_RUN);
    Ok(Batches { entries: runs * A_RUN, first, sustained })
}

async fn post_runs(
    server: &Server,
    procedure: &str,
    next: &AtomicU64,
    runs: u64,
    began: Instant,
) -> anyhow::Result<Vec<Duration>> {
    let mut client = connect(server).await?;
    let statement = client.prepare(&format!("SELECT {procedure}($1, $2, $3, $4, $5)")).await?;
    let mut ends = Vec::new();
    loop {
        let run = next.fetch_add(1, Ordering::Relaxed);
        if run >= runs {
            return Ok(ends);
        }
        post_run(&mut client, &statement, run * A_RUN).await.context("the procedure failed")?;
        ends.push(began.elapsed());
    }
}

async fn post_run(
    client: &mut Client,
    statement: &Statement,
    first: u64,
) -> std::result::Result<(), tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    for from in (first..first + A_RUN).step_by(usize::try_from(A_BATCH).unwrap_or(1)) {
        let postings: Vec<Posting> = (from..from + A_BATCH).map(posting).collect();
        let ids: Vec<String> = (from..from + A_BATCH).map(|n| format!("entry:{n:010}")).collect();
        let days: Vec<String> = postings.iter().map(|posting| day(posting.day)).collect();
        let debits: Vec<String> = postings.iter().map(|posting| code(posting.debit)).collect();
        let credits: Vec<String> = postings.iter().map(|posting| code(posting.credit)).collect();
        let amounts: Vec<i64> = postings.iter().map(|posting| posting.minor.cast_signed()).collect();
        transaction.execute(statement, &[&ids, &days, &debits, &credits, &amounts]).await?;
    }
    transaction.commit().await
}

fn day(number: u64) -> String {
    let (year, month, day) = date(number);
    format!("{year}-{month:02}-{day:02}")
}

fn past(server: &Server, runtime: &tokio::runtime::Runtime, entries: u64) -> anyhow::Result<Spread> {
    let days = entries.div_ceil(PER_DAY).max(1);
    runtime.block_on(async {
        let client = connect(server).await?;
        // What the entries left behind is not what is measured.
        client.batch_execute("VACUUM ANALYZE").await?;
        let statement = client.prepare("SELECT debits, credits FROM balance_at($1, $2)").await?;
        let mut times = Vec::new();
        for number in 0..QUESTIONS {
            let (account, day) = (code(mix(number) % ACCOUNTS), day((mix(number) >> 32) % days));
            let start = Instant::now();
            client.query_one(&statement, &[&account, &day]).await?;
            times.push(start.elapsed());
        }
        Ok(Spread::of(&mut times))
    })
}

/// What `pgbench` calls for a single entry: ids that come again are next to impossible among so many.
fn script(hot: bool) -> String {
    let last = FIRST_ACCOUNT + ACCOUNTS - 1;
    let debit = if hot { FIRST_ACCOUNT } else { FIRST_ACCOUNT + ACCOUNTS / 2 };
    let (first_debit, last_debit) = if hot { (debit, debit) } else { (FIRST_ACCOUNT, debit) };
    format!(
        "\\set n random(1, 9000000000000000)\n\\set debit random({first_debit}, {last_debit})\n\
         \\set credit random({}, {last})\n\\set minor random(1, 10000)\n\\set day 1 + :n % 28\n\
         SELECT post_entry('single:' || :n, '2026-01-' || :day, (:debit)::text, (:credit)::text, :minor);\n",
        debit + 1
    )
}
