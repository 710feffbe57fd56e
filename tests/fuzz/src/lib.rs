//! Books for the fuzzers to begin with.

use std::sync::Arc;

use backroom_domain::rights::Rights;
use backroom_domain::{BusinessDate, Id, Instant};
use backroom_office::{Caller, Office, Work, ledger};
use backroom_store::{Meta, Store, TenantNo};
use serde_json::json;

/// What goes wrong while something is set up.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The time of everything here: the end of June 2026.
pub const NOW: Instant = Instant(1_782_777_600_000_000);

/// The tenant `acme` with two accounts and an entry.
///
/// # Errors
/// None that are expected: it is the same each time.
pub fn acme(store: &Store) -> Result<TenantNo, Failure> {
    let tenant = Office::new(store.clone()).create_tenant("ann", NOW, Id::parse("acme", "id")?, "Acme")?;
    if let Some(ticket) = tenant.ticket {
        ticket.wait()?;
    }
    let number = TenantNo(tenant.value.number);
    let caller = Caller { actor: "ann".into(), layers: vec![Arc::new(Rights::all())], installation: None, run: None };
    let mut work = Work::new(store.write(number)?, caller, NOW, BusinessDate::parse("2026-06-30", "date")?);
    for code in ["1000", "2000"] {
        let account = json!({
            "code": code, "name": code, "type": "asset", "currency": "USD", "posting": true, "stock-control": false
        });
        ledger::create_account(&mut work, serde_json::from_value(account)?)?;
    }
    let line = |account, side| json!({"account": account, "side": side, "amount": {"minor": 100, "currency": "USD"}, "memo": "m"});
    let lines = [line("1000", "debit"), line("2000", "credit")];
    let entry = json!({"id": "e0", "date": "2026-06-30", "description": "x", "lines": lines});
    ledger::post(&mut work, serde_json::from_value(entry)?)?;
    let meta = Meta { at: NOW.0, actor: "ann".into(), kind: "seed".into(), ..Meta::default() };
    work.seal()?.commit(meta)?.ticket.wait()?;
    Ok(number)
}
