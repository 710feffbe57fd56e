//! Rights on the ledger: which accounts may be read, which debited and credited, how much, in which currencies, for which days.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::facet::{Bound, Facets};
use super::layers::{Layers, Stage};
use super::pattern::{any, any_account};
use super::{Accounts, Checks, Grant, Kind, Operation, Operations, Pattern, Used, empty, money_text, words};
use crate::ledger::{AccountType, Line};
use crate::schema::MoneyText;
use crate::{BusinessDate, Currency, Id, Money, Result, Side};

/// Rights on the ledger.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode,
)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct LedgerRights {
    /// Accounts whose balances and entries may be read.
    #[n(0)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<Accounts>,
    /// Accounts that may be debited and credited.
    #[n(1)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub post: Vec<Accounts>,
    /// The largest sum of debits of one entry; none: no ceiling. A ceiling in one currency allows no other.
    #[n(2)]
    #[serde(with = "money_text", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<MoneyText>")]
    pub max_entry: Option<Money>,
    /// The largest sum of debits of all entries of a run.
    #[n(3)]
    #[serde(with = "money_text", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<MoneyText>")]
    pub max_run: Option<Money>,
    /// The largest sum of debits of all entries of the installation on a UTC day.
    #[n(4)]
    #[serde(with = "money_text", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<MoneyText>")]
    pub max_day: Option<Money>,
    /// Accounts that may be debited, beside those in `post`.
    #[cbor(n(5), skip_if = "Vec::is_empty")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub debit: Vec<Accounts>,
    /// Accounts that may be credited, beside those in `post`.
    #[cbor(n(6), skip_if = "Vec::is_empty")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub credit: Vec<Accounts>,
    /// Post in these currencies alone; none named: in all.
    #[cbor(n(7), skip_if = "Vec::is_empty")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub currencies: Vec<Currency>,
    /// Post for these days alone.
    #[n(8)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// Books whose periods may be locked and opened, and whose years may be closed.
    #[cbor(n(10), skip_if = "Vec::is_empty")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub periods: Vec<Pattern>,
    /// Books whose exchange rates may be set, and that may be revalued.
    #[cbor(n(11), skip_if = "Vec::is_empty")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rates: Vec<Pattern>,
    /// Books whose budgets may be set.
    #[cbor(n(12), skip_if = "Vec::is_empty")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<Pattern>,
    /// Books that may be created, and whose accounts may be set up, changed, closed and opened again.
    #[cbor(n(13), skip_if = "Vec::is_empty")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chart: Vec<Pattern>,
}

/// For which days may be posted: each end that is given must hold.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode,
)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Window {
    /// The first day.
    #[n(0)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<BusinessDate>,
    /// The last day, counted.
    #[n(1)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<BusinessDate>,
    /// So many days before the day that the run is for; 0: that day at the earliest.
    #[n(2)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_before: Option<u16>,
    /// So many days after it; 0: that day at the latest.
    #[n(3)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_after: Option<u16>,
}

impl Window {
    fn has(&self, day: BusinessDate, today: BusinessDate) -> bool {
        let within = |limit: Option<u16>, first: BusinessDate, last: BusinessDate| {
            limit.is_none_or(|days| first >= last || last.days_since(first) <= u32::from(days))
        };
        self.from.is_none_or(|from| from <= day)
            && self.to.is_none_or(|to| day <= to)
            && within(self.days_before, day, today)
            && within(self.days_after, today, day)
    }
}

/// What a posting asks for.
#[derive(Debug, Clone, Copy)]
pub struct Posting<'a> {
    /// Its lines; of a malformed entry those that are well-formed.
    pub lines: &'a [Line],
    /// The types of their accounts, in the same order; may be empty unless [`Layers::by_account_type`].
    pub kinds: &'a [Option<AccountType>],
    /// The day it is for; none if it is malformed, and not looked at.
    pub date: Option<BusinessDate>,
    /// The day that the run is for.
    pub today: BusinessDate,
    /// Whether the amounts are well-formed, and looked at.
    pub amounts: bool,
    /// What the run and the installation have debited so far, by currency; not looked at if there is none.
    pub used: &'a [(Currency, Used)],
}

