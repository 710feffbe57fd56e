//! The part in Python.

use std::fmt::Write as _;

use wit_parser::Type;

use super::{Contract, Named, Shape, composed, pascal, snake};

/// The module `contract`.
pub(crate) fn module(contract: &Contract) -> String {
    let mut out = "\"\"\"Made of the contract by the conformance suite.\"\"\"\n\n".to_owned();
    let mut modules: Vec<&str> = contract.calls.iter().map(|call| call.interface.as_str()).collect();
    modules.push("types");
    modules.dedup();
    for module in modules {
        writeln!(out, "from wit_world.imports import {0} as {0}_", snake(module)).unwrap();
    }
    out.push_str("\nfrom values import *\n\n");
    let (taken, given) = contract.types();
    taken.iter().for_each(|ty| read(contract, ty, &mut out));
    given.iter().for_each(|ty| write(contract, ty, &mut out));
    out.push_str("CALLS = {\n");
    for call in &contract.calls {
        let readers: Vec<String> = call.parameters.iter().map(|(_, ty)| composed_of(contract, ty, "read")).collect();
        let writer = match call.result.as_ref().map(|ty| (ty, contract.shape(ty))) {
            None | Some((_, Shape::Result(None, _))) => "nothing".to_owned(),
            Some((_, Shape::Result(Some(ok), _))) => written(contract, ok),
            Some((ty, _)) => written(contract, ty),
        };
        let readers: String = readers.iter().map(|reader| format!("{reader}, ")).collect();
        let (module, function) = (snake(&call.interface), snake(&call.function));
        writeln!(out, "    {:?}: ({module}_.{function}, ({readers}), {writer}),", call.name()).unwrap();
    }
    out.push_str("}\n");
    out
}

fn composed_of(contract: &Contract, ty: &Type, what: &str) -> String {
    let plain = |shape: &Shape<'_>| match shape {
        Shape::Bytes if what == "read" => "data".to_owned(),
        Shape::Bytes => "hexadecimal".to_owned(),
        _ => "same".to_owned(),
    };
    composed(contract, ty, &plain, &|name| format!("{what}_{}", name.snake()))
}

fn written(contract: &Contract, ty: &Type) -> String {
    composed_of(contract, ty, "write")
}

/// As `journal_.NewEntry`.
fn path(name: &Named) -> String {
    format!("{}_.{}", snake(&name.interface), pascal(&name.name))
}

fn constant(word: &str) -> String {
    snake(word).to_uppercase()
}

fn read(contract: &Contract, ty: &Type, out: &mut String) {
    let name = contract.name_of(ty);
    let (snake_name, path) = (name.snake(), path(&name));
    match contract.shape(ty) {
        Shape::Record(_, record) => {
            writeln!(out, "def read_{snake_name}(v):\n    return {path}(").unwrap();
            for field in &record.fields {
                let read = composed_of(contract, &field.ty, "read");
                writeln!(out, "        {read}(v.get({:?})),", field.name).unwrap();
            }
            out.push_str("    )\n\n");
        }
        Shape::Enum(_, words) => {
            writeln!(out, "WORDS_{snake_name} = {{").unwrap();
            for word in &words.cases {
                writeln!(out, "    {:?}: {path}.{},", word.name, constant(&word.name)).unwrap();
            }
            writeln!(out, "}}\n\ndef read_{snake_name}(v):\n    return WORDS_{snake_name}[v]\n").unwrap();
        }
        Shape::Variant(_, variant) => {
            writeln!(out, "def read_{snake_name}(v):").unwrap();
            for case in &variant.cases {
                let class = format!("{path}_{}", pascal(&case.name));
                match &case.ty {
                    Some(ty) => writeln!(
                        out,
                        "    if {0:?} in v and v != {0:?}:\n        return {class}({1}(v[{0:?}]))",
                        case.name,
                        composed_of(contract, ty, "read")
                    ),
                    None => writeln!(out, "    if v == {:?}:\n        return {class}()", case.name),
                }
                .unwrap();
            }
            out.push_str("    raise ValueError(v)\n\n");
        }
        _ => {}
    }
}

fn write(contract: &Contract, ty: &Type, out: &mut String) {
    let name = contract.name_of(ty);
    let (snake_name, path) = (name.snake(), path(&name));
    writeln!(out, "def write_{snake_name}(v):").unwrap();
    match contract.shape(ty) {
        Shape::Record(_, record) => {
            out.push_str("    return {\n");
            for field in &record.fields {
                writeln!(out, "        {:?}: {}(v.{}),", field.name, written(contract, &field.ty), snake(&field.name))
                    .unwrap();
            }
            out.push_str("    }\n\n");
        }
        Shape::Enum(_, words) => {
            for word in &words.cases {
                writeln!(out, "    if v == {path}.{}:\n        return {:?}", constant(&word.name), word.name).unwrap();
            }
            out.push_str("    raise ValueError(v)\n\n");
        }
        Shape::Variant(_, variant) => {
            for case in &variant.cases {
                let class = format!("{path}_{}", pascal(&case.name));
                let value = case.ty.as_ref().map_or(format!("{:?}", case.name), |ty| {
                    format!("{{{:?}: {}(v.value)}}", case.name, written(contract, ty))
                });
                writeln!(out, "    if isinstance(v, {class}):\n        return {value}").unwrap();
            }
            out.push_str("    raise ValueError(v)\n\n");
        }
        _ => {}
    }
}
