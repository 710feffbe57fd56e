//! Log lines of the service, on stderr.

use tracing_subscriber::EnvFilter;

use crate::output;

/// Begins to log what `BACKROOM_LOG` asks for, or `usual`; as JSON, one object a line, or for people.
pub(crate) fn begin(usual: &str, json: bool) {
    let filter = EnvFilter::try_from_env("BACKROOM_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    // At that level they would write every byte of a request, secrets included.
    let quiet = ["ureq=info", "ureq_proto=info"].into_iter().filter_map(|own| own.parse().ok());
    let filter = quiet.fold(filter, EnvFilter::add_directive);
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(output::watched()).with_writer(std::io::stderr);
    // Fails only if logging was begun before, and then it goes on as it was.
    if json { log.json().flatten_event(true).try_init() } else { log.compact().try_init() }.ok();
}
