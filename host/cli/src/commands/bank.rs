//! `backroom bank`: statements beside the books.

use std::path::PathBuf;

use backroom_domain::ledger::{Amount, BankLine, ItemRef, NewBankLine, Suggestion};
use backroom_domain::{BusinessDate, Currency, Id, Money, Side};
use clap::Subcommand;
use serde::Deserialize;
use serde_json::json;

use super::Context;
use super::items::item;
use super::periods::place;
use crate::args::{Of, Part};
use crate::client::query;
use crate::exit::{Failure, Result};
use crate::output::{Grid, Out, left, right};

/// Bank statements: imported, compared with the books, confirmed.
#[derive(Debug, Subcommand)]
pub(crate) enum Bank {
    /// Import a statement from a CSV file.
    #[command(after_help = "\
The file is UTF-8 with a header row: id, date (YYYY-MM-DD), amount (money that came in is positive), counterparty, reference; the last two
may be empty. A line that was imported before is skipped. The opening balance must be where the last statement ended.

Example:
  backroom bank import june.csv --tenant harbor --account 1000 --id 2026-06 --opening '1200.00 USD' --closing '975.50 USD'")]
    Import {
        /// The file.
        file: PathBuf,
        #[command(flatten)]
        of: Of,
        /// The account of the books that stands for the bank account.
        #[arg(long)]
        account: String,
        /// The statement's id.
        #[arg(long)]
        id: String,
        /// The balance before the first line.
        #[arg(long, value_name = "AMOUNT CURRENCY", allow_hyphen_values = true, value_parser = balance)]
        opening: Signed,
        /// The balance behind the last line.
        #[arg(long, value_name = "AMOUNT CURRENCY", allow_hyphen_values = true, value_parser = balance)]
        closing: Signed,
    },
    /// Lines that the books do not know of yet, and what each may be.
    #[command(after_help = "Example:\n  backroom bank suggest --tenant harbor --account 1000")]
    Suggest {
        #[command(flatten)]
        of: Of,
        /// The account.
        #[arg(long)]
        account: String,
        #[command(flatten)]
        part: Part,
    },
    /// Say that a bank line is a line of the journal.
    #[command(after_help = "Example:\n  backroom bank confirm B-17 'pay-1#0' --tenant harbor --account 1000")]
    Confirm {
        /// The bank's id of the line.
        line: String,
        /// The line of the journal: ENTRY#LINE, 0 for the first.
        #[arg(value_parser = item)]
        item: ItemRef,
        #[command(flatten)]
        of: Of,
        /// The account.
        #[arg(long)]
        account: String,
    },
    /// Take a confirmation back.
    #[command(
        after_help = "Example:\n  backroom bank undo B-17 --tenant harbor --account 1000 --reason 'it was pay-2'"
    )]
    Undo {
        /// The bank's id of the line.
        line: String,
        #[command(flatten)]
        of: Of,
        /// The account.
        #[arg(long)]
        account: String,
        /// Why. It is kept.
        #[arg(long)]
        reason: String,
    },
}

/// An amount with a sign.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signed {
    negative: bool,
    money: Money,
}

impl Signed {
    fn amount(self) -> Amount {
        Amount { negative: self.negative && self.money.minor > 0, minor: self.money.minor }
    }
}

fn balance(text: &str) -> std::result::Result<Signed, String> {
    let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    Ok(Signed { negative, money: rest.parse::<Money>().map_err(|error| error.to_string())? })
}

/// A row of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: Id,
    date: BusinessDate,
    amount: String,
    counterparty: Option<String>,
    reference: Option<String>,
}

impl Row {
    fn line(self, currency: Currency) -> std::result::Result<NewBankLine, String> {
        let Signed { negative, money } = balance(&format!("{} {currency}", self.amount))?;
        let Self { id, date, counterparty, reference, .. } = self;
        let side = if negative { Side::Credit } else { Side::Debit };
        Ok(NewBankLine { id, date, side, minor: money.minor, counterparty, reference })
    }
}

