//! One row for every refusal of a move, and every pair of them in its documented order.

use backroom_domain::inventory::{Flow, SerialPlace, Tracking, Usage, Valuation, post};
use backroom_domain::{Class, Decimal, MAX_MINOR, Money};

use crate::world::{Case, Change, day, id, item, lot, money, name_a_lot, on_hand, outcome, quantity, receipt};

/// One way for a move to be refused: breaks it, and mends nothing that another row broke unless it has to.
struct Row {
    code: &'static str,
    class: Class,
    field: Option<&'static str>,
    spoil: Change<Case>,
}

/// In the order of precedence.
const ROWS: &[Row] = &[
    Row { code: "item-not-found", class: Class::NotFound, field: Some("item"), spoil: |c| c.facts.item = None },
    Row { code: "location-not-found", class: Class::NotFound, field: Some("source"), spoil: |c| c.facts.from = None },
    Row {
        code: "location-not-found",
        class: Class::NotFound,
        field: Some("destination"),
        spoil: |c| c.facts.to = None,
    },
    Row {
        code: "lot-not-found",
        class: Class::NotFound,
        field: Some("lot"),
        spoil: |c| {
            c.new.lot = Some(id("L9"));
            c.facts.lot = None;
        },
    },
    Row {
        code: "worker-not-found",
        class: Class::NotFound,
        field: Some("worker"),
        spoil: |c| c.facts.worker_exists = false,
    },
    Row {
        code: "lot-required",
        class: Class::Refused,
        field: Some("lot"),
        spoil: |c| {
            c.new.lot = None;
            c.facts.lot = None;
            if c.facts.item.as_ref().is_some_and(|i| i.new.tracking == Tracking::None) {
                *c = c.clone().tracking(Tracking::Lot);
            }
        },
    },
    Row {
        code: "lot-not-allowed",
        class: Class::Refused,
        field: Some("lot"),
        spoil: |c| {
            *c = c.clone().tracking(Tracking::None);
            name_a_lot(c);
        },
    },
    Row {
        code: "lot-of-other-item",
        class: Class::Refused,
        field: Some("lot"),
        spoil: |c| {
            name_a_lot(c);
            c.facts.lot = Some(lot("GADGET"));
        },
    },
    Row {
        code: "lot-expired",
        class: Class::Refused,
        field: Some("lot"),
        spoil: |c| {
            *c = c.clone().issue(Usage::Consumption);
            name_a_lot(c);
            c.new.date = day("2026-07-01");
        },
    },
    Row {
        code: "quantity-too-fine",
        class: Class::Refused,
        field: Some("quantity"),
        spoil: |c| c.new.quantity = quantity("1.001"),
    },
    Row {
        code: "serial-quantity-not-one",
        class: Class::Refused,
        field: Some("quantity"),
        spoil: |c| {
            *c = c.clone().tracking(Tracking::Serial);
            if c.new.quantity == quantity("1") {
                c.new.quantity = quantity("2");
            }
        },
    },
    Row {
        code: "serial-in-stock",
        class: Class::Refused,
        field: Some("lot"),
        spoil: |c| {
            *c = c.clone().tracking(Tracking::Serial).usages(Usage::Supplier, Usage::Internal);
            c.facts.serial_place = Some(SerialPlace { lot: id("L1"), location: id("C") });
        },
    },
    Row {
        code: "cost-missing",
        class: Class::Refused,
        field: Some("cost"),
        spoil: |c| {
            *c = c.clone().usages(Usage::Supplier, Usage::Internal);
            c.new.cost = None;
        },
    },
    Row {
        code: "cost-not-allowed",
        class: Class::Refused,
        field: Some("cost"),
        spoil: |c| {
            *c = c.clone().usages(Usage::Internal, Usage::Consumption);
            c.new.cost = Some(money("10.00 USD"));
        },
    },
    Row {
        code: "currency-mismatch",
        class: Class::Refused,
        field: Some("cost"),
        spoil: |c| {
            *c = c.clone().usages(Usage::Supplier, Usage::Internal);
            c.new.cost = Some(money("10.00 EUR"));
        },
    },
    Row {
        code: "insufficient-stock",
        class: Class::Refused,
        field: Some("quantity"),
        spoil: |c| {
            if c.facts.from.as_ref().is_none_or(|from| !from.new.usage.valued()) {
                *c = c.clone().issue(Usage::Consumption);
            }
            c.facts.source = Some(on_hand("A", 1_000, 950));
        },
    },
    Row {
        code: "overflow",
        class: Class::Refused,
        field: None,
        spoil: |c| c.facts.destination = Some(on_hand("B", MAX_MINOR, MAX_MINOR)),
    },
];

