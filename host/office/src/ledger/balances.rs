//! Balances, now and as of a day of the books.

use std::collections::BTreeMap;
use std::ops::Bound;

use backroom_domain::ledger::{
    Account, AccountDay, AccountMonth, AccountTotal, AccountType, Amount, Balance, BaseBalance, Entry, TrialBalance,
    TrialBalanceRow, TrialBalanceTotal,
};
use backroom_domain::rights::Operation;
use backroom_domain::{BusinessDate, Class, Currency, Error, Id, Instant, Side};
use backroom_store::records::EntryNumber;
use backroom_store::{Record, StoreError};

use crate::error::{Failure, Result};
use crate::ledger::accounts::kind_of;
use crate::ledger::{books, gaps, holds, journal};
use crate::work::Work;

/// The most accounts of a trial balance.
pub const MAX_ROWS: usize = 10_000;

/// Records read at once.
const CHUNK: usize = 1_000;

/// The most accounts of one question for balances.
pub const MAX_ACCOUNTS: usize = 500;

/// Of which time a balance is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AsOf {
    /// Entries dated up to and on this day; all, if none.
    pub date: Option<BusinessDate>,
    /// Entries recorded up to and at this moment; all, if none. Entries are looked at in the order of their numbers, which is that of
    /// their recording.
    pub recorded_at: Option<Instant>,
}

/// What was posted to an account by entries dated up to and on `as_of` (by all, if none). Needs the right to read it.
/// One read for the whole; as of a day, one read more for each later month with postings, and for each later day of its month.
///
/// # Errors
/// In order: `ledger-read-denied`; `not-found`; `account-is-header`; `history-not-kept`.
pub fn balance(work: &Work, account: &Id, as_of: Option<BusinessDate>) -> Result<Balance> {
    balance_at(work, account, AsOf { date: as_of, recorded_at: None })
}

/// As [`balance`], also as of a moment of recording: then one read more for each entry that was recorded since, and what holds keep
/// is not told.
///
/// # Errors
/// As [`balance`].
pub fn balance_at(work: &Work, account: &Id, as_of: AsOf) -> Result<Balance> {
    balance_as(work, Operation::BalancesGet, account, as_of)
}

fn balance_as(work: &Work, operation: Operation, account: &Id, as_of: AsOf) -> Result<Balance> {
    work.rights().check_read_account(operation, account, kind_of(work, account)?)?;
    balance_of(work, account, as_of)
}

/// As [`balance_at`], for whoever has the right to what needs it.
pub(crate) fn balance_of(work: &Work, account: &Id, as_of: AsOf) -> Result<Balance> {
    let Some(total) = work.tx().account_total(account)? else {
        return Err(match work.tx().get::<Account>(account)? {
            None => Error::not_found("account", account),
            Some(_) => {
                let message = format!("account {account} is a header account, which has no balance of its own");
                Error::at(Class::Refused, "account-is-header", "account", message)
            }
        }
        .into());
    };
    let kind = books::kind_of_total(work, &total)?;
    answer(work, &total, kind, as_of)
}

/// The balances of several accounts, in the order in which they are asked for, all of the same revision.
///
/// # Errors
/// In order: `ledger-read-denied` without the right to read any account; `too-many-accounts` above [`MAX_ACCOUNTS`]; then as [`balance`], of the first account that has one.
pub fn balances_at(work: &Work, accounts: &[Id], as_of: AsOf) -> Result<Vec<Balance>> {
    work.rights().check_read_ledger(Operation::BalancesGetMany)?;
    if accounts.len() > MAX_ACCOUNTS {
        let message = format!("at most {MAX_ACCOUNTS} accounts at once, not {}", accounts.len());
        return Err(Error::invalid("too-many-accounts", "accounts", message).into());
    }
    accounts.iter().map(|account| balance_as(work, Operation::BalancesGetMany, account, as_of)).collect()
}

