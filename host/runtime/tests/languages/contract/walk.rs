//! Which functions, words and cases of the contract a table of calls has in it.

use std::collections::BTreeSet;

use serde_json::Value;
use wit_parser::Type;

use super::{Contract, Shape};

/// What was called, and what was passed and answered.
#[derive(Default)]
pub(crate) struct Seen(pub(crate) BTreeSet<String>);

impl Seen {
    /// Notes a call with its answer, `{"ok": value}` or `{"err": error}`. Both have to be of the contract's types.
    pub(crate) fn call(&mut self, contract: &Contract, name: &str, args: &[Value], answer: &Value) {
        let Some(call) = contract.calls.iter().find(|call| call.name() == name) else {
            panic!("{name} is no function of the contract")
        };
        assert_eq!(args.len(), call.parameters.len(), "{name} takes {:?}", call.parameters);
        self.0.insert(name.to_owned());
        for ((parameter, ty), value) in call.parameters.iter().zip(args) {
            self.value(contract, ty, value, &format!("{name}({parameter})"));
        }
        match (call.result.as_ref().map(|ty| (ty, contract.shape(ty))), answer.get("err")) {
            (Some((_, Shape::Result(_, Some(err)))), Some(error)) => self.value(contract, err, error, name),
            (Some((_, Shape::Result(Some(ok), _))), None) => self.value(contract, ok, &answer["ok"], name),
            (None | Some((_, Shape::Result(None, _))), None) => assert!(answer["ok"].is_null(), "{name}: {answer}"),
            (Some((ty, _)), None) => self.value(contract, ty, &answer["ok"], name),
            (_, Some(_)) => panic!("{name} cannot fail: {answer}"),
        }
    }

    fn value(&mut self, contract: &Contract, ty: &Type, value: &Value, at: &str) {
        match contract.shape(ty) {
            Shape::Bool => assert!(value.is_boolean(), "{at}: {value}"),
            Shape::Number(_) => assert!(value.is_u64(), "{at}: {value}"),
            Shape::Text | Shape::Bytes => assert!(value.is_string(), "{at}: {value}"),
            Shape::Option(of) => {
                if !value.is_null() {
                    self.value(contract, of, value, at);
                }
            }
            Shape::List(of) => {
                let items = value.as_array().unwrap_or_else(|| panic!("{at}: {value}"));
                items.iter().for_each(|item| self.value(contract, of, item, at));
            }
            Shape::Result(ok, err) => {
                let (half, inner) = if value.get("ok").is_some() { (ok, &value["ok"]) } else { (err, &value["err"]) };
                half.into_iter().for_each(|ty| self.value(contract, ty, inner, at));
            }
            Shape::Record(name, record) => {
                let fields = value.as_object().unwrap_or_else(|| panic!("{at}: {value}"));
                for field in fields.keys() {
                    let known = record.fields.iter().any(|known| known.name == *field);
                    assert!(known, "{at}: {} has no field {field}", name.name);
                }
                for field in &record.fields {
                    self.value(contract, &field.ty, &value[&field.name], &format!("{at}.{}", field.name));
                }
            }
            Shape::Enum(name, words) => {
                let word = value.as_str().unwrap_or_else(|| panic!("{at}: {value}"));
                assert!(words.cases.iter().any(|known| known.name == word), "{at}: {value}");
                self.0.insert(format!("{}.{}: {word}", name.interface, name.name));
            }
            Shape::Variant(name, variant) => {
                let is = |case: &&wit_parser::Case| value == &case.name || value.get(&case.name).is_some();
                let case = variant.cases.iter().find(is).unwrap_or_else(|| panic!("{at}: {value}"));
                self.0.insert(format!("{}.{}: {}", name.interface, name.name, case.name));
                case.ty.iter().for_each(|ty| self.value(contract, ty, &value[&case.name], at));
            }
        }
    }
}

/// Everything that there is to see: each function, each word of an enum, each case of a variant.
pub(crate) fn everything(contract: &Contract) -> BTreeSet<String> {
    let mut all: BTreeSet<String> = contract.calls.iter().map(super::Call::name).collect();
    let (taken, given) = contract.types();
    for ty in taken.iter().chain(&given) {
        let (name, cases): (_, Vec<&str>) = match contract.shape(ty) {
            Shape::Enum(name, words) => (name, words.cases.iter().map(|case| case.name.as_str()).collect()),
            Shape::Variant(name, variant) => (name, variant.cases.iter().map(|case| case.name.as_str()).collect()),
            _ => continue,
        };
        all.extend(cases.into_iter().map(|case| format!("{}.{}: {case}", name.interface, name.name)));
    }
    all
}
