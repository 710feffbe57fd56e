//! The command line: which commands there are and what is true for all of them.

use std::path::PathBuf;

use backroom_domain::BusinessDate;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::commands;
use crate::exit;

/// Books, people and stock of client companies, with sandboxed workflows over them.
#[derive(Debug, Parser)]
#[command(name = "backroom", version, arg_required_else_help = true, after_help = exit::HELP)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The arguments, where what was typed goes before what the environment says.
///
/// # Errors
/// Two places were typed.
pub(crate) fn parse() -> Result<Cli, clap::Error> {
    read(std::env::args_os())
}

fn read(words: impl IntoIterator<Item = impl Into<std::ffi::OsString> + Clone>) -> Result<Cli, clap::Error> {
    let mut command = Cli::command();
    let matches = command.try_get_matches_from_mut(words)?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    // Those that are true for every command stand with the last of them.
    let last = std::iter::successors(Some(&matches), |above| above.subcommand().map(|(_, below)| below)).last();
    let typed = |name: &str| last.and_then(|last| last.value_source(name)) == Some(ValueSource::CommandLine);
    if typed("data") && typed("database_url") {
        let message = "--data and --database-url name two places: leave one out";
        return Err(command.error(ErrorKind::ArgumentConflict, message));
    }
    if typed("server") && !typed("database_url") {
        cli.global.database_url = None;
    }
    Ok(cli)
}

/// True for every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// Print the result as JSON, the service's own where it is a reply.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Address of the service.
    #[arg(long, global = true, value_name = "URL", env = "BACKROOM_SERVER", default_value = "http://127.0.0.1:7420")]
    pub(crate) server: String,
    /// Work without a server, on a data directory that no server holds; goes before `--server`.
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Work without a server, on a PostgreSQL database that hosts may be serving; goes before `--server`, and in the environment
    /// behind one that is typed. It may hold a password, which arguments show to every user of the machine: better set it in the environment.
    #[arg(long, global = true, value_name = "URL", env = "BACKROOM_DATABASE_URL", hide_env_values = true)]
    pub(crate) database_url: Option<String>,
    /// With `--database-url`: a folder for copies of what is in the database; it can be deleted at any time. One in the
    /// user's cache folder if not said.
    #[arg(long, global = true, value_name = "DIR", env = "BACKROOM_CACHE")]
    pub(crate) cache: Option<PathBuf>,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(crate::demo::Demo),
    Serve(commands::serve::Serve),
    #[command(subcommand)]
    Tenant(commands::tenant::Tenant),
    #[command(subcommand)]
    Key(commands::key::Key),
    Import(commands::import::Import),
    #[command(subcommand)]
    Plugin(commands::plugin::Plugin),
    Install(commands::install::Install),
    #[command(subcommand)]
    Installations(commands::install::Installations),
    Run(commands::run::RunNow),
    #[command(subcommand)]
    Runs(commands::runs::Runs),
    Replay(commands::runs::Replay),
    #[command(subcommand)]
    Ledger(commands::ledger::Ledger),
    #[command(subcommand)]
    OpenItems(commands::items::Items),
    #[command(subcommand)]
    Bank(commands::bank::Bank),
    #[command(subcommand)]
    Periods(commands::periods::Periods),
    #[command(subcommand)]
    Rates(commands::rates::Rates),
    #[command(subcommand)]
    Budgets(commands::budgets::Budgets),
    #[command(subcommand)]
    Hr(commands::hr::Hr),
    #[command(subcommand)]
    Inventory(commands::inventory::Inventory),
    #[command(subcommand)]
    Files(commands::files::Files),
    #[command(subcommand)]
    Secrets(commands::secrets::Secrets),
    #[command(subcommand)]
    Log(commands::log::Log),
    #[command(subcommand)]
    Store(commands::store::Store),
    #[command(name = "openapi")]
    OpenApi(commands::openapi::OpenApi),
    Backup(commands::backup::Backup),
    Restore(commands::backup::Restore),
    Doctor(crate::doctor::Doctor),
    #[command(subcommand)]
    Bench(crate::bench::Bench),
    #[command(hide = true)]
    Compile(commands::compile::Compile),
    #[command(hide = true)]
    RunApart(commands::compile::RunApart),
}

