//! `backroom:ledger/accounts`: the chart of accounts.

use backroom_domain::{Id, ledger as domain};
use backroom_office::ledger;

use super::FIXED;
use crate::bindings::backroom::ledger::accounts::{Account, AccountPage, AccountType, Host};
use crate::convert;
use crate::error::HostError;
use crate::state::RunState;

impl Host for RunState {
    fn get(&mut self, code: String) -> Result<Account, HostError> {
        let _host = self.guest.enter(code.len())?;
        let account = ledger::get_account(&self.work, &Id::parse(&code, "code")?)?;
        self.guest.leave(size(&account))?;
        Ok(given(account))
    }

    fn list(&mut self, cursor: Option<String>, limit: u32) -> Result<AccountPage, HostError> {
        let _host = self.guest.enter(0)?;
        let page = ledger::list_accounts(&self.work, &convert::page_request(cursor, limit))?;
        self.guest.leave(page.items.iter().map(size).sum())?;
        let (items, next) = convert::page(page, given);
        Ok(AccountPage { items, next })
    }
}

fn size(account: &domain::Account) -> usize {
    FIXED + account.new.code.as_str().len() + account.new.name.len()
}

fn given(account: domain::Account) -> Account {
    let domain::NewAccount { code, name, kind, parent, currency, posting, stock_control, .. } = account.new;
    let kind = match kind {
        domain::AccountType::Asset => AccountType::Asset,
        domain::AccountType::Liability => AccountType::Liability,
        domain::AccountType::Equity => AccountType::Equity,
        domain::AccountType::Income => AccountType::Income,
        domain::AccountType::Expense => AccountType::Expense,
    };
    Account {
        code: code.into(),
        name,
        kind,
        parent: parent.map(String::from),
        currency: currency.into(),
        posting,
        stock_control,
    }
}
