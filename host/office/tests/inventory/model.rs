//! Any series of units of work, some kept and some given up, beside a plain reference model.

use std::collections::{BTreeMap, BTreeSet};

use backroom_domain::Decimal;
use backroom_domain::inventory::NewMove;
use backroom_office::inventory::{list_moves, list_on_hand, post_move, stock_control, valuation};
use backroom_office::{Failure, Work};
use proptest::prelude::*;

use crate::world::{World, all, book, commit, id, new_move, usd};

const PLACES: [&str; 6] = ["STORE", "BACK", "ROAD", "VENDOR", "STAFF", "COUNT"];
/// Item and lots; a serial number is a lot that moves alone.
const THINGS: [(&str, Option<&str>); 5] =
    [("DESK", None), ("MILK", Some("M1")), ("MILK", Some("M2")), ("LAPTOP", Some("S1")), ("LAPTOP", Some("S2"))];

#[derive(Debug, Clone)]
enum Step {
    Move {
        thing: usize,
        from: usize,
        to: usize,
        units: u64,
        cost: u64,
    },
    /// The n-th move so far (kept or not, allowed or not) once more.
    Repeat(usize),
}

/// One unit of work: its steps, and whether it is kept.
type Unit = (Vec<Step>, bool);

fn units() -> impl Strategy<Value = Vec<Unit>> {
    let step = prop_oneof![
        9 => (0..5usize, 0..6usize, 0..5usize, 1..9u64, 0..1_000u64).prop_map(|(thing, from, skip, units, cost)| {
            let units = if thing > 2 { 1 } else { units };
            Step::Move { thing, from, to: (from + skip + 1) % 6, units, cost }
        }),
        1 => (0..40usize).prop_map(Step::Repeat),
    ];
    prop::collection::vec((prop::collection::vec(step, 1..9), prop::bool::weighted(0.8)), 1..8)
}

fn inside(place: &str) -> bool {
    ["STORE", "BACK", "ROAD"].contains(&place)
}

/// What there is, in signed numbers: by item, lot and place; by item the value; the moves that were posted.
#[derive(Debug, Clone, Default)]
struct Model {
    on_hand: BTreeMap<(&'static str, Option<&'static str>, &'static str), i128>,
    value: BTreeMap<&'static str, i128>,
    posted: BTreeMap<String, i128>,
}

impl Model {
    fn stock(&self, item: &str) -> i128 {
        self.on_hand.iter().filter(|((i, _, place), _)| *i == item && inside(place)).map(|(_, q)| q).sum()
    }

    /// The value that the move carries, or the code of its refusal.
    fn apply(&mut self, thing: usize, from: usize, to: usize, units: u64, cost: u64) -> Result<i128, &'static str> {
        let ((item, lot), from, to, units) = (THINGS[thing], PLACES[from], PLACES[to], i128::from(units));
        let there = |place: &&'static str| *self.on_hand.get(&(item, lot, *place)).unwrap_or(&0);
        let (comes_in, goes_out) = (!inside(from) && inside(to), inside(from) && !inside(to));
        if item == "LAPTOP" && comes_in && PLACES.iter().any(|place| inside(place) && there(place) > 0) {
            return Err("serial-in-stock");
        }
        if inside(from) && there(&from) < units {
            return Err("insufficient-stock");
        }
        let (stock, value) = (self.stock(item), *self.value.get(item).unwrap_or(&0));
        let crossing = match (comes_in, goes_out) {
            (true, _) => i128::from(cost),
            // To the nearest: half of the divisor more, and down; a tie that came to an odd number goes one back.
            (_, true) => {
                let (twice, rest) =
                    ((2 * value * units + stock) / (2 * stock), (2 * value * units + stock) % (2 * stock));
                if rest == 0 && twice % 2 == 1 { twice - 1 } else { twice }
            }
            _ => 0,
        };
        *self.value.entry(item).or_default() += if comes_in { crossing } else { -crossing };
        *self.on_hand.entry((item, lot, from)).or_default() -= units;
        *self.on_hand.entry((item, lot, to)).or_default() += units;
        Ok(crossing)
    }
}

fn describe(name: usize, thing: usize, from: usize, to: usize, units: u64, cost: u64) -> NewMove {
    let (item, lot) = THINGS[thing];
    let cost = (!inside(PLACES[from]) && inside(PLACES[to])).then(|| usd(cost));
    let new = new_move(&format!("m{name}"), item, &units.to_string(), PLACES[from], PLACES[to]);
    NewMove { lot: lot.map(id), cost, ..new }
}

