//! The story: one client's month, from its files to its books.

use std::path::Path;

use anyhow::Context as _;
use backroom_domain::{Currency, Money};
use backroom_kit::Built;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::files::Files;
use super::stage::Stage;
use crate::client::{Client, path};
use crate::commands::plugin::Release;
use crate::commands::run::Request;
use crate::commands::runs::Replayed;
use crate::commands::{import, install, inventory, ledger, log, plugin, run, runs};
use crate::exit::Result;
use crate::figures::{amount, count, counted, money};
use crate::view::effects::Effects;
use crate::view::rights;
use crate::view::run::Run;

/// The made-up client.
pub(crate) const TENANT: &str = "harbor";
const TENANT_NAME: &str = "Harbor Ledger Services, Inc.";
/// The month that is run.
const MONTH: &str = "2026-06";
const DATE: &str = "2026-06-30";
const RUN: &str = "remote-allowance-2026-06";

/// What is shown of the plugin's output.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Output {
    workers: u64,
    total_allowance: Amount,
    saving: Saving,
}

/// What the plugin reckons as saved, see its own documentation.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Saving {
    seats: u64,
    seat_cost: Amount,
    monthly_allowance: Amount,
    yearly_per_seat: Amount,
    yearly: Amount,
}

#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
struct Amount {
    minor: u64,
    currency: Currency,
}

impl Amount {
    fn money(self) -> Money {
        Money { minor: self.minor, currency: self.currency }
    }

    fn shown(self) -> String {
        money(self.money())
    }
}

fn output(run: &Run) -> Result<Output> {
    Ok(serde_json::from_value(run.output.clone()).context("the plugin's output is not as its documentation says")?)
}

/// Tells the story to a server.
pub(crate) struct Story<'a> {
    stage: &'a mut Stage,
    client: &'a Client,
    files: &'a Files,
}

impl<'a> Story<'a> {
    pub(crate) fn new(stage: &'a mut Stage, client: &'a Client, files: &'a Files) -> Self {
        Self { stage, client, files }
    }

    /// The first step needs no server.
    pub(crate) fn build(stage: &mut Stage, files: &Files) -> Result<Built> {
        stage.step(format_args!("Build the plugin in {}", short(&files.plugin)));
        let built = plugin::build(&files.plugin)?;
        let (name, version) = (&built.manifest.name, &built.manifest.version);
        stage.say(format_args!(
            "{name} {version}: a component of {} bytes, digest {}",
            count(built.size),
            built.digest
        ));
        stage.fact(
            "plugin",
            json!({ "name": name, "version": version.to_string(), "digest": built.digest, "size": built.size }),
        );
        Ok(built)
    }

    /// Everything that a server is needed for.
    pub(crate) fn tell(&mut self, built: Built) -> Result {
        self.tenant()?;
        self.import()?;
        let name = self.install(built)?;
        let plan = self.plan(&name)?;
        let committed = self.commit(&name, &plan)?;
        self.books()?;
        self.stock()?;
        self.saving(&committed)?;
        self.again(&name, &committed)?;
        self.proof()?;
        self.replay()
    }

    fn tenant(&mut self) -> Result {
        self.stage.step("Add the client company");
        self.client.post(&path(&["v1", "tenants"]), &json!({ "id": TENANT, "name": TENANT_NAME }))?;
        self.stage.say(format_args!("{TENANT}: {TENANT_NAME}"));
        self.stage.fact("tenant", TENANT);
        Ok(())
    }

    fn import(&mut self) -> Result {
        self.stage.step(format_args!("Import the client's files in {}", short(&self.files.example)));
        let files = import::read_all(std::slice::from_ref(&self.files.example))?;
        let sent = files.len();
        let summary: import::Summary = import::send(self.client, TENANT, files)?.read()?;
        summary.show(self.stage.out);
        self.stage.fact("imported", &summary);
        let all = summary.files.len() == sent && summary.created() > 0;
        self.stage.check("imported whole", all, format_args!("{} rows of {sent} files", count(summary.created())))
    }

