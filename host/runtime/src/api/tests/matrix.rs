//! Every function of the contract, granted and denied. Which functions there are is read from the WIT files, so that one without a
//! case here fails.

use std::collections::BTreeSet;
use std::path::Path;

use backroom_domain::Side;
use backroom_domain::ledger::{Line, NewEntry};
use backroom_domain::rights::{Grant, Operation, Operations, operations_of};
use wit_parser::{Resolve, Type, TypeDefKind, WorldItem};

use super::*;

/// What becomes of a call that is not granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ungranted {
    /// It is `denied` with this code.
    Denied(&'static str),
    /// What may not be read is left out of the answer, as the contract says.
    LeftOut,
}

use Ungranted::{Denied, LeftOut};

/// A call that answers with how many things it gave, the right it needs (taken away), and what becomes of it without.
struct Case {
    name: &'static str,
    call: fn(&mut RunState) -> Result<usize, HostError>,
    without: fn(&mut Grant),
    ungranted: Ungranted,
}

const fn case(
    name: &'static str,
    call: fn(&mut RunState) -> Result<usize, HostError>,
    without: fn(&mut Grant),
    ungranted: Ungranted,
) -> Case {
    Case { name, call, without, ungranted }
}

fn one<T>(answer: Result<T, HostError>) -> Result<usize, HostError> {
    answer.map(|_| 1)
}

const NO_STATE: Ungranted = Denied("state-denied");
const NO_ACCOUNT: Ungranted = Denied("ledger-read-denied");
const NO_PERIODS: Ungranted = Denied("periods-denied");
const NO_CHART: Ungranted = Denied("chart-denied");
const NO_FIELD: Ungranted = Denied("hr-read-denied");
const NO_ITEM: Ungranted = Denied("inventory-read-denied");

fn no_files(grant: &mut Grant) {
    grant.files.read.clear();
}

const NO_POSTING: Ungranted = Denied("ledger-post-denied");

fn no_posting(grant: &mut Grant) {
    grant.ledger.post.clear();
}

fn no_filter() -> open_items::ItemFilter {
    open_items::ItemFilter { account: None, party: None, as_of: None }
}

const NO_FOLDER: Ungranted = Denied("files-read-denied");

const ALWAYS: reports::Span = reports::Span { first_day: None, last_day: None };

