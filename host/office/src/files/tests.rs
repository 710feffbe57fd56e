//! What files do within one unit of work and over several, and what they refuse.

use std::sync::Arc;

use backroom_domain::files::MAX_FILE;
use backroom_domain::rights::{FilesRights, Grant, Pattern, Rights};
use backroom_domain::{BusinessDate, Effect, Id, Instant};
use backroom_store::records::{FilePiece, FilesTotal, Folder};
use backroom_store::{Meta, Store, TenantNo};

use super::*;
use crate::page::PageRequest;
use crate::work::{Caller, Work};
use crate::{Failure, Office};

fn id(text: &str) -> Id {
    Id::parse(text, "id").unwrap()
}

fn work(store: &Store, rights: Rights) -> Work {
    let caller =
        Caller { actor: "test".into(), layers: vec![Arc::new(rights)], installation: None, run: Some(id("r")) };
    Work::new(store.write(TenantNo(1)).unwrap(), caller, Instant(7), BusinessDate::parse("2026-06-30", "d").unwrap())
}

fn all(store: &Store) -> Work {
    work(store, Rights::all())
}

fn commit(work: Work) {
    work.seal().unwrap().commit(Meta::default()).unwrap().ticket.wait().unwrap();
}

fn refusal<T>(result: Result<T, Failure>) -> (String, Vec<String>) {
    match result {
        Err(Failure::Business(error)) => {
            let codes = error.problems.iter().map(|problem| problem.code.to_string()).collect();
            (error.class.to_string(), codes)
        }
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was not refused"),
    }
}

fn whole(work: &Work, path: &str) -> Vec<u8> {
    let size = stat(work, "in", path).unwrap().size;
    let mut found = Vec::new();
    while (found.len() as u64) < size {
        found.extend(read(work, "in", path, found.len() as u64, MAX_READ).unwrap());
    }
    found
}

/// Bytes of which no part is like another.
fn content(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().finalize_xof().fill(&mut bytes);
    bytes
}

#[test]
fn what_is_written_is_read_at_every_length() {
    let store = Store::memory();
    let piece = FilePiece::SIZE;
    let mut work = all(&store);
    for length in [0, 1, piece - 1, piece, piece + 1, 3 * piece, 3 * piece + 7] {
        let bytes = content(length);
        let file = write(&mut work, "in", "a", &bytes).unwrap().file;
        assert_eq!((file.size, file.digest.as_str()), (length as u64, blake3::hash(&bytes).to_hex().as_str()));
        assert!(whole(&work, "a") == bytes, "{length}");
        // No piece of a longer one before is left.
        let pieces = work.tx().scan::<FilePiece>(&(), None, 100).unwrap().len();
        assert_eq!(pieces, length.div_ceil(piece), "{length}");
    }
    let bytes = content(3 * piece + 7);
    for (offset, length) in [(0, 1), (piece - 1, 2), (piece, piece), (1, 3 * piece), (3 * piece + 6, 100)] {
        let found = read(&work, "in", "a", offset as u64, length as u32).unwrap();
        assert!(found == bytes[offset..bytes.len().min(offset + length)], "{offset} {length}");
    }
    assert_eq!(read(&work, "in", "a", 1 << 40, 5).unwrap(), b"");
    assert_eq!(refusal(read(&work, "in", "a", 0, 0)).1, ["length-invalid"]);
    assert_eq!(refusal(read(&work, "in", "a", 0, MAX_READ + 1)).1, ["length-invalid"]);
    // A shorter one after it, in another unit of work.
    commit(work);
    let mut work = all(&store);
    write(&mut work, "in", "a", b"short").unwrap();
    commit(work);
    let work = all(&store);
    assert_eq!(whole(&work, "a"), b"short");
    assert_eq!(work.tx().scan::<FilePiece>(&(), None, 100).unwrap().len(), 1);
}

