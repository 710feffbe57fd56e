//! Requests to every route, with any parameters, headers and bodies, with and without a key: an answer that is not the service's own
//! failure, and books that balance afterwards.
#![no_main]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock};

use arbitrary::{Arbitrary, Unstructured};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use backroom_fuzz::{acme, bodies, seeds};
use backroom_runtime::{Runner, Runtime, RuntimeOptions};
use backroom_server::{Access, Backing, ROUTES, Route, Service, ServiceError, ServiceLimits};
use backroom_store::Store;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// More than one, so that one can build on another.
const MOST: usize = 6;

/// Routes that write to a folder of the machine, which the request names.
const OUTSIDE: [&str; 3] = ["/v1/backups", "/v1/tenant-exports", "/v1/tenant-imports"];

fuzz_target!(init: seeds::write("http", seeds::noise(64)), |bytes: &[u8]| {
    let machine = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    machine.block_on(session(&mut Unstructured::new(bytes)));
});

async fn session(u: &mut Unstructured<'_>) {
    let service = service();
    let key = service.create_first_key().unwrap().unwrap();
    for _ in 0..MOST {
        if u.is_empty() {
            break;
        }
        let Ok(sent) = request(u) else { break };
        let (status, answer) = send(&service.router(), &sent, &key).await;
        check(&sent, status, &answer);
    }
    let trial = Sent::get("/v1/tenants/acme/ledger/trial-balance");
    let (status, trial) = send(&service.router(), &trial, &key).await;
    assert_eq!(status, StatusCode::OK, "{trial}");
    for total in trial["totals"].as_array().unwrap() {
        assert_eq!(total["debits"], total["credits"], "{trial}");
    }
    service.close().await.unwrap();
}

/// A service on books that are new; the runtime is the same for all.
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

