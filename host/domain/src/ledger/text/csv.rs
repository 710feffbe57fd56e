//! CSV: one row for each line, every text exactly as it is in the books.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::names::{Chart, roots};
use crate::ledger::{Entry, Line};
use crate::{Id, Side};

/// The columns, in their order. New ones are only ever added at the end.
const COLUMNS: &str = "number,id,date,recorded-at,run,description,line,account,account-name,type,debit,credit,currency,\
                       dimensions,memo,book,reference,kind,reverses,base-debit,base-credit,base-currency,rate,party,due,item";

pub(super) fn head(out: &mut String) {
    out.push_str(COLUMNS);
    out.push_str("\r\n");
}

pub(super) fn entry(out: &mut String, chart: &Chart, entry: &Entry) {
    for (number, line) in (1_usize..).zip(&entry.new.lines) {
        row(out, chart, entry, number, line);
    }
}

fn row(out: &mut String, chart: &Chart, entry: &Entry, number: usize, line: &Line) {
    let new = &entry.new;
    let account = chart.account(&line.account);
    let amount = line.amount.amount_text();
    let (debit, credit) = match line.side {
        Side::Debit => (amount.as_str(), ""),
        Side::Credit => ("", amount.as_str()),
    };
    // Neither names nor values of dimensions have a blank or an equals sign.
    let dimensions: Vec<String> = line.dimensions.iter().map(|d| format!("{}={}", d.name, d.value)).collect();
    let _ok = write!(
        out,
        "{},{},{},{},{},{},{number},{},{},{},{debit},{credit},{},{},{},{},{}\r\n",
        entry.number,
        new.id,
        new.date,
        entry.recorded_at,
        entry.run.as_ref().map_or("", |run| run.as_str()),
        field(&new.description),
        line.account,
        field(account.map_or("", |account| &account.new.name)),
        account.map_or("", |account| roots(account.new.kind).0),
        line.amount.currency,
        dimensions.join(" "),
        field(line.memo.as_deref().unwrap_or_default()),
        of_entry(entry),
        of_line(line),
    );
}

/// Book, reference, kind, and the entry that this one takes back.
fn of_entry(entry: &Entry) -> String {
    let details = entry.new.details.as_deref();
    let text = |id: Option<&Id>| id.map_or("", |id| id.as_str()).to_owned();
    let (book, kind) = (text(entry.book.as_ref()), text(details.and_then(|details| details.kind.as_ref())));
    let reference = details.and_then(|details| details.reference.as_deref()).unwrap_or_default();
    format!("{book},{},{kind},{}", field(reference), text(entry.reverses.as_ref()))
}

/// The base column, rate, party, due date, open item.
fn of_line(line: &Line) -> String {
    let base = line.base().map(|base| (base.amount_text(), base.currency.to_string())).unwrap_or_default();
    let (debit, credit) = match line.side {
        Side::Debit => (base.0.as_str(), ""),
        Side::Credit => ("", base.0.as_str()),
    };
    let details = line.details.as_deref();
    let rate = details.and_then(|details| details.rate).map(|rate| rate.to_string()).unwrap_or_default();
    let id = |id: Option<&Id>| id.map_or("", |id| id.as_str()).to_owned();
    let party = id(details.and_then(|details| details.party.as_ref()));
    let due = details.and_then(|details| details.due).map(|due| due.to_string()).unwrap_or_default();
    let item = id(details.and_then(|details| details.item.as_ref()));
    format!("{debit},{credit},{},{rate},{party},{due},{item}", base.1)
}

/// In quotes where RFC 4180 wants them.
fn field(text: &str) -> Cow<'_, str> {
    if text.contains(['"', ',', '\r', '\n']) {
        return format!("\"{}\"", text.replace('"', "\"\"")).into();
    }
    text.into()
}
