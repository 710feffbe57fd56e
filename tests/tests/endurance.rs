//! What the server stands: traps before a thousand clean runs, and a spinning guest in every place where a guest can run.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a panic is a failed test, and shows what was seen"
)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use backroom_tests::{Company, Server, order, root};
use serde_json::json;

/// Dry runs of one tenant at a time, and the tenants that it takes to fill every place of the service with them.
const PLANS: usize = 4;
const TENANTS: usize = 16;
/// How long a spinning guest may go on, in milliseconds.
const BUDGET: u64 = 4_000;

fn install(server: &Server, tenant: &str, guest: &str, rest: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("installation.toml");
    std::fs::write(&file, format!("name = \"{guest}\"\n{rest}")).expect("written");
    let plugin = root().join("tests/guests").join(guest);
    let (plugin, file) = (plugin.to_str().expect("UTF-8"), file.to_str().expect("UTF-8"));
    server.cli(&["install", "--tenant", tenant, "--plugin", plugin, "--file", file]);
}

#[test]
fn after_a_trap_a_thousand_runs_are_clean() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("data"));
    Company::create(&server, "north");
    install(&server, "north", "trap", "[[grants]]\nstate = true\n");
    let bad = json!({ "mode": "commit", "input": { "message": "boom", "after_effect": true } });
    let answer = server.call("POST", "/v1/tenants/north/installations/trap/runs", Some(&bad));
    assert_eq!(answer.code(), "run-trapped", "{answer:#?}");
    let mut fuel = Vec::new();
    for n in 0..1_000 {
        // References of the same length, so that each run has the same work to do.
        let id = format!("clean:{n:04}");
        let body = json!({ "id": id, "mode": "commit", "input": order(&id) });
        let report = server.call("POST", "/v1/tenants/north/installations/order/runs", Some(&body)).ok();
        assert_eq!(report["status"], "committed", "{report:#}");
        fuel.push(report["fuel"].as_u64().expect("fuel"));
    }
    // The stock it takes from becomes less, which is told in fewer or more digits; nothing else differs.
    let (least, most) = (fuel.iter().min().expect("runs"), fuel.iter().max().expect("runs"));
    eprintln!("fuel of a thousand clean runs: {least} to {most}");
    assert!(most - least < least / 10, "{least} to {most}");
    Company::check_books(&server, "north");
    server.verify();
}

/// Health is asked for on its own connection all the time, and its median is what is asserted: the machines that run this do
/// other work beside it, and one answer in a hundred waits for a processor there. The percentile is printed.
#[test]
fn health_answers_while_a_guest_spins_in_every_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("data"));
    let tenants: Vec<String> = (0..TENANTS).map(|n| format!("tenant-{n}")).collect();
    for tenant in &tenants {
        server.call("POST", "/v1/tenants", Some(&json!({ "id": tenant, "name": "A company" }))).ok();
        install(&server, tenant, "spin", &format!("[limits]\nwall-ms = {BUDGET}\nfuel = 9007199254740991\n"));
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let health = scope.spawn(|| {
            let mut times = Vec::new();
            while !done.load(Ordering::Relaxed) {
                let began = Instant::now();
                assert_eq!(server.call("GET", "/healthz", None).status, 200);
                times.push(began.elapsed());
                std::thread::sleep(Duration::from_millis(5));
            }
            times
        });
        let server = &server;
        let spins: Vec<_> = tenants
            .iter()
            .flat_map(|tenant| std::iter::repeat_n(tenant, PLANS))
            .map(|tenant| {
                scope.spawn(move || {
                    let body = json!({ "mode": "dry-run", "input": null });
                    let began = Instant::now();
                    let answer =
                        server.call("POST", &format!("/v1/tenants/{tenant}/installations/spin/runs"), Some(&body));
                    (answer, began.elapsed())
                })
            })
            .collect();
        let mut took: Vec<Duration> = spins
            .into_iter()
            .map(|spin| {
                let (answer, took) = spin.join().expect("an answer");
                assert_eq!(answer.code(), "run-deadline", "{answer:#?}");
                took
            })
            .collect();
        done.store(true, Ordering::Relaxed);
        took.sort();
        let mut health = health.join().expect("health");
        health.sort();
        let at = |times: &[Duration], percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
        eprintln!(
            "{} guests that may spin for {BUDGET} ms ended after {:?} to {:?}; health: median {:?}, p99 {:?}, worst {:?} of {}",
            took.len(),
            took[0],
            took[took.len() - 1],
            at(&health, 50),
            at(&health, 99),
            at(&health, 100),
            health.len()
        );
        assert!(at(&health, 50) < Duration::from_millis(50), "median {:?}", at(&health, 50));
        // None before its time. A few of them wait for a place until another one ends, so twice the budget and some.
        assert!(took[0] >= Duration::from_millis(BUDGET), "{:?}", took[0]);
        assert!(took[took.len() - 1] < Duration::from_millis(5 * BUDGET), "{:?}", took[took.len() - 1]);
    });
    // Everything is as before: a run of a company begins and ends.
    Company::create(&server, "north");
    let body = json!({ "id": "after", "mode": "commit", "input": order("after") });
    server.call("POST", "/v1/tenants/north/installations/order/runs", Some(&body)).ok();
    server.verify();
}
