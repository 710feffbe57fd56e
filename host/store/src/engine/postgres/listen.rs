//! Hearing of other hosts: NOTIFY tells at once, asking now and then makes up for what was missed.

use std::future::poll_fn;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio_postgres::{AsyncMessage, Config, Error, NoTls};

use super::core::{Core, revision_of};
use crate::types::TenantNo;

/// Before another connection is tried.
const PAUSE: Duration = Duration::from_secs(1);

/// Listens for as long as there is an engine.
pub(super) async fn listen(core: Weak<Core>, config: Config, poll_every: Duration) {
    while core.strong_count() > 0 {
        if let Err(error) = listen_once(&core, &config, poll_every).await {
            tracing::debug!(%error, "no notices from other hosts for now");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn listen_once(core: &Weak<Core>, config: &Config, poll_every: Duration) -> Result<(), Error> {
    let (client, mut connection) = config.connect(NoTls).await?;
    let heard = core.clone();
    let driver = tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if let (AsyncMessage::Notification(notice), Some(core)) = (message, heard.upgrade()) {
                match notice.channel() {
                    "backroom_queue" if notice.payload() != core.host => core.queued(),
                    "backroom_queue" => {}
                    _ => hear(&core, notice.payload()),
                }
            }
        }
    });
    let listening = async {
        client.batch_execute("LISTEN backroom; LISTEN backroom_queue").await?;
        loop {
            let row = client.query_one("SELECT revision FROM backroom.log_end", &[]).await?;
            match core.upgrade() {
                Some(core) => core.now_durable(revision_of(row.get(0))),
                None => return Ok(()),
            }
            tokio::time::sleep(poll_every).await;
        }
    };
    let outcome = listening.await;
    driver.abort();
    outcome
}

/// `host revision tenant:number,...`
fn hear(core: &Arc<Core>, notice: &str) {
    let mut words = notice.splitn(3, ' ');
    let (Some(host), Some(revision), Some(tenants)) = (words.next(), words.next(), words.next()) else { return };
    if host == core.host {
        return;
    }
    if let Ok(revision) = revision.parse() {
        core.now_durable(revision);
    }
    for (tenant, number) in tenants.split(',').filter_map(|tenant| tenant.split_once(':')) {
        if let (Ok(tenant), Ok(number)) = (tenant.parse(), number.parse()) {
            let lane = core.lanes.of(TenantNo(tenant));
            core.lanes.with(&lane, |lane| lane.foreign(number));
        }
    }
}
