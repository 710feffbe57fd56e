//! Balances of the past of accounts whose history is switched off and on between the commands: each is what the lists of the model say,
//! or it is refused, just when something of a later day came or went while no days were kept.

use std::collections::{BTreeMap, BTreeSet};

use backroom_domain::ledger::reports::{Net, ReportKind, Span};
use backroom_domain::ledger::{AccountChange, AccountRules};
use backroom_domain::{Instant, Side};
use backroom_office::ledger::{self, AsOf, reports};
use backroom_office::{Failure, PageRequest, Work};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::books::sequences;
use crate::model::Model;
use crate::script::{CHART, Command, DAYS, Unit, day, give, id, rules, units};
use crate::{START, begin, commit, same, work};

/// Accounts whose history is switched before the commands of a unit: which command, which row of the chart, on or off.
type Switches = Vec<(usize, usize, bool)>;

fn switched() -> impl Strategy<Value = Vec<(Unit, Switches)>> {
    // The accounts that most commands are about: cash, till, and dollars of the book in euros.
    let row = prop_oneof![4 => Just(0_usize), 3 => Just(1), 2 => Just(7), 1 => Just(8)];
    let switches = prop::collection::vec((0..3_usize, row, any::<bool>()), 1..7);
    (units(), prop::collection::vec(switches, 6))
        .prop_map(|(units, switches)| units.into_iter().zip(switches).collect())
}

/// What the model of the ledger does not have: of which accounts no days are kept, and until when days lack something.
#[derive(Debug, Clone, Default)]
struct Days {
    off: BTreeSet<&'static str>,
    gaps: BTreeMap<&'static str, u8>,
}

/// Lines of entries and of open holds, with what they keep: account, day, where it is, how much.
type Seen = BTreeSet<(String, u8, String, u64)>;

fn seen(model: &Model) -> Seen {
    let mut seen = Seen::new();
    for entry in &model.entries {
        for (n, line) in entry.lines.iter().enumerate() {
            seen.insert((line.account.clone(), entry.day, format!("entry {} {n}", entry.id), line.minor));
        }
    }
    for hold in model.holds.iter().filter(|hold| model.state(hold) == "held") {
        for (n, (line, kept)) in hold.lines.iter().zip(&hold.kept).enumerate().filter(|(_, (_, kept))| **kept > 0) {
            seen.insert((line.account.clone(), hold.day, format!("hold {} {n}", hold.id), *kept));
        }
    }
    seen
}

impl Days {
    /// Notes what came and went.
    fn note(&mut self, before: &Seen, after: &Seen) {
        for (account, day, ..) in before.symmetric_difference(after) {
            if let Some(off) = self.off.get(account.as_str()).copied() {
                let until = self.gaps.entry(off).or_default();
                *until = (*until).max(*day);
            }
        }
    }

    fn knows(&self, account: &str, day: Option<u8>) -> bool {
        let until = self.gaps.get(account).filter(|_| day.is_some());
        !self.off.contains(account) && until.is_none_or(|until| day.is_some_and(|day| *until <= day))
    }
}

fn switch(work: &mut Work, model: &mut Model, days: &mut Days, code: &'static str, on: bool) {
    let account = model.accounts.get_mut(code).unwrap();
    let rules = AccountRules { history: on, min_available: None, max_available: None, ..rules(code) };
    let change = AccountChange { expected_version: account.version, name: None, rules: Some(rules) };
    ledger::update_account(work, &id(code), change).unwrap();
    (account.min, account.max, account.version) = (None, None, account.version + 1);
    if on {
        days.off.remove(code)
    } else {
        days.off.insert(code)
    };
}

/// The answer; none if it is that no history was kept.
fn known<T>(answer: backroom_office::Result<T>) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer),
        Err(Failure::Business(error)) if error.code() == "history-not-kept" => None,
        Err(failure) => panic!("{failure}"),
    }
}

