//! `backroom ledger`: reads of the books, and what writes to them (see `ledger_write`).

use backroom_domain::ledger::{Account, Balance, Book, Entry, Hold, TrialBalance};
use clap::{Args, Subcommand};

use super::ledger_reports::{self, Days, Reports, Stated};
use super::{Context, ledger_write};
use crate::args::{Of, Part};
use crate::client::{Client, path, query};
use crate::exit::{Failure, Result};
use crate::figures::{amount, amount_or_blank};
use crate::output::{Grid, Out, left, right};
use crate::view::effects;

/// The books: accounts, balances, entries.
#[derive(Debug, Subcommand)]
pub(crate) enum Ledger {
    /// Every account with its debits and credits, and the difference of the totals, which must be zero.
    #[command(after_help = "Examples:\n  backroom ledger trial-balance --tenant harbor\n  \
        backroom ledger trial-balance --tenant harbor --as-of 2026-06-30 --all --json")]
    TrialBalance {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        day: AsOf,
        /// Also accounts that were never posted to.
        #[arg(long)]
        all: bool,
    },
    /// The balance of one account.
    #[command(after_help = "Example:\n  backroom ledger balance 6110 --tenant harbor --as-of 2026-06-30")]
    Balance {
        /// The account's code.
        account: String,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        day: AsOf,
    },
    /// The counters of several accounts, all of one moment.
    #[command(after_help = "Examples:\n  backroom ledger balances 1000 1100 --tenant harbor\n  \
        backroom ledger balances 1000 --tenant harbor --as-of 2026-06-30 --recorded-at 2026-07-05T00:00:00Z")]
    Balances {
        /// The accounts' codes, at most 500.
        #[arg(required = true)]
        accounts: Vec<String>,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        day: AsOf,
        /// As the books were at this moment, RFC 3339.
        #[arg(long, value_name = "INSTANT")]
        recorded_at: Option<String>,
    },
    /// What writes to the books.
    #[command(flatten)]
    Write(ledger_write::Write),
    /// The books that there are beside `main`, or with it if it has a base currency.
    #[command(after_help = "Example:\n  backroom ledger books --tenant harbor")]
    Books {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        part: Part,
    },
    /// Holds, in order of their ids.
    #[command(after_help = "Example:\n  backroom ledger holds --tenant harbor --limit 20")]
    Holds {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        part: Part,
    },
    /// Journal entries, in order of their numbers.
    #[command(after_help = "Example:\n  backroom ledger entries --tenant harbor --limit 5")]
    Entries {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        part: Part,
    },
    /// One journal entry.
    #[command(after_help = "Example:\n  backroom ledger entry rent-2026-06 --tenant harbor")]
    Entry {
        /// Its id.
        id: String,
        #[command(flatten)]
        of: Of,
    },
    /// The chart of accounts.
    #[command(after_help = "Example:\n  backroom ledger accounts --tenant harbor")]
    Accounts {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        part: Part,
    },
    /// Reports: trial balance, balance sheet, income statement, cash flow, general ledger, by dimension.
    #[command(subcommand)]
    Report(Reports),
    /// The lines of one account with the balance behind each.
    #[command(
        after_help = "Example:\n  backroom ledger statement 1000 --tenant harbor --from 2026-06-01 --to 2026-06-30"
    )]
    Statement {
        /// The account's code.
        account: String,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        days: Days,
        #[command(flatten)]
        part: Part,
    },
    /// Why a balance is what it is: by month, and by the largest entries.
    #[command(after_help = "Example:\n  backroom ledger explain 6110 --tenant harbor --from 2026-01-01 --largest 5")]
    Explain {
        /// The account's code.
        account: String,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        days: Days,
        /// How many entries are named, at most 50.
        #[arg(long, value_name = "N", default_value_t = 10)]
        largest: u32,
    },
    /// Compares the balance of an account with a stated one; fails if they differ.
    #[command(
        after_help = "Examples:\n  backroom ledger assert-balance 1000 --tenant harbor --date 2026-06-30 --balance '1000.50 USD'\n  \
        backroom ledger assert-balance 2300 --tenant harbor --date 2026-06-30 --side credit --balance '1000.50 USD'\n  \
        backroom ledger assert-balance 2300 --tenant harbor --date 2026-06-30 --balance '-1000.50 USD'"
    )]
    AssertBalance(Stated),
    /// Looks through the journal: no number is missing, and every entry balances. Fails if one does not.
    #[command(after_help = "Examples:\n  backroom ledger verify --tenant harbor\n  \
        backroom ledger verify --tenant harbor --from 1 --to 1000 --json")]
    Verify {
        #[command(flatten)]
        of: Of,
        /// The number of the first entry; 1 if not said.
        #[arg(long, value_name = "NUMBER")]
        from: Option<u64>,
        /// The number of the last entry; the newest if not said.
        #[arg(long, value_name = "NUMBER")]
        to: Option<u64>,
    },
    /// Splits an amount into parts that add up to it exactly: rounded down, and what is left over one unit each in order.
    #[command(after_help = "Example:\n  backroom ledger allocate --tenant harbor \"100.00 USD\" 1/3 25% remainder")]
    Allocate {
        #[command(flatten)]
        of: Of,
        /// The amount, such as \"100.00 USD\".
        amount: String,
        /// Parts of the whole: `1/3`, `0.125`, `12.5%`, or `remainder` once.
        #[arg(required = true)]
        portions: Vec<String>,
    },
    /// The whole journal as text for another program.
    #[command(
        after_help = "Examples:\n  backroom ledger export --tenant harbor --format hledger --to harbor.journal\n  \
        hledger -f harbor.journal balance\n  backroom ledger export --tenant harbor --format csv --to harbor.csv"
    )]
    Export {
        #[command(flatten)]
        of: Of,
        /// What for.
        #[arg(long, value_parser = ["hledger", "ledger", "beancount", "csv"])]
        format: String,
        /// A new file.
        #[arg(long, value_name = "FILE")]
        to: std::path::PathBuf,
    },
}

