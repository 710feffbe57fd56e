//! Every function of the contract, on both sides: the guest's process asks, the service answers.
//!
//! The signatures are those of the contract: where one differs, or is not there, this does not compile.

use super::inmate::{Inmate, Told};
use crate::error::HostError;
use crate::state::RunState;

macro_rules! calls {
    ($($package:ident :: $interface:ident {
        $(fn $function:ident($($name:ident: $type:ty),*) -> $answer:ty;)*
    })*) => {
        $(mod $interface {
            use super::{Inmate, RunState, Told};
            use crate::bindings::backroom::$package::$interface::*;

            impl Host for Inmate {
                $(fn $function(&mut self, $($name: $type),*) -> $answer {
                    self.ask(concat!(stringify!($interface), ".", stringify!($function)), &($($name,)*))
                })*
            }

            pub(super) fn answer(state: &mut RunState, function: &str, arguments: &[u8]) -> Option<Vec<u8>> {
                match function {
                    $(stringify!($function) => {
                        let ($($name,)*): ($($type,)*) = postcard::from_bytes(arguments).ok()?;
                        let answer: $answer = Host::$function(state, $($name),*);
                        Some(answer.tell(&state.guest))
                    })*
                    _ => None,
                }
            }
        })*

        /// Does a call that the guest's process asks for, `interface.function`, and puts the answer into bytes. None if there is no such
        /// function, or if the arguments are not its own: no guest can bring that about.
        pub(super) fn answer(state: &mut RunState, called: &str, arguments: &[u8]) -> Option<Vec<u8>> {
            let (interface, function) = called.split_once('.')?;
            match interface {
                $(stringify!($interface) => $interface::answer(state, function, arguments),)*
                _ => None,
            }
        }
    };
}

