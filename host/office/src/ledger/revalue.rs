//! Revaluation of foreign balances.

use backroom_domain::ledger::revaluation::{MAX_ACCOUNTS, REVALUE_KIND, difference, lines, swapped};
use backroom_domain::ledger::year::Net;
use backroom_domain::ledger::{Balance, Book, Line, NewRevaluation, Revaluation, Revalued};
use backroom_domain::rights::Operation;
use backroom_domain::{BusinessDate, Class, Currency, Effect, Error, Id, Money, Side};

use super::balances::{AsOf, balance_of};
use super::books::{in_book, known};
use super::periods::Changed;
use super::rates::{self, CLOSING};
use super::year::{check_id, host_entry, post_own};
use crate::error::Result;
use crate::ledger::journal;
use crate::work::Work;

/// Revalues foreign balances as of a day: an entry brings what each account is carried at in the base currency to what it is worth at
/// the rate of the day, against the exchange gain and loss accounts of the book. The balances themselves do not change. If it is to be
/// reversed, a second entry takes it back on the next day. Needs `ledger.rates` for the book; the entries are the host's, so that no
/// right to post and no ceiling counts.
///
/// # Errors
/// In order: `rates-denied`; `id-too-long`, `no-accounts`, `too-many-accounts`, `account-twice`; `book-not-found`; `no-base-currency`;
/// of the accounts in order `account-not-found`, `book-mismatch`, `account-is-header`, `history-not-kept`, `not-foreign`;
/// `already-revalued` (of that day; a repeat with the same id is replayed); `exists-with-different` (the id of the entry is taken);
/// `rate-missing`; `exchange-account-missing`; as of posting: `account-closed`; `period-locked`, `future-date`; `budget-exceeded`;
/// `overflow`.
pub fn revalue(work: &mut Work, book: &Id, new: NewRevaluation) -> Result<Changed<Revaluation>> {
    work.rights().check_rates(Operation::Revalue, Some(book))?;
    check_form(&new)?;
    let Some(Book { new: of, .. }) = known(work, book)? else {
        let message = format!("the book {book} has no base currency to revalue in");
        return Err(Error::at(Class::Refused, "no-base-currency", "book", message).into());
    };
    let balances = balances(work, book, of.base, &new)?;
    let kind = new.kind.clone().map_or_else(|| Id::parse(CLOSING, "type"), Ok)?;
    if let Some(revalued) = before(work, &new, &kind)? {
        let entries = revalued.first().map(|one| one.entries.clone()).unwrap_or_default();
        return Ok(Changed { value: Revaluation { book: book.clone(), new, revalued, entries }, replayed: true });
    }
    journal::check_new_id(work, &new.id)?;
    let mut revalued = Vec::new();
    let mut differences = Vec::new();
    for balance in balances {
        let (account, currency) = (balance.account.clone(), balance.currency);
        let found = rates::find(work, book, currency, of.base, &kind, new.as_of)?;
        let change = difference(carried(&balance), currency, of.base, found.rate)?;
        let side = if change < 0 { Side::Credit } else { Side::Debit };
        let minor = u64::try_from(change.unsigned_abs()).map_err(|_| Error::overflow("an exchange difference"))?;
        revalued.push(Revalued {
            account: account.clone(),
            as_of: new.as_of,
            id: new.id.clone(),
            rate: found.rate,
            rate_date: found.date,
            side,
            difference: Money { minor, currency: of.base },
            recorded_at: work.now,
            accounts: u32::try_from(new.accounts.len()).unwrap_or(u32::MAX),
            kind: kind.clone(),
            reverse: new.reverse,
            entries: Vec::new(),
        });
        differences.push((account, currency, change));
    }
    let lines = lines(&differences, of.base, of.exchange_gain.as_ref(), of.exchange_loss.as_ref())?;
    let entries = post(work, &new, lines)?;
    for one in &mut revalued {
        one.entries.clone_from(&entries);
        work.put(one)?;
    }
    let value = Revaluation { book: book.clone(), new, revalued, entries };
    work.effect(Effect::Revalued(value.clone()));
    Ok(Changed { value, replayed: false })
}

