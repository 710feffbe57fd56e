//! Revaluation beside plain arithmetic over a list of entries.

use backroom_domain::ledger::{AccountType, NewAccount, NewBook, NewEntry, NewRate, NewRevaluation};
use backroom_domain::rights::{Grant, Rights};
use backroom_domain::{Currency, Decimal, Side};
use backroom_office::ledger::{
    AsOf, balance_at, create_account, create_book, get_entry, lock_period, post, revalue, set_rates,
};
use proptest::prelude::*;

use crate::answer;
use crate::books::{Books, account, code, commit, day, entry, header, id, line, told};

fn currency(text: &str) -> Currency {
    Currency::parse(text, "c").unwrap()
}

fn book() -> NewBook {
    NewBook {
        id: id("main"),
        name: "Main".to_owned(),
        base: currency("USD"),
        year_start: 1,
        retained_earnings: None,
        exchange_gain: Some(id("7000")),
        exchange_loss: Some(id("7100")),
    }
}

fn rate(from: &str, date: &str, kind: &str, rate: &str) -> NewRate {
    NewRate {
        date: day(date),
        from: currency(from),
        to: currency("USD"),
        kind: id(kind),
        rate: Decimal::parse(rate, "r").unwrap(),
    }
}

/// A bank and a loan in EUR, a bank in JPY, one in USD; rates of both.
fn set_up(spot: [&str; 2], closing: [&str; 2]) -> Books {
    let books = Books::new();
    books.set_up(|work| {
        create_book(work, book()).unwrap();
        let of = |code, currency, kind| NewAccount { kind, ..account(code, currency) };
        for new in [
            of("1000", "USD", AccountType::Asset),
            of("1100", "EUR", AccountType::Asset),
            of("1200", "JPY", AccountType::Asset),
            of("2100", "EUR", AccountType::Liability),
            of("7000", "USD", AccountType::Income),
            of("7100", "USD", AccountType::Expense),
            header("9"),
        ] {
            create_account(work, new).unwrap();
        }
        let rates = vec![
            rate("EUR", "2026-01-01", "spot", spot[0]),
            rate("JPY", "2026-01-01", "spot", spot[1]),
            rate("EUR", "2026-03-31", "closing", closing[0]),
            rate("JPY", "2026-03-30", "closing", closing[1]),
        ];
        set_rates(work, &id("main"), rates).unwrap();
    });
    books
}

fn asked(name: &str, accounts: &[&str], reverse: bool) -> NewRevaluation {
    let accounts = accounts.iter().map(|account| id(account)).collect();
    NewRevaluation { id: id(name), as_of: day("2026-03-31"), accounts, kind: None, reverse }
}

fn net(work: &backroom_office::Work, account: &str, date: &str) -> (i128, i128) {
    let as_of = AsOf { date: Some(day(date)), ..AsOf::default() };
    let balance = balance_at(work, &id(account), as_of).unwrap();
    let net = |debits: u64, credits: u64| i128::from(debits) - i128::from(credits);
    let base = balance.base.unwrap();
    (net(balance.debits, balance.credits), net(base.debits, base.credits))
}

/// The amount at a rate in minor units of the dollar, half to even, by the definition: no other whole number is nearer.
fn is_worth(amount: i128, digits: u32, rate: Decimal, worth: i128) -> bool {
    // amount / 10^digits * mantissa / 10^scale * 100
    let unit = 10_i128.pow(digits + u32::from(rate.scale));
    let twice = 2 * (amount * i128::from(rate.mantissa) * 100 - worth * unit).abs();
    twice < unit || (twice == unit && worth % 2 == 0)
}

fn decimal() -> impl Strategy<Value = String> {
    (1_u64..30_000, 1_usize..5).prop_map(|(digits, scale)| format!("{}.{:0scale$}", digits / 1_000, digits % 1_000))
}

