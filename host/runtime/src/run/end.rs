//! An execution, and the rules of its end: JSON that is not too deep, changes that fit into one entry of the log.

use std::sync::Arc;

use backroom_domain::rights::{HrField, Rights};
use backroom_domain::{Class, Error, Id};
use backroom_office::limits::Budget;
use backroom_office::runs::{Fault, FaultKind, LogLine};
use backroom_office::{Failure, Sealed, Work};
use backroom_store::{MAX_CHANGES, StoreError};
use serde_json::value::RawValue;

use super::Installed;
use crate::engine::Runtime;
use crate::error::RunnerError;
use crate::exec::{Execution, Outcome, Setup};
use crate::outbound::Calls;
use crate::plugin::Plugin;

/// Changes of a commit that are the service's own: the record of the run, its place in the queue, sums of days.
const OWN_CHANGES: usize = 64;

/// What an execution came to once the rules of the end were checked.
#[expect(clippy::large_enum_variant, reason = "one a run, and taken apart at once")]
pub(crate) enum End {
    /// It can be committed.
    Ok(Sealed, Box<RawValue>),
    Refused(Error),
    Failed(Fault),
}

/// Every layer that must allow a call: the caller, what the plugin wants, what the operator grants.
pub(crate) fn layers(own: Arc<Rights>, plugin: &Plugin, installation: &Installed) -> Vec<Arc<Rights>> {
    vec![own, Arc::clone(&plugin.manifest().wants), Arc::clone(&installation.grants)]
}

/// Executes, and checks the rules of the end. What the store cannot do is an error; all else is an end.
pub(crate) fn execute(
    runtime: &Runtime,
    plugin: &Plugin,
    work: Work,
    (installation, budget): (&Installed, &Budget),
    input: &Arc<str>,
    calls: Calls,
    fails_at: Option<u32>,
) -> Result<(End, Tail), RunnerError> {
    let (config, input) = (Arc::clone(&installation.config), Arc::clone(input));
    let setup = Setup { config, limits: budget.limits, input, apart: budget.own_process };
    let execution = runtime.execute_with(plugin, work, setup, calls, fails_at);
    let Execution { outcome, work, fuel, host_calls, log, log_dropped, calls, .. } = execution;
    let erased = work.erased_since();
    let end = match outcome {
        Outcome::Ok { output } => match RawValue::from_string(output) {
            Err(why) => End::Failed(Fault::new(FaultKind::Output, format!("the output is not JSON: {why}"))),
            Ok(output) if is_deeper(output.get(), budget.limits.depth) => {
                let message =
                    format!("the output nests deeper than {}, and many who read it could not", budget.limits.depth);
                End::Failed(Fault::new(FaultKind::OutputDepth, message))
            }
            // Whether there is room is not left to the commit: a plan says so as well.
            Ok(output) => match fits(work.tx().changes()).map_err(Failure::Business).and_then(|()| work.seal()) {
                Ok(sealed) => End::Ok(sealed, output),
                Err(Failure::Business(error)) => End::Refused(error),
                Err(Failure::Store(error)) => return Err(error.into()),
            },
        },
        Outcome::Refused(error) => End::Refused(error),
        Outcome::Failed(fault) if fault.kind.is_passing() => {
            runtime.tally.count(Some(fault.kind));
            return Err(fault.into());
        }
        Outcome::Failed(fault) if fault.kind == FaultKind::Fuel && budget.by_day => {
            let message =
                format!("what runs may come to in a day is used up: {} units of work were left", budget.limits.fuel);
            End::Failed(Fault::new(FaultKind::DayFuel, message))
        }
        Outcome::Failed(fault) => End::Failed(fault),
    };
    runtime.tally.count(if let End::Failed(fault) = &end { Some(fault.kind) } else { None });
    Ok((end, Tail { fuel, host_calls, log, log_dropped, erased, calls }))
}

/// Whether so many changes fit into one entry of the log, beside those of the service.
fn fits(changes: usize) -> Result<(), Error> {
    let limit = MAX_CHANGES - OWN_CHANGES;
    match changes > limit {
        true => Err(too_large(&StoreError::TooLarge { what: "the number of changes", size: changes, limit })),
        false => Ok(()),
    }
}

/// What it changed does not fit into one entry of the log.
pub(super) fn too_large(error: &StoreError) -> Error {
    Error::new(Class::Invalid, "too-large", error.to_string())
}

/// Whether arrays and objects nest deeper than `limit` in a text that is JSON.
fn is_deeper(json: &str, limit: u32) -> bool {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    // Mostly there are not even so many brackets, and counting them takes a tenth of the time.
    json.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count() > limit && depth(json) > limit
}

/// How deep they nest.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// What there is to say of every execution, however it ended.
pub(crate) struct Tail {
    pub(crate) fuel: u64,
    pub(crate) host_calls: u32,
    pub(crate) log: Vec<LogLine>,
    pub(crate) log_dropped: u64,
    /// Personal data that it asked for and that have been erased since: none unless it is a replay.
    pub(crate) erased: Vec<(Id, HrField)>,
    /// What it sent to the outside.
    pub(crate) calls: Calls,
}

#[cfg(test)]
mod tests {
    use super::{depth, fits, is_deeper};

    #[test]
    fn an_entry_has_room_for_so_many_changes_and_those_of_the_service() {
        fits(65_472).unwrap();
        let error = fits(65_473).unwrap_err();
        assert_eq!((error.class, error.code()), (backroom_domain::Class::Invalid, "too-large"));
    }

    #[test]
    fn depth_counts_what_nests_and_no_letters() {
        let rows = [("1", 0), ("[]", 1), (r#"{"a":[1,{"b":2}],"c":[]}"#, 3), (r#"["[[[", "\"[[", "\\", [1]]"#, 2)];
        for (json, expected) in rows {
            assert_eq!(depth(json), usize::try_from(expected).unwrap(), "{json}");
            assert!(!is_deeper(json, expected) && (expected == 0 || is_deeper(json, expected - 1)), "{json}");
        }
    }
}
