//! What is kept of runs: a short record in the state, and all of it in the commit log.
//!
//! The [`RunDetail`] in the log has everything that is needed to run it again: input, time, rights. What it changed stands
//! beside it in the same log entry.
//!
//! Input, output, error and log lines are the callers' and the plugin's own words. They are kept as they are, for ever: nobody can
//! tell what in them is personal, so erasing a person does not reach them. Plugins should write worker numbers there, not
//! names, and take no personal data as input.

use backroom_domain::rights::Rights;
use backroom_domain::{BusinessDate, Effect, Error, Id, Instant};
use backroom_store::records::{QueuedRun, RunRecord, RunStatus};
use backroom_store::{CodecError, Entry, Hash, Store, StoreError, TenantNo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::calls::Exchange;
use crate::effects;
use crate::error::Result;
use crate::page::{Page, PageRequest};
use crate::queue;
use crate::work::Work;

/// Why a run ended without an answer of the plugin. Nothing that it staged was kept.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode,
)]
#[serde(rename_all = "kebab-case")]
#[cbor(index_only)]
pub enum FaultKind {
    /// The plugin's code gave up: `unreachable`, a division by zero, a stack overflow, ...
    #[n(0)]
    Trap,
    /// The budget of deterministic work is used up.
    #[n(1)]
    Fuel,
    /// The wall time is used up. Not reproducible: the same run may pass on an idle machine.
    #[n(2)]
    Deadline,
    /// It needed more memory than it may have.
    #[n(3)]
    Memory,
    /// Too many host calls.
    #[n(4)]
    HostCalls,
    /// Too many staged effects.
    #[n(5)]
    Effects,
    /// What it handed over, as output or in a host call, is too large or malformed.
    #[n(6)]
    Output,
    /// The store could not do its part.
    #[n(7)]
    Store,
    /// No place to run became free in time.
    #[n(8)]
    Busy,
    /// The service itself is at fault.
    #[n(9)]
    Internal,
    /// Another host committed for the tenant first: the run has to begin anew.
    #[n(10)]
    Conflict,
    /// Too many handles of resources at a time.
    #[n(11)]
    Handles,
    /// The time in host calls is used up. Not reproducible: the same run may pass on an idle machine.
    #[n(12)]
    HostTime,
    /// The output has too many bytes.
    #[n(13)]
    OutputSize,
    /// The output nests too deep.
    #[n(14)]
    OutputDepth,
    /// What the runs of a day may come to together is used up.
    #[n(15)]
    DayFuel,
}

impl FaultKind {
    /// The word for it, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trap => "trap",
            Self::Fuel => "fuel",
            Self::Deadline => "deadline",
            Self::Memory => "memory",
            Self::HostCalls => "host-calls",
            Self::Effects => "effects",
            Self::Output => "output",
            Self::Store => "store",
            Self::Busy => "busy",
            Self::Internal => "internal",
            Self::Conflict => "conflict",
            Self::Handles => "handles",
            Self::HostTime => "host-time",
            Self::OutputSize => "output-size",
            Self::OutputDepth => "output-depth",
            Self::DayFuel => "day-fuel",
        }
    }

    /// Does it say something about the machine, so that a replay could end otherwise?
    pub fn is_of_the_machine(self) -> bool {
        matches!(self, Self::Deadline | Self::HostTime | Self::Internal)
    }

    /// Is it the service that failed, so that the same request may be sent again? Such a run leaves no record.
    pub fn is_passing(self) -> bool {
        matches!(self, Self::Store | Self::Busy | Self::Conflict)
    }
}

/// A fault: its kind, and what happened and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
pub struct Fault {
    /// What kind.
    #[n(0)]
    pub kind: FaultKind,
    /// For people.
    #[n(1)]
    pub message: String,
}

impl Fault {
    /// A fault with its message.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.kind.as_str(), self.message)
    }
}

impl std::error::Error for Fault {}

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
#[cbor(index_only)]
pub enum LogLevel {
    /// For the plugin's author.
    #[n(0)]
    Debug,
    /// For whoever looks at the run.
    #[n(1)]
    Info,
    /// Somebody should look at it.
    #[n(2)]
    Warn,
    /// Something is wrong.
    #[n(3)]
    Error,
}

/// A line that the plugin wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
pub struct LogLine {
    /// How much it matters.
    #[n(0)]
    pub level: LogLevel,
    /// At most 4 KiB, without control characters.
    #[n(1)]
    pub message: String,
}

