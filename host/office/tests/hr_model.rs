//! HR beside a plain model of it: who is employed or has a benefit on which day, day by day.
#![allow(clippy::unwrap_used, reason = "what these tests set up is valid by construction")]
#![allow(clippy::panic, clippy::indexing_slicing, reason = "a failed helper is a failed test")]

mod books;

use std::collections::BTreeSet;

use backroom_domain::BusinessDate;
use backroom_domain::hr::{NewBenefit, NewEmployment};
use backroom_domain::rights::Rights;
use backroom_office::hr::{
    EmploymentFilter, add_employment, add_worker, compensation, list_benefits, list_employments, record_benefit,
};
use backroom_office::{Failure, Work};
use books::{Books, all, benefit, commit, employment, id, worker};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

/// Workers on record; `W-9` is not.
const WORKERS: [&str; 2] = ["W-1", "W-2"];
const PLANS: [&str; 2] = ["housing", "meals"];
/// Days that are looked at: February and March of a leap year, numbered from 0.
const DAYS: u8 = 60;

/// The day with this number.
fn day(n: u8) -> BusinessDate {
    let (month, day) = if n < 29 { (2, n + 1) } else { (3, n - 28) };
    BusinessDate::new(2024, month, day, "d").unwrap()
}

#[derive(Debug, Clone)]
enum Call {
    /// Worker, first day, last day.
    Employ(&'static str, u8, Option<u8>),
    /// Id, worker, plan, first day, last day.
    Benefit(u8, &'static str, usize, u8, u8),
}

fn call() -> impl Strategy<Value = Call> {
    let who = || prop_oneof![8 => Just("W-1"), 8 => Just("W-2"), 1 => Just("W-9")];
    let first = || 0..DAYS - 1;
    let employ = (who(), first(), prop::option::weighted(0.8, 0..15u8))
        .prop_map(|(who, from, length)| Call::Employ(who, from, length.map(|n| (from + n).min(DAYS - 1))));
    let backwards = (who(), 1..DAYS - 1).prop_map(|(who, from)| Call::Employ(who, from, Some(from - 1)));
    let benefit = (0..60u8, who(), 0..PLANS.len(), first(), 0..8u8)
        .prop_map(|(n, who, plan, from, length)| Call::Benefit(n, who, plan, from, (from + length).min(DAYS - 1)));
    prop_oneof![3 => employ, 1 => backwards, 8 => benefit]
}

#[derive(Debug, Clone, Default)]
struct Model {
    employments: Vec<(&'static str, u8, Option<u8>)>,
    benefits: Vec<(u8, &'static str, usize, u8, u8)>,
}

/// `Ok` says whether it was there before.
type Outcome = Result<bool, &'static str>;

impl Model {
    fn employed(&self, who: &str) -> BTreeSet<u8> {
        let of = self.employments.iter().filter(|(worker, ..)| *worker == who);
        of.flat_map(|(_, from, to)| *from..=to.unwrap_or(u8::MAX)).collect()
    }

    fn does(&mut self, call: &Call) -> Outcome {
        match *call {
            Call::Employ(who, from, to) => {
                if to.is_some_and(|to| to < from) {
                    return Err("period-invalid");
                }
                if let Some(old) = self.employments.iter().find(|(worker, first, _)| (*worker, *first) == (who, from)) {
                    return if old.2 == to { Ok(true) } else { Err("exists-with-different") };
                }
                if !WORKERS.contains(&who) {
                    return Err("worker-not-found");
                }
                if (from..=to.unwrap_or(u8::MAX)).any(|day| self.employed(who).contains(&day)) {
                    return Err("overlapping-employment");
                }
                self.employments.push((who, from, to));
            }
            Call::Benefit(n, who, plan, from, to) => {
                let new = (n, who, plan, from, to);
                if let Some(old) = self.benefits.iter().find(|old| old.0 == n) {
                    return if *old == new { Ok(true) } else { Err("exists-with-different") };
                }
                if !WORKERS.contains(&who) {
                    return Err("worker-not-found");
                }
                if !(from..=to).all(|day| self.employed(who).contains(&day)) {
                    return Err("not-employed");
                }
                let others = self.benefits.iter().filter(|old| (old.1, old.2) == (who, plan));
                if others.flat_map(|old| old.3..=old.4).any(|day| (from..=to).contains(&day)) {
                    return Err("overlapping-benefit");
                }
                self.benefits.push(new);
            }
        }
        Ok(false)
    }
}

fn employ(who: &str, from: u8, to: Option<u8>) -> NewEmployment {
    NewEmployment { from: day(from), to: to.map(day), ..employment(who, "2024-01-01", None) }
}

fn line(n: u8, who: &str, plan: usize, from: u8, to: u8) -> NewBenefit {
    let some = benefit(&format!("b{n}"), who, "2024-01-01", "2024-01-01");
    NewBenefit { plan: id(PLANS[plan]), from: day(from), to: day(to), ..some }
}

/// Does the call in both and compares the answers, and what a failed or repeated call left behind.
fn do_in_both(work: &mut Work, model: &mut Model, call: &Call) -> Result<(), TestCaseError> {
    let before = (work.tx().changes(), work.effects().len());
    let got = match *call {
        Call::Employ(who, from, to) => {
            add_employment(work, employ(who, from, to)).map(|_| work.effects().len() == before.1)
        }
        Call::Benefit(n, who, plan, from, to) => {
            record_benefit(work, line(n, who, plan, from, to)).map(|recorded| recorded.replayed)
        }
    };
    let want = model.does(call);
    let got = got.map_err(|failure| match failure {
        Failure::Business(error) => error.code().to_owned(),
        Failure::Store(error) => panic!("{error}"),
    });
    prop_assert_eq!(got, want.map_err(str::to_owned), "{:?}", call);
    if want != Ok(false) {
        prop_assert_eq!((work.tx().changes(), work.effects().len()), before);
    }
    Ok(())
}

fn compare(work: &Work, model: &Model) -> Result<(), TestCaseError> {
    for (first, last) in [(0, DAYS - 1), (10, 20), (28, 29), (45, 45)] {
        let filter = EmploymentFilter { first_day: Some(day(first)), last_day: Some(day(last)), ..Default::default() };
        let got: Vec<_> = all(2, |page| list_employments(work, &filter, page)).into_iter().map(|e| e.new).collect();
        let mut want: Vec<_> = model.employments.clone();
        want.retain(|(_, from, to)| (*from..=to.unwrap_or(u8::MAX)).any(|day| (first..=last).contains(&day)));
        want.sort_unstable();
        prop_assert_eq!(got, want.into_iter().map(|(who, from, to)| employ(who, from, to)).collect::<Vec<_>>());

        for (plan, name) in PLANS.iter().enumerate() {
            let got: Vec<_> = all(2, |page| list_benefits(work, &id(name), day(first), day(last), page));
            let mut want = model.benefits.clone();
            want.retain(|(_, _, of, from, _)| *of == plan && (first..=last).contains(from));
            want.sort_unstable_by_key(|(n, who, _, from, _)| (*from, *who, format!("b{n}")));
            let want: Vec<_> = want.into_iter().map(|(n, who, plan, from, to)| line(n, who, plan, from, to)).collect();
            prop_assert_eq!(got.into_iter().map(|b| b.new).collect::<Vec<_>>(), want);
        }
    }
    for who in WORKERS {
        let employed = model.employed(who);
        for n in 0..DAYS {
            prop_assert_eq!(
                compensation(work, &id(who), day(n)).is_ok(),
                employed.contains(&n),
                "{} on {}",
                who,
                day(n)
            );
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn people_are_kept_as_a_calendar_would(
        batches in prop::collection::vec((prop::collection::vec(call(), 0..15), prop::bool::weighted(0.7)), 1..5),
    ) {
        let books = Books::new();
        books.set_up(|work| {
            for name in WORKERS {
                add_worker(work, worker(name)).unwrap();
            }
        });
        let mut kept = Model::default();
        for (calls, keep) in batches {
            let mut work = books.work(Rights::all());
            let mut model = kept.clone();
            for call in &calls {
                do_in_both(&mut work, &mut model, call)?;
                // Once more: a repeat, or the same refusal.
                do_in_both(&mut work, &mut model, call)?;
            }
            compare(&work, &model)?;
            if keep {
                commit(work);
                kept = model;
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
    for _ in 0..100 {
        let mut model = Model::default();
        for call in prop::collection::vec(call(), 40).new_tree(&mut runner).unwrap().current() {
            let what = if matches!(call, Call::Employ(..)) { "employment" } else { "benefit" };
            seen.insert(match model.does(&call) {
                Ok(_) => what,
                Err(code) => code,
            });
        }
    }
    let want = [
        "benefit",
        "employment",
        "exists-with-different",
        "not-employed",
        "overlapping-benefit",
        "overlapping-employment",
        "period-invalid",
        "worker-not-found",
    ];
    assert_eq!(seen, BTreeSet::from(want));
}
