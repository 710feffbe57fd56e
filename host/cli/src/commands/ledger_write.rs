//! `backroom ledger`: what writes to the books.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use backroom_domain::ledger::{
    AccountClosing, Entry, Hold, HoldRelease, NewEntry, NewHold, Reversal, ReversalDate, Settlement, Sweep,
};
use backroom_domain::{BusinessDate, Id, Money};
use clap::{Args, Subcommand};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Context;
use crate::args::Of;
use crate::client::{path, query};
use crate::exit::{Failure, Reason, Result};
use crate::output::Out;
use crate::view::effects;

/// What writes to the books.
#[derive(Debug, Subcommand)]
pub(crate) enum Write {
    /// Creates a book from JSON: its id, its name, its base currency.
    #[command(after_help = "Example:\n  backroom ledger create-book eu.json --tenant harbor\n\n\
        with {\"id\": \"eu\", \"name\": \"Harbor Europe\", \"base\": \"EUR\"} in the file")]
    CreateBook(File),
    /// Adds an account from JSON.
    #[command(after_help = "Example:\n  backroom ledger create-account till.json --tenant harbor\n\n\
        with {\"code\": \"1100\", \"name\": \"Till\", \"type\": \"asset\", \"currency\": \"USD\", \"posting\": true,\n\
        \"stock-control\": false, \"rules\": {\"min-available\": {\"minor\": 0}}} in the file")]
    CreateAccount(File),
    /// Changes the name or the rules of an account, from JSON. It says which version of the account it is a change of.
    #[command(after_help = "Example:\n  backroom ledger update-account 1100 change.json --tenant harbor\n\n\
        with {\"expected-version\": 0, \"rules\": {\"manual\": false}} in the file")]
    UpdateAccount {
        /// The account's code.
        account: String,
        #[command(flatten)]
        file: File,
    },
    /// Closes an account: nothing is posted to it until it is opened again.
    #[command(after_help = "Example:\n  \
        backroom ledger close-account 1100 --tenant harbor --reason 'till sold' --sweep-to 1000 --entry sweep:1100")]
    CloseAccount {
        /// The account's code.
        account: String,
        #[command(flatten)]
        of: Of,
        /// Why, for people.
        #[arg(long)]
        reason: String,
        /// The account that takes its balance.
        #[arg(long, requires = "entry", value_parser = id)]
        sweep_to: Option<Id>,
        /// The id of the entry that is posted for it.
        #[arg(long, requires = "sweep_to", value_parser = id)]
        entry: Option<Id>,
    },
    /// Opens a closed account again.
    #[command(after_help = "Example:\n  backroom ledger reopen-account 1100 --tenant harbor")]
    ReopenAccount {
        /// The account's code.
        account: String,
        #[command(flatten)]
        of: Of,
    },
    /// Posts an entry from JSON. Posting the same again does nothing.
    #[command(after_help = "Example:\n  \
        echo '{\"id\": \"e-1\", \"date\": \"2026-06-30\", \"description\": \"Rent\", \"lines\": [\n  \
        {\"account\": \"6100\", \"side\": \"debit\", \"amount\": {\"minor\": 50000, \"currency\": \"USD\"}},\n  \
        {\"account\": \"1000\", \"side\": \"credit\", \"amount\": {\"minor\": 50000, \"currency\": \"USD\"}}]}' |\n  \
        backroom ledger post - --tenant harbor --dry-run")]
    Post(File),
    /// Posts many entries from JSON: {"mode": "independent", "items": [{"group": 1, "entry": {...}}]}. Tells what became of each.
    #[command(after_help = "Example:\n  backroom ledger post-batch june.json --tenant harbor")]
    PostBatch(File),
    /// Takes an entry back, once, by another one with the sides changed over.
    #[command(after_help = "Example:\n  \
        backroom ledger reverse e-1 --tenant harbor --entry e-1:back --reason 'paid twice'")]
    Reverse {
        /// The entry to take back.
        #[arg(value_parser = id)]
        of_entry: Id,
        #[command(flatten)]
        of: Of,
        /// The id of the entry that is posted for it.
        #[arg(long, value_parser = id)]
        entry: Id,
        /// Why, for people.
        #[arg(long)]
        reason: String,
        /// On the day of the entry, instead of today.
        #[arg(long)]
        original_day: bool,
        /// Even if it overdraws an account.
        #[arg(long)]
        force: bool,
    },
    /// Places a hold from JSON: an entry, and after how many seconds it ends by itself.
    #[command(after_help = "Example:\n  backroom ledger hold hold.json --tenant harbor")]
    Hold(File),
    /// Posts what a hold keeps, or a part of it.
    #[command(after_help = "Example:\n  \
        backroom ledger settle h-1 --tenant harbor --entry h-1:paid --amount '200.00 USD' --final")]
    Settle {
        /// The hold.
        #[arg(value_parser = id)]
        hold: Id,
        #[command(flatten)]
        of: Of,
        /// The id of the entry that is posted.
        #[arg(long, value_parser = id)]
        entry: Id,
        /// How much of it, such as "200.00 USD"; all if not said.
        #[arg(long)]
        amount: Option<Money>,
        /// Release the rest.
        #[arg(long = "final")]
        last: bool,
        /// The day of the books, YYYY-MM-DD; that of the hold if not said.
        #[arg(long)]
        date: Option<String>,
    },
    /// Gives up what a hold keeps.
    #[command(after_help = "Examples:\n  backroom ledger release h-1 --tenant harbor\n  \
        backroom ledger release h-1 --tenant harbor --amount '200.00 USD'")]
    Release {
        /// The hold.
        #[arg(value_parser = id)]
        hold: Id,
        #[command(flatten)]
        of: Of,
        /// What it must keep, if you want to be sure, such as "200.00 USD".
        #[arg(long)]
        amount: Option<Money>,
    },
}

