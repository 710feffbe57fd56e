//! The contract as it is in `wit/`, and out of it a program's part that calls any function with values out of JSON.
//!
//! Values are written the same way in every language: records are objects with the contract's own names, enums their words, variants
//! an object of one case (or its word, if it carries nothing), options the value or null, bytes hexadecimal digits.

pub(crate) mod c;
pub(crate) mod go;
pub(crate) mod python;
pub(crate) mod rust;
pub(crate) mod typescript;
mod walk;

use std::path::Path;

use wit_parser::{Enum, Function, Record, Resolve, Type, TypeDefKind, TypeId, TypeOwner, Variant, WorldItem};

pub(crate) use walk::{Seen, everything};

/// The contract.
pub(crate) struct Contract {
    resolve: Resolve,
    pub(crate) calls: Vec<Call>,
}

/// A function of the contract.
pub(crate) struct Call {
    /// As `ledger`.
    package: String,
    /// As `open-items`.
    interface: String,
    /// As `match-items`.
    function: String,
    parameters: Vec<(String, Type)>,
    result: Option<Type>,
}

impl Call {
    /// As `open-items.match-items`.
    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.interface, self.function)
    }
}

/// A type that the contract gives a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) package: String,
    pub(crate) interface: String,
    pub(crate) name: String,
}

impl Named {
    /// As `open_items_write_off`.
    fn snake(&self) -> String {
        snake(&format!("{}-{}", self.interface, self.name))
    }
}

