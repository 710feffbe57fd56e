//! A service of very many tenants that has nothing to do: how much memory it holds. A process of its own, as this one has
//! measured other things before.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use axum::http::Request;
use backroom_domain::rights::Rights;
use backroom_domain::{Id, Instant};
use backroom_office::{NewInstallation, Office};
use backroom_server::Place;
use backroom_store::records::{Limits, Release};
use backroom_store::{Hash, Options, Store, TenantNo};
use serde::Serialize;

use super::fill::{self, Opened};
use crate::exit::Result;
use crate::figures::count;
use crate::output::Out;
use crate::progress::Progress;
use crate::service::Server;

const TENANTS: u64 = 1_000;
const INSTALLATIONS: u64 = 10;
const NOW: Instant = Instant(1_782_777_600_000_000);
/// Long enough for what was begun by the last request to end.
const PAUSE: Duration = Duration::from_secs(2);

/// What was measured.
#[derive(Debug, Serialize)]
pub(super) struct Idle {
    tenants: u64,
    installations: u64,
    resident_kib: u64,
}

/// Makes the tenants in `dir`, serves them in another process, and asks that for its memory.
pub(super) fn measure(dir: &Path, progress: &Progress) -> Result<Idle> {
    progress.at(&format!("{} tenants with {} installations each", count(TENANTS), count(INSTALLATIONS)));
    make(dir).context("cannot make the tenants to measure")?;
    progress.at("a service of them that has nothing to do");
    let (child, Opened { resident_kib, .. }) = fill::opened(fill::step("serve", dir, 0)?)?;
    fill::finish(child)?;
    Ok(Idle { tenants: TENANTS, installations: TENANTS * INSTALLATIONS, resident_kib })
}

fn make(dir: &Path) -> anyhow::Result<()> {
    let office = Office::new(Store::open(dir, Options::default())?);
    let digest = Hash::of(b"nobody runs it").to_string();
    let release = Release {
        digest: digest.clone(),
        plugin: Id::parse("idle", "plugin")?,
        version: "1.0.0".to_owned(),
        description: "Nobody runs it.".to_owned(),
        wants: Rights::all(),
        imports: Vec::new(),
        functions: Vec::new(),
        size: 1,
        created_at: NOW,
    };
    if let Some(ticket) = office.create_release("bench", NOW, release)?.ticket {
        ticket.wait()?;
    }
    let mut last = None;
    for tenant in 1..=TENANTS {
        let id = Id::parse(&format!("tenant-{tenant}"), "id")?;
        let number = TenantNo(office.create_tenant("bench", NOW, id, "A tenant")?.value.number);
        for installation in 1..=INSTALLATIONS {
            let new = NewInstallation {
                name: Id::parse(&format!("installation-{installation}"), "name")?,
                release: digest.clone(),
                grants: Rights::all(),
                config: [("account".to_owned(), format!("{tenant}"))].into(),
                limits: Limits::default(),
                accept_rights: false,
            };
            last = office.install("bench", NOW, number, new)?.ticket;
        }
    }
    last.map_or(Ok(()), |ticket| ticket.wait())?;
    Ok(office.store().clone().close()?)
}

/// Serves, shows each tenant's installations once, and then does nothing; what is resident then.
pub(super) fn serve(dir: &Path) -> anyhow::Result<u64> {
    let failed = |failure: crate::exit::Failure| anyhow!("{failure:?}");
    let place = Place::Folder(dir.to_owned());
    let server = Server::start(&place, (Ipv4Addr::LOCALHOST, 0).into(), &|_| {}).map_err(failed)?;
    for tenant in 1..=TENANTS {
        let request = Request::get(format!("/v1/tenants/tenant-{tenant}/installations")).body(Vec::new())?;
        let (status, text) = server.call(request).map_err(failed)?;
        if !status.is_success() {
            return Err(anyhow!("the service answers {status}: {text}"));
        }
    }
    std::thread::sleep(PAUSE);
    let resident = fill::resident();
    server.stop().map_err(failed)?;
    Ok(resident)
}

impl Idle {
    pub(super) fn show(&self, out: Out) {
        out.line(format_args!(
            "\nA service of {} tenants with {} installations that has nothing to do: {} MiB resident (wanted: at most 2,048)",
            count(self.tenants),
            count(self.installations),
            self.resident_kib >> 10
        ));
    }
}