fn id(text: &str) -> std::result::Result<Id, backroom_domain::Error> {
    Id::parse(text, "id")
}

/// JSON, and for whom.
#[derive(Debug, Args)]
pub(crate) struct File {
    /// The file; `-` for standard input.
    file: PathBuf,
    #[command(flatten)]
    of: Of,
    /// Do it all and keep nothing: shows what would come of it.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Deserialize)]
struct Posted {
    entry: Entry,
    replayed: bool,
    #[serde(default)]
    warnings: Vec<Reason>,
}

#[derive(Debug, Deserialize)]
struct Placed {
    hold: Hold,
}

impl Write {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        match self {
            Self::CreateBook(file) => file.send::<Value, Value>(context, &["books"], done),
            Self::CreateAccount(file) => file.send::<Value, Value>(context, &["accounts"], done),
            Self::UpdateAccount { account, file } => {
                let body: Value = read(&file.file)?;
                let to = query(&to(&file.of, &["accounts", account]), &file.dry());
                context.show(&context.client()?.put(&to, &body)?, done)
            }
            Self::CloseAccount { account, of, reason, sweep_to, entry } => {
                let sweep = sweep_to.clone().zip(entry.clone()).map(|(to, entry)| Sweep { to, entry });
                let body = AccountClosing { reason: reason.clone(), sweep };
                send(context, of, &["accounts", account, "close"], &body, done)
            }
            Self::ReopenAccount { account, of } => {
                send(context, of, &["accounts", account, "reopen"], &json!({}), done)
            }
            Self::Post(file) => file.send::<NewEntry, Posted>(context, &["entries"], posted),
            Self::PostBatch(file) => file.send::<Value, Vec<Value>>(context, &["batches"], |out, outcomes| {
                for (i, outcome) in outcomes.iter().enumerate() {
                    out.line(format_args!("{i}: {outcome}"));
                }
            }),
            Self::Reverse { of_entry, of, entry, reason, original_day, force } => {
                let date = if *original_day { ReversalDate::Original } else { ReversalDate::Now };
                let (entry, reason) = (entry.clone(), reason.clone());
                let body = Reversal { of: of_entry.clone(), entry, date, reason, force: *force };
                send(context, of, &["reversals"], &body, posted)
            }
            Self::Hold(file) => {
                file.send::<NewHold, Placed>(context, &["holds"], |out, placed| hold(out, &placed.hold))
            }
            Self::Settle { hold, of, entry, amount, last, date } => {
                let date = date.as_ref().map(|date| BusinessDate::parse(date, "date")).transpose();
                let date = date.map_err(|error| Failure::usage(error.to_string()))?;
                let (hold, entry) = (hold.clone(), entry.clone());
                let body = Settlement { hold, entry, amount: *amount, last: *last, date };
                send(context, of, &["settlements"], &body, posted)
            }
            Self::Release { hold: id, of, amount } => {
                let body = HoldRelease { hold: id.clone(), amount: *amount };
                send(context, of, &["releases"], &body, |out, released: Hold| hold(out, &released))
            }
        }
    }
}

