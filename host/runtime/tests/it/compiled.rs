//! Compiled code that is kept: used again after a start, never believed when it was changed, and never without bounds.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier};
use std::time::{Duration, SystemTime};

use crate::common::{Guest, NOW, OK, Service, id, plugin};
use backroom_office::{NewInstallation, Office};
use backroom_runtime::{
    CacheKey, CacheOptions, CompileFigures, CompileOptions, Mode, Runner, Runtime, RuntimeOptions, Status,
};

/// A runtime as after a start, over the same folder.
fn start(cache: CacheOptions) -> Runtime {
    let compile = CompileOptions { cache: Some(cache), ..CompileOptions::default() };
    Runtime::new(RuntimeOptions { concurrency: 4, compile, ..RuntimeOptions::default() }).unwrap()
}

fn over(folder: &Path) -> Runtime {
    start(CacheOptions::new(folder.join("compiled"), None))
}

/// What a start over the folder compiles and finds when it loads these.
fn loaded(folder: &Path, components: &[&[u8]]) -> CompileFigures {
    let runtime = over(folder);
    for bytes in components {
        assert_eq!(runtime.load(bytes).unwrap().manifest().name, id("test"));
    }
    runtime.compile_figures()
}

fn guest(body: &str) -> Vec<u8> {
    plugin(&Guest { run: body, ..Guest::default() }, "")
}

/// The files of compiled code, those for plugins last: they are the larger ones.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder.join("compiled")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|ending| ending == "code")).collect();
    files.sort_by_key(|path| path.metadata().unwrap().len());
    files
}

#[test]
fn a_start_compiles_nothing_again() {
    let folder = tempfile::tempdir().unwrap();
    let good = guest(OK);
    // The loop that proves the wall-time limit is compiled as well.
    let first = loaded(folder.path(), &[&good]);
    assert_eq!((first.begun, first.from_cache), (2, 0));
    let second = loaded(folder.path(), &[&good]);
    assert_eq!((second.begun, second.from_cache, second.cache_damaged), (0, 2, 0));
    assert_eq!(files(folder.path()).len(), 2);
    // What is refused is not kept.
    let runtime = over(folder.path());
    assert!(runtime.load(&good[..good.len() - 1]).is_err());
    assert_eq!(files(folder.path()).len(), 2);
}

#[test]
fn a_release_runs_from_compiled_code_alone() {
    let service = Service::new();
    let folder = tempfile::tempdir().unwrap();
    let runner = |runtime| {
        Runner::new(service.runner.store().clone(), Arc::new(runtime), &service.dir.path().join("releases")).unwrap()
    };
    let release = runner(over(folder.path())).upload("admin", NOW, &guest(OK)).unwrap();
    let (grants, config, limits) = Default::default();
    let new = NewInstallation {
        name: id("test"),
        release: release.digest.clone(),
        grants,
        config,
        limits,
        accept_rights: false,
    };
    Office::new(service.runner.store().clone()).install("admin", NOW, service.tenant(), new).unwrap();
    // Nobody has to read the component any more, so it does not matter that it cannot be read.
    std::fs::remove_file(service.dir.path().join("releases").join(format!("{}.wasm", release.digest))).unwrap();
    let again = runner(over(folder.path()));
    let report = again.run(service.request(Mode::Commit, "{}")).unwrap().wait().unwrap();
    assert_eq!(report.status, Status::Committed);
    assert_eq!(again.runtime().compile_figures().begun, 0);
}

#[test]
fn whatever_is_changed_or_cut_is_compiled_again_and_never_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let good = guest(OK);
    loaded(folder.path(), &[&good]);
    let path = files(folder.path()).pop().unwrap();
    let whole = std::fs::read(&path).unwrap();
    let last = whole.len() - 1;
    // Checksum, frame, head, code. Every byte of a file has its turn in the tests of the cache itself.
    for at in [0, 31, 32, 40, 50, 200, last / 2, last] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        for harmed in [changed, whole[..at].to_vec()] {
            std::fs::write(&path, harmed).unwrap();
            let figures = loaded(folder.path(), &[&good]);
            assert_eq!((figures.begun, figures.cache_damaged, figures.from_cache), (1, 1, 1), "{at}");
        }
    }
    let figures = loaded(folder.path(), &[&good]);
    assert_eq!((figures.begun, figures.from_cache), (0, 2));
}

