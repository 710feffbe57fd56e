//! How a child locks itself in, before it sees a byte of a component.

use std::collections::BTreeMap;
use std::io;

use rustix::process::{DumpableBehavior, Resource, Rlimit, Signal, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

use crate::compile::CompileLimits;

/// First of all: no dump with the component in it, nothing open that was inherited, and whoever serves goes first.
pub(crate) fn let_go() -> io::Result<()> {
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    close_inherited()?;
    // A third of what others get. A pity, but no danger, if it cannot be.
    rustix::process::nice(5).ok();
    Ok(())
}

/// No life without the thread that started this process.
pub(crate) fn die_with_parent() -> io::Result<()> {
    Ok(rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?)
}

/// Everything but standard input, output and error. What the parent opens is closed by the kernel when this program starts,
/// unless somebody forgot to say so.
fn close_inherited() -> io::Result<()> {
    let names: Vec<_> = std::fs::read_dir("/proc/self/fd")?.map(|entry| entry.map(|entry| entry.file_name())).collect();
    for name in names {
        let Some(number) = name?.to_str().and_then(|name| name.parse().ok()).filter(|number| *number > 2) else {
            continue;
        };
        #[expect(unsafe_code, reason = "there is no safe way to close what nobody here opened")]
        // SAFETY: this is the first thing that the process does, on its only thread: nothing in it has opened anything that it
        // still relies on. One of the numbers was the folder that was read, which is closed by now.
        unsafe {
            rustix::io::close(number);
        }
    }
    Ok(())
}

fn to(limit: u64) -> Rlimit {
    Rlimit { current: Some(limit), maximum: Some(limit) }
}

/// Locks a compiler in: limits, no rights to be gained, and where the kernel has it, a filter of system calls, for all threads. True
/// if the filter is in force.
pub(crate) fn lock_in_compiler(limits: &CompileLimits) -> io::Result<bool> {
    // What each thread's allocator sets aside, by the number of processors and by chance, and touches little of.
    const SET_ASIDE: u64 = 1 << 30;
    setrlimit(Resource::Data, to(limits.memory))?;
    setrlimit(Resource::As, to(limits.memory.saturating_add(SET_ASIDE)))?;
    // The first limit is told by a signal of its own, the second is not negotiable.
    let cpu = Rlimit { current: Some(limits.cpu_seconds), maximum: Some(limits.cpu_seconds.saturating_add(1)) };
    setrlimit(Resource::Cpu, cpu)?;
    setrlimit(Resource::Core, to(0))?;
    setrlimit(Resource::Fsize, to(0))?;
    setrlimit(Resource::Nofile, to(3))?;
    enforce(compiler())
}

/// Locks a process in that runs components, as [`lock_in_compiler`] does. The memory of a guest is bounded by the sandbox, and here
/// so that whoever gets out of it cannot use the machine's up: `max_memory` of guests and what there is beside.
pub(crate) fn lock_in_runner(max_memory: u64) -> io::Result<bool> {
    // Some 1 GiB are set aside with the pool, of which hardly anything is touched; compiled code of at most 256 MiB, once as it came and
    // once in its place; tables, stacks.
    const BESIDE: u64 = 3 << 30;
    // The line twice, standard error, what the kernel says of its pages, and beginnings of guests' memories.
    const FILES: u64 = 128;
    setrlimit(Resource::Core, to(0))?;
    setrlimit(Resource::Data, to(max_memory.saturating_add(BESIDE)))?;
    setrlimit(Resource::Fsize, to(max_memory))?;
    setrlimit(Resource::Nofile, to(FILES))?;
    enforce(runner())
}

/// Whoever runs out of memory ends this process before others, if the kernel lets it say so.
pub(crate) fn go_first() {
    std::fs::write("/proc/self/oom_score_adj", "1000").ok();
}

fn enforce(rules: Result<Rules, seccompiler::BackendError>) -> io::Result<bool> {
    let filter = rules.and_then(filter);
    let filter = filter.map_err(|why| io::Error::other(format!("the filter of system calls: {why}")))?;
    // Sets `no_new_privs` first, without which no filter would be taken.
    match seccompiler::apply_filter_all_threads(&filter) {
        Ok(()) => Ok(true),
        Err(seccompiler::Error::Seccomp(_)) => Ok(false),
        Err(why) => Err(io::Error::other(why)),
    }
}

/// What is let through, under which conditions; under any, if there are none.
type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn filter(rules: Rules) -> Result<BpfProgram, seccompiler::BackendError> {
    let refused = SeccompAction::Errno(u32::try_from(libc::EPERM).unwrap_or(1));
    SeccompFilter::new(rules, refused, SeccompAction::Allow, TargetArch::try_from(std::env::consts::ARCH)?)?.try_into()
}

fn only(condition: SeccompCondition) -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    Ok(vec![SeccompRule::new(vec![condition])?])
}