fn check_form(new: &NewRevaluation) -> Result<()> {
    check_id(&new.id)?;
    let wrong = |word, message: String| Err(Error::invalid(word, "accounts", message).into());
    match new.accounts.len() {
        0 => return wrong("no-accounts", "name the accounts to revalue".to_owned()),
        n if n > MAX_ACCOUNTS => {
            return wrong("too-many-accounts", format!("at most {MAX_ACCOUNTS} accounts, not {n}"));
        }
        _ => {}
    }
    let twice =
        new.accounts.iter().enumerate().find(|(i, one)| new.accounts.iter().take(*i).any(|before| before == *one));
    match twice {
        Some((_, account)) => wrong("account-twice", format!("account {account} is named twice")),
        None => Ok(()),
    }
}

/// What is on each account at the end of the day.
fn balances(work: &Work, book: &Id, base: Currency, new: &NewRevaluation) -> Result<Vec<Balance>> {
    let mut balances = Vec::new();
    for (i, account) in new.accounts.iter().enumerate() {
        let field = format!("accounts[{i}]");
        if work.tx().get::<backroom_domain::ledger::Account>(account)?.is_none() {
            let message = format!("there is no account {account}");
            return Err(Error::at(Class::NotFound, "account-not-found", field, message).into());
        }
        if !in_book(work, account, book)? {
            let message = format!("account {account} is in another book than {book}");
            return Err(Error::at(Class::Refused, "book-mismatch", field, message).into());
        }
        let balance = balance_of(work, account, AsOf { date: Some(new.as_of), ..AsOf::default() })?;
        if balance.currency == base {
            let message = format!("account {account} is kept in the base currency {base}");
            return Err(Error::at(Class::Refused, "not-foreign", field, message).into());
        }
        balances.push(balance);
    }
    Ok(balances)
}

fn carried(balance: &Balance) -> Net {
    let net = |debits: u64, credits: u64| i128::from(debits) - i128::from(credits);
    let base = balance.base.map_or(0, |base| net(base.debits, base.credits));
    Net { amount: net(balance.debits, balance.credits), base }
}

/// The same revaluation, if it was done before.
fn before(work: &Work, new: &NewRevaluation, kind: &Id) -> Result<Option<Vec<Revalued>>> {
    let mut found = Vec::new();
    for (i, account) in new.accounts.iter().enumerate() {
        let Some(old) = work.tx().get::<Revalued>(&(account.clone(), new.as_of))? else { continue };
        if old.id != new.id {
            let message = format!("account {account} was revalued as of {} by {}", new.as_of, old.id);
            return Err(Error::at(Class::Refused, "already-revalued", format!("accounts[{i}]"), message).into());
        }
        found.push(old);
    }
    let Some(first) = found.first() else { return Ok(None) };
    let field = match () {
        () if usize::try_from(first.accounts).ok() != Some(new.accounts.len()) => "accounts",
        () if found.len() != new.accounts.len() => "accounts",
        () if first.kind != *kind => "type",
        () if first.reverse != new.reverse => "reverse",
        () => return Ok(Some(found)),
    };
    Err(Error::exists_with_different("revaluation", &new.id, field).into())
}

fn post(work: &mut Work, new: &NewRevaluation, lines: Vec<Line>) -> Result<Vec<Id>> {
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let back = swapped(&lines);
    let description = format!("Revaluation as of {}", new.as_of);
    let entry = host_entry(new.id.clone(), new.as_of, description.clone(), REVALUE_KIND, lines)?;
    let next = if new.reverse { Some(next_day(new.as_of)?) } else { None };
    // Both or none: an entry alone would be half of what was asked for.
    work.attempt(|work| {
        let mut entries = vec![post_own(work, entry, false)?];
        if let Some(date) = next {
            let id = Id::parse(&format!("{}:back", new.id), "id")?;
            let entry = host_entry(id, date, format!("{description}, taken back"), REVALUE_KIND, back)?;
            entries.push(post_own(work, entry, false)?);
        }
        Ok(entries)
    })
}

fn next_day(day: BusinessDate) -> Result<BusinessDate> {
    let none = || Error::at(Class::Refused, "overflow", "as-of", "there is no day behind it");
    Ok(day.next_day().ok_or_else(none)?)
}
