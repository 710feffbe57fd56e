//! Reports beside a plain model: a list of lines, added up anew for every figure.
#![allow(clippy::unwrap_used, reason = "what these tests set up is valid by construction")]
#![allow(clippy::panic, clippy::indexing_slicing, reason = "a failed helper is a failed test")]

mod books;

use std::collections::{BTreeMap, BTreeSet};

use backroom_domain::ledger::reports::{Net, ReportKind, Span, Total};
use backroom_domain::ledger::{AccountType, Dimension, Line, NewAccount, NewEntry};
use backroom_domain::rights::{Accounts, Grant, LedgerRights, Pattern, Rights};
use backroom_domain::{Class, Side};
use backroom_office::ledger::reports::{
    assert_balance, by_dimension, cash_flow, explain, general_ledger, report, statement,
};
use backroom_office::ledger::{create_account, post};
use backroom_office::{PageRequest, Work};
use books::{Books, account, code, day, id, money, patterns, told};
use proptest::prelude::*;

const DAYS: [&str; 5] = ["1900-01-01", "2025-12-31", "2026-01-01", "2026-01-31", "2026-02-01"];
/// Code, type, header, currency. Header `1` has two below it in two currencies.
const CHART: [(&str, AccountType, &str, &str); 7] = [
    ("11", AccountType::Asset, "1", "USD"),
    ("12", AccountType::Asset, "1", "EUR"),
    ("2", AccountType::Liability, "", "USD"),
    ("3", AccountType::Equity, "", "EUR"),
    ("41", AccountType::Income, "4", "USD"),
    ("411", AccountType::Income, "4", "USD"),
    ("5", AccountType::Expense, "", "USD"),
];

fn books() -> Books {
    let books = Books::new();
    books.set_up(|work| {
        for (code, kind) in [("1", AccountType::Asset), ("4", AccountType::Income)] {
            create_account(work, NewAccount { kind, posting: false, ..account(code, "USD") }).unwrap();
        }
        for (code, kind, parent, currency) in CHART {
            let parent = (!parent.is_empty()).then(|| id(parent));
            create_account(work, NewAccount { kind, parent, ..account(code, currency) }).unwrap();
        }
    });
    books
}

fn pair() -> impl Strategy<Value = Vec<Line>> {
    (0..7_usize, 0..7_usize, 1..500_u64, 0..3_usize).prop_map(|(debit, credit, minor, value)| {
        let credit = if CHART[debit].3 == CHART[credit].3 { credit } else { debit };
        let mut lines = books::pair(CHART[debit].0, CHART[credit].0, minor, CHART[debit].3);
        if value > 0 {
            lines[0].dimensions.push(Dimension { name: id("place"), value: id(&format!("p{value}")) });
        }
        lines
    })
}

fn journal() -> impl Strategy<Value = Vec<NewEntry>> {
    let entry = (0..DAYS.len(), prop::collection::vec(pair(), 1..4));
    prop::collection::vec(entry, 0..25).prop_map(|entries| {
        let entry = |(n, (date, lines)): (usize, (usize, Vec<Vec<Line>>))| {
            books::entry(&format!("e{n}"), DAYS[date], lines.concat())
        };
        entries.into_iter().enumerate().map(entry).collect()
    })
}

fn span() -> impl Strategy<Value = Span> {
    let days =
        prop::sample::select(vec!["1900-01-01", "2025-12-31", "2026-01-01", "2026-01-15", "2026-02-01", "2999-12-31"]);
    (prop::option::of(days.clone()), prop::option::of(days)).prop_map(|(from, to)| {
        let (from, to) = (from.map(day), to.map(day));
        if from.is_some() && to.is_some() && from > to { Span { from: to, to: from } } else { Span { from, to } }
    })
}

/// Signed: debits less credits.
fn signed(net: Net) -> i128 {
    let minor = i128::try_from(net.minor).unwrap();
    assert!(net.side == Side::Debit || minor > 0, "nothing is a debit");
    if net.side == Side::Debit { minor } else { -minor }
}

