//! `backroom log`: the commit log, which is the truth.

use backroom_server::ServiceError;
use backroom_store::StoreError;
use clap::Subcommand;
use serde_json::{Value, json};

use super::Context;
use crate::client::{Client, Reply, path};
use crate::exit::{Failure, Result};
use crate::figures::count;
use crate::output::{Grid, Out, left, right, text_of};
use crate::progress::Progress;

/// Bytes of records from which on it says something how large the files of the state are beside them: sled's have 8 MiB at least.
const SMALL: u64 = 1 << 20;

/// The commit log: its state and its proof.
#[derive(Debug, Subcommand)]
pub(crate) enum Log {
    /// Prove the log: every entry, every chain, and the state against the log.
    #[command(after_help = "Examples:\n  backroom log verify\n  backroom log verify --data /var/lib/backroom --json")]
    Verify,
    /// How far the log is, and how far the state follows it.
    #[command(after_help = "Example:\n  backroom log status")]
    Status,
}

impl Log {
    /// Does it.
    pub(crate) fn run(&self, context: &Context) -> Result {
        match self {
            Self::Verify => {
                let client = match context.client() {
                    Ok(client) => client,
                    Err(failure) => return Err(damage(context, failure)),
                };
                let (reply, report) = verify(&client)?;
                context.show(&reply, |out, _: Value| show(out, &report))?;
                check(&report)
            }
            Self::Status => {
                let client = context.client()?;
                let reply = client.get(&path(&["v1", "log", "status"]))?;
                context.show(&reply, |out, mut status: Value| {
                    let bytes = |name: &str| status.get(name).and_then(Value::as_u64).unwrap_or_default();
                    // Files are the business of the database where there is one. And the smallest there are say nothing in percent.
                    let (has_files, is_small) = (bytes("state-bytes") > 0, bytes("logical-bytes") < SMALL);
                    if let Some(fields) = status.as_object_mut() {
                        fields.retain(|name, _| has_files || !name.ends_with("-bytes"));
                        fields.retain(|name, _| !is_small || name != "state-percent");
                    }
                    show_fields(out, &status);
                })
            }
        }
    }
}

/// A store so damaged that it does not open is a finding of the verification, not a failure of the machine.
fn damage(context: &Context, failure: Failure) -> Failure {
    let Failure::Unavailable(error) = &failure else { return failure };
    let Some(ServiceError::Store(StoreError::Corrupt { place, what })) = error.downcast_ref() else { return failure };
    let message = format!("{place}: {what}");
    context.out.value(&json!({ "sound": false, "problems": [{ "place": place, "message": message }] }));
    context.out.line(format_args!("DAMAGED\n  {message}"));
    Failure::Check("the log is damaged; restore the named file from a backup".to_owned())
}

/// Lets the service verify its log.
pub(crate) fn verify(client: &Client) -> Result<(Reply, Value)> {
    let _shown = Progress::start("verifying the log");
    let reply = client.post(&path(&["v1", "log", "verify"]), &json!({}))?;
    let report = reply.read()?;
    Ok((reply, report))
}

/// A failure unless the log was found to be whole.
pub(crate) fn check(report: &Value) -> Result {
    match is_sound(report) {
        true => Ok(()),
        false => {
            Err(Failure::Check("the log or the state is damaged; restore the named files from a backup".to_owned()))
        }
    }
}

pub(crate) fn is_sound(report: &Value) -> bool {
    report.get("sound").and_then(Value::as_bool) == Some(true)
}

fn show(out: Out, report: &Value) {
    show_fields(out, report);
    for problem in report.get("problems").and_then(Value::as_array).into_iter().flatten() {
        out.line(format_args!("  {}", problem.get("message").map_or_else(|| text_of(problem), text_of)));
    }
    out.line(if is_sound(report) {
        "ok: the log is whole, every chain holds, and the state agrees"
    } else {
        "DAMAGED"
    });
}

/// The plain fields of a report, one a line.
fn show_fields(out: Out, report: &Value) {
    let mut grid = Grid::new(&[left("What"), right("")]);
    for (name, value) in report.as_object().into_iter().flatten() {
        let shown = match value {
            Value::Array(_) | Value::Object(_) => continue,
            Value::Number(number) => number.as_u64().map_or_else(|| number.to_string(), count),
            other => text_of(other),
        };
        grid.row([name.replace(['-', '_'], " "), shown]);
    }
    out.table(&grid);
}
