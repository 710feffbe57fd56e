//! What is measured on: a new store with tenants that have a few accounts and much stock, and the guest `order` installed.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use backroom_domain::inventory::{NewItem, NewLocation, NewMove, Tracking, Usage};
use backroom_domain::ledger::{AccountType, Line, NewAccount, NewEntry};
use backroom_domain::rights::{Grant, Rights};
use backroom_domain::{BusinessDate, Currency, Decimal, Id, Instant, Money, Side};
use backroom_office::{Caller, Failure, NewInstallation, Office, Work, inventory, ledger};
use backroom_runtime::{Mode, Plugin, RunReport, RunRequest, Runner, Runtime, RuntimeOptions, Status};
use backroom_store::records::Limits;
use backroom_store::{Meta, Options, Store, TenantNo, Ticket};
use serde_json::{Value, json};

/// A made-up moment: a run's time comes from its request.
const NOW: Instant = Instant(1_782_777_600_000_000);
const INSTALLATION: &str = "order";
/// Enough stock for any number of orders: so many units for so many cents.
const STOCK: u32 = 1_000_000_000;
const STOCK_COST: u64 = 5_000_000_000_000;

/// Stands for an order's reference.
const REFERENCE: &str = "@reference@";

/// The measured order, which the guest's own tests use as well.
const ORDER: &str = include_str!("../../../../tests/guests/order/order.json");

/// A store, a runtime, and tenants.
pub(crate) struct Ground {
    pub(crate) runner: Runner,
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) plugin: Arc<Plugin>,
    pub(crate) tenants: Vec<TenantNo>,
    rights: Arc<Rights>,
    installation: Id,
    /// An order that posts, with [`REFERENCE`] for its reference.
    booking: String,
}

impl Ground {
    /// Makes everything in `dir`.
    pub(crate) fn make(dir: &Path, component: &[u8], tenants: usize) -> anyhow::Result<Self> {
        let store = Store::open(dir, Options::default()).context("cannot open a store to measure on")?;
        let runtime = Arc::new(Runtime::new(RuntimeOptions::default())?);
        let runner = Runner::new(store.clone(), Arc::clone(&runtime), &dir.join("releases"))?;
        let release = runner.upload("bench", NOW, component)?;
        let plugin = runtime.plugin(&release.digest).context("the guest was uploaded and is gone")?;
        let office = Office::new(store);
        let installation = Id::parse(INSTALLATION, "name")?;
        let mut numbers = Vec::new();
        for number in 1..=tenants {
            let id = Id::parse(&format!("tenant-{number}"), "id")?;
            let tenant = TenantNo(office.create_tenant("bench", NOW, id, "A tenant")?.value.number);
            let work = stock_up(office.write(tenant, caller(), NOW)?)?;
            let meta = Meta { at: NOW.0, actor: "bench".to_owned(), kind: "setup".to_owned(), ..Meta::default() };
            work.seal()?.commit(meta)?.ticket.wait()?;
            let (release, grants) = (release.digest.clone(), plugin_rights());
            let (config, limits) = (Default::default(), Limits::default());
            let new =
                NewInstallation { name: installation.clone(), release, grants, config, limits, accept_rights: false };
            if let Some(ticket) = office.install("bench", NOW, tenant, new)?.ticket {
                ticket.wait()?;
            }
            numbers.push(tenant);
        }
        let booking = booking().context("order.json")?;
        let rights = Arc::new(Rights::all());
        Ok(Self { runner, runtime, plugin, tenants: numbers, rights, installation, booking })
    }

    /// An order that reads: JSON of 1 KiB, five host calls, no effect.
    pub(crate) fn reading(&self) -> Arc<str> {
        ORDER.into()
    }

    /// An order that posts one entry and one move; `reference` makes it another one.
    pub(crate) fn booking(&self, reference: &str) -> Arc<str> {
        self.booking.replace(REFERENCE, reference).into()
    }

    /// So many lookups of one small record.
    pub(crate) fn lookups(&self, count: u32) -> Arc<str> {
        json!({ "mode": "lookup", "account": "1000", "count": count }).to_string().into()
    }

    /// A whole run: unit of work, fresh instance, rules of the end, and with `commit` the log and its sync.
    pub(crate) fn run(&self, tenant: TenantNo, input: &Arc<str>, mode: Mode) -> anyhow::Result<RunReport> {
        ended_well(self.runner.run_durably(self.request(tenant, input, mode))?)
    }

