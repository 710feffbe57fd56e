//! The nouns of the ledger.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ledger::details::{EntryDetails, LineDetails};
use crate::ledger::rules::{AccountRules, Amount};
use crate::{BusinessDate, Currency, Id, Instant, Money, Side};

/// What an account is part of; the five elements of double-entry statements.
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
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
    /// What may be posted to it, beyond its type and currency.
    #[cbor(n(7), skip_if = "AccountRules::is_plain")]
    #[serde(default, skip_serializing_if = "AccountRules::is_plain")]
    pub rules: AccountRules,
}

/// Why and when an account was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
pub struct Closing {
    /// For people; 1 to 200 characters.
    #[n(0)]
    pub reason: String,
    /// When.
    #[n(1)]
    pub at: Instant,
}

/// An account of the chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct Account {
    /// What was asked for.
    #[n(0)]
    #[serde(flatten)]
    pub new: NewAccount,
    /// When it was recorded.
    #[n(1)]
    pub recorded_at: Instant,
    /// How often it was changed since: 0 as it was created. A change says which version it is of.
    #[cbor(n(2), skip_if = "is_zero")]
    #[serde(default, skip_serializing_if = "is_zero")]
    pub version: u64,
    /// Why and when it was closed, if it is.
    #[n(3)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Closing>,
}

impl Account {
    /// An account as it is created.
    pub fn created(new: NewAccount, recorded_at: Instant) -> Self {
        Self { new, recorded_at, version: 0, closed: None }
    }
}

/// A change of an account: what is not named stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AccountChange {
    /// The version that it is a change of, so that nobody's change is lost.
    pub expected_version: u64,
    /// The new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The new rules, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<AccountRules>,
}

/// Closes an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AccountClosing {
    /// For people; 1 to 200 characters.
    pub reason: String,
    /// Where its balance goes, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Sweep>,
}

/// Where the balance of a closing account goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sweep {
    /// The account that takes it.
    pub to: Id,
    /// The id of the entry that is posted for it.
    pub entry: Id,
}

/// A named analysis value of a line, such as `cost-center` = `CC-410`.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode,
)]
pub struct Dimension {
    /// The dimension.
    #[n(0)]
    pub name: Id,
    /// Its value.
    #[n(1)]
    pub value: Id,
}

/// One line of a journal entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
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
    /// What only some lines have.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Box<LineDetails>>,
}

impl Line {
    /// A plain line.
    pub fn new(account: Id, side: Side, amount: Money) -> Self {
        Self { account, side, amount, dimensions: Vec::new(), memo: None, details: None }
    }

    /// Its amount in the base currency of its book, if it says one; a line in that currency has its amount.
    pub fn base(&self) -> Option<Money> {
        self.details.as_ref().and_then(|details| details.base)
    }
}

/// A journal entry as a caller asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
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
    /// 2 to 1,000 lines; debits equal credits in each currency, and in the base currency of the book over all lines.
    #[n(3)]
    pub lines: Vec<Line>,
    /// What only some entries have.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Box<EntryDetails>>,
}

impl NewEntry {
    /// A plain entry.
    pub fn new(id: Id, date: BusinessDate, description: String, lines: Vec<Line>) -> Self {
        Self { id, date, description, lines, details: None }
    }
}

/// A posted journal entry; never changed, never deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
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
    /// The book it is in; none: `main`.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub book: Option<Id>,
    /// The entry that it takes back.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverses: Option<Id>,
    /// The entry that took it back: the one thing of an entry that is written later.
    #[n(6)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversed_by: Option<Id>,
    /// The hold that it settles.
    #[n(7)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settles: Option<Id>,
}

impl Entry {
    /// An entry as it is posted, with no link to another.
    pub fn posted(new: NewEntry, number: u64, recorded_at: Instant, run: Option<Id>) -> Self {
        Self { new, number, recorded_at, run, book: None, reverses: None, reversed_by: None, settles: None }
    }
}

/// What was posted to an account in the base currency of its book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
pub struct BaseBalance {
    /// The base currency.
    #[n(0)]
    pub currency: Currency,
    /// Sum of the debits in its minor units, at most 2^53 - 1.
    #[n(1)]
    pub debits: u64,
    /// Sum of the credits in its minor units, at most 2^53 - 1.
    #[n(2)]
    pub credits: u64,
}

/// What was posted to an account, up to a date or in all. The balance is derived: none of the counters of what was posted ever
/// decreases, and those of what is held only as holds end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
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
    /// Sum of the debits that open holds keep.
    #[cbor(n(4), skip_if = "is_zero")]
    #[serde(default)]
    pub debits_held: u64,
    /// Sum of the credits that open holds keep.
    #[cbor(n(5), skip_if = "is_zero")]
    #[serde(default)]
    pub credits_held: u64,
    /// The same in the base currency of the book, if it has one. In records: of accounts kept in another currency alone, as the
    /// two columns of others are the same.
    #[n(6)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<BaseBalance>,
    /// In answers: what may be used of it, the balance on the account's normal side without what holds keep from it.
    #[cbor(skip)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<Amount>,
}

impl Balance {
    /// Of an account that was never posted to.
    pub fn zero(account: Id, currency: Currency) -> Self {
        Self { account, currency, debits: 0, credits: 0, debits_held: 0, credits_held: 0, base: None, available: None }
    }
}

pub(super) fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// One account of a trial balance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TrialBalance {
    /// Up to which date, if not everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<BusinessDate>,
    /// In order of the account codes; accounts never posted to are there with zeros.
    pub rows: Vec<TrialBalanceRow>,
    /// Per currency: the sums over all rows, in 128 bits (as JSON numbers they are exact below 2^53).
    pub totals: Vec<TrialBalanceTotal>,
    /// Per base currency of a book: the sums of the base column over its accounts. They are equal even where an exchange difference
    /// keeps the amounts in that currency apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub base_totals: Vec<TrialBalanceTotal>,
}

/// The sums of a trial balance in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrialBalanceTotal {
    /// The currency.
    pub currency: Currency,
    /// Sum of all debits.
    pub debits: u128,
    /// Sum of all credits.
    pub credits: u128,
}
