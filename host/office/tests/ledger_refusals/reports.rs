//! Reports, statements, assertions, allocation.

use backroom_domain::ledger::reports::{ReportKind, Span};
use backroom_domain::ledger::text::Format;
use backroom_domain::ledger::{Fraction, MAX_PORTIONS, Portion};
use backroom_domain::rights::{Pattern, Rights};
use backroom_domain::{Id, MAX_MINOR, Money, Side};
use backroom_office::ledger::reports::{
    MAX_LARGEST, allocate, assert_balance, by_dimension, cash_flow, explain, general_ledger, report, statement,
};
use backroom_office::ledger::verify;
use backroom_office::{PageRequest, Work};

use crate::books::{Books, day, id, money, patterns};
use crate::chart::chart;
use crate::order::{Ordered, Table, defect, of, said};

pub(crate) fn tables() -> Vec<Box<dyn Ordered>> {
    vec![
        Box::new(REPORT),
        Box::new(GENERAL),
        Box::new(DIMENSION),
        Box::new(FLOW),
        Box::new(STATEMENT),
        Box::new(EXPLAIN),
        Box::new(ASSERT),
        Box::new(ALLOCATE),
        Box::new(FORMAT),
        Box::new(VERIFY),
    ]
}

/// Who asks, of which days, and what.
struct Asked<T> {
    rights: fn() -> Rights,
    span: Span,
    new: T,
}

impl<T> Asked<T> {
    fn of(new: T) -> Self {
        Self { rights: Rights::all, span: Span::default(), new }
    }

    fn work(&self, books: &Books) -> Work {
        books.work((self.rights)())
    }

    /// Of days whose balances nobody can tell for an account without a history.
    fn dated(&mut self) {
        self.span = Span { from: Some(day("2026-06-30")), to: None };
    }

    fn backwards(&mut self) {
        self.span = Span { from: Some(day("2026-06-30")), to: Some(day("2026-06-29")) };
    }
}

const REPORT: Table<Asked<()>> = Table {
    operation: "report",
    books: chart,
    good: || Asked::of(()),
    ask: |books, asked| said(report(&asked.work(books), ReportKind::TrialBalance, &[asked.span])),
    defects: &[
        defect("ledger-read-denied", |a| a.rights = Rights::default),
        defect("period-invalid", |a| a.backwards()),
        defect("history-not-kept", |a| a.dated()),
    ],
};

const GENERAL: Table<Asked<()>> = Table {
    operation: "general_ledger",
    books: chart,
    good: || Asked::of(()),
    ask: |books, asked| said(general_ledger(&asked.work(books), &asked.span)),
    defects: &[
        defect("ledger-read-denied", |a| a.rights = Rights::default),
        defect("period-invalid", |a| a.backwards()),
        defect("history-not-kept", |a| a.dated()),
    ],
};

const DIMENSION: Table<Asked<()>> = Table {
    operation: "by_dimension",
    books: chart,
    good: || Asked::of(()),
    ask: |books, asked| said(by_dimension(&asked.work(books), &id("cc"), &asked.span)),
    defects: &[
        defect("ledger-read-denied", |a| a.rights = Rights::default),
        defect("period-invalid", |a| a.backwards()),
    ],
};

const FLOW: Table<Asked<Vec<Pattern>>> = Table {
    operation: "cash_flow",
    books: chart,
    good: || Asked::of(patterns(&["b/cash"])),
    ask: |books, asked| said(cash_flow(&asked.work(books), &asked.new, &asked.span)),
    defects: &[
        defect("ledger-read-denied", |a| a.rights = Rights::default),
        defect("period-invalid", |a| a.backwards()),
        defect("cash-missing", |a| a.new = patterns(&["b/cost"])),
        defect("history-not-kept", |a| {
            a.new = patterns(&["b/short"]);
            a.dated();
        }),
    ],
};

type Page = (Id, PageRequest);

