//! From text to transactions, line by line.

use super::amount::{Styles, amount};
use super::directives::directive;
use super::scan::Scan;
use super::{Cost, Declared, Fault, Journal, Posting, Transaction};
use crate::BusinessDate;

/// What an indented line belongs to.
#[derive(Debug, Clone, Default)]
pub(super) enum Open {
    #[default]
    Nothing,
    Transaction(Transaction),
    Account(String),
    Commodity,
    /// Something that was refused: what stands below it is not looked at.
    Refused,
    /// A block that goes on until `end comment`.
    Comment,
}

/// A text that is being read.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) journal: Journal,
    pub(super) styles: Styles,
    pub(super) year: Option<u16>,
    pub(super) open: Open,
    /// The open transaction has a fault of its own: it is left out, as its other faults would be echoes.
    broken: bool,
}

/// Reads a text. What is wrong with it is in [`Journal::faults`]; transactions with a fault are left out.
pub fn read(text: &str) -> Journal {
    let mut reader = Reader::default();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, line) in (1..).zip(text.lines()) {
        reader.line(Scan::new(number, line.trim_end()));
    }
    reader.close();
    reader.journal
}

impl Reader {
    fn line(&mut self, mut scan: Scan<'_>) {
        if matches!(self.open, Open::Comment) {
            if scan.rest().trim() == "end comment" {
                self.open = Open::Nothing;
            }
        } else if scan.is_end() {
            self.close();
        } else if scan.blanks() > 0 {
            self.indented(scan);
        } else {
            self.close();
            match scan.peek() {
                Some(';' | '#' | '*') => {}
                Some(c) if c.is_ascii_digit() => self.transaction(scan),
                _ => directive(self, scan),
            }
        }
    }

    /// Ends what indented lines belong to.
    pub(super) fn close(&mut self) {
        if let Open::Transaction(transaction) = std::mem::take(&mut self.open)
            && !std::mem::take(&mut self.broken)
        {
            self.journal.transactions.push(transaction);
        }
    }

    pub(super) fn fault(&mut self, fault: Fault) {
        self.broken |= matches!(self.open, Open::Transaction(_));
        self.journal.fault(fault);
    }

    fn indented(&mut self, mut scan: Scan<'_>) {
        if scan.take(";") {
            let fault = match &mut self.open {
                Open::Transaction(transaction) => match transaction.postings.last_mut() {
                    Some(posting) => comment_of_posting(posting, scan),
                    None => {
                        comment(scan.rest(), &mut transaction.tags);
                        None
                    }
                },
                Open::Account(name) => {
                    let mut tags = Vec::new();
                    comment(scan.rest(), &mut tags);
                    super::directives::tags_of_account(
                        self.journal.accounts.entry(name.clone()).or_default(),
                        &tags,
                        &scan,
                    )
                }
                _ => None,
            };
            fault.into_iter().for_each(|fault| self.fault(fault));
            return;
        }
        match &mut self.open {
            Open::Transaction(_) => self.posting(scan),
            Open::Commodity if scan.take("format") => {
                scan.blanks();
                super::directives::format(self, scan);
            }
            Open::Refused | Open::Comment => {}
            Open::Nothing | Open::Account(_) | Open::Commodity => {
                let message = "an indented line belongs to a transaction above it, and there is none";
                self.fault(scan.at().fault("line-unknown", message));
                self.open = Open::Refused;
            }
        }
    }

