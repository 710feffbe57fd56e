//! `backroom bench ledger`: how many journal entries a second, through plugins and over HTTP, and what a balance of the past
//! costs; beside it PostgreSQL with a stored procedure that does the same.

mod book;
mod callers;
mod past;
mod procedure;
mod runs;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::disk::{self, Syncs};
use super::postgres::Server;
use super::stats::ratio;
use super::{find_guest, folder, micros, syncs};
use crate::commands::{Context, plugin};
use crate::exit::Result;
use crate::figures::count;
use crate::output::{Grid, Out, left, note, right};
use crate::progress::Progress;
use book::Book;
use callers::Crowd;
use past::Past;
use procedure::Beside;
use runs::Posted;

/// Where the guest lies in a clone of the project.
const GUEST: &str = "tests/guests/poster";
/// Entries of the whole measurement and of the quick one.
const FULL: u64 = 1_000_000;
const QUICK: u64 = 104_000;
/// Seconds of single entries over HTTP, and as many with the stored procedure.
const SECONDS: u64 = 16;
const QUICK_SECONDS: u64 = 6;

/// Measure the ledger: entries in batches through a plugin, single ones over HTTP, balances of the past; and PostgreSQL beside it.
#[derive(Debug, Args)]
#[command(after_help = "\
Plugin runs post 8,000 entries of two lines each, in batches of 2,000, to any two of 1,000 accounts, 500 entries a day over six years; two
callers take turns, each waiting until its run is on disk. Then balances of any account as of any day are asked for, at once and when
the index has taken in what was posted. Then 64 callers post single entries over HTTP to a new service, to any two accounts and
with one account in each of them, in turns.

PostgreSQL (Debian's postgresql-15 or newer) is started beside it in the same folder, for the same entries in the same
batches from as many callers: once with a procedure that is called for a batch and posts one entry after the other, once with one
that posts a batch as a whole; and 64 callers for single entries. Both keep a total per account and day and check that accounts
exist and that an id is new; they keep no chain of hashes, no rights, no periods and no limits. synchronous_commit is on.

The whole takes some three minutes, with --quick half a minute. The targets are shown for comparison; they decide nothing.

Examples:
  backroom bench ledger --quick
  backroom bench ledger --dir /var/tmp --json
  backroom bench ledger --entries 5000000")]
pub(crate) struct LedgerBench {
    /// Entries through plugin runs, in whole runs of 8,000; 1,000,000 if not said.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(8_000..=100_000_000))]
    entries: Option<u64>,
    /// Fewer entries and seconds: a first impression.
    #[arg(long)]
    quick: bool,
    /// Where the stores go, in a folder that is deleted again; the system's temporary folder if not said.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The guest `poster`: its folder or its component.
    #[arg(long, value_name = "DIR_OR_WASM")]
    guest: Option<PathBuf>,
}

/// Everything that was measured.
#[derive(Debug, Serialize)]
struct Report {
    cores: usize,
    dir: PathBuf,
    disk_before: Syncs,
    posted: Posted,
    past: Past,
    crowd: Crowd,
    /// None if there is no server to start.
    postgres: Option<Beside>,
    disk_after: Syncs,
    targets: Targets,
}

/// What the project wants of two cores. Information, never a verdict.
#[derive(Debug, Serialize)]
struct Targets {
    first_per_second: f64,
    sustained_per_second: f64,
    single_per_second: f64,
    hot_share: f64,
    past_us: f64,
}

const TARGETS: Targets = Targets {
    first_per_second: 50_000.0,
    sustained_per_second: 30_000.0,
    single_per_second: 4_000.0,
    hot_share: 0.8,
    past_us: 50.0,
};

/// How busy the machine was on average over the last minute, whoever made it so; -1 where the system does not tell.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(transparent)]
struct Load(f64);

impl Load {
    fn now() -> Self {
        let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Self(text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(-1.0))
    }
}

impl LedgerBench {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        let report = self.measure()?;
        context.out.value(&report);
        report.show(context.out);
        Ok(())
    }

    fn measure(&self) -> Result<Report> {
        let guest = self.guest.clone().map_or_else(|| find_guest(GUEST), Ok)?;
        let component = plugin::component(&guest)?;
        let place = folder(self.dir.clone())?;
        let (usual, seconds) = if self.quick { (QUICK, QUICK_SECONDS) } else { (FULL, SECONDS) };
        let (entries, time) = (self.entries.unwrap_or(usual), Duration::from_secs(seconds));
        let progress = Progress::start("measuring");
        let disk_before = disk::measure(place.path(), Duration::from_secs(1))?;
        let (posted, past) = embedded(&place.path().join("plugin"), &component, entries, &progress)?;
        let crowd = callers::measure(&place.path().join("http"), time, &progress)?;
        let postgres = beside(&self.dir.clone().unwrap_or_else(std::env::temp_dir), entries, time, &progress)?;
        let disk_after = disk::measure(place.path(), Duration::from_secs(1))?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let dir = place.path().to_path_buf();
        Ok(Report { cores, dir, disk_before, posted, past, crowd, postgres, disk_after, targets: TARGETS })
    }
}

/// Entries through plugin runs, and balances of the book that they make.
fn embedded(dir: &Path, component: &[u8], entries: u64, progress: &Progress) -> Result<(Posted, Past)> {
    progress.at("setting up a tenant with a plugin");
    let book = Book::make(dir)?;
    let posted = runs::measure(&book, dir, component, entries, progress)?;
    progress.at("balances of the past");
    let past = past::measure(&book, posted.entries)?;
    book.close()?;
    Ok((posted, past))
}

