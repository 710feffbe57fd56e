//! Periods of a book: how far it is locked, who may post all the same, how far ahead.

use backroom_domain::ledger::periods::{self, Barrier};
use backroom_domain::ledger::{
    BookControl, ClosedYear, ExceptionUse, FiscalYear, FutureLimit, Holder, Lock, LockChange, LockException, LockKind,
    NewException, Period, Scope,
};
use backroom_domain::rights::Operation;
use backroom_domain::{BusinessDate, Effect, Error, Id};
use backroom_store::records::ExceptionByHolder;
use schemars::JsonSchema;
use serde::Serialize;

use super::books::fiscal_month;
use crate::error::Result;
use crate::listing::{Step, list};
use crate::page::{Page, PageRequest};
use crate::work::Work;

/// How a period is locked for a scope: by its own lock or by that of `all`, whichever is further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PeriodState {
    /// No day of it is locked.
    Open,
    /// Its first days are.
    Partly,
    /// All its days are, not all of them hard.
    Soft,
    /// All its days are locked hard.
    Hard,
}

/// A period with its state for each scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PeriodRow {
    /// Number and days.
    #[serde(flatten)]
    pub period: Period,
    /// In order of the scopes.
    pub scopes: Vec<ScopeState>,
}

/// How a scope of a period is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ScopeState {
    /// The scope.
    pub scope: Scope,
    /// Its state.
    pub state: PeriodState,
}

/// The periods of a fiscal year, and what holds for the book as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Periods {
    /// The book.
    pub book: Id,
    /// The fiscal year.
    #[serde(flatten)]
    pub year: FiscalYear,
    /// Its twelve months.
    pub periods: Vec<PeriodRow>,
    /// The locks of the book, a scope each; one that is missing is open.
    pub locks: Vec<Lock>,
    /// So many days behind the UTC day of the clock a posting may be dated; none: without an end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub future_days: Option<u16>,
    /// The last year that was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<ClosedYear>,
}

/// What became of a change: the result, and whether it had been so before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Changed{T}")]
pub struct Changed<T> {
    /// How it is now.
    #[serde(flatten)]
    pub value: T,
    /// It had been so before, and nothing was done now.
    pub replayed: bool,
}

/// The exceptions that let a posting pass soft locks, to be noted once it succeeded.
#[derive(Debug, Default)]
#[must_use = "what is posted under an exception is listed"]
pub(crate) struct Passed(Vec<Id>);

/// The periods of a fiscal year (none: the one that today is in). Needs the right to read some account.
///
/// # Errors
/// In order: `ledger-read-denied`; `book-not-found`; `year-invalid`.
pub fn list_periods(work: &Work, book: &Id, year: Option<u16>) -> Result<Periods> {
    work.rights().check_read_ledger(Operation::PeriodsList)?;
    let month = fiscal_month(work, book)?;
    let year = match year {
        Some(year) => FiscalYear::named(year, month)?,
        None => FiscalYear::of(work.today, month)?,
    };
    let control = control(work, book)?;
    let row = |period: Period| {
        let scopes = Scope::EACH.map(|scope| ScopeState { scope, state: state(&control, scope, period) });
        PeriodRow { period, scopes: scopes.to_vec() }
    };
    let periods = year.periods().into_iter().map(row).collect();
    let BookControl { book, locks, future_days, closed, .. } = control;
    Ok(Periods { book, year, periods, locks, future_days, closed })
}

fn state(control: &BookControl, scope: Scope, period: Period) -> PeriodState {
    let locks = [control.lock(Scope::All), control.lock(scope)];
    let hard = locks.iter().filter_map(|lock| lock.hard).max();
    let soft = locks.iter().filter_map(|lock| lock.soft).max().max(hard);
    match () {
        () if hard >= Some(period.last) => PeriodState::Hard,
        () if soft >= Some(period.last) => PeriodState::Soft,
        () if soft >= Some(period.first) => PeriodState::Partly,
        () => PeriodState::Open,
    }
}

/// Locks the days up to and on `until`; needs `ledger.periods` for the book. Locked so already: replayed.
///
/// # Errors
/// In order: `periods-denied`; `book-not-found`; `lock-not-forward`.
pub fn lock_period(
    work: &mut Work,
    book: &Id,
    scope: Scope,
    kind: LockKind,
    until: BusinessDate,
) -> Result<Changed<Lock>> {
    work.rights().check_periods(Operation::PeriodsLock, Some(book))?;
    fiscal_month(work, book)?;
    let old = control(work, book)?.lock(scope);
    let Some(lock) = old.forward(kind, until)? else { return Ok(Changed { value: old, replayed: true }) };
    let change = set_lock(work, book, lock, None)?;
    work.effect(Effect::PeriodLocked(change.clone()));
    Ok(Changed { value: change.lock, replayed: false })
}

