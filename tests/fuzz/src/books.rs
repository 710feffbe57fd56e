//! What requests and calls find: two books, people, stock, and one of whatever they can go on from.

use std::sync::Arc;

use backroom_domain::rights::Rights;
use backroom_domain::{BusinessDate, Id};
use backroom_office::{Caller, Office, Work, files, hr, inventory, ledger};
use backroom_store::{Meta, Store, TenantNo};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{Failure, NOW};

/// The number of the tenant `acme`, the first one of a store.
pub const TENANT: TenantNo = TenantNo(1);

/// The tenant `acme` with its books.
///
/// # Errors
/// None that are expected: it is the same each time.
pub fn acme(store: &Store) -> Result<(), Failure> {
    let tenant = Office::new(store.clone()).create_tenant("ann", NOW, Id::parse("acme", "id")?, "Acme")?;
    if let Some(ticket) = tenant.ticket {
        ticket.wait()?;
    }
    assert_eq!(TenantNo(tenant.value.number), TENANT);
    let caller = Caller { actor: "ann".into(), layers: vec![Arc::new(Rights::all())], installation: None, run: None };
    let mut work = Work::new(store.write(TENANT)?, caller, NOW, BusinessDate::parse("2026-06-30", "date")?);
    accounts(&mut work)?;
    others(&mut work)?;
    history(&mut work)?;
    let meta = Meta { at: NOW.0, actor: "ann".into(), kind: "seed".into(), ..Meta::default() };
    work.seal()?.commit(meta)?.ticket.wait()?;
    Ok(())
}

fn made<T: DeserializeOwned>(value: Value) -> Result<T, Failure> {
    Ok(serde_json::from_value(value)?)
}

fn accounts(work: &mut Work) -> Result<(), Failure> {
    let book = json!({
        "id": "eu", "name": "Europe", "base": "EUR", "exchange-gain": "eu/7000", "exchange-loss": "eu/7100",
        "retained-earnings": "eu/3200"
    });
    ledger::create_book(work, made(book)?)?;
    let rows = [
        ("1000", "asset", "USD"),
        ("1400", "asset", "USD"),
        ("2000", "liability", "USD"),
        ("3200", "equity", "USD"),
        ("4000", "income", "USD"),
        ("6100", "asset", "USD"),
        ("eu/1000", "asset", "EUR"),
        ("eu/1100", "asset", "USD"),
        ("eu/3200", "equity", "EUR"),
        ("eu/4000", "income", "EUR"),
        ("eu/7000", "income", "EUR"),
        ("eu/7100", "expense", "EUR"),
    ];
    for (code, kind, currency) in rows {
        let reconcilable = matches!(code, "6100" | "2000" | "eu/1000" | "eu/1100");
        let mut rules = json!({"reconcilable": reconcilable});
        if code == "2000" {
            rules["max-available"] = json!({"minor": 10_000});
        }
        let account = json!({
            "code": code, "name": code, "type": kind, "currency": currency, "posting": true,
            "stock-control": code == "1400", "rules": rules
        });
        ledger::create_account(work, made(account)?)?;
    }
    Ok(())
}

fn others(work: &mut Work) -> Result<(), Failure> {
    hr::add_worker(work, made(json!({"id": "w1", "name": "Ann", "bank-account": "DE00"}))?)?;
    let employment = json!({
        "worker": "w1", "from": "2026-01-01", "position": "CPA", "place": "remote", "cost-center": "CC-1",
        "salary": {"minor": 500_000, "currency": "USD"}
    });
    hr::add_employment(work, made(employment)?)?;
    for (item, tracking) in [("laptop", "none"), ("desk", "serial")] {
        let item = json!({
            "id": item, "name": item, "unit": "each", "decimals": 0, "tracking": tracking, "stock-account": "1400"
        });
        inventory::create_item(work, made(item)?)?;
    }
    for (place, usage) in [("stock", "internal"), ("vendor", "supplier"), ("staff", "consumption")] {
        inventory::create_location(work, made(json!({"id": place, "name": place, "usage": usage}))?)?;
    }
    inventory::create_lot(work, made(json!({"item": "desk", "id": "SN-1"}))?)?;
    files::write(work, "in", "a", b"12345678")?;
    Ok(())
}

/// An entry, one of the other book, a hold, a budget and rates.
fn history(work: &mut Work) -> Result<(), Failure> {
    let money = |currency: &str| json!({"minor": 100, "currency": currency});
    let line = |account: &str, side: &str, currency: &str| json!({"account": account, "side": side, "amount": money(currency)});
    let entry = |id: &str, debit: &str, credit: &str, currency: &str| {
        let lines = [line(debit, "debit", currency), line(credit, "credit", currency)];
        json!({"id": id, "date": "2026-06-30", "description": "x", "lines": lines})
    };
    ledger::post(work, made(entry("e0", "6100", "2000", "USD"))?)?;
    ledger::post(work, made(entry("f0", "eu/1000", "eu/4000", "EUR"))?)?;
    let hold = json!({"entry": entry("h0", "6100", "4000", "USD")});
    ledger::hold(work, made(hold)?)?;
    let book = |id| Id::parse(id, "book");
    let budget = json!({
        "id": "b0", "account": "4000", "action": "warn",
        "periods": [{"first": "2026-01-01", "last": "2026-12-31", "amount": money("USD")}]
    });
    ledger::set_budget(work, &book("main")?, made(budget)?, None)?;
    let rate = |kind: &str| json!({"date": "2026-06-30", "from": "USD", "to": "EUR", "type": kind, "rate": "0.92"});
    ledger::set_rates(work, &book("eu")?, made(json!([rate("spot"), rate("closing")]))?)?;
    Ok(())
}
