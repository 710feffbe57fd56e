//! `backroom open-items`: what is to be matched.

use backroom_domain::ledger::{AgeingRow, ItemRef, OpenItem};
use backroom_domain::{BusinessDate, Id, Money};
use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::json;

use super::Context;
use super::periods::place;
use crate::args::{Of, Part, date};
use crate::client::query;
use crate::exit::Result;
use crate::figures::amount;
use crate::output::{Grid, Out, left, right};

/// Open items: lines of reconcilable accounts, such as invoices and payments, to be matched with each other.
#[derive(Debug, Subcommand)]
pub(crate) enum Items {
    /// What is open, now or at the end of a day.
    #[command(after_help = "\
Examples:
  backroom open-items list --tenant harbor --account 1200
  backroom open-items list --tenant harbor --party acme --as-of 2026-06-30")]
    List {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        filter: Filter,
        #[command(flatten)]
        part: Part,
    },
    /// What is open by the days that it is overdue.
    #[command(after_help = "\
Examples:
  backroom open-items ageing --tenant harbor --account 1200
  backroom open-items ageing --tenant harbor --as-of 2026-06-30 --buckets 15,30,60,90")]
    Ageing {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        filter: Filter,
        /// The last day of each bucket, ascending.
        #[arg(long, value_name = "DAYS", default_value = "30,60,90")]
        buckets: String,
    },
    /// Match debits with credits of one account.
    #[command(after_help = "\
An item is an entry and the number of its line, 0 for the first: inv-1#0.

Examples:
  backroom open-items match m-1 --tenant harbor --date 2026-06-30 --pair 'inv-1#0=pay-1#1=120.00 USD'
  backroom open-items match m-2 --tenant harbor --date 2026-06-30 --pair 'inv-2#0=pay-2#1=99.50 USD' --write-off 'inv-2#0=6900=0.50 USD' --entry wo-2")]
    Match {
        /// Its id.
        id: String,
        #[command(flatten)]
        of: Of,
        /// From which day on they are matched, YYYY-MM-DD.
        #[arg(long, value_name = "DATE", value_parser = date)]
        date: BusinessDate,
        /// A debit, a credit, and how much of both.
        #[arg(long = "pair", required = true, value_name = "DEBIT=CREDIT=AMOUNT", value_parser = pair)]
        pairs: Vec<(ItemRef, ItemRef, Money)>,
        /// What is left of an item and given up: the item, the account that bears it, how much.
        #[arg(long, value_name = "ITEM=ACCOUNT=AMOUNT", value_parser = write_off)]
        write_off: Option<(ItemRef, Id, Money)>,
        /// The id of the entry that is posted if something is given up or rates differ.
        #[arg(long, value_name = "ID")]
        entry: Option<String>,
    },
    /// Take a match back.
    #[command(after_help = "\
Examples:
  backroom open-items unmatch m-1 --tenant harbor --reason 'another invoice'
  backroom open-items unmatch m-2 --tenant harbor --reason 'paid after all' --entry wo-2-back")]
    Unmatch {
        /// Its id.
        id: String,
        #[command(flatten)]
        of: Of,
        /// Why. It is kept.
        #[arg(long)]
        reason: String,
        /// The id of the entry that takes back what was posted with it.
        #[arg(long, value_name = "ID")]
        entry: Option<String>,
    },
}

/// Which items.
#[derive(Debug, Args)]
pub(crate) struct Filter {
    /// Of this account alone.
    #[arg(long)]
    account: Option<String>,
    /// With this party alone.
    #[arg(long)]
    party: Option<String>,
    /// As it was at the end of this day, YYYY-MM-DD.
    #[arg(long, value_name = "DATE", value_parser = date)]
    as_of: Option<BusinessDate>,
}

