//! Who calls. No handler reaches the store but through one of the values made here.
//!
//! The order is the same for every path: no key or no such key is 401; a tenant that is not the key's own is 404, as if it
//! did not exist; a role that may not is 403.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use backroom_domain::rights::{Grant, HrField, Rights};
use backroom_domain::{Class, Error, Id};
use backroom_office::{Failure, Office};
use backroom_store::TenantNo;
use backroom_store::records::{Role, Tenant};

use crate::problem::Problem;
use crate::secret;
use crate::service::Api;
use crate::session::{Books, Session, blocking};

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing; the route tells nothing about anybody.
    Open,
    /// Any key.
    Key,
    /// The provider's administrator.
    Admin,
    /// A key of the tenant in the path, or an administrator's.
    Read,
    /// The same, but no reader's.
    Write,
}

/// Whoever has a key.
pub(crate) struct Anyone(pub(crate) Session);

/// The provider's administrator.
pub(crate) struct Admin(pub(crate) Session);

/// Somebody who may read the books of the tenant in the path.
pub(crate) struct Reads(pub(crate) Books);

/// Somebody who may change the books of the tenant in the path.
pub(crate) struct Writes(pub(crate) Books);

impl FromRequestParts<Api> for Anyone {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        Ok(Self(identify(parts, api, Access::Key).await?.0))
    }
}

impl FromRequestParts<Api> for Admin {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        Ok(Self(identify(parts, api, Access::Admin).await?.0))
    }
}

impl FromRequestParts<Api> for Reads {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        books(identify(parts, api, Access::Read).await?).map(Self)
    }
}

impl FromRequestParts<Api> for Writes {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        books(identify(parts, api, Access::Write).await?).map(Self)
    }
}

fn books((session, tenant): (Session, Option<Tenant>)) -> Result<Books, Problem> {
    match tenant {
        Some(tenant) => Ok(Books::new(session, tenant)),
        None => Err(Problem::internal(&"a route of a tenant has no tenant in its path")),
    }
}

/// The rights of a role, within the tenants it is for.
fn rights_of(role: Role) -> Rights {
    match role {
        Role::Admin | Role::Operator => Rights::all(),
        Role::Reader => {
            let mut grant = Grant::read_only();
            grant.hr.read.remove(&HrField::Compensation);
            grant.hr.read.remove(&HrField::Bank);
            grant.into()
        }
    }
}

/// Who the store says the caller is.
struct Found {
    actor: String,
    role: Role,
    tenant: Option<Tenant>,
}

async fn identify(parts: &mut Parts, api: &Api, need: Access) -> Result<(Session, Option<Tenant>), Problem> {
    let key = if api.local { None } else { Some(bearer(parts)?) };
    let asked = tenant_in_path(parts, api).await?;
    let open = api.current()?;
    let permit = api.shared.admission.enter_lookup().await?;
    let found = {
        let open = Arc::clone(&open);
        blocking(permit, move || lookup(&open.office, key.as_deref(), asked.as_deref())).await?
    };
    let Found { actor, role, tenant } = match found {
        Ok(found) => found.ok_or_else(|| Problem::unauthenticated("there is no such key"))?,
        Err(failure) => return Err(api.failure(&open, failure)),
    };
    let denied = match need {
        Access::Open | Access::Key | Access::Read => None,
        Access::Admin => (role != Role::Admin).then_some("this needs an administrator's key"),
        Access::Write => (role == Role::Reader).then_some("a reader's key changes nothing"),
    };
    if let Some(detail) = denied {
        return Err(Problem::new(StatusCode::FORBIDDEN, Class::Denied, "role-denied", detail));
    }
    Ok((Session::new(api.clone(), &open, actor, Arc::new(rights_of(role))), tenant))
}

/// `None`: there is no such key.
fn lookup(office: &Office, secret: Option<&str>, asked: Option<&str>) -> Result<Option<Found>, Failure> {
    let (actor, role, own) = match secret {
        None => ("local".to_owned(), Role::Admin, None),
        Some(secret) => match office.key(secret)? {
            Some(key) => (key.name.to_string(), key.role, key.tenant),
            None => return Ok(None),
        },
    };
    let Some(asked) = asked else { return Ok(Some(Found { actor, role, tenant: None })) };
    let not_found = || Error::not_found("tenant", asked);
    let id = Id::parse(asked, "tenant").map_err(|_| not_found())?;
    if own.is_some_and(|own| own != id) {
        return Err(not_found().into());
    }
    Ok(Some(Found { actor, role, tenant: Some(office.tenant(&id)?) }))
}

/// The secret in `Authorization: Bearer ...`. What has not the form of a key is not looked up.
fn bearer(parts: &Parts) -> Result<String, Problem> {
    let Some(header) = parts.headers.get(AUTHORIZATION) else {
        return Err(Problem::unauthenticated("send the API key as `Authorization: Bearer brk_...`"));
    };
    let (scheme, secret) = header.to_str().ok().and_then(|text| text.split_once(' ')).unwrap_or_default();
    if scheme.eq_ignore_ascii_case("bearer") && secret::is_well_formed(secret.trim()) {
        return Ok(secret.trim().to_owned());
    }
    Err(Problem::unauthenticated("this is not an API key of the form `Bearer brk_...`"))
}

async fn tenant_in_path(parts: &mut Parts, api: &Api) -> Result<Option<String>, Problem> {
    let params = RawPathParams::from_request_parts(parts, api).await;
    let params = params.map_err(|_| Problem::of_status(StatusCode::NOT_FOUND))?;
    Ok(params.iter().find(|(name, _)| *name == "tenant").map(|(_, value)| value.to_owned()))
}

/// The number of a tenant in the store.
pub(crate) fn number(tenant: &Tenant) -> TenantNo {
    TenantNo(tenant.number)
}
