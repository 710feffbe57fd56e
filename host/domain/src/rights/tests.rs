//! What is allowed by whom, one row a case.

use std::sync::Arc;

use super::*;
use crate::hr::Place;
use crate::ledger::{AccountType, Line};
use crate::{Currency, Id, Money, Side};

fn id(text: &str) -> Id {
    Id::parse(text, "id").unwrap()
}

fn day(text: &str) -> BusinessDate {
    BusinessDate::parse(text, "day").unwrap()
}

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

fn ledger(change: impl FnOnce(&mut LedgerRights)) -> Rights {
    let mut rights = LedgerRights::default();
    change(&mut rights);
    Grant { ledger: rights, ..Grant::default() }.into()
}

fn accounts(sets: &[&str]) -> Vec<Accounts> {
    sets.iter().map(|set| Accounts::parse(set).unwrap()).collect()
}

fn patterns(sets: &[&str]) -> Vec<Pattern> {
    sets.iter().map(|set| Pattern::parse(set).unwrap()).collect()
}

fn line(account: &str, side: Side, amount: &str) -> Line {
    Line { account: id(account), side, amount: money(amount), dimensions: Vec::new(), memo: None, details: None }
}

/// Debits 6100 and credits 2100.
fn entry(amount: &str) -> [Line; 2] {
    [line("6100", Side::Debit, amount), line("2100", Side::Credit, amount)]
}

const KINDS: [Option<AccountType>; 2] = [Some(AccountType::Expense), Some(AccountType::Liability)];

/// The code of the denial of 100.00 USD for 2026-06-15 in a run for 2026-06-30, under one layer.
fn posting(rights: Rights, used: &[(Currency, Used)]) -> Option<String> {
    let lines = entry("100.00 USD");
    let posting = Posting {
        lines: &lines,
        kinds: &KINDS,
        date: Some(day("2026-06-15")),
        today: day("2026-06-30"),
        amounts: true,
        used,
    };
    let layers = [Arc::new(Rights::all()), Arc::new(rights)];
    let layers = Layers::new(&layers, day("2026-07-01"));
    layers.check_post(Operation::JournalPost, &posting).err().map(|error| error.code().to_owned())
}

#[test]
fn a_posting_meets_every_condition_of_one_grant() {
    let both = |change: fn(&mut LedgerRights)| {
        ledger(move |r| {
            r.post = accounts(&["6100", "2100"]);
            change(r);
        })
    };
    let window = |change: fn(&mut Window)| {
        let mut window = Window::default();
        change(&mut window);
        ledger(move |r| (r.post, r.window) = (accounts(&["*"]), Some(window)))
    };
    let rows: Vec<(Rights, Option<&str>)> = vec![
        (both(|_| ()), None),
        (ledger(|r| r.post = accounts(&["6100"])), Some("ledger-post-denied")),
        (ledger(|r| r.post = accounts(&["type=expense", "21* type=liability"])), None),
        (ledger(|r| r.post = accounts(&["type=expense", "type=asset"])), Some("ledger-post-denied")),
        (ledger(|r| (r.debit, r.credit) = (accounts(&["61*"]), accounts(&["2100"]))), None),
        (ledger(|r| (r.credit, r.debit) = (accounts(&["61*"]), accounts(&["2100"]))), Some("ledger-post-denied")),
        (ledger(|r| (r.post, r.credit) = (accounts(&["61*"]), accounts(&["2100"]))), None),
        (both(|r| r.currencies = vec![Currency::parse("USD", "c").unwrap()]), None),
        (both(|r| r.currencies = vec![Currency::parse("EUR", "c").unwrap()]), Some("ledger-currency-denied")),
        (both(|r| r.max_entry = Some(money("100.00 USD"))), None),
        (both(|r| r.max_entry = Some(money("99.99 USD"))), Some("ledger-amount-denied")),
        (both(|r| r.max_entry = Some(money("500.00 EUR"))), Some("ledger-amount-denied")),
        (window(|w| w.from = Some(day("2026-06-15"))), None),
        (window(|w| w.from = Some(day("2026-06-16"))), Some("ledger-date-denied")),
        (window(|w| w.to = Some(day("2026-06-15"))), None),
        (window(|w| w.to = Some(day("2026-06-14"))), Some("ledger-date-denied")),
        (window(|w| w.days_before = Some(15)), None),
        (window(|w| w.days_before = Some(14)), Some("ledger-date-denied")),
        (window(|w| w.days_after = Some(0)), None),
        (Rights::default(), Some("ledger-post-denied")),
        // Two grants, each of which allows a part: none allows the whole.
        (
            vec![
                Grant { ledger: LedgerRights { post: accounts(&["6100"]), ..Default::default() }, ..Grant::default() },
                Grant { ledger: LedgerRights { post: accounts(&["2100"]), ..Default::default() }, ..Grant::default() },
            ]
            .into(),
            Some("ledger-post-denied"),
        ),
        // The first has the accounts and the second the amount: the code says how far it went.
        (
            vec![
                Grant {
                    ledger: LedgerRights {
                        post: accounts(&["*"]),
                        max_entry: Some(money("1.00 USD")),
                        ..Default::default()
                    },
                    ..Grant::default()
                },
                Grant { ledger: LedgerRights { post: accounts(&["9*"]), ..Default::default() }, ..Grant::default() },
            ]
            .into(),
            Some("ledger-amount-denied"),
        ),
    ];
    for (rights, code) in rows {
        assert_eq!(posting(rights.clone(), &[]).as_deref(), code, "{rights:?}");
    }
}

