//! Bank statements: imported, compared with the books, confirmed line by line.
//!
//! The account of the books that stands for the bank account is reconcilable, so each of its lines is an open item until the bank has
//! shown it: confirming a bank line closes the item.

use backroom_domain::ledger::{
    self, AccountTotal, BankLine, BankState, BankStatement, Entry, ItemRef, Judged, NewBankLine, NewStatement,
    OpenItem, Suggestion,
};
use backroom_domain::rights::Operation;
use backroom_domain::{Class, Effect, Error, Id, Money};
use backroom_store::records::{OpenBankLine, StatementId};
use schemars::JsonSchema;
use serde::Serialize;

use crate::error::Result;
use crate::ledger::accounts::kind_of;
use crate::ledger::reverse::check_reason;
use crate::ledger::{items, journal};
use crate::listing::{Step, list};
use crate::page::{Page, PageRequest};
use crate::work::Work;

/// The most suggestions for one bank line.
pub const MAX_SUGGESTED: usize = 5;
/// The most open items of an account that are looked through for suggestions: what is open on a bank account is days of movements.
const MAX_LOOKED_AT: usize = 5_000;

/// What an import came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Imported {
    /// The statement on record.
    #[serde(flatten)]
    pub statement: BankStatement,
    /// It had been imported before, and nothing was done now.
    pub replayed: bool,
}

/// A bank line that the books do not know of yet, with what it may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SuggestedLine {
    /// The line.
    #[serde(flatten)]
    pub line: BankLine,
    /// The best first; at most [`MAX_SUGGESTED`].
    pub suggestions: Vec<Suggestion>,
}

/// What became of a confirmation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Confirmed {
    /// The bank line on record.
    #[serde(flatten)]
    pub line: BankLine,
    /// It had been so before, and nothing was done now.
    pub replayed: bool,
}

/// Imports a statement: the lines that are new are kept as open. Needs the right to post to the account.
///
/// # Errors
/// In order: `ledger-post-denied` and the like; the form, and `balance-chain-broken` within it (see [`ledger::check_statement`]);
/// `account-not-found`, `not-reconcilable`; `exists-with-different` (of the statement, then of a line); `duplicate-statement`,
/// `balance-chain-broken`.
pub fn import_statement(work: &mut Work, new: &NewStatement) -> Result<Imported> {
    check_right(work, Operation::BankImportStatement, &new.account)?;
    ledger::check_statement(new)?;
    check_account(work, &new.account)?;
    let hash = lines_hash(&new.lines);
    if let Some(StatementId { number, .. }) = work.tx().get(&(new.account.clone(), new.id.clone()))?
        && let Some(statement) = work.tx().get::<BankStatement>(&(new.account.clone(), number))?
    {
        ledger::same_statement(&statement, new, &hash)?;
        return Ok(Imported { statement, replayed: true });
    }
    let (mut known, mut fresh) = (Vec::new(), Vec::new());
    for line in &new.lines {
        match work.tx().get::<BankLine>(&(new.account.clone(), line.id.clone()))? {
            Some(existing) => {
                ledger::same_bank_line(&existing, line)?;
                known.push(line);
            }
            None => fresh.push(line),
        }
    }
    let last = last_statement(work, &new.account)?;
    ledger::check_chain(new, last.as_ref(), &known)?;

    let account = &new.account;
    for line in &fresh {
        let statement = new.id.clone();
        work.put(&BankLine { new: (*line).clone(), account: account.clone(), statement, state: BankState::Open })?;
        work.put(&OpenBankLine { account: account.clone(), date: line.date, line: line.id.clone() })?;
    }
    let count = |lines: usize| u32::try_from(lines).unwrap_or(u32::MAX);
    let statement = BankStatement {
        id: new.id.clone(),
        account: account.clone(),
        number: last.map_or(0, |last| last.number).saturating_add(1),
        opening: new.opening,
        closing: new.closing,
        added: count(fresh.len()),
        duplicates: count(known.len()),
        lines_hash: hash,
        recorded_at: work.now,
    };
    work.put(&StatementId { account: account.clone(), id: new.id.clone(), number: statement.number })?;
    work.put(&statement)?;
    work.effect(Effect::StatementImported(statement.clone()));
    Ok(Imported { statement, replayed: false })
}

