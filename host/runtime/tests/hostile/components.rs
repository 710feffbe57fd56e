//! What is no plugin, or more of one than there should be: refused when it is uploaded, with a reason.

use backroom_runtime::{FaultKind, Mode, Status};

use crate::books::{NOW, Service};
use crate::guest::{Guest, answers, manifest, with_manifest, with_section};
use crate::harness::{End, LIMITS, Row};
use crate::raw::{OK, Raw, TYPES, parse, plugin};

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = malformed();
    rows.extend(proposals());
    rows.extend(imports());
    rows.extend(exports());
    rows.extend(manifests());
    rows.extend(large());
    rows
}

fn good() -> Vec<u8> {
    Raw { run: OK, ..Raw::default() }.component()
}

fn malformed() -> Vec<Row> {
    let not = |name: &str, bytes: Vec<u8>, part| Row::not_taken(name, bytes, "plugin-malformed", part);
    let good = plugin(good());
    let nested = |depth: usize| parse(&format!("{}{}", "(component ".repeat(depth), ")".repeat(depth)));
    let mut next_version = good.clone();
    next_version[4] = 0x0E;
    let mut layer = good.clone();
    layer[6] = 2;
    let cut_section = [good.as_slice(), &[0, 0xff, 0xff, 0xff, 0xff, 0x0f]].concat();
    vec![
        not("nothing", Vec::new(), "component"),
        not("a script", b"#!/bin/sh\nrm -rf /\n".to_vec(), "component"),
        not("an ELF file", b"\x7fELF\x02\x01\x01\x00".to_vec(), "component"),
        not("an archive", b"PK\x03\x04".to_vec(), "component"),
        not("a core module", parse("(module (func (export \"run\")))"), "core module"),
        not("the magic number alone", b"\0asm".to_vec(), "component"),
        not("another version of the format", next_version, "version"),
        not("another layer of the format", layer, "component"),
        not("garbage behind the end", [good.as_slice(), &[1, 2, 3]].concat(), "component"),
        not("a section longer than the file", cut_section, "component"),
        not("components nine deep", plugin(nested(9)), "9 deep"),
        not("components 60 deep", plugin(nested(60)), "deep"),
        not("types a million deep", deep_types(1_000_000), "nest"),
        not("a component that ends in a component", [good.as_slice(), &good].concat(), "component"),
    ]
}

/// A type in a type in a type.
fn deep_types(depth: usize) -> Vec<u8> {
    let mut section = vec![1];
    section.extend([0x41, 1, 1].repeat(depth));
    section.extend([0x41, 0]);
    let mut bytes = vec![0, b'a', b's', b'm', 0x0D, 0, 1, 0, 7];
    let mut size = section.len();
    while size >= 0x80 {
        bytes.push((size as u8 & 0x7F) | 0x80);
        size >>= 7;
    }
    bytes.push(size as u8);
    bytes.extend(section);
    plugin(bytes)
}

