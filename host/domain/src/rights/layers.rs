//! Layers of rights, all of which must allow a call: the caller's, the plugin's wants, the operator's grants.
//!
//! A check that allows takes a fraction of a microsecond and no memory; only a denial writes its message.

use std::sync::Arc;

use super::{Grant, Operation, Rights};
use crate::{BusinessDate, Error, Result};

/// The rights of a caller, as of a day.
#[derive(Debug, Clone, Copy)]
pub struct Layers<'a> {
    layers: &'a [Arc<Rights>],
    day: BusinessDate,
}

/// One condition of a grant. In a list of them, each is asked of grants that meet the ones before, so that the code of a
/// denial says how far it went.
pub(super) struct Stage<'a> {
    pub(super) code: &'static str,
    pub(super) test: &'a dyn Fn(&Grant) -> bool,
    /// Says what was asked for, never what there is.
    pub(super) message: &'a dyn Fn() -> String,
}

impl<'a> Layers<'a> {
    /// `day` is the UTC day of the run's clock, after which grants expire.
    pub fn new(layers: &'a [Arc<Rights>], day: BusinessDate) -> Self {
        Self { layers, day }
    }

    /// Has each layer a grant, in force and for this operation, that passes the test? No layers: no rights.
    pub(super) fn allows(&self, operation: Operation, test: impl Fn(&Grant) -> bool) -> bool {
        self.every_layer(|grants| {
            grants.iter().any(|grant| self.in_force(grant) && grant.is_for(operation) && test(grant))
        })
    }

    pub(super) fn every_layer(&self, test: impl Fn(&[Grant]) -> bool) -> bool {
        !self.layers.is_empty() && self.layers.iter().all(|layer| test(layer.grants()))
    }

    pub(super) fn in_force(&self, grant: &Grant) -> bool {
        grant.expires.is_none_or(|last| self.day <= last)
    }

    /// Is there such a grant in any layer?
    pub(super) fn some(&self, test: impl Fn(&Grant) -> bool) -> bool {
        self.layers.iter().any(|layer| layer.grants().iter().any(&test))
    }

    /// `denied` unless each layer has a grant that passes all stages.
    pub(super) fn check(&self, operation: Operation, stages: &[Stage<'_>]) -> Result<()> {
        if self.allows(operation, |grant| stages.iter().all(|stage| (stage.test)(grant))) {
            return Ok(());
        }
        let passed =
            |count: usize| self.allows(operation, |grant| stages.iter().take(count).all(|stage| (stage.test)(grant)));
        let failed = (1..=stages.len()).find(|count| !passed(*count)).unwrap_or(stages.len());
        match stages.get(failed.saturating_sub(1)) {
            Some(stage) => Err(Error::denied(stage.code, (stage.message)())),
            None => Err(Error::denied("denied", "no grant allows this")),
        }
    }
}
