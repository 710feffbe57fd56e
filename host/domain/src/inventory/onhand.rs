//! What is where.

use serde::{Deserialize, Serialize};

use crate::inventory::{Item, NewMove, OnHand};
use crate::{Decimal, Id, MAX_MINOR};

/// Where a serial number is, while it is in valued stock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct SerialPlace {
    /// The serial number.
    #[n(0)]
    pub lot: Id,
    /// The one valued location where it is.
    #[n(1)]
    pub location: Id,
}

impl OnHand {
    /// What nobody has moved yet: zero of what `new` moves in `location`.
    pub(super) fn empty(new: &NewMove, item: &Item, location: &Id) -> Self {
        Self {
            item: new.item.clone(),
            location: location.clone(),
            lot: new.lot.clone(),
            decimals: item.new.decimals,
            entered: 0,
            left: 0,
        }
    }

    /// Units on hand, in steps of the last decimal. Zero where more left than entered, which only happens outside
    /// valued stock: a supplier's shelf is not ours to count.
    pub fn units(&self) -> u64 {
        self.entered.saturating_sub(self.left)
    }

    /// The quantity on hand; see [`OnHand::units`].
    pub fn quantity(&self) -> Decimal {
        Decimal { mantissa: self.units(), scale: self.decimals }
    }

    /// `units` enter; `None` if the counter would pass 2^53 - 1.
    pub(super) fn enter(mut self, units: u64) -> Option<Self> {
        self.entered = add(self.entered, units)?;
        Some(self)
    }

    /// `units` leave; `None` if the counter would pass 2^53 - 1.
    pub(super) fn leave(mut self, units: u64) -> Option<Self> {
        self.left = add(self.left, units)?;
        Some(self)
    }
}

/// The sum, or `None` above the largest figure of the contract.
pub(super) fn add(a: u64, b: u64) -> Option<u64> {
    a.checked_add(b).filter(|sum| *sum <= MAX_MINOR)
}
