//! Open items: what was posted to reconcilable accounts and is to be matched.

use std::collections::BTreeMap;

use backroom_domain::ledger::{
    self, Ageing, AgeingRow, Book, Entry, Exchange, ItemRef, Line, Match, NewMatch, OpenItem, Reversal, ReversalDate,
    Undone,
};
use backroom_domain::rights::Operation;
use backroom_domain::{BusinessDate, Class, Effect, Error, Id, Money, Side};
use backroom_store::records::ClosedItem;
use backroom_store::{Record, RecordKey};
use schemars::JsonSchema;
use serde::Serialize;

use crate::error::Result;
use crate::ledger::accounts::kind_of;
use crate::ledger::journal;
use crate::ledger::making::How;
use crate::ledger::reverse::{self, check_reason};
use crate::listing::{Step, list};
use crate::page::{Page, PageRequest};
use crate::work::Work;

/// The most items that an ageing looks at.
pub const MAX_AGED: usize = 100_000;
/// Items read at once.
const CHUNK: usize = 1_000;

/// Which items.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ItemFilter {
    /// Of this account alone.
    pub account: Option<Id>,
    /// With this party alone.
    pub party: Option<Id>,
    /// As it was at the end of this day of the books; none: now.
    pub as_of: Option<BusinessDate>,
}

/// An item, and what of it is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ItemRow {
    /// The item.
    #[serde(flatten)]
    pub item: OpenItem,
    /// Minor units that are open, on the day that was asked for.
    pub open: u64,
}

/// What became of a match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct MatchDone {
    /// The match on record.
    #[serde(flatten)]
    pub on_record: Match,
    /// It had been done before, and nothing was done now.
    pub replayed: bool,
}

/// Notes the lines of an entry on reconcilable accounts. An entry that takes another one back closes its items with it, those that
/// nothing was matched with yet.
pub(crate) fn note(work: &mut Work, entry: &Entry, reconcilable: &[Id]) -> Result<()> {
    let reversed = match &entry.reverses {
        Some(of) => journal::find(work, of)?,
        None => None,
    };
    for (index, line) in entry.new.lines.iter().enumerate() {
        if !reconcilable.contains(&line.account) {
            continue;
        }
        let Some(mut item) = OpenItem::of(entry, index, line) else { continue };
        if let Some(reversed) = &reversed {
            let key = (line.account.clone(), reversed.number, item.of.line);
            if let Some(mut old) = work.tx().get::<OpenItem>(&key)?
                && old.matched.is_empty()
                && old.amount == item.amount
            {
                for side in [&mut old, &mut item] {
                    side.take(&entry.new.id, entry.new.date, side.amount.minor)?;
                }
                put(work, &old)?;
            }
        }
        put(work, &item)?;
    }
    Ok(())
}

/// Stages an item where it belongs.
pub(crate) fn put(work: &mut Work, item: &OpenItem) -> Result<()> {
    if item.open() == 0 {
        work.tx_mut().delete::<OpenItem>(&item.key());
        return work.put(&ClosedItem { item: item.clone() });
    }
    work.tx_mut().delete::<ClosedItem>(&item.key());
    work.put(item)
}

/// The item with this name, open or not, if its account may be read.
pub(crate) fn find(work: &Work, operation: Operation, of: &ItemRef) -> Result<Option<OpenItem>> {
    let Some(entry) = journal::find(work, &of.entry)? else { return Ok(None) };
    let line = usize::try_from(of.line).ok().and_then(|line| entry.new.lines.get(line));
    let Some(Line { account, .. }) = line else { return Ok(None) };
    if !work.rights().read_account(operation, account, kind_of(work, account)?) {
        return Ok(None);
    }
    let key = (account.clone(), entry.number, of.line);
    match work.tx().get::<OpenItem>(&key)? {
        Some(item) => Ok(Some(item)),
        None => Ok(work.tx().get::<ClosedItem>(&key)?.map(|closed| closed.item)),
    }
}