/// Pairs that no move can be guilty of at once: a lot is named or not, a move comes in or goes out, an item is tracked or not.
const EXCLUSIVE: &[(&str, &str)] = &[
    ("lot-not-found", "lot-required"),
    ("lot-not-found", "lot-of-other-item"),
    ("lot-required", "lot-not-allowed"),
    ("lot-required", "lot-of-other-item"),
    ("lot-required", "lot-expired"),
    ("lot-not-allowed", "serial-quantity-not-one"),
    ("lot-not-allowed", "serial-in-stock"),
    ("lot-expired", "serial-in-stock"),
    ("lot-expired", "cost-missing"),
    ("lot-expired", "currency-mismatch"),
    ("serial-in-stock", "cost-not-allowed"),
    ("serial-in-stock", "insufficient-stock"),
    ("cost-missing", "cost-not-allowed"),
    ("cost-missing", "currency-mismatch"),
    ("cost-missing", "insufficient-stock"),
    ("cost-not-allowed", "currency-mismatch"),
    ("currency-mismatch", "insufficient-stock"),
];

#[test]
fn each_fault_of_a_move_is_refused_by_its_name() {
    let Case { new, facts } = receipt();
    assert_eq!(post(&new, facts).unwrap().flow, Flow::Receipt, "what the rows spoil is in order");
    for row in ROWS {
        let mut case = receipt();
        (row.spoil)(&mut case);
        let want = (row.code.to_owned(), row.class, row.field.map(str::to_owned));
        assert_eq!(outcome(post(&case.new, case.facts)), want, "{}", row.code);
    }
}

#[test]
fn of_two_faults_the_documented_one_is_reported() {
    let mut exclusive = Vec::new();
    for (i, first) in ROWS.iter().enumerate() {
        for second in &ROWS[i + 1..] {
            let mut case = receipt();
            (first.spoil)(&mut case);
            (second.spoil)(&mut case);
            let (code, ..) = outcome(post(&case.new, case.facts));
            if code == first.code {
                continue;
            }
            assert_eq!(code, second.code, "{} and then {}", first.code, second.code);
            exclusive.push((first.code, second.code));
        }
    }
    assert_eq!(exclusive, EXCLUSIVE);
}

#[test]
fn the_refusal_names_what_is_available() {
    let mut case = receipt().issue(Usage::Customer);
    case.facts.source = Some(on_hand("A", 350, 50));
    case.new.quantity = quantity("3.5");
    let error = post(&case.new, case.facts.clone()).unwrap_err();
    assert_eq!(error.problems[0].message, "3.00 each of item WIDGET, lot L1 are available in A, 3.5 are asked for");
    // More than can be counted at the item's decimals is more than there is.
    case.new.quantity = Decimal { mantissa: MAX_MINOR, scale: 0 };
    assert_eq!(post(&case.new, case.facts).unwrap_err().code(), "insufficient-stock");
}

#[test]
fn every_counter_is_bounded() {
    let rows: &[(&str, Change<Case>)] = &[
        ("the quantity at the item's decimals", |c| c.new.quantity = Decimal { mantissa: MAX_MINOR, scale: 0 }),
        ("what left", |c| c.facts.source = Some(on_hand("A", 0, MAX_MINOR - 99))),
        ("what entered", |c| c.facts.destination = Some(on_hand("B", MAX_MINOR - 99, 0))),
        ("the quantity in stock", |c| {
            let quantity = Decimal { mantissa: MAX_MINOR - 99, scale: 2 };
            c.facts.valuation = Some(Valuation { quantity, ..Valuation::empty(&item()) });
        }),
        ("the value in stock", |c| {
            let value = Money { minor: MAX_MINOR - 999, ..money("0 USD") };
            c.facts.valuation = Some(Valuation { value, ..Valuation::empty(&item()) });
        }),
    ];
    for (what, fill) in rows {
        let mut case = receipt();
        fill(&mut case);
        assert_eq!(outcome(post(&case.new, case.facts)).0, "overflow", "{what}");
    }
    let mut full = receipt();
    full.facts.destination = Some(on_hand("B", MAX_MINOR - 100, 0));
    assert_eq!(post(&full.new, full.facts).unwrap().destination.entered, MAX_MINOR, "the bound itself is allowed");
}
