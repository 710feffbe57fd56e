//! What the sources say that the ledger refuses, beside what the tables have.
//!
//! Codes are words and no cases of an enumeration, so they are looked for where they are written: every word in kebab-case of the ledger's
//! sources, and every word where an error is made. A new one fails here until a table has it or it is said what else it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::tables;

/// Words in kebab-case that are no codes: fields, names of kinds and of formats.
const NO_CODES: [&str; 18] = [
    "as-of",
    "decimal-mark",
    "exchange-gain",
    "exchange-loss",
    "expected-version",
    "kebab-case",
    "max-available",
    "min-available",
    "near-day",
    "recorded-at",
    "retained-earnings",
    "reversed-by",
    "same-day",
    "source-document",
    "stock-control",
    "timeout-seconds",
    "write-off",
    "year-start",
];

/// Which function of the contract is which use case.
const CONTRACT: [(&str, &str, &str); 39] = [
    ("balances", "get", "balance"),
    ("balances", "get-many", "balances_at"),
    ("bank", "confirm", "confirm_line"),
    ("bank", "import-statement", "import_statement"),
    ("bank", "undo", "undo_confirmation"),
    ("budgets", "set", "set_budget"),
    ("chart", "close-account", "close_account"),
    ("chart", "create-account", "create_account"),
    ("chart", "create-book", "create_book"),
    ("chart", "reopen-account", "reopen_account"),
    ("chart", "update-account", "update_account"),
    ("holds", "place", "hold"),
    ("holds", "release", "release"),
    ("holds", "settle", "settle"),
    ("journal", "post", "post"),
    ("journal", "post-batch", "post_batch"),
    ("journal", "reverse", "reverse"),
    ("open-items", "ageing", "ageing"),
    ("open-items", "match-items", "match_items"),
    ("open-items", "unmatch", "unmatch"),
    ("periods", "close-year", "close_year"),
    ("periods", "grant-exception", "grant_exception"),
    ("periods", "limit-future", "limit_future"),
    ("periods", "list", "list_periods"),
    ("periods", "lock", "lock_period"),
    ("periods", "reopen", "reopen_period"),
    ("periods", "revoke-exception", "revoke_exception"),
    ("rates", "get", "get_rate"),
    ("rates", "revalue", "revalue"),
    ("rates", "set", "set_rates"),
    ("reports", "allocate", "allocate"),
    ("reports", "assert-balance", "assert_balance"),
    ("reports", "explain", "explain"),
    ("reports", "report", "report"),
    ("reports", "statement", "statement"),
    ("review", "by-dimension", "by_dimension"),
    ("review", "cash-flow", "cash_flow"),
    ("review", "general-ledger", "general_ledger"),
    ("review", "verify", "verify"),
];

/// What no table makes happen: of which use case (`*`: of any), which code, and why.
const UNREACHED: [(&str, &str, &str); 8] = [
    ("*", "too-many-entries", "it takes a journal of more than a million entries"),
    ("*", "too-many-rows", "it takes 10,000 accounts; the test of trial balances in ledger.rs has it"),
    ("ageing", "overflow", "it takes two thousand open items of the largest amount in one currency"),
    ("by_dimension", "overflow", "the use case has 128 bits for its sums; the interface for plugins has 53"),
    ("cash_flow", "overflow", "the use case has 128 bits for its sums; the interface for plugins has 53"),
    ("general_ledger", "overflow", "the use case has 128 bits for its sums; the interface for plugins has 53"),
    ("report", "overflow", "the use case has 128 bits for its sums; the interface for plugins has 53"),
    ("reverse", "insufficient", "it is named as what `would-overdraw` stands in place of"),
];

/// What is refused wherever something is read, and has its tests with the rights and the lists.
const OF_READING: [&str; 5] = ["ledger-read-denied", "not-found", "limit-invalid", "cursor-invalid", "too-many-rows"];

/// What the interfaces find malformed before a use case is asked.
const OF_FORM: [&str; 3] = ["currency-invalid", "date-invalid", "id-invalid"];

/// Rules of the domain whose order a use case's table follows as well.
const RULES: [(&str, &[&str]); 9] = [
    ("post", &["references", "check_required", "check_accounts", "check_limits"]),
    ("create_account", &["check_parent"]),
    ("update_account", &["changed_account"]),
    ("close_account", &["sweep_entry"]),
    ("settle", &["settle_parts"]),
    ("release", &["check_open"]),
    ("match_items", &["match_pairs", "match_entry"]),
    ("import_statement", &["check_chain"]),
    ("create_book", &["same_book"]),
];

