//! Commits over PostgreSQL, and beside each way of asking a single function in the same server that does the same.
//!
//! The function has it easy: it gets everything as the parameters of one call, takes its revisions from a sequence, and
//! keeps neither a chain nor the order of its tenants.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use backroom_store::{Database, Options, PostgresOptions, Store};
use serde::Serialize;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Statement};

use super::super::stats::ratio;
use super::posting::{self, Accounts, Rate, Raw};
use super::{ACCOUNTS, CALLERS, Row, TENANTS, tenant_of};
use crate::exit::Result;
use crate::output::note;
use crate::progress::Progress;

/// The two take turns so often: what else the machine does meets both.
const ROUNDS: u32 = 3;
/// What the project wants of the commits: so many for one of the function.
const TARGET: f64 = 0.9;

/// Log and records as the store has them.
const FUNCTION: &str = "
CREATE SCHEMA rival;
CREATE TABLE rival.record (tenant bigint NOT NULL, key bytea NOT NULL, body bytea NOT NULL, PRIMARY KEY (tenant, key));
CREATE TABLE rival.log (revision bigint PRIMARY KEY, tenant bigint NOT NULL, payload bytea NOT NULL);
CREATE SEQUENCE rival.revision;
CREATE FUNCTION rival.posting(whose bigint, made bytea[], accounts bytea[], filler bytea, entry bytea) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    account bytea;
BEGIN
    INSERT INTO rival.record SELECT whose, k, filler FROM unnest(made) AS k;
    FOR account IN SELECT DISTINCT a FROM unnest(accounts) AS a ORDER BY a LOOP
        PERFORM 1 FROM rival.record r WHERE r.tenant = whose AND r.key = account FOR UPDATE;
    END LOOP;
    INSERT INTO rival.record AS r SELECT DISTINCT whose, a, int8send(1) || substr(filler, 9) FROM unnest(accounts) AS a ORDER BY a
        ON CONFLICT (tenant, key) DO UPDATE SET body =
            int8send(('x' || encode(substr(r.body, 1, 8), 'hex'))::bit(64)::bigint + 1) || substr(excluded.body, 9);
    INSERT INTO rival.log VALUES (nextval('rival.revision'), whose, entry);
END $$";
/// As the store's own: a plan made while the tables are empty must not outlive that. For the same reason the accounts are locked one
/// by one: joined, the whole tenant would be read for two of them.
const SETTINGS: &str = "
    SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off;
    SET plan_cache_mode = force_generic_plan";
const CALL: &str = "SELECT rival.posting($1, $2, $3, $4, $5)";

/// What the function did in the same time.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Function {
    pub(super) per_second: f64,
    /// The store's commits for one of the function's.
    pub(super) ratio: f64,
    /// What the project wants of that.
    pub(super) target: f64,
}

/// Measures every way of asking for as long as `each`, and the function as long, in a database of its own on the server of
/// `url`.
pub(super) fn measure(url: &str, each: Duration, progress: &Progress) -> Result<Vec<Row>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.context("cannot start the threads of the connections")?;
    let name = format!("backroom_bench_{}", std::process::id());
    let admin = runtime.block_on(connect(url))?;
    let make = runtime.block_on(admin.batch_execute(&format!("CREATE DATABASE {name}")));
    make.context("cannot make a database to measure in: its user needs the right CREATEDB")?;
    let rows = in_database(&runtime, &beside(url, &name), each / ROUNDS, progress);
    // Waits for whoever is on the way out, and ends the server's own cleaning, which FORCE may not end for an owner.
    let dropped = runtime.block_on(admin.batch_execute(&format!("DROP DATABASE {name}")));
    if let Err(why) = dropped {
        note(format!("cannot remove the database {name} that was measured in: {why:#}"));
    }
    rows
}

/// The same URL for another database.
fn beside(url: &str, name: &str) -> String {
    let is_url = url.starts_with("postgresql://") || url.starts_with("postgres://");
    match (is_url, url.contains('?')) {
        (false, _) => format!("{url} dbname={name}"),
        (true, false) => format!("{url}?dbname={name}"),
        (true, true) => format!("{url}&dbname={name}"),
    }
}

