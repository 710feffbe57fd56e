//! The form of what only some lines and entries have.

use std::collections::BTreeSet;

use crate::ledger::{EntryDetails, Line, LineDetails};
use crate::shape::Problems;

/// The most guards of an entry.
const MAX_GUARDS: usize = 16;
/// The most metadata of an entry.
const MAX_METADATA: usize = 16;
/// What the kinds of the host's own entries begin with.
const HOST: &str = "host:";

/// `made-by-host`, `amount-zero`, `amount-too-large`, `rate-zero`.
pub(super) fn check_line_details(problems: &mut Problems, i: usize, line: &Line, details: &LineDetails) {
    let field = |name: &'static str| move || format!("lines[{i}].{name}");
    if details.made.is_some() {
        problems.add("made-by-host", field("made"), || "is for the host to say: leave it out".to_owned());
    }
    if let Some(base) = details.base {
        problems.positive_amount(field("base"), base);
        if base.currency == line.amount.currency && base != line.amount {
            let message = || "is in the currency of the line and another amount: leave it out".to_owned();
            problems.add("base-invalid", field("base"), message);
        }
    }
    if details.rate.is_some_and(|rate| rate.is_zero()) {
        problems.add("rate-zero", field("rate"), || "must be more than zero".to_owned());
    }
}

/// `text-invalid`, `kind-reserved`, `too-many-guards`, `amount-too-large`, `metadata-invalid`.
pub(super) fn check_details(problems: &mut Problems, details: &EntryDetails) {
    if let Some(reference) = &details.reference {
        problems.line(|| "reference".to_owned(), reference, 1, 64);
    }
    if details.kind.as_ref().is_some_and(|kind| kind.as_str().starts_with(HOST)) {
        let message = || format!("kinds that begin with {HOST} are the host's");
        problems.add("kind-reserved", || "kind".to_owned(), message);
    }
    if details.guards.len() > MAX_GUARDS {
        let message = || format!("an entry has at most {MAX_GUARDS} guards, not {}", details.guards.len());
        problems.add("too-many-guards", || "guards".to_owned(), message);
    }
    for (i, guard) in details.guards.iter().take(MAX_GUARDS).enumerate() {
        if guard.value.minor > crate::MAX_MINOR {
            let message = || "amounts are at most 2^53 - 1 minor units".to_owned();
            problems.add("amount-too-large", || format!("guards[{i}].value"), message);
        }
    }
    let mut names = BTreeSet::new();
    let twice = details.metadata.iter().any(|pair| !names.insert(&pair.name));
    if twice || details.metadata.len() > MAX_METADATA {
        let message = || format!("at most {MAX_METADATA} texts, no name twice");
        problems.add("metadata-invalid", || "metadata".to_owned(), message);
    }
    for (i, pair) in details.metadata.iter().take(MAX_METADATA).enumerate() {
        problems.line(|| format!("metadata[{i}].value"), &pair.value, 0, 100);
    }
}