/// One line for each function that needs a right.
const CASES: &[Case] = &[
    case("state.get", |s| one(state::Host::get(s, "k".into())), |g| g.state = false, NO_STATE),
    case("state.set", |s| one(state::Host::set(s, "k".into(), vec![1])), |g| g.state = false, NO_STATE),
    case("state.delete", |s| one(state::Host::delete(s, "k".into())), |g| g.state = false, NO_STATE),
    case("state.list", |s| one(state::Host::list(s, String::new(), None, 1)), |g| g.state = false, NO_STATE),
    case("files.list", |s| one(files::Host::list(s, "in".into(), String::new(), None, 9)), no_files, NO_FOLDER),
    case("files.stat", |s| one(files::Host::stat(s, "in".into(), "a".into())), no_files, NO_FOLDER),
    case("files.read", |s| one(files::Host::read(s, "in".into(), "a".into(), 0, 9)), no_files, NO_FOLDER),
    case(
        "files.write",
        |s| one(files::Host::write(s, "in".into(), "b".into(), vec![1])),
        |g| g.files.write.clear(),
        Denied("files-write-denied"),
    ),
    case(
        "files.append",
        |s| one(files::Host::append(s, "in".into(), "a".into(), 5, vec![1])),
        |g| g.files.write.clear(),
        Denied("files-write-denied"),
    ),
    case(
        "files.delete",
        |s| one(files::Host::delete(s, "in".into(), "a".into())),
        |g| g.files.write.clear(),
        Denied("files-write-denied"),
    ),
    case("http.send", |s| one(http::Host::send(s, request())), |g| g.http.clear(), Denied("http-denied")),
    case("accounts.get", |s| one(accounts::Host::get(s, "1000".into())), |g| g.ledger.read.clear(), NO_ACCOUNT),
    case("accounts.list", |s| Ok(accounts::Host::list(s, None, 9)?.items.len()), |g| g.ledger.read.clear(), LeftOut),
    case("balances.get", |s| one(balances::Host::get(s, "1000".into(), None)), |g| g.ledger.read.clear(), NO_ACCOUNT),
    case(
        "balances.trial-balance",
        |s| Ok(balances::Host::trial_balance(s, None)?.len()),
        |g| g.ledger.read.clear(),
        LeftOut,
    ),
    case(
        "journal.post",
        |s| one(journal::Host::post(s, entry("e1", "6100"))),
        |g| g.ledger.post.clear(),
        Denied("ledger-post-denied"),
    ),
    case("journal.get", |s| one(journal::Host::get(s, "e0".into())), |g| g.ledger.read.clear(), NO_ACCOUNT),
    case("journal.list", |s| Ok(journal::Host::list(s, None, 9)?.items.len()), |g| g.ledger.read.clear(), LeftOut),
    case("periods.list", |s| one(periods::Host::list(s, "main".into(), None)), |g| g.ledger.read.clear(), NO_ACCOUNT),
    case(
        "open-items.list",
        |s| Ok(open_items::Host::list(s, no_filter(), None, 9)?.items.len()),
        |g| g.ledger.read.clear(),
        NO_ACCOUNT,
    ),
    case(
        "open-items.ageing",
        |s| Ok(open_items::Host::ageing(s, no_filter(), vec![30])?.len()),
        |g| g.ledger.read.clear(),
        NO_ACCOUNT,
    ),
    case(
        "open-items.match-items",
        |s| one(open_items::Host::match_items(s, new_match("match-1"))),
        no_posting,
        NO_POSTING,
    ),
    case(
        "open-items.unmatch",
        |s| one(open_items::Host::unmatch(s, "match-0".into(), "wrong".into(), None)),
        no_posting,
        NO_POSTING,
    ),
    case(
        "bank.import-statement",
        |s| one(bank::Host::import_statement(s, statement("s1", 199, &["line-2"]))),
        no_posting,
        NO_POSTING,
    ),
    case(
        "bank.suggest",
        |s| Ok(bank::Host::suggest(s, "6100".into(), None, 9)?.items.len()),
        |g| g.ledger.read.clear(),
        NO_ACCOUNT,
    ),
    case(
        "bank.confirm",
        |s| one(bank::Host::confirm(s, "6100".into(), "line-0".into(), at("d1"))),
        no_posting,
        NO_POSTING,
    ),
    case(
        "bank.undo",
        |s| one(bank::Host::undo(s, "6100".into(), "line-1".into(), "wrong".into())),
        no_posting,
        NO_POSTING,
    ),
    case(
        "periods.lock",
        |s| one(periods::Host::lock(s, "main".into(), periods::Scope::Tax, periods::LockKind::Soft, DAY)),
        |g| g.ledger.periods.clear(),
        NO_PERIODS,
    ),
    case(
        "periods.reopen",
        |s| one(periods::Host::reopen(s, "main".into(), periods::Scope::Tax, DAY, "late".into())),
        |g| g.ledger.periods.clear(),
        NO_PERIODS,
    ),
    case(
        "periods.limit-future",
        |s| one(periods::Host::limit_future(s, "main".into(), Some(5))),
        |g| g.ledger.periods.clear(),
        NO_PERIODS,
    ),
    case(
        "periods.grant-exception",
        |s| one(periods::Host::grant_exception(s, "main".into(), exception("x1"))),
        |g| g.ledger.periods.clear(),
        NO_PERIODS,
    ),
    case(
        "periods.revoke-exception",
        |s| one(periods::Host::revoke_exception(s, "main".into(), "x0".into())),
        |g| g.ledger.periods.clear(),
        NO_PERIODS,
    ),
    case(
        "periods.list-exceptions",
        |s| Ok(periods::Host::list_exceptions(s, "main".into(), None, 9)?.items.len()),
        |g| g.ledger.read.clear(),
        NO_ACCOUNT,
    ),
    case(
        "periods.list-exception-uses",
        |s| one(periods::Host::list_exception_uses(s, "main".into(), "x0".into(), None, 9)),
        |g| g.ledger.read.clear(),
        NO_ACCOUNT,
    ),
    case(
        "periods.close-year",
        |s| one(periods::Host::close_year(s, "main".into(), "c2".into(), 2025, vec!["3000".into()])),
        |g| g.ledger.periods.clear(),
        NO_PERIODS,
    ),
    case(
        "periods.list-openings",
        |s| Ok(periods::Host::list_openings(s, "main".into(), 2024, None, 9)?.items.len()),
        |g| g.ledger.read.clear(),
        LeftOut,
    ),
    case(
        "rates.revalue",
        |s| one(rates::Host::revalue(s, "eu".into(), revaluation("v1"))),
        |g| g.ledger.rates.clear(),
        Denied("rates-denied"),
    ),
    case(
        "rates.set",
        |s| one(rates::Host::set(s, "main".into(), vec![new_rate()])),
        |g| g.ledger.rates.clear(),
        Denied("rates-denied"),
    ),
    case(
        "rates.get",
        |s| one(rates::Host::get(s, "main".into(), "USD".into(), "EUR".into(), "spot".into(), DAY)),
        |g| g.ledger.read.clear(),
        NO_ACCOUNT,
    ),
    case(
        "rates.list",
        |s| Ok(rates::Host::list(s, "main".into(), None, 9)?.items.len()),
        |g| g.ledger.read.clear(),
        NO_ACCOUNT,
    ),
    case(
        "budgets.set",
        |s| one(budgets::Host::set(s, "main".into(), budget("b1"), None)),
        |g| g.ledger.budgets.clear(),
        Denied("budgets-denied"),
    ),
    case(
        "budgets.status",
        |s| one(budgets::Host::status(s, "main".into(), "b0".into())),
        |g| g.ledger.read.clear(),
        NO_ACCOUNT,
    ),
    case(
        "budgets.list",
        |s| Ok(budgets::Host::list(s, "main".into(), None, 9)?.items.len()),
        |g| g.ledger.read.clear(),
        LeftOut,
    ),
    case(
        "reports.report",
        |s| Ok(reports::Host::report(s, reports::ReportKind::TrialBalance, vec![ALWAYS])?.rows.len()),
        |g| g.ledger.read.clear(),
        NO_ACCOUNT,
    ),
    case(
        "reports.statement",
        |s| Ok(reports::Host::statement(s, "1400".into(), ALWAYS, None, 9)?.items.len()),
        |g| g.ledger.read.clear(),
        NO_ACCOUNT,
    ),
    case(
        "reports.explain",
        |s| Ok(reports::Host::explain(s, "1400".into(), ALWAYS, 9)?.largest.len()),
        |g| g.ledger.read.clear(),
        NO_ACCOUNT,
    ),
    case(
        "reports.assert-balance",
        |s| one(reports::Host::assert_balance(s, "1400".into(), DAY, types::Side::Debit, usd(1), 0)),
        |g| g.ledger.read.clear(),
        NO_ACCOUNT,
    ),
    case(
        "reports.allocate",
        |s| Ok(reports::Host::allocate(s, usd(5), vec![reports::Portion::Remainder])?.len()),
        |g| g.ledger.read.clear(),
        NO_ACCOUNT,
    ),
    case(
        "journal.post-with",
        |s| one(journal::Host::post_with(s, entry("e2", "6100"), plain())),
        |g| g.ledger.post.clear(),
        Denied("ledger-post-denied"),
    ),
    case(
        "journal.post-batch",
        |s| {
            let item = journal::BatchItem { group: None, entry: entry("e3", "6100"), details: Some(plain()) };
            let told = journal::Host::post_batch(s, vec![item], journal::BatchMode::AllOrNothing)?;
            Ok(told.iter().filter(|one| one.is_ok()).count())
        },
        |g| g.ledger.post.clear(),
        LeftOut,
    ),
    case(
        "journal.reverse",
        |s| one(journal::Host::reverse(s, back("r0"))),
        |g| g.ledger.post.clear(),
        Denied("ledger-post-denied"),
    ),
    case(
        "journal.get-details",
        |s| one(journal::Host::get_details(s, "e0".into())),
        |g| g.ledger.read.clear(),
        NO_ACCOUNT,
    ),
    case(
        "balances.get-many",
        |s| Ok(balances::Host::get_many(s, vec!["1000".into()], None, None)?.len()),
        |g| g.ledger.read.clear(),
        NO_ACCOUNT,
    ),
    case(
        "holds.place",
        |s| one(holds::Host::place(s, entry("h1", "6100"), None, Some(60))),
        |g| g.ledger.post.clear(),
        Denied("ledger-post-denied"),
    ),
    case(
        "holds.settle",
        |s| one(holds::Host::settle(s, paid("h0"))),
        |g| g.ledger.post.clear(),
        Denied("ledger-post-denied"),
    ),
    case(
        "holds.release",
        |s| one(holds::Host::release(s, "h0".into(), None)),
        |g| g.ledger.post.clear(),
        Denied("ledger-post-denied"),
    ),
    case("holds.get", |s| one(holds::Host::get(s, "h0".into())), |g| g.ledger.read.clear(), NO_ACCOUNT),
    case("holds.list", |s| Ok(holds::Host::list(s, None, 9)?.items.len()), |g| g.ledger.read.clear(), LeftOut),
    case("books.get", |s| one(books::Host::get(s, "main".into())), |g| g.ledger.read.clear(), NO_ACCOUNT),
    case("books.list", |s| Ok(books::Host::list(s, None, 9)?.items.len()), |g| g.ledger.read.clear(), NO_ACCOUNT),
    case(
        "review.cash-flow",
        |s| Ok(review::Host::cash_flow(s, vec!["1000".into()], ALWAYS)?.rows.len()),
        |g| g.ledger.read.clear(),
        NO_ACCOUNT,
    ),
    case(
        "review.general-ledger",
        |s| Ok(review::Host::general_ledger(s, ALWAYS)?.len()),
        |g| g.ledger.read.clear(),
        NO_ACCOUNT,
    ),
    case(
        "review.by-dimension",
        |s| Ok(review::Host::by_dimension(s, "cc".into(), ALWAYS)?.len()),
        |g| g.ledger.read.clear(),
        NO_ACCOUNT,
    ),
    case(
        "review.verify",
        |s| Ok(usize::try_from(review::Host::verify(s, None, None)?.entries).unwrap()),
        |g| g.ledger.read.clear(),
        NO_ACCOUNT,
    ),
    case("chart.create-book", |s| one(chart::Host::create_book(s, new_book("us"))), no_chart, NO_CHART),
    case("chart.create-account", |s| one(chart::Host::create_account(s, new_account("1900"))), no_chart, NO_CHART),
    case(
        "chart.update-account",
        |s| one(chart::Host::update_account(s, "1000".into(), renamed("Cash at hand"))),
        no_chart,
        NO_CHART,
    ),
    case(
        "chart.close-account",
        |s| one(chart::Host::close_account(s, "3000".into(), "unused".into(), None)),
        no_chart,
        NO_CHART,
    ),
    case("chart.reopen-account", |s| one(chart::Host::reopen_account(s, "3000".into())), no_chart, NO_CHART),
    case(
        "workers.list-employments",
        |s| Ok(workers::Host::list_employments(s, everyone(), None, 9)?.items.len()),
        |g| g.hr.read.retain(|field| *field != HrField::Employment),
        NO_FIELD,
    ),
    case(
        "workers.get-name",
        |s| one(workers::Host::get_name(s, "w1".into())),
        |g| g.hr.read.retain(|field| *field != HrField::Name),
        NO_FIELD,
    ),
    case(
        "workers.get-compensation",
        |s| one(workers::Host::get_compensation(s, "w1".into(), DAY)),
        |g| g.hr.read.retain(|field| *field != HrField::Compensation),
        NO_FIELD,
    ),
    case(
        "workers.get-bank-account",
        |s| one(workers::Host::get_bank_account(s, "w1".into())),
        |g| g.hr.read.retain(|field| *field != HrField::Bank),
        NO_FIELD,
    ),
    case(
        "benefits.record",
        |s| one(benefits::Host::record(s, benefit("b1"))),
        |g| g.hr.benefits.clear(),
        Denied("benefit-denied"),
    ),
    case(
        "benefits.list",
        |s| one(benefits::Host::list(s, "housing".into(), DAY, DAY, None, 1)),
        |g| g.hr.read.retain(|field| *field != HrField::Benefits),
        NO_FIELD,
    ),
    case("items.get", |s| one(items::Host::get(s, "laptop".into())), |g| g.inventory.read.clear(), NO_ITEM),
    case("items.list", |s| Ok(items::Host::list(s, None, 9)?.items.len()), |g| g.inventory.read.clear(), LeftOut),
    case(
        "stock.list-on-hand",
        |s| Ok(stock::Host::list_on_hand(s, "laptop".into(), None, None, 9)?.items.len()),
        |g| g.inventory.read.clear(),
        NO_ITEM,
    ),
    case(
        "stock.get-valuation",
        |s| one(stock::Host::get_valuation(s, "laptop".into())),
        |g| g.inventory.read.clear(),
        NO_ITEM,
    ),
    case(
        "stock.post-move",
        |s| one(stock::Host::post_move(s, receipt("m1"))),
        |g| g.inventory.move_to.clear(),
        Denied("move-denied"),
    ),
];

