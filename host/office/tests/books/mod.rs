//! A tenant in memory, for the tests of ledger and HR.
#![allow(dead_code, reason = "each test file that includes it needs another part")]

use std::sync::Arc;

use backroom_domain::hr::{NewBenefit, NewEmployment, NewWorker, Place};
use backroom_domain::ledger::{AccountType, Line, NewAccount, NewEntry};
use backroom_domain::rights::{Pattern, Rights};
use backroom_domain::{BusinessDate, Class, Currency, Id, Instant, Money, Side};
use backroom_office::{Caller, Failure, Page, PageRequest, Work};
use backroom_store::{Meta, Store, TenantNo};

/// Sequences of commands that a property of the ledger is tried with, at least; `PROPTEST_CASES` can ask for more.
pub(crate) const SEQUENCES: u32 = 2_000;

/// How the properties of the ledger are tried. A failure prints its seed (a line that begins with `cc`) and the smallest sequence.
pub(crate) fn sequences() -> proptest::test_runner::Config {
    let config = proptest::test_runner::Config::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { config.cases.max(SEQUENCES) } else { SEQUENCES };
    proptest::test_runner::Config { cases, max_shrink_iters: 4_000, ..config }
}

/// The time of all work.
pub(crate) const NOW: Instant = Instant(1_782_000_000_000_000);

pub(crate) fn id(text: &str) -> Id {
    Id::parse(text, "id").unwrap()
}

pub(crate) fn day(text: &str) -> BusinessDate {
    BusinessDate::parse(text, "date").unwrap()
}

pub(crate) fn money(minor: u64, currency: &str) -> Money {
    Money { minor, currency: Currency::parse(currency, "currency").unwrap() }
}

pub(crate) fn patterns(texts: &[&str]) -> Vec<Pattern> {
    texts.iter().map(|text| Pattern::parse(text).unwrap()).collect()
}

/// A posting account.
pub(crate) fn account(code: &str, currency: &str) -> NewAccount {
    NewAccount {
        code: id(code),
        name: format!("Account {code}"),
        kind: AccountType::Asset,
        parent: None,
        currency: Currency::parse(currency, "currency").unwrap(),
        posting: true,
        stock_control: false,
        rules: Default::default(),
    }
}

pub(crate) fn header(code: &str) -> NewAccount {
    NewAccount { posting: false, ..account(code, "USD") }
}

pub(crate) fn line(account: &str, side: Side, minor: u64, currency: &str) -> Line {
    Line {
        account: id(account),
        side,
        amount: money(minor, currency),
        dimensions: Vec::new(),
        memo: None,
        details: None,
    }
}

pub(crate) fn pair(debit: &str, credit: &str, minor: u64, currency: &str) -> Vec<Line> {
    vec![line(debit, Side::Debit, minor, currency), line(credit, Side::Credit, minor, currency)]
}

pub(crate) fn entry(name: &str, date: &str, lines: Vec<Line>) -> NewEntry {
    NewEntry { id: id(name), date: day(date), description: format!("Entry {name}"), lines, details: None }
}

pub(crate) fn worker(name: &str) -> NewWorker {
    NewWorker {
        id: id(name),
        name: format!("Worker {name}"),
        email: Some(format!("{name}@example.com")),
        bank_account: Some(format!("IBAN {name}")),
    }
}

pub(crate) fn employment(worker: &str, from: &str, to: Option<&str>) -> NewEmployment {
    NewEmployment {
        worker: id(worker),
        from: day(from),
        to: to.map(day),
        position: id("CPA"),
        place: Place::Remote,
        cost_center: id("CC-410"),
        salary: Some(money(600_000, "USD")),
    }
}

pub(crate) fn benefit(name: &str, worker: &str, from: &str, to: &str) -> NewBenefit {
    NewBenefit {
        id: id(name),
        worker: id(worker),
        plan: id("housing"),
        from: day(from),
        to: day(to),
        amount: money(50_000, "USD"),
        cost_center: id("CC-410"),
        entry: None,
    }
}

/// One tenant's books in memory.
pub(crate) struct Books(Store);

impl Books {
    pub(crate) fn new() -> Self {
        Self(Store::memory())
    }

    /// A unit of work for writing.
    pub(crate) fn work(&self, rights: Rights) -> Work {
        self.work_of(vec![rights])
    }

    /// A unit of work for writing, in which every layer must allow a call.
    pub(crate) fn work_of(&self, layers: Vec<Rights>) -> Work {
        let layers = layers.into_iter().map(Arc::new).collect();
        let caller = Caller { actor: "test".to_owned(), layers, installation: None, run: Some(id("run-1")) };
        Work::new(self.0.write(TenantNo(1)).unwrap(), caller, NOW, day("2026-06-30"))
    }

    /// A unit of work for writing with every right, of an actor or of an installation that the actor started.
    pub(crate) fn work_by(&self, actor: &str, installation: Option<&str>, now: Instant) -> Work {
        let layers = vec![Arc::new(Rights::all())];
        let caller = Caller { actor: actor.to_owned(), layers, installation: installation.map(id), run: None };
        Work::new(self.0.write(TenantNo(1)).unwrap(), caller, now, day("2026-06-30"))
    }

    /// Does `set_up` with every right and keeps it.
    pub(crate) fn set_up(&self, set_up: impl FnOnce(&mut Work)) {
        let mut work = self.work(Rights::all());
        set_up(&mut work);
        commit(work);
    }
}

pub(crate) fn commit(work: Work) {
    let meta = Meta { at: NOW.0, actor: "test".to_owned(), kind: "test".to_owned(), ..Meta::default() };
    work.seal().unwrap().commit(meta).unwrap().ticket.wait().unwrap();
}

/// Class, code and field of the first problem of a refusal.
pub(crate) fn told<T: std::fmt::Debug>(result: backroom_office::Result<T>) -> (Class, String, String) {
    match result {
        Err(Failure::Business(error)) => {
            let problem = error.problems.into_iter().next().unwrap();
            (error.class, problem.code.into_owned(), problem.field.unwrap_or_default())
        }
        other => panic!("not a refusal: {other:?}"),
    }
}

/// The code of a refusal.
pub(crate) fn code<T: std::fmt::Debug>(result: backroom_office::Result<T>) -> String {
    told(result).1
}

/// All items of a list, page by page.
pub(crate) fn all<T>(limit: u32, list: impl Fn(&PageRequest) -> backroom_office::Result<Page<T>>) -> Vec<T> {
    let mut request = PageRequest::first(limit);
    let mut items = Vec::new();
    loop {
        let page = list(&request).unwrap();
        assert!(page.items.len() <= usize::try_from(limit).unwrap(), "a page of {} items", page.items.len());
        items.extend(page.items);
        match page.next {
            Some(next) => request.cursor = Some(next),
            None => return items,
        }
    }
}
