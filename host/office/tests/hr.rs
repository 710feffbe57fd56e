//! HR through its use cases: rights, refusals and their order, reading back.
#![allow(clippy::unwrap_used, reason = "what these tests set up is valid by construction")]
#![allow(clippy::panic, clippy::indexing_slicing, reason = "a failed helper is a failed test")]

mod books;

use backroom_domain::hr::{NewBenefit, NewEmployment, NewWorker, Place};
use backroom_domain::rights::{Grant, HrField, HrRights, Rights};
use backroom_domain::{Class, Effect};
use backroom_office::hr::{
    EmploymentFilter, add_employment, add_worker, bank_account, compensation, get_worker, list_benefits,
    list_employments, list_workers, record_benefit, worker_name,
};
use backroom_office::ledger::{create_account, post};
use backroom_office::{PageRequest, Work};
use books::{
    Books, NOW, account, all, benefit, code, commit, day, employment, entry, id, money, pair, patterns, told, worker,
};

/// W-1 works from the 16th of June on, after a change of place on the 21st; W-2 left on the 10th of July, W-3 never began.
fn people() -> Books {
    let books = Books::new();
    books.set_up(|work| {
        for name in ["W-1", "W-2", "W-3"] {
            add_worker(work, worker(name)).unwrap();
        }
        let office = NewEmployment { place: Place::Office, ..employment("W-1", "2026-06-16", Some("2026-06-20")) };
        add_employment(work, office).unwrap();
        add_employment(work, employment("W-1", "2026-06-21", None)).unwrap();
        let leaver = NewEmployment { position: id("CFO"), ..employment("W-2", "2020-01-01", Some("2026-07-10")) };
        add_employment(work, leaver).unwrap();
    });
    books
}

fn may_read(fields: &[HrField]) -> Rights {
    let hr = HrRights { read: fields.iter().copied().collect(), ..HrRights::default() };
    Grant { hr, ..Grant::default() }.into()
}

fn may_record() -> Rights {
    let hr =
        HrRights { benefits: patterns(&["housing"]), max_benefit: Some(money(50_000, "USD")), ..HrRights::default() };
    Grant { hr, ..Grant::default() }.into()
}

#[test]
fn benefits_are_refused_in_the_order_of_the_contract_and_leave_no_trace() {
    type Defect = (fn(&mut NewBenefit), Class, &'static str, &'static str);
    let defects: &[Defect] = &[
        (|b| b.plan = id("meals"), Class::Denied, "benefit-denied", ""),
        (|b| b.amount = money(1, "EUR"), Class::Denied, "benefit-amount-denied", ""),
        (|b| b.to = day("2026-06-01"), Class::Invalid, "period-invalid", "last-day"),
        (|b| b.id = id("first"), Class::Conflict, "exists-with-different", "first-day"),
        (|b| b.worker = id("W-9"), Class::NotFound, "worker-not-found", "worker"),
        (|b| b.from = day("2026-06-15"), Class::Refused, "not-employed", "first-day"),
        (|b| b.to = day("2026-07-01"), Class::Refused, "overlapping-benefit", "first-day"),
    ];
    let books = people();
    books.set_up(|work| {
        record_benefit(work, benefit("first", "W-1", "2026-07-01", "2026-07-31")).unwrap();
    });
    let good = || benefit("second", "W-1", "2026-06-16", "2026-06-30");
    let mut work = books.work(may_record());
    for (i, (first, class, want, field)) in defects.iter().enumerate() {
        let mut alone = good();
        first(&mut alone);
        let got = told(record_benefit(&mut work, alone));
        assert_eq!((got.0, got.1.as_str(), got.2.as_str()), (*class, *want, *field));
        for (second, _, also, _) in &defects[i + 1..] {
            let mut both = good();
            second(&mut both);
            first(&mut both);
            assert_eq!(code(record_benefit(&mut work, both)), *want, "with {also}");
        }
    }
    let above = NewBenefit { amount: money(50_001, "USD"), ..good() };
    assert_eq!(code(record_benefit(&mut work, above)), "benefit-amount-denied");
    let nothing = NewBenefit { amount: money(0, "USD"), ..good() };
    assert_eq!(code(record_benefit(&mut work, nothing)), "amount-zero");
    assert_eq!((work.tx().changes(), work.effects().len()), (0, 0));

    // Over the change of place, up to the day before the next line.
    let made = record_benefit(&mut work, good()).unwrap();
    assert_eq!((made.replayed, made.benefit.recorded_at, &made.benefit.run), (false, NOW, &Some(id("run-1"))));
    assert_eq!(work.effects(), [Effect::BenefitRecorded(made.benefit.clone())]);
    let changes = work.tx().changes();
    let again = record_benefit(&mut work, good()).unwrap();
    assert_eq!((again.replayed, again.benefit), (true, made.benefit));
    assert_eq!((work.tx().changes(), work.effects().len()), (changes, 1));
}

