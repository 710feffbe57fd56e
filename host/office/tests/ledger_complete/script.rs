//! Random commands, and how they are given to the ledger.

use backroom_domain::ledger::{
    AccountChange, AccountClosing, AccountRules, Amount, BatchItem, BatchMode, Comparison, Dimension, EntryDetails,
    Figure, Guard, HoldRelease, Line, LineDetails, NewEntry, NewHold, Reversal, ReversalDate, Settlement, Sweep,
};
use backroom_domain::{BusinessDate, Decimal, Id, Money, Side};
use backroom_office::ledger::{self, Posted};
use backroom_office::{Failure, Work};
use proptest::prelude::*;

use crate::model::{Answer, Model};

pub(crate) const BASE_OF_EU: &str = "EUR";
/// Rates have three decimals.
pub(crate) const RATE_SCALE: u64 = 1_000;
pub(crate) const DAYS: u8 = 5;

/// Code, currency, whether debits are its normal side, header, takes manual entries, requires a dimension and a party, limits.
type Row = (&'static str, &'static str, bool, bool, bool, bool, Option<i64>, Option<i64>);
pub(crate) const CHART: [Row; 11] = [
    ("cash", "USD", true, false, true, false, None, None),
    ("till", "USD", true, false, true, false, Some(0), Some(40)),
    ("card", "USD", false, false, true, false, Some(-10), None),
    ("auto", "USD", false, false, false, false, None, None),
    ("cost", "USD", true, false, true, true, None, None),
    ("head", "USD", true, true, true, false, None, None),
    ("eu/bank", "EUR", true, false, true, false, None, None),
    ("eu/usd", "USD", true, false, true, false, None, None),
    ("eu/debt", "USD", false, false, true, false, None, None),
    ("eu/gain", "EUR", false, false, true, false, None, None),
    ("eu/loss", "EUR", true, false, true, false, None, None),
];

/// One line to post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) account: &'static str,
    pub(crate) debit: bool,
    pub(crate) minor: u64,
    pub(crate) currency: &'static str,
    pub(crate) base: Option<u64>,
    pub(crate) rate: Option<u64>,
    pub(crate) tagged: bool,
}

/// One entry to post or to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) id: String,
    pub(crate) day: u8,
    pub(crate) parts: Vec<Part>,
    pub(crate) system: bool,
    pub(crate) reference: Option<String>,
    pub(crate) guard: Option<(&'static str, u8, u8, i64)>,
}

