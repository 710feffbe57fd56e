//! The nouns of HR.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{BusinessDate, Id, Instant, Money};

/// What is read in place of a name that was erased.
pub const ERASED: &str = "(erased)";

/// A person who works for the tenant, as a caller asks for it.
///
/// Personal data: name, e-mail and bank account here, the salary in [`NewEmployment`], and nowhere else. The types that carry
/// them have no binary encoding on purpose: what is stored is a sealed form of them, which can be erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewWorker {
    /// The worker number; the id. It stays when the person is erased, so it should say nothing about the person.
    pub id: Id,
    /// 1 to 200 characters. Field right `name`.
    pub name: String,
    /// Field right `contact`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// IBAN or local account number. Field right `bank`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bank_account: Option<String>,
}

/// A worker on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Worker {
    /// What was asked for.
    #[serde(flatten)]
    pub new: NewWorker,
    /// When it was recorded.
    pub recorded_at: Instant,
    /// The personal data were erased: the name reads [`ERASED`], the others are none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
}

/// Where someone works.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    minicbor::Encode,
    minicbor::Decode,
)]
#[serde(rename_all = "kebab-case")]
#[cbor(index_only)]
pub enum Place {
    /// At a seat of the company.
    #[n(0)]
    Office,
    /// From elsewhere, without a seat.
    #[n(1)]
    Remote,
    /// Both; keeps a seat.
    #[n(2)]
    Hybrid,
}

/// One effective-dated stretch of a worker's employment: a change of position or place begins a new one.
/// The stretches of a worker never overlap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewEmployment {
    /// The worker.
    pub worker: Id,
    /// First day.
    pub from: BusinessDate,
    /// Last day, counted; none while it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<BusinessDate>,
    /// Position code, such as `CPA`.
    pub position: Id,
    /// Place of work.
    pub place: Place,
    /// Cost centre that bears the worker.
    pub cost_center: Id,
    /// Gross pay a month. Field right `compensation`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salary: Option<Money>,
}

/// An employment on record; identified by worker and first day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Employment {
    /// What was asked for.
    #[serde(flatten)]
    pub new: NewEmployment,
    /// When it was recorded.
    pub recorded_at: Instant,
    /// The personal data of the worker were erased: the salary is none, whether there was one or not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
}

/// A benefit line as a caller asks for it: what a worker gets under a plan for a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewBenefit {
    /// The caller's id: the idempotency key.
    #[n(0)]
    pub id: Id,
    /// Who gets it; employed on every day of the period.
    #[n(1)]
    pub worker: Id,
    /// The benefit plan.
    #[n(2)]
    pub plan: Id,
    /// First day it is for.
    #[n(3)]
    pub from: BusinessDate,
    /// Last day it is for; at most 366 days in all. Periods of one worker and plan never overlap.
    #[n(4)]
    pub to: BusinessDate,
    /// More than zero.
    #[n(5)]
    pub amount: Money,
    /// The cost centre that bears it.
    #[n(6)]
    pub cost_center: Id,
    /// The journal entry that carries it, which must exist by the end of the unit of work.
    #[n(7)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<Id>,
}

/// A recorded benefit line; never changed, never deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct Benefit {
    /// What was asked for.
    #[n(0)]
    #[serde(flatten)]
    pub new: NewBenefit,
    /// When it was recorded.
    #[n(1)]
    pub recorded_at: Instant,
    /// The run that recorded it, if a plugin did.
    #[n(2)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Id>,
}

/// A worker's personal data were erased. Never undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct Erasure {
    /// The worker.
    #[n(0)]
    pub worker: Id,
    /// Why, 1 to 200 characters. It is kept, so it should not name the person.
    #[n(1)]
    pub reason: String,
    /// Who had it done, as the log names it.
    #[n(2)]
    pub actor: String,
    /// When it was recorded.
    #[n(3)]
    pub recorded_at: Instant,
}

/// An erasure as a caller asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewErasure {
    /// Why, 1 to 200 characters. It is kept, so it should not name the person.
    pub reason: String,
    /// The day from which on no duty to keep the data is left; refused before it. None: there is no such duty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<BusinessDate>,
}
