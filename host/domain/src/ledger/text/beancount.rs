//! beancount's syntax.

use std::fmt::Write as _;

use super::currencies;
use super::names::{Chart, beancount_key, quoted};
use crate::ledger::{Entry, Line};
use crate::{Money, Side};

/// Writing to a string cannot fail.
macro_rules! say {
    ($out:expr, $($arg:tt)*) => { let _ok = writeln!($out, $($arg)*); };
}

/// Accounts are opened on the first day that there is in the books, so that no entry is before it.
const FIRST_DAY: &str = "1900-01-01";

pub(super) fn head(out: &mut String, chart: &Chart) {
    for currency in currencies(chart.accounts()) {
        say!(out, "option \"operating_currency\" \"{currency}\"");
    }
    out.push('\n');
    for account in chart.accounts().filter(|account| account.new.posting) {
        let new = &account.new;
        say!(out, "{FIRST_DAY} open {} {}", chart.beancount(&new.code), new.currency);
        say!(out, "  code: {}", quoted(new.code.as_str()));
        say!(out, "  name: {}", quoted(&new.name));
    }
    out.push('\n');
}

pub(super) fn entry(out: &mut String, chart: &Chart, entry: &Entry) {
    let new = &entry.new;
    say!(out, "{} * {}", new.date, quoted(&new.description));
    say!(out, "  id: {}", quoted(new.id.as_str()));
    say!(out, "  number: \"{}\"", entry.number);
    say!(out, "  recorded-at: \"{}\"", entry.recorded_at);
    if let Some(run) = &entry.run {
        say!(out, "  run: {}", quoted(run.as_str()));
    }
    for line in &new.lines {
        posting(out, chart, line);
    }
    out.push('\n');
}

fn posting(out: &mut String, chart: &Chart, line: &Line) {
    let sign = if line.side == Side::Credit { "-" } else { "" };
    let Money { currency, .. } = line.amount;
    say!(out, "  {}  {sign}{} {currency}", chart.beancount(&line.account), line.amount.amount_text());
    for dimension in &line.dimensions {
        say!(out, "    dim-{}: {}", beancount_key(dimension.name.as_str()), quoted(dimension.value.as_str()));
    }
    if let Some(memo) = &line.memo {
        say!(out, "    memo: {}", quoted(memo));
    }
}
