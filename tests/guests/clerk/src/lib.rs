//! Reads and writes files and sends requests, step by step as it is told, and says what came of each.

use backroom_sdk::host::files;
use backroom_sdk::host::http::{self, Header, Method, Request};
use backroom_sdk::{Error, Workflow, refused, workflow};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Input {
    steps: Vec<Step>,
    /// Return an error in the end, after everything was done.
    #[serde(default)]
    refuse: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Step {
    List {
        folder: String,
        prefix: String,
    },
    Read {
        folder: String,
        path: String,
    },
    Write {
        folder: String,
        path: String,
        text: String,
    },
    /// So many MiB, the first written and the others added.
    Fill {
        folder: String,
        path: String,
        mib: u64,
    },
    Delete {
        folder: String,
        path: String,
    },
    Send {
        method: String,
        url: String,
        headers: Vec<(String, String)>,
        body: String,
        timeout: u32,
    },
    Trap,
}

struct Clerk;

impl Workflow for Clerk {
    type Input = Input;
    type Output = Vec<Outcome>;

    fn run(input: Input) -> Result<Vec<Outcome>, Error> {
        let done = input.steps.into_iter().map(|step| step.done().unwrap_or_else(Outcome::failed)).collect();
        if input.refuse { Err(refused("as-told", "it was told to refuse")) } else { Ok(done) }
    }
}

/// What came of a step.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    Paths(Vec<String>),
    Text(String),
    File { size: u64, digest: String },
    Response { status: u16, headers: Vec<(String, String)>, body: String },
    Gone,
    Error(String),
}

impl Outcome {
    fn failed(error: Error) -> Self {
        Self::Error(match error {
            Error::Refused(p) | Error::Denied(p) | Error::Conflict(p) | Error::Unavailable(p) | Error::NotFound(p) => {
                p.code
            }
            Error::Invalid(problems) => problems.into_iter().map(|p| p.code).collect::<Vec<_>>().join(" "),
        })
    }

    fn file(file: files::File) -> Self {
        Self::File { size: file.size, digest: file.digest }
    }
}

impl Step {
    fn done(self) -> Result<Outcome, Error> {
        Ok(match self {
            Self::List { folder, prefix } => Outcome::Paths(
                files::list(&folder, &prefix, None, 500)?.items.into_iter().map(|file| file.path).collect(),
            ),
            Self::Read { folder, path } => {
                Outcome::Text(String::from_utf8_lossy(&files::read(&folder, &path, 0, 1 << 20)?).into_owned())
            }
            Self::Write { folder, path, text } => Outcome::file(files::write(&folder, &path, text.as_bytes())?),
            Self::Fill { folder, path, mib } => fill(&folder, &path, mib)?,
            Self::Delete { folder, path } => {
                files::delete(&folder, &path)?;
                Outcome::Gone
            }
            Self::Send { method, url, headers, body, timeout } => send(&method, url, headers, body, timeout)?,
            Self::Trap => panic!("as told"),
        })
    }
}

/// A little less at a time than a call may carry, since the names need room as well.
const PART: usize = (1 << 20) - 1024;

fn fill(folder: &str, path: &str, mib: u64) -> Result<Outcome, Error> {
    let part = vec![b'x'; PART];
    let mut file = files::write(folder, path, b"")?;
    let mut left = usize::try_from(mib << 20).unwrap_or(usize::MAX);
    while left > 0 {
        let now = part.get(..left.min(PART)).unwrap_or_default();
        file = files::append(folder, path, file.size, now)?;
        left -= now.len();
    }
    Ok(Outcome::file(file))
}

fn send(
    method: &str,
    url: String,
    headers: Vec<(String, String)>,
    body: String,
    timeout_ms: u32,
) -> Result<Outcome, Error> {
    let method = match method {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        _ => Method::Delete,
    };
    let headers = headers.into_iter().map(|(name, value)| Header { name, value }).collect();
    let response = http::send(&Request { method, url, headers, body: body.into_bytes(), timeout_ms })?;
    Ok(Outcome::Response {
        status: response.status,
        headers: response.headers.into_iter().map(|header| (header.name, header.value)).collect(),
        body: String::from_utf8_lossy(&response.body).into_owned(),
    })
}

workflow!(Clerk);
