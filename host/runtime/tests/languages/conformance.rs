//! One plugin with the same behaviour in each language, and one table of what it answers (`tests/languages/conformance.json`).
//!
//! A row is a run: calls of the contract's functions with their arguments, and what they are to answer; then what the run changed. The
//! rows are run in their order for one client. `BACKROOM_UPDATE=1` writes down what the plugin in Rust answers: read the difference.

use std::collections::BTreeSet;
use std::path::PathBuf;

use backroom_kit::{Built, Language};
use backroom_runtime::{Fault, Mode, RunReport, Status};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::contract::{Contract, Seen, c, everything, go, python, rust, typescript};
use crate::ground::{Ground, PORTS, fill};
use crate::helpers::Questions;
use crate::{make, root};

pub(crate) const LANGUAGES: [Language; 5] =
    [Language::Rust, Language::Python, Language::TypeScript, Language::Go, Language::C];

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    /// Seconds since the beginning.
    #[serde(default, skip_serializing_if = "is_zero")]
    later: u64,
    /// It calls the outside, so a dry run does not the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    sends: bool,
    calls: Vec<Call>,
    /// How the plugin is to end the run, if not well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<String>,
    /// What became of the run: `committed`; else the error, or the kind of fault.
    #[serde(default)]
    became: String,
    /// What it changed, in order.
    #[serde(default)]
    effects: Vec<Value>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    call: String,
    args: Vec<Value>,
    /// What it gave; null if nothing.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    ok: Option<Value>,
    /// Or its error: class, codes and fields. Messages are for people, and only the same in all languages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    err: Option<String>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Null is an answer, too.
fn present<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(d).map(Some)
}

/// What a run of a row told, as far as it has to be the same in every language.
#[derive(Debug, PartialEq)]
struct Told {
    row: Row,
    /// With the messages; those of the SDKs are their own.
    output: Value,
    error: Value,
    fault: Option<String>,
    effects: String,
    log: Value,
    sent: Value,
    host_calls: u32,
}

fn table() -> PathBuf {
    root().join("tests/languages/conformance.json")
}

pub(crate) fn folder() -> PathBuf {
    root().join("tests/languages/conformance")
}

/// The plugin in a language.
pub(crate) fn plugin(contract: &Contract, language: Language) -> Option<Built> {
    let made = match language {
        Language::Rust => ("src/contract.rs", rust::module(contract)),
        Language::Python => ("contract.py", python::module(contract)),
        Language::TypeScript => ("contract.ts", typescript::module(contract)),
        Language::Go => ("contract.go", go::file(contract)),
        Language::C => ("contract.c", c::file(contract)),
        other => panic!("{other} is not in the suite"),
    };
    make::plugin("conformance", language, &[made])
}

