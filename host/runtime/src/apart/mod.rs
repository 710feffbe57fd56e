//! Tenants whose components run in processes of their own: for those who may not share one, whatever a sandbox promises.
//!
//! ```text
//! service   Apart::run: rights, budgets, office, store       one process of the tenant, locked in
//!           calls::answer    <- call, used so far <-         inmate: the same sandbox, no file, no socket, no key
//!                            -> answer, what is left ->
//! ```
//!
//! A process serves one installation of one tenant, one run at a time, and is kept for the next one. It has nothing of the tenant but what
//! the running guest was given: every call is checked, charged and done by the service, as for a guest beside it, and a run has the same
//! effects, fuel and log in either. Whoever breaks out of the sandbox there finds a process that the kernel lets do nothing but
//! compute and talk to the service as that installation; only what it says of its own computing (fuel, memory) is believed. Where
//! the kernel has no filter of system calls, such a tenant's runs are refused.
//!
//! Its long runs take no turns with those of others (see `slices`): the kernel gives each process a third of what the service gets.

mod calls;
mod inmate;
mod words;

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use backroom_domain::Id;
use backroom_office::runs::{Fault, FaultKind};
use backroom_store::TenantNo;
use parking_lot::Mutex;

pub use self::inmate::run_as_child;
use self::words::{Opening, Order, Start, Word, hear, say};
use crate::compile::Compiler;
use crate::exec::{Ended, panicked};
use crate::limits::HOSTCALL_FUEL;
use crate::plugin::Plugin;
use crate::profile::Layout;
use crate::state::RunState;

/// How long a process may take to be ready and to load the plugin: a machine with much to do takes a second or two.
const STARTING: Duration = Duration::from_secs(20);
/// How much later than its guest's time is up it has to have said so. It stops the guest itself; this is for one that does not.
const LATE: Duration = Duration::from_secs(2);
/// The most that a host call brings, which takes up to a fifth more here than in the guest, or an output, of 1 MiB.
const LONGEST_WITH: usize = HOSTCALL_FUEL / 4 * 5;
/// With lines of a log of at most 1 MiB, the shortest of which (16 bytes, as they are counted) takes no more here.
const LONGEST: u32 = 4 << 20;
/// A process without a run for so long is ended as soon as somebody looks: when another run is done, or figures are asked for.
const IDLE: Duration = Duration::from_secs(60);
/// Processes that wait for a run, of all tenants. Each takes some 20 MiB and what its guests have touched.
const WAITING: usize = 32;

/// The processes of tenants that have their own.
pub(crate) struct Apart {
    /// None where this process compiles itself: that is for tests and measurements.
    program: Option<PathBuf>,
    opening: Opening,
    /// The one that was used last is the last one.
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    of: Of,
    since: Instant,
    process: Process,
}

/// Whom a process serves.
#[derive(Debug, PartialEq, Eq)]
struct Of {
    tenant: TenantNo,
    installation: Option<Id>,
    /// Of the plugin.
    digest: String,
}

impl Apart {
    /// Processes are started from the program that is the compiler as well.
    pub(crate) fn new(compiler: &Compiler, layout: Layout, max_memory: u64) -> Self {
        let program = match compiler {
            Compiler::InProcess => None,
            Compiler::Child { program } => Some(program.clone()),
        };
        Self { program, opening: Opening { layout, max_memory }, idle: Mutex::default() }
    }

    /// Processes that wait for a run.
    pub(crate) fn waiting(&self) -> usize {
        self.sweep();
        self.idle.lock().len()
    }

    /// Whether a process for a tenant can be started and locks itself in; says why not.
    pub(crate) fn probe(&self) -> Result<(), String> {
        self.begin().map(drop)
    }

    /// A new process that is ready.
    fn begin(&self) -> Result<Process, String> {
        let program = self.program.as_ref().ok_or("this service was set up without a program for them")?;
        let mut process = Process::start(program, &self.opening).map_err(|why| why.to_string())?;
        match process.begin() {
            Ok(()) => Ok(process),
            Err(why) => Err(process.broken(&why)),
        }
    }