impl Filter {
    fn pairs(&self) -> [(&'static str, Option<String>); 3] {
        let as_of = self.as_of.map(|day| day.to_string());
        [("account", self.account.clone()), ("party", self.party.clone()), ("as-of", as_of)]
    }
}

/// `ENTRY#LINE`.
pub(crate) fn item(text: &str) -> std::result::Result<ItemRef, String> {
    let parts = text.split_once('#').and_then(|(entry, line)| Some((entry, line.parse().ok()?)));
    let Some((entry, line)) = parts else {
        return Err("an item is written ENTRY#LINE, with 0 for the first line, such as inv-1#0".to_owned());
    };
    let entry = Id::parse(entry, "entry").map_err(|error| error.to_string())?;
    Ok(ItemRef { entry, line })
}

fn three(text: &str) -> std::result::Result<(&str, &str, Money), String> {
    let mut parts = text.splitn(3, '=');
    let (Some(one), Some(two), Some(amount)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("three parts with = between are needed, such as 'inv-1#0=pay-1#1=120.00 USD'".to_owned());
    };
    Ok((one, two, amount.parse::<Money>().map_err(|error| error.to_string())?))
}

fn pair(text: &str) -> std::result::Result<(ItemRef, ItemRef, Money), String> {
    let (debit, credit, amount) = three(text)?;
    Ok((item(debit)?, item(credit)?, amount))
}

fn write_off(text: &str) -> std::result::Result<(ItemRef, Id, Money), String> {
    let (of, account, amount) = three(text)?;
    Ok((item(of)?, Id::parse(account, "account").map_err(|error| error.to_string())?, amount))
}

#[derive(Debug, Deserialize)]
struct Row {
    #[serde(flatten)]
    item: OpenItem,
    open: u64,
}

#[derive(Debug, Deserialize)]
struct Done {
    posted: bool,
    replayed: bool,
}

impl Items {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        let client = context.client()?;
        match self {
            Self::List { of, filter, part } => {
                let asked: Vec<_> = filter.pairs().into_iter().chain(part.pairs()).collect();
                let reply = client.get(&query(&place(of, &["open-items"]), &asked))?;
                context.show_page(&reply, list)
            }
            Self::Ageing { of, filter, buckets } => {
                let asked: Vec<_> = filter.pairs().into_iter().chain([("buckets", Some(buckets.clone()))]).collect();
                let reply = client.get(&query(&place(of, &["ageing"]), &asked))?;
                context.show(&reply, |out, rows: Vec<AgeingRow>| ageing(out, buckets, &rows))
            }
            Self::Match { id, of, date, pairs, write_off, entry } => {
                let pairs: Vec<_> = pairs
                    .iter()
                    .map(|(debit, credit, amount)| json!({"debit": debit, "credit": credit, "minor": amount.minor}))
                    .collect();
                let given_up = write_off
                    .as_ref()
                    .map(|(item, account, amount)| json!({ "item": item, "account": account, "minor": amount.minor }));
                let tolerance = write_off.as_ref().map_or(0, |(.., amount)| amount.minor);
                let body = json!({
                    "id": id, "date": date, "pairs": pairs, "write-off": given_up, "tolerance": tolerance, "entry": entry,
                });
                let reply = client.post(&place(of, &["matches"]), &body)?;
                context.show(&reply, |out, Done { posted, replayed }| {
                    let before = if replayed { ", as they were before" } else { "" };
                    let and = if posted { ", and an entry was posted" } else { "" };
                    out.line(format_args!("The items of {id} are matched{before}{and}."));
                })
            }
            Self::Unmatch { id, of, reason, entry } => {
                let body = json!({ "reason": reason, "entry": entry });
                let reply = client.post(&place(of, &["matches", id, "undoing"]), &body)?;
                context.show(&reply, |out, Done { replayed, .. }| {
                    let before = if replayed { ", as they were before" } else { "" };
                    out.line(format_args!("The items of {id} are open again{before}."));
                })
            }
        }
    }
}

fn list(out: Out, rows: &[Row]) {
    let heads = [
        left("Account"),
        left("Item"),
        left("Date"),
        left("Due"),
        left("Party"),
        left("Side"),
        right("Amount"),
        right("Open"),
    ];
    let mut grid = Grid::new(&heads);
    for Row { item, open } in rows {
        let currency = item.amount.currency;
        let side = format!("{:?}", item.side).to_lowercase();
        grid.row([
            item.account.to_string(),
            format!("{}#{}", item.of.entry, item.of.line),
            item.date.to_string(),
            item.due.map(|day| day.to_string()).unwrap_or_default(),
            item.party.as_ref().map(ToString::to_string).unwrap_or_default(),
            side,
            amount(item.amount.minor.into(), currency),
            amount((*open).into(), currency),
        ]);
    }
    out.table(&grid);
}

fn ageing(out: Out, buckets: &str, rows: &[AgeingRow]) {
    out.line(format_args!("Overdue by up to {buckets} days, and by more:"));
    let mut grid = Grid::new(&[left("Side"), right("Current"), right("Overdue"), right("Total")]);
    for row in rows {
        let figure = |minor: u64| amount(minor.into(), row.currency);
        let overdue: Vec<String> = row.overdue.iter().map(|minor| figure(*minor)).collect();
        let side = format!("{:?}", row.side).to_lowercase();
        grid.row([side, figure(row.current), overdue.join("  "), figure(row.total)]);
    }
    out.table(&grid);
}
