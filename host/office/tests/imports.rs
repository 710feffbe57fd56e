//! Import: what is wrong with a file is reported with its place, everything at once, and then nothing is imported.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test helpers: a panic is a failed test"
)]

use std::path::Path;
use std::sync::Arc;

use backroom_domain::rights::Rights;
use backroom_domain::{BusinessDate, Id, Instant};
use backroom_office::imports::{self, ImportFailure, ImportSummary, RowProblem};
use backroom_office::{Caller, PageRequest, Work, hr, inventory, ledger};
use backroom_store::{Meta, Store, TenantNo};
use proptest::prelude::*;

type Files = Vec<(String, Vec<u8>)>;

fn id(text: &str) -> Id {
    Id::parse(text, "id").unwrap()
}

fn work(store: &Store, rights: Rights) -> Work {
    let caller = Caller { actor: "ada".to_owned(), layers: vec![Arc::new(rights)], installation: None, run: None };
    let today = BusinessDate::parse("2026-07-01", "today").unwrap();
    Work::new(store.write(TenantNo(1)).unwrap(), caller, Instant(1_782_900_000_000_000), today)
}

/// Imports and commits.
fn import(store: &Store, files: &Files) -> Result<ImportSummary, Vec<RowProblem>> {
    let mut work = work(store, Rights::all());
    match imports::apply(&mut work, &imports::read(files)) {
        Ok(summary) => {
            work.seal().unwrap().commit(Meta::default()).unwrap().ticket.wait().unwrap();
            Ok(summary)
        }
        Err(ImportFailure::Rows(rows)) => Err(rows),
        Err(ImportFailure::Failure(failure)) => panic!("{failure}"),
    }
}

/// A small company of which everything is right.
fn good() -> Vec<(&'static str, String)> {
    vec![
        (
            "accounts.csv",
            "code,name,type,parent,currency,posting,stock-control\n\
             1310,Stock,asset,1000,USD,yes,yes\n\
             1000,Assets,asset,,USD,no,no\n\
             1110,Cash,asset,1000,USD,yes,no\n\
             3100,Capital,equity,,USD,yes,no\n"
                .to_owned(),
        ),
        (
            "opening-balances.csv",
            "account,date,debit,credit,currency\n\
             1110,2026-05-31,400.00,,USD\n\
             1310,2026-05-31,100.00,,USD\n\
             3100,2026-05-31,,500.00,USD\n"
                .to_owned(),
        ),
        ("workers.csv", "id,name,email,bank-account\nW-1,Ann,,\nW-2,Bo,bo@x.example,1\n".to_owned()),
        (
            "employments.csv",
            "worker,first-day,last-day,position,place,cost-center,salary,currency\n\
             W-1,2025-01-01,2026-05-31,CPA,office,CC-1,7000,USD\n\
             W-1,2026-06-01,,CPA,remote,CC-1,7000.50,USD\n\
             W-2,2025-01-01,,CLERK,hybrid,CC-2,,\n"
                .to_owned(),
        ),
        (
            "items.csv",
            "id,name,unit,decimals,tracking,stock-account\nPEN,Pen,each,0,none,1310\nPC,Computer,each,0,serial,1310\n"
                .to_owned(),
        ),
        ("locations.csv", "id,name,usage\nWH,Store,internal\nOPEN,Opening,adjustment\n".to_owned()),
        ("lots.csv", "id,item,expiry\nPC-1,PC,\n".to_owned()),
        (
            "stock.csv",
            "item,location,lot,quantity,value,currency,source\n\
             PEN,WH,,10,20.00,USD,OPEN\n\
             PC,WH,PC-1,1,80.00,USD,OPEN\n"
                .to_owned(),
        ),
    ]
}

fn files(texts: &[(&str, String)]) -> Files {
    texts.iter().map(|(name, text)| ((*name).to_owned(), text.clone().into_bytes())).collect()
}

