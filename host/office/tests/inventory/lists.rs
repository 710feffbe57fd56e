//! Lists: complete, in order, in bounded pages.

use backroom_domain::inventory::NewMove;
use backroom_office::PageRequest;
use backroom_office::inventory::{
    list_items, list_locations, list_moves, list_on_hand, list_valuations, post_move, stock_control,
};

use crate::world::{World, all, code, commit, id, new_move, receive, usd};

#[test]
fn on_hand_shows_what_is_there_and_ours() {
    let world = World::new();
    let mut work = world.work();
    receive(&mut work, "1", "MILK", Some("M1"), "5", "STORE", 100);
    receive(&mut work, "2", "MILK", Some("M2"), "3", "STORE", 100);
    receive(&mut work, "3", "MILK", Some("M2"), "4", "ROAD", 100);
    for (name, lot, amount, from, to) in
        [("4", "M1", "5", "STORE", "BACK"), ("5", "M1", "2", "BACK", "ROAD"), ("6", "M2", "4", "ROAD", "STORE")]
    {
        post_move(&mut work, NewMove { lot: Some(id(lot)), ..new_move(name, "MILK", amount, from, to) }).unwrap();
    }
    commit(work).unwrap();
    let read = world.read();
    let shown = |limit, location: Option<&str>| -> Vec<String> {
        let location = location.map(id);
        all(limit, |page| list_on_hand(&read, &id("MILK"), location.as_ref(), page))
            .iter()
            .map(|row| format!("{} {} {}", row.location, row.lot.as_ref().unwrap(), row.quantity()))
            .collect()
    };
    for limit in [1, 2, 3, 500] {
        assert_eq!(shown(limit, None), ["BACK M1 3", "ROAD M1 2", "STORE M2 7"], "{limit} a page");
        assert_eq!(shown(limit, Some("STORE")), ["STORE M2 7"]);
        assert!(shown(limit, Some("VENDOR")).is_empty(), "not ours");
        assert!(shown(limit, Some("CLIENT")).is_empty(), "nothing was ever there");
    }
    assert!(list_on_hand(&read, &id("DESK"), None, &PageRequest::first(9)).unwrap().items.is_empty());
    assert_eq!(code(list_on_hand(&read, &id("GHOST"), None, &PageRequest::first(9))), "not-found");
    assert_eq!(code(list_on_hand(&read, &id("MILK"), Some(&id("GHOST")), &PageRequest::first(9))), "not-found");
}

/// The id of one item is the beginning of the other's.
#[test]
fn items_with_like_names_are_kept_apart() {
    let world = World::new();
    let mut work = world.work();
    let item = crate::world::new_item("DESK-XL", 0, backroom_domain::inventory::Tracking::None, "1400");
    backroom_office::inventory::create_item(&mut work, item).unwrap();
    receive(&mut work, "1", "DESK", None, "1", "STORE", 100);
    receive(&mut work, "2", "DESK-XL", None, "2", "STORE", 100);
    let rows = all(1, |page| list_on_hand(&work, &id("DESK"), None, page));
    assert_eq!(
        rows.iter().map(|r| (r.item.clone(), r.quantity())).collect::<Vec<_>>(),
        [(id("DESK"), crate::world::quantity("1"))]
    );
}

#[test]
fn lists_are_complete_and_in_order_at_every_page_size() {
    let world = World::new();
    let mut work = world.work();
    // Ids in the other order than numbers.
    for n in 0..25_u64 {
        receive(&mut work, &format!("m{}", 99 - n), "DESK", None, "1", "STORE", n);
    }
    commit(work).unwrap();
    let read = world.read();
    for limit in [1, 7, 25, 26, 500] {
        let numbers: Vec<_> = all(limit, |page| list_moves(&read, page)).iter().map(|m| m.number).collect();
        assert_eq!(numbers, (1..=25).collect::<Vec<u64>>());
        let items: Vec<_> = all(limit, |page| list_items(&read, page)).into_iter().map(|i| i.new.id).collect();
        assert_eq!(items, ["DESK", "EURO", "LAPTOP", "MILK"].map(id));
        let worth: Vec<_> = all(limit, |page| list_valuations(&read, page)).iter().map(|v| v.value.minor).collect();
        assert_eq!(worth, [300, 0, 0, 0]);
        let codes: Vec<_> = all(limit, |page| list_locations(&read, page)).into_iter().map(|l| l.new.id).collect();
        assert_eq!(codes, ["BACK", "CLIENT", "COUNT", "ROAD", "STAFF", "STORE", "VENDOR"].map(id));
    }
    let rows: Vec<_> = stock_control(&read).unwrap();
    let shown: Vec<_> =
        rows.iter().map(|r| (r.account.as_str(), r.ledger.minor, r.stock.minor, r.stock.currency)).collect();
    assert_eq!(shown, [("1400", 300, 300, usd(0).currency), ("1410", 0, 0, rows[1].ledger.currency)]);
}

#[test]
fn a_page_that_cannot_be_is_refused() {
    let world = World::new();
    let read = world.read();
    let pages = [
        ("limit-invalid", PageRequest::first(0)),
        ("limit-invalid", PageRequest::first(501)),
        ("cursor-invalid", PageRequest { cursor: Some("no hex".into()), limit: 1 }),
    ];
    for (want, page) in pages {
        assert_eq!(code(list_items(&read, &page)), want);
        assert_eq!(code(list_locations(&read, &page)), want);
        assert_eq!(code(list_moves(&read, &page)), want);
        assert_eq!(code(list_valuations(&read, &page)), want);
        assert_eq!(code(list_on_hand(&read, &id("GHOST"), None, &page)), want, "before it is looked for");
    }
}
