//! Values that are none: what a guest hands over in host calls, bit by bit wrong.

use backroom_runtime::FaultKind::Output;
use wit_component::StringEncoding;

use crate::guest::{Guest, OK, post};
use crate::harness::Row;

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = sizes();
    rows.extend(pointers());
    rows.extend(texts());
    rows.extend(wide_texts());
    rows.extend(cases());
    rows.extend(odd_but_fine());
    rows
}

/// A call of `journal.post` with this address and count of lines, and this place for the answer.
fn lines(at: i64, count: i64, result: i64) -> String {
    format!(
        "(call $lines) (call $journal.post @\"e1\" (i32.const 2026) (i32.const 6) (i32.const 30) @\"A test\" (i32.const {at})
         (i32.const {count}) (i32.const {result})) {OK}"
    )
}

fn fault(name: &str, run: &str, part: &'static str) -> Row {
    Row::fault(name, &Guest { run, pages: 40, ..Guest::default() }, Output, part)
}

fn sizes() -> Vec<Row> {
    let key = |bytes: u32| format!("(call $config.get (i32.const 65536) (i32.const {bytes}) (i32.const 512)) {OK}");
    let description = format!(
        "(call $lines) (call $journal.post @\"e1\" (i32.const 2026) (i32.const 6) (i32.const 30) (i32.const 65536)
         (i32.const 1200000) (i32.const 1024) (i32.const 2) (i32.const 512)) {OK}"
    );
    let value = format!("(call $state.set @\"key\" (i32.const 65536) (i32.const 1200000) (i32.const 512)) {OK}");
    let line = format!("(call $log.write (i32.const 0) (i32.const 65536) (i32.const 1200000)) {OK}");
    let limit = "too much data";
    vec![
        fault("a key of more than 1 MiB", &key(1_200_000), limit),
        fault("a key of 2 MiB", &key(2 << 20), limit),
        fault("a description of more than 1 MiB", &description, limit),
        fault("a value of more than 1 MiB", &value, limit),
        fault("a log line of more than 1 MiB", &line, limit),
        fault("a list with the largest count", &lines(1024, 0xFFFF_FFFF, 512), "out of bounds"),
        // 76,695,845 times 56 bytes is 24 more than 2^32.
        fault("a count whose bytes wrap around", &lines(1024, 76_695_845, 512), "out of bounds"),
        fault("more lines than there is memory", &lines(1024, 50_000, 512), "out of bounds"),
        fault("a list with more in it than 1 MiB", &lines(131_072, 40_000, 512), limit),
    ]
}

fn pointers() -> Vec<Row> {
    let get = |at: i64, length: i64, result: i64| {
        format!("(call $accounts.get (i32.const {at}) (i32.const {length}) (i32.const {result})) {OK}")
    };
    let end = 40 * 65_536;
    let moved = |at: i64| format!("(call $stock.post-move (i32.const {at}) (i32.const 512)) {OK}");
    // A good entry first: the fault comes when the answer to it is written.
    let posted = format!("{} {}", post("e1"), get(4096, 4, -8));
    vec![
        fault("a text far beyond the memory", &get(-16, 4, 512), "out of bounds"),
        fault("a text that ends one byte beyond the memory", &get(end - 3, 4, 512), "out of bounds"),
        fault("a text at the largest address with the largest length", &get(-1, -1, 512), "out of bounds"),
        fault("lines at an odd address", &lines(1025, 2, 512), "align"),
        fault("a record at an odd address", &moved(1028), "align"),
        fault("a record beyond the memory", &moved(end - 64), "out of bounds"),
        fault("an answer at an odd address", &get(4096, 4, 513), "align"),
        fault("an answer beyond the memory", &get(4096, 4, end - 4), "out of bounds"),
        fault("an answer at the largest address, after an entry was posted", &posted, "out of bounds"),
        fault("an entry whose answer has no place", &lines(1024, 2, -64), "out of bounds"),
    ]
}

/// Bytes that are no UTF-8.
fn texts() -> Vec<Row> {
    let rows = [
        ("a byte that is in no text", "\\ff"),
        ("an overlong encoding of NUL", "\\c0\\80"),
        ("an overlong encoding of a slash", "\\e0\\80\\af"),
        ("half of a surrogate pair", "\\ed\\a0\\80"),
        ("a whole surrogate pair", "\\ed\\a0\\bd\\ed\\b8\\80"),
        ("a character that is cut off", "abc\\e2\\82"),
        ("a continuation without a beginning", "\\80"),
        ("a character beyond the last one", "\\f4\\90\\80\\80"),
        ("five bytes for one character", "\\f8\\88\\80\\80\\80"),
    ];
    let row =
        |(name, text): (&str, &str)| fault(name, &format!("(call $log.write (i32.const 0) @\"{text}\") {OK}"), "utf-8");
    rows.into_iter().map(row).collect()
}

