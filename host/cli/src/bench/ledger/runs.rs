//! Entries in batches, through runs of a plugin.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use backroom_domain::Id;
use backroom_domain::rights::{Grant, Rights};
use backroom_office::NewInstallation;
use backroom_runtime::{Mode, RunRequest, Runner, Runtime, RuntimeOptions, Status};
use backroom_store::TenantNo;
use backroom_store::records::Limits;
use serde::Serialize;
use serde_json::json;

use super::Load;
use super::book::{ACCOUNTS, Book, NOW, PER_DAY};
use crate::bench::stats::Spread;
use crate::progress::Progress;

/// Entries of one run, below the most effects that a run may have.
pub(super) const A_RUN: u64 = 8_000;
/// Entries of one call: some 500 bytes each, and a call carries 1 MiB.
pub(super) const A_BATCH: u64 = 2_000;
/// While the run of one is on its way to the disk, that of the other goes on.
pub(super) const CALLERS: usize = 2;
/// What the first figure is about.
const FIRST: u64 = 100_000;
/// A run wants 2 MiB of stack; the rest is for the caller's own frames.
const STACK: usize = 4 << 20;
const INSTALLATION: &str = "poster";

/// What was measured.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Posted {
    pub(super) entries: u64,
    pub(super) runs: u64,
    pub(super) callers: usize,
    /// Entries a second until the first 100,000 (or all, if there are fewer) were durable.
    pub(super) first: f64,
    /// Of all of them.
    pub(super) sustained: f64,
    /// Of the slowest 100,000.
    pub(super) slowest: f64,
    /// A run, from the request until it is on disk.
    pub(super) each: Spread,
    pub(super) load: Load,
}

/// Posts at least `entries`, in whole runs.
pub(super) fn measure(
    book: &Book,
    dir: &Path,
    component: &[u8],
    entries: u64,
    progress: &Progress,
) -> anyhow::Result<Posted> {
    let poster = Poster::install(book, dir, component)?;
    // Until it is compiled, has its place in the pool and its memory.
    poster.run(0, Mode::DryRun)?;
    let runs = entries.div_ceil(A_RUN);
    progress.at(&format!("{runs} runs of {A_RUN} entries"));
    let (next, poster, began) = (&AtomicU64::new(0), &poster, Instant::now());
    let mut ends = std::thread::scope(|scope| -> anyhow::Result<Vec<_>> {
        let mut callers = Vec::new();
        for _ in 0..CALLERS {
            let work = move || -> anyhow::Result<Vec<_>> {
                let mut ends = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= runs {
                        return Ok(ends);
                    }
                    let start = Instant::now();
                    poster.run(number * A_RUN, Mode::Commit)?;
                    ends.push((began.elapsed(), start.elapsed()));
                }
            };
            let thread = std::thread::Builder::new().name("caller".to_owned()).stack_size(STACK);
            callers.push(thread.spawn_scoped(scope, work).context("cannot start a caller")?);
        }
        let mut ends = Vec::new();
        for caller in callers {
            ends.extend(caller.join().map_err(|_| anyhow!("a caller panicked"))??);
        }
        Ok(ends)
    })?;
    ends.sort_unstable();
    let (ends, mut times): (Vec<_>, Vec<_>) = ends.into_iter().unzip();
    let Rates { first, sustained, slowest } = Rates::of(&ends, A_RUN);
    let each = Spread::of(&mut times);
    Ok(Posted { entries: runs * A_RUN, runs, callers: CALLERS, first, sustained, slowest, each, load: Load::now() })
}

/// Entries a second.
#[derive(Debug, PartialEq)]
pub(super) struct Rates {
    pub(super) first: f64,
    pub(super) sustained: f64,
    pub(super) slowest: f64,
}

impl Rates {
    /// Out of the times at which so many entries more were durable, in order.
    pub(super) fn of(ends: &[Duration], each: u64) -> Self {
        let rate = |entries: u64, took: Duration| entries as f64 / took.as_secs_f64().max(1e-9);
        let window = usize::try_from(FIRST.div_ceil(each)).unwrap_or(usize::MAX).min(ends.len()).max(1);
        let whole = window as u64 * each;
        let at = |index: usize| ends.get(index).copied().unwrap_or_default();
        let starts = std::iter::once(Duration::ZERO).chain(ends.iter().copied());
        let windows = starts.zip(ends.iter().skip(window - 1)).map(|(from, to)| rate(whole, to.saturating_sub(from)));
        Self {
            first: rate(whole, at(window - 1)),
            sustained: rate(ends.len() as u64 * each, at(ends.len().saturating_sub(1))),
            slowest: windows.fold(f64::INFINITY, f64::min),
        }
    }
}

struct Poster {
    runner: Runner,
    tenant: TenantNo,
    rights: Arc<Rights>,
    installation: Id,
}

impl Poster {
    fn install(book: &Book, dir: &Path, component: &[u8]) -> anyhow::Result<Self> {
        let runtime = Arc::new(Runtime::new(RuntimeOptions::default())?);
        let runner = Runner::new(book.store.clone(), runtime, &dir.join("releases"))?;
        let release = runner.upload("bench", NOW, component)?;
        let installation = Id::parse(INSTALLATION, "name")?;
        let new = NewInstallation {
            name: installation.clone(),
            release: release.digest,
            // What the guest wants, without what no plugin can have.
            grants: Grant { administer: false, ..Grant::all() }.into(),
            config: Default::default(),
            limits: Limits::default(),
            accept_rights: false,
        };
        if let Some(ticket) = book.office.install("bench", NOW, book.tenant, new)?.ticket {
            ticket.wait()?;
        }
        Ok(Self { runner, tenant: book.tenant, rights: Arc::new(Rights::all()), installation })
    }

    /// One run from entry `first` on, checked to have posted all of its entries.
    fn run(&self, first: u64, mode: Mode) -> anyhow::Result<()> {
        let input =
            json!({ "first": first, "count": A_RUN, "batch": A_BATCH, "accounts": ACCOUNTS, "per_day": PER_DAY });
        let request = RunRequest {
            tenant: self.tenant,
            actor: "bench".to_owned(),
            rights: Arc::clone(&self.rights),
            installation: self.installation.clone(),
            id: None,
            input: input.to_string().into(),
            date: None,
            mode,
            now: NOW,
        };
        let report = self.runner.run_durably(request)?;
        match report.status {
            Status::Ok | Status::Committed if report.effects.len() as u64 == A_RUN => Ok(()),
            Status::Ok | Status::Committed => Err(anyhow!("a run posted {} entries", report.effects.len())),
            Status::Refused | Status::Failed => {
                let why = report.fault.map(|fault| fault.to_string()).or(report.error.map(|error| error.to_string()));
                Err(anyhow!("the measured run ended badly: {}", why.unwrap_or_default()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_of_the_beginning_of_all_and_of_the_slowest_part() {
        let ends: Vec<Duration> = [1, 2, 4, 5].map(Duration::from_secs).into();
        let rates = Rates::of(&ends, 50_000);
        assert_eq!(rates, Rates { first: 50_000.0, sustained: 40_000.0, slowest: 100_000.0 / 3.0 });
        let few = Rates::of(&[Duration::from_secs(2)], 8_000);
        assert_eq!(few, Rates { first: 4_000.0, sustained: 4_000.0, slowest: 4_000.0 });
    }
}
