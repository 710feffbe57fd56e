//! Amounts, quantities and days beyond what the books can hold.

use backroom_domain::Class::{Conflict, Invalid, NotFound, Refused};

use crate::guest::{Guest, OK, answer, answers, post};
use crate::harness::Row;

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = money();
    rows.extend(entries());
    rows.extend(moves());
    rows.extend(benefits());
    rows.extend(days());
    rows
}

/// Posts the lines at 1024 after `spoil`, on this day.
fn post_on(spoil: &str, count: u32, (year, month, day): (u32, u32, u32)) -> String {
    let operands = format!(
        "@\"e1\" (i32.const {year}) (i32.const {month}) (i32.const {day}) @\"A test\" (i32.const 1024) (i32.const {count})"
    );
    format!("(call $lines) {spoil} {}", answers("journal.post", &operands))
}

fn posting(spoil: &str) -> String {
    post_on(spoil, 2, (2026, 6, 30))
}

/// Both lines of this amount.
fn amount(minor: &str) -> String {
    posting(&format!(
        "(i64.store (i32.const 1040) (i64.const {minor})) (i64.store (i32.const 1096) (i64.const {minor}))"
    ))
}

fn money() -> Vec<Row> {
    let currency = |code: &str| {
        posting(&format!("(call $text (i32.const 1048) @\"{code}\") (call $text (i32.const 1104) @\"{code}\")"))
    };
    // On an account without a past, or its sum would be beyond the end.
    let largest = amount("9007199254740991").replace(
        "(call $lines)",
        "(call $lines) (call $text (i32.const 1024) @\"6200\") (call $text (i32.const 1080) @\"6200\")",
    );
    let invalid = |name: &str, run: &str, code| Row::refused(name, run, Invalid, code);
    vec![
        invalid("an amount of nothing", &amount("0"), "amount-zero"),
        invalid("an amount of 2^53", &amount("9007199254740992"), "amount-too-large"),
        invalid("an amount of 2^63", &amount("-9223372036854775808"), "amount-too-large"),
        invalid("the largest number as an amount", &amount("-1"), "amount-too-large"),
        invalid("a currency in small letters", &currency("usd"), "currency-invalid"),
        invalid("a currency of two letters", &currency("US"), "currency-invalid"),
        invalid("a currency of four letters", &currency("USDT"), "currency-invalid"),
        invalid("no currency", &currency(""), "currency-invalid"),
        invalid("a currency with a letter of another script", &currency("\\d0\\a1D"), "currency-invalid"),
        Row::refused("a currency that the account is not kept in", &currency("ZZZ"), Refused, "currency-mismatch"),
        Row::harmless("the largest amount", &Guest { run: &largest, ..Guest::default() }, 1),
    ]
}

fn entries() -> Vec<Row> {
    // The first reaches the end of what a balance can hold, the second goes over it.
    let twice = format!(
        "{} {}",
        post("e0:1").replace(
            "(call $lines)",
            "(call $lines) (i64.store (i32.const 1040) (i64.const 9007199254740991))
             (i64.store (i32.const 1096) (i64.const 9007199254740991))"
        ),
        post("e0:2")
    );
    let twice = format!("{twice} {OK}");
    // A thousand debits of the largest amount, which 64 bits can add, and one credit.
    let many = format!(
        "(local $n i32) (loop $more (call $line (i32.add (i32.const 131072) (i32.mul (local.get $n) (i32.const 56))) @\"6100\"
           (i32.const 0) (i64.const 9007199254740991))
           (br_if $more (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 1001)))) {}",
        answers(
            "journal.post",
            "@\"e1\" (i32.const 2026) (i32.const 6) (i32.const 30) @\"A test\" (i32.const 131072) (i32.const 1000)"
        )
    );
    let too_many = many.replace("(i32.const 131072) (i32.const 1000)", "(i32.const 131072) (i32.const 1001)");
    let other = format!(
        "{} (call $lines) {}",
        post("e1"),
        answers(
            "journal.post",
            "@\"e1\" (i32.const 2026) (i32.const 6) (i32.const 29) @\"A test\" (i32.const 1024) (i32.const 2)"
        )
    );
    let control = posting("(call $text (i32.const 1024) @\"1400\")");
    vec![
        Row::refused("one line", &post_on("", 1, (2026, 6, 30)), Invalid, "too-few-lines"),
        Row::refused("no lines", &post_on("", 0, (2026, 6, 30)), Invalid, "too-few-lines"),
        Row::refused("1,001 lines", &too_many, Invalid, "too-many-lines"),
        Row::refused("a thousand debits without a credit", &many, Refused, "unbalanced"),
        Row::refused("two debits", &posting("(i32.store8 (i32.const 1088) (i32.const 0))"), Refused, "unbalanced"),
        Row::refused("a balance beyond what can be told", &twice, Refused, "overflow"),
        Row::refused("the same id with other content", &other, Conflict, "exists-with-different"),
        Row::refused("stock written up without stock", &control, Refused, "stock-ledger-mismatch"),
        Row::refused(
            "an account that does not exist",
            &posting("(call $text (i32.const 1024) @\"9999\")"),
            NotFound,
            "account-not-found",
        ),
    ]
}

