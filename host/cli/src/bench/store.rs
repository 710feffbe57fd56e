//! `backroom bench store`: what the store alone does, through units of work with their hash chains.

mod fill;
mod idle;
mod postgres;
mod posting;
mod slow;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::Context as _;
use backroom_store::engine::{Embedded, embedded};
use backroom_store::{Options, Store, TenantNo};
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::disk::{self, Syncs};
use super::postgres::Server;
use super::{micros, syncs};
use crate::commands::Context;
use crate::exit::Result;
use crate::figures::count;
use crate::output::{Grid, Out, left, right};
use crate::progress::Progress;
use fill::Filled;
use idle::Idle;
use postgres::Function;
use posting::{Accounts, Rate};

pub(crate) use fill::Fill;

/// Callers at a time. The target beside PostgreSQL comes from a measurement with 32.
const CALLERS: [usize; 4] = [1, 16, 32, 128];
/// Tenants that they write for.
const TENANTS: [u32; 2] = [1, 16];
/// Accounts that they post to.
const ACCOUNTS: [Accounts; 2] = [Accounts::Uniform, Accounts::Hot];

/// Measure the store: commits of six records, durable, from 1 to 128 callers, beside the targets for each.
#[derive(Debug, Args)]
#[command(after_help = "\
One commit is a double-entry posting: a header, two lines and an index entry that are new, and two balances that are read
and overwritten; keys of 27 and values of 100 random bytes. Every caller waits until its commit is on disk. The same is
measured on a disk that takes 3.99 ms for a sync, as an ordinary network disk does.

With --entries the store is filled with that many commits by a process of its own, which is stopped once in order and once
by a kill; then its files are measured, and how long it takes to open. With --idle a service of 1,000 tenants with 10,000
installations of a release that nobody runs is started, shows each of them once, and is asked for its memory.

The same commits go to a PostgreSQL server, in a database that is made for it and removed again; beside each row, in turns
of the same length, as many callers ask a single function in that server to do the same. Without --database-url a server of
its own is started in a temporary folder (Debian's package `postgresql-15`; for root, as the user `postgres` or `nobody`). The user of a URL must be allowed to
make databases and the roles backroom_reader and backroom_bi, and the server must take 150 connections.

Examples:
  backroom bench store
  backroom bench store --seconds 120 --dir /var/tmp --json
  backroom bench store --entries 1000000 --idle
  backroom bench store --engine postgresql --seconds 240 --database-url postgresql://backroom@localhost/postgres")]
pub(crate) struct StoreBench {
    /// Seconds of measuring, all rates together; 5 to 3600.
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u64).range(5..=3600))]
    seconds: u64,
    /// Where the store goes, in a folder that is deleted again; the system's temporary folder if not said.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// What the commits go to.
    #[arg(long, value_enum, default_value_t = Engine::Both)]
    engine: Engine,
    /// Measure on the PostgreSQL server of this URL, instead of one that is started for it.
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// Also fill a store with so many commits (1,000 or more), and measure its files and how long it takes to open.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    entries: Option<u64>,
    /// Also measure the memory of a service of very many tenants that has nothing to do.
    #[arg(long)]
    idle: bool,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engine {
    Both,
    Embedded,
    Postgresql,
}

/// Everything that was measured.
#[derive(Debug, Serialize)]
struct Report {
    cores: usize,
    dir: PathBuf,
    disk_before: Syncs,
    rates: Vec<Row>,
    /// Why PostgreSQL was not measured, though it was wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    no_postgresql: Option<String>,
    filled: Option<Filled>,
    idle: Option<Idle>,
    disk_after: Syncs,
}

/// One way of asking.
#[derive(Debug, Serialize)]
struct Row {
    engine: &'static str,
    callers: usize,
    tenants: u32,
    accounts: Accounts,
    #[serde(flatten)]
    rate: Rate,
    /// What the project wants, where it wants something.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<u32>,
    /// What is measured beside it, where there is something.
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<Function>,
}