/// Posts one step to both, which must make the same of it.
fn both(work: &mut Work, model: &mut Model, tried: &mut Vec<Step>, step: &Step) -> Result<(), TestCaseError> {
    let (name, step) = match step {
        Step::Repeat(n) => match n.checked_rem(tried.len()) {
            Some(n) => (n, tried[n].clone()),
            None => return Ok(()),
        },
        Step::Move { .. } => {
            tried.push(step.clone());
            (tried.len() - 1, step.clone())
        }
    };
    let Step::Move { thing, from, to, units, cost } = step else { return Ok(()) };
    let new = describe(name, thing, from, to, units, cost);
    let before = (work.tx().changes(), work.effects().len());
    let got = post_move(work, new.clone());
    if let Some(value) = model.posted.get(new.id.as_str()) {
        let got = got.unwrap();
        prop_assert!(got.replayed && i128::from(got.moved.value.minor) == *value);
        prop_assert_eq!(before, (work.tx().changes(), work.effects().len()), "a repeat does nothing");
        return Ok(());
    }
    match model.apply(thing, from, to, units, cost) {
        Ok(value) => {
            let got = got.map_err(|e| TestCaseError::fail(format!("{new:?}: {e}")))?;
            prop_assert!(!got.replayed && i128::from(got.moved.value.minor) == value, "{:?} is worth {}", got, value);
            model.posted.insert(new.id.to_string(), value);
            book(work, &got, inside(PLACES[to]));
        }
        Err(code) => {
            let Err(Failure::Business(error)) = got else {
                return Err(TestCaseError::fail(format!("{new:?} was not refused")));
            };
            prop_assert_eq!(error.code(), code);
            prop_assert_eq!(before, (work.tx().changes(), work.effects().len()), "a refusal leaves no trace");
        }
    }
    Ok(())
}

/// Everything that can be read is what the model says.
fn agree(work: &Work, model: &Model) -> Result<(), TestCaseError> {
    for item in ["DESK", "MILK", "LAPTOP"] {
        agree_on(work, model, item)?;
    }
    let total: i128 = model.value.values().sum();
    let control: Vec<_> = stock_control(work).unwrap().iter().map(|r| (r.ledger.minor, r.stock.minor)).collect();
    prop_assert_eq!(control, vec![(total, total), (0, 0)], "I10: the account is the stock");
    let numbers: Vec<_> = all(500, |page| list_moves(work, page)).iter().map(|m| m.number).collect();
    prop_assert_eq!(numbers, (1..=model.posted.len() as u64).collect::<Vec<_>>(), "no gap");
    Ok(())
}

fn agree_on(work: &Work, model: &Model, item: &str) -> Result<(), TestCaseError> {
    let whole = |units: i128| Decimal::whole(u32::try_from(units).unwrap());
    let of_item = || model.on_hand.iter().filter(|((i, ..), _)| *i == item);
    prop_assert_eq!(of_item().map(|(_, units)| units).sum::<i128>(), 0, "I1");

    let mut want: Vec<_> = of_item()
        .filter(|((_, _, place), units)| inside(place) && **units > 0)
        .map(|((_, lot, place), units)| (id(place), lot.map(id), whole(*units)))
        .collect();
    want.sort();
    let rows = all(3, |page| list_on_hand(work, &id(item), None, page));
    let got: Vec<_> = rows.iter().map(|r| (r.location.clone(), r.lot.clone(), r.quantity())).collect();
    prop_assert_eq!(got, want, "I2");
    if item == "LAPTOP" {
        let serials: BTreeSet<_> = rows.iter().map(|r| r.lot.clone()).collect();
        prop_assert!(serials.len() == rows.len() && rows.iter().all(|r| r.units() == 1), "I14: {:?}", rows);
    }

    let worth = valuation(work, &id(item)).unwrap();
    prop_assert_eq!(worth.quantity, whole(model.stock(item)));
    prop_assert_eq!(i128::from(worth.value.minor), *model.value.get(item).unwrap_or(&0), "I9, I10");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_units_of_work_agree_with_the_model(units in units()) {
        let world = World::new();
        let (mut model, mut tried) = (Model::default(), Vec::new());
        for (steps, keep) in &units {
            let mut work = world.work();
            let mut staged = model.clone();
            for step in steps {
                both(&mut work, &mut staged, &mut tried, step)?;
            }
            agree(&work, &staged)?;
            if *keep {
                commit(work).map_err(|e| TestCaseError::fail(e.to_string()))?;
                model = staged;
            } else {
                drop(work);
            }
            agree(&world.read(), &model)?;
        }
    }
}
