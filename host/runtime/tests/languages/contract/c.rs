//! The part in C.

use std::fmt::Write as _;

use wit_parser::Type;

use super::{Call, Contract, Named, Shape, snake};

/// The file `contract.c`.
pub(crate) fn file(contract: &Contract) -> String {
    let mut out = "/* Made of the contract by the conformance suite. */\n#include \"values.h\"\n\n".to_owned();
    let (taken, given) = contract.types();
    taken.iter().for_each(|ty| read(contract, ty, &mut out));
    given.iter().for_each(|ty| write(contract, ty, &mut out));
    out.push_str(
        "bool call(workflow_string_t name, const workflow_string_t *args, text *out, backroom_error *error) {\n",
    );
    contract.calls.iter().for_each(|one| call(contract, one, &mut out));
    out.push_str("  abort();\n}\n");
    out
}

fn call(contract: &Contract, call: &Call, out: &mut String) {
    writeln!(out, "  if (is(name, {:?})) {{", call.name()).unwrap();
    let mut arguments = Vec::new();
    for (at, (_, ty)) in call.parameters.iter().enumerate() {
        let json = format!("args[{at}]");
        let (declared, argument) = match contract.shape(ty) {
            Shape::Option(of) => {
                writeln!(out, "    {} a{at};\n    if ({json}.len) {{", type_of(contract, of, call)).unwrap();
                read_into(contract, of, &format!("a{at}"), &json, 0, out);
                out.push_str("    }\n");
                (None, format!("{json}.len ? &a{at} : NULL"))
            }
            Shape::Bool | Shape::Number(_) | Shape::Enum(..) => (Some(type_of(contract, ty, call)), format!("a{at}")),
            _ => (Some(type_of(contract, ty, call)), format!("&a{at}")),
        };
        if let Some(declared) = declared {
            writeln!(out, "    {declared} a{at};").unwrap();
            read_into(contract, ty, &format!("a{at}"), &json, 0, out);
        }
        arguments.push(argument);
    }
    let function = format!("backroom_{}_{}_{}", snake(&call.package), snake(&call.interface), snake(&call.function));
    let made = |more: &[&str]| {
        let all: Vec<&str> = arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
        format!("{function}({})", all.join(", "))
    };
    match call.result.as_ref().map(|ty| (ty, contract.shape(ty))) {
        None => writeln!(out, "    {};\n    put(out, \"null\");", made(&[])).unwrap(),
        Some((_, Shape::Result(None, _))) => {
            writeln!(out, "    if (!{}) return false;\n    put(out, \"null\");", made(&["error"])).unwrap();
        }
        Some((_, Shape::Result(Some(ok), _))) => {
            writeln!(out, "    {} r;\n    if (!{}) return false;", type_of(contract, ok, call), made(&["&r", "error"]))
                .unwrap();
            write_from(contract, ok, "r", 0, out);
        }
        Some((_, Shape::Option(of))) => {
            writeln!(out, "    {} r;\n    if ({}) {{", type_of(contract, of, call), made(&["&r"])).unwrap();
            write_from(contract, of, "r", 0, out);
            out.push_str("    } else {\n      put(out, \"null\");\n    }\n");
        }
        Some((ty, _)) => {
            writeln!(out, "    {} r;\n    {};", type_of(contract, ty, call), made(&["&r"])).unwrap();
            write_from(contract, ty, "r", 0, out);
        }
    }
    out.push_str("    return true;\n  }\n");
}

/// As `backroom_ledger_journal_new_entry_t`.
fn path(name: &Named) -> String {
    format!("backroom_{}_{}_{}_t", snake(&name.package), snake(&name.interface), snake(&name.name))
}

fn type_of(contract: &Contract, ty: &Type, call: &Call) -> String {
    match contract.shape(ty) {
        Shape::Bool => "bool".to_owned(),
        Shape::Number(word) => format!("{}_t", word.replace('u', "uint")),
        Shape::Text => "workflow_string_t".to_owned(),
        Shape::Record(name, _) | Shape::Enum(name, _) | Shape::Variant(name, _) => path(&name),
        _ => {
            // The generator names a composed type after the interface that uses it, unless it is of plain values alone.
            let mut of_interface = false;
            let part = part(contract, ty, &mut of_interface);
            match of_interface {
                true => format!("backroom_{}_{}_{part}_t", snake(&call.package), snake(&call.interface)),
                false => format!("workflow_{part}_t"),
            }
        }
    }
}

