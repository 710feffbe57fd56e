//! `backroom budgets`: how much may be posted to an account in a period.

use backroom_domain::Money;
use backroom_domain::ledger::{Budget, BudgetLine, BudgetPeriod, Standing};
use clap::{Subcommand, ValueEnum};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Context;
use super::periods::{Book, place};
use crate::args::{Of, Part, date};
use crate::client::query;
use crate::exit::Result;
use crate::figures::money;
use crate::output::{Grid, Out, left, right};

/// Budgets: what may be posted to an account in a period. Every posting checks them.
#[derive(Debug, Subcommand)]
pub(crate) enum Budgets {
    /// Set a budget; what was posted before counts.
    #[command(after_help = "\
With the action `stop`, what would pass the budget is refused (`budget-exceeded`); with `warn` it is posted, and the answer says so.

Examples:
  backroom budgets set rent-2026 --tenant harbor --account 6110 --period '2026-01-01..2026-12-31=60000.00 USD'
  backroom budgets set travel-410 --tenant harbor --account 6400 --dimension cost-center=CC-410 --action warn --period '2026-06-01..2026-06-30=500.00 USD' --period '2026-07-01..2026-07-31=500.00 USD'
  backroom budgets set rent-2026 --tenant harbor --account 6110 --period '2026-01-01..2026-12-31=65000.00 USD' --replaces 1")]
    Set {
        /// Its id.
        id: String,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        book: Book,
        /// The account.
        #[arg(long)]
        account: String,
        /// Count only lines with this value.
        #[arg(long, value_name = "NAME=VALUE", value_parser = dimension)]
        dimension: Option<(String, String)>,
        /// First day, last day and amount; several in order.
        #[arg(long = "period", required = true, value_name = "FIRST..LAST=AMOUNT CURRENCY", value_parser = period)]
        periods: Vec<BudgetPeriod>,
        /// What happens when more is posted.
        #[arg(long, value_enum, default_value = "stop")]
        action: ActionArg,
        /// The version that it comes in place of, if there is the budget already.
        #[arg(long, value_name = "VERSION")]
        replaces: Option<u32>,
    },
    /// A budget, what was used of it and what is left.
    #[command(after_help = "Example:\n  backroom budgets status rent-2026 --tenant harbor")]
    Status {
        /// Its id.
        id: String,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        book: Book,
    },
    /// Budgets, in order of their ids.
    #[command(after_help = "Example:\n  backroom budgets list --tenant harbor")]
    List {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        book: Book,
        #[command(flatten)]
        part: Part,
    },
}

/// What happens when more is posted.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ActionArg {
    /// It is posted, and the answer says so.
    Warn,
    /// It is refused.
    Stop,
}

fn dimension(text: &str) -> std::result::Result<(String, String), String> {
    let parts = text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    parts.ok_or_else(|| "a dimension is written NAME=VALUE, such as cost-center=CC-410".to_owned())
}

fn period(text: &str) -> std::result::Result<BudgetPeriod, String> {
    let parts = text.split_once('=').and_then(|(days, amount)| Some((days.split_once("..")?, amount)));
    let Some(((first, last), amount)) = parts else {
        return Err("a period is written FIRST..LAST=AMOUNT, such as '2026-06-01..2026-06-30=500.00 USD'".to_owned());
    };
    let amount = amount.parse::<Money>().map_err(|error| error.to_string())?;
    Ok(BudgetPeriod { first: date(first)?, last: date(last)?, amount })
}

#[derive(Debug, Deserialize)]
struct Set {
    version: u32,
    replayed: bool,
}

#[derive(Debug, Deserialize)]
struct Status {
    #[serde(flatten)]
    budget: Value,
    lines: Vec<Row>,
}

#[derive(Debug, Deserialize)]
struct Row {
    #[serde(flatten)]
    line: BudgetLine,
    #[serde(flatten)]
    standing: Standing,
}

impl Budgets {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        match self {
            Self::Set { id, of, book, account, dimension, periods, action, replaces } => {
                let action = match action {
                    ActionArg::Warn => "warn",
                    ActionArg::Stop => "stop",
                };
                let dimension = dimension.as_ref().map(|(name, value)| json!({ "name": name, "value": value }));
                let budget = json!({
                    "id": id, "account": account, "dimension": dimension, "periods": periods, "action": action,
                });
                let body = json!({ "book": book.book, "budget": budget, "replaces": replaces });
                let reply = context.client()?.put(&place(of, &["budgets"]), &body)?;
                context.show(&reply, |out, Set { version, replayed }| {
                    let before = if replayed { ", as it was before" } else { "" };
                    out.line(format_args!("The budget {id} is set (version {version}){before}."));
                })
            }
            Self::Status { id, of, book } => {
                let to = query(&place(of, &["budgets", id]), &[("book", Some(book.book.clone()))]);
                let reply = context.client()?.get(&to)?;
                context.show(&reply, |out, status: Status| status_of(out, &status))
            }
            Self::List { of, book, part } => {
                let reply = context.client()?.get(&query(&place(of, &["budgets"]), &book.pairs(part)))?;
                context.show_page(&reply, list)
            }
        }
    }
}

fn status_of(out: Out, status: &Status) {
    let text = |name: &str| status.budget.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    out.line(format_args!("{}: account {}, {}", text("id"), text("account"), text("action")));
    let heads = [left("From"), left("To"), right("Amount"), right("Used"), right("Left"), right("Over")];
    let mut grid = Grid::new(&heads);
    for Row { line, standing } in &status.lines {
        let figure = |minor| money(Money { minor, currency: line.amount.currency });
        grid.row([
            line.first.to_string(),
            line.last.to_string(),
            money(line.amount),
            figure(standing.used),
            figure(standing.available),
            figure(standing.over),
        ]);
    }
    out.table(&grid);
}

fn list(out: Out, rows: &[Budget]) {
    let heads =
        [left("Budget"), left("Account"), left("Dimension"), right("Periods"), left("Action"), right("Version")];
    let mut grid = Grid::new(&heads);
    for Budget { new, version, .. } in rows {
        let dimension = new.dimension.as_ref().map(|d| format!("{}={}", d.name, d.value)).unwrap_or_default();
        let action = format!("{:?}", new.action).to_lowercase();
        let (id, account) = (new.id.to_string(), new.account.to_string());
        grid.row([id, account, dimension, new.periods.len().to_string(), action, version.to_string()]);
    }
    out.table(&grid);
}