/// Whoever sets up all master data sets up accounts as well.
fn no_chart(grant: &mut Grant) {
    grant.ledger.chart.clear();
    grant.administer = false;
}

fn new_book(name: &str) -> chart::NewBook {
    let (id, name, base, year_start) = (name.to_owned(), "A book".to_owned(), "USD".to_owned(), 1);
    chart::NewBook { id, name, base, year_start, retained_earnings: None, exchange_gain: None, exchange_loss: None }
}

fn new_account(code: &str) -> chart::NewAccount {
    chart::NewAccount {
        code: code.to_owned(),
        name: "An account".to_owned(),
        kind: accounts::AccountType::Asset,
        parent: None,
        currency: "USD".to_owned(),
        posting: true,
        stock_control: false,
        rules: None,
    }
}

fn renamed(name: &str) -> chart::AccountChange {
    chart::AccountChange { expected_version: 0, name: Some(name.to_owned()), rules: None }
}

/// A plugin sets up a book with accounts, and only in the books that it has a grant for.
#[test]
fn a_book_is_set_up_by_calls() {
    let store = filled();
    let mut grant = Grant::all();
    grant.administer = false;
    grant.ledger.chart = vec![backroom_domain::rights::Pattern::parse("us").unwrap()];
    let mut state = with(&store, grant.into());
    let s = &mut state;
    let denied = || (Class::Denied, vec!["chart-denied".to_owned()]);
    assert_eq!(business(chart::Host::create_account(s, new_account("1900"))), denied(), "`main` is not granted");
    assert_eq!(
        business(chart::Host::create_account(s, new_account("us/1"))),
        denied(),
        "nor is this `us`: it is not there"
    );
    assert_eq!(business(chart::Host::create_account(s, new_account("eu/1"))), denied());
    chart::Host::create_book(s, new_book("us")).unwrap();
    chart::Host::create_book(s, new_book("us")).unwrap();
    let rules = chart::AccountRules {
        manual: true,
        reconcilable: true,
        history: true,
        min_available: Some(journal::Signed { negative: true, minor: 500 }),
        max_available: None,
        required_dimensions: Vec::new(),
        party_required: false,
    };
    let cash = chart::NewAccount { rules: Some(rules.clone()), ..new_account("us/1000") };
    assert_eq!(chart::Host::create_account(s, cash.clone()).unwrap().version, 0);
    let equity = chart::NewAccount { kind: accounts::AccountType::Equity, ..new_account("us/3000") };
    chart::Host::create_account(s, equity).unwrap();
    let other = chart::NewAccount { currency: "EUR".to_owned(), ..cash };
    assert_eq!(business(chart::Host::create_account(s, other)).0, Class::Conflict);
    let mut below = entry("low", "us/3000");
    below.lines[1].account = "us/1000".to_owned();
    (below.lines[0].amount, below.lines[1].amount) = (usd(501), usd(501));
    assert_eq!(business(journal::Host::post(s, below.clone())).1, ["insufficient"], "the rules count");
    (below.id, below.lines[0].amount, below.lines[1].amount) = ("fits".to_owned(), usd(500), usd(500));
    journal::Host::post(s, below).unwrap();
    let change = chart::AccountChange { rules: Some(rules), ..renamed("Cash") };
    assert_eq!(chart::Host::update_account(s, "us/1000".into(), change.clone()).unwrap().version, 1);
    assert_eq!(business(chart::Host::update_account(s, "us/1000".into(), change)).1, ["version-conflict"]);
    let close = |s: &mut RunState, sweep| chart::Host::close_account(s, "us/1000".into(), "moved".into(), sweep);
    assert_eq!(business(close(s, None)).1, ["non-zero-balance"]);
    let sweep = chart::Sweep { to: "us/3000".to_owned(), entry: "sweep-1".to_owned() };
    assert!(close(s, Some(sweep)).unwrap().closed_at.is_some());
    assert!(chart::Host::reopen_account(s, "us/1000".into()).unwrap().closed_at.is_none());
    assert_eq!(balances::Host::get(s, "us/1000".into(), None).unwrap().debits, 500);
    let bad = chart::NewAccount { code: "?".into(), name: String::new(), currency: "x".into(), ..new_account("1") };
    let codes = ["id-invalid", "currency-invalid", "text-invalid"].map(str::to_owned).to_vec();
    assert_eq!(business(chart::Host::create_account(s, bad)), (Class::Invalid, codes));
}

