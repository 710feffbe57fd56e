//! The complete ledger beside a plain model of it: random commands go to both, and every answer, balance, hold and counter must be the
//! same after each of them.
//!
//! Every rule of the ledger is a property that is tried over random sequences of commands beside something simpler that cannot be wrong
//! in the same way. Where each is (files are below `host/office/tests`; [`table`] compares this table with them):
//!
//! | Rule | Says | Property | In | Sequences | Beside |
//! | --- | --- | --- | --- | --- | --- |
//! | L1 | an entry balances, per currency and in the base column | `the_ledger_does_what_the_plain_model_does` | `ledger_complete/main.rs` | 2,000 | lists of lines that are added up anew for every question |
//! | L2 | so does the whole ledger, holds too, after every command | `the_ledger_does_what_the_plain_model_does` | `ledger_complete/main.rs` | 2,000 | sums over the trial balance |
//! | L3 | four counters, of which what was posted never falls | `what_is_posted_stays_and_never_falls` | `ledger_complete/lasting.rs` | 2,000 | the journal and the counters of the unit of work before |
//! | L4 | what is available is posted less outgoing holds, within limits | `the_ledger_does_what_the_plain_model_does` | `ledger_complete/main.rs` | 2,000 | lists of lines and holds |
//! | L5 | a hold ends once | `the_ledger_does_what_the_plain_model_does` | `ledger_complete/main.rs` | 2,000 | a list of holds with their states |
//! | L6 | a settlement takes at most what is held, a release all of it | `the_ledger_does_what_the_plain_model_does` | `ledger_complete/main.rs` | 2,000 | what each line of a hold still keeps |
//! | L7 | a hold ends by itself at its second and not before | `the_ledger_does_what_the_plain_model_does` | `ledger_complete/main.rs` | 2,000 | the clock of the model |
//! | L8 | what is posted stays as it is | `what_is_posted_stays_and_never_falls` | `ledger_complete/lasting.rs` | 2,000 | the journal and the counters of the unit of work before |
//! | L9 | an entry is taken back once, and both name each other | `the_ledger_does_what_the_plain_model_does` | `ledger_complete/main.rs` | 2,000 | a list of entries with their links |
//! | L10 | a reversal overdraws nothing unless forced, on the day asked for | `the_ledger_does_what_the_plain_model_does` | `ledger_complete/main.rs` | 2,000 | lists of lines |
//! | L11 | nothing is posted or taken back on a locked day | `nothing_is_posted_to_a_locked_day_but_under_an_exception` | `controls/periods.rs` | 2,000 | sets of locked days |
//! | L12 | headers carry nothing, and some accounts nothing by hand | `the_ledger_does_what_the_plain_model_does` | `ledger_complete/main.rs` | 2,000 | the chart |
//! | L13 | a closing moves results into equity and nothing else | `a_closing_changes_nothing_but_where_the_result_stands` | `controls/year.rs` | 2,000 | sums over the list of entries |
//! | L14 | what the next year opens with is what the journal says | `a_closing_changes_nothing_but_where_the_result_stands` | `controls/year.rs` | 2,000 | sums over the list of entries |
//! | L15 | every hash covers the one before; a forged log is refused | `a_log_is_a_chain_and_a_forged_one_is_refused` | `ledger_complete/chain.rs` | 2,000 | BLAKE3 of the parts of the file |
//! | L16 | a failed group leaves nothing, and says who failed | `the_ledger_does_what_the_plain_model_does` | `ledger_complete/main.rs` | 2,000 | a copy of the lists from before |
//! | L17 | the same commands give the same bytes | `the_same_commands_give_the_same_bytes` | `ledger_complete/chain.rs` | 2,000 | the same again |
//! | L18 | a stated balance holds, or says by how much it does not | `a_stated_balance_holds_or_says_by_how_much_it_does_not` | `ledger_complete/stated.rs` | 2,000 | lists of lines |
//!
//! A failure prints the smallest sequence of commands that shows it, and a seed that plays it again.
#![allow(clippy::unwrap_used, reason = "what these tests set up is valid by construction")]
#![allow(clippy::panic, clippy::indexing_slicing, reason = "a failed helper is a failed test")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "the amounts of these tests are small"
)]

