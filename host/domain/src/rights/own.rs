//! Rights that are had or not, with nothing to say about how much: own state, and setting up master data.

use super::facet::Facets;
use super::layers::{Layers, Stage};
use super::{Checks, Kind, Operation, Operations};
use crate::Result;

/// May keep state of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct State(pub(super) bool);

/// May be built for a system.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observe(pub(super) bool);

/// May set up master data.
#[derive(Debug, Clone, Copy)]
pub(super) struct Administer(pub(super) bool);

impl Layers<'_> {
    /// `denied` unless own state may be kept.
    pub fn check_state(&self, operation: Operation) -> Result<()> {
        self.check(
            operation,
            &[Stage {
                code: "state-denied",
                test: &|grant| grant.state,
                message: &|| "no grant to keep state".to_owned(),
            }],
        )
    }

    /// `denied` unless a plugin may have what a system has that does nothing.
    pub fn check_observe(&self) -> Result<()> {
        self.check(
            Operation::Other,
            &[Stage {
                code: "observe-denied",
                test: &|grant| grant.observe,
                message: &|| "no grant to observe (WASI)".to_owned(),
            }],
        )
    }

    /// `denied` unless master data may be set up.
    pub fn check_administer(&self) -> Result<()> {
        self.check(
            Operation::Other,
            &[Stage {
                code: "administer-denied",
                test: &|grant| grant.administer,
                message: &|| "no right to set up master data".to_owned(),
            }],
        )
    }
}

impl Kind for State {
    fn check(&self, _: &mut Checks) {}

    fn facets(&self, out: &mut Facets) {
        out.named_words("state", self.0.then_some("yes"));
    }

    fn words(&self, out: &mut Vec<String>) {
        out.extend(self.0.then(|| "Keep notes of its own from run to run.".to_owned()));
    }

    fn serves(&self, out: &mut Vec<(&'static str, Operations)>) {
        use Operation::{StateDelete, StateGet, StateList, StateSet};
        out.extend(self.0.then(|| ("state", Operations::of(&[StateGet, StateSet, StateDelete, StateList]))));
    }

    fn is_empty(&self) -> bool {
        !self.0
    }
}

impl Kind for Observe {
    fn check(&self, _: &mut Checks) {}

    fn facets(&self, out: &mut Facets) {
        out.named_words("observe", self.0.then_some("yes"));
    }

    fn words(&self, out: &mut Vec<String>) {
        out.extend(
            self.0.then(|| "See the run's clock and write to its log, as programs built for a system do.".to_owned()),
        );
    }

    fn serves(&self, _: &mut Vec<(&'static str, Operations)>) {}

    fn is_empty(&self) -> bool {
        !self.0
    }
}

impl Kind for Administer {
    fn check(&self, _: &mut Checks) {}

    fn facets(&self, out: &mut Facets) {
        out.named_words("administer", self.0.then_some("yes"));
    }

    fn words(&self, out: &mut Vec<String>) {
        out.extend(self.0.then(|| "Set up accounts, workers, items and locations.".to_owned()));
    }

    fn serves(&self, _: &mut Vec<(&'static str, Operations)>) {}

    fn is_empty(&self) -> bool {
        !self.0
    }
}
