//! Secrets of a tenant, such as the token of its bank: set by operators, filled into requests by the host, shown to nobody.
//!
//! Each is sealed with a key of its own beside the keys of persons, which are wrapped with the service's master key if it has one.

use backroom_domain::{Error, Id, Instant};
use backroom_store::records::Secret;
use backroom_store::{Meta, StoreError, TenantNo, Ticket};
use schemars::JsonSchema;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::control::{Office, Written};
use crate::error::Result;
use crate::page::{Page, PageRequest};
use crate::work::{Caller, Work};

/// The shortest secret: what comes back in an answer is masked, and something shorter would be found everywhere.
pub const MIN_SECRET: usize = 8;
/// The longest one.
pub const MAX_SECRET: usize = 4 << 10;

/// A secret without what is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SecretRow {
    /// Its name.
    pub name: Id,
    /// When it was set.
    pub updated_at: Instant,
    /// By whom.
    pub actor: String,
}

/// Names of secrets. Errors: `administer-denied`, `limit-invalid`, `cursor-invalid`.
pub fn list(work: &Work, page: &PageRequest) -> Result<Page<SecretRow>> {
    work.rights().check_administer()?;
    let (cursor, limit) = page.check()?;
    let rows = work.tx().scan::<Secret>(&(), cursor.as_deref(), limit)?;
    Ok(Page::of(rows.into_iter().map(|(key, secret)| (key, row(secret))).collect(), limit))
}

/// The names of all secrets, for the host alone.
pub fn names(work: &Work) -> Result<Vec<Id>> {
    Ok(work.tx().scan::<Secret>(&(), None, usize::MAX)?.into_iter().map(|(_, secret)| secret.name).collect())
}

/// What is secret, for the host alone: no right is checked, and no guest may ever see it. Errors: `secret-unknown`.
pub fn reveal(work: &Work, name: &Id) -> Result<Zeroizing<Vec<u8>>> {
    let unknown =
        || Error::refused("secret-unknown", format!("there is no secret {name}; `backroom secrets set` makes one"));
    let secret = work.tx().get::<Secret>(name)?.ok_or_else(unknown)?;
    let key = Secret::key_name(secret.number)?;
    match work.tx().seals().open::<Secret>(&key, &secret.name, &secret.sealed) {
        Ok(Some(text)) => Ok(text),
        // A client that came from another service, or a restored copy of the log, came without the keys of its secrets.
        Ok(None) | Err(StoreError::KeysMissing { .. }) => Err(unknown().into()),
        Err(error) => Err(error.into()),
    }
}

impl Office {
    /// Sets a secret, in place of what it was; the same text again is set anew. Blocks until it is on disk, and the key of the one
    /// before is destroyed then.
    ///
    /// # Errors
    /// `administer-denied`, `secret-invalid`; what the store reports.
    pub fn set_secret(
        &self,
        tenant: TenantNo,
        caller: Caller,
        now: Instant,
        name: Id,
        text: &str,
    ) -> Result<Written<SecretRow>> {
        let actor = caller.actor.clone();
        let mut work = self.write(tenant, caller, now)?;
        work.rights().check_administer()?;
        // In a header it has to be one line.
        if !(MIN_SECRET..=MAX_SECRET).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
        {
            let message = format!("a secret is {MIN_SECRET} to {MAX_SECRET} printable ASCII characters in one line");
            return Err(Error::invalid("secret-invalid", "value", message).into());
        }
        let before = work.tx().get::<Secret>(&name)?;
        let (number, key) = new_key(&mut work)?;
        let sealed = work.tx().seals().seal::<Secret>(&key, &name, text.as_bytes())?;
        let secret = Secret { name, number, sealed, updated_at: now, actor };
        work.put(&secret)?;
        commit(work)?;
        self.forget(tenant, before)?;
        Ok(Written { value: row(secret), replayed: false, ticket: Some(Ticket::durable()) })
    }

