//! Records of HR.
//!
//! | space | record | key |
//! | --- | --- | --- |
//! | 30 | [`StoredWorker`] | worker number |
//! | 31 | [`StoredEmployment`] | worker, first day |
//! | 32 | [`Benefit`] | benefit id |
//! | 33 | [`BenefitByWorker`] | worker, plan, last day |
//! | 34 | [`BenefitByPlan`] | plan, first day, worker, benefit id |
//! | 35 | [`Erasure`] | worker number |

mod sealed;

use backroom_domain::hr::{Benefit, Erasure};
use backroom_domain::{BusinessDate, Id};

pub use self::sealed::{StoredEmployment, StoredWorker};
use crate::record::Record;

/// Whose personal data were erased.
impl Record for Erasure {
    const SPACE: u8 = 35;
    type Key = Id;
    fn key(&self) -> Id {
        self.worker.clone()
    }
}

impl Record for Benefit {
    const SPACE: u8 = 32;
    type Key = Id;
    fn key(&self) -> Id {
        self.new.id.clone()
    }
}

/// The periods of a worker's benefit lines under a plan. They never overlap, so the first one that ends on or after a day is
/// the only one that can cover it or come next: the key has the last day.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct BenefitByWorker {
    /// The worker.
    #[n(0)]
    pub worker: Id,
    /// The plan.
    #[n(1)]
    pub plan: Id,
    /// Last day.
    #[n(2)]
    pub to: BusinessDate,
    /// First day.
    #[n(3)]
    pub from: BusinessDate,
    /// The benefit line.
    #[n(4)]
    pub benefit: Id,
}

impl Record for BenefitByWorker {
    const SPACE: u8 = 33;
    type Key = (Id, Id, BusinessDate);
    fn key(&self) -> (Id, Id, BusinessDate) {
        (self.worker.clone(), self.plan.clone(), self.to)
    }
}

/// The benefit lines of a plan in order of their first days.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct BenefitByPlan {
    /// The plan.
    #[n(0)]
    pub plan: Id,
    /// First day.
    #[n(1)]
    pub from: BusinessDate,
    /// The worker.
    #[n(2)]
    pub worker: Id,
    /// The benefit line.
    #[n(3)]
    pub benefit: Id,
}

impl Record for BenefitByPlan {
    const SPACE: u8 = 34;
    type Key = (Id, BusinessDate, Id, Id);
    fn key(&self) -> (Id, BusinessDate, Id, Id) {
        (self.plan.clone(), self.from, self.worker.clone(), self.benefit.clone())
    }
}
