//! Real builds with a real compiler, which the first of them installs if there is none.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use backroom_kit::{Built, KitError, Language, Options, Quiet, build, new};

fn make(dir: &tempfile::TempDir, folder: &str) -> PathBuf {
    let plugin = dir.path().join(folder);
    new(&plugin, "kit-test", Language::Rust).unwrap();
    plugin
}

fn built(plugin: &Path) -> Built {
    build(plugin, &Options::default(), &mut Quiet).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(plugin: &Path) -> KitError {
    build(plugin, &Options::default(), &mut Quiet).unwrap_err()
}

fn edit(file: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{from:?} is not in {}", file.display());
    std::fs::write(file, text.replace(from, to)).unwrap();
}

fn contains(bytes: &[u8], part: &str) -> bool {
    bytes.windows(part.len()).any(|window| window == part.as_bytes())
}

#[test]
fn the_same_source_gives_the_same_bytes_in_any_folder() {
    let dir = tempfile::tempdir().unwrap();
    let first = built(&make(&dir, "one"));
    assert_eq!(first.manifest.name, "kit-test");
    assert_eq!(first.size, first.bytes.len() as u64);
    assert_eq!(std::fs::read(&first.path).unwrap(), first.bytes);
    assert!(first.path.ends_with("kit-test-0.1.0.component.wasm"));
    assert_eq!(first.digest, blake3::hash(&first.bytes).to_hex().as_str());
    assert_eq!(
        first.imports,
        ["backroom:types/types@0.1.0", "backroom:host/log@0.1.0", "backroom:ledger/journal@0.1.0"]
    );
    let second = built(&make(&dir, "two"));
    assert_eq!(first.digest, second.digest);

    let home = std::env::var("HOME").unwrap_or_else(|_| "/home".to_owned());
    // Two plugins of one name and version do not take each other's place.
    assert_ne!(first.path, second.path);
    assert_eq!(std::fs::read(&first.path).unwrap(), first.bytes);
    let target_dir = first.path.ancestors().nth(3).unwrap();
    for path in [Path::new(&home), dir.path(), target_dir] {
        assert!(!contains(&first.bytes, &path.display().to_string()), "{} is in the artifact", path.display());
    }
    assert!(contains(&first.bytes, "/serde_json-"), "panics tell their place by package");
}

#[test]
fn a_package_of_the_same_name_elsewhere_is_not_taken_for_this_one() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (make(&dir, "one"), make(&dir, "two"));
    edit(&two.join("src/lib.rs"), "\"Accrual\"", "\"Booking\"");
    let first = built(&one);
    let second = built(&two);
    assert!(contains(&second.bytes, "Booking"));
    assert_eq!(built(&one).digest, first.digest);
}

#[test]
fn builds_at_the_same_time_wait_for_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (make(&dir, "one"), make(&dir, "two"));
    edit(&two.join("plugin.toml"), "0.1.0", "0.2.0");
    let (first, second) = std::thread::scope(|scope| {
        let first = scope.spawn(|| built(&one));
        let second = scope.spawn(|| built(&two));
        (first.join().unwrap(), second.join().unwrap())
    });
    assert_eq!(first.manifest.version.minor, 1);
    assert_eq!(second.manifest.version.minor, 2);
    assert_ne!(first.digest, second.digest);
}

#[test]
fn the_compilers_words_come_with_the_error() {
    let dir = tempfile::tempdir().unwrap();
    let plugin = make(&dir, "broken");
    edit(&plugin.join("src/lib.rs"), "posted.replayed", "posted.replaid");
    let error = refused(&plugin);
    let text = error.to_string();
    assert!(matches!(error, KitError::Compile { .. }));
    assert!(text.starts_with("kit-test does not compile:") && text.contains("no field `replaid`"), "{text}");
    assert!(text.contains("src/lib.rs:"), "{text}");
}

#[test]
fn a_lock_file_is_obeyed() {
    let dir = tempfile::tempdir().unwrap();
    let plugin = make(&dir, "locked");
    std::fs::write(plugin.join("Cargo.lock"), "version = 4\n").unwrap();
    let text = refused(&plugin).to_string();
    assert!(text.contains("--locked"), "{text}");
}

#[test]
fn folders_that_are_no_plugins() {
    let dir = tempfile::tempdir().unwrap();
    let plugin = make(&dir, "odd");
    assert!(matches!(refused(dir.path()), KitError::NoManifest(_)));

    edit(&plugin.join("Cargo.toml"), "crate-type = [\"cdylib\"]", "");
    let text = refused(&plugin).to_string();
    assert!(text.contains("crate-type"), "{text}");

    edit(&plugin.join("Cargo.toml"), "[package]", "[package");
    assert!(matches!(refused(&plugin), KitError::Project { .. }));

    std::fs::remove_file(plugin.join("Cargo.toml")).unwrap();
    assert!(matches!(refused(&plugin), KitError::NoLanguage { .. }));
}

#[test]
fn a_guest_that_wants_the_system_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let plugin = make(&dir, "system");
    let call = "fn run(input: Input) -> Result<Output, Error> {
        #[link(wasm_import_module = \"wasi_snapshot_preview1\")]
        unsafe extern \"C\" { fn sched_yield() -> i32; }
        unsafe { sched_yield(); }";
    edit(&plugin.join("src/lib.rs"), "fn run(input: Input) -> Result<Output, Error> {", call);
    let text = refused(&plugin).to_string();
    assert!(text.contains("wasi_snapshot_preview1"), "{text}");
}
