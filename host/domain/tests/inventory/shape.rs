//! Malformed and repeated moves.

use backroom_domain::inventory::{Move, NewMove, check_move, same_move};
use backroom_domain::{Class, Decimal, MAX_MINOR, Money};

use crate::world::{Change, NOW, day, id, money, outcome, quantity, receipt};

#[test]
fn everything_malformed_in_a_move_is_reported_together() {
    let rows: &[(&str, &str, Change<NewMove>)] = &[
        ("decimal-invalid", "quantity", |m| m.quantity.mantissa = MAX_MINOR + 1),
        ("decimal-invalid", "quantity", |m| m.quantity.scale = Decimal::MAX_SCALE + 1),
        ("quantity-zero", "quantity", |m| m.quantity = quantity("0.00")),
        ("text-invalid", "reason", |m| m.reason.clear()),
        ("text-invalid", "reason", |m| m.reason = "x".repeat(201)),
        ("same-location", "destination", |m| m.to = m.from.clone()),
        ("amount-too-large", "cost", |m| m.cost = Some(Money { minor: MAX_MINOR + 1, ..money("0 USD") })),
    ];
    check_move(&receipt().new).unwrap();
    for (code, field, spoil) in rows {
        let mut new = receipt().new;
        spoil(&mut new);
        assert_eq!(outcome(check_move(&new)), ((*code).into(), Class::Invalid, Some((*field).into())));
    }
    let mut new = receipt().new;
    for (.., spoil) in &rows[2..] {
        spoil(&mut new);
    }
    let codes: Vec<_> = check_move(&new).unwrap_err().problems.into_iter().map(|p| p.code).collect();
    assert_eq!(codes, ["quantity-zero", "text-invalid", "same-location", "amount-too-large"]);
    new = receipt().new;
    new.reason = "ä".repeat(200);
    check_move(&new).expect("characters are counted, not bytes");
}

#[test]
fn a_repeated_move_must_say_the_same() {
    let new = receipt().new;
    let posted = Move {
        new: new.clone(),
        number: 1,
        value: money("10.00 USD"),
        stock_account: id("1400"),
        recorded_at: NOW,
        run: None,
    };
    let same = NewMove { quantity: quantity("1.000"), ..new.clone() };
    same_move(&posted, &same).expect("1.000 is 1");
    let rows: &[(&str, Change<NewMove>)] = &[
        ("date", |m| m.date = day("2026-06-29")),
        ("item", |m| m.item = id("GADGET")),
        ("quantity", |m| m.quantity = quantity("1.01")),
        ("source", |m| m.from = id("C")),
        ("destination", |m| m.to = id("C")),
        ("lot", |m| m.lot = None),
        ("cost", |m| m.cost = Some(money("10.01 USD"))),
        ("worker", |m| m.worker = None),
        ("reason", |m| m.reason = "Test".into()),
        ("entry", |m| m.entry = Some(id("e1"))),
    ];
    for (field, change) in rows {
        let mut other = new.clone();
        change(&mut other);
        let want = ("exists-with-different".to_owned(), Class::Conflict, Some((*field).to_owned()));
        assert_eq!(outcome(same_move(&posted, &other)), want);
    }
}
