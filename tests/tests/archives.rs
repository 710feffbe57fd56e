//! Backups, restores and tenants on the move: the real binary, the main job's data, a folder and an S3 server.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a panic is a failed test, and shows what was seen"
)]

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use backroom_tests::{Server, backroom, binary, moto};
use serde_json::Value;

/// The main job's data directory, with its tenant and run.
fn demo(data: &Path) -> (String, String) {
    let summary = run(&["demo", "--json", "--dir", text(data)], &[]);
    let text = |name: &str| summary[name].as_str().unwrap_or_else(|| panic!("{name}: {summary:#}")).to_owned();
    let tenant = text("tenant");
    let runs = run(&["runs", "list", "--tenant", &tenant, "--data", self::text(data), "--json"], &[]);
    let id = runs["items"][0]["id"].as_str().expect("a run").to_owned();
    (tenant, id)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// A command that must succeed; its JSON.
fn run(args: &[&str], environment: &[(String, String)]) -> Value {
    let output = Command::new(binary())
        .args(args)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{args:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{args:?}: {e}: {text}"))
}

/// Everything that a client would compare: books, stock, people, runs.
fn figures(server: &Server, tenant: &str) -> Vec<(String, Value)> {
    let benefits = "hr/benefits?plan=REMOTE-CPA-HOUSING&first-day=2026-01-01&last-day=2026-12-31";
    let lists = ["ledger/entries", "ledger/accounts", "hr/workers", "hr/employments", benefits, "inventory/items"];
    let more = ["inventory/moves", "inventory/valuations", "inventory/stock-control", "installations", "runs"];
    let mut figures =
        vec![("trial balance".to_owned(), server.get(&format!("/v1/tenants/{tenant}/ledger/trial-balance")))];
    for path in lists.into_iter().chain(more) {
        let items = server.all(&format!("/v1/tenants/{tenant}/{path}"));
        assert!(!items.is_empty(), "{path} has nothing to compare");
        figures.push((path.to_owned(), items.into()));
    }
    for item in server.all(&format!("/v1/tenants/{tenant}/inventory/items")) {
        let path = format!("inventory/items/{}/on-hand", item["id"].as_str().expect("an id"));
        figures.push((path.clone(), server.get(&format!("/v1/tenants/{tenant}/{path}"))));
    }
    figures
}

fn assert_same(then: &[(String, Value)], now: &[(String, Value)]) {
    assert_eq!(then.len(), now.len());
    for ((what, then), (_, now)) in then.iter().zip(now) {
        assert_eq!(then, now, "{what}");
    }
}

fn assert_replays(server: &Server, tenant: &str, run: &str) {
    let report = server.cli(&["replay", run, "--tenant", tenant]);
    assert_eq!(report["identical"], true, "{report:#}");
}

/// The administrator's key of one data directory is one of its copy as well.
fn take_key(from: &Path, to: &Path) {
    std::fs::copy(from.with_extension("key"), to.with_extension("key")).expect("the key");
}

/// Backs up, goes on, backs up, and restores to the end and to the first backup.
fn backed_up_and_restored(place: &str, folder: &Path, environment: &[(String, String)]) {
    let data = folder.join("data");
    let (tenant, id) = demo(&data);
    let own: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let server = Server::start_as(&data, &own, &["--backup-to", place]);
    let then = figures(&server, &tenant);
    let first = server.cli(&["backup", "--to", place]);
    assert!(first["entries"].as_u64() > Some(3) && first["releases"] == 1, "{first:#}");
    server.cli(&["tenant", "create", "later", "--name", "Came later"]);
    let second = server.cli(&["backup", "--to", place]);
    assert_eq!((&second["entries"], &second["releases"]), (&1.into(), &0.into()), "{second:#}");
    assert_eq!(server.cli(&["backup", "--to", place])["entries"], 0);
    server.kill();

    let listed = run(&["backup", "list", "--from", place, "--json"], environment);
    assert_eq!(listed.as_array().expect("a list").len(), 2, "{listed:#}");
    let verified = run(&["backup", "verify", "--from", place, "--json"], environment);
    assert_eq!((&verified["sound"], &verified["revision"]), (&true.into(), &second["revision"]), "{verified:#}");

    let revision = first["revision"].to_string();
    let made_at = listed[0]["made-at"].as_str().expect("a time");
    for (name, at, later) in
        [("last", None, 200), ("first", Some(revision.as_str()), 404), ("time", Some(made_at), 404)]
    {
        let new = folder.join(name);
        let mut args = vec!["restore", "--from", place, "--data", text(&new), "--json"];
        args.extend(at.into_iter().flat_map(|at| ["--at", at]));
        let keys = data.join("keys");
        args.extend(["--keys", text(&keys)]);
        let restored = run(&args, environment);
        // The one that came later has done nothing yet, so it has no chain.
        assert_eq!(restored["tenants"], 1, "{name}: {restored:#}");
        assert_eq!(run(&["log", "verify", "--data", text(&new), "--json"], &[])["sound"], true, "{name}");
        take_key(&data, &new);
        let server = Server::start(&new);
        assert_eq!(server.call("GET", "/v1/tenants/later", None).status, later, "{name}");
        assert_same(&then, &figures(&server, &tenant));
        assert_replays(&server, &tenant, &id);
        // A folder that holds a store is no place to restore to.
        server.kill();
        let again = Command::new(binary()).args(&args).envs(own.iter().copied()).output().expect("it runs");
        assert_eq!(again.status.code(), Some(2), "{}", String::from_utf8_lossy(&again.stdout));
    }
}

#[test]
fn a_service_is_restored_from_a_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("backups");
    backed_up_and_restored(text(&place), folder.path(), &[]);
    // Without a server, and with damage.
    let data = folder.path().join("last");
    let made = run(&["backup", "--to", text(&place), "--data", text(&data), "--json"], &[]);
    assert_eq!(made["entries"], 0, "{made:#}");
    let chunk = std::fs::read_dir(place.join("chunks")).expect("chunks").next().expect("one").expect("it").path();
    let mut bytes = std::fs::read(&chunk).expect("read");
    bytes[30] ^= 1;
    std::fs::write(&chunk, bytes).expect("written");
    let new = folder.path().join("damaged");
    let verify = backroom(&["backup", "verify", "--from", text(&place)]);
    let restore = backroom(&["restore", "--from", text(&place), "--data", text(&new)]);
    for output in [verify, restore] {
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(chunk.file_name().expect("a name").to_str().expect("UTF-8")), "{said}");
    }
    assert!(!new.join("log").exists());
}

