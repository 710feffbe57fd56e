//! Where the answer to a request comes from, and the list of them for the record.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use backroom_domain::outbound::Method;
use backroom_domain::{Error, Result as Rule};
use backroom_office::Work;
use backroom_office::calls::{Answer, Exchange, Request, Response};
use backroom_office::runs::{Fault, FaultKind};
use backroom_store::TenantNo;

use super::client::{Client, Sent};
use super::request::Checked;
use super::tape::Tape;
use crate::error::HostError;

/// What one run may put on record, requests and answers together: all of it stands in one entry of the log. As much again may stand
/// there of what its earlier attempts had sent.
const MAX_RECORDED: usize = 4 << 20;
/// Less than this left, and nothing more is sent: an answer has to fit as well.
const MIN_ANSWER: usize = 64 << 10;
/// The largest body of a response, so that it can cross to the guest with its headers.
pub(super) const MAX_BODY: usize = 960 << 10;

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
        tape.unused(used)
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
            return Err(full().into());
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
                match tape.earlier(used, &request) {
                    Some(exchange) => exchange,
                    None => {
                        // All attempts together: each may send something else.
                        let room = room.min(MAX_RECORDED.saturating_sub(tape.size()).saturating_sub(request.size()));
                        if room < MIN_ANSWER {
                            return Err(full().into());
                        }
                        let body = room.min(MAX_BODY);
                        let Sent { answer, went_out } = client.send(*tenant, work, &request, checked, body, until)?;
                        let exchange =
                            Exchange { request, answer: answer.map_or_else(Answer::Error, Answer::Response) };
                        // What was not sent may be tried again.
                        if went_out {
                            tape.add(used, exchange.clone());
                        }
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

fn full() -> Error {
    Error::refused("calls-too-large", format!("a run sends and receives at most {} MiB", MAX_RECORDED >> 20))
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
