//! `backroom bench`: what a run costs beside bare wasmtime, and how many durable runs a second this machine does.

pub(crate) mod disk;
mod ground;
mod load;
mod neighbours;
mod postgres;
mod stats;
mod store;
mod versus;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::commands::{Context, plugin};
use crate::exit::{Failure, Result};
use crate::figures::count;
use crate::output::{Grid, Out, left, right};
use crate::progress::Progress;
use disk::Syncs;
use ground::Ground;
use load::Durable;
use neighbours::Neighbours;
use stats::Spread;
use versus::{NoEffects, OneRead};

/// Tenants whose runs are made side by side.
const TENANTS: usize = 16;
/// Where the guest lies in a clone of the project.
const GUEST: &str = "tests/guests/order";

/// Measurements on this machine.
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    Run(Run),
    Neighbours(NeighboursBench),
    Store(store::StoreBench),
    #[command(hide = true)]
    StoreStep(store::Fill),
}

/// Measure the full run beside bare wasmtime, in one process.
#[derive(Debug, Args)]
#[command(after_help = "\
Bare wasmtime runs the same component with pool, fuel and epochs on, and host functions that only answer. Every call of
both gets a fresh instance. Blocks of calls alternate, so that noise of the machine hits both. The targets are shown
for comparison; they decide nothing.

Examples:
  backroom bench run
  backroom bench run --seconds 60 --dir /var/tmp --json")]
pub(crate) struct Run {
    /// Seconds of measuring, all parts together.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(3..=3600))]
    seconds: u64,
    /// Where the store goes, in a folder that is deleted again; the system's temporary folder if not said.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The guest `order`: its folder or its component.
    #[arg(long, value_name = "DIR_OR_WASM")]
    guest: Option<PathBuf>,
}

/// Measure what a tenant that takes all it may is to another one.
#[derive(Debug, Args)]
#[command(after_help = "\
One tenant keeps as many runs under way as a tenant is let in with, each of 10,000 host calls; another one's durable runs are timed alone
and beside it, in blocks that alternate. Wanted: the slowest of a hundred gets slower by at most 20 %.

Example:
  backroom bench neighbours --seconds 60")]
pub(crate) struct NeighboursBench {
    /// Seconds of measuring.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// Where the store goes, in a folder that is deleted again; the system's temporary folder if not said.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The guest `order`: its folder or its component.
    #[arg(long, value_name = "DIR_OR_WASM")]
    guest: Option<PathBuf>,
}

/// Everything that was measured.
#[derive(Debug, Serialize)]
struct Report {
    cores: usize,
    store: PathBuf,
    component_bytes: usize,
    disk_before: Syncs,
    no_effects: NoEffects,
    one_read: OneRead,
    durable: Durable,
    disk_after: Syncs,
    targets: Targets,
}

/// What the project wants of two cores. Information, never a verdict.
#[derive(Debug, Serialize)]
struct Targets {
    no_effects_ratio: f64,
    no_effects_p50_us: f64,
    one_read_us: f64,
    durable_per_second: f64,
}

const TARGETS: Targets =
    Targets { no_effects_ratio: 1.5, no_effects_p50_us: 40.0, one_read_us: 2.0, durable_per_second: 6_000.0 };

impl Bench {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        match self {
            Self::Run(run) => {
                let report = run.measure()?;
                context.out.value(&report);
                report.show(context.out);
                Ok(())
            }
            Self::Neighbours(bench) => bench.run(context),
            Self::Store(store) => store.run(context),
            Self::StoreStep(step) => step.run(context),
        }
    }
}

impl NeighboursBench {
    fn run(&self, context: &Context) -> Result {
        let guest = self.guest.clone().map_or_else(find_guest, Ok)?;
        let component = plugin::component(&guest)?;
        let store = folder(self.dir.clone())?;
        let progress = Progress::start("measuring");
        let ground = Ground::make(&store.path().join("data"), &component, 2)?;
        let measured = neighbours::measure(&ground, Duration::from_secs(self.seconds))?;
        drop(progress);
        context.out.value(&measured);
        let Neighbours { crowd, crowd_runs, alone, beside, p99_ratio } = measured;
        let heads = [left("Durable runs of a tenant"), right("Alone"), right("Beside"), right("Ratio"), left("Wanted")];
        let mut grid = Grid::new(&heads);
        let p50 = format!("{:.2}", stats::ratio(beside.p50_us, alone.p50_us));
        grid.row(["p50".to_owned(), micros(alone.p50_us), micros(beside.p50_us), p50, String::new()]);
        let p99 = format!("{p99_ratio:.2}");
        grid.row(["p99".to_owned(), micros(alone.p99_us), micros(beside.p99_us), p99, "<= 1.2".to_owned()]);
        context.out.table(&grid);
        context.out.line(format_args!(
            "\n{} runs alone, {} beside {crowd} at a time of another tenant, which made {}.",
            count(alone.samples as u64),
            count(beside.samples as u64),
            count(crowd_runs)
        ));
        Ok(())
    }
}

