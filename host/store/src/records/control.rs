//! Records of the service itself: who there is, what is installed, what ran.

use std::collections::BTreeMap;

use backroom_domain::rights::Rights;
use backroom_domain::{BusinessDate, Id, Instant};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::record::Record;

/// A client company of the provider. Kept in the provider's own chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct Tenant {
    /// The name in paths and commands.
    #[n(0)]
    pub id: Id,
    /// For people; 1 to 200 characters.
    #[n(1)]
    pub name: String,
    /// The number in keys: 1, 2, 3, ...
    #[n(2)]
    pub number: u32,
    /// When it was recorded.
    #[n(3)]
    pub created_at: Instant,
}

impl Record for Tenant {
    const SPACE: u8 = 1;
    type Key = Id;
    fn key(&self) -> Id {
        self.id.clone()
    }
}

/// What the holder of an API key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
#[cbor(index_only)]
pub enum Role {
    /// The provider's administrator: everything, for every tenant.
    #[n(0)]
    Admin,
    /// Everything within one tenant: set up, import, install, run, read.
    #[n(1)]
    Operator,
    /// Reads within one tenant, salaries and bank accounts left out.
    #[n(2)]
    Reader,
}

/// An API key; the secret itself is not kept. Kept in the provider's own chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct ApiKey {
    /// BLAKE3 of the secret, which has 256 random bits, so that no slow hash is needed.
    #[cbor(n(0), with = "minicbor::bytes")]
    #[serde(skip)]
    pub hash: [u8; 32],
    /// The name that the log gives as the actor.
    #[n(1)]
    pub name: Id,
    /// The one tenant it is for; none for administrators.
    #[n(2)]
    pub tenant: Option<Id>,
    /// What it may do.
    #[n(3)]
    pub role: Role,
    /// When it was made.
    #[n(4)]
    pub created_at: Instant,
}

impl Record for ApiKey {
    const SPACE: u8 = 2;
    type Key = [u8; 32];
    fn key(&self) -> [u8; 32] {
        self.hash
    }
}

/// One version of a plugin, named by the digest of its bytes. Kept in the provider's own chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct Release {
    /// BLAKE3 of the component, as 64 hexadecimal digits.
    #[n(0)]
    pub digest: String,
    /// The plugin's name.
    #[n(1)]
    pub plugin: Id,
    /// The plugin's version.
    #[n(2)]
    pub version: String,
    /// What it says of itself.
    #[n(3)]
    pub description: String,
    /// The rights it wants.
    #[n(4)]
    pub wants: Rights,
    /// The interfaces it imports, such as `backroom:ledger/journal@0.1.0`.
    #[n(5)]
    pub imports: Vec<String>,
    /// Size of the component in bytes.
    #[n(6)]
    pub size: u64,
    /// When it was uploaded.
    #[n(7)]
    pub created_at: Instant,
    /// The functions of them that it imports, such as `journal.post`; none known of releases from before this was kept.
    #[cbor(n(8), skip_if = "Vec::is_empty")]
    #[serde(default)]
    pub functions: Vec<String>,
}

impl Record for Release {
    const SPACE: u8 = 3;
    type Key = String;
    fn key(&self) -> String {
        self.digest.clone()
    }
}

/// Limits of a run; see the sandbox defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// Bytes of all memories and tables of the instance together.
    #[n(0)]
    pub memory: u64,
    /// Milliseconds of wall time.
    #[n(1)]
    pub wall_ms: u64,
    /// Deterministic units: about one per WebAssembly instruction, plus the work of host calls.
    #[n(2)]
    pub fuel: u64,
    /// Host calls.
    #[n(3)]
    pub host_calls: u32,
    /// Staged effects.
    #[n(4)]
    pub effects: u32,
    /// Bytes of log kept.
    #[n(5)]
    pub log: u32,
    /// Milliseconds in host calls, all together: what waits for a disk or for the outside.
    #[n(6)]
    pub host_ms: u64,
    /// Bytes of output.
    #[n(7)]
    pub output: u32,
    /// How deep arrays and objects of the output may nest.
    #[n(8)]
    pub depth: u32,
    /// Units of work of a UTC day, of all runs together that are recorded; none: as many as they come to.
    #[n(9)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day_fuel: Option<u64>,
}