/// The id of a line is no way to learn of people outside of the group: what is on record of them is as if not there.
#[test]
fn a_repeat_is_answered_within_the_group_alone() {
    let books = people();
    let (own, other) =
        (benefit("a", "W-1", "2026-07-01", "2026-07-10"), benefit("b", "W-2", "2026-07-01", "2026-07-10"));
    books.set_up(|work| {
        record_benefit(work, own.clone()).unwrap();
        record_benefit(work, other.clone()).unwrap();
    });
    let hr = HrRights { benefits: patterns(&["*"]), positions: patterns(&["CPA"]), ..HrRights::default() };
    let mut work = books.work(Grant { hr, ..Grant::default() }.into());
    assert!(record_benefit(&mut work, own.clone()).unwrap().replayed);
    let changed = NewBenefit { amount: money(1, "USD"), ..own };
    assert_eq!(code(record_benefit(&mut work, changed)), "exists-with-different");
    for amount in [other.amount, money(1, "USD")] {
        let again = NewBenefit { amount, ..other.clone() };
        assert_eq!(code(record_benefit(&mut work, again)), "worker-not-found");
    }
    drop(work);
    let mut work = books.work(Rights::all());
    assert!(record_benefit(&mut work, other).unwrap().replayed);
}

#[test]
fn lines_of_other_workers_and_plans_stand_in_nobodys_way() {
    let books = people();
    let mut work = books.work(Rights::all());
    record_benefit(&mut work, benefit("a", "W-1", "2026-07-01", "2026-07-10")).unwrap();
    record_benefit(&mut work, benefit("b", "W-2", "2026-07-01", "2026-07-10")).unwrap();
    let meals = NewBenefit { plan: id("meals"), ..benefit("c", "W-1", "2026-07-01", "2026-07-10") };
    record_benefit(&mut work, meals).unwrap();
    let got = code(record_benefit(&mut work, benefit("d", "W-1", "2026-07-10", "2026-07-10")));
    assert_eq!(got, "overlapping-benefit", "one's own staged line does");
}

#[test]
fn a_named_entry_must_exist_in_the_end_whichever_came_first() {
    let books = people();
    books.set_up(|work| {
        create_account(work, account("1000", "USD")).unwrap();
    });
    let named = || NewBenefit { entry: Some(id("e-1")), ..benefit("b", "W-1", "2026-07-01", "2026-07-31") };
    let mut work = books.work(Rights::all());
    record_benefit(&mut work, named()).unwrap();
    let got = told(work.seal().map(|sealed| sealed.effects));
    assert_eq!((got.0, got.1.as_str(), got.2.as_str()), (Class::Refused, "entry-missing", "entry"));

    let mut work = books.work(Rights::all());
    record_benefit(&mut work, named()).unwrap();
    post(&mut work, entry("e-1", "2026-07-31", pair("1000", "1000", 1, "USD"))).unwrap();
    commit(work);
}

