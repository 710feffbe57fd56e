//! Whether the days of an account have everything that was posted to it, so that its balances of the past can be told.
//!
//! What is posted while no history is kept is in the total alone, which notes until which day that was ([`Gap`]). Records from before
//! gaps were noted do not say: of those the days are added up and compared with the total, which only ever grows.

use std::collections::BTreeMap;

use backroom_domain::ledger::{Account, AccountDay, AccountMonth, AccountTotal, Balance, Gap, Hold, HoldState};
use backroom_domain::{BusinessDate, Class, Error, Id, Side};
use backroom_store::{Record, RecordKey};

use super::scan::every_entry;
use crate::error::Result;
use crate::work::Work;

/// Records read at once.
const CHUNK: usize = 500;

/// `history-not-kept` unless the balance of an account as of a day can be told from its days; without a day, unless its history is kept
/// at present.
///
/// # Errors
/// `history-not-kept`.
pub(crate) fn check(work: &Work, total: &AccountTotal, as_of: Option<BusinessDate>) -> Result<()> {
    let whole = match as_of {
        None => total.keeps_days(),
        Some(_) => are_days_whole(work, total, as_of)?,
    };
    if whole {
        return Ok(());
    }
    let account = &total.balance.account;
    let message = match total.gap.and_then(|gap| gap.until).filter(|_| total.keeps_days()) {
        Some(until) => {
            format!("of account {account} no history was kept at a time; its balances are known from {until} on")
        }
        None if total.keeps_days() => format!("of account {account} no history was kept at a time"),
        None => format!("of account {account} no history is kept"),
    };
    Err(Error::at(Class::Refused, "history-not-kept", "account", message).into())
}

/// Is everything of later days than `after` (none: of all days) in the days and months of the account?
pub(crate) fn are_days_whole(work: &Work, total: &AccountTotal, after: Option<BusinessDate>) -> Result<bool> {
    if !total.keeps_days() {
        return Ok(false);
    }
    match total.gap {
        Some(Gap { until }) => Ok(until.is_none_or(|until| after.is_some_and(|after| until <= after))),
        None => adds_up(work, total),
    }
}

/// The gap of an account that is about to change. Of one whose record does not say: none if its days add up; else until the last day of
/// which there is something in the journal, which is looked through for that, this once.
pub(crate) fn known(work: &Work, total: &AccountTotal) -> Result<Gap> {
    match total.gap {
        Some(gap) => Ok(gap),
        None if adds_up(work, total)? => Ok(Gap::default()),
        None => Ok(Gap { until: Some(last_day(work, &total.balance.account)?) }),
    }
}

/// Do the days and months of an account say what its total says?
fn adds_up(work: &Work, total: &AccountTotal) -> Result<bool> {
    let account = &total.balance.account;
    let unchanged = |account: Account| account.version == 0;
    if total.keeps_days() && work.tx().get::<Account>(account)?.is_some_and(unchanged) {
        return Ok(true);
    }
    let (mut months, mut held) = (BTreeMap::<BusinessDate, AccountDay>::new(), Held::new());
    each::<AccountDay>(work, account, |day| {
        let month = day.date.first_of_month();
        plus(months.entry(month).or_insert_with(|| AccountDay::zero(account.clone(), month)), &day);
        if day.debits_held > 0 || day.credits_held > 0 {
            held.insert(day.date, (day.debits_held, day.credits_held));
        }
    })?;
    let mut sum = AccountDay::zero(account.clone(), BusinessDate::MAX);
    months.values().for_each(|month| plus(&mut sum, month));
    if !is_sum(&sum, &total.balance) {
        return Ok(false);
    }
    if total.months {
        let mut same = true;
        each::<AccountMonth>(work, account, |AccountMonth(month)| same &= months.remove(&month.date) == Some(month))?;
        if !same || !months.is_empty() {
            return Ok(false);
        }
    }
    // Sums of what is held fall again, so that they can be right while days are not.
    Ok(held.is_empty() || held == open_holds(work, account)?)
}

fn is_sum(sum: &AccountDay, of: &Balance) -> bool {
    let base = of.base.map_or((0, 0), |base| (base.debits, base.credits));
    (sum.debits, sum.credits, sum.base_debits, sum.base_credits) == (of.debits, of.credits, base.0, base.1)
        && (sum.debits_held, sum.credits_held) == (of.debits_held, of.credits_held)
}

fn plus(sum: &mut AccountDay, more: &AccountDay) {
    let AccountDay { debits, credits, debits_held, credits_held, base_debits, base_credits, .. } = sum;
    for (sum, more) in [
        (debits, more.debits),
        (credits, more.credits),
        (debits_held, more.debits_held),
        (credits_held, more.credits_held),
        (base_debits, more.base_debits),
        (base_credits, more.base_credits),
    ] {
        *sum = sum.saturating_add(more);
    }
}

/// What is held by day: debits and credits.
type Held = BTreeMap<BusinessDate, (u64, u64)>;

/// What the holds that are on record as open keep from an account.
fn open_holds(work: &Work, account: &Id) -> Result<Held> {
    let mut held = Held::new();
    each::<Hold>(work, &(), |hold| {
        if hold.state != HoldState::Held {
            return;
        }
        let lines = hold.new.entry.lines.iter().zip(&hold.kept);
        for (line, kept) in lines.filter(|(line, kept)| line.account == *account && **kept > 0) {
            let (debits, credits) = held.entry(hold.new.entry.date).or_default();
            let sum = if line.side == Side::Debit { debits } else { credits };
            *sum = sum.saturating_add(*kept);
        }
    })?;
    Ok(held)
}

/// The last day of which an entry or a hold has a line of the account.
fn last_day(work: &Work, account: &Id) -> Result<BusinessDate> {
    let mut last = None;
    every_entry(
        work,
        |_| true,
        |entry| {
            if entry.new.lines.iter().any(|line| line.account == *account) {
                last = last.max(Some(entry.new.date));
            }
            Ok(())
        },
    )?;
    each::<Hold>(work, &(), |hold| {
        if hold.new.entry.lines.iter().any(|line| line.account == *account) {
            last = last.max(Some(hold.new.entry.date));
        }
    })?;
    Ok(last.unwrap_or(BusinessDate::MAX))
}

/// Shows all records of one kind whose keys begin so, in order.
fn each<R: Record>(work: &Work, prefix: &impl RecordKey, mut see: impl FnMut(R)) -> Result<()> {
    let mut after: Option<Vec<u8>> = None;
    loop {
        let rows = work.tx().scan::<R>(prefix, after.as_deref(), CHUNK)?;
        let more = rows.len() == CHUNK;
        for (key, row) in rows {
            after = Some(key);
            see(row);
        }
        if !more {
            return Ok(());
        }
    }
}
