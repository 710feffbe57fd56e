//! Random work on open items beside a plain model: what is open of an account always adds up to its balance, in both columns.

use std::collections::BTreeMap;

use backroom_domain::Side;
use backroom_domain::ledger::{Reversal, WriteOff};
use backroom_office::Work;
use backroom_office::ledger::{ItemFilter, ageing, list_open_items, match_items, post, reverse, unmatch};
use proptest::prelude::*;

use super::books::{all, code, commit, day, id};
use super::{at, balances, company, euros, everything, matching};

const DAYS: [&str; 4] = ["2026-01-10", "2026-02-10", "2026-03-10", "2026-06-30"];

#[derive(Debug, Clone)]
enum Call {
    /// An invoice or a payment: side of the account, day, amount, rate in cents.
    Post(bool, usize, u64, u64),
    /// Of two of the entries, so much; and whether the rest of the first may be given up.
    Match(usize, usize, u64, usize, bool),
    Unmatch(usize),
    Reverse(usize),
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        4 => (any::<bool>(), 0..DAYS.len(), 2..60u64, 90..130u64).prop_map(|(d, day, minor, rate)| Call::Post(d, day, minor, rate)),
        5 => (0..12usize, 0..12usize, 1..60u64, 0..DAYS.len(), any::<bool>())
            .prop_map(|(a, b, minor, day, give_up)| Call::Match(a, b, minor, day, give_up)),
        1 => (0..12usize).prop_map(Call::Unmatch),
        1 => (0..12usize).prop_map(Call::Reverse),
    ]
}

/// An item as the model has it: which line, side, amount, base, day, and what was taken of it by whom and when.
#[derive(Debug, Clone)]
struct Item {
    debit: bool,
    minor: u64,
    day: usize,
    taken: Vec<(String, usize, u64)>,
}

impl Item {
    fn open(&self, as_of: usize) -> u64 {
        if self.day > as_of {
            return 0;
        }
        self.minor - self.taken.iter().filter(|(_, day, _)| *day <= as_of).map(|(.., minor)| minor).sum::<u64>()
    }
}

#[derive(Default)]
struct Model {
    /// By entry; all stand on the same line of theirs.
    items: BTreeMap<String, Item>,
}

const LAST: usize = DAYS.len() - 1;

/// Does the call on both, and says what the model expects to be refused.
fn step(work: &mut Work, model: &mut Model, number: usize, call: &Call) {
    match call {
        Call::Post(debit, day, minor, rate) => {
            let name = format!("e{number}");
            let (one, other) = if *debit { ("1200", "4000") } else { ("1010", "1200") };
            post(work, euros(&name, DAYS[*day], one, other, *minor, *rate)).unwrap();
            let item = Item { debit: *debit, minor: *minor, day: *day, taken: Vec::new() };
            model.items.insert(name, item);
        }
        Call::Match(a, b, minor, day, give_up) => match_step(work, model, number, (*a, *b), *minor, *day, *give_up),
        Call::Unmatch(which) => {
            let matches: Vec<String> =
                model.items.values().flat_map(|item| item.taken.iter().map(|(by, ..)| by.clone())).collect();
            let Some(by) = matches.get(*which).filter(|by| by.starts_with('m')).cloned() else { return };
            let posted = format!("x{}", &by[1..]);
            let back = format!("u{number}");
            unmatch(work, &id(&by), "wrong", Some(&id(&back))).unwrap();
            model.items.values_mut().for_each(|item| item.taken.retain(|(taken, ..)| *taken != by));
            // What was given up, and what takes that back, are closed against each other on the day of the work.
            if let Some(counter) = model.items.get_mut(&posted) {
                counter.taken.push((back.clone(), LAST, counter.minor));
                let minor = counter.minor;
                let taken = vec![(back.clone(), LAST, minor)];
                model.items.insert(back, Item { debit: true, minor, day: LAST, taken });
            }
        }
        Call::Reverse(which) => {
            let Some(name) = model.items.keys().filter(|name| name.starts_with('e')).nth(*which).cloned() else {
                return;
            };
            let back = format!("r{number}");
            let (of, entry) = (id(&name), id(&back));
            let asked = Reversal { of, entry, date: Default::default(), reason: "wrong".into(), force: true };
            let done = reverse(work, &asked);
            if done.is_err() {
                assert_eq!(code(done), "already-reversed");
                return;
            }
            let old = model.items.get_mut(&name).unwrap();
            let (debit, minor) = (!old.debit, old.minor);
            let mut taken = Vec::new();
            if old.taken.is_empty() {
                old.taken.push((back.clone(), LAST, minor));
                taken.push((back.clone(), LAST, minor));
            }
            model.items.insert(back, Item { debit, minor, day: LAST, taken });
        }
    }
}

