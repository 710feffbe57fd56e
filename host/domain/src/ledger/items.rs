//! Open items: lines whose debits and credits are matched with each other, such as invoices with payments.
//!
//! A line of an account with the rule `reconcilable` is one. Matching posts nothing by itself: it says which debit a credit has
//! paid. What is given up, and what the rates of two days make of an amount, is posted beside it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ledger::{Entry, EntryDetails, Line, LineDetails, Made, NewEntry};
use crate::shape::Problems;
use crate::{BusinessDate, Class, Currency, Error, Id, Instant, Money, Result, Side};

/// The kind of the entries that are posted with matches.
const KIND: &str = "host:match";
/// The most pairs of a match.
pub const MAX_PAIRS: usize = 100;
/// The most matches that one item can have a part in: its record has to hold them.
pub const MAX_MATCHES: usize = 300;
/// The most limits between the buckets of an ageing.
pub const MAX_BUCKETS: usize = 12;

/// Names an open item: a line of an entry.
#[derive(
    Debug,
    Clone,
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
#[serde(deny_unknown_fields)]
pub struct ItemRef {
    /// The entry.
    #[n(0)]
    pub entry: Id,
    /// Which of its lines: 0 is the first.
    #[n(1)]
    pub line: u32,
}

/// A part of an item that was matched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
pub struct Matched {
    /// The match, the entry that takes the item's entry back, or the bank line.
    #[n(0)]
    pub by: Id,
    /// From which day on.
    #[n(1)]
    pub date: BusinessDate,
    /// Minor units.
    #[n(2)]
    pub minor: u64,
    /// Minor units of the base currency, of an item in another one.
    #[n(3)]
    pub base: u64,
}

/// An open item, or one that was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct OpenItem {
    /// Which line of which entry.
    #[n(0)]
    #[serde(flatten)]
    pub of: ItemRef,
    /// The entry's number in the journal.
    #[n(1)]
    pub number: u64,
    /// The account.
    #[n(2)]
    pub account: Id,
    /// Debit or credit.
    #[n(3)]
    pub side: Side,
    /// The amount of the line.
    #[n(4)]
    pub amount: Money,
    /// What it is worth in the base currency of the book, if it is in another one.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Money>,
    /// With whom.
    #[n(6)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<Id>,
    /// The day of the entry.
    #[n(7)]
    pub date: BusinessDate,
    /// When it is due, if the line says so.
    #[n(8)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<BusinessDate>,
    /// What of it was matched.
    #[n(9)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matched: Vec<Matched>,
}

impl OpenItem {
    /// The item that a line of an entry is. None of a line without an amount of its own, which an exchange difference has.
    pub fn of(entry: &Entry, index: usize, line: &Line) -> Option<Self> {
        (line.amount.minor > 0).then(|| {
            let details = line.details.as_deref();
            Self {
                of: ItemRef { entry: entry.new.id.clone(), line: u32::try_from(index).unwrap_or(u32::MAX) },
                number: entry.number,
                account: line.account.clone(),
                side: line.side,
                amount: line.amount,
                base: details.and_then(|details| details.base),
                party: details.and_then(|details| details.party.clone()),
                date: entry.new.date,
                due: details.and_then(|details| details.due),
                matched: Vec::new(),
            }
        })
    }

    /// Minor units that are not matched.
    pub fn open(&self) -> u64 {
        self.matched.iter().fold(self.amount.minor, |open, part| open.saturating_sub(part.minor))
    }

    /// Minor units that were not matched on `day`; nothing before the day of the entry.
    pub fn open_as_of(&self, day: BusinessDate) -> u64 {
        if self.date > day {
            return 0;
        }
        let parts = self.matched.iter().filter(|part| part.date <= day);
        parts.fold(self.amount.minor, |open, part| open.saturating_sub(part.minor))
    }

    /// What `minor` of what is open is worth in the base currency: its share, rounded down, and all that is left with the last of it. So
    /// the shares come to the whole.
    pub fn base_share(&self, minor: u64) -> u64 {
        let Some(base) = self.base else { return 0 };
        let left = self.matched.iter().fold(base.minor, |left, part| left.saturating_sub(part.base));
        let open = self.open();
        if minor >= open {
            return left;
        }
        let share = u128::from(left).saturating_mul(u128::from(minor)).checked_div(u128::from(open)).unwrap_or(0);
        u64::try_from(share).unwrap_or(left)
    }

    /// Notes a part that was matched.
    pub fn take(&mut self, by: &Id, date: BusinessDate, minor: u64) -> Result<()> {
        if self.matched.len() >= MAX_MATCHES {
            let message = format!("{} takes part in {MAX_MATCHES} matches, and no more can be kept", self.name());
            return Err(Error::refused("too-many-matches", message));
        }
        let base = self.base_share(minor);
        self.matched.push(Matched { by: by.clone(), date, minor, base });
        Ok(())
    }