/// Which tenant.
#[derive(Debug, Clone, Args)]
pub(crate) struct Of {
    /// The client company.
    #[arg(long, value_name = "TENANT")]
    pub(crate) tenant: String,
}

/// Which part of a list.
#[derive(Debug, Clone, Args)]
pub(crate) struct Part {
    /// Items at most, 1 to 500.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) limit: u32,
    /// Where the last page ended, as it said itself.
    #[arg(long, value_name = "CURSOR")]
    pub(crate) cursor: Option<String>,
}

impl Part {
    /// The query of the page.
    pub(crate) fn pairs(&self) -> [(&'static str, Option<String>); 2] {
        [("limit", Some(self.limit.to_string())), ("cursor", self.cursor.clone())]
    }
}

/// A day, for arguments that are checked before anything is sent.
pub(crate) fn date(text: &str) -> std::result::Result<BusinessDate, String> {
    BusinessDate::parse(text, "date").map_err(|error| match error.problems.first() {
        Some(problem) => problem.message.clone(),
        None => "a day is written YYYY-MM-DD, such as 2026-06-30".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// The examples of a command and of all below it.
    fn examples(command: &clap::Command, found: &mut Vec<String>) {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        found.extend(help.lines().map(str::trim).filter(|line| line.starts_with("backroom ")).map(str::to_owned));
        for below in command.get_subcommands() {
            examples(below, found);
        }
    }

    /// Words as a shell parts them, as far as the examples go: blanks, quotes, comments; up to a file that is read.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quote = None;
        for c in line.chars() {
            match (c, quote) {
                (c, Some(open)) if c == open => quote = None,
                ('\'' | '"', None) => quote = Some(c),
                ('#' | '<', None) if words.last().is_some_and(String::is_empty) => break,
                (' ', None) => words.push(String::new()),
                (c, _) => words.iter_mut().next_back().unwrap().push(c),
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }

    fn parses(line: &str) {
        if let Err(error) = Cli::try_parse_from(words(line)) {
            panic!("{line}\n{error}");
        }
    }

    #[test]
    fn two_places_are_one_too_many_and_what_is_typed_goes_first() {
        let url = "postgresql://localhost/books";
        let refused = read(["backroom", "log", "status", "--data", "here", "--database-url", url]).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ArgumentConflict, "{refused}");
        for typed in
            [vec!["--server", "http://there", "log", "status"], vec!["log", "--server", "http://there", "status"]]
        {
            let mut words = vec!["backroom"];
            words.extend(typed);
            words.extend(["--database-url", url]);
            assert_eq!(read(words).unwrap().global.database_url.as_deref(), Some(url), "both were typed");
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_example_of_every_help_is_a_command() {
        let mut found = Vec::new();
        examples(&Cli::command(), &mut found);
        assert!(found.len() >= 30, "only {} examples", found.len());
        found.iter().for_each(|line| parses(line));
    }

    #[test]
    fn every_command_in_the_readmes_is_one() {
        let readmes =
            [include_str!("../../../README.md"), include_str!("../../../examples/remote-allowance/README.md")];
        for text in readmes {
            let commands: Vec<&str> = text.lines().filter(|line| line.starts_with("backroom ")).collect();
            assert!(commands.len() >= 5, "{commands:?}");
            // What stands behind `&&` is the shell's.
            commands.iter().for_each(|line| parses(line.split(" && ").next().unwrap_or_default()));
        }
    }

    #[test]
    fn every_command_has_an_example() {
        fn check(command: &clap::Command, path: &str) {
            if command.get_subcommands().next().is_none() {
                let mut own = Vec::new();
                examples(command, &mut own);
                assert!(own.iter().any(|line| line.starts_with(path)), "{path} has no example in its help");
                assert!(command.get_about().is_some(), "{path} does not say what it does");
            }
            for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
                check(below, &format!("{path} {}", below.get_name()));
            }
        }
        check(&Cli::command(), "backroom");
    }

    /// Everything that can be done with a ledger, under its name in the field: the function of the contract, the route, the
    /// command. What a plugin asks for by the one, others do by the other two.
    const LEDGER: &[(&str, &str, &str, &str)] = &[
        ("create-book", "chart.create-book", "POST /books", "ledger create-book"),
        ("create-accounts", "chart.create-account", "POST /accounts", "ledger create-account"),
        ("update-account", "chart.update-account", "PUT /accounts/{code}", "ledger update-account"),
        ("close-account", "chart.close-account", "POST /accounts/{code}/close", "ledger close-account"),
        ("reopen-account", "chart.reopen-account", "POST /accounts/{code}/reopen", "ledger reopen-account"),
        ("list-accounts", "accounts.list", "GET /accounts", "ledger accounts"),
        ("list-books", "books.list", "GET /books", "ledger books"),
        ("post", "journal.post-with", "POST /entries", "ledger post"),
        ("post a list", "journal.post-batch", "POST /batches", "ledger post-batch"),
        ("hold", "holds.place", "POST /holds", "ledger hold"),
        ("list-holds", "holds.list", "GET /holds", "ledger holds"),
        ("settle", "holds.settle", "POST /settlements", "ledger settle"),
        ("release", "holds.release", "POST /releases", "ledger release"),
        ("reverse", "journal.reverse", "POST /reversals", "ledger reverse"),
        ("get-balance", "balances.get", "GET /accounts/{code}/balance", "ledger balance"),
        ("get-balances", "balances.get-many", "GET /balances", "ledger balances"),
        ("list-entries", "journal.list", "GET /entries", "ledger entries"),
        ("get-entry", "journal.get-details", "GET /entries/{id}", "ledger entry"),
        ("account-statement", "reports.statement", "GET /accounts/{code}/statement", "ledger statement"),
        ("assert-balance", "reports.assert-balance", "GET /accounts/{code}/assertion", "ledger assert-balance"),
        ("explain", "reports.explain", "GET /accounts/{code}/explanation", "ledger explain"),
        ("list-open-items", "open-items.list", "GET /open-items", "open-items list"),
        ("ageing", "open-items.ageing", "GET /ageing", "open-items ageing"),
        ("match", "open-items.match-items", "POST /matches", "open-items match"),
        ("unmatch", "open-items.unmatch", "POST /matches/{id}/undoing", "open-items unmatch"),
        ("set-rates", "rates.set", "POST /rates", "rates set"),
        ("get-rate", "rates.get", "GET /rate", "rates get"),
        ("list-rates", "rates.list", "GET /rates", "rates list"),
        ("revalue", "rates.revalue", "POST /revaluations", "rates revalue"),
        ("set-budget", "budgets.set", "PUT /budgets", "budgets set"),
        ("budget-status", "budgets.status", "GET /budgets/{id}", "budgets status"),
        ("list-budgets", "budgets.list", "GET /budgets", "budgets list"),
        ("import-statement", "bank.import-statement", "POST /bank-statements", "bank import"),
        ("suggest-matches", "bank.suggest", "GET /bank-lines/{account}", "bank suggest"),
        ("confirm-match", "bank.confirm", "PUT /bank-lines/{account}/{line}/confirmation", "bank confirm"),
        ("undo-confirmation", "bank.undo", "POST /bank-lines/{account}/{line}/undoing", "bank undo"),
        ("list-periods", "periods.list", "GET /periods", "periods list"),
        ("lock-period", "periods.lock", "POST /period-locks", "periods lock"),
        ("reopen-period", "periods.reopen", "POST /period-reopenings", "periods reopen"),
        ("limit-future", "periods.limit-future", "PUT /future-limit", "periods future-limit"),
        ("grant-lock-exception", "periods.grant-exception", "POST /lock-exceptions", "periods grant"),
        (
            "revoke-lock-exception",
            "periods.revoke-exception",
            "POST /lock-exceptions/{id}/revocation",
            "periods revoke",
        ),
        ("list-lock-exceptions", "periods.list-exceptions", "GET /lock-exceptions", "periods exceptions"),
        ("lock-exception-uses", "periods.list-exception-uses", "GET /lock-exceptions/{id}/uses", "periods uses"),
        ("close-year", "periods.close-year", "POST /year-closings", "periods close-year"),
        ("openings", "periods.list-openings", "GET /openings", "periods openings"),
        ("report: trial-balance", "reports.report", "GET /reports/trial-balance", "ledger report trial-balance"),
        ("report: balance-sheet", "reports.report", "GET /reports/balance-sheet", "ledger report balance-sheet"),
        (
            "report: income-statement",
            "reports.report",
            "GET /reports/income-statement",
            "ledger report income-statement",
        ),
        ("report: cash-flow", "review.cash-flow", "GET /reports/cash-flow", "ledger report cash-flow"),
        (
            "report: general-ledger",
            "review.general-ledger",
            "GET /reports/general-ledger",
            "ledger report general-ledger",
        ),
        ("report: dimensions", "review.by-dimension", "GET /reports/by-dimension/{name}", "ledger report by-dimension"),
        ("verify", "review.verify", "GET /verification", "ledger verify"),
        ("allocate", "reports.allocate", "GET /allocation", "ledger allocate"),
    ];

    /// What plugins alone have beside these: the same once more in a narrower form, or one thing out of a list.
    const NARROWER: [&str; 6] =
        ["accounts.get", "books.get", "holds.get", "journal.post", "journal.get", "balances.trial-balance"];

    /// Routes that have no function: text for other programs, and one thing out of a list.
    const ROUTES_ALONE: [&str; 5] =
        ["GET /accounts/{code}", "GET /books/{id}", "GET /holds/{id}", "GET /trial-balance", "GET /export"];

    #[test]
    fn every_operation_of_the_ledger_is_there_for_plugins_over_http_and_as_a_command() {
        use std::collections::BTreeSet;

        let text = backroom_server::openapi();
        let cli = Cli::command();
        for (name, function, route, command) in LEDGER {
            let named = backroom_domain::rights::Operation::parse(function);
            assert!(named.is_ok(), "{name}: no function {function}");
            let (method, path) = route.split_once(' ').unwrap();
            let told = &text["paths"][format!("/v1/tenants/{{tenant}}/ledger{path}")][method.to_lowercase()];
            assert!(told["summary"].is_string(), "{name}: no route {route}");
            let body = &told["requestBody"]["content"]["application/json"];
            let example = body["examples"].as_object().is_some_and(|examples| !examples.is_empty());
            assert!(body.is_null() || example, "{name}: {route} has no example");
            let found = command.split(' ').try_fold(&cli, |above, word| above.find_subcommand(word));
            let found = found.unwrap_or_else(|| panic!("{name}: no command {command}"));
            let help = found.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(&format!("backroom {command}")), "{name}: the help of {command} has no example");
        }
        // And there is nothing else.
        let interfaces =
            ["accounts", "books", "chart", "journal", "balances", "holds", "open-items", "bank", "periods", "rates"];
        let interfaces: BTreeSet<&str> = interfaces.into_iter().chain(["budgets", "reports", "review"]).collect();
        let all = backroom_domain::rights::Operation::NAMED.iter().map(|operation| operation.name());
        let functions: BTreeSet<&str> =
            all.filter(|name| name.split_once('.').is_some_and(|(of, _)| interfaces.contains(of))).collect();
        let listed = LEDGER.iter().map(|(_, function, _, _)| *function).chain(NARROWER).collect();
        assert_eq!(functions, listed);
        let of_ledger = backroom_server::ROUTES.iter().filter_map(|route| {
            let path = route.path.strip_prefix("/v1/tenants/{tenant}/ledger")?;
            Some(format!("{} {path}", route.method))
        });
        let listed = LEDGER.iter().map(|(_, _, route, _)| (*route).to_owned());
        let listed: BTreeSet<String> = listed.chain(ROUTES_ALONE.map(str::to_owned)).collect();
        assert_eq!(of_ledger.collect::<BTreeSet<_>>(), listed);
    }
}