fn change(line: &Line) -> i128 {
    let minor = i128::from(line.amount.minor);
    if line.side == Side::Debit { minor } else { -minor }
}

/// The model: entries and questions.
struct Model<'a>(&'a [NewEntry]);

impl Model<'_> {
    fn sum(
        &self,
        day: impl Fn(&NewEntry) -> bool,
        wanted: impl Fn(&Line) -> bool,
        part: impl Fn(i128) -> i128,
    ) -> i128 {
        self.0
            .iter()
            .filter(|entry| day(entry))
            .flat_map(|entry| &entry.lines)
            .filter(|line| wanted(line))
            .map(|l| part(change(l)))
            .sum()
    }

    /// Opening, debits, credits, closing.
    fn column(&self, span: &Span, wanted: impl Fn(&Line) -> bool) -> [i128; 4] {
        let before = |entry: &NewEntry| span.from.is_some_and(|from| entry.date < from);
        let within = |entry: &NewEntry| span.has(entry.date);
        let opening = self.sum(before, &wanted, |minor| minor);
        let debits = self.sum(within, &wanted, |minor| minor.max(0));
        let credits = self.sum(within, &wanted, |minor| (-minor).max(0));
        [opening, debits, credits, opening + debits - credits]
    }
}

fn kind(code: &str) -> AccountType {
    CHART.iter().find(|row| row.0 == code).unwrap().1
}

fn is_below(line: &Line, code: &str) -> bool {
    line.account.as_str() == code || CHART.iter().any(|row| row.0 == line.account.as_str() && row.2 == code)
}

fn in_books(entries: &[NewEntry]) -> (Books, Vec<NewEntry>) {
    let books = books();
    books.set_up(|work| {
        for entry in entries {
            post(work, entry.clone()).unwrap();
        }
    });
    (books, entries.to_vec())
}

fn check_report(work: &Work, model: &Model<'_>, spans: &[Span], which: ReportKind) -> Result<(), TestCaseError> {
    let report = report(work, which, spans).unwrap();
    let shown = |kind| match which {
        ReportKind::TrialBalance => true,
        ReportKind::BalanceSheet => matches!(kind, AccountType::Asset | AccountType::Liability | AccountType::Equity),
        ReportKind::IncomeStatement => matches!(kind, AccountType::Income | AccountType::Expense),
    };
    let figures = |columns: &[backroom_domain::ledger::reports::Column]| -> Vec<[i128; 4]> {
        let of = |c: &backroom_domain::ledger::reports::Column| {
            [
                signed(c.opening),
                i128::try_from(c.debits).unwrap(),
                i128::try_from(c.credits).unwrap(),
                signed(c.closing),
            ]
        };
        columns.iter().map(of).collect()
    };
    let mut seen = BTreeSet::new();
    for row in &report.rows {
        prop_assert!(shown(row.kind));
        let (code, currency) = (row.account.as_str(), row.currency);
        let wanted = |line: &Line| is_below(line, code) && line.amount.currency == currency;
        let want: Vec<_> = spans.iter().map(|span| model.column(span, wanted)).collect();
        prop_assert_eq!(figures(&row.columns), want, "{} {}", code, currency);
        prop_assert!(seen.insert((code.to_owned(), currency)));
        // A header stands before what is below it.
        prop_assert!(row.path.iter().all(|above| seen.contains(&(above.to_string(), currency))));
    }
    for (code, kind, _, _) in CHART {
        let ever = model.0.iter().any(|e| {
            spans.iter().any(|s| s.to.is_none_or(|to| e.date <= to))
                && e.lines.iter().any(|l| l.account.as_str() == code)
        });
        let row = report.rows.iter().any(|row| row.account.as_str() == code);
        prop_assert_eq!(row, ever && shown(kind), "{}", code);
    }
    for total in &report.totals {
        let wanted = |line: &Line| {
            let kind = kind(line.account.as_str());
            line.amount.currency == total.currency
                && match total.total {
                    Total::Asset => kind == AccountType::Asset,
                    Total::Liability => kind == AccountType::Liability,
                    Total::Equity => kind == AccountType::Equity,
                    Total::Income => kind == AccountType::Income,
                    Total::Expense => kind == AccountType::Expense,
                    Total::Earnings => matches!(kind, AccountType::Income | AccountType::Expense),
                    Total::All => shown(kind) || which == ReportKind::BalanceSheet,
                }
        };
        let want: Vec<_> = spans.iter().map(|span| model.column(span, wanted)).collect();
        prop_assert_eq!(figures(&total.columns), want.clone(), "{:?}", total.total);
        if total.total == Total::All && which != ReportKind::IncomeStatement {
            prop_assert!(want.iter().all(|column| column[0] == 0 && column[3] == 0), "the whole balances");
        }
    }
    Ok(())
}

