//! People: workers, employments, benefit lines. Every field of a person has a right of its own.

mod benefits;
mod employments;
mod workers;

pub use benefits::{Recorded, list_benefits, record_benefit};
pub use employments::{EmploymentFilter, add_employment, compensation, list_employments};
pub use workers::{WorkerView, add_worker, bank_account, get_worker, list_workers, worker_name};
