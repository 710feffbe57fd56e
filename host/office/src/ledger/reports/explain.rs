//! Why a balance is what it is.

use std::collections::BTreeMap;

use backroom_domain::ledger::Sums;
use backroom_domain::ledger::reports::{Net, Span};
use backroom_domain::rights::Operation;
use backroom_domain::{BusinessDate, Currency, Error, Id, Side};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scan::each_entry;
use super::{figures, posting_account};
use crate::error::Result;
use crate::ledger::journal::is_readable;
use crate::work::Work;

/// The most entries that are named one by one.
pub const MAX_LARGEST: usize = 50;

/// What was posted in a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Month {
    /// Year.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// How many entries.
    pub entries: u64,
    /// Debits in minor units.
    pub debits: u128,
    /// Credits in minor units.
    pub credits: u128,
    /// The balance at its end.
    pub balance: Net,
}

/// An entry that moved the balance more than most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Largest {
    /// The entry; none if it has an account that may not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<Id>,
    /// Its number.
    pub number: u64,
    /// Its day.
    pub date: BusinessDate,
    /// Its description; none as with `entry`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What all its lines on the account change together.
    pub change: Net,
}

/// Why a balance is what it is: `opening`, and every month on top of it, give `closing`; so do `opening`, the largest entries and `rest`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Explanation {
    /// The account.
    pub account: Id,
    /// Its currency.
    pub currency: Currency,
    /// The balance before the first day.
    pub opening: Net,
    /// The months with entries, in order.
    pub months: Vec<Month>,
    /// The entries that change the balance most, the largest first; of two alike the earlier.
    pub largest: Vec<Largest>,
    /// How many entries there are beside them.
    pub rest_entries: u64,
    /// What those change together.
    pub rest: Net,
    /// The balance at the end of the last day.
    pub closing: Net,
}

/// Explains the balance of an account at the end of a span, naming at most `largest` entries.
///
/// # Errors
/// In order: `ledger-read-denied`; `not-found`; `account-is-header`; `period-invalid`; `limit-invalid`; `history-not-kept`;
/// `too-many-entries`.
pub fn explain(work: &Work, account: &Id, span: &Span, largest: usize) -> Result<Explanation> {
    let currency = posting_account(work, Operation::Explain, account)?;
    span.check("span")?;
    if largest > MAX_LARGEST {
        let message = format!("at most {MAX_LARGEST} entries are named");
        return Err(Error::invalid("limit-invalid", "largest", message).into());
    }
    let (before, through) = figures(work, account, span)?;
    let mut months = BTreeMap::<(u16, u8), (u64, Sums)>::new();
    let mut entries = Vec::new();
    each_entry(work, span, |entry| {
        let mut own = Sums::default();
        let mut touched = false;
        for line in entry.new.lines.iter().filter(|line| line.account == *account) {
            touched = true;
            let side = if line.side == Side::Debit { &mut own.debits } else { &mut own.credits };
            *side = side.saturating_add(line.amount.minor.into());
        }
        if !touched {
            return Ok(());
        }
        let (count, sums) = months.entry((entry.new.date.year(), entry.new.date.month())).or_default();
        *count += 1;
        plus(sums, own);
        let shown = is_readable(work, Operation::Explain, &entry.new.lines)?;
        let id = shown.then(|| entry.new.id.clone());
        let description = shown.then(|| entry.new.description.clone());
        let found =
            Largest { entry: id, number: entry.number, date: entry.new.date, description, change: Net::of(own) };
        entries.push((own, found));
        Ok(())
    })?;
    entries.sort_by(|(_, a), (_, b)| b.change.minor.cmp(&a.change.minor).then(a.number.cmp(&b.number)));
    let rest = entries.split_off(largest.min(entries.len()));
    let mut rest_sums = Sums::default();
    rest.iter().for_each(|(own, _)| plus(&mut rest_sums, *own));
    let mut sums = before;
    let month = |((year, month), (entries, own)): ((u16, u8), (u64, Sums))| {
        plus(&mut sums, own);
        let Sums { debits, credits } = own;
        Month { year, month, entries, debits, credits, balance: Net::of(sums) }
    };
    Ok(Explanation {
        account: account.clone(),
        currency,
        opening: Net::of(before),
        months: months.into_iter().map(month).collect(),
        largest: entries.into_iter().map(|(_, largest)| largest).collect(),
        rest_entries: u64::try_from(rest.len()).unwrap_or(u64::MAX),
        rest: Net::of(rest_sums),
        closing: Net::of(through),
    })
}

fn plus(sum: &mut Sums, more: Sums) {
    sum.debits = sum.debits.saturating_add(more.debits);
    sum.credits = sum.credits.saturating_add(more.credits);
}
