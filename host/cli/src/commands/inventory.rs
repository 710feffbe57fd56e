//! `backroom inventory`: reads of stock.

use backroom_domain::Id;
use backroom_domain::inventory::{Item, Location, Move, Valuation};
use clap::Subcommand;
use serde::Deserialize;
use serde_json::Value;

use super::Context;
use crate::args::{Of, Part};
use crate::client::{Client, path, query};
use crate::exit::{Failure, Result};
use crate::figures::{amount, money, quantity};
use crate::output::{Grid, Out, left, right, text_of};
use crate::view::effects;

/// Stock: items, what is on hand, what it is worth, moves.
#[derive(Debug, Subcommand)]
pub(crate) enum Inventory {
    /// Items, in order of their numbers.
    #[command(after_help = "Example:\n  backroom inventory items --tenant harbor")]
    Items {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        part: Part,
    },
    /// What is on hand of an item, by location and lot.
    #[command(after_help = "Example:\n  backroom inventory on-hand LAPTOP-14 --tenant harbor")]
    OnHand {
        /// The item.
        item: String,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        part: Part,
    },
    /// Quantity and value of every item.
    #[command(after_help = "Example:\n  backroom inventory valuations --tenant harbor")]
    Valuations {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        part: Part,
    },
    /// Stock moves, in order of their numbers.
    #[command(after_help = "Example:\n  backroom inventory moves --tenant harbor --limit 10")]
    Moves {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        part: Part,
    },
    /// Locations: places of stock, and the outside world.
    #[command(after_help = "Example:\n  backroom inventory locations --tenant harbor")]
    Locations {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        part: Part,
    },
    /// Every stock control account: its balance beside the value of the stock, which must be equal.
    #[command(after_help = "Example:\n  backroom inventory stock-control --tenant harbor")]
    StockControl {
        #[command(flatten)]
        of: Of,
    },
}

/// A stock control account by the books and by the stock.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Control {
    pub(crate) account: Id,
    pub(crate) ledger: Figure,
    pub(crate) stock: Figure,
}

/// Minor units, below zero if the account is on the wrong side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Figure {
    pub(crate) minor: i128,
    pub(crate) currency: backroom_domain::Currency,
}

impl Inventory {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        let client = context.client()?;
        let list = |of: &Of, tail: &[&str], part: &Part| {
            let segments: Vec<&str> = ["v1", "tenants", &of.tenant, "inventory"].iter().chain(tail).copied().collect();
            client.get(&query(&path(&segments), &part.pairs()))
        };
        match self {
            Self::Items { of, part } => context.show_page(&list(of, &["items"], part)?, items),
            Self::OnHand { item, of, part } => {
                context.show_page(&list(of, &["items", item, "on-hand"], part)?, on_hand)
            }
            Self::Valuations { of, part } => context.show_page(&list(of, &["valuations"], part)?, valuations),
            Self::Moves { of, part } => {
                context.show_page(&list(of, &["moves"], part)?, |out, rows: &[Move]| effects::moves(out, rows))
            }
            Self::Locations { of, part } => context.show_page(&list(of, &["locations"], part)?, locations),
            Self::StockControl { of } => {
                let reply = client.get(&path(&["v1", "tenants", &of.tenant, "inventory", "stock-control"]))?;
                let rows = controls(&reply.read()?)?;
                context.show(&reply, |out, _: Value| show_controls(out, &rows))?;
                check_controls(&rows)
            }
        }
    }
}

/// Fetches every stock control account.
pub(crate) fn stock_control(client: &Client, tenant: &str) -> Result<Vec<Control>> {
    controls(&client.get(&path(&["v1", "tenants", tenant, "inventory", "stock-control"]))?.read()?)
}

/// A list, bare or as `items`.
fn controls(reply: &Value) -> Result<Vec<Control>> {
    let list = reply.get("items").unwrap_or(reply).clone();
    let rows = serde_json::from_value(list);
    Ok(rows.map_err(|error| anyhow::anyhow!("the service's reply on stock control is not as expected: {error}"))?)
}

/// Both figures and their difference.
pub(crate) fn show_controls(out: Out, rows: &[Control]) {
    let mut grid = Grid::new(&[left("Stock account"), right("Ledger"), right("Stock"), right("Difference"), left("")]);
    for Control { account, ledger, stock } in rows {
        let currency = ledger.currency;
        let cells = [ledger.minor, stock.minor, ledger.minor - stock.minor].map(|minor| amount(minor, currency));
        grid.row([account.to_string()].into_iter().chain(cells).chain([currency.to_string()]));
    }
    out.table(&grid);
}

/// A failure unless books and stock agree.
pub(crate) fn check_controls(rows: &[Control]) -> Result {
    match rows.iter().find(|row| row.ledger != row.stock) {
        None => Ok(()),
        Some(row) => {
            Err(Failure::Check(format!("stock and ledger differ on the stock control account {}", row.account)))
        }
    }
}

fn items(out: Out, rows: &[Item]) {
    let heads = [left("Item"), left("Name"), left("Unit"), right("Decimals"), left("Tracking"), left("Stock account")];
    let mut grid = Grid::new(&heads);
    for Item { new, .. } in rows {
        grid.row([
            new.id.to_string(),
            new.name.clone(),
            new.unit.clone(),
            new.decimals.to_string(),
            format!("{:?}", new.tracking).to_lowercase(),
            new.stock_account.to_string(),
        ]);
    }
    out.table(&grid);
}

fn on_hand(out: Out, rows: &[Value]) {
    let mut grid = Grid::new(&[left("Item"), left("Location"), left("Lot"), right("On hand")]);
    for row in rows {
        let part = |name: &str| row.get(name).map(text_of).unwrap_or_default();
        grid.row([part("item"), part("location"), part("lot"), on_hand_quantity(row)]);
    }
    out.table(&grid);
}

/// As the service says it, or the difference of the two counters.
fn on_hand_quantity(row: &Value) -> String {
    if let Some(said) = row.get("quantity") {
        return text_of(said);
    }
    let number = |name: &str| row.get(name).and_then(Value::as_u64).unwrap_or_default();
    let scale = u8::try_from(number("decimals")).unwrap_or_default();
    let mantissa = number("entered").saturating_sub(number("left"));
    quantity(backroom_domain::Decimal { mantissa, scale })
}

fn valuations(out: Out, rows: &[Valuation]) {
    let mut grid = Grid::new(&[left("Item"), right("Quantity"), right("Value"), left("Stock account")]);
    for row in rows {
        grid.row([row.item.to_string(), quantity(row.quantity), money(row.value), row.stock_account.to_string()]);
    }
    out.table(&grid);
}

fn locations(out: Out, rows: &[Location]) {
    let mut grid = Grid::new(&[left("Location"), left("Name"), left("Usage")]);
    for Location { new, .. } in rows {
        grid.row([new.id.to_string(), new.name.clone(), format!("{:?}", new.usage).to_lowercase()]);
    }
    out.table(&grid);
}
