//! What cargo knows of a guest's project, and whose files are in the shared target directory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::build::Options;
use crate::guest::Profile;
use crate::machine::Machine;
use crate::run::{no_step, run};
use crate::{KitError, Progress, TARGET, Toolchain};

/// Which project each package in the target directory was last compiled for, by profile.
const OWNERS: &str = "backroom-owners.json";

/// A guest's project: its workspace, or the package alone.
#[derive(Debug, Deserialize)]
pub(crate) struct Project {
    workspace_root: PathBuf,
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
}

impl Project {
    /// Asks cargo about the project that the plugin in `dir` is part of. Nothing is downloaded.
    pub(crate) fn read(
        toolchain: &Toolchain,
        machine: &Machine,
        dir: &Path,
        progress: &mut dyn Progress,
    ) -> Result<Self, KitError> {
        let mut cargo = toolchain.cargo(machine, dir);
        cargo.args(["metadata", "--no-deps", "--offline", "--format-version=1"]);
        let output = run(&mut cargo, no_step, progress)?;
        if !output.status.success() {
            return Err(KitError::Project { stderr: output.stderr });
        }
        serde_json::from_str(&output.stdout).map_err(|error| KitError::Project { stderr: error.to_string() })
    }

    /// What every command that looks at dependencies gets: a lock file is obeyed and not rewritten.
    pub(crate) fn arguments(&self, offline: bool) -> Vec<&'static str> {
        let locked = self.workspace_root.join("Cargo.lock").is_file();
        let chosen = [(locked, "--locked"), (offline, "--offline")];
        chosen.into_iter().filter_map(|(yes, argument)| yes.then_some(argument)).collect()
    }

    /// Makes sure that nothing in `target_dir` is taken for this project's that is another's.
    ///
    /// cargo knows the packages of a workspace by their place in it, and compares times, not contents. So a package that
    /// has the same name in another folder (a copy, another working tree) would pass for compiled, and be delivered.
    pub(crate) fn claim(
        &self,
        toolchain: &Toolchain,
        options: &Options,
        dir: &Path,
        target_dir: &Path,
        profile: Profile,
        progress: &mut dyn Progress,
    ) -> Result<(), KitError> {
        let path = target_dir.join(OWNERS);
        // A list that cannot be read is no list: everything is compiled anew.
        let mut owners: BTreeMap<String, PathBuf> =
            std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        let mut clean = toolchain.cargo(&options.machine, dir);
        clean.args(["clean", "--target", TARGET]).args(profile.arguments()).args(self.arguments(options.offline));
        clean.arg("--target-dir").arg(target_dir);
        let mut strange = false;
        for package in &self.packages {
            let compiled = profile.owned(&package.name);
            if owners.get(&compiled) != Some(&self.workspace_root) {
                strange = true;
                clean.args(["--package", &package.name]);
                owners.insert(compiled, self.workspace_root.clone());
            }
        }
        if !strange {
            return Ok(());
        }
        let output = run(&mut clean, no_step, progress)?;
        if !output.status.success() {
            return Err(KitError::Project { stderr: output.stderr });
        }
        let text = serde_json::to_vec_pretty(&owners).map_err(|error| KitError::file("write", &path)(error.into()))?;
        std::fs::write(&path, text).map_err(KitError::file("write", &path))
    }
}
