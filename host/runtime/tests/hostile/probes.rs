//! Looking for the machine behind the run: its clock, its chance, its processor.

use backroom_runtime::FaultKind::Trap;

use crate::guest::{Guest, OK};
use crate::harness::Row;

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = numbers();
    rows.extend(clocks());
    rows
}

/// Traps unless the value of 32 or 64 bits is the canonical NaN.
fn canonical(value: &str, wide: bool) -> String {
    match wide {
        false => format!("(if (i32.ne (i32.reinterpret_f32 {value}) (i32.const 0x7fc00000)) (then unreachable))"),
        true => {
            format!("(if (i64.ne (i64.reinterpret_f64 {value}) (i64.const 0x7ff8000000000000)) (then unreachable))")
        }
    }
}

/// What no processor agrees with another about.
fn numbers() -> Vec<Row> {
    // Read from memory, so that no compiler can know them.
    let zero = "(f32.load (i32.const 2048))";
    let odd = "(f32.load (i32.const 2052))";
    let odd64 = "(f64.load (i32.const 2056))";
    let prepare = "(i32.store (i32.const 2052) (i32.const 0xffa00001)) (i64.store (i32.const 2056) (i64.const 0xfff4000000000001))";
    let narrow = [
        format!("(f32.div {zero} {zero})"),
        format!("(f32.sqrt (f32.sub {zero} (f32.const 1)))"),
        format!("(f32.mul {zero} (f32.const inf))"),
        format!("(f32.sub (f32.div (f32.const 1) {zero}) (f32.const inf))"),
        format!("(f32.add {odd} (f32.const 1))"),
        format!("(f32.min {odd} {zero})"),
        format!("(f32.max {zero} {odd})"),
        format!("(f32.ceil {odd})"),
        format!("(f32.nearest {odd})"),
        format!("(f32.demote_f64 {odd64})"),
        format!("(f32x4.extract_lane 2 (f32x4.div (f32x4.splat {zero}) (f32x4.splat {zero})))"),
        format!("(f32x4.extract_lane 1 (f32x4.add (f32x4.splat {odd}) (f32x4.splat {zero})))"),
    ];
    let wide = [
        format!("(f64.promote_f32 {odd})"),
        format!("(f64.add {odd64} (f64.const 1))"),
        format!("(f64.sqrt (f64.sub (f64.promote_f32 {zero}) (f64.const 1)))"),
        format!("(f64x2.extract_lane 1 (f64x2.min (f64x2.splat {odd64}) (f64x2.splat (f64.const 1))))"),
    ];
    let checks: String = narrow.iter().map(|value| canonical(value, false)).collect();
    let wide: String = wide.iter().map(|value| canonical(value, true)).collect();
    let bits = "(if (i32.ne (i32.reinterpret_f32 (f32.neg (f32.load (i32.const 2052)))) (i32.const 0x7fa00001)) (then unreachable))";
    let run = |checks: &str| format!("{prepare} {checks} {OK}");
    let harmless = |name, run: String| Row::harmless(name, &Guest { run: &run, ..Guest::default() }, 0);
    let divide = |code: &str| format!("(drop {code}) unreachable");
    let traps = [
        ("a division by zero", "(i32.div_u (i32.const 1) (i32.load (i32.const 2048)))", "divide by zero"),
        ("a quotient that does not fit", "(i32.div_s (i32.const 0x80000000) (i32.const -1))", "overflow"),
        (
            "a number that is no integer",
            "(i32.trunc_f32_s (f32.div (f32.load (i32.const 2048)) (f32.load (i32.const 2048))))",
            "conversion",
        ),
        ("a number too large for an integer", "(i64.trunc_f64_u (f64.const 1e30))", "overflow"),
    ];
    let mut rows = vec![
        harmless("NaN of 32 bits", run(&checks)),
        harmless("NaN of 64 bits", run(&wide)),
        harmless("NaN whose bits are moved and nothing else", run(bits)),
    ];
    rows.extend(
        traps.map(|(name, code, part)| Row::fault(name, &Guest { run: &divide(code), ..Guest::default() }, Trap, part)),
    );
    rows
}

fn clocks() -> Vec<Row> {
    // A long time passes between the two; the harness compares two runs besides, which have the same time and fuel.
    let still = format!(
        "(local $t i64) (local $n i32) (local.set $t (call $clock.now))
         (if (i64.ne (local.get $t) (i64.const 1782777600000000)) (then unreachable))
         (loop $wait (br_if $wait (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 1000000))))
         (if (i64.ne (local.get $t) (call $clock.now)) (then unreachable)) {OK}"
    );
    // All of its memory after a host call, as sixteen letters: the harness compares the outputs of both runs.
    let everything = "(local $at i32) (local $sum i64)
         (call $accounts.list (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 9) (i32.const 512))
         (call $balances.trial-balance (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 512))
         (loop $next (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 0x100000001b3)) (i64.load (local.get $at))))
           (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const 262144))))
         (local.set $at (i32.const 2064)) (i32.store8 (i32.const 2063) (i32.const 34))
         (loop $next (i32.store8 (local.get $at) (i32.add (i32.const 97) (i32.and (i32.wrap_i64 (local.get $sum)) (i32.const 15))))
           (local.set $sum (i64.shr_u (local.get $sum) (i64.const 4)))
           (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (i32.const 2080))))
         (i32.store8 (i32.const 2080) (i32.const 34))
         (call $text (i32.const 68) (i32.const 2063) (i32.const 18)) (i32.const 64)";
    vec![
        Row::harmless("a clock that stands still", &Guest { run: &still, ..Guest::default() }, 0),
        Row::harmless("memory that is the same each time", &Guest { run: everything, ..Guest::default() }, 0)
            .and(|report| assert_eq!(report.output.as_ref().unwrap().get().len(), 18)),
    ]
}
