//! The engines against a model: a map per tenant and revision. Any order of commits, roll-backs, held snapshots,
//! scans with cursors, checkpoints, compactions, restarts, and restarts without the state index.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use backroom_store::{Hash, Store, TenantNo, Tx};
use proptest::prelude::*;

/// A staged change: book, page, and the new text or none.
pub type Change = (u8, u8, Option<String>);

#[derive(Debug, Clone)]
pub enum Step {
    Commit { tenant: u8, changes: Vec<Change>, wait: bool },
    RollBack { tenant: u8, changes: Vec<Change> },
    Hold { tenant: u8 },
    Release { which: usize },
    Scan { tenant: u8, book: Option<u8>, limit: usize },
    Entry { tenant: u8, number: u64 },
    Reopen { close: bool },
    ReopenWithoutState,
    Checkpoint,
    Compact,
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    // Few keys, so that most of them are written again and again; "\0" and "\u{1}" are the ones that are escaped.
    let change = (0..4_u8, 0..4_u8, proptest::option::weighted(0.7, "[a-c]{0,3}"));
    proptest::collection::vec(change, 0..12)
}

pub fn step() -> impl Strategy<Value = Step> {
    let tenant = 0..3_u8;
    prop_oneof![
        12 => (tenant.clone(), changes(), any::<bool>())
            .prop_map(|(tenant, changes, wait)| Step::Commit { tenant, changes, wait }),
        2 => (tenant.clone(), changes()).prop_map(|(tenant, changes)| Step::RollBack { tenant, changes }),
        3 => tenant.clone().prop_map(|tenant| Step::Hold { tenant }),
        2 => (0..8_usize).prop_map(|which| Step::Release { which }),
        4 => (tenant.clone(), proptest::option::of(0..4_u8), 1..5_usize)
            .prop_map(|(tenant, book, limit)| Step::Scan { tenant, book, limit }),
        2 => (tenant, 0..20_u64).prop_map(|(tenant, number)| Step::Entry { tenant, number }),
        1 => any::<bool>().prop_map(|close| Step::Reopen { close }),
        1 => Just(Step::ReopenWithoutState),
        1 => Just(Step::Checkpoint),
        2 => Just(Step::Compact),
    ]
}

const BOOKS: [&str; 4] = ["", "a", "a\0", "a\u{1}b"];
const TENANTS: [TenantNo; 3] = [ACME, COPY, TenantNo::PROVIDER];

type State = BTreeMap<(String, u32), String>;

/// What the store should be.
#[derive(Default)]
struct Model {
    /// After each revision, all tenants.
    states: Vec<[State; 3]>,
    /// Per tenant the hash and the number of changes of each entry.
    chains: [Vec<(Hash, usize)>; 3],
}

impl Model {
    fn state(&self, revision: u64, tenant: u8) -> State {
        match revision {
            0 => State::new(),
            revision => self.states[revision as usize - 1][tenant as usize].clone(),
        }
    }

    fn now(&self, tenant: u8) -> State {
        self.state(self.states.len() as u64, tenant)
    }

    fn apply(state: &mut State, changes: &[Change]) {
        for (book, page, text) in changes {
            let key = (BOOKS[*book as usize].to_owned(), u32::from(*page));
            match text {
                Some(text) => state.insert(key, text.clone()),
                None => state.remove(&key),
            };
        }
    }
}

fn stage(tx: &mut Tx, changes: &[Change]) {
    for (book, page, text) in changes {
        let (book, page) = (BOOKS[*book as usize], u32::from(*page));
        match text {
            Some(text) => tx.put(&note(book, page, text)).unwrap(),
            None => tx.delete::<Note>(&(book.into(), page)),
        }
    }
}

fn check(tx: &Tx, expected: &State) {
    let found: State = notes(tx).into_iter().map(|note| ((note.book, note.page), note.text)).collect();
    assert_eq!(&found, expected);
    for (number, book) in BOOKS.into_iter().enumerate() {
        // Some are there, some are not, and some are staged. Of every second book each is asked for by itself.
        if let Some(mut wanted) = tx.wanted().filter(|_| (number + expected.len()).is_multiple_of(2)) {
            (0..4).for_each(|page| wanted.add::<Note>(&(book.to_owned(), page)));
            wanted.read().unwrap();
        }
        for page in 0..4 {
            let key = (book.to_owned(), page);
            assert_eq!(tx.get::<Note>(&key).unwrap().map(|note| note.text).as_ref(), expected.get(&key));
        }
        let last = tx.last::<Note>(&book).unwrap().map(|note| note.page);
        assert_eq!(last, expected.keys().filter(|(in_book, _)| in_book == book).map(|(_, page)| *page).max());
    }
}

