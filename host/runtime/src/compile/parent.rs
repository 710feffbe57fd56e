//! The child, seen from the process that serves.

use std::io::{self, Read as _, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rustix::process::{Pid, Signal, kill_process};

use super::child::Order;
use super::frame::{self, Answer};
use super::job::Made;
use crate::error::PluginError;

/// How much of what the child complains of is kept.
const COMPLAINT: u64 = 4 << 10;
/// After its last word a child has nothing left to do but to give its memory back, which takes a moment where others go first.
const LAST: Duration = Duration::from_secs(30);

/// Has it done by a child process. Whatever the bytes are, this ends in bounded time and memory.
/// Says also whether the child was behind a filter of system calls.
pub(super) fn run(program: &Path, order: &Order, bytes: &[u8]) -> Result<(Made, bool), PluginError> {
    let mut child = start(program, order).map_err(|why| PluginError::Compiler(format!("it does not start: {why}")))?;
    let talked = talk(&mut child, order, bytes);
    let ended = end(&mut child).map_err(|why| PluginError::Compiler(format!("it does not end: {why}")))?;
    let Talk { answer, complaint, late } = talked.map_err(|why| PluginError::Compiler(why.to_string()))?;
    if late {
        let why = format!("it was not done within {} s: this machine has too much to do", order.limits.wall.as_secs());
        return Err(PluginError::Compiler(why));
    }
    if !ended.success() {
        return Err(why(ended, &complaint, order));
    }
    match frame::parse::<Answer>(&answer).map(|(head, code)| (head, code.len())) {
        Some((Answer::Made { about, confined }, code)) => {
            if !confined {
                tracing::warn!("this kernel has no filter of system calls: the compiler is held by its limits alone");
            }
            Ok((frame::made(about, answer, code), confined))
        }
        Some((Answer::Refused(why), _)) => Err(why),
        None => Err(PluginError::Compiler("its answer makes no sense".into())),
    }
}

fn start(program: &Path, order: &Order) -> io::Result<Child> {
    let order = serde_json::to_string(order)?;
    let mut command = Command::new(program);
    command.arg0("backroom").arg("compile").arg(order).env_clear().current_dir("/");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
}

/// What was heard of it.
struct Talk {
    answer: Vec<u8>,
    complaint: String,
    /// It was ended because its time was up.
    late: bool,
}

/// Tells the child what there is to do and hears what it says, until it has closed its output or was ended.
fn talk(child: &mut Child, order: &Order, bytes: &[u8]) -> io::Result<Talk> {
    let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or_else(gone)?;
    let (input, output, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (mut output, errors) = (output.ok_or_else(gone)?, errors.ok_or_else(gone)?);
    let (done, late) = (Done::default(), AtomicBool::new(false));
    let end = || kill_process(pid, Signal::KILL).ok();
    std::thread::scope(|scope| {
        let talked: io::Result<_> = (|| {
            std::thread::Builder::new().spawn_scoped(scope, || feed(input, bytes))?;
            let complaint = std::thread::Builder::new().spawn_scoped(scope, || listen(errors))?;
            std::thread::Builder::new().spawn_scoped(scope, || {
                // The child is not waited for before this thread is gone, so the number is its own.
                if !done.within(order.limits.wall) {
                    late.store(true, Ordering::Relaxed);
                    end();
                }
            })?;
            let answer = hear(&mut output, frame::longest(order.limits.code))?;
            Ok((answer, complaint))
        })();
        if talked.is_err() {
            end();
        }
        drop(output);
        done.tell();
        let (answer, complaint) = talked?;
        Ok((answer, complaint.join().unwrap_or_default()))
    })
    .map(|(answer, complaint)| Talk { answer, complaint, late: late.into_inner() })
}

/// All that it says, unless it says too much.
fn hear(output: &mut impl io::Read, most: u64) -> io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    output.take(most.saturating_add(1)).read_to_end(&mut answer)?;
    if u64::try_from(answer.len()).is_ok_and(|length| length > most) {
        return Err(io::Error::other("it says more than it can have to say"));
    }
    Ok(answer)
}

/// A child that reads no further is no error: it says why.
fn feed(input: Option<ChildStdin>, bytes: &[u8]) {
    if let Some(mut input) = input {
        input.write_all(bytes).ok();
    }
}

/// The beginning of what it complains of; the rest is read and forgotten, so that nothing blocks it.
fn listen(mut errors: impl io::Read) -> String {
    let mut kept = Vec::new();
    errors.by_ref().take(COMPLAINT).read_to_end(&mut kept).ok();
    io::copy(&mut errors, &mut io::sink()).ok();
    crate::convert::clean(&String::from_utf8_lossy(&kept), 1 << 10)
}

/// Waits for its end, and sees to it.
fn end(child: &mut Child) -> io::Result<ExitStatus> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if began.elapsed() > LAST {
            child.kill()?;
            return child.wait();
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Why a child ended without an answer.
fn why(ended: ExitStatus, complaint: &str, order: &Order) -> PluginError {
    let limits = &order.limits;
    let signal = ended.signal().map(|signal| (signal, Signal::from_named_raw(signal)));
    let Some((number, signal)) = signal else {
        return PluginError::Compiler(format!("it gave up: {complaint}"));
    };
    tracing::warn!(signal = number, complaint, "the compiler was ended by a signal");
    let memory = format!("compiling it takes more than {} MiB of memory", limits.memory >> 20);
    PluginError::CompileLimit(match signal {
        Some(Signal::XCPU) => format!("compiling it takes more than {} s of processor time", limits.cpu_seconds),
        _ if complaint.contains("overflowed its stack") => "it nests too deeply for the compiler's stack".to_owned(),
        _ if complaint.contains("memory allocation") => memory,
        // What the kernel ends when the whole machine runs out.
        Some(Signal::KILL) => memory,
        _ => format!("the compiler ended by signal {number} on it"),
    })
}

/// Tells one thread that another one is through.
#[derive(Default)]
struct Done(Mutex<bool>, Condvar);

impl Done {
    fn tell(&self) {
        *self.0.lock() = true;
        self.1.notify_all();
    }

    /// Waits for it; false if it took longer.
    fn within(&self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        let mut done = self.0.lock();
        while !*done {
            if self.1.wait_until(&mut done, deadline).timed_out() {
                return *done;
            }
        }
        true
    }
}
