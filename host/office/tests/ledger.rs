//! The ledger through its use cases: rights, refusals and their order, reading back.
#![allow(clippy::unwrap_used, reason = "what these tests set up is valid by construction")]
#![allow(clippy::panic, clippy::indexing_slicing, reason = "a failed helper is a failed test")]

mod books;

use backroom_domain::ledger::{AccountType, Balance, Dimension, Line, NewAccount, NewEntry, Reversal, ReversalDate};
use backroom_domain::rights::{Accounts, Grant, LedgerRights, Pattern, Rights};
use backroom_domain::{Class, Effect, MAX_MINOR, Side};
use backroom_office::ledger::{
    balance, create_account, get_account, get_entry, list_accounts, list_entries, post, reverse, trial_balance,
};
use backroom_office::{Failure, PageRequest, Work};
use books::{Books, NOW, account, all, code, commit, day, entry, header, id, line, money, pair, patterns, told};

/// 1000, 6100 and 9000 in USD, 9000 with debits as large as they can be; 1100 in EUR; the header 6000.
fn chart() -> Books {
    let books = Books::new();
    books.set_up(|work| {
        for new in [account("1000", "USD"), account("6100", "USD"), account("9000", "USD"), account("1100", "EUR")] {
            create_account(work, new).unwrap();
        }
        create_account(work, header("6000")).unwrap();
        post(work, entry("full", "2026-01-01", pair("9000", "1000", MAX_MINOR - 1_000_000, "USD"))).unwrap();
    });
    books
}

fn accounts(codes: Vec<Pattern>) -> Vec<Accounts> {
    codes.into_iter().map(Accounts::from).collect()
}

/// May read everything, post anything but to 1100s and 2000s, up to 10,000.00 USD.
fn bookkeeper() -> Rights {
    let post = patterns(&["1000", "6*", "7*", "9*", "1100..1100"]);
    let post = accounts(post);
    let max_entry = Some(money(1_000_000_000, "USD"));
    let ledger = LedgerRights { read: accounts(patterns(&["*"])), post, max_entry, ..LedgerRights::default() };
    Grant { ledger, ..Grant::default() }.into()
}

fn rent() -> NewEntry {
    entry("rent", "2026-06-30", pair("6100", "1000", 50_000, "USD"))
}

type Defect = (fn(&mut NewEntry), Class, &'static str, &'static str);

/// What can be wrong with an entry, in the order of the contract. Each is added to an entry without taking another away.
const DEFECTS: &[Defect] = &[
    (|e| e.lines.extend(pair("2000", "2000", 1, "USD")), Class::Denied, "ledger-post-denied", ""),
    (|e| e.lines.extend(pair("6100", "6100", 1_000_000_001, "USD")), Class::Denied, "ledger-amount-denied", ""),
    (|e| e.description.clear(), Class::Invalid, "text-invalid", "description"),
    (|e| e.id = id("full"), Class::Conflict, "exists-with-different", "date"),
    (|e| e.lines.extend(pair("7777", "1000", 5, "USD")), Class::NotFound, "account-not-found", "lines[2].account"),
    (|e| e.lines.push(line("1000", Side::Debit, 1, "USD")), Class::Refused, "unbalanced", "lines"),
    (|e| e.lines.extend(pair("1000", "6000", 5, "USD")), Class::Refused, "account-is-header", "lines[3].account"),
    (|e| e.lines.extend(pair("1100", "1000", 5, "USD")), Class::Refused, "currency-mismatch", "lines[2].amount"),
    (|e| e.lines.extend(pair("9000", "1000", 1_000_000, "USD")), Class::Refused, "overflow", ""),
];

