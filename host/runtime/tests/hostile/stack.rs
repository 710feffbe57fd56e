//! Stack: calls that go deeper and deeper, in every place where the host enters a guest.

use backroom_runtime::FaultKind::Trap;
use backroom_store::records::Limits;

use crate::guest::{Guest, OK};
use crate::harness::{End, LIMITS, Row};
use crate::raw::{self, Raw};

const DEEPER: &str = "(func $deeper (param i32) (result i32) (i32.add (call $deeper (local.get 0)) (i32.const 1)))";
const CALL: &str = "(drop (call $deeper (i32.const 0))) unreachable";

pub(crate) fn rows() -> Vec<Row> {
    let mutual = "(func $deeper (param i32) (result i32) (i32.add (call $other (local.get 0)) (i32.const 1)))
        (func $other (param i32) (result i32) (i32.mul (call $deeper (local.get 0)) (i32.const 3)))";
    let indirect = "(table funcref (elem $deeper))
        (func $deeper (param i32) (result i32)
          (i32.add (call_indirect (param i32) (result i32) (local.get 0) (i32.const 0)) (i32.const 1)))";
    // Every level holds 200 values that are needed after the call.
    let locals: String = (0..200).map(|n| format!("(local $l{n} i64) ")).collect();
    let fill: String = (0..200).map(|n| format!("(local.set $l{n} (i64.load (i32.const {}))) ", n * 8)).collect();
    let sum: String = (0..200).map(|n| format!("local.get $l{n} i64.add ")).collect();
    let wide = format!(
        "(func $deeper (param i32) (result i32) {locals} {fill} (drop (call $deeper (local.get 0)))
         i64.const 0 {sum} i32.wrap_i64)"
    );
    let start = format!("{DEEPER} (func $start {CALL}) (start $start)");
    let with_calls = "(func $deeper (param i32) (result i32)
        (call $clock.today (i32.const 512)) (i32.add (call $deeper (local.get 0)) (i32.const 1)))";
    let with_texts = "(func $deeper (param i32) (result i32)
        (call $accounts.get @\"nobody\" (i32.const 512)) (i32.add (call $deeper (local.get 0)) (i32.const 1)))";
    let guests = [
        ("a function that calls itself", Guest { fields: DEEPER, run: CALL, ..Guest::default() }),
        ("two functions that call each other", Guest { fields: mutual, run: CALL, ..Guest::default() }),
        ("a function that calls itself through a table", Guest { fields: indirect, run: CALL, ..Guest::default() }),
        ("frames with 200 values", Guest { fields: &wide, run: CALL, ..Guest::default() }),
        ("depth in the start function", Guest { fields: &start, ..Guest::default() }),
        ("depth in the reallocation", Guest { fields: DEEPER, realloc: Some(CALL), ..Guest::default() }),
        ("depth in post-return", Guest { fields: DEEPER, run: OK, post: CALL, ..Guest::default() }),
        ("a host call on every level", Guest { fields: with_calls, run: CALL, ..Guest::default() }),
        ("a host call that reads on every level", Guest { fields: with_texts, run: CALL, ..Guest::default() }),
    ];
    let limits = Limits { fuel: 1_000_000_000, host_calls: 1_000_000, ..LIMITS };
    let row = |(name, guest): &(&str, Guest<'_>)| Row::fault(*name, guest, Trap, "call stack exhausted").limits(limits);
    let mut rows: Vec<_> = guests.iter().map(row).collect();
    let destructor = Raw {
        before: &format!(
            r#"(core module $d {DEEPER} (func (export "d") (param i32) {CALL})) (core instance $d (instantiate $d))
               (type $r (resource (rep i32) (dtor (core func $d "d"))))
               (core func $new (canon resource.new $r)) (core func $drop (canon resource.drop $r))"#
        ),
        env: r#"(export "new" (func $new)) (export "drop" (func $drop))"#,
        fields: r#"(import "env" "new" (func $new (param i32) (result i32))) (import "env" "drop" (func $drop (param i32)))"#,
        run: &format!("(call $drop (call $new (i32.const 7))) {}", raw::OK),
    };
    rows.push(Row::new("depth in a destructor", destructor.plugin(), End::Fault(Trap, "call stack exhausted")));
    let beside = format!(
        r#"(component $inner (core module $m {DEEPER} (func (export "f") {CALL})) (core instance $m (instantiate $m))
             (func (export "f") (canon lift (core func $m "f"))))
           (instance $inner (instantiate $inner))"#
    );
    let across = Raw {
        before: r#"(import "f" (func $g)) (core func $f (canon lower (func $g)))"#,
        env: r#"(export "f" (func $f))"#,
        fields: r#"(import "env" "f" (func $f))"#,
        run: "(call $f) unreachable",
    };
    let bytes = across.beside(&beside, r#"(with "f" (func $inner "f"))"#);
    rows.push(Row::new("depth in a component beside it", bytes, End::Fault(Trap, "call stack exhausted")));
    rows
}
