//! Budgets: how much may be posted to an account in a period, in all or with a value of a dimension.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ledger::{Dimension, Line};
use crate::shape::Problems;
use crate::{BusinessDate, Class, Currency, Error, Id, Instant, Money, Result, Side};

/// The most periods of a budget: ten years by month.
pub const MAX_PERIODS: usize = 120;

/// What happens when more is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
#[cbor(index_only)]
pub enum BudgetAction {
    /// It is posted, and the answer says so.
    #[n(0)]
    Warn,
    /// It is refused.
    #[n(1)]
    Stop,
}

/// A period of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BudgetPeriod {
    /// The first day.
    #[n(0)]
    pub first: BusinessDate,
    /// The last day.
    #[n(1)]
    pub last: BusinessDate,
    /// What may be posted, net on the account's normal side, in the account's currency; 0: nothing.
    #[n(2)]
    pub amount: Money,
}

/// A budget as a caller sets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewBudget {
    /// The caller's id.
    #[n(0)]
    pub id: Id,
    /// The account.
    #[n(1)]
    pub account: Id,
    /// Count only lines with this value; none: all lines.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimension: Option<Dimension>,
    /// 1 to 120, in order, none of them overlapping another.
    #[n(3)]
    pub periods: Vec<BudgetPeriod>,
    /// What happens when more is posted.
    #[n(4)]
    pub action: BudgetAction,
}

/// A budget on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct Budget {
    /// The book.
    #[n(0)]
    pub book: Id,
    /// What was set.
    #[n(1)]
    #[serde(flatten)]
    pub new: NewBudget,
    /// 1, and one more each time that it is set anew.
    #[n(2)]
    pub version: u32,
    /// Who set it last.
    #[n(3)]
    pub actor: String,
    /// When.
    #[n(4)]
    pub recorded_at: Instant,
}

/// A period of a budget with what was posted: what posting reads and changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct BudgetLine {
    /// The book.
    #[n(0)]
    pub book: Id,
    /// The budget.
    #[n(1)]
    pub budget: Id,
    /// The account.
    #[n(2)]
    pub account: Id,
    /// Lines with this value alone.
    #[n(3)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimension: Option<Dimension>,
    /// The first day.
    #[n(4)]
    pub first: BusinessDate,
    /// The last day.
    #[n(5)]
    pub last: BusinessDate,
    /// The normal side of the account: what is used grows with it.
    #[n(6)]
    pub side: Side,
    /// What may be used.
    #[n(7)]
    pub amount: Money,
    /// What happens when it is more.
    #[n(8)]
    pub action: BudgetAction,
    /// Sum of the debits in the period in minor units.
    #[n(9)]
    pub debits: u64,
    /// Sum of the credits in the period in minor units.
    #[n(10)]
    pub credits: u64,
}

/// How a period of a budget stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Standing {
    /// What was used, net on the normal side of the account; 0 if the other side is larger.
    pub used: u64,
    /// What is left; with a larger other side, more than the amount.
    pub available: u64,
    /// What was used above the amount.
    pub over: u64,
}

impl BudgetLine {
    /// Does it count this line of an entry of this day?
    pub fn counts(&self, line: &Line, date: BusinessDate) -> bool {
        self.account == line.account
            && self.first <= date
            && date <= self.last
            && self.dimension.as_ref().is_none_or(|dimension| line.dimensions.contains(dimension))
    }

    /// Adds what was posted. The sums of an account are bounded, and these are parts of them.
    pub fn add(&mut self, side: Side, minor: u64) {
        let sum = match side {
            Side::Debit => &mut self.debits,
            Side::Credit => &mut self.credits,
        };
        *sum = sum.saturating_add(minor);
    }

    /// What was used, what is left, what is too much.
    pub fn standing(&self) -> Standing {
        let (more, less) = match self.side {
            Side::Debit => (self.debits, self.credits),
            Side::Credit => (self.credits, self.debits),
        };
        let used = more.saturating_sub(less);
        let room = self.amount.minor.saturating_add(less.saturating_sub(more));
        Standing { used, available: room.saturating_sub(used), over: used.saturating_sub(self.amount.minor) }
    }

