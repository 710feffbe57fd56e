//! A store with very many entries: how much room it takes, and how long it takes to open. Each step is a process of its own,
//! as opening is measured cold and one of them ends by a kill.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use backroom_store::{Options, Store};
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use super::posting::{self, Accounts};
use super::{idle, tenant_of};
use crate::commands::Context;
use crate::exit::Result;
use crate::figures::count;
use crate::output::Out;
use crate::progress::Progress;

/// Callers that fill the store, and tenants they do it for.
const CALLERS: usize = 64;
const TENANTS: u32 = 16;
/// Key (27) and value (100) of each of the four records of a posting that stay.
const RAW: u64 = 4 * 127;
/// How long the process that is killed is under load before.
const LOAD: Duration = Duration::from_secs(3);

/// What was measured. Times are from the call that opens the store until it takes commits.
#[derive(Debug, Serialize)]
pub(super) struct Filled {
    entries: u64,
    fill_seconds: f64,
    /// Keys and values of the records that are live.
    raw_bytes: u64,
    disk_bytes: u64,
    open_after_stop_ms: f64,
    open_after_kill_ms: f64,
    compacted: Compacted,
    /// Resident right after opening.
    resident_kib: u64,
}

/// The same store after it was compacted, with what was committed under load before the kill.
#[derive(Debug, Serialize)]
struct Compacted {
    entries: u64,
    seconds: f64,
    raw_bytes: u64,
    disk_bytes: u64,
    open_after_stop_ms: f64,
    open_after_kill_ms: f64,
}

/// One step, in a process of its own; for `bench store` alone.
#[derive(Debug, Args)]
pub(crate) struct Fill {
    #[arg(value_enum)]
    step: Step,
    #[arg(long)]
    dir: PathBuf,
    #[arg(long, default_value_t = 0)]
    entries: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Step {
    /// Opens, commits so many entries, and closes.
    Fill,
    /// Opens, says how long it took, and commits until it is killed.
    Load,
    /// Opens, says how long it took, and closes.
    Open,
    /// Opens, does what is due, writes the state anew, and closes.
    Compact,
    /// Serves tenants that want nothing, and says what is resident.
    Serve,
}

/// What a step says about its opening, as a line of JSON.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Opened {
    open_ms: f64,
    pub(super) resident_kib: u64,
    entries: u64,
}

impl Fill {
    /// Does the step.
    pub(crate) fn run(&self, _context: &Context) -> Result {
        let tell = |opened: &Opened| -> Result {
            Out::new(true).raw(&serde_json::to_string(opened).context("JSON")?);
            Ok(())
        };
        if matches!(self.step, Step::Serve) {
            return tell(&Opened { open_ms: 0.0, resident_kib: idle::serve(&self.dir)?, entries: 0 });
        }
        let began = Instant::now();
        let store = Store::open(&self.dir, Options::default()).context("cannot open the store to fill")?;
        let open_ms = began.elapsed().as_secs_f64() * 1e3;
        tell(&Opened { open_ms, resident_kib: resident(), entries: store.status().durable })?;
        match self.step {
            Step::Open | Step::Serve => {}
            Step::Fill => commit(&store, self.entries)?,
            Step::Load => commit(&store, u64::MAX)?,
            Step::Compact => {
                store.upkeep().context("cannot do what is due")?;
                store.compact().context("cannot compact the store")?;
            }
        }
        Ok(store.close().context("cannot close the filled store")?)
    }
}

/// Commits `entries` postings behind those that are there.
fn commit(store: &Store, entries: u64) -> anyhow::Result<()> {
    let from = store.status().durable;
    posting::call(CALLERS, |caller, _| {
        let mine = (from..from.saturating_add(entries)).skip(caller).step_by(CALLERS);
        let mut last = None;
        for (round, number) in mine.enumerate() {
            let ticket = posting::post(store, tenant_of(caller, TENANTS), number, Accounts::Uniform)?;
            // A few behind the disk, as callers of their own would be.
            match last.replace(ticket) {
                Some(before) if round % 16 == 0 => before.wait()?,
                _ => {}
            }
        }
        last.map_or(Ok(()), |ticket| ticket.wait())?;
        Ok(())
    })?;
    Ok(())
}

