//! Rights in business terms: which accounts, up to which amount, which fields of which people, which places of stock.
//!
//! A layer of rights is a list of grants. A call is allowed by a layer if one of its grants, not yet expired, allows the call as a
//! whole; and it is allowed at all if every layer allows it: the caller's own rights, what the plugin wants, what the
//! operator grants. Nothing is allowed that is not named.
//!
//! Each kind of right has a file of its own and one line in each of [`Grant`] and `Grant::each_kind`.

mod facet;
mod files;
mod hr;
mod inventory;
mod layers;
mod ledger;
mod operation;
mod outbound;
mod own;
mod pattern;
mod stored;
mod uses;
mod words;

#[cfg(test)]
mod tests;

use std::fmt;

use schemars::JsonSchema;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::outbound::HttpTarget;
use crate::{BusinessDate, Decimal, Error, Problem, Result};

pub use facet::{Beyond, Change, beyond, missing};
pub use files::FilesRights;
pub use hr::{Employee, HrField, HrRights};
pub use inventory::{InventoryRights, Moving};
pub use layers::Layers;
pub use ledger::{LedgerRights, Posting, Window};
pub use operation::{Operation, Operations};
pub use outbound::SecretUse;
pub use pattern::{Accounts, Pattern};
pub use uses::{Imports, operations_of};
pub use words::{Words, in_words};

pub(crate) use pattern::type_word;

/// The most grants of a layer: a check asks each of them.
pub const MAX_GRANTS: usize = 64;
/// The longest list in a grant.
const MAX_LIST: usize = 100;
/// The longest reason and the longest name of an owner, in bytes.
const MAX_TEXT: usize = 300;

/// One right with its conditions. What is not named is not allowed.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode,
)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[cbor(map)]
pub struct Grant {
    /// Why it is wanted or given, for people.
    #[n(0)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Who answers for it.
    #[n(1)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The last day on which it counts, by the run's own clock.
    #[n(2)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<BusinessDate>,
    /// For these operations alone; none: for whatever the kinds below allow.
    #[n(3)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operations: Option<Operations>,
    /// On the ledger.
    #[cbor(n(10), skip_if = "empty")]
    #[serde(skip_serializing_if = "empty")]
    pub ledger: LedgerRights,
    /// On people.
    #[cbor(n(11), skip_if = "empty")]
    #[serde(skip_serializing_if = "empty")]
    pub hr: HrRights,
    /// On stock.
    #[cbor(n(12), skip_if = "empty")]
    #[serde(skip_serializing_if = "empty")]
    pub inventory: InventoryRights,
    /// May set up all master data (accounts, workers, employments, items, locations, lots). Never grantable to a plugin: of these
    /// it can create accounts alone, and `ledger.chart` is for them.
    #[cbor(n(13), skip_if = "empty")]
    #[serde(skip_serializing_if = "empty")]
    pub administer: bool,
    /// May keep state of its own.
    #[cbor(n(14), skip_if = "empty")]
    #[serde(skip_serializing_if = "empty")]
    pub state: bool,
    /// May be built for a system (WASI): output to the log, the run's time, numbers that look random. No files, no network.
    #[cbor(n(15), skip_if = "empty")]
    #[serde(skip_serializing_if = "empty")]
    pub observe: bool,
    /// On files.
    #[cbor(n(16), skip_if = "empty")]
    #[serde(skip_serializing_if = "empty")]
    pub files: FilesRights,
    /// Where requests may be sent to.
    #[cbor(n(17), skip_if = "empty")]
    #[serde(skip_serializing_if = "empty")]
    pub http: Vec<HttpTarget>,
    /// Secrets that the host may fill into requests, and where they may go.
    #[cbor(n(18), skip_if = "empty")]
    #[serde(skip_serializing_if = "empty")]
    pub secrets: Vec<SecretUse>,
}