/// Reads the whole file, and names every row that is wrong.
fn read(file: &PathBuf, currency: Currency) -> std::result::Result<Vec<NewBankLine>, Failure> {
    let wrong = |what: String| Failure::usage(format!("{}: {what}", file.display()));
    let mut reader = csv::Reader::from_path(file).map_err(|why| wrong(why.to_string()))?;
    let (mut lines, mut problems) = (Vec::new(), Vec::new());
    for (number, row) in (2..).zip(reader.deserialize::<Row>()) {
        match row.map_err(|why| why.to_string()).and_then(|row| row.line(currency)) {
            Ok(line) => lines.push(line),
            Err(why) => problems.push(format!("line {number}: {why}")),
        }
    }
    if problems.is_empty() { Ok(lines) } else { Err(wrong(problems.join("; "))) }
}

#[derive(Debug, Deserialize)]
struct Imported {
    added: u32,
    duplicates: u32,
    replayed: bool,
}

#[derive(Debug, Deserialize)]
struct Suggested {
    #[serde(flatten)]
    line: BankLine,
    suggestions: Vec<Suggestion>,
}

#[derive(Debug, Deserialize)]
struct Done {
    replayed: bool,
}

impl Bank {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        let client = context.client()?;
        match self {
            Self::Import { file, of, account, id, opening, closing } => {
                if opening.money.currency != closing.money.currency {
                    return Err(Failure::usage("opening and closing balance are in different currencies"));
                }
                let lines = read(file, opening.money.currency)?;
                let (opening, closing) = (opening.amount(), closing.amount());
                let body =
                    json!({"id": id, "account": account, "opening": opening, "closing": closing, "lines": lines});
                let reply = client.post(&place(of, &["bank-statements"]), &body)?;
                context.show(&reply, |out, Imported { added, duplicates, replayed }| {
                    let before = if replayed { " It was there before." } else { "" };
                    out.line(format_args!("{added} new lines, {duplicates} that were there before.{before}"));
                })
            }
            Self::Suggest { of, account, part } => {
                let reply = client.get(&query(&place(of, &["bank-lines", account]), &part.pairs()))?;
                context.show_page(&reply, list)
            }
            Self::Confirm { line, item, of, account } => {
                let to = place(of, &["bank-lines", account, line, "confirmation"]);
                let reply = client.put(&to, &json!({ "item": item }))?;
                context.show(&reply, |out, Done { replayed }| {
                    let before = if replayed { ", as before" } else { "" };
                    out.line(format_args!("{line} is {}#{}{before}.", item.entry, item.line));
                })
            }
            Self::Undo { line, of, account, reason } => {
                let to = place(of, &["bank-lines", account, line, "undoing"]);
                let reply = client.post(&to, &json!({ "reason": reason }))?;
                context.show(&reply, |out, Done { replayed }| {
                    let before = if replayed { ", as it was before" } else { " again" };
                    out.line(format_args!("{line} is open{before}."));
                })
            }
        }
    }
}

fn list(out: Out, rows: &[Suggested]) {
    let heads =
        [left("Line"), left("Date"), left("Side"), right("Minor units"), left("Text"), left("May be (score, reasons)")];
    let mut grid = Grid::new(&heads);
    for Suggested { line, suggestions } in rows {
        let new = &line.new;
        let text = [new.counterparty.as_deref(), new.reference.as_deref()];
        let found = |found: &Suggestion| {
            format!("{}#{} ({}, {})", found.item.entry, found.item.line, found.score, found.reasons.join(" "))
        };
        grid.row([
            new.id.to_string(),
            new.date.to_string(),
            format!("{:?}", new.side).to_lowercase(),
            new.minor.to_string(),
            text.into_iter().flatten().collect::<Vec<_>>().join(", "),
            suggestions.iter().map(found).collect::<Vec<_>>().join("\n"),
        ]);
    }
    out.table(&grid);
}