/// A folder that is deleted again.
fn folder(dir: Option<PathBuf>) -> anyhow::Result<tempfile::TempDir> {
    let dir = dir.unwrap_or_else(std::env::temp_dir);
    let store = tempfile::Builder::new().prefix("backroom-bench-").tempdir_in(&dir);
    store.with_context(|| format!("cannot make a folder in {}", dir.display()))
}

impl Run {
    fn measure(&self) -> Result<Report> {
        let guest = self.guest.clone().map_or_else(find_guest, Ok)?;
        let component = plugin::component(&guest)?;
        let store = folder(self.dir.clone())?;
        let progress = Progress::start("measuring");
        progress.at("setting up tenants");
        let ground = Ground::make(&store.path().join("data"), &component, TENANTS)?;
        // A tenth for the disk, and three tenths for each of the rest.
        let tenth = Duration::from_secs(self.seconds) / 10;
        progress.at("the disk");
        let disk_before = disk::measure(store.path(), tenth / 2)?;
        progress.at("runs without effects, bare and full");
        let no_effects = versus::no_effects(&ground, tenth * 3)?;
        progress.at("a host call that reads one record");
        let one_read = versus::one_read(&ground, tenth * 3)?;
        progress.at("durable runs");
        let durable = load::durable(&ground, tenth * 3)?;
        progress.at("the disk again");
        let disk_after = disk::measure(store.path(), tenth / 2)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let component_bytes = component.len();
        let store = store.path().to_path_buf();
        Ok(Report {
            cores,
            store,
            component_bytes,
            disk_before,
            no_effects,
            one_read,
            durable,
            disk_after,
            targets: TARGETS,
        })
    }
}

/// Looks for the guest from the current directory upwards, then where this program was compiled.
fn find_guest() -> Result<PathBuf> {
    let here = std::env::current_dir().unwrap_or_default();
    let compiled = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let mut guests = here.ancestors().chain([compiled]).map(|root| root.join(GUEST));
    guests.find(|guest| guest.join("plugin.toml").is_file()).ok_or_else(|| {
        Failure::usage(format!("{GUEST} was not found in {} nor above it; name it with --guest", here.display()))
    })
}

impl Report {
    fn show(&self, out: Out) {
        let Self { cores, store, disk_before, no_effects, one_read, durable, disk_after, .. } = self;
        out.line(format_args!("{cores} cores; store in {}", store.display()));
        out.line(format_args!(
            "fdatasync of 4 KiB appends: {} before, {} after\n",
            syncs(disk_before),
            syncs(disk_after)
        ));
        let heads = [left("Measured"), right("Bare wasmtime"), right("Full run"), right("Ratio"), left("Target")];
        let mut grid = Grid::new(&heads);
        let NoEffects { bare, full, ratio } = no_effects;
        grid.row([
            "run without effects, p50".to_owned(),
            micros(bare.p50_us),
            micros(full.p50_us),
            format!("{ratio:.2}"),
            format!("ratio <= {}, <= {} µs", TARGETS.no_effects_ratio, TARGETS.no_effects_p50_us),
        ]);
        let p99 = format!("{:.2}", stats::ratio(full.p99_us, bare.p99_us));
        grid.row(["run without effects, p99".to_owned(), micros(bare.p99_us), micros(full.p99_us), p99, String::new()]);
        grid.row([
            "host call that reads one record".to_owned(),
            micros(one_read.bare_us),
            micros(one_read.full_us),
            String::new(),
            format!("<= {} µs", TARGETS.one_read_us),
        ]);
        let Spread { p50_us, p99_us, .. } = durable.each;
        let rate = format!("{}/s", count(durable.per_second as u64));
        let wanted = format!(">= {}/s", count(TARGETS.durable_per_second as u64));
        grid.row(["durable runs".to_owned(), String::new(), rate, String::new(), wanted]);
        grid.row(["durable run, p50".to_owned(), String::new(), micros(p50_us), String::new(), String::new()]);
        grid.row(["durable run, p99".to_owned(), String::new(), micros(p99_us), String::new(), String::new()]);
        out.table(&grid);
        out.line(format_args!(
            "\nWithout effects: JSON of 1 KiB, five host calls, a dry run; {} calls bare, {} full. One record: runs of {} calls \
             less runs of none. Durable: {} callers, {} tenants, one entry and one move each, {} runs, {:.1} of them a sync.",
            count(bare.samples as u64),
            count(full.samples as u64),
            count(one_read.calls_a_run),
            durable.callers,
            durable.tenants,
            count(durable.each.samples as u64),
            durable.runs_a_sync,
        ));
    }
}

fn syncs(syncs: &Syncs) -> String {
    format!(
        "{}/s (p50 {}, p99 {})",
        count(syncs.per_second as u64),
        micros(syncs.each.p50_us),
        micros(syncs.each.p99_us)
    )
}

fn micros(us: f64) -> String {
    if us >= 10_000.0 { format!("{:.1} ms", us / 1_000.0) } else { format!("{us:.1} µs") }
}
