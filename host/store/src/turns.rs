//! Turns: writers of one tenant go one after the other, writers of different tenants never wait for each other.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{ArcMutexGuard, Mutex, RawMutex};

use crate::types::TenantNo;

/// A tenant's turn. It ends when this is dropped.
pub(crate) type Turn = ArcMutexGuard<RawMutex, ()>;

/// One lock per tenant that ever wrote. They are never taken away: a tenant costs some fifty bytes.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<TenantNo, Arc<Mutex<()>>>>);

impl Turns {
    /// Waits for the turn, but not longer than `timeout`.
    pub(crate) fn take(&self, tenant: TenantNo, timeout: Duration) -> Option<Turn> {
        let turn = Arc::clone(self.0.lock().entry(tenant).or_default());
        turn.try_lock_arc_for(timeout)
    }
}