#[test]
fn appending_gives_what_writing_at_once_gives() {
    let store = Store::memory();
    let bytes = content(FilePiece::SIZE * 2 + 1000);
    let mut work = all(&store);
    let at_once = write(&mut work, "in", "once", &bytes).unwrap().file;
    for step in [997, 30_000, FilePiece::SIZE, FilePiece::SIZE + 1] {
        let path = format!("by/{step}");
        write(&mut work, "in", &path, b"").unwrap();
        let before = work.effects().len();
        let mut at = 0;
        for chunk in bytes.chunks(step) {
            let stored = append(&mut work, "in", &path, at, chunk).unwrap();
            at = stored.file.size;
            assert!(!stored.replayed);
        }
        let file = stat(&work, "in", &path).unwrap();
        assert_eq!((&file.digest, file.size), (&at_once.digest, at_once.size), "{step}");
        assert!(whole(&work, &path) == bytes, "{step}");
        assert_eq!(work.effects().len(), before, "one file, one effect");
        assert!(matches!(work.effects().last(), Some(Effect::FileWritten(last)) if *last == file));
    }
    commit(work);
    // Two files in turn, over a commit: the digest is made from the beginning each time, and the reading told.
    let mut work = all(&store);
    let first = append(&mut work, "in", "once", at_once.size, b"x").unwrap();
    let tail = at_once.size % FilePiece::SIZE as u64;
    assert_eq!(first.read, at_once.size + tail);
    assert_eq!(append(&mut work, "in", "once", at_once.size + 1, b"y").unwrap().read, tail + 1);
    append(&mut work, "in", "by/997", at_once.size, b"x").unwrap();
    let last = append(&mut work, "in", "once", at_once.size + 2, b"z").unwrap().file;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&bytes).update(b"xyz");
    assert_eq!(last.digest, hasher.finalize().to_hex().as_str());
    assert_eq!(work.effects().len(), 3);
}

#[test]
fn an_append_knows_where_it_goes() {
    let store = Store::memory();
    let mut work = all(&store);
    assert_eq!(refusal(append(&mut work, "in", "a", 0, b"x")).1, ["not-found"]);
    write(&mut work, "in", "a", b"12").unwrap();
    assert_eq!(refusal(append(&mut work, "in", "a", 1, b"x")), ("conflict".into(), vec!["offset-mismatch".into()]));
    assert!(append(&mut work, "in", "a", 2, b"").unwrap().replayed);
    // The same length, other content: not what was added to before.
    append(&mut work, "in", "a", 2, b"3").unwrap();
    write(&mut work, "in", "a", b"abc").unwrap();
    let file = append(&mut work, "in", "a", 3, b"d").unwrap().file;
    assert_eq!(file.digest, blake3::hash(b"abcd").to_hex().as_str());
    delete(&mut work, "in", "a").unwrap();
    write(&mut work, "in", "a", b"wxyz").unwrap();
    assert_eq!(append(&mut work, "in", "a", 4, b"!").unwrap().file.digest, blake3::hash(b"wxyz!").to_hex().as_str());
}

