//! What only some lines and entries have.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ledger::rules::Guard;
use crate::{BusinessDate, Decimal, Id, Money};

/// What only some lines have.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode,
)]
#[serde(default, deny_unknown_fields)]
pub struct LineDetails {
    /// The amount in the base currency of the book, of a line in another one. Asked for, or worked out by the host.
    #[n(0)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<Money>,
    /// What one unit of the line's currency is worth in the base currency. Asked for, or from the table of rates.
    #[n(1)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Decimal>,
    /// With whom.
    #[n(2)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub party: Option<Id>,
    /// When it is due.
    #[n(3)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<BusinessDate>,
    /// The open item that it settles.
    #[n(4)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<Id>,
    /// What of it the host made. Not for callers to say.
    #[n(5)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made: Option<Made>,
}

/// What of a line the host made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
#[cbor(index_only)]
pub enum Made {
    /// Its base amount, from the rate that it was given.
    #[n(0)]
    Base,
    /// Its base amount and its rate, from the table.
    #[n(1)]
    Rate,
    /// All of it: an exchange difference or a revaluation.
    #[n(2)]
    Line,
}

/// What only some entries have.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode,
)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct EntryDetails {
    /// A name of the entry for people, such as the number of an invoice; unique in the book. 1 to 64 characters.
    #[n(0)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What kind of entry it is; none: `manual`. Kinds that begin with `host:` are the host's.
    #[n(1)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Id>,
    /// What must hold after it; at most 16.
    #[n(2)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub guards: Vec<Guard>,
    /// The document that it comes from.
    #[n(3)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_document: Option<Id>,
    /// What else is to be kept with it; at most 16, no name twice.
    #[n(4)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metadata: Vec<Metadata>,
}

/// A named text that is kept with an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// The name.
    #[n(0)]
    pub name: Id,
    /// The text; at most 100 characters in one line.
    #[n(1)]
    pub value: String,
}
