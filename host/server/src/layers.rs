//! What surrounds every route: request ids, tracing, the time limit, panics, and the writing of problems.

use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::problem::Problem;
use crate::routes;
use crate::service::Api;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Puts the layers around `router`.
pub(crate) fn around(router: Router, api: Api) -> Router {
    router.layer(CatchPanicLayer::custom(panicked)).layer(middleware::from_fn_with_state(api, surround))
}

/// The outermost layer.
async fn surround(State(api): State<Api>, request: Request, next: Next) -> Response {
    // Always our own: what a caller sends would stand in our log.
    let id = Uuid::now_v7().to_string();
    // The pattern, not the path: ids in paths can be personal data.
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("request", id = %id, method = %request.method(), route = %route);
    // On a directory of one's own, whoever asks waits: verifying a long log takes as long as it takes. So does what is about
    // a whole log; a body of theirs has limits of its own.
    let limit = if api.local || routes::LONG.contains(&route.as_str()) {
        Duration::MAX
    } else {
        api.shared.limits.request_time
    };
    let answered = async move {
        let began = Instant::now();
        let answered = tokio::time::timeout(limit, next.run(request)).await;
        let response = answered.unwrap_or_else(|_| out_of_time().into_response());
        let (status, ms) = (response.status().as_u16(), began.elapsed().as_millis());
        tracing::info!(status, ms, "answered");
        response
    };
    let response = answered.instrument(span.clone()).await;
    let _in_span = span.enter();
    let mut response = written(response, &id);
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, value);
    }
    // Books and people are nothing for caches.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Writes the problem that a response carries; an error without one gets one.
fn written(mut response: Response, id: &str) -> Response {
    let status = response.status();
    match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem.write(id),
        None if status.is_client_error() || status.is_server_error() => {
            let mut written = Problem::of_status(status).write(id);
            // Such as `allow` of 405.
            for (name, value) in response.headers() {
                written.headers_mut().entry(name).or_insert_with(|| value.clone());
            }
            written
        }
        None => response,
    }
}

fn out_of_time() -> Problem {
    let detail = "the answer took too long; what was asked may still be done: repeat it with the same id to learn what became of it";
    Problem { retry_after: Some(5), ..Problem::unavailable("timeout", detail, 5) }
}

fn panicked(panic: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    Problem::internal(&format_args!("a panic: {}", text.unwrap_or_default())).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_to_the_log_alone() {
        for panic in [Box::new("the inside") as Box<dyn std::any::Any + Send>, Box::new("the inside".to_owned())] {
            let response = written(panicked(panic), "id");
            assert_eq!(response.status().as_u16(), 500);
            assert!(response.extensions().get::<Problem>().is_none());
        }
        let Some(problem) = panicked(Box::new("the inside")).extensions_mut().remove::<Problem>() else {
            panic!("a panic is no problem");
        };
        assert!(!problem.detail.contains("inside") && problem.code == "internal");
    }
}
