//! Posts as many entries of two lines as it is asked for, in batches: for measuring the ledger.

use backroom_sdk::ledger::journal::{BatchItem, BatchMode, Line, NewEntry, post_batch};
use backroom_sdk::{BusinessDate, Error, Money, Side, Workflow, refused, workflow};
use serde::{Deserialize, Serialize};

/// Months of the days that the entries are spread over have so many days that count.
const DAYS: u64 = 28;
/// The first of the years, and how many there are.
const YEARS: (u16, u64) = (2020, 6);

/// What to post. Which accounts, amounts and days entry `n` has, follows from `n`: whoever measures something else beside it can
/// post the same.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    /// The number of the first entry.
    first: u64,
    /// How many.
    count: u64,
    /// Entries in one call.
    batch: u64,
    /// Accounts, by numbers from 10000 on; at least two.
    accounts: u64,
    /// Entries on one day, before the next day's.
    per_day: u64,
}

#[derive(Serialize)]
struct Output {
    posted: u64,
    /// The number of the last one in the journal.
    last: u64,
}

struct Poster;

impl Workflow for Poster {
    type Input = Input;
    type Output = Output;

    fn run(input: Input) -> Result<Output, Error> {
        let mut output = Output { posted: 0, last: 0 };
        let end = input.first + input.count;
        let mut from = input.first;
        while from < end {
            let to = end.min(from + input.batch.max(1));
            let items: Vec<BatchItem> = (from..to).map(|n| item(&input, n)).collect();
            for outcome in post_batch(&items, BatchMode::Independent)? {
                let posted = outcome?;
                if posted.replayed {
                    return Err(refused("posted-before", "this was posted before, and would measure something else"));
                }
                (output.posted, output.last) = (output.posted + 1, posted.number);
            }
            from = to;
        }
        Ok(output)
    }
}

workflow!(Poster);

fn item(input: &Input, n: u64) -> BatchItem {
    let random = mix(n);
    let debit = random % input.accounts;
    let credit = (debit + 1 + (random >> 32) % (input.accounts - 1)) % input.accounts;
    let amount = Money::new(1 + (random >> 20) % 10_000, "USD");
    let line = |account: u64, side| Line {
        account: (10_000 + account).to_string(),
        side,
        amount: amount.clone(),
        dimensions: Vec::new(),
        memo: None,
    };
    let lines = vec![line(debit, Side::Debit), line(credit, Side::Credit)];
    let entry = NewEntry {
        id: format!("entry:{n:010}"),
        date: day(n / input.per_day),
        description: "A posting".to_owned(),
        lines,
    };
    BatchItem { group: None, entry, details: None }
}

fn day(number: u64) -> BusinessDate {
    let month = number / DAYS % (YEARS.1 * 12);
    let part = |value: u64| u8::try_from(value).unwrap_or(1);
    BusinessDate {
        year: YEARS.0 + u16::try_from(month / 12).unwrap_or(0),
        month: part(month % 12 + 1),
        day: part(number % DAYS + 1),
    }
}

/// SplitMix64: numbers that look random and are the same each time.
fn mix(n: u64) -> u64 {
    let z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