#[test]
fn sums_of_run_and_day_count_what_was_before() {
    let usd = Currency::parse("USD", "c").unwrap();
    let limits = |run: &str, day: &str| {
        ledger(|r| {
            (r.post, r.max_run, r.max_day) = (accounts(&["*"]), Some(money(run)), Some(money(day)));
        })
    };
    let used = [(usd, Used { run: 5_000, day: 30_000 })];
    let rows = [
        ("150.00 USD", "400.00 USD", None),
        ("149.99 USD", "400.00 USD", Some("ledger-run-amount-denied")),
        ("150.00 USD", "399.99 USD", Some("ledger-day-amount-denied")),
        ("150.00 EUR", "400.00 USD", Some("ledger-run-amount-denied")),
    ];
    for (run, day, code) in rows {
        assert_eq!(posting(limits(run, day), &used).as_deref(), code, "{run} {day}");
    }
    assert_eq!(posting(limits("0.01 USD", "0.01 USD"), &[]), None, "not looked at before it is known");
}

#[test]
fn grants_end_and_are_for_operations() {
    let all = [Arc::new(Rights::all())];
    let check = |grant: Grant, today: &str| {
        let layers = [Arc::clone(&all[0]), Arc::new(grant.into())];
        Layers::new(&layers, day(today)).read_account(Operation::AccountsGet, &id("1000"), None)
    };
    let grant = || Grant { expires: Some(day("2026-06-30")), ..Grant::all() };
    assert!(check(grant(), "2026-06-30"));
    assert!(!check(grant(), "2026-07-01"));
    let only = |operations: &[Operation]| Grant { operations: Some(Operations::of(operations)), ..Grant::all() };
    assert!(check(only(&[Operation::AccountsGet]), "2026-06-30"));
    assert!(!check(only(&[Operation::AccountsList, Operation::JournalPost]), "2026-06-30"));
    assert!(!Layers::new(&[], day("2026-06-30")).read_account(Operation::AccountsGet, &id("1000"), None));
    let none = [Arc::clone(&all[0]), Arc::new(Rights::default())];
    assert!(!Layers::new(&none, day("2026-06-30")).read_account(Operation::AccountsGet, &id("1000"), None));
}

#[test]
fn workers_outside_of_the_group_are_not_seen() {
    let (cc, cpa) = (id("CC-410"), id("CPA"));
    let employee = Employee { cost_center: &cc, position: &cpa, place: Place::Remote };
    let rows: Vec<(HrRights, bool)> = vec![
        (HrRights::default(), true),
        (HrRights { cost_centers: patterns(&["CC-4*"]), ..HrRights::default() }, true),
        (HrRights { cost_centers: patterns(&["CC-5*"]), ..HrRights::default() }, false),
        (HrRights { positions: patterns(&["CPA"]), places: [Place::Remote].into(), ..HrRights::default() }, true),
        (HrRights { positions: patterns(&["CPA"]), places: [Place::Office].into(), ..HrRights::default() }, false),
    ];
    for (group, sees) in rows {
        let rights = HrRights { read: [HrField::Name].into(), ..group };
        let has_group = rights.cost_centers.len() + rights.positions.len() > 0;
        let layers = [Arc::new(Rights::from(Grant { hr: rights, ..Grant::default() }))];
        let layers = Layers::new(&layers, day("2026-06-30"));
        assert_eq!(layers.sees(Operation::GetName, HrField::Name, Some(employee)), sees);
        assert_eq!(layers.sees(Operation::GetName, HrField::Name, None), !has_group, "never employed");
        assert!(!layers.sees(Operation::GetName, HrField::Bank, Some(employee)));
        assert_eq!(layers.names_worker(Some(employee)), sees);
    }
}

