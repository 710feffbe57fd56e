//! Running a recorded run again, on the state as it was, and comparing.
//!
//! Personal data that were erased since are gone from the past as well: the run reads them as erased, and its record shows them as
//! erased. What can be compared is compared, and the report names what could not.

use std::collections::BTreeSet;
use std::sync::Arc;

use backroom_domain::rights::HrField;
use backroom_domain::{Error, Id};
use backroom_office::effects;
use backroom_office::limits::Budget;
use backroom_office::runs::{self, RecordedRun};
use backroom_office::{Caller, Work};
use backroom_store::records::{Installation, RunRecord, Tenant, TenantLimits};
use backroom_store::{StoreError, TenantNo, Tx};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::RunnerError;
use crate::outbound::Calls;
use crate::run::{End, Installed, Runner, Tail, day_of, execute, layers};

/// What became of a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// Personal data that have been erased since and that the run asked for or recorded. Where the run asked for them, fuel and
    /// log are not compared (a name that is gone has another length), and other differences may come from that alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub erased: Vec<ErasedField>,
}

/// A field of a person that was erased.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ErasedField {
    /// The person.
    pub worker: Id,
    /// What of them.
    pub field: HrField,
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
        let record = self.store().get::<RunRecord>(number, run)?.ok_or_else(|| Error::not_found("run", run))?;
        let recorded =
            runs::recorded(self.store(), number, record.number)?.ok_or_else(|| damaged(&record, "it is no run"))?;
        if let Some(fault) = &recorded.detail.fault
            && fault.kind.is_of_the_machine()
        {
            let message = format!("run {run} ended by {fault}. That depends on the machine, so it cannot be replayed");
            return Err(Error::refused("not-replayable", message).into());
        }
        let tx = self.store().before(number, record.number, progress)?;
        let own_process = self.store().get::<TenantLimits>(number, &())?.is_some_and(|found| found.own_process);
        let (end, tail) = self.execute_again(tx, &record, &recorded, own_process)?;
        self.compare(number, run, &recorded, end, &tail)
    }

    /// Where the tenant's runs are executed now: what it comes to is the same.
    fn execute_again(
        &self,
        tx: Tx,
        record: &RunRecord,
        recorded: &RecordedRun,
        own_process: bool,
    ) -> Result<(End, Tail), RunnerError> {
        let detail = &recorded.detail;
        let installation = tx.get::<Installation>(&detail.installation)?;
        let installation = installation.filter(|found| found.release == detail.release);
        let installation = installation.ok_or_else(|| damaged(record, "its installation was not there, or another"))?;
        let installation = Installed::from(installation);
        let plugin = self.plugin(&detail.release)?;
        let mut budget = Budget::of(&tx, &installation.name, installation.limits(), day_of(detail.now))?;
        budget.own_process = own_process;
        let caller = Caller {
            actor: detail.actor.clone(),
            layers: layers(Arc::new(detail.rights.clone()), &plugin, &installation),
            installation: Some(installation.name.clone()),
            run: Some(record.id.clone()),
        };
        let work = Work::new(tx, caller, detail.now, detail.date);
        let calls = Calls::recorded(detail.calls.clone());
        let (of, input) = ((&installation, &budget), detail.input.as_str().into());
        execute(self.runtime(), &plugin, work, of, &input, calls, None)
    }
}

impl Runner {
    fn compare(
        &self,
        tenant: TenantNo,
        run: &Id,
        recorded: &RecordedRun,
        end: End,
        tail: &Tail,
    ) -> Result<ReplayReport, RunnerError> {
        let detail = &recorded.detail;
        let (effects, output, error, fault) = match end {
            // How much room it would take in an entry only a commit tells.
            End::Ok(..) if detail.error.as_ref().is_some_and(|error| error.code() == "too-large") => {
                (Vec::new(), None, detail.error.clone(), None)
            }
            End::Ok(sealed, output) => (sealed.encoded_effects()?, Some(output.get().to_owned()), None, None),
            End::Refused(error) => (Vec::new(), None, Some(error), None),
            End::Failed(fault) => (Vec::new(), None, None, Some(fault)),
        };
        let (effects_identical, recorded_erased) = self.same_effects(tenant, recorded, &effects)?;
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
        // What is charged and what is logged may say how long a name is.
        let comparable = tail.erased.is_empty();
        if comparable && tail.fuel != detail.fuel {
            differs("fuel", &detail.fuel, &tail.fuel);
        }
        if tail.calls.left() > 0 {
            differs("requests to the outside", &detail.calls.len(), &tail.calls.made.len());
        }
        if tail.host_calls != detail.host_calls {
            differs("host calls", &detail.host_calls, &tail.host_calls);
        }
        if comparable && (&tail.log, tail.log_dropped) != (&detail.log, detail.log_dropped) {
            differs("log", &detail.log, &tail.log);
        }
        let asked = tail.erased.iter().map(|(worker, field)| ErasedField { worker: worker.clone(), field: *field });
        let erased: BTreeSet<_> = asked.chain(recorded_erased).collect();
        Ok(ReplayReport {
            run: run.clone(),
            identical: differences.is_empty(),
            effects_identical,
            output_identical,
            fuel_recorded: detail.fuel,
            fuel_replayed: tail.fuel,
            differences,
            erased: erased.into_iter().collect(),
        })
    }

    /// Whether the effects are the same, and which of their fields were not compared because they were erased since.
    fn same_effects(
        &self,
        tenant: TenantNo,
        recorded: &RecordedRun,
        now: &[Vec<u8>],
    ) -> Result<(bool, Vec<ErasedField>), RunnerError> {
        let fields = recorded.effects.iter().filter_map(effects::erased_fields).flat_map(|(worker, fields)| {
            fields.iter().map(|field| ErasedField { worker: worker.clone(), field: *field })
        });
        let fields: Vec<_> = fields.collect();
        if now == recorded.entry.effects {
            return Ok((true, fields));
        }
        // What was sealed with a key that is gone cannot be made again: both are looked at without it.
        let same = !fields.is_empty() && effects::decode_all(now, &self.store().seals(tenant))? == recorded.effects;
        Ok((same, fields))
    }
}

fn damaged(record: &RunRecord, what: &str) -> StoreError {
    StoreError::Corrupt {
        place: format!("the record of run {} (number {})", record.id, record.number),
        what: what.to_owned(),
    }
}
