//! Releases put to use for a tenant.

use std::collections::BTreeMap;

use backroom_domain::rights::Rights;
use backroom_domain::{Error, Id};
use backroom_office::{Failure, NewInstallation, Written};
use backroom_runtime::RightsReport;
use backroom_store::TenantNo;
use backroom_store::records::{Installation, Limits, Release};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::admission::Task;
use crate::auth::{Reads, Writes};
use crate::clock;
use crate::extract::{Asked, Json, Paging, PathId};
use crate::keeper::Open;
use crate::session::Answer;

/// What an operator says; the name stands in the path.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Wanted {
    release: String,
    #[serde(default)]
    grants: Rights,
    #[serde(default)]
    config: BTreeMap<String, String>,
    #[serde(default)]
    limits: Limits,
    /// Another release may want more than the one that it takes the place of.
    #[serde(default)]
    accept_rights: bool,
}

/// An installation with what its release is and wants.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Shown {
    #[serde(flatten)]
    installation: Installation,
    plugin: String,
    version: String,
    /// What the plugin asks for.
    wants: Rights,
    /// What does not agree between wants, grants and imports, and what is new.
    rights: RightsReport,
    /// Grants that were over when this was asked: nothing is allowed by them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    expired: Vec<String>,
    effective: &'static str,
}

impl Shown {
    /// `before` is what the release wanted that was installed before.
    fn new(open: &Open, installation: Installation, before: Option<&Rights>) -> Result<Self, Failure> {
        let Release { plugin, version, wants, functions, .. } = open.office.release(&installation.release)?;
        let rights = RightsReport::new(&wants, &functions, &installation.grants, before);
        let expired = expired(&installation.grants);
        Ok(Self { installation, plugin: plugin.to_string(), version, wants, rights, expired, effective: EFFECTIVE })
    }
}

/// Grants whose last day is over, a line each.
fn expired(grants: &Rights) -> Vec<String> {
    let Ok(today) = clock::now().utc_date() else { return Vec::new() };
    let over = grants.grants().iter().filter_map(|grant| {
        let last = grant.expires.filter(|last| *last < today)?;
        let why = grant.why.as_deref().unwrap_or("a grant without a reason");
        let owner = grant.owner.as_ref().map_or_else(String::new, |owner| format!(" [{owner}]"));
        Some(format!("{why}{owner}: up to and on {last}"))
    });
    over.collect()
}

const EFFECTIVE: &str =
    "a call is allowed if the plugin wants it, the operator granted it, and whoever starts the run may do it";

pub(crate) async fn install(Writes(books): Writes, PathId(name): PathId, Json(wanted): Json<Wanted>) -> Answer {
    let (actor, tenant) = (books.session.actor.clone(), books.number());
    let install = move |open: &Open| {
        let Wanted { release, grants, config, limits, accept_rights } = wanted;
        // A release that is not there is a mistake in the body, not a path that leads nowhere.
        let known = open.office.release(&release).map_err(|failure| match failure {
            Failure::Business(_) => {
                Error::invalid("release-unknown", "release", "there is no such release; upload the plugin first").into()
            }
            store @ Failure::Store(_) => store,
        });
        drop(known?);
        let before = wanted_before(open, tenant, &name, &release)?;
        let new = NewInstallation { name, release, grants, config, limits, accept_rights };
        let Written { value, replayed, ticket } = open.office.install(&actor, clock::now(), tenant, new)?;
        Ok(Written { value: Shown::new(open, value, before.as_ref())?, replayed, ticket })
    };
    books.session.write(tenant, Task::Write, install).await
}

/// What the release wants that is installed now, if another is to take its place.
fn wanted_before(open: &Open, tenant: TenantNo, name: &Id, release: &str) -> Result<Option<Rights>, Failure> {
    match open.office.installation(tenant, name) {
        Ok(found) if found.release != release => Ok(Some(open.office.release(&found.release)?.wants)),
        Ok(_) | Err(Failure::Business(_)) => Ok(None),
        Err(store @ Failure::Store(_)) => Err(store),
    }
}

pub(crate) async fn list(Reads(books): Reads, Asked(paging): Asked<Paging>) -> Answer {
    let tenant = books.number();
    books.session.read(tenant, move |open| open.office.installations(tenant, &paging.page())).await
}

pub(crate) async fn show(Reads(books): Reads, PathId(name): PathId) -> Answer {
    let tenant = books.number();
    let show = move |open: &Open| {
        let installation = open.office.installation(tenant, &name)?;
        Shown::new(open, installation, None)
    };
    books.session.read(tenant, show).await
}
