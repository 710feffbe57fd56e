//! Effects as they stand in the log: like any record, with what is personal sealed.
//!
//! `[number of the case, [body]]`. Here and nowhere else effects are encoded and decoded.

use backroom_domain::rights::HrField;
use backroom_domain::{Effect, Id};
use backroom_store::records::{StoredEmployment, StoredWorker};
use backroom_store::{CodecError, Seals, StoreError};
use minicbor::{Decoder, Encoder};

use crate::error::Result;

/// The effect for the log.
pub(crate) fn encode(effect: &Effect, seals: &Seals) -> Result<Vec<u8>> {
    let encoded = match effect {
        Effect::AccountCreated(body) => case(0, body),
        Effect::EntryPosted(body) => case(1, body),
        Effect::WorkerAdded(worker) => case(2, &StoredWorker::seal(worker, seals)?),
        Effect::EmploymentAdded(employment) => case(3, &StoredEmployment::seal(employment, seals)?),
        Effect::BenefitRecorded(body) => case(4, body),
        Effect::ItemCreated(body) => case(5, body),
        Effect::LocationCreated(body) => case(6, body),
        Effect::LotCreated(body) => case(7, body),
        Effect::MovePosted(body) => case(8, body),
        Effect::StateSet(body) => case(9, body),
        Effect::PersonErased(body) => case(10, body),
        Effect::FileWritten(body) => case(11, body),
        Effect::FileDeleted(body) => case(12, body),
        Effect::BookCreated(body) => case(13, body),
        Effect::AccountChanged(body) => case(14, body),
        Effect::HoldPlaced(body) => case(15, body),
        Effect::HoldChanged(body) => case(16, body),
    };
    encoded.map_err(|why| malformed(why, seals).into())
}

/// The reverse of [`encode`]. What was erased since reads as erased.
pub(crate) fn decode(bytes: &[u8], seals: &Seals) -> Result<Effect> {
    let mut d = Decoder::new(bytes);
    let effect = match head(&mut d).map_err(|why| malformed(why, seals))? {
        0 => d.decode().map(Effect::AccountCreated),
        1 => d.decode().map(Effect::EntryPosted),
        2 => match d.decode::<StoredWorker>() {
            Ok(stored) => Ok(Effect::WorkerAdded(stored.open(seals)?)),
            Err(why) => Err(why),
        },
        3 => match d.decode::<StoredEmployment>() {
            Ok(stored) => Ok(Effect::EmploymentAdded(stored.open(seals)?)),
            Err(why) => Err(why),
        },
        4 => d.decode().map(Effect::BenefitRecorded),
        5 => d.decode().map(Effect::ItemCreated),
        6 => d.decode().map(Effect::LocationCreated),
        7 => d.decode().map(Effect::LotCreated),
        8 => d.decode().map(Effect::MovePosted),
        9 => d.decode().map(Effect::StateSet),
        10 => d.decode().map(Effect::PersonErased),
        11 => d.decode().map(Effect::FileWritten),
        12 => d.decode().map(Effect::FileDeleted),
        13 => d.decode().map(Effect::BookCreated),
        14 => d.decode().map(Effect::AccountChanged),
        15 => d.decode().map(Effect::HoldPlaced),
        16 => d.decode().map(Effect::HoldChanged),
        other => return Err(malformed(format_args!("there is no effect number {other}"), seals).into()),
    };
    let effect = effect.map_err(|why| malformed(why, seals))?;
    if d.position() == bytes.len() { Ok(effect) } else { Err(malformed("bytes after the effect", seals).into()) }
}

/// Effects of the log, opened.
///
/// # Errors
/// Bytes that are no effects; what the keyring reports.
pub fn decode_all(effects: &[Vec<u8>], seals: &Seals) -> Result<Vec<Effect>> {
    effects.iter().map(|bytes| decode(bytes, seals)).collect()
}

/// Whose and which personal data of an effect read as erased.
pub fn erased_fields(effect: &Effect) -> Option<(&Id, &'static [HrField])> {
    match effect {
        Effect::WorkerAdded(worker) if worker.erased => {
            Some((&worker.new.id, &[HrField::Name, HrField::Contact, HrField::Bank]))
        }
        Effect::EmploymentAdded(employment) if employment.erased => {
            Some((&employment.new.worker, &[HrField::Compensation]))
        }
        _ => None,
    }
}

type Encoded = std::result::Result<Vec<u8>, minicbor::encode::Error<std::convert::Infallible>>;

fn case(number: u32, body: &impl minicbor::Encode<()>) -> Encoded {
    let mut encoder = Encoder::new(Vec::new());
    encoder.array(2)?.u32(number)?.array(1)?.encode(body)?;
    Ok(encoder.into_writer())
}

fn head(d: &mut Decoder<'_>) -> std::result::Result<u32, minicbor::decode::Error> {
    let wrong = |at| minicbor::decode::Error::message("this is no effect").at(at);
    if d.array()? != Some(2) {
        return Err(wrong(d.position()));
    }
    let number = d.u32()?;
    if d.array()? != Some(1) {
        return Err(wrong(d.position()));
    }
    Ok(number)
}

fn malformed(why: impl std::fmt::Display, seals: &Seals) -> StoreError {
    let source = CodecError::Malformed(format!("an effect: {why}"));
    StoreError::Codec { tenant: seals.tenant(), space: 0, source }
}
