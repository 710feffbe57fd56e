//! Sending: one hop after the other, each to an address that was checked.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backroom_domain::outbound::Method;
use backroom_domain::{Class, Error, Id, Result};
use backroom_office::calls::{Request, Response};
use backroom_office::{Failure, Work};
use backroom_store::TenantNo;
use parking_lot::Mutex;
use ureq::Agent;
use ureq::config::Config;
use ureq::http::{self, HeaderMap, StatusCode, header};
use ureq::tls::TlsConfig;
use ureq::unversioned::transport::DefaultConnector;
use url::Url;

use super::address::PrivateTarget;
use super::authority::{OwnAuthority, unproven};
use super::lookup::{self, Guarded, LookupBusy, Names, NotPublic, System};
use super::request::{self, Checked};
use super::secrets::{self, Revealed};
use crate::error::HostError;
use crate::limits::MAX_CARRIED;

/// Redirects that are followed.
const MAX_REDIRECTS: usize = 5;
/// Headers of one response, in bytes.
const MAX_HEADER_BYTES: usize = 16 << 10;

/// Bounds of requests to the outside.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// Addresses that are no public ones and may be reached all the same. None but what an operator of this machine names.
    pub private_targets: Vec<PrivateTarget>,
    /// Hosts whose certificates are not by a public authority. All others have to prove who they are by one.
    pub authorities: Vec<OwnAuthority>,
    /// Requests of one tenant at a time. One tenant must not take up what connections this machine may have.
    pub per_tenant: usize,
}

impl Default for HttpOptions {
    fn default() -> Self {
        // One writer, and as many plans as a tenant may have at a time.
        Self { private_targets: Vec::new(), authorities: Vec::new(), per_tenant: 5 }
    }
}

/// Sends requests. Connections are not kept: each request finds its address anew, and no tenant meets another's connection.
pub(crate) struct Client {
    agent: Agent,
    authorities: Vec<OwnAuthority>,
    per_tenant: usize,
    under_way: Mutex<HashMap<TenantNo, usize>>,
}

impl Client {
    pub(crate) fn new(options: &HttpOptions) -> Self {
        Self::with_names(options, Arc::new(System))
    }

    pub(super) fn with_names(options: &HttpOptions, names: Arc<dyn Names>) -> Self {
        let config = Config::builder()
            .http_status_as_error(false)
            // By hand, each one checked.
            .max_redirects(0)
            .max_redirects_will_error(false)
            // Whatever proxy the environment names, the address that was checked is the one that is meant.
            .proxy(None)
            .max_idle_connections(0)
            .max_response_header_size(MAX_HEADER_BYTES)
            .user_agent("backroom")
            .accept("*/*")
            .build();
        let resolver = Guarded::new(names, options.private_targets.clone());
        let agent = Agent::with_parts(config, DefaultConnector::default(), resolver);
        Self {
            agent,
            authorities: options.authorities.clone(),
            per_tenant: options.per_tenant,
            under_way: Mutex::default(),
        }
    }

    /// Sends a checked request and follows where it is led. Inside, what is the answer for the record, good or bad; outside, what
    /// the store could not do.
    pub(super) fn send(
        &self,
        tenant: TenantNo,
        work: &Work,
        request: &Request,
        checked: &Checked,
        limit: usize,
        until: Instant,
    ) -> std::result::Result<Sent, HostError> {
        let until = until.min(Instant::now() + Duration::from_millis(request.timeout_ms.into()));
        let Some(_place) = self.enter(tenant) else {
            return Ok(Sent::nothing(unavailable("http-busy", "too many requests of this client are under way")));
        };
        let secrets = match secrets::reveal(work, &checked.secrets) {
            Ok(secrets) => secrets,
            Err(Failure::Business(error)) => return Ok(Sent::nothing(error)),
            Err(Failure::Store(error)) => return Err(error.into()),
        };
        let hidden = match secrets::all(work) {
            Ok(hidden) => hidden,
            Err(Failure::Business(error)) => return Ok(Sent::nothing(error)),
            Err(Failure::Store(error)) => return Err(error.into()),
        };
        let known = Known { named: &checked.secrets, secrets: &secrets, hidden: &hidden };
        let first = Hop { url: checked.url.clone(), method: checked.method, home: true };
        let _asking = lookup::asking_for(tenant);
        let mut went_out = false;
        let answer = self.follow(work, request, first, known, limit, until, &mut went_out);
        Ok(Sent { answer, went_out })
    }

