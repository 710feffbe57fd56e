//! Random books, in the words of three programs: each gives the balances that we give.

use std::collections::{BTreeMap, BTreeSet};

use backroom_domain::ledger::text::{Chart, Format};
use backroom_domain::rights::Rights;
use backroom_office::ledger::{export, get_account, list_accounts, list_entries, trial_balance};
use backroom_office::{Work, imports};

use crate::books::{Books, all, day};
use crate::random::{Choices, Counts, chart, journal};
use crate::tools::{self, Balances};

/// Journals, as many as issue and README say.
const CASES: usize = 500;
/// Balances are compared over all days and over those before this one.
const END: &str = "2024-02-29";
const LAST: &str = "2024-02-28";

/// What our trial balance says, by the name that a format gives the account.
fn ours(work: &Work, as_of: Option<&str>, name: impl Fn(&Chart, &backroom_domain::Id) -> String) -> Balances {
    let chart = Chart::new(all(500, |page| list_accounts(work, page)));
    let trial = trial_balance(work, as_of.map(day)).unwrap();
    let mut sums = BTreeMap::<String, i128>::new();
    let mut balances = Balances::new();
    for row in &trial.rows {
        let balance = &row.balance;
        let minor = i128::from(balance.debits) - i128::from(balance.credits);
        *sums.entry(balance.currency.to_string()).or_default() += minor;
        if minor != 0 {
            balances.insert((name(&chart, &balance.account), balance.currency.to_string()), minor);
        }
    }
    // In a base currency, an exchange difference keeps the amounts apart, and not the base column.
    sums.retain(|currency, _| currency != "USD" || trial.base_totals.is_empty());
    assert!(sums.values().all(|sum| *sum == 0), "debits and credits differ: {sums:?}");
    balances
}

/// Adds the base column of our trial balance, of books that have one.
fn bases(work: &Work, balances: &mut Balances, name: impl Fn(&Chart, &backroom_domain::Id) -> String) {
    let chart = Chart::new(all(500, |page| list_accounts(work, page)));
    let trial = trial_balance(work, None).unwrap();
    assert!(trial.base_totals.iter().all(|total| total.debits == total.credits), "{:?}", trial.base_totals);
    for row in trial.rows {
        let Some(base) = row.balance.base else { continue };
        let minor = i128::from(base.debits) - i128::from(base.credits);
        if minor != 0 {
            balances.insert((name(&chart, &row.balance.account), base.currency.to_string()), minor);
        }
    }
}

/// Of balances at cost, those of the cases with a base currency: their numbers are odd.
fn of_base(balances: Balances) -> Balances {
    let odd = |name: &str| {
        let parts = name.split(':').skip(1);
        let digits = parts.filter_map(|part| {
            let part = part.trim_start_matches("X-x");
            let digits: String =
                part.trim_start_matches(char::is_alphabetic).chars().take_while(char::is_ascii_digit).collect();
            digits.parse::<usize>().ok()
        });
        digits.last().is_some_and(|case| case % 2 == 1)
    };
    balances.into_iter().filter(|((name, _), _)| odd(name)).collect()
}