/// What no supported guest language needs is off: each is refused, by the inspection or by the compiler.
fn proposals() -> Vec<Row> {
    let module = |fields: &str| plugin(Raw { fields, run: OK, ..Raw::default() }.component());
    let component = |before: &str| plugin(Raw { before, run: OK, ..Raw::default() }.component());
    let compiled = [
        ("a memory of 64 bits", module("(memory $m i64 1)")),
        ("a table of 64 bits", module("(table $t i64 1 funcref)")),
        ("tail calls", module("(func $f (return_call $f))")),
        ("exceptions", module("(tag $t) (func $f (throw $t))")),
        ("structures", module("(type $s (struct (field i32))) (func $f (drop (struct.new $s (i32.const 1))))")),
        ("a shared memory", module("(memory $m 1 1 shared)")),
        ("atomic instructions", module("(func $f (drop (memory.atomic.notify (i32.const 0) (i32.const 0))))")),
        ("arrays", module("(type $a (array i8)) (func $f (drop (array.new_default $a (i32.const 1))))")),
    ];
    let validated = [
        ("a page size of one byte", module("(memory $m 1 (pagesize 1))")),
        (
            "128-bit arithmetic",
            module(
                "(func $f (param i64 i64 i64 i64) (result i64 i64) (i64.add128 (local.get 0) (local.get 1) (local.get 2) (local.get 3)))",
            ),
        ),
        ("stack switching", module("(type $f (func)) (type $c (cont $f)) (func $g (param (ref $c)))")),
        ("futures", component("(type $t (future u8))")),
        ("streams", component("(type $t (stream u8))")),
        ("error contexts", component("(type $t error-context)")),
        ("an asynchronous function", component("(type $t (func async))")),
        ("a value as a start", component("(import \"v\" (value $v u32))")),
    ];
    let mut rows: Vec<_> = compiled
        .into_iter()
        .map(|(name, bytes)| Row::not_taken(format!("a component with {name}"), bytes, "plugin-not-compiled", ""))
        .collect();
    rows.extend(
        validated
            .into_iter()
            .map(|(name, bytes)| Row::not_taken(format!("a component with {name}"), bytes, "plugin-malformed", "")),
    );
    rows
}

fn imports() -> Vec<Row> {
    let importing = |imports: &str| plugin(Raw { before: imports, run: OK, ..Raw::default() }.component());
    let unknown = |name: &str, import: &str, part| {
        let bytes = importing(&format!("(import \"{import}\" (instance))"));
        Row::not_taken(format!("an import of {name}"), bytes, "plugin-imports-unknown", part)
    };
    let many: String = (0..20_000).map(|n| format!("(import \"a{n}\" (func)) ")).collect();
    let long = "a".repeat(90_000);
    let config = |function: &str| importing(&format!("(import \"backroom:host/config@0.1.0\" (instance {function}))"));
    let contract = |name: &str, bytes, part| Row::not_taken(name, bytes, "plugin-contract", part);
    let newer = importing(
        r#"(import "backroom:host/config@0.1.7" (instance $c (export "get" (func (param "key" string) (result (option string))))))"#,
    );
    vec![
        unknown("a clock of the next generation", "wasi:clocks/system-clock@0.3.0", "wasi:clocks/system-clock@0.3.0"),
        unknown("threads", "wasi:thread/spawn@0.1.0", "wasi:thread/spawn"),
        unknown("the machine's accelerators", "wasi:nn/inference@0.2.0", "wasi:nn"),
        unknown("processes", "wasi:process/spawn@0.1.0", "wasi:process"),
        unknown("the service's own insides", "backroom:store/engine@0.1.0", "backroom:store/engine"),
        unknown("the next version of the contract", "backroom:ledger/journal@0.2.0", "backroom:ledger/journal@0.2.0"),
        unknown("a version before the first", "backroom:ledger/journal@0.1.0-rc.1", "rc.1"),
        unknown("the contract without a version", "backroom:ledger/journal", "backroom:ledger/journal"),
        unknown("a stranger with a known name", "evil:ledger/journal@0.1.0", "evil:ledger/journal"),
        Row::not_taken(
            "an import by address",
            importing("(import \"url=<http://x/\\1b]0;root\\07>\" (instance))"),
            "plugin-malformed",
            "extern name",
        ),
        Row::not_taken("twenty thousand imports", importing(&many), "plugin-imports-unknown", "a0"),
        Row::not_taken(
            "an import with a name of a page",
            importing(&format!("(import \"{long}\" (func))")),
            "plugin-imports-unknown",
            "aaaa",
        ),
        contract(
            "a function that the contract does not have",
            config("(export \"set\" (func (param \"key\" string)))"),
            "set",
        ),
        contract(
            "a known function with another parameter",
            config("(export \"get\" (func (param \"key\" u32) (result (option string))))"),
            "get",
        ),
        contract(
            "a known function with another result",
            config("(export \"get\" (func (param \"key\" string) (result string)))"),
            "get",
        ),
        contract(
            "a known function with a parameter more",
            config("(export \"get\" (func (param \"key\" string) (param \"of\" string) (result (option string))))"),
            "get",
        ),
        contract(
            "an interface that is imported as a function",
            importing("(import \"backroom:host/config@0.1.0\" (func))"),
            "config",
        ),
        Row::new("a later patch of the contract, of which nothing new is used", newer, End::Harmless(0, |_| {})),
    ]
}

