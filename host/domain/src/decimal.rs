//! Exact decimals for quantities and rates.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Error, MAX_MINOR, Result};

/// `mantissa` divided by ten to the power of `scale`; never negative. `1.5` is `{ mantissa: 15, scale: 1 }`.
///
/// The mantissa is at most 2^53 - 1, the scale at most [`Decimal::MAX_SCALE`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize, minicbor::Encode, minicbor::Decode)]
#[serde(try_from = "String", into = "String")]
pub struct Decimal {
    /// The digits.
    #[n(0)]
    pub mantissa: u64,
    /// How many of the digits stand after the point.
    #[n(1)]
    pub scale: u8,
}

impl Decimal {
    /// Nine decimals: more than any unit of measure needs, and 10^9 still leaves room below 2^53.
    pub const MAX_SCALE: u8 = 9;

    /// Zero.
    pub const ZERO: Self = Self { mantissa: 0, scale: 0 };

    /// Checks the bounds; `field` names it in the error.
    pub fn new(mantissa: u64, scale: u8, field: &str) -> Result<Self> {
        if mantissa > MAX_MINOR || scale > Self::MAX_SCALE {
            return Err(Error::invalid(
                "decimal-invalid",
                field,
                format!("a decimal has a mantissa of at most 2^53 - 1 and a scale of at most {}", Self::MAX_SCALE),
            ));
        }
        Ok(Self { mantissa, scale })
    }

    /// A whole number, at most 2^32 - 1.
    pub fn whole(n: u32) -> Self {
        Self { mantissa: u64::from(n), scale: 0 }
    }

    /// Reads `12`, `12.5` or `0.125`: no sign, no exponent, no grouping.
    pub fn parse(text: &str, field: &str) -> Result<Self> {
        let bad = || Error::invalid("decimal-invalid", field, format!("{text:?} is not a quantity such as 12 or 12.5"));
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || text.ends_with('.') || !digits(whole) || !digits(decimals) {
            return Err(bad());
        }
        let scale = u8::try_from(decimals.len()).map_err(|_| bad())?;
        let mantissa = format!("{whole}{decimals}").parse::<u64>().map_err(|_| bad())?;
        Self::new(mantissa, scale, field)
    }

    /// Is it zero?
    pub fn is_zero(&self) -> bool {
        self.mantissa == 0
    }

    /// The mantissa of the same value at `scale`, or `None` if digits would be lost or 2^53 - 1 passed.
    pub fn mantissa_at(&self, scale: u8) -> Option<u64> {
        let value = if scale >= self.scale {
            self.mantissa.checked_mul(10u64.checked_pow(u32::from(scale.checked_sub(self.scale)?))?)?
        } else {
            let unit = 10u64.checked_pow(u32::from(self.scale.checked_sub(scale)?))?;
            if self.mantissa.checked_rem(unit)? != 0 {
                return None;
            }
            self.mantissa.checked_div(unit)?
        };
        (value <= MAX_MINOR).then_some(value)
    }

    /// Both mantissas in 128 bits at the larger of the two scales.
    fn aligned(self, other: Self) -> (u128, u128) {
        let scale = self.scale.max(other.scale);
        let at = |d: Self| {
            u128::from(d.mantissa).saturating_mul(10u128.saturating_pow(u32::from(scale.saturating_sub(d.scale))))
        };
        (at(self), at(other))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Decimal {}
impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = self.aligned(*other);
        a.cmp(&b)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = usize::from(self.scale);
        if scale == 0 {
            return write!(f, "{}", self.mantissa);
        }
        let digits = format!("{:0>width$}", self.mantissa, width = scale.saturating_add(1));
        let (whole, decimals) = digits.split_at(digits.len().saturating_sub(scale));
        write!(f, "{whole}.{decimals}")
    }
}

impl TryFrom<String> for Decimal {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text, "quantity")
    }
}

impl From<Decimal> for String {
    fn from(decimal: Decimal) -> Self {
        decimal.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_compare_by_value_and_print_as_read() {
        let d = |s: &str| Decimal::parse(s, "q").unwrap();
        assert_eq!(d("1.50"), d("1.5"));
        assert!(d("0.125") < d("0.13"));
        assert_eq!(d("0.05").to_string(), "0.05");
        assert_eq!(d("1.50").mantissa_at(1), Some(15));
        assert_eq!(d("1.55").mantissa_at(1), None);
        for bad in ["", "-1", "1.", ".1", "1e2", "9007199254740992", "0.0000000001"] {
            assert!(Decimal::parse(bad, "q").is_err(), "{bad}");
        }
    }
}
