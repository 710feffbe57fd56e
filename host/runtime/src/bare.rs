//! The same components on the same engine without the service around them: what a run costs at the least.
//!
//! Pool, fuel and epochs are as in a run; the host functions only answer. For benchmarks; nothing of it is ever served.

use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::{HasSelf, Linker};

use crate::bindings::backroom::{host, hr, inventory, ledger, types};
use crate::bindings::{Workflow, WorkflowPre};
use crate::engine::Runtime;
use crate::error::{HostError, RuntimeError};
use crate::plugin::Plugin;

/// Runs components against host functions that do nothing.
pub struct Bare {
    runtime: Arc<Runtime>,
    linker: Linker<Answers>,
}

/// A component that is ready to run so.
pub struct BarePlugin(WorkflowPre<Answers>);

/// The host functions' state: none.
struct Answers;

/// As much fuel as a run has by default.
const FUEL: u64 = 10_000_000_000;
/// Thirty seconds, as a run has by default.
const TICKS: u64 = 3_000;

impl Bare {
    /// On the engine of `runtime`.
    ///
    /// # Errors
    /// Never, as long as the contract's interfaces do not clash.
    pub fn new(runtime: Arc<Runtime>) -> Result<Self, RuntimeError> {
        let mut linker = Linker::new(&runtime.engine);
        Workflow::add_to_linker::<_, HasSelf<_>>(&mut linker, |answers| answers)
            .map_err(|why| RuntimeError::Engine(why.to_string()))?;
        Ok(Self { runtime, linker })
    }

    /// Resolves the imports of a plugin that was loaded.
    ///
    /// # Errors
    /// As for the plugin itself, so none if that was loaded.
    pub fn prepare(&self, plugin: &Plugin) -> Result<BarePlugin, RuntimeError> {
        let pre = self.linker.instantiate_pre(&plugin.component).and_then(WorkflowPre::new);
        Ok(BarePlugin(pre.map_err(|why| RuntimeError::Engine(why.to_string()))?))
    }

    /// One run: a fresh store and instance, one call.
    ///
    /// # Errors
    /// What the guest ended with, if it did not return ok.
    pub fn run(&self, plugin: &BarePlugin, input: &str) -> Result<String, String> {
        let failed = |why: wasmtime::Error| format!("{why:#}");
        let mut store = Store::new(&self.runtime.engine, Answers);
        store.set_fuel(FUEL).map_err(failed)?;
        store.set_epoch_deadline(TICKS);
        let instance = plugin.0.instantiate(&mut store).map_err(failed)?;
        let returned = instance.call_run(&mut store, input).map_err(failed)?;
        returned.map_err(|error| format!("{error:?}"))
    }
}

type Answer<T> = Result<T, HostError>;
type Plain<T> = wasmtime::Result<T>;

const DATE: types::types::BusinessDate = types::types::BusinessDate { year: 2026, month: 6, day: 30 };
const NOW: types::types::Instant = types::types::Instant { microseconds: 1_782_777_600_000_000 };

fn usd(minor: u64) -> types::types::Money {
    types::types::Money { minor, currency: "USD".to_owned() }
}

impl types::types::Host for Answers {
    fn convert_error(&mut self, error: HostError) -> Plain<types::types::Error> {
        match error {
            HostError::Business(error) => Ok(crate::convert::error(error)),
            HostError::Fault(fault) => Err(wasmtime::Error::new(fault)),
        }
    }
}

impl host::clock::Host for Answers {
    fn now(&mut self) -> Plain<types::types::Instant> {
        Ok(NOW)
    }

    fn today(&mut self) -> Plain<types::types::BusinessDate> {
        Ok(DATE)
    }
}

impl host::config::Host for Answers {
    fn get(&mut self, _key: String) -> Plain<Option<String>> {
        Ok(None)
    }
}

impl host::files::Host for Answers {
    fn list(&mut self, _: String, _: String, _: Option<String>, _: u32) -> Answer<host::files::FilePage> {
        Ok(host::files::FilePage { items: Vec::new(), next: None })
    }

    fn stat(&mut self, _folder: String, path: String) -> Answer<host::files::File> {
        Ok(host::files::File { path, size: 0, digest: String::new(), date: DATE, recorded_at: NOW })
    }