    /// Takes back what `by` has matched.
    pub fn give_back(&mut self, by: &Id) {
        self.matched.retain(|part| part.by != *by);
    }

    /// For messages.
    pub fn name(&self) -> String {
        format!("line {} of entry {}", self.of.line, self.of.entry)
    }
}

/// A debit and a credit that meet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// The debit.
    #[n(0)]
    pub debit: ItemRef,
    /// The credit.
    #[n(1)]
    pub credit: ItemRef,
    /// How much of both, in minor units of the account's currency.
    #[n(2)]
    pub minor: u64,
}

/// What is left of an item and given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(deny_unknown_fields)]
pub struct WriteOff {
    /// The item.
    #[n(0)]
    pub item: ItemRef,
    /// The account that bears it, of the same currency.
    #[n(1)]
    pub account: Id,
    /// How much, in minor units.
    #[n(2)]
    pub minor: u64,
}

/// A match as a caller asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewMatch {
    /// The idempotency key.
    #[n(0)]
    pub id: Id,
    /// From which day on the items are matched; the day of what is posted with it.
    #[n(1)]
    pub date: BusinessDate,
    /// 1 to 100 pairs, all on one account.
    #[n(2)]
    pub pairs: Vec<Pair>,
    /// What is given up.
    #[n(3)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_off: Option<WriteOff>,
    /// The most that may be given up, in minor units: a guard for whoever works out the amounts.
    #[n(4)]
    #[serde(default)]
    pub tolerance: u64,
    /// The id of the entry that is posted if something is given up or the rates differ; none: such a match is refused.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<Id>,
}

/// A match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct Match {
    /// What was asked for.
    #[n(0)]
    #[serde(flatten)]
    pub new: NewMatch,
    /// The account of its items.
    #[n(1)]
    pub account: Id,
    /// When it was recorded.
    #[n(2)]
    pub recorded_at: Instant,
    /// Was an entry posted with it?
    #[n(3)]
    pub posted: bool,
    /// Why, when and by which entry it was undone, if it was.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undone: Option<Undone>,
}

/// How a match was undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
pub struct Undone {
    /// For people; 1 to 200 characters.
    #[n(0)]
    pub reason: String,
    /// When.
    #[n(1)]
    pub at: Instant,
    /// The entry that took back what had been posted with it.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<Id>,
}

/// The form of a match, all problems together: `pairs-invalid` (none, too many, an item on both sides), `amount-zero`.
pub fn check_match(new: &NewMatch) -> Result<()> {
    let mut problems = Problems::default();
    let field = || "pairs".to_owned();
    if new.pairs.is_empty() || new.pairs.len() > MAX_PAIRS {
        problems.add("pairs-invalid", field, || format!("a match has 1 to {MAX_PAIRS} pairs, not {}", new.pairs.len()));
    }
    for (i, pair) in new.pairs.iter().take(MAX_PAIRS).enumerate() {
        if pair.debit == pair.credit {
            let message = || "an item cannot be matched with itself".to_owned();
            problems.add("pairs-invalid", || format!("pairs[{i}]"), message);
        }
        if pair.minor == 0 {
            problems.add("amount-zero", || format!("pairs[{i}].minor"), || "must be more than zero".to_owned());
        }
    }
    if new.write_off.as_ref().is_some_and(|write_off| write_off.minor == 0) {
        let message = || "must be more than zero; leave the write-off out if nothing is given up".to_owned();
        problems.add("amount-zero", || "write-off.minor".to_owned(), message);
    }
    problems.finish()
}

/// `exists-with-different` unless `new` says what is on record.
pub fn same_match(existing: &Match, new: &NewMatch) -> Result<()> {
    let old = &existing.new;
    let field = match () {
        () if old.date != new.date => "date",
        () if old.pairs != new.pairs => "pairs",
        () if old.write_off != new.write_off => "write-off",
        () if old.tolerance != new.tolerance => "tolerance",
        () if old.entry != new.entry => "entry",
        () => return Ok(()),
    };
    Err(Error::exists_with_different("match", &new.id, field))
}

/// What a match takes of the base column: of its debits and of its credits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BaseShares {
    /// Of the debits.
    pub debits: u64,
    /// Of the credits.
    pub credits: u64,
}

