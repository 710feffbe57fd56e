//! What may be posted to an account, and what an entry may demand of balances.

use std::cmp::Ordering;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ledger::{AccountType, Balance};
use crate::shape::Problems;
use crate::{Id, MAX_MINOR, Side};

/// The most dimensions that an account may require.
const MAX_REQUIRED: usize = 8;

/// A signed amount in minor units of the currency that it stands beside, at most 2^53 - 1 either way. Zero is not negative.
#[derive(Debug, Clone, Copy, Default, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(deny_unknown_fields)]
pub struct Amount {
    /// Below zero?
    #[n(0)]
    #[serde(default)]
    pub negative: bool,
    /// How far from zero.
    #[n(1)]
    pub minor: u64,
}

impl Amount {
    /// As a number.
    pub fn value(self) -> i128 {
        let minor = i128::from(self.minor);
        if self.negative { minor.saturating_neg() } else { minor }
    }

    /// From a number; what does not fit is as far as an amount goes.
    pub fn of(value: i128) -> Self {
        Self { negative: value < 0, minor: u64::try_from(value.unsigned_abs()).unwrap_or(u64::MAX) }
    }
}

impl PartialEq for Amount {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl PartialOrd for Amount {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Amount {
    fn cmp(&self, other: &Self) -> Ordering {
        self.value().cmp(&other.value())
    }
}

/// What may be posted to an account, beyond its type and currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AccountRules {
    /// Whether entries of the kind `manual` may touch it, which is what an entry is that says no kind.
    #[n(0)]
    pub manual: bool,
    /// Whether its lines are open items, to be matched with each other.
    #[n(1)]
    pub reconcilable: bool,
    /// Whether its balance of each day is kept. Without it there are no balances of the past.
    #[n(2)]
    pub history: bool,
    /// Nothing may be posted that brings what is available below it.
    #[n(3)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_available: Option<Amount>,
    /// Nothing may be posted that brings what is available above it.
    #[n(4)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_available: Option<Amount>,
    /// Dimensions that every line on it has; at most 8.
    #[n(5)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub required_dimensions: Vec<Id>,
    /// Whether every line on it names a party.
    #[n(6)]
    pub party_required: bool,
}

impl Default for AccountRules {
    fn default() -> Self {
        Self {
            manual: true,
            reconcilable: false,
            history: true,
            min_available: None,
            max_available: None,
            required_dimensions: Vec::new(),
            party_required: false,
        }
    }
}

impl AccountRules {
    /// Are they those of an account that says none?
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Has it a bound on what is available?
    pub fn has_limits(&self) -> bool {
        self.min_available.is_some() || self.max_available.is_some()
    }

    /// `amount-too-large`, `limits-exclude-each-other`, `dimensions-invalid`.
    pub(super) fn check(&self, problems: &mut Problems) {
        for (name, bound) in [("min-available", self.min_available), ("max-available", self.max_available)] {
            if bound.is_some_and(|bound| bound.minor > MAX_MINOR) {
                let message = || "amounts are at most 2^53 - 1 minor units".to_owned();
                problems.add("amount-too-large", || format!("rules.{name}"), message);
            }
        }
        if let (Some(min), Some(max)) = (self.min_available, self.max_available)
            && min > max
        {
            let message = || "the least that is available is above the most: nothing meets both".to_owned();
            problems.add("limits-exclude-each-other", || "rules.max-available".to_owned(), message);
        }
        let required = &self.required_dimensions;
        let twice = required.iter().enumerate().any(|(i, name)| required.iter().take(i).any(|before| before == name));
        if twice || required.len() > MAX_REQUIRED {
            let message = || format!("at most {MAX_REQUIRED} dimensions, none twice");
            problems.add("dimensions-invalid", || "rules.required-dimensions".to_owned(), message);
        }
    }
}

impl AccountType {
    /// The side that increases an account of this type.
    pub fn normal_side(self) -> Side {
        match self {
            Self::Asset | Self::Expense => Side::Debit,
            Self::Liability | Self::Equity | Self::Income => Side::Credit,
        }
    }
}

impl Balance {
    /// The balance on the normal side of the account's type, in minor units; negative if it stands on the other side.
    pub fn posted(&self, kind: AccountType) -> i128 {
        let (debits, credits) = (i128::from(self.debits), i128::from(self.credits));
        match kind.normal_side() {
            Side::Debit => debits.saturating_sub(credits),
            Side::Credit => credits.saturating_sub(debits),
        }
    }

    /// What holds keep from it: those that would take from the normal side.
    pub fn held(&self, kind: AccountType) -> i128 {
        i128::from(match kind.normal_side() {
            Side::Debit => self.credits_held,
            Side::Credit => self.debits_held,
        })
    }

    /// [`Balance::posted`] without [`Balance::held`].
    pub fn available(&self, kind: AccountType) -> i128 {
        self.posted(kind).saturating_sub(self.held(kind))
    }
}

/// Which figure of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
#[cbor(index_only)]
pub enum Figure {
    /// Posted, without what holds keep.
    #[n(0)]
    Available,
    /// Posted, on the account's normal side.
    #[n(1)]
    Posted,
    /// What holds keep from it.
    #[n(2)]
    Held,
}

/// How a figure is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
#[cbor(index_only)]
pub enum Comparison {
    /// At least.
    #[n(0)]
    Ge,
    /// At most.
    #[n(1)]
    Le,
    /// Exactly.
    #[n(2)]
    Eq,
}

/// What must hold of an account after the entry, or the entry is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(deny_unknown_fields)]
pub struct Guard {
    /// The account; a posting account, in the entry or not.
    #[n(0)]
    pub account: Id,
    /// Which figure.
    #[n(1)]
    pub balance: Figure,
    /// Compared how.
    #[n(2)]
    pub op: Comparison,
    /// With what, in the account's currency.
    #[n(3)]
    pub value: Amount,
}

impl Guard {
    /// Does it hold of this balance?
    pub fn holds(&self, balance: &Balance, kind: AccountType) -> bool {
        let figure = match self.balance {
            Figure::Available => balance.available(kind),
            Figure::Posted => balance.posted(kind),
            Figure::Held => balance.held(kind),
        };
        match self.op {
            Comparison::Ge => figure >= self.value.value(),
            Comparison::Le => figure <= self.value.value(),
            Comparison::Eq => figure == self.value.value(),
        }
    }
}