#[path = "../books/mod.rs"]
mod books;
mod chain;
mod earlier;
mod history;
mod lasting;
mod model;
mod script;
mod stated;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use backroom_domain::Instant;
use backroom_domain::ledger::{AccountType, Balance, Hold, NewAccount, NewBook};
use backroom_domain::rights::Rights;
use backroom_office::ledger::{self, AsOf};
use backroom_office::{Caller, PageRequest, Work};
use backroom_store::{Meta, Store, TenantNo};
use model::{Account, Counters, Model};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use script::{BASE_OF_EU, CHART, Command, DAYS, Unit, as_told, day, give, id, rules, units};

/// Second 0 of the model.
const START: u64 = 1_782_000_000;

fn work(store: &Store, model: &Model) -> Work {
    let layers = vec![Arc::new(Rights::all())];
    let caller = Caller { actor: "test".to_owned(), layers, installation: None, run: None };
    let now = Instant((START + model.now) * 1_000_000);
    Work::new(store.write(TenantNo(1)).unwrap(), caller, now, day(model.today))
}

fn commit(work: Work) {
    let meta = Meta { at: work.now.0, actor: "test".to_owned(), kind: "test".to_owned(), ..Meta::default() };
    work.seal().unwrap().commit(meta).unwrap().ticket.wait().unwrap();
}

fn begin() -> (Store, Model) {
    let (store, mut model) = (Store::memory(), Model::default());
    model.today = 2;
    let mut work = work(&store, &model);
    let currency = |code: &str| backroom_domain::Currency::parse(code, "c").unwrap();
    let book = NewBook {
        id: id("eu"),
        name: "Europe".to_owned(),
        base: currency(BASE_OF_EU),
        year_start: 1,
        retained_earnings: None,
        exchange_gain: Some(id("eu/gain")),
        exchange_loss: Some(id("eu/loss")),
    };
    ledger::create_book(&mut work, book).unwrap();
    for (code, of, debit_normal, header, manual, needs, min, max) in CHART {
        let new = NewAccount {
            code: id(code),
            name: code.to_owned(),
            kind: if debit_normal { AccountType::Asset } else { AccountType::Liability },
            parent: None,
            currency: currency(of),
            posting: !header,
            stock_control: false,
            rules: if header { backroom_domain::ledger::AccountRules::default() } else { rules(code) },
        };
        ledger::create_account(&mut work, new).unwrap();
        let (min, max) = (min.map(i128::from), max.map(i128::from));
        let account =
            Account { code, currency: of, debit_normal, header, manual, needs, min, max, closed: false, version: 0 };
        model.accounts.insert(code, account);
    }
    commit(work);
    (store, model)
}

fn same(got: &Balance, want: Counters, debit_normal: bool) -> Result<(), TestCaseError> {
    let told = |n: u64| i128::from(n);
    prop_assert_eq!((told(got.debits), told(got.credits)), (want.debits, want.credits), "{}", got.account);
    let held = (told(got.debits_held), told(got.credits_held));
    prop_assert_eq!(held, (want.debits_held, want.credits_held), "held of {}", got.account);
    prop_assert_eq!(got.available.unwrap().value(), want.available(debit_normal), "available of {}", got.account);
    let base = got.base.map(|base| (told(base.debits), told(base.credits)));
    let has_base = got.account.as_str().starts_with("eu/");
    prop_assert_eq!(base, has_base.then_some((want.base_debits, want.base_credits)), "base of {}", got.account);
    Ok(())
}

