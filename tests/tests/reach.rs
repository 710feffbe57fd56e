//! Files and requests to the outside through a real plugin: what is seen when, what is on record, what leads out.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a panic is a failed test, and shows what was seen"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use backroom_tests::{Place, Server, postgres, root};
use serde_json::{Value, json};

const FILES: &str = "/v1/tenants/north/files";

/// A tenant with the guest `clerk`: it may read `in`, `out`, write `out`, and send where `http` says.
fn company(server: &Server, http: &str) {
    server.call("POST", "/v1/tenants", Some(&json!({ "id": "north", "name": "North" }))).ok();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("installation.toml");
    let grants =
        format!("name = \"clerk\"\n[[grants]]\n[grants.files]\nread = [\"in\", \"out\"]\nwrite = [\"out\"]\n{http}");
    std::fs::write(&file, grants).expect("written");
    let plugin = root().join("tests/guests/clerk");
    let (plugin, file) = (plugin.to_str().expect("UTF-8"), file.to_str().expect("UTF-8"));
    server.cli(&["install", "--tenant", "north", "--plugin", plugin, "--file", file]);
}

fn run(server: &Server, mode: &str, id: Option<&str>, input: &Value) -> backroom_tests::Answer {
    let mut body = json!({ "mode": mode, "input": input });
    if let Some(id) = id {
        body["id"] = json!(id);
    }
    server.call("POST", "/v1/tenants/north/installations/clerk/runs", Some(&body))
}

fn steps(steps: &[Value]) -> Value {
    json!({ "steps": steps })
}

fn write(path: &str, text: &str) -> Value {
    json!({ "write": { "folder": "out", "path": path, "text": text } })
}

fn read(folder: &str, path: &str) -> Value {
    json!({ "read": { "folder": folder, "path": path } })
}

fn paths(server: &Server, folder: &str) -> Vec<String> {
    let rows = server.all(&format!("{FILES}/{folder}"));
    rows.iter().map(|row| row["path"].as_str().expect("a path").to_owned()).collect()
}

fn replay(server: &Server, id: &str) -> Value {
    server.call("POST", &format!("/v1/tenants/north/runs/{id}/replay"), Some(&json!({}))).ok()
}

