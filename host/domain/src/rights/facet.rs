//! Grants taken apart into facets, so that they can be compared: what one of them allows beyond another.
//!
//! A grant is within another if each facet of it is. Layers are compared grant by grant, as a call has to be allowed by a single
//! grant as a whole: what no single grant of the other layer covers counts as more, never the reverse.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Accounts, Grant, Pattern, Rights, SecretUse};
use crate::outbound::HttpTarget;
use crate::{BusinessDate, Decimal, Id, Money};

/// Where a line ends; beyond it is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    Money(Money),
    Quantity(Decimal),
    Days(u16),
    Until(BusinessDate),
    From(BusinessDate),
}

impl Bound {
    fn covers(self, other: Self) -> bool {
        match (self, other) {
            (Self::Money(a), Self::Money(b)) => a.currency == b.currency && a.minor >= b.minor,
            (Self::Quantity(a), Self::Quantity(b)) => a >= b,
            (Self::Days(a), Self::Days(b)) => a >= b,
            (Self::Until(a), Self::Until(b)) => a >= b,
            (Self::From(a), Self::From(b)) => a <= b,
            _ => false,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Money(money) => money.fmt(f),
            Self::Quantity(quantity) => quantity.fmt(f),
            Self::Days(days) => days.fmt(f),
            Self::Until(day) | Self::From(day) => day.fmt(f),
        }
    }
}

/// What a facet says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// Allowed is what is named; nothing is, if nothing is named.
    Named(Vec<Accounts>),
    /// Narrows the rest of the grant to what is named; to nothing, if nothing is named.
    Only(Vec<Accounts>),
    /// Allowed are requests to these.
    Targets(Vec<HttpTarget>),
    /// Allowed is to have these filled in.
    Secrets(Vec<SecretUse>),
    /// Allowed is as much; without an end, if there is none.
    Limit(Option<Bound>),
}

impl Value {
    /// Does it allow something, and does not only narrow what others allow?
    fn allows(&self) -> bool {
        matches!(self, Self::Named(_) | Self::Targets(_) | Self::Secrets(_))
    }

    fn covers(&self, other: &Self) -> bool {
        let all = |wide: &[Accounts], narrow: &[Accounts]| narrow.iter().all(|n| wide.iter().any(|w| w.covers(n)));
        match (self, other) {
            (Self::Named(wide), Self::Named(narrow)) => all(wide, narrow),
            (Self::Only(wide), Self::Only(narrow)) => wide.is_empty() || (!narrow.is_empty() && all(wide, narrow)),
            (Self::Targets(wide), Self::Targets(narrow)) => narrow.iter().all(|n| wide.iter().any(|w| w.contains(n))),
            (Self::Secrets(wide), Self::Secrets(narrow)) => narrow.iter().all(|n| wide.iter().any(|w| w.covers(n))),
            (Self::Limit(wide), Self::Limit(narrow)) => {
                wide.is_none_or(|wide| narrow.is_some_and(|narrow| wide.covers(narrow)))
            }
            _ => false,
        }
    }

    /// Of what is named here, what the other one does not cover; else all of it.
    fn text_beyond(&self, other: Option<&Self>) -> String {
        match (self, other) {
            (Self::Named(mine), Some(Self::Named(theirs))) => {
                joined(mine.iter().filter(|m| !theirs.iter().any(|t| t.covers(m))))
            }
            (Self::Targets(mine), Some(Self::Targets(theirs))) => {
                joined(mine.iter().filter(|m| !theirs.iter().any(|t| t.contains(m))))
            }
            (Self::Secrets(mine), Some(Self::Secrets(theirs))) => {
                joined(mine.iter().filter(|m| !theirs.iter().any(|t| t.covers(m))))
            }
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Only(none) if none.is_empty() => f.write_str("any"),
            Self::Named(set) | Self::Only(set) => f.write_str(&joined(set.iter())),
            Self::Targets(targets) => f.write_str(&joined(targets.iter())),
            Self::Secrets(secrets) => f.write_str(&joined(secrets.iter())),
            Self::Limit(Some(bound)) => bound.fmt(f),
            Self::Limit(None) => f.write_str("no limit"),
        }
    }
}

fn joined(set: impl Iterator<Item = impl fmt::Display>) -> String {
    set.map(|one| one.to_string()).collect::<Vec<_>>().join(", ")
}

