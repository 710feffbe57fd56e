//! Holds: entries that are not posted yet, and keep what they would take.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ledger::{Entry, EntryDetails, NewEntry, check_entry, debit_totals};
use crate::{BusinessDate, Class, Error, Id, Instant, MAX_MINOR, Money, Problem, Result, Side};

/// A hold as a caller asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewHold {
    /// What is held; its id is the hold's. At most 20 lines.
    #[n(0)]
    pub entry: NewEntry,
    /// After so many seconds it ends by itself, to the microsecond; none: never.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u64>,
}

/// What became of a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
#[cbor(index_only)]
pub enum HoldState {
    /// Open.
    #[n(0)]
    Held,
    /// Posted, in whole or in part, and nothing is kept any more.
    #[n(1)]
    Settled,
    /// Given up.
    #[n(2)]
    Released,
    /// Ended by its timeout.
    #[n(3)]
    Expired,
}

/// A hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct Hold {
    /// What was asked for.
    #[n(0)]
    #[serde(flatten)]
    pub new: NewHold,
    /// When it was recorded.
    #[n(1)]
    pub recorded_at: Instant,
    /// When it ends by itself.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Instant>,
    /// What became of it.
    #[n(3)]
    pub state: HoldState,
    /// Per line, in minor units: what it still keeps.
    #[n(4)]
    pub kept: Vec<u64>,
    /// The entries that settled it.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<Id>,
    /// The run that placed it, if a plugin did.
    #[n(6)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Id>,
    /// The book it is in; none: `main`.
    #[n(7)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub book: Option<Id>,
}

/// Settles a hold: posts what it held, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settlement {
    /// The hold.
    pub hold: Id,
    /// The id of the entry that is posted.
    pub entry: Id,
    /// How much of it: the sum of the debits; none: all that it keeps. A part is possible if the hold is in one currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// Whether the rest is released; without it the hold stays open with the rest.
    #[serde(default, rename = "final")]
    pub last: bool,
    /// The day of the books; none: that of the hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<BusinessDate>,
}

/// Releases a hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HoldRelease {
    /// The hold.
    pub hold: Id,
    /// What it must keep, if the caller wants to be sure: the sum of the debits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
}

/// On which day an entry is taken back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReversalDate {
    /// On the day of the work.
    #[default]
    Now,
    /// On the day of the entry, which must be open.
    Original,
}

/// Takes an entry back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Reversal {
    /// The entry to take back.
    pub of: Id,
    /// The id of the entry that is posted for it.
    pub entry: Id,
    /// On which day.
    #[serde(default)]
    pub date: ReversalDate,
    /// Why; the description of the entry that is posted. 1 to 200 characters.
    pub reason: String,
    /// Even if it overdraws an account.
    #[serde(default)]
    pub force: bool,
}

/// One entry of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BatchItem {
    /// Neighbours with the same number stand or fall together; none: by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<u32>,
    /// The entry.
    pub entry: NewEntry,
}

/// What a failure does to the others of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BatchMode {
    /// Nothing.
    #[default]
    Independent,
    /// None is posted.
    AllOrNothing,
}

/// The most entries of a batch.
pub const MAX_BATCH: usize = 8_190;
/// The most lines of a hold.
pub const MAX_HOLD_LINES: usize = 20;

/// The form of the request, all problems together, and when the hold ends: as [`check_entry`], `too-many-lines`, `not-on-hold` (a
/// reference, or a base amount: which rate counts is known when it is settled), `timeout-zero`, `timeout-overflow`.
pub fn check_hold(new: &NewHold, now: Instant) -> Result<Option<Instant>> {
    let mut problems: Vec<Problem> = check_entry(&new.entry).err().map(|error| error.problems).unwrap_or_default();
    let mut add = |code, field: &str, message: &str| problems.push(Error::problem(code, field, message));
    if new.entry.lines.len() > MAX_HOLD_LINES {
        add("too-many-lines", "lines", "a hold has at most 20 lines");
    }
    if new.entry.details.as_ref().is_some_and(|details| details.reference.is_some()) {
        add("not-on-hold", "reference", "a hold has no reference: it may be settled by several entries");
    }
    if new.entry.lines.iter().any(|line| line.base().is_some()) {
        add("not-on-hold", "lines", "a hold has no base amounts: say a rate, or leave it to the day of settling");
    }
    let micros = |seconds: u64| seconds.checked_mul(1_000_000).and_then(|micros| now.0.checked_add(micros));
    let expires_at = match new.timeout_seconds {
        None => None,
        Some(0) => {
            add("timeout-zero", "timeout-seconds", "must be more than zero; leave it out for a hold without an end");
            None
        }
        Some(seconds) => match micros(seconds).filter(|at| *at <= MAX_MINOR) {
            Some(at) => Some(Instant(at)),
            None => {
                add("timeout-overflow", "timeout-seconds", "ends behind all time that can be said");
                None
            }
        },
    };
    Error::all(problems)?;
    Ok(expires_at)
}

