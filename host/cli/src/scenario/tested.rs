//! What came of the scenarios, for people and as JSON.

use std::path::PathBuf;
use std::time::Duration;

use backroom_runtime::RunReport;
use serde_json::{Value, json};

use super::cover::Unused;
use super::expect::Difference;
use super::faults::Faults;
use crate::exit::{Failure, Result};
use crate::figures::{count, counted};
use crate::output::Out;

/// A value is shown up to here; `--json` has all of it.
const SHOWN: usize = 400;

/// All scenarios of a plugin.
pub(crate) struct Tested {
    pub(crate) plugin: String,
    pub(crate) digest: String,
    pub(crate) scenarios: Vec<TestedScenario>,
    pub(crate) unused: Vec<Unused>,
}

/// One scenario.
pub(crate) struct TestedScenario {
    pub(crate) name: String,
    pub(crate) file: PathBuf,
    pub(crate) steps: Vec<TestedStep>,
    pub(crate) millis: u64,
}

/// One step.
pub(crate) struct TestedStep {
    pub(crate) title: String,
    /// Of the run alone.
    pub(crate) took: Duration,
    pub(crate) differences: Vec<Difference>,
    /// None if the service refused to run it.
    pub(crate) run: Option<RunReport>,
    pub(crate) faults: Option<Faults>,
}

impl TestedStep {
    pub(crate) fn passed(&self) -> bool {
        self.differences.is_empty() && self.faults.as_ref().is_none_or(|faults| faults.problems.is_empty())
    }

    /// What is wrong, in lines.
    fn wrong(&self) -> Vec<String> {
        let mut lines = self.different();
        lines.extend(self.faults.iter().flat_map(|faults| faults.problems.iter().cloned()));
        lines
    }

    /// What is not as the scenario has it, in lines.
    pub(super) fn different(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for difference in &self.differences {
            lines.push(difference.at.clone());
            lines.push(format!("  expected  {}", written(&difference.expected)));
            lines.push(format!("  actual    {}", written(&difference.actual)));
        }
        lines
    }
}

impl Tested {
    fn steps(&self) -> impl Iterator<Item = &TestedStep> {
        self.scenarios.iter().flat_map(|scenario| &scenario.steps)
    }

    /// A failure unless every step passed.
    pub(crate) fn check(&self) -> Result {
        let failed = self.steps().filter(|step| !step.passed()).count();
        match failed {
            0 if self.scenarios.is_empty() => Err(Failure::usage("no scenario has that in its name")),
            0 => Ok(()),
            _ => Err(Failure::Check(format!("{failed} of {} did not pass", counted_steps(self.steps().count())))),
        }
    }

    /// Shows all of it.
    pub(crate) fn show(&self, out: Out) {
        out.value(&self.json());
        for scenario in &self.scenarios {
            out.line(format_args!("{}: {}", scenario.file.display(), scenario.name));
            for step in &scenario.steps {
                out.line(format_args!("  {} {}{}", if step.passed() { "✓" } else { "✗" }, step.title, cost(step)));
                step.wrong().iter().for_each(|line| out.line(format_args!("      {line}")));
                if let Some(faults) = &step.faults {
                    out.line(format_args!("      {}", tried(faults)));
                }
                // Its own words help to see why.
                let log = step.run.iter().filter(|_| !step.passed()).flat_map(|run| &run.log);
                log.for_each(|line| out.line(format_args!("      log: {}", line.message)));
            }
        }
        for unused in &self.unused {
            let rights = match unused.rights.is_empty() {
                true => "all of it".to_owned(),
                false => unused.rights.join(", "),
            };
            out.line(format_args!("No scenario needs [[wants]] {} ({}): {rights}", unused.want, unused.why));
        }
        let passed = self.steps().filter(|step| step.passed()).count();
        out.line(format_args!("{passed} of {} passed", counted_steps(self.steps().count())));
    }

    fn json(&self) -> Value {
        let step = |step: &TestedStep| {
            json!({
                "step": step.title, "passed": step.passed(), "differences": step.differences, "faults": step.faults,
                "run": step.run,
            })
        };
        let scenario = |one: &TestedScenario| {
            let steps: Vec<Value> = one.steps.iter().map(step).collect();
            json!({ "file": one.file, "name": one.name, "millis": one.millis, "steps": steps })
        };
        json!({
            "plugin": self.plugin,
            "digest": self.digest,
            "passed": self.steps().all(TestedStep::passed),
            "scenarios": self.scenarios.iter().map(scenario).collect::<Vec<_>>(),
            "unused": self.unused,
        })
    }
}

fn counted_steps(steps: usize) -> String {
    counted(steps as u64, "step", "steps")
}

fn cost(step: &TestedStep) -> String {
    let Some(run) = &step.run else { return String::new() };
    let millis = step.took.as_secs_f64() * 1e3;
    format!(" ({millis:.1} ms, fuel {}, host calls {})", count(run.fuel), run.host_calls)
}

/// What was tried of faults, in a line.
pub(super) fn tried(faults: &Faults) -> String {
    let of = match u32::try_from(faults.calls) {
        Ok(calls) if calls < faults.of_calls => format!(" of {}", faults.of_calls),
        _ => String::new(),
    };
    format!(
        "tried: {} denied ({} lived with), {}{of} failing, {} in fuel",
        counted(faults.denials as u64, "right", "rights"),
        faults.lived_with,
        counted(faults.calls as u64, "host call", "host calls"),
        counted(faults.cuts as u64, "cut", "cuts"),
    )
}

fn written(value: &Value) -> String {
    let text = if value.is_null() { "nothing".to_owned() } else { value.to_string() };
    match text.char_indices().nth(SHOWN) {
        None => text,
        Some((end, _)) => format!("{} ...", text.get(..end).unwrap_or_default()),
    }
}
