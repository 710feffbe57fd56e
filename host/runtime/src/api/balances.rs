//! `backroom:ledger/balances`: what was posted to an account.

use backroom_domain::ledger as domain;
use backroom_domain::rights::Operation;
use backroom_office::ledger;

use super::FIXED;
use crate::bindings::backroom::ledger::balances::{Balance, BaseBalance, BusinessDate, Counters, Host, Instant};
use crate::convert::{self, Form};
use crate::error::HostError;
use crate::state::RunState;

impl Host for RunState {
    fn get(&mut self, account: String, as_of: Option<BusinessDate>) -> Result<Balance, HostError> {
        let _host = self.guest.enter(account.len())?;
        let mut form = Form::default();
        let id = form.id(&account, || "account".to_owned())?;
        let as_of = as_of.map(|date| form.date(date, "as-of")).transpose()?;
        let known = (!form.has("id-invalid")).then_some(&id);
        form.finish(|| ledger::check_balance(&self.work, known), || Ok(()))?;
        let balance = ledger::balance(&self.work, &id, as_of)?;
        self.guest.leave(FIXED)?;
        Ok(given(balance))
    }

    fn get_many(
        &mut self,
        accounts: Vec<String>,
        as_of: Option<BusinessDate>,
        recorded_at: Option<Instant>,
    ) -> Result<Vec<Counters>, HostError> {
        let _host = self.guest.enter(accounts.iter().map(String::len).sum())?;
        self.work.rights().check_read_ledger(Operation::BalancesGetMany)?;
        let mut form = Form::default();
        let ids = accounts.iter().enumerate().map(|(i, code)| form.id(code, || format!("accounts[{i}]")));
        let ids = ids.collect::<Result<Vec<_>, _>>()?;
        let date = as_of.map(|date| form.date(date, "as-of")).transpose()?;
        form.finish::<HostError>(|| Ok(()), || Ok(()))?;
        let recorded_at = recorded_at.map(|at| backroom_domain::Instant(at.microseconds));
        let balances = ledger::balances_at(&self.work, &ids, ledger::AsOf { date, recorded_at })?;
        self.guest.leave(balances.len() * 2 * FIXED)?;
        Ok(balances.into_iter().map(counters).collect())
    }

    fn trial_balance(&mut self, as_of: Option<BusinessDate>) -> Result<Vec<Balance>, HostError> {
        let _host = self.guest.enter(0)?;
        let as_of = as_of.map(|date| convert::date_from(date, "as-of")).transpose()?;
        let trial = ledger::trial_balance(&self.work, as_of)?;
        self.guest.leave(trial.rows.len() * FIXED)?;
        Ok(trial.rows.into_iter().map(|row| given(row.balance)).collect())
    }
}

fn counters(balance: domain::Balance) -> Counters {
    let available = balance.available.unwrap_or_default();
    let base = balance.base.map(|base| BaseBalance {
        currency: base.currency.into(),
        debits: base.debits,
        credits: base.credits,
    });
    Counters {
        account: balance.account.into(),
        currency: balance.currency.into(),
        debits: balance.debits,
        credits: balance.credits,
        debits_held: balance.debits_held,
        credits_held: balance.credits_held,
        overdrawn: available.value() < 0,
        available: available.minor,
        base,
    }
}

fn given(balance: domain::Balance) -> Balance {
    let domain::Balance { account, currency, debits, credits, .. } = balance;
    Balance { account: account.into(), currency: currency.into(), debits, credits }
}
