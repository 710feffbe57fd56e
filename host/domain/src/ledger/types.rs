//! The nouns of the ledger.

use serde::{Deserialize, Serialize};

use crate::{BusinessDate, Currency, Id, Instant, Money, Side};

/// What an account is part of; the five elements of double-entry statements.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, minicbor::Encode, minicbor::Decode,
)]
#[serde(rename_all = "kebab-case")]
#[cbor(index_only)]
pub enum AccountType {
    /// What the company owns.
    #[n(0)]
    Asset,
    /// What it owes.
    #[n(1)]
    Liability,
    /// What is left to the owners.
    #[n(2)]
    Equity,
    /// What it earns.
    #[n(3)]
    Income,
    /// What it spends.
    #[n(4)]
    Expense,
}

/// An account as a caller asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, minicbor::Encode, minicbor::Decode)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewAccount {
    /// The account code; its id.
    #[n(0)]
    pub code: Id,
    /// For people; 1 to 200 characters.
    #[n(1)]
    pub name: String,
    /// The type; a child has its parent's.
    #[n(2)]
    #[serde(rename = "type")]
    pub kind: AccountType,
    /// The header account above it.
    #[n(3)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Id>,
    /// The one currency of the account.
    #[n(4)]
    pub currency: Currency,
    /// `false` for a header account, which never carries postings.
    #[n(5)]
    pub posting: bool,
    /// A stock control account: its balance always equals the value of the stock that is kept under it, so it changes only
    /// together with stock moves of the same unit of work.
    #[n(6)]
    pub stock_control: bool,
}

/// An account of the chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct Account {
    /// What was asked for.
    #[n(0)]
    #[serde(flatten)]
    pub new: NewAccount,
    /// When it was recorded.
    #[n(1)]
    pub recorded_at: Instant,
}

/// A named analysis value of a line, such as `cost-center` = `CC-410`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, minicbor::Encode, minicbor::Decode)]
pub struct Dimension {
    /// The dimension.
    #[n(0)]
    pub name: Id,
    /// Its value.
    #[n(1)]
    pub value: Id,
}

/// One line of a journal entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, minicbor::Encode, minicbor::Decode)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The account posted to.
    #[n(0)]
    pub account: Id,
    /// Debit or credit.
    #[n(1)]
    pub side: Side,
    /// More than zero, in the account's currency.
    #[n(2)]
    pub amount: Money,
    /// At most 8, no name twice.
    #[n(3)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dimensions: Vec<Dimension>,
    /// At most 200 characters.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memo: Option<String>,
}

/// A journal entry as a caller asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, minicbor::Encode, minicbor::Decode)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewEntry {
    /// The caller's id: the idempotency key.
    #[n(0)]
    pub id: Id,
    /// The day of the books it belongs to.
    #[n(1)]
    pub date: BusinessDate,
    /// For people; 1 to 200 characters.
    #[n(2)]
    pub description: String,
    /// 2 to 1,000 lines; debits equal credits in each currency.
    #[n(3)]
    pub lines: Vec<Line>,
}

/// A posted journal entry; never changed, never deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct Entry {
    /// What was asked for.
    #[n(0)]
    #[serde(flatten)]
    pub new: NewEntry,
    /// Its number in the tenant's journal: 1, 2, 3, ... without a gap.
    #[n(1)]
    pub number: u64,
    /// When it was recorded.
    #[n(2)]
    pub recorded_at: Instant,
    /// The run that posted it, if a plugin did.
    #[n(3)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Id>,
}

/// What was posted to an account, up to a date or in all. The balance is derived: neither counter ever decreases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, minicbor::Encode, minicbor::Decode)]
pub struct Balance {
    /// The account.
    #[n(0)]
    pub account: Id,
    /// Its currency.
    #[n(1)]
    pub currency: Currency,
    /// Sum of the debits in minor units, at most 2^53 - 1.
    #[n(2)]
    pub debits: u64,
    /// Sum of the credits in minor units, at most 2^53 - 1.
    #[n(3)]
    pub credits: u64,
}

/// One account of a trial balance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialBalanceRow {
    /// The account's name.
    pub name: String,
    /// The account's type.
    #[serde(rename = "type")]
    pub kind: AccountType,
    /// What was posted.
    #[serde(flatten)]
    pub balance: Balance,
}

/// Every posting account with its totals. Debits equal credits per currency, or the books are wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TrialBalance {
    /// Up to which date, if not everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<BusinessDate>,
    /// In order of the account codes; accounts never posted to are there with zeros.
    pub rows: Vec<TrialBalanceRow>,
    /// Per currency: the sums over all rows, in 128 bits (as JSON numbers they are exact below 2^53).
    pub totals: Vec<TrialBalanceTotal>,
}

/// The sums of a trial balance in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialBalanceTotal {
    /// The currency.
    pub currency: Currency,
    /// Sum of all debits.
    pub debits: u128,
    /// Sum of all credits.
    pub credits: u128,
}
