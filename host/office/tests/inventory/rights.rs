//! Rights: checked first, and what may not be read is not seen.

use backroom_domain::Class;
use backroom_domain::inventory::{NewLocation, NewLot, NewMove, Tracking, Usage};
use backroom_office::inventory::{
    create_item, create_location, create_lot, get_item, list_items, list_locations, list_moves, list_on_hand,
    list_valuations, post_move, stock_control, valuation,
};
use backroom_office::{PageRequest, ledger};

use crate::world::{World, code, commit, id, new_item, new_move, no, receive, rights};

/// What does not exist and is malformed is denied all the same: a denial says nothing about what there is.
#[test]
fn a_denial_comes_before_everything_else() {
    let world = World::new();
    let mut work = world.work_as(rights("[inventory]\nread = [\"MILK\"]\n"));
    let bad = PageRequest { cursor: Some("?".into()), limit: 0 };
    let denials = [
        no(create_item(&mut work, new_item("GHOST", 9, Tracking::None, "9999"))),
        no(create_location(&mut work, NewLocation { id: id("Z"), name: String::new(), usage: Usage::Internal })),
        no(create_lot(&mut work, NewLot { id: id("Z"), item: id("GHOST"), expiry: None })),
        no(post_move(&mut work, new_move("m", "GHOST", "0", "Z", "Z"))),
        no(get_item(&work, &id("GHOST"))),
        no(get_item(&work, &id("DESK"))),
        no(valuation(&work, &id("GHOST"))),
        no(list_on_hand(&work, &id("GHOST"), Some(&id("Z")), &bad)),
    ];
    let codes = denials.map(|(code, class, _)| {
        assert_eq!(class, Class::Denied, "{code}");
        code
    });
    let (administer, read) = ("administer-denied", "inventory-read-denied");
    assert_eq!(codes, [administer, administer, administer, "move-denied", read, read, read, read]);
    assert_eq!(code(list_locations(&world.read_as(rights("administer = true")), &bad)), read);
    assert!(get_item(&work, &id("MILK")).is_ok(), "what is granted is granted");
}

#[test]
fn a_move_needs_the_right_to_item_source_and_destination() {
    let world = World::new();
    let mut work = world.work();
    receive(&mut work, "in", "DESK", None, "9", "STORE", 900);
    commit(work).unwrap();
    let full = ("DESK", "STORE", "ROAD");
    for ((item, from, to), ok) in [
        (full, true),
        (("MILK", full.1, full.2), false),
        ((full.0, "BACK", full.2), false),
        ((full.0, full.1, "BACK"), false),
    ] {
        let text = format!("[inventory]\nmove-items = [\"{item}\"]\nmove-from = [\"{from}\"]\nmove-to = [\"{to}\"]\n");
        let mut work = world.work_as(rights(&text));
        let result = post_move(&mut work, new_move("m", "DESK", "1", "STORE", "ROAD"));
        assert_eq!(result.is_ok(), ok, "{text}");
        if let Err(error) = result {
            assert!(error.to_string().contains("move-denied"), "{error}");
        }
    }
}

#[test]
fn lists_leave_out_what_may_not_be_read() {
    let world = World::new();
    let mut work = world.work();
    receive(&mut work, "1", "DESK", None, "1", "STORE", 100);
    receive(&mut work, "2", "MILK", Some("M1"), "1", "STORE", 20);
    receive(&mut work, "3", "DESK", None, "1", "STORE", 100);
    commit(work).unwrap();
    let read = world.read_as(rights("[inventory]\nread = [\"MI*\"]\n[ledger]\nread = [\"1400\"]\n"));
    let page = PageRequest::first(500);
    let items: Vec<_> = list_items(&read, &page).unwrap().items.into_iter().map(|i| i.new.id).collect();
    let moves: Vec<_> = list_moves(&read, &page).unwrap().items.into_iter().map(|m| m.number).collect();
    let worth: Vec<_> = list_valuations(&read, &page).unwrap().items.into_iter().map(|v| v.item).collect();
    assert_eq!((items, moves, worth), (vec![id("MILK")], vec![2], vec![id("MILK")]));
    assert_eq!(list_locations(&read, &page).unwrap().items.len(), 7);
    let control = stock_control(&read).unwrap();
    let rows: Vec<_> = control.iter().map(|r| (r.account.as_str(), r.ledger.minor, r.stock.minor)).collect();
    assert_eq!(rows, [("1400", 220, 220)], "1410 may not be read; the value under 1400 is whole");
    assert_eq!(code(ledger::balance(&read, &id("1410"), None)), "ledger-read-denied");
}

/// A repeat is the call again: without the right to it there is no answer, though it was done before.
#[test]
fn a_repeat_needs_the_right_as_well() {
    let world = World::new();
    let mut work = world.work();
    receive(&mut work, "in", "DESK", None, "1", "STORE", 0);
    commit(work).unwrap();
    let mut work = world.work_as(rights("[inventory]\nmove-items = [\"DESK\"]\nmove-from = [\"VENDOR\"]\n"));
    let again = NewMove { cost: Some(crate::world::usd(0)), ..new_move("in", "DESK", "1", "VENDOR", "STORE") };
    assert_eq!(code(post_move(&mut work, again)), "move-denied");
}
