//! `backroom demo`: the main job, end to end, on real input, with nothing prepared.

mod files;
mod stage;
mod story;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use backroom_server::Place;
use clap::Args;

use crate::client::Client;
use crate::commands::Context;
use crate::exit::{Failure, Result};
use crate::logging;
use crate::service::Server;
use files::Files;
use stage::Stage;
use story::Story;

/// Run a client's monthly workflow end to end: build, import, install, plan, commit, prove.
#[derive(Debug, Args)]
#[command(after_help = "\
Builds the plugin (and installs the Wasm target for it if there is none), starts a server on a free port with a new data
directory, and lets a made-up client's month run in it over HTTP. Everything that is shown is checked; the exit code is 1
if something does not hold. The data directory is kept, and the last lines say how to look around in it.

Examples:
  backroom demo
  backroom demo --dir /tmp/backroom-demo
  backroom demo --database-url postgresql://backroom@localhost/demo
  backroom demo --discard --json")]
pub(crate) struct Demo {
    /// The data directory, new or empty; one in the system's temporary folder if not said.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Delete the data directory in the end.
    #[arg(long)]
    discard: bool,
}

impl Demo {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        logging::begin("warn", false);
        let files = Files::find()?;
        let mut stage = Stage::new(context.out);
        if let (None, Some(database @ Place::Database { .. })) = (&self.dir, context.place()) {
            tell(&mut stage, &files, &database)?;
            stage.out.line("\nEverything is kept in the database: `backroom serve --database-url URL` serves it.");
            stage.summary();
            return Ok(());
        }
        let dir = self.fresh_dir()?;
        let told = tell(&mut stage, &files, &Place::Folder(dir.clone()));
        if self.discard {
            let gone = std::fs::remove_dir_all(&dir);
            gone.with_context(|| format!("cannot delete {}", dir.display()))?;
        }
        match told {
            Ok(key) => {
                if !self.discard {
                    what_next(&mut stage, &dir, &key);
                }
                stage.summary();
                Ok(())
            }
            Err(failure) => {
                if !self.discard {
                    crate::output::note(format_args!("The data directory is kept for a look: {}", dir.display()));
                }
                Err(failure)
            }
        }
    }

    fn fresh_dir(&self) -> Result<PathBuf> {
        let Some(dir) = &self.dir else {
            let made = tempfile::Builder::new().prefix("backroom-demo-").tempdir();
            return Ok(made.context("cannot make a temporary directory; name one with `--dir DIR`")?.keep());
        };
        std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let mut inside = std::fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))?;
        match inside.next() {
            None => Ok(std::path::absolute(dir).unwrap_or_else(|_| dir.clone())),
            Some(_) => Err(Failure::usage(format!("{} is not empty: name a new directory", dir.display()))),
        }
    }
}

/// The whole story with its server. Gives the administrator's key.
fn tell(stage: &mut Stage, files: &Files, place: &Place) -> Result<String> {
    let built = Story::build(stage, files)?;
    let (kind, name) = match place {
        Place::Folder(dir) => ("data directory", dir.display().to_string()),
        Place::Database { .. } => ("database", "the database".to_owned()),
    };
    stage.step(format_args!("Start a server on a new {kind}"));
    let server = Server::start(place, ([127, 0, 0, 1], 0).into(), &|_| {})?;
    let url = format!("http://{}", server.address);
    let key = server.first_key()?.with_context(|| format!("the {kind} is not new: it has keys already"))?;
    stage.say(format_args!("{url} on {name}"));
    if let Place::Folder(dir) = place {
        stage.fact("data", dir);
    }
    stage.fact("key", &key);
    stage.fact("server", &url);
    let client = Client::server(&url, Some(key.clone()))?;
    let told = Story::new(stage, &client, files).tell(built);
    // Also after a failure: the directory can be looked at only when it is closed.
    let stopped = server.stop();
    told?;
    stopped?;
    Ok(key)
}

/// How to go on.
fn what_next(stage: &mut Stage, dir: &Path, key: &str) {
    let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("backroom"));
    let here = std::env::current_dir().unwrap_or_default();
    let program = program.strip_prefix(&here).unwrap_or(&program).display();
    let (dir, tenant) = (dir.display(), story::TENANT);
    let serve = format!("{program} serve --data {dir}");
    let lines = [
        format!("export BACKROOM_KEY={key}"),
        format!("{program} ledger trial-balance --tenant {tenant}"),
        format!("{program} hr employments --tenant {tenant} --position CPA --place remote"),
        format!("{program} runs list --tenant {tenant}"),
        format!("curl -H \"Authorization: Bearer $BACKROOM_KEY\" http://127.0.0.1:7420/v1/tenants/{tenant}/runs"),
    ];
    stage.out.line(format_args!(
        "\nAll {} checks held. The data directory is kept. To look around, start the server:\n",
        stage.held()
    ));
    stage.out.line(format_args!("  {serve}\n"));
    stage.out.line("and in another terminal:\n");
    lines.iter().for_each(|line| stage.out.line(format_args!("  {line}")));
    stage.fact("serve", serve);
    stage.fact("try", lines);
}
