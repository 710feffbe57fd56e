//! What can be said of a component before it is compiled. Nothing of it is run, and every step is bounded.

use backroom_office::observes;
use serde::{Deserialize, Serialize};
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

/// How much of the world a plugin was built for, by what it imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PluginClass {
    /// The contract alone: the books, and nothing that depends on a system.
    None,
    /// A system as well (WASI), which the host makes up: output to the log, the run's time, numbers that look random.
    Observe,
    /// Something outside of the books that is granted by name: folders, or targets on the network.
    Granted,
}

/// What only a grant by name opens.
const GRANTED: [&str; 2] = ["backroom:host/files@", "backroom:host/http@"];

impl PluginClass {
    fn of(imports: &[String]) -> Self {
        if imports.iter().any(|import| GRANTED.iter().any(|name| import.starts_with(name))) {
            Self::Granted
        } else if observes(imports) {
            Self::Observe
        } else {
            Self::None
        }
    }
}

/// What was found in a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Inspected {
    pub(crate) manifest: Manifest,
    /// The interfaces that it imports, those with types alone left out, in order.
    pub(crate) imports: Vec<String>,
    pub(crate) class: PluginClass,
    /// Whether WASI is among the imports.
    pub(crate) observes: bool,
}

/// Validates a component and reads what it says of itself.
pub(crate) fn inspect(bytes: &[u8]) -> Result<Inspected, PluginError> {
    if bytes.len() > MAX_COMPONENT {
        return Err(PluginError::TooLarge { size: bytes.len(), limit: MAX_COMPONENT });
    }
    let surface = Surface::read(bytes)?;
    // The newest validator first: it bounds the depth of types, where the older one in the engine would recurse.
    let features = WasmFeatures::WASM3 | WasmFeatures::COMPONENT_MODEL;
    Validator::new_with_features(features)
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
    let (class, observes) = (PluginClass::of(&imports), observes(&imports));
    if observes && !manifest.wants.observe {
        imports.retain(|name| name.starts_with("wasi:"));
        return Err(PluginError::ObserveNotWanted(imports));
    }
    Ok(Inspected { manifest, imports, class, observes })
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
        let rows: [(&[&str], PluginClass); 5] = [
            (&[], PluginClass::None),
            (&["backroom:host/clock@0.1.0"], PluginClass::None),
            (&["backroom:host/clock@0.1.0", "wasi:io/poll@0.2.9"], PluginClass::Observe),
            (&["backroom:host/files@0.1.0"], PluginClass::Granted),
            (&["backroom:host/http@0.1.0", "wasi:io/poll@0.2.9"], PluginClass::Granted),
        ];
        for (imports, class) in rows {
            let imports: Vec<String> = imports.iter().map(|&import| import.to_owned()).collect();
            assert_eq!(PluginClass::of(&imports), class, "{imports:?}");
        }
    }
}