/// `file:line:column code` of each problem.
fn places(problems: &[RowProblem]) -> Vec<String> {
    let shown = |p: &RowProblem| {
        let line = p.line.map_or_else(|| "-".to_owned(), |line| line.to_string());
        format!("{}:{line}:{} {}", p.file, p.column.as_deref().unwrap_or("-"), p.code)
    };
    problems.iter().map(shown).collect()
}

/// Nothing at all is on record.
fn assert_empty(store: &Store) {
    let work = work(store, Rights::all());
    let page = PageRequest::first(10);
    assert_eq!(ledger::list_accounts(&work, &page).unwrap().items, []);
    assert_eq!(ledger::list_entries(&work, &page).unwrap().items, []);
    assert_eq!(hr::list_workers(&work, &page).unwrap().items, []);
    assert_eq!(inventory::list_items(&work, &page).unwrap().items, []);
    assert_eq!(inventory::list_locations(&work, &page).unwrap().items, []);
    assert_eq!(inventory::list_moves(&work, &page).unwrap().items, []);
    drop(work);
    assert_eq!(store.head(TenantNo(1)).unwrap().number, 0);
}

fn counts(summary: &ImportSummary) -> Vec<(&str, u64, u64)> {
    summary.files.iter().map(|f| (f.file.as_str(), f.created, f.replayed)).collect()
}

#[test]
fn a_good_set_is_imported_and_a_second_time_changes_nothing() {
    let store = Store::memory();
    let set = files(&good());
    let names: Vec<&str> = good().iter().map(|(name, _)| *name).collect();
    let rows = [4, 3, 2, 3, 2, 2, 1, 2];
    let first = import(&store, &set).unwrap();
    assert_eq!(counts(&first), names.iter().zip(rows).map(|(n, r)| (*n, r, 0)).collect::<Vec<_>>());
    let second = import(&store, &set).unwrap();
    assert_eq!(counts(&second), names.iter().zip(rows).map(|(n, r)| (*n, 0, r)).collect::<Vec<_>>());

    let work = work(&store, Rights::all());
    let page = PageRequest::first(10);
    assert_eq!(ledger::list_entries(&work, &page).unwrap().items.len(), 1);
    let entry = ledger::get_entry(&work, &id("opening:2026-05-31")).unwrap();
    assert_eq!((entry.number, entry.new.lines.len()), (1, 3));
    let moves = inventory::list_moves(&work, &page).unwrap().items;
    let moved: Vec<_> = moves.iter().map(|m| (m.new.id.as_str(), m.value.minor, m.new.entry.clone())).collect();
    let opening = Some(id("opening:2026-05-31"));
    assert_eq!(moved, [("opening-stock:1", 2_000, opening.clone()), ("opening-stock:2", 8_000, opening)]);
}

#[test]
fn line_ends_a_byte_order_mark_quotes_and_the_order_of_columns_do_not_matter() {
    let text = "\u{feff}name,id,bank-account,email\r\n\"Ann \"\"Nan\"\"\r\nOf, Here\",W-1,,\r\n\r\nBo,W-2,,\r\n";
    let store = Store::memory();
    let summary = import(&store, &files(&[("workers.csv", text.to_owned())])).unwrap();
    assert_eq!(counts(&summary), [("workers.csv", 2, 0)]);
    let work = work(&store, Rights::all());
    assert_eq!(hr::worker_name(&work, &id("W-1")).unwrap(), "Ann \"Nan\"\r\nOf, Here");
}

#[test]
fn what_is_on_record_can_be_referred_to_by_a_later_import() {
    let store = Store::memory();
    let (first, second): (Vec<_>, Vec<_>) = good().into_iter().partition(|(name, _)| !name.starts_with("employ"));
    import(&store, &files(&first)).unwrap();
    assert_eq!(counts(&import(&store, &files(&second)).unwrap()), [("employments.csv", 3, 0)]);
}