#[test]
fn moves_meet_every_condition_of_one_grant() {
    let quantity = |text: &str| Decimal::parse(text, "q").unwrap();
    let base = || InventoryRights {
        move_items: patterns(&["LAPTOP*"]),
        move_from: patterns(&["WH"]),
        move_to: patterns(&["STAFF"]),
        ..InventoryRights::default()
    };
    let rows: Vec<(InventoryRights, Option<&str>)> = vec![
        (base(), None),
        (InventoryRights { move_from: patterns(&["WEST"]), ..base() }, Some("move-denied")),
        (InventoryRights { max_quantity: Some(quantity("2.000")), ..base() }, None),
        (InventoryRights { max_quantity: Some(quantity("1.9")), ..base() }, Some("move-quantity-denied")),
        (InventoryRights { max_value: Some(money("1000.00 USD")), ..base() }, None),
        (InventoryRights { max_value: Some(money("999.99 USD")), ..base() }, Some("move-value-denied")),
        (InventoryRights { max_quantity_run: Some(quantity("5")), ..base() }, None),
        (InventoryRights { max_quantity_run: Some(quantity("4.9")), ..base() }, Some("move-run-denied")),
        (InventoryRights { max_quantity_day: Some(quantity("11.9")), ..base() }, Some("move-day-denied")),
        (InventoryRights { max_value_run: Some(money("1499.99 USD")), ..base() }, Some("move-run-denied")),
        (InventoryRights { max_value_day: Some(money("1999.99 USD")), ..base() }, Some("move-day-denied")),
        (InventoryRights { max_value_day: Some(money("2000.00 USD")), ..base() }, None),
    ];
    let (item, from, to) = (id("LAPTOP-14"), id("WH"), id("STAFF"));
    let at = |whole: u32| Used::of(Decimal::whole(whole));
    let moving = Moving {
        item: Some(&item),
        from: Some(&from),
        to: Some(&to),
        quantity: Some(quantity("2")),
        value: Some(money("1000.00 USD")),
        used_quantity: Some(Used { run: at(3), day: at(10) }),
        used_value: Some(Used { run: 50_000, day: 100_000 }),
    };
    for (rights, code) in rows {
        let layers = [Arc::new(Rights::from(Grant { inventory: rights.clone(), ..Grant::default() }))];
        let denied = Layers::new(&layers, day("2026-06-30")).check_move(&moving).err();
        assert_eq!(denied.as_ref().map(Error::code), code, "{rights:?}");
    }
}

fn toml_like(json: &str) -> Rights {
    serde_json::from_str(json).unwrap()
}

