//! The rules of the ledger: one row for each refusal.
#![expect(clippy::unwrap_used, reason = "the values of these tests are valid by construction")]

use std::collections::BTreeMap;

use backroom_domain::ledger::{
    Account, AccountDay, AccountMonth, AccountTotal, AccountType, Dimension, Entry, Found, Line, MAX_LINES, NewAccount,
    NewEntry, Turnover, check_account, check_entry, check_parent, debit_totals, post, same_account, same_entry,
};
use backroom_domain::{BusinessDate, Class, Currency, Error, Id, Instant, MAX_MINOR, Money, Side};

fn id(text: &str) -> Id {
    Id::parse(text, "id").unwrap()
}

fn currency(code: &str) -> Currency {
    Currency::parse(code, "currency").unwrap()
}

fn day(text: &str) -> BusinessDate {
    BusinessDate::parse(text, "date").unwrap()
}

fn line(account: &str, side: Side, minor: u64, code: &str) -> Line {
    let amount = Money { minor, currency: currency(code) };
    Line { account: id(account), side, amount, dimensions: Vec::new(), memo: None, details: None }
}

fn pair(debit: &str, credit: &str, minor: u64, code: &str) -> [Line; 2] {
    [line(debit, Side::Debit, minor, code), line(credit, Side::Credit, minor, code)]
}

/// Rent of 500.00 USD: the entry that the rows begin from.
fn rent() -> NewEntry {
    let lines = pair("6100", "1000", 50_000, "USD").to_vec();
    NewEntry { id: id("rent"), date: day("2026-06-30"), description: "Rent".to_owned(), lines, details: None }
}

fn dimension(name: &str) -> Dimension {
    Dimension { name: id(name), value: id("v") }
}

/// Class, code and field of every problem.
fn told(error: &Error) -> (Class, Vec<(&str, &str)>) {
    assert!(error.problems.iter().all(|p| !p.message.is_empty()), "{error} says nothing");
    (error.class, error.problems.iter().map(|p| (p.code.as_ref(), p.field.as_deref().unwrap_or(""))).collect())
}

