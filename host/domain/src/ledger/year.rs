//! Closing a year: what is on income and expense accounts goes to retained earnings, for each currency and set of dimensions by
//! itself, so that no total of the balance sheet changes for any of them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ledger::{BaseBalance, Dimension, Line, LineDetails, MAX_LINES, Made};
use crate::{BusinessDate, Currency, Error, Id, Instant, MAX_MINOR, Money, Result, Side};

/// The kind of the entries that close a year.
pub const CLOSE_KIND: &str = "host:year-close";

/// Accounts of one currency and set of dimensions in one entry: at most two lines each, and two for retained earnings.
const PART: usize = (MAX_LINES - 2) / 2;

/// Closes a year, as a caller asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewClosing {
    /// The id of the entry, at most 56 characters: those that follow, if one is not enough, are `ID:2`, `ID:3`, and so on.
    #[n(0)]
    pub id: Id,
    /// The fiscal year: the calendar year in which it begins.
    #[n(1)]
    pub year: u16,
    /// The accounts that take the result: of type equity, one for each currency that has one.
    #[n(2)]
    pub retained_earnings: Vec<Id>,
}

/// A year that was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct YearClosing {
    /// The book.
    #[n(0)]
    pub book: Id,
    /// What was asked for.
    #[n(1)]
    #[serde(flatten)]
    pub new: NewClosing,
    /// The last day of the year, which is the day of the entries.
    #[n(2)]
    pub last: BusinessDate,
    /// The entries; none if there was nothing on income and expense accounts.
    #[n(3)]
    pub entries: Vec<Id>,
    /// Who closed it.
    #[n(4)]
    pub actor: String,
    /// When.
    #[n(5)]
    pub recorded_at: Instant,
}

/// What was posted to an account up to the end of a year that is closed, the closing included: what the next year opens with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct Opening {
    /// The book.
    #[n(0)]
    pub book: Id,
    /// The fiscal year that was closed.
    #[n(1)]
    pub year: u16,
    /// The account.
    #[n(2)]
    pub account: Id,
    /// Its currency.
    #[n(3)]
    pub currency: Currency,
    /// Sum of the debits in minor units.
    #[n(4)]
    pub debits: u64,
    /// Sum of the credits in minor units.
    #[n(5)]
    pub credits: u64,
    /// The same in the base currency of the book, if it has one.
    #[n(6)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<BaseBalance>,
}

impl Opening {
    /// Adds a line of the account, or says `overflow`.
    pub fn add(&mut self, line: &Line) -> Result<()> {
        let over = || Error::overflow(format!("the sum of {}", self.account));
        let (sum, base) = match line.side {
            Side::Debit => (&mut self.debits, self.base.as_mut().map(|base| &mut base.debits)),
            Side::Credit => (&mut self.credits, self.base.as_mut().map(|base| &mut base.credits)),
        };
        let bounded = |a: u64, b: u64| a.checked_add(b).filter(|sum| *sum <= MAX_MINOR);
        *sum = bounded(*sum, line.amount.minor).ok_or_else(over)?;
        if let Some(base) = base {
            let minor = line.base().map_or(line.amount.minor, |base| base.minor);
            *base = bounded(*base, minor).ok_or_else(|| Error::overflow("a sum in the base currency"))?;
        }
        Ok(())
    }
}

/// Debits without credits, in the currency of the account and in the base currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Net {
    /// In minor units of the account's currency.
    pub amount: i128,
    /// In minor units of the base currency, of an account that is kept in another one.
    pub base: i128,
}

impl Net {
    /// Adds a line.
    pub fn add(&mut self, line: &Line) {
        let signed = |minor: u64| match line.side {
            Side::Debit => i128::from(minor),
            Side::Credit => i128::from(minor).saturating_neg(),
        };
        self.amount = self.amount.saturating_add(signed(line.amount.minor));
        self.base = self.base.saturating_add(line.base().map_or(0, |base| signed(base.minor)));
    }

    fn plus(self, other: Self) -> Self {
        Self { amount: self.amount.saturating_add(other.amount), base: self.base.saturating_add(other.base) }
    }

    fn negative(self) -> Self {
        Self { amount: self.amount.saturating_neg(), base: self.base.saturating_neg() }
    }
}

/// What is on the accounts of a year, by currency and set of dimensions (in order of their names) and then by account.
pub type Results = BTreeMap<(Currency, Vec<Dimension>), BTreeMap<Id, Net>>;

/// The lines of the entries that close a year, an entry each: every account is brought to zero, and `retained` (by currency) takes it.
/// `base` is the base currency of the book.
///
/// Refusals: `retained-earnings-missing` (no account for a currency), `overflow`.
pub fn closing_lines(
    results: &Results,
    retained: &BTreeMap<Currency, Id>,
    base: Option<Currency>,
) -> Result<Vec<Vec<Line>>> {
    let mut entries: Vec<Vec<Line>> = Vec::new();
    for ((currency, dimensions), accounts) in results {
        let accounts: Vec<_> = accounts.iter().filter(|(_, net)| **net != Net::default()).collect();
        if accounts.is_empty() {
            continue;
        }
        let to = retained.get(currency).ok_or_else(|| {
            let message = format!("there is a result in {currency}; name an account of type equity in {currency}");
            Error::at(crate::Class::Refused, "retained-earnings-missing", "retained-earnings", message)
        })?;
        let base = base.filter(|base| base != currency);
        for part in accounts.chunks(PART) {
            let mut lines = Vec::new();
            let mut sum = Net::default();
            for (account, net) in part {
                lines.extend(moving(account, net.negative(), *currency, base, dimensions)?);
                sum = sum.plus(**net);
            }
            lines.extend(moving(to, sum, *currency, base, dimensions)?);
            match entries.last_mut().filter(|last| last.len().saturating_add(lines.len()) <= MAX_LINES) {
                Some(last) => last.extend(lines),
                None => entries.push(lines),
            }
        }
    }
    Ok(entries)
}

/// The lines that change an account by `net`: one, or two if its two columns go in opposite directions.
fn moving(
    account: &Id,
    net: Net,
    currency: Currency,
    base: Option<Currency>,
    dimensions: &[Dimension],
) -> Result<Vec<Line>> {
    let line = |side: Side, minor: u64, in_base: Option<u64>| {
        let base = in_base.zip(base).map(|(minor, currency)| Money { minor, currency });
        let details = LineDetails { base, made: Some(Made::Line), ..LineDetails::default() };
        Line {
            dimensions: dimensions.to_vec(),
            details: Some(Box::new(details)),
            ..Line::new(account.clone(), side, Money { minor, currency })
        }
    };
    let size = |value: i128| {
        let minor = u64::try_from(value.unsigned_abs()).ok().filter(|minor| *minor <= MAX_MINOR);
        minor.ok_or_else(|| Error::overflow(format!("the balance of {account}")))
    };
    let side = |value: i128| if value > 0 { Side::Debit } else { Side::Credit };
    let (amount, in_base) = (size(net.amount)?, size(net.base)?);
    Ok(match base {
        _ if net == Net::default() => Vec::new(),
        None => vec![line(side(net.amount), amount, None)],
        Some(_) if net.amount == 0 => vec![line(side(net.base), 0, Some(in_base))],
        Some(_) if net.base == 0 || (net.amount > 0) == (net.base > 0) => {
            vec![line(side(net.amount), amount, Some(in_base))]
        }
        Some(_) => vec![line(side(net.amount), amount, Some(0)), line(side(net.base), 0, Some(in_base))],
    })
}