/// The balance of an account with this total, with its base column and what is available.
fn answer(work: &Work, total: &AccountTotal, kind: AccountType, as_of: AsOf) -> Result<Balance> {
    let mut balance = total.balance.clone();
    let foreign = balance.base.is_some();
    take_off_due(work, &mut balance, as_of.date)?;
    let past = as_of.date.is_some() || as_of.recorded_at.is_some();
    if past {
        gaps::check(work, total, as_of.date)?;
    }
    balance = up_to(work, balance, as_of.date, total.months)?;
    if let Some(moment) = as_of.recorded_at {
        balance = recorded_up_to(work, balance, as_of.date, moment)?;
        (balance.debits_held, balance.credits_held) = (0, 0);
    }
    if let Some(base) = total.base().filter(|_| !foreign) {
        let own = base.currency == balance.currency;
        let (debits, credits) = if own { (balance.debits, balance.credits) } else { (0, 0) };
        balance.base = Some(BaseBalance { currency: base.currency, debits, credits });
    }
    balance.available = Some(Amount::of(balance.available(kind)));
    Ok(balance)
}

/// Takes off what holds keep whose time is over and whose end is not on record yet.
fn take_off_due(work: &Work, balance: &mut Balance, date: Option<BusinessDate>) -> Result<()> {
    if balance.debits_held == 0 && balance.credits_held == 0 {
        return Ok(());
    }
    for hold in holds::due(work)? {
        // Days after the one that is asked for are taken off as a whole.
        if date.is_some_and(|date| hold.new.entry.date > date) {
            continue;
        }
        for (line, kept) in hold.new.entry.lines.iter().zip(&hold.kept).filter(|(l, _)| l.account == balance.account) {
            let held = match line.side {
                Side::Debit => &mut balance.debits_held,
                Side::Credit => &mut balance.credits_held,
            };
            *held = held.saturating_sub(*kept);
        }
    }
    Ok(())
}

/// The balance without the entries that were recorded after a moment: from the first of them, which is looked for by halves.
fn recorded_up_to(work: &Work, mut balance: Balance, date: Option<BusinessDate>, moment: Instant) -> Result<Balance> {
    let entry_of = |number: u64| -> Result<Option<Entry>> {
        match work.tx().get::<EntryNumber>(&number)? {
            Some(EntryNumber { id, .. }) => journal::find(work, &id),
            None => Ok(None),
        }
    };
    let account = balance.account.clone();
    let last = work.tx().last::<EntryNumber>(&())?.map_or(0, |last| last.number);
    let (mut from, mut to) = (1, last + 1);
    while from < to {
        let middle = from + (to - from) / 2;
        match entry_of(middle)? {
            Some(entry) if entry.recorded_at <= moment => from = middle + 1,
            _ => to = middle,
        }
    }
    for number in from..=last {
        let Some(entry) = entry_of(number)? else { continue };
        if date.is_some_and(|date| entry.new.date > date) {
            continue;
        }
        for line in entry.new.lines.iter().filter(|line| line.account == account) {
            balance = balance.without(line).ok_or_else(|| damaged(&line.account, "entries of more than was posted"))?;
        }
    }
    Ok(balance)
}

/// `denied` unless the balance of this account may be read; of a malformed one: of any.
///
/// # Errors
/// `ledger-read-denied`.
pub fn check_balance(work: &Work, account: Option<&Id>) -> Result<()> {
    let rights = work.rights();
    match account {
        Some(account) => rights.check_read_account(Operation::BalancesGet, account, kind_of(work, account)?)?,
        None => rights.check_read_ledger(Operation::BalancesGet)?,
    }
    Ok(())
}