    fn install(&mut self, built: Built) -> Result<String> {
        self.stage.step("Upload the release and install it with the rights that the operator grants");
        let file = install::read(&self.files.example.join("installation.toml"))?;
        let (digest, (_, release)) = (built.digest, plugin::upload(self.client, built.bytes)?);
        let Release { wants, imports, .. } = &release;
        self.stage.say(format_args!("imports {}", imports.join(", ")));
        self.stage.check("the service computed the same digest", release.digest == digest, &release.digest)?;
        rights::words(self.stage.out, "What the plugin wants", wants);
        rights::words(self.stage.out, "What is granted of it", file.grants());
        install::put(self.client, TENANT, &file, &release, false)?;
        self.stage.fact("installation", &file.name);
        Ok(file.name)
    }

    fn ask(&self, name: &str, id: &str, dry_run: bool) -> Result<Run> {
        let request =
            Request { id: Some(id), dry_run, queued: false, date: Some(DATE), input: json!({ "month": MONTH }) };
        Ok(run::send(self.client, TENANT, name, &request)?.1)
    }

    fn plan(&mut self, name: &str) -> Result<Run> {
        self.stage.step(format_args!("Dry run for {MONTH}: the plan, of which nothing is kept"));
        let entries = self.entries()?;
        let plan = self.ask(name, RUN, true)?;
        let effects = Effects::of(&plan.effects);
        plan.show(self.stage.out);
        self.stage.fact("plan", json!({ "counts": effects.counts(), "effects": plan.effects, "fuel": plan.fuel }));
        let complete = !effects.entries.is_empty() && !effects.benefits.is_empty() && !effects.moves.is_empty();
        self.stage.check(
            "the plan reaches over books, people and stock",
            plan.is_ok() && complete,
            effects.counts(),
        )?;
        let after = self.entries()?;
        self.stage.check("nothing was kept", entries == after, format_args!("still {}", entries_text(after)))?;
        Ok(plan)
    }

    fn commit(&mut self, name: &str, plan: &Run) -> Result<Run> {
        self.stage.step(format_args!("The same run for {MONTH}, committed"));
        let committed = self.ask(name, RUN, false)?;
        committed.show(self.stage.out);
        self.stage.fact("committed", json!({
            "run": committed.id, "number": committed.number, "effects": committed.effects, "fuel": committed.fuel, "output": committed.output,
        }));
        let effects = Effects::of(&committed.effects);
        self.stage.check("committed", committed.is_ok() && committed.status == "committed", effects.counts())?;
        let same = timeless(&committed.effects) == timeless(&plan.effects);
        let seen = "the same effects in the same order, but for the time of recording";
        self.stage.check("identical to the plan", same, seen)?;
        Ok(committed)
    }

    fn books(&mut self) -> Result {
        self.stage.step("Trial balance");
        let trial = ledger::trial_balance(self.client, TENANT)?;
        ledger::show(self.stage.out, &trial, false);
        self.stage.fact("trial-balance", &trial.totals);
        for total in &trial.totals {
            let minor = |sum: u128| i128::try_from(sum).unwrap_or(i128::MAX);
            let difference = amount(minor(total.debits) - minor(total.credits), total.currency);
            let equal = total.debits == total.credits && total.debits > 0;
            self.stage.check("debits less credits", equal, format_args!("{difference} {}", total.currency))?;
        }
        ledger::check(&trial)
    }

    fn stock(&mut self) -> Result {
        self.stage.step("Stock against the ledger");
        let rows = inventory::stock_control(self.client, TENANT)?;
        inventory::show_controls(self.stage.out, &rows);
        for row in &rows {
            let value = amount(row.stock.minor, row.stock.currency);
            let seen = format!("account {}: {value} {}", row.account, row.stock.currency);
            self.stage.check("stock value equals its ledger account", row.ledger == row.stock, seen)?;
        }
        self.stage.check("stock control accounts compared", !rows.is_empty(), rows.len())
    }

