//! `backroom store`: the files of the store.

use clap::Subcommand;
use serde::Deserialize;
use serde_json::json;

use super::Context;
use crate::client::path;
use crate::exit::Result;
use crate::figures::count;
use crate::progress::Progress;

/// The store's files.
#[derive(Debug, Subcommand)]
pub(crate) enum Store {
    /// Write the state anew, so that it takes less room. Everybody goes on meanwhile.
    #[command(after_help = "\
The service does this by itself when the state takes more than twice what is in it and 256 MiB; `backroom log status` shows how much
it is, and when it was done last. It takes room for a second state while it goes on. Only the newest checkpoint is kept.

Examples:
  backroom store compact
  backroom store compact --data /var/lib/backroom     # while no server runs")]
    Compact,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Compacted {
    before_bytes: u64,
    after_bytes: u64,
    logical_bytes: u64,
}

impl Store {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        let Self::Compact = self;
        let client = context.client()?;
        let shown = Progress::start("writing the state anew");
        let reply = client.post(&path(&["v1", "store", "compaction"]), &json!({}))?;
        drop(shown);
        context.show(&reply, |out, done: Compacted| {
            out.line(format_args!(
                "The state took {} bytes and takes {} now; the records in it have {}.",
                count(done.before_bytes),
                count(done.after_bytes),
                count(done.logical_bytes)
            ));
        })
    }
}
