//! People: workers, employments, benefit lines. Every field of a person has a right of its own.
//!
//! Personal data are sealed when they are put and opened when they are got, in `people` and nowhere else.

mod benefits;
mod employments;
mod erasure;
mod group;
mod people;
mod workers;

pub use benefits::{Recorded, list_benefits, record_benefit};
pub use employments::{EmploymentFilter, add_employment, compensation, list_employments};
pub use erasure::{Erased, erase_person};
pub(crate) use group::names;
pub use workers::{WorkerView, add_worker, bank_account, get_worker, list_workers, worker_name};