#[test]
fn what_is_restored_without_keys_says_so_and_is_whole_once_they_are_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, place, new) = (folder.path().join("data"), folder.path().join("backups"), folder.path().join("new"));
    let (tenant, _) = demo(&data);
    // Its first start makes the administrator's key, which the backup then has as well.
    Server::start(&data).kill();
    run(&["backup", "--to", text(&place), "--data", text(&data), "--json"], &[]);
    run(&["restore", "--from", text(&place), "--data", text(&new), "--json"], &[]);
    take_key(&data, &new);
    let workers = format!("/v1/tenants/{tenant}/hr/workers");
    let server = Server::start(&new);
    let answer = server.call("GET", &workers, None);
    assert_eq!((answer.status, &answer.body["code"]), (503, &"keys-missing".into()), "{:#}", answer.body);
    let detail = answer.body["detail"].as_str().expect("a detail").to_owned();
    assert!(detail.contains("put the copy of the folder `keys` back"), "{detail}");
    // What is not about people goes on.
    assert_eq!(server.call("GET", &format!("/v1/tenants/{tenant}/ledger/trial-balance"), None).status, 200);
    server.kill();
    let output = backroom(&["hr", "workers", "--tenant", &tenant, "--data", text(&new)]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains(&detail), "{said}");
    std::fs::remove_dir_all(new.join("keys")).expect("removed");
    std::fs::create_dir(new.join("keys")).expect("made");
    for file in std::fs::read_dir(data.join("keys")).expect("keys").map(|entry| entry.expect("it")) {
        std::fs::copy(file.path(), new.join("keys").join(file.file_name())).expect("copied");
    }
    let people = |data: &Path| run(&["hr", "workers", "--tenant", &tenant, "--data", text(data), "--json"], &[]);
    assert_eq!(people(&new), people(&data));
}

