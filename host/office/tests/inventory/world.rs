//! One small company over a store in memory, and the words to work in it.

use std::sync::Arc;

use backroom_domain::hr::NewWorker;
use backroom_domain::inventory::{NewItem, NewLocation, NewLot, NewMove, Tracking, Usage};
use backroom_domain::ledger::{AccountType, Line, NewAccount, NewEntry};
use backroom_domain::rights::{Grant, Rights};
use backroom_domain::{BusinessDate, Class, Currency, Decimal, Id, Instant, Money, Side};
use backroom_office::inventory::{Moved, create_item, create_location, create_lot, post_move};
use backroom_office::{Caller, Failure, Page, PageRequest, Result, Work, hr, ledger};
use backroom_store::{Meta, Store, TenantNo};

pub(crate) const TENANT: TenantNo = TenantNo(1);
pub(crate) const NOW: Instant = Instant(1_780_000_000_000_000);

pub(crate) fn id(text: &str) -> Id {
    Id::parse(text, "id").unwrap()
}

pub(crate) fn day(text: &str) -> BusinessDate {
    BusinessDate::parse(text, "date").unwrap()
}

pub(crate) fn quantity(text: &str) -> Decimal {
    Decimal::parse(text, "quantity").unwrap()
}

pub(crate) fn usd(minor: u64) -> Money {
    Money { minor, currency: Currency::parse("USD", "c").unwrap() }
}

/// Rights as an operator writes them.
pub(crate) fn rights(toml: &str) -> Rights {
    toml::from_str::<Grant>(toml).unwrap().into()
}

pub(crate) struct World {
    pub(crate) store: Store,
}

impl World {
    /// Accounts 1400 and 1410 control stock; `DESK` has no lots and 2 decimals, `MILK` has lots, `LAPTOP` serial numbers (both whole),
    /// `EURO` is kept under 1410. Nothing is in stock.
    pub(crate) fn new() -> Self {
        let world = Self { store: Store::memory() };
        let mut work = world.work();
        account(&mut work, "1400", "USD", true);
        account(&mut work, "1410", "EUR", true);
        account(&mut work, "5000", "USD", false);
        for (item, decimals, tracking, account) in [
            ("DESK", 2, Tracking::None, "1400"),
            ("MILK", 0, Tracking::Lot, "1400"),
            ("LAPTOP", 0, Tracking::Serial, "1400"),
            ("EURO", 0, Tracking::None, "1410"),
        ] {
            create_item(&mut work, new_item(item, decimals, tracking, account)).unwrap();
        }
        for (code, usage) in [
            ("STORE", Usage::Internal),
            ("BACK", Usage::Internal),
            ("ROAD", Usage::Transit),
            ("VENDOR", Usage::Supplier),
            ("CLIENT", Usage::Customer),
            ("STAFF", Usage::Consumption),
            ("COUNT", Usage::Adjustment),
        ] {
            create_location(&mut work, NewLocation { id: id(code), name: code.into(), usage }).unwrap();
        }
        for (lot, item, expiry) in
            [("M1", "MILK", Some("2026-06-30")), ("M2", "MILK", None), ("S1", "LAPTOP", None), ("S2", "LAPTOP", None)]
        {
            create_lot(&mut work, NewLot { id: id(lot), item: id(item), expiry: expiry.map(day) }).unwrap();
        }
        let worker = NewWorker { id: id("W1"), name: "Ann".into(), email: None, bank_account: None };
        hr::add_worker(&mut work, worker).unwrap();
        commit(work).unwrap();
        world
    }

    /// Work of one who may do everything.
    pub(crate) fn work(&self) -> Work {
        self.work_as(Rights::all())
    }

    pub(crate) fn work_as(&self, rights: Rights) -> Work {
        begin(self.store.write(TENANT).unwrap(), rights)
    }

    /// The same to read what is durable.
    pub(crate) fn read(&self) -> Work {
        self.read_as(Rights::all())
    }

    pub(crate) fn read_as(&self, rights: Rights) -> Work {
        begin(self.store.read(TENANT).unwrap(), rights)
    }
}