/// Matches two entries, the one of which may be given up in part, if the rules allow it; the model says whether they do.
fn match_step(
    work: &mut Work,
    model: &mut Model,
    number: usize,
    (a, b): (usize, usize),
    minor: u64,
    day: usize,
    give_up: bool,
) {
    let names: Vec<String> = model.items.keys().cloned().collect();
    let (Some(a), Some(b)) = (names.get(a), names.get(b)) else { return };
    // The receivable is the first line of what debits it; what takes an entry back has its lines in the same order.
    let turned = |name: &str| name.starts_with(['r', 'u']);
    let line = |name: &String| at(name, u32::from(model.items[name].debit == turned(name)));
    let name = format!("m{number}");
    let mut new = matching(&name, DAYS[day], &[(line(a), line(b), minor)]);
    new.entry = Some(id(&format!("x{number}")));
    let (debit, credit) = (&model.items[a], &model.items[b]);
    let open = |item: &Item| item.minor - item.taken.iter().map(|(.., minor)| minor).sum::<u64>();
    let rest = open(debit).saturating_sub(minor);
    if give_up && rest > 0 && debit.debit {
        new.write_off = Some(WriteOff { item: line(a), account: id("6950"), minor: rest });
        new.tolerance = rest;
    }
    let fits = debit.debit && !credit.debit && minor <= open(debit).min(open(credit));
    let given_up = new.write_off.is_some();
    let done = match_items(work, new.clone());
    assert_eq!(done.is_ok(), fits, "{new:?}: {done:?}");
    if !fits {
        return;
    }
    for (of, minor) in [(a, minor), (b, minor), (a, if given_up { rest } else { 0 })] {
        if minor > 0 {
            model.items.get_mut(of).unwrap().taken.push((name.clone(), day, minor));
        }
    }
    if given_up {
        let taken = vec![(name, day, rest)];
        model.items.insert(format!("x{number}"), Item { debit: false, minor: rest, day, taken });
    }
}

fn check(work: &Work, model: &Model) {
    // What is open adds up to the balance, in both columns.
    let filter = ItemFilter { account: Some(id("1200")), ..ItemFilter::default() };
    let rows = all(3, |request| list_open_items(work, &filter, request));
    let sign = |side: Side, value: u64| if side == Side::Debit { i128::from(value) } else { -i128::from(value) };
    let sums = rows.iter().fold((0, 0), |(amount, base), row| {
        let share = row.item.base_share(row.open);
        (amount + sign(row.item.side, row.open), base + sign(row.item.side, share))
    });
    assert_eq!(sums, balances(work, "1200"), "{rows:?}");
    // And is what the model has, today and on each day.
    let told = |as_of: Option<usize>| -> Vec<(String, u64)> {
        let filter = ItemFilter { as_of: as_of.map(|day_| day(DAYS[day_])), ..filter.clone() };
        let rows = all(2, |request| list_open_items(work, &filter, request));
        let mut rows: Vec<_> = rows.into_iter().map(|row| (row.item.of.entry.to_string(), row.open)).collect();
        rows.sort();
        rows
    };
    for as_of in [None, Some(0), Some(1), Some(2), Some(3)] {
        let expected = model.items.iter().map(|(name, item)| (name.clone(), item.open(as_of.unwrap_or(LAST))));
        let expected: Vec<_> = expected.filter(|(_, open)| *open > 0).collect();
        assert_eq!(told(as_of), expected, "as of {as_of:?}");
        if let Some(as_of) = as_of {
            let filter = ItemFilter { as_of: Some(day(DAYS[as_of])), ..filter.clone() };
            let rows = ageing(work, &filter, vec![30]).unwrap();
            let total = |side| rows.iter().filter(|row| row.side == side).map(|row| row.total).sum::<u64>();
            let sum = |debit| {
                let items = model.items.values().filter(|item| item.debit == debit);
                items.map(|item| item.open(as_of)).sum::<u64>()
            };
            assert_eq!((total(Side::Debit), total(Side::Credit)), (sum(true), sum(false)));
        }
    }
}

proptest! {
    #![proptest_config(super::books::sequences())]

    #[test]
    fn what_is_open_adds_up_to_the_balance(calls in prop::collection::vec(call(), 1..40)) {
        let (books, mut model) = (company(), Model::default());
        for (number, calls) in calls.chunks(8).enumerate() {
            let mut work = books.work(everything());
            for (within, call) in calls.iter().enumerate() {
                step(&mut work, &mut model, number * 100 + within, call);
                check(&work, &model);
            }
            commit(work);
        }
    }
}