/// One row per kind of mistake: in which file, what is replaced by what, and what must be reported, all of it.
const MISTAKES: &[(&str, &str, &str, &[&str])] = &[
    // The form of the file.
    ("workers.csv", "id,name", "id,nom", &["workers.csv:1:nom column-unknown", "workers.csv:1:name column-missing"]),
    ("workers.csv", "id,name,email", "id,name,name,email", &["workers.csv:1:name column-duplicate"]),
    ("workers.csv", "W-1,Ann,,", "W-1,Ann,", &["workers.csv:2:- row-length"]),
    ("workers.csv", "Ann,,\nW-2", "\"Ann,,\nW-2", &["workers.csv:2:name quote-unclosed"]),
    ("workers.csv", "Ann", "A\"nn", &["workers.csv:2:name quote-misplaced"]),
    ("workers.csv", "Ann,", "Ann\r,", &["workers.csv:2:name line-end-invalid"]),
    // Cells.
    ("workers.csv", "W-2,Bo", ",Bo", &["workers.csv:3:id value-missing", "employments.csv:4:worker worker-not-found"]),
    ("workers.csv", "W-2,Bo", "W-2,", &["workers.csv:3:name value-missing"]),
    (
        "workers.csv",
        "W-1,Ann",
        "W 1,Ann",
        &[
            "workers.csv:2:id id-invalid",
            "employments.csv:2:worker worker-not-found",
            "employments.csv:3:worker worker-not-found",
        ],
    ),
    ("accounts.csv", "equity", "capital", &["accounts.csv:5:type word-unknown"]),
    (
        "accounts.csv",
        "1000,USD,yes,yes",
        "1000,USD,Yes,1",
        &["accounts.csv:2:posting word-unknown", "accounts.csv:2:stock-control word-unknown"],
    ),
    (
        "accounts.csv",
        "1110,Cash,asset,1000,USD",
        "1110,Cash,asset,1000,usd",
        &["accounts.csv:4:currency currency-invalid"],
    ),
    ("employments.csv", "2026-06-01", "2026-06-31", &["employments.csv:3:first-day date-invalid"]),
    ("employments.csv", "2026-05-31", "05/31/2026", &["employments.csv:2:last-day date-invalid"]),
    ("employments.csv", "7000.50", "7000.505", &["employments.csv:3:salary amount-invalid"]),
    ("employments.csv", "7000.50", "", &["employments.csv:3:salary value-missing"]),
    ("employments.csv", "7000.50,USD", "7000.50,", &["employments.csv:3:currency value-missing"]),
    ("items.csv", "each,0,none", "each,7,none", &["items.csv:2:decimals word-unknown"]),
    ("stock.csv", "PEN,WH,,10,", "PEN,WH,,ten,", &["stock.csv:2:quantity decimal-invalid"]),
    ("stock.csv", "PEN,WH,,10,20.00", "PEN,WH,,10,", &["stock.csv:2:value value-missing"]),
    // Several in one row.
    (
        "employments.csv",
        "2026-06-01,,CPA,remote",
        "june,,C P A,home",
        &[
            "employments.csv:3:first-day date-invalid",
            "employments.csv:3:position id-invalid",
            "employments.csv:3:place word-unknown",
        ],
    ),
    // The same twice.
    (
        "workers.csv",
        "W-2,Bo",
        "W-1,Bo",
        &["workers.csv:3:id duplicate-id", "employments.csv:4:worker worker-not-found"],
    ),
    ("employments.csv", "2026-06-01", "2025-01-01", &["employments.csv:3:first-day duplicate-id"]),
    ("stock.csv", "PC,WH,PC-1,1,80.00", "PEN,WH,,1,80.00", &["stock.csv:3:item duplicate-id"]),
    // What is named but not there.
    ("accounts.csv", "1110,Cash,asset,1000", "1110,Cash,asset,1001", &["accounts.csv:4:parent parent-not-found"]),
    ("opening-balances.csv", "1110", "1111", &["opening-balances.csv:2:account account-not-found"]),
    ("employments.csv", "W-2", "W-3", &["employments.csv:4:worker worker-not-found"]),
    ("items.csv", "none,1310", "none,1311", &["items.csv:2:stock-account account-not-found"]),
    ("lots.csv", "PC-1,PC,", "PC-1,PCS,", &["lots.csv:2:item item-not-found"]),
    (
        "stock.csv",
        "PEN,WH,,10,20.00,USD,OPEN",
        "PENS,WX,L,10,20.00,USD,SHUT",
        &[
            "stock.csv:2:item item-not-found",
            "stock.csv:2:location location-not-found",
            "stock.csv:2:source location-not-found",
            "stock.csv:2:lot lot-not-found",
        ],
    ),
    // Rules of the accounts and of the opening.
    (
        "accounts.csv",
        "1000,Assets,asset,",
        "1000,Assets,asset,1310",
        &[
            "accounts.csv:2:parent parent-cycle",
            "accounts.csv:3:parent parent-cycle",
            "accounts.csv:4:parent parent-cycle",
        ],
    ),
    (
        "accounts.csv",
        "3100,Capital,equity,",
        "3100,Capital,equity,1000",
        &["accounts.csv:5:type type-differs-from-parent"],
    ),
    ("accounts.csv", "3100,Capital,equity,", "3100,Capital,equity,1110", &["accounts.csv:5:parent parent-is-posting"]),
    ("opening-balances.csv", "400.00", "399.99", &["opening-balances.csv:-:- opening-unbalanced"]),
    ("opening-balances.csv", "400.00,", "400.00,1.00", &["opening-balances.csv:2:credit debit-and-credit"]),
    ("opening-balances.csv", "400.00,", ",", &["opening-balances.csv:2:debit value-missing"]),
    ("opening-balances.csv", "400.00,", "0.00,", &["opening-balances.csv:2:debit amount-zero"]),
    ("opening-balances.csv", "400.00,", "-400.00,", &["opening-balances.csv:2:debit amount-invalid"]),
    ("opening-balances.csv", "3100,2026-05-31", "3100,2026-06-01", &["opening-balances.csv:4:date date-differs"]),
    ("opening-balances.csv", "1110,2026", "1000,2026", &["opening-balances.csv:2:account account-is-header"]),
    (
        "opening-balances.csv",
        "400.00,,USD",
        "400.00,,EUR",
        &[
            "opening-balances.csv:-:- opening-unbalanced",
            "opening-balances.csv:-:- opening-unbalanced",
            "opening-balances.csv:2:currency currency-mismatch",
        ],
    ),
    // Rules of people.
    ("employments.csv", "2026-05-31", "2026-06-01", &["employments.csv:3:first-day overlapping-employment"]),
    ("employments.csv", "2026-05-31", "2024-05-31", &["employments.csv:2:last-day period-invalid"]),
    // Rules of stock.
    ("items.csv", "none,1310", "none,1110", &["items.csv:2:stock-account not-stock-control"]),
    ("lots.csv", "PC-1,PC", "PC-1,PEN", &["lots.csv:2:item lot-not-allowed"]),
    ("stock.csv", "PC,WH,PC-1,1,", "PC,WH,,1,", &["stock.csv:3:lot lot-required"]),
    ("stock.csv", "PC,WH,PC-1,1,", "PC,WH,PC-1,2,", &["stock.csv:3:quantity serial-quantity-not-one"]),
    ("stock.csv", "PEN,WH,,10,", "PEN,WH,,10.5,", &["stock.csv:2:quantity quantity-too-fine"]),
    ("stock.csv", "PEN,WH,,10,", "PEN,WH,,0,", &["stock.csv:2:quantity quantity-zero"]),
    ("stock.csv", "20.00,USD,OPEN", "20.00,USD,WH", &["stock.csv:2:source source-not-adjustment"]),
    (
        "stock.csv",
        "PEN,WH,,10,20.00,USD,OPEN",
        "PEN,OPEN,,10,20.00,USD,OPEN",
        &["stock.csv:2:location location-not-valued"],
    ),
    ("stock.csv", "20.00", "20.01", &["opening-balances.csv:3:account stock-ledger-mismatch"]),
    ("stock.csv", "PEN,WH,,10,20.00,USD,OPEN\n", "", &["opening-balances.csv:3:account stock-ledger-mismatch"]),
];