    fn read(&mut self, _: String, _: String, _offset: u64, _length: u32) -> Answer<Vec<u8>> {
        Ok(Vec::new())
    }

    fn write(&mut self, folder: String, path: String, _bytes: Vec<u8>) -> Answer<host::files::File> {
        self.stat(folder, path)
    }

    fn append(&mut self, folder: String, path: String, _: u64, _bytes: Vec<u8>) -> Answer<host::files::File> {
        self.stat(folder, path)
    }

    fn delete(&mut self, _folder: String, _path: String) -> Answer<()> {
        Ok(())
    }
}

impl host::http::Host for Answers {
    fn send(&mut self, _request: host::http::Request) -> Answer<host::http::Response> {
        Ok(host::http::Response { status: 204, headers: Vec::new(), body: Vec::new() })
    }
}

const NOTHING: ledger::reports::Net = ledger::reports::Net { side: types::types::Side::Debit, minor: 0 };

impl ledger::reports::Host for Answers {
    fn report(
        &mut self,
        _kind: ledger::reports::ReportKind,
        _spans: Vec<ledger::reports::Span>,
    ) -> Answer<ledger::reports::ReportOf> {
        Ok(ledger::reports::ReportOf { rows: Vec::new(), totals: Vec::new() })
    }

    fn statement(
        &mut self,
        _account: String,
        _span: ledger::reports::Span,
        _cursor: Option<String>,
        _limit: u32,
    ) -> Answer<ledger::reports::StatementPage> {
        let currency = "USD".to_owned();
        let (opening, closing) = (NOTHING, NOTHING);
        Ok(ledger::reports::StatementPage { currency, opening, items: Vec::new(), closing, next: None })
    }

    fn explain(
        &mut self,
        _account: String,
        _span: ledger::reports::Span,
        _largest: u32,
    ) -> Answer<ledger::reports::Explanation> {
        Ok(ledger::reports::Explanation {
            currency: "USD".to_owned(),
            opening: NOTHING,
            months: Vec::new(),
            largest: Vec::new(),
            rest_entries: 0,
            rest: NOTHING,
            closing: NOTHING,
        })
    }

    fn assert_balance(
        &mut self,
        _account: String,
        _date: types::types::BusinessDate,
        _side: types::types::Side,
        _amount: types::types::Money,
        _tolerance: u64,
    ) -> Answer<ledger::reports::Assertion> {
        Ok(ledger::reports::Assertion { holds: true, balance: NOTHING, difference: NOTHING })
    }

    fn allocate(
        &mut self,
        amount: types::types::Money,
        _portions: Vec<ledger::reports::Portion>,
    ) -> Answer<Vec<types::types::Money>> {
        Ok(vec![amount])
    }
}

impl host::log::Host for Answers {
    fn write(&mut self, _level: host::log::Level, _message: String) -> Plain<()> {
        Ok(())
    }
}

impl host::state::Host for Answers {
    fn get(&mut self, _key: String) -> Answer<Option<Vec<u8>>> {
        Ok(None)
    }

    fn set(&mut self, _key: String, _value: Vec<u8>) -> Answer<()> {
        Ok(())
    }

    fn delete(&mut self, _key: String) -> Answer<()> {
        Ok(())
    }

    fn list(&mut self, _prefix: String, _cursor: Option<String>, _limit: u32) -> Answer<host::state::KeyPage> {
        Ok(host::state::KeyPage { keys: Vec::new(), next: None })
    }
}

impl ledger::accounts::Host for Answers {
    fn get(&mut self, code: String) -> Answer<ledger::accounts::Account> {
        Ok(ledger::accounts::Account {
            code,
            name: "Account".to_owned(),
            kind: ledger::accounts::AccountType::Asset,
            parent: None,
            currency: "USD".to_owned(),
            posting: true,
            stock_control: false,
        })
    }

    fn list(&mut self, _cursor: Option<String>, _limit: u32) -> Answer<ledger::accounts::AccountPage> {
        Ok(ledger::accounts::AccountPage { items: Vec::new(), next: None })
    }
}

