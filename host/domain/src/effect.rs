//! What a unit of work changed, in business terms and in order.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Id, files, hr, inventory, ledger};

/// One change that was staged. The list of them is what a plan shows, what is approved, and what a replay must
/// give again byte for byte. Cases are only ever added.
///
/// It has no binary encoding of its own: some cases carry personal data, which are sealed before they are stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Effect {
    /// An account was added to the chart.
    AccountCreated(ledger::Account),
    /// A journal entry was posted.
    EntryPosted(ledger::Entry),
    /// A worker was added.
    WorkerAdded(hr::Worker),
    /// An employment was added.
    EmploymentAdded(hr::Employment),
    /// A benefit line was recorded.
    BenefitRecorded(hr::Benefit),
    /// An item was added.
    ItemCreated(inventory::Item),
    /// A location was added.
    LocationCreated(inventory::Location),
    /// A lot or serial number was added.
    LotCreated(inventory::Lot),
    /// Stock was moved.
    MovePosted(inventory::Move),
    /// The plugin's own state was changed.
    StateSet(StateChange),
    /// The personal data of a worker were erased.
    PersonErased(hr::Erasure),
    /// A file was written: a new one, or in place of what it held before. The content stands in the record changes.
    FileWritten(files::File),
    /// A file was deleted.
    FileDeleted(files::Deletion),
    /// A book was created.
    BookCreated(ledger::Book),
    /// An account was changed, closed or opened again.
    AccountChanged(ledger::Account),
    /// A hold was placed.
    HoldPlaced(ledger::Hold),
    /// A hold was settled, released, or ended by its timeout.
    HoldChanged(ledger::Hold),
    /// A lock of a book was moved forward.
    PeriodLocked(ledger::LockChange),
    /// A soft lock of a book was moved back.
    PeriodReopened(ledger::LockChange),
    /// How far ahead may be posted was set.
    FutureLimited(ledger::FutureLimit),
    /// An exception from a soft lock was granted.
    ExceptionGranted(ledger::LockException),
    /// It was revoked.
    ExceptionRevoked(ledger::LockException),
    /// Something was posted under it.
    ExceptionUsed(ledger::ExceptionUse),
    /// An exchange rate was set.
    RateSet(ledger::Rate),
    /// A budget was set.
    BudgetSet(ledger::Budget),
    /// A year was closed.
    YearClosed(ledger::YearClosing),
    /// Foreign balances were revalued.
    Revalued(ledger::Revaluation),
    /// Open items were matched.
    ItemsMatched(ledger::Match),
    /// A match was undone.
    MatchUndone(ledger::Match),
    /// A bank statement was imported; its lines stand in the record changes.
    StatementImported(ledger::BankStatement),
    /// A bank line was confirmed to be a posted line, or that was undone.
    BankLineChanged(ledger::BankLine),
}

/// A change of one key of an installation's own state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
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
