//! What the kit knows of the machine: its variables and its folders. Everything that depends on
//! the surroundings asks here, so that a test can build a machine of its own.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::KitError;

/// Of the variables that steer cargo, rustc and rustup, the ones that say where things are or how
/// to reach them. The others change what is built, often because an outer `cargo run` or
/// `cargo test` set them for itself, and are kept from the guest's compiler.
const KEPT: [&str; 13] = [
    "CARGO_HOME",
    "CARGO_HTTP_",
    "CARGO_NET_",
    "CARGO_REGISTRIES_",
    "CARGO_REGISTRY_",
    "CARGO_SOURCE_",
    "CARGO_TERM_",
    "RUSTUP_AUTO_INSTALL",
    "RUSTUP_DIST_",
    "RUSTUP_HOME",
    "RUSTUP_UPDATE_ROOT",
    "RUST_BACKTRACE",
    "RUST_MIN_STACK",
];

/// Variables that do not begin with `CARGO` or `RUST` and still change what is built.
const DROPPED: [&str; 20] = [
    "CC",
    "CFLAGS",
    "C_INCLUDE_PATH",
    "CPATH",
    "DEBUG",
    "ESBUILD_BINARY_PATH",
    "GO111MODULE",
    "GOEXPERIMENT",
    "HOST",
    "LIBRARY_PATH",
    "MAKEFLAGS",
    "NODE_OPTIONS",
    "NODE_PATH",
    "NUM_JOBS",
    "OPT_LEVEL",
    "OUT_DIR",
    "PROFILE",
    "RUSTC",
    "TARGET",
    "VIRTUAL_ENV",
];

/// Where to look, and the variables that programs are started with.
#[derive(Debug, Clone)]
pub struct Machine {
    env: BTreeMap<OsString, OsString>,
    debian: PathBuf,
}

impl Machine {
    /// The machine as it is: the variables of this process, Debian's packages below `/usr`.
    pub fn current() -> Self {
        Self::with_env(std::env::vars_os())
    }

    /// A machine with these variables. Tests put their own programs into its `PATH`.
    pub fn with_env(env: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self { env: env.into_iter().collect(), debian: PathBuf::from("/usr") }
    }

    /// The same machine with one variable set.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// The same machine with Debian's packages elsewhere. Tests need it, users do not.
    #[must_use]
    pub fn debian_at(mut self, prefix: impl Into<PathBuf>) -> Self {
        self.debian = prefix.into();
        self
    }

    /// The folder below which Debian's packages put their files.
    pub(crate) fn debian(&self) -> &Path {
        &self.debian
    }

    /// A variable that is set and not empty.
    fn var(&self, name: &str) -> Option<&OsStr> {
        self.env.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// A program that sees this machine's variables, less those that would change a build.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear();
        command.envs(self.env.iter().filter(|(name, _)| self.passes(name)));
        command
    }

    fn passes(&self, name: &OsStr) -> bool {
        let Some(name) = name.to_str() else {
            return true;
        };
        if name.starts_with("CARGO") || name.starts_with("RUST") {
            return KEPT.iter().any(|kept| name.starts_with(kept));
        }
        // Where Python finds other modules than its own, and what it writes.
        if name.starts_with("PYTHON") {
            return false;
        }
        // cargo points the loader at its own compiler's libraries; another compiler must not see them.
        let under_cargo = self.var("CARGO").is_some();
        let loader = matches!(name, "LD_LIBRARY_PATH" | "DYLD_FALLBACK_LIBRARY_PATH");
        !(DROPPED.contains(&name) || (loader && under_cargo))
    }

    /// Where this user's compiled files and locks go.
    pub(crate) fn cache_dir(&self) -> Result<PathBuf, KitError> {
        let base = match (self.var("XDG_CACHE_HOME"), self.var("HOME")) {
            (Some(dir), _) => PathBuf::from(dir),
            (None, Some(home)) => Path::new(home).join(".cache"),
            (None, None) => return Err(KitError::NoCacheDir),
        };
        Ok(base.join("backroom"))
    }

    /// The target directory that all guests share, so that the standard library is compiled once
    /// and not for every plugin.
    pub fn wasm_target_dir(&self) -> Result<PathBuf, KitError> {
        let dir = if let Some(dir) = self.var("BACKROOM_WASM_TARGET_DIR") {
            PathBuf::from(dir)
        } else if let Some(dir) = self.var("CARGO_TARGET_DIR") {
            Path::new(dir).join("wasm-guests")
        } else {
            self.cache_dir()?.join("wasm-target")
        };
        std::path::absolute(&dir).map_err(KitError::file("find", &dir))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(vars: &[(&str, &str)]) -> Machine {
        Machine::with_env(vars.iter().map(|(k, v)| (OsString::from(k), OsString::from(v))))
    }

    fn seen(machine: &Machine) -> Vec<String> {
        let command = machine.command("true");
        let name = |(name, _): (&OsStr, _)| name.to_string_lossy().into_owned();
        command.get_envs().map(name).collect()
    }

    #[test]
    fn what_an_outer_cargo_sets_does_not_reach_the_guest() {
        let outer = machine(&[
            ("PATH", "/bin"),
            ("HOME", "/home/a"),
            ("CARGO", "/x/cargo"),
            ("CARGO_HOME", "/x"),
            ("CARGO_HTTP_PROXY", "p"),
            ("CARGO_BUILD_TARGET", "t"),
            ("CARGO_ENCODED_RUSTFLAGS", "f"),
            ("CARGO_MANIFEST_DIR", "/y"),
            ("CARGO_PROFILE_RELEASE_LTO", "false"),
            ("CARGO_TARGET_DIR", "/z"),
            ("LD_LIBRARY_PATH", "/x/lib"),
            ("MAKEFLAGS", "-j"),
            ("RUSTC", "rustc"),
            ("RUSTC_WRAPPER", "sccache"),
            ("RUSTFLAGS", "-g"),
            ("RUSTUP_TOOLCHAIN", "nightly"),
        ]);
        assert_eq!(seen(&outer), ["CARGO_HOME", "CARGO_HTTP_PROXY", "HOME", "PATH"]);
    }

    #[test]
    fn the_users_own_loader_path_stays() {
        let plain = machine(&[("LD_LIBRARY_PATH", "/opt/lib")]);
        assert_eq!(seen(&plain), ["LD_LIBRARY_PATH"]);
    }

    #[test]
    fn the_target_dir_is_the_nearest_that_is_named() {
        let row = |vars: &[(&str, &str)]| machine(vars).wasm_target_dir().unwrap();
        let home = ("HOME", "/h");
        assert_eq!(row(&[home]), Path::new("/h/.cache/backroom/wasm-target"));
        let cache = ("XDG_CACHE_HOME", "/c");
        assert_eq!(row(&[home, cache]), Path::new("/c/backroom/wasm-target"));
        let cargo = ("CARGO_TARGET_DIR", "/t");
        assert_eq!(row(&[home, cache, cargo]), Path::new("/t/wasm-guests"));
        let own = ("BACKROOM_WASM_TARGET_DIR", "/w");
        assert_eq!(row(&[home, cache, cargo, own]), Path::new("/w"));
        let empty = ("BACKROOM_WASM_TARGET_DIR", "");
        assert_eq!(row(&[cargo, empty]), Path::new("/t/wasm-guests"));
        assert!(matches!(machine(&[]).wasm_target_dir(), Err(KitError::NoCacheDir)));
    }
}
