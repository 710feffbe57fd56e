//! Every row of the route table, asked by everybody who may not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::{Body, Bytes};
use axum::http::{Method, StatusCode};
use backroom_server::{Access, ROUTES, Route};

use crate::world::{Reply, World, request, send};

/// The path with its parameters filled in.
fn path(route: &Route, tenant: &str) -> String {
    let fill = |part: &str| match part {
        "{tenant}" => tenant.to_owned(),
        "{digest}" => "ab".repeat(32),
        part if part.starts_with('{') => "some".to_owned(),
        part => part.to_owned(),
    };
    route.path.split('/').map(fill).collect::<Vec<_>>().join("/")
}

/// Asks, with a body that tells whether anybody read it.
async fn ask(world: &World, route: &Route, tenant: &str, key: Option<&str>) -> (Reply, bool) {
    let read = Arc::new(AtomicBool::new(false));
    let reader = Arc::clone(&read);
    let stream = axum::body::Body::new(Told { reader });
    let reply = send(world.router(), request(route.method.clone(), &path(route, tenant), key, stream)).await;
    (reply, read.load(Ordering::SeqCst))
}

/// An empty body that notes that it was read.
struct Told {
    reader: Arc<AtomicBool>,
}

impl axum::body::HttpBody for Told {
    type Data = Bytes;
    type Error = std::convert::Infallible;
    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        self.reader.store(true, Ordering::SeqCst);
        std::task::Poll::Ready(None)
    }
}

#[tokio::test]
async fn every_route_refuses_whoever_may_not() {
    let world = World::new();
    for tenant in ["acme", "other"] {
        world.tenant(tenant).await;
    }
    let operator = world.key("op", "operator", "acme").await;
    let reader = world.key("rd", "reader", "acme").await;
    let stranger = world.key("str", "operator", "other").await;
    // Well formed, and nobody's.
    let unknown = {
        let elsewhere = World::new();
        elsewhere.admin
    };
    for route in ROUTES {
        let name = format!("{} {}", route.method, route.path);
        if route.access == Access::Open {
            assert_eq!(ask(&world, route, "acme", None).await.0.status, StatusCode::OK, "{name}");
            continue;
        }
        for key in [None, Some("nonsense"), Some(unknown.as_str())] {
            let (reply, body_read) = ask(&world, route, "acme", key).await;
            assert_eq!((reply.status, reply.code()), (StatusCode::UNAUTHORIZED, "unauthenticated"), "{name} {key:?}");
            assert!(!body_read, "{name}: the body was read before the key");
        }
        let of_tenant = route.path.contains("{tenant}");
        assert_eq!(of_tenant, matches!(route.access, Access::Read | Access::Write), "{name}");
        if of_tenant {
            let (other, _) = ask(&world, route, "acme", Some(&stranger)).await;
            assert_eq!((other.status, other.code()), (StatusCode::NOT_FOUND, "not-found"), "{name}");
            let (missing, _) = ask(&world, route, "nobody", Some(&world.admin)).await;
            assert_eq!((missing.status, missing.code()), (StatusCode::NOT_FOUND, "not-found"), "{name}");
            let (hidden, _) = ask(&world, route, "nobody", Some(&stranger)).await;
            assert_eq!(missing.body["errors"], hidden.body["errors"], "{name}");
            // But for the name, another's tenant looks like none.
            let renamed = other.body["errors"].to_string().replace("acme", "nobody");
            assert_eq!(renamed, hidden.body["errors"].to_string(), "{name}");
        }
        let denied = match route.access {
            Access::Admin => vec![&operator, &reader],
            Access::Write => vec![&reader],
            Access::Open | Access::Key | Access::Read => vec![],
        };
        for key in denied {
            let (reply, body_read) = ask(&world, route, "acme", Some(key)).await;
            assert_eq!((reply.status, reply.code()), (StatusCode::FORBIDDEN, "role-denied"), "{name}");
            assert!(!body_read, "{name}: the body was read before the role was checked");
        }
        let allowed = match route.access {
            Access::Open | Access::Key | Access::Read => vec![&reader, &operator, &world.admin],
            Access::Write => vec![&operator, &world.admin],
            Access::Admin => vec![&world.admin],
        };
        for key in allowed {
            let (reply, _) = ask(&world, route, "acme", Some(key)).await;
            let turned_away = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&reply.status);
            assert!(!turned_away && !reply.status.is_server_error(), "{name}: {reply:?}");
        }
    }
}

