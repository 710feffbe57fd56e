//! Budgets beside a list of entries that is added up anew for every question.

use std::collections::BTreeSet;

use backroom_domain::ledger::{
    AccountType, BudgetAction, BudgetPeriod, Dimension, Line, NewAccount, NewBudget, NewEntry,
};
use backroom_domain::rights::{Grant, Rights};
use backroom_domain::{BusinessDate, MAX_MINOR, Side};
use backroom_office::ledger::{budget_status, create_account, list_budgets, post, set_budget};
use proptest::prelude::*;

use crate::answer;
use crate::books::{Books, account, all, code, commit, day, entry, header, id, line, money, pair, told};

const INCOME: &str = "4000";
const COST: [&str; 2] = ["6000", "6100"];

fn july(n: u8) -> BusinessDate {
    BusinessDate::new(2026, 7, n, "d").unwrap()
}

fn center(value: &str) -> Dimension {
    Dimension { name: id("cc"), value: id(value) }
}

#[derive(Debug, Clone)]
enum Call {
    Set { new: NewBudget, replace: bool },
    Post(NewEntry),
}

fn new_budget() -> impl Strategy<Value = NewBudget> {
    let account = prop_oneof![Just(COST[0]), Just(COST[1]), Just(INCOME)];
    let dimension = prop_oneof![2 => Just(None), 1 => Just(Some("a")), 1 => Just(Some("b"))];
    let periods = prop::collection::vec((0_u8..3, 1_u8..8, 0_u64..60), 1..4);
    let action = prop_oneof![1 => Just(BudgetAction::Warn), 3 => Just(BudgetAction::Stop)];
    (0_u8..4, account, dimension, periods, action).prop_map(|(name, account, dimension, periods, action)| {
        let mut first = 1;
        let periods = periods.into_iter().map(|(gap, length, minor)| {
            let from = first + gap;
            first = from + length;
            BudgetPeriod { first: july(from), last: july(first - 1), amount: money(minor, "USD") }
        });
        NewBudget {
            id: id(&format!("b{name}")),
            account: id(account),
            dimension: dimension.map(center),
            periods: periods.collect(),
            action,
        }
    })
}

/// Account, whether it is debited, amount, cost centre.
type Posting = (usize, bool, u64, Option<&'static str>);

fn posting() -> impl Strategy<Value = (u8, Vec<Posting>)> {
    let center = prop_oneof![Just(None), Just(Some("a")), Just(Some("b"))];
    (1_u8..=31, prop::collection::vec((0_usize..3, any::<bool>(), 1_u64..40, center), 1..4))
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        1 => (new_budget(), any::<bool>()).prop_map(|(new, replace)| Call::Set { new, replace }),
        2 => posting().prop_map(|(date, lines)| {
            let lines = lines.into_iter().flat_map(|(account, debit, minor, of)| {
                let account = [COST[0], COST[1], INCOME][account];
                let (side, other) = if debit { (Side::Debit, Side::Credit) } else { (Side::Credit, Side::Debit) };
                let dimensions = of.map(center).into_iter().collect();
                [Line { dimensions, ..line(account, side, minor, "USD") }, line("1000", other, minor, "USD")]
            });
            Call::Post(NewEntry { date: july(date), ..entry("e", "2026-07-01", lines.collect()) })
        }),
    ]
}

#[derive(Debug, Default)]
struct Model {
    entries: Vec<NewEntry>,
    budgets: Vec<(NewBudget, u32)>,
}

/// What was used of a period: net on the side that the account grows on.
fn used(entries: &[NewEntry], budget: &NewBudget, period: &BudgetPeriod) -> i128 {
    let within = entries.iter().filter(|entry| (period.first..=period.last).contains(&entry.date));
    let lines = within.flat_map(|entry| &entry.lines).filter(|line| {
        line.account == budget.account && budget.dimension.as_ref().is_none_or(|d| line.dimensions.contains(d))
    });
    let debits: i128 = lines
        .map(|line| {
            let minor = i128::from(line.amount.minor);
            if line.side == Side::Debit { minor } else { -minor }
        })
        .sum();
    if budget.account.as_str() == INCOME { -debits } else { debits }
}

