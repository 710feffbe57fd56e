//! People and stock.

use backroom_domain::hr::{Benefit, Employment};
use backroom_domain::inventory::{Item, Location, Move, OnHand, Valuation};
use backroom_office::Page;
use backroom_office::hr::{Erased, WorkerView};
use backroom_office::inventory::StockControlRow;

use super::text::{Text, get, of_tenant, post};
use crate::extract::Paging;
use crate::routes::{hr, inventory};

const PAGE: &str = "limit-invalid cursor-invalid";

pub(super) fn texts() -> Vec<Text> {
    let mut texts = people();
    texts.extend(stock());
    texts
}

fn people() -> Vec<Text> {
    const READ: &str = "hr-read-denied";
    vec![
        get(&of_tenant("/hr/workers"), "Workers. What the caller may not see is left out.")
            .asks::<Paging>()
            .gives::<Page<WorkerView>>()
            .refuses(READ)
            .refuses(PAGE),
        get(&of_tenant("/hr/workers/{id}"), "A worker.").gives::<WorkerView>().refuses(READ).with(&[("id", "W-1")]),
        get(&of_tenant("/hr/employments"), "Who was employed when, as what, from where.")
            .asks::<hr::Employments>()
            .gives::<Page<Employment>>()
            .refuses(READ)
            .refuses("date-invalid")
            .refuses(PAGE)
            .with(&[("first-day", "2026-06-01"), ("last-day", "2026-06-30"), ("place", "remote")]),
        get(&of_tenant("/hr/benefits"), "Benefits of a plan in a stretch of days.")
            .asks::<hr::Benefits>()
            .gives::<Page<Benefit>>()
            .refuses(READ)
            .refuses("date-invalid")
            .refuses(PAGE)
            .with(&[("plan", "housing"), ("first-day", "2026-06-01"), ("last-day", "2026-06-30")]),
        post(
            &of_tenant("/hr/workers/{id}/erasure"),
            "Erases a person: the key of what is personal is destroyed for good.",
        )
        .takes::<backroom_domain::hr::NewErasure>(r#"{"reason": "asked for it on 2026-06-30"}"#)
        .gives::<Erased>()
        .refuses("administer-denied text-invalid retention-duty")
        .with(&[("id", "W-2")]),
    ]
}

fn stock() -> Vec<Text> {
    const READ: &str = "inventory-read-denied";
    const ITEM: &[(&str, &str)] = &[("id", "HEADSET-20")];
    vec![
        get(&of_tenant("/inventory/items"), "Items, in order of their ids.")
            .asks::<Paging>()
            .gives::<Page<Item>>()
            .refuses(PAGE),
        get(&of_tenant("/inventory/items/{id}"), "An item.").gives::<Item>().refuses(READ).with(ITEM),
        get(&of_tenant("/inventory/items/{id}/on-hand"), "How much of an item is where.")
            .asks::<inventory::OnHand>()
            .gives::<Page<OnHand>>()
            .refuses(READ)
            .refuses(PAGE)
            .with(&[("id", "HEADSET-20"), ("location", "WH-MAIN")]),
        get(&of_tenant("/inventory/items/{id}/valuation"), "What an item in stock is worth.")
            .gives::<Valuation>()
            .refuses(READ)
            .with(ITEM),
        get(&of_tenant("/inventory/locations"), "Locations, in order of their ids.")
            .asks::<Paging>()
            .gives::<Page<Location>>()
            .refuses(READ)
            .refuses(PAGE),
        get(&of_tenant("/inventory/moves"), "Stock moves, in order of their numbers.")
            .asks::<Paging>()
            .gives::<Page<Move>>()
            .refuses(PAGE)
            .with(&[("limit", "10")]),
        get(&of_tenant("/inventory/valuations"), "What all items in stock are worth.")
            .asks::<Paging>()
            .gives::<Page<Valuation>>()
            .refuses(PAGE),
        get(
            &of_tenant("/inventory/stock-control"),
            "Stock control accounts: what the books say, and what the stock is worth.",
        )
        .gives::<Page<StockControlRow>>()
        .refuses(READ),
    ]
}
