//! Reports over the ledger.

use backroom_domain::Money;
use backroom_domain::ledger::reports::{Assertion, Report};
use backroom_office::ledger::Verified;
use backroom_office::ledger::reports::{AccountLines, CashFlow, DimensionRow, Explanation, Statement};

use super::text::{Text, get, of_ledger};
use crate::routes::reports;

const SPAN: &[(&str, &str)] = &[("from", "2026-01-01"), ("to", "2026-06-30")];
const READ: &str = "ledger-read-denied period-invalid";
const LONG: &str = "too-many-entries too-many-rows";

fn columns(path: &str, summary: &'static str) -> Text {
    get(&of_ledger(path), summary)
        .asks::<reports::Columns>()
        .gives::<Report>()
        .refuses(READ)
        .refuses("date-invalid too-many-rows too-many-columns history-not-kept overflow")
        .with(&[("from", "2026-01-01"), ("to", "2026-06-30"), ("compare", "2025-01-01..2025-12-31")])
}

pub(super) fn texts() -> Vec<Text> {
    vec![
        columns("/reports/trial-balance", "Every account: opening, debits, credits and closing, with sub-totals."),
        columns("/reports/balance-sheet", "Assets, liabilities and equity: look at `closing`."),
        columns("/reports/income-statement", "Income and expenses: look at `debits` and `credits`."),
        get(&of_ledger("/reports/cash-flow"), "Where the cash came from and went to, by the direct method.")
            .asks::<reports::Cash>()
            .gives::<CashFlow>()
            .refuses(READ)
            .refuses("pattern-invalid cash-missing history-not-kept")
            .refuses(LONG)
            .with(&[("cash", "1000,1010"), ("from", "2026-01-01"), ("to", "2026-06-30")]),
        get(&of_ledger("/reports/general-ledger"), "Every line of every account.")
            .asks::<reports::Days>()
            .gives::<Vec<AccountLines>>()
            .refuses(READ)
            .refuses("history-not-kept")
            .refuses(LONG)
            .with(SPAN),
        get(&of_ledger("/reports/by-dimension/{name}"), "What was posted, by the values of a dimension.")
            .asks::<reports::Days>()
            .gives::<Vec<DimensionRow>>()
            .refuses(READ)
            .refuses(LONG)
            .with(&[("name", "cost-center"), ("from", "2026-01-01"), ("to", "2026-06-30")]),
        get(&of_ledger("/accounts/{code}/statement"), "The lines of an account with the balance behind each.")
            .asks::<reports::Lines>()
            .gives::<Statement>()
            .refuses(READ)
            .refuses("account-is-header limit-invalid cursor-invalid history-not-kept")
            .refuses(LONG)
            .with(&[("code", "6100"), ("from", "2026-06-01"), ("to", "2026-06-30")]),
        get(&of_ledger("/accounts/{code}/explanation"), "Why a balance is what it is: by month, and by the largest entries.")
            .asks::<reports::Why>()
            .gives::<Explanation>()
            .refuses(READ)
            .refuses("account-is-header limit-invalid history-not-kept too-many-entries")
            .with(&[("code", "6100"), ("from", "2026-01-01"), ("largest", "5")]),
        get(&of_ledger("/accounts/{code}/assertion"), "Compares the balance of an account with a stated one.")
            .asks::<reports::Stated>()
            .gives::<Assertion>()
            .refuses("ledger-read-denied account-is-header amount-invalid amount-too-large currency-invalid currency-mismatch history-not-kept")
            .with(&[("code", "6100"), ("date", "2026-06-30"), ("side", "debit"), ("balance", "650.00 USD")]),
        get(&of_ledger("/verification"), "Looks through the journal: no number is missing, and every entry balances.")
            .more("The head is a hash over all of them, to compare with one from before. `bad` is the first that is wrong.")
            .asks::<reports::Numbers>()
            .gives::<Verified>()
            .refuses("ledger-read-denied range-invalid too-many-entries")
            .with(&[("from", "1"), ("to", "10")]),
        get(&of_ledger("/allocation"), "Splits an amount into parts that add up to it exactly.")
            .more("Each part is rounded down, and what is left over goes out one minor unit each in order.")
            .asks::<reports::Allocation>()
            .gives::<Vec<Money>>()
            .refuses(
                "ledger-read-denied amount-invalid amount-too-large currency-invalid portions-invalid fraction-invalid two-remainders \
                 over-100-percent under-100-percent",
            )
            .with(&[("amount", "100.00 USD"), ("portions", "1/3,25%,remainder")]),
        get(&of_ledger("/export"), "The whole journal as text for another program.")
            .asks::<reports::As>()
            .gives_bytes(&["text/plain; charset=utf-8", "text/csv; charset=utf-8"], "The text.")
            .refuses("format-unknown ledger-read-denied")
            .with(&[("format", "hledger")]),
    ]
}