#[test]
fn refusals_come_in_the_order_of_the_contract_and_leave_no_trace() {
    let books = chart();
    for (i, (first, class, want, field)) in DEFECTS.iter().enumerate() {
        let mut work = books.work(bookkeeper());
        post(&mut work, entry("first", "2026-06-30", pair("9000", "1000", 1, "USD"))).unwrap();
        let effects = work.effects().to_vec();
        let mut alone = rent();
        first(&mut alone);
        let got = told(post(&mut work, alone.clone()));
        assert_eq!((got.0, got.1.as_str(), got.2.as_str()), (*class, *want, *field));
        for (n, (second, _, also, _)) in DEFECTS[i + 1..].iter().enumerate() {
            let mut both = NewEntry { id: id(&format!("rent-{n}")), ..rent() };
            second(&mut both);
            first(&mut both);
            assert_eq!(code(post(&mut work, both)), *want, "with {also}");
        }
        assert_eq!(work.effects(), effects.as_slice(), "after {want}");
        // An id that was refused for what is so now is refused for good, others are not.
        let failed = matches!(class, Class::NotFound | Class::Refused) && *want != "unbalanced";
        let again = NewEntry { id: alone.id, ..rent() };
        match post(&mut work, again) {
            // The numbers of the journal have no gap where an entry was refused.
            Ok(posted) => assert_eq!((posted.entry.number, failed), (3, false), "after {want}"),
            Err(Failure::Business(error)) if *want == "exists-with-different" => assert_eq!(error.code(), *want),
            Err(Failure::Business(error)) => assert_eq!((error.code(), failed), ("id-already-failed", true), "{want}"),
            Err(failure) => panic!("{failure}"),
        }
    }
}

#[test]
fn a_ceiling_in_one_currency_allows_no_other() {
    let books = chart();
    let mut work = books.work(bookkeeper());
    let euro = entry("euro", "2026-06-30", pair("1100", "1100", 1, "EUR"));
    assert_eq!(code(post(&mut work, euro.clone())), "ledger-amount-denied");
    drop(work);
    let mut work = books.work(Rights::all());
    assert!(!post(&mut work, euro).unwrap().replayed);
}

#[test]
fn no_layer_may_be_missing_a_right() {
    let books = chart();
    let mut work = books.work_of(vec![Rights::all(), Rights::read_only()]);
    assert_eq!(told(post(&mut work, rent())).0, Class::Denied);
    assert_eq!(told(create_account(&mut work, account("1", "USD"))).1, "chart-denied");
    assert!(get_account(&work, &id("1000")).is_ok());
}

#[test]
fn a_repeat_gives_the_first_result_and_does_nothing() {
    let books = chart();
    let mut work = books.work(Rights::all());
    let first = post(&mut work, rent()).unwrap();
    assert_eq!((first.replayed, first.entry.number, first.entry.recorded_at), (false, 2, NOW));
    assert_eq!(first.entry.run, Some(id("run-1")));
    assert_eq!(work.effects(), [Effect::EntryPosted(first.entry.clone())]);
    let changes = work.tx().changes();

    let again = post(&mut work, rent()).unwrap();
    assert_eq!((again.replayed, &again.entry), (true, &first.entry));
    assert_eq!((work.tx().changes(), work.effects().len()), (changes, 1));
    commit(work);

    let mut later = books.work(Rights::all());
    let again = post(&mut later, rent()).unwrap();
    assert_eq!((again.replayed, &again.entry), (true, &first.entry));
    assert_eq!((later.tx().changes(), later.effects().len()), (0, 0));
    assert_eq!(get_entry(&later, &id("rent")).unwrap(), first.entry);
    assert_eq!(balance(&later, &id("6100"), None).unwrap().debits, 50_000);
}

#[test]
fn work_that_is_dropped_leaves_nothing() {
    let books = chart();
    let mut work = books.work(Rights::all());
    assert_eq!(post(&mut work, rent()).unwrap().entry.number, 2);
    assert_eq!(balance(&work, &id("6100"), None).unwrap().debits, 50_000, "work reads its own writes");
    drop(work);

    let mut work = books.work(Rights::all());
    assert_eq!(told(get_entry(&work, &id("rent"))).1, "not-found");
    assert_eq!(balance(&work, &id("6100"), None).unwrap().debits, 0);
    assert_eq!(post(&mut work, rent()).unwrap().entry.number, 2, "the number was given back");
}

