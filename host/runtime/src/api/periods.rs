//! `backroom:ledger/periods`: locks of a book, exceptions from them.

use backroom_domain::ledger::{self as domain, Scope as Of};
use backroom_domain::rights::Operation;
use backroom_domain::{Id, Instant};
use backroom_office::ledger;

use super::FIXED;
use crate::bindings::backroom::ledger::periods::{
    BaseSums, ExceptionPage, ExceptionUse, ExceptionUsePage, FiscalYear, Holder, Host, LockException, LockKind, Locked,
    NewException, Opening, OpeningPage, Period, PeriodState, Scope, ScopeLock, ScopeState, YearClosing,
};
use crate::bindings::backroom::types::types::BusinessDate;
use crate::convert::{self, Form};
use crate::error::HostError;
use crate::state::RunState;

/// A fiscal year as it is given: twelve periods of six scopes, and six locks.
const YEAR_BYTES: usize = 20 * FIXED;

impl Host for RunState {
    fn list(&mut self, book: String, year: Option<u16>) -> Result<FiscalYear, HostError> {
        let _host = self.guest.enter(book.len())?;
        let mut form = Form::default();
        let id = form.id(&book, || "book".to_owned())?;
        form.finish(|| self.work.rights().check_read_ledger(Operation::PeriodsList), || Ok(()))?;
        let shown = ledger::list_periods(&self.work, &id, year)?;
        self.guest.leave(YEAR_BYTES)?;
        Ok(FiscalYear {
            year: shown.year.year,
            first_day: convert::date(shown.year.first),
            last_day: convert::date(shown.year.last),
            periods: shown.periods.into_iter().map(period).collect(),
            locks: shown.locks.into_iter().map(lock).collect(),
            future_days: shown.future_days,
        })
    }

    fn lock(&mut self, book: String, scope: Scope, kind: LockKind, until: BusinessDate) -> Result<Locked, HostError> {
        let _host = self.guest.enter(book.len() + FIXED)?;
        let mut form = Form::default();
        let id = form.id(&book, || "book".to_owned())?;
        let until = form.date(until, "until")?;
        let known = (!form.has("id-invalid")).then_some(&id);
        form.finish(|| self.work.rights().check_periods(Operation::PeriodsLock, known), || Ok(()))?;
        let kind = match kind {
            LockKind::Soft => domain::LockKind::Soft,
            LockKind::Hard => domain::LockKind::Hard,
        };
        let changed = ledger::lock_period(&mut self.work, &id, scope_from(scope), kind, until)?;
        self.staged(FIXED)?;
        self.guest.leave(FIXED)?;
        Ok(Locked { lock: lock(changed.value), replayed: changed.replayed })
    }

    fn reopen(
        &mut self,
        book: String,
        scope: Scope,
        first_day: BusinessDate,
        reason: String,
    ) -> Result<Locked, HostError> {
        let _host = self.guest.enter(book.len() + reason.len() + FIXED)?;
        let mut form = Form::default();
        let id = form.id(&book, || "book".to_owned())?;
        let from = form.date(first_day, "first-day")?;
        let known = (!form.has("id-invalid")).then_some(&id);
        form.finish(
            || self.work.rights().check_periods(Operation::PeriodsReopen, known),
            || domain::periods::check_reason(&reason),
        )?;
        let changed = ledger::reopen_period(&mut self.work, &id, scope_from(scope), from, reason)?;
        self.staged(2 * FIXED)?;
        self.guest.leave(FIXED)?;
        Ok(Locked { lock: lock(changed.value), replayed: changed.replayed })
    }

    fn limit_future(&mut self, book: String, days: Option<u16>) -> Result<bool, HostError> {
        let _host = self.guest.enter(book.len())?;
        let id = self.book(&book, Operation::PeriodsLimitFuture)?;
        let replayed = ledger::limit_future(&mut self.work, &id, days)?.replayed;
        self.staged(FIXED)?;
        Ok(replayed)
    }

