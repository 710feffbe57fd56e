//! How an entry is made, whoever asks for it: from the references of its lines to the totals that it changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use backroom_domain::ledger::{
    self, Account, AccountDay, AccountMonth, AccountTotal, Adding, Before, Book, BookControl, Differences, Entry,
    Floor, Found, InBook, MAIN_BOOK, NewEntry, Scope, Turnover,
};
use backroom_domain::rights::Operation;
use backroom_domain::{BusinessDate, Class, Effect, Error, Id};
use backroom_store::records::{EntryLines, EntryNumber, NameKind, StoredEntry, TakenName};

use crate::error::{Failure, Result};
use crate::ledger::{budgets, holds, items, periods, rates};
use crate::work::Work;

/// The series of the numbers of entries.
pub(crate) const SERIES: &str = "entry";

/// What is special about an entry.
#[derive(Debug)]
pub(crate) struct How {
    /// As what it is asked for.
    pub(crate) operation: Operation,
    /// The entry that it takes back.
    pub(crate) reverses: Option<Id>,
    /// The hold that it settles.
    pub(crate) settles: Option<Id>,
    /// Below what it may not bring an account.
    pub(crate) floor: Floor,
    /// What was available before the whole that it is a part of.
    pub(crate) before: Option<Before>,
    /// What of the book it belongs to, if its own kind does not say.
    pub(crate) scope: Option<Scope>,
    /// Whether it is the host's own: its lines need no dimensions and parties.
    pub(crate) own: bool,
    /// Whether it closes a year: no lock and no budget counts.
    pub(crate) closing: bool,
}

impl How {
    /// Nothing special.
    pub(crate) fn of(operation: Operation) -> Self {
        Self {
            operation,
            reverses: None,
            settles: None,
            floor: Floor::Limits,
            before: None,
            scope: None,
            own: false,
            closing: false,
        }
    }
}

/// An entry or a hold that meets every rule, and what it changes.
pub(crate) struct Made {
    pub(crate) new: NewEntry,
    pub(crate) book: InBook,
    pub(crate) turnovers: Vec<Turnover>,
    /// The exceptions that let it pass locks.
    pub(crate) passed: periods::Passed,
    /// What it uses of budgets.
    pub(crate) charged: budgets::Charged,
}

/// Decides whether an entry of valid form and new id may be made. Stages nothing but the end of holds whose time is over.
///
/// # Errors
/// In order: `account-not-found`, `book-mismatch`, `rate-missing`, `missing-dimension`, `party-required`; `duplicate-reference`;
/// `unbalanced`; `account-is-header`, `account-closed`, `manual-not-permitted`, `currency-mismatch`; `period-locked`, `future-date`;
/// `insufficient`, `limit-exceeded`, `guard-failed`, `budget-exceeded`; `overflow`.
pub(crate) fn decide(work: &mut Work, mut new: NewEntry, adding: Adding, how: &How) -> Result<Made> {
    let mut found = load(work, &new)?;
    if matters(&found) {
        work.stage_kept()?;
        if holds::expire_due(work)? {
            found = load(work, &new)?;
        }
    }
    let book = ledger::references(&new, &found)?;
    let book_id = name_of(&book)?;
    if let (Some(base), Adding::Posted) = (book.base, adding) {
        let mut table = BTreeMap::new();
        for currency in ledger::rates_needed(&new.lines, base) {
            if let Some(rate) = rates::rate(work, &book_id, currency, base, new.date)? {
                table.insert(currency, rate);
            }
        }
        ledger::fill_bases(&mut new.lines, base, &table)?;
    }
    if how.reverses.is_none() && !how.own {
        ledger::check_required(&new, &found)?;
    }
    check_reference(work, &new, &book)?;
    ledger::check_balanced(&new.lines, book.base)?;
    if let (Some(base), Adding::Posted) = (book.base, adding) {
        balance_base(work, &mut new, &book_id, base, &mut found)?;
    } else if let Some(base) = book.base
        && ledger::base_difference(&own(&new, base), base) != 0
    {
        let message = format!("debits and credits in {base} differ");
        return Err(Error::at(Class::Refused, "unbalanced", "lines", message).into());
    }
    ledger::check_accounts(&new, &found)?;
    let control = control_of(work, &book_id)?;
    let passed = match how.closing {
        true => periods::Passed::default(),
        false => periods::check_open(work, &control, how.scope.unwrap_or_else(|| scope_of(&new)), new.date)?,
    };
    ledger::check_limits(&new, &found, adding, how.floor, how.before.as_ref())?;
    let charged = match adding {
        Adding::Posted if !how.closing => budgets::check(work, &control, &new)?,
        // Holds use nothing of a budget, and what closes a year gives nothing back.
        Adding::Posted | Adding::Held | Adding::Released => budgets::Charged::default(),
    };
    let turnovers = ledger::add_lines(&new, adding, found)?;
    Ok(Made { new, book, turnovers, passed, charged })
}

