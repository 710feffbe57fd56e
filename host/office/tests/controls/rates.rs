//! The table of rates beside a plain list.

use backroom_domain::ledger::NewRate;
use backroom_domain::ledger::rates::{convert, inverse};
use backroom_domain::rights::{Grant, Rights};
use backroom_domain::{BusinessDate, Currency, Decimal, MAX_MINOR, Rounding};
use backroom_office::ledger::{get_rate, list_rates, set_rates};
use proptest::prelude::*;

use crate::answer;
use crate::books::{Books, all, code, commit, id, told};

fn currency(text: &str) -> Currency {
    Currency::parse(text, "c").unwrap()
}

fn march(n: u8) -> BusinessDate {
    BusinessDate::new(2026, 3, n, "d").unwrap()
}

fn rate() -> impl Strategy<Value = NewRate> {
    let pair = prop_oneof![Just(("USD", "EUR")), Just(("EUR", "USD")), Just(("USD", "JPY"))];
    let kind = prop_oneof![Just("spot"), Just("closing")];
    let mantissa = prop_oneof![1_u64..200, 1_u64..1_000_000_000, Just(MAX_MINOR)];
    (1_u8..12, pair, kind, mantissa, 0_u8..=9).prop_map(|(day, (from, to), kind, mantissa, scale)| NewRate {
        date: march(day),
        from: currency(from),
        to: currency(to),
        kind: id(kind),
        rate: Decimal { mantissa, scale },
    })
}

/// The last one set of the newest day.
fn newest<'a>(set: &'a [NewRate], from: &str, to: &str, kind: &str, date: BusinessDate) -> Option<&'a NewRate> {
    let of = |one: &&NewRate| {
        (one.from.as_str(), one.to.as_str(), one.kind.as_str()) == (from, to, kind) && one.date <= date
    };
    let newest = set.iter().filter(of).map(|one| one.date).max()?;
    set.iter().filter(of).rfind(|one| one.date == newest)
}

proptest! {
    #![proptest_config(crate::books::sequences())]

    #[test]
    fn the_newest_rate_is_found_as_in_a_list(sets in prop::collection::vec(prop::collection::vec(rate(), 1..4), 1..12)) {
        let books = Books::new();
        let main = id("main");
        let mut model: Vec<NewRate> = Vec::new();
        for set in sets {
            let mut work = books.work(Rights::all());
            let twice = (0..set.len()).any(|i| set[..i].iter().any(|one| {
                (one.date, one.from, one.to, &one.kind) == (set[i].date, set[i].from, set[i].to, &set[i].kind)
            }));
            match answer(set_rates(&mut work, &main, set.clone())) {
                Ok(result) => {
                    prop_assert!(!twice);
                    prop_assert_eq!(usize::try_from(result.set + result.unchanged).unwrap(), set.len());
                    prop_assert_eq!(usize::try_from(result.set).unwrap(), work.effects().len());
                    commit(work);
                    model.extend(set);
                }
                Err(code) => {
                    prop_assert!(twice);
                    prop_assert_eq!(code, "rate-twice");
                }
            }
        }
        let work = books.work(Rights::all());
        for kind in ["spot", "closing", "average"] {
            for (from, to) in [("USD", "EUR"), ("EUR", "USD"), ("USD", "JPY"), ("JPY", "USD"), ("JPY", "EUR")] {
                for day in 1..=13 {
                    let date = march(day);
                    let got = answer(get_rate(&work, &main, currency(from), currency(to), &id(kind), date));
                    let (one, other) = (newest(&model, from, to, kind, date), newest(&model, to, from, kind, date));
                    match (one, other) {
                        (Some(one), other) if other.is_none_or(|other| other.date <= one.date) => {
                            let got = got.unwrap();
                            prop_assert_eq!((got.rate, got.date, got.inverse, got.exact), (one.rate, one.date, false, true));
                        }
                        (_, Some(other)) => match inverse(other.rate) {
                            Some((rate, exact)) => {
                                let got = got.unwrap();
                                prop_assert_eq!((got.rate, got.date, got.inverse, got.exact), (rate, other.date, true, exact));
                            }
                            None => prop_assert_eq!(got.unwrap_err(), "rate-missing"),
                        },
                        _ => prop_assert_eq!(got.unwrap_err(), "rate-missing"),
                    }
                }
            }
        }
        let mut keys: Vec<_> = model.iter().map(|one| (one.from, one.to, one.kind.clone(), one.date)).collect();
        keys.sort();
        keys.dedup();
        prop_assert_eq!(all(3, |page| list_rates(&work, &main, page)).len(), keys.len());
    }

    /// By the definition: no other decimal of that scale is nearer to one over the rate, and none of a finer scale fits.
    #[test]
    fn an_inverse_is_the_nearest_there_is(mantissa in prop_oneof![1_u64..5_000, 1..=MAX_MINOR], scale in 0_u8..=9) {
        let Some((found, exact)) = inverse(Decimal { mantissa, scale }) else {
            // Less than half of the least decimal.
            prop_assert!(2 * 10_u128.pow(9 + u32::from(scale)) <= u128::from(mantissa));
            return Ok(());
        };
        let one = 10_u128.pow(u32::from(scale) + u32::from(found.scale));
        let product = u128::from(found.mantissa) * u128::from(mantissa);
        prop_assert!(2 * one.abs_diff(product) <= u128::from(mantissa));
        prop_assert_eq!(exact, one == product);
        prop_assert!(found.mantissa <= MAX_MINOR);
        if found.scale < 9 {
            prop_assert!(10 * one / u128::from(mantissa) >= u128::from(MAX_MINOR));
        }
    }

    /// By the definition of each mode, without a division.
    #[test]
    fn amounts_are_converted_by_the_definition(minor in 0_u64..10_000_000_000, mantissa in 1_u64..10_000_000_000, scale in 0_u8..=9, case in 0_usize..6) {
        let (from, to, digits) = [
            ("USD", "EUR", (2, 2)), ("JPY", "USD", (0, 2)), ("USD", "JPY", (2, 0)),
            ("KWD", "USD", (3, 2)), ("USD", "KWD", (2, 3)), ("JPY", "KRW", (0, 0)),
        ][case];
        let numerator = u128::from(minor) * u128::from(mantissa) * 10_u128.pow(digits.1);
        let unit = 10_u128.pow(u32::from(scale) + digits.0);
        for rounding in [Rounding::HalfEven, Rounding::HalfUp, Rounding::Down, Rounding::Up] {
            let Some(got) = convert(minor, currency(from), currency(to), Decimal { mantissa, scale }, rounding) else {
                prop_assert!(numerator / unit >= u128::from(MAX_MINOR));
                continue;
            };
            let product = u128::from(got) * unit;
            let fits = match rounding {
                Rounding::Down => product <= numerator && numerator < product + unit,
                Rounding::Up => product >= numerator && product < numerator + unit,
                Rounding::HalfUp => 2 * numerator < 2 * product + unit && 2 * product <= 2 * numerator + unit,
                Rounding::HalfEven => {
                    let twice = 2 * product.abs_diff(numerator);
                    twice < unit || (twice == unit && got % 2 == 0)
                }
            };
            prop_assert!(fits, "{rounding:?}: {minor} at {mantissa}e-{scale} is {got}");
        }
    }
}

