//! Matching by hand: what each rule says.

use backroom_domain::ledger::WriteOff;
use backroom_domain::rights::{Grant, Rights};
use backroom_office::ledger::{ItemFilter, ageing, list_open_items, match_items, post, reverse, unmatch};
use backroom_office::{PageRequest, Work};

use super::books::{code, day, id, told};
use super::{at, balances, company, dollars, euros, everything, matching, open, with_party};

fn posted(work: &mut Work) {
    for entry in [
        with_party(dollars("inv-1", "2026-01-10", "1210", "4100", 10_000), 0, "acme", Some("2026-02-09")),
        with_party(dollars("inv-2", "2026-03-01", "1210", "4100", 5_000), 0, "acme", None),
        with_party(dollars("inv-3", "2026-06-25", "1210", "4100", 700), 0, "other", Some("2026-07-25")),
        with_party(dollars("pay-1", "2026-04-01", "1000", "1210", 12_000), 1, "acme", None),
        euros("einv", "2026-01-15", "1200", "4000", 10_000, 110),
        euros("epay", "2026-05-15", "1010", "1200", 10_000, 115),
    ] {
        post(work, entry).unwrap();
    }
}

#[test]
fn a_payment_closes_invoices_in_part_and_whole_and_the_past_stays_as_it_was() {
    let books = company();
    books.set_up(posted);
    let mut work = books.work(everything());
    let pairs = [(at("inv-1", 0), at("pay-1", 1), 10_000), (at("inv-2", 0), at("pay-1", 1), 2_000)];
    let done = match_items(&mut work, matching("m1", "2026-04-02", &pairs)).unwrap();
    assert!(!done.replayed && !done.on_record.posted);
    assert_eq!(open(&work, "1210", None), [("inv-2".into(), 0, 3_000), ("inv-3".into(), 0, 700)]);
    let before = [("inv-1".into(), 0, 10_000), ("inv-2".into(), 0, 5_000), ("pay-1".into(), 1, 12_000)];
    let mut past = open(&work, "1210", Some("2026-04-01"));
    past.sort();
    assert_eq!(past, before);
    assert!(match_items(&mut work, matching("m1", "2026-04-02", &pairs)).unwrap().replayed);

    let undone = unmatch(&mut work, &id("m1"), "wrong invoice", None).unwrap();
    assert_eq!(undone.on_record.undone.unwrap().reason, "wrong invoice");
    assert_eq!(open(&work, "1210", None).len(), 4);
    assert!(unmatch(&mut work, &id("m1"), "wrong invoice", None).unwrap().replayed);
    assert_eq!(code(unmatch(&mut work, &id("m1"), "another reason", None)), "already-undone");
}

#[test]
fn ageing_counts_the_days_past_the_due_date() {
    let books = company();
    books.set_up(posted);
    let work = books.work(everything());
    let filter = ItemFilter { account: Some(id("1210")), party: None, as_of: Some(day("2026-04-10")) };
    let rows = ageing(&work, &filter, vec![30, 60]).unwrap();
    // inv-1 is 60 days late, inv-2 (due on its own day) 40, pay-1 stands on the other side and is 9 days old; inv-3 is not there yet.
    let figures: Vec<_> = rows.iter().map(|row| (row.current, row.overdue.clone(), row.total)).collect();
    assert_eq!(figures, [(0, vec![0, 15_000, 0], 15_000), (0, vec![12_000, 0, 0], 12_000)]);
    let later = ItemFilter { as_of: Some(day("2026-04-11")), ..filter.clone() };
    assert_eq!(ageing(&work, &later, vec![30, 60]).unwrap()[0].overdue, [0, 5_000, 10_000]);
    let other = ItemFilter { party: Some(id("other")), as_of: Some(day("2026-07-25")), ..filter };
    assert_eq!(ageing(&work, &other, vec![30]).unwrap()[0].current, 700);
    assert_eq!(code(ageing(&work, &other, vec![30, 30])), "buckets-invalid");
    assert_eq!(code(ageing(&work, &other, vec![0])), "buckets-invalid");
}

#[test]
fn what_the_rates_of_two_days_make_of_an_amount_is_posted_with_the_match() {
    let books = company();
    books.set_up(posted);
    let mut work = books.work(everything());
    // Sold at 1.10, paid at 1.15: the euros are worth 5.00 USD more.
    assert_eq!(balances(&work, "1200"), (0, -500));
    let mut new = matching("fx", "2026-05-15", &[(at("einv", 0), at("epay", 1), 10_000)]);
    assert_eq!(told(match_items(&mut work, new.clone())).1, "entry-needed");
    new.entry = Some(id("fx-entry"));
    assert!(match_items(&mut work, new).unwrap().on_record.posted);
    assert_eq!(
        (balances(&work, "1200"), balances(&work, "7100"), balances(&work, "7200")),
        ((0, 0), (-500, -500), (0, 0))
    );
    assert!(open(&work, "1200", None).is_empty());

    assert_eq!(code(unmatch(&mut work, &id("fx"), "wrong", None)), "entry-needed");
}

#[test]
fn an_undone_match_takes_back_what_it_posted() {
    let books = company();
    books.set_up(posted);
    let mut work = books.work(everything());
    let mut new = matching("fx", "2026-05-15", &[(at("einv", 0), at("epay", 1), 10_000)]);
    new.entry = Some(id("fx-entry"));
    match_items(&mut work, new).unwrap();
    unmatch(&mut work, &id("fx"), "wrong", Some(&id("fx-back"))).unwrap();
    assert_eq!((balances(&work, "1200"), balances(&work, "7100")), ((0, -500), (0, 0)));
    assert_eq!(open(&work, "1200", None).len(), 2);
}