#[test]
fn nothing_is_there_without_a_commit_and_all_of_it_with_one() {
    let store = Store::memory();
    let mut first = all(&store);
    write(&mut first, "in", "a", b"1").unwrap();
    assert_eq!(whole(&first, "a"), b"1");
    let reader = Office::new(store.clone());
    let seen = || {
        let caller = Caller { actor: "r".into(), layers: vec![Arc::new(Rights::all())], installation: None, run: None };
        let work = reader.read(TenantNo(1), caller, Instant(9)).unwrap();
        list(&work, "in", "", &PageRequest::first(10)).unwrap().items.len()
    };
    assert_eq!(seen(), 0);
    drop(first);
    assert_eq!(seen(), 0);
    let mut second = all(&store);
    write(&mut second, "in", "a", b"2").unwrap();
    assert_eq!(seen(), 0);
    commit(second);
    assert_eq!(seen(), 1);
    let mut again = all(&store);
    let same = write(&mut again, "in", "a", b"2").unwrap();
    assert!(same.replayed && again.effects().is_empty() && again.tx().changes() == 0);
    assert_eq!((same.file.run, same.file.recorded_at), (Some(id("r")), Instant(7)));
    assert!(delete(&mut again, "in", "a").unwrap() && !delete(&mut again, "in", "a").unwrap());
    assert_eq!(again.effects().len(), 1);
    commit(again);
    assert_eq!(seen(), 0);
    let left = all(&store);
    assert!(left.tx().scan::<FilePiece>(&(), None, 1).unwrap().is_empty());
    assert!(left.tx().scan::<Folder>(&(), None, 1).unwrap().is_empty());
    assert_eq!(left.tx().get::<FilesTotal>(&()).unwrap(), Some(FilesTotal::default()));
}

#[test]
fn lists_go_by_prefix_and_page() {
    let store = Store::memory();
    let mut work = all(&store);
    for path in ["b/2", "a", "b/1", "b/10", "c/d/e", "ba"] {
        write(&mut work, "in", path, path.as_bytes()).unwrap();
    }
    write(&mut work, "inner", "b/0", b"").unwrap();
    let paths = |prefix: &str, limit: u32| {
        let (mut found, mut cursor) = (Vec::new(), None);
        loop {
            let page = list(&work, "in", prefix, &PageRequest { cursor, limit }).unwrap();
            found.extend(page.items.into_iter().map(|file| file.path.to_string()));
            cursor = page.next;
            if cursor.is_none() {
                return found;
            }
        }
    };
    for limit in [1, 2, 500] {
        assert_eq!(paths("", limit), ["a", "b/1", "b/10", "b/2", "ba", "c/d/e"]);
        assert_eq!(paths("b/", limit), ["b/1", "b/10", "b/2"]);
        assert_eq!(paths("b/1", limit), ["b/1", "b/10"]);
        assert!(paths("z", limit).is_empty());
    }
    let bad = |prefix: &str, cursor: Option<&str>, limit| {
        refusal(list(&work, "in", prefix, &PageRequest { cursor: cursor.map(hex::encode), limit })).1
    };
    assert_eq!(bad("b/", Some("a"), 1), ["cursor-invalid"]);
    assert_eq!(bad(&"x".repeat(256), None, 0), ["path-invalid", "limit-invalid"]);
}

#[test]
fn a_file_stands_below_no_file() {
    let store = Store::memory();
    let mut work = all(&store);
    write(&mut work, "in", "a/b/c", b"").unwrap();
    for path in ["a", "a/b", "a/b/c/d"] {
        assert_eq!(
            refusal(write(&mut work, "in", path, b"")),
            ("refused".into(), vec!["path-occupied".into()]),
            "{path}"
        );
    }
    write(&mut work, "in", "a/bc", b"").unwrap();
    write(&mut work, "out", "a", b"").unwrap();
    delete(&mut work, "in", "a/b/c").unwrap();
    write(&mut work, "in", "a/b", b"").unwrap();
}

