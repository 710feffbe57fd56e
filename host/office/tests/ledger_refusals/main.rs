//! Every code that the ledger refuses with is made to happen, alone and together with each that comes behind it.
//!
//! A table has the refusals of one use case in the order of the contract ([`order`]). Tables of what the rest of the tests have are named
//! in [`catalogue`], which also looks through the sources: a code without a table, and a documented order that a table does not follow,
//! fail there.
#![allow(clippy::unwrap_used, reason = "what these tests set up is valid by construction")]
#![allow(clippy::panic, clippy::indexing_slicing, reason = "a failed helper is a failed test")]
#![allow(clippy::arithmetic_side_effects, reason = "the amounts of these tests are small")]

mod accounts;
#[path = "../books/mod.rs"]
mod books;
mod catalogue;
mod chart;
mod controls;
mod entries;
mod holds;
mod matches;
mod order;
mod reports;
mod reversals;

use order::Ordered;

/// All tables.
fn tables() -> Vec<Box<dyn Ordered>> {
    let all = [
        accounts::tables(),
        controls::tables(),
        entries::tables(),
        holds::tables(),
        matches::tables(),
        reports::tables(),
        reversals::tables(),
    ];
    all.into_iter().flatten().collect()
}

#[test]
fn everything_is_refused_in_the_order_of_the_contract() {
    let otherwise: Vec<String> = tables().iter().flat_map(|table| table.check()).collect();
    assert!(otherwise.is_empty(), "{otherwise:#?}");
}
