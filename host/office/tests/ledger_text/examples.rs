//! The example journals that the manuals of hledger and ledger print, of whatever release is installed: what is imported has the balances
//! that the programs give, and what is refused is refused with line and reason.
//!
//! The examples are read where the packages put them (`hledger help` prints its manual, Debian's `ledger` has
//! `/usr/share/doc/ledger/ledger3.html` and `examples/sample.dat`), so nothing of theirs is part of this project. beancount's package has
//! no manual, but some hundred journals in its own tests; beancount2ledger, of its makers, writes them in hledger's syntax, and what is
//! imported has the balances that beancount gives.

use std::path::Path;
use std::process::Command;

use backroom_domain::rights::Rights;
use backroom_office::imports::{self, ImportFailure, RowProblem};
use backroom_office::ledger::trial_balance;

use crate::books::Books;
use crate::oracle::{beancount2ledger, require};
use crate::tools::{self, Balances, output};

/// What an import of the text gives: the balances, or what is wrong.
fn import(text: &str) -> Result<Balances, Vec<RowProblem>> {
    let set = imports::read(&[("books.journal".to_owned(), text.as_bytes().to_vec())]);
    let books = Books::new();
    let mut work = books.work(Rights::all());
    match imports::apply(&mut work, &set) {
        Ok(_) => {}
        Err(ImportFailure::Rows(rows)) => return Err(rows),
        Err(failure) => panic!("{failure}"),
    }
    let mut balances = Balances::new();
    for row in trial_balance(&work, None).unwrap().rows {
        let minor = i128::from(row.balance.debits) - i128::from(row.balance.credits);
        let currency = row.balance.currency.to_string();
        let code = row.balance.account.to_string();
        // Where an account has several currencies, each has its own below it.
        let code = code.strip_suffix(&format!(":{currency}")).unwrap_or(&code);
        let code = without_digits(code).to_owned();
        if minor != 0 && code != "equity:conversion" {
            balances.insert((code, currency), minor);
        }
    }
    Ok(balances)
}

/// Those of a program, with its names written as our codes, but for the digits behind a name that is no id as it is.
fn as_codes(balances: Balances) -> Balances {
    let letter = |c: char| match c {
        ' ' => '-',
        c if c.is_ascii_alphanumeric() || "._:/-".contains(c) => c,
        _ => '_',
    };
    let code = |name: String| name.chars().map(letter).collect::<String>();
    balances.into_iter().map(|((name, currency), minor)| ((code(name), currency), minor)).collect()
}

/// A code without the digits that tell it from others.
fn without_digits(code: &str) -> &str {
    match code.rsplit_once('.') {
        Some((name, digits)) if digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_hexdigit()) => name,
        _ => code,
    }
}

/// Examples imported, and examples refused, out of those that the program can read.
fn compare(program: &str, examples: &[String], theirs: impl Fn(&str) -> Result<Balances, String>) -> (usize, usize) {
    let (mut imported, mut refused) = (0, 0);
    for example in examples {
        // Many leave the currency out; hledger and we are told the same one then.
        let bare = program == "hledger"
            && import(example).is_err_and(|rows| rows.iter().any(|row| row.code == "commodity-missing"));
        let example = &if bare { format!("D 1000.00 USD\n{example}") } else { example.clone() };
        let Ok(theirs) = theirs(example) else { continue };
        match import(example) {
            Ok(ours) => {
                imported += 1;
                assert_eq!(ours, as_codes(theirs), "{program}:\n{example}");
            }
            Err(rows) => {
                refused += 1;
                assert!(!rows.is_empty());
                let lines = u64::try_from(example.lines().count()).unwrap();
                for row in rows {
                    assert!(row.line.is_some_and(|line| (1..=lines).contains(&line)), "{row}\n{example}");
                    assert!(row.column.is_some() && !row.message.is_empty(), "{row}");
                }
            }
        }
    }
    eprintln!("{program}: {imported} examples imported, {refused} refused");
    (imported, refused)
}

fn has_transaction(text: &str) -> bool {
    let dated = |line: &str| {
        line.len() > 10 && line.as_bytes()[..4].iter().all(u8::is_ascii_digit) && b"-/.".contains(&line.as_bytes()[4])
    };
    text.lines()
        .zip(text.lines().skip(1))
        .any(|(line, next)| dated(line) && next.starts_with(' ') && !next.trim().is_empty())
}

/// The manual sets examples in by more than its text.
fn examples_of_hledger(manual: &str) -> Vec<String> {
    const IN: &str = "              ";
    let mut examples = vec![String::new()];
    for line in manual.lines() {
        match (line.strip_prefix(IN), line.trim().is_empty(), examples.last_mut()) {
            (Some(line), _, Some(example)) => *example += &format!("{line}\n"),
            (None, true, Some(example)) if !example.is_empty() => example.push('\n'),
            (None, _, Some(example)) if !example.is_empty() => examples.push(String::new()),
            _ => {}
        }
    }
    examples.retain(|example| has_transaction(example));
    examples
}

