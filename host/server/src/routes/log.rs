//! The commit log: its state, and the proof that it is whole.

use backroom_domain::Instant;
use backroom_store::{Problem, Status, TenantNo, VerifyReport};
use schemars::JsonSchema;
use serde::Serialize;

use crate::admission::Task;
use crate::auth::Admin;
use crate::keeper::Open;
use crate::session::Answer;

/// Figures of the store.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Figures {
    durable: u64,
    sequenced: u64,
    applied: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    syncs: u64,
    overlay_bytes: usize,
    pending_bytes: usize,
    snapshots: usize,
    log_bytes: u64,
    state_bytes: u64,
    checkpoint_bytes: u64,
    /// The state on the disk in percent of the records in it, as far as both are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    state_percent: Option<u64>,
    logical_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    compacted_at: Option<Instant>,
    free_bytes: u64,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Report {
    sound: bool,
    revision: u64,
    segments: u64,
    entries: u64,
    bytes: u64,
    state_compared: bool,
    chains: Vec<Chain>,
    problems: Vec<Found>,
    unlisted: u64,
}

/// The end of a tenant's chain as the log gives it. Tenant 0 is the provider.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Chain {
    tenant: u32,
    entries: u64,
    hash: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Found {
    #[serde(skip_serializing_if = "Option::is_none")]
    segment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u64>,
    message: String,
}

impl From<Status> for Figures {
    fn from(status: Status) -> Self {
        Self {
            durable: status.durable,
            sequenced: status.sequenced,
            applied: status.applied,
            failed: status.failed,
            held: status.held,
            warnings: status.warnings,
            syncs: status.syncs,
            overlay_bytes: status.overlay_bytes,
            pending_bytes: status.pending_bytes,
            snapshots: status.snapshots,
            log_bytes: status.log_bytes,
            state_bytes: status.state_bytes,
            checkpoint_bytes: status.checkpoint_bytes,
            state_percent: status.state_bytes.saturating_mul(100).checked_div(status.logical_bytes),
            logical_bytes: status.logical_bytes,
            compacted_at: status.compacted_at,
            free_bytes: status.free_bytes,
        }
    }
}

impl From<VerifyReport> for Report {
    fn from(report: VerifyReport) -> Self {
        let chain = |(tenant, head): (&TenantNo, &backroom_store::Head)| Chain {
            tenant: tenant.0,
            entries: head.number,
            hash: head.hash.to_string(),
        };
        Self {
            sound: report.is_sound(),
            revision: report.revision,
            segments: report.segments,
            entries: report.entries,
            bytes: report.bytes,
            state_compared: report.state_compared,
            chains: report.heads.iter().map(chain).collect(),
            problems: report.problems.into_iter().map(Found::from).collect(),
            unlisted: report.unlisted,
        }
    }
}

impl From<Problem> for Found {
    fn from(problem: Problem) -> Self {
        let message = problem.to_string();
        let Problem { segment, offset, revision, tenant, number, what: _ } = problem;
        Self { segment, offset, revision, tenant: tenant.map(|tenant| tenant.0), number, message }
    }
}

/// Reads the whole log at least twice. Takes the provider's turn, so that two never run side by side; tenants go on.
pub(crate) async fn verify(Admin(session): Admin) -> Answer {
    let verify = |open: &Open| Ok(Report::from(open.office.store().verify(&mut |_| {})?));
    session.take(TenantNo::PROVIDER, Task::Write, verify).await
}

pub(crate) async fn status(Admin(session): Admin) -> Answer {
    session.read(TenantNo::PROVIDER, |open| Ok(Figures::from(open.office.store().status()))).await
}
