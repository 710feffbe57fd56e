//! The programs, asked for balances.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Signed minor units (debits less credits) by account and currency; those of nothing are left out.
pub(crate) type Balances = BTreeMap<(String, String), i128>;

/// What a program printed, or what it complained about.
pub(crate) fn output(command: &mut Command, input: Option<&str>) -> Result<String, String> {
    let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
    let mut child = command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut pipe = child.stdin.take();
    let text = input.unwrap_or_default().to_owned();
    let feed = std::thread::spawn(move || pipe.as_mut().map(|pipe| pipe.write_all(text.as_bytes())));
    let output = child.wait_with_output().expect("it ends");
    drop(feed.join());
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout).expect("UTF-8")),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// Balances of hledger, of entries before `end`; at what was paid, if `cost`.
pub(crate) fn hledger(file: &Path, input: Option<&str>, end: Option<&str>, cost: bool) -> Result<Balances, String> {
    let mut command = Command::new("hledger");
    command.args(["balance", "--flat", "--no-total", "-O", "csv", "--layout", "bare", "-f"]).arg(file);
    command.args(end.map(|end| format!("--end={end}"))).args(cost.then_some("--cost"));
    let text = output(&mut command, input)?;
    let mut balances = Balances::new();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    for row in reader.records() {
        let row = row.unwrap();
        add(&mut balances, &row[0], &row[1], &row[2])?;
    }
    Ok(balances)
}

/// Balances of ledger, of entries before `end`; at what was paid, if `cost`.
pub(crate) fn ledger(file: &Path, input: Option<&str>, end: Option<&str>, cost: bool) -> Result<Balances, String> {
    // One line for each account, or for each posting: the amount of an account of its own has no cost, and its total has what is below it.
    let format = "%(account)\\t%(quantity(scrub(display_amount)))\\t%(commodity(scrub(display_amount)))\\n";
    let mut command = Command::new("ledger");
    match cost {
        false => command.args(["--args-only", "balance", "--flat", "--no-total"]),
        true => command.args(["--args-only", "register", "--basis"]),
    };
    command.args(["--format", format, "-f"]).arg(file).args(end.map(|end| format!("--end={end}")));
    let text = output(&mut command, input)?;
    let mut balances = Balances::new();
    for line in text.lines() {
        let mut cells = line.split('\t');
        let mut cell = || cells.next().unwrap_or_else(|| panic!("{line:?}"));
        let (account, amount, commodity) = (cell(), cell(), cell());
        add(&mut balances, account, commodity.trim_matches('"'), amount)?;
    }
    Ok(balances)
}

/// Adds every posting up with beancount's own parser, booking and inventories; any error of its checks fails. Up to the day that is
/// given, and over all days.
const BEANCOUNT: &str = "
import sys, datetime
from collections import defaultdict
from beancount import loader
from beancount.core import convert, data, inventory
entries, errors, _ = loader.load_file(sys.argv[1])
assert not errors, errors[:5]
end = datetime.date.fromisoformat(sys.argv[2])
for label, wanted in (('all', lambda day: True), ('end', lambda day: day < end)):
    sums = defaultdict(inventory.Inventory)
    for entry in data.filter_txns(entries):
        if wanted(entry.date):
            for posting in entry.postings:
                sums[posting.account].add_position(posting)
    for account, held in sums.items():
        for position in held.reduce(lambda p: p.units):
            print(label, account, position.units.number, position.units.currency, sep='\\t')
weights = defaultdict(int)
for entry in data.filter_txns(entries):
    for posting in entry.postings:
        weight = convert.get_weight(posting)
        weights[posting.account, weight.currency] += weight.number
for (account, currency), number in weights.items():
    # A cost that is a quotient is off by the last of 28 digits.
    print('cost', account, round(number, 6), currency, sep='\\t')
";

/// Balances of beancount over all days, of entries before `end`, and over all days at what was paid.
pub(crate) fn beancount(python: &Path, file: &Path, end: &str) -> [Balances; 3] {
    let mut command = Command::new(python);
    command.arg("-c").arg(BEANCOUNT).arg(file).arg(end);
    let text = output(&mut command, None).unwrap_or_else(|error| panic!("beancount: {error}"));
    let [mut all, mut before, mut cost] = [Balances::new(), Balances::new(), Balances::new()];
    for line in text.lines() {
        let cells: Vec<&str> = line.split('\t').collect();
        let balances = match cells[0] {
            "all" => &mut all,
            "end" => &mut before,
            _ => &mut cost,
        };
        add(balances, cells[1], cells[3], cells[2]).unwrap_or_else(|error| panic!("{error}"));
    }
    [all, before, cost]
}

/// Out of rows of account, amount and commodity.
pub(crate) fn balances(rows: &[[String; 3]]) -> Result<Balances, String> {
    let mut balances = Balances::new();
    for [account, amount, commodity] in rows {
        add(&mut balances, account, commodity, amount)?;
    }
    Ok(balances)
}

/// Says so if the program has more digits than the currency.
fn add(balances: &mut Balances, account: &str, commodity: &str, amount: &str) -> Result<(), String> {
    let code = match commodity {
        "$" => "USD",
        "€" => "EUR",
        "£" => "GBP",
        code => code,
    };
    let exponent = match code {
        "JPY" => 0,
        "KWD" => 3,
        _ => 2,
    };
    let minor = minor(amount, exponent).ok_or_else(|| format!("{account}: {amount:?} {commodity}"))?;
    if minor != 0 {
        *balances.entry((account.to_owned(), code.to_owned())).or_default() += minor;
    }
    Ok(())
}

/// `1234.50` in minor units; `None` if it is no number, or has more digits than the currency.
fn minor(text: &str, exponent: usize) -> Option<i128> {
    let plain = text.replace(',', "");
    let (whole, decimals) = plain.split_once('.').unwrap_or((&plain, ""));
    let (decimals, more) = decimals.split_at(decimals.len().min(exponent));
    if more.bytes().any(|b| b != b'0') {
        return None;
    }
    format!("{whole}{decimals:0<exponent$}").parse().ok()
}