/// As it stands in records: those of before have no value for what came later.
#[derive(minicbor::Decode)]
struct StoredLimits {
    #[n(0)]
    memory: u64,
    #[n(1)]
    wall_ms: u64,
    #[n(2)]
    fuel: u64,
    #[n(3)]
    host_calls: u32,
    #[n(4)]
    effects: u32,
    #[n(5)]
    log: u32,
    #[n(6)]
    host_ms: Option<u64>,
    #[n(7)]
    output: Option<u32>,
    #[n(8)]
    depth: Option<u32>,
    #[n(9)]
    day_fuel: Option<u64>,
}

impl<'b, C> minicbor::Decode<'b, C> for Limits {
    fn decode(d: &mut minicbor::Decoder<'b>, context: &mut C) -> std::result::Result<Self, minicbor::decode::Error> {
        let StoredLimits { memory, wall_ms, fuel, host_calls, effects, log, host_ms, output, depth, day_fuel } =
            minicbor::Decode::decode(d, context)?;
        let usual = Self::default();
        Ok(Self {
            memory,
            wall_ms,
            fuel,
            host_calls,
            effects,
            log,
            host_ms: host_ms.unwrap_or(usual.host_ms),
            output: output.unwrap_or(usual.output),
            depth: depth.unwrap_or(usual.depth),
            day_fuel,
        })
    }
}

impl Limits {
    /// Each the lower one of both; the fuel of a day stays as it is here.
    #[must_use]
    pub fn within(&self, most: &Self) -> Self {
        Self {
            memory: self.memory.min(most.memory),
            wall_ms: self.wall_ms.min(most.wall_ms),
            fuel: self.fuel.min(most.fuel),
            host_calls: self.host_calls.min(most.host_calls),
            effects: self.effects.min(most.effects),
            log: self.log.min(most.log),
            host_ms: self.host_ms.min(most.host_ms),
            output: self.output.min(most.output),
            depth: self.depth.min(most.depth),
            day_fuel: self.day_fuel,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 64 << 20,
            wall_ms: 30_000,
            // Some ten seconds of native-speed guest code; an interpreter start is 1 to 2 million.
            fuel: 10_000_000_000,
            host_calls: 10_000,
            effects: 10_000,
            log: 64 << 10,
            // The wall's, less what a guest needs to say something about it.
            host_ms: 20_000,
            // What crosses in one piece.
            output: 1 << 20,
            // Common readers of JSON give up at 128, and it is shown within other JSON.
            depth: 100,
            day_fuel: None,
        }
    }
}

/// What every run of a tenant is bounded by, whatever its installation says. Kept in the tenant's own chain, so that a replay sees
/// what was in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct TenantLimits {
    /// No run gets more than these; the fuel of a day is that of all installations together.
    #[n(0)]
    pub limits: Limits,
    /// When they were set.
    #[n(1)]
    pub updated_at: Instant,
    /// By whom.
    #[n(2)]
    pub actor: String,
    /// Its runs are executed in processes of its own, which no other tenant's runs share.
    #[n(3)]
    #[cbor(default)]
    #[serde(default)]
    pub own_process: bool,
}

impl Record for TenantLimits {
    const SPACE: u8 = 18;
    type Key = ();
    fn key(&self) {}
}

