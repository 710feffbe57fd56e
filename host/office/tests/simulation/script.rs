//! What clients ask for: deterministic scripts over the use cases, as plugins are, and what they are told.

use backroom_domain::hr::{NewBenefit, NewEmployment, NewWorker, Place};
use backroom_domain::inventory::NewMove;
use backroom_domain::ledger::{AccountType, Line, NewAccount, NewEntry};
use backroom_domain::rights::{Accounts, Grant, Pattern, Rights};
use backroom_domain::{BusinessDate, Currency, Decimal, Id, Money, Side};
use backroom_office::{Failure, Result, Work, hr, inventory, ledger, state};
use backroom_store::StoreError;

/// Accounts that scripts post to: the last is a header, and one does not exist.
pub(crate) const ACCOUNTS: [(&str, &str); 8] = [
    ("1000", "USD"),
    ("2000", "USD"),
    ("5000", "USD"),
    ("1100", "EUR"),
    ("1400", "USD"),
    // Posted to in euros; a script that adds it keeps it in dollars.
    ("6000", "EUR"),
    ("nowhere", "USD"),
    ("0", "USD"),
];
pub(crate) const WORKERS: u8 = 6;
pub(crate) const PLANS: [&str; 2] = ["housing", "meals"];
pub(crate) const PLACES: [&str; 7] = ["STORE", "BACK", "ROAD", "VENDOR", "STAFF", "COUNT", "NOWHERE"];
/// Item and lot; a serial number is a lot that moves alone. The last ones are wrong.
pub(crate) const THINGS: [(&str, Option<&str>); 8] = [
    ("DESK", None),
    ("MILK", Some("M1")),
    ("MILK", Some("M2")),
    ("LAPTOP", Some("S1")),
    ("LAPTOP", Some("S2")),
    ("MILK", None),
    ("DESK", Some("M1")),
    ("NOTHING", None),
];
/// Days that are looked at: February and March of a leap year, numbered from 0.
pub(crate) const DAYS: u8 = 60;

/// One call of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Call {
    Account {
        code: u8,
        shape: u8,
    },
    Post {
        id: u16,
        day: u8,
        lines: Vec<(u8, Side, u64)>,
    },
    /// Reads an entry and posts the same with sides exchanged.
    Reverse {
        of: u16,
    },
    Worker {
        who: u8,
        name: u8,
    },
    Employ {
        who: u8,
        from: u8,
        to: Option<u8>,
    },
    Benefit {
        id: u16,
        who: u8,
        plan: u8,
        from: u8,
        to: u8,
        entry: Option<u16>,
    },
    /// Moves stock and, if it is to `book`, posts the value that the move was told to have.
    Move {
        id: u16,
        day: u8,
        thing: u8,
        from: u8,
        to: u8,
        units: u64,
        cost: Option<u64>,
        who: Option<u8>,
        book: bool,
    },
    Set {
        key: u8,
        value: u8,
    },
    Delete {
        key: u8,
    },
    AskState {
        key: u8,
    },
    AskBalance {
        account: u8,
        as_of: Option<u8>,
    },
    AskTrial {
        as_of: u8,
    },
    AskValue {
        thing: u8,
    },
    AskPay {
        who: u8,
        day: u8,
    },
}

/// What a call was told: numbers, or the code of a refusal.
pub(crate) type Told = std::result::Result<Vec<i128>, String>;

pub(crate) fn id(text: &str) -> Id {
    Id::parse(text, "id").unwrap()
}

pub(crate) fn currency(text: &str) -> Currency {
    Currency::parse(text, "currency").unwrap()
}

/// The day with this number.
pub(crate) fn day(n: u8) -> BusinessDate {
    let (month, day) = if n < 29 { (2, n + 1) } else { (3, n - 28) };
    BusinessDate::new(2024, month, day, "d").unwrap()
}

pub(crate) fn money(minor: u64, of: &str) -> Money {
    Money { minor, currency: currency(of) }
}

