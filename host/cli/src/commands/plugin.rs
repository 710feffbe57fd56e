//! `backroom plugin`: what plugin authors need on their own machine, and the releases of a service.

use std::path::{Path, PathBuf};

use axum::http::Method;
use backroom_domain::rights::{Imports, Rights, in_words};
use backroom_kit::{Built, KitError, Language, Options, Seen};
use backroom_runtime::{Class, RightsReport};
use clap::Subcommand;
use serde::Deserialize;
use serde_json::json;

use super::{Context, plugin_bench, plugin_run, plugin_test};
use crate::args::Part;
use crate::client::{Body, Client, path, query};
use crate::exit::{Failure, Result};
use crate::figures::count;
use crate::output::{Grid, Out, left, right};
use crate::progress::Progress;
use crate::view::rights;

/// Plugins: make, build, test, upload, list.
#[derive(Debug, Subcommand)]
pub(crate) enum Plugin {
    /// Make a new plugin that builds as it is, in rust, python, typescript, javascript, go or c.
    #[command(after_help = "Examples:\n  backroom plugin new pay-run --dir /tmp/pay-run\n  \
        backroom plugin new pay-run --lang python")]
    New {
        /// Lower-case letters, digits and hyphens.
        name: String,
        /// The language.
        #[arg(long, value_name = "LANGUAGE", default_value_t = Language::Rust)]
        lang: Language,
        /// Where; a folder of its name if not said.
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Build the plugin in a folder into a component; installs the toolchain of its language if it is missing.
    #[command(after_help = "\
The folder shows the language: Cargo.toml, app.py, app.ts, app.js, go.mod or plugin.c. Toolchains are kept below
~/.cache/backroom, each at one version; once one is there, nothing is downloaded any more but cargo's and Go's dependencies.

Examples:
  backroom plugin build plugins/remote-allowance
  backroom plugin build pay-run --watch
  backroom plugin build plugins/remote-allowance --json")]
    Build {
        /// The folder with plugin.toml.
        #[arg(default_value = ".")]
        dir: PathBuf,
        /// Build again whenever a file changes, until it is interrupted.
        #[arg(long)]
        watch: bool,
        /// Download nothing.
        #[arg(long)]
        offline: bool,
    },
    Test(plugin_test::Test),
    Run(plugin_run::RunHere),
    Bench(plugin_bench::BenchHere),
    /// Write the contract as documents for people, as Markdown and HTML: every function, type, bound and error of it.
    #[command(
        after_help = "Examples:\n  backroom plugin docs --to docs\n  backroom plugin docs pay-run --to /tmp/contract"
    )]
    Docs {
        /// The folder of a plugin, or one with the contract in `wit`.
        #[arg(default_value = ".")]
        dir: PathBuf,
        /// The folder to write them to.
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// Put a plugin.toml into a component that was made by other means.
    #[command(
        after_help = "Example:\n  backroom plugin pack app.wasm --manifest plugin.toml --to pay-run.component.wasm"
    )]
    Pack {
        /// The component.
        component: PathBuf,
        /// The plugin.toml, or the folder with it.
        #[arg(long, value_name = "FILE")]
        manifest: PathBuf,
        /// The file to write.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Say in plain words what a plugin is and which rights it asks for: of a component, or of the plugin in a folder (built
    /// first). Needs no service.
    #[command(after_help = "Examples:\n  backroom plugin inspect plugins/remote-allowance\n  \
        backroom plugin inspect remote-allowance-0.1.0.component.wasm --json")]
    Inspect {
        /// Folder or component.
        from: PathBuf,
    },
    /// Upload a release: the folder of a plugin (built first) or a component.
    #[command(after_help = "Examples:\n  backroom plugin upload plugins/remote-allowance\n  \
        backroom plugin upload remote-allowance-0.1.0.component.wasm")]
    Upload {
        /// Folder or component.
        from: PathBuf,
    },
    /// List the releases that the service has.
    #[command(after_help = "Example:\n  backroom plugin list")]
    List(Part),
    /// Show one release: what it imports and which rights it wants.
    #[command(after_help = "Example:\n  backroom plugin show 3f1c... --json")]
    Show {
        /// Its digest.
        digest: String,
    },
}

