//! Use cases of the service itself: tenants, API keys, releases, installations.
//!
//! The provider's own records (tenants, keys, releases) have a chain of their own in the commit log; an installation belongs
//! to its tenant's chain, so that the tenant's log alone says what could run when, and with which rights.

use std::collections::BTreeMap;

use backroom_domain::rights::{Beyond, Change, Rights};
use backroom_domain::{Class, Error, Id, Instant};
use backroom_store::records::{ApiKey, Counter, Installation, Limits, Release, Role, Tenant};
use backroom_store::{Hash, Meta, Record, Store, TenantNo, Ticket, Tx};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::page::{Page, PageRequest};
use crate::work::{Caller, Work};

/// Something that was written: the reply must wait for the ticket, where there is one (a replay wrote nothing).
pub struct Written<T> {
    /// The record.
    pub value: T,
    /// `true` if the same had been written before.
    pub replayed: bool,
    /// Tells when it is on disk.
    pub ticket: Option<Ticket>,
}

/// What an operator says to put a release to use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewInstallation {
    /// The name within the tenant.
    pub name: Id,
    /// The release's digest, 64 hexadecimal digits.
    pub release: String,
    /// What is granted; a plugin may use what it wants and was granted, nothing else.
    #[serde(default)]
    pub grants: Rights,
    /// Configuration that the plugin reads: at most 100 keys of at most 128 bytes, values of at most 16 KiB, 32 KiB in all.
    #[serde(default)]
    pub config: BTreeMap<String, String>,
    /// Limits of each run, within the ceilings of [`MAX_LIMITS`].
    #[serde(default)]
    pub limits: Limits,
    /// If another release takes the place of the one that is installed: it may want more than that one.
    #[serde(default)]
    pub accept_rights: bool,
}

/// The service's own records over a store.
#[derive(Clone)]
pub struct Office {
    store: Store,
}

impl Office {
    /// Over `store`.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Work that only reads (or plans), on what is durable now.
    pub fn read(&self, tenant: TenantNo, caller: Caller, now: Instant) -> Result<Work> {
        Ok(Work::new(self.store.read(tenant)?, caller, now, now.utc_date()?))
    }

    /// Work that may be committed; waits for the tenant's turn.
    pub fn write(&self, tenant: TenantNo, caller: Caller, now: Instant) -> Result<Work> {
        Ok(Work::new(self.store.write(tenant)?, caller, now, now.utc_date()?))
    }

    /// Adds a client company. Repeated with the same name: replayed; with another name: `exists-with-different`.
    pub fn create_tenant(&self, actor: &str, now: Instant, id: Id, name: &str) -> Result<Written<Tenant>> {
        if name.trim().is_empty() || name.chars().count() > 200 || name.contains(backroom_domain::plays_tricks) {
            return Err(Error::invalid("text-invalid", "name", "a name has 1 to 200 printable characters").into());
        }
        let mut tx = self.store.write(TenantNo::PROVIDER)?;
        if let Some(tenant) = tx.get::<Tenant>(&id)? {
            return match tenant.name == name {
                true => Ok(Written { value: tenant, replayed: true, ticket: None }),
                false => Err(Error::exists_with_different("tenant", &id, "name").into()),
            };
        }
        let number = next_tenant_number(&mut tx)?.0;
        let tenant = Tenant { id, name: name.to_owned(), number, created_at: now };
        write(tx, "tenant", actor, now, tenant)
    }

    /// The tenant of this name.
    pub fn tenant(&self, id: &Id) -> Result<Tenant> {
        self.provider_get(id, "tenant", id)
    }

    /// All tenants, in order of their ids.
    pub fn tenants(&self, page: &PageRequest) -> Result<Page<Tenant>> {
        self.page(TenantNo::PROVIDER, page)
    }

    /// Makes an API key out of `secret`, which the caller drew at random and shows once; only its hash is kept.
    pub fn create_key(
        &self,
        actor: &str,
        now: Instant,
        name: Id,
        role: Role,
        tenant: Option<Id>,
        secret: &str,
    ) -> Result<Written<ApiKey>> {
        match (&tenant, role) {
            (None, Role::Admin) => {}
            (Some(tenant), Role::Operator | Role::Reader) => drop(self.tenant(tenant)?),
            (Some(_), Role::Admin) => {
                return Err(
                    Error::invalid("role-invalid", "tenant", "an admin key is for all tenants: name none").into()
                );
            }
            (None, _) => {
                return Err(Error::invalid(
                    "role-invalid",
                    "tenant",
                    "operator and reader keys are for one tenant: name it",
                )
                .into());
            }
        }
        let tx = self.store.write(TenantNo::PROVIDER)?;
        write(
            tx,
            "key",
            actor,
            now,
            ApiKey { hash: Hash::of(secret.as_bytes()).0, name, tenant, role, created_at: now },
        )
    }

