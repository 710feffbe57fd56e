//! The books: books, rates, accounts, entries, holds, open items, bank statements.

use backroom_domain::ledger::{
    Account, AccountChange, AccountClosing, AgeingRow, Balance, BankLine, BankStatement, Book, Entry, FoundRate, Hold,
    HoldRelease, Match, NewAccount, NewBook, NewEntry, NewHold, NewMatch, NewStatement, Rate, Reversal, Settlement,
    TrialBalance,
};
use backroom_office::Page;
use backroom_office::ledger::{Changed, ItemRow, Placed, Posted, RatesSet, SuggestedLine};

use super::text::{Text, get, of_ledger, post, put};
use crate::extract::{AsOf, Paging};
use crate::routes::{controls, items, ledger, ledger_writes as writes};

/// The form of an entry.
const FORM: &str = "id-too-long text-invalid too-few-lines too-many-lines amount-zero amount-too-large same-account-both-sides \
                    dimensions-invalid reference-invalid kind-reserved too-many-guards metadata-invalid made-by-host";
/// What posting can refuse with, in the order of its precedence.
const POST: &str = "ledger-post-denied ledger-date-denied ledger-currency-denied ledger-amount-denied ledger-read-denied \
                    exists-with-different id-already-failed account-not-found book-mismatch rate-missing missing-dimension party-required \
                    duplicate-reference unbalanced account-is-header account-closed manual-not-permitted currency-mismatch \
                    stock-control-imbalance period-locked exception-expired future-date insufficient limit-exceeded guard-failed \
                    budget-exceeded overflow";

pub(super) fn texts() -> Vec<Text> {
    [books(), accounts(), entries(), balances(), holds(), open_items(), bank()].into_iter().flatten().collect()
}

fn books() -> Vec<Text> {
    vec![
        post(&of_ledger("/books"), "Creates a book: what the accounts of one legal entity have in common.")
            .more("The book `main` is there before it is created, without a base currency.")
            .asks::<writes::How>()
            .takes::<NewBook>(
                r#"{"id": "eu", "name": "Harbor Europe", "base": "EUR", "year-start": 1, "retained-earnings": "eu/3000",
                    "exchange-gain": "eu/4900", "exchange-loss": "eu/5900"}"#,
            )
            .gives::<Book>()
            .refuses(
                "chart-denied id-invalid text-invalid month-invalid exists-with-different book-mismatch book-has-accounts \
                 book-has-foreign-entries",
            ),
        get(&of_ledger("/books"), "Books, in order of their ids.")
            .asks::<Paging>()
            .gives::<Page<Book>>()
            .refuses("ledger-read-denied limit-invalid cursor-invalid"),
        get(&of_ledger("/books/{id}"), "A book.").gives::<Book>().refuses("ledger-read-denied").with(&[("id", "eu")]),
        post(&of_ledger("/rates"), "Sets exchange rates, in place of those of the same day, pair and type.")
            .more("The type `spot` is taken for posting, `closing` for revaluation.")
            .takes::<controls::NewRates>(
                r#"{"book": "eu", "rates": [
                    {"date": "2026-06-01", "from": "USD", "to": "EUR", "type": "spot", "rate": "0.9"},
                    {"date": "2026-06-30", "from": "USD", "to": "EUR", "type": "closing", "rate": "0.95"}]}"#,
            )
            .gives::<Changed<RatesSet>>()
            .refuses("rates-denied no-rates too-many-rates rate-zero same-currency rate-twice decimal-invalid book-not-found"),
        get(&of_ledger("/rate"), "The newest rate on or before a day, of this direction or the inverse of the other.")
            .asks::<controls::WantedRate>()
            .gives::<FoundRate>()
            .refuses("ledger-read-denied book-not-found rate-missing")
            .with(&[("book", "eu"), ("from", "EUR"), ("to", "USD"), ("type", "spot"), ("date", "2026-06-15")]),
        get(&of_ledger("/rates"), "Rates of a book.")
            .asks::<controls::OfBook>()
            .gives::<Page<Rate>>()
            .refuses("ledger-read-denied limit-invalid cursor-invalid")
            .with(&[("book", "eu")]),
    ]
}

