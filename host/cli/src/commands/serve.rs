//! `backroom serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use backroom_runtime::{CompileLimits, OwnAuthority, PrivateTarget};
use backroom_server::{Place, ServiceLimits, ServiceOptions};
use clap::Args;
use serde_json::json;

use super::Context;
use crate::exit::{Failure, Result};
use crate::logging;
use crate::output;
use crate::service::{self, MASTER_KEY_FILE, Server};

/// Run the service on a data directory, or on a database that other hosts may serve as well.
#[derive(Debug, Args)]
#[command(after_help = "\
The first start makes the data directory (or the tables in the database) and an API key of the provider's administrator,
which is shown once. Any number of hosts may serve one database; they keep nothing of their own but a cache. The service
speaks plain HTTP: put a proxy with TLS before it, or leave it on this machine. SIGTERM and SIGINT stop it once
everything under way has ended.

Personal data are sealed with a key per person, kept in the folder `keys`. BACKROOM_MASTER_KEY_FILE names a file with 64
hexadecimal digits that these keys are wrapped with; keep it away from the data directory. Once it was used it is needed for good.

Examples:
  backroom serve --data /var/lib/backroom
  backroom serve --data /var/lib/backroom --listen 127.0.0.1:8080 --json-logs
  backroom serve --data /var/lib/backroom --workers 8 --host-name one
  backroom serve --data /var/lib/backroom --allow-private-targets 10.1.2.7/32:8443
  backroom serve --data /var/lib/backroom --http-authority erp.internal=/etc/backroom/ca.pem
  backroom serve --database-url postgresql://backroom@db.internal/backroom --cache /var/cache/backroom
  backroom serve --data /var/lib/backroom --backup-to /srv/backups --backup-to s3://our-backups/backroom")]
pub(crate) struct Serve {
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7420")]
    listen: SocketAddr,
    /// Queues of tenants that this host works through at once; 0 to serve requests alone.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(0..=48))]
    workers: u16,
    /// The name of this host, as the queue shows who does what; made of the process id if not said.
    #[arg(long, value_name = "NAME")]
    host_name: Option<String>,
    /// How long other hosts wait before they take over what this one has under way, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=600))]
    lease_time: u64,
    /// A place that administrators may back up to: a folder, from the root on, or s3://bucket/prefix; and all below it. Can be
    /// given more than once. Without it this server makes no backups.
    #[arg(long, value_name = "PLACE")]
    backup_to: Vec<String>,
    /// The largest tenant's file that is taken in, in MiB.
    #[arg(long, value_name = "MIB", default_value_t = 4096, value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    max_tenant_file: u64,
    /// Dry runs and replays of one tenant at once; its runs go one by one in any case.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=48))]
    tenant_dry_runs: u16,
    /// Runs and writes of one tenant that may wait or be under way; the next one is answered 429, with the time to wait.
    #[arg(long, value_name = "N", default_value_t = 68, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    tenant_queue: u16,
    /// Memory that compiling one plugin may take, in MiB.
    #[arg(long, value_name = "MIB", default_value_t = CompileLimits::default().memory >> 20, value_parser = clap::value_parser!(u64).range(256..=1 << 20))]
    compile_memory: u64,
    /// Processor time that compiling one plugin may take, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = CompileLimits::default().cpu_seconds, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    compile_time: u64,
    /// Addresses of a private network that plugins may be granted requests to, at one port: 10.1.2.0/24:8443 or `[fd00::7]/128:443`.
    /// Can be given more than once. Without it, requests go to public addresses alone.
    #[arg(long, value_name = "CIDR:PORT")]
    allow_private_targets: Vec<PrivateTarget>,
    /// A host whose certificate is by an authority in this PEM file, and by no other. Can be given more than once. Without it,
    /// hosts prove who they are by the public authorities.
    #[arg(long, value_name = "HOST=FILE", value_parser = authority)]
    http_authority: Vec<(String, PathBuf)>,
    /// Write log lines as JSON objects.
    #[arg(long)]
    json_logs: bool,
}

