//! What can go wrong for a plugin author. Every message says what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why a plugin was not made, not built, or no compiler was found for it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KitError {
    /// A file or folder could not be read, written or locked.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// The verb: what was being done.
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// There is no `plugin.toml` where the plugin was said to be.
    #[error("no plugin.toml in {}: name a plugin's folder, or make one with `backroom plugin new NAME`", .0.display())]
    NoManifest(PathBuf),

    /// `plugin.toml` is not as it should be; the text names line and column.
    #[error("{file}: {text}")]
    Manifest {
        /// The file, as the author knows it.
        file: String,
        /// What is wrong, with the line shown.
        text: String,
    },

    /// The folder's `Cargo.toml` does not describe a guest.
    #[error("{}: {what}", path.display())]
    NotAGuest {
        /// The `Cargo.toml`.
        path: PathBuf,
        /// What to change in it.
        what: &'static str,
    },

    /// A program could not be started.
    #[error("cannot start {program}: {source}; is it installed and in PATH?")]
    Start {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },

    /// cargo refused the project before anything was compiled.
    #[error("cargo cannot read the project:\n{stderr}")]
    Project {
        /// What cargo wrote.
        stderr: String,
    },

    /// The guest does not compile.
    #[error("{name} does not compile:\n{stderr}")]
    Compile {
        /// The plugin's name.
        name: String,
        /// What the compiler wrote; of very long output the end.
        stderr: String,
    },

    /// The plugin does not get as far as being ready, when that is tried as it is built.
    #[error("its initialisation fails. It is done when the plugin is built, where there is no service yet:\n{0}")]
    Initialise(String),

    /// cargo succeeded and yet did not say where the module is.
    #[error("cargo built {0} without naming a .wasm file: set crate-type = [\"cdylib\"] under [lib] in Cargo.toml")]
    NoModule(String),

    /// No compiler for the target, and none could be installed.
    #[error(
        "no Rust compiler for {target} here.{}\nDo one of these, then run the command again:\n  \
         rustup target add {target}\n  apt-get install {packages}   (Debian, as root)",
        tried(attempts)
    )]
    NoToolchain {
        /// The target.
        target: &'static str,
        /// The Debian packages that would do.
        packages: String,
        /// What was tried, and how each attempt ended.
        attempts: Vec<String>,
    },

    /// The core module cannot be made into a component.
    #[error(
        "the module is no component of the `workflow` world: {0}; does it export one with `workflow!`, and does it use no system interface?"
    )]
    Componentise(String),

    /// The component's binary cannot be read.
    #[error("not a readable component: {0}; build it again")]
    Malformed(String),

    /// The component imports what the service does not offer.
    #[error(
        "imports that Backroom does not offer: {}; only backroom:* may be imported. Remove the dependency that needs them",
        .0.join(", ")
    )]
    ForeignImports(Vec<String>),

    /// The component imports what the plugin does not want, so every call of it would be denied.
    #[error(
        "it imports {}, and plugin.toml wants nothing of it: say which right it needs and why below [[wants]], or do without",
        .0.join(", ")
    )]
    NotWanted(Vec<String>),

    /// The component has a `plugin.toml` already.
    #[error("the component carries a plugin.toml already: take the one that its compiler made")]
    HasManifest,

    /// The component is larger than the service takes.
    #[error("the component has {size} bytes, the limit is {limit}: leave out what it does not need")]
    TooLarge {
        /// Its bytes.
        size: usize,
        /// The limit.
        limit: usize,
    },

    /// The folder shows no language.
    #[error("{} has none of the files that a plugin begins in: {files}", dir.display())]
    NoLanguage {
        /// The folder.
        dir: PathBuf,
        /// The files that were looked for.
        files: String,
    },

    /// A toolchain is not here and could not be installed.
    #[error(
        "{name} is not in {}, and could not be put there: {why}.\nIt takes python3 with venv (Debian: python3-venv) or npm, and a way to \
         PyPI or npm the first time; later builds need no network",
        dir.display()
    )]
    NoTool {
        /// The packages.
        name: String,
        /// Where they would be.
        dir: PathBuf,
        /// How the attempt ended.
        why: String,
    },

    /// The plugin's copy of the contract cannot be read.
    #[error("the contract in {} cannot be read: {error}", dir.display())]
    Contract {
        /// Where.
        dir: PathBuf,
        /// What is wrong with it.
        error: String,
    },

    /// No bindings for the contract in this language.
    #[error("no bindings can be made of the contract: {0}")]
    Bindings(String),

    /// A plugin's name is not usable.
    #[error(
        "{0:?} cannot be a plugin's name: use 1 to 64 lower-case letters, digits and single hyphens, first a letter"
    )]
    BadName(String),

    /// Something is already where the new plugin should go.
    #[error("{} is not empty: name a new folder", .0.display())]
    NotEmpty(PathBuf),

    /// Neither a cache folder nor a home is known.
    #[error("no place for compiled files: set BACKROOM_WASM_TARGET_DIR to a folder")]
    NoCacheDir,
}

impl KitError {
    /// For `map_err` on file operations.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { action, path: path.to_path_buf(), source }
    }
}

fn tried(attempts: &[String]) -> String {
    attempts.iter().map(|attempt| format!("\n  tried {attempt}")).collect()
}