/// Everything about a recorded run that its log entry does not say elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct RunDetail {
    /// The installation that ran.
    #[n(0)]
    pub installation: Id,
    /// The digest of its release, 64 hexadecimal digits.
    #[n(1)]
    pub release: String,
    /// The day of the books that it was for.
    #[n(2)]
    pub date: BusinessDate,
    /// The run's time.
    #[n(3)]
    pub now: Instant,
    /// The input, as it was sent.
    #[n(4)]
    pub input: String,
    /// The caller's own rights, without what plugin and operator took away.
    #[n(5)]
    pub rights: Rights,
    /// Who asked.
    #[n(6)]
    pub actor: String,
    /// How it ended.
    #[n(7)]
    pub status: RunStatus,
    /// What the plugin returned, if it was committed.
    #[n(8)]
    pub output: Option<String>,
    /// What the plugin (or the end of the run) refused it with.
    #[n(9)]
    pub error: Option<Error>,
    /// Why it failed.
    #[n(10)]
    pub fault: Option<Fault>,
    /// Deterministic work: of the guest, and of host calls.
    #[n(11)]
    pub fuel: u64,
    /// Host calls made.
    #[n(12)]
    pub host_calls: u32,
    /// What the plugin wrote.
    #[n(13)]
    pub log: Vec<LogLine>,
    /// Lines that went beyond the log's limit.
    #[n(14)]
    pub log_dropped: u64,
    /// What it sent to the outside, in order, and what came of it.
    #[n(15)]
    #[cbor(default)]
    pub calls: Vec<Exchange>,
    /// What an earlier attempt of it had sent, before another host came first, and what it did not ask for again.
    #[n(16)]
    #[cbor(default)]
    pub abandoned: Vec<Exchange>,
}

const VERSION: u8 = 1;

impl RunDetail {
    /// Version byte and body, for [`Meta::detail`](backroom_store::Meta::detail).
    pub fn encode(&self) -> Vec<u8> {
        // What is around input and output is mostly below 1 KiB.
        let output = self.output.as_ref().map_or(0, String::len);
        let mut bytes = Vec::with_capacity(1024 + self.input.len() + output);
        bytes.push(VERSION);
        let mut encoder = minicbor::Encoder::new(bytes);
        // Writing into a Vec cannot fail, and derived encoders report nothing else. Should one do so, what is missing is found
        // by `decode`.
        match encoder.encode(self) {
            Ok(_) => encoder.into_writer(),
            Err(_) => Vec::new(),
        }
    }

    /// The reverse of [`RunDetail::encode`].
    pub fn decode(bytes: &[u8]) -> std::result::Result<Self, CodecError> {
        match bytes.split_first() {
            None => Err(CodecError::Empty),
            Some((&VERSION, body)) => minicbor::decode(body).map_err(|why| CodecError::Malformed(why.to_string())),
            Some((&found, _)) => Err(CodecError::Version { found, known: VERSION }),
        }
    }
}

/// A run as the log has it.
#[derive(Debug, Clone)]
pub struct RecordedRun {
    /// The whole log entry.
    pub entry: Entry,
    /// What it says about the run.
    pub detail: RunDetail,
    /// What was changed, in order; empty unless it was committed. Personal data that were erased since read as erased.
    pub effects: Vec<Effect>,
}

/// The kinds of log entries that are runs: one that was committed, and one of which nothing was kept.
pub const KINDS: [&str; 2] = ["run", "run-attempt"];

/// What makes two requests with one run id the same: installation, business date as asked for, and input. Each part is
/// hashed with its length before it, so that no two requests run together.
pub fn request_hash(installation: &Id, date: Option<BusinessDate>, input: &str) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    let mut part = |bytes: &[u8]| {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        hasher.update(&length.to_le_bytes()).update(bytes);
    };
    part(installation.as_str().as_bytes());
    part(date.map(|date| date.to_string()).unwrap_or_default().as_bytes());
    part(input.as_bytes());
    *hasher.finalize().as_bytes()
}

/// What the state keeps of the run with this id. Errors: `not-found`.
pub fn get(work: &Work, id: &Id) -> Result<RunRecord> {
    Ok(work.tx().get::<RunRecord>(id)?.ok_or_else(|| Error::not_found("run", id))?)
}

/// A run in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RunRow {
    /// The run's id.
    pub id: Id,
    /// The installation.
    pub installation: Id,
    /// Whether it waits, or how it ended.
    pub status: RowStatus,
    /// Its place in the tenant's commit log; while it waits, the place where it was queued.
    pub number: u64,
    /// The run's time; while it waits, when it was queued.
    pub at: Instant,
}

/// Whether a run waits, or how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum RowStatus {
    /// It waits.
    Waiting(Waiting),
    /// It ended.
    Ended(RunStatus),
}

/// The word for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Waiting {
    /// It waits in the queue.
    Queued,
}

/// Runs in order of their ids, those that wait among them; ids made by the service are in order of time. Errors:
/// `limit-invalid`, `cursor-invalid`.
pub fn list(work: &Work, page: &PageRequest) -> Result<Page<RunRow>> {
    let (cursor, limit) = page.check()?;
    let tx = work.tx();
    let ended = tx.scan::<RunRecord>(&(), cursor.as_deref(), limit)?.into_iter().map(|(key, run)| {
        let RunRecord { id, installation, status, number, at, .. } = run;
        (key, RunRow { id, installation, status: RowStatus::Ended(status), number, at })
    });
    let mut rows: Vec<_> = ended.collect();
    if queue::length(tx)? > 0 {
        let waiting = tx.scan::<QueuedRun>(&(), cursor.as_deref(), limit)?.into_iter().map(|(key, run)| {
            let QueuedRun { id, installation, number, queued_at: at, .. } = run;
            (key, RunRow { id, installation, status: RowStatus::Waiting(Waiting::Queued), number, at })
        });
        // Both have the id as their key.
        rows.extend(waiting);
        rows.sort_by(|(a, _), (b, _)| a.cmp(b));
        rows.truncate(limit);
    }
    Ok(Page::of(rows, limit))
}

