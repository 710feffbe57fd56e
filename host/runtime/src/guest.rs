//! What the sandbox knows of a run, wherever the component is executed: what is left of the budgets, what it has said, why it ended.
//! The office is not part of it.

use std::time::{Duration, Instant};

use backroom_domain::{Id, Instant as Moment};
use backroom_office::ledger::reports::{Narrower, too_many_rows};
use backroom_office::runs::{Fault, FaultKind, LogLevel, LogLine};
use backroom_store::records::Limits;
use serde::{Deserialize, Serialize};

use crate::convert::clean;
use crate::error::HostError;
use crate::limits::{HostTime, InHost, MAX_CARRIED, Memory, Meter, out_of_host_time};
use crate::slices::Slice;
use crate::wasi::Wasi;

/// A log line is cut here, in bytes.
pub(crate) const MAX_LINE: usize = 4 << 10;

/// Which run it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Names {
    pub(crate) installation: Option<Id>,
    pub(crate) run: Option<Id>,
    /// The run's time.
    pub(crate) now: Moment,
}

/// A guest, seen from the sandbox.
pub(crate) struct Guest {
    pub(crate) names: Names,
    pub(crate) limits: Limits,
    pub(crate) meter: Meter,
    pub(crate) host_time: HostTime,
    pub(crate) memory: Memory,
    /// What the thread had computed at the first tick of the run.
    pub(crate) first_tick: Option<Duration>,
    /// A processor, if the run takes long.
    pub(crate) slice: Option<Slice>,
    pub(crate) log: Log,
    /// None until the guest asks for something of a system; most never do.
    pub(crate) wasi: Option<Box<Wasi>>,
    /// When it has to be over.
    pub(crate) until: Instant,
    /// Why the run was ended from within a host call.
    pub(crate) fault: Option<Fault>,
}

/// What the state of an execution has in it.
pub(crate) trait Holds: Send + 'static {
    /// The guest.
    fn guest(&mut self) -> &mut Guest;
}

impl Guest {
    pub(crate) fn new(names: Names, limits: Limits) -> Self {
        let memory = Memory::new(limits.memory);
        let log = Log::new(usize::try_from(limits.log).unwrap_or(usize::MAX));
        let until = Instant::now() + Duration::from_millis(limits.wall_ms);
        let (meter, host_time) = Default::default();
        let (first_tick, slice, wasi, fault) = Default::default();
        Self { names, limits, meter, host_time, memory, first_tick, slice, log, wasi, until, fault }
    }

    /// The beginning of every host call that may be refused: counts it and the bytes it brings, and its time for as long as what it
    /// gives back lives.
    pub(crate) fn enter(&mut self, bytes: usize) -> Result<InHost, HostError> {
        self.meter.enter(&self.limits, bytes)?;
        self.check_host_time()?;
        Ok(self.host_time.enter())
    }

    /// A fault if the host calls that have ended took longer than they may.
    pub(crate) fn check_host_time(&self) -> Result<(), Fault> {
        match self.host_left() {
            Some(_) => Ok(()),
            None => Err(out_of_host_time(&self.limits)),
        }
    }

    /// What is left for host calls.
    fn host_left(&self) -> Option<Duration> {
        Duration::from_millis(self.limits.host_ms).checked_sub(self.host_time.spent())
    }

    /// When a host call that begins now has to be over.
    pub(crate) fn call_until(&self) -> Instant {
        self.until.min(Instant::now() + self.host_left().unwrap_or_default())
    }

    /// Counts bytes that a host call has to look at and that do not cross the border.
    pub(crate) fn charge(&mut self, bytes: usize) -> Result<(), HostError> {
        Ok(self.meter.carry(&self.limits, bytes)?)
    }

    /// The end of a host call that gives `bytes` to the guest.
    pub(crate) fn leave(&mut self, bytes: usize) -> Result<(), HostError> {
        self.meter.carry(&self.limits, bytes)?;
        if bytes > MAX_CARRIED {
            return Err(Fault::new(
                FaultKind::Output,
                "a host call would carry more than 1 MiB; ask for less at a time",
            )
            .into());
        }
        Ok(())
    }

    /// As [`Guest::leave`], of a report, whose size nobody knows before it is made: one that is too large is refused, and the guest
    /// asks for less.
    pub(crate) fn leave_report(&mut self, bytes: usize, narrower: Narrower) -> Result<(), HostError> {
        if bytes > MAX_CARRIED {
            self.meter.carry(&self.limits, bytes)?;
            return Err(too_many_rows("a call carries at most 1 MiB", narrower).into());
        }
        self.leave(bytes)
    }