fn examples_of_ledger(manual: &str) -> Vec<String> {
    let plain = |html: &str| {
        let mut text = String::new();
        for (n, part) in html.split('<').enumerate() {
            text += if n == 0 { part } else { part.split_once('>').map_or("", |(_, text)| text) };
        }
        text.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&nbsp;", " ")
            .replace("&amp;", "&")
    };
    let blocks = manual
        .split("<pre class=\"")
        .skip(1)
        .filter(|block| block.starts_with("smallexample") || block.starts_with("example"));
    let inside = |block: &str| block.split_once('>').map(|(_, rest)| plain(rest.split("</pre>").next().unwrap()));
    blocks.filter_map(inside).filter(|text| has_transaction(text)).collect()
}

#[test]
fn the_examples_of_hledgers_manual_are_imported_with_its_balances_or_refused_with_a_reason() {
    if !require("hledger", "Install it with: apt-get install hledger") {
        return;
    }
    let manual = output(Command::new("hledger").arg("help").env("PAGER", "cat"), None).unwrap();
    let examples = examples_of_hledger(&manual);
    let (imported, refused) =
        compare("hledger", &examples, |text| tools::hledger(Path::new("-"), Some(text), None, false));
    assert!(imported >= 5 && refused >= 1, "{imported} imported, {refused} refused, of {}", examples.len());
}

#[test]
fn the_examples_of_ledgers_manual_are_imported_with_its_balances_or_refused_with_a_reason() {
    if !require("ledger", "Install it with: apt-get install ledger") {
        return;
    }
    let path = "/usr/share/doc/ledger/ledger3.html";
    let manual = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}, of the package ledger: {error}"));
    let examples = examples_of_ledger(&manual);
    let (imported, refused) =
        compare("ledger", &examples, |text| tools::ledger(Path::new("-"), Some(text), None, false));
    assert!(imported >= 5 && refused >= 1, "{imported} imported, {refused} refused, of {}", examples.len());
}

/// Every journal in beancount's own tests that it reads without complaint and that has transactions: its name, the same in hledger's
/// syntax, and the balances.
const EXAMPLES_OF_BEANCOUNT: &str = "
import ast, json, pathlib
from collections import defaultdict
import beancount, beancount2ledger
from beancount import loader
from beancount.core import data, inventory
seen = set()
for path in sorted(pathlib.Path(beancount.__file__).parent.rglob('*_test.py')):
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.FunctionDef) or 'load_doc' not in str([ast.dump(d) for d in node.decorator_list]):
            continue
        text = ast.get_docstring(node) or ''
        entries, errors, _ = loader.load_string(text)
        if errors or text in seen or not any(True for _ in data.filter_txns(entries)):
            continue
        seen.add(text)
        sums = defaultdict(inventory.Inventory)
        for entry in data.filter_txns(entries):
            for posting in entry.postings:
                sums[posting.account].add_position(posting)
        print(json.dumps({
            'name': f'{path.stem}.{node.name}',
            'journal': beancount2ledger.convert(entries, 'hledger'),
            'balances': [[account, f'{position.units.number:f}', position.units.currency]
                for account, held in sums.items() for position in held.reduce(lambda p: p.units)],
        }))
";

#[derive(serde::Deserialize)]
struct Converted {
    name: String,
    journal: String,
    balances: Vec<[String; 3]>,
}

#[test]
fn the_examples_of_beancounts_tests_are_imported_with_its_balances_or_refused_with_a_reason() {
    let Some(python) = beancount2ledger() else { return };
    let text = output(Command::new(python).arg("-c").arg(EXAMPLES_OF_BEANCOUNT), None).unwrap();
    let (mut imported, mut refused, mut wrong) = (0, 0, Vec::new());
    for line in text.lines() {
        let Converted { name, journal, balances } = serde_json::from_str(line).unwrap();
        // What beancount tolerates of a difference, the converter posts; and what has more digits than its currency is no balance.
        let Ok(theirs) = tools::balances(&balances) else { continue };
        if journal.contains("Equity:Rounding") {
            continue;
        }
        match import(&journal) {
            Ok(ours) => {
                imported += 1;
                let theirs = as_codes(theirs);
                if ours != theirs {
                    wrong.push(format!("{name}: {ours:?} and not {theirs:?}:\n{journal}"));
                }
            }
            Err(rows) => {
                refused += 1;
                assert!(rows.iter().all(|row| row.line.is_some() && !row.message.is_empty()), "{name}: {rows:?}");
            }
        }
    }
    eprintln!("beancount: {imported} examples imported, {refused} refused");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(imported >= 5 && refused >= 1, "{imported} imported, {refused} refused");
}

#[test]
fn the_sample_of_ledger_is_refused_with_everything_that_is_wrong_with_it() {
    if !require("ledger", "Install it with: apt-get install ledger") {
        return;
    }
    let path = "/usr/share/doc/ledger/examples/sample.dat";
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}, of the package ledger: {error}"));
    let rows = import(&text).unwrap_err();
    let codes: std::collections::BTreeSet<&str> = rows.iter().map(|row| row.code.as_str()).collect();
    for code in ["directive-unknown", "automated-transaction", "periodic-transaction", "second-date"] {
        assert!(codes.contains(code), "{code}: {rows:?}");
    }
}