/// Sees files as runs leave them: nothing of a plan, a refusal or a trap, everything of a commit.
#[expect(clippy::too_many_lines, reason = "one story, in its order")]
fn files_follow_the_commit(server: &Server) {
    company(server, "");
    let (status, _) = server.raw("PUT", &format!("{FILES}/in/2026%2Fbank.csv"), b"a,b\n1,2\n".to_vec());
    assert_eq!(status, 201);
    assert_eq!(server.raw("PUT", &format!("{FILES}/in/2026%2Fbank.csv"), b"a,b\n1,2\n".to_vec()).0, 200);
    let work = steps(&[
        json!({ "list": { "folder": "in", "prefix": "2026/" } }),
        read("in", "2026/bank.csv"),
        write("report.txt", "done"),
        read("out", "report.txt"),
    ]);
    let plan = run(server, "dry-run", None, &work).ok();
    assert_eq!(plan["output"][0], json!({ "paths": ["2026/bank.csv"] }), "{plan:#}");
    assert_eq!(plan["output"][1], json!({ "text": "a,b\n1,2\n" }));
    assert_eq!(plan["output"][3], json!({ "text": "done" }), "it reads what it wrote: {plan:#}");
    let effect = &plan["effects"][0];
    assert_eq!(
        (&effect["kind"], &effect["path"], &effect["size"]),
        (&json!("file-written"), &json!("report.txt"), &json!(4))
    );
    assert!(!plan["effects"].to_string().contains("done"), "a plan shows no content: {plan:#}");
    let mut refused = work.clone();
    refused["refuse"] = json!(true);
    assert_eq!(run(server, "commit", None, &refused).code(), "as-told");
    let trap = steps(&[write("report.txt", "half"), json!("trap")]);
    assert_eq!(run(server, "commit", None, &trap).code(), "run-trapped");
    assert!(paths(server, "out").is_empty());

    let done = run(server, "commit", Some("work-1"), &work).ok();
    assert_eq!((&done["effects"][0]["digest"], &done["output"]), (&effect["digest"], &plan["output"]));
    assert_eq!(server.raw("GET", &format!("{FILES}/out/report.txt"), Vec::new()), (200, b"done".to_vec()));
    run(
        server,
        "commit",
        Some("work-2"),
        &steps(&[write("report.txt", "better"), json!({ "delete": { "folder": "out", "path": "none" } })]),
    )
    .ok();
    for id in ["work-1", "work-2"] {
        let report = replay(server, id);
        assert_eq!(report["identical"], json!(true), "{report:#}");
    }
    // What it was granted, and no more; nothing leads out of a folder.
    let escapes = [
        "..",
        "../in/x",
        "a/../../x",
        "/etc/passwd",
        "a/",
        "a//b",
        "./a",
        "a\\..\\b",
        "C:\\x",
        "a\u{0}b",
        "a\nb",
        "a\u{202e}b",
        "cafe\u{301}",
        "a/b/c/d/e/f/g/h/i",
        &"x".repeat(256),
    ];
    let mut asked = vec![write("ok", "")];
    asked.extend(escapes.iter().map(|path| write(path, "x")));
    asked.push(read("private", "x"));
    asked.push(read("secret", "x"));
    asked.push(json!({ "write": { "folder": "in", "path": "x", "text": "x" } }));
    asked.push(json!({ "delete": { "folder": "in", "path": "2026/bank.csv" } }));
    asked.push(write("report.txt/below", "x"));
    let report = run(server, "dry-run", None, &steps(&asked)).ok();
    let outcomes = report["output"].as_array().expect("outcomes");
    assert_eq!(outcomes.len(), asked.len());
    for (path, outcome) in escapes.iter().zip(&outcomes[1..]) {
        assert_eq!(outcome, &json!({ "error": "path-invalid" }), "{path:?}");
    }
    let codes: Vec<_> =
        outcomes[1 + escapes.len()..].iter().map(|outcome| outcome["error"].as_str().unwrap_or("-")).collect();
    assert_eq!(
        codes,
        ["files-read-denied", "files-read-denied", "files-write-denied", "files-write-denied", "path-occupied"]
    );
    assert_eq!(report["effects"].as_array().map(Vec::len), Some(1), "{report:#}");
    for path in ["..", "%2e%2e%2Fx", "a%2F%2Fb", "%2Fetc%2Fpasswd", "a%5Cb", "a%00b", "a%0Ab"] {
        let (status, body) = server.raw("PUT", &format!("{FILES}/out/{path}"), b"x".to_vec());
        // What has dots of its own is taken apart on the way and is no such route.
        assert!([404, 405, 422].contains(&status), "{path}: {status} {}", String::from_utf8_lossy(&body));
    }
    assert_eq!(paths(server, "out"), ["report.txt"]);
}

