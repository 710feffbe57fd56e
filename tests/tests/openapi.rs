//! The OpenAPI text against the service that it is about: every example is sent, in the order that the text gives, and every answer,
//! refusals as well, is what the text says.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic is a failed test, and shows what was seen"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use backroom_tests::{Company, Reply, Server, openapi_validator, root};
use serde_json::{Map, Value, json};

/// An operation of the text.
struct Operation<'a> {
    method: String,
    path: &'a str,
    told: &'a Value,
}

impl Operation<'_> {
    fn name(&self) -> &str {
        self.told["operationId"].as_str().expect("an id")
    }

    /// The path with the examples of its parameters.
    fn address(&self, tenant: &str) -> String {
        let mut path = self.path.to_owned();
        let mut query = Vec::new();
        for parameter in self.told["parameters"].as_array().expect("parameters") {
            let name = parameter["name"].as_str().expect("a name");
            let Some(example) = parameter.get("example") else { continue };
            let value = escape(&example.as_str().map_or_else(|| example.to_string(), str::to_owned));
            match parameter["in"].as_str() {
                Some("path") if name == "tenant" => path = path.replace("{tenant}", tenant),
                Some("path") => {
                    assert!(!value.is_empty(), "{}: {name} has no example", self.name());
                    path = path.replace(&format!("{{{name}}}"), &value);
                }
                _ => query.push(format!("{name}={value}")),
            }
        }
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }

    /// The media type of the body, if there is one.
    fn media(&self) -> Option<&str> {
        self.told.pointer("/requestBody/content")?.as_object()?.keys().next().map(String::as_str)
    }

    fn examples(&self) -> Vec<Value> {
        let examples = &self.told["requestBody"]["content"]["application/json"]["examples"];
        examples.as_object().map_or_else(Vec::new, |named| named.values().map(|one| one["value"].clone()).collect())
    }
}

/// Percent-encodes everything but the unreserved characters of RFC 3986.
fn escape(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// The operations in the order of their examples.
fn operations(text: &Value) -> Vec<Operation<'_>> {
    let mut found = Vec::new();
    for (path, methods) in text["paths"].as_object().expect("paths") {
        for (method, told) in methods.as_object().expect("methods") {
            found.push(Operation { method: method.to_uppercase(), path, told });
        }
    }
    found.sort_by_key(|operation| operation.told["x-order"].as_u64());
    found
}

/// What was asked and answered.
#[derive(Default)]
struct Story {
    answers: Vec<Value>,
    /// What stands in the text for what only the service knows, and what it is.
    known: Vec<(String, String)>,
    exported: Vec<u8>,
}

impl Story {
    fn put_in(&self, text: &str) -> String {
        self.known.iter().fold(text.to_owned(), |text, (stands, is)| text.replace(stands, is))
    }

    /// Notes the answer for the comparison with the text; nothing of it may be unknown to its schema.
    fn note(&mut self, text: &Value, operation: &Operation<'_>, reply: &Reply) {
        let media = reply.media.split(';').next().unwrap_or_default();
        let content = &operation.told["responses"][reply.status.to_string()]["content"];
        let key = content.as_object().and_then(|types| types.keys().find(|key| key.split(';').next() == Some(media)));
        let body = reply.json();
        let key = key.cloned().unwrap_or_else(|| media.to_owned());
        let schema = &content[&key]["schema"];
        if !schema.is_null() {
            nothing_unknown(text, &[schema], &body, operation.name());
        }
        self.answers.push(json!({
            "operation": operation.name(), "status": reply.status, "media": key, "body": body,
        }));
    }

    /// Sends the examples of an operation. Each is done.
    fn send(&mut self, server: &Server, text: &Value, operation: &Operation<'_>) {
        let address = self.put_in(&operation.address("harbor"));
        let bodies: Vec<(String, Vec<u8>)> = match operation.media() {
            None => vec![(String::new(), Vec::new())],
            Some("application/json") => {
                let examples = operation.examples();
                assert!(!examples.is_empty(), "{} has no example", operation.name());
                examples
                    .iter()
                    .map(|body| ("application/json".to_owned(), self.put_in(&body.to_string()).into()))
                    .collect()
            }
            Some("multipart/form-data") => vec![(format!("multipart/form-data; boundary={BOUNDARY}"), files())],
            Some(media) => vec![(media.to_owned(), self.bytes(operation.path))],
        };
        for (media, body) in bodies {
            let reply = server.exchange(&operation.method, &address, &media, body.clone(), true);
            let shown = String::from_utf8_lossy(&body).chars().take(800).collect::<String>();
            assert!((200..300).contains(&reply.status), "{} {address}\n{shown}\n{reply:#?}", operation.name());
            self.learn(operation, &reply);
            self.note(text, operation, &reply);
        }
    }

    /// The body of what takes no JSON.
    fn bytes(&self, path: &str) -> Vec<u8> {
        match path {
            "/v1/plugins" => std::fs::read(component()).expect("the component"),
            "/v1/tenant-imports" => self.exported.clone(),
            _ => b"date,amount\n2026-06-01,1.00\n".to_vec(),
        }
    }

