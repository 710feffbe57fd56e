//! Runs a program to its end: its steps are reported as it goes, its words are kept, bounded.

use std::io::{self, BufRead as _, BufReader, Read as _};
use std::process::{Command, ExitStatus, Stdio};

use crate::{KitError, Progress};

/// The end of a compiler's output is what explains a failure; more than this helps nobody.
const KEPT_STDERR: usize = 64 * 1024;

/// Far above what cargo lists for a guest; a program that writes more is broken.
const MAX_STDOUT: u64 = 64 * 1024 * 1024;

/// How a program ended and what it said.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// The last line that says something, for a message of one line.
    pub(crate) fn last_word(&self) -> String {
        let lines = self.stderr.lines().rev().chain(self.stdout.lines().rev());
        let found = lines.map(str::trim).find(|line| !line.is_empty());
        found.map_or_else(|| self.status.to_string(), str::to_owned)
    }
}

/// Runs `command` and reports each line of its stderr that `step` picks out as a step.
pub(crate) fn run(
    command: &mut Command,
    step: fn(&str) -> Option<&str>,
    progress: &mut dyn Progress,
) -> Result<Output, KitError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let started = |source| KitError::Start { program, source };
    execute(command, step, progress).map_err(started)
}

fn execute(command: &mut Command, step: fn(&str) -> Option<&str>, progress: &mut dyn Progress) -> io::Result<Output> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let stdout = child.stdout.take();
    let stderr = child.stderr.take();
    // Both pipes are read at the same time: a program that fills one of them would stand still.
    let (stdout, stderr) = std::thread::scope(|scope| {
        let reader = scope.spawn(move || -> io::Result<Vec<u8>> {
            let mut bytes = Vec::new();
            if let Some(pipe) = stdout {
                pipe.take(MAX_STDOUT).read_to_end(&mut bytes)?;
            }
            Ok(bytes)
        });
        let mut kept = Vec::new();
        if let Some(pipe) = stderr {
            for line in BufReader::new(pipe).split(b'\n') {
                let line = line?;
                if let Some(text) = step(&String::from_utf8_lossy(&line)) {
                    progress.step(text);
                }
                kept.extend_from_slice(&line);
                kept.push(b'\n');
                if kept.len() > 2 * KEPT_STDERR {
                    kept.drain(..kept.len() - KEPT_STDERR);
                }
            }
        }
        let stdout = reader.join().unwrap_or_else(|_| Err(io::Error::other("the reader of its output ended early")))?;
        io::Result::Ok((stdout, kept))
    })?;
    Ok(Output {
        status: child.wait()?,
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    })
}

/// cargo's own lines are indented by their verb; a compiler's are not reported as steps.
pub(crate) fn cargo_step(line: &str) -> Option<&str> {
    const VERBS: [&str; 5] = ["Updating", "Downloading", "Downloaded", "Compiling", "Blocking"];
    let line = line.trim();
    let verb = line.split(' ').next()?;
    VERBS.contains(&verb).then_some(line)
}

/// For programs whose own lines mean nothing to a plugin's author.
pub(crate) fn no_step(_line: &str) -> Option<&str> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Steps(Vec<String>);
    impl Progress for Steps {
        fn step(&mut self, text: &str) {
            self.0.push(text.to_owned());
        }
    }

    fn sh(script: &str, steps: &mut Steps) -> Output {
        run(Command::new("sh").args(["-c", script]), cargo_step, steps).unwrap()
    }

    #[test]
    fn steps_are_told_and_output_is_kept() {
        let mut steps = Steps::default();
        let output = sh("echo '   Compiling a v1' >&2; echo error: no >&2; echo out; exit 3", &mut steps);
        assert_eq!(steps.0, ["Compiling a v1"]);
        assert_eq!(output.status.code(), Some(3));
        assert_eq!(output.stdout, "out\n");
        assert_eq!(output.last_word(), "error: no");
    }

    #[test]
    fn endless_output_is_cut_at_the_front() {
        let output = sh(
            "i=0; while [ $i -lt 6000 ]; do echo line-$i-of-many-lines-of-output >&2; echo $i; i=$((i+1)); done",
            &mut Steps::default(),
        );
        assert!(output.stderr.len() <= 2 * KEPT_STDERR);
        assert!(output.stderr.ends_with("line-5999-of-many-lines-of-output\n"));
        assert_eq!(output.stdout.lines().count(), 6000);
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut Command::new("no-such-program"), no_step, &mut Steps::default());
        assert!(error.unwrap_err().to_string().contains("no-such-program"));
    }
}
