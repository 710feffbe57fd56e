//! Doing again what another host came before.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

/// How often something is done again because another host committed for the tenant first
/// ([`StoreError::Conflict`](crate::StoreError::Conflict)). Nothing was kept of it, so that does no harm; but somebody waits.
///
/// Where two hosts had 16 callers each that wrote for one tenant, and a read took 4 ms as if the database were far away, about
/// half of what they tried met the other's: 8 times more were too few for one write in 500 (measured), and 32 are for one in
/// thousands of millions.
pub const MAX_CONFLICTS: u32 = 32;

/// The first pause before that.
const PAUSE: Duration = Duration::from_millis(2);

/// The longest one: some commits of another host. All of them together are less than two seconds.
const LONGEST_PAUSE: Duration = Duration::from_millis(64);

/// The pauses before something is done again, [`MAX_CONFLICTS`] of them: each one is twice as long as the one before until that is
/// long, and between half and the whole of it is taken.
pub fn conflict_pauses() -> impl Iterator<Item = Duration> + Send {
    let next = |pause: &Duration| Some(LONGEST_PAUSE.min(*pause * 2));
    let some = |pause: Duration| {
        let random = u32::try_from(RandomState::new().hash_one(pause) % 64).unwrap_or(0);
        pause / 2 + pause * random / 128
    };
    std::iter::successors(Some(PAUSE), next).map(some).take(MAX_CONFLICTS as usize)
}
