//! Calls at times when there must be none: while the host is writing into the guest, or has taken its leave.

use backroom_runtime::FaultKind::{HostCalls, Trap};

use crate::guest::{Guest, OK, post};
use crate::harness::{End, Row};
use crate::raw::{self, Raw};

pub(crate) fn rows() -> Vec<Row> {
    let log = "(call $log.write (i32.const 1) @\"now\")";
    let log_in_realloc = format!("{log} (i32.const 65536)");
    // The second allocation is in the middle of a host call.
    let in_a_call =
        format!("(if (global.get $armed) (then {log})) (global.set $armed (i32.const 1)) (i32.const 65536)");
    let ask = format!("(call $config.get @\"greeting\" (i32.const 512)) {OK}");
    let armed = "(global $armed (mut i32) (i32.const 0))";
    let posts = format!("{} {OK}", post("e1"));
    let posts_in_realloc = "(drop (call $run (i32.const 0) (i32.const 0))) (i32.const 65536)";
    let start = "(func $start (loop $more (drop (call $clock.now)) (br $more))) (start $start)";
    let cannot_leave = "cannot leave";
    let guests = [
        (
            "a host call while the input is written",
            Guest { realloc: Some(&log_in_realloc), ..Guest::default() },
            cannot_leave,
        ),
        (
            "a host call within a host call",
            Guest { fields: armed, realloc: Some(&in_a_call), run: &ask, ..Guest::default() },
            cannot_leave,
        ),
        (
            "a whole run while the input is written",
            Guest { realloc: Some(posts_in_realloc), run: &posts, ..Guest::default() },
            cannot_leave,
        ),
        ("a host call in post-return", Guest { post: log, ..Guest::default() }, cannot_leave),
    ];
    let mut rows: Vec<_> = guests.iter().map(|(name, guest, part)| Row::fault(*name, guest, Trap, part)).collect();
    rows.push(Row::fault(
        "host calls before there is a run",
        &Guest { fields: start, ..Guest::default() },
        HostCalls,
        "1000",
    ));
    let recursive = "(drop (call $run (i32.const 0) (i32.const 0))) unreachable";
    rows.push(Row::fault(
        "a run that runs itself",
        &Guest { run: recursive, ..Guest::default() },
        Trap,
        "call stack exhausted",
    ));
    let destructor = Raw {
        before: r#"(import "backroom:host/clock@0.1.0" (instance $clock
              (type $i (record (field "microseconds" u64))) (export "instant" (type $instant (eq $i)))
              (export "now" (func (result $instant)))))
            (core func $now (canon lower (func $clock "now")))
            (core module $d (import "" "now" (func $now (result i64)))
              (func (export "d") (param i32) (loop $more (drop (call $now)) (br $more))))
            (core instance $d (instantiate $d (with "" (instance (export "now" (func $now))))))
            (type $r (resource (rep i32) (dtor (core func $d "d"))))
            (core func $new (canon resource.new $r)) (core func $drop (canon resource.drop $r))"#,
        env: r#"(export "new" (func $new)) (export "drop" (func $drop))"#,
        fields: r#"(import "env" "new" (func $new (param i32) (result i32))) (import "env" "drop" (func $drop (param i32)))"#,
        run: &format!("(call $drop (call $new (i32.const 7))) {}", raw::OK),
    };
    rows.push(Row::new("host calls in a destructor", destructor.plugin(), End::Fault(HostCalls, "1000")));
    rows
}