/// All accounts now: what every command must leave right.
fn compare_now(work: &Work, model: &Model) -> Result<(), TestCaseError> {
    let codes: Vec<_> = model.accounts.values().filter(|account| !account.header).map(|a| id(a.code)).collect();
    for balance in ledger::balances_at(work, &codes, AsOf::default()).unwrap() {
        let account = &model.accounts[balance.account.as_str()];
        same(&balance, model.counters(account.code, None, None), account.debit_normal)?;
    }
    Ok(())
}

/// Everything that can be asked: the past of both kinds, holds, entries and their links, the sums of the books.
fn compare_all(work: &Work, model: &Model) -> Result<(), TestCaseError> {
    compare_now(work, model)?;
    for account in model.accounts.values().filter(|account| !account.header) {
        for n in 0..=DAYS {
            let got = ledger::balance(work, &id(account.code), Some(day(n))).unwrap();
            same(&got, model.counters(account.code, Some(n), None), account.debit_normal)?;
        }
        for second in [0, model.now / 2, model.now] {
            let moment = Instant((START + second) * 1_000_000 + 999_999);
            for date in [None, Some(2)] {
                let as_of = AsOf { date: date.map(day), recorded_at: Some(moment) };
                let got = ledger::balance_at(work, &id(account.code), as_of).unwrap();
                same(&got, model.counters(account.code, date, Some(second)), account.debit_normal)?;
            }
        }
        let closed = ledger::get_account(work, &id(account.code)).unwrap().closed.is_some();
        prop_assert_eq!(closed, account.closed);
    }
    let holds = ledger::list_holds(work, &PageRequest::first(500)).unwrap().items;
    let told = |hold: &Hold| {
        let state = serde_json::to_value(hold.state).unwrap().as_str().unwrap().to_owned();
        (hold.new.entry.id.to_string(), state, hold.kept.iter().sum::<u64>())
    };
    let got: BTreeSet<_> = holds.iter().map(told).collect();
    let kept = |hold: &model::Hold| if model.state(hold) == "held" { hold.kept.iter().sum() } else { 0 };
    let want: BTreeSet<_> =
        model.holds.iter().map(|hold| (hold.id.clone(), model.state(hold).to_owned(), kept(hold))).collect();
    prop_assert_eq!(got, want);
    compare_entries(work, model)
}

fn compare_entries(work: &Work, model: &Model) -> Result<(), TestCaseError> {
    let entries = ledger::list_entries(work, &PageRequest::first(500)).unwrap().items;
    prop_assert_eq!(entries.len(), model.entries.len());
    for (entry, want) in entries.iter().zip(&model.entries) {
        prop_assert_eq!(entry.new.id.as_str(), want.id.as_str());
        prop_assert_eq!(entry.new.date, day(want.day));
        let links = (entry.reverses.as_ref().map(ToString::to_string), entry.reversed_by.is_some());
        prop_assert_eq!(links, (want.reverses.clone(), want.reversed), "L9: once, and named from both ends");
        prop_assert_eq!(entry.settles.is_some(), want.settles.is_some());
        let line = |line: &backroom_domain::ledger::Line| {
            (line.account.to_string(), line.amount.minor, line.base().map(|base| base.minor))
        };
        let got: Vec<_> = entry.new.lines.iter().map(line).collect();
        let want: Vec<_> = want.lines.iter().map(|line| (line.account.clone(), line.minor, line.base)).collect();
        prop_assert_eq!(got, want);
    }
    Ok(())
}

