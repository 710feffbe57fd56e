//! A hundred thousand runs, one after the other: what each of them took is given back.
//!
//! A program of its own, since what it measures is the memory of the process.
#![allow(clippy::unwrap_used, reason = "what these tests set up is valid by construction")]
#![allow(clippy::panic, clippy::indexing_slicing, reason = "a failed helper is a failed test")]
#![cfg(target_os = "linux")]

#[path = "hostile/books.rs"]
#[allow(dead_code, reason = "shared with the corpus, which uses all of it")]
mod books;
#[path = "hostile/contract.rs"]
#[allow(dead_code, reason = "shared with the corpus, which uses all of it")]
mod contract;
#[path = "hostile/guest.rs"]
#[allow(dead_code, reason = "shared with the corpus, which uses all of it")]
mod guest;

use backroom_runtime::{FaultKind, Mode, Status};
use backroom_store::records::Limits;

use books::Service;
use guest::Guest;

const RUNS: u32 = 100_000;
const WARM_UP: u32 = 20_000;

/// Resident memory of this process, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

/// Memory, a table and a log, all of it used; then a good end, a trap, or too little fuel.
#[test]
fn a_hundred_thousand_runs_leave_no_memory_behind() {
    let service = Service::new();
    let work = "(drop (memory.grow (i32.const 4))) (memory.fill (i32.const 65536) (i32.const 7) (i32.const 400000))
        (drop (table.grow $t (ref.null func) (i32.const 500))) (call $log.write (i32.const 1) @\"A line.\")
        (call $lines) (call $journal.post @\"e1\" (i32.const 2026) (i32.const 6) (i32.const 30) @\"A test\" (i32.const 1024)
          (i32.const 2) (i32.const 512))";
    let install = |at: usize, end: &str, limits: Limits| {
        let run = format!("{work} {end}");
        let bytes = Guest { run: &run, fields: "(table $t 10 funcref)", ..Guest::default() }.plugin();
        service.install(service.tenant, &format!("guest-{at}"), &bytes, limits);
    };
    install(0, "(call $ok)", Limits::default());
    let enough = service.run(service.tenant, "guest-0", Some("r1"), Mode::DryRun, "{}").fuel;
    install(1, "unreachable", Limits::default());
    install(2, "(loop $spin (br $spin)) unreachable", Limits { fuel: enough + 10_000, ..Limits::default() });
    let mut warm = 0;
    let mut seen = Vec::new();
    for n in 0..RUNS {
        let guest = n % 3;
        let report = service.run(service.tenant, &format!("guest-{guest}"), Some("r1"), Mode::DryRun, "{}");
        let fault = report.fault.map(|fault| fault.kind);
        let expected = [None, Some(FaultKind::Trap), Some(FaultKind::Fuel)][guest as usize];
        assert_eq!((report.status == Status::Ok, fault), (expected.is_none(), expected), "run {n}");
        if n + 1 == WARM_UP {
            warm = resident();
        } else if (n + 1) % 10_000 == 0 && n > WARM_UP {
            seen.push(resident());
        }
    }
    println!("resident after {WARM_UP} runs: {warm} KiB; after each 10,000 more: {seen:?}");
    let last = *seen.last().unwrap();
    assert!(last.abs_diff(warm) * 100 <= warm, "{warm} KiB after {WARM_UP} runs, {last} KiB after {RUNS}");
}
