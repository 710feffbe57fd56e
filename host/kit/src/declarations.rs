//! The contract as declarations of TypeScript, for editors and the check of types.
//!
//! As QuickJS has it: records are objects, enums their words, variants `{ tag, val }`, an error is thrown, and every integer is a `number`,
//! exact since none is larger than 2^53 - 1. `none` comes as `null`, and is passed as `null`, `undefined`, or a field that is left out.

use std::fmt::Write as _;

use wit_bindgen_core::wit_parser::{
    Docs, Function, Handle, Interface, Resolve, Type, TypeDefKind, TypeId, TypeOwner, WorldItem,
};

use crate::KitError;
use crate::wit::Contract;

/// Words that cannot name a function or a parameter in TypeScript (ECMA-262, reserved words).
const RESERVED: &str = "await break case catch class const continue debugger default delete do else enum export extends false finally \
    for function if import in instanceof new null return super switch this throw true try typeof var void while with yield";

fn is_reserved(name: &str) -> bool {
    RESERVED.split_whitespace().any(|word| word == name)
}

/// The declarations of every interface that the world imports, and of those that they use.
pub(crate) fn declarations(contract: &Contract) -> Result<String, KitError> {
    let resolve = &contract.resolve;
    let Some(world) = resolve.worlds.get(contract.world) else { return Ok(String::new()) };
    let mut out = String::from("// Made from wit/ by `backroom plugin build`; changes are lost.\n");
    for item in world.imports.values() {
        if let WorldItem::Interface { id, .. } = item {
            let Some(interface) = resolve.interfaces.get(*id) else { continue };
            let Some(name) = resolve.id_of(*id) else { continue };
            Writer { resolve, out: &mut out }.interface(&name, interface)?;
        }
    }
    Ok(out)
}

struct Writer<'a> {
    resolve: &'a Resolve,
    out: &'a mut String,
}

