//! The record spaces as SQL tables: what of each record is shown to SQL beside its bytes.
//!
//! Every table has `tenant`, `key` (the key bytes within the space), `body` (the same bytes as everywhere else) and the
//! columns named here, which follow from the body alone. The migrations of the PostgreSQL engine create them; a test
//! compares the two. Columns are only ever added, and may be null: older hosts do not know them.
//!
//! Bank accounts and salaries have no column.

mod files;
mod items;
mod ledger;
mod periods;

use backroom_domain::{BusinessDate, Id, Instant};

use super::{
    ApiKey, BenefitByPlan, BenefitByWorker, Counter, DayTotal, EntryLines, EntryNumber, Installation, Limits,
    MoveNumber, QueueLength, QueuePlace, QueuedRun, Release, RunRecord, StateValue, StoredEmployment, StoredEntry,
    StoredWorker, Tenant, TenantLimits,
};
use crate::error::CodecError;
use crate::record::Record as _;
use backroom_domain::hr::{Benefit, Erasure};
use backroom_domain::inventory::{Item, Location, Lot, Move, OnHand, SerialPlace, Valuation};
use backroom_domain::ledger::{Account, AccountDay, AccountTotal};

/// The table of one record space.
#[derive(Debug)]
pub struct Table {
    /// The space.
    pub space: u8,
    /// The name, in schema `backroom`.
    pub name: &'static str,
    /// What is promoted, in order.
    pub columns: &'static [Column],
    /// Decodes a record and gives the values of the columns.
    pub extract: fn(&[u8]) -> Result<Vec<Datum>, CodecError>,
}

/// A promoted column.
#[derive(Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
}

/// The type of a promoted column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `text`.
    Text,
    /// `bigint`.
    Int,
    /// `numeric`, from its decimal digits.
    Number,
    /// `boolean`, from 0 or 1.
    Bool,
    /// `date`, from `yyyy-mm-dd`.
    Date,
    /// `timestamptz`, from microseconds since 1970.
    Time,
    /// `jsonb`.
    Json,
}

/// The value of a promoted column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Datum {
    /// For text, numbers with decimals, dates and JSON.
    Text(Option<String>),
    /// For whole numbers, booleans and times.
    Int(Option<i64>),
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind }
}

fn text(value: &str) -> Datum {
    // The one character that PostgreSQL does not have.
    Datum::Text(Some(value.replace('\0', "\u{fffd}")))
}

fn shown(value: impl std::fmt::Display) -> Datum {
    Datum::Text(Some(value.to_string()))
}

fn id(value: &Id) -> Datum {
    text(value.as_str())
}

fn maybe(value: Option<&Id>) -> Datum {
    value.map_or(Datum::Text(None), id)
}

fn int(value: impl TryInto<i64>) -> Datum {
    Datum::Int(value.try_into().ok())
}

fn day(value: BusinessDate) -> Datum {
    shown(value)
}

fn time(value: Instant) -> Datum {
    int(value.0)
}

/// The word that JSON has for it: names of cases as everywhere else.
fn word(value: &impl serde::Serialize) -> Result<Datum, CodecError> {
    let json = serde_json::to_string(value).map_err(CodecError::malformed)?;
    Ok(text(json.trim_matches('"')))
}

fn json(value: &impl serde::Serialize) -> Result<Datum, CodecError> {
    let json = serde_json::to_string(value).map_err(CodecError::malformed)?;
    Ok(Datum::Text(Some(json.replace("\\u0000", "\\ufffd"))))
}

