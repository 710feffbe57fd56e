//! Running a recorded run again, on the state as it was, and comparing.

use std::sync::Arc;

use backroom_domain::{Error, Id};
use backroom_office::runs::{self, FaultKind, RecordedRun};
use backroom_office::{Caller, Work};
use backroom_store::records::{Installation, RunRecord, Tenant};
use backroom_store::{StoreError, TenantNo, Tx};
use serde::{Deserialize, Serialize};

use crate::error::RunnerError;
use crate::run::{End, Installed, Runner, Tail, execute, layers};

/// What became of a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ReplayReport {
    /// The run.
    pub run: Id,
    /// Everything was the same.
    pub identical: bool,
    /// The effects were the same, byte for byte.
    pub effects_identical: bool,
    /// Output, error or fault were the same.
    pub output_identical: bool,
    /// The work that the record says.
    pub fuel_recorded: u64,
    /// The work that it took now.
    pub fuel_replayed: u64,
    /// What was different, for people; empty if nothing was.
    pub differences: Vec<String>,
}

impl Runner {
    /// Runs a recorded run again: the release, configuration, limits and grants of its time, the caller's rights, input,
    /// time and date from the record, the state rebuilt from the log up to just before it. Nothing is kept. `progress` is
    /// told each revision of the log that was read.
    ///
    /// # Errors
    /// `not-found` (no such run); `refused` (`not-replayable`: it ran into its wall-time limit, which says something about
    /// the machine and nothing about the plugin, or into a mistake of the service); else as [`Runner::run`].
    pub fn replay(
        &self,
        tenant: &Tenant,
        run: &Id,
        progress: &mut dyn FnMut(u64),
    ) -> Result<ReplayReport, RunnerError> {
        let number = TenantNo(tenant.number);
        let record = self.store().read(number)?.get::<RunRecord>(run)?.ok_or_else(|| Error::not_found("run", run))?;
        let recorded =
            runs::recorded(self.store(), number, record.number)?.ok_or_else(|| damaged(&record, "it is no run"))?;
        if let Some(fault) = &recorded.detail.fault
            && matches!(fault.kind, FaultKind::Deadline | FaultKind::Internal)
        {
            let message = format!("run {run} ended by {fault}. That depends on the machine, so it cannot be replayed");
            return Err(Error::refused("not-replayable", message).into());
        }
        let tx = self.store().before(number, record.number, progress)?;
        let (end, tail) = self.again(tx, &record, &recorded)?;
        compare(run, &recorded, end, &tail)
    }

    fn again(&self, tx: Tx, record: &RunRecord, recorded: &RecordedRun) -> Result<(End, Tail), RunnerError> {
        let detail = &recorded.detail;
        let installation = tx.get::<Installation>(&detail.installation)?;
        let installation = installation.filter(|found| found.release == detail.release);
        let installation = installation.ok_or_else(|| damaged(record, "its installation was not there, or another"))?;
        let installation = Installed::from(installation);
        let plugin = self.plugin(&detail.release)?;
        let caller = Caller {
            actor: detail.actor.clone(),
            layers: layers(Arc::new(detail.rights.clone()), &plugin, &installation),
            installation: Some(installation.name.clone()),
            run: Some(record.id.clone()),
        };
        let work = Work::new(tx, caller, detail.now, detail.date);
        execute(self.runtime(), &plugin, work, &installation, &detail.input)
    }
}

fn compare(run: &Id, recorded: &RecordedRun, end: End, tail: &Tail) -> Result<ReplayReport, RunnerError> {
    let detail = &recorded.detail;
    let (effects, output, error, fault) = match end {
        End::Ok(sealed, output) => (sealed.encoded_effects()?, Some(output.get().to_owned()), None, None),
        End::Refused(error) => (Vec::new(), None, Some(error), None),
        End::Failed(fault) => (Vec::new(), None, None, Some(fault)),
    };
    let effects_identical = effects == recorded.entry.effects;
    let output_identical = (&output, &error, &fault) == (&detail.output, &detail.error, &detail.fault);
    let mut differences = Vec::new();
    if !effects_identical {
        let at = effects.iter().zip(&recorded.entry.effects).take_while(|(now, then)| now == then).count();
        let (then, now) = (recorded.entry.effects.len(), effects.len());
        differences.push(format!("effects differ from number {} on (recorded: {then}, now: {now})", at + 1));
    }
    let mut differs = |what: &str, then: &dyn std::fmt::Debug, now: &dyn std::fmt::Debug| {
        differences.push(format!("{what}: recorded {then:?}, now {now:?}"));
    };
    if output != detail.output {
        differs("output", &detail.output, &output);
    }
    if error != detail.error {
        differs("error", &detail.error, &error);
    }
    if fault != detail.fault {
        differs("fault", &detail.fault, &fault);
    }
    if tail.fuel != detail.fuel {
        differs("fuel", &detail.fuel, &tail.fuel);
    }
    if tail.host_calls != detail.host_calls {
        differs("host calls", &detail.host_calls, &tail.host_calls);
    }
    if (&tail.log, tail.log_dropped) != (&detail.log, detail.log_dropped) {
        differs("log", &detail.log, &tail.log);
    }
    Ok(ReplayReport {
        run: run.clone(),
        identical: differences.is_empty(),
        effects_identical,
        output_identical,
        fuel_recorded: detail.fuel,
        fuel_replayed: tail.fuel,
        differences,
    })
}

fn damaged(record: &RunRecord, what: &str) -> StoreError {
    StoreError::Corrupt {
        place: format!("the record of run {} (number {})", record.id, record.number),
        what: what.to_owned(),
    }
}
