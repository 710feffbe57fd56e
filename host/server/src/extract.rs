//! Bodies, queries and ids of paths, with problems instead of axum's plain texts.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, RawPathParams, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use backroom_domain::{BusinessDate, Class, Error, Id};
use backroom_office::PageRequest;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::problem::{Problem, Reason};
use crate::service::Api;

/// Items of a page if the caller does not say.
const DEFAULT_LIMIT: u32 = 100;

/// A JSON body of at most [`crate::ServiceLimits::json_bytes`].
pub(crate) struct Json<T>(pub(crate) T);

/// The last id of the path, percent-decoded: ids may hold `/` and `:`.
pub(crate) struct PathId(pub(crate) Id);

/// The last part of the path as it is, percent-decoded.
pub(crate) struct PathText(pub(crate) String);

/// Folder and path of a file, percent-decoded: the last two parts of the path.
pub(crate) struct PathFile(pub(crate) String, pub(crate) String);

/// Account and line of a bank line, percent-decoded.
pub(crate) struct PathLine(pub(crate) Id, pub(crate) Id);

/// The query string. Unknown names are refused, so that a misspelt filter does not show everything.
pub(crate) struct Asked<T>(pub(crate) T);

/// The query of a list without filters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Paging {
    /// The `next` of the page before.
    cursor: Option<String>,
    /// Items of a page, 1 to 500; 100 if not said.
    limit: Option<u32>,
}

impl Paging {
    pub(crate) fn page(self) -> PageRequest {
        page_of(self.cursor, self.limit)
    }
}

/// A page request out of two query parameters.
pub(crate) fn page_of(cursor: Option<String>, limit: Option<u32>) -> PageRequest {
    PageRequest { cursor, limit: limit.unwrap_or(DEFAULT_LIMIT) }
}

/// The query of a balance.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct AsOf {
    pub(crate) as_of: Option<BusinessDate>,
}

impl<T: DeserializeOwned> FromRequest<Api> for Json<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let is_json =
            |value: &str| value.split(';').next().is_some_and(|t| t.trim().eq_ignore_ascii_case("application/json"));
        let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !content_type.is_some_and(is_json) {
            let detail = "send the body as `Content-Type: application/json`";
            return Err(Problem::invalid(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type-unsupported", detail));
        }
        let bytes = bytes(request, api.shared.limits.json_bytes, api).await?;
        let mut input = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut input).map_err(|error| body_problem(&error))?;
        input.end().map_err(|error| malformed(&error))?;
        Ok(Self(value))
    }
}

/// The body, if it arrives in time and is no longer than `limit`.
pub(crate) async fn bytes(request: Request, limit: usize, api: &Api) -> Result<Bytes, Problem> {
    let too_large = || Problem::too_large(None, format!("the body is larger than {limit} bytes"));
    let announced =
        request.headers().get(axum::http::header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > limit) {
        return Err(too_large());
    }
    match tokio::time::timeout(api.shared.limits.receive_time, axum::body::to_bytes(request.into_body(), limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_too_long(&error) => Err(too_large()),
        Ok(Err(_)) => {
            Err(Problem::invalid(StatusCode::BAD_REQUEST, "body-incomplete", "the body ended before its end"))
        }
        Err(_) => Err(too_slow()),
    }
}

fn is_too_long(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.to_string().contains("length limit"))
}

/// The body did not arrive in time.
pub(crate) fn too_slow() -> Problem {
    Problem::invalid(StatusCode::REQUEST_TIMEOUT, "body-too-slow", "the body did not arrive in time")
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::invalid(StatusCode::BAD_REQUEST, "json-malformed", format!("the body is not JSON: {error}"))
}

/// Malformed JSON is 400; JSON that does not say what it should is 422, with the field.
fn body_problem(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    if matches!(error.inner().classify(), Category::Syntax | Category::Eof | Category::Io) {
        return malformed(error.inner());
    }
    let path = error.path().to_string();
    let field = (path != ".").then_some(path);
    let detail = said(error.inner());
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let problem = Problem::new(status, Class::Invalid, "body-invalid", detail.clone());
    Problem { errors: vec![Reason::new("body-invalid", field, detail)], ..problem }
}

/// What is wrong, once: the field is said beside it, so neither the place in the text nor the field that a type of ours names is needed.
fn said(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let text = text.strip_suffix(&place).unwrap_or(&text);
    let own = text.strip_prefix("invalid: ").and_then(|own| own.split_once(": ")?.1.rsplit_once(" ("));
    own.map_or(text, |(message, _code)| message).to_owned()
}

impl FromRequestParts<Api> for PathText {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, api).await;
        let params = params.map_err(|_| Problem::of_status(StatusCode::NOT_FOUND))?;
        let last = params.iter().last().map(|(_, value)| value.to_owned());
        last.map(Self).ok_or_else(|| Problem::internal(&"the route has no parameter"))
    }
}

impl FromRequestParts<Api> for PathLine {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, api).await;
        let params = params.map_err(|_| Problem::of_status(StatusCode::NOT_FOUND))?;
        let value = |wanted: &str| params.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.to_owned());
        match (value("account"), value("line")) {
            (Some(account), Some(line)) => Ok(Self(Id::parse(&account, "account")?, Id::parse(&line, "line")?)),
            _ => Err(Problem::internal(&"the route has no account and line")),
        }
    }
}

impl FromRequestParts<Api> for PathFile {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, api).await;
        let params = params.map_err(|_| Problem::of_status(StatusCode::NOT_FOUND))?;
        let value = |wanted: &str| params.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.to_owned());
        match (value("folder"), value("path")) {
            (Some(folder), Some(path)) => Ok(Self(folder, path)),
            _ => Err(Problem::internal(&"the route has no folder and path")),
        }
    }
}

impl FromRequestParts<Api> for PathId {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let PathText(text) = PathText::from_request_parts(parts, api).await?;
        Ok(Self(Id::parse(&text, "id")?))
    }
}

impl<T: DeserializeOwned> FromRequestParts<Api> for Asked<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        match Query::from_request_parts(parts, api).await {
            Ok(Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(Error::new(Class::Invalid, "query-invalid", rejection.body_text()).into()),
        }
    }
}
