//! Posting a journal entry.

use std::collections::{BTreeMap, BTreeSet};

use crate::ledger::form::{check_details, check_line_details};
use crate::ledger::limits::{Floor, check_limits};
use crate::ledger::{
    AccountDay, AccountMonth, AccountTotal, Adding, Entry, EntryDetails, Guard, Line, LineDetails, Made, NewEntry,
};
use crate::shape::Problems;
use crate::{Class, Currency, Error, Id, Money, Result, Side};

/// The most lines of an entry.
pub const MAX_LINES: usize = 1_000;
/// The most dimensions of a line.
pub const MAX_DIMENSIONS: usize = 8;

/// The sums of an entry in one currency. 128 bits hold more lines of 64 bits than memory does; they saturate all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Sum of the debits in minor units.
    pub debits: u128,
    /// Sum of the credits in minor units.
    pub credits: u128,
}

/// The sums of the lines per currency. A currency with credits alone is there too.
pub fn sums(lines: &[Line]) -> BTreeMap<Currency, Sums> {
    let mut sums = BTreeMap::<Currency, Sums>::new();
    for line in lines {
        let sum = sums.entry(line.amount.currency).or_default();
        let side = match line.side {
            Side::Debit => &mut sum.debits,
            Side::Credit => &mut sum.credits,
        };
        *side = side.saturating_add(u128::from(line.amount.minor));
    }
    sums
}

/// Per currency the sum of the debits as money, to be compared with a ceiling. A sum above 64 bits is as far above as
/// money can say.
pub fn debit_totals(lines: &[Line]) -> impl Iterator<Item = Money> {
    sums(lines)
        .into_iter()
        .map(|(currency, sum)| Money { minor: u64::try_from(sum.debits).unwrap_or(u64::MAX), currency })
}

/// The form of the request, all problems together: `text-invalid`, `too-few-lines`, `too-many-lines`, `amount-zero`,
/// `amount-too-large`, `dimensions-invalid`, `made-by-host`, `rate-zero`, `kind-reserved`, `too-many-guards`,
/// `metadata-invalid`.
pub fn check_entry(new: &NewEntry) -> Result<()> {
    let mut problems = Problems::default();
    problems.line(|| "description".to_owned(), &new.description, 1, 200);
    let lines = || "lines".to_owned();
    match new.lines.len() {
        0 | 1 => problems.add("too-few-lines", lines, || "an entry has at least 2 lines".to_owned()),
        n if n > MAX_LINES => {
            problems.add("too-many-lines", lines, || format!("an entry has at most {MAX_LINES} lines, not {n}"));
        }
        _ => {}
    }
    for (i, line) in new.lines.iter().take(MAX_LINES).enumerate() {
        problems.positive_amount(|| format!("lines[{i}].amount"), line.amount);
        if let Some(memo) = &line.memo {
            problems.line(|| format!("lines[{i}].memo"), memo, 0, 200);
        }
        check_dimensions(&mut problems, i, line);
        if let Some(details) = &line.details {
            check_line_details(&mut problems, i, line, details);
        }
    }
    if let Some(details) = &new.details {
        check_details(&mut problems, details);
    }
    problems.finish()
}

fn check_dimensions(problems: &mut Problems, i: usize, line: &Line) {
    let field = || format!("lines[{i}].dimensions");
    if line.dimensions.len() > MAX_DIMENSIONS {
        problems.add("dimensions-invalid", field, || format!("a line has at most {MAX_DIMENSIONS} dimensions"));
        return;
    }
    let mut names = BTreeSet::new();
    if let Some(twice) = line.dimensions.iter().find(|d| !names.insert(&d.name)) {
        problems.add("dimensions-invalid", field, || format!("the dimension {} is given twice", twice.name));
    }
}

/// `exists-with-different` unless `new` says what was posted. The order of lines and dimensions counts; what the host made of the
/// entry does not.
pub fn same_entry(existing: &Entry, new: &NewEntry) -> Result<()> {
    let old = &existing.new;
    let field = match () {
        () if old.date != new.date => "date",
        () if old.description != new.description => "description",
        () if !same_lines(&old.lines, &new.lines) => "lines",
        () if details(old) != details(new) => "details",
        () if existing.reverses.is_some() => "reverses",
        () if existing.settles.is_some() => "settles",
        () => return Ok(()),
    };
    Err(Error::exists_with_different("entry", &new.id, field))
}

/// Are those the same lines, but for what the host made of them?
pub(super) fn same_lines(posted: &[Line], asked: &[Line]) -> bool {
    let made = |line: &Line| line.details.as_ref().and_then(|details| details.made);
    let mut posted = posted.iter().filter(|line| made(line) != Some(Made::Line));
    let same = |old: &Line, new: &Line| {
        let alike = old.account == new.account
            && old.side == new.side
            && old.amount == new.amount
            && old.dimensions == new.dimensions
            && old.memo == new.memo;
        alike && (old.details == new.details || as_asked(old) == new.details.as_deref().cloned().unwrap_or_default())
    };
    asked.iter().all(|new| posted.next().is_some_and(|old| same(old, new))) && posted.next().is_none()
}