/// Fills a store in `dir` and looks at it.
pub(super) fn measure(dir: &Path, entries: u64, progress: &Progress) -> Result<Filled> {
    progress.at(&format!("filling a store with {} entries", count(entries)));
    let began = Instant::now();
    finish(step("fill", dir, entries)?)?;
    let fill_seconds = began.elapsed().as_secs_f64();
    let disk_bytes = size(dir).context("cannot measure the files")?;
    progress.at("opening it after a stop and a kill");
    let (after_stop, after_kill) = stop_and_kill(dir)?;
    progress.at("compacting it");
    let began = Instant::now();
    let (child, before) = opened(step("compact", dir, 0)?)?;
    finish(child)?;
    let seconds = began.elapsed().as_secs_f64();
    let compacted_bytes = size(dir).context("cannot measure the files")?;
    progress.at("opening it after a stop and a kill once more");
    let (compacted_stop, compacted_kill) = stop_and_kill(dir)?;
    Ok(Filled {
        entries,
        fill_seconds,
        raw_bytes: entries * RAW,
        disk_bytes,
        open_after_stop_ms: after_stop.open_ms,
        open_after_kill_ms: after_kill.open_ms,
        compacted: Compacted {
            entries: before.entries,
            seconds,
            raw_bytes: before.entries * RAW,
            disk_bytes: compacted_bytes,
            open_after_stop_ms: compacted_stop.open_ms,
            open_after_kill_ms: compacted_kill.open_ms,
        },
        resident_kib: after_stop.resident_kib,
    })
}

/// Opens it twice: as it was closed, and after a kill under load.
fn stop_and_kill(dir: &Path) -> anyhow::Result<(Opened, Opened)> {
    let (mut loaded, after_stop) = opened(step("load", dir, 0)?)?;
    std::thread::sleep(LOAD);
    loaded.kill().context("cannot kill the loaded process")?;
    loaded.wait().context("cannot wait for the killed process")?;
    let (child, after_kill) = opened(step("open", dir, 0)?)?;
    finish(child)?;
    Ok((after_stop, after_kill))
}

pub(super) fn step(name: &str, dir: &Path, entries: u64) -> anyhow::Result<Child> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let mut command = Command::new(program);
    command.args(["bench", "store-step", name, "--dir"]).arg(dir).args(["--entries", &entries.to_string()]);
    command.stdout(Stdio::piped()).stdin(Stdio::null()).spawn().context("cannot start a process to measure with")
}

/// Waits until the process has opened the store.
pub(super) fn opened(mut child: Child) -> anyhow::Result<(Child, Opened)> {
    let mut line = String::new();
    let stdout = child.stdout.take().context("no output")?;
    let mut stdout = BufReader::new(stdout);
    stdout.read_line(&mut line).context("cannot hear the process")?;
    child.stdout = Some(stdout.into_inner());
    let opened = serde_json::from_str(&line).map_err(|_| anyhow!("the process did not open the store: {line}"))?;
    Ok((child, opened))
}

pub(super) fn finish(mut child: Child) -> anyhow::Result<()> {
    let mut rest = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut rest).context("cannot hear the process")?;
    }
    let status = child.wait().context("cannot wait for the process")?;
    if status.success() { Ok(()) } else { Err(anyhow!("a measuring process ended with {status}")) }
}

/// Bytes of all files below `dir`.
fn size(dir: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let data = entry.metadata()?;
        bytes += if data.is_dir() { size(&entry.path())? } else { data.len() };
    }
    Ok(bytes)
}

/// Of this process, as Linux tells; 0 elsewhere.
pub(super) fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.trim().strip_suffix("kB")).and_then(|kib| kib.trim().parse().ok()).unwrap_or_default()
}

impl Filled {
    pub(super) fn show(&self, out: Out) {
        let Self { compacted, .. } = self;
        out.line(format_args!(
            "\n{} entries in {:.0} s: {} (wanted: at most 4)",
            count(self.entries),
            self.fill_seconds,
            sizes(self.raw_bytes, self.disk_bytes),
        ));
        out.line(format_args!(
            "Opening: {}; then {} MiB resident",
            openings(self.open_after_stop_ms, self.open_after_kill_ms),
            self.resident_kib >> 10,
        ));
        out.line(format_args!(
            "Compacted in {:.0} s, {} entries: {} (wanted: at most 2.5)",
            compacted.seconds,
            count(compacted.entries),
            sizes(compacted.raw_bytes, compacted.disk_bytes),
        ));
        out.line(format_args!("Opening: {}", openings(compacted.open_after_stop_ms, compacted.open_after_kill_ms)));
    }
}

fn sizes(raw: u64, disk: u64) -> String {
    let times = disk as f64 / raw.max(1) as f64;
    format!("{} MiB of live records, {} MiB of files, {times:.2} times", raw >> 20, disk >> 20)
}

fn openings(stop: f64, kill: f64) -> String {
    format!("{stop:.0} ms after a stop (wanted: at most 2,000), {kill:.0} ms after a kill under load (at most 10,000)")
}
