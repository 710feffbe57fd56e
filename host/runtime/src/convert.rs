//! Between the contract's types and the domain's. What comes from a guest is checked here or in the domain, never trusted.

use backroom_domain::{
    BusinessDate, Class, Currency, Decimal, Error, Id, Instant, Money, Problem, Result, Side, hr, inventory, ledger,
    plays_tricks,
};
use backroom_office::{Page, PageRequest};

use crate::bindings::backroom::ledger::journal;
use crate::bindings::backroom::types::types as wit;

/// A guest's own words are cut here: as an error's message, and as its code or field.
const MAX_MESSAGE: usize = 4 << 10;
const MAX_WORD: usize = 128;
/// Of what libraries say about a plugin.
const MAX_LINES: usize = 8;
const MAX_LINE: usize = 500;
/// The most problems of one error, as the contract says.
const MAX_PROBLEMS: usize = 100;

/// A form that a guest filled in: malformed fields are gathered, so that they are all reported together.
///
/// A malformed field gets a stand-in, so that the rest of the form can be checked by the domain as well.
#[derive(Default)]
pub(crate) struct Form(Vec<Problem>);

impl Form {
    fn stand_in<T>(&mut self, field: impl FnOnce() -> String, error: Error, value: Result<T>) -> Result<T> {
        if self.0.len() < MAX_PROBLEMS {
            let field = field();
            self.0.extend(error.problems.into_iter().take(1).map(|p| Problem { field: Some(field.clone()), ..p }));
        }
        value
    }

    pub(crate) fn id(&mut self, text: &str, field: impl FnOnce() -> String) -> Result<Id> {
        Id::parse(text, "").or_else(|error| self.stand_in(field, error, Id::parse("0", "")))
    }

    pub(crate) fn some_id(&mut self, text: Option<&String>, field: &str) -> Result<Option<Id>> {
        text.map(|text| self.id(text, || field.to_owned())).transpose()
    }

    pub(crate) fn date(&mut self, date: wit::BusinessDate, field: &str) -> Result<BusinessDate> {
        date_from(date, field)
            .or_else(|error| self.stand_in(|| field.to_owned(), error, BusinessDate::new(2000, 1, 1, "")))
    }

    /// The bound of the amount is for the domain to check.
    pub(crate) fn money(&mut self, money: &wit::Money, field: impl FnOnce() -> String) -> Result<Money> {
        let currency = self.currency(&money.currency, || format!("{}.currency", field()))?;
        Ok(Money { minor: money.minor, currency })
    }

    pub(crate) fn currency(&mut self, text: &str, field: impl FnOnce() -> String) -> Result<Currency> {
        Currency::parse(text, "").or_else(|error| self.stand_in(field, error, Currency::parse("XXX", "")))
    }

    /// `Ok` if every field was well-formed. If not, rights still come first (`denied` looks at the fields that are
    /// well-formed), and `check` says what else is wrong with the form.
    pub(crate) fn finish<E: From<Error>>(
        self,
        denied: impl FnOnce() -> std::result::Result<(), E>,
        check: impl FnOnce() -> Result<()>,
    ) -> std::result::Result<(), E> {
        if self.0.is_empty() {
            return Ok(());
        }
        denied()?;
        let Self(mut problems) = self;
        if let Err(error) = check() {
            let more: Vec<_> = error.problems.into_iter().filter(|problem| !follows(problem, &problems)).collect();
            problems.extend(more);
        }
        problems.truncate(MAX_PROBLEMS);
        Ok(Error::all(problems)?)
    }

    /// Whether a field of this kind was malformed.
    pub(crate) fn has(&self, code: &str) -> bool {
        self.0.iter().any(|problem| problem.code == code)
    }
}

/// Could the problem be one of a stand-in, not of the guest's form?
fn follows(problem: &Problem, malformed: &[Problem]) -> bool {
    const CAUSES: [(&str, &str); 3] =
        [("period-invalid", "date-invalid"), ("same-location", "id-invalid"), ("dimensions-invalid", "id-invalid")];
    let cause = CAUSES.iter().find(|(code, _)| problem.code == *code);
    cause.is_some_and(|(_, cause)| malformed.iter().any(|found| found.code == *cause))
}