    fn grant_exception(&mut self, book: String, exception: NewException) -> Result<bool, HostError> {
        let bytes = book.len() + exception.reason.len() + 2 * FIXED;
        let _host = self.guest.enter(bytes)?;
        let mut form = Form::default();
        let of = form.id(&book, || "book".to_owned())?;
        let known = (!form.has("id-invalid")).then_some(&of);
        let holder = match &exception.holder {
            Holder::Actor(name) => domain::Holder::Actor(form.id(name, || "holder".to_owned())?),
            Holder::Installation(name) => domain::Holder::Installation(form.id(name, || "holder".to_owned())?),
            Holder::Everyone => domain::Holder::Everyone,
        };
        let new = domain::NewException {
            id: form.id(&exception.id, || "id".to_owned())?,
            scope: scope_from(exception.scope),
            holder,
            until: Instant(exception.until.microseconds),
            reason: exception.reason,
        };
        form.finish(
            || self.work.rights().check_periods(Operation::GrantException, known),
            || domain::periods::check_reason(&new.reason),
        )?;
        let replayed = ledger::grant_exception(&mut self.work, &of, new)?.replayed;
        self.staged(bytes)?;
        Ok(replayed)
    }

    fn revoke_exception(&mut self, book: String, id: String) -> Result<bool, HostError> {
        let _host = self.guest.enter(book.len() + id.len())?;
        let mut form = Form::default();
        let of = form.id(&book, || "book".to_owned())?;
        let known = (!form.has("id-invalid")).then_some(&of);
        let id = form.id(&id, || "id".to_owned())?;
        form.finish(|| self.work.rights().check_periods(Operation::RevokeException, known), || Ok(()))?;
        let replayed = ledger::revoke_exception(&mut self.work, &of, &id)?.replayed;
        self.staged(2 * FIXED)?;
        Ok(replayed)
    }

