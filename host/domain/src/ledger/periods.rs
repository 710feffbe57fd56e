//! Locks on the days of a book, and exceptions from them.
//!
//! A book has for each scope a day up to which it is locked softly and one up to which it is locked hard. A soft lock is passed
//! by whoever holds an exception from it, a hard one by nobody; a hard lock is never taken back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shape::Problems;
use crate::{BusinessDate, Class, Error, Id, Instant, Result};

/// What of a book a lock is on.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    minicbor::Encode,
    minicbor::Decode,
)]
#[serde(rename_all = "kebab-case")]
#[cbor(index_only)]
pub enum Scope {
    /// Every posting.
    #[n(0)]
    All,
    /// Tax returns and payments.
    #[n(1)]
    Tax,
    /// Invoices to customers.
    #[n(2)]
    Sales,
    /// Invoices of vendors.
    #[n(3)]
    Purchases,
    /// Salaries and benefits.
    #[n(4)]
    Payroll,
    /// What stock moves post.
    #[n(5)]
    Stock,
}

impl Scope {
    /// All of them, in order.
    pub const EACH: [Self; 6] = [Self::All, Self::Tax, Self::Sales, Self::Purchases, Self::Payroll, Self::Stock];

    /// The word of the contract.
    pub const fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Tax => "tax",
            Self::Sales => "sales",
            Self::Purchases => "purchases",
            Self::Payroll => "payroll",
            Self::Stock => "stock",
        }
    }

    /// The scope of an entry of this kind: `sales`, or what begins with `sales` and one of `. : / _ -`, is of the scope `sales`, and so
    /// on; of every other kind only the lock of `all` counts.
    pub fn of_kind(kind: &Id) -> Self {
        let word = kind.as_str().split(['.', ':', '/', '_', '-']).next().unwrap_or_default();
        Self::EACH.into_iter().find(|scope| scope.word() == word).unwrap_or(Self::All)
    }
}

/// How firmly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
#[cbor(index_only)]
pub enum LockKind {
    /// Holders of an exception may post.
    #[n(0)]
    Soft,
    /// Nobody may, and it stays.
    #[n(1)]
    Hard,
}

impl LockKind {
    /// The word of the contract.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Soft => "soft",
            Self::Hard => "hard",
        }
    }
}

/// How far a scope of a book is locked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct Lock {
    /// What of the book.
    #[n(0)]
    pub scope: Scope,
    /// The last day that is locked softly, if any is.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soft: Option<BusinessDate>,
    /// The last day that is locked hard, if any is.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hard: Option<BusinessDate>,
}

impl Lock {
    /// Open on all days.
    pub fn open(scope: Scope) -> Self {
        Self { scope, soft: None, hard: None }
    }

    /// How a day is locked.
    pub fn on(&self, day: BusinessDate) -> Option<LockKind> {
        let has = |until: Option<BusinessDate>| until.is_some_and(|until| day <= until);
        match (has(self.hard), has(self.soft)) {
            (true, _) => Some(LockKind::Hard),
            (false, true) => Some(LockKind::Soft),
            (false, false) => None,
        }
    }

    /// The lock moved forward, or none if it is there already.
    ///
    /// Refused: `lock-not-forward`, if it would end before it does now; a soft one also if it would end within the hard one.
    pub fn forward(&self, kind: LockKind, until: BusinessDate) -> Result<Option<Self>> {
        let now = match kind {
            LockKind::Soft => self.soft,
            LockKind::Hard => self.hard,
        };
        if now == Some(until) {
            return Ok(None);
        }
        let least = if kind == LockKind::Soft { now.max(self.hard) } else { now };
        if let Some(least) = least.filter(|least| until <= *least) {
            let scope = self.scope.word();
            let message = format!(
                "scope {scope} is locked until {least}; a lock moves forward, reopening a period moves it back"
            );
            return Err(Error::at(Class::Refused, "lock-not-forward", "until", message));
        }
        Ok(Some(match kind {
            LockKind::Soft => Self { soft: Some(until), ..self.clone() },
            LockKind::Hard => Self { hard: Some(until), ..self.clone() },
        }))
    }

