//! Is the process alive, and can it serve? Neither route tells anything about anybody.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::problem::Problem;
use crate::service::Api;
use crate::session::{Answer, json};

/// The process lives. Touches neither store nor guests, so it answers whatever they do.
pub(crate) async fn live() -> Response {
    json(StatusCode::OK, br#"{"status":"alive"}"#.to_vec())
}

/// The store takes commits and runs would be stopped in time. Waits for nobody.
pub(crate) async fn ready(State(api): State<Api>) -> Answer {
    let open = api.current()?;
    match open.failed().or_else(|| open.workflows.unfit()) {
        None => Ok(json(StatusCode::OK, br#"{"status":"ready"}"#.to_vec())),
        Some(why) => {
            tracing::warn!(%why, "not ready");
            Err(Problem::unavailable("unavailable", "the service cannot serve now; its log says why", 2))
        }
    }
}