/// A report that a call cannot carry is refused, and the guest that asks for less gets it.
#[test]
fn reports_of_more_than_a_call_carries_are_refused() {
    let store = filled();
    many_accounts(&store, 3_000);
    let mut state = with(&store, Rights::all());
    let s = &mut state;
    let refused = |(class, codes)| assert_eq!((class, codes), (Class::Refused, vec!["too-many-rows".to_owned()]));
    let report = |s: &mut RunState, columns: usize| {
        reports::Host::report(s, reports::ReportKind::IncomeStatement, vec![ALWAYS; columns])
    };
    refused(business(report(s, 2)));
    assert_eq!(report(s, 1).unwrap().rows.iter().filter(|row| row.account.starts_with('7')).count(), 3_000);
    refused(business(review::Host::general_ledger(s, ALWAYS)));
    let day = |day| Some(types::BusinessDate { day, ..DAY });
    let first = reports::Span { first_day: day(1), last_day: day(1) };
    let lines: usize = review::Host::general_ledger(s, first).unwrap().iter().map(|one| one.lines.len()).sum();
    assert_eq!(lines, 800);
}

/// Accounts 70000, 70001, ... with long names, each debited and credited with a long memo: 400 of them on a day of June.
fn many_accounts(store: &Store, number: usize) {
    let mut work = work(store, Rights::all());
    let currency = Currency::parse("USD", "c").unwrap();
    let codes: Vec<Id> = (0..number).map(|n| id(&format!("7{n:04}"))).collect();
    for code in codes.iter().cloned() {
        let (name, kind, rules) = ("n".repeat(200), AccountType::Expense, AccountRules::default());
        let new = NewAccount { code, name, kind, parent: None, currency, posting: true, stock_control: false, rules };
        ledger::create_account(&mut work, new).unwrap();
    }
    for (day, codes) in (1..).zip(codes.chunks(400)) {
        let line = |code: &Id, side| {
            let line = Line::new(code.clone(), side, backroom_domain::Money { minor: 1, currency });
            Line { memo: Some("m".repeat(200)), ..line }
        };
        let lines = codes.iter().flat_map(|code| [line(code, Side::Debit), line(code, Side::Credit)]).collect();
        let date = BusinessDate::new(2026, 6, day, "d").unwrap();
        ledger::post(&mut work, NewEntry::new(id(&format!("many-{day}")), date, "Many".to_owned(), lines)).unwrap();
    }
    work.seal().unwrap().commit(Meta::default()).unwrap().ticket.wait().unwrap();
}

