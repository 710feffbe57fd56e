//! Answers that are kept for runs that begin anew, so that nothing is sent twice.
//!
//! Every tenant has its own, so that none can crowd out another's. They are in memory alone and lost with the process: what a run
//! may do after that is said in the contract.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use backroom_domain::Id;
use backroom_office::calls::{Exchange, Request};
use backroom_store::TenantNo;
use parking_lot::Mutex;

/// What the attempts of one run have sent so far. An attempt that is begun anew is answered from here.
#[derive(Debug, Default)]
pub(crate) struct Tape(Mutex<Sent>);

#[derive(Debug, Default)]
struct Sent {
    exchanges: Vec<Exchange>,
    size: usize,
}

impl Tape {
    /// Whether anything was sent.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().exchanges.is_empty()
    }

    /// What it takes in memory and in the record, roughly.
    pub(crate) fn size(&self) -> usize {
        self.0.lock().size
    }

    /// The same request of an earlier attempt that this one has not asked for yet: `used` says which it has, and learns of it.
    pub(super) fn earlier(&self, used: &mut Vec<bool>, request: &Request) -> Option<Exchange> {
        let sent = self.0.lock();
        used.resize(sent.exchanges.len(), false);
        let mut unused = sent.exchanges.iter().zip(used).filter(|(_, used)| !**used);
        let (exchange, used) = unused.find(|(exchange, _)| exchange.request == *request)?;
        *used = true;
        Some(exchange.clone())
    }

    /// Keeps what was sent just now.
    pub(super) fn add(&self, used: &mut Vec<bool>, exchange: Exchange) {
        let mut sent = self.0.lock();
        used.resize(sent.exchanges.len(), false);
        used.push(true);
        sent.size += exchange.size();
        sent.exchanges.push(exchange);
    }

    /// What was sent and is not in `used`.
    pub(super) fn unused(&self, used: &[bool]) -> Vec<Exchange> {
        let used = used.iter().copied().chain(std::iter::repeat(false));
        self.0
            .lock()
            .exchanges
            .iter()
            .zip(used)
            .filter(|(_, used)| !used)
            .map(|(exchange, _)| exchange.clone())
            .collect()
    }
}

/// What makes one run: its id, and the hash of its request, since an id may be used for another one by mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunKey {
    pub(crate) tenant: TenantNo,
    pub(crate) run: Id,
    pub(crate) request: [u8; 32],
}

/// The tapes of runs that may be begun anew: because another host came first, or because the service failed and they are asked for
/// again.
#[derive(Default)]
pub(crate) struct Tapes(Mutex<HashMap<TenantNo, Kept>>);

/// The tapes of one tenant, the oldest first.
type Kept = VecDeque<(RunKey, Arc<Tape>)>;

/// Tapes of one tenant that are kept for runs which are not under way, and the bytes on them: a few of the largest.
const MAX_TAPES: usize = 64;
const MAX_TAPE_BYTES: usize = 16 << 20;
/// Of all tenants together. Beyond it, the tenant that has most loses its oldest.
const MAX_ALL_BYTES: usize = 64 << 20;

impl Tapes {
    /// The tape of a run; an empty one if it is not known to have sent anything.
    pub(crate) fn of(&self, run: &RunKey) -> Arc<Tape> {
        let tapes = self.0.lock();
        let found = tapes.get(&run.tenant).and_then(|own| own.iter().find(|(key, _)| key == run));
        found.map(|(_, tape)| Arc::clone(tape)).unwrap_or_default()
    }

    /// Keeps the tape if there is anything on it. The oldest ones of runs that nobody has under way make room.
    pub(crate) fn keep(&self, run: &RunKey, tape: &Arc<Tape>) {
        if tape.is_empty() {
            return;
        }
        let mut tapes = self.0.lock();
        let own = tapes.entry(run.tenant).or_default();
        own.retain(|(key, _)| key != run);
        own.push_back((run.clone(), Arc::clone(tape)));
        while (own.len() > MAX_TAPES || bytes(own) > MAX_TAPE_BYTES) && drop_oldest(own) {}
        while tapes.values().map(bytes).sum::<usize>() > MAX_ALL_BYTES {
            // Only of what may go: somebody else's runs that are under way are no reason to lose a tape.
            let most = tapes.values_mut().max_by_key(|own| idle_bytes(own));
            if !most.is_some_and(drop_oldest) {
                break;
            }
        }
    }

    /// The run is on record: it never begins anew.
    fn forget(&self, run: &RunKey) {
        let mut tapes = self.0.lock();
        if let Some(own) = tapes.get_mut(&run.tenant) {
            own.retain(|(key, _)| key != run);
            if own.is_empty() {
                tapes.remove(&run.tenant);
            }
        }
    }
}

fn bytes(own: &VecDeque<(RunKey, Arc<Tape>)>) -> usize {
    own.iter().map(|(_, tape)| tape.size()).sum()
}

