//! The work here.

use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use backroom_domain::ledger::{AccountType, Line, NewAccount, NewEntry};
use backroom_domain::rights::{Grant, Rights};
use backroom_domain::{BusinessDate, Currency, Id, Instant, Money, Side};
use backroom_office::{Caller, NewInstallation, Office, Work, ledger};
use backroom_runtime::{Mode, Outcome, Plugin, RunRequest, Runner, Runtime, RuntimeOptions, Setup, Status};
use backroom_store::records::Limits;
use backroom_store::{Meta, Store, TenantNo};

use crate::extism_side::Told;
use crate::root;

/// A made-up moment: a run's time comes from its request.
const NOW: Instant = Instant(1_782_777_600_000_000);
/// The accounts that the order names.
const ACCOUNTS: [&str; 5] = ["1000", "1100", "2200", "4000", "5000"];

/// A service in memory with one client, for whom the plugin is installed.
pub(crate) struct Ours {
    office: Office,
    runtime: Arc<Runtime>,
    runner: Runner,
    plugin: Arc<Plugin>,
    tenant: TenantNo,
    installation: Id,
    /// Of whoever asks, of what the plugin wants, and of what it was granted.
    layers: [Arc<Rights>; 3],
    input: Arc<str>,
    _dir: tempfile::TempDir,
}

impl Ours {
    pub(crate) fn new(input: &str) -> anyhow::Result<Self> {
        let built = backroom_kit::build(
            &root().join("tests/guests/order"),
            &backroom_kit::Options::default(),
            &mut backroom_kit::Quiet,
        )?;
        let (store, dir) = (Store::memory(), tempfile::tempdir()?);
        let runtime = Arc::new(Runtime::new(RuntimeOptions::default())?);
        let runner = Runner::new(store.clone(), Arc::clone(&runtime), &dir.path().join("releases"))?;
        let release = runner.upload("bench", NOW, &built.bytes)?;
        let plugin = runtime.plugin(&release.digest).context("the plugin was uploaded and is gone")?;
        let office = Office::new(store);
        let tenant = TenantNo(office.create_tenant("bench", NOW, id("tenant")?, "A tenant")?.value.number);
        fill(&office, tenant)?;
        let grants: Rights = Grant { administer: false, ..Grant::all() }.into();
        let layers = [Arc::new(Rights::all()), Arc::clone(&plugin.manifest().wants), Arc::new(grants.clone())];
        let installation = id("order")?;
        let new = NewInstallation {
            name: installation.clone(),
            release: release.digest,
            grants,
            config: Default::default(),
            limits: Limits::default(),
            accept_rights: false,
        };
        office.install("bench", NOW, tenant, new)?;
        Ok(Self { office, runtime, runner, plugin, tenant, installation, layers, input: input.into(), _dir: dir })
    }

    /// What the plugin will be told, for the other side.
    pub(crate) fn balances(&self) -> anyhow::Result<Vec<Told>> {
        let work = self.office.read(self.tenant, caller(vec![Arc::new(Rights::all())]), NOW)?;
        let told = ACCOUNTS.map(|account| -> anyhow::Result<Told> {
            let balance = ledger::balance(&work, &id(account)?, None)?;
            Ok(Told {
                account: balance.account.to_string(),
                currency: balance.currency.to_string(),
                debits: balance.debits,
                credits: balance.credits,
            })
        });
        told.into_iter().collect()
    }

    /// A fresh instance with everything that bounds it.
    pub(crate) fn run(&self) -> anyhow::Result<String> {
        let work = self.office.read(self.tenant, caller(self.layers.to_vec()), NOW)?;
        let input = Arc::clone(&self.input);
        let setup = Setup { config: Arc::default(), limits: Limits::default(), input, apart: false };
        match self.runtime.execute(&self.plugin, work, setup).outcome {
            Outcome::Ok { output } => Ok(output),
            other => bail!("the run ended badly: {other:?}"),
        }
    }

    /// The same as the service plans it.
    pub(crate) fn dry_run(&self) -> anyhow::Result<String> {
        let report = self.runner.run_durably(RunRequest {
            tenant: self.tenant,
            actor: "bench".to_owned(),
            rights: Arc::clone(&self.layers[0]),
            installation: self.installation.clone(),
            id: None,
            input: Arc::clone(&self.input),
            date: None,
            mode: Mode::DryRun,
            now: NOW,
        })?;
        match (report.status, report.output) {
            (Status::Ok, Some(output)) => Ok(output.get().to_owned()),
            (status, _) => Err(anyhow!("the run ended badly: {status:?} {:?} {:?}", report.fault, report.error)),
        }
    }
}

/// Accounts, and an entry so that balances are no zeros.
fn fill(office: &Office, tenant: TenantNo) -> anyhow::Result<()> {
    use AccountType::{Asset, Expense, Income, Liability};

    let mut work: Work = office.write(tenant, caller(vec![Arc::new(Rights::all())]), NOW)?;
    let currency = Currency::parse("USD", "currency")?;
    for (code, kind) in ACCOUNTS.into_iter().zip([Asset, Asset, Liability, Income, Expense]) {
        let new = NewAccount {
            code: id(code)?,
            name: format!("Account {code}"),
            kind,
            parent: None,
            currency,
            posting: true,
            stock_control: false,
            rules: Default::default(),
        };
        ledger::create_account(&mut work, new)?;
    }
    let amounts = [(Side::Debit, 1_250_000), (Side::Debit, 418_350), (Side::Credit, 96_040), (Side::Credit, 2_115_900)];
    let rest = (Side::Debit, 543_590);
    let lines = ACCOUNTS.into_iter().zip(amounts.into_iter().chain([rest])).map(|(account, (side, minor))| {
        let amount = Money::new(minor, currency, "amount")?;
        Ok(Line { account: id(account)?, side, amount, dimensions: Vec::new(), memo: None, details: None })
    });
    let entry = NewEntry {
        id: id("opening")?,
        date: BusinessDate::new(2026, 5, 31, "date")?,
        description: "what was there".to_owned(),
        lines: lines.collect::<anyhow::Result<_>>()?,
        details: None,
    };
    ledger::post(&mut work, entry)?;
    let meta = Meta { at: NOW.0, actor: "bench".to_owned(), kind: "setup".to_owned(), ..Meta::default() };
    work.seal()?.commit(meta)?.ticket.wait()?;
    Ok(())
}

fn caller(layers: Vec<Arc<Rights>>) -> Caller {
    Caller { actor: "bench".to_owned(), layers, installation: None, run: None }
}

fn id(text: &str) -> anyhow::Result<Id> {
    Ok(Id::parse(text, "id")?)
}
