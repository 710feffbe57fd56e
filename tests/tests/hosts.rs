//! Hosts over one database: one killed and one frozen under load, and every run is committed exactly once; and what one has
//! acknowledged, a run at another one goes by.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a panic is a failed test, and shows what was seen"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use backroom_tests::{Answer, Company, Place, Server, order, postgres};
use serde_json::{Value, json};

const TENANTS: [&str; 3] = ["north", "south", "west"];
/// Callers at a time for each tenant; each begins with another host, so that hosts meet in the same books.
const CALLERS: usize = 3;
/// How long each act of the play lasts.
const ACT: Duration = Duration::from_secs(4);
/// A caller waits no longer for a host, then asks another one with the same id.
const PATIENCE: Duration = Duration::from_secs(3);

#[test]
fn one_host_killed_and_one_frozen_and_every_run_is_committed_once() {
    let Some(database) = postgres::Server::shared() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let name = database.database();
    let host = |number: usize| start(folder.path(), &database.url(&name), number);
    let mut hosts = [host(0), host(1), host(2)];
    for tenant in TENANTS {
        Company::create(&hosts[0], tenant);
    }
    hosts.iter_mut().for_each(|host| host.patience(PATIENCE));

    let stop = AtomicBool::new(false);
    let turns = AtomicUsize::new(0);
    let runs: Vec<(usize, String)> = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS * TENANTS.len())
            .map(|caller| {
                let (hosts, stop, turns) = (&hosts, &stop, &turns);
                scope.spawn(move || call(hosts, caller, stop, turns))
            })
            .collect();
        std::thread::sleep(ACT);
        hosts[0].signal("KILL");
        std::thread::sleep(ACT / 2);
        hosts[1].signal("STOP");
        std::thread::sleep(ACT);
        hosts[1].signal("CONT");
        std::thread::sleep(ACT);
        stop.store(true, Ordering::Relaxed);
        callers.into_iter().flat_map(|caller| caller.join().expect("a caller")).collect()
    });
    let again = turns.load(Ordering::Relaxed);
    eprintln!("{} runs, {again} of them asked for at another host as well", runs.len());
    assert!(runs.len() > 50, "only {} runs: the test was no load", runs.len());
    assert!(again > 0, "nobody met the killed or the frozen host: the test was no load");

    let [dead, frozen, mut third] = hosts;
    drop(dead);
    third.patience(Duration::from_secs(120));
    until_nothing_waits(&third);
    check(&third, &runs);
    check(&frozen, &runs);
    third.verify();
    frozen.stop();
    third.stop();
    let fresh = host(3);
    check(&fresh, &runs);
    fresh.stop();
}

/// Each host keeps what it has read of a tenant. It is not to refuse a run because of what is not so any more, even if it has not
/// heard of that.
#[test]
fn what_one_host_has_acknowledged_a_run_at_another_goes_by() {
    let Some(database) = postgres::Server::shared() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let name = database.database();
    let [here, there] = [0, 1].map(|number| start(folder.path(), &database.url(&name), number));
    Company::create(&there, "east");
    let runs = "/v1/tenants/east/installations/order/runs";
    let run = |reference: &str, cost: &str| {
        let mut input = order(reference);
        input["order"]["accounts"]["cost"] = json!(cost);
        // Without an id, which would have to be looked for in the database.
        here.call("POST", runs, Some(&json!({ "mode": "commit", "input": input })))
    };
    for round in 0..20 {
        let cost = format!("cost-{round}");
        let refused = run(&format!("before-{round}"), &cost);
        assert_eq!((refused.status, refused.code()), (422, "account-not-found"), "{refused:?}");
        let account = json!({
            "code": cost, "name": "Cost of sales", "type": "expense", "currency": "USD", "posting": true,
            "stock-control": false
        });
        // It does not hear of it for a second: so long it waits before it listens again.
        database.sql(
            &name,
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE datname = current_database() AND query = 'SELECT revision FROM backroom.log_end'",
        );
        there.call("POST", "/v1/tenants/east/ledger/accounts", Some(&account)).ok();
        let report = run(&format!("after-{round}"), &cost).ok();
        assert_eq!(report["status"], "committed", "{report:#}");
    }
    Company::check_books(&here, "east");
    here.verify();
}

/// While the first request under an id may still be lost, nobody is told that the id is taken.
#[test]
fn an_id_is_refused_for_another_request_only_once_the_first_is_kept() {
    let Some(database) = postgres::Server::shared() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let name = database.database();
    let host = start(folder.path(), &database.url(&name), 0);
    Company::create(&host, "east");
    for queued in [true, false] {
        let id = format!("taken:{queued}");
        let ask = |reference: &str| {
            let body = json!({ "id": id, "mode": "commit", "queued": queued, "input": order(reference) });
            host.call("POST", "/v1/tenants/east/installations/order/runs", Some(&body))
        };
        let lock = "BEGIN; LOCK TABLE backroom.log_end IN EXCLUSIVE MODE; SELECT pg_sleep(60)";
        std::thread::scope(|scope| {
            scope.spawn(|| database.try_sql("backroom", &name, lock));
            until(database, &name, SLEEPS, 1);
            let first = scope.spawn(|| ask("first"));
            until(database, &name, WAITS, 1);
            let second = scope.spawn(|| ask("second"));
            std::thread::sleep(Duration::from_millis(500));
            assert!(!second.is_finished(), "{:?}", second.join());
            assert!(!first.is_finished(), "{:?}", first.join());
            wake(database, &name);
            first.join().expect("the first").ok();
            let refused = second.join().expect("the second");
            assert_eq!((refused.status, refused.code()), (409, "exists-with-different"), "{refused:?}");
        });
        until_nothing_waits(&host);
    }
    host.verify();
}