impl Posting<'_> {
    fn accounts(&self, rights: &LedgerRights) -> bool {
        self.lines.iter().enumerate().all(|(i, line)| {
            let kind = self.kinds.get(i).copied().flatten();
            let side = match line.side {
                Side::Debit => &rights.debit,
                Side::Credit => &rights.credit,
            };
            any_account(&rights.post, &line.account, kind) || any_account(side, &line.account, kind)
        })
    }

    fn days(&self, rights: &LedgerRights) -> bool {
        self.date.is_none_or(|date| rights.window.is_none_or(|window| window.has(date, self.today)))
    }

    fn currencies(&self, rights: &LedgerRights) -> bool {
        !self.amounts
            || rights.currencies.is_empty()
            || self.lines.iter().all(|line| rights.currencies.contains(&line.amount.currency))
    }

    /// No larger sum of debits, and nothing in another currency. Added at once, without a table by currency.
    fn within(&self, ceiling: Option<Money>, before: impl Fn(&Used) -> u128) -> bool {
        let Some(ceiling) = ceiling.filter(|_| self.amounts) else { return true };
        let used = self.used.iter().find(|(currency, _)| *currency == ceiling.currency);
        let start = used.map_or(0, |(_, used)| before(used));
        let debits = self.lines.iter().filter(|line| line.side == Side::Debit);
        let sum = debits.fold(start, |sum, line| sum.saturating_add(u128::from(line.amount.minor)));
        sum <= u128::from(ceiling.minor) && self.lines.iter().all(|line| line.amount.currency == ceiling.currency)
    }

    fn sums(
        &self,
        rights: &LedgerRights,
        of: impl Fn(&LedgerRights) -> Option<Money>,
        before: fn(&Used) -> u128,
    ) -> bool {
        self.used.is_empty() || self.within(of(rights), before)
    }
}