/// Up to which day.
#[derive(Debug, Clone, Args)]
pub(crate) struct AsOf {
    /// Entries dated up to and on this day, YYYY-MM-DD; all if not said.
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
}

impl Ledger {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        let client = || context.client();
        match self {
            Self::Report(report) => report.run(context),
            Self::Statement { account, of, days, part } => ledger_reports::statement(context, account, of, days, part),
            Self::Explain { account, of, days, largest } => {
                ledger_reports::explain(context, account, of, days, *largest)
            }
            Self::AssertBalance(stated) => stated.run(context),
            Self::Verify { of, from, to } => ledger_reports::verify(context, of, *from, *to),
            Self::Allocate { of, amount, portions } => ledger_reports::allocate(context, of, amount, portions),
            Self::Export { of, format, to } => ledger_reports::export(context, of, format, to),
            Self::TrialBalance { of, day, all } => {
                let to = path(&["v1", "tenants", &of.tenant, "ledger", "trial-balance"]);
                let reply = client()?.get(&query(&to, &[("as-of", day.as_of.clone())]))?;
                context.show(&reply, |out, trial: TrialBalance| show(out, &trial, *all))?;
                check(&reply.read()?)
            }
            Self::Balance { account, of, day } => {
                let to = path(&["v1", "tenants", &of.tenant, "ledger", "accounts", account, "balance"]);
                let reply = client()?.get(&query(&to, &[("as-of", day.as_of.clone())]))?;
                context.show(&reply, one_balance)
            }
            Self::Balances { accounts, of, day, recorded_at } => {
                let to = path(&["v1", "tenants", &of.tenant, "ledger", "balances"]);
                let asked = [
                    ("accounts", Some(accounts.join(","))),
                    ("as-of", day.as_of.clone()),
                    ("recorded-at", recorded_at.clone()),
                ];
                let reply = client()?.get(&query(&to, &asked))?;
                context.show(&reply, |out, balances: Vec<Balance>| {
                    for balance in balances {
                        one_balance(out, balance);
                    }
                })
            }
            Self::Entry { id, of } => {
                let reply = client()?.get(&path(&["v1", "tenants", &of.tenant, "ledger", "entries", id]))?;
                context.show(&reply, |out, entry: Entry| one_entry(out, &entry))
            }
            Self::Write(write) => write.run(context),
            Self::Books { of, part } => {
                let to = path(&["v1", "tenants", &of.tenant, "ledger", "books"]);
                let reply = client()?.get(&query(&to, &part.pairs()))?;
                context.show_page(&reply, books)
            }
            Self::Holds { of, part } => {
                let to = path(&["v1", "tenants", &of.tenant, "ledger", "holds"]);
                let reply = client()?.get(&query(&to, &part.pairs()))?;
                context.show_page(&reply, |out, holds: &[Hold]| {
                    for hold in holds {
                        ledger_write::hold(out, hold);
                    }
                })
            }
            Self::Entries { of, part } => {
                let to = path(&["v1", "tenants", &of.tenant, "ledger", "entries"]);
                let reply = client()?.get(&query(&to, &part.pairs()))?;
                context.show_page(&reply, |out, entries: &[Entry]| {
                    for entry in entries {
                        one_entry(out, entry);
                    }
                })
            }
            Self::Accounts { of, part } => {
                let to = path(&["v1", "tenants", &of.tenant, "ledger", "accounts"]);
                let reply = client()?.get(&query(&to, &part.pairs()))?;
                context.show_page(&reply, accounts)
            }
        }
    }
}

fn one_entry(out: Out, entry: &Entry) {
    out.line(format_args!("no. {}", entry.number));
    effects::entry(out, entry);
}

