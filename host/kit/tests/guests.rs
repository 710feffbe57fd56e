//! The guests of the whole-system tests build, each for itself and from nothing but the contract.

use std::path::Path;

use backroom_kit::{Options, Quiet, build};

#[test]
fn every_guest_builds() {
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests");
    let mut count = 0;
    for entry in std::fs::read_dir(guests).unwrap() {
        let dir = entry.unwrap().path();
        if !dir.join("plugin.toml").is_file() {
            continue;
        }
        let built = build(&dir, &Options::default(), &mut Quiet).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(dir.file_name().unwrap().to_str(), Some(built.manifest.name.as_str()));
        assert!(built.imports.iter().all(|name| name.starts_with("backroom:")), "{:?}", built.imports);
        count += 1;
    }
    assert!(count >= 11, "only {count} guests");
}