fn part(contract: &Contract, ty: &Type, of_interface: &mut bool) -> String {
    if let Some(name) = contract.local_name(ty) {
        *of_interface = true;
        return snake(name);
    }
    match contract.shape(ty) {
        Shape::Bool => "bool".to_owned(),
        Shape::Number(word) => word.to_owned(),
        Shape::Text => "string".to_owned(),
        Shape::Bytes => "list_u8".to_owned(),
        Shape::Option(of) => format!("option_{}", part(contract, of, of_interface)),
        Shape::List(of) => format!("list_{}", part(contract, of, of_interface)),
        Shape::Result(ok, err) => {
            let mut half = |ty: Option<&Type>| ty.map_or("void".to_owned(), |ty| part(contract, ty, of_interface));
            format!("result_{}_{}", half(ok), half(err))
        }
        _ => panic!("a type without a name"),
    }
}

/// Statements that read the JSON `json` into `at`.
fn read_into(contract: &Contract, ty: &Type, at: &str, json: &str, depth: usize, out: &mut String) {
    match contract.shape(ty) {
        Shape::Bool => writeln!(out, "  {at} = is({json}, \"true\");").unwrap(),
        Shape::Number(_) => writeln!(out, "  {at} = read_number({json});").unwrap(),
        Shape::Text => writeln!(out, "  {at} = read_text({json});").unwrap(),
        Shape::Bytes => writeln!(out, "  {at}.ptr = read_bytes({json}, &{at}.len);").unwrap(),
        Shape::Option(of) => {
            writeln!(out, "  {at}.is_some = {json}.len > 0;\n  if ({at}.is_some) {{").unwrap();
            read_into(contract, of, &format!("{at}.val"), json, depth, out);
            out.push_str("  }\n");
        }
        Shape::List(of) => {
            let (rest, item, next) = (format!("rest{depth}"), format!("item{depth}"), format!("next{depth}"));
            writeln!(out, "  {at}.len = count({json});\n  {at}.ptr = room({at}.len * sizeof *{at}.ptr);").unwrap();
            writeln!(out, "  workflow_string_t {rest} = {json}, {item};\n  size_t {next} = 0;").unwrap();
            writeln!(out, "  while (json_item(&{rest}, &{item})) {{").unwrap();
            read_into(contract, of, &format!("{at}.ptr[{next}]"), &item, depth + 1, out);
            writeln!(out, "  {next}++;\n  }}").unwrap();
        }
        Shape::Result(..) => panic!("no function takes a result"),
        Shape::Record(name, _) | Shape::Enum(name, _) | Shape::Variant(name, _) => {
            writeln!(out, "  {at} = read_{}({json});", name.snake()).unwrap();
        }
    }
}

/// Statements that write `at` as JSON.
fn write_from(contract: &Contract, ty: &Type, at: &str, depth: usize, out: &mut String) {
    match contract.shape(ty) {
        Shape::Bool => writeln!(out, "  put(out, {at} ? \"true\" : \"false\");").unwrap(),
        Shape::Number(_) => writeln!(out, "  put_number(out, {at});").unwrap(),
        Shape::Text => writeln!(out, "  put_text(out, {at});").unwrap(),
        Shape::Bytes => writeln!(out, "  put_bytes(out, {at}.ptr, {at}.len);").unwrap(),
        Shape::Option(of) => {
            writeln!(out, "  if ({at}.is_some) {{").unwrap();
            write_from(contract, of, &format!("{at}.val"), depth, out);
            out.push_str("  } else {\n  put(out, \"null\");\n  }\n");
        }
        Shape::List(of) => {
            writeln!(out, "  put(out, \"[\");\n  for (size_t i{depth} = 0; i{depth} < {at}.len; i{depth}++) {{")
                .unwrap();
            writeln!(out, "  if (i{depth}) put(out, \",\");").unwrap();
            write_from(contract, of, &format!("{at}.ptr[i{depth}]"), depth + 1, out);
            out.push_str("  }\n  put(out, \"]\");\n");
        }
        Shape::Result(ok, err) => {
            writeln!(out, "  if ({at}.is_err) {{\n  put(out, \"{{\\\"err\\\":\");").unwrap();
            half(contract, err, &format!("{at}.val.err"), depth, out);
            out.push_str("  } else {\n  put(out, \"{\\\"ok\\\":\");\n");
            half(contract, ok, &format!("{at}.val.ok"), depth, out);
            out.push_str("  }\n  put(out, \"}\");\n");
        }
        Shape::Record(name, _) | Shape::Enum(name, _) | Shape::Variant(name, _) => {
            writeln!(out, "  write_{}(out, &{at});", name.snake()).unwrap();
        }
    }
}