/// Every name in a call costs, whatever becomes of the call.
#[test]
fn calls_of_the_chart_are_charged_by_what_they_carry() {
    let store = filled();
    let mut state = with(&store, Rights::all());
    let s = &mut state;
    let rules = |names: usize| chart::AccountRules {
        manual: true,
        reconcilable: false,
        history: true,
        min_available: None,
        max_available: None,
        required_dimensions: vec!["n".repeat(64); names],
        party_required: false,
    };
    let long = || Some("p".repeat(100 << 10));
    type Call = Box<dyn FnOnce(&mut RunState) -> Result<(), HostError>>;
    let account = |new: chart::NewAccount| -> Call { Box::new(move |s| chart::Host::create_account(s, new).map(drop)) };
    let change = |change: chart::AccountChange| -> Call {
        Box::new(move |s| chart::Host::update_account(s, "1000".into(), change).map(drop))
    };
    let sweep = chart::Sweep { to: "p".repeat(100 << 10), entry: "e".repeat(100 << 10) };
    let calls: [(&str, Call, usize); 6] = [
        ("parent", account(chart::NewAccount { parent: long(), ..new_account("1901") }), 100),
        ("rules", account(chart::NewAccount { rules: Some(rules(3_200)), ..new_account("1902") }), 200),
        ("changed rules", change(chart::AccountChange { rules: Some(rules(3_200)), ..renamed("Cash") }), 200),
        ("changed name", change(renamed(&"n".repeat(100 << 10))), 100),
        (
            "book",
            Box::new(move |s| chart::Host::create_book(s, chart::NewBook { exchange_gain: long(), ..new_book("us") })),
            100,
        ),
        (
            "sweep",
            Box::new(move |s| chart::Host::close_account(s, "1000".into(), "moved".into(), Some(sweep)).map(drop)),
            200,
        ),
    ];
    for (name, call, kib) in calls {
        let before = s.guest.meter.fuel;
        assert_eq!(business(call(s)).0, Class::Invalid, "{name}");
        // 500 for each KiB, as of every call.
        let fuel = s.guest.meter.fuel - before;
        assert!(fuel >= 2_000 + 500 * u64::try_from(kib).unwrap(), "{name}: {fuel} for {kib} KiB");
    }
}