fn accounts() -> Vec<Text> {
    const CHANGE: &str = "chart-denied not-found";
    vec![
        post(&of_ledger("/accounts"), "Adds an account to the chart.")
            .asks::<writes::How>()
            .takes::<NewAccount>(
                r#"{"code": "1050", "name": "Till", "type": "asset", "currency": "USD", "posting": true, "stock-control": false,
                    "rules": {"min-available": {"minor": 0}}}"#,
            )
            .or(r#"{"code": "1010", "name": "Bank", "type": "asset", "currency": "USD", "posting": true, "stock-control": false,
                    "rules": {"reconcilable": true}}"#)
            .or(r#"{"code": "1150", "name": "Customers", "type": "asset", "currency": "USD", "posting": true,
                    "stock-control": false, "rules": {"reconcilable": true, "party-required": true}}"#)
            .or(r#"{"code": "eu/1000", "name": "Bank", "type": "asset", "currency": "EUR", "posting": true, "stock-control": false}"#)
            .or(r#"{"code": "eu/1100", "name": "Bank in New York", "type": "asset", "currency": "USD", "posting": true,
                    "stock-control": false}"#)
            .or(r#"{"code": "eu/2100", "name": "Loan in dollars", "type": "liability", "currency": "USD", "posting": true,
                    "stock-control": false}"#)
            .or(r#"{"code": "eu/3000", "name": "Capital", "type": "equity", "currency": "EUR", "posting": true,
                    "stock-control": false}"#)
            .or(r#"{"code": "eu/4900", "name": "Exchange gains", "type": "income", "currency": "EUR", "posting": true,
                    "stock-control": false}"#)
            .or(r#"{"code": "eu/5900", "name": "Exchange losses", "type": "expense", "currency": "EUR", "posting": true,
                    "stock-control": false}"#)
            .gives::<Account>()
            .refuses(
                "chart-denied text-invalid header-with-stock-control amount-too-large limits-exclude-each-other dimensions-invalid \
                 exists-with-different parent-not-found parent-is-posting type-differs-from-parent book-mismatch",
            ),
        get(&of_ledger("/accounts"), "The chart of accounts, in order of the codes.")
            .asks::<Paging>()
            .gives::<Page<Account>>()
            .refuses("limit-invalid cursor-invalid")
            .with(&[("limit", "100")]),
        get(&of_ledger("/accounts/{code}"), "An account.")
            .gives::<Account>()
            .refuses("ledger-read-denied")
            .with(&[("code", "eu/1000")]),
        put(&of_ledger("/accounts/{code}"), "Changes the name or the rules of an account.")
            .asks::<writes::How>()
            .takes::<AccountChange>(r#"{"expected-version": 0, "name": "Till at the door"}"#)
            .gives::<Account>()
            .refuses(CHANGE)
            .more("Rules with limits need the right to read the account: whether they are refused says where its balance stands.")
            .refuses(
                "ledger-read-denied text-invalid amount-too-large limits-exclude-each-other dimensions-invalid version-conflict limit-already-breached",
            )
            .with(&[("code", "1050")]),
        post(&of_ledger("/accounts/{code}/close"), "Closes an account: nothing is posted to it until it is opened again.")
            .asks::<writes::How>()
            .takes::<AccountClosing>(r#"{"reason": "the till was sold", "sweep": {"to": "1000", "entry": "sweep:1050"}}"#)
            .gives::<Account>()
            .refuses(CHANGE)
            .refuses("text-invalid has-open-holds non-zero-balance")
            .refuses(POST)
            .with(&[("code", "1050")]),
        post(&of_ledger("/accounts/{code}/reopen"), "Opens a closed account again.")
            .asks::<writes::How>()
            .takes::<writes::Reopening>("{}")
            .gives::<Account>()
            .refuses(CHANGE)
            .with(&[("code", "1050")]),
    ]
}

fn entries() -> Vec<Text> {
    vec![
        post(&of_ledger("/entries"), "Posts a journal entry.")
            .more("Debits equal credits in each currency, and in the base currency of the book over all lines.")
            .asks::<writes::How>()
            .takes::<NewEntry>(
                r#"{"id": "rent-2026-06", "date": "2026-06-01", "description": "Office rent", "lines": [
                    {"account": "6100", "side": "debit", "amount": {"minor": 50000, "currency": "USD"},
                     "dimensions": [{"name": "cost-center", "value": "CC-1"}]},
                    {"account": "1000", "side": "credit", "amount": {"minor": 50000, "currency": "USD"}}],
                    "details": {"reference": "RENT-06", "guards": [{"account": "6100", "balance": "posted", "op": "ge",
                     "value": {"minor": 50000}}]}}"#,
            )
            .or(r#"{"id": "inv-7", "date": "2026-06-02", "description": "Invoice 7", "lines": [
                    {"account": "1150", "side": "debit", "amount": {"minor": 12000, "currency": "USD"},
                     "details": {"party": "dentist", "due": "2026-06-30"}},
                    {"account": "4000", "side": "credit", "amount": {"minor": 12000, "currency": "USD"}}]}"#)
            .or(r#"{"id": "pay-7", "date": "2026-06-20", "description": "Payment of invoice 7", "lines": [
                    {"account": "1010", "side": "debit", "amount": {"minor": 12000, "currency": "USD"}},
                    {"account": "1150", "side": "credit", "amount": {"minor": 12000, "currency": "USD"},
                     "details": {"party": "dentist"}}]}"#)
            .or(r#"{"id": "eu-1", "date": "2026-06-03", "description": "A loan in dollars, at 0.90 by the table", "lines": [
                    {"account": "eu/1100", "side": "debit", "amount": {"minor": 10000, "currency": "USD"}},
                    {"account": "eu/2100", "side": "credit", "amount": {"minor": 10000, "currency": "USD"}, "memo": "loan"}]}"#)
            .gives::<Posted>()
            .refuses(FORM)
            .refuses(POST),
        post(&of_ledger("/batches"), "Posts up to 8,190 entries, by themselves or in groups that stand or fall together.")
            .more("The answer has what became of each, in their order, with the error of each that was refused.")
            .asks::<writes::How>()
            .takes::<writes::Batch>(
                r#"{"mode": "independent", "items": [
                    {"group": 1, "entry": {"id": "typo-1", "date": "2026-06-05", "description": "Paper", "lines": [
                        {"account": "6100", "side": "debit", "amount": {"minor": 990, "currency": "USD"}},
                        {"account": "1000", "side": "credit", "amount": {"minor": 990, "currency": "USD"}}]}},
                    {"group": 1, "entry": {"id": "cash-1", "date": "2026-06-05", "description": "To the bank", "lines": [
                        {"account": "1010", "side": "debit", "amount": {"minor": 500, "currency": "USD"}},
                        {"account": "1000", "side": "credit", "amount": {"minor": 500, "currency": "USD"}}]}}]}"#,
            )
            .gives::<Vec<writes::Told>>()
            .refuses("batch-too-large group-apart"),
        post(&of_ledger("/reversals"), "Takes an entry back, once, by another one with the sides changed over.")
            .asks::<writes::How>()
            .takes::<Reversal>(
                r#"{"of": "typo-1", "entry": "typo-1:back", "date": "original", "reason": "paid twice", "force": true}"#,
            )
            .gives::<Posted>()
            .refuses("text-invalid already-reversed would-overdraw")
            .refuses(POST),
        get(&of_ledger("/entries"), "Journal entries, in order of their numbers.")
            .asks::<Paging>()
            .gives::<Page<Entry>>()
            .refuses("limit-invalid cursor-invalid")
            .with(&[("limit", "5")]),
        get(&of_ledger("/entries/{id}"), "A journal entry.")
            .gives::<Entry>()
            .refuses("ledger-read-denied")
            .with(&[("id", "rent-2026-06")]),
    ]
}

