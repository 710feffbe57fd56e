//! `backroom serve` from outside: first start, keys, the lock, stop, memory.

use crate::support::{Server, on};

#[test]
fn the_first_start_gives_a_key_and_later_ones_do_not() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Server::start(&data);
    let key = server.key.clone().expect("the first start shows a key");
    let made = server.client(&["tenant", "create", "client", "--name", "A client", "--json"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    assert_eq!(server.stop(), Some(0));

    let mut server = Server::start(&data);
    assert_eq!(server.key, None);
    let denied = server.client(&["tenant", "list"]);
    assert_eq!(denied.code, Some(1), "{denied:?}");
    assert!(denied.stderr.contains("BACKROOM_KEY"), "{denied:?}");
    server.key = Some(key);
    let listed = server.client(&["tenant", "list", "--json"]);
    assert_eq!(listed.json()["items"][0]["id"], "client", "{listed:?}");
    let reader = server.client(&["key", "create", "auditor", "--role", "reader", "--tenant", "client"]);
    assert_eq!(reader.code, Some(0), "{reader:?}");
    server.key = Some(reader.stdout.trim().to_owned());
    let read = server.client(&["ledger", "trial-balance", "--tenant", "client", "--json"]);
    assert_eq!(read.code, Some(0), "{read:?}");
    let denied = server.client(&["tenant", "create", "other", "--name", "Other"]);
    assert_eq!(denied.code, Some(1), "{denied:?}");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_data_directory_has_one_holder_and_the_message_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Server::start(&data);
    let ended = on(&data, &["tenant", "list"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains(&server.pid().to_string()), "{ended:?} does not name {}", server.pid());
    assert_eq!(on(&data, &["tenant", "list", "--json"]).json()["class"], "unavailable");
    assert_eq!(server.stop(), Some(0));
    assert_eq!(on(&data, &["tenant", "list"]).code, Some(0));
}

#[test]
fn a_start_that_cannot_listen_makes_no_data_directory_and_no_key() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = on(&data, &["serve", "--listen", &address]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains(&address) && ended.stderr.contains("--listen"), "{ended:?}");
    assert!(!data.exists(), "the key of this data directory was never shown");
    let server = Server::start(&data);
    assert!(server.key.is_some());
    assert_eq!(server.stop(), Some(0));
}

/// An idle server is small: at most 100 MiB resident.
#[test]
#[cfg(target_os = "linux")]
fn an_idle_server_is_small() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"));
    assert_eq!(server.client(&["tenant", "list"]).code, Some(0));
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kib: u64 = resident.trim().trim_end_matches("kB").trim().parse().unwrap();
    println!("an idle server has {kib} KiB resident");
    assert!(kib <= 100 * 1024, "{kib} KiB");
}
