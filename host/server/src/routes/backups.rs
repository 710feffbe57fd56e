//! Backups of the whole store.

use axum::extract::State;
use axum::http::StatusCode;
use backroom_domain::Class;
use backroom_store::TenantNo;
use backroom_store::backup::{BackupError, Made, Making};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::admission::Task;
use crate::auth::Admin;
use crate::clock;
use crate::extract::Json;
use crate::keeper::Open;
use crate::problem::Problem;
use crate::service::Api;
use crate::session::{Answer, json};
use crate::vault::{is_below, open_vault};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewBackup {
    /// A folder, or `s3://bucket/prefix`.
    to: String,
}

/// Answers when everything that is durable now is backed up: minutes for the first backup of a large store.
pub(crate) async fn make(Admin(session): Admin, State(api): State<Api>, Json(new): Json<NewBackup>) -> Answer {
    check_target(&new.to, &api)?;
    let make = move |open: &Open| Ok(make_now(open, &new.to));
    let made = session.work(TenantNo::PROVIDER, Task::Archive, make).await?.inspect_err(|_| session.check_store())?;
    let status = if made.entries == 0 { StatusCode::OK } else { StatusCode::CREATED };
    Ok(json(status, serde_json::to_vec(&made).map_err(|error| Problem::internal(&error))?))
}

fn check_target(target: &str, api: &Api) -> Result<(), Problem> {
    if api.local || is_below(target, &api.shared.limits.backup_to) {
        return Ok(());
    }
    let detail = "this place is not one that the service may write backups to; `backroom serve --backup-to` names them, from \
                  the root on or as s3://bucket/prefix";
    Err(Problem::new(StatusCode::FORBIDDEN, Class::Denied, "backup-target-denied", detail))
}

fn make_now(open: &Open, to: &str) -> Result<Made, Problem> {
    let vault = open_vault(to, true);
    let vault = vault.map_err(|error| Problem::unavailable("vault-unavailable", error.to_string(), 30))?;
    let made = open.office.store().backup(Making {
        vault: &*vault,
        now: clock::now(),
        components: &mut |digest| open.workflows.component(digest).map_err(|error| error.to_string()),
        progress: &mut |done, of| tracing::info!(done, of, to, "backing up"),
    });
    let made = made.inspect_err(|error: &BackupError| tracing::error!(%error, to, "the backup failed"))?;
    tracing::info!(to, revision = made.revision, entries = made.entries, kept_bytes = made.kept_bytes, "backed up");
    Ok(made)
}
