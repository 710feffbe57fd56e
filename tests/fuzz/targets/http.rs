//! Requests to every route, with any parameters, headers and bodies: an answer that is not the service's own failure, and books
//! that balance afterwards.
#![no_main]

use std::sync::{Arc, OnceLock};

use arbitrary::{Arbitrary, Unstructured};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use backroom_fuzz::acme;
use backroom_runtime::{Runner, Runtime, RuntimeOptions};
use backroom_server::{Backing, ROUTES, Service, ServiceError, ServiceLimits};
use backroom_store::Store;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// More than one, so that one can build on another.
const MOST: usize = 6;

const OUTSIDE: [&str; 3] = ["/v1/backups", "/v1/tenant-exports", "/v1/tenant-imports"];

fuzz_target!(|bytes: &[u8]| {
    let machine = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    machine.block_on(session(&mut Unstructured::new(bytes)));
});

async fn session(u: &mut Unstructured<'_>) {
    let service = service();
    let router = service.local_router();
    for _ in 0..MOST {
        if u.is_empty() {
            break;
        }
        let Ok((method, path, body)) = request(u) else { break };
        let (status, answer) = send(&router, method.clone(), &path, body).await;
        let own_fault = status == StatusCode::INTERNAL_SERVER_ERROR;
        assert!(!own_fault, "{method} {path}: {status} {answer}");
        if status.is_client_error() && method != Method::HEAD {
            assert!(answer["code"].is_string(), "{method} {path}: {status} without a code: {answer}");
        }
    }
    let (status, trial) = send(&router, Method::GET, "/v1/tenants/acme/ledger/trial-balance", None).await;
    assert_eq!(status, StatusCode::OK, "{trial}");
    for total in trial["totals"].as_array().unwrap() {
        assert_eq!(total["debits"], total["credits"], "{trial}");
    }
    service.close().await.unwrap();
}

/// A service on an empty store; the runtime is the same for all.
fn service() -> Service {
    static RUNTIME: OnceLock<Arc<Runtime>> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        let options = RuntimeOptions { concurrency: 4, ..RuntimeOptions::default() };
        Arc::new(Runtime::new(options).unwrap())
    });
    let folder = std::env::temp_dir().join(format!("backroom-fuzz-{}", std::process::id()));
    let opener = move || {
        let store = Store::memory();
        acme(&store).map_err(|why| ServiceError::Runtime(why.to_string()))?;
        let runner = Runner::new(store.clone(), Arc::clone(runtime), &folder);
        let runner = runner.map_err(|why| ServiceError::Runtime(why.to_string()))?;
        Ok(Backing { store, workflows: Arc::new(runner) })
    };
    Service::with_opener(Box::new(opener), ServiceLimits::default()).unwrap()
}

type Sent = (Method, String, Option<(&'static str, Vec<u8>)>);

fn request(u: &mut Unstructured<'_>) -> arbitrary::Result<Sent> {
    // Not those that write to a folder of the machine, which the request names.
    let routes: Vec<_> = ROUTES.iter().filter(|route| !OUTSIDE.contains(&route.path)).collect();
    let route = u.choose(&routes)?;
    let mut path = String::new();
    for part in route.path.split('/').skip(1) {
        path.push('/');
        match part.strip_prefix('{') {
            None => path.push_str(part),
            Some(_) if u.ratio(3, 4)? => {
                path.push_str(u.choose(&["acme", "1000", "2000", "e1", "USD", "2026-06-30"])?)
            }
            Some(_) => path.extend(String::arbitrary(u)?.bytes().map(|byte| format!("%{byte:02X}"))),
        }
    }
    if u.ratio(1, 3)? {
        let name = u.choose(&["as-of", "limit", "after", "account", "from", "to", "format", "month"])?;
        path.push_str(&format!("?{name}="));
        path.extend(String::arbitrary(u)?.bytes().map(|byte| format!("%{byte:02X}")));
    }
    let method = if u.ratio(15, 16)? { route.method.clone() } else { Method::PATCH };
    let kind = *u.choose(&["application/json", "application/wasm", "text/plain", "multipart/form-data; boundary=x"])?;
    let body = match u.int_in_range(0..=3)? {
        0 => None,
        1 => Some((kind, Vec::arbitrary(u)?)),
        2 => Some(("application/json", entry(u)?.to_string().into_bytes())),
        _ => Some(("application/json", value(u, 0)?.to_string().into_bytes())),
    };
    Ok((method, path, body))
}

/// Nearly a journal entry.
fn entry(u: &mut Unstructured<'_>) -> arbitrary::Result<Value> {
    let minor = u64::arbitrary(u)? >> u.int_in_range(0..=63)?;
    let mut line = |side: &str| -> arbitrary::Result<Value> {
        let account = u.choose(&["1000", "2000"])?;
        Ok(json!({"account": account, "side": side, "amount": {"minor": minor, "currency": "USD"}}))
    };
    let lines = [line("debit")?, line("credit")?];
    Ok(json!({"id": u.choose(&["e1", "e2"])?, "date": "2026-06-30", "description": "x", "lines": lines}))
}

/// Any JSON, with names that the routes know.
fn value(u: &mut Unstructured<'_>, depth: usize) -> arbitrary::Result<Value> {
    const NAMES: &[&str] = &[
        "id",
        "name",
        "code",
        "type",
        "lines",
        "account",
        "side",
        "amount",
        "minor",
        "currency",
        "date",
        "description",
        "posting",
        "stock-control",
        "parent",
        "input",
        "installation",
        "mode",
        "grants",
        "limits",
        "config",
        "role",
        "tenant",
        "release",
        "worker",
        "item",
        "quantity",
        "source",
        "destination",
        "from",
        "to",
    ];
    Ok(match u.int_in_range(0..=if depth < 4 { 7 } else { 4 })? {
        0 => Value::Null,
        1 => json!(bool::arbitrary(u)?),
        2 => json!(i64::arbitrary(u)?),
        3 => json!(u.choose(&["acme", "1000", "USD", "2026-06-30", "debit", "asset", "admin"])?),
        4 => json!(String::arbitrary(u)?),
        5 => (0..u.int_in_range(0..=3)?).map(|_| value(u, depth + 1)).collect::<arbitrary::Result<Vec<_>>>()?.into(),
        _ => {
            let mut object = serde_json::Map::new();
            for _ in 0..u.int_in_range(0..=6)? {
                object.insert((*u.choose(NAMES)?).to_owned(), value(u, depth + 1)?);
            }
            object.into()
        }
    })
}

async fn send(router: &Router, method: Method, path: &str, body: Option<(&str, Vec<u8>)>) -> (StatusCode, Value) {
    let request = Request::builder().method(method).uri(path);
    let request = match body {
        None => request.body(Body::empty()),
        Some((kind, bytes)) => request.header(header::CONTENT_TYPE, kind).body(Body::from(bytes)),
    };
    let Ok(request) = request else { return (StatusCode::BAD_REQUEST, json!({"code": "not-a-uri"})) };
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = to_bytes(response.into_body(), 64 << 20).await.unwrap_or_default();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}
