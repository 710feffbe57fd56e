//! What is told of one route.

use schemars::{JsonSchema, Schema, SchemaGenerator};

/// The schema of a type.
pub(super) type Make = fn(&mut SchemaGenerator) -> Schema;

/// What a route takes as its body.
pub(super) enum Body {
    None,
    /// With examples, as JSON.
    Json(Make, Vec<&'static str>),
    /// Bytes of this media type, and what they are.
    Bytes(&'static str, &'static str),
    /// Files as `multipart/form-data`.
    Files(&'static str),
}

/// What a route answers if it did what it was asked.
pub(super) enum Answer {
    Json(Make),
    /// Bytes of one of these media types, and what they are.
    Bytes(&'static [&'static str], &'static str),
}

/// What is told of one route.
pub(super) struct Text {
    pub(super) method: &'static str,
    pub(super) path: String,
    /// One line.
    pub(super) summary: &'static str,
    /// What else there is to know.
    pub(super) more: &'static str,
    pub(super) query: Option<Make>,
    pub(super) body: Body,
    pub(super) answer: Answer,
    /// The statuses of its answers.
    pub(super) statuses: &'static [u16],
    /// What it answers with 202.
    pub(super) accepted: Option<Make>,
    /// Codes of refusals beside those that all routes of its form have, with spaces between them; `code@status` where the status is not
    /// the usual one.
    pub(super) codes: Vec<&'static str>,
    /// The example's parameters: those of the path and those of the query.
    pub(super) with: &'static [(&'static str, &'static str)],
}

fn text(method: &'static str, path: &str, summary: &'static str, statuses: &'static [u16]) -> Text {
    Text {
        method,
        path: path.to_owned(),
        summary,
        more: "",
        query: None,
        body: Body::None,
        answer: Answer::Json(subschema::<serde_json::Value>),
        statuses,
        accepted: None,
        codes: Vec::new(),
        with: &[],
    }
}

pub(super) fn get(path: &str, summary: &'static str) -> Text {
    text("get", path, summary, &[200])
}

/// It may make something: 201 if it did.
pub(super) fn post(path: &str, summary: &'static str) -> Text {
    text("post", path, summary, &[200, 201])
}

pub(super) fn put(path: &str, summary: &'static str) -> Text {
    text("put", path, summary, &[200, 201])
}

pub(super) fn delete(path: &str, summary: &'static str) -> Text {
    text("delete", path, summary, &[200])
}

/// Of a tenant.
pub(super) fn of_tenant(path: &str) -> String {
    format!("/v1/tenants/{{tenant}}{path}")
}

/// Of a tenant's ledger.
pub(super) fn of_ledger(path: &str) -> String {
    format!("/v1/tenants/{{tenant}}/ledger{path}")
}

fn subschema<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Schema {
    schemas.subschema_for::<T>()
}

fn own_schema<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Schema {
    T::json_schema(schemas)
}

impl Text {
    /// It only answers, though it is no GET.
    pub(super) fn reads(mut self) -> Self {
        self.statuses = &[200];
        self
    }

    pub(super) fn more(mut self, more: &'static str) -> Self {
        self.more = more;
        self
    }

    /// The type of the query.
    pub(super) fn asks<T: JsonSchema>(mut self) -> Self {
        self.query = Some(own_schema::<T>);
        self
    }

    /// The type of the body, and an example of it.
    pub(super) fn takes<T: JsonSchema>(mut self, example: &'static str) -> Self {
        self.body = Body::Json(subschema::<T>, vec![example]);
        self
    }

    /// One more example of the body.
    pub(super) fn or(mut self, example: &'static str) -> Self {
        if let Body::Json(_, examples) = &mut self.body {
            examples.push(example);
        }
        self
    }

    pub(super) fn takes_bytes(mut self, media: &'static str, what: &'static str) -> Self {
        self.body = Body::Bytes(media, what);
        self
    }

    pub(super) fn takes_files(mut self, what: &'static str) -> Self {
        self.body = Body::Files(what);
        self
    }

    /// The type of the answer.
    pub(super) fn gives<T: JsonSchema>(mut self) -> Self {
        self.answer = Answer::Json(subschema::<T>);
        self
    }

    pub(super) fn gives_bytes(mut self, media: &'static [&'static str], what: &'static str) -> Self {
        self.answer = Answer::Bytes(media, what);
        self
    }

    /// The type of the answer if it is to be done later.
    pub(super) fn or_accepts<T: JsonSchema>(mut self) -> Self {
        self.accepted = Some(subschema::<T>);
        self
    }

    pub(super) fn refuses(mut self, codes: &'static str) -> Self {
        self.codes.extend(codes.split(' '));
        self
    }

    /// Parameters of the example.
    pub(super) fn with(mut self, parameters: &'static [(&'static str, &'static str)]) -> Self {
        self.with = parameters;
        self
    }
}
