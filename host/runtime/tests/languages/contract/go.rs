//! The part in Go.

use std::fmt::Write as _;

use wit_parser::Type;

use super::{Contract, Named, Shape, composed, pascal, snake};

/// The file `contract.go`.
pub(crate) fn file(contract: &Contract) -> String {
    let mut out = "// Made of the contract by the conformance suite.\npackage main\n\nimport (\n".to_owned();
    let mut modules: Vec<(&str, &str)> =
        contract.calls.iter().map(|call| (call.package.as_str(), call.interface.as_str())).collect();
    modules.push(("types", "types"));
    modules.dedup();
    for (package, interface) in modules {
        let interface = snake(interface);
        writeln!(out, "\t{interface} \"backroom.local/sdk/bindings/backroom_{package}_{interface}\"").unwrap();
    }
    out.push_str(")\n\n");
    let (taken, given) = contract.types();
    taken.iter().for_each(|ty| read(contract, ty, &mut out));
    given.iter().for_each(|ty| write(contract, ty, &mut out));
    out.push_str("var calls = map[string]func(args []any) (any, error){\n");
    for call in &contract.calls {
        let argument = |(at, (_, ty)): (usize, &(String, Type))| format!("{}(args[{at}])", reader(contract, ty));
        let arguments: Vec<String> = call.parameters.iter().enumerate().map(argument).collect();
        let made = format!("{}.{}({})", snake(&call.interface), pascal(&call.function), arguments.join(", "));
        let body = match call.result.as_ref().map(|ty| (ty, contract.shape(ty))) {
            None => format!("{made}; return nil, nil"),
            Some((_, Shape::Result(None, _))) => format!("return answer({made}, nothing)"),
            Some((_, Shape::Result(Some(ok), _))) => format!("return answer({made}, {})", writer(contract, ok)),
            Some((ty, _)) => format!("return {}({made}), nil", writer(contract, ty)),
        };
        writeln!(out, "\t{:?}: func(args []any) (any, error) {{ {body} }},", call.name()).unwrap();
    }
    out.push_str("}\n");
    out
}

fn reader(contract: &Contract, ty: &Type) -> String {
    let plain = |shape: &Shape<'_>| match shape {
        Shape::Bytes => "data".to_owned(),
        Shape::Text => "text".to_owned(),
        Shape::Bool => "boolean".to_owned(),
        Shape::Number(word) => format!("number[{}]", word.replace('u', "uint")),
        _ => panic!("no plain value"),
    };
    composed(contract, ty, &plain, &|name| format!("read_{}", name.snake()))
}

fn writer(contract: &Contract, ty: &Type) -> String {
    let plain = |shape: &Shape<'_>| match shape {
        Shape::Bytes => "hexadecimal".to_owned(),
        Shape::Text => "plain[string]".to_owned(),
        Shape::Bool => "plain[bool]".to_owned(),
        Shape::Number(word) => format!("plain[{}]", word.replace('u', "uint")),
        _ => panic!("no plain value"),
    };
    composed(contract, ty, &plain, &|name| format!("write_{}", name.snake()))
        .replace("option(", "some(")
        .replace("many(", "each(")
}

fn path(name: &Named) -> String {
    format!("{}.{}", snake(&name.interface), pascal(&name.name))
}

/// As `MakeErrorNotFound` or `Error_NotFound` in the package of the type.
fn of_package(name: &Named, text: &str) -> String {
    format!("{}.{text}", snake(&name.interface))
}

fn read(contract: &Contract, ty: &Type, out: &mut String) {
    let name = contract.name_of(ty);
    let (snake_name, path) = (name.snake(), path(&name));
    writeln!(out, "func read_{snake_name}(v any) {path} {{").unwrap();
    match contract.shape(ty) {
        Shape::Record(_, record) => {
            writeln!(out, "\tf := v.(map[string]any)\n\treturn {path}{{").unwrap();
            for field in &record.fields {
                writeln!(out, "\t\t{}: {}(f[{:?}]),", pascal(&field.name), reader(contract, &field.ty), field.name)
                    .unwrap();
            }
            out.push_str("\t}\n");
        }
        Shape::Enum(_, words) => {
            out.push_str("\tswitch v.(string) {\n");
            for word in &words.cases {
                let constant = of_package(&name, &format!("{}_{}", pascal(&name.name), pascal(&word.name)));
                writeln!(out, "\tcase {:?}:\n\t\treturn {constant}", word.name).unwrap();
            }
            out.push_str("\t}\n\tpanic(v)\n");
        }
        Shape::Variant(_, variant) => {
            for case in &variant.cases {
                let make = of_package(&name, &format!("Make{}{}", pascal(&name.name), pascal(&case.name)));
                match &case.ty {
                    Some(ty) => writeln!(
                        out,
                        "\tif p, is := payload(v, {:?}); is {{\n\t\treturn {make}({}(p))\n\t}}",
                        case.name,
                        reader(contract, ty)
                    ),
                    None => writeln!(out, "\tif v == {:?} {{\n\t\treturn {make}()\n\t}}", case.name),
                }
                .unwrap();
            }
            out.push_str("\tpanic(v)\n");
        }
        _ => {}
    }
    out.push_str("}\n\n");
}

fn write(contract: &Contract, ty: &Type, out: &mut String) {
    let name = contract.name_of(ty);
    let (snake_name, path) = (name.snake(), path(&name));
    writeln!(out, "func write_{snake_name}(v {path}) any {{").unwrap();
    match contract.shape(ty) {
        Shape::Record(_, record) => {
            out.push_str("\treturn map[string]any{\n");
            for field in &record.fields {
                writeln!(out, "\t\t{:?}: {}(v.{}),", field.name, writer(contract, &field.ty), pascal(&field.name))
                    .unwrap();
            }
            out.push_str("\t}\n");
        }
        Shape::Enum(_, words) => {
            let words: Vec<String> = words.cases.iter().map(|word| format!("{:?}", word.name)).collect();
            writeln!(out, "\treturn [...]string{{{}}}[v]", words.join(", ")).unwrap();
        }
        Shape::Variant(_, variant) => {
            out.push_str("\tswitch v.Tag() {\n");
            for case in &variant.cases {
                let tag = of_package(&name, &format!("{}_{}", pascal(&name.name), pascal(&case.name)));
                let value = case.ty.as_ref().map_or(format!("{:?}", case.name), |ty| {
                    format!("map[string]any{{{:?}: {}(v.{}())}}", case.name, writer(contract, ty), pascal(&case.name))
                });
                writeln!(out, "\tcase {tag}:\n\t\treturn {value}").unwrap();
            }
            out.push_str("\t}\n\tpanic(v.Tag())\n");
        }
        _ => {}
    }
    out.push_str("}\n\n");
}
