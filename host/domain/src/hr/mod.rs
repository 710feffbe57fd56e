//! Workers, employments, benefit lines.

mod types;

pub use types::{Benefit, Employment, NewBenefit, NewEmployment, NewWorker, Place, Worker};
