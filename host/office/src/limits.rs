//! What a run may take: the limits of its installation, within those of its tenant, within what is left of the day.
//!
//! What was used of a day is a record of the tenant's state, written in the same commit as the run or the record of its attempt. It
//! is kept only where there is a limit for it, and counts from then on. Dry runs see it and do not add to it.

use backroom_domain::{BusinessDate, Id, Instant};
use backroom_store::records::{DayTotal, Limits, TenantLimits};
use backroom_store::{TenantNo, Tx};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::control::{MAX_LIMITS, Office, Written, check_limits, write};
use crate::error::Result;
use crate::used::forget;

/// What is added up of an installation, and of a tenant. The sum of a tenant stands under a name that is as good as any: of no
/// installation is the same added up.
const OWN: &str = "fuel";
const ALL: &str = "fuel-of-tenant";
const TENANT: &str = "tenant";

/// What one run may take.
#[derive(Debug, Clone)]
pub struct Budget {
    /// The limits that are in force for it.
    pub limits: Limits,
    /// Its fuel is what is left of the day, which is less than it could have otherwise.
    pub by_day: bool,
    /// The run has a process of the tenant's own.
    pub own_process: bool,
    /// Sums that it is to be added to: of whom, and what.
    sums: Vec<(Id, &'static str)>,
    day: BusinessDate,
}

impl Budget {
    /// The budget of a run of an installation with the limits `own`, on a UTC day.
    pub fn of(tx: &Tx, installation: &Id, own: &Limits, day: BusinessDate) -> Result<Self> {
        let found = tx.get::<TenantLimits>(&())?;
        let own_process = found.as_ref().is_some_and(|found| found.own_process);
        let ceiling = found.map(|found| found.limits);
        let mut limits = ceiling.map_or(*own, |ceiling| own.within(&ceiling));
        let mut days = Vec::new();
        if let Some(limit) = own.day_fuel {
            days.push((installation.clone(), OWN, limit));
        }
        if let Some(limit) = ceiling.and_then(|ceiling| ceiling.day_fuel) {
            days.push((Id::parse(TENANT, "tenant")?, ALL, limit));
        }
        let (mut by_day, mut sums) = (false, Vec::new());
        for (of, what, limit) in days {
            let used = tx.get::<DayTotal>(&(of.clone(), day, what.to_owned()))?.map_or(0, |total| total.sum());
            let left = u64::try_from(u128::from(limit).saturating_sub(used)).unwrap_or(u64::MAX);
            if left < limits.fuel {
                (limits.fuel, by_day) = (left, true);
            }
            sums.push((of, what));
        }
        Ok(Self { limits, by_day, own_process, sums, day })
    }

    /// Adds the fuel of a run to what its day has used, in the unit of work in which the run, or its attempt, is recorded.
    pub fn spend(&self, tx: &mut Tx, fuel: u64) -> Result<()> {
        for (of, what) in &self.sums {
            let before = tx.get::<DayTotal>(&(of.clone(), self.day, (*what).to_owned()))?;
            if before.is_none() {
                forget(tx, of, self.day)?;
            }
            let sum = before.map_or(0, |total| total.sum()).saturating_add(fuel.into());
            tx.put(&DayTotal::new(of.clone(), self.day, (*what).to_owned(), sum))?;
        }
        Ok(())
    }
}

/// What every run of a tenant is to be bounded by. What is not said has no bound but that of the installation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[expect(missing_docs, reason = "as in `Limits`")]
pub struct Ceilings {
    pub memory: Option<u64>,
    pub wall_ms: Option<u64>,
    pub fuel: Option<u64>,
    pub host_calls: Option<u32>,
    pub effects: Option<u32>,
    pub log: Option<u32>,
    pub host_ms: Option<u64>,
    pub output: Option<u32>,
    pub depth: Option<u32>,
    pub day_fuel: Option<u64>,
    /// Whether its runs have processes of the tenant's own; as it was, if not said.
    pub own_process: Option<bool>,
}

impl From<Ceilings> for Limits {
    fn from(said: Ceilings) -> Self {
        let most = MAX_LIMITS;
        Self {
            memory: said.memory.unwrap_or(most.memory),
            wall_ms: said.wall_ms.unwrap_or(most.wall_ms),
            fuel: said.fuel.unwrap_or(most.fuel),
            host_calls: said.host_calls.unwrap_or(most.host_calls),
            effects: said.effects.unwrap_or(most.effects),
            log: said.log.unwrap_or(most.log),
            host_ms: said.host_ms.unwrap_or(most.host_ms),
            output: said.output.unwrap_or(most.output),
            depth: said.depth.unwrap_or(most.depth),
            day_fuel: said.day_fuel,
        }
    }
}

impl Office {
    /// Bounds every run of a tenant from the next one on, and says where it is executed. The same again is replayed. Errors: `limit-invalid`.
    pub fn set_tenant_limits(
        &self,
        actor: &str,
        now: Instant,
        tenant: TenantNo,
        ceilings: Ceilings,
    ) -> Result<Written<TenantLimits>> {
        let tx = self.store().write(tenant)?;
        let found = tx.get::<TenantLimits>(&())?;
        let no_limit = Ceilings { own_process: None, ..ceilings } == Ceilings::default();
        let limits = match &found {
            // Nor the limits by being asked where they are to run.
            Some(found) if no_limit && ceilings.own_process.is_some() => found.limits,
            _ => Limits::from(ceilings),
        };
        check_limits(&limits)?;
        // Nobody is to lose the wall around them by setting another limit.
        let before = found.as_ref().is_some_and(|found| found.own_process);
        let own_process = ceilings.own_process.unwrap_or(before);
        match found {
            Some(found) if (found.limits, found.own_process) == (limits, own_process) => {
                Ok(Written { value: found, replayed: true, ticket: None })
            }
            _ => {
                let set = TenantLimits { limits, updated_at: now, actor: actor.to_owned(), own_process };
                write(tx, "tenant-limits", actor, now, set)
            }
        }
    }

