//! The binary from outside.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The binary with nothing of this process's settings.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backroom"));
    for name in ["BACKROOM_SERVER", "BACKROOM_KEY", "BACKROOM_LOG", "BACKROOM_DATABASE_URL"] {
        command.env_remove(name);
    }
    command
}

/// How it ended and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// Its JSON, which must be all that stands on stdout.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON: {error}\n{self:?}"))
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// Runs it to its end.
pub(crate) fn run(args: &[&str]) -> Ended {
    command().args(args).output().expect("the binary starts").into()
}

/// Runs it on a data directory.
pub(crate) fn on(data: &Path, args: &[&str]) -> Ended {
    let mut all = vec!["--data", data.to_str().expect("a plain path")];
    all.extend(args);
    run(&all)
}

/// The client's files of the example.
pub(crate) fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/remote-allowance")
}

/// A server on a free port; stopped when it is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    pub(crate) key: Option<String>,
}

impl Server {
    /// Starts it and waits until it listens.
    pub(crate) fn start(data: &Path) -> Self {
        let data = data.to_str().expect("a plain path");
        let mut child = command()
            .args(["serve", "--json", "--data", data, "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let mut text = String::new();
        for line in BufReader::new(child.stdout.take().expect("stdout is a pipe")).lines() {
            text.push_str(&line.expect("a line of text"));
            if let Ok(said) = serde_json::from_str::<Value>(&text) {
                let url = said["listening"].as_str().expect("it says where it listens").to_owned();
                return Self { child, url, key: said["key"].as_str().map(str::to_owned) };
            }
        }
        let ended = child.wait();
        panic!("the server did not begin to listen: {text} {ended:?}");
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A command that talks to it.
    pub(crate) fn client(&self, args: &[&str]) -> Ended {
        let mut client = command();
        client.args(["--server", &self.url]).args(args);
        if let Some(key) = &self.key {
            client.env("BACKROOM_KEY", key);
        }
        client.output().expect("the binary starts").into()
    }

    /// Tells it to stop, and gives its exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        let pid = self.pid().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status().expect("kill is there");
        assert!(told.success());
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(30) {
            if let Some(status) = self.child.try_wait().expect("the child can be waited for") {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the server did not stop within 30 s of SIGTERM");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Gone already if it was stopped.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