fn moves() -> Vec<Row> {
    let moved = |spoil: &str| format!("(call $move) {spoil} {}", answers("stock.post-move", "(i32.const 1024)"));
    let mantissa = |value: &str| moved(&format!("(i64.store (i32.const 1048) (i64.const {value}))"));
    let scale = |value: u32| moved(&format!("(i32.store8 (i32.const 1056) (i32.const {value}))"));
    // Out of the stock to the staff, without a cost.
    let issue = |quantity: u32| {
        moved(&format!(
            "(call $text (i32.const 1064) @\"stock\") (call $text (i32.const 1072) @\"staff\") (i32.store8 (i32.const 1096) (i32.const 0))
             (i64.store (i32.const 1048) (i64.const {quantity}))"
        ))
    };
    vec![
        Row::refused("a quantity of nothing", &mantissa("0"), Invalid, "quantity-zero"),
        Row::refused("a quantity of 2^53", &mantissa("9007199254740992"), Invalid, "decimal-invalid"),
        Row::refused("the largest number as a quantity", &mantissa("-1"), Invalid, "decimal-invalid"),
        Row::refused("a quantity with 10 decimals", &scale(10), Invalid, "decimal-invalid"),
        Row::refused("a quantity with 255 decimals", &scale(255), Invalid, "decimal-invalid"),
        Row::refused("a billionth of a laptop", &scale(9), Refused, "quantity-too-fine"),
        Row::refused("more than there is", &issue(11), Refused, "insufficient-stock"),
        Row::refused("stock that leaves without an entry", &issue(1), Refused, "stock-ledger-mismatch"),
        Row::refused(
            "a move to where it is",
            &moved("(call $text (i32.const 1064) @\"stock\")"),
            Invalid,
            "same-location",
        ),
        Row::refused(
            "a cost of 2^53",
            &moved("(i64.store (i32.const 1104) (i64.const 9007199254740992))"),
            Invalid,
            "amount-too-large",
        ),
        Row::refused(
            "a receipt without a cost",
            &moved("(i32.store8 (i32.const 1096) (i32.const 0))"),
            Refused,
            "cost-missing",
        ),
        Row::refused(
            "a lot that does not exist",
            &moved("(i32.store8 (i32.const 1080) (i32.const 1)) (call $text (i32.const 1084) @\"lot\")"),
            NotFound,
            "lot-not-found",
        ),
        Row::refused("stock that enters without an entry", &moved(""), Refused, "stock-ledger-mismatch"),
    ]
}

fn benefits() -> Vec<Row> {
    let record = |spoil: &str| format!("(call $benefit) {spoil} {}", answers("benefits.record", "(i32.const 1024)"));
    let minor = |value: &str| record(&format!("(i64.store (i32.const 1056) (i64.const {value}))"));
    let year = |at: u32, year: u32| record(&format!("(i32.store16 (i32.const {at}) (i32.const {year}))"));
    let twice = format!(
        "(call $benefit) {} (call $text (i32.const 1024) @\"b2\") {}",
        answer("benefits.record", "(i32.const 1024)"),
        answers("benefits.record", "(i32.const 1024)")
    );
    let entry = "(i32.store8 (i32.const 1080) (i32.const 1)) (call $text (i32.const 1084) @\"none\")";
    vec![
        Row::refused("a benefit of nothing", &minor("0"), Invalid, "amount-zero"),
        Row::refused("a benefit of 2^53", &minor("9007199254740992"), Invalid, "amount-too-large"),
        Row::refused("a benefit that ends before it begins", &year(1052, 2025), Invalid, "period-invalid"),
        Row::refused("a benefit for a thousand years", &year(1052, 2999), Invalid, "period-invalid"),
        Row::refused("a benefit from before the employment", &year(1048, 2025), Refused, "not-employed"),
        Row::refused("the same days twice", &twice, Refused, "overlapping-benefit"),
        Row::refused("a benefit whose entry never came", &record(entry), Refused, "entry-missing"),
    ]
}

fn days() -> Vec<Row> {
    let bad = [
        ("the 30th of February", (2026, 2, 30)),
        ("a leap day in 1900", (1900, 2, 29)),
        ("month 0", (2026, 0, 1)),
        ("month 13", (2026, 13, 1)),
        ("month 255", (2026, 255, 1)),
        ("day 0", (2026, 1, 0)),
        ("day 32", (2026, 1, 32)),
        ("day 255", (2026, 1, 255)),
        ("year 0", (0, 1, 1)),
        ("the year before the first", (1899, 12, 31)),
        ("the year behind the last", (3000, 1, 1)),
        ("the largest year", (65_535, 12, 31)),
    ];
    let mut rows: Vec<_> =
        bad.into_iter().map(|(name, day)| Row::refused(name, &post_on("", 2, day), Invalid, "date-invalid")).collect();
    let leap = post_on("", 2, (2000, 2, 29));
    rows.push(Row::harmless("a leap day in 2000", &Guest { run: &leap, ..Guest::default() }, 1));
    rows
}
