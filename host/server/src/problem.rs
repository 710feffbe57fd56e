//! Errors as the outside sees them: problem details (RFC 9457) with our codes.
//!
//! There are two messages: `detail` goes to the caller, what happened inside goes to the log and only there. A handler
//! returns a [`Problem`]; the outermost layer writes it out, because only that layer knows the request's id. Errors that
//! axum makes by itself (an unknown path, a wrong method) are turned into problems there as well.

use std::borrow::Cow;

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use backroom_domain::{Class, Error};
use backroom_store::StoreError;
use backroom_store::backup::BackupError;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::value::RawValue;

/// The code of what another host came before.
const CONFLICT: &str = "conflict";

/// The namespace of the problem types; the code follows.
pub(crate) const TYPE_PREFIX: &str = "urn:backroom:problem:";

/// Why a request was not answered as asked.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) class: Class,
    pub(crate) code: Cow<'static, str>,
    pub(crate) detail: String,
    pub(crate) errors: Vec<Reason>,
    /// The report of the run that failed or was refused.
    pub(crate) run: Option<Box<RawValue>>,
    /// Seconds.
    pub(crate) retry_after: Option<u32>,
}

/// One independent reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Reason {
    pub(crate) code: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) field: Option<String>,
    /// For imports: where in the file, both counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
    pub(crate) message: String,
}

/// Problem details (RFC 9457).
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "ProblemDetails")]
struct Body<'a> {
    /// `urn:backroom:problem:` and the code.
    r#type: String,
    /// The code as words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// For people: what is wrong.
    detail: &'a str,
    /// The code of the first reason.
    code: &'a str,
    /// What to do.
    class: Class,
    /// All independent reasons.
    errors: &'a [Reason],
    /// The report of the run that failed or was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    run: Option<&'a RawValue>,
    /// What the service's log calls the request.
    request_id: &'a str,
}

/// The schema of every problem.
pub(crate) fn schema(schemas: &mut SchemaGenerator) -> serde_json::Value {
    schemas.subschema_for::<Body<'_>>().to_value()
}

impl Reason {
    pub(crate) fn new(code: impl Into<Cow<'static, str>>, field: Option<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), field, line: None, file: None, message: message.into() }
    }
}

impl Problem {
    /// With one reason, which is the problem itself.
    pub(crate) fn new(
        status: StatusCode,
        class: Class,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
    ) -> Self {
        let (code, detail) = (code.into(), detail.into());
        let errors = vec![Reason::new(code.clone(), None, detail.clone())];
        Self { status, class, code, detail, errors, run: None, retry_after: None }
    }

    pub(crate) fn invalid(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(status, Class::Invalid, code, detail)
    }

    /// The service cannot do it now.
    pub(crate) fn unavailable(code: &'static str, detail: impl Into<String>, retry_after: u32) -> Self {
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, Class::Unavailable, code, detail);
        Self { retry_after: Some(retry_after), ..problem }
    }

    /// The caller has more under way than it may have.
    pub(crate) fn too_many(detail: impl Into<String>) -> Self {
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, Class::Unavailable, "too-many-requests", detail);
        Self { retry_after: Some(2), ..problem }
    }

    pub(crate) fn unauthenticated(detail: &'static str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, Class::Denied, "unauthenticated", detail)
    }

    pub(crate) fn too_large(field: Option<String>, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let errors = vec![Reason::new("too-large", field, detail.clone())];
        Self { errors, ..Self::invalid(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail) }
    }

    /// A fault of the service itself. `cause` is for the log; the caller learns only that it happened.
    pub(crate) fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "internal error");
        let detail = "the service failed to answer; its log has the cause under this request id";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Class::Unavailable, "internal", detail)
    }

    /// The problem body, as `request_id` saw it.
    pub(crate) fn write(&self, request_id: &str) -> Response {
        let body = Body {
            r#type: format!("{TYPE_PREFIX}{}", self.code),
            title: title(&self.code),
            status: self.status.as_u16(),
            detail: &self.detail,
            code: &self.code,
            class: self.class,
            errors: &self.errors,
            run: self.run.as_deref(),
            request_id,
        };
        let mut response = (self.status, serde_json::to_vec(&body).unwrap_or_default()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"backroom\""));
        }
        response
    }

    /// Another host committed for the tenant first, and nothing was kept: the same again may do.
    pub(crate) fn is_conflict(&self) -> bool {
        self.code == CONFLICT
    }

    /// For an error that axum answered by itself, without a problem.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => {
                Self::new(status, Class::NotFound, "not-found", "there is nothing under this path")
            }
            StatusCode::METHOD_NOT_ALLOWED => {
                Self::invalid(status, "method-not-allowed", "this path is there, but not for this method")
            }
            StatusCode::PAYLOAD_TOO_LARGE => Self::too_large(None, "the body is larger than this path takes"),
            other if other.is_server_error() => Self::internal(&format_args!("an answer {other} without a problem")),
            other => Self::invalid(other, "request-invalid", "the request is malformed"),
        }
    }
}

