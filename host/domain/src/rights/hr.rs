//! Rights on people: which fields, of whom, and which benefits may be recorded.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::facet::{Bound, Facets};
use super::layers::{Layers, Stage};
use super::pattern::any;
use super::{Checks, Grant, Kind, Operation, Operations, Pattern, empty, money_text, words};
use crate::hr::Place;
use crate::schema::MoneyText;
use crate::{Id, Money, Result};

/// Fields of people, each with a right of its own. A field that records get later is a case more here.
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
pub enum HrField {
    /// Position, place of work, employment dates, cost centre.
    #[n(0)]
    Employment,
    /// The name.
    #[n(1)]
    Name,
    /// E-mail.
    #[n(2)]
    Contact,
    /// Salary.
    #[n(3)]
    #[serde(alias = "salary")]
    Compensation,
    /// Bank account.
    #[n(4)]
    Bank,
    /// Benefit lines.
    #[n(5)]
    Benefits,
}

impl HrField {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Employment, Self::Name, Self::Contact, Self::Compensation, Self::Bank, Self::Benefits];

    /// As it is written in grants.
    pub fn word(self) -> &'static str {
        match self {
            Self::Employment => "employment",
            Self::Name => "name",
            Self::Contact => "contact",
            Self::Compensation => "compensation",
            Self::Bank => "bank",
            Self::Benefits => "benefits",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Employment => "position, place of work, dates of employment and cost centre",
            Self::Name => "name",
            Self::Contact => "e-mail address",
            Self::Compensation => "salary",
            Self::Bank => "bank account",
            Self::Benefits => "benefits",
        }
    }
}

/// Rights on people.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode,
)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct HrRights {
    /// Fields that may be read.
    #[n(0)]
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub read: BTreeSet<HrField>,
    /// Plans under which benefit lines may be recorded.
    #[n(1)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub benefits: Vec<Pattern>,
    /// The largest benefit line; none: no ceiling.
    #[n(2)]
    #[serde(with = "money_text", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<MoneyText>")]
    pub max_benefit: Option<Money>,
    /// Of workers with these cost centres alone; none named: with any.
    #[cbor(n(3), skip_if = "Vec::is_empty")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cost_centers: Vec<Pattern>,
    /// Of workers in these positions alone; none named: in any.
    #[cbor(n(4), skip_if = "Vec::is_empty")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub positions: Vec<Pattern>,
    /// Of workers who work there alone; none named: anywhere.
    #[cbor(n(5), skip_if = "BTreeSet::is_empty")]
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub places: BTreeSet<Place>,
}

/// What a stretch of employment says about the group that a worker belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Employee<'a> {
    /// The cost centre that bears the worker.
    pub cost_center: &'a Id,
    /// The position.
    pub position: &'a Id,
    /// The place of work.
    pub place: Place,
}

impl HrRights {
    /// For some workers alone?
    fn has_group(&self) -> bool {
        !(self.cost_centers.is_empty() && self.positions.is_empty() && self.places.is_empty())
    }

    /// Whoever was never employed belongs to no group.
    fn has(&self, employee: Option<Employee<'_>>) -> bool {
        let in_set = |set: &[Pattern], id: &Id| set.is_empty() || any(set, id);
        !self.has_group()
            || employee.is_some_and(|e| {
                in_set(&self.cost_centers, e.cost_center)
                    && in_set(&self.positions, e.position)
                    && (self.places.is_empty() || self.places.contains(&e.place))
            })
    }
}

impl Layers<'_> {
    /// May this field of some people be read?
    pub fn read_hr(&self, operation: Operation, field: HrField) -> bool {
        self.allows(operation, |grant| grant.hr.read.contains(&field))
    }

    /// `denied` unless this field of some people may be read. Of whom, [`Layers::sees`] says.
    pub fn check_read_hr(&self, operation: Operation, field: HrField) -> Result<()> {
        self.check(
            operation,
            &[Stage {
                code: "hr-read-denied",
                test: &|grant| grant.hr.read.contains(&field),
                message: &|| format!("no grant to read the {} data of workers", field.word()),
            }],
        )
    }

    /// `denied` unless some field of people may be read.
    pub fn check_read_workers(&self, operation: Operation) -> Result<()> {
        self.check(
            operation,
            &[Stage {
                code: "hr-read-denied",
                test: &|grant| !grant.hr.read.is_empty(),
                message: &|| "no grant to read any data of workers".to_owned(),
            }],
        )
    }

    /// May this field be read of a worker who is employed so? Whoever may not be seen is as if not there.
    pub fn sees(&self, operation: Operation, field: HrField, employee: Option<Employee<'_>>) -> bool {
        self.allows(operation, |grant| grant.hr.read.contains(&field) && grant.hr.has(employee))
    }

    /// Is a worker who is employed so somebody that the caller deals with at all?
    pub fn sees_worker(&self, operation: Operation, employee: Option<Employee<'_>>) -> bool {
        self.allows(operation, |grant| !grant.hr.read.is_empty() && grant.hr.has(employee))
    }

    /// May a worker who is employed so be named, in a move of stock? Whoever has a right on people names those alone whom it is
    /// on; whoever has none learns nothing by it but that there is such a number.
    pub fn names_worker(&self, employee: Option<Employee<'_>>) -> bool {
        !self.some(|grant| grant.hr.has_group())
            || self.every_layer(|grants| {
                grants.iter().all(|grant| grant.hr.is_empty())
                    || grants.iter().any(|grant| self.in_force(grant) && !grant.hr.is_empty() && grant.hr.has(employee))
            })
    }

    /// Is any right for some workers alone?
    pub fn by_group(&self) -> bool {
        self.some(|grant| grant.hr.has_group())
    }

    /// `denied` unless a benefit line of this plan and amount may be recorded: `benefit-denied`, `benefit-amount-denied`. Parts
    /// that are none were malformed, and are not looked at.
    pub fn check_benefit(&self, plan: Option<&Id>, amount: Option<Money>) -> Result<()> {
        self.check(
            Operation::RecordBenefit,
            &[
                Stage {
                    code: "benefit-denied",
                    test: &|grant| plan.map_or(!grant.hr.benefits.is_empty(), |plan| any(&grant.hr.benefits, plan)),
                    message: &|| match plan {
                        Some(plan) => format!("no grant to record benefits of plan {plan}"),
                        None => "no grant to record benefits".to_owned(),
                    },
                },
                Stage {
                    code: "benefit-amount-denied",
                    test: &|grant| amount.is_none_or(|amount| within(grant.hr.max_benefit, amount)),
                    message: &|| match amount {
                        Some(amount) => format!("a benefit line of {amount} is above the granted ceiling"),
                        None => "the benefit line is above the granted ceiling".to_owned(),
                    },
                },
            ],
        )
    }

    /// May a benefit line of this plan and amount be recorded for a worker who is employed so?
    pub fn benefits_to(&self, plan: &Id, amount: Money, employee: Option<Employee<'_>>) -> bool {
        self.allows(Operation::RecordBenefit, |grant| {
            any(&grant.hr.benefits, plan) && within(grant.hr.max_benefit, amount) && grant.hr.has(employee)
        })
    }
}