fn balances() -> Vec<Text> {
    vec![
        get(
            &of_ledger("/accounts/{code}/balance"),
            "The counters of an account, as of a day and a moment of recording.",
        )
        .asks::<ledger::Balances>()
        .gives::<Balance>()
        .refuses("ledger-read-denied account-is-header history-not-kept")
        .with(&[("code", "6100"), ("as-of", "2026-06-30")]),
        get(&of_ledger("/balances"), "The counters of up to 500 accounts, all of one moment.")
            .asks::<ledger::Balances>()
            .gives::<Vec<Balance>>()
            .refuses("id-invalid too-many-accounts ledger-read-denied account-is-header history-not-kept")
            .with(&[("accounts", "1000,6100"), ("as-of", "2026-06-30")]),
        get(&of_ledger("/trial-balance"), "Every posting account with its totals.")
            .asks::<AsOf>()
            .gives::<TrialBalance>()
            .refuses("too-many-rows history-not-kept")
            .with(&[("as-of", "2026-06-30")]),
    ]
}

fn holds() -> Vec<Text> {
    const ENDED: &str = "ledger-post-denied hold-not-found already-settled already-released expired";
    vec![
        post(&of_ledger("/holds"), "Places a hold: an entry that is not posted yet, and keeps what it needs.")
            .asks::<writes::How>()
            .takes::<NewHold>(
                r#"{"timeout-seconds": 604800, "entry": {"id": "h-1", "date": "2026-06-08", "description": "Deposit", "lines": [
                    {"account": "6100", "side": "debit", "amount": {"minor": 20000, "currency": "USD"}},
                    {"account": "1000", "side": "credit", "amount": {"minor": 20000, "currency": "USD"}}]}}"#,
            )
            .or(r#"{"entry": {"id": "h-2", "date": "2026-06-08", "description": "Another", "lines": [
                    {"account": "6100", "side": "debit", "amount": {"minor": 100, "currency": "USD"}},
                    {"account": "1000", "side": "credit", "amount": {"minor": 100, "currency": "USD"}}]}}"#)
            .gives::<Placed>()
            .refuses("not-on-hold timeout-zero timeout-overflow")
            .refuses(FORM)
            .refuses(POST),
        get(&of_ledger("/holds"), "Holds, in order of their ids.")
            .asks::<Paging>()
            .gives::<Page<Hold>>()
            .refuses("limit-invalid cursor-invalid"),
        get(&of_ledger("/holds/{id}"), "A hold.")
            .gives::<Hold>()
            .refuses("ledger-read-denied hold-not-found")
            .with(&[("id", "h-1")]),
        post(&of_ledger("/settlements"), "Posts what a hold keeps, or a part of it.")
            .asks::<writes::How>()
            .takes::<Settlement>(
                r#"{"hold": "h-1", "entry": "h-1:paid", "amount": {"minor": 15000, "currency": "USD"}, "final": true}"#,
            )
            .gives::<Posted>()
            .refuses(ENDED)
            .refuses("amount-zero exceeds-hold")
            .refuses(POST),
        post(&of_ledger("/releases"), "Gives up what a hold keeps.")
            .asks::<writes::How>()
            .takes::<HoldRelease>(r#"{"hold": "h-2", "amount": {"minor": 100, "currency": "USD"}}"#)
            .gives::<Hold>()
            .refuses(ENDED)
            .refuses("different-amount"),
    ]
}

