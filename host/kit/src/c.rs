//! C: the plugin, its SDK and the bindings, compiled by the Clang and against the musl that Zig ships.

use std::path::{Path, PathBuf};

use crate::build::Options;
use crate::run::{no_step, run};
use crate::tools::{ZIG, site_packages};
use crate::wit::Contract;
use crate::{KitError, Manifest, Progress, component, sources};

/// Overflow stops the program instead of wrapping around, floats are not used, and the stack is of 64 KiB: by default Zig makes it 16 MiB,
/// which every run would have to be given.
const FLAGS: [&str; 12] = [
    "-target",
    "wasm32-wasi",
    "-mexec-model=reactor",
    "-std=c17",
    "-Os",
    "-s",
    "-Wall",
    "-Wextra",
    "-ffile-prefix-map=.=",
    "-Wl,--no-entry",
    "-Wl,-z,stack-size=65536",
    "-Wno-unused-parameter",
];

/// Makes the component of the plugin in `dir`; `work` is a folder for what lies between.
pub(crate) fn compile(
    dir: &Path,
    manifest: &Manifest,
    work: &Path,
    options: &Options,
    progress: &mut dyn Progress,
) -> Result<Vec<u8>, KitError> {
    let packages = site_packages(&ZIG.find(options, progress)?)?;
    bind(dir)?;
    sources::empty(work)?;
    let caches = options.machine.cache_dir()?.join("zig");
    progress.step(&format!("compiling {} with Zig's Clang", manifest.name));
    let mut zig = options.machine.command(packages.join("ziglang/zig"));
    zig.current_dir(dir).env("ZIG_GLOBAL_CACHE_DIR", &caches).env("ZIG_LOCAL_CACHE_DIR", &caches);
    zig.arg("cc").args(FLAGS).args(["-I", ".", "-I", "sdk", "-I", "bindings"]);
    for folder in [".", "sdk", "bindings"] {
        zig.args(in_folder(dir, folder)?);
    }
    let core = work.join("core.wasm");
    let output = run(zig.arg("-o").arg(&core), no_step, progress)?;
    if !output.status.success() {
        return Err(KitError::Compile { name: manifest.name.clone(), stderr: output.stderr });
    }
    let core = std::fs::read(&core).map_err(KitError::file("read", &core))?;
    component::encode(&core, true)
}

/// Writes the bindings, for the compiler and the editor.
pub(crate) fn bind(dir: &Path) -> Result<(), KitError> {
    sources::write(&dir.join("bindings"), &Contract::read(&dir.join("wit"))?.c()?)
}

/// The sources and objects of a folder by name, so that the linker always gets them in the same order.
fn in_folder(dir: &Path, folder: &str) -> Result<Vec<PathBuf>, KitError> {
    let path = dir.join(folder);
    let entries = std::fs::read_dir(&path).map_err(KitError::file("read", &path))?;
    let compiled = |name: &PathBuf| name.extension().is_some_and(|ending| ending == "c" || ending == "o");
    let mut found: Vec<PathBuf> =
        entries.flatten().map(|entry| Path::new(folder).join(entry.file_name())).filter(compiled).collect();
    found.sort();
    Ok(found)
}