/// What every kind of right can say of itself.
pub(crate) trait Kind {
    /// What is wrong with it.
    fn check(&self, checks: &mut Checks);
    /// Its parts, for comparing; none if it allows nothing.
    fn facets(&self, out: &mut facet::Facets);
    /// Its parts, by name, with the operations that need them.
    fn serves(&self, out: &mut Vec<(&'static str, Operations)>);
    /// What it allows, in sentences.
    fn words(&self, out: &mut Vec<String>);
    /// Does it allow nothing?
    fn is_empty(&self) -> bool;
}

/// Is it what it is if nothing is said?
fn empty<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Grant {
    /// Every kind of right in it.
    pub(crate) fn each_kind(&self, see: &mut dyn FnMut(&dyn Kind)) {
        see(&self.ledger);
        see(&self.hr);
        see(&self.inventory);
        see(&self.files);
        see(&outbound::Targets(&self.http));
        see(&outbound::Secrets(&self.secrets));
        see(&own::State(self.state));
        see(&own::Observe(self.observe));
        see(&own::Administer(self.administer));
    }

    /// Does it allow nothing, whatever its conditions?
    fn is_empty(&self) -> bool {
        let mut empty = true;
        self.each_kind(&mut |kind| empty &= kind.is_empty());
        empty
    }

    /// Everything, without an end.
    pub fn all() -> Self {
        let any = || vec![Pattern::Any];
        let mut all = Self { administer: true, state: true, ..Self::read_only() };
        all.ledger.post = vec![Accounts::ANY];
        (all.ledger.periods, all.ledger.rates, all.ledger.budgets) = (any(), any(), any());
        all.ledger.chart = any();
        all.hr.benefits = any();
        all.files = FilesRights { read: any(), write: any() };
        all.http = vec![HttpTarget::any()];
        all.secrets = vec![SecretUse { name: Pattern::Any, host: "*".to_owned() }];
        (all.inventory.move_items, all.inventory.move_from, all.inventory.move_to) = (any(), any(), any());
        all
    }

    /// Everything that reads, nothing that writes. No files: one may hold what is no reader's business, such as salaries, and nobody
    /// can tell.
    pub fn read_only() -> Self {
        let mut grant = Self::default();
        ledger::read_only(&mut grant);
        hr::read_only(&mut grant);
        inventory::read_only(&mut grant);
        // Whoever may plan a run may plan one of every plugin.
        grant.observe = true;
        grant
    }

    /// Is it for this operation?
    fn is_for(&self, operation: Operation) -> bool {
        self.operations.is_none_or(|set| set.has(operation))
    }

    fn check(&self, at: &str) -> Vec<Problem> {
        let mut checks = Checks { at: at.to_owned(), problems: Vec::new() };
        let texts = [("why", &self.why), ("owner", &self.owner)];
        for (name, text) in texts.into_iter().filter_map(|(name, text)| text.as_ref().map(|text| (name, text))) {
            if text.trim().is_empty() || text.len() > MAX_TEXT || text.contains(char::is_control) {
                checks.wrong(name, &format!("is one line of 1 to {MAX_TEXT} bytes"));
            }
        }
        if self.is_empty() {
            checks.wrong("", "allows nothing: name what it is on, such as `ledger`");
        }
        self.each_kind(&mut |kind| kind.check(&mut checks));
        checks.problems
    }
}

/// Problems of one grant.
pub(crate) struct Checks {
    at: String,
    problems: Vec<Problem>,
}

impl Checks {
    pub(crate) fn wrong(&mut self, part: &str, what: &str) {
        let field = if part.is_empty() { self.at.clone() } else { format!("{}.{part}", self.at) };
        let message = format!("`{field}` {what}");
        self.problems.push(Error::problem("grant-invalid", field, message));
    }

    pub(crate) fn list(&mut self, kind: &str, name: &str, length: usize) {
        if length > MAX_LIST {
            self.wrong(&format!("{kind}.{name}"), &format!("has at most {MAX_LIST} entries, not {length}"));
        }
    }
}

/// A layer of rights: everything a caller may do, a plugin wants, or an operator grants, within one tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Rights(Vec<Grant>);

impl From<Vec<Grant>> for Rights {
    fn from(grants: Vec<Grant>) -> Self {
        Self(grants)
    }
}

impl From<Grant> for Rights {
    fn from(grant: Grant) -> Self {
        Self(vec![grant])
    }
}

impl Rights {
    /// Everything: a provider's administrator.
    pub fn all() -> Self {
        Grant::all().into()
    }

    /// Everything that reads, nothing that writes.
    pub fn read_only() -> Self {
        Grant::read_only().into()
    }

    /// The grants.
    pub fn grants(&self) -> &[Grant] {
        &self.0
    }

    /// What is wrong with them as the wants of a plugin (`grant-invalid`, all problems together): each says why, and none says
    /// who answers for it and how long, which is the operator's to say.
    pub fn check_wants(&self) -> Result<()> {
        let mut problems = self.problems("wants");
        for (i, grant) in (1_usize..).zip(&self.0) {
            let mut wrong = |part: &str, what: &str| {
                let field = format!("wants[{i}].{part}");
                let message = format!("`{field}` {what}");
                problems.push(Error::problem("grant-invalid", field, message));
            };
            if grant.why.is_none() {
                wrong("why", "is missing: say to the operator what the right is for");
            }
            if grant.administer {
                wrong("administer", "cannot be granted to a plugin: leave it out");
            }
            if grant.owner.is_some() || grant.expires.is_some() {
                wrong("owner", "and `expires` are the operator's to say: leave them out");
            }
        }
        Error::all(problems)
    }

    /// What is wrong with them as the grants of an operator (`grant-invalid`, all problems together).
    pub fn check_grants(&self) -> Result<()> {
        Error::all(self.problems("grants"))
    }

    fn problems(&self, list: &str) -> Vec<Problem> {
        if self.0.len() > MAX_GRANTS {
            let message = format!("`{list}` has at most {MAX_GRANTS} entries, not {}", self.0.len());
            return vec![Error::problem("grant-invalid", list, message)];
        }
        (1_usize..).zip(&self.0).flat_map(|(i, grant)| grant.check(&format!("{list}[{i}]"))).collect()
    }

    /// The same, each grant that says nobody owned by `owner`.
    #[must_use]
    pub fn owned_by(mut self, owner: &str) -> Self {
        for grant in &mut self.0 {
            grant.owner.get_or_insert_with(|| owner.to_owned());
        }
        self
    }

    /// The same, but that it does not matter who owns a grant that says nobody: are they what `before` says?
    pub fn same_as(&self, before: &Self) -> bool {
        self.0.len() == before.0.len()
            && self.0.iter().zip(&before.0).all(|(now, then)| match now.owner {
                Some(_) => now == then,
                None => *now == Grant { owner: None, ..then.clone() },
            })
    }
}

impl<'de> Deserialize<'de> for Rights {
    fn deserialize<D: Deserializer<'de>>(d: D) -> std::result::Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Rights;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of rights, each a table of its own: [[wants]] in plugin.toml, [[grants]] in an installation file")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> std::result::Result<Rights, A::Error> {
                Vec::deserialize(de::value::SeqAccessDeserializer::new(seq)).map(Rights)
            }
        }
        d.deserialize_seq(List)
    }
}

/// How much of a ceiling was used before a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// By the run so far.
    pub run: u128,
    /// By the installation on the day so far, the run included.
    pub day: u128,
}

impl Used {
    /// A quantity as it is added up: at the finest scale there is.
    pub fn of(quantity: Decimal) -> u128 {
        let finer = u32::from(Decimal::MAX_SCALE.saturating_sub(quantity.scale));
        u128::from(quantity.mantissa).saturating_mul(10_u128.saturating_pow(finer))
    }
}

/// Money written as text in grants: `500.00 USD`.
mod money_text {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::Money;

    pub(super) fn serialize<S: Serializer>(money: &Option<Money>, s: S) -> Result<S::Ok, S::Error> {
        match money {
            Some(money) => s.collect_str(money),
            None => s.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Money>, D::Error> {
        Option::<String>::deserialize(d)?.map(|t| t.parse().map_err(serde::de::Error::custom)).transpose()
    }
}
