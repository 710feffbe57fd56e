//! The main job over a database: the same story, and a host that has nothing of its own; and measurements beside one.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a panic is a failed test, and shows what was seen"
)]

use std::process::{Command, Stdio};

use backroom_tests::{Place, Server, backroom, binary, postgres};
use serde_json::{Value, json};

const RUN: &str = "remote-allowance-2026-06";

#[test]
fn the_main_job_over_a_database_and_a_host_that_has_nothing() {
    let Some(database) = postgres::Server::shared() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let name = database.database();
    let place = |cache: &str| Place::Database { url: database.url(&name), cache: folder.path().join(cache) };
    // The demo checks its own story: plan and commit are the same, the books balance, the log verifies, the run replays.
    let output = Command::new(binary())
        .args(["demo", "--json", "--cache"])
        .arg(folder.path().join("cache"))
        .env("BACKROOM_DATABASE_URL", database.url(&name))
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let summary: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
    let tenant = summary["tenant"].as_str().expect("the tenant");
    let releases = database.sql(&name, "SELECT digest FROM backroom.release_bytes");
    assert_eq!(releases.len(), 64, "one component, by its digest: {releases}");

    // What is in force there can be asked for.
    let doctor = || {
        let mut doctor = Command::new(binary());
        let output = doctor.args(["doctor", "--json"]).env("BACKROOM_DATABASE_URL", database.url(&name)).output();
        let report: Value = serde_json::from_slice(&output.expect("the binary runs").stdout).expect("JSON");
        move |what: &str| {
            let findings = report["findings"].as_array().expect("findings");
            let found = findings.iter().find(|found| found["about"] == "database" && found["what"] == what);
            found.map(|found| found["state"].as_str().expect("a state").to_owned())
        }
    };
    let state = doctor();
    assert_eq!(state("reachable").as_deref(), Some("ok"));
    assert!(state("synchronous_commit").is_some() && state("whole").is_none());
    // As a restore leaves it that was killed.
    database.sql(&name, "CREATE SEQUENCE backroom.restoring");
    assert_eq!(doctor()("whole").as_deref(), Some("bad"));
    database.sql(&name, "DROP SEQUENCE backroom.restoring");

    // Another host, with an empty cache: the component comes from the database, and then from the cache.
    let key = folder.path().join("key");
    let server = Server::start_host(&place("other"), &folder.path().join("other"), &key, &[]);
    replay(&server, tenant);
    server.verify();
    let cached = folder.path().join("other/releases").join(format!("{releases}.wasm"));
    assert!(cached.exists(), "{}", cached.display());
    server.stop();
    // A damaged copy is not used, and mended, once the component is needed: not while there is code that was made of it.
    std::fs::remove_dir_all(folder.path().join("other/compiled")).expect("compiled code");
    let whole = std::fs::read(&cached).expect("the copy");
    std::fs::write(&cached, &whole[1..]).expect("written");
    let server = Server::start_host(&place("other"), &folder.path().join("other"), &key, &[]);
    replay(&server, tenant);
    assert_eq!(std::fs::read(&cached).expect("the copy"), whole);
    server.stop();

    // What was changed in the database is never run.
    database.sql(&name, "UPDATE backroom.release_bytes SET bytes = bytes || '\\x00'::bytea");
    let server = Server::start_host(&place("third"), &folder.path().join("third"), &key, &[]);
    let refused = server.call("POST", &format!("/v1/tenants/{tenant}/runs/{RUN}/replay"), Some(&json!({})));
    assert_eq!(refused.status, 503, "{refused:?}");
    server.stop();
    let log = std::fs::read_to_string(folder.path().join("third.log")).expect("the log");
    assert!(log.contains("its bytes in the database were changed since it was uploaded"), "{log}");
}

fn replay(server: &Server, tenant: &str) {
    let report = server.call("POST", &format!("/v1/tenants/{tenant}/runs/{RUN}/replay"), Some(&json!({}))).ok();
    assert_eq!(report["identical"], Value::Bool(true), "{report:#}");
}

/// What a measurement says, which ran to its end.
fn bench(args: &[&str]) -> Value {
    let output = backroom(&[&["bench"], args, &["--json"]].concat());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{args:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

#[test]
fn the_ledger_is_measured_beside_a_database() {
    // The bench starts its own, of the same programs.
    if postgres::Server::shared().is_none() {
        return;
    }
    let ledger = bench(&["ledger", "--quick", "--entries", "8000"]);
    let beside = &ledger["postgres"];
    for entries in [&ledger["posted"], &beside["one_by_one"], &beside["by_sets"]] {
        assert_eq!(entries["entries"], 8_000, "{ledger:#}");
    }
    for rate in [&ledger["crowd"]["hot"]["per_second"], &beside["uniform"], &beside["hot"]] {
        assert!(rate.as_f64().is_some_and(|rate| rate > 0.0), "{ledger:#}");
    }
}
