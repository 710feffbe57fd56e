//! `backroom:ledger/balances`: what was posted to an account.

use backroom_domain::ledger as domain;
use backroom_office::ledger;

use super::FIXED;
use crate::bindings::backroom::ledger::balances::{Balance, BusinessDate, Host};
use crate::convert::{self, Form};
use crate::error::HostError;
use crate::state::RunState;

impl Host for RunState {
    fn get(&mut self, account: String, as_of: Option<BusinessDate>) -> Result<Balance, HostError> {
        let _host = self.enter(account.len())?;
        let mut form = Form::default();
        let id = form.id(&account, || "account".to_owned())?;
        let as_of = as_of.map(|date| form.date(date, "as-of")).transpose()?;
        let known = (!form.has("id-invalid")).then_some(&id);
        form.finish(|| ledger::check_balance(&self.work, known), || Ok(()))?;
        let balance = ledger::balance(&self.work, &id, as_of)?;
        self.leave(FIXED)?;
        Ok(given(balance))
    }

    fn trial_balance(&mut self, as_of: Option<BusinessDate>) -> Result<Vec<Balance>, HostError> {
        let _host = self.enter(0)?;
        let as_of = as_of.map(|date| convert::date_from(date, "as-of")).transpose()?;
        let trial = ledger::trial_balance(&self.work, as_of)?;
        self.leave(trial.rows.len() * FIXED)?;
        Ok(trial.rows.into_iter().map(|row| given(row.balance)).collect())
    }
}

fn given(balance: domain::Balance) -> Balance {
    let domain::Balance { account, currency, debits, credits, .. } = balance;
    Balance { account: account.into(), currency: currency.into(), debits, credits }
}
