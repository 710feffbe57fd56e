//! `backroom key`.

use axum::http::Method;
use clap::{Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Context;
use crate::args::Part;
use crate::client::{path, query};
use crate::exit::Result;
use crate::output::{self, Grid, left};

/// API keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Make an API key. It is shown once and kept nowhere.
    #[command(after_help = "Examples:\n  backroom key create nightly --role operator --tenant harbor\n  \
        backroom key create auditor --role reader --tenant harbor\n  backroom key create second-admin --role admin")]
    Create {
        /// What the log calls whoever uses it.
        name: String,
        /// What its holder may do.
        #[arg(long, value_enum)]
        role: Role,
        /// The one tenant it is for; none for administrators.
        #[arg(long)]
        tenant: Option<String>,
    },
    /// List the API keys, without what is secret in them.
    #[command(after_help = "Example:\n  backroom key list")]
    List(Part),
    /// Withdraw an API key: whoever has it is a stranger from then on. Queued runs are done all the same.
    #[command(after_help = "Example:\n  backroom key withdraw 3f9c2b7a10d4e856")]
    Withdraw {
        /// Its id, as `backroom key list` shows it.
        id: String,
    },
}

/// What the holder of a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Role {
    /// Everything, for every tenant.
    Admin,
    /// Everything within one tenant.
    Operator,
    /// Reads within one tenant, without salaries and bank accounts.
    Reader,
}

#[derive(Debug, Deserialize)]
struct Made {
    secret: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Row {
    id: String,
    name: String,
    role: String,
    #[serde(default)]
    tenant: Option<String>,
    created_at: String,
}

impl Key {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        match self {
            Self::Create { name, role, tenant } => create(context, name, *role, tenant.as_deref()),
            Self::List(part) => {
                let reply = context.client()?.get(&query(&path(&["v1", "keys"]), &part.pairs()))?;
                context.show_page(&reply, |out, rows: &[Row]| {
                    let heads = [left("Id"), left("Name"), left("Role"), left("Tenant"), left("Since")];
                    let mut grid = Grid::new(&heads);
                    for Row { id, name, role, tenant, created_at } in rows {
                        grid.row([id.as_str(), name, role, tenant.as_deref().unwrap_or("all"), created_at]);
                    }
                    out.table(&grid);
                })
            }
            Self::Withdraw { id } => {
                let reply = context.client()?.send(Method::DELETE, &path(&["v1", "keys", id]), None)?;
                context.show(&reply, |out, row: Row| {
                    out.line(format_args!("Key {} ({}) is withdrawn.", row.id, row.name));
                })
            }
        }
    }
}

fn create(context: &Context, name: &str, role: Role, tenant: Option<&str>) -> Result {
    let mut body = json!({ "name": name, "role": role });
    if let (Some(fields), Some(tenant)) = (body.as_object_mut(), tenant) {
        fields.insert("tenant".to_owned(), json!(tenant));
    }
    let reply = context.client_of_new()?.post(&path(&["v1", "keys"]), &body)?;
    context.show(&reply, |out, made: Made| {
        out.line(&made.secret);
        output::note("This key is shown once. Use it as BACKROOM_KEY, or in the header `Authorization: Bearer KEY`.");
    })
}
