//! What can be said of a component before it is compiled. Nothing of it is run, and every step is bounded.

use backroom_office::observes;
use serde::{Deserialize, Serialize};
use wasmparser::component_types::ComponentEntityType;
use wasmparser::types::Types;
use wasmparser::{ComponentTypeRef, Encoding, Parser, Payload, Validator, WasmFeatures};

use crate::api::INTERFACES;
use crate::convert::{clean, clean_lines};
use crate::error::PluginError;
use crate::manifest::{MANIFEST_SECTION, MAX_MANIFEST, Manifest};
use crate::wasi;

/// The largest component, in bytes: the largest guest toolchain (Python) makes 18 MB.
pub(crate) const MAX_COMPONENT: usize = 32 << 20;
/// Components in components; toolchains make two levels.
const MAX_DEPTH: usize = 8;

/// Unknown imports that are named, and how much of each name.
const MAX_NAMES: usize = 20;
const MAX_NAME: usize = 128;

/// What was found in a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Inspection {
    /// What it says of itself.
    pub manifest: Manifest,
    /// The interfaces that it imports, those with types alone left out, in order.
    pub imports: Vec<String>,
    /// The functions of them that it imports, such as `journal.post`, in order.
    pub functions: Vec<String>,
}

/// How far a plugin can reach, by what it imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// `backroom:*` alone: books, people and stock, as far as it is granted.
    None,
    /// WASI as well, which shows it the run's clock and takes its output: no files and no network.
    Observe,
    /// Folders or addresses that are granted by name.
    Granted,
}

impl Inspection {
    /// How far it can reach.
    pub fn class(&self) -> Class {
        let imports = |beginnings: &[&str]| {
            self.imports.iter().any(|import| beginnings.iter().any(|beginning| import.starts_with(beginning)))
        };
        match () {
            () if imports(&["backroom:host/files@", "backroom:host/http@"]) => Class::Granted,
            () if observes(&self.imports) => Class::Observe,
            () => Class::None,
        }
    }
}

/// The name of a release with these bytes: BLAKE3, as 64 hexadecimal digits.
pub fn digest(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// Validates a component and reads what it says of itself. Nothing of it is compiled or run.
///
/// # Errors
/// What is wrong with it, as when it is uploaded.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, PluginError> {
    if bytes.len() > MAX_COMPONENT {
        return Err(PluginError::TooLarge { size: bytes.len(), limit: MAX_COMPONENT });
    }
    let surface = Surface::read(bytes)?;
    // The newest validator first: it bounds the depth of types, where the older one in the engine would recurse.
    let features = WasmFeatures::WASM3 | WasmFeatures::COMPONENT_MODEL;
    let types = Validator::new_with_features(features)
        .validate_all(bytes)
        .map_err(|why| PluginError::Malformed(clean_lines(&why.to_string())))?;
    let unknown = surface.unknown_imports();
    if !unknown.is_empty() {
        return Err(PluginError::UnknownImports(unknown));
    }
    if !surface.exports_run {
        return Err(PluginError::Contract("it does not export the function `run`".into()));
    }
    let manifest = surface.manifest.ok_or_else(|| {
        PluginError::Manifest(format!(
            "there is none (custom section {MANIFEST_SECTION:?}); build with `backroom plugin build`"
        ))
    })?;
    let manifest = Manifest::parse(manifest)?;
    let mut imports = surface.imports;
    imports.retain(|name| !name.starts_with("backroom:types/"));
    if observes(&imports) && !manifest.wants.grants().iter().any(|grant| grant.observe) {
        imports.retain(|name| name.starts_with("wasi:"));
        return Err(PluginError::ObserveNotWanted(imports));
    }
    let functions = imports
        .iter()
        .filter(|import| import.starts_with("backroom:"))
        .flat_map(|import| functions_of(&types, import))
        .collect();
    Ok(Inspection { manifest, imports, functions })
}

/// The functions that are imported from an interface, as `interface.function`.
fn functions_of(types: &Types, import: &str) -> Vec<String> {
    let interface = import.rsplit_once('/').map_or(import, |(_, rest)| rest);
    let interface = interface.split('@').next().unwrap_or_default();
    let item = types.component_item_for_import(import).map(|item| item.ty);
    let Some(ComponentEntityType::Instance(instance)) = item else { return Vec::new() };
    let Some(instance) = types.as_ref().get(instance) else { return Vec::new() };
    let functions = instance.exports.iter().filter(|(_, item)| matches!(item.ty, ComponentEntityType::Func(_)));
    functions.map(|(name, _)| format!("{interface}.{name}")).collect()
}

