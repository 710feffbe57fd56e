//! `backroom:ledger/budgets`: set and looked at.

use backroom_domain::Error;
use backroom_domain::ledger as domain;
use backroom_domain::rights::Operation;
use backroom_office::ledger;

use super::FIXED;
use crate::bindings::backroom::ledger::budgets::{
    Budget, BudgetAction, BudgetPage, BudgetPeriod, BudgetRow, BudgetSet, BudgetStatus, Host, NewBudget,
};
use crate::bindings::backroom::ledger::journal::Dimension;
use crate::convert::{self, Form};
use crate::error::HostError;
use crate::state::RunState;

impl Host for RunState {
    fn set(&mut self, book: String, budget: NewBudget, replaces: Option<u32>) -> Result<BudgetSet, HostError> {
        let bytes = book.len() + (budget.periods.len() + 2) * FIXED;
        let _host = self.guest.enter(bytes)?;
        let mut form = Form::default();
        let id = form.id(&book, || "book".to_owned())?;
        let known = (!form.has("id-invalid")).then(|| id.clone());
        let new = new_budget(&mut form, &budget)?;
        form.finish(
            || self.work.rights().check_budgets(Operation::BudgetsSet, known.as_ref()),
            || domain::budgets::check_budget(&new),
        )?;
        let changed = ledger::set_budget(&mut self.work, &id, new, replaces)?;
        self.staged(bytes)?;
        self.guest.leave(FIXED)?;
        Ok(BudgetSet { version: changed.value.version, replayed: changed.replayed })
    }

    fn status(&mut self, book: String, id: String) -> Result<BudgetStatus, HostError> {
        let _host = self.guest.enter(book.len() + id.len())?;
        let mut form = Form::default();
        let of = form.id(&book, || "book".to_owned())?;
        let id = form.id(&id, || "id".to_owned())?;
        form.finish(|| self.work.rights().check_read_ledger(Operation::BudgetsStatus), || Ok(()))?;
        let ledger::BudgetStatus { budget, lines } = ledger::budget_status(&self.work, &of, &id)?;
        self.guest.leave(3 * FIXED * (lines.len() + 1))?;
        Ok(BudgetStatus { budget: given(budget), rows: lines.into_iter().map(row).collect() })
    }

    fn list(&mut self, book: String, cursor: Option<String>, limit: u32) -> Result<BudgetPage, HostError> {
        let _host = self.guest.enter(book.len())?;
        let page = ledger::list_budgets(
            &self.work,
            &backroom_domain::Id::parse(&book, "book")?,
            &convert::page_request(cursor, limit),
        )?;
        let (items, next) = convert::page(page, given);
        self.guest.leave(items.iter().map(|budget| FIXED * (budget.periods.len() + 3)).sum())?;
        Ok(BudgetPage { items, next })
    }
}

fn new_budget(form: &mut Form, budget: &NewBudget) -> Result<domain::NewBudget, Error> {
    let dimension = |form: &mut Form, dimension: &Dimension| {
        let field = || "dimension".to_owned();
        Ok::<_, Error>(domain::Dimension {
            name: form.id(&dimension.name, field)?,
            value: form.id(&dimension.value, field)?,
        })
    };
    let period = |form: &mut Form, i: usize, period: &BudgetPeriod| {
        Ok::<_, Error>(domain::BudgetPeriod {
            first: form.date(period.first_day, &format!("periods[{i}].first-day"))?,
            last: form.date(period.last_day, &format!("periods[{i}].last-day"))?,
            amount: form.money(&period.amount, || format!("periods[{i}].amount"))?,
        })
    };
    let periods = budget.periods.iter().enumerate().map(|(i, one)| period(form, i, one));
    let periods = periods.collect::<Result<_, Error>>()?;
    Ok(domain::NewBudget {
        id: form.id(&budget.id, || "id".to_owned())?,
        account: form.id(&budget.account, || "account".to_owned())?,
        dimension: budget.dimension.as_ref().map(|one| dimension(form, one)).transpose()?,
        periods,
        action: match budget.action {
            BudgetAction::Warn => domain::BudgetAction::Warn,
            BudgetAction::Stop => domain::BudgetAction::Stop,
        },
    })
}

fn given(budget: domain::Budget) -> Budget {
    let domain::Budget { new, version, recorded_at, .. } = budget;
    let dimension = |d: domain::Dimension| Dimension { name: d.name.into(), value: d.value.into() };
    let period = |period: domain::BudgetPeriod| BudgetPeriod {
        first_day: convert::date(period.first),
        last_day: convert::date(period.last),
        amount: convert::money(period.amount),
    };
    Budget {
        id: new.id.into(),
        account: new.account.into(),
        dimension: new.dimension.map(dimension),
        periods: new.periods.into_iter().map(period).collect(),
        action: match new.action {
            domain::BudgetAction::Warn => BudgetAction::Warn,
            domain::BudgetAction::Stop => BudgetAction::Stop,
        },
        version,
        recorded_at: convert::instant(recorded_at),
    }
}

fn row(row: ledger::BudgetRow) -> BudgetRow {
    let ledger::BudgetRow { line, standing } = row;
    BudgetRow {
        first_day: convert::date(line.first),
        last_day: convert::date(line.last),
        amount: convert::money(line.amount),
        debits: line.debits,
        credits: line.credits,
        used: standing.used,
        available: standing.available,
        over: standing.over,
    }
}
