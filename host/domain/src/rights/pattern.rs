//! Sets of ids, as people write them: `*`, `6100`, `61*`, `6100..6199`; of accounts also by type: `type=expense`, `61* type=expense`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ledger::AccountType;
use crate::{Error, Id, Result};

/// A set of ids: all, one, those with a beginning, or an inclusive range (compared as text, both ends of the same length).
///
/// Taken apart once, so that asking it takes no time and no memory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pattern {
    /// `*`
    Any,
    /// `6100`
    One(Id),
    /// `61*`
    Prefix(Id),
    /// `6100..6199`
    Range(Id, Id),
}

impl Pattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Self> {
        let id = |t: &str| Id::parse(t, "pattern").ok();
        let found = match (text.strip_suffix('*'), text.split_once("..")) {
            (Some(""), _) => Some(Self::Any),
            (Some(prefix), _) => id(prefix).map(Self::Prefix),
            (None, Some((a, b))) if a.len() == b.len() && a <= b => {
                id(a).zip(id(b)).map(|(low, high)| Self::Range(low, high))
            }
            (None, Some(_)) => None,
            (None, None) => id(text).map(Self::One),
        };
        found.ok_or_else(|| {
            let shown: String = text.chars().take(80).collect();
            let message = format!("{shown:?} is no set of ids: write \"*\", \"6100\", \"61*\" or \"6100..6199\"");
            Error::invalid("pattern-invalid", "grant", message)
        })
    }

    /// Is `id` in it?
    pub fn matches(&self, id: &Id) -> bool {
        let id = id.as_str();
        match self {
            Self::Any => true,
            Self::One(one) => one.as_str() == id,
            Self::Prefix(prefix) => id.starts_with(prefix.as_str()),
            Self::Range(low, high) => id.len() == low.as_str().len() && low.as_str() <= id && id <= high.as_str(),
        }
    }

    /// Is everything in `other` in this as well? Never says yes wrongly; it may say no where ids that nobody has make the difference.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (_, Self::Any) => false,
            (_, Self::One(id)) => self.matches(id),
            (Self::Prefix(prefix), Self::Prefix(longer)) => longer.as_str().starts_with(prefix.as_str()),
            // Whatever lies between two texts of one length with the same beginning has that beginning, too.
            (Self::Prefix(_) | Self::Range(..), Self::Range(low, high)) => self.matches(low) && self.matches(high),
            (Self::One(_), Self::Prefix(_) | Self::Range(..)) | (Self::Range(..), Self::Prefix(_)) => false,
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::One(id) => id.fmt(f),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
            Self::Range(low, high) => write!(f, "{low}..{high}"),
        }
    }
}

/// A set of accounts: a [`Pattern`], the type of the account, or both.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Accounts {
    /// The codes.
    pub codes: Pattern,
    /// Of this type alone.
    pub kind: Option<AccountType>,
}

/// The types of accounts and how they are written.
const TYPES: [(AccountType, &str); 5] = [
    (AccountType::Asset, "asset"),
    (AccountType::Liability, "liability"),
    (AccountType::Equity, "equity"),
    (AccountType::Income, "income"),
    (AccountType::Expense, "expense"),
];

/// How a type of accounts is written.
pub(crate) fn type_word(kind: AccountType) -> &'static str {
    TYPES.iter().find(|(found, _)| *found == kind).map_or("", |(_, word)| word)
}

impl Accounts {
    /// All accounts.
    pub const ANY: Self = Self { codes: Pattern::Any, kind: None };

    /// Reads a set: `61*`, `type=expense` or `61* type=expense`.
    pub fn parse(text: &str) -> Result<Self> {
        let (codes, kind) = match text.rsplit_once("type=") {
            None => return Ok(Self { codes: Pattern::parse(text)?, kind: None }),
            Some(("", kind)) => ("*", kind),
            Some((codes, kind)) => (codes.trim_end_matches(' '), kind),
        };
        let found = TYPES.iter().find(|(_, word)| *word == kind).map(|(kind, _)| *kind);
        let kind = found.ok_or_else(|| {
            let shown: String = kind.chars().take(20).collect();
            let message = format!("{shown:?} is no type of accounts: asset, liability, equity, income, expense");
            Error::invalid("pattern-invalid", "grant", message)
        })?;
        Ok(Self { codes: Pattern::parse(codes)?, kind: Some(kind) })
    }

    /// Is the account in it? An account that is not there has no type, so no set with a type has it.
    pub fn has(&self, code: &Id, kind: Option<AccountType>) -> bool {
        self.codes.matches(code) && (self.kind.is_none() || self.kind == kind)
    }