    /// The soft lock moved back, so that `from` and the days behind it are open; none if they are.
    ///
    /// Refused: `hard-lock`, if one of them is locked hard.
    pub fn reopen(&self, from: BusinessDate) -> Result<Option<Self>> {
        if let Some(hard) = self.hard.filter(|hard| from <= *hard) {
            let message = format!("scope {} is locked hard until {hard}, which stays", self.scope.word());
            return Err(Error::at(Class::Refused, "hard-lock", "from", message));
        }
        if self.on(from).is_none() {
            return Ok(None);
        }
        Ok(Some(Self { soft: from.day_before(), ..self.clone() }))
    }
}

/// What every posting to a book has to look at: one record, so that it is one read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct BookControl {
    /// The book.
    #[n(0)]
    pub book: Id,
    /// In order of the scopes; a scope that is missing is open.
    #[n(1)]
    pub locks: Vec<Lock>,
    /// So many days behind the UTC day of the clock a posting may be dated; none: without an end.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub future_days: Option<u16>,
    /// The last year that was closed.
    #[n(3)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<ClosedYear>,
    /// How many budgets there are.
    #[n(4)]
    pub budgets: u32,
}

/// The last year of a book that was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct ClosedYear {
    /// The fiscal year.
    #[n(0)]
    pub year: u16,
    /// Its last day.
    #[n(1)]
    pub last: BusinessDate,
}

/// What stands in the way of a posting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Barrier {
    /// Nobody passes.
    Hard(Lock),
    /// Whoever holds an exception from each of these passes; never empty.
    Soft(Vec<Lock>),
}

impl BookControl {
    /// Of a book without any.
    pub fn new(book: Id) -> Self {
        Self { book, locks: Vec::new(), future_days: None, closed: None, budgets: 0 }
    }

    /// The lock of a scope.
    pub fn lock(&self, scope: Scope) -> Lock {
        self.locks.iter().find(|lock| lock.scope == scope).cloned().unwrap_or_else(|| Lock::open(scope))
    }

    /// Puts a lock in the place of that of its scope.
    pub fn set_lock(&mut self, lock: Lock) {
        self.locks.retain(|old| old.scope != lock.scope);
        self.locks.push(lock);
        self.locks.sort_by_key(|lock| lock.scope);
    }

    /// The locks that a posting of `scope` on `day` meets: that of `all` and that of its scope.
    pub fn barrier(&self, scope: Scope, day: BusinessDate) -> Option<Barrier> {
        let met = self.locks.iter().filter(|lock| lock.scope == Scope::All || lock.scope == scope);
        let met: Vec<_> = met.filter(|lock| lock.on(day).is_some()).collect();
        if let Some(hard) = met.iter().find(|lock| lock.on(day) == Some(LockKind::Hard)) {
            return Some(Barrier::Hard((*hard).clone()));
        }
        (!met.is_empty()).then(|| Barrier::Soft(met.into_iter().cloned().collect()))
    }

    /// `future-date` if `day` is further ahead of `today` than the book allows.
    pub fn check_future(&self, day: BusinessDate, today: BusinessDate) -> Result<()> {
        let Some(days) = self.future_days.filter(|days| day.days_since(today) > u32::from(*days)) else {
            return Ok(());
        };
        let message = format!("{day} is further ahead than the {days} days behind {today} that the book allows");
        Err(Error::at(Class::Refused, "future-date", "date", message))
    }
}

/// `period-locked`: says which lock.
pub fn locked(lock: &Lock, day: BusinessDate) -> Error {
    let (kind, until) = match lock.on(day) {
        Some(LockKind::Hard) => (LockKind::Hard, lock.hard),
        _ => (LockKind::Soft, lock.soft),
    };
    let until = until.map(|day| day.to_string()).unwrap_or_default();
    let message = format!("scope {} is locked until {until} ({}), {day} included", lock.scope.word(), kind.word());
    Error::at(Class::Refused, "period-locked", "date", message)
}

