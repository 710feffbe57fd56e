//! The books that most requests of the tables are made to.

use backroom_domain::ledger::{
    AccountClosing, AccountRules, AccountType, Amount, BudgetAction, BudgetPeriod, EntryDetails, HoldRelease, LockKind,
    NewAccount, NewBook, NewBudget, NewEntry, NewHold, Scope, Settlement,
};
use backroom_domain::{Id, MAX_MINOR};
use backroom_office::Work;
use backroom_office::ledger::{
    close_account, create_account, create_book, hold, limit_future, lock_period, post, release, set_budget, settle,
};

use crate::books::{Books, account, code, day, entry, header, id, money, pair};

/// A book in USD.
pub(crate) fn book(name: &str) -> NewBook {
    NewBook {
        id: id(name),
        name: "A book".to_owned(),
        base: money(0, "USD").currency,
        year_start: 1,
        retained_earnings: None,
        exchange_gain: None,
        exchange_loss: None,
    }
}

pub(crate) fn close(work: &mut Work, account: &str) {
    close_account(work, &id(account), AccountClosing { reason: "not used".to_owned(), sweep: None }).unwrap();
}

/// The book `b` in USD, with an account for each reason to be refused, and accounts of `main`. Of `b` everything is locked until the end
/// of January, what is sold until the end of 2027, and nothing is posted more than twelve days ahead, which is until the third of July.
pub(crate) fn chart() -> Books {
    let books = Books::new();
    books.set_up(|work| {
        create_book(work, book("b")).unwrap();
        accounts(work);
        close(work, "b/shut");
        post(work, entry("full", "2026-01-01", pair("b/full", "b/cash", MAX_MINOR - 100, "USD"))).unwrap();
        post(work, entry("rich", "2026-01-01", pair("b/rich", "b/cash", 5, "USD"))).unwrap();
        let details = EntryDetails { reference: Some("INV 1".to_owned()), ..EntryDetails::default() };
        post(work, NewEntry { details: Some(Box::new(details)), ..rent("taken") }).unwrap();
        let lost = || entry("burnt", "2026-06-30", pair("b/nowhere", "b/cash", 1, "USD"));
        assert_eq!(code(post(work, lost())), "account-not-found");
        assert_eq!(code(hold(work, NewHold { entry: lost(), timeout_seconds: None })), "account-not-found");
        holds(work);
        let main = id("b");
        lock_period(work, &main, Scope::All, LockKind::Soft, day("2026-01-31")).unwrap();
        lock_period(work, &main, Scope::Sales, LockKind::Soft, day("2027-12-31")).unwrap();
        limit_future(work, &main, Some(12)).unwrap();
        let period = BudgetPeriod { first: day("2026-01-01"), last: day("2027-12-31"), amount: money(5, "USD") };
        let budget = NewBudget {
            id: id("cost"),
            account: id("b/cost"),
            dimension: None,
            periods: vec![period],
            action: BudgetAction::Stop,
        };
        set_budget(work, &main, budget, None).unwrap();
    });
    books
}

fn accounts(work: &mut Work) {
    let plain = AccountRules::default;
    let rows = [
        ("other", "USD", plain()),
        ("b/cash", "USD", plain()),
        ("b/bank", "USD", plain()),
        ("b/full", "USD", plain()),
        ("b/rich", "USD", plain()),
        ("b/idle", "USD", plain()),
        ("b/kept", "USD", plain()),
        ("b/eur", "EUR", plain()),
        ("b/need", "USD", AccountRules { required_dimensions: vec![id("cc")], ..plain() }),
        ("b/party", "USD", AccountRules { party_required: true, ..plain() }),
        ("b/shut", "USD", plain()),
        ("b/auto", "USD", AccountRules { manual: false, ..plain() }),
        ("b/till", "USD", AccountRules { min_available: Some(Amount::of(0)), ..plain() }),
        ("b/top", "USD", AccountRules { max_available: Some(Amount::of(0)), ..plain() }),
        ("b/short", "USD", AccountRules { history: false, ..plain() }),
    ];
    for (name, currency, rules) in rows {
        create_account(work, NewAccount { rules, ..account(name, currency) }).unwrap();
    }
    create_account(work, NewAccount { kind: AccountType::Expense, ..account("b/cost", "USD") }).unwrap();
    create_account(work, header("b/head")).unwrap();
    create_account(work, header("head")).unwrap();
}

/// Holds in every state.
fn holds(work: &mut Work) {
    let rows = [("open", None), ("settled", None), ("released", None), ("short", Some(10)), ("kept", None)];
    for (name, timeout_seconds) in rows {
        // Of the last one, the account has a balance as well.
        let (from, to) = if name == "kept" { ("b/cash", "b/kept") } else { ("b/cash", "b/bank") };
        let entry = entry(name, "2026-06-30", pair(from, to, 8, "USD"));
        hold(work, NewHold { entry, timeout_seconds }).unwrap();
    }
    let euros = entry("euros", "2026-06-30", pair("b/eur", "b/eur", 8, "EUR"));
    hold(work, NewHold { entry: euros, timeout_seconds: None }).unwrap();
    post(work, entry("kept", "2026-06-30", pair("b/kept", "b/bank", 9, "USD"))).unwrap();
    let asked = Settlement { hold: id("settled"), entry: id("whole"), amount: None, last: false, date: None };
    settle(work, &asked).unwrap();
    release(work, &HoldRelease { hold: id("released"), amount: None }).unwrap();
}

pub(crate) fn rent(name: &str) -> NewEntry {
    entry(name, "2026-06-30", pair("b/cash", "b/bank", 1, "USD"))
}

pub(crate) fn details(entry: &mut NewEntry) -> &mut EntryDetails {
    entry.details.get_or_insert_with(Box::default)
}

pub(crate) fn ids(names: &[&str]) -> Vec<Id> {
    names.iter().map(|name| id(name)).collect()
}
