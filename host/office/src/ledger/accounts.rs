//! The chart of accounts.

use backroom_domain::ledger::{self, Account, AccountTotal, AccountType, NewAccount};
use backroom_domain::rights::Operation;
use backroom_domain::{Effect, Error, Id};

use crate::error::Result;
use crate::listing::{Step, list};
use crate::page::{Page, PageRequest};
use crate::work::Work;

/// Adds an account to the chart; needs `administer`. A repeat with the same content gives the account on record.
///
/// # Errors
/// In order: `administer-denied`; `text-invalid` and `header-with-stock-control` together; `exists-with-different`;
/// `parent-not-found`; `parent-is-posting`; `type-differs-from-parent`.
pub fn create_account(work: &mut Work, new: NewAccount) -> Result<Account> {
    work.rights().check_administer()?;
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

    let account = Account { new, recorded_at: work.now };
    if account.new.posting {
        work.put(&AccountTotal::zero(account.new.code.clone(), account.new.currency, account.new.stock_control))?;
    }
    work.put(&account)?;
    work.effect(Effect::AccountCreated(account.clone()));
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