/// Takes the parts of the pairs from the items, and says what they were worth in the base currency. `items` has what there is under
/// each name.
///
/// Refusals, in order, pair by pair: `item-not-found`, `wrong-side`, `different-account`, `different-party`, `item-closed`,
/// `over-match`, `too-many-matches`; then of the write-off `item-not-found`, `tolerance-exceeded`, `over-match`.
pub fn match_pairs(new: &NewMatch, items: &mut BTreeMap<ItemRef, OpenItem>) -> Result<BaseShares> {
    let mut shares = BaseShares::default();
    let account = new.pairs.first().and_then(|pair| items.get(&pair.debit)).map(|item| item.account.clone());
    for (i, pair) in new.pairs.iter().enumerate() {
        let parties = [
            check_side(items, &pair.debit, Side::Debit, account.as_ref(), || format!("pairs[{i}].debit"))?,
            check_side(items, &pair.credit, Side::Credit, account.as_ref(), || format!("pairs[{i}].credit"))?,
        ];
        if let [Some(one), Some(other)] = &parties
            && one != other
        {
            let message = format!("the debit is with {one}, the credit with {other}");
            return Err(Error::at(Class::Refused, "different-party", format!("pairs[{i}]"), message));
        }
        for (of, sum) in [(&pair.debit, &mut shares.debits), (&pair.credit, &mut shares.credits)] {
            if let Some(item) = items.get_mut(of) {
                check_room(item, pair.minor, || format!("pairs[{i}].minor"))?;
                *sum = sum.saturating_add(item.base_share(pair.minor));
                item.take(&new.id, new.date, pair.minor)?;
            }
        }
    }
    if let Some(write_off) = &new.write_off {
        let field = || "write-off.item".to_owned();
        let side = items.get(&write_off.item).map_or(Side::Debit, |item| item.side);
        check_side(items, &write_off.item, side, account.as_ref(), field)?;
        if write_off.minor > new.tolerance {
            let message = format!("{} minor units are above the tolerance of {}", write_off.minor, new.tolerance);
            return Err(Error::at(Class::Refused, "tolerance-exceeded", "write-off.minor", message));
        }
        if let Some(item) = items.get(&write_off.item) {
            check_room(item, write_off.minor, || "write-off.minor".to_owned())?;
        }
    }
    Ok(shares)
}

/// Whether an item can stand on this side of this match; gives its party.
fn check_side(
    items: &BTreeMap<ItemRef, OpenItem>,
    of: &ItemRef,
    side: Side,
    account: Option<&Id>,
    field: impl Fn() -> String,
) -> Result<Option<Id>> {
    let Some(item) = items.get(of) else {
        let message = format!("line {} of entry {} is no open item", of.line, of.entry);
        return Err(Error::at(Class::NotFound, "item-not-found", field(), message));
    };
    if item.side != side {
        let message = format!("{} stands on the other side", item.name());
        return Err(Error::at(Class::Refused, "wrong-side", field(), message));
    }
    if account.is_some_and(|account| *account != item.account) {
        let message = format!("{} is on account {}, another one than the first item", item.name(), item.account);
        return Err(Error::at(Class::Refused, "different-account", field(), message));
    }
    Ok(item.party.clone())
}

fn check_room(item: &OpenItem, minor: u64, field: impl Fn() -> String) -> Result<()> {
    let open = item.open();
    if open == 0 {
        return Err(Error::at(Class::Refused, "item-closed", field(), format!("{} is closed", item.name())));
    }
    if minor > open {
        let message = format!("{} has {open} minor units open, {minor} were to be taken", item.name());
        return Err(Error::at(Class::Refused, "over-match", field(), message));
    }
    Ok(())
}

/// Where an exchange difference goes, and in which currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The base currency of the book.
    pub base: Currency,
    /// The account for gains.
    pub gain: Option<Id>,
    /// The account for losses.
    pub loss: Option<Id>,
}

