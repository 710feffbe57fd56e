//! The state against the log: the log is played from the beginning and must give the state.

use std::collections::HashMap;
use std::ops::{Bound, ControlFlow};

use super::{Problem, Stage, VerifyProgress, VerifyReport};
use crate::engine::{Engine, LogItem, Snapshot};
use crate::entry::Entry;
use crate::error::StoreError;
use crate::index::{Tip, head_key};
use crate::key::split_key;
use crate::types::{Head, TenantNo};

/// Keys compared in one pass: some 100 MiB.
const KEYS_PER_PASS: u64 = 500_000;

/// The heads that the state holds against those that the log gives, for every tenant that either knows.
pub(super) fn check_heads(report: &mut VerifyReport, snapshot: &dyn Snapshot) -> Result<(), StoreError> {
    let mut tenants: Vec<TenantNo> = report.heads.keys().copied().collect();
    let mut next = Some(TenantNo(0));
    while let Some(from) = next {
        let found = snapshot.next_tenant(from)?;
        tenants.extend(found);
        next = found.and_then(|tenant| tenant.0.checked_add(1)).map(TenantNo);
    }
    tenants.sort_unstable();
    tenants.dedup();
    for tenant in tenants {
        let in_log = report.heads.get(&tenant).copied().unwrap_or_default();
        let in_state = match snapshot.get(&head_key(tenant))? {
            Some(bytes) => Tip::decode(&bytes).map(|tip| tip.head),
            None => Some(Head::default()),
        };
        if in_state != Some(in_log) {
            let what = format!("the log ends its chain with {in_log:?}, the state with {in_state:?}");
            report.add(Problem { tenant: Some(tenant), number: Some(in_log.number), what, ..Problem::default() });
        }
    }
    Ok(())
}

/// The last entry that changed a key, and the hash of the value it gave; `None` if it deleted.
type Expected = HashMap<Vec<u8>, Option<[u8; 32]>>;

/// One comparison.
pub(super) struct StateCheck<'a> {
    pub(super) engine: &'a dyn Engine,
    pub(super) snapshot: &'a dyn Snapshot,
    pub(super) report: &'a mut VerifyReport,
    pub(super) progress: &'a mut dyn FnMut(VerifyProgress),
    pub(super) done: u64,
}

impl StateCheck<'_> {
    /// Compares key by key, `changes` of them at most, in as many passes as bounded memory takes.
    pub(super) fn run(&mut self, changes: u64) -> Result<(), StoreError> {
        let passes = changes.div_ceil(KEYS_PER_PASS).max(1);
        for pass in 0..passes {
            let mine = |key: &[u8]| u64::from(crc32fast::hash(key)) % passes == pass;
            let expected = self.replay(passes, &mine)?;
            self.compare(expected, &mine)?;
        }
        Ok(())
    }

    /// Plays the log for the keys of one pass. The log was just found to be whole; what cannot be read now is damage that
    /// came in between, and shows as a difference.
    fn replay(&mut self, passes: u64, mine: &dyn Fn(&[u8]) -> bool) -> Result<Expected, StoreError> {
        let mut expected = Expected::new();
        let mut tips: HashMap<TenantNo, Tip> = HashMap::new();
        let (last, problems) = (self.report.revision, self.report.found());
        self.engine.read_log(1, &mut |item| {
            let LogItem::Entry { revision, payload, .. } = item else { return ControlFlow::Continue(()) };
            if revision > last {
                return ControlFlow::Break(());
            }
            self.done += 1;
            (self.progress)(VerifyProgress { stage: Stage::State, done: self.done, of: last * passes, problems });
            let Ok(entry) = Entry::decode(revision, payload) else { return ControlFlow::Continue(()) };
            let head = Head { number: entry.number, hash: entry.hash };
            let (tip, own) = tips.get(&entry.tenant).copied().unwrap_or_default().advance(entry.tenant, head, revision);
            tips.insert(entry.tenant, tip);
            for (key, value) in entry.changes {
                if mine(&key) {
                    expected.insert(key, value.map(|value| blake3::hash(&value).into()));
                }
            }
            for change in own {
                if mine(&change.key) {
                    expected.insert(change.key.to_vec(), change.value.map(|value| blake3::hash(&value).into()));
                }
            }
            ControlFlow::Continue(())
        })?;
        Ok(expected)
    }

    fn compare(&mut self, mut expected: Expected, mine: &dyn Fn(&[u8]) -> bool) -> Result<(), StoreError> {
        let mut next = self.snapshot.next_tenant(TenantNo(0))?;
        while let Some(tenant) = next {
            let after = tenant.0.checked_add(1).map(TenantNo);
            let end = after.map_or(Bound::Unbounded, |tenant| Bound::Excluded(tenant.0.to_be_bytes().to_vec()));
            for pair in self.snapshot.scan((Bound::Included(tenant.0.to_be_bytes().to_vec()), end), false, usize::MAX) {
                let (key, value) = pair?;
                if !mine(&key) {
                    continue;
                }
                match expected.remove(&*key).flatten() {
                    None => self.differs(&key, "it is in the state, and the log does not say so"),
                    Some(hash) if hash != *blake3::hash(&value).as_bytes() => {
                        self.differs(&key, "its value in the state is not the one in the log");
                    }
                    Some(_) => {}
                }
            }
            next = match after {
                Some(tenant) => self.snapshot.next_tenant(tenant)?,
                None => None,
            };
        }
        for (key, _) in expected.into_iter().filter(|(_, value)| value.is_some()) {
            self.differs(&key, "it is not in the state, and the log says it should be");
        }
        Ok(())
    }

    fn differs(&mut self, key: &[u8], what: &str) {
        let (tenant, space) = split_key(key).map(|(tenant, space, _)| (tenant, space)).unzip();
        let name: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        let what = format!("record {name} of space {}: {what}", space.unwrap_or_default());
        self.report.add(Problem { tenant, what, ..Problem::default() });
    }
}