/// `exists-with-different` unless `new` says what is on record.
pub fn same_hold(existing: &Hold, new: &NewHold) -> Result<()> {
    let (old, entry) = (&existing.new.entry, &new.entry);
    let field = match () {
        () if old.date != entry.date => "date",
        () if old.description != entry.description => "description",
        () if old.lines != entry.lines => "lines",
        () if old.details != entry.details => "details",
        () if existing.new.timeout_seconds != new.timeout_seconds => "timeout-seconds",
        () => return Ok(()),
    };
    Err(Error::exists_with_different("hold", &entry.id, field))
}

/// Refused unless the hold is open: `already-settled`, `already-released`, `expired`.
pub fn check_open(hold: &Hold) -> Result<()> {
    let (code, what) = match hold.state {
        HoldState::Held => return Ok(()),
        HoldState::Settled => ("already-settled", "was settled"),
        HoldState::Released => ("already-released", "was released"),
        HoldState::Expired => ("expired", "has ended by its timeout"),
    };
    Err(Error::at(Class::Refused, code, "hold", format!("the hold {} {what}", hold.new.entry.id)))
}

/// The sum of the debits that a hold keeps, if it is in one currency.
pub fn kept_debits(hold: &Hold) -> Option<Money> {
    let lines = &hold.new.entry.lines;
    let currency = lines.first()?.amount.currency;
    if lines.iter().any(|line| line.amount.currency != currency) {
        return None;
    }
    let debits = lines.iter().zip(&hold.kept).filter(|(line, _)| line.side == Side::Debit);
    Some(Money { minor: debits.fold(0, |sum: u64, (_, kept)| sum.saturating_add(*kept)), currency })
}

/// How much of each line a settlement takes: everything, or of each side its share, rounded down, with what is left over going to the
/// first lines in order.
///
/// Refusals, in order: those of [`check_open`]; `currency-mismatch`, `exceeds-hold`.
pub fn settle_parts(hold: &Hold, asked: &Settlement) -> Result<Vec<u64>> {
    check_open(hold)?;
    let Some(amount) = asked.amount else { return Ok(hold.kept.clone()) };
    let kept = kept_debits(hold).filter(|kept| kept.currency == amount.currency).ok_or_else(|| {
        let message = "a part can be settled of a hold that is in one currency, and in that one";
        Error::at(Class::Refused, "currency-mismatch", "amount", message)
    })?;
    if amount.minor > kept.minor {
        let message = format!("the hold keeps {} minor units, {} were to be settled", kept.minor, amount.minor);
        return Err(Error::at(Class::Refused, "exceeds-hold", "amount", message));
    }
    let share = |kept_of_line: u64| {
        let product = u128::from(amount.minor).saturating_mul(u128::from(kept_of_line));
        let share = product.checked_div(u128::from(kept.minor)).unwrap_or(0);
        u64::try_from(share).unwrap_or(u64::MAX)
    };
    let mut parts: Vec<u64> = hold.kept.iter().map(|kept| share(*kept)).collect();
    for side in [Side::Debit, Side::Credit] {
        let of_side = |i: usize| hold.new.entry.lines.get(i).is_some_and(|line| line.side == side);
        let sum = parts
            .iter()
            .enumerate()
            .filter(|(i, _)| of_side(*i))
            .fold(0_u64, |sum, (_, part)| sum.saturating_add(*part));
        let mut left = amount.minor.saturating_sub(sum);
        for (i, (part, kept)) in parts.iter_mut().zip(&hold.kept).enumerate() {
            if of_side(i) && left > 0 && *part < *kept {
                *part = part.saturating_add(1);
                left = left.saturating_sub(1);
            }
        }
    }
    Ok(parts)
}

/// The entry that settles so much of each line.
pub fn settling_entry(hold: &Hold, asked: &Settlement, parts: &[u64]) -> NewEntry {
    let held = &hold.new.entry;
    let lines = held.lines.iter().zip(parts).filter(|(_, minor)| **minor > 0).map(|(line, minor)| {
        let mut line = line.clone();
        line.amount.minor = *minor;
        line
    });
    let details = held
        .details
        .as_ref()
        .map(|details| Box::new(EntryDetails { guards: Vec::new(), reference: None, ..(**details).clone() }));
    let new =
        NewEntry::new(asked.entry.clone(), asked.date.unwrap_or(held.date), held.description.clone(), lines.collect());
    NewEntry { details, ..new }
}

/// `exists-with-different` unless the entry is what was settled so.
pub fn same_settlement(entry: &Entry, asked: &Settlement, hold: &Hold) -> Result<()> {
    let posted: Vec<Money> = debit_totals(&entry.new.lines).collect();
    let field = match () {
        () if entry.settles.as_ref() != Some(&asked.hold) => "settles",
        () if entry.new.date != asked.date.unwrap_or(hold.new.entry.date) => "date",
        () if asked.amount.is_some_and(|amount| !posted.contains(&amount)) => "amount",
        () => return Ok(()),
    };
    Err(Error::exists_with_different("entry", &asked.entry, field))
}