/// The entry that is posted with a match: the write-off, and what the base values of the two sides differ by. None if there is neither.
///
/// Refusals, in order: `exchange-account-missing`, `entry-needed` (the match names no id for it).
pub fn match_entry(
    new: &NewMatch,
    account: &Id,
    items: &BTreeMap<ItemRef, OpenItem>,
    shares: BaseShares,
    exchange: Option<&Exchange>,
) -> Result<Option<NewEntry>> {
    let mut lines = Vec::new();
    if let Some(write_off) = &new.write_off
        && let Some(item) = items.get(&write_off.item)
    {
        let amount = Money { minor: write_off.minor, currency: item.amount.currency };
        // At the worth of the item, so that nothing of it stays in the base column.
        let base = item.base.map(|base| Money { minor: item.base_share(write_off.minor), ..base });
        let details = LineDetails { base, party: item.party.clone(), ..LineDetails::default() };
        let line = |account: &Id, side, details: LineDetails| {
            let details = (details != LineDetails::default()).then(|| Box::new(details));
            Line { details, ..Line::new(account.clone(), side, amount) }
        };
        lines.push(line(account, opposite(item.side), details));
        lines.push(line(&write_off.account, item.side, LineDetails { base, ..LineDetails::default() }));
    }
    if shares.debits != shares.credits {
        let (difference, side) = match shares.debits.checked_sub(shares.credits) {
            Some(above) => (above, Side::Credit),
            None => (shares.credits.saturating_sub(shares.debits), Side::Debit),
        };
        let to = exchange.and_then(|exchange| {
            let to = if side == Side::Credit { &exchange.loss } else { &exchange.gain };
            to.clone().map(|to| (to, exchange.base))
        });
        let Some((to, base)) = to else {
            let message =
                format!("the two sides differ by {difference} in the base currency; give the book accounts for that");
            return Err(Error::at(Class::Refused, "exchange-account-missing", "pairs", message));
        };
        let currency = items.values().find(|item| item.account == *account).map_or(base, |item| item.amount.currency);
        let worth = Money { minor: difference, currency: base };
        let details = LineDetails { base: Some(worth), made: Some(Made::Line), ..LineDetails::default() };
        let nothing = Money { minor: 0, currency };
        lines.push(Line { details: Some(Box::new(details)), ..Line::new(account.clone(), side, nothing) });
        let made = LineDetails { made: Some(Made::Line), ..LineDetails::default() };
        lines.push(Line { details: Some(Box::new(made)), ..Line::new(to, opposite(side), worth) });
    }
    if lines.is_empty() {
        return Ok(None);
    }
    let Some(id) = &new.entry else {
        let message = "something is to be posted with this match: say the id of the entry";
        return Err(Error::at(Class::Refused, "entry-needed", "entry", message));
    };
    let details = EntryDetails { kind: Some(Id::parse(KIND, "kind")?), ..EntryDetails::default() };
    let entry = NewEntry::new(id.clone(), new.date, format!("Match {}", new.id), lines);
    Ok(Some(NewEntry { details: Some(Box::new(details)), ..entry }))
}

fn opposite(side: Side) -> Side {
    match side {
        Side::Debit => Side::Credit,
        Side::Credit => Side::Debit,
    }
}

/// One row of an ageing: what is open of one side in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AgeingRow {
    /// The currency.
    pub currency: Currency,
    /// The side of the items.
    pub side: Side,
    /// Not due yet, or due on the day itself.
    pub current: u64,
    /// Overdue by 1 day to the first limit, from there to the second, and so on; the last is all that is older.
    pub overdue: Vec<u64>,
    /// All of it.
    pub total: u64,
}

/// How old what is open is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ageing {
    as_of: BusinessDate,
    limits: Vec<u16>,
    rows: BTreeMap<(Currency, Side), AgeingRow>,
}

impl Ageing {
    /// With these limits, in days.
    ///
    /// # Errors
    /// `buckets-invalid` unless they are at most [`MAX_BUCKETS`] and ascending.
    pub fn new(as_of: BusinessDate, limits: Vec<u16>) -> Result<Self> {
        let ascending = limits.is_sorted_by(|a, b| a < b) && limits.first() != Some(&0);
        if !ascending || limits.len() > MAX_BUCKETS {
            let message = format!("at most {MAX_BUCKETS} numbers of days, each larger than the one before");
            return Err(Error::invalid("buckets-invalid", "buckets", message));
        }
        Ok(Self { as_of, limits, rows: BTreeMap::new() })
    }

    /// Adds what of an item was open on the day. An item without a due date is due on the day of its entry.
    ///
    /// # Errors
    /// `overflow`.
    pub fn add(&mut self, item: &OpenItem) -> Result<()> {
        let open = item.open_as_of(self.as_of);
        if open == 0 {
            return Ok(());
        }
        let late = self.as_of.days_since(item.due.unwrap_or(item.date));
        let (currency, side) = (item.amount.currency, item.side);
        let buckets = self.limits.len().saturating_add(1);
        let row = self.rows.entry((currency, side)).or_insert_with(|| AgeingRow {
            currency,
            side,
            current: 0,
            overdue: vec![0; buckets],
            total: 0,
        });
        let bucket = match late {
            0 => &mut row.current,
            late => {
                let index = self.limits.iter().take_while(|limit| late > u32::from(**limit)).count();
                row.overdue.get_mut(index).ok_or_else(|| Error::overflow("the buckets of an ageing"))?
            }
        };
        let sum = |a: u64| a.checked_add(open).ok_or_else(|| Error::overflow("a sum of open items"));
        (*bucket, row.total) = (sum(*bucket)?, sum(row.total)?);
        Ok(())
    }

    /// In order of currency and side.
    pub fn rows(self) -> Vec<AgeingRow> {
        self.rows.into_values().collect()
    }
}
