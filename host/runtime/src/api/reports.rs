//! `backroom:ledger/reports`: reports, explanations, exact splits.

use backroom_domain::ledger::{self as domain, AccountType, Fraction, reports as rows};
use backroom_domain::{Error, Id, MAX_MINOR, Result as DomainResult};
use backroom_office::ledger::{
    self,
    reports::{self, Narrower},
};

use super::FIXED;
use crate::bindings::backroom::ledger::accounts;
use crate::bindings::backroom::ledger::reports::{
    Assertion, BusinessDate, Column, Explanation, Host, LargestEntry, Money, Month, Net, Portion, ReportKind, ReportOf,
    ReportRow, ReportTotal, Side, Span, StatedLine, StatementPage, TotalOf,
};
use crate::convert::{self, Form};
use crate::error::HostError;
use crate::state::RunState;

impl Host for RunState {
    fn report(&mut self, kind: ReportKind, spans: Vec<Span>) -> Result<ReportOf, HostError> {
        let _host = self.guest.enter(spans.len() * FIXED)?;
        let kind = match kind {
            ReportKind::TrialBalance => rows::ReportKind::TrialBalance,
            ReportKind::BalanceSheet => rows::ReportKind::BalanceSheet,
            ReportKind::IncomeStatement => rows::ReportKind::IncomeStatement,
        };
        let mut form = Form::default();
        let spans = spans.iter().map(|span| days(&mut form, *span)).collect::<DomainResult<Vec<_>>>()?;
        form.finish(|| ledger::check_balance(&self.work, None), || Ok(()))?;
        let report = reports::report(&self.work, kind, &spans)?;
        let size = |row: &rows::ReportRow| FIXED + row.name.len() + (row.path.len() + row.columns.len()) * FIXED;
        let bytes = report.rows.iter().map(size).sum::<usize>() + report.totals.len() * FIXED * spans.len();
        self.guest.leave_report(bytes, Narrower::Columns)?;
        let rows = report.rows.into_iter().map(row).collect::<DomainResult<_>>()?;
        let totals = report.totals.into_iter().map(total).collect::<DomainResult<_>>()?;
        Ok(ReportOf { rows, totals })
    }

