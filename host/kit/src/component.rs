//! From a core module to a component that says what it is, and back to what it imports.
//! Pure functions over bytes: no file is touched here.

use std::borrow::Cow;

use wasm_encoder::{CustomSection, Encode as _, Section as _};
use wasmparser::{ComponentTypeRef, Encoding, Parser, Payload, TypeBounds};
use wit_component::ComponentEncoder;

use crate::{KitError, MANIFEST_SECTION, Manifest};

/// Every package of the contract begins with this.
const OURS: &str = "backroom:";

/// Wraps a core module that was compiled against the contract: validates it, refuses imports from
/// anywhere but the contract, and puts `manifest` (the text of a `plugin.toml`) beside it.
pub fn build_core_to_component(core: &[u8], manifest: &str) -> Result<Vec<u8>, KitError> {
    Manifest::parse(manifest, "plugin.toml")?;
    let mut component = encode(core).map_err(KitError::Componentise)?;
    let foreign: Vec<String> = imports(&component)?.into_iter().filter(|name| !name.starts_with(OURS)).collect();
    if !foreign.is_empty() {
        return Err(KitError::ForeignImports(foreign));
    }
    let section = CustomSection { name: MANIFEST_SECTION.into(), data: Cow::Borrowed(manifest.as_bytes()) };
    component.push(section.id());
    section.encode(&mut component);
    Ok(component)
}

fn encode(core: &[u8]) -> Result<Vec<u8>, String> {
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true);
    let encoded = encoder.module(core).and_then(|encoder| encoder.encode());
    encoded.map_err(|error| format!("{error:#}"))
}

/// The names of what a component imports, in the component's own order.
pub fn imports(component: &[u8]) -> Result<Vec<String>, KitError> {
    let malformed = |error: wasmparser::BinaryReaderError| KitError::Malformed(error.to_string());
    let mut names = Vec::new();
    // Components nest; only what the outermost one imports comes from the service.
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(malformed)? {
            Payload::Version { encoding, .. } => {
                if depth == 0 && encoding != Encoding::Component {
                    return Err(KitError::Malformed("a core module, no component".to_owned()));
                }
                depth += 1;
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    let import = import.map_err(malformed)?;
                    // A world that uses a type of an interface imports the type's name too; nothing comes with it.
                    if !matches!(import.ty, ComponentTypeRef::Type(TypeBounds::Eq(_))) {
                        names.push(import.name.full_name().into_owned());
                    }
                }
            }
            _ => {}
        }
    }
    Ok(names)
}