/// Items of which something is open, in order of account, entry number and line; those left out whose account may not be read. As of a
/// day of the past this visits those that were closed since as well, behind the others.
///
/// # Errors
/// In order: `ledger-read-denied` without the right to read the account (any, if none is named); `limit-invalid`, `cursor-invalid`.
pub fn list_open_items(work: &Work, filter: &ItemFilter, request: &PageRequest) -> Result<Page<ItemRow>> {
    check_read(work, Operation::OpenItemsList, filter.account.as_ref())?;
    let take = |item: OpenItem| -> Result<Step<ItemRow>> {
        let open = filter.as_of.map_or_else(|| item.open(), |day| item.open_as_of(day));
        let wanted = open > 0 && filter.party.as_ref().is_none_or(|party| item.party.as_ref() == Some(party));
        let shown = wanted && is_readable(work, Operation::OpenItemsList, &item.account)?;
        Ok(if shown { Step::Take(ItemRow { item, open }) } else { Step::Skip })
    };
    if filter.as_of.is_none() {
        return page::<OpenItem, _>(work, filter, request, take);
    }
    // A cursor says in its first letter which of the two lists it is in.
    let (closed, inner) = match request.cursor.as_deref().and_then(|cursor| cursor.split_at_checked(1)) {
        None => (false, request.clone()),
        Some(("o", rest)) => (false, PageRequest { cursor: Some(rest.to_owned()), ..request.clone() }),
        Some(("c", "")) => (true, PageRequest { cursor: None, ..request.clone() }),
        Some(("c", rest)) => (true, PageRequest { cursor: Some(rest.to_owned()), ..request.clone() }),
        Some(_) => return Err(Error::invalid("cursor-invalid", "cursor", "no cursor of this list").into()),
    };
    if closed {
        let page = page::<ClosedItem, _>(work, filter, &inner, |closed| take(closed.item))?;
        return Ok(Page { items: page.items, next: page.next.map(|next| format!("c{next}")) });
    }
    let page = page::<OpenItem, _>(work, filter, &inner, take)?;
    Ok(Page { items: page.items, next: Some(page.next.map_or_else(|| "c".to_owned(), |next| format!("o{next}"))) })
}

fn page<R: Record, T>(
    work: &Work,
    filter: &ItemFilter,
    request: &PageRequest,
    step: impl FnMut(R) -> Result<Step<T>>,
) -> Result<Page<T>> {
    match &filter.account {
        Some(account) => list::<R, T>(work, account, None, request, step),
        None => list::<R, T>(work, &(), None, request, step),
    }
}

/// How old what is open is, by the days that it is overdue: `limits` are the last days of the buckets, such as 30, 60, 90.
///
/// # Errors
/// In order: `ledger-read-denied` as [`list_open_items`]; `buckets-invalid`; `too-many-rows` above [`MAX_AGED`] items; `overflow`.
pub fn ageing(work: &Work, filter: &ItemFilter, limits: Vec<u16>) -> Result<Vec<AgeingRow>> {
    check_read(work, Operation::OpenItemsAgeing, filter.account.as_ref())?;
    let mut ageing = Ageing::new(filter.as_of.unwrap_or(work.today), limits)?;
    let mut left = MAX_AGED;
    let mut add = |item: &OpenItem| -> Result<()> {
        left = left.checked_sub(1).ok_or_else(|| {
            Error::refused("too-many-rows", format!("an ageing looks at {MAX_AGED} items at most; ask for one account"))
        })?;
        let wanted = filter.party.as_ref().is_none_or(|party| item.party.as_ref() == Some(party));
        if wanted && is_readable(work, Operation::OpenItemsAgeing, &item.account)? {
            ageing.add(item)?;
        }
        Ok(())
    };
    match &filter.account {
        Some(account) => each::<OpenItem>(work, account, |item| add(&item))?,
        None => each::<OpenItem>(work, &(), |item| add(&item))?,
    }
    if filter.as_of.is_some() {
        match &filter.account {
            Some(account) => each::<ClosedItem>(work, account, |closed| add(&closed.item))?,
            None => each::<ClosedItem>(work, &(), |closed| add(&closed.item))?,
        }
    }
    Ok(ageing.rows())
}

fn each<R: Record>(work: &Work, prefix: &impl RecordKey, mut see: impl FnMut(R) -> Result<()>) -> Result<()> {
    let mut after = None;
    loop {
        let rows = work.tx().scan::<R>(prefix, after.as_deref(), CHUNK)?;
        let last = rows.len() < CHUNK;
        after = rows.last().map(|(key, _)| key.clone());
        for (_, row) in rows {
            see(row)?;
        }
        if last {
            return Ok(());
        }
    }
}

