//! The part in TypeScript.

use std::fmt::Write as _;

use wit_parser::Type;

use super::{Contract, Named, Shape, camel, composed, pascal, snake};

/// The module `contract.ts`.
pub(crate) fn module(contract: &Contract) -> String {
    let mut out = "// Made of the contract by the conformance suite.\n".to_owned();
    let mut modules: Vec<(&str, &str)> =
        contract.calls.iter().map(|call| (call.package.as_str(), call.interface.as_str())).collect();
    modules.dedup();
    for (package, interface) in modules {
        writeln!(out, "import * as {} from \"backroom:{package}/{interface}@0.1.0\";", snake(interface)).unwrap();
    }
    out.push_str("import type * as types from \"backroom:types/types@0.1.0\";\n\n");
    out.push_str("import { many, each, bytes, either, hex, json, nothing, option, some, same, type Json } from \"./values\";\n\n");
    out.push_str("export const unused = [many, each, bytes, either, hex, nothing, option, some, same];\n\n");
    let (taken, given) = contract.types();
    taken.iter().for_each(|ty| read(contract, ty, &mut out));
    given.iter().for_each(|ty| write(contract, ty, &mut out));
    out.push_str("export const calls: Record<string, (args: Json[]) => Json> = {\n");
    for call in &contract.calls {
        let argument = |(at, (_, ty)): (usize, &(String, Type))| format!("{}(args[{at}])", reader(contract, ty));
        let arguments: Vec<String> = call.parameters.iter().enumerate().map(argument).collect();
        let made = format!("{}.{}({})", snake(&call.interface), camel(&call.function), arguments.join(", "));
        let body = match call.result.as_ref().map(|ty| (ty, contract.shape(ty))) {
            None | Some((_, Shape::Result(None, _))) => format!("nothing({made})"),
            Some((_, Shape::Result(Some(ok), _))) => format!("{}({made})", writer(contract, ok)),
            Some((ty, _)) => format!("{}({made})", writer(contract, ty)),
        };
        writeln!(out, "  {:?}: (args) => {body},", call.name()).unwrap();
    }
    out.push_str("};\n");
    out
}

fn reader(contract: &Contract, ty: &Type) -> String {
    let plain = |shape: &Shape<'_>| match shape {
        Shape::Bytes => "bytes".to_owned(),
        Shape::Text => "same<string>".to_owned(),
        Shape::Bool => "same<boolean>".to_owned(),
        _ => "same<number>".to_owned(),
    };
    composed(contract, ty, &plain, &|name| format!("read_{}", name.snake()))
}

fn writer(contract: &Contract, ty: &Type) -> String {
    let plain = |shape: &Shape<'_>| match shape {
        Shape::Bytes => "hex".to_owned(),
        _ => "json".to_owned(),
    };
    composed(contract, ty, &plain, &|name| format!("write_{}", name.snake()))
        .replace("option(", "some(")
        .replace("many(", "each(")
}

fn path(name: &Named) -> String {
    format!("{}.{}", snake(&name.interface), pascal(&name.name))
}

fn read(contract: &Contract, ty: &Type, out: &mut String) {
    let name = contract.name_of(ty);
    let (snake_name, path) = (name.snake(), path(&name));
    writeln!(out, "export function read_{snake_name}(v: Json): {path} {{").unwrap();
    match contract.shape(ty) {
        Shape::Record(_, record) => {
            out.push_str("  return {\n");
            for field in &record.fields {
                writeln!(out, "    {}: {}(v[{:?}]),", camel(&field.name), reader(contract, &field.ty), field.name)
                    .unwrap();
            }
            out.push_str("  };\n");
        }
        Shape::Variant(_, variant) => {
            for case in &variant.cases {
                match &case.ty {
                    Some(ty) => writeln!(
                        out,
                        "  if (v[{0:?}] !== undefined) return {{ tag: {0:?}, val: {1}(v[{0:?}]) }};",
                        case.name,
                        reader(contract, ty)
                    ),
                    None => writeln!(out, "  if (v === {0:?}) return {{ tag: {0:?} }};", case.name),
                }
                .unwrap();
            }
            out.push_str("  throw new Error(String(v));\n");
        }
        _ => writeln!(out, "  return v as {path};").unwrap(),
    }
    out.push_str("}\n\n");
}

fn write(contract: &Contract, ty: &Type, out: &mut String) {
    let name = contract.name_of(ty);
    let (snake_name, path) = (name.snake(), path(&name));
    writeln!(out, "export function write_{snake_name}(v: {path}): Json {{").unwrap();
    match contract.shape(ty) {
        Shape::Record(_, record) => {
            out.push_str("  return {\n");
            for field in &record.fields {
                writeln!(out, "    {:?}: {}(v.{}),", field.name, writer(contract, &field.ty), camel(&field.name))
                    .unwrap();
            }
            out.push_str("  };\n");
        }
        Shape::Variant(_, variant) => {
            out.push_str("  switch (v.tag) {\n");
            for case in &variant.cases {
                let value = case.ty.as_ref().map_or(format!("{:?}", case.name), |ty| {
                    format!("{{ {:?}: {}(v.val) }}", case.name, writer(contract, ty))
                });
                writeln!(out, "    case {:?}: return {value};", case.name).unwrap();
            }
            out.push_str("  }\n");
        }
        // Its word.
        _ => out.push_str("  return v;\n"),
    }
    out.push_str("}\n\n");
}
