//! The compiler's child process: what it is left, and what becomes of components that are made to harm a compiler.

use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use backroom_runtime::{CompileLimits, CompileOptions, Compiler, PluginError, Runtime, RuntimeOptions};

use crate::bombs;

/// A runtime that has this binary compile, within these limits.
fn runtime(limits: CompileLimits) -> Runtime {
    let compiler = Compiler::Child { program: env!("CARGO_BIN_EXE_backroom").into() };
    let compile = CompileOptions { compiler, limits, cache: None };
    Runtime::new(RuntimeOptions { concurrency: 4, compile, ..RuntimeOptions::default() }).unwrap()
}

fn refused(runtime: &Runtime, bytes: &[u8]) -> PluginError {
    runtime.load(bytes).map(|plugin| plugin.digest().to_owned()).unwrap_err()
}

/// So much that the bombs reach another limit first, and time enough on a machine that has much else to do.
fn generous() -> CompileLimits {
    CompileLimits { wall: Duration::from_secs(600), ..CompileLimits::default() }
}

/// It gets as far as the contract, which is checked with the compiled code at hand.
fn is_compiled(error: &PluginError) -> bool {
    matches!(error, PluginError::Contract(_))
}

#[test]
fn a_service_has_its_child_compile_and_cannot_itself() {
    let runtime = runtime(generous());
    // The loop that proves the wall-time limit was the first.
    assert_eq!(runtime.compile_figures().begun, 1);
    let error = refused(&runtime, &bombs::harmless());
    assert!(is_compiled(&error), "{error}");
    let figures = runtime.compile_figures();
    assert_eq!((figures.begun, figures.over_limit, figures.failed), (2, 0, 0), "{figures:?}");
}

#[test]
fn what_takes_too_long_or_too_much_memory_is_ended_by_its_limit() {
    let time = CompileLimits { cpu_seconds: 1, ..generous() };
    let memory = CompileLimits { memory: 256 << 20, ..generous() };
    let code = CompileLimits { code: 1 << 20, ..generous() };
    let rows = [
        ("100,000 functions", bombs::many_functions(100_000), time, "processor time"),
        ("one giant function, in no time", bombs::giant_function(100_000), time, "processor time"),
        ("one giant function, in little memory", bombs::giant_function(100_000), memory, "MiB of memory"),
        ("tables of jumps", bombs::jump_tables(200), time, "processor time"),
        ("20,000 functions, in little code", bombs::many_functions(20_000), code, "MiB of code"),
    ];
    for (what, bytes, limits, part) in rows {
        let runtime = runtime(limits);
        match refused(&runtime, &bytes) {
            PluginError::CompileLimit(why) => assert!(why.contains(part), "{what}: {why}"),
            other => panic!("{what}: {other}"),
        }
        assert_eq!(runtime.compile_figures().over_limit, 1, "{what}");
        // It goes on with the next one.
        assert!(is_compiled(&refused(&runtime, &bombs::harmless())), "{what}");
    }
}

