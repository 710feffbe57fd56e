//! Virtual WASI 0.2, for languages whose runtimes insist on a system: output goes to the run's log, clocks show the run's time,
//! random numbers come from the run's id, and there are no variables, no arguments, no files and no network.
//!
//! One file per package (`wasi:io` has two). Nothing here may touch the machine, and nothing waits: whoever sleeps wakes at
//! once, at the time that they wanted. Every function counts the call and its bytes first, as those of the contract do. What a
//! guest cannot have a handle of (a descriptor, a socket) needs no code: no such handle is ever made, and a forged one ends the
//! run before the host is asked.

mod bindings;
mod cli;
mod clocks;
mod filesystem;
mod lines;
mod poll;
mod random;
mod sockets;
mod streams;

use backroom_office::runs::{Fault, FaultKind, LogLevel};
use wasmtime::component::{HasSelf, Linker, Resource, ResourceTable};

use crate::guest::{Guest, Holds};
use crate::limits::{MAX_CARRIED, MAX_HANDLES};
use clocks::Monotonic;
use lines::Lines;
use random::Random;

/// The world that is linked names every interface that there is.
const WORLD: &str = include_str!("../../wasi/world.wit");

/// The names of these interfaces, without their version.
fn interfaces() -> impl Iterator<Item = &'static str> {
    WORLD.lines().filter_map(|line| Some(line.trim().strip_prefix("import ")?.split_once('@')?.0))
}

/// Is it an interface of WASI 0.2 that is here? Functions of a newer 0.2 that are not there yet are refused by the linker.
pub(crate) fn is_known(import: &str) -> bool {
    let Some((name, version)) = import.rsplit_once('@') else { return false };
    let version = semver::Version::parse(version);
    version.is_ok_and(|v| (v.major, v.minor) == (0, 2) && v.pre.is_empty()) && interfaces().any(|known| known == name)
}

pub(crate) fn add_to_linker<T: Holds>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    // What is not part of WASI 0.2 yet stays out.
    let released = bindings::LinkOptions::default();
    bindings::Observe::add_to_linker::<_, HasSelf<Guest>>(linker, &released, Holds::guest)
}

/// What the host keeps for the WASI calls of one run: made at the first one.
pub(crate) struct Wasi {
    handles: ResourceTable,
    monotonic: Monotonic,
    random: Random,
    out: Lines,
    err: Lines,
}

impl Wasi {
    fn new(random: Random) -> Self {
        let mut handles = ResourceTable::new();
        handles.set_max_capacity(MAX_HANDLES);
        Self { handles, monotonic: Monotonic::default(), random, out: Lines::default(), err: Lines::default() }
    }
}

impl Guest {
    /// The beginning of every function here: counts the call and the bytes that it carries, either way.
    fn observe(&mut self, bytes: usize) -> wasmtime::Result<&mut Wasi> {
        self.enter_or_end(bytes)?;
        let names = &self.names;
        let random = || Random::new(names.installation.as_ref(), names.run.as_ref());
        Ok(self.wasi.get_or_insert_with(|| Box::new(Wasi::new(random()))))
    }

    /// As [`Guest::observe`], for a length that the guest names and that is not there yet.
    fn observe_length(&mut self, length: u64) -> wasmtime::Result<(usize, &mut Wasi)> {
        match usize::try_from(length).ok().filter(|length| *length <= MAX_CARRIED) {
            Some(length) => Ok((length, self.observe(length)?)),
            None => {
                self.enter_or_end(0)?;
                let message =
                    format!("a host call would carry {length} bytes, more than 1 MiB; ask for less at a time");
                Err(self.end(Fault::new(FaultKind::Output, message)))
            }
        }
    }

    /// A handle for the guest.
    fn hand_out<T: Send + 'static>(&mut self, resource: T) -> wasmtime::Result<Resource<T>> {
        match self.observe(0)?.handles.push(resource) {
            Ok(handle) => Ok(handle),
            Err(_full) => {
                let message = format!("more than {MAX_HANDLES} handles at a time; drop those that are not needed");
                Err(self.end(Fault::new(FaultKind::Handles, message)))
            }
        }
    }

    /// The guest gives a handle back.
    fn take_back<T: Send + 'static>(&mut self, handle: Resource<T>) -> wasmtime::Result<()> {
        // Dropping frees what is charged for, so it is no call; it takes one to get each.
        if let Some(wasi) = &mut self.wasi {
            wasi.handles.delete(handle)?;
        }
        Ok(())
    }

    /// What was written without an end of line is a line as well when the run ends, however it ends.
    pub(crate) fn finish_lines(&mut self) {
        let Self { wasi: Some(wasi), log, .. } = self else { return };
        wasi.out.finish(|line| log.write(LogLevel::Info, line));
        wasi.err.finish(|line| log.write(LogLevel::Warn, line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_are_known_by_name_and_version() {
        assert_eq!(interfaces().count(), 27);
        let rows = [
            ("wasi:io/poll@0.2.0", true),
            ("wasi:io/poll@0.2.9", true),
            ("wasi:io/poll@0.2.99", true),
            ("wasi:io/poll@0.3.0", false),
            ("wasi:io/poll@0.2.0-rc-2023-11-10", false),
            ("wasi:io/poll", false),
            ("wasi:io/polling@0.2.0", false),
            ("wasi:clocks/timezone@0.2.0", false),
            ("wasi:cli/run@0.2.0", false),
            ("wasi:http/outgoing-handler@0.2.0", false),
            ("wasi:nn/graph@0.2.0", false),
        ];
        for (import, known) in rows {
            assert_eq!(is_known(import), known, "{import}");
        }
    }
}
