//! The tables of months, books, holds and taken names.

use backroom_domain::ledger::{AccountMonth, Book, Hold};

use super::{Datum, Kind, Table, column, day, id, int, json, maybe, shown, text, time, word};
use crate::record::Record as _;
use crate::records::{HoldExpiry, TakenName};

pub(super) const MONTH: Table = Table {
    space: AccountMonth::SPACE,
    name: "ledger_account_month",
    columns: &[
        column("account", Kind::Text),
        column("month", Kind::Date),
        column("debits", Kind::Number),
        column("credits", Kind::Number),
    ],
    extract: |body| {
        let r = AccountMonth::decode(body)?.0;
        Ok(vec![id(&r.account), day(r.date), shown(r.debits), shown(r.credits)])
    },
};

pub(super) const BOOK: Table = Table {
    space: Book::SPACE,
    name: "ledger_book",
    columns: &[
        column("id", Kind::Text),
        column("name", Kind::Text),
        column("base", Kind::Text),
        column("year_start", Kind::Int),
        column("recorded_at", Kind::Time),
    ],
    extract: |body| {
        let r = Book::decode(body)?;
        Ok(vec![id(&r.new.id), text(&r.new.name), shown(r.new.base), int(r.new.year_start), time(r.recorded_at)])
    },
};

pub(super) const HOLD: Table = Table {
    space: Hold::SPACE,
    name: "ledger_hold",
    columns: &[
        column("id", Kind::Text),
        column("date", Kind::Date),
        column("description", Kind::Text),
        column("state", Kind::Text),
        column("lines", Kind::Json),
        column("kept", Kind::Json),
        column("run", Kind::Text),
        column("book", Kind::Text),
        column("recorded_at", Kind::Time),
        column("expires_at", Kind::Time),
    ],
    extract: |body| {
        let r = Hold::decode(body)?;
        let entry = &r.new.entry;
        Ok(vec![
            id(&entry.id),
            day(entry.date),
            text(&entry.description),
            word(&r.state)?,
            json(&entry.lines)?,
            json(&r.kept)?,
            maybe(r.run.as_ref()),
            maybe(r.book.as_ref()),
            time(r.recorded_at),
            r.expires_at.map_or(Datum::Int(None), time),
        ])
    },
};

pub(super) const HOLD_EXPIRY: Table = Table {
    space: HoldExpiry::SPACE,
    name: "ledger_hold_expiry",
    columns: &[column("at", Kind::Time), column("hold", Kind::Text)],
    extract: |body| {
        let r = HoldExpiry::decode(body)?;
        Ok(vec![time(r.at), id(&r.hold)])
    },
};

pub(super) const TAKEN_NAME: Table = Table {
    space: TakenName::SPACE,
    name: "ledger_taken_name",
    columns: &[column("book", Kind::Text), column("name", Kind::Text), column("by", Kind::Text)],
    extract: |body| {
        let r = TakenName::decode(body)?;
        Ok(vec![maybe(r.book.as_ref()), text(&r.name), text(&r.by)])
    },
};