    /// Runs a guest in a process of the tenant of its unit of work. Its time begins once that is ready.
    pub(crate) fn run(&self, plugin: &Plugin, mut state: RunState, input: &str) -> (RunState, Ended) {
        let (tenant, installation) = (state.work.tx().tenant(), state.guest.names.installation.clone());
        let of = Of { tenant, installation, digest: plugin.digest().to_owned() };
        let mut process = match self.ready(&of, plugin) {
            Ok(process) => process,
            Err(why) => return (state, not_begun(&of, &why)),
        };
        state.guest.until = Instant::now() + Duration::from_millis(state.guest.limits.wall_ms);
        let broke = match process.run(&mut state, input) {
            Ok(ended) => {
                self.keep(of, process);
                return (state, ended);
            }
            Err(broke) => broke,
        };
        let status = process.end();
        tracing::error!(?of, ?status, why = %broke.why, "the process of a tenant was ended in a run");
        let late = broke.why.kind() == io::ErrorKind::TimedOut;
        let fault = match broke.fault {
            // What the service itself had to say counts, whatever became of the process.
            Some(fault) => fault,
            None if late => Fault::new(FaultKind::Deadline, "its process did not end when its time was up"),
            // It may be sent again: nothing was done for it.
            None if !broke.called => return (state, not_begun(&of, &broke.why.to_string())),
            None => Fault::new(FaultKind::Internal, "its process broke off; tell the operator of the service"),
        };
        (state, Ended { returned: Err(fault), fuel: 0 })
    }

    /// A process for it that has the plugin.
    fn ready(&self, of: &Of, plugin: &Plugin) -> Result<Process, String> {
        let found = {
            let mut idle = self.idle.lock();
            let at = idle.iter().rposition(|idle| idle.of == *of);
            at.map(|at| idle.remove(at).process)
        };
        // One that was killed meanwhile is replaced.
        if let Some(mut process) = found
            && process.is_there()
        {
            return Ok(process);
        }
        let mut process = self.begin()?;
        match process.load(plugin) {
            Ok(()) => Ok(process),
            Err(why) => Err(process.broken(&why)),
        }
    }

    fn keep(&self, of: Of, process: Process) {
        self.idle.lock().push(Idle { of, since: Instant::now(), process });
        self.sweep();
    }

    /// Ends those that are too many, have waited for too long, or have ended by themselves.
    fn sweep(&self) {
        let gone: Vec<Idle> = {
            let mut idle = self.idle.lock();
            let over = idle.len().saturating_sub(WAITING);
            let mut at = 0;
            let goes = |idle: &mut Idle| {
                at += 1;
                at <= over || idle.since.elapsed() > IDLE || !idle.process.is_there()
            };
            idle.extract_if(.., goes).collect()
        };
        // Waits for their end, and holds nobody up meanwhile.
        drop(gone);
    }
}

/// Nothing of the run's own: it may be sent again.
fn not_begun(of: &Of, why: &str) -> Ended {
    tracing::error!(?of, why, "no process for a tenant");
    let message = format!("no process of the tenant's own can be had: {why}");
    Ended { returned: Err(Fault::new(FaultKind::Busy, message)), fuel: 0 }
}

/// How a process broke off in a run.
struct Broke {
    why: io::Error,
    /// The service had told it to end by this.
    fault: Option<Fault>,
    /// It had asked for a host call.
    called: bool,
}

/// A process of a tenant, which ends when this is dropped.
struct Process {
    child: Child,
    stream: UnixStream,
    /// When it has to be ready.
    until: Instant,
}

impl Process {
    fn start(program: &PathBuf, opening: &Opening) -> io::Result<Self> {
        let (stream, theirs) = UnixStream::pair()?;
        let output = OwnedFd::from(theirs.try_clone()?);
        let mut command = Command::new(program);
        command.arg0("backroom").arg("run-apart").arg(serde_json::to_string(opening)?).env_clear().current_dir("/");
        // What it complains of nobody needs to see who reads the service's own log.
        let child = command.stdin(OwnedFd::from(theirs)).stdout(output).stderr(Stdio::null()).spawn()?;
        drop(command);
        Ok(Self { child, stream, until: Instant::now() + STARTING })
    }

    /// Waits until it is ready and locked in.
    fn begin(&mut self) -> io::Result<()> {
        match self.hear(self.until)? {
            (Word::Ready { confined: true }, _) => Ok(()),
            (Word::Ready { confined: false }, _) => Err(io::Error::other(
                "this kernel has no filter of system calls (seccomp), so it could not be locked in",
            )),
            _ => Err(strange()),
        }
    }

    /// Has it load the plugin that it is for.
    fn load(&mut self, plugin: &Plugin) -> io::Result<()> {
        let code = plugin.component.serialize().map_err(io::Error::other)?;
        self.say(&Order::Load, &code, self.until)?;
        match self.hear(self.until)? {
            (Word::Loaded(ready), _) => ready.map_err(io::Error::other),
            _ => Err(strange()),
        }
    }

