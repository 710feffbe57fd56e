//! Commands from outside: exit codes, JSON, tables, without any Wasm.

use std::collections::BTreeSet;
use std::fs::File;
use std::time::{Duration, Instant};

use crate::support::{Ended, command, example, on, run};

#[test]
fn wrong_arguments_are_usage() {
    let rows: [&[&str]; 13] = [
        &[],
        &["no-such-command"],
        &["run", "--tenant", "t"],
        &["install", "--tenant", "t", "--file", "x.toml"],
        &["ledger", "entries", "--tenant", "t", "--limit", "501"],
        &["serve"],
        &["tenant", "list", "--server", "not an address"],
        &["run", "--tenant", "t", "name", "--input", "{not json"],
        &["run", "--tenant", "t", "name", "--date", "2026-06-31"],
        &["log", "status", "--data", "here", "--database-url", "postgresql://localhost/there"],
        &["import", "--tenant", "t", "/no/such/file.csv"],
        &["hr", "erase", "W-1", "--tenant", "t", "--reason", "", "--yes"],
        &["hr", "erase", "W-1", "--tenant", "t", "--reason", "left", "--not-before", "2026-02-30", "--yes"],
    ];
    for args in rows {
        let ended = run(args);
        assert_eq!(ended.code, Some(2), "{args:?} {ended:?}");
        assert!(!ended.stderr.is_empty(), "{args:?} says nothing");
    }
}

#[test]
fn a_server_that_is_not_there_is_unavailable_and_the_message_says_what_to_do() {
    // Port 9 of this machine: nobody listens there.
    let ended = run(&["tenant", "list", "--server", "http://127.0.0.1:9"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains("http://127.0.0.1:9") && ended.stderr.contains("backroom serve"), "{ended:?}");
    let ended = run(&["tenant", "list", "--server", "http://127.0.0.1:9", "--json"]);
    assert_eq!((ended.code, ended.json()["class"].as_str()), (Some(3), Some("unavailable")));
    // What is typed goes before the environment.
    for (args, names_server) in [(&["--server", "http://127.0.0.1:9"][..], true), (&[], false)] {
        let mut there = command();
        there.env("BACKROOM_DATABASE_URL", "postgresql://127.0.0.1:9/books?sslmode=disable");
        let ended = Ended::from(there.args(["tenant", "list"]).args(args).output().unwrap());
        assert_eq!((ended.code, ended.stderr.contains("http://127.0.0.1:9")), (Some(3), names_server), "{ended:?}");
    }
}

#[test]
fn every_command_has_help_with_examples() {
    let top = run(&["--help"]);
    assert_eq!(top.code, Some(0));
    assert!(top.stdout.contains("Exit codes:"), "{}", top.stdout);
    for command in ["demo", "serve", "import", "install", "run", "replay"] {
        let help = run(&[command, "--help"]);
        assert_eq!(help.code, Some(0));
        assert!(help.stdout.contains(&format!("backroom {command}")), "{command}: {}", help.stdout);
    }
}

#[test]
fn a_client_company_from_its_files_to_its_balances() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let example = example();
    let files = example.to_str().unwrap();
    let rows: [(&[&str], &str); 12] = [
        (&["tenant", "create", "client", "--name", "A client"], "client"),
        (&["tenant", "list"], "A client"),
        (&["import", "--tenant", "client", files], "accounts"),
        (&["ledger", "accounts", "--tenant", "client"], "stock control"),
        (&["ledger", "trial-balance", "--tenant", "client"], "difference 0.00"),
        (&["ledger", "entries", "--tenant", "client"], "no. 1"),
        (&["hr", "workers", "--tenant", "client"], "W-1001"),
        (&["hr", "employments", "--tenant", "client", "--place", "remote", "--position", "CPA"], "CC-"),
        (&["inventory", "items", "--tenant", "client"], "LAPTOP-14"),
        (&["inventory", "stock-control", "--tenant", "client"], "0.00"),
        (&["runs", "list", "--tenant", "client"], "(nothing)"),
        (&["log", "verify"], "ok:"),
    ];
    for (args, shown) in rows {
        let human = on(&data, args);
        assert_eq!(human.code, Some(0), "{args:?} {human:?}");
        assert!(human.stdout.contains(shown), "{args:?} does not show {shown:?}: {}", human.stdout);
        let mut args = args.to_vec();
        args.push("--json");
        let json = on(&data, &args);
        assert_eq!(json.code, Some(0), "{args:?} {json:?}");
        assert!(json.json().is_object(), "{args:?}");
    }
    let missing = on(&data, &["ledger", "trial-balance", "--tenant", "nobody"]);
    assert_eq!(missing.code, Some(1), "{missing:?}");
    assert!(missing.stderr.contains("not-found"), "{missing:?}");
    let missing = on(&data, &["ledger", "trial-balance", "--tenant", "nobody", "--json"]);
    assert_eq!((missing.code, missing.json()["code"].as_str()), (Some(1), Some("not-found")));
}

