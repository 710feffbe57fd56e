//! Periods, rates, budgets, revaluation, the end of a year.

use backroom_domain::ledger::{
    AccountRules, AccountType, Amount, BudgetAction, BudgetPeriod, Holder, LockKind, NewAccount, NewBook, NewBudget,
    NewClosing, NewException, NewRate, NewRevaluation, Scope,
};
use backroom_domain::rights::Rights;
use backroom_domain::{BusinessDate, Currency, Decimal, Id, Instant, MAX_MINOR, Side};
use backroom_office::Work;
use backroom_office::ledger::{
    close_year, create_account, create_book, get_rate, grant_exception, limit_future, list_periods, lock_period, post,
    reopen_period, revalue, revoke_exception, set_budget, set_rates,
};

use crate::books::{Books, NOW, account, day, entry, header, id, line, money, pair};
use crate::chart::{book, chart, close, ids};
use crate::order::{Ordered, Table, defect, of, said};

pub(crate) fn tables() -> Vec<Box<dyn Ordered>> {
    vec![
        Box::new(LOCK),
        Box::new(REOPEN),
        Box::new(FUTURE),
        Box::new(GRANT),
        Box::new(REVOKE),
        Box::new(PERIODS),
        Box::new(SET_RATES),
        Box::new(RATE),
        Box::new(BUDGET),
        Box::new(REVALUE),
        Box::new(LAST_DAY),
        Box::new(YEAR),
    ]
}

/// Who asks, when (in hours behind all other work), of which book, and for what.
struct Asked<T> {
    rights: fn() -> Rights,
    hours: u64,
    book: &'static str,
    new: T,
}

impl<T> Asked<T> {
    fn of(book: &'static str, new: T) -> Self {
        Self { rights: Rights::all, hours: 0, book, new }
    }

    fn work(&self, books: &Books) -> Work {
        let mut work = books.work((self.rights)());
        work.now = Instant(NOW.0 + self.hours * HOUR);
        work
    }
}

const HOUR: u64 = 3_600_000_000;

fn currency(code: &str) -> Currency {
    money(0, code).currency
}

/// With a hard lock on taxes, and an exception for an hour.
fn locked() -> Books {
    let books = chart();
    books.set_up(|work| {
        lock_period(work, &id("b"), Scope::Tax, LockKind::Hard, day("2026-01-31")).unwrap();
        grant_exception(work, &id("b"), exception("x", 1)).unwrap();
    });
    books
}

fn exception(name: &str, hours: u64) -> NewException {
    let until = Instant(NOW.0 + hours * HOUR);
    NewException { id: id(name), scope: Scope::All, holder: Holder::Everyone, until, reason: "late".to_owned() }
}

const LOCK: Table<Asked<(Scope, BusinessDate)>> = Table {
    operation: "lock_period",
    books: locked,
    good: || Asked::of("b", (Scope::All, day("2026-02-28"))),
    ask: |books, asked| {
        let (scope, until) = asked.new;
        said(lock_period(&mut asked.work(books), &id(asked.book), scope, LockKind::Soft, until))
    },
    defects: &[
        defect("periods-denied", |a| a.rights = Rights::read_only),
        defect("book-not-found", |a| a.book = "none"),
        defect("lock-not-forward", |a| a.new.1 = day("2026-01-30")),
    ],
};

const REOPEN: Table<Asked<(Scope, &'static str)>> = Table {
    operation: "reopen_period",
    books: locked,
    good: || Asked::of("b", (Scope::All, "late")),
    ask: |books, asked| {
        let (scope, reason) = asked.new;
        let from = day("2026-01-31");
        said(reopen_period(&mut asked.work(books), &id(asked.book), scope, from, reason.to_owned()))
    },
    defects: &[
        defect("periods-denied", |a| a.rights = Rights::read_only),
        defect("text-invalid", |a| a.new.1 = ""),
        defect("book-not-found", |a| a.book = "none"),
        defect("hard-lock", |a| a.new.0 = Scope::Tax),
    ],
};

