//! A business "no": a closed class that says what to do, an open code word, a message for people.

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the caller should do about an error. Closed: callers may match on it exhaustively.
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
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// The request itself is malformed: mend it, it can never succeed as it is.
    #[n(0)]
    Invalid,
    /// The caller lacks the right. Nothing was looked at, nothing changed.
    #[n(1)]
    Denied,
    /// There is no such thing for this tenant (another tenant's things included).
    #[n(2)]
    NotFound,
    /// The same id with other content, or what was read has changed.
    #[n(3)]
    Conflict,
    /// A rule of the business forbids it in today's state.
    #[n(4)]
    Refused,
    /// The service cannot answer now; the only class that may be retried unchanged.
    #[n(5)]
    Unavailable,
}

/// One independent reason, with the field it is about where there is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
pub struct Problem {
    /// A stable code word in kebab-case; codes are only ever added.
    #[n(0)]
    pub code: Cow<'static, str>,
    /// The field (or line) it is about, in the words of the contract, such as `lines[2].account`.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// For people: what is wrong and what would be right.
    #[n(2)]
    pub message: String,
}

/// An error of the domain: a class and at least one problem. The first problem is the one that the documented
/// precedence of the operation reports; `invalid` carries every independent problem found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
pub struct Error {
    /// What to do.
    #[n(0)]
    pub class: Class,
    /// Why; never empty.
    #[n(1)]
    pub problems: Vec<Problem>,
}

/// The result of every rule.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// One problem, for collecting several: see [`Error::all`].
    pub fn problem(code: &'static str, field: impl Into<String>, message: impl Into<String>) -> Problem {
        Problem { code: code.into(), field: Some(field.into()), message: message.into() }
    }

    /// An error of `class` with one problem that is about no single field.
    pub fn new(class: Class, code: &'static str, message: impl Into<String>) -> Self {
        Self { class, problems: vec![Problem { code: code.into(), field: None, message: message.into() }] }
    }

    /// The same, about one field.
    pub fn at(class: Class, code: &'static str, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            class,
            problems: vec![Problem { code: code.into(), field: Some(field.into()), message: message.into() }],
        }
    }

    /// A malformed field.
    pub fn invalid(code: &'static str, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::at(Class::Invalid, code, field, message)
    }

    /// A rule that forbids it.
    pub fn refused(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Class::Refused, code, message)
    }

    /// A missing right.
    pub fn denied(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Class::Denied, code, message)
    }

    /// No such thing. `kind` is the noun, `id` what was asked for.
    pub fn not_found(kind: &'static str, id: impl fmt::Display) -> Self {
        Self::new(Class::NotFound, "not-found", format!("there is no {kind} {id}"))
    }

    /// The same id was used before with other content; `field` is the first that differs.
    pub fn exists_with_different(kind: &'static str, id: impl fmt::Display, field: &'static str) -> Self {
        Self::at(
            Class::Conflict,
            "exists-with-different",
            field,
            format!("{kind} {id} exists with other content ({field}): what differs needs an id of its own"),
        )
    }

    /// The sum would pass the largest amount or quantity that the contract can carry.
    pub fn overflow(what: impl fmt::Display) -> Self {
        Self::refused("overflow", format!("{what} would exceed 2^53 - 1"))
    }

    /// The code of the first problem.
    pub fn code(&self) -> &str {
        self.problems.first().map_or("unknown", |p| p.code.as_ref())
    }

    /// Collects `invalid` problems: `Ok` if there are none.
    pub fn all(problems: Vec<Problem>) -> Result<()> {
        if problems.is_empty() { Ok(()) } else { Err(Self { class: Class::Invalid, problems }) }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid => "invalid",
            Self::Denied => "denied",
            Self::NotFound => "not-found",
            Self::Conflict => "conflict",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.class)?;
        for (i, p) in self.problems.iter().enumerate() {
            f.write_str(if i == 0 { ": " } else { "; " })?;
            if let Some(field) = &p.field {
                write!(f, "{field}: ")?;
            }
            write!(f, "{} ({})", p.message, p.code)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
