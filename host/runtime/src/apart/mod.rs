//! Tenants whose components run in processes of their own: for those who may not share one, whatever a sandbox promises.
//!
//! ```text
//! service   Apart::run: rights, budgets, office, store       one process of the tenant, locked in
//!           calls::answer    <- call, used so far <-         inmate: the same sandbox, no file, no socket, no key
//!                            -> answer, what is left ->
//! ```
//!
//! A process serves one tenant and one run at a time, and is kept for the next one. It has nothing of the tenant but what the running
//! guest was given: every call is checked, charged and done by the service, as for a guest beside it, and a run has the same
//! effects, fuel and log in either. Whoever breaks out of the sandbox there finds a process that the kernel lets do nothing but
//! compute and talk to the service, as the guest that it was; only what it says of its own computing (fuel, memory) is believed. Where
//! the kernel has no filter of system calls, such a tenant's runs are refused.

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

use backroom_office::runs::{Fault, FaultKind};
use backroom_store::TenantNo;
use parking_lot::Mutex;

pub use self::inmate::run_as_child;
use self::words::{Opening, Order, Start, Word, hear, say};
use crate::compile::Compiler;
use crate::exec::{Ended, panicked};
use crate::plugin::Plugin;
use crate::profile::Layout;
use crate::state::RunState;

/// How long a process may take to be ready: a machine with much to do takes a second.
const STARTING: Duration = Duration::from_secs(30);
/// How long a process may take to load compiled code, of which there are some 40 MiB at most.
const LOADING: Duration = Duration::from_secs(30);
/// How much later than its guest's time is up it has to have said so. It stops the guest itself; this is for one that does not.
const LATE: Duration = Duration::from_secs(2);
/// The longest that it can have to say: 1 MiB of a host call or an output, which may take a fifth more here, and a log.
const LONGEST: u32 = 64 << 20;
/// A process without a run for so long is ended when the next one of any tenant is done.
const IDLE: Duration = Duration::from_secs(60);
/// Processes that wait for a run, of all tenants. Each takes some 10 MiB and what its guests have touched.
const WAITING: usize = 32;
/// Plugins that one process holds; with more, a new one is started.
const LOADED: usize = 16;

/// The processes of tenants that have their own.
pub(crate) struct Apart {
    /// None where this process compiles itself: that is for tests and measurements.
    program: Option<PathBuf>,
    opening: Opening,
    /// The one that was used last is the last one.
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    tenant: TenantNo,
    since: Instant,
    process: Process,
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

    /// Runs a guest in a process of the tenant of its unit of work.
    pub(crate) fn run(&self, plugin: &Plugin, mut state: RunState, input: &str) -> (RunState, Ended) {
        let tenant = state.work.tx().tenant();
        let mut process = match self.ready(tenant, plugin) {
            Ok(process) => process,
            Err(why) => {
                tracing::error!(%tenant, why, "no process for the tenant");
                // Nothing has begun: it may be sent again.
                let message = format!("no process of the tenant's own can be had: {why}");
                return (state, Ended { returned: Err(Fault::new(FaultKind::Busy, message)), fuel: 0 });
            }
        };
        match process.run(plugin, &mut state, input) {
            Ok(ended) => {
                self.keep(tenant, process);
                (state, ended)
            }
            Err(why) => {
                let late = why.kind() == io::ErrorKind::TimedOut;
                tracing::error!(%tenant, %why, status = ?process.end(), "the process of a tenant was ended in a run");
                let fault = match late {
                    true => Fault::new(FaultKind::Deadline, "its process did not end when its time was up"),
                    false => Fault::new(FaultKind::Internal, "its process broke off; tell the operator of the service"),
                };
                (state, Ended { returned: Err(fault), fuel: 0 })
            }
        }
    }

