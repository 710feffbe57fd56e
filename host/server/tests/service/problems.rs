//! Errors: which status and code each gets, and that nothing of the inside gets out.

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::world::{World, request, send};

#[tokio::test]
async fn malformed_requests_are_told_what_is_wrong() {
    let world = World::new();
    world.tenant("acme").await;
    const JSON: &str = "application/json";
    let large = format!(r#"{{"id":"a","name":"{}"}}"#, "x".repeat(3 << 20));
    let rows = [
        ("POST", "/v1/tenants", JSON, "{", 400, "json-malformed", None),
        ("POST", "/v1/tenants", JSON, r#"{"id":"a","name":"b"} x"#, 400, "json-malformed", None),
        ("POST", "/v1/tenants", JSON, r#"{"id":"a"}"#, 422, "body-invalid", None),
        ("POST", "/v1/tenants", JSON, r#"{"id":7,"name":"b"}"#, 422, "body-invalid", Some("id")),
        ("POST", "/v1/tenants", JSON, r#"{"id":"-","name":"b"}"#, 422, "body-invalid", Some("id")),
        ("POST", "/v1/tenants", JSON, r#"{"id":"a","name":"b","more":1}"#, 422, "body-invalid", Some("more")),
        ("POST", "/v1/tenants", JSON, r#"{"id":"a","name":" "}"#, 422, "text-invalid", Some("name")),
        ("POST", "/v1/tenants", JSON, r#"{"id":"acme","name":"b"}"#, 409, "exists-with-different", Some("name")),
        ("POST", "/v1/tenants", JSON, &large, 413, "too-large", None),
        ("POST", "/v1/tenants", "text/plain", "{}", 415, "media-type-unsupported", None),
        ("POST", "/v1/tenants/acme/imports", JSON, "{}", 400, "multipart-malformed", None),
        ("GET", "/v1/tenants?limit=0", JSON, "", 422, "limit-invalid", Some("limit")),
        ("GET", "/v1/tenants?cursor=zz", JSON, "", 422, "cursor-invalid", Some("cursor")),
        ("GET", "/v1/tenants?pagesize=3", JSON, "", 422, "query-invalid", None),
        ("GET", "/v1/tenants/acme/ledger/trial-balance?as-of=2026-02-30", JSON, "", 422, "query-invalid", None),
        ("GET", "/v1/nowhere", JSON, "", 404, "not-found", None),
        ("DELETE", "/v1/tenants", JSON, "", 405, "method-not-allowed", None),
    ];
    for (method, path, content_type, body, status, code, field) in rows {
        let mut asked = request(method.parse().unwrap(), path, Some(&world.admin), Body::from(body.to_owned()));
        asked.headers_mut().insert(header::CONTENT_TYPE, content_type.parse().unwrap());
        let reply = send(world.router(), asked).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (status, code), "{method} {path}: {reply:?}");
        assert_eq!(reply.body["errors"][0]["field"].as_str(), field, "{method} {path}: {reply:?}");
        let detail = reply.body["detail"].as_str().unwrap_or_default();
        let said_once = !detail.starts_with("invalid: ") && !detail.contains(" at line ");
        assert!(code != "body-invalid" || said_once, "{method} {path}: {detail}");
        assert_eq!(status == 405, reply.headers.contains_key(header::ALLOW), "{path}");
    }
}

#[tokio::test]
async fn runs_answer_with_their_report_or_a_problem_that_carries_it() {
    let world = World::new();
    world.tenant("acme").await;
    let rows = [
        ("dry-run", json!({}), 200, None, None),
        ("commit", json!({}), 201, None, None),
        ("commit", json!({"do": "refuse"}), 422, Some("nobody-eligible"), Some("denied")),
        ("commit", json!({"do": "fault", "kind": "trap"}), 422, Some("run-trapped"), Some("refused")),
        ("commit", json!({"do": "fault", "kind": "fuel"}), 422, Some("run-out-of-fuel"), Some("refused")),
        ("commit", json!({"do": "fault", "kind": "deadline"}), 422, Some("run-deadline"), Some("refused")),
        ("commit", json!({"do": "fault", "kind": "memory"}), 422, Some("run-out-of-memory"), Some("refused")),
        ("commit", json!({"do": "fault", "kind": "host-calls"}), 422, Some("run-host-calls"), Some("refused")),
        ("commit", json!({"do": "fault", "kind": "effects"}), 422, Some("run-effects"), Some("refused")),
        ("commit", json!({"do": "fault", "kind": "output"}), 422, Some("run-output"), Some("refused")),
        ("commit", json!({"do": "fault", "kind": "handles"}), 422, Some("run-handles"), Some("refused")),
        ("commit", json!({"do": "fault", "kind": "host-time"}), 422, Some("run-host-time"), Some("refused")),
        ("commit", json!({"do": "fault", "kind": "output-size"}), 422, Some("run-output-size"), Some("refused")),
        ("commit", json!({"do": "fault", "kind": "output-depth"}), 422, Some("run-output-depth"), Some("refused")),
        ("commit", json!({"do": "fault", "kind": "day-fuel"}), 422, Some("run-day-fuel"), Some("refused")),
        ("commit", json!({"do": "fault", "kind": "store"}), 503, Some("unavailable"), Some("unavailable")),
        ("commit", json!({"do": "fault", "kind": "busy"}), 503, Some("busy"), Some("unavailable")),
        ("commit", json!({"do": "fault", "kind": "internal"}), 500, Some("internal"), Some("unavailable")),
    ];
    for (mode, input, status, code, class) in rows {
        let reply = world.run("acme", mode, &input).await;
        assert_eq!(reply.status.as_u16(), status, "{input}: {reply:?}");
        assert_eq!(reply.body["code"].as_str(), code, "{input}");
        assert_eq!(reply.body["class"].as_str(), class, "{input}");
        let report = if code.is_some() { &reply.body["run"] } else { &reply.body };
        assert_eq!(report["installation"], "any", "{input}: {reply:?}");
    }
}

#[tokio::test]
async fn the_inside_stays_inside() {
    let world = World::new();
    world.tenant("acme").await;
    for (input, status, code) in
        [(json!({"do": "panic"}), 500, "internal"), (json!({"do": "busy"}), 503, "unavailable")]
    {
        let reply = world.run("acme", "commit", &input).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (status, code));
        assert!(!reply.body.to_string().contains("inside of the service"), "{reply:?}");
    }
    // The service goes on, and the tenant's turn was given back.
    assert_eq!(world.run("acme", "commit", &json!({})).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn input_reaches_the_plugin_as_it_was_written() {
    let world = World::new();
    world.tenant("acme").await;
    let input = r#"{"b": 12345678901234567890.10, "a":[1e400,  "ß" ]}"#;
    let body = format!(r#"{{"id":"r:1/x","mode":"dry-run","date":"2026-06-30","input":{input}}}"#);
    let mut run =
        request(Method::POST, "/v1/tenants/acme/installations/a%2Fb:c/runs", Some(&world.admin), Body::from(body));
    run.headers_mut().insert(header::CONTENT_TYPE, "application/json; charset=utf-8".parse().unwrap());
    let refused = send(world.router(), run).await;
    // 1e400 is no number that the script reads; what counts is what came.
    assert_eq!(refused.status, StatusCode::INTERNAL_SERVER_ERROR);
    let requests = world.script.requests.lock();
    let last = requests.last().unwrap();
    assert_eq!(&*last.input, input);
    assert_eq!((last.installation.as_str(), last.id.as_ref().unwrap().as_str()), ("a/b:c", "r:1/x"));
    assert_eq!((last.actor.as_str(), last.date.unwrap().to_string().as_str()), ("admin", "2026-06-30"));
}

#[tokio::test]
async fn ids_with_slashes_and_colons_work_in_paths() {
    let world = World::new();
    world.tenant("acme/eu:1").await;
    let tenant = "/v1/tenants/acme%2Feu%3A1";
    assert_eq!(world.get(&world.admin, tenant).await.body["id"], "acme/eu:1");
    assert_eq!(world.get(&world.admin, "/v1/tenants/acme/eu:1").await.status, StatusCode::NOT_FOUND);
    let csv = "code,name,type,parent,currency,posting,stock-control\n61/00:a,Rent,expense,,USD,yes,no\n";
    let imported = world.import("acme%2Feu:1", &[("accounts.csv", csv)]).await;
    assert_eq!(imported.status, StatusCode::CREATED, "{imported:?}");
    let account = world.get(&world.admin, &format!("{tenant}/ledger/accounts/61%2F00:a")).await;
    assert_eq!((account.status, &account.body["code"]), (StatusCode::OK, &Value::from("61/00:a")));
    let balance =
        world.get(&world.admin, &format!("{tenant}/ledger/accounts/61%2f00%3aa/balance?as-of=2026-06-30")).await;
    assert_eq!((balance.status, &balance.body["debits"]), (StatusCode::OK, &Value::from(0)), "{balance:?}");
    for bad in ["%ff", "%00", "a%20b"] {
        let reply = world.get(&world.admin, &format!("{tenant}/ledger/accounts/{bad}")).await;
        assert!(reply.status.is_client_error(), "{bad}: {reply:?}");
    }
}

#[tokio::test]
async fn lists_go_on_where_the_last_page_ended() {
    let world = World::new();
    for n in 0..5 {
        world.tenant(&format!("t{n}")).await;
    }
    let (mut seen, mut path) = (Vec::new(), "/v1/tenants?limit=2".to_owned());
    loop {
        let page = world.get(&world.admin, &path).await;
        let items = page.body["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        seen.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        match page.body["next"].as_str() {
            Some(next) => path = format!("/v1/tenants?limit=2&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["t0", "t1", "t2", "t3", "t4"]);
}
