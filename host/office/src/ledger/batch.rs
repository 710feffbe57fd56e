//! Many entries at once: by themselves, in groups that stand or fall together, or all or none.

use backroom_domain::ledger::{BatchItem, BatchMode, MAX_BATCH, NewEntry};
use backroom_domain::rights::Operation;
use backroom_domain::{Class, Error};
use backroom_store::records::NameKind;

use crate::error::{Failure, Result};
use crate::ledger::journal::{Posted, find, post_as};
use crate::ledger::making::{SERIES, burn};
use crate::work::Work;

const OPERATION: Operation = Operation::JournalPostBatch;

/// What became of one entry of a batch.
pub type Outcome = std::result::Result<Posted, Error>;

/// Posts entries in their order, each as [`post`](super::post) does, and gives what became of each, in the same order.
///
/// If one of a group fails, nothing of the group is posted: who fails by itself says why, all of them, and the others say
/// `group-failed` with the first of those. With [`BatchMode::AllOrNothing`] the batch is one group.
///
/// # Errors
/// `batch-too-large`; `group-apart` (a number comes again behind another one). What is wrong with an entry is in its own outcome.
pub fn post_batch(work: &mut Work, items: Vec<BatchItem>, mode: BatchMode) -> Result<Vec<Outcome>> {
    if items.len() > MAX_BATCH {
        let message = format!("a batch has at most {MAX_BATCH} entries, not {}", items.len());
        return Err(Error::invalid("batch-too-large", "items", message).into());
    }
    let together = |a: &BatchItem, b: &BatchItem| match mode {
        BatchMode::AllOrNothing => true,
        BatchMode::Independent => a.group.is_some() && a.group == b.group,
    };
    check_groups(&items, mode)?;
    work.keeping(|work| {
        let mut outcomes = Vec::with_capacity(items.len());
        let mut items = items.into_iter().peekable();
        while let Some(item) = items.next() {
            if items.peek().is_none_or(|next| !together(&item, next)) {
                outcomes.push(outcome(post_as(work, OPERATION, item.entry))?);
                continue;
            }
            let mut group = vec![item];
            while let Some(next) = items.next_if(|next| group.last().is_some_and(|last| together(last, next))) {
                group.push(next);
            }
            post_group(work, &group, &mut outcomes)?;
        }
        Ok(outcomes)
    })
}

fn check_groups(items: &[BatchItem], mode: BatchMode) -> Result<()> {
    let mut seen = std::collections::BTreeSet::new();
    for group in items.chunk_by(|a, b| a.group == b.group) {
        let Some(number) = group.first().and_then(|item| item.group) else { continue };
        if !seen.insert(number) && mode == BatchMode::Independent {
            let message = format!("the entries of group {number} do not stand together");
            return Err(Error::invalid("group-apart", "items", message).into());
        }
    }
    Ok(())
}

fn post_group(work: &mut Work, group: &[BatchItem], outcomes: &mut Vec<Outcome>) -> Result<()> {
    let start = outcomes.len();
    let done = work.attempt(|work| {
        for item in group {
            outcomes.push(outcome(post_as(work, OPERATION, item.entry.clone()))?);
        }
        match outcomes.iter().skip(start).position(std::result::Result::is_err) {
            None => Ok(()),
            Some(first) => Err(group_failed(start + first).into()),
        }
    });
    let failed = match done {
        Ok(()) => return Ok(()),
        Err(Failure::Business(error)) => error,
        Err(failure) => return Err(failure),
    };
    // The ids that failed by themselves were given back with the group.
    for (item, outcome) in group.iter().zip(outcomes.iter_mut().skip(start)) {
        match outcome {
            Err(error) => burn_again(work, &item.entry, error.clone())?,
            // What was on record before is there still; what the group repeated of itself is not.
            Ok(posted) if posted.replayed && find(work, &posted.entry.new.id)?.is_some() => {}
            Ok(_) => *outcome = Err(failed.clone()),
        }
    }
    Ok(())
}

fn burn_again(work: &mut Work, entry: &NewEntry, error: Error) -> Result<()> {
    match burn(work, SERIES, NameKind::FailedEntry, &entry.id, error.into()) {
        Failure::Business(_) => Ok(()),
        failure => Err(failure),
    }
}

fn group_failed(index: usize) -> Error {
    let message = format!("the entry at {index} of its group failed, so nothing of it was posted");
    Error::at(Class::Refused, "group-failed", format!("items[{index}]"), message)
}

fn outcome(done: Result<Posted>) -> Result<Outcome> {
    match done {
        Ok(posted) => Ok(Ok(posted)),
        Err(Failure::Business(error)) => Ok(Err(error)),
        Err(failure) => Err(failure),
    }
}
