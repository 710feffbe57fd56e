//! Posting moves: what they stage, how they are repeated, and that a refused one leaves nothing behind.

use backroom_domain::inventory::NewMove;
use backroom_domain::{Class, Effect, MAX_MINOR};
use backroom_office::PageRequest;
use backroom_office::inventory::{list_moves, list_on_hand, post_move, valuation};

use crate::world::{NOW, World, book, code, commit, day, id, new_move, no, quantity, receive, usd};

#[test]
fn a_laptop_comes_in_and_goes_out_to_a_worker_with_its_cost() {
    let world = World::new();
    let mut work = world.work();
    receive(&mut work, "in", "LAPTOP", Some("S1"), "1", "STORE", 120_000);
    commit(work).unwrap();

    let mut work = world.work();
    let new = NewMove {
        lot: Some(id("S1")),
        worker: Some(id("W1")),
        entry: Some(id("e:out")),
        ..new_move("out", "LAPTOP", "1", "STORE", "STAFF")
    };
    let moved = post_move(&mut work, new.clone()).unwrap();
    assert!(!moved.replayed);
    assert_eq!((moved.moved.number, moved.moved.value), (2, usd(120_000)));
    assert_eq!((moved.moved.recorded_at, moved.moved.run.clone()), (NOW, Some(id("r1"))));
    assert_eq!(work.effects(), [Effect::MovePosted(moved.moved.clone())]);
    book(&mut work, &moved, false);
    commit(work).unwrap();

    let mut work = world.work();
    let again = post_move(&mut work, new).unwrap();
    assert!(again.replayed && again.moved == moved.moved);
    assert!(work.effects().is_empty() && work.tx().changes() == 0, "a repeat does nothing");
    assert!(work.seal().is_ok(), "and owes the ledger nothing");
    let read = world.read();
    assert_eq!(valuation(&read, &id("LAPTOP")).unwrap().value, usd(0));
    assert_eq!(list_moves(&read, &PageRequest::first(9)).unwrap().items.last(), Some(&moved.moved));
}

#[test]
fn every_reference_of_a_move_is_looked_up() {
    let world = World::new();
    let mut work = world.work();
    receive(&mut work, "s1", "LAPTOP", Some("S1"), "1", "STORE", 100);
    receive(&mut work, "m1", "MILK", Some("M1"), "5", "STORE", 100);
    receive(&mut work, "d1", "DESK", None, "2.50", "STORE", 100);
    commit(work).unwrap();

    let desk = || new_move("x", "DESK", "1", "STORE", "STAFF");
    let milk = || NewMove { lot: Some(id("M1")), ..new_move("x", "MILK", "1", "STORE", "STAFF") };
    let laptop =
        || NewMove { lot: Some(id("S1")), cost: Some(usd(1)), ..new_move("x", "LAPTOP", "1", "VENDOR", "BACK") };
    let rows = [
        ("item-not-found", NewMove { item: id("GHOST"), ..desk() }),
        ("location-not-found", NewMove { from: id("GHOST"), ..desk() }),
        ("location-not-found", NewMove { to: id("GHOST"), ..desk() }),
        ("lot-not-found", NewMove { lot: Some(id("GHOST")), ..milk() }),
        ("lot-not-found", NewMove { lot: Some(id("GHOST")), ..desk() }),
        ("worker-not-found", NewMove { worker: Some(id("GHOST")), ..desk() }),
        ("lot-required", NewMove { lot: None, ..milk() }),
        ("lot-not-allowed", NewMove { lot: Some(id("M1")), ..desk() }),
        ("lot-of-other-item", NewMove { lot: Some(id("S1")), ..milk() }),
        ("lot-expired", NewMove { date: day("2026-07-01"), ..milk() }),
        ("quantity-too-fine", NewMove { quantity: quantity("0.001"), ..desk() }),
        ("serial-quantity-not-one", NewMove { quantity: quantity("2"), ..laptop() }),
        ("serial-in-stock", laptop()),
        ("cost-missing", new_move("x", "DESK", "1", "COUNT", "STORE")),
        ("cost-not-allowed", NewMove { cost: Some(usd(1)), ..desk() }),
        ("currency-mismatch", NewMove { cost: Some(usd(1)), ..new_move("x", "EURO", "1", "VENDOR", "STORE") }),
        ("insufficient-stock", NewMove { quantity: quantity("2.51"), ..desk() }),
        ("insufficient-stock", NewMove { lot: Some(id("M2")), ..milk() }),
        ("insufficient-stock", NewMove { from: id("BACK"), ..desk() }),
        ("overflow", NewMove { cost: Some(usd(MAX_MINOR)), ..new_move("x", "DESK", "1", "VENDOR", "STORE") }),
        ("quantity-zero", NewMove { quantity: quantity("0"), ..desk() }),
        ("exists-with-different", NewMove { id: id("d1"), ..desk() }),
    ];
    let mut work = world.work();
    for (want, new) in rows {
        let shown = format!("{new:?}");
        assert_eq!(code(post_move(&mut work, new)), want, "{shown}");
    }
    assert!(work.effects().is_empty() && work.tx().changes() == 0, "refused moves leave no trace");
    let moved = post_move(&mut work, desk()).unwrap();
    assert_eq!(moved.moved.number, 4, "and no gap");
}

