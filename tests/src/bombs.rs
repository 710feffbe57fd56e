//! Components that are small to send and take whoever compiles them very long, or very much memory. All of them are valid unless
//! their name says otherwise, so they get as far as the compiler.

use wasm_encoder::{
    Alias, BlockType, CanonicalFunctionSection, CodeSection, Component, ComponentAliasSection, ComponentExportKind,
    ComponentExportSection, ComponentTypeSection, ComponentValType, ConstExpr, CustomSection, ExportKind,
    ExportSection, Function, FunctionSection, GlobalSection, GlobalType, InstanceSection, Module, ModuleArg,
    ModuleSection, PrimitiveValType, RawSection, TypeSection, ValType,
};

/// The manifest of every one of them.
const MANIFEST: &str = "name = \"bomb\"\nversion = \"1.0.0\"\ndescription = \"Takes very long to compile.\"\n";

/// One that is harmless, and too simple to be a plugin: its `run` is not the contract's.
pub fn harmless() -> Vec<u8> {
    component(&module([answer(&mut Function::new([]))]))
}

/// So many functions of 40 instructions each.
pub fn many_functions(count: usize) -> Vec<u8> {
    let mut function = Function::new([(2, ValType::I32)]);
    for n in 0..10 {
        function.instructions().local_get(0).i32_const(n).i32_mul().local_set(1);
    }
    let function = answer(&mut function);
    component(&module(std::iter::repeat_n(function, count)))
}

/// One function that calls itself so many times and needs all of the answers at its end.
pub fn giant_function(calls: usize) -> Vec<u8> {
    let mut function = Function::new([]);
    for _ in 0..calls {
        function.instructions().call(0);
    }
    for _ in 1..calls {
        function.instructions().i32_add();
    }
    function.instructions().global_set(0);
    component(&module([answer(&mut function)]))
}

/// One function of so many jumps, each to any of 1,000 places, with 1,000 values that change on the way to each.
pub fn jump_tables(count: usize) -> Vec<u8> {
    const PLACES: u32 = 1_000;
    let mut function = Function::new([(PLACES, ValType::I32)]);
    for _ in 0..PLACES {
        function.instructions().block(BlockType::Empty);
    }
    for n in 0..count {
        let n = u32::try_from(n).expect("a small number") % PLACES;
        function.instructions().call(0).local_set(n);
        function.instructions().block(BlockType::Empty).call(0).br_table(1..PLACES, 0).end();
    }
    for n in 0..PLACES {
        function.instructions().end().local_get(n).global_set(0);
    }
    component(&module([answer(&mut function)]))
}

/// One function with so many local values.
pub fn many_locals(count: u32) -> Vec<u8> {
    let mut function = Function::new([(count, ValType::I64)]);
    for n in 1..count {
        function.instructions().local_get(n - 1).i64_const(1).i64_add().local_set(n);
    }
    component(&module([answer(&mut function)]))
}

/// One function of blocks in blocks.
pub fn nested_blocks(depth: usize) -> Vec<u8> {
    let mut function = Function::new([]);
    for _ in 0..depth {
        function.instructions().block(BlockType::Empty);
    }
    for _ in 0..depth {
        function.instructions().end();
    }
    component(&module([answer(&mut function)]))
}

/// Component types in component types: more than there may be.
pub fn nested_types(depth: usize) -> Vec<u8> {
    let mut section = vec![1];
    section.extend([0x41, 1, 1].repeat(depth));
    section.extend([0x41, 0]);
    let mut component = Component::new();
    component.section(&RawSection { id: 7, data: &section });
    component.section(&CustomSection { name: "backroom:plugin".into(), data: MANIFEST.as_bytes().into() });
    component.finish()
}

/// The end of a function: it answers 0.
fn answer(function: &mut Function) -> Function {
    function.instructions().i32_const(0).end();
    function.clone()
}

/// A module of functions that answer a number, and one variable; the first function is `run`.
fn module(functions: impl IntoIterator<Item = Function>) -> Module {
    let (mut types, mut declared) = (TypeSection::new(), FunctionSection::new());
    let (mut exports, mut code) = (ExportSection::new(), CodeSection::new());
    types.ty().function([], [ValType::I32]);
    for function in functions {
        declared.function(0);
        code.function(&function);
    }
    let mut globals = GlobalSection::new();
    globals.global(GlobalType { val_type: ValType::I32, mutable: true, shared: false }, &ConstExpr::i32_const(0));
    exports.export("run", ExportKind::Func, 0);
    let mut module = Module::new();
    module.section(&types).section(&declared).section(&globals).section(&exports).section(&code);
    module
}

/// A component around a module.
fn component(module: &Module) -> Vec<u8> {
    let mut instances = InstanceSection::new();
    instances.instantiate(0, std::iter::empty::<(&str, ModuleArg)>());
    let mut aliases = ComponentAliasSection::new();
    aliases.alias(Alias::CoreInstanceExport { instance: 0, kind: ExportKind::Func, name: "run" });
    let mut types = ComponentTypeSection::new();
    let number = ComponentValType::Primitive(PrimitiveValType::U32);
    types.function().params(std::iter::empty::<(&str, ComponentValType)>()).result(Some(number));
    let mut lifted = CanonicalFunctionSection::new();
    lifted.lift(0, 0, []);
    let mut exports = ComponentExportSection::new();
    exports.export("run", ComponentExportKind::Func, 0, None);
    let mut component = Component::new();
    component.section(&ModuleSection(module)).section(&instances).section(&aliases).section(&types);
    component.section(&lifted).section(&exports);
    component.section(&CustomSection { name: "backroom:plugin".into(), data: MANIFEST.as_bytes().into() });
    component.finish()
}
