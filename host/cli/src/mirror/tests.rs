//! Directories that were made to deceive.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use cap_std::ambient_authority;

use super::*;

/// A directory, and one beside it with what must not be reached.
fn directories() -> (tempfile::TempDir, Dir) {
    let both = tempfile::tempdir().unwrap();
    fs::create_dir(both.path().join("drop")).unwrap();
    fs::create_dir(both.path().join("outside")).unwrap();
    fs::write(both.path().join("outside/secret"), b"secret").unwrap();
    let root = Dir::open_ambient_dir(both.path().join("drop"), ambient_authority()).unwrap();
    (both, root)
}

fn path(text: &str) -> FilePath {
    FilePath::parse(text, "path").unwrap()
}

fn pipe(at: &Path) {
    assert!(Command::new("mkfifo").arg(at).status().unwrap().success());
}

#[test]
fn only_plain_files_are_taken_out() {
    let (both, root) = directories();
    let drop = both.path().join("drop");
    fs::create_dir_all(drop.join("a/b")).unwrap();
    fs::write(drop.join("a/b/good.csv"), b"good").unwrap();
    fs::write(drop.join("top"), b"top").unwrap();
    fs::write(drop.join(format!("{PARTIAL}x")), b"half").unwrap();
    symlink("../outside/secret", drop.join("link")).unwrap();
    symlink("../outside", drop.join("a/dir-link")).unwrap();
    symlink("top", drop.join("link-inside")).unwrap();
    symlink("nowhere", drop.join("dangling")).unwrap();
    fs::hard_link(both.path().join("outside/secret"), drop.join("second-name")).unwrap();
    pipe(&drop.join("pipe"));
    fs::write(drop.join("cafe\u{301}"), b"").unwrap();
    fs::write(drop.join("line\nbreak"), b"").unwrap();
    fs::write(drop.join("back\\slash"), b"").unwrap();
    let found = walk(&root).unwrap();
    let names: Vec<_> = found.files.iter().map(FilePath::as_str).collect();
    assert_eq!(names, ["a/b/good.csv", "second-name", "top"]);
    let refused: Vec<_> = found.refused.iter().map(|refused| refused.path.as_str()).collect();
    let want = ["a/dir-link", "back\\slash", "cafe\u{301}", "dangling", "line\nbreak", "link", "link-inside", "pipe"];
    assert_eq!(refused, want);
    assert_eq!(read(&root, &path("a/b/good.csv")).unwrap(), b"good");
    assert_eq!(read(&root, &path("second-name")).unwrap_err().why, SECOND_NAME);
}

/// More directories side by side than a process may have open, and more of them one in another than a path can say.
#[test]
fn wide_and_deep_trees_take_few_descriptors() {
    let (both, root) = directories();
    let drop = both.path().join("drop");
    for name in 0..200 {
        fs::create_dir(drop.join(format!("d{name:03}"))).unwrap();
        fs::write(drop.join(format!("d{name:03}/file")), b"x").unwrap();
    }
    let open = || fs::read_dir("/proc/self/fd").unwrap().count();
    let before = open();
    let most = std::sync::atomic::AtomicUsize::new(0);
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                most.fetch_max(open(), std::sync::atomic::Ordering::Relaxed);
            }
        });
        for _ in 0..20 {
            assert_eq!(walk(&root).unwrap().files.len(), 200);
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    // Other tests of this program open some as well.
    let most = most.into_inner();
    assert!(most < before + 150, "{most} descriptors, {before} before");

    fs::create_dir_all(drop.join("1/2/3/4/5/6/7/8/9")).unwrap();
    fs::write(drop.join("1/2/3/4/5/6/7/file"), b"x").unwrap();
    fs::write(drop.join("1/2/3/4/5/6/7/8/file"), b"x").unwrap();
    let found = walk(&root).unwrap();
    assert_eq!(found.files[0].as_str(), "1/2/3/4/5/6/7/file");
    assert_eq!((found.files.len(), found.refused), (201, vec![Refused::new("1/2/3/4/5/6/7/8", TOO_DEEP)]));
}

