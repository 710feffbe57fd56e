//! The languages that plugins are written in, and how a folder shows which one it is.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use crate::KitError;

/// A language with a template, an SDK and a toolchain that the kit finds or installs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Language {
    /// cargo, for `wasm32-unknown-unknown`.
    Rust,
    /// CPython in the component, by componentize-py.
    Python,
    /// QuickJS in the component, after esbuild and a check of types.
    TypeScript,
    /// As TypeScript, without types.
    JavaScript,
    /// The usual compiler, for `wasip1`.
    Go,
    /// Clang and musl, as Zig ships them.
    C,
}

/// Every language, the file that its plugins begin in, and the word for it.
const ALL: [(Language, &str, &str); 6] = [
    (Language::Rust, "Cargo.toml", "rust"),
    (Language::Python, "app.py", "python"),
    (Language::TypeScript, "app.ts", "typescript"),
    (Language::JavaScript, "app.js", "javascript"),
    (Language::Go, "go.mod", "go"),
    (Language::C, "plugin.c", "c"),
];

impl Language {
    /// Every language.
    pub fn all() -> impl Iterator<Item = Self> {
        ALL.iter().map(|row| row.0)
    }

    /// The language of the plugin in `dir`: that of the first file in the order of [`Self::all`] that is there.
    ///
    /// # Errors
    /// [`KitError::NoLanguage`].
    pub(crate) fn of(dir: &Path) -> Result<Self, KitError> {
        let found = ALL.iter().find(|(_, file, _)| dir.join(file).is_file());
        found.map(|row| row.0).ok_or_else(|| KitError::NoLanguage {
            dir: dir.to_path_buf(),
            files: ALL.iter().map(|(_, file, word)| format!("{file} ({word})")).collect::<Vec<_>>().join(", "),
        })
    }

    /// The word for it on the command line.
    pub fn word(self) -> &'static str {
        ALL.iter().find(|row| row.0 == self).map_or("", |row| row.2)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Language {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words = || ALL.iter().map(|row| row.2).collect::<Vec<_>>().join(", ");
        let found = ALL.iter().find(|row| row.2 == text);
        found.map(|row| row.0).ok_or_else(|| format!("{text:?} is none of {}", words()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_files() {
        let dir = tempfile::tempdir().unwrap();
        let text = Language::of(dir.path()).unwrap_err().to_string();
        assert!(text.contains("app.py (python)"), "{text}");
        for (language, file, word) in ALL.into_iter().rev() {
            std::fs::write(dir.path().join(file), "").unwrap();
            assert_eq!(Language::of(dir.path()).unwrap(), language, "{file} comes before the later ones");
            assert_eq!(word.parse(), Ok(language));
            assert_eq!(language.to_string(), word);
        }
        assert!("cobol".parse::<Language>().unwrap_err().contains("rust, python"));
    }
}
