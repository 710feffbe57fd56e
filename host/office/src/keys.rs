//! API keys that there are: listed without their secrets, and withdrawn.

use backroom_domain::{Class, Error, Id, Instant};
use backroom_store::records::{ApiKey, Role};
use backroom_store::{Meta, TenantNo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::control::{Office, Written};
use crate::error::Result;
use crate::page::{Page, PageRequest};

/// An API key without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct KeyRow {
    /// Which key it is: names may be given twice. 16 hexadecimal digits, out of which nobody can make the secret.
    pub id: String,
    /// The name that the log gives as the actor.
    pub name: Id,
    /// The one tenant it is for; none for administrators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Id>,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created_at: Instant,
}

impl From<ApiKey> for KeyRow {
    fn from(key: ApiKey) -> Self {
        let id = id_of(&key);
        let ApiKey { name, tenant, role, created_at, .. } = key;
        Self { id, name, tenant, role, created_at }
    }
}

/// Bytes of a key's hash that name it.
const NAMING: usize = 8;

fn id_of(key: &ApiKey) -> String {
    hex::encode(key.hash.first_chunk::<NAMING>().unwrap_or(&[0; NAMING]))
}

impl Office {
    /// All API keys, in order of their ids. Errors: `limit-invalid`, `cursor-invalid`.
    pub fn keys(&self, page: &PageRequest) -> Result<Page<KeyRow>> {
        let (cursor, limit) = page.check()?;
        let rows = self.store().read(TenantNo::PROVIDER)?.scan::<ApiKey>(&(), cursor.as_deref(), limit)?;
        Ok(Page::of(rows.into_iter().map(|(key, row)| (key, row.into())).collect(), limit))
    }

    /// Withdraws the key with this id: as soon as that is durable, whoever has it is a stranger. Runs that were queued with it are
    /// done all the same.
    ///
    /// # Errors
    /// `not-found`; `last-admin-key`: nobody could make another one.
    pub fn withdraw_key(&self, actor: &str, now: Instant, id: &str) -> Result<Written<KeyRow>> {
        let mut tx = self.store().write(TenantNo::PROVIDER)?;
        let keys: Vec<ApiKey> = tx.scan::<ApiKey>(&(), None, usize::MAX)?.into_iter().map(|(_, key)| key).collect();
        let found = keys.iter().find(|key| id_of(key) == id).ok_or_else(|| Error::not_found("key", id))?;
        let admins = keys.iter().filter(|key| key.role == Role::Admin).count();
        if found.role == Role::Admin && admins == 1 {
            let message = "this is the only administrator's key; make another one first";
            return Err(Error::new(Class::Refused, "last-admin-key", message).into());
        }
        tx.delete::<ApiKey>(&found.hash);
        let meta = Meta { at: now.0, actor: actor.to_owned(), kind: "key-withdrawn".to_owned(), ..Meta::default() };
        let committed = tx.commit(meta)?;
        Ok(Written { value: found.clone().into(), replayed: false, ticket: Some(committed.ticket) })
    }
}

#[cfg(test)]
mod tests {
    use backroom_store::Store;

    use super::*;
    use crate::Failure;

    fn code<T>(result: Result<T>) -> String {
        match result {
            Err(Failure::Business(error)) => error.code().to_owned(),
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("it was not refused"),
        }
    }

    #[test]
    fn a_withdrawn_key_is_none_and_the_last_administrator_stays() {
        let (office, now) = (Office::new(Store::memory()), Instant(5));
        let name = |text: &str| Id::parse(text, "name").unwrap();
        office.create_tenant("a", now, name("acme"), "Acme").unwrap();
        let make = |secret: &str, role, tenant: Option<&str>| {
            let key = office.create_key("a", now, name("same"), role, tenant.map(name), secret).unwrap();
            KeyRow::from(key.value)
        };
        let admin = make("s1", Role::Admin, None);
        let (first, second) = (make("s2", Role::Reader, Some("acme")), make("s3", Role::Reader, Some("acme")));
        let ids = |limit| {
            let (mut found, mut cursor) = (Vec::new(), None);
            loop {
                let page = office.keys(&PageRequest { cursor, limit }).unwrap();
                found.extend(page.items.into_iter().map(|row| row.id));
                cursor = page.next;
                if cursor.is_none() {
                    return found;
                }
            }
        };
        let mut all = vec![admin.id.clone(), first.id.clone(), second.id];
        all.sort();
        assert_eq!((ids(1), ids(9)), (all.clone(), all));
        assert_eq!(office.withdraw_key("a", now, &first.id).unwrap().value, first);
        assert!(office.key("s2").unwrap().is_none() && office.key("s3").unwrap().is_some());
        assert_eq!(code(office.withdraw_key("a", now, &first.id)), "not-found");
        assert_eq!(code(office.withdraw_key("a", now, "")), "not-found");
        assert_eq!(code(office.withdraw_key("a", now, &admin.id)), "last-admin-key");
        make("s4", Role::Admin, None);
        office.withdraw_key("a", now, &admin.id).unwrap();
        assert!(office.key("s1").unwrap().is_none());
        assert!(office.store().verify(&mut |_| {}).unwrap().is_sound());
    }
}
