//! Revaluation: what foreign balances are worth in the base currency at a rate of the day, against what they are carried at.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ledger::rates::convert;
use crate::ledger::year::Net;
use crate::ledger::{Line, LineDetails, Made};
use crate::{BusinessDate, Currency, Decimal, Error, Id, Instant, MAX_MINOR, Money, Result, Rounding, Side};

/// The kind of the entries of a revaluation.
pub const REVALUE_KIND: &str = "host:revaluation";
/// The most accounts of one.
pub const MAX_ACCOUNTS: usize = 500;

/// A revaluation as a caller asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewRevaluation {
    /// The id of the entry, at most 56 characters; that of the entry that takes it back is `ID:back`.
    #[n(0)]
    pub id: Id,
    /// The day whose balances are revalued, which is the day of the entry.
    #[n(1)]
    pub as_of: BusinessDate,
    /// 1 to 500 posting accounts that are kept in a foreign currency.
    #[n(2)]
    pub accounts: Vec<Id>,
    /// The type of rate; none: `closing`.
    #[n(3)]
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Id>,
    /// Whether it is taken back on the next day.
    #[n(4)]
    #[serde(default)]
    pub reverse: bool,
}

/// An account that was revalued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct Revalued {
    /// The account.
    #[n(0)]
    pub account: Id,
    /// The day.
    #[n(1)]
    pub as_of: BusinessDate,
    /// The id that the revaluation was asked for with.
    #[n(2)]
    pub id: Id,
    /// The rate.
    #[n(3)]
    pub rate: Decimal,
    /// The day of the rate.
    #[n(4)]
    pub rate_date: BusinessDate,
    /// Debit: what it is carried at rose; credit: it fell.
    #[n(5)]
    pub side: Side,
    /// By how much, in the base currency.
    #[n(6)]
    pub difference: Money,
    /// When.
    #[n(7)]
    pub recorded_at: Instant,
    /// How many accounts it was asked for.
    #[n(8)]
    pub accounts: u32,
    /// The type of rate.
    #[n(9)]
    #[serde(rename = "type")]
    pub kind: Id,
    /// Whether it is taken back on the next day.
    #[n(10)]
    pub reverse: bool,
    /// The entries; none if nothing differs.
    #[n(11)]
    pub entries: Vec<Id>,
}

/// A revaluation that was done: the effect, and the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct Revaluation {
    /// The book.
    #[n(0)]
    pub book: Id,
    /// What was asked for.
    #[n(1)]
    #[serde(flatten)]
    pub new: NewRevaluation,
    /// An account each, in the order in which they were asked for.
    #[n(2)]
    pub revalued: Vec<Revalued>,
    /// The entries; none if nothing differs.
    #[n(3)]
    pub entries: Vec<Id>,
}

/// What a foreign balance has to be carried at beside what it is: the difference, debits positive. Half to even.
pub fn difference(carried: Net, currency: Currency, base: Currency, rate: Decimal) -> Result<i128> {
    let over = || Error::overflow("an amount in the base currency");
    let minor = u64::try_from(carried.amount.unsigned_abs()).map_err(|_| over())?;
    let worth = convert(minor, currency, base, rate, Rounding::HalfEven).ok_or_else(over)?;
    let worth = i128::from(worth);
    let worth = if carried.amount < 0 { worth.saturating_neg() } else { worth };
    Ok(worth.saturating_sub(carried.base))
}

/// The lines of a revaluation: for each account one in the base column alone, and against them gains and losses, each as a sum.
/// `differences` has the account, its currency and by how much what it is carried at changes.
///
/// Refusals: `exchange-account-missing`, `overflow`.
pub fn lines(
    differences: &[(Id, Currency, i128)],
    base: Currency,
    gain: Option<&Id>,
    loss: Option<&Id>,
) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    let (mut gains, mut losses) = (0_i128, 0_i128);
    for (account, currency, difference) in differences.iter().filter(|(_, _, difference)| *difference != 0) {
        let side = if *difference > 0 { Side::Debit } else { Side::Credit };
        match side {
            Side::Debit => gains = gains.saturating_add(*difference),
            Side::Credit => losses = losses.saturating_sub(*difference),
        }
        let details =
            LineDetails { base: Some(money(*difference, base)?), made: Some(Made::Line), ..LineDetails::default() };
        let line = Line::new(account.clone(), side, Money { minor: 0, currency: *currency });
        lines.push(Line { details: Some(Box::new(details)), ..line });
    }
    for (sum, side, account, field) in
        [(gains, Side::Credit, gain, "exchange-gain"), (losses, Side::Debit, loss, "exchange-loss")]
    {
        if sum == 0 {
            continue;
        }
        let Some(account) = account else {
            let message = format!("the book has no account for it: `{field}`");
            return Err(Error::at(crate::Class::Refused, "exchange-account-missing", "book", message));
        };
        let details = LineDetails { made: Some(Made::Line), ..LineDetails::default() };
        let line = Line::new(account.clone(), side, money(sum, base)?);
        lines.push(Line { details: Some(Box::new(details)), ..line });
    }
    Ok(lines)
}

/// The lines with their sides swapped.
pub fn swapped(lines: &[Line]) -> Vec<Line> {
    let swap = |line: &Line| {
        let side = match line.side {
            Side::Debit => Side::Credit,
            Side::Credit => Side::Debit,
        };
        Line { side, ..line.clone() }
    };
    lines.iter().map(swap).collect()
}

fn money(difference: i128, base: Currency) -> Result<Money> {
    let minor = u64::try_from(difference.unsigned_abs()).ok().filter(|minor| *minor <= MAX_MINOR);
    Ok(Money { minor: minor.ok_or_else(|| Error::overflow("an exchange difference"))?, currency: base })
}
