//! Handles that were never given, given back twice, or are of another kind; and values between components within one plugin.

use backroom_runtime::FaultKind::{Output, Trap};

use crate::harness::{End, Row};
use crate::raw::{OK, Raw};

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = handles();
    rows.extend(between_components());
    rows
}

/// Two kinds of resources of the component's own.
const RESOURCES: &str = r#"
  (type $r (resource (rep i32))) (type $s (resource (rep i32)))
  (core func $new (canon resource.new $r)) (core func $drop (canon resource.drop $r)) (core func $rep (canon resource.rep $r))
  (core func $new-s (canon resource.new $s)) (core func $drop-s (canon resource.drop $s))"#;
const EXPORTS: &str = r#"(export "new" (func $new)) (export "drop" (func $drop)) (export "rep" (func $rep))
  (export "new-s" (func $new-s)) (export "drop-s" (func $drop-s))"#;
const IMPORTS: &str = r#"
  (import "env" "new" (func $new (param i32) (result i32))) (import "env" "drop" (func $drop (param i32)))
  (import "env" "rep" (func $rep (param i32) (result i32)))
  (import "env" "new-s" (func $new-s (param i32) (result i32))) (import "env" "drop-s" (func $drop-s (param i32)))"#;

fn handles() -> Vec<Row> {
    let rows = [
        (
            "a handle dropped twice",
            "(local $h i32) (local.set $h (call $new (i32.const 7))) (call $drop (local.get $h)) (call $drop (local.get $h))",
            "handle",
        ),
        (
            "a handle used after it was dropped",
            "(local $h i32) (local.set $h (call $new (i32.const 7))) (call $drop (local.get $h)) (drop (call $rep (local.get $h)))",
            "handle",
        ),
        ("a handle that was never given", "(call $drop (i32.const 5))", "handle"),
        ("handle 0", "(drop (call $rep (i32.const 0)))", "handle"),
        ("the largest handle", "(call $drop (i32.const -1))", "handle"),
        ("a handle of another kind", "(call $drop (call $new-s (i32.const 7)))", "handle"),
        ("a handle of another kind, looked into", "(drop (call $rep (call $new-s (i32.const 7))))", "handle"),
        ("handles without an end", "(loop $more (drop (call $new (i32.const 7))) (br $more))", "limit"),
    ];
    let row = |(name, code, part): (&str, &str, &'static str)| {
        let run = format!("{code} unreachable");
        let raw = Raw { before: RESOURCES, env: EXPORTS, fields: IMPORTS, run: &run };
        Row::new(name, raw.plugin(), End::Fault(Output, part))
    };
    let mut rows: Vec<_> = rows.into_iter().map(row).collect();
    let again = format!(
        "(local $n i32) (loop $more (call $drop (call $new (i32.const 7)))
           (br_if $more (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 5000)))) {OK}"
    );
    let raw = Raw { before: RESOURCES, env: EXPORTS, fields: IMPORTS, run: &again };
    rows.push(Row::new("thousands of handles, one after the other", raw.plugin(), End::Harmless(0, |_| {})));
    rows
}

/// A component beside it that takes a value of this type, and the call of it with these core values.
fn inner(name: &str, ty: &str, core: &str, values: &str, end: End) -> Row {
    let outer = format!(
        r#"(component $inner
             (type $t' {ty}) (export $t "t" (type $t'))
             (core module $m (memory (export "memory") 1) (func (export "f") (param {core}))
               (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
             (core instance $m (instantiate $m))
             (func (export "f") (param "v" $t)
               (canon lift (core func $m "f") (memory (core memory $m "memory")) (realloc (core func $m "realloc")))))
           (instance $inner (instantiate $inner))"#
    );
    let before = format!(
        r#"(type $t {ty}) (import "t" (type $u (eq $t))) (import "f" (func $g (param "v" $u)))
           (core func $f (canon lower (func $g) (memory $memory)))"#
    );
    let fields = format!(r#"(import "env" "f" (func $f (param {core})))"#);
    let run = format!("(call $f {values}) {OK}");
    let raw = Raw { before: &before, env: r#"(export "f" (func $f))"#, fields: &fields, run: &run };
    Row::new(name, raw.beside(&outer, r#"(with "t" (type $inner "t")) (with "f" (func $inner "f"))"#), end)
}

fn between_components() -> Vec<Row> {
    let trap = |part| End::Fault(Trap, part);
    let (char, text, list, bool) = ("char", "string", "(list u64)", "bool");
    let (kind, flags) = (r#"(enum "a" "b")"#, r#"(flags "a" "b")"#);
    vec![
        inner("a character beyond the last one", char, "i32", "(i32.const 0x110000)", trap("")),
        inner("half of a pair as a character", char, "i32", "(i32.const 0xd800)", trap("")),
        inner("a case that is none", kind, "i32", "(i32.const 2)", trap("")),
        inner("a flag that is none", flags, "i32", "(i32.const 0xff)", End::Harmless(0, |_| {})),
        inner("a truth of 255", bool, "i32", "(i32.const 255)", End::Harmless(0, |_| {})),
        inner(
            "a text beyond the memory, to a component",
            text,
            "i32 i32",
            "(i32.const 65530) (i32.const 100)",
            trap(""),
        ),
        inner(
            "a text of the largest length, to a component",
            text,
            "i32 i32",
            "(i32.const 0) (i32.const -1)",
            trap(""),
        ),
        inner("a list at an odd address, to a component", list, "i32 i32", "(i32.const 17) (i32.const 1)", trap("")),
        inner(
            "a list whose bytes wrap around, to a component",
            list,
            "i32 i32",
            "(i32.const 16) (i32.const 0x20000001)",
            trap(""),
        ),
        borrowed(),
    ]
}

/// A borrowed handle that is kept for later.
fn borrowed() -> Row {
    let outer = r#"(component $inner
          (type $r' (resource (rep i32))) (export $r "r" (type $r'))
          (core func $new (canon resource.new $r'))
          (core module $m (import "" "new" (func $new (param i32) (result i32)))
            (func (export "make") (result i32) (call $new (i32.const 7))))
          (core instance $m (instantiate $m (with "" (instance (export "new" (func $new))))))
          (func (export "make") (result (own $r)) (canon lift (core func $m "make"))))
        (instance $inner (instantiate $inner))
        (component $keeper
          (import "r" (type $r (sub resource)))
          (core module $m (func (export "keep") (param i32)))
          (core instance $m (instantiate $m))
          (func (export "keep") (param "r" (borrow $r)) (canon lift (core func $m "keep"))))
        (instance $keeper (instantiate $keeper (with "r" (type $inner "r"))))"#;
    let raw = Raw {
        before: r#"(import "r" (type $r (sub resource)))
            (import "make" (func $make' (result (own $r)))) (import "keep" (func $keep' (param "r" (borrow $r))))
            (core func $make (canon lower (func $make'))) (core func $keep (canon lower (func $keep')))"#,
        env: r#"(export "make" (func $make)) (export "keep" (func $keep))"#,
        fields: r#"(import "env" "make" (func $make (result i32))) (import "env" "keep" (func $keep (param i32)))"#,
        run: &format!("(call $keep (call $make)) {OK}"),
    };
    let given =
        r#"(with "r" (type $inner "r")) (with "make" (func $inner "make")) (with "keep" (func $keeper "keep"))"#;
    Row::new("a borrowed handle that is kept", raw.beside(outer, given), End::Fault(Output, "borrow"))
}