#[test]
fn the_refusal_says_what_is_available() {
    let world = World::new();
    let mut work = world.work();
    receive(&mut work, "m1", "MILK", Some("M1"), "5", "STORE", 100);
    let error = post_move(&mut work, NewMove { lot: Some(id("M1")), ..new_move("x", "MILK", "6", "STORE", "BACK") });
    assert_eq!(
        error.unwrap_err().to_string(),
        "refused: quantity: 5 each of item MILK, lot M1 are available in STORE, 6 are asked for (insufficient-stock)"
    );
}

#[test]
fn of_a_conflict_and_a_missing_thing_the_conflict_is_reported() {
    let world = World::new();
    let mut work = world.work();
    receive(&mut work, "d1", "DESK", None, "2", "STORE", 100);
    let new = NewMove { item: id("GHOST"), ..new_move("d1", "DESK", "2", "VENDOR", "STORE") };
    assert_eq!(no(post_move(&mut work, new)), ("exists-with-different".into(), Class::Conflict, Some("item".into())));
}

#[test]
fn work_reads_its_own_moves_and_what_is_dropped_never_was() {
    let world = World::new();
    let mut work = world.work();
    receive(&mut work, "in", "DESK", None, "2", "STORE", 1_001);
    let moved = post_move(&mut work, new_move("half", "DESK", "1", "STORE", "CLIENT")).unwrap();
    assert_eq!(moved.moved.value, usd(500), "half of 10.01, the tie to the even cent");
    let again = post_move(&mut work, new_move("half", "DESK", "1.00", "STORE", "CLIENT")).unwrap();
    assert!(again.replayed, "within the same work as well");
    assert_eq!(valuation(&work, &id("DESK")).unwrap().value, usd(501));
    drop(work);

    let mut work = world.work();
    assert!(list_on_hand(&work, &id("DESK"), None, &PageRequest::first(9)).unwrap().items.is_empty());
    assert!(list_moves(&work, &PageRequest::first(9)).unwrap().items.is_empty());
    receive(&mut work, "in", "DESK", None, "1", "STORE", 1);
    assert_eq!(valuation(&work, &id("DESK")).unwrap().value, usd(1));
}

#[test]
fn a_serial_number_may_come_back_but_is_never_in_stock_twice() {
    let world = World::new();
    let mut work = world.work();
    let laptop = |name, from, to| NewMove { lot: Some(id("S1")), ..new_move(name, "LAPTOP", "1", from, to) };
    let bought = |name, from, to| NewMove { cost: Some(usd(100)), ..laptop(name, from, to) };
    post_move(&mut work, bought("1", "VENDOR", "STORE")).unwrap();
    post_move(&mut work, laptop("2", "STORE", "ROAD")).unwrap();
    assert_eq!(code(post_move(&mut work, bought("x", "VENDOR", "STORE"))), "serial-in-stock");
    assert_eq!(code(post_move(&mut work, bought("x", "COUNT", "ROAD"))), "serial-in-stock");
    assert_eq!(code(post_move(&mut work, laptop("x", "STORE", "STAFF"))), "insufficient-stock");
    post_move(&mut work, laptop("3", "ROAD", "STAFF")).unwrap();
    post_move(&mut work, bought("4", "STAFF", "BACK")).unwrap();
    assert_eq!(code(post_move(&mut work, bought("x", "VENDOR", "STORE"))), "serial-in-stock");
    let rows = list_on_hand(&work, &id("LAPTOP"), None, &PageRequest::first(9)).unwrap().items;
    assert_eq!(rows.iter().map(|r| (r.location.as_str(), r.units())).collect::<Vec<_>>(), [("BACK", 1)]);
}
