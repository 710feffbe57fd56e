//! The main job on the client's files, and known accounting programs that must agree with our balances.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a panic is a failed test, and shows what was seen"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use backroom_tests::{Server, backroom, beancount, require, root};
use serde_json::{Value, json};

/// Signed minor units by account: debits minus credits.
type Balances = BTreeMap<String, i128>;

fn demo(data: &Path) -> Value {
    let output = backroom(&["demo", "--json", "--dir", data.to_str().expect("UTF-8")]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

fn number(value: &Value) -> i128 {
    value.as_u64().unwrap_or_else(|| panic!("no number: {value}")).into()
}

fn ours(server: &Server, tenant: &str) -> Balances {
    let report = server.get(&format!("/v1/tenants/{tenant}/ledger/trial-balance"));
    let rows = report["rows"].as_array().expect("rows").iter();
    rows.map(|r| (r["account"].as_str().expect("an account").to_owned(), number(&r["debits"]) - number(&r["credits"])))
        .filter(|(_, b)| *b != 0)
        .collect()
}

fn amount(minor: i128) -> String {
    format!("{}{}.{:02}", if minor < 0 { "-" } else { "" }, minor.abs() / 100, minor.abs() % 100)
}

fn postings(entry: &Value) -> Vec<(String, i128)> {
    let lines = entry["lines"].as_array().expect("lines").iter();
    lines
        .map(|line| {
            assert_eq!(line["amount"]["currency"], "USD");
            let minor = number(&line["amount"]["minor"]);
            let account = line["account"].as_str().expect("an account").to_owned();
            (account, if line["side"] == "debit" { minor } else { -minor })
        })
        .collect()
}

/// The journal as hledger and ledger read it.
fn plain_text(entries: &[Value]) -> String {
    let mut text = String::new();
    for entry in entries {
        let _ok =
            writeln!(text, "{} {}", entry["date"].as_str().expect("a date"), entry["id"].as_str().expect("an id"));
        for (account, minor) in postings(entry) {
            let _ok = writeln!(text, "    A:{account}    {} USD", amount(minor));
        }
        text.push('\n');
    }
    text
}

/// Lines of `account<blanks>amount` in either order, as the programs print them.
fn read_balances(text: &str) -> Balances {
    let mut found = Balances::new();
    for line in text.lines().filter(|l| l.contains("A:")) {
        let account =
            line.split("A:").nth(1).expect("an account").split([',', '"', ' ']).next().expect("a code").to_owned();
        let digits = line.split([',', '"', ' ']).find(|w| w.contains('.') && !w.contains(':')).unwrap_or("0.00");
        let minor: i128 = digits.replace('.', "").parse().expect("an amount");
        if minor != 0 {
            found.insert(account, minor);
        }
    }
    found
}

fn output(command: &mut Command) -> String {
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn hledger_ledger_and_beancount_agree_with_the_books_of_the_main_job() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let summary = demo(&data);
    let tenant = summary["tenant"].as_str().expect("the tenant");
    let server = Server::start(&data);
    let entries = server.all(&format!("/v1/tenants/{tenant}/ledger/entries"));
    assert!(entries.len() > 2, "{entries:?}");
    let ours = ours(&server, tenant);
    assert_eq!(ours.values().sum::<i128>(), 0, "debits and credits differ");

    let journal = folder.path().join("books.journal");
    std::fs::write(&journal, plain_text(&entries)).expect("written");
    if require("hledger", "Install it with: apt-get install hledger") {
        let text =
            output(Command::new("hledger").args(["balance", "--flat", "--no-total", "-O", "csv", "-f"]).arg(&journal));
        assert_eq!(read_balances(&text), ours, "hledger");
    }
    if require("ledger", "Install it with: apt-get install ledger") {
        let format = "%(account) %(scrub(total))\\n";
        let text = output(
            Command::new("ledger").args(["balance", "--flat", "--no-total", "--format", format, "-f"]).arg(&journal),
        );
        assert_eq!(read_balances(&text), ours, "ledger");
    }
    if let Some(python) = beancount() {
        let books = folder.path().join("books.beancount");
        std::fs::write(&books, beancount_text(&entries)).expect("written");
        let text = output(Command::new(python).arg("-c").arg(BEANCOUNT).arg(&books));
        assert_eq!(read_balances(&text), ours, "beancount");
    }
    server.verify();
}

/// What each worker is due for June 2026, counted day by day from the client's own file: cents by worker.
fn allowances_of_june() -> BTreeMap<String, i128> {
    let text = std::fs::read_to_string(root().join("examples/remote-allowance/employments.csv")).expect("the file");
    let mut rows = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = rows.next().expect("a header");
    let column = |name: &str| header.iter().position(|c| *c == name).unwrap_or_else(|| panic!("no column {name}"));
    let (worker, first, last) = (column("worker"), column("first-day"), column("last-day"));
    let (position, place) = (column("position"), column("place"));
    let mut days: BTreeMap<String, i128> = BTreeMap::new();
    for row in rows.filter(|row| row[position] == "CPA" && row[place] == "remote") {
        for day in 1..=30 {
            // Dates of this form are in the order of their text.
            let date = format!("2026-06-{day:02}");
            if row[first] <= date.as_str() && (row[last].is_empty() || date.as_str() <= row[last]) {
                *days.entry(row[worker].to_owned()).or_default() += 1;
            }
        }
    }
    // 500.00 for 30 days, to the nearest cent; no tie is possible with thirtieths.
    days.into_iter().map(|(worker, days)| (worker, (50_000 * days * 2 + 30) / 60)).collect()
}

#[test]
fn the_allowances_are_those_that_counting_days_gives() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let summary = demo(&data);
    let tenant = summary["tenant"].as_str().expect("the tenant");
    let server = Server::start(&data);
    let plan = "plan=REMOTE-CPA-HOUSING&first-day=2026-06-01&last-day=2026-06-30";
    let lines = server.all(&format!("/v1/tenants/{tenant}/hr/benefits?{plan}"));
    let mut paid: BTreeMap<String, i128> = BTreeMap::new();
    for line in &lines {
        let worker = line["worker"].as_str().expect("a worker").to_owned();
        *paid.entry(worker).or_default() += number(&line["amount"]["minor"]);
    }
    let due = allowances_of_june();
    assert!(due.len() >= 15 && due.values().any(|cents| *cents == 25_000), "{due:?}");
    assert_eq!(paid, due);
    // They are in the books under the allowance account, by the run's entries alone.
    let entries = server.all(&format!("/v1/tenants/{tenant}/ledger/entries"));
    let posted = entries.iter().filter(|entry| entry["run"].is_string()).flat_map(postings);
    let allowances: i128 = posted.filter(|(account, _)| account == "6140").map(|(_, minor)| minor).sum();
    assert_eq!(allowances, due.values().sum::<i128>());
}

/// The guest `poster` installed in a tenant with ten accounts.
fn poster(server: &Server, tenant: &str) {
    server.call("POST", "/v1/tenants", Some(&json!({ "id": tenant, "name": "A company" }))).ok();
    for account in 10_000..10_010 {
        let account = json!({
            "code": account.to_string(), "name": "An account", "type": "asset", "currency": "USD", "posting": true,
            "stock-control": false
        });
        server.call("POST", &format!("/v1/tenants/{tenant}/ledger/accounts"), Some(&account)).ok();
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("installation.toml");
    std::fs::write(&file, "name = \"poster\"\n[[grants]]\n[grants.ledger]\npost = [\"*\"]\n").expect("written");
    let plugin = root().join("tests/guests/poster");
    let (plugin, file) = (plugin.to_str().expect("UTF-8"), file.to_str().expect("UTF-8"));
    server.cli(&["install", "--tenant", tenant, "--plugin", plugin, "--file", file]);
}

#[test]
fn one_run_posts_thousands_of_entries_in_batches_and_no_more_than_a_run_may() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("data"));
    poster(&server, "north");
    let run = |first: u64, count: u64| {
        let input = json!({ "first": first, "count": count, "batch": 1_000, "accounts": 10, "per_day": 500 });
        let body = json!({ "mode": "commit", "input": input });
        server.call("POST", "/v1/tenants/north/installations/poster/runs", Some(&body))
    };
    let report = run(0, 3_000).ok();
    assert_eq!(report["output"], json!({ "posted": 3_000, "last": 3_000 }), "{report:#}");
    // More effects than a run may have: nothing of it is left.
    assert_eq!(run(3_000, 10_001).code(), "run-effects");
    // Some of it was posted before: the guest gives up, and nothing of it is left.
    assert_eq!(run(2_500, 1_000).code(), "posted-before");
    let entries = server.all("/v1/tenants/north/ledger/entries");
    let numbers: Vec<i128> = entries.iter().map(|entry| number(&entry["number"])).collect();
    assert_eq!(numbers, (1..=3_000).collect::<Vec<i128>>());
    let mut sums = Balances::new();
    for (account, minor) in entries.iter().flat_map(postings) {
        *sums.entry(account).or_default() += minor;
    }
    sums.retain(|_, sum| *sum != 0);
    assert_eq!(ours(&server, "north"), sums);
    // As of a day within: the entries up to it, 500 a day.
    let as_of = server.get("/v1/tenants/north/ledger/trial-balance?as-of=2020-01-03");
    let debits: i128 = as_of["rows"].as_array().expect("rows").iter().map(|row| number(&row["debits"])).sum();
    let first: i128 = entries.iter().take(1_500).flat_map(postings).filter(|(_, m)| *m > 0).map(|(_, m)| m).sum();
    assert_eq!(debits, first);
    server.verify();
}