#[test]
fn every_mistake_is_reported_where_it_is_and_nothing_is_imported() {
    for (file, from, to, want) in MISTAKES {
        let mut texts = good();
        let text = &mut texts.iter_mut().find(|(name, _)| name == file).unwrap().1;
        assert!(text.contains(from), "{file} has no {from:?}");
        *text = text.replacen(from, to, 1);
        let store = Store::memory();
        let problems = import(&store, &files(&texts)).expect_err(&format!("{file}: {from:?} became {to:?}"));
        assert_eq!(&places(&problems), want, "{file}: {from:?} became {to:?}: {problems:#?}");
        assert_empty(&store);
    }
}

#[test]
fn mistakes_in_all_files_are_reported_together() {
    let mut texts = good();
    let mut change = |file: &str, from: &str, to: &str| {
        let text = &mut texts.iter_mut().find(|(name, _)| *name == file).unwrap().1;
        assert!(text.contains(from), "{file} has no {from:?}");
        *text = text.replacen(from, to, 1);
    };
    change("accounts.csv", "1110,Cash,asset,1000,USD", "1110,Cash,asset,1000,$");
    change("opening-balances.csv", "400.00", "401.00");
    change("opening-balances.csv", "3100,2026-05-31", "3100,31.5.2026");
    change("workers.csv", "W-2,Bo", "W-2,");
    change("employments.csv", "2026-05-31", "2026-06-30");
    change("locations.csv", "internal", "store");
    change("lots.csv", "PC-1,PC,", "PC-1,PC,never");
    change("stock.csv", "20.00", "19.00");
    change("stock.csv", "PC,WH,PC-1,1,80.00,USD,OPEN", "PC,WH,PC-1,1,80.00,USD,OPENING");
    let store = Store::memory();
    let problems = import(&store, &files(&texts)).unwrap_err();
    let want = [
        "accounts.csv:4:currency currency-invalid",
        "opening-balances.csv:-:- opening-unbalanced",
        "opening-balances.csv:3:account stock-ledger-mismatch",
        "opening-balances.csv:4:date date-invalid",
        "workers.csv:3:name value-missing",
        "employments.csv:3:first-day overlapping-employment",
        "locations.csv:2:usage word-unknown",
        "lots.csv:2:expiry date-invalid",
        "stock.csv:3:source location-not-found",
    ];
    assert_eq!(places(&problems), want, "{problems:#?}");
    assert_empty(&store);
    let message = |code: &str| problems.iter().find(|p| p.code == code).unwrap().message.clone();
    assert_eq!(message("opening-unbalanced"), "debits are 501.00, credits 500.00: 1.00 more debits in USD");
    assert!(message("overlapping-employment").contains("in line 2"), "{}", message("overlapping-employment"));
    let mismatch = message("stock-ledger-mismatch");
    assert!(mismatch.contains("100.00 USD") && mismatch.contains("99.00 USD"), "{mismatch}");

    // Without the tenant's records, the part that shows in the files alone.
    let alone = imports::parse(&files(&texts)).unwrap_err();
    let of_files: Vec<_> =
        want.into_iter().filter(|w| !w.contains("mismatch") && !w.contains("not-found")).map(str::to_owned).collect();
    assert_eq!(places(&alone), of_files);
}