#[test]
fn rates_are_refused_in_the_order_of_the_contract() {
    let books = Books::new();
    let (main, no) = (id("main"), id("none"));
    let good = NewRate {
        date: march(1),
        from: currency("USD"),
        to: currency("EUR"),
        kind: id("spot"),
        rate: Decimal { mantissa: 9, scale: 1 },
    };
    let mut work = books.work(Grant::read_only().into());
    assert_eq!(code(set_rates(&mut work, &no, vec![])), "rates-denied");
    drop(work);
    let mut work = books.work(Rights::all());
    let mut bad = vec![good.clone(); 1_001];
    assert_eq!(code(set_rates(&mut work, &no, vec![])), "no-rates");
    assert_eq!(code(set_rates(&mut work, &no, bad.clone())), "too-many-rates");
    bad.truncate(4);
    bad[0].rate = Decimal::ZERO;
    bad[1].to = currency("USD");
    bad[2].rate.mantissa = MAX_MINOR + 1;
    let codes = match set_rates(&mut work, &no, bad) {
        Err(backroom_office::Failure::Business(error)) => {
            error.problems.into_iter().map(|p| (p.code.into_owned(), p.field.unwrap())).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    let pairs = [
        ("rate-zero", "rates[0].rate"),
        ("same-currency", "rates[1].to"),
        ("decimal-invalid", "rates[2].rate"),
        ("rate-twice", "rates[2]"),
        ("rate-twice", "rates[3]"),
    ];
    assert_eq!(codes, pairs.map(|(code, field)| (code.to_owned(), field.to_owned())));
    assert_eq!(code(set_rates(&mut work, &no, vec![good.clone()])), "book-not-found");
    assert_eq!((work.tx().changes(), work.effects().len()), (0, 0));
    let ask = |work: &backroom_office::Work, book| get_rate(work, book, good.to, good.from, &good.kind, march(1));
    assert_eq!(code(ask(&work, &no)), "book-not-found");
    assert_eq!(told(ask(&work, &main)).1, "rate-missing");
    set_rates(&mut work, &main, vec![good.clone()]).unwrap();
    let found = ask(&work, &main).unwrap();
    assert_eq!((found.rate.to_string().as_str(), found.inverse, found.exact), ("1.111111111", true, false));
    drop(work);
    let work = books.work(Rights::default());
    assert_eq!(code(ask(&work, &no)), "ledger-read-denied");
}