#[test]
fn an_entry_of_bad_form_is_invalid_with_all_its_problems() {
    type Row = (fn(&mut NewEntry), &'static [(&'static str, &'static str)]);
    let rows: &[Row] = &[
        (|_| {}, &[]),
        (|e| e.description.clear(), &[("text-invalid", "description")]),
        (|e| e.description = "x".repeat(200), &[]),
        (|e| e.description = "é".repeat(200), &[]),
        (|e| e.description = "x".repeat(201), &[("text-invalid", "description")]),
        (|e| e.lines.clear(), &[("too-few-lines", "lines")]),
        (|e| e.lines.truncate(1), &[("too-few-lines", "lines")]),
        (|e| e.lines = vec![line("6100", Side::Debit, 1, "USD"); MAX_LINES], &[]),
        (|e| e.lines = vec![line("6100", Side::Debit, 1, "USD"); MAX_LINES + 1], &[("too-many-lines", "lines")]),
        (|e| e.lines[1].amount.minor = 0, &[("amount-zero", "lines[1].amount")]),
        (|e| e.lines[0].amount.minor = MAX_MINOR, &[]),
        (|e| e.lines[0].amount.minor = MAX_MINOR + 1, &[("amount-too-large", "lines[0].amount")]),
        (|e| e.lines[0].memo = Some("x".repeat(200)), &[]),
        (|e| e.lines[0].memo = Some(String::new()), &[]),
        (|e| e.lines[0].memo = Some("x".repeat(201)), &[("text-invalid", "lines[0].memo")]),
        (|e| e.lines[1].dimensions = (0..8).map(|n| dimension(&n.to_string())).collect(), &[]),
        (
            |e| e.lines[1].dimensions = (0..9).map(|n| dimension(&n.to_string())).collect(),
            &[("dimensions-invalid", "lines[1].dimensions")],
        ),
        (
            |e| e.lines[0].dimensions = vec![dimension("a"), dimension("b"), dimension("a")],
            &[("dimensions-invalid", "lines[0].dimensions")],
        ),
        (
            |e| {
                e.description.clear();
                e.lines.truncate(1);
                e.lines[0].amount.minor = 0;
                e.lines[0].memo = Some("x".repeat(201));
            },
            &[
                ("text-invalid", "description"),
                ("too-few-lines", "lines"),
                ("amount-zero", "lines[0].amount"),
                ("text-invalid", "lines[0].memo"),
            ],
        ),
    ];
    for (i, (change, want)) in rows.iter().enumerate() {
        let mut entry = rent();
        change(&mut entry);
        match check_entry(&entry) {
            Ok(()) => assert!(want.is_empty(), "row {i} was accepted"),
            Err(error) => assert_eq!(told(&error), (Class::Invalid, want.to_vec()), "row {i}"),
        }
    }
}

#[test]
fn an_answer_carries_at_most_a_hundred_problems() {
    let entry = NewEntry { lines: vec![line("6100", Side::Debit, 0, "USD"); MAX_LINES], ..rent() };
    assert_eq!(check_entry(&entry).unwrap_err().problems.len(), 100);
}

/// What is under the codes of `entry`: `1000` and `6100` in USD, `1100` in EUR, `9000` with debits as large as they can be,
/// `6000` a header; anything else does not exist.
fn found(entry: &NewEntry) -> BTreeMap<Id, Found> {
    let posting = |account: &Id, code: &str, debits| {
        let mut total = AccountTotal::zero(account.clone(), currency(code), false);
        total.balance.debits = debits;
        let (day, month) =
            (AccountDay::zero(account.clone(), entry.date), AccountMonth::zero(account.clone(), entry.date));
        Found::Posting(Turnover { total, day, month })
    };
    let facts = entry.lines.iter().filter_map(|line| {
        let account = &line.account;
        let found = match account.as_str() {
            "1000" | "6100" => posting(account, "USD", 0),
            "1100" => posting(account, "EUR", 0),
            "9000" => posting(account, "USD", MAX_MINOR),
            "6000" => Found::Header,
            _ => return None,
        };
        Some((account.clone(), found))
    });
    facts.collect()
}

#[test]
fn an_entry_is_refused_for_the_first_reason_there_is() {
    type Row = (fn(&mut NewEntry), Class, &'static str, &'static str);
    let rows: &[Row] = &[
        (|e| e.lines.extend(pair("7777", "1000", 5, "USD")), Class::NotFound, "account-not-found", "lines[2].account"),
        (|e| e.lines[0].amount.minor += 1, Class::Refused, "unbalanced", "lines"),
        (|e| e.lines[1].side = Side::Debit, Class::Refused, "unbalanced", "lines"),
        // Balanced as a sum of numbers, but in no currency.
        (|e| e.lines[1] = line("1100", Side::Credit, 50_000, "EUR"), Class::Refused, "unbalanced", "lines"),
        (|e| e.lines.extend(pair("1000", "6000", 5, "USD")), Class::Refused, "account-is-header", "lines[3].account"),
        (|e| e.lines.extend(pair("1100", "1000", 5, "EUR")), Class::Refused, "currency-mismatch", "lines[3].amount"),
        (|e| e.lines.extend(pair("9000", "1000", 1, "USD")), Class::Refused, "overflow", ""),
    ];
    for (i, (change, class, code, field)) in rows.iter().enumerate() {
        let mut entry = rent();
        change(&mut entry);
        assert_eq!(check_entry(&entry), Ok(()), "row {i} is of good form");
        let error = post(&entry, found(&entry)).unwrap_err();
        assert_eq!(told(&error), (*class, vec![(*code, *field)]), "row {i}");
        for (later, ..) in &rows[i + 1..] {
            let mut both = rent();
            change(&mut both);
            later(&mut both);
            assert_eq!(post(&both, found(&both)).unwrap_err().code(), *code, "row {i} with a later one");
        }
    }
}

#[test]
fn a_posted_entry_adds_to_total_and_day_of_each_account_once() {
    let mut entry = rent();
    entry.lines.extend(pair("1100", "1100", 7, "EUR"));
    entry.lines.extend(pair("6100", "1000", 1, "USD"));
    let sums: Vec<_> = post(&entry, found(&entry))
        .unwrap()
        .into_iter()
        .map(|Turnover { total, day, month }| {
            assert_eq!(month.0, AccountDay { date: entry.date.first_of_month(), ..day.clone() });
            assert_eq!((day.account, day.date), (total.balance.account.clone(), entry.date));
            assert_eq!((day.debits, day.credits), (total.balance.debits, total.balance.credits));
            (total.balance.account.to_string(), day.debits, day.credits)
        })
        .collect();
    let want = [("1000", 0, 50_001), ("1100", 7, 7), ("6100", 50_001, 0)];
    assert_eq!(sums, want.map(|(account, debits, credits)| (account.to_owned(), debits, credits)));
}

#[test]
fn a_sum_may_reach_the_largest_amount_and_no_more() {
    let mut entry = rent();
    entry.lines = pair("6100", "1000", MAX_MINOR, "USD").to_vec();
    assert!(post(&entry, found(&entry)).is_ok());
    entry.lines.extend(pair("6100", "1000", 1, "USD"));
    assert_eq!(post(&entry, found(&entry)).unwrap_err().code(), "overflow");
}

#[test]
fn ceilings_see_every_currency_and_sums_beyond_64_bits() {
    let mut lines = pair("1", "2", 5, "USD").to_vec();
    lines.push(line("3", Side::Credit, 9, "EUR"));
    let totals: Vec<String> = debit_totals(&lines).map(|money| money.to_string()).collect();
    assert_eq!(totals, ["0.00 EUR", "0.05 USD"]);
    let huge = vec![line("1", Side::Debit, u64::MAX, "USD"); 3];
    assert_eq!(debit_totals(&huge).map(|money| money.minor).collect::<Vec<_>>(), [u64::MAX]);
}

#[test]
fn the_same_id_with_other_content_names_the_first_field_that_differs() {
    let posted = Entry::posted(rent(), 1, Instant(0), None);
    assert_eq!(same_entry(&posted, &rent()), Ok(()));
    type Row = (fn(&mut NewEntry), &'static str);
    let rows: &[Row] = &[
        (|e| e.lines[0].memo = Some("June".to_owned()), "lines"),
        (|e| e.lines.reverse(), "lines"),
        (|e| e.description.push('!'), "description"),
        (|e| e.date = day("2026-07-01"), "date"),
    ];
    let mut other = rent();
    for (change, field) in rows {
        change(&mut other);
        let error = same_entry(&posted, &other).unwrap_err();
        assert_eq!(told(&error), (Class::Conflict, vec![("exists-with-different", *field)]));
    }
}

fn cash() -> NewAccount {
    NewAccount {
        code: id("1000"),
        name: "Cash".to_owned(),
        kind: AccountType::Asset,
        parent: Some(id("1")),
        currency: currency("USD"),
        posting: true,
        stock_control: false,
        rules: Default::default(),
    }
}

#[test]
fn an_account_of_bad_form_is_invalid_with_all_its_problems() {
    type Row = (fn(&mut NewAccount), &'static [(&'static str, &'static str)]);
    let rows: &[Row] = &[
        (|_| {}, &[]),
        (|a| a.posting = false, &[]),
        (|a| a.stock_control = true, &[]),
        (|a| a.name.clear(), &[("text-invalid", "name")]),
        (|a| a.name = "x".repeat(201), &[("text-invalid", "name")]),
        (|a| (a.posting, a.stock_control) = (false, true), &[("header-with-stock-control", "stock-control")]),
        (
            |a| (a.posting, a.stock_control, a.name) = (false, true, String::new()),
            &[("text-invalid", "name"), ("header-with-stock-control", "stock-control")],
        ),
    ];
    for (i, (change, want)) in rows.iter().enumerate() {
        let mut account = cash();
        change(&mut account);
        match check_account(&account) {
            Ok(()) => assert!(want.is_empty(), "row {i} was accepted"),
            Err(error) => assert_eq!(told(&error), (Class::Invalid, want.to_vec()), "row {i}"),
        }
    }
}

#[test]
fn an_account_fits_below_a_header_of_its_own_type_only() {
    let header = NewAccount { code: id("1"), parent: None, posting: false, ..cash() };
    let recorded = |new| Account::created(new, Instant(0));
    let rows = [
        (None, Some((Class::NotFound, "parent-not-found", "parent"))),
        (
            Some(NewAccount { posting: true, kind: AccountType::Expense, ..header.clone() }),
            Some((Class::Refused, "parent-is-posting", "parent")),
        ),
        (
            Some(NewAccount { kind: AccountType::Expense, ..header.clone() }),
            Some((Class::Refused, "type-differs-from-parent", "type")),
        ),
        (Some(NewAccount { currency: currency("EUR"), ..header }), None),
    ];
    for (parent, want) in rows {
        let parent = parent.map(recorded);
        match (check_parent(&cash(), parent.as_ref()), want) {
            (Ok(()), None) => {}
            (Err(error), Some((class, code, field))) => assert_eq!(told(&error), (class, vec![(code, field)])),
            (got, want) => panic!("{got:?} instead of {want:?}"),
        }
    }
    assert_eq!(check_parent(&NewAccount { parent: None, ..cash() }, None), Ok(()));
}

#[test]
fn the_same_code_with_other_content_names_the_first_field_that_differs() {
    let existing = Account::created(cash(), Instant(0));
    assert_eq!(same_account(&existing, &cash()), Ok(()));
    type Row = (fn(&mut NewAccount), &'static str);
    let rows: &[Row] = &[
        (|a| a.stock_control = true, "stock-control"),
        (|a| a.posting = false, "posting"),
        (|a| a.currency = currency("EUR"), "currency"),
        (|a| a.parent = None, "parent"),
        (|a| a.kind = AccountType::Expense, "type"),
        (|a| a.name.push('!'), "name"),
    ];
    let mut other = cash();
    for (change, field) in rows {
        change(&mut other);
        let error = same_account(&existing, &other).unwrap_err();
        assert_eq!(told(&error), (Class::Conflict, vec![("exists-with-different", *field)]));
    }
}

#[test]
fn a_total_says_behind_which_day_nothing_is_unless_it_is_of_an_earlier_release() {
    let dated = |date: &str| NewEntry { date: day(date), ..rent() };
    let after = |totals: &BTreeMap<Id, AccountTotal>, entry: &NewEntry| {
        let mut found = found(entry);
        for (account, found) in &mut found {
            if let (Found::Posting(turnover), Some(total)) = (found, totals.get(account)) {
                turnover.total = total.clone();
            }
        }
        let turnovers = post(entry, found).unwrap().into_iter();
        turnovers.map(|turnover| (turnover.total.balance.account.clone(), turnover.total)).collect()
    };
    let new: BTreeMap<Id, AccountTotal> = after(&BTreeMap::new(), &dated("2026-06-30"));
    let earlier = after(&new, &dated("2026-06-01"));
    for total in new.values().chain(earlier.values()) {
        assert!(!total.ends_before(day("2026-06-30")) && total.ends_before(day("2026-07-01")), "{total:?}");
    }
    assert!(after(&earlier, &dated("2026-07-01")).values().all(|total| !total.ends_before(day("2026-07-01"))));
    // Of one that does not say it, nothing is known, whatever is posted.
    let old = new.into_iter().map(|(account, total)| (account, AccountTotal { latest: None, ..total })).collect();
    assert!(after(&old, &dated("2026-07-01")).values().all(|total| !total.ends_before(BusinessDate::MAX)));
}
