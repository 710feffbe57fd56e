//! Plugins that misbehave change nothing, get a clear error, and disturb nobody else.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a panic is a failed test, and shows what was seen"
)]

use std::time::{Duration, Instant};

use backroom_tests::{Answer, Company, Server, order, root};
use serde_json::{Value, json};

/// Limits that are reached within a moment, so that the tests need not wait for the defaults.
const LIMITS: &str = "[limits]\nwall-ms = 1000\nfuel = 200000000\nhost-calls = 1000\nlog = 4096\n";

struct Row {
    guest: &'static str,
    input: Value,
    /// Further lines of the installation file.
    limits: &'static str,
    status: u16,
    code: &'static str,
}

/// One row for each guest under `tests/guests` that misbehaves; `every_guest_has_a_row` compares.
fn rows() -> Vec<Row> {
    let row = |guest, input, code| Row { guest, input, limits: LIMITS, status: 422, code };
    vec![
        row("trap", json!({ "message": "boom" }), "run-trapped"),
        Row {
            guest: "trap",
            input: json!({ "message": "boom", "after_effect": true }),
            ..row("trap", Value::Null, "run-trapped")
        },
        row("spin", Value::Null, "run-out-of-fuel"),
        Row { limits: "[limits]\nwall-ms = 300\n", ..row("spin", Value::Null, "run-deadline") },
        row("spin-in-start", Value::Null, "run-out-of-fuel"),
        row("spin-in-realloc", Value::Null, "run-out-of-fuel"),
        row("eat-memory", Value::Null, "run-out-of-memory"),
        row("deep-stack", Value::Null, "run-trapped"),
        row("call-flood", json!({}), "run-host-calls"),
        row("oversize", Value::Null, "run-output"),
        row("wrong-account", posting("9999"), "ledger-post-denied"),
    ]
}

fn posting(debit: &str) -> Value {
    json!({ "id": "wrong", "debit": debit, "credit": "2100", "amount": "1.00 USD" })
}

fn install(server: &Server, guest: &str, limits: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("installation.toml");
    let manifest =
        std::fs::read_to_string(root().join("tests/guests").join(guest).join("plugin.toml")).expect("a manifest");
    // Everything that it wants is granted: what is refused here is refused by a limit or by what it never wanted.
    let wants = manifest.split_once("\n[[wants]]").map_or("", |(_, wants)| wants);
    let grants = match wants {
        "" => String::new(),
        some => format!("[[grants]]{}", some.replace("[wants", "[grants")),
    };
    std::fs::write(&file, format!("name = \"{guest}\"\n{grants}\n{limits}")).expect("written");
    let plugin = root().join("tests/guests").join(guest);
    let (plugin, file) = (plugin.to_str().expect("UTF-8"), file.to_str().expect("UTF-8"));
    server.cli(&["install", "--tenant", "north", "--plugin", plugin, "--file", file]);
}

fn run(server: &Server, guest: &str, mode: &str, input: &Value) -> Answer {
    let body = json!({ "mode": mode, "input": input });
    server.call("POST", &format!("/v1/tenants/north/installations/{guest}/runs"), Some(&body))
}

/// Everything in the books that a run could have changed.
fn books(server: &Server) -> Value {
    json!([
        server.get("/v1/tenants/north/ledger/trial-balance"),
        server.all("/v1/tenants/north/ledger/entries"),
        server.all("/v1/tenants/north/inventory/moves"),
        server.all("/v1/tenants/north/inventory/valuations"),
    ])
}

#[test]
fn misbehaving_plugins_change_nothing_and_are_told_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("data"));
    Company::create(&server, "north");
    let before = books(&server);
    for row in rows() {
        install(&server, row.guest, row.limits);
        for mode in ["dry-run", "commit"] {
            let answer = run(&server, row.guest, mode, &row.input);
            let seen = format!("{} {mode}: {answer:#?}", row.guest);
            assert_eq!((answer.status, answer.code()), (row.status, row.code), "{seen}");
            assert!(answer.body["detail"].as_str().is_some_and(|d| d.len() > 10), "no message: {seen}");
            assert_eq!(books(&server), before, "{seen}");
        }
    }
    // Each limit shows in the figures of the host: every row ran twice.
    let faults = &server.get("/v1/figures")["runs"]["faults"];
    let kinds = [
        ("trap", "run-trapped"),
        ("fuel", "run-out-of-fuel"),
        ("deadline", "run-deadline"),
        ("memory", "run-out-of-memory"),
        ("host-calls", "run-host-calls"),
        ("output", "run-output"),
    ];
    for (kind, code) in kinds {
        assert_eq!(faults[kind], 2 * rows().iter().filter(|row| row.code == code).count(), "{kind}: {faults}");
    }
    // What was set before the trap is not there: the plugin's own state belongs to the transaction as well.
    let kept = server.all("/v1/tenants/north/runs");
    assert!(kept.iter().all(|r| r["status"] != "committed"), "{kept:?}");
    // And the same server goes on with clean work.
    for n in 0..100 {
        let id = format!("clean:{n}");
        let body = json!({ "id": id, "mode": "commit", "input": order(&id) });
        server.call("POST", "/v1/tenants/north/installations/order/runs", Some(&body)).ok();
    }
    Company::check_books(&server, "north");
    server.verify();
}