/// PostgreSQL; none, and a loud word, where it cannot be had.
fn beside(dir: &Path, entries: u64, time: Duration, progress: &Progress) -> Result<Option<Beside>> {
    progress.at("starting PostgreSQL");
    match Server::start(dir) {
        Ok(server) => Ok(Some(procedure::measure(&server, entries, time, progress)?)),
        Err(why) => {
            note(format!("POSTGRESQL WAS NOT MEASURED, so nothing stands beside the figures: {why:#}"));
            Ok(None)
        }
    }
}

impl Report {
    fn show(&self, out: Out) {
        let Self { cores, dir, disk_before, disk_after, .. } = self;
        out.line(format_args!("{cores} cores; stores in {}", dir.display()));
        out.line(format_args!(
            "fdatasync of 4 KiB appends: {} before, {} after\n",
            syncs(disk_before),
            syncs(disk_after)
        ));
        let heads = [
            left("Measured"),
            right("Backroom"),
            right("PostgreSQL, one by one"),
            right("PostgreSQL, by sets"),
            left("Target"),
            right("Load"),
        ];
        let mut grid = Grid::new(&heads);
        for row in self.batches().into_iter().chain(self.singles()).chain(self.balances()) {
            grid.row(row);
        }
        out.table(&grid);
        self.explain(out);
    }

    fn batches(&self) -> Vec<[String; 6]> {
        let Posted { first, sustained, slowest, each, load, .. } = &self.posted;
        let of = |pick: fn(&procedure::Batches) -> f64| {
            let each = self.postgres.as_ref().map(|beside| (pick(&beside.one_by_one), pick(&beside.by_sets)));
            each.map(|(a, b)| (rate(a), rate(b))).unwrap_or_default()
        };
        let (first_one, first_sets) = of(|batches| batches.first);
        let (all_one, all_sets) = of(|batches| batches.sustained);
        let load = load_of(*load);
        vec![
            [
                "entries in batches, the first 100,000".to_owned(),
                rate(*first),
                first_one,
                first_sets,
                wanted(TARGETS.first_per_second),
                load.clone(),
            ],
            [
                format!("entries in batches, all {}", count(self.posted.entries)),
                rate(*sustained),
                all_one,
                all_sets,
                wanted(TARGETS.sustained_per_second),
                load.clone(),
            ],
            row("the slowest 100,000 of them", rate(*slowest), &load),
            row("a run of 8,000, p50", micros(each.p50_us), &load),
            row("a run of 8,000, p99", micros(each.p99_us), &load),
        ]
    }

    fn singles(&self) -> Vec<[String; 6]> {
        let Crowd { callers, uniform, hot, hot_share, load } = &self.crowd;
        let single = |what: &str, ours: f64, pick: fn(&Beside) -> f64| {
            let theirs = self.postgres.as_ref().map(|beside| rate(pick(beside))).unwrap_or_default();
            let target = wanted(TARGETS.single_per_second);
            [
                format!("single entries, {callers} callers, {what}"),
                rate(ours),
                theirs,
                String::new(),
                target,
                load_of(*load),
            ]
        };
        let share = self.postgres.as_ref().map(|beside| format!("{:.2}", ratio(beside.hot, beside.uniform)));
        let mut shares = row("hot as a share of uniform", format!("{hot_share:.2}"), &load_of(*load));
        (shares[2], shares[4]) = (share.unwrap_or_default(), format!(">= {}", TARGETS.hot_share));
        vec![
            single("uniform", uniform.per_second, |beside| beside.uniform),
            single("one account hot", hot.per_second, |beside| beside.hot),
            shares,
            row("a single entry, uniform, p50", micros(uniform.each.p50_us), &load_of(*load)),
            row("a single entry, uniform, p99", micros(uniform.each.p99_us), &load_of(*load)),
        ]
    }

    fn balances(&self) -> Vec<[String; 6]> {
        let Past { at_once, random, again, load } = &self.past;
        let theirs = self.postgres.as_ref().map(|beside| micros(beside.past.p50_us)).unwrap_or_default();
        let load = load_of(*load);
        let target = format!("<= {} µs", TARGETS.past_us);
        vec![
            [
                "balance as of any day, p50".to_owned(),
                micros(random.p50_us),
                theirs,
                String::new(),
                target.clone(),
                load.clone(),
            ],
            row("balance as of any day, p99", micros(random.p99_us), &load),
            row("behind the last entry at once, p50", micros(at_once.p50_us), &load),
            ["the same one again, p50".to_owned(), micros(again.p50_us), String::new(), String::new(), target, load],
        ]
    }

    fn explain(&self, out: Out) {
        let Posted { entries, callers, runs, .. } = &self.posted;
        out.line(format_args!(
            "\n{} entries in {} runs of {callers} callers, each durable when it counts. Load: the system's average over the minute before.",
            count(*entries),
            count(*runs),
        ));
        match &self.postgres {
            None => out.line("NO POSTGRESQL HERE: install the package `postgresql-15`, and it is measured beside."),
            Some(beside) => out.line(format_args!(
                "PostgreSQL {}: {} entries one by one, {} by sets, load {} then.",
                beside.version,
                count(beside.one_by_one.entries),
                count(beside.by_sets.entries),
                load_of(beside.load),
            )),
        }
    }
}

fn row(what: &str, figure: String, load: &str) -> [String; 6] {
    [what.to_owned(), figure, String::new(), String::new(), String::new(), load.to_owned()]
}

fn rate(per_second: f64) -> String {
    format!("{}/s", count(per_second as u64))
}

fn wanted(per_second: f64) -> String {
    format!(">= {}", rate(per_second))
}

fn load_of(load: Load) -> String {
    if load.0 < 0.0 { String::new() } else { format!("{:.1}", load.0) }
}