fn check_statement(
    work: &Work,
    model: &Model<'_>,
    span: &Span,
    account: &str,
    limit: u32,
) -> Result<(), TestCaseError> {
    let mut want: Vec<(String, String, usize, i128)> = Vec::new();
    let mut order: Vec<_> = model.0.iter().filter(|entry| span.has(entry.date)).collect();
    order.sort_by_key(|entry| entry.date);
    for entry in order {
        for (n, line) in entry.lines.iter().enumerate().filter(|(_, line)| line.account.as_str() == account) {
            want.push((entry.date.to_string(), entry.id.to_string(), n, change(line)));
        }
    }
    let [opening, _, _, closing] = model.column(span, |line| line.account.as_str() == account);
    let mut request = PageRequest::first(limit);
    let (mut got, mut balance) = (Vec::new(), opening);
    loop {
        let page = statement(work, &id(account), span, &request).unwrap();
        prop_assert_eq!(signed(page.opening), balance);
        prop_assert!(page.lines.len() <= usize::try_from(limit).unwrap());
        for line in page.lines {
            let minor = i128::from(line.minor) * if line.side == Side::Debit { 1 } else { -1 };
            balance += minor;
            prop_assert_eq!(signed(line.balance), balance);
            got.push((
                line.date.to_string(),
                line.entry.unwrap().to_string(),
                usize::try_from(line.line).unwrap(),
                minor,
            ));
        }
        prop_assert_eq!(signed(page.closing), balance);
        match page.next {
            Some(next) => request.cursor = Some(next),
            None => break,
        }
    }
    prop_assert_eq!(got, want);
    prop_assert_eq!(balance, closing);
    Ok(())
}

fn check_explanation(
    work: &Work,
    model: &Model<'_>,
    span: &Span,
    account: &str,
    largest: usize,
) -> Result<(), TestCaseError> {
    let told = explain(work, &id(account), span, largest).unwrap();
    let [opening, debits, credits, closing] = model.column(span, |line| line.account.as_str() == account);
    prop_assert_eq!((signed(told.opening), signed(told.closing)), (opening, closing));
    let named: i128 = told.largest.iter().map(|entry| signed(entry.change)).sum();
    prop_assert_eq!(opening + named + signed(told.rest), closing, "the entries add up");
    let turnover = |part: fn(&backroom_office::ledger::reports::Month) -> u128| -> i128 {
        i128::try_from(told.months.iter().map(part).sum::<u128>()).unwrap()
    };
    prop_assert_eq!((turnover(|m| m.debits), turnover(|m| m.credits)), (debits, credits), "the months add up");
    prop_assert_eq!(told.months.last().map_or(opening, |month| signed(month.balance)), closing);
    let mut changes: Vec<u128> = model
        .0
        .iter()
        .filter(|entry| span.has(entry.date))
        .filter(|entry| entry.lines.iter().any(|line| line.account.as_str() == account))
        .map(|entry| {
            entry.lines.iter().filter(|line| line.account.as_str() == account).map(change).sum::<i128>().unsigned_abs()
        })
        .collect();
    prop_assert_eq!(told.months.iter().map(|m| m.entries).sum::<u64>(), u64::try_from(changes.len()).unwrap());
    changes.sort_unstable_by(|a, b| b.cmp(a));
    let named: Vec<u128> = told.largest.iter().map(|entry| entry.change.minor).collect();
    prop_assert_eq!(&named[..], &changes[..largest.min(changes.len())]);
    prop_assert_eq!(usize::try_from(told.rest_entries).unwrap() + named.len(), changes.len());
    Ok(())
}

