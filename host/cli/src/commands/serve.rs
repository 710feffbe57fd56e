//! `backroom serve`.

use std::net::SocketAddr;

use backroom_server::ServiceLimits;
use clap::Args;
use serde_json::json;

use super::Context;
use crate::exit::{Failure, Result};
use crate::logging;
use crate::output;
use crate::service::Server;

/// Run the service on a data directory.
#[derive(Debug, Args)]
#[command(after_help = "\
The first start makes the data directory and an API key of the provider's administrator, which is shown once. The
service speaks plain HTTP: put a proxy with TLS before it, or leave it on this machine. SIGTERM and SIGINT stop it once
everything under way has ended.

Examples:
  backroom serve --data /var/lib/backroom
  backroom serve --data /var/lib/backroom --listen 127.0.0.1:8080 --json-logs
  backroom serve --data /var/lib/backroom --backup-to /srv/backups --backup-to s3://our-backups/backroom")]
pub(crate) struct Serve {
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7420")]
    listen: SocketAddr,
    /// A place that administrators may back up to: a folder, from the root on, or s3://bucket/prefix; and all below it. Can be
    /// given more than once. Without it this server makes no backups.
    #[arg(long, value_name = "PLACE")]
    backup_to: Vec<String>,
    /// The largest tenant's file that is taken in, in MiB.
    #[arg(long, value_name = "MIB", default_value_t = 4096, value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    max_tenant_file: u64,
    /// Write log lines as JSON objects.
    #[arg(long)]
    json_logs: bool,
}

impl Serve {
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
        let server = Server::start(context.data()?, self.listen, self.limits()?)?;
        let key = server.first_key()?;
        let url = format!("http://{}", server.address);
        let out = context.out;
        out.value(&json!({ "listening": url, "key": key }));
        if let Some(key) = &key {
            out.line("This data directory is new. The administrator's API key, shown this once:");
            out.line(format_args!("\n  export BACKROOM_KEY={key}\n"));
            out.line(format_args!("Try:  backroom tenant list --server {url}"));
            out.line(format_args!("or:   curl -H \"Authorization: Bearer $BACKROOM_KEY\" {url}/v1/tenants\n"));
        }
        out.line(format_args!("Listening on {url}"));
        if !server.address.ip().is_loopback() {
            output::note("Others can reach this address, and it speaks plain HTTP: put a proxy with TLS before it.");
        }
        server.wait_for_signal()
    }
}
