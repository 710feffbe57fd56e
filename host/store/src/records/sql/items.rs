//! The tables of open items and bank statements.

use backroom_domain::ledger::{BankLine, BankState, BankStatement, Match, OpenItem};

use super::{Datum, Kind, Table, column, day, id, int, maybe, shown, text, time, word};
use crate::error::CodecError;
use crate::record::Record as _;
use crate::records::{ClosedItem, OpenBankLine, StatementId};

const ITEM_COLUMNS: &[super::Column] = &[
    column("account", Kind::Text),
    column("entry", Kind::Text),
    column("line", Kind::Int),
    column("side", Kind::Text),
    column("currency", Kind::Text),
    column("minor", Kind::Int),
    column("open", Kind::Int),
    column("party", Kind::Text),
    column("date", Kind::Date),
    column("due", Kind::Date),
];

fn item(r: &OpenItem) -> Result<Vec<Datum>, CodecError> {
    Ok(vec![
        id(&r.account),
        id(&r.of.entry),
        int(r.of.line),
        word(&r.side)?,
        shown(r.amount.currency),
        int(r.amount.minor),
        int(r.open()),
        maybe(r.party.as_ref()),
        day(r.date),
        r.due.map_or(Datum::Text(None), day),
    ])
}

pub(super) const OPEN_ITEM: Table = Table {
    space: OpenItem::SPACE,
    name: "ledger_open_item",
    columns: ITEM_COLUMNS,
    extract: |body| item(&OpenItem::decode(body)?),
};

pub(super) const CLOSED_ITEM: Table = Table {
    space: ClosedItem::SPACE,
    name: "ledger_closed_item",
    columns: ITEM_COLUMNS,
    extract: |body| item(&ClosedItem::decode(body)?.item),
};

pub(super) const MATCH: Table = Table {
    space: Match::SPACE,
    name: "ledger_match",
    columns: &[
        column("id", Kind::Text),
        column("account", Kind::Text),
        column("date", Kind::Date),
        column("entry", Kind::Text),
        column("recorded_at", Kind::Time),
        column("undone_at", Kind::Time),
    ],
    extract: |body| {
        let r = Match::decode(body)?;
        let posted = r.new.entry.as_ref().filter(|_| r.posted);
        Ok(vec![
            id(&r.new.id),
            id(&r.account),
            day(r.new.date),
            maybe(posted),
            time(r.recorded_at),
            r.undone.as_ref().map_or(Datum::Int(None), |undone| time(undone.at)),
        ])
    },
};

pub(super) const STATEMENT: Table = Table {
    space: BankStatement::SPACE,
    name: "bank_statement",
    columns: &[
        column("account", Kind::Text),
        column("number", Kind::Int),
        column("id", Kind::Text),
        column("added", Kind::Int),
        column("duplicates", Kind::Int),
        column("recorded_at", Kind::Time),
    ],
    extract: |body| {
        let r = BankStatement::decode(body)?;
        Ok(vec![id(&r.account), int(r.number), id(&r.id), int(r.added), int(r.duplicates), time(r.recorded_at)])
    },
};

pub(super) const STATEMENT_ID: Table = Table {
    space: StatementId::SPACE,
    name: "bank_statement_id",
    columns: &[column("account", Kind::Text), column("id", Kind::Text), column("number", Kind::Int)],
    extract: |body| {
        let r = StatementId::decode(body)?;
        Ok(vec![id(&r.account), id(&r.id), int(r.number)])
    },
};

pub(super) const LINE: Table = Table {
    space: BankLine::SPACE,
    name: "bank_line",
    columns: &[
        column("account", Kind::Text),
        column("id", Kind::Text),
        column("date", Kind::Date),
        column("side", Kind::Text),
        column("minor", Kind::Int),
        column("counterparty", Kind::Text),
        column("reference", Kind::Text),
        column("statement", Kind::Text),
        column("entry", Kind::Text),
        column("line", Kind::Int),
    ],
    extract: |body| {
        let r = BankLine::decode(body)?;
        let said = |said: &Option<String>| said.as_deref().map_or(Datum::Text(None), text);
        let (entry, line) = match &r.state {
            BankState::Open => (Datum::Text(None), Datum::Int(None)),
            BankState::Confirmed { item } => (id(&item.entry), int(item.line)),
        };
        Ok(vec![
            id(&r.account),
            id(&r.new.id),
            day(r.new.date),
            word(&r.new.side)?,
            int(r.new.minor),
            said(&r.new.counterparty),
            said(&r.new.reference),
            id(&r.statement),
            entry,
            line,
        ])
    },
};

pub(super) const OPEN_LINE: Table = Table {
    space: OpenBankLine::SPACE,
    name: "bank_open_line",
    columns: &[column("account", Kind::Text), column("date", Kind::Date), column("line", Kind::Text)],
    extract: |body| {
        let r = OpenBankLine::decode(body)?;
        Ok(vec![id(&r.account), day(r.date), id(&r.line)])
    },
};