#[test]
fn a_denial_that_is_swallowed_still_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("data"));
    Company::create(&server, "north");
    let before = books(&server);
    install(&server, "wrong-account", LIMITS);
    let mut input = posting("9999");
    input["swallow"] = json!(true);
    let report = run(&server, "wrong-account", "commit", &input).ok();
    assert_eq!(report["output"]["code"], "ledger-post-denied", "{report:#}");
    assert_eq!(report["effects"], json!([]), "{report:#}");
    assert_eq!(books(&server), before);
}

#[test]
fn a_log_flood_is_cut_and_the_run_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("data"));
    Company::create(&server, "north");
    install(&server, "log-flood", "[limits]\nlog = 4096\n");
    let report = run(&server, "log-flood", "dry-run", &json!({ "lines": 1000 })).ok();
    let kept: usize =
        report["log"].as_array().expect("a log").iter().map(|l| l["message"].as_str().map_or(0, str::len)).sum();
    assert!(kept <= 4096 && report["log-dropped"].as_u64() > Some(0), "{report:#}");
}

#[test]
fn others_are_served_while_two_guests_spin() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("data"));
    Company::create(&server, "north");
    Company::create(&server, "south");
    // As long as it takes: neither fuel nor time ends them before the others are done.
    install(&server, "spin", "[limits]\nwall-ms = 20000\nfuel = 9007199254740991\n");
    std::thread::scope(|scope| {
        let spinning: Vec<_> = (0..2).map(|_| scope.spawn(|| run(&server, "spin", "dry-run", &Value::Null))).collect();
        let mut health = Vec::new();
        for n in 0..40 {
            let began = Instant::now();
            assert_eq!(server.call("GET", "/healthz", None).status, 200);
            health.push(began.elapsed());
            let id = format!("south:{n}");
            let body = json!({ "id": id, "mode": "commit", "input": order(&id) });
            server.call("POST", "/v1/tenants/south/installations/order/runs", Some(&body)).ok();
        }
        assert!(spinning.iter().all(|s| !s.is_finished()), "the guests did not spin all along");
        health.sort();
        let (median, worst) = (health[health.len() / 2], health[health.len() - 1]);
        eprintln!("health with two spinning guests: median {median:?}, worst {worst:?}");
        assert!(median < Duration::from_millis(50), "median {median:?}");
        for spin in spinning {
            assert_eq!(spin.join().expect("an answer").code(), "run-deadline");
        }
    });
    server.verify();
}

/// The processes in which a server runs guests of tenants that have their own.
fn own_processes(server: &Server) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").expect("processes");
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let parent = format!("PPid:\t{}\n", server.pid());
    let is_one = |pid: &String| {
        let of = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
        of("status").contains(&parent) && of("cmdline").contains("run-apart")
    };
    numbers.filter(is_one).collect()
}

/// Hundredths of a second that a process has computed.
fn computed(pid: &str) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
}

/// As the kernel does when memory runs out. Nothing was done for a guest that had not called yet, and what others did is thrown away.
#[test]
fn a_process_that_is_killed_in_the_middle_of_a_run_takes_nothing_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("data"));
    Company::create(&server, "north");
    Company::create(&server, "south");
    server.cli(&["tenant", "limits", "north", "--own-process", "true"]);
    // Neither fuel, calls nor time end them before they are killed.
    const LONG: &str = "[limits]\nwall-ms = 30000\nfuel = 9007199254740991\nhost-calls = 1000000\nhost-ms = 30000\n";
    install(&server, "spin", LONG);
    install(&server, "call-flood", LONG);
    let before = books(&server);
    for (guest, input, status, code) in
        [("spin", Value::Null, 503, "unavailable"), ("call-flood", json!({}), 500, "internal")]
    {
        std::thread::scope(|scope| {
            let running = scope.spawn(|| run(&server, guest, "commit", &input));
            let began = Instant::now();
            // Half a second of computing is more than it takes to begin.
            let own = loop {
                std::thread::sleep(Duration::from_millis(50));
                if let Some(own) = own_processes(&server).into_iter().find(|own| computed(own) >= 50) {
                    break own;
                }
                assert!(began.elapsed() < Duration::from_secs(20), "no process for {guest}");
            };
            assert!(!running.is_finished(), "{guest} has ended by itself");
            let killed = std::process::Command::new("kill").args(["-KILL", &own]).status().expect("kill");
            assert!(killed.success());
            let answer = running.join().expect("an answer");
            assert_eq!((answer.status, answer.code()), (status, code), "{guest}: {answer:#?}");
        });
        assert_eq!(books(&server), before, "{guest}");
    }
    // The next one gets a process of its own again, and others never noticed.
    install(&server, "trap", LIMITS);
    let next = run(&server, "trap", "commit", &json!({ "message": "boom" }));
    assert_eq!(next.code(), "run-trapped", "{next:#?}");
    for tenant in ["north", "south"] {
        let body = json!({ "id": "clean", "mode": "commit", "input": order("clean") });
        server.call("POST", &format!("/v1/tenants/{tenant}/installations/order/runs"), Some(&body)).ok();
        Company::check_books(&server, tenant);
    }
    server.verify();
}

#[test]
fn every_guest_has_a_row() {
    let used: Vec<&str> = rows().iter().map(|r| r.guest).chain(["order", "log-flood", "clerk", "poster"]).collect();
    for guest in std::fs::read_dir(root().join("tests/guests")).expect("guests") {
        let guest = guest.expect("a guest");
        let name = guest.file_name().into_string().expect("UTF-8");
        if guest.path().join("plugin.toml").exists() {
            assert!(used.contains(&name.as_str()), "no test runs the guest {name}");
        }
    }
}