/// A release as the service tells it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Release {
    pub(crate) digest: String,
    pub(crate) plugin: String,
    pub(crate) version: String,
    #[serde(default)]
    pub(crate) description: String,
    #[serde(default)]
    pub(crate) wants: Rights,
    #[serde(default)]
    pub(crate) imports: Vec<String>,
    #[serde(default)]
    pub(crate) size: u64,
}

impl Plugin {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        let out = context.out;
        match self {
            Self::New { name, lang, dir } => {
                let dir = dir.clone().unwrap_or_else(|| PathBuf::from(name));
                backroom_kit::new(&dir, name, *lang).map_err(kit_failure)?;
                out.value(&json!({ "name": name, "language": lang.word(), "dir": dir }));
                out.line(format_args!("Made {}. Next: backroom plugin test {}", dir.display(), dir.display()));
                Ok(())
            }
            Self::Build { dir, watch: false, offline } => {
                tell(out, &build_with(dir, &how(*offline))?);
                Ok(())
            }
            Self::Build { dir, watch: true, offline } => keep_building(out, dir, &how(*offline)),
            Self::Test(test) => test.run(context),
            Self::Run(run) => run.run(context),
            Self::Bench(bench) => bench.run(context),
            Self::Docs { dir, to } => {
                let files = backroom_kit::document(dir, to).map_err(kit_failure)?;
                out.value(&json!({ "files": files }));
                files.iter().for_each(|file| out.line(file.display()));
                Ok(())
            }
            Self::Pack { component, manifest, to } => {
                let digest = backroom_kit::pack(component, manifest, to).map_err(kit_failure)?;
                out.value(&json!({ "digest": digest, "path": to }));
                out.line(format_args!("digest  {digest}\nin      {}", to.display()));
                Ok(())
            }
            Self::Inspect { from } => inspect(context, from),
            Self::Upload { from } => {
                let (text, _) = upload(&context.client()?, component(from)?)?;
                context.show(&text, |out, release: Release| release.show(out))
            }
            Self::List(part) => {
                let reply = context.client()?.get(&query(&path(&["v1", "plugins"]), &part.pairs()))?;
                context.show_page(&reply, |out, rows: &[Release]| {
                    let mut grid = Grid::new(&[
                        left("Plugin"),
                        left("Version"),
                        right("Bytes"),
                        left("Digest"),
                        left("What it does"),
                    ]);
                    for row in rows {
                        grid.row([&row.plugin, &row.version, &count(row.size), &row.digest, &row.description]);
                    }
                    out.table(&grid);
                })
            }
            Self::Show { digest } => {
                let reply = context.client()?.get(&path(&["v1", "plugins", digest]))?;
                context.show(&reply, |out, release: Release| release.show(out))
            }
        }
    }
}

impl Release {
    fn show(&self, out: Out) {
        out.line(format_args!("{} {}: {}", self.plugin, self.version, self.description));
        out.line(format_args!("digest  {}  ({} bytes)", self.digest, count(self.size)));
        self.imports.iter().for_each(|import| out.line(format_args!("imports {import}")));
        crate::view::rights::words(out, "What it wants", &self.wants);
    }
}

/// Says what a component is, without a service and without compiling it.
fn inspect(context: &Context, from: &Path) -> Result {
    let bytes = component(from)?;
    let found = backroom_runtime::inspect(&bytes).map_err(Failure::plugin)?;
    let (manifest, class) = (&found.manifest, found.class());
    let digest = backroom_runtime::digest(&bytes);
    let compared = Imports::compare(&manifest.wants, found.functions.iter().map(String::as_str));
    context.out.value(&json!({
        "plugin": manifest.name, "version": manifest.version, "description": manifest.description,
        "digest": digest, "size": bytes.len(), "class": class, "imports": found.imports,
        "functions": found.functions, "wants": *manifest.wants, "in-words": in_words(&manifest.wants),
        "wanted-not-used": compared.wanted_not_used, "used-not-wanted": compared.used_not_wanted,
    }));
    let out = context.out;
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    out.line(format_args!("{} {}: {}", manifest.name, manifest.version, manifest.description));
    out.line(format_args!("digest  {digest}  ({} bytes)", count(size)));
    out.line(format_args!("class   {}", class_in_words(class)));
    found.imports.iter().for_each(|import| out.line(format_args!("imports {import}")));
    rights::words(out, "What it wants", &manifest.wants);
    rights::report(out, &RightsReport { imports: compared, ..RightsReport::default() });
    Ok(())
}