/// A request.
struct Sent {
    route: &'static str,
    access: Access,
    method: Method,
    path: String,
    who: Who,
    body: Option<(&'static str, Vec<u8>)>,
}

/// Whose key it has.
#[derive(PartialEq)]
enum Who {
    Admin,
    Nobody,
    /// Somebody who says this of himself.
    Other(Vec<u8>),
}

impl Sent {
    fn get(path: &str) -> Self {
        let (route, access) = ("", Access::Read);
        Self { route, access, method: Method::GET, path: path.to_owned(), who: Who::Admin, body: None }
    }
}

fn check(sent: &Sent, status: StatusCode, answer: &Value) {
    let Sent { route, access, method, path, who, .. } = sent;
    reached(route, method, status, answer);
    assert!(status != StatusCode::INTERNAL_SERVER_ERROR, "{method} {path}: {status} {answer}");
    if status.is_client_error() && *method != Method::HEAD {
        assert!(answer["code"].is_string(), "{method} {path}: {status} without a code: {answer}");
    }
    if *who != Who::Admin && *access != Access::Open {
        assert!(!status.is_success(), "{method} {path}: nobody's request was answered {status} {answer}");
    }
}

fn request(u: &mut Unstructured<'_>) -> arbitrary::Result<Sent> {
    let routes: Vec<&Route> = ROUTES.iter().filter(|route| !OUTSIDE.contains(&route.path)).collect();
    let route = *u.choose(&routes)?;
    let mut path = String::new();
    for part in route.path.split('/').skip(1) {
        path.push('/');
        match part.strip_prefix('{') {
            None => path.push_str(part),
            Some("tenant}") if !u.ratio(1, 16)? => path.push_str("acme"),
            Some(_) if !u.ratio(1, 8)? => path.push_str(u.choose(&[
                "1000",
                "4000",
                "6100",
                "eu%2F1000",
                "e0",
                "e1",
                "h0",
                "b0",
                "x1",
                "m1",
                "L1",
                "w1",
                "laptop",
                "in",
                "a",
                "main",
                "acme",
            ])?),
            Some(_) => path.extend(String::arbitrary(u)?.bytes().map(|byte| format!("%{byte:02X}"))),
        }
    }
    query(u, &mut path)?;
    let method = if u.ratio(31, 32)? { route.method.clone() } else { Method::PATCH };
    let who = match u.int_in_range(0..=15)? {
        0 => Who::Nobody,
        1 => Who::Other(Vec::arbitrary(u)?),
        _ => Who::Admin,
    };
    Ok(Sent { route: route.path, access: route.access, method, path, who, body: body(u, route)? })
}

fn query(u: &mut Unstructured<'_>, path: &mut String) -> arbitrary::Result<()> {
    for sign in ['?', '&', '&'].into_iter().take(u.int_in_range(0..=3)?) {
        let (name, known) = u.choose(&[
            ("book", "eu"),
            ("as-of", "2026-06-30"),
            ("limit", "2"),
            ("cursor", "1000"),
            ("account", "6100"),
            ("from", "2026-01-01"),
            ("to", "2026-12-31"),
            ("from", "USD"),
            ("to", "EUR"),
            ("type", "spot"),
            ("date", "2026-06-30"),
            ("year", "2026"),
            ("format", "beancount"),
            ("format", "hledger"),
            ("format", "csv"),
            ("dry-run", "true"),
            ("side", "debit"),
            ("plan", "a"),
            ("minor", "100"),
            ("currency", "USD"),
            ("first-day", "2026-01-01"),
            ("last-day", "2026-12-31"),
            ("buckets", "30,60"),
            ("amount", "10.00%20USD"),
            ("portions", "1/3,1/3,*"),
            ("cash", "1*"),
            ("largest", "3"),
            ("location", "stock"),
        ])?;
        path.push(sign);
        path.push_str(&format!("{name}="));
        if u.ratio(3, 4)? {
            path.push_str(known);
        } else {
            path.extend(String::arbitrary(u)?.bytes().map(|byte| format!("%{byte:02X}")));
        }
    }
    Ok(())
}

fn body(u: &mut Unstructured<'_>, route: &Route) -> arbitrary::Result<Option<(&'static str, Vec<u8>)>> {
    let reads = route.method == Method::GET;
    if u.ratio(1, 16)? == reads && !u.ratio(1, 16)? {
        return Ok(None);
    }
    if u.ratio(1, 8)? {
        let kind =
            *u.choose(&["application/json", "application/wasm", "text/plain", "multipart/form-data; boundary=x"])?;
        return Ok(Some((kind, Vec::arbitrary(u)?)));
    }
    if route.path.ends_with("/imports") {
        return Ok(Some(("multipart/form-data; boundary=x", bodies::files(u)?)));
    }
    let body = bodies::near(u, route.path)?.unwrap_or_else(|| json!({}));
    Ok(Some(("application/json", body.to_string().into_bytes())))
}

async fn send(router: &Router, sent: &Sent, key: &str) -> (StatusCode, Value) {
    let request = Request::builder().method(sent.method.clone()).uri(&sent.path);
    let request = match &sent.who {
        Who::Admin => request.header(header::AUTHORIZATION, format!("Bearer {key}")),
        Who::Nobody => request,
        Who::Other(bytes) => request.header(header::AUTHORIZATION, bytes.as_slice()),
    };
    let request = match &sent.body {
        None => request.body(Body::empty()),
        Some((kind, bytes)) => request.header(header::CONTENT_TYPE, *kind).body(Body::from(bytes.clone())),
    };
    let Ok(request) = request else { return (StatusCode::BAD_REQUEST, json!({"code": "not-a-request"})) };
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = to_bytes(response.into_body(), 64 << 20).await.unwrap_or_default();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

/// With `BACKROOM_FUZZ_REACH` set, says what each route answered, each answer once: whether requests get anywhere.
fn reached(route: &str, method: &Method, status: StatusCode, answer: &Value) {
    static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let line = format!("{method} {route}: {status} {}", answer["code"].as_str().unwrap_or_default());
    if std::env::var_os("BACKROOM_FUZZ_REACH").is_some() && SEEN.lock().unwrap().insert(line.clone()) {
        eprintln!("reached {line}");
    }
}
