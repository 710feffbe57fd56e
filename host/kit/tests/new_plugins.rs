//! A new plugin of each language builds as it is, with a real toolchain that the first of them installs.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use backroom_kit::{Built, KitError, Language, Options, Quiet, build, new};

/// What a workflow that posts and writes to the log imports, if its language imports what it uses and no more.
const USED: [&str; 3] = ["backroom:types/types@0.1.0", "backroom:host/log@0.1.0", "backroom:ledger/journal@0.1.0"];

fn built(plugin: &Path, options: &Options) -> Built {
    build(plugin, options, &mut Quiet).unwrap_or_else(|error| panic!("{error}"))
}

fn edit(file: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{from:?} is not in {}", file.display());
    std::fs::write(file, text.replace(from, to)).unwrap();
}

fn contains(bytes: &[u8], part: &str) -> bool {
    bytes.windows(part.len()).any(|window| window == part.as_bytes())
}

/// Builds a new plugin, changes it, builds it from another folder without a network, and breaks it.
///
/// `file` has the text `"Accrual"`; `broken` is what is not right once the first is replaced by the second.
fn a_new_plugin_builds(language: Language, file: &str, broken: (&str, &str)) -> Built {
    let dir = tempfile::tempdir().unwrap();
    let make = |folder: &str| -> PathBuf {
        let plugin = dir.path().join(folder);
        new(&plugin, "kit-language", language).unwrap();
        plugin
    };
    let in_its_own = |folder: &str| Options { target_dir: Some(dir.path().join(folder)), ..Options::default() };
    let first = built(&make("one"), &in_its_own("target-one"));
    assert_eq!(first.language, language);
    assert!(!contains(&first.bytes, &dir.path().display().to_string()), "a path of this machine is in the artifact");

    // From now on everything has to be here: another folder, another target directory, the same bytes.
    let offline = Options { offline: true, install: false, ..in_its_own("target-two") };
    let two = make("deeper/two");
    assert_eq!(built(&two, &offline).digest, first.digest, "the same source, another release");
    edit(&two.join(file), "\"Accrual\"", "\"Booking\"");
    assert_ne!(built(&two, &offline).digest, first.digest, "a change is not in the component");

    edit(&two.join(file), broken.0, broken.1);
    let error = build(&two, &offline, &mut Quiet).unwrap_err();
    assert!(matches!(error, KitError::Compile { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains(file), "it does not say where: {text}");
    first
}

#[test]
fn c() {
    let first = a_new_plugin_builds(Language::C, "plugin.c", ("posted.replayed", "posted.replaid"));
    assert_eq!(sorted(&first.imports), sorted(&USED));
    assert!(first.size < 200_000, "{}", first.size);
}

#[test]
fn go() {
    let first = a_new_plugin_builds(Language::Go, "main.go", ("posted.Replayed", "posted.Replaid"));
    assert_eq!(sorted(&first.imports), sorted(&USED));
}

#[test]
fn typescript() {
    let first = a_new_plugin_builds(Language::TypeScript, "app.ts", ("const { replayed } =", "const { replaid } ="));
    a_component_of_an_interpreter(&first);
}

#[test]
fn javascript() {
    let first = a_new_plugin_builds(Language::JavaScript, "app.js", ("return {", "return {{"));
    a_component_of_an_interpreter(&first);
}

#[test]
fn python() {
    let first = a_new_plugin_builds(Language::Python, "app.py", ("journal.post(", "journal.post(("));
    a_component_of_an_interpreter(&first);
}

/// It imports all that it may use: of what it does not want there is nothing.
fn a_component_of_an_interpreter(built: &Built) {
    for unwanted in [
        "wasi:",
        "backroom:hr/",
        "backroom:inventory/",
        "backroom:host/http",
        "backroom:host/files",
        "backroom:host/state",
    ] {
        assert!(!built.imports.iter().any(|import| import.starts_with(unwanted)), "{unwanted}: {:?}", built.imports);
    }
    for used in &USED[1..] {
        assert!(built.imports.iter().any(|import| import == used), "{used}: {:?}", built.imports);
    }
}

fn sorted<T: AsRef<str>>(names: &[T]) -> Vec<&str> {
    let mut names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    names.sort_unstable();
    names
}

#[test]
fn what_is_used_and_not_wanted_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let plugin = dir.path().join("plugin");
    new(&plugin, "kit-language", Language::C).unwrap();
    edit(&plugin.join("plugin.toml"), "[wants.ledger]\npost = [\"type=expense\", \"type=liability\"]", "state = true");
    let options = Options { target_dir: Some(dir.path().join("target")), ..Options::default() };
    let error = build(&plugin, &options, &mut Quiet).unwrap_err();
    assert!(matches!(&error, KitError::NotWanted(names) if names == &["backroom:ledger/journal@0.1.0"]), "{error}");
}
