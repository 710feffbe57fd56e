//! Budgets: set, looked at, and checked by every posting.

use std::collections::BTreeMap;
use std::ops::Bound;

use backroom_domain::ledger::year::CLOSE_KIND;
use backroom_domain::ledger::{
    self, Account, AccountDay, BookControl, Budget, BudgetAction, BudgetLine, Dimension, Entry, Line, NewBudget,
    NewEntry, Standing, budgets,
};
use backroom_domain::rights::Operation;
use backroom_domain::{BusinessDate, Class, Effect, Error, Id, Problem, Side};
use backroom_store::records::budget_key;
use backroom_store::{Record as _, StoreError};
use schemars::JsonSchema;
use serde::Serialize;

use super::books::{fiscal_month, in_book, total_of};
use super::gaps;
use super::periods::{Changed, control};
use super::scan::every_entry;
use crate::error::{Failure, Result};
use crate::ledger::accounts::kind_of;
use crate::listing::{Step, list};
use crate::page::{Page, PageRequest};
use crate::work::Work;

/// Records read at once.
const CHUNK: usize = 500;

/// A budget with what was used of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct BudgetStatus {
    /// The budget.
    #[serde(flatten)]
    pub budget: Budget,
    /// Its periods, in order.
    pub lines: Vec<BudgetRow>,
}

/// A period of a budget with what was used of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct BudgetRow {
    /// The period and the sums.
    #[serde(flatten)]
    pub line: BudgetLine,
    /// What follows from them.
    #[serde(flatten)]
    pub standing: Standing,
}

/// What an entry does to budgets, to be kept once it is posted.
#[derive(Debug, Default)]
#[must_use = "what is used of a budget is counted"]
pub(crate) struct Charged {
    lines: Vec<BudgetLine>,
    /// Budgets of the action `warn` that it passes.
    pub(crate) warnings: Vec<Problem>,
}

/// Sets a budget; needs `ledger.budgets` for the book. To set one anew, `replaces` names the version that it comes in place of. What
/// was posted before counts.
///
/// # Errors
/// In order: `budgets-denied`; the form of the budget ([`budgets::check_budget`]); `book-not-found`; `exists-with-different`,
/// `version-conflict`, `not-found` (there is none to replace); `account-not-found`; `book-mismatch`; `account-is-header`;
/// `currency-mismatch`; `overlapping-budget`.
pub fn set_budget(work: &mut Work, book: &Id, new: NewBudget, replaces: Option<u32>) -> Result<Changed<Budget>> {
    work.rights().check_budgets(Operation::BudgetsSet, Some(book))?;
    budgets::check_budget(&new)?;
    fiscal_month(work, book)?;
    let old = work.tx().get::<Budget>(&(book.clone(), new.id.clone()))?;
    if !budgets::replaces(old.as_ref(), &new, replaces)?
        && let Some(value) = old
    {
        return Ok(Changed { value, replayed: true });
    }
    let account = budgeted(work, book, &new)?;
    check_overlaps(work, &new)?;

    let mut lines = empty_lines(book, &new, &account);
    count_past(work, book, &new, &mut lines)?;
    let version = old.as_ref().map_or(1, |old| old.version.saturating_add(1));
    match &old {
        Some(old) => {
            for period in &old.new.periods {
                let key = budget_key(&old.new.account, old.new.dimension.as_ref(), period.last);
                work.tx_mut().delete::<BudgetLine>(&key);
            }
        }
        None => {
            let mut control = control(work, book)?;
            control.budgets = control.budgets.saturating_add(1);
            work.put(&control)?;
        }
    }
    for line in &lines {
        work.put(line)?;
    }
    let actor = work.caller.actor.clone();
    let value = Budget { book: book.clone(), new, version, actor, recorded_at: work.now };
    work.put(&value)?;
    work.effect(Effect::BudgetSet(value.clone()));
    Ok(Changed { value, replayed: false })
}

