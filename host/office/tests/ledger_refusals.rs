//! Each refusal of posting and settling is made to happen, alone and together with each that comes behind it.
#![allow(clippy::unwrap_used, reason = "what these tests set up is valid by construction")]
#![allow(clippy::panic, clippy::indexing_slicing, reason = "a failed helper is a failed test")]

mod books;

use backroom_domain::MAX_MINOR;
use backroom_domain::ledger::{
    AccountClosing, AccountRules, Amount, Comparison, EntryDetails, Figure, Guard, HoldRelease, NewAccount, NewBook,
    NewEntry, NewHold, Settlement,
};
use backroom_domain::rights::Rights;
use backroom_office::Work;
use backroom_office::ledger::{close_account, create_account, create_book, hold, post, release, settle};
use books::{Books, account, code, entry, header, id, line, money, pair};

/// The book `b` in USD, with an account for each reason to be refused, and one account of `main`.
fn chart() -> Books {
    let books = Books::new();
    books.set_up(|work| {
        let book = NewBook {
            id: id("b"),
            name: "B".to_owned(),
            base: money(0, "USD").currency,
            year_start: 1,
            retained_earnings: None,
            exchange_gain: None,
            exchange_loss: None,
        };
        create_book(work, book).unwrap();
        let plain = AccountRules::default;
        let rows = [
            ("other", "USD", plain()),
            ("b/cash", "USD", plain()),
            ("b/bank", "USD", plain()),
            ("b/full", "USD", plain()),
            ("b/eur", "EUR", plain()),
            ("b/need", "USD", AccountRules { required_dimensions: vec![id("cc")], ..plain() }),
            ("b/party", "USD", AccountRules { party_required: true, ..plain() }),
            ("b/shut", "USD", plain()),
            ("b/auto", "USD", AccountRules { manual: false, ..plain() }),
            ("b/till", "USD", AccountRules { min_available: Some(Amount::of(0)), ..plain() }),
            ("b/top", "USD", AccountRules { max_available: Some(Amount::of(0)), ..plain() }),
        ];
        for (name, currency, rules) in rows {
            create_account(work, NewAccount { rules, ..account(name, currency) }).unwrap();
        }
        create_account(work, header("b/head")).unwrap();
        close_account(work, &id("b/shut"), AccountClosing { reason: "not used".to_owned(), sweep: None }).unwrap();
        post(work, entry("full", "2026-01-01", pair("b/full", "b/cash", MAX_MINOR - 100, "USD"))).unwrap();
        let details = EntryDetails { reference: Some("INV 1".to_owned()), ..EntryDetails::default() };
        post(work, NewEntry { details: Some(Box::new(details)), ..rent("taken") }).unwrap();
        assert_eq!(
            code(post(work, entry("burnt", "2026-06-30", pair("b/nowhere", "b/cash", 1, "USD")))),
            "account-not-found"
        );
    });
    books
}

fn rent(name: &str) -> NewEntry {
    entry(name, "2026-06-30", pair("b/cash", "b/bank", 1, "USD"))
}

fn details(entry: &mut NewEntry) -> &mut EntryDetails {
    entry.details.get_or_insert_with(Box::default)
}

