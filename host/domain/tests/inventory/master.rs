//! Setting up items, locations and lots.

use backroom_domain::inventory::{
    NewItem, NewLocation, NewLot, Tracking, Usage, check_item, check_location, create_item, create_lot, same_item,
    same_location, same_lot,
};
use backroom_domain::ledger::NewAccount;
use backroom_domain::{Class, Currency};

use crate::world::{Change, NOW, account, id, item, location, lot, new_item, outcome};

#[test]
fn items_locations_and_lots_are_checked_and_repeated() {
    let rows: &[(&str, &str, Change<NewItem>)] = &[
        ("text-invalid", "name", |i| i.name.clear()),
        ("text-invalid", "name", |i| i.name = "x".repeat(201)),
        ("text-invalid", "unit", |i| i.unit.clear()),
        ("text-invalid", "unit", |i| i.unit = "x".repeat(17)),
        ("decimals-invalid", "decimals", |i| i.decimals = 7),
    ];
    check_item(&NewItem { decimals: 6, ..new_item() }).unwrap();
    for (code, field, spoil) in rows {
        let mut new = new_item();
        spoil(&mut new);
        assert_eq!(outcome(check_item(&new)), ((*code).into(), Class::Invalid, Some((*field).into())));
    }
    let all = NewItem { name: String::new(), unit: String::new(), decimals: 7, ..new_item() };
    assert_eq!(check_item(&all).unwrap_err().problems.len(), 3);
    let nameless = NewLocation { name: String::new(), ..location("A", Usage::Internal).new };
    assert_eq!(outcome(check_location(&nameless)), ("text-invalid".into(), Class::Invalid, Some("name".into())));
    check_location(&location("A", Usage::Internal).new).unwrap();
}

#[test]
fn what_is_set_up_twice_must_be_the_same() {
    let differs = |field: &str| ("exists-with-different".to_owned(), Class::Conflict, Some(field.to_owned()));
    let rows: &[(&str, Change<NewItem>)] = &[
        ("name", |i| i.name = "Gadget".into()),
        ("unit", |i| i.unit = "kg".into()),
        ("decimals", |i| i.decimals = 0),
        ("tracking", |i| i.tracking = Tracking::None),
        ("stock-account", |i| i.stock_account = id("1410")),
    ];
    same_item(&item(), &new_item()).unwrap();
    for (field, change) in rows {
        let mut new = new_item();
        change(&mut new);
        assert_eq!(outcome(same_item(&item(), &new)), differs(field));
    }
    let place = location("A", Usage::Internal);
    same_location(&place, &place.new).unwrap();
    let named = NewLocation { name: "Z".into(), ..place.new.clone() };
    assert_eq!(outcome(same_location(&place, &named)), differs("name"));
    let used = NewLocation { usage: Usage::Transit, ..place.new.clone() };
    assert_eq!(outcome(same_location(&place, &used)), differs("usage"));
    let batch = lot("WIDGET");
    same_lot(&batch, &batch.new).unwrap();
    assert_eq!(outcome(same_lot(&batch, &lot("GADGET").new)), differs("item"));
    assert_eq!(outcome(same_lot(&batch, &NewLot { expiry: None, ..batch.new.clone() })), differs("expiry"));
}

#[test]
fn items_need_a_stock_control_account_and_lots_a_tracked_item() {
    let currency = Currency::parse("EUR", "c").unwrap();
    let mut in_euro = account();
    in_euro.new.currency = currency;
    assert_eq!(create_item(new_item(), Some(&in_euro), NOW).unwrap().currency, currency);
    let missing = ("account-not-found".to_owned(), Class::NotFound, Some("stock-account".to_owned()));
    assert_eq!(outcome(create_item(new_item(), None, NOW)), missing);
    let unfit = ("not-stock-control".to_owned(), Class::Refused, Some("stock-account".to_owned()));
    let spoils: [Change<NewAccount>; 2] = [|a| a.stock_control = false, |a| a.posting = false];
    for spoil in spoils {
        let mut account = account();
        spoil(&mut account.new);
        assert_eq!(outcome(create_item(new_item(), Some(&account), NOW)), unfit);
    }

    assert_eq!(create_lot(lot("WIDGET").new, Some(&item()), NOW).unwrap(), lot("WIDGET"));
    let missing = ("item-not-found".to_owned(), Class::NotFound, Some("item".to_owned()));
    assert_eq!(outcome(create_lot(lot("WIDGET").new, None, NOW)), missing);
    let mut untracked = item();
    untracked.new.tracking = Tracking::None;
    let unfit = ("lot-not-allowed".to_owned(), Class::Refused, Some("item".to_owned()));
    assert_eq!(outcome(create_lot(lot("WIDGET").new, Some(&untracked), NOW)), unfit);
}