fn check_cash(work: &Work, model: &Model<'_>, span: &Span) -> Result<(), TestCaseError> {
    let flow = cash_flow(work, &patterns(&["1*"]), span).unwrap();
    let mut want = BTreeMap::<&str, [i128; 2]>::new();
    for entry in model.0.iter().filter(|entry| span.has(entry.date)) {
        for line in &entry.lines {
            let cash = |other: &Line| is_below(other, "1") && other.amount.currency == line.amount.currency;
            if !is_below(line, "1") && entry.lines.iter().any(cash) {
                want.entry(line.account.as_str()).or_default()[usize::from(line.side == Side::Debit)] +=
                    i128::from(line.amount.minor);
            }
        }
    }
    let got: BTreeMap<&str, [i128; 2]> = flow
        .rows
        .iter()
        .map(|row| (row.account.as_str(), [row.inflow, row.outflow].map(|n| i128::try_from(n).unwrap())))
        .collect();
    prop_assert_eq!(got, want);
    for total in flow.totals {
        let [opening, _, _, closing] =
            model.column(span, |line| is_below(line, "1") && line.amount.currency == total.currency);
        prop_assert_eq!((signed(total.opening), signed(total.closing)), (opening, closing));
        let (inflow, outflow) = (i128::try_from(total.inflow).unwrap(), i128::try_from(total.outflow).unwrap());
        prop_assert_eq!(opening + inflow - outflow, closing, "the flows add up");
    }
    Ok(())
}