proptest! {
    #![proptest_config(crate::books::sequences())]

    #[test]
    fn what_accounts_are_carried_at_becomes_what_they_are_worth(
        spot in (decimal(), decimal()),
        closing in (decimal(), decimal()),
        moves in prop::collection::vec((0_usize..3, any::<bool>(), 1_u64..1_000_000, 1_u8..=31), 1..12),
        reverse in any::<bool>(),
    ) {
        prop_assume!([&spot.0, &spot.1, &closing.0, &closing.1].iter().all(|r| !Decimal::parse(r, "r").unwrap().is_zero()));
        let books = set_up([&spot.0, &spot.1], [&closing.0, &closing.1]);
        let main = id("main");
        books.set_up(|work| {
            for (n, (pair, swap, minor, date)) in moves.iter().enumerate() {
                let (a, b, of) = [("1100", "2100", "EUR"), ("1100", "1101", "EUR"), ("1200", "1201", "JPY")][*pair];
                // The other side of banks: clearing accounts that no test revalues.
                if b != "2100" {
                    create_account(work, account(b, of)).unwrap();
                }
                let (debit, credit) = if *swap { (b, a) } else { (a, b) };
                let lines = vec![line(debit, Side::Debit, *minor, of), line(credit, Side::Credit, *minor, of)];
                let date = format!("2026-0{}-{:02}", if *date > 28 { 4 } else { 3 }, date.min(&28));
                post(work, NewEntry { ..entry(&format!("e{n}"), &date, lines) }).unwrap();
            }
        });
        let mut work = books.work(Rights::all());
        let accounts = ["1100", "1200", "2100"];
        let before = accounts.map(|account| net(&work, account, "2026-03-31"));
        let later = accounts.map(|account| net(&work, account, "2026-12-31"));
        let result = revalue(&mut work, &main, asked("rev", &accounts, reverse)).unwrap();
        prop_assert!(!result.replayed);
        let mut gains = 0;
        for (i, (account, (amount, carried))) in accounts.iter().zip(before).enumerate() {
            let (rate, digits) = if *account == "1200" { (&closing.1, 0) } else { (&closing.0, 2) };
            let (now, worth) = net(&work, account, "2026-03-31");
            prop_assert_eq!(now, amount, "the balance itself does not change");
            prop_assert!(is_worth(amount, digits, Decimal::parse(rate, "r").unwrap(), worth), "{account}: {amount} {worth}");
            gains += worth - carried;
            let (end, base) = net(&work, account, "2026-12-31");
            prop_assert_eq!(end, later[i].0);
            prop_assert_eq!(base, later[i].1 + if reverse { 0 } else { worth - carried });
        }
        let pnl = |date| net(&work, "7000", date).1 + net(&work, "7100", date).1;
        prop_assert_eq!(pnl("2026-03-31"), -gains, "what is gained is a credit");
        prop_assert_eq!(pnl("2026-12-31"), if reverse { 0 } else { -gains });
        prop_assert_eq!(result.value.entries.len(), match result.value.revalued.iter().all(|r| r.difference.minor == 0) {
            true => 0,
            false => 1 + usize::from(reverse),
        });
        commit(work);
        let mut work = books.work(Rights::all());
        let again = revalue(&mut work, &main, asked("rev", &accounts, reverse)).unwrap();
        prop_assert!(again.replayed);
        prop_assert_eq!(again.value, result.value);
        prop_assert_eq!(answer(revalue(&mut work, &main, asked("rev2", &["2100"], reverse))).unwrap_err(), "already-revalued");
        prop_assert_eq!((work.tx().changes(), work.effects().len()), (0, 0));
    }
}

#[test]
fn revaluations_are_refused_in_the_order_of_the_contract() {
    let books = set_up(["1.1", "0.007"], ["1.2", "0.008"]);
    let main = id("main");
    books.set_up(|work| {
        let lines = vec![line("1100", Side::Debit, 100, "EUR"), line("2100", Side::Credit, 100, "EUR")];
        post(work, entry("e", "2026-03-01", lines)).unwrap();
    });
    let mut work = books.work(Grant::read_only().into());
    assert_eq!(code(revalue(&mut work, &id("none"), asked("r", &[], false))), "rates-denied");
    drop(work);
    let mut work = books.work(Rights::all());
    let long = "r".repeat(57);
    assert_eq!(code(revalue(&mut work, &id("none"), asked(&long, &[], false))), "id-too-long");
    assert_eq!(code(revalue(&mut work, &id("none"), asked("r", &[], false))), "no-accounts");
    assert_eq!(code(revalue(&mut work, &id("none"), asked("r", &["1", "1"], false))), "account-twice");
    let many: Vec<String> = (0..501).map(|n| format!("{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(code(revalue(&mut work, &id("none"), asked("r", &many, false))), "too-many-accounts");
    assert_eq!(code(revalue(&mut work, &id("none"), asked("r", &["1100"], false))), "book-not-found");
    let rows = [("7777", "account-not-found"), ("9", "account-is-header"), ("1000", "not-foreign")];
    for (account, want) in rows {
        let got = told(revalue(&mut work, &main, asked("r", &[account], false)));
        assert_eq!(got.1, want);
    }
    let spot = NewRevaluation { as_of: day("2026-03-01"), ..asked("r", &["1100"], false) };
    assert_eq!(code(revalue(&mut work, &main, spot)), "rate-missing");
    assert_eq!(code(revalue(&mut work, &main, asked("e", &["1100"], false))), "exists-with-different");
    use backroom_domain::ledger::{LockKind, Scope};
    lock_period(&mut work, &main, Scope::All, LockKind::Soft, day("2026-04-01")).unwrap();
    assert_eq!(code(revalue(&mut work, &main, asked("r", &["1100"], true))), "period-locked");
    drop(work);

    // Locked on the first day alone or on both: nothing of it is kept.
    let mut work = books.work(Rights::all());
    revalue(&mut work, &main, asked("r", &["1100"], true)).unwrap();
    assert_eq!(get_entry(&work, &id("r:back")).unwrap().new.date, day("2026-04-01"));
    assert_eq!(code(revalue(&mut work, &main, asked("r", &["1100"], false))), "exists-with-different");
    assert_eq!(code(revalue(&mut work, &main, asked("other", &["2100", "1100"], false))), "already-revalued");
    drop(work);

    let plain = Books::new();
    let mut work = plain.work(Rights::all());
    assert_eq!(code(revalue(&mut work, &main, asked("r", &["1100"], false))), "no-base-currency");
    create_book(&mut work, NewBook { exchange_gain: None, exchange_loss: None, ..book() }).unwrap();
    create_account(&mut work, account("1100", "EUR")).unwrap();
    create_account(&mut work, account("1101", "EUR")).unwrap();
    set_rates(
        &mut work,
        &main,
        vec![rate("EUR", "2026-01-01", "spot", "1"), rate("EUR", "2026-01-01", "closing", "2")],
    )
    .unwrap();
    let lines = vec![line("1100", Side::Debit, 100, "EUR"), line("1101", Side::Credit, 100, "EUR")];
    post(&mut work, entry("e", "2026-03-01", lines)).unwrap();
    assert_eq!(code(revalue(&mut work, &main, asked("r", &["1100"], false))), "exchange-account-missing");
}