/// The durable log entry of a run, taken apart. None if there is no such entry (yet), or if it is no run.
pub fn recorded(store: &Store, tenant: TenantNo, number: u64) -> Result<Option<RecordedRun>> {
    let Some(entry) = store.entry(tenant, number)? else { return Ok(None) };
    if !KINDS.contains(&entry.kind.as_str()) {
        return Ok(None);
    }
    let damaged = |what: String| StoreError::Corrupt { place: format!("entry {number} of tenant {tenant}"), what };
    let detail = entry.detail.as_deref().unwrap_or_default();
    let detail = RunDetail::decode(detail).map_err(|why| damaged(format!("the run in it: {why}")))?;
    let effects = effects::decode_all(&entry.effects, &store.seals(tenant))?;
    Ok(Some(RecordedRun { entry, detail, effects }))
}

/// The hash of an input, as it stands in the log.
pub fn input_hash(input: &str) -> Hash {
    Hash::of(input.as_bytes())
}

#[cfg(test)]
mod tests {
    use backroom_domain::outbound::Method;

    use super::*;
    use crate::calls::{Answer, Request, Response};

    fn id(text: &str) -> Id {
        Id::parse(text, "id").unwrap()
    }

    fn exchange(answer: Answer) -> Exchange {
        let request = Request {
            method: Method::Post,
            url: "https://bank.example/".to_owned(),
            headers: vec![("authorization".to_owned(), "{{secret:bank}}".to_owned())],
            body: vec![1, 2, 3],
            timeout_ms: 500,
        };
        Exchange { request, answer }
    }

    fn detail() -> RunDetail {
        RunDetail {
            installation: id("pay"),
            release: "ab".repeat(32),
            date: BusinessDate::parse("2026-06-30", "d").unwrap(),
            now: Instant(1_782_777_600_000_000),
            input: r#"{"month":"2026-06"}"#.to_owned(),
            rights: Rights::all(),
            actor: "anna".to_owned(),
            status: RunStatus::Failed,
            output: None,
            error: Some(Error::refused("unbalanced", "off by one")),
            fault: Some(Fault::new(FaultKind::HostCalls, "too many")),
            fuel: 123_456,
            host_calls: 7,
            log: vec![LogLine { level: LogLevel::Warn, message: "hm".to_owned() }],
            log_dropped: 2,
            calls: vec![exchange(Answer::Error(Error::refused("address-refused", "no")))],
            abandoned: vec![exchange(Answer::Response(Response {
                status: 200,
                headers: vec![("etag".to_owned(), "x".to_owned())],
                body: vec![0, 255],
            }))],
        }
    }

    #[test]
    fn a_detail_comes_back_as_it_was() {
        let detail = detail();
        assert_eq!(RunDetail::decode(&detail.encode()), Ok(detail));
    }

    #[test]
    fn a_detail_of_another_version_or_cut_short_is_refused() {
        let mut bytes = detail().encode();
        for len in 0..bytes.len() {
            assert!(RunDetail::decode(&bytes[..len]).is_err(), "cut at {len}");
        }
        bytes[0] = 9;
        assert_eq!(RunDetail::decode(&bytes), Err(CodecError::Version { found: 9, known: 1 }));
    }

    #[test]
    fn every_part_of_a_request_counts_for_its_hash() {
        let date = BusinessDate::parse("2026-06-30", "d").ok();
        let rows = [
            request_hash(&id("a"), None, "x"),
            request_hash(&id("b"), None, "x"),
            request_hash(&id("a"), date, "x"),
            request_hash(&id("a"), None, "y"),
            // The same bytes, cut elsewhere.
            request_hash(&id("ax"), None, ""),
            request_hash(&id("a"), None, "2026-06-30x"),
        ];
        for (i, a) in rows.iter().enumerate() {
            assert!(rows.iter().skip(i + 1).all(|b| a != b), "row {i}");
        }
        assert_eq!(request_hash(&id("a"), date, "x"), rows[2]);
    }

    #[test]
    fn fault_words_are_those_of_json() {
        use FaultKind::{Busy, Conflict, DayFuel, Deadline, Effects, Fuel, Handles, HostCalls};
        use FaultKind::{HostTime, Internal, Memory, Output, OutputDepth, OutputSize, Store, Trap};
        let first = [Trap, Fuel, Deadline, Memory, HostCalls, Effects, Output, Store];
        let later = [Busy, Internal, Conflict, Handles, HostTime, OutputSize, OutputDepth, DayFuel];
        for kind in first.into_iter().chain(later) {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
