//! The small values that everything here is numbered and named by.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The number of one client company inside this store; the first part of every key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct TenantNo(pub u32);

impl TenantNo {
    /// The provider's own chain: tenants, keys, releases.
    pub const PROVIDER: Self = Self(0);
}

impl fmt::Display for TenantNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The place of an entry in the physical log: 1, 2, 3, ... without gaps over all tenants. 0 is the empty store.
pub type Revision = u64;

/// A BLAKE3 hash. Shown as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hash(pub [u8; 32]);

impl JsonSchema for Hash {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Hash".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9a-f]{64}$", "description": "A BLAKE3 hash." })
    }
}

impl Hash {
    /// The previous hash of a tenant's first entry.
    pub const ZERO: Self = Self([0; 32]);

    /// The hash of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The hash that is shown as `text`; `None` if it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // Shown in small letters alone, so that one hash has one text.
        let small = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let hash = small.then(|| blake3::Hash::from_hex(text).ok()).flatten()?;
        Some(Self(*hash.as_bytes()))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One table look-up a digit: every run shows some hashes, and formatting each byte was measured to take 2 µs more.
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        hash.to_string()
    }
}

impl TryFrom<String> for Hash {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("a hash has 64 hexadecimal digits")
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// The last entry of one tenant's chain. Number 0 with [`Hash::ZERO`] is a tenant without entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The tenant's own sequence number: 1, 2, 3, ... without gaps.
    pub number: u64,
    /// The hash of that entry.
    pub hash: Hash,
}