/// Matches debits with credits of one account, in pairs; needs the right to post both sides of it. Posts an entry as well if something
/// is given up or the base values of both sides differ.
///
/// # Errors
/// In order: `ledger-post-denied` (nothing may be posted at all); the form (see [`ledger::check_match`]); `exists-with-different`; `ledger-post-denied` and
/// the like for the account; then as [`ledger::match_pairs`], [`ledger::match_entry`]; then of the entry as [`post`](super::post). Items of accounts that may not be read
/// are `item-not-found`.
pub fn match_items(work: &mut Work, new: NewMatch) -> Result<MatchDone> {
    work.rights().check_post_ledger(Operation::OpenItemsMatchItems)?;
    ledger::check_match(&new)?;
    if let Some(existing) = work.tx().get::<Match>(&new.id)? {
        ledger::same_match(&existing, &new)?;
        return Ok(MatchDone { on_record: existing, replayed: true });
    }
    let mut items = load(work, Operation::OpenItemsMatchItems, &new)?;
    let account = match items.get(&new.pairs.first().map_or_else(|| nothing(&new), |pair| pair.debit.clone())) {
        Some(item) => item.account.clone(),
        // The rules say which one is missing.
        None => new.id.clone(),
    };
    let total = new.pairs.iter().fold(0_u64, |sum, pair| sum.saturating_add(pair.minor));
    if let Some(item) = items.values().find(|item| item.account == account) {
        check_post(work, Operation::OpenItemsMatchItems, &account, Money { minor: total, ..item.amount }, new.date)?;
    }
    let shares = ledger::match_pairs(&new, &mut items)?;
    let exchange = exchange_of(work, &account)?;
    let entry = ledger::match_entry(&new, &account, &items, shares, exchange.as_ref())?;
    let posted = match entry {
        None => None,
        Some(entry) => {
            journal::check_post(work, Operation::OpenItemsMatchItems, &entry.lines, Some(entry.date), true)?;
            journal::check_new_id(work, &entry.id)?;
            // Items first: the entry is noted against what is on record.
            Some(journal::post_new(work, entry, How { own: true, ..How::of(Operation::OpenItemsMatchItems) })?)
        }
    };
    if let (Some(posted), Some(write_off)) = (&posted, &new.write_off) {
        close_written_off(work, &new, write_off.item.clone(), posted, &mut items)?;
    }
    for item in items.values() {
        put(work, item)?;
    }
    let on_record = Match { new, account, recorded_at: work.now, posted: posted.is_some(), undone: None };
    work.put(&on_record)?;
    work.effect(Effect::ItemsMatched(on_record.clone()));
    Ok(MatchDone { on_record, replayed: false })
}

/// The line that gave up what was left, against the item that it was left of.
fn close_written_off(
    work: &Work,
    new: &NewMatch,
    item: ItemRef,
    posted: &Entry,
    items: &mut BTreeMap<ItemRef, OpenItem>,
) -> Result<()> {
    let of = ItemRef { entry: posted.new.id.clone(), line: 0 };
    let Some(mut counter) = find(work, Operation::OpenItemsMatchItems, &of)? else { return Ok(()) };
    let minor = counter.open();
    counter.take(&new.id, new.date, minor)?;
    if let Some(item) = items.get_mut(&item) {
        item.take(&new.id, new.date, minor)?;
    }
    items.insert(of, counter);
    Ok(())
}

