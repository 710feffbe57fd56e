//! From transactions to amounts in currencies that balance.

use std::collections::BTreeMap;

use super::{Amount, At, Exact, Fault, Options, Posting, Transaction};
use crate::ledger::Dimension;
use crate::{Currency, Id, MAX_MINOR};

/// A change of an account in one currency.
#[derive(Debug, Clone)]
pub(super) struct Step<'a> {
    /// Where it stands.
    pub(super) at: At,
    /// The account; none for what a conversion between currencies goes through.
    pub(super) account: Option<&'a str>,
    pub(super) currency: Currency,
    /// Debits are above nothing, credits below.
    pub(super) minor: i128,
    pub(super) memo: Option<String>,
    pub(super) dimensions: Vec<Dimension>,
    /// The balance that the account must have behind it.
    pub(super) assertion: Option<(At, Currency, i128)>,
}

/// A transaction in whole minor units, balanced in each currency.
#[derive(Debug, Clone)]
pub(super) struct Complete<'a> {
    pub(super) transaction: &'a Transaction,
    pub(super) steps: Vec<Step<'a>>,
}

/// An amount in a currency, and what counts of it when the transaction is balanced.
struct Weighed {
    currency: Currency,
    minor: i128,
    weight: (Currency, Exact),
}

/// Works out what is left out, and checks that the transaction balances as hledger does: amounts with a cost count as their cost. Where
/// currencies were converted into one another, what is missing in each goes through the conversion account.
pub(super) fn complete<'a>(transaction: &'a Transaction, options: &Options) -> Result<Complete<'a>, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut steps = Vec::new();
    let mut sums = BTreeMap::<Currency, Exact>::new();
    let mut left_out = None;
    let mut costs = false;
    for posting in &transaction.postings {
        let Some(amount) = &posting.amount else {
            if left_out.replace(posting).is_some() {
                faults.push(
                    posting.at.fault("two-left-out", "only one posting of a transaction can go without an amount"),
                );
            }
            continue;
        };
        costs |= posting.cost.is_some();
        match weigh(posting, amount, options).and_then(|weighed| Ok((assertion(posting, options)?, weighed))) {
            Ok((assertion, Weighed { currency, minor, weight })) => {
                let sum = sums.entry(weight.0).or_default();
                match sum.plus(weight.1) {
                    Some(more) => *sum = more,
                    None => faults.push(too_large(amount.at)),
                }
                steps.push(step(posting, currency, minor, assertion));
            }
            Err(fault) => faults.push(fault),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    match left_out {
        Some(posting) => fill_in(&mut steps, posting, &sums).map_err(|fault| vec![fault])?,
        None => balance(transaction, &sums, costs).map_err(|fault| vec![fault])?,
    }
    convert(&mut steps, transaction.at);
    Ok(Complete { transaction, steps })
}

fn step<'a>(
    posting: &'a Posting,
    currency: Currency,
    minor: i128,
    assertion: Option<(At, Currency, i128)>,
) -> Step<'a> {
    let tag = |wanted: &str| posting.tags.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
    let memo = tag("memo").or_else(|| (!posting.comment.is_empty()).then(|| posting.comment.clone()));
    let dimension = |(name, value): &(String, String)| {
        let name = Id::parse(&name.strip_prefix("dim-")?.replace('~', ":"), "").ok()?;
        Some(Dimension { name, value: Id::parse(value, "").ok()? })
    };
    let dimensions = posting.tags.iter().filter_map(dimension).collect();
    Step { at: posting.at, account: Some(&posting.account), currency, minor, memo, dimensions, assertion }
}

fn weigh(posting: &Posting, amount: &Amount, options: &Options) -> Result<Weighed, Fault> {
    let (currency, minor) = whole(amount, options)?;
    let Some(cost) = &posting.cost else {
        return Ok(Weighed { currency, minor, weight: (currency, amount.quantity) });
    };
    let unit = currency_of(&cost.amount, options)?;
    if cost.amount.doubt == Some(',') {
        return Err(ambiguous(cost.amount.at));
    }
    let price = cost.amount.quantity;
    let weight = match (cost.total, amount.quantity.mantissa < 0) {
        (false, _) => amount.quantity.times(price).ok_or_else(|| too_large(amount.at))?,
        (true, false) => price,
        (true, true) => price.negated(),
    };
    Ok(Weighed { currency, minor, weight: (unit, weight) })
}

fn assertion(posting: &Posting, options: &Options) -> Result<Option<(At, Currency, i128)>, Fault> {
    let Some(amount) = &posting.assertion else { return Ok(None) };
    let (currency, minor) = whole(amount, options)?;
    Ok(Some((amount.at, currency, minor)))
}

/// The currency of an amount.
fn currency_of(amount: &Amount, options: &Options) -> Result<Currency, Fault> {
    let symbol = amount.commodity.as_str();
    if symbol.is_empty() {
        return options.default.ok_or_else(|| {
            let message = "this amount has no currency: write it, or name one with D, or when importing";
            amount.at.fault("commodity-missing", message)
        });
    }
    options.currency(symbol).ok_or_else(|| {
        let symbol: String = symbol.chars().take(40).collect();
        let message =
            format!("{symbol:?} is no currency: the books have those of ISO 4217, such as USD; map it when importing");
        amount.at.fault("commodity-unknown", message)
    })
}

