//! Runs that wait: a tenant's queue, in the order in which they were asked for.

use backroom_domain::Id;
use backroom_store::records::{QueueLength, QueuePlace, QueuedRun};
use backroom_store::{StoreError, Tx};

type Result<T> = std::result::Result<T, StoreError>;

/// Runs of one tenant that may wait. A month's end with every workflow of a large client is a tenth of it.
pub const MAX_QUEUED: u64 = 1_000;

/// The longest input of a run that waits, in bytes: it is part of a record.
pub const MAX_QUEUED_INPUT: usize = 32 << 10;

/// How many runs of the tenant wait.
pub fn length(tx: &Tx) -> Result<u64> {
    Ok(tx.get::<QueueLength>(&())?.unwrap_or_default().length)
}

/// The run with this id, if it waits. Where nothing waits, that is known from one record which every run reads.
pub fn waiting(tx: &Tx, id: &Id) -> Result<Option<QueuedRun>> {
    if length(tx)? == 0 { Ok(None) } else { tx.get(id) }
}

/// The run that comes next.
pub fn first(tx: &Tx) -> Result<Option<QueuePlace>> {
    Ok(tx.scan::<QueuePlace>(&(), None, 1)?.pop().map(|(_, place)| place))
}

/// Stages that a run waits. The caller has found that there is room, and no run with its id.
pub fn add(tx: &mut Tx, run: &QueuedRun) -> Result<()> {
    let length = length(tx)?.saturating_add(1);
    tx.put(&QueueLength { length })?;
    tx.put(&QueuePlace { number: run.number, id: run.id.clone(), queued_at: run.queued_at })?;
    tx.put(run)
}

/// Stages that a run does not wait any more: in the unit of work of the run itself, so that it is done once and not lost.
pub fn remove(tx: &mut Tx, run: &QueuedRun) -> Result<()> {
    let length = length(tx)?.saturating_sub(1);
    tx.put(&QueueLength { length })?;
    tx.delete::<QueuePlace>(&run.number);
    tx.delete::<QueuedRun>(&run.id);
    Ok(())
}
