//! The ledger beside a plain model of it: a list of entries, summed up anew for every question.
//!
//! What must hold after any work: debits equal credits, per entry and in all; header accounts carry nothing; a balance as of any
//! day is the sum of the journal up to it; what failed or was dropped left no trace; a repeat does nothing; numbers have no gap.
#![allow(clippy::unwrap_used, reason = "what these tests set up is valid by construction")]
#![allow(clippy::panic, clippy::indexing_slicing, reason = "a failed helper is a failed test")]

mod books;

use std::collections::{BTreeMap, BTreeSet};

use backroom_domain::ledger::{Line, NewEntry};
use backroom_domain::rights::Rights;
use backroom_domain::{BusinessDate, MAX_MINOR, Side};
use backroom_office::ledger::{balance, create_account, get_entry, list_entries, post, trial_balance};
use backroom_office::{Failure, Work};
use books::{Books, account, all, commit, day, header, id, money};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

const POSTING: [(&str, &str); 4] = [("1000", "USD"), ("2000", "USD"), ("3000", "USD"), ("1100", "EUR")];
const HEADER: &str = "0";
const DAYS: [&str; 5] = ["1900-01-01", "2026-05-31", "2026-06-01", "2026-06-02", "2999-12-31"];

/// One call within a unit of work.
#[derive(Debug, Clone)]
enum Call {
    Post(NewEntry),
    /// Posts the entry with this place in the journal, if there is one, again as it was.
    Repeat(usize),
}

/// Calls, and whether the work is committed or dropped.
type Batch = (Vec<Call>, bool);

fn call() -> impl Strategy<Value = Call> {
    let code = prop_oneof![
        40 => (0..POSTING.len()).prop_map(|i| POSTING[i].0),
        1 => Just(HEADER),
        1 => Just("nowhere"),
    ];
    let amount = prop_oneof![8 => 1..4u64, 1 => (0..4u64).prop_map(|n| MAX_MINOR / 2 - n), 1 => Just(0)];
    // Of a pair of accounts mostly of one currency, as random ones would hardly ever do.
    let pair = (code.clone(), code, amount, prop::bool::weighted(0.9)).prop_map(|(debit, credit, minor, alike)| {
        let currency = if debit == "1100" { "EUR" } else { "USD" };
        let credit = if alike && (credit == "1100") != (debit == "1100") { debit } else { credit };
        books::pair(debit, credit, minor, currency)
    });
    let lines = (prop::collection::vec(pair, 0..4), prop::option::weighted(0.1, 1..3u64)).prop_map(|(pairs, more)| {
        let mut lines: Vec<Line> = pairs.concat();
        if let (Some(more), Some(first)) = (more, lines.first_mut()) {
            first.amount.minor = (first.amount.minor + more).min(MAX_MINOR);
        }
        lines
    });
    let posted = (0..30u8, 0..DAYS.len(), lines)
        .prop_map(|(n, date, lines)| Call::Post(books::entry(&format!("e{n}"), DAYS[date], lines)));
    prop_oneof![5 => posted, 1 => (0..30usize).prop_map(Call::Repeat)]
}

fn batches() -> impl Strategy<Value = Vec<Batch>> {
    prop::collection::vec((prop::collection::vec(call(), 0..8), prop::bool::weighted(0.7)), 1..6)
}

/// The model: what was posted, in order, and ids that were refused for good.
#[derive(Debug, Clone, Default)]
struct Journal(Vec<NewEntry>, BTreeSet<backroom_domain::Id>);

