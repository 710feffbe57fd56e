//! `backroom secrets`.

use std::io::{BufRead as _, IsTerminal as _};

use anyhow::Context as _;
use axum::http::Method;
use clap::Subcommand;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::Context;
use crate::args::{Of, Part};
use crate::client::{path, query};
use crate::exit::Result;
use crate::output::{self, Grid, left};

/// Secrets that the service fills into requests of plugins, such as the token of a bank.
#[derive(Debug, Subcommand)]
pub(crate) enum Secrets {
    /// Set a secret, in place of what it was. It is read from the standard input, one line, and never shown again.
    #[command(after_help = "\
A plugin writes {{secret:NAME}} where it belongs and never has the secret itself; where it may go is said in the grants of the
installation (`secrets`, with the host). It is sealed with a key of its own, which BACKROOM_MASTER_KEY_FILE wraps.

Example:
  backroom secrets set bank --tenant harbor < token.txt")]
    Set {
        /// Its name.
        name: String,
        #[command(flatten)]
        of: Of,
    },
    /// Names of secrets, and who set them when.
    #[command(after_help = "Example:\n  backroom secrets list --tenant harbor")]
    List {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        part: Part,
    },
    /// Delete a secret. Its key is destroyed, so that no copy of the log has it.
    #[command(after_help = "Example:\n  backroom secrets delete bank --tenant harbor")]
    Delete {
        /// Its name.
        name: String,
        #[command(flatten)]
        of: Of,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Row {
    name: String,
    updated_at: String,
    actor: String,
}

#[derive(Debug, Deserialize)]
struct Deleted {
    deleted: bool,
}

impl Secrets {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        match self {
            Self::Set { name, of } => {
                if std::io::stdin().is_terminal() {
                    output::note("The secret, in one line (it is shown while you type):");
                }
                let mut line = Zeroizing::new(String::new());
                std::io::stdin().lock().read_line(&mut line).context("cannot read the secret")?;
                let value = line.trim_end_matches(['\r', '\n']);
                let place = path(&["v1", "tenants", &of.tenant, "secrets", name]);
                let reply = context.client()?.put(&place, &json!({ "value": value }))?;
                context.show(&reply, |out, row: Row| out.line(format_args!("The secret {} is set.", row.name)))
            }
            Self::List { of, part } => {
                let reply =
                    context.client()?.get(&query(&path(&["v1", "tenants", &of.tenant, "secrets"]), &part.pairs()))?;
                context.show_page(&reply, |out, rows: &[Row]| {
                    let mut grid = Grid::new(&[left("Secret"), left("Set at"), left("By")]);
                    for Row { name, updated_at, actor } in rows {
                        grid.row([name, updated_at, actor]);
                    }
                    out.table(&grid);
                })
            }
            Self::Delete { name, of } => {
                let place = path(&["v1", "tenants", &of.tenant, "secrets", name]);
                let reply = context.client()?.send(Method::DELETE, &place, None)?;
                context.show(&reply, |out, Deleted { deleted }| match deleted {
                    true => out.line(format_args!("The secret {name} is deleted.")),
                    false => out.line(format_args!("There was no secret {name}.")),
                })
            }
        }
    }
}
