//! `backroom install`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Context;
use super::plugin::{self, Release};
use crate::args::{Of, Part};
use crate::client::{Client, Reply, path, query};
use crate::exit::{Failure, Result};
use crate::output::{Grid, left, text_of};
use crate::view::rights;

/// Put a release to use for a tenant, with the rights that it is granted.
#[derive(Debug, Args)]
#[command(after_help = "\
The file says the name of the installation, what is granted, the configuration and the limits:

  name = \"remote-allowance\"
  [grants.ledger]
  post = [\"6100..6199\", \"2300\"]
  max-entry = \"50000.00 USD\"
  [config]
  plan = \"housing\"

A plugin may use what it wants and was granted, nothing else.

Examples:
  backroom install --tenant harbor --plugin plugins/remote-allowance --file installation.toml
  backroom install --tenant harbor --release 3f1c --file installation.toml --json")]
pub(crate) struct Install {
    #[command(flatten)]
    of: Of,
    /// The folder of a plugin (built and uploaded first), or a component (uploaded first).
    #[arg(long, value_name = "DIR_OR_WASM", conflicts_with = "release", required_unless_present = "release")]
    plugin: Option<PathBuf>,
    /// The digest of a release that the service has.
    #[arg(long, value_name = "DIGEST")]
    release: Option<String>,
    /// Name, grants, configuration and limits.
    #[arg(long, value_name = "TOML")]
    file: PathBuf,
}

impl Install {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        // Read before anything is built or sent: a bad file costs nothing then.
        let installation = read(&self.file)?;
        let client = context.client()?;
        let release = match (&self.plugin, &self.release) {
            (Some(from), _) => plugin::upload(&client, plugin::component(from)?)?.1,
            (None, Some(digest)) => client.get(&path(&["v1", "plugins", digest]))?.read()?,
            (None, None) => return Err(Failure::usage("name the plugin: --plugin DIR_OR_WASM or --release DIGEST")),
        };
        rights::wanted_and_granted(context.out, &release.wants, installation.grants());
        let reply = put(&client, &self.of.tenant, &installation, &release)?;
        context.show(&reply, |out, _: Value| {
            out.line(format_args!(
                "Installed {} {} as {} for {}.",
                release.plugin, release.version, installation.name, self.of.tenant
            ));
            out.line(format_args!(
                "Next: backroom run --tenant {} {} --dry-run --input '{{...}}', with what the plugin takes.",
                self.of.tenant, installation.name
            ));
        })
    }
}

/// What is installed for a tenant.
#[derive(Debug, Subcommand)]
pub(crate) enum Installations {
    /// List the installations.
    #[command(after_help = "Example:\n  backroom installations list --tenant harbor")]
    List {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        part: Part,
    },
    /// Show one: its release, the rights that are wanted and granted, configuration and limits.
    #[command(after_help = "Example:\n  backroom installations show remote-allowance --tenant harbor")]
    Show {
        /// The installation.
        name: String,
        #[command(flatten)]
        of: Of,
    },
}

impl Installations {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        let client = context.client()?;
        let text = |row: &Value, name: &str| row.get(name).map(text_of).unwrap_or_default();
        match self {
            Self::List { of, part } => {
                let to = path(&["v1", "tenants", &of.tenant, "installations"]);
                let reply = client.get(&query(&to, &part.pairs()))?;
                context.show_page(&reply, |out, rows: &[Value]| {
                    let mut grid = Grid::new(&[left("Installation"), left("Release"), left("Since")]);
                    for row in rows {
                        grid.row([text(row, "name"), text(row, "release"), text(row, "updated-at")]);
                    }
                    out.table(&grid);
                })
            }
            Self::Show { name, of } => {
                let reply = client.get(&path(&["v1", "tenants", &of.tenant, "installations", name]))?;
                context.show(&reply, |out, row: Value| {
                    let of = |name: &str| row.get(name).cloned().unwrap_or_default();
                    out.line(format_args!("{name}: {} {}", text(&row, "plugin"), text(&row, "version")));
                    out.line(format_args!("release {}", text(&row, "release")));
                    rights::wanted_and_granted(out, &of("wants"), &of("grants"));
                    out.line(format_args!("config  {}", of("config")));
                    out.line(format_args!("limits  {}", of("limits")));
                })
            }
        }
    }
}

/// What an installation file says.
pub(crate) struct File {
    pub(crate) name: String,
    fields: serde_json::Map<String, Value>,
}

impl File {
    /// What it grants.
    pub(crate) fn grants(&self) -> &Value {
        self.fields.get("grants").unwrap_or(&Value::Null)
    }
}

/// Reads an installation file.
pub(crate) fn read(file: &Path) -> Result<File> {
    let wrong = |what: String| Failure::usage(format!("{}: {what}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    let fields: serde_json::Map<String, Value> =
        toml::from_str(&text).map_err(|error| wrong(error.to_string().trim_end().to_owned()))?;
    let name = fields.get("name").and_then(Value::as_str).map(str::to_owned);
    let name = name.ok_or_else(|| wrong("say the installation's name: name = \"...\"".to_owned()))?;
    Ok(File { name, fields })
}

/// Installs a release.
pub(crate) fn put(client: &Client, tenant: &str, file: &File, release: &Release) -> Result<Reply> {
    let mut fields = file.fields.clone();
    // The name stands in the path.
    fields.remove("name");
    fields.insert("release".to_owned(), json!(release.digest));
    client.put(&path(&["v1", "tenants", tenant, "installations", &file.name]), &fields)
}
