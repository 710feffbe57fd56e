//! The end of a unit of work: stock and books changed by the same, and every entry that was named exists.

use backroom_domain::inventory::NewMove;
use backroom_domain::ledger::Line;
use backroom_domain::{Class, Error, Money, Side};
use backroom_office::inventory::{post_move, stock_control};
use backroom_office::{Failure, Work};

use crate::world::{World, book, commit, entry, id, new_move, receive, usd};

fn line(account: &str, side: Side, amount: Money) -> Line {
    Line { account: id(account), side, amount, dimensions: Vec::new(), memo: None, details: None }
}

fn pair(debit: &str, credit: &str, amount: Money) -> Vec<Line> {
    vec![line(debit, Side::Debit, amount), line(credit, Side::Credit, amount)]
}

fn buy(work: &mut Work, name: &str, minor: u64) {
    let new = NewMove { cost: Some(usd(minor)), ..new_move(name, "DESK", "1", "VENDOR", "STORE") };
    post_move(work, new).unwrap();
}

fn sealed(work: Work) -> Result<(), Error> {
    match commit(work) {
        Ok(()) => Ok(()),
        Err(Failure::Business(error)) => Err(error),
        Err(Failure::Store(error)) => panic!("{error}"),
    }
}

#[test]
fn stock_and_books_change_by_the_same_or_not_at_all() {
    type Act = fn(&mut Work);
    let rows: &[(&str, bool, Act)] = &[
        ("nothing", true, |_| {}),
        ("a receipt without an entry", false, |w| buy(w, "b", 100)),
        ("an entry without a move", false, |w| entry(w, "e", pair("1400", "5000", usd(100))).unwrap()),
        ("a cent too much", false, |w| {
            buy(w, "b", 100);
            entry(w, "e", pair("1400", "5000", usd(101))).unwrap();
        }),
        ("the wrong way round", false, |w| {
            buy(w, "b", 100);
            entry(w, "e", pair("5000", "1400", usd(100))).unwrap();
        }),
        ("two receipts in one entry that comes first", true, |w| {
            entry(w, "e", pair("1400", "5000", usd(300))).unwrap();
            buy(w, "b1", 100);
            buy(w, "b2", 200);
        }),
        ("a receipt and the issue of the same", true, |w| {
            buy(w, "b", 100);
            post_move(w, new_move("i", "DESK", "1", "STORE", "CLIENT")).unwrap();
        }),
        ("a gift", true, |w| buy(w, "b", 0)),
        ("two lines on the account in one entry", true, |w| {
            buy(w, "b", 100);
            let mut lines = pair("1400", "5000", usd(60));
            lines.extend(pair("1400", "5000", usd(40)));
            entry(w, "e", lines).unwrap();
        }),
        ("a repeat of the entry that pays for nothing twice", false, |w| {
            buy(w, "b1", 100);
            entry(w, "e", pair("1400", "5000", usd(100))).unwrap();
            buy(w, "b2", 100);
            entry(w, "e", pair("1400", "5000", usd(100))).unwrap();
        }),
    ];
    for (what, ok, act) in rows {
        let world = World::new();
        let mut work = world.work();
        act(&mut work);
        let result = sealed(work).map_err(|error| {
            assert_eq!((error.class, error.problems.len()), (Class::Refused, 1), "{what}");
            (error.code().to_owned(), error.problems[0].field.clone())
        });
        let want = if *ok { Ok(()) } else { Err(("stock-ledger-mismatch".to_owned(), Some("1400".to_owned()))) };
        assert_eq!(result, want, "{what}");
        for row in stock_control(&world.read()).unwrap() {
            assert_eq!(row.ledger, row.stock, "{what}");
        }
    }
}

#[test]
fn a_named_entry_must_exist_in_the_end() {
    let world = World::new();
    let mut work = world.work();
    receive(&mut work, "in", "DESK", None, "5", "STORE", 500);
    commit(work).unwrap();
    let issue = |name, entry| NewMove { entry: Some(id(entry)), ..new_move(name, "DESK", "1", "STORE", "STAFF") };

    let mut work = world.work();
    let moved = post_move(&mut work, issue("a", "e:a")).unwrap();
    book(&mut work, &moved, false);
    sealed(work).expect("an entry that was posted after the move");

    let mut work = world.work();
    let transfer = NewMove { entry: Some(id("e:a")), ..new_move("b", "DESK", "1", "STORE", "BACK") };
    post_move(&mut work, transfer).unwrap();
    sealed(work).expect("an entry of an earlier work");

    let mut work = world.work();
    let moved = post_move(&mut work, issue("c", "e:ghost")).unwrap();
    book(&mut work, &moved, false);
    let error = sealed(work).unwrap_err();
    assert_eq!((error.class, error.code()), (Class::Refused, "entry-missing"));
    assert_eq!(error.problems[0].field.as_deref(), Some("entry"));
}

#[test]
fn everything_wrong_in_the_end_is_reported_together() {
    let world = World::new();
    let mut work = world.work();
    let eur = Money { currency: backroom_domain::Currency::parse("EUR", "c").unwrap(), ..usd(700) };
    let buy_both = [("d", "DESK", usd(300)), ("e", "EURO", eur)];
    for (name, item, cost) in buy_both {
        let new =
            NewMove { cost: Some(cost), entry: Some(id("ghost")), ..new_move(name, item, "1", "VENDOR", "STORE") };
        post_move(&mut work, new).unwrap();
    }
    let error = sealed(work).unwrap_err();
    let problems: Vec<_> = error.problems.iter().map(|p| (p.code.as_ref(), p.field.as_deref().unwrap_or(""))).collect();
    let mismatch = "stock-ledger-mismatch";
    assert_eq!(problems, [(mismatch, "1400"), (mismatch, "1410"), ("entry-missing", "entry")]);
}