#[test]
fn rights_come_first_and_reading_is_not_writing() {
    let store = Store::memory();
    let mut setup = all(&store);
    write(&mut setup, "in", "a", b"x").unwrap();
    commit(setup);
    let pattern = |text| vec![Pattern::parse(text).unwrap()];
    let files = FilesRights { read: pattern("in"), write: pattern("out*") };
    let mut work = work(&store, Grant { files, ..Grant::default() }.into());
    assert_eq!(read(&work, "in", "a", 0, 9).unwrap(), b"x");
    write(&mut work, "out-1", "b", b"y").unwrap();
    let denied = |code: &str| ("denied".to_owned(), vec![code.to_owned()]);
    let page = PageRequest { cursor: Some("?".into()), limit: 0 };
    assert_eq!(refusal(stat(&work, "out-1", "..")), denied("files-read-denied"));
    assert_eq!(refusal(read(&work, "out-1", "b", 0, 0)), denied("files-read-denied"));
    assert_eq!(refusal(list(&work, "out-1", "", &page)), denied("files-read-denied"));
    assert_eq!(refusal(write(&mut work, "in", "..", b"")), denied("files-write-denied"));
    assert_eq!(refusal(append(&mut work, "in", "a", 9, b"")), denied("files-write-denied"));
    assert_eq!(refusal(delete(&mut work, "in", "/")), denied("files-write-denied"));
    let invalid = |codes: &[&str]| ("invalid".to_owned(), codes.iter().map(|code| (*code).to_owned()).collect());
    assert_eq!(refusal(stat(&work, "in", "../a")), invalid(&["path-invalid"]));
    assert_eq!(refusal(stat(&work, "?", "../a")), invalid(&["id-invalid", "path-invalid"]));
    let shown = folders(&work).unwrap();
    assert_eq!(shown.len(), 1, "what may not be read is not told: {shown:?}");
    drop(work);
    assert_eq!(refusal(stat(&all(&store), "in/x", "a")), invalid(&["folder-invalid"]));
}

#[test]
fn quotas_and_sizes_are_kept() {
    let store = Store::memory();
    let office = Office::new(store.clone());
    let tenant = office.create_tenant("admin", Instant(1), id("acme"), "Acme").unwrap();
    tenant.ticket.unwrap().wait().unwrap();
    let quota = |folder: Option<&str>, bytes| {
        let new = NewQuota { tenant: id("acme"), folder: folder.map(id), bytes };
        let written = office.set_files_quota("admin", Instant(2), new)?;
        written.ticket.unwrap().wait().unwrap();
        Ok::<_, Failure>(written.value)
    };
    quota(Some("in"), 10).unwrap();
    quota(None, 15).unwrap();
    assert_eq!(refusal(quota(Some("a/b"), 1)).1, ["folder-invalid"]);
    assert_eq!(refusal(quota(None, 1 << 60)).1, ["quota-invalid"]);
    let mut work = all(&store);
    write(&mut work, "in", "a", b"12345678").unwrap();
    assert_eq!(refusal(write(&mut work, "in", "b", b"123")), ("refused".into(), vec!["folder-quota-exceeded".into()]));
    append(&mut work, "in", "a", 8, b"90").unwrap();
    assert_eq!(refusal(append(&mut work, "in", "a", 10, b"1")).1, ["folder-quota-exceeded"]);
    write(&mut work, "out", "a", b"12345").unwrap();
    assert_eq!(refusal(write(&mut work, "out", "b", b"1")).1, ["tenant-quota-exceeded"]);
    delete(&mut work, "in", "a").unwrap();
    write(&mut work, "out", "b", b"1234567890").unwrap();
    let shown: Vec<_> = folders(&work).unwrap().into_iter().map(|f| (f.usage.files, f.usage.bytes, f.quota)).collect();
    assert_eq!(shown, [(0, 0, 10), (2, 15, 256 << 20), (2, 15, 15)]);
    let large = vec![0; usize::try_from(MAX_FILE).unwrap() + 1];
    assert_eq!(refusal(write(&mut work, "in", "l", &large)).1, ["file-too-large"]);
    assert_eq!(refusal(append(&mut work, "in", "l", u64::MAX, b"1")).1, ["file-too-large"]);
    for at in 0..62 {
        write(&mut work, &format!("f{at}"), "e", b"").unwrap();
    }
    assert_eq!(refusal(write(&mut work, "one-more", "e", b"")).1, ["folders-too-many"]);
    // One that is given back makes room.
    delete(&mut work, "f0", "e").unwrap();
    write(&mut work, "one-more", "e", b"").unwrap();
}
