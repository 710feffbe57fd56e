//! Calls of every function of the contract with values of any kind: an answer, a typed error, or the end of the run; the books
//! balance whatever came before.
#![no_main]

use std::path::Path;

use backroom_fuzz::{TENANT, acme, seeds};
use backroom_runtime::fuzz::{calls, functions};
use backroom_store::Store;
use libfuzzer_sys::fuzz_target;
use wit_parser::{Resolve, WorldItem};

fuzz_target!(init: begin(), |bytes: &[u8]| {
    let store = Store::memory();
    acme(&store).unwrap();
    calls(&store, TENANT, bytes);
});

/// Nothing of the contract is left out.
fn begin() {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")).unwrap();
    let world = resolve.select_world(&[package], Some("workflow")).unwrap();
    let called = functions();
    for item in resolve.worlds[world].imports.values() {
        let WorldItem::Interface { id, .. } = item else { continue };
        let interface = &resolve.interfaces[*id];
        for function in interface.functions.keys() {
            let name = format!("{}.{function}", interface.name.as_deref().unwrap_or_default());
            assert!(called.contains(&name.as_str()), "{name} of the contract is not called");
        }
    }
    seeds::write("values", seeds::noise(64));
}
