//! Proof of the journal as the records have it: entry by entry, without a gap, each one balanced.
//!
//! The commit log has a chain of hashes of its own, over everything that a tenant did. This one is over what is in the books, so whoever
//! reads them can compute it.

use std::collections::BTreeSet;
use std::ops::Bound;

use backroom_domain::ledger::{self, Book, Entry, MAIN_BOOK};
use backroom_domain::rights::Operation;
use backroom_domain::{Class, Currency, Error, Id};
use backroom_store::records::EntryNumber;
use backroom_store::{Hash, StoreError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::accounts::kind_of;
use super::journal::find;
use super::reports::MAX_SCANNED;
use crate::error::Result;
use crate::work::Work;

/// Numbers read at once.
const CHUNK: usize = 1_000;

/// What comes of looking through a stretch of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Verified {
    /// The first number that was looked at.
    pub from: u64,
    /// The last number; less than `from` if there is none.
    pub to: u64,
    /// How many entries are right, one after the other.
    pub entries: u64,
    /// The hash of the last of them, which covers all before it in the stretch; zeros if there is none.
    pub head: Hash,
    /// The first that is wrong, if one is. Nothing behind it was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bad: Option<BadEntry>,
}

/// An entry that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct BadEntry {
    /// Its number in the journal.
    pub number: u64,
    /// What is wrong with it.
    pub what: String,
}

/// Looks through the entries `from` (none: the first) to `to` (none: the newest): each number is there, its entry says the same
/// number, and it balances. The head is BLAKE3 of the head before it and the entry as it is encoded in records, without the one
/// thing that is written later (`reversed-by`). Every account in it must be readable.
///
/// # Errors
/// In order: `ledger-read-denied` without the right to read any account; `range-invalid`; `too-many-entries` above [`MAX_SCANNED`];
/// `ledger-read-denied` at the first account that may not be read.
pub fn verify(work: &Work, from: Option<u64>, to: Option<u64>) -> Result<Verified> {
    work.rights().check_read_ledger(Operation::Verify)?;
    let newest = work.tx().last::<EntryNumber>(&())?.map_or(0, |last| last.number);
    let from = from.unwrap_or(1);
    if from == 0 || to.is_some_and(|to| to < from) {
        let message = "numbers begin with 1, and the last is not before the first";
        return Err(Error::at(Class::Invalid, "range-invalid", "from", message).into());
    }
    let to = to.unwrap_or(newest).min(newest);
    if to.saturating_sub(from) >= MAX_SCANNED {
        let message = format!("at most {MAX_SCANNED} entries are looked through at once; say from where to where");
        return Err(Error::refused("too-many-entries", message).into());
    }
    let mut verified = Verified { from, to, entries: 0, head: Hash::ZERO, bad: None };
    let (mut readable, mut next) = (BTreeSet::new(), from);
    while next <= to && verified.bad.is_none() {
        let rows = work.tx().scan_range::<EntryNumber>(Bound::Included(next), Bound::Included(to), CHUNK)?;
        let end = next.saturating_add(CHUNK as u64).min(to.saturating_add(1));
        let mut rows = rows.into_iter().map(|(_, row)| row);
        for number in next..end {
            match entry(work, number, rows.next())? {
                Ok(entry) => {
                    check_readable(work, &entry, &mut readable)?;
                    verified.head = link(verified.head, entry)?;
                    verified.entries = verified.entries.saturating_add(1);
                }
                Err(what) => {
                    verified.bad = Some(BadEntry { number, what });
                    break;
                }
            }
        }
        next = end;
    }
    Ok(verified)
}

/// The entry of this number, or what is wrong with it.
fn entry(work: &Work, number: u64, row: Option<EntryNumber>) -> Result<std::result::Result<Entry, String>> {
    let Some(row) = row.filter(|row| row.number == number) else {
        return Ok(Err("there is no entry of this number".to_owned()));
    };
    let Some(entry) = find(work, &row.id)? else {
        return Ok(Err(format!("it is said to be {}, which is not there", row.id)));
    };
    if entry.number != number || entry.new.id != row.id {
        return Ok(Err(format!("it is said to be {}, which is number {}", row.id, entry.number)));
    }
    // What is wrong with it names its accounts.
    check_readable(work, &entry, &mut BTreeSet::new())?;
    let why = ledger::why_unbalanced(&entry.new.lines, base(work, entry.book.as_ref())?);
    Ok(why.map_or(Ok(entry), Err))
}

/// The base currency of a book; none named: of `main`.
fn base(work: &Work, book: Option<&Id>) -> Result<Option<Currency>> {
    let book = book.map_or_else(|| Id::parse(MAIN_BOOK, "book"), |book| Ok(book.clone()))?;
    Ok(work.tx().get::<Book>(&book)?.map(|book| book.new.base))
}

