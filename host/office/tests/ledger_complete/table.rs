//! The table of the rules, beside the files that it names.

use std::collections::BTreeMap;
use std::path::Path;

use crate::books::SEQUENCES;

/// Rule, property, file, sequences.
fn rows() -> BTreeMap<String, [String; 3]> {
    let cells = |line: &str| -> Option<(String, [String; 3])> {
        let cells: Vec<&str> =
            line.strip_prefix("//! | L")?.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let [number, _, property, file, sequences, ..] = cells.as_slice() else { return None };
        Some((format!("L{number}"), [*property, *file, *sequences].map(str::to_owned)))
    };
    include_str!("main.rs").lines().filter_map(cells).collect()
}

#[test]
fn every_rule_has_a_property_over_enough_sequences() {
    let rows = rows();
    for number in 1..=18 {
        let rule = format!("L{number}");
        let [property, file, sequences] = rows.get(&rule).unwrap_or_else(|| panic!("{rule} has no row"));
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(file);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{rule}: {file}: {error}"));
        // The block that the property is in, with what it is configured with.
        let blocks = text.split("\nproptest! {").skip(1).map(|block| block.split("\n}\n").next().unwrap());
        let found: Vec<_> = blocks.filter(|block| block.contains(&format!("fn {property}("))).collect();
        let [block] = found.as_slice() else { panic!("{rule}: {} properties {property} in {file}", found.len()) };
        assert!(block.contains("sequences())]"), "{rule}: {property} is not tried over the sequences that all are");
        assert!(!block.contains("#[ignore"), "{rule}: {property} is not run");
        assert_eq!(sequences.replace(',', "").parse(), Ok(SEQUENCES), "{rule}");
    }
    assert_eq!(rows.len(), 18, "{rows:?}");
    const { assert!(SEQUENCES >= 2_000) };
}
