//! What moves are worth, and what they do to lots and serial numbers.

use backroom_domain::Money;
use backroom_domain::inventory::{Flow, MoveFacts, SerialChange, SerialPlace, Tracking, Usage, Valuation, post};

use crate::world::{Case, day, id, item, money, on_hand, quantity, receipt};

#[test]
fn usages_say_what_a_move_is_worth() {
    use Usage::{Adjustment, Consumption, Customer, Internal, Supplier, Transit};
    let outside = [Supplier, Customer, Consumption, Adjustment];
    for inside in [Internal, Transit] {
        for outside in outside {
            let Case { new, facts } = receipt().usages(outside, inside);
            let changes = post(&new, facts).unwrap();
            assert_eq!((changes.flow, changes.value), (Flow::Receipt, money("10.00 USD")), "{outside:?} to {inside:?}");
            assert_eq!(changes.valuation.map(|v| (v.quantity, v.value)), Some((quantity("11"), money("110.00 USD"))));

            let Case { new, facts } = receipt().issue(outside).usages(inside, outside);
            let changes = post(&new, facts).unwrap();
            assert_eq!((changes.flow, changes.value), (Flow::Issue, money("10.00 USD")), "{inside:?} to {outside:?}");
            assert_eq!(changes.valuation.map(|v| (v.quantity, v.value)), Some((quantity("9"), money("90.00 USD"))));
        }
        let Case { new, facts } = receipt().issue(Transit).usages(inside, Transit);
        let changes = post(&new, facts).unwrap();
        assert_eq!((changes.flow, changes.value, changes.valuation), (Flow::Transfer, money("0 USD"), None));
    }
    for from in outside {
        for to in outside {
            let mut case = receipt().issue(to).usages(from, to);
            case.facts.source = None;
            let changes = post(&case.new, case.facts).expect("nobody counts what is outside");
            assert_eq!((changes.flow, changes.value, changes.valuation), (Flow::Outside, money("0 USD"), None));
            assert_eq!((changes.source.entered, changes.source.left, changes.source.units()), (0, 100, 0));
        }
    }
}

#[test]
fn expired_lots_are_neither_sold_nor_used_but_may_be_cleared_away() {
    for (to, date, allowed) in [
        (Usage::Customer, "2026-06-30", true),
        (Usage::Consumption, "2026-06-30", true),
        (Usage::Customer, "2026-07-01", false),
        (Usage::Consumption, "2026-07-01", false),
        (Usage::Adjustment, "2026-07-01", true),
        (Usage::Supplier, "2026-07-01", true),
        (Usage::Internal, "2026-07-01", true),
    ] {
        let mut case = receipt().issue(to);
        case.new.date = day(date);
        let result = post(&case.new, case.facts).map_err(|e| e.code().to_owned());
        assert_eq!(result.err(), (!allowed).then(|| "lot-expired".to_owned()), "{to:?} on {date}");
    }
}

#[test]
fn a_serial_number_is_followed_while_it_is_in_stock() {
    let placed = SerialChange::Placed(SerialPlace { lot: id("L1"), location: id("B") });
    let change = |case: Case| {
        let Case { new, facts } = case.tracking(Tracking::Serial);
        post(&new, facts).unwrap().serial
    };
    assert_eq!(change(receipt()), placed);
    assert_eq!(change(receipt().issue(Usage::Transit)), placed);
    assert_eq!(change(receipt().issue(Usage::Customer)), SerialChange::Gone);
    assert_eq!(change(receipt().issue(Usage::Customer).usages(Usage::Supplier, Usage::Customer)), SerialChange::None);
    assert_eq!(post(&receipt().new, receipt().facts).unwrap().serial, SerialChange::None, "a lot is no serial number");
}

/// I9 by hand: 10 for 100.00, 10 for 110.05, then 3, then the rest.
#[test]
fn issues_take_the_average_and_the_last_takes_the_rest() {
    let mut case = receipt();
    case.facts.valuation = None;
    let mut valuation = None;
    for (quantity_text, cost) in [("10", "100.00 USD"), ("10", "110.05 USD")] {
        case.new.quantity = quantity(quantity_text);
        case.new.cost = Some(money(cost));
        let facts = MoveFacts { valuation, ..case.facts.clone() };
        valuation = post(&case.new, facts).unwrap().valuation;
    }
    let mut case = case.issue(Usage::Customer);
    case.facts.source = Some(on_hand("A", 2_000, 0));
    // 210.05 * 3 / 20 = 31.5075; then 178.54 is left for 17.
    for (quantity_text, value, left) in [("3", "31.51 USD", "178.54 USD"), ("17", "178.54 USD", "0.00 USD")] {
        case.new.quantity = quantity(quantity_text);
        let facts = MoveFacts { valuation, ..case.facts.clone() };
        let changes = post(&case.new, facts).unwrap();
        assert_eq!(changes.value, money(value));
        valuation = changes.valuation;
        assert_eq!(valuation.as_ref().map(|v| v.value), Some(money(left)));
    }
}

#[test]
fn a_tie_goes_to_the_even_cent_and_a_gift_costs_nothing() {
    let mut case = receipt().issue(Usage::Customer);
    let valued = |minor| Valuation {
        quantity: quantity("2.00"),
        value: Money { minor, ..money("0 USD") },
        ..Valuation::empty(&item())
    };
    for (total, value) in [(1, 0), (3, 2), (5, 2), (0, 0)] {
        case.facts.valuation = Some(valued(total));
        assert_eq!(post(&case.new, case.facts.clone()).unwrap().value.minor, value, "half of {total}");
    }
    let mut gift = receipt();
    gift.new.cost = Some(money("0 USD"));
    let changes = post(&gift.new, gift.facts).unwrap();
    assert_eq!((changes.value, changes.valuation.unwrap().quantity), (money("0 USD"), quantity("11")));
}
