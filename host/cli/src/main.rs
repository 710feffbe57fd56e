//! The `backroom` binary: arguments to calls, nothing else.
//!
//! A command reads its arguments, sends an HTTP request (to a server, or to the same routes in this process), and shows the
//! reply. It decides nothing about books, people or stock.
#![forbid(unsafe_code)]

mod args;
mod bench;
mod client;
mod commands;
mod demo;
mod doctor;
mod exit;
mod figures;
mod logging;
mod mirror;
mod output;
mod progress;
mod scenario;
mod service;
mod view;

use std::process::ExitCode;

use args::{Cli, Command};
use commands::Context;

/// A run allocates some hundred small things on whichever thread it is on; measured, the C library's allocator took 15 % of
/// a durable run's time with many callers.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let Cli { global, command } = args::parse().unwrap_or_else(|error| error.exit());
    let context = Context::new(global);
    let done = match &command {
        Command::Demo(demo) => demo.run(&context),
        Command::Serve(serve) => serve.run(&context),
        Command::Tenant(tenant) => tenant.run(&context),
        Command::Key(key) => key.run(&context),
        Command::Import(import) => import.run(&context),
        Command::Plugin(plugin) => plugin.run(&context),
        Command::Install(install) => install.run(&context),
        Command::Installations(installations) => installations.run(&context),
        Command::Run(run) => run.run(&context),
        Command::Runs(runs) => runs.run(&context),
        Command::Replay(replay) => replay.run(&context),
        Command::Ledger(ledger) => ledger.run(&context),
        Command::OpenItems(items) => items.run(&context),
        Command::Bank(bank) => bank.run(&context),
        Command::Periods(periods) => periods.run(&context),
        Command::Rates(rates) => rates.run(&context),
        Command::Budgets(budgets) => budgets.run(&context),
        Command::Hr(hr) => hr.run(&context),
        Command::Inventory(inventory) => inventory.run(&context),
        Command::Files(files) => files.run(&context),
        Command::Secrets(secrets) => secrets.run(&context),
        Command::Log(log) => log.run(&context),
        Command::Store(store) => store.run(&context),
        Command::Backup(backup) => backup.run(&context),
        Command::Restore(restore) => restore.run(&context),
        Command::Doctor(doctor) => doctor.run(&context),
        Command::OpenApi(text) => text.run(),
        Command::Bench(bench) => bench.run(&context),
        // Nothing was opened and no thread was started up to here.
        Command::Compile(compile) => return compile.run(),
        Command::RunApart(apart) => return apart.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            context.out.failure(&failure);
            failure.code()
        }
    }
}
