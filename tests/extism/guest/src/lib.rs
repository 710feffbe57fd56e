//! The guest `order` of `tests/guests` in its mode `read`, for Extism: the same input, the same five questions, the same answer. What
//! is asked and answered is JSON, as Extism has it.

use extism_pdk::{FnResult, Json, host_fn, plugin_fn};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Input {
    order: Order,
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
    lines: Vec<Line>,
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
struct Line {
    #[serde(rename = "item")]
    _item: String,
    quantity: u64,
    price_minor: u64,
    #[serde(default, rename = "note")]
    _note: Option<String>,
}

#[derive(Serialize)]
struct Asked {
    account: String,
}

#[derive(Serialize, Deserialize)]
struct Balance {
    account: String,
    currency: String,
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

#[host_fn]
extern "ExtismHost" {
    fn balance(asked: Json<Asked>) -> Json<Balance>;
}

#[plugin_fn]
pub fn run(Json(Input { order }): Json<Input>) -> FnResult<Json<Output>> {
    let accounts = order.accounts;
    let mut balances = Vec::with_capacity(5);
    for account in [accounts.cash, accounts.receivable, accounts.tax, accounts.revenue, accounts.cost] {
        // SAFETY: the host has this function, and takes and gives what it says.
        let Json(found) = unsafe { balance(Json(Asked { account }))? };
        balances.push(found);
    }
    let mut total: u64 = 0;
    for line in &order.lines {
        let value = line.price_minor.checked_mul(line.quantity).and_then(|value| total.checked_add(value));
        total = value.ok_or_else(|| extism_pdk::Error::msg("overflow"))?;
    }
    let output = Output { reference: order.reference, lines: order.lines.len(), total_minor: total, balances };
    Ok(Json(output))
}