#[test]
fn files_are_refused_whole_by_name_size_and_encoding() {
    let header = "id,name,email,bank-account\n";
    let large = format!("{header}{}", "x".repeat(imports::MAX_FILE));
    let many = format!("id,name,usage\n{}", "WH,Store,internal\n".repeat(imports::MAX_ROWS + 1));
    let record = format!("{header}W-1,{},,\n", "x".repeat(64 << 10));
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(header.bytes().flat_map(|b| [b, 0])).collect();
    let rows: [(&str, Files, &[&str]); 9] = [
        ("nothing", vec![], &[":-:- no-files"]),
        ("unknown", files(&[("wages.csv", header.to_owned())]), &["wages.csv:-:- file-unknown"]),
        (
            "twice",
            files(&[("workers.csv", header.to_owned()), ("workers.csv", header.to_owned())]),
            &["workers.csv:-:- file-duplicate"],
        ),
        ("large", files(&[("workers.csv", large)]), &["workers.csv:-:- file-too-large"]),
        ("record", files(&[("workers.csv", record)]), &["workers.csv:2:- record-too-large"]),
        ("empty", files(&[("workers.csv", String::new())]), &["workers.csv:-:- header-missing"]),
        ("utf-16", vec![("workers.csv".to_owned(), utf16)], &["workers.csv:-:- encoding-invalid"]),
        (
            "latin-1",
            vec![("workers.csv".to_owned(), [header.as_bytes(), b"W-1,Ann,,\nW-2,Ren\xe9e,,\n"].concat())],
            &["workers.csv:3:name encoding-invalid"],
        ),
        (
            "latin-1 header",
            vec![("lots.csv".to_owned(), b"id,item,expir\xe9\n".to_vec())],
            &["lots.csv:1:- encoding-invalid", "lots.csv:1:expiry column-missing"],
        ),
    ];
    for (what, set, want) in rows {
        let store = Store::memory();
        assert_eq!(places(&import(&store, &set).unwrap_err()), want, "{what}");
        assert_empty(&store);
    }
    // Duplicates in all rows but the first, and one row too many: the cap holds and says what it leaves out.
    let problems = imports::read(&files(&[("locations.csv", many)])).problems();
    assert_eq!(problems.len(), imports::MAX_PROBLEMS + 1);
    let last = problems.last().unwrap();
    assert_eq!(last.code, "more-problems");
    let more = imports::MAX_ROWS - 1 + 1 - imports::MAX_PROBLEMS;
    assert!(last.message.starts_with(&format!("{more} more")), "{}", last.message);
}