impl Journal {
    /// The number and whether it was a replay, or the code of the refusal.
    fn post(&mut self, new: &NewEntry) -> Result<(u64, bool), &'static str> {
        if new.lines.len() < 2 {
            return Err("too-few-lines");
        }
        if new.lines.iter().any(|line| line.amount.minor == 0) {
            return Err("amount-zero");
        }
        if let Some(i) = self.0.iter().position(|old| old.id == new.id) {
            let number = u64::try_from(i).unwrap() + 1;
            return if self.0[i] == *new { Ok((number, true)) } else { Err("exists-with-different") };
        }
        if self.1.contains(&new.id) {
            return Err("id-already-failed");
        }
        let posted = self.post_new(new);
        if posted.is_err_and(|code| code != "unbalanced") {
            self.1.insert(new.id.clone());
        }
        posted
    }

    fn post_new(&mut self, new: &NewEntry) -> Result<(u64, bool), &'static str> {
        if new.lines.iter().any(|line| line.account.as_str() == "nowhere") {
            return Err("account-not-found");
        }
        for currency in ["EUR", "USD"] {
            let lines = || new.lines.iter().filter(|line| line.amount.currency.as_str() == currency);
            if sum(lines(), Side::Debit) != sum(lines(), Side::Credit) {
                return Err("unbalanced");
            }
        }
        if new.lines.iter().any(|line| line.account.as_str() == HEADER) {
            return Err("account-is-header");
        }
        if new.lines.iter().any(|line| !POSTING.contains(&(line.account.as_str(), line.amount.currency.as_str()))) {
            return Err("currency-mismatch");
        }
        self.0.push(new.clone());
        let too_much = |side| POSTING.iter().any(|(code, _)| self.balance(code, side, None) > u128::from(MAX_MINOR));
        if too_much(Side::Debit) || too_much(Side::Credit) {
            self.0.pop();
            return Err("overflow");
        }
        Ok((u64::try_from(self.0.len()).unwrap(), false))
    }

    fn balance(&self, account: &str, side: Side, as_of: Option<BusinessDate>) -> u128 {
        let entries = self.0.iter().filter(|entry| as_of.is_none_or(|as_of| entry.date <= as_of));
        sum(entries.flat_map(|entry| &entry.lines).filter(|line| line.account.as_str() == account), side)
    }

    /// What the call asks to be posted.
    fn entry(&self, call: &Call) -> Option<NewEntry> {
        match call {
            Call::Post(new) => Some(new.clone()),
            Call::Repeat(place) => self.0.get(*place).cloned(),
        }
    }
}

fn sum<'a>(lines: impl Iterator<Item = &'a Line>, side: Side) -> u128 {
    lines.filter(|line| line.side == side).map(|line| u128::from(line.amount.minor)).sum()
}

fn books_with_chart() -> Books {
    let books = Books::new();
    books.set_up(|work| {
        create_account(work, header(HEADER)).unwrap();
        for (code, currency) in POSTING {
            create_account(work, account(code, currency)).unwrap();
        }
    });
    books
}

/// Posts to both and compares the answers, and what a failed or repeated call left behind.
fn post_to_both(work: &mut Work, journal: &mut Journal, new: NewEntry) -> Result<(), TestCaseError> {
    let before = work.effects().to_vec();
    let want = journal.post(&new);
    let got = match post(work, new.clone()) {
        Ok(posted) => {
            prop_assert_eq!(&posted.entry.new, &new);
            Ok((posted.entry.number, posted.replayed))
        }
        Err(Failure::Business(error)) => Err(error.code().to_owned()),
        Err(failure) => panic!("{failure}"),
    };
    let nothing_done = !matches!(want, Ok((_, false)));
    prop_assert_eq!(got, want.map_err(str::to_owned));
    if nothing_done {
        prop_assert_eq!(work.effects().to_vec(), before);
    }
    Ok(())
}

