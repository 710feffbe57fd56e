//! Paths within a folder: plain segments, so that a path means the same to everybody who reads it.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::is_nfc;

use crate::{Error, Id, Result};

/// The longest path, in bytes: what file systems give a single name, so that no part of it can be too long for one.
pub const MAX_PATH: usize = 255;
/// The most segments of a path.
pub const MAX_DEPTH: usize = 8;

/// The path of a file within its folder: 1 to [`MAX_DEPTH`] segments with `/` between, [`MAX_PATH`] bytes in all.
///
/// No segment is empty, `.` or `..`, and none has a backslash, a control character or one that turns the direction of text. The
/// text is in Unicode's composed form (NFC); upper and lower case are different. Nothing is mended: a path is taken as it is, or
/// refused.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, minicbor::Encode, minicbor::Decode,
)]
#[serde(try_from = "String", into = "String")]
#[cbor(transparent)]
pub struct FilePath(#[n(0)] String);

impl FilePath {
    /// Checks and wraps `text`; `field` names it in the error (`path-invalid`).
    pub fn parse(text: &str, field: &str) -> Result<Self> {
        match why_not(text) {
            None => Ok(Self(text.to_owned())),
            Some(why) => {
                let shown: String = text.chars().take(MAX_PATH).collect();
                Err(Error::invalid("path-invalid", field, format!("{shown:?} is no path of a file: {why}")))
            }
        }
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The paths that must be no files for this one to be one: `a` and `a/b` of `a/b/c`.
    pub fn above(&self) -> impl Iterator<Item = Self> {
        self.0.match_indices('/').filter_map(|(at, _)| self.0.get(..at)).map(|above| Self(above.to_owned()))
    }

    /// What the paths begin with that would be below this one, were it no file.
    pub fn below(&self) -> String {
        format!("{}/", self.0)
    }
}

/// What is wrong with a path.
fn why_not(text: &str) -> Option<&'static str> {
    if text.is_empty() || text.len() > MAX_PATH {
        return Some("it has 1 to 255 bytes");
    }
    if text.contains('\\') {
        return Some("a backslash parts nothing here, so it is not taken; write /");
    }
    if text.chars().any(|c| c.is_control() || turns_text(c)) {
        return Some("it has a control character, or one that turns the direction of text");
    }
    if text.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return Some("a segment is empty, . or ..");
    }
    if text.split('/').count() > MAX_DEPTH {
        return Some("it has at most 8 segments");
    }
    (!is_nfc(text)).then_some("its characters are not in Unicode's composed form (NFC)")
}

/// Marks and overrides that make a name look like another one.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `folder-invalid` unless the id can be the name of a folder: without `/` and `:`, at most 64 characters as every id.
pub fn check_folder(folder: &Id) -> Result<()> {
    if folder.as_str().contains(['/', ':']) {
        return Err(Error::invalid(
            "folder-invalid",
            "folder",
            format!("{folder} is no folder: a name has no / and no :"),
        ));
    }
    Ok(())
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for FilePath {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text, "path")
    }
}

impl From<FilePath> for String {
    fn from(path: FilePath) -> Self {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_plain_or_refused() {
        let long = "x".repeat(MAX_PATH);
        let longer = "x".repeat(256);
        let deep = ["a"; MAX_DEPTH].join("/");
        let deeper = ["a"; 9].join("/");
        let rows = [
            ("a", true),
            ("2026/06/bank.csv", true),
            (".hidden", true),
            ("..a", true),
            ("a..b/...", true),
            (" a b ", true),
            ("Z\u{fc}rich", true),
            (&long, true),
            (&deep, true),
            ("", false),
            ("/", false),
            ("/a", false),
            ("a/", false),
            ("a//b", false),
            (".", false),
            ("..", false),
            ("a/..", false),
            ("../a", false),
            ("a/./b", false),
            ("a/../../etc/passwd", false),
            ("a\\..\\b", false),
            ("C:\\a", false),
            ("a\0b", false),
            ("a\nb", false),
            ("a\u{1b}[31m", false),
            ("a\u{7f}", false),
            ("a\u{85}", false),
            ("fdp\u{202e}exe.", false),
            ("a\u{2066}b", false),
            // An e with its accent beside it: looks like one character and is two.
            ("cafe\u{301}", false),
            (&longer, false),
            (&deeper, false),
        ];
        for (text, ok) in rows {
            assert_eq!(FilePath::parse(text, "path").is_ok(), ok, "{text:?}");
        }
        assert_eq!(FilePath::parse("..", "from").unwrap_err().problems[0].field.as_deref(), Some("from"));
    }

    #[test]
    fn what_is_above_a_path_is_no_file() {
        let path = FilePath::parse("a/b/c", "path").unwrap();
        let above: Vec<_> = path.above().map(String::from).collect();
        assert_eq!((above.as_slice(), path.below().as_str()), (&["a".to_owned(), "a/b".to_owned()][..], "a/b/c/"));
        assert_eq!(FilePath::parse("a", "path").unwrap().above().count(), 0);
    }

    #[test]
    fn a_folder_is_one_name() {
        let folder = |text| check_folder(&Id::parse(text, "folder").unwrap()).is_ok();
        assert!(folder("inbox") && folder("out.2026_a-b"));
        assert!(!folder("a/b") && !folder("a:b"));
    }
}
