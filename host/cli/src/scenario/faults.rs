//! A step again and again, each time with something that goes wrong: a right that is denied, a host call that fails, fuel that runs
//! out. Nothing may be kept of such a run, unless the plugin lived with a denial and ended well: then the books must be in order.

use std::collections::BTreeSet;
use std::sync::Arc;

use backroom_domain::rights::Operation;
use backroom_domain::{Class, Error, Id};
use backroom_office::runs::FaultKind;
use backroom_office::{inventory, ledger};
use backroom_runtime::{Mode, RunReport, RunRequest, RunnerError, Status};
use backroom_store::records::Limits;
use serde::Serialize;

use super::cover::without;
use super::file::Scenario;
use super::world::{Subject, World, broken};
use crate::exit::{Failure, Result};

/// Host calls that are made to fail, one run each; of more than that, some in even distances.
const MOST_CALLS: u32 = 200;
/// Points between the host calls at which fuel runs out.
const EVENLY: u64 = 16;

/// What was tried, and what was not as it must be.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Faults {
    /// Rights that were denied.
    pub(crate) denials: usize,
    /// Of those, how often the plugin ended well all the same.
    pub(crate) lived_with: usize,
    /// Host calls that failed.
    pub(crate) calls: usize,
    /// Host calls that the step makes.
    pub(crate) of_calls: u32,
    /// Points at which fuel ran out.
    pub(crate) cuts: usize,
    /// What went wrong in an unexpected way.
    pub(crate) problems: Vec<String>,
}

/// One step that is tried.
pub(super) struct Trial<'a> {
    subject: &'a Subject,
    scenario: &'a Scenario,
    /// The step's place, from 0.
    place: usize,
    world: World,
    /// So that every attempt has an id of its own.
    attempts: usize,
    faults: Faults,
}

impl<'a> Trial<'a> {
    /// Of the step at `place`.
    pub(super) fn of(subject: &'a Subject, scenario: &'a Scenario, place: usize) -> Result<Self> {
        let world = before(subject, scenario, place)?;
        Ok(Self { subject, scenario, place, world, attempts: 0, faults: Faults::default() })
    }

    /// Tries everything; `used` are the operations that the step needs.
    pub(super) fn run(mut self, used: &[Operation]) -> Result<Faults> {
        let request = RunRequest { mode: Mode::DryRun, ..self.request()? };
        let Ok(planned) = self.world.run(request) else { return Ok(self.faults) };
        for operation in used {
            self.deny(*operation)?;
        }
        self.faults.of_calls = planned.host_calls;
        for call in spread(planned.host_calls) {
            self.fail(call)?;
        }
        // What a run has used when it traps is not exactly known, and nothing is kept of it in any case.
        if planned.fault.is_none() {
            for fuel in self.cuts(&planned)? {
                self.cut(fuel)?;
            }
        }
        Ok(self.faults)
    }

    /// The step as something that is kept, under an id of its own.
    fn request(&mut self) -> Result<RunRequest> {
        self.attempts += 1;
        let step = self.scenario.steps.get(self.place).ok_or_else(|| broken("the step is gone"))?;
        let id = Id::parse(&format!("fault-{}", self.attempts), "id").map_err(broken)?;
        Ok(RunRequest { id: Some(id), mode: Mode::Commit, ..self.world.request(step, self.place + 1)? })
    }

    fn problem(&mut self, what: &str, is: impl std::fmt::Display) {
        self.faults.problems.push(format!("{what}: {is}"));
    }

    fn deny(&mut self, operation: Operation) -> Result {
        let (kept, request) = (self.world.contents()?, self.request()?);
        let run = self.world.run(RunRequest { rights: Arc::new(without(operation)), ..request });
        self.faults.denials += 1;
        let what = format!("without the right to {}", operation.name());
        match run {
            Ok(report) if report.status == Status::Committed => {
                self.faults.lived_with += 1;
                for wrong in disorder(&self.world)? {
                    self.problem(&what, wrong);
                }
                self.world = before(self.subject, self.scenario, self.place)?;
                return Ok(());
            }
            Ok(report) => {
                if let Some(fault) = &report.fault {
                    let is = format!("it ended with a fault ({fault}) where it should return the error that it got");
                    self.problem(&what, is);
                }
            }
            Err(error) => self.problem(&what, format!("the run could not be done: {error}")),
        }
        self.nothing_kept(&what, &kept)
    }