/// The details of a line without what the host made of them.
fn as_asked(line: &Line) -> LineDetails {
    let mut details = line.details.as_deref().cloned().unwrap_or_default();
    match details.made.take() {
        None => {}
        Some(Made::Base) => details.base = None,
        Some(Made::Rate | Made::Line) => (details.base, details.rate) = (None, None),
    }
    details
}

fn details(new: &NewEntry) -> EntryDetails {
    new.details.as_deref().cloned().unwrap_or_default()
}

/// What there is under an account code that a line names.
#[expect(clippy::large_enum_variant, reason = "nearly all are posting accounts")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A header account.
    Header,
    /// A posting account.
    Posting(Turnover),
}

/// The totals of one posting account that an entry changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turnover {
    /// Of all days.
    pub total: AccountTotal,
    /// Of the day of the entry.
    pub day: AccountDay,
    /// Of the month of that day.
    pub month: AccountMonth,
}

/// The book of an entry, and the base currency of the book.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InBook {
    /// The book; none: `main`.
    pub book: Option<Id>,
    /// Its base currency, if it has one.
    pub base: Option<Currency>,
}

/// Whether the accounts of an entry are there, all of them in one book, and which. `found` has what there is under each account
/// code of its lines and guards; a code that is missing from it does not exist. A header account is in any book.
///
/// Refusals, in order: `account-not-found` (of lines, then of guards), `book-mismatch`.
pub fn references(new: &NewEntry, found: &BTreeMap<Id, Found>) -> Result<InBook> {
    let missing = |account: &Id, field: String| {
        let message = format!("there is no account {account}");
        Err(Error::at(Class::NotFound, "account-not-found", field, message))
    };
    if let Some((i, line)) = first(new, |line| !found.contains_key(&line.account)) {
        return missing(&line.account, account_of(i));
    }
    let guards = guards(new).iter().enumerate();
    if let Some((i, guard)) =
        guards.into_iter().find(|(_, g)| !matches!(found.get(&g.account), Some(Found::Posting(_))))
    {
        return missing(&guard.account, format!("guards[{i}].account"));
    }
    let rules = |line: &Line| match found.get(&line.account) {
        Some(Found::Posting(turnover)) => Some(turnover.total.rules.as_deref()),
        _ => None,
    };
    let mut book: Option<InBook> = None;
    for (i, line) in new.lines.iter().enumerate() {
        let Some(rules) = rules(line) else { continue };
        let of = rules.and_then(|rules| rules.book.as_ref());
        match &book {
            None => book = Some(InBook { book: of.cloned(), base: rules.and_then(|rules| rules.base) }),
            Some(book) if book.book.as_ref() == of => {}
            Some(_) => {
                let message = format!("account {} is in another book than those before it", line.account);
                return Err(Error::at(Class::Refused, "book-mismatch", account_of(i), message));
            }
        }
    }
    Ok(book.unwrap_or_default())
}

/// What the accounts require of their lines. Refusals, in order: `missing-dimension`, `party-required`.
pub fn check_required(new: &NewEntry, found: &BTreeMap<Id, Found>) -> Result<()> {
    let rules = |line: &Line| match found.get(&line.account) {
        Some(Found::Posting(turnover)) => turnover.total.rules.as_deref().map(|rules| &rules.rules),
        _ => None,
    };
    for (i, line) in new.lines.iter().enumerate() {
        let required = rules(line).map(|rules| rules.required_dimensions.as_slice()).unwrap_or_default();
        if let Some(name) = required.iter().find(|name| line.dimensions.iter().all(|d| d.name != **name)) {
            let message = format!("account {} requires the dimension {name}", line.account);
            return Err(Error::at(Class::Refused, "missing-dimension", format!("lines[{i}].dimensions"), message));
        }
    }
    let party = |line: &Line| line.details.as_ref().is_some_and(|details| details.party.is_some());
    match first(new, |line| rules(line).is_some_and(|rules| rules.party_required) && !party(line)) {
        None => Ok(()),
        Some((i, line)) => {
            let message = format!("account {} requires a party", line.account);
            Err(Error::at(Class::Refused, "party-required", format!("lines[{i}].party"), message))
        }
    }
}

/// Debits equal credits in each currency but the base currency of the book, where the base column counts (see
/// [`base_difference`](super::base_difference)). Refusal: `unbalanced`.
pub fn check_balanced(lines: &[Line], base: Option<Currency>) -> Result<()> {
    // Two lines are most entries, and need no table.
    if let [a, b] = lines
        && a.side != b.side
        && a.amount == b.amount
    {
        return Ok(());
    }
    let foreign = |currency: &Currency| Some(*currency) != base;
    match sums(lines).into_iter().find(|(currency, sum)| foreign(currency) && sum.debits != sum.credits) {
        Some((currency, sum)) => Err(unbalanced(currency, sum)),
        None => Ok(()),
    }
}