/// Adds every posting up with beancount's own parser, booking and inventories; any error of its checks fails.
const BEANCOUNT: &str = "
import sys
from collections import defaultdict
from beancount import loader
from beancount.core import data, inventory
entries, errors, _ = loader.load_file(sys.argv[1])
assert not errors, errors
sums = defaultdict(inventory.Inventory)
for entry in data.filter_txns(entries):
    for posting in entry.postings:
        sums[posting.account].add_position(posting)
for account, held in sorted(sums.items()):
    print(account.replace('Assets:A', 'A:'), held.get_currency_units('USD').number)
";

fn beancount_text(entries: &[Value]) -> String {
    let mut accounts: Vec<String> = entries.iter().flat_map(postings).map(|(account, _)| account).collect();
    accounts.sort();
    accounts.dedup();
    let mut text = String::new();
    for account in accounts {
        let _ok = writeln!(text, "1900-01-01 open Assets:A{account}");
    }
    for entry in entries {
        let (date, id) = (entry["date"].as_str().expect("a date"), entry["id"].as_str().expect("an id"));
        let _ok = writeln!(text, "{date} * \"{id}\"");
        for (account, minor) in postings(entry) {
            let _ok = writeln!(text, "  Assets:A{account}  {} USD", amount(minor));
        }
    }
    text
}
