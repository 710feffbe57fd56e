//! Exchange rates.

use backroom_domain::{BusinessDate, Currency, Decimal, Id};

use crate::error::Result;
use crate::work::Work;

/// What a unit of a currency is worth in the base currency of a book on a day. There is no table of rates yet.
pub(crate) fn rate(
    _work: &Work,
    _book: &Id,
    _from: Currency,
    _to: Currency,
    _date: BusinessDate,
) -> Result<Option<Decimal>> {
    Ok(None)
}
