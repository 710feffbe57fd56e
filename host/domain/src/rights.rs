//! Rights in business terms: which accounts, up to which amount, which fields of people, which places of stock.
//!
//! A right is wanted by the plugin, granted by the operator, and never wider than the caller's own: a call is allowed when every
//! layer allows it. Nothing is allowed that is not named.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::files::FilesRights;
use crate::outbound::{HttpTarget, SecretUse};
use crate::{Error, Id, Money, Result};

/// A set of ids: `*`, one id, a prefix such as `61*`, or an inclusive range such as `6100..6199` (compared as text, both ends of the same length).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, minicbor::Encode, minicbor::Decode)]
#[serde(try_from = "String", into = "String")]
#[cbor(transparent)]
pub struct Pattern(#[n(0)] String);

impl Pattern {
    /// Checks and wraps a pattern.
    pub fn parse(text: &str) -> Result<Self> {
        let id_ok = |t: &str| Id::parse(t, "pattern").is_ok();
        let range_ok =
            |t: &str| t.split_once("..").is_some_and(|(a, b)| a.len() == b.len() && a <= b && id_ok(a) && id_ok(b));
        let prefix_ok = |t: &str| t.strip_suffix('*').is_some_and(|p| p.is_empty() || id_ok(p));
        if prefix_ok(text) || range_ok(text) || (!text.contains("..") && id_ok(text)) {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::invalid(
            "pattern-invalid",
            "grant",
            format!("{text:?} is no set of ids: write \"*\", \"6100\", \"61*\" or \"6100..6199\""),
        ))
    }

    pub(crate) fn matches(&self, id: &Id) -> bool {
        let id = id.as_str();
        if let Some(prefix) = self.0.strip_suffix('*') {
            return id.starts_with(prefix);
        }
        match self.0.split_once("..") {
            Some((low, high)) => id.len() == low.len() && low <= id && id <= high,
            None => self.0 == id,
        }
    }
}

impl TryFrom<String> for Pattern {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0
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

/// Fields of people, each with a right of its own.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, minicbor::Encode, minicbor::Decode,
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
    Compensation,
    /// Bank account.
    #[n(4)]
    Bank,
    /// Benefit lines.
    #[n(5)]
    Benefits,
}

/// Rights on the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, minicbor::Encode, minicbor::Decode)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct LedgerRights {
    /// Accounts whose balances and entries may be read.
    #[n(0)]
    pub read: Vec<Pattern>,
    /// Accounts that may be posted to.
    #[n(1)]
    pub post: Vec<Pattern>,
    /// The largest sum of debits of one entry; none: no ceiling.
    #[n(2)]
    #[serde(with = "money_text", skip_serializing_if = "Option::is_none")]
    pub max_entry: Option<Money>,
}

/// Rights on people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, minicbor::Encode, minicbor::Decode)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct HrRights {
    /// Fields that may be read.
    #[n(0)]
    pub read: BTreeSet<HrField>,
    /// Plans under which benefit lines may be recorded.
    #[n(1)]
    pub benefits: Vec<Pattern>,
    /// The largest benefit line; none: no ceiling.
    #[n(2)]
    #[serde(with = "money_text", skip_serializing_if = "Option::is_none")]
    pub max_benefit: Option<Money>,
}

/// Rights on stock.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, minicbor::Encode, minicbor::Decode)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct InventoryRights {
    /// Items that may be read.
    #[n(0)]
    pub read: Vec<Pattern>,
    /// Items that may be moved.
    #[n(1)]
    pub move_items: Vec<Pattern>,
    /// Locations they may be moved out of.
    #[n(2)]
    pub move_from: Vec<Pattern>,
    /// Locations they may be moved into.
    #[n(3)]
    pub move_to: Vec<Pattern>,
}

