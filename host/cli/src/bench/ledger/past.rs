//! Balances as of a day of the past, in process: what a plugin's call and a request over HTTP both come to.

use std::hint::black_box;
use std::time::{Duration, Instant};

use backroom_domain::Id;
use backroom_office::ledger;
use serde::Serialize;

use super::Load;
use super::book::{ACCOUNTS, Book, PER_DAY, business_date, code, mix};
use crate::bench::stats::Spread;

/// Questions of each kind.
const QUESTIONS: u64 = 20_000;
/// Questions of one unit of work.
const A_READ: u64 = 100;

/// What was measured.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Past {
    /// Any account as of any day with entries, at once: what was posted is still on its way into the index.
    pub(super) at_once: Spread,
    /// The same, when it has settled.
    pub(super) random: Spread,
    /// One account as of one day, again and again.
    pub(super) again: Spread,
    pub(super) load: Load,
}

/// Asks a book with so many entries.
pub(super) fn measure(book: &Book, entries: u64) -> anyhow::Result<Past> {
    let days = entries.div_ceil(PER_DAY).max(1);
    let any = |number| (mix(number) % ACCOUNTS, (mix(number) >> 32) % days);
    let at_once = ask(book, any)?;
    settle(book)?;
    let random = ask(book, any)?;
    let again = ask(book, |_| (ACCOUNTS / 2, days / 2))?;
    Ok(Past { at_once, random, again, load: Load::now() })
}

/// Until the index has everything, and no upkeep is due.
fn settle(book: &Book) -> anyhow::Result<()> {
    loop {
        let status = book.store.status();
        if status.applied == status.durable {
            // Rounds do not run at the same time: behind this one none goes on.
            return Ok(book.store.upkeep()?);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn ask(book: &Book, which: impl Fn(u64) -> (u64, u64)) -> anyhow::Result<Spread> {
    let mut times = Vec::new();
    let mut work = book.read()?;
    for number in 0..QUESTIONS {
        if number % A_READ == 0 {
            work = book.read()?;
        }
        let (account, day) = which(number);
        let (account, day) = (Id::parse(&code(account), "account")?, business_date(day)?);
        let start = Instant::now();
        black_box(ledger::balance(&work, &account, Some(day))?);
        times.push(start.elapsed());
    }
    Ok(Spread::of(&mut times))
}