/// Whatever the walk saw, the file may be another one when it is read.
#[test]
fn what_became_something_else_is_not_read() {
    let (both, root) = directories();
    let drop = both.path().join("drop");
    symlink("../outside/secret", drop.join("link")).unwrap();
    symlink("../outside", drop.join("dir")).unwrap();
    symlink("/etc", drop.join("abs")).unwrap();
    symlink("link", drop.join("twice")).unwrap();
    pipe(&drop.join("pipe"));
    fs::create_dir(drop.join("folder")).unwrap();
    let rows = [
        ("link", "link is a symbolic link"),
        ("twice", "twice is a symbolic link"),
        ("dir/secret", "dir is a symbolic link"),
        ("abs/passwd", "abs is a symbolic link"),
        // Neither waits for a writer.
        ("pipe", SPECIAL),
        ("folder", SPECIAL),
    ];
    for (name, why) in rows {
        assert_eq!(read(&root, &path(name)).unwrap_err(), Refused::new(name, why), "{name}");
    }
    assert!(read(&root, &path("gone")).unwrap_err().why.contains("No such file"));
    // Cut short or grown in the meantime: what is read has the length that was seen first, or is refused.
    let large = fs::File::create(drop.join("large")).unwrap();
    large.set_len(MAX_FILE + 1).unwrap();
    assert!(read(&root, &path("large")).unwrap_err().why.contains("at most 16 MiB"));
    large.set_len(MAX_FILE).unwrap();
    assert_eq!(read(&root, &path("large")).unwrap().len() as u64, MAX_FILE);
}

#[test]
fn a_file_is_put_in_place_and_nowhere_else() {
    let (both, root) = directories();
    let (drop, outside) = (both.path().join("drop"), both.path().join("outside"));
    write(&root, &path("a/b/new"), b"1").unwrap();
    write(&root, &path("a/b/new"), b"2").unwrap();
    assert_eq!(fs::read(drop.join("a/b/new")).unwrap(), b"2");
    symlink("../outside/secret", drop.join("link")).unwrap();
    symlink("../outside", drop.join("dir")).unwrap();
    symlink("../outside/not-there", drop.join("dangling")).unwrap();
    fs::create_dir(drop.join("folder")).unwrap();
    fs::hard_link(outside.join("secret"), drop.join("second-name")).unwrap();
    pipe(&drop.join("pipe"));
    for name in ["link", "dir/secret", "dir/new", "dangling", "folder", "pipe", "pipe/x", "a/b/new/x"] {
        assert!(write(&root, &path(name), b"bad").is_err(), "{name}");
    }
    write(&root, &path("second-name"), b"mine").unwrap();
    assert_eq!(fs::read(drop.join("second-name")).unwrap(), b"mine");
    assert_eq!(fs::read(outside.join("secret")).unwrap(), b"secret");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    // Nothing half done is left behind.
    assert!(!fs::read_dir(&drop).unwrap().any(|e| e.unwrap().file_name().to_string_lossy().starts_with(PARTIAL)));
}

/// The directory that is written to moves out of the tree while it is written to: the handle is what counts, and where the
/// name leads by then is not looked at.
#[test]
fn a_directory_that_is_swapped_for_a_link_leads_nowhere() {
    let (both, root) = directories();
    let drop = both.path().join("drop");
    fs::create_dir(drop.join("a")).unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                fs::rename(drop.join("a"), drop.join("b")).unwrap();
                // While there is none, the writer makes one of its own.
                if symlink("../outside", drop.join("a")).is_ok() {
                    fs::remove_file(drop.join("a")).unwrap();
                }
                while fs::rename(drop.join("b"), drop.join("a")).is_err() {
                    fs::remove_dir_all(drop.join("a")).ok();
                }
            }
        });
        for _ in 0..500 {
            // Often refused; never outside.
            drop_result(write(&root, &path("a/file"), b"x"));
            if let Ok(bytes) = read(&root, &path("a/secret")) {
                panic!("it read {bytes:?}");
            }
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(fs::read_dir(both.path().join("outside")).unwrap().count(), 1);
}

fn drop_result(_: Result<(), Refused>) {}
