//! `backroom tenant`.

use clap::Subcommand;
use serde::Deserialize;
use serde_json::json;

use super::Context;
use crate::args::Part;
use crate::client::{path, query};
use crate::exit::Result;
use crate::output::{Grid, left, right};

/// Client companies.
#[derive(Debug, Subcommand)]
pub(crate) enum Tenant {
    /// Add a client company; the same again does no harm.
    #[command(after_help = "Example:\n  backroom tenant create harbor --name 'Harbor Ledger Services, Inc.'")]
    Create {
        /// Its name in paths and commands: letters, digits and . _ : / -
        id: String,
        /// Its name for people.
        #[arg(long)]
        name: String,
    },
    /// List the client companies.
    #[command(after_help = "Examples:\n  backroom tenant list\n  backroom tenant list --json --limit 500")]
    List(Part),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Row {
    id: String,
    name: String,
    number: u32,
    created_at: String,
}

impl Tenant {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        match self {
            Self::Create { id, name } => {
                let client = context.client_of_new()?;
                let reply = client.post(&path(&["v1", "tenants"]), &json!({ "id": id, "name": name }))?;
                context.show(&reply, |out, row: Row| {
                    out.line(format_args!("Tenant {} ({}) is there.", row.id, row.name));
                })
            }
            Self::List(part) => {
                let client = context.client()?;
                let reply = client.get(&query(&path(&["v1", "tenants"]), &part.pairs()))?;
                context.show_page(&reply, |out, rows: &[Row]| {
                    let mut grid = Grid::new(&[left("Tenant"), left("Name"), right("Number"), left("Since")]);
                    for row in rows {
                        grid.row([&row.id, &row.name, &row.number.to_string(), &row.created_at]);
                    }
                    out.table(&grid);
                })
            }
        }
    }
}
