//! What a plugin wants beside what it uses and what it is granted, for whoever grants it. What counts at run time is that every
//! layer allows a call; this only tells people.

use backroom_domain::rights::{Beyond, Change, Imports, Rights, beyond, missing};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an operator should know of the rights of an installation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
pub struct RightsReport {
    /// Wanted, and nothing of it is granted: calls that need it are denied.
    pub missing: Vec<String>,
    /// Granted beyond what is wanted: of no use now, and given at once to a release that wants it.
    pub beyond: Vec<Beyond>,
    /// What is wanted beside the functions that the component imports.
    #[serde(flatten)]
    pub imports: Imports,
    /// How the wants differ from those of the release that was installed before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
}

impl RightsReport {
    /// Of a release that wants `wants` and imports `functions` (none known of old ones), granted `grants`, in place of one that
    /// wanted `before`.
    pub fn new(wants: &Rights, functions: &[String], grants: &Rights, before: Option<&Rights>) -> Self {
        let imports = match functions {
            [] => Imports::default(),
            some => Imports::compare(wants, some.iter().map(String::as_str)),
        };
        Self {
            missing: missing(wants, grants),
            beyond: beyond(grants, wants),
            imports,
            change: before.map(|before| Change::between(before, wants)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(text: &str) -> Rights {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_example_in_the_readme_is_sound() {
        #[derive(Deserialize)]
        struct File {
            grants: Rights,
        }
        let readme = include_str!("../../../README.md");
        let (_, rest) = readme.split_once("```toml\n[[grants]]").unwrap();
        let (example, _) = rest.split_once("```").unwrap();
        let file: File = toml::from_str(&format!("[[grants]]{example}")).unwrap();
        assert_eq!(file.grants.grants().len(), 3);
        file.grants.check_grants().unwrap();
    }

    #[test]
    fn wants_grants_and_imports_are_compared() {
        let wants = rights(
            r#"[{"ledger":{"read":["*"],"post":["61*","2300"],"max-entry":"500.00 USD"},"hr":{"read":["name"]},"state":true}]"#,
        );
        let all = ["accounts.get", "journal.post", "workers.get-name", "state.get"].map(str::to_owned);
        let same = RightsReport::new(&wants, &all, &wants, None);
        assert_eq!(same, RightsReport::default());
        let grants = rights(
            r#"[{"ledger":{"read":["1*"],"post":["61*"]},
                "inventory":{"read":["*"],"move-items":["*"],"move-from":["*"],"move-to":["staff"]}}]"#,
        );
        let functions = ["journal.post", "benefits.record"].map(str::to_owned);
        let report = RightsReport::new(&wants, &functions, &grants, Some(&grants));
        assert_eq!(report.missing, ["hr.read", "state"]);
        let beyond: Vec<&str> = report.beyond.iter().map(|line| line.right.as_str()).collect();
        assert!(beyond.contains(&"ledger.max-entry") && beyond.contains(&"inventory.move-to"), "{beyond:?}");
        assert!(!beyond.contains(&"ledger.read"));
        assert_eq!(report.imports.wanted_not_used, ["hr.read name", "ledger.read", "state"]);
        assert_eq!(report.imports.used_not_wanted, ["benefits.record"]);
        assert!(report.change.unwrap().grows());
        assert_eq!(RightsReport::new(&wants, &[], &wants, None).imports, Imports::default(), "nothing known");
    }
}