/// Every question that can be asked, answered by both.
fn compare(work: &Work, journal: &Journal) -> Result<(), TestCaseError> {
    let entries: Vec<_> = all(3, |page| list_entries(work, page));
    prop_assert!(entries.iter().map(|entry| entry.number).eq(1..=u64::try_from(entries.len()).unwrap()));
    prop_assert_eq!(&entries.iter().map(|entry| entry.new.clone()).collect::<Vec<_>>(), &journal.0);
    for entry in entries {
        prop_assert_eq!(get_entry(work, &entry.new.id).unwrap(), entry);
    }
    let days = DAYS.iter().chain(&["2026-05-30", "2026-07-01"]).map(|text| Some(day(text)));
    for as_of in days.chain([None]) {
        let trial = trial_balance(work, as_of).unwrap();
        prop_assert_eq!(trial.rows.len(), POSTING.len(), "accounts without postings are there, headers are not");
        let mut totals = BTreeMap::new();
        for row in trial.rows {
            let account = &row.balance.account;
            let want = [Side::Debit, Side::Credit].map(|side| journal.balance(account.as_str(), side, as_of));
            prop_assert_eq!([row.balance.debits, row.balance.credits].map(u128::from), want);
            prop_assert_eq!(row.balance.available.unwrap().value(), want[0] as i128 - want[1] as i128);
            prop_assert_eq!(&balance(work, account, as_of).unwrap(), &row.balance);
            let total: &mut (u128, u128) = totals.entry(row.balance.currency).or_default();
            *total = (total.0 + want[0], total.1 + want[1]);
        }
        for total in trial.totals {
            prop_assert_eq!(total.debits, total.credits);
            prop_assert_eq!(totals.remove(&total.currency), Some((total.debits, total.credits)));
        }
        prop_assert!(totals.is_empty());
    }
    Ok(())
}

proptest! {
    #![proptest_config(books::sequences())]

    #[test]
    fn the_ledger_does_what_a_plain_list_of_entries_does(batches in batches()) {
        let books = books_with_chart();
        let mut kept = Journal::default();
        for (calls, keep) in batches {
            let mut work = books.work(Rights::all());
            let mut journal = kept.clone();
            for call in calls {
                if let Some(new) = journal.entry(&call) {
                    post_to_both(&mut work, &mut journal, new)?;
                }
            }
            compare(&work, &journal)?;
            if keep {
                commit(work);
                kept = journal;
            }
        }
        compare(&books.work(Rights::all()), &kept)?;
    }
}

/// The property above says little if its calls never get far: they reach every outcome that the model has.
#[test]
fn the_calls_of_the_model_reach_every_outcome() {
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for _ in 0..300 {
        let mut journal = Journal::default();
        for call in batches().new_tree(&mut runner).unwrap().current().into_iter().flat_map(|(calls, _)| calls) {
            if let Some(new) = journal.entry(&call) {
                seen.insert(match journal.post(&new) {
                    Ok((_, replayed)) => {
                        if replayed {
                            "replayed"
                        } else {
                            "posted"
                        }
                    }
                    Err(code) => code,
                });
            }
        }
    }
    let want = [
        "account-is-header",
        "account-not-found",
        "amount-zero",
        "currency-mismatch",
        "exists-with-different",
        "id-already-failed",
        "overflow",
        "posted",
        "replayed",
        "too-few-lines",
        "unbalanced",
    ];
    assert_eq!(seen, BTreeSet::from(want));
}

/// More days with postings than one read takes, so that a balance of the past goes over several.
#[test]
fn balances_of_the_distant_past_are_exact() {
    let books = books_with_chart();
    let date = |n: u16| {
        BusinessDate::new(
            2000 + n / 336,
            u8::try_from(n / 28 % 12 + 1).unwrap(),
            u8::try_from(n % 28 + 1).unwrap(),
            "d",
        )
        .unwrap()
    };
    books.set_up(|work| {
        for n in 0..2_500 {
            let lines = books::pair("1000", "2000", u64::from(n) + 1, "USD");
            post(work, NewEntry { date: date(n), ..books::entry(&format!("e{n}"), DAYS[0], lines) }).unwrap();
        }
    });
    let work = books.work(Rights::all());
    for n in [0, 1, 499, 500, 1_498, 1_499, 1_500, 2_498, 2_499] {
        let want = (u64::from(n) + 1) * (u64::from(n) + 2) / 2;
        let got = balance(&work, &id("1000"), Some(date(n))).unwrap();
        assert_eq!((money(got.debits, "USD"), got.credits), (money(want, "USD"), 0), "day {n}");
    }
}
