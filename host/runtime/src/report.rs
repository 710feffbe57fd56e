//! What the caller of a run is told.

use backroom_domain::{BusinessDate, Effect, Error, Id, Instant};
use backroom_office::calls::{CallLine, Exchange};
use backroom_office::runs::{Fault, LogLine, RecordedRun};
use backroom_store::Hash;
use backroom_store::records::{RunRecord, RunStatus};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Whether a run may change anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Everything but the commit: the effects are a plan.
    DryRun,
    /// What it changed is kept if it returns ok.
    Commit,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// A dry run that would have been committed.
    Ok,
    /// Its effects are in the books.
    Committed,
    /// The plugin, or a rule of the end of a run, said no. Nothing was kept.
    Refused,
    /// It trapped or reached a limit. Nothing was kept.
    Failed,
}

/// Everything about a finished run. The same for a run that was just made and one that was recorded before.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RunReport {
    /// The run's id.
    pub id: Id,
    /// The installation that ran.
    pub installation: Id,
    /// The digest of its release.
    pub release: String,
    /// Dry run or commit.
    pub mode: Mode,
    /// How it ended.
    pub status: Status,
    /// The run's time.
    pub at: Instant,
    /// The day of the books it was for.
    pub date: BusinessDate,
    /// BLAKE3 of the input, as hexadecimal digits.
    pub input_hash: String,
    /// What the plugin returned, exactly as it wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub output: Option<Box<RawValue>>,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// What it changed, or would change, in order.
    pub effects: Vec<Effect>,
    /// Deterministic work: of the guest, and of host calls.
    pub fuel: u64,
    /// Host calls made.
    pub host_calls: u32,
    /// What the plugin wrote.
    pub log: Vec<LogLine>,
    /// Lines that went beyond the log's limit.
    pub log_dropped: u64,
    /// What it sent to the outside, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<CallLine>,
    /// Its place in the tenant's commit log; none for a dry run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// The hash of that place, as hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// `true` if the same request had been run before and nothing was done now.
    pub replayed: bool,
}

impl From<RunStatus> for Status {
    fn from(status: RunStatus) -> Self {
        match status {
            RunStatus::Committed => Self::Committed,
            RunStatus::Refused => Self::Refused,
            RunStatus::Failed => Self::Failed,
        }
    }
}

impl RunReport {
    /// The report of a run that is on record.
    pub fn recorded(record: RunRecord, run: RecordedRun) -> Self {
        let RecordedRun { entry, detail, effects } = run;
        Self {
            id: record.id,
            installation: detail.installation,
            release: detail.release,
            mode: Mode::Commit,
            status: detail.status.into(),
            at: detail.now,
            date: detail.date,
            input_hash: entry.input_hash.map(|hash| Hash(hash).to_string()).unwrap_or_default(),
            // It was JSON when it was recorded.
            output: detail.output.and_then(|output| RawValue::from_string(output).ok()),
            error: detail.error,
            fault: detail.fault,
            effects,
            fuel: detail.fuel,
            host_calls: detail.host_calls,
            log: detail.log,
            log_dropped: detail.log_dropped,
            calls: detail.calls.iter().map(Exchange::line).collect(),
            number: Some(entry.number),
            hash: Some(entry.hash.to_string()),
            replayed: true,
        }
    }
}