impl Model {
    fn set(&mut self, new: &NewBudget, replaces: Option<u32>) -> Result<bool, &'static str> {
        let place = self.budgets.iter().position(|(old, _)| old.id == new.id);
        match (place, replaces) {
            (Some(place), _) if self.budgets[place].0 == *new => return Ok(true),
            (None, Some(_)) => return Err("not-found"),
            (Some(_), None) => return Err("exists-with-different"),
            (Some(place), Some(version)) if self.budgets[place].1 != version => return Err("version-conflict"),
            _ => {}
        }
        let others = self.budgets.iter().filter(|(old, _)| old.id != new.id);
        let overlaps =
            others.filter(|(old, _)| old.account == new.account && old.dimension == new.dimension).any(|(old, _)| {
                old.periods.iter().any(|a| new.periods.iter().any(|b| a.first <= b.last && b.first <= a.last))
            });
        if overlaps {
            return Err("overlapping-budget");
        }
        match place {
            Some(place) => self.budgets[place] = (new.clone(), self.budgets[place].1 + 1),
            None => self.budgets.push((new.clone(), 1)),
        }
        Ok(false)
    }

    /// Which budgets an entry passes, those that stop it first.
    fn post(&mut self, new: NewEntry) -> Result<(), BTreeSet<String>> {
        let mut with = self.entries.clone();
        with.push(new);
        let mut stopped = BTreeSet::new();
        for (budget, _) in &self.budgets {
            for period in &budget.periods {
                let (before, after) = (used(&self.entries, budget, period), used(&with, budget, period));
                let over = after > i128::from(period.amount.minor) && after > before.max(0);
                if over && budget.action == BudgetAction::Stop {
                    stopped.insert(budget.id.to_string());
                }
            }
        }
        if !stopped.is_empty() {
            return Err(stopped);
        }
        self.entries = with;
        Ok(())
    }
}

fn books_with_chart() -> Books {
    let books = Books::new();
    books.set_up(|work| {
        let cost = |code| NewAccount { kind: AccountType::Expense, ..account(code, "USD") };
        for new in [account("1000", "USD"), cost(COST[0]), cost(COST[1]), header("6"), account("1100", "EUR")] {
            create_account(work, new).unwrap();
        }
        create_account(work, NewAccount { kind: AccountType::Income, ..account(INCOME, "USD") }).unwrap();
    });
    books
}

proptest! {
    #![proptest_config(crate::books::sequences())]

    #[test]
    fn budgets_do_what_adding_up_all_entries_does(calls in prop::collection::vec(call(), 1..30)) {
        let books = books_with_chart();
        let main = id("main");
        let mut model = Model::default();
        for (n, call) in calls.into_iter().enumerate() {
            let mut work = books.work(Rights::all());
            let done = match call {
                Call::Set { new, replace } => {
                    let version = model.budgets.iter().find(|(old, _)| old.id == new.id).map_or(7, |(_, version)| *version);
                    let replaces = replace.then_some(version);
                    let want = model.set(&new, replaces).map_err(str::to_owned);
                    let got = answer(set_budget(&mut work, &main, new, replaces)).map(|changed| changed.replayed);
                    prop_assert_eq!(&got, &want);
                    got == Ok(false)
                }
                Call::Post(new) => {
                    let new = NewEntry { id: id(&format!("e{n}")), ..new };
                    match (post(&mut work, new.clone()), model.post(new)) {
                        (Ok(_), Ok(())) => true,
                        (Err(backroom_office::Failure::Business(error)), Err(stopped)) => {
                            prop_assert_eq!(error.code(), "budget-exceeded");
                            prop_assert!(stopped.contains(error.problems[0].field.as_ref().unwrap()));
                            false
                        }
                        (got, want) => panic!("{got:?} and not {want:?}"),
                    }
                }
            };
            if done {
                commit(work);
            } else {
                prop_assert!(work.effects().is_empty());
            }
        }
        let work = books.work(Rights::all());
        prop_assert_eq!(all(2, |page| list_budgets(&work, &main, page)).len(), model.budgets.len());
        for (budget, version) in &model.budgets {
            let status = budget_status(&work, &main, &budget.id).unwrap();
            prop_assert_eq!((&status.budget.new, status.budget.version), (budget, *version));
            for (row, period) in status.lines.iter().zip(&budget.periods) {
                let want = used(&model.entries, budget, period);
                let amount = i128::from(period.amount.minor);
                let standing = row.standing;
                prop_assert_eq!(i128::from(standing.used), want.max(0));
                prop_assert_eq!(i128::from(standing.available), (amount - want).max(0));
                prop_assert_eq!(i128::from(standing.over), (want - amount).max(0));
            }
        }
    }
}

fn budget() -> NewBudget {
    let period = BudgetPeriod { first: july(1), last: july(31), amount: money(100, "USD") };
    NewBudget { id: id("b"), account: id("6000"), dimension: None, periods: vec![period], action: BudgetAction::Stop }
}

