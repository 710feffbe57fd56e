//! The OpenAPI text: every route with its parameters, its body, its answers and an example.
//!
//! The schemas are those of the types that serde reads and writes, so they cannot say anything else. What is written by hand is one
//! line of words for each route, an example, and the codes of its refusals. A test sends every example, in their order, and compares
//! every answer with its schema.

mod books;
mod codes;
mod controls;
mod people;
mod provider;
mod reports;
mod schemas;
mod tenant;
mod text;

use std::sync::OnceLock;

use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::Response;
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use self::schemas::Schemas;
use self::text::{Answer, Body, Make, Text};
use crate::auth::Access;
use crate::problem;
use crate::routes::{ROUTES, Route};
use crate::session;

/// The answer to `GET /v1/openapi.json`.
pub(crate) async fn show() -> Response {
    // Anybody may ask: what is answered is not made anew, nor copied.
    static TEXT: OnceLock<Bytes> = OnceLock::new();
    let text = TEXT.get_or_init(|| serde_json::to_vec(&openapi()).unwrap_or_default().into());
    session::json(StatusCode::OK, text.clone())
}

/// All texts, in the order in which their examples can be sent.
fn texts() -> Vec<Text> {
    let tables =
        [provider::begin, tenant::texts, books::texts, controls::texts, reports::texts, people::texts, provider::end];
    tables.into_iter().flat_map(|table| table()).collect()
}

/// What the API is, as OpenAPI 3.1.
pub fn openapi() -> Value {
    let mut schemas = Schemas::new();
    let problem = problem::schema(&mut schemas.given);
    let mut paths: Map<String, Value> = Map::new();
    for (order, text) in (1_usize..).zip(texts()) {
        let route = ROUTES.iter().find(|r| r.path == text.path && r.method.as_str().eq_ignore_ascii_case(text.method));
        // A text without a route is left out, and missed by the test that counts them.
        let Some(route) = route else { continue };
        let operation = operation(route, &text, order, &problem, &mut schemas);
        let entry = paths.entry(text.path.clone()).or_insert_with(|| json!({}));
        if let Some(methods) = entry.as_object_mut() {
            methods.insert(text.method.to_owned(), operation);
        }
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Backroom",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache 2.0", "identifier": "Apache-2.0" },
            "description": ABOUT,
        },
        "servers": [{ "url": "/", "description": "Wherever this text comes from." }],
        "security": [{ "key": [] }],
        "paths": paths,
    });
    let definitions = schemas.finish(&mut document);
    if let Some(fields) = document.as_object_mut() {
        let key = json!({ "type": "http", "scheme": "bearer", "bearerFormat": "brk_...", "description": KEY });
        fields.insert("components".to_owned(), json!({ "schemas": definitions, "securitySchemes": { "key": key } }));
    }
    document
}

const ABOUT: &str = "The books, the people and the stock of client companies (tenants), with sandboxed workflows over them.\n\n\
    Ids are chosen by the caller and are the idempotency keys: the same request with the same id is done once, and answered with 200 \
    instead of 201 after that. An id with another content is `exists-with-different`. Amounts of money are whole minor units (cents) \
    with a currency, at most 2^53 - 1, never negative: the side says the direction. Rates and quantities are decimals as text. \
    Where a path holds an id with a slash, write the slash as `%2F`.\n\n\
    Refusals are problem details (RFC 9457). `code` says what it is about, `class` what to do, `errors` has all independent reasons. \
    Only `unavailable` may be sent again unchanged.\n\n\
    `x-order` numbers the operations in an order in which their examples can be sent, one after the other, to a new installation; of \
    several examples of one operation the first comes first.";

const KEY: &str = "A key of `backroom key create` or `POST /v1/keys`. An administrator's is for all of it, an operator's and a reader's for \
    one tenant; a reader's changes nothing.";

/// What the caller of a route has to be.
fn needs(access: Access) -> &'static str {
    match access {
        Access::Open => "Needs no key.",
        Access::Key => "Needs a key.",
        Access::Admin => "Needs an administrator's key.",
        Access::Read => "Needs a key of the tenant, or an administrator's.",
        Access::Write => "Needs an operator's key of the tenant, or an administrator's.",
    }
}

