//! Every function of the contract, called with values of any kind; for the fuzzer `values` (`tests/fuzz`) alone.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a finding")]

use std::sync::Arc;

use arbitrary::{Arbitrary, Result, Unstructured};
use backroom_domain::rights::Rights;
use backroom_domain::{BusinessDate, Id, Instant};
use backroom_office::{Caller, Failure, Work, hr, inventory, ledger};
use backroom_store::records::Limits;
use backroom_store::{Meta, Store, TenantNo};
use serde_json::{Value, json};

use crate::bindings::backroom::host::{clock, config, files, http, log, state};
use crate::bindings::backroom::hr::{benefits, workers};
use crate::bindings::backroom::inventory::{items, stock};
use crate::bindings::backroom::ledger::{
    accounts, balances, bank, books, budgets, chart, holds, journal, open_items, periods, rates, reports, review,
};
use crate::error::HostError;
use crate::state::RunState;

const TENANT: TenantNo = TenantNo(1);
const NOW: Instant = Instant(1_782_777_600_000_000);
/// Calls of one run: enough for one to build on others.
const MOST: usize = 24;
/// What there is, and ids for what is made.
const KNOWN: [&str; 16] = [
    "1000", "1400", "6100", "w1", "laptop", "desk", "stock", "vendor", "staff", "e1", "e2", "m1", "b1", "in", "a", "k",
];

/// Runs calls made of `bytes` in one unit of work, and commits it if the rules of its end allow.
///
/// # Panics
/// On a finding: books that do not balance, a panic of a host function.
pub fn calls(bytes: &[u8]) {
    let store = books();
    let mut state = RunState::new(work(&store), Arc::default(), Limits::default());
    let mut u = Unstructured::new(bytes);
    for _ in 0..MOST {
        match call(&mut state, &mut u) {
            Ok(Ok(())) => {}
            // A typed "no", after which a guest goes on.
            Ok(Err(HostError::Business(error))) => assert!(!error.problems.is_empty(), "a refusal without a reason"),
            // The run ends, and nothing is kept.
            Ok(Err(HostError::Fault(_))) => return,
            // No bytes are left.
            Err(_) => break,
        }
    }
    match state.work.seal() {
        Ok(sealed) => sealed.commit(Meta::default()).unwrap().ticket.wait().unwrap(),
        Err(Failure::Business(_)) => {}
        Err(Failure::Store(why)) => panic!("{why}"),
    }
    let trial = ledger::trial_balance(&work(&store), None).unwrap();
    assert!(trial.totals.iter().all(|total| total.debits == total.credits), "{trial:?}");
    let control = inventory::stock_control(&work(&store)).unwrap();
    assert!(control.iter().all(|row| row.ledger == row.stock), "{control:?}");
}

/// Known text mostly, else any.
fn text(u: &mut Unstructured<'_>) -> Result<String> {
    if u.ratio(7, 8)? { Ok((*u.choose(&KNOWN)?).to_owned()) } else { u.arbitrary() }
}

fn maybe(u: &mut Unstructured<'_>) -> Result<Option<String>> {
    if u.arbitrary()? { text(u).map(Some) } else { Ok(None) }
}

