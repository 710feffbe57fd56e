//! The packages of the contract as they are published: each by itself with what it depends on, with a version, and documented.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use wit_component::{DecodedWasm, decode, encode};
use wit_parser::{Docs, PackageId, PackageName, Resolve, Type, TypeDefKind, UnresolvedPackageGroup};

fn wit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")
}

/// The packages, by name.
fn packages() -> BTreeMap<PackageName, UnresolvedPackageGroup> {
    let folders = std::fs::read_dir(wit().join("deps")).unwrap().map(|entry| entry.unwrap().path());
    let all = folders.chain([wit()]).map(|folder| UnresolvedPackageGroup::parse_dir(&folder).unwrap());
    all.map(|group| (group.main.name.clone(), group)).collect()
}

/// The package with those that it depends on, and theirs.
fn alone(name: &PackageName, all: &BTreeMap<PackageName, UnresolvedPackageGroup>) -> (Resolve, PackageId) {
    let mut needed = Vec::new();
    let mut next = vec![name.clone()];
    while let Some(one) = next.pop() {
        for other in all[&one].main.foreign_deps.keys() {
            if !needed.contains(other) {
                needed.push(other.clone());
                next.push(other.clone());
            }
        }
    }
    let mut resolve = Resolve::default();
    let needed = needed.iter().map(|name| all[name].clone()).collect();
    let package = resolve.push_groups(all[name].clone(), needed).unwrap_or_else(|why| panic!("{name}: {why:?}"));
    (resolve, package)
}

#[test]
fn every_package_is_one_by_itself() {
    let all = packages();
    assert_eq!(all.len(), 6, "{:?}", all.keys());
    for name in all.keys() {
        assert!(name.namespace == "backroom" && name.version.is_some(), "{name} has no version");
        let (resolve, package) = alone(name, &all);
        // The form in which registries take it.
        let bytes = encode(&resolve, package, false).unwrap();
        let DecodedWasm::WitPackage(again, package) = decode(&bytes).unwrap() else { panic!("{name} is no package") };
        assert_eq!(again.packages[package].name, *name);
        assert_eq!(
            again.packages[package].interfaces.len(),
            all[name].main.interfaces.iter().filter(|(_, i)| i.name.is_some()).count()
        );
    }
}

#[test]
fn everything_that_has_a_name_is_documented() {
    let mut resolve = Resolve::default();
    resolve.push_dir(wit()).unwrap();
    let mut missing = Vec::new();
    let mut look = |what: String, docs: &Docs| {
        if docs.contents.as_ref().is_none_or(|text| text.trim().is_empty()) {
            missing.push(what);
        }
    };
    for (id, interface) in &resolve.interfaces {
        let name = resolve.id_of(id).unwrap();
        look(name.clone(), &interface.docs);
        interface.functions.iter().for_each(|(function, about)| look(format!("{name}#{function}"), &about.docs));
        for (ty, id) in &interface.types {
            let about = &resolve.types[*id];
            // What an interface has from another one is documented there.
            if !matches!(about.kind, TypeDefKind::Type(Type::Id(_))) {
                look(format!("{name}#{ty}"), &about.docs);
            }
        }
    }
    assert!(missing.is_empty(), "no /// is before {missing:#?}");
}

#[test]
fn documents_are_made_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let files = backroom_kit::document(&wit().join(".."), dir.path()).unwrap();
    let names: Vec<_> = files.iter().map(|file| file.file_name().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(names, ["workflow.html", "workflow.md"]);
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        for part in ["backroom:ledger/journal@0.1.0", "exists-with-different", "Takes an entry back, once"] {
            assert!(text.contains(part), "{part}");
        }
    }
}