/// The rights behind a number: of a clerk, or all.
pub(crate) fn rights(clerk: bool) -> Rights {
    let mut rights = Grant::all();
    if clerk {
        let patterns = |texts: &[&str]| -> Vec<_> { texts.iter().map(|text| Pattern::parse(text).unwrap()).collect() };
        rights.ledger.post = patterns(&["1*", "2000"]).into_iter().map(Accounts::from).collect();
        rights.ledger.max_entry = Some(money(200, "USD"));
        rights.hr.benefits = patterns(&["meals"]);
        rights.inventory.move_to = patterns(&["STORE", "BACK", "ROAD"]);
        rights.ledger.chart.clear();
        (rights.administer, rights.state) = (false, false);
    }
    rights.into()
}

/// An account that a script adds: the shapes differ in what is wrong with them, or from each other.
pub(crate) fn new_account(code: u8, shape: u8) -> NewAccount {
    let parent = match shape {
        2 => Some("nowhere"),
        3 => Some("1000"),
        4 => Some("0"),
        _ => None,
    };
    NewAccount {
        code: id(&format!("{}", 6000 + u16::from(code))),
        name: if shape == 1 { "Other".into() } else { "Added".into() },
        kind: if shape == 4 { AccountType::Income } else { AccountType::Expense },
        parent: parent.map(id),
        currency: currency("USD"),
        posting: true,
        stock_control: false,
        rules: Default::default(),
    }
}

pub(crate) fn new_entry(name: &str, on: u8, lines: &[(u8, Side, u64)]) -> NewEntry {
    let line = |(account, side, minor): &(u8, Side, u64)| {
        let (account, of) = ACCOUNTS[usize::from(*account)];
        Line {
            account: id(account),
            side: *side,
            amount: money(*minor, of),
            dimensions: Vec::new(),
            memo: None,
            details: None,
        }
    };
    NewEntry {
        id: id(name),
        date: day(on),
        description: "of a script".into(),
        lines: lines.iter().map(line).collect(),
        details: None,
    }
}

/// The entry that takes another one back.
pub(crate) fn reversal(of: &NewEntry) -> NewEntry {
    let mut lines = of.lines.clone();
    for line in &mut lines {
        line.side = if line.side == Side::Debit { Side::Credit } else { Side::Debit };
    }
    NewEntry {
        id: id(&format!("rev:{}", of.id)),
        date: of.date,
        description: "taken back".into(),
        lines,
        details: None,
    }
}

pub(crate) fn new_worker(who: u8, name: u8) -> NewWorker {
    NewWorker { id: id(&format!("W-{who}")), name: format!("Worker {name}"), email: None, bank_account: None }
}

pub(crate) fn new_employment(who: u8, from: u8, to: Option<u8>) -> NewEmployment {
    NewEmployment {
        worker: id(&format!("W-{who}")),
        from: day(from),
        to: to.map(day),
        position: id("CPA"),
        place: Place::Remote,
        cost_center: id("CC-1"),
        salary: Some(money(100 + u64::from(from), "USD")),
    }
}

pub(crate) fn new_benefit(n: u16, who: u8, plan: u8, from: u8, to: u8, entry: Option<u16>) -> NewBenefit {
    NewBenefit {
        id: id(&format!("b{n}")),
        worker: id(&format!("W-{who}")),
        plan: id(PLANS[usize::from(plan)]),
        from: day(from),
        to: day(to),
        amount: money(500, "USD"),
        cost_center: id("CC-1"),
        entry: entry.map(|n| id(&format!("e{n}"))),
    }
}

/// The move that a call asks for.
pub(crate) fn new_move(call: &Call) -> Option<NewMove> {
    let Call::Move { id: n, day: on, thing, from, to, units, cost, who, .. } = call else { return None };
    let (item, lot) = THINGS[usize::from(*thing)];
    Some(NewMove {
        id: id(&format!("m{n}")),
        date: day(*on),
        item: id(item),
        quantity: Decimal { mantissa: *units, scale: 0 },
        from: id(PLACES[usize::from(*from)]),
        to: id(PLACES[usize::from(*to)]),
        lot: lot.map(id),
        cost: cost.map(|minor| money(minor, "USD")),
        worker: who.map(|who| id(&format!("W-{who}"))),
        reason: "of a script".into(),
        entry: None,
    })
}