    fn fail(&mut self, call: u32) -> Result {
        let (kept, request) = (self.world.contents()?, self.request()?);
        let run = request.id.clone();
        let answer = self.subject.failing_at(&self.world, call)?.run_durably(request);
        self.faults.calls += 1;
        let what = format!("with host call {call} failing");
        match answer {
            Err(RunnerError::Unavailable(_)) => {}
            Err(other) => {
                self.problem(&what, format!("it should be unavailable, and is {}", told(&other.into_error())));
            }
            Ok(report) => self.problem(&what, format!("it should be unavailable, and is {}", ended(&report))),
        }
        if let Some(run) = run
            && self.world.has_run(&run)?
        {
            self.problem(&what, "there is a record of the run");
        }
        self.nothing_kept(&what, &kept)
    }

    fn cut(&mut self, fuel: u64) -> Result {
        self.world.limit_fuel(fuel)?;
        let (kept, request) = (self.world.contents()?, self.request()?);
        let run = self.world.run(request);
        self.faults.cuts += 1;
        let what = format!("with {fuel} units of fuel");
        match run {
            Ok(report) if report.fault.as_ref().is_some_and(|fault| is_fuel(fault.kind)) => {}
            Ok(report) => self.problem(&what, format!("it should run out of fuel, and is {}", ended(&report))),
            Err(error) => self.problem(&what, format!("it should run out of fuel, and is {}", told(&error))),
        }
        self.nothing_kept(&what, &kept)
    }

    fn nothing_kept(&mut self, what: &str, kept: &super::world::Contents) -> Result {
        if self.world.contents()? != *kept {
            self.problem(what, "something of it was kept");
            self.world = before(self.subject, self.scenario, self.place)?;
        }
        Ok(())
    }

    /// Where fuel is to run out: before each host call, as it begins, and in even distances.
    fn cuts(&mut self, planned: &RunReport) -> Result<BTreeSet<u64>> {
        let (request, limits) = (self.request()?, self.world.limits());
        let calls_with =
            |fuel: u64| -> Result<u32> { Ok(self.world.execute(&request, Limits { fuel, ..limits })?.host_calls) };
        let mut cuts: BTreeSet<u64> = (1..=EVENLY).map(|part| planned.fuel / (EVENLY + 1) * part).collect();
        let mut least = 0;
        for call in spread(planned.host_calls) {
            // The least fuel with which it gets as far as this call.
            let (mut below, mut enough) = (least, planned.fuel);
            while enough.saturating_sub(below) > 1 {
                let middle = below + (enough - below) / 2;
                match calls_with(middle)? >= call {
                    true => enough = middle,
                    false => below = middle,
                }
            }
            cuts.extend([below, enough]);
            least = below;
        }
        cuts.retain(|fuel| (1..planned.fuel).contains(fuel));
        Ok(cuts)
    }
}

/// So many numbers from 1 to `count`, all of them if they are few.
fn spread(count: u32) -> BTreeSet<u32> {
    let parts = count.min(MOST_CALLS);
    let nth = |part: u32| u64::from(part) * u64::from(count) / u64::from(parts.max(1));
    (1..=parts).map(|part| u32::try_from(nth(part)).unwrap_or(count)).collect()
}

/// The company as it is before a step.
fn before(subject: &Subject, scenario: &Scenario, place: usize) -> Result<World> {
    let world = subject.world(&scenario.given)?;
    for (number, step) in (1_usize..).zip(scenario.steps.iter().take(place)) {
        // How it ended is looked at elsewhere.
        world.run(world.request(step, number)?).ok();
    }
    Ok(world)
}

/// What is not in order in the books of a company.
fn disorder(world: &World) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let work = world.look()?;
    let unwell = |error: backroom_office::Failure| Failure::usage(error);
    for total in ledger::trial_balance(&work, None).map_err(unwell)?.totals {
        if total.debits != total.credits {
            found.push(format!("the books are out of balance in {}", total.currency));
        }
    }
    for row in inventory::stock_control(&work).map_err(unwell)? {
        if row.ledger != row.stock {
            found.push(format!("account {} and the stock under it differ", row.account));
        }
    }
    let verified = world.store.verify(&mut |_| {}).map_err(broken)?;
    if !verified.is_sound() {
        found.push("the log is not sound".to_owned());
    }
    Ok(found)
}

fn ended(report: &RunReport) -> String {
    match (&report.error, &report.fault) {
        (Some(error), _) => told(error),
        (None, Some(fault)) => fault.to_string(),
        (None, None) => format!("{:?}", report.status).to_lowercase(),
    }
}

fn told(error: &Error) -> String {
    let class: Class = error.class;
    format!("{} ({})", error.code(), serde_json::json!(class).as_str().unwrap_or_default())
}

/// A run that is cut short may have used up what is left of the day before that.
fn is_fuel(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::Fuel | FaultKind::DayFuel)
}