fn operation(route: &Route, text: &Text, order: usize, problem: &Value, schemas: &mut Schemas) -> Value {
    let description = [needs(route.access), text.more].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    let mut operation = json!({
        "operationId": name(text),
        "summary": text.summary,
        "description": description.join(" "),
        "tags": [tag(&text.path)],
        "x-order": order,
        "parameters": parameters(text, &mut schemas.asked),
        "responses": responses(route, text, problem, &mut schemas.given),
    });
    let Some(fields) = operation.as_object_mut() else { return operation };
    if route.access == Access::Open {
        fields.insert("security".to_owned(), json!([]));
    }
    if let Some(body) = body(&text.body, &mut schemas.asked) {
        fields.insert("requestBody".to_owned(), body);
    }
    operation
}

/// `post-ledger-entries`.
fn name(text: &Text) -> String {
    let parts = text.path.split('/').filter(|part| !part.is_empty() && !matches!(*part, "v1" | "{tenant}"));
    let parts = parts.filter(|part| *part != "tenants" || !text.path.contains("{tenant}/"));
    let parts: Vec<&str> = parts.map(|part| part.trim_matches(['{', '}'])).collect();
    let alone = if text.path.ends_with("/{tenant}") { "-tenant" } else { "" };
    format!("{}-{}{alone}", text.method, parts.join("-").replace('.', "-"))
}

/// What it is about.
fn tag(path: &str) -> &str {
    match path.strip_prefix("/v1/tenants/{tenant}/") {
        Some(rest) => rest.split('/').next().unwrap_or(rest),
        None => "provider",
    }
}

fn parameters(text: &Text, schemas: &mut SchemaGenerator) -> Vec<Value> {
    let example = |name: &str| text.with.iter().find(|(found, _)| *found == name).map(|(_, value)| *value);
    let names = text.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut found: Vec<Value> = names
        .map(|name| {
            let value = example(name).unwrap_or(if name == "tenant" { "harbor" } else { "" });
            json!({
                "name": name,
                "in": "path",
                "required": true,
                "description": of_path(name, &text.path),
                "schema": { "type": "string" },
                "example": value,
            })
        })
        .collect();
    let Some(make) = text.query else { return found };
    let schema = make(schemas).to_value();
    let required = schema.get("required").and_then(Value::as_array);
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, schema) in properties.into_iter().flatten() {
        let (schema, description) = plain(schema.clone(), name);
        let mut parameter = json!({
            "name": name,
            "in": "query",
            "required": required.is_some_and(|list| list.contains(&json!(name))),
            "description": description,
            "schema": schema,
        });
        if let (Some(value), Some(fields)) = (example(name), parameter.as_object_mut()) {
            let number =
                fields.get("schema").and_then(|schema| schema.get("type")).is_some_and(|kind| kind != "string");
            let parsed = number.then(|| serde_json::from_str(value).ok()).flatten();
            fields.insert("example".to_owned(), parsed.unwrap_or_else(|| json!(value)));
        }
        found.push(parameter);
    }
    found
}

