//! Names and texts: too long, empty, with characters that do not belong there, or that look like a path.

use backroom_domain::Class::{Invalid, NotFound, Refused};

use crate::guest::{Guest, OK, answers};
use crate::harness::Row;

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = ids();
    rows.extend(keys());
    rows.extend(texts());
    rows.extend(dimensions());
    rows
}

fn ids() -> Vec<Row> {
    let get = |id: &str| answers("accounts.get", &format!("@\"{id}\""));
    let longest = "a".repeat(64);
    let longer = "a".repeat(65);
    let bad = [
        ("65 characters", longer.as_str()),
        ("nothing", ""),
        ("a dash first", "-1000"),
        ("NUL", "1000\\00"),
        ("a line end", "1000\\0a"),
        ("an escape sequence", "\\1b[31m1000"),
        ("a space", "10 00"),
        ("letters of another script", "\\d1\\81\\d0\\b0\\d1\\88"),
        ("digits of another script", "\\d9\\a1\\d9\\a2"),
        ("an invisible character", "1000\\e2\\80\\8b"),
        ("a text that runs backwards", "\\e2\\80\\ae0001"),
        ("a way out of the folder", "../../etc/passwd"),
        ("an absolute path", "/etc/passwd"),
        ("a wildcard", "1000*"),
        ("a quote of SQL", "1000';--"),
        ("a placeholder", "${HOME}"),
    ];
    let mut rows: Vec<_> = bad
        .into_iter()
        .map(|(name, id)| Row::refused(format!("an id with {name}"), &get(id), Invalid, "id-invalid"))
        .collect();
    rows.push(Row::refused("an id of 64 characters", &get(&longest), NotFound, "not-found"));
    rows.push(Row::refused("an id that is a path within", &get("a/../../1000"), NotFound, "not-found"));
    let huge = answers("accounts.get", "(i32.const 65536) (i32.const 1048576)");
    let guest = Guest { run: &huge, pages: 40, ..Guest::default() };
    rows.push(Row::new("an id of 1 MiB", guest.plugin(), crate::harness::End::Refused(Invalid, "id-invalid")));
    // Every field of a form that names something.
    for (field, at) in [("item", 1036), ("source", 1064), ("destination", 1072), ("id", 1024)] {
        let run = format!(
            "(call $move) (call $text (i32.const {at}) @\"no id\") {}",
            answers("stock.post-move", "(i32.const 1024)")
        );
        rows.push(Row::refused(format!("a move whose {field} is no id"), &run, Invalid, "id-invalid"));
    }
    for (field, at) in [("worker", 1032), ("plan", 1040), ("cost centre", 1072), ("id", 1024)] {
        let run = format!(
            "(call $benefit) (call $text (i32.const {at}) @\"no id\") {}",
            answers("benefits.record", "(i32.const 1024)")
        );
        rows.push(Row::refused(format!("a benefit line whose {field} is no id"), &run, Invalid, "id-invalid"));
    }
    rows
}

fn keys() -> Vec<Row> {
    let set = |key: &str| answers("state.set", &format!("{key} @\"value\""));
    let long = "k".repeat(129);
    let value = answers("state.set", "@\"key\" (i32.const 65536) (i32.const 32769)");
    let config = format!("(call $config.get (i32.const 65536) (i32.const 100000) (i32.const 512)) {OK}");
    vec![
        Row::refused("a key of 129 bytes", &set(&format!("@\"{long}\"")), Invalid, "key-invalid"),
        Row::refused("an empty key", &set("@\"\""), Invalid, "key-invalid"),
        Row::refused("a key of 128 KiB", &set("(i32.const 65536) (i32.const 131072)"), Invalid, "key-invalid"),
        Row::refused(
            "a prefix of 129 bytes",
            &answers("state.list", &format!("@\"{long}\" (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1)")),
            Invalid,
            "key-invalid",
        ),
        Row::refused("a value of 32 KiB and a byte", &value, Invalid, "value-too-large"),
        Row::harmless("a key of 100,000 bytes that nobody set", &Guest { run: &config, ..Guest::default() }, 0),
        Row::harmless(
            "a key that looks like a path",
            &Guest { run: &set("@\"../../../etc/passwd\""), ..Guest::default() },
            1,
        ),
        Row::harmless("a key of NULs", &Guest { run: &set("@\"\\00\\00\\00\""), ..Guest::default() }, 1),
    ]
}

