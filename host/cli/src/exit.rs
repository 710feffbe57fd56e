//! How a command ends when it does not end well, and the exit code that says so.

use std::fmt;
use std::process::ExitCode;

use serde::Deserialize;
use serde_json::{Value, json};

/// The exit codes, as `--help` shows them.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done
  1  refused: a business rule, a right, a bad row, or a verification said no
  2  usage: the arguments (or the files they name, such as a plugin) are not as they should be
  3  unavailable: the service, its data directory or this machine could not do it

Environment:
  BACKROOM_SERVER  address of the service
  BACKROOM_KEY     API key; `backroom serve` shows the first one
  BACKROOM_MASTER_KEY_FILE  file with the key that the keys of persons are wrapped with (see `backroom serve --help`)
  BACKROOM_DATABASE_URL, BACKROOM_CACHE  as --database-url and --cache
  BACKROOM_LOG     what to log on stderr, such as `info` or `backroom_server=debug`";

/// Why a command gave no result.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The service answered with a "no" that trying again will not change.
    Refused(Box<Problem>),
    /// What was checked is not as it must be; everything was shown already.
    Check(String),
    /// The arguments, or the files they name, are not as they should be.
    Usage(String),
    /// The plugin is not as it must be: its author has to mend it.
    Plugin(String),
    /// The service, its data directory or this machine could not do it.
    Unavailable(anyhow::Error),
}

/// An error reply of the service (RFC 9457), as far as it is shown to people.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Problem {
    /// The HTTP status.
    pub(crate) status: u16,
    /// In a few words.
    pub(crate) title: String,
    /// In a sentence.
    pub(crate) detail: String,
    /// What to do: `invalid`, `denied`, `not-found`, `conflict`, `refused`, `unavailable`.
    pub(crate) class: String,
    /// The first reason's stable word.
    pub(crate) code: String,
    /// Every reason.
    pub(crate) errors: Vec<Reason>,
    /// The report of the run that was refused or failed.
    pub(crate) run: Option<Value>,
    /// The reply as it came.
    #[serde(skip)]
    pub(crate) text: String,
}

/// One reason of an error reply; for imports with the place in the file.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Reason {
    pub(crate) code: String,
    /// The field; of a row in a file, the column.
    pub(crate) field: Option<String>,
    pub(crate) message: String,
    pub(crate) file: Option<String>,
    pub(crate) line: Option<u64>,
}

/// The result of every command.
pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

impl Failure {
    /// A reply that is no success. Whatever it is, it says something.
    pub(crate) fn from_reply(status: u16, text: &str) -> Self {
        let mut problem: Problem = serde_json::from_str(text).unwrap_or_default();
        problem.status = status;
        text.clone_into(&mut problem.text);
        if status >= 500 || problem.class == "unavailable" {
            let said = if problem.detail.is_empty() { text.trim() } else { &problem.detail };
            return Self::Unavailable(anyhow::anyhow!("the service cannot answer now (HTTP {status}): {said}"));
        }
        if problem.code.is_empty() {
            problem.code = format!("http-{status}");
        }
        Self::Refused(Box::new(problem))
    }

    /// A "no" of our own, before anything was sent.
    pub(crate) fn refused(code: &str, detail: String) -> Self {
        let text = json!({ "class": "invalid", "code": code, "detail": detail }).to_string();
        let (class, code) = ("invalid".to_owned(), code.to_owned());
        Self::Refused(Box::new(Problem { class, code, detail, text, ..Problem::default() }))
    }

    /// Wrong arguments.
    pub(crate) fn usage(text: impl fmt::Display) -> Self {
        Self::Usage(text.to_string())
    }

    /// A plugin that cannot be taken as it is.
    pub(crate) fn plugin(text: impl fmt::Display) -> Self {
        Self::Plugin(text.to_string())
    }

    /// The exit code; documented in [`HELP`].
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Refused(_) | Self::Check(_) => 1,
            Self::Usage(_) | Self::Plugin(_) => 2,
            Self::Unavailable(_) => 3,
        })
    }

    /// For `--json`: the service's own words, or ours in the same form.
    pub(crate) fn to_json(&self) -> Value {
        let own = |class: &str, code: &str, detail: String| json!({ "class": class, "code": code, "detail": detail });
        match self {
            Self::Refused(problem) => serde_json::from_str(&problem.text)
                .unwrap_or_else(|_| own("refused", &problem.code, problem.text.clone())),
            Self::Check(text) => own("refused", "check-failed", text.clone()),
            Self::Usage(text) => own("invalid", "usage", text.clone()),
            Self::Plugin(text) => own("invalid", "plugin-invalid", text.clone()),
            Self::Unavailable(error) => own("unavailable", "unavailable", chain(error)),
        }
    }
}

/// The error and what it comes from; what one of them has said already is not said again.
pub(crate) fn chain(error: &anyhow::Error) -> String {
    let mut said = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if said.is_empty() {
            said = cause;
        } else if !said.ends_with(&cause) {
            said = format!("{said}: {cause}");
        }
    }
    said
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Unavailable(error)
    }
}

impl Problem {
    /// For people: what was said, in one line; with the field, if it is about one.
    pub(crate) fn headline(&self) -> String {
        let said = [&self.detail, &self.title].into_iter().find(|text| !text.is_empty());
        let mut said = said.map_or_else(|| format!("HTTP {}", self.status), String::clone);
        if let [Reason { field: Some(field), file: None, message, .. }] = self.errors.as_slice()
            && said == *message
        {
            said = format!("{field}: {said}");
        }
        match self.class.is_empty() {
            true => format!("{said} ({})", self.code),
            false => format!("{}: {said} ({})", self.class, self.code),
        }
    }

    /// Of a plugin that broke off: the last thing it said of what was wrong, as an exception that nobody caught.
    pub(crate) fn last_words(&self) -> Option<&str> {
        let run = self.run.as_ref().filter(|_| self.code == "run-trapped")?;
        let mut lines = run.get("log")?.as_array()?.iter().rev();
        lines.find(|line| line["level"] == "warn" || line["level"] == "error")?["message"].as_str()
    }

    /// What to do about it, where something general can be said.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        match self.status {
            // What the service says is all there is to do.
            403 if self.code == "backup-target-denied" => None,
            401 => Some(
                "set BACKROOM_KEY to a valid API key; `backroom serve` shows the first one, `backroom key create` makes more",
            ),
            403 => Some("this key lacks the right; use one with a wider role (`backroom key create --help`)"),
            _ if self.code == "rights-grow" => Some("to accept it, say --accept-rights"),
            _ if self.class == "denied" && self.run.is_some() => Some(
                "a run may do what the file of its installation grants, its plugin.toml wants, and whoever starts it may do; if it is \
                 meant, install it again with a file that grants it, and run it with a new id",
            ),
            _ => None,
        }
    }
}
