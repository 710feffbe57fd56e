//! Releases put to use for a tenant.

use std::collections::BTreeMap;

use backroom_domain::Error;
use backroom_domain::rights::Rights;
use backroom_office::NewInstallation;
use backroom_store::records::{Installation, Limits};
use serde::{Deserialize, Serialize};

use crate::admission::Task;
use crate::auth::{Reads, Writes};
use crate::clock;
use crate::extract::{Asked, Json, Paging, PathId};
use crate::keeper::Open;
use crate::session::Answer;

/// What an operator says; the name stands in the path.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Wanted {
    release: String,
    #[serde(default)]
    grants: Rights,
    #[serde(default)]
    config: BTreeMap<String, String>,
    #[serde(default)]
    limits: Limits,
}

/// An installation with what its release is and wants.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Shown {
    #[serde(flatten)]
    installation: Installation,
    plugin: String,
    version: String,
    /// What the plugin asks for.
    wants: Rights,
    effective: &'static str,
}

const EFFECTIVE: &str =
    "a call is allowed if the plugin wants it, the operator granted it, and whoever starts the run may do it";

pub(crate) async fn install(Writes(books): Writes, PathId(name): PathId, Json(wanted): Json<Wanted>) -> Answer {
    let (actor, tenant) = (books.session.actor.clone(), books.number());
    let install = move |open: &Open| {
        let Wanted { release, grants, config, limits } = wanted;
        // A release that is not there is a mistake in the body, not a path that leads nowhere.
        let known = open.office.release(&release).map_err(|failure| match failure {
            backroom_office::Failure::Business(_) => {
                Error::invalid("release-unknown", "release", "there is no such release; upload the plugin first").into()
            }
            store @ backroom_office::Failure::Store(_) => store,
        });
        drop(known?);
        open.office.install(&actor, clock::now(), tenant, NewInstallation { name, release, grants, config, limits })
    };
    books.session.write(tenant, Task::Write, install).await
}

pub(crate) async fn list(Reads(books): Reads, Asked(paging): Asked<Paging>) -> Answer {
    let tenant = books.number();
    books.session.read(tenant, move |open| open.office.installations(tenant, &paging.page())).await
}

pub(crate) async fn show(Reads(books): Reads, PathId(name): PathId) -> Answer {
    let tenant = books.number();
    let show = move |open: &Open| {
        let installation = open.office.installation(tenant, &name)?;
        let release = open.office.release(&installation.release)?;
        let (plugin, version, wants) = (release.plugin.to_string(), release.version, release.wants);
        Ok(Shown { installation, plugin, version, wants, effective: EFFECTIVE })
    };
    books.session.read(tenant, show).await
}