    /// Ends the run: wasmtime unwinds the guest with this error, and the fault waits here.
    pub(crate) fn end(&mut self, fault: Fault) -> wasmtime::Error {
        let error = wasmtime::Error::msg(fault.to_string());
        self.fault = Some(fault);
        error
    }

    /// [`Guest::enter`] for functions that have no error to return.
    pub(crate) fn enter_or_end(&mut self, bytes: usize) -> wasmtime::Result<()> {
        self.meter.enter(&self.limits, bytes).map_err(|fault| self.end(fault))
    }
}

impl Guest {
    /// What was used of the budgets so far and has to be known to the other process, which gets the lines of the log as well.
    pub(crate) fn used(&mut self) -> Used {
        let Log { lines, dropped, .. } = &mut self.log;
        let (lines, dropped) = (std::mem::take(lines), std::mem::take(dropped));
        Used { calls: self.meter.calls, fuel: self.meter.fuel, lines, dropped }
    }

    /// Adds what was used in the other process, which is not believed to have used less than is known here.
    pub(crate) fn add(&mut self, used: Used) {
        self.meter.calls = self.meter.calls.max(used.calls);
        self.meter.fuel = self.meter.fuel.max(used.fuel);
        for line in used.lines {
            self.log.write(line.level, &line.message);
        }
        self.log.dropped = self.log.dropped.saturating_add(used.dropped);
    }

    /// What the budgets are at, for the other process.
    pub(crate) fn left(&self) -> Left {
        Left { calls: self.meter.calls, fuel: self.meter.fuel, log: self.log.left }
    }

    /// Goes on with the budgets as they are in the other process.
    pub(crate) fn go_on(&mut self, left: &Left) {
        (self.meter.calls, self.meter.fuel, self.log.left) = (left.calls, left.fuel, left.log);
    }
}

/// What a guest has used where it is executed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Used {
    calls: u32,
    fuel: u64,
    lines: Vec<LogLine>,
    dropped: u64,
}

/// What the budgets of a guest are at where its host calls are done.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Left {
    calls: u32,
    fuel: u64,
    log: usize,
}

/// Lines for people, up to a limit.
pub(crate) struct Log {
    pub(crate) lines: Vec<LogLine>,
    /// Lines that went beyond the limit.
    pub(crate) dropped: u64,
    /// Bytes that there is still room for.
    left: usize,
}

impl Log {
    fn new(limit: usize) -> Self {
        Self { lines: Vec::new(), dropped: 0, left: limit }
    }

    /// Keeps a line: cut, and without what would play tricks on a terminal or a log file.
    pub(crate) fn write(&mut self, level: LogLevel, message: &str) {
        let clean = clean(message, MAX_LINE);
        // An empty line takes room as well, or a flood of them would have no end.
        let size = clean.len().max(16);
        match self.left.checked_sub(size) {
            Some(left) => {
                self.left = left;
                self.lines.push(LogLine { level, message: clean });
            }
            None => self.dropped = self.dropped.saturating_add(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_cleaned_and_bounded() {
        let mut log = Log::new(10_000);
        log.write(LogLevel::Info, "a\u{1b}[31m\r\nb\u{7f}\u{85}");
        assert_eq!(log.lines[0].message, "a\u{fffd}[31m\u{fffd}\u{fffd}b\u{fffd}\u{fffd}");
        // 4,095 bytes, then a character of two bytes that does not fit any more.
        log.write(LogLevel::Warn, &format!("{}éé", "x".repeat(4_095)));
        assert_eq!(log.lines[1].message, "x".repeat(4_095));
        log.write(LogLevel::Warn, &"y".repeat(9_000));
        assert_eq!((log.lines.len(), log.lines[2].message.len(), log.dropped), (3, 4_096, 0));
        log.write(LogLevel::Warn, &"z".repeat(9_000));
        log.write(LogLevel::Error, "still room");
        assert_eq!((log.lines.len(), log.dropped), (4, 1));
    }

    #[test]
    fn empty_lines_end_too() {
        let mut log = Log::new(64);
        for _ in 0..10 {
            log.write(LogLevel::Debug, "");
        }
        assert_eq!((log.lines.len(), log.dropped), (4, 6));
    }
}