    fn statement(
        &mut self,
        account: String,
        span: Span,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<StatementPage, HostError> {
        let _host = self.guest.enter(account.len())?;
        let (account, span) = self.account_and_days(&account, span)?;
        let page = reports::statement(&self.work, &account, &span, &convert::page_request(cursor, limit))?;
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        self.guest.leave(page.lines.iter().map(|line| 2 * FIXED + text(&line.description) + text(&line.memo)).sum())?;
        let items = page.lines.into_iter().map(stated).collect::<DomainResult<_>>()?;
        let (opening, closing) = (net(page.opening)?, net(page.closing)?);
        Ok(StatementPage { currency: page.currency.into(), opening, items, closing, next: page.next })
    }

    fn explain(&mut self, account: String, span: Span, largest: u32) -> Result<Explanation, HostError> {
        let _host = self.guest.enter(account.len())?;
        let (account, span) = self.account_and_days(&account, span)?;
        let largest = usize::try_from(largest).unwrap_or(usize::MAX);
        let told = reports::explain(&self.work, &account, &span, largest)?;
        let text = |entry: &reports::Largest| entry.description.as_ref().map_or(0, String::len) + 2 * FIXED;
        let bytes = FIXED * (told.months.len() + 1) + told.largest.iter().map(text).sum::<usize>();
        self.guest.leave_report(bytes, Narrower::Days)?;
        Ok(explanation(told)?)
    }

    fn assert_balance(
        &mut self,
        account: String,
        date: BusinessDate,
        side: Side,
        amount: Money,
        tolerance: u64,
    ) -> Result<Assertion, HostError> {
        let _host = self.guest.enter(account.len())?;
        let mut form = Form::default();
        let id = form.id(&account, || "account".to_owned())?;
        let date = form.date(date, "date")?;
        let amount = form.money(&amount, || "amount".to_owned())?;
        let known = (!form.has("id-invalid")).then_some(&id);
        form.finish(|| ledger::check_balance(&self.work, known), || Ok(()))?;
        let told = reports::assert_balance(&self.work, &id, date, (convert::side_from(side), amount), tolerance)?;
        self.guest.leave(FIXED)?;
        let rows::Assertion { holds, balance, difference } = told;
        Ok(Assertion { holds, balance: net(balance)?, difference: net(difference)? })
    }

    fn allocate(&mut self, amount: Money, portions: Vec<Portion>) -> Result<Vec<Money>, HostError> {
        let _host = self.guest.enter(portions.len() * FIXED)?;
        let mut form = Form::default();
        let amount = form.money(&amount, || "amount".to_owned())?;
        let portion = |portion: &Portion| match portion {
            Portion::Fraction(f) => {
                domain::Portion::Fraction(Fraction { numerator: f.numerator, denominator: f.denominator })
            }
            Portion::Remainder => domain::Portion::Remainder,
        };
        let portions: Vec<_> = portions.iter().map(portion).collect();
        form.finish(|| ledger::check_balance(&self.work, None), || domain::allocate(amount, &portions).map(drop))?;
        let parts = reports::allocate(&self.work, amount, &portions)?;
        self.guest.leave(parts.len() * FIXED)?;
        Ok(parts.into_iter().map(convert::money).collect())
    }
}

impl RunState {
    fn account_and_days(&self, account: &str, span: Span) -> Result<(Id, rows::Span), HostError> {
        let mut form = Form::default();
        let id = form.id(account, || "account".to_owned())?;
        let span = days(&mut form, span)?;
        let known = (!form.has("id-invalid")).then_some(&id);
        form.finish(|| ledger::check_balance(&self.work, known), || Ok(()))?;
        Ok((id, span))
    }
}

pub(super) fn days(form: &mut Form, span: Span) -> DomainResult<rows::Span> {
    let from = span.first_day.map(|date| form.date(date, "first-day")).transpose()?;
    let to = span.last_day.map(|date| form.date(date, "last-day")).transpose()?;
    Ok(rows::Span { from, to })
}

/// Sums are wider than what the contract can carry.
pub(super) fn minor(sum: u128) -> DomainResult<u64> {
    u64::try_from(sum).ok().filter(|minor| *minor <= MAX_MINOR).ok_or_else(|| Error::overflow("a sum of the report"))
}

pub(super) fn net(net: rows::Net) -> DomainResult<Net> {
    Ok(Net { side: convert::side(net.side), minor: minor(net.minor)? })
}

fn column(column: rows::Column) -> DomainResult<Column> {
    let rows::Column { opening, debits, credits, closing } = column;
    Ok(Column { opening: net(opening)?, debits: minor(debits)?, credits: minor(credits)?, closing: net(closing)? })
}

pub(super) fn account_type(kind: AccountType) -> accounts::AccountType {
    match kind {
        AccountType::Asset => accounts::AccountType::Asset,
        AccountType::Liability => accounts::AccountType::Liability,
        AccountType::Equity => accounts::AccountType::Equity,
        AccountType::Income => accounts::AccountType::Income,
        AccountType::Expense => accounts::AccountType::Expense,
    }
}

fn row(row: rows::ReportRow) -> DomainResult<ReportRow> {
    Ok(ReportRow {
        account: row.account.into(),
        name: row.name,
        kind: account_type(row.kind),
        path: row.path.into_iter().map(String::from).collect(),
        posting: row.posting,
        currency: row.currency.into(),
        columns: row.columns.into_iter().map(column).collect::<DomainResult<_>>()?,
    })
}

fn total(total: rows::ReportTotal) -> DomainResult<ReportTotal> {
    let of = match total.total {
        rows::Total::Asset => TotalOf::Asset,
        rows::Total::Liability => TotalOf::Liability,
        rows::Total::Equity => TotalOf::Equity,
        rows::Total::Income => TotalOf::Income,
        rows::Total::Expense => TotalOf::Expense,
        rows::Total::Earnings => TotalOf::Earnings,
        rows::Total::All => TotalOf::All,
    };
    let columns = total.columns.into_iter().map(column).collect::<DomainResult<_>>()?;
    Ok(ReportTotal { total: of, currency: total.currency.into(), columns })
}

pub(super) fn stated(line: reports::StatedLine) -> DomainResult<StatedLine> {
    Ok(StatedLine {
        entry: line.entry.map(String::from),
        number: line.number,
        line: line.line,
        date: convert::date(line.date),
        description: line.description,
        memo: line.memo,
        side: convert::side(line.side),
        minor: line.minor,
        balance: net(line.balance)?,
    })
}

fn explanation(told: reports::Explanation) -> DomainResult<Explanation> {
    let month = |month: reports::Month| {
        let (debits, credits, balance) = (minor(month.debits)?, minor(month.credits)?, net(month.balance)?);
        Ok(Month { year: month.year, month: month.month, entries: month.entries, debits, credits, balance })
    };
    let largest = |entry: reports::Largest| {
        Ok(LargestEntry {
            entry: entry.entry.map(String::from),
            number: entry.number,
            date: convert::date(entry.date),
            description: entry.description,
            change: net(entry.change)?,
        })
    };
    Ok(Explanation {
        currency: told.currency.into(),
        opening: net(told.opening)?,
        months: told.months.into_iter().map(month).collect::<DomainResult<_>>()?,
        largest: told.largest.into_iter().map(largest).collect::<DomainResult<_>>()?,
        rest_entries: told.rest_entries,
        rest: net(told.rest)?,
        closing: net(told.closing)?,
    })
}