/// Opens `from` and the days behind it again; needs `ledger.periods` for the book. Open already: replayed.
///
/// # Errors
/// In order: `periods-denied`; `text-invalid`; `book-not-found`; `hard-lock`.
pub fn reopen_period(
    work: &mut Work,
    book: &Id,
    scope: Scope,
    from: BusinessDate,
    reason: String,
) -> Result<Changed<Lock>> {
    work.rights().check_periods(Operation::PeriodsReopen, Some(book))?;
    periods::check_reason(&reason)?;
    fiscal_month(work, book)?;
    let old = control(work, book)?.lock(scope);
    let Some(lock) = old.reopen(from)? else { return Ok(Changed { value: old, replayed: true }) };
    let change = set_lock(work, book, lock, Some(reason))?;
    work.effect(Effect::PeriodReopened(change.clone()));
    Ok(Changed { value: change.lock, replayed: false })
}

/// Locks up to a day, if it is not locked so far already.
pub(super) fn lock_to(work: &mut Work, book: &Id, scope: Scope, kind: LockKind, until: BusinessDate) -> Result<()> {
    let old = control(work, book)?.lock(scope);
    if kind == LockKind::Hard && old.hard >= Some(until) {
        return Ok(());
    }
    if let Some(lock) = old.forward(kind, until)? {
        let change = set_lock(work, book, lock, None)?;
        work.effect(Effect::PeriodLocked(change));
    }
    Ok(())
}

fn set_lock(work: &mut Work, book: &Id, lock: Lock, reason: Option<String>) -> Result<LockChange> {
    let mut control = control(work, book)?;
    control.set_lock(lock.clone());
    work.put(&control)?;
    Ok(LockChange { book: book.clone(), lock, actor: work.caller.actor.clone(), recorded_at: work.now, reason })
}

/// Says how many days behind the UTC day of the clock a posting may be dated (none: without an end); needs `ledger.periods` for the
/// book.
///
/// # Errors
/// In order: `periods-denied`; `book-not-found`.
pub fn limit_future(work: &mut Work, book: &Id, days: Option<u16>) -> Result<Changed<FutureLimit>> {
    work.rights().check_periods(Operation::PeriodsLimitFuture, Some(book))?;
    fiscal_month(work, book)?;
    let mut control = control(work, book)?;
    let value = FutureLimit { book: book.clone(), days };
    if control.future_days == days {
        return Ok(Changed { value, replayed: true });
    }
    control.future_days = days;
    work.put(&control)?;
    work.effect(Effect::FutureLimited(value.clone()));
    Ok(Changed { value, replayed: false })
}

/// Lets its holder post in spite of a soft lock, up to a moment; needs `ledger.periods` for the book. Everything that is posted under
/// it is listed ([`list_exception_uses`]).
///
/// # Errors
/// In order: `periods-denied`; `text-invalid`; `book-not-found`; `exists-with-different`; `exception-expired` (the moment is past).
pub fn grant_exception(work: &mut Work, book: &Id, new: NewException) -> Result<Changed<LockException>> {
    work.rights().check_periods(Operation::GrantException, Some(book))?;
    periods::check_reason(&new.reason)?;
    fiscal_month(work, book)?;
    if let Some(value) = work.tx().get::<LockException>(&(book.clone(), new.id.clone()))? {
        periods::same_exception(&value, &new)?;
        return Ok(Changed { value, replayed: true });
    }
    if new.until <= work.now {
        return Err(periods::expired(&new.id, new.until).into());
    }
    let actor = work.caller.actor.clone();
    let value = LockException { book: book.clone(), new, actor, recorded_at: work.now, revoked_at: None };
    work.put(&value)?;
    work.put(&by_holder(&value))?;
    work.effect(Effect::ExceptionGranted(value.clone()));
    Ok(Changed { value, replayed: false })
}