    /// Is everything in `other` in this as well?
    pub fn covers(&self, other: &Self) -> bool {
        self.codes.covers(&other.codes) && (self.kind.is_none() || self.kind == other.kind)
    }
}

impl From<Pattern> for Accounts {
    fn from(codes: Pattern) -> Self {
        Self { codes, kind: None }
    }
}

impl fmt::Display for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.codes, self.kind) {
            (codes, None) => codes.fmt(f),
            (Pattern::Any, Some(kind)) => write!(f, "type={}", type_word(kind)),
            (codes, Some(kind)) => write!(f, "{codes} type={}", type_word(kind)),
        }
    }
}

/// Text everywhere: in files, in JSON and in records.
macro_rules! as_text {
    ($($name:ident),*) => {$(
        impl TryFrom<String> for $name {
            type Error = Error;
            fn try_from(text: String) -> Result<Self> {
                Self::parse(&text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> std::result::Result<Self, D::Error> {
                Self::parse(&String::deserialize(d)?).map_err(serde::de::Error::custom)
            }
        }

        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> std::result::Result<(), minicbor::encode::Error<W::Error>> {
                e.str(&self.to_string())?.ok()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> std::result::Result<Self, minicbor::decode::Error> {
                Self::parse(d.str()?).map_err(|_| minicbor::decode::Error::message("not a set of ids"))
            }
        }
    )*};
}
as_text!(Pattern, Accounts);

/// Is `id` in one of them?
pub(crate) fn any(patterns: &[Pattern], id: &Id) -> bool {
    patterns.iter().any(|p| p.matches(id))
}

/// Is the account in one of them?
pub(crate) fn any_account(sets: &[Accounts], code: &Id, kind: Option<AccountType>) -> bool {
    sets.iter().any(|set| set.has(code, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Id {
        Id::parse(text, "id").unwrap()
    }

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
        for (pattern, code, want) in rows {
            let parsed = Pattern::parse(pattern).unwrap();
            assert_eq!(parsed.matches(&id(code)), want, "{pattern} {code}");
            assert_eq!(parsed.to_string(), pattern);
        }
        for bad in ["", "..", "6199..6100", "6100..61", "a b", "**", "6100..", "6100...", "*6"] {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn accounts_are_named_by_type_as_well() {
        use AccountType::{Asset, Expense};
        let rows = [
            ("type=expense", "6100", Some(Expense), true),
            ("type=expense", "6100", Some(Asset), false),
            ("type=expense", "6100", None, false),
            ("61* type=expense", "6100", Some(Expense), true),
            ("61* type=expense", "6200", Some(Expense), false),
            ("61*", "6100", None, true),
        ];
        for (set, code, kind, want) in rows {
            let parsed = Accounts::parse(set).unwrap();
            assert_eq!(parsed.has(&id(code), kind), want, "{set} {code} {kind:?}");
            assert_eq!(parsed.to_string(), set);
        }
        assert_eq!(Accounts::parse("* type=asset").unwrap().to_string(), "type=asset");
        for bad in ["type=", "type=cost", "61*type", "type=expense 61*", " type=asset"] {
            assert!(Accounts::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_covers_what() {
        let rows = [
            ("*", "6100..6199", true),
            ("61*", "*", false),
            ("61*", "615*", true),
            ("615*", "61*", false),
            ("61*", "6100..6199", true),
            ("61*", "6100..6200", false),
            ("6100..6199", "6100..6150", true),
            ("6100..6199", "6100..6200", false),
            ("6100..6199", "61*", false),
            ("6100..6199", "6120", true),
            ("6120", "6120", true),
            ("6120", "6120..6120", false),
            ("*", "type=asset", true),
            ("type=asset", "*", false),
            ("type=asset", "1* type=asset", true),
            ("type=asset", "1* type=income", false),
        ];
        for (wide, narrow, want) in rows {
            let [a, b] = [wide, narrow].map(|text| Accounts::parse(text).unwrap());
            assert_eq!(a.covers(&b), want, "{wide} {narrow}");
        }
    }

    proptest::proptest! {
        /// If a set covers another, it has whatever the other has.
        #[test]
        fn covering_is_never_claimed_wrongly(
            a in "([1-3]{1,3}\\*?|[12]{2}\\.\\.[23]{2}|\\*)",
            b in "([1-3]{1,3}\\*?|[12]{2}\\.\\.[23]{2}|\\*)",
            code in "[1-3]{1,4}",
        ) {
            let (Ok(a), Ok(b)) = (Pattern::parse(&a), Pattern::parse(&b)) else { return Ok(()) };
            let code = id(&code);
            proptest::prop_assert!(!(a.covers(&b) && b.matches(&code)) || a.matches(&code));
        }
    }
}
