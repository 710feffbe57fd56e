//! One file for each command: its arguments, its request, how the reply is shown.

pub(crate) mod backup;
pub(crate) mod hr;
pub(crate) mod import;
pub(crate) mod install;
pub(crate) mod inventory;
pub(crate) mod key;
pub(crate) mod ledger;
pub(crate) mod log;
pub(crate) mod plugin;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod serve;
pub(crate) mod tenant;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::args::Global;
use crate::client::{Client, Reply};
use crate::exit::{Failure, Result};
use crate::output::{self, Out};

/// What every command works with.
pub(crate) struct Context {
    pub(crate) out: Out,
    global: Global,
}

impl Context {
    pub(crate) fn new(global: Global) -> Self {
        Self { out: Out::new(global.json), global }
    }

    /// The routes that the arguments name.
    pub(crate) fn client(&self) -> Result<Client> {
        match &self.global.data {
            // A mistyped path must not become a new, empty and perfectly sound set of books.
            Some(dir) if !dir.join("log").is_dir() => Err(Failure::usage(format!(
                "{} is no data directory; `backroom serve`, `tenant create` and `key create` make one",
                dir.display()
            ))),
            _ => self.client_of_new(),
        }
    }

    /// The same for commands that may make a data directory: a new one, or an empty folder.
    pub(crate) fn client_of_new(&self) -> Result<Client> {
        match &self.global.data {
            Some(dir) => Client::data(dir),
            None => Client::server(&self.global.server, key_of_environment()),
        }
    }

    /// The data directory, for commands that cannot do without.
    pub(crate) fn data(&self) -> Result<&std::path::Path> {
        let none = || Failure::usage("name the data directory: --data DIR");
        self.global.data.as_deref().ok_or_else(none)
    }

    /// Shows a reply: as it came, or for people.
    pub(crate) fn show<T: DeserializeOwned>(&self, reply: &Reply, human: impl FnOnce(Out, T)) -> Result {
        if self.out.is_json() {
            self.out.raw(&reply.text);
        } else {
            human(self.out, reply.read()?);
        }
        Ok(())
    }

    /// Shows a page of a list, and how to get the next one.
    pub(crate) fn show_page<T: DeserializeOwned>(&self, reply: &Reply, human: impl FnOnce(Out, &[T])) -> Result {
        self.show(reply, |out, page: Page<T>| {
            if page.items.is_empty() {
                out.line("(nothing)");
            } else {
                human(out, &page.items);
            }
            if let Some(next) = page.next {
                output::note(format_args!("There is more: --cursor {next}"));
            }
        })
    }
}

/// A page of a list.
#[derive(Debug, Deserialize)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    #[serde(default)]
    pub(crate) next: Option<String>,
}

/// Never an argument: those can be seen by every user of the machine.
fn key_of_environment() -> Option<String> {
    std::env::var("BACKROOM_KEY").ok().map(|key| key.trim().to_owned()).filter(|key| !key.is_empty())
}
