//! `plugin.toml`, as an author writes it. Its text goes into the component unchanged; the service reads it again, as
//! strictly, when the plugin is installed.

use std::path::Path;

use backroom_domain::rights::Rights;
use serde::Deserialize;

use crate::KitError;

/// The longest name: it becomes part of file names and of keys.
const MAX_NAME: usize = 64;

/// The longest version, for the same reason.
const MAX_VERSION: usize = 64;

/// A description is one line on a page of the console.
const MAX_DESCRIPTION: usize = 300;

/// The largest `plugin.toml`: the service refuses larger ones, so building them would help nobody.
const MAX_FILE: usize = 64 * 1024;

/// A `plugin.toml`. Unknown keys are refused: a setting that nothing heeds would be a promise not kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Lower-case letters, digits and hyphens.
    #[serde(deserialize_with = "name")]
    pub name: String,
    /// A semantic version.
    #[serde(deserialize_with = "version")]
    pub version: semver::Version,
    /// What the plugin does, in one line.
    #[serde(deserialize_with = "description")]
    pub description: String,
    /// The rights that the plugin asks for.
    #[serde(default)]
    pub wants: Rights,
}

impl Manifest {
    /// Reads the text of a `plugin.toml`; `file` names it in errors.
    pub fn parse(text: &str, file: &str) -> Result<Self, KitError> {
        let wrong = |text: String| KitError::Manifest { file: file.to_owned(), text };
        if text.len() > MAX_FILE {
            return Err(wrong(format!("larger than {MAX_FILE} bytes; shorten it")));
        }
        let manifest: Self = toml::from_str(text).map_err(|error| wrong(error.to_string().trim_end().to_owned()))?;
        manifest.wants.check_wants().map_err(|error| {
            wrong(error.problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("; "))
        })?;
        Ok(manifest)
    }

    /// Reads `dir/plugin.toml`; answers with its text as well, which goes into the component.
    pub(crate) fn read(dir: &Path) -> Result<(Self, String), KitError> {
        let path = dir.join("plugin.toml");
        if !path.is_file() {
            return Err(KitError::NoManifest(dir.to_path_buf()));
        }
        let text = std::fs::read_to_string(&path).map_err(KitError::file("read", &path))?;
        let manifest = Self::parse(&text, &path.display().to_string())?;
        Ok((manifest, text))
    }
}

/// Whether `name` can be a plugin's name.
pub(crate) fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(plain)
        && !name.ends_with('-')
        && !name.contains("--")
}

fn name<'de, D: serde::Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    let name = String::deserialize(input)?;
    if is_name(&name) {
        return Ok(name);
    }
    Err(serde::de::Error::custom(KitError::BadName(name)))
}

fn version<'de, D: serde::Deserializer<'de>>(input: D) -> Result<semver::Version, D::Error> {
    let text = String::deserialize(input)?;
    if text.len() > MAX_VERSION {
        return Err(serde::de::Error::custom(format!("version has more than {MAX_VERSION} bytes")));
    }
    text.parse().map_err(|why| serde::de::Error::custom(format!("{text:?} is no version such as 1.0.0: {why}")))
}

fn description<'de, D: serde::Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    let text = String::deserialize(input)?;
    if (1..=MAX_DESCRIPTION).contains(&text.trim().len()) && !text.contains(backroom_domain::plays_tricks) {
        return Ok(text);
    }
    let rule = format!("description must be one line of 1 to {MAX_DESCRIPTION} bytes");
    Err(serde::de::Error::custom(rule))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "name = \"pay-run\"\nversion = \"1.2.3\"\ndescription = \"Pays.\"\n";

    fn refused(text: &str) -> String {
        Manifest::parse(text, "plugin.toml").unwrap_err().to_string()
    }

    #[test]
    fn the_smallest_file_and_one_with_wants() {
        let manifest = Manifest::parse(GOOD, "plugin.toml").unwrap();
        assert_eq!((manifest.name.as_str(), manifest.version.minor), ("pay-run", 2));
        let more = format!("{GOOD}[[wants]]\nwhy = \"Books.\"\n[wants.ledger]\npost = [\"6100\"]\n");
        assert_eq!(Manifest::parse(&more, "plugin.toml").unwrap().wants.grants()[0].ledger.post.len(), 1);
    }

    #[test]
    fn errors_name_file_line_and_column() {
        let text = refused("name = \"pay-run\"\nversion = \"one\"\ndescription = \"d\"\n");
        assert!(text.starts_with("plugin.toml: "), "{text}");
        assert!(text.contains("line 2, column 11"), "{text}");
        let text = refused(&GOOD.replace("pay-run", "Pay Run"));
        assert!(text.contains("line 1, column 8") && text.contains("lower-case"), "{text}");
        let text = refused(&format!("{GOOD}wants = \"all\"\n"));
        assert!(text.contains("line 4, column 9"), "{text}");
        let text = refused(&format!("{GOOD}[[wants]]\nwhy = \"Books.\"\n[wants.ledger]\npots = [\"6100\"]\n"));
        assert!(text.contains("line 7, column 1") && text.contains("pots"), "{text}");
        let text = refused(&format!("{GOOD}[[wants]]\nwhy = \"Books.\"\n[wants.ledger]\npost = [\"6100...\"]\n"));
        assert!(text.contains("line 7") && text.contains("no set of ids"), "{text}");
        let text = refused(&format!("{GOOD}[[wants]]\nstate = true\n"));
        assert!(text.contains("wants[1].why") && text.contains("missing"), "{text}");
        assert!(refused(&format!("{GOOD}[wants]\nstate = true\n")).contains("[[wants]]"));
        let text = refused(&format!("{GOOD}colour = 1\n"));
        assert!(text.contains("line 4, column 1"), "{text}");
        let text = refused(&GOOD.replace("Pays.", ""));
        assert!(text.contains("line 3, column 15") && text.contains("one line"), "{text}");
        assert!(refused(&GOOD.replace("1.2.3", &format!("1.2.3-{}", "a".repeat(60)))).contains("line 2, column 11"));
        assert!(refused(&format!("{GOOD}[[wants]]\nwhy = \"x\"\nadminister = true\n")).contains("administer"));
        let text = refused("version = \"1.0.0\"\ndescription = \"d\"\n");
        assert!(text.contains("missing field `name`"), "{text}");
        assert!(refused("name = ").contains("line 1, column 8"));
        assert!(refused(&"#".repeat(MAX_FILE + 1)).contains("larger"));
    }

    #[test]
    fn names() {
        for good in ["a", "pay-run", "x2-3"] {
            assert!(is_name(good), "{good}");
        }
        let long = "a".repeat(65);
        for bad in ["", "2x", "-a", "a-", "a--b", "A", "a_b", "a/b", "..", "é", &long] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
