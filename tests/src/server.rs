//! The server as a child process.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::root;

/// The binary under test, built in the profile of this test if it is not there yet.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let test = std::env::current_exe().expect("own path");
        let profile = test.ancestors().nth(2).expect("target/<profile>/deps/<test>");
        let mut build = Command::new(env!("CARGO"));
        // As all tests of the workspace together: with fewer of them, dependencies would have other features and be built again. The
        // binary comes with the tests of its own package.
        build.current_dir(root()).args(["test", "--quiet", "--locked", "--workspace", "--no-run"]);
        // What the cargo around this one says of the package under test would have build scripts run again that look at it (ring's
        // does), and with them everything that stands on theirs.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                build.env_remove(&name);
            }
        }
        if profile.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().expect("cargo runs").success(), "the binary does not build");
        profile.join("backroom")
    })
}

/// Runs the binary to its end.
pub fn backroom(args: &[&str]) -> Output {
    Command::new(binary()).args(args).stdin(Stdio::null()).output().expect("the binary runs")
}

/// An answer of the service.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body; null if there is none.
    pub body: Value,
}

impl Answer {
    /// The body of a success, or a failed test that shows the answer.
    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{} {:#}", self.status, self.body);
        self.body
    }

    /// The problem code.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

/// An answer as it came.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Its content type.
    pub media: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// Where a server keeps everything.
#[derive(Debug, Clone)]
pub enum Place {
    /// A data directory.
    Folder(PathBuf),
    /// A database, and the host's own cache folder.
    Database {
        /// The connection string.
        url: String,
        /// The cache folder.
        cache: PathBuf,
    },
}

impl Place {
    /// The arguments and environment variables that say so. A URL may hold a password, so it is no argument.
    fn name(&self, command: &mut Command) {
        match self {
            Self::Folder(data) => command.arg("--data").arg(data).env_remove("BACKROOM_DATABASE_URL"),
            Self::Database { url, cache } => command.env("BACKROOM_DATABASE_URL", url).arg("--cache").arg(cache),
        };
    }
}

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    /// Its data directory; where it has none, the name of its log and key beside it.
    pub data: PathBuf,
    url: String,
    key: String,
    agent: ureq::Agent,
}

impl Server {
    /// A server on a data directory that gets its first administrator key if it is new.
    pub fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    /// The same with further environment variables.
    pub fn start_with(data: &Path, environment: &[(&str, &str)]) -> Self {
        Self::start_as(data, environment, &[])
    }

    /// The same with further arguments of `serve` as well.
    pub fn start_as(data: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> Self {
        let key = key_of(&Place::Folder(data.to_owned()), &data.with_extension("key"));
        Self::start_at(&Place::Folder(data.to_owned()), data, &key, environment, arguments)
    }

    /// One of several hosts over a database. `name` is a path: its log stands beside it. `key` is the file of the
    /// administrator's key, which is made if it is not there.
    pub fn start_host(place: &Place, name: &Path, key: &Path, arguments: &[&str]) -> Self {
        let key = key_of(place, key);
        Self::start_at(place, name, &key, &[], arguments)
    }

    fn start_at(place: &Place, name: &Path, key: &str, environment: &[(&str, &str)], arguments: &[&str]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address").port();
        let address = format!("127.0.0.1:{port}");
        let log =
            std::fs::OpenOptions::new().create(true).append(true).open(name.with_extension("log")).expect("a log");
        let mut command = Command::new(binary());
        command.args(["serve", "--listen", &address]).args(arguments);
        place.name(&mut command);
        let child = command
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("the server starts");
        let url = format!("http://{address}");
        let agent = agent(Duration::from_secs(120));
        let mut server = Self { child, data: name.to_owned(), url, key: key.to_owned(), agent };
        server.wait_ready();
        server
    }

    /// How long a call may wait for its answer from now on.
    pub fn patience(&mut self, patience: Duration) {
        self.agent = agent(patience);
    }

    /// Sends it a signal, such as `STOP`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().expect("kill runs").success());
    }

