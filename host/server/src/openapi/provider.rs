//! What is the provider's: the service itself, tenants, keys, plugins; and at the end whole logs.

use backroom_office::files::{NewQuota, Quota};
use backroom_office::{Arrived, KeyRow, Page};
use backroom_store::backup::Made;
use backroom_store::records::{Release, Tenant, TenantLimits};

use super::text::{Text, delete, get, of_tenant, post, put};
use crate::extract::Paging;
use crate::routes::{backups, figures, health, keys, log, queue, store, tenants, transfers};

/// A component that every example means: its digest stands for whatever was uploaded.
const DIGEST: &str = "3f1cbe2a7d5046f8a9b1c2d3e4f5061728394a5b6c7d8e9f0a1b2c3d4e5f6071";

pub(super) fn begin() -> Vec<Text> {
    vec![
        get("/healthz", "Whether the process lives.").gives::<health::Health>(),
        get("/readyz", "Whether it can serve.").gives::<health::Health>(),
        get("/v1/openapi.json", "This text.").gives::<serde_json::Value>(),
        post("/v1/tenants", "Creates a tenant, a client company.")
            .takes::<tenants::NewTenant>(r#"{"id": "harbor", "name": "Harbor Ledger Services, Inc."}"#)
            .gives::<Tenant>()
            .refuses("exists-with-different text-invalid"),
        get("/v1/tenants", "Tenants, in order of their ids.")
            .asks::<Paging>()
            .gives::<Page<Tenant>>()
            .refuses("limit-invalid cursor-invalid")
            .with(&[("limit", "20")]),
        get(&of_tenant(""), "A tenant.").gives::<Tenant>(),
        put("/v1/tenant-limits", "Bounds every run of a tenant. What is not named is not bounded, but `own-process` stays as it was; where that alone is named, the bounds stay.")
            .takes::<tenants::NewLimits>(r#"{"tenant": "harbor", "limits": {"memory": 67108864, "wall-ms": 20000}}"#)
            .gives::<TenantLimits>()
            .refuses("not-found limit-invalid"),
        get(&of_tenant("/limits"), "The bounds of every run of a tenant; null if there are none.")
            .gives::<Option<TenantLimits>>(),
        post("/v1/keys", "Makes a key. The only answer that ever shows the secret.")
            .takes::<keys::NewKey>(r#"{"name": "nightly", "role": "operator", "tenant": "harbor"}"#)
            .gives::<keys::Shown>()
            .refuses("not-found role-invalid"),
        get("/v1/keys", "Keys, without their secrets.")
            .asks::<Paging>()
            .gives::<Page<KeyRow>>()
            .refuses("limit-invalid cursor-invalid"),
        delete("/v1/keys/{id}", "Withdraws a key: whoever has it is a stranger from here on.")
            .gives::<KeyRow>()
            .refuses("not-found last-admin-key")
            .with(&[("id", "3f9c2b7a10d4e856")]),
        post("/v1/plugins", "Uploads a plugin: it is inspected, compiled and kept as a release.")
            .takes_bytes("application/wasm", "The component, at most 32 MiB.")
            .gives::<Release>()
            .refuses(
                "plugin-malformed plugin-manifest plugin-contract plugin-imports-unknown plugin-observe-not-wanted plugin-too-large \
                 plugin-compile-limit plugin-not-compiled grant-invalid compiler-unavailable",
            ),
        get("/v1/plugins", "Releases of plugins.")
            .asks::<Paging>()
            .gives::<Page<Release>>()
            .refuses("limit-invalid cursor-invalid"),
        get("/v1/plugins/{digest}", "A release.").gives::<Release>().refuses("not-found").with(&[("digest", DIGEST)]),
        put("/v1/file-quotas", "Says how much room there is for files: of a folder, or of all of a tenant's.")
            .takes::<NewQuota>(r#"{"tenant": "harbor", "folder": "inbox", "bytes": 1073741824}"#)
            .gives::<Quota>()
            .refuses("not-found folder-invalid quota-invalid folders-too-many"),
    ]
}

pub(super) fn end() -> Vec<Text> {
    vec![
        get("/v1/log/status", "Figures of the store.").gives::<log::Figures>(),
        post("/v1/log/verify", "Proves that the commit log is whole, and that the state is what it says.")
            .more("Reads the whole log at least twice. `sound` is false if anything is wrong, and `problems` says where it begins.")
            .reads()
            .gives::<log::Report>()
            .refuses("log-damaged"),
        get("/v1/figures", "Figures of this host since its start.").gives::<figures::Figures>(),
        get("/v1/queue", "Runs that wait, and who has which queue.").gives::<queue::Status>(),
        post("/v1/store/compaction", "Writes the state anew, so that it takes less room.")
            .more("Of a store in a database there is nothing to write anew: `nothing-to-do`.")
            .reads()
            .gives::<store::Compacted>()
            .refuses("nothing-to-do"),
        post("/v1/backups", "Backs everything up that is durable now.")
            .more("The place is one of those that `backroom serve --backup-to` names, or below one.")
            .takes::<backups::NewBackup>(r#"{"to": "/var/backups/backroom"}"#)
            .gives::<Made>()
            .refuses(
                "backup-target-denied vault-unavailable log-damaged object-damaged format-newer backup-foreign nothing-to-do \
                 component-unusable",
            ),
        post("/v1/tenant-exports", "A tenant with everything it has, as one file.")
            .reads()
            .takes::<transfers::Leaving>(r#"{"tenant": "harbor"}"#)
            .gives_bytes(&["application/octet-stream"], "The file.")
            .refuses("not-found log-damaged component-unusable"),
        post("/v1/tenant-imports", "Plays in a tenant that was exported elsewhere.")
            .asks::<transfers::Arriving>()
            .takes_bytes("application/octet-stream", "The file of an export.")
            .gives::<Arrived>()
            .refuses("tenant-exists object-damaged format-newer component-unusable nothing-to-do no-room id-invalid")
            .with(&[("as", "harbor-2")]),
    ]
}
