//! The part in Rust.

use std::fmt::Write as _;

use wit_parser::Type;

use super::{Contract, Named, Shape, composed, pascal, snake};

const HEAD: &str = "\
//! Made of the contract by the conformance suite.
#![allow(dead_code)]

use backroom_sdk::bindings::backroom as api;
use serde_json::{Value, json};

use crate::values::*;

";

/// The module `contract`.
pub(crate) fn module(contract: &Contract) -> String {
    let mut out = HEAD.to_owned();
    let (taken, given) = contract.types();
    taken.iter().for_each(|ty| read(contract, ty, &mut out));
    given.iter().for_each(|ty| write(contract, ty, &mut out));
    out.push_str(
        "pub fn call(name: &str, args: &[Value]) -> Result<Value, api::types::types::Error> {\n    Ok(match name {\n",
    );
    for call in &contract.calls {
        let arguments: Vec<String> =
            call.parameters.iter().enumerate().map(|(at, (_, ty))| argument(contract, ty, at)).collect();
        let reads: String = call
            .parameters
            .iter()
            .enumerate()
            .map(|(at, (_, ty))| format!("let a{at} = {}(&args[{at}]); ", reader(contract, ty)))
            .collect();
        let function = format!("api::{}::{}::{}", snake(&call.package), snake(&call.interface), snake(&call.function));
        let made = format!("{function}({})", arguments.join(", "));
        let value = match call.result.as_ref().map(|ty| (ty, contract.shape(ty))) {
            None => format!("{{ {made}; Value::Null }}"),
            Some((_, Shape::Result(None, _))) => format!("{{ {made}?; Value::Null }}"),
            Some((_, Shape::Result(Some(ok), _))) => format!("{}(&{made}?)", writer(contract, ok)),
            Some((ty, _)) => format!("{}(&{made})", writer(contract, ty)),
        };
        writeln!(out, "        {:?} => {{ {reads}{value} }}", call.name()).unwrap();
    }
    out.push_str("        other => panic!(\"{other} is no function of the contract\"),\n    })\n}\n");
    out
}

/// How wit-bindgen takes an argument: by reference what lies in memory.
fn argument(contract: &Contract, ty: &Type, at: usize) -> String {
    match contract.shape(ty) {
        Shape::Option(of) if matches!(contract.shape(of), Shape::Text) => format!("a{at}.as_deref()"),
        Shape::Option(of) if !copies(contract, of) => format!("a{at}.as_ref()"),
        Shape::Option(_) => format!("a{at}"),
        _ if copies(contract, ty) => format!("a{at}"),
        _ => format!("&a{at}"),
    }
}

/// Whether a value has no memory of its own: wit-bindgen then takes it as it is.
fn copies(contract: &Contract, ty: &Type) -> bool {
    match contract.shape(ty) {
        Shape::Bool | Shape::Number(_) | Shape::Enum(..) => true,
        Shape::Text | Shape::Bytes | Shape::List(_) => false,
        Shape::Option(of) => copies(contract, of),
        Shape::Result(ok, err) => ok.into_iter().chain(err).all(|ty| copies(contract, ty)),
        Shape::Record(_, record) => record.fields.iter().all(|field| copies(contract, &field.ty)),
        Shape::Variant(_, variant) => variant.cases.iter().filter_map(|c| c.ty.as_ref()).all(|ty| copies(contract, ty)),
    }
}

fn path(name: &Named) -> String {
    format!("api::{}::{}::{}", snake(&name.package), snake(&name.interface), pascal(&name.name))
}

fn reader(contract: &Contract, ty: &Type) -> String {
    let plain = |shape: &Shape<'_>| match shape {
        Shape::Bool => "boolean".to_owned(),
        Shape::Number(word) => format!("number::<{word}>"),
        Shape::Text => "text".to_owned(),
        _ => "bytes".to_owned(),
    };
    composed(contract, ty, &plain, &|name| format!("read_{}", name.snake()))
}

fn writer(contract: &Contract, ty: &Type) -> String {
    let plain = |shape: &Shape<'_>| match shape {
        Shape::Bytes => "hex".to_owned(),
        _ => "plain".to_owned(),
    };
    composed(contract, ty, &plain, &|name| format!("write_{}", name.snake()))
        .replace("option(", "some(")
        .replace("many(", "each(")
}

fn read(contract: &Contract, ty: &Type, out: &mut String) {
    let name = contract.name_of(ty);
    let (snake_name, path) = (name.snake(), path(&name));
    writeln!(out, "pub fn read_{snake_name}(v: &Value) -> {path} {{").unwrap();
    match contract.shape(ty) {
        Shape::Record(_, record) => {
            writeln!(out, "    {path} {{").unwrap();
            for field in &record.fields {
                let read = reader(contract, &field.ty);
                writeln!(out, "        {}: {read}(&v[{:?}]),", snake(&field.name), field.name).unwrap();
            }
            out.push_str("    }\n");
        }
        Shape::Enum(_, words) => {
            out.push_str("    match v.as_str().unwrap() {\n");
            for word in &words.cases {
                writeln!(out, "        {:?} => {path}::{},", word.name, pascal(&word.name)).unwrap();
            }
            out.push_str("        other => panic!(\"{other}\"),\n    }\n");
        }
        Shape::Variant(_, variant) => {
            out.push_str("    match case(v) {\n");
            for case in &variant.cases {
                let payload = case.ty.as_ref().map(|ty| format!("({}(&v[{:?}]))", reader(contract, ty), case.name));
                let payload = payload.unwrap_or_default();
                writeln!(out, "        {:?} => {path}::{}{payload},", case.name, pascal(&case.name)).unwrap();
            }
            out.push_str("        other => panic!(\"{other}\"),\n    }\n");
        }
        _ => {}
    }
    out.push_str("}\n\n");
}

fn write(contract: &Contract, ty: &Type, out: &mut String) {
    let name = contract.name_of(ty);
    let (snake_name, path) = (name.snake(), path(&name));
    writeln!(out, "pub fn write_{snake_name}(v: &{path}) -> Value {{").unwrap();
    match contract.shape(ty) {
        Shape::Record(_, record) => {
            out.push_str("    json!({\n");
            for field in &record.fields {
                writeln!(out, "        {:?}: {}(&v.{}),", field.name, writer(contract, &field.ty), snake(&field.name))
                    .unwrap();
            }
            out.push_str("    })\n");
        }
        Shape::Enum(_, words) => {
            out.push_str("    json!(match v {\n");
            for word in &words.cases {
                writeln!(out, "        {path}::{} => {:?},", pascal(&word.name), word.name).unwrap();
            }
            out.push_str("    })\n");
        }
        Shape::Variant(_, variant) => {
            out.push_str("    match v {\n");
            for case in &variant.cases {
                let of = pascal(&case.name);
                match &case.ty {
                    Some(ty) => writeln!(
                        out,
                        "        {path}::{of}(p) => json!({{ {:?}: {}(p) }}),",
                        case.name,
                        writer(contract, ty)
                    ),
                    None => writeln!(out, "        {path}::{of} => json!({:?}),", case.name),
                }
                .unwrap();
            }
            out.push_str("    }\n");
        }
        _ => {}
    }
    out.push_str("}\n\n");
}
