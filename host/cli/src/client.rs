//! Every command is an HTTP request. It goes to a server, or to the same routes in this process with no socket between.

use std::fs::File;
use std::io::Write;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use axum::http::{Method, Request, StatusCode, header};
use backroom_server::Place;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::exit::{Failure, Result};
use crate::service::InProcess;

/// Nobody waits longer than this for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Verifying a large log takes minutes; a server that says nothing for longer is lost.
const ANSWER: Duration = Duration::from_secs(30 * 60);
/// The largest reply that is read: the longest page is some 500 KiB, a trial balance of 10,000 accounts 2 MiB.
const MAX_REPLY: u64 = 256 << 20;

/// The routes of a service.
pub(crate) struct Client(Way);

enum Way {
    Server { agent: ureq::Agent, base: String, key: Option<String> },
    InProcess(InProcess),
}

/// A successful reply.
pub(crate) struct Reply {
    /// The body as it came; JSON.
    pub(crate) text: String,
}

/// What is sent besides the path.
pub(crate) enum Body {
    /// JSON.
    Json(String),
    /// The bytes of a component.
    Wasm(Vec<u8>),
    /// The bytes of a file.
    Bytes(Vec<u8>),
    /// Files by name.
    Files(Vec<(String, Vec<u8>)>),
}

impl Client {
    /// Talks to the server at `base`.
    pub(crate) fn server(base: &str, key: Option<String>) -> Result<Self> {
        let uri: axum::http::Uri = base
            .parse()
            .map_err(|_| Failure::usage(format!("{base:?} is no address such as http://127.0.0.1:7420")))?;
        let (Some("http" | "https"), Some(host)) = (uri.scheme_str(), uri.host()) else {
            return Err(Failure::usage(format!("{base:?} is no address such as http://127.0.0.1:7420")));
        };
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(ANSWER));
        // This machine is reached directly, whatever proxy the environment names.
        if matches!(host, "127.0.0.1" | "localhost" | "[::1]") {
            config = config.proxy(None);
        }
        let agent = config.build().new_agent();
        Ok(Self(Way::Server { agent, base: base.trim_end_matches('/').to_owned(), key }))
    }

    /// Works on a data directory that no server holds, or on a database.
    pub(crate) fn place(place: &Place) -> Result<Self> {
        Ok(Self(Way::InProcess(InProcess::open(place)?)))
    }

    /// Reads.
    pub(crate) fn get(&self, path: &str) -> Result<Reply> {
        self.send(Method::GET, path, None)
    }

    /// Sends JSON.
    pub(crate) fn post(&self, path: &str, body: &impl Serialize) -> Result<Reply> {
        self.send(Method::POST, path, Some(json(body)?))
    }

    /// Sends JSON that replaces what is there.
    pub(crate) fn put(&self, path: &str, body: &impl Serialize) -> Result<Reply> {
        self.send(Method::PUT, path, Some(json(body)?))
    }

    /// Sends a file.
    pub(crate) fn upload(&self, path: &str, file: File) -> Result<Reply> {
        let request = Request::builder()
            .method(Method::POST)
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/octet-stream");
        let (status, text) = match &self.0 {
            Way::Server { agent, base, key } => {
                over_the_wire(agent, base, authorized(request, base, path, key, file)?)?
            }
            Way::InProcess(service) => service.upload(request.uri(path).body(()).map_err(Failure::usage)?, file)?,
        };
        match status.is_success() {
            true => Ok(Reply { text }),
            false => Err(Failure::from_reply(status.as_u16(), &text)),
        }
    }

    /// Sends JSON and writes the file that comes back.
    pub(crate) fn download(&self, path: &str, body: &impl Serialize, out: &mut dyn Write) -> Result {
        let body = serde_json::to_vec(body).context("cannot write the request as JSON")?;
        let request = Request::builder().method(Method::POST).header(header::CONTENT_TYPE, "application/json");
        self.receive(request, path, body, out)
    }

    /// Asks for a file and writes it.
    pub(crate) fn fetch(&self, path: &str, out: &mut dyn Write) -> Result {
        self.receive(Request::builder().method(Method::GET), path, Vec::new(), out)
    }

    fn receive(&self, request: axum::http::request::Builder, path: &str, body: Vec<u8>, out: &mut dyn Write) -> Result {
        let (status, text) = match &self.0 {
            Way::Server { agent, base, key } => {
                let mut reply = sent(agent, base, authorized(request, base, path, key, body)?)?;
                if !reply.status().is_success() {
                    let status = reply.status();
                    let text = reply.body_mut().read_to_string().unwrap_or_default();
                    return Err(Failure::from_reply(status.as_u16(), &text));
                }
                std::io::copy(&mut reply.body_mut().as_reader(), out).context("the file did not come whole")?;
                return Ok(());
            }
            Way::InProcess(service) => service.download(request.uri(path).body(body).map_err(Failure::usage)?, out)?,
        };
        match status.is_success() {
            true => Ok(()),
            false => Err(Failure::from_reply(status.as_u16(), &text)),
        }
    }

    /// Sends one request. Whatever is no success is a [`Failure`].
    pub(crate) fn send(&self, method: Method, path: &str, body: Option<Body>) -> Result<Reply> {
        let (kind, bytes) = match body {
            None => (None, Vec::new()),
            Some(Body::Json(text)) => (Some("application/json".to_owned()), text.into_bytes()),
            Some(Body::Wasm(bytes)) => (Some("application/wasm".to_owned()), bytes),
            Some(Body::Bytes(bytes)) => (Some("application/octet-stream".to_owned()), bytes),
            Some(Body::Files(files)) => {
                let (boundary, bytes) = multipart(&files)?;
                (Some(format!("multipart/form-data; boundary={boundary}")), bytes)
            }
        };
        let mut request = Request::builder().method(method).header(header::ACCEPT, "application/json");
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        let (status, text) = match &self.0 {
            Way::Server { agent, base, key } => {
                over_the_wire(agent, base, authorized(request, base, path, key, bytes)?)?
            }
            Way::InProcess(service) => {
                let request = request.uri(path).body(bytes).map_err(|e| Failure::usage(e.to_string()))?;
                service.call(request)?
            }
        };
        match status.is_success() {
            true => Ok(Reply { text }),
            false => Err(Failure::from_reply(status.as_u16(), &text)),
        }
    }
}

