//! `backroom plugin test --watch` as an author sees it: whatever is changed shows, and nothing ends it.

use std::io::{BufRead as _, BufReader, PipeReader, pipe};
use std::process::Child;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::plugins::Project;
use crate::support::command;

/// Whatever says nothing for so long hangs: the first look may install a toolchain.
const PATIENCE: Duration = Duration::from_secs(900);

/// A watch that is going on; ended when it is dropped.
struct Watch<'a> {
    project: &'a Project,
    child: Child,
    lines: Receiver<String>,
}

impl<'a> Watch<'a> {
    fn start(project: &'a Project) -> Self {
        // One pipe for both, so that lines come in their order.
        let (reader, writer) = pipe().unwrap();
        let mut watching = command();
        watching.args(["plugin", "test", "--watch", &project.folder()]);
        let child = watching.stdout(writer.try_clone().unwrap()).stderr(writer).spawn().expect("the binary starts");
        Self { project, child, lines: lines(reader) }
    }

    /// What it says of the next look, up to where it waits again.
    fn look(&mut self) -> String {
        let mut said = String::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line == "waiting for a change" => return said,
                Ok(line) => said = said + &line + "\n",
                Err(why) => panic!("it does not go on ({why}):\n{said}"),
            }
        }
    }

    /// Changes a file at once, as an editor does, and tells what it says of that.
    fn edit(&mut self, file: &str, from: &str, to: &str) -> String {
        let text = std::fs::read_to_string(self.project.path(file)).unwrap();
        assert!(text.contains(from), "{from:?} is not in {file}");
        let aside = self.project.dir.path().join("aside");
        std::fs::write(&aside, text.replace(from, to)).unwrap();
        std::fs::rename(&aside, self.project.path(file)).unwrap();
        self.look()
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn lines(reader: PipeReader) -> Receiver<String> {
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(reader).lines().map_while(Result::ok) {
            if tell.send(line).is_err() {
                break;
            }
        }
    });
    told
}

fn says(said: &str, parts: &[&str]) {
    for part in parts {
        assert!(said.contains(part), "{part:?} is missing in:\n{said}");
    }
}

/// `logs` is the beginning of what the new plugin writes to its log; `broken` is not right once the first is replaced by the second.
fn every_change_shows(language: &str, file: &str, logs: &str, broken: (&str, &str)) {
    let project = Project::new(language);
    let mut watch = Watch::start(&project);
    says(&watch.look(), &["4 of 4 steps passed"]);

    let others = logs.replace("accrued", "set aside");
    let failing =
        ["✗ posts the cost", "set aside 1234.50 USD for 2026-06", "3 of 4 steps passed", "failed: 1 of 4 steps"];
    says(&watch.edit(file, logs, &others), &failing);
    let expected = watch.edit("tests/accrual.toml", "accrued 1234.50 USD", "set aside 1234.50 USD");
    says(&expected, &["4 of 4 steps passed"]);
    assert!(!expected.contains("building"), "a change of a scenario builds: {expected}");

    let said = watch.edit(file, broken.0, broken.1);
    says(&said, &["does not compile", file]);
    assert!(!said.contains("passed"), "what was there before passes for what is there now: {said}");
    says(&watch.edit(file, broken.1, broken.0), &["4 of 4 steps passed"]);
    // What cannot be read ends nothing either.
    says(&watch.edit("tests/accrual.toml", "[[step]]", "[[step"), &["accrual.toml"]);
    says(&watch.edit("tests/accrual.toml", "[[step\n", "[[step]]\n"), &["4 of 4 steps passed"]);
    assert_eq!(watch.child.try_wait().unwrap(), None);
}

#[test]
fn rust() {
    every_change_shows("rust", "src/lib.rs", "accrued {amount}", ("struct Accrual;", "struct Accrual"));
}

#[test]
fn python() {
    every_change_shows("python", "app.py", "f\"accrued ", ("journal.post(New", "journal.post((New"));
}

#[test]
fn typescript() {
    every_change_shows("typescript", "app.ts", "`accrued ", ("const { replayed } =", "const { replaid } ="));
}