#[test]
fn workers_and_employments_are_refused_in_the_order_of_the_contract() {
    let books = people();
    let mut work = books.work(Grant { administer: false, ..Grant::all() }.into());
    assert_eq!(code(add_worker(&mut work, NewWorker { name: String::new(), ..worker("W-4") })), "administer-denied");
    let backwards = employment("W-9", "2026-07-11", Some("2026-07-10"));
    assert_eq!(code(add_employment(&mut work, backwards)), "administer-denied");
    drop(work);

    let mut work = books.work(Rights::all());
    assert_eq!(code(add_worker(&mut work, NewWorker { name: String::new(), ..worker("W-1") })), "text-invalid");
    let renamed = NewWorker { name: "Other".to_owned(), ..worker("W-1") };
    let got = told(add_worker(&mut work, renamed));
    assert_eq!((got.0, got.1.as_str(), got.2.as_str()), (Class::Conflict, "exists-with-different", "name"));

    type Defect = (fn(&mut NewEmployment), Class, &'static str, &'static str);
    let defects: &[Defect] = &[
        (|e| e.to = Some(day("2019-01-01")), Class::Invalid, "period-invalid", "last-day"),
        (|e| e.from = day("2020-01-01"), Class::Conflict, "exists-with-different", "position"),
        (|e| e.worker = id("W-9"), Class::NotFound, "worker-not-found", "worker"),
        (|e| e.from = day("2026-07-10"), Class::Refused, "overlapping-employment", "first-day"),
    ];
    let good = || employment("W-2", "2026-07-11", None);
    for (first, class, want, field) in defects {
        let mut alone = good();
        first(&mut alone);
        let got = told(add_employment(&mut work, alone));
        assert_eq!((got.0, got.1.as_str()), (*class, *want));
        assert!(got.2 == *field || *want == "exists-with-different", "{}", got.2);
    }
    let mut both = employment("W-2", "2020-01-01", Some("2019-01-01"));
    assert_eq!(code(add_employment(&mut work, both.clone())), "period-invalid");
    (both.worker, both.from) = (id("W-9"), day("2020-01-01"));
    both.to = None;
    assert_eq!(code(add_employment(&mut work, both)), "worker-not-found");
    assert_eq!((work.tx().changes(), work.effects().len()), (0, 0));

    let made = add_employment(&mut work, good()).unwrap();
    let new = add_worker(&mut work, worker("W-4")).unwrap();
    assert_eq!(work.effects(), [Effect::EmploymentAdded(made.clone()), Effect::WorkerAdded(new.clone())]);
    let changes = work.tx().changes();
    assert_eq!(add_employment(&mut work, good()).unwrap(), made);
    assert_eq!(add_worker(&mut work, worker("W-4")).unwrap(), new);
    assert_eq!((work.tx().changes(), work.effects().len()), (changes, 2));
}

#[test]
fn every_field_of_people_has_a_right_of_its_own() {
    use HrField::{Bank, Benefits, Compensation, Contact, Employment, Name};
    let books = people();
    let (w1, june) = (id("W-1"), day("2026-06-30"));
    for granted in [Employment, Name, Contact, Compensation, Bank, Benefits].map(Some).into_iter().chain([None]) {
        let may = |field| granted == Some(field);
        let work = books.work(may_read(granted.as_slice()));
        let outcome = |result: backroom_office::Result<()>| match result {
            Ok(()) => "ok".to_owned(),
            denied => code(denied),
        };
        let request = PageRequest::first(10);
        let everything = EmploymentFilter::default();
        let rows = [
            (may(Name), outcome(worker_name(&work, &w1).map(|_| ()))),
            (may(Bank), outcome(bank_account(&work, &w1).map(|_| ()))),
            (may(Compensation), outcome(compensation(&work, &w1, june).map(|_| ()))),
            (may(Employment), outcome(list_employments(&work, &everything, &request).map(|_| ()))),
            (may(Benefits), outcome(list_benefits(&work, &id("housing"), june, june, &request).map(|_| ()))),
            (granted.is_some(), outcome(get_worker(&work, &w1).map(|_| ()))),
            (granted.is_some(), outcome(list_workers(&work, &request).map(|_| ()))),
        ];
        for (i, (ok, got)) in rows.into_iter().enumerate() {
            assert_eq!(got, if ok { "ok" } else { "hr-read-denied" }, "row {i} with {granted:?}");
        }
        // Denied before it is looked at: whether the worker exists is not told.
        assert_eq!(code(worker_name(&work, &id("W-9"))), if may(Name) { "not-found" } else { "hr-read-denied" });
        if granted.is_some() {
            let view = get_worker(&work, &w1).unwrap();
            assert_eq!(view.name.is_some(), may(Name));
            assert_eq!(view.email.is_some(), may(Contact));
            assert_eq!(view.bank_account.is_some(), may(Bank));
            assert_eq!(list_workers(&work, &request).unwrap().items[0], view);
        }
    }
    let work = books.work(may_read(&[Employment]));
    let everything = EmploymentFilter::default();
    assert!(all(2, |page| list_employments(&work, &everything, page)).iter().all(|e| e.new.salary.is_none()));
    drop(work);
    let work = books.work(may_read(&[Employment, Compensation]));
    assert!(all(2, |page| list_employments(&work, &everything, page)).iter().all(|e| e.new.salary.is_some()));
}