    /// Deletes a secret and destroys its key; `false` if there was none. Blocks until that is on disk.
    ///
    /// # Errors
    /// `administer-denied`; what the store reports.
    pub fn delete_secret(&self, tenant: TenantNo, caller: Caller, now: Instant, name: &Id) -> Result<bool> {
        let mut work = self.write(tenant, caller, now)?;
        work.rights().check_administer()?;
        let Some(secret) = work.tx().get::<Secret>(name)? else { return Ok(false) };
        work.tx_mut().delete::<Secret>(name);
        commit(work)?;
        self.forget(tenant, Some(secret))?;
        Ok(true)
    }

    fn forget(&self, tenant: TenantNo, secret: Option<Secret>) -> Result<()> {
        match secret {
            Some(secret) => Ok(self.store().destroy_key_of_secret(tenant, &secret)?),
            None => Ok(()),
        }
    }
}

/// The next number whose key was never there. A state that was restored to an earlier moment does not know of later ones, and their
/// keys may be destroyed.
fn new_key(work: &mut Work) -> Result<(u64, Id)> {
    loop {
        let number = work.next_number(Secret::SERIES)?;
        let key = Secret::key_name(number)?;
        if work.tx().seals().is_new(&key)? {
            return Ok((number, key));
        }
    }
}

fn commit(work: Work) -> Result<()> {
    let (at, actor) = (work.now.0, work.caller.actor.clone());
    let meta = Meta { at, actor, kind: "secret".to_owned(), ..Meta::default() };
    Ok(work.seal()?.commit(meta)?.ticket.wait()?)
}

fn row(secret: Secret) -> SecretRow {
    let Secret { name, updated_at, actor, .. } = secret;
    SecretRow { name, updated_at, actor }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use backroom_domain::rights::{Grant, Rights};
    use backroom_store::Store;

    use super::*;
    use crate::Failure;

    fn caller(rights: Rights) -> Caller {
        Caller { actor: "anna".into(), layers: vec![Arc::new(rights)], installation: None, run: None }
    }

    fn code<T>(result: Result<T>) -> String {
        match result {
            Err(Failure::Business(error)) => error.code().to_owned(),
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("it was not refused"),
        }
    }

    #[test]
    fn a_secret_is_kept_sealed_and_its_key_ends_with_it() {
        let (store, tenant, now) = (Store::memory(), TenantNo(1), Instant(5));
        let office = Office::new(store.clone());
        let name = Id::parse("bank", "name").unwrap();
        let set = |text: &str| office.set_secret(tenant, caller(Rights::all()), now, name.clone(), text);
        let read = || office.read(tenant, caller(Rights::all()), now).unwrap();
        assert_eq!(code(reveal(&read(), &name)), "secret-unknown");
        for bad in ["1234567", "with\nline", "t\u{fc}rkis\u{fc}-t\u{fc}rkis\u{fc}", &"x".repeat(MAX_SECRET + 1)] {
            assert_eq!(code(set(bad)), "secret-invalid", "{bad}");
        }
        let none = Rights::from(Grant { administer: false, ..Grant::all() });
        assert_eq!(code(office.set_secret(tenant, caller(none), now, name.clone(), "12345678")), "administer-denied");
        set("first-token").unwrap();
        let old = read();
        assert_eq!(reveal(&old, &name).unwrap().as_slice(), b"first-token");
        set("second-token").unwrap();
        assert_eq!(reveal(&read(), &name).unwrap().as_slice(), b"second-token");
        // Whoever still sees the record of before cannot open it any more.
        assert_eq!(code(reveal(&old, &name)), "secret-unknown");
        let mut all = Vec::new();
        store
            .entries(1, &mut |entry| {
                all.extend(entry.changes.iter().filter_map(|(_, value)| value.clone()).flatten());
                std::ops::ControlFlow::Continue(())
            })
            .unwrap();
        assert!(!String::from_utf8_lossy(&all).contains("-token"), "a secret stands in the log");
        assert_eq!(list(&read(), &PageRequest::first(9)).unwrap().items.len(), 1);
        assert!(office.delete_secret(tenant, caller(Rights::all()), now, &name).unwrap());
        assert!(!office.delete_secret(tenant, caller(Rights::all()), now, &name).unwrap());
        assert_eq!(code(reveal(&read(), &name)), "secret-unknown");
    }
}
