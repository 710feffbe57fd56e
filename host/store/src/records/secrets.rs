//! Secrets that the host fills into requests.
//!
//! | space | record | key |
//! | --- | --- | --- |
//! | 60 | [`Secret`] | name |

use backroom_domain::{Id, Instant, Result};

use crate::record::Record;

/// A secret, sealed with a key of its own, which is destroyed when the secret is replaced or deleted: the log has no way to open
/// it then.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct Secret {
    /// The name in placeholders and grants.
    #[n(0)]
    pub name: Id,
    /// The number of its key: another one each time it is set.
    #[n(1)]
    pub number: u64,
    /// What is secret.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
    /// When it was set.
    #[n(3)]
    pub updated_at: Instant,
    /// By whom.
    #[n(4)]
    pub actor: String,
}

impl Secret {
    /// The series that the numbers of keys are taken from.
    pub const SERIES: &'static str = "secret";

    /// The name of its key among the keys of persons.
    ///
    /// # Errors
    /// Never: it is an id.
    pub fn key_name(number: u64) -> Result<Id> {
        Id::parse(&format!("secret:{number}"), "secret")
    }
}

impl Record for Secret {
    const SPACE: u8 = 60;
    type Key = Id;
    fn key(&self) -> Id {
        self.name.clone()
    }
}