/// An entry that has its place at one host is lost when another host commits first. Nobody is refused because of it, and
/// nothing is left of it.
#[test]
fn nobody_is_refused_because_of_what_is_lost() {
    let Some(database) = postgres::Server::shared() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let name = database.database();
    let [here, there] = [0, 1].map(|number| start(folder.path(), &database.url(&name), number));
    Company::create(&here, "east");
    let path = "/v1/tenants/east/ledger/entries";
    let entry = |id: &str, description: &str| {
        let amount = json!({ "minor": 1, "currency": "USD" });
        let lines = [("1000", "debit"), ("3000", "credit")]
            .map(|(account, side)| json!({ "account": account, "side": side, "amount": amount }));
        json!({ "id": id, "date": "2026-06-01", "description": description, "lines": lines })
    };
    // Both know the end of the chain.
    here.call("POST", path, Some(&entry("before", "Capital"))).ok();
    there.call("POST", path, Some(&entry("then", "Capital"))).ok();
    // Who commits waits, in the order in which they came.
    let lock = "BEGIN; SELECT 1 FROM backroom.chain_head WHERE tenant <> 0 FOR UPDATE; SELECT pg_sleep(60)";
    let other = std::thread::scope(|scope| {
        scope.spawn(|| database.try_sql("backroom", &name, lock));
        until(database, &name, SLEEPS, 1);
        let first = scope.spawn(|| here.call("POST", path, Some(&entry("first", "Capital"))));
        until(database, &name, WAITS, 1);
        let lost = there.send("POST", path, &entry("same", "One"));
        until(database, &name, WAITS, 2);
        let other = scope.spawn(|| there.call("POST", path, Some(&entry("same", "Another"))));
        std::thread::sleep(Duration::from_millis(500));
        assert!(!other.is_finished(), "{:?}", other.join());
        // Nobody does again what nobody waits for.
        drop(lost);
        std::thread::sleep(Duration::from_millis(500));
        wake(database, &name);
        first.join().expect("the first").ok();
        other.join().expect("the other")
    });
    assert_eq!(other.status, 201, "{other:?}");
    // What has nothing to do with the state is answered whatever was lost.
    let wrong = there.call("PUT", "/v1/tenants/east/secrets/short", Some(&json!({ "value": "short" })));
    assert_eq!((wrong.status, wrong.code()), (422, "secret-invalid"), "{wrong:?}");
    for host in [&here, &there] {
        let entries = host.all(path);
        let same: Vec<_> = entries.iter().filter(|entry| entry["id"] == "same").collect();
        assert!(same.len() == 1 && same[0]["description"] == "Another", "{same:?}");
        host.verify();
    }
}

/// Two hosts that write for one tenant meet at the end of its chain all the time. Whoever comes second is not told so: the
/// service does the same again, whatever was asked for.
#[test]
fn what_came_second_is_done_again_by_the_service() {
    const CALLERS: usize = 8;
    const ROUNDS: usize = 12;
    let Some(database) = postgres::Server::shared() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let name = database.database();
    let hosts = [0, 1].map(|number| start(folder.path(), &database.url(&name), number));
    Company::create(&hosts[0], "east");
    let call = |caller: usize| {
        let host = &hosts[caller % 2];
        let write = |method: &str, path: &str, body: Value| {
            let answer = host.call(method, &format!("/v1/tenants/east/{path}"), Some(&body));
            assert!(matches!(answer.status, 201 | 202), "{method} {path}: {answer:?}");
        };
        for round in 0..ROUNDS {
            let id = format!("c{caller}:{round}");
            let amount = json!({ "minor": 1, "currency": "USD" });
            let lines = [("1000", "debit"), ("3000", "credit")]
                .map(|(account, side)| json!({ "account": account, "side": side, "amount": amount }));
            let entry = json!({ "id": id, "date": "2026-06-01", "description": "Capital", "lines": lines });
            write("POST", "ledger/entries", entry);
            let run = json!({ "id": id, "mode": "commit", "queued": round % 2 == 0, "input": order(&id) });
            write("POST", "installations/order/runs", run);
            let file = format!("/v1/tenants/east/files/in/{caller}-{round}");
            let (status, answer) = host.raw("PUT", &file, id.clone().into_bytes());
            assert_eq!(status, 201, "{}", String::from_utf8_lossy(&answer));
            let secret = json!({ "value": format!("secret of {id}") });
            write("PUT", &format!("secrets/s-{caller}-{round}"), secret);
        }
    };
    std::thread::scope(|scope| (0..CALLERS).for_each(|caller| drop(scope.spawn(move || call(caller)))));

    let met = hosts.iter().map(|host| host.get("/v1/figures")["conflicts"].as_u64().expect("a count")).sum::<u64>();
    eprintln!("{met} times one came second");
    assert!(met > 0, "they did not meet: the test was no load");

    until_nothing_waits(&hosts[0]);
    let all: BTreeSet<String> = (0..CALLERS).flat_map(|c| (0..ROUNDS).map(move |r| format!("c{c}:{r}"))).collect();
    for host in &hosts {
        let ids = |list: &str, field: &str| -> Vec<String> {
            let items = host.all(&format!("/v1/tenants/east/{list}"));
            items.iter().filter_map(|item| item[field].as_str().map(str::to_owned)).collect()
        };
        let (mut runs, mut posted) = (ids("runs", "id"), ids("ledger/entries", "id"));
        posted.retain(|id| all.contains(id));
        runs.sort();
        posted.sort();
        assert!(runs.iter().eq(&all), "{runs:?}");
        assert!(posted.iter().eq(&all), "{posted:?}");
        assert_eq!(ids("ledger/entries", "run").len(), all.len(), "one entry for each run");
        assert_eq!(ids("files/in", "path").len(), all.len());
        Company::check_books(host, "east");
        host.verify();
    }
}

