//! What was posted stays (L3, L8): no command takes anything off the journal or off the counters of what was posted.

use backroom_domain::Id;
use backroom_domain::ledger::Entry;
use backroom_office::ledger::{self, AsOf};
use backroom_office::{PageRequest, Work};
use proptest::prelude::*;

use crate::books::sequences;
use crate::model::Model;
use crate::script::{give, id, units};
use crate::{begin, commit, work};

/// Entries in the order of the journal, without what says that they were taken back, and per account the sums of what was posted.
type Seen = (Vec<Entry>, Vec<[u64; 2]>);

fn seen(work: &Work, model: &Model) -> Seen {
    let entries = ledger::list_entries(work, &PageRequest::first(500)).unwrap().items;
    let entries = entries.into_iter().map(|entry| Entry { reversed_by: None, ..entry }).collect();
    let codes: Vec<Id> = model.accounts.values().filter(|account| !account.header).map(|a| id(a.code)).collect();
    let balances = ledger::balances_at(work, &codes, AsOf::default()).unwrap();
    (entries, balances.iter().map(|balance| [balance.debits, balance.credits]).collect())
}

proptest! {
    #![proptest_config(sequences())]

    #[test]
    fn what_is_posted_stays_and_never_falls(units in units()) {
        let (store, mut kept) = begin();
        let mut before = seen(&work(&store, &kept), &kept);
        for (commands, seconds, keep) in units {
            kept.now += seconds;
            let mut work = work(&store, &kept);
            let mut model = kept.clone();
            let mut last = before.clone();
            for command in &commands {
                give(&mut work, command, &model);
                model.perform(command);
                let (entries, counters) = seen(&work, &model);
                prop_assert!(entries.len() >= last.0.len(), "L8: {:?}", command);
                prop_assert_eq!(&entries[..last.0.len()], &last.0[..], "L8: {:?}", command);
                let falls = counters.iter().flatten().zip(last.1.iter().flatten()).any(|(now, was)| now < was);
                prop_assert!(!falls, "L3: {:?}: {:?} after {:?}", command, counters, last.1);
                last = (entries, counters);
            }
            if keep {
                commit(work);
                kept = model;
                before = last;
            }
        }
    }
}