/// Who an exception is for.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode,
)]
#[serde(rename_all = "kebab-case")]
pub enum Holder {
    /// A person or key by name, for what they post themselves and not through a plugin.
    #[n(0)]
    Actor(#[n(0)] Id),
    /// An installation, whoever starts it.
    #[n(1)]
    Installation(#[n(0)] Id),
    /// Everyone.
    #[n(2)]
    Everyone,
}

impl Holder {
    /// For keys: no name of one kind is one of another.
    pub fn key(&self) -> String {
        match self {
            Self::Actor(name) => format!("actor={name}"),
            Self::Installation(name) => format!("installation={name}"),
            Self::Everyone => "everyone".to_owned(),
        }
    }
}

/// An exception from a soft lock, as a caller asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewException {
    /// The caller's id: the idempotency key within the book.
    #[n(0)]
    pub id: Id,
    /// The lock that it is from; an exception from `all` is none from that of another scope.
    #[n(1)]
    pub scope: Scope,
    /// Who may post.
    #[n(2)]
    pub holder: Holder,
    /// The moment from which on it does not count any more.
    #[n(3)]
    pub until: Instant,
    /// Why; 1 to 200 characters.
    #[n(4)]
    pub reason: String,
}

/// An exception on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct LockException {
    /// The book.
    #[n(0)]
    pub book: Id,
    /// What was asked for.
    #[n(1)]
    #[serde(flatten)]
    pub new: NewException,
    /// Who granted it.
    #[n(2)]
    pub actor: String,
    /// When.
    #[n(3)]
    pub recorded_at: Instant,
    /// When it was revoked, if it was.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Instant>,
}

/// Something that was posted under an exception.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct ExceptionUse {
    /// The book.
    #[n(0)]
    pub book: Id,
    /// The exception.
    #[n(1)]
    pub exception: Id,
    /// The entry.
    #[n(2)]
    pub entry: Id,
    /// The day of the books that it is for.
    #[n(3)]
    pub date: BusinessDate,
    /// Who posted.
    #[n(4)]
    pub actor: String,
    /// When.
    #[n(5)]
    pub recorded_at: Instant,
    /// The run that posted, if a plugin did.
    #[n(6)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Id>,
}

/// A lock that was moved: the effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct LockChange {
    /// The book.
    #[n(0)]
    pub book: Id,
    /// The lock as it is now.
    #[n(1)]
    pub lock: Lock,
    /// Who moved it.
    #[n(2)]
    pub actor: String,
    /// When.
    #[n(3)]
    pub recorded_at: Instant,
    /// Why, if it was moved back.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How far ahead may be posted: the effect of setting it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
pub struct FutureLimit {
    /// The book.
    #[n(0)]
    pub book: Id,
    /// So many days behind the UTC day of the clock; none: without an end.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u16>,
}

/// The form of a reason (`text-invalid`).
pub fn check_reason(reason: &str) -> Result<()> {
    let mut problems = Problems::default();
    problems.line(|| "reason".to_owned(), reason, 1, 200);
    problems.finish()
}

/// `exists-with-different` unless `new` says what is on record.
pub fn same_exception(existing: &LockException, new: &NewException) -> Result<()> {
    let old = &existing.new;
    let field = match () {
        () if old.scope != new.scope => "scope",
        () if old.holder != new.holder => "holder",
        () if old.until != new.until => "until",
        () if old.reason != new.reason => "reason",
        () => return Ok(()),
    };
    Err(Error::exists_with_different("exception", &new.id, field))
}

/// `exception-expired`: it counted, and does not any more.
pub fn expired(id: &Id, until: Instant) -> Error {
    let message = format!("the exception {id} ended at {until}");
    Error::at(Class::Refused, "exception-expired", "until", message)
}