impl Layers<'_> {
    /// May balances and entries of the account be read? Its type counts only if [`Layers::by_account_type`].
    pub fn read_account(&self, operation: Operation, code: &Id, kind: Option<AccountType>) -> bool {
        self.allows(operation, |grant| any_account(&grant.ledger.read, code, kind))
    }

    /// `denied` unless balances and entries of the account may be read.
    pub fn check_read_account(&self, operation: Operation, code: &Id, kind: Option<AccountType>) -> Result<()> {
        self.check(
            operation,
            &[Stage {
                code: "ledger-read-denied",
                test: &|grant| any_account(&grant.ledger.read, code, kind),
                message: &|| format!("no grant to read account {code}"),
            }],
        )
    }

    /// `denied` unless some account may be read.
    pub fn check_read_ledger(&self, operation: Operation) -> Result<()> {
        self.check(
            operation,
            &[Stage {
                code: "ledger-read-denied",
                test: &|grant| !grant.ledger.read.is_empty(),
                message: &|| "no grant to read any account".to_owned(),
            }],
        )
    }

    /// `denied` unless something may be posted.
    pub fn check_post_ledger(&self, operation: Operation) -> Result<()> {
        self.check(
            operation,
            &[Stage {
                code: "ledger-post-denied",
                test: &|grant| grant.ledger.posts(),
                message: &|| "no grant to post to any account".to_owned(),
            }],
        )
    }

    /// `denied` unless in each layer one grant allows the whole entry. In order: `ledger-post-denied` (accounts and sides),
    /// `ledger-date-denied`, `ledger-currency-denied`, `ledger-amount-denied` (of the entry), `ledger-run-amount-denied`,
    /// `ledger-day-amount-denied`.
    pub fn check_post(&self, operation: Operation, posting: &Posting<'_>) -> Result<()> {
        self.check(
            operation,
            &[
                Stage {
                    code: "ledger-post-denied",
                    test: &|grant| posting.accounts(&grant.ledger),
                    message: &|| self.which_account(operation, posting),
                },
                Stage {
                    code: "ledger-date-denied",
                    test: &|grant| posting.days(&grant.ledger),
                    message: &|| match posting.date {
                        Some(date) => format!("no grant to post to these accounts for {date}"),
                        None => "no grant to post to these accounts for that day".to_owned(),
                    },
                },
                Stage {
                    code: "ledger-currency-denied",
                    test: &|grant| posting.currencies(&grant.ledger),
                    message: &|| "no grant to post to these accounts in each of these currencies".to_owned(),
                },
                Stage {
                    code: "ledger-amount-denied",
                    test: &|grant| posting.within(grant.ledger.max_entry, |_| 0),
                    message: &|| {
                        "the entry is above the granted ceiling of one entry, or not in its currency".to_owned()
                    },
                },
                Stage {
                    code: "ledger-run-amount-denied",
                    test: &|grant| posting.sums(&grant.ledger, |rights| rights.max_run, |used| used.run),
                    message: &|| "with it, the run would debit more than its granted ceiling".to_owned(),
                },
                Stage {
                    code: "ledger-day-amount-denied",
                    test: &|grant| posting.sums(&grant.ledger, |rights| rights.max_day, |used| used.day),
                    message: &|| {
                        "with it, the installation would debit more than its granted ceiling of the day".to_owned()
                    },
                },
            ],
        )
    }

    /// The first line that no grant would allow by itself; if there is none, no grant has all of them together.
    fn which_account(&self, operation: Operation, posting: &Posting<'_>) -> String {
        let denied = posting.lines.iter().enumerate().find(|(i, line)| {
            let kinds = posting.kinds.get(*i).map(std::slice::from_ref).unwrap_or_default();
            let alone = Posting { lines: std::slice::from_ref(line), kinds, ..*posting };
            !self.allows(operation, |grant| alone.accounts(&grant.ledger))
        });
        match denied {
            Some((_, Line { account, side: Side::Debit, .. })) => format!("no grant to debit account {account}"),
            Some((_, Line { account, side: Side::Credit, .. })) => format!("no grant to credit account {account}"),
            None => "no single grant is for all accounts of the entry".to_owned(),
        }
    }

    /// `periods-denied` unless periods of the book may be administered; of a malformed name: of any book.
    pub fn check_periods(&self, operation: Operation, book: Option<&Id>) -> Result<()> {
        self.check_book(operation, "periods-denied", |grant| any_book(&grant.ledger.periods, book), book)
    }

    /// `rates-denied` unless exchange rates of the book may be administered; of a malformed name: of any book.
    pub fn check_rates(&self, operation: Operation, book: Option<&Id>) -> Result<()> {
        self.check_book(operation, "rates-denied", |grant| any_book(&grant.ledger.rates, book), book)
    }

    /// `budgets-denied` unless budgets of the book may be administered; of a malformed name: of any book.
    pub fn check_budgets(&self, operation: Operation, book: Option<&Id>) -> Result<()> {
        self.check_book(operation, "budgets-denied", |grant| any_book(&grant.ledger.budgets, book), book)
    }

    /// `chart-denied` unless the book may be created, or its accounts set up; of a malformed name: any book. Whoever sets up all master
    /// data sets up accounts as well.
    pub fn check_chart(&self, operation: Operation, book: Option<&Id>) -> Result<()> {
        let may = |grant: &Grant| grant.administer || any_book(&grant.ledger.chart, book);
        self.check_book(operation, "chart-denied", may, book)
    }

    fn check_book(
        &self,
        operation: Operation,
        code: &'static str,
        test: impl Fn(&Grant) -> bool,
        book: Option<&Id>,
    ) -> Result<()> {
        let message = || match book {
            Some(book) => format!("no grant for this in book {book}"),
            None => "no grant for this in any book".to_owned(),
        };
        self.check(operation, &[Stage { code, test: &test, message: &message }])
    }

    /// Does a right depend on the type of an account?
    pub fn by_account_type(&self) -> bool {
        self.some(|grant| {
            let LedgerRights { read, post, debit, credit, .. } = &grant.ledger;
            [read, post, debit, credit].into_iter().flatten().any(|set| set.kind.is_some())
        })
    }

    /// Is there a ceiling on what a run debits?
    pub fn has_run_amounts(&self) -> bool {
        self.some(|grant| grant.ledger.max_run.is_some())
    }

    /// Is there a ceiling on what an installation debits in a day?
    pub fn has_day_amounts(&self) -> bool {
        self.some(|grant| grant.ledger.max_day.is_some())
    }
}