/// As large as files may be, in and out, and what is larger.
fn large_files(server: &Server) {
    let largest: Vec<u8> = (0..16_u32 << 20).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    assert_eq!(server.raw("PUT", &format!("{FILES}/in/large"), largest.clone()).0, 201);
    let (status, back) = server.raw("GET", &format!("{FILES}/in/large"), Vec::new());
    assert!(status == 200 && back == largest, "{status}, {} bytes", back.len());
    assert_eq!(server.announced("PUT", &format!("{FILES}/in/larger"), largest.len() + 1), "413");
    let fill = |mib: u64| steps(&[json!({ "fill": { "folder": "out", "path": "filled", "mib": mib } })]);
    let report = run(server, "commit", Some("fill"), &fill(15)).ok();
    assert_eq!(report["output"][0]["file"]["size"], json!(15 << 20), "{report:#}");
    assert_eq!(report["effects"].as_array().map(Vec::len), Some(1), "added to, it is one effect: {report:#}");
    assert_eq!(run(server, "commit", None, &fill(17)).code(), "run-effects");
    server.call("PUT", "/v1/file-quotas", Some(&json!({ "tenant": "north", "folder": "out", "bytes": 1000 }))).ok();
    let report =
        run(server, "dry-run", None, &steps(&[write("more", "x"), write("filled", "x"), write("more", "x")])).ok();
    let codes: Vec<_> =
        report["output"].as_array().expect("outcomes").iter().map(|o| o["error"].as_str().unwrap_or("ok")).collect();
    assert_eq!(codes, ["folder-quota-exceeded", "ok", "ok"], "{report:#}");
    let listed = server.get(FILES);
    assert_eq!(listed[0]["folder"], "in", "{listed:#}");
}

#[test]
fn files_in_a_data_directory_and_after_a_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let server = Server::start(&data);
    files_follow_the_commit(&server);
    large_files(&server);
    // What was answered is there, whatever happens next.
    for n in 0..5 {
        assert_eq!(server.raw("PUT", &format!("{FILES}/in/kill-{n}"), vec![n; 100_000]).0, 201);
    }
    server.kill();
    let server = Server::start(&data);
    for n in 0..5 {
        assert_eq!(server.raw("GET", &format!("{FILES}/in/kill-{n}"), Vec::new()), (200, vec![n; 100_000]));
    }
    let report = replay(&server, "fill");
    assert_eq!(report["identical"], json!(true), "{report:#}");
    // A tenant takes its files along.
    let file = folder.path().join("north.backroom");
    server.cli(&["tenant", "export", "north", "--to", file.to_str().expect("UTF-8")]);
    server.cli(&["tenant", "import", file.to_str().expect("UTF-8"), "--as", "south"]);
    let (status, moved) = server.raw("GET", "/v1/tenants/south/files/in/kill-3", Vec::new());
    assert_eq!((status, moved), (200, vec![3; 100_000]));
    server.verify();
}

#[test]
fn files_in_a_database() {
    let Some(database) = postgres::Server::shared() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let name = database.database();
    let place = Place::Database { url: database.url(&name), cache: folder.path().join("cache") };
    let key = folder.path().join("key");
    let server = Server::start_host(&place, &folder.path().join("one"), &key, &[]);
    files_follow_the_commit(&server);
    large_files(&server);
    let rows = database.sql(&name, "SELECT folder || ' ' || path || ' ' || size FROM backroom.file ORDER BY 1");
    assert!(rows.contains("in large 16777216") && rows.contains("out report.txt 6"), "{rows}");
    server.verify();
}

/// A directory as somebody hostile would make it.
fn drop_folder(at: &Path) -> PathBuf {
    let (drop, outside) = (at.join("drop"), at.join("outside"));
    std::fs::create_dir_all(drop.join("2026")).expect("made");
    std::fs::create_dir(&outside).expect("made");
    std::fs::write(outside.join("secret"), b"secret").expect("written");
    std::fs::write(drop.join("2026/bank.csv"), b"1,2").expect("written");
    symlink("../outside/secret", drop.join("link")).expect("made");
    symlink("../outside", drop.join("dir")).expect("made");
    std::fs::hard_link(outside.join("secret"), drop.join("second")).expect("made");
    drop
}