#[test]
fn what_is_on_record_can_be_read() {
    let books = people();
    let work = books.work(Rights::all());
    assert_eq!(worker_name(&work, &id("W-2")).unwrap(), "Worker W-2");
    assert_eq!(bank_account(&work, &id("W-2")).unwrap().as_deref(), Some("IBAN W-2"));
    assert_eq!(all(1, |page| list_workers(&work, page)).len(), 3);
    let pay = |worker: &str, date: &str| compensation(&work, &id(worker), day(date));
    assert_eq!(pay("W-2", "2026-07-10").unwrap(), Some(money(600_000, "USD")));
    assert_eq!(pay("W-2", "2020-01-01").unwrap(), Some(money(600_000, "USD")));
    for (worker, date) in [("W-2", "2026-07-11"), ("W-2", "2019-12-31"), ("W-3", "2026-07-10"), ("W-9", "2026-07-10")] {
        let got = told(pay(worker, date));
        assert_eq!((got.0, got.1.as_str()), (Class::NotFound, "not-found"), "{worker} {date}");
    }
    for missing in [told(get_worker(&work, &id("W-9"))), told(bank_account(&work, &id("W-9")))] {
        assert_eq!((missing.0, missing.1.as_str()), (Class::NotFound, "not-found"));
    }
}

#[test]
fn employments_are_found_by_days_position_and_place() {
    let books = people();
    let work = books.work(Rights::all());
    let found = |first: Option<&str>, last: Option<&str>, position: Option<&str>, place| {
        let filter =
            EmploymentFilter { first_day: first.map(day), last_day: last.map(day), position: position.map(id), place };
        all(1, |page| list_employments(&work, &filter, page))
            .into_iter()
            .map(|e| format!("{} {}", e.new.worker, e.new.from))
            .collect::<Vec<_>>()
    };
    let (early, late, other) = ("W-1 2026-06-16", "W-1 2026-06-21", "W-2 2020-01-01");
    assert_eq!(found(None, None, None, None), [early, late, other]);
    assert_eq!(found(Some("2026-06-01"), Some("2026-06-15"), None, None), [other]);
    assert_eq!(found(Some("2026-06-01"), Some("2026-06-16"), None, None), [early, other]);
    assert_eq!(found(Some("2026-06-20"), Some("2026-06-21"), None, None), [early, late, other]);
    assert_eq!(found(Some("2026-06-21"), None, None, None), [late, other]);
    assert_eq!(found(Some("2026-07-10"), None, None, None), [late, other]);
    assert_eq!(found(Some("2026-07-11"), None, None, None), [late]);
    assert_eq!(found(None, Some("2019-12-31"), None, None), [""; 0]);
    assert_eq!(found(None, None, Some("CPA"), None), [early, late]);
    assert_eq!(found(None, None, None, Some(Place::Remote)), [late, other]);
    assert_eq!(found(None, None, Some("CPA"), Some(Place::Remote)), [late]);

    let backwards = EmploymentFilter {
        first_day: Some(day("2026-07-01")),
        last_day: Some(day("2026-06-30")),
        ..EmploymentFilter::default()
    };
    let got = told(list_employments(&work, &backwards, &PageRequest::first(1)));
    assert_eq!((got.0, got.1.as_str(), got.2.as_str()), (Class::Invalid, "date-invalid", "last-day"));
}

