//! Verification: everything that can be checked without knowing what the records mean.
//!
//! First the log: every frame, the sequence, every tenant's chain, and the heads in the state. Then the state: the log is
//! played from the beginning and must give it. Keys are compared by hash in as many passes as it takes to keep memory
//! bounded. Nothing is repaired here.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::{Bound, ControlFlow};

use crate::engine::{At, Engine, LogItem, Place, Snapshot};
use crate::entry::Entry;
use crate::error::StoreError;
use crate::index::{Tip, head_key};
use crate::key::split_key;
use crate::types::{Head, Revision, TenantNo};

/// Keys compared in one pass: some 100 MiB.
const KEYS_PER_PASS: u64 = 500_000;
/// Problems listed; the rest is counted. A destroyed segment has thousands, and the first ones say it all.
const MAX_PROBLEMS: usize = 10_000;

/// What is being checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The log itself.
    Log,
    /// The state against the log.
    State,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifyProgress {
    /// What is being checked.
    pub stage: Stage,
    /// Revisions read in this stage, all passes together.
    pub done: u64,
    /// Revisions to read in this stage.
    pub of: u64,
    /// Problems found so far.
    pub problems: u64,
}

/// One thing that is wrong. Fields are set as far as they are known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problem {
    /// The segment file.
    pub segment: Option<String>,
    /// The offset in it, in bytes.
    pub offset: Option<u64>,
    /// The revision.
    pub revision: Option<Revision>,
    /// Whose chain or record.
    pub tenant: Option<TenantNo>,
    /// The number in that chain.
    pub number: Option<u64>,
    /// What is wrong, in words.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(segment), Some(offset)) = (&self.segment, self.offset) {
            write!(f, "log/{segment} at byte {offset}: ")?;
        }
        if let Some(tenant) = self.tenant {
            write!(f, "tenant {tenant}: ")?;
        }
        if let Some(number) = self.number {
            write!(f, "entry {number}: ")?;
        }
        f.write_str(&self.what)
    }
}

/// What was checked and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VerifyReport {
    /// The durable revision that was checked up to.
    pub revision: Revision,
    /// Segment files read.
    pub segments: u64,
    /// Entries whose frame is whole.
    pub entries: u64,
    /// Bytes of their payloads.
    pub bytes: u64,
    /// Tenants with at least one entry, and the head that the log gives each.
    pub heads: BTreeMap<TenantNo, Head>,
    /// Whether the state was compared record by record. It is not when entries cannot be read: it would differ everywhere.
    pub state_compared: bool,
    /// The first ten thousand problems.
    pub problems: Vec<Problem>,
    /// How many more there were.
    pub unlisted: u64,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty() && self.state_compared
    }

    fn add(&mut self, problem: Problem) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        } else {
            self.unlisted += 1;
        }
    }

    fn found(&self) -> u64 {
        self.problems.len() as u64 + self.unlisted
    }
}

pub(crate) fn verify(engine: &dyn Engine, progress: &mut dyn FnMut(VerifyProgress)) -> Result<VerifyReport, StoreError> {
    let snapshot = engine.snapshot(At::Durable)?;
    let mut log = LogCheck::new(snapshot.revision());
    engine.read_log(1, &mut |item| {
        let flow = log.item(item);
        let (done, of) = (log.expected - 1, log.report.revision);
        progress(VerifyProgress { stage: Stage::Log, done, of, problems: log.report.found() });
        flow
    })?;
    let LogCheck { mut report, readable, changes, .. } = log.finish();
    check_heads(&mut report, &*snapshot)?;
    if readable {
        StateCheck { engine, snapshot: &*snapshot, report: &mut report, progress, done: 0 }.run(changes)?;
        report.state_compared = true;
    }
    Ok(report)
}

struct LogCheck {
    report: VerifyReport,
    expected: Revision,
    segment: String,
    readable: bool,
    changes: u64,
}

impl LogCheck {
    fn new(revision: Revision) -> Self {
        let report = VerifyReport { revision, ..VerifyReport::default() };
        Self { report, expected: 1, segment: String::new(), readable: true, changes: 0 }
    }

    fn item(&mut self, item: LogItem<'_>) -> ControlFlow<()> {
        match item {
            LogItem::Damage { place, what, whose } => {
                self.enter(place);
                self.readable = false;
                let (tenant, number) = whose.unzip();
                self.report.add(Problem { tenant, number, ..at(place, None, what) });
            }
            LogItem::Entry { revision, .. } if revision > self.report.revision => return ControlFlow::Break(()),
            LogItem::Entry { place, revision, payload } => {
                self.enter(place);
                if revision != self.expected {
                    self.readable = false;
                    let what = format!("revision {revision} stands where {} should", self.expected);
                    self.report.add(at(place, Some(revision), what));
                }
                self.expected = revision.saturating_add(1);
                self.report.entries += 1;
                self.report.bytes += payload.len() as u64;
                match Entry::decode(revision, payload) {
                    Ok(entry) => self.entry(place, &entry),
                    Err(why) => {
                        self.readable = false;
                        self.report.add(at(place, Some(revision), why.to_string()));
                    }
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn enter(&mut self, place: &Place) {
        if self.segment != place.segment {
            self.segment.clone_from(&place.segment);
            self.report.segments += 1;
        }
    }

    fn entry(&mut self, place: &Place, entry: &Entry) {
        let head = self.report.heads.get(&entry.tenant).copied().unwrap_or_default();
        let problem = |what| Problem {
            tenant: Some(entry.tenant),
            number: Some(entry.number),
            ..at(place, Some(entry.revision), what)
        };
        if entry.number != head.number.saturating_add(1) {
            let what = format!("it follows entry {} of its chain: entries are missing or out of order", head.number);
            self.report.add(problem(what));
        } else if entry.prev != head.hash {
            let what = format!("it names {} as the entry before it, whose hash is {}", entry.prev, head.hash);
            self.report.add(problem(what));
        }
        let own = |key: &[u8]| split_key(key).is_some_and(|(tenant, space, _)| tenant == entry.tenant && space != 0);
        if !entry.changes.iter().all(|(key, _)| own(key)) {
            self.report.add(problem("it changes a record that is not its tenant's".into()));
        }
        // Two for the store's own records.
        self.changes += entry.changes.len() as u64 + 2;
        self.report.heads.insert(entry.tenant, Head { number: entry.number, hash: entry.hash });
    }

    fn finish(mut self) -> Self {
        let (last, should) = (self.expected - 1, self.report.revision);
        if last != should {
            self.readable = false;
            let what = format!("the log ends at revision {last}, the durable one is {should}");
            self.report.add(Problem { what, ..Problem::default() });
        }
        self
    }
}

fn at(place: &Place, revision: Option<Revision>, what: String) -> Problem {
    let (segment, offset) = (Some(place.segment.clone()), Some(place.offset));
    Problem { segment, offset, revision, what, ..Problem::default() }
}

/// The heads that the state holds against those that the log gives, for every tenant that either knows.
fn check_heads(report: &mut VerifyReport, snapshot: &dyn Snapshot) -> Result<(), StoreError> {
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

struct StateCheck<'a> {
    engine: &'a dyn Engine,
    snapshot: &'a dyn Snapshot,
    report: &'a mut VerifyReport,
    progress: &'a mut dyn FnMut(VerifyProgress),
    done: u64,
}

impl StateCheck<'_> {
    fn run(&mut self, changes: u64) -> Result<(), StoreError> {
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
            for pair in self.snapshot.scan((Bound::Included(tenant.0.to_be_bytes().to_vec()), end), false) {
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
