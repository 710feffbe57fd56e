//! The main job's plugin in Rust, Python and TypeScript: the same effects, byte for byte, for the company of the example.

use std::path::PathBuf;

use backroom_kit::Language;
use backroom_office::Work;
use backroom_office::imports;
use backroom_runtime::{Mode, RunReport, Status};

use crate::ground::Ground;
use crate::{make, root};

const PLUGINS: [(&str, Language); 3] = [
    ("remote-allowance", Language::Rust),
    ("remote-allowance-python", Language::Python),
    ("remote-allowance-typescript", Language::TypeScript),
];

fn example() -> PathBuf {
    root().join("examples/remote-allowance")
}

/// The company's files, as `backroom import` takes them.
fn import(work: &mut Work) {
    let entries = std::fs::read_dir(example()).unwrap().map(|entry| entry.unwrap().path());
    let csv = entries.filter(|path| path.extension().is_some_and(|ending| ending == "csv"));
    let file = |path: PathBuf| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap());
    let mut files: Vec<(String, Vec<u8>)> = csv.map(file).collect();
    files.sort();
    imports::apply(work, &imports::read(&files)).map_err(|why| format!("{why:?}")).unwrap();
}

/// What a run did, as bytes.
fn told(report: &RunReport) -> Vec<String> {
    let log: Vec<&str> = report.log.iter().map(|line| line.message.as_str()).collect();
    let output = report.output.as_ref().map_or("", |output| output.get());
    let error = format!("{:?}", report.error.as_ref().map(|error| (error.class, error.code().to_owned())));
    vec![serde_json::to_string(&report.effects).unwrap(), output.to_owned(), log.join("\n"), error]
}

#[test]
fn the_allowance_is_the_same_in_three_languages() {
    let mut first: Option<(&str, Vec<Vec<String>>)> = None;
    for (plugin, language) in PLUGINS {
        let Some(built) = make::built(&root().join("plugins").join(plugin), language) else { continue };
        let ground = Ground::new(&built.bytes, &example().join("installation.toml"), import);
        let run = |name: &str, mode, input: &str| ground.run(name, mode, input, 0);
        let june = r#"{"month":"2026-06"}"#;
        let planned = run("june", Mode::DryRun, june);
        let committed = run("june", Mode::Commit, june);
        assert_eq!(committed.status, Status::Committed, "{plugin}: {committed:#?}");
        assert!(committed.effects.len() > 20, "{plugin}: {committed:#?}");
        assert_eq!(planned.fuel, committed.fuel, "{plugin}");
        assert!(ground.runner.replay(&ground.tenant, &committed.id, &mut |_| {}).unwrap().identical, "{plugin}");
        // The month again, the month behind, and what is no month.
        let all = [
            planned,
            committed,
            run("june-again", Mode::Commit, june),
            run("july", Mode::Commit, r#"{"month":"2026-07"}"#),
            run("never", Mode::Commit, r#"{"month":"2026-13"}"#),
        ];
        assert!(all[2].effects.is_empty() && all[2].status == Status::Committed, "{plugin}: {:#?}", all[2]);
        let all: Vec<Vec<String>> = all.iter().map(told).collect();
        match &first {
            None => first = Some((plugin, all)),
            Some((other, those)) => assert_eq!(&all, those, "{plugin} and {other} differ"),
        }
    }
}