#[test]
fn what_is_wrong_with_grants_is_named() {
    let rows = [
        (r#"[{"ledger":{"read":["*"]}}]"#, "wants[1].why"),
        (r#"[{"why":" ","state":true}]"#, "wants[1].why"),
        (r#"[{"why":"x"}]"#, "wants[1]"),
        (r#"[{"why":"x","ledger":{"max-entry":"1.00 USD"}}]"#, "wants[1].ledger"),
        (r#"[{"why":"x","ledger":{"post":["*"],"window":{}}}]"#, "wants[1].ledger.window"),
        (r#"[{"why":"x","state":true},{"why":"x","administer":true}]"#, "wants[2].administer"),
        (r#"[{"why":"x","state":true,"owner":"Ann"}]"#, "wants[1].owner"),
        (r#"[{"why":"x","inventory":{"move-items":["*"]}}]"#, "wants[1].inventory"),
        (r#"[{"why":"x","hr":{"positions":["CPA"]}}]"#, "wants[1].hr"),
    ];
    for (json, field) in rows {
        let error = toml_like(json).check_wants().unwrap_err();
        assert_eq!(error.code(), "grant-invalid");
        assert_eq!(error.problems[0].field.as_deref(), Some(field), "{json}");
    }
    assert!(toml_like(r#"[{"state":true,"owner":"Ann","expires":"2026-12-31"}]"#).check_grants().is_ok());
    let many = vec![Grant { state: true, ..Grant::default() }; MAX_GRANTS + 1];
    assert!(Rights::from(many).check_grants().is_err());
    for json in [
        r#"{"state":true}"#,
        r#"[{"states":true}]"#,
        r#"[{"ledger":{"pots":["*"]}}]"#,
        r#"[{"operations":["journal.pots"],"state":true}]"#,
        r#"[{"operations":[],"state":true}]"#,
        r#"[{"hr":{"read":["wages"]}}]"#,
    ] {
        assert!(serde_json::from_str::<Rights>(json).is_err(), "{json}");
    }
    assert_eq!(toml_like(r#"[{"hr":{"read":["salary"]}}]"#), toml_like(r#"[{"hr":{"read":["compensation"]}}]"#));
}

#[test]
fn rights_of_before_are_read_and_what_they_say_is_written_so() {
    let plain = Grant {
        ledger: LedgerRights {
            read: accounts(&["1*"]),
            post: accounts(&["61*"]),
            max_entry: Some(money("500.00 USD")),
            ..LedgerRights::default()
        },
        hr: HrRights { read: [HrField::Name].into(), benefits: patterns(&["P"]), ..HrRights::default() },
        inventory: InventoryRights {
            read: patterns(&["*"]),
            move_items: patterns(&["L"]),
            move_from: patterns(&["A"]),
            move_to: patterns(&["B"]),
            ..InventoryRights::default()
        },
        state: true,
        ..Grant::default()
    };
    let bytes = minicbor::to_vec(Rights::from(plain.clone())).unwrap();
    assert_eq!(hex(&bytes), OLD);
    assert_eq!(minicbor::decode::<Rights>(&bytes).unwrap(), Rights::from(plain.clone()));
    assert_eq!(hex(&minicbor::to_vec(Rights::default()).unwrap()), OLD_NONE);
    let all = Grant::all();
    let ledger = LedgerRights {
        periods: Vec::new(),
        rates: Vec::new(),
        budgets: Vec::new(),
        chart: Vec::new(),
        ..all.ledger.clone()
    };
    let (files, http, secrets) = (FilesRights::default(), Vec::new(), Vec::new());
    let all_of_then = Grant { ledger, observe: false, files, http, secrets, ..all };
    assert_eq!(hex(&minicbor::to_vec(Rights::from(all_of_then)).unwrap()), OLD_ALL);
    // What the five fields cannot say: an old host must see nothing of it, not something wider.
    let rich = [
        Grant { why: Some("x".into()), ..plain.clone() },
        Grant { expires: Some(day("2026-12-31")), ..plain.clone() },
        Grant { operations: Some(Operations::of(&[Operation::JournalPost])), ..plain.clone() },
        Grant { ledger: LedgerRights { max_run: Some(money("1.00 USD")), ..plain.ledger.clone() }, ..Grant::default() },
        Grant {
            ledger: LedgerRights { read: accounts(&["type=asset"]), ..LedgerRights::default() },
            ..Grant::default()
        },
        Grant { hr: HrRights { positions: patterns(&["CPA"]), ..plain.hr.clone() }, ..Grant::default() },
        Grant {
            inventory: InventoryRights { max_quantity: Some(Decimal::whole(1)), ..plain.inventory },
            ..Grant::default()
        },
    ];
    for grants in rich.iter().map(|one| vec![one.clone()]).chain([rich.to_vec()]) {
        let rights = Rights::from(grants);
        let bytes = minicbor::to_vec(&rights).unwrap();
        assert!(hex(&bytes).starts_with(&OLD_NONE.replacen("85", "86", 1)), "{rights:?}");
        assert_eq!(minicbor::decode::<Rights>(&bytes).unwrap(), rights);
        let json = serde_json::to_string(&rights).unwrap();
        assert_eq!(serde_json::from_str::<Rights>(&json).unwrap(), rights, "{json}");
    }
}

/// What the release before wrote: for the rights in the test, for none, and for all.
const OLD: &str = "85838162312a816336312a8219c35081435553448281018161508481612a81614c816141816142f4f5";
const OLD_NONE: &str = "858280808280808480808080f4f4";
const OLD_ALL: &str = "858281612a81612a828600010203040581612a8481612a81612a81612a81612af5f5";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn what_goes_beyond_is_told() {
    let before = toml_like(
        r#"[{"ledger":{"read":["*"],"post":["6100","2300"],"max-entry":"500.00 USD"},"hr":{"read":["name"]},"state":true}]"#,
    );
    let after = toml_like(
        r#"[{"ledger":{"read":["1*"],"post":["61*"],"max-entry":"1000.00 USD"},"hr":{"read":["name","bank"]}}]"#,
    );
    let lines = |lines: &[Beyond]| lines.iter().map(ToString::to_string).collect::<Vec<_>>();
    let change = Change::between(&before, &after);
    assert!(change.added.is_empty());
    assert_eq!(
        lines(&change.wider),
        [
            "hr.read bank (instead of name)",
            "ledger.credit 61* (instead of 6100, 2300)",
            "ledger.debit 61* (instead of 6100, 2300)",
            "ledger.max-entry 1000.00 USD (instead of 500.00 USD)",
        ]
    );
    assert_eq!(lines(&change.gone), ["state yes"]);
    assert_eq!(
        lines(&change.narrower),
        ["ledger.credit 61* (instead of 2300)", "ledger.debit 61* (instead of 2300)", "ledger.read 1* (instead of *)"]
    );
    assert!(Change::between(&before, &before).is_none());
    assert!(!Change::between(&after, &Rights::default()).grows());
    assert!(Change::between(&Rights::default(), &after).grows());
    // Fewer conditions are more rights.
    let narrow =
        r#"[{"operations":["journal.post"],"ledger":{"post":["*"],"window":{"days-before":5},"currencies":["USD"]}}]"#;
    let wide = toml_like(r#"[{"ledger":{"post":["*"]}}]"#);
    let change = Change::between(&toml_like(narrow), &wide);
    let rights: Vec<_> = change.wider.iter().map(|line| line.right.as_str()).collect();
    assert_eq!(rights, ["ledger.currencies", "ledger.window.days-before", "operations"]);
    assert!(!Change::between(&wide, &toml_like(narrow)).grows());
    assert_eq!(missing(&before, &after), ["state"]);
}

#[test]
fn rights_are_said_in_sentences() {
    let rights = toml_like(
        r#"[{"why":"Books the allowances.","ledger":{"read":["61*"],"debit":["6140"],"credit":["type=liability"],
            "max-entry":"500.00 USD","max-day":"9000.00 USD"}},
            {"why":"Who works where.","hr":{"read":["employment","salary"],"positions":["CPA"]},"expires":"2026-12-31"},
            {"state":true,"operations":["state.get"]}]"#,
    );
    let words: Vec<String> = in_words(&rights).into_iter().flat_map(|words| words.allows).collect();
    assert_eq!(
        words,
        [
            "Read balances and journal entries of accounts: those that begin with 61.",
            "Post journal entries: debit account 6140; credit accounts: those of type liability.",
            "At most 500.00 USD an entry and 9000.00 USD a day.",
            "Read of workers of position CPA: position, place of work, dates of employment and cost centre and salary.",
            "Up to and on 2026-12-31.",
            "Keep notes of its own from run to run.",
            "All this by state.get alone.",
        ]
    );
}

#[test]
fn wants_are_compared_with_what_is_imported() {
    let wants = toml_like(
        r#"[{"ledger":{"read":["*"],"post":["*"]},"hr":{"read":["name"]}},{"operations":["state.get"],"state":true}]"#,
    );
    let imports = ["journal.post", "workers.get-bank-account", "state.set", "clock.now", "log.write"];
    let compared = Imports::compare(&wants, imports);
    assert_eq!(compared.wanted_not_used, ["hr.read name", "ledger.read", "state"]);
    assert_eq!(compared.used_not_wanted, ["state.set", "workers.get-bank-account"]);
    assert!(Imports::compare(&Rights::default(), ["clock.now"]).agree());
}

/// One grant allows the address, another one the secret at a path of the same host: together they allow no request with it.
#[test]
fn a_request_and_its_secrets_are_allowed_by_one_grant() {
    let of = |text: &str| serde_json::from_str::<Grant>(text).unwrap();
    let plain = of(r#"{"http":[{"host":"bank.example","path":"/status"}]}"#);
    let paying = of(
        r#"{"http":[{"host":"bank.example","path":"/pay","methods":["POST"]}],"secrets":[{"name":"bank","host":"bank.example"}]}"#,
    );
    let layers = [Arc::new(Rights::from(vec![plain, paying]))];
    let layers = Layers::new(&layers, day("2026-06-30"));
    let request =
        |method, path| crate::outbound::Outward { host: "bank.example", port: 443, method, path, plain: false };
    let (none, bank) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::from([id("bank")]));
    use crate::outbound::Method::{Get, Post};
    let told =
        |method, path, secrets| layers.check_http(&request(method, path), secrets).map_err(|e| e.code().to_owned());
    assert_eq!(told(Get, "/status", &none), Ok(()));
    assert_eq!(told(Post, "/pay", &bank), Ok(()));
    assert_eq!(told(Get, "/status", &bank), Err("secret-denied".to_owned()));
    assert_eq!(told(Get, "/pay", &bank), Err("http-denied".to_owned()));
    let bad = of(r#"{"secrets":[{"name":"bank","host":"Bank.example"}]}"#);
    assert!(Rights::from(bad).check_grants().is_err());
}