    fn saving(&mut self, committed: &Run) -> Result {
        self.stage.step("What the client gets out of it");
        let effects = Effects::of(&committed.effects);
        let Output { workers, total_allowance, saving } = output(committed)?;
        let lines = counted(effects.benefits.len() as u64, "line", "lines");
        let recorded = effects.benefit_total();
        let seen = format!("{} for {workers} workers in {lines}", total_allowance.shown());
        self.stage.check(
            "benefit cost of the month, by the recorded lines",
            recorded == [total_allowance.money()],
            seen,
        )?;
        let per_seat = saving.seat_cost.minor.saturating_sub(saving.monthly_allowance.minor).saturating_mul(12);
        let (seat, allowance) = (saving.seat_cost.shown(), saving.monthly_allowance.shown());
        let seen = format!("{} (a seat for {seat} less {allowance}, times 12)", saving.yearly_per_seat.shown());
        self.stage.check("yearly saving per seat", saving.yearly_per_seat.minor == per_seat, seen)?;
        let yearly = per_seat.saturating_mul(saving.seats);
        let seen = format!("{} with {} seats given up for the whole month", saving.yearly.shown(), saving.seats);
        self.stage.fact("saving", &saving);
        self.stage.check("yearly saving", saving.yearly.minor == yearly, seen)
    }

    /// The same month again: with the same id, and as a run of its own.
    fn again(&mut self, name: &str, committed: &Run) -> Result {
        self.stage.step(format_args!("The same month once more: it does no harm"));
        let before = self.entries()?;
        let same = self.ask(name, RUN, false)?;
        let first = same.replayed && same.effects == committed.effects && same.number == committed.number;
        self.stage.check("the same run again", first, "replayed with the first result")?;
        let second = self.ask(name, &format!("{RUN}-again"), false)?;
        let effects = Effects::of(&second.effects);
        let nothing = second.is_ok() && second.effects.is_empty();
        self.stage.check(
            "another run of the month",
            nothing,
            format_args!("every call a replay: {}", effects.counts()),
        )?;
        let after = self.entries()?;
        self.stage.check("the books are as they were", before == after, entries_text(after))
    }

    fn proof(&mut self) -> Result {
        self.stage.step("Prove the commit log");
        let (_, report) = log::verify(self.client)?;
        let number = |name: &str| report.get(name).and_then(Value::as_u64).unwrap_or_default();
        let seen = format!(
            "{} in {}, {} bytes; state compared with the log",
            counted(number("entries"), "entry", "entries"),
            counted(number("segments"), "segment", "segments"),
            count(number("bytes"))
        );
        self.stage.fact("log", &report);
        self.stage.check("log verify", log::is_sound(&report), seen)
    }

    fn replay(&mut self) -> Result {
        self.stage.step("Run the committed run again from its record");
        let (_, replayed) = runs::replay(self.client, TENANT, RUN)?;
        let Replayed { identical, effects_identical, fuel_recorded, fuel_replayed, .. } = &replayed;
        let fuel = format!("{} and {} units of fuel", count(*fuel_recorded), count(*fuel_replayed));
        let same = *identical && *effects_identical && fuel_recorded == fuel_replayed;
        self.stage.fact("replay", &replayed);
        self.stage.check("replay identical", same, format_args!("the same effects, byte for byte; {fuel}"))
    }

    /// How many journal entries there are.
    fn entries(&self) -> Result<u64> {
        let mut last = 0;
        let mut cursor = None;
        loop {
            let to = path(&["v1", "tenants", TENANT, "ledger", "entries"]);
            let to = crate::client::query(&to, &[("limit", Some("500".to_owned())), ("cursor", cursor)]);
            let page: crate::commands::Page<Value> = self.client.get(&to)?.read()?;
            last += page.items.len() as u64;
            match page.next {
                Some(next) => cursor = Some(next),
                None => return Ok(last),
            }
        }
    }
}

fn entries_text(number: u64) -> String {
    counted(number, "journal entry", "journal entries")
}

/// Effects without the time of recording, which differs between a plan and its commit.
fn timeless(effects: &[Value]) -> Vec<Value> {
    let strip = |effect: &Value| {
        let mut effect = effect.clone();
        if let Some(fields) = effect.as_object_mut() {
            fields.remove("recorded-at");
        }
        effect
    };
    effects.iter().map(strip).collect()
}

fn short(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).display().to_string()
}