/// What a component has on its outside.
#[derive(Default)]
struct Surface<'a> {
    imports: Vec<String>,
    exports_run: bool,
    manifest: Option<&'a [u8]>,
}

impl<'a> Surface<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, PluginError> {
        let malformed = |why: wasmparser::BinaryReaderError| PluginError::Malformed(clean_lines(&why.to_string()));
        let mut surface = Self::default();
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.map_err(malformed)? {
                Payload::Version { encoding, .. } => {
                    if depth == 0 && encoding != Encoding::Component {
                        return Err(PluginError::Malformed("it is a core module, not a component".into()));
                    }
                    depth += 1;
                    if depth > MAX_DEPTH {
                        return Err(PluginError::TooDeep { depth, limit: MAX_DEPTH });
                    }
                }
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 1 => {
                    for import in section {
                        let import = import.map_err(malformed)?;
                        // A type that the world uses by name is no power: the functions it comes from are.
                        if !matches!(import.ty, ComponentTypeRef::Type(_)) {
                            surface.imports.push(import.name.full_name().into_owned());
                        }
                    }
                }
                Payload::ComponentExportSection(section) if depth == 1 => {
                    for export in section {
                        surface.exports_run |= export.map_err(malformed)?.name.full_name() == "run";
                    }
                }
                Payload::CustomSection(section) if depth == 1 && section.name() == MANIFEST_SECTION => {
                    surface.take_manifest(section.data())?;
                }
                _ => {}
            }
        }
        Ok(surface)
    }

    /// As they are shown to people: so many, and each so far, as somebody would read, without what an address in a name can hide.
    fn unknown_imports(&self) -> Vec<String> {
        let mut unknown = self.imports.iter().filter(|name| !is_known(name) && !wasi::is_known(name));
        let mut shown: Vec<String> = unknown.by_ref().take(MAX_NAMES).map(|name| clean(name, MAX_NAME)).collect();
        let more = unknown.count();
        if more > 0 {
            shown.push(format!("and {more} more"));
        }
        shown
    }

    fn take_manifest(&mut self, data: &'a [u8]) -> Result<(), PluginError> {
        if data.len() > MAX_MANIFEST {
            return Err(PluginError::Manifest(format!("it has {} bytes, the limit is {MAX_MANIFEST}", data.len())));
        }
        match self.manifest.replace(data) {
            None => Ok(()),
            Some(_) => Err(PluginError::Manifest("there is more than one".into())),
        }
    }
}

/// Is it an interface of the contract? A newer patch version of one may be imported too: if it uses functions that are
/// not there yet, the linker says which.
fn is_known(import: &str) -> bool {
    INTERFACES.iter().any(|known| {
        let (Some((name, version)), Some((known, ours))) = (import.rsplit_once('@'), known.rsplit_once('@')) else {
            return false;
        };
        let minor = |text: &str| semver::Version::parse(text).ok().map(|v| (v.major, v.minor, v.pre));
        name == known && minor(version).is_some() && minor(version) == minor(ours)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_follow_from_imports() {
        let rows: [(&[&str], Class); 5] = [
            (&[], Class::None),
            (&["backroom:host/clock@0.1.0"], Class::None),
            (&["backroom:host/clock@0.1.0", "wasi:io/poll@0.2.9"], Class::Observe),
            (&["backroom:host/files@0.1.0"], Class::Granted),
            (&["backroom:host/http@0.1.0", "wasi:io/poll@0.2.9"], Class::Granted),
        ];
        for (imports, class) in rows {
            let imports: Vec<String> = imports.iter().map(|&import| import.to_owned()).collect();
            let manifest = Manifest::parse(b"name = \"p\"\nversion = \"1.0.0\"\ndescription = \"x\"\n").unwrap();
            let inspection = Inspection { manifest, imports, functions: Vec::new() };
            assert_eq!(inspection.class(), class, "{inspection:?}");
        }
    }
}
