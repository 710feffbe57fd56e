//! `backroom periods`: locks of a book and exceptions from them.

use backroom_domain::BusinessDate;
use backroom_domain::ledger::{ExceptionUse, Holder, LockException, Opening};
use clap::{Args, Subcommand, ValueEnum};
use serde::Deserialize;
use serde_json::json;

use super::Context;
use crate::args::{Of, Part, date};
use crate::client::{path, query};
use crate::exit::{Failure, Result};
use crate::figures::amount;
use crate::output::{Grid, Out, left, right};

/// Periods of the books: how far they are locked, and who may post all the same.
#[derive(Debug, Subcommand)]
pub(crate) enum Periods {
    /// The twelve months of a fiscal year and how each scope of them is locked.
    #[command(after_help = "Example:\n  backroom periods list --tenant harbor --year 2026")]
    List {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        book: Book,
        /// The calendar year in which the fiscal year begins; the one that today is in if not said.
        #[arg(long)]
        year: Option<u16>,
    },
    /// Lock the days up to and on a day. A lock moves forward only.
    #[command(after_help = "\
A soft lock lets holders of an exception post, a hard one nobody; a hard lock is never taken back.

Examples:
  backroom periods lock --tenant harbor --until 2026-06-30
  backroom periods lock --tenant harbor --scope sales --until 2026-07-15
  backroom periods lock --tenant harbor --until 2025-12-31 --hard")]
    Lock {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        book: Book,
        /// What of the book.
        #[arg(long, value_enum, default_value = "all")]
        scope: ScopeArg,
        /// The last day that is locked, YYYY-MM-DD.
        #[arg(long, value_name = "DATE", value_parser = date)]
        until: BusinessDate,
        /// For good, and for everyone.
        #[arg(long)]
        hard: bool,
    },
    /// Move a soft lock back, so that a day and those behind it are open.
    #[command(
        after_help = "Example:\n  backroom periods reopen --tenant harbor --from 2026-06-01 --reason 'invoice of the auditor'"
    )]
    Reopen {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        book: Book,
        /// What of the book.
        #[arg(long, value_enum, default_value = "all")]
        scope: ScopeArg,
        /// The first day that is open again, YYYY-MM-DD.
        #[arg(long, value_name = "DATE", value_parser = date)]
        from: BusinessDate,
        /// Why. It is kept.
        #[arg(long)]
        reason: String,
    },
    /// Say how many days ahead a posting may be dated; without a number there is no limit, which is how it begins.
    #[command(after_help = "Examples:\n  backroom periods future-limit 30 --tenant harbor\n  \
        backroom periods future-limit --tenant harbor")]
    FutureLimit {
        /// Days behind the UTC day of the clock.
        days: Option<u16>,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        book: Book,
    },
    /// Let somebody post in spite of a soft lock, up to a moment.
    #[command(after_help = "\
Everything that is posted under it is listed (`backroom periods uses`).

Examples:
  backroom periods grant x-2026-06 --tenant harbor --actor ann --until 2026-07-10T18:00:00Z --reason 'late invoices'
  backroom periods grant x-robot --tenant harbor --installation allowance --until 2026-07-10T18:00:00Z --reason 'second run'
  backroom periods grant x-all --tenant harbor --everyone --scope sales --until 2026-07-10T18:00:00Z --reason 'migration'")]
    Grant {
        /// Its id.
        id: String,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        book: Book,
        #[command(flatten)]
        holder: HolderArg,
        /// The lock that it is from.
        #[arg(long, value_enum, default_value = "all")]
        scope: ScopeArg,
        /// The moment from which on it does not count, RFC 3339.
        #[arg(long, value_name = "INSTANT")]
        until: String,
        /// Why. It is kept.
        #[arg(long)]
        reason: String,
    },
    /// End an exception now.
    #[command(after_help = "Example:\n  backroom periods revoke x-2026-06 --tenant harbor")]
    Revoke {
        /// Its id.
        id: String,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        book: Book,
    },
    /// Exceptions, expired and revoked ones as well.
    #[command(after_help = "Example:\n  backroom periods exceptions --tenant harbor")]
    Exceptions {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        book: Book,
        #[command(flatten)]
        part: Part,
    },
    /// Everything that was posted under an exception.
    #[command(after_help = "Example:\n  backroom periods uses x-2026-06 --tenant harbor")]
    Uses {
        /// The exception.
        id: String,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        book: Book,
        #[command(flatten)]
        part: Part,
    },
    /// Close a fiscal year: what is on income and expense accounts goes to retained earnings, and the year is locked for good.
    #[command(after_help = "\
The scope `all` has to be locked up to the end of the year. The result goes over for each currency and set of dimensions by
itself, to an account of type equity in each currency that has one.

