//! The rules of HR: one row for each refusal, and the edges of periods.
#![expect(clippy::unwrap_used, reason = "the values of these tests are valid by construction")]

use backroom_domain::hr::{
    Benefit, Employment, Neighbour, NewBenefit, NewEmployment, NewWorker, Place, Worker, add_employment, check_benefit,
    check_employment, check_worker, employed_days, record_benefit, same_benefit, same_employment, same_worker,
};
use backroom_domain::{BusinessDate, Class, Currency, Error, Id, Instant, MAX_MINOR, Money, Result, Rounding, mul_div};

fn id(text: &str) -> Id {
    Id::parse(text, "id").unwrap()
}

fn day(text: &str) -> BusinessDate {
    BusinessDate::parse(text, "date").unwrap()
}

fn usd(minor: u64) -> Money {
    Money { minor, currency: Currency::parse("USD", "currency").unwrap() }
}

/// Class, code and field of every problem.
fn told(error: &Error) -> (Class, Vec<(&str, &str)>) {
    (error.class, error.problems.iter().map(|p| (p.code.as_ref(), p.field.as_deref().unwrap_or(""))).collect())
}

/// A change of one field.
type Change<T> = fn(&mut T);
/// The codes and fields of the problems that it must give.
type Wanted<'a> = &'a [(&'a str, &'a str)];

/// `change` in turn on `first`, each on top of the one before: the last field that was changed must be named, as the rows go
/// from the last field to the first.
fn each_names_its_field<T: Clone>(first: &T, same: impl Fn(&T) -> Result<()>, rows: &[(Change<T>, &str)]) {
    assert_eq!(same(first), Ok(()));
    let mut other = first.clone();
    for (change, field) in rows {
        change(&mut other);
        assert_eq!(told(&same(&other).unwrap_err()), (Class::Conflict, vec![("exists-with-different", *field)]));
    }
}

