//! Backups and tenants that leave or arrive, over HTTP: where they may go, what comes of them, what is refused.

use std::io::Cursor;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use backroom_server::ServiceLimits;
use backroom_store::backup::{Folder, check_file, verify};
use serde_json::json;
use tower::ServiceExt as _;

use crate::world::{DiskMode, Reply, World, request, send};

const ACCOUNTS: &str = "code,name,type,parent,currency,posting,stock-control\n6100,Rent,expense,,USD,yes,no\n";

fn world_with(limits: ServiceLimits) -> World {
    World::with_limits(limits)
}

/// A tenant with accounts, an installation and runs.
async fn company(world: &World, id: &str) {
    world.tenant(id).await;
    world.import(id, &[("accounts.csv", ACCOUNTS)]).await;
    let mut upload = request(Method::POST, "/v1/plugins", Some(&world.admin), Body::from("a component"));
    upload.headers_mut().insert(header::CONTENT_TYPE, "application/wasm".parse().unwrap());
    let digest = send(world.router(), upload).await.body["digest"].as_str().unwrap().to_owned();
    let installed =
        world.put(&world.admin, &format!("/v1/tenants/{id}/installations/any"), &json!({"release": digest})).await;
    assert_eq!(installed.status, StatusCode::CREATED, "{installed:?}");
    assert_eq!(world.run(id, "commit", &json!({})).await.status, StatusCode::CREATED);
}

async fn export(world: &World, key: &str, tenant: &str) -> Result<Vec<u8>, StatusCode> {
    let mut asked =
        request(Method::POST, "/v1/tenant-exports", Some(key), Body::from(json!({"tenant": tenant}).to_string()));
    asked.headers_mut().insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
    let reply = world.router().oneshot(asked).await.unwrap();
    if reply.status() != StatusCode::OK {
        return Err(reply.status());
    }
    let announced = reply.headers()[header::CONTENT_LENGTH].to_str().unwrap().parse::<usize>().unwrap();
    let file = axum::body::to_bytes(reply.into_body(), 64 << 20).await.unwrap().to_vec();
    assert_eq!(file.len(), announced);
    Ok(file)
}

async fn import(world: &World, file: &[u8], query: &str) -> Reply {
    let path = format!("/v1/tenant-imports{query}");
    send(world.router(), request(Method::POST, &path, Some(&world.admin), Body::from(file.to_vec()))).await
}

#[tokio::test]
async fn a_backup_goes_only_where_the_operator_said() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let allowed = dir.path().join("backups").to_str().unwrap().to_owned();
    let world = world_with(ServiceLimits { backup_to: vec![allowed.clone()], ..ServiceLimits::default() });
    company(&world, "acme").await;
    let elsewhere = other.path().to_str().unwrap().to_owned();
    for to in [elsewhere.clone(), format!("{allowed}/../x"), "backups".to_owned(), "s3://bucket/x".to_owned()] {
        let reply = world.post(&world.admin, "/v1/backups", &json!({ "to": to })).await;
        assert_eq!((reply.status, reply.code()), (StatusCode::FORBIDDEN, "backup-target-denied"), "{to}");
    }
    assert!(!dir.path().join("backups").exists() && std::fs::read_dir(&elsewhere).unwrap().next().is_none());
    let to = json!({ "to": format!("{allowed}/daily") });
    let first = world.post(&world.admin, "/v1/backups", &to).await;
    assert_eq!(first.status, StatusCode::CREATED, "{first:?}");
    assert_eq!(first.body["releases"], 1);
    let again = world.post(&world.admin, "/v1/backups", &to).await;
    assert_eq!((again.status, &again.body["entries"]), (StatusCode::OK, &json!(0)), "{again:?}");
    assert_eq!(again.body["revision"], first.body["revision"]);
    world.run("acme", "commit", &json!({})).await;
    assert_eq!(world.post(&world.admin, "/v1/backups", &to).await.body["entries"], 1);
    let vault = Folder::open(&dir.path().join("backups/daily")).unwrap();
    assert!(verify(&vault, &mut |_, _| {}).unwrap().sound);
    // Another service's backups are not gone on with.
    let stranger = world_with(ServiceLimits { backup_to: vec![allowed], ..ServiceLimits::default() });
    company(&stranger, "other").await;
    let refused = stranger.post(&stranger.admin, "/v1/backups", &to).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::CONFLICT, "backup-foreign"), "{refused:?}");
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_told_with_its_reason() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "x").unwrap();
    let to = dir.path().join("file/backups").to_str().unwrap().to_owned();
    let world = world_with(ServiceLimits { backup_to: vec![to.clone()], ..ServiceLimits::default() });
    let reply = world.post(&world.admin, "/v1/backups", &json!({ "to": to })).await;
    assert_eq!((reply.status, reply.code()), (StatusCode::SERVICE_UNAVAILABLE, "vault-unavailable"));
    assert!(reply.body["detail"].as_str().unwrap().contains(&to), "{reply:?}");
}