/// Backends of the database that sleep, and those that wait for a lock.
const SLEEPS: &str = "wait_event = 'PgSleep'";
const WAITS: &str = "wait_event_type = 'Lock'";

/// Waits until there are so many.
fn until(database: &postgres::Server, name: &str, what: &str, wanted: usize) {
    let sql = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND {what}");
    let began = Instant::now();
    while database.sql(name, &sql) != wanted.to_string() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Ends those that sleep.
fn wake(database: &postgres::Server, name: &str) {
    let of = format!("datname = current_database() AND {SLEEPS}");
    database.sql(name, &format!("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {of}"));
}

fn start(folder: &Path, url: &str, number: usize) -> Server {
    let name = folder.join(format!("host-{number}"));
    let place = Place::Database { url: url.to_owned(), cache: name.join("cache") };
    let named = format!("host-{number}");
    // Shorter than the frozen host is frozen: another one takes over what it has under way.
    Server::start_host(&place, &name, &folder.join("key"), &["--host-name", &named, "--lease-time", "2"])
}

/// One caller: run after run, each asked for until some host says that it is committed. Gives tenants and ids.
fn call(hosts: &[Server; 3], caller: usize, stop: &AtomicBool, turns: &AtomicUsize) -> Vec<(usize, String)> {
    let tenant = caller % TENANTS.len();
    let mut done = Vec::new();
    for n in 0.. {
        let id = format!("c{caller}:{n}");
        let mut at = caller / TENANTS.len() + n;
        // Every second one is left to whichever host comes to it.
        let body = json!({ "id": id, "mode": "commit", "queued": n % 2 == 1, "input": order(&id) });
        let path = format!("/v1/tenants/{}/installations/order/runs", TENANTS[tenant]);
        loop {
            match hosts[at % 3].try_call("POST", &path, Some(&body)) {
                Some(Answer { status: 200..=202, .. }) => break,
                // Dead, frozen or busy: another host is asked for the same.
                None | Some(Answer { status: 409 | 503, .. }) => {
                    turns.fetch_add(1, Ordering::Relaxed);
                    at += 1;
                    std::thread::sleep(Duration::from_millis(20));
                }
                Some(other) => panic!("{other:?}"),
            }
        }
        done.push((tenant, id));
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    done
}

fn until_nothing_waits(server: &Server) {
    loop {
        let queue = server.get("/v1/queue");
        if queue["length"] == 0 {
            return;
        }
        eprintln!("{queue}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Every run that was asked for is there once, with one journal entry and one move, and nothing else is.
fn check(server: &Server, runs: &[(usize, String)]) {
    for (number, tenant) in TENANTS.iter().enumerate() {
        let path = format!("/v1/tenants/{tenant}");
        let asked: BTreeSet<String> = runs.iter().filter(|(of, _)| *of == number).map(|(_, id)| id.clone()).collect();
        let of = |list: &str, field: &str| -> (usize, BTreeSet<String>) {
            let items: Vec<Value> = server.all(&format!("{path}/{list}"));
            let ids: Vec<String> = items.iter().filter_map(|i| i[field].as_str().map(str::to_owned)).collect();
            (ids.len(), ids.into_iter().collect())
        };
        let all: Vec<Value> = server.all(&format!("{path}/runs"));
        assert!(all.iter().all(|run| run["status"] == "committed"), "{tenant}: {all:?}");
        let once = (asked.len(), asked);
        assert_eq!(of("runs", "id"), once, "{tenant}: the runs");
        assert_eq!(of("ledger/entries", "run"), once, "{tenant}: one entry for each run");
        assert_eq!(of("inventory/moves", "run"), once, "{tenant}: one move for each run");
        Company::check_books(server, tenant);
    }
}