impl Writer<'_> {
    fn interface(&mut self, name: &str, interface: &Interface) -> Result<(), KitError> {
        self.docs(&interface.docs, "");
        self.line(&format!("declare module {name:?} {{"));
        for (name, id) in &interface.types {
            self.definition(name, *id)?;
        }
        for function in interface.functions.values() {
            self.function(function)?;
        }
        self.line("}");
        Ok(())
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn docs(&mut self, docs: &Docs, indent: &str) {
        let Some(text) = &docs.contents else { return };
        let lines: Vec<&str> = text.trim().lines().collect();
        let _ = writeln!(self.out, "{indent}/** {} */", lines.join(&format!("\n{indent} * ")));
    }

    fn definition(&mut self, name: &str, id: TypeId) -> Result<(), KitError> {
        let Some(definition) = self.resolve.types.get(id) else { return Ok(()) };
        self.docs(&definition.docs, "  ");
        let name = pascal(name);
        match &definition.kind {
            TypeDefKind::Record(record) => {
                self.line(&format!("  export interface {name} {{"));
                for field in &record.fields {
                    self.docs(&field.docs, "    ");
                    let optional = if self.is_option(&field.ty) { "?" } else { "" };
                    let line = format!("    {}{optional}: {};", camel(&field.name), self.name(&field.ty)?);
                    self.line(&line);
                }
                self.line("  }");
            }
            TypeDefKind::Enum(words) => {
                let words: Vec<String> = words.cases.iter().map(|case| format!("{:?}", case.name)).collect();
                self.line(&format!("  export type {name} = {};", words.join(" | ")));
            }
            TypeDefKind::Variant(variant) => {
                self.line(&format!("  export type {name} ="));
                for case in &variant.cases {
                    self.docs(&case.docs, "    ");
                    let value = match &case.ty {
                        Some(ty) => format!("; val: {}", self.name(ty)?),
                        None => String::new(),
                    };
                    self.line(&format!("    | {{ tag: {:?}{value} }}", case.name));
                }
                self.line("  ;");
            }
            TypeDefKind::Type(Type::Id(other)) => {
                let target = self.foreign(*other)?;
                self.line(&format!("  export type {name} = {target};"));
            }
            TypeDefKind::Type(ty) => {
                let target = self.name(ty)?;
                self.line(&format!("  export type {name} = {target};"));
            }
            _ => {
                let target = self.kind(&definition.kind)?;
                self.line(&format!("  export type {name} = {target};"));
            }
        }
        Ok(())
    }

    fn function(&mut self, function: &Function) -> Result<(), KitError> {
        self.docs(&function.docs, "  ");
        let mut parameters = Vec::new();
        for parameter in &function.params {
            let (name, ty) = (camel(&parameter.name), self.name(&parameter.ty)?);
            // Nobody calls a parameter by its name, so a word that the language has taken becomes another one.
            let taken = if is_reserved(&name) { "_" } else { "" };
            parameters.push(format!("{name}{taken}: {ty}"));
        }
        let result = function.result.as_ref().map_or(Ok("void".to_owned()), |ty| self.result(ty))?;
        let (name, parameters) = (camel(&function.name), parameters.join(", "));
        // No function can be declared under a word that the language has taken, but it can be exported under it.
        let declared = match is_reserved(&name) {
            true => format!("  function {name}_({parameters}): {result};\n  export {{ {name}_ as {name} }};"),
            false => format!("  export function {name}({parameters}): {result};"),
        };
        self.line(&declared);
        Ok(())
    }

    /// What a function returns: an error is thrown, so only the other half of a result is left.
    fn result(&self, ty: &Type) -> Result<String, KitError> {
        if let Type::Id(id) = ty
            && let Some(definition) = self.resolve.types.get(*id)
            && let TypeDefKind::Result(result) = &definition.kind
        {
            return result.ok.as_ref().map_or(Ok("void".to_owned()), |ok| self.name(ok));
        }
        self.name(ty)
    }

    fn is_option(&self, ty: &Type) -> bool {
        let Type::Id(id) = ty else { return false };
        self.resolve.types.get(*id).is_some_and(|definition| matches!(definition.kind, TypeDefKind::Option(_)))
    }

    fn name(&self, ty: &Type) -> Result<String, KitError> {
        Ok(match ty {
            Type::Bool => "boolean".to_owned(),
            Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::S8 | Type::S16 | Type::S32 => "number".to_owned(),
            Type::Char | Type::String => "string".to_owned(),
            Type::Id(id) => match self.resolve.types.get(*id) {
                Some(definition) => match &definition.name {
                    Some(name) => pascal(name),
                    None => self.kind(&definition.kind)?,
                },
                None => return Err(unknown("a type without a definition")),
            },
            Type::S64 | Type::F32 | Type::F64 | Type::ErrorContext => {
                return Err(unknown("a type that the contract has nowhere"));
            }
        })
    }

    /// A type of another module, by its whole name.
    fn foreign(&self, id: TypeId) -> Result<String, KitError> {
        let definition = self.resolve.types.get(id).ok_or_else(|| unknown("a type without a definition"))?;
        match (definition.owner, &definition.name) {
            (TypeOwner::Interface(interface), Some(name)) => {
                let module = self.resolve.id_of(interface).unwrap_or_default();
                Ok(format!("import({module:?}).{}", pascal(name)))
            }
            _ => self.kind(&definition.kind),
        }
    }

    fn kind(&self, kind: &TypeDefKind) -> Result<String, KitError> {
        Ok(match kind {
            TypeDefKind::List(Type::U8) => "Uint8Array".to_owned(),
            TypeDefKind::List(of) => format!("Array<{}>", self.name(of)?),
            TypeDefKind::Option(of) => format!("{} | null | undefined", self.name(of)?),
            TypeDefKind::Tuple(tuple) => {
                let parts: Result<Vec<String>, KitError> = tuple.types.iter().map(|ty| self.name(ty)).collect();
                format!("[{}]", parts?.join(", "))
            }
            TypeDefKind::Type(ty) => self.name(ty)?,
            // Only what a function returns is thrown; inside of something else both halves are values.
            TypeDefKind::Result(result) => {
                let half = |tag: &str, ty: &Option<Type>| match ty {
                    Some(ty) => Ok::<_, KitError>(format!("{{ tag: {tag:?}; val: {} }}", self.name(ty)?)),
                    None => Ok(format!("{{ tag: {tag:?} }}")),
                };
                format!("({} | {})", half("ok", &result.ok)?, half("err", &result.err)?)
            }
            TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => self.name(&Type::Id(*id))?,
            _ => return Err(unknown("a kind of type that the contract has nowhere")),
        })
    }
}

fn unknown(what: &str) -> KitError {
    KitError::Bindings(format!("{what}; is backroom older than the contract in wit/?"))
}

/// `business-date` to `BusinessDate`.
fn pascal(name: &str) -> String {
    name.split('-')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
        })
        .collect()
}

/// `as-of` to `asOf`.
fn camel(name: &str) -> String {
    let name = pascal(name);
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}