/// The account of a budget, if it can have one.
fn budgeted(work: &Work, book: &Id, new: &NewBudget) -> Result<Account> {
    let refused = |code, message: String| Err(Error::at(Class::Refused, code, "account", message).into());
    let Some(account) = work.tx().get::<Account>(&new.account)? else {
        let message = format!("there is no account {}", new.account);
        return Err(Error::at(Class::NotFound, "account-not-found", "account", message).into());
    };
    if !in_book(work, &new.account, book)? {
        return refused("book-mismatch", format!("account {} is in another book than {book}", new.account));
    }
    if !account.new.posting {
        return refused("account-is-header", format!("account {} is a header account", new.account));
    }
    budgets::check_currency(new, account.new.currency)?;
    Ok(account)
}

/// `overlapping-budget` if a period overlaps one of another budget for the same account and dimension.
fn check_overlaps(work: &Work, new: &NewBudget) -> Result<()> {
    for (i, period) in new.periods.iter().enumerate() {
        let mut start = Bound::Included(budget_key(&new.account, new.dimension.as_ref(), period.first));
        let end = budget_key(&new.account, new.dimension.as_ref(), BusinessDate::MAX);
        loop {
            let rows = work.tx().scan_range::<BudgetLine>(start, Bound::Included(end.clone()), CHUNK)?;
            let reached = rows.last().filter(|_| rows.len() == CHUNK).map(|(_, line)| line.key());
            let mut within = rows.iter().map(|(_, line)| line).take_while(|line| line.first <= period.last);
            if let Some(line) = within.find(|line| line.budget != new.id) {
                return Err(budgets::overlapping(line, i).into());
            }
            match reached {
                Some(key) => start = Bound::Excluded(key),
                None => break,
            }
        }
    }
    Ok(())
}

fn empty_lines(book: &Id, new: &NewBudget, account: &Account) -> Vec<BudgetLine> {
    let side = account.new.kind.normal_side();
    let line = |period: &ledger::BudgetPeriod| BudgetLine {
        book: book.clone(),
        budget: new.id.clone(),
        account: new.account.clone(),
        dimension: new.dimension.clone(),
        first: period.first,
        last: period.last,
        side,
        amount: period.amount,
        action: new.action,
        debits: 0,
        credits: 0,
    };
    new.periods.iter().map(line).collect()
}

/// Adds what was posted before: from the totals of days, or, with a dimension, from the whole journal.
fn count_past(work: &Work, book: &Id, new: &NewBudget, lines: &mut [BudgetLine]) -> Result<()> {
    let (Some(first), Some(last)) = (new.periods.first().map(|p| p.first), new.periods.last().map(|p| p.last)) else {
        return Ok(());
    };
    let dated = |date: BusinessDate| first <= date && date <= last;
    let mut after = None;
    // What closed a year is in the days as well.
    let by_days = new.dimension.is_none() && control(work, book)?.closed.is_none();
    if by_days && gaps::are_days_whole(work, &total_of(work, &new.account)?, first.day_before())? {
        loop {
            let days = work.tx().scan::<AccountDay>(&new.account, after.as_deref(), CHUNK)?;
            let more = days.len() == CHUNK;
            after = days.last().map(|(key, _)| key.clone());
            for (_, day) in days.iter().filter(|(_, day)| dated(day.date)) {
                for line in lines.iter_mut().filter(|line| line.first <= day.date && day.date <= line.last) {
                    line.add(Side::Debit, day.debits);
                    line.add(Side::Credit, day.credits);
                }
            }
            if !more {
                return Ok(());
            }
        }
    }
    let wanted = |entry: &Entry| dated(entry.new.date) && !closes(entry);
    every_entry(work, wanted, |entry| {
        for posted in &entry.new.lines {
            for line in lines.iter_mut().filter(|line| line.counts(posted, entry.new.date)) {
                line.add(posted.side, posted.amount.minor);
            }
        }
        Ok(())
    })
}

/// Is it an entry that closes a year?
fn closes(entry: &Entry) -> bool {
    let kind = entry.new.details.as_ref().and_then(|details| details.kind.as_ref());
    kind.is_some_and(|kind| kind.as_str() == CLOSE_KIND)
}

