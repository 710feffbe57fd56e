//! Everything that can be read, against the model; and the log against what clients asked for and were told.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::Arc;

use backroom_domain::rights::Rights;
use backroom_domain::{BusinessDate, Instant};
use backroom_office::hr::EmploymentFilter;
use backroom_office::{Caller, Page, PageRequest, Work, hr, inventory, ledger, runs, state};
use backroom_store::records::{Installation, RunStatus, Tenant};
use backroom_store::{Hash, Store, TenantNo, Tx};

use crate::execution::{Answer, run_id};
use crate::model::{ITEMS, Model};
use crate::plan::{Ask, Command, INSTALLATIONS, TENANTS};
use crate::script::{PLANS, day, id, inside, rights};
use crate::world::World;

/// All items of a list, page by page.
fn all<T>(limit: u32, list: impl Fn(&PageRequest) -> backroom_office::Result<Page<T>>) -> Vec<T> {
    let (mut request, mut items) = (PageRequest::first(limit), Vec::new());
    loop {
        let page = list(&request).unwrap();
        items.extend(page.items);
        match page.next {
            Some(next) => request.cursor = Some(next),
            None => return items,
        }
    }
}

fn work(tx: Tx, installation: &str) -> Work {
    let layers = vec![Arc::new(Rights::all())];
    Work::new(
        tx,
        Caller { actor: "auditor".into(), layers, installation: Some(id(installation)), run: None },
        Instant(1),
        day(0),
    )
}

/// What a reader of the tenant sees is what the model says, whole.
pub(crate) fn compare(tx: Tx, model: &Model) {
    let mut work = work(tx, INSTALLATIONS[0]);
    compare_ledger(&work, model);
    compare_people(&work, model);
    compare_stock(&work, model);
    let seen = all(100, |page| runs::list(&work, page)).into_iter().map(|run| {
        let record = runs::get(&work, &run.id).unwrap();
        assert_eq!((run.status, run.number), (runs::RowStatus::Ended(record.status), record.number), "{}", run.id);
        (run.id.to_string(), (record.status == RunStatus::Committed, record.number, record.request_hash))
    });
    let expected = model.runs.iter().map(|(id, ran)| (id.clone(), (ran.committed, ran.number, ran.request)));
    assert_eq!(seen.collect::<BTreeMap<_, _>>(), expected.collect());
    for name in INSTALLATIONS {
        let found = work.tx().get::<Installation>(&id(name)).unwrap();
        let found = found.map(|found| (found.grants, found.config["n"].clone()));
        // Nobody is said to answer for the grants, so it is whoever installed.
        let given = |clerk: bool| rights(clerk).owned_by("ann");
        assert_eq!(found, model.installations.get(name).map(|(clerk, n)| (given(*clerk), n.to_string())), "{name}");
        work.caller.installation = Some(id(name));
        let seen = all(3, |page| state::list(&work, "", page)).into_iter();
        let seen: Vec<_> = seen.map(|key| (state::get(&work, &key).unwrap().unwrap(), key)).collect();
        let own = model.state.iter().filter(|((of, _), _)| *of == name);
        assert_eq!(seen, own.map(|((_, key), value)| (value.clone(), key.clone())).collect::<Vec<_>>(), "{name}");
    }
}

fn compare_ledger(work: &Work, model: &Model) {
    let accounts: Vec<_> = all(5, |page| ledger::list_accounts(work, page)).into_iter().map(|a| a.new).collect();
    assert_eq!(accounts, model.ledger.accounts.values().map(|account| (**account).clone()).collect::<Vec<_>>());
    let entries = all(500, |page| ledger::list_entries(work, page));
    assert_eq!(entries.len(), model.ledger.entries.len());
    for (number, (entry, expected)) in (1..).zip(entries.iter().zip(&model.ledger.entries)) {
        let seen = (&entry.new, entry.run.as_ref().map(ToString::to_string), entry.recorded_at.0);
        assert_eq!(seen, (&expected.new, expected.run.clone(), expected.at));
        assert_eq!(entry.number, number, "no gap");
    }
    for as_of in [None, Some(day(20)), Some(day(45))] {
        let trial = ledger::trial_balance(work, as_of).unwrap();
        let seen = trial.rows.iter().map(|row| {
            (row.balance.account.to_string(), (i128::from(row.balance.debits), i128::from(row.balance.credits)))
        });
        let posting = model.ledger.accounts.values().filter(|account| account.posting);
        let sum = |code: &str| match as_of {
            None => model.ledger.sums.get(code).copied().unwrap_or_default(),
            as_of => model.ledger.balance(code, as_of),
        };
        let expected = posting.map(|account| (account.code.to_string(), sum(account.code.as_str())));
        assert_eq!(seen.collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "as of {as_of:?}");
        for total in trial.totals {
            assert_eq!(total.debits, total.credits, "debits and credits in {}", total.currency);
        }
    }
}

