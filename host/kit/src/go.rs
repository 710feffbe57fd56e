//! Go: the usual compiler, for WASI's first preview, with a stand-in for the system that its runtime insists on.

use std::path::{Path, PathBuf};

use crate::build::Options;
use crate::initialised::initialised;
use crate::run::{no_step, run};
use crate::tools::{GO, site_packages};
use crate::wit::Contract;
use crate::{KitError, Manifest, Progress, component, sources};

/// Where the bindings are, as Go packages name each other.
const BINDINGS: &str = "backroom.local/sdk/bindings";

/// The generator's own support, of which our SDK has what the contract needs.
const SUPPORT: [&str; 2] = ["go.bytecodealliance.org/pkg/wit/types", "go.bytecodealliance.org/pkg/wit/runtime"];
const OUR_SUPPORT: &str = "backroom.local/sdk/wit";

/// What the generated export calls: the workflow that the plugin registered.
const HANDLER: &str = "\
// Package export_wit_world hands the call of the service on to the SDK.
package export_wit_world

import (
\t\"backroom.local/sdk/bindings/backroom_types_types\"
\t\"backroom.local/sdk/wit\"
)

// Handler is what the SDK puts here when a workflow is registered.
var Handler func(input string) wit.Result[string, backroom_types_types.Error]

// Run is called by the service.
func Run(input string) wit.Result[string, backroom_types_types.Error] {
\treturn Handler(input)
}
";

/// Makes the component of the plugin in `dir`; `work` is a folder for what lies between.
pub(crate) fn compile(
    dir: &Path,
    manifest: &Manifest,
    work: &Path,
    options: &Options,
    progress: &mut dyn Progress,
) -> Result<Vec<u8>, KitError> {
    let packages = site_packages(&GO.find(options, progress)?)?;
    bind(dir)?;
    sources::empty(work)?;
    progress.step(&format!("compiling {} with Go", manifest.name));
    let core = work.join("core.wasm");
    let mut go = options.machine.command(packages.join("go/bin/go"));
    go.current_dir(dir).env("GOROOT", packages.join("go")).env("GOOS", "wasip1").env("GOARCH", "wasm");
    go.env("GOCACHE", options.machine.cache_dir()?.join("go")).env("GOTOOLCHAIN", "local").env("GOWORK", "off");
    go.env("GOENV", "off").env("GOFLAGS", "").env("CGO_ENABLED", "0");
    if options.offline {
        go.env("GOPROXY", "off");
    }
    go.args(["build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o"]);
    let output = run(go.arg(&core).arg("."), no_step, progress)?;
    if !output.status.success() {
        return Err(KitError::Compile { name: manifest.name.clone(), stderr: output.stderr });
    }
    let core = std::fs::read(&core).map_err(KitError::file("read", &core))?;
    let mut core = initialised(&core)?;
    component::describe(&mut core, &dir.join("wit"))?;
    component::encode(&core, true)
}

/// Writes the bindings as packages of the SDK, for the compiler and the editor.
pub(crate) fn bind(dir: &Path) -> Result<(), KitError> {
    let mut files: Vec<(PathBuf, String)> = vec![(PathBuf::from("export_wit_world/run.go"), HANDLER.to_owned())];
    for (path, bytes) in Contract::read(&dir.join("wit"))?.go()? {
        let Ok(text) = String::from_utf8(bytes) else { continue };
        let mut text = text.replace("\"wit_component/", &format!("\"{BINDINGS}/"));
        for package in SUPPORT {
            text = text.replace(&format!("\"{package}\""), &format!("\"{OUR_SUPPORT}\""));
        }
        match path.to_str() {
            // The SDK has the module.
            Some("go.mod") => {}
            // Made as a program; here it is a package that every plugin has in it.
            Some("wit_exports.go") => {
                let text = text.replace("package main", "package exports").replace("func main() {}", "");
                files.push((PathBuf::from("exports/exports.go"), text));
            }
            _ => files.push((path, text)),
        }
    }
    sources::write(&dir.join("sdk/bindings"), &files)
}