/// Whether the accounts may be posted to. Refusals, in order: `account-is-header`, `account-closed`, `manual-not-permitted`
/// (not asked of the host's own entries), `currency-mismatch`.
pub fn check_accounts(new: &NewEntry, found: &BTreeMap<Id, Found>) -> Result<()> {
    if let Some((i, line)) = first(new, |line| matches!(found.get(&line.account), Some(Found::Header))) {
        let message = format!("account {} is a header account, which carries no postings", line.account);
        return Err(Error::at(Class::Refused, "account-is-header", account_of(i), message));
    }
    let total = |line: &Line| match found.get(&line.account) {
        Some(Found::Posting(turnover)) => Some(&turnover.total),
        _ => None,
    };
    let rules = |line: &Line| total(line).and_then(|total| total.rules.as_deref());
    if let Some((i, line)) = first(new, |line| rules(line).is_some_and(|rules| rules.closed)) {
        let message = format!("account {} is closed", line.account);
        return Err(Error::at(Class::Refused, "account-closed", account_of(i), message));
    }
    let manual = new.is_manual();
    if let Some((i, line)) = first(new, |line| manual && rules(line).is_some_and(|rules| !rules.rules.manual)) {
        let message = format!("account {} takes no manual entries; say of which kind the entry is", line.account);
        return Err(Error::at(Class::Refused, "manual-not-permitted", account_of(i), message));
    }
    let currency = |line: &Line| total(line).map(|total| total.balance.currency);
    if let Some((i, line)) = first(new, |line| currency(line) != Some(line.amount.currency)) {
        let (account, amount) = (&line.account, line.amount.currency);
        let message = format!("account {account} is not kept in {amount}");
        return Err(Error::at(Class::Refused, "currency-mismatch", format!("lines[{i}].amount"), message));
    }
    Ok(())
}

/// Adds the lines to the totals of their accounts, or says `overflow`.
pub fn add_lines(new: &NewEntry, how: Adding, mut found: BTreeMap<Id, Found>) -> Result<Vec<Turnover>> {
    let mut touched = BTreeSet::new();
    for line in &new.lines {
        if let Some(Found::Posting(Turnover { total, day, month })) = found.get_mut(&line.account) {
            total.add(how, line)?;
            total.note_latest(day.date);
            day.add(how, line, total)?;
            month.0.add(how, line, total)?;
            // Of a hold that gives up a part, lines may give up nothing.
            if how == Adding::Posted || line.amount.minor > 0 {
                total.note_day(day.date);
            }
            touched.insert(&line.account);
        }
    }
    let turnovers = found.into_iter().filter_map(|(account, found)| match found {
        Found::Posting(turnover) if touched.contains(&account) => Some(turnover),
        _ => None,
    });
    Ok(turnovers.collect())
}

/// Decides whether a plain entry of valid form is posted, and gives the totals of its accounts with it: all the parts of it above,
/// in their order. `found` has what there is under each account code of its lines and guards.
///
/// Refusals, in order: [`references`], [`check_required`], [`check_balanced`], [`check_accounts`], [`check_limits`], `overflow`.
///
/// [`check_limits`]: super::check_limits
pub fn post(new: &NewEntry, found: BTreeMap<Id, Found>) -> Result<Vec<Turnover>> {
    let book = references(new, &found)?;
    check_required(new, &found)?;
    check_balanced(&new.lines, book.base)?;
    check_accounts(new, &found)?;
    check_limits(new, &found, Adding::Posted, Floor::Limits, None)?;
    add_lines(new, Adding::Posted, found)
}

impl NewEntry {
    /// Is it of the kind `manual`, by its word or for want of one?
    pub fn is_manual(&self) -> bool {
        self.details.as_ref().and_then(|details| details.kind.as_ref()).is_none_or(|kind| kind.as_str() == "manual")
    }
}

/// What must hold after the entry.
pub(super) fn guards(new: &NewEntry) -> &[Guard] {
    new.details.as_ref().map(|details| details.guards.as_slice()).unwrap_or_default()
}

fn first(new: &NewEntry, wanted: impl Fn(&Line) -> bool) -> Option<(usize, &Line)> {
    new.lines.iter().enumerate().find(|(_, line)| wanted(line))
}

fn account_of(line: usize) -> String {
    format!("lines[{line}].account")
}

fn unbalanced(currency: Currency, Sums { debits, credits }: Sums) -> Error {
    let message = format!(
        "debits and credits in {currency} differ by {}: debits are {debits}, credits are {credits} minor units",
        debits.abs_diff(credits)
    );
    Error::at(Class::Refused, "unbalanced", "lines", message)
}
