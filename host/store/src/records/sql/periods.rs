//! The tables of periods, rates and budgets.

use backroom_domain::ledger::{
    BookControl, Budget, BudgetLine, ExceptionUse, LockException, Opening, Rate, Revalued, YearClosing,
};

use super::{Datum, Kind, Table, column, day, id, int, json, maybe, shown, text, time, word};
use crate::record::Record as _;
use crate::records::ExceptionByHolder;

pub(super) const CONTROL: Table = Table {
    space: BookControl::SPACE,
    name: "ledger_book_control",
    columns: &[
        column("book", Kind::Text),
        column("locks", Kind::Json),
        column("future_days", Kind::Int),
        column("closed_year", Kind::Int),
        column("budgets", Kind::Int),
    ],
    extract: |body| {
        let r = BookControl::decode(body)?;
        Ok(vec![
            id(&r.book),
            json(&r.locks)?,
            r.future_days.map_or(Datum::Int(None), int),
            r.closed.map_or(Datum::Int(None), |closed| int(closed.year)),
            int(r.budgets),
        ])
    },
};

pub(super) const EXCEPTION: Table = Table {
    space: LockException::SPACE,
    name: "ledger_lock_exception",
    columns: &[
        column("book", Kind::Text),
        column("id", Kind::Text),
        column("scope", Kind::Text),
        column("holder", Kind::Text),
        column("until", Kind::Time),
        column("reason", Kind::Text),
        column("actor", Kind::Text),
        column("recorded_at", Kind::Time),
        column("revoked_at", Kind::Time),
    ],
    extract: |body| {
        let r = LockException::decode(body)?;
        Ok(vec![
            id(&r.book),
            id(&r.new.id),
            word(&r.new.scope)?,
            text(&r.new.holder.key()),
            time(r.new.until),
            text(&r.new.reason),
            text(&r.actor),
            time(r.recorded_at),
            r.revoked_at.map_or(Datum::Int(None), time),
        ])
    },
};

pub(super) const EXCEPTION_BY_HOLDER: Table = Table {
    space: ExceptionByHolder::SPACE,
    name: "ledger_exception_by_holder",
    columns: &[
        column("book", Kind::Text),
        column("scope", Kind::Text),
        column("holder", Kind::Text),
        column("until", Kind::Time),
        column("exception", Kind::Text),
    ],
    extract: |body| {
        let r = ExceptionByHolder::decode(body)?;
        Ok(vec![id(&r.book), word(&r.scope)?, text(&r.holder.key()), time(r.until), id(&r.exception)])
    },
};

pub(super) const EXCEPTION_USE: Table = Table {
    space: ExceptionUse::SPACE,
    name: "ledger_exception_use",
    columns: &[
        column("book", Kind::Text),
        column("exception", Kind::Text),
        column("entry", Kind::Text),
        column("date", Kind::Date),
        column("actor", Kind::Text),
        column("run", Kind::Text),
        column("recorded_at", Kind::Time),
    ],
    extract: |body| {
        let r = ExceptionUse::decode(body)?;
        Ok(vec![
            id(&r.book),
            id(&r.exception),
            id(&r.entry),
            day(r.date),
            text(&r.actor),
            maybe(r.run.as_ref()),
            time(r.recorded_at),
        ])
    },
};

pub(super) const RATE: Table = Table {
    space: Rate::SPACE,
    name: "ledger_rate",
    columns: &[
        column("book", Kind::Text),
        column("date", Kind::Date),
        column("from_currency", Kind::Text),
        column("to_currency", Kind::Text),
        column("type", Kind::Text),
        column("rate", Kind::Number),
        column("actor", Kind::Text),
        column("recorded_at", Kind::Time),
    ],
    extract: |body| {
        let r = Rate::decode(body)?;
        Ok(vec![
            id(&r.book),
            day(r.new.date),
            shown(r.new.from),
            shown(r.new.to),
            id(&r.new.kind),
            shown(r.new.rate),
            text(&r.actor),
            time(r.recorded_at),
        ])
    },
};

pub(super) const BUDGET: Table = Table {
    space: Budget::SPACE,
    name: "ledger_budget",
    columns: &[
        column("book", Kind::Text),
        column("id", Kind::Text),
        column("account", Kind::Text),
        column("action", Kind::Text),
        column("version", Kind::Int),
        column("actor", Kind::Text),
        column("recorded_at", Kind::Time),
    ],
    extract: |body| {
        let r = Budget::decode(body)?;
        Ok(vec![
            id(&r.book),
            id(&r.new.id),
            id(&r.new.account),
            word(&r.new.action)?,
            int(r.version),
            text(&r.actor),
            time(r.recorded_at),
        ])
    },
};

pub(super) const BUDGET_LINE: Table = Table {
    space: BudgetLine::SPACE,
    name: "ledger_budget_line",
    columns: &[
        column("book", Kind::Text),
        column("budget", Kind::Text),
        column("account", Kind::Text),
        column("dimension", Kind::Text),
        column("value", Kind::Text),
        column("first_day", Kind::Date),
        column("last_day", Kind::Date),
        column("minor", Kind::Int),
        column("currency", Kind::Text),
        column("debits", Kind::Number),
        column("credits", Kind::Number),
    ],
    extract: |body| {
        let r = BudgetLine::decode(body)?;
        Ok(vec![
            id(&r.book),
            id(&r.budget),
            id(&r.account),
            maybe(r.dimension.as_ref().map(|d| &d.name)),
            maybe(r.dimension.as_ref().map(|d| &d.value)),
            day(r.first),
            day(r.last),
            int(r.amount.minor),
            shown(r.amount.currency),
            shown(r.debits),
            shown(r.credits),
        ])
    },
};

pub(super) const YEAR_CLOSING: Table = Table {
    space: YearClosing::SPACE,
    name: "ledger_year_closing",
    columns: &[
        column("book", Kind::Text),
        column("year", Kind::Int),
        column("id", Kind::Text),
        column("last_day", Kind::Date),
        column("actor", Kind::Text),
        column("recorded_at", Kind::Time),
    ],
    extract: |body| {
        let r = YearClosing::decode(body)?;
        Ok(vec![id(&r.book), int(r.new.year), id(&r.new.id), day(r.last), text(&r.actor), time(r.recorded_at)])
    },
};

pub(super) const OPENING: Table = Table {
    space: Opening::SPACE,
    name: "ledger_opening",
    columns: &[
        column("book", Kind::Text),
        column("year", Kind::Int),
        column("account", Kind::Text),
        column("currency", Kind::Text),
        column("debits", Kind::Number),
        column("credits", Kind::Number),
    ],
    extract: |body| {
        let r = Opening::decode(body)?;
        Ok(vec![id(&r.book), int(r.year), id(&r.account), shown(r.currency), shown(r.debits), shown(r.credits)])
    },
};

pub(super) const REVALUED: Table = Table {
    space: Revalued::SPACE,
    name: "ledger_revalued",
    columns: &[
        column("account", Kind::Text),
        column("as_of", Kind::Date),
        column("id", Kind::Text),
        column("rate", Kind::Number),
        column("side", Kind::Text),
        column("minor", Kind::Int),
        column("currency", Kind::Text),
        column("recorded_at", Kind::Time),
    ],
    extract: |body| {
        let r = Revalued::decode(body)?;
        Ok(vec![
            id(&r.account),
            day(r.as_of),
            id(&r.id),
            shown(r.rate),
            word(&r.side)?,
            int(r.difference.minor),
            shown(r.difference.currency),
            time(r.recorded_at),
        ])
    },
};
