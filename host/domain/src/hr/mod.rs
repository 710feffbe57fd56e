//! Workers, employments, benefit lines.

mod benefit;
mod erasure;
mod people;
mod types;

pub use benefit::{MAX_BENEFIT_DAYS, Neighbour, check_benefit, record_benefit, same_benefit};
pub use erasure::{check_erasure, erase, not_erased};
pub use people::{
    MAX_BANK_ACCOUNT, MAX_EMAIL, add_employment, check_employment, check_worker, employed_days, same_employment,
    same_worker,
};
pub use types::{
    Benefit, ERASED, Employment, Erasure, NewBenefit, NewEmployment, NewErasure, NewWorker, Place, Worker,
};
