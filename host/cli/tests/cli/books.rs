//! A journal of hledger comes in, is reported on, and goes out as text.

use crate::support::{on, run};

const JOURNAL: &str = "\
decimal-mark .
2026-01-02 Opening
  assets:bank     $1,000.00
  equity:opening

2026-01-31 (R-1) Rent; for January
  expenses:rent     $300.00  ; dim-place: P1, paid by hand
  assets:bank      $-300.00 = $700.00
";

#[test]
fn a_journal_is_imported_reported_on_and_exported() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("2026.journal"), JOURNAL).unwrap();
    assert_eq!(on(&data, &["tenant", "create", "t", "--name", "T"]).code, Some(0));
    let imported = on(&data, &["import", "--tenant", "t", &path("2026.journal")]);
    assert_eq!(imported.code, Some(0), "{imported:?}");
    let again = on(&data, &["import", "--tenant", "t", &path("2026.journal"), "--json"]);
    assert_eq!(again.json()["files"][0]["created"], 0, "{again:?}");
    let span = ["--tenant", "t", "--from", "2026-01-01", "--to", "2026-01-31"];
    let rows: [(&[&str], &str); 10] = [
        (&["ledger", "report", "trial-balance"], "1,000.00 credit"),
        (&["ledger", "report", "balance-sheet", "--compare", "..2026-01-15"], "700.00"),
        (&["ledger", "report", "income-statement"], "300.00 loss"),
        (&["ledger", "report", "cash-flow", "--cash", "assets:bank"], "0.00 at the beginning, 700.00 at the end"),
        (&["ledger", "report", "general-ledger"], "paid by hand"),
        (&["ledger", "report", "by-dimension", "place"], "P1"),
        (&["ledger", "statement", "assets:bank"], "Opening"),
        (&["ledger", "explain", "assets:bank", "--largest", "1"], "2026-01-02 Opening"),
        (&["ledger", "assert-balance", "assets:bank", "--date", "2026-01-31", "--balance", "700.00 USD"], "700.00"),
        (&["ledger", "allocate", "100.00 USD", "1/3", "1/3", "remainder"], "33.34 USD"),
    ];
    for (args, shown) in rows {
        let mut args = args.to_vec();
        args.extend(if ["assert-balance", "allocate"].contains(&args[1]) { &span[..2] } else { &span });
        let ended = on(&data, &args);
        assert_eq!(ended.code, Some(0), "{args:?} {ended:?}");
        assert!(ended.stdout.contains(shown), "{args:?} does not show {shown:?}: {}", ended.stdout);
    }
    let wrong =
        ["ledger", "assert-balance", "assets:bank", "--date", "2026-01-31", "--balance", "7 USD", "--tenant", "t"];
    assert_eq!(on(&data, &wrong).code, Some(1));
    // Credit, in both ways of saying it.
    let equity = ["ledger", "assert-balance", "equity:opening", "--date", "2026-01-31", "--tenant", "t"];
    for (stated, code) in [
        (&["--balance", "-1000.00 USD"][..], Some(0)),
        (&["--balance=-1000.00 USD"], Some(0)),
        (&["--balance", "1000.00 USD", "--side", "credit"], Some(0)),
        (&["--balance", "-1000.00 USD", "--side", "credit"], Some(1)),
        (&["--balance", "1000.00 USD"], Some(1)),
        (&["--balance", "--1000.00 USD"], Some(2)),
    ] {
        let ended = on(&data, &[&equity[..], stated].concat());
        assert_eq!(ended.code, code, "{stated:?} {ended:?}");
    }
    let statement = ["ledger", "report", "income-statement", "--json"];
    let told = on(&data, &[&statement[..], &span].concat()).json();
    let earnings =
        told["totals"].as_array().unwrap().iter().find(|total| total["total"] == "earnings").unwrap().clone();
    assert_eq!(earnings["earned"], serde_json::json!([{ "outcome": "loss", "minor": 30_000 }]), "{told:#}");

    let shown = [
        ("hledger", "2026-01-31 * (2) Rent\n"),
        ("ledger", "    expenses:rent  300.00 USD\n"),
        ("beancount", "2026-01-31 * \"Rent\"\n"),
        ("csv", ",expenses:rent,rent,expenses,300.00,,USD,place=P1,paid by hand,"),
    ];
    for (format, part) in shown {
        let to = path(&format!("books.{format}"));
        let ended = on(&data, &["ledger", "export", "--tenant", "t", "--format", format, "--to", &to]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let text = std::fs::read_to_string(&to).unwrap();
        assert!(text.contains(part), "{format}: {text}");
        let twice = on(&data, &["ledger", "export", "--tenant", "t", "--format", format, "--to", &to]);
        assert_eq!(twice.code, Some(2), "a file that is there is not written over: {twice:?}");
    }
}

#[test]
fn a_journal_with_faults_is_refused_with_line_and_reason() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let file = dir.path().join("bad.journal");
    std::fs::write(&file, "2026-01-02 x\n  (assets:a)  1 USD\n~ monthly\n").unwrap();
    assert_eq!(on(&data, &["tenant", "create", "t", "--name", "T"]).code, Some(0));
    let ended = on(&data, &["import", "--tenant", "t", file.to_str().unwrap(), "--json"]);
    assert_eq!(ended.code, Some(1));
    let errors = ended.json()["errors"].as_array().unwrap().clone();
    let codes: Vec<_> =
        errors.iter().map(|error| (error["line"].as_u64(), error["code"].as_str().unwrap().to_owned())).collect();
    assert_eq!(codes, [(Some(2), "virtual-posting".to_owned()), (Some(3), "periodic-transaction".to_owned())]);
}

#[test]
fn the_help_of_each_has_an_example() {
    let commands: [&[&str]; 8] = [
        &["ledger", "export"],
        &["ledger", "statement"],
        &["ledger", "explain"],
        &["ledger", "allocate"],
        &["ledger", "assert-balance"],
        &["ledger", "report", "trial-balance"],
        &["ledger", "report", "cash-flow"],
        &["ledger", "report", "by-dimension"],
    ];
    for command in commands {
        let help = run(&[command, &["--help"]].concat());
        assert_eq!(help.code, Some(0));
        assert!(help.stdout.contains(&format!("backroom {}", command.join(" "))), "{command:?}: {}", help.stdout);
    }
}