/// The tables of all record spaces of this release.
pub const TABLES: &[Table] = &[
    Table {
        space: Tenant::SPACE,
        name: "tenant",
        columns: &[
            column("id", Kind::Text),
            column("name", Kind::Text),
            column("number", Kind::Int),
            column("created_at", Kind::Time),
        ],
        extract: |body| {
            let r = Tenant::decode(body)?;
            Ok(vec![id(&r.id), text(&r.name), int(r.number), time(r.created_at)])
        },
    },
    Table {
        space: ApiKey::SPACE,
        name: "api_key",
        columns: &[
            column("name", Kind::Text),
            column("tenant_id", Kind::Text),
            column("role", Kind::Text),
            column("created_at", Kind::Time),
        ],
        extract: |body| {
            let r = ApiKey::decode(body)?;
            Ok(vec![id(&r.name), maybe(r.tenant.as_ref()), word(&r.role)?, time(r.created_at)])
        },
    },
    Table {
        space: Release::SPACE,
        name: "release",
        columns: &[
            column("digest", Kind::Text),
            column("plugin", Kind::Text),
            column("version", Kind::Text),
            column("size", Kind::Int),
            column("created_at", Kind::Time),
        ],
        extract: |body| {
            let r = Release::decode(body)?;
            Ok(vec![text(&r.digest), id(&r.plugin), text(&r.version), int(r.size), time(r.created_at)])
        },
    },
    Table {
        space: Installation::SPACE,
        name: "installation",
        columns: &[column("name", Kind::Text), column("release", Kind::Text), column("updated_at", Kind::Time)],
        extract: |body| {
            let r = Installation::decode(body)?;
            Ok(vec![id(&r.name), text(&r.release), time(r.updated_at)])
        },
    },
    Table {
        space: RunRecord::SPACE,
        name: "run",
        columns: &[
            column("id", Kind::Text),
            column("installation", Kind::Text),
            column("status", Kind::Text),
            column("number", Kind::Int),
            column("at", Kind::Time),
        ],
        extract: |body| {
            let r = RunRecord::decode(body)?;
            Ok(vec![id(&r.id), id(&r.installation), word(&r.status)?, int(r.number), time(r.at)])
        },
    },
    Table {
        space: StateValue::SPACE,
        name: "plugin_state",
        columns: &[column("installation", Kind::Text), column("name", Kind::Text)],
        extract: |body| {
            let r = StateValue::decode(body)?;
            Ok(vec![id(&r.installation), text(&r.key)])
        },
    },
    Table {
        space: QueuedRun::SPACE,
        name: "queued_run",
        columns: &[
            column("id", Kind::Text),
            column("installation", Kind::Text),
            column("number", Kind::Int),
            column("queued_at", Kind::Time),
        ],
        extract: |body| {
            let r = QueuedRun::decode(body)?;
            Ok(vec![id(&r.id), id(&r.installation), int(r.number), time(r.queued_at)])
        },
    },
    Table {
        space: QueuePlace::SPACE,
        name: "queue_place",
        columns: &[column("number", Kind::Int), column("id", Kind::Text), column("queued_at", Kind::Time)],
        extract: |body| {
            let r = QueuePlace::decode(body)?;
            Ok(vec![int(r.number), id(&r.id), time(r.queued_at)])
        },
    },
    Table {
        space: QueueLength::SPACE,
        name: "queue_length",
        columns: &[column("length", Kind::Int)],
        extract: |body| Ok(vec![int(QueueLength::decode(body)?.length)]),
    },
    Table {
        space: DayTotal::SPACE,
        name: "day_total",
        columns: &[
            column("installation", Kind::Text),
            column("day", Kind::Date),
            column("what", Kind::Text),
            column("sum", Kind::Number),
        ],
        extract: |body| {
            let r = DayTotal::decode(body)?;
            Ok(vec![id(&r.installation), day(r.day), text(&r.what), shown(r.sum())])
        },
    },
    Table {
        space: TenantLimits::SPACE,
        name: "tenant_limits",
        columns: &[
            column("memory", Kind::Int),
            column("wall_ms", Kind::Int),
            column("fuel", Kind::Int),
            column("day_fuel", Kind::Int),
            column("updated_at", Kind::Time),
            column("actor", Kind::Text),
        ],
        extract: |body| {
            let r = TenantLimits::decode(body)?;
            let Limits { memory, wall_ms, fuel, day_fuel, .. } = r.limits;
            let day_fuel = day_fuel.map_or(Datum::Int(None), int);
            Ok(vec![int(memory), int(wall_ms), int(fuel), day_fuel, time(r.updated_at), text(&r.actor)])
        },
    },
    Table {
        space: Counter::SPACE,
        name: "counter",
        columns: &[column("series", Kind::Text), column("last", Kind::Int)],
        extract: |body| {
            let r = Counter::decode(body)?;
            Ok(vec![text(&r.series), int(r.last)])
        },
    },
    Table {
        space: Account::SPACE,
        name: "ledger_account",
        columns: &[
            column("code", Kind::Text),
            column("name", Kind::Text),
            column("type", Kind::Text),
            column("parent", Kind::Text),
            column("currency", Kind::Text),
            column("posting", Kind::Bool),
            column("stock_control", Kind::Bool),
            column("recorded_at", Kind::Time),
            column("version", Kind::Int),
            column("closed_at", Kind::Time),
        ],
        extract: |body| {
            let r = Account::decode(body)?;
            Ok(vec![
                id(&r.new.code),
                text(&r.new.name),
                word(&r.new.kind)?,
                maybe(r.new.parent.as_ref()),
                shown(r.new.currency),
                int(r.new.posting),
                int(r.new.stock_control),
                time(r.recorded_at),
                int(r.version),
                r.closed.map_or(Datum::Int(None), |closed| time(closed.at)),
            ])
        },
    },
    Table {
        space: StoredEntry::SPACE,
        name: "ledger_entry",
        columns: &[
            column("id", Kind::Text),
            column("number", Kind::Int),
            column("date", Kind::Date),
            column("description", Kind::Text),
            column("lines", Kind::Json),
            column("parts", Kind::Int),
            column("run", Kind::Text),
            column("recorded_at", Kind::Time),
            column("book", Kind::Text),
            column("reference", Kind::Text),
            column("kind", Kind::Text),
            column("reverses", Kind::Text),
            column("reversed_by", Kind::Text),
            column("settles", Kind::Text),
        ],
        extract: |body| {
            let StoredEntry { entry: r, parts, .. } = StoredEntry::decode(body)?;
            let details = r.new.details.as_deref().cloned().unwrap_or_default();
            Ok(vec![
                id(&r.new.id),
                int(r.number),
                day(r.new.date),
                text(&r.new.description),
                json(&r.new.lines)?,
                int(parts),
                maybe(r.run.as_ref()),
                time(r.recorded_at),
                maybe(r.book.as_ref()),
                details.reference.as_deref().map_or(Datum::Text(None), text),
                maybe(details.kind.as_ref()),
                maybe(r.reverses.as_ref()),
                maybe(r.reversed_by.as_ref()),
                maybe(r.settles.as_ref()),
            ])
        },
    },
    Table {
        space: EntryNumber::SPACE,
        name: "ledger_entry_number",
        columns: &[column("number", Kind::Int), column("id", Kind::Text)],
        extract: |body| {
            let r = EntryNumber::decode(body)?;
            Ok(vec![int(r.number), id(&r.id)])
        },
    },
    Table {
        space: AccountTotal::SPACE,
        name: "ledger_account_total",
        columns: &[
            column("account", Kind::Text),
            column("currency", Kind::Text),
            column("debits", Kind::Number),
            column("credits", Kind::Number),
            column("debits_held", Kind::Number),
            column("credits_held", Kind::Number),
            column("base_currency", Kind::Text),
            column("base_debits", Kind::Number),
            column("base_credits", Kind::Number),
        ],
        extract: |body| {
            let total = AccountTotal::decode(body)?;
            let (base, r) = (total.base(), total.balance);
            let base_sum = |sum: Option<u64>| sum.map_or(Datum::Text(None), shown);
            Ok(vec![
                id(&r.account),
                shown(r.currency),
                shown(r.debits),
                shown(r.credits),
                shown(r.debits_held),
                shown(r.credits_held),
                base.map_or(Datum::Text(None), |base| shown(base.currency)),
                base_sum(base.map(|base| base.debits)),
                base_sum(base.map(|base| base.credits)),
            ])
        },
    },
    Table {
        space: AccountDay::SPACE,
        name: "ledger_account_day",
        columns: &[
            column("account", Kind::Text),
            column("date", Kind::Date),
            column("debits", Kind::Number),
            column("credits", Kind::Number),
            column("debits_held", Kind::Number),
            column("credits_held", Kind::Number),
            column("base_debits", Kind::Number),
            column("base_credits", Kind::Number),
        ],
        extract: |body| {
            let r = AccountDay::decode(body)?;
            Ok(vec![
                id(&r.account),
                day(r.date),
                shown(r.debits),
                shown(r.credits),
                shown(r.debits_held),
                shown(r.credits_held),
                shown(r.base_debits),
                shown(r.base_credits),
            ])
        },
    },
    Table {
        space: EntryLines::SPACE,
        name: "ledger_entry_lines",
        columns: &[column("entry", Kind::Text), column("part", Kind::Int), column("lines", Kind::Json)],
        extract: |body| {
            let r = EntryLines::decode(body)?;
            Ok(vec![id(&r.entry), int(r.part), json(&r.lines)?])
        },
    },
    ledger::MONTH,
    ledger::BOOK,
    ledger::HOLD,
    ledger::HOLD_EXPIRY,
    ledger::TAKEN_NAME,
    items::OPEN_ITEM,
    items::CLOSED_ITEM,
    items::MATCH,
    items::STATEMENT,
    items::STATEMENT_ID,
    items::LINE,
    items::OPEN_LINE,
    Table {
        // What is personal is sealed, and in no column.
        space: StoredWorker::SPACE,
        name: "hr_worker",
        columns: &[column("id", Kind::Text), column("recorded_at", Kind::Time)],
        extract: |body| {
            let r = StoredWorker::decode(body)?;
            Ok(vec![id(&r.id), time(r.recorded_at)])
        },
    },
    Table {
        space: StoredEmployment::SPACE,
        name: "hr_employment",
        columns: &[
            column("worker", Kind::Text),
            column("first_day", Kind::Date),
            column("last_day", Kind::Date),
            column("position", Kind::Text),
            column("place", Kind::Text),
            column("cost_center", Kind::Text),
            column("recorded_at", Kind::Time),
        ],
        extract: |body| {
            let r = StoredEmployment::decode(body)?;
            Ok(vec![
                id(&r.worker),
                day(r.from),
                r.to.map_or(Datum::Text(None), day),
                id(&r.position),
                word(&r.place)?,
                id(&r.cost_center),
                time(r.recorded_at),
            ])
        },
    },
    Table {
        space: Benefit::SPACE,
        name: "hr_benefit",
        columns: &[
            column("id", Kind::Text),
            column("worker", Kind::Text),
            column("plan", Kind::Text),
            column("first_day", Kind::Date),
            column("last_day", Kind::Date),
            column("minor", Kind::Int),
            column("currency", Kind::Text),
            column("cost_center", Kind::Text),
            column("entry", Kind::Text),
            column("run", Kind::Text),
            column("recorded_at", Kind::Time),
        ],
        extract: |body| {
            let r = Benefit::decode(body)?;
            Ok(vec![
                id(&r.new.id),
                id(&r.new.worker),
                id(&r.new.plan),
                day(r.new.from),
                day(r.new.to),
                int(r.new.amount.minor),
                shown(r.new.amount.currency),
                id(&r.new.cost_center),
                maybe(r.new.entry.as_ref()),
                maybe(r.run.as_ref()),
                time(r.recorded_at),
            ])
        },
    },
    Table {
        space: BenefitByWorker::SPACE,
        name: "hr_benefit_by_worker",
        columns: &[column("worker", Kind::Text), column("plan", Kind::Text), column("benefit", Kind::Text)],
        extract: |body| {
            let r = BenefitByWorker::decode(body)?;
            Ok(vec![id(&r.worker), id(&r.plan), id(&r.benefit)])
        },
    },
    Table {
        space: BenefitByPlan::SPACE,
        name: "hr_benefit_by_plan",
        columns: &[column("plan", Kind::Text), column("worker", Kind::Text), column("benefit", Kind::Text)],
        extract: |body| {
            let r = BenefitByPlan::decode(body)?;
            Ok(vec![id(&r.plan), id(&r.worker), id(&r.benefit)])
        },
    },
    Table {
        space: Erasure::SPACE,
        name: "hr_erasure",
        columns: &[column("worker", Kind::Text), column("actor", Kind::Text), column("recorded_at", Kind::Time)],
        extract: |body| {
            let r = Erasure::decode(body)?;
            Ok(vec![id(&r.worker), text(&r.actor), time(r.recorded_at)])
        },
    },
    Table {
        space: Item::SPACE,
        name: "inventory_item",
        columns: &[
            column("id", Kind::Text),
            column("name", Kind::Text),
            column("unit", Kind::Text),
            column("decimals", Kind::Int),
            column("tracking", Kind::Text),
            column("stock_account", Kind::Text),
            column("currency", Kind::Text),
            column("recorded_at", Kind::Time),
        ],
        extract: |body| {
            let r = Item::decode(body)?;
            Ok(vec![
                id(&r.new.id),
                text(&r.new.name),
                text(&r.new.unit),
                int(r.new.decimals),
                word(&r.new.tracking)?,
                id(&r.new.stock_account),
                shown(r.currency),
                time(r.recorded_at),
            ])
        },
    },
    Table {
        space: Location::SPACE,
        name: "inventory_location",
        columns: &[
            column("id", Kind::Text),
            column("name", Kind::Text),
            column("usage", Kind::Text),
            column("recorded_at", Kind::Time),
        ],
        extract: |body| {
            let r = Location::decode(body)?;
            Ok(vec![id(&r.new.id), text(&r.new.name), word(&r.new.usage)?, time(r.recorded_at)])
        },
    },
    Table {
        space: Lot::SPACE,
        name: "inventory_lot",
        columns: &[
            column("id", Kind::Text),
            column("item", Kind::Text),
            column("expiry", Kind::Date),
            column("recorded_at", Kind::Time),
        ],
        extract: |body| {
            let r = Lot::decode(body)?;
            let expiry = r.new.expiry.map_or(Datum::Text(None), day);
            Ok(vec![id(&r.new.id), id(&r.new.item), expiry, time(r.recorded_at)])
        },
    },
    Table {
        space: Move::SPACE,
        name: "inventory_move",
        columns: &[
            column("id", Kind::Text),
            column("number", Kind::Int),
            column("date", Kind::Date),
            column("item", Kind::Text),
            column("quantity", Kind::Number),
            column("from_location", Kind::Text),
            column("to_location", Kind::Text),
            column("lot", Kind::Text),
            column("minor", Kind::Int),
            column("currency", Kind::Text),
            column("stock_account", Kind::Text),
            column("worker", Kind::Text),
            column("reason", Kind::Text),
            column("entry", Kind::Text),
            column("run", Kind::Text),
            column("recorded_at", Kind::Time),
        ],
        extract: move_columns,
    },
    Table {
        space: MoveNumber::SPACE,
        name: "inventory_move_number",
        columns: &[column("number", Kind::Int), column("id", Kind::Text)],
        extract: |body| {
            let r = MoveNumber::decode(body)?;
            Ok(vec![int(r.number), id(&r.id)])
        },
    },
    Table {
        space: OnHand::SPACE,
        name: "inventory_on_hand",
        columns: &[
            column("item", Kind::Text),
            column("location", Kind::Text),
            column("lot", Kind::Text),
            column("decimals", Kind::Int),
            column("entered_units", Kind::Number),
            column("left_units", Kind::Number),
        ],
        extract: |body| {
            let r = OnHand::decode(body)?;
            Ok(vec![
                id(&r.item),
                id(&r.location),
                maybe(r.lot.as_ref()),
                int(r.decimals),
                shown(r.entered),
                shown(r.left),
            ])
        },
    },
    Table {
        space: Valuation::SPACE,
        name: "inventory_valuation",
        columns: &[
            column("item", Kind::Text),
            column("stock_account", Kind::Text),
            column("quantity", Kind::Number),
            column("minor", Kind::Int),
            column("currency", Kind::Text),
        ],
        extract: |body| {
            let r = Valuation::decode(body)?;
            Ok(vec![id(&r.item), id(&r.stock_account), shown(r.quantity), int(r.value.minor), shown(r.value.currency)])
        },
    },
    Table {
        space: SerialPlace::SPACE,
        name: "inventory_serial_place",
        columns: &[column("serial", Kind::Text), column("location", Kind::Text)],
        extract: |body| {
            let r = SerialPlace::decode(body)?;
            Ok(vec![id(&r.lot), id(&r.location)])
        },
    },
    files::FILE,
    files::PIECE,
    files::FOLDER,
    files::TOTAL,
    files::SECRET,
    periods::CONTROL,
    periods::EXCEPTION,
    periods::EXCEPTION_BY_HOLDER,
    periods::EXCEPTION_USE,
    periods::RATE,
    periods::BUDGET,
    periods::BUDGET_LINE,
    periods::YEAR_CLOSING,
    periods::OPENING,
    periods::REVALUED,
];

fn move_columns(body: &[u8]) -> Result<Vec<Datum>, CodecError> {
    let r = Move::decode(body)?;
    Ok(vec![
        id(&r.new.id),
        int(r.number),
        day(r.new.date),
        id(&r.new.item),
        shown(r.new.quantity),
        id(&r.new.from),
        id(&r.new.to),
        maybe(r.new.lot.as_ref()),
        int(r.value.minor),
        shown(r.value.currency),
        id(&r.stock_account),
        maybe(r.new.worker.as_ref()),
        text(&r.new.reason),
        maybe(r.new.entry.as_ref()),
        maybe(r.run.as_ref()),
        time(r.recorded_at),
    ])
}