    /// Makes an administrator's key named `admin` if there is no key at all; of several hosts that try, one does.
    pub fn create_first_key(&self, now: Instant, secret: &str) -> Result<Option<Written<ApiKey>>> {
        let name = Id::parse("admin", "name")?;
        let tx = self.store.write(TenantNo::PROVIDER)?;
        if !tx.scan::<ApiKey>(&(), None, 1)?.is_empty() {
            return Ok(None);
        }
        let hash = Hash::of(secret.as_bytes()).0;
        write(tx, "key", "service", now, ApiKey { hash, name, tenant: None, role: Role::Admin, created_at: now })
            .map(Some)
    }

    /// The key with this secret, if there is one. Looked up by hash, so the time taken says nothing about the secret.
    pub fn key(&self, secret: &str) -> Result<Option<ApiKey>> {
        Ok(self.store.get(TenantNo::PROVIDER, &Hash::of(secret.as_bytes()).0)?)
    }

    /// Is there any key yet? A new data directory has none.
    pub fn has_keys(&self) -> Result<bool> {
        Ok(!self.store.read(TenantNo::PROVIDER)?.scan::<ApiKey>(&(), None, 1)?.is_empty())
    }

    /// Records a release whose bytes are in place; the runtime inspected them.
    pub fn create_release(&self, actor: &str, now: Instant, release: Release) -> Result<Written<Release>> {
        let tx = self.store.write(TenantNo::PROVIDER)?;
        match tx.get::<Release>(&release.digest)? {
            Some(found) => Ok(Written { value: found, replayed: true, ticket: None }),
            None => write(tx, "release", actor, now, release),
        }
    }

    /// The release with this digest.
    pub fn release(&self, digest: &str) -> Result<Release> {
        self.provider_get(&digest.to_owned(), "release", digest)
    }

    /// All releases, in order of their digests.
    pub fn releases(&self, page: &PageRequest) -> Result<Page<Release>> {
        self.page(TenantNo::PROVIDER, page)
    }

    /// Puts a release to use for a tenant, or changes how: the newest version counts for the next run. Grants that say nobody
    /// who answers for them are owned by `actor`.
    ///
    /// # Errors
    /// `invalid` (`config-too-large`, `limit-invalid`, `grant-invalid`); `not-found`; `refused` (`rights-grow`: the release wants
    /// more than the one that it takes the place of, and nobody accepted that; one problem for each right).
    pub fn install(
        &self,
        actor: &str,
        now: Instant,
        tenant: TenantNo,
        new: NewInstallation,
    ) -> Result<Written<Installation>> {
        check_config(&new.config)?;
        check_limits(&new.limits)?;
        new.grants.check_grants()?;
        let found = self.release(&new.release)?;
        check_observe(&found, &new.grants)?;
        let wants = found.wants;
        let tx = self.store.write(tenant)?;
        let NewInstallation { name, release, grants, config, limits, accept_rights } = new;
        if let Some(found) = tx.get::<Installation>(&name)? {
            let same = (&found.release, &found.config, &found.limits) == (&release, &config, &limits);
            if same && grants.same_as(&found.grants) {
                return Ok(Written { value: found, replayed: true, ticket: None });
            }
            if found.release != release && !accept_rights {
                check_growth(&Change::between(&self.release(&found.release)?.wants, &wants))?;
            }
        }
        let grants = grants.owned_by(actor);
        write(tx, "installation", actor, now, Installation { name, release, grants, config, limits, updated_at: now })
    }

    /// The installation of this name.
    pub fn installation(&self, tenant: TenantNo, name: &Id) -> Result<Installation> {
        let found = self.store.get::<Installation>(tenant, name)?;
        Ok(found.ok_or_else(|| Error::not_found("installation", name))?)
    }

    /// All installations of a tenant, in order of their names.
    pub fn installations(&self, tenant: TenantNo, page: &PageRequest) -> Result<Page<Installation>> {
        self.page(tenant, page)
    }

    fn provider_get<R: Record>(&self, key: &R::Key, kind: &'static str, shown: impl std::fmt::Display) -> Result<R> {
        let found = self.store.get::<R>(TenantNo::PROVIDER, key)?;
        Ok(found.ok_or_else(|| Error::not_found(kind, shown))?)
    }

    fn page<R: Record>(&self, tenant: TenantNo, page: &PageRequest) -> Result<Page<R>> {
        let (cursor, limit) = page.check()?;
        Ok(Page::of(self.store.read(tenant)?.scan::<R>(&(), cursor.as_deref(), limit)?, limit))
    }
}

/// Takes the next number of a tenant, if the unit of work is committed.
pub(crate) fn next_tenant_number(tx: &mut Tx) -> Result<TenantNo> {
    let last = tx.get::<Counter>(&"tenant".to_owned())?.map_or(0, |c| c.last);
    let number = u32::try_from(last + 1).map_err(|_| Error::overflow("the number of tenants"))?;
    tx.put(&Counter { series: "tenant".to_owned(), last: number.into(), failed: None })?;
    Ok(TenantNo(number))
}