/// Any value, then known ids in some of its places.
fn near<T: for<'a> Arbitrary<'a>>(
    u: &mut Unstructured<'_>,
    known: impl FnOnce(&mut T, &mut Unstructured<'_>) -> Result<()>,
) -> Result<T> {
    let mut value = u.arbitrary()?;
    if u.ratio(7, 8)? {
        known(&mut value, u)?;
    }
    Ok(value)
}

fn entry(u: &mut Unstructured<'_>) -> Result<journal::NewEntry> {
    near(u, |entry: &mut journal::NewEntry, u| {
        entry.id = text(u)?;
        entry.date = clock_day();
        for line in &mut entry.lines {
            line.account = text(u)?;
            line.amount.currency = "USD".to_owned();
        }
        // Two lines that balance, with whatever else they say.
        if let [first, second, ..] = entry.lines.as_mut_slice() {
            second.amount = first.amount.clone();
            entry.lines.truncate(2);
        }
        Ok(())
    })
}

fn clock_day() -> crate::bindings::backroom::types::types::BusinessDate {
    crate::bindings::backroom::types::types::BusinessDate { year: 2026, month: 6, day: 30 }
}

fn benefit(u: &mut Unstructured<'_>) -> Result<benefits::NewBenefit> {
    near(u, |benefit: &mut benefits::NewBenefit, u| {
        (benefit.id, benefit.worker, benefit.entry) = (text(u)?, text(u)?, maybe(u)?);
        (benefit.first_day, benefit.last_day) = (clock_day(), clock_day());
        benefit.amount.currency = "USD".to_owned();
        Ok(())
    })
}

fn stock_move(u: &mut Unstructured<'_>) -> Result<stock::NewMove> {
    near(u, |new: &mut stock::NewMove, u| {
        (new.id, new.item, new.entry, new.worker) = (text(u)?, text(u)?, maybe(u)?, maybe(u)?);
        (new.source, new.destination, new.date) = (text(u)?, text(u)?, clock_day());
        Ok(())
    })
}

/// One call. The outer error says that the bytes are used up.
fn call(s: &mut RunState, u: &mut Unstructured<'_>) -> Result<std::result::Result<(), HostError>> {
    /// What a function without an error of its own reports ends the run.
    fn plain<T>(answer: wasmtime::Result<T>) -> std::result::Result<(), HostError> {
        answer.map(drop).map_err(|why| {
            backroom_office::runs::Fault::new(backroom_office::runs::FaultKind::Trap, why.to_string()).into()
        })
    }
    Ok(match u.int_in_range(0..=32)? {
        0 => plain(clock::Host::now(s)),
        1 => plain(clock::Host::today(s)),
        2 => plain(config::Host::get(s, text(u)?)),
        3 => plain(log::Host::write(s, u.arbitrary()?, u.arbitrary()?)),
        4 => state::Host::get(s, text(u)?).map(drop),
        5 => state::Host::set(s, text(u)?, u.arbitrary()?),
        6 => state::Host::delete(s, text(u)?),
        7 => state::Host::list(s, text(u)?, maybe(u)?, u.arbitrary()?).map(drop),
        8 => files::Host::list(s, text(u)?, text(u)?, maybe(u)?, u.arbitrary()?).map(drop),
        9 => files::Host::stat(s, text(u)?, text(u)?).map(drop),
        10 => files::Host::read(s, text(u)?, text(u)?, u.arbitrary()?, u.arbitrary()?).map(drop),
        11 => files::Host::write(s, text(u)?, text(u)?, u.arbitrary()?).map(drop),
        12 => files::Host::append(s, text(u)?, text(u)?, u.arbitrary()?, u.arbitrary()?).map(drop),
        13 => files::Host::delete(s, text(u)?, text(u)?),
        14 => http::Host::send(s, u.arbitrary()?).map(drop),
        15 => accounts::Host::get(s, text(u)?).map(drop),
        16 => accounts::Host::list(s, maybe(u)?, u.arbitrary()?).map(drop),
        17 => balances::Host::get(s, text(u)?, u.arbitrary()?).map(drop),
        18 => balances::Host::trial_balance(s, u.arbitrary()?).map(drop),
        19 => journal::Host::post(s, entry(u)?).map(drop),
        20 => journal::Host::get(s, text(u)?).map(drop),
        21 => journal::Host::list(s, maybe(u)?, u.arbitrary()?).map(drop),
        22 => workers::Host::list_employments(s, u.arbitrary()?, maybe(u)?, u.arbitrary()?).map(drop),
        23 => workers::Host::get_name(s, text(u)?).map(drop),
        24 => workers::Host::get_compensation(s, text(u)?, u.arbitrary()?).map(drop),
        25 => workers::Host::get_bank_account(s, text(u)?).map(drop),
        26 => benefits::Host::record(s, benefit(u)?).map(drop),
        27 => benefits::Host::list(s, text(u)?, u.arbitrary()?, u.arbitrary()?, maybe(u)?, u.arbitrary()?).map(drop),
        28 => match u.int_in_range(0..=1)? {
            0 => items::Host::get(s, text(u)?).map(drop),
            _ => items::Host::list(s, maybe(u)?, u.arbitrary()?).map(drop),
        },
        29 => match u.int_in_range(0..=1)? {
            0 => stock::Host::list_on_hand(s, text(u)?, maybe(u)?, maybe(u)?, u.arbitrary()?).map(drop),
            _ => stock::Host::get_valuation(s, text(u)?).map(drop),
        },
        30 => controls(s, u)?,
        31 => ledger_calls(s, u)?,
        _ => stock::Host::post_move(s, stock_move(u)?).map(drop),
    })
}

/// Books, holds, batches, reports, open items, bank.
fn ledger_calls(s: &mut RunState, u: &mut Unstructured<'_>) -> Result<std::result::Result<(), HostError>> {
    Ok(match u.int_in_range(0..=33)? {
        0 => balances::Host::get_many(s, vec![text(u)?, text(u)?], u.arbitrary()?, u.arbitrary()?).map(drop),
        1 => journal::Host::post_with(s, entry(u)?, u.arbitrary()?).map(drop),
        2 => {
            let mut items: Vec<journal::BatchItem> = u.arbitrary()?;
            for item in &mut items {
                item.entry = entry(u)?;
            }
            journal::Host::post_batch(s, items, u.arbitrary()?).map(drop)
        }
        3 => {
            let reversal = near(u, |reversal: &mut journal::Reversal, u| {
                (reversal.of, reversal.entry) = (text(u)?, text(u)?);
                Ok(())
            })?;
            journal::Host::reverse(s, reversal).map(drop)
        }
        4 => journal::Host::get_details(s, text(u)?).map(drop),
        5 => books::Host::get(s, text(u)?).map(drop),
        6 => books::Host::list(s, maybe(u)?, u.arbitrary()?).map(drop),
        7 => holds::Host::place(s, entry(u)?, u.arbitrary()?, u.arbitrary()?).map(drop),
        8 => {
            let settlement = near(u, |settlement: &mut holds::Settlement, u| {
                (settlement.hold, settlement.entry) = (text(u)?, text(u)?);
                Ok(())
            })?;
            holds::Host::settle(s, settlement).map(drop)
        }
        9 => holds::Host::release(s, text(u)?, u.arbitrary()?).map(drop),
        10 => holds::Host::get(s, text(u)?).map(drop),
        11 => holds::Host::list(s, maybe(u)?, u.arbitrary()?).map(drop),
        12 => reports::Host::report(s, u.arbitrary()?, u.arbitrary()?).map(drop),
        13 => reports::Host::statement(s, text(u)?, u.arbitrary()?, maybe(u)?, u.arbitrary()?).map(drop),
        14 => reports::Host::explain(s, text(u)?, u.arbitrary()?, u.arbitrary()?).map(drop),
        15 => {
            reports::Host::assert_balance(s, text(u)?, u.arbitrary()?, u.arbitrary()?, u.arbitrary()?, u.arbitrary()?)
                .map(drop)
        }
        16 => reports::Host::allocate(s, u.arbitrary()?, u.arbitrary()?).map(drop),
        17 => open_items::Host::list(s, u.arbitrary()?, maybe(u)?, u.arbitrary()?).map(drop),
        18 => open_items::Host::ageing(s, u.arbitrary()?, u.arbitrary()?).map(drop),
        19 => {
            let new = near(u, |new: &mut open_items::NewMatch, u| {
                (new.id, new.date) = (text(u)?, clock_day());
                for pair in &mut new.pairs {
                    (pair.debit, pair.credit) = (item(u)?, item(u)?);
                }
                Ok(())
            })?;
            open_items::Host::match_items(s, new).map(drop)
        }
        20 => open_items::Host::unmatch(s, text(u)?, u.arbitrary()?, maybe(u)?).map(drop),
        21 => {
            let statement = near(u, |statement: &mut bank::Statement, u| {
                (statement.id, statement.account) = (text(u)?, "6100".to_owned());
                Ok(())
            })?;
            bank::Host::import_statement(s, statement).map(drop)
        }
        22 => bank::Host::suggest(s, text(u)?, maybe(u)?, u.arbitrary()?).map(drop),
        23 => bank::Host::confirm(s, text(u)?, text(u)?, item(u)?).map(drop),
        24 => {
            let book = near(u, |book: &mut chart::NewBook, u| {
                (book.id, book.base) = (text(u)?, "USD".to_owned());
                (book.retained_earnings, book.exchange_gain, book.exchange_loss) = (None, None, None);
                Ok(())
            })?;
            chart::Host::create_book(s, book)
        }
        25 => {
            let account = near(u, |account: &mut chart::NewAccount, u| {
                (account.code, account.currency) = (text(u)?, "USD".to_owned());
                account.parent = maybe(u)?;
                Ok(())
            })?;
            chart::Host::create_account(s, account).map(drop)
        }
        26 => chart::Host::update_account(s, text(u)?, u.arbitrary()?).map(drop),
        27 => chart::Host::close_account(s, text(u)?, text(u)?, u.arbitrary()?).map(drop),
        28 => chart::Host::reopen_account(s, text(u)?).map(drop),
        29 => review::Host::cash_flow(s, vec![text(u)?], u.arbitrary()?).map(drop),
        30 => review::Host::general_ledger(s, u.arbitrary()?).map(drop),
        31 => review::Host::by_dimension(s, text(u)?, u.arbitrary()?).map(drop),
        32 => review::Host::verify(s, u.arbitrary()?, u.arbitrary()?).map(drop),
        _ => bank::Host::undo(s, text(u)?, text(u)?, u.arbitrary()?).map(drop),
    })
}

fn item(u: &mut Unstructured<'_>) -> Result<open_items::ItemRef> {
    Ok(open_items::ItemRef { entry: text(u)?, line: u.int_in_range(0..=2)? })
}

/// Periods, rates, budgets.
fn controls(s: &mut RunState, u: &mut Unstructured<'_>) -> Result<std::result::Result<(), HostError>> {
    let book = if u.ratio(7, 8)? { "main".to_owned() } else { text(u)? };
    Ok(match u.int_in_range(0..=16)? {
        0 => periods::Host::list(s, book, u.arbitrary()?).map(drop),
        1 => periods::Host::lock(s, book, u.arbitrary()?, u.arbitrary()?, u.arbitrary()?).map(drop),
        2 => periods::Host::reopen(s, book, u.arbitrary()?, u.arbitrary()?, u.arbitrary()?).map(drop),
        3 => periods::Host::limit_future(s, book, u.arbitrary()?).map(drop),
        4 => periods::Host::grant_exception(s, book, u.arbitrary()?).map(drop),
        5 => periods::Host::revoke_exception(s, book, text(u)?).map(drop),
        6 => periods::Host::list_exceptions(s, book, maybe(u)?, u.arbitrary()?).map(drop),
        7 => periods::Host::list_exception_uses(s, book, text(u)?, maybe(u)?, u.arbitrary()?).map(drop),
        8 => periods::Host::close_year(s, book, text(u)?, u.int_in_range(2020..=2030)?, vec![text(u)?]).map(drop),
        9 => periods::Host::list_openings(s, book, u.arbitrary()?, maybe(u)?, u.arbitrary()?).map(drop),
        10 => rates::Host::set(s, book, u.arbitrary()?).map(drop),
        11 => rates::Host::get(s, book, "USD".into(), "EUR".into(), text(u)?, u.arbitrary()?).map(drop),
        12 => rates::Host::list(s, book, maybe(u)?, u.arbitrary()?).map(drop),
        13 => rates::Host::revalue(s, book, u.arbitrary()?).map(drop),
        14 => {
            let budget = near(u, |budget: &mut budgets::NewBudget, u| {
                (budget.id, budget.account) = (text(u)?, text(u)?);
                Ok(())
            })?;
            budgets::Host::set(s, book, budget, u.arbitrary()?).map(drop)
        }
        15 => budgets::Host::status(s, book, text(u)?).map(drop),
        _ => budgets::Host::list(s, book, maybe(u)?, u.arbitrary()?).map(drop),
    })
}

fn work(store: &Store) -> Work {
    let id = |text| Id::parse(text, "id").ok();
    let layers = vec![Arc::new(Rights::all())];
    let caller = Caller { actor: "fuzz".into(), layers, installation: id("fuzz"), run: id("r1") };
    Work::new(store.write(TENANT).unwrap(), caller, NOW, BusinessDate::parse("2026-06-30", "date").unwrap())
}

/// Three accounts, a worker, two items and places for them.
fn books() -> Store {
    fn made<T: serde::de::DeserializeOwned>(value: Value) -> T {
        serde_json::from_value(value).unwrap()
    }
    let store = Store::memory();
    let mut work = work(&store);
    for code in ["1000", "1400", "6100"] {
        let control = code == "1400";
        let account = json!({
            "code": code, "name": code, "type": "asset", "currency": "USD", "posting": true, "stock-control": control,
            "rules": {"reconcilable": code == "6100"}
        });
        ledger::create_account(&mut work, made(account)).unwrap();
    }
    hr::add_worker(&mut work, made(json!({"id": "w1", "name": "Ann"}))).unwrap();
    let employment =
        json!({"worker": "w1", "from": "2026-01-01", "position": "CPA", "place": "remote", "cost-center": "CC-1"});
    hr::add_employment(&mut work, made(employment)).unwrap();
    for item in ["laptop", "desk"] {
        let item = json!({
            "id": item, "name": item, "unit": "each", "decimals": 0, "tracking": "none", "stock-account": "1400"
        });
        inventory::create_item(&mut work, made(item)).unwrap();
    }
    for (place, usage) in [("stock", "internal"), ("vendor", "supplier"), ("staff", "consumption")] {
        inventory::create_location(&mut work, made(json!({"id": place, "name": place, "usage": usage}))).unwrap();
    }
    work.seal().unwrap().commit(Meta::default()).unwrap().ticket.wait().unwrap();
    store
}
