//! What an error of the server means for the statement that got it.

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::error::StoreError;

/// What the functions of the schema say when a tenant's chain has moved; its detail names the tenants.
const HEAD_MOVED: &str = "BR001";

/// What to do about a failed statement or transaction.
#[derive(Debug)]
pub(super) enum Failure {
    /// Another host has committed for these tenants. Nothing was kept.
    Moved(Vec<u32>),
    /// The server gave up on this transaction for the sake of others, or it took too long. Nothing was kept.
    Again(String),
    /// The connection is gone: a commit that was under way is in doubt.
    Lost(String),
    /// The server refused. Nothing was kept, and the same will be refused again until somebody does something.
    Refused(String),
}

impl Failure {
    pub(super) fn of(error: &Error) -> Self {
        let Some(db) = error.as_db_error() else { return Self::Lost(words(error)) };
        let code = db.code();
        if code.code() == HEAD_MOVED {
            let tenants = db.detail().unwrap_or_default().split(',').filter_map(|tenant| tenant.trim().parse().ok());
            return Self::Moved(tenants.collect());
        }
        let again = [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::UNIQUE_VIOLATION,
            SqlState::QUERY_CANCELED,
            SqlState::LOCK_NOT_AVAILABLE,
        ];
        let lost = [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
            SqlState::TOO_MANY_CONNECTIONS,
        ];
        if again.contains(code) {
            Self::Again(words(error))
        } else if lost.contains(code) || code.code().starts_with("08") || error.is_closed() {
            Self::Lost(words(error))
        } else {
            Self::Refused(words(error))
        }
    }

    /// For reading: nothing can be in doubt.
    pub(super) fn read(error: &Error) -> StoreError {
        match Self::of(error) {
            Self::Moved(_) => StoreError::Conflict,
            Self::Again(why) => StoreError::Busy(format!("PostgreSQL: {why}")),
            Self::Lost(why) | Self::Refused(why) => unavailable(&why),
        }
    }
}

/// The database cannot be reached, or refuses.
pub(super) fn unavailable(why: &str) -> StoreError {
    StoreError::Unavailable(format!("PostgreSQL: {why}"))
}

/// The error in the words of the server, with its code.
pub(super) fn words(error: &Error) -> String {
    match error.as_db_error() {
        Some(db) => {
            let hint = db.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
            format!("{}{hint} [{}]", db.message(), db.code().code())
        }
        None => {
            let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
            format!("{error}{cause}")
        }
    }
}