/// Commits one record of the service.
pub(crate) fn write<R: Record>(mut tx: Tx, kind: &str, actor: &str, now: Instant, record: R) -> Result<Written<R>> {
    tx.put(&record)?;
    let meta = Meta { at: now.0, actor: actor.to_owned(), kind: kind.to_owned(), ..Meta::default() };
    let committed = tx.commit(meta)?;
    Ok(Written { value: record, replayed: false, ticket: Some(committed.ticket) })
}

/// Do these imports ask for more than the contract: for the interfaces of a system, which the host makes up?
pub fn observes(imports: &[String]) -> bool {
    imports.iter().any(|import| import.starts_with("wasi:"))
}

/// A plugin that was built for a system cannot even begin without one: better said now than at each run.
fn check_observe(release: &Release, grants: &Rights) -> std::result::Result<(), Error> {
    if grants.grants().iter().any(|grant| grant.observe) || !observes(&release.imports) {
        return Ok(());
    }
    let message = "the plugin was built for a system (it imports wasi:*): grant `observe = true`, which gives it the run's time, \
                   numbers that look random, and its output in the log; no files and no network";
    Err(Error::invalid("observe-not-granted", "grants.observe", message))
}

/// `rights-grow` if a release wants what the one before did not.
fn check_growth(change: &Change) -> std::result::Result<(), Error> {
    let more = |(line, how): (&Beyond, &str)| {
        let message = format!("the release {how} {line}; accept that if it is meant");
        Error::problem("rights-grow", line.right.clone(), message)
    };
    let added = change.added.iter().map(|line| (line, "newly wants"));
    let wider = change.wider.iter().map(|line| (line, "wants more:"));
    let problems: Vec<_> = added.chain(wider).map(more).collect();
    if problems.is_empty() { Ok(()) } else { Err(Error { class: Class::Refused, problems }) }
}

fn check_config(config: &BTreeMap<String, String>) -> std::result::Result<(), Error> {
    let mut problems = Vec::new();
    if config.len() > 100 {
        problems.push(Error::problem("config-too-large", "config", "a configuration has at most 100 keys"));
    }
    for (key, value) in config {
        if key.is_empty() || key.len() > 128 || value.len() > 16 << 10 {
            let field = format!("config.{}", key.chars().take(128).collect::<String>());
            problems.push(Error::problem("config-too-large", field, "keys have 1 to 128 bytes, values at most 16 KiB"));
        }
    }
    // An installation is one record of at most 64 KiB, and the grants need room too.
    if config.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>() > 32 << 10 {
        problems.push(Error::problem("config-too-large", "config", "a configuration has at most 32 KiB in all"));
    }
    if problems.is_empty() { Ok(()) } else { Err(Error { class: Class::Invalid, problems }) }
}

/// The most that an operator can allow a run. The limits protect the service and its other tenants, so there is an end to each.
pub const MAX_LIMITS: Limits = Limits {
    // The pool of instances has no room for larger ones.
    memory: 256 << 20,
    // A run holds its tenant's turn and a snapshot; stopping the service waits a little longer than this.
    wall_ms: 30_000,
    // The largest number of the contract; wall time ends a run long before.
    fuel: backroom_domain::MAX_MINOR,
    host_calls: 1_000_000,
    effects: 50_000,
    log: 1 << 20,
    host_ms: 30_000,
    output: 1 << 20,
    depth: 100,
    day_fuel: Some(backroom_domain::MAX_MINOR),
};

/// `limit-invalid` for each limit that is above the most there is.
pub(crate) fn check_limits(limits: &Limits) -> std::result::Result<(), Error> {
    let most = &MAX_LIMITS;
    let rows = [
        ("limits.memory", limits.memory, most.memory),
        ("limits.wall-ms", limits.wall_ms, most.wall_ms),
        ("limits.fuel", limits.fuel, most.fuel),
        ("limits.host-calls", limits.host_calls.into(), most.host_calls.into()),
        ("limits.effects", limits.effects.into(), most.effects.into()),
        ("limits.log", limits.log.into(), most.log.into()),
        ("limits.host-ms", limits.host_ms, most.host_ms),
        ("limits.output", limits.output.into(), most.output.into()),
        ("limits.depth", limits.depth.into(), most.depth.into()),
        ("limits.day-fuel", limits.day_fuel.unwrap_or(0), most.day_fuel.unwrap_or(u64::MAX)),
    ];
    let over = rows.into_iter().filter(|(_, limit, most)| limit > most);
    Error::all(over.map(|(field, _, most)| Error::problem("limit-invalid", field, format!("at most {most}"))).collect())
}