#[test]
fn reads_are_denied_before_anything_is_looked_at() {
    let books = chart();
    books.set_up(|work| {
        post(work, rent()).unwrap();
    });
    let ledger = LedgerRights { read: accounts(patterns(&["1*"])), ..LedgerRights::default() };
    let work = books.work(Grant { ledger, ..Grant::default() }.into());
    let rows = [
        (told(get_account(&work, &id("6100"))), Class::Denied, "ledger-read-denied"),
        (told(get_account(&work, &id("6666"))), Class::Denied, "ledger-read-denied"),
        (told(get_account(&work, &id("1666"))), Class::NotFound, "not-found"),
        (told(balance(&work, &id("6100"), None)), Class::Denied, "ledger-read-denied"),
        (told(balance(&work, &id("6666"), None)), Class::Denied, "ledger-read-denied"),
        (told(balance(&work, &id("1666"), Some(day("2026-01-01")))), Class::NotFound, "not-found"),
        // A denial would say that it is there.
        (told(get_entry(&work, &id("rent"))), Class::NotFound, "not-found"),
        (told(get_entry(&work, &id("none"))), Class::NotFound, "not-found"),
    ];
    for (i, (got, class, want)) in rows.into_iter().enumerate() {
        assert_eq!((got.0, got.1.as_str()), (class, want), "row {i}");
    }
    let codes: Vec<_> = all(500, |page| list_accounts(&work, page)).into_iter().map(|a| a.new.code).collect();
    assert_eq!(codes, [id("1000"), id("1100")]);
    assert_eq!(all(500, |page| list_entries(&work, page)), []);
    let rows: Vec<_> = trial_balance(&work, None).unwrap().rows.into_iter().map(|r| r.balance.account).collect();
    assert_eq!(rows, [id("1000"), id("1100")]);
    drop(work);

    let work = books.work(Rights::all());
    let got = told(balance(&work, &id("6000"), None));
    assert_eq!((got.0, got.1.as_str()), (Class::Refused, "account-is-header"));
}

#[test]
fn accounts_are_refused_in_the_order_of_the_contract() {
    type Defect = (fn(&mut NewAccount), Class, &'static str, &'static str);
    let defects: &[Defect] = &[
        (|a| a.name.clear(), Class::Invalid, "text-invalid", "name"),
        (
            |a| (a.posting, a.stock_control) = (false, true),
            Class::Invalid,
            "header-with-stock-control",
            "stock-control",
        ),
        (|a| a.code = id("1000"), Class::Conflict, "exists-with-different", "parent"),
        (|a| a.parent = Some(id("nowhere")), Class::NotFound, "parent-not-found", "parent"),
        (|a| a.parent = Some(id("9000")), Class::Refused, "parent-is-posting", "parent"),
        (|a| a.kind = AccountType::Expense, Class::Refused, "type-differs-from-parent", "type"),
    ];
    let good = || NewAccount { parent: Some(id("6000")), name: "Account 1000".to_owned(), ..account("6200", "USD") };
    let books = chart();
    let mut work = books.work(Rights::all());
    for (i, (first, class, want, field)) in defects.iter().enumerate() {
        for second in std::iter::once(first).chain(defects[i + 1..].iter().map(|(second, ..)| second)) {
            let mut new = good();
            second(&mut new);
            first(&mut new);
            let got = told(create_account(&mut work, new));
            assert_eq!((got.0, got.1.as_str()), (*class, *want));
            assert!(got.2 == *field || *want == "exists-with-different", "{} for {want}", got.2);
        }
    }
    assert_eq!((work.tx().changes(), work.effects().len()), (0, 0));

    let made = create_account(&mut work, good()).unwrap();
    assert_eq!(work.effects(), [Effect::AccountCreated(made.clone())]);
    let changes = work.tx().changes();
    assert_eq!(create_account(&mut work, good()).unwrap(), made);
    assert_eq!((work.tx().changes(), work.effects().len()), (changes, 1));
    assert_eq!(get_account(&work, &id("6200")).unwrap(), made);
    drop(work);
    let mut clerk = books.work(bookkeeper());
    assert_eq!(code(create_account(&mut clerk, NewAccount { name: String::new(), ..good() })), "chart-denied");
}

