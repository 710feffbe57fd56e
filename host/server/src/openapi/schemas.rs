//! Schemas of what comes in and of what goes out, under one roof.
//!
//! The two differ: a field that may be left out of a request is always there in an answer. Where they do, what comes in has a name
//! of its own, with `Input` behind it.

use std::collections::BTreeSet;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

const PLACE: &str = "#/components/schemas/";

/// Both generators.
pub(super) struct Schemas {
    pub(super) asked: SchemaGenerator,
    pub(super) given: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            })
        };
        Self {
            asked: settings().for_deserialize().into_generator(),
            given: settings().for_serialize().into_generator(),
        }
    }

    /// The definitions of both, and in `document` the names of those that come in.
    pub(super) fn finish(mut self, document: &mut Value) -> Map<String, Value> {
        let mut given = self.given.take_definitions(true);
        let mut asked = self.asked.take_definitions(true);
        let other = different(&asked, &given);
        asked.values_mut().for_each(|schema| rename(schema, &other));
        rename_asked(document, &other);
        for (name, schema) in asked {
            let name = if other.contains(&name) { format!("{name}Input") } else { name };
            given.insert(name, schema);
        }
        given
    }
}

/// Names that mean something else on the way in, or are made of one that does.
fn different(asked: &Map<String, Value>, given: &Map<String, Value>) -> BTreeSet<String> {
    let apart =
        |(name, schema): (&String, &Value)| given.get(name).is_some_and(|other| other != schema).then(|| name.clone());
    let mut found: BTreeSet<String> = asked.iter().filter_map(apart).collect();
    loop {
        let more = asked.iter().filter(|(name, schema)| !found.contains(*name) && refers(schema, &found));
        let more: Vec<String> =
            more.filter(|(name, _)| given.contains_key(*name)).map(|(name, _)| name.clone()).collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

fn refers(schema: &Value, names: &BTreeSet<String>) -> bool {
    match schema {
        Value::Object(fields) => fields.iter().any(|(key, value)| match value {
            Value::String(to) if key == "$ref" => to.strip_prefix(PLACE).is_some_and(|name| names.contains(name)),
            value => refers(value, names),
        }),
        Value::Array(items) => items.iter().any(|item| refers(item, names)),
        _ => false,
    }
}

fn rename(schema: &mut Value, names: &BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut() {
                match value {
                    Value::String(to) if key == "$ref" => {
                        if to.strip_prefix(PLACE).is_some_and(|name| names.contains(name)) {
                            to.push_str("Input");
                        }
                    }
                    value => rename(value, names),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, names)),
        _ => {}
    }
}

/// In the parameters and bodies of the operations alone.
fn rename_asked(document: &mut Value, names: &BTreeSet<String>) {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for operation in paths.into_iter().flat_map(|paths| paths.values_mut()).filter_map(Value::as_object_mut) {
        for told in operation.values_mut() {
            for part in ["parameters", "requestBody"] {
                if let Some(part) = told.get_mut(part) {
                    rename(part, names);
                }
            }
        }
    }
}
