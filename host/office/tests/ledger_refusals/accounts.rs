//! Books, the chart of accounts, balances.

use backroom_domain::MAX_MINOR;
use backroom_domain::ledger::{
    AccountChange, AccountClosing, AccountRules, AccountType, Amount, NewAccount, NewBook, Sweep,
};
use backroom_domain::rights::{Grant, LedgerRights, Rights};
use backroom_domain::{BusinessDate, Id};
use backroom_office::ledger::{
    AsOf, MAX_ACCOUNTS, balance_at, balances_at, close_account, create_account, create_book, post, reopen_account,
    update_account,
};

use crate::books::{Books, account, day, entry, id, money, pair, patterns};
use crate::chart::{book, chart, ids};
use crate::order::{Ordered, Table, defect, of, said};

pub(crate) fn tables() -> Vec<Box<dyn Ordered>> {
    vec![
        Box::new(BOOK),
        Box::new(MAIN),
        Box::new(CREATE),
        Box::new(UPDATE),
        Box::new(CLOSE),
        Box::new(SWEEP),
        Box::new(REOPEN),
        Box::new(BALANCE),
        Box::new(BALANCES),
    ]
}

/// Who asks, and for what.
struct Asked<T> {
    rights: fn() -> Rights,
    new: T,
}

fn asked<T>(new: T) -> Asked<T> {
    Asked { rights: Rights::all, new }
}

const BOOK: Table<Asked<NewBook>> = Table {
    operation: "create_book",
    books: || {
        let books = chart();
        books.set_up(|work| drop(create_account(work, account("c/cash", "USD")).unwrap()));
        books
    },
    good: || asked(book("new")),
    ask: |books, asked| said(create_book(&mut books.work((asked.rights)()), asked.new)),
    defects: &[
        defect("chart-denied", |a| a.rights = Rights::read_only),
        of("id", "id-invalid", |a| a.new.id = id("a/b")),
        defect("text-invalid", |a| a.new.name.clear()),
        defect("month-invalid", |a| a.new.year_start = 13),
        of("id", "exists-with-different", |a| (a.new.id, a.new.year_start) = (id("b"), 2)),
        defect("book-mismatch", |a| a.new.exchange_gain = Some(id("other"))),
        of("id", "book-has-accounts", |a| a.new.id = id("c")),
    ],
};

/// Of the book that is always there, no account can be another's.
const MAIN: Table<Asked<NewBook>> = Table {
    operation: "create_book",
    books: || {
        let books = Books::new();
        books.set_up(|work| {
            create_account(work, account("1000", "USD")).unwrap();
            post(work, entry("e", "2026-06-30", pair("1000", "1000", 1, "USD"))).unwrap();
        });
        books
    },
    good: || asked(book("main")),
    ask: |books, asked| said(create_book(&mut books.work((asked.rights)()), asked.new)),
    defects: &[
        defect("chart-denied", |a| a.rights = Rights::read_only),
        defect("text-invalid", |a| a.new.name.clear()),
        defect("month-invalid", |a| a.new.year_start = 0),
        defect("book-has-foreign-entries", |a| a.new.base = money(0, "EUR").currency),
    ],
};

const CREATE: Table<Asked<NewAccount>> = Table {
    operation: "create_account",
    books: chart,
    good: || asked(NewAccount { parent: Some(id("b/head")), ..account("b/new", "USD") }),
    ask: |books, asked| said(create_account(&mut books.work((asked.rights)()), asked.new)),
    defects: &[
        defect("chart-denied", |a| a.rights = Rights::read_only),
        defect("text-invalid", |a| a.new.name.clear()),
        defect("header-with-stock-control", |a| (a.new.posting, a.new.stock_control) = (false, true)),
        defect("amount-too-large", |a| a.new.rules.max_available = Some(too_much())),
        defect("limits-exclude-each-other", |a| contradict(&mut a.new.rules)),
        defect("dimensions-invalid", |a| a.new.rules.required_dimensions = ids(&["cc", "cc"])),
        defect("exists-with-different", |a| a.new.code = id("b/cash")),
        of("parent", "parent-not-found", |a| a.new.parent = Some(id("b/nowhere"))),
        of("parent", "parent-is-posting", |a| a.new.parent = Some(id("b/cash"))),
        defect("type-differs-from-parent", |a| a.new.kind = AccountType::Expense),
        of("parent", "book-mismatch", |a| a.new.parent = Some(id("head"))),
    ],
};

/// The right to set accounts up, and to read none.
fn chart_only() -> Rights {
    let chart = patterns(&["*"]);
    Rights::from(Grant { ledger: LedgerRights { chart, ..LedgerRights::default() }, ..Grant::default() })
}

fn too_much() -> Amount {
    Amount { negative: false, minor: MAX_MINOR + 1 }
}

fn contradict(rules: &mut AccountRules) {
    (rules.min_available, rules.max_available) = (Some(Amount::of(1)), Some(Amount::of(0)));
}

type Change = (Id, AccountChange);

fn changed(asked: &mut Asked<Change>) -> &mut AccountRules {
    asked.new.1.rules.get_or_insert_default()
}