    fn transaction(&mut self, mut scan: Scan<'_>) {
        let at = scan.at();
        let date = date(&mut scan, self.year);
        let (date, fault) = match date {
            Ok(date) => (date, None),
            Err(fault) => (BusinessDate::MAX, Some(fault)),
        };
        let (code, description, tags) = (String::new(), String::new(), Vec::new());
        self.open = Open::Transaction(Transaction { at, date, code, description, tags, postings: Vec::new() });
        self.broken = false;
        if let Some(fault) = fault {
            self.fault(fault);
            return;
        }
        if scan.peek() == Some('=') {
            self.fault(scan.at().fault("second-date", "a transaction has one day here; write the one that counts"));
            return;
        }
        if !scan.is_end() && scan.blanks() == 0 {
            self.fault(scan.at().fault("date-invalid", "behind a date a blank is expected"));
            return;
        }
        status(&mut scan);
        let code = if scan.take("(") {
            let code = scan.take_while(|c| c != ')');
            if !scan.take(")") {
                self.fault(scan.at().fault("code-invalid", "the parenthesis around the code does not close"));
            }
            code.trim().to_owned()
        } else {
            String::new()
        };
        let description = scan.take_while(|c| c != ';').trim().to_owned();
        scan.take(";");
        if let Open::Transaction(transaction) = &mut self.open {
            (transaction.code, transaction.description) = (code, description);
            comment(scan.rest(), &mut transaction.tags);
        }
    }

    fn posting(&mut self, scan: Scan<'_>) {
        match posting(scan, &self.styles) {
            Ok(posting) => {
                if let Open::Transaction(transaction) = &mut self.open {
                    transaction.postings.push(posting);
                }
            }
            Err(fault) => self.fault(fault),
        }
    }
}

/// Moves behind `*` or `!` and blanks.
fn status(scan: &mut Scan<'_>) {
    if scan.take("*") || scan.take("!") {
        scan.blanks();
    }
}