/// Is it one of the places whose stock is valued?
pub(crate) fn inside(place: &str) -> bool {
    ["STORE", "BACK", "ROAD"].contains(&place)
}

/// The entry that carries the value of a move.
pub(crate) fn booking(moved: &NewMove, value: u64) -> NewEntry {
    let came_in = inside(moved.to.as_str());
    let (stock, other) = if came_in { (Side::Debit, Side::Credit) } else { (Side::Credit, Side::Debit) };
    let entry = new_entry(&format!("bk:{}", moved.id), 0, &[(4, stock, value), (2, other, value)]);
    NewEntry { date: moved.date, ..entry }
}

pub(crate) fn key(n: u8) -> String {
    format!("key {n}")
}

/// Does the call. A failure of the store is no answer.
pub(crate) fn perform(work: &mut Work, call: &Call) -> std::result::Result<Told, StoreError> {
    match told(work, call) {
        Ok(numbers) => Ok(Ok(numbers)),
        Err(Failure::Business(error)) => Ok(Err(error.code().to_owned())),
        Err(Failure::Store(error)) => Err(error),
    }
}

fn told(work: &mut Work, call: &Call) -> Result<Vec<i128>> {
    let effects = work.effects().len();
    match call {
        Call::Account { code, shape } => drop(ledger::create_account(work, new_account(*code, *shape))?),
        Call::Worker { who, name } => drop(hr::add_worker(work, new_worker(*who, *name))?),
        Call::Employ { who, from, to } => drop(hr::add_employment(work, new_employment(*who, *from, *to))?),
        Call::Benefit { id, who, plan, from, to, entry } => {
            let recorded = hr::record_benefit(work, new_benefit(*id, *who, *plan, *from, *to, *entry))?;
            assert_eq!(recorded.replayed, work.effects().len() == effects);
        }
        Call::Post { id, day, lines } => return post(work, new_entry(&format!("e{id}"), *day, lines)),
        Call::Reverse { of } => {
            let entry = ledger::get_entry(work, &id(&format!("e{of}")))?;
            return post(work, reversal(&entry.new));
        }
        Call::Move { book, .. } => {
            let Some(new) = new_move(call) else { return Ok(Vec::new()) };
            let moved = inventory::post_move(work, new)?;
            let value = moved.moved.value.minor;
            if *book && value > 0 {
                post(work, booking(&moved.moved.new, value))?;
            }
            return Ok(vec![moved.moved.number.into(), moved.replayed.into(), value.into()]);
        }
        Call::Set { key: n, value } => state::set(work, &key(*n), vec![*value])?,
        Call::Delete { key: n } => state::delete(work, &key(*n))?,
        Call::AskState { key: n } => {
            return Ok(state::get(work, &key(*n))?.unwrap_or_default().into_iter().map(i128::from).collect());
        }
        Call::AskBalance { account, as_of } => {
            let account = id(ACCOUNTS[usize::from(*account)].0);
            let balance = ledger::balance(work, &account, as_of.map(day))?;
            return Ok(vec![balance.debits.into(), balance.credits.into()]);
        }
        Call::AskTrial { as_of } => {
            let trial = ledger::trial_balance(work, Some(day(*as_of)))?;
            assert!(trial.totals.iter().all(|total| total.debits == total.credits), "{:?}", trial.totals);
            return Ok(trial.totals.iter().map(|total| total.debits as i128).collect());
        }
        Call::AskValue { thing } => {
            let worth = inventory::valuation(work, &id(THINGS[usize::from(*thing)].0))?;
            return Ok(vec![worth.quantity.mantissa.into(), worth.value.minor.into()]);
        }
        Call::AskPay { who, day: on } => {
            let pay = hr::compensation(work, &id(&format!("W-{who}")), day(*on))?;
            return Ok(pay.map(|pay| pay.minor.into()).into_iter().collect());
        }
    }
    Ok(vec![(work.effects().len() - effects) as i128])
}

fn post(work: &mut Work, new: NewEntry) -> Result<Vec<i128>> {
    let posted = ledger::post(work, new)?;
    Ok(vec![posted.entry.number.into(), posted.replayed.into()])
}
