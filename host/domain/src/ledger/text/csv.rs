//! CSV: one row for each line, every text exactly as it is in the books.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::names::{Chart, roots};
use crate::Side;
use crate::ledger::{Entry, Line};

/// The columns, in their order. New ones are only ever added at the end.
const COLUMNS: &str = "number,id,date,recorded-at,run,description,line,account,account-name,type,debit,credit,currency,\
                       dimensions,memo";

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
        "{},{},{},{},{},{},{number},{},{},{},{debit},{credit},{},{},{}\r\n",
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
    );
}

/// In quotes where RFC 4180 wants them.
fn field(text: &str) -> Cow<'_, str> {
    if text.contains(['"', ',', '\r', '\n']) {
        return format!("\"{}\"", text.replace('"', "\"\"")).into();
    }
    text.into()
}