#[test]
fn directories_are_mirrored_and_lead_nowhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("data"));
    company(&server, "");
    let drop = drop_folder(folder.path());
    let text = drop.to_str().expect("UTF-8");
    let push = server.cli_with(&["files", "push", text, "--tenant", "north", "--folder", "in"], b"");
    let said = format!("{}{}", String::from_utf8_lossy(&push.stdout), String::from_utf8_lossy(&push.stderr));
    assert_eq!(push.status.code(), Some(1), "{said}");
    for refused in ["link", "dir", "second"] {
        assert!(said.contains(refused), "{refused}: {said}");
    }
    assert_eq!(paths(&server, "in"), ["2026/bank.csv"]);
    std::fs::remove_file(drop.join("second")).expect("removed");
    std::fs::remove_file(drop.join("link")).expect("removed");
    std::fs::remove_file(drop.join("dir")).expect("removed");
    let again = server.cli(&["files", "push", text, "--tenant", "north", "--folder", "in"]);
    assert_eq!((&again["same"], &again["brought"]), (&json!(1), &json!([])), "{again:#}");

    let away = steps(&[write("dir/secret", "mine"), write("link", "mine"), write("a/b", "fine")]);
    run(&server, "commit", None, &away).ok();
    symlink("../outside/secret", drop.join("link")).expect("made");
    symlink("../outside", drop.join("dir")).expect("made");
    let pull = server.cli_with(&["files", "pull", text, "--tenant", "north", "--folder", "out"], b"");
    assert_eq!(pull.status.code(), Some(1));
    assert_eq!(std::fs::read(drop.join("a/b")).expect("it is there"), b"fine");
    assert_eq!(std::fs::read(folder.path().join("outside/secret")).expect("it is there"), b"secret");
    assert_eq!(std::fs::read_dir(folder.path().join("outside")).expect("it is there").count(), 1);
    // One by one.
    let to = folder.path().join("got");
    server.cli_with(
        &["files", "get", "a/b", "--tenant", "north", "--folder", "out", "--to", to.to_str().expect("UTF-8")],
        b"",
    );
    assert_eq!(std::fs::read(&to).expect("it is there"), b"fine");
    server.cli(&["files", "put", to.to_str().expect("UTF-8"), "--tenant", "north", "--folder", "in", "--as", "got"]);
    assert_eq!(server.cli(&["files", "delete", "got", "--tenant", "north", "--folder", "in"])["deleted"], json!(true));
    assert_eq!(paths(&server, "in"), ["2026/bank.csv"]);
}

/// A server on this machine that notes what it is sent and says it back.
fn echo() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let (port, seen) = (listener.local_addr().expect("its address").port(), Arc::new(Mutex::new(Vec::new())));
    let kept = Arc::clone(&seen);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
            let mut request = String::new();
            while !request.ends_with("\r\n\r\n") && reader.read_line(&mut request).unwrap_or(0) > 0 {}
            let length =
                request.lines().find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            reader.read_exact(&mut body).expect("a body");
            request.push_str(&String::from_utf8_lossy(&body));
            kept.lock().expect("not poisoned").push(request.clone());
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{request}", request.len());
            // The other side may have gone away.
            drop(stream.write_all(answer.as_bytes()));
        }
    });
    (port, seen)
}

const SECRET: &str = "correct-horse-battery-staple";

