//! Plugins as their authors meet them: made, tested, broken.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Ended, on, run};

/// A new plugin in a folder of its own.
pub(crate) struct Project {
    pub(crate) dir: tempfile::TempDir,
}

impl Project {
    pub(crate) fn new(language: &str) -> Self {
        let project = Self { dir: tempfile::tempdir().unwrap() };
        let ended = run(&["plugin", "new", "hello-books", "--lang", language, "--dir", &project.folder()]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        project
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join("hello-books").join(file)
    }

    pub(crate) fn folder(&self) -> String {
        self.path("").display().to_string()
    }

    fn test(&self, more: &[&str]) -> Ended {
        let folder = self.folder();
        run(&[&["plugin", "test", &folder], more].concat())
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::create_dir_all(self.path(file).parent().unwrap()).unwrap();
        std::fs::write(self.path(file), text).unwrap();
    }

    fn edit(&self, file: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path(file)).unwrap();
        assert!(text.contains(from), "{from:?} is not in {file}");
        self.write(file, &text.replace(from, to));
    }
}

fn passed(ended: &Ended) -> Value {
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let told = ended.json();
    assert_eq!(told["passed"], true, "{told:#}");
    told
}

/// Three commands: a new plugin, its scenarios, and its scenarios with whatever can go wrong.
fn a_new_plugin_passes_its_tests(language: &str) {
    let project = Project::new(language);
    let told = passed(&project.test(&["--json"]));
    let steps = told["scenarios"][0]["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 4, "{told:#}");
    assert_eq!(steps[0]["run"]["output"]["amount"], "1234.50 USD");
    assert_eq!(steps[0]["run"]["effects"].as_array().map(Vec::len), Some(2), "{told:#}");
    assert_eq!(told["unused"], serde_json::json!([]));
    let told = passed(&project.test(&["--json", "--faults"]));
    let faults = &told["scenarios"][0]["steps"][0]["faults"];
    assert_eq!((&faults["denials"], &faults["calls"]), (&1.into(), &3.into()), "{faults:#}");
    assert!(faults["cuts"].as_u64() >= Some(16), "{faults:#}");
}

#[test]
fn rust() {
    a_new_plugin_passes_its_tests("rust");
}

#[test]
fn python() {
    a_new_plugin_passes_its_tests("python");
}

#[test]
fn typescript() {
    a_new_plugin_passes_its_tests("typescript");
}

#[test]
fn javascript() {
    a_new_plugin_passes_its_tests("javascript");
}

#[test]
fn go() {
    a_new_plugin_passes_its_tests("go");
}

#[test]
fn c() {
    a_new_plugin_passes_its_tests("c");
}

/// What the template does, and remembers the month.
fn accrual(template: &str) -> String {
    let posts = "post(&format!(\"{entry}:back\"), reversed, &amount, &accrued, &expense)?;";
    assert!(template.contains(posts), "{template}");
    let remembers = "backroom_sdk::host::state::set(\"last\", month.to_string().as_bytes())?;";
    template.replace(posts, remembers)
}

const ACCRUAL_MANIFEST: &str = r#"
name = "hello-books"
version = "0.1.0"
description = "Accrues."
[[wants]]
why = "Accruals of the month."
ledger = { debit = ["6220"], credit = ["2120"] }
[[wants]]
why = "The last month."
state = true
[[wants]]
why = "Nothing yet."
hr = { read = ["employment"] }
"#;

const ACCRUAL_SCENARIO: &str = r#"
[given]
now = "2026-07-01T08:00:00Z"
[given.csv]
"accounts.csv" = """
code,name,type,parent,currency,posting,stock-control
2120,Accrued,liability,,USD,yes,no
6220,Costs,expense,,USD,yes,no
"""
[[step]]
name = "accrues"
run = { month = "2026-06", amount = "1000.00 USD", expense = "6220", accrued = "2120" }
date = "2026-06-30"
[step.then]
effects = "snapshot"
balances = { 6220 = "1000.00 USD", 2120 = "-1000.00 USD" }
[[step]]
name = "refuses another amount"
run = { month = "2026-06", amount = "1000.01 USD", expense = "6220", accrued = "2120" }
date = "2026-06-30"
[step.then]
refused = "exists-with-different"
balances = { 6220 = "1000.00 USD" }
"#;

#[test]
fn what_comes_of_a_plugin_that_posts() {
    let project = Project::new("rust");
    let template = std::fs::read_to_string(project.path("src/lib.rs")).unwrap();
    project.write("src/lib.rs", &accrual(&template));
    project.write("plugin.toml", ACCRUAL_MANIFEST);
    std::fs::remove_file(project.path("installation.toml")).unwrap();
    std::fs::remove_file(project.path("tests/accrual.toml")).unwrap();
    project.write("tests/june.toml", ACCRUAL_SCENARIO);

    // No snapshot yet, so nobody can say that it is right.
    let ended = project.test(&[]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("--update"), "{ended:?}");
    passed(&project.test(&["--json", "--update"]));
    let kept = std::fs::read_to_string(project.path("tests/june.snapshot.json")).unwrap();
    assert!(kept.contains("accrual:2026-06:6220"), "{kept}");
    let told = passed(&project.test(&["--json", "--faults"]));
    let faults = &told["scenarios"][0]["steps"][0]["faults"];
    assert_eq!((&faults["denials"], &faults["calls"]), (&2.into(), &3.into()), "{faults:#}");
    assert_eq!(told["unused"][0]["want"], 3, "{told:#}");
    assert_eq!(told["unused"].as_array().unwrap().len(), 1, "{told:#}");

    // A snapshot that is not what happens; an expectation that is not met; results for a CI server.
    project.edit("tests/june.snapshot.json", "Accrual", "Something else");
    project.edit("tests/june.toml", "6220 = \"1000.00 USD\" }", "6220 = \"1000.01 USD\" }");
    let junit = project.path("results.xml");
    let ended = project.test(&["--junit", junit.to_str().unwrap()]);
    assert_eq!(ended.code, Some(1));
    for part in ["effects[0].description", "Something else", "balances.6220", "1000.01 USD", "0 of 2 steps passed"] {
        assert!(ended.stdout.contains(part), "{part}: {ended:?}");
    }
    let xml = std::fs::read_to_string(junit).unwrap();
    assert!(xml.contains("tests=\"2\" failures=\"2\"") && xml.contains("&quot;"), "{xml}");
    assert_eq!(project.test(&["--filter", "another amount"]).code, Some(1));
    assert_eq!(project.test(&["--filter", "nothing is called that"]).code, Some(2));

    let run_it = |more: &[&str]| run(&[&["plugin", "run", &project.folder(), "--scenario", "june"], more].concat());
    let input = "{\"month\":\"2026-07\",\"amount\":\"5 USD\",\"expense\":\"6220\",\"accrued\":\"2120\"}";
    let ended = run_it(&["--input", input, "--json"]);
    assert_eq!((ended.code, &ended.json()["effects"][0]["id"]), (Some(0), &"accrual:2026-07:6220".into()), "{ended:?}");
    project.write("input.json", "{\"month\":\"2026-07\"}");
    let ended = run_it(&["--input", project.path("input.json").to_str().unwrap()]);
    assert!(ended.code == Some(1) && ended.stdout.contains("input-invalid"), "{ended:?}");

    let ended = run(&["plugin", "bench", &project.folder(), "--scenario", "june", "--runs", "20", "--json"]);
    let told = ended.json();
    assert!(told["fuel"].as_u64() > Some(1_000) && told["memory"].as_u64() > Some(65_535), "{told:#}");
    assert_eq!(told["host-calls"], 3);
}

/// What went wrong is said once, and as what it is.
#[test]
fn a_denial_and_a_plugin_that_does_not_compile_are_told_once() {
    let project = Project::new("rust");
    let template = std::fs::read_to_string(project.path("src/lib.rs")).unwrap();
    project.write("src/lib.rs", &accrual(&template));
    project.write("plugin.toml", ACCRUAL_MANIFEST);
    project.write("installation.toml", "name = \"hello-books\"\n[[grants]]\nstate = true\n");
    let accounts = "code,name,type,parent,currency,posting,stock-control\n2120,Accrued,liability,,USD,yes,no\n6220,Costs,expense,,USD,yes,no\n";
    project.write("books/accounts.csv", accounts);
    let (data, books) = (project.dir.path().join("data"), project.path("books").display().to_string());
    let (folder, file) = (project.folder(), project.path("installation.toml").display().to_string());
    let set_up: [&[&str]; 3] = [
        &["tenant", "create", "t", "--name", "T"],
        &["import", "--tenant", "t", &books],
        &["install", "--tenant", "t", "--plugin", &folder, "--file", &file],
    ];
    for args in set_up {
        let ended = on(&data, args);
        assert_eq!(ended.code, Some(0), "{args:?} {ended:?}");
    }
    let input = "{\"month\":\"2026-06\",\"amount\":\"5 USD\",\"expense\":\"6220\",\"accrued\":\"2120\"}";
    let asked = ["run", "--tenant", "t", "hello-books", "--date", "2026-06-30", "--input", input];
    for more in [&["--dry-run"][..], &["--id", "june"]] {
        let ended = on(&data, &[&asked[..], more].concat());
        let told = format!("{}{}", ended.stdout, ended.stderr);
        assert_eq!((ended.code, told.matches("ledger-post-denied").count()), (Some(1), 1), "{ended:?}");
    }
    project.edit("src/lib.rs", "struct Accrual;", "struct Accrual");
    let ended = run(&["plugin", "build", &folder]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("plugin: hello-books does not compile"), "{ended:?}");
    assert!(!ended.stderr.contains("usage:"), "{ended:?}");
}

#[test]
fn a_plugin_that_gives_up_when_it_is_denied_something_is_found() {
    let project = Project::new("rust");
    project.edit("src/lib.rs", "&expense, &accrued)?", "&expense, &accrued).ok().expect(\"it worked before\")");
    // What the scenario itself expects is refused by the plugin is a trap now; the others pass.
    let junit = project.path("results.xml");
    let ended = project.test(&["--faults", "--filter", "accrual.toml", "--junit", junit.to_str().unwrap()]);
    assert_eq!(ended.code, Some(1));
    let denied = "without the right to journal.post: it ended with a fault";
    assert!(ended.stdout.contains(denied), "{ended:?}");
    let xml = std::fs::read_to_string(junit).unwrap();
    assert!(xml.contains("classname=\"hello-books: An accrual of June: faults\"") && xml.contains(denied), "{xml}");
    assert!(xml.contains("1 right denied"), "{xml}");
}

#[test]
fn what_is_wrong_with_a_scenario_is_told_with_its_place() {
    let project = Project::new("c");
    for (from, to, part) in [
        ("fuel-max", "fuel-most", "fuel-most"),
        ("USD,yes,no", "USD,yes,perhaps", "accounts.csv"),
        ("2120 = \"0.00 USD\"", "2120 = \"12 dollars\"", "balances.2120"),
    ] {
        let before = std::fs::read_to_string(project.path("tests/accrual.toml")).unwrap();
        project.edit("tests/accrual.toml", from, to);
        let ended = project.test(&[]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(part), "{part}: {ended:?}");
        project.write("tests/accrual.toml", &before);
    }
    std::fs::remove_dir_all(project.path("tests")).unwrap();
    assert!(project.test(&[]).stderr.contains("no scenario"));
    assert!(!Path::new(&project.path("target")).exists());
}
