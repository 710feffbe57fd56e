//! Splitting an amount so that the parts add up to it exactly.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::shape::Problems;
use crate::{Class, Error, MAX_MINOR, Money, Result};

/// The most portions of an allocation; as many as an entry has lines.
pub const MAX_PORTIONS: usize = 1_000;
/// The largest numerator and denominator of a fraction.
pub const MAX_FRACTION: u64 = 1_000_000_000;

/// A part of a whole: `numerator / denominator`, from 0 to 1. Written `1/3`, `0.125`, `12.5%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fraction {
    /// At most the denominator, so that no part is more than the whole.
    pub numerator: u64,
    /// 1 to [`MAX_FRACTION`].
    pub denominator: u64,
}

/// What one part of an allocation gets. A portion below nothing cannot be written: numbers here have no sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Portion {
    /// This part of the whole.
    Fraction(Fraction),
    /// What the fractions leave. At most one.
    Remainder,
}

/// Splits `amount`: each portion gets its part rounded down, and the minor units that are left over go one each to the portions
/// in their order, those of nothing left out. The parts are in the order of the portions and add up to `amount` exactly. (15 in 80 %,
/// 8 % and 12 % is 13, 1 and 1.)
///
/// Problems of form, all together: `amount-too-large`, `portions-invalid` (none, or more than [`MAX_PORTIONS`]),
/// `fraction-invalid`. Then, in order: `two-remainders`; `over-100-percent`; `under-100-percent` (no remainder, and the fractions
/// leave something); `fraction-invalid` (the fractions have no common denominator below 2^64).
pub fn allocate(amount: Money, portions: &[Portion]) -> Result<Vec<Money>> {
    check(amount, portions)?;
    if portions.iter().filter(|portion| matches!(portion, Portion::Remainder)).count() > 1 {
        return Err(refused("two-remainders", "only one portion can be what the others leave"));
    }
    let (mut sum, mut whole) = (0, 1);
    for portion in portions {
        if let Portion::Fraction(fraction) = portion {
            (sum, whole) = add((sum, whole), (fraction.numerator.into(), fraction.denominator.into()))
                .ok_or_else(no_denominator)?;
        }
    }
    let rest =
        whole.checked_sub(sum).ok_or_else(|| refused("over-100-percent", "the fractions are more than the whole"))?;
    if rest > 0 && !portions.contains(&Portion::Remainder) {
        let message = "the fractions are less than the whole: add a remainder, or more";
        return Err(refused("under-100-percent", message));
    }
    let share = |portion: &Portion| match portion {
        Portion::Fraction(fraction) => (u128::from(fraction.numerator), u128::from(fraction.denominator)),
        Portion::Remainder => (rest, whole),
    };
    let shares: Vec<_> = portions.iter().map(share).collect();
    split(amount, &shares).ok_or_else(no_denominator)
}

fn check(amount: Money, portions: &[Portion]) -> Result<()> {
    let mut problems = Problems::default();
    problems.amount(|| "amount".to_owned(), amount);
    if portions.is_empty() || portions.len() > MAX_PORTIONS {
        let message = || format!("1 to {MAX_PORTIONS} portions are needed, not {}", portions.len());
        problems.add("portions-invalid", || "portions".to_owned(), message);
    }
    for (i, portion) in portions.iter().take(MAX_PORTIONS).enumerate() {
        if let Portion::Fraction(fraction) = portion
            && !fraction.is_valid()
        {
            problems.add("fraction-invalid", || format!("portions[{i}]"), || fraction_rule(&fraction.to_string()));
        }
    }
    problems.finish()
}