fn ledger_of(crate_name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(crate_name).join("src/ledger")
}

/// The sources below a folder, without their own tests.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap().to_owned();
            found.push((path, text));
        }
    }
    found
}

/// Every quoted word of small letters and hyphens, with what stands before it.
fn words(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.match_indices('"').filter_map(|(at, _)| {
        let behind = &text[at + 1..];
        let length = behind.find(|c: char| !c.is_ascii_lowercase() && c != '-')?;
        let word = &behind[..length];
        let whole = behind[length..].starts_with('"') && word.starts_with(|c: char| c.is_ascii_lowercase());
        whole.then(|| (text[..at].trim_end(), word))
    })
}

/// Is the word behind this one that an error is made of?
fn makes_error(before: &str) -> bool {
    let class = before.strip_suffix(',').and_then(|before| before.rsplit_once("Class::"));
    let named = class.is_some_and(|(_, name)| name.chars().all(char::is_alphanumeric));
    let makers = ["invalid", "refused", "denied", "problem", "add", "fault", "refuse", "wrong"];
    named || before.strip_suffix('(').is_some_and(|before| makers.iter().any(|maker| before.ends_with(maker)))
}

/// The codes in a source.
fn codes(text: &str) -> BTreeSet<String> {
    let code = |(before, word): &(&str, &str)| {
        !NO_CODES.contains(word) && !word.ends_with('-') && (word.contains('-') || makes_error(before))
    };
    words(text).filter(code).map(|(_, word)| word.to_owned()).collect()
}

/// All codes of the ledger but those of reading journals of other programs, with a source that has them.
fn all_codes() -> BTreeMap<String, PathBuf> {
    let mut all = BTreeMap::new();
    for (path, text) in [sources(&ledger_of("domain")), sources(&ledger_of("office"))].concat() {
        if !path.components().any(|part| part.as_os_str() == "journal") {
            all.extend(codes(&text).into_iter().map(|code| (code, path.clone())));
        }
    }
    // Those that all domains share are made by functions that bear their names.
    for code in ["not-found", "exists-with-different", "overflow"] {
        all.insert(code.to_owned(), PathBuf::from("error.rs"));
    }
    all
}

fn unreached(operation: &str, code: &str) -> bool {
    UNREACHED.iter().any(|(of, what, _)| (*of == "*" || *of == operation) && *what == code)
}

#[test]
fn every_code_of_the_ledger_has_a_case() {
    let covered: BTreeSet<&str> = tables().iter().flat_map(|table| table.codes()).collect();
    let all = all_codes();
    assert!(all.len() > 90, "the search finds codes no more: {}", all.len());
    let missing: Vec<_> =
        all.iter().filter(|(code, _)| !covered.contains(code.as_str()) && !unreached("*", code)).collect();
    assert!(missing.is_empty(), "without a case in a table: {missing:#?}");
}

/// What is wrong with a journal of another program comes all at once, so there is no order; each has a row in the test of imports.
#[test]
fn every_fault_of_an_import_has_a_case() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ledger_text/imports.rs");
    let tests = std::fs::read_to_string(tests).unwrap();
    let found: BTreeSet<String> =
        sources(&ledger_of("domain").join("journal")).iter().flat_map(|(_, text)| codes(text)).collect();
    assert!(found.len() > 25, "{found:?}");
    let missing: Vec<_> = found.iter().filter(|code| !tests.contains(&format!(" {code}\""))).collect();
    assert!(missing.is_empty(), "without a row: {missing:?}");
}

#[test]
fn what_is_said_to_be_no_code_is_there() {
    let all: Vec<_> = [sources(&ledger_of("domain")), sources(&ledger_of("office"))].concat();
    let is_there = |wanted: &str| all.iter().any(|(_, text)| words(text).any(|(_, word)| word == wanted));
    let gone: Vec<_> = NO_CODES.iter().filter(|word| !is_there(word)).collect();
    assert!(gone.is_empty(), "{gone:?}");
    let codes = all_codes();
    assert!(UNREACHED.iter().all(|(_, code, why)| codes.contains_key(*code) && !why.is_empty()));
}

/// The documentation of every public function, by its name.
fn documented(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (_, text) in sources(folder) {
        let mut doc = String::new();
        for line in text.lines().map(str::trim) {
            if let Some(more) = line.strip_prefix("///") {
                doc += more;
                continue;
            }
            if let Some(function) = line.strip_prefix("pub fn ") {
                let name = function.split(['(', '<']).next().unwrap();
                found.insert(name.to_owned(), doc.clone());
            }
            if !line.starts_with("#[") {
                doc.clear();
            }
        }
    }
    found
}

