//! The host functions called without a guest: every import with and without its grant, malformed forms, and what is counted.
#![allow(clippy::unwrap_used, reason = "what these tests set up is valid by construction")]
#![allow(clippy::panic, clippy::indexing_slicing, reason = "a failed helper is a failed test")]

use std::sync::Arc;

use backroom_domain::hr::{NewEmployment, NewWorker, Place};
use backroom_domain::inventory::{NewItem, NewLocation, Tracking, Usage};
use backroom_domain::ledger::{AccountRules, AccountType, NewAccount, NewBook};
use backroom_domain::outbound::Method;
use backroom_domain::rights::{Grant, HrField, Rights};
use backroom_domain::{BusinessDate, Class, Currency, Id, Instant};
use backroom_office::calls::{Answer, Exchange, Request, Response};
use backroom_office::runs::FaultKind;
use backroom_office::{Caller, Work, hr, inventory, ledger};
use backroom_store::records::Limits;
use backroom_store::{Meta, Store, TenantNo};

use crate::bindings::backroom::host::{clock, config, files, http, log, state};
use crate::bindings::backroom::hr::{benefits, workers};
use crate::bindings::backroom::inventory::{items, stock};
use crate::bindings::backroom::ledger::{
    accounts, balances, bank, books, budgets, chart, holds, journal, open_items, periods, rates, reports, review,
};
use crate::bindings::backroom::types::types;
use crate::error::HostError;
use crate::outbound::Calls;
use crate::state::RunState;

mod matrix;

const TENANT: TenantNo = TenantNo(1);
const NOW: Instant = Instant(1_782_777_600_000_000);
const DAY: types::BusinessDate = types::BusinessDate { year: 2026, month: 6, day: 30 };

fn id(text: &str) -> Id {
    Id::parse(text, "id").unwrap()
}

fn usd(minor: u64) -> types::Money {
    types::Money { minor, currency: "USD".to_owned() }
}

fn work(store: &Store, rights: Rights) -> Work {
    let layers = vec![Arc::new(Rights::all()), Arc::new(rights)];
    let caller = Caller { actor: "test".into(), layers, installation: Some(id("test")), run: Some(id("r1")) };
    Work::new(store.write(TENANT).unwrap(), caller, NOW, BusinessDate::parse("2026-06-30", "d").unwrap())
}

/// Accounts 1000 and 6100, worker w1, item laptop with one unit in stock under the control account 1400.
fn filled() -> Store {
    let store = Store::memory();
    let mut work = work(&store, Rights::all());
    let currency = Currency::parse("USD", "c").unwrap();
    for code in ["1000", "6100", "1400"] {
        let new = NewAccount {
            code: id(code),
            name: format!("Account {code}"),
            kind: AccountType::Asset,
            parent: None,
            currency,
            posting: true,
            stock_control: code == "1400",
            rules: AccountRules { reconcilable: code == "6100", ..AccountRules::default() },
        };
        ledger::create_account(&mut work, new).unwrap();
    }
    surroundings(&mut work, currency);
    let worker = NewWorker { id: id("w1"), name: "Ann".into(), email: None, bank_account: Some("DE00".into()) };
    hr::add_worker(&mut work, worker).unwrap();
    let book = NewBook {
        id: id("main"),
        name: "Main".into(),
        base: currency,
        year_start: 1,
        retained_earnings: None,
        exchange_gain: None,
        exchange_loss: None,
    };
    ledger::create_book(&mut work, book).unwrap();
    let employment = NewEmployment {
        worker: id("w1"),
        from: BusinessDate::parse("2026-01-01", "d").unwrap(),
        to: None,
        position: id("CPA"),
        place: Place::Remote,
        cost_center: id("CC-1"),
        salary: Some(backroom_domain::Money { minor: 5, currency }),
    };
    hr::add_employment(&mut work, employment).unwrap();
    let item = NewItem {
        id: id("laptop"),
        name: "Laptop".into(),
        unit: "each".into(),
        decimals: 0,
        tracking: Tracking::None,
        stock_account: id("1400"),
    };
    inventory::create_item(&mut work, item).unwrap();
    for (name, usage) in [("stock", Usage::Internal), ("vendor", Usage::Supplier), ("staff", Usage::Consumption)] {
        let new = NewLocation { id: id(name), name: name.into(), usage };
        inventory::create_location(&mut work, new).unwrap();
    }
    let mut state = RunState::new(work, Arc::default(), Limits::default());
    rates::Host::set(&mut state, "main".into(), vec![new_rate()]).unwrap();
    budgets::Host::set(&mut state, "main".into(), budget("b0"), None).unwrap();
    periods::Host::grant_exception(&mut state, "main".into(), exception("x0")).unwrap();
    stock::Host::post_move(&mut state, receipt("m0")).unwrap();
    journal::Host::post(&mut state, entry("e0", "1400")).unwrap();
    items_and_bank(&mut state);
    journal::Host::post(&mut state, entry("r0", "6100")).unwrap();
    holds::Host::place(&mut state, entry("h0", "6100"), None, None).unwrap();
    files::Host::write(&mut state, "in".into(), "a".into(), b"hello".to_vec()).unwrap();
    let sealed = state.work.seal().unwrap();
    sealed.commit(Meta::default()).unwrap().ticket.wait().unwrap();
    store
}