fn check_rest(work: &Work, model: &Model<'_>, span: &Span) -> Result<(), TestCaseError> {
    let mut want = BTreeMap::<(Option<String>, String), [i128; 2]>::new();
    for line in model.0.iter().filter(|entry| span.has(entry.date)).flat_map(|entry| &entry.lines) {
        let value = line.dimensions.first().map(|d| d.value.to_string());
        want.entry((value, line.account.to_string())).or_default()[usize::from(line.side == Side::Credit)] +=
            i128::from(line.amount.minor);
    }
    let rows = by_dimension(work, &id("place"), span).unwrap();
    let got: BTreeMap<_, _> = rows
        .into_iter()
        .map(|row| {
            let sums = [row.debits, row.credits].map(|n| i128::try_from(n).unwrap());
            ((row.value.map(|v| v.to_string()), row.account.to_string()), sums)
        })
        .collect();
    prop_assert_eq!(got, want);
    for own in general_ledger(work, span).unwrap() {
        let alone = statement(work, &own.account, span, &PageRequest::first(500)).unwrap();
        prop_assert_eq!((own.opening, own.lines, own.closing), (alone.opening, alone.lines, alone.closing));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn reports_say_what_adding_up_says(
        entries in journal(),
        spans in prop::collection::vec(span(), 1..4),
        account in 0..7_usize,
        limit in 1..5_u32,
        largest in 0..4_usize,
    ) {
        let (books, entries) = in_books(&entries);
        let model = Model(&entries);
        let work = books.work(Rights::all());
        for which in [ReportKind::TrialBalance, ReportKind::BalanceSheet, ReportKind::IncomeStatement] {
            check_report(&work, &model, &spans, which)?;
        }
        check_statement(&work, &model, &spans[0], CHART[account].0, limit)?;
        check_explanation(&work, &model, &spans[0], CHART[account].0, largest)?;
        check_cash(&work, &model, &spans[0])?;
        check_rest(&work, &model, &spans[0])?;
    }
}

#[test]
fn a_stated_balance_holds_within_its_tolerance() {
    let books = books();
    books.set_up(|work| {
        post(work, books::entry("e", "2026-01-31", books::pair("11", "2", 10_000, "USD"))).unwrap();
    });
    let work = books.work(Rights::all());
    let rows = [
        ("11", "2026-01-31", Side::Debit, 10_000, 0, true, 0),
        ("11", "2026-01-30", Side::Debit, 0, 0, true, 0),
        ("11", "2026-01-31", Side::Debit, 10_001, 0, false, -1),
        ("11", "2026-01-31", Side::Debit, 10_001, 1, true, -1),
        ("11", "2026-01-31", Side::Credit, 1, 10_000, false, 10_001),
        ("2", "2026-02-01", Side::Credit, 9_999, 0, false, -1),
    ];
    for (account, date, side, minor, tolerance, holds, over) in rows {
        let got = assert_balance(&work, &id(account), day(date), (side, money(minor, "USD")), tolerance).unwrap();
        assert_eq!((got.holds, signed(got.difference)), (holds, over), "{account} {date} {minor}");
    }
    let refused = |account: &str, currency| {
        told(assert_balance(&work, &id(account), day("2026-01-31"), (Side::Debit, money(1, currency)), 0))
    };
    assert_eq!(refused("9", "USD").1, "not-found");
    assert_eq!(refused("1", "USD").1, "account-is-header");
    assert_eq!(refused("11", "EUR").1, "currency-mismatch");
}

#[test]
fn what_may_not_be_read_is_no_part_of_a_report() {
    let books = books();
    books.set_up(|work| {
        post(work, books::entry("e", "2026-01-31", books::pair("11", "2", 100, "USD"))).unwrap();
    });
    let read = |codes: &[&str]| {
        let read = patterns(codes).into_iter().map(Accounts::from).collect();
        Rights::from(Grant { ledger: LedgerRights { read, ..LedgerRights::default() }, ..Grant::default() })
    };
    let work = books.work(read(&["11"]));
    let all = Span::default();
    let rows = report(&work, ReportKind::TrialBalance, &[all]).unwrap().rows;
    assert_eq!(rows.iter().map(|row| row.account.as_str()).collect::<Vec<_>>(), ["11"]);
    let page = statement(&work, &id("11"), &all, &PageRequest::first(10)).unwrap();
    assert_eq!(
        (&page.lines[0].entry, &page.lines[0].description),
        (&None, &None),
        "the entry has an account that is hidden"
    );
    assert_eq!(told(statement(&work, &id("2"), &all, &PageRequest::first(10))).0, Class::Denied);
    assert_eq!(told(explain(&work, &id("2"), &all, 1)).0, Class::Denied);
    assert_eq!(told(cash_flow(&work, &[Pattern::parse("11").unwrap()], &all)).0, Class::Denied);
    drop(work);
    let none = books.work(read(&[]));
    assert_eq!(told(report(&none, ReportKind::TrialBalance, &[all])).0, Class::Denied);
    assert_eq!(told(general_ledger(&none, &all)).0, Class::Denied);
    assert_eq!(told(by_dimension(&none, &id("place"), &all)).0, Class::Denied);
}

#[test]
fn malformed_questions_are_refused() {
    let books = books();
    let work = books.work(Rights::all());
    let wrong = Span { from: Some(day("2026-02-01")), to: Some(day("2026-01-31")) };
    assert_eq!(code(report(&work, ReportKind::BalanceSheet, &[])), "period-invalid");
    assert_eq!(code(report(&work, ReportKind::BalanceSheet, &[Span::default(); 13])), "period-invalid");
    assert_eq!(code(report(&work, ReportKind::BalanceSheet, &[wrong])), "period-invalid");
    assert_eq!(code(general_ledger(&work, &wrong)), "period-invalid");
    assert_eq!(code(explain(&work, &id("11"), &wrong, 0)), "period-invalid");
    assert_eq!(code(explain(&work, &id("11"), &Span::default(), 51)), "limit-invalid");
    assert_eq!(code(cash_flow(&work, &patterns(&["2"]), &Span::default())), "cash-missing");
    let request = PageRequest { cursor: Some("00".to_owned()), limit: 1 };
    assert_eq!(code(statement(&work, &id("11"), &Span::default(), &request)), "cursor-invalid");
}
