//! Two client companies with something in their books: the one that is attacked from, and the one that must not be seen.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use backroom_domain::hr::{NewBenefit, NewEmployment, NewWorker, Place};
use backroom_domain::inventory::{NewItem, NewLocation, NewMove, Tracking, Usage};
use backroom_domain::ledger::{AccountType, Line, NewAccount, NewEntry};
use backroom_domain::rights::{Grant, Rights};
use backroom_domain::{BusinessDate, Currency, Decimal, Id, Instant, Money, Side};
use backroom_office::limits::Ceilings;
use backroom_office::{Caller, NewInstallation, Office, hr, inventory, ledger, state};
use backroom_runtime::{Compiler, Mode, RunReport, RunRequest, Runner, Runtime, RuntimeOptions};
use backroom_store::records::Limits;
use backroom_store::{Meta, Store, TenantNo};

use crate::guest::{Guest, OK, answer, post};

pub(crate) const NOW: Instant = Instant(1_782_777_600_000_000);

/// One runtime for everything: what a guest leaves behind in it would meet the next one.
pub(crate) fn runtime() -> Arc<Runtime> {
    static RUNTIME: LazyLock<Arc<Runtime>> = LazyLock::new(|| {
        let mut options = RuntimeOptions { concurrency: 8, ..RuntimeOptions::default() };
        if let Some(program) = apart() {
            options.compile.compiler = Compiler::Child { program };
        }
        Arc::new(Runtime::new(options).unwrap())
    });
    Arc::clone(&RUNTIME)
}

/// The program for processes of the tenant's own, if runs are to be executed there: `BACKROOM_APART=$PWD/target/release/backroom`.
pub(crate) fn apart() -> Option<PathBuf> {
    let program = std::env::var_os("BACKROOM_APART")?;
    Some(std::path::absolute(program).unwrap())
}

/// A plugin that does some of everything and is at fault in nothing.
pub(crate) fn clerk() -> &'static [u8] {
    static CLERK: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let run = format!(
            "{} {} {OK}",
            post("clean"),
            answer("state.set", "@\"last\" (local.get $input) (local.get $length)")
        );
        Guest { run: &run, ..Guest::default() }.plugin()
    });
    &CLERK
}

pub(crate) fn id(text: &str) -> Id {
    Id::parse(text, "id").unwrap()
}

fn day(text: &str) -> BusinessDate {
    BusinessDate::parse(text, "day").unwrap()
}

fn usd(minor: u64) -> Money {
    Money { minor, currency: Currency::parse("USD", "currency").unwrap() }
}

/// A service on a store of its own, with the company `acme` and the company `other`.
pub(crate) struct Service {
    pub(crate) runner: Runner,
    pub(crate) office: Office,
    /// Where the plugins run.
    pub(crate) tenant: TenantNo,
    /// Whose things they must not find.
    pub(crate) other: TenantNo,
    /// Holds the releases.
    pub(crate) dir: tempfile::TempDir,
}

impl Service {
    pub(crate) fn new() -> Self {
        let store = Store::memory();
        let dir = tempfile::tempdir().unwrap();
        let office = Office::new(store.clone());
        let mut numbers = [("acme", ""), ("other", "x-")].map(|(name, mark)| {
            let tenant = TenantNo(office.create_tenant("admin", NOW, id(name), name).unwrap().value.number);
            set_up(&office, tenant, mark);
            tenant
        });
        let runner = Runner::new(store, runtime(), &dir.path().join("releases")).unwrap();
        let [tenant, other] = &mut numbers;
        Self { runner, office, tenant: *tenant, other: *other, dir }
    }

    /// Puts a release to use, with everything granted.
    pub(crate) fn install(&self, tenant: TenantNo, name: &str, bytes: &[u8], limits: Limits) {
        let release = self.runner.upload("admin", NOW, bytes).unwrap();
        let grants = Rights::from(Grant { administer: false, ..Grant::all() });
        let config = [("greeting".to_owned(), "hello".to_owned())].into();
        let new =
            NewInstallation { name: id(name), release: release.digest, grants, config, limits, accept_rights: true };
        let written = self.office.install("admin", NOW, tenant, new).unwrap();
        written.ticket.unwrap().wait().unwrap();
    }

