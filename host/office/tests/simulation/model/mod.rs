//! What a tenant's books should be: plain maps and sums in 128 bits. It shares the types of a request with the service, and no rule.
//!
//! A model is cheap to copy, so there is one for every head of every chain, and one for every unit of work under way.

mod ledger;
mod people;
mod stock;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

pub(crate) use ledger::Ledger;
pub(crate) use people::People;
pub(crate) use stock::{ITEMS, Stock};

use crate::files::Files;
use crate::script::{Call, Told, booking, inside, key, new_account, new_benefit, new_employment, new_move, new_worker};
use crate::script::{new_entry, reversal};

/// A tenant's books after one entry of its chain, or within a unit of work.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    /// Entries in the chain.
    pub(crate) number: u64,
    pub(crate) ledger: Rc<Ledger>,
    pub(crate) people: Rc<People>,
    pub(crate) stock: Rc<Stock>,
    /// By id: a run of which something is on record.
    pub(crate) runs: Rc<BTreeMap<String, Ran>>,
    /// By name: whether it is for a clerk, and its configuration.
    pub(crate) installations: Rc<BTreeMap<&'static str, (bool, u8)>>,
    /// By installation and key.
    pub(crate) state: Rc<BTreeMap<(&'static str, String), Vec<u8>>>,
    /// The provider's own: by id the name and the number.
    pub(crate) companies: Rc<BTreeMap<String, (String, u32)>>,
    /// What this unit of work owes: per stock account what the ledger and what the stock gained.
    owes: BTreeMap<String, (i128, i128)>,
    /// Entries that must be there in the end.
    named: BTreeSet<String>,
    /// Changes so far in this unit of work.
    pub(crate) done: usize,
}

/// A run on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) committed: bool,
    pub(crate) number: u64,
    pub(crate) installation: &'static str,
    pub(crate) request: [u8; 32],
}

/// On whose behalf a call is done.
#[derive(Debug, Clone)]
pub(crate) struct Doer {
    pub(crate) clerk: bool,
    pub(crate) installation: &'static str,
    pub(crate) run: String,
    pub(crate) at: u64,
}

/// A refusal, by its code.
pub(crate) type Answer<T> = Result<T, &'static str>;

impl Model {
    /// The same at the beginning of a unit of work.
    pub(crate) fn begin(&self) -> Self {
        Self { owes: BTreeMap::new(), named: BTreeSet::new(), done: 0, ..self.clone() }
    }

    /// The same with one entry more in the chain.
    pub(crate) fn committed(&self) -> Self {
        Self { number: self.number + 1, ..self.begin() }
    }

    /// All of it but the numbers of the chain, as text.
    pub(crate) fn contents(&self) -> String {
        let Self { ledger, people, stock, installations, state, companies, .. } = self;
        let runs: Vec<_> = self.runs.iter().map(|(id, ran)| (id, ran.committed, ran.installation)).collect();
        format!("{ledger:?} {people:?} {stock:?} {installations:?} {state:?} {companies:?} {runs:?}")
    }

    /// The rules of the end.
    pub(crate) fn end(&self) -> Answer<()> {
        if self.owes.values().any(|(ledger, stock)| ledger != stock) {
            return Err("stock-ledger-mismatch");
        }
        if self.named.iter().any(|entry| self.ledger.find(entry).is_none()) {
            return Err("entry-missing");
        }
        Ok(())
    }

    pub(crate) fn perform(&mut self, doer: &Doer, call: &Call) -> Told {
        self.answer(doer, call).map_err(str::to_owned)
    }

