//! Periods, rates and budgets.

use super::{Answer, Answers, DATE, NOW};
use crate::bindings::backroom::ledger::budgets::{self, Budget, BudgetAction, BudgetPage, BudgetSet, BudgetStatus};
use crate::bindings::backroom::ledger::periods::{self, FiscalYear, LockKind, Locked, Scope, ScopeLock, YearClosing};
use crate::bindings::backroom::ledger::rates::{self, FoundRate, RatePage, RatesSet, Revaluation};
use crate::bindings::backroom::types::types::{BusinessDate, Decimal};

fn open(scope: Scope) -> Locked {
    Locked { lock: ScopeLock { scope, soft: None, hard: None }, replayed: false }
}

impl periods::Host for Answers {
    fn list(&mut self, _book: String, _year: Option<u16>) -> Answer<FiscalYear> {
        let (periods, locks) = (Vec::new(), Vec::new());
        Ok(FiscalYear { year: 2026, first_day: DATE, last_day: DATE, periods, locks, future_days: None })
    }

    fn lock(&mut self, _book: String, scope: Scope, _kind: LockKind, _until: BusinessDate) -> Answer<Locked> {
        Ok(open(scope))
    }

    fn reopen(&mut self, _book: String, scope: Scope, _first: BusinessDate, _reason: String) -> Answer<Locked> {
        Ok(open(scope))
    }

    fn limit_future(&mut self, _book: String, _days: Option<u16>) -> Answer<bool> {
        Ok(false)
    }

    fn grant_exception(&mut self, _book: String, _exception: periods::NewException) -> Answer<bool> {
        Ok(false)
    }

    fn revoke_exception(&mut self, _book: String, _id: String) -> Answer<bool> {
        Ok(false)
    }

    fn list_exceptions(
        &mut self,
        _book: String,
        _cursor: Option<String>,
        _limit: u32,
    ) -> Answer<periods::ExceptionPage> {
        Ok(periods::ExceptionPage { items: Vec::new(), next: None })
    }

    fn list_exception_uses(
        &mut self,
        _book: String,
        _exception: String,
        _cursor: Option<String>,
        _limit: u32,
    ) -> Answer<periods::ExceptionUsePage> {
        Ok(periods::ExceptionUsePage { items: Vec::new(), next: None })
    }

    fn close_year(&mut self, _book: String, _id: String, year: u16, _to: Vec<String>) -> Answer<YearClosing> {
        Ok(YearClosing { year, last_day: DATE, entries: Vec::new(), replayed: false })
    }

    fn list_openings(
        &mut self,
        _book: String,
        _year: u16,
        _cursor: Option<String>,
        _limit: u32,
    ) -> Answer<periods::OpeningPage> {
        Ok(periods::OpeningPage { items: Vec::new(), next: None })
    }
}

impl rates::Host for Answers {
    fn set(&mut self, _book: String, rates: Vec<rates::NewRate>) -> Answer<RatesSet> {
        Ok(RatesSet { set: u32::try_from(rates.len()).unwrap_or(u32::MAX), unchanged: 0 })
    }

    fn get(
        &mut self,
        _book: String,
        _source: String,
        _target: String,
        _kind: String,
        date: BusinessDate,
    ) -> Answer<FoundRate> {
        Ok(FoundRate { date, rate: Decimal { mantissa: 1, scale: 0 }, inverse: false, exact: true })
    }

    fn list(&mut self, _book: String, _cursor: Option<String>, _limit: u32) -> Answer<RatePage> {
        Ok(RatePage { items: Vec::new(), next: None })
    }

    fn revalue(&mut self, _book: String, _revaluation: rates::NewRevaluation) -> Answer<Revaluation> {
        Ok(Revaluation { revalued: Vec::new(), entries: Vec::new(), replayed: false })
    }
}

impl budgets::Host for Answers {
    fn set(&mut self, _book: String, _budget: budgets::NewBudget, _replaces: Option<u32>) -> Answer<BudgetSet> {
        Ok(BudgetSet { version: 1, replayed: false })
    }

    fn status(&mut self, _book: String, id: String) -> Answer<BudgetStatus> {
        let (account, periods, action) = (id.clone(), Vec::new(), BudgetAction::Warn);
        let budget = Budget { id, account, dimension: None, periods, action, version: 1, recorded_at: NOW };
        Ok(BudgetStatus { budget, rows: Vec::new() })
    }

    fn list(&mut self, _book: String, _cursor: Option<String>, _limit: u32) -> Answer<BudgetPage> {
        Ok(BudgetPage { items: Vec::new(), next: None })
    }
}