fn check_readable(work: &Work, entry: &Entry, readable: &mut BTreeSet<Id>) -> Result<()> {
    for line in &entry.new.lines {
        if !readable.contains(&line.account) {
            work.rights().check_read_account(Operation::Verify, &line.account, kind_of(work, &line.account)?)?;
            readable.insert(line.account.clone());
        }
    }
    Ok(())
}

fn link(before: Hash, entry: Entry) -> Result<Hash> {
    let id = entry.new.id.clone();
    let mut bytes = before.0.to_vec();
    let encoded = minicbor::encode(Entry { reversed_by: None, ..entry }, &mut bytes);
    encoded.map_err(|why| StoreError::Corrupt { place: format!("journal entry {id}"), what: why.to_string() })?;
    Ok(Hash::of(&bytes))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use backroom_domain::ledger::{AccountType, Line, NewAccount, NewEntry};
    use backroom_domain::rights::Rights;
    use backroom_domain::{BusinessDate, Instant, Money, Side};
    use backroom_store::records::StoredEntry;
    use backroom_store::{Meta, Store, TenantNo};

    use super::*;
    use crate::work::Caller;

    fn id(text: &str) -> Id {
        Id::parse(text, "id").unwrap()
    }

    fn day() -> BusinessDate {
        BusinessDate::parse("2026-06-30", "d").unwrap()
    }

    fn work(store: &Store) -> Work {
        let layers = vec![Arc::new(Rights::all())];
        let caller = Caller { actor: "test".into(), layers, installation: None, run: None };
        Work::new(store.write(TenantNo(1)).unwrap(), caller, Instant(7), day())
    }

    fn commit(work: Work) {
        work.seal().unwrap().commit(Meta::default()).unwrap().ticket.wait().unwrap();
    }

    /// Entries e1 to e4.
    fn books() -> Store {
        let store = Store::memory();
        let mut work = work(&store);
        let currency = Currency::parse("USD", "c").unwrap();
        for code in ["1000", "6100"] {
            let (code, name, kind) = (id(code), code.to_owned(), AccountType::Asset);
            let (parent, rules) = (None, Default::default());
            let new = NewAccount { code, name, kind, parent, currency, posting: true, stock_control: false, rules };
            super::super::create_account(&mut work, new).unwrap();
        }
        for n in 1..=4 {
            let line = |account, side| Line::new(id(account), side, Money { minor: n, currency });
            let lines = vec![line("6100", Side::Debit), line("1000", Side::Credit)];
            super::super::post(&mut work, NewEntry::new(id(&format!("e{n}")), day(), "x".into(), lines)).unwrap();
        }
        commit(work);
        store
    }

    /// Behind the back of every rule.
    fn tamper(store: &Store, with: impl FnOnce(&mut Work)) -> Verified {
        let mut tampered = work(store);
        with(&mut tampered);
        commit(tampered);
        verify(&work(store), None, None).unwrap()
    }

    fn entry_of(work: &Work, name: &str) -> StoredEntry {
        work.tx().get::<StoredEntry>(&id(name)).unwrap().unwrap()
    }

    #[test]
    fn what_was_done_behind_the_back_of_the_rules_is_found() {
        let store = books();
        let sound = verify(&work(&store), None, None).unwrap();
        assert_eq!((sound.from, sound.to, sound.entries, &sound.bad), (1, 4, 4, &None));
        let first = verify(&work(&store), None, Some(2)).unwrap();

        let unbalanced = tamper(&store, |work| {
            let mut stored = entry_of(work, "e3");
            stored.entry.new.lines[0].amount.minor = 99;
            work.put(&stored).unwrap();
        });
        assert_eq!((unbalanced.entries, unbalanced.head), (2, first.head));
        assert_eq!(unbalanced.bad.unwrap().number, 3);

        let store = books();
        let missing = tamper(&store, |work| work.tx_mut().delete::<EntryNumber>(&2));
        assert_eq!((missing.entries, missing.bad.unwrap().number), (1, 2));

        let store = books();
        let renumbered = tamper(&store, |work| work.put(&EntryNumber { number: 2, id: id("e4") }).unwrap());
        assert_eq!(renumbered.bad.unwrap().number, 2);

        // What balances and is there is still not what it was.
        let store = books();
        let other = tamper(&store, |work| {
            let mut stored = entry_of(work, "e1");
            stored.entry.new.description = "y".into();
            work.put(&stored).unwrap();
        });
        assert!(other.bad.is_none() && other.head != sound.head);
    }
}
