//! Where a call may go.

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The longest host name, as DNS has it.
const MAX_HOST: usize = 253;
/// The longest path of a target.
const MAX_PREFIX: usize = 1024;

/// What a request does.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    minicbor::Encode,
    minicbor::Decode,
)]
#[serde(rename_all = "UPPERCASE")]
#[cbor(index_only)]
pub enum Method {
    /// Reads.
    #[n(0)]
    Get,
    /// Reads, without a body in the answer.
    #[n(1)]
    Head,
    /// Does whatever the other side says.
    #[n(2)]
    Post,
    /// Replaces.
    #[n(3)]
    Put,
    /// Changes.
    #[n(4)]
    Patch,
    /// Deletes.
    #[n(5)]
    Delete,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Get, Self::Head, Self::Post, Self::Put, Self::Patch, Self::Delete];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Whether it is meant to change nothing, so that a dry run may send it.
    pub fn only_reads(self) -> bool {
        matches!(self, Self::Get | Self::Head)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A request as far as rights look at it; host and path as they go out: lower case, no dot segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outward<'a> {
    /// A name or an address; an IPv6 address in brackets.
    pub host: &'a str,
    /// The port.
    pub port: u16,
    /// What it does.
    pub method: Method,
    /// The path without its query.
    pub path: &'a str,
    /// `http` instead of `https`.
    pub plain: bool,
}

impl fmt::Display for Outward<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.plain { "http" } else { "https" };
        write!(f, "{} {scheme}://{}:{}{}", self.method, self.host, self.port, self.path)
    }
}

/// One place that requests may go to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(try_from = "Written", rename_all = "kebab-case")]
pub struct HttpTarget {
    /// The host, in small letters, or `*` for any.
    #[n(0)]
    host: String,
    /// The port; none for any.
    #[n(1)]
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    /// The methods.
    #[n(2)]
    methods: BTreeSet<Method>,
    /// What the path begins with, whole segments.
    #[n(3)]
    path: String,
    /// Whether it may go unencrypted.
    #[n(4)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    plain: bool,
}

/// A target as it is written in grants: 443 and everything that reads if not said otherwise.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    host: String,
    port: Option<u16>,
    #[serde(default = "reading")]
    methods: BTreeSet<Method>,
    #[serde(default = "root")]
    path: String,
    #[serde(default)]
    plain: bool,
}

fn reading() -> BTreeSet<Method> {
    [Method::Get, Method::Head].into()
}

fn root() -> String {
    "/".to_owned()
}

impl TryFrom<Written> for HttpTarget {
    type Error = Error;
    fn try_from(written: Written) -> Result<Self> {
        let Written { host, port, methods, path, plain } = written;
        let invalid = |what: String| Err(Error::invalid("target-invalid", "grant", what));
        if !is_host(&host) {
            return invalid(format!("{host:?} is no host: a name or an address in small letters, or \"*\""));
        }
        let segments = path.strip_prefix('/').map(|rest| rest.split('/').collect::<Vec<_>>());
        let plainly = |segment: &&str| {
            !matches!(*segment, "." | "..") && segment.bytes().all(|b| b.is_ascii_graphic() && !b"?#%\\".contains(&b))
        };
        if path.len() > MAX_PREFIX || !segments.is_some_and(|segments| segments.iter().all(plainly)) {
            return invalid(format!(
                "{path:?} is no beginning of a path: /v1/payments, without %, ?, # and dot segments"
            ));
        }
        if methods.is_empty() {
            return invalid(format!("the target {host} names no method"));
        }
        let port = match (port, host.as_str()) {
            (Some(0), _) => return invalid("0 is no port".to_owned()),
            (None, "*") => None,
            (port, _) => Some(port.unwrap_or(if plain { 80 } else { 443 })),
        };
        Ok(Self { host, port, methods, path, plain })
    }
}

/// Whether this is a host as grants have it: a name in small letters, an address (IPv6 in brackets), or `*`.
pub fn is_host(host: &str) -> bool {
    let ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b);
    let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match bracketed {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok_and(|parsed| parsed.to_string() == address),
        None => host == "*" || (1..=MAX_HOST).contains(&host.len()) && host.bytes().all(ok) && !host.ends_with('.'),
    }
}

impl HttpTarget {
    /// Everywhere, whatever it is.
    pub fn any() -> Self {
        Self { host: "*".to_owned(), port: None, methods: Method::ALL.into(), path: root(), plain: true }
    }

