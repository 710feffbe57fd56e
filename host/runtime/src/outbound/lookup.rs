//! Finding the addresses of a name: bounded in time and number, and only those that may be connected to.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;

use backroom_store::TenantNo;
use parking_lot::Mutex;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::address::{PrivateTarget, may_connect};

/// Addresses of one name that are tried; there is room for so many.
const MAX_ADDRESSES: usize = 16;

/// Finds the addresses of a name.
pub(super) trait Names: Send + Sync + 'static {
    /// All of them, with the port.
    fn find(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// The system's own way.
pub(super) struct System;

impl Names for System {
    fn find(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok((host, port).to_socket_addrs()?.collect())
    }
}

/// Finds addresses, and lets only those through that may be connected to.
pub(super) struct Guarded {
    names: Arc<dyn Names>,
    named: Vec<PrivateTarget>,
    lookups: Arc<Lookups>,
}

/// Lookups under way at a time: of one name and all of them for one tenant. One that takes too long is left behind, and must not
/// pile up.
const LOOKUPS_OF_A_NAME: usize = 4;
const LOOKUPS_OF_A_TENANT: usize = 16;
/// Of all tenants together; beyond that, each may still have one. So nobody's names that never answer keep others from theirs.
const LOOKUPS: usize = 128;

/// Lookups under way, by name within tenant.
type Lookups = Mutex<HashMap<TenantNo, HashMap<String, usize>>>;

/// A lookup under way, as long as its thread lives.
struct Lookup {
    tenant: TenantNo,
    host: String,
    lookups: Arc<Lookups>,
}

impl Lookup {
    fn begin(tenant: TenantNo, host: &str, lookups: &Arc<Lookups>) -> Option<Self> {
        let mut under_way = lookups.lock();
        let all: usize = under_way.values().flat_map(HashMap::values).sum();
        let own: usize = under_way.get(&tenant).map_or(0, |own| own.values().sum());
        let of_name = under_way.get(&tenant).and_then(|own| own.get(host)).copied().unwrap_or(0);
        if of_name >= LOOKUPS_OF_A_NAME || own >= LOOKUPS_OF_A_TENANT || (own > 0 && all >= LOOKUPS) {
            return None;
        }
        under_way.entry(tenant).or_default().insert(host.to_owned(), of_name + 1);
        drop(under_way);
        Some(Self { tenant, host: host.to_owned(), lookups: Arc::clone(lookups) })
    }
}

impl Drop for Lookup {
    fn drop(&mut self) {
        let mut under_way = self.lookups.lock();
        let Some(own) = under_way.get_mut(&self.tenant) else { return };
        if let Some(count) = own.get_mut(&self.host) {
            *count = count.saturating_sub(1);
        }
        own.retain(|_, count| *count > 0);
        if own.is_empty() {
            under_way.remove(&self.tenant);
        }
    }
}

thread_local! {
    /// Whose request this thread sends: the resolver is asked on it and told nothing else of that.
    static ASKING: Cell<TenantNo> = const { Cell::new(TenantNo::PROVIDER) };
}

/// Lookups of this thread are this tenant's, as long as it lives.
pub(super) struct Asking(());

/// Says whose lookups come now.
pub(super) fn asking_for(tenant: TenantNo) -> Asking {
    ASKING.set(tenant);
    Asking(())
}

impl Drop for Asking {
    fn drop(&mut self) {
        ASKING.set(TenantNo::PROVIDER);
    }
}

/// Too many names are being looked up already.
#[derive(Debug, thiserror::Error)]
#[error("too many lookups of this client are under way")]
pub(super) struct LookupBusy;

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").field("named", &self.named).finish_non_exhaustive()
    }
}

/// A name, or an address, that leads where nothing is sent.
#[derive(Debug, thiserror::Error)]
#[error("it leads to an address that is not public")]
pub(super) struct NotPublic;

impl Resolver for Guarded {
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        timeout: NextTimeout,
    ) -> std::result::Result<ResolvedSocketAddrs, ureq::Error> {
        let (scheme, authority) = uri.scheme().zip(uri.authority()).ok_or(ureq::Error::HostNotFound)?;
        let port = DefaultResolver::host_and_port(scheme, authority)
            .and_then(|text| text.rsplit_once(':')?.1.parse().ok())
            .ok_or(ureq::Error::HostNotFound)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let found = self.find(host, port, timeout)?;
        // One that is not public among others is no accident.
        if !found.iter().all(|address| may_connect(*address, &self.named)) {
            return Err(ureq::Error::Other(Box::new(NotPublic)));
        }
        let mut addresses = self.empty();
        found.into_iter().take(MAX_ADDRESSES).for_each(|address| addresses.push(address));
        if addresses.is_empty() { Err(ureq::Error::HostNotFound) } else { Ok(addresses) }
    }
}

impl Guarded {
    pub(super) fn new(names: Arc<dyn Names>, named: Vec<PrivateTarget>) -> Self {
        Self { names, named, lookups: Arc::default() }
    }

    /// The system's resolver cannot be told to hurry, so it is left behind on a thread of its own where it takes too long.
    fn find(&self, host: String, port: u16, timeout: NextTimeout) -> std::result::Result<Vec<SocketAddr>, ureq::Error> {
        let names = Arc::clone(&self.names);
        let lookup = Lookup::begin(ASKING.get(), &host, &self.lookups)
            .ok_or_else(|| ureq::Error::Other(Box::new(LookupBusy)))?;
        let (told, tells) = std::sync::mpsc::sync_channel(1);
        // If nobody waits any more there is nobody to tell.
        let look = move || {
            let found = names.find(&host, port);
            drop(lookup);
            drop(told.send(found));
        };
        std::thread::Builder::new().name("resolve".to_owned()).spawn(look).map_err(ureq::Error::Io)?;
        match tells.recv_timeout(*timeout.after) {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(_)) => Err(ureq::Error::HostNotFound),
            // Whatever ran out, it was here.
            Err(_) => Err(ureq::Error::Timeout(ureq::Timeout::Resolve)),
        }
    }
}
