//! A housing allowance for staff who work remotely, in place of an office seat: once a month, over people, books and stock.
//!
//! Input: `{"month": "2026-06"}`. One run of a month
//!
//! * reads who works remotely (employment dates, position, place, cost centre; no name, no salary, no bank account) and gives
//!   those in the configured position one benefit line per unbroken stretch and cost centre, pro-rated by calendar days;
//! * issues a laptop out of stock to each of them who was not remote on the day before: the lowest serial number on hand;
//! * posts one balanced journal entry per cost centre: the allowances against payroll payable, the value of the laptops out
//!   of their stock account.
//!
//! Everything has an id made of the month and what it is about, so a second run of the same month is a replay that changes nothing.
//! If the people's data have changed since, the second run ends with `exists-with-different`: what was
//! posted is corrected by reversal, not by running again.
//!
//! Refusals of its own: `month-invalid`, `config-missing`, `config-invalid`, `laptop-not-serial`, `laptops-out-of-stock`.

mod books;
mod config;
mod days;
mod laptops;
mod output;
mod people;

use backroom_sdk::host::log::{self, Level};
use backroom_sdk::{Error, Money, Month, Workflow, workflow};
use serde::Deserialize;

use books::Books;
use config::Config;
use output::{Output, Saving, amount};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    /// `YYYY-MM`.
    month: String,
}

struct RemoteAllowance;

impl Workflow for RemoteAllowance {
    type Input = Input;
    type Output = Output;

    fn run(input: Input) -> Result<Output, Error> {
        let month = input.month.parse::<Month>()?;
        let config = Config::read()?;
        let people = people::of(month, &config.position)?;
        let laptops = laptops::issue(&config, month, &people)?;
        let books = Books::keep(&config, month, &people, &laptops)?;

        let full = people.iter().filter(|person| person.full_month(month)).count();
        let saving = Saving::of(&config.seat_cost, &config.monthly_amount, full as u64)?;
        let mut total = Money::new(0, &config.monthly_amount.currency);
        for line in &books.lines {
            total = total.plus(&line.money)?;
        }
        let workers = people.iter().filter(|person| !person.lines.is_empty()).count();
        let said = format!("{month}: {} in {} lines for {workers} workers", total, books.lines.len());
        log::write(Level::Info, &format!("{said}; {} laptops", laptops.len()));
        Ok(Output {
            month: month.to_string(),
            plan: config.plan.clone(),
            workers,
            total_allowance: amount(&total),
            entries: books.entries,
            lines: books.lines.into_iter().map(Into::into).collect(),
            laptops: laptops.into_iter().map(Into::into).collect(),
            saving,
            balances: books::balances(&config)?,
        })
    }
}

workflow!(RemoteAllowance);
