//! The one way in: everything is staged in a unit of work, or nothing is.

use backroom_domain::Error;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::files::File;
use super::problems::RowProblem;
use super::read::ImportSet;
use super::stage::Stage;
use crate::error::Failure;
use crate::work::Work;

/// Why nothing was imported.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ImportFailure {
    /// Something is wrong with the files: everything that was found, by file and line; never empty.
    #[error("{} problems in the files; nothing was imported", .0.len())]
    Rows(Vec<RowProblem>),
    /// The caller has not the right, or the store could not do its part.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl From<Error> for ImportFailure {
    fn from(error: Error) -> Self {
        Self::Failure(error.into())
    }
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImportSummary {
    /// The files that were sent, in the order in which they were applied.
    pub files: Vec<FileSummary>,
}

/// What an import did with the rows of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileSummary {
    /// The file.
    pub file: String,
    /// Rows that were staged; of a journal, accounts and entries.
    pub created: u64,
    /// Rows that were there already, with the same content.
    pub replayed: u64,
}

/// Stages everything in `set`: accounts (parents before children, in whatever order they stand), the opening entry, the journal, workers,
/// employments, items, locations, lots, and the stock. The work is to be sealed and committed if this succeeds, and to be
/// dropped if it does not: rows without problems are staged nevertheless, to find the problems of those that build on them.
///
/// Errors: `administer-denied`, and what the use cases deny; then [`ImportFailure::Rows`] with all problems of the files by
/// themselves ([`ImportSet::problems`]) and all problems with the tenant's records together.
pub fn apply(work: &mut Work, set: &ImportSet) -> Result<ImportSummary, ImportFailure> {
    work.rights().check_administer()?;
    let mut stage = Stage::new(work, set);
    stage.accounts()?;
    stage.opening()?;
    stage.journal()?;
    stage.workers()?;
    stage.employments()?;
    stage.items()?;
    stage.locations()?;
    stage.lots()?;
    stage.stock()?;
    stage.stock_control()?;
    let (counts, problems) = stage.finish();
    if !problems.is_empty() {
        return Err(ImportFailure::Rows(problems.into_rows()));
    }
    let summary = |file: File| {
        let (created, replayed) = counts.get(&file).copied().unwrap_or_default();
        FileSummary { file: file.name().to_owned(), created, replayed }
    };
    Ok(ImportSummary { files: set.sent.iter().map(|file| summary(*file)).collect() })
}
