//! Rights on stock: which items, between which locations, how much of each and of which value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::facet::{Bound, Facets};
use super::layers::{Layers, Stage};
use super::pattern::any;
use super::{Checks, Grant, Kind, Operation, Operations, Pattern, Used, empty, money_text, words};
use crate::schema::MoneyText;
use crate::{Decimal, Id, Money, Result};

/// Rights on stock.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode,
)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct InventoryRights {
    /// Items that may be read.
    #[n(0)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<Pattern>,
    /// Items that may be moved.
    #[n(1)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub move_items: Vec<Pattern>,
    /// Locations they may be moved out of.
    #[n(2)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub move_from: Vec<Pattern>,
    /// Locations they may be moved into.
    #[n(3)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub move_to: Vec<Pattern>,
    /// See what is on hand in these locations alone; none named: in all. Values are of all locations together, so whoever is
    /// limited to some sees none.
    #[cbor(n(4), skip_if = "Vec::is_empty")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub read_locations: Vec<Pattern>,
    /// The largest quantity of one move, in the unit of the item.
    #[n(5)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_quantity: Option<Decimal>,
    /// The largest quantity of one item in all moves of a run.
    #[n(6)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_quantity_run: Option<Decimal>,
    /// The largest quantity of one item in all moves of the installation on a UTC day.
    #[n(7)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_quantity_day: Option<Decimal>,
    /// The largest value of one move. A ceiling in one currency allows no other; moves within the own stock have no value.
    #[n(8)]
    #[serde(with = "money_text", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<MoneyText>")]
    pub max_value: Option<Money>,
    /// The largest value of all moves of a run.
    #[n(9)]
    #[serde(with = "money_text", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<MoneyText>")]
    pub max_value_run: Option<Money>,
    /// The largest value of all moves of the installation on a UTC day.
    #[n(10)]
    #[serde(with = "money_text", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<MoneyText>")]
    pub max_value_day: Option<Money>,
}

/// What a move asks for. Parts that are none were malformed or are not known yet, and are not looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Moving<'a> {
    /// What moves.
    pub item: Option<&'a Id>,
    /// The location it leaves.
    pub from: Option<&'a Id>,
    /// The location it enters.
    pub to: Option<&'a Id>,
    /// How much.
    pub quantity: Option<Decimal>,
    /// What it is worth.
    pub value: Option<Money>,
    /// What run and installation have moved of the item so far, in [`Used::of`] units.
    pub used_quantity: Option<Used>,
    /// What they have moved in value of this currency so far, in minor units.
    pub used_value: Option<Used>,
}

impl Moving<'_> {
    fn places(&self, rights: &InventoryRights) -> bool {
        let allowed = |set: &[Pattern], id: Option<&Id>| id.map_or(!set.is_empty(), |id| any(set, id));
        allowed(&rights.move_items, self.item)
            && allowed(&rights.move_from, self.from)
            && allowed(&rights.move_to, self.to)
    }

    /// `before` is what counts beside the move itself; none: the ceiling is not looked at yet.
    fn quantity(&self, ceiling: Option<Decimal>, before: Option<u128>) -> bool {
        let Some(((ceiling, before), quantity)) = ceiling.zip(before).zip(self.quantity) else { return true };
        Used::of(quantity).saturating_add(before) <= Used::of(ceiling)
    }

    fn value(&self, ceiling: Option<Money>, before: Option<u128>) -> bool {
        let Some(((ceiling, before), value)) = ceiling.zip(before).zip(self.value) else { return true };
        value.minor == 0
            || (value.currency == ceiling.currency
                && u128::from(value.minor).saturating_add(before) <= u128::from(ceiling.minor))
    }
}

