//! Turnover by a dimension of the lines.

use std::collections::BTreeMap;

use backroom_domain::ledger::Sums;
use backroom_domain::ledger::reports::Span;
use backroom_domain::rights::Operation;
use backroom_domain::{Currency, Id, Side};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scan::each_entry;
use super::{MAX_ROWS, Narrower, too_many};
use crate::error::Result;
use crate::ledger::accounts::kind_of;
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
    let mut readable = BTreeMap::<Id, bool>::new();
    let mut sums = BTreeMap::<(Option<Id>, Id, Currency), Sums>::new();
    each_entry(work, span, |entry| {
        for line in &entry.new.lines {
            let shown = match readable.get(&line.account) {
                Some(shown) => *shown,
                None => {
                    let shown = work.rights().read_account(
                        Operation::ByDimension,
                        &line.account,
                        kind_of(work, &line.account)?,
                    );
                    readable.insert(line.account.clone(), shown);
                    shown
                }
            };
            if !shown {
                continue;
            }
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