fn begin(tx: backroom_store::Tx, rights: Rights) -> Work {
    let caller =
        Caller { actor: "ann".into(), layers: vec![Arc::new(rights)], installation: None, run: Some(id("r1")) };
    Work::new(tx, caller, NOW, day("2026-06-30"))
}

pub(crate) fn commit(work: Work) -> Result<()> {
    let committed =
        work.seal()?.commit(Meta { at: NOW.0, actor: "ann".into(), kind: "test".into(), ..Meta::default() })?;
    Ok(committed.ticket.wait()?)
}

pub(crate) fn new_item(item: &str, decimals: u8, tracking: Tracking, stock_account: &str) -> NewItem {
    let stock_account = id(stock_account);
    NewItem { id: id(item), name: item.into(), unit: "each".into(), decimals, tracking, stock_account }
}

pub(crate) fn account(work: &mut Work, code: &str, currency: &str, stock_control: bool) {
    let new = NewAccount {
        code: id(code),
        name: code.into(),
        kind: AccountType::Asset,
        parent: None,
        currency: Currency::parse(currency, "currency").unwrap(),
        posting: true,
        stock_control,
        rules: Default::default(),
    };
    ledger::create_account(work, new).unwrap();
}

/// A move without lot, cost, worker and entry.
pub(crate) fn new_move(name: &str, item: &str, amount: &str, from: &str, to: &str) -> NewMove {
    NewMove {
        id: id(name),
        date: day("2026-06-30"),
        item: id(item),
        quantity: quantity(amount),
        from: id(from),
        to: id(to),
        lot: None,
        cost: None,
        worker: None,
        reason: "test".into(),
        entry: None,
    }
}

/// Posts the value of a move that came in (or went out) against 5000.
pub(crate) fn book(work: &mut Work, moved: &Moved, came_in: bool) {
    let amount = moved.moved.value;
    if amount.minor == 0 {
        return;
    }
    let (stock, other) = if came_in { (Side::Debit, Side::Credit) } else { (Side::Credit, Side::Debit) };
    let line = |account, side| Line { account, side, amount, dimensions: Vec::new(), memo: None, details: None };
    entry(
        work,
        &format!("e:{}", moved.moved.new.id),
        vec![line(moved.moved.stock_account.clone(), stock), line(id("5000"), other)],
    )
    .unwrap();
}

pub(crate) fn entry(work: &mut Work, name: &str, lines: Vec<Line>) -> Result<()> {
    let new = NewEntry { id: id(name), date: day("2026-06-30"), description: "test".into(), lines, details: None };
    ledger::post(work, new).map(|_| ())
}

/// Receives `amount` of an item into `to`, and books it.
pub(crate) fn receive(work: &mut Work, name: &str, item: &str, lot: Option<&str>, amount: &str, to: &str, minor: u64) {
    let new = NewMove { lot: lot.map(id), cost: Some(usd(minor)), ..new_move(name, item, amount, "VENDOR", to) };
    let moved = post_move(work, new).unwrap();
    book(work, &moved, true);
}

/// Code, class and field of a business "no".
pub(crate) fn no<T>(result: Result<T>) -> (String, Class, Option<String>) {
    match result.err().expect("a refusal") {
        Failure::Business(error) => {
            (error.code().to_owned(), error.class, error.problems.first().and_then(|p| p.field.clone()))
        }
        Failure::Store(error) => panic!("{error}"),
    }
}

pub(crate) fn code<T>(result: Result<T>) -> String {
    no(result).0
}

/// All pages of a list, `limit` at a time.
pub(crate) fn all<T>(limit: u32, list: impl Fn(&PageRequest) -> Result<Page<T>>) -> Vec<T> {
    let (mut request, mut items) = (PageRequest::first(limit), Vec::new());
    loop {
        let page = list(&request).unwrap();
        assert!(page.items.len() <= limit as usize);
        items.extend(page.items);
        match page.next {
            Some(next) => request.cursor = Some(next),
            None => return items,
        }
    }
}
