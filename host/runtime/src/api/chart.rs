//! `backroom:ledger/chart`: setting up books and accounts.

use backroom_domain::ledger::{self as domain, AccountType as Of};
use backroom_domain::rights::Operation;
use backroom_domain::{Error, Id};
use backroom_office::ledger;

use super::FIXED;
use crate::bindings::backroom::ledger::accounts::AccountType;
use crate::bindings::backroom::ledger::chart::{
    AccountChange, AccountRules, AccountState, Host, NewAccount, NewBook, Sweep,
};
use crate::bindings::backroom::ledger::journal::Signed;
use crate::convert::{self, Form};
use crate::error::HostError;
use crate::state::RunState;

impl Host for RunState {
    fn create_book(&mut self, book: NewBook) -> Result<(), HostError> {
        let accounts = [&book.retained_earnings, &book.exchange_gain, &book.exchange_loss];
        let bytes = book.id.len() + book.name.len() + accounts.map(some).iter().sum::<usize>() + 4 * FIXED;
        let _host = self.guest.enter(bytes)?;
        let mut form = Form::default();
        let id = form.id(&book.id, || "id".to_owned())?;
        let known = (!form.has("id-invalid")).then(|| id.clone());
        let new = domain::NewBook {
            id,
            name: book.name,
            base: form.currency(&book.base, || "base".to_owned())?,
            year_start: book.year_start,
            retained_earnings: form.some_id(book.retained_earnings.as_ref(), "retained-earnings")?,
            exchange_gain: form.some_id(book.exchange_gain.as_ref(), "exchange-gain")?,
            exchange_loss: form.some_id(book.exchange_loss.as_ref(), "exchange-loss")?,
        };
        form.finish(
            || self.work.rights().check_chart(Operation::CreateBook, known.as_ref()),
            || domain::check_book(&new),
        )?;
        ledger::create_book(&mut self.work, new)?;
        self.staged(bytes)?;
        Ok(())
    }

    fn create_account(&mut self, account: NewAccount) -> Result<AccountState, HostError> {
        let bytes = account.code.len()
            + account.name.len()
            + some(&account.parent)
            + rules_size(account.rules.as_ref())
            + 4 * FIXED;
        let _host = self.guest.enter(bytes)?;
        let mut form = Form::default();
        let code = form.id(&account.code, || "code".to_owned())?;
        let known = (!form.has("id-invalid")).then(|| code.clone());
        let new = domain::NewAccount {
            code,
            name: account.name,
            kind: kind(account.kind),
            parent: form.some_id(account.parent.as_ref(), "parent")?,
            currency: form.currency(&account.currency, || "currency".to_owned())?,
            posting: account.posting,
            stock_control: account.stock_control,
            rules: account.rules.map(|given| rules(&mut form, given)).transpose()?.unwrap_or_default(),
        };
        self.chart_form(form, Operation::CreateAccount, known.as_ref(), || domain::check_account(&new))?;
        let account = ledger::create_account(&mut self.work, new)?;
        self.changed(account, bytes)
    }

    fn update_account(&mut self, code: String, change: AccountChange) -> Result<AccountState, HostError> {
        let bytes = code.len() + some(&change.name) + rules_size(change.rules.as_ref()) + 4 * FIXED;
        let _host = self.guest.enter(bytes)?;
        let mut form = Form::default();
        let code = form.id(&code, || "code".to_owned())?;
        let known = (!form.has("id-invalid")).then(|| code.clone());
        let change = domain::AccountChange {
            expected_version: change.expected_version,
            name: change.name,
            rules: change.rules.map(|given| rules(&mut form, given)).transpose()?,
        };
        let denied = || match &known {
            Some(code) => ledger::check_update(&self.work, code, &change),
            None => Ok(self.work.rights().check_chart(Operation::UpdateAccount, None)?),
        };
        form.finish(denied, || Ok(()))?;
        let account = ledger::update_account(&mut self.work, &code, change)?;
        self.changed(account, bytes)
    }

