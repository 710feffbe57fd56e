//! Where the keys of persons are kept: beside log and state, and in no copy of either.

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;

use backroom_domain::Id;
use backroom_domain::hr::Erasure;
use parking_lot::RwLock;

use crate::engine::{At, Engine, Snapshot};
use crate::error::StoreError;
use crate::key::{full_key, prefix_end};
use crate::record::Record;
use crate::records::{Counter, Secret};
use crate::seal::PersonKey;
use crate::types::TenantNo;

/// What there is of a person's key.
#[derive(Debug, Clone)]
pub enum KeyState {
    /// The key.
    Key(PersonKey),
    /// There was one, and what was sealed with it is erased.
    Destroyed,
    /// There never was one.
    Absent,
}

/// The keys of all persons of all tenants. One person of one tenant has at most one key, for ever.
///
/// An engine brings its own. Every method may be called from any thread at any time.
pub trait Keyring: Send + Sync {
    /// The person's key. Called for every person that is read: from memory, as a rule.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if it is damaged; what reading reports.
    fn get(&self, tenant: TenantNo, person: &Id) -> Result<KeyState, StoreError>;

    /// Keeps new keys. When it returns, they are durable, and so is every key of the tenant that [`Keyring::get`] gave. The
    /// caller holds the tenant's turn and appends no entry that needs the keys before.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if one of the persons has a key, or had one; [`StoreError::Io`]. After an error any of them may
    /// have been kept, which changes nothing: a key that sealed nothing is used for what comes next.
    fn keep(&self, tenant: TenantNo, new: &[(Id, PersonKey)]) -> Result<(), StoreError>;

    /// Destroys the person's key wherever this keyring has it, and remembers that. When it returns, that is durable. Once done,
    /// doing it again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Io`]: the key may be there or not.
    fn destroy(&self, tenant: TenantNo, person: &Id) -> Result<(), StoreError>;
}

/// Destroys the key of every person whose erasure is on record, and of every secret that was replaced or deleted, for when a store
/// is opened: a crash may have come between the two, or the keys may come from an older copy.
///
/// # Errors
/// What reading the state and the keyring report.
pub(crate) fn finish_destroying(engine: &dyn Engine) -> Result<(), StoreError> {
    let (snapshot, keyring) = (engine.snapshot(At::Durable)?, engine.keyring());
    for tenant in tenants(&*snapshot)? {
        for erasure in all::<Erasure>(&*snapshot, tenant)? {
            if !matches!(keyring.get(tenant, &erasure.worker), Ok(KeyState::Destroyed)) {
                tracing::warn!(%tenant, person = %erasure.worker, "destroying the key of an erased person that was not destroyed");
                keyring.destroy(tenant, &erasure.worker)?;
            }
        }
        destroy_replaced(&*snapshot, &*keyring, tenant)?;
    }
    Ok(())
}

/// Every tenant that has a record.
pub(crate) fn tenants(snapshot: &dyn Snapshot) -> Result<Vec<TenantNo>, StoreError> {
    let (mut tenants, mut from) = (Vec::new(), Some(TenantNo::PROVIDER));
    while let Some(tenant) = from.map(|from| snapshot.next_tenant(from)).transpose()?.flatten() {
        tenants.push(tenant);
        from = tenant.0.checked_add(1).map(TenantNo);
    }
    Ok(tenants)
}

/// Numbers of secrets' keys are given one after the other: all that are not in use have had their time.
fn destroy_replaced(snapshot: &dyn Snapshot, keyring: &dyn Keyring, tenant: TenantNo) -> Result<(), StoreError> {
    let counter = snapshot.get(&full_key(tenant, Counter::SPACE, &Secret::SERIES.to_owned()))?;
    let Some(counter) = counter else { return Ok(()) };
    let decoded = Counter::decode(&counter);
    let given = decoded.map_err(|source| StoreError::Codec { tenant, space: Counter::SPACE, source })?.last;
    let in_use: BTreeSet<u64> = all::<Secret>(snapshot, tenant)?.into_iter().map(|secret| secret.number).collect();
    for number in (1..=given).filter(|number| !in_use.contains(number)) {
        let Ok(key) = Secret::key_name(number) else { continue };
        if !matches!(keyring.get(tenant, &key), Ok(KeyState::Destroyed | KeyState::Absent)) {
            // Of one that was replaced before a crash, or of an attempt that another host came before.
            tracing::info!(%tenant, %key, "destroying the key of a secret that is not in use");
            keyring.destroy(tenant, &key)?;
        }
    }
    Ok(())
}

/// Every record of a space.
fn all<R: Record>(snapshot: &dyn Snapshot, tenant: TenantNo) -> Result<Vec<R>, StoreError> {
    let start = full_key(tenant, R::SPACE, &());
    let end = prefix_end(&start).map_or(Bound::Unbounded, Bound::Excluded);
    let pairs = snapshot.scan((Bound::Included(start), end), false, usize::MAX);
    let decode = |value: &[u8]| Record::decode(value);
    let failed = |source| StoreError::Codec { tenant, space: R::SPACE, source };
    pairs.map(|pair| decode(&pair?.1).map_err(failed)).collect()
}

/// Keys in memory, which end with it.
#[derive(Default)]
pub struct MemoryKeyring(RwLock<HashMap<(TenantNo, Id), Option<PersonKey>>>);

impl Keyring for MemoryKeyring {
    fn get(&self, tenant: TenantNo, person: &Id) -> Result<KeyState, StoreError> {
        Ok(match self.0.read().get(&(tenant, person.clone())) {
            Some(Some(key)) => KeyState::Key(key.clone()),
            Some(None) => KeyState::Destroyed,
            None => KeyState::Absent,
        })
    }

    fn keep(&self, tenant: TenantNo, new: &[(Id, PersonKey)]) -> Result<(), StoreError> {
        let mut keys = self.0.write();
        if new.iter().any(|(person, _)| keys.contains_key(&(tenant, person.clone()))) {
            return Err(StoreError::Conflict);
        }
        keys.extend(new.iter().map(|(person, key)| ((tenant, person.clone()), Some(key.clone()))));
        Ok(())
    }

    fn destroy(&self, tenant: TenantNo, person: &Id) -> Result<(), StoreError> {
        self.0.write().insert((tenant, person.clone()), None);
        Ok(())
    }
}
