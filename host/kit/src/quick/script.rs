//! QuickJS with the contract, and the plugin's own files, made into one, with each run.

use std::path::Path;

use super::Quick;
use crate::build::Options;
use crate::kept::Kept;
use crate::wit::{Contract, narrow};
use crate::{KitError, Manifest, Progress, script, sources, tools};

pub(super) fn compile(
    dir: &Path,
    manifest: &Manifest,
    work: &Path,
    options: &Options,
    progress: &mut dyn Progress,
) -> Result<Option<Quick>, KitError> {
    let tool = script::Tool { modules: tools::node_modules(options, progress)?, options, manifest };
    sources::empty(work)?;
    let (source, wit) = (work.join("source"), work.join("source/wit"));
    narrow(&dir.join("wit"), manifest, &wit)?;
    script::declare(dir, &wit)?;
    tool.check(dir, progress)?;
    let bundle = work.join("bundle.js");
    tool.bundle(dir, "cjs", &bundle, progress)?;
    sources::write(&source, &[("app.js", loader(&Contract::read(&wit)?.interfaces()))])?;
    let kept = Kept::of(options, &format!("{} {} loader", tools::NPM_FOLDER, tool.observes()), &source)?;
    let bytes = match kept.read() {
        Some(bytes) => bytes,
        None => {
            progress.step("putting QuickJS and the contract into a component: once");
            kept.keep(tool.componentize(&source, &wit, &work.join("app.wasm"), progress)?)?
        }
    };
    let text = std::fs::read_to_string(&bundle).map_err(KitError::file("read", &bundle))?;
    Ok(Some(Quick { bytes, sources: Some(serde_json::Value::String(text).to_string()) }))
}

/// A program that takes another one with each run, and gives it the contract's interfaces of these names.
fn loader(interfaces: &[String]) -> String {
    let mut text = String::new();
    let mut table = String::new();
    for (number, name) in interfaces.iter().enumerate() {
        text.push_str(&format!("import * as m{number} from {name:?};\n"));
        table.push_str(&format!("{name:?}: m{number}, "));
    }
    text + &format!(
        "const interfaces = {{ {table}}};\n\
         export function run(json) {{\n\
         \x20 const {{ sources, input }} = JSON.parse(json);\n\
         \x20 const module = {{ exports: {{}} }};\n\
         \x20 const require = (name) => {{\n\
         \x20   if (!(name in interfaces)) throw new Error(name + \" is not wanted in plugin.toml\");\n\
         \x20   return interfaces[name];\n\
         \x20 }};\n\
         \x20 new Function(\"module\", \"exports\", \"require\", sources)(module, module.exports, require);\n\
         \x20 return module.exports.run(input);\n\
         }}\n"
    )
}
