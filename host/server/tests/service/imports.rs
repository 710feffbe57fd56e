//! Imports: everything or nothing, every bad row named, and no file too large for memory.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Method, StatusCode, header};
use backroom_server::ServiceLimits;
use http_body::Frame;

use crate::world::{BOUNDARY, World, request, send};

const ACCOUNTS: &str = "code,name,type,parent,currency,posting,stock-control\n6100,Rent,expense,,USD,yes,no\n";

#[tokio::test]
async fn the_same_files_again_change_nothing() {
    let world = World::new();
    world.tenant("acme").await;
    let first = world.import("acme", &[("accounts.csv", ACCOUNTS)]).await;
    assert_eq!((first.status, &first.body["files"][0]["created"]), (StatusCode::CREATED, &1.into()), "{first:?}");
    let before = world.get(&world.admin, "/v1/log/status").await.body["durable"].clone();
    let second = world.import("acme", &[("accounts.csv", ACCOUNTS)]).await;
    assert_eq!((second.status, &second.body["files"][0]["replayed"]), (StatusCode::OK, &1.into()), "{second:?}");
    assert_eq!(world.get(&world.admin, "/v1/log/status").await.body["durable"], before);
}

#[tokio::test]
async fn every_bad_row_is_named_and_nothing_is_imported() {
    let world = World::new();
    world.tenant("acme").await;
    let bad = "id,name,email,bank-account\nW1,Ada,,\n-,Bob,,\nW1,Eve,,\n";
    let reply = world.import("acme", &[("accounts.csv", ACCOUNTS), ("workers.csv", bad)]).await;
    assert_eq!((reply.status, reply.code()), (StatusCode::UNPROCESSABLE_ENTITY, "import-invalid"));
    let errors = reply.body["errors"].as_array().unwrap();
    let places: Vec<_> = errors.iter().map(|e| (e["file"].as_str().unwrap(), e["line"].as_u64())).collect();
    assert_eq!(places, [("workers.csv", Some(3)), ("workers.csv", Some(4))], "{reply:?}");
    assert_eq!(errors[0]["field"], "id");
    let accounts = world.get(&world.admin, "/v1/tenants/acme/ledger/accounts").await;
    assert_eq!(accounts.body["items"].as_array().unwrap().len(), 0);
}

/// A body that is made as it is read, and counts what was read of it.
struct Endless {
    left: usize,
    head: Option<Bytes>,
    read: Arc<AtomicUsize>,
}

impl HttpBody for Endless {
    type Data = Bytes;
    type Error = std::convert::Infallible;
    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        const CHUNK: usize = 64 << 10;
        if let Some(head) = self.head.take() {
            return Poll::Ready(Some(Ok(Frame::data(head))));
        }
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left = self.left.saturating_sub(CHUNK);
        self.read.fetch_add(CHUNK, Ordering::SeqCst);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; CHUNK])))))
    }
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused_by_name_without_being_kept() {
    let world = World::new();
    world.tenant("acme").await;
    let before = resident_kib();
    let head = format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"f\"; filename=\"workers.csv\"\r\n\r\n");
    let read = Arc::new(AtomicUsize::new(0));
    let body = Endless { left: 1 << 30, head: Some(head.into()), read: Arc::clone(&read) };
    let mut import = request(Method::POST, "/v1/tenants/acme/imports", Some(&world.admin), Body::new(body));
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    import.headers_mut().insert(header::CONTENT_TYPE, content_type.parse().unwrap());
    let reply = send(world.router(), import).await;
    assert_eq!((reply.status, reply.code()), (StatusCode::PAYLOAD_TOO_LARGE, "file-too-large"), "{reply:?}");
    assert_eq!(reply.body["errors"][0]["file"], "workers.csv");
    // The caller could send all of it, and so reads the answer; none of it was kept.
    assert!(read.load(Ordering::SeqCst) >= 1 << 30);
    let grown = resident_kib().saturating_sub(before);
    assert!(grown < 128 << 10, "{grown} KiB more");
}

#[tokio::test]
async fn too_many_files_are_refused() {
    let world = World::with_limits(ServiceLimits { files: 2, ..ServiceLimits::default() });
    world.tenant("acme").await;
    let files = [("a.csv", "x"), ("b.csv", "x"), ("c.csv", "x")];
    let reply = world.import("acme", &files).await;
    assert_eq!((reply.status, reply.code()), (StatusCode::PAYLOAD_TOO_LARGE, "too-large"));
}

#[tokio::test]
async fn a_component_that_is_too_large_is_refused() {
    let world = World::with_limits(ServiceLimits { component_bytes: 1000, ..ServiceLimits::default() });
    for (size, status) in [(1000, 201), (1000, 200), (1001, 413), (0, 422)] {
        let upload = request(Method::POST, "/v1/plugins", Some(&world.admin), Body::from(vec![7; size]));
        assert_eq!(send(world.router(), upload).await.status.as_u16(), status, "{size}");
    }
    let list = world.get(&world.admin, "/v1/plugins").await;
    let digest = list.body["items"][0]["digest"].as_str().unwrap();
    assert_eq!(world.get(&world.admin, &format!("/v1/plugins/{digest}")).await.body["plugin"], "scripted");
}

/// Linux only; elsewhere nothing is measured.
fn resident_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