/// The code as words: the title of a problem type never changes from one occurrence to the next.
fn title(code: &str) -> String {
    let words = code.replace('-', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What HTTP says for a class.
fn status_of(class: Class) -> StatusCode {
    match class {
        Class::Invalid | Class::Refused => StatusCode::UNPROCESSABLE_ENTITY,
        Class::Denied => StatusCode::FORBIDDEN,
        Class::NotFound => StatusCode::NOT_FOUND,
        Class::Conflict => StatusCode::CONFLICT,
        Class::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let code = Cow::Owned(error.code().to_owned());
        let detail = match error.problems.as_slice() {
            [] => error.class.to_string(),
            [only] => only.message.clone(),
            [first, rest @ ..] => format!("{} (and {} more)", first.message, rest.len()),
        };
        let reason = |p: backroom_domain::Problem| Reason::new(p.code, p.field, p.message);
        Self {
            status: status_of(error.class),
            class: error.class,
            code,
            detail,
            errors: error.problems.into_iter().map(reason).collect(),
            run: None,
            retry_after: (error.class == Class::Unavailable).then_some(1),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                tracing::warn!(%error, "the store does not answer");
                let detail = "no changes are taken now: the store is out of room, or is being opened again; send the same \
                              again, with the same id: it is done at most once";
                Self::unavailable("unavailable", detail, 2)
            }
            StoreError::Busy(_) | StoreError::Expired => {
                tracing::warn!(%error, "the store is busy");
                Self::unavailable("busy", "the service is busy; nothing was kept, try again", 1)
            }
            StoreError::Conflict => {
                let detail = "another writer was first; nothing was kept, try again";
                Self { retry_after: Some(1), ..Self::new(StatusCode::CONFLICT, Class::Conflict, CONFLICT, detail) }
            }
            StoreError::TooLarge { what, size, limit } => {
                let detail = format!("{what} has {size}, the limit is {limit}; nothing was kept");
                Self::invalid(StatusCode::UNPROCESSABLE_ENTITY, "too-large", detail)
            }
            // Whoever asks about people may know, and somebody has to: the cure is not in the service's hands.
            StoreError::KeysMissing { .. } => {
                tracing::error!(%error, "keys are missing");
                Self::unavailable("keys-missing", error.to_string(), 60)
            }
            StoreError::ReadOnly
            | StoreError::Corrupt { .. }
            | StoreError::Locked { .. }
            | StoreError::Codec { .. }
            | StoreError::Io { .. } => Self::internal(&error),
        }
    }
}

/// Only administrators ask for what ends so: they may know what happened inside.
impl From<BackupError> for Problem {
    fn from(error: BackupError) -> Self {
        let detail = error.to_string();
        let (status, class, code) = match error {
            BackupError::Store(StoreError::Corrupt { .. }) => {
                (StatusCode::INTERNAL_SERVER_ERROR, Class::Unavailable, "log-damaged")
            }
            BackupError::Store(error) => return error.into(),
            BackupError::Io { .. } => return Self::unavailable("vault-unavailable", detail, 30),
            BackupError::Damaged { .. } => (StatusCode::UNPROCESSABLE_ENTITY, Class::Invalid, "object-damaged"),
            BackupError::Newer { .. } => (StatusCode::UNPROCESSABLE_ENTITY, Class::Invalid, "format-newer"),
            BackupError::Foreign { .. } => (StatusCode::CONFLICT, Class::Conflict, "backup-foreign"),
            BackupError::Nothing(_)
            | BackupError::Moment(_)
            | BackupError::NotEmpty { .. }
            | BackupError::UnderWay(_) => (StatusCode::UNPROCESSABLE_ENTITY, Class::Refused, "nothing-to-do"),
            BackupError::Component { .. } => (StatusCode::UNPROCESSABLE_ENTITY, Class::Refused, "component-unusable"),
        };
        Self::new(status, class, code, detail)
    }
}

impl IntoResponse for Problem {
    /// The outermost layer finds the problem in the response and writes it.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_keys_are_said_with_what_to_do() {
        let person = backroom_domain::Id::parse("W-1016", "worker").unwrap();
        let problem = Problem::from(StoreError::KeysMissing { tenant: backroom_store::TenantNo(3), person });
        assert_eq!((problem.status, problem.class), (StatusCode::SERVICE_UNAVAILABLE, Class::Unavailable));
        assert_eq!(problem.code, "keys-missing");
        assert!(problem.detail.contains("W-1016") && problem.detail.contains("put the copy of the folder `keys` back"));
    }
}