fn compare_people(work: &Work, model: &Model) {
    let seen: Vec<_> =
        all(3, |page| hr::list_workers(work, page)).into_iter().map(|w| (w.id.to_string(), w.name)).collect();
    let people = &model.people;
    assert_eq!(seen, people.workers.iter().map(|(id, w)| (id.clone(), Some(w.name.clone()))).collect::<Vec<_>>());
    let filter = EmploymentFilter::default();
    let seen: Vec<_> = all(7, |page| hr::list_employments(work, &filter, page)).into_iter().map(|e| e.new).collect();
    let mut expected: Vec<_> = people.employments.iter().map(|e| (**e).clone()).collect();
    expected.sort_by(|a, b| (&a.worker, a.from).cmp(&(&b.worker, b.from)));
    assert_eq!(seen, expected);
    for plan in PLANS {
        let list = |page: &PageRequest| hr::list_benefits(work, &id(plan), day(0), BusinessDate::MAX, page);
        let seen: Vec<_> = all(50, list).into_iter().map(|benefit| benefit.new).collect();
        let mut expected: Vec<_> =
            people.benefits.iter().filter(|b| b.plan.as_str() == plan).map(|b| (**b).clone()).collect();
        expected.sort_by(|a, b| (a.from, &a.worker, &a.id).cmp(&(b.from, &b.worker, &b.id)));
        assert_eq!(seen, expected);
    }
}

fn compare_stock(work: &Work, model: &Model) {
    let stock = &model.stock;
    for (item, ..) in ITEMS {
        let rows = all(2, |page| inventory::list_on_hand(work, &id(item), None, page));
        let seen = rows.iter().map(|row| {
            let lot = row.lot.as_ref().map(ToString::to_string);
            ((row.location.to_string(), lot), i128::from(row.units()))
        });
        let there = stock.on_hand.iter().filter(|((of, _, place), units)| *of == item && inside(place) && **units > 0);
        let there = there.map(|((_, lot, place), units)| (((*place).to_owned(), lot.map(str::to_owned)), *units));
        assert_eq!(seen.collect::<BTreeMap<_, _>>(), there.collect(), "{item}");
        assert_eq!(stock.on_hand.iter().filter(|((of, ..), _)| *of == item).map(|(_, n)| n).sum::<i128>(), 0);
    }
    let worth = all(2, |page| inventory::list_valuations(work, page)).into_iter();
    let seen: Vec<_> =
        worth.map(|w| (w.item.to_string(), i128::from(w.quantity.mantissa), i128::from(w.value.minor))).collect();
    let expected = |(item, ..): &(&str, bool, bool)| {
        ((*item).to_owned(), stock.quantity(item), stock.value.get(item).copied().unwrap_or(0))
    };
    assert_eq!(seen, ITEMS.iter().map(expected).collect::<Vec<_>>());
    let total: i128 = stock.value.values().sum();
    for row in inventory::stock_control(work).unwrap() {
        assert_eq!((row.ledger.minor, row.stock.minor), (total, total), "the account is the stock");
    }
    let moves = all(500, |page| inventory::list_moves(work, page));
    let seen: Vec<_> = moves.into_iter().map(|m| (m.number, m.new, i128::from(m.value.minor))).collect();
    let expected = (1..).zip(&stock.moves).map(|(number, m)| (number, m.0.clone(), m.1));
    assert_eq!(seen, expected.collect::<Vec<_>>());
}

/// One entry of a chain, as far as it matters here.
pub(crate) struct Entry {
    pub(crate) number: u64,
    pub(crate) hash: Hash,
    run: Option<String>,
    kind: String,
}

/// The durable chains, by tenant.
pub(crate) fn chains(store: &Store) -> BTreeMap<TenantNo, Vec<Entry>> {
    let mut chains = BTreeMap::<_, Vec<Entry>>::new();
    let mut add = |e: &backroom_store::Entry| {
        let entry = Entry { number: e.number, hash: e.hash, run: e.run.clone(), kind: e.kind.clone() };
        chains.entry(e.tenant).or_default().push(entry);
        ControlFlow::Continue(())
    };
    store.entries(1, &mut add).unwrap();
    chains
}

