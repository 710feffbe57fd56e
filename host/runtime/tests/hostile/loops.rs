//! Loops without an end, in every place where the host enters a guest.

use backroom_office::MAX_LIMITS;
use backroom_runtime::FaultKind::{Deadline, Fuel};
use backroom_store::records::Limits;

use crate::guest::{Guest, OK};
use crate::harness::{End, LIMITS, Row};
use crate::raw::{self, Raw};

const SPIN: &str = "(loop $spin (br $spin))";

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = in_a_module();
    rows.extend(in_a_component());
    rows.extend(without_fuel());
    rows
}

fn in_a_module() -> Vec<Row> {
    let run = format!("{SPIN} unreachable");
    let start = format!("(func $start {SPIN}) (start $start)");
    // The first allocation is that of the input, the second that of a host call's result.
    let second =
        "(if (global.get $armed) (then (loop $spin (br $spin)))) (global.set $armed (i32.const 1)) (i32.const 65536)";
    let asks = format!("(call $config.get @\"greeting\" (i32.const 512)) {OK}");
    let table = "(local $n i32) (loop $a (loop $b (loop $c
        (br_table $a $b $c (i32.rem_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 3)))))) unreachable";
    let grow = "(loop $spin (drop (memory.grow (i32.const 0))) (br $spin)) unreachable";
    let calls = "(loop $spin (drop (call $ok)) (br $spin)) unreachable";
    let indirect = "(table funcref (elem $ok))";
    let indirectly = "(loop $spin (drop (call_indirect (result i32) (i32.const 0))) (br $spin)) unreachable";
    let guests = [
        ("run", Guest { run: &run, ..Guest::default() }),
        ("the start function", Guest { fields: &start, ..Guest::default() }),
        ("the reallocation for the input", Guest { realloc: Some(&run), ..Guest::default() }),
        (
            "the reallocation for a host call's answer",
            Guest {
                fields: "(global $armed (mut i32) (i32.const 0))",
                realloc: Some(second),
                run: &asks,
                ..Guest::default()
            },
        ),
        ("post-return", Guest { post: SPIN, ..Guest::default() }),
        ("a branch table", Guest { run: table, ..Guest::default() }),
        ("growing by nothing", Guest { run: grow, ..Guest::default() }),
        ("calls", Guest { run: calls, ..Guest::default() }),
        ("indirect calls", Guest { fields: indirect, run: indirectly, ..Guest::default() }),
    ];
    guests.iter().map(|(place, guest)| Row::fault(format!("a loop in {place}"), guest, Fuel, "20000000")).collect()
}

fn in_a_component() -> Vec<Row> {
    let destructor = Raw {
        before: &format!(
            r#"(core module $d (func (export "d") (param i32) {SPIN})) (core instance $d (instantiate $d))
               (type $r (resource (rep i32) (dtor (core func $d "d"))))
               (core func $new (canon resource.new $r)) (core func $drop (canon resource.drop $r))"#
        ),
        env: r#"(export "new" (func $new)) (export "drop" (func $drop))"#,
        fields: r#"(import "env" "new" (func $new (param i32) (result i32))) (import "env" "drop" (func $drop (param i32)))"#,
        run: &format!("(call $drop (call $new (i32.const 7))) {}", raw::OK),
    };
    let nested_start = format!(
        "(component $inner (core module $m (func $s {SPIN}) (start $s)) (core instance (instantiate $m)))
         (instance (instantiate $inner))"
    );
    let second_module = format!("(core module $m (func $s {SPIN}) (start $s)) (core instance (instantiate $m))");
    let beside = format!(
        r#"(component $inner (core module $m (func (export "f") {SPIN})) (core instance $m (instantiate $m))
             (func (export "f") (canon lift (core func $m "f"))))
           (instance $inner (instantiate $inner))"#
    );
    let call = Raw {
        before: r#"(import "f" (func $g)) (core func $f (canon lower (func $g)))"#,
        env: r#"(export "f" (func $f))"#,
        fields: r#"(import "env" "f" (func $f))"#,
        run: &format!("(call $f) {}", raw::OK),
    };
    let components = [
        ("a resource's destructor", destructor),
        ("the start of a nested component", Raw { before: &nested_start, run: raw::OK, ..Raw::default() }),
        ("the start of a second core module", Raw { before: &second_module, run: raw::OK, ..Raw::default() }),
    ];
    let row = |(place, raw): (&str, Raw<'_>)| {
        Row::new(format!("a loop in {place}"), raw.plugin(), End::Fault(Fuel, "20000000"))
    };
    let mut rows: Vec<_> = components.into_iter().map(row).collect();
    let bytes = call.beside(&beside, r#"(with "f" (func $inner "f"))"#);
    rows.push(Row::new("a loop in a component beside it", bytes, End::Fault(Fuel, "20000000")));
    rows
}

/// Large operations count as one unit of fuel each: wall time ends what they make of it.
fn without_fuel() -> Vec<Row> {
    let limits = Limits { wall_ms: 200, fuel: MAX_LIMITS.fuel, ..LIMITS };
    let bodies = [
        ("a loop with fuel for years", "", SPIN),
        (
            "a loop of large fills",
            "",
            "(loop $spin (memory.fill (i32.const 65536) (i32.const 1) (i32.const 6000000)) (br $spin))",
        ),
        (
            "a loop of large copies",
            "",
            "(loop $spin (memory.copy (i32.const 65536) (i32.const 65537) (i32.const 6000000)) (br $spin))",
        ),
        (
            "a loop of table fills",
            "(table $t 90000 funcref)",
            "(loop $spin (table.fill $t (i32.const 0) (ref.null func) (i32.const 90000)) (br $spin))",
        ),
    ];
    let row = |(name, fields, spin): (&str, &str, &str)| {
        let run = format!("{spin} unreachable");
        Row::fault(name, &Guest { fields, run: &run, pages: 100, ..Guest::default() }, Deadline, "200 ms")
            .limits(limits)
    };
    bodies.into_iter().map(row).collect()
}
