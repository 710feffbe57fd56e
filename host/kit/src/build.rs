//! Builds the plugin in a folder into the artifact that is signed and installed.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

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

impl Options {
    /// The whole path of the target directory.
    pub(crate) fn target_dir(&self) -> Result<PathBuf, KitError> {
        match &self.target_dir {
            Some(dir) => std::path::absolute(dir).map_err(KitError::file("find", dir)),
            None => self.machine.wasm_target_dir(),
        }
    }
}

/// A plugin that was built.
#[derive(Debug, Clone, PartialEq)]
pub struct Built {
    /// What its `plugin.toml` says.
    pub manifest: Manifest,
    /// What it is written in.
    pub language: Language,
    /// The file it was written to: `<name>-<version>.component.wasm` in a folder of the plugin's own below the target directory.
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
/// Builds of one plugin take turns, also those of other processes; so do all of plugins in Rust in one target directory, which they share.
pub fn build(dir: &Path, options: &Options, progress: &mut dyn Progress) -> Result<Built, KitError> {
    let (manifest, text) = Manifest::read(dir)?;
    // One folder, one name, so that cargo recognises what it compiled before.
    let dir = std::fs::canonicalize(dir).map_err(KitError::file("find", dir))?;
    let target_dir = options.target_dir()?;
    let language = Language::of(&dir)?;
    let place = Place::of(&dir, language, &manifest, &target_dir);
    let lock = place.lock(progress)?;
    let component = compile(&dir, language, &manifest, &place, options, progress)?;
    let bytes = attach(component, &text)?;
    let file = format!("{}-{}.component.wasm", manifest.name, manifest.version);
    std::fs::create_dir_all(&place.own).map_err(KitError::file("make", &place.own))?;
    let path = place.own.join(file);
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

/// Where a build puts what it makes.
pub(crate) struct Place {
    /// A folder in the target directory that belongs to the plugin's folder: two plugins may have one name and version.
    own: PathBuf,
    /// For what lies between source and component: the plugin's own folder; for Rust the target directory.
    pub(crate) home: PathBuf,
    /// Said by whoever has to wait.
    waiting: String,
}

impl Place {
    /// For the plugin in `dir`.
    pub(crate) fn of(dir: &Path, language: Language, manifest: &Manifest, target_dir: &Path) -> Self {
        let digest = blake3::hash(dir.as_os_str().as_encoded_bytes()).to_hex();
        let folder = format!("{}-{}", manifest.name, digest.get(..16).unwrap_or_default());
        let own = target_dir.join("plugins").join(folder);
        if language == Language::Rust {
            // A target directory for each plugin would compile all dependencies for each, and the standard library where the compiler has
            // none for the target: minutes, to save who builds two at a time some seconds. And until the module is read, another plugin
            // whose package has the same name could replace it.
            let waiting = "waiting for another build of a plugin in Rust: they share what they compile".to_owned();
            return Self { own, home: target_dir.to_path_buf(), waiting };
        }
        let waiting = format!("waiting for another build of {}", manifest.name);
        Self { home: own.clone(), own, waiting }
    }

    /// Waits for its turn.
    pub(crate) fn lock(&self, progress: &mut dyn Progress) -> Result<Lock, KitError> {
        Lock::take(&self.home, "backroom-build.lock", &self.waiting, progress)
    }
}

fn compile(
    dir: &Path,
    language: Language,
    manifest: &Manifest,
    place: &Place,
    options: &Options,
    progress: &mut dyn Progress,
) -> Result<Vec<u8>, KitError> {
    let work = place.home.join("between");
    match language {
        Language::Rust => {
            let module = guest::compile(dir, &manifest.name, &place.home, guest::RELEASE, options, progress)?;
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
    // Two that build the same at the same time do not write the same file.
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let fresh = path.with_extension(format!("{}-{number}.new", std::process::id()));
    std::fs::write(&fresh, bytes).and_then(|()| std::fs::rename(&fresh, path)).map_err(KitError::file("write", path))
}