fn texts() -> Vec<Row> {
    let post = |description: &str, spoil: &str| {
        let operands = format!(
            "@\"e1\" (i32.const 2026) (i32.const 6) (i32.const 30) {description} (i32.const 1024) (i32.const 2)"
        );
        format!("(call $lines) {spoil} {}", answers("journal.post", &operands))
    };
    let memo = |text: &str| {
        post(
            "@\"A test\"",
            &format!("(i32.store8 (i32.const 1064) (i32.const 1)) (call $text (i32.const 1068) @\"{text}\")"),
        )
    };
    let reason = |text: &str| {
        format!(
            "(call $move) (call $text (i32.const 1132) @\"{text}\") {}",
            answers("stock.post-move", "(i32.const 1024)")
        )
    };
    let long = "d".repeat(201);
    let rows = [
        ("a description of 201 characters", post(&format!("@\"{long}\""), "")),
        ("an empty description", post("@\"\"", "")),
        ("a description of 190,000 NULs", post("(i32.const 65536) (i32.const 190000)", "")),
        ("a description that paints", post("@\"Paid \\1b[32min full\\1b[0m\"", "")),
        ("a description with a link in it", post("@\"\\1b]8;;http://x\\07here\\1b]8;;\\07\"", "")),
        ("a description that overwrites its line", post("@\"100.00\\0d  1.00\"", "")),
        ("a description of several lines", post("@\"one\\0a2026-06-30 paid\"", "")),
        ("a description with NUL", post("@\"one\\00two\"", "")),
        ("a description that runs backwards", post("@\"Pay \\e2\\80\\ae00.001\"", "")),
        ("a memo of 201 characters", memo(&long)),
        ("a memo that paints", memo("\\1b[8mhidden")),
        ("a memo with an isolate", memo("a\\e2\\81\\a7b")),
        ("a reason that paints", reason("\\c2\\9b31mred")),
        ("a reason that is empty", reason("")),
        ("a reason that rings", reason("\\07")),
    ];
    rows.into_iter().map(|(name, run)| Row::refused(name, &run, Invalid, "text-invalid")).collect()
}

fn dimensions() -> Vec<Row> {
    let with = |count: u32, name: &str| {
        let fill: String = (0..count)
            .map(|n| {
                let at = 2048 + n * 16;
                let name = if name.is_empty() { format!("d{n}") } else { name.to_owned() };
                format!("(call $text (i32.const {at}) @\"{name}\") (call $text (i32.const {}) @\"v\") ", at + 8)
            })
            .collect();
        format!(
            "(call $lines) {fill} (i32.store (i32.const 1056) (i32.const 2048)) (i32.store (i32.const 1060) (i32.const {count})) {}",
            answers(
                "journal.post",
                "@\"e1\" (i32.const 2026) (i32.const 6) (i32.const 30) @\"A test\" (i32.const 1024) (i32.const 2)"
            )
        )
    };
    let unbalanced = "(call $lines) (i64.store (i32.const 1040) (i64.const 99))";
    let post = answers(
        "journal.post",
        "@\"e1\" (i32.const 2026) (i32.const 6) (i32.const 30) @\"A test\" (i32.const 1024) (i32.const 2)",
    );
    vec![
        Row::refused("nine dimensions", &with(9, ""), Invalid, "dimensions-invalid"),
        Row::refused("a dimension twice", &with(2, "d"), Invalid, "dimensions-invalid"),
        Row::refused("a dimension that is no id", &with(1, "no id"), Invalid, "id-invalid"),
        Row::refused("an entry that does not balance", &format!("{unbalanced} {post}"), Refused, "unbalanced"),
    ]
}
