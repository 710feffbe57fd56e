//! What a guest can call: one file per interface of the contract.
//!
//! Every function does the same: count the call and its bytes, make domain values, call the use case (which checks the right
//! first of all), and make values of the contract. Rules live in `office` and `domain`, none here.

mod accounts;
mod balances;
mod bank;
mod benefits;
mod books;
mod budgets;
mod chart;
mod clock;
mod config;
mod files;
mod holds;
mod http;
mod items;
mod journal;
mod log;
mod open_items;
mod periods;
mod rates;
mod reports;
mod review;
mod state;
mod stock;
mod types;
mod workers;

#[cfg(test)]
mod tests;

/// Every interface of the contract. A component that imports anything else is refused when it is uploaded.
pub(crate) const INTERFACES: [&str; 24] = [
    "backroom:host/clock@0.1.0",
    "backroom:host/config@0.1.0",
    "backroom:host/files@0.1.0",
    "backroom:host/http@0.1.0",
    "backroom:host/log@0.1.0",
    "backroom:host/state@0.1.0",
    "backroom:hr/benefits@0.1.0",
    "backroom:hr/workers@0.1.0",
    "backroom:inventory/items@0.1.0",
    "backroom:inventory/stock@0.1.0",
    "backroom:ledger/accounts@0.1.0",
    "backroom:ledger/balances@0.1.0",
    "backroom:ledger/books@0.1.0",
    "backroom:ledger/budgets@0.1.0",
    "backroom:ledger/chart@0.1.0",
    "backroom:ledger/holds@0.1.0",
    "backroom:ledger/journal@0.1.0",
    "backroom:ledger/open-items@0.1.0",
    "backroom:ledger/bank@0.1.0",
    "backroom:ledger/periods@0.1.0",
    "backroom:ledger/rates@0.1.0",
    "backroom:ledger/reports@0.1.0",
    "backroom:ledger/review@0.1.0",
    "backroom:types/types@0.1.0",
];

/// What the fields of a record take that are no text, roughly: enough for the cost of a call.
const FIXED: usize = 64;