    fn answer(&mut self, doer: &Doer, call: &Call) -> Answer<Vec<i128>> {
        let before = self.done;
        match call {
            Call::Account { code, shape } => {
                if doer.clerk {
                    return Err("chart-denied");
                }
                let new = Rc::make_mut(&mut self.ledger).add_account(new_account(*code, *shape))?;
                self.done += usize::from(new);
            }
            Call::Worker { who, name } => {
                master(doer)?;
                self.done += usize::from(Rc::make_mut(&mut self.people).add_worker(new_worker(*who, *name))?);
            }
            Call::Employ { who, from, to } => {
                master(doer)?;
                let new = Rc::make_mut(&mut self.people).employ(new_employment(*who, *from, *to))?;
                self.done += usize::from(new);
            }
            Call::Benefit { id, who, plan, from, to, entry } => {
                let new = new_benefit(*id, *who, *plan, *from, *to, *entry);
                if doer.clerk && new.plan.as_str() != "meals" {
                    return Err("benefit-denied");
                }
                let named = new.entry.as_ref().map(|entry| entry.to_string());
                if Rc::make_mut(&mut self.people).benefit(new)? {
                    self.done += 1;
                    self.named.extend(named);
                }
            }
            Call::Post { id, day, lines } => return self.post(doer, new_entry(&format!("e{id}"), *day, lines)),
            Call::Reverse { of } => {
                let entry = self.ledger.find(&format!("e{of}")).ok_or("not-found")?.clone();
                return self.post(doer, reversal(&entry.new));
            }
            Call::Move { book, .. } => return self.movement(doer, call, *book),
            Call::Set { .. } | Call::Delete { .. } | Call::AskState { .. } => return self.state(doer, call),
            Call::AskBalance { .. } | Call::AskTrial { .. } => return self.ledger.ask(call),
            Call::AskValue { thing } => return self.stock.worth(*thing),
            Call::AskPay { who, day } => return self.people.pay(*who, *day),
        }
        Ok(vec![(self.done - before) as i128])
    }

    fn post(&mut self, doer: &Doer, new: backroom_domain::ledger::NewEntry) -> Answer<Vec<i128>> {
        let (number, replayed) = Rc::make_mut(&mut self.ledger).post(doer, new)?;
        if !replayed {
            self.done += 1;
            let entry = self.ledger.last();
            for line in entry.new.lines.iter().filter(|line| self.ledger.controls_stock(line.account.as_str())) {
                let owed = self.owes.entry(line.account.to_string()).or_default();
                owed.0 += ledger::signed(line);
            }
        }
        Ok(vec![number.into(), replayed.into()])
    }

    fn movement(&mut self, doer: &Doer, call: &Call, book: bool) -> Answer<Vec<i128>> {
        let Some(new) = new_move(call) else { return Ok(Vec::new()) };
        let workers = &self.people.workers;
        let known = |worker: &str| workers.contains_key(worker);
        let moved = Rc::make_mut(&mut self.stock).post(doer, new.clone(), &known)?;
        let value = moved.value;
        if !moved.replayed {
            self.done += 1;
            let gain = if inside(new.to.as_str()) { value } else { -value };
            if value != 0 {
                self.owes.entry("1400".to_owned()).or_default().1 += gain;
            }
        }
        if book && value > 0 {
            self.post(doer, booking(&new, value as u64))?;
        }
        Ok(vec![moved.number.into(), moved.replayed.into(), value])
    }

    fn state(&mut self, doer: &Doer, call: &Call) -> Answer<Vec<i128>> {
        if doer.clerk {
            return Err("state-denied");
        }
        let at = |n: &u8| (doer.installation, key(*n));
        let state = Rc::make_mut(&mut self.state);
        let changed = match call {
            Call::Set { key, value } => state.insert(at(key), vec![*value]) != Some(vec![*value]),
            Call::Delete { key } => state.remove(&at(key)).is_some(),
            Call::AskState { key } => {
                return Ok(state.get(&at(key)).into_iter().flatten().map(|byte| i128::from(*byte)).collect());
            }
            _ => false,
        };
        self.done += usize::from(changed);
        Ok(vec![changed.into()])
    }

    /// All rows of the files, or none.
    pub(crate) fn import(&mut self, doer: &Doer, files: &Files) -> Answer<()> {
        let ledger = Rc::make_mut(&mut self.ledger);
        for account in &files.accounts {
            ledger.add_account(account.clone())?;
        }
        if let Some(opening) = files.opening() {
            ledger.post(doer, opening)?;
        }
        let people = Rc::make_mut(&mut self.people);
        files.workers.iter().try_for_each(|worker| people.add_worker(worker.clone()).map(drop))?;
        files.employments.iter().try_for_each(|stretch| people.employ(stretch.clone()).map(drop))?;
        for opened in files.moves() {
            Rc::make_mut(&mut self.stock).post(doer, opened, &|_| false)?;
        }
        Ok(())
    }
}

fn master(doer: &Doer) -> Answer<()> {
    if doer.clerk { Err("administer-denied") } else { Ok(()) }
}