/// The year 2024 closed and 2025 locked; a book `eu` with a foreign account and a rate for it.
fn surroundings(work: &mut Work, usd: Currency) {
    use backroom_domain::Decimal;
    use backroom_domain::ledger::{LockKind, NewBook, NewClosing, NewRate, Scope};
    let day = |text| BusinessDate::parse(text, "d").unwrap();
    let euro = Currency::parse("EUR", "c").unwrap();
    let equity = NewAccount {
        code: id("3000"),
        name: "Retained earnings".into(),
        kind: AccountType::Equity,
        parent: None,
        currency: usd,
        posting: true,
        stock_control: false,
        rules: Default::default(),
    };
    ledger::create_account(work, equity.clone()).unwrap();
    ledger::lock_period(work, &id("main"), Scope::All, LockKind::Soft, day("2025-12-31")).unwrap();
    let closing = NewClosing { id: id("c1"), year: 2024, retained_earnings: vec![id("3000")] };
    ledger::close_year(work, &id("main"), closing).unwrap();
    let book = NewBook {
        id: id("eu"),
        name: "Europe".into(),
        base: euro,
        year_start: 1,
        retained_earnings: None,
        exchange_gain: None,
        exchange_loss: None,
    };
    ledger::create_book(work, book).unwrap();
    ledger::create_account(work, NewAccount { code: id("eu/1100"), kind: AccountType::Asset, ..equity }).unwrap();
    let rate = Decimal::parse("0.8", "r").unwrap();
    let rate = NewRate { date: day("2026-06-01"), from: usd, to: euro, kind: id("closing"), rate };
    ledger::set_rates(work, &id("eu"), vec![rate]).unwrap();
}

fn revaluation(name: &str) -> rates::NewRevaluation {
    rates::NewRevaluation {
        id: name.to_owned(),
        as_of: DAY,
        accounts: vec!["eu/1100".to_owned()],
        kind: None,
        reverse: true,
    }
}

/// Two debits and a credit of 1.00 on the reconcilable account 6100, 1 cent of them matched; a statement that shows the debits, the second
/// of which was confirmed.
fn items_and_bank(state: &mut RunState) {
    for name in ["d1", "d2"] {
        journal::Host::post(state, entry(name, "6100")).unwrap();
    }
    let mut credit = entry("c1", "6100");
    for line in &mut credit.lines {
        line.side = if line.account == "6100" { types::Side::Credit } else { types::Side::Debit };
    }
    journal::Host::post(state, credit).unwrap();
    open_items::Host::match_items(state, new_match("match-0")).unwrap();
    bank::Host::import_statement(state, statement("s0", 0, &["line-0", "line-1"])).unwrap();
    bank::Host::confirm(state, "6100".into(), "line-1".into(), at("d2")).unwrap();
}

