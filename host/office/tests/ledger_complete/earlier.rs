//! Accounts that a release from before gaps were noted has written: their days say whether anything is missing.

use std::sync::Arc;

use backroom_domain::ledger::{
    Account, AccountChange, AccountRules, AccountTotal, AccountType, HoldRelease, Line, NewAccount, NewEntry, NewHold,
};
use backroom_domain::rights::Rights;
use backroom_domain::{BusinessDate, Currency, Instant, Money, Side};
use backroom_office::ledger::{balance, create_account, hold, post, release, reopen_account, update_account};
use backroom_office::{Caller, Failure, Work};
use backroom_store::{Store, TenantNo};

use crate::script::id;

fn day(n: u8) -> BusinessDate {
    BusinessDate::new(2026, 6, n, "d").unwrap()
}

/// Accounts `a` and `b`, which a release from before gaps were noted has written.
fn old_books() -> Work {
    let layers = vec![Arc::new(Rights::all())];
    let caller = Caller { actor: "test".into(), layers, installation: None, run: None };
    let mut work = Work::new(Store::memory().write(TenantNo(1)).unwrap(), caller, Instant(7), day(30));
    for code in ["a", "b"] {
        let (code, name, kind) = (id(code), code.to_owned(), AccountType::Asset);
        let (currency, parent, rules) = (Currency::parse("USD", "c").unwrap(), None, AccountRules::default());
        let new = NewAccount { code, name, kind, parent, currency, posting: true, stock_control: false, rules };
        create_account(&mut work, new).unwrap();
        forget(&mut work);
    }
    work
}

/// As if that release had written the totals.
fn forget(work: &mut Work) {
    for code in ["a", "b"] {
        if let Some(total) = work.tx().get::<AccountTotal>(&id(code)).unwrap() {
            work.put(&AccountTotal { gap: None, latest: None, ..total }).unwrap();
        }
    }
}

fn lines(minor: u64) -> Vec<Line> {
    let amount = Money { minor, currency: Currency::parse("USD", "c").unwrap() };
    vec![Line::new(id("a"), Side::Debit, amount), Line::new(id("b"), Side::Credit, amount)]
}

fn entry(n: u8) -> NewEntry {
    NewEntry::new(id(&format!("e{n}")), day(n), "x".into(), lines(n.into()))
}

/// Switches the history of `a` on or off, as that release does it.
fn switch(work: &mut Work, history: bool) {
    let expected_version = work.tx().get::<Account>(&id("a")).unwrap().unwrap().version;
    let rules = Some(AccountRules { history, ..AccountRules::default() });
    update_account(work, &id("a"), AccountChange { expected_version, name: None, rules }).unwrap();
    forget(work);
}

/// The debits of `a` as of a day; none if they are not known.
fn debits(work: &Work, n: u8) -> Option<u64> {
    match balance(work, &id("a"), Some(day(n))) {
        Ok(balance) => Some(balance.debits),
        Err(Failure::Business(error)) if error.code() == "history-not-kept" => None,
        Err(failure) => panic!("{failure}"),
    }
}

#[test]
fn an_account_of_an_earlier_release_has_a_history_if_its_days_add_up() {
    let mut work = old_books();
    post(&mut work, entry(1)).unwrap();
    assert_eq!((debits(&work, 1), debits(&work, 2)), (Some(1), Some(1)));
    // Changed, with nothing posted meanwhile.
    switch(&mut work, false);
    assert_eq!(debits(&work, 2), None);
    switch(&mut work, true);
    post(&mut work, entry(3)).unwrap();
    hold(&mut work, NewHold { entry: entry(4), timeout_seconds: Some(9) }).unwrap();
    assert_eq!([0, 1, 2, 3].map(|n| debits(&work, n + 1)), [Some(1), Some(1), Some(4), Some(4)]);

    switch(&mut work, false);
    post(&mut work, entry(5)).unwrap();
    switch(&mut work, true);
    post(&mut work, entry(6)).unwrap();
    assert_eq!([1, 4, 5, 6, 7].map(|n| debits(&work, n)), [None; 5]);
    // Nobody knows until when, until it is looked up.
    reopen_account(&mut work, &id("a")).unwrap();
    assert_eq!(debits(&work, 6), None, "an open account stays as it is");
    let expected_version = work.tx().get::<Account>(&id("a")).unwrap().unwrap().version;
    let name = Some("A".to_owned());
    update_account(&mut work, &id("a"), AccountChange { expected_version, name, rules: None }).unwrap();
    assert_eq!([5, 6, 7].map(|n| debits(&work, n)), [None, Some(15), Some(15)]);
    post(&mut work, entry(7)).unwrap();
    assert_eq!([5, 6, 7].map(|n| debits(&work, n)), [None, Some(15), Some(22)]);
}

#[test]
fn days_with_holds_of_another_time_do_not_add_up() {
    let mut work = old_books();
    let held = |n: u8| NewHold { entry: entry(n), timeout_seconds: None };
    hold(&mut work, held(5)).unwrap();
    switch(&mut work, false);
    let asked = |n: u8| HoldRelease { hold: id(&format!("e{n}")), amount: None };
    release(&mut work, &asked(5)).unwrap();
    // The sums of what is held are alike by now, but not of the same days.
    let other = NewEntry { lines: lines(5), ..entry(9) };
    hold(&mut work, NewHold { entry: other, timeout_seconds: None }).unwrap();
    switch(&mut work, true);
    assert_eq!(debits(&work, 1), None);
}

#[test]
fn an_account_that_was_made_without_a_history_has_none_of_that_time() {
    let mut work = old_books();
    switch(&mut work, false);
    let mut account = work.tx().get::<Account>(&id("a")).unwrap().unwrap();
    account.version = 0;
    work.put(&account).unwrap();
    post(&mut work, entry(3)).unwrap();
    switch(&mut work, true);
    assert_eq!(debits(&work, 3), None);
}
