//! Exchange rates: what one unit of a currency is worth in another, by day and type.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shape::Problems;
use crate::{BusinessDate, Class, Currency, Decimal, Error, Id, Instant, MAX_MINOR, Result, Rounding};

/// The most rates that are set at once.
pub const MAX_RATES: usize = 1_000;

/// A rate as a caller sets it: one unit of `from` is worth `rate` units of `to` (units as people write them, not minor ones).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewRate {
    /// The day from which on it counts, until there is a newer one.
    #[n(0)]
    pub date: BusinessDate,
    /// The currency that is priced.
    #[n(1)]
    pub from: Currency,
    /// The currency it is priced in.
    #[n(2)]
    pub to: Currency,
    /// The type: `spot` is used for posting, `closing` for revaluation; others are the caller's own.
    #[n(3)]
    #[serde(rename = "type")]
    pub kind: Id,
    /// More than zero.
    #[n(4)]
    pub rate: Decimal,
}

/// A rate on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct Rate {
    /// The book.
    #[n(0)]
    pub book: Id,
    /// What was set.
    #[n(1)]
    #[serde(flatten)]
    pub new: NewRate,
    /// Who set it last.
    #[n(2)]
    pub actor: String,
    /// When.
    #[n(3)]
    pub recorded_at: Instant,
}

/// The answer to a question for a rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct FoundRate {
    /// One unit of this ...
    pub from: Currency,
    /// ... is worth `rate` units of this.
    pub to: Currency,
    /// The type.
    #[serde(rename = "type")]
    pub kind: Id,
    /// The day of the rate, on or before the one that was asked for.
    pub date: BusinessDate,
    /// The rate.
    pub rate: Decimal,
    /// It was computed from the rate of the other direction.
    pub inverse: bool,
    /// It is that number exactly. Of an inverse with more digits than a decimal has, the nearest one is given (half to even).
    pub exact: bool,
}

/// The form of rates to set, all problems together: `no-rates`, `too-many-rates`, `decimal-invalid`, `rate-zero`,
/// `same-currency`, `rate-twice`.
pub fn check_rates(rates: &[NewRate]) -> Result<()> {
    let mut problems = Problems::default();
    let whole = || "rates".to_owned();
    match rates.len() {
        0 => problems.add("no-rates", whole, || "there is nothing to set".to_owned()),
        n if n > MAX_RATES => {
            problems.add("too-many-rates", whole, || format!("at most {MAX_RATES} rates at once, not {n}"));
        }
        _ => {}
    }
    let mut seen = BTreeSet::new();
    for (i, new) in rates.iter().take(MAX_RATES).enumerate() {
        let at = |field: &str| format!("rates[{i}].{field}");
        if let Err(error) = Decimal::new(new.rate.mantissa, new.rate.scale, "") {
            let message = error.problems.into_iter().next().map(|problem| problem.message).unwrap_or_default();
            problems.add("decimal-invalid", || at("rate"), || message);
        } else if new.rate.is_zero() {
            problems.add("rate-zero", || at("rate"), || "a rate is more than zero".to_owned());
        }
        if new.from == new.to {
            problems.add("same-currency", || at("to"), || "a rate is between two currencies".to_owned());
        }
        if !seen.insert((new.date, new.from, new.to, &new.kind)) {
            problems.add(
                "rate-twice",
                || format!("rates[{i}]"),
                || format!("the rate {}/{} ({}) of {} is given twice", new.from, new.to, new.kind, new.date),
            );
        }
    }
    problems.finish()
}

/// The rate of the other direction, and whether it is exact: with as many digits as a decimal has, the last one rounded half to
/// even. None if it is less than any decimal.
pub fn inverse(rate: Decimal) -> Option<(Decimal, bool)> {
    let ten = |scale: u8| 10_u128.checked_pow(u32::from(scale));
    let mantissa = u128::from(rate.mantissa);
    (0..=Decimal::MAX_SCALE).rev().find_map(|scale| {
        // One over mantissa * 10^-rate.scale, at this scale.
        let numerator = ten(rate.scale)?.checked_mul(ten(scale)?)?;
        let (quotient, exact) = div_half_even(numerator, mantissa)?;
        let quotient = u64::try_from(quotient).ok().filter(|quotient| *quotient > 0 && *quotient <= MAX_MINOR)?;
        Some((Decimal { mantissa: quotient, scale }, exact))
    })
}

/// `minor` units of `from` in minor units of `to`, at `rate` units for a unit, rounded once. None if it is more than an amount
/// can say.
pub fn convert(minor: u64, from: Currency, to: Currency, rate: Decimal, rounding: Rounding) -> Option<u64> {
    let ten = |exponent: u32| 10_u128.checked_pow(exponent);
    // 2^53 * 2^53 * 10^4 is less than 2^128.
    let product = u128::from(minor).checked_mul(u128::from(rate.mantissa))?.checked_mul(ten(to.exponent())?)?;
    let unit = ten(u32::from(rate.scale).checked_add(from.exponent())?)?;
    let (quotient, rest) = (product.checked_div(unit)?, product.checked_rem(unit)?);
    let up = match rounding {
        Rounding::HalfEven => return bounded(div_half_even(product, unit)?.0),
        Rounding::HalfUp => rest.checked_mul(2)? >= unit,
        Rounding::Down => false,
        Rounding::Up => rest > 0,
    };
    bounded(quotient.checked_add(u128::from(up))?)
}

fn bounded(minor: u128) -> Option<u64> {
    u64::try_from(minor).ok().filter(|minor| *minor <= MAX_MINOR)
}

/// The quotient, and whether nothing was left.
fn div_half_even(numerator: u128, denominator: u128) -> Option<(u128, bool)> {
    let (quotient, rest) = (numerator.checked_div(denominator)?, numerator.checked_rem(denominator)?);
    let twice = rest.checked_mul(2)?;
    let odd = quotient.checked_rem(2)? == 1;
    let up = twice > denominator || (twice == denominator && odd);
    Some((quotient.checked_add(u128::from(up))?, rest == 0))
}

/// `rate-missing`.
pub fn missing(from: Currency, to: Currency, kind: &Id, date: BusinessDate) -> Error {
    let message =
        format!("there is no rate {from}/{to} of type {kind} on or before {date}, and none of the other direction");
    Error::at(Class::Refused, "rate-missing", "rate", message)
}
