//! Cursors that the service never gave, and what a list shows for them: nothing of anybody else.

use backroom_domain::Class::Invalid;

use crate::guest::{Guest, OK, answers};
use crate::harness::{End, Row};

/// Every list: its name, the operands before the cursor, what it has of this tenant; each item begins with an id.
const LISTS: [(&str, &str, u32); 7] = [
    ("accounts.list", "", 4),
    ("journal.list", "", 1),
    ("items.list", "", 1),
    ("stock.list-on-hand", "@\"laptop\" (i32.const 0) (i32.const 0) (i32.const 0)", 1),
    ("workers.list-employments", "", 1),
    (
        "benefits.list",
        "@\"housing\" (i32.const 1900) (i32.const 1) (i32.const 1) (i32.const 2999) (i32.const 12) (i32.const 31)",
        1,
    ),
    // The installation that runs has set nothing; another one of the tenant has.
    ("state.list", "@\"\"", 0),
];

/// Cursors that have the form of one and were made up: what each stands for, and the hexadecimal of that key.
const FORGED: [(&str, &str); 8] = [
    ("nothing", ""),
    ("a byte of zero", "00"),
    ("the first account of somebody else", "782d3130303000"),
    ("the key of another tenant", "0000000210782d3130303000"),
    ("the tenant before", "00000001"),
    ("the beginning of another table", "0b"),
    ("the largest key", "ffffffffffffffffffffffffffffffffffffffff"),
    ("another installation's key", "7061737400736563726574"),
];

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (list, before, _) in LISTS {
        let with = |cursor: &str, limit: &str| {
            let operands = format!("(i32.const 1) {cursor} (i32.const {limit})");
            match list {
                // Its operands are so many that they go through memory.
                "workers.list-employments" => {
                    format!("(call $everyone {operands}) {}", answers(list, "(i32.const 1024)"))
                }
                _ => answers(list, &format!("{before} {operands}")),
            }
        };
        // Odd, no digits, digits of another script, cut in the middle of a digit.
        for (name, cursor) in [
            ("words", "nonsense"),
            ("half a byte", "abc"),
            ("NUL", "\\00\\00"),
            ("wide digits", "\\ef\\bc\\91\\ef\\bc\\92"),
        ] {
            let run = with(&format!("@\"{cursor}\""), "10");
            rows.push(Row::refused(format!("{list} from a cursor of {name}"), &run, Invalid, "cursor-invalid"));
        }
        for limit in ["0", "501", "-1"] {
            let run = with("@\"00\"", limit);
            rows.push(Row::refused(format!("{list} with a limit of {limit}"), &run, Invalid, "limit-invalid"));
        }
        let huge = with("(i32.const 65536) (i32.const 1048576)", "10");
        let guest = Guest { run: &huge, pages: 40, ..Guest::default() };
        rows.push(Row::new(
            format!("{list} from a cursor of 1 MiB"),
            guest.plugin(),
            End::Refused(Invalid, "cursor-invalid"),
        ));
        rows.push(forged(list));
    }
    rows
}

/// All forged cursors in one guest. A page may be refused; what it has is this tenant's own.
fn forged(list: &str) -> Row {
    let (_, before, own) = LISTS.into_iter().find(|(name, _, _)| *name == list).unwrap();
    let payload = 512 + crate::contract::Contract::get().function(list).payload.unwrap();
    let mut run = String::from("(local $items i32) (local $count i32)");
    for (_, cursor) in FORGED {
        // An id at the beginning of an item: `x-` is the mark of the other tenant.
        let first = "(i32.load16_u (i32.load (local.get $items)))";
        let mark = format!("(if (i32.eq {first} (i32.const 0x2d78)) (then unreachable))");
        let operands = format!("(i32.const 1) @\"{cursor}\" (i32.const 500)");
        let call = match list {
            "workers.list-employments" => {
                format!("(call $everyone {operands}) (call ${list} (i32.const 1024) (i32.const 512))")
            }
            _ => format!("(call ${list} {before} {operands} (i32.const 512))"),
        };
        run.push_str(&format!(
            "{call} (if (i32.eqz (i32.load8_u (i32.const 512))) (then
               (local.set $items (i32.load (i32.const {payload}))) (local.set $count (i32.load (i32.const {})))
               (if (i32.gt_u (local.get $count) (i32.const {own})) (then unreachable))
               (if (local.get $count) (then {mark}))))",
            payload + 4
        ));
    }
    let run = format!("{run} {OK}");
    Row::harmless(format!("{list} from forged cursors"), &Guest { run: &run, ..Guest::default() }, 0)
}