/// `2026-06-30`, `2026/6/30`, `2026.6.30`; without the year if there is a default one.
fn date(scan: &mut Scan<'_>, year: Option<u16>) -> Result<BusinessDate, Fault> {
    let at = scan.at();
    let text = scan.take_while(|c| c.is_ascii_digit() || "-/.".contains(c));
    let wrong = || at.fault("date-invalid", format!("{text:?} is not a date such as 2026-06-30"));
    let mark = text.chars().find(|c| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let parts: Vec<&str> = text.split(mark).collect();
    let (year, month, day) = match (parts.as_slice(), year) {
        ([year, month, day], _) if year.len() == 4 => (year.parse().map_err(|_| wrong())?, *month, *day),
        ([month, day], Some(year)) => (year, *month, *day),
        ([_, _], None) => {
            let message = "this date has no year: write it, or name one above with a line such as Y2026";
            return Err(at.fault("date-invalid", message));
        }
        _ => return Err(wrong()),
    };
    let small = |text: &str| text.parse::<u8>().ok().filter(|_| text.len() <= 2).ok_or_else(wrong);
    BusinessDate::new(year, small(month)?, small(day)?, "date").map_err(|error| {
        at.fault("date-invalid", error.problems.first().map_or("", |problem| problem.message.as_str()))
    })
}

/// The name of an account: up to two blanks, a tab or the end.
pub(super) fn account_name(scan: &mut Scan<'_>) -> Result<String, Fault> {
    let at = scan.at();
    let rest = scan.rest();
    let end = [rest.find("  "), rest.find('\t')].into_iter().flatten().min().unwrap_or(rest.len());
    let name = scan.take_bytes(end).trim_end();
    if name.starts_with(['(', '[']) {
        return Err(at.fault("virtual-posting", "postings that need not balance have no place in double-entry books"));
    }
    if name.is_empty() || name.contains(';') || name.split(':').any(|part| part.trim().is_empty()) {
        let message = format!("{name:?} is no account; two blanks stand between an account and an amount or a comment");
        return Err(at.fault("account-invalid", message));
    }
    Ok(name.to_owned())
}

fn posting(mut scan: Scan<'_>, styles: &Styles) -> Result<Posting, Fault> {
    status(&mut scan);
    let at = scan.at();
    let account = account_name(&mut scan)?;
    scan.blanks();
    let (amount, cost) = amount_and_cost(&mut scan, styles)?;
    let assertion = if scan.peek() == Some('=') { Some(assertion(&mut scan, styles, amount.is_some())?) } else { None };
    scan.blanks();
    let mut posting = Posting { at, account, amount, cost, assertion, comment: String::new(), tags: Vec::new() };
    if scan.take(";") {
        return comment_of_posting(&mut posting, scan).map_or(Ok(posting), Err);
    }
    if scan.is_end() {
        return Ok(posting);
    }
    Err(match scan.peek() {
        Some('{' | '[' | '(') => scan.at().fault("lot-price", "prices and dates of lots are not kept here"),
        _ => scan.at().fault("posting-invalid", "behind the amount only a cost, an assertion or a comment can stand"),
    })
}

fn amount_and_cost(scan: &mut Scan<'_>, styles: &Styles) -> Result<(Option<super::Amount>, Option<Cost>), Fault> {
    if scan.is_end() || matches!(scan.peek(), Some(';' | '=')) {
        return Ok((None, None));
    }
    if scan.peek() == Some('(') {
        return Err(scan.at().fault("amount-invalid", "amounts are not computed here; write the result"));
    }
    let amount = amount(scan, styles)?;
    scan.blanks();
    if !scan.take("@") {
        return Ok((Some(amount), None));
    }
    let total = scan.take("@");
    scan.blanks();
    let cost = super::amount::amount(scan, styles)?;
    scan.blanks();
    if cost.quantity.mantissa < 0 {
        return Err(cost.at.fault("amount-invalid", "a cost is never below nothing"));
    }
    Ok((Some(amount), Some(Cost { total, amount: cost })))
}

fn assertion(scan: &mut Scan<'_>, styles: &Styles, amount_given: bool) -> Result<super::Amount, Fault> {
    let at = scan.at();
    scan.take("=");
    if scan.take("=") || scan.take("*") {
        return Err(at.fault(
            "assertion-unknown",
            "of the balance assertions only = is checked here, for one account in one currency",
        ));
    }
    if !amount_given {
        return Err(at.fault("balance-assignment", "write the amount of the posting, and the balance behind it"));
    }
    scan.blanks();
    let amount = amount(scan, styles)?;
    scan.blanks();
    if scan.peek() == Some('@') {
        return Err(scan.at().fault("assertion-unknown", "a balance is asserted without a cost"));
    }
    Ok(amount)
}

/// Takes tags out of a comment; gives what is left of it.
pub(super) fn comment(text: &str, tags: &mut Vec<(String, String)>) -> String {
    let mut left = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let tag = part.split_once(':').filter(|(name, _)| name.ends_with(|c: char| !c.is_whitespace()));
        match tag {
            Some((words, value)) => {
                let name = words.split_whitespace().next_back().unwrap_or_default();
                tags.push((name.to_owned(), value.trim().to_owned()));
            }
            None => left.push(part),
        }
    }
    left.join(", ")
}

fn comment_of_posting(posting: &mut Posting, scan: Scan<'_>) -> Option<Fault> {
    let begun = posting.tags.len();
    let text = comment(scan.rest(), &mut posting.tags);
    if !text.is_empty() {
        let gap = if posting.comment.is_empty() { "" } else { " " };
        posting.comment = format!("{}{gap}{text}", posting.comment);
    }
    let dated = posting.tags.iter().skip(begun).any(|(name, _)| name == "date" || name == "date2");
    (dated || has_date(scan.rest())).then(|| {
        scan.at().fault("posting-date", "a posting has the day of its transaction here; make two transactions of it")
    })
}

/// Is there a date in brackets, which would be that of the posting?
fn has_date(comment: &str) -> bool {
    let inside = |text: &str| text.split_once(']').is_some_and(|(inside, _)| is_date(inside));
    comment.split('[').skip(1).any(inside)
}

fn is_date(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_digit() || "-/.=".contains(c))
}

impl Declared {
    pub(super) fn at(at: super::At) -> Self {
        Self { at, ..Self::default() }
    }
}
