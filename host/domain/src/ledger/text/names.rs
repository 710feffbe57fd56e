//! The names that accounts and texts have in each format.

use std::collections::BTreeMap;

use crate::Id;
use crate::ledger::{Account, AccountType};

/// The accounts of the books, by code.
#[derive(Debug, Clone, Default)]
pub struct Chart {
    accounts: BTreeMap<Id, Account>,
    plain: BTreeMap<Id, String>,
    beancount: BTreeMap<Id, String>,
}

impl Chart {
    /// Names every account. A parent that is not among them is left out of the names.
    pub fn new(accounts: impl IntoIterator<Item = Account>) -> Self {
        let accounts: BTreeMap<Id, Account> = accounts.into_iter().map(|a| (a.new.code.clone(), a)).collect();
        let (mut plain, mut beancount) = (BTreeMap::new(), BTreeMap::new());
        for (code, account) in &accounts {
            let path = path(&accounts, account);
            let name = |root: &str, part: fn(&str) -> String| {
                path.iter().rev().fold(root.to_owned(), |name, code| name + ":" + &part(code.as_str()))
            };
            let (small, capital) = roots(account.new.kind);
            plain.insert(code.clone(), name(small, plain_part));
            beancount.insert(code.clone(), name(capital, beancount_part));
        }
        Self { accounts, plain, beancount }
    }

    /// In order of the codes.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    /// The account with this code.
    pub fn account(&self, code: &Id) -> Option<&Account> {
        self.accounts.get(code)
    }

    /// The name for hledger and ledger: `assets`, `liabilities`, `equity`, `income` or `expenses`, then the codes of the header
    /// accounts from above, then the account's own code, each behind a colon. A colon within a code, which would begin another
    /// account there, is written as `~`, which no code has.
    pub fn plain(&self, code: &Id) -> String {
        self.plain.get(code).cloned().unwrap_or_else(|| format!("assets:{}", plain_part(code.as_str())))
    }

    /// The name for beancount, made likewise below `Assets`, `Liabilities`, `Equity`, `Income` and `Expenses`. Letters and digits
    /// stay; `-` is written as `--`, `.` as `-d`, `_` as `-u`, `:` as `-c`, `/` as `-s`, and a code that begins with a small letter
    /// gets `X-x` in front of it, so that no two codes have one name.
    pub fn beancount(&self, code: &Id) -> String {
        self.beancount.get(code).cloned().unwrap_or_else(|| format!("Assets:{}", beancount_part(code.as_str())))
    }
}

/// The code of the account and those of the headers above it, from below.
fn path<'a>(accounts: &'a BTreeMap<Id, Account>, account: &'a Account) -> Vec<&'a Id> {
    let mut path = vec![&account.new.code];
    let mut parent = account.new.parent.as_ref().and_then(|code| accounts.get(code));
    // No account is below itself; should records say so, a name has at most as many parts as there are accounts.
    while let Some(above) = parent.filter(|_| path.len() <= accounts.len()) {
        path.push(&above.new.code);
        parent = above.new.parent.as_ref().and_then(|code| accounts.get(code));
    }
    path
}

/// The names of the top accounts: plain, and beancount's.
pub(super) fn roots(kind: AccountType) -> (&'static str, &'static str) {
    match kind {
        AccountType::Asset => ("assets", "Assets"),
        AccountType::Liability => ("liabilities", "Liabilities"),
        AccountType::Equity => ("equity", "Equity"),
        AccountType::Income => ("income", "Income"),
        AccountType::Expense => ("expenses", "Expenses"),
    }
}

fn plain_part(code: &str) -> String {
    code.replace(':', "~")
}

fn beancount_part(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    if code.starts_with(|c: char| c.is_ascii_lowercase()) {
        out.push_str("X-x");
    }
    for c in code.chars() {
        match c {
            '-' => out.push_str("--"),
            '.' => out.push_str("-d"),
            '_' => out.push_str("-u"),
            ':' => out.push_str("-c"),
            '/' => out.push_str("-s"),
            other => out.push(other),
        }
    }
    out
}

/// A description for hledger and ledger, where a semicolon begins a comment: it is written as the full-width one.
pub(super) fn plain_description(text: &str) -> String {
    text.replace(';', "；")
}

/// A text in a comment for hledger and ledger, where a comma ends the value of a tag and a bracket may begin a date: they are
/// written as the full-width ones.
pub(super) fn plain_value(text: &str) -> String {
    text.replace(',', "，").replace('[', "［")
}

/// The name of a tag for hledger and ledger: a colon would end it.
pub(super) fn plain_tag(name: &str) -> String {
    plain_part(name)
}

/// A text for beancount, in quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Part of a key of beancount's metadata, which has letters, digits, `-` and `_`: `_` is written as `__`, `.` as `_d`, `:` as `_c`, `/` as `_s`.
pub(super) fn beancount_key(name: &str) -> String {
    name.replace('_', "__").replace('.', "_d").replace(':', "_c").replace('/', "_s")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_two_codes_have_one_name(a in "[Xxa0][-_.:/xXcdsu0]{0,4}", b in "[Xxa0][-_.:/xXcdsu0]{0,4}") {
            prop_assert_eq!(beancount_part(&a) == beancount_part(&b), a == b);
            prop_assert_eq!(plain_part(&a) == plain_part(&b), a == b);
            prop_assert_eq!(beancount_key(&a) == beancount_key(&b), a == b);
            let name = beancount_part(&a);
            prop_assert!(name.starts_with(|c: char| c.is_ascii_uppercase() || c.is_ascii_digit()));
            prop_assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'));
        }
    }
}
