//! Sums of money that refuse instead of wrapping around or mixing currencies.

use crate::{Error, Money, refused};

/// The largest amount of the contract: exact in every guest language.
pub const MAX_MINOR: u64 = (1 << 53) - 1;

impl Money {
    /// An amount in minor units: cents for `USD`.
    pub fn new(minor: u64, currency: &str) -> Self {
        Self { minor, currency: currency.to_owned() }
    }

    /// The sum with an amount in the same currency. Errors: `currency-mismatch`, `overflow`.
    pub fn plus(&self, other: &Self) -> Result<Self, Error> {
        if self.currency != other.currency {
            let message = format!("{} and {} cannot be added", self.currency, other.currency);
            return Err(refused("currency-mismatch", message));
        }
        self.with(self.minor.checked_add(other.minor))
    }

    /// So many times the amount. Errors: `overflow`.
    pub fn times(&self, count: u64) -> Result<Self, Error> {
        self.with(self.minor.checked_mul(count))
    }

    fn with(&self, minor: Option<u64>) -> Result<Self, Error> {
        match minor {
            Some(minor) if minor <= MAX_MINOR => Ok(Self { minor, currency: self.currency.clone() }),
            _ => Err(refused("overflow", "the sum is larger than an amount can be")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums() {
        let usd = |minor| Money::new(minor, "USD");
        assert_eq!(usd(1).plus(&usd(2)), Ok(usd(3)));
        assert_eq!(usd(4).times(3), Ok(usd(12)));
        assert_eq!(usd(1).plus(&Money::new(1, "EUR")).unwrap_err().code(), "currency-mismatch");
        assert_eq!(usd(MAX_MINOR).plus(&usd(1)).unwrap_err().code(), "overflow");
        assert_eq!(usd(MAX_MINOR).times(u64::MAX).unwrap_err().code(), "overflow");
    }
}