#[test]
fn benefits_are_listed_by_plan_and_first_day() {
    let books = people();
    books.set_up(|work| {
        for (name, worker, from, to) in [
            ("a", "W-2", "2026-05-01", "2026-05-31"),
            ("b", "W-2", "2026-06-01", "2026-06-30"),
            ("c", "W-1", "2026-07-01", "2026-07-31"),
            ("d", "W-2", "2026-07-01", "2026-07-10"),
        ] {
            record_benefit(work, benefit(name, worker, from, to)).unwrap();
        }
        let meals = NewBenefit { plan: id("housing.meals"), ..benefit("e", "W-2", "2026-06-01", "2026-06-30") };
        record_benefit(work, meals).unwrap();
    });
    let work = books.work(Rights::all());
    let found = |plan: &str, first: &str, last: &str| {
        all(1, |page| list_benefits(&work, &id(plan), day(first), day(last), page))
            .into_iter()
            .map(|b| b.new.id.to_string())
            .collect::<String>()
    };
    let rows = [
        ("housing", "1900-01-01", "2999-12-31", "abcd"),
        ("housing", "2026-05-01", "2026-06-30", "ab"),
        ("housing", "2026-05-02", "2026-07-01", "bcd"),
        ("housing", "2026-06-01", "2026-06-01", "b"),
        ("housing", "2026-06-02", "2026-06-30", ""),
        ("housing.meals", "1900-01-01", "2999-12-31", "e"),
        ("hous", "1900-01-01", "2999-12-31", ""),
    ];
    for (plan, first, last, want) in rows {
        assert_eq!(found(plan, first, last), want, "{plan} {first} {last}");
    }
    // A cursor of an earlier place does not reach before the first day that is asked for.
    let june =
        |request: &PageRequest| list_benefits(&work, &id("housing"), day("2026-06-01"), day("2026-06-30"), request);
    let start = PageRequest { cursor: Some("00".to_owned()), limit: 500 };
    assert_eq!(june(&start).unwrap().items.len(), 1);
    let got = told(list_benefits(&work, &id("p"), day("2026-06-02"), day("2026-06-01"), &PageRequest::first(1)));
    assert_eq!((got.0, got.1.as_str()), (Class::Invalid, "date-invalid"));
    assert_eq!(code(june(&PageRequest::first(0))), "limit-invalid");
}

#[test]
fn lists_of_people_visit_a_bounded_number_of_records() {
    let books = Books::new();
    let set_up = |work: &mut Work| {
        for n in 0..5_000 {
            let name = format!("W-{n:05}");
            add_worker(work, worker(&name)).unwrap();
            let office = NewEmployment { place: Place::Office, ..employment(&name, "2026-01-01", None) };
            add_employment(work, office).unwrap();
        }
        add_worker(work, worker("W-99999")).unwrap();
        add_employment(work, employment("W-99999", "2026-01-01", None)).unwrap();
    };
    books.set_up(set_up);
    let work = books.work(Rights::all());
    let remote = EmploymentFilter { place: Some(Place::Remote), ..EmploymentFilter::default() };
    let first = list_employments(&work, &remote, &PageRequest::first(10)).unwrap();
    assert_eq!(first.items, []);
    let second = list_employments(&work, &remote, &PageRequest { cursor: first.next, limit: 10 }).unwrap();
    assert_eq!((second.items.len(), second.next), (1, None));
}
