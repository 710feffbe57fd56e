//! The company that the plugins work for, and the service around it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, LazyLock};

use backroom_domain::Instant;
use backroom_domain::rights::Rights;
use backroom_office::limits::Ceilings;
use backroom_office::{Caller, NewInstallation, Office, Work, hr, inventory, ledger};
use backroom_runtime::{Compiler, HttpOptions, Mode, RunReport, RunRequest, Runner, Runtime, RuntimeOptions};
use backroom_store::records::Limits;
use backroom_store::{Meta, Store, TenantNo};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::common::{NOW, id};

/// What is asked of the outside: a port that answers, and one where nobody is.
pub(crate) static PORTS: LazyLock<(u16, u16)> = LazyLock::new(|| (answering(), nobody()));

/// One runtime for all of these tests: its pool is large.
pub(crate) fn runtime() -> Arc<Runtime> {
    static RUNTIME: LazyLock<Arc<Runtime>> = LazyLock::new(|| {
        let named = [PORTS.0, PORTS.1].map(|port| format!("127.0.0.1/32:{port}").parse().unwrap());
        let http = HttpOptions { private_targets: named.into(), ..HttpOptions::default() };
        let mut options = RuntimeOptions { concurrency: 8, http, ..RuntimeOptions::default() };
        if let Some(program) = std::env::var_os("BACKROOM_APART") {
            options.compile.compiler = Compiler::Child { program: std::path::absolute(program).unwrap() };
        }
        Arc::new(Runtime::new(options).unwrap())
    });
    Arc::clone(&RUNTIME)
}

/// An installation file, as `backroom install` takes one.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct InstallationFile {
    grants: Rights,
    #[serde(default)]
    config: BTreeMap<String, String>,
    #[serde(default)]
    limits: Limits,
}

/// A service with one client for which a plugin is installed as `test`.
pub(crate) struct Ground {
    pub(crate) runner: Runner,
    pub(crate) tenant: backroom_store::records::Tenant,
    _dir: tempfile::TempDir,
}

impl Ground {
    /// With the records that `fill` makes, and the grants and configuration of a file.
    pub(crate) fn new(component: &[u8], installation: &Path, fill: impl FnOnce(&mut Work)) -> Self {
        let (store, dir) = (Store::memory(), tempfile::tempdir().unwrap());
        let office = Office::new(store.clone());
        let tenant = office.create_tenant("admin", NOW, id("acme"), "Acme").unwrap().value;
        let number = TenantNo(tenant.number);
        let all =
            || Caller { actor: "admin".into(), layers: vec![Arc::new(Rights::all())], installation: None, run: None };
        let mut work = office.write(number, all(), NOW).unwrap();
        fill(&mut work);
        let meta = Meta { at: NOW.0, actor: "admin".to_owned(), kind: "setup".to_owned(), ..Meta::default() };
        work.seal().unwrap().commit(meta).unwrap().ticket.wait().unwrap();
        office.set_secret(number, all(), NOW, id("bank"), "s3cr3t-token").unwrap();
        if std::env::var_os("BACKROOM_APART").is_some() {
            let ceilings = Ceilings { own_process: Some(true), ..Ceilings::default() };
            office.set_tenant_limits("admin", NOW, number, ceilings).unwrap();
        }
        let runner = Runner::new(store, runtime(), &dir.path().join("releases")).unwrap();
        let release = runner.upload("admin", NOW, component).unwrap();
        let text = std::fs::read_to_string(installation).unwrap();
        let InstallationFile { grants, config, limits } = toml::from_str(&text).unwrap();
        let release = release.digest;
        let new = NewInstallation { name: id("test"), release, grants, config, limits, accept_rights: false };
        office.install("admin", NOW, number, new).unwrap();
        Self { runner, tenant, _dir: dir }
    }

    /// One run, `later` seconds after the beginning.
    pub(crate) fn run(&self, name: &str, mode: Mode, input: &str, later: u64) -> RunReport {
        let request = RunRequest {
            tenant: TenantNo(self.tenant.number),
            actor: "anna".to_owned(),
            rights: Arc::new(Rights::all()),
            installation: id("test"),
            id: Some(id(name)),
            input: input.into(),
            date: None,
            mode,
            now: Instant(NOW.0 + later * 1_000_000),
        };
        let report = self.runner.run_durably(request).unwrap();
        if std::env::var_os("BACKROOM_APART").is_some() {
            assert!(runtime().run_figures().idle_processes > 0, "it had no process of its own");
        }
        report
    }
}

/// Puts the records of a file such as `ground.json` there.
pub(crate) fn fill(work: &mut Work, records: &Value) {
    all(&records["books"], |new| ledger::create_book(work, new).map(drop));
    all(&records["accounts"], |new| ledger::create_account(work, new).map(drop));
    all(&records["workers"], |new| hr::add_worker(work, new).map(drop));
    all(&records["employments"], |new| hr::add_employment(work, new).map(drop));
    all(&records["items"], |new| inventory::create_item(work, new).map(drop));
    all(&records["locations"], |new| inventory::create_location(work, new).map(drop));
    all(&records["lots"], |new| inventory::create_lot(work, new).map(drop));
}

fn all<T: DeserializeOwned>(rows: &Value, mut make: impl FnMut(T) -> backroom_office::Result<()>) {
    for row in rows.as_array().unwrap() {
        make(serde_json::from_value(row.clone()).unwrap_or_else(|why| panic!("{row}: {why}"))).unwrap();
    }
}

/// A server on this machine that tells what it was asked.
fn answering() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Whoever went away needs no answer.
            answer(stream).ok();
        }
    });
    port
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head)? > 0 {}
    let small = head.to_ascii_lowercase();
    let header =
        |name: &str| small.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("none").trim().to_owned();
    let mut body = vec![0; header("content-length:").parse().unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let asked = head.lines().next().unwrap_or_default();
    let told = format!("{asked}, note {}, {} bytes, ä ✓ \u{0}", header("x-note:"), body.len());
    let length = told.len();
    let told = if asked.starts_with("HEAD") { String::new() } else { told };
    write!(stream, "HTTP/1.1 203 Told\r\nx-kind: plain\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{told}")
}

/// A port that nobody listens on: it was free a moment ago, and is not given to anybody else so soon.
fn nobody() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