/// A denial goes before a malformed field.
pub(crate) fn denied_first(denied: Result<()>, error: Error) -> Error {
    denied.err().unwrap_or(error)
}

pub(crate) fn page_request(cursor: Option<String>, limit: u32) -> PageRequest {
    PageRequest { cursor, limit }
}

/// A page in the contract's types: its items and where the next one begins.
pub(crate) fn page<T, U>(page: Page<T>, item: impl FnMut(T) -> U) -> (Vec<U>, Option<String>) {
    (page.items.into_iter().map(item).collect(), page.next)
}

pub(crate) fn date_from(date: wit::BusinessDate, field: &str) -> Result<BusinessDate> {
    BusinessDate::new(date.year, date.month, date.day, field)
}

pub(crate) fn date(date: BusinessDate) -> wit::BusinessDate {
    wit::BusinessDate { year: date.year(), month: date.month(), day: date.day() }
}

pub(crate) fn instant(instant: Instant) -> wit::Instant {
    wit::Instant { microseconds: instant.0 }
}

pub(crate) fn money(money: Money) -> wit::Money {
    wit::Money { minor: money.minor, currency: money.currency.into() }
}

pub(crate) fn decimal(decimal: Decimal) -> wit::Decimal {
    wit::Decimal { mantissa: decimal.mantissa, scale: decimal.scale }
}

pub(crate) fn side_from(side: wit::Side) -> Side {
    match side {
        wit::Side::Debit => Side::Debit,
        wit::Side::Credit => Side::Credit,
    }
}

pub(crate) fn side(side: Side) -> wit::Side {
    match side {
        Side::Debit => wit::Side::Debit,
        Side::Credit => wit::Side::Credit,
    }
}

/// A journal entry as the domain takes it; what is malformed goes to `form`.
pub(crate) fn new_entry(
    form: &mut Form,
    entry: &crate::bindings::backroom::ledger::journal::NewEntry,
) -> Result<ledger::NewEntry> {
    let id = form.id(&entry.id, || "id".to_owned())?;
    let date = form.date(entry.date, "date")?;
    let line = |(i, line): (usize, &crate::bindings::backroom::ledger::journal::Line)| {
        let dimension = |d: &crate::bindings::backroom::ledger::journal::Dimension, form: &mut Form| {
            let field = || format!("lines[{i}].dimensions");
            Ok(ledger::Dimension { name: form.id(&d.name, field)?, value: form.id(&d.value, field)? })
        };
        Ok(ledger::Line {
            account: form.id(&line.account, || format!("lines[{i}].account"))?,
            side: side_from(line.side),
            amount: form.money(&line.amount, || format!("lines[{i}].amount"))?,
            dimensions: line.dimensions.iter().map(|d| dimension(d, form)).collect::<Result<_>>()?,
            memo: line.memo.clone(),
            details: None,
        })
    };
    let lines = entry.lines.iter().enumerate().map(line).collect::<Result<_>>()?;
    Ok(ledger::NewEntry { id, date, description: entry.description.clone(), lines, details: None })
}