/// A request to the server, with the key.
fn authorized<B>(
    mut request: axum::http::request::Builder,
    base: &str,
    path: &str,
    key: &Option<String>,
    body: B,
) -> Result<Request<B>> {
    if let Some(key) = key {
        request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
    }
    request.uri(format!("{base}{path}")).body(body).map_err(Failure::usage)
}

fn told(base: &str, error: &ureq::Error) -> anyhow::Error {
    anyhow!(
        "{base} does not answer: {error}. Is the server running (`backroom serve --data DIR`)? \
         `--server URL` names another one, `--data DIR` works without one"
    )
}

fn sent(
    agent: &ureq::Agent,
    base: &str,
    request: Request<impl ureq::AsSendBody>,
) -> Result<axum::http::Response<ureq::Body>> {
    Ok(agent.run(request).map_err(|error| told(base, &error))?)
}

fn over_the_wire(
    agent: &ureq::Agent,
    base: &str,
    request: Request<impl ureq::AsSendBody>,
) -> Result<(StatusCode, String)> {
    let mut reply = sent(agent, base, request)?;
    let text = reply.body_mut().with_config().limit(MAX_REPLY).read_to_string();
    Ok((reply.status(), text.map_err(|error| told(base, &error))?))
}

impl Reply {
    /// The body as a value of ours.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T> {
        let what = "the service's reply is not as expected; are client and server of the same version?";
        Ok(serde_json::from_str(&self.text).context(what)?)
    }
}

fn json(body: &impl Serialize) -> Result<Body> {
    Ok(Body::Json(serde_json::to_string(body).context("cannot write the request as JSON")?))
}

/// A path out of segments, each of them escaped: ids may hold a slash.
pub(crate) fn path(segments: &[&str]) -> String {
    segments.iter().map(|segment| format!("/{}", escape(segment))).collect()
}

/// A path with a query; values that are `None` are left out.
pub(crate) fn query(path: &str, pairs: &[(&str, Option<String>)]) -> String {
    let set = pairs.iter().filter_map(|(name, value)| Some(format!("{name}={}", escape(value.as_deref()?))));
    let set = set.collect::<Vec<_>>().join("&");
    if set.is_empty() { path.to_owned() } else { format!("{path}?{set}") }
}

/// Percent-encodes everything but the unreserved characters of RFC 3986.
fn escape(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// A `multipart/form-data` body (RFC 7578), one part a file, and its boundary.
fn multipart(files: &[(String, Vec<u8>)]) -> Result<(String, Vec<u8>)> {
    // Made longer until it stands in no file.
    let mut boundary = "backroom-form".to_owned();
    while files.iter().any(|(_, bytes)| bytes.windows(boundary.len()).any(|window| window == boundary.as_bytes())) {
        boundary.push('-');
        if boundary.len() > 70 {
            return Err(Failure::usage("these files cannot be sent: they hold every boundary that could part them"));
        }
    }
    let mut body = Vec::new();
    for (name, bytes) in files {
        let name: String = name.chars().filter(|c| !c.is_control() && *c != '"' && *c != '\\').collect();
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\nContent-Type: text/csv\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok((boundary, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_and_values_are_escaped() {
        assert_eq!(path(&["v1", "runs", "a/b:c d"]), "/v1/runs/a%2Fb%3Ac%20d");
        let limit = Some("5".to_owned());
        assert_eq!(
            query("/x", &[("limit", limit), ("cursor", None), ("a", Some("1&2".to_owned()))]),
            "/x?limit=5&a=1%262"
        );
        assert_eq!(query("/x", &[("cursor", None)]), "/x");
    }

    #[test]
    fn a_boundary_never_stands_in_a_file() {
        let files = vec![("a.csv".to_owned(), b"x--backroom-form\r\n".to_vec())];
        let (boundary, body) = multipart(&files).unwrap();
        assert_eq!(boundary, "backroom-form-");
        let body = String::from_utf8(body).unwrap();
        assert!(
            body.starts_with(
                "--backroom-form-\r\nContent-Disposition: form-data; name=\"a.csv\"; filename=\"a.csv\"\r\n"
            )
        );
        assert!(body.ends_with("\r\n--backroom-form---\r\n"));
    }
}
