//! A PostgreSQL server: whether it can be reached, and whether it keeps what it acknowledges. Only its settings are read.

use std::time::Duration;

use backroom_store::Database;
use tokio_postgres::{Client, Error};

use super::{Findings, State};

const ABOUT: &str = "database";
/// The oldest version that is supported.
const OLDEST: u32 = 150_000;
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn look(url: &str, findings: &mut Findings) {
    let database = match Database::parse(url) {
        Ok(database) => database,
        Err(why) => return findings.add(ABOUT, "reachable", State::Bad, why.to_string()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let asked = match runtime {
        // Within the runtime, whose clock the patience runs by.
        Ok(runtime) => runtime.block_on(async { tokio::time::timeout(PATIENCE, ask(&database)).await }),
        Err(why) => return findings.add(ABOUT, "reachable", State::Bad, why.to_string()),
    };
    match asked {
        Ok(Ok(settings)) => judge(&settings, database.is_encrypted(), findings),
        // Neither error shows the URL, which may hold a password.
        Ok(Err(why)) => findings.add(ABOUT, "reachable", State::Bad, words(&why)),
        Err(_) => findings.add(ABOUT, "reachable", State::Bad, format!("no answer within {PATIENCE:?}")),
    }
}

struct Settings {
    version: u32,
    /// Each of them must be on: what is acknowledged is on disk.
    durable: Vec<(&'static str, String)>,
    /// Whether a restore into it has begun and not ended.
    restoring: bool,
}

async fn ask(database: &Database) -> Result<Settings, Error> {
    let (client, connection) = database.connect().await?;
    // It ends when the client is dropped; what goes wrong with it is what the client reports.
    let driven = tokio::spawn(connection);
    let version = show(&client, "server_version_num").await?.parse().unwrap_or_default();
    let mut durable = Vec::new();
    for name in ["fsync", "synchronous_commit", "full_page_writes"] {
        durable.push((name, show(&client, name).await?));
    }
    let restoring = client.query_one("SELECT to_regclass('backroom.restoring') IS NOT NULL", &[]).await?.get(0);
    drop(client);
    driven.await.ok();
    Ok(Settings { version, durable, restoring })
}

/// `name` is one of ours, never input.
async fn show(client: &Client, name: &str) -> Result<String, Error> {
    Ok(client.query_one(&format!("SHOW {name}"), &[]).await?.get(0))
}

fn judge(settings: &Settings, encrypted: bool, findings: &mut Findings) {
    let Settings { version, durable, restoring } = settings;
    let shown = format!("PostgreSQL {}", version / 10_000);
    findings.add(ABOUT, "reachable", State::Ok, "it answers");
    if *restoring {
        let detail = "a restore into it is under way, or was not finished: then run the same restore again";
        findings.add(ABOUT, "whole", State::Bad, detail);
    }
    findings.add(
        ABOUT,
        "encrypted",
        State::Ok,
        match encrypted {
            true => "TLS, and the server's certificate is good for its name",
            false => "no: a Unix socket, this machine itself, or sslmode=disable",
        },
    );
    match *version >= OLDEST {
        true => findings.add(ABOUT, "version", State::Ok, shown),
        false => findings.add(ABOUT, "version", State::Bad, format!("{shown}: 15 or newer is needed")),
    }
    for (name, value) in durable {
        let on = matches!(value.as_str(), "on" | "local" | "remote_write" | "remote_apply");
        let (state, detail) = match on {
            true => (State::Ok, value.clone()),
            false => (State::Bad, format!("{value}: what is acknowledged can be lost when the machine stops")),
        };
        findings.add(ABOUT, name, state, detail);
    }
}

fn words(why: &Error) -> String {
    match why.as_db_error() {
        Some(error) => error.message().to_owned(),
        None => {
            let source = std::error::Error::source(why).map(ToString::to_string);
            source.unwrap_or_else(|| why.to_string())
        }
    }
}