fn compare(work: &Work, model: &Model, days: &Days) -> Result<(), TestCaseError> {
    let moment = Instant((START + model.now / 2) * 1_000_000 + 999_999);
    let accounts = || model.accounts.values().filter(|account| !account.header);
    for account in accounts() {
        for (date, at) in (0..=DAYS + 1).map(Some).chain([None]).flat_map(|date| [(date, false), (date, true)]) {
            let as_of = AsOf { date: date.map(day), recorded_at: at.then_some(moment) };
            let got = known(ledger::balance_at(work, &id(account.code), as_of));
            let now = date.is_none() && !at;
            prop_assert_eq!(
                got.is_some(),
                now || days.knows(account.code, date),
                "{} {:?} {:?}",
                account.code,
                as_of,
                days
            );
            if let Some(got) = got {
                same(&got, model.counters(account.code, date, at.then_some(model.now / 2)), account.debit_normal)?;
            }
        }
    }
    for date in 0..=DAYS {
        let all = accounts().all(|account| days.knows(account.code, Some(date)));
        prop_assert_eq!(known(ledger::trial_balance(work, Some(day(date)))).is_some(), all, "{} {:?}", date, days);
        let span = Span { from: Some(day(date + 1)), to: None };
        let report = reports::report(work, ReportKind::TrialBalance, &[span]);
        prop_assert_eq!(known(report).is_some(), all, "{} {:?}", date, days);
        for account in accounts() {
            let page = known(reports::statement(work, &id(account.code), &span, &PageRequest::first(9)));
            prop_assert_eq!(page.is_some(), days.knows(account.code, Some(date)), "{} {:?}", account.code, days);
            let sums = model.counters(account.code, Some(date), None);
            if let Some(Net { side, minor }) = page.map(|page| page.opening) {
                let opening = minor as i128 * if side == Side::Debit { 1 } else { -1 };
                prop_assert_eq!(opening, sums.debits - sums.credits);
            }
        }
    }
    Ok(())
}

impl Days {
    /// Is there an account whose history is kept again and that is refused of some day, and one that has a gap and is answered of some?
    fn gaps(&self) -> (bool, bool) {
        let on = || self.gaps.iter().filter(|(code, _)| !self.off.contains(*code));
        (on().any(|(_, until)| *until > 0), on().any(|(_, until)| *until <= DAYS))
    }
}

/// Plays it, and says whether there were such accounts when the answers were compared.
fn play(units: Vec<(Unit, Switches)>) -> Result<(bool, bool), TestCaseError> {
    let (store, mut kept) = begin();
    let mut kept_days = Days::default();
    let mut met = (false, false);
    for ((commands, seconds, keep), switches) in units {
        let before = seen(&kept);
        kept.now += seconds;
        // What ends by itself does so whether or not anybody looks.
        kept_days.note(&before, &seen(&kept));
        let (mut work, mut model, mut days) = (work(&store, &kept), kept.clone(), kept_days.clone());
        for (n, command) in commands.iter().enumerate() {
            for (_, row, on) in switches.iter().filter(|(at, ..)| *at == n) {
                switch(&mut work, &mut model, &mut days, CHART[*row].0, *on);
            }
            let before = seen(&model);
            give(&mut work, command, &model);
            let done = model.perform(command);
            days.note(&before, &seen(&model));
            if let (Command::Limit { account, .. }, [Ok(_)]) = (command, done.as_slice()) {
                days.off.remove(account);
            }
        }
        compare(&work, &model, &days)?;
        met = (met.0 || days.gaps().0, met.1 || days.gaps().1);
        if keep {
            commit(work);
            (kept, kept_days) = (model, days);
        }
    }
    compare(&work(&store, &kept), &kept, &kept_days)?;
    Ok(met)
}

proptest! {
    #![proptest_config(sequences())]

    #[test]
    fn a_balance_of_the_past_is_right_or_refused_whatever_was_kept(units in switched()) {
        play(units)?;
    }
}

/// The property above says little if nothing is posted in between.
#[test]
fn gaps_are_among_what_is_tried() {
    let mut runner = TestRunner::deterministic();
    let tried = (0..100).map(|_| play(switched().new_tree(&mut runner).unwrap().current()).unwrap());
    let (refused, answered) = tried.fold((0, 0), |sum, one| (sum.0 + u32::from(one.0), sum.1 + u32::from(one.1)));
    // Five and seven were counted: about a hundred of the 2,000 sequences each.
    assert!(refused > 2 && answered > 2, "{refused} {answered}");
}
