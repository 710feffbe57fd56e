//! Ids that callers choose.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A name that the caller gives to a thing, and the idempotency key of its creation.
///
/// 1 to 64 characters out of `A-Z a-z 0-9 . _ : / -`, beginning with a letter or digit. Text rather than a
/// 128-bit number: it is exact in every guest language, and a workflow can derive it from its own facts
/// (`allowance:2026-06:cc-410`), which makes a second run of the same month a replay instead of a double posting.
/// Account codes, item numbers, worker numbers and location codes are ids as well.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, minicbor::Encode, minicbor::Decode,
)]
#[serde(try_from = "String", into = "String")]
#[cbor(transparent)]
pub struct Id(#[n(0)] String);

impl Id {
    /// The longest id, in bytes (all of them ASCII).
    pub const MAX: usize = 64;

    /// Checks and wraps `text`; `field` names it in the error (`id-invalid`).
    pub fn parse(text: &str, field: &str) -> Result<Self> {
        let ok = |b: u8| b.is_ascii_alphanumeric() || b"._:/-".contains(&b);
        let first = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        if first && text.len() <= Self::MAX && text.bytes().all(ok) {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::invalid(
            "id-invalid",
            field,
            format!(
                "{:?} is not an id: 1 to {} characters of A-Z a-z 0-9 . _ : / -, the first a letter or digit",
                text.chars().take(Self::MAX).collect::<String>(),
                Self::MAX
            ),
        ))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for Id {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Id {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text, "id")
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.0
    }
}