fn exports() -> Vec<Row> {
    let with_run = |ty: &str, core: &str| {
        plugin(parse(&format!(
            r#"(component {TYPES}
              (core module $m (memory (export "memory") 1) (func (export "run") {core})
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
              (core instance $m (instantiate $m))
              (func $run {ty} (canon lift (core func $m "run") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
              (export "run" (func $run)))"#
        )))
    };
    let contract = |name: &str, bytes| Row::not_taken(name, bytes, "plugin-contract", "run");
    vec![
        contract("a component that exports nothing", plugin(parse("(component)"))),
        contract(
            "a run without input",
            with_run("(result (result string (error $error)))", "(result i32) (i32.const 0)"),
        ),
        contract(
            "a run that cannot fail",
            with_run("(param \"input\" string) (result string)", "(param i32 i32) (result i32) (i32.const 0)"),
        ),
        contract("a run that returns nothing", with_run("(param \"input\" string)", "(param i32 i32)")),
        contract(
            "a run with an error of its own",
            with_run(
                "(param \"input\" string) (result (result string (error string)))",
                "(param i32 i32) (result i32) (i32.const 0)",
            ),
        ),
        contract(
            "a run with a second input",
            with_run(
                "(param \"input\" string) (param \"more\" string) (result (result string (error $error)))",
                "(param i32 i32 i32 i32) (result i32) (i32.const 0)",
            ),
        ),
        contract(
            "a run that is no function",
            plugin(parse("(component (component $c) (instance $i (instantiate $c)) (export \"run\" (instance $i)))")),
        ),
    ]
}

fn manifests() -> Vec<Row> {
    let bad = |name: &str, text: &str, part| Row::not_taken(name, with_manifest(good(), text), "plugin-manifest", part);
    let text = manifest("");
    let full = format!("{text}#{}", "x".repeat((64 << 10) - text.len() - 1));
    let nested = format!("(component {})", "(component)".repeat(3));
    let inner = with_manifest(parse(&nested), &text);
    let section = |data: &[u8]| with_section(good(), "backroom:plugin", data);
    vec![
        bad("a manifest that is not closed", "name = \"", "line 1"),
        bad("a manifest of nothing", "", "name"),
        bad("a manifest of 64 KiB and a byte", &format!("{full}x"), "65536"),
        bad(
            "a manifest that wants to administer",
            &manifest("[[wants]]\nwhy = \"x\"\nadminister = true\n"),
            "administer",
        ),
        bad("a manifest with a right that there is not", &manifest("[[wants]]\nwhy = \"x\"\nroot = true\n"), "root"),
        bad("a manifest that says a thing twice", &format!("{text}name = \"other\"\n"), "name"),
        bad("a manifest with lists 10,000 deep", &format!("{text}wants = {}", "[".repeat(10_000)), ""),
        bad("a manifest with tables 5,000 deep", &format!("{text}[wants{}]\n", ".a".repeat(5_000)), ""),
        bad("a name that paints", &text.replace("\"test\"", "\"\\u001b[31mtest\""), "id"),
        bad("a name that is a path", &text.replace("\"test\"", "\"../test\""), "id"),
        bad("a version that is none", &text.replace("1.0.0", "1.0.0\\u001b[2J"), "version"),
        bad("a description of several lines", &text.replace("A test.", "A test.\\nok"), "description"),
        bad("a description that runs backwards", &text.replace("A test.", "A \\u202etest."), "description"),
        bad("a key that paints", &format!("{text}\"\\u001b[31mx\" = 1\n"), ""),
        Row::not_taken("a manifest that is no text", section(&[0xff, 0xfe, 0x00]), "plugin-manifest", "UTF-8"),
        Row::not_taken("no manifest", good(), "plugin-manifest", "there is none"),
        Row::not_taken("two manifests", with_manifest(plugin(good()), &text), "plugin-manifest", "more than one"),
        Row::not_taken(
            "a manifest that is not the outermost component's",
            inner_manifest(&text),
            "plugin-manifest",
            "none",
        ),
        Row::new("a manifest of exactly 64 KiB", with_manifest(good(), &full), End::Harmless(0, |_| {})),
        Row::not_taken("a manifest without a run", inner, "plugin-contract", "run"),
    ]
}

/// A manifest in a nested component only.
fn inner_manifest(text: &str) -> Vec<u8> {
    let quoted: String = text.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    let before = format!("(component (@custom \"backroom:plugin\" \"{quoted}\"))");
    Raw { before: &before, run: OK, ..Raw::default() }.component()
}

fn large() -> Vec<Row> {
    let many = |count: usize, one: &str| one.repeat(count);
    let fields = |fields: &str| plugin(Raw { fields, run: OK, ..Raw::default() }.component());
    let huge = with_section(plugin(good()), "padding", &vec![0; 32 << 20]);
    vec![
        Row::not_taken("a component of more than 32 MiB", huge, "plugin-too-large", "33554432"),
        Row::not_taken("a million types", fields(&many(1_000_001, "(type (func))")), "plugin-malformed", "types"),
        Row::not_taken(
            "50,001 locals",
            fields(&format!("(func (local {}))", "i32 ".repeat(50_001))),
            "plugin-malformed",
            "local",
        ),
        Row::not_taken(
            "1,001 parameters",
            fields(&format!("(func (param {}))", "i32 ".repeat(1_001))),
            "plugin-malformed",
            "param",
        ),
        Row::new("100,000 functions", fields(&many(100_000, "(func)")), End::Harmless(0, |_| {})),
        Row::new("10,000 globals", fields(&many(10_000, "(global i64 (i64.const 1))")), End::Harmless(0, |_| {})),
        Row::new(
            "blocks 50,000 deep",
            Guest {
                fields: &format!("(func {} {})", "block ".repeat(50_000), "end ".repeat(50_000)),
                ..Guest::default()
            }
            .plugin(),
            End::Harmless(0, |_| {}),
        ),
        Row::new(
            "a custom section of 8 MiB",
            with_section(plugin(good()), "padding", &vec![0x1b; 8 << 20]),
            End::Harmless(0, |_| {}),
        ),
    ]
}

/// Every beginning of a good component, and every bit of it the other way round: refused, or another one that keeps to the rules.
#[test]
fn no_part_of_a_component_is_taken_for_one() {
    let service = Service::new();
    let good = Guest { run: &answers("accounts.get", "@\"1000\""), ..Guest::default() }.plugin();
    let upload = |bytes: &[u8]| service.runner.upload("admin", NOW, bytes);
    upload(&good).unwrap();
    for end in 0..good.len() {
        assert!(upload(&good[..end]).is_err(), "the first {end} bytes");
    }
    let mut taken = 0;
    for at in 0..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 1 << (at % 8);
        // A letter of a name, a constant, another instruction: some changes make another component that is valid.
        if upload(&changed).is_ok() {
            taken += 1;
            service.install(service.tenant, "test", &changed, LIMITS);
            let report = service.run(service.tenant, "test", None, Mode::DryRun, "{}");
            assert_ne!(report.fault.map(|fault| fault.kind), Some(FaultKind::Internal), "byte {at}");
        }
    }
    println!("{taken} of {} changed components are valid", good.len());
    assert!(taken < good.len(), "{taken}");
    service.install(service.tenant, "test", &good, LIMITS);
    assert_eq!(service.run(service.tenant, "test", None, Mode::Commit, "{}").status, Status::Committed);
}
