//! The contract as a guest sees it: every function with its name and its core signature, read from `wit/`.

use std::path::Path;
use std::sync::LazyLock;

use wit_parser::abi::{AbiVariant, WasmType};
use wit_parser::{Int, Resolve, SizeAlign, Type, TypeDefKind, WorldId, WorldItem};

/// A function that a guest can import.
pub(crate) struct Function {
    /// As scenarios write it: interface and function, `journal.post`.
    pub(crate) name: String,
    /// The interface, `backroom:ledger/journal@0.1.0`.
    module: String,
    /// The function within it.
    field: String,
    /// Core types.
    params: Vec<&'static str>,
    results: Vec<&'static str>,
    /// Where the value or the error begins in what it returns, if it returns a result through memory.
    pub(crate) payload: Option<usize>,
    /// Whether its operands are so many that they go through memory.
    indirect: bool,
    /// Whether it returns through memory: its last parameter says where.
    returns_in_memory: bool,
}

impl Function {
    /// The import, as `$journal.post`.
    pub(crate) fn import(&self) -> String {
        let Self { name, module, field, params, results, .. } = self;
        let results = if results.is_empty() { String::new() } else { format!("(result {})", results.join(" ")) };
        format!("(import \"{module}\" \"{field}\" (func ${name} (param {}) {results}))\n", params.join(" "))
    }

    /// The interface's name without its version.
    pub(crate) fn interface(&self) -> &str {
        self.name.split('.').next().unwrap_or_default()
    }

    /// A call with zeroes for everything (empty texts, no options), which lie at 2048 if they must, and its results at 512.
    pub(crate) fn call_with_zeroes(&self) -> String {
        let inputs = self.params.len() - usize::from(self.returns_in_memory);
        let zeroes: String = match self.indirect {
            true => "(i32.const 2048)".to_owned(),
            false => self.params.iter().take(inputs).map(|ty| format!("({ty}.const 0) ")).collect(),
        };
        let at = if self.returns_in_memory { "(i32.const 512)" } else { "" };
        let drops = "(drop ".repeat(self.results.len());
        format!("{drops}(call ${} {zeroes}{at}){}", self.name, ")".repeat(self.results.len()))
    }
}

/// The contract and the world that plugins are made for.
pub(crate) struct Contract {
    pub(crate) resolve: Resolve,
    pub(crate) world: WorldId,
    pub(crate) functions: Vec<Function>,
}

impl Contract {
    pub(crate) fn get() -> &'static Self {
        static CONTRACT: LazyLock<Contract> = LazyLock::new(Contract::read);
        &CONTRACT
    }

    /// The function of this name.
    pub(crate) fn function(&self, name: &str) -> &Function {
        let found = self.functions.iter().find(|function| function.name == name);
        found.unwrap_or_else(|| panic!("the contract has no {name}"))
    }

    fn read() -> Self {
        let mut resolve = Resolve::default();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
        let (package, _) = resolve.push_dir(folder).unwrap();
        let world = resolve.select_world(&[package], Some("workflow")).unwrap();
        let mut sizes = SizeAlign::default();
        sizes.fill(&resolve).unwrap();
        let mut functions = Vec::new();
        for item in resolve.worlds[world].imports.values() {
            let WorldItem::Interface { id, .. } = item else { continue };
            let module = resolve.id_of(*id).unwrap();
            let interface = resolve.interfaces[*id].name.clone().unwrap();
            for function in resolve.interfaces[*id].functions.values() {
                let signature = resolve.wasm_signature(AbiVariant::GuestImport, function);
                let payload = match function.result {
                    Some(Type::Id(id)) => match &resolve.types[id].kind {
                        TypeDefKind::Result(result) => {
                            let cases = [result.ok.as_ref(), result.err.as_ref()];
                            Some(sizes.payload_offset(Int::U8, cases).size_wasm32())
                        }
                        _ => None,
                    },
                    _ => None,
                };
                functions.push(Function {
                    name: format!("{interface}.{}", function.name),
                    module: module.clone(),
                    field: function.name.clone(),
                    params: signature.params.iter().map(core_type).collect(),
                    results: signature.results.iter().map(core_type).collect(),
                    payload,
                    indirect: signature.indirect_params,
                    returns_in_memory: signature.retptr,
                });
            }
        }
        Self { resolve, world, functions }
    }
}

fn core_type(ty: &WasmType) -> &'static str {
    match ty {
        WasmType::I32 | WasmType::Pointer | WasmType::Length => "i32",
        WasmType::I64 | WasmType::PointerOrI64 => "i64",
        WasmType::F32 => "f32",
        WasmType::F64 => "f64",
    }
}