    fn list_exceptions(
        &mut self,
        book: String,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<ExceptionPage, HostError> {
        let _host = self.guest.enter(book.len())?;
        let mut form = Form::default();
        let id = form.id(&book, || "book".to_owned())?;
        let request = convert::page_request(cursor, limit);
        let denied = || self.work.rights().check_read_ledger(Operation::ListExceptions);
        form.finish(denied, || request.check().map(drop))?;
        let page = ledger::list_exceptions(&self.work, &id, &request)?;
        let (items, next) = convert::page(page, exception);
        self.guest.leave(items.iter().map(|item| 3 * FIXED + item.reason.len()).sum())?;
        Ok(ExceptionPage { items, next })
    }

    fn list_exception_uses(
        &mut self,
        book: String,
        exception: String,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<ExceptionUsePage, HostError> {
        let _host = self.guest.enter(book.len() + exception.len())?;
        let mut form = Form::default();
        let of = form.id(&book, || "book".to_owned())?;
        let id = form.id(&exception, || "exception".to_owned())?;
        let request = convert::page_request(cursor, limit);
        let denied = || self.work.rights().check_read_ledger(Operation::ListExceptionUses);
        form.finish(denied, || request.check().map(drop))?;
        let page = ledger::list_exception_uses(&self.work, &of, &id, &request)?;
        let (items, next) = convert::page(page, used);
        self.guest.leave(items.len() * 3 * FIXED)?;
        Ok(ExceptionUsePage { items, next })
    }

    fn close_year(
        &mut self,
        book: String,
        id: String,
        year: u16,
        retained_earnings: Vec<String>,
    ) -> Result<YearClosing, HostError> {
        let _host = self.guest.enter(book.len() + id.len() + retained_earnings.len() * FIXED)?;
        let mut form = Form::default();
        let of = form.id(&book, || "book".to_owned())?;
        let known = (!form.has("id-invalid")).then_some(&of);
        let id = form.id(&id, || "id".to_owned())?;
        let accounts = retained_earnings.iter().enumerate();
        let accounts = accounts.map(|(i, code)| form.id(code, || format!("retained-earnings[{i}]")));
        let retained_earnings = accounts.collect::<Result<_, backroom_domain::Error>>()?;
        form.finish(|| self.work.rights().check_periods(Operation::CloseYear, known), || Ok(()))?;
        self.closed(&of, domain::NewClosing { id, year, retained_earnings })
    }

    fn list_openings(
        &mut self,
        book: String,
        year: u16,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<OpeningPage, HostError> {
        let _host = self.guest.enter(book.len())?;
        let request = convert::page_request(cursor, limit);
        let page = ledger::list_openings(&self.work, &Id::parse(&book, "book")?, year, &request)?;
        let (items, next) = convert::page(page, opening);
        self.guest.leave(items.len() * 2 * FIXED)?;
        Ok(OpeningPage { items, next })
    }
}

impl RunState {
    fn closed(&mut self, book: &Id, new: domain::NewClosing) -> Result<YearClosing, HostError> {
        let ledger::Changed { value, replayed } = ledger::close_year(&mut self.work, book, new)?;
        self.staged(FIXED * (value.entries.len() + 4))?;
        self.guest.leave(FIXED * (value.entries.len() + 1))?;
        Ok(YearClosing {
            year: value.new.year,
            last_day: convert::date(value.last),
            entries: value.entries.into_iter().map(String::from).collect(),
            replayed,
        })
    }

    /// The book of a call that has nothing else that can be malformed, and that administers periods.
    fn book(&self, text: &str, operation: Operation) -> Result<Id, HostError> {
        Ok(Id::parse(text, "book")
            .map_err(|error| convert::denied_first(self.work.rights().check_periods(operation, None), error))?)
    }
}

fn scope_from(scope: Scope) -> Of {
    match scope {
        Scope::All => Of::All,
        Scope::Tax => Of::Tax,
        Scope::Sales => Of::Sales,
        Scope::Purchases => Of::Purchases,
        Scope::Payroll => Of::Payroll,
        Scope::Stock => Of::Stock,
    }
}

fn scope(scope: Of) -> Scope {
    match scope {
        Of::All => Scope::All,
        Of::Tax => Scope::Tax,
        Of::Sales => Scope::Sales,
        Of::Purchases => Scope::Purchases,
        Of::Payroll => Scope::Payroll,
        Of::Stock => Scope::Stock,
    }
}

fn lock(lock: domain::Lock) -> ScopeLock {
    ScopeLock { scope: scope(lock.scope), soft: lock.soft.map(convert::date), hard: lock.hard.map(convert::date) }
}

fn period(row: ledger::PeriodRow) -> Period {
    let state = |state: ledger::ScopeState| ScopeState {
        scope: scope(state.scope),
        state: match state.state {
            ledger::PeriodState::Open => PeriodState::Open,
            ledger::PeriodState::Partly => PeriodState::Partly,
            ledger::PeriodState::Soft => PeriodState::Soft,
            ledger::PeriodState::Hard => PeriodState::Hard,
        },
    };
    Period {
        number: row.period.number,
        first_day: convert::date(row.period.first),
        last_day: convert::date(row.period.last),
        scopes: row.scopes.into_iter().map(state).collect(),
    }
}

fn exception(exception: domain::LockException) -> LockException {
    let domain::LockException { new, actor, recorded_at, revoked_at, .. } = exception;
    LockException {
        id: new.id.into(),
        scope: scope(new.scope),
        holder: match new.holder {
            domain::Holder::Actor(name) => Holder::Actor(name.into()),
            domain::Holder::Installation(name) => Holder::Installation(name.into()),
            domain::Holder::Everyone => Holder::Everyone,
        },
        until: convert::instant(new.until),
        reason: new.reason,
        actor,
        recorded_at: convert::instant(recorded_at),
        revoked_at: revoked_at.map(convert::instant),
    }
}

fn used(used: domain::ExceptionUse) -> ExceptionUse {
    ExceptionUse {
        entry: used.entry.into(),
        date: convert::date(used.date),
        actor: used.actor,
        run: used.run.map(String::from),
        recorded_at: convert::instant(used.recorded_at),
    }
}

fn opening(opening: domain::Opening) -> Opening {
    let sums = |base: domain::BaseBalance| BaseSums {
        currency: base.currency.into(),
        debits: base.debits,
        credits: base.credits,
    };
    Opening {
        account: opening.account.into(),
        currency: opening.currency.into(),
        debits: opening.debits,
        credits: opening.credits,
        base: opening.base.map(sums),
    }
}