/// A budget and what was used of it; needs the right to read its account.
///
/// # Errors
/// In order: `ledger-read-denied`; `not-found`.
pub fn budget_status(work: &Work, book: &Id, id: &Id) -> Result<BudgetStatus> {
    work.rights().check_read_ledger(Operation::BudgetsStatus)?;
    let missing = || Error::not_found("budget", id);
    let budget = work.tx().get::<Budget>(&(book.clone(), id.clone()))?.ok_or_else(missing)?;
    if !readable(work, Operation::BudgetsStatus, &budget)? {
        return Err(missing().into());
    }
    let mut lines = Vec::new();
    for period in &budget.new.periods {
        let key = budget_key(&budget.new.account, budget.new.dimension.as_ref(), period.last);
        let line = work.tx().get::<BudgetLine>(&key)?.ok_or_else(|| damaged(id))?;
        lines.push(BudgetRow { standing: line.standing(), line });
    }
    Ok(BudgetStatus { budget, lines })
}

/// Budgets of a book in order of their ids, those left out whose account may not be read.
///
/// # Errors
/// `limit-invalid`, `cursor-invalid`.
pub fn list_budgets(work: &Work, book: &Id, request: &PageRequest) -> Result<Page<Budget>> {
    list::<Budget, _>(work, book, None, request, |budget| {
        Ok(if readable(work, Operation::BudgetsList, &budget)? { Step::Take(budget) } else { Step::Skip })
    })
}

fn readable(work: &Work, operation: Operation, budget: &Budget) -> Result<bool> {
    let account = &budget.new.account;
    Ok(work.rights().read_account(operation, account, kind_of(work, account)?))
}

/// What an entry does to the budgets of its accounts: in order of account, dimension and day the first one of the action `stop` that
/// it passes refuses it, and those of the action `warn` are told. An entry that gives back is never in the way.
///
/// # Errors
/// `budget-exceeded`.
pub(crate) fn check(work: &Work, control: &BookControl, new: &NewEntry) -> Result<Charged> {
    if control.budgets == 0 {
        return Ok(Charged::default());
    }
    let mut found = BTreeMap::new();
    for line in &new.lines {
        for dimension in std::iter::once(None).chain(line.dimensions.iter().map(Some)) {
            charge(work, line, dimension, new.date, &mut found)?;
        }
    }
    let mut charged = Charged::default();
    for (before, after) in found.into_values() {
        if let Some(over) = after.passed(&before) {
            let error = after.exceeded(over);
            match after.action {
                BudgetAction::Stop => return Err(error.into()),
                BudgetAction::Warn => charged.warnings.extend(error.problems),
            }
        }
        charged.lines.push(after);
    }
    Ok(charged)
}

type Found = BTreeMap<(Id, String, BusinessDate), (BudgetLine, BudgetLine)>;

fn charge(
    work: &Work,
    line: &Line,
    dimension: Option<&Dimension>,
    date: BusinessDate,
    found: &mut Found,
) -> Result<()> {
    let key = |day| Bound::Included(budget_key(&line.account, dimension, day));
    let mut rows = work.tx().scan_range::<BudgetLine>(key(date), key(BusinessDate::MAX), 1)?;
    let Some(row) = rows.pop().map(|(_, row)| row).filter(|row| row.counts(line, date)) else { return Ok(()) };
    let (_, after) = found.entry(row.key()).or_insert_with(|| (row.clone(), row));
    after.add(line.side, line.amount.minor);
    Ok(())
}

impl Charged {
    /// Counts what was posted, and has the answer say what it passed.
    pub(crate) fn keep(self, work: &mut Work) -> Result<()> {
        work.warn(self.warnings);
        self.lines.iter().try_for_each(|line| work.put(line))
    }
}

fn damaged(id: &Id) -> Failure {
    StoreError::Corrupt { place: format!("budget {id}"), what: "a period of it is missing".to_owned() }.into()
}