#[test]
fn more_rows_than_can_be_carried_are_refused() {
    let workers = |rows: usize| {
        let rows: String = (1..=rows).map(|n| format!("W-{n},Ann,,\n")).collect();
        files(&[("workers.csv", format!("id,name,email,bank-account\n{rows}"))])
    };
    let line = imports::MAX_ROWS + 2;
    let problems = imports::read(&workers(imports::MAX_ROWS + 1)).problems();
    assert_eq!(places(&problems), [format!("workers.csv:{line}:- too-many-rows")]);
    assert_eq!(imports::read(&workers(imports::MAX_ROWS)).problems(), []);
    // As many rows as a file may have are more than one commit carries.
    let store = Store::memory();
    let problems = import(&store, &workers(imports::MAX_ROWS)).unwrap_err();
    assert_eq!(places(&problems), ["workers.csv:-:- import-too-large"]);
    assert_empty(&store);

    let account = |n| format!("A{n},2026-05-31,1.00,,USD\n");
    let lines: String = (0..1_001).map(account).collect();
    let opening = format!("account,date,debit,credit,currency\n{lines}");
    let problems = imports::parse(&files(&[("opening-balances.csv", opening)])).unwrap_err();
    let whole = ["opening-balances.csv:-:- too-many-lines", "opening-balances.csv:-:- opening-unbalanced"];
    assert_eq!(places(&problems), whole);
}

#[test]
fn stock_needs_its_opening_balances() {
    let texts: Vec<_> = good().into_iter().filter(|(name, _)| *name != "opening-balances.csv").collect();
    let store = Store::memory();
    assert_eq!(places(&import(&store, &files(&texts)).unwrap_err()), ["stock.csv:-:- opening-missing"]);
    assert_empty(&store);
}

#[test]
fn other_content_under_the_same_id_is_reported_and_nothing_changes() {
    let store = Store::memory();
    import(&store, &files(&good())).unwrap();
    let before = store.head(TenantNo(1)).unwrap();
    let mut texts = good();
    for (_, text) in &mut texts {
        *text =
            text.replace("Ann", "Anne").replace("Cash", "Bank").replace("7000.50", "7100").replace("400.00", "300.00");
        *text = text.replace("500.00", "400.00");
    }
    let problems = import(&store, &files(&texts)).unwrap_err();
    let want = [
        "accounts.csv:4:name exists-with-different",
        "opening-balances.csv:-:- exists-with-different",
        "workers.csv:2:name exists-with-different",
        "employments.csv:3:salary exists-with-different",
    ];
    assert_eq!(places(&problems), want, "{problems:#?}");
    assert_eq!(store.head(TenantNo(1)).unwrap(), before);
}