    /// A process of the tenant that has the plugin.
    fn ready(&self, tenant: TenantNo, plugin: &Plugin) -> Result<Process, String> {
        let found = {
            let mut idle = self.idle.lock();
            let at = idle.iter().rposition(|idle| idle.tenant == tenant);
            at.map(|at| idle.remove(at).process)
        };
        // One that was killed meanwhile is replaced; so is one that is full.
        if let Some(mut process) = found
            && process.loaded.len() < LOADED
            && process.load(plugin).is_ok()
        {
            return Ok(process);
        }
        let mut process = self.begin()?;
        match process.load(plugin) {
            Ok(()) => Ok(process),
            Err(why) => Err(process.broken(&why)),
        }
    }

    fn keep(&self, tenant: TenantNo, process: Process) {
        let mut idle = self.idle.lock();
        idle.push(Idle { tenant, since: Instant::now(), process });
        let over = idle.len().saturating_sub(WAITING);
        let late = idle.iter().take_while(|idle| idle.since.elapsed() > IDLE).count();
        let gone: Vec<Idle> = idle.drain(..over.max(late)).collect();
        drop(idle);
        // Waits for their end.
        drop(gone);
    }
}

/// A process of a tenant, which ends when this is dropped.
struct Process {
    child: Child,
    stream: UnixStream,
    loaded: Vec<String>,
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
        Ok(Self { child, stream, loaded: Vec::new() })
    }

    /// Waits until it is ready and locked in.
    fn begin(&mut self) -> io::Result<()> {
        match self.hear(Instant::now() + STARTING)? {
            (Word::Ready { confined: true }, _) => Ok(()),
            (Word::Ready { confined: false }, _) => Err(io::Error::other(
                "this kernel has no filter of system calls (seccomp), so it could not be locked in",
            )),
            _ => Err(strange()),
        }
    }

    /// Has it load a plugin, unless it has it.
    fn load(&mut self, plugin: &Plugin) -> io::Result<()> {
        if self.loaded.iter().any(|digest| digest == plugin.digest()) {
            // Whether it is still there the run will tell, which would be too late.
            return if self.child.try_wait()?.is_some() { Err(strange()) } else { Ok(()) };
        }
        let code = plugin.component.serialize().map_err(io::Error::other)?;
        let until = Instant::now() + LOADING;
        self.say(&Order::Load(plugin.digest().to_owned()), &code, until)?;
        match self.hear(until)? {
            (Word::Loaded(Ok(())), _) => {
                self.loaded.push(plugin.digest().to_owned());
                Ok(())
            }
            (Word::Loaded(Err(why)), _) => Err(io::Error::other(why)),
            _ => Err(strange()),
        }
    }

    fn run(&mut self, plugin: &Plugin, state: &mut RunState, input: &str) -> io::Result<Ended> {
        let guest = &state.guest;
        let until = guest.until + LATE;
        let start = Start {
            digest: plugin.digest().to_owned(),
            names: guest.names.clone(),
            limits: guest.limits,
            left: guest.until.saturating_duration_since(Instant::now()),
            fails_at: guest.meter.fails_at,
        };
        self.say(&Order::Run(start), input.as_bytes(), until)?;
        // A fault that was told stands, whatever comes after it.
        let mut fault = None;
        loop {
            match self.hear(until)? {
                (Word::Call { used, function }, arguments) => {
                    if fault.is_some() {
                        return Err(strange());
                    }
                    state.guest.add(used);
                    let done = catch_unwind(AssertUnwindSafe(|| calls::answer(state, &function, &arguments)));
                    let answer = match done {
                        Ok(answer) => answer.ok_or_else(strange)?,
                        Err(_panic) => inmate::end_with(panicked()),
                    };
                    fault = inmate::fault_in(&answer);
                    self.say(&Order::Answer(state.guest.left()), &answer, until)?;
                }
                (Word::Done { used, fuel, peak_memory, returned }, _) => {
                    state.guest.add(used);
                    state.guest.memory.peak = peak_memory;
                    return Ok(Ended { returned: fault.map_or(returned, Err), fuel });
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
