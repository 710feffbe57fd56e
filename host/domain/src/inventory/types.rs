//! The nouns of inventory.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{BusinessDate, Currency, Decimal, Id, Instant, Money};

/// How units of an item are told apart.
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
pub enum Tracking {
    /// Not at all.
    #[n(0)]
    None,
    /// By lot: every move names one.
    #[n(1)]
    Lot,
    /// By serial number: every move names a lot, whose quantity is one and which is in one place.
    #[n(2)]
    Serial,
}

/// An item as a caller asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewItem {
    /// The item number; the id.
    #[n(0)]
    pub id: Id,
    /// 1 to 200 characters.
    #[n(1)]
    pub name: String,
    /// Unit of measure, such as `each` or `kg`; 1 to 16 characters.
    #[n(2)]
    pub unit: String,
    /// Decimals that quantities of the item may have, 0 to 6.
    #[n(3)]
    pub decimals: u8,
    /// How units are told apart.
    #[n(4)]
    pub tracking: Tracking,
    /// The stock control account that carries its value; its currency is the currency of the valuation.
    #[n(5)]
    pub stock_account: Id,
}

/// An item on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct Item {
    /// What was asked for.
    #[n(0)]
    #[serde(flatten)]
    pub new: NewItem,
    /// The currency of its valuation.
    #[n(1)]
    pub currency: Currency,
    /// When it was recorded.
    #[n(2)]
    pub recorded_at: Instant,
}

/// What a location is for. Stock in `internal` and `transit` locations is valued; all others are the outside world, so that
/// every move leaves one location and enters another.
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
pub enum Usage {
    /// A place of the company's own stock.
    #[n(0)]
    Internal,
    /// Between two internal places.
    #[n(1)]
    Transit,
    /// Where receipts come from.
    #[n(2)]
    Supplier,
    /// Where sales go to.
    #[n(3)]
    Customer,
    /// Own use: what was issued to staff or used up.
    #[n(4)]
    Consumption,
    /// Scrap, shrinkage and count differences, and opening stock.
    #[n(5)]
    Adjustment,
}

impl Usage {
    /// Is stock there part of the company's valued stock?
    pub fn valued(self) -> bool {
        matches!(self, Self::Internal | Self::Transit)
    }
}

/// A location as a caller asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewLocation {
    /// The location code; the id.
    #[n(0)]
    pub id: Id,
    /// 1 to 200 characters.
    #[n(1)]
    pub name: String,
    /// What it is for.
    #[n(2)]
    pub usage: Usage,
}

/// A location on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct Location {
    /// What was asked for.
    #[n(0)]
    #[serde(flatten)]
    pub new: NewLocation,
    /// When it was recorded.
    #[n(1)]
    pub recorded_at: Instant,
}

/// A lot or serial number as a caller asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewLot {
    /// The lot code or serial number; the id, unique over all items.
    #[n(0)]
    pub id: Id,
    /// The item it is of, which is tracked.
    #[n(1)]
    pub item: Id,
    /// Last day of use; on that day it is not yet expired.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry: Option<BusinessDate>,
}

/// A lot on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct Lot {
    /// What was asked for.
    #[n(0)]
    #[serde(flatten)]
    pub new: NewLot,
    /// When it was recorded.
    #[n(1)]
    pub recorded_at: Instant,
}

/// A stock move as a caller asks for it. Receipts, issues, transfers, scrap and opening stock are all moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewMove {
    /// The caller's id: the idempotency key.
    #[n(0)]
    pub id: Id,
    /// The day of the books it belongs to.
    #[n(1)]
    pub date: BusinessDate,
    /// What moves.
    #[n(2)]
    pub item: Id,
    /// How much, in the item's unit; more than zero.
    #[n(3)]
    pub quantity: Decimal,
    /// The location it leaves.
    #[n(4)]
    pub from: Id,
    /// The location it enters; another one.
    #[n(5)]
    pub to: Id,
    /// Which lot or serial number; if and only if the item is tracked.
    #[n(6)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<Id>,
    /// What the whole quantity cost; if and only if it enters valued stock from outside.
    #[n(7)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// Who received it, for issues to staff.
    #[n(8)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<Id>,
    /// Why, for people; 1 to 200 characters.
    #[n(9)]
    pub reason: String,
    /// The journal entry that carries its value, which must exist by the end of the unit of work.
    #[n(10)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<Id>,
}

/// A posted stock move; never changed, never deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct Move {
    /// What was asked for.
    #[n(0)]
    #[serde(flatten)]
    pub new: NewMove,
    /// Its number among the tenant's moves: 1, 2, 3, ... without a gap.
    #[n(1)]
    pub number: u64,
    /// The value that entered or left valued stock, in the item's currency; zero for a move within it or outside it.
    #[n(2)]
    pub value: Money,
    /// The stock control account of the item, where `value` must be posted in the same unit of work.
    #[n(3)]
    pub stock_account: Id,
    /// When it was recorded.
    #[n(4)]
    pub recorded_at: Instant,
    /// The run that posted it, if a plugin did.
    #[n(5)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Id>,
}

/// What is where: an item in a location, by lot. Two counters that never decrease, at the item's decimals; on hand is their
/// difference, which is never negative in valued locations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct OnHand {
    /// The item.
    #[n(0)]
    pub item: Id,
    /// The location.
    #[n(1)]
    pub location: Id,
    /// The lot, for tracked items.
    #[n(2)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lot: Option<Id>,
    /// Decimals of the two counters (the item's).
    #[n(3)]
    pub decimals: u8,
    /// Everything that ever entered.
    #[n(4)]
    pub entered: u64,
    /// Everything that ever left.
    #[n(5)]
    pub left: u64,
}

/// Quantity and value of an item over all valued locations; the moving average is their quotient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct Valuation {
    /// The item.
    #[n(0)]
    pub item: Id,
    /// The stock control account.
    #[n(1)]
    pub stock_account: Id,
    /// On hand in all valued locations.
    #[n(2)]
    pub quantity: Decimal,
    /// What it is worth.
    #[n(3)]
    pub value: Money,
}