/// What of the book the kind of an entry belongs to.
pub(crate) fn scope_of(new: &NewEntry) -> Scope {
    let kind = new.details.as_ref().and_then(|details| details.kind.as_ref());
    kind.map_or(Scope::All, Scope::of_kind)
}

/// The lines that are in the base currency.
fn own(new: &NewEntry, base: backroom_domain::Currency) -> Vec<ledger::Line> {
    new.lines.iter().filter(|line| line.amount.currency == base).cloned().collect()
}

/// Stages an entry that was decided for: its totals, its number, itself.
pub(crate) fn stage(work: &mut Work, made: Made, how: How) -> Result<Entry> {
    let Made { new, book, turnovers, passed, charged } = made;
    let book_id = name_of(&book)?;
    for Turnover { total, .. } in turnovers.iter().filter(|turnover| turnover.total.stock_control) {
        for line in new.lines.iter().filter(|line| line.account == total.balance.account) {
            work.note_ledger(&line.account, line.side, line.amount.minor);
        }
    }
    let with_items = |total: &AccountTotal| total.account_rules().is_some_and(|rules| rules.reconcilable);
    let reconcilable = turnovers.iter().map(|turnover| &turnover.total).filter(|total| with_items(total));
    let reconcilable: Vec<Id> = reconcilable.map(|total| total.balance.account.clone()).collect();
    match &mut work.kept {
        Some(kept) => turnovers.into_iter().for_each(|turnover| {
            kept.keep(turnover);
        }),
        None => stage_totals(work, &turnovers)?,
    }
    let number = work.next_number(SERIES)?;
    let run = work.caller.run.clone();
    let How { reverses, settles, scope, .. } = how;
    let entry = Entry { book: book.book, reverses, settles, ..Entry::posted(new, number, work.now, run) };
    work.put(&EntryNumber { number, id: entry.new.id.clone() })?;
    if let Some(reference) = entry.new.details.as_ref().and_then(|details| details.reference.clone()) {
        let (book, by) = (entry.book.clone(), entry.new.id.to_string());
        work.put(&TakenName { kind: NameKind::Reference, book, name: reference, by })?;
    }
    let entry = stage_entry(work, entry, scope)?;
    work.effect(Effect::EntryPosted(entry.clone()));
    passed.keep(work, &book_id, &entry.new.id, entry.new.date)?;
    charged.keep(work)?;
    if !reconcilable.is_empty() {
        items::note(work, &entry, &reconcilable)?;
    }
    Ok(entry)
}

/// Stages the totals of all days and of the day, this of accounts with a history alone.
pub(crate) fn stage_totals(work: &mut Work, turnovers: &[Turnover]) -> Result<()> {
    for Turnover { total, day, month } in turnovers {
        work.put(total)?;
        if total.keeps_days() {
            work.put(day)?;
            if total.months {
                work.put(month)?;
            }
        }
    }
    Ok(())
}

