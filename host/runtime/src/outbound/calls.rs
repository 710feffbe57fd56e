//! Where the answer to a request comes from, and the list of them for the record.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use backroom_domain::outbound::Method;
use backroom_domain::{Error, Id, Result as Rule};
use backroom_office::Work;
use backroom_office::calls::{Answer, Exchange, Request, Response};
use backroom_office::runs::{Fault, FaultKind};
use backroom_store::TenantNo;
use parking_lot::Mutex;

use super::client::Client;
use super::request::Checked;
use crate::error::HostError;

/// What one run may put on record, requests and answers together: all of it stands in one entry of the log.
const MAX_RECORDED: usize = 4 << 20;
/// Less than this left, and nothing more is sent: an answer has to fit as well.
const MIN_ANSWER: usize = 64 << 10;
/// The largest body of a response, so that it can cross to the guest with its headers.
pub(super) const MAX_BODY: usize = 960 << 10;

/// What the attempts of one run have sent so far. An attempt that is begun anew is answered from here, so nothing is sent twice.
#[derive(Debug, Default)]
pub(crate) struct Tape(Mutex<Vec<Exchange>>);

impl Tape {
    /// Whether anything was sent.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }

    /// What it takes in memory, roughly.
    pub(crate) fn size(&self) -> usize {
        self.0.lock().iter().map(Exchange::size).sum()
    }
}

/// The tapes of runs that may be begun anew: because another host came first, or because the service failed and they are asked for
/// again. Bounded, and lost with the process: what a run may do after that is said in the contract.
#[derive(Default)]
pub(crate) struct Tapes(Mutex<VecDeque<(TenantNo, Id, Arc<Tape>)>>);

/// Tapes that are kept, and the bytes on them.
const MAX_TAPES: usize = 256;
const MAX_TAPE_BYTES: usize = 32 << 20;

impl Tapes {
    /// The tape of a run; an empty one if it is not known to have sent anything.
    pub(crate) fn of(&self, tenant: TenantNo, run: &Id) -> Arc<Tape> {
        let tapes = self.0.lock();
        let found = tapes.iter().find(|(of, id, _)| (*of, id) == (tenant, run));
        found.map(|(_, _, tape)| Arc::clone(tape)).unwrap_or_default()
    }

    /// Keeps the tape if there is anything on it; the oldest ones go.
    pub(crate) fn keep(&self, tenant: TenantNo, run: &Id, tape: Arc<Tape>) {
        if tape.is_empty() {
            return;
        }
        let mut tapes = self.0.lock();
        tapes.retain(|(of, id, _)| (*of, id) != (tenant, run));
        tapes.push_back((tenant, run.clone(), tape));
        while tapes.len() > 1
            && (tapes.len() > MAX_TAPES || tapes.iter().map(|(_, _, tape)| tape.size()).sum::<usize>() > MAX_TAPE_BYTES)
        {
            drop(tapes.pop_front());
        }
    }
}

/// The requests of one execution.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    source: Source,
    /// In order.
    pub(crate) made: Vec<Exchange>,
    recorded: usize,
}

#[derive(Default)]
enum Source {
    /// Nothing is sent.
    #[default]
    Off,
    Live {
        client: Arc<Client>,
        tenant: TenantNo,
        dry_run: bool,
        tape: Arc<Tape>,
        /// Of the tape's exchanges, which this execution has asked for.
        used: Vec<bool>,
    },
    /// A replay: these answers, in this order.
    Record(VecDeque<Exchange>),
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "Off",
            Self::Live { .. } => "Live",
            Self::Record(_) => "Record",
        })
    }
}

impl Calls {
    /// Sends, but for what the tape has the answer to.
    pub(crate) fn live(client: Arc<Client>, tenant: TenantNo, dry_run: bool, tape: Arc<Tape>) -> Self {
        Self { source: Source::Live { client, tenant, dry_run, tape, used: Vec::new() }, ..Self::default() }
    }

    /// Answers from the record alone.
    pub(crate) fn recorded(exchanges: Vec<Exchange>) -> Self {
        Self { source: Source::Record(exchanges.into()), ..Self::default() }
    }

    /// Recorded exchanges that were not asked for.
    pub(crate) fn left(&self) -> usize {
        if let Source::Record(left) = &self.source { left.len() } else { 0 }
    }

    /// What earlier attempts have sent and this one did not ask for.
    pub(crate) fn abandoned(&self) -> Vec<Exchange> {
        let Source::Live { tape, used, .. } = &self.source else { return Vec::new() };
        let used = used.iter().copied().chain(std::iter::repeat(false));
        tape.0.lock().iter().zip(used).filter(|(_, used)| !used).map(|(exchange, _)| exchange.clone()).collect()
    }

    /// The answer to a request that was checked. `until` is when the run has to be over.
    pub(crate) fn answer(
        &mut self,
        work: &Work,
        request: Request,
        checked: &Checked,
        until: Instant,
    ) -> Result<Response, HostError> {
        let room = MAX_RECORDED.saturating_sub(self.recorded).saturating_sub(request.size());
        if room < MIN_ANSWER {
            let message = format!("a run sends and receives at most {} MiB", MAX_RECORDED >> 20);
            return Err(Error::refused("calls-too-large", message).into());
        }
        let exchange = match &mut self.source {
            Source::Off => return Err(Error::refused("http-off", "nothing is sent from here").into()),
            Source::Record(left) => match left.pop_front() {
                Some(exchange) if exchange.request == request => exchange,
                _ => return Err(strayed(&request)),
            },
            Source::Live { client, tenant, dry_run, tape, used } => {
                if *dry_run && !request.method.only_reads() {
                    return Err(dry(request.method).into());
                }
                match earlier(tape, used, &request) {
                    Some(exchange) => exchange,
                    None => {
                        let body = room.min(MAX_BODY);
                        let response = client.send(*tenant, work, &request, checked, body, until)?;
                        let exchange =
                            Exchange { request, answer: response.map_or_else(Answer::Error, Answer::Response) };
                        let mut sent = tape.0.lock();
                        used.resize(sent.len(), false);
                        used.push(true);
                        sent.push(exchange.clone());
                        exchange
                    }
                }
            }
        };
        self.recorded += exchange.size();
        self.made.push(exchange.clone());
        let answer: Rule<Response> = match exchange.answer {
            Answer::Response(response) => Ok(response),
            Answer::Error(error) => Err(error),
        };
        Ok(answer?)
    }
}

/// The same request of an earlier attempt that this one has not asked for yet.
fn earlier(tape: &Tape, used: &mut Vec<bool>, request: &Request) -> Option<Exchange> {
    let sent = tape.0.lock();
    used.resize(sent.len(), false);
    let (exchange, used) = sent.iter().zip(used).find(|(exchange, used)| !**used && exchange.request == *request)?;
    *used = true;
    Some(exchange.clone())
}

fn dry(method: Method) -> Error {
    let message = format!("a dry run changes nothing elsewhere either: it sends GET and HEAD, and no {method}");
    Error::refused("dry-run-sends-nothing", message)
}

/// The end of a replay: what comes after it would be made up.
fn strayed(request: &Request) -> HostError {
    let message = format!("it sends what its record does not have here: {} {}", request.method, request.url);
    Fault::new(FaultKind::Internal, message).into()
}