#[test]
fn the_state_is_written_anew_by_a_server_and_without_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let (tenant, _) = demo(&data);
    let server = Server::start(&data);
    let then = figures(&server, &tenant);
    assert!(server.cli(&["log", "status"]).get("compacted-at").is_none());
    let done = server.cli(&["store", "compact"]);
    let bytes = |name: &str| done[name].as_u64().unwrap_or_else(|| panic!("{name}: {done:#}"));
    assert!(bytes("before-bytes") > 0 && bytes("after-bytes") > 0 && bytes("logical-bytes") > 0, "{done:#}");
    let status = server.cli(&["log", "status"]);
    assert_eq!(status["compacted-at"], done["compacted-at"], "{status:#}");
    let percent =
        status["state-bytes"].as_u64().expect("bytes") * 100 / status["logical-bytes"].as_u64().expect("bytes");
    assert_eq!(status["state-percent"], percent, "{status:#}");
    assert_same(&then, &figures(&server, &tenant));
    server.kill();
    let again = run(&["store", "compact", "--data", text(&data), "--json"], &[]);
    assert!(again["compacted-at"].as_str() > done["compacted-at"].as_str(), "{again:#}");
    assert_eq!(run(&["log", "verify", "--data", text(&data), "--json"], &[])["sound"], true);
    let server = Server::start(&data);
    assert_eq!(server.cli(&["log", "status"])["compacted-at"], again["compacted-at"]);
    assert_same(&then, &figures(&server, &tenant));
    server.kill();
}

/// moto on a free port, with a bucket.
struct Bucket {
    child: Child,
    environment: Vec<(String, String)>,
}

impl Bucket {
    fn start(python: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address").port();
        let child = Command::new(python)
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("moto starts");
        let endpoint = format!("http://127.0.0.1:{port}");
        let (began, agent) = (Instant::now(), ureq::Agent::new_with_defaults());
        while agent.put(&format!("{endpoint}/our-backups")).send_empty().is_err() {
            assert!(began.elapsed() < Duration::from_secs(60), "moto did not come up");
            std::thread::sleep(Duration::from_millis(50));
        }
        let pairs = [
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_REGION", "us-east-1"),
        ];
        Self { child, environment: pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec() }
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

#[test]
fn a_service_is_restored_from_a_bucket() {
    let Some(python) = moto() else { return };
    let (bucket, folder) = (Bucket::start(&python), tempfile::tempdir().expect("a folder"));
    backed_up_and_restored("s3://our-backups/backroom/daily", folder.path(), &bucket.environment);
    // A bucket that is not there, and a wrong key, are told with their reasons.
    let nowhere = ["backup", "list", "--from", "s3://no-such-bucket/x"];
    let output =
        Command::new(binary()).args(nowhere).envs(bucket.environment.iter().cloned()).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(3) && said.contains("no-such-bucket"), "{said}");
}

#[test]
fn a_client_company_moves_to_another_provider() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, new) = (folder.path().join("data"), folder.path().join("new"));
    let (tenant, id) = demo(&data);
    let server = Server::start(&data);
    let then = figures(&server, &tenant);
    let file = folder.path().join("client.backroom");
    let exported = server.cli(&["tenant", "export", &tenant, "--to", text(&file)]);
    assert!(exported["entries"].as_u64() > Some(2) && exported["releases"] == 1, "{exported:#}");

    let there = Server::start(&new);
    there.cli(&["tenant", "create", "somebody", "--name", "Somebody else"]);
    let arrived = there.cli(&["tenant", "import", text(&file)]);
    assert_eq!((&arrived["source-head"], &arrived["entries"]), (&exported["head"], &exported["entries"]));
    assert_same(&then, &figures(&there, &tenant));
    assert_replays(&there, &tenant, &id);
    there.verify();
    // The same again is nothing new; under another name it is another tenant, with the same figures.
    assert_eq!(there.cli(&["tenant", "import", text(&file)])["tenant"], arrived["tenant"]);
    there.cli(&["tenant", "import", text(&file), "--as", "second"]);
    assert_same(&then, &figures(&there, "second"));
    assert_replays(&there, "second", &id);
    there.verify();
    there.stop();

    // Without a server: out again, and into a new data directory.
    let (back, third) = (folder.path().join("back.backroom"), folder.path().join("third"));
    run(&["tenant", "export", "second", "--to", text(&back), "--data", text(&new), "--json"], &[]);
    run(&["tenant", "import", text(&back), "--as", &tenant, "--data", text(&third), "--json"], &[]);
    let home = Server::start(&third);
    assert_same(&then, &figures(&home, &tenant));
    assert_replays(&home, &tenant, &id);
    home.verify();
}