impl Layers<'_> {
    /// May this item be read?
    pub fn read_item(&self, operation: Operation, item: &Id) -> bool {
        self.allows(operation, |grant| any(&grant.inventory.read, item))
    }

    /// `denied` unless this item may be read.
    pub fn check_read_item(&self, operation: Operation, item: &Id) -> Result<()> {
        self.check(
            operation,
            &[Stage {
                code: "inventory-read-denied",
                test: &|grant| any(&grant.inventory.read, item),
                message: &|| format!("no grant to read item {item}"),
            }],
        )
    }

    /// May be seen what is on hand of this item in this location?
    pub fn read_on_hand(&self, operation: Operation, item: &Id, location: &Id) -> bool {
        self.allows(operation, |grant| {
            let InventoryRights { read, read_locations, .. } = &grant.inventory;
            any(read, item) && (read_locations.is_empty() || any(read_locations, location))
        })
    }

    /// `denied` unless it may be seen what is on hand of this item in this location.
    pub fn check_read_on_hand(&self, operation: Operation, item: &Id, location: &Id) -> Result<()> {
        self.check_read_item(operation, item)?;
        if self.read_on_hand(operation, item, location) {
            return Ok(());
        }
        Err(crate::Error::denied(
            "inventory-read-denied",
            format!("no grant to read item {item} in location {location}"),
        ))
    }

    /// May the value of this item, in all locations together, be read?
    pub fn read_value(&self, operation: Operation, item: &Id) -> bool {
        self.allows(operation, |grant| grant.inventory.read_locations.is_empty() && any(&grant.inventory.read, item))
    }

    /// `denied` unless the value of this item, in all locations together, may be read.
    pub fn check_read_value(&self, operation: Operation, item: &Id) -> Result<()> {
        self.check_read_item(operation, item)?;
        if self.read_value(operation, item) {
            return Ok(());
        }
        let message = format!("no grant to read item {item} in all locations, which its value is of");
        Err(crate::Error::denied("inventory-read-denied", message))
    }

    /// `denied` unless at least one item may be read: locations are no secret among those who deal with stock.
    pub fn check_read_locations(&self, operation: Operation) -> Result<()> {
        self.check(
            operation,
            &[Stage {
                code: "inventory-read-denied",
                test: &|grant| !grant.inventory.read.is_empty(),
                message: &|| "no grant to read any item".to_owned(),
            }],
        )
    }

    /// `denied` unless in each layer one grant allows the whole move. In order: `move-denied` (item and locations),
    /// `move-quantity-denied`, `move-value-denied` (of the move), `move-run-denied`, `move-day-denied`.
    pub fn check_move(&self, moving: &Moving<'_>) -> Result<()> {
        let run = |used: Option<Used>| used.map(|used| used.run);
        let day = |used: Option<Used>| used.map(|used| used.day);
        self.check(
            Operation::PostMove,
            &[
                Stage {
                    code: "move-denied",
                    test: &|grant| moving.places(&grant.inventory),
                    message: &|| self.which_part(moving),
                },
                Stage {
                    code: "move-quantity-denied",
                    test: &|grant| moving.quantity(grant.inventory.max_quantity, Some(0)),
                    message: &|| "the quantity is above the granted ceiling of one move".to_owned(),
                },
                Stage {
                    code: "move-value-denied",
                    test: &|grant| moving.value(grant.inventory.max_value, Some(0)),
                    message: &|| {
                        "the value is above the granted ceiling of one move, or not in its currency".to_owned()
                    },
                },
                Stage {
                    code: "move-run-denied",
                    test: &|grant| {
                        moving.quantity(grant.inventory.max_quantity_run, run(moving.used_quantity))
                            && moving.value(grant.inventory.max_value_run, run(moving.used_value))
                    },
                    message: &|| "with it, the run would move more than its granted ceiling".to_owned(),
                },
                Stage {
                    code: "move-day-denied",
                    test: &|grant| {
                        moving.quantity(grant.inventory.max_quantity_day, day(moving.used_quantity))
                            && moving.value(grant.inventory.max_value_day, day(moving.used_value))
                    },
                    message: &|| {
                        "with it, the installation would move more than its granted ceiling of the day".to_owned()
                    },
                },
            ],
        )
    }

    fn which_part(&self, moving: &Moving<'_>) -> String {
        let allowed = |set: fn(&InventoryRights) -> &[Pattern], id: &Id| {
            self.allows(Operation::PostMove, |grant| any(set(&grant.inventory), id))
        };
        match (moving.item, moving.from, moving.to) {
            (Some(item), _, _) if !allowed(|r| &r.move_items, item) => format!("no grant to move item {item}"),
            (_, Some(from), _) if !allowed(|r| &r.move_from, from) => format!("no grant to move stock out of {from}"),
            (_, _, Some(to)) if !allowed(|r| &r.move_to, to) => format!("no grant to move stock into {to}"),
            (Some(item), Some(from), Some(to)) => format!("no single grant is to move {item} from {from} to {to}"),
            _ => "no grant to move stock so".to_owned(),
        }
    }

    /// Is there a ceiling on what a run moves?
    pub fn has_run_moves(&self) -> bool {
        self.some(|grant| grant.inventory.max_quantity_run.is_some() || grant.inventory.max_value_run.is_some())
    }

    /// Is there a ceiling on what an installation moves in a day?
    pub fn has_day_moves(&self) -> bool {
        self.some(|grant| grant.inventory.max_quantity_day.is_some() || grant.inventory.max_value_day.is_some())
    }
}