fn text(work: &Work, format: Format) -> String {
    let mut out = Vec::new();
    export(work, format, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The same chart and the same entries come back.
fn comes_back(work: &Work, text: &str, case: usize) {
    let files = vec![("books.journal".to_owned(), text.as_bytes().to_vec())];
    let set = imports::read(&files);
    let other = Books::new();
    let mut back = other.work(Rights::all());
    imports::apply(&mut back, &set).unwrap_or_else(|error| match error {
        imports::ImportFailure::Rows(rows) => panic!("case {case}: {rows:?}\n{text}"),
        failure => panic!("case {case}: {failure}"),
    });
    let balances = |work: &Work| ours(work, None, |_, code| code.to_string());
    assert_eq!(balances(&back), balances(work), "case {case}");
    for entry in all(500, |page| list_entries(&back, page)) {
        let was = backroom_office::ledger::get_entry(work, &entry.new.id).unwrap();
        assert_eq!((was.new.date, was.new.lines.len()), (entry.new.date, entry.new.lines.len()), "case {case}");
        for (was, is) in was.new.lines.iter().zip(&entry.new.lines) {
            assert_eq!((&was.account, was.side, was.amount), (&is.account, is.side, is.amount), "case {case}");
            assert_eq!(was.dimensions, is.dimensions, "case {case}");
            assert_eq!(
                get_account(&back, &is.account).unwrap().new.kind,
                get_account(work, &is.account).unwrap().new.kind
            );
        }
    }
}

#[test]
fn three_programs_agree_with_random_books() {
    let mut choices = Choices::new();
    let mut texts = Format::ALL.map(|format| (format, String::new()));
    let mut plain = [Balances::new(), Balances::new()];
    let mut bean = [Balances::new(), Balances::new()];
    let (mut plain_base, mut bean_base) = (Balances::new(), Balances::new());
    let mut counts = Counts::default();
    for case in 0..CASES {
        let books = Books::new();
        // Every other one has a base currency.
        let base = case % 2 == 1;
        let accounts = chart(&books, case, base, &mut choices);
        counts.add(journal(&books, case, &accounts, base, &mut choices));
        let work = books.work(Rights::all());
        for (format, all) in &mut texts {
            all.push_str(&text(&work, *format));
        }
        bases(&work, &mut plain_base, |chart, code| chart.plain(code));
        bases(&work, &mut bean_base, |chart, code| chart.beancount(code));
        for (n, as_of) in [None, Some(LAST)].into_iter().enumerate() {
            plain[n].extend(ours(&work, as_of, |chart, code| chart.plain(code)));
            bean[n].extend(ours(&work, as_of, |chart, code| chart.beancount(code)));
        }
        if !base {
            comes_back(&work, &text(&work, Format::Hledger), case);
        }
    }
    assert!(counts.entries > CASES * 3 && counts.reversed > CASES / 4 && plain[1].len() > CASES, "{counts:?}");
    assert!(counts.closing > CASES / 2 && counts.revalued > CASES / 8, "{counts:?}");
    assert!(plain_base.len() > CASES, "{} base balances", plain_base.len());
    assert_eq!(plain[0].len(), bean[0].len(), "every account has a name of its own");

    let folder = tempfile::tempdir().unwrap();
    let path = |format: Format| folder.path().join(format!("books.{}", format.name()));
    for (format, text) in &texts {
        std::fs::write(path(*format), text).unwrap();
    }
    agree(&path(Format::Csv), &plain[0]);
    if crate::oracle::require("hledger", "Install it with: apt-get install hledger") {
        for (n, end) in [None, Some(END)].into_iter().enumerate() {
            let theirs = tools::hledger(&path(Format::Hledger), None, end, false);
            same("hledger", &amounts(theirs.unwrap_or_else(|error| panic!("hledger: {error}"))), &plain[n]);
        }
        let theirs = tools::hledger(&path(Format::Hledger), None, None, true);
        same("hledger at cost", &in_base(theirs.unwrap_or_else(|error| panic!("hledger: {error}"))), &plain_base);
    }
    if crate::oracle::require("ledger", "Install it with: apt-get install ledger") {
        for (n, end) in [None, Some(END)].into_iter().enumerate() {
            let theirs = tools::ledger(&path(Format::Ledger), None, end, false);
            same("ledger", &amounts(theirs.unwrap_or_else(|error| panic!("ledger: {error}"))), &plain[n]);
        }
        let theirs = tools::ledger(&path(Format::Ledger), None, None, true);
        same("ledger at cost", &in_base(theirs.unwrap_or_else(|error| panic!("ledger: {error}"))), &plain_base);
    }
    if let Some(python) = crate::oracle::beancount() {
        let [all, before, weight] = tools::beancount(&python, &path(Format::Beancount), END);
        same("beancount", &amounts(all), &bean[0]);
        same("beancount", &amounts(before), &bean[1]);
        same("beancount at cost", &in_base(weight), &bean_base);
    }
}

/// Balances of a program without the accounts that have what was posted to the base column alone: they are no amounts of ours.
fn amounts(balances: Balances) -> Balances {
    balances.into_iter().filter(|((name, _), _)| with_base(name).is_none()).collect()
}

/// Balances at cost, what was posted to the base column alone added to the account that it is of; those of the cases with a base currency.
fn in_base(balances: Balances) -> Balances {
    let mut folded = Balances::new();
    for ((name, currency), minor) in balances {
        let account = with_base(&name).map_or_else(|| name.clone(), str::to_owned);
        *folded.entry((account, currency)).or_default() += minor;
    }
    folded.retain(|_, minor| *minor != 0);
    of_base(folded)
}

/// The account that this one has the base column of.
fn with_base(name: &str) -> Option<&str> {
    name.strip_suffix(":base").or_else(|| name.strip_suffix(":Base"))
}

/// Equal, and if not, the first few differences.
fn same(program: &str, theirs: &Balances, ours: &Balances) {
    let differs = |name: &&(String, String)| theirs.get(*name) != ours.get(*name);
    let names: BTreeSet<_> = theirs.keys().chain(ours.keys()).filter(differs).collect();
    let shown: Vec<_> = names.iter().take(5).map(|name| (name, theirs.get(*name), ours.get(*name))).collect();
    assert!(names.is_empty(), "{program}: {} differ (theirs, ours): {shown:?}", names.len());
}

/// The rows of the CSV add up to the same, account by account.
fn agree(csv: &std::path::Path, ours: &Balances) {
    let mut reader = csv::ReaderBuilder::new().flexible(false).from_path(csv).unwrap();
    let headers = reader.headers().unwrap().clone();
    let column = |name: &str| headers.iter().position(|header| header == name).unwrap();
    let (debit, credit) = (column("debit"), column("credit"));
    let mut total = BTreeMap::<String, i128>::new();
    for row in reader.records() {
        let row = row.unwrap();
        // The texts of all cases stand behind one another, each with its header row.
        if &row[debit] == "debit" {
            continue;
        }
        let digits = |cell: usize| row[cell].replace('.', "").parse::<i128>().unwrap_or(0);
        *total.entry(row[column("account")].to_owned()).or_default() += digits(debit) - digits(credit);
    }
    total.retain(|_, minor| *minor != 0);
    let mut wanted: Vec<i128> = ours.values().copied().collect();
    let mut found: Vec<i128> = total.into_values().collect();
    wanted.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, wanted, "csv");
}
