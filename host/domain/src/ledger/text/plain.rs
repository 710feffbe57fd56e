//! The journals of hledger and ledger.

use std::fmt::Write as _;

use super::names::{Chart, plain_description, plain_tag, plain_value};
use super::notes::{notes_of_entry, notes_of_line};
use super::{BASE, currencies};
use crate::ledger::{AccountType, Entry, Line};
use crate::{Currency, Money, Side, minor_text};

/// Writing to a string cannot fail.
macro_rules! say {
    ($out:expr, $($arg:tt)*) => { let _ok = writeln!($out, $($arg)*); };
}

pub(super) fn head_of_hledger(out: &mut String, chart: &Chart) {
    say!(out, "decimal-mark .\n");
    for currency in currencies(chart.accounts()) {
        say!(out, "commodity {} {currency}", sample(currency, true));
    }
    out.push('\n');
    for account in chart.accounts() {
        let kind = match account.new.kind {
            AccountType::Asset => 'A',
            AccountType::Liability => 'L',
            AccountType::Equity => 'E',
            AccountType::Income => 'R',
            AccountType::Expense => 'X',
        };
        let code = &account.new.code;
        // An account that carries postings comes back from an import even if it has none.
        let currency =
            if account.new.posting { format!(", currency: {}", account.new.currency) } else { String::new() };
        let name = plain_value(&account.new.name);
        say!(out, "account {}  ; type: {kind}, code: {code}{currency}, name: {name}", chart.plain(code));
    }
    out.push('\n');
}

pub(super) fn head_of_ledger(out: &mut String, chart: &Chart) {
    for currency in currencies(chart.accounts()) {
        say!(out, "commodity {currency}\n    format {} {currency}", sample(currency, false));
    }
    out.push('\n');
    for account in chart.accounts() {
        say!(out, "account {}\n    note {}", chart.plain(&account.new.code), plain_value(&account.new.name));
    }
    out.push('\n');
}

/// How amounts of a currency look. hledger wants a decimal mark even where nothing is behind it.
fn sample(currency: Currency, mark: bool) -> String {
    let unit = 10_u128.checked_pow(currency.exponent()).unwrap_or(1);
    let mut text = minor_text(unit.saturating_mul(1_000), currency);
    if mark && currency.exponent() == 0 {
        text.push('.');
    }
    text
}

pub(super) fn entry(out: &mut String, chart: &Chart, entry: &Entry) {
    let new = &entry.new;
    say!(out, "{} * ({}) {}", new.date, entry.number, plain_description(&new.description));
    say!(out, "    ; id: {}", new.id);
    say!(out, "    ; recorded-at: {}", entry.recorded_at);
    for (name, value) in notes_of_entry(entry) {
        say!(out, "    ; {}: {}", plain_tag(&name), plain_value(&value));
    }
    for line in &new.lines {
        posting(out, chart, line);
    }
    out.push('\n');
}

fn posting(out: &mut String, chart: &Chart, line: &Line) {
    let sign = if line.side == Side::Credit { "-" } else { "" };
    let Money { currency, .. } = line.amount;
    let account = chart.plain(&line.account);
    match line.base() {
        // A revaluation changes the base column alone, and a cost of nothing cannot say that.
        Some(base) if line.amount.minor == 0 => {
            say!(out, "    {account}:{BASE}  {sign}{} {}", base.amount_text(), base.currency);
        }
        Some(base) if base.currency != currency => {
            let (amount, cost) = (line.amount.amount_text(), base.amount_text());
            say!(out, "    {account}  {sign}{amount} {currency} @@ {cost} {}", base.currency);
        }
        _ => {
            say!(out, "    {account}  {sign}{} {currency}", line.amount.amount_text());
        }
    }
    for (name, value) in notes_of_line(line) {
        say!(out, "        ; {name}: {value}");
    }
    for dimension in &line.dimensions {
        say!(out, "        ; dim-{}: {}", plain_tag(dimension.name.as_str()), dimension.value);
    }
    if let Some(memo) = &line.memo {
        say!(out, "        ; memo: {}", plain_value(memo));
    }
}