impl StoreBench {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        let report = self.measure()?;
        context.out.value(&report);
        report.show(context.out);
        Ok(())
    }

    fn measure(&self) -> Result<Report> {
        let dir = self.dir.clone().unwrap_or_else(std::env::temp_dir);
        let folder = tempfile::Builder::new().prefix("backroom-bench-").tempdir_in(&dir);
        let folder = folder.with_context(|| format!("cannot make a folder in {}", dir.display()))?;
        let progress = Progress::start("measuring");
        let disk_before = disk::measure(folder.path(), Duration::from_secs(1))?;
        let each = self.each();
        let mut rates = Vec::new();
        if self.engine != Engine::Postgresql {
            rates = self.embedded(folder.path(), each, &progress)?;
            rates.push(slow(folder.path(), each, &progress)?);
        }
        let no_postgresql = self.postgresql(&dir, each, &progress, &mut rates)?;
        let filled = match self.entries {
            Some(entries) => Some(fill::measure(&folder.path().join("filled"), entries, &progress)?),
            None => None,
        };
        let idle = match self.idle {
            true => Some(idle::measure(&folder.path().join("idle"), &progress)?),
            false => None,
        };
        let disk_after = disk::measure(folder.path(), Duration::from_secs(1))?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Report { cores, dir, disk_before, rates, no_postgresql, filled, idle, disk_after })
    }

    /// Every way of asking takes as long as any other: the slow disk needs one, and beside PostgreSQL each has a rival.
    fn each(&self) -> Duration {
        let ways = CALLERS.len() * TENANTS.len() * ACCOUNTS.len();
        let (embedded, postgresql) = (ways + 1, ways * 2);
        let ways = match self.engine {
            Engine::Both => embedded + postgresql,
            Engine::Embedded => embedded,
            Engine::Postgresql => postgresql,
        };
        Duration::from_secs(self.seconds) / u32::try_from(ways).unwrap_or(u32::MAX)
    }

    /// Adds the rates over PostgreSQL; or says why there are none, unless nothing else was asked for.
    fn postgresql(
        &self,
        dir: &Path,
        each: Duration,
        progress: &Progress,
        rates: &mut Vec<Row>,
    ) -> Result<Option<String>> {
        if self.engine == Engine::Embedded {
            return Ok(None);
        }
        if let Some(url) = &self.database_url {
            rates.extend(postgres::measure(url, each, progress)?);
            return Ok(None);
        }
        progress.at("starting a PostgreSQL server");
        match Server::start(dir) {
            Ok(server) => rates.extend(postgres::measure(&server.url(), each, progress)?),
            Err(error) if self.engine == Engine::Both => return Ok(Some(format!("{error:#}"))),
            Err(error) => return Err(error.context("cannot start a PostgreSQL server to measure on").into()),
        }
        Ok(None)
    }

    fn embedded(&self, folder: &Path, each: Duration, progress: &Progress) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for callers in CALLERS {
            for tenants in TENANTS {
                for accounts in ACCOUNTS {
                    progress.at(&format!("{callers} callers, {tenants} tenants, {accounts}"));
                    let data = folder.join("data");
                    let store = Store::open(&data, Options::default()).context("cannot open a store to measure on")?;
                    let rate = posting::measure(&store, &AtomicU64::new(1), callers, tenants, accounts, each)?;
                    store.close().context("cannot close the measured store")?;
                    std::fs::remove_dir_all(&data).context("cannot remove the measured store")?;
                    let target = match callers {
                        1 => Some(3_000),
                        128 => Some(15_000),
                        _ => None,
                    };
                    rows.push(Row { engine: "embedded", callers, tenants, accounts, rate, target, function: None });
                }
            }
        }
        Ok(rows)
    }
}

/// On a disk with slow syncs.
fn slow(folder: &Path, each: Duration, progress: &Progress) -> Result<Row> {
    let (callers, tenants, accounts) = (128, 16, Accounts::Uniform);
    progress.at("a disk that takes 3.99 ms for a sync");
    let data = folder.join("slow");
    let options = Options::default();
    let folder = embedded::log_folder(&data).context("cannot open a store to measure on")?;
    let engine = Embedded::open_on(&data, Arc::new(slow::SlowDisk(folder)), &options);
    let store = Store::with_engine_options(Arc::new(engine.context("cannot open a store to measure on")?), &options);
    let rate = posting::measure(&store, &AtomicU64::new(1), callers, tenants, accounts, each)?;
    store.close().context("cannot close the measured store")?;
    Ok(Row {
        engine: "embedded, 3.99 ms a sync",
        callers,
        tenants,
        accounts,
        rate,
        target: Some(4_000),
        function: None,
    })
}

/// The tenant that a caller writes for.
fn tenant_of(caller: usize, tenants: u32) -> TenantNo {
    let number = u32::try_from(caller % tenants.max(1) as usize).unwrap_or_default();
    TenantNo(number + 1)
}

impl Report {
    fn show(&self, out: Out) {
        let Self { cores, dir, disk_before, rates, no_postgresql, filled, idle, disk_after } = self;
        out.line(format_args!("{cores} cores; store in {}", dir.display()));
        out.line(format_args!(
            "fdatasync of 4 KiB appends: {} before, {} after\n",
            syncs(disk_before),
            syncs(disk_after)
        ));
        let heads = [
            left("Engine"),
            right("Callers"),
            right("Tenants"),
            left("Accounts"),
            right("Commits"),
            right("p50"),
            right("p99"),
            right("A sync"),
            right("Function"),
            right("Ratio"),
            left("Target"),
        ];
        let mut grid = Grid::new(&heads);
        for Row { engine, callers, tenants, accounts, rate, target, function } in rates {
            grid.row([
                (*engine).to_owned(),
                callers.to_string(),
                tenants.to_string(),
                accounts.to_string(),
                format!("{}/s", count(rate.per_second as u64)),
                micros(rate.each.p50_us),
                micros(rate.each.p99_us),
                format!("{:.1}", rate.commits_a_sync),
                function.map(|function| format!("{}/s", count(function.per_second as u64))).unwrap_or_default(),
                function.map(|function| format!("{:.2}", function.ratio)).unwrap_or_default(),
                match (target, function) {
                    (Some(target), _) => format!(">= {}/s", count(u64::from(*target))),
                    (None, Some(function)) => format!(">= {}", function.target),
                    (None, None) => String::new(),
                },
            ]);
        }
        out.table(&grid);
        if let Some(why) = no_postgresql {
            out.line(format_args!("\nPostgreSQL was NOT measured: {why}"));
        }
        if let Some(filled) = filled {
            filled.show(out);
        }
        if let Some(idle) = idle {
            idle.show(out);
        }
    }
}