    fn close_account(&mut self, code: String, reason: String, sweep: Option<Sweep>) -> Result<AccountState, HostError> {
        let entry = sweep.as_ref().map_or(0, |sweep| sweep.to.len() + sweep.entry.len());
        let bytes = code.len() + reason.len() + entry + 4 * FIXED;
        let _host = self.guest.enter(bytes)?;
        let mut form = Form::default();
        let code = form.id(&code, || "code".to_owned())?;
        let known = (!form.has("id-invalid")).then(|| code.clone());
        let to = |sweep: Sweep, form: &mut Form| {
            Ok::<_, Error>(domain::Sweep {
                to: form.id(&sweep.to, || "sweep.to".to_owned())?,
                entry: form.id(&sweep.entry, || "sweep.entry".to_owned())?,
            })
        };
        let sweep = sweep.map(|sweep| to(sweep, &mut form)).transpose()?;
        self.chart_form(form, Operation::CloseAccount, known.as_ref(), || Ok(()))?;
        let account = ledger::close_account(&mut self.work, &code, domain::AccountClosing { reason, sweep })?;
        self.changed(account, bytes)
    }

    fn reopen_account(&mut self, code: String) -> Result<AccountState, HostError> {
        let _host = self.guest.enter(code.len())?;
        let mut form = Form::default();
        let code = form.id(&code, || "code".to_owned())?;
        self.chart_form(form, Operation::ReopenAccount, None, || Ok(()))?;
        let account = ledger::reopen_account(&mut self.work, &code)?;
        self.changed(account, 4 * FIXED)
    }
}

impl RunState {
    /// Of a malformed form: the denial first, for any book if the code is malformed.
    fn chart_form(
        &self,
        form: Form,
        operation: Operation,
        code: Option<&Id>,
        check: impl FnOnce() -> Result<(), Error>,
    ) -> Result<(), HostError> {
        let denied = || match code {
            Some(code) => Ok(ledger::check_chart(&self.work, operation, code)?),
            None => Ok(self.work.rights().check_chart(operation, None)?),
        };
        form.finish::<HostError>(denied, check)
    }

    fn changed(&mut self, account: domain::Account, bytes: usize) -> Result<AccountState, HostError> {
        self.staged(bytes)?;
        self.guest.leave(FIXED)?;
        let closed_at = account.closed.map(|closing| convert::instant(closing.at));
        Ok(AccountState { code: account.new.code.into(), version: account.version, closed_at })
    }
}

/// What a text takes in a call, if there is one.
fn some(text: &Option<String>) -> usize {
    text.as_ref().map_or(0, String::len)
}

/// What the rules of an account take.
fn rules_size(rules: Option<&AccountRules>) -> usize {
    rules.map_or(0, |rules| 4 * FIXED + rules.required_dimensions.iter().map(|name| 16 + name.len()).sum::<usize>())
}

fn kind(kind: AccountType) -> Of {
    match kind {
        AccountType::Asset => Of::Asset,
        AccountType::Liability => Of::Liability,
        AccountType::Equity => Of::Equity,
        AccountType::Income => Of::Income,
        AccountType::Expense => Of::Expense,
    }
}

fn rules(form: &mut Form, given: AccountRules) -> Result<domain::AccountRules, Error> {
    let amount = |signed: Signed| domain::Amount { negative: signed.negative, minor: signed.minor };
    let required = given.required_dimensions.iter();
    let required = required.map(|name| form.id(name, || "rules.required-dimensions".to_owned()));
    Ok(domain::AccountRules {
        manual: given.manual,
        reconcilable: given.reconcilable,
        history: given.history,
        min_available: given.min_available.map(amount),
        max_available: given.max_available.map(amount),
        required_dimensions: required.collect::<Result<_, Error>>()?,
        party_required: given.party_required,
    })
}
