//! Items, locations and lots.

use backroom_domain::inventory::{NewLocation, NewLot, Tracking, Usage};
use backroom_domain::{Class, Decimal, Effect};
use backroom_office::inventory::{create_item, create_location, create_lot, get_item, valuation};

use crate::world::{NOW, World, account, code, commit, day, id, new_item, no, usd};

#[test]
fn an_item_is_recorded_once_and_begins_without_value() {
    let world = World::new();
    let mut work = world.work();
    let chair = new_item("CHAIR", 3, Tracking::None, "1400");
    let item = create_item(&mut work, chair.clone()).unwrap();
    assert_eq!((item.new, item.currency, item.recorded_at), (chair.clone(), usd(0).currency, NOW));
    commit(work).unwrap();

    let mut work = world.work();
    let again = create_item(&mut work, chair).unwrap();
    assert_eq!(get_item(&work, &id("CHAIR")).unwrap(), again);
    assert!(work.effects().is_empty() && work.tx().changes() == 0, "a repeat does nothing");
    let worth = valuation(&work, &id("CHAIR")).unwrap();
    assert_eq!(
        (worth.quantity, worth.value, worth.stock_account),
        (Decimal { mantissa: 0, scale: 3 }, usd(0), id("1400"))
    );
    assert_eq!(
        create_item(&mut work, new_item("EUR-CHAIR", 0, Tracking::None, "1410")).unwrap().currency.as_str(),
        "EUR"
    );
}

#[test]
fn locations_and_lots_are_recorded_once() {
    let world = World::new();
    let mut work = world.work();
    let attic = NewLocation { id: id("ATTIC"), name: "Attic".into(), usage: Usage::Internal };
    let lot = NewLot { id: id("M3"), item: id("MILK"), expiry: Some(day("2026-07-31")) };
    let recorded = (create_location(&mut work, attic.clone()).unwrap(), create_lot(&mut work, lot.clone()).unwrap());
    assert_eq!((&recorded.0.new, &recorded.1.new), (&attic, &lot));
    let effects = [Effect::LocationCreated(recorded.0.clone()), Effect::LotCreated(recorded.1.clone())];
    assert_eq!(work.effects(), effects);
    commit(work).unwrap();
    let mut work = world.work();
    assert_eq!((create_location(&mut work, attic).unwrap(), create_lot(&mut work, lot).unwrap()), recorded);
    assert!(work.effects().is_empty() && work.tx().changes() == 0, "a repeat does nothing");
}

#[test]
fn each_refusal_has_its_name_and_leaves_no_trace() {
    let world = World::new();
    let mut work = world.work();
    account(&mut work, "1500", "USD", false);
    commit(work).unwrap();
    let mut work = world.work();
    let desk = new_item("DESK", 2, Tracking::None, "1400");
    let lot = NewLot { id: id("X1"), item: id("DESK"), expiry: None };
    let place = NewLocation { id: id("STORE"), name: "STORE".into(), usage: Usage::Internal };

    let mut item = |new| no(create_item(&mut work, new));
    let field = |name: &str| Some(name.to_owned());
    // Existing ids come before references: the account of the second does not exist either.
    let mut other = desk.clone();
    other.stock_account = id("9999");
    assert_eq!(item(other), ("exists-with-different".into(), Class::Conflict, field("stock-account")));
    let mut nameless = desk;
    nameless.name.clear();
    nameless.decimals = 9;
    assert_eq!(item(nameless), ("text-invalid".into(), Class::Invalid, field("name")));
    let of = |account| new_item("NEW", 0, Tracking::None, account);
    assert_eq!(item(of("9999")), ("account-not-found".into(), Class::NotFound, field("stock-account")));
    assert_eq!(item(of("1500")), ("not-stock-control".into(), Class::Refused, field("stock-account")));

    let transit = NewLocation { usage: Usage::Transit, ..place.clone() };
    assert_eq!(code(create_location(&mut work, transit)), "exists-with-different");
    assert_eq!(code(create_location(&mut work, NewLocation { name: String::new(), ..place })), "text-invalid");

    assert_eq!(code(create_lot(&mut work, lot.clone())), "lot-not-allowed");
    assert_eq!(code(create_lot(&mut work, NewLot { item: id("GHOST"), ..lot.clone() })), "item-not-found");
    assert_eq!(code(create_lot(&mut work, NewLot { id: id("M1"), ..lot })), "exists-with-different");
    assert_eq!(code(get_item(&work, &id("GHOST"))), "not-found");
    assert_eq!(code(valuation(&work, &id("GHOST"))), "not-found");
    assert!(work.effects().is_empty() && work.tx().changes() == 0);
}