impl World {
    /// Compares every tenant as it is on disk now.
    pub(crate) fn audit(&self) {
        let store = Store::with_engine(Arc::clone(&self.shared));
        for tenant in (1..=TENANTS).map(|tenant| TenantNo(tenant.into())) {
            let model = self.books.model(tenant, store.head(tenant).unwrap().hash);
            compare(store.read(tenant).unwrap(), &model);
        }
        let model = self.books.model(TenantNo::PROVIDER, store.head(TenantNo::PROVIDER).unwrap().hash);
        let tx = store.read(TenantNo::PROVIDER).unwrap();
        let companies = tx.scan::<Tenant>(&(), None, 100).unwrap().into_iter().map(|(_, tenant)| tenant);
        let seen: BTreeMap<_, _> = companies.map(|c| (c.id.to_string(), (c.name, c.number))).collect();
        assert_eq!(&seen, &*model.companies);
        let numbers: BTreeSet<_> = seen.values().map(|(_, number)| *number).collect();
        assert!(numbers.into_iter().eq(1..=seen.len() as u32), "no gap");
    }

    /// The end of a history: the books, the proof of the log, and each acknowledged request in it exactly once.
    pub(crate) fn audit_end(&self, commands: &[Command]) {
        self.audit();
        let store = Store::with_engine(Arc::clone(&self.shared));
        let report = store.verify(&mut |_| {}).unwrap();
        assert!(report.is_sound(), "{:#?}", report.problems);
        let chains = chains(&store);
        for (tenant, chain) in &chains {
            assert!(chain.iter().map(|entry| entry.number).eq(1..=chain.len() as u64), "no gap");
            let mut seen = BTreeSet::new();
            for entry in chain {
                assert!(
                    self.books.is_durable(*tenant, entry.hash) || entry.number == 1,
                    "nobody was told of {}",
                    entry.hash
                );
                assert_eq!(self.books.model(*tenant, entry.hash).number, entry.number);
                assert!(entry.run.iter().all(|run| seen.insert(run.clone())), "run {:?} was done twice", entry.run);
                check_origin(entry, self.books.wrote(*tenant, entry.hash));
            }
        }
        assert_eq!(self.answers.len(), commands.len(), "everybody was answered in the end");
        for command in commands {
            let Answer::Recorded { number, committed } = self.answers[&command.index] else { continue };
            let entry = &chains[&TenantNo(command.tenant.into())][number as usize - 1];
            let expected = match &command.ask {
                Ask::Run(script) if committed => ("run", Some(run_id(script).to_string())),
                Ask::Run(script) => ("run-attempt", Some(run_id(script).to_string())),
                Ask::Import { .. } => ("import", None),
                Ask::Install { .. } => ("installation", None),
                Ask::Company { .. } => ("tenant", None),
            };
            assert_eq!((entry.kind.as_str(), entry.run.clone()), expected, "what was acknowledged to {command}");
        }
        self.check_recorded(&store, &chains);
    }

    /// Some runs as they are taken out of the log for a replay.
    fn check_recorded(&self, store: &Store, chains: &BTreeMap<TenantNo, Vec<Entry>>) {
        for (tenant, chain) in chains {
            for entry in chain.iter().filter(|entry| entry.kind == "run").step_by(97) {
                let recorded = runs::recorded(store, *tenant, entry.number).unwrap().unwrap();
                let model = self.books.model(*tenant, entry.hash);
                let before = self.books.model(*tenant, recorded.entry.prev);
                let done = (model.ledger.entries.len() - before.ledger.entries.len())
                    + (model.stock.moves.len() - before.stock.moves.len());
                let posted = recorded.effects.iter().filter(|effect| {
                    use backroom_domain::Effect::{EntryPosted, MovePosted};
                    matches!(effect, EntryPosted(_) | MovePosted(_))
                });
                assert_eq!(posted.count(), done);
            }
        }
    }
}

/// Only what was asked for is in the log.
fn check_origin(entry: &Entry, command: &Command) {
    if let Ask::Run(script) = &command.ask {
        assert_eq!(entry.run, Some(run_id(script).to_string()));
    }
}

/// The model after each entry of a tenant.
pub(crate) fn models(world: &World, tenant: TenantNo, chain: &[Entry]) -> Vec<Rc<Model>> {
    chain.iter().map(|entry| world.books.model(tenant, entry.hash)).collect()
}