/// Everything a caller may do within one tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, minicbor::Encode, minicbor::Decode)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rights {
    /// On the ledger.
    #[n(0)]
    pub ledger: LedgerRights,
    /// On people.
    #[n(1)]
    pub hr: HrRights,
    /// On stock.
    #[n(2)]
    pub inventory: InventoryRights,
    /// May set up master data (accounts, workers, employments, items, locations, lots). Never grantable to a plugin yet: no
    /// function of the contract creates them.
    #[n(3)]
    pub administer: bool,
    /// May keep state of its own.
    #[n(4)]
    pub state: bool,
    /// On files. Records from before there were any have no such field.
    #[n(5)]
    #[cbor(default)]
    pub files: FilesRights,
    /// Where requests may be sent to.
    #[n(6)]
    #[cbor(default)]
    pub http: Vec<HttpTarget>,
    /// Secrets that the host may fill into requests, and where they may go.
    #[n(7)]
    #[cbor(default)]
    pub secrets: Vec<SecretUse>,
}

impl Rights {
    /// Everything: a provider's administrator.
    pub fn all() -> Self {
        let any = || vec![Pattern("*".to_owned())];
        use HrField::{Bank, Benefits, Compensation, Contact, Employment, Name};
        Self {
            ledger: LedgerRights { read: any(), post: any(), max_entry: None },
            hr: HrRights {
                read: [Employment, Name, Contact, Compensation, Bank, Benefits].into(),
                benefits: any(),
                max_benefit: None,
            },
            inventory: InventoryRights { read: any(), move_items: any(), move_from: any(), move_to: any() },
            administer: true,
            state: true,
            files: FilesRights { read: any(), write: any() },
            http: vec![HttpTarget::any()],
            secrets: vec![SecretUse { name: Pattern("*".to_owned()), host: "*".to_owned() }],
        }
    }

    /// Everything that reads, nothing that writes.
    pub fn read_only() -> Self {
        let all = Self::all();
        Self {
            ledger: LedgerRights { read: all.ledger.read, ..LedgerRights::default() },
            hr: HrRights { read: all.hr.read, ..HrRights::default() },
            inventory: InventoryRights { read: all.inventory.read, ..InventoryRights::default() },
            administer: false,
            state: false,
            // A file may hold what is no reader's business, such as salaries, and nobody can tell.
            files: FilesRights::default(),
            http: Vec::new(),
            secrets: Vec::new(),
        }
    }
}

pub(crate) fn any(patterns: &[Pattern], id: &Id) -> bool {
    patterns.iter().any(|p| p.matches(id))
}

fn within(ceiling: Option<Money>, amount: Money) -> bool {
    ceiling.is_none_or(|c| c.currency == amount.currency && amount.minor <= c.minor)
}

/// Layers of rights, all of which must allow a call: the caller's, the plugin's wants, the operator's grants.
#[derive(Debug, Clone, Copy)]
pub struct Layers<'a>(pub &'a [std::sync::Arc<Rights>]);

