//! What a plugin says of itself: the `plugin.toml` inside of it.

use std::sync::Arc;

use backroom_domain::rights::Rights;
use backroom_domain::{Id, plays_tricks};
use serde::{Deserialize, Serialize};

use crate::convert::clean_lines;
use crate::error::PluginError;

/// The custom section of a component that holds its `plugin.toml`.
pub const MANIFEST_SECTION: &str = "backroom:plugin";

/// The longest `plugin.toml`, in bytes.
pub(crate) const MAX_MANIFEST: usize = 64 << 10;
const MAX_DESCRIPTION: usize = 300;
const MAX_VERSION: usize = 64;

/// A `plugin.toml`. Unknown keys are refused: a setting that nothing heeds would be a promise not kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The plugin's name.
    pub name: Id,
    /// A semantic version.
    pub version: String,
    /// What it does, in one line of 1 to 300 bytes.
    pub description: String,
    /// The rights that it wants; it never gets others, whatever is granted.
    #[serde(default)]
    pub wants: Arc<Rights>,
}

impl Manifest {
    /// Reads the text of a `plugin.toml`.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, PluginError> {
        let wrong = |why: String| PluginError::Manifest(why);
        let text = std::str::from_utf8(text).map_err(|why| wrong(format!("it is no UTF-8 text: {why}")))?;
        let manifest: Self = toml::from_str(text).map_err(|why| wrong(clean_lines(&why.to_string())))?;
        if manifest.version.len() > MAX_VERSION || semver::Version::parse(&manifest.version).is_err() {
            return Err(wrong("`version` is no semantic version of at most 64 bytes, such as 1.0.0".into()));
        }
        let description = &manifest.description;
        if !(1..=MAX_DESCRIPTION).contains(&description.trim().len()) || description.contains(plays_tricks) {
            return Err(wrong(format!("`description` is one line of 1 to {MAX_DESCRIPTION} bytes")));
        }
        manifest.wants.check_wants().map_err(|error| wrong(crate::error::messages(&error)))?;
        Ok(manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "name = \"pay-run\"\nversion = \"1.2.3\"\ndescription = \"Pays.\"\n";

    #[test]
    fn what_is_wanted_is_read() {
        let text = format!(
            "{GOOD}[[wants]]\nwhy = \"Pays.\"\nstate = true\n[wants.ledger]\npost = [\"61*\"]\nmax-entry = \"500.00 USD\"\n\
             [[wants]]\nwhy = \"Looks.\"\nledger = {{ read = [\"*\"] }}\n"
        );
        let manifest = Manifest::parse(text.as_bytes()).unwrap();
        let [first, second] = manifest.wants.grants() else { panic!("{manifest:?}") };
        assert!(first.state && !second.state);
        assert_eq!((first.why.as_deref(), second.why.as_deref()), (Some("Pays."), Some("Looks.")));
        assert_eq!(first.ledger.max_entry.unwrap().minor, 50_000);
        assert_eq!(*Manifest::parse(GOOD.as_bytes()).unwrap().wants, Rights::default());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let long = GOOD.replace("Pays.", &"x".repeat(301));
        let rows = [
            (String::new(), "name"),
            (GOOD.replace("pay-run", "pay run"), "not an id"),
            (GOOD.replace("1.2.3", "one"), "version"),
            (GOOD.replace("Pays.", " "), "description"),
            (GOOD.replace("Pays.", "a\\nb"), "description"),
            (long, "description"),
            (format!("{GOOD}colour = 1\n"), "colour"),
            (format!("{GOOD}[[wants]]\ncolour = 1\n"), "colour"),
            (format!("{GOOD}[[wants]]\nledger = {{ post = [\"a b\"] }}\n"), "a b"),
            (format!("{GOOD}[[wants]]\nwhy = \"x\"\nadminister = true\n"), "administer"),
            (format!("{GOOD}[[wants]]\nstate = true\n"), "wants[1].why"),
            (format!("{GOOD}[[wants]]\nwhy = \"x\"\nstate = true\noperations = [\"state.gets\"]\n"), "state.gets"),
            (format!("{GOOD}[wants]\nstate = true\n"), "[[wants]]"),
        ];
        for (text, part) in rows {
            match Manifest::parse(text.as_bytes()) {
                Err(PluginError::Manifest(why)) => assert!(why.contains(part), "{why}"),
                other => panic!("{text}: {other:?}"),
            }
        }
        assert!(Manifest::parse(&[0xFF]).is_err());
    }
}
