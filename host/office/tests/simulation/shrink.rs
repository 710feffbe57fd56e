//! What to do about a history that fails: name it so that it can be had again, and leave out commands as long as it still fails.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::in_memory;
use crate::plan::{self, Command};
use crate::world::World;

/// Runs, and says on a panic how to have the same history again.
pub(crate) fn or_name<T>(seed: u64, count: usize, work: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        eprintln!(
            "history {seed} failed; again, and made smaller:\n  BACKROOM_SIM_SEED={seed} BACKROOM_SIM_COMMANDS={count} \
             cargo test --release -p backroom-office --test simulation histories"
        );
        resume_unwind(panic)
    })
}

/// Runs the history of a seed; if it fails, looks for a shorter one that fails as well and shows that.
pub(crate) fn or_shrink(seed: u64, count: usize) -> World {
    let mut commands = plan::commands(seed, count);
    let fails = |commands: &[Command]| catch_unwind(|| drop(in_memory(seed, commands))).is_err();
    if !fails(&commands) {
        return in_memory(seed, &commands);
    }
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let mut size = commands.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        while at < commands.len() {
            let mut fewer = commands.clone();
            fewer.drain(at..(at + size).min(commands.len()));
            if fails(&fewer) { commands = fewer } else { at += size }
        }
        size /= 2;
    }
    std::panic::set_hook(hook);
    eprintln!("{} of {count} commands are enough:", commands.len());
    for command in &commands {
        eprintln!("  {command}");
    }
    in_memory(seed, &commands)
}
