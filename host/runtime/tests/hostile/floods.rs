//! Floods: host calls, effects, bytes and log lines without an end. One row for every function of the contract.

use backroom_office::MAX_LIMITS;
use backroom_runtime::FaultKind::{Effects, Fuel, HostCalls};
use backroom_store::records::Limits;

use crate::contract::Contract;
use crate::guest::{Guest, answer, manifest, with_manifest};
use crate::harness::{End, LIMITS, Row};

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = every_function();
    rows.extend(what_they_carry());
    rows
}

/// New functions of the contract get their rows by themselves.
fn every_function() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut interfaces = std::collections::BTreeSet::new();
    for function in &Contract::get().functions {
        let run = format!("(loop $more {} (br $more)) unreachable", function.call_with_zeroes());
        let guest = Guest { run: &run, ..Guest::default() };
        rows.push(Row::fault(format!("a flood of {}", function.name), &guest, HostCalls, "1000"));
        if interfaces.insert(function.interface()) {
            // Calls that are refused, or that nothing was granted for, count as well.
            let bytes = with_manifest(guest.component(), &manifest(""));
            let name = format!("a flood of {} without a grant", function.name);
            rows.push(Row::new(name, bytes, End::Fault(HostCalls, "1000")));
        }
    }
    rows
}

/// A body that does `step` for ever, each time with another word of four letters at 1000.
fn for_ever(step: &str) -> String {
    let letters: String = (0..4)
        .map(|at| {
            let digit = format!("(i32.and (i32.shr_u (local.get $n) (i32.const {})) (i32.const 15))", at * 4);
            format!("(i32.store8 (i32.const {}) (i32.add (i32.const 97) {digit})) ", 1000 + at)
        })
        .collect();
    format!(
        "(local $n i32) (loop $more (local.set $n (i32.add (local.get $n) (i32.const 1))) {letters} {step} (br $more))
         unreachable"
    )
}

fn what_they_carry() -> Vec<Row> {
    let set = |bytes: u32| {
        answer("state.set", &format!("(i32.const 1000) (i32.const 4) (i32.const 1000) (i32.const {bytes})"))
    };
    let get = "(call $accounts.get (i32.const 1048576) (i32.const 1000000) (i32.const 512))";
    let log = "(call $log.write (i32.const 0) (i32.const 65536) (i32.const 1000000))";
    let post = format!(
        "(call $lines) {}",
        answer(
            "journal.post",
            "(i32.const 1000) (i32.const 4) (i32.const 2026) (i32.const 6) (i32.const 30) @\"A test\" (i32.const 1024) (i32.const 2)"
        )
    );
    let plenty =
        Limits { host_calls: MAX_LIMITS.host_calls, effects: MAX_LIMITS.effects, fuel: MAX_LIMITS.fuel, ..LIMITS };
    let rows = [
        ("a flood of effects", set(4), Effects, "100 effects", LIMITS),
        ("a flood of journal entries", post, Effects, "100 effects", LIMITS),
        ("a flood of staged bytes", set(32_000), Effects, "16 MiB", plenty),
        ("a flood of bytes into host calls", get.to_owned(), Fuel, "20000000", LIMITS),
        ("a flood of bytes into the log", log.to_owned(), Fuel, "20000000", LIMITS),
    ];
    let mut rows: Vec<_> = rows
        .into_iter()
        .map(|(name, step, kind, part, limits)| {
            let run = for_ever(&step);
            Row::fault(name, &Guest { run: &run, pages: 32, ..Guest::default() }, kind, part).limits(limits)
        })
        .collect();
    let lines = "(local $n i32) (loop $more (call $log.write (i32.const 1) @\"A line that says nothing.\")
        (br_if $more (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 900)))) (call $ok)";
    let flood = Row::harmless("a flood of log lines", &Guest { run: lines, ..Guest::default() }, 0);
    rows.push(flood.and(|report| {
        let kept: usize = report.log.iter().map(|line| line.message.len()).sum();
        assert!(kept <= 4 << 10 && report.log_dropped > 700, "{kept} {}", report.log_dropped);
    }));
    let empty = lines.replace("A line that says nothing.", "");
    let flood = Row::harmless("a flood of empty log lines", &Guest { run: &empty, ..Guest::default() }, 0);
    rows.push(flood.and(|report| assert!(report.log.len() <= 256 && report.log_dropped > 600)));
    rows
}