/// The facets of one grant, by the name of the right. What allows nothing is left out.
#[derive(Debug, Default)]
pub(crate) struct Facets(pub(crate) Vec<(&'static str, Value)>);

impl Facets {
    pub(crate) fn of(grant: &Grant) -> Self {
        let mut facets = Self::default();
        grant.each_kind(&mut |kind| kind.facets(&mut facets));
        if !facets.0.is_empty() {
            let operations = grant.operations.map(|set| set.iter().map(|o| o.name()).collect::<Vec<_>>());
            facets.only_words("operations", operations.unwrap_or_default());
            facets.limit("expires", grant.expires.map(Bound::Until));
        }
        facets
    }

    pub(crate) fn named(&mut self, right: &'static str, set: impl IntoIterator<Item = impl Into<Accounts>>) {
        let set: Vec<Accounts> = set.into_iter().map(Into::into).collect();
        if !set.is_empty() {
            self.0.push((right, Value::Named(set)));
        }
    }

    pub(crate) fn only(&mut self, right: &'static str, set: impl IntoIterator<Item = impl Into<Accounts>>) {
        self.0.push((right, Value::Only(set.into_iter().map(Into::into).collect())));
    }

    pub(crate) fn only_words(&mut self, right: &'static str, words: impl IntoIterator<Item = &'static str>) {
        self.only(right, words.into_iter().filter_map(word));
    }

    pub(crate) fn named_words(&mut self, right: &'static str, words: impl IntoIterator<Item = &'static str>) {
        self.named(right, words.into_iter().filter_map(word));
    }

    pub(crate) fn targets(&mut self, right: &'static str, targets: &[HttpTarget]) {
        if !targets.is_empty() {
            self.0.push((right, Value::Targets(targets.to_vec())));
        }
    }

    pub(crate) fn secrets(&mut self, right: &'static str, secrets: &[SecretUse]) {
        if !secrets.is_empty() {
            self.0.push((right, Value::Secrets(secrets.to_vec())));
        }
    }

    pub(crate) fn limit(&mut self, right: &'static str, bound: Option<Bound>) {
        self.0.push((right, Value::Limit(bound)));
    }

    fn find(&self, right: &str) -> Option<&Value> {
        self.0.iter().find(|(name, _)| *name == right).map(|(_, value)| value)
    }

    /// What is in `self` and not within `other`. A limit that the other has not is none, and so is a narrowing.
    fn beyond<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (&'static str, &'a Value, Option<&'a Value>)> {
        self.0.iter().filter_map(|(right, value)| {
            let theirs = other.find(right);
            let within = match theirs {
                Some(theirs) => theirs.covers(value),
                None => !value.allows(),
            };
            (!within).then_some((*right, value, theirs))
        })
    }
}

/// A word as a set that has only it.
fn word(text: &'static str) -> Option<Pattern> {
    Id::parse(text, "word").ok().map(Pattern::One)
}

/// Something that one layer of rights allows and another does not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Beyond {
    /// The right, such as `ledger.post`.
    pub right: String,
    /// What is allowed: `61*`, `5000.00 USD`, `no limit`.
    pub allowed: String,
    /// What the nearest grant of the other layer allows of it; none if nothing of this right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
}

impl fmt::Display for Beyond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.right, self.allowed)?;
        self.instead.as_ref().map_or(Ok(()), |instead| write!(f, " (instead of {instead})"))
    }
}

/// What `rights` allow that no single grant of `within` covers, one right a line. Empty: `rights` are nowhere wider.
pub fn beyond(rights: &Rights, within: &Rights) -> Vec<Beyond> {
    let within: Vec<Facets> = within.grants().iter().map(Facets::of).collect();
    let mut found = Vec::new();
    for grant in rights.grants() {
        let facets = Facets::of(grant);
        // The one that leaves least is the one that people would compare it with.
        let nearest = within.iter().min_by_key(|other| facets.beyond(other).count());
        let nothing = Facets::default();
        for (right, value, theirs) in facets.beyond(nearest.unwrap_or(&nothing)) {
            let instead = theirs.map(Value::to_string);
            found.push(Beyond { right: right.to_owned(), allowed: value.text_beyond(theirs), instead });
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The rights of which `wants` want something and `grants` give nothing at all.
pub fn missing(wants: &Rights, grants: &Rights) -> Vec<String> {
    let given: Vec<Facets> = grants.grants().iter().map(Facets::of).collect();
    let wanted = wants.grants().iter().flat_map(|grant| Facets::of(grant).0);
    let missing =
        wanted.filter(|(right, value)| value.allows() && !given.iter().any(|facets| facets.find(right).is_some()));
    let mut missing: Vec<String> = missing.map(|(right, _)| right.to_owned()).collect();
    missing.sort();
    missing.dedup();
    missing
}

/// How the rights that a plugin wants change from one release to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Change {
    /// Wanted now, and nothing of the kind before.
    pub added: Vec<Beyond>,
    /// More of it than before.
    pub wider: Vec<Beyond>,
    /// Less of it than before.
    pub narrower: Vec<Beyond>,
    /// Not wanted any more. What is said is what it was.
    pub gone: Vec<Beyond>,
}

impl Change {
    /// From the rights of one release to those of another.
    pub fn between(from: &Rights, to: &Rights) -> Self {
        let (wider, added) = beyond(to, from).into_iter().partition(|line| line.instead.is_some());
        let (narrower, gone) = beyond(from, to).into_iter().partition(|line| line.instead.is_some());
        // Said from the side of the new one: what there is now, instead of what there was.
        let turned = |line: Beyond| match line.instead {
            Some(now) => Beyond { right: line.right, allowed: now, instead: Some(line.allowed) },
            None => line,
        };
        let narrower = Vec::into_iter(narrower).map(turned).collect();
        Self { added, wider, narrower, gone }
    }

    /// Does the new release want anything that the old one did not?
    pub fn grows(&self) -> bool {
        !(self.added.is_empty() && self.wider.is_empty())
    }

    /// Are they the same?
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}