/// The same for guests whose texts are UTF-16.
fn wide_texts() -> Vec<Row> {
    let write =
        |at: i64, units: i64| format!("(call $log.write (i32.const 0) (i32.const {at}) (i32.const {units})) {OK}");
    let lone = format!("(i32.store (i32.const 2048) (i32.const 0x0041d800)) {}", write(2048, 2));
    let reversed = format!("(i32.store (i32.const 2048) (i32.const 0xd83dde00)) {}", write(2048, 2));
    let tagged = format!("(i32.store (i32.const 2048) (i32.const 0x0041dfff)) {}", write(2048, 0x8000_0002_u32.into()));
    let rows = [
        ("half of a pair in UTF-16", StringEncoding::UTF16, lone.as_str(), "surrogate"),
        ("a pair the wrong way round in UTF-16", StringEncoding::UTF16, &reversed, "surrogate"),
        ("UTF-16 at an odd address", StringEncoding::UTF16, &write(2049, 2), "align"),
        ("UTF-16 whose bytes wrap around", StringEncoding::UTF16, &write(2048, 0x8000_0001), "out of bounds"),
        ("half of a pair in compact UTF-16", StringEncoding::CompactUTF16, &tagged, "surrogate"),
        ("compact UTF-16 of the largest length", StringEncoding::CompactUTF16, &write(2048, -1), "out of bounds"),
    ];
    let row = |(name, encoding, run, part): (&str, StringEncoding, &str, &'static str)| {
        Row::fault(name, &Guest { run, encoding, ..Guest::default() }, Output, part)
    };
    rows.into_iter().map(row).collect()
}

/// Numbers that stand for no case.
fn cases() -> Vec<Row> {
    let after = |spoil: &str| lines(1024, 2, 512).replacen("(call $lines)", &format!("(call $lines) {spoil}"), 1);
    let moved =
        |spoil: &str| format!("(call $move) {spoil} (call $stock.post-move (i32.const 1024) (i32.const 512)) {OK}");
    let list = |case: u32| {
        format!(
            "(call $accounts.list (i32.const {case}) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 512)) {OK}"
        )
    };
    vec![
        fault("a side that is neither", &after("(i32.store8 (i32.const 1032) (i32.const 2))"), "discriminant"),
        fault("the largest side", &after("(i32.store8 (i32.const 1032) (i32.const 255))"), "discriminant"),
        fault("a memo that is neither there nor not", &after("(i32.store8 (i32.const 1064) (i32.const 2))"), "discriminant"),
        fault("a cost that is neither there nor not", &moved("(i32.store8 (i32.const 1096) (i32.const 7))"), "discriminant"),
        fault("a cursor that is neither there nor not", &list(2), "discriminant"),
        fault("the largest case of an option", &list(u32::MAX), "discriminant"),
        fault("a level that is none", &format!("(call $log.write (i32.const 4) @\"x\") {OK}"), "discriminant"),
        fault("the largest level", &format!("(call $log.write (i32.const -1) @\"x\") {OK}"), "discriminant"),
        fault(
            "a place of work that is none",
            &format!(
                "(call $everyone (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1)) (i32.store16 (i32.const 1048) (i32.const 0x301))
                 (call $workers.list-employments (i32.const 1024) (i32.const 512)) {OK}"
            ),
            "discriminant",
        ),
    ]
}

/// What looks wrong and is not: the host reads everything before it writes anything.
fn odd_but_fine() -> Vec<Row> {
    let over_itself = lines(1024, 2, 1024);
    let one_text = "(call $lines) (call $journal.post @\"1000\" (i32.const 2026) (i32.const 6) (i32.const 30) @\"1000\"
        (i32.const 1024) (i32.const 2) (i32.const 512)) (call $ok)";
    // A month is one byte: what stands above it is nothing.
    let high_bits = lines(1024, 2, 512).replace("(i32.const 6)", "(i32.const 0x7fffff06)");
    let fine = |name: &str, run: &str, effects| Row::harmless(name, &Guest { run, ..Guest::default() }, effects);
    vec![
        fine("an answer over its own question", &over_itself, 1),
        fine("the same text for everything", one_text, 1),
        fine("bits above a small number", &high_bits, 1),
    ]
}
