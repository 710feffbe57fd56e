//! Bank statements beside the books.

use backroom_domain::Side;
use backroom_domain::ledger::{Amount, NewBankLine, NewStatement};
use backroom_office::ledger::{
    confirm_line, import_statement, list_bank_lines, post, suggest_matches, undo_confirmation,
};
use backroom_office::{PageRequest, Work};

use super::books::{code, day, id};
use super::{at, balances, company, dollars, everything, open};

fn bank(id_: &str, date: &str, side: Side, minor: u64, reference: &str) -> NewBankLine {
    NewBankLine {
        id: id(id_),
        date: day(date),
        side,
        minor,
        counterparty: Some("Acme Inc".into()),
        reference: Some(reference.into()),
    }
}

fn statement(name: &str, opening: i128, closing: i128, lines: Vec<NewBankLine>) -> NewStatement {
    NewStatement {
        id: id(name),
        account: id("1000"),
        opening: Amount::of(opening),
        closing: Amount::of(closing),
        lines,
    }
}

fn first() -> NewStatement {
    let lines = vec![
        bank("b1", "2026-06-02", Side::Debit, 10_000, "invoice INV-1001"),
        bank("b2", "2026-06-03", Side::Credit, 2_500, "rent June"),
    ];
    statement("s1", 0, 7_500, lines)
}

fn posted(work: &mut Work) {
    let mut entries = vec![
        dollars("p1", "2026-06-01", "1000", "4100", 10_000),
        dollars("p2", "2026-06-02", "1000", "4100", 10_000),
        dollars("p3", "2026-06-03", "6900", "1000", 2_500),
        dollars("far", "2026-01-03", "6900", "1000", 2_500),
    ];
    entries[0].description = "Payment of INV-1001 by Acme".into();
    for entry in entries {
        post(work, entry).unwrap();
    }
}

#[test]
fn statements_are_imported_once_and_follow_each_other() {
    let books = company();
    let mut work = books.work(everything());
    let done = import_statement(&mut work, &first()).unwrap();
    assert_eq!(
        (done.statement.added, done.statement.duplicates, done.statement.number, done.replayed),
        (2, 0, 1, false)
    );
    assert!(import_statement(&mut work, &first()).unwrap().replayed);
    assert_eq!(code(import_statement(&mut work, &NewStatement { id: id("again"), ..first() })), "duplicate-statement");

    // One that shows an old line again and goes on where the first ended.
    let mut lines = first().lines.split_off(1);
    lines.push(bank("b3", "2026-06-04", Side::Debit, 100, "interest"));
    let overlapping = statement("s2", 10_000, 7_600, lines);
    let done = import_statement(&mut work, &overlapping).unwrap();
    assert_eq!((done.statement.added, done.statement.duplicates, done.statement.number), (1, 1, 2));
    // Nothing is between it and the next.
    let next =
        |opening, closing| statement("s3", opening, closing, vec![bank("b4", "2026-06-05", Side::Debit, 1, "x")]);
    assert_eq!(code(import_statement(&mut work, &next(7_500, 7_501))), "balance-chain-broken");
    assert_eq!(code(import_statement(&mut work, &next(7_600, 7_602))), "balance-chain-broken");
    assert!(import_statement(&mut work, &next(7_600, 7_601)).is_ok());
    let different = NewStatement { closing: Amount::of(7_602), opening: Amount::of(7_601), ..next(0, 0) };
    assert_eq!(code(import_statement(&mut work, &different)), "exists-with-different");
    let mut changed = statement("s4", 7_601, 7_603, vec![bank("b4", "2026-06-05", Side::Debit, 2, "x")]);
    assert_eq!(code(import_statement(&mut work, &changed)), "exists-with-different");
    changed.lines.clear();
    assert_eq!(code(import_statement(&mut work, &changed)), "lines-invalid");
    assert_eq!(code(import_statement(&mut work, &NewStatement { account: id("1010"), ..first() })), "not-reconcilable");
    assert_eq!(
        code(import_statement(&mut work, &NewStatement { account: id("nowhere"), ..first() })),
        "account-not-found"
    );
}

#[test]
fn the_likely_line_comes_first_with_its_reasons() {
    let books = company();
    books.set_up(posted);
    let mut work = books.work(everything());
    import_statement(&mut work, &first()).unwrap();
    let lines = suggest_matches(&work, &id("1000"), &PageRequest::first(10)).unwrap().items;
    let told: Vec<Vec<(String, u8)>> = lines
        .iter()
        .map(|line| line.suggestions.iter().map(|found| (found.item.entry.to_string(), found.score)).collect())
        .collect();
    // p1 is a day away but names the invoice; p2 is of the day itself. The rent of January is too far away.
    assert_eq!(told, [vec![("p1".into(), 88), ("p2".into(), 70)], vec![("p3".into(), 70)]]);
    assert_eq!(lines[0].suggestions[0].reasons, ["amount", "near-day", "reference"]);
}

#[test]
fn confirming_closes_both_sides_and_can_be_taken_back() {
    let books = company();
    books.set_up(posted);
    let mut work = books.work(everything());
    import_statement(&mut work, &first()).unwrap();
    let account = id("1000");
    let rows = [
        ("nowhere", at("p1", 0), "bank-line-not-found"),
        ("b1", at("p1", 7), "item-not-found"),
        ("b1", at("p3", 1), "wrong-side"),
        ("b2", at("p1", 0), "wrong-side"),
    ];
    for (line, item, expected) in rows {
        assert_eq!(code(confirm_line(&mut work, &account, &id(line), &item)), expected, "{line}");
    }
    assert!(!confirm_line(&mut work, &account, &id("b1"), &at("p1", 0)).unwrap().replayed);
    assert!(confirm_line(&mut work, &account, &id("b1"), &at("p1", 0)).unwrap().replayed);
    assert_eq!(code(confirm_line(&mut work, &account, &id("b1"), &at("p2", 0))), "already-confirmed");
    confirm_line(&mut work, &account, &id("b2"), &at("p3", 1)).unwrap();
    assert!(list_bank_lines(&work, &account, &PageRequest::first(10)).unwrap().items.is_empty());
    // What the bank has not shown is what books and bank differ by.
    let waiting = open(&work, "1000", None);
    assert_eq!(waiting, [("p2".into(), 0, 10_000), ("far".into(), 1, 2_500)]);
    assert_eq!(balances(&work, "1000").0, 7_500 + 10_000 - 2_500);

    undo_confirmation(&mut work, &account, &id("b1"), "it was another").unwrap();
    assert_eq!(open(&work, "1000", None).len(), 3);
    assert!(undo_confirmation(&mut work, &account, &id("b1"), "it was another").unwrap().replayed);
    let small = statement("s2", 7_500, 7_501, vec![bank("b9", "2026-06-05", Side::Debit, 1, "x")]);
    import_statement(&mut work, &small).unwrap();
    assert_eq!(code(confirm_line(&mut work, &account, &id("b9"), &at("p1", 0))), "amount-differs");
    confirm_line(&mut work, &account, &id("b1"), &at("p1", 0)).unwrap();
    assert_eq!(code(confirm_line(&mut work, &account, &id("b9"), &at("p1", 0))), "item-closed");
}