/// The first line of an entry.
fn at(entry: &str) -> open_items::ItemRef {
    open_items::ItemRef { entry: entry.to_owned(), line: 0 }
}

fn new_match(name: &str) -> open_items::NewMatch {
    let pair = open_items::Pair { debit: at("d1"), credit: at("c1"), minor: 1 };
    let (id, pairs) = (name.to_owned(), vec![pair]);
    open_items::NewMatch { id, date: DAY, pairs, write_off: None, tolerance: 0, entry: None }
}

/// What came in: 0.99 and 1.00, as it is open on 6100.
fn statement(name: &str, opening: u64, lines: &[&str]) -> bank::Statement {
    let line = |(id, minor): (&&str, u64)| bank::BankLine {
        id: (*id).to_owned(),
        date: DAY,
        side: types::Side::Debit,
        minor,
        counterparty: None,
        reference: None,
    };
    let lines: Vec<_> = lines.iter().zip([99, 100]).map(line).collect();
    let closing = opening + lines.iter().map(|line| line.minor).sum::<u64>();
    let balance = |minor| bank::Balance { negative: false, minor };
    let (id, account) = (name.to_owned(), "6100".to_owned());
    bank::Statement { id, account, opening: balance(opening), closing: balance(closing), lines }
}

fn with(store: &Store, rights: Rights) -> RunState {
    let config = [("greeting".to_owned(), "hello".to_owned())].into();
    let mut state = RunState::new(work(store, rights), Arc::new(config), Limits::default());
    state.calls = Calls::recorded(vec![answered()]);
    state
}

/// What the outside is asked for, and has answered.
fn request() -> http::Request {
    let url = "https://rates.example/usd".to_owned();
    http::Request { method: http::Method::Get, url, headers: Vec::new(), body: Vec::new(), timeout_ms: 1_000 }
}

fn answered() -> Exchange {
    let http::Request { url, timeout_ms, .. } = request();
    let request = Request { method: Method::Get, url, headers: Vec::new(), body: Vec::new(), timeout_ms };
    Exchange { request, answer: Answer::Response(Response { status: 200, headers: Vec::new(), body: b"1.0".to_vec() }) }
}

fn entry(name: &str, debit: &str) -> journal::NewEntry {
    let line = |account: &str, side| journal::Line {
        account: account.to_owned(),
        side,
        amount: usd(100),
        dimensions: Vec::new(),
        memo: None,
    };
    journal::NewEntry {
        id: name.to_owned(),
        date: DAY,
        description: "Test".to_owned(),
        lines: vec![line(debit, types::Side::Debit), line("1000", types::Side::Credit)],
    }
}

fn benefit(name: &str) -> benefits::NewBenefit {
    benefits::NewBenefit {
        id: name.to_owned(),
        worker: "w1".to_owned(),
        plan: "housing".to_owned(),
        first_day: DAY,
        last_day: DAY,
        amount: usd(100),
        cost_center: "CC-1".to_owned(),
        entry: None,
    }
}

/// One laptop for 1.00 USD from the vendor.
fn receipt(name: &str) -> stock::NewMove {
    stock::NewMove {
        id: name.to_owned(),
        date: DAY,
        item: "laptop".to_owned(),
        quantity: types::Decimal { mantissa: 1, scale: 0 },
        source: "vendor".to_owned(),
        destination: "stock".to_owned(),
        lot: None,
        cost: Some(usd(100)),
        worker: None,
        reason: "Test".to_owned(),
        entry: None,
    }
}

/// 1.00 EUR is 1.25 USD.
fn new_rate() -> rates::NewRate {
    rates::NewRate {
        date: DAY,
        source: "EUR".to_owned(),
        target: "USD".to_owned(),
        kind: "spot".to_owned(),
        rate: types::Decimal { mantissa: 125, scale: 2 },
    }
}