/// What was posted to an account in the month of a day, of accounts for which that is kept.
pub(crate) fn month_of(work: &Work, total: &AccountTotal, account: &Id, date: BusinessDate) -> Result<AccountMonth> {
    if let Some(month) = work.kept.as_ref().and_then(|kept| kept.month(account, date)) {
        return Ok(month.clone());
    }
    let kept = total.months && total.keeps_days() && !total.ends_before(date.first_of_month());
    let month = if kept { work.tx().get::<AccountMonth>(&(account.clone(), date.first_of_month()))? } else { None };
    Ok(month.unwrap_or_else(|| AccountMonth::zero(account.clone(), date)))
}

/// Does what holds keep matter to whether an entry of these accounts may be made?
fn matters(found: &BTreeMap<Id, Found>) -> bool {
    found.values().any(|found| match found {
        Found::Posting(Turnover { total, .. }) => total.balance.debits_held > 0 || total.balance.credits_held > 0,
        Found::Header => false,
    })
}

/// What there is under each account code of the entry and its guards.
fn load(work: &Work, new: &NewEntry) -> Result<BTreeMap<Id, Found>> {
    let mut found = BTreeMap::new();
    let guards = new.details.as_ref().map(|details| details.guards.as_slice()).unwrap_or_default();
    let accounts = || new.lines.iter().map(|line| &line.account).chain(guards.iter().map(|guard| &guard.account));
    if let Some(mut wanted) = work.tx().wanted() {
        let kept = |account: &Id| work.kept.as_ref().is_some_and(|kept| kept.total(account).is_some());
        for account in accounts().filter(|account| !kept(account)).collect::<BTreeSet<_>>() {
            wanted.add::<AccountTotal>(account);
            wanted.add::<AccountDay>(&(account.clone(), new.date));
            wanted.add::<AccountMonth>(&(account.clone(), new.date.first_of_month()));
        }
        wanted.read()?;
    }
    for account in accounts() {
        load_account(work, new, account, &mut found)?;
    }
    Ok(found)
}

fn load_account(work: &Work, new: &NewEntry, account: &Id, found: &mut BTreeMap<Id, Found>) -> Result<()> {
    if found.contains_key(account) {
        return Ok(());
    }
    if let Some(total) = total_of(work, account)? {
        let day = day_of(work, &total, account, new.date)?;
        let month = month_of(work, &total, account, new.date)?;
        found.insert(account.clone(), Found::Posting(Turnover { total, day, month }));
    } else if work.tx().get::<Account>(account)?.is_some() {
        // Every posting account has a total, from its creation on.
        found.insert(account.clone(), Found::Header);
    }
    Ok(())
}

/// The total of a posting account, with what a batch that is under way has changed.
fn total_of(work: &Work, account: &Id) -> Result<Option<AccountTotal>> {
    match work.kept.as_ref().and_then(|kept| kept.total(account)) {
        Some(total) => Ok(Some(total.clone())),
        None => Ok(work.tx().get::<AccountTotal>(account)?),
    }
}

/// What was posted to an account on a day, likewise.
pub(crate) fn day_of(work: &Work, total: &AccountTotal, account: &Id, date: BusinessDate) -> Result<AccountDay> {
    if let Some(day) = work.kept.as_ref().and_then(|kept| kept.day(account, date)) {
        return Ok(day.clone());
    }
    let kept = !total.ends_before(date);
    let day = if kept { work.tx().get::<AccountDay>(&(account.clone(), date))? } else { None };
    Ok(day.unwrap_or_else(|| AccountDay::zero(account.clone(), date)))
}

/// What every posting to a book has to look at. No entry of a batch changes it, so it is read once there.
fn control_of(work: &mut Work, book: &Id) -> Result<Arc<BookControl>> {
    if let Some(control) = work.kept.as_ref().and_then(|kept| kept.control(book)) {
        return Ok(control);
    }
    let control = Arc::new(periods::control(work, book)?);
    if let Some(kept) = &mut work.kept {
        kept.keep_control(&control);
    }
    Ok(control)
}