/// The codes that a text names, each once, in its order.
fn named_in(text: &str, codes: &BTreeMap<String, PathBuf>) -> Vec<String> {
    let mut named: Vec<String> = Vec::new();
    for word in text.split('`').skip(1).step_by(2) {
        if codes.contains_key(word) && !named.iter().any(|other| other == word) {
            named.push(word.to_owned());
        }
    }
    named
}

/// A text without what is malformed together, whose order does not matter.
fn ordered(text: &str) -> String {
    let (before, together) = text.split_once("together (").unwrap_or((text, ""));
    format!("{before}{}", together.split_once(')').map_or("", |(_, behind)| behind))
}

/// Does a table have these, in this order, and others among them?
fn follows(table: &[&str], order: &[String]) -> bool {
    let mut rest = table.iter();
    order.iter().all(|code| rest.any(|other| other == code))
}

/// The documentation of every function of an interface of the contract, by its name.
fn contract(file: &str) -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/deps/ledger").join(format!("{file}.wit"));
    let (mut found, mut doc) = (BTreeMap::new(), String::new());
    for line in std::fs::read_to_string(path).unwrap().lines().map(str::trim) {
        match (line.strip_prefix("///"), line.split_once(": func(")) {
            (Some(more), _) => doc += more,
            (None, Some((name, _))) => {
                drop(found.insert(name.trim_start_matches('%').to_owned(), std::mem::take(&mut doc)));
            }
            (None, None) => doc.clear(),
        }
    }
    found
}

/// What the contract says of each function is what the tables of its use case have, in the same order.
#[test]
fn the_tables_follow_the_contract() {
    let (codes, tables, mut wrong) = (all_codes(), tables(), Vec::new());
    for (file, function, operation) in CONTRACT {
        let functions = contract(file);
        let (_, errors) = functions[function].split_once("Errors").unwrap();
        let mut named = named_in(errors, &codes);
        named.retain(|code| !OF_FORM.contains(&code.as_str()));
        let own: Vec<_> = tables.iter().filter(|table| table.operation() == operation).map(|t| t.codes()).collect();
        let has = |code: &String| own.iter().any(|table| table.contains(&code.as_str()));
        let missing: Vec<_> = named.iter().filter(|code| !has(code) && !unreached(operation, code)).collect();
        if !missing.is_empty() {
            wrong.push(format!("{file}.{function} says {missing:?}, which the table of {operation} has not"));
        }
        for table in &own {
            let in_order = named_in(&ordered(errors), &codes);
            let in_table: Vec<_> = in_order.iter().filter(|code| table.contains(&code.as_str())).cloned().collect();
            if !follows(table, &in_table) {
                wrong.push(format!("{file}.{function}: {in_table:?}, tried {table:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What each use case documents under its errors is what its tables have, in the same order.
#[test]
fn the_tables_follow_the_documented_orders() {
    let codes = all_codes();
    let of_reading = |code: &String| OF_READING.contains(&code.as_str());
    let tables = tables();
    let (mut checked, mut wrong) = (0, Vec::new());
    let (office, domain) = (documented(&ledger_of("office")), documented(&ledger_of("domain")));
    for (operation, doc) in &office {
        let Some((_, errors)) = doc.split_once("# Errors") else { continue };
        let named = named_in(errors, &codes);
        if named.iter().all(of_reading) {
            continue;
        }
        let own: Vec<_> = tables.iter().filter(|table| table.operation() == operation).map(|t| t.codes()).collect();
        if own.is_empty() {
            wrong.push(format!("{operation} documents {named:?} and has no table"));
        }
        let has = |code: &String| own.iter().any(|table| table.contains(&code.as_str()));
        let missing: Vec<_> = named.iter().filter(|code| !has(code) && !unreached(operation, code)).collect();
        if !missing.is_empty() {
            wrong.push(format!("{operation} documents {missing:?}, which its table has not"));
        }
        let rules = RULES.iter().filter(|(of, _)| of == operation).flat_map(|(_, rules)| rules.iter());
        let orders = rules.map(|rule| named_in(&domain[*rule], &codes)).chain([named]);
        for order in orders {
            for table in &own {
                let in_table: Vec<_> = order.iter().filter(|code| table.contains(&code.as_str())).cloned().collect();
                if !follows(table, &in_table) {
                    wrong.push(format!("{operation}: documented {in_table:?}, tried {table:?}"));
                }
                checked += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(checked > 40, "{checked} orders");
}
