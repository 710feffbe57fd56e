//! `backroom install`.

use std::path::{Path, PathBuf};

use backroom_domain::rights::Rights;
use backroom_runtime::RightsReport;
use clap::{Args, Subcommand};
use serde::Deserialize;
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
  [[grants]]
  why = \"Allowances of the month\"
  owner = \"Ada, payroll\"
  expires = \"2026-12-31\"
  [grants.ledger]
  debit = [\"6100..6199\"]
  credit = [\"2300\", \"type=liability\"]
  max-entry = \"50000.00 USD\"
  max-day = \"200000.00 USD\"
  [config]
  plan = \"housing\"

The name alone is the least that it says: a plugin that is granted nothing can read the clock and its configuration, and write to its log.
A plugin may use what it wants and was granted, nothing else. A call is allowed by one grant as a whole. A release that wants more
than the one that it takes the place of is refused until that is accepted.

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
    /// The release may want more than the one that it takes the place of.
    #[arg(long)]
    accept_rights: bool,
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
        rights::words(context.out, "What the plugin wants", &release.wants);
        let before = installed(&client, &self.of.tenant, &installation.name)?;
        let reply = put(&client, &self.of.tenant, &installation, &release, self.accept_rights)?;
        context.show(&reply, |out, installed: Installed| {
            rights::words(out, "What is granted of it", &installed.grants);
            rights::report(out, &installed.rights);
            rights::expired(out, &installed.expired);
            let place = before.map_or_else(String::new, |before| before.replaced_by(&release, &installed.grants));
            out.line(format_args!(
                "Installed {} {} as {} for {}{place}.",
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
                context.show(&reply, |out, row: Installed| {
                    out.line(format_args!("{name}: {} {}", row.plugin, row.version));
                    out.line(format_args!("release {}", row.release));
                    rights::words(out, "What the plugin wants", &row.wants);
                    rights::words(out, "What is granted", &row.grants);
                    rights::report(out, &row.rights);
                    rights::expired(out, &row.expired);
                    out.line(format_args!("config  {}", row.config));
                    out.line(format_args!("limits  {}", row.limits));
                })
            }
        }
    }
}

/// An installation as the service tells it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Installed {
    plugin: String,
    version: String,
    release: String,
    wants: Rights,
    grants: Rights,
    rights: RightsReport,
    #[serde(default)]
    expired: Vec<String>,
    config: Value,
    limits: Value,
}

impl Installed {
    /// In whose place a release comes, behind what was installed.
    fn replaced_by(&self, release: &Release, grants: &Rights) -> String {
        let grants = if self.grants == *grants { "the same grants" } else { "other grants" };
        match self.release == release.digest {
            true => format!(": the same release as before, with {grants}"),
            false => format!(", in the place of {} {} with {grants}", self.plugin, self.version),
        }
    }
}

/// The installation of that name, if there is one.
fn installed(client: &Client, tenant: &str, name: &str) -> Result<Option<Installed>> {
    match client.get(&path(&["v1", "tenants", tenant, "installations", name])) {
        Ok(reply) => reply.read().map(Some),
        // What else is in the way, installing says.
        Err(Failure::Refused(_)) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// What an installation file says.
pub(crate) struct File {
    pub(crate) name: String,
    grants: Rights,
    fields: serde_json::Map<String, Value>,
}

impl File {
    /// All that it says.
    pub(crate) fn into_fields(self) -> serde_json::Map<String, Value> {
        self.fields
    }

    /// The same under another name.
    #[must_use]
    pub(crate) fn renamed(self, name: String) -> Self {
        Self { name, ..self }
    }

    /// What it grants.
    pub(crate) fn grants(&self) -> &Rights {
        &self.grants
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
    // What is wrong with a right is found before anything is built.
    let grants = fields.get("grants").cloned().map(serde_json::from_value::<Rights>).transpose();
    let grants = grants.map_err(|error| wrong(format!("grants: {error}")))?.unwrap_or_default();
    grants.check_grants().map_err(|error| wrong(error.to_string()))?;
    Ok(File { name, grants, fields })
}

/// Installs a release.
pub(crate) fn put(client: &Client, tenant: &str, file: &File, release: &Release, accept_rights: bool) -> Result<Reply> {
    let mut fields = file.fields.clone();
    // The name stands in the path.
    fields.remove("name");
    fields.insert("release".to_owned(), json!(release.digest));
    if accept_rights {
        fields.insert("accept-rights".to_owned(), json!(true));
    }
    client.put(&path(&["v1", "tenants", tenant, "installations", &file.name]), &fields)
}
