//! A disk that is slow or fails at the very sync that makes a reply durable: no success is told before it, and none after a failure.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a panic is a failed test, and shows what was seen"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use backroom_tests::{Answer, Company, Server, order, root};
use serde_json::json;

/// The library that stands between the server and the disk.
fn shim(folder: &Path) -> PathBuf {
    let library = folder.join("sync.so");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
        .arg(&library)
        .arg(root().join("tests/shim/sync.c"))
        .arg("-ldl")
        .status();
    assert!(built.expect("a C compiler").success(), "the shim does not build");
    library
}

struct Disk {
    control: PathBuf,
}

impl Disk {
    fn set(&self, mode: &str) {
        // Renamed into place, so that no half-written word is ever read.
        let next = self.control.with_extension("next");
        std::fs::write(&next, mode).expect("written");
        std::fs::rename(&next, &self.control).expect("renamed");
    }

    fn wait_until_held(&self) {
        let held = PathBuf::from(format!("{}.held", self.control.display()));
        while !held.exists() {
            std::thread::sleep(Duration::from_millis(2));
        }
        std::fs::remove_file(held).expect("removed");
    }
}

fn server_on_a_strange_disk(folder: &Path) -> (Server, Disk) {
    let library = shim(folder);
    let disk = Disk { control: folder.join("disk") };
    disk.set("ok");
    let environment = [
        ("LD_PRELOAD", library.to_str().expect("UTF-8")),
        ("BACKROOM_TEST_DISK", disk.control.to_str().expect("UTF-8")),
    ];
    let server = Server::start_with(&folder.join("data"), &environment);
    Company::create(&server, "north");
    (server, disk)
}

fn run(server: &Server, id: &str) -> Answer {
    let body = json!({ "id": id, "mode": "commit", "input": order(id) });
    server.call("POST", "/v1/tenants/north/installations/order/runs", Some(&body))
}

#[test]
fn a_reply_waits_for_a_slow_sync_and_nothing_else_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, disk) = server_on_a_strange_disk(folder.path());
    disk.set("hold");
    let (tell, told) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| tell.send(run(&server, "slow")).expect("heard"));
        disk.wait_until_held();
        // The sync hangs: health and reads answer, and the reads do not show what may yet vanish.
        assert_eq!(server.call("GET", "/healthz", None).status, 200);
        assert_eq!(server.call("GET", "/v1/tenants/north/runs/slow", None).status, 404);
        Company::check_books(&server, "north");
        assert!(told.try_recv().is_err(), "a reply came before the sync ended");
        disk.set("ok");
        told.recv().expect("a reply").ok();
    });
    assert_eq!(server.get("/v1/tenants/north/runs/slow")["status"], "committed");
    server.verify();
}

#[test]
fn a_failed_sync_is_never_a_success_and_the_service_recovers_by_reopening() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut server, disk) = server_on_a_strange_disk(folder.path());
    run(&server, "before").ok();
    disk.set("fail");
    let answer = run(&server, "during");
    assert_eq!((answer.status, answer.code()), (503, "unavailable"), "{answer:?}");
    // While the disk stays bad nothing is answered but that it is.
    assert_eq!(server.call("GET", "/healthz", None).status, 200);
    let again = run(&server, "during");
    assert_eq!((again.status, again.code()), (503, "unavailable"), "{again:?}");

    disk.set("ok");
    server.wait_ready();
    server.verify();
    assert_eq!(server.get("/v1/tenants/north/runs/before")["status"], "committed");
    // Asked again with the same id it is there exactly once, whatever became of the first attempt.
    run(&server, "during").ok();
    run(&server, "during").ok();
    let entries = server.all("/v1/tenants/north/ledger/entries");
    let of_run = |id: &str| entries.iter().filter(|e| e["run"] == *id).count();
    assert_eq!((of_run("before"), of_run("during")), (1, 1));
    Company::check_books(&server, "north");
    server.stop();
}
