//! A service on a store in memory, with workflows that do what their input says, and requests without a network.

mod engine;
mod workflows;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use backroom_server::{Backing, Opener, Service, ServiceError, ServiceLimits};
use backroom_store::{Store, StoreError};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tower::ServiceExt as _;

pub(crate) use engine::{Disk, DiskMode};
pub(crate) use workflows::{Script, Scripted};

/// A service and everything that a test holds in its hands.
pub(crate) struct World {
    pub(crate) service: Service,
    pub(crate) disk: Arc<Disk>,
    pub(crate) script: Arc<Script>,
    /// The secret of an administrator.
    pub(crate) admin: String,
    /// How often the store was opened.
    pub(crate) opened: Arc<AtomicUsize>,
    /// So many of the next attempts to open fail.
    pub(crate) fail_opening: Arc<AtomicUsize>,
    /// What the opener found wrong: a store opened while the one before still had handles.
    pub(crate) overlaps: Arc<AtomicUsize>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Reply {
    /// The code of a problem.
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or("none")
    }

    pub(crate) fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_limits(ServiceLimits::default())
    }

    pub(crate) fn with_limits(limits: ServiceLimits) -> Self {
        let (disk, script) = (Arc::new(Disk::default()), Arc::new(Script::default()));
        let [opened, fail_opening, overlaps] = [(); 3].map(|()| Arc::new(AtomicUsize::new(0)));
        let opener: Opener = {
            let (disk, script) = (Arc::clone(&disk), Arc::clone(&script));
            let (opened, fail, overlaps) = (Arc::clone(&opened), Arc::clone(&fail_opening), Arc::clone(&overlaps));
            let last = Mutex::new(std::sync::Weak::new());
            Box::new(move || {
                if last.lock().strong_count() > 0 {
                    overlaps.fetch_add(1, Ordering::SeqCst);
                }
                if fail.load(Ordering::SeqCst) > 0 {
                    fail.fetch_sub(1, Ordering::SeqCst);
                    return Err(ServiceError::Store(StoreError::Locked { holder: "somebody".to_owned() }));
                }
                opened.fetch_add(1, Ordering::SeqCst);
                let engine = Arc::new(disk.open());
                *last.lock() = Arc::downgrade(&engine);
                let store = Store::with_engine(engine);
                let workflows = Arc::new(Scripted { script: Arc::clone(&script), store: store.clone() });
                Ok(Backing { store, workflows })
            })
        };
        let service = Service::with_opener(opener, limits).unwrap();
        let admin = service.create_first_key().unwrap().unwrap();
        Self { service, disk, script, admin, opened, fail_opening, overlaps }
    }

    pub(crate) fn router(&self) -> Router {
        self.service.router()
    }

    pub(crate) async fn get(&self, key: &str, path: &str) -> Reply {
        send(self.router(), request(Method::GET, path, Some(key), Body::empty())).await
    }

    pub(crate) async fn post(&self, key: &str, path: &str, body: &Value) -> Reply {
        self.send_json(Method::POST, key, path, body).await
    }

    pub(crate) async fn put(&self, key: &str, path: &str, body: &Value) -> Reply {
        self.send_json(Method::PUT, key, path, body).await
    }

    async fn send_json(&self, method: Method, key: &str, path: &str, body: &Value) -> Reply {
        let mut request = request(method, path, Some(key), Body::from(body.to_string()));
        request.headers_mut().insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
        send(self.router(), request).await
    }

    /// Adds a tenant.
    pub(crate) async fn tenant(&self, id: &str) {
        let reply = self.post(&self.admin, "/v1/tenants", &json!({"id": id, "name": "A company"})).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
    }

    /// Makes a key and gives its secret.
    pub(crate) async fn key(&self, name: &str, role: &str, tenant: &str) -> String {
        let body = json!({"name": name, "role": role, "tenant": tenant});
        let reply = self.post(&self.admin, "/v1/keys", &body).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
        reply.body["secret"].as_str().unwrap().to_owned()
    }

    /// Runs a workflow as the administrator.
    pub(crate) async fn run(&self, tenant: &str, mode: &str, input: &Value) -> Reply {
        let path = format!("/v1/tenants/{tenant}/installations/any/runs");
        self.post(&self.admin, &path, &json!({"mode": mode, "input": input})).await
    }
}

/// A request, without a body's type.
pub(crate) fn request(method: Method, path: &str, key: Option<&str>, body: Body) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(key) = key {
        request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
    }
    request.body(body).unwrap()
}

pub(crate) async fn send(router: Router, request: Request<Body>) -> Reply {
    let response = router.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 64 << 20).await.unwrap();
    let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
    let reply = Reply { status: parts.status, headers: parts.headers, body };
    check_form(&reply);
    reply
}

/// What holds for every answer.
fn check_form(reply: &Reply) {
    assert_eq!(reply.header(header::CACHE_CONTROL), "no-store");
    let id = reply.headers.get("x-request-id").unwrap().to_str().unwrap();
    if reply.status.is_success() {
        assert_eq!(reply.header(header::CONTENT_TYPE), "application/json");
        return;
    }
    assert_eq!(reply.header(header::CONTENT_TYPE), "application/problem+json", "{reply:?}");
    let body = &reply.body;
    assert_eq!(body["type"], format!("urn:backroom:problem:{}", reply.code()));
    assert_eq!(body["status"], reply.status.as_u16());
    assert_eq!(body["request-id"], id);
    assert!(
        ["invalid", "denied", "not-found", "conflict", "refused", "unavailable"]
            .map(Value::from)
            .contains(&body["class"])
    );
    assert!(body["title"].as_str().is_some_and(|title| !title.is_empty()) && body["detail"].is_string());
    let errors = body["errors"].as_array().unwrap();
    assert!(
        !errors.is_empty() && errors.iter().all(|e| e["code"].is_string() && e["message"].is_string()),
        "{reply:?}"
    );
    let retry = [429, 503].contains(&reply.status.as_u16());
    assert!(!retry || reply.header(header::RETRY_AFTER).parse::<u32>().is_ok(), "{reply:?}");
    assert_eq!(reply.status == 401, !reply.header(header::WWW_AUTHENTICATE).is_empty());
}

/// Between the parts of a multipart body.
pub(crate) const BOUNDARY: &str = "----------------backroom";

impl World {
    /// Imports files as the administrator.
    pub(crate) async fn import(&self, tenant: &str, files: &[(&str, &str)]) -> Reply {
        let part = |(name, content): &(&str, &str)| {
            let head = format!("content-disposition: form-data; name=\"file\"; filename=\"{name}\"");
            format!("--{BOUNDARY}\r\n{head}\r\ncontent-type: text/csv\r\n\r\n{content}\r\n")
        };
        let body = files.iter().map(part).collect::<String>() + &format!("--{BOUNDARY}--\r\n");
        let path = format!("/v1/tenants/{tenant}/imports");
        let mut request = request(Method::POST, &path, Some(&self.admin), Body::from(body));
        let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
        request.headers_mut().insert(header::CONTENT_TYPE, content_type.parse().unwrap());
        send(self.router(), request).await
    }
}
