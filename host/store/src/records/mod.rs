//! The record spaces: which domain record stands under which key. One file per domain.
//!
//! | space | record | key |
//! | --- | --- | --- |
//! | 1-9 | provider's own: tenants, API keys, releases | see `control` |
//! | 10-19 | installations, runs, plugin state, counters, sums of a day, limits; runs that wait | see `control`, `queue` |
//! | 20-29 | ledger | see `ledger` |
//! | 30-39 | HR | see `hr` |
//! | 40-49 | inventory | see `inventory` |
//! | 50-59 | files | see `files` |
//! | 85-99 | open items, bank statements | see `items` |
//! | 60-69 | calls to the outside | see `secrets` |
//! | 70-79 | periods, rates, budgets | see `periods` |
//!
//! A number is never used again for something else.

mod control;
mod files;
mod hr;
mod inventory;
mod items;
mod ledger;
mod periods;
mod queue;
mod secrets;
pub mod sql;

pub use control::{
    ApiKey, Counter, DayTotal, Installation, Limits, Release, Role, RunRecord, RunStatus, StateValue, Tenant,
    TenantLimits,
};
pub use files::*;
pub use hr::*;
pub use inventory::*;
pub use items::{ClosedItem, OpenBankLine, StatementId};
pub use ledger::*;
pub use periods::*;
pub use queue::{QueueLength, QueuePlace, QueuedRun};
pub use secrets::Secret;

use backroom_domain::files::FilePath;
use backroom_domain::{BusinessDate, Id};

use crate::key::RecordKey;

impl RecordKey for Id {
    fn write(&self, out: &mut Vec<u8>) {
        self.as_str().write(out);
    }
}

impl RecordKey for FilePath {
    fn write(&self, out: &mut Vec<u8>) {
        self.as_str().write(out);
    }
}

impl RecordKey for BusinessDate {
    fn write(&self, out: &mut Vec<u8>) {
        self.number().write(out);
    }
}
