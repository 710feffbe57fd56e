//! `backroom key`.

use clap::{Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Context;
use crate::client::path;
use crate::exit::Result;
use crate::output;

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

impl Key {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        let Self::Create { name, role, tenant } = self;
        let mut body = json!({ "name": name, "role": role });
        if let (Some(fields), Some(tenant)) = (body.as_object_mut(), tenant) {
            fields.insert("tenant".to_owned(), json!(tenant));
        }
        let reply = context.client_of_new()?.post(&path(&["v1", "keys"]), &body)?;
        context.show(&reply, |out, made: Made| {
            out.line(&made.secret);
            output::note(
                "This key is shown once. Use it as BACKROOM_KEY, or in the header `Authorization: Bearer KEY`.",
            );
        })
    }
}
