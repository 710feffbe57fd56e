//! What is no plugin is refused when it is uploaded, with a reason that says what to do; nothing of it is kept.

use crate::common::{
    Guest, NOW, OK, STATE_FIELDS, Service, component, leb, manifest, plugin, runtime, state_guest, with_manifest,
};
use backroom_runtime::{Class, PluginError, RightsReport};

fn refused(bytes: &[u8]) -> PluginError {
    runtime().load(bytes).map(|plugin| plugin.digest().to_owned()).unwrap_err()
}

fn guest() -> Guest<'static> {
    Guest { run: OK, ..Guest::default() }
}

fn wat(text: &str) -> Vec<u8> {
    with_manifest(wat::parse_str(text).unwrap(), &manifest(""))
}

#[test]
fn malformed_components_are_refused() {
    let good = plugin(&guest(), "");
    assert!(runtime().load(&good).is_ok());
    let rows: [(&str, Vec<u8>); 5] = [
        ("empty", Vec::new()),
        ("no wasm", b"#!/bin/sh".to_vec()),
        ("a core module", wat::parse_str("(module)").unwrap()),
        ("cut", good[..good.len() - 1].to_vec()),
        ("garbage behind", [good.as_slice(), &[1, 2, 3]].concat()),
    ];
    for (what, bytes) in rows {
        assert!(matches!(refused(&bytes), PluginError::Malformed(_)), "{what}");
    }
    // Whatever is changed or cut, it never gets further than a reason.
    for at in (0..good.len()).step_by(7) {
        let mut bytes = good.clone();
        bytes[at] ^= 0x55;
        runtime().load(&bytes).map(drop).unwrap_or_default();
        assert!(runtime().load(&good[..at]).is_err());
    }
}

#[test]
fn size_and_depth_are_bounded() {
    let large = vec![0; (32 << 20) + 1];
    assert!(matches!(refused(&large), PluginError::TooLarge { .. }));
    let nested = |depth: usize| format!("{}{}", "(component ".repeat(depth), ")".repeat(depth));
    assert!(matches!(refused(&wat(&nested(9))), PluginError::TooDeep { depth: 9, .. }));
    // Types nest without components around them, which the older validator in the engine follows without a bound.
    let depth = 1_000_000;
    let mut section = vec![1];
    section.extend([0x41, 1, 1].repeat(depth));
    section.extend([0x41, 0]);
    let mut bytes = vec![0, b'a', b's', b'm', 0x0D, 0, 1, 0, 7];
    leb(&mut bytes, section.len());
    bytes.extend(section);
    match refused(&with_manifest(bytes, &manifest(""))) {
        PluginError::Malformed(why) => assert!(why.contains("nest"), "{why}"),
        other => panic!("{other}"),
    }
}

#[test]
fn unknown_imports_are_all_named() {
    let imports = r#"
        (import "wasi:http/types@0.2.0" (instance))
        (import "backroom:host/mail@0.1.0" (instance))
        (import "backroom:host/clock@0.2.0" (instance))
        (import "backroom:host/clock@0.1.7" (instance))
        (import "plain" (func))"#;
    let error = refused(&plugin(&Guest { imports, ..guest() }, ""));
    let names = ["wasi:http/types@0.2.0", "backroom:host/mail@0.1.0", "backroom:host/clock@0.2.0", "plain"];
    assert_eq!(error, PluginError::UnknownImports(names.map(str::to_owned).to_vec()));
}

#[test]
fn what_does_not_fit_the_contract_is_refused() {
    let other_type = r#"(component
        (core module $m (func (export "run") (result i32) (i32.const 1)))
        (core instance $i (instantiate $m))
        (func $run (result u32) (canon lift (core func $i "run")))
        (export "run" (func $run)))"#;
    let other_name = other_type.replace(r#"(export "run" (func $run))"#, r#"(export "go" (func $run))"#);
    let unknown_function = Guest {
        imports: r#"(import "backroom:host/config@0.1.0" (instance (export "set" (func (param "key" string)))))"#,
        ..guest()
    };
    let other_signature = Guest {
        imports: r#"(import "backroom:host/config@0.1.0" (instance (export "get" (func (param "key" u32)))))"#,
        ..guest()
    };
    let rows = [
        (wat(other_type), "run"),
        (wat(&other_name), "`run`"),
        (plugin(&unknown_function, ""), "set"),
        (plugin(&other_signature, ""), "get"),
    ];
    for (bytes, part) in rows {
        match refused(&bytes) {
            PluginError::Contract(why) => assert!(why.contains(part), "{why}"),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn a_plugin_has_one_good_manifest() {
    let bare = component(&guest());
    let twice = with_manifest(with_manifest(bare.clone(), &manifest("")), &manifest(""));
    let rows = [
        (bare.clone(), "there is none"),
        (twice, "more than one"),
        (with_manifest(bare.clone(), "name = "), "line 1"),
        (with_manifest(bare.clone(), &manifest("[[wants]]\nwhy = \"Test.\"\nadminister = true\n")), "administer"),
        (with_manifest(bare, &manifest(&"#".repeat(70_000))), "the limit is 65536"),
    ];
    for (bytes, part) in rows {
        match refused(&bytes) {
            PluginError::Manifest(why) => assert!(why.contains(part), "{why}"),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn an_upload_is_recorded_once_and_survives_a_restart() {
    let service = Service::new();
    let bytes = plugin(&guest(), "[[wants]]\nwhy = \"Test.\"\n[wants.ledger]\nread = [\"61*\"]\n");
    let release = service.upload(&bytes);
    assert_eq!(release.digest, blake3::hash(&bytes).to_hex().to_string());
    assert_eq!((release.plugin.as_str(), release.version.as_str()), ("test", "1.0.0"));
    assert_eq!(release.wants.grants()[0].ledger.read.len(), 1);
    assert_eq!(release.size, bytes.len() as u64);
    let later = backroom_domain::Instant(NOW.0 + 1);
    assert_eq!(service.runner.upload("other", later, &bytes).unwrap(), release);
    assert_eq!(service.office.release(&release.digest).unwrap(), release);
    let path = service.dir.path().join("releases").join(format!("{}.wasm", release.digest));
    assert_eq!(std::fs::read(path).unwrap(), bytes);
}

#[test]
fn nothing_of_a_refused_upload_is_kept() {
    let service = Service::new();
    assert!(service.runner.upload("admin", NOW, b"nonsense").is_err());
    let page = backroom_office::PageRequest::first(10);
    assert!(service.office.releases(&page).unwrap().items.is_empty());
    assert_eq!(std::fs::read_dir(service.dir.path().join("releases")).unwrap().count(), 0);
}

/// What is said of a component before anything is compiled, and what is kept of it.
#[test]
fn the_functions_that_are_imported_are_known_and_compared_with_what_is_wanted() {
    let state = plugin(
        &state_guest(STATE_FIELDS, OK),
        "[[wants]]\nwhy = \"Test.\"\nstate = true\noperations = [\"state.get\"]\n[wants.ledger]\nread = [\"*\"]\n",
    );
    let found = backroom_runtime::inspect(&state).unwrap();
    assert_eq!(found.imports, ["backroom:host/state@0.1.0"]);
    assert_eq!(found.functions, ["state.set", "state.get"]);
    assert_eq!(found.class(), Class::None);
    let service = Service::new();
    let release = service.upload(&state);
    assert_eq!(release.functions, found.functions);
    let report = RightsReport::new(&release.wants, &release.functions, &release.wants, None);
    assert_eq!(report.imports.used_not_wanted, ["state.set"]);
    assert_eq!(report.imports.wanted_not_used, ["ledger.read"]);
}
