//! Rights on requests to the outside, and on the secrets that the host fills in on the way.

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::facet::Facets;
use super::layers::{Layers, Stage};
use super::{Checks, Grant, Kind, Operation, Operations, Pattern, words};
use crate::outbound::{HttpTarget, Outward, is_host};
use crate::{Id, Result};

/// A secret, and the host that it may be sent to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SecretUse {
    /// Which.
    #[n(0)]
    pub name: Pattern,
    /// Where to: a host in small letters, or `*` for any.
    #[n(1)]
    pub host: String,
}

impl SecretUse {
    /// Is everything that `other` allows allowed by this as well?
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.name.covers(&other.name) && (self.host == "*" || self.host == other.host)
    }
}

impl fmt::Display for SecretUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.name, self.host)
    }
}

/// Where requests may be sent to.
pub(super) struct Targets<'a>(pub(super) &'a [HttpTarget]);

/// Secrets that may be filled in.
pub(super) struct Secrets<'a>(pub(super) &'a [SecretUse]);

impl Layers<'_> {
    /// `denied` unless a request like this, with these secrets filled in, may be sent. One grant has to allow it as a whole. In order:
    /// `http-denied`, `secret-denied`.
    pub fn check_http(&self, request: &Outward<'_>, secrets: &BTreeSet<Id>) -> Result<()> {
        let may_have = |grant: &Grant, name: &Id| {
            let of =
                |secret: &SecretUse| secret.name.matches(name) && (secret.host == "*" || secret.host == request.host);
            grant.secrets.iter().any(of)
        };
        self.check(
            Operation::HttpSend,
            &[
                Stage {
                    code: "http-denied",
                    test: &|grant| grant.http.iter().any(|target| target.covers(request)),
                    message: &|| format!("no grant to send {request}"),
                },
                Stage {
                    code: "secret-denied",
                    test: &|grant| secrets.iter().all(|name| may_have(grant, name)),
                    message: &|| format!("no grant to send {request} with the secrets that it names"),
                },
            ],
        )
    }
}

impl Kind for Targets<'_> {
    fn check(&self, checks: &mut Checks) {
        checks.list("http", "targets", self.0.len());
    }

    fn facets(&self, out: &mut Facets) {
        out.targets("http", self.0);
    }

    fn words(&self, out: &mut Vec<String>) {
        if !self.0.is_empty() {
            out.push(format!("Send requests to the outside: {}.", words::list(self.0, "and")));
        }
    }

    fn serves(&self, out: &mut Vec<(&'static str, Operations)>) {
        if !self.0.is_empty() {
            out.push(("http", Operations::of(&[Operation::HttpSend])));
        }
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Kind for Secrets<'_> {
    fn check(&self, checks: &mut Checks) {
        checks.list("secrets", "uses", self.0.len());
        if let Some(wrong) = self.0.iter().find(|secret| !is_host(&secret.host)) {
            let shown: String = wrong.host.chars().take(80).collect();
            checks.wrong(
                "secrets.host",
                &format!("{shown:?} is no host: a name or an address in small letters, or \"*\""),
            );
        }
    }

    fn facets(&self, out: &mut Facets) {
        out.secrets("secrets", self.0);
    }

    fn words(&self, out: &mut Vec<String>) {
        if !self.0.is_empty() {
            out.push(format!("Have secrets filled in, which it never sees: {}.", words::list(self.0, "and")));
        }
    }

    fn serves(&self, out: &mut Vec<(&'static str, Operations)>) {
        if !self.0.is_empty() {
            out.push(("secrets", Operations::of(&[Operation::HttpSend])));
        }
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
