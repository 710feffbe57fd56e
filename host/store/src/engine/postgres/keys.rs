//! The keys of persons: one table, read by whoever needs a key, kept here for some seconds.
//!
//! A destroyed key leaves a dead row until the server's vacuum takes it, and stands in its write-ahead log until that is
//! recycled; with a master key on the hosts neither opens anything by itself.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backroom_domain::Id;
use parking_lot::Mutex;
use tokio_postgres::types::ToSql;

use super::block::block_on;
use super::core::Core;
use super::pool::Rights;
use crate::error::StoreError;
use crate::keyring::{KeyState, Keyring};
use crate::seal::{MasterKey, PersonKey, WRAPPED, unwrap, wrap};
use crate::types::TenantNo;

const GET: &str = "SELECT key FROM backroom.person_key WHERE tenant = $1 AND person = $2";
/// Nothing at all if one of the persons has a key or had one: the primary key refuses.
const KEEP: &str =
    "INSERT INTO backroom.person_key (tenant, person, key) SELECT $1, * FROM unnest($2::text[], $3::bytea[])";
const DESTROY: &str = "INSERT INTO backroom.person_key (tenant, person, key) VALUES ($1, $2, NULL)
    ON CONFLICT (tenant, person) DO UPDATE SET key = NULL";

/// How long a host may go on using a key that another one has destroyed.
const FRESH: Duration = Duration::from_secs(10);
/// Keys in memory at most, some 20 MiB; then it begins anew.
const MOST: usize = 100_000;

/// The keys in the database.
pub(super) struct TableKeyring {
    core: Arc<Core>,
    master: Option<MasterKey>,
    recent: Mutex<HashMap<(TenantNo, Id), (PersonKey, Instant)>>,
}

impl TableKeyring {
    pub(super) fn new(core: Arc<Core>, master: Option<MasterKey>) -> Self {
        Self { core, master, recent: Mutex::default() }
    }

    fn remember(&self, tenant: TenantNo, person: &Id, key: &PersonKey) {
        let mut recent = self.recent.lock();
        if recent.len() >= MOST {
            recent.clear();
        }
        recent.insert((tenant, person.clone()), (key.clone(), Instant::now()));
    }

    /// What stands in the table, opened.
    fn opened(&self, tenant: TenantNo, person: &Id, bytes: &[u8]) -> Result<PersonKey, StoreError> {
        let wrong = |what| StoreError::corrupt(format!("the key of person {person} of tenant {tenant}"), what);
        if let Ok(plain) = <&[u8; 32]>::try_from(bytes) {
            return Ok(PersonKey::from_bytes(plain));
        }
        let wrapped = <&[u8; WRAPPED]>::try_from(bytes).map_err(|_| wrong("it is no key"))?;
        let master = self
            .master
            .as_ref()
            .ok_or_else(|| wrong("it is wrapped with a master key, and this host was given none"))?;
        let root = unwrap(master, &place(tenant, person), wrapped);
        let root = root.ok_or_else(|| wrong("it is wrapped with another master key"))?;
        Ok(PersonKey::from_bytes(&root))
    }

    /// What is to stand in the table.
    fn closed(&self, tenant: TenantNo, person: &Id, key: &PersonKey) -> Result<Vec<u8>, StoreError> {
        let Some(master) = &self.master else { return Ok(key.bytes().to_vec()) };
        let wrapped = wrap(master, &place(tenant, person), key.bytes());
        let failed = |why: String| StoreError::io("wrap the key of a person")(std::io::Error::other(why));
        Ok(wrapped.map_err(failed)?.to_vec())
    }
}

impl Keyring for TableKeyring {
    fn get(&self, tenant: TenantNo, person: &Id) -> Result<KeyState, StoreError> {
        let at = (tenant, person.clone());
        if let Some((key, _)) = self.recent.lock().get(&at).filter(|(_, since)| since.elapsed() < FRESH) {
            return Ok(KeyState::Key(key.clone()));
        }
        let (number, name) = (i64::from(tenant.0), person.as_str());
        let rows = self.core.reading(Rights::Owner, |connection| {
            block_on(connection.query(&connection.prepared(GET)?, &[&number, &name]))
        })?;
        let Some(row) = rows.first() else { return Ok(KeyState::Absent) };
        let Some(bytes) = row.get::<_, Option<&[u8]>>(0) else {
            self.recent.lock().remove(&at);
            return Ok(KeyState::Destroyed);
        };
        let key = self.opened(tenant, person, bytes)?;
        self.remember(tenant, person, &key);
        Ok(KeyState::Key(key))
    }

    fn keep(&self, tenant: TenantNo, new: &[(Id, PersonKey)]) -> Result<(), StoreError> {
        if new.is_empty() {
            return Ok(());
        }
        let keys = new.iter().map(|(person, key)| self.closed(tenant, person, key));
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        let persons: Vec<&str> = new.iter().map(|(person, _)| person.as_str()).collect();
        let number = i64::from(tenant.0);
        let parameters: [&(dyn ToSql + Sync); 3] = [&number, &persons, &keys];
        let done = self.core.reading(Rights::Owner, |connection| {
            match block_on(connection.execute(&connection.prepared(KEEP)?, &parameters)) {
                Ok(_) => Ok(true),
                // Another host's person of that name, or what this host wrote before it lost the connection: the unit of
                // work begins anew, and finds the key.
                Err(error) if error.code() == Some(&tokio_postgres::error::SqlState::UNIQUE_VIOLATION) => Ok(false),
                Err(error) => Err(error),
            }
        })?;
        if !done {
            return Err(StoreError::Conflict);
        }
        new.iter().for_each(|(person, key)| self.remember(tenant, person, key));
        Ok(())
    }

    fn destroy(&self, tenant: TenantNo, person: &Id) -> Result<(), StoreError> {
        self.recent.lock().remove(&(tenant, person.clone()));
        let (number, name) = (i64::from(tenant.0), person.as_str());
        self.core.reading(Rights::Owner, |connection| {
            block_on(connection.execute(&connection.prepared(DESTROY)?, &[&number, &name]))
        })?;
        // Read again by somebody meanwhile.
        self.recent.lock().remove(&(tenant, person.clone()));
        Ok(())
    }
}

/// Whose key it is: a wrapped key opens in its own place alone.
fn place(tenant: TenantNo, person: &Id) -> Vec<u8> {
    [&tenant.0.to_be_bytes(), person.as_str().as_bytes()].concat()
}