/// The last statement of an account. They are numbered without gaps, so it is found by halving.
fn last_statement(work: &Work, account: &Id) -> Result<Option<BankStatement>> {
    let get = |number: u64| work.tx().get::<BankStatement>(&(account.clone(), number));
    let (mut there, mut beyond) = (0_u64, 1_u64);
    while get(beyond)?.is_some() {
        (there, beyond) = (beyond, beyond.saturating_mul(2));
    }
    while beyond - there > 1 {
        let middle = there.midpoint(beyond);
        if get(middle)?.is_some() { there = middle } else { beyond = middle }
    }
    Ok(if there == 0 { None } else { get(there)? })
}

/// Bank lines that the books do not know of yet, in order of their days.
///
/// # Errors
/// In order: `ledger-read-denied`; `limit-invalid`, `cursor-invalid`.
pub fn list_bank_lines(work: &Work, account: &Id, request: &PageRequest) -> Result<Page<BankLine>> {
    check_read(work, Operation::BankSuggest, account)?;
    list::<OpenBankLine, _>(work, account, None, request, |open| {
        Ok(work.tx().get::<BankLine>(&(account.clone(), open.line))?.map_or(Step::Skip, Step::Take))
    })
}

/// The same with what each may be: lines of the journal on the account that the bank has not shown yet, of the same side and amount
/// and about that day, the best first (see [`ledger::score`]).
///
/// # Errors
/// As [`list_bank_lines`]; `too-many-rows` if more than 5,000 lines of the account are open.
pub fn suggest_matches(work: &Work, account: &Id, request: &PageRequest) -> Result<Page<SuggestedLine>> {
    let lines = list_bank_lines(work, account, request)?;
    let open = work.tx().scan::<OpenItem>(account, None, MAX_LOOKED_AT + 1)?;
    if open.len() > MAX_LOOKED_AT {
        let message =
            format!("more than {MAX_LOOKED_AT} lines of account {account} wait for the bank; confirm some first");
        return Err(Error::refused("too-many-rows", message).into());
    }
    let mut suggested = Vec::with_capacity(lines.items.len());
    for line in lines.items {
        let mut suggestions = Vec::new();
        for (_, item) in
            open.iter().filter(|(_, item)| item.side == line.new.side && item.amount.minor == line.new.minor)
        {
            let text = text_of(work, item)?;
            suggestions.extend(ledger::score(&line.new, Judged { item, text: &text }));
        }
        suggestions.sort_by(|a, b| b.score.cmp(&a.score).then_with(|| a.item.cmp(&b.item)));
        suggestions.truncate(MAX_SUGGESTED);
        suggested.push(SuggestedLine { line, suggestions });
    }
    Ok(Page { items: suggested, next: lines.next })
}

/// What the entry of an item says.
fn text_of(work: &Work, item: &OpenItem) -> Result<String> {
    let Some(Entry { new, .. }) = journal::find(work, &item.of.entry)? else { return Ok(String::new()) };
    let reference = new.details.as_ref().and_then(|details| details.reference.clone());
    let line = usize::try_from(item.of.line).ok().and_then(|line| new.lines.get(line));
    let memo = line.and_then(|line| line.memo.clone());
    Ok([Some(new.id.to_string()), Some(new.description), reference, memo]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" "))
}

/// Says that a bank line is a line of the journal: of the same account, side and amount. Needs the right to post to the account.
///
/// # Errors
/// In order: `ledger-post-denied` and the like; `bank-line-not-found`, `item-not-found`; `already-confirmed` (as another line);
/// `different-account`, `wrong-side`, `item-closed`, `amount-differs`.
pub fn confirm_line(work: &mut Work, account: &Id, line: &Id, item: &ItemRef) -> Result<Confirmed> {
    check_right(work, Operation::BankConfirm, account)?;
    let bank = bank_line(work, account, line)?;
    let Some(mut found) = items::find(work, Operation::BankConfirm, item)? else {
        let message = format!("line {} of entry {} is no open item", item.line, item.entry);
        return Err(Error::at(Class::NotFound, "item-not-found", "item", message).into());
    };
    if let BankState::Confirmed { item: before } = &bank.state {
        if before == item {
            return Ok(Confirmed { line: bank, replayed: true });
        }
        let message = format!("it was confirmed to be line {} of entry {}", before.line, before.entry);
        return Err(Error::at(Class::Refused, "already-confirmed", "line", message).into());
    }
    let refuse = |code, message: String| Err(Error::at(Class::Refused, code, "item", message).into());
    match () {
        () if found.account != *account => {
            return refuse("different-account", format!("{} is on account {}", found.name(), found.account));
        }
        () if found.side != bank.new.side => {
            return refuse("wrong-side", format!("{} stands on the other side", found.name()));
        }
        () if found.open() == 0 => return refuse("item-closed", format!("{} is closed", found.name())),
        () if found.open() != bank.new.minor => {
            let message =
                format!("{} has {} minor units open, the bank says {}", found.name(), found.open(), bank.new.minor);
            return refuse("amount-differs", message);
        }
        () => {}
    }
    found.take(line, bank.new.date, bank.new.minor)?;
    items::put(work, &found)?;
    work.tx_mut().delete::<OpenBankLine>(&(account.clone(), bank.new.date, line.clone()));
    changed(work, BankLine { state: BankState::Confirmed { item: item.clone() }, ..bank })
}

