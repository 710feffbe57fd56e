//! A request that may be sent: its form is checked and every right to it is there.

use std::collections::BTreeSet;

use backroom_domain::outbound::{Method, Outward};
use backroom_domain::rights::Layers;
use backroom_domain::{Error, Id, Problem, Result};
use backroom_office::calls::Request;
use url::Url;

use super::secrets;

const MAX_URL: usize = 4 << 10;
const MAX_HEADERS: usize = 32;
const MAX_HEADER_BYTES: usize = 16 << 10;
const MAX_TIMEOUT_MS: u32 = 30_000;

/// Headers that are the host's own: what belongs to the connection, and to where it goes.
const OWN: [&str; 13] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "upgrade",
    "te",
    "trailer",
    "expect",
    "proxy-authorization",
    "proxy-connection",
    "http2-settings",
    "accept-encoding",
];

/// A request whose form and rights were checked.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    pub(super) url: Url,
    pub(super) method: Method,
    /// The secrets that it names.
    pub(super) secrets: BTreeSet<Id>,
}

impl Checked {
    /// # Errors
    /// In order: `url-invalid` (alone: without it no right can be looked at); `http-denied`, `secret-denied`; `header-invalid`,
    /// `body-invalid`, `timeout-invalid`, together.
    pub(crate) fn of(request: &Request, rights: Layers<'_>) -> Result<Self> {
        let url = parse(&request.url)?;
        let mut problems = Vec::new();
        let secrets = secrets::named(request, &mut problems);
        rights.check_http(&outward(&url, request.method), &secrets)?;
        check_headers(&request.headers, &mut problems);
        if !request.body.is_empty() && matches!(request.method, Method::Get | Method::Head | Method::Delete) {
            problems.push(Error::problem("body-invalid", "body", format!("{} has no body", request.method)));
        }
        if !(1..=MAX_TIMEOUT_MS).contains(&request.timeout_ms) {
            let message = format!("1 to {MAX_TIMEOUT_MS} milliseconds, not {}", request.timeout_ms);
            problems.push(Error::problem("timeout-invalid", "timeout-ms", message));
        }
        Error::all(problems)?;
        Ok(Self { url, method: request.method, secrets })
    }
}

/// An address that a request can go to.
pub(super) fn parse(text: &str) -> Result<Url> {
    let invalid = |why: &str| Error::invalid("url-invalid", "url", format!("this is no address to send to: {why}"));
    if text.len() > MAX_URL {
        return Err(invalid("it has more than 4 KiB"));
    }
    // The parser forgives blanks, tabs and line ends, and takes a backslash for a slash. Nobody else should have to guess.
    if text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(invalid("it has a blank, a control character or a backslash"));
    }
    // So it does with too many slashes, and with too few.
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    if rest.is_none_or(|rest| rest.starts_with('/')) {
        return Err(invalid("it begins with https:// (or http://) and a host"));
    }
    let url = Url::parse(text).map_err(|why| invalid(&why.to_string()))?;
    check(&url).map_err(invalid)?;
    Ok(url)
}

/// The same rules for where a redirect leads.
pub(super) fn check(url: &Url) -> std::result::Result<(), &'static str> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err("it begins with https:// (or http://)");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a user or password in it would stand in every log");
    }
    if url.fragment().is_some() {
        return Err("a part behind # is never sent");
    }
    let host = url.host_str().unwrap_or_default();
    if host.is_empty() || host.ends_with('.') {
        return Err("it has no host, or one that ends with a dot");
    }
    if url.as_str().len() > MAX_URL {
        return Err("it has more than 4 KiB");
    }
    if hides_dots(url.path()) {
        return Err("its path has dot segments behind percent signs, which would lead out of what is granted");
    }
    Ok(())
}

/// Whether the other side could find `..` in the path once it takes it apart.
fn hides_dots(path: &str) -> bool {
    let mut bytes = path.bytes();
    let mut plain = Vec::with_capacity(path.len());
    while let Some(byte) = bytes.next() {
        let mut digit = || bytes.next().and_then(|b| char::from(b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
        match byte {
            b'%' => match (digit(), digit()) {
                (Some(high), Some(low)) => plain.push(high << 4 | low),
                // It stays as it is, and means nothing.
                _ => return true,
            },
            other => plain.push(other),
        }
    }
    // Some servers cut a segment at its semicolon, and some take percent signs apart twice.
    let name = |segment: &[u8]| segment.split(|b| *b == b';').next().unwrap_or_default().to_vec();
    let twice = [b"%2e", b"%2f", b"%5c"];
    plain.split(|b| matches!(b, b'/' | b'\\')).any(|segment| matches!(name(segment).as_slice(), b"." | b".."))
        || plain.windows(3).any(|three| twice.iter().any(|code| three.eq_ignore_ascii_case(*code)))
}

/// What rights look at.
pub(super) fn outward(url: &Url, method: Method) -> Outward<'_> {
    Outward {
        host: url.host_str().unwrap_or_default(),
        port: url.port_or_known_default().unwrap_or(0),
        method,
        path: url.path(),
        plain: url.scheme() != "https",
    }
}

fn check_headers(headers: &[(String, String)], problems: &mut Vec<Problem>) {
    let bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if headers.len() > MAX_HEADERS || bytes > MAX_HEADER_BYTES {
        let message = format!("at most {MAX_HEADERS} headers of {} KiB in all", MAX_HEADER_BYTES >> 10);
        problems.push(Error::problem("header-invalid", "headers", message));
        return;
    }
    for (at, (name, value)) in headers.iter().enumerate() {
        let why = if ureq::http::HeaderName::from_bytes(name.as_bytes()).is_err() {
            "this is no name of a header"
        } else if OWN.contains(&name.to_ascii_lowercase().as_str()) {
            "this header is the host's own"
        } else if !value.bytes().all(|b| (b' '..0x7f).contains(&b)) {
            "a value is printable ASCII in one line"
        } else {
            continue;
        };
        problems.push(Error::problem("header-invalid", format!("headers[{at}]"), why));
    }
}
