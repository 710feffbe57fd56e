//! Exact decimals of the contract, for quantities and rates. In JSON one is a text such as `1.0842`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Decimal, Error, MAX_MINOR, invalid};

/// Decimals that a decimal of the contract has at most.
const MAX_SCALE: usize = 9;

/// The digits of `12.50` as a number, and how many of them are decimals: no sign, no exponent, no grouping.
pub(crate) fn read(text: &str) -> Option<(u64, usize)> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || text.ends_with('.') || !digits(whole) || !digits(decimals) {
        return None;
    }
    format!("{whole}{decimals}").parse().ok().map(|number| (number, decimals.len()))
}

/// A number with its last `scale` digits behind a point.
pub(crate) fn written(number: u64, scale: u8) -> String {
    let scale = usize::from(scale);
    let digits = format!("{number:0>width$}", width = scale + 1);
    match digits.split_at(digits.len() - scale) {
        (whole, "") => whole.to_owned(),
        (whole, decimals) => format!("{whole}.{decimals}"),
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&written(self.mantissa, self.scale))
    }
}

impl FromStr for Decimal {
    type Err = Error;

    /// Reads `12`, `12.5` or `0.125`, with at most nine decimals. Errors: `decimal-invalid`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let within = |(mantissa, scale): &(u64, usize)| *mantissa <= MAX_MINOR && *scale <= MAX_SCALE;
        let found = read(text).filter(within).and_then(|(mantissa, scale)| Some((mantissa, u8::try_from(scale).ok()?)));
        let (mantissa, scale) = found
            .ok_or_else(|| invalid("decimal-invalid", "decimal", format!("{text:?} is no decimal such as 12.5")))?;
        Ok(Self { mantissa, scale })
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::from_text(deserializer, "decimal such as 12.5")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_and_written() {
        for (text, mantissa, scale) in
            [("12", 12, 0), ("12.50", 1_250, 2), ("0.125", 125, 3), ("0.000000001", 1, 9), ("0", 0, 0)]
        {
            let decimal: Decimal = text.parse().unwrap();
            assert_eq!((decimal.mantissa, decimal.scale, decimal.to_string().as_str()), (mantissa, scale, text));
        }
        for wrong in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "0.0000000001", "9007199254740992", "1.2.3"] {
            assert_eq!(wrong.parse::<Decimal>().unwrap_err().code(), "decimal-invalid", "{wrong}");
        }
    }
}
