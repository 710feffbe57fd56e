//! Words that are shown to people, and would be more than words on a terminal.

use backroom_domain::Class;
use backroom_runtime::FaultKind::Trap;

use crate::guest::{Guest, OK};
use crate::harness::{End, Row};

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = lines();
    rows.extend(names());
    rows
}

/// The harness looks for anything that a terminal would obey; here it is seen that the rest is still there.
fn lines() -> Vec<Row> {
    let rows: [(&str, &str, &str); 12] = [
        ("a colour", "a\\1b[31mb", "a\u{fffd}[31mb"),
        ("a link", "\\1b]8;;http://x\\1b\\5cy", "\u{fffd}]8;;http://x\u{fffd}\\y"),
        ("a new title of the window", "\\1b]0;root\\07", "\u{fffd}]0;root\u{fffd}"),
        ("a cleared screen", "\\1b[2J\\1b[H", "\u{fffd}[2J\u{fffd}[H"),
        ("a line written over", "failed\\0dfine", "failed\u{fffd}fine"),
        ("a line of its own", "x\\0a2026-01-01 INFO fine", "x\u{fffd}2026-01-01 INFO fine"),
        ("deleted letters", "no\\08\\08yes\\7f", "no\u{fffd}\u{fffd}yes\u{fffd}"),
        ("an escape of eight bits", "\\c2\\9b31m", "\u{fffd}31m"),
        ("NUL", "a\\00b", "a\u{fffd}b"),
        ("letters that run backwards", "a\\e2\\80\\aeb\\e2\\80\\ac", "a\u{fffd}b\u{fffd}"),
        ("an isolate", "a\\e2\\81\\a6b\\e2\\81\\a9", "a\u{fffd}b\u{fffd}"),
        ("a line separator", "a\\e2\\80\\a8b", "a\u{fffd}b"),
    ];
    let mut all = Vec::new();
    for (name, text, shown) in rows {
        let run = format!("(call $log.write (i32.const 1) @\"{text}\") {OK}");
        let guest = Guest { run: &run, ..Guest::default() };
        all.push(Row::harmless(format!("a log line with {name}"), &guest, 0).logs(shown));
    }
    let long = format!("(call $log.write (i32.const 1) (i32.const 65536) (i32.const 100000)) {OK}");
    let row = Row::harmless("a log line of 100,000 NULs", &Guest { run: &long, ..Guest::default() }, 0);
    all.push(row.and(|report| assert!(report.log.iter().all(|line| line.message.len() <= 4 << 10))));
    all
}

/// Names of functions end up in the message of a trap.
fn names() -> Vec<Row> {
    let trap = |name: &str| {
        let fields = format!("(func $sad (@name \"{name}\") unreachable)");
        Guest { fields: &fields, run: "(call $sad) (i32.const 0)", ..Guest::default() }.plugin()
    };
    let long = "f".repeat(90_000);
    vec![
        Row::new("a function whose name paints", trap("\\1b[31mfine\\0d\\e2\\80\\ae"), End::Fault(Trap, "unreachable")),
        Row::new("a function whose name is a page long", trap(&long), End::Fault(Trap, "unreachable")),
        Row::refused(
            "an id that paints in the service's own message",
            &crate::guest::answers("workers.get-name", "@\"\\1b[31mx\\e2\\80\\ae\""),
            Class::Invalid,
            "id-invalid",
        ),
    ]
}