/// Every posting account that may be read, with its balance; accounts without postings are there with zeros. With every
/// account readable, debits equal credits in each currency. An account of which no history is known as of the day is refused as by
/// [`balance`].
///
/// # Errors
/// `too-many-rows` above [`MAX_ROWS`].
pub fn trial_balance(work: &Work, as_of: Option<BusinessDate>) -> Result<TrialBalance> {
    let mut rows = Vec::new();
    let mut totals = BTreeMap::<Currency, (u128, u128)>::new();
    let mut base_totals = BTreeMap::<Currency, (u128, u128)>::new();
    let mut after = None;
    loop {
        let accounts = work.tx().scan::<Account>(&(), after.as_deref(), CHUNK)?;
        let last = accounts.len() < CHUNK;
        after = accounts.last().map(|(key, _)| key.clone());
        for (_, Account { new: account, .. }) in accounts {
            let readable = work.rights().read_account(Operation::TrialBalance, &account.code, Some(account.kind));
            if !account.posting || !readable {
                continue;
            }
            if rows.len() == MAX_ROWS {
                let message = format!("a trial balance has at most {MAX_ROWS} accounts; ask for balances one by one");
                return Err(Error::refused("too-many-rows", message).into());
            }
            let total = work.tx().get::<AccountTotal>(&account.code)?;
            let total = total.ok_or_else(|| damaged(&account.code, "a posting account without totals"))?;
            let dated = AsOf { date: as_of, recorded_at: None };
            let balance = answer(work, &total, account.kind, dated)?;
            if let Some(base) = &balance.base {
                let (debits, credits) = base_totals.entry(base.currency).or_default();
                *debits = debits.saturating_add(u128::from(base.debits));
                *credits = credits.saturating_add(u128::from(base.credits));
            }
            let (debits, credits) = totals.entry(balance.currency).or_default();
            *debits = debits.saturating_add(u128::from(balance.debits));
            *credits = credits.saturating_add(u128::from(balance.credits));
            rows.push(TrialBalanceRow { name: account.name, kind: account.kind, balance });
        }
        if last {
            break;
        }
    }
    let total = |(currency, (debits, credits))| TrialBalanceTotal { currency, debits, credits };
    Ok(TrialBalance {
        as_of,
        rows,
        totals: totals.into_iter().map(total).collect(),
        base_totals: base_totals.into_iter().map(total).collect(),
    })
}

/// What was posted to a posting account by entries dated up to and on `as_of`, whoever asks.
///
/// # Errors
/// `history-not-kept`.
pub(crate) fn posted(work: &Work, account: &Id, as_of: Option<BusinessDate>) -> Result<Balance> {
    let total = work.tx().get::<AccountTotal>(account)?;
    let total = total.ok_or_else(|| damaged(account, "a posting account without totals"))?;
    if as_of.is_some() {
        gaps::check(work, &total, as_of)?;
    }
    up_to(work, total.balance, as_of, total.months)
}

/// The balance as of a day, from that of all days: what was posted in later months is taken off, and on later days of the month. Of
/// an account without months, all later days.
fn up_to(work: &Work, mut balance: Balance, as_of: Option<BusinessDate>, months: bool) -> Result<Balance> {
    let Some(as_of) = as_of else { return Ok(balance) };
    let account = balance.account.clone();
    let key = |date: BusinessDate| (account.clone(), date);
    let (after, last) = (Bound::Excluded(key(as_of)), if months { as_of.last_of_month() } else { BusinessDate::MAX });
    balance = take_off::<AccountDay>(work, balance, (after, Bound::Included(key(last))), |day| day)?;
    if months {
        let range = (Bound::Excluded(key(as_of.first_of_month())), Bound::Included(key(BusinessDate::MAX)));
        balance = take_off::<AccountMonth>(work, balance, range, |month| &month.0)?;
    }
    Ok(balance)
}

type Range = (Bound<(Id, BusinessDate)>, Bound<(Id, BusinessDate)>);

/// The balance without what the records of a range say.
fn take_off<R: Record<Key = (Id, BusinessDate)>>(
    work: &Work,
    mut balance: Balance,
    (mut from, to): Range,
    of: impl Fn(&R) -> &AccountDay,
) -> Result<Balance> {
    let account = balance.account.clone();
    loop {
        let rows = work.tx().scan_range::<R>(from, to.clone(), CHUNK)?;
        for (_, row) in &rows {
            let taken = balance.before(of(row));
            balance = taken.ok_or_else(|| damaged(&account, "a day or month with more than was posted in all"))?;
        }
        match rows.last().filter(|_| rows.len() == CHUNK) {
            Some((_, row)) => from = Bound::Excluded(row.key()),
            None => return Ok(balance),
        }
    }
}

fn damaged(account: &Id, what: &str) -> Failure {
    StoreError::Corrupt { place: format!("the totals of account {account}"), what: what.to_owned() }.into()
}