Example:
  backroom periods close-year 2025 --tenant harbor --id close:2025 --retained-earnings 3200")]
    CloseYear {
        /// The calendar year in which the fiscal year begins.
        year: u16,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        book: Book,
        /// The id of the entry, at most 56 characters.
        #[arg(long)]
        id: String,
        /// An account that takes the result; one for each currency.
        #[arg(long, value_name = "ACCOUNT", required = true)]
        retained_earnings: Vec<String>,
    },
    /// What the year behind a closed one opens with.
    #[command(after_help = "Example:\n  backroom periods openings 2025 --tenant harbor")]
    Openings {
        /// The fiscal year that was closed.
        year: u16,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        book: Book,
        #[command(flatten)]
        part: Part,
    },
}

/// Which book.
#[derive(Debug, Clone, Args)]
pub(crate) struct Book {
    /// The book.
    #[arg(long, value_name = "BOOK", default_value = "main")]
    pub(crate) book: String,
}

impl Book {
    /// The query of a list of the book.
    pub(crate) fn pairs(&self, part: &Part) -> Vec<(&'static str, Option<String>)> {
        std::iter::once(("book", Some(self.book.clone()))).chain(part.pairs()).collect()
    }
}

/// What of a book.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ScopeArg {
    /// Every posting.
    All,
    /// Tax returns and payments.
    Tax,
    /// Invoices to customers.
    Sales,
    /// Invoices of vendors.
    Purchases,
    /// Salaries and benefits.
    Payroll,
    /// What stock moves post.
    Stock,
}

impl ScopeArg {
    fn word(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// Who an exception is for.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct HolderArg {
    /// A key by name, for what is posted with it and not through a plugin.
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// An installation, whoever starts it.
    #[arg(long, value_name = "NAME")]
    installation: Option<String>,
    /// Everyone.
    #[arg(long)]
    everyone: bool,
}

#[derive(Debug, Deserialize)]
struct Changed {
    replayed: bool,
}

#[derive(Debug, Deserialize)]
struct Closed {
    entries: Vec<String>,
    replayed: bool,
}

#[derive(Debug, Deserialize)]
struct Year {
    periods: Vec<Row>,
}

#[derive(Debug, Deserialize)]
struct Row {
    number: u8,
    first: BusinessDate,
    last: BusinessDate,
    scopes: Vec<State>,
}

#[derive(Debug, Deserialize)]
struct State {
    state: String,
}

impl Periods {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        match self {
            Self::List { of, book, year } => {
                let pairs = [("book", Some(book.book.clone())), ("year", year.map(|year| year.to_string()))];
                let reply = context.client()?.get(&query(&place(of, &["periods"]), &pairs))?;
                context.show(&reply, |out, year: Year| periods(out, &year))
            }
            Self::Lock { of, book, scope, until, hard } => {
                let kind = if *hard { "hard" } else { "soft" };
                let body = json!({ "book": book.book, "scope": scope.word(), "kind": kind, "until": until });
                let reply = context.client()?.post(&place(of, &["period-locks"]), &body)?;
                let word = scope.word();
                context.show(&reply, |out, Changed { replayed }| {
                    out.line(format_args!("{word} is locked until {until} ({kind}){}.", before(replayed)));
                })
            }
            Self::Reopen { of, book, scope, from, reason } => {
                let body = json!({ "book": book.book, "scope": scope.word(), "from": from, "reason": reason });
                let reply = context.client()?.post(&place(of, &["period-reopenings"]), &body)?;
                let word = scope.word();
                context.show(&reply, |out, Changed { replayed }| {
                    out.line(format_args!("{word} is open from {from} on{}.", before(replayed)));
                })
            }
            Self::FutureLimit { days, of, book } => future_limit(context, *days, of, book),
            Self::Grant { id, of, book, holder, scope, until, reason } => {
                let exception = json!({
                    "id": id, "scope": scope.word(), "holder": holder.json()?, "until": until, "reason": reason,
                });
                let body = json!({ "book": book.book, "exception": exception });
                let reply = context.client()?.post(&place(of, &["lock-exceptions"]), &body)?;
                context.show(&reply, |out, Changed { replayed }| {
                    out.line(format_args!("The exception {id} is granted{}.", before(replayed)));
                })
            }
            Self::Revoke { id, of, book } => {
                let body = json!({ "book": book.book });
                let reply = context.client()?.post(&place(of, &["lock-exceptions", id, "revocation"]), &body)?;
                context.show(&reply, |out, Changed { replayed }| {
                    out.line(format_args!("The exception {id} is revoked{}.", before(replayed)));
                })
            }
            Self::Exceptions { of, book, part } => {
                let reply = context.client()?.get(&query(&place(of, &["lock-exceptions"]), &book.pairs(part)))?;
                context.show_page(&reply, exceptions)
            }
            Self::Uses { id, of, book, part } => {
                let to = place(of, &["lock-exceptions", id, "uses"]);
                let reply = context.client()?.get(&query(&to, &book.pairs(part)))?;
                context.show_page(&reply, uses)
            }
            Self::CloseYear { year, of, book, id, retained_earnings } => {
                let closing = json!({ "id": id, "year": year, "retained-earnings": retained_earnings });
                let body = json!({ "book": book.book, "closing": closing });
                let reply = context.client()?.post(&place(of, &["year-closings"]), &body)?;
                context.show(&reply, |out, Closed { entries, replayed }| {
                    let entries = if entries.is_empty() { "nothing to post".to_owned() } else { entries.join(", ") };
                    out.line(format_args!("The year {year} is closed{}: {entries}.", before(replayed)));
                })
            }
            Self::Openings { year, of, book, part } => {
                let mut pairs = book.pairs(part);
                pairs.push(("year", Some(year.to_string())));
                let reply = context.client()?.get(&query(&place(of, &["openings"]), &pairs))?;
                context.show_page(&reply, openings)
            }
        }
    }
}

