//! Makes a new plugin: a workflow that builds as it is, with a copy of its language's SDK and of the contract, so that it builds anywhere.

use std::path::Path;

use crate::manifest::is_name;
use crate::{KitError, Language, c, go, script};

/// Files by name.
type Files = &'static [(&'static str, &'static str)];

/// What every plugin has; `{name}` in it becomes its name.
const COMMON: Files = &[
    ("plugin.toml", include_str!("../template/plugin.toml.in")),
    ("installation.toml", include_str!("../template/installation.toml.in")),
    ("input.json", include_str!("../template/input.json.in")),
    ("tests/accrual.toml", include_str!("../template/accrual.toml.in")),
];

/// The files of a template, below `template/<language>`.
macro_rules! template {
    ($language:literal: $($file:literal),* $(,)?) => {
        &[$(($file, include_str!(concat!("../template/", $language, "/", $file, ".in")))),*]
    };
}

const RUST: Files = template!("rust": "Cargo.toml", "src/lib.rs", "README.md", ".gitignore");
const PYTHON: Files = template!("python": "app.py", "pyrightconfig.json", "README.md", ".gitignore");
const TYPESCRIPT: Files = template!("typescript": "app.ts", "tsconfig.json", "README.md", ".gitignore");
const JAVASCRIPT: Files = template!("javascript": "app.js", "jsconfig.json", "README.md", ".gitignore");
const GO: Files = template!("go": "go.mod", "main.go", "README.md", ".gitignore");
const C: Files = template!("c": "plugin.c", "compile_flags.txt", "README.md", ".gitignore");

/// A file of an SDK, which a plugin gets as it is.
macro_rules! sdk {
    ($folder:literal: $($file:literal),* $(,)?) => {
        &[$(($file, include_str!(concat!("../../../plugins/", $folder, "/", $file)))),*]
    };
}

// Written out, because cargo then knows what this crate is made of; a test compares them with the folders.
const SDK_RUST: Files = sdk!["sdk-rust":
    "Cargo.toml",
    "src/lib.rs",
    "src/arena.rs",
    "src/date.rs",
    "src/decimal.rs",
    "src/error.rs",
    "src/input.rs",
    "src/money.rs",
    "src/month.rs",
];
const SDK_PYTHON: Files = sdk!["sdk-python":
    "__init__.py",
    "dates.py",
    "decimals.py",
    "errors.py",
    "money.py",
    "months.py",
    "workflow.py",
];
const SDK_TYPESCRIPT: Files = sdk!["sdk-typescript": "index.ts"];
const SDK_GO: Files = sdk!["sdk-go":
    "go.mod",
    "date.go",
    "decimal.go",
    "errors.go",
    "money.go",
    "month.go",
    "workflow.go",
    "wit/wit.go",
];
const SDK_C: Files = sdk!["sdk-c": "backroom.c", "backroom.h", "dates.c", "json.c", "json.h", "money.c"];

/// The contract, which a plugin gets as it was when it was made.
const WIT: Files = sdk!["../wit":
    "world.wit",
    "deps/host/clock.wit",
    "deps/host/config.wit",
    "deps/host/files.wit",
    "deps/host/http.wit",
    "deps/host/log.wit",
    "deps/host/state.wit",
    "deps/hr/benefits.wit",
    "deps/hr/workers.wit",
    "deps/inventory/items.wit",
    "deps/inventory/stock.wit",
    "deps/ledger/accounts.wit",
    "deps/ledger/balances.wit",
    "deps/ledger/bank.wit",
    "deps/ledger/books.wit",
    "deps/ledger/budgets.wit",
    "deps/ledger/chart.wit",
    "deps/ledger/holds.wit",
    "deps/ledger/journal.wit",
    "deps/ledger/open-items.wit",
    "deps/ledger/periods.wit",
    "deps/ledger/rates.wit",
    "deps/ledger/reports.wit",
    "deps/ledger/review.wit",
    "deps/types/types.wit",
];