const UPDATE: Table<Asked<Change>> = Table {
    operation: "update_account",
    books: chart,
    good: || asked((id("b/rich"), AccountChange { expected_version: 0, name: None, rules: None })),
    ask: |books, asked| said(update_account(&mut books.work((asked.rights)()), &asked.new.0, asked.new.1)),
    defects: &[
        of("rights", "chart-denied", |a| a.rights = Rights::read_only),
        of("rights", "ledger-read-denied", |a| {
            a.rights = chart_only;
            changed(a).min_available = Some(Amount::of(0));
        }),
        defect("text-invalid", |a| a.new.1.name = Some(String::new())),
        defect("amount-too-large", |a| changed(a).max_available = Some(too_much())),
        defect("limits-exclude-each-other", |a| contradict(changed(a))),
        defect("dimensions-invalid", |a| changed(a).required_dimensions = ids(&["cc", "cc"])),
        defect("not-found", |a| a.new.0 = id("b/nowhere")),
        defect("version-conflict", |a| a.new.1.expected_version = 1),
        defect("limit-already-breached", |a| changed(a).max_available = Some(Amount::of(4))),
    ],
};

type Closing = (Id, AccountClosing);

fn close(books: &Books, asked: Asked<Closing>) -> Result<(), String> {
    said(close_account(&mut books.work((asked.rights)()), &asked.new.0, asked.new.1))
}

const CLOSE: Table<Asked<Closing>> = Table {
    operation: "close_account",
    books: chart,
    good: || asked((id("b/idle"), AccountClosing { reason: "not used".to_owned(), sweep: None })),
    ask: close,
    defects: &[
        defect("chart-denied", |a| a.rights = Rights::read_only),
        defect("text-invalid", |a| a.new.1.reason.clear()),
        of("account", "not-found", |a| a.new.0 = id("b/nowhere")),
        // This one has a balance as well.
        of("balance", "has-open-holds", |a| a.new.0 = id("b/kept")),
        of("balance", "non-zero-balance", |a| a.new.0 = id("b/rich")),
    ],
};

fn sweep(asked: &mut Asked<Closing>) -> &mut Sweep {
    let none = || Sweep { to: id("b/cash"), entry: id("sweep") };
    asked.new.1.sweep.get_or_insert_with(none)
}

/// An account whose balance goes elsewhere: then it is as posting.
const SWEEP: Table<Asked<Closing>> = Table {
    operation: "close_account",
    books: chart,
    good: || {
        let mut good = asked((id("b/rich"), AccountClosing { reason: "not used".to_owned(), sweep: None }));
        sweep(&mut good);
        good
    },
    ask: close,
    defects: &[
        defect("chart-denied", |a| a.rights = Rights::read_only),
        defect("text-invalid", |a| a.new.1.reason.clear()),
        of("account", "not-found", |a| a.new.0 = id("b/nowhere")),
        of("account", "has-open-holds", |a| a.new.0 = id("b/kept")),
        of("to", "non-zero-balance", |a| sweep(a).to = id("b/rich")),
        of("entry", "exists-with-different", |a| sweep(a).entry = id("taken")),
        of("entry", "id-already-failed", |a| sweep(a).entry = id("burnt")),
        of("to", "account-not-found", |a| sweep(a).to = id("b/nowhere")),
        of("to", "book-mismatch", |a| sweep(a).to = id("other")),
        of("to", "missing-dimension", |a| sweep(a).to = id("b/need")),
        of("to", "party-required", |a| sweep(a).to = id("b/party")),
        of("to", "account-is-header", |a| sweep(a).to = id("b/head")),
        of("to", "account-closed", |a| sweep(a).to = id("b/shut")),
        of("to", "currency-mismatch", |a| sweep(a).to = id("b/eur")),
        of("to", "limit-exceeded", |a| sweep(a).to = id("b/top")),
    ],
};

const REOPEN: Table<Asked<Id>> = Table {
    operation: "reopen_account",
    books: chart,
    good: || asked(id("b/shut")),
    ask: |books, asked| said(reopen_account(&mut books.work((asked.rights)()), &asked.new)),
    defects: &[
        defect("chart-denied", |a| a.rights = Rights::read_only),
        defect("not-found", |a| a.new = id("b/nowhere")),
    ],
};

type Question = (Id, Option<BusinessDate>);

const BALANCE: Table<Asked<Question>> = Table {
    operation: "balance",
    books: chart,
    good: || asked((id("b/cash"), None)),
    ask: |books, asked| {
        let as_of = AsOf { date: asked.new.1, ..AsOf::default() };
        said(balance_at(&books.work((asked.rights)()), &asked.new.0, as_of))
    },
    defects: &[
        defect("ledger-read-denied", |a| a.rights = Rights::default),
        of("account", "not-found", |a| a.new.0 = id("b/nowhere")),
        of("account", "account-is-header", |a| a.new.0 = id("b/head")),
        of("account", "history-not-kept", |a| a.new = (id("b/short"), Some(day("2026-06-30")))),
    ],
};

const BALANCES: Table<Asked<Vec<Id>>> = Table {
    operation: "balances_at",
    books: chart,
    good: || asked(ids(&["b/cash", "b/bank"])),
    ask: |books, asked| {
        let as_of = AsOf { date: Some(day("2026-06-30")), ..AsOf::default() };
        said(balances_at(&books.work((asked.rights)()), &asked.new, as_of))
    },
    defects: &[
        defect("ledger-read-denied", |a| a.rights = Rights::default),
        defect("too-many-accounts", |a| a.new.resize(MAX_ACCOUNTS + 1, id("b/cash"))),
        of("account", "not-found", |a| a.new[0] = id("b/nowhere")),
        of("account", "account-is-header", |a| a.new[0] = id("b/head")),
        of("account", "history-not-kept", |a| a.new[0] = id("b/short")),
    ],
};
