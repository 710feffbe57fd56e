//! The results as JUnit XML, which CI servers read: a suite for each scenario, a case for each step, and one
//! for what was tried of it with `--faults`.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use backroom_domain::plays_tricks;

use super::tested::{Tested, TestedScenario, TestedStep, tried};
use crate::exit::Result;

impl Tested {
    /// Writes the results to a file.
    pub(crate) fn write_junit(&self, path: &Path) -> Result {
        let about = || format!("cannot write {}", path.display());
        Ok(std::fs::write(path, self.junit()).with_context(about)?)
    }

    pub(super) fn junit(&self) -> String {
        let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
        for scenario in &self.scenarios {
            suite(&mut text, &self.plugin, scenario);
        }
        text + "</testsuites>\n"
    }
}

/// What CI servers count.
struct Case<'a> {
    class: &'a str,
    title: &'a str,
    took: Duration,
    wrong: Vec<String>,
    /// What it says when nothing is wrong, too.
    told: Option<String>,
}

fn suite(text: &mut String, plugin: &str, scenario: &TestedScenario) {
    let name = format!("{plugin}: {}", scenario.name);
    let with_faults = format!("{name}: faults");
    let cases: Vec<Case<'_>> = scenario.steps.iter().flat_map(|step| cases(step, &name, &with_faults)).collect();
    let failures = cases.iter().filter(|case| !case.wrong.is_empty()).count();
    let (tests, seconds) = (cases.len(), scenario.millis as f64 / 1e3);
    let (name, file) = (escaped(&name), escaped(&scenario.file.display().to_string()));
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "  <testsuite name=\"{name}\" file=\"{file}\" tests=\"{tests}\" failures=\"{failures}\" time=\"{seconds:.3}\">"
    );
    cases.iter().for_each(|one| case(text, one));
    text.push_str("  </testsuite>\n");
}

/// The step, and what was tried of it with `--faults`.
fn cases<'a>(step: &'a TestedStep, class: &'a str, with_faults: &'a str) -> impl Iterator<Item = Case<'a>> {
    let title = step.title.as_str();
    let itself = Case { class, title, took: step.took, wrong: step.different(), told: None };
    let tried = step.faults.as_ref().map(|faults| Case {
        class: with_faults,
        title,
        took: Duration::ZERO,
        wrong: faults.problems.clone(),
        told: Some(tried(faults)),
    });
    [Some(itself), tried].into_iter().flatten()
}

fn case(text: &mut String, case: &Case<'_>) {
    let (class, title, seconds) = (escaped(case.class), escaped(case.title), case.took.as_secs_f64());
    let _ = write!(text, "    <testcase classname=\"{class}\" name=\"{title}\" time=\"{seconds:.6}\"");
    if case.wrong.is_empty() && case.told.is_none() {
        text.push_str("/>\n");
        return;
    }
    text.push_str(">\n");
    if let Some(first) = case.wrong.first() {
        let (first, all) = (escaped(first), escaped(&case.wrong.join("\n")));
        let _ = writeln!(text, "      <failure message=\"{first}\">{all}</failure>");
    }
    if let Some(told) = &case.told {
        let _ = writeln!(text, "      <system-out>{}</system-out>", escaped(told));
    }
    text.push_str("    </testcase>\n");
}

/// As it may stand in text and attributes. XML has no way to write most control characters.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            c if plays_tricks(c) => out.push(char::REPLACEMENT_CHARACTER),
            c => out.push(c),
        }
    }
    out
}
