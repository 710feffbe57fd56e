//! `backroom rates`: exchange rates of a book.

use backroom_domain::BusinessDate;
use backroom_domain::ledger::{FoundRate, Rate, Revalued};
use clap::Subcommand;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Context;
use super::periods::{Book, place};
use crate::args::{Of, Part, date};
use crate::client::query;
use crate::exit::Result;
use crate::figures::money;
use crate::output::{Grid, left, right};

/// Exchange rates: what one unit of a currency is worth in another.
#[derive(Debug, Subcommand)]
pub(crate) enum Rates {
    /// Set rates of a day, in place of what they were. Entries keep the rates that they were posted with.
    #[command(after_help = "\
The type `spot` is taken for posting, `closing` for revaluation; others are your own.

Examples:
  backroom rates set EUR/USD=1.0842 GBP/USD=1.271 --tenant harbor --date 2026-06-30
  backroom rates set EUR/USD=1.0831 --tenant harbor --date 2026-06-30 --type closing")]
    Set {
        /// Pairs with the rate: one unit of the first is worth so many of the second.
        #[arg(required = true, value_name = "FROM/TO=RATE", value_parser = pair)]
        rates: Vec<Pair>,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        book: Book,
        /// The day from which on they count, YYYY-MM-DD.
        #[arg(long, value_name = "DATE", value_parser = date)]
        date: BusinessDate,
        /// The type of rate.
        #[arg(long = "type", value_name = "TYPE", default_value = "spot")]
        kind: String,
    },
    /// The newest rate on or before a day; computed from the other direction if that is newer.
    #[command(after_help = "Example:\n  backroom rates get USD EUR --tenant harbor --date 2026-06-30")]
    Get {
        /// One unit of this ...
        from: String,
        /// ... is worth how many of this?
        to: String,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        book: Book,
        /// The day, YYYY-MM-DD.
        #[arg(long, value_name = "DATE", value_parser = date)]
        date: BusinessDate,
        /// The type of rate.
        #[arg(long = "type", value_name = "TYPE", default_value = "spot")]
        kind: String,
    },
    /// Rates in order of pair, type and day, the newest day first.
    #[command(after_help = "Example:\n  backroom rates list --tenant harbor")]
    List {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        book: Book,
        #[command(flatten)]
        part: Part,
    },
    /// Bring what foreign balances are carried at to what they are worth at the rate of a day.
    #[command(after_help = "\
The difference goes to the exchange gain and loss accounts of the book; the balances themselves do not change.

Example:
  backroom rates revalue reval:2026-06 --tenant harbor --as-of 2026-06-30 --account 1120 --account 2120 --reverse")]
    Revalue {
        /// The id of the entry, at most 56 characters.
        id: String,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        book: Book,
        /// The day whose balances are revalued, YYYY-MM-DD.
        #[arg(long, value_name = "DATE", value_parser = date)]
        as_of: BusinessDate,
        /// An account that is kept in a foreign currency; several.
        #[arg(long = "account", value_name = "ACCOUNT", required = true)]
        accounts: Vec<String>,
        /// The type of rate.
        #[arg(long = "type", value_name = "TYPE", default_value = "closing")]
        kind: String,
        /// Take it back on the next day.
        #[arg(long)]
        reverse: bool,
    },
}

/// `EUR/USD=1.0842`.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    from: String,
    to: String,
    rate: String,
}

fn pair(text: &str) -> std::result::Result<Pair, String> {
    let parts = text.split_once('=').and_then(|(pair, rate)| Some((pair.split_once('/')?, rate)));
    let Some(((from, to), rate)) = parts else {
        return Err("a rate is written FROM/TO=RATE, such as EUR/USD=1.0842".to_owned());
    };
    Ok(Pair { from: from.to_owned(), to: to.to_owned(), rate: rate.to_owned() })
}

#[derive(Debug, Deserialize)]
struct Revaluation {
    revalued: Vec<Revalued>,
    entries: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Done {
    set: u32,
    unchanged: u32,
}

impl Rates {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        match self {
            Self::Set { rates, of, book, date, kind } => {
                let one = |Pair { from, to, rate }: &Pair| json!({ "date": date, "from": from, "to": to, "type": kind, "rate": rate });
                let rates: Vec<Value> = rates.iter().map(one).collect();
                let body = json!({ "book": book.book, "rates": rates });
                let reply = context.client()?.post(&place(of, &["rates"]), &body)?;
                context.show(&reply, |out, Done { set, unchanged }| {
                    out.line(format_args!("{set} set, {unchanged} as they were before."));
                })
            }
            Self::Get { from, to, of, book, date, kind } => {
                let pairs =
                    [("book", &book.book), ("from", from), ("to", to), ("type", kind), ("date", &date.to_string())];
                let pairs = pairs.map(|(name, value)| (name, Some(value.clone())));
                let reply = context.client()?.get(&query(&place(of, &["rate"]), &pairs))?;
                context.show(&reply, |out, found: FoundRate| {
                    let FoundRate { from, to, date, rate, inverse, exact, .. } = found;
                    let how = match (inverse, exact) {
                        (false, _) => String::new(),
                        (true, true) => format!(", from {to}/{from}"),
                        (true, false) => format!(", from {to}/{from}, rounded"),
                    };
                    out.line(format_args!("1 {from} is {rate} {to} (of {date}{how})"));
                })
            }
            Self::Revalue { id, of, book, as_of, accounts, kind, reverse } => {
                let revaluation =
                    json!({ "id": id, "as-of": as_of, "accounts": accounts, "type": kind, "reverse": reverse });
                let body = json!({ "book": book.book, "revaluation": revaluation });
                let reply = context.client()?.post(&place(of, &["revaluations"]), &body)?;
                context.show(&reply, |out, Revaluation { revalued, entries }| {
                    let heads = [left("Account"), right("Rate"), left("Of"), right("Difference"), left("")];
                    let mut grid = Grid::new(&heads);
                    for one in revalued {
                        let side = format!("{:?}", one.side).to_lowercase();
                        let (rate, day) = (one.rate.to_string(), one.rate_date.to_string());
                        grid.row([one.account.to_string(), rate, day, money(one.difference), side]);
                    }
                    out.table(&grid);
                    let entries = if entries.is_empty() { "nothing to post".to_owned() } else { entries.join(", ") };
                    out.line(format_args!("Entries: {entries}"));
                })
            }
            Self::List { of, book, part } => {
                let reply = context.client()?.get(&query(&place(of, &["rates"]), &book.pairs(part)))?;
                context.show_page(&reply, |out, rows: &[Rate]| {
                    let heads = [left("Pair"), left("Type"), left("Day"), right("Rate"), left("Set by"), left("At")];
                    let mut grid = Grid::new(&heads);
                    for Rate { new, actor, recorded_at, .. } in rows {
                        let pair = format!("{}/{}", new.from, new.to);
                        let (kind, day, rate) = (new.kind.to_string(), new.date.to_string(), new.rate.to_string());
                        grid.row([pair, kind, day, rate, actor.clone(), recorded_at.to_string()]);
                    }
                    out.table(&grid);
                })
            }
        }
    }
}