#[test]
fn without_the_right_nothing_is_looked_at() {
    let store = Store::memory();
    let mut work = work(&store, Rights::read_only());
    let failure = imports::apply(&mut work, &imports::read(&files(&good()))).unwrap_err();
    assert!(matches!(&failure, ImportFailure::Failure(_)), "{failure}");
    assert!(failure.to_string().contains("administer-denied"), "{failure}");
    assert_eq!(work.effects(), []);
}

proptest! {
    /// Whatever happens to a few bytes on the way: all of it is imported, or it is said what is wrong and nothing is.
    #[test]
    fn damaged_files_are_imported_whole_or_not_at_all(
        damage in prop::collection::vec((0..8usize, any::<prop::sample::Index>(), prop::option::of(any::<u8>())), 1..4),
    ) {
        let mut set = files(&good());
        for (file, place, byte) in damage {
            let bytes = &mut set[file].1;
            let place = place.index(bytes.len());
            match byte {
                Some(byte) => bytes[place] = byte,
                None => drop(bytes.remove(place)),
            }
        }
        let store = Store::memory();
        match import(&store, &set) {
            Ok(summary) => {
                prop_assert_eq!(summary.files.len(), 8);
                // What was imported is right by the rules of the books.
                let work = work(&store, Rights::all());
                let totals = ledger::trial_balance(&work, None).unwrap().totals;
                prop_assert!(totals.iter().all(|total| total.debits == total.credits));
                prop_assert!(inventory::stock_control(&work).unwrap().iter().all(|row| row.ledger == row.stock));
            }
            Err(problems) => {
                prop_assert!(!problems.is_empty());
                assert_empty(&store);
            }
        }
    }
}

fn example(folder: &str) -> Files {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/remote-allowance").join(folder);
    let entries = std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path());
    let csv = entries.filter(|path| path.extension().is_some_and(|e| e == "csv"));
    csv.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap())).collect()
}

#[test]
fn the_example_is_imported_with_the_figures_of_its_readme() {
    let store = Store::memory();
    let summary = import(&store, &example("")).unwrap();
    let want = [
        ("accounts.csv", 76, 0),
        ("opening-balances.csv", 57, 0),
        ("workers.csv", 65, 0),
        ("employments.csv", 70, 0),
        ("items.csv", 36, 0),
        ("locations.csv", 10, 0),
        ("lots.csv", 43, 0),
        ("stock.csv", 69, 0),
    ];
    assert_eq!(counts(&summary), want);
    let work = work(&store, Rights::all());
    let trial = ledger::trial_balance(&work, None).unwrap();
    assert_eq!((trial.totals.len(), trial.totals[0].debits, trial.totals[0].credits), (1, 770_835_514, 770_835_514));
    let control = inventory::stock_control(&work).unwrap();
    let values: Vec<_> = control.iter().map(|row| (row.account.as_str(), row.ledger.minor, row.stock.minor)).collect();
    assert_eq!(values, [("1310", 3_736_398, 3_736_398), ("1320", 595_135, 595_135), ("1330", 989_660, 989_660)]);
    let laptops = inventory::valuation(&work, &id("LAPTOP-14")).unwrap();
    assert_eq!((laptops.quantity.to_string().as_str(), laptops.value.minor), ("8", 8 * 120_000));
}

#[test]
fn the_bad_example_shows_every_kind_of_mistake() {
    let store = Store::memory();
    let problems = import(&store, &example("bad")).unwrap_err();
    let want = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/remote-allowance/bad/problems.txt"),
    )
    .unwrap();
    let shown: String = problems.iter().map(|p| format!("{p}\n")).collect();
    assert_eq!(shown, want, "problems.txt beside the files says what is wrong with them");
    assert_empty(&store);
}
