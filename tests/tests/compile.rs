//! Compilation, seen from outside: it disturbs nobody, is not done twice, and what is kept of it cannot be tampered with.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a panic is a failed test, and shows what was seen"
)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use backroom_tests::{Company, Server, bombs, order};
use serde_json::{Value, json};

fn compiled(server: &Server) -> Value {
    server.get("/v1/figures")["compile"].clone()
}

fn run(server: &Server, tenant: &str, id: &str) {
    let body = json!({ "id": id, "mode": "commit", "input": order(id) });
    server.call("POST", &format!("/v1/tenants/{tenant}/installations/order/runs"), Some(&body)).ok();
}

/// The processes that this one has started and not yet buried.
fn children(of: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("processes").flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let Ok(status) = std::fs::read_to_string(entry.path().join("status")) else { continue };
        if status.lines().any(|line| line == format!("PPid:\t{of}")) {
            found.push(pid);
        }
    }
    found
}

#[test]
fn everybody_else_is_served_while_a_bomb_is_compiled() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start_as(&folder.path().join("data"), &[], &["--compile-time", "4"]);
    Company::create(&server, "north");
    let bomb = bombs::many_functions(100_000);
    std::thread::scope(|scope| {
        let upload = scope.spawn(|| server.upload(&bomb));
        let mut n = 0;
        let mut seen = false;
        while !upload.is_finished() || n == 0 {
            assert_eq!(server.call("GET", "/healthz", None).status, 200);
            assert_eq!(server.call("GET", "/readyz", None).status, 200);
            run(&server, "north", &format!("order:{n}"));
            seen |= !children(server.pid()).is_empty();
            n += 1;
        }
        let answer = upload.join().expect("an answer");
        assert_eq!((answer.status, answer.code()), (422, "plugin-compile-limit"), "{answer:#?}");
        assert!(seen, "no child was seen in {n} rounds");
        eprintln!("{n} runs were committed while the bomb was compiled");
    });
    assert_eq!(compiled(&server)["over-limit"], 1);
    assert!(children(server.pid()).is_empty(), "the child is gone");
    Company::check_books(&server, "north");
    server.verify();
}

#[test]
fn a_start_compiles_nothing_again_and_believes_nothing_that_was_changed() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let server = Server::start(&data);
    Company::create(&server, "north");
    run(&server, "north", "order:1");
    assert!(compiled(&server)["begun"].as_u64() >= Some(1), "{}", compiled(&server));
    server.stop();

    let server = Server::start(&data);
    run(&server, "north", "order:2");
    let figures = compiled(&server);
    assert_eq!((&figures["begun"], &figures["cache-damaged"]), (&json!(0), &json!(0)), "{figures}");
    assert!(figures["from-cache"].as_u64() >= Some(2), "{figures}");
    server.stop();

    let harmed = harm(&data.join("compiled"));
    let server = Server::start(&data);
    run(&server, "north", "order:3");
    let figures = compiled(&server);
    assert_eq!((&figures["begun"], &figures["cache-damaged"]), (&json!(harmed), &json!(harmed)), "{figures}");
    Company::check_books(&server, "north");
    server.verify();
}

/// Changes a bit in the middle of every file of compiled code; nobody else may read any of it.
fn harm(compiled: &Path) -> usize {
    assert_eq!(compiled.metadata().expect("the folder").permissions().mode() & 0o777, 0o700);
    let mut harmed = 0;
    for entry in std::fs::read_dir(compiled).expect("compiled code").flatten() {
        assert_eq!(entry.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
        if entry.file_name() != "key" {
            let mut bytes = std::fs::read(entry.path()).expect("read");
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x10;
            std::fs::write(entry.path(), bytes).expect("written");
            harmed += 1;
        }
    }
    harmed
}
