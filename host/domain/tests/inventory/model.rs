//! Any series of moves, beside a plain reference model that counts in signed 128-bit numbers and knows no counters.

use std::collections::BTreeMap;

use backroom_domain::inventory::{MoveChanges, MoveFacts, NewMove, OnHand, Tracking, Usage, Valuation, post};
use backroom_domain::{Decimal, Id, Money};
use proptest::prelude::*;

use crate::world::{day, id, item, location, money};

/// Two valued locations inside, two outside.
const PLACES: [(&str, Usage); 4] =
    [("STORE", Usage::Internal), ("ROAD", Usage::Transit), ("VENDOR", Usage::Supplier), ("STAFF", Usage::Consumption)];

#[derive(Debug, Clone)]
struct Step {
    from: usize,
    to: usize,
    units: u64,
    cost: u64,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..4usize, 0..3usize, 1..60u64, 0..5_000u64).prop_map(|(from, skip, units, cost)| Step {
        from,
        to: (from + skip + 1) % 4,
        units,
        cost,
    });
    prop::collection::vec(step, 1..60)
}

/// The truth in the plainest words.
#[derive(Default)]
struct Model {
    on_hand: [i128; 4],
    value: i128,
}

impl Model {
    fn stock(&self) -> i128 {
        self.on_hand[0] + self.on_hand[1]
    }

    /// The value that crosses the border, or `None` if there is not enough.
    fn apply(&mut self, step: &Step) -> Option<i128> {
        let (units, inside) = (i128::from(step.units), |place: usize| place < 2);
        if inside(step.from) && self.on_hand[step.from] < units {
            return None;
        }
        let crossing = match (inside(step.from), inside(step.to)) {
            (false, true) => i128::from(step.cost),
            (true, false) => half_even(self.value * units, self.stock()),
            _ => 0,
        };
        self.value += if inside(step.to) { crossing } else { -crossing };
        self.on_hand[step.from] -= units;
        self.on_hand[step.to] += units;
        Some(crossing)
    }
}

/// Rounding by looking at both neighbours.
fn half_even(numerator: i128, denominator: i128) -> i128 {
    let below = numerator / denominator;
    let (to_below, to_above) = (numerator - below * denominator, (below + 1) * denominator - numerator);
    match to_below.cmp(&to_above) {
        std::cmp::Ordering::Less => below,
        std::cmp::Ordering::Greater => below + 1,
        std::cmp::Ordering::Equal => below + below % 2,
    }
}

/// What a caller keeps between moves.
#[derive(Default)]
struct Kept {
    on_hand: BTreeMap<Id, OnHand>,
    valuation: Option<Valuation>,
}

impl Kept {
    fn post(&self, step: &Step) -> backroom_domain::Result<MoveChanges> {
        let place = |n: usize| location(PLACES[n].0, PLACES[n].1);
        let (from, to) = (place(step.from), place(step.to));
        let entering = !from.new.usage.valued() && to.new.usage.valued();
        let new = NewMove {
            id: id("m"),
            date: day("2026-06-30"),
            item: id("WIDGET"),
            quantity: Decimal { mantissa: step.units, scale: 2 },
            from: from.new.id.clone(),
            to: to.new.id.clone(),
            lot: None,
            cost: entering.then(|| Money { minor: step.cost, ..money("0 USD") }),
            worker: None,
            reason: "any".into(),
            entry: None,
        };
        let mut item = item();
        item.new.tracking = Tracking::None;
        let facts = MoveFacts {
            source: self.on_hand.get(&new.from).cloned(),
            destination: self.on_hand.get(&new.to).cloned(),
            valuation: self.valuation.clone(),
            item: Some(item),
            from: Some(from),
            to: Some(to),
            ..MoveFacts::default()
        };
        post(&new, facts)
    }

    fn keep(&mut self, changes: MoveChanges) {
        for row in [changes.source, changes.destination] {
            self.on_hand.insert(row.location.clone(), row);
        }
        self.valuation = changes.valuation.or(self.valuation.take());
    }

    fn signed(&self, place: &str) -> i128 {
        self.on_hand.get(place).map_or(0, |row| i128::from(row.entered) - i128::from(row.left))
    }

    fn valued(&self) -> (i128, i128) {
        self.valuation.as_ref().map_or((0, 0), |v| (i128::from(v.quantity.mantissa), i128::from(v.value.minor)))
    }
}

proptest! {
    /// I1, I2, I9, I10 at every step: nothing appears or vanishes, nothing valued is negative, every value is the model's,
    /// and the value at the end is what came in less what went out.
    #[test]
    fn any_moves_agree_with_the_model(steps in steps()) {
        let (mut kept, mut model) = (Kept::default(), Model::default());
        let (mut received, mut issued) = (0, 0);
        for step in &steps {
            let before = kept.valued();
            let (got, want) = (kept.post(step), model.apply(step));
            let Some(want) = want else {
                prop_assert_eq!(got.map_err(|e| e.code().to_owned()).err(), Some("insufficient-stock".to_owned()));
                continue;
            };
            let changes = got.map_err(|e| TestCaseError::fail(e.to_string()))?;
            prop_assert_eq!(i128::from(changes.value.minor), want);
            match (step.from < 2, step.to < 2) {
                (false, true) => received += want,
                (true, false) => issued += want,
                _ => prop_assert_eq!(changes.valuation.as_ref(), None),
            }
            kept.keep(changes);

            let places = PLACES.map(|(place, _)| kept.signed(place));
            prop_assert_eq!(places, model.on_hand);
            prop_assert_eq!(places.iter().sum::<i128>(), 0, "I1");
            prop_assert!(places[0] >= 0 && places[1] >= 0, "I2");
            prop_assert_eq!(kept.valued(), (model.stock(), model.value), "I9");
            prop_assert_eq!(model.value, received - issued, "I10");
            if model.stock() == 0 {
                prop_assert_eq!(model.value, 0, "no cent stays behind");
            }
            // An issue leaves the average as it was, but for the rounding of one cent.
            if step.from < 2 && step.to >= 2 {
                let (units, value) = kept.valued();
                prop_assert!(2 * (value * before.0 - before.1 * units).abs() <= before.0, "I9");
            }
        }
    }
}
