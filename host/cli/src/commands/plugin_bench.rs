//! `backroom plugin bench`.

use std::path::PathBuf;
use std::time::Duration;

use backroom_runtime::{Outcome, RunRequest};
use clap::Args;
use serde_json::json;

use super::Context;
use super::plugin::{build_with, how};
use super::plugin_run::{given, json_or_file};
use crate::bench::stats::Spread;
use crate::exit::{Failure, Result};
use crate::figures::count;
use crate::progress::Progress;
use crate::scenario::file::{Scenario, stem};
use crate::scenario::world::{Sandbox, World};

/// Not measured: the first ones fill caches.
const WARM_UP: u32 = 20;

/// Measure the plugin in a folder: fuel, time and memory of a run, each in a fresh instance, in memory.
#[derive(Debug, Args)]
#[command(after_help = "\
Measured is what a run is by itself: instance, host calls, return; not the rules of its end, the log and its sync. It sees what a scenario
gives (see `backroom plugin test --help`), and does its first step if no input is named.

Examples:
  backroom plugin bench --scenario accrual
  backroom plugin bench pay-run --scenario june --input june.json --runs 5000 --json")]
pub(crate) struct BenchHere {
    /// The folder with plugin.toml.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// The input, or the file it stands in.
    #[arg(long, value_name = "JSON|FILE")]
    input: Option<String>,
    /// What is there: that of the scenario tests/NAME.toml.
    #[arg(long, value_name = "NAME")]
    scenario: Option<String>,
    /// How many runs.
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    runs: u32,
    /// Download nothing.
    #[arg(long)]
    offline: bool,
}

impl BenchHere {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        let given = given(&self.dir, self.scenario.as_deref())?;
        let built = build_with(&self.dir, &how(self.offline))?;
        let world = Sandbox::start()?.load(&self.dir, &built.bytes)?.world(&given)?;
        let request = self.request(&world)?;
        let shown = Progress::start(format!("running it {} times", self.runs));
        let mut times: Vec<Duration> = Vec::new();
        let (mut fuel, mut host_calls, mut memory) = (0, 0, 0);
        for number in 0..self.runs.saturating_add(WARM_UP) {
            let execution = world.execute(&request, world.limits())?;
            if let Outcome::Failed(fault) = &execution.outcome {
                return Err(Failure::Check(format!("the measured run failed: {fault}")));
            }
            if let Outcome::Refused(error) = &execution.outcome {
                return Err(Failure::Check(format!("the measured run was refused: {error}")));
            }
            if number >= WARM_UP {
                times.push(execution.wall);
            }
            (fuel, host_calls) = (execution.fuel, execution.host_calls);
            memory = memory.max(execution.peak_memory);
        }
        drop(shown);
        let spread = Spread::of(&mut times);
        let out = context.out;
        out.value(&json!({
            "digest": built.digest, "size": built.size, "runs": self.runs, "fuel": fuel, "host-calls": host_calls,
            "memory": memory, "p50-us": spread.p50_us, "p99-us": spread.p99_us,
        }));
        out.line(format_args!(
            "{} {}: {} runs, each in a fresh instance",
            built.manifest.name, built.language, self.runs
        ));
        out.line(format_args!("time        {:.1} us at p50, {:.1} us at p99", spread.p50_us, spread.p99_us));
        out.line(format_args!("fuel        {}", count(fuel)));
        out.line(format_args!("host calls  {host_calls}"));
        out.line(format_args!("memory      {} KiB at most", count(memory >> 10)));
        out.line(format_args!("component   {} bytes", count(built.size)));
        Ok(())
    }

    /// The input that is named, or the first step of the scenario.
    fn request(&self, world: &World) -> Result<RunRequest> {
        if let Some(text) = &self.input {
            return Ok(world.asking(&json_or_file(text)?.to_string()));
        }
        let named = Scenario::all(&self.dir)?.into_iter().find(|one| Some(stem(&one.path)) == self.scenario);
        match named.as_ref().and_then(|scenario| scenario.steps.first()) {
            Some(step) => world.request(step, 1),
            None => Err(Failure::usage("say what to run: --input, or --scenario with a first step")),
        }
    }
}
