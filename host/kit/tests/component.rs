//! From module to component, on modules made by hand: no compiler is needed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use backroom_kit::component::imports;
use backroom_kit::{KitError, MANIFEST_SECTION, build_core_to_component};
use wasm_encoder::{
    CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection, Module, TypeSection,
};
use wasmparser::{Parser, Payload};
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const MANIFEST: &str = "name = \"tiny\"\nversion = \"0.1.0\"\ndescription = \"Does nothing.\"\n";

/// A module that exports `run` and imports one function without parameters, if it is named.
fn core(wit: &str, import: Option<(&str, &str)>) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut module = Module::new();
    module.section(&types);
    if let Some((from, name)) = import {
        let mut imports = ImportSection::new();
        imports.import(from, name, EntityType::Function(0));
        module.section(&imports);
    }
    let mut functions = FunctionSection::new();
    functions.function(0);
    module.section(&functions);
    let mut exports = ExportSection::new();
    exports.export("run", ExportKind::Func, u32::from(import.is_some()));
    module.section(&exports);
    let mut code = CodeSection::new();
    let mut body = Function::new([]);
    if import.is_some() {
        body.instructions().call(0);
    }
    body.instructions().end();
    code.function(&body);
    module.section(&code);
    let mut bytes = module.finish();
    let mut resolve = Resolve::default();
    let package = resolve.push_str("test.wit", wit).unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    embed_component_metadata(&mut bytes, &resolve, world, StringEncoding::UTF8, false).unwrap();
    bytes
}

fn manifest_of(component: &[u8]) -> Option<String> {
    Parser::new(0).parse_all(component).find_map(|payload| match payload.unwrap() {
        Payload::CustomSection(section) if section.name() == MANIFEST_SECTION => {
            Some(String::from_utf8(section.data().to_vec()).unwrap())
        }
        _ => None,
    })
}

#[test]
fn a_component_carries_its_manifest_and_names_its_imports() {
    let wit = "package backroom:test; interface greet { hello: func(); }
        world w { import greet; export run: func(); }";
    let component = build_core_to_component(&core(wit, Some(("backroom:test/greet", "hello"))), MANIFEST).unwrap();
    assert_eq!(imports(&component).unwrap(), ["backroom:test/greet"]);
    assert_eq!(manifest_of(&component).as_deref(), Some(MANIFEST));
}

#[test]
fn what_the_service_does_not_offer_is_refused_by_name() {
    let wit = "package other:test; interface files { open: func(); } world w { import files; export run: func(); }";
    let error = build_core_to_component(&core(wit, Some(("other:test/files", "open"))), MANIFEST).unwrap_err();
    assert!(matches!(&error, KitError::ForeignImports(names) if names == &["other:test/files"]), "{error}");
    let wit = "package backroom:test; world w { import open: func(); export run: func(); }";
    let error = build_core_to_component(&core(wit, Some(("$root", "open"))), MANIFEST).unwrap_err();
    assert!(matches!(&error, KitError::ForeignImports(names) if names == &["open"]), "{error}");
}

#[test]
fn a_module_that_needs_more_than_its_world_has() {
    let wit = "package backroom:test; world w { export run: func(); }";
    let error = build_core_to_component(&core(wit, Some(("wasi_snapshot_preview1", "sched_yield"))), MANIFEST);
    let text = error.unwrap_err().to_string();
    assert!(text.contains("wasi_snapshot_preview1") && text.contains("system interface"), "{text}");
}

#[test]
fn bytes_that_are_no_module_and_no_component() {
    assert!(matches!(build_core_to_component(b"no wasm", MANIFEST), Err(KitError::Componentise(_))));
    assert!(matches!(imports(b"no wasm"), Err(KitError::Malformed(_))));
    let wit = "package backroom:test; world w { export run: func(); }";
    assert!(matches!(imports(&core(wit, None)), Err(KitError::Malformed(_))));
    assert!(matches!(build_core_to_component(&core(wit, None), "name = 1"), Err(KitError::Manifest { .. })));
}
