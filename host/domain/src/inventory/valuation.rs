//! The moving average over all valued locations of an item.
//!
//! A receipt adds its cost; an issue takes its share of the value, rounded half to even, and the last unit takes all that is left.
//! So the value is conserved at every step (opening value + receipts - issues = closing value) and no cent stays behind.

use crate::inventory::onhand::add;
use crate::inventory::{Item, Valuation};
use crate::{Decimal, Money, Rounding, mul_div};

impl Valuation {
    /// Of an item that was never received.
    pub fn empty(item: &Item) -> Self {
        Self {
            item: item.new.id.clone(),
            stock_account: item.new.stock_account.clone(),
            quantity: Decimal { mantissa: 0, scale: item.new.decimals },
            value: Money { minor: 0, currency: item.currency },
        }
    }

    /// `units` enter valued stock for `cost` minor units; `None` if a figure would pass 2^53 - 1.
    pub(super) fn receive(mut self, units: u64, cost: u64) -> Option<Self> {
        self.quantity.mantissa = add(self.quantity.mantissa, units)?;
        self.value.minor = add(self.value.minor, cost)?;
        Some(self)
    }

    /// `units` leave valued stock: the minor units that leave with them, and what stays. `None` if there are not so many.
    pub(super) fn issue(mut self, units: u64) -> Option<(u64, Self)> {
        let rest = self.quantity.mantissa.checked_sub(units)?;
        // Exact for the last unit, and never more than there is: a share of at most one whole.
        let value = mul_div(self.value.minor, units, self.quantity.mantissa, Rounding::HalfEven)?;
        self.quantity.mantissa = rest;
        self.value.minor = self.value.minor.checked_sub(value)?;
        Some((value, self))
    }
}
