//! The chart of accounts.

use backroom_domain::ledger::{
    self, Account, AccountChange, AccountClosing, AccountRules, AccountTotal, AccountType, Closing, NewAccount,
};
use backroom_domain::rights::Operation;
use backroom_domain::{Class, Effect, Error, Id};

use crate::error::Result;
use crate::ledger::making::How;
use crate::ledger::{books, gaps, holds, journal, reverse};
use crate::listing::{Step, list};
use crate::page::{Page, PageRequest};
use crate::work::Work;

/// Adds an account to the chart; needs the right to set up accounts of its book. A repeat with the same content gives the account on
/// record.
///
/// # Errors
/// In order: `chart-denied`; the form of the account (see [`ledger::check_account`]); `exists-with-different`;
/// `parent-not-found`; `parent-is-posting`; `type-differs-from-parent`; `book-mismatch` (a parent in another book).
pub fn create_account(work: &mut Work, new: NewAccount) -> Result<Account> {
    books::check_chart(work, Operation::CreateAccount, &new.code)?;
    ledger::check_account(&new)?;
    if let Some(existing) = work.tx().get::<Account>(&new.code)? {
        ledger::same_account(&existing, &new)?;
        return Ok(existing);
    }
    let parent = match &new.parent {
        Some(code) => work.tx().get::<Account>(code)?,
        None => None,
    };
    ledger::check_parent(&new, parent.as_ref())?;
    let account = Account::created(new, work.now);
    let rules = books::posting_rules(work, &account)?;
    if let Some(parent) = &account.new.parent
        && books::book_of(work, parent)?.0 != rules.book
    {
        let message = format!("the header account {parent} is of another book");
        return Err(Error::at(Class::Refused, "book-mismatch", "parent", message).into());
    }
    if account.new.posting {
        let NewAccount { code, currency, stock_control, .. } = &account.new;
        let mut total = AccountTotal::zero(code.clone(), *currency, *stock_control);
        total.rules = Some(Box::new(rules));
        work.put(&total)?;
    }
    work.put(&account)?;
    work.effect(Effect::AccountCreated(account.clone()));
    Ok(account)
}

/// Changes the name or the rules of an account; needs the right to set up accounts of its book, and for rules with limits the right to
/// read the account as well: whether they are refused says where its balance stands.
///
/// # Errors
/// In order: `chart-denied`; `ledger-read-denied`; the form of the account (see [`ledger::check_account`]); `not-found`;
/// `version-conflict`; `limit-already-breached`.
pub fn update_account(work: &mut Work, code: &Id, change: AccountChange) -> Result<Account> {
    check_update(work, code, &change)?;
    let account = work.tx().get::<Account>(code)?;
    let limited = sets_limits(&change);
    let changed = ledger::changed_account(account.as_ref(), code, change)?;
    let history = account.is_some_and(|account| account.new.rules.history != changed.new.rules.history);
    if changed.new.posting && (limited || history) {
        // What ended before is of the time before, in the days or not.
        holds::expire_due(work)?;
    }
    if changed.new.posting && limited {
        let total = books::total_of(work, code)?;
        let AccountRules { min_available, max_available, .. } = changed.new.rules;
        ledger::check_new_limits(&total, changed.new.kind, min_available, max_available)?;
    }
    put_changed(work, changed)
}

/// `denied` unless the account may be changed so, whatever else is wrong with the change.
///
/// # Errors
/// In order: `chart-denied`; `ledger-read-denied`.
pub fn check_update(work: &Work, code: &Id, change: &AccountChange) -> Result<()> {
    books::check_chart(work, Operation::UpdateAccount, code)?;
    if sets_limits(change) {
        work.rights().check_read_account(Operation::UpdateAccount, code, kind_of(work, code)?)?;
    }
    Ok(())
}

fn sets_limits(change: &AccountChange) -> bool {
    change.rules.as_ref().is_some_and(AccountRules::has_limits)
}

