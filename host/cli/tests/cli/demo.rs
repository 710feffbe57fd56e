//! The main job from one command, as a user runs it.

use crate::support::{on, run};
use serde_json::json;

#[test]
fn the_demo_does_everything_by_itself_and_proves_it() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("demo");
    let ended = run(&["demo", "--json", "--dir", data.to_str().unwrap()]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let summary = ended.json();
    assert_eq!(summary["ok"], true);
    let checks = summary["checks"].as_array().unwrap();
    assert!(checks.len() >= 10 && checks.iter().all(|check| check["ok"] == true), "{checks:?}");
    // Worked out by hand in the README of the example.
    assert_eq!(summary["saving"]["yearly-per-seat"]["minor"], 600_000);
    assert_eq!(summary["saving"]["yearly"]["minor"], 9_600_000);
    let total = &summary["trial-balance"][0];
    assert_eq!((&total["debits"], &total["credits"]), (&json!(772_113_847), &json!(772_113_847)));
    // The same directory again is refused: a demo begins with nothing.
    assert_eq!(run(&["demo", "--dir", data.to_str().unwrap()]).code, Some(2));
    // What it left can be worked with.
    let again = on(&data, &["replay", "remote-allowance-2026-06", "--tenant", summary["tenant"].as_str().unwrap()]);
    assert_eq!(again.code, Some(0), "{again:?}");
}
