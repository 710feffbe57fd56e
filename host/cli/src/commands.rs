//! One file for each command: its arguments, its request, how the reply is shown.

pub(crate) mod backup;
pub(crate) mod bank;
pub(crate) mod budgets;
pub(crate) mod compile;
pub(crate) mod files;
pub(crate) mod hr;
pub(crate) mod import;
pub(crate) mod install;
pub(crate) mod inventory;
pub(crate) mod items;
pub(crate) mod key;
pub(crate) mod ledger;
mod ledger_reports;
mod ledger_write;
pub(crate) mod log;
pub(crate) mod mirrored;
pub(crate) mod openapi;
pub(crate) mod periods;
pub(crate) mod plugin;
mod plugin_bench;
mod plugin_run;
mod plugin_test;
pub(crate) mod rates;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod secrets;
pub(crate) mod serve;
pub(crate) mod store;
pub(crate) mod tenant;

use std::path::{Path, PathBuf};

use backroom_server::Place;
use backroom_store::backup::is_restoring;
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
            Some(dir) if is_restoring(dir) => Err(Failure::usage(format!(
                "a restore into {} is under way, or was not finished: then ask for the same restore again",
                dir.display()
            ))),
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
        match self.place() {
            Some(place) => Client::place(&place),
            None => Client::server(&self.global.server, key_of_environment()),
        }
    }

    /// Where everything is kept, for commands that cannot do without.
    pub(crate) fn required_place(&self) -> Result<Place> {
        let none = || Failure::usage("name the data directory (--data DIR) or the database (--database-url URL)");
        self.place().ok_or_else(none)
    }

    /// Where everything is kept, if it was named.
    pub(crate) fn place(&self) -> Option<Place> {
        let Global { data, database_url, cache, .. } = &self.global;
        match (data, database_url) {
            (Some(dir), _) => Some(Place::Folder(dir.clone())),
            (None, Some(url)) => {
                let cache = cache.clone().unwrap_or_else(cache_folder);
                Some(Place::Database { url: url.clone(), cache })
            }
            (None, None) => None,
        }
    }

    /// The data directory, if it was named.
    pub(crate) fn data(&self) -> Option<&Path> {
        self.global.data.as_deref()
    }

    /// The database, if it was named.
    pub(crate) fn database_url(&self) -> Option<&str> {
        self.global.database_url.as_deref()
    }

    /// The address of the server.
    pub(crate) fn server(&self) -> &str {
        &self.global.server
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

/// The user's folder for such things, or one in the system's temporary folder.
fn cache_folder() -> PathBuf {
    let own = directories::ProjectDirs::from("", "", "backroom");
    own.map_or_else(|| std::env::temp_dir().join("backroom-cache"), |own| own.cache_dir().to_owned())
}

/// Never an argument: those can be seen by every user of the machine.
fn key_of_environment() -> Option<String> {
    std::env::var("BACKROOM_KEY").ok().map(|key| key.trim().to_owned()).filter(|key| !key.is_empty())
}
