//! Figures of this host since its start, for whoever operates it. Figures of the store are with the log.

use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::StatusCode;
use backroom_runtime::{CompileFigures, RunFigures};
use schemars::JsonSchema;
use serde::Serialize;

use crate::admission::AdmissionFigures;
use crate::auth::Admin;
use crate::problem::Problem;
use crate::service::Api;
use crate::session::{Answer, json};

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Figures {
    host: String,
    runs: RunFigures,
    /// How often a run or another write was done again because another host had committed for its tenant first, or had taken
    /// over its tenant's queue.
    conflicts: u64,
    admission: AdmissionFigures,
    compile: CompileFigures,
}

/// Asks neither store nor guests, so it answers whatever they do.
pub(crate) async fn show(Admin(_session): Admin, State(api): State<Api>) -> Answer {
    let workflows = &api.current()?.workflows;
    let (runs, compile) = (workflows.executed(), workflows.compiled());
    let conflicts = workflows.reruns().saturating_add(api.shared.conflicts.load(Ordering::Relaxed));
    let (host, admission) = (api.shared.host.clone(), api.shared.admission.figures());
    let figures = Figures { host, runs, conflicts, admission, compile };
    let body = serde_json::to_vec(&figures).map_err(|error| Problem::internal(&error))?;
    Ok(json(StatusCode::OK, body))
}