    #[expect(clippy::too_many_arguments, reason = "what a request is, and what it may do")]
    fn follow(
        &self,
        work: &Work,
        request: &Request,
        first: Hop,
        known: Known<'_>,
        limit: usize,
        until: Instant,
        went_out: &mut bool,
    ) -> Result<Response> {
        let none = BTreeSet::new();
        let mut hop = first;
        for _ in 0..=MAX_REDIRECTS {
            let outgoing = hop.outgoing(request, known.secrets)?;
            let answered = self.once(outgoing, hop.url.host_str().unwrap_or_default(), until);
            *went_out |= answered.as_ref().map_or_else(may_be_out, |_| true);
            let mut response = answered.map_err(failed)?;
            let Some(next) = hop.next(request, response.status(), response.headers())? else {
                return received(&mut response, known.hidden, limit);
            };
            let named = if next.home { known.named } else { &none };
            work.rights().check_http(&request::outward(&next.url, next.method), named)?;
            hop = next;
        }
        Err(Error::refused("redirects-too-many", format!("more than {MAX_REDIRECTS} redirects")))
    }

    fn once(
        &self,
        request: http::Request<Vec<u8>>,
        host: &str,
        until: Instant,
    ) -> std::result::Result<http::Response<ureq::Body>, ureq::Error> {
        let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        let bodiless = matches!(*request.method(), http::Method::GET | http::Method::HEAD | http::Method::DELETE);
        let own = self.authorities.iter().find_map(|authority| authority.of(host));
        if bodiless {
            self.agent.run(self.configured(request.map(|_| ()), own, left))
        } else {
            self.agent.run(self.configured(request, own, left))
        }
    }

    fn configured<B: ureq::AsSendBody>(
        &self,
        request: http::Request<B>,
        own: Option<&TlsConfig>,
        left: Duration,
    ) -> http::Request<B> {
        let configured = self.agent.configure_request(request).timeout_global(Some(left));
        match own {
            Some(tls) => configured.tls_config(tls.clone()).build(),
            None => configured.build(),
        }
    }

    fn enter(&self, tenant: TenantNo) -> Option<Place<'_>> {
        let mut under_way = self.under_way.lock();
        let count = under_way.entry(tenant).or_default();
        if *count >= self.per_tenant {
            return None;
        }
        *count += 1;
        Some(Place { client: self, tenant })
    }
}

/// What became of a request.
pub(super) struct Sent {
    /// The answer for the record, good or bad.
    pub(super) answer: Result<Response>,
    /// Something may have reached the other side, so that the same must not be sent again.
    pub(super) went_out: bool,
}

impl Sent {
    fn nothing(error: Error) -> Self {
        Self { answer: Err(error), went_out: false }
    }
}

/// Whether the other side may have seen something of a request that ended so. Where nobody can tell, it may.
fn may_be_out(error: &ureq::Error) -> bool {
    match error {
        // Who the other side is comes before the first word to it.
        error if unproven(error).is_some() => false,
        ureq::Error::Other(other) => !(other.is::<NotPublic>() || other.is::<LookupBusy>()),
        ureq::Error::HostNotFound | ureq::Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => false,
        ureq::Error::Io(error) => error.kind() != io::ErrorKind::ConnectionRefused,
        _ => true,
    }
}

/// One of the requests that a tenant may have under way.
struct Place<'c> {
    client: &'c Client,
    tenant: TenantNo,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut under_way = self.client.under_way.lock();
        if let Some(count) = under_way.get_mut(&self.tenant) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                under_way.remove(&self.tenant);
            }
        }
    }
}

/// What is secret: what the request names, and everything that must not come back.
#[derive(Clone, Copy)]
struct Known<'k> {
    named: &'k BTreeSet<Id>,
    secrets: &'k Revealed,
    hidden: &'k Revealed,
}

/// One of the requests that a request leads to.
struct Hop {
    url: Url,
    method: Method,
    /// Still where the request was sent to first, so that it may have its secrets.
    home: bool,
}

impl Hop {
    fn outgoing(&self, request: &Request, secrets: &Revealed) -> Result<http::Request<Vec<u8>>> {
        let mut out = http::Request::builder().method(self.method.as_str()).uri(self.url.as_str());
        for (name, value) in &request.headers {
            if !self.home && is_private(name, value) {
                continue;
            }
            let filled = secrets::fill(value.as_bytes(), secrets, MAX_HEADER_BYTES)?;
            let mut value = http::HeaderValue::from_bytes(&filled).map_err(|_| unsendable())?;
            value.set_sensitive(true);
            out = out.header(name.as_str(), value);
        }
        // One that has become a GET has no body any more.
        let body = if self.method == request.method {
            secrets::fill(&request.body, secrets, MAX_CARRIED)?.to_vec()
        } else {
            Vec::new()
        };
        out.body(body).map_err(|_| unsendable())
    }

