//! The process of a tenant that has its own: what it is left, and that there is none without being asked for.

use std::io::Read as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::compile::{told, words};
use crate::support::{Server, command, example};

/// One that waits for what it is to do, and the service's end of the line.
fn waiting() -> (Child, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let opening = r#"{"layout":"reserved","max_memory":268435456}"#;
    let mut command = Command::new(env!("CARGO_BIN_EXE_backroom"));
    command.args(["run-apart", opening]).env_clear();
    let output = std::os::fd::OwnedFd::from(theirs.try_clone().unwrap());
    let input = std::os::fd::OwnedFd::from(theirs);
    let child = command.stdin(input).stdout(output).stderr(Stdio::piped()).spawn().unwrap();
    (child, ours)
}

#[test]
fn it_is_locked_in_before_it_is_ready_and_ends_with_the_service() {
    let (mut child, mut line) = waiting();
    let mut ready = [0; 6];
    line.read_exact(&mut ready).unwrap();
    // Two bytes: it is ready, and it is locked in.
    assert_eq!(ready, [2, 0, 0, 0, 0, 1]);
    let status = told(&child, "status", "Seccomp:\t2");
    assert_eq!(words(&status, "NoNewPrivs:"), ["1"]);
    let limits = told(&child, "limits", "Max core file size");
    assert_eq!(words(&limits, "Max core file size")[..2], ["0", "0"], "{limits}");
    // Nothing is open but the line, what it says to nobody, and what the kernel tells it of its own pages.
    for entry in std::fs::read_dir(format!("/proc/{}/fd", child.id())).unwrap() {
        let open = std::fs::read_link(entry.unwrap().path()).unwrap().to_string_lossy().into_owned();
        let own = ["socket:", "pipe:", "/memfd:", "anon_inode:"].iter().any(|kind| open.starts_with(kind));
        assert!(own || open.ends_with("/pagemap"), "{open} is open");
    }
    drop(line);
    assert!(child.wait().unwrap().success());
}

#[test]
fn what_makes_no_sense_ends_it() {
    use std::io::Write as _;
    let (mut child, mut line) = waiting();
    line.write_all(&[3, 0, 0, 0, 0xff, 0xff, 0xff]).unwrap();
    assert!(!child.wait().unwrap().success());
}

#[test]
fn the_setting_is_shown_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    assert_eq!(server.client(&["tenant", "create", "t", "--name", "T"]).code, Some(0));
    let limits = |more: &[&str]| {
        let told = server.client(&[&["tenant", "limits", "t", "--json"], more].concat());
        assert_eq!(told.code, Some(0), "{told:?}");
        told.json()["own-process"].clone()
    };
    assert_eq!(limits(&[]), json!(null));
    assert_eq!(limits(&["--own-process", "true"]), json!(true));
    // Nobody loses the wall around them by another limit.
    assert_eq!(limits(&["--memory", "1048576"]), json!(true));
    assert_eq!(limits(&["--own-process", "false"]), json!(false));
    // Nor the limit by the wall.
    let told = server.client(&["tenant", "limits", "t", "--json"]).json();
    assert_eq!(told["limits"]["memory"], 1_048_576, "{told:#}");
    let shown = server.client(&["tenant", "limits", "t", "--own-process", "true"]);
    assert!(shown.stdout.contains("processes of their own"), "{shown:?}");
}

#[test]
fn it_is_not_for_people() {
    let help = command().arg("--help").output().unwrap();
    assert!(!String::from_utf8_lossy(&help.stdout).contains("run-apart"));
}

/// The processes that a server has started to run guests in.
fn processes(server: &Server) -> Vec<u32> {
    let numbers =
        std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    let own = |pid: &u32| {
        let parent = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let called = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        words(&parent, "PPid:") == [server.pid().to_string()] && called.contains("run-apart")
    };
    numbers.filter(own).collect()
}

/// The effects of a run, without what every run has of its own.
fn effects(run: &Value) -> Vec<Value> {
    let mut effects = run["effects"].as_array().unwrap().clone();
    for effect in &mut effects {
        let fields = effect.as_object_mut().unwrap();
        fields.retain(|name, _| name != "run" && name != "recorded-at");
    }
    effects
}

#[test]
fn a_months_workflow_comes_to_the_same_in_a_process_of_the_clients_own() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let (files, plugin) = (example(), Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/remote-allowance"));
    let (files, plugin) = (files.to_str().unwrap(), plugin.to_str().unwrap());
    let grants = format!("{files}/installation.toml");
    let done = |args: &[&str]| {
        let ended = server.client(args);
        assert_eq!(ended.code, Some(0), "{args:?} {ended:?}");
        ended
    };
    let month = |tenant: &str, more: &[&str]| {
        let run = ["run", "--tenant", tenant, "remote-allowance", "--input", r#"{"month": "2026-06"}"#];
        done(&[&run[..], &["--date", "2026-06-30", "--json"], more].concat()).json()
    };
    let told = ["shared", "alone"].map(|tenant| {
        done(&["tenant", "create", tenant, "--name", tenant]);
        done(&["import", "--tenant", tenant, files]);
        done(&["install", "--tenant", tenant, "--plugin", plugin, "--file", &grants]);
        done(&["tenant", "limits", tenant, "--own-process", &(tenant == "alone").to_string()]);
        assert!(processes(&server).is_empty(), "nobody asked for one");
        month(tenant, &["--dry-run"])
    });
    for part in ["status", "output", "fuel", "host-calls", "log"] {
        assert_eq!(told[0][part], told[1][part], "{part}");
    }
    assert!(effects(&told[0]) == effects(&told[1]), "the effects are others");
    assert!(told[0]["effects"].as_array().unwrap().len() > 3, "{:#}", told[0]);
    // It is kept for the next run, and replaced when somebody kills it.
    let [first] = processes(&server)[..] else { panic!("{:?}", processes(&server)) };
    month("alone", &["--dry-run"]);
    assert_eq!(processes(&server), [first]);
    assert!(Command::new("kill").args(["-KILL", &first.to_string()]).status().unwrap().success());
    let run = month("alone", &[]);
    assert_eq!((&run["status"], &run["fuel"]), (&json!("committed"), &told[0]["fuel"]), "{run:#}");
    let [second] = processes(&server)[..] else { panic!("{:?}", processes(&server)) };
    assert_ne!(first, second);
    let replayed = done(&["replay", "--tenant", "alone", run["id"].as_str().unwrap(), "--json"]).json();
    assert_eq!(replayed["identical"], true, "{replayed:#}");
    assert_eq!(server.stop(), Some(0));
}