    /// Waits until it answers that it is ready.
    pub fn wait_ready(&mut self) {
        let began = Instant::now();
        while !matches!(self.try_call("GET", "/readyz", None), Some(Answer { status: 200, .. })) {
            if let Some(status) = self.child.try_wait().expect("a child") {
                let log = std::fs::read_to_string(self.data.with_extension("log")).unwrap_or_default();
                panic!("the server ended with {status}:\n{log}");
            }
            assert!(began.elapsed() < Duration::from_secs(60), "not ready after a minute");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it without any warning, as a power cut of the process.
    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    /// Asks it to stop (SIGTERM) and waits until it did.
    pub fn stop(mut self) {
        self.signal("TERM");
        assert!(self.child.wait().expect("gone").success(), "the server did not stop cleanly");
    }

    /// One request; `None` if the connection failed.
    pub fn try_call(&self, method: &str, path: &str, body: Option<&Value>) -> Option<Answer> {
        let url = format!("{}{path}", self.url);
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(url)
            .header("authorization", format!("Bearer {}", self.key))
            .header("content-type", "application/json");
        let text = body.map(Value::to_string).unwrap_or_default();
        let mut response = self.agent.run(request.body(text).expect("a request")).ok()?;
        let text = response.body_mut().with_config().limit(64 << 20).read_to_string().ok()?;
        Some(Answer { status: response.status().as_u16(), body: serde_json::from_str(&text).unwrap_or(Value::Null) })
    }

    /// One request.
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.try_call(method, path, body).unwrap_or_else(|| panic!("no answer to {method} {path}"))
    }

    /// Uploads a component.
    pub fn upload(&self, component: &[u8]) -> Answer {
        let request = ureq::http::Request::builder()
            .method("POST")
            .uri(format!("{}/v1/plugins", self.url))
            .header("authorization", format!("Bearer {}", self.key))
            .header("content-type", "application/wasm")
            .body(component);
        let mut response = self.agent.run(request.expect("a request")).expect("an answer");
        let text = response.body_mut().read_to_string().expect("a body");
        Answer { status: response.status().as_u16(), body: serde_json::from_str(&text).unwrap_or(Value::Null) }
    }

    /// The body of a successful GET.
    pub fn get(&self, path: &str) -> Value {
        self.call("GET", path, None).ok()
    }

    /// All items of a list, page by page.
    pub fn all(&self, path: &str) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let joint = if path.contains('?') { '&' } else { '?' };
            let mut page = self.get(&format!("{path}{joint}limit=500{cursor}"));
            items.append(page["items"].as_array_mut().expect("items"));
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }

    /// A command of the binary against this server, which must succeed; its JSON.
    pub fn cli(&self, args: &[&str]) -> Value {
        let output = self.cli_with(args, b"");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{args:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{args:?}: {e}: {text}"))
    }

    /// A command of the binary against this server, with this on its standard input, however it ends.
    pub fn cli_with(&self, args: &[&str], input: &[u8]) -> Output {
        let mut child = Command::new(binary())
            .args(args)
            .args(["--json", "--server", &self.url])
            .env("BACKROOM_KEY", &self.key)
            .env_remove("BACKROOM_DATABASE_URL")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        // Whoever does not read it does not mind.
        drop(child.stdin.take().expect("a pipe").write_all(input));
        child.wait_with_output().expect("it ends")
    }

    /// Sends bytes as they are, and gives what comes back as it is.
    pub fn raw(&self, method: &str, path: &str, body: Vec<u8>) -> (u16, Vec<u8>) {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {}", self.key));
        let mut response = self.agent.run(request.body(body).expect("a request")).expect("an answer");
        let bytes = response.body_mut().with_config().limit(64 << 20).read_to_vec().expect("a body");
        (response.status().as_u16(), bytes)
    }

    /// One request of any form, with or without the key; the answer as it came.
    pub fn exchange(&self, method: &str, path: &str, media: &str, body: Vec<u8>, with_key: bool) -> Reply {
        // Whoever is refused before the body was read finds the connection closed next time.
        let request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        let mut request = request.header("connection", "close");
        if with_key {
            request = request.header("authorization", format!("Bearer {}", self.key));
        }
        if !media.is_empty() {
            request = request.header("content-type", media);
        }
        let mut response = self.agent.run(request.body(body).expect("a request")).expect("an answer");
        let media = response.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media = media.to_owned();
        let body = response.body_mut().with_config().limit(256 << 20).read_to_vec().expect("a body");
        Reply { status: response.status().as_u16(), media, body }
    }

    /// Sends a request and reads no answer: who drops the connection has gone away.
    pub fn send(&self, method: &str, path: &str, body: &Value) -> TcpStream {
        let address = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).expect("a connection");
        let (body, key) = (body.to_string(), &self.key);
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).expect("sent");
        stream
    }

    /// The status of an answer to a request whose body is announced and not sent: what is too large is refused before it comes.
    pub fn announced(&self, method: &str, path: &str, length: usize) -> String {
        let address = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).expect("a connection");
        let key = &self.key;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).expect("sent");
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).expect("an answer");
        line.split(' ').nth(1).unwrap_or_default().to_owned()
    }

    /// Proves the commit log, and that the state is what the log says.
    pub fn verify(&self) {
        let report = self.call("POST", "/v1/log/verify", None).ok();
        assert_eq!(report["sound"], Value::Bool(true), "{report:#}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone is fine.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// The administrator's key in a file; it is made if the file is not there.
fn key_of(place: &Place, file: &Path) -> String {
    if !file.exists() {
        let mut command = Command::new(binary());
        command.args(["key", "create", "test", "--role", "admin", "--json"]).stdin(Stdio::null());
        place.name(&mut command);
        let made = command.output().expect("the binary runs");
        let text = String::from_utf8_lossy(&made.stdout).into_owned();
        assert!(made.status.success(), "{text}{}", String::from_utf8_lossy(&made.stderr));
        let body: Value = serde_json::from_str(&text).expect("JSON");
        std::fs::write(file, body["secret"].as_str().expect("the secret")).expect("written");
    }
    std::fs::read_to_string(file).expect("the key")
}

fn agent(patience: Duration) -> ureq::Agent {
    let agent = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(patience));
    agent.build().into()
}
