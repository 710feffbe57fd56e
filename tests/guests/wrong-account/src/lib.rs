//! Posts one entry to the accounts that the input names. It wants two accounts only; the tests name others.

use backroom_sdk::ledger::journal::{Line, NewEntry, post};
use backroom_sdk::{Error, Money, Side, Workflow, host, workflow};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Input {
    id: String,
    debit: String,
    credit: String,
    amount: Money,
    /// Whether to go on after an error, as if nothing had happened.
    #[serde(default)]
    swallow: bool,
}

#[derive(Serialize)]
struct Output {
    /// The entry's number.
    number: Option<u64>,
    /// The code of the error that was swallowed.
    code: Option<String>,
}

struct WrongAccount;

impl Workflow for WrongAccount {
    type Input = Input;
    type Output = Output;

    fn run(input: Input) -> Result<Output, Error> {
        let line = |account: String, side| Line {
            account,
            side,
            amount: input.amount.clone(),
            dimensions: Vec::new(),
            memo: None,
        };
        let entry = NewEntry {
            id: input.id,
            date: host::clock::today(),
            description: "posted by a test".to_owned(),
            lines: vec![line(input.debit, Side::Debit), line(input.credit, Side::Credit)],
        };
        match post(&entry) {
            Ok(posted) => Ok(Output { number: Some(posted.number), code: None }),
            Err(error) if input.swallow => Ok(Output { number: None, code: Some(error.code().to_owned()) }),
            Err(error) => Err(error),
        }
    }
}

workflow!(WrongAccount);