/// The schema of a parameter, which is there or not but never null, and what is said of it.
fn plain(mut schema: Value, name: &str) -> (Value, String) {
    let mut description = None;
    if let Some(fields) = schema.as_object_mut() {
        description = fields.remove("description").and_then(|text| text.as_str().map(str::to_owned));
        fields.remove("default");
        if let Some(Value::Array(kinds)) = fields.get("type") {
            let kind = kinds.iter().find(|kind| **kind != json!("null")).cloned();
            fields.insert("type".to_owned(), kind.unwrap_or_default());
        }
        let only = match fields.get("anyOf") {
            Some(Value::Array(options)) => options.iter().find(|option| option.get("$ref").is_some()).cloned(),
            _ => None,
        };
        if let Some(only) = only {
            schema = only;
        }
    }
    let known = match name {
        "cursor" => "The `next` of the page before.",
        "limit" => "Items of a page, 1 to 500; 100 if not said.",
        "book" => "The book; `main` if not said.",
        "from" => "The first day; from the beginning if not said.",
        "to" => "The last day; to the end if not said.",
        "as-of" => "Up to and on this day; everything if not said.",
        "recorded-at" => "As the books were at this moment.",
        "date" => "The day.",
        "account" | "party" | "position" | "place" | "location" | "plan" => "Of this one alone.",
        "first-day" => "Days from this one on.",
        "last-day" => "Days up to and on this one.",
        "prefix" => "Paths that begin so.",
        "year" => "The fiscal year, by the calendar year in which it begins; that of today if not said.",
        "side" => "The side that the balance stands on.",
        "type" => "The type of rate.",
        "format" => "`hledger`, `ledger`, `beancount` or `csv`.",
        "largest" => "How many entries are named, at most 50; 10 if not said.",
        "buckets" => "Days with commas between: the last of each bucket; 30, 60, 90 if not said.",
        "tolerance" => "Minor units that it may differ by; none if not said.",
        _ => "",
    };
    (schema, description.unwrap_or_else(|| known.to_owned()))
}

fn of_path(name: &str, path: &str) -> &'static str {
    match name {
        "tenant" => "The client company.",
        "code" | "account" => "The account's code.",
        "digest" => "The BLAKE3 hash of the component: 64 hexadecimal digits.",
        "folder" => "The folder.",
        "path" => "The path of the file in its folder.",
        "line" => "The bank's id of the line.",
        "name" if path.contains("by-dimension") => "The dimension.",
        "name" => "The name.",
        _ => "The id.",
    }
}

fn body(body: &Body, schemas: &mut SchemaGenerator) -> Option<Value> {
    Some(match body {
        Body::None => return None,
        Body::Json(make, examples) => {
            let parsed = examples.iter().map(|text| serde_json::from_str(text).unwrap_or_else(|_| json!(text)));
            let named = (1_usize..).zip(parsed).map(|(i, value)| (format!("{i}"), json!({ "value": value })));
            let examples: Map<String, Value> = named.collect();
            let content = json!({ "application/json": { "schema": make(schemas), "examples": examples } });
            json!({ "required": true, "content": content })
        }
        Body::Bytes(media, what) => json!({ "required": true, "description": what, "content": { *media: {} } }),
        Body::Files(what) => {
            let file = json!({ "type": "string", "contentMediaType": "text/csv" });
            let schema = json!({ "type": "object", "properties": { "file": { "type": "array", "items": file } } });
            json!({ "required": true, "description": what, "content": { "multipart/form-data": { "schema": schema } } })
        }
    })
}

fn responses(route: &Route, text: &Text, problem: &Value, schemas: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    let mut json_of = |make: Make| json!({ "application/json": { "schema": make(schemas) } });
    for status in text.statuses {
        let told = match (status, text.method) {
            (201, _) => "Done, and on disk.",
            (_, "get") => "The answer.",
            (_, _) if text.statuses.contains(&201) => "It had been done before, or nothing was to be kept.",
            _ => "Done.",
        };
        let response = match &text.answer {
            Answer::Json(make) => json!({ "description": told, "content": json_of(*make) }),
            Answer::Bytes(media, what) => {
                let content: Map<String, Value> = media.iter().map(|media| ((*media).to_owned(), json!({}))).collect();
                json!({ "description": what, "content": content })
            }
        };
        responses.insert(status.to_string(), response);
    }
    if let Some(make) = text.accepted {
        responses.insert(
            "202".to_owned(),
            json!({ "description": "It waits, and is on disk as such.", "content": json_of(make) }),
        );
    }
    for (status, codes) in codes::of(route, text) {
        let told = codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", ");
        let schema = json!({
            "allOf": [problem],
            "properties": { "status": { "const": status }, "code": { "enum": codes } },
        });
        let content = json!({ "application/problem+json": { "schema": schema } });
        responses.insert(status.to_string(), json!({ "description": format!("{told}."), "content": content }));
    }
    Value::Object(responses)
}