/// Limits of an account whose balance may not be read are no way to find it out: they are denied wherever it stands.
#[test]
fn limits_are_for_those_who_may_read_the_balance() {
    let store = filled();
    let mut grant = Grant::all();
    grant.administer = false;
    grant.ledger.read = vec!["6100".to_owned().try_into().unwrap()];
    let mut state = with(&store, grant.into());
    let s = &mut state;
    let limited = |minor: u64, name: &str| chart::AccountChange {
        rules: Some(chart::AccountRules {
            manual: true,
            reconcilable: false,
            history: true,
            min_available: Some(journal::Signed { negative: false, minor }),
            max_available: None,
            required_dimensions: vec![name.to_owned()],
            party_required: false,
        }),
        ..renamed("Cash at hand")
    };
    let denied = (Class::Denied, vec!["ledger-read-denied".to_owned()]);
    for (minor, name) in [(0, "cc"), (1_000_000, "cc"), (0, "?")] {
        assert_eq!(
            business(chart::Host::update_account(s, "1000".into(), limited(minor, name))),
            denied,
            "{minor} {name}"
        );
    }
    assert_eq!(
        business(chart::Host::update_account(s, "6100".into(), limited(1_000_000, "cc"))).1,
        ["limit-already-breached"]
    );
    chart::Host::update_account(s, "1000".into(), renamed("Cash at hand")).unwrap();
}

/// The parts of a stretch are what the whole is, and an account that may not be read is denied.
#[test]
fn the_journal_is_verified_from_number_to_number() {
    let store = filled();
    let mut state = with(&store, Rights::all());
    let whole = review::Host::verify(&mut state, None, None).unwrap();
    assert!(whole.bad.is_none() && whole.entries >= 5 && whole.entries == whole.last, "{whole:?}");
    let one = review::Host::verify(&mut state, Some(whole.last), None).unwrap();
    assert_eq!((one.first, one.entries), (whole.last, 1));
    assert_ne!(one.head, whole.head, "the head covers what is before it");
    journal::Host::reverse(&mut state, back("r0")).unwrap();
    let again = review::Host::verify(&mut state, None, Some(whole.last)).unwrap();
    assert_eq!(again.head, whole.head, "a reversal does not change what it takes back");
    let beyond = review::Host::verify(&mut state, Some(1_000), None).unwrap();
    assert_eq!((beyond.entries, beyond.head), (0, "0".repeat(64)));
    for (first, last) in [(Some(0), None), (Some(3), Some(2))] {
        assert_eq!(business(review::Host::verify(&mut state, first, last)).1, ["range-invalid"]);
    }
    drop(state);
    let mut grant = Grant::all();
    grant.ledger.read = vec!["6*".to_owned().try_into().unwrap()];
    let mut state = with(&store, grant.into());
    assert_eq!(business(review::Host::verify(&mut state, None, None)).1, ["ledger-read-denied"]);
}

fn plain() -> journal::EntryDetails {
    journal::EntryDetails {
        reference: None,
        kind: None,
        guards: Vec::new(),
        source_document: None,
        metadata: Vec::new(),
        lines: Vec::new(),
    }
}

fn back(of: &str) -> journal::Reversal {
    let (of, entry, reason) = (of.to_owned(), "b1".to_owned(), "a mistake".to_owned());
    journal::Reversal { of, entry, original_day: false, reason, force: true }
}

fn paid(hold: &str) -> holds::Settlement {
    holds::Settlement { hold: hold.to_owned(), entry: "p1".to_owned(), amount: None, last: true, date: None }
}

