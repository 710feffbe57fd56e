//! What surrounds the journal: periods, closing a year, revaluation, budgets.

use backroom_domain::ledger::{
    Budget, ExceptionUse, FutureLimit, Lock, LockException, Opening, Revaluation, YearClosing,
};
use backroom_office::Page;
use backroom_office::ledger::{BudgetStatus, Changed, Periods};

use super::text::{Text, get, of_ledger, post, put};
use crate::routes::controls;

pub(super) fn texts() -> Vec<Text> {
    [budgets(), revaluation(), periods()].into_iter().flatten().collect()
}

fn budgets() -> Vec<Text> {
    vec![
        put(
            &of_ledger("/budgets"),
            "Sets a budget: with `stop` what would pass it is refused, with `warn` it is posted and said.",
        )
        .takes::<controls::Budgeting>(
            r#"{"budget": {"id": "office-2026", "account": "6100", "action": "warn", "periods": [
                    {"first": "2026-01-01", "last": "2026-12-31", "amount": {"minor": 600000, "currency": "USD"}}]}}"#,
        )
        .gives::<Changed<Budget>>()
        .refuses(
            "budgets-denied periods-invalid no-periods too-many-periods amount-zero amount-too-large book-not-found \
                 exists-with-different version-conflict not-found account-not-found book-mismatch account-is-header \
                 currency-mismatch overlapping-budget",
        ),
        get(&of_ledger("/budgets/{id}"), "A budget, with what was used of each period and what is left.")
            .asks::<controls::InBook>()
            .gives::<BudgetStatus>()
            .refuses("ledger-read-denied")
            .with(&[("id", "office-2026"), ("book", "main")]),
        get(&of_ledger("/budgets"), "Budgets, in order of their ids.")
            .asks::<controls::OfBook>()
            .gives::<Page<Budget>>()
            .refuses("limit-invalid cursor-invalid"),
    ]
}

fn revaluation() -> Vec<Text> {
    vec![
        post(&of_ledger("/revaluations"), "Brings what foreign balances are carried at to the rate of the day.")
            .takes::<controls::Revaluing>(
                r#"{"book": "eu", "revaluation": {"id": "fx-2026-06", "as-of": "2026-06-30", "accounts": ["eu/1100"],
                    "reverse": true}}"#,
            )
            .gives::<Changed<Revaluation>>()
            .refuses(
                "rates-denied id-too-long no-accounts too-many-accounts account-twice book-not-found no-base-currency \
                 account-not-found book-mismatch account-is-header not-foreign history-not-kept already-revalued rate-missing \
                 exists-with-different exchange-account-missing account-closed period-locked future-date budget-exceeded overflow",
            ),
    ]
}

fn periods() -> Vec<Text> {
    const LOCK: &str = "periods-denied book-not-found";
    vec![
        post(&of_ledger("/period-locks"), "Locks the days up to and on a day. A lock moves forward only; a hard one stays for good.")
            .takes::<controls::NewLock>(r#"{"scope": "tax", "kind": "soft", "until": "2026-03-31"}"#)
            .or(r#"{"scope": "all", "kind": "soft", "until": "2025-12-31"}"#)
            .gives::<Changed<Lock>>()
            .refuses(LOCK)
            .refuses("lock-not-forward"),
        get(&of_ledger("/periods"), "The twelve periods of a fiscal year with their locks.")
            .asks::<controls::Year>()
            .gives::<Periods>()
            .refuses("ledger-read-denied book-not-found year-invalid")
            .with(&[("year", "2026")]),
        post(&of_ledger("/lock-exceptions"), "Lets somebody post in spite of a soft lock, up to a moment.")
            .takes::<controls::Granting>(
                r#"{"exception": {"id": "x-1", "scope": "tax", "holder": {"actor": "nightly"},
                    "until": "2099-01-01T00:00:00Z", "reason": "invoice of the auditor"}}"#,
            )
            .gives::<Changed<LockException>>()
            .refuses(LOCK)
            .refuses("text-invalid exists-with-different exception-expired"),
        get(&of_ledger("/lock-exceptions"), "Exceptions of a book, expired and revoked ones as well.")
            .asks::<controls::OfBook>()
            .gives::<Page<LockException>>()
            .refuses("ledger-read-denied limit-invalid cursor-invalid"),
        get(&of_ledger("/lock-exceptions/{id}/uses"), "Everything that was posted under an exception.")
            .asks::<controls::OfBook>()
            .gives::<Page<ExceptionUse>>()
            .refuses("ledger-read-denied limit-invalid cursor-invalid")
            .with(&[("id", "x-1")]),
        post(&of_ledger("/lock-exceptions/{id}/revocation"), "Ends an exception now.")
            .takes::<controls::Revocation>("{}")
            .gives::<Changed<LockException>>()
            .refuses(LOCK)
            .refuses("exception-expired")
            .with(&[("id", "x-1")]),
        post(&of_ledger("/period-reopenings"), "Moves a soft lock back.")
            .takes::<controls::Reopening>(
                r#"{"scope": "tax", "from": "2026-03-01", "reason": "a return came back"}"#,
            )
            .gives::<Changed<Lock>>()
            .refuses(LOCK)
            .refuses("text-invalid hard-lock"),
        put(&of_ledger("/future-limit"), "Says how many days behind today a posting may be dated; null: without an end.")
            .takes::<controls::FutureDays>(r#"{"days": 366}"#)
            .gives::<Changed<FutureLimit>>()
            .refuses(LOCK),
        post(&of_ledger("/year-closings"), "Closes a fiscal year that is locked: income and expense go to retained earnings.")
            .takes::<controls::Closing>(
                r#"{"closing": {"id": "close-2025", "year": 2025, "retained-earnings": ["3000"]}}"#,
            )
            .gives::<Changed<YearClosing>>()
            .refuses(LOCK)
            .refuses(
                "id-too-long no-accounts year-invalid already-closed account-not-found book-mismatch not-equity account-is-header \
                 currency-mismatch periods-open retained-earnings-missing exists-with-different account-closed future-date \
                 limit-exceeded overflow",
            ),
        get(&of_ledger("/openings"), "What the year behind a closed one opens with.")
            .asks::<controls::OfYear>()
            .gives::<Page<Opening>>()
            .refuses("limit-invalid cursor-invalid")
            .with(&[("year", "2025")]),
    ]
}