#[test]
fn one_code_under_the_name_of_another_is_not_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (guest(OK), guest("unreachable"));
    loaded(folder.path(), &[&one]);
    let of_one = files(folder.path()).pop().unwrap();
    loaded(folder.path(), &[&two]);
    let of_two = files(folder.path()).into_iter().rfind(|path| *path != of_one).unwrap();
    std::fs::copy(&of_two, &of_one).unwrap();
    let figures = loaded(folder.path(), &[&one, &two]);
    assert_eq!((figures.begun, figures.cache_damaged), (1, 1), "{figures:?}");
}

#[test]
fn nothing_is_believed_under_another_key() {
    let folder = tempfile::tempdir().unwrap();
    let good = guest(OK);
    loaded(folder.path(), &[&good]);
    let key = folder.path().join("compiled/key");
    let harms: [&dyn Fn(); 4] = [
        &|| std::fs::write(&key, [7; 32]).unwrap(),
        &|| std::fs::write(&key, [7; 5]).unwrap(),
        &|| std::fs::remove_file(&key).unwrap(),
        // A key that others could have read is one that others could have used.
        &|| std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap(),
    ];
    for (at, harm) in harms.iter().enumerate() {
        harm();
        let figures = loaded(folder.path(), &[&good]);
        assert_eq!((figures.begun, figures.cache_damaged), (2, 2), "{at}");
        let mode = std::os::unix::fs::PermissionsExt::mode(&key.metadata().unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600, "{at}");
        assert_eq!(loaded(folder.path(), &[&good]).begun, 0, "{at}");
    }
    // A key from outside: the one in the folder has no say.
    let with = |byte| {
        let runtime = start(CacheOptions::new(folder.path().join("compiled"), Some(CacheKey::new([byte; 32]))));
        runtime.load(&good).unwrap();
        runtime.compile_figures()
    };
    assert_eq!((with(1).begun, with(1).begun, with(2).begun), (2, 0, 2));
}

#[test]
fn what_was_not_used_for_longest_makes_room() {
    let folder = tempfile::tempdir().unwrap();
    let components: Vec<Vec<u8>> = (0..4).map(|n| guest(&format!("(drop (i32.const {n})) {OK}"))).collect();
    let cache = |most_bytes| CacheOptions { most_bytes, ..CacheOptions::new(folder.path().join("compiled"), None) };
    let runtime = start(cache(u64::MAX));
    let sizes = || files(folder.path()).iter().map(|path| path.metadata().unwrap().len()).sum::<u64>();
    for (at, bytes) in components.iter().enumerate() {
        let before = files(folder.path());
        runtime.load(bytes).unwrap();
        let new = files(folder.path()).into_iter().find(|path| !before.contains(path)).unwrap();
        // Long ago, in the order of their making.
        let age = Duration::from_secs(10_000 - at as u64 * 1_000);
        std::fs::File::open(&new).unwrap().set_modified(SystemTime::now() - age).unwrap();
    }
    let all = sizes();
    // The first is used again, so the second is the oldest now.
    assert_eq!(loaded(folder.path(), &[&components[0]]).begun, 0);
    let fifth = guest(&format!("(drop (i32.const 9)) {OK}"));
    start(cache(all)).load(&fifth).unwrap();
    assert!(sizes() <= all);
    let begun = |bytes: &[u8]| loaded(folder.path(), &[bytes]).begun;
    assert_eq!((begun(&components[0]), begun(&components[2]), begun(&fifth)), (0, 0, 0));
    assert_eq!(begun(&components[1]), 1);
}

#[test]
fn a_folder_that_cannot_be_written_is_done_without() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("compiled"), b"a file").unwrap();
    let figures = loaded(folder.path(), &[&guest(OK)]);
    assert_eq!((figures.begun, figures.from_cache), (2, 0));
}

#[test]
fn many_loads_of_one_at_a_time_compile_once() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = over(folder.path());
    let good = guest(OK);
    let together = Barrier::new(8);
    std::thread::scope(|scope| {
        let loads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    together.wait();
                    runtime.load(&good).unwrap()
                })
            })
            .collect();
        let plugins: Vec<_> = loads.into_iter().map(|load| load.join().unwrap()).collect();
        assert!(plugins.windows(2).all(|pair| Arc::ptr_eq(&pair[0], &pair[1])));
    });
    assert_eq!(runtime.compile_figures().begun, 2);
}