/// `None` if a share has more digits than 128 bits hold.
fn split(amount: Money, shares: &[(u128, u128)]) -> Option<Vec<Money>> {
    let mut parts = Vec::with_capacity(shares.len());
    let mut left = amount.minor;
    for (numerator, denominator) in shares {
        let part = u128::from(amount.minor).checked_mul(*numerator)?.checked_div(*denominator)?;
        let part = u64::try_from(part).ok()?;
        left = left.checked_sub(part)?;
        parts.push(part);
    }
    // Rounding down leaves less than one unit a portion, so one pass is enough.
    for (part, (numerator, _)) in parts.iter_mut().zip(shares) {
        if left > 0 && *numerator > 0 {
            *part = part.checked_add(1)?;
            left = left.checked_sub(1)?;
        }
    }
    Some(parts.into_iter().map(|minor| Money { minor, ..amount }).collect())
}

/// The sum of two fractions in lowest terms, unless a term passes 2^64.
fn add(a: (u128, u128), b: (u128, u128)) -> Option<(u128, u128)> {
    let (numerator, denominator) = (a.0.checked_mul(b.1)?.checked_add(b.0.checked_mul(a.1)?)?, a.1.checked_mul(b.1)?);
    let common = common_divisor(numerator, denominator);
    let (numerator, denominator) = (numerator.checked_div(common)?, denominator.checked_div(common)?);
    let bound = u128::from(u64::MAX);
    (numerator <= bound && denominator <= bound).then_some((numerator, denominator))
}

/// Euclid's algorithm.
fn common_divisor(mut a: u128, mut b: u128) -> u128 {
    while b > 0 {
        (a, b) = (b, a.checked_rem(b).unwrap_or(0));
    }
    a
}

fn refused(code: &'static str, message: &str) -> Error {
    Error::at(Class::Refused, code, "portions", message)
}

fn no_denominator() -> Error {
    let message = "the fractions have no common denominator below 2^64: write them with fewer digits";
    Error::invalid("fraction-invalid", "portions", message)
}

fn fraction_rule(text: &str) -> String {
    format!(
        "{text:?} is not a part of a whole: write 1/3, 0.125 or 12.5%, from nothing to the whole, with at most {MAX_FRACTION} \
         above and below"
    )
}

impl Fraction {
    fn is_valid(&self) -> bool {
        self.denominator > 0 && self.denominator <= MAX_FRACTION && self.numerator <= self.denominator
    }

    fn read(text: &str) -> Option<Self> {
        let digits = |text: &str| {
            let good = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            good.then(|| text.parse::<u64>().ok()).flatten().filter(|number| *number <= MAX_MINOR)
        };
        if let Some((numerator, denominator)) = text.split_once('/') {
            return Some(Self { numerator: digits(numerator)?, denominator: digits(denominator)? });
        }
        let (text, unit) = text.strip_suffix('%').map_or((text, 1), |text| (text.trim_end(), 100));
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        if text.ends_with('.') || whole.is_empty() {
            return None;
        }
        let scale = 10_u64.checked_pow(u32::try_from(decimals.len()).ok()?)?;
        let (numerator, denominator) = (digits(&format!("{whole}{decimals}"))?, scale.checked_mul(unit)?);
        let common = u64::try_from(common_divisor(numerator.into(), denominator.into())).ok()?;
        Some(Self { numerator: numerator.checked_div(common)?, denominator: denominator.checked_div(common)? })
    }
}

impl FromStr for Fraction {
    type Err = Error;

    /// Reads `1/3`, `0.125` or `12.5%`; `fraction-invalid` if it is none or not from 0 to 1.
    fn from_str(text: &str) -> Result<Self> {
        let shown: String = text.chars().take(40).collect();
        let fraction = Self::read(text.trim()).filter(Self::is_valid);
        fraction.ok_or_else(|| Error::invalid("fraction-invalid", "fraction", fraction_rule(&shown)))
    }
}

impl FromStr for Portion {
    type Err = Error;

    /// Reads `remainder`, or a [`Fraction`].
    fn from_str(text: &str) -> Result<Self> {
        if text.trim() == "remainder" { Ok(Self::Remainder) } else { text.parse().map(Self::Fraction) }
    }
}

impl std::fmt::Display for Fraction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

