//! Finds the project's own files, which the demo runs on.

use std::path::{Path, PathBuf};

use crate::exit::{Failure, Result};

/// Where this program was compiled from; there when it is run by cargo.
const COMPILED_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The files of the main job.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    /// The client's files and the installation file.
    pub(crate) example: PathBuf,
    /// The source of the plugin.
    pub(crate) plugin: PathBuf,
}

impl Files {
    /// Looks from the current directory upwards, then where this program was compiled.
    pub(crate) fn find() -> Result<Self> {
        let here = std::env::current_dir().unwrap_or_default();
        let roots = here.ancestors().chain([Path::new(COMPILED_IN)]);
        for root in roots {
            let files =
                Self { example: root.join("examples/remote-allowance"), plugin: root.join("plugins/remote-allowance") };
            if files.example.join("installation.toml").is_file() && files.plugin.join("plugin.toml").is_file() {
                let short = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
                return Ok(Self { example: short(&files.example), plugin: short(&files.plugin) });
            }
        }
        Err(Failure::usage(format!(
            "the demo needs the project's files, examples/remote-allowance and plugins/remote-allowance: they are not in {} nor \
             in a folder above it. Run it in a clone of the project",
            here.display()
        )))
    }
}
