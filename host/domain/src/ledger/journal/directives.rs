//! What is no transaction.

use super::amount::{Styles, amount, commodity, digits};
use super::lines::{Open, Reader, account_name, comment};
use super::scan::Scan;
use super::{At, Declared, Fault};
use crate::ledger::AccountType;

/// Reads a line that begins at the margin and is neither a transaction nor a comment.
pub(super) fn directive(reader: &mut Reader, mut scan: Scan<'_>) {
    let at = scan.at();
    let word = scan.take_while(|c| c.is_ascii_alphabetic() || c == '-');
    let rest = scan.rest();
    let gap = scan.blanks() > 0 || scan.is_end();
    let result = match word {
        "account" if gap => account(reader, scan),
        "commodity" if gap => of_commodity(reader, scan),
        "decimal-mark" if gap => decimal_mark(&mut reader.styles, &scan),
        "D" if gap => default_commodity(&mut reader.styles, scan),
        "Y" | "year" => year(reader, &scan),
        "apply" if rest.trim_start().starts_with("year ") => {
            scan.take_while(|c| !c.is_ascii_digit());
            year(reader, &scan)
        }
        "P" if gap => {
            reader.journal.prices = reader.journal.prices.saturating_add(1);
            Ok(())
        }
        // These declare what may be named, and change nothing.
        "payee" | "tag" if gap => {
            reader.open = Open::Refused;
            Ok(())
        }
        "comment" if gap => {
            reader.open = Open::Comment;
            Ok(())
        }
        _ => {
            reader.open = Open::Refused;
            Err(unknown(at, word, rest))
        }
    };
    if let Err(fault) = result {
        reader.fault(fault);
        reader.open = Open::Refused;
    }
}

fn unknown(at: At, word: &str, rest: &str) -> Fault {
    match (word, rest.chars().next()) {
        ("", Some('~')) => {
            at.fault("periodic-transaction", "rules for forecasts and budgets are no entries; leave them out")
        }
        ("", Some('=')) => at.fault(
            "automated-transaction",
            "rules that add postings are not followed; send what `hledger print --auto` writes",
        ),
        ("include", _) => at
            .fault("directive-unknown", "one text is imported at a time; send what `hledger print` makes of all files"),
        ("", first) => at.fault("line-unknown", format!("a line cannot begin with {:?}", first.unwrap_or(' '))),
        (word, _) => {
            let word: String = word.chars().take(40).collect();
            at.fault(
                "directive-unknown",
                format!("{word:?} is no directive that is followed here; send what `hledger print` makes of the file"),
            )
        }
    }
}

fn account(reader: &mut Reader, mut scan: Scan<'_>) -> Result<(), Fault> {
    let at = scan.at();
    let name = account_name(&mut scan)?;
    scan.blanks();
    let mut tags = Vec::new();
    if scan.take(";") {
        comment(scan.rest(), &mut tags);
    } else if !scan.is_end() {
        return Err(scan.at().fault("directive-invalid", "behind the account only a comment can stand"));
    }
    let declared = reader.journal.accounts.entry(name.clone()).or_insert_with(|| Declared::at(at));
    let fault = tags_of_account(declared, &tags, &scan);
    reader.open = Open::Account(name);
    fault.map_or(Ok(()), Err)
}

/// The tags `type`, `code`, `name` and `currency` of an account.
pub(super) fn tags_of_account(account: &mut Declared, tags: &[(String, String)], scan: &Scan<'_>) -> Option<Fault> {
    for (tag, value) in tags {
        match tag.as_str() {
            "type" => match kind(value) {
                Some(kind) => account.kind = Some(kind),
                None => {
                    let message =
                        format!("{value:?} is no type of account: A, L, E, R, X, C and V are, and their names");
                    return Some(scan.at().fault("account-type-unknown", message));
                }
            },
            "code" => account.code = Some(value.clone()),
            "name" => account.name = Some(value.clone()),
            "currency" => account.currency = Some(value.clone()),
            _ => {}
        }
    }
    None
}

/// hledger's types. Cash is an asset, and what conversions of currencies go through is equity.
fn kind(text: &str) -> Option<AccountType> {
    match text.to_ascii_lowercase().as_str() {
        "a" | "asset" | "c" | "cash" => Some(AccountType::Asset),
        "l" | "liability" => Some(AccountType::Liability),
        "e" | "equity" | "v" | "conversion" => Some(AccountType::Equity),
        "r" | "revenue" => Some(AccountType::Income),
        "x" | "expense" => Some(AccountType::Expense),
        _ => None,
    }
}

/// `commodity $1,000.00`, or `commodity USD` with a line `format` below it.
fn of_commodity(reader: &mut Reader, mut scan: Scan<'_>) -> Result<(), Fault> {
    reader.open = Open::Commodity;
    let mut ahead = scan.clone();
    let symbol = commodity(&mut ahead)?;
    ahead.blanks();
    let bare = symbol.is_some() && (ahead.is_end() || ahead.peek() == Some(';'));
    if bare { Ok(()) } else { sample(&mut reader.styles, &mut scan).map(drop) }
}

/// The line `format` below a `commodity`.
pub(super) fn format(reader: &mut Reader, mut scan: Scan<'_>) {
    if let Err(fault) = sample(&mut reader.styles, &mut scan) {
        reader.fault(fault);
    }
}

/// An amount that shows how amounts of its commodity are written; gives the commodity.
fn sample(styles: &mut Styles, scan: &mut Scan<'_>) -> Result<String, Fault> {
    let mut ahead = scan.clone();
    ahead.take_while(|c| !c.is_ascii_digit());
    let number = digits(&mut ahead);
    let mark = number.chars().rfind(|c| !c.is_ascii_digit()).filter(|mark| ".,".contains(*mark));
    let once = mark.filter(|mark| number.chars().filter(|c| c == mark).count() == 1);
    let amount = amount(scan, &Styles { mark: once, ..Styles::default() })?;
    scan.blanks();
    if !scan.is_end() && scan.peek() != Some(';') {
        return Err(scan.at().fault("directive-invalid", "behind the sample only a comment can stand"));
    }
    if let Some(mark) = once {
        styles.marks.insert(amount.commodity.clone(), mark);
    }
    Ok(amount.commodity)
}

fn default_commodity(styles: &mut Styles, mut scan: Scan<'_>) -> Result<(), Fault> {
    let at = scan.at();
    let symbol = sample(styles, &mut scan)?;
    if symbol.is_empty() {
        return Err(at.fault("commodity-missing", "name the currency, such as D 1000.00 USD"));
    }
    styles.default = Some(symbol);
    Ok(())
}

fn decimal_mark(styles: &mut Styles, scan: &Scan<'_>) -> Result<(), Fault> {
    styles.mark = match scan.rest() {
        "." => Some('.'),
        "," => Some(','),
        _ => return Err(scan.at().fault("directive-invalid", "the decimal mark is a point or a comma")),
    };
    Ok(())
}

fn year(reader: &mut Reader, scan: &Scan<'_>) -> Result<(), Fault> {
    let year = scan.rest().trim().parse().ok().filter(|year| (1900..=2999).contains(year));
    reader.year = Some(year.ok_or_else(|| scan.at().fault("directive-invalid", "a year is from 1900 to 2999"))?);
    Ok(())
}