    fn is_there(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    fn run(&mut self, state: &mut RunState, input: &str) -> Result<Ended, Broke> {
        let (mut fault, mut called) = (None, false);
        self.follow(state, input, &mut fault, &mut called).map_err(|why| Broke { why, fault, called })
    }

    /// One run, from its input to its end; notes a fault that was told, which stands, whatever comes after it.
    fn follow(
        &mut self,
        state: &mut RunState,
        input: &str,
        fault: &mut Option<Fault>,
        called: &mut bool,
    ) -> io::Result<Ended> {
        let guest = &state.guest;
        let until = guest.until + LATE;
        let start = Start {
            names: guest.names.clone(),
            limits: guest.limits,
            left: guest.until.saturating_duration_since(Instant::now()),
            fails_at: guest.meter.fails_at,
        };
        self.say(&Order::Run(start), input.as_bytes(), until)?;
        loop {
            match self.hear(until)? {
                (Word::Call { used, function }, arguments) => {
                    // Nobody asks for more than may cross, or goes on behind the end.
                    if fault.is_some() || arguments.len() > LONGEST_WITH {
                        return Err(strange());
                    }
                    *called = true;
                    state.guest.add(used);
                    let done = catch_unwind(AssertUnwindSafe(|| calls::answer(state, &function, &arguments)));
                    let answer = match done {
                        Ok(answer) => answer.ok_or_else(strange)?,
                        Err(_panic) => inmate::end_with(panicked()),
                    };
                    *fault = inmate::fault_in(&answer);
                    self.say(&Order::Answer(state.guest.left()), &answer, until)?;
                }
                (Word::Done { used, fuel, peak_memory, returned }, _) => {
                    state.guest.add(used);
                    state.guest.memory.peak = peak_memory;
                    return Ok(Ended { returned: fault.take().map_or(returned, Err), fuel });
                }
                _ => return Err(strange()),
            }
        }
    }

    fn say(&mut self, order: &Order, with: &[u8], until: Instant) -> io::Result<()> {
        say(&mut Until { stream: &self.stream, until }, order, with)
    }

    fn hear(&mut self, until: Instant) -> io::Result<(Word, Vec<u8>)> {
        hear(&mut Until { stream: &self.stream, until }, LONGEST)
    }

    /// Why it is of no use, and how it ended.
    fn broken(&mut self, why: &io::Error) -> String {
        format!("{why} ({})", self.end().map_or_else(|why| why.to_string(), |status| status.to_string()))
    }

    /// Ends it, and says how it ended.
    fn end(&mut self) -> io::Result<std::process::ExitStatus> {
        if let Some(status) = self.child.try_wait()? {
            return Ok(status);
        }
        self.child.kill()?;
        self.child.wait()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already.
        self.end().ok();
    }
}

fn strange() -> io::Error {
    io::Error::other("what it says makes no sense")
}

/// A stream until a moment.
struct Until<'a> {
    stream: &'a UnixStream,
    until: Instant,
}

impl Until<'_> {
    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }
}

fn timed_out(why: io::Error) -> io::Error {
    if why.kind() == io::ErrorKind::WouldBlock { io::ErrorKind::TimedOut.into() } else { why }
}

impl io::Read for Until<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        self.stream.read(into).map_err(timed_out)
    }
}

impl io::Write for Until<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(bytes).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_process_for_a_tenant_is_found_out_before_a_guest_is_given_to_it() {
        let probe = |compiler: Compiler| Apart::new(&compiler, Layout::Reserved, 1 << 20).probe().unwrap_err();
        // None was named; it is not there; it says nothing; it says something else.
        for (compiler, part) in [
            (Compiler::InProcess, "without a program"),
            (Compiler::Child { program: "/nonexistent".into() }, "os error 2"),
            (Compiler::Child { program: "/bin/true".into() }, "fill whole buffer"),
            (Compiler::Child { program: "/bin/echo".into() }, "more than it can have to say"),
        ] {
            let why = probe(compiler);
            assert!(why.contains(part), "{why}");
        }
    }

    #[test]
    fn nobody_is_listened_to_for_longer_than_until() {
        let (stream, _silent) = UnixStream::pair().unwrap();
        let until = Instant::now() + Duration::from_millis(20);
        let heard = hear::<Word>(&mut Until { stream: &stream, until }, LONGEST);
        assert_eq!(heard.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(Instant::now() >= until);
        // Nor talked to: the other end does not take it.
        let until = Instant::now() + Duration::from_millis(20);
        let said = say(&mut Until { stream: &stream, until }, &Order::Load, &vec![0; 16 << 20]);
        assert_eq!(said.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
