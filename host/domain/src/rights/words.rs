//! Rights in sentences that a bookkeeper understands.

use std::fmt::Display;

use serde::{Deserialize, Serialize};

use super::{Accounts, Grant, Pattern, Rights, type_word};

/// One grant in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Words {
    /// Why it is wanted or given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What it allows, a sentence each.
    pub allows: Vec<String>,
}

/// The rights in words, a grant each. A call must be allowed by one of them as a whole.
pub fn in_words(rights: &Rights) -> Vec<Words> {
    rights.grants().iter().map(words_of).collect()
}

fn words_of(grant: &Grant) -> Words {
    let mut allows = Vec::new();
    grant.each_kind(&mut |kind| kind.words(&mut allows));
    if let Some(operations) = grant.operations {
        let names: Vec<_> = operations.iter().map(|operation| operation.name()).collect();
        allows.push(format!("All this by {} alone.", list(&names, "and")));
    }
    if let Some(expires) = grant.expires {
        allows.push(format!("Up to and on {expires}."));
    }
    Words { why: grant.why.clone(), allows }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list(items: &[impl Display], and: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.to_string(),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(ToString::to_string).collect();
            format!("{} {and} {last}", first.join(", "))
        }
    }
}

/// A set of ids in words: `all items`, `item LAPTOP-14`, `items A and those that begin with B`.
pub(crate) fn ids(patterns: &[Pattern], one: &str, many: &str) -> String {
    let sets: Vec<Accounts> = patterns.iter().cloned().map(Accounts::from).collect();
    accounts(&sets, one, many)
}

/// A set of accounts in words.
pub(crate) fn accounts(sets: &[Accounts], one: &str, many: &str) -> String {
    if let [Accounts { codes: Pattern::One(id), kind: None }] = sets {
        return format!("{one} {id}");
    }
    if sets.contains(&Accounts::ANY) {
        return format!("all {many}");
    }
    let text = |set: &Accounts| {
        let codes = match &set.codes {
            Pattern::Any => None,
            Pattern::One(id) => Some(id.to_string()),
            Pattern::Prefix(prefix) => Some(format!("those that begin with {prefix}")),
            Pattern::Range(low, high) => Some(format!("{low} to {high}")),
        };
        match (codes, set.kind) {
            (None, None) => "all".to_owned(),
            (None, Some(kind)) => format!("those of type {}", type_word(kind)),
            (Some(codes), None) => codes,
            (Some(codes), Some(kind)) => format!("{codes} (of type {})", type_word(kind)),
        }
    };
    format!("{many}: {}", list(&sets.iter().map(text).collect::<Vec<_>>(), "and"))
}
