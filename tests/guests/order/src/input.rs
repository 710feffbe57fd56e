//! The input's form; `order.json` beside the plugin is an example of about 1 KiB.

use backroom_sdk::BusinessDate;
use serde::Deserialize;

/// What to do, and with what.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub mode: Mode,
    /// For `read` and `book`.
    pub order: Option<Order>,
    /// For `lookup`: which account.
    pub account: Option<String>,
    /// For `lookup`: how often.
    #[serde(default)]
    pub count: u32,
}

/// What to do.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Nothing at all: what a run costs by itself.
    Nothing,
    /// Many calls that read one record.
    Lookup,
    /// Five calls that read.
    Read,
    /// A stock move and a journal entry.
    Book,
}

/// What a customer ordered.
#[derive(Deserialize)]
pub struct Order {
    pub reference: String,
    pub customer: String,
    pub date: BusinessDate,
    pub currency: String,
    /// The stock location that the goods leave.
    pub source: String,
    /// The location that stands for customers.
    pub destination: String,
    pub accounts: Accounts,
    pub lines: Vec<OrderLine>,
}

/// The accounts that an order touches.
#[derive(Deserialize)]
pub struct Accounts {
    pub cash: String,
    pub receivable: String,
    pub tax: String,
    pub revenue: String,
    pub cost: String,
}

/// One line of an order.
#[derive(Deserialize)]
pub struct OrderLine {
    pub item: String,
    pub quantity: u64,
    /// For one, in minor units.
    pub price_minor: u64,
    /// Read over, as most of what partners send.
    #[serde(default, rename = "note")]
    _note: Option<String>,
}
