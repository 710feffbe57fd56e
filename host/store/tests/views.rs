//! What SQL shows of the records: the views say what the records say, and nothing that is nobody's business.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod common;

use backroom_domain::hr::{Employment, NewEmployment, NewWorker, Place, Worker};
use backroom_domain::inventory::{Item, Move, NewItem, NewMove, OnHand, Tracking, Valuation};
use backroom_domain::ledger::{
    Account, AccountDay, AccountTotal, AccountType, Balance, Dimension, Entry, Line, NewAccount, NewEntry,
};
use backroom_domain::{BusinessDate, Currency, Decimal, Id, Instant, Money, Side};
use backroom_store::records::{EntryLines, RunRecord, RunStatus, StoredEmployment, StoredEntry, StoredWorker, Tenant};
use backroom_store::{PostgresOptions, Record as _, Store, StoreError, TenantNo};
use common::server::Server;
use common::*;

const NAME: &str = "Ann O'Hara";
const EMAIL: &str = "ann@example.org";
const IBAN: &str = "DE89370400440532013000";
const SALARY: u64 = 7_654_321;
const AT: Instant = Instant(1_700_000_000_123_456);

fn id(text: &str) -> Id {
    Id::parse(text, "id").unwrap()
}

fn day(text: &str) -> BusinessDate {
    BusinessDate::parse(text, "date").unwrap()
}

fn money(minor: u64, currency: &str) -> Money {
    Money::new(minor, Currency::parse(currency, "currency").unwrap(), "amount").unwrap()
}

fn line(account: &str, side: Side, minor: u64, currency: &str) -> Line {
    Line {
        account: id(account),
        side,
        amount: money(minor, currency),
        dimensions: Vec::new(),
        memo: None,
        details: None,
    }
}

fn write(store: &Store, tenant: TenantNo, stage: impl FnOnce(&mut backroom_store::Tx) -> Result<(), StoreError>) {
    let mut tx = store.write(tenant).unwrap();
    stage(&mut tx).unwrap();
    tx.commit(meta("records")).unwrap().ticket.wait().unwrap();
}

fn ledger(tx: &mut backroom_store::Tx) -> Result<(), StoreError> {
    for (code, currency, kind) in [("cash", "USD", AccountType::Asset), ("fees", "JPY", AccountType::Income)] {
        let new = NewAccount {
            code: id(code),
            name: format!("Account of {code}'s"),
            kind,
            parent: None,
            currency: Currency::parse(currency, "c").unwrap(),
            posting: true,
            stock_control: false,
            rules: Default::default(),
        };
        tx.put(&Account::created(new, AT))?;
    }
    let mut first = line("cash", Side::Debit, 123_456, "USD");
    first.memo = Some("a \"memo\"\nwith \u{0} in it".into());
    first.dimensions = vec![Dimension { name: id("project"), value: id("p1") }];
    let lines = vec![first, line("fees", Side::Credit, 99, "JPY")];
    let new = NewEntry { id: id("e-1"), date: day("2026-02-28"), description: "Opening".into(), lines, details: None };
    let entry = Entry::posted(new, 1, AT, Some(id("r-1")));
    tx.put(&StoredEntry { entry, parts: 1, scope: None })?;
    tx.put(&EntryLines { entry: id("e-1"), part: 1, lines: vec![line("cash", Side::Credit, 5, "USD")] })?;
    let balance = |account: &str, currency, debits, credits| Balance {
        debits,
        credits,
        ..Balance::zero(id(account), Currency::parse(currency, "c").unwrap())
    };
    // More than 64 signed bits hold.
    tx.put(&AccountTotal {
        balance: balance("cash", "USD", u64::MAX, 6),
        stock_control: false,
        rules: None,
        months: false,
        gap: None,
        latest: None,
    })?;
    let fees = AccountTotal::zero(id("fees"), Currency::parse("JPY", "c").unwrap(), false);
    tx.put(&AccountTotal { balance: balance("fees", "JPY", 0, 99), ..fees })?;
    tx.put(&AccountDay { debits: 123_456, credits: 5, ..AccountDay::zero(id("cash"), day("2026-02-28")) })
}

