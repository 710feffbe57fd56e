//! What a guest returns, and where it says that it is: nothing of that is believed.

use backroom_domain::Class;
use backroom_runtime::FaultKind::{self, Output, OutputDepth, OutputSize, Trap};

use crate::guest::{Guest, OK, post};
use crate::harness::Row;

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = places();
    rows.extend(outputs());
    rows.extend(errors());
    rows.extend(allocations());
    rows
}

fn fault(name: &str, run: &str, part: &'static str) -> Row {
    of(Output, name, run, part)
}

fn of(kind: FaultKind, name: &str, run: &str, part: &'static str) -> Row {
    Row::fault(name, &Guest { run, pages: 40, ..Guest::default() }, kind, part)
}

/// Ok with the output at this address, of this length.
fn output(at: i64, length: i64) -> String {
    format!(
        "(i32.store (i32.const 68) (i32.const {at})) (i32.store (i32.const 72) (i32.const {length})) (i32.const 64)"
    )
}

fn places() -> Vec<Row> {
    let end = 40 * 65_536;
    // Whatever it did before goes with it.
    let after_work = format!("{} (i32.const -4)", post("e1"));
    vec![
        fault("a result at the largest address", "(i32.const -4)", "out of bounds"),
        fault("a result after an entry was posted", &after_work, "out of bounds"),
        fault("a result half beyond the memory", &format!("(i32.const {})", end - 8), "out of bounds"),
        fault("a result at an odd address", "(i32.const 65)", "align"),
        fault(
            "a result that is neither ok nor an error",
            "(i32.store8 (i32.const 64) (i32.const 2)) (i32.const 64)",
            "discriminant",
        ),
    ]
}

fn outputs() -> Vec<Row> {
    let end = 40 * 65_536;
    let says = |words: &str| format!("(call $text (i32.const 68) @\"{words}\") (i32.const 64)");
    let deep = "(memory.fill (i32.const 131072) (i32.const 91) (i32.const 500000))
        (memory.fill (i32.const 631072) (i32.const 93) (i32.const 500000))";
    vec![
        fault("an output of the largest length", &output(0, -1), "out of bounds"),
        fault("an output that ends beyond the memory", &output(end - 1, 2), "out of bounds"),
        of(OutputSize, "an output of 1 MiB and a byte", &output(131_072, (1 << 20) + 1), "1048576 bytes"),
        fault("an output of 2 MiB", &output(131_072, 2 << 20), "1 MiB"),
        fault("an output that is no text", &says("\\ff\\fe"), "utf-8"),
        fault("an output that is no JSON", &says("nope"), "not JSON"),
        fault("an output that is empty", &says(""), "not JSON"),
        fault("an output with something behind it", &says("{} {}"), "not JSON"),
        fault("an output with a raw control character", &says("\\22\\1b[2J\\22"), "not JSON"),
        of(
            OutputDepth,
            "an output that is 500,000 deep",
            &format!("{deep} {}", output(131_072, 1_000_000)),
            "deeper than 100",
        ),
        fault("a number that is none", &says("NaN"), "not JSON"),
    ]
}