#[test]
fn entries_of_any_length_are_read_back_as_they_were_posted() {
    let books = chart();
    let dimension = |n: usize| Dimension { name: id(&format!("{n}{}", "d".repeat(63))), value: id(&"v".repeat(64)) };
    let largest = |side| Line {
        dimensions: (0..8).map(dimension).collect(),
        memo: Some("\u{10348}".repeat(200)),
        details: None,
        ..line("1000", side, 1, "USD")
    };
    let lengths = [2, 24, 25, 26, 49, 50, 51, 999, 1_000];
    let long = |n: usize| {
        let mut lines: Vec<Line> = (0..n / 2).flat_map(|_| [largest(Side::Debit), largest(Side::Credit)]).collect();
        if n % 2 == 1 {
            lines.push(largest(Side::Debit));
            lines[1].amount = money(2, "USD");
        }
        entry(&format!("n{n}"), "2026-06-30", lines)
    };
    books.set_up(|work| {
        for n in lengths {
            post(work, long(n)).unwrap();
        }
    });
    let mut work = books.work(Rights::all());
    for n in lengths {
        assert_eq!(get_entry(&work, &id(&format!("n{n}"))).unwrap().new, long(n));
        assert!(post(&mut work, long(n)).unwrap().replayed);
    }
    let mut last_differs = long(1_000);
    last_differs.lines[999].memo = None;
    assert_eq!(told(post(&mut work, last_differs)).2, "lines");

    // A page is cut short before it is too large to be carried, and the next goes on behind it.
    let page = list_entries(&work, &PageRequest::first(500)).unwrap();
    assert!(page.items.len() < lengths.len() && page.next.is_some(), "{} entries", page.items.len());
    let numbers: Vec<u64> = all(500, |page| list_entries(&work, page)).iter().map(|e| e.number).collect();
    assert_eq!(numbers, (1..=10).collect::<Vec<_>>());
}

#[test]
fn lists_visit_a_bounded_number_of_records() {
    let books = chart();
    books.set_up(|work| {
        for n in 0..5_000 {
            post(work, entry(&format!("e{n}"), "2026-06-30", pair("6100", "6100", 1, "USD"))).unwrap();
        }
        post(work, entry("last", "2026-06-30", pair("1000", "1000", 1, "USD"))).unwrap();
    });
    let ledger = LedgerRights { read: accounts(patterns(&["1000"])), ..LedgerRights::default() };
    let work = books.work(Grant { ledger, ..Grant::default() }.into());
    let first = list_entries(&work, &PageRequest::first(10)).unwrap();
    assert_eq!(first.items, []);
    let second = list_entries(&work, &PageRequest { cursor: first.next, limit: 10 }).unwrap();
    assert_eq!(second.items.iter().map(|e| e.new.id.as_str()).collect::<Vec<_>>(), ["last"]);
    assert_eq!(second.next, None);
}

/// The id of an entry is used up for good, and who posts it again is told.
#[test]
fn an_entry_that_was_taken_back_is_not_posted_again_under_its_id() {
    let books = chart();
    let accrual = |name: &str| entry(name, "2026-06-30", pair("6100", "1000", 5, "USD"));
    books.set_up(|work| {
        assert!(!post(work, accrual("accrual-2026-06")).unwrap().replayed);
        let again = post(work, accrual("accrual-2026-06")).unwrap();
        assert_eq!((again.replayed, again.warnings.len()), (true, 0));
        let reason = "estimate was wrong".to_owned();
        let (of, by) = (id("accrual-2026-06"), id("back"));
        reverse(work, &Reversal { of, entry: by, date: ReversalDate::Now, reason, force: false }).unwrap();
    });
    let mut work = books.work(Rights::all());
    let again = post(&mut work, accrual("accrual-2026-06")).unwrap();
    let warning = &again.warnings[0];
    assert!(again.replayed && warning.code == "already-reversed", "{again:?}");
    assert!(warning.message.contains("back") && warning.message.contains("another id"), "{warning:?}");
    assert!(work.effects().is_empty());
    assert!(!post(&mut work, accrual("accrual-2026-06.2")).unwrap().replayed);
}

#[test]
fn limits_and_cursors_are_checked() {
    let books = chart();
    let work = books.work(Rights::all());
    let rows = [
        (PageRequest::first(0), "limit-invalid"),
        (PageRequest::first(501), "limit-invalid"),
        (PageRequest { cursor: Some("!".to_owned()), limit: 1 }, "cursor-invalid"),
    ];
    for (request, want) in rows {
        assert_eq!(code(list_entries(&work, &request)), want);
        assert_eq!(code(list_accounts(&work, &request)), want);
    }
    // A cursor from elsewhere leads nowhere else.
    let forged = PageRequest { cursor: Some("ff".repeat(100)), limit: 500 };
    assert_eq!(list_accounts(&work, &forged).unwrap().items, []);
    assert_eq!(all(2, |page| list_accounts(&work, page)), all(500, |page| list_accounts(&work, page)));
}