    /// Where a response leads, if it does.
    fn next(&self, request: &Request, status: StatusCode, headers: &HeaderMap) -> Result<Option<Self>> {
        let keeps = match status.as_u16() {
            301 | 302 => self.method != Method::Post,
            303 => self.method == Method::Head,
            307 | 308 => true,
            _ => return Ok(None),
        };
        let Some(location) = headers.get(header::LOCATION) else { return Ok(None) };
        let location = location.to_str().map_err(|_| redirect_refused("it leads to no address"))?;
        let url = self.url.join(location).map_err(|_| redirect_refused("it leads to no address"))?;
        request::check(&url).map_err(redirect_refused)?;
        if self.url.scheme() == "https" && url.scheme() != "https" {
            return Err(redirect_refused("it leads from https to http"));
        }
        let method = if keeps { self.method } else { Method::Get };
        let home = self.home && url.origin() == self.url.origin();
        // Headers can be left out; a body is sent as a whole or not at all.
        if !home && method == request.method && secrets::has(&request.body) {
            return Err(redirect_refused("it leads elsewhere with a body that has secrets in it"));
        }
        Ok(Some(Self { url, method, home }))
    }
}

/// What is not for others: headers with secrets, and those that are made for credentials.
fn is_private(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase();
    matches!(name.as_str(), "authorization" | "cookie") || secrets::has(value.as_bytes())
}

/// Headers that say nothing to a plugin: of the connection, and what is to be kept for later requests.
const DROPPED: [&str; 15] = [
    "set-cookie",
    "set-cookie2",
    "www-authenticate",
    "proxy-authenticate",
    "authentication-info",
    "proxy-authentication-info",
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "alt-svc",
    "strict-transport-security",
];

fn received(response: &mut http::Response<ureq::Body>, secrets: &Revealed, limit: usize) -> Result<Response> {
    let text = |bytes: &[u8]| {
        let masked = secrets::mask(bytes, secrets, MAX_CARRIED).ok_or_else(too_large)?;
        Ok(String::from_utf8_lossy(&masked).into_owned())
    };
    let kept = response.headers().iter().filter(|(name, _)| !DROPPED.contains(&name.as_str()));
    let headers = kept.map(|(name, value)| Ok((name.as_str().to_owned(), text(value.as_bytes())?)));
    let headers = headers.collect::<Result<Vec<_>>>()?;
    let status = response.status().as_u16();
    let limited = response.body_mut().with_config().limit(u64::try_from(limit).unwrap_or(u64::MAX)).read_to_vec();
    // A placeholder may be longer than what it stands for.
    let body = secrets::mask(&limited.map_err(failed)?, secrets, limit).ok_or_else(too_large)?;
    Ok(Response { status, headers, body })
}

fn failed(error: ureq::Error) -> Error {
    if let Some(why) = unproven(&error) {
        let message = format!("the certificate of the other side does not count, and nothing was sent to it: {why}");
        return Error::refused("certificate-refused", message);
    }
    match error {
        ureq::Error::Other(other) if other.is::<NotPublic>() => {
            let message = "it leads to an address that is not public: private, local, or set aside. An operator of the service \
                           can name such addresses";
            Error::refused("address-refused", message)
        }
        ureq::Error::Other(other) if other.is::<LookupBusy>() => {
            unavailable("http-busy", "too many lookups of this client are under way")
        }
        ureq::Error::HostNotFound => unavailable("name-unknown", "the name has no address at the moment"),
        ureq::Error::Timeout(_) => unavailable("http-timeout", "it took longer than it may"),
        ureq::Error::BodyExceedsLimit(_) | ureq::Error::LargeResponseHeader(..) => too_large(),
        other => unavailable("http-failed", &other.to_string()),
    }
}

fn unavailable(code: &'static str, message: &str) -> Error {
    Error::new(Class::Unavailable, code, message)
}

fn too_large() -> Error {
    Error::refused("response-too-large", "the response is larger than 960 KiB, or than what is left for this run")
}

fn redirect_refused(why: &str) -> Error {
    Error::refused("redirect-refused", format!("a redirect was not followed: {why}"))
}

fn unsendable() -> Error {
    Error::invalid("header-invalid", "headers", "the request cannot be written")
}