/// A function, and whether it answers.
type Free = (&'static str, fn(&mut RunState) -> bool);

/// One line for each function that needs none: what it tells is the run's own.
const FREE: &[Free] = &[
    ("clock.now", |s| clock::Host::now(s).is_ok()),
    ("clock.today", |s| clock::Host::today(s).is_ok()),
    ("config.get", |s| config::Host::get(s, "greeting".into()).is_ok()),
    ("log.write", |s| log::Host::write(s, log::Level::Info, "x".into()).is_ok()),
];

/// Every function that the world imports, as `interface.function`, and whether it can answer with an error.
fn contract() -> Vec<(String, bool)> {
    let mut resolve = Resolve::default();
    resolve.push_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")).unwrap();
    let (_, world) = resolve.worlds.iter().find(|(_, world)| world.name == "workflow").unwrap();
    let mut functions = Vec::new();
    for item in world.imports.values() {
        let WorldItem::Interface { id, .. } = item else { continue };
        let interface = &resolve.interfaces[*id];
        for (name, function) in &interface.functions {
            let fails = match function.result {
                Some(Type::Id(id)) => matches!(&resolve.types[id].kind, TypeDefKind::Result(r) if r.err.is_some()),
                _ => false,
            };
            functions.push((format!("{}.{name}", interface.name.as_deref().unwrap()), fails));
        }
    }
    functions
}

#[test]
fn every_function_of_the_contract_has_a_case() {
    let contract = contract();
    assert!(contract.len() >= 38, "{contract:?}");
    let names = |fails: bool| -> BTreeSet<&str> {
        contract.iter().filter(|(_, f)| *f == fails).map(|(name, _)| name.as_str()).collect()
    };
    let cases: BTreeSet<&str> = CASES.iter().map(|case| case.name).collect();
    let free: BTreeSet<&str> = FREE.iter().map(|(name, _)| *name).collect();
    assert_eq!(cases, names(true), "a function that can be denied has a case here");
    assert_eq!(free, names(false), "a function without an error needs no right");
    let operations: BTreeSet<&str> = Operation::NAMED.iter().map(|operation| operation.name()).collect();
    assert_eq!(operations, cases, "a grant can name each of them");
    assert_eq!(operations_of(&Rights::all()), Operations::of(Operation::NAMED), "a kind of right is for each of them");
}

/// The fuzzer is not built with the tests, so its text is looked at.
#[test]
fn every_function_of_the_contract_is_fuzzed() {
    let fuzzer = include_str!("../../fuzz/calls.rs");
    for (name, _) in contract() {
        let call = name.replace('.', "::Host::").replace('-', "_") + "(";
        assert!(fuzzer.contains(&call), "{call} is not called by host/runtime/src/fuzz/calls.rs");
    }
}

/// Calls with these rights below all rights, and checks that it went as it should, and left nothing behind if it was denied.
fn expect(store: &Store, case: &Case, grant: Grant, granted: bool, why: &str) {
    let mut state = with(store, grant.into());
    let answer = (case.call)(&mut state);
    let what = format!("{} {why}", case.name);
    match (granted, case.ungranted) {
        (true, _) => assert!(matches!(answer, Ok(1..)), "{what}: {answer:?}"),
        (false, LeftOut) => assert!(matches!(answer, Ok(0)), "{what}: {answer:?}"),
        (false, Denied(code)) => assert_eq!(business(answer), (Class::Denied, vec![code.to_owned()]), "{what}"),
    }
    if !granted {
        assert_eq!((state.work.effects().len(), state.work.tx().changes()), (0, 0), "{what}");
        assert!(state.guest.meter.calls > 0, "{what}: a denied call counts as well");
    }
}

#[test]
fn every_function_is_allowed_with_its_right_and_denied_without() {
    let store = filled();
    let day = |text| Some(BusinessDate::parse(text, "d").unwrap());
    for case in CASES {
        let operation = Operation::parse(case.name).unwrap();
        let others = Operations::of(Operation::NAMED).without(Operations::of(&[operation]));
        let all = Grant::all;
        let mut without = all();
        (case.without)(&mut without);
        expect(&store, case, all(), true, "with everything");
        expect(&store, case, without, false, "without its right");
        expect(&store, case, Grant::default(), false, "without any right");
        let only = Operations::of(&[operation]);
        expect(&store, case, Grant { operations: Some(only), ..all() }, true, "by name alone");
        expect(&store, case, Grant { operations: Some(others), ..all() }, false, "by name of all others");
        expect(&store, case, Grant { expires: day("2026-06-30"), ..all() }, true, "on the last day");
        expect(&store, case, Grant { expires: day("2026-06-29"), ..all() }, false, "on the day after");
    }
}

#[test]
fn functions_that_need_no_right_work_without_any() {
    let store = filled();
    for (name, call) in FREE {
        assert!(call(&mut with(&store, Rights::default())), "{name}");
    }
}

/// The budget comes before the right.
#[test]
fn budgets_come_before_anything_is_looked_at() {
    let store = filled();
    let limits = Limits { host_calls: 0, ..Limits::default() };
    let mut state = RunState::new(work(&store, Rights::default()), Arc::default(), limits);
    for case in CASES {
        match (case.call)(&mut state) {
            Err(HostError::Fault(fault)) => assert_eq!(fault.kind, FaultKind::HostCalls, "{}", case.name),
            other => panic!("{}: {other:?}", case.name),
        }
    }
    assert!(FREE.iter().all(|(_, call)| !call(&mut state)));
    assert_eq!(state.guest.fault.unwrap().kind, FaultKind::HostCalls);
}

/// A worker outside of the group is as if not there: the answer is the one for a number that nobody has.
#[test]
fn workers_outside_of_the_group_are_as_if_not_there() {
    let store = filled();
    let group = |positions: &[&str]| {
        let mut grant = Grant::all();
        grant.hr.positions = positions.iter().map(|p| backroom_domain::rights::Pattern::parse(p).unwrap()).collect();
        Rights::from(grant)
    };
    let mut inside = with(&store, group(&["CPA"]));
    let s = &mut inside;
    assert_eq!(workers::Host::get_name(s, "w1".into()).unwrap(), "Ann");
    assert_eq!(workers::Host::list_employments(s, everyone(), None, 9).unwrap().items.len(), 1);
    assert!(benefits::Host::record(s, benefit("b1")).is_ok());
    assert_eq!(benefits::Host::list(s, "housing".into(), DAY, DAY, None, 9).unwrap().items.len(), 1);
    let issue = |worker: &str| stock::NewMove { worker: Some(worker.to_owned()), ..receipt("m1") };
    assert!(stock::Host::post_move(s, issue("w1")).is_ok());
    drop(inside);
    let mut outside = with(&store, group(&["CFO"]));
    let s = &mut outside;
    let told = |result: Result<(), HostError>| match result {
        Err(HostError::Business(error)) => format!("{error}"),
        other => panic!("{other:?}"),
    };
    let no = "w2"; // Nobody has this number.
    let same = |a: String, b: String| assert_eq!(a.replace("w1", "w2"), b);
    let name = |s: &mut RunState, w: &str| told(workers::Host::get_name(s, w.into()).map(drop));
    same(name(s, "w1"), name(s, no));
    let bank = |s: &mut RunState, w: &str| told(workers::Host::get_bank_account(s, w.into()).map(drop));
    same(bank(s, "w1"), bank(s, no));
    let pay = |s: &mut RunState, w: &str| told(workers::Host::get_compensation(s, w.into(), DAY).map(drop));
    same(pay(s, "w1"), pay(s, no));
    let lines = |s: &mut RunState, w: &str| {
        told(benefits::Host::record(s, benefits::NewBenefit { worker: w.into(), ..benefit("b1") }).map(drop))
    };
    same(lines(s, "w1"), lines(s, no));
    same(told(stock::Host::post_move(s, issue("w1")).map(drop)), told(stock::Host::post_move(s, issue(no)).map(drop)));
    assert_eq!(workers::Host::list_employments(s, everyone(), None, 9).unwrap().items.len(), 0);
    assert!(s.work.effects().is_empty());
}

/// An entry with an account that may not be read is as if not there, too.
#[test]
fn a_denial_never_says_what_there_is() {
    let store = filled();
    let mut grant = Grant::all();
    grant.ledger.read = vec!["6*".to_owned().try_into().unwrap()];
    let mut state = with(&store, grant.into());
    let told = |result: Result<journal::Entry, HostError>| match result {
        Err(HostError::Business(error)) => format!("{error}"),
        other => panic!("{other:?}"),
    };
    let there = told(journal::Host::get(&mut state, "e0".into()));
    assert_eq!(there.replace("e0", "e9"), told(journal::Host::get(&mut state, "e9".into())));
}

/// What a run and an installation used up of their ceilings is counted, and a repeat does not count.
#[test]
fn sums_of_run_and_day_are_counted() {
    let store = filled();
    let grant = |run: &str, day: &str| {
        let mut grant = Grant::all();
        (grant.ledger.max_run, grant.ledger.max_day) = (run.parse().ok(), day.parse().ok());
        Rights::from(grant)
    };
    // Two entries of 1.00 USD fit into the run, and three into the day.
    let mut first = with(&store, grant("2.00 USD", "3.00 USD"));
    assert!(journal::Host::post(&mut first, entry("e1", "6100")).is_ok());
    assert!(journal::Host::post(&mut first, entry("e2", "6100")).is_ok());
    let denied = |code: &str| (Class::Denied, vec![code.to_owned()]);
    assert_eq!(business(journal::Host::post(&mut first, entry("e3", "6100"))), denied("ledger-run-amount-denied"));
    assert!(journal::Host::post(&mut first, entry("e2", "6100")).unwrap().replayed, "a repeat does no harm");
    first.work.seal().unwrap().commit(Meta::default()).unwrap().ticket.wait().unwrap();
    let mut second = with(&store, grant("2.00 USD", "3.00 USD"));
    assert!(journal::Host::post(&mut second, entry("e1", "6100")).unwrap().replayed);
    assert!(journal::Host::post(&mut second, entry("e3", "6100")).is_ok());
    assert_eq!(business(journal::Host::post(&mut second, entry("e4", "6100"))), denied("ledger-day-amount-denied"));
    drop(second);
    // What was dropped did not count, and the next day is another one.
    let mut third = with(&store, grant("9.00 USD", "3.00 USD"));
    assert!(journal::Host::post(&mut third, entry("e3", "6100")).is_ok());
    drop(third);
    let mut stock_grant = Grant::all();
    stock_grant.inventory.max_quantity_day = backroom_domain::Decimal::parse("1", "q").ok();
    stock_grant.inventory.max_value_run = "1.50 USD".parse().ok();
    let mut moves = with(&store, stock_grant.into());
    assert!(stock::Host::post_move(&mut moves, receipt("m1")).is_ok());
    assert!(stock::Host::post_move(&mut moves, receipt("m1")).unwrap().replayed);
    assert_eq!(business(stock::Host::post_move(&mut moves, receipt("m2"))), denied("move-run-denied"));
}

/// The right to send is not the right to have a secret filled in.
#[test]
fn a_secret_needs_a_grant_of_its_own() {
    let store = filled();
    let mut state = with(&store, Grant { secrets: Vec::new(), ..Grant::all() }.into());
    let header = http::Header { name: "authorization".into(), value: "{{secret:bank}}".into() };
    let sent = http::Host::send(&mut state, http::Request { headers: vec![header], ..request() });
    assert_eq!(business(sent), (Class::Denied, vec!["secret-denied".to_owned()]));
}