    /// By how much the budget is passed, if `before` had used less: an entry that gives back is never in the way.
    pub fn passed(&self, before: &Self) -> Option<u64> {
        let (now, then) = (self.standing(), before.standing());
        (now.over > 0 && now.used > then.used).then_some(now.over)
    }

    /// Says that more was used than there was: the problem of a refusal, or a warning.
    pub fn exceeded(&self, over: u64) -> Error {
        let dimension = self.dimension.as_ref().map(|d| format!(" with {}={}", d.name, d.value)).unwrap_or_default();
        let over = Money { minor: over, currency: self.amount.currency };
        let message = format!(
            "budget {} for {}{dimension} from {} to {} is {}; with this it is exceeded by {over}",
            self.budget, self.account, self.first, self.last, self.amount
        );
        Error::at(Class::Refused, "budget-exceeded", self.budget.as_str(), message)
    }
}

/// The form of a budget, all problems together: `no-periods`, `too-many-periods`, `period-invalid`, `overlapping-periods`,
/// `amount-too-large`.
pub fn check_budget(new: &NewBudget) -> Result<()> {
    let mut problems = Problems::default();
    let whole = || "periods".to_owned();
    match new.periods.len() {
        0 => problems.add("no-periods", whole, || "a budget has at least one period".to_owned()),
        n if n > MAX_PERIODS => {
            problems.add("too-many-periods", whole, || format!("a budget has at most {MAX_PERIODS} periods, not {n}"));
        }
        _ => {}
    }
    let mut before: Option<BusinessDate> = None;
    for (i, period) in new.periods.iter().take(MAX_PERIODS).enumerate() {
        let at = || format!("periods[{i}]");
        if period.last < period.first {
            problems.add("period-invalid", at, || "the last day is before the first".to_owned());
        } else if before.is_some_and(|before| period.first <= before) {
            problems.add("overlapping-periods", at, || "it begins before the period in front of it ends".to_owned());
        }
        before = before.max(Some(period.last));
        problems.amount(|| format!("periods[{i}].amount"), period.amount);
    }
    problems.finish()
}

/// `currency-mismatch` unless every amount is in the account's currency.
pub fn check_currency(new: &NewBudget, currency: Currency) -> Result<()> {
    match new.periods.iter().position(|period| period.amount.currency != currency) {
        None => Ok(()),
        Some(i) => {
            let message = format!("account {} is kept in {currency}", new.account);
            Err(Error::at(Class::Refused, "currency-mismatch", format!("periods[{i}].amount"), message))
        }
    }
}

/// `overlapping-budget`: another one is for the same account, dimension and days.
pub fn overlapping(line: &BudgetLine, i: usize) -> Error {
    let message = format!("budget {} has {} to {} for the same", line.budget, line.first, line.last);
    Error::at(Class::Refused, "overlapping-budget", format!("periods[{i}]"), message)
}

/// Whether what is set is on record, or comes in place of it. `replaces` is the version that the caller knows.
///
/// Refused: `exists-with-different`, without a version; `version-conflict`, with another one.
pub fn replaces(existing: Option<&Budget>, new: &NewBudget, replaces: Option<u32>) -> Result<bool> {
    let Some(old) = existing else {
        return match replaces {
            None => Ok(true),
            Some(_) => Err(Error::not_found("budget", &new.id)),
        };
    };
    if old.new == *new {
        return Ok(false);
    }
    match replaces {
        None => Err(Error::exists_with_different("budget", &new.id, different(&old.new, new))),
        Some(version) if version == old.version => Ok(true),
        Some(version) => {
            let message = format!("budget {} has version {}, not {version}", new.id, old.version);
            Err(Error::at(Class::Conflict, "version-conflict", "replaces", message))
        }
    }
}

fn different(old: &NewBudget, new: &NewBudget) -> &'static str {
    match () {
        () if old.account != new.account => "account",
        () if old.dimension != new.dimension => "dimension",
        () if old.periods != new.periods => "periods",
        () => "action",
    }
}
