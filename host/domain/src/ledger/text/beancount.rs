//! beancount's syntax.

use std::fmt::Write as _;

use super::names::{Chart, beancount_key, quoted};
use super::notes::{notes_of_entry, notes_of_line};
use super::{BASE_CAPITAL, currencies};
use crate::ledger::{Entry, Line};
use crate::{Money, Side};

/// Writing to a string cannot fail.
macro_rules! say {
    ($out:expr, $($arg:tt)*) => { let _ok = writeln!($out, $($arg)*); };
}

/// Accounts are opened on the first day that there is in the books, so that no entry is before it.
const FIRST_DAY: &str = "1900-01-01";

/// What a cost comes to is a quotient there: it may be off by the last of 28 digits, which is no difference.
const TOLERANCE: &str = "option \"inferred_tolerance_default\" \"*:0.000001\"";

pub(super) fn head(out: &mut String, chart: &Chart) {
    say!(out, "{TOLERANCE}");
    for currency in currencies(chart.accounts()) {
        say!(out, "option \"operating_currency\" \"{currency}\"");
    }
    out.push('\n');
    for account in chart.accounts().filter(|account| account.new.posting) {
        let new = &account.new;
        say!(out, "{FIRST_DAY} open {} {}", chart.beancount(&new.code), new.currency);
        say!(out, "  code: {}", quoted(new.code.as_str()));
        say!(out, "  name: {}", quoted(&new.name));
        say!(out, "{FIRST_DAY} open {}:{BASE_CAPITAL}", chart.beancount(&new.code));
    }
    out.push('\n');
}

pub(super) fn entry(out: &mut String, chart: &Chart, entry: &Entry) {
    let new = &entry.new;
    say!(out, "{} * {}", new.date, quoted(&new.description));
    say!(out, "  id: {}", quoted(new.id.as_str()));
    say!(out, "  number: \"{}\"", entry.number);
    say!(out, "  recorded-at: \"{}\"", entry.recorded_at);
    for (name, value) in notes_of_entry(entry) {
        say!(out, "  {}: {}", beancount_key(&name), quoted(&value));
    }
    for line in &new.lines {
        posting(out, chart, line);
    }
    out.push('\n');
}

fn posting(out: &mut String, chart: &Chart, line: &Line) {
    let sign = if line.side == Side::Credit { "-" } else { "" };
    let Money { currency, .. } = line.amount;
    let account = chart.beancount(&line.account);
    match line.base() {
        Some(base) if line.amount.minor == 0 => {
            say!(out, "  {account}:{BASE_CAPITAL}  {sign}{} {}", base.amount_text(), base.currency);
        }
        Some(base) if base.currency != currency => {
            let (amount, cost) = (line.amount.amount_text(), base.amount_text());
            say!(out, "  {account}  {sign}{amount} {currency} @@ {cost} {}", base.currency);
        }
        _ => {
            say!(out, "  {account}  {sign}{} {currency}", line.amount.amount_text());
        }
    }
    for (name, value) in notes_of_line(line) {
        say!(out, "    {name}: {}", quoted(&value));
    }
    for dimension in &line.dimensions {
        say!(out, "    dim-{}: {}", beancount_key(dimension.name.as_str()), quoted(dimension.value.as_str()));
    }
    if let Some(memo) = &line.memo {
        say!(out, "    memo: {}", quoted(memo));
    }
}