#[test]
fn requests_are_granted_recorded_and_replayed_and_secrets_stay_here() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let (port, seen) = echo();
    let sent = || seen.lock().expect("not poisoned").len();
    let named = format!("127.0.0.1/32:{port}");
    let server = Server::start_as(&data, &[], &["--allow-private-targets", &named]);
    company(
        &server,
        &format!(
            "[[grants.http]]\nhost = \"127.0.0.1\"\nport = {port}\nmethods = [\"GET\", \"POST\"]\npath = \"/v1\"\nplain = true\n\
             [[grants.secrets]]\nname = \"bank\"\nhost = \"127.0.0.1\"\n"
        ),
    );
    let set = server.cli_with(&["secrets", "set", "bank", "--tenant", "north"], format!("{SECRET}\n").as_bytes());
    assert!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
    let send = |method: &str, path: &str, secret: &str| {
        json!({ "send": { "method": method, "url": format!("http://127.0.0.1:{port}{path}"),
            "headers": [["authorization", format!("Bearer {{{{secret:{secret}}}}}")]],
            "body": if method == "POST" { "paid" } else { "" }, "timeout": 5000 } })
    };
    let plan =
        run(&server, "dry-run", None, &steps(&[send("GET", "/v1/a", "bank"), send("POST", "/v1/a", "bank")])).ok();
    assert_eq!(plan["output"][0]["response"]["status"], json!(200), "{plan:#}");
    assert_eq!(plan["output"][1], json!({ "error": "dry-run-sends-nothing" }), "{plan:#}");
    assert_eq!(sent(), 1);
    let work = steps(&[
        send("POST", "/v1/pay", "bank"),
        send("POST", "/v2/pay", "bank"),
        send("DELETE", "/v1/pay", "bank"),
        send("POST", "/v1/%2e%2e%2fv2", "bank"),
        send("POST", "/v1/pay", "other"),
        json!({ "send": { "method": "GET", "url": "http://169.254.169.254/v1", "headers": [], "body": "", "timeout": 500 } }),
        write("receipt", "paid"),
    ]);
    let done = run(&server, "commit", Some("pay"), &work).ok();
    let outcomes = done["output"].as_array().expect("outcomes");
    let codes: Vec<_> = outcomes[1..6].iter().map(|outcome| outcome["error"].as_str().unwrap_or("-")).collect();
    assert_eq!(codes, ["http-denied", "http-denied", "url-invalid", "secret-denied", "http-denied"], "{done:#}");
    let last = seen.lock().expect("not poisoned").last().expect("a request").clone();
    assert!(last.starts_with("POST /v1/pay") && last.contains(SECRET) && last.ends_with("paid"), "{last}");
    assert!(outcomes[0]["response"]["body"].as_str().is_some_and(|body| body.contains("{{secret:bank}}")), "{done:#}");
    assert_eq!((sent(), done["calls"].as_array().map(Vec::len)), (2, Some(1)), "{done:#}");
    assert!(!done.to_string().contains(SECRET), "{done:#}");
    // The same id again, and the replay, send nothing.
    let again = run(&server, "commit", Some("pay"), &work).ok();
    assert_eq!((&again["replayed"], &again["calls"]), (&json!(true), &done["calls"]));
    let report = replay(&server, "pay");
    assert_eq!(report["identical"], json!(true), "{report:#}");
    assert_eq!(sent(), 2);
    // Not in a file of the service, and shown by no command.
    let listed = server.cli(&["secrets", "list", "--tenant", "north"]);
    assert_eq!(listed["items"][0]["name"], "bank");
    server.stop();
    let server = Server::start_as(&data, &[], &["--allow-private-targets", &named]);
    assert!(!found_below(&data, SECRET.as_bytes()), "the secret stands in a file");
    assert_eq!(server.cli(&["secrets", "delete", "bank", "--tenant", "north"])["deleted"], json!(true));
    let gone = run(&server, "commit", None, &steps(&[send("POST", "/v1/pay", "bank")])).ok();
    assert_eq!(gone["output"][0], json!({ "error": "secret-unknown" }), "{gone:#}");
    assert_eq!(replay(&server, "pay")["identical"], json!(true));
    server.verify();
    server.stop();
    // A server that was not told of the address does not go there, whatever is granted.
    let server = Server::start(&data);
    let refused = run(
        &server,
        "commit",
        None,
        &steps(&[json!({ "send": { "method": "GET",
        "url": format!("http://127.0.0.1:{port}/v1/x"), "headers": [], "body": "", "timeout": 5000 } })]),
    );
    assert_eq!(refused.ok()["output"][0], json!({ "error": "address-refused" }));
    assert_eq!(sent(), 2);
}

fn found_below(folder: &Path, what: &[u8]) -> bool {
    std::fs::read_dir(folder).expect("a folder").any(|entry| {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => found_below(&path, what),
            false => std::fs::read(&path).expect("a file").windows(what.len()).any(|window| window == what),
        }
    })
}