fn idle_bytes(own: &VecDeque<(RunKey, Arc<Tape>)>) -> usize {
    own.iter().filter(|(_, tape)| is_idle(tape)).map(|(_, tape)| tape.size()).sum()
}

/// Nobody but the pool has it.
fn is_idle(tape: &Arc<Tape>) -> bool {
    Arc::strong_count(tape) == 1
}

/// Drops the oldest tape whose run is not under way; `false` if there is none.
fn drop_oldest(own: &mut VecDeque<(RunKey, Arc<Tape>)>) -> bool {
    let oldest = own.iter().position(|(_, tape)| is_idle(tape));
    oldest.and_then(|at| own.remove(at)).is_some()
}

/// What a run has sent, held for as long as it may have to begin anew: until then it cannot be crowded out.
#[must_use = "dropped, the answers may be crowded out, and a run that begins anew would send again"]
pub struct Held {
    tapes: Arc<Tapes>,
    run: RunKey,
    _tape: Arc<Tape>,
}

impl Held {
    pub(crate) fn new(tapes: &Arc<Tapes>, run: RunKey, tape: Arc<Tape>) -> Self {
        Self { tapes: Arc::clone(tapes), run, _tape: tape }
    }

    /// The run is durable: what it sent stands in its record, and need not be kept here.
    pub fn recorded(self) {
        self.tapes.forget(&self.run);
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Held").field(&self.run.run).finish()
    }
}

#[cfg(test)]
mod tests {
    use backroom_domain::outbound::Method;
    use backroom_office::calls::{Answer, Response};

    use super::*;

    fn key(tenant: u32, run: &str, request: u8) -> RunKey {
        RunKey { tenant: TenantNo(tenant), run: Id::parse(run, "id").unwrap(), request: [request; 32] }
    }

    /// A tape with one answer of so many bytes.
    fn tape(bytes: usize) -> Arc<Tape> {
        let request =
            Request { method: Method::Get, url: "https://a/".into(), headers: vec![], body: vec![], timeout_ms: 1 };
        let answer = Answer::Response(Response { status: 200, headers: vec![], body: vec![0; bytes] });
        let tape = Arc::new(Tape::default());
        tape.add(&mut Vec::new(), Exchange { request, answer });
        tape
    }

    fn has(tapes: &Tapes, run: &RunKey) -> bool {
        !tapes.of(run).is_empty()
    }

    #[test]
    fn a_tape_is_for_one_request_of_one_run_of_one_tenant() {
        let tapes = Tapes::default();
        tapes.keep(&key(1, "a", 1), &tape(9));
        tapes.keep(&key(1, "b", 1), &Arc::default());
        let rows = [(key(1, "a", 1), true), (key(1, "a", 2), false), (key(2, "a", 1), false), (key(1, "b", 1), false)];
        for (run, kept) in rows {
            assert_eq!(has(&tapes, &run), kept, "{run:?}");
        }
        // Another request under the same id takes nothing away.
        tapes.keep(&key(1, "a", 2), &tape(9));
        assert!(has(&tapes, &key(1, "a", 1)) && has(&tapes, &key(1, "a", 2)));
    }

    #[test]
    fn one_tenant_cannot_crowd_out_anothers_tapes() {
        let tapes = Tapes::default();
        tapes.keep(&key(1, "quiet", 0), &tape(1 << 20));
        for tenant in 2..30 {
            for run in 0..20 {
                tapes.keep(&key(tenant, &format!("r{run}"), 0), &tape(1 << 20));
            }
        }
        for run in 0..1_000 {
            tapes.keep(&key(2, &format!("s{run}"), 0), &tape(1));
        }
        assert!(has(&tapes, &key(1, "quiet", 0)));
        let kept = tapes.0.lock();
        assert!(kept.values().all(|own| own.len() <= MAX_TAPES && bytes(own) <= MAX_TAPE_BYTES));
        assert!(kept.values().map(bytes).sum::<usize>() <= MAX_ALL_BYTES);
    }

    #[test]
    fn the_tape_of_a_run_under_way_stays_and_that_of_one_on_record_goes() {
        let tapes = Arc::new(Tapes::default());
        let (run, own) = (key(1, "slow", 0), tape(1));
        tapes.keep(&run, &own);
        let held = Held::new(&tapes, run.clone(), own);
        for other in 0..2 * MAX_TAPES {
            tapes.keep(&key(1, &format!("r{other}"), 0), &tape(1));
        }
        assert!(has(&tapes, &run), "it was under way");
        held.recorded();
        assert!(!has(&tapes, &run));
        // One that is let go without a record is kept until there is no room.
        let own = tape(1);
        tapes.keep(&run, &own);
        drop(Held::new(&tapes, run.clone(), own));
        assert!(has(&tapes, &run));
        for other in 0..MAX_TAPES {
            tapes.keep(&key(1, &format!("t{other}"), 0), &tape(1));
        }
        assert!(!has(&tapes, &run));
    }
}
