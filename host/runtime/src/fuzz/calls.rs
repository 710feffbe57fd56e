//! A row for each function of the contract.

use arbitrary::{Result, Unstructured};
use backroom_office::runs::{Fault, FaultKind};

use super::near::{account, book, currency, cursor, id, limit, many, maybe, minor, near, text};
use crate::bindings::backroom::host::{clock, config, files, http, log, state};
use crate::bindings::backroom::hr::{benefits, workers};
use crate::bindings::backroom::inventory::{items, stock};
use crate::bindings::backroom::ledger::{
    accounts, balances, bank, books, budgets, chart, holds, journal, open_items, periods, rates, reports, review,
};
use crate::error::HostError;
use crate::state::RunState;

/// What a function says, whatever it was.
pub(super) type Answer = std::result::Result<(), HostError>;

/// A call with values out of bytes; the outer error says that they are used up.
type Call = fn(&mut RunState, &mut Unstructured<'_>) -> Result<Answer>;

/// What a function without an error of its own reports ends the run.
fn plain<T>(answer: wasmtime::Result<T>) -> Answer {
    answer.map(drop).map_err(|why| Fault::new(FaultKind::Trap, why.to_string()).into())
}

/// All of them: interface and function, as in the contract.
pub(super) static CALLS: &[(&str, Call)] = &[
    ("clock.now", |s, _| Ok(plain(clock::Host::now(s)))),
    ("clock.today", |s, _| Ok(plain(clock::Host::today(s)))),
    ("config.get", |s, u| Ok(plain(config::Host::get(s, text(u)?)))),
    ("log.write", |s, u| Ok(plain(log::Host::write(s, u.arbitrary()?, u.arbitrary()?)))),
    ("state.get", |s, u| Ok(state::Host::get(s, id(u)?).map(drop))),
    ("state.set", |s, u| Ok(state::Host::set(s, id(u)?, u.arbitrary()?))),
    ("state.delete", |s, u| Ok(state::Host::delete(s, id(u)?))),
    ("state.list", |s, u| Ok(state::Host::list(s, text(u)?, cursor(u)?, limit(u)?).map(drop))),
    ("files.list", |s, u| Ok(files::Host::list(s, folder(u)?, text(u)?, cursor(u)?, limit(u)?).map(drop))),
    ("files.stat", |s, u| Ok(files::Host::stat(s, folder(u)?, path(u)?).map(drop))),
    ("files.read", |s, u| Ok(files::Host::read(s, folder(u)?, path(u)?, offset(u)?, limit(u)?).map(drop))),
    ("files.write", |s, u| Ok(files::Host::write(s, folder(u)?, path(u)?, u.arbitrary()?).map(drop))),
    ("files.append", |s, u| Ok(files::Host::append(s, folder(u)?, path(u)?, offset(u)?, u.arbitrary()?).map(drop))),
    ("files.delete", |s, u| Ok(files::Host::delete(s, folder(u)?, path(u)?))),
    ("http.send", |s, u| Ok(http::Host::send(s, near(u)?).map(drop))),
    ("workers.list-employments", |s, u| {
        Ok(workers::Host::list_employments(s, near(u)?, cursor(u)?, limit(u)?).map(drop))
    }),
    ("workers.get-name", |s, u| Ok(workers::Host::get_name(s, id(u)?).map(drop))),
    ("workers.get-compensation", |s, u| Ok(workers::Host::get_compensation(s, id(u)?, near(u)?).map(drop))),
    ("workers.get-bank-account", |s, u| Ok(workers::Host::get_bank_account(s, id(u)?).map(drop))),
    ("benefits.record", |s, u| Ok(benefits::Host::record(s, near(u)?).map(drop))),
    ("benefits.list", |s, u| Ok(benefits::Host::list(s, id(u)?, near(u)?, near(u)?, cursor(u)?, limit(u)?).map(drop))),
    ("items.get", |s, u| Ok(items::Host::get(s, id(u)?).map(drop))),
    ("items.list", |s, u| Ok(items::Host::list(s, cursor(u)?, limit(u)?).map(drop))),
    ("stock.list-on-hand", |s, u| {
        Ok(stock::Host::list_on_hand(s, id(u)?, maybe(u, id)?, cursor(u)?, limit(u)?).map(drop))
    }),
    ("stock.get-valuation", |s, u| Ok(stock::Host::get_valuation(s, id(u)?).map(drop))),
    ("stock.post-move", |s, u| Ok(stock::Host::post_move(s, near(u)?).map(drop))),
    ("accounts.get", |s, u| Ok(accounts::Host::get(s, account(u)?).map(drop))),
    ("accounts.list", |s, u| Ok(accounts::Host::list(s, cursor(u)?, limit(u)?).map(drop))),
    ("balances.get", |s, u| Ok(balances::Host::get(s, account(u)?, maybe(u, near)?).map(drop))),
    ("balances.get-many", |s, u| {
        Ok(balances::Host::get_many(s, many(u, 3, account)?, maybe(u, near)?, maybe(u, near)?).map(drop))
    }),
    ("balances.trial-balance", |s, u| Ok(balances::Host::trial_balance(s, maybe(u, near)?).map(drop))),
    ("books.get", |s, u| Ok(books::Host::get(s, book(u)?).map(drop))),
    ("books.list", |s, u| Ok(books::Host::list(s, cursor(u)?, limit(u)?).map(drop))),
    ("journal.post", |s, u| Ok(journal::Host::post(s, near(u)?).map(drop))),
    ("journal.post-with", |s, u| Ok(journal::Host::post_with(s, near(u)?, near(u)?).map(drop))),
    ("journal.post-batch", |s, u| Ok(journal::Host::post_batch(s, many(u, 4, near)?, u.arbitrary()?).map(drop))),
    ("journal.reverse", |s, u| Ok(journal::Host::reverse(s, near(u)?).map(drop))),
    ("journal.get-details", |s, u| Ok(journal::Host::get_details(s, id(u)?).map(drop))),
    ("journal.get", |s, u| Ok(journal::Host::get(s, id(u)?).map(drop))),
    ("journal.list", |s, u| Ok(journal::Host::list(s, cursor(u)?, limit(u)?).map(drop))),
    ("holds.place", |s, u| {
        let seconds = maybe(u, |u| Ok(*u.choose(&[1, 3600, 0, u64::MAX])?))?;
        Ok(holds::Host::place(s, near(u)?, maybe(u, near)?, seconds).map(drop))
    }),
    ("holds.settle", |s, u| Ok(holds::Host::settle(s, near(u)?).map(drop))),
    ("holds.release", |s, u| Ok(holds::Host::release(s, id(u)?, maybe(u, near)?).map(drop))),
    ("holds.get", |s, u| Ok(holds::Host::get(s, id(u)?).map(drop))),
    ("holds.list", |s, u| Ok(holds::Host::list(s, cursor(u)?, limit(u)?).map(drop))),
    ("reports.report", |s, u| Ok(reports::Host::report(s, u.arbitrary()?, many(u, 3, near)?).map(drop))),
    ("reports.statement", |s, u| {
        Ok(reports::Host::statement(s, account(u)?, near(u)?, cursor(u)?, limit(u)?).map(drop))
    }),
    ("reports.explain", |s, u| Ok(reports::Host::explain(s, account(u)?, near(u)?, u.int_in_range(0..=20)?).map(drop))),
    ("reports.assert-balance", |s, u| {
        Ok(reports::Host::assert_balance(s, account(u)?, near(u)?, u.arbitrary()?, near(u)?, minor(u)?).map(drop))
    }),
    ("reports.allocate", |s, u| Ok(reports::Host::allocate(s, near(u)?, many(u, 6, near)?).map(drop))),
    ("chart.create-book", |s, u| Ok(chart::Host::create_book(s, near(u)?))),
    ("chart.create-account", |s, u| Ok(chart::Host::create_account(s, near(u)?).map(drop))),
    ("chart.update-account", |s, u| Ok(chart::Host::update_account(s, account(u)?, u.arbitrary()?).map(drop))),
    ("chart.close-account", |s, u| Ok(chart::Host::close_account(s, account(u)?, text(u)?, u.arbitrary()?).map(drop))),
    ("chart.reopen-account", |s, u| Ok(chart::Host::reopen_account(s, account(u)?).map(drop))),
    ("review.cash-flow", |s, u| Ok(review::Host::cash_flow(s, many(u, 3, account)?, near(u)?).map(drop))),
    ("review.general-ledger", |s, u| Ok(review::Host::general_ledger(s, near(u)?).map(drop))),
    ("review.by-dimension", |s, u| Ok(review::Host::by_dimension(s, id(u)?, near(u)?).map(drop))),
    ("review.verify", |s, u| Ok(review::Host::verify(s, u.arbitrary()?, u.arbitrary()?).map(drop))),
    ("open-items.list", |s, u| Ok(open_items::Host::list(s, near(u)?, cursor(u)?, limit(u)?).map(drop))),
    ("open-items.ageing", |s, u| {
        Ok(open_items::Host::ageing(s, near(u)?, many(u, 4, |u| u.int_in_range(0..=120))?).map(drop))
    }),
    ("open-items.match-items", |s, u| Ok(open_items::Host::match_items(s, near(u)?).map(drop))),
    ("open-items.unmatch", |s, u| Ok(open_items::Host::unmatch(s, id(u)?, text(u)?, maybe(u, id)?).map(drop))),
    ("bank.import-statement", |s, u| Ok(bank::Host::import_statement(s, near(u)?).map(drop))),
    ("bank.suggest", |s, u| Ok(bank::Host::suggest(s, account(u)?, cursor(u)?, limit(u)?).map(drop))),
    ("bank.confirm", |s, u| Ok(bank::Host::confirm(s, account(u)?, id(u)?, near(u)?).map(drop))),
    ("bank.undo", |s, u| Ok(bank::Host::undo(s, account(u)?, id(u)?, text(u)?).map(drop))),
    ("periods.list", |s, u| Ok(periods::Host::list(s, book(u)?, maybe(u, year)?).map(drop))),
    ("periods.lock", |s, u| Ok(periods::Host::lock(s, book(u)?, u.arbitrary()?, u.arbitrary()?, near(u)?).map(drop))),
    ("periods.reopen", |s, u| Ok(periods::Host::reopen(s, book(u)?, u.arbitrary()?, near(u)?, text(u)?).map(drop))),
    ("periods.limit-future", |s, u| Ok(periods::Host::limit_future(s, book(u)?, u.arbitrary()?).map(drop))),
    ("periods.grant-exception", |s, u| Ok(periods::Host::grant_exception(s, book(u)?, near(u)?).map(drop))),
    ("periods.revoke-exception", |s, u| Ok(periods::Host::revoke_exception(s, book(u)?, id(u)?).map(drop))),
    (
        "periods.list-exceptions",
        |s, u| Ok(periods::Host::list_exceptions(s, book(u)?, cursor(u)?, limit(u)?).map(drop)),
    ),
    ("periods.list-exception-uses", |s, u| {
        Ok(periods::Host::list_exception_uses(s, book(u)?, id(u)?, cursor(u)?, limit(u)?).map(drop))
    }),
    ("periods.close-year", |s, u| {
        let (book, retained) = (book(u)?, many(u, 2, account)?);
        Ok(periods::Host::close_year(s, book, id(u)?, year(u)?, retained).map(drop))
    }),
    ("periods.list-openings", |s, u| {
        Ok(periods::Host::list_openings(s, book(u)?, year(u)?, cursor(u)?, limit(u)?).map(drop))
    }),
    ("rates.set", |s, u| Ok(rates::Host::set(s, book(u)?, many(u, 3, near)?).map(drop))),
    ("rates.get", |s, u| Ok(rates::Host::get(s, book(u)?, currency(u)?, currency(u)?, id(u)?, near(u)?).map(drop))),
    ("rates.list", |s, u| Ok(rates::Host::list(s, book(u)?, cursor(u)?, limit(u)?).map(drop))),
    ("rates.revalue", |s, u| Ok(rates::Host::revalue(s, book(u)?, near(u)?).map(drop))),
    ("budgets.set", |s, u| {
        Ok(budgets::Host::set(s, book(u)?, near(u)?, maybe(u, |u| u.int_in_range(0..=2))?).map(drop))
    }),
    ("budgets.status", |s, u| Ok(budgets::Host::status(s, book(u)?, id(u)?).map(drop))),
    ("budgets.list", |s, u| Ok(budgets::Host::list(s, book(u)?, cursor(u)?, limit(u)?).map(drop))),
];

fn year(u: &mut Unstructured<'_>) -> Result<u16> {
    if u.ratio(7, 8)? { u.int_in_range(2024..=2027) } else { u.arbitrary() }
}

fn folder(u: &mut Unstructured<'_>) -> Result<String> {
    if u.ratio(7, 8)? { Ok("in".to_owned()) } else { text(u) }
}

fn path(u: &mut Unstructured<'_>) -> Result<String> {
    Ok(match u.int_in_range(0..=7)? {
        0 => u.arbitrary()?,
        1 => "b/../a".to_owned(),
        2..4 => "b/c.csv".to_owned(),
        _ => "a".to_owned(),
    })
}

fn offset(u: &mut Unstructured<'_>) -> Result<u64> {
    if u.ratio(3, 4)? { u.int_in_range(0..=8) } else { u.arbitrary() }
}