    /// A whole run up to its place in the log: nobody may be told of it before the ticket says that it is on disk.
    pub(crate) fn run_unproven(&self, tenant: TenantNo, input: &Arc<str>) -> anyhow::Result<(RunReport, Ticket)> {
        let handle = self.runner.run(self.request(tenant, input, Mode::Commit))?;
        let ticket = handle.ticket.context("a run that commits has no ticket")?;
        Ok((ended_well(handle.report)?, ticket))
    }

    fn request(&self, tenant: TenantNo, input: &Arc<str>, mode: Mode) -> RunRequest {
        RunRequest {
            tenant,
            actor: "bench".to_owned(),
            rights: Arc::clone(&self.rights),
            installation: self.installation.clone(),
            id: None,
            input: Arc::clone(input),
            date: None,
            mode,
            now: NOW,
        }
    }
}

/// A measurement of runs that fail would be one of something else.
fn ended_well(report: RunReport) -> anyhow::Result<RunReport> {
    match report.status {
        Status::Ok | Status::Committed => Ok(report),
        Status::Refused | Status::Failed => {
            let why = report.fault.map(|fault| fault.to_string()).or(report.error.map(|error| error.to_string()));
            Err(anyhow!("the measured run ended badly: {}", why.unwrap_or_default()))
        }
    }
}

fn caller() -> Caller {
    Caller { actor: "bench".to_owned(), layers: vec![Arc::new(Rights::all())], installation: None, run: None }
}

/// What the guest wants, without what no plugin can have.
fn plugin_rights() -> Rights {
    Grant { administer: false, ..Grant::all() }.into()
}

fn booking() -> serde_json::Result<String> {
    let mut order: Value = serde_json::from_str(ORDER)?;
    for (pointer, text) in [("/mode", "book"), ("/order/reference", REFERENCE)] {
        if let Some(field) = order.pointer_mut(pointer) {
            *field = json!(text);
        }
    }
    Ok(order.to_string())
}

/// The accounts, the place and the goods of the measured order.
fn stock_up(mut work: Work) -> Result<Work, Failure> {
    use AccountType::{Asset, Equity, Expense, Income, Liability};
    let id = |text: &str| Id::parse(text, "id");
    let usd = Currency::parse("USD", "currency")?;
    let accounts = [
        ("1000", Asset),
        ("1100", Asset),
        ("1400", Asset),
        ("2200", Liability),
        ("3000", Equity),
        ("4000", Income),
        ("5000", Expense),
    ];
    for (code, kind) in accounts {
        let (name, stock_control) = (format!("Account {code}"), code == "1400");
        let new = NewAccount {
            code: id(code)?,
            name,
            kind,
            parent: None,
            currency: usd,
            posting: true,
            stock_control,
            rules: Default::default(),
        };
        ledger::create_account(&mut work, new)?;
    }
    for (place, usage) in [("WH-MAIN", Usage::Internal), ("CUSTOMERS", Usage::Customer), ("OPENING", Usage::Adjustment)]
    {
        inventory::create_location(&mut work, NewLocation { id: id(place)?, name: place.to_owned(), usage })?;
    }
    let (name, unit) = ("Headset".to_owned(), "each".to_owned());
    let (item, stock_account) = (id("HEADSET-20")?, id("1400")?);
    let new = NewItem { id: item.clone(), name, unit, decimals: 0, tracking: Tracking::None, stock_account };
    inventory::create_item(&mut work, new)?;
    let (date, cost) = (BusinessDate::new(2026, 5, 31, "date")?, Money::new(STOCK_COST, usd, "cost")?);
    let entry = id("opening")?;
    inventory::post_move(
        &mut work,
        NewMove {
            id: id("opening")?,
            date,
            item,
            quantity: Decimal::whole(STOCK),
            from: id("OPENING")?,
            to: id("WH-MAIN")?,
            lot: None,
            cost: Some(cost),
            worker: None,
            reason: "opening stock".to_owned(),
            entry: Some(entry.clone()),
        },
    )?;
    let line = |account: &str, side| -> Result<Line, Failure> {
        Ok(Line { account: id(account)?, side, amount: cost, dimensions: Vec::new(), memo: None, details: None })
    };
    let lines = vec![line("1400", Side::Debit)?, line("3000", Side::Credit)?];
    ledger::post(
        &mut work,
        NewEntry { id: entry, date, description: "opening stock".to_owned(), lines, details: None },
    )?;
    Ok(work)
}