/// What a language has of its own: template, SDK, the SDK's folder, the contract's folder.
fn files(language: Language) -> (Files, Files, &'static str, &'static str) {
    match language {
        Language::Rust => (RUST, SDK_RUST, "sdk", "sdk/wit"),
        // A folder of that name is a package of that name.
        Language::Python => (PYTHON, SDK_PYTHON, "backroom", "wit"),
        Language::TypeScript => (TYPESCRIPT, SDK_TYPESCRIPT, "sdk", "wit"),
        Language::JavaScript => (JAVASCRIPT, SDK_TYPESCRIPT, "sdk", "wit"),
        Language::Go => (GO, SDK_GO, "sdk", "wit"),
        Language::C => (C, SDK_C, "sdk", "wit"),
    }
}

/// Makes the plugin `name` in the folder `dir`, which must not exist or be empty.
pub fn new(dir: &Path, name: &str, language: Language) -> Result<(), KitError> {
    if !is_name(name) {
        return Err(KitError::BadName(name.to_owned()));
    }
    std::fs::create_dir_all(dir).map_err(KitError::file("make", dir))?;
    let mut present = std::fs::read_dir(dir).map_err(KitError::file("read", dir))?;
    if present.next().is_some() {
        return Err(KitError::NotEmpty(dir.to_path_buf()));
    }
    let (template, sdk, sdk_folder, wit_folder) = files(language);
    for (file, text) in COMMON.iter().chain(template) {
        write(&dir.join(file), &text.replace("{name}", name))?;
    }
    for (folder, files) in [(sdk_folder, sdk), (wit_folder, WIT)] {
        for (file, text) in files {
            write(&dir.join(folder).join(file), text)?;
        }
    }
    // So that an editor knows the contract before the first build. Python's come with it, as they take its toolchain.
    match language {
        Language::Go => go::bind(dir),
        Language::C => c::bind(dir),
        Language::TypeScript | Language::JavaScript => script::declare(dir, &dir.join(wit_folder)),
        Language::Rust | Language::Python => Ok(()),
    }
}

fn write(path: &Path, text: &str) -> Result<(), KitError> {
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir).map_err(KitError::file("make", dir))?;
    }
    std::fs::write(path, text).map_err(KitError::file("write", path))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::PathBuf;

    use super::*;

    fn files_below(dir: &Path, below: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                files_below(&path, below, found);
            } else {
                found.insert(path.strip_prefix(below).unwrap().to_str().unwrap().to_owned());
            }
        }
    }

    #[test]
    fn every_file_of_the_sdks_and_of_the_contract_is_copied() {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
        let rows = [
            ("plugins/sdk-rust", SDK_RUST),
            ("plugins/sdk-python", SDK_PYTHON),
            ("plugins/sdk-typescript", SDK_TYPESCRIPT),
            ("plugins/sdk-go", SDK_GO),
            ("plugins/sdk-c", SDK_C),
            ("wit", WIT),
        ];
        for (folder, list) in rows {
            let mut present = BTreeSet::new();
            files_below(&root.join(folder), &root.join(folder), &mut present);
            present.remove("READY");
            // For those who publish the SDK; a plugin has a copy.
            for published in ["pyproject.toml", "package.json", "README.md"] {
                present.remove(published);
            }
            let copied: BTreeSet<String> = list.iter().map(|(file, _)| (*file).to_owned()).collect();
            assert_eq!(copied, present, "add to scaffold.rs what is missing on the left of {folder}");
        }
    }

    #[test]
    fn a_plugin_is_made_once_and_under_a_good_name() {
        for language in Language::all() {
            let dir = tempfile::tempdir().unwrap();
            let plugin = dir.path().join("pay-run");
            assert!(matches!(new(&plugin, "Pay Run", language), Err(KitError::BadName(_))));
            assert!(!plugin.exists());
            new(&plugin, "pay-run", language).unwrap();
            let manifest = std::fs::read_to_string(plugin.join("plugin.toml")).unwrap();
            assert_eq!(crate::Manifest::parse(&manifest, "plugin.toml").unwrap().name, "pay-run");
            assert!(plugin.join(files(language).3).join("deps/ledger/journal.wit").is_file());
            assert!(plugin.join("README.md").is_file());
            assert_eq!(Language::of(&plugin).unwrap(), language);
            assert!(matches!(new(&plugin, "pay-run", language), Err(KitError::NotEmpty(_))));
        }
    }
}