/// The text has every route and no other, and is served as it is made.
#[tokio::test]
async fn the_text_of_the_api_has_every_route() {
    let text = backroom_server::openapi();
    let methods = |(path, methods): (&String, &serde_json::Value)| {
        let methods = methods.as_object().unwrap().keys();
        methods.map(|method| format!("{} {path}", method.to_uppercase())).collect::<Vec<_>>()
    };
    let told: Vec<String> = text["paths"].as_object().unwrap().iter().flat_map(methods).collect();
    let mut routes: Vec<String> = ROUTES.iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    routes.sort();
    let mut sorted = told.clone();
    sorted.sort();
    assert_eq!(sorted, routes);
    let world = World::new();
    let served = send(world.router(), request(Method::GET, "/v1/openapi.json", None, Body::empty())).await;
    assert_eq!(served.body, text);
}

#[tokio::test]
async fn what_writes_is_no_route_of_readers() {
    for route in ROUTES {
        let reads = [Method::GET, Method::HEAD].contains(&route.method);
        let for_readers = [Access::Read, Access::Key].contains(&route.access);
        assert!(reads || !for_readers, "{} {}", route.method, route.path);
    }
}

#[tokio::test]
async fn a_reader_sees_no_salaries_and_no_bank_accounts() {
    let world = World::new();
    world.tenant("acme").await;
    let files = [
        ("workers.csv", "id,name,email,bank-account\nW1,Ada Lovell,ada@example.com,DE02120300000000202051\n"),
        (
            "employments.csv",
            "worker,first-day,last-day,position,place,cost-center,salary,currency\nW1,2026-01-01,,CPA,remote,CC-1,7000.00,USD\n",
        ),
    ];
    let imported = world.import("acme", &files).await;
    assert_eq!(imported.status, StatusCode::CREATED, "{imported:?}");
    let reader = world.key("rd", "reader", "acme").await;
    let path = "/v1/tenants/acme/hr/employments";
    let (seen, all) = (world.get(&reader, path).await, world.get(&world.admin, path).await);
    assert_eq!(seen.body["items"][0]["worker"], "W1");
    assert!(seen.body["items"][0].get("salary").is_none(), "{seen:?}");
    assert_eq!(all.body["items"][0]["salary"]["minor"], 700_000);
    let worker = world.get(&reader, "/v1/tenants/acme/hr/workers/W1").await;
    assert_eq!(worker.body["name"], "Ada Lovell");
    assert!(!worker.body.to_string().contains("DE02"), "{worker:?}");
}

#[tokio::test]
async fn the_local_router_needs_no_key_and_acts_as_local() {
    let world = World::new();
    let create = request(Method::POST, "/v1/tenants", None, Body::from(r#"{"id":"acme","name":"A"}"#));
    let mut create = create;
    create.headers_mut().insert("content-type", "application/json".parse().unwrap());
    let reply = send(world.service.local_router(), create).await;
    assert_eq!(reply.status, StatusCode::CREATED);
    let list = send(world.service.local_router(), request(Method::GET, "/v1/tenants", None, Body::empty())).await;
    assert_eq!(list.body["items"][0]["id"], "acme");
}

#[tokio::test]
async fn the_first_key_is_made_once() {
    let world = World::new();
    assert!(world.service.create_first_key().unwrap().is_none());
    assert!(world.admin.starts_with("brk_") && world.admin.len() == 76);
    // Bearer in any case, as HTTP has it.
    let mut list = request(Method::GET, "/v1/tenants", None, Body::empty());
    list.headers_mut().insert("authorization", format!("bEaReR {}", world.admin).parse().unwrap());
    assert_eq!(send(world.router(), list).await.status, StatusCode::OK);
}