/// Memory, the pipes, waiting for one's own threads, and dying. No file or socket can be opened, no thread or process started, nobody
/// else signalled. All else answers that it is not permitted, which the libraries live with.
fn common() -> Result<Rules, seccompiler::BackendError> {
    let always = [
        libc::SYS_read,
        libc::SYS_readv,
        libc::SYS_write,
        libc::SYS_writev,
        libc::SYS_close,
        libc::SYS_munmap,
        libc::SYS_madvise,
        libc::SYS_brk,
        libc::SYS_futex,
        libc::SYS_sched_yield,
        libc::SYS_sched_getaffinity,
        libc::SYS_sigaltstack,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_restart_syscall,
        libc::SYS_getrandom,
        libc::SYS_clock_gettime,
        libc::SYS_clock_nanosleep,
        libc::SYS_getpid,
        libc::SYS_gettid,
        libc::SYS_exit,
        libc::SYS_exit_group,
    ];
    let own = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, std::process::id().into())?;
    let mut rules: Rules = always.into_iter().map(|call| (call, Vec::new())).collect();
    // Keeps what the memory was.
    rules.insert(libc::SYS_mremap, Vec::new());
    // How a process ends itself after a mistake.
    rules.insert(libc::SYS_tgkill, only(own)?);
    Ok(rules)
}

/// Of the common ones, and with memory that cannot be executed.
fn compiler() -> Result<Rules, seccompiler::BackendError> {
    let executable = u64::try_from(libc::PROT_EXEC).unwrap_or(u64::MAX);
    let without = || SeccompCondition::new(2, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(executable), 0);
    let mut rules = common()?;
    rules.insert(libc::SYS_mmap, only(without()?)?);
    rules.insert(libc::SYS_mprotect, only(without()?)?);
    Ok(rules)
}

/// Of the common ones, and with memory that holds compiled code or the beginning of a guest's memory, which the kernel is asked about.
fn runner() -> Result<Rules, seccompiler::BackendError> {
    // PAGEMAP_SCAN of `linux/fs.h`: which pages were written.
    const PAGEMAP_SCAN: u64 = 0xc060_6610;
    let mut rules = common()?;
    for call in [libc::SYS_mmap, libc::SYS_mprotect, libc::SYS_memfd_create, libc::SYS_ftruncate] {
        rules.insert(call, Vec::new());
    }
    rules.insert(libc::SYS_ioctl, one_of(1, &[PAGEMAP_SCAN])?);
    // Of `fcntl` the seals of such memory: with others, a process has the kernel signal whom it likes.
    rules.insert(libc::SYS_fcntl, one_of(1, &[libc::F_ADD_SEALS, libc::F_GET_SEALS].map(number))?);
    // Of `madvise` what gives memory back: others harm the machine, if a privileged user asks for them.
    rules.insert(libc::SYS_madvise, one_of(2, &[libc::MADV_DONTNEED, libc::MADV_FREE].map(number))?);
    Ok(rules)
}

fn number(value: i32) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

/// One of these as the argument at a place, from 0 on.
fn one_of(place: u8, values: &[u64]) -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    let rule = |value: &u64| {
        SeccompRule::new(vec![SeccompCondition::new(place, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, *value)?])
    };
    values.iter().map(rule).collect()
}