fn errors() -> Vec<Row> {
    let error = |case: u32, rest: &str| {
        format!(
            "(i32.store8 (i32.const 64) (i32.const 1)) (i32.store8 (i32.const 68) (i32.const {case})) {rest} (i32.const 64)"
        )
    };
    let words =
        |case: u32| error(case, "(call $text (i32.const 72) @\"made-up\") (call $text (i32.const 92) @\"because\")");
    let list = |count: i64| {
        error(
            5,
            &format!("(i32.store (i32.const 72) (i32.const 131072)) (i32.store (i32.const 76) (i32.const {count}))"),
        )
    };
    let long = error(
        0,
        "(memory.fill (i32.const 131072) (i32.const 101) (i32.const 900000)) (i32.store (i32.const 72) (i32.const 131072))
         (i32.store (i32.const 76) (i32.const 300000)) (i32.store8 (i32.const 80) (i32.const 1))
         (i32.store (i32.const 84) (i32.const 131072)) (i32.store (i32.const 88) (i32.const 300000))
         (i32.store (i32.const 92) (i32.const 131072)) (i32.store (i32.const 96) (i32.const 300000))",
    );
    let tricky = error(
        0,
        "(call $text (i32.const 72) @\"made-up\\1b[31m\") (i32.store8 (i32.const 80) (i32.const 1))
         (call $text (i32.const 84) @\"\\e2\\80\\aefield\") (call $text (i32.const 92) @\"\\1b]8;;http://x\\07click\\1b]8;;\\07\\0d\\00\")",
    );
    let after_work = format!("{} {}", post("e1"), words(0));
    let refused = |name: &str, run: &str, class, code| {
        let guest = Guest { run, pages: 40, ..Guest::default() };
        Row::new(name, guest.plugin(), crate::harness::End::Refused(class, code))
    };
    let cut: &'static str = Box::leak("e".repeat(128).into_boxed_str());
    vec![
        fault("an error that is none of the six", &error(6, ""), "discriminant"),
        fault("the largest error", &error(255, ""), "discriminant"),
        fault(
            "an error with a field that is neither there nor not",
            &error(0, "(i32.store8 (i32.const 80) (i32.const 2))"),
            "discriminant",
        ),
        fault(
            "an error with a code beyond the memory",
            &error(0, "(i32.store (i32.const 72) (i32.const -1)) (i32.store (i32.const 76) (i32.const 9))"),
            "out of bounds",
        ),
        fault("as many problems as can be counted", &list(-1), "out of bounds"),
        fault("problems at an odd address", &list(1).replace("131072", "131073"), "align"),
        fault("more problems than 1 MiB has room for", &list(45_000), "too much data"),
        refused("no problem at all", &list(0), Class::Invalid, "unknown"),
        refused("thousands of problems", &list(5_000), Class::Invalid, ""),
        refused("an error of a million letters", &long, Class::Refused, cut),
        refused("an error that paints", &tricky, Class::Refused, "made-up\u{fffd}[31m"),
        refused("an error after an entry was posted", &after_work, Class::Refused, "made-up"),
        // The service's own classes are the guest's to use, and mean nothing more for that.
        refused("an error that speaks for the service", &words(3), Class::Unavailable, "made-up"),
        refused("an error that speaks for other hosts", &words(2), Class::Conflict, "made-up"),
    ]
}

/// Where the guest says that the host may write.
fn allocations() -> Vec<Row> {
    let ask = format!("(call $config.get @\"greeting\" (i32.const 512)) {OK}");
    let state =
        format!("(call $accounts.list (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 9) (i32.const 512)) {OK}");
    let rows = [
        ("room for the input beyond the memory", "(i32.const -65536)", OK, "beyond end of memory"),
        (
            "room for an answer beyond the memory",
            "(i32.sub (i32.const 0) (i32.gt_u (local.get 3) (i32.const 2)))",
            &ask,
            "beyond end of memory",
        ),
        ("room for a list at an odd address", "(i32.const 65537)", &state, "align"),
    ];
    let mut all: Vec<_> = rows
        .into_iter()
        .map(|(name, realloc, run, part)| {
            Row::fault(name, &Guest { run, realloc: Some(realloc), ..Guest::default() }, Output, part)
        })
        .collect();
    // All in one place, over each other and over the guest's own data: its own loss.
    let over = Guest { run: &state, realloc: Some("(i32.const 65536)"), ..Guest::default() };
    all.push(Row::harmless("room for everything in the same place", &over, 0));
    let gives_up = Guest { realloc: Some("unreachable"), ..Guest::default() };
    all.push(Row::fault("a reallocation that gives up", &gives_up, Trap, "unreachable"));
    let late = Guest { run: &format!("{} {OK}", post("e1")), post: "unreachable", ..Guest::default() };
    all.push(Row::fault("a trap in post-return, when the output is already there", &late, Trap, "unreachable"));
    all
}
