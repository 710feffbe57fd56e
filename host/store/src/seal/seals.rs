//! Sealing and opening for one tenant, with the keys that a unit of work draws.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use backroom_domain::Id;
use parking_lot::Mutex;
use zeroize::Zeroizing;

use super::PersonKey;
use crate::error::StoreError;
use crate::key::RecordKey as _;
use crate::keyring::{KeyState, Keyring};
use crate::record::Record;
use crate::types::TenantNo;

/// Seals and opens personal data of one tenant. A person who has no key yet gets one, which is kept when the unit of work is
/// committed and forgotten with it otherwise: a plan leaves no key behind.
pub struct Seals {
    keyring: Arc<dyn Keyring>,
    tenant: TenantNo,
    /// Whether what is sealed is going to be kept.
    keeps: bool,
    used: Mutex<Used>,
}

#[derive(Default)]
struct Used {
    /// Drawn here and in no keyring.
    own: BTreeMap<Id, Own>,
    /// Something was sealed with a key.
    any: bool,
}

/// A key that was drawn here.
#[derive(Clone)]
enum Own {
    /// Of somebody who had none.
    New(PersonKey),
    /// Instead of one that was destroyed; never kept.
    Instead(PersonKey),
}

impl Seals {
    pub(crate) fn new(keyring: Arc<dyn Keyring>, tenant: TenantNo, keeps: bool) -> Self {
        Self { keyring, tenant, keeps, used: Mutex::default() }
    }

    /// Whose data it seals.
    #[must_use]
    pub fn tenant(&self) -> TenantNo {
        self.tenant
    }

    /// Whether nothing was ever sealed for `person` here: there is no key and never was one.
    ///
    /// # Errors
    /// What the keyring reports.
    pub fn is_new(&self, person: &Id) -> Result<bool, StoreError> {
        Ok(matches!(self.keyring.get(self.tenant, person)?, KeyState::Absent))
    }

    /// Seals `text`, which will be part of the record of `R` with this key and is about `person`. Where nothing is kept (a replay of
    /// the past), a key that was destroyed since is replaced by one that ends with the unit of work.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] in a unit of work for writing if the key was destroyed; what the keyring reports.
    pub fn seal<R: Record>(&self, person: &Id, key: &R::Key, text: &[u8]) -> Result<Vec<u8>, StoreError> {
        let with = self.key_for_sealing(person)?;
        let sealed = super::seal(&with, &place::<R>(key), text);
        sealed.map_err(|source| StoreError::Codec { tenant: self.tenant, space: R::SPACE, source })
    }

    /// Opens what [`Seals::seal`] made for the same place. None if the person's key was destroyed: the data are erased.
    ///
    /// # Errors
    /// [`StoreError::KeysMissing`] if the key is neither there nor destroyed; [`StoreError::Codec`] if it does not fit what is
    /// sealed.
    pub fn open<R: Record>(
        &self,
        person: &Id,
        key: &R::Key,
        sealed: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let place = place::<R>(key);
        let own = self.used.lock().own.get(person).cloned();
        let with = match own {
            Some(Own::New(with)) => with,
            // What it does not open was sealed with the key that is gone.
            Some(Own::Instead(with)) => return Ok(super::open(&with, &place, sealed).ok()),
            None => match self.keyring.get(self.tenant, person)? {
                KeyState::Key(with) => with,
                KeyState::Destroyed => return Ok(None),
                KeyState::Absent => {
                    return Err(StoreError::KeysMissing { tenant: self.tenant, person: person.clone() });
                }
            },
        };
        let opened = super::open(&with, &place, sealed);
        opened.map(Some).map_err(|source| StoreError::Codec { tenant: self.tenant, space: R::SPACE, source })
    }

    /// Makes every key that something was sealed with durable. Before the entry that needs them gets its place.
    pub(crate) fn keep(&self) -> Result<(), StoreError> {
        let mut used = self.used.lock();
        if !used.any {
            return Ok(());
        }
        let own = std::mem::take(&mut used.own).into_iter();
        let new: Vec<_> = own
            .filter_map(|(person, key)| match key {
                Own::New(key) => Some((person, key)),
                Own::Instead(_) => None,
            })
            .collect();
        self.keyring.keep(self.tenant, &new)
    }

    fn key_for_sealing(&self, person: &Id) -> Result<PersonKey, StoreError> {
        let mut used = self.used.lock();
        used.any = true;
        if let Some(Own::New(key) | Own::Instead(key)) = used.own.get(person) {
            return Ok(key.clone());
        }
        let own = match self.keyring.get(self.tenant, person)? {
            KeyState::Key(key) => return Ok(key),
            KeyState::Destroyed if self.keeps => {
                let what = format!("the key of {person} was destroyed, so nothing about them can be recorded");
                return Err(self.damaged(what));
            }
            KeyState::Destroyed => Own::Instead,
            KeyState::Absent => Own::New,
        };
        let key = PersonKey::draw()?;
        used.own.insert(person.clone(), own(key.clone()));
        Ok(key)
    }

    fn damaged(&self, what: String) -> StoreError {
        StoreError::corrupt(format!("the keys of the persons of tenant {}", self.tenant), what)
    }
}

/// Where in a tenant's records it stands. Not which tenant's: the key says that, and a tenant that moves to another service
/// takes its entries and its keys along.
fn place<R: Record>(key: &R::Key) -> Vec<u8> {
    let mut place = vec![R::SPACE];
    key.write(&mut place);
    place
}

impl fmt::Debug for Seals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seals").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}