fn people(tx: &mut backroom_store::Tx) -> Result<(), StoreError> {
    let new =
        NewWorker { id: id("w-1"), name: NAME.into(), email: Some(EMAIL.into()), bank_account: Some(IBAN.into()) };
    let worker = StoredWorker::seal(&Worker { new, recorded_at: AT, erased: false }, tx.seals())?;
    tx.put(&worker)?;
    let new = NewEmployment {
        worker: id("w-1"),
        from: day("2026-01-01"),
        to: None,
        position: id("clerk"),
        place: Place::Hybrid,
        cost_center: id("cc-1"),
        salary: Some(money(SALARY, "EUR")),
    };
    let employment = StoredEmployment::seal(&Employment { new, recorded_at: AT, erased: false }, tx.seals())?;
    tx.put(&employment)
}

fn stock(tx: &mut backroom_store::Tx) -> Result<(), StoreError> {
    let usd = Currency::parse("USD", "c").unwrap();
    let new = NewItem {
        id: id("bolt"),
        name: "Bolt".into(),
        unit: "kg".into(),
        decimals: 3,
        tracking: Tracking::Lot,
        stock_account: id("stock"),
    };
    tx.put(&Item { new, currency: usd, recorded_at: AT })?;
    let new = NewMove {
        id: id("m-1"),
        date: day("2026-03-01"),
        item: id("bolt"),
        quantity: Decimal::parse("12.500", "q").unwrap(),
        from: id("supplier"),
        to: id("shelf"),
        lot: Some(id("lot-1")),
        cost: None,
        worker: None,
        reason: "purchase".into(),
        entry: None,
    };
    let value = money(1_000, "USD");
    tx.put(&Move { new, number: 1, value, stock_account: id("stock"), recorded_at: AT, run: None })?;
    let (item, location, lot) = (id("bolt"), id("shelf"), Some(id("lot-1")));
    tx.put(&OnHand { item, location, lot, decimals: 3, entered: 12_500, left: 250 })?;
    let quantity = Decimal::parse("12.25", "q").unwrap();
    tx.put(&Valuation { item: id("bolt"), stock_account: id("stock"), quantity, value })
}

fn filled(url: &str) -> Store {
    let store = Store::open_postgres(url, &options(), &PostgresOptions::default()).unwrap();
    write(&store, TenantNo::PROVIDER, |tx| {
        tx.put(&Tenant { id: id("acme"), name: "Acme \u{e9}".into(), number: 1, created_at: AT })
    });
    write(&store, ACME, ledger);
    write(&store, ACME, people);
    write(&store, ACME, stock);
    write(&store, ACME, |tx| {
        tx.put(&RunRecord {
            id: id("r-1"),
            installation: id("payroll"),
            status: RunStatus::Refused,
            number: 4,
            request_hash: [1; 32],
            at: AT,
        })
    });
    store
}

