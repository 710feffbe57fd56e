//! `kill -9` at random moments under load: nothing acknowledged is lost, nothing is half applied, log and state agree.
//!
//! ```text
//! BACKROOM_KILLS=1000 cargo test --release -p backroom-tests --test crash -- --nocapture      more than the usual 100
//! BACKROOM_SEED=7 ...                                                                        the same delays again
//! ```
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a panic is a failed test, and shows what was seen"
)]

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use backroom_tests::{Answer, Choices, Company, Server, order};
use serde_json::{Value, json};

/// Kills, unless `BACKROOM_KILLS` says another number.
const KILLS: u64 = 100;
/// Kills of one data directory. All of it is looked at after each kill, so a long life would cost its square.
const LIFE: u64 = 20;
const TENANTS: [&str; 3] = ["north", "south", "west"];
/// Callers at a time for each tenant: more than one, so that replies wait for the same sync.
const CALLERS: u64 = 3;

/// What the client knows of one run: its tenant and id.
type Known = Mutex<BTreeSet<(usize, String)>>;

#[test]
fn kills_under_load_lose_nothing_that_was_acknowledged() {
    let kills = std::env::var("BACKROOM_KILLS").map_or(KILLS, |text| text.parse().expect("BACKROOM_KILLS is a number"));
    let folder = tempfile::tempdir().expect("a folder");
    let first = folder.path().join("first");
    let server = Server::start(&first);
    for tenant in TENANTS {
        Company::create(&server, tenant);
    }
    server.kill();
    let began = Instant::now();
    let (mut choices, mut runs) = (Choices::new(), 0);
    for life in 0..kills.div_ceil(LIFE) {
        let data = folder.path().join(format!("life-{life}"));
        copy(&first, &data);
        std::fs::copy(first.with_extension("key"), data.with_extension("key")).expect("the key");
        runs += live(&data, life * LIFE..kills.min((life + 1) * LIFE), &mut choices);
        std::fs::remove_dir_all(&data).expect("it was there");
    }
    let each = began.elapsed().as_millis() / u128::from(kills.max(1));
    eprintln!("{kills} kills, {each} ms each with restart and checks, {runs} acknowledged runs, all there");
    assert!(runs as u64 > kills, "only {runs} runs were acknowledged: the test was no load");
}

/// A folder with all that is in it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let (from, to) = entry.map(|entry| (entry.path(), to.join(entry.file_name()))).expect("an entry");
        if from.is_dir() {
            copy(&from, &to);
        } else {
            std::fs::copy(&from, &to).expect("copied");
        }
    }
}

/// Kills a server on one data directory again and again, and says how many runs it had acknowledged.
fn live(data: &Path, kills: Range<u64>, choices: &mut Choices) -> usize {
    let (asked, acknowledged) = (Known::default(), Known::default());
    for kill in kills {
        let server = Server::start(data);
        check(&server, &asked, &acknowledged);
        load(&server, kill, Duration::from_millis(10 + choices.below(250)), &asked, &acknowledged);
        server.kill();
        // Every third time the index is lost as well: the log must be enough.
        if choices.below(3) == 0 {
            std::fs::remove_dir_all(data.join("state")).expect("the state was there");
        }
    }
    let server = Server::start(data);
    check(&server, &asked, &acknowledged);
    server.stop();
    acknowledged.into_inner().expect("no poison").len()
}

/// Posts runs from many callers until the server is killed in the middle.
fn load(server: &Server, round: u64, length: Duration, asked: &Known, acknowledged: &Known) {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for caller in 0..CALLERS * TENANTS.len() as u64 {
            let stop = &stop;
            scope.spawn(move || {
                let tenant = (caller % TENANTS.len() as u64) as usize;
                for n in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let id = format!("r{round}:{caller}:{n}");
                    asked.lock().expect("no poison").insert((tenant, id.clone()));
                    match post(server, tenant, &id) {
                        Some(Answer { status: 200 | 201, .. }) => {
                            acknowledged.lock().expect("no poison").insert((tenant, id));
                        }
                        // The server is gone: whatever it did not answer is open.
                        None => return,
                        Some(other) => panic!("{other:?}"),
                    }
                }
            });
        }
        std::thread::sleep(length);
        // The kill comes while requests are under way; only afterwards are the callers told.
        let killed = std::process::Command::new("kill").args(["-9", &server.pid().to_string()]).status();
        assert!(killed.expect("kill runs").success());
        stop.store(true, Ordering::Relaxed);
    });
}

fn post(server: &Server, tenant: usize, id: &str) -> Option<Answer> {
    let body = json!({ "id": id, "mode": "commit", "input": order(id) });
    server.try_call("POST", &format!("/v1/tenants/{}/installations/order/runs", TENANTS[tenant]), Some(&body))
}

/// Everything that must hold after a restart.
fn check(server: &Server, asked: &Known, acknowledged: &Known) {
    server.verify();
    let (asked, acknowledged) = (asked.lock().expect("no poison"), acknowledged.lock().expect("no poison"));
    for (number, tenant) in TENANTS.iter().enumerate() {
        let path = format!("/v1/tenants/{tenant}");
        let ids = |items: Vec<Value>, field: &str| -> BTreeSet<String> {
            items.iter().filter_map(|i| i[field].as_str().map(str::to_owned)).collect()
        };
        let committed: Vec<Value> = server.all(&format!("{path}/runs"));
        assert!(committed.iter().all(|r| r["status"] == "committed"), "{committed:?}");
        let runs = ids(committed, "id");
        let of_tenant = |known: &BTreeSet<(usize, String)>| -> BTreeSet<String> {
            known.iter().filter(|(t, _)| *t == number).map(|(_, id)| id.clone()).collect()
        };
        let lost: Vec<String> = of_tenant(&acknowledged).difference(&runs).cloned().collect();
        assert!(lost.is_empty(), "acknowledged, but gone: {lost:?}");
        let invented: Vec<String> = runs.difference(&of_tenant(&asked)).cloned().collect();
        assert!(invented.is_empty(), "never asked for: {invented:?}");
        // Each run posted exactly one entry and one move, and carries them: a half applied run would show here.
        let entries = ids(server.all(&format!("{path}/ledger/entries")), "run");
        let moves = ids(server.all(&format!("{path}/inventory/moves")), "run");
        assert_eq!((&entries, &moves), (&runs, &runs), "{tenant}: entries, moves and runs differ");
        Company::check_books(server, tenant);
    }
}