const FUTURE: Table<Asked<()>> = Table {
    operation: "limit_future",
    books: locked,
    good: || Asked::of("b", ()),
    ask: |books, asked| said(limit_future(&mut asked.work(books), &id(asked.book), None)),
    defects: &[
        defect("periods-denied", |a| a.rights = Rights::read_only),
        defect("book-not-found", |a| a.book = "none"),
    ],
};

const GRANT: Table<Asked<NewException>> = Table {
    operation: "grant_exception",
    books: locked,
    good: || Asked::of("b", exception("new", 1)),
    ask: |books, asked| said(grant_exception(&mut asked.work(books), &id(asked.book), asked.new)),
    defects: &[
        defect("periods-denied", |a| a.rights = Rights::read_only),
        defect("text-invalid", |a| a.new.reason.clear()),
        defect("book-not-found", |a| a.book = "none"),
        defect("exists-with-different", |a| (a.new.id, a.new.scope) = (id("x"), Scope::Stock)),
        defect("exception-expired", |a| a.new.until = NOW),
    ],
};

const REVOKE: Table<Asked<Id>> = Table {
    operation: "revoke_exception",
    books: locked,
    good: || Asked::of("b", id("x")),
    ask: |books, asked| said(revoke_exception(&mut asked.work(books), &id(asked.book), &asked.new)),
    defects: &[
        defect("periods-denied", |a| a.rights = Rights::read_only),
        defect("not-found", |a| a.new = id("none")),
        defect("exception-expired", |a| a.hours = 1),
    ],
};

const PERIODS: Table<Asked<Option<u16>>> = Table {
    operation: "list_periods",
    books: locked,
    good: || Asked::of("b", None),
    ask: |books, asked| said(list_periods(&asked.work(books), &id(asked.book), asked.new)),
    defects: &[
        defect("ledger-read-denied", |a| a.rights = Rights::default),
        defect("book-not-found", |a| a.book = "none"),
        defect("year-invalid", |a| a.new = Some(1)),
    ],
};

fn rate(from: &str, date: &str, kind: &str, mantissa: u64) -> NewRate {
    let rate = Decimal { mantissa, scale: 1 };
    NewRate { date: day(date), from: currency(from), to: currency("USD"), kind: id(kind), rate }
}

const SET_RATES: Table<Asked<Vec<NewRate>>> = Table {
    operation: "set_rates",
    books: chart,
    good: || Asked::of("b", vec![rate("EUR", "2026-01-01", "spot", 11), rate("JPY", "2026-01-01", "spot", 1)]),
    ask: |books, asked| said(set_rates(&mut asked.work(books), &id(asked.book), asked.new)),
    defects: &[
        defect("rates-denied", |a| a.rights = Rights::read_only),
        of("list", "no-rates", |a| a.new.clear()),
        of("list", "too-many-rates", |a| a.new.resize(1_001, rate("EUR", "2026-01-02", "spot", 1))),
        of("rate", "decimal-invalid", |a| a.new[0].rate.mantissa = MAX_MINOR + 1),
        of("rate", "rate-zero", |a| a.new[0].rate = Decimal::ZERO),
        of("pair", "same-currency", |a| a.new[0].to = a.new[0].from),
        defect("rate-twice", |a| a.new.push(a.new[1].clone())),
        defect("book-not-found", |a| a.book = "none"),
    ],
};

const RATE: Table<Asked<Id>> = Table {
    operation: "get_rate",
    books: revaluing,
    good: || Asked::of("v", id("spot")),
    ask: |books, asked| {
        let date = day("2026-03-31");
        said(get_rate(&asked.work(books), &id(asked.book), currency("EUR"), currency("USD"), &asked.new, date))
    },
    defects: &[
        defect("ledger-read-denied", |a| a.rights = Rights::default),
        defect("book-not-found", |a| a.book = "none"),
        defect("rate-missing", |a| a.new = id("average")),
    ],
};

type Budget = (NewBudget, Option<u32>);

