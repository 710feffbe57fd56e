//! Sums of money that refuse instead of wrapping around or mixing currencies. In JSON an amount is a text such as `1234.50 USD`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Error, Money, invalid, refused};

/// The largest amount of the contract: exact in every guest language.
pub const MAX_MINOR: u64 = (1 << 53) - 1;

/// Digits after the decimal point of a currency (ISO 4217 "minor unit"): 2 unless listed.
pub fn minor_digits(currency: &str) -> u8 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI" | "VND"
        | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    }
}

impl Money {
    /// An amount in minor units: cents for `USD`.
    pub fn new(minor: u64, currency: &str) -> Self {
        Self { minor, currency: currency.to_owned() }
    }

    /// Reads `1234.50` of a currency: no sign, no grouping, no more decimals than the currency has. Errors: `amount-invalid`.
    /// [`str::parse`] reads `1234.50 USD`.
    pub fn parse_amount(text: &str, currency: &str) -> Result<Self, Error> {
        amount(text, currency).ok_or_else(|| {
            invalid("amount-invalid", "amount", format!("{text:?} is no amount such as 500.00 in {currency:?}"))
        })
    }

    /// `1234.50`, with all decimals of the currency. [`ToString::to_string`] gives `1234.50 USD`.
    pub fn amount(&self) -> String {
        crate::decimal::written(self.minor, minor_digits(&self.currency))
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

    /// The amount times `part / whole`, rounded once to whole minor units; a tie goes to the even neighbour. Errors: `overflow` (a
    /// `whole` of zero, too).
    pub fn share(&self, part: u64, whole: u64) -> Result<Self, Error> {
        let (product, whole) = (u128::from(self.minor) * u128::from(part), u128::from(whole));
        let divided = product.checked_div(whole).zip(product.checked_rem(whole));
        let rounded = divided.map(|(quotient, rest)| {
            // `rest` is less than a `whole` of 64 bits.
            let up = rest * 2 > whole || (rest * 2 == whole && quotient % 2 == 1);
            quotient + u128::from(up)
        });
        self.with(rounded.and_then(|minor| u64::try_from(minor).ok()))
    }

    fn with(&self, minor: Option<u64>) -> Result<Self, Error> {
        match minor {
            Some(minor) if minor <= MAX_MINOR => Ok(Self { minor, currency: self.currency.clone() }),
            _ => Err(refused("overflow", "the result is larger than an amount can be")),
        }
    }
}

fn amount(text: &str, currency: &str) -> Option<Money> {
    let places = minor_digits(currency);
    let (digits, scale) = crate::decimal::read(text).filter(|(_, scale)| *scale <= usize::from(places))?;
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let unit = 10_u64.checked_pow(u32::from(places).checked_sub(u32::try_from(scale).ok()?)?)?;
    let minor = digits.checked_mul(unit).filter(|minor| *minor <= MAX_MINOR)?;
    Some(Money::new(minor, currency))
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount(), self.currency)
    }
}

impl FromStr for Money {
    type Err = Error;

    /// Reads `1234.50 USD`. Errors: `amount-invalid`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || invalid("amount-invalid", "amount", format!("{text:?} is no amount such as 500.00 USD"));
        let (number, currency) = text.split_once(' ').ok_or_else(wrong)?;
        amount(number, currency).ok_or_else(wrong)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::from_text(deserializer, "amount such as 500.00 USD")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(minor: u64) -> Money {
        Money::new(minor, "USD")
    }

    #[test]
    fn sums() {
        assert_eq!(usd(1).plus(&usd(2)), Ok(usd(3)));
        assert_eq!(usd(4).times(3), Ok(usd(12)));
        assert_eq!(usd(1).plus(&Money::new(1, "EUR")).unwrap_err().code(), "currency-mismatch");
        assert_eq!(usd(MAX_MINOR).plus(&usd(1)).unwrap_err().code(), "overflow");
        assert_eq!(usd(MAX_MINOR).times(u64::MAX).unwrap_err().code(), "overflow");
    }

    #[test]
    fn amounts_are_read_and_written_with_the_decimals_of_their_currency() {
        for (given, minor, written) in [
            ("500 USD", 50_000, "500.00 USD"),
            ("500.5 USD", 50_050, "500.50 USD"),
            ("0.05 USD", 5, "0.05 USD"),
            ("0005 USD", 500, "5.00 USD"),
            ("500 JPY", 500, "500 JPY"),
            ("1.234 KWD", 1_234, "1.234 KWD"),
            ("90071992547409.91 USD", MAX_MINOR, "90071992547409.91 USD"),
        ] {
            let money: Money = given.parse().unwrap();
            assert_eq!((money.minor, money.to_string().as_str()), (minor, written));
            assert_eq!(serde_json::to_string(&money).unwrap(), format!("{written:?}"));
        }
        for wrong in [
            "",
            "500",
            "500USD",
            "500.001 USD",
            "-5 USD",
            "5. USD",
            ".5 USD",
            "5 usd",
            "5 US",
            "1,5 USD",
            "1.0 JPY",
            "5  USD",
            "90071992547409.92 USD",
            "99999999999999999999999 USD",
        ] {
            assert_eq!(wrong.parse::<Money>().unwrap_err().code(), "amount-invalid", "{wrong}");
        }
    }

    #[test]
    fn shares_are_rounded_half_to_even() {
        // 500.00 for 15, 20, 10 of 30 days; then ties: 0.5 to 0, 1.5 to 2, 2.5 to 2.
        let rows = [
            (50_000, 15, 30, 25_000),
            (50_000, 20, 30, 33_333),
            (50_000, 10, 30, 16_667),
            (1, 15, 30, 0),
            (3, 15, 30, 2),
            (5, 15, 30, 2),
            (MAX_MINOR, u64::MAX, u64::MAX, MAX_MINOR),
        ];
        for (minor, part, whole, want) in rows {
            assert_eq!(usd(minor).share(part, whole), Ok(usd(want)), "{minor} * {part} / {whole}");
        }
        for (part, whole) in [(1, 0), (2, 1)] {
            assert_eq!(usd(MAX_MINOR).share(part, whole).unwrap_err().code(), "overflow");
        }
    }
}
