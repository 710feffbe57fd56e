//! Books orders, or only reads: ordinary work, for measuring and for tests of the whole way.

use std::hint::black_box;

use backroom_sdk::inventory::stock::{NewMove, post_move};
use backroom_sdk::ledger::journal::{Line, NewEntry};
use backroom_sdk::ledger::{balances, journal};
use backroom_sdk::{Decimal, Error, Money, Side, Workflow, refused, workflow};
use serde::Serialize;

mod input;

use input::{Input, Mode, Order};

/// What was done; the fields that the mode does not fill are left out.
#[derive(Default, Serialize)]
struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lines: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_minor: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    balances: Vec<Balance>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<u64>,
    #[serde(rename = "move", skip_serializing_if = "Option::is_none")]
    stock_move: Option<u64>,
}

#[derive(Serialize)]
struct Balance {
    account: String,
    debits: u64,
    credits: u64,
}

struct Book;

impl Workflow for Book {
    type Input = Input;
    type Output = Output;

    fn run(input: Input) -> Result<Output, Error> {
        match input.mode {
            Mode::Nothing => Ok(Output::default()),
            Mode::Lookup => lookup(&input.account.unwrap_or_default(), input.count),
            Mode::Read => read(&input.order.ok_or_else(no_order)?),
            Mode::Book => book(&input.order.ok_or_else(no_order)?),
        }
    }
}

workflow!(Book);

fn no_order() -> Error {
    refused("order-missing", "this mode needs an order")
}

/// The same small record as often as is asked for.
fn lookup(account: &str, count: u32) -> Result<Output, Error> {
    for _ in 0..count {
        black_box(balances::get(account, None)?);
    }
    Ok(Output::default())
}

/// Five calls that read.
fn read(order: &Order) -> Result<Output, Error> {
    let accounts = &order.accounts;
    let five = [&accounts.cash, &accounts.receivable, &accounts.tax, &accounts.revenue, &accounts.cost];
    let mut found = Vec::with_capacity(five.len());
    for account in five {
        let balance = balances::get(account, None)?;
        found.push(Balance { account: balance.account, debits: balance.debits, credits: balance.credits });
    }
    Ok(Output { balances: found, ..summary(order)? })
}

/// Hands out the first line's goods, and posts the sale and the goods' cost in one entry.
fn book(order: &Order) -> Result<Output, Error> {
    let first = order.lines.first().ok_or_else(|| refused("order-empty", "an order has at least one line"))?;
    let id = format!("order:{}", order.reference);
    let moved = post_move(&NewMove {
        id: format!("{id}:1"),
        date: order.date,
        item: first.item.clone(),
        quantity: Decimal { mantissa: first.quantity, scale: 0 },
        source: order.source.clone(),
        destination: order.destination.clone(),
        lot: None,
        cost: None,
        worker: None,
        reason: format!("order {}", order.reference),
        entry: Some(id.clone()),
    })?;
    let summary = summary(order)?;
    let total = Money::new(summary.total_minor.unwrap_or_default(), &order.currency);
    let accounts = &order.accounts;
    let mut lines =
        vec![line(&accounts.receivable, Side::Debit, &total), line(&accounts.revenue, Side::Credit, &total)];
    // Goods that cost nothing move without a posting.
    if moved.value.minor > 0 {
        lines.push(line(&accounts.cost, Side::Debit, &moved.value));
        lines.push(line(&moved.stock_account, Side::Credit, &moved.value));
    }
    let description = format!("order {} of {}", order.reference, order.customer);
    let posted = journal::post(&NewEntry { id, date: order.date, description, lines })?;
    Ok(Output { entry: Some(posted.number), stock_move: Some(moved.number), ..summary })
}

fn line(account: &str, side: Side, amount: &Money) -> Line {
    Line { account: account.to_owned(), side, amount: amount.clone(), dimensions: Vec::new(), memo: None }
}

fn summary(order: &Order) -> Result<Output, Error> {
    let mut total = Money::new(0, &order.currency);
    for line in &order.lines {
        total = total.plus(&Money::new(line.price_minor, &order.currency).times(line.quantity)?)?;
    }
    Ok(Output {
        reference: Some(order.reference.clone()),
        lines: Some(order.lines.len()),
        total_minor: Some(total.minor),
        ..Output::default()
    })
}