const BUDGET: Table<Asked<Budget>> = Table {
    operation: "set_budget",
    books: chart,
    good: || {
        let period = |from, to| BudgetPeriod { first: day(from), last: day(to), amount: money(1, "USD") };
        let new = NewBudget {
            id: id("new"),
            account: id("b/bank"),
            dimension: None,
            periods: vec![period("2026-01-01", "2026-01-31"), period("2026-02-01", "2026-02-28")],
            action: BudgetAction::Stop,
        };
        Asked::of("b", (new, None))
    },
    ask: |books, asked| {
        let mut work = asked.work(books);
        said(set_budget(&mut work, &id(asked.book), asked.new.0, asked.new.1))
    },
    defects: &[
        defect("budgets-denied", |a| a.rights = Rights::read_only),
        of("periods", "no-periods", |a| a.new.0.periods.clear()),
        of("periods", "too-many-periods", |a| {
            let period = |n| BudgetPeriod { first: new_year(n), last: new_year(n), amount: money(1, "USD") };
            a.new.0.periods = (0..121).map(period).collect();
        }),
        of("days", "period-invalid", |a| a.new.0.periods[0].last = day("2025-12-31")),
        of("amount", "amount-too-large", |a| a.new.0.periods[0].amount.minor = MAX_MINOR + 1),
        of("days", "overlapping-periods", |a| a.new.0.periods[1].first = day("2026-01-31")),
        defect("book-not-found", |a| a.book = "none"),
        of("id", "exists-with-different", |a| a.new.0.id = id("cost")),
        of("id", "version-conflict", |a| (a.new.0.id, a.new.1) = (id("cost"), Some(2))),
        of("id", "not-found", |a| a.new.1 = Some(1)),
        of("account", "account-not-found", |a| a.new.0.account = id("b/nowhere")),
        of("account", "book-mismatch", |a| a.new.0.account = id("other")),
        of("account", "account-is-header", |a| a.new.0.account = id("b/head")),
        of("amount", "currency-mismatch", |a| {
            a.new.0.periods.iter_mut().for_each(|period| period.amount.currency = currency("EUR"));
        }),
        of("account", "overlapping-budget", |a| a.new.0.account = id("b/cost")),
    ],
};

fn new_year(n: u16) -> BusinessDate {
    BusinessDate::new(2000 + n, 1, 1, "day").unwrap()
}

fn with_exchange(name: &str) -> NewBook {
    let to = Some(id(&format!("{name}/gain")));
    NewBook { exchange_gain: to.clone(), exchange_loss: to, ..book(name) }
}

/// The book `v` with a foreign account for each reason, `w`, where exchange differences have no account, `x`, where it is closed, and `z`, where it has a budget. Of each everything is locked
/// until the end of February, and nothing is posted more than twelve days ahead.
fn revaluing() -> Books {
    let books = Books::new();
    books.set_up(|work| {
        for name in ["v", "x", "z"] {
            create_book(work, with_exchange(name)).unwrap();
        }
        create_book(work, book("w")).unwrap();
        let rows = [
            ("v/cash", "USD"),
            ("v/gain", "USD"),
            ("v/eur", "EUR"),
            ("v/done", "EUR"),
            ("v/other", "EUR"),
            ("w/eur", "EUR"),
            ("w/other", "EUR"),
            ("x/gain", "USD"),
            ("x/eur", "EUR"),
            ("x/other", "EUR"),
            ("z/gain", "USD"),
            ("z/eur", "EUR"),
            ("z/other", "EUR"),
            ("eur", "EUR"),
        ];
        for (name, of) in rows {
            create_account(work, account(name, of)).unwrap();
        }
        let rules = AccountRules { history: false, ..AccountRules::default() };
        // It is not foreign either.
        create_account(work, NewAccount { rules, ..account("v/short", "USD") }).unwrap();
        create_account(work, header("v/head")).unwrap();
        for book in ["v", "w", "x", "z"] {
            let rates = ["spot", "closing"].into_iter().zip([10, 12]);
            let rates = rates.map(|(kind, mantissa)| rate("EUR", "2026-01-01", kind, mantissa)).collect();
            set_rates(work, &id(book), rates).unwrap();
        }
        let euros = |debit, credit| vec![line(debit, Side::Debit, 100, "EUR"), line(credit, Side::Credit, 100, "EUR")];
        for (name, debit, credit) in [
            ("e", "v/eur", "v/other"),
            ("f", "v/done", "v/other"),
            ("g", "w/eur", "w/other"),
            ("h", "x/eur", "x/other"),
            ("i", "z/eur", "z/other"),
        ] {
            post(work, entry(name, "2026-01-31", euros(debit, credit))).unwrap();
        }
        revalue(work, &id("v"), NewRevaluation { id: id("done"), accounts: ids(&["v/done"]), ..revaluation().new })
            .unwrap();
        close(work, "x/gain");
        let period = BudgetPeriod { first: day("2026-01-01"), last: day("2026-12-31"), amount: money(1, "USD") };
        let budget = NewBudget {
            id: id("losses"),
            account: id("z/gain"),
            dimension: None,
            periods: vec![period],
            action: BudgetAction::Stop,
        };
        set_budget(work, &id("z"), budget, None).unwrap();
        for book in ["v", "w", "x", "z"] {
            lock_period(work, &id(book), Scope::All, LockKind::Soft, day("2026-02-28")).unwrap();
            limit_future(work, &id(book), Some(12)).unwrap();
        }
    });
    books
}