fn forms<T: Clone>(good: &T, check: impl Fn(&T) -> Result<()>, rows: &[(Change<T>, Wanted<'_>)]) {
    assert_eq!(check(good), Ok(()));
    for (i, (change, want)) in rows.iter().enumerate() {
        let mut new = good.clone();
        change(&mut new);
        match check(&new) {
            Ok(()) => assert!(want.is_empty(), "row {i} was accepted"),
            Err(error) => assert_eq!(told(&error), (Class::Invalid, want.to_vec()), "row {i}"),
        }
    }
}

fn ada() -> NewWorker {
    NewWorker {
        id: id("W-1"),
        name: "Ada Obi".to_owned(),
        email: Some("ada@example.com".to_owned()),
        bank_account: Some("DE00 1234".to_owned()),
    }
}

fn employed(from: &str, to: Option<&str>) -> NewEmployment {
    NewEmployment {
        worker: id("W-1"),
        from: day(from),
        to: to.map(day),
        position: id("CPA"),
        place: Place::Remote,
        cost_center: id("CC-410"),
        salary: Some(usd(600_000)),
    }
}

fn allowance(from: &str, to: &str) -> NewBenefit {
    NewBenefit {
        id: id("b-1"),
        worker: id("W-1"),
        plan: id("housing"),
        from: day(from),
        to: day(to),
        amount: usd(50_000),
        cost_center: id("CC-410"),
        entry: None,
    }
}

fn on_record(new: NewEmployment) -> Employment {
    Employment { new, recorded_at: Instant(0), erased: false }
}

#[test]
fn requests_of_bad_form_are_invalid_with_all_their_problems() {
    forms(
        &ada(),
        check_worker,
        &[
            (|w| (w.email, w.bank_account) = (None, None), &[]),
            (|w| w.name.clear(), &[("text-invalid", "name")]),
            (|w| w.name = "x".repeat(201), &[("text-invalid", "name")]),
            (|w| w.email = Some(String::new()), &[("text-invalid", "email")]),
            (|w| w.email = Some("x".repeat(254)), &[]),
            (|w| w.email = Some("x".repeat(255)), &[("text-invalid", "email")]),
            (|w| w.bank_account = Some(String::new()), &[("text-invalid", "bank-account")]),
            (
                |w| (w.name, w.bank_account) = (String::new(), Some("x".repeat(65))),
                &[("text-invalid", "name"), ("text-invalid", "bank-account")],
            ),
        ],
    );
    forms(
        &employed("2026-06-16", Some("2026-06-16")),
        check_employment,
        &[
            (|e| e.to = None, &[]),
            (|e| e.salary = None, &[]),
            (|e| e.to = Some(day("2026-06-15")), &[("period-invalid", "last-day")]),
            (|e| e.salary = Some(usd(MAX_MINOR + 1)), &[("amount-too-large", "salary")]),
            (
                |e| (e.to, e.salary) = (Some(day("1999-01-01")), Some(usd(u64::MAX))),
                &[("period-invalid", "last-day"), ("amount-too-large", "salary")],
            ),
        ],
    );
    forms(
        &allowance("2024-01-01", "2024-12-31"),
        check_benefit,
        &[
            (|b| b.to = day("2024-01-01"), &[]),
            (|b| b.to = day("2023-12-31"), &[("period-invalid", "last-day")]),
            (|b| b.to = day("2025-01-01"), &[("period-invalid", "last-day")]),
            (|b| b.amount = usd(0), &[("amount-zero", "amount")]),
            (|b| b.amount = usd(MAX_MINOR), &[]),
            (
                |b| (b.to, b.amount) = (day("2029-12-31"), usd(MAX_MINOR + 1)),
                &[("period-invalid", "last-day"), ("amount-too-large", "amount")],
            ),
        ],
    );
}

#[test]
fn the_same_id_with_other_content_names_the_first_field_that_differs() {
    let worker = Worker { new: ada(), recorded_at: Instant(0), erased: false };
    each_names_its_field(
        &ada(),
        |new| same_worker(&worker, new),
        &[(|w| w.bank_account = None, "bank-account"), (|w| w.email = None, "email"), (|w| w.name.push('!'), "name")],
    );
    let employment = on_record(employed("2026-01-01", None));
    each_names_its_field(
        &employed("2026-01-01", None),
        |new| same_employment(&employment, new),
        &[
            (|e| e.salary = None, "salary"),
            (|e| e.cost_center = id("CC-1"), "cost-center"),
            (|e| e.place = Place::Office, "place"),
            (|e| e.position = id("CEO"), "position"),
            (|e| e.to = Some(day("2026-12-31")), "last-day"),
        ],
    );
    let benefit = Benefit { new: allowance("2026-06-01", "2026-06-30"), recorded_at: Instant(0), run: None };
    each_names_its_field(
        &allowance("2026-06-01", "2026-06-30"),
        |new| same_benefit(&benefit, new),
        &[
            (|b| b.entry = Some(id("e-1")), "entry"),
            (|b| b.cost_center = id("CC-1"), "cost-center"),
            (|b| b.amount = usd(1), "amount"),
            (|b| b.to = day("2026-06-29"), "last-day"),
            (|b| b.from = day("2026-06-02"), "first-day"),
            (|b| b.plan = id("meals"), "plan"),
            (|b| b.worker = id("W-2"), "worker"),
        ],
    );
}

#[test]
fn stretches_of_employment_may_touch_but_not_overlap() {
    let stretches = [on_record(employed("2026-03-10", Some("2026-03-20"))), on_record(employed("2026-06-01", None))];
    let rows = [
        ("2026-01-01", Some("2026-03-09"), true),
        ("2026-01-01", Some("2026-03-10"), false),
        ("2026-03-12", Some("2026-03-13"), false),
        ("2026-03-01", Some("2026-03-31"), false),
        ("2026-03-20", Some("2026-03-25"), false),
        ("2026-03-21", Some("2026-05-31"), true),
        ("2026-03-21", Some("2026-06-01"), false),
        ("2026-03-21", None, false),
        ("2030-01-01", Some("2030-01-01"), false),
    ];
    for (from, to, ok) in rows {
        let got = add_employment(&employed(from, to), true, &stretches);
        let want = if ok { Ok(()) } else { Err((Class::Refused, vec![("overlapping-employment", "first-day")])) };
        assert_eq!(got.as_ref().copied().map_err(told), want, "{from} {to:?}");
        // The worker comes first, whatever the stretches are.
        let error = add_employment(&employed(from, to), false, &stretches).unwrap_err();
        assert_eq!(told(&error), (Class::NotFound, vec![("worker-not-found", "worker")]));
    }
}

#[test]
fn joiners_and_leavers_count_by_calendar_days() {
    // (stretches, first and last day asked for, days employed, share of 500.00)
    type Row = (&'static [(&'static str, Option<&'static str>)], &'static str, &'static str, u32, u64);
    let rows: &[Row] = &[
        (&[("2026-01-01", None)], "2026-06-01", "2026-06-30", 30, 50_000),
        // Joining on the 16th of a month of 30 days is half of it.
        (&[("2026-06-16", None)], "2026-06-01", "2026-06-30", 15, 25_000),
        (&[("2026-06-01", None)], "2026-06-01", "2026-06-30", 30, 50_000),
        (&[("2026-06-30", None)], "2026-06-01", "2026-06-30", 1, 1_667),
        (&[("2026-07-01", None)], "2026-06-01", "2026-06-30", 0, 0),
        (&[("2020-01-01", Some("2026-06-15"))], "2026-06-01", "2026-06-30", 15, 25_000),
        (&[("2020-01-01", Some("2026-06-01"))], "2026-06-01", "2026-06-30", 1, 1_667),
        (&[("2020-01-01", Some("2026-05-31"))], "2026-06-01", "2026-06-30", 0, 0),
        // A leap day and months of 31 and 28 days.
        (&[("2024-02-29", None)], "2024-02-01", "2024-02-29", 1, 1_724),
        (&[("2026-02-15", None)], "2026-02-01", "2026-02-28", 14, 25_000),
        (&[("2026-07-16", None)], "2026-07-01", "2026-07-31", 16, 25_806),
        // A change of position within the month leaves no gap and no day twice.
        (&[("2026-01-01", Some("2026-06-15")), ("2026-06-16", None)], "2026-06-01", "2026-06-30", 30, 50_000),
        // A break of ten days.
        (&[("2026-01-01", Some("2026-06-10")), ("2026-06-21", None)], "2026-06-01", "2026-06-30", 20, 33_333),
    ];
    for (i, (stretches, first, last, days, share)) in rows.iter().enumerate() {
        let stretches: Vec<_> = stretches.iter().map(|(from, to)| on_record(employed(from, *to))).collect();
        let got = employed_days(&stretches, day(first), day(last));
        assert_eq!(got, *days, "row {i}");
        let all = u64::from(day(first).days_through(day(last)));
        assert_eq!(mul_div(50_000, u64::from(got), all, Rounding::HalfEven), Some(*share), "row {i}");
    }
}

#[test]
fn a_benefit_is_refused_for_the_first_reason_there_is() {
    let stretches = [
        on_record(employed("2026-01-01", Some("2026-06-15"))),
        on_record(employed("2026-06-16", Some("2026-08-31"))),
        on_record(employed("2026-09-02", None)),
    ];
    let other = Neighbour { id: id("b-0"), from: day("2026-05-01"), to: day("2026-05-31") };
    let not_employed = Some((Class::Refused, "not-employed", "first-day"));
    let overlapping = Some((Class::Refused, "overlapping-benefit", "first-day"));
    let rows = [
        ("2026-06-01", "2026-06-30", None),
        ("2026-01-01", "2026-01-01", None),
        ("2026-09-02", "2027-09-01", None),
        ("2025-12-31", "2026-01-31", not_employed),
        ("2026-08-01", "2026-09-01", not_employed),
        ("2026-09-01", "2026-09-01", not_employed),
        ("2026-08-31", "2026-09-02", not_employed),
        ("2026-05-31", "2026-06-01", overlapping),
        ("2026-04-01", "2026-05-01", overlapping),
        ("2026-04-01", "2026-06-10", overlapping),
        ("2026-05-10", "2026-05-11", overlapping),
        ("2026-04-01", "2026-04-30", None),
        ("2025-12-31", "2026-05-01", not_employed),
    ];
    for (from, to, want) in rows {
        let new = allowance(from, to);
        // As the index answers: the line that ends first on or after the first day.
        let next = Some(&other).filter(|other| new.from <= other.to);
        match (record_benefit(&new, true, &stretches, next), want) {
            (Ok(()), None) => {}
            (Err(error), Some((class, code, field))) => {
                assert_eq!(told(&error), (class, vec![(code, field)]), "{from} {to}");
            }
            (got, want) => panic!("{from} {to}: {got:?} instead of {want:?}"),
        }
        let error = record_benefit(&new, false, &[], next).unwrap_err();
        assert_eq!(told(&error), (Class::NotFound, vec![("worker-not-found", "worker")]));
    }
}

/// The keys of secrets have such names, beside those of people.
#[test]
fn numbers_of_the_services_own_are_refused() {
    let worker = |number: &str| NewWorker { id: id(number), name: "Ann".to_owned(), email: None, bank_account: None };
    let refused = check_worker(&worker("secret:1")).unwrap_err();
    assert_eq!(told(&refused), (Class::Invalid, vec![("worker-reserved", "id")]));
    assert_eq!(check_worker(&worker("secret-1")), Ok(()));
}