/// Is the book one of them? If none is named: is there one?
fn any_book(books: &[Pattern], book: Option<&Id>) -> bool {
    book.map_or(!books.is_empty(), |book| any(books, book))
}

impl LedgerRights {
    fn posts(&self) -> bool {
        !(self.post.is_empty() && self.debit.is_empty() && self.credit.is_empty())
    }
}

impl Kind for LedgerRights {
    fn check(&self, checks: &mut Checks) {
        for (name, list) in
            [("read", &self.read), ("post", &self.post), ("debit", &self.debit), ("credit", &self.credit)]
        {
            checks.list("ledger", name, list.len());
        }
        checks.list("ledger", "currencies", self.currencies.len());
        let books =
            [("periods", &self.periods), ("rates", &self.rates), ("budgets", &self.budgets), ("chart", &self.chart)];
        for (name, list) in books {
            checks.list("ledger", name, list.len());
        }
        let narrowed = self.max_entry.or(self.max_run).or(self.max_day).is_some();
        if !self.posts() && (narrowed || !self.currencies.is_empty() || self.window.is_some()) {
            checks.wrong("ledger", "narrows what may be posted, and no account may be posted to");
        }
        if self.window == Some(Window::default()) {
            checks.wrong("ledger.window", "says no day: give `from`, `to`, `days-before` or `days-after`");
        }
    }

    fn facets(&self, out: &mut Facets) {
        let Self { read, post, max_entry, max_run, max_day, debit, credit, currencies, window, .. } = self;
        out.named("ledger.read", read.iter().cloned());
        out.named("ledger.debit", post.iter().chain(debit).cloned());
        out.named("ledger.credit", post.iter().chain(credit).cloned());
        out.named("ledger.periods", self.periods.iter().cloned());
        out.named("ledger.rates", self.rates.iter().cloned());
        out.named("ledger.budgets", self.budgets.iter().cloned());
        out.named("ledger.chart", self.chart.iter().cloned());
        if self.posts() {
            out.limit("ledger.max-entry", max_entry.map(Bound::Money));
            out.limit("ledger.max-run", max_run.map(Bound::Money));
            out.limit("ledger.max-day", max_day.map(Bound::Money));
            let codes = currencies.iter().filter_map(|currency| Pattern::parse(currency.as_str()).ok());
            out.only("ledger.currencies", codes);
            let Window { from, to, days_before, days_after } = window.unwrap_or_default();
            out.limit("ledger.window.from", from.map(Bound::From));
            out.limit("ledger.window.to", to.map(Bound::Until));
            out.limit("ledger.window.days-before", days_before.map(Bound::Days));
            out.limit("ledger.window.days-after", days_after.map(Bound::Days));
        }
    }