impl Layers<'_> {
    pub(crate) fn all(&self, test: impl Fn(&Rights) -> bool) -> bool {
        !self.0.is_empty() && self.0.iter().all(|r| test(r))
    }

    /// May balances and entries of `account` be read?
    pub fn read_account(&self, account: &Id) -> bool {
        self.all(|r| any(&r.ledger.read, account))
    }

    /// `denied` unless balances and entries of `account` may be read.
    pub fn check_read_account(&self, account: &Id) -> Result<()> {
        let ok = self.read_account(account);
        check(ok, "ledger-read-denied", || format!("no grant to read account {account}"))
    }

    /// `denied` unless `account` may be posted to.
    pub fn check_post(&self, account: &Id) -> Result<()> {
        let ok = self.all(|r| any(&r.ledger.post, account));
        check(ok, "ledger-post-denied", || format!("no grant to post to account {account}"))
    }

    /// `denied` if an entry with this sum of debits is above a ceiling. A ceiling in one currency allows no other.
    pub fn check_entry_total(&self, total: Money) -> Result<()> {
        let ok = self.all(|r| within(r.ledger.max_entry, total));
        check(ok, "ledger-amount-denied", || format!("an entry of {total} is above the granted ceiling"))
    }

    /// May this field of people be read?
    pub fn read_hr(&self, field: HrField) -> bool {
        self.all(|r| r.hr.read.contains(&field))
    }

    /// `denied` unless this field of people may be read.
    pub fn check_read_hr(&self, field: HrField) -> Result<()> {
        check(self.read_hr(field), "hr-read-denied", || {
            format!("no grant to read the {} data of workers", format!("{field:?}").to_lowercase())
        })
    }

    /// `denied` unless a benefit line of this plan and amount may be recorded.
    pub fn check_benefit(&self, plan: &Id, amount: Money) -> Result<()> {
        let plan_ok = self.all(|r| any(&r.hr.benefits, plan));
        check(plan_ok, "benefit-denied", || format!("no grant to record benefits of plan {plan}"))?;
        let ok = self.all(|r| within(r.hr.max_benefit, amount));
        check(ok, "benefit-amount-denied", || format!("a benefit line of {amount} is above the granted ceiling"))
    }

    /// May this item be read?
    pub fn read_item(&self, item: &Id) -> bool {
        self.all(|r| any(&r.inventory.read, item))
    }

    /// `denied` unless this item may be read.
    pub fn check_read_item(&self, item: &Id) -> Result<()> {
        check(self.read_item(item), "inventory-read-denied", || format!("no grant to read item {item}"))
    }

    /// `denied` unless at least one item may be read: locations are no secret among those who deal with stock.
    pub fn check_read_locations(&self) -> Result<()> {
        let ok = self.all(|r| !r.inventory.read.is_empty());
        check(ok, "inventory-read-denied", || "no grant to read any item".to_owned())
    }

    /// `denied` unless this item may be moved between these locations.
    pub fn check_move(&self, item: &Id, from: &Id, to: &Id) -> Result<()> {
        let ok = self.all(|r| any(&r.inventory.move_items, item));
        check(ok, "move-denied", || format!("no grant to move item {item}"))?;
        let ok = self.all(|r| any(&r.inventory.move_from, from));
        check(ok, "move-denied", || format!("no grant to move stock out of {from}"))?;
        let ok = self.all(|r| any(&r.inventory.move_to, to));
        check(ok, "move-denied", || format!("no grant to move stock into {to}"))
    }

    /// `denied` unless master data may be set up.
    pub fn check_administer(&self) -> Result<()> {
        check(self.all(|r| r.administer), "administer-denied", || "no right to set up master data".to_owned())
    }

    /// `denied` unless own state may be kept.
    pub fn check_state(&self) -> Result<()> {
        check(self.all(|r| r.state), "state-denied", || "no grant to keep state".to_owned())
    }
}

pub(crate) fn check(ok: bool, code: &'static str, message: impl FnOnce() -> String) -> Result<()> {
    if ok { Ok(()) } else { Err(Error::denied(code, message())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_what_they_say_and_nothing_else() {
        let rows = [
            ("*", "6100", true),
            ("6100", "6100", true),
            ("6100", "61000", false),
            ("61*", "6150", true),
            ("61*", "6200", false),
            ("6100..6199", "6150", true),
            ("6100..6199", "6200", false),
            ("6100..6199", "61500", false),
            ("6100..6199", "615", false),
        ];
        for (pattern, id, want) in rows {
            assert_eq!(Pattern::parse(pattern).unwrap().matches(&Id::parse(id, "id").unwrap()), want, "{pattern} {id}");
        }
        for bad in ["", "..", "6199..6100", "6100..61", "a b", "**"] {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_layer_must_allow() {
        let id = |s: &str| Id::parse(s, "id").unwrap();
        let (all, none) = (std::sync::Arc::new(Rights::all()), std::sync::Arc::new(Rights::default()));
        assert!(Layers(std::slice::from_ref(&all)).check_post(&id("1")).is_ok());
        assert!(Layers(&[all, none]).check_post(&id("1")).is_err());
        assert!(Layers(&[]).check_post(&id("1")).is_err());
    }
}