fn half(contract: &Contract, ty: Option<&Type>, at: &str, depth: usize, out: &mut String) {
    match ty {
        Some(ty) => write_from(contract, ty, at, depth, out),
        None => out.push_str("  put(out, \"null\");\n"),
    }
}

/// As `BACKROOM_TYPES_TYPES_SIDE_DEBIT`.
fn constant(name: &Named, case: &str) -> String {
    let path = path(name);
    format!("{}_{}", path.trim_end_matches("_t"), snake(case)).to_uppercase()
}

fn read(contract: &Contract, ty: &Type, out: &mut String) {
    let name = contract.name_of(ty);
    let (snake_name, path) = (name.snake(), path(&name));
    writeln!(out, "{path} read_{snake_name}(workflow_string_t json) {{\n  {path} v;").unwrap();
    match contract.shape(ty) {
        Shape::Record(_, record) => {
            for field in &record.fields {
                let json = format!("j_{}", snake(&field.name));
                writeln!(out, "  workflow_string_t {json} = member(json, {:?});", field.name).unwrap();
                out.push_str("  {\n");
                read_into(contract, &field.ty, &format!("v.{}", snake(&field.name)), &json, 0, out);
                out.push_str("  }\n");
            }
        }
        Shape::Enum(_, words) => {
            for word in &words.cases {
                let constant = constant(&name, &word.name);
                writeln!(out, "  if (is_word(json, {:?})) return {constant};", word.name).unwrap();
            }
            out.push_str("  abort();\n");
        }
        Shape::Variant(_, variant) => {
            for case in &variant.cases {
                let constant = constant(&name, &case.name);
                match &case.ty {
                    Some(ty) => {
                        let json = format!("j_{}", snake(&case.name));
                        writeln!(
                            out,
                            "  workflow_string_t {json} = member(json, {:?});\n  if ({json}.len) {{",
                            case.name
                        )
                        .unwrap();
                        writeln!(out, "  v.tag = {constant};").unwrap();
                        read_into(contract, ty, &format!("v.val.{}", snake(&case.name)), &json, 0, out);
                        out.push_str("  return v;\n  }\n");
                    }
                    None => {
                        writeln!(
                            out,
                            "  if (is_word(json, {:?})) {{\n  v.tag = {constant};\n  return v;\n  }}",
                            case.name
                        )
                        .unwrap();
                    }
                }
            }
            out.push_str("  abort();\n");
        }
        _ => {}
    }
    out.push_str("  return v;\n}\n\n");
}

fn write(contract: &Contract, ty: &Type, out: &mut String) {
    let name = contract.name_of(ty);
    let (snake_name, path) = (name.snake(), path(&name));
    writeln!(out, "void write_{snake_name}(text *out, const {path} *v) {{").unwrap();
    match contract.shape(ty) {
        Shape::Record(_, record) => {
            for (at, field) in record.fields.iter().enumerate() {
                let before = if at == 0 { "{" } else { "," };
                writeln!(out, "  put(out, \"{before}\\\"{}\\\":\");", field.name).unwrap();
                write_from(contract, &field.ty, &format!("v->{}", snake(&field.name)), 0, out);
            }
            out.push_str("  put(out, \"}\");\n");
        }
        Shape::Enum(_, words) => {
            out.push_str("  switch (*v) {\n");
            for word in &words.cases {
                let constant = constant(&name, &word.name);
                writeln!(out, "  case {constant}: put(out, \"\\\"{}\\\"\"); return;", word.name).unwrap();
            }
            out.push_str("  }\n  abort();\n");
        }
        Shape::Variant(_, variant) => {
            out.push_str("  switch (v->tag) {\n");
            for case in &variant.cases {
                writeln!(out, "  case {}:", constant(&name, &case.name)).unwrap();
                match &case.ty {
                    Some(ty) => {
                        writeln!(out, "  put(out, \"{{\\\"{}\\\":\");", case.name).unwrap();
                        write_from(contract, ty, &format!("v->val.{}", snake(&case.name)), 0, out);
                        out.push_str("  put(out, \"}\");\n  return;\n");
                    }
                    None => writeln!(out, "  put(out, \"\\\"{}\\\"\");\n  return;", case.name).unwrap(),
                }
            }
            out.push_str("  }\n  abort();\n");
        }
        _ => {}
    }
    out.push_str("}\n\n");
}
