//! Sealing and opening for one tenant, with the keys that a unit of work draws.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use backroom_domain::Id;
use parking_lot::Mutex;
use zeroize::Zeroizing;

use super::PersonKey;
use crate::error::StoreError;
use crate::key::full_key;
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
    /// Drawn here and in no keyring yet.
    new: BTreeMap<Id, PersonKey>,
    /// Something was sealed with a key.
    any: bool,
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

    /// Seals `text`, which will be part of the record of `R` with this key and is about `person`. None if the key of the person
    /// was destroyed and this is no unit of work for writing: what a replayed run sealed once cannot be made again.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] in a unit of work for writing if the key was destroyed; what the keyring reports.
    pub fn seal<R: Record>(&self, person: &Id, key: &R::Key, text: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(with) = self.key_for_sealing(person)? else { return Ok(None) };
        let sealed = super::seal(&with, &full_key(self.tenant, R::SPACE, key), text);
        sealed.map(Some).map_err(|source| StoreError::Codec { tenant: self.tenant, space: R::SPACE, source })
    }

    /// Opens what [`Seals::seal`] made for the same place. None if the person's key was destroyed: the data are erased.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the key is neither there nor destroyed; [`StoreError::Codec`] if it does not fit what is
    /// sealed.
    pub fn open<R: Record>(
        &self,
        person: &Id,
        key: &R::Key,
        sealed: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let new = self.used.lock().new.get(person).cloned();
        let with = match new.map_or_else(|| self.keyring.get(self.tenant, person), |key| Ok(KeyState::Key(key)))? {
            KeyState::Key(with) => with,
            KeyState::Destroyed => return Ok(None),
            KeyState::Absent => {
                let what = format!("there is none for {person}, whose data are sealed");
                return Err(StoreError::corrupt(format!("the keys of the persons of tenant {}", self.tenant), what));
            }
        };
        let opened = super::open(&with, &full_key(self.tenant, R::SPACE, key), sealed);
        opened.map(Some).map_err(|source| StoreError::Codec { tenant: self.tenant, space: R::SPACE, source })
    }

    /// Makes every key that something was sealed with durable. Before the entry that needs them gets its place.
    pub(crate) fn keep(&self) -> Result<(), StoreError> {
        let mut used = self.used.lock();
        if !used.any {
            return Ok(());
        }
        let new: Vec<_> = std::mem::take(&mut used.new).into_iter().collect();
        self.keyring.keep(self.tenant, &new)
    }

    fn key_for_sealing(&self, person: &Id) -> Result<Option<PersonKey>, StoreError> {
        let mut used = self.used.lock();
        used.any = true;
        if let Some(key) = used.new.get(person) {
            return Ok(Some(key.clone()));
        }
        match self.keyring.get(self.tenant, person)? {
            KeyState::Key(key) => Ok(Some(key)),
            KeyState::Destroyed if self.keeps => {
                let what = format!("the key of {person} was destroyed, so nothing about them can be recorded");
                Err(StoreError::corrupt(format!("the keys of the persons of tenant {}", self.tenant), what))
            }
            KeyState::Destroyed => Ok(None),
            KeyState::Absent => {
                let key = PersonKey::draw()?;
                used.new.insert(person.clone(), key.clone());
                Ok(Some(key))
            }
        }
    }
}

impl fmt::Debug for Seals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seals").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}
