//! Which codes a route can refuse with, and the status that goes with each.

use std::collections::{BTreeMap, BTreeSet};

use super::text::{Answer, Body, Text};
use crate::auth::Access;
use crate::routes::Route;

/// The codes of each status.
pub(super) type Codes = BTreeMap<u16, BTreeSet<&'static str>>;

/// Every code that the route can answer with.
pub(super) fn of(route: &Route, text: &Text) -> Codes {
    let mut codes = Codes::new();
    for code in common(route, text).into_iter().flat_map(|list| list.split(' ')).chain(text.codes.iter().copied()) {
        let (code, status) = match code.split_once('@') {
            Some((code, status)) => (code, status.parse().unwrap_or(422)),
            None => (code, usual(code)),
        };
        codes.entry(status).or_default().insert(code);
    }
    codes
}

/// What goes with the form of the route.
fn common(route: &Route, text: &Text) -> Vec<&'static str> {
    let mut lists = vec!["internal"];
    let path = route.path;
    if route.access == Access::Open {
        return if path == "/readyz" { vec!["internal unavailable"] } else { lists };
    }
    lists.push("unauthenticated busy unavailable timeout too-many-requests");
    if matches!(route.access, Access::Admin | Access::Write) {
        lists.push("role-denied");
    }
    if path.contains("{tenant}") {
        lists.push("not-found keys-missing");
    }
    if path.contains("{code}") || path.contains("{id}") || path.contains("{name}") || path.contains("{account}") {
        lists.push("id-invalid");
    }
    if text.query.is_some() {
        lists.push("query-invalid");
    }
    match text.body {
        Body::None => {}
        Body::Json(..) => lists.push(
            "json-malformed body-incomplete body-too-slow too-large media-type-unsupported body-invalid request-invalid",
        ),
        Body::Bytes(..) => lists.push("body-incomplete body-too-slow too-large"),
        Body::Files(_) => lists.push("multipart-malformed body-too-slow too-large file-too-large@413"),
    }
    if text.method != "get" {
        // Of the store: one commit is too large for it.
        lists.push("conflict too-large@422");
    }
    if matches!(text.answer, Answer::Bytes(..)) {
        lists.push("no-room");
    }
    lists
}

/// The status that goes with a code, as the class of most errors with it has it.
fn usual(code: &str) -> u16 {
    match code {
        "json-malformed" | "body-incomplete" | "multipart-malformed" | "request-invalid" => 400,
        "unauthenticated" => 401,
        "not-found" => 404,
        "body-too-slow" => 408,
        "conflict"
        | "exists-with-different"
        | "version-conflict"
        | "id-already-failed"
        | "duplicate-reference"
        | "tenant-exists"
        | "backup-foreign" => 409,
        "too-large" => 413,
        "media-type-unsupported" => 415,
        "too-many-requests" => 429,
        "internal" | "log-damaged" => 500,
        "busy"
        | "unavailable"
        | "keys-missing"
        | "timeout"
        | "vault-unavailable"
        | "no-room"
        | "release-damaged"
        | "compiler-unavailable" => 503,
        code if code.ends_with("-denied") => 403,
        code if code.ends_with("-not-found") => 404,
        _ => 422,
    }
}
