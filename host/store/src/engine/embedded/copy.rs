//! Copies of the whole state, made while the service goes on: for checkpoints, and for writing the index anew.
//!
//! No snapshot is held meanwhile, so nobody waits for it and nothing piles up. The heads are those at one revision; every
//! other record is as new as that or newer. Playing the log from that revision on makes the copy exact, as after a crash.

use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use super::core::Core;
use super::view::View;
use crate::engine::Snapshot as _;
use crate::error::StoreError;
use crate::index::{head_key, is_head};
use crate::types::{Revision, TenantNo};

/// Records read at once.
const CHUNK: usize = 512;
/// How often it is looked whether the index has come as far as the heads.
const POLL: Duration = Duration::from_millis(2);

/// Takes keys and values.
pub(super) type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> Result<(), StoreError> + 'a;

/// The beginning of a copy.
pub(super) struct Heads {
    pub(super) revision: Revision,
    /// Keys and values of the heads at that revision.
    pub(super) heads: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Takes the heads, and waits until the index has all records up to them.
///
/// # Errors
/// What reading reports; [`StoreError::Busy`] if the store is being closed or has stopped.
pub(super) fn begin(core: &Arc<Core>) -> Result<Heads, StoreError> {
    let copied = heads(core)?;
    while core.applied() < copied.revision {
        may_go_on(core)?;
        std::thread::sleep(POLL);
    }
    Ok(copied)
}

/// What a copy takes is also room for the index in use, which is left what it needs.
fn may_go_on(core: &Core) -> Result<(), StoreError> {
    core.check_copying()?;
    if core.room_is_low() { Err(StoreError::Busy("there is no room to copy the state".into())) } else { Ok(()) }
}

fn heads(core: &Arc<Core>) -> Result<Heads, StoreError> {
    let view = View::new(Arc::clone(core), core.snapshots.register(|| core.durable()));
    let (mut heads, mut next) = (Vec::new(), Some(TenantNo(0)));
    while let Some(from) = next {
        let tenant = view.next_tenant(from)?;
        if let Some(tenant) = tenant {
            let key = head_key(tenant);
            let head = view.get(&key)?.ok_or_else(|| {
                StoreError::corrupt(format!("the head of tenant {tenant}"), "there are records and no head")
            })?;
            heads.push((key, head.to_vec()));
        }
        next = tenant.and_then(|tenant| tenant.0.checked_add(1)).map(TenantNo);
    }
    Ok(Heads { revision: view.revision(), heads })
}

/// Shows every record that is no head, in order of keys.
///
/// # Errors
/// As [`begin`], and what `visit` reports.
pub(super) fn records(core: &Core, visit: &mut Visit<'_>) -> Result<(), StoreError> {
    // All keys begin with four bytes of the tenant; shorter keys are the index's own.
    let mut from = Bound::Included(vec![0; 4]);
    loop {
        may_go_on(core)?;
        let chunk = core.read_state(|index| index.chunk((from.clone(), Bound::Unbounded), false, CHUNK))?;
        let Some((last, _)) = chunk.last() else { return Ok(()) };
        from = Bound::Excluded(last.to_vec());
        for (key, value) in chunk.iter().filter(|(key, _)| !is_head(key)) {
            visit(key, value)?;
        }
    }
}
