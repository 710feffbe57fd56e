//! What the host knows during one run: who asks, what was staged, what the sandbox says.

use std::collections::BTreeMap;
use std::sync::Arc;

use backroom_office::Work;
use backroom_office::runs::{Fault, FaultKind};
use backroom_store::records::Limits;

use crate::error::HostError;
use crate::guest::{Guest, Holds, Names};
use crate::outbound::Calls;

/// What one run can hand over to be staged, in bytes: well below what one entry of the commit log can hold.
const MAX_STAGED: usize = 16 << 20;

/// The state behind the host functions of one run. It never outlives the run.
pub(crate) struct RunState {
    pub(crate) guest: Guest,
    pub(crate) work: Work,
    pub(crate) config: Arc<BTreeMap<String, String>>,
    /// What is sent to the outside.
    pub(crate) calls: Calls,
    /// Bytes that were handed over to be staged.
    staged: usize,
}

impl Holds for RunState {
    fn guest(&mut self) -> &mut Guest {
        &mut self.guest
    }
}

impl RunState {
    pub(crate) fn new(work: Work, config: Arc<BTreeMap<String, String>>, limits: Limits) -> Self {
        let caller = &work.caller;
        let names = Names { installation: caller.installation.clone(), run: caller.run.clone(), now: work.now };
        Self { guest: Guest::new(names, limits), work, config, calls: Calls::default(), staged: 0 }
    }

    /// After a host call that may have staged something.
    pub(crate) fn staged(&mut self, bytes: usize) -> Result<(), HostError> {
        self.staged = self.staged.saturating_add(bytes);
        if self.staged > MAX_STAGED {
            let message = format!("more than {} MiB of changes; split the work over several runs", MAX_STAGED >> 20);
            return Err(Fault::new(FaultKind::Effects, message).into());
        }
        let limit = usize::try_from(self.guest.limits.effects).unwrap_or(usize::MAX);
        if self.work.effects().len() <= limit {
            return Ok(());
        }
        let message = format!("more than {limit} effects; split the work over several runs");
        Err(Fault::new(FaultKind::Effects, message).into())
    }
}