/// Takes a confirmation back: line and item are open again.
///
/// # Errors
/// In order: `ledger-post-denied` and the like; `text-invalid`; `bank-line-not-found`.
pub fn undo_confirmation(work: &mut Work, account: &Id, line: &Id, reason: &str) -> Result<Confirmed> {
    check_right(work, Operation::BankUndo, account)?;
    check_reason(reason, "reason")?;
    let bank = bank_line(work, account, line)?;
    let BankState::Confirmed { item } = &bank.state else { return Ok(Confirmed { line: bank, replayed: true }) };
    if let Some(mut found) = items::find(work, Operation::BankUndo, item)? {
        found.give_back(line);
        items::put(work, &found)?;
    }
    work.put(&OpenBankLine { account: account.clone(), date: bank.new.date, line: line.clone() })?;
    changed(work, BankLine { state: BankState::Open, ..bank })
}

fn changed(work: &mut Work, line: BankLine) -> Result<Confirmed> {
    work.put(&line)?;
    work.effect(Effect::BankLineChanged(line.clone()));
    Ok(Confirmed { line, replayed: false })
}

fn bank_line(work: &Work, account: &Id, line: &Id) -> Result<BankLine> {
    let found = work.tx().get::<BankLine>(&(account.clone(), line.clone()))?;
    Ok(found.ok_or_else(|| {
        let message = format!("no statement of account {account} has a line {line}");
        Error::at(Class::NotFound, "bank-line-not-found", "line", message)
    })?)
}

/// Refused unless the account can stand for a bank account.
fn check_account(work: &Work, account: &Id) -> Result<()> {
    let Some(total) = work.tx().get::<AccountTotal>(account)? else {
        let message = format!("there is no posting account {account}");
        return Err(Error::at(Class::NotFound, "account-not-found", "account", message).into());
    };
    if total.account_rules().is_some_and(|rules| rules.reconcilable) {
        return Ok(());
    }
    let message = format!("account {account} is not reconcilable; change its rules first");
    Err(Error::at(Class::Refused, "not-reconcilable", "account", message).into())
}

/// `denied` unless bank lines of this account may be brought in and confirmed; of a malformed one: of any.
///
/// # Errors
/// As [`import_statement`], those of the rights.
pub fn check_bank_right(work: &Work, operation: Operation, account: Option<&Id>) -> Result<()> {
    match account {
        Some(account) => check_right(work, operation, account),
        None => Ok(work.rights().check_post_ledger(operation)?),
    }
}

/// The right to post to the account, today.
fn check_right(work: &Work, operation: Operation, account: &Id) -> Result<()> {
    let currency = work.tx().get::<AccountTotal>(account)?.map(|total| total.balance.currency);
    match currency {
        Some(currency) => items::check_post(work, operation, account, Money { minor: 0, currency }, work.today),
        // Whether there is such an account is told to those alone who may read it.
        None => check_read(work, operation, account),
    }
}

fn check_read(work: &Work, operation: Operation, account: &Id) -> Result<()> {
    Ok(work.rights().check_read_account(operation, account, kind_of(work, account)?)?)
}

/// What tells two lists of lines apart: their fields with the lengths of the texts, so that none runs into the next.
fn lines_hash(lines: &[NewBankLine]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for line in lines {
        // The encoding is canonical, and writing into memory cannot fail.
        let bytes = minicbor::to_vec(line).unwrap_or_default();
        hasher.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes()).update(&bytes);
    }
    *hasher.finalize().as_bytes()
}
