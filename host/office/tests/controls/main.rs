//! Periods, rates and budgets through their use cases, beside plain models of them.
//!
//! A property that fails prints its seed and the smallest sequence of calls that shows it; `PROPTEST_CASES` says how many sequences.
#![allow(clippy::unwrap_used, reason = "what these tests set up is valid by construction")]
#![allow(clippy::panic, clippy::indexing_slicing, reason = "a failed helper is a failed test")]

#[path = "../books/mod.rs"]
mod books;

mod budgets;
mod periods;
mod rates;
mod revalue;
mod year;

use backroom_office::Failure;

/// What a use case said: its result, or the code of its refusal.
fn answer<T>(result: backroom_office::Result<T>) -> Result<T, String> {
    match result {
        Ok(value) => Ok(value),
        Err(Failure::Business(error)) => Err(error.code().to_owned()),
        Err(failure) => panic!("{failure}"),
    }
}