/// `HOST=FILE`.
fn authority(text: &str) -> std::result::Result<(String, PathBuf), String> {
    let (host, file) = text.split_once('=').ok_or("it is HOST=FILE, such as erp.internal=/etc/backroom/ca.pem")?;
    Ok((host.to_owned(), file.into()))
}

fn read_authority((host, file): &(String, PathBuf)) -> Result<OwnAuthority> {
    let wrong = |why: String| Failure::usage(format!("--http-authority {host}={}: {why}", file.display()));
    let pem = std::fs::read(file).map_err(|why| wrong(why.to_string()))?;
    OwnAuthority::new(host, &pem).map_err(wrong)
}

/// The first that comes again.
fn twice<'a>(mut hosts: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    let mut seen = std::collections::BTreeSet::new();
    hosts.find(|host| !seen.insert(host.to_ascii_lowercase()))
}

impl Serve {
    fn adapt(&self, options: &mut ServiceOptions, limits: &ServiceLimits, authorities: &[OwnAuthority]) {
        options.limits.clone_from(limits);
        options.host.clone_from(&self.host_name);
        options.runtime.http.private_targets.clone_from(&self.allow_private_targets);
        options.runtime.http.authorities = authorities.to_vec();
        options.limits.workers = self.workers.into();
        options.limits.plans_per_tenant = self.tenant_dry_runs.into();
        options.limits.queue_per_tenant = self.tenant_queue.into();
        options.limits.lease_time = Duration::from_secs(self.lease_time);
        let compile = &mut options.runtime.compile.limits;
        compile.memory = self.compile_memory << 20;
        compile.cpu_seconds = self.compile_time;
        compile.wall = Duration::from_secs(self.compile_time.saturating_mul(4));
    }

    fn limits(&self) -> Result<ServiceLimits> {
        for place in &self.backup_to {
            if !place.starts_with("s3://") && !std::path::Path::new(place).is_absolute() {
                return Err(Failure::usage(format!("--backup-to {place}: name the folder from the root on")));
            }
        }
        let (backup_to, tenant_file_bytes) = (self.backup_to.clone(), self.max_tenant_file << 20);
        Ok(ServiceLimits { backup_to, tenant_file_bytes, ..ServiceLimits::default() })
    }

    /// Does it, until it is told to stop.
    pub(crate) fn run(&self, context: &Context) -> Result {
        logging::begin("info", self.json_logs);
        if !service::has_master_key() {
            let kept = match context.place() {
                Some(Place::Database { .. }) => "table backroom.person_key",
                _ => "folder `keys`",
            };
            tracing::warn!(
                "the keys of persons are kept as they are: whoever can read the {kept} can read the personal data of every \
                 tenant, and a copy of it brings back what is erased; {MASTER_KEY_FILE} names a file with a key to wrap them with"
            );
        }
        let limits = self.limits()?;
        if let Some(host) = twice(self.http_authority.iter().map(|(host, _)| host)) {
            return Err(Failure::usage(format!(
                "--http-authority {host}: once a host; put all authorities into one file"
            )));
        }
        let authorities: Vec<_> = self.http_authority.iter().map(read_authority).collect::<Result<_>>()?;
        let adapt = |options: &mut ServiceOptions| self.adapt(options, &limits, &authorities);
        let server = Server::start(&context.required_place()?, self.listen, &adapt)?;
        let signals = server.take_signals()?;
        let key = server.first_key()?;
        let url = format!("http://{}", server.address);
        let out = context.out;
        out.value(&json!({ "listening": url, "key": key }));
        if let Some(key) = &key {
            out.line("This is new. The administrator's API key, shown this once:");
            out.line(format_args!("\n  export BACKROOM_KEY={key}\n"));
            out.line(format_args!("Try:  backroom tenant list --server {url}"));
            out.line(format_args!("or:   curl -H \"Authorization: Bearer $BACKROOM_KEY\" {url}/v1/tenants\n"));
        }
        out.line(format_args!("Listening on {url}"));
        if !server.address.ip().is_loopback() {
            output::note("Others can reach this address, and it speaks plain HTTP: put a proxy with TLS before it.");
        }
        server.serve_until(signals)
    }
}