    /// Whether every request that goes to `other` goes there as well.
    pub(crate) fn contains(&self, other: &Self) -> bool {
        (self.host == "*" || self.host == other.host)
            && self.port.is_none_or(|port| other.port == Some(port))
            && self.methods.is_superset(&other.methods)
            && (self.plain || !other.plain)
            && begins(&other.path, &self.path)
    }

    /// Whether the request goes there.
    pub fn covers(&self, request: &Outward<'_>) -> bool {
        (self.host == "*" || self.host == request.host)
            && self.port.is_none_or(|port| port == request.port)
            && self.methods.contains(&request.method)
            && (self.plain || !request.plain)
            && begins(request.path, &self.path)
    }
}

/// Whether `path` is `prefix` or below it.
fn begins(path: &str, prefix: &str) -> bool {
    let prefix = prefix.trim_end_matches('/');
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl fmt::Display for HttpTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods: Vec<_> = self.methods.iter().map(|method| method.as_str()).collect();
        write!(f, "{} http{}://{}", methods.join(","), if self.plain { "(s)" } else { "s" }, self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(json: &str) -> std::result::Result<HttpTarget, String> {
        let value: serde_json::Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_target_covers_what_it_says_and_nothing_else() {
        let bank = target(r#"{"host":"api.bank.example","methods":["GET","POST"],"path":"/v1/pay"}"#).unwrap();
        let base =
            Outward { host: "api.bank.example", port: 443, method: Method::Get, path: "/v1/pay/7", plain: false };
        let rows = [
            (base, true),
            (Outward { path: "/v1/pay", ..base }, true),
            (Outward { path: "/v1/pay/", ..base }, true),
            (Outward { method: Method::Post, ..base }, true),
            (Outward { path: "/v1/payments", ..base }, false),
            (Outward { path: "/v1", ..base }, false),
            (Outward { path: "/", ..base }, false),
            (Outward { path: "/V1/pay", ..base }, false),
            (Outward { method: Method::Delete, ..base }, false),
            (Outward { port: 8443, ..base }, false),
            (Outward { plain: true, ..base }, false),
            (Outward { plain: true, port: 80, ..base }, false),
            (Outward { host: "bank.example", ..base }, false),
            (Outward { host: "api.bank.example.evil.example", ..base }, false),
            (Outward { host: "xapi.bank.example", ..base }, false),
        ];
        for (request, covered) in rows {
            assert_eq!(bank.covers(&request), covered, "{request}");
            assert!(HttpTarget::any().covers(&request), "{request}");
        }
        let plain = target(r#"{"host":"intranet","plain":true}"#).unwrap();
        assert!(plain.covers(&Outward { host: "intranet", port: 80, plain: true, ..base }));
        assert_eq!(plain.to_string(), "GET,HEAD http(s)://intranet:80/");
        assert_eq!(bank.to_string(), "GET,POST https://api.bank.example:443/v1/pay");
        let again: HttpTarget = serde_json::from_str(&serde_json::to_string(&bank).unwrap()).unwrap();
        assert_eq!(again, bank);
    }

    #[test]
    fn what_is_no_target_is_refused() {
        for bad in [
            r#"{"host":""}"#,
            r#"{"host":"Bank.example"}"#,
            r#"{"host":"bank.example."}"#,
            r#"{"host":"bank.example:443"}"#,
            r#"{"host":"user@bank.example"}"#,
            r#"{"host":"bank.example/v1"}"#,
            r#"{"host":"*.bank.example"}"#,
            r#"{"host":"[::0001]"}"#,
            r#"{"host":"b","port":0}"#,
            r#"{"host":"b","methods":[]}"#,
            r#"{"host":"b","methods":["TRACE"]}"#,
            r#"{"host":"b","path":"v1"}"#,
            r#"{"host":"b","path":"/v1/../v2"}"#,
            r#"{"host":"b","path":"/v1/%2e%2e"}"#,
            r#"{"host":"b","path":"/v1?x"}"#,
            r#"{"host":"b","colour":1}"#,
        ] {
            assert!(target(bad).is_err(), "{bad}");
        }
        for good in [r#"{"host":"[::1]"}"#, r#"{"host":"10.0.0.7","port":8080}"#, r#"{"host":"xn--bcher-kva.example"}"#]
        {
            target(good).unwrap();
        }
    }
}