impl InventoryRights {
    fn moves(&self) -> bool {
        !(self.move_items.is_empty() || self.move_from.is_empty() || self.move_to.is_empty())
    }
}

impl Kind for InventoryRights {
    fn check(&self, checks: &mut Checks) {
        let lists = [
            ("read", &self.read),
            ("move-items", &self.move_items),
            ("move-from", &self.move_from),
            ("move-to", &self.move_to),
            ("read-locations", &self.read_locations),
        ];
        for (name, list) in lists {
            checks.list("inventory", name, list.len());
        }
        if self.read.is_empty() && !self.read_locations.is_empty() {
            checks.wrong("inventory.read-locations", "is for items that may be read, and none is named in `read`");
        }
        let some = !(self.move_items.is_empty() && self.move_from.is_empty() && self.move_to.is_empty());
        let quantity = self.max_quantity.or(self.max_quantity_run).or(self.max_quantity_day);
        let value = self.max_value.or(self.max_value_run).or(self.max_value_day);
        if (some || quantity.is_some() || value.is_some()) && !self.moves() {
            checks.wrong("inventory", "allows no move unless `move-items`, `move-from` and `move-to` are all given");
        }
    }

    fn facets(&self, out: &mut Facets) {
        out.named("inventory.read", self.read.iter().cloned());
        if !self.read.is_empty() {
            out.only("inventory.read-locations", self.read_locations.iter().cloned());
        }
        if self.moves() {
            out.named("inventory.move-items", self.move_items.iter().cloned());
            out.named("inventory.move-from", self.move_from.iter().cloned());
            out.named("inventory.move-to", self.move_to.iter().cloned());
            out.limit("inventory.max-quantity", self.max_quantity.map(Bound::Quantity));
            out.limit("inventory.max-quantity-run", self.max_quantity_run.map(Bound::Quantity));
            out.limit("inventory.max-quantity-day", self.max_quantity_day.map(Bound::Quantity));
            out.limit("inventory.max-value", self.max_value.map(Bound::Money));
            out.limit("inventory.max-value-run", self.max_value_run.map(Bound::Money));
            out.limit("inventory.max-value-day", self.max_value_day.map(Bound::Money));
        }
    }

    fn words(&self, out: &mut Vec<String>) {
        let items = |set: &[Pattern]| words::ids(set, "item", "items");
        let places = |set: &[Pattern]| words::ids(set, "location", "locations");
        if !self.read.is_empty() {
            let what = match self.read_locations.as_slice() {
                [] => "what is in stock and what it is worth".to_owned(),
                some => format!("what is in stock in {}", places(some)),
            };
            out.push(format!("Read of {}: {what}.", items(&self.read)));
        }
        if !self.moves() {
            return;
        }
        let (what, from, to) = (items(&self.move_items), places(&self.move_from), places(&self.move_to));
        out.push(format!("Move {what} from {from} to {to}."));
        let quantities =
            [(self.max_quantity, "a move"), (self.max_quantity_run, "a run"), (self.max_quantity_day, "a day")];
        let quantities = quantities.iter().filter_map(|(q, per)| q.map(|q| format!("{q} units of an item {per}")));
        let values = [(self.max_value, "a move"), (self.max_value_run, "a run"), (self.max_value_day, "a day")];
        let values = values.iter().filter_map(|(value, per)| value.map(|value| format!("a value of {value} {per}")));
        let ceilings: Vec<String> = quantities.chain(values).collect();
        out.push(match ceilings.as_slice() {
            [] => "There is no ceiling on what it moves.".to_owned(),
            some => format!("At most {}.", words::list(some, "and")),
        });
    }

    fn serves(&self, out: &mut Vec<(&'static str, Operations)>) {
        use Operation::{GetValuation, ItemsGet, ItemsList, ListOnHand, PostMove};
        if !self.read.is_empty() {
            out.push(("inventory.read", Operations::of(&[ItemsGet, ItemsList, ListOnHand, GetValuation])));
        }
        if self.moves() {
            out.push(("inventory.move", Operations::of(&[PostMove])));
        }
    }

    fn is_empty(&self) -> bool {
        empty(self)
    }
}

/// Everything that reads.
pub(super) fn read_only(grant: &mut Grant) {
    grant.inventory = InventoryRights { read: vec![Pattern::Any], ..InventoryRights::default() };
}
