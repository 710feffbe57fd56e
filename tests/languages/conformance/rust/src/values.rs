//! Plain and composed values out of JSON and back.
#![allow(dead_code)]

use serde::Serialize;
use serde_json::{Value, json};

pub fn boolean(v: &Value) -> bool {
    v.as_bool().unwrap()
}

pub fn number<T: TryFrom<u64>>(v: &Value) -> T {
    T::try_from(v.as_u64().unwrap()).ok().unwrap()
}

pub fn text(v: &Value) -> String {
    v.as_str().unwrap().to_owned()
}

pub fn bytes(v: &Value) -> Vec<u8> {
    let digits = v.as_str().unwrap();
    (0..digits.len() / 2).map(|at| u8::from_str_radix(&digits[at * 2..at * 2 + 2], 16).unwrap()).collect()
}

pub fn option<T>(read: impl Fn(&Value) -> T) -> impl Fn(&Value) -> Option<T> {
    move |v| if v.is_null() { None } else { Some(read(v)) }
}

pub fn many<T>(read: impl Fn(&Value) -> T) -> impl Fn(&Value) -> Vec<T> {
    move |v| v.as_array().unwrap().iter().map(&read).collect()
}

/// The case of a variant.
pub fn case(v: &Value) -> &str {
    v.as_str().or_else(|| v.as_object()?.keys().next().map(String::as_str)).unwrap()
}

pub fn plain<T: Serialize>(v: &T) -> Value {
    json!(v)
}

pub fn hex(v: &Vec<u8>) -> Value {
    json!(v.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

pub fn some<T>(write: impl Fn(&T) -> Value) -> impl Fn(&Option<T>) -> Value {
    move |v| v.as_ref().map_or(Value::Null, &write)
}

pub fn each<T>(write: impl Fn(&T) -> Value) -> impl Fn(&Vec<T>) -> Value {
    move |v| v.iter().map(&write).collect()
}

pub fn either<T, E>(ok: impl Fn(&T) -> Value, err: impl Fn(&E) -> Value) -> impl Fn(&Result<T, E>) -> Value {
    move |v| match v {
        Ok(value) => json!({ "ok": ok(value) }),
        Err(error) => json!({ "err": err(error) }),
    }
}