/// Takes a match back: what was matched is open again, and what was posted with it is reversed by `entry`.
///
/// # Errors
/// In order: `ledger-post-denied` (nothing may be posted at all); `text-invalid`; `not-found`; `ledger-post-denied` and the like; `already-undone`; `entry-needed`; then of the
/// reversal as [`reverse`](super::reverse).
pub fn unmatch(work: &mut Work, id: &Id, reason: &str, entry: Option<&Id>) -> Result<MatchDone> {
    work.rights().check_post_ledger(Operation::OpenItemsUnmatch)?;
    check_reason(reason, "reason")?;
    let found = work.tx().get::<Match>(id)?;
    let mut on_record = match found {
        Some(found) if is_readable(work, Operation::OpenItemsUnmatch, &found.account)? => found,
        _ => return Err(Error::not_found("match", id).into()),
    };
    let mut items = load(work, Operation::OpenItemsUnmatch, &on_record.new)?;
    if let Some(item) = items.values().next() {
        check_post(work, Operation::OpenItemsUnmatch, &on_record.account, item.amount, on_record.new.date)?;
    }
    if let Some(undone) = &on_record.undone {
        return match undone.reason == reason && undone.entry.as_ref() == entry {
            true => Ok(MatchDone { on_record, replayed: true }),
            false => {
                let message = format!("the match {id} was undone before");
                Err(Error::at(Class::Refused, "already-undone", "id", message).into())
            }
        };
    }
    if on_record.posted
        && let Some(posted) = &on_record.new.entry
    {
        let of = ItemRef { entry: posted.clone(), line: 0 };
        if on_record.new.write_off.is_some()
            && let Some(counter) = find(work, Operation::OpenItemsUnmatch, &of)?
        {
            items.insert(of, counter);
        }
    }
    for item in items.values_mut() {
        item.give_back(id);
        put(work, item)?;
    }
    let taken_back = match (&on_record.new.entry, entry) {
        (Some(posted), Some(entry)) if on_record.posted => {
            let (of, entry) = (posted.clone(), entry.clone());
            let asked = Reversal { of, entry, date: ReversalDate::Now, reason: reason.to_owned(), force: true };
            Some(reverse::reverse_as(work, Operation::OpenItemsUnmatch, &asked)?.entry.new.id)
        }
        (Some(_), None) if on_record.posted => {
            let message = "an entry was posted with this match: say the id of the one that takes it back";
            return Err(Error::at(Class::Refused, "entry-needed", "entry", message).into());
        }
        _ => None,
    };
    on_record.undone = Some(Undone { reason: reason.to_owned(), at: work.now, entry: taken_back });
    work.put(&on_record)?;
    work.effect(Effect::MatchUndone(on_record.clone()));
    Ok(MatchDone { on_record, replayed: false })
}

/// What there is under the names of a match.
fn load(work: &Work, operation: Operation, new: &NewMatch) -> Result<BTreeMap<ItemRef, OpenItem>> {
    let pairs = new.pairs.iter().flat_map(|pair| [&pair.debit, &pair.credit]);
    let mut items = BTreeMap::new();
    for of in pairs.chain(new.write_off.as_ref().map(|write_off| &write_off.item)) {
        if !items.contains_key(of)
            && let Some(item) = find(work, operation, of)?
        {
            items.insert(of.clone(), item);
        }
    }
    Ok(items)
}

fn nothing(new: &NewMatch) -> ItemRef {
    ItemRef { entry: new.id.clone(), line: 0 }
}

/// Where exchange differences of the account's book go.
fn exchange_of(work: &Work, account: &Id) -> Result<Option<Exchange>> {
    let total = work.tx().get::<ledger::AccountTotal>(account)?;
    let Some(rules) = total.and_then(|total| total.rules) else { return Ok(None) };
    let Some(base) = rules.base else { return Ok(None) };
    let book = rules.book.map_or_else(|| Id::parse(ledger::MAIN_BOOK, "book"), Ok)?;
    let book = work.tx().get::<Book>(&book)?;
    Ok(book.map(|Book { new, .. }| Exchange { base, gain: new.exchange_gain, loss: new.exchange_loss }))
}

/// Who may post both sides of an account may say which of them belong together.
pub(crate) fn check_post(
    work: &Work,
    operation: Operation,
    account: &Id,
    amount: Money,
    date: BusinessDate,
) -> Result<()> {
    let line = |side| Line::new(account.clone(), side, amount);
    journal::check_post(work, operation, &[line(Side::Debit), line(Side::Credit)], Some(date), true)
}

fn check_read(work: &Work, operation: Operation, account: Option<&Id>) -> Result<()> {
    let rights = work.rights();
    match account {
        Some(account) => rights.check_read_account(operation, account, kind_of(work, account)?)?,
        None => rights.check_read_ledger(operation)?,
    }
    Ok(())
}

pub(crate) fn is_readable(work: &Work, operation: Operation, account: &Id) -> Result<bool> {
    Ok(work.rights().read_account(operation, account, kind_of(work, account)?))
}