/// A release put to use for one tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct Installation {
    /// The name within the tenant.
    #[n(0)]
    pub name: Id,
    /// The release's digest.
    #[n(1)]
    pub release: String,
    /// What the operator grants. What the release wants and what the caller may do bound every call as well.
    #[n(2)]
    pub grants: Rights,
    /// Configuration that the plugin reads.
    #[n(3)]
    pub config: BTreeMap<String, String>,
    /// Limits of each run.
    #[n(4)]
    pub limits: Limits,
    /// When this version of it was recorded.
    #[n(5)]
    pub updated_at: Instant,
}

impl Record for Installation {
    const SPACE: u8 = 10;
    type Key = Id;
    fn key(&self) -> Id {
        self.name.clone()
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
#[cbor(index_only)]
pub enum RunStatus {
    /// It returned ok and its effects are in the books.
    #[n(0)]
    Committed,
    /// It returned an error; nothing was kept.
    #[n(1)]
    Refused,
    /// It trapped or reached a limit; nothing was kept.
    #[n(2)]
    Failed,
}

/// What the state keeps of a run; the whole of it stands in the commit log under `number`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct RunRecord {
    /// The run's id, from its caller or made by the service.
    #[n(0)]
    pub id: Id,
    /// The installation that ran.
    #[n(1)]
    pub installation: Id,
    /// How it ended.
    #[n(2)]
    pub status: RunStatus,
    /// Its place in the tenant's commit log.
    #[n(3)]
    pub number: u64,
    /// BLAKE3 of what identifies the request (installation, business date, input), for `exists-with-different`.
    #[cbor(n(4), with = "minicbor::bytes")]
    #[serde(skip)]
    pub request_hash: [u8; 32],
    /// The run's time.
    #[n(5)]
    pub at: Instant,
}

impl Record for RunRecord {
    const SPACE: u8 = 11;
    type Key = Id;
    fn key(&self) -> Id {
        self.id.clone()
    }
}

/// One key of an installation's own state.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct StateValue {
    /// The installation.
    #[n(0)]
    pub installation: Id,
    /// The key, 1 to 128 bytes.
    #[n(1)]
    pub key: String,
    /// The value, at most 32 KiB.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub value: Vec<u8>,
}

impl Record for StateValue {
    const SPACE: u8 = 12;
    type Key = (Id, String);
    fn key(&self) -> (Id, String) {
        (self.installation.clone(), self.key.clone())
    }
}

/// A gap-free number series of a tenant, such as `entry` or `move`.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct Counter {
    /// The series.
    #[n(0)]
    pub series: String,
    /// The last number given; 0 before the first.
    #[n(1)]
    pub last: u64,
    /// How many ids of the series were refused for good; none: none. Who reads the counter knows without a further read that
    /// there is nothing to look for.
    #[n(2)]
    pub failed: Option<u64>,
}

impl Record for Counter {
    const SPACE: u8 = 13;
    type Key = String;
    fn key(&self) -> String {
        self.series.clone()
    }
}

/// What an installation did on a UTC day of its runs' clocks, added up, where its rights have a ceiling for it.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct DayTotal {
    /// The installation.
    #[n(0)]
    pub installation: Id,
    /// The day.
    #[n(1)]
    pub day: BusinessDate,
    /// What is added up, such as `debits:USD`.
    #[n(2)]
    pub what: String,
    /// The sum: 128 bits, big endian.
    #[cbor(n(3), with = "minicbor::bytes")]
    sum: [u8; 16],
}

impl DayTotal {
    /// A sum.
    #[must_use]
    pub fn new(installation: Id, day: BusinessDate, what: String, sum: u128) -> Self {
        Self { installation, day, what, sum: sum.to_be_bytes() }
    }

    /// The sum.
    #[must_use]
    pub fn sum(&self) -> u128 {
        u128::from_be_bytes(self.sum)
    }
}

impl Record for DayTotal {
    const SPACE: u8 = 17;
    type Key = (Id, BusinessDate, String);
    fn key(&self) -> (Id, BusinessDate, String) {
        (self.installation.clone(), self.day, self.what.clone())
    }
}