/// The entry with its details; what is malformed goes to `form`.
pub(crate) fn with_details(
    form: &mut Form,
    mut entry: ledger::NewEntry,
    details: Option<&journal::EntryDetails>,
) -> Result<ledger::NewEntry> {
    let Some(details) = details else { return Ok(entry) };
    for of in &details.lines {
        let i = of.line;
        let found = ledger::LineDetails {
            base: of.base.as_ref().map(|m| form.money(m, || format!("lines[{i}].base"))).transpose()?,
            // Its bounds are for the domain to check.
            rate: of.rate.map(|rate| Decimal::new(rate.mantissa, rate.scale, "rate")).transpose()?,
            party: of.party.as_ref().map(|id| form.id(id, || format!("lines[{i}].party"))).transpose()?,
            due: of.due.map(|date| form.date(date, "due")).transpose()?,
            ..ledger::LineDetails::default()
        };
        let Some(line) = usize::try_from(i).ok().and_then(|i| entry.lines.get_mut(i)) else {
            let message = "there is no such line in the entry";
            return Err(Error::invalid("line-missing", format!("lines[{i}]"), message));
        };
        if found != ledger::LineDetails::default() {
            line.details = Some(Box::new(found));
        }
    }
    let guards = details.guards.iter().enumerate().map(|(i, guard)| {
        Ok(ledger::Guard {
            account: form.id(&guard.account, || format!("guards[{i}].account"))?,
            balance: match guard.figure {
                journal::Figure::Available => ledger::Figure::Available,
                journal::Figure::Posted => ledger::Figure::Posted,
                journal::Figure::Held => ledger::Figure::Held,
            },
            op: match guard.comparison {
                journal::Comparison::Ge => ledger::Comparison::Ge,
                journal::Comparison::Le => ledger::Comparison::Le,
                journal::Comparison::Eq => ledger::Comparison::Eq,
            },
            value: ledger::Amount { negative: guard.value.negative, minor: guard.value.minor },
        })
    });
    let guards = guards.collect::<Result<_>>()?;
    let metadata = details.metadata.iter().map(|pair| {
        Ok(ledger::Metadata { name: form.id(&pair.name, || "metadata".to_owned())?, value: pair.value.clone() })
    });
    let metadata = metadata.collect::<Result<_>>()?;
    let found = ledger::EntryDetails {
        reference: details.reference.clone(),
        kind: form.some_id(details.kind.as_ref(), "kind")?,
        guards,
        source_document: form.some_id(details.source_document.as_ref(), "source-document")?,
        metadata,
    };
    if found != ledger::EntryDetails::default() {
        entry.details = Some(Box::new(found));
    }
    Ok(entry)
}

/// The details of an entry for a guest.
pub(crate) fn entry_details(entry: &ledger::NewEntry) -> journal::EntryDetails {
    let details = entry.details.as_deref().cloned().unwrap_or_default();
    let line = |(i, line): (usize, &ledger::Line)| {
        let of = line.details.as_deref()?;
        Some(journal::LineDetails {
            line: u32::try_from(i).unwrap_or(u32::MAX),
            base: of.base.map(money),
            rate: of.rate.map(decimal),
            party: of.party.clone().map(String::from),
            due: of.due.map(date),
        })
    };
    let guard = |guard: ledger::Guard| journal::Guard {
        account: guard.account.into(),
        figure: match guard.balance {
            ledger::Figure::Available => journal::Figure::Available,
            ledger::Figure::Posted => journal::Figure::Posted,
            ledger::Figure::Held => journal::Figure::Held,
        },
        comparison: match guard.op {
            ledger::Comparison::Ge => journal::Comparison::Ge,
            ledger::Comparison::Le => journal::Comparison::Le,
            ledger::Comparison::Eq => journal::Comparison::Eq,
        },
        value: journal::Signed { negative: guard.value.negative, minor: guard.value.minor },
    };
    let metadata = |pair: ledger::Metadata| journal::Metadata { name: pair.name.into(), value: pair.value };
    journal::EntryDetails {
        reference: details.reference,
        kind: details.kind.map(String::from),
        guards: details.guards.into_iter().map(guard).collect(),
        source_document: details.source_document.map(String::from),
        metadata: details.metadata.into_iter().map(metadata).collect(),
        lines: entry.lines.iter().enumerate().filter_map(line).collect(),
    }
}

/// A benefit line as the domain takes it; what is malformed goes to `form`.
pub(crate) fn new_benefit(
    form: &mut Form,
    benefit: &crate::bindings::backroom::hr::benefits::NewBenefit,
) -> Result<hr::NewBenefit> {
    Ok(hr::NewBenefit {
        id: form.id(&benefit.id, || "id".to_owned())?,
        worker: form.id(&benefit.worker, || "worker".to_owned())?,
        plan: form.id(&benefit.plan, || "plan".to_owned())?,
        from: form.date(benefit.first_day, "first-day")?,
        to: form.date(benefit.last_day, "last-day")?,
        amount: form.money(&benefit.amount, || "amount".to_owned())?,
        cost_center: form.id(&benefit.cost_center, || "cost-center".to_owned())?,
        entry: form.some_id(benefit.entry.as_ref(), "entry")?,
    })
}

