//! Balances, now and as of a day of the books.

use std::collections::BTreeMap;

use backroom_domain::ledger::{
    Account, AccountDay, AccountTotal, Balance, TrialBalance, TrialBalanceRow, TrialBalanceTotal,
};
use backroom_domain::rights::Operation;
use backroom_domain::{BusinessDate, Class, Currency, Error, Id};
use backroom_store::{RecordKey as _, StoreError};

use crate::error::{Failure, Result};
use crate::ledger::accounts::kind_of;
use crate::work::Work;

/// The most accounts of a trial balance.
pub const MAX_ROWS: usize = 10_000;

/// Records read at once.
const CHUNK: usize = 1_000;

/// What was posted to an account by entries dated up to and on `as_of` (by all, if none). Needs the right to read it.
/// One read for the whole; as of a day, one read for each later day with postings more.
///
/// # Errors
/// In order: `ledger-read-denied`; `not-found`; `account-is-header`.
pub fn balance(work: &Work, account: &Id, as_of: Option<BusinessDate>) -> Result<Balance> {
    check_balance(work, Some(account))?;
    let Some(total) = work.tx().get::<AccountTotal>(account)? else {
        return Err(match work.tx().get::<Account>(account)? {
            None => Error::not_found("account", account),
            Some(_) => {
                let message = format!("account {account} is a header account, which has no balance of its own");
                Error::at(Class::Refused, "account-is-header", "account", message)
            }
        }
        .into());
    };
    up_to(work, total.balance, as_of)
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
/// account readable, debits equal credits in each currency.
///
/// # Errors
/// `too-many-rows` above [`MAX_ROWS`].
pub fn trial_balance(work: &Work, as_of: Option<BusinessDate>) -> Result<TrialBalance> {
    let mut rows = Vec::new();
    let mut totals = BTreeMap::<Currency, (u128, u128)>::new();
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
            let balance = up_to(work, total.balance, as_of)?;
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
    Ok(TrialBalance { as_of, rows, totals: totals.into_iter().map(total).collect() })
}

/// What was posted to a posting account by entries dated up to and on `as_of`, whoever asks.
pub(crate) fn posted(work: &Work, account: &Id, as_of: Option<BusinessDate>) -> Result<Balance> {
    let total = work.tx().get::<AccountTotal>(account)?;
    let total = total.ok_or_else(|| damaged(account, "a posting account without totals"))?;
    up_to(work, total.balance, as_of)
}

/// The balance as of a day, from that of all days: what was posted on later days is taken off, as the day that is asked for is
/// mostly a recent one.
fn up_to(work: &Work, mut balance: Balance, as_of: Option<BusinessDate>) -> Result<Balance> {
    let Some(as_of) = as_of else { return Ok(balance) };
    let account = balance.account.clone();
    let mut after = Vec::new();
    (&account, as_of).write(&mut after);
    loop {
        let days = work.tx().scan::<AccountDay>(&account, Some(&after), CHUNK)?;
        let last = days.len() < CHUNK;
        for (key, day) in days {
            balance =
                balance.before(&day).ok_or_else(|| damaged(&account, "a day with more than was posted in all"))?;
            after = key;
        }
        if last {
            return Ok(balance);
        }
    }
}

fn damaged(account: &Id, what: &str) -> Failure {
    StoreError::Corrupt { place: format!("the totals of account {account}"), what: what.to_owned() }.into()
}
