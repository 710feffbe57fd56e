//! The one place that asks the machine for the time. Everything below gets it as an argument.

use std::time::{SystemTime, UNIX_EPOCH};

use backroom_domain::Instant;

/// Now, in microseconds since 1970.
pub(crate) fn now() -> Instant {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Instant(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}
