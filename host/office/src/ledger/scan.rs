//! Through the journal from its newest entry back, for what no total has.
//!
//! Totals say how much of an account there is to be found in a span of days. So the walk ends with the entry by which all of it was
//! found, and costs as much as was recorded since, not as much as there is.

use std::collections::BTreeMap;
use std::ops::Bound;

use backroom_domain::ledger::reports::Span;
use backroom_domain::ledger::{AccountTotal, Balance, BaseBalance, Entry, Line};
use backroom_domain::{BusinessDate, Error, Id};
use backroom_store::records::{EntryNumber, StoredEntry};

use crate::error::Result;
use crate::ledger::balances::posted;
use crate::ledger::journal::{damaged, whole};
use crate::work::Work;

/// The most entries that one report looks at. Some seconds.
pub const MAX_SCANNED: u64 = 1_000_000;

/// Numbers read at once.
const CHUNK: u64 = 1_000;

/// Shows the entries of a span to `visit` until it has seen every line of it on `accounts`, the newest first, whoever asks. Of accounts
/// whose days are not all known, every entry of the span.
///
/// # Errors
/// `too-many-entries` if it would look at more than `most`.
pub(crate) fn entries_of<'a>(
    work: &Work,
    accounts: impl IntoIterator<Item = &'a Id>,
    span: &Span,
    most: u64,
    mut visit: impl FnMut(Entry) -> Result<()>,
) -> Result<()> {
    let mut left = Left::of(work, accounts, span)?;
    let mut next = work.tx().last::<EntryNumber>(&())?.map_or(0, |last| last.number);
    let mut looked: u64 = 0;
    while next > 0 && !left.is_empty() {
        let first = next.saturating_sub(CHUNK).saturating_add(1);
        let (from, to) = (Bound::Included(first), Bound::Included(next));
        let rows = work.tx().scan_range::<EntryNumber>(from, to, usize::try_from(CHUNK).unwrap_or(usize::MAX))?;
        for (_, EntryNumber { number, id }) in rows.into_iter().rev() {
            if left.is_empty() {
                return Ok(());
            }
            looked = looked.saturating_add(1);
            if looked > most {
                return Err(too_many(most));
            }
            let missing = || damaged(&id, format!("number {number} has no entry"));
            let stored = work.tx().get::<StoredEntry>(&id)?.ok_or_else(missing)?;
            if span.has(stored.entry.new.date) {
                let entry = whole(work, stored)?;
                entry.new.lines.iter().for_each(|line| left.take(line));
                visit(entry)?;
            }
        }
        next = first.saturating_sub(1);
    }
    Ok(())
}

fn too_many(most: u64) -> crate::error::Failure {
    let message = format!("this looks at no more than {most} entries, and that would be more; ask for later days");
    Error::refused("too-many-entries", message).into()
}

/// What of a span is still to be found on each account.
enum Left {
    /// So much, of those where there is any.
    Sums(BTreeMap<Id, Balance>),
    /// Nobody knows.
    Unknown,
}

impl Left {
    fn of<'a>(work: &Work, accounts: impl IntoIterator<Item = &'a Id>, span: &Span) -> Result<Self> {
        let mut sums = BTreeMap::new();
        for account in accounts {
            let total = work.tx().get::<AccountTotal>(account)?;
            if !total.is_some_and(|total| total.has_whole_history()) {
                return Ok(Self::Unknown);
            }
            let through = posted(work, account, span.to)?;
            let within = match span.from.map(BusinessDate::day_before) {
                None | Some(None) => Some(through),
                Some(Some(day)) => less(through, &posted(work, account, Some(day))?),
            };
            match within {
                Some(within) if is_zero(&within) => {}
                Some(within) => drop(sums.insert(account.clone(), within)),
                None => return Ok(Self::Unknown),
            }
        }
        Ok(Self::Sums(sums))
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Sums(sums) if sums.is_empty())
    }

    /// Takes a line off that was found.
    fn take(&mut self, line: &Line) {
        let Self::Sums(sums) = self else { return };
        let Some(within) = sums.remove(&line.account) else { return };
        match within.without(line) {
            Some(rest) if is_zero(&rest) => {}
            Some(rest) => drop(sums.insert(line.account.clone(), rest)),
            // More than the totals say: they are no guide.
            None => *self = Self::Unknown,
        }
    }
}

/// What was posted up to a day and not up to an earlier one.
fn less(through: Balance, before: &Balance) -> Option<Balance> {
    let base = match (through.base, before.base) {
        (Some(through), Some(before)) => Some(BaseBalance {
            debits: through.debits.checked_sub(before.debits)?,
            credits: through.credits.checked_sub(before.credits)?,
            ..through
        }),
        (through, _) => through,
    };
    Some(Balance {
        debits: through.debits.checked_sub(before.debits)?,
        credits: through.credits.checked_sub(before.credits)?,
        base,
        ..through
    })
}

/// Every line has an amount in one of the two columns at least.
fn is_zero(balance: &Balance) -> bool {
    let base = balance.base.is_none_or(|base| base.debits == 0 && base.credits == 0);
    base && balance.debits == 0 && balance.credits == 0
}
