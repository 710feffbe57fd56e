//! Each way to a compiler, on machines made of shell scripts.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use backroom_kit::{KitError, Machine, Progress, Toolchain};

/// A machine whose programs are scripts that write down how they were called.
struct Fake {
    dir: tempfile::TempDir,
}

#[derive(Default)]
struct Steps(Vec<String>);
impl Progress for Steps {
    fn step(&mut self, text: &str) {
        self.0.push(text.to_owned());
    }
}

impl Fake {
    fn new() -> Self {
        let fake = Self { dir: tempfile::tempdir().unwrap() };
        std::fs::create_dir(fake.path("bin")).unwrap();
        fake
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Adds a program; `$DIR` is the machine's folder.
    fn program(self, name: &str, script: &str) -> Self {
        let path = self.path("bin").join(name);
        let dir = self.dir.path().display();
        let text =
            format!("#!/bin/sh\nDIR={dir}\necho \"{name} $*\" >> \"$DIR/calls\"\nPATH=/usr/bin:/bin\n{script}\n");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    /// rustc that knows where the target's library would be.
    fn rustc(self) -> Self {
        self.program("rustc", "echo \"$DIR/target\"")
    }

    /// apt that has the packages. Whoever is not root comes to it through sudo.
    fn apt(self) -> Self {
        let install = "case \"$*\" in *install*) sleep 0.3; mkdir -p \"$DIR/debian/bin\" \"$DIR/debian/lib/rustlib/src/rust/library\"
            touch \"$DIR/debian/bin/rustc\" \"$DIR/debian/bin/cargo\" \"$DIR/debian/bin/wasm-ld-22\";; esac";
        let sudo = "shift 3; exec \"$DIR/bin/apt-get\" \"$@\"";
        self.program("apt-get", install).program("sudo", sudo)
    }

    fn machine(&self) -> Machine {
        let vars = [("PATH", self.path("bin")), ("HOME", self.path("home"))];
        Machine::with_env(vars.map(|(name, value)| (OsString::from(name), value.into_os_string())))
            .debian_at(self.path("debian"))
    }

    fn find(&self, install: bool) -> (Result<Toolchain, KitError>, Vec<String>) {
        let mut steps = Steps::default();
        let found = Toolchain::find(&self.machine(), Path::new("/"), install, &mut steps);
        (found, steps.0)
    }

    /// How the programs were called, without sudo's part.
    fn calls(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path("calls")).unwrap_or_default();
        text.lines().filter(|line| !line.starts_with("sudo ")).map(str::to_owned).collect()
    }

    fn debian(&self) -> Toolchain {
        // The variant is not to be made elsewhere; two finds of the same place are equal.
        self.find(false).0.unwrap()
    }
}

#[test]
fn a_compiler_with_the_target_is_taken_as_it_is() {
    let fake = Fake::new().rustc().program("rustup", "exit 1").apt();
    std::fs::create_dir(fake.path("target")).unwrap();
    let (found, steps) = fake.find(true);
    assert_eq!(found.unwrap(), Toolchain::Active);
    assert!(steps.is_empty());
    assert_eq!(fake.calls(), ["rustc --print target-libdir --target wasm32-unknown-unknown"]);
}

#[test]
fn rustup_adds_the_target() {
    let fake = Fake::new().rustc().program("rustup", "mkdir \"$DIR/target\"").apt();
    let (found, steps) = fake.find(true);
    assert_eq!(found.unwrap(), Toolchain::Active);
    assert_eq!(steps, ["rustup target add wasm32-unknown-unknown"]);
    assert!(!fake.calls().iter().any(|call| call.starts_with("apt-get")));
}

#[test]
fn without_rustups_server_debian_helps() {
    let fake = Fake::new().rustc().program("rustup", "echo 'error: no network' >&2; exit 1").apt();
    let (found, steps) = fake.find(true);
    assert_eq!(found.unwrap().describe(), "Debian's Rust compiler");
    assert!(steps[2].starts_with("apt-get install rustc-web cargo-web rust-web-src lld-22"), "{steps:?}");
    let calls = fake.calls();
    let apt: Vec<&String> = calls.iter().filter(|call| call.starts_with("apt-get")).collect();
    assert!(apt[0].ends_with("update") && apt[1].contains("--no-remove"), "{apt:?}");
    assert_eq!(apt.len(), 2);
}

#[test]
fn what_debian_has_installed_comes_before_any_download() {
    let fake = Fake::new().rustc().program("rustup", "exit 1").apt();
    fake.find(true).0.unwrap();
    std::fs::remove_file(fake.path("calls")).unwrap();
    let (found, steps) = fake.find(true);
    assert_eq!(found.unwrap(), fake.debian());
    assert!(steps.is_empty());
    assert!(fake.calls().iter().all(|call| call.starts_with("rustc")));
}

#[test]
fn the_error_says_what_was_tried_and_what_to_do() {
    let fake = Fake::new()
        .rustc()
        .program("rustup", "echo 'error: no network' >&2; exit 1")
        .program("apt-get", "echo 'E: Unable to locate package rustc-web' >&2; echo bye >&2; exit 100")
        .program("sudo", "shift 3; exec \"$DIR/bin/apt-get\" \"$@\"");
    let text = fake.find(true).0.unwrap_err().to_string();
    for part in [
        "tried rustup target add wasm32-unknown-unknown: error: no network",
        "E: Unable to locate package rustc-web",
        "\n  rustup target add wasm32-unknown-unknown\n",
        "apt-get install rustc-web cargo-web rust-web-src lld-22",
    ] {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

#[test]
fn a_success_that_did_not_help_is_no_success() {
    let fake = Fake::new().rustc().program("rustup", "").program("apt-get", "").program("sudo", "");
    let (found, _) = fake.find(true);
    assert!(matches!(found, Err(KitError::NoToolchain { .. })));
}

#[test]
fn nothing_is_installed_unasked() {
    let fake = Fake::new().rustc().program("rustup", "mkdir \"$DIR/target\"").apt();
    let (found, steps) = fake.find(false);
    assert!(matches!(found, Err(KitError::NoToolchain { attempts, .. }) if attempts.is_empty()));
    assert!(steps.is_empty());
    assert_eq!(fake.calls().len(), 1);
}

#[test]
fn a_machine_with_nothing_at_all() {
    let text = Fake::new().find(true).0.unwrap_err().to_string();
    assert!(text.contains("cannot start rustup"), "{text}");
    let homeless = Machine::with_env([]).debian_at("/nowhere");
    let found = Toolchain::find(&homeless, Path::new("/"), true, &mut Steps::default());
    assert!(matches!(found, Err(KitError::NoCacheDir)));
}

#[test]
fn two_that_want_it_at_once_install_it_once() {
    let fake = Fake::new().rustc().program("rustup", "exit 1").apt();
    std::thread::scope(|scope| {
        let both = [scope.spawn(|| fake.find(true)), scope.spawn(|| fake.find(true))];
        for one in both {
            assert!(one.join().unwrap().0.is_ok());
        }
    });
    let calls = fake.calls();
    assert_eq!(calls.iter().filter(|call| call.contains(" install ")).count(), 1, "{calls:?}");
}