    /// What bounds every run of a tenant; none if nothing but its installations does.
    pub fn tenant_limits(&self, tenant: TenantNo) -> Result<Option<TenantLimits>> {
        Ok(self.store().get::<TenantLimits>(tenant, &())?)
    }
}

#[cfg(test)]
mod tests {
    use backroom_store::{Meta, Store};

    use super::*;

    #[test]
    fn the_lower_limit_counts_and_the_day_is_used_up_together() {
        let (store, tenant) = (Store::memory(), TenantNo(1));
        let office = Office::new(store.clone());
        let (first, second) = (Id::parse("first", "id").unwrap(), Id::parse("second", "id").unwrap());
        let day = |text: &str| BusinessDate::parse(text, "day").unwrap();
        let own = Limits { fuel: 100, wall_ms: 7, day_fuel: Some(150), ..Limits::default() };
        let budget = |installation: &Id, limits: &Limits, on: &str| {
            Budget::of(&store.read(tenant).unwrap(), installation, limits, day(on)).unwrap()
        };
        let spend = |budget: &Budget, fuel| {
            let mut tx = store.write(tenant).unwrap();
            budget.spend(&mut tx, fuel).unwrap();
            tx.commit(Meta::default()).unwrap().ticket.wait().unwrap();
        };
        let fresh = budget(&first, &own, "2026-06-30");
        assert_eq!((fresh.limits.fuel, fresh.limits.wall_ms, fresh.by_day), (100, 7, false));
        spend(&fresh, 90);
        let rest = budget(&first, &own, "2026-06-30");
        assert_eq!((rest.limits.fuel, rest.by_day), (60, true));
        spend(&rest, 60);
        assert_eq!(budget(&first, &own, "2026-06-30").limits.fuel, 0);
        assert_eq!(budget(&first, &own, "2026-07-01").limits.fuel, 100);
        assert_eq!(budget(&second, &own, "2026-06-30").limits.fuel, 100);
        // Of the tenant: its ceilings, and one sum for all, from when it is set on.
        let ceiling = Ceilings { memory: Some(1 << 20), wall_ms: Some(9), day_fuel: Some(50), ..Ceilings::default() };
        assert!(office.tenant_limits(tenant).unwrap().is_none());
        assert!(!office.set_tenant_limits("a", Instant(1), tenant, ceiling).unwrap().replayed);
        assert!(office.set_tenant_limits("b", Instant(2), tenant, ceiling).unwrap().replayed);
        let bounded = budget(&second, &Limits::default(), "2026-07-01");
        assert_eq!((bounded.limits.memory, bounded.limits.wall_ms), (1 << 20, 9));
        assert_eq!((bounded.limits.fuel, bounded.by_day), (50, true));
        assert_eq!(bounded.limits.log, Limits::default().log, "what is not said is not lowered");
        spend(&bounded, 45);
        assert_eq!(budget(&first, &own, "2026-07-01").limits.fuel, 5, "another installation has the rest");
        let much = Ceilings { memory: Some(u64::MAX), ..ceiling };
        assert!(office.set_tenant_limits("a", Instant(1), tenant, much).is_err());
    }

    #[test]
    fn records_of_before_have_the_usual_limits() {
        let old = [0x86, 0x1a, 0x04, 0, 0, 0, 0x05, 0x06, 0x07, 0x08, 0x09];
        let limits: Limits = minicbor::decode(&old).unwrap();
        let expected =
            Limits { memory: 64 << 20, wall_ms: 5, fuel: 6, host_calls: 7, effects: 8, log: 9, ..Limits::default() };
        assert_eq!(limits, expected);
        let all = Limits { day_fuel: Some(9), depth: 3, output: 2, host_ms: 1, ..limits };
        assert_eq!(minicbor::decode::<Limits>(&minicbor::to_vec(all).unwrap()).unwrap(), all);
    }
}