    fn learn(&mut self, operation: &Operation<'_>, reply: &Reply) {
        let text = |field: &str| reply.json()[field].as_str().expect("a text").to_owned();
        match operation.name() {
            "post-keys" => self.known.push(("3f9c2b7a10d4e856".to_owned(), text("id"))),
            "post-plugins" => {
                let stands = "3f1cbe2a7d5046f8a9b1c2d3e4f5061728394a5b6c7d8e9f0a1b2c3d4e5f6071";
                self.known.push((stands.to_owned(), text("digest")));
            }
            "post-tenant-exports" => self.exported.clone_from(&reply.body),
            _ => {}
        }
    }
}

const BOUNDARY: &str = "----------------backroom";

/// The files of a small company, with people.
fn files() -> Vec<u8> {
    let people = [
        ("workers.csv", "id,name,email,bank-account\nW-1,Ann Moore,ann@example.com,\nW-2,Bea Cole,,\n"),
        (
            "employments.csv",
            "worker,first-day,last-day,position,place,cost-center,salary,currency\n\
             W-1,2026-01-01,,CPA,remote,CC-1,7000.00,USD\n\
             W-2,2010-01-01,2011-12-31,CPA,office,CC-1,,\n",
        ),
    ];
    let part = |(name, content): &(&str, &str)| {
        let head = format!("content-disposition: form-data; name=\"file\"; filename=\"{name}\"");
        format!("--{BOUNDARY}\r\n{head}\r\ncontent-type: text/csv\r\n\r\n{content}\r\n")
    };
    let parts: String = Company::FILES.iter().chain(&people).map(part).collect();
    format!("{parts}--{BOUNDARY}--\r\n").into_bytes()
}

/// The guest `order`, built into a component.
fn component() -> std::path::PathBuf {
    let guest = root().join("tests/guests/order");
    let built = backroom_tests::backroom(&["plugin", "build", guest.to_str().expect("UTF-8"), "--json"]);
    let said = String::from_utf8_lossy(&built.stdout).into_owned();
    assert!(built.status.success(), "{said}{}", String::from_utf8_lossy(&built.stderr));
    let said: Value = serde_json::from_str(&said).expect("JSON");
    said["path"].as_str().map(Into::into).unwrap_or_else(|| panic!("no component in {said}"))
}

/// Every field of every object is one that a schema knows: a schema that says less than the service does is not true either.
fn nothing_unknown(text: &Value, schemas: &[&Value], value: &Value, at: &str) {
    let all = branches(text, schemas);
    match value {
        Value::Object(fields) => {
            let open = all.iter().any(|schema| **schema == json!(true) || schema.is_object() && !says_what(schema))
                || all
                    .iter()
                    .any(|schema| schema.get("additionalProperties").is_some_and(|more| *more != json!(false)));
            for (name, value) in fields {
                let mut below: Vec<&Value> = all.iter().filter_map(|schema| property(schema, name)).collect();
                below.extend(
                    all.iter().filter_map(|schema| schema.get("additionalProperties")).filter(|s| s.is_object()),
                );
                if below.is_empty() {
                    assert!(open, "{at}: the schema does not know {name}");
                    continue;
                }
                nothing_unknown(text, &below, value, &format!("{at}.{name}"));
            }
        }
        Value::Array(items) => {
            let below: Vec<&Value> = all.iter().filter_map(|schema| schema.get("items")).collect();
            for item in items {
                if !below.is_empty() {
                    nothing_unknown(text, &below, item, at);
                }
            }
        }
        _ => {}
    }
}

fn property<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    schema.get("properties")?.get(name)
}

/// Does it say what an object has? `{}` and `true` say nothing, and allow everything.
fn says_what(schema: &Value) -> bool {
    let empty = Map::new();
    let fields = schema.as_object().unwrap_or(&empty);
    ["type", "properties", "const", "enum", "$ref", "allOf", "anyOf", "oneOf"]
        .iter()
        .any(|key| fields.contains_key(*key))
}

