//! Makes a new plugin: a workflow that builds as it is, and a copy of the SDK, so that it builds anywhere.

use std::path::Path;

use crate::KitError;
use crate::manifest::is_name;

/// The plugin's own files; `{name}` in them becomes its name.
const TEMPLATE: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("../template/Cargo.toml.in")),
    ("plugin.toml", include_str!("../template/plugin.toml.in")),
    ("installation.toml", include_str!("../template/installation.toml.in")),
    ("src/lib.rs", include_str!("../template/lib.rs.in")),
    ("README.md", include_str!("../template/README.md.in")),
    (".gitignore", include_str!("../template/gitignore.in")),
];

/// A file of the SDK, which a plugin gets as it is.
macro_rules! sdk {
    ($($file:literal),* $(,)?) => {
        &[$(($file, include_str!(concat!("../../../plugins/sdk-rust/", $file)))),*]
    };
}

/// The SDK. Written out, because cargo then knows what this crate is made of; a test compares it with the folder.
const SDK: &[(&str, &str)] = sdk![
    "Cargo.toml",
    "src/lib.rs",
    "src/arena.rs",
    "src/date.rs",
    "src/error.rs",
    "src/money.rs",
    "wit/world.wit",
    "wit/deps/host/clock.wit",
    "wit/deps/host/config.wit",
    "wit/deps/host/files.wit",
    "wit/deps/host/http.wit",
    "wit/deps/host/log.wit",
    "wit/deps/host/state.wit",
    "wit/deps/hr/benefits.wit",
    "wit/deps/hr/workers.wit",
    "wit/deps/inventory/items.wit",
    "wit/deps/inventory/stock.wit",
    "wit/deps/ledger/accounts.wit",
    "wit/deps/ledger/balances.wit",
    "wit/deps/ledger/journal.wit",
    "wit/deps/ledger/reports.wit",
    "wit/deps/types/types.wit",
];

/// Makes the plugin `name` in the folder `dir`, which must not exist or be empty.
pub fn new(dir: &Path, name: &str) -> Result<(), KitError> {
    if !is_name(name) {
        return Err(KitError::BadName(name.to_owned()));
    }
    std::fs::create_dir_all(dir).map_err(KitError::file("make", dir))?;
    let mut present = std::fs::read_dir(dir).map_err(KitError::file("read", dir))?;
    if present.next().is_some() {
        return Err(KitError::NotEmpty(dir.to_path_buf()));
    }
    for (file, text) in TEMPLATE {
        write(&dir.join(file), &text.replace("{name}", name))?;
    }
    for (file, text) in SDK {
        write(&dir.join("sdk").join(file), text)?;
    }
    Ok(())
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

    fn files(dir: &Path, below: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, below, found);
            } else {
                found.insert(path.strip_prefix(below).unwrap().to_str().unwrap().to_owned());
            }
        }
    }

    #[test]
    fn every_file_of_the_sdk_is_copied() {
        let sdk = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../plugins/sdk-rust");
        let mut present = BTreeSet::new();
        files(&sdk, &sdk, &mut present);
        present.remove("wit/READY");
        let copied: BTreeSet<String> = SDK.iter().map(|(file, _)| (*file).to_owned()).collect();
        assert_eq!(copied, present, "add to SDK in scaffold.rs what is missing on the left");
    }

    #[test]
    fn a_plugin_is_made_once_and_under_a_good_name() {
        let dir = tempfile::tempdir().unwrap();
        let plugin = dir.path().join("pay-run");
        assert!(matches!(new(&plugin, "Pay Run"), Err(KitError::BadName(_))));
        assert!(!plugin.exists());
        new(&plugin, "pay-run").unwrap();
        let manifest = std::fs::read_to_string(plugin.join("plugin.toml")).unwrap();
        assert_eq!(crate::Manifest::parse(&manifest, "plugin.toml").unwrap().name, "pay-run");
        assert!(plugin.join("sdk/wit/deps/ledger/journal.wit").is_file());
        assert!(matches!(new(&plugin, "pay-run"), Err(KitError::NotEmpty(_))));
    }
}
