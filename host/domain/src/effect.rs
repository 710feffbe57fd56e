//! What a unit of work changed, in business terms and in order.

use serde::{Deserialize, Serialize};

use crate::{Id, hr, inventory, ledger};

/// One change that was staged. The list of them is what a plan shows, what is approved, and what a replay must
/// give again byte for byte. Cases are only ever added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, minicbor::Encode, minicbor::Decode)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Effect {
    /// An account was added to the chart.
    #[n(0)]
    AccountCreated(#[n(0)] ledger::Account),
    /// A journal entry was posted.
    #[n(1)]
    EntryPosted(#[n(0)] ledger::Entry),
    /// A worker was added.
    #[n(2)]
    WorkerAdded(#[n(0)] hr::Worker),
    /// An employment was added.
    #[n(3)]
    EmploymentAdded(#[n(0)] hr::Employment),
    /// A benefit line was recorded.
    #[n(4)]
    BenefitRecorded(#[n(0)] hr::Benefit),
    /// An item was added.
    #[n(5)]
    ItemCreated(#[n(0)] inventory::Item),
    /// A location was added.
    #[n(6)]
    LocationCreated(#[n(0)] inventory::Location),
    /// A lot or serial number was added.
    #[n(7)]
    LotCreated(#[n(0)] inventory::Lot),
    /// Stock was moved.
    #[n(8)]
    MovePosted(#[n(0)] inventory::Move),
    /// The plugin's own state was changed.
    #[n(9)]
    StateSet(#[n(0)] StateChange),
}

/// A change of one key of an installation's own state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, minicbor::Encode, minicbor::Decode)]
pub struct StateChange {
    /// The installation.
    #[n(0)]
    pub installation: Id,
    /// The key.
    #[n(1)]
    pub key: String,
    /// BLAKE3 of the new value as hexadecimal digits; none if the key was deleted. The value itself stands in the record changes.
    #[n(2)]
    pub value_hash: Option<String>,
}