fn revaluation() -> Asked<NewRevaluation> {
    let new = NewRevaluation {
        id: id("new"),
        as_of: day("2026-03-31"),
        accounts: ids(&["v/eur"]),
        kind: None,
        reverse: false,
    };
    Asked::of("v", new)
}

fn ask_revaluation(books: &Books, asked: Asked<NewRevaluation>) -> Result<(), String> {
    said(revalue(&mut asked.work(books), &id(asked.book), asked.new))
}

const REVALUE: Table<Asked<NewRevaluation>> = Table {
    operation: "revalue",
    books: revaluing,
    good: revaluation,
    ask: ask_revaluation,
    defects: &[
        defect("rates-denied", |a| a.rights = Rights::read_only),
        of("id", "id-too-long", |a| a.new.id = id(&"i".repeat(57))),
        of("accounts", "no-accounts", |a| a.new.accounts.clear()),
        of("accounts", "too-many-accounts", |a| a.new.accounts = vec![id("v/eur"); 501]),
        of("accounts", "account-twice", |a| a.new.accounts = ids(&["v/eur", "v/eur"])),
        of("book", "book-not-found", |a| a.book = "none"),
        of("book", "no-base-currency", |a| a.book = "main"),
        of("accounts", "account-not-found", |a| a.new.accounts = ids(&["v/nowhere"])),
        of("accounts", "book-mismatch", |a| a.new.accounts = ids(&["eur"])),
        of("accounts", "account-is-header", |a| a.new.accounts = ids(&["v/head"])),
        of("accounts", "history-not-kept", |a| a.new.accounts = ids(&["v/short"])),
        of("accounts", "not-foreign", |a| a.new.accounts = ids(&["v/cash"])),
        of("done", "already-revalued", |a| {
            (a.book, a.new.accounts, a.new.as_of) = ("v", ids(&["v/done"]), day("2026-03-31"));
        }),
        of("id", "exists-with-different", |a| a.new.id = id("e")),
        of("done", "rate-missing", |a| a.new.kind = Some(id("average"))),
        of("accounts", "exchange-account-missing", |a| (a.book, a.new.accounts) = ("w", ids(&["w/eur"]))),
        of("accounts", "account-closed", |a| (a.book, a.new.accounts) = ("x", ids(&["x/eur"]))),
        of("date", "period-locked", |a| a.new.as_of = day("2026-02-28")),
        of("date", "future-date", |a| a.new.as_of = day("2026-07-04")),
        // What stands on the other side is a loss, which is more than the budget has.
        of("accounts", "budget-exceeded", |a| (a.book, a.new.accounts) = ("z", ids(&["z/other"]))),
    ],
};

