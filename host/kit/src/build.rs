//! Builds the plugin in a folder into the artifact that is signed and installed.

use std::path::{Path, PathBuf};

use crate::component::{attach, encode, imports};
use crate::lock::Lock;
use crate::machine::Machine;
use crate::{KitError, Language, Manifest, Progress, c, go, guest, python, script};

/// How to build. [`Options::default`] is right but for tests and machines without a network.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the build takes place.
    pub machine: Machine,
    /// The target directory; the machine's shared one if there is none here.
    pub target_dir: Option<PathBuf>,
    /// Whether a missing toolchain may be installed.
    pub install: bool,
    /// Whether every toolchain has to do with what is on this machine already.
    pub offline: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { machine: Machine::current(), target_dir: None, install: true, offline: false }
    }
}

/// A plugin that was built.
#[derive(Debug, Clone, PartialEq)]
pub struct Built {
    /// What its `plugin.toml` says.
    pub manifest: Manifest,
    /// What it is written in.
    pub language: Language,
    /// The file it was written to: `<target directory>/<name>-<version>.component.wasm`.
    pub path: PathBuf,
    /// The component.
    pub bytes: Vec<u8>,
    /// The release's name: the BLAKE3 digest of the bytes, in hexadecimal.
    pub digest: String,
    /// The number of bytes.
    pub size: u64,
    /// What it imports: `backroom:*`, and `wasi:*` if it wants to observe.
    pub imports: Vec<String>,
}

/// Builds the plugin in `dir`. The same source gives the same bytes, in whatever folder it lies.
///
/// Builds into one target directory take turns, also those of other processes.
pub fn build(dir: &Path, options: &Options, progress: &mut dyn Progress) -> Result<Built, KitError> {
    let (manifest, text) = Manifest::read(dir)?;
    // One folder, one name, so that cargo recognises what it compiled before.
    let dir = std::fs::canonicalize(dir).map_err(KitError::file("find", dir))?;
    let target_dir = match &options.target_dir {
        Some(dir) => std::path::absolute(dir).map_err(KitError::file("find", dir))?,
        None => options.machine.wasm_target_dir()?,
    };
    let language = Language::of(&dir)?;
    // Until the module is read, another plugin whose package has the same name could replace it.
    let waiting = "waiting for another build";
    let lock = Lock::take(&target_dir, "backroom-build.lock", waiting, progress)?;
    let component = compile(&dir, language, &manifest, &target_dir, options, progress)?;
    let bytes = attach(component, &text)?;
    let file = format!("{}-{}.component.wasm", manifest.name, manifest.version);
    let path = target_dir.join(file);
    write(&path, &bytes)?;
    drop(lock);
    Ok(Built {
        digest: blake3::hash(&bytes).to_hex().to_string(),
        size: bytes.len() as u64,
        imports: imports(&bytes)?,
        manifest,
        language,
        path,
        bytes,
    })
}

fn compile(
    dir: &Path,
    language: Language,
    manifest: &Manifest,
    target_dir: &Path,
    options: &Options,
    progress: &mut dyn Progress,
) -> Result<Vec<u8>, KitError> {
    let work = target_dir.join("work");
    match language {
        Language::Rust => {
            let module = guest::compile(dir, &manifest.name, target_dir, options, progress)?;
            encode(&std::fs::read(&module).map_err(KitError::file("read", &module))?, false)
        }
        Language::Python => python::compile(dir, manifest, &work, options, progress),
        Language::TypeScript | Language::JavaScript => script::compile(dir, manifest, &work, options, progress),
        Language::Go => go::compile(dir, manifest, &work, options, progress),
        Language::C => c::compile(dir, manifest, &work, options, progress),
    }
}

/// Puts `dir/plugin.toml`, or the file itself, into a component that was made by other means, and writes it to `to`. The component's digest.
pub fn pack(component: &Path, manifest: &Path, to: &Path) -> Result<String, KitError> {
    let manifest = if manifest.is_dir() { manifest.join("plugin.toml") } else { manifest.to_path_buf() };
    let text = std::fs::read_to_string(&manifest).map_err(KitError::file("read", &manifest))?;
    let bytes = std::fs::read(component).map_err(KitError::file("read", component))?;
    let bytes = attach(bytes, &text)?;
    write(to, &bytes)?;
    Ok(blake3::hash(&bytes).to_hex().to_string())
}

/// Whoever reads the file sees the old bytes or the new ones, never a part.
fn write(path: &Path, bytes: &[u8]) -> Result<(), KitError> {
    let fresh = path.with_extension("new");
    std::fs::write(&fresh, bytes).and_then(|()| std::fs::rename(&fresh, path)).map_err(KitError::file("write", path))
}