#[test]
fn what_is_left_can_be_given_up_within_the_tolerance() {
    let books = company();
    books.set_up(posted);
    let mut work = books.work(everything());
    post(&mut work, dollars("pay-3", "2026-06-26", "1000", "1210", 650)).unwrap();
    let mut new = matching("w", "2026-06-26", &[(at("inv-3", 0), at("pay-3", 1), 650)]);
    new.write_off = Some(WriteOff { item: at("inv-3", 0), account: id("6900"), minor: 50 });
    new.entry = Some(id("w-entry"));
    assert_eq!(code(match_items(&mut work, new.clone())), "tolerance-exceeded");
    new.tolerance = 50;
    new.write_off.as_mut().unwrap().minor = 51;
    new.tolerance = 51;
    assert_eq!(code(match_items(&mut work, new.clone())), "over-match");
    new.write_off.as_mut().unwrap().minor = 50;
    match_items(&mut work, new).unwrap();
    assert_eq!(balances(&work, "6900"), (50, 50));
    assert!(open(&work, "1210", None).iter().all(|(entry, ..)| entry != "inv-3" && entry != "w-entry"));
    unmatch(&mut work, &id("w"), "he paid after all", Some(&id("w-back"))).unwrap();
    assert_eq!(balances(&work, "6900"), (0, 0));
    assert!(open(&work, "1210", None).contains(&("inv-3".into(), 0, 700)));
}

#[test]
fn an_entry_that_is_taken_back_leaves_nothing_open() {
    let books = company();
    books.set_up(posted);
    let mut work = books.work(everything());
    let asked = backroom_domain::ledger::Reversal {
        of: id("inv-2"),
        entry: id("inv-2-back"),
        date: Default::default(),
        reason: "wrong".into(),
        force: true,
    };
    reverse(&mut work, &asked).unwrap();
    let open = open(&work, "1210", None);
    assert!(open.iter().all(|(entry, ..)| !entry.starts_with("inv-2")), "{open:?}");
}

/// Each refusal, and that it comes before those behind it: every row breaks its rule and all the rules of the rows behind it that can
/// be broken at the same time.
#[test]
fn refusals_come_in_their_order() {
    let books = company();
    books.set_up(posted);
    let mut work = books.work(everything());
    let new = |pairs: &[(super::ItemRef, super::ItemRef, u64)]| matching("m", "2026-05-01", pairs);
    let rows = [
        ("pairs-invalid", new(&[])),
        ("pairs-invalid", new(&[(at("inv-1", 0), at("inv-1", 0), 1)])),
        ("amount-zero", new(&[(at("nowhere", 0), at("inv-1", 0), 0)])),
        ("item-not-found", new(&[(at("nowhere", 0), at("inv-1", 0), 1)])),
        ("item-not-found", new(&[(at("inv-1", 1), at("pay-1", 1), 1)])),
        ("item-not-found", new(&[(at("inv-1", 9), at("pay-1", 1), 1)])),
        ("wrong-side", new(&[(at("pay-1", 1), at("epay", 1), 99_999)])),
        ("wrong-side", new(&[(at("inv-1", 0), at("inv-2", 0), 99_999)])),
        ("different-account", new(&[(at("inv-1", 0), at("epay", 1), 99_999)])),
        ("different-party", new(&[(at("inv-3", 0), at("pay-1", 1), 99_999)])),
        ("over-match", new(&[(at("inv-1", 0), at("pay-1", 1), 10_001)])),
        ("over-match", new(&[(at("inv-1", 0), at("pay-1", 1), 10_000), (at("inv-2", 0), at("pay-1", 1), 2_001)])),
        ("item-closed", new(&[(at("inv-1", 0), at("pay-1", 1), 10_000), (at("inv-1", 0), at("pay-1", 1), 1)])),
    ];
    for (expected, new) in rows {
        assert_eq!(code(match_items(&mut work, new.clone())), expected, "{new:?}");
    }
    assert_eq!(work.effects().len(), 0, "what was refused left no trace");
    match_items(&mut work, new(&[(at("inv-1", 0), at("pay-1", 1), 5)])).unwrap();
    assert_eq!(code(match_items(&mut work, new(&[(at("inv-1", 0), at("pay-1", 1), 6)]))), "exists-with-different");
}

#[test]
fn who_may_not_read_or_post_learns_nothing() {
    let books = company();
    books.set_up(posted);
    let read = |accounts: &[&str]| {
        let mut grant = Grant::default();
        grant.ledger.read = serde_json::from_value(serde_json::json!(accounts)).unwrap();
        Rights::from(grant)
    };
    let work = books.work(read(&["1200"]));
    let filter = |account: Option<&str>| ItemFilter { account: account.map(id), ..ItemFilter::default() };
    let first = PageRequest::first(10);
    assert_eq!(code(list_open_items(&work, &filter(Some("1210")), &first)), "ledger-read-denied");
    assert_eq!(list_open_items(&work, &filter(None), &first).unwrap().items.len(), 2);
    drop(work);
    let mut grant = Grant::default();
    grant.ledger.read = serde_json::from_value(serde_json::json!(["1200"])).unwrap();
    grant.ledger.post = serde_json::from_value(serde_json::json!(["*"])).unwrap();
    let mut work = books.work(grant.into());
    let pair = [(at("inv-1", 0), at("pay-1", 1), 1)];
    assert_eq!(code(match_items(&mut work, matching("m", "2026-05-01", &pair))), "item-not-found");
    drop(work);
    let mut work = books.work(read(&["*"]));
    assert_eq!(code(match_items(&mut work, matching("m", "2026-05-01", &pair))), "ledger-post-denied");
    drop(work);
    let work = books.work(Rights::default());
    assert_eq!(code(list_open_items(&work, &filter(None), &first)), "ledger-read-denied");
}