/// What is wrong, what must come of it, and whether it is the id that is.
type Defect = (fn(&mut NewEntry), &'static str, bool);

/// In the order of the contract; each takes nothing away of the others, but that an entry has one id.
const DEFECTS: [Defect; 18] = [
    (|e| e.description.clear(), "text-invalid", false),
    (|e| e.id = id("taken"), "exists-with-different", true),
    (|e| e.id = id("burnt"), "id-already-failed", true),
    (|e| e.lines.extend(pair("b/nowhere", "b/cash", 1, "USD")), "account-not-found", false),
    (|e| e.lines.extend(pair("other", "other", 1, "USD")), "book-mismatch", false),
    (|e| e.lines.extend(pair("b/eur", "b/eur", 1, "EUR")), "rate-missing", false),
    (|e| e.lines.extend(pair("b/need", "b/cash", 1, "USD")), "missing-dimension", false),
    (|e| e.lines.extend(pair("b/party", "b/cash", 1, "USD")), "party-required", false),
    (|e| details(e).reference = Some("INV 1".to_owned()), "duplicate-reference", false),
    (|e| e.lines.push(line("b/cash", backroom_domain::Side::Debit, 1, "USD")), "unbalanced", false),
    (|e| e.lines.extend(pair("b/head", "b/cash", 1, "USD")), "account-is-header", false),
    (|e| e.lines.extend(pair("b/shut", "b/cash", 1, "USD")), "account-closed", false),
    (|e| e.lines.extend(pair("b/auto", "b/cash", 1, "USD")), "manual-not-permitted", false),
    (|e| e.lines.extend(pair("b/eur", "b/cash", 1, "USD")), "currency-mismatch", false),
    (|e| e.lines.extend(pair("b/cash", "b/till", 1, "USD")), "insufficient", false),
    (|e| e.lines.extend(pair("b/top", "b/cash", 1, "USD")), "limit-exceeded", false),
    (
        |e| {
            let (account, value) = (id("b/bank"), Amount::of(5));
            details(e).guards.push(Guard { account, balance: Figure::Posted, op: Comparison::Eq, value });
        },
        "guard-failed",
        false,
    ),
    (|e| e.lines.extend(pair("b/full", "b/cash", 101, "USD")), "overflow", false),
];

#[test]
fn postings_are_refused_in_the_order_of_the_contract() {
    let books = chart();
    let mut work = books.work(Rights::all());
    let mut count = 0;
    let mut try_with = |work: &mut Work, defects: &[fn(&mut NewEntry)]| {
        count += 1;
        let mut new = rent(&format!("e{count}"));
        defects.iter().for_each(|defect| defect(&mut new));
        code(post(work, new))
    };
    for (i, (first, want, of_id)) in DEFECTS.iter().enumerate() {
        assert_eq!(try_with(&mut work, &[*first]), *want);
        for (second, also, also_of_id) in &DEFECTS[i + 1..] {
            if *of_id && *also_of_id {
                continue;
            }
            assert_eq!(try_with(&mut work, &[*second, *first]), *want, "with {also}");
        }
    }
}

/// Seconds after the time of all other work.
fn later(work: Work, seconds: u64) -> Work {
    let mut work = work;
    work.now.0 += seconds * 1_000_000;
    work
}

#[test]
fn settlements_are_refused_in_the_order_of_the_contract() {
    let books = chart();
    books.set_up(|work| {
        for (name, timeout_seconds) in [("open", None), ("settled", None), ("released", None), ("short", Some(10))] {
            hold(
                work,
                NewHold { entry: entry(name, "2026-06-30", pair("b/cash", "b/bank", 8, "USD")), timeout_seconds },
            )
            .unwrap();
        }
        settle(work, &asked("settled", "whole", None)).unwrap();
        release(work, &HoldRelease { hold: id("released"), amount: None }).unwrap();
    });
    /// Hold, entry, amount, seconds that have passed, and the refusal; none: it is settled.
    type Row = (&'static str, &'static str, Option<(u64, &'static str)>, u64, &'static str);
    let rows: [Row; 13] = [
        ("nowhere", "taken", Some((0, "USD")), 0, "amount-zero"),
        ("nowhere", "taken", Some((9, "USD")), 0, "hold-not-found"),
        ("settled", "taken", Some((9, "USD")), 0, "exists-with-different"),
        ("settled", "burnt", Some((9, "USD")), 0, "id-already-failed"),
        ("settled", "n1", Some((9, "EUR")), 0, "already-settled"),
        ("released", "n2", Some((9, "EUR")), 0, "already-released"),
        ("short", "n3", Some((9, "EUR")), 10, "expired"),
        ("open", "n4", Some((9, "EUR")), 0, "currency-mismatch"),
        ("open", "n5", Some((9, "USD")), 0, "exceeds-hold"),
        ("open", "n5", Some((8, "USD")), 0, "id-already-failed"),
        ("open", "n6", Some((3, "USD")), 0, ""),
        // Not a microsecond earlier than it says.
        ("short", "n7", None, 9, ""),
        ("settled", "whole", None, 0, ""),
    ];
    for (held, name, amount, seconds, want) in rows {
        let mut work = later(books.work(Rights::all()), seconds);
        let amount = amount.map(|(minor, currency)| money(minor, currency));
        let done = settle(&mut work, &asked(held, name, amount));
        match want {
            "" => assert!(done.is_ok(), "{held} {name}: {done:?}"),
            want => assert_eq!(code(done), want, "{held} {name}"),
        }
        if name == "n5" && want == "exceeds-hold" {
            books::commit(work);
        }
    }
}

fn asked(hold: &str, entry: &str, amount: Option<backroom_domain::Money>) -> Settlement {
    Settlement { hold: id(hold), entry: id(entry), amount, last: false, date: None }
}
