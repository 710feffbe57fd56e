//! `backroom doctor`: what it says is so, and its exit code says whether all of it is in force.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Ended, on, run};

/// State and detail by what it is about.
fn findings(ended: &Ended) -> BTreeMap<String, (String, String)> {
    let json = ended.json();
    let text = |finding: &serde_json::Value, name: &str| finding[name].as_str().unwrap().to_owned();
    let findings = json["findings"].as_array().unwrap().iter();
    let found: BTreeMap<_, _> = findings
        .map(|f| (format!("{}: {}", text(f, "about"), text(f, "what")), (text(f, "state"), text(f, "detail"))))
        .collect();
    let bad = found.values().any(|(state, _)| state == "bad");
    assert_eq!((json["ok"].as_bool(), ended.code), (Some(!bad), Some(i32::from(bad))), "{ended:?}");
    found
}

#[test]
fn the_machine_and_a_data_directory_are_looked_at() {
    let machine = findings(&run(&["doctor", "--json"]));
    assert_eq!(machine["sandbox: wall time"].0, "ok");
    // The child was started just now, and compiled what the clock was tried with.
    let (state, compiler) = &machine["sandbox: compiler"];
    assert!(compiler.starts_with("a child process compiles, in 2048 MiB and 60 s"), "{compiler}");
    assert_eq!(state == "ok", compiler.contains("behind a filter of system calls"), "{compiler}");
    for what in [
        "sandbox: engine",
        "sandbox: pool of instances",
        "sandbox: PAGEMAP_SCAN",
        "kernel: seccomp",
        "kernel: landlock",
        "sandbox: own processes",
    ] {
        assert!(machine.contains_key(what), "{what}");
    }
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let none = findings(&on(&data, &["doctor", "--json"]));
    assert_eq!(none["data directory: found"].0, "bad");
    let half = dir.path().join("half");
    std::fs::create_dir_all(half.join(".restoring")).unwrap();
    let (state, detail) = &findings(&on(&half, &["doctor", "--json"]))["data directory: found"];
    assert!(state == "bad" && detail.contains("ask for the same restore again"), "{detail}");
    assert_eq!(on(&data, &["tenant", "create", "t", "--name", "T"]).code, Some(0));
    let before: Vec<_> = std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    let there = findings(&on(&data, &["doctor", "--json"]));
    assert_eq!(there["data directory: found"].0, "ok");
    assert!(there["data directory: syncs"].1.contains("fdatasync"), "{there:?}");
    assert_eq!(there["data directory: master key"].0, "warning");
    let after: Vec<_> = std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(before.len(), after.len(), "nothing is left behind: {after:?}");
    std::fs::create_dir_all(data.join("keys")).unwrap();
    for (mode, state) in [(0o755, "bad"), (0o700, "ok")] {
        std::fs::set_permissions(data.join("keys"), Permissions::from_mode(mode)).unwrap();
        let found = findings(&on(&data, &["doctor", "--json"]));
        assert_eq!(found["data directory: keys of persons"].0, state);
    }
    let human = on(&data, &["doctor"]);
    assert!(human.stdout.contains("wall time") && human.stdout.contains("fdatasync"), "{human:?}");
}

/// Port 9 of this machine: nobody listens there.
#[test]
fn what_cannot_be_reached_is_bad_and_no_password_is_shown() {
    let ended = run(&["doctor", "--json", "--database-url", "postgresql://ann:sesame@127.0.0.1:9/books"]);
    assert_eq!(findings(&ended)["database: reachable"].0, "bad");
    assert!(!format!("{ended:?}").contains("sesame"), "{ended:?}");
    let server = findings(&run(&["doctor", "--json", "--ask-server", "--server", "http://127.0.0.1:9"]));
    assert_eq!((server["server: alive"].0.as_str(), server["server: ready"].0.as_str()), ("bad", "bad"));
}