calls! {
    host::clock {
        fn now() -> wasmtime::Result<Instant>;
        fn today() -> wasmtime::Result<BusinessDate>;
    }
    host::config {
        fn get(key: String) -> wasmtime::Result<Option<String>>;
    }
    host::files {
        fn list(folder: String, prefix: String, cursor: Option<String>, limit: u32) -> Result<FilePage, super::HostError>;
        fn stat(folder: String, path: String) -> Result<File, super::HostError>;
        fn read(folder: String, path: String, offset: u64, length: u32) -> Result<Vec<u8>, super::HostError>;
        fn write(folder: String, path: String, bytes: Vec<u8>) -> Result<File, super::HostError>;
        fn append(folder: String, path: String, offset: u64, bytes: Vec<u8>) -> Result<File, super::HostError>;
        fn delete(folder: String, path: String) -> Result<(), super::HostError>;
    }
    host::http {
        fn send(request: Request) -> Result<Response, super::HostError>;
    }
    host::log {
        fn write(level: Level, message: String) -> wasmtime::Result<()>;
    }
    host::state {
        fn get(key: String) -> Result<Option<Vec<u8>>, super::HostError>;
        fn set(key: String, value: Vec<u8>) -> Result<(), super::HostError>;
        fn delete(key: String) -> Result<(), super::HostError>;
        fn list(prefix: String, cursor: Option<String>, limit: u32) -> Result<KeyPage, super::HostError>;
    }
    hr::benefits {
        fn record(benefit: NewBenefit) -> Result<Recorded, super::HostError>;
        fn list(plan: String, first_day: BusinessDate, last_day: BusinessDate, cursor: Option<String>, limit: u32) -> Result<BenefitPage, super::HostError>;
    }
    hr::workers {
        fn list_employments(filter: EmploymentFilter, cursor: Option<String>, limit: u32) -> Result<EmploymentPage, super::HostError>;
        fn get_name(worker: String) -> Result<String, super::HostError>;
        fn get_compensation(worker: String, date: BusinessDate) -> Result<Option<Money>, super::HostError>;
        fn get_bank_account(worker: String) -> Result<Option<String>, super::HostError>;
    }
    inventory::items {
        fn get(id: String) -> Result<Item, super::HostError>;
        fn list(cursor: Option<String>, limit: u32) -> Result<ItemPage, super::HostError>;
    }
    inventory::stock {
        fn list_on_hand(item: String, location: Option<String>, cursor: Option<String>, limit: u32) -> Result<OnHandPage, super::HostError>;
        fn get_valuation(item: String) -> Result<Valuation, super::HostError>;
        fn post_move(new: NewMove) -> Result<Moved, super::HostError>;
    }
    ledger::accounts {
        fn get(code: String) -> Result<Account, super::HostError>;
        fn list(cursor: Option<String>, limit: u32) -> Result<AccountPage, super::HostError>;
    }
    ledger::balances {
        fn get(account: String, as_of: Option<BusinessDate>) -> Result<Balance, super::HostError>;
        fn get_many(accounts: Vec<String>, as_of: Option<BusinessDate>, recorded_at: Option<Instant>) -> Result<Vec<Counters>, super::HostError>;
        fn trial_balance(as_of: Option<BusinessDate>) -> Result<Vec<Balance>, super::HostError>;
    }
    ledger::bank {
        fn import_statement(statement: Statement) -> Result<Imported, super::HostError>;
        fn suggest(account: String, cursor: Option<String>, limit: u32) -> Result<LinePage, super::HostError>;
        fn confirm(account: String, line: String, of: ItemRef) -> Result<bool, super::HostError>;
        fn undo(account: String, line: String, reason: String) -> Result<bool, super::HostError>;
    }
    ledger::books {
        fn get(id: String) -> Result<Book, super::HostError>;
        fn list(cursor: Option<String>, limit: u32) -> Result<BookPage, super::HostError>;
    }
    ledger::budgets {
        fn set(book: String, budget: NewBudget, replaces: Option<u32>) -> Result<BudgetSet, super::HostError>;
        fn status(book: String, id: String) -> Result<BudgetStatus, super::HostError>;
        fn list(book: String, cursor: Option<String>, limit: u32) -> Result<BudgetPage, super::HostError>;
    }
    ledger::chart {
        fn create_book(book: NewBook) -> Result<(), super::HostError>;
        fn create_account(account: NewAccount) -> Result<AccountState, super::HostError>;
        fn update_account(code: String, change: AccountChange) -> Result<AccountState, super::HostError>;
        fn close_account(code: String, reason: String, sweep: Option<Sweep>) -> Result<AccountState, super::HostError>;
        fn reopen_account(code: String) -> Result<AccountState, super::HostError>;
    }
    ledger::holds {
        fn place(entry: NewEntry, details: Option<EntryDetails>, timeout_seconds: Option<u64>) -> Result<Hold, super::HostError>;
        fn settle(settlement: Settlement) -> Result<Posted, super::HostError>;
        fn release(hold: String, amount: Option<Money>) -> Result<Hold, super::HostError>;
        fn get(id: String) -> Result<Hold, super::HostError>;
        fn list(cursor: Option<String>, limit: u32) -> Result<HoldPage, super::HostError>;
    }
    ledger::journal {
        fn post(entry: NewEntry) -> Result<Posted, super::HostError>;
        fn post_with(entry: NewEntry, details: EntryDetails) -> Result<Posted, super::HostError>;
        fn post_batch(items: Vec<BatchItem>, mode: BatchMode) -> Result<Vec<Result<Posted, Error>>, super::HostError>;
        fn reverse(reversal: Reversal) -> Result<Posted, super::HostError>;
        fn get_details(id: String) -> Result<PostedDetails, super::HostError>;
        fn get(id: String) -> Result<Entry, super::HostError>;
        fn list(cursor: Option<String>, limit: u32) -> Result<EntryPage, super::HostError>;
    }
    ledger::open_items {
        fn list(filter: ItemFilter, cursor: Option<String>, limit: u32) -> Result<ItemPage, super::HostError>;
        fn ageing(filter: ItemFilter, buckets: Vec<u16>) -> Result<Vec<AgeingRow>, super::HostError>;
        fn match_items(new: NewMatch) -> Result<Matching, super::HostError>;
        fn unmatch(id: String, reason: String, entry: Option<String>) -> Result<Matching, super::HostError>;
    }
    ledger::periods {
        fn list(book: String, year: Option<u16>) -> Result<FiscalYear, super::HostError>;
        fn lock(book: String, scope: Scope, kind: LockKind, until: BusinessDate) -> Result<Locked, super::HostError>;
        fn reopen(book: String, scope: Scope, first_day: BusinessDate, reason: String) -> Result<Locked, super::HostError>;
        fn limit_future(book: String, days: Option<u16>) -> Result<bool, super::HostError>;
        fn grant_exception(book: String, exception: NewException) -> Result<bool, super::HostError>;
        fn revoke_exception(book: String, id: String) -> Result<bool, super::HostError>;
        fn list_exceptions(book: String, cursor: Option<String>, limit: u32) -> Result<ExceptionPage, super::HostError>;
        fn list_exception_uses(book: String, exception: String, cursor: Option<String>, limit: u32) -> Result<ExceptionUsePage, super::HostError>;
        fn close_year(book: String, id: String, year: u16, retained_earnings: Vec<String>) -> Result<YearClosing, super::HostError>;
        fn list_openings(book: String, year: u16, cursor: Option<String>, limit: u32) -> Result<OpeningPage, super::HostError>;
    }
    ledger::rates {
        fn set(book: String, rates: Vec<NewRate>) -> Result<RatesSet, super::HostError>;
        fn get(book: String, source: String, target: String, kind: String, date: BusinessDate) -> Result<FoundRate, super::HostError>;
        fn list(book: String, cursor: Option<String>, limit: u32) -> Result<RatePage, super::HostError>;
        fn revalue(book: String, revaluation: NewRevaluation) -> Result<Revaluation, super::HostError>;
    }
    ledger::reports {
        fn report(kind: ReportKind, spans: Vec<Span>) -> Result<ReportOf, super::HostError>;
        fn statement(account: String, span: Span, cursor: Option<String>, limit: u32) -> Result<StatementPage, super::HostError>;
        fn explain(account: String, span: Span, largest: u32) -> Result<Explanation, super::HostError>;
        fn assert_balance(account: String, date: BusinessDate, side: Side, amount: Money, tolerance: u64) -> Result<Assertion, super::HostError>;
        fn allocate(amount: Money, portions: Vec<Portion>) -> Result<Vec<Money>, super::HostError>;
    }
    ledger::review {
        fn cash_flow(cash: Vec<String>, span: Span) -> Result<CashFlowOf, super::HostError>;
        fn general_ledger(span: Span) -> Result<Vec<AccountLines>, super::HostError>;
        fn by_dimension(dimension: String, span: Span) -> Result<Vec<DimensionRow>, super::HostError>;
        fn verify(first: Option<u64>, last: Option<u64>) -> Result<Verified, super::HostError>;
    }
}