fn open_items() -> Vec<Text> {
    vec![
        get(&of_ledger("/open-items"), "Lines of reconcilable accounts that are not matched yet.")
            .asks::<items::Items>()
            .gives::<Page<ItemRow>>()
            .refuses("ledger-read-denied limit-invalid cursor-invalid")
            .with(&[("account", "1150"), ("as-of", "2026-06-30")]),
        get(&of_ledger("/ageing"), "What is open, by the days that it is overdue.")
            .asks::<items::Aged>()
            .gives::<Vec<AgeingRow>>()
            .refuses("ledger-read-denied buckets-invalid too-many-rows overflow")
            .with(&[("account", "1150"), ("as-of", "2026-07-31"), ("buckets", "15,30,60")]),
        post(&of_ledger("/matches"), "Matches debits with credits of one account, with a write-off within a tolerance.")
            .takes::<NewMatch>(
                r#"{"id": "m-1", "date": "2026-06-20", "pairs": [
                    {"debit": {"entry": "inv-7", "line": 0}, "credit": {"entry": "pay-7", "line": 1}, "minor": 12000}]}"#,
            )
            .gives::<Changed<Match>>()
            .refuses(
                "pairs-invalid item-not-found wrong-side different-account different-party item-closed over-match too-many-matches \
                 tolerance-exceeded entry-needed exchange-account-missing no-pairs too-many-pairs",
            )
            .refuses(POST),
        post(&of_ledger("/matches/{id}/undoing"), "Takes a match back, and what was posted with it.")
            .takes::<items::Undoing>(r#"{"reason": "another invoice"}"#)
            .gives::<Changed<Match>>()
            .refuses("text-invalid already-undone entry-needed already-reversed would-overdraw")
            .refuses(POST)
            .with(&[("id", "m-1")]),
    ]
}

fn bank() -> Vec<Text> {
    const LINE: &[(&str, &str)] = &[("account", "1010"), ("line", "B-17")];
    vec![
        post(&of_ledger("/bank-statements"), "Imports a bank statement. Lines that were there before are counted, and left out.")
            .takes::<NewStatement>(
                r#"{"id": "2026-06", "account": "1010", "opening": {"minor": 0}, "closing": {"minor": 12000}, "lines": [
                    {"id": "B-17", "date": "2026-06-20", "side": "debit", "minor": 12000, "counterparty": "Dentist",
                     "reference": "invoice 7"}]}"#,
            )
            .gives::<Changed<BankStatement>>()
            .refuses(
                "ledger-post-denied lines-invalid amount-zero amount-too-large text-invalid balance-chain-broken account-not-found \
                 not-reconcilable exists-with-different duplicate-statement",
            ),
        get(&of_ledger("/bank-lines/{account}"), "Bank lines that the books do not know of, with what they may be.")
            .asks::<items::Lines>()
            .gives::<Page<SuggestedLine>>()
            .refuses("ledger-read-denied limit-invalid cursor-invalid too-many-rows")
            .with(&[("account", "1010")]),
        put(&of_ledger("/bank-lines/{account}/{line}/confirmation"), "Says that a bank line is a line of the journal.")
            .takes::<items::Confirming>(r#"{"item": {"entry": "pay-7", "line": 0}}"#)
            .gives::<Changed<BankLine>>()
            .refuses(
                "ledger-post-denied bank-line-not-found item-not-found already-confirmed different-account wrong-side item-closed \
                 amount-differs",
            )
            .with(LINE),
        post(&of_ledger("/bank-lines/{account}/{line}/undoing"), "Takes a confirmation back.")
            .takes::<items::Reason>(r#"{"reason": "it was another payment"}"#)
            .gives::<Changed<BankLine>>()
            .refuses("ledger-post-denied text-invalid bank-line-not-found")
            .with(LINE),
    ]
}
