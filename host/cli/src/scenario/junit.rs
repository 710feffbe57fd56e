//! The results as JUnit XML, which CI servers read: a suite for each scenario, a case for each step.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use backroom_domain::plays_tricks;

use super::tested::{Tested, TestedScenario};
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

fn suite(text: &mut String, plugin: &str, scenario: &TestedScenario) {
    let failures = scenario.steps.iter().filter(|step| !step.passed()).count();
    let name = escaped(&format!("{plugin}: {}", scenario.name));
    let (tests, seconds) = (scenario.steps.len(), scenario.millis as f64 / 1e3);
    let file = escaped(&scenario.file.display().to_string());
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "  <testsuite name=\"{name}\" file=\"{file}\" tests=\"{tests}\" failures=\"{failures}\" time=\"{seconds:.3}\">"
    );
    for step in &scenario.steps {
        let (title, seconds) = (escaped(&step.title), step.took.as_secs_f64());
        let _ = write!(text, "    <testcase classname=\"{name}\" name=\"{title}\" time=\"{seconds:.6}\"");
        if step.passed() {
            text.push_str("/>\n");
            continue;
        }
        let wrong = step.wrong();
        let first = escaped(wrong.first().map_or("", String::as_str));
        let all = escaped(&wrong.join("\n"));
        let _ = writeln!(text, ">\n      <failure message=\"{first}\">{all}</failure>\n    </testcase>");
    }
    text.push_str("  </testsuite>\n");
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
