//! Which rights a plugin makes use of: a right is used if the same run without it is another one.
//!
//! Runs are deterministic, so that whatever the plugin does when it is denied something shows, if only in the fuel that it took.

use std::sync::Arc;

use backroom_domain::Error;
use backroom_domain::rights::{Grant, Imports, Operation, Operations, Rights};
use backroom_runtime::{Manifest, Mode, RunReport, RunRequest};
use serde::Serialize;
use serde_json::{Value, json};

use super::world::{World, everything};

/// What the scenarios have used so far.
pub(super) struct Coverage {
    manifest: Manifest,
    /// Those of the functions that the component imports which need a right.
    operations: Vec<Operation>,
    used: Operations,
    wants: Vec<bool>,
}

/// A right that the plugin wants and no scenario needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Unused {
    /// Which of `[[wants]]`, from 1.
    pub(crate) want: usize,
    /// What it says it is for.
    pub(crate) why: String,
    /// Which rights of it, by name; all of them if none is named.
    pub(crate) rights: Vec<String>,
}

impl Coverage {
    /// Of a plugin that nothing was tried of yet.
    pub(super) fn of(manifest: &Manifest, functions: &[String]) -> Self {
        let operations = functions.iter().filter_map(|name| Operation::parse(name).ok()).collect();
        let wants = vec![false; manifest.wants.grants().len()];
        Self { manifest: manifest.clone(), operations, used: Operations::default(), wants }
    }

    /// Notes what a run uses, and tells which operations.
    pub(super) fn note(&mut self, world: &World, request: &RunRequest) -> Vec<Operation> {
        let request = RunRequest { mode: Mode::DryRun, ..request.clone() };
        let as_it_is = seen(&world.run(request.clone()));
        let needs = |rights: Rights| {
            let rights = Arc::new(rights);
            seen(&world.run(RunRequest { rights, ..request.clone() })) != as_it_is
        };
        let used: Vec<Operation> =
            self.operations.iter().copied().filter(|operation| needs(without(*operation))).collect();
        self.used = self.used.or(Operations::of(&used));
        for (number, known) in self.wants.iter_mut().enumerate() {
            *known = *known || needs(all_but(&self.manifest.wants, number));
        }
        used
    }

    /// What is wanted and was not used.
    pub(super) fn unused(&self) -> Vec<Unused> {
        let mut unused = Vec::new();
        for (number, (want, used)) in self.manifest.wants.grants().iter().zip(&self.wants).enumerate() {
            let functions = self.used.iter().map(Operation::name);
            let rights = match used {
                true => Imports::compare(&Rights::from(want.clone()), functions).wanted_not_used,
                false => Vec::new(),
            };
            if !used || !rights.is_empty() {
                unused.push(Unused { want: number + 1, why: want.why.clone().unwrap_or_default(), rights });
            }
        }
        unused
    }
}

/// All rights but to one operation.
pub(super) fn without(operation: Operation) -> Rights {
    let others = Operations::of(Operation::NAMED).without(Operations::of(&[operation]));
    let mut grants: Vec<Grant> = everything().grants().to_vec();
    grants.iter_mut().for_each(|grant| grant.operations = Some(others));
    // What has no name among the operations: a system that shows nothing.
    grants.push(Grant { observe: true, ..Grant::default() });
    grants.into()
}

fn all_but(wants: &Rights, number: usize) -> Rights {
    let mut left = wants.grants().to_vec();
    if number < left.len() {
        left.remove(number);
    }
    left.into()
}

/// All that can be seen of a run.
fn seen(run: &Result<RunReport, Error>) -> Value {
    match run {
        Ok(report) => json!([
            report.status,
            report.output,
            report.error,
            report.fault,
            report.effects,
            report.log,
            report.fuel,
            report.host_calls
        ]),
        Err(error) => json!(error),
    }
}