#[test]
fn what_is_no_plugin_gets_its_reason_from_the_child() {
    let runtime = runtime(generous());
    let good = bombs::harmless();
    let malformed: [(&str, Vec<u8>); 7] = [
        ("empty", Vec::new()),
        ("garbage", (0..10_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect()),
        ("a core module", vec![0, b'a', b's', b'm', 1, 0, 0, 0]),
        ("garbage behind", [good.as_slice(), &[1, 2, 3]].concat()),
        ("types a million deep", bombs::nested_types(1_000_000)),
        ("more local values than there may be", bombs::many_locals(60_000)),
        ("a byte of the code changed", good.iter().map(|byte| if *byte == 0x41 { 0xFF } else { *byte }).collect()),
    ];
    for (what, bytes) in malformed {
        let error = refused(&runtime, &bytes);
        assert!(matches!(error, PluginError::Malformed(_)), "{what}: {error}");
    }
    // What is large and legal is compiled, or ends by a limit; it never ends anything else.
    for (what, bytes) in [("blocks", bombs::nested_blocks(300_000)), ("local values", bombs::many_locals(49_000))] {
        let error = refused(&runtime, &bytes);
        assert!(is_compiled(&error) || matches!(error, PluginError::CompileLimit(_)), "{what}: {error}");
    }
    let figures = runtime.compile_figures();
    assert_eq!(figures.failed, 0, "{figures:?}");
}

#[test]
fn a_component_that_is_cut_anywhere_is_refused() {
    let runtime = runtime(generous());
    let good = bombs::harmless();
    for at in 0..good.len() {
        match refused(&runtime, &good[..at]) {
            PluginError::Malformed(_) => {}
            // A whole component, but for what stands behind it.
            PluginError::Contract(why) => assert!(why.contains("`run`"), "{at}: {why}"),
            PluginError::Manifest(why) => assert!(why.contains("there is none"), "{at}: {why}"),
            other => panic!("{at}: {other}"),
        }
    }
    assert_eq!(runtime.compile_figures().failed, 0);
}

#[test]
fn a_compiler_that_is_none_is_told_from_a_bad_plugin() {
    let with = |program: &str| {
        let compiler = Compiler::Child { program: program.into() };
        let compile = CompileOptions { compiler, ..CompileOptions::default() };
        Runtime::new(RuntimeOptions { concurrency: 4, compile, ..RuntimeOptions::default() }).map(|_| ()).unwrap_err()
    };
    // It is not there; it says nothing; it says something else.
    for program in ["/nonexistent", "/bin/true", "/bin/false", "/bin/echo"] {
        let error = with(program).to_string();
        assert!(error.contains("the compiler failed: "), "{program}: {error}");
    }
}

#[test]
fn a_child_that_never_answers_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("sleeper");
    std::fs::write(&program, "#!/bin/sh\nexec sleep 600\n").unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let limits = CompileLimits { wall: Duration::from_millis(300), ..CompileLimits::default() };
    let compile = CompileOptions { compiler: Compiler::Child { program }, limits, cache: None };
    let began = Instant::now();
    let error = Runtime::new(RuntimeOptions { concurrency: 4, compile, ..RuntimeOptions::default() }).map(|_| ());
    let error = error.unwrap_err().to_string();
    assert!(error.contains("too much to do"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(300));
}

/// A child that waits for its component.
fn waiting(inherited: Option<&OwnedFd>) -> Child {
    let order = r#"{"what":"plugin","layout":"reserved","limits":{"memory":2147483648,"cpu_seconds":60,
        "wall":{"secs":60,"nanos":0},"code":1048576}}"#;
    if let Some(inherited) = inherited {
        // Somebody forgot to close it.
        rustix::io::fcntl_setfd(inherited.as_fd(), rustix::io::FdFlags::empty()).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_backroom"));
    command.args(["compile", order]).env_clear();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// What the kernel says of it, as soon as it says `part`.
pub(crate) fn told(child: &Child, file: &str, part: &str) -> String {
    let began = Instant::now();
    loop {
        let text = std::fs::read_to_string(format!("/proc/{}/{file}", child.id())).unwrap();
        if text.contains(part) {
            return text;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{part} is not in\n{text}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) fn words(text: &str, name: &str) -> Vec<String> {
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line[name.len()..].split_whitespace().map(str::to_owned).collect()
}

#[test]
fn the_child_is_locked_in_before_it_reads() {
    let mut child = waiting(None);
    // Two is a filter.
    let status = told(&child, "status", "Seccomp:\t2");
    assert_eq!(words(&status, "NoNewPrivs:"), ["1"]);
    let limits = told(&child, "limits", "Max cpu time");
    let rows = [
        ("Max address space", ["3221225472", "3221225472"]),
        ("Max data size", ["2147483648", "2147483648"]),
        ("Max cpu time", ["60", "61"]),
        ("Max core file size", ["0", "0"]),
        ("Max file size", ["0", "0"]),
        ("Max open files", ["3", "3"]),
    ];
    for (name, expected) in rows {
        assert_eq!(words(&limits, name)[..2], expected, "{limits}");
    }
    drop(child.stdin.take());
    let mut answer = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut answer).unwrap();
    assert!(String::from_utf8_lossy(&answer).contains("malformed"), "nothing is no component");
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_child_lets_go_of_what_it_inherits() {
    let (mut read, write) = std::io::pipe().unwrap();
    let write = OwnedFd::from(write);
    let mut child = waiting(Some(&write));
    drop(write);
    // The pipe ends while the child lives: it has no other end any more.
    assert_eq!(read.read(&mut [0]).unwrap(), 0);
    assert!(child.try_wait().unwrap().is_none());
    child.stdin.take().unwrap().write_all(b"nonsense").unwrap();
    assert!(child.wait().unwrap().success());
}
