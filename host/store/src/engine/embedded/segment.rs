//! Segment files: a header, then frames without gaps. Named by the first revision they hold.

use std::io;
use std::ops::ControlFlow;

use super::disk::Disk;
use super::{frame, packed};
use crate::engine::{LogItem, Place};
use crate::error::StoreError;
use crate::types::Revision;

/// Bytes before the first frame: magic (8), format version (4), zero (4), first revision (8), crc of these (4), zero (4).
pub(super) const HEADER: usize = 32;
const MAGIC: &[u8; 8] = b"BACKROOM";
const FORMAT: u32 = 1;

/// The file name of the segment that begins with revision `first`.
pub(super) fn name(first: Revision) -> String {
    format!("{first:020}.log")
}

/// The segment header.
pub(super) fn header(first: Revision) -> [u8; HEADER] {
    let mut out = [0; HEADER];
    let fields = [MAGIC.as_slice(), &FORMAT.to_le_bytes(), &[0; 4], &first.to_le_bytes()];
    let body: Vec<u8> = fields.concat();
    let crc = crc32fast::hash(&body).to_le_bytes();
    for (to, from) in out.iter_mut().zip(body.iter().chain(&crc)) {
        *to = *from;
    }
    out
}

/// Why the header of a segment is not the one it should have.
pub(super) fn check_header(bytes: &[u8], first: Revision) -> Result<(), String> {
    let found = bytes.get(..HEADER).ok_or("the file ends inside its header")?;
    if found == header(first) {
        return Ok(());
    }
    match found.get(8..12).and_then(|version| version.try_into().ok()).map(u32::from_le_bytes) {
        Some(version) if found.starts_with(MAGIC) && version > FORMAT => Err(format!(
            "the format {version} is newer than {FORMAT}, the newest this release knows; start a newer release"
        )),
        _ => Err("the header is not that of a log segment with this name".into()),
    }
}

/// A segment as it was read.
pub(super) struct Segment {
    /// The file.
    pub(super) name: String,
    /// The first revision it should have.
    pub(super) first: Revision,
    /// Its content; of a damaged compressed file as much as can be had.
    pub(super) bytes: Vec<u8>,
    /// What is wrong with the file as a whole.
    pub(super) damage: Option<String>,
}

/// The first revisions of all segments, ascending. Other files are not looked at.
pub(super) fn list(disk: &dyn Disk) -> Result<Vec<Revision>, StoreError> {
    let names = disk.list().map_err(StoreError::io("list the log folder"))?;
    let first = |file: &String| {
        let first = file.split_once('.')?.0.parse().ok()?;
        (*file == name(first) || *file == packed::name(first)).then_some(first)
    };
    let mut firsts: Vec<Revision> = names.iter().filter_map(first).collect();
    firsts.sort_unstable();
    firsts.dedup();
    Ok(firsts)
}

/// The whole content of a segment, compressed or not: 16 MiB, or as much more as the last group of commits had.
pub(super) fn read(disk: &dyn Disk, first: Revision) -> Result<Segment, StoreError> {
    match read_file(disk, &name(first)) {
        Ok(bytes) => Ok(Segment { name: name(first), first, bytes, damage: None }),
        // The plain file goes when the compressed one is there.
        Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            packed::unpack(disk, &packed::name(first), first)
        }
        Err(error) => Err(error),
    }
}

/// The whole content of a file of the log folder.
pub(super) fn read_file(disk: &dyn Disk, name: &str) -> Result<Vec<u8>, StoreError> {
    let failed = || StoreError::io(format!("read log/{name}"));
    let file = disk.open(name).map_err(failed())?;
    loop {
        let size = file.size().map_err(failed())?;
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(usize::MAX)];
        match file.read_at(&mut bytes, 0) {
            Ok(()) => return Ok(bytes),
            // What was set aside behind the end of the log has been given back meanwhile.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
            Err(error) => return Err(failed()(error)),
        }
    }
}

/// Shows the frames of a segment from revision `from` on. Behind damage it goes on with the next whole frame.
pub(super) fn walk(
    segment: &Segment,
    from: Revision,
    visit: &mut dyn FnMut(LogItem<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let Segment { name, first, bytes, damage } = segment;
    let mut place = Place { segment: name.clone(), offset: 0 };
    if let Some(what) = damage {
        visit(LogItem::Damage { place: &place, what: what.clone(), whose: None })?;
        if bytes.is_empty() {
            return ControlFlow::Continue(());
        }
    }
    if let Err(what) = check_header(bytes, *first) {
        visit(LogItem::Damage { place: &place, what, whose: None })?;
    }
    let (mut at, mut last) = (HEADER, first.saturating_sub(1));
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        place.offset = at as u64;
        match frame::parse(rest, false).and_then(|frame| frame::parse(rest, frame.revision >= from)) {
            Ok(frame) => {
                if frame.revision >= from {
                    visit(LogItem::Entry { place: &place, revision: frame.revision, payload: frame.payload })?;
                }
                at += frame.size();
                last = frame.revision;
            }
            Err(what) => {
                let next = frame::find(bytes, at + 1, last, |_| true).unwrap_or(bytes.len());
                let what = format!("{what}; {} bytes cannot be read", next - at);
                visit(LogItem::Damage { place: &place, what, whose: frame::whose(rest) })?;
                at = next;
            }
        }
    }
    ControlFlow::Continue(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use cap_std::ambient_authority;
    use cap_std::fs::Dir;

    use super::*;
    use crate::engine::embedded::disk::Folder;

    #[test]
    fn a_file_is_read_whole_while_room_behind_its_end_comes_and_goes() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Folder(Dir::open_ambient_dir(dir.path(), ambient_authority()).unwrap());
        let mut file = disk.create("a").unwrap();
        file.append(b"whole").unwrap();
        let enough = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !enough.load(Ordering::Relaxed) {
                    file.reserve(64 << 10).unwrap();
                    file.truncate(5).unwrap();
                }
            });
            // However the loop ends: a panic must not leave the other thread at work.
            let _ends = Ends(&enough);
            for round in 0..2_000 {
                let bytes = read_file(&disk, "a").unwrap();
                assert_eq!(bytes.get(..5), Some(&b"whole"[..]), "round {round}");
                assert!(bytes[5..].iter().all(|byte| *byte == 0), "round {round}");
            }
        });
    }

    struct Ends<'a>(&'a AtomicBool);

    impl Drop for Ends<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[test]
    fn every_flipped_bit_of_the_header_is_seen() {
        let bytes = header(42);
        assert_eq!(check_header(&bytes, 42), Ok(()));
        assert!(check_header(&bytes, 43).is_err());
        for bit in 0..HEADER * 8 {
            let mut damaged = bytes;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(check_header(&damaged, 42).is_err(), "bit {bit}");
        }
    }
}
