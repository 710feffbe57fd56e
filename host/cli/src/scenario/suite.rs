//! Runs the scenarios of a plugin.

use std::time::Instant;

use backroom_domain::Error;
use backroom_runtime::{RunReport, Status};
use serde_json::json;

use super::cover::Coverage;
use super::expect::{Difference, check};
use super::faults::Trial;
use super::file::{Effects, Scenario, Then};
use super::snapshot::Snapshots;
use super::tested::{Tested, TestedScenario, TestedStep};
use super::world::{Subject, World};
use crate::exit::Result;

/// How scenarios are run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ways {
    /// Only those with this in the name of their file, in their own or in that of a step.
    pub(crate) filter: Option<String>,
    /// Snapshots are written instead of compared.
    pub(crate) update: bool,
    /// Each step is tried with whatever can go wrong.
    pub(crate) faults: bool,
}

impl Ways {
    fn takes(&self, scenario: &Scenario) -> bool {
        let Some(part) = &self.filter else { return true };
        let path = scenario.path.display().to_string();
        let steps = scenario.steps.iter().filter_map(|step| step.name.as_deref());
        steps.chain([path.as_str(), scenario.name.as_str()]).any(|text| text.contains(part.as_str()))
    }
}

/// Runs them, one after the other, each in a company of its own.
pub(crate) fn run(subject: &Subject, scenarios: &[Scenario], ways: &Ways) -> Result<Tested> {
    let manifest = subject.plugin.manifest();
    let mut coverage = Coverage::of(manifest, subject.plugin.functions());
    let mut tested = Vec::new();
    for scenario in scenarios.iter().filter(|scenario| ways.takes(scenario)) {
        let began = Instant::now();
        let mut one = run_one(subject, scenario, ways, &mut coverage)?;
        one.millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        tested.push(one);
    }
    // Of a part of the scenarios nothing can be said.
    let all = ways.filter.is_none() && (subject.quick.is_none() || ways.faults);
    let unused = if all { coverage.unused() } else { Vec::new() };
    Ok(Tested {
        plugin: manifest.name.to_string(),
        digest: subject.plugin.digest().to_owned(),
        scenarios: tested,
        unused,
    })
}

fn run_one(subject: &Subject, scenario: &Scenario, ways: &Ways, coverage: &mut Coverage) -> Result<TestedScenario> {
    let world = subject.world(&scenario.given)?;
    let mut snapshots = Snapshots::of(&scenario.path, ways.update)?;
    let mut steps = Vec::new();
    for (place, step) in scenario.steps.iter().enumerate() {
        let (number, title) = (place + 1, step.title(place + 1));
        let request = world.request(step, number)?;
        // It takes a run for each right: who waits for a look is not told which ones are of no use.
        let used = match subject.quick.is_none() || ways.faults {
            true => coverage.note(&world, &request),
            false => Vec::new(),
        };
        let began = Instant::now();
        let run = world.run(request.clone());
        let took = began.elapsed();
        let wants_snapshot = matches!(step.then.effects, Some(Effects::Kept(_)));
        let kept = match &run {
            Ok(report) if wants_snapshot => snapshots.take(&title, json!(report.effects)),
            _ => None,
        };
        // What a look takes is not what the plugin takes.
        let fuel_max = step.then.fuel_max.filter(|_| subject.quick.is_none());
        let mut differences = check(&world, &Then { fuel_max, ..step.then.clone() }, &run, kept.as_ref())?;
        differences.extend(again(&world, &run));
        let faults = match ways.faults {
            true => Some(Trial::of(subject, scenario, place)?.run(&used)?),
            false => None,
        };
        steps.push(TestedStep { title, took, differences, run: run.ok(), faults });
    }
    snapshots.write()?;
    Ok(TestedScenario { name: scenario.name.clone(), file: scenario.path.clone(), steps, millis: 0 })
}

/// A run that is on record must come to the same when it is executed again.
fn again(world: &World, run: &std::result::Result<RunReport, Error>) -> Vec<Difference> {
    let Ok(report) = run else { return Vec::new() };
    // What stands in the record of another attempt is no news.
    if report.number.is_none() || report.replayed || report.status == Status::Failed {
        return Vec::new();
    }
    let wrong = match world.replay(&report.id) {
        Ok(differences) => differences,
        Err(error) => vec![error.to_string()],
    };
    let difference = |text: String| Difference {
        at: "when it is executed again".to_owned(),
        expected: json!("the same"),
        actual: json!(text),
    };
    wrong.into_iter().map(difference).collect()
}