fn class_in_words(class: Class) -> &'static str {
    match class {
        Class::None => "none: it reaches books, people and stock as far as it is granted, and nothing else",
        Class::Observe => "observe: as none, and it sees the run's clock and writes to its log; no files, no network",
        Class::Granted => "granted: it can also be granted folders and addresses by name",
    }
}

/// Builds the plugin in `dir` and shows how far it is.
pub(crate) fn build(dir: &Path) -> Result<Built> {
    build_with(dir, &Options::default())
}

pub(super) fn build_with(dir: &Path, options: &Options) -> Result<Built> {
    let mut progress = Progress::start(format!("building {}", dir.display()));
    backroom_kit::build(dir, options, &mut progress).map_err(kit_failure)
}

/// How to build, with or without a network.
pub(super) fn how(offline: bool) -> Options {
    Options { offline, install: !offline, ..Options::default() }
}

/// Builds again whenever a file changes. What does not compile is shown and does not end it; a folder that goes away does.
fn keep_building(out: Out, dir: &Path, options: &Options) -> Result {
    let mut seen = Seen::look(dir).map_err(kit_failure)?;
    loop {
        match build_with(dir, options) {
            Ok(built) => tell(out, &built),
            Err(failure) => out.failure(&failure),
        }
        seen = seen.wait_for_change(dir).map_err(kit_failure)?;
    }
}

/// Says what was built.
fn tell(out: Out, built: &Built) {
    let Built { manifest, language, path, digest, size, imports, .. } = built;
    let (name, version) = (&manifest.name, manifest.version.to_string());
    out.value(&json!({
        "name": name, "version": version, "language": language.word(), "digest": digest, "size": size, "path": path,
        "imports": imports,
    }));
    out.line(format_args!("{name} {version} in {language}: {} bytes in {}", count(*size), path.display()));
    out.line(format_args!("digest  {digest}"));
    imports.iter().for_each(|import| out.line(format_args!("imports {import}")));
}

/// The bytes of a component: of the file, or of the plugin in the folder.
pub(crate) fn component(from: &Path) -> Result<Vec<u8>> {
    if from.is_dir() {
        return Ok(build(from)?.bytes);
    }
    std::fs::read(from).map_err(|error| Failure::usage(format!("cannot read {}: {error}", from.display())))
}

/// Uploads a component; the same again does no harm.
pub(crate) fn upload(client: &Client, bytes: Vec<u8>) -> Result<(crate::client::Reply, Release)> {
    let _shown = Progress::start("uploading and compiling the component");
    let reply = client.send(Method::POST, &path(&["v1", "plugins"]), Some(Body::Wasm(bytes)))?;
    let release = reply.read()?;
    Ok((reply, release))
}

/// Wrong arguments are the caller's, what the author can mend is the plugin's; the rest is this machine.
pub(super) fn kit_failure(error: KitError) -> Failure {
    match error {
        KitError::File { .. }
        | KitError::Start { .. }
        | KitError::NoToolchain { .. }
        | KitError::NoTool { .. }
        | KitError::NoCacheDir => Failure::Unavailable(error.into()),
        KitError::NoManifest(_)
        | KitError::NoLanguage { .. }
        | KitError::NotAGuest { .. }
        | KitError::BadName(_)
        | KitError::NotEmpty(_) => Failure::usage(error),
        other => Failure::plugin(other),
    }
}
