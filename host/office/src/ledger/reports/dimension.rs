//! Turnover by a dimension of the lines.

use std::collections::{BTreeMap, BTreeSet};

use backroom_domain::ledger::Sums;
use backroom_domain::ledger::reports::Span;
use backroom_domain::rights::Operation;
use backroom_domain::{Currency, Id, Side};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MAX_ROWS, MAX_SCANNED, Narrower, all_accounts, too_many};
use crate::error::Result;
use crate::ledger::scan::entries_of;
use crate::work::Work;

/// What was posted to an account with one value of a dimension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DimensionRow {
    /// The value; none for lines without the dimension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Id>,
    /// The account.
    pub account: Id,
    /// Its currency.
    pub currency: Currency,
    /// Debits in minor units.
    pub debits: u128,
    /// Credits in minor units.
    pub credits: u128,
}

/// What was posted within a span to the accounts that may be read, by the values of a dimension and by account. Over all values, the
/// rows of an account add up to its turnover.
///
/// # Errors
/// In order: `ledger-read-denied` without the right to read any account; `period-invalid`; `too-many-entries`; `too-many-rows` above
/// [`MAX_ROWS`].
pub fn by_dimension(work: &Work, dimension: &Id, span: &Span) -> Result<Vec<DimensionRow>> {
    work.rights().check_read_ledger(Operation::ByDimension)?;
    span.check("span")?;
    let accounts = all_accounts(work, Operation::ByDimension)?.into_iter().filter(|account| account.new.posting);
    let readable: BTreeSet<Id> = accounts.map(|account| account.new.code).collect();
    let mut sums = BTreeMap::<(Option<Id>, Id, Currency), Sums>::new();
    entries_of(work, &readable, span, MAX_SCANNED, |entry| {
        for line in entry.new.lines.iter().filter(|line| readable.contains(&line.account)) {
            let value = line.dimensions.iter().find(|d| d.name == *dimension).map(|d| d.value.clone());
            let sums = sums.entry((value, line.account.clone(), line.amount.currency)).or_default();
            let side = if line.side == Side::Debit { &mut sums.debits } else { &mut sums.credits };
            *side = side.saturating_add(line.amount.minor.into());
        }
        if sums.len() > MAX_ROWS { Err(too_many(MAX_ROWS, "rows", Narrower::Days)) } else { Ok(()) }
    })?;
    let row = |((value, account, currency), Sums { debits, credits })| DimensionRow {
        value,
        account,
        currency,
        debits,
        credits,
    };
    Ok(sums.into_iter().map(row).collect())
}
