//! A data directory: whether its disk keeps what it says it has, how fast, and who else may read the keys of persons.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use backroom_store::backup::is_restoring;

use super::{Findings, State};
use crate::bench::disk;
use crate::exit::Failure;
use crate::service::MASTER_KEY_FILE;

/// File systems in memory, by their magic numbers: a sync means nothing there.
const IN_MEMORY: [(u64, &str); 2] = [(0x0102_1994, "tmpfs"), (0x8584_58f6, "ramfs")];
/// How long the disk is measured.
const MEASURE: Duration = Duration::from_millis(500);

pub(super) fn look(dir: &Path, findings: &mut Findings) {
    let about = "data directory";
    if is_restoring(dir) {
        let detail = format!("a restore into {} was not finished: ask for the same restore again", dir.display());
        return findings.add(about, "found", State::Bad, detail);
    }
    if !dir.join("log").is_dir() {
        return findings.add(about, "found", State::Bad, format!("{} is no data directory", dir.display()));
    }
    findings.add(about, "found", State::Ok, dir.display().to_string());
    file_system(dir, findings);
    syncs(dir, findings);
    readers(dir, findings);
    master_key(findings);
}

fn file_system(dir: &Path, findings: &mut Findings) {
    let (state, detail) = match rustix::fs::statfs(dir) {
        Err(why) => (State::Warning, format!("cannot be told: {why}")),
        Ok(found) => {
            let magic = u64::try_from(found.f_type).unwrap_or_default();
            match IN_MEMORY.iter().find(|(number, _)| *number == magic) {
                Some((_, name)) => (State::Bad, format!("{name}: what is acknowledged is lost when the machine stops")),
                None => (State::Ok, format!("on a disk (type {magic:#x})")),
            }
        }
    };
    findings.add("data directory", "file system", state, detail);
}

/// A folder of its own in the directory, so that it is the same disk.
fn syncs(dir: &Path, findings: &mut Findings) {
    let measured = tempfile::Builder::new().prefix("spare-doctor").tempdir_in(dir);
    let measured = measured.map_err(|error| Failure::Unavailable(error.into()));
    let measured = measured.and_then(|place| disk::measure(place.path(), MEASURE));
    let (state, detail) = match measured {
        Err(failure) => (State::Bad, format!("the disk cannot be written: {}", failure.to_json())),
        Ok(syncs) => (State::Ok, format!("{:.0} fdatasync a second, one after the other", syncs.per_second)),
    };
    findings.add("data directory", "syncs", state, detail);
}

/// Whether others than the owner may read the keys of persons.
fn readers(dir: &Path, findings: &mut Findings) {
    let keys = dir.join("keys");
    let (state, detail) = match std::fs::metadata(&keys) {
        Err(_) => (State::Info, "there are none yet".to_owned()),
        Ok(found) if found.mode() & 0o077 == 0 => (State::Ok, "only their owner may read them".to_owned()),
        Ok(found) => (State::Bad, format!("{} has mode {:o}: make it 700", keys.display(), found.mode() & 0o777)),
    };
    findings.add("data directory", "keys of persons", state, detail);
}

fn master_key(findings: &mut Findings) {
    let (state, detail) = match std::env::var_os(MASTER_KEY_FILE) {
        None => (
            State::Warning,
            format!("{MASTER_KEY_FILE} is not set: whoever can read the folder `keys` can read personal data"),
        ),
        Some(file) => match std::fs::metadata(&file) {
            Err(why) => (State::Bad, format!("{}: {why}", Path::new(&file).display())),
            Ok(found) if found.mode() & 0o077 == 0 => (State::Ok, "only its owner may read it".to_owned()),
            Ok(found) => {
                (State::Bad, format!("{} has mode {:o}: make it 600", Path::new(&file).display(), found.mode() & 0o777))
            }
        },
    };
    findings.add("data directory", "master key", state, detail);
}
