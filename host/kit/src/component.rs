//! From a core module to a component that says what it is, and back to what it imports.
//! Functions over bytes; the contract alone is read from files.

use std::borrow::Cow;
use std::path::Path;

use wasm_encoder::{CustomSection, Encode as _, Section as _};
use wasmparser::{ComponentTypeRef, Encoding, Parser, Payload, TypeBounds};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::wit::{WORLD, is_wanted};
use crate::{KitError, MANIFEST_SECTION, Manifest};

/// The largest component that the service takes.
const MAX_COMPONENT: usize = 32 << 20;

/// Every package of the contract begins with this.
const OURS: &str = "backroom:";
/// What a program sees that wants `observe`.
const SYSTEM: &str = "wasi:";

/// The stand-in for a system; see its own text.
const DENY: &str = include_str!("deny.wat");
/// What it stands in for.
pub(crate) const PREVIEW1: &str = "wasi_snapshot_preview1";

/// Wraps a core module that was compiled against the contract: validates it, refuses imports from
/// anywhere but the contract, and puts `manifest` (the text of a `plugin.toml`) beside it.
pub fn build_core_to_component(core: &[u8], manifest: &str) -> Result<Vec<u8>, KitError> {
    attach(encode(core, false)?, manifest)
}

/// Puts `manifest` (the text of a `plugin.toml`) beside a component, which must have none yet.
///
/// # Errors
/// The manifest is not as it should be; the component cannot be read, is too large, has one already, imports what the service does not
/// offer, or imports of that what the plugin does not want.
pub fn attach(mut component: Vec<u8>, manifest: &str) -> Result<Vec<u8>, KitError> {
    let wants = Manifest::parse(manifest, "plugin.toml")?;
    let surface = Surface::read(&component)?;
    if surface.has_manifest {
        return Err(KitError::HasManifest);
    }
    let observes = wants.wants.grants().iter().any(|grant| grant.observe);
    let offered = |name: &str| name.starts_with(OURS) || (observes && name.starts_with(SYSTEM));
    let (ours, foreign): (Vec<String>, Vec<String>) = surface.imports.into_iter().partition(|name| offered(name));
    if !foreign.is_empty() {
        return Err(KitError::ForeignImports(foreign));
    }
    let unwanted: Vec<String> = ours.into_iter().filter(|name| !is_wanted(&wants, name)).collect();
    if !unwanted.is_empty() {
        return Err(KitError::NotWanted(unwanted));
    }
    let section = CustomSection { name: MANIFEST_SECTION.into(), data: Cow::Borrowed(manifest.as_bytes()) };
    component.push(section.id());
    section.encode(&mut component);
    if component.len() > MAX_COMPONENT {
        return Err(KitError::TooLarge { size: component.len(), limit: MAX_COMPONENT });
    }
    Ok(component)
}

/// From a core module to a component, with the stand-in for a system if the module may ask for one.
pub(crate) fn encode(core: &[u8], system: bool) -> Result<Vec<u8>, KitError> {
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true);
    let deny = system.then(|| wat::parse_str(DENY)).transpose();
    let deny = deny.map_err(|error| KitError::Componentise(error.to_string()))?;
    let encoded = encoder
        .module(core)
        .and_then(|encoder| match &deny {
            Some(deny) => encoder.adapter(PREVIEW1, deny),
            None => Ok(encoder),
        })
        .and_then(|encoder| encoder.encode());
    encoded.map_err(|error| KitError::Componentise(format!("{error:#}")))
}

/// Says in a core module which world it was compiled for, where its compiler cannot.
pub(crate) fn describe(core: &mut Vec<u8>, wit: &Path) -> Result<(), KitError> {
    let wrong = |error: String| KitError::Contract { dir: wit.to_path_buf(), error };
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(wit).map_err(|error| wrong(format!("{error:#}")))?;
    let world = resolve.select_world(&[package], Some(WORLD)).map_err(|error| wrong(format!("{error:#}")))?;
    let described = embed_component_metadata(core, &resolve, world, StringEncoding::UTF8, false);
    described.map_err(|error| KitError::Componentise(format!("{error:#}")))
}

/// `journal` of `backroom:ledger/journal@0.1.0`.
pub(crate) fn interface(import: &str) -> &str {
    let name = import.rsplit_once('/').map_or(import, |(_, name)| name);
    name.split_once('@').map_or(name, |(name, _)| name)
}

/// The names of what a component imports, in the component's own order.
pub fn imports(component: &[u8]) -> Result<Vec<String>, KitError> {
    Ok(Surface::read(component)?.imports)
}

/// What a component shows to the outside.
#[derive(Default)]
struct Surface {
    imports: Vec<String>,
    has_manifest: bool,
}

impl Surface {
    fn read(component: &[u8]) -> Result<Self, KitError> {
        let malformed = |error: wasmparser::BinaryReaderError| KitError::Malformed(error.to_string());
        let mut surface = Self::default();
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
                            surface.imports.push(import.name.full_name().into_owned());
                        }
                    }
                }
                Payload::CustomSection(section) if depth == 1 => {
                    surface.has_manifest |= section.name() == MANIFEST_SECTION;
                }
                _ => {}
            }
        }
        Ok(surface)
    }
}