#[test]
fn a_trial_balance_has_zeros_sums_and_an_end() {
    let books = Books::new();
    let sums = |work: &Work, as_of| {
        let trial = trial_balance(work, as_of).unwrap();
        let rows: Vec<_> = trial
            .rows
            .into_iter()
            .map(|row| {
                let Balance { account, debits, credits, .. } = row.balance;
                (account.to_string(), debits, credits)
            })
            .collect();
        let totals: Vec<_> = trial.totals.into_iter().map(|t| (t.currency.to_string(), t.debits, t.credits)).collect();
        (rows, totals)
    };
    let mut work = books.work(Rights::all());
    assert_eq!(sums(&work, None), (vec![], vec![]));
    for new in [account("2", "USD"), account("1", "USD"), header("0"), account("3", "EUR")] {
        create_account(&mut work, new).unwrap();
    }
    post(&mut work, entry("a", "2026-06-01", pair("1", "2", 5, "USD"))).unwrap();
    post(&mut work, entry("b", "2026-06-03", pair("2", "1", 2, "USD"))).unwrap();
    let row = |account: &str, debits, credits| (account.to_owned(), debits, credits);
    let rows = [
        (None, [row("1", 5, 2), row("2", 2, 5), row("3", 0, 0)], 7),
        (Some("2026-06-03"), [row("1", 5, 2), row("2", 2, 5), row("3", 0, 0)], 7),
        (Some("2026-06-02"), [row("1", 5, 0), row("2", 0, 5), row("3", 0, 0)], 5),
        (Some("2026-05-31"), [row("1", 0, 0), row("2", 0, 0), row("3", 0, 0)], 0),
        (Some("2999-12-31"), [row("1", 5, 2), row("2", 2, 5), row("3", 0, 0)], 7),
    ];
    for (as_of, want, sum) in rows {
        let totals = vec![("EUR".to_owned(), 0, 0), ("USD".to_owned(), sum, sum)];
        assert_eq!(sums(&work, as_of.map(day)), (want.to_vec(), totals), "{as_of:?}");
    }
    for n in 3..10_000 {
        create_account(&mut work, account(&format!("a{n}"), "USD")).unwrap();
    }
    assert_eq!(trial_balance(&work, None).unwrap().rows.len(), 10_000);
    create_account(&mut work, account("one-more", "USD")).unwrap();
    let got = told(trial_balance(&work, None));
    assert_eq!((got.0, got.1.as_str()), (Class::Refused, "too-many-rows"));
}

#[test]
fn a_stock_control_account_changes_only_together_with_stock() {
    let books = Books::new();
    books.set_up(|work| {
        create_account(work, NewAccount { stock_control: true, ..account("1400", "USD") }).unwrap();
        create_account(work, account("2000", "USD")).unwrap();
    });
    let mut work = books.work(Rights::all());
    post(&mut work, entry("in", "2026-06-30", pair("1400", "2000", 5, "USD"))).unwrap();
    let got = told(work.seal().map(|sealed| sealed.effects));
    assert_eq!((got.0, got.1.as_str(), got.2.as_str()), (Class::Refused, "stock-ledger-mismatch", "1400"));

    // Both sides of every line are noted: what goes out again needs no stock, what stays does.
    let mut work = books.work(Rights::all());
    post(&mut work, entry("in", "2026-06-30", pair("1400", "2000", 5, "USD"))).unwrap();
    post(&mut work, entry("out", "2026-06-30", pair("2000", "1400", 2, "USD"))).unwrap();
    work.note_stock(&id("1400"), true, 3);
    // A replay changes nothing, so there is nothing to note.
    assert!(post(&mut work, entry("in", "2026-06-30", pair("1400", "2000", 5, "USD"))).unwrap().replayed);
    commit(work);
    let work = books.work(Rights::all());
    let got = balance(&work, &id("1400"), None).unwrap();
    assert_eq!((got.debits, got.credits), (5, 2));
}
