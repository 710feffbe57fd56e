//! The HTTP service: routes, keys, problem details, start and stop. Async lives here alone.
//!
//! ```text
//! layers     request id, time limit, panics, problems written out
//!   routes   one table; a handler takes a caller (auth) and its bounded input (extract); openapi tells the same to others
//!     session   admitted (admission), done on a thread that may block, answered when durable
//!       keeper     the store and the runtime, opened again after a failure
//! ```
//!
//! Nothing here knows a rule of the business: handlers call the use cases of `office` and the runtime, and nothing else.

mod admission;
mod auth;
mod clock;
mod download;
mod extract;
mod keeper;
mod layers;
mod limits;
mod openapi;
mod paced;
mod problem;
mod routes;
mod secret;
mod serve;
mod service;
mod session;
mod vault;
mod worker;
mod workflows;

pub use auth::Access;
pub use keeper::{Backing, Opener, ServiceError};
pub use limits::ServiceLimits;
pub use openapi::openapi;
pub use routes::{ROUTES, Route};
pub use serve::serve;
pub use service::{Place, Service, ServiceOptions};
pub use vault::{VaultError, open_vault};
pub use workflows::Workflows;