impl ledger::balances::Host for Answers {
    fn get(
        &mut self,
        account: String,
        _as_of: Option<types::types::BusinessDate>,
    ) -> Answer<ledger::balances::Balance> {
        Ok(ledger::balances::Balance { account, currency: "USD".to_owned(), debits: 0, credits: 0 })
    }

    fn trial_balance(&mut self, _as_of: Option<types::types::BusinessDate>) -> Answer<Vec<ledger::balances::Balance>> {
        Ok(Vec::new())
    }
}

impl ledger::journal::Host for Answers {
    fn post(&mut self, _entry: ledger::journal::NewEntry) -> Answer<ledger::journal::Posted> {
        Ok(ledger::journal::Posted { number: 1, recorded_at: NOW, replayed: false })
    }

    fn get(&mut self, id: String) -> Answer<ledger::journal::Entry> {
        let (description, lines) = (String::new(), Vec::new());
        Ok(ledger::journal::Entry { id, number: 1, date: DATE, description, lines, recorded_at: NOW })
    }

    fn list(&mut self, _cursor: Option<String>, _limit: u32) -> Answer<ledger::journal::EntryPage> {
        Ok(ledger::journal::EntryPage { items: Vec::new(), next: None })
    }
}

impl hr::workers::Host for Answers {
    fn list_employments(
        &mut self,
        _filter: hr::workers::EmploymentFilter,
        _cursor: Option<String>,
        _limit: u32,
    ) -> Answer<hr::workers::EmploymentPage> {
        Ok(hr::workers::EmploymentPage { items: Vec::new(), next: None })
    }

    fn get_name(&mut self, _worker: String) -> Answer<String> {
        Ok("Worker".to_owned())
    }

    fn get_compensation(
        &mut self,
        _worker: String,
        _date: types::types::BusinessDate,
    ) -> Answer<Option<types::types::Money>> {
        Ok(None)
    }

    fn get_bank_account(&mut self, _worker: String) -> Answer<Option<String>> {
        Ok(None)
    }
}

impl hr::benefits::Host for Answers {
    fn record(&mut self, _benefit: hr::benefits::NewBenefit) -> Answer<hr::benefits::Recorded> {
        Ok(hr::benefits::Recorded { recorded_at: NOW, replayed: false })
    }

    fn list(
        &mut self,
        _plan: String,
        _first_day: types::types::BusinessDate,
        _last_day: types::types::BusinessDate,
        _cursor: Option<String>,
        _limit: u32,
    ) -> Answer<hr::benefits::BenefitPage> {
        Ok(hr::benefits::BenefitPage { items: Vec::new(), next: None })
    }
}

impl inventory::items::Host for Answers {
    fn get(&mut self, id: String) -> Answer<inventory::items::Item> {
        Ok(inventory::items::Item {
            id,
            name: "Item".to_owned(),
            unit: "each".to_owned(),
            decimals: 0,
            tracking: inventory::items::Tracking::None,
            stock_account: "1400".to_owned(),
            currency: "USD".to_owned(),
        })
    }

    fn list(&mut self, _cursor: Option<String>, _limit: u32) -> Answer<inventory::items::ItemPage> {
        Ok(inventory::items::ItemPage { items: Vec::new(), next: None })
    }
}

impl inventory::stock::Host for Answers {
    fn list_on_hand(
        &mut self,
        _item: String,
        _location: Option<String>,
        _cursor: Option<String>,
        _limit: u32,
    ) -> Answer<inventory::stock::OnHandPage> {
        Ok(inventory::stock::OnHandPage { items: Vec::new(), next: None })
    }

    fn get_valuation(&mut self, item: String) -> Answer<inventory::stock::Valuation> {
        let quantity = types::types::Decimal { mantissa: 1, scale: 0 };
        Ok(inventory::stock::Valuation { item, quantity, value: usd(100), stock_account: "1400".to_owned() })
    }

    fn post_move(&mut self, _new: inventory::stock::NewMove) -> Answer<inventory::stock::Moved> {
        Ok(inventory::stock::Moved {
            number: 1,
            value: usd(100),
            stock_account: "1400".to_owned(),
            recorded_at: NOW,
            replayed: false,
        })
    }
}