#[test]
fn every_bad_row_is_shown_and_nothing_is_imported() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let accounts = dir.path().join("accounts.csv");
    std::fs::write(
        &accounts,
        "code,name,type,parent,currency,posting,stock-control\n1000,Cash,asset,,USD,yes,no\n1000,Cash again,asset,,USD,yes,no\n\
         2000,Loan,gift,,USD,yes,no\n",
    )
    .unwrap();
    assert_eq!(on(&data, &["tenant", "create", "t", "--name", "T"]).code, Some(0));
    let ended = on(&data, &["import", "--tenant", "t", accounts.to_str().unwrap()]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for shown in ["accounts.csv", "Line", "Column", "type", "nothing was imported"] {
        assert!(ended.stderr.contains(shown), "{shown:?} is not in {}", ended.stderr);
    }
    let line = |number: &str| ended.stderr.lines().any(|line| line.contains("accounts.csv") && line.contains(number));
    assert!(line(" 3 ") && line(" 4 "), "{}", ended.stderr);
    let json = on(&data, &["import", "--tenant", "t", accounts.to_str().unwrap(), "--json"]);
    assert_eq!(json.code, Some(1));
    let errors = json.json()["errors"].as_array().unwrap().clone();
    assert!(errors.len() >= 2 && errors.iter().all(|error| error["file"] == "accounts.csv"), "{errors:?}");
    let accounts = on(&data, &["ledger", "accounts", "--tenant", "t", "--json"]);
    assert_eq!(accounts.json()["items"].as_array().unwrap().len(), 0);
}

/// What cannot be undone asks, or wants to be told that it need not; the rest is the service's to refuse.
#[test]
fn erasing_somebody_is_confirmed_and_shown() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let write = |name: &str, text: &str| {
        std::fs::write(dir.path().join(name), text).unwrap();
        dir.path().join(name).to_str().unwrap().to_owned()
    };
    let workers =
        write("workers.csv", "id,name,email,bank-account\nW1,Ada Lovell,ada@example.com,TEST-1\nW2,Bo Lind,,\n");
    let employments = write(
        "employments.csv",
        "worker,first-day,last-day,position,place,cost-center,salary,currency\nW1,2024-01-01,2024-12-31,CPA,remote,CC-1,7000.00,USD\n\
         W2,2024-01-01,,CPA,remote,CC-1,7000.00,USD\n",
    );
    assert_eq!(on(&data, &["tenant", "create", "t", "--name", "T"]).code, Some(0));
    assert_eq!(on(&data, &["import", "--tenant", "t", &workers, &employments]).code, Some(0));
    let erase = |worker: &str, yes: &[&str]| {
        let args = ["hr", "erase", worker, "--tenant", "t", "--reason", "asked for"];
        on(&data, &[&args, yes].concat())
    };
    let asked = erase("W1", &[]);
    assert_eq!(asked.code, Some(2), "{asked:?}");
    assert!(asked.stderr.contains("--yes"), "{asked:?}");
    let employed = erase("W2", &["--yes"]);
    assert_eq!(employed.code, Some(1), "{employed:?}");
    assert!(employed.stderr.contains("retention-duty"), "{employed:?}");
    assert!(on(&data, &["hr", "workers", "--tenant", "t"]).stdout.contains("Ada Lovell"));
    for word in ["are erased", "had been erased"] {
        let erased = erase("W1", &["--yes"]);
        assert_eq!(erased.code, Some(0), "{erased:?}");
        assert!(erased.stdout.contains("W1") && erased.stdout.contains(word), "{erased:?}");
    }
    let shown = on(&data, &["hr", "workers", "--tenant", "t"]).stdout;
    assert!(!shown.contains("Ada Lovell") && shown.contains("Bo Lind"), "{shown}");
    let row = shown.lines().find(|line| line.contains("W1")).unwrap().to_owned();
    assert_eq!(row.matches("(erased)").count(), 3, "{row}");
    let shown = on(&data, &["hr", "employments", "--tenant", "t"]).stdout;
    assert!(shown.lines().any(|line| line.contains("W1") && line.contains("(erased)")), "{shown}");
    assert_eq!(on(&data, &["log", "verify"]).code, Some(0));
}

