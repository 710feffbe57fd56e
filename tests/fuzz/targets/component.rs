//! What a stranger uploads: any bytes are inspected or refused with a reason. Bytes as they come seldom get past the validator, so
//! others become a component that is valid, with names, functions, depths and manifests of any kind.
#![no_main]

use std::path::Path;

use arbitrary::{Arbitrary as _, Result, Unstructured};
use backroom_fuzz::seeds;
use backroom_runtime::{MANIFEST_SECTION, PluginError, inspect};
use libfuzzer_sys::fuzz_target;
use wasm_encoder::{
    Component, ComponentExportKind, ComponentExportSection, ComponentImportSection, ComponentTypeRef,
    ComponentTypeSection, ComponentValType, CustomSection, InstanceType, NestedComponentSection, PrimitiveValType,
};
use wit_component::{StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{ManglingAndAbi, Resolve};

const MANIFEST: &str = include_str!("../src/seed.toml");

fuzz_target!(init: seeds::write("component", seeds()), |bytes: &[u8]| {
    match bytes.split_first() {
        // As an upload is: a component begins with this byte.
        Some((0, _)) | None => check(bytes),
        Some((_, bytes)) => {
            if let Ok(component) = component(&mut Unstructured::new(bytes), 0) {
                check(&component.finish());
            }
        }
    }
});

fn check(bytes: &[u8]) {
    match inspect(bytes) {
        Ok(inspection) => {
            // What is shown to operators is the contract's own, or was refused.
            let text = format!("{inspection:?}");
            assert!(!text.contains('\u{1b}'), "a terminal would obey it: {text}");
            inspection.class();
        }
        Err(PluginError::Compiler(why)) => panic!("it is not the compiler's fault: {why}"),
        Err(refused) => {
            let text = refused.to_string();
            assert!(!text.is_empty() && !text.contains('\u{1b}'), "a terminal would obey it: {text:?}");
        }
    }
}

/// A component that is nearly a plugin.
fn component(u: &mut Unstructured<'_>, depth: u32) -> Result<Component> {
    let mut component = Component::new();
    let (mut types, mut imports, mut exports) =
        (ComponentTypeSection::new(), ComponentImportSection::new(), ComponentExportSection::new());
    let most = if depth == 0 { 6 } else { 1 };
    for at in 0..u.int_in_range(0..=most)? {
        types.instance(&instance(u)?);
        imports.import(name(u)?.as_str(), ComponentTypeRef::Instance(at));
    }
    component.section(&types).section(&imports);
    // Something to export as `run`: whether it is a function is for the linker to say.
    component.section(&NestedComponentSection(&inner(u, depth)?));
    exports.export(if u.ratio(7, 8)? { "run" } else { "walk" }, ComponentExportKind::Component, 0, None);
    component.section(&exports);
    for _ in 0..*u.choose(&[1, 1, 1, 1, 1, 1, 0, 2])? {
        let (name, data) = (if u.ratio(7, 8)? { MANIFEST_SECTION } else { "name" }.into(), manifest(u)?.into());
        component.section(&CustomSection { name, data });
    }
    Ok(component)
}

fn inner(u: &mut Unstructured<'_>, depth: u32) -> Result<Component> {
    if depth < 10 && u.ratio(1, 3)? { component(u, depth + 1) } else { Ok(Component::new()) }
}

/// Functions of an interface.
fn instance(u: &mut Unstructured<'_>) -> Result<InstanceType> {
    let mut instance = InstanceType::new();
    for at in 0..u.int_in_range(0..=3)? {
        let text = ComponentValType::Primitive(PrimitiveValType::String);
        instance.ty().function().params([("key", text)]).result(Some(text));
        let name =
            if u.ratio(7, 8)? { *u.choose(&["post", "get", "list", "send", "now"])? } else { <&str>::arbitrary(u)? };
        instance.export(name, ComponentTypeRef::Func(at));
    }
    Ok(instance)
}

/// The name of an import: of the contract, near it, or any.
fn name(u: &mut Unstructured<'_>) -> Result<String> {
    const KNOWN: [&str; 8] = [
        "backroom:ledger/journal",
        "backroom:ledger/accounts",
        "backroom:host/files",
        "backroom:host/http",
        "backroom:host/clock",
        "backroom:types/types",
        "wasi:io/poll",
        "wasi:cli/environment",
    ];
    let name = if u.ratio(7, 8)? { (*u.choose(&KNOWN)?).to_owned() } else { u.arbitrary()? };
    let version = match u.int_in_range(0..=7)? {
        0 => String::arbitrary(u)?,
        1 => (*u.choose(&["0.1.7", "0.2.0", "0.1.0-rc.1", "1.0.0", "99999999999999999999.0.0"])?).to_owned(),
        _ if name.starts_with("wasi") => "0.2.9".to_owned(),
        _ => "0.1.0".to_owned(),
    };
    Ok(format!("{name}@{version}"))
}

/// A manifest with a few changes.
fn manifest(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut text = MANIFEST.as_bytes().to_vec();
    for _ in 0..u.int_in_range(0..=3)? {
        let at = u.choose_index(text.len())?;
        match u.int_in_range(0..=2)? {
            0 => drop(text.splice(at..at, <&[u8]>::arbitrary(u)?.iter().copied())),
            1 => text.truncate(at.max(1)),
            _ => drop(text.remove(at)),
        }
    }
    Ok(text)
}

/// A component with every import of the contract, and bytes for those that are made.
fn seeds() -> Vec<(String, Vec<u8>)> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")).unwrap();
    let world = resolve.select_world(&[package], Some("workflow")).unwrap();
    let mut core = dummy_module(&resolve, world, ManglingAndAbi::Standard32);
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8, false).unwrap();
    let whole = backroom_kit::build_core_to_component(&core, MANIFEST).unwrap();
    inspect(&whole).unwrap();
    let mut seeds = seeds::noise(32);
    for (_, bytes) in &mut seeds {
        bytes.insert(0, 1);
    }
    seeds.push(("contract".to_owned(), whole));
    seeds
}
