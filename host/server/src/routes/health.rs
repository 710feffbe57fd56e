//! Is the process alive, and can it serve? Neither route tells anything about anybody.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;

use crate::problem::Problem;
use crate::service::Api;
use crate::session::{Answer, json};

/// How the service is.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Health {
    /// `alive`, or `ready`.
    status: &'static str,
}

fn healthy(status: &'static str) -> Response {
    json(StatusCode::OK, serde_json::to_vec(&Health { status }).unwrap_or_default())
}

/// The process lives. Touches neither store nor guests, so it answers whatever they do.
pub(crate) async fn live() -> Response {
    healthy("alive")
}

/// The store takes commits and runs would be stopped in time. Waits for nobody.
pub(crate) async fn ready(State(api): State<Api>) -> Answer {
    let open = api.current()?;
    match open.failed().or_else(|| open.workflows.unfit()) {
        None => Ok(healthy("ready")),
        Some(why) => {
            tracing::warn!(%why, "not ready");
            Err(Problem::unavailable("unavailable", "the service cannot serve now; its log says why", 2))
        }
    }
}