/// The schemas, and all that they are made of.
fn branches<'a>(text: &'a Value, schemas: &[&'a Value]) -> Vec<&'a Value> {
    let mut all = Vec::new();
    let mut todo = schemas.to_vec();
    while let Some(schema) = todo.pop() {
        all.push(schema);
        if let Some(to) = schema.get("$ref").and_then(Value::as_str) {
            todo.push(text.pointer(to.trim_start_matches('#')).unwrap_or_else(|| panic!("{to} is nowhere")));
        }
        for key in ["allOf", "anyOf", "oneOf"] {
            todo.extend(schema.get(key).and_then(Value::as_array).into_iter().flatten());
        }
    }
    all
}

/// What goes wrong in ways that every route of a form knows.
fn refusals(server: &Server, text: &Value, story: &mut Story, operation: &Operation<'_>) {
    if operation.told["security"] == json!([]) {
        return;
    }
    let json = "application/json";
    let address = story.put_in(&operation.address("harbor"));
    let mut ask = |address: &str, media: &str, body: &str, key: bool, status: u16| {
        let reply = server.exchange(&operation.method, address, media, body.as_bytes().to_vec(), key);
        assert_eq!(reply.status, status, "{} {address}: {reply:#?}", operation.name());
        story.note(text, operation, &reply);
    };
    ask(&address, json, "{}", false, 401);
    if operation.path.contains("{tenant}") {
        ask(&operation.address("nobody"), json, "{}", true, 404);
    }
    if operation.media() == Some(json) {
        ask(&address, json, "{", true, 400);
        ask(&address, json, "\"text\"", true, 422);
        ask(&address, "text/plain", "{}", true, 415);
    }
    if operation.told["parameters"].as_array().expect("parameters").iter().any(|one| one["in"] == "query") {
        let joint = if address.contains('?') { '&' } else { '?' };
        ask(&format!("{address}{joint}no-such-thing=1"), json, "{}", true, 422);
    }
}

/// Refusals of the business, each of which the text has to name.
fn business_refusals(server: &Server, text: &Value, story: &mut Story, all: &[Operation<'_>]) {
    let amount = json!({ "minor": 1, "currency": "USD" });
    let entry = |id: &str, to: &str| {
        json!({ "id": id, "date": "2026-06-01", "description": "x", "lines": [
            { "account": "6100", "side": "debit", "amount": amount }, { "account": to, "side": "credit", "amount": amount }] })
    };
    let mut unbalanced = entry("bad-1", "1000");
    unbalanced["lines"][0]["amount"]["minor"] = json!(2);
    let mut late = entry("bad-2", "1000");
    late["date"] = json!("2025-06-01");
    let rows: Vec<(&str, Value, u16, &str)> = vec![
        ("post-ledger-entries", unbalanced, 422, "unbalanced"),
        ("post-ledger-entries", late, 422, "period-locked"),
        ("post-ledger-entries", entry("bad-3", "9998"), 404, "account-not-found"),
        ("post-ledger-entries", entry("rent-2026-06", "1000"), 409, "exists-with-different"),
        ("post-ledger-entries", entry("bad-3", "1000"), 409, "id-already-failed"),
        ("post-ledger-entries", entry("bad-4", "1050"), 422, "insufficient"),
        ("post-ledger-releases", json!({ "hold": "h-9" }), 404, "hold-not-found"),
        ("post-ledger-releases", json!({ "hold": "h-1" }), 422, "already-settled"),
        (
            "post-ledger-year-closings",
            json!({ "closing": { "id": "c", "year": 2026, "retained-earnings": ["3000"] } }),
            422,
            "periods-open",
        ),
        ("post-keys", json!({ "name": "x", "role": "reader" }), 422, "role-invalid"),
        ("post-tenants", json!({ "id": "harbor", "name": "Another" }), 409, "exists-with-different"),
        ("post-backups", json!({ "to": "/etc" }), 403, "backup-target-denied"),
    ];
    for (name, body, status, code) in rows {
        let operation = all.iter().find(|operation| operation.name() == name).unwrap_or_else(|| panic!("no {name}"));
        let address = operation.address("harbor");
        let address = address.split('?').next().expect("a path");
        let reply = server.exchange(&operation.method, address, "application/json", body.to_string().into(), true);
        assert_eq!((reply.status, reply.json()["code"].as_str()), (status, Some(code)), "{name} {body}: {reply:#?}");
        story.note(text, operation, &reply);
    }
}

fn validate(folder: &Path, text: &Value, answers: &[Value]) {
    let Some(python) = openapi_validator() else { return };
    let file = folder.join("answers.json");
    std::fs::write(&file, json!({ "text": text, "answers": answers }).to_string()).expect("written");
    let script = root().join("tests/src/validate.py");
    let said = Command::new(python).arg(script).arg(&file).output().expect("it runs");
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.status.success(), "{text}{}", String::from_utf8_lossy(&said.stderr));
}

#[test]
fn every_example_is_done_and_every_answer_is_what_the_text_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = folder.path().join("vault");
    let vault = vault.to_str().expect("UTF-8");
    let server = Server::start_as(&folder.path().join("data"), &[], &["--backup-to", vault]);
    let text = server.exchange("GET", "/v1/openapi.json", "", Vec::new(), false).json();
    let offline = backroom_tests::backroom(&["openapi"]);
    assert_eq!(serde_json::from_slice::<Value>(&offline.stdout).expect("JSON"), text, "offline it is the same");

    let mut story = Story { known: vec![("/var/backups/backroom".to_owned(), vault.to_owned())], ..Story::default() };
    let all = operations(&text);
    assert!(all.len() >= 110, "{}", all.len());
    let names: BTreeSet<&str> = all.iter().map(Operation::name).collect();
    assert_eq!(names.len(), all.len(), "no id twice");
    for operation in &all {
        story.send(&server, &text, operation);
    }
    for operation in &all {
        refusals(&server, &text, &mut story, operation);
    }
    business_refusals(&server, &text, &mut story, &all);
    validate(folder.path(), &text, &story.answers);
    Company::check_books(&server, "harbor");
    server.verify();
}
