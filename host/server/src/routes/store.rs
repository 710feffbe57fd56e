//! The store's files: made smaller on request.

use backroom_domain::{Error, Instant};
use backroom_office::Failure;
use backroom_store::{Status, Store, TenantNo};
use schemars::JsonSchema;
use serde::Serialize;

use crate::admission::Task;
use crate::auth::Admin;
use crate::keeper::Open;
use crate::session::Answer;

/// What writing the state anew brought.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Compacted {
    /// Bytes of the state on the disk.
    before_bytes: u64,
    after_bytes: u64,
    /// Bytes of the records in it.
    logical_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    compacted_at: Option<Instant>,
}

/// Answers when the state is written anew: minutes for a large one. Everybody else goes on meanwhile.
pub(crate) async fn compact(Admin(session): Admin) -> Answer {
    session.take(TenantNo::PROVIDER, Task::Archive, |open: &Open| compact_now(open.office.store())).await
}

fn compact_now(store: &Store) -> Result<Compacted, Failure> {
    if store.blobs().is_some() {
        let why = "the state is in the database, which keeps its own files in order: there is nothing to write anew";
        return Err(Error::refused("nothing-to-do", why).into());
    }
    let before_bytes = store.status().state_bytes;
    store.compact()?;
    let Status { state_bytes: after_bytes, logical_bytes, compacted_at, .. } = store.status();
    Ok(Compacted { before_bytes, after_bytes, logical_bytes, compacted_at })
}