fn in_database(runtime: &Runtime, url: &str, each: Duration, progress: &Progress) -> Result<Vec<Row>> {
    let options = PostgresOptions::default();
    let store =
        Store::open_postgres(url, &Options::default(), &options).context("cannot open a store to measure on")?;
    let owner = runtime.block_on(connect(url))?;
    runtime.block_on(owner.batch_execute(FUNCTION)).context("cannot make the function to compare with")?;
    let mut rows = Vec::new();
    let numbers = Arc::new(AtomicU64::new(1));
    for callers in CALLERS {
        let rival = Rival::connect(runtime, url, callers)?;
        for tenants in TENANTS {
            for accounts in ACCOUNTS {
                progress.at(&format!("PostgreSQL: {callers} callers, {tenants} tenants, {accounts}"));
                let mut rounds = Vec::new();
                let mut function = 0.0;
                for _ in 0..ROUNDS {
                    rounds.push(posting::measure(&store, &numbers, callers, tenants, accounts, each)?);
                    function += rival.measure(runtime, &numbers, tenants, accounts, each)? / f64::from(ROUNDS);
                }
                let rate = Rate::middle(rounds);
                let function =
                    Function { per_second: function, ratio: ratio(rate.per_second, function), target: TARGET };
                let engine = "PostgreSQL";
                rows.push(Row { engine, callers, tenants, accounts, rate, target: None, function: Some(function) });
            }
        }
    }
    store.close().context("cannot close the measured store")?;
    Ok(rows)
}

async fn connect(url: &str) -> anyhow::Result<Client> {
    let connected = Database::parse(url)?.connect().await;
    let (client, connection) = connected.context("cannot connect; the server may take too few: see max_connections")?;
    // Its end shows in the client.
    tokio::spawn(async move { drop(connection.await) });
    Ok(client)
}

/// Callers of the function, each with a connection of its own.
struct Rival(Vec<Arc<(Client, Statement)>>);

impl Rival {
    fn connect(runtime: &Runtime, url: &str, callers: usize) -> anyhow::Result<Self> {
        runtime.block_on(async {
            let mut clients = Vec::new();
            for _ in 0..callers {
                let client = connect(url).await?;
                client.batch_execute(SETTINGS).await?;
                let statement = client.prepare(CALL).await?;
                clients.push(Arc::new((client, statement)));
            }
            Ok(Self(clients))
        })
    }

    /// Calls of the function a second.
    fn measure(
        &self,
        runtime: &Runtime,
        numbers: &Arc<AtomicU64>,
        tenants: u32,
        accounts: Accounts,
        time: Duration,
    ) -> anyhow::Result<f64> {
        let began = Instant::now();
        runtime.block_on(async {
            let mut callers = JoinSet::new();
            for (caller, client) in self.0.iter().enumerate() {
                let (client, numbers) = (Arc::clone(client), Arc::clone(numbers));
                callers.spawn(async move {
                    let mut calls = 0_u32;
                    while began.elapsed() < time {
                        let number = numbers.fetch_add(1, Ordering::Relaxed);
                        call(&client, i64::from(tenant_of(caller, tenants).0), &Raw::of(number, accounts)).await?;
                        calls += 1;
                    }
                    Ok::<_, tokio_postgres::Error>(calls)
                });
            }
            let mut calls = 0.0;
            while let Some(ended) = callers.join_next().await {
                calls += f64::from(ended??);
            }
            Ok(calls / began.elapsed().as_secs_f64())
        })
    }
}

/// One posting, however often it takes.
async fn call(
    (client, statement): &(Client, Statement),
    tenant: i64,
    raw: &Raw,
) -> std::result::Result<(), tokio_postgres::Error> {
    let [made, accounts] = &raw.keys;
    loop {
        match client.execute(statement, &[&tenant, made, accounts, &raw.body, &raw.payload]).await {
            Ok(_) => return Ok(()),
            Err(error) if error.code() == Some(&SqlState::T_R_DEADLOCK_DETECTED) => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_server_with_another_database() {
        for url in ["host=/run/postgresql user=me", "postgresql://me@localhost/mine", "postgres://localhost?user=me"] {
            let config: tokio_postgres::Config = beside(url, "other").parse().unwrap();
            assert_eq!(config.get_dbname(), Some("other"), "{url}");
            assert_eq!(config.get_hosts().len(), 1, "{url}");
        }
    }
}
