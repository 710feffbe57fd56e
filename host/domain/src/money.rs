//! Money: unsigned minor units with an ISO 4217 currency; the direction says the sign.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The largest amount or quantity of the contract, 2^53 - 1: exact in every guest language, JavaScript included.
pub const MAX_MINOR: u64 = (1 << 53) - 1;

/// An ISO 4217 alphabetic code: three capital letters.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, minicbor::Encode, minicbor::Decode,
)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(#[cbor(n(0), with = "minicbor::bytes")] [u8; 3]);

impl Currency {
    /// Checks the form (three ASCII capitals); `field` names it in the error.
    pub fn parse(text: &str, field: &str) -> Result<Self> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(code) if code.iter().all(u8::is_ascii_uppercase) => Ok(Self(code)),
            _ => Err(Error::invalid(
                "currency-invalid",
                field,
                format!("{:?} is not an ISO 4217 code such as USD", text.chars().take(8).collect::<String>()),
            )),
        }
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// Digits after the decimal point of this currency (ISO 4217 "minor unit"): 2 unless listed otherwise.
    pub fn exponent(self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF" | b"UGX"
            | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            b"CLF" | b"UYW" => 4,
            _ => 2,
        }
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for Currency {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text, "currency")
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

/// An amount of money in minor units (cents for USD), at most [`MAX_MINOR`].
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode,
)]
pub struct Money {
    /// Minor units of the currency.
    #[n(0)]
    pub minor: u64,
    /// The currency.
    #[n(1)]
    pub currency: Currency,
}

impl Money {
    /// `minor` units of `currency`, or `amount-too-large` above [`MAX_MINOR`].
    pub fn new(minor: u64, currency: Currency, field: &str) -> Result<Self> {
        if minor > MAX_MINOR {
            return Err(Error::invalid("amount-too-large", field, "amounts are at most 2^53 - 1 minor units"));
        }
        Ok(Self { minor, currency })
    }

    /// Reads a decimal amount such as `1000`, `1000.5` or `1000.50` in `currency`: no sign, no grouping, no more digits
    /// than the currency has.
    pub fn parse_amount(text: &str, currency: Currency, field: &str) -> Result<Self> {
        let bad = || {
            Error::invalid(
                "amount-invalid",
                field,
                format!(
                    "{text:?} is not an amount in {currency}: digits, then at most {} decimals",
                    currency.exponent()
                ),
            )
        };
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        let places = u32::try_from(decimals.len()).map_err(|_| bad())?;
        let trailing_dot = text.ends_with('.');
        if whole.is_empty() || trailing_dot || !digits(whole) || !digits(decimals) || places > currency.exponent() {
            return Err(bad());
        }
        let scale = 10u64.checked_pow(currency.exponent().saturating_sub(places)).ok_or_else(bad)?;
        let minor = format!("{whole}{decimals}").parse::<u64>().ok().and_then(|m| m.checked_mul(scale));
        Self::new(minor.ok_or_else(bad)?, currency, field)
    }

    /// The amount without the currency, with all decimals of the currency: `1000.50`.
    pub fn amount_text(&self) -> String {
        minor_text(u128::from(self.minor), self.currency)
    }
}

/// `minor` units written with all decimals of `currency`, for sums that may be larger than an amount: `1000.50`.
pub fn minor_text(minor: u128, currency: Currency) -> String {
    let exponent = currency.exponent();
    let unit = 10u128.pow(exponent);
    let (whole, rest) = (minor.checked_div(unit).unwrap_or(minor), minor.checked_rem(unit).unwrap_or(0));
    match usize::try_from(exponent) {
        Ok(width) if width > 0 => format!("{whole}.{rest:0width$}"),
        _ => whole.to_string(),
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount_text(), self.currency)
    }
}

impl FromStr for Money {
    type Err = Error;
    /// Reads `1000.50 USD`.
    fn from_str(text: &str) -> Result<Self> {
        let (amount, currency) = text.split_once(' ').ok_or_else(|| {
            Error::invalid("amount-invalid", "money", format!("{text:?} is not money such as \"500.00 USD\""))
        })?;
        Self::parse_amount(amount, Currency::parse(currency, "money")?, "money")
    }
}

/// The direction of a posting.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    minicbor::Encode,
    minicbor::Decode,
)]
#[serde(rename_all = "kebab-case")]
#[cbor(index_only)]
pub enum Side {
    /// Left.
    #[n(0)]
    Debit,
    /// Right.
    #[n(1)]
    Credit,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_and_write_exactly() {
        let usd = Currency::parse("USD", "c").unwrap();
        let jpy = Currency::parse("JPY", "c").unwrap();
        for (text, minor, out) in
            [("0", 0, "0.00"), ("1000", 100_000, "1000.00"), ("0.5", 50, "0.50"), ("12.34", 1234, "12.34")]
        {
            let m = Money::parse_amount(text, usd, "amount").unwrap();
            assert_eq!((m.minor, m.amount_text().as_str()), (minor, out));
        }
        assert_eq!(Money::parse_amount("12", jpy, "a").unwrap().to_string(), "12 JPY");
        for bad in
            ["", "-1", "+1", "1.", ".5", "1.234", "1,5", "1e3", " 1", "90071992547409.92", "99999999999999999999"]
        {
            assert!(Money::parse_amount(bad, usd, "amount").is_err(), "{bad}");
        }
        assert!(Money::parse_amount("1.0", jpy, "a").is_err());
        assert_eq!("500.00 USD".parse::<Money>().unwrap().minor, 50_000);
    }
}
