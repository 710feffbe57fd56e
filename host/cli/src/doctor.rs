//! `backroom doctor`: what of the isolation and the durability is in force, on this machine, for a data directory, in a database,
//! and at a server. Everything is tried or read here and now; nothing is changed.

mod database;
mod disk;
mod machine;

use clap::Args;
use serde::Serialize;

use crate::client::{Client, path};
use crate::commands::Context;
use crate::exit::{Failure, Problem, Result};
use crate::output::{Grid, left};

/// Say what of the isolation and the durability is in force: on this machine, and for the data directory or database that is named.
#[derive(Debug, Args)]
#[command(after_help = "\
Ends with 1 if something that the service relies on is not in force. A data directory may be in use meanwhile.

Examples:
  backroom doctor
  backroom doctor --data /var/lib/backroom
  backroom doctor --database-url postgresql://backroom@db.internal/backroom --json
  backroom doctor --ask-server --server http://127.0.0.1:7420")]
pub(crate) struct Doctor {
    /// Ask the server at --server as well whether it is ready.
    #[arg(long)]
    ask_server: bool,
}

/// How it stands with one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// In force.
    Ok,
    /// Said for information: nothing relies on it.
    Info,
    /// In force but weaker or slower than it could be.
    Warning,
    /// Not in force, and the service relies on it.
    Bad,
}

/// One finding.
#[derive(Debug, Serialize)]
struct Finding {
    about: &'static str,
    what: &'static str,
    state: State,
    detail: String,
}

/// All findings.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, about: &'static str, what: &'static str, state: State, detail: impl Into<String>) {
        self.0.push(Finding { about, what, state, detail: detail.into() });
    }
}

impl Doctor {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        let mut findings = Findings::default();
        machine::look(&mut findings);
        if let Some(dir) = context.data() {
            disk::look(dir, &mut findings);
        }
        if let Some(url) = context.database_url().filter(|_| context.data().is_none()) {
            database::look(url, &mut findings);
        }
        if self.ask_server {
            ask(context.server(), &mut findings);
        }
        let Findings(findings) = findings;
        let bad = findings.iter().filter(|finding| finding.state == State::Bad).count();
        let report = serde_json::json!({ "ok": bad == 0, "findings": findings });
        if context.out.is_json() {
            return match bad {
                0 => {
                    context.out.value(&report);
                    Ok(())
                }
                // The report is the failure's own text: one JSON value, whatever the end.
                _ => Err(Failure::Refused(Box::new(Problem { text: report.to_string(), ..Problem::default() }))),
            };
        }
        let mut grid = Grid::new(&[left("About"), left("What"), left("State"), left("Found")]);
        for Finding { about, what, state, detail } in &findings {
            let state = match state {
                State::Ok => "ok",
                State::Info => "-",
                State::Warning => "WARNING",
                State::Bad => "BAD",
            };
            grid.row([*about, *what, state, detail.as_str()]);
        }
        context.out.table(&grid);
        match bad {
            0 => Ok(()),
            some => Err(Failure::Check(format!("{some} of {} are not in force", findings.len()))),
        }
    }
}

/// Whether a server answers and is ready. Both routes tell nothing about anybody and need no key.
fn ask(server: &str, findings: &mut Findings) {
    for (what, route) in [("alive", "healthz"), ("ready", "readyz")] {
        let (state, detail) = match Client::server(server, None).and_then(|client| client.get(&path(&[route]))) {
            Ok(_) => (State::Ok, server.to_owned()),
            Err(failure) => (State::Bad, format!("{server}: {}", failure.to_json())),
        };
        findings.add("server", what, state, detail);
    }
}
