//! Bank statements: what the bank says was moved, beside what the books say.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ledger::{Amount, ItemRef, OpenItem};
use crate::shape::Problems;
use crate::{BusinessDate, Class, Error, Id, Instant, MAX_MINOR, Result, Side};

/// The most lines of a statement.
pub const MAX_STATEMENT_LINES: usize = 1_000;

/// A line of a statement as the bank gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewBankLine {
    /// The bank's own id of the movement: the same in every statement that shows it.
    #[n(0)]
    pub id: Id,
    /// The day that the bank books it on.
    #[n(1)]
    pub date: BusinessDate,
    /// As the account in the books sees it: debit is money that came in.
    #[n(2)]
    pub side: Side,
    /// Minor units of the account's currency, more than zero.
    #[n(3)]
    pub minor: u64,
    /// Who paid or was paid; at most 140 characters.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counterparty: Option<String>,
    /// What the payment says it is for; at most 280 characters.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// A statement as a caller brings it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewStatement {
    /// The statement's id: the idempotency key, with the account.
    pub id: Id,
    /// The account of the books that stands for the bank account; reconcilable.
    pub account: Id,
    /// The balance before the first line, as the account in the books sees it: money that is there is positive.
    pub opening: Amount,
    /// The balance behind the last line.
    pub closing: Amount,
    /// 1 to 1,000 lines, in the bank's order. Some may have been in the statement before.
    pub lines: Vec<NewBankLine>,
}

/// A statement that was imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct BankStatement {
    /// The id.
    #[n(0)]
    pub id: Id,
    /// The account.
    #[n(1)]
    pub account: Id,
    /// Its number among the statements of the account: 1, 2, 3, ...
    #[n(2)]
    pub number: u64,
    /// The balance before its first line.
    #[n(3)]
    pub opening: Amount,
    /// The balance behind its last line.
    #[n(4)]
    pub closing: Amount,
    /// How many of its lines were new.
    #[n(5)]
    pub added: u32,
    /// How many had been there before.
    #[n(6)]
    pub duplicates: u32,
    /// BLAKE3 of its lines as they were given, to tell a repeat.
    #[n(7)]
    #[serde(skip)]
    #[cbor(with = "minicbor::bytes")]
    pub lines_hash: [u8; 32],
    /// When it was recorded.
    #[n(8)]
    pub recorded_at: Instant,
}

/// Whether the books know of a bank line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum BankState {
    /// Not yet.
    #[n(0)]
    Open,
    /// It is this line of the journal.
    #[n(1)]
    Confirmed {
        /// The line.
        #[n(0)]
        item: ItemRef,
    },
}

/// A bank line on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct BankLine {
    /// What the bank says.
    #[n(0)]
    #[serde(flatten)]
    pub new: NewBankLine,
    /// The account.
    #[n(1)]
    pub account: Id,
    /// The first statement that showed it.
    #[n(2)]
    pub statement: Id,
    /// Whether the books know of it.
    #[n(3)]
    #[serde(flatten)]
    pub state: BankState,
}

/// The form of a statement, all problems together: `lines-invalid`, `amount-zero`, `amount-too-large`, `text-invalid`; and
/// `balance-chain-broken` if its own lines do not lead from its opening to its closing balance.
pub fn check_statement(new: &NewStatement) -> Result<()> {
    let mut problems = Problems::default();
    if new.lines.is_empty() || new.lines.len() > MAX_STATEMENT_LINES {
        let message = || format!("a statement has 1 to {MAX_STATEMENT_LINES} lines, not {}", new.lines.len());
        problems.add("lines-invalid", || "lines".to_owned(), message);
    }
    for (name, amount) in [("opening", new.opening), ("closing", new.closing)] {
        if amount.minor > MAX_MINOR {
            let message = || "amounts are at most 2^53 - 1 minor units".to_owned();
            problems.add("amount-too-large", || name.to_owned(), message);
        }
    }
    let mut ids = BTreeSet::new();
    for (i, line) in new.lines.iter().take(MAX_STATEMENT_LINES).enumerate() {
        let at = |field: &str| format!("lines[{i}].{field}");
        if !ids.insert(&line.id) {
            problems.add("lines-invalid", || at("id"), || format!("{} is in the statement twice", line.id));
        }
        match line.minor {
            0 => problems.add("amount-zero", || at("minor"), || "must be more than zero".to_owned()),
            minor if minor > MAX_MINOR => {
                let message = || "amounts are at most 2^53 - 1 minor units".to_owned();
                problems.add("amount-too-large", || at("minor"), message);
            }
            _ => {}
        }
        for (field, text, most) in [("counterparty", &line.counterparty, 140), ("reference", &line.reference, 280)] {
            if let Some(text) = text {
                problems.line(|| at(field), text, 0, most);
            }
        }
    }
    problems.finish()?;
    let reached = moved(new.lines.iter()).saturating_add(new.opening.value());
    if reached == new.closing.value() {
        return Ok(());
    }
    let message = format!(
        "the lines lead from {} to {reached}, not to the closing balance {} (minor units)",
        new.opening.value(),
        new.closing.value()
    );
    Err(Error::at(Class::Refused, "balance-chain-broken", "closing", message))
}