/// There is no day behind the last one, on which it could be taken back.
const LAST_DAY: Table<Asked<NewRevaluation>> = Table {
    operation: "revalue",
    books: || {
        let books = revaluing();
        books.set_up(|work| drop(limit_future(work, &id("v"), None).unwrap()));
        books
    },
    good: || {
        let good = revaluation();
        Asked { new: NewRevaluation { reverse: true, ..good.new }, ..good }
    },
    ask: ask_revaluation,
    defects: &[
        defect("rate-missing", |a| a.new.kind = Some(id("average"))),
        defect("overflow", |a| a.new.as_of = BusinessDate::MAX),
    ],
};

/// The book `y`, of which 2023 is closed and 2024 is locked, with a result of 2024 in USD.
fn ending() -> Books {
    let books = Books::new();
    books.set_up(|work| {
        create_book(work, book("y")).unwrap();
        let bounded = AccountRules { max_available: Some(Amount::of(0)), ..AccountRules::default() };
        let equity = |code, currency| NewAccount { kind: AccountType::Equity, ..account(code, currency) };
        for new in [
            equity("y/kept", "USD"),
            equity("y/eur", "EUR"),
            equity("y/shut", "USD"),
            equity("y/full", "USD"),
            equity("y/sink", "USD"),
            NewAccount { rules: bounded, ..equity("y/top", "USD") },
            equity("kept", "USD"),
            account("y/cash", "USD"),
            NewAccount { kind: AccountType::Expense, ..account("y/cost", "USD") },
            NewAccount { kind: AccountType::Equity, ..header("y/head") },
        ] {
            create_account(work, new).unwrap();
        }
        close(work, "y/shut");
        post(work, entry("e", "2024-05-05", pair("y/cash", "y/cost", 5, "USD"))).unwrap();
        post(work, entry("f", "2024-05-05", pair("y/sink", "y/full", MAX_MINOR, "USD"))).unwrap();
        let book = id("y");
        lock_period(work, &book, Scope::All, LockKind::Soft, day("2023-12-31")).unwrap();
        close_year(work, &book, NewClosing { year: 2023, ..ended().new }).unwrap();
        lock_period(work, &book, Scope::All, LockKind::Soft, day("2024-12-31")).unwrap();
    });
    books
}

fn ended() -> Asked<NewClosing> {
    Asked::of("y", NewClosing { id: id("new"), year: 2024, retained_earnings: ids(&["y/kept"]) })
}

const YEAR: Table<Asked<NewClosing>> = Table {
    operation: "close_year",
    books: ending,
    good: ended,
    ask: |books, asked| said(close_year(&mut asked.work(books), &id(asked.book), asked.new)),
    defects: &[
        defect("periods-denied", |a| a.rights = Rights::read_only),
        of("id", "id-too-long", |a| a.new.id = id(&"i".repeat(57))),
        of("accounts", "no-accounts", |a| a.new.retained_earnings.clear()),
        defect("book-not-found", |a| a.book = "none"),
        of("year", "year-invalid", |a| a.new.year = 1),
        of("year", "already-closed", |a| (a.new.year, a.new.id) = (2023, id("again"))),
        of("accounts", "account-not-found", |a| a.new.retained_earnings = ids(&["y/nowhere"])),
        of("accounts", "book-mismatch", |a| a.new.retained_earnings = ids(&["kept"])),
        of("accounts", "not-equity", |a| a.new.retained_earnings = ids(&["y/cash"])),
        of("accounts", "account-is-header", |a| a.new.retained_earnings = ids(&["y/head"])),
        of("accounts", "currency-mismatch", |a| a.new.retained_earnings = ids(&["y/kept", "y/full"])),
        of("year", "periods-open", |a| a.new.year = 2025),
        of("accounts", "retained-earnings-missing", |a| a.new.retained_earnings = ids(&["y/eur"])),
        of("id", "exists-with-different", |a| a.new.id = id("e")),
        of("accounts", "account-closed", |a| a.new.retained_earnings = ids(&["y/shut"])),
        of("accounts", "limit-exceeded", |a| a.new.retained_earnings = ids(&["y/top"])),
        of("accounts", "overflow", |a| a.new.retained_earnings = ids(&["y/full"])),
    ],
};
