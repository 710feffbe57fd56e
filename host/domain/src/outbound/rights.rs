//! Rights on calls to the outside, and on the secrets that the host fills in on the way.

use serde::{Deserialize, Serialize};

use super::Outward;
use crate::rights::{Layers, Pattern, check};
use crate::{Id, Result};

/// A secret, and the host that it may be sent to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, minicbor::Encode, minicbor::Decode)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SecretUse {
    /// Which.
    #[n(0)]
    pub name: Pattern,
    /// Where to: a host in small letters, or `*` for any.
    #[n(1)]
    pub host: String,
}

impl Layers<'_> {
    /// `denied` unless a request like this may be sent.
    pub fn check_http(&self, request: &Outward<'_>) -> Result<()> {
        let ok = self.all(|r| r.http.iter().any(|target| target.covers(request)));
        check(ok, "http-denied", || format!("no grant to send {request}"))
    }

    /// `denied` unless this secret may be sent to this host.
    pub fn check_secret(&self, name: &Id, host: &str) -> Result<()> {
        let allows = |use_: &SecretUse| use_.name.matches(name) && (use_.host == "*" || use_.host == host);
        let ok = self.all(|r| r.secrets.iter().any(allows));
        check(ok, "secret-denied", || format!("no grant to send the secret {name} to {host}"))
    }
}
