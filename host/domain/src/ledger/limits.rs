//! What an entry may do to what is available on its accounts, and what it demands of balances.

use std::collections::BTreeMap;

use crate::ledger::posting::guards;
use crate::ledger::{AccountTotal, AccountType, Adding, Amount, Found, Line, NewEntry};
use crate::{Class, Error, Id, Result, Side};

/// Below what nothing may bring an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Floor {
    /// Its own limit.
    Limits,
    /// Its own limit, or zero if it has none.
    Zero,
    /// Nothing: whoever asks wants it whatever comes of it.
    None,
}

/// What was available on accounts before the whole of which this is a part.
pub type Before = BTreeMap<Id, i128>;

/// Whether the entry leaves enough available, and no more than may be, on every account, and whether its guards hold after it.
///
/// An entry that brings an account nearer to its bounds is never refused for them. `before` counts as what was available, in
/// place of what `found` says.
///
/// Refusals, in order: `insufficient`, `limit-exceeded`, `guard-failed`.
pub fn check_limits(
    new: &NewEntry,
    found: &BTreeMap<Id, Found>,
    how: Adding,
    floor: Floor,
    before: Option<&Before>,
) -> Result<()> {
    let totals = || {
        found.iter().filter_map(|(account, found)| match found {
            Found::Posting(turnover) => Some((account, &turnover.total)),
            Found::Header => None,
        })
    };
    let limited =
        totals().filter(|(_, total)| floor == Floor::Zero || total.account_rules().is_some_and(|r| r.has_limits()));
    let mut above = None;
    for (account, total) in limited {
        let Some(kind) = total.kind() else { continue };
        let was =
            before.and_then(|before| before.get(account).copied()).unwrap_or_else(|| total.balance.available(kind));
        let now = total.balance.available(kind).saturating_add(change(account, kind, &new.lines, how));
        let rules = total.account_rules();
        let min = match floor {
            Floor::None => None,
            Floor::Limits => rules.and_then(|rules| rules.min_available),
            Floor::Zero => Some(rules.and_then(|rules| rules.min_available).unwrap_or_default()),
        };
        if min.is_some_and(|min| now < min.value() && now < was) {
            return Err(insufficient(account, total, was, was.saturating_sub(now)));
        }
        let max = rules.and_then(|rules| rules.max_available);
        if above.is_none() && max.is_some_and(|max| now > max.value() && now > was) {
            above = Some((account, now, max.unwrap_or_default()));
        }
    }
    if let Some((account, now, max)) = above {
        let message = format!("account {account} would have {now} minor units available; it may have {}", max.value());
        return Err(Error::at(Class::Refused, "limit-exceeded", account.as_str(), message));
    }
    check_guards(new, found, how)
}

fn check_guards(new: &NewEntry, found: &BTreeMap<Id, Found>, how: Adding) -> Result<()> {
    for (i, guard) in guards(new).iter().enumerate() {
        let Some(Found::Posting(turnover)) = found.get(&guard.account) else { continue };
        let kind = turnover.total.kind().unwrap_or(AccountType::Asset);
        let mut after = turnover.total.balance.clone();
        for line in new.lines.iter().filter(|line| line.account == guard.account) {
            let minor = line.amount.minor;
            match (how, line.side) {
                (Adding::Posted, Side::Debit) => after.debits = after.debits.saturating_add(minor),
                (Adding::Posted, Side::Credit) => after.credits = after.credits.saturating_add(minor),
                (Adding::Held, Side::Debit) => after.debits_held = after.debits_held.saturating_add(minor),
                (Adding::Held, Side::Credit) => after.credits_held = after.credits_held.saturating_add(minor),
                (Adding::Released, _) => {}
            }
        }
        if !guard.holds(&after, kind) {
            let message = format!("the guard on account {} does not hold", guard.account);
            return Err(Error::at(Class::Refused, "guard-failed", format!("guards[{i}]"), message));
        }
    }
    Ok(())
}

/// By how much the lines change what is available on the account.
fn change(account: &Id, kind: AccountType, lines: &[Line], how: Adding) -> i128 {
    let normal = kind.normal_side();
    lines.iter().filter(|line| line.account == *account).fold(0_i128, |sum, line| {
        let minor = i128::from(line.amount.minor);
        match (how, line.side == normal) {
            (Adding::Posted, true) => sum.saturating_add(minor),
            (Adding::Posted | Adding::Held, false) => sum.saturating_sub(minor),
            // What is to come is not available before it is there.
            (Adding::Held, true) => sum,
            (Adding::Released, true) => sum,
            (Adding::Released, false) => sum.saturating_add(minor),
        }
    })
}

fn insufficient(account: &Id, total: &AccountTotal, available: i128, needed: i128) -> Error {
    let currency = total.balance.currency;
    let message = format!(
        "account {account} has {available} minor units of {currency} available, the entry needs {needed}; what must stay is {}",
        total.account_rules().and_then(|rules| rules.min_available).unwrap_or_default().value()
    );
    Error::at(Class::Refused, "insufficient", account.as_str(), message)
}

/// `limit-already-breached` if what is available now would be outside of new limits.
pub fn check_new_limits(
    total: &AccountTotal,
    kind: AccountType,
    min: Option<Amount>,
    max: Option<Amount>,
) -> Result<()> {
    let now = total.balance.available(kind);
    if min.is_none_or(|min| now >= min.value()) && max.is_none_or(|max| now <= max.value()) {
        return Ok(());
    }
    // Without the figure: whoever may set accounts up need not be one who may read them.
    let message = format!("what is available on account {} is outside of these limits already", total.balance.account);
    Err(Error::at(Class::Refused, "limit-already-breached", "rules", message))
}