#[test]
fn budgets_are_refused_in_the_order_of_the_contract() {
    type Defect = (fn(&mut NewBudget), &'static str);
    let defects: &[Defect] = &[
        (|b| b.periods.clear(), "no-periods"),
        (|b| b.id = id("other"), "exists-with-different"),
        (|b| b.account = id("7777"), "account-not-found"),
        (|b| b.account = id("6"), "account-is-header"),
        (|b| b.periods.iter_mut().for_each(|p| p.amount = money(5, "EUR")), "currency-mismatch"),
        (|b| b.dimension = None, "overlapping-budget"),
    ];
    let books = books_with_chart();
    let main = id("main");
    books.set_up(|work| {
        set_budget(work, &main, NewBudget { id: id("other"), action: BudgetAction::Warn, ..budget() }, None).unwrap();
    });
    let mut work = books.work(Rights::all());
    let good = || NewBudget { dimension: Some(center("a")), ..budget() };
    for (i, (first, want)) in defects.iter().enumerate() {
        for (second, _) in &defects[i..] {
            let mut new = good();
            second(&mut new);
            first(&mut new);
            assert_eq!(code(set_budget(&mut work, &main, new, None)), *want);
        }
    }
    assert_eq!(code(set_budget(&mut work, &id("none"), good(), None)), "book-not-found");
    assert_eq!(code(set_budget(&mut work, &main, good(), Some(1))), "not-found");
    let changed = NewBudget { id: id("other"), ..good() };
    assert_eq!(code(set_budget(&mut work, &main, changed.clone(), Some(2))), "version-conflict");
    assert_eq!((work.tx().changes(), work.effects().len()), (0, 0));
    assert_eq!(set_budget(&mut work, &main, changed, Some(1)).unwrap().value.version, 2);
    drop(work);
    let mut work = books.work(Grant::read_only().into());
    let nothing = NewBudget { periods: Vec::new(), ..budget() };
    assert_eq!(code(set_budget(&mut work, &main, nothing, None)), "budgets-denied");
    drop(work);
    let work = books.work(Rights::default());
    assert_eq!(code(budget_status(&work, &main, &id("none"))), "ledger-read-denied");
}

#[test]
fn the_form_of_a_budget_is_checked_as_a_whole() {
    let books = books_with_chart();
    let mut work = books.work(Rights::all());
    let period =
        |first, last, minor| BudgetPeriod { first: july(first), last: july(last), amount: money(minor, "USD") };
    let periods = vec![period(5, 4, 1), period(6, 8, MAX_MINOR + 1), period(8, 9, 1)];
    let problems = match set_budget(&mut work, &id("main"), NewBudget { periods, ..budget() }, None) {
        Err(backroom_office::Failure::Business(error)) => {
            error.problems.into_iter().map(|p| p.code.into_owned()).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(problems, ["period-invalid", "amount-too-large", "overlapping-periods"]);
    let many = (0..121_u16).map(|n| BudgetPeriod {
        first: BusinessDate::new(2000 + n, 1, 1, "d").unwrap(),
        last: BusinessDate::new(2000 + n, 1, 2, "d").unwrap(),
        amount: money(1, "USD"),
    });
    let many = NewBudget { periods: many.collect(), ..budget() };
    assert_eq!(code(set_budget(&mut work, &id("main"), many, None)), "too-many-periods");
}

#[test]
fn what_is_posted_counts_once_and_only_if_it_is_posted() {
    let books = books_with_chart();
    let main = id("main");
    books.set_up(|work| {
        post(work, entry("before", "2026-07-03", pair("6000", "1000", 30, "USD"))).unwrap();
        set_budget(work, &main, budget(), None).unwrap();
        let _posted = post(work, entry("e", "2026-07-31", pair("6000", "1000", 70, "USD"))).unwrap();
        assert!(post(work, entry("e", "2026-07-31", pair("6000", "1000", 70, "USD"))).unwrap().replayed);
    });
    let mut work = books.work(Rights::all());
    let standing = |work: &backroom_office::Work| budget_status(work, &main, &id("b")).unwrap().lines[0].standing;
    assert_eq!((standing(&work).used, standing(&work).available), (100, 0));
    let more = entry("more", "2026-07-10", pair("6000", "1000", 1, "USD"));
    assert_eq!(told(post(&mut work, more)), (backroom_domain::Class::Refused, "budget-exceeded".into(), "b".into()));
    // Behind the period it does not count, and what is given back is never in the way.
    post(&mut work, entry("later", "2026-08-01", pair("6000", "1000", 1, "USD"))).unwrap();
    post(&mut work, entry("back", "2026-07-10", pair("1000", "6000", 1, "USD"))).unwrap();
    assert_eq!((standing(&work).used, standing(&work).over), (99, 0));
    // Locked comes before exceeded.
    use backroom_domain::ledger::{LockKind, Scope};
    use backroom_office::ledger::lock_period;
    lock_period(&mut work, &main, Scope::All, LockKind::Soft, day("2026-07-31")).unwrap();
    let both = entry("both", "2026-07-10", pair("6000", "1000", 5, "USD"));
    assert_eq!(code(post(&mut work, both)), "period-locked");
}

#[test]
fn what_passes_a_budget_that_warns_is_posted_and_told() {
    let books = books_with_chart();
    let mut work = books.work(Rights::all());
    let warning = NewBudget { action: BudgetAction::Warn, ..budget() };
    set_budget(&mut work, &id("main"), warning, None).unwrap();
    let mut posted = |name: &str, minor| post(&mut work, entry(name, "2026-07-10", pair("6000", "1000", minor, "USD")));
    assert!(posted("within", 100).unwrap().warnings.is_empty());
    let over = posted("over", 5).unwrap();
    let codes: Vec<_> = over.warnings.iter().map(|problem| (problem.code.as_ref(), problem.field.as_deref())).collect();
    assert_eq!(codes, [("budget-exceeded", Some("b"))]);
    // A repeat does nothing, so there is nothing to say.
    assert!(posted("over", 5).unwrap().warnings.is_empty());
}