fn future_limit(context: &Context, days: Option<u16>, of: &Of, book: &Book) -> Result {
    let body = json!({ "book": book.book, "days": days });
    let reply = context.client()?.put(&place(of, &["future-limit"]), &body)?;
    context.show(&reply, |out, Changed { replayed }| match days {
        Some(days) => out.line(format_args!("Postings may be {days} days ahead at most{}.", before(replayed))),
        None => out.line(format_args!("Postings may be any time ahead{}.", before(replayed))),
    })
}

impl HolderArg {
    fn json(&self) -> Result<serde_json::Value> {
        match (&self.actor, &self.installation, self.everyone) {
            (Some(name), None, false) => Ok(json!({ "actor": name })),
            (None, Some(name), false) => Ok(json!({ "installation": name })),
            (None, None, true) => Ok(json!("everyone")),
            _ => Err(Failure::usage("say one of --actor, --installation and --everyone".to_owned())),
        }
    }
}

/// The path of something of the ledger.
pub(crate) fn place(of: &Of, rest: &[&str]) -> String {
    let segments: Vec<&str> = ["v1", "tenants", &of.tenant, "ledger"].into_iter().chain(rest.iter().copied()).collect();
    path(&segments)
}

fn before(replayed: bool) -> &'static str {
    if replayed { ", as it was before" } else { "" }
}

fn periods(out: Out, year: &Year) {
    let heads = [
        right("No."),
        left("From"),
        left("To"),
        left("All"),
        left("Tax"),
        left("Sales"),
        left("Purchases"),
        left("Payroll"),
        left("Stock"),
    ];
    let mut grid = Grid::new(&heads);
    for row in &year.periods {
        let days = [row.number.to_string(), row.first.to_string(), row.last.to_string()];
        grid.row(days.into_iter().chain(row.scopes.iter().map(|scope| scope.state.clone())));
    }
    out.table(&grid);
}

fn exceptions(out: Out, rows: &[LockException]) {
    let heads = [left("Exception"), left("Scope"), left("For"), left("Until"), left("By"), left("Reason"), left("")];
    let mut grid = Grid::new(&heads);
    for row in rows {
        let holder = match &row.new.holder {
            Holder::Actor(name) => name.to_string(),
            Holder::Installation(name) => format!("installation {name}"),
            Holder::Everyone => "everyone".to_owned(),
        };
        let revoked = row.revoked_at.map(|at| format!("revoked {at}")).unwrap_or_default();
        let scope = row.new.scope.word().to_owned();
        let (id, until) = (row.new.id.to_string(), row.new.until.to_string());
        grid.row([id, scope, holder, until, row.actor.clone(), row.new.reason.clone(), revoked]);
    }
    out.table(&grid);
}

fn uses(out: Out, rows: &[ExceptionUse]) {
    let mut grid = Grid::new(&[left("Entry"), left("For"), left("By"), left("Run"), left("At")]);
    for row in rows {
        let run = row.run.as_ref().map(ToString::to_string).unwrap_or_default();
        grid.row([row.entry.to_string(), row.date.to_string(), row.actor.clone(), run, row.recorded_at.to_string()]);
    }
    out.table(&grid);
}

fn openings(out: Out, rows: &[Opening]) {
    let heads =
        [left("Account"), right("Debits"), right("Credits"), left(""), right("Base debits"), right("Base credits")];
    let mut grid = Grid::new(&heads);
    for row in rows {
        let figure = |minor: u64| amount(minor.into(), row.currency);
        let base = row.base.map(|base| [base.debits, base.credits].map(|minor| amount(minor.into(), base.currency)));
        let [debits, credits] = base.unwrap_or_default();
        let account = row.account.to_string();
        grid.row([account, figure(row.debits), figure(row.credits), row.currency.to_string(), debits, credits]);
    }
    out.table(&grid);
}