impl File {
    fn dry(&self) -> Vec<(&'static str, Option<String>)> {
        vec![("dry-run", self.dry_run.then(|| "true".to_owned()))]
    }

    /// Sends the file, read as `B`, and shows the answer.
    fn send<B: DeserializeOwned + Serialize, T: DeserializeOwned>(
        &self,
        context: &Context,
        below: &[&str],
        human: impl FnOnce(Out, T),
    ) -> Result {
        let body: B = read(&self.file)?;
        let to = query(&to(&self.of, below), &self.dry());
        context.show(&context.client()?.post(&to, &body)?, human)
    }
}

fn to(of: &Of, below: &[&str]) -> String {
    path(&[&["v1", "tenants", &of.tenant, "ledger"], below].concat())
}

fn send<T: DeserializeOwned>(
    context: &Context,
    of: &Of,
    below: &[&str],
    body: &impl Serialize,
    human: impl FnOnce(Out, T),
) -> Result {
    context.show(&context.client()?.post(&to(of, below), body)?, human)
}

fn read<T: DeserializeOwned>(file: &Path) -> Result<T> {
    let (name, text) = if file == Path::new("-") {
        let mut text = String::new();
        ("the standard input".to_owned(), std::io::stdin().read_to_string(&mut text).map(|_| text))
    } else {
        (file.display().to_string(), std::fs::read_to_string(file))
    };
    let text = text.map_err(|why| Failure::usage(format!("{name} cannot be read: {why}")))?;
    serde_json::from_str(&text).map_err(|why| Failure::usage(format!("{name} is not what is needed here: {why}")))
}

fn done(out: Out, value: Value) {
    out.line(format_args!("{value}"));
}

fn posted(out: Out, posted: Posted) {
    let again = if posted.replayed { " (was posted before)" } else { "" };
    out.line(format_args!("no. {}{again}", posted.entry.number));
    effects::entry(out, &posted.entry);
    posted
        .warnings
        .iter()
        .for_each(|warning| out.line(format_args!("warning: {} ({})", warning.message, warning.code)));
}

/// A hold in one line.
pub(crate) fn hold(out: Out, hold: &Hold) {
    let entry = &hold.new.entry;
    let state = format!("{:?}", hold.state).to_lowercase();
    let until = hold.expires_at.map(|at| format!(", until {at}")).unwrap_or_default();
    out.line(format_args!("{} {} {state}{until}: {}", entry.id, entry.date, entry.description));
    for (line, kept) in entry.lines.iter().zip(&hold.kept) {
        let side = format!("{:?}", line.side).to_lowercase();
        let kept = Money { minor: *kept, currency: line.amount.currency };
        out.line(format_args!("  {side} {} {} (keeps {kept})", line.account, line.amount));
    }
}
