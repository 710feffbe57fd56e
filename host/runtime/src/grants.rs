//! What a plugin wants beside what it is granted, for whoever grants it. What counts at run time is that every layer allows
//! a call; this only tells people.

use std::collections::BTreeSet;

use backroom_domain::rights::{Pattern, Rights};
use serde::{Deserialize, Serialize};

/// Wants and grants side by side, one line per right, such as `ledger.post 61*`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct GrantDifference {
    /// Wanted and not granted in the same words: calls that need it may be denied.
    pub missing: Vec<String>,
    /// Granted and not wanted in the same words: of no use, or wider than the plugin asks for.
    pub beyond: Vec<String>,
}

/// Compares them word by word: `6100` within `61*` counts as different, since only people know whether that is meant.
pub fn compare_grants(wants: &Rights, grants: &Rights) -> GrantDifference {
    let (wants, grants) = (lines(wants), lines(grants));
    let difference = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect();
    GrantDifference { missing: difference(&wants, &grants), beyond: difference(&grants, &wants) }
}

/// Every right as a line.
fn lines(rights: &Rights) -> BTreeSet<String> {
    // Taken apart, so that a right that is added later is not forgotten here.
    let Rights { ledger, hr, inventory, administer, state, files, http, secrets } = rights;
    let mut lines = BTreeSet::new();
    let mut patterns = |name: &str, patterns: &[Pattern]| {
        lines.extend(patterns.iter().map(|pattern| format!("{name} {}", String::from(pattern.clone()))));
    };
    patterns("ledger.read", &ledger.read);
    patterns("ledger.post", &ledger.post);
    patterns("hr.benefits", &hr.benefits);
    patterns("inventory.read", &inventory.read);
    patterns("inventory.move-items", &inventory.move_items);
    patterns("inventory.move-from", &inventory.move_from);
    patterns("inventory.move-to", &inventory.move_to);
    patterns("files.read", &files.read);
    patterns("files.write", &files.write);
    lines.extend(http.iter().map(|target| format!("http {target}")));
    lines.extend(
        secrets.iter().map(|secret| format!("secrets {} to {}", String::from(secret.name.clone()), secret.host)),
    );
    lines.extend(hr.read.iter().map(|field| format!("hr.read {}", format!("{field:?}").to_lowercase())));
    // A ceiling is told only where there is something under it.
    if !ledger.post.is_empty() {
        lines.insert(ceiling("ledger.max-entry", ledger.max_entry));
    }
    if !hr.benefits.is_empty() {
        lines.insert(ceiling("hr.max-benefit", hr.max_benefit));
    }
    lines.extend(administer.then(|| "administer".to_owned()));
    lines.extend(state.then(|| "state".to_owned()));
    lines
}

fn ceiling(name: &str, ceiling: Option<backroom_domain::Money>) -> String {
    ceiling.map_or_else(|| format!("{name} without a ceiling"), |money| format!("{name} {money}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(text: &str) -> Rights {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn differences_are_told_in_both_directions() {
        let wants = rights(
            "state = true\n[ledger]\nread = [\"*\"]\npost = [\"61*\", \"2300\"]\nmax-entry = \"500.00 USD\"\n[hr]\nread = [\"name\"]\n",
        );
        assert_eq!(compare_grants(&wants, &wants), GrantDifference::default());
        let grants = rights("[ledger]\nread = [\"*\"]\npost = [\"61*\"]\n[inventory]\nmove-to = [\"staff\"]\n");
        let difference = compare_grants(&wants, &grants);
        assert_eq!(difference.missing, ["hr.read name", "ledger.max-entry 500.00 USD", "ledger.post 2300", "state"]);
        assert_eq!(difference.beyond, ["inventory.move-to staff", "ledger.max-entry without a ceiling"]);
    }
}