#[tokio::test]
async fn a_tenant_leaves_one_service_and_arrives_in_another() {
    let (from, to) = (World::new(), World::new());
    company(&from, "acme").await;
    to.tenant("somebody").await;
    let file = export(&from, &from.admin, "acme").await.unwrap();
    let checked = check_file(Cursor::new(&file), &mut |_| Ok(())).unwrap();
    assert_eq!(checked.head.tenant.id.as_str(), "acme");
    let arrived = import(&to, &file, "").await;
    assert_eq!(arrived.status, StatusCode::CREATED, "{arrived:?}");
    assert_eq!((&arrived.body["tenant"]["id"], &arrived.body["releases"]), (&json!("acme"), &json!(1)));
    assert_eq!(arrived.body["source-head"], checked.head.head.hash.to_string());
    assert_eq!(arrived.body["entries"], checked.head.head.number);
    for path in ["ledger/accounts", "installations", "runs"] {
        let path = format!("/v1/tenants/acme/{path}");
        let (then, now) = (from.get(&from.admin, &path).await, to.get(&to.admin, &path).await);
        assert_eq!(then.body["items"], now.body["items"], "{path}");
    }
    assert_eq!(to.post(&to.admin, "/v1/log/verify", &json!({})).await.body["sound"], true);
    // It works on there.
    assert_eq!(to.run("acme", "commit", &json!({})).await.status, StatusCode::CREATED);
    // Once more: the same; under another name: another tenant; after work on its own name as well.
    let again = import(&to, &file, "").await;
    assert_eq!((again.status, &again.body["tenant"]), (StatusCode::OK, &arrived.body["tenant"]), "{again:?}");
    let second = import(&to, &file, "?as=acme-2").await;
    assert_eq!((second.status, &second.body["tenant"]["id"]), (StatusCode::CREATED, &json!("acme-2")), "{second:?}");
    assert_ne!(second.body["tenant"]["number"], arrived.body["tenant"]["number"]);
    let taken = import(&to, &file, "?as=somebody").await;
    assert_eq!((taken.status, taken.code()), (StatusCode::CONFLICT, "tenant-exists"), "{taken:?}");
    assert_eq!(export(&from, &from.admin, "nobody").await, Err(StatusCode::NOT_FOUND));
}

#[tokio::test]
async fn a_file_that_is_not_whole_leaves_nothing() {
    let (from, to) = (World::new(), World::new());
    company(&from, "acme").await;
    let file = export(&from, &from.admin, "acme").await.unwrap();
    let before = to.get(&to.admin, "/v1/log/status").await.body["durable"].clone();
    let mut changed = file.clone();
    changed[file.len() / 2] ^= 0x10;
    for (bad, code) in
        [(&file[..file.len() - 9], "object-damaged"), (&changed, "object-damaged"), (b"", "object-damaged")]
    {
        let reply = import(&to, bad, "").await;
        assert_eq!((reply.status, reply.code()), (StatusCode::UNPROCESSABLE_ENTITY, code), "{reply:?}");
    }
    assert_eq!(to.get(&to.admin, "/v1/log/status").await.body["durable"], before);
    assert_eq!(to.get(&to.admin, "/v1/tenants").await.body["items"], json!([]));
    let unknown = import(&to, &file, "?name=x").await;
    assert_eq!((unknown.status, unknown.code()), (StatusCode::UNPROCESSABLE_ENTITY, "query-invalid"));
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused_before_it_is_read() {
    let from = World::new();
    company(&from, "acme").await;
    let file = export(&from, &from.admin, "acme").await.unwrap();
    let limit = file.len() as u64 - 1;
    let to = world_with(ServiceLimits { tenant_file_bytes: limit, ..ServiceLimits::default() });
    let reply = import(&to, &file, "").await;
    assert_eq!((reply.status, reply.code()), (StatusCode::PAYLOAD_TOO_LARGE, "too-large"), "{reply:?}");
    let to = world_with(ServiceLimits { tenant_file_bytes: limit + 1, ..ServiceLimits::default() });
    assert_eq!(import(&to, &file, "").await.status, StatusCode::CREATED);
}

/// The store fails at each write in turn: no tenant is there, and the same file is taken in afterwards.
#[tokio::test]
async fn an_import_that_breaks_off_leaves_no_tenant() {
    let from = World::new();
    company(&from, "acme").await;
    let file = export(&from, &from.admin, "acme").await.unwrap();
    let to = World::new();
    let mut broken = 0;
    loop {
        to.disk.set(DiskMode::BreaksAfter(broken));
        let reply = import(&to, &file, "").await;
        to.disk.set(DiskMode::Fast);
        while to.get(&to.admin, "/readyz").await.status != StatusCode::OK {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        if reply.status == StatusCode::CREATED {
            break;
        }
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{broken}: {reply:?}");
        assert_eq!(to.get(&to.admin, "/v1/tenants").await.body["items"], json!([]), "{broken}");
        broken += 1;
    }
    // The release (once), the number, three entries and the one that ends the chain, the tenant's record.
    assert_eq!(broken, 6);
    assert_eq!(to.post(&to.admin, "/v1/log/verify", &json!({})).await.body["sound"], true);
}