impl TryFrom<String> for Fraction {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Fraction> for String {
    fn from(fraction: Fraction) -> Self {
        fraction.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Currency;
    use proptest::prelude::*;

    fn usd(minor: u64) -> Money {
        Money { minor, currency: Currency::parse("USD", "c").unwrap() }
    }

    fn portions(texts: &[&str]) -> Vec<Portion> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn minors(amount: u64, texts: &[&str]) -> Vec<u64> {
        allocate(usd(amount), &portions(texts)).unwrap().into_iter().map(|part| part.minor).collect()
    }

    #[test]
    fn parts_are_rounded_down_and_the_rest_goes_out_in_order() {
        assert_eq!(minors(15, &["80%", "8%", "12%"]), [13, 1, 1]);
        assert_eq!(minors(100, &["1/3", "1/3", "1/3"]), [34, 33, 33]);
        assert_eq!(minors(100, &["remainder", "1/3"]), [67, 33]);
        assert_eq!(minors(1, &["0/1", "1/2", "1/2"]), [0, 1, 0]);
        assert_eq!(minors(0, &["remainder"]), [0]);
        assert_eq!(minors(MAX_MINOR, &["1/1", "remainder"]), [MAX_MINOR, 0]);
    }

    #[test]
    fn what_does_not_make_a_whole_is_refused_in_the_order_of_the_contract() {
        let code = |texts: &[&str]| allocate(usd(10), &portions(texts)).unwrap_err().code().to_owned();
        assert_eq!(code(&["remainder", "remainder", "1/1", "1/2"]), "two-remainders");
        assert_eq!(code(&["60%", "remainder", "50%"]), "over-100-percent");
        assert_eq!(code(&["60%", "39.9%"]), "under-100-percent");
        assert_eq!(code(&[]), "portions-invalid");
        let wide = Portion::Fraction(Fraction { numerator: 3, denominator: 2 });
        assert_eq!(allocate(usd(10), &[wide]).unwrap_err().code(), "fraction-invalid");
        let problems = allocate(usd(u64::MAX), &[wide, wide]).unwrap_err().problems;
        let codes: Vec<_> = problems.iter().map(|problem| problem.code.as_ref()).collect();
        assert_eq!(codes, ["amount-too-large", "fraction-invalid", "fraction-invalid"]);
        assert_eq!(code(&["1/999999937", "1/999999929", "1/999999893", "remainder"]), "fraction-invalid");
        for bad in ["", "-1/2", "3/2", "1/0", "101%", "1.5", ".5", "1.", "1e-3", "half", "1/9999999999", "-0.5"] {
            assert!(bad.parse::<Fraction>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn the_parts_add_up_and_none_is_a_unit_away_from_its_share(
            minor in prop_oneof![0..200_u64, 0..=MAX_MINOR],
            weights in prop::collection::vec(0..50_u64, 1..40),
            remainder in prop::option::of(0..40_usize),
        ) {
            let spare = u64::from(remainder.is_some()) * 7;
            let whole = weights.iter().sum::<u64>() + spare;
            prop_assume!(whole > 0);
            let mut shares: Vec<_> = weights.iter().map(|weight| (*weight, Portion::Fraction(Fraction { numerator: *weight, denominator: whole }))).collect();
            if let Some(place) = remainder {
                shares.insert(place % (shares.len() + 1), (spare, Portion::Remainder));
            }
            let portions: Vec<_> = shares.iter().map(|(_, portion)| *portion).collect();
            let parts = allocate(usd(minor), &portions).unwrap();
            prop_assert_eq!(parts.iter().map(|part| part.minor).sum::<u64>(), minor);
            let mut given_out = true;
            for (part, (weight, _)) in parts.iter().zip(&shares) {
                let floor = u128::from(minor) * u128::from(*weight) / u128::from(whole);
                let more = u128::from(part.minor) - floor;
                prop_assert!(more <= 1 && (*weight > 0 || more == 0));
                prop_assert!(*weight == 0 || given_out || more == 0, "units go out in order");
                given_out &= *weight == 0 || more == 1;
            }
        }
    }
}