/// A stock move as the domain takes it; what is malformed goes to `form`.
pub(crate) fn new_move(
    form: &mut Form,
    new: &crate::bindings::backroom::inventory::stock::NewMove,
) -> Result<inventory::NewMove> {
    Ok(inventory::NewMove {
        id: form.id(&new.id, || "id".to_owned())?,
        date: form.date(new.date, "date")?,
        item: form.id(&new.item, || "item".to_owned())?,
        // Its bounds are for the domain to check.
        quantity: Decimal { mantissa: new.quantity.mantissa, scale: new.quantity.scale },
        from: form.id(&new.source, || "source".to_owned())?,
        to: form.id(&new.destination, || "destination".to_owned())?,
        lot: form.some_id(new.lot.as_ref(), "lot")?,
        cost: new.cost.as_ref().map(|cost| form.money(cost, || "cost".to_owned())).transpose()?,
        worker: form.some_id(new.worker.as_ref(), "worker")?,
        reason: new.reason.clone(),
        entry: form.some_id(new.entry.as_ref(), "entry")?,
    })
}

/// An error of the domain as a guest gets it: `invalid` with all its problems, the others with the first.
pub(crate) fn error(error: Error) -> wit::Error {
    let problem = |p: Problem| wit::Problem { code: p.code.into_owned(), field: p.field, message: p.message };
    let Error { class, problems } = error;
    let mut problems = problems.into_iter().take(MAX_PROBLEMS).map(problem);
    let case = match class {
        Class::Invalid => return wit::Error::Invalid(problems.collect()),
        Class::Denied => wit::Error::Denied,
        Class::NotFound => wit::Error::NotFound,
        Class::Conflict => wit::Error::Conflict,
        Class::Refused => wit::Error::Refused,
        Class::Unavailable => wit::Error::Unavailable,
    };
    let none = || wit::Problem { code: "unknown".to_owned(), field: None, message: String::new() };
    case(problems.next().unwrap_or_else(none))
}

/// An error that a guest returned. It is shown to people and written to logs, so its words are cut and cleaned.
pub(crate) fn error_from_guest(error: wit::Error) -> Error {
    let (class, mut problems) = match error {
        wit::Error::Invalid(problems) => (Class::Invalid, problems),
        wit::Error::Denied(problem) => (Class::Denied, vec![problem]),
        wit::Error::NotFound(problem) => (Class::NotFound, vec![problem]),
        wit::Error::Conflict(problem) => (Class::Conflict, vec![problem]),
        wit::Error::Refused(problem) => (Class::Refused, vec![problem]),
        wit::Error::Unavailable(problem) => (Class::Unavailable, vec![problem]),
    };
    problems.truncate(MAX_PROBLEMS);
    if problems.is_empty() {
        let message = "the plugin gave no reason".to_owned();
        problems.push(wit::Problem { code: "unknown".to_owned(), field: None, message });
    }
    let problem = |p: wit::Problem| Problem {
        code: clean(&p.code, MAX_WORD).into(),
        field: p.field.map(|field| clean(&field, MAX_WORD)),
        message: clean(&p.message, MAX_MESSAGE),
    };
    Error { class, problems: problems.into_iter().map(problem).collect() }
}

/// The beginning of `text`, at most `limit` bytes, with what would play tricks on a terminal or a log file replaced.
pub(crate) fn clean(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len().min(limit));
    for c in text.chars().map(|c| if plays_tricks(c) { char::REPLACEMENT_CHARACTER } else { c }) {
        // What is put in its place is longer than a control character.
        if out.len() + c.len_utf8() > limit {
            break;
        }
        out.push(c);
    }
    out
}

/// What a library says of a plugin, several lines of it, and perhaps in the plugin's own words.
pub(crate) fn clean_lines(text: &str) -> String {
    let lines: Vec<String> = text.trim_end().lines().take(MAX_LINES).map(|line| clean(line, MAX_LINE)).collect();
    lines.join("\n")
}