    fn words(&self, out: &mut Vec<String>) {
        let text = |sets: &[Accounts]| words::accounts(sets, "account", "accounts");
        if !self.read.is_empty() {
            out.push(format!("Read balances and journal entries of {}.", text(&self.read)));
        }
        let books = |books: &[Pattern]| words::ids(books, "book", "books");
        if !self.periods.is_empty() {
            out.push(format!("Lock and open periods, and close years, of {}.", books(&self.periods)));
        }
        if !self.rates.is_empty() {
            out.push(format!("Set exchange rates of {} and revalue accounts at them.", books(&self.rates)));
        }
        if !self.budgets.is_empty() {
            out.push(format!("Set budgets of {}.", books(&self.budgets)));
        }
        if !self.chart.is_empty() {
            out.push(format!(
                "Create, change, close and reopen accounts of {}, and create such books.",
                books(&self.chart)
            ));
        }
        if !self.posts() {
            return;
        }
        let mut post = Vec::new();
        for (verb, sets) in [("debit and credit", &self.post), ("debit", &self.debit), ("credit", &self.credit)] {
            if !sets.is_empty() {
                post.push(format!("{verb} {}", text(sets)));
            }
        }
        out.push(format!("Post journal entries: {}.", post.join("; ")));
        let ceilings = [(self.max_entry, "an entry"), (self.max_run, "a run"), (self.max_day, "a day")];
        let ceilings: Vec<String> =
            ceilings.iter().filter_map(|(money, per)| money.map(|money| format!("{money} {per}"))).collect();
        out.push(match ceilings.as_slice() {
            [] => "There is no ceiling on the amounts that it posts.".to_owned(),
            some => format!("At most {}.", words::list(some, "and")),
        });
        if !self.currencies.is_empty() {
            out.push(format!("Post in {} alone.", words::list(&self.currencies, "and")));
        }
        if let Some(Window { from, to, days_before, days_after }) = self.window {
            let parts = [
                from.map(|day| format!("from {day}")),
                to.map(|day| format!("to {day}")),
                days_before.map(|days| format!("at most {days} days before the day of the run")),
                days_after.map(|days| format!("at most {days} days after it")),
            ];
            out.push(format!("Post for days {}.", parts.into_iter().flatten().collect::<Vec<_>>().join(", ")));
        }
    }

    fn serves(&self, out: &mut Vec<(&'static str, Operations)>) {
        use Operation as O;
        if !self.read.is_empty() {
            out.push(("ledger.read", Operations::of(&READS)));
        }
        if !self.periods.is_empty() {
            let lock = [
                O::PeriodsLock,
                O::PeriodsReopen,
                O::PeriodsLimitFuture,
                O::GrantException,
                O::RevokeException,
                O::CloseYear,
            ];
            out.push(("ledger.periods", Operations::of(&lock)));
        }
        if !self.rates.is_empty() {
            out.push(("ledger.rates", Operations::of(&[O::RatesSet, O::Revalue])));
        }
        if !self.budgets.is_empty() {
            out.push(("ledger.budgets", Operations::of(&[O::BudgetsSet])));
        }
        if !self.chart.is_empty() {
            let chart = [O::CreateBook, O::CreateAccount, O::UpdateAccount, O::CloseAccount, O::ReopenAccount];
            out.push(("ledger.chart", Operations::of(&chart)));
        }
        if self.posts() {
            let post = [
                O::JournalPost,
                O::JournalPostWith,
                O::JournalPostBatch,
                O::JournalReverse,
                O::HoldsPlace,
                O::HoldsSettle,
                O::HoldsRelease,
                O::OpenItemsMatchItems,
                O::OpenItemsUnmatch,
                O::BankImportStatement,
                O::BankConfirm,
                O::BankUndo,
            ];
            out.push(("ledger.post", Operations::of(&post)));
        }
    }

    fn is_empty(&self) -> bool {
        empty(self)
    }
}

/// What needs no more than accounts to be read.
const READS: [Operation; 32] = [
    Operation::AccountsGet,
    Operation::AccountsList,
    Operation::BalancesGet,
    Operation::BalancesGetMany,
    Operation::TrialBalance,
    Operation::JournalGet,
    Operation::JournalGetDetails,
    Operation::JournalList,
    Operation::HoldsGet,
    Operation::HoldsList,
    Operation::BooksGet,
    Operation::BooksList,
    Operation::OpenItemsList,
    Operation::OpenItemsAgeing,
    Operation::BankSuggest,
    Operation::Report,
    Operation::Statement,
    Operation::Explain,
    Operation::AssertBalance,
    Operation::Allocate,
    Operation::CashFlow,
    Operation::GeneralLedger,
    Operation::ByDimension,
    Operation::Verify,
    Operation::PeriodsList,
    Operation::ListExceptions,
    Operation::ListExceptionUses,
    Operation::ListOpenings,
    Operation::RatesGet,
    Operation::RatesList,
    Operation::BudgetsStatus,
    Operation::BudgetsList,
];

/// Everything that reads.
pub(super) fn read_only(grant: &mut Grant) {
    grant.ledger = LedgerRights { read: vec![Accounts::ANY], ..LedgerRights::default() };
}