/// Makes the base column balance, with a line of the host if there is an exchange difference.
fn balance_base(
    work: &Work,
    new: &mut NewEntry,
    book: &Id,
    base: backroom_domain::Currency,
    found: &mut BTreeMap<Id, Found>,
) -> Result<()> {
    if ledger::base_difference(&new.lines, base) == 0 {
        return Ok(());
    }
    let to = match work.tx().get::<Book>(book)? {
        Some(Book { new, .. }) => Differences { gain: new.exchange_gain, loss: new.exchange_loss },
        None => Differences::default(),
    };
    if let Some(line) = ledger::difference_line(&new.lines, base, &to)? {
        load_account(work, new, &line.account, found)?;
        new.lines.push(line);
        ledger::references(new, found)?;
    }
    Ok(())
}

/// The id of the book.
pub(crate) fn name_of(book: &InBook) -> Result<Id> {
    Ok(book.book.clone().map_or_else(|| Id::parse(MAIN_BOOK, "book"), Ok)?)
}

fn check_reference(work: &Work, new: &NewEntry, book: &InBook) -> Result<()> {
    let Some(reference) = new.details.as_ref().and_then(|details| details.reference.as_ref()) else { return Ok(()) };
    let key = TakenName::key_of(NameKind::Reference, book.book.as_ref(), reference);
    match work.tx().get::<TakenName>(&key)? {
        None => Ok(()),
        Some(taken) => {
            let message = format!("the entry {} has this reference already", taken.by);
            Err(Error::at(Class::Conflict, "duplicate-reference", "reference", message).into())
        }
    }
}

/// `id-already-failed` if the id was refused before for what was so at the time.
pub(crate) fn check_failed(work: &mut Work, series: &'static str, kind: NameKind, id: &Id) -> Result<()> {
    // Most tenants have none at all, which the counter says that is read anyway.
    if work.failed_ids(series)? == 0 {
        return Ok(());
    }
    match work.tx().get::<TakenName>(&TakenName::key_of(kind, None, id.as_str()))? {
        None => Ok(()),
        Some(taken) => {
            let message =
                format!("{id} was refused before ({}) and is refused for good; another id can be tried", taken.by);
            Err(Error::at(Class::Conflict, "id-already-failed", "id", message).into())
        }
    }
}

/// Keeps the id from being used again, if it was refused for what was so at the time, and gives the failure back.
pub(crate) fn burn(work: &mut Work, series: &'static str, kind: NameKind, id: &Id, failure: Failure) -> Failure {
    let Failure::Business(error) = &failure else { return failure };
    let by_state = matches!(error.class, Class::NotFound | Class::Refused | Class::Conflict);
    let by_form = ["unbalanced", "exists-with-different", "id-already-failed", "group-failed"].contains(&error.code());
    if !by_state || by_form {
        return failure;
    }
    let taken = TakenName { kind, book: None, name: id.to_string(), by: error.code().to_owned() };
    let kept = work.put(&taken).and_then(|()| work.count_failed_id(series));
    match kept {
        Ok(()) => failure,
        Err(worse) => worse,
    }
}

/// Stages the entry, a long one in parts.
fn stage_entry(work: &mut Work, entry: Entry, scope: Option<Scope>) -> Result<Entry> {
    if entry.new.lines.len() <= StoredEntry::LINES {
        let stored = StoredEntry { entry, parts: 0, scope };
        work.put(&stored)?;
        return Ok(stored.entry);
    }
    let mut head = entry.clone();
    let rest = head.new.lines.split_off(StoredEntry::LINES);
    let mut parts = 0;
    for (part, chunk) in (1..).zip(rest.chunks(StoredEntry::LINES)) {
        work.put(&EntryLines { entry: entry.new.id.clone(), part, lines: chunk.to_vec() })?;
        parts = part;
    }
    work.put(&StoredEntry { entry: head, parts, scope })?;
    Ok(entry)
}