#[test]
fn every_language_does_the_same() {
    let contract = Contract::read(&root().join("wit"));
    let mut rows: Vec<Row> = serde_json::from_slice(&std::fs::read(table()).unwrap()).unwrap();
    let mut first: Option<(Language, Vec<Told>)> = None;
    let mut wrong = Vec::new();
    let mut questions = Questions::new();
    for language in LANGUAGES {
        let Some(built) = plugin(&contract, language) else { continue };
        questions.ask(&built, &mut wrong);
        let told = run_all(&built, &rows);
        if std::env::var_os("BACKROOM_UPDATE").is_some() && language == Language::Rust {
            rows = told.iter().map(|told| told.row.clone()).collect();
            std::fs::write(table(), written(&rows)).unwrap();
        }
        for (told, row) in told.iter().zip(&rows) {
            compare(language, row, &told.row, &mut wrong);
        }
        match &first {
            None => {
                every_part_is_there(&contract, &told);
                first = Some((language, told));
            }
            Some((other, those)) => {
                for (told, those) in told.iter().zip(those) {
                    if told != those {
                        wrong.push(format!(
                            "{language} and {other} differ in {:?}:\n{}\n{}",
                            told.row.name,
                            told.rest(),
                            those.rest()
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

impl Told {
    fn of(row: &Row, report: &RunReport) -> Self {
        let output: Value =
            report.output.as_ref().map_or(Value::Null, |text| serde_json::from_str(text.get()).unwrap());
        let mut row = row.clone();
        let none = Vec::new();
        let answers = output["answers"].as_array().unwrap_or(&none);
        for (call, answer) in row.calls.iter_mut().zip(answers) {
            call.ok = answer.get("ok").cloned();
            call.err = answer.get("err").map(short);
        }
        let output = without_own_words(&row, output);
        let error = report.error.as_ref().map_or(Value::Null, |error| serde_json::to_value(error).unwrap());
        row.became = match (report.status, &report.fault) {
            (Status::Committed | Status::Ok, _) => "committed".to_owned(),
            (_, Some(fault)) => kind(fault),
            (..) => of_report(&error),
        };
        row.effects = report.effects.iter().map(|effect| serde_json::to_value(effect).unwrap()).collect();
        // How a language says where it gave up is its own.
        let log = if report.fault.is_some() { Value::Null } else { json!(report.log) };
        let mut sent = json!(report.calls);
        hide_ports(&mut sent);
        Self {
            row,
            output,
            error,
            fault: report.fault.as_ref().map(kind),
            effects: serde_json::to_string(&report.effects).unwrap(),
            log,
            sent,
            host_calls: if report.fault.is_some() { 0 } else { report.host_calls },
        }
    }

    /// What the table does not show.
    fn rest(&self) -> String {
        let Self { output, error, fault, effects, log, sent, host_calls, .. } = self;
        format!("{output} {error} {fault:?} {effects} {log} {sent} {host_calls}")
    }
}

/// The answers of the contract's functions.
fn without_own_words(row: &Row, mut output: Value) -> Value {
    if let Some(answers) = output["answers"].as_array_mut() {
        let of_sdk = |call: &Call| call.call.starts_with("sdk.");
        row.calls.iter().zip(answers).filter(|(call, _)| of_sdk(call)).for_each(|(_, answer)| *answer = Value::Null);
    }
    output
}

/// As `trap`.
fn kind(fault: &Fault) -> String {
    serde_json::to_value(fault.kind).unwrap().as_str().unwrap().to_owned()
}

fn hide_ports(sent: &mut Value) {
    if let Value::Array(all) = sent {
        for call in all {
            let url = call["url"].as_str().unwrap_or_default();
            let url = url.replace(&PORTS.0.to_string(), "{server}").replace(&PORTS.1.to_string(), "{nobody}");
            call["url"] = json!(url);
        }
    }
}

/// `refused: unbalanced at lines` of an error as the contract has it.
pub(crate) fn short(error: &Value) -> String {
    let (class, inside) = error.as_object().and_then(|one| one.iter().next()).unwrap();
    let problems = inside.as_array().cloned().unwrap_or_else(|| vec![inside.clone()]);
    format!("{class}: {}", problems.iter().map(problem).collect::<Vec<_>>().join("; "))
}

/// The same of an error of a report.
fn of_report(error: &Value) -> String {
    let problems = error["problems"].as_array().unwrap_or_else(|| panic!("{error}"));
    let class = error["class"].as_str().unwrap();
    format!("{class}: {}", problems.iter().map(problem).collect::<Vec<_>>().join("; "))
}

fn problem(problem: &Value) -> String {
    let code = problem["code"].as_str().unwrap();
    problem["field"].as_str().map_or(code.to_owned(), |field| format!("{code} at {field}"))
}

/// Runs the rows for a new client: planned, committed, and executed again from its record. All three come to the same, with the same fuel.
fn run_all(built: &Built, rows: &[Row]) -> Vec<Told> {
    let records: Value = serde_json::from_slice(&std::fs::read(folder().join("ground.json")).unwrap()).unwrap();
    let ground = Ground::new(&built.bytes, &folder().join("installation.toml"), |work| fill(work, &records));
    rows.iter().enumerate().map(|(at, row)| one(&ground, built.language, &format!("run-{at}"), row)).collect()
}

fn one(ground: &Ground, language: Language, name: &str, row: &Row) -> Told {
    let calls: Vec<Value> = row.calls.iter().map(|call| json!({ "call": call.call, "args": call.args })).collect();
    let input = json!({ "calls": calls, "end": row.end }).to_string();
    let input = input.replace("{server}", &PORTS.0.to_string()).replace("{nobody}", &PORTS.1.to_string());
    let planned = (!row.sends).then(|| ground.run(name, Mode::DryRun, &input, row.later));
    let report = ground.run(name, Mode::Commit, &input, row.later);
    let told = Told::of(row, &report);
    if told.row.became != row.became {
        eprintln!("{language}, {:?}: {:?} {:?}", row.name, report.fault, report.log);
    }
    if let Some(planned) = planned {
        assert_eq!(Told::of(row, &planned), told, "{language}: a dry run of {:?} does something else", row.name);
        assert_eq!(planned.fuel, report.fuel, "{language}: the same run of {:?} took other fuel", row.name);
    }
    let replayed = ground.runner.replay(&ground.tenant, &report.id, &mut |_| {}).unwrap();
    assert!(replayed.identical, "{language}: {:?} is not the same again: {replayed:#?}", row.name);
    told
}

fn compare(language: Language, wanted: &Row, told: &Row, wrong: &mut Vec<String>) {
    let name = &told.name;
    let mut differ = |what: &str, wanted: String, told: String| {
        if wanted != told {
            wrong.push(format!("{language}, {name:?}, {what}:\n  wanted {wanted}\n  told   {told}"));
        }
    };
    for (wanted, told) in wanted.calls.iter().zip(&told.calls) {
        differ(&wanted.call, line(wanted), line(told));
    }
    differ("became", wanted.became.clone(), told.became.clone());
    differ("effects", line(&wanted.effects), line(&told.effects));
}

/// The rows call every function of the contract, and every word of an enum and case of a variant comes in what is passed or answered.
fn every_part_is_there(contract: &Contract, told: &[Told]) {
    let mut seen = Seen::default();
    for told in told {
        let none = Vec::new();
        let answers = told.output["answers"].as_array().unwrap_or(&none);
        for (call, answer) in told.row.calls.iter().zip(answers).filter(|(call, _)| !call.call.starts_with("sdk.")) {
            seen.call(contract, &call.call, &call.args, answer);
        }
    }
    let missing: BTreeSet<String> = everything(contract).difference(&seen.0).cloned().collect();
    assert!(missing.is_empty(), "no row of tests/languages/conformance.json has {missing:#?}");
}

/// A value on one line.
fn line<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap()
}

/// The table: a line for each call and each effect.
fn written(rows: &[Row]) -> String {
    let rows: Vec<String> = rows.iter().map(written_row).collect();
    format!("[\n{}\n]\n", rows.join(",\n"))
}

fn written_row(row: &Row) -> String {
    let Value::Object(fields) = serde_json::to_value(row).unwrap() else { panic!("{row:?}") };
    let order = ["name", "later", "sends", "calls", "end", "became", "effects"];
    let mut lines = Vec::new();
    for name in order {
        match fields.get(name) {
            None => {}
            Some(Value::Array(items)) if !items.is_empty() => {
                let items: Vec<String> = items.iter().map(|item| format!("      {}", written_item(item))).collect();
                lines.push(format!("    {name:?}: [\n{}\n    ]", items.join(",\n")));
            }
            Some(value) => lines.push(format!("    {name:?}: {value}")),
        }
    }
    format!("  {{\n{}\n  }}", lines.join(",\n"))
}

/// A call has its name first.
fn written_item(item: &Value) -> String {
    let Value::Object(fields) = item else { return item.to_string() };
    let rank = |name: &str| ["call", "args", "ok", "err"].iter().position(|known| *known == name).unwrap_or(9);
    let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
    fields.sort_by_key(|(name, _)| (rank(name), name.as_str()));
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
    format!("{{{}}}", fields.join(","))
}