/// Closes an account: nothing is posted to it any more, until it is opened again. Needs the right to set up
/// accounts of its book. A balance goes where it is told to, by an entry of the day of the work; one that is closed already stays as
/// it is.
///
/// # Errors
/// In order: `chart-denied`; `text-invalid`; `not-found`; `has-open-holds`; `non-zero-balance` without a sweep; then as
/// [`post`](super::post).
pub fn close_account(work: &mut Work, code: &Id, closing: AccountClosing) -> Result<Account> {
    books::check_chart(work, Operation::CloseAccount, code)?;
    reverse::check_reason(&closing.reason, "reason")?;
    let account = work.tx().get::<Account>(code)?.ok_or_else(|| Error::not_found("account", code))?;
    if account.closed.is_some() {
        return Ok(account);
    }
    holds::expire_due(work)?;
    work.attempt(|work| {
        if account.new.posting {
            let total = books::total_of(work, code)?;
            if let Some(sweep) = ledger::sweep_entry(&total, closing.sweep.as_ref(), work.today, &closing.reason)? {
                journal::check_post(work, Operation::JournalPost, &sweep.lines, Some(sweep.date), true)?;
                journal::check_new_id(work, &sweep.id)?;
                journal::post_new(work, sweep, How::of(Operation::JournalPost))?;
            }
        }
        let closed = Some(Closing { reason: closing.reason, at: work.now });
        put_changed(work, Account { closed, version: account.version.saturating_add(1), ..account })
    })
}

/// Opens a closed account again; needs the right to set up accounts of its book. One that is open stays as it is.
///
/// # Errors
/// In order: `chart-denied`; `not-found`.
pub fn reopen_account(work: &mut Work, code: &Id) -> Result<Account> {
    books::check_chart(work, Operation::ReopenAccount, code)?;
    let account = work.tx().get::<Account>(code)?.ok_or_else(|| Error::not_found("account", code))?;
    if account.closed.is_none() {
        return Ok(account);
    }
    put_changed(work, Account { closed: None, version: account.version.saturating_add(1), ..account })
}

/// Puts a changed account on record, and its rules with its total.
fn put_changed(work: &mut Work, account: Account) -> Result<Account> {
    if account.new.posting {
        let mut total = books::total_of(work, &account.new.code)?;
        total.gap = Some(gaps::known(work, &total)?);
        total.rules = Some(Box::new(books::posting_rules(work, &account)?));
        work.put(&total)?;
    }
    work.put(&account)?;
    work.effect(Effect::AccountChanged(account.clone()));
    Ok(account)
}

/// The account with this code; needs the right to read it.
///
/// # Errors
/// In order: `ledger-read-denied`; `not-found`.
pub fn get_account(work: &Work, code: &Id) -> Result<Account> {
    work.rights().check_read_account(Operation::AccountsGet, code, kind_of(work, code)?)?;
    Ok(work.tx().get::<Account>(code)?.ok_or_else(|| Error::not_found("account", code))?)
}

/// Accounts in order of their codes, those left out that may not be read. A page may be short and still have a next.
///
/// # Errors
/// `limit-invalid`, `cursor-invalid`.
pub fn list_accounts(work: &Work, request: &PageRequest) -> Result<Page<Account>> {
    list::<Account, _>(work, &(), None, request, |account| {
        let visible = work.rights().read_account(Operation::AccountsList, &account.new.code, Some(account.new.kind));
        Ok(if visible { Step::Take(account) } else { Step::Skip })
    })
}

/// The type of an account, if there is a right that depends on it; none as well if there is no such account.
pub(crate) fn kind_of(work: &Work, code: &Id) -> Result<Option<AccountType>> {
    if !work.rights().by_account_type() {
        return Ok(None);
    }
    Ok(work.tx().get::<Account>(code)?.map(|account| account.new.kind))
}
