//! `backroom:ledger/review`: reports that look through the journal.

use backroom_domain::rights::{Operation, Pattern};
use backroom_domain::{Error, Result as DomainResult};
use backroom_office::ledger::{
    self,
    reports::{self, Narrower},
};

use super::FIXED;
use super::reports::{account_type, days, minor, net, stated};
use crate::bindings::backroom::ledger::review::{
    AccountLines, BadEntry, CashFlowOf, CashRow, CashTotal, DimensionRow, Host, Span, Verified,
};
use crate::convert::{self, Form};
use crate::error::HostError;
use crate::state::RunState;

/// The most patterns of cash accounts.
const MAX_CASH: usize = 100;

impl Host for RunState {
    fn cash_flow(&mut self, cash: Vec<String>, span: Span) -> Result<CashFlowOf, HostError> {
        let _host = self.guest.enter(cash.iter().map(String::len).sum())?;
        let mut form = Form::default();
        let span = days(&mut form, span)?;
        let denied = || self.work.rights().check_read_ledger(Operation::CashFlow);
        form.finish(denied, || Ok(()))?;
        let too_many =
            || Error::invalid("pattern-invalid", "cash", format!("at most {MAX_CASH} patterns of cash accounts"));
        let patterns = match cash.len() {
            n if n > MAX_CASH => Err(too_many()),
            _ => cash.iter().map(|text| Pattern::parse(text)).collect::<DomainResult<Vec<_>>>(),
        };
        let patterns = patterns.map_err(|error| convert::denied_first(denied(), error))?;
        let told = reports::cash_flow(&self.work, &patterns, &span)?;
        let bytes = (told.rows.len() + told.totals.len() + 1) * 2 * FIXED + told.cash.len() * FIXED;
        self.guest.leave_report(bytes, Narrower::Days)?;
        Ok(CashFlowOf {
            cash: told.cash.into_iter().map(String::from).collect(),
            rows: told.rows.into_iter().map(cash_row).collect::<DomainResult<_>>()?,
            totals: told.totals.into_iter().map(cash_total).collect::<DomainResult<_>>()?,
        })
    }

    fn general_ledger(&mut self, span: Span) -> Result<Vec<AccountLines>, HostError> {
        let _host = self.guest.enter(0)?;
        let mut form = Form::default();
        let span = days(&mut form, span)?;
        form.finish(|| self.work.rights().check_read_ledger(Operation::GeneralLedger), || Ok(()))?;
        let told = reports::general_ledger(&self.work, &span)?;
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let size = |line: &reports::StatedLine| 2 * FIXED + text(&line.description) + text(&line.memo);
        let bytes = told.iter().map(|one| 2 * FIXED + one.lines.iter().map(size).sum::<usize>()).sum();
        self.guest.leave_report(bytes, Narrower::Account)?;
        let account = |one: reports::AccountLines| {
            Ok(AccountLines {
                account: one.account.into(),
                name: one.name,
                currency: one.currency.into(),
                opening: net(one.opening)?,
                lines: one.lines.into_iter().map(stated).collect::<DomainResult<_>>()?,
                closing: net(one.closing)?,
            })
        };
        Ok(told.into_iter().map(account).collect::<DomainResult<_>>()?)
    }

    fn by_dimension(&mut self, dimension: String, span: Span) -> Result<Vec<DimensionRow>, HostError> {
        let _host = self.guest.enter(dimension.len())?;
        let mut form = Form::default();
        let name = form.id(&dimension, || "dimension".to_owned())?;
        let span = days(&mut form, span)?;
        form.finish(|| self.work.rights().check_read_ledger(Operation::ByDimension), || Ok(()))?;
        let told = reports::by_dimension(&self.work, &name, &span)?;
        self.guest.leave_report(told.len() * 2 * FIXED, Narrower::Days)?;
        let row = |row: reports::DimensionRow| {
            Ok(DimensionRow {
                value: row.value.map(String::from),
                account: row.account.into(),
                currency: row.currency.into(),
                debits: minor(row.debits)?,
                credits: minor(row.credits)?,
            })
        };
        Ok(told.into_iter().map(row).collect::<DomainResult<_>>()?)
    }

    fn verify(&mut self, first: Option<u64>, last: Option<u64>) -> Result<Verified, HostError> {
        let _host = self.guest.enter(0)?;
        let told = ledger::verify(&self.work, first, last)?;
        self.guest.leave(2 * FIXED)?;
        let bad = told.bad.map(|ledger::BadEntry { number, what }| BadEntry { number, what });
        Ok(Verified { first: told.from, last: told.to, entries: told.entries, head: told.head.to_string(), bad })
    }
}

fn cash_row(row: reports::CashRow) -> DomainResult<CashRow> {
    Ok(CashRow {
        account: row.account.into(),
        name: row.name,
        kind: account_type(row.kind),
        currency: row.currency.into(),
        inflow: minor(row.inflow)?,
        outflow: minor(row.outflow)?,
    })
}

fn cash_total(total: reports::CashTotal) -> DomainResult<CashTotal> {
    Ok(CashTotal {
        currency: total.currency.into(),
        opening: net(total.opening)?,
        inflow: minor(total.inflow)?,
        outflow: minor(total.outflow)?,
        closing: net(total.closing)?,
    })
}
