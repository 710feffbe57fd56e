//! The names that accounts and texts have in each format.

use std::collections::{BTreeMap, BTreeSet};

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
        let siblings = siblings(&accounts);
        let (mut plain, mut beancount) = (BTreeMap::new(), BTreeMap::new());
        for (code, account) in &accounts {
            let path = path(&accounts, account);
            let parts: Vec<&str> =
                path.iter().rev().filter_map(|account| part(&accounts, &siblings, account)).collect();
            let name = |root: &str, part: fn(&str) -> String| {
                parts.iter().fold(root.to_owned(), |name, code| name + ":" + &part(code))
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
    /// accounts from above, then the account's own code, each behind a colon. What a code repeats of its header's is left out (`bank` of
    /// `assets:bank` below `assets`), unless an account beside it is called so. A colon within a code, which would begin another
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

/// The codes of the accounts below each header, and of those of each type that have none.
type Siblings<'a> = BTreeMap<(Option<&'a Id>, AccountType), BTreeSet<&'a str>>;

fn siblings(accounts: &BTreeMap<Id, Account>) -> Siblings<'_> {
    let mut siblings = Siblings::new();
    for (code, account) in accounts {
        let parent = account.new.parent.as_ref().filter(|parent| accounts.contains_key(*parent));
        siblings.entry((parent, account.new.kind)).or_default().insert(code.as_str());
    }
    siblings
}

/// What an account adds to the names of those below it: its code, but for what it repeats of its header's (`bank` of `assets:bank` below
/// `assets`), unless one beside it has that as its code. Nothing, if it is the one header at the top of its type and is called like it.
fn part<'a>(accounts: &BTreeMap<Id, Account>, siblings: &Siblings<'_>, account: &'a Account) -> Option<&'a str> {
    let (code, kind) = (account.new.code.as_str(), account.new.kind);
    let parent = account.new.parent.as_ref().filter(|parent| accounts.contains_key(*parent));
    let beside = siblings.get(&(parent, kind));
    let Some(parent) = parent else {
        let root = !account.new.posting && code.eq_ignore_ascii_case(roots(kind).0);
        return (!root || beside.is_none_or(|beside| beside.len() != 1)).then_some(code);
    };
    let rest = code.strip_prefix(parent.as_str()).and_then(|rest| rest.strip_prefix(':'));
    let free =
        |rest: &&str| rest.starts_with(|c: char| c.is_ascii_alphanumeric()) && beside.is_none_or(|b| !b.contains(rest));
    Some(rest.filter(free).unwrap_or(code))
}

/// The account and the headers above it, from below.
fn path<'a>(accounts: &'a BTreeMap<Id, Account>, account: &'a Account) -> Vec<&'a Account> {
    let mut path = vec![account];
    let mut parent = account.new.parent.as_ref().and_then(|code| accounts.get(code));
    // No account is below itself; should records say so, a name has at most as many parts as there are accounts.
    while let Some(above) = parent.filter(|_| path.len() <= accounts.len()) {
        path.push(above);
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

    fn account(code: &str, parent: Option<&str>, posting: bool) -> Account {
        let id = |text: &str| Id::parse(text, "c").unwrap();
        let new = crate::ledger::NewAccount {
            code: id(code),
            name: "A".to_owned(),
            kind: AccountType::Asset,
            parent: parent.map(id),
            currency: crate::Currency::parse("USD", "c").unwrap(),
            posting,
            stock_control: false,
            rules: crate::ledger::AccountRules::default(),
        };
        Account::created(new, crate::Instant(0))
    }

    fn names(rows: &[(&str, Option<&str>, bool)]) -> Vec<String> {
        let chart = Chart::new(rows.iter().map(|(code, parent, posting)| account(code, *parent, *posting)));
        rows.iter().map(|(code, ..)| chart.plain(&Id::parse(code, "c").unwrap())).collect()
    }

    #[test]
    fn a_code_does_not_repeat_its_headers_unless_it_must() {
        let rows = [
            ("assets", None, false),
            ("assets:bank", Some("assets"), false),
            ("assets:bank:EUR", Some("assets:bank"), true),
        ];
        assert_eq!(names(&rows), ["assets", "assets:bank", "assets:bank:EUR"]);
        let rows = [("1", None, false), ("1:x", Some("1"), true), ("x", Some("1"), true), ("1:-", Some("1"), true)];
        assert_eq!(names(&rows), ["assets:1", "assets:1:1~x", "assets:1:x", "assets:1:1~-"]);
        let rows = [("assets", None, false), ("x", Some("assets"), true), ("y", None, true)];
        assert_eq!(names(&rows), ["assets:assets", "assets:assets:x", "assets:y"]);
    }

    proptest! {
        #[test]
        fn no_two_accounts_have_one_name(
            codes in prop::collection::btree_set("[1xA](:[1xA]){0,2}", 2..8),
            parents in prop::collection::vec(0..8_usize, 8),
        ) {
            let mut codes: Vec<String> = codes.into_iter().collect();
            codes.push("assets".to_owned());
            // Parents are some earlier code, so that no account is below itself.
            let parent = |n: usize| (n > 0 && parents[n % 8] < n).then(|| codes[parents[n % 8]].as_str());
            let accounts: Vec<_> = codes.iter().enumerate().map(|(n, code)| account(code, parent(n), n % 2 == 0)).collect();
            let chart = Chart::new(accounts);
            for name in [Chart::plain, Chart::beancount] {
                let names: BTreeSet<String> = chart.accounts().map(|a| name(&chart, &a.new.code)).collect();
                prop_assert_eq!(names.len(), codes.len(), "{:?}", names);
            }
        }

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