/// Ends an exception now; needs `ledger.periods` for the book. Revoked already: replayed.
///
/// # Errors
/// In order: `periods-denied`; `not-found`; `exception-expired` (there is nothing to revoke).
pub fn revoke_exception(work: &mut Work, book: &Id, id: &Id) -> Result<Changed<LockException>> {
    work.rights().check_periods(Operation::RevokeException, Some(book))?;
    let found = work.tx().get::<LockException>(&(book.clone(), id.clone()))?;
    let old = found.ok_or_else(|| Error::not_found("exception", id))?;
    if old.revoked_at.is_some() {
        return Ok(Changed { value: old, replayed: true });
    }
    if old.new.until <= work.now {
        return Err(periods::expired(id, old.new.until).into());
    }
    let value = LockException { revoked_at: Some(work.now), ..old };
    work.put(&value)?;
    work.tx_mut().delete::<ExceptionByHolder>(&backroom_store::Record::key(&by_holder(&value)));
    work.effect(Effect::ExceptionRevoked(value.clone()));
    Ok(Changed { value, replayed: false })
}

fn by_holder(exception: &LockException) -> ExceptionByHolder {
    let NewException { id, scope, holder, until, .. } = &exception.new;
    let (book, exception) = (exception.book.clone(), id.clone());
    ExceptionByHolder { book, scope: *scope, holder: holder.clone(), until: *until, exception }
}

/// Exceptions of a book in order of their ids, expired and revoked ones as well.
///
/// # Errors
/// In order: `ledger-read-denied`; `limit-invalid`, `cursor-invalid`.
pub fn list_exceptions(work: &Work, book: &Id, request: &PageRequest) -> Result<Page<LockException>> {
    work.rights().check_read_ledger(Operation::ListExceptions)?;
    list::<LockException, _>(work, book, None, request, |exception| Ok(Step::Take(exception)))
}

/// What was posted under an exception, in the order in which it was.
///
/// # Errors
/// In order: `ledger-read-denied`; `limit-invalid`, `cursor-invalid`.
pub fn list_exception_uses(work: &Work, book: &Id, id: &Id, request: &PageRequest) -> Result<Page<ExceptionUse>> {
    work.rights().check_read_ledger(Operation::ListExceptionUses)?;
    list::<ExceptionUse, _>(work, &(book, id), None, request, |one| Ok(Step::Take(one)))
}

/// What every posting to a book has to look at.
pub(crate) fn control(work: &Work, book: &Id) -> Result<BookControl> {
    Ok(work.tx().get::<BookControl>(book)?.unwrap_or_else(|| BookControl::new(book.clone())))
}

/// Whether something of a scope may be posted for a day: the lock of `all` and that of the scope, then how far ahead it is. What let
/// it pass is to be kept once it is posted.
///
/// # Errors
/// In order: `period-locked`, or `exception-expired` if there was an exception and it ended; `future-date`.
pub(crate) fn check_open(work: &Work, control: &BookControl, scope: Scope, date: BusinessDate) -> Result<Passed> {
    let passed = match control.barrier(scope, date) {
        None => Passed::default(),
        Some(Barrier::Hard(lock)) => return Err(periods::locked(&lock, date).into()),
        Some(Barrier::Soft(locks)) => {
            let each = locks.iter().map(|lock| exception_from(work, &control.book, lock, date));
            Passed(each.collect::<Result<_>>()?)
        }
    };
    control.check_future(date, work.day)?;
    Ok(passed)
}

/// The exception of the caller from this lock that ends last.
fn exception_from(work: &Work, book: &Id, lock: &Lock, date: BusinessDate) -> Result<Id> {
    let caller = &work.caller;
    // A plugin does not use the exception of whoever started it.
    let own = match &caller.installation {
        Some(installation) => Some(Holder::Installation(installation.clone())),
        None => Id::parse(&caller.actor, "actor").ok().map(Holder::Actor),
    };
    let mut ended = None;
    for holder in own.into_iter().chain([Holder::Everyone]) {
        let prefix = ExceptionByHolder::prefix(book, lock.scope, &holder);
        let first = work.tx().scan::<ExceptionByHolder>(&prefix, None, 1)?.pop();
        match first {
            Some((_, found)) if found.until > work.now => return Ok(found.exception),
            Some((_, found)) => ended = ended.or(Some(found)),
            None => {}
        }
    }
    Err(match ended {
        Some(found) => periods::expired(&found.exception, found.until),
        None => periods::locked(lock, date),
    }
    .into())
}

impl Passed {
    /// Lists what was posted under the exceptions.
    pub(crate) fn keep(self, work: &mut Work, book: &Id, entry: &Id, date: BusinessDate) -> Result<()> {
        for exception in self.0 {
            let used = ExceptionUse {
                book: book.clone(),
                exception,
                entry: entry.clone(),
                date,
                actor: work.caller.actor.clone(),
                recorded_at: work.now,
                run: work.caller.run.clone(),
            };
            work.put(&used)?;
            work.effect(Effect::ExceptionUsed(used));
        }
        Ok(())
    }
}
