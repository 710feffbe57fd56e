//! `backroom hr`: reads of people. Fields that the key may not read are left out.

use backroom_domain::hr::{Benefit, Employment};
use clap::Subcommand;
use serde::Deserialize;

use super::Context;
use crate::args::{Of, Part};
use crate::client::{path, query};
use crate::exit::Result;
use crate::figures::money;
use crate::output::{Grid, left, right};
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
                        let text = |field: &Option<String>| field.clone().unwrap_or_else(|| "-".to_owned());
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
        }
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
    for Employment { new, .. } in rows {
        grid.row([
            new.worker.to_string(),
            new.position.to_string(),
            format!("{:?}", new.place).to_lowercase(),
            new.from.to_string(),
            new.to.map(|day| day.to_string()).unwrap_or_default(),
            new.cost_center.to_string(),
            new.salary.map_or_else(|| "-".to_owned(), money),
        ]);
    }
    out.table(&grid);
}
