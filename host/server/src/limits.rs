//! Bounds of the service. Every number has its reason beside it.

use std::time::Duration;

/// Bounds of the service, apart from those of a single run and of the store.
#[derive(Debug, Clone)]
pub struct ServiceLimits {
    /// Guests at once, over all tenants. At most two below what the runtime has room for, so that its pool never errors.
    pub guests: usize,
    /// Dry runs and replays at once of one tenant: fewer than guests, so that no tenant can take them all. Writers of a tenant
    /// go one by one in any case.
    pub plans_per_tenant: usize,
    /// Runs and writes of one tenant that may wait or be under way; the next is answered 429.
    pub queue_per_tenant: usize,
    /// Reads at once of one tenant.
    pub reads_per_tenant: usize,
    /// Threads at once that only use the store. Reads take microseconds from memory and some milliseconds from disk.
    pub store_threads: usize,
    /// Bodies above [`ServiceLimits::json_bytes`] at once; together with their sizes this bounds memory.
    pub large_bodies: usize,
    /// How long a request may wait to begin; then 503, and nothing was done.
    pub queue_time: Duration,
    /// How long a request may take in all: longer than a run may take. What then goes on, goes on: the caller repeats with
    /// the same id.
    pub request_time: Duration,
    /// How long the headers, and then a body, may take to arrive.
    pub receive_time: Duration,
    /// How long requests under way may go on after the service was told to stop: longer than a run may take.
    pub drain_time: Duration,
    /// Queues of tenants that this host works through at once; 0 to serve requests alone. Well below the guests, so that
    /// there is always room for requests.
    pub workers: usize,
    /// How long a lease of a queue lasts without being renewed, which is done three times as often: so long the runs of a
    /// dead host wait.
    pub lease_time: Duration,
    /// Connections at once; further ones wait in the kernel's queue.
    pub connections: usize,
    /// A JSON body: the input of a run (1 MiB) or a configuration (100 values of 16 KiB), and what is around it.
    pub json_bytes: usize,
    /// A component. Interpreters of other languages with their libraries have some 10 to 20 MiB.
    pub component_bytes: usize,
    /// One file of an import; see `office::imports::MAX_FILE`.
    pub file_bytes: usize,
    /// Files of an import; there are fewer kinds.
    pub files: usize,
    /// The file of a tenant that arrives. It is kept in the folder for temporary files meanwhile, not in memory.
    pub tenant_file_bytes: u64,
    /// Folders (absolute) and `s3://bucket/prefix` at or below which callers may have backups made: a key must not be a way
    /// to write anywhere on this machine.
    pub backup_to: Vec<String>,
}

impl Default for ServiceLimits {
    fn default() -> Self {
        Self {
            guests: 64,
            plans_per_tenant: 4,
            queue_per_tenant: 68,
            reads_per_tenant: 16,
            store_threads: 64,
            large_bodies: 4,
            queue_time: Duration::from_secs(30),
            request_time: Duration::from_secs(300),
            receive_time: Duration::from_secs(60),
            drain_time: Duration::from_secs(35),
            workers: 4,
            lease_time: Duration::from_secs(15),
            connections: 1024,
            json_bytes: 2 << 20,
            component_bytes: 32 << 20,
            file_bytes: backroom_office::imports::MAX_FILE,
            files: 16,
            tenant_file_bytes: 4 << 30,
            backup_to: Vec::new(),
        }
    }
}