/// The bad files of the example, whose problems are written down beside them.
#[test]
fn the_bad_files_of_the_example_are_refused_with_every_problem() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let bad = example().join("bad");
    assert_eq!(on(&data, &["tenant", "create", "t", "--name", "T"]).code, Some(0));
    let ended = on(&data, &["import", "--tenant", "t", bad.to_str().unwrap(), "--json"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let shown = |error: &serde_json::Value| {
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        let line = error["line"].as_u64().map(|line| format!(":{line}")).unwrap_or_default();
        let column = error["field"].as_str().map(|column| format!(" {column}:")).unwrap_or_default();
        format!("{}{line}:{column} {} ({})", text("file"), text("message"), text("code"))
    };
    let found: BTreeSet<String> = ended.json()["errors"].as_array().unwrap().iter().map(shown).collect();
    let told = std::fs::read_to_string(bad.join("problems.txt")).unwrap();
    let told: BTreeSet<String> = told.lines().map(str::to_owned).filter(|line| !line.is_empty()).collect();
    assert_eq!(found, told);
    let human = on(&data, &["import", "--tenant", "t", bad.to_str().unwrap()]);
    assert!(
        human.stderr.contains(&format!("{} problems in the files; nothing was imported", told.len())),
        "{}",
        human.stderr
    );
}

#[test]
fn a_file_of_a_gibibyte_is_refused_by_its_size() {
    let dir = tempfile::tempdir().unwrap();
    let huge = dir.path().join("workers.csv");
    // Sparse: it takes no space, and reading it would take seconds.
    File::create(&huge).unwrap().set_len(1 << 30).unwrap();
    let began = Instant::now();
    let ended = run(&["import", "--tenant", "t", huge.to_str().unwrap()]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("workers.csv") && ended.stderr.contains("1,024 MiB"), "{ended:?}");
    assert!(began.elapsed() < Duration::from_secs(5), "it was read: {:?}", began.elapsed());
}

#[test]
fn a_new_plugin_stands_on_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let plugin = dir.path().join("pay-run");
    let ended = run(&["plugin", "new", "pay-run", "--dir", plugin.to_str().unwrap(), "--json"]);
    assert_eq!((ended.code, ended.json()["name"].as_str()), (Some(0), Some("pay-run")));
    assert!(plugin.join("plugin.toml").is_file());
    assert_eq!(run(&["plugin", "new", "Pay Run", "--dir", plugin.to_str().unwrap()]).code, Some(2));
    assert_eq!(run(&["plugin", "build", dir.path().to_str().unwrap()]).code, Some(2));
    for (language, file) in
        [("python", "app.py"), ("typescript", "app.ts"), ("javascript", "app.js"), ("go", "go.mod"), ("c", "plugin.c")]
    {
        let plugin = dir.path().join(language);
        let ended = run(&["plugin", "new", "pay-run", "--lang", language, "--dir", plugin.to_str().unwrap(), "--json"]);
        assert_eq!((ended.code, ended.json()["language"].as_str()), (Some(0), Some(language)));
        assert!(plugin.join(file).is_file(), "{file}");
    }
    let ended =
        run(&["plugin", "new", "pay-run", "--lang", "cobol", "--dir", dir.path().join("cobol").to_str().unwrap()]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("none of rust, python"), "{ended:?}");
}