fn books(out: Out, books: &[Book]) {
    for Book { new, .. } in books {
        out.line(format_args!("{}: {} in {}, year from month {}", new.id, new.name, new.base, new.year_start));
    }
}

fn one_balance(out: Out, balance: Balance) {
    let Balance { account, currency, debits, credits, debits_held, credits_held, available, .. } = balance;
    let side = if credits > debits { "credit" } else { "debit" };
    let rest = amount(debits.abs_diff(credits).into(), currency);
    let figure = |minor: u64| amount(minor.into(), currency);
    out.line(format_args!(
        "{account}: {rest} {currency} {side}  (debits {}, credits {})",
        figure(debits),
        figure(credits)
    ));
    if debits_held > 0 || credits_held > 0 {
        let available = amount(available.unwrap_or_default().value(), currency);
        let (debits, credits) = (figure(debits_held), figure(credits_held));
        out.line(format_args!("held: debits {debits}, credits {credits}; available {available}"));
    }
}

/// Fetches the trial balance over everything.
pub(crate) fn trial_balance(client: &Client, tenant: &str) -> Result<TrialBalance> {
    client.get(&path(&["v1", "tenants", tenant, "ledger", "trial-balance"]))?.read()
}

/// A trial balance with its totals and their difference.
pub(crate) fn show(out: Out, trial: &TrialBalance, all: bool) {
    let mut grid = Grid::new(&[left("Account"), left("Name"), left("Type"), right("Debit"), right("Credit"), left("")]);
    for row in &trial.rows {
        let Balance { account, currency, debits, credits, .. } = &row.balance;
        if !all && *debits == 0 && *credits == 0 {
            continue;
        }
        // The balance stands on the side that is larger, as in any trial balance.
        let debit = amount_or_blank(u128::from(debits.saturating_sub(*credits)), *currency);
        let credit = amount_or_blank(u128::from(credits.saturating_sub(*debits)), *currency);
        let kind = format!("{:?}", row.kind).to_lowercase();
        grid.row([account.to_string(), row.name.clone(), kind, debit, credit, currency.to_string()]);
    }
    for (currency, debits, credits) in balances(trial) {
        let blank = String::new;
        let sums = [amount(debits, currency), amount(credits, currency), currency.to_string()];
        grid.row(["total".to_owned(), blank(), blank()].into_iter().chain(sums));
    }
    out.table(&grid);
    for total in &trial.totals {
        let minor = |sum: u128| i128::try_from(sum).unwrap_or(i128::MAX);
        let (debits, credits) = (minor(total.debits), minor(total.credits));
        out.line(format_args!(
            "{}: posted debits {}, credits {}, difference {}",
            total.currency,
            amount(debits, total.currency),
            amount(credits, total.currency),
            amount(debits - credits, total.currency)
        ));
    }
}

/// Per currency: the sums of the debit and of the credit balances.
fn balances(trial: &TrialBalance) -> Vec<(backroom_domain::Currency, i128, i128)> {
    let one = |currency| {
        let rows = trial.rows.iter().map(|row| &row.balance).filter(move |balance| balance.currency == currency);
        let side = |more: u64, less: u64| i128::from(more.saturating_sub(less));
        rows.fold((currency, 0, 0), |sum, row| {
            (currency, sum.1 + side(row.debits, row.credits), sum.2 + side(row.credits, row.debits))
        })
    };
    trial.totals.iter().map(|total| one(total.currency)).collect()
}

/// A failure unless debits equal credits in every currency, by the totals and by the rows.
pub(crate) fn check(trial: &TrialBalance) -> Result {
    // In the base currency of a book it is the base column that balances: exchange differences keep the amounts apart.
    let base = |currency| trial.base_totals.iter().any(|total| total.currency == currency);
    let by_totals = trial.totals.iter().all(|total| total.debits == total.credits || base(total.currency))
        && trial.base_totals.iter().all(|total| total.debits == total.credits);
    let by_rows = balances(trial).iter().all(|(currency, debits, credits)| debits == credits || base(*currency));
    match by_totals && by_rows {
        true => Ok(()),
        false => {
            Err(Failure::Check("debits and credits differ: the books are wrong; run `backroom log verify`".to_owned()))
        }
    }
}

fn accounts(out: Out, accounts: &[Account]) {
    let mut grid = Grid::new(&[left("Account"), left("Name"), left("Type"), left("Currency"), left("Under"), left("")]);
    for Account { new, .. } in accounts {
        let mark = match (new.posting, new.stock_control) {
            (false, _) => "header",
            (true, true) => "stock control",
            (true, false) => "",
        };
        let parent = new.parent.as_ref().map(ToString::to_string).unwrap_or_default();
        let kind = format!("{:?}", new.kind).to_lowercase();
        grid.row([new.code.to_string(), new.name.clone(), kind, new.currency.to_string(), parent, mark.to_owned()]);
    }
    out.table(&grid);
}