fn check_scan(tx: &Tx, book: Option<u8>, limit: usize, state: &State) {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = match book {
            Some(book) => tx.scan::<Note>(&BOOKS[book as usize], after.as_deref(), limit).unwrap(),
            None => tx.scan::<Note>(&(), after.as_deref(), limit).unwrap(),
        };
        let Some((cursor, _)) = page.last() else { break };
        after = Some(cursor.clone());
        found.extend(page.into_iter().map(|(_, note)| ((note.book, note.page), note.text)));
    }
    let wanted = |(in_book, _): &(String, u32)| book.is_none_or(|book| BOOKS[book as usize] == in_book);
    let expected: Vec<_> = state.clone().into_iter().filter(|(key, _)| wanted(key)).collect();
    assert_eq!(found, expected);
}

/// Runs the steps; `reopen` gets the store back, with or without its state index, or refuses (an engine without a disk).
pub fn run(steps: &[Step], mut store: Store, dir: Option<&Path>) {
    let mut model = Model::default();
    let mut held: Vec<(u8, Tx)> = Vec::new();
    for step in steps {
        match step {
            Step::Commit { tenant, changes, wait } => {
                let mut tx = store.write(TENANTS[*tenant as usize]).unwrap();
                check(&tx, &model.now(*tenant));
                stage(&mut tx, changes);
                let mut state = model.now(*tenant);
                Model::apply(&mut state, changes);
                check(&tx, &state);
                check_scan(&tx, None, 3, &state);
                let staged = tx.changes();
                let committed = tx.commit(meta("model")).unwrap();
                let mut all = model.states.last().cloned().unwrap_or_default();
                all[*tenant as usize] = state;
                model.states.push(all);
                model.chains[*tenant as usize].push((committed.hash, staged));
                assert_eq!(committed.revision, model.states.len() as u64);
                assert_eq!(committed.number, model.chains[*tenant as usize].len() as u64);
                if *wait {
                    committed.ticket.wait().unwrap();
                    assert!(store.read(ACME).unwrap().revision() >= committed.revision);
                }
            }
            Step::RollBack { tenant, changes } => {
                let mut tx = store.write(TENANTS[*tenant as usize]).unwrap();
                stage(&mut tx, changes);
            }
            Step::Hold { tenant } => held.push((*tenant, store.read(TENANTS[*tenant as usize]).unwrap())),
            Step::Release { which } => {
                if *which < held.len() {
                    held.swap_remove(*which);
                }
            }
            Step::Scan { tenant, book, limit } => {
                let tx = store.read(TENANTS[*tenant as usize]).unwrap();
                check_scan(&tx, *book, *limit, &model.state(tx.revision(), *tenant));
            }
            Step::Entry { tenant, number } => check_entry(&store, &model, *tenant, *number),
            // Engines that have neither do nothing. The state index does not pass by an older snapshot, which both wait for.
            Step::Checkpoint | Step::Compact => {
                held.retain(|(_, tx)| tx.revision() == model.states.len() as u64);
                if matches!(step, Step::Compact) { store.compact().unwrap() } else { store.checkpoint().unwrap() }
            }
            Step::Reopen { .. } | Step::ReopenWithoutState => {
                let Some(dir) = dir else { continue };
                held.clear();
                match step {
                    Step::Reopen { close: true } => store.close().unwrap(),
                    _ => drop(store),
                }
                if matches!(step, Step::ReopenWithoutState) {
                    remove_state(dir);
                }
                store = Store::open(dir, options()).unwrap();
                assert_eq!(store.status().durable, model.states.len() as u64, "dropping loses nothing either");
            }
        }
        for (tenant, tx) in &held {
            check(tx, &model.state(tx.revision(), *tenant));
        }
    }
    drop(held);
    assert_sound(&store);
}

fn check_entry(store: &Store, model: &Model, tenant: u8, number: u64) {
    let head = store.head(TENANTS[tenant as usize]).unwrap().number;
    let entry = store.entry(TENANTS[tenant as usize], number).unwrap();
    let expected = (number > 0 && number <= head).then(|| model.chains[tenant as usize][number as usize - 1]);
    // What became durable between the two calls is no error.
    if number <= head {
        assert_eq!(entry.map(|entry| (entry.hash, entry.changes.len())), expected);
    }
}