/// An amount in whole minor units of its currency.
fn whole(amount: &Amount, options: &Options) -> Result<(Currency, i128), Fault> {
    let currency = currency_of(amount, options)?;
    let exponent = currency.exponent();
    if amount.doubt.is_some() && exponent < 3 {
        return Err(ambiguous(amount.at));
    }
    let minor = amount.quantity.minor(exponent).ok_or_else(|| {
        let message = format!("{currency} has {exponent} decimals");
        amount.at.fault("amount-too-precise", message)
    })?;
    if minor.unsigned_abs() > u128::from(MAX_MINOR) {
        return Err(too_large(amount.at));
    }
    Ok((currency, minor))
}

fn ambiguous(at: At) -> Fault {
    let message = "thousands or decimals? say which with a line decimal-mark . or decimal-mark , above";
    at.fault("amount-ambiguous", message)
}

fn too_large(at: At) -> Fault {
    at.fault("amount-too-large", "amounts are at most 2^53 - 1 minor units")
}

/// The posting without an amount gets what the others leave, in each currency.
fn fill_in<'a>(steps: &mut Vec<Step<'a>>, posting: &'a Posting, sums: &BTreeMap<Currency, Exact>) -> Result<(), Fault> {
    for (currency, sum) in sums {
        let exponent = currency.exponent();
        let minor = sum.negated().minor(exponent).ok_or_else(|| {
            let message = format!("the others leave more decimals than {currency} has; write this amount");
            posting.at.fault("amount-too-precise", message)
        })?;
        if minor.unsigned_abs() > u128::from(MAX_MINOR) {
            return Err(too_large(posting.at));
        }
        if minor != 0 {
            steps.push(step(posting, *currency, minor, None));
        }
    }
    Ok(())
}

/// Every sum rounds to nothing; or, without costs, two currencies were plainly exchanged for one another.
fn balance(transaction: &Transaction, sums: &BTreeMap<Currency, Exact>, costs: bool) -> Result<(), Fault> {
    let rest: Vec<_> = sums.iter().filter(|(currency, sum)| !sum.rounds_to_zero(currency.exponent())).collect();
    match rest.as_slice() {
        [] => Ok(()),
        [(_, a), (_, b)] if !costs && (a.mantissa < 0) != (b.mantissa < 0) => Ok(()),
        rest => {
            let text = |(currency, sum): &(&Currency, &Exact)| {
                let short = sum.short();
                let digits = short.mantissa.unsigned_abs().to_string();
                let sign = if short.mantissa < 0 { "-" } else { "" };
                let scale = usize::try_from(short.scale).unwrap_or(0);
                let digits = format!("{digits:0>width$}", width = scale.saturating_add(1));
                let (whole, decimals) =
                    digits.split_at_checked(digits.len().saturating_sub(scale)).unwrap_or((&digits, ""));
                let point = if decimals.is_empty() { "" } else { "." };
                format!("{sign}{whole}{point}{decimals} {currency}")
            };
            let over: Vec<String> = rest.iter().map(text).collect();
            Err(transaction
                .at
                .fault("unbalanced", format!("the postings do not add up to nothing: {} is left", over.join(", "))))
        }
    }
}

/// Adds what each currency lacks, so that debits equal credits in every one.
fn convert(steps: &mut Vec<Step<'_>>, at: At) {
    let mut sums = BTreeMap::<Currency, i128>::new();
    for step in steps.iter() {
        let sum = sums.entry(step.currency).or_default();
        // At most 2^53 each, and as many as fit into memory.
        *sum = sum.saturating_add(step.minor);
    }
    for (currency, sum) in sums.into_iter().filter(|(_, sum)| *sum != 0) {
        let (account, minor) = (None, sum.saturating_neg());
        steps.push(Step { at, account, currency, minor, memo: None, dimensions: Vec::new(), assertion: None });
    }
}

/// Checks the balance assertions, over the text alone and in the order of the days.
pub(super) fn check_assertions(complete: &[Complete<'_>]) -> Vec<Fault> {
    let mut order: Vec<_> = complete.iter().collect();
    // A stable sort: within a day the text is the order.
    order.sort_by_key(|complete| complete.transaction.date);
    let mut balances = BTreeMap::<(&str, Currency), i128>::new();
    let mut faults = Vec::new();
    for step in order.into_iter().flat_map(|complete| &complete.steps) {
        let Some(account) = step.account else { continue };
        let balance = balances.entry((account, step.currency)).or_default();
        *balance = balance.saturating_add(step.minor);
        let Some((at, currency, wanted)) = step.assertion else { continue };
        let found = balances.get(&(account, currency)).copied().unwrap_or_default();
        if found != wanted {
            let text = |minor: i128| {
                let sign = if minor < 0 { "-" } else { "" };
                format!("{sign}{} {currency}", crate::minor_text(minor.unsigned_abs(), currency))
            };
            let message = format!("the balance is {}, not {}", text(found), text(wanted));
            faults.push(at.fault("assertion-failed", message));
        }
    }
    faults
}