/// For a cost centre of its own.
fn budget(name: &str) -> budgets::NewBudget {
    budgets::NewBudget {
        id: name.to_owned(),
        account: "6100".to_owned(),
        dimension: Some(journal::Dimension { name: "cc".to_owned(), value: name.to_owned() }),
        periods: vec![budgets::BudgetPeriod { first_day: DAY, last_day: DAY, amount: usd(100) }],
        action: budgets::BudgetAction::Stop,
    }
}

fn exception(name: &str) -> periods::NewException {
    periods::NewException {
        id: name.to_owned(),
        scope: periods::Scope::All,
        holder: periods::Holder::Everyone,
        until: types::Instant { microseconds: NOW.0 + 1_000_000 },
        reason: "late".to_owned(),
    }
}

fn everyone() -> workers::EmploymentFilter {
    workers::EmploymentFilter { first_day: None, last_day: None, position: None, place: None }
}

fn business<T: std::fmt::Debug>(result: Result<T, HostError>) -> (Class, Vec<String>) {
    match result {
        Err(HostError::Business(error)) => {
            (error.class, error.problems.into_iter().map(|p| p.code.into_owned()).collect())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn lists_leave_out_what_is_not_granted() {
    let store = filled();
    let mut grant = Grant::all();
    grant.ledger.read.clear();
    grant.inventory.read.clear();
    let rights = grant.into();
    for (rights, accounts, entries, items) in [(Rights::all(), 5, 5, 1), (rights, 0, 0, 0)] {
        let mut state = with(&store, rights);
        assert_eq!(accounts::Host::list(&mut state, None, 10).unwrap().items.len(), accounts);
        assert_eq!(balances::Host::trial_balance(&mut state, None).unwrap().len(), accounts);
        assert_eq!(journal::Host::list(&mut state, None, 10).unwrap().items.len(), entries);
        assert_eq!(items::Host::list(&mut state, None, 10).unwrap().items.len(), items);
    }
}

#[test]
fn values_come_back_as_they_are_on_record() {
    let store = filled();
    let mut state = with(&store, Rights::all());
    let s = &mut state;
    assert_eq!(clock::Host::now(s).unwrap().microseconds, NOW.0);
    let today = clock::Host::today(s).unwrap();
    assert_eq!((today.year, today.month, today.day), (2026, 6, 30));
    assert_eq!(config::Host::get(s, "greeting".into()).unwrap().as_deref(), Some("hello"));
    assert_eq!(config::Host::get(s, "other".into()).unwrap(), None);
    log::Host::write(s, log::Level::Warn, "careful".into()).unwrap();
    assert_eq!(s.guest.log.lines[0].message, "careful");

    let account = accounts::Host::get(s, "1400".into()).unwrap();
    assert_eq!(
        (account.name.as_str(), account.currency.as_str(), account.stock_control),
        ("Account 1400", "USD", true)
    );
    let balance = balances::Host::get(s, "1400".into(), Some(DAY)).unwrap();
    assert_eq!((balance.debits, balance.credits), (100, 0));
    let found = journal::Host::get(s, "e0".into()).unwrap();
    assert_eq!((found.number, found.lines.len(), found.recorded_at.microseconds), (1, 2, NOW.0));
    assert_eq!((found.lines[1].side, found.lines[1].amount.minor), (types::Side::Credit, 100));

    assert_eq!(workers::Host::get_name(s, "w1".into()).unwrap(), "Ann");
    assert_eq!(workers::Host::get_bank_account(s, "w1".into()).unwrap().as_deref(), Some("DE00"));
    assert_eq!(workers::Host::get_compensation(s, "w1".into(), DAY).unwrap().unwrap().minor, 5);
    let page = workers::Host::list_employments(s, everyone(), None, 10).unwrap();
    assert_eq!((page.items.len(), page.items[0].place), (1, workers::Place::Remote));
    benefits::Host::record(s, benefit("b1")).unwrap();
    assert!(benefits::Host::record(s, benefit("b1")).unwrap().replayed);
    let page = benefits::Host::list(s, "housing".into(), DAY, DAY, None, 10).unwrap();
    assert_eq!((page.items.len(), page.items[0].amount.minor), (1, 100));

    let item = items::Host::get(s, "laptop".into()).unwrap();
    assert_eq!((item.unit.as_str(), item.stock_account.as_str()), ("each", "1400"));
    let page = stock::Host::list_on_hand(s, "laptop".into(), Some("stock".into()), None, 10).unwrap();
    assert_eq!((page.items.len(), page.items[0].quantity.mantissa), (1, 1));
    assert_eq!(stock::Host::get_valuation(s, "laptop".into()).unwrap().value.minor, 100);
    let issue = stock::NewMove { source: "stock".into(), destination: "staff".into(), cost: None, ..receipt("m1") };
    let moved = stock::Host::post_move(s, issue).unwrap();
    assert_eq!((moved.number, moved.value.minor, moved.stock_account.as_str()), (2, 100, "1400"));
    let file = files::Host::stat(s, "in".into(), "a".into()).unwrap();
    assert_eq!((file.path.as_str(), file.size, file.recorded_at.microseconds), ("a", 5, NOW.0));
    assert_eq!(file.digest, blake3::hash(b"hello").to_hex().as_str());
    assert_eq!(files::Host::read(s, "in".into(), "a".into(), 1, 3).unwrap(), b"ell");
    assert_eq!(files::Host::list(s, "in".into(), "a".into(), None, 5).unwrap().items.len(), 1);
    assert_eq!(s.guest.meter.calls, 22);
}

#[test]
fn adding_to_two_files_in_turn_pays_for_what_it_makes_the_host_read() {
    let store = filled();
    let mut state = with(&store, Rights::all());
    for path in ["one", "two"] {
        files::Host::write(&mut state, "in".into(), path.into(), vec![7; 1 << 20]).unwrap();
    }
    let mut append = |path: &str, offset| {
        let before = state.guest.meter.fuel;
        files::Host::append(&mut state, "in".into(), path.into(), offset, vec![1; 100]).unwrap();
        state.guest.meter.fuel - before
    };
    let end = 1 << 20;
    let (first, again, other) = (append("two", end), append("two", end + 100), append("one", end));
    // "two" was written last; "one" has to be read whole for its digest: 500 units a KiB.
    // A hundred bytes more of the last piece begin one more KiB.
    assert_eq!(again - first, 500);
    assert_eq!(other - first, 500 * 1024);
}

#[test]
fn all_malformed_fields_are_told_together() {
    let store = filled();
    let mut state = with(&store, Rights::all());
    let bad_date = types::BusinessDate { year: 2026, month: 2, day: 30 };
    let mut bad = entry("bad id", "61 00");
    bad.date = bad_date;
    bad.description.clear();
    bad.lines[1].amount = types::Money { minor: 0, currency: "usd".into() };
    bad.lines[1].dimensions = vec![journal::Dimension { name: "!".into(), value: "x".into() }];
    let codes =
        ["id-invalid", "date-invalid", "id-invalid", "currency-invalid", "id-invalid", "text-invalid", "amount-zero"];
    assert_eq!(business(journal::Host::post(&mut state, bad)), (Class::Invalid, codes.map(str::to_owned).to_vec()));

    let bad = benefits::NewBenefit { first_day: bad_date, plan: "?".into(), amount: usd(1 << 53), ..benefit("b") };
    let codes = ["id-invalid", "date-invalid", "amount-too-large"];
    assert_eq!(business(benefits::Host::record(&mut state, bad)), (Class::Invalid, codes.map(str::to_owned).to_vec()));

    let quantity = types::Decimal { mantissa: 1 << 53, scale: 0 };
    let bad =
        stock::NewMove { source: "?".into(), destination: "?".into(), quantity, lot: Some("?".into()), ..receipt("m") };
    let codes = ["id-invalid", "id-invalid", "id-invalid", "decimal-invalid"];
    assert_eq!(business(stock::Host::post_move(&mut state, bad)), (Class::Invalid, codes.map(str::to_owned).to_vec()));

    let filter = workers::EmploymentFilter { first_day: Some(bad_date), position: Some("?".into()), ..everyone() };
    let result = workers::Host::list_employments(&mut state, filter, Some("zz".into()), 0);
    let codes = ["date-invalid", "id-invalid", "limit-invalid", "cursor-invalid"];
    assert_eq!(business(result), (Class::Invalid, codes.map(str::to_owned).to_vec()));
    assert!(state.work.effects().is_empty());
}

#[test]
fn a_denial_goes_before_a_malformed_field() {
    let store = filled();
    let mut state = with(&store, Rights::default());
    let s = &mut state;
    let mut bad = entry("bad id", "6100");
    bad.description.clear();
    let rows = [
        business(journal::Host::post(s, bad.clone())),
        business(workers::Host::get_name(s, "?".into())),
        business(workers::Host::get_bank_account(s, "?".into())),
        business(workers::Host::get_compensation(s, "?".into(), DAY)),
        business(workers::Host::list_employments(s, everyone(), None, 0)),
        business(benefits::Host::list(s, "?".into(), DAY, DAY, None, 0)),
        business(benefits::Host::record(s, benefits::NewBenefit { id: "?".into(), ..benefit("b") })),
        business(stock::Host::post_move(s, stock::NewMove { id: "?".into(), ..receipt("m") })),
        business(stock::Host::list_on_hand(s, "laptop".into(), Some("?".into()), None, 0)),
        business(balances::Host::get(s, "1000".into(), Some(types::BusinessDate { month: 13, ..DAY }))),
    ];
    for (at, (class, codes)) in rows.into_iter().enumerate() {
        assert_eq!((class, codes.len()), (Class::Denied, 1), "row {at}: {codes:?}");
    }
    drop(state);
    // The ceiling as well, where the amounts can be added.
    let mut grant = Grant::default();
    grant.ledger.post = Grant::all().ledger.post;
    grant.ledger.max_entry = "0.50 USD".parse().ok();
    let denied = business(journal::Host::post(&mut with(&store, grant.into()), bad));
    assert_eq!(denied, (Class::Denied, vec!["ledger-amount-denied".to_owned()]));
}

#[test]
fn amounts_beyond_the_contract_are_refused() {
    let store = filled();
    let mut state = with(&store, Rights::all());
    let mut large = entry("e1", "6100");
    for line in &mut large.lines {
        line.amount = usd(1 << 53);
    }
    let codes = ["amount-too-large", "amount-too-large"].map(str::to_owned).to_vec();
    assert_eq!(business(journal::Host::post(&mut state, large)), (Class::Invalid, codes));
}

#[test]
fn errors_keep_their_class_on_the_way_to_a_guest_and_back() {
    use crate::convert::{error, error_from_guest};
    use backroom_domain::{Error, Problem};
    let problem = |code: &'static str| Problem { code: code.into(), field: Some("f".into()), message: "m".into() };
    for class in [Class::Denied, Class::NotFound, Class::Conflict, Class::Refused, Class::Unavailable, Class::Invalid] {
        let one = Error { class, problems: vec![problem("a")] };
        assert_eq!(error_from_guest(error(one.clone())), one);
        let two = Error { class, problems: vec![problem("a"), problem("b")] };
        let kept = if class == Class::Invalid { two.clone() } else { one };
        assert_eq!(error_from_guest(error(two)), kept);
    }
    let many = Error { class: Class::Invalid, problems: (0..150).map(|_| problem("a")).collect() };
    assert_eq!(error_from_guest(error(many)).problems.len(), 100);
    let none = error_from_guest(types::Error::Invalid(Vec::new()));
    assert_eq!((none.class, none.code()), (Class::Invalid, "unknown"));
    let long = types::Problem { code: "c".repeat(500), field: Some("é".repeat(500)), message: "m".repeat(9_000) };
    let cut = error_from_guest(types::Error::Refused(long)).problems.remove(0);
    assert_eq!((cut.code.len(), cut.field.unwrap().len(), cut.message.len()), (128, 128, 4_096));
}
