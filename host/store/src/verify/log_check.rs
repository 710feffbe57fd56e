//! The log itself: every frame, the sequence without gaps, every tenant's chain.

use std::ops::ControlFlow;

use super::{Problem, VerifyReport};
use crate::engine::{LogItem, Place};
use crate::entry::Entry;
use crate::key::split_key;
use crate::types::{Head, Revision};

/// Takes the log item by item; what it found is in `report`.
pub(super) struct LogCheck {
    pub(super) report: VerifyReport,
    /// The revision that should come next.
    pub(super) expected: Revision,
    segment: String,
    /// Whether every entry could be read.
    pub(super) readable: bool,
    /// Changes seen, the store's own records included.
    pub(super) changes: u64,
}

impl LogCheck {
    pub(super) fn new(revision: Revision) -> Self {
        let report = VerifyReport { revision, ..VerifyReport::default() };
        Self { report, expected: 1, segment: String::new(), readable: true, changes: 0 }
    }

    pub(super) fn item(&mut self, item: LogItem<'_>) -> ControlFlow<()> {
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

    /// The end has come: was it where it should be?
    pub(super) fn finish(mut self) -> Self {
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
