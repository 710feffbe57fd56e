//! `backroom hr`: reads of people, and their erasure. Fields that the key may not read are left out.

use std::io::{BufRead as _, IsTerminal as _};

use anyhow::Context as _;
use backroom_domain::BusinessDate;
use backroom_domain::hr::{Benefit, ERASED, Employment};
use clap::Subcommand;
use serde::Deserialize;
use serde_json::json;

use super::Context;
use crate::args::{Of, Part, date};
use crate::client::{path, query};
use crate::exit::{Failure, Result};
use crate::figures::money;
use crate::output::{self, Grid, left, right};
use crate::view::effects;

/// People: workers, employments, benefit lines.
#[derive(Debug, Subcommand)]
pub(crate) enum Hr {
    /// Workers, in order of their numbers.
    #[command(after_help = "Example:\n  backroom hr workers --tenant harbor")]
    Workers {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        part: Part,
    },
    /// Employments; every condition given must hold.
    #[command(
        after_help = "Example:\n  backroom hr employments --tenant harbor --position CPA --place remote --from 2026-06-01 --to 2026-06-30"
    )]
    Employments {
        #[command(flatten)]
        of: Of,
        /// Position code, such as CPA.
        #[arg(long)]
        position: Option<String>,
        /// `office`, `remote` or `hybrid`.
        #[arg(long)]
        place: Option<String>,
        /// Employed on at least one day from here, YYYY-MM-DD ...
        #[arg(long, value_name = "DATE")]
        from: Option<String>,
        /// ... to here, both counted.
        #[arg(long, value_name = "DATE")]
        to: Option<String>,
        #[command(flatten)]
        part: Part,
    },
    /// Benefit lines of a plan whose first day lies in a period.
    #[command(
        after_help = "Example:\n  backroom hr benefits --tenant harbor --plan housing --from 2026-06-01 --to 2026-06-30"
    )]
    Benefits {
        #[command(flatten)]
        of: Of,
        /// The benefit plan.
        #[arg(long)]
        plan: String,
        /// First day from here, YYYY-MM-DD ...
        #[arg(long, value_name = "DATE")]
        from: String,
        /// ... to here, both counted.
        #[arg(long, value_name = "DATE")]
        to: String,
        #[command(flatten)]
        part: Part,
    },
    /// Erase the personal data of a worker who has left. It cannot be undone.
    #[command(after_help = "\
Name, e-mail, bank account and salaries are sealed with a key of this person alone, which is destroyed: they cannot be read
again, in no log and in no backup of it. Worker number, employments without salaries, benefit lines and moves stay. A copy of
the folder `keys` still has the key until it is overwritten: keep such copies for a short time only. What workflows or
people wrote elsewhere (memos, inputs and outputs of runs) is not looked at.

Refused (`retention-duty`) while the worker is employed, and before the day of --not-before.

Examples:
  backroom hr erase W-1003 --tenant harbor --reason 'request of 2026-06-30'
  backroom hr erase W-1003 --tenant harbor --reason 'retention is over' --not-before 2033-01-01 --yes")]
    Erase {
        /// The worker number.
        worker: String,
        #[command(flatten)]
        of: Of,
        /// Why. It is kept, so it should not name the person.
        #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
        reason: String,
        /// The day from which on no duty to keep the data is left, YYYY-MM-DD.
        #[arg(long, value_name = "DATE", value_parser = date)]
        not_before: Option<BusinessDate>,
        /// Do it without asking.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Erased {
    worker: String,
    recorded_at: String,
    replayed: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Worker {
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    bank_account: Option<String>,
    #[serde(default)]
    erased: bool,
}

impl Hr {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        let client = context.client()?;
        match self {
            Self::Workers { of, part } => {
                let reply =
                    client.get(&query(&path(&["v1", "tenants", &of.tenant, "hr", "workers"]), &part.pairs()))?;
                context.show_page(&reply, |out, rows: &[Worker]| {
                    let mut grid = Grid::new(&[left("Worker"), left("Name"), left("E-mail"), left("Bank account")]);
                    for row in rows {
                        let none = if row.erased { ERASED } else { "-" };
                        let text = |field: &Option<String>| field.clone().unwrap_or_else(|| none.to_owned());
                        grid.row([row.id.clone(), text(&row.name), text(&row.email), text(&row.bank_account)]);
                    }
                    out.table(&grid);
                })
            }
            Self::Employments { of, position, place, from, to, part } => {
                let filter = [
                    ("position", position.clone()),
                    ("place", place.clone()),
                    ("first-day", from.clone()),
                    ("last-day", to.clone()),
                ];
                let pairs: Vec<_> = filter.into_iter().chain(part.pairs()).collect();
                let reply = client.get(&query(&path(&["v1", "tenants", &of.tenant, "hr", "employments"]), &pairs))?;
                context.show_page(&reply, employments)
            }
            Self::Benefits { of, plan, from, to, part } => {
                let filter = [("plan", plan), ("first-day", from), ("last-day", to)];
                let filter = filter.map(|(name, value)| (name, Some(value.clone())));
                let pairs: Vec<_> = filter.into_iter().chain(part.pairs()).collect();
                let reply = client.get(&query(&path(&["v1", "tenants", &of.tenant, "hr", "benefits"]), &pairs))?;
                context.show_page(&reply, |out, rows: &[Benefit]| effects::benefits(out, rows))
            }
            Self::Erase { worker, of, reason, not_before, yes } => {
                if !yes {
                    confirm(worker, &of.tenant)?;
                }
                let mut body = json!({ "reason": reason });
                if let (Some(fields), Some(day)) = (body.as_object_mut(), not_before) {
                    fields.insert("not-before".to_owned(), json!(day));
                }
                let reply =
                    client.post(&path(&["v1", "tenants", &of.tenant, "hr", "workers", worker, "erasure"]), &body)?;
                context.show(&reply, |out, erased: Erased| {
                    let when = if erased.replayed { "had been erased" } else { "are erased" };
                    let Erased { worker, recorded_at, .. } = erased;
                    out.line(format_args!("The personal data of {worker} {when} ({recorded_at})."));
                })
            }
        }
    }
}

/// What cannot be undone is asked for twice.
fn confirm(worker: &str, tenant: &str) -> Result {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage("erasing cannot be undone: say --yes where nobody can be asked".to_owned()));
    }
    output::note(format_args!(
        "The personal data of worker {worker} of {tenant} will be erased. This cannot be undone.\nType the worker number to go on:"
    ));
    let mut typed = String::new();
    std::io::stdin().lock().read_line(&mut typed).context("cannot read the answer")?;
    match typed.trim() == worker {
        true => Ok(()),
        false => Err(Failure::refused("not-confirmed", "nothing was erased".to_owned())),
    }
}

fn employments(out: crate::output::Out, rows: &[Employment]) {
    let heads = [
        left("Worker"),
        left("Position"),
        left("Place"),
        left("From"),
        left("To"),
        left("Cost centre"),
        right("Salary"),
    ];
    let mut grid = Grid::new(&heads);
    for Employment { new, erased, .. } in rows {
        let none = if *erased { ERASED } else { "-" };
        grid.row([
            new.worker.to_string(),
            new.position.to_string(),
            format!("{:?}", new.place).to_lowercase(),
            new.from.to_string(),
            new.to.map(|day| day.to_string()).unwrap_or_default(),
            new.cost_center.to_string(),
            new.salary.map_or_else(|| none.to_owned(), money),
        ]);
    }
    out.table(&grid);
}
