//! Posting a journal entry.

use std::collections::{BTreeMap, BTreeSet};

use crate::ledger::{AccountDay, AccountTotal, Entry, Line, NewEntry};
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
/// `amount-too-large`, `dimensions-invalid`.
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

/// `exists-with-different` unless `new` says what was posted. The order of lines and dimensions counts.
pub fn same_entry(existing: &Entry, new: &NewEntry) -> Result<()> {
    let old = &existing.new;
    let field = match () {
        () if old.date != new.date => "date",
        () if old.description != new.description => "description",
        () if old.lines != new.lines => "lines",
        () => return Ok(()),
    };
    Err(Error::exists_with_different("entry", &new.id, field))
}

/// What there is under an account code that a line names.
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
}

/// Decides whether an entry of valid form is posted, and gives the totals of its accounts with it. `found` has what there is
/// under each account code of its lines; a code that is missing from it does not exist.
///
/// Refusals, in order: `account-not-found`, `unbalanced`, `account-is-header`, `currency-mismatch`, `overflow`.
pub fn post(new: &NewEntry, mut found: BTreeMap<&Id, Found>) -> Result<Vec<Turnover>> {
    if let Some((i, line)) = first(new, |line| !found.contains_key(&line.account)) {
        let message = format!("there is no account {}", line.account);
        return Err(Error::at(Class::NotFound, "account-not-found", account_of(i), message));
    }
    if let Some((currency, sum)) = sums(&new.lines).into_iter().find(|(_, sum)| sum.debits != sum.credits) {
        return Err(unbalanced(currency, sum));
    }
    if let Some((i, line)) = first(new, |line| matches!(found.get(&line.account), Some(Found::Header))) {
        let message = format!("account {} is a header account, which carries no postings", line.account);
        return Err(Error::at(Class::Refused, "account-is-header", account_of(i), message));
    }
    let currency = |line: &Line| match found.get(&line.account) {
        Some(Found::Posting(turnover)) => Some(turnover.total.balance.currency),
        _ => None,
    };
    if let Some((i, line)) = first(new, |line| currency(line) != Some(line.amount.currency)) {
        let (account, amount) = (&line.account, line.amount.currency);
        let message = format!("account {account} is not kept in {amount}");
        return Err(Error::at(Class::Refused, "currency-mismatch", format!("lines[{i}].amount"), message));
    }
    for line in &new.lines {
        if let Some(Found::Posting(turnover)) = found.get_mut(&line.account) {
            turnover.total.add(line.side, line.amount.minor)?;
            turnover.day.add(line.side, line.amount.minor)?;
        }
    }
    let turnovers = found.into_values().filter_map(|found| match found {
        Found::Posting(turnover) => Some(turnover),
        Found::Header => None,
    });
    Ok(turnovers.collect())
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