/// L1, L2 and L12: per entry and over all, per currency and in the base column, posted and held.
fn books_balance(work: &Work) -> Result<(), TestCaseError> {
    let trial = ledger::trial_balance(work, None).unwrap();
    for total in &trial.base_totals {
        prop_assert_eq!(total.debits, total.credits, "the base column of {}", total.currency);
    }
    let mut sums = BTreeMap::<(String, bool), [u64; 4]>::new();
    for row in &trial.rows {
        let Balance { account, currency, debits, credits, debits_held, credits_held, .. } = &row.balance;
        let sum = sums.entry((currency.to_string(), account.as_str().starts_with("eu/"))).or_default();
        for (sum, more) in sum.iter_mut().zip([debits, credits, debits_held, credits_held]) {
            *sum += more;
        }
        prop_assert!(account.as_str() != "head", "L12");
    }
    for ((currency, eu), [debits, credits, debits_held, credits_held]) in sums {
        prop_assert_eq!(debits_held, credits_held, "held in {}", &currency);
        // What keeps the amounts in the base currency apart is exchange differences, which the base column has.
        if !(eu && currency == BASE_OF_EU) {
            prop_assert_eq!(debits, credits, "posted in {}", &currency);
        }
    }
    Ok(())
}

fn play(units: &[Unit], check: bool) -> Result<(Store, Model), TestCaseError> {
    let (store, mut kept) = begin();
    for (commands, seconds, keep) in units {
        kept.now += seconds;
        let mut work = work(&store, &kept);
        let mut model = kept.clone();
        for command in commands {
            let got = give(&mut work, command, &model);
            let want = as_told(model.perform(command));
            if check {
                prop_assert_eq!(got, want, "{:?}", command);
                compare_now(&work, &model)?;
                books_balance(&work)?;
            }
        }
        if check {
            compare_all(&work, &model)?;
        }
        if *keep {
            commit(work);
            kept = model;
        }
    }
    Ok((store, kept))
}

proptest! {
    #![proptest_config(books::sequences())]

    /// L1, L2, L4 to L7, L9, L10, L12, L16.
    #[test]
    fn the_ledger_does_what_the_plain_model_does(units in units()) {
        let (store, model) = play(&units, true)?;
        compare_all(&work(&store, &model), &model)?;
    }
}

/// The property above says little if its commands never get far: they reach every outcome that the model has.
#[test]
fn the_commands_reach_every_outcome() {
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for _ in 0..1_500 {
        let mut model = begin_model();
        for (commands, seconds, _) in units().new_tree(&mut runner).unwrap().current() {
            model.now += seconds;
            for command in commands {
                let kind = match command {
                    Command::Post(_) | Command::Batch { .. } | Command::Apart { .. } => "posted",
                    Command::Hold { .. } => "held",
                    Command::Settle { .. } => "settled",
                    Command::Release { .. } => "released",
                    Command::Reverse { .. } => "reversed",
                    Command::Limit { .. } => "limited",
                    Command::Close { .. } => "closed",
                    Command::Reopen { .. } => "reopened",
                };
                seen.extend(
                    model.perform(&command).into_iter().map(|answer| answer.map_or_else(|code| code, |_| kind)),
                );
            }
        }
    }
    let want = BTreeSet::from(OUTCOMES);
    assert_eq!(seen.symmetric_difference(&want).collect::<Vec<_>>(), Vec::<&&str>::new());
}

fn begin_model() -> Model {
    begin().1
}

const OUTCOMES: [&str; 41] = [
    "account-closed",
    "account-is-header",
    "account-not-found",
    "already-released",
    "already-reversed",
    "already-settled",
    "amount-zero",
    "book-mismatch",
    "closed",
    "currency-mismatch",
    "different-amount",
    "duplicate-reference",
    "exceeds-hold",
    "exists-with-different",
    "expired",
    "group-apart",
    "group-failed",
    "guard-failed",
    "has-open-holds",
    "held",
    "hold-not-found",
    "id-already-failed",
    "insufficient",
    "limit-already-breached",
    "limit-exceeded",
    "limited",
    "limits-exclude-each-other",
    "manual-not-permitted",
    "missing-dimension",
    "non-zero-balance",
    "not-found",
    "not-on-hold",
    "posted",
    "rate-missing",
    "released",
    "reopened",
    "reversed",
    "settled",
    "unbalanced",
    "version-conflict",
    "would-overdraw",
];