/// One call.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "some dozens a sequence")]
pub(crate) enum Command {
    Post(Item),
    Batch {
        items: Vec<(Option<u32>, Item)>,
        all: bool,
    },
    /// A group that another entry stands in the middle of.
    Apart {
        group: [Item; 2],
        between: Item,
    },
    Hold {
        item: Item,
        timeout: Option<u64>,
    },
    Settle {
        hold: String,
        entry: String,
        amount: Option<u64>,
        last: bool,
        later: bool,
    },
    Release {
        hold: String,
        amount: Option<u64>,
    },
    Reverse {
        of: String,
        entry: String,
        original: bool,
        force: bool,
    },
    Limit {
        account: &'static str,
        behind: bool,
        min: Option<i64>,
        max: Option<i64>,
    },
    Close {
        account: &'static str,
        sweep: Option<(&'static str, String)>,
    },
    Reopen {
        account: &'static str,
    },
}

/// Commands, seconds that pass before them, and whether the work is kept.
pub(crate) type Unit = (Vec<Command>, u64, bool);

fn name(kind: char) -> impl Strategy<Value = String> {
    let count = if kind == 'h' { 5_u8 } else { 12 };
    (0..count).prop_map(move |n| format!("{kind}{n}"))
}

fn parts() -> impl Strategy<Value = Vec<Part>> {
    let row = prop_oneof![30 => 0..CHART.len(), 1 => Just(usize::MAX)];
    let usd = prop_oneof![Just(0_usize), Just(0), Just(1), Just(1), Just(2), Just(3), Just(4)];
    let eu = prop_oneof![Just((7_usize, 8_usize)), Just((8, 7)), Just((7, 7)), Just((6, 9)), Just((10, 6))];
    // Mostly accounts of one book and one currency, as random ones would hardly ever be.
    let accounts = prop_oneof![
        6 => (usd.clone(), usd),
        4 => eu,
        1 => (row.clone(), row),
    ];
    let rate = prop_oneof![8 => Just(Some(910_u64)), 2 => Just(Some(1_085)), 1 => Just(None)];
    let base = prop::option::weighted(0.15, 1..40_u64);
    let pair = (
        accounts,
        0..25_u64,
        (rate.clone(), rate),
        (base.clone(), base),
        prop::bool::weighted(0.9),
        prop::bool::weighted(0.97),
    );
    let pair = pair.prop_map(|((debit, credit), minor, rates, bases, tagged, positive)| {
        let part = |row: usize, debit: bool, rate: Option<u64>, base: Option<u64>| {
            let (account, currency) = CHART.get(row).map_or(("nowhere", "USD"), |row| (row.0, row.1));
            let foreign = account.starts_with("eu/") && currency != BASE_OF_EU;
            let minor = if positive { minor + 1 } else { minor };
            let (base, rate) = (base.filter(|_| foreign), rate.filter(|_| foreign));
            Part { account, debit, minor, currency, base, rate, tagged }
        };
        [part(debit, true, rates.0, bases.0), part(credit, false, rates.1, bases.1)]
    });
    (prop::collection::vec(pair, 1..3), prop::option::weighted(0.06, 1..3_u64)).prop_map(|(pairs, more)| {
        let mut parts = pairs.concat();
        if let (Some(more), Some(first)) = (more, parts.first_mut()) {
            first.minor += more;
        }
        parts
    })
}

fn item(kind: char) -> impl Strategy<Value = Item> {
    let guard = (0..CHART.len(), 0..3_u8, 0..3_u8, -20..40_i64)
        .prop_map(|(row, figure, op, value)| (CHART[row].0, figure, op, value));
    let reference = prop::option::weighted(0.15, (0..4_u8).prop_map(|n| format!("INV {n}")));
    let rest = (prop::bool::weighted(0.3), reference, prop::option::weighted(0.15, guard));
    (name(kind), 0..DAYS, parts(), rest).prop_map(|(id, day, parts, (system, reference, guard))| Item {
        id,
        day,
        parts,
        system,
        reference,
        guard,
    })
}

fn command() -> impl Strategy<Value = Command> {
    let account = || (0..CHART.len()).prop_map(|row| CHART[row].0);
    let open = || account().prop_filter("no header", |code| *code != "head");
    let amount = || prop::option::weighted(0.6, 0..20_u64);
    let batch = prop::collection::vec((prop::bool::weighted(0.6), item('e')), 1..5).prop_map(|items| {
        // Neighbours of one group have one number, and no number comes again.
        let mut number = 0;
        let grouped = items.into_iter().map(|(grouped, item)| {
            number += u32::from(!grouped);
            (grouped.then_some(number), item)
        });
        grouped.collect::<Vec<_>>()
    });
    let bound = || prop::option::weighted(0.6, -20..60_i64);
    prop_oneof![
        10 => item('e').prop_map(Command::Post),
        1 => ([item('e'), item('e')], item('e')).prop_map(|(group, between)| Command::Apart { group, between }),
        4 => (batch, prop::bool::weighted(0.3)).prop_map(|(items, all)| Command::Batch { items, all }),
        7 => (item('h'), prop::option::weighted(0.5, 1..20_u64)).prop_map(|(item, timeout)| {
            let reference = item.reference.filter(|reference| reference.ends_with('3'));
            Command::Hold { item: Item { reference, ..item }, timeout }
        }),
        7 => (name('h'), name('e'), amount(), any::<bool>(), any::<bool>())
            .prop_map(|(hold, entry, amount, last, later)| Command::Settle { hold, entry, amount, last, later }),
        4 => (name('h'), prop::option::weighted(0.3, 0..20_u64)).prop_map(|(hold, amount)| Command::Release { hold, amount }),
        4 => (name('e'), name('e'), any::<bool>(), any::<bool>())
            .prop_map(|(of, entry, original, force)| Command::Reverse { of, entry, original, force }),
        2 => (open(), prop::bool::weighted(0.1), bound(), bound())
            .prop_map(|(account, behind, min, max)| Command::Limit { account, behind, min, max }),
        2 => (account(), prop::option::weighted(0.7, (account(), name('e'))))
            .prop_map(|(account, sweep)| Command::Close { account, sweep }),
        2 => account().prop_map(|account| Command::Reopen { account }),
    ]
}

pub(crate) fn units() -> impl Strategy<Value = Vec<Unit>> {
    let unit = (prop::collection::vec(command(), 1..7), 0..12_u64, prop::bool::weighted(0.8));
    prop::collection::vec(unit, 1..6)
}

pub(crate) fn id(text: &str) -> Id {
    Id::parse(text, "id").unwrap()
}

pub(crate) fn day(n: u8) -> BusinessDate {
    BusinessDate::new(2026, 6, 20 + n, "day").unwrap()
}

pub(crate) fn money(minor: u64, currency: &str) -> Money {
    Money { minor, currency: backroom_domain::Currency::parse(currency, "c").unwrap() }
}

fn amount_of(value: i64) -> Amount {
    Amount::of(value.into())
}

pub(crate) fn entry(item: &Item) -> NewEntry {
    let line = |part: &Part| {
        let side = if part.debit { Side::Debit } else { Side::Credit };
        let mut line = Line::new(id(part.account), side, money(part.minor, part.currency));
        if part.tagged {
            line.dimensions = vec![Dimension { name: id("cc"), value: id("v") }];
        }
        let details = LineDetails {
            base: part.base.map(|base| money(base, BASE_OF_EU)),
            rate: part.rate.map(|rate| Decimal::new(rate, 3, "rate").unwrap()),
            party: part.tagged.then(|| id("someone")),
            ..LineDetails::default()
        };
        line.details = (details != LineDetails::default()).then(|| Box::new(details));
        line
    };
    let lines = item.parts.iter().map(line).collect();
    let guards = item.guard.map(|(account, figure, op, value)| Guard {
        account: id(account),
        balance: [Figure::Available, Figure::Posted, Figure::Held][usize::from(figure)],
        op: [Comparison::Ge, Comparison::Le, Comparison::Eq][usize::from(op)],
        value: amount_of(value),
    });
    let details = EntryDetails {
        reference: item.reference.clone(),
        kind: item.system.then(|| id("import")),
        guards: guards.into_iter().collect(),
        ..EntryDetails::default()
    };
    let details = (details != EntryDetails::default()).then(|| Box::new(details));
    NewEntry { details, ..NewEntry::new(id(&item.id), day(item.day), format!("Entry {}", item.id), lines) }
}

fn number(posted: backroom_office::Result<Posted>) -> backroom_office::Result<u64> {
    posted.map(|posted| posted.entry.number)
}

fn told(done: backroom_office::Result<u64>) -> Result<u64, String> {
    match done {
        Ok(number) => Ok(number),
        Err(Failure::Business(error)) => Err(error.code().to_owned()),
        Err(failure) => panic!("{failure}"),
    }
}

/// Gives a command to the ledger. `model` is that of before: a change says which version it is of.
pub(crate) fn give(work: &mut Work, command: &Command, model: &Model) -> Vec<Result<u64, String>> {
    let one = |done| vec![told(done)];
    match command {
        Command::Post(item) => one(number(ledger::post(work, entry(item)))),
        Command::Batch { items, all } => {
            let mode = if *all { BatchMode::AllOrNothing } else { BatchMode::Independent };
            let items = items.iter().map(|(group, item)| BatchItem { group: *group, entry: entry(item) }).collect();
            let outcomes = ledger::post_batch(work, items, mode).unwrap();
            outcomes.into_iter().map(|outcome| told(number(outcome.map_err(Failure::from)))).collect()
        }
        Command::Apart { group: [first, second], between } => {
            let item = |group, item| BatchItem { group, entry: entry(item) };
            let items = vec![item(Some(1), first), item(None, between), item(Some(1), second)];
            one(ledger::post_batch(work, items, BatchMode::Independent).map(|_| 0))
        }
        Command::Hold { item, timeout } => {
            one(ledger::hold(work, NewHold { entry: entry(item), timeout_seconds: *timeout }).map(|_| 0))
        }
        Command::Settle { hold, entry, amount, last, later } => {
            let date = model.holds.iter().find(|one| one.id == *hold).filter(|_| *later).map(|hold| day(hold.day + 1));
            let amount = amount.map(|minor| money(minor, "USD"));
            let asked = Settlement { hold: id(hold), entry: id(entry), amount, last: *last, date };
            one(number(ledger::settle(work, &asked)))
        }
        Command::Release { hold, amount } => {
            let asked = HoldRelease { hold: id(hold), amount: amount.map(|minor| money(minor, "USD")) };
            one(ledger::release(work, &asked).map(|_| 0))
        }
        Command::Reverse { of, entry, original, force } => {
            let date = if *original { ReversalDate::Original } else { ReversalDate::Now };
            let asked = Reversal { of: id(of), entry: id(entry), date, reason: "a mistake".to_owned(), force: *force };
            one(number(ledger::reverse(work, &asked)))
        }
        Command::Limit { account, behind, min, max } => {
            let rules =
                AccountRules { min_available: min.map(amount_of), max_available: max.map(amount_of), ..rules(account) };
            let expected_version = model.accounts[account].version + u64::from(*behind);
            let change = AccountChange { expected_version, name: None, rules: Some(rules) };
            one(ledger::update_account(work, &id(account), change).map(|account| account.version))
        }
        Command::Close { account, sweep } => {
            let sweep = sweep.as_ref().map(|(to, entry)| Sweep { to: id(to), entry: id(entry) });
            let closing = AccountClosing { reason: "not needed".to_owned(), sweep };
            one(ledger::close_account(work, &id(account), closing).map(|account| account.version))
        }
        Command::Reopen { account } => one(ledger::reopen_account(work, &id(account)).map(|account| account.version)),
    }
}

/// The rules of an account of the chart.
pub(crate) fn rules(code: &str) -> AccountRules {
    let (_, _, _, _, manual, needs, min, max) = CHART.iter().find(|row| row.0 == code).unwrap();
    AccountRules {
        manual: *manual,
        min_available: min.map(amount_of),
        max_available: max.map(amount_of),
        required_dimensions: if *needs { vec![id("cc")] } else { Vec::new() },
        party_required: *needs,
        ..AccountRules::default()
    }
}

/// As the ledger's answers are told.
pub(crate) fn as_told(answers: Vec<Answer<u64>>) -> Vec<Result<u64, String>> {
    answers.into_iter().map(|answer| answer.map_err(str::to_owned)).collect()
}