/// What a type is, whatever other names it has.
pub(crate) enum Shape<'a> {
    Bool,
    /// As `u64`.
    Number(&'static str),
    Text,
    Bytes,
    Option(&'a Type),
    List(&'a Type),
    Result(Option<&'a Type>, Option<&'a Type>),
    Record(Named, &'a Record),
    Enum(Named, &'a Enum),
    Variant(Named, &'a Variant),
}

impl Contract {
    /// Reads it.
    pub(crate) fn read(wit: &Path) -> Self {
        let mut resolve = Resolve::default();
        resolve.push_dir(wit).unwrap();
        let (_, world) = resolve.worlds.iter().find(|(_, world)| world.name == "workflow").unwrap();
        let interfaces: Vec<_> = world
            .imports
            .values()
            .filter_map(|item| match item {
                WorldItem::Interface { id, .. } => Some(*id),
                _ => None,
            })
            .collect();
        let call = |id: wit_parser::InterfaceId, (name, function): (&String, &Function)| {
            let interface = &resolve.interfaces[id];
            let package = &resolve.packages[interface.package.unwrap()].name;
            Call {
                package: package.name.clone(),
                interface: interface.name.clone().unwrap(),
                function: name.clone(),
                parameters: function.params.iter().map(|p| (p.name.clone(), p.ty)).collect(),
                result: function.result,
            }
        };
        let of = |id| resolve.interfaces[id].functions.iter().map(move |function| (id, function));
        let calls = interfaces.into_iter().flat_map(of).map(|(id, function)| call(id, function)).collect();
        Self { resolve, calls }
    }

    pub(crate) fn shape<'a>(&'a self, ty: &'a Type) -> Shape<'a> {
        let id = match ty {
            Type::Bool => return Shape::Bool,
            Type::U8 => return Shape::Number("u8"),
            Type::U16 => return Shape::Number("u16"),
            Type::U32 => return Shape::Number("u32"),
            Type::U64 => return Shape::Number("u64"),
            Type::String => return Shape::Text,
            Type::Id(id) => *id,
            other => panic!("{other:?} is a type that the conformance suite does not know yet"),
        };
        match &self.resolve.types[id].kind {
            TypeDefKind::Type(other) => self.shape(other),
            TypeDefKind::Option(of) => Shape::Option(of),
            TypeDefKind::List(Type::U8) => Shape::Bytes,
            TypeDefKind::List(of) => Shape::List(of),
            TypeDefKind::Result(result) => Shape::Result(result.ok.as_ref(), result.err.as_ref()),
            TypeDefKind::Record(record) => Shape::Record(self.named(id), record),
            TypeDefKind::Enum(words) => Shape::Enum(self.named(id), words),
            TypeDefKind::Variant(variant) => Shape::Variant(self.named(id), variant),
            other => panic!("{} is a type that the conformance suite does not know yet", other.as_str()),
        }
    }

    fn named(&self, id: TypeId) -> Named {
        let definition = &self.resolve.types[id];
        let TypeOwner::Interface(owner) = definition.owner else { panic!("{:?}", definition.name) };
        let interface = &self.resolve.interfaces[owner];
        let package = &self.resolve.packages[interface.package.unwrap()].name;
        Named {
            package: package.name.clone(),
            interface: interface.name.clone().unwrap(),
            name: definition.name.clone().unwrap(),
        }
    }

    /// The name that a type has where it is used: the interface's own for what it took from another one.
    fn local_name(&self, ty: &Type) -> Option<&str> {
        let Type::Id(id) = ty else { return None };
        self.resolve.types[*id].name.as_deref()
    }

    /// Named types, each behind those that it is made of: what functions take, and what they give.
    fn types(&self) -> (Vec<Type>, Vec<Type>) {
        let (mut taken, mut given) = (Vec::new(), Vec::new());
        for call in &self.calls {
            for (_, ty) in &call.parameters {
                self.below(ty, &mut taken);
            }
            if let Some(ty) = &call.result {
                self.below(ty, &mut given);
            }
        }
        (taken, given)
    }

    fn below(&self, ty: &Type, found: &mut Vec<Type>) {
        let named = match self.shape(ty) {
            Shape::Bool | Shape::Number(_) | Shape::Text | Shape::Bytes => return,
            Shape::Option(of) | Shape::List(of) => return self.below(of, found),
            Shape::Result(ok, err) => return ok.into_iter().chain(err).for_each(|ty| self.below(ty, found)),
            Shape::Record(named, record) => {
                record.fields.iter().for_each(|field| self.below(&field.ty, found));
                named
            }
            Shape::Enum(named, _) => named,
            Shape::Variant(named, variant) => {
                variant.cases.iter().filter_map(|case| case.ty.as_ref()).for_each(|ty| self.below(ty, found));
                named
            }
        };
        if !found.iter().any(|other| self.name_of(other) == named) {
            found.push(*ty);
        }
    }

    fn name_of(&self, ty: &Type) -> Named {
        match self.shape(ty) {
            Shape::Record(named, _) | Shape::Enum(named, _) | Shape::Variant(named, _) => named,
            _ => panic!("a type without a name"),
        }
    }
}

/// `business-date` to `business_date`.
fn snake(name: &str) -> String {
    name.replace('-', "_")
}

/// `business-date` to `BusinessDate`.
fn pascal(name: &str) -> String {
    let word = |word: &str| word[..1].to_uppercase() + &word[1..];
    name.split('-').map(word).collect()
}

/// `business-date` to `businessDate`.
fn camel(name: &str) -> String {
    let name = pascal(name);
    name[..1].to_lowercase() + &name[1..]
}

/// Gives each name that comes in lines as `NAME(...)`, which is how readers and writers of composed types are put together.
fn composed(
    contract: &Contract,
    ty: &Type,
    plain: &dyn Fn(&Shape<'_>) -> String,
    named: &dyn Fn(&Named) -> String,
) -> String {
    let inner = |ty: &Type| composed(contract, ty, plain, named);
    match contract.shape(ty) {
        Shape::Option(of) => format!("option({})", inner(of)),
        Shape::List(of) => format!("many({})", inner(of)),
        Shape::Result(ok, err) => {
            let half = |ty: Option<&Type>| ty.map_or_else(|| "nothing".to_owned(), &inner);
            format!("either({}, {})", half(ok), half(err))
        }
        Shape::Record(name, _) | Shape::Enum(name, _) | Shape::Variant(name, _) => named(&name),
        shape => plain(&shape),
    }
}
