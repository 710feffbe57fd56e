//! The service as it is started: on a directory, with the runtime of this process.

use std::path::Path;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use backroom_runtime::RuntimeOptions;
use backroom_server::{Service, ServiceError, ServiceOptions};
use backroom_store::StoreError;

use crate::world::{request, send};

/// A small pool: the address space of a test process is shared by all tests.
fn options(data: &Path) -> ServiceOptions {
    let options = ServiceOptions::new(data);
    ServiceOptions { runtime: RuntimeOptions { concurrency: 4, ..RuntimeOptions::default() }, ..options }
}

async fn create_tenant(service: &Service, key: &str) -> StatusCode {
    let mut create = request(Method::POST, "/v1/tenants", Some(key), Body::from(r#"{"id":"acme","name":"A"}"#));
    create.headers_mut().insert("content-type", "application/json".parse().unwrap());
    send(service.router(), create).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let service = Service::open(options(&data)).unwrap();
    let key = service.create_first_key().unwrap().unwrap();
    assert_eq!(create_tenant(&service, &key).await, StatusCode::CREATED);
    let ready = send(service.router(), request(Method::GET, "/readyz", None, Body::empty())).await;
    assert_eq!(ready.status, StatusCode::OK);

    let verify = request(Method::POST, "/v1/log/verify", Some(&key), Body::empty());
    let report = send(service.router(), verify).await.body;
    assert_eq!((&report["sound"], &report["entries"]), (&true.into(), &2.into()), "{report}");
    assert_eq!(report["chains"][0]["tenant"], 0);
    service.close().await.unwrap();
    drop(service);

    let service = Service::open(options(&data)).unwrap();
    assert!(service.create_first_key().unwrap().is_none());
    assert_eq!(create_tenant(&service, &key).await, StatusCode::OK, "the same again is a replay");
}

#[test]
fn a_directory_that_is_in_use_says_by_whom() {
    let directory = tempfile::tempdir().unwrap();
    let _first = Service::open(options(directory.path())).unwrap();
    let Err(ServiceError::Store(StoreError::Locked { holder })) = Service::open(options(directory.path())) else {
        panic!("two services on one directory");
    };
    assert!(holder.contains(&std::process::id().to_string()), "{holder}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_component_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::open(options(directory.path())).unwrap();
    let upload = request(Method::POST, "/v1/plugins", None, Body::from("no component"));
    let reply = send(service.local_router(), upload).await;
    assert_eq!((reply.status, reply.code()), (StatusCode::UNPROCESSABLE_ENTITY, "plugin-malformed"), "{reply:?}");
}