#[test]
fn views_say_what_the_records_say() {
    let Some(server) = Server::shared() else { return };
    let database = server.database();
    let store = filled(&server.url(&database));
    let rows = [
        ("SELECT tenant, tenant_id, name FROM bi.tenant", "1|acme|Acme \u{e9}"),
        (
            "SELECT tenant, code, name, type, posting FROM bi.account WHERE code = 'cash'",
            "1|cash|Account of cash's|asset|t",
        ),
        (
            "SELECT tenant, number, id, date, description, run, extract(microseconds FROM recorded_at) FROM bi.journal_entry",
            "1|1|e-1|2026-02-28|Opening|r-1|20123456",
        ),
        (
            "SELECT entry, line, account, side, minor, currency, amount FROM bi.journal_line ORDER BY entry, line",
            "e-1|1|cash|debit|123456|USD|1234.56\ne-1|2|fees|credit|99|JPY|99\ne-1|26|cash|credit|5|USD|0.05",
        ),
        (
            "SELECT replace(memo, chr(10), ' '), dimensions #>> '{0,value}' FROM bi.journal_line WHERE line = 1",
            "a \"memo\" with \u{fffd} in it|p1",
        ),
        (
            "SELECT account, name, currency, debits, credits, balance FROM bi.balance ORDER BY account",
            "cash|Account of cash's|USD|184467440737095516.15|0.06|184467440737095516.09\n\
             fees|Account of fees's|JPY|0|99|-99",
        ),
        ("SELECT account, date, debits, credits FROM bi.balance_by_day", "cash|2026-02-28|1234.56|0.05"),
        ("SELECT id, erased_at FROM bi.worker", "w-1|"),
        (
            "SELECT worker, first_day, last_day, position, place, cost_center FROM bi.employment",
            "w-1|2026-01-01||clerk|hybrid|cc-1",
        ),
        ("SELECT id, unit, decimals, tracking, stock_account FROM bi.item", "bolt|kg|3|lot|stock"),
        (
            "SELECT number, id, date, item, quantity, from_location, to_location, lot, value FROM bi.stock_move",
            "1|m-1|2026-03-01|bolt|12.500|supplier|shelf|lot-1|10.00",
        ),
        ("SELECT item, location, lot, quantity FROM bi.on_hand", "bolt|shelf|lot-1|12.250"),
        ("SELECT item, quantity, value FROM bi.stock_value", "bolt|12.25|10.00"),
        ("SELECT number, id, installation, status FROM bi.run", "4|r-1|payroll|refused"),
    ];
    for (sql, expected) in rows {
        assert_eq!(server.sql(&database, &format!("SET ROLE backroom_bi; {sql}")), expected, "{sql}");
    }
    write(&store, ACME, |tx| {
        tx.delete::<StoredWorker>(&id("w-1"));
        tx.put(&AccountDay { debits: 200, credits: 5, ..AccountDay::zero(id("cash"), day("2026-02-28")) })
    });
    assert_eq!(server.sql(&database, "SELECT count(*) FROM bi.worker"), "0");
    assert_eq!(server.sql(&database, "SELECT debits FROM bi.balance_by_day"), "2.00");
    assert!(store.read(ACME).unwrap().get::<StoredEmployment>(&(id("w-1"), day("2026-01-01"))).unwrap().is_some());
    assert_sound(&store);
}

#[test]
fn personal_data_stand_nowhere_in_the_database() {
    let Some(server) = Server::shared() else { return };
    let database = server.database();
    let store = filled(&server.url(&database));
    let tables = server.sql(
        &database,
        "SELECT table_schema || '.' || table_name FROM information_schema.tables WHERE table_schema IN ('bi', 'backroom')",
    );
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let personal = [NAME, EMAIL, IBAN].map(|text| [text.to_owned(), hex(text)]);
    let (mut seen, mut hidden) = (0, 0);
    for table in tables.lines() {
        let shown = server.sql(&database, &format!("SELECT to_jsonb(t) FROM {table} t"));
        seen += usize::from(shown.contains("\"w-1\""));
        hidden += usize::from(shown.contains(&hex("w-1")));
        for text in personal.iter().flatten().chain([&SALARY.to_string()]) {
            assert!(!shown.contains(text), "{table}: {shown}");
        }
    }
    assert!(
        seen >= 4 && hidden >= 2,
        "columns and bodies name the worker ({seen}, {hidden}): else this proves nothing"
    );
    drop(store);
}

#[test]
fn a_record_that_is_not_what_its_space_says_is_refused() {
    let Some(server) = Server::shared() else { return };
    let store = Store::open_postgres(&server.url(&server.database()), &options(), &PostgresOptions::default()).unwrap();
    let mut tx = store.write(ACME).unwrap();
    // A note of the tests in the space of tenants.
    tx.put(&note("a", 1, "x")).unwrap();
    let refused = tx.commit(meta("wrong")).unwrap_err();
    assert!(matches!(refused, StoreError::Codec { space: Tenant::SPACE, .. }), "{refused}");
    assert_eq!(store.head(ACME).unwrap().number, 0);
    put(&store, ACME, &[]);
}
