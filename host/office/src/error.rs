//! A use case ends in a business "no" or in a failure of the store; nothing else.

use backroom_domain::Error;
use backroom_store::StoreError;

/// Why a use case gave no result.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Failure {
    /// A business "no"; for the caller.
    #[error(transparent)]
    Business(#[from] Error),
    /// The store could not do its part; the unit of work is lost and nothing was kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The result of every use case.
pub type Result<T> = std::result::Result<T, Failure>;
