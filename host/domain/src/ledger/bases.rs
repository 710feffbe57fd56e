//! The second column: what the lines of an entry are worth in the base currency of its book.

use std::collections::BTreeMap;

use crate::ledger::{Line, LineDetails, Made};
use crate::{Class, Currency, Decimal, Error, Id, MAX_MINOR, Money, Result, Side};

/// Which rates the table must give: those of currencies with a line that says neither its base amount nor its rate.
pub fn rates_needed(lines: &[Line], base: Currency) -> Vec<Currency> {
    let mut needed = Vec::new();
    for line in lines {
        let said = line.details.as_ref().is_some_and(|details| details.base.is_some() || details.rate.is_some());
        if line.amount.currency != base && !said && !needed.contains(&line.amount.currency) {
            needed.push(line.amount.currency);
        }
    }
    needed
}

/// Works out the base amounts that the lines do not say, from their rates or from `rates`, and keeps them on the lines.
///
/// The lines of one currency and rate whose amounts balance are rounded together: the sum once, half to even, and each line down, with
/// what is left over going to the first lines in order; so both sides of them come to the same sum. Others are rounded one by
/// one.
///
/// Refusals: `currency-mismatch` (a base amount in another currency), `rate-missing`, `overflow`.
pub fn fill_bases(lines: &mut [Line], base: Currency, rates: &BTreeMap<Currency, Decimal>) -> Result<()> {
    let mut groups: Vec<(Currency, Decimal)> = Vec::new();
    for (i, line) in lines.iter_mut().enumerate() {
        if line.amount.currency == base {
            continue;
        }
        let details = line.details.get_or_insert_with(Box::<LineDetails>::default);
        if let Some(said) = details.base {
            if said.currency != base {
                let message = format!("the book is kept in {base}, not in {}", said.currency);
                return Err(Error::at(Class::Refused, "currency-mismatch", format!("lines[{i}].base"), message));
            }
            continue;
        }
        let made = if details.rate.is_some() { Made::Base } else { Made::Rate };
        let Some(rate) = details.rate.or_else(|| rates.get(&line.amount.currency).copied()) else {
            let message =
                format!("there is no rate of {} in {base}; say the rate or the base amount", line.amount.currency);
            return Err(Error::at(Class::Refused, "rate-missing", format!("lines[{i}].rate"), message));
        };
        (details.rate, details.made) = (Some(rate), Some(made));
        if !groups.contains(&(line.amount.currency, rate)) {
            groups.push((line.amount.currency, rate));
        }
    }
    for (currency, rate) in groups {
        fill_group(lines, currency, rate, base)?;
    }
    Ok(())
}

fn fill_group(lines: &mut [Line], currency: Currency, rate: Decimal, base: Currency) -> Result<()> {
    let of_group = |line: &Line| {
        line.amount.currency == currency
            && line.details.as_ref().is_some_and(|details| details.base.is_none() && details.rate == Some(rate))
    };
    let sum = |side: Side| {
        let lines = lines.iter().filter(|line| of_group(line) && line.side == side);
        lines.fold(0_u128, |sum, line| sum.saturating_add(u128::from(line.amount.minor)))
    };
    let (debits, credits) = (sum(Side::Debit), sum(Side::Credit));
    let together = debits == credits;
    let total = worth(debits, currency, rate, base, true)?;
    let mut left = BTreeMap::new();
    if together {
        for side in [Side::Debit, Side::Credit] {
            let mut floors = 0_u64;
            for line in lines.iter().filter(|line| of_group(line) && line.side == side) {
                let floor = worth(line.amount.minor.into(), currency, rate, base, false)?;
                floors = floors.saturating_add(floor);
            }
            left.insert(side, total.saturating_sub(floors));
        }
    }
    for line in lines.iter_mut().filter(|line| of_group(line)) {
        let mut minor = worth(line.amount.minor.into(), currency, rate, base, !together)?;
        if let Some(left) = left.get_mut(&line.side)
            && *left > 0
        {
            *left = left.saturating_sub(1);
            minor = minor.saturating_add(1);
        }
        if let Some(details) = &mut line.details {
            details.base = Some(Money { minor, currency: base });
        }
    }
    Ok(())
}

/// What an amount is worth in the base currency, rounded half to even or down.
fn worth(minor: u128, currency: Currency, rate: Decimal, base: Currency, nearest: bool) -> Result<u64> {
    let over = || Error::overflow("an amount in the base currency");
    let ten = |power: u32| 10_u128.checked_pow(power).ok_or_else(over);
    let product = minor.checked_mul(u128::from(rate.mantissa)).ok_or_else(over)?;
    let product = product.checked_mul(ten(base.exponent())?).ok_or_else(over)?;
    let divisor = ten(currency.exponent().saturating_add(u32::from(rate.scale)))?;
    let quotient = product.checked_div(divisor).ok_or_else(over)?;
    let twice = product.checked_rem(divisor).ok_or_else(over)?.saturating_mul(2);
    let odd = quotient.checked_rem(2) == Some(1);
    let up = nearest && (twice > divisor || (twice == divisor && odd));
    let rounded = quotient.saturating_add(u128::from(up));
    u64::try_from(rounded).ok().filter(|minor| *minor <= MAX_MINOR).ok_or_else(over)
}

/// Where exchange differences go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// Gains: differences that want a credit.
    pub gain: Option<Id>,
    /// Losses: those that want a debit.
    pub loss: Option<Id>,
}

/// What the sum of the debits in the base column is above that of the credits, in minor units; negative below.
pub fn base_difference(lines: &[Line], base: Currency) -> i128 {
    lines.iter().fold(0, |sum, line| {
        let minor = if line.amount.currency == base { Some(line.amount.minor) } else { line.base().map(|m| m.minor) };
        let minor = i128::from(minor.unwrap_or_default());
        match line.side {
            Side::Debit => sum.saturating_add(minor),
            Side::Credit => sum.saturating_sub(minor),
        }
    })
}

/// The line that makes the base column balance; none if it does by itself. Only a difference between foreign lines is an exchange
/// difference: without one, the entry is `unbalanced`, as it is without an account to take it.
pub fn difference_line(lines: &[Line], base: Currency, to: &Differences) -> Result<Option<Line>> {
    let difference = base_difference(lines, base);
    if difference == 0 {
        return Ok(None);
    }
    let (side, account) = if difference > 0 { (Side::Credit, &to.gain) } else { (Side::Debit, &to.loss) };
    let foreign = lines.iter().any(|line| line.amount.currency != base);
    // What is wrong between lines in the base currency is a mistake, and no exchange difference.
    let plain: Vec<Line> = lines.iter().filter(|line| line.amount.currency == base).cloned().collect();
    let exchange = foreign && base_difference(&plain, base) == 0;
    let minor = u64::try_from(difference.unsigned_abs()).ok().filter(|minor| *minor <= MAX_MINOR);
    match (account, minor) {
        (Some(account), Some(minor)) if exchange => {
            let details = LineDetails { made: Some(Made::Line), ..LineDetails::default() };
            let line = Line::new(account.clone(), side, Money { minor, currency: base });
            Ok(Some(Line { details: Some(Box::new(details)), ..line }))
        }
        _ => {
            let message =
                format!("the debits in the base currency {base} are {difference} minor units above the credits");
            Err(Error::at(Class::Refused, "unbalanced", if foreign { "lines.base" } else { "lines" }, message))
        }
    }
}
