//! Workers and employments as they are stored: what is personal is sealed, all else is plain.

use backroom_domain::hr::{ERASED, Employment, NewEmployment, NewWorker, Place, Worker};
use backroom_domain::{BusinessDate, Id, Instant, Money};
use zeroize::Zeroizing;

use crate::error::{CodecError, StoreError};
use crate::record::Record;
use crate::seal::Seals;

/// A worker: name, e-mail and bank account are sealed.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct StoredWorker {
    /// The worker number.
    #[n(0)]
    pub id: Id,
    /// When it was recorded.
    #[n(1)]
    pub recorded_at: Instant,
    /// The personal data, sealed with the worker's key; none if they were erased.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub sealed: Option<Vec<u8>>,
}

/// A stretch of employment: the salary is sealed.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct StoredEmployment {
    /// The worker.
    #[n(0)]
    pub worker: Id,
    /// First day.
    #[n(1)]
    pub from: BusinessDate,
    /// Last day, counted; none while it goes on.
    #[n(2)]
    pub to: Option<BusinessDate>,
    /// Position code.
    #[n(3)]
    pub position: Id,
    /// Place of work.
    #[n(4)]
    pub place: Place,
    /// Cost centre that bears the worker.
    #[n(5)]
    pub cost_center: Id,
    /// When it was recorded.
    #[n(6)]
    pub recorded_at: Instant,
    /// The salary, or that there is none, sealed with the worker's key; none if it was erased.
    #[cbor(n(7), with = "minicbor::bytes")]
    pub sealed: Option<Vec<u8>>,
}

/// What is sealed of a worker.
#[derive(minicbor::Encode, minicbor::Decode)]
struct WorkerSecrets {
    #[n(0)]
    name: String,
    #[n(1)]
    email: Option<String>,
    #[n(2)]
    bank_account: Option<String>,
}

/// What is sealed of an employment.
#[derive(minicbor::Encode, minicbor::Decode)]
struct EmploymentSecrets {
    #[n(0)]
    salary: Option<Money>,
}

impl Record for StoredWorker {
    const SPACE: u8 = 30;
    const VERSION: u8 = 2;
    type Key = Id;

    fn key(&self) -> Id {
        self.id.clone()
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        decode_sealed(bytes, Self::VERSION)
    }
}

impl Record for StoredEmployment {
    const SPACE: u8 = 31;
    const VERSION: u8 = 2;
    type Key = (Id, BusinessDate);

    fn key(&self) -> (Id, BusinessDate) {
        (self.worker.clone(), self.from)
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        decode_sealed(bytes, Self::VERSION)
    }
}

impl StoredWorker {
    /// Seals the personal data. Those of a worker who was erased stay erased.
    ///
    /// # Errors
    /// As [`Seals::seal`].
    pub fn seal(worker: &Worker, seals: &Seals) -> Result<Self, StoreError> {
        let Worker { new, recorded_at, erased } = worker;
        let sealed = if *erased {
            None
        } else {
            let NewWorker { id: _, name, email, bank_account } = new.clone();
            let text = text::<Self>(&WorkerSecrets { name, email, bank_account }, seals)?;
            Some(seals.seal::<Self>(&new.id, &new.id, &text)?)
        };
        Ok(Self { id: new.id.clone(), recorded_at: *recorded_at, sealed })
    }

    /// Opens the personal data, or says that they are erased.
    ///
    /// # Errors
    /// As [`Seals::open`].
    pub fn open(self, seals: &Seals) -> Result<Worker, StoreError> {
        let Self { id, recorded_at, sealed } = self;
        let opened = sealed.map(|sealed| seals.open::<Self>(&id, &id, &sealed)).transpose()?.flatten();
        let erased = opened.is_none();
        let WorkerSecrets { name, email, bank_account } = match opened {
            None => WorkerSecrets { name: ERASED.to_owned(), email: None, bank_account: None },
            Some(text) => minicbor::decode(&text).map_err(|why| damaged::<Self>(why, seals))?,
        };
        Ok(Worker { new: NewWorker { id, name, email, bank_account }, recorded_at, erased })
    }
}

impl StoredEmployment {
    /// Seals the salary. That of a worker who was erased stays erased.
    ///
    /// # Errors
    /// As [`Seals::seal`].
    pub fn seal(employment: &Employment, seals: &Seals) -> Result<Self, StoreError> {
        let Employment { new, recorded_at, erased } = employment;
        let sealed = if *erased {
            None
        } else {
            let key = (new.worker.clone(), new.from);
            let text = text::<Self>(&EmploymentSecrets { salary: new.salary }, seals)?;
            Some(seals.seal::<Self>(&new.worker, &key, &text)?)
        };
        let NewEmployment { worker, from, to, position, place, cost_center, salary: _ } = new.clone();
        Ok(Self { worker, from, to, position, place, cost_center, recorded_at: *recorded_at, sealed })
    }

    /// Opens the salary, or says that it is erased.
    ///
    /// # Errors
    /// As [`Seals::open`].
    pub fn open(self, seals: &Seals) -> Result<Employment, StoreError> {
        let opened = match &self.sealed {
            Some(sealed) => seals.open::<Self>(&self.worker, &self.key(), sealed)?,
            None => None,
        };
        let erased = opened.is_none();
        let EmploymentSecrets { salary } = match opened {
            None => EmploymentSecrets { salary: None },
            Some(text) => minicbor::decode(&text).map_err(|why| damaged::<Self>(why, seals))?,
        };
        let Self { worker, from, to, position, place, cost_center, recorded_at, sealed: _ } = self;
        let new = NewEmployment { worker, from, to, position, place, cost_center, salary };
        Ok(Employment { new, recorded_at, erased })
    }
}

/// As [`Record::decode`], for spaces whose first version kept everything plain. That one is not read: what stands in a log
/// cannot be sealed afterwards.
fn decode_sealed<'b, R: minicbor::Decode<'b, ()>>(bytes: &'b [u8], version: u8) -> Result<R, CodecError> {
    let (found, body) = bytes.split_first().ok_or(CodecError::Empty)?;
    if *found > version {
        return Err(CodecError::Version { found: *found, known: version });
    }
    if *found < version {
        let what = "it was written before personal data were sealed; import the tenant into a new data directory";
        return Err(CodecError::malformed(what));
    }
    let mut decoder = minicbor::Decoder::new(body);
    let record = decoder.decode().map_err(CodecError::malformed)?;
    if decoder.position() != body.len() {
        return Err(CodecError::malformed("bytes after the body"));
    }
    Ok(record)
}

fn text<R: Record>(secrets: &impl minicbor::Encode<()>, seals: &Seals) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    minicbor::to_vec(secrets).map(Zeroizing::new).map_err(|why| damaged::<R>(why, seals))
}

fn damaged<R: Record>(why: impl std::fmt::Display, seals: &Seals) -> StoreError {
    StoreError::Codec { tenant: seals.tenant(), space: R::SPACE, source: CodecError::malformed(why) }
}