const STATEMENT: Table<Asked<Page>> = Table {
    operation: "statement",
    books: chart,
    good: || Asked::of((id("b/cash"), PageRequest::first(5))),
    ask: |books, asked| said(statement(&asked.work(books), &asked.new.0, &asked.span, &asked.new.1)),
    defects: &[
        defect("ledger-read-denied", |a| a.rights = Rights::default),
        of("account", "not-found", |a| a.new.0 = id("b/nowhere")),
        of("account", "account-is-header", |a| a.new.0 = id("b/head")),
        defect("period-invalid", |a| a.backwards()),
        defect("limit-invalid", |a| a.new.1.limit = 0),
        defect("cursor-invalid", |a| a.new.1.cursor = Some("!".to_owned())),
        of("account", "history-not-kept", |a| {
            a.new.0 = id("b/short");
            a.dated();
        }),
    ],
};

const EXPLAIN: Table<Asked<(Id, usize)>> = Table {
    operation: "explain",
    books: chart,
    good: || Asked::of((id("b/cash"), 5)),
    ask: |books, asked| said(explain(&asked.work(books), &asked.new.0, &asked.span, asked.new.1)),
    defects: &[
        defect("ledger-read-denied", |a| a.rights = Rights::default),
        of("account", "not-found", |a| a.new.0 = id("b/nowhere")),
        of("account", "account-is-header", |a| a.new.0 = id("b/head")),
        defect("period-invalid", |a| a.backwards()),
        defect("limit-invalid", |a| a.new.1 = MAX_LARGEST + 1),
        of("account", "history-not-kept", |a| {
            a.new.0 = id("b/short");
            a.dated();
        }),
    ],
};

const ASSERT: Table<Asked<(Id, Money)>> = Table {
    operation: "assert_balance",
    books: chart,
    good: || Asked::of((id("b/cash"), money(5, "USD"))),
    ask: |books, asked| {
        let (account, stated) = &asked.new;
        said(assert_balance(&asked.work(books), account, day("2026-06-30"), (Side::Debit, *stated), 0))
    },
    defects: &[
        defect("ledger-read-denied", |a| a.rights = Rights::default),
        of("account", "not-found", |a| a.new.0 = id("b/nowhere")),
        of("account", "account-is-header", |a| a.new.0 = id("b/head")),
        defect("amount-too-large", |a| a.new.1.minor = MAX_MINOR + 1),
        defect("currency-mismatch", |a| a.new.1.currency = money(0, "EUR").currency),
        of("account", "history-not-kept", |a| a.new.0 = id("b/short")),
    ],
};

fn part(numerator: u64, denominator: u64) -> Portion {
    Portion::Fraction(Fraction { numerator, denominator })
}

const ALLOCATE: Table<Asked<(Money, Vec<Portion>)>> = Table {
    operation: "allocate",
    books: chart,
    good: || Asked::of((money(10, "USD"), vec![part(1, 2), part(1, 2)])),
    ask: |books, asked| said(allocate(&asked.work(books), asked.new.0, &asked.new.1)),
    defects: &[
        defect("ledger-read-denied", |a| a.rights = Rights::default),
        defect("amount-too-large", |a| a.new.0.minor = MAX_MINOR + 1),
        of("portions", "portions-invalid", |a| a.new.1.resize(MAX_PORTIONS + 1, part(1, 2))),
        of("portion", "fraction-invalid", |a| a.new.1[0] = part(1, 0)),
        of("rest", "two-remainders", |a| a.new.1.extend([Portion::Remainder; 2])),
        of("portion", "over-100-percent", |a| a.new.1[0] = part(2, 3)),
        of("portion", "under-100-percent", |a| a.new.1[0] = part(1, 3)),
    ],
};

const FORMAT: Table<&str> = Table {
    operation: "Format::from_str",
    books: Books::new,
    good: || "hledger",
    ask: |_, name| said(name.parse::<Format>().map_err(Into::into)),
    defects: &[defect("format-unknown", |name| *name = "pdf")],
};

const VERIFY: Table<Asked<(Option<u64>, Option<u64>)>> = Table {
    operation: "verify",
    books: chart,
    good: || Asked::of((None, None)),
    ask: |books, asked| said(verify(&asked.work(books), asked.new.0, asked.new.1)),
    defects: &[
        defect("ledger-read-denied", |a| a.rights = Rights::default),
        defect("range-invalid", |a| a.new = (Some(0), None)),
    ],
};