fn within(ceiling: Option<Money>, amount: Money) -> bool {
    ceiling.is_none_or(|c| c.currency == amount.currency && amount.minor <= c.minor)
}

fn place_word(place: Place) -> &'static str {
    match place {
        Place::Office => "office",
        Place::Remote => "remote",
        Place::Hybrid => "hybrid",
    }
}

impl Kind for HrRights {
    fn check(&self, checks: &mut Checks) {
        for (name, list) in
            [("benefits", &self.benefits), ("cost-centers", &self.cost_centers), ("positions", &self.positions)]
        {
            checks.list("hr", name, list.len());
        }
        if self.benefits.is_empty() && self.max_benefit.is_some() {
            checks.wrong("hr.max-benefit", "is the ceiling of benefit lines, and no plan is named in `benefits`");
        }
        if self.has_group() && self.read.is_empty() && self.benefits.is_empty() {
            checks.wrong("hr", "names a group of workers, and nothing that may be read or recorded of them");
        }
    }

    fn facets(&self, out: &mut Facets) {
        out.named_words("hr.read", self.read.iter().map(|field| field.word()));
        out.named("hr.benefits", self.benefits.iter().cloned());
        if !self.benefits.is_empty() {
            out.limit("hr.max-benefit", self.max_benefit.map(Bound::Money));
        }
        if !(self.read.is_empty() && self.benefits.is_empty()) {
            out.only("hr.cost-centers", self.cost_centers.iter().cloned());
            out.only("hr.positions", self.positions.iter().cloned());
            out.only_words("hr.places", self.places.iter().map(|place| place_word(*place)));
        }
    }

    fn words(&self, out: &mut Vec<String>) {
        let mut whose = Vec::new();
        for (set, one, many) in
            [(&self.cost_centers, "cost centre", "cost centres"), (&self.positions, "position", "positions")]
        {
            if !set.is_empty() {
                whose.push(format!("of {}", words::ids(set, one, many)));
            }
        }
        if !self.places.is_empty() {
            let places: Vec<_> = self.places.iter().map(|place| place_word(*place)).collect();
            whose.push(format!("whose place of work is {}", words::list(&places, "or")));
        }
        let whose = if whose.is_empty() { "all workers".to_owned() } else { format!("workers {}", whose.join(", ")) };
        if !self.read.is_empty() {
            let fields: Vec<_> = self.read.iter().map(|field| field.words()).collect();
            out.push(format!("Read of {whose}: {}.", words::list(&fields, "and")));
        }
        if !self.benefits.is_empty() {
            let plans = words::ids(&self.benefits, "plan", "plans");
            let ceiling = self.max_benefit.map_or_else(
                || "without a ceiling on the amount".to_owned(),
                |money| format!("at most {money} a line"),
            );
            out.push(format!("Record benefits of {whose} under {plans}, {ceiling}."));
        }
    }

    fn serves(&self, out: &mut Vec<(&'static str, Operations)>) {
        out.extend(self.read.iter().map(|field| match field {
            HrField::Employment => ("hr.read employment", Operations::of(&[Operation::ListEmployments])),
            HrField::Name => ("hr.read name", Operations::of(&[Operation::GetName])),
            // Not in the contract yet: pages of the service show it.
            HrField::Contact => ("hr.read contact", Operations::default()),
            HrField::Compensation => ("hr.read compensation", Operations::of(&[Operation::GetCompensation])),
            HrField::Bank => ("hr.read bank", Operations::of(&[Operation::GetBankAccount])),
            HrField::Benefits => ("hr.read benefits", Operations::of(&[Operation::ListBenefits])),
        }));
        if !self.benefits.is_empty() {
            out.push(("hr.benefits", Operations::of(&[Operation::RecordBenefit])));
        }
    }

    fn is_empty(&self) -> bool {
        empty(self)
    }
}

/// Everything that reads.
pub(super) fn read_only(grant: &mut Grant) {
    grant.hr = HrRights { read: HrField::ALL.into(), ..HrRights::default() };
}