    /// From now on the tenant's runs have processes of its own, if that is to be tried.
    pub(crate) fn apart(&self) {
        if apart().is_some() {
            let ceilings = Ceilings { own_process: Some(true), ..Ceilings::default() };
            self.office.set_tenant_limits("admin", NOW, self.tenant, ceilings).unwrap();
        }
    }

    pub(crate) fn run(&self, tenant: TenantNo, name: &str, run: Option<&str>, mode: Mode, input: &str) -> RunReport {
        let request = RunRequest {
            tenant,
            actor: "anna".to_owned(),
            rights: Arc::new(Rights::all()),
            installation: id(name),
            id: run.map(id),
            input: input.into(),
            date: None,
            mode,
            now: NOW,
        };
        self.runner.run_durably(request).unwrap()
    }
}

/// The same small company for both; every id of the other one begins with a mark, so that none of them exists here.
fn set_up(office: &Office, tenant: TenantNo, mark: &str) {
    let name = |text: &str| id(&format!("{mark}{text}"));
    let layers = vec![Arc::new(Rights::all())];
    let caller = Caller { actor: "admin".into(), layers, installation: Some(name("past")), run: None };
    let mut work = office.write(tenant, caller, NOW).unwrap();
    for code in ["1000", "1400", "6100", "6200"] {
        let new = NewAccount {
            code: name(code),
            name: format!("Account {code}"),
            kind: AccountType::Asset,
            parent: None,
            currency: usd(0).currency,
            posting: true,
            stock_control: code == "1400",
            rules: Default::default(),
        };
        ledger::create_account(&mut work, new).unwrap();
    }
    let worker = NewWorker { id: name("w1"), name: "Ann".into(), email: None, bank_account: Some("DE00".into()) };
    hr::add_worker(&mut work, worker).unwrap();
    let employment = NewEmployment {
        worker: name("w1"),
        from: day("2026-01-01"),
        to: None,
        position: id("CPA"),
        place: Place::Remote,
        cost_center: id("CC-1"),
        salary: Some(usd(500_000)),
    };
    hr::add_employment(&mut work, employment).unwrap();
    let item = NewItem {
        id: name("laptop"),
        name: "Laptop".into(),
        unit: "each".into(),
        decimals: 0,
        tracking: Tracking::None,
        stock_account: name("1400"),
    };
    inventory::create_item(&mut work, item).unwrap();
    for (place, usage) in [("stock", Usage::Internal), ("vendor", Usage::Supplier), ("staff", Usage::Consumption)] {
        inventory::create_location(&mut work, NewLocation { id: name(place), name: place.into(), usage }).unwrap();
    }
    let line = |account: &str, side| Line {
        account: name(account),
        side,
        amount: usd(1_000),
        dimensions: Vec::new(),
        memo: None,
        details: None,
    };
    let lines = vec![line("1400", Side::Debit), line("1000", Side::Credit)];
    let entry =
        NewEntry { id: name("e0"), date: day("2026-06-01"), description: "Opening".into(), lines, details: None };
    ledger::post(&mut work, entry).unwrap();
    inventory::post_move(&mut work, receipt(name)).unwrap();
    hr::record_benefit(&mut work, past_benefit(name)).unwrap();
    state::set(&mut work, "secret", b"of the past".to_vec()).unwrap();
    work.seal().unwrap().commit(Meta::default()).unwrap().ticket.wait().unwrap();
}

fn receipt(name: impl Fn(&str) -> Id) -> NewMove {
    NewMove {
        id: name("m0"),
        date: day("2026-06-01"),
        item: name("laptop"),
        quantity: Decimal { mantissa: 10, scale: 0 },
        from: name("vendor"),
        to: name("stock"),
        lot: None,
        cost: Some(usd(1_000)),
        worker: None,
        reason: "Opening".into(),
        entry: Some(name("e0")),
    }
}

fn past_benefit(name: impl Fn(&str) -> Id) -> NewBenefit {
    NewBenefit {
        id: name("b0"),
        worker: name("w1"),
        plan: id("housing"),
        from: day("2026-05-01"),
        to: day("2026-05-31"),
        amount: usd(100),
        cost_center: id("CC-1"),
        entry: None,
    }
}
