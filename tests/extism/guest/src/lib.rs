//! The work of `tests/guests/order` in its mode `read`: the same input, the same five calls to the host, the same output. Dates and
//! money are plain text and plain numbers here, which is a little less to do than with the types of our own SDK.

use extism_pdk::{FnResult, FromBytes, Json, ToBytes, host_fn, plugin_fn};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    #[serde(rename = "mode")]
    _mode: Mode,
    order: Order,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Mode {
    Read,
}

#[derive(Deserialize)]
struct Order {
    reference: String,
    #[serde(rename = "customer")]
    _customer: String,
    #[serde(rename = "date")]
    _date: String,
    #[serde(rename = "currency")]
    _currency: String,
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "destination")]
    _destination: String,
    accounts: Accounts,
    lines: Vec<OrderLine>,
}

#[derive(Deserialize)]
struct Accounts {
    cash: String,
    receivable: String,
    tax: String,
    revenue: String,
    cost: String,
}

#[derive(Deserialize)]
struct OrderLine {
    #[serde(rename = "item")]
    _item: String,
    quantity: u64,
    price_minor: u64,
    #[serde(default, rename = "note")]
    _note: Option<String>,
}

/// What the host is asked.
#[derive(Serialize, ToBytes)]
#[encoding(Json)]
struct Asked<'a> {
    account: &'a str,
}

/// What it answers.
#[derive(Deserialize, FromBytes)]
#[encoding(Json)]
struct Told {
    account: String,
    #[serde(rename = "currency")]
    _currency: String,
    debits: u64,
    credits: u64,
}

#[derive(Serialize)]
struct Output {
    reference: String,
    lines: usize,
    total_minor: u64,
    balances: Vec<Balance>,
}

#[derive(Serialize)]
struct Balance {
    account: String,
    debits: u64,
    credits: u64,
}

#[host_fn]
extern "ExtismHost" {
    fn balance(asked: Asked<'_>) -> Told;
}

#[plugin_fn]
pub fn run(Json(input): Json<Input>) -> FnResult<Json<Output>> {
    let order = input.order;
    let accounts = &order.accounts;
    let five = [&accounts.cash, &accounts.receivable, &accounts.tax, &accounts.revenue, &accounts.cost];
    let mut balances = Vec::with_capacity(five.len());
    for account in five {
        // SAFETY: the host's function takes and gives what is declared above.
        let told = unsafe { balance(Asked { account })? };
        balances.push(Balance { account: told.account, debits: told.debits, credits: told.credits });
    }
    // With `overflow-checks`, a sum that does not fit ends the plugin.
    let total_minor = order.lines.iter().map(|line| line.price_minor * line.quantity).sum();
    Ok(Json(Output { lines: order.lines.len(), reference: order.reference, total_minor, balances }))
}