/// What lines move the balance by.
fn moved<'a>(lines: impl Iterator<Item = &'a NewBankLine>) -> i128 {
    lines.fold(0_i128, |sum, line| match line.side {
        Side::Debit => sum.saturating_add(i128::from(line.minor)),
        Side::Credit => sum.saturating_sub(i128::from(line.minor)),
    })
}

/// Whether a statement follows the one before it: where that ended, or where the lines that both have lead from its opening to that
/// end. `known` are those lines. Refusals, in order: `duplicate-statement` (nothing in it is new), `balance-chain-broken`.
pub fn check_chain(new: &NewStatement, last: Option<&BankStatement>, known: &[&NewBankLine]) -> Result<()> {
    if known.len() == new.lines.len() {
        let message = "every line of it is there already";
        return Err(Error::at(Class::Refused, "duplicate-statement", "lines", message));
    }
    let Some(last) = last else { return Ok(()) };
    let begins = moved(known.iter().copied()).saturating_add(new.opening.value());
    if begins == last.closing.value() {
        return Ok(());
    }
    let message = format!(
        "statement {} of this account closed with {}, and what is new here begins with {begins} (minor units): one is missing between",
        last.id,
        last.closing.value()
    );
    Err(Error::at(Class::Refused, "balance-chain-broken", "opening", message))
}

/// `exists-with-different` unless the statement says what is on record.
pub fn same_statement(existing: &BankStatement, new: &NewStatement, lines_hash: &[u8; 32]) -> Result<()> {
    let field = match () {
        () if existing.opening != new.opening => "opening",
        () if existing.closing != new.closing => "closing",
        () if existing.lines_hash != *lines_hash => "lines",
        () => return Ok(()),
    };
    Err(Error::exists_with_different("statement", &new.id, field))
}

/// `exists-with-different` unless the line says what is on record.
pub fn same_bank_line(existing: &BankLine, new: &NewBankLine) -> Result<()> {
    let old = &existing.new;
    let field = match () {
        () if old.date != new.date => "date",
        () if old.side != new.side => "side",
        () if old.minor != new.minor => "minor",
        () if old.counterparty != new.counterparty => "counterparty",
        () if old.reference != new.reference => "reference",
        () => return Ok(()),
    };
    Err(Error::exists_with_different("bank line", &new.id, field))
}

/// A line of the journal that a bank line may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Suggestion {
    /// The line.
    pub item: ItemRef,
    /// Its day.
    pub date: BusinessDate,
    /// 1 to 100; the sum of what the reasons are worth.
    pub score: u8,
    /// What speaks for it: `amount`, `same-day`, `near-day`, `reference`, `party`.
    pub reasons: Vec<String>,
}

/// What is known of a line of the journal when it is judged.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// The open item.
    pub item: &'a OpenItem,
    /// The text of its entry: id, reference, description, memo.
    pub text: &'a str,
}

/// Days around a bank line in which its entry is looked for: transfers between countries take up to five working days.
const NEAR: u32 = 10;

/// Judges whether a bank line is a line of the journal; none if it cannot be: another side or amount, or too far away.
///
/// An equal amount alone is worth 50, as it is often by chance; the same day 20, a near one 2 less for each day; a text that both have 20,
/// the party's name 10.
pub fn score(line: &NewBankLine, judged: Judged<'_>) -> Option<Suggestion> {
    let Judged { item, text } = judged;
    if item.side != line.side || item.open() != line.minor {
        return None;
    }
    let apart = line.date.days_since(item.date).max(item.date.days_since(line.date));
    let near = 20_u32.checked_sub(apart.saturating_mul(2)).filter(|_| apart <= NEAR)?;
    let mut reasons = vec!["amount".to_owned()];
    let mut score = 50_u32.saturating_add(near);
    reasons.push(if apart == 0 { "same-day" } else { "near-day" }.to_owned());
    if line.reference.as_deref().is_some_and(|reference| shares_word(reference, text)) {
        score = score.saturating_add(20);
        reasons.push("reference".to_owned());
    }
    if let (Some(party), Some(counterparty)) = (&item.party, &line.counterparty)
        && shares_word(counterparty, party.as_str())
    {
        score = score.saturating_add(10);
        reasons.push("party".to_owned());
    }
    Some(Suggestion { item: item.of.clone(), date: item.date, score: u8::try_from(score).unwrap_or(100), reasons })
}

/// Have both texts a word of at least four letters or digits in common, whatever its case? Shorter ones are `the` and `inv`.
fn shares_word(one: &str, other: &str) -> bool {
    let words = |text: &str| -> BTreeSet<String> {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() >= 4);
        words.map(str::to_lowercase).collect()
    };
    !words(one).is_disjoint(&words(other))
}
